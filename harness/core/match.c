#include "core/match.h"

#include <string.h>

#include "core/tuple.h"
#include "core/state.h"

static bool same_bytes(const uint8_t *got, const uint8_t *want, const uint8_t *any, size_t n)
{
    if (!any)
        return memcmp(got, want, n) == 0;
    for (size_t i = 0; i < n; i++)
        if (!any[i] && got[i] != want[i])
            return false;
    return true;
}

/* The stack but for the slots that the environment took. */
static bool same_stack(const struct cts_seg *s, const uint8_t *entry, const uint8_t *want,
                       const uint8_t *any)
{
    const uint8_t *got = entry + s->layout.stack_off + CTS_STACK_BYTES;
    for (size_t at = 0, end; cts_seg_stack_span(s, &at, &end); at = end)
        if (!same_bytes(got + at, want + at, any ? any + at : NULL, end - at))
            return false;
    return true;
}

static bool match_state(struct cts_seg *s, const struct cts_pk_state *want, const uint8_t *entry)
{
    const struct cts_layout *l = &s->layout;
    for (unsigned i = 0; i < 10; i++) {
        if (!((l->out_mask >> i) & 1) || ((want->any >> i) & 1))
            continue;
        if (cts_order_get64(s->be, entry + CTS_ENTRY_OUT + 8 * i) !=
            cts_state_absolute(s->be, entry, want->place[i], want->r[i]))
            return false;
    }
    if (l->mem_bytes) {
        cts_state_image(s->pack, &want->mem, l->mem_bytes, s->be, s->scratch);
        if (!same_bytes(entry + CTS_ENTRY_MEM, s->scratch, cts_state_any(s->pack, &want->mem),
                        l->mem_bytes))
            return false;
    }
    if (l->stack_off) {
        cts_state_image(s->pack, &want->stack, CTS_STACK_BYTES, s->be, s->scratch);
        if (!same_stack(s, entry, s->scratch, cts_state_any(s->pack, &want->stack)))
            return false;
    }
    return true;
}

uint64_t cts_seg_swept_register(const struct cts_seg *s, unsigned i, const uint8_t *entry,
                                const uint8_t *expect)
{
    uint64_t v = cts_order_get64(s->be, expect + 8 * i);
    unsigned place = s->base->place[i];
    if (place != CTS_PL_VALUE && v == cts_state_address(place, s->base->r[i]))
        return cts_state_absolute(s->be, entry, place, s->base->r[i]);
    return v;
}

static bool match_swept(const struct cts_seg *s, const uint8_t *entry, const uint8_t *expect)
{
    const struct cts_layout *l = &s->layout;
    for (unsigned i = 0; i < 10; i++) {
        if (!((l->out_mask >> i) & 1) || ((s->base->any >> i) & 1))
            continue;
        if (cts_order_get64(s->be, entry + CTS_ENTRY_OUT + 8 * i) !=
            cts_seg_swept_register(s, i, entry, expect))
            return false;
    }
    const uint8_t *mem = expect + CTS_EXPECT_REGISTERS;
    if (memcmp(entry + CTS_ENTRY_MEM, mem, l->mem_bytes) != 0)
        return false;
    return l->stack_off == 0 || same_stack(s, entry, mem + l->mem_bytes, NULL);
}

bool cts_seg_match(struct cts_seg *s, uint32_t r, const uint8_t *entry, const uint8_t *expect)
{
    if (s->plain)
        return memcmp(entry + CTS_ENTRY_OUT, expect, CTS_EXPECT_REGISTERS) == 0;
    if (s->swept)
        return match_swept(s, entry, expect);
    const struct cts_outcomes *out = &s->outcomes[r];
    for (uint32_t i = 0; i < out->count; i++) {
        const struct cts_pk_state *want = cts_outcome_state(s->pack, &out->first[i]);
        if (want && match_state(s, want, entry))
            return true;
    }
    return false;
}

bool cts_seg_untouched(const struct cts_seg *s, uint32_t r, const uint8_t *entry,
                       const uint8_t *expect)
{
    const struct cts_pk_state *out = s->swept ? NULL : cts_seg_first_state(s, r);
    uint16_t mask = s->layout.out_mask;
    for (unsigned i = 0; i < 10; i++) {
        uint64_t left = s->swept ? ~cts_order_get64(s->be, expect + 8 * i) : cts_seg_before(out, i);
        if (((mask >> i) & 1) && cts_order_get64(s->be, entry + CTS_ENTRY_OUT + 8 * i) != left)
            return false;
    }
    return mask != 0;
}
