#include "core/judge.h"

#include <string.h>

#include "base/bytes.h"
#include "core/expected.h"

static struct cts_track *track_of(const struct cts_judge *j, uint32_t kase)
{
    if (kase < j->first_case || kase - j->first_case >= j->case_count)
        return NULL;
    struct cts_track *t = &j->tracks[kase - j->first_case];
    return t->not_asked ? NULL : t;
}

unsigned cts_status_weight(enum cts_status s)
{
    static const unsigned char by_status[CTS_ST_COUNT] = {
        [CTS_ST_SKIP] = 0,  [CTS_ST_PASS] = 1,  [CTS_ST_XPASS] = 1,
        [CTS_ST_XFAIL] = 2, [CTS_ST_ERROR] = 3, [CTS_ST_FAIL] = 4,
    };
    return by_status[s];
}

bool cts_track_failed(const struct cts_track *t)
{
    return t->seen && (t->status == CTS_ST_FAIL || t->status == CTS_ST_XFAIL);
}

/* Does a verdict with this weight, from this unit, replace what the track holds? */
static bool prevails(const struct cts_track *t, enum cts_status status, uint32_t unit)
{
    if (!t->seen)
        return true;
    if (cts_status_weight(status) != cts_status_weight(t->status))
        return cts_status_weight(status) > cts_status_weight(t->status);
    return status != CTS_ST_PASS && unit < t->unit;
}

static bool settle(struct cts_track *t, enum cts_status status, uint32_t unit)
{
    if (!prevails(t, status, unit))
        return false;
    t->seen = true;
    t->status = status;
    t->unit = unit;
    t->failure = CTS_FL_NONE;
    t->skip = CTS_SK_NONE;
    t->by = NULL;
    t->label = t->message = t->detail = "";
    return true;
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
    cts_expected_note(j, t, seg->unit_index, CTS_ST_PASS, CTS_FL_NONE);
    settle(t, CTS_ST_PASS, seg->unit_index);
}

static void count_rows(struct cts_judge *j, uint32_t kase, uint32_t rows)
{
    struct cts_track *t = track_of(j, kase);
    if (t && !cts_track_failed(t))
        t->operand_rows += rows;
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
    cts_expected_note(j, t, seg->unit_index, status, failure);
    if (!settle(t, status, seg->unit_index))
        return;
    t->failure = failure;
    t->by = by;
    t->label = label;
    t->message = message ? message : "out of memory";
    t->detail = cts_detail(j, seg, r, obs);
}

