#include "core/judge.h"

#include <string.h>

#include "core/conform.h"
#include "core/detail.h"
#include "core/excuse.h"
#include "core/expected.h"
#include "core/tuple.h"

static struct cts_track *track_of(const struct cts_judge *j, uint32_t kase)
{
    if (kase < j->first_case || kase - j->first_case >= j->case_count)
        return NULL;
    struct cts_track *t = &j->tracks[kase - j->first_case];
    return t->not_asked ? NULL : t;
}

static void note_rows(struct cts_judge *j, const struct cts_seg *seg, uint32_t r, uint64_t count)
{
    uint32_t at = seg->unit_index - j->first_unit;
    if (!j->units || at >= j->unit_count || count == 0)
        return;
    struct cts_unit_tuples *u = &j->units[at];
    if (seg->swept && r + count > u->end) {
        uint32_t from = r > u->end ? r : u->end;
        u->end = (uint32_t)(r + count);
        u->swept += u->end - from;
    }
    if (!seg->swept && !u->matched)
        u->matched = cts_arena_take(j->arena, seg->unit->rows.count);
    if (!seg->swept && u->matched)
        u->matched[r] = 1;
}

void cts_judge_matched(struct cts_judge *j, const struct cts_seg *seg, uint32_t r, uint64_t count)
{
    struct cts_track *t = track_of(j, cts_seg_case(seg, r));
    if (!t)
        return;
    note_rows(j, seg, r, count);
    cts_expected_note(j->pack, t, seg->unit_index, CTS_ST_PASS, CTS_FL_NONE);
    cts_track_set(t, CTS_ST_PASS, seg->unit_index);
}

static void count_rows(struct cts_judge *j, uint32_t kase, uint32_t rows)
{
    struct cts_track *t = track_of(j, kase);
    if (t && !cts_track_failed(t))
        t->operand_tuples += rows;
}

void cts_judge_count(struct cts_judge *j)
{
    for (uint32_t i = 0; j->units && i < j->unit_count; i++) {
        const struct cts_pk_unit *u = &j->pack->units[j->first_unit + i];
        const uint8_t *matched = j->units[i].matched;
        if (u->sweep != UINT32_MAX)
            count_rows(j, j->pack->sweeps[u->sweep].kase, j->units[i].swept);
        for (uint32_t r = 0; matched && r < u->rows.count; r++)
            count_rows(j, j->pack->rows[u->rows.first + r].kase, matched[r]);
    }
}

int cts_judge_expect(struct cts_judge *j)
{
    const struct cts_pack *p = j->pack;
    int rc = 0;
    for (uint32_t u = 0, next = 0; rc == 0 && u < j->unit_count; u = next) {
        const struct cts_pk_vector *v = &p->vectors[p->units[j->first_unit + u].vector];
        for (uint32_t c = v->cases.first; rc == 0 && c < v->cases.first + v->cases.count; c++) {
            struct cts_track *t = &j->tracks[c - j->first_case];
            rc = cts_expected_find(t, c, j->target, j->caps, p, j->arena);
            if (rc == 0 && j->every && !t->variants)
                rc = cts_expected_follow(t, c, p, j->arena);
        }
        next = v->units.first + v->units.count - j->first_unit;
    }
    return rc;
}

static const char *unit_label(const struct cts_judge *j, const struct cts_seg *seg)
{
    return cts_pack_text(j->pack, seg->unit->label);
}

static const char *keep(struct cts_judge *j, const char *text)
{
    const char *copy = text ? cts_arena_strdup(j->arena, text) : NULL;
    return copy ? copy : "";
}

static void fail(struct cts_judge *j, struct cts_seg *seg, uint32_t r, enum cts_failure failure,
                 const char *message, const struct cts_obs *obs)
{
    struct cts_track *t = track_of(j, cts_seg_case(seg, r));
    if (!t)
        return;
    const char *label = unit_label(j, seg);
    const struct cts_known *by = cts_expected_by(t, label, failure);
    enum cts_status status = by ? CTS_ST_XFAIL : CTS_ST_FAIL;
    cts_expected_note(j->pack, t, seg->unit_index, status, failure);
    if (!cts_track_set(t, status, seg->unit_index))
        return;
    t->failure = failure;
    t->by = by;
    t->label = label;
    t->message = message ? message : "out of memory";
    t->detail = cts_detail(&(struct cts_subject){j->target, j->select_case, seg, r, obs}, j->arena);
}

