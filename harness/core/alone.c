#include "core/alone.h"

#include "core/attempt.h"
#include "core/pieces.h"
#include "core/review.h"
#include "core/ring.h"
#include "core/tuple.h"

bool cts_alone_is_single(const struct cts_machine *m, const struct cts_seg *seg)
{
    return seg->unit->maps.count || (seg->unit->flags & CTS_UF_ALONE) ||
           (cts_machine_predicts(m) && cts_seg_is_open(seg));
}

/* For an engine that runs nothing: what is said of its program is said of all its tuples. */
static void load_only(struct cts_pipeline *p, struct cts_judge *judge, struct cts_seg *seg)
{
    const struct cts_answer *a = cts_attempt(p, judge, seg, 0, 1, seg->swept ? 1 : seg->rows);
    if (!a)
        return;
    struct cts_obs o = cts_observe(&p->machine, &p->batch[0]->program[0], a);
    if (cts_seen_is_death(o.seen))
        cts_retry_confirm(&p->retry, seg->unit_index);
    cts_judge_unit(judge, seg, &o);
}

/* Tuple r of the program that the first batch keeps did not come back: by itself it is loaded anew.
 */
static void lose_kept(struct cts_pipeline *p, struct cts_judge *judge, struct cts_seg *seg,
                      uint32_t r, const struct cts_err *err)
{
    struct cts_program again = cts_attempt_program(judge, seg, r, 1);
    int rc = p->broken ? err->code : cts_pipeline_run(p, &again, NULL);
    cts_attempt_report_death(p, judge, seg, r, rc, err, (struct cts_among){NULL, 0});
}

/* Tuples of a body that may end the program, is long or has maps: a run for each, of a program that
 * is loaded once. Returns how many were reported; what comes next is not as it should be, and is
 * for someone who runs it alone. */
static uint32_t run_kept(struct cts_pipeline *p, struct cts_judge *judge, struct cts_seg *seg)
{
    struct cts_batch *b = cts_pipeline_begin_alone(p);
    struct cts_err err = {0};
    struct cts_program made = cts_attempt_program(judge, seg, 0, 1);
    if (cts_batch_add(&p->machine, b, &made, &err) != 0 || !(b->item[0].ops & CTS_STEP_RUN))
        return 0;
    for (uint32_t r = 0; r < seg->rows; r++) {
        uint8_t load = r == 0 ? CTS_STEP_LOAD : 0,
                unload = r + 1 == seg->rows ? CTS_STEP_UNLOAD : 0;
        int rc = cts_batch_turn_to(&p->machine, b, r, CTS_STEP_RUN | load | unload, &err);
        if (rc == 0)
            rc = cts_pipeline_exchange(p, &err);
        if (rc != 0) {
            lose_kept(p, judge, seg, r, &err);
            return r + 1;
        }
        const struct cts_answer *a = &b->answer[0];
        if (load && a->load.verdict == CTS_LOAD_REJECTED) {
            const struct cts_obs rejected = cts_observe_load(&a->load);
            cts_judge_unit(judge, seg, &rejected);
            return seg->rows;
        }
        if (!(a->ops & CTS_STEP_RUN) || a->run.status != CTS_RUN_COMPLETED)
            return r;
        struct cts_obs o = cts_observe(&p->machine, &p->batch[0]->program[0], a);
        if (o.seen == CTS_SEEN_RAN && !cts_attempt_conforms(seg, r, &o))
            return r;
        cts_judge_tuple(judge, seg, r, &o);
    }
    return seg->rows;
}

/* All tuples in one program: true if that went well, and there is nothing more to do. */
static bool run_at_once(struct cts_pipeline *p, struct cts_judge *judge, struct cts_seg *seg)
{
    struct cts_program made = cts_attempt_program(judge, seg, 0, seg->rows);
    return cts_pipeline_run(p, &made, NULL) == 0 && cts_answer_is_run(&p->batch[0]->answer[0]) &&
           cts_review_entries(p, judge, &p->batch[0]->program[0], 0, NULL) == UINT32_MAX;
}

