#include "core/conform.h"

#include "core/variant.h"
#include "core/tuple.h"
#include "core/match.h"

static bool result_conforms(const struct cts_seg *seg, uint32_t r, enum cts_outcome_kind kind,
                            const struct cts_obs *obs)
{
    const struct cts_outcomes *out = &seg->outcomes[r];
    for (uint32_t i = 0; i < out->count; i++) {
        const struct cts_pk_outcome *o = &out->first[i];
        uint64_t r0;
        if (o->kind == kind && (!cts_seg_whole_result(seg, o, &r0) ||
                                (obs->result_known && ((r0 ^ obs->r0) & seg->result_mask) == 0)))
            return true;
    }
    return false;
}

bool cts_conforms(struct cts_seg *seg, uint32_t r, const struct cts_obs *obs)
{
    unsigned allowed = cts_seg_kinds(seg, r);
    switch (obs->seen) {
    case CTS_SEEN_RAN:
        if (seg->whole)
            return (allowed & (1u << CTS_OUT_RAN)) && result_conforms(seg, r, CTS_OUT_RAN, obs);
        return obs->row && cts_seg_match(seg, r, obs->row, obs->expect);
    case CTS_SEEN_ACCEPTED:
        return allowed & ~(1u << CTS_OUT_REJECTED);
    case CTS_SEEN_EXITED:
        return (allowed & (1u << CTS_OUT_EXITED)) && result_conforms(seg, r, CTS_OUT_EXITED, obs);
    case CTS_SEEN_REJECTED:
        return allowed & (1u << CTS_OUT_REJECTED);
    case CTS_SEEN_FAULTED:
        return allowed & (1u << CTS_OUT_FAULTED);
    case CTS_SEEN_REFUSED:
        return allowed & (1u << CTS_OUT_REJECTED | 1u << CTS_OUT_FAULTED);
    case CTS_SEEN_CRASHED:
    case CTS_SEEN_TIMED_OUT:
    case CTS_SEEN_LOAD_ERROR:
    case CTS_SEEN_UNSETTLED:
        return false;
    }
    return false;
}
