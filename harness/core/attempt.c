#include "core/attempt.h"

#include "core/review.h"
#include "core/tuple.h"
#include "core/match.h"

bool cts_attempt_wants_reason(const struct cts_judge *judge, const struct cts_seg *seg)
{
    enum { LONG = 64 };
    return seg->unit->slots > LONG || !cts_judge_is_restricted(judge, seg);
}

/* A worker that died or fell silent while one variant was alone with it. */
static enum cts_seen seen_of_error(int rc)
{
    if (rc == CTS_E_BUSY || rc == CTS_E_UNCLEAR)
        return CTS_SEEN_LOAD_ERROR;
    return rc == CTS_E_TIMEOUT ? CTS_SEEN_TIMED_OUT : CTS_SEEN_CRASHED;
}

static bool is_session_error(int rc)
{
    return rc == CTS_E_WORKER || rc == CTS_E_TIMEOUT || rc == CTS_E_PROTOCOL || rc == CTS_E_IO ||
           rc == CTS_E_UNCLEAR;
}

void cts_attempt_report_unmade(struct cts_judge *judge, const struct cts_seg *seg, int rc,
                               const struct cts_err *err)
{
    char text[CTS_ERR_MSG_MAX];
    cts_err_text(err, text, sizeof(text));
    if (rc != CTS_E_LIMIT && rc != CTS_E_UNSUPPORTED) {
        cts_judge_error(judge, seg, text);
        return;
    }
    for (uint32_t r = 0; r < (seg->swept ? 1 : seg->rows); r++)
        cts_judge_skip(judge, cts_seg_case(seg, r), text);
}

void cts_attempt_report_death(struct cts_pipeline *p, struct cts_judge *judge, struct cts_seg *seg,
                              uint32_t r, int second_rc, const struct cts_err *err,
                              struct cts_among among)
{
    char text[CTS_ERR_MSG_MAX];
    struct cts_obs o = {.text = cts_err_text(err, text, sizeof(text)), .among = among};
    o.seen = seen_of_error(err->code);
    o.flaky = second_rc == 0 && o.seen != CTS_SEEN_LOAD_ERROR; /* nothing was seen of the runtime */
    cts_retry_confirm(&p->retry, seg->unit_index);
    cts_judge_tuple(judge, seg, r, &o);
}

struct cts_program cts_attempt_program(const struct cts_judge *judge, struct cts_seg *seg,
                                       uint32_t first, uint32_t tuples)
{
    struct cts_program made = cts_program_of(seg, first, tuples);
    made.wants_reason = cts_attempt_wants_reason(judge, seg);
    return made;
}

const struct cts_answer *cts_attempt(struct cts_pipeline *p, struct cts_judge *judge,
                                     struct cts_seg *seg, uint32_t first, uint32_t tuples,
                                     uint32_t fate)
{
    struct cts_program made = cts_attempt_program(judge, seg, first, tuples);
    struct cts_err err = {0};
    int rc = cts_pipeline_run(p, &made, &err);
    bool died = is_session_error(rc);
    if (died && !p->broken)
        rc = cts_pipeline_run(p, &made, NULL);
    for (uint32_t r = first; died && r < first + fate; r++)
        cts_attempt_report_death(p, judge, seg, r, rc, &err, (struct cts_among){NULL, 0});
    if (!died && rc != 0)
        cts_attempt_report_unmade(judge, seg, rc, &err);
    return !died && rc == 0 ? &p->batch[0]->answer[0] : NULL;
}

bool cts_attempt_conforms(struct cts_seg *seg, uint32_t r, const struct cts_obs *o)
{
    return o->seen == CTS_SEEN_RAN && o->row && !o->flaky &&
           cts_seg_match(seg, r, o->row, o->expect);
}

void cts_attempt_tuple(struct cts_pipeline *p, struct cts_judge *judge, struct cts_seg *seg,
                       uint32_t r, const struct cts_wrong *wrong)
{
    const struct cts_answer *a = cts_attempt(p, judge, seg, r, 1, 1);
    if (!a)
        return;
    struct cts_obs o = cts_observe(&p->machine, &p->batch[0]->program[0], a);
    if (wrong && wrong->tuple == r && cts_attempt_conforms(seg, r, &o))
        o = wrong->obs;
    if (o.flaky || o.seen == CTS_SEEN_LOAD_ERROR || cts_seen_is_death(o.seen))
        cts_retry_confirm(&p->retry, seg->unit_index);
    cts_judge_tuple(judge, seg, r, &o);
}

bool cts_attempt_tuples(struct cts_pipeline *p, struct cts_judge *judge, struct cts_seg *seg,
                        uint32_t first, uint32_t tuples, const struct cts_wrong *earlier)
{
    const struct cts_answer *a = cts_attempt(p, judge, seg, first, tuples, 1);
    struct cts_wrong wrong = *earlier;
    if (!a)
        return false;
    if (!cts_answer_is_run(a))
        wrong = cts_observe_wrong_end(seg, first, a, judge->arena);
    else
        cts_review_entries(p, judge, &p->batch[0]->program[0], 0, &wrong);
    if (!cts_is_wrong(&wrong))
        return true;
    cts_attempt_tuple(p, judge, seg, wrong.tuple, &wrong);
    return false;
}