static void skip(struct cts_judge *j, const struct cts_seg *seg, uint32_t r, enum cts_skip kind,
                 const char *why)
{
    struct cts_track *t = track_of(j, cts_seg_case(seg, r));
    if (!t)
        return;
    cts_expected_note(j, t, seg->unit_index, CTS_ST_SKIP, CTS_FL_NONE);
    if (!settle(t, CTS_ST_SKIP, seg->unit_index))
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
    cts_expected_note(j, t, seg->unit_index, CTS_ST_ERROR, CTS_FL_NONE);
    if (!settle(t, CTS_ST_ERROR, seg->unit_index))
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
    if (!t || !settle(t, CTS_ST_SKIP, 0))
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

/* The bits of a result that are compared. Where results are cut, that is a failure of EXIT, and of
 * nothing else. */
static uint64_t result_mask(const struct cts_judge *j, const struct cts_seg *seg)
{
    const struct cts_pk_vector *v = &j->pack->vectors[seg->unit->vector];
    bool whole = j->caps->r0_bits >= 64 || (j->caps->features & CTS_FEAT_CUT &&
                                            j->pack->insn_ids[v->rows.first] == CTS_INSN_EXIT);
    return whole ? UINT64_MAX : UINT32_MAX;
}

static bool result_conforms(const struct cts_judge *j, const struct cts_seg *seg, uint32_t r,
                            enum cts_outcome_kind kind, const struct cts_obs *obs)
{
    const struct cts_outcomes *out = &seg->outcomes[r];
    uint64_t mask = result_mask(j, seg);
    for (uint32_t i = 0; i < out->count; i++) {
        const struct cts_pk_outcome *o = &out->first[i];
        uint64_t r0;
        if (o->kind == kind && (!cts_seg_whole_result(seg, o, &r0) ||
                                (obs->result_known && ((r0 ^ obs->r0) & mask) == 0)))
            return true;
    }
    return false;
}

static bool is_whole(const struct cts_seg *seg)
{
    return seg->whole;
}

static bool insn_fits(const struct cts_limit *l, enum cts_insn_id row, const struct cts_insn *in)
{
    if (l->rows && !l->rows[row])
        return false;
    if (l->dst != CTS_ANY_VALUE && l->dst != in->dst)
        return false;
    if (l->src != CTS_ANY_VALUE && l->src != in->src)
        return false;
    if (l->off != CTS_ANY_VALUE && l->off != in->off)
        return false;
    if (l->alias && in->dst != in->src)
        return false;
    if (l->imm == CTS_ANY_VALUE)
        return true;
    return l->imm_above ? (uint32_t)in->imm >= (uint32_t)l->imm : in->imm == l->imm;
}

static bool is_about_insns(const struct cts_limit *l)
{
    return l->rows || l->alias || l->dst != CTS_ANY_VALUE || l->src != CTS_ANY_VALUE ||
           l->off != CTS_ANY_VALUE || l->imm != CTS_ANY_VALUE;
}

static bool is_conditional(const struct cts_insn *in)
{
    unsigned class = in->opcode & 7, op = in->opcode & 0xf0;
    return (class == CTS_CLASS_JMP || class == CTS_CLASS_JMP32) && op != CTS_JUMP_JA &&
           op != CTS_JUMP_CALL && op != CTS_JUMP_EXIT;
}

/* The next instruction of a unit's code from slot *at on, which moves behind it; false at the end.
 * What is no instruction is passed over. */
static bool next_insn(const struct cts_judge *j, const struct cts_seg *seg, uint32_t *at,
                      enum cts_insn_id *row, struct cts_insn *in)
{
    const uint8_t *code = j->pack->code + seg->unit->code;
    while (*at < seg->unit->slots) {
        int n = cts_decode(code + (size_t)*at * CTS_SLOT_BYTES, seg->unit->slots - *at, false, in,
                           row, NULL);
        *at += n > 0 ? (uint32_t)n : 1;
        if (n > 0)
            return true;
    }
    return false;
}

static bool has_branches(const struct cts_judge *j, const struct cts_seg *seg, uint32_t least)
{
    struct cts_insn in;
    enum cts_insn_id row;
    uint32_t count = 0;
    for (uint32_t at = 0; count < least && next_insn(j, seg, &at, &row, &in);)
        count += is_conditional(&in);
    return count >= least;
}

/* Does the glob match the text, or one of its lines? */
static bool words_fit(const struct cts_judge *j, const char *glob, const char *text)
{
    if (!text || cts_glob(glob, text))
        return text != NULL;
    while (*text) {
        size_t n = strcspn(text, "\n");
        const char *line = cts_arena_fmt(j->arena, "%.*s", (int)n, text);
        if (line && cts_glob(glob, line))
            return true;
        text += n + (text[n] == '\n');
    }
    return false;
}

static bool program_fits(const struct cts_judge *j, const struct cts_seg *seg,
                         const struct cts_limit *l)
{
    struct cts_insn in;
    enum cts_insn_id row;
    if (!is_about_insns(l) && (l->refusal || l->policy || l->branches_from))
        return true;
    for (uint32_t at = 0; next_insn(j, seg, &at, &row, &in);)
        if (insn_fits(l, row, &in))
            return true;
    return false;
}

/* The reason on record why this runtime refuses a form that the program contains; null if there is
 * none. */
static const char *limit_reason(const struct cts_judge *j, const struct cts_seg *seg,
                                const char *text)
{
    const struct cts_pk_vector *v = &j->pack->vectors[seg->unit->vector];
    for (size_t i = 0; i < j->target->limit_count; i++) {
        const struct cts_limit *l = &j->target->limits[i];
        if ((!l->refusal || words_fit(j, l->refusal, text)) &&
            (!l->policy || strcmp(l->policy, cts_pack_text(j->pack, v->policy)) == 0) &&
            (l->branches_from == 0 || has_branches(j, seg, l->branches_from)) &&
            program_fits(j, seg, l))
            return l->reason;
    }
    return NULL;
}

bool cts_judge_is_limit(const struct cts_judge *j, const struct cts_seg *seg)
{
    return j->target && limit_reason(j, seg, NULL);
}

/* The first row that the runtime is not known to implement, of those under test and then of all
 * that the program is made of; CTS_INSN_COUNT if it should know all. */
static unsigned unpinned_row(const struct cts_judge *j, const struct cts_seg *seg)
{
    const struct cts_pk_vector *v = &j->pack->vectors[seg->unit->vector];
    struct cts_insn in;
    enum cts_insn_id found;
    for (uint32_t i = 0; j->target->pinned && i < v->rows.count; i++) {
        uint16_t row = j->pack->insn_ids[v->rows.first + i];
        if (!j->target->pinned[row])
            return row;
    }
    for (uint32_t at = 0; j->target->pinned && next_insn(j, seg, &at, &found, &in);)
        if (!j->target->pinned[found])
            return found;
    return CTS_INSN_COUNT;
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
    const char *limit = limit_reason(j, seg, obs->text), *why = words(obs);
    unsigned row = unpinned_row(j, seg);
    if (limit)
        skip(j, seg, r, CTS_SK_LIMIT,
             cts_arena_fmt(j->arena, "limit of %s: %s", j->target->runtime, limit));
    else if (row < CTS_INSN_COUNT)
        skip(j, seg, r, CTS_SK_UNSUPPORTED,
             cts_arena_fmt(j->arena, "unsupported: %s refuses %s (%.*s)", j->target->runtime,
                           cts_insn_info((enum cts_insn_id)row)->id, first_line(why), why));
    else
        fail(j, seg, r, CTS_FL_WRONGLY_REJECTED,
             cts_arena_fmt(j->arena, "rejected, but it must be accepted: %.*s", first_line(why),
                           why),
             obs);
}

static void judge_ran(struct cts_judge *j, struct cts_seg *seg, uint32_t r, unsigned allowed,
                      const struct cts_obs *obs)
{
    if (!(allowed & (1u << CTS_OUT_RAN | 1u << CTS_OUT_EXITED)))
        fail(j, seg, r, CTS_FL_WRONGLY_ACCEPTED,
             allowed & (1u << CTS_OUT_REJECTED) ? "accepted, but it must be rejected"
                                                : "ran to its end, but it must be stopped",
             obs);
    else if (!is_whole(seg) && obs->seen == CTS_SEEN_EXITED)
        fail(j, seg, r, CTS_FL_WRONG_RESULT,
             "the program ended before the end of the vector's code", obs);
    else
        fail(j, seg, r, CTS_FL_WRONG_RESULT, cts_difference(j, seg, r, obs), obs);
}

static bool conforms(struct cts_judge *j, struct cts_seg *seg, uint32_t r, unsigned allowed,
                     const struct cts_obs *obs)
{
    switch (obs->seen) {
    case CTS_SEEN_RAN:
        if (is_whole(seg))
            return (allowed & (1u << CTS_OUT_RAN)) && result_conforms(j, seg, r, CTS_OUT_RAN, obs);
        return obs->row && cts_seg_match(seg, r, obs->row, obs->expect);
    case CTS_SEEN_ACCEPTED:
        return allowed & ~(1u << CTS_OUT_REJECTED);
    case CTS_SEEN_EXITED:
        return (allowed & (1u << CTS_OUT_EXITED)) &&
               result_conforms(j, seg, r, CTS_OUT_EXITED, obs);
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

static void judge_deviation(struct cts_judge *j, struct cts_seg *seg, uint32_t r, unsigned allowed,
                            const struct cts_obs *obs)
{
    const char *why = words(obs);
    switch (obs->seen) {
    case CTS_SEEN_RAN:
    case CTS_SEEN_ACCEPTED:
    case CTS_SEEN_EXITED:
        judge_ran(j, seg, r, allowed, obs);
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
    unsigned allowed = cts_seg_kinds(seg, r);
    if (obs->flaky) {
        fail(
            j, seg, r, CTS_FL_FLAKY,
            cts_arena_fmt(j->arena, "not the same twice: %.*s", first_line(words(obs)), words(obs)),
            obs);
    } else if (conforms(j, seg, r, allowed, obs)) {
        bool ran = obs->seen != CTS_SEEN_ACCEPTED;
        cts_judge_matched(j, seg, r, !ran ? 0 : seg->swept ? seg->rows : 1);
    } else {
        judge_deviation(j, seg, r, allowed, obs);
    }
}

void cts_judge_unit(struct cts_judge *j, struct cts_seg *seg, const struct cts_obs *obs)
{
    for (uint32_t r = 0; r < (seg->swept ? 1 : seg->rows); r++)
        cts_judge_tuple(j, seg, r, obs);
}