static void skip(struct cts_judge *j, const struct cts_seg *seg, uint32_t r, enum cts_skip kind,
                 const char *why)
{
    struct cts_track *t = track_of(j, cts_seg_case(seg, r));
    if (!t)
        return;
    cts_expected_note(j->pack, t, seg->unit_index, CTS_ST_SKIP, CTS_FL_NONE);
    if (!cts_track_set(t, CTS_ST_SKIP, seg->unit_index))
        return;
    t->label = unit_label(j, seg);
    t->skip = kind;
    t->message = why;
}

static void error(struct cts_judge *j, const struct cts_seg *seg, uint32_t r, const char *why)
{
    struct cts_track *t = track_of(j, cts_seg_case(seg, r));
    if (!t)
        return;
    cts_expected_note(j->pack, t, seg->unit_index, CTS_ST_ERROR, CTS_FL_NONE);
    if (!cts_track_set(t, CTS_ST_ERROR, seg->unit_index))
        return;
    t->label = unit_label(j, seg);
    t->message = why;
}

void cts_judge_error(struct cts_judge *j, const struct cts_seg *seg, const char *why)
{
    const char *copy = keep(j, why);
    for (uint32_t r = 0; r < (seg->swept ? 1 : seg->rows); r++)
        error(j, seg, r, copy);
}

bool cts_judge_is_settled(const struct cts_judge *j, const struct cts_seg *seg)
{
    if (j->every)
        return false;
    for (uint32_t r = 0; r < (seg->swept ? 1 : seg->rows); r++) {
        const struct cts_track *t = track_of(j, cts_seg_case(seg, r));
        if (t && !(t->seen && t->status == CTS_ST_FAIL && t->unit < seg->unit_index))
            return false;
    }
    return true;
}

static void skip_for_good(struct cts_judge *j, uint32_t kase, enum cts_skip kind, const char *why)
{
    struct cts_track *t = track_of(j, kase);
    if (!t || !cts_track_set(t, CTS_ST_SKIP, 0))
        return;
    t->skip = kind;
    t->message = keep(j, why);
    t->not_asked = true;
}

void cts_judge_skip(struct cts_judge *j, uint32_t kase, const char *why)
{
    skip_for_good(j, kase, CTS_SK_NOT_ASKED, why);
}

void cts_judge_untestable(struct cts_judge *j, uint32_t unit, const char *why)
{
    const struct cts_pk_unit *u = &j->pack->units[unit];
    if (u->sweep != UINT32_MAX)
        skip_for_good(j, j->pack->sweeps[u->sweep].kase, CTS_SK_UNTESTABLE, why);
    for (uint32_t r = 0; u->sweep == UINT32_MAX && r < u->rows.count; r++)
        skip_for_good(j, j->pack->rows[u->rows.first + r].kase, CTS_SK_UNTESTABLE, why);
}

bool cts_judge_is_restricted(const struct cts_judge *j, const struct cts_seg *seg)
{
    return j->target && cts_excuse_restriction(j->target, seg, NULL, j->arena);
}

static const char *words(const struct cts_obs *obs)
{
    return obs->text && obs->text[0] ? obs->text : "no reason given";
}

/* The first line of the runtime's words. */
static int first_line(const char *text)
{
    size_t n = strcspn(text, "\n");
    return n > 200 ? 200 : (int)n;
}

