#include "core/review.h"

#include "core/tuple.h"

uint32_t cts_review_entries(const struct cts_pipeline *p, struct cts_judge *judge,
                            const struct cts_program *prog, uint32_t s, struct cts_wrong *wrong)
{
    const struct cts_seg *seg = prog->body[s];
    uint32_t tuples = cts_observe_tuples(prog, s), last = tuples - 1;
    uint32_t at = cts_observe_entries(&p->machine, prog, s, judge->arena, wrong);
    if (at != UINT32_MAX)
        return at;
    /* Of a window that is gone no entry is believed; the next request says so. */
    if (tuples && cts_session_window_is_gone(p->session)) {
        if (wrong)
            *wrong = cts_observe_wrong(&p->machine, prog, s, prog->first + last,
                                       last * prog->bodies + s, judge->arena);
        return last;
    }
    if (seg->swept)
        cts_judge_matched(judge, seg, prog->first, tuples);
    for (uint32_t i = 0; !seg->swept && i < tuples; i++)
        cts_judge_matched(judge, seg, prog->first + i, 1);
    return UINT32_MAX;
}

/* Whichever variant of the program it was that had such an end must have it again alone, or it is
 * flaky. */
static void suspect(struct cts_pipeline *p, const struct cts_program *prog, int code,
                    const char *text)
{
    struct cts_err err = {0};
    cts_err_set(&err, code, "%s", text);
    size_t mark = cts_retry_begin_suspect(&p->retry, prog, cts_program_among(prog), &err);
    cts_retry_add_program(&p->retry, prog);
    cts_retry_end_suspect(&p->retry, mark);
}

/* The runtime died of the program, or did not end, and the worker lives. */
static bool is_death(struct cts_pipeline *p, const struct cts_program *prog,
                     const struct cts_answer *a)
{
    enum cts_seen seen = cts_observe_end(prog, a);
    if (!cts_seen_is_death(seen))
        return false;
    suspect(p, prog, seen == CTS_SEEN_TIMED_OUT ? CTS_E_TIMEOUT : CTS_E_WORKER,
            a->load.verdict == CTS_LOAD_ACCEPTED ? a->run.text : a->load.text);
    return true;
}

static void review_rejected(struct cts_pipeline *p, struct cts_judge *judge,
                            const struct cts_program *prog, const struct cts_answer *a)
{
    const struct cts_obs o = cts_observe_load(&a->load);
    if (prog->bodies == 1 && o.seen == CTS_SEEN_REJECTED)
        cts_judge_unit(judge, prog->body[0], &o);
    else
        cts_retry_add_program(&p->retry, prog);
}

/* A program that did not run to its end. A rejection is reported at once if it can be one tuple's
 * only. Whatever else a worker says of itself must show again, or is flaky: it is put down to the
 * tuple it happened at or, of several bodies, to the first unless another one does it again alone.
 */
static void review_stopped(struct cts_pipeline *p, struct cts_judge *judge,
                           const struct cts_program *prog, const struct cts_answer *a)
{
    struct cts_seg *one = prog->body[0];
    const struct cts_obs o = cts_observe_stop(&a->run);
    const struct cts_wrong wrong = cts_observe_wrong_end(one, prog->first, a, judge->arena);
    bool rejected = o.seen == CTS_SEEN_FAULTED || o.seen == CTS_SEEN_REFUSED;
    if (o.seen == CTS_SEEN_REFUSED && prog->bodies == 1 && one->rows == 1)
        cts_judge_tuple(judge, one, 0, &o);
    else if (prog->bodies == 1 && o.seen != CTS_SEEN_FAULTED)
        cts_retry_add(&p->retry, one, &wrong);
    else if (rejected)
        cts_retry_add_program(&p->retry, prog);
    else
        suspect(p, prog, CTS_E_WORKER, a->run.text);
}

/* Is an entry of it that is not as predicted nothing to hold against anybody? */
static bool proves_nothing(const struct cts_machine *m, const struct cts_seg *seg)
{
    return cts_machine_predicts(m) && cts_seg_is_open(seg);
}

static void review_run(struct cts_pipeline *p, struct cts_judge *judge,
                       const struct cts_program *prog)
{
    const struct cts_machine *m = &p->machine;
    uint32_t ending = 0;
    bool ended = false;
    for (uint32_t s = 0; s < prog->bodies; s++) {
        struct cts_wrong wrong = cts_not_wrong();
        if (cts_review_entries(p, judge, prog, s, &wrong) == UINT32_MAX)
            continue;
        ended = ended || cts_observe_ending(m, prog, &ending);
        bool here = ended && s == ending % prog->bodies;
        if (here)
            wrong = cts_observe_wrong(m, prog, s, cts_program_tuple(prog, s, ending / prog->bodies),
                                      ending, judge->arena);
        bool blameless = (ended && !here) || proves_nothing(m, prog->body[s]);
        cts_retry_add(&p->retry, prog->body[s], blameless ? NULL : &wrong);
    }
}

static void review_bodies(struct cts_pipeline *p, struct cts_judge *judge,
                          const struct cts_program *prog, const struct cts_answer *a)
{
    const struct cts_obs accepted = {.seen = CTS_SEEN_ACCEPTED};
    if (a->load.verdict != CTS_LOAD_ACCEPTED)
        review_rejected(p, judge, prog, a);
    else if (cts_machine_loads_only(&p->machine))
        for (uint32_t s = 0; s < prog->bodies; s++)
            cts_judge_unit(judge, prog->body[s], &accepted);
    else if (prog->iterations == 0)
        cts_retry_add_program(&p->retry, prog);
    else if (a->run.status != CTS_RUN_COMPLETED)
        review_stopped(p, judge, prog, a);
    else
        review_run(p, judge, prog);
}

void cts_review_batch(struct cts_pipeline *p, struct cts_judge *judge, const struct cts_batch *b)
{
    for (uint32_t i = 0; i < b->programs; i++) {
        const struct cts_program *prog = &b->program[i];
        const struct cts_answer *a = &b->answer[i];
        if (is_death(p, prog, a))
            continue;
        if (prog->body[0]->whole) {
            const struct cts_obs o = cts_observe(&p->machine, prog, a);
            cts_judge_tuple(judge, prog->body[0], 0, &o);
        } else {
            review_bodies(p, judge, prog, a);
        }
    }
}