/* What is not plainly right is run tuple by tuple. A sweep is one case: its first bad tuple will
 * do.
 */
static void run_variant(struct cts_pipeline *p, struct cts_judge *judge, struct cts_seg *seg,
                        const struct cts_wrong *wrong)
{
    bool single = cts_alone_is_single(&p->machine, seg), several = seg->rows > 1;
    if (cts_machine_loads_only(&p->machine)) {
        load_only(p, judge, seg);
        return;
    }
    if (seg->swept) {
        cts_attempt_tuples(p, judge, seg, 0, seg->rows, wrong);
        return;
    }
    if (several && !single && !cts_program_is_long(&p->machine, seg) &&
        run_at_once(p, judge, seg)) {
        if (wrong->tuple < seg->rows)
            cts_attempt_tuple(p, judge, seg, wrong->tuple, wrong);
        return;
    }
    bool kept = several && single && !cts_machine_predicts(&p->machine);
    uint32_t reported = kept ? run_kept(p, judge, seg) : 0;
    for (uint32_t r = reported; r < seg->rows && !p->broken; r++)
        cts_attempt_tuple(p, judge, seg, r, wrong);
}

void cts_alone_report_too_large(const struct cts_machine *m, struct cts_judge *judge,
                                const struct cts_seg *seg)
{
    struct cts_err err = {0};
    cts_err_set(
        &err, CTS_E_LIMIT, "its memory takes %llu bytes, a program of %s gets at most %u",
        (unsigned long long)cts_program_region_bytes(1, 1, cts_request_stride(&seg->layout)),
        m->caps->runtime, cts_machine_room(m, CTS_WIN_RESERVED));
    cts_attempt_report_unmade(judge, seg, CTS_E_LIMIT, &err);
}

static void run_pieces(struct cts_pipeline *p, struct cts_judge *judge, struct cts_seg *seg,
                       const struct cts_wrong *wrong)
{
    const struct cts_pieces pieces = cts_pieces_of(&p->machine, seg);
    const struct cts_wrong none = cts_not_wrong();
    if (pieces.count == 0) {
        cts_alone_report_too_large(&p->machine, judge, seg);
        return;
    }
    if (seg->swept && cts_is_wrong(wrong)) {
        cts_attempt_tuple(p, judge, seg, wrong->tuple, wrong);
        return;
    }
    for (uint32_t r = 0; !seg->swept && r < seg->rows && !p->broken; r++)
        cts_attempt_tuple(p, judge, seg, r, wrong);
    for (uint32_t first = 0; seg->swept && first < seg->rows && !p->broken; first += pieces.step)
        if (!cts_attempt_tuples(p, judge, seg, first, cts_pieces_count(seg, &pieces, first), &none))
            return;
}

void cts_alone_run_long_sweep(struct cts_pipeline *p, struct cts_judge *judge, struct cts_seg *seg,
                              const struct cts_wrong *wrong)
{
    struct cts_ring_end end;
    struct cts_err err = {0};
    int rc = cts_ring_run(p, judge, seg, &end, &err);
    if (cts_is_wrong(&end.wrong))
        wrong = &end.wrong;
    if (end.died.code)
        cts_attempt_report_death(p, judge, seg, 0, rc, &end.died, (struct cts_among){NULL, 0});
    else if (rc != 0)
        cts_attempt_report_unmade(judge, seg, rc, &err);
    else if (cts_is_wrong(wrong))
        cts_attempt_tuple(p, judge, seg, wrong->tuple, wrong);
}

void cts_alone_run(struct cts_pipeline *p, struct cts_judge *judge, struct cts_seg *seg,
                   const struct cts_wrong *wrong)
{
    bool is_long = cts_program_is_long(&p->machine, seg);
    if (is_long && cts_machine_predicts(&p->machine))
        run_pieces(p, judge, seg, wrong);
    else if (is_long && seg->swept)
        cts_alone_run_long_sweep(p, judge, seg, wrong);
    else
        run_variant(p, judge, seg, wrong);
}