static void judge_rejected(struct cts_judge *j, struct cts_seg *seg, uint32_t r,
                           const struct cts_obs *obs)
{
    const char *limit = cts_excuse_restriction(j->target, seg, obs->text, j->arena),
               *why = words(obs);
    enum cts_insn_id insn = cts_excuse_unsupported(j->target, seg);
    if (limit)
        skip(j, seg, r, CTS_SK_LIMIT,
             cts_arena_fmt(j->arena, "limit of %s: %s", j->target->runtime, limit));
    else if (insn < CTS_INSN_COUNT)
        skip(j, seg, r, CTS_SK_UNSUPPORTED,
             cts_arena_fmt(j->arena, "unsupported: %s refuses %s (%.*s)", j->target->runtime,
                           cts_insn_info(insn)->id, first_line(why), why));
    else
        fail(j, seg, r, CTS_FL_WRONGLY_REJECTED,
             cts_arena_fmt(j->arena, "rejected, but it must be accepted: %.*s", first_line(why),
                           why),
             obs);
}

static void judge_ran(struct cts_judge *j, struct cts_seg *seg, uint32_t r,
                      const struct cts_obs *obs)
{
    unsigned allowed = cts_seg_kinds(seg, r);
    if (!(allowed & (1u << CTS_OUT_RAN | 1u << CTS_OUT_EXITED)))
        fail(j, seg, r, CTS_FL_WRONGLY_ACCEPTED,
             allowed & (1u << CTS_OUT_REJECTED) ? "accepted, but it must be rejected"
                                                : "ran to its end, but it must be stopped",
             obs);
    else if (!seg->whole && obs->seen == CTS_SEEN_EXITED)
        fail(j, seg, r, CTS_FL_WRONG_RESULT,
             "the program ended before the end of the vector's code", obs);
    else
        fail(j, seg, r, CTS_FL_WRONG_RESULT, cts_difference(seg, r, obs, j->arena), obs);
}

static void judge_deviation(struct cts_judge *j, struct cts_seg *seg, uint32_t r,
                            const struct cts_obs *obs)
{
    const char *why = words(obs);
    switch (obs->seen) {
    case CTS_SEEN_RAN:
    case CTS_SEEN_ACCEPTED:
    case CTS_SEEN_EXITED:
        judge_ran(j, seg, r, obs);
        break;
    case CTS_SEEN_REJECTED:
    case CTS_SEEN_REFUSED:
        judge_rejected(j, seg, r, obs);
        break;
    case CTS_SEEN_FAULTED:
        fail(j, seg, r, CTS_FL_UNEXPECTED_FAULT,
             cts_arena_fmt(j->arena, "stopped: %.*s", first_line(why), why), obs);
        break;
    case CTS_SEEN_CRASHED:
        fail(j, seg, r, CTS_FL_CRASH, cts_arena_fmt(j->arena, "%.*s", first_line(why), why), obs);
        break;
    case CTS_SEEN_TIMED_OUT:
        fail(j, seg, r, CTS_FL_TIMEOUT, cts_arena_fmt(j->arena, "%.*s", first_line(why), why), obs);
        break;
    case CTS_SEEN_LOAD_ERROR:
        error(j, seg, r,
              cts_arena_fmt(j->arena, "neither accepted nor rejected: %.*s", first_line(why), why));
        break;
    case CTS_SEEN_UNSETTLED:
        skip(j, seg, r, CTS_SK_MACHINE,
             cts_arena_fmt(j->arena, "the machine: %.*s", first_line(why), why));
        break;
    }
}

void cts_judge_tuple(struct cts_judge *j, struct cts_seg *seg, uint32_t r,
                     const struct cts_obs *obs)
{
    if (obs->flaky) {
        fail(
            j, seg, r, CTS_FL_FLAKY,
            cts_arena_fmt(j->arena, "not the same twice: %.*s", first_line(words(obs)), words(obs)),
            obs);
    } else if (cts_conforms(seg, r, obs)) {
        bool ran = obs->seen != CTS_SEEN_ACCEPTED;
        cts_judge_matched(j, seg, r, !ran ? 0 : seg->swept ? seg->rows : 1);
    } else {
        judge_deviation(j, seg, r, obs);
    }
}

void cts_judge_unit(struct cts_judge *j, struct cts_seg *seg, const struct cts_obs *obs)
{
    for (uint32_t r = 0; r < (seg->swept ? 1 : seg->rows); r++)
        cts_judge_tuple(j, seg, r, obs);
}
