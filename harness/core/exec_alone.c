#include "core/exec_impl.h"

#include <stdlib.h>
#include <string.h>

#include "host/arena.h"

static struct wrong wrong_with(uint32_t r, const char *text)
{
    return (struct wrong){r, {.seen = CTS_SEEN_RAN, .flaky = true, .text = text}};
}

struct wrong cts_x_wrong_row(struct cts_exec *x, const struct job *j, uint32_t s, uint32_t r,
                             uint32_t at)
{
    struct wrong w = wrong_with(r, "wrong among other programs, right alone");
    w.obs.among = cts_x_among(x, j);
    size_t bytes = j->layout[s].stride;
    if (cts_x_guesses(x) && j->segs * j->iterations > 1) /* it is as it was before the run */
        return w;
    uint8_t *copy = cts_arena_take(x->judge->arena, bytes + j->expect_bytes);
    if (!copy) /* then there is no state to show */
        return w;
    memcpy(copy, cts_x_row_at(x, j, at), bytes);
    w.obs.row = copy;
    if (!j->expect_bytes)
        return w;
    memcpy(copy + bytes, cts_x_expect_at(j, at), j->expect_bytes);
    w.obs.expect = copy + bytes;
    return w;
}

struct wrong cts_x_wrong_end(struct cts_exec *x, const struct cts_seg *seg, uint32_t first,
                             const struct cts_answer *a)
{
    bool loaded = a->load.verdict == CTS_LOAD_ACCEPTED;
    const char *why = loaded ? a->run.text : a->load.text;
    uint32_t r = loaded && a->run.done < seg->rows - first ? first + a->run.done : first;
    const char *text =
        cts_arena_fmt(x->judge->arena, "%s among other programs (%.200s), right alone",
                      loaded ? "stopped" : "not accepted", why[0] ? why : "no reason given");
    return wrong_with(r, text ? text : "stopped among other programs, right alone");
}

void cts_x_look_again(struct cts_exec *x, const struct cts_seg *seg, const struct wrong *wrong)
{
    for (size_t i = 0; i < x->again_count; i++) {
        if (x->again[i].unit != seg->unit_index)
            continue;
        if (x->again[i].wrong.row == UINT32_MAX && wrong)
            x->again[i].wrong = *wrong;
        return;
    }
    if (x->again_count == x->again_cap) {
        size_t cap = x->again_cap ? x->again_cap * 2 : 64;
        struct again *bigger = realloc(x->again, cap * sizeof(*bigger));
        if (!bigger) {
            cts_judge_error(x->judge, seg, "out of memory");
            return;
        }
        x->again = bigger;
        x->again_cap = cap;
    }
    x->again[x->again_count++] =
        (struct again){seg->unit_index, wrong ? *wrong : cts_x_not_wrong(), 0};
}

void cts_x_look_again_all(struct cts_exec *x, const struct job *j)
{
    for (uint32_t s = 0; s < j->segs; s++)
        cts_x_look_again(x, j->seg[s], NULL);
}

/* A worker that died or fell silent while one unit was alone with it. */
static enum cts_seen seen_of_error(int rc)
{
    if (rc == CTS_E_BUSY || rc == CTS_E_UNCLEAR)
        return CTS_SEEN_LOAD_ERROR;
    return rc == CTS_E_TIMEOUT ? CTS_SEEN_TIMED_OUT : CTS_SEEN_CRASHED;
}

int cts_x_run_job(struct cts_exec *x, const struct job *made, struct cts_err *err)
{
    struct frame *f = x->frame[0];
    x->current = 0;
    int rc = cts_x_add_job(x, f, made, 0, err);
    if (rc != 0)
        return rc;
    rc = cts_x_ask(x, f, err);
    if (rc == 0)
        rc = cts_x_answers(x, f, err);
    f->asked = false;
    if (rc != 0)
        cts_x_restart(x);
    return rc;
}

struct job cts_x_job_of(struct cts_seg *seg, uint32_t first, uint32_t rows)
{
    return (struct job){.seg = {seg}, .segs = 1, .first = first, .iterations = rows};
}

static bool is_session_error(int rc)
{
    return rc == CTS_E_WORKER || rc == CTS_E_TIMEOUT || rc == CTS_E_PROTOCOL || rc == CTS_E_IO ||
           rc == CTS_E_UNCLEAR;
}

static struct cts_obs observe_one(struct cts_exec *x, const struct job *j,
                                  const struct cts_answer *a)
{
    if (a->load.verdict != CTS_LOAD_ACCEPTED)
        return (struct cts_obs){.seen = cts_x_seen_of_load(&a->load), .text = a->load.text};
    if (j->iterations == 0)
        return (struct cts_obs){.seen = CTS_SEEN_ACCEPTED};
    if (a->run.status != CTS_RUN_COMPLETED)
        return cts_x_observe_stop(&a->run);
    return cts_x_observe(x, j, 0, 0, a);
}

void cts_x_add_job_failed(struct cts_exec *x, struct cts_seg *seg, int rc,
                          const struct cts_err *err)
{
    char text[CTS_ERR_MSG_MAX];
    cts_err_text(err, text, sizeof(text));
    if (rc != CTS_E_LIMIT && rc != CTS_E_UNSUPPORTED) {
        cts_judge_error(x->judge, seg, text);
        return;
    }
    for (uint32_t r = 0; r < (seg->swept ? 1 : seg->rows); r++)
        cts_judge_skip(x->judge, cts_seg_case(seg, r), text);
}

int cts_x_run_twice(struct cts_exec *x, struct cts_seg *seg, uint32_t first, uint32_t rows,
                    bool *died, struct cts_err *err)
{
    struct job made = cts_x_job_of(seg, first, rows);
    cts_x_reset_frame(x->frame[0]);
    int rc = cts_x_run_job(x, &made, err);
    *died = is_session_error(rc);
    if (*died && !x->broken) {
        cts_x_reset_frame(x->frame[0]);
        rc = cts_x_run_job(x, &made, NULL);
    }
    return rc;
}

static void judge_death_among(struct cts_exec *x, struct cts_seg *seg, uint32_t r, int second_rc,
                              const struct cts_err *err, struct cts_among among)
{
    char text[CTS_ERR_MSG_MAX];
    struct cts_obs o = {.text = cts_err_text(err, text, sizeof(text)), .among = among};
    o.seen = seen_of_error(err->code);
    o.flaky = second_rc == 0 && o.seen != CTS_SEEN_LOAD_ERROR; /* nothing was seen of the runtime */
    cts_x_confirm(x, seg->unit_index);
    cts_judge_row(x->judge, seg, r, &o);
}

void cts_x_judge_death(struct cts_exec *x, struct cts_seg *seg, uint32_t r, int second_rc,
                       const struct cts_err *err)
{
    judge_death_among(x, seg, r, second_rc, err, (struct cts_among){NULL, 0});
}

void cts_x_run_wrong_row(struct cts_exec *x, struct cts_seg *seg, const struct wrong *wrong)
{
    cts_x_run_row(x, seg, wrong->row, wrong);
}

void cts_x_run_row(struct cts_exec *x, struct cts_seg *seg, uint32_t r, const struct wrong *wrong)
{
    struct cts_err err = {0};
    bool died;
    int rc = cts_x_run_twice(x, seg, r, 1, &died, &err);
    if (died) {
        cts_x_judge_death(x, seg, r, rc, &err);
        return;
    }
    if (rc != 0) {
        cts_x_add_job_failed(x, seg, rc, &err);
        return;
    }
    struct cts_obs o = observe_one(x, &x->frame[0]->job[0], &x->frame[0]->answer[0]);
    if (wrong && wrong->row == r && o.seen == CTS_SEEN_RAN && o.row && !o.flaky &&
        cts_seg_match(seg, r, o.row, o.expect, cts_x_who(x)))
        o = wrong->obs;
    if (o.flaky || o.seen == CTS_SEEN_LOAD_ERROR || cts_x_is_death(o.seen))
        cts_x_confirm(x, seg->unit_index);
    cts_judge_row(x->judge, seg, r, &o);
}

static void run_sweep(struct cts_exec *x, struct cts_seg *seg, struct wrong wrong)
{
    struct cts_err err = {0};
    bool died;
    int rc = cts_x_run_twice(x, seg, 0, seg->rows, &died, &err);
    const struct cts_answer *a = &x->frame[0]->answer[0];
    if (died) {
        cts_x_judge_death(x, seg, 0, rc, &err);
        return;
    }
    if (rc != 0) {
        cts_x_add_job_failed(x, seg, rc, &err);
        return;
    }
    if (a->load.verdict != CTS_LOAD_ACCEPTED || a->run.status != CTS_RUN_COMPLETED)
        wrong = cts_x_wrong_end(x, seg, 0, a);
    else
        cts_x_check_rows(x, &x->frame[0]->job[0], 0, &wrong);
    if (wrong.row != UINT32_MAX)
        cts_x_run_wrong_row(x, seg, &wrong);
}

/* A unit for an engine that runs nothing: what is said of its program is said of all its rows. */
static void load_unit(struct cts_exec *x, struct cts_seg *seg)
{
    struct cts_err err = {0};
    bool died;
    int rc = cts_x_run_twice(x, seg, 0, 1, &died, &err);
    if (died) {
        for (uint32_t r = 0; r < (seg->swept ? 1 : seg->rows); r++)
            cts_x_judge_death(x, seg, r, rc, &err);
        return;
    }
    if (rc != 0) {
        cts_x_add_job_failed(x, seg, rc, &err);
        return;
    }
    struct cts_obs o = observe_one(x, &x->frame[0]->job[0], &x->frame[0]->answer[0]);
    if (cts_x_is_death(o.seen))
        cts_x_confirm(x, seg->unit_index);
    cts_judge_unit(x->judge, seg, &o);
}

bool cts_x_row_by_row(const struct cts_exec *x, const struct cts_seg *seg)
{
    return seg->unit->maps.count || (seg->unit->flags & CTS_UF_ALONE) ||
           (cts_x_guesses(x) && cts_seg_is_open(seg));
}

/* One question, for one row of the program that frame 0 holds. */
static int ask_row(struct cts_exec *x, uint32_t r, uint8_t ops, struct cts_err *err)
{
    struct frame *f = x->frame[0];
    f->job[0].first = r;
    cts_x_fill_job(x, &f->job[0]);
    cts_buf_clear(&f->guess);
    f->item[0].ops = ops;
    int rc = cts_x_add_guess(x, f, &f->job[0], err);
    if (rc == 0)
        rc = cts_x_ask(x, f, err);
    if (rc == 0)
        rc = cts_x_answers(x, f, err);
    f->asked = false;
    if (rc != 0)
        cts_x_restart(x);
    return rc;
}

/* Rows of a body that may end the program, is long or has maps: a run for each, of a program that
 * is loaded once. Returns how many were told; what comes next is not as it should be, and is for
 * someone who runs it alone. */
static uint32_t run_kept(struct cts_exec *x, struct cts_seg *seg)
{
    struct frame *f = x->frame[0];
    struct cts_err err = {0};
    struct job made = cts_x_job_of(seg, 0, 1);
    x->current = 0;
    cts_x_reset_frame(f);
    if (cts_x_add_job(x, f, &made, 0, &err) != 0 || !(f->item[0].ops & CTS_STEP_RUN))
        return 0;
    for (uint32_t r = 0; r < seg->rows; r++) {
        uint8_t first = r == 0 ? CTS_STEP_LOAD : 0, last = r + 1 == seg->rows ? CTS_STEP_UNLOAD : 0;
        if (ask_row(x, r, CTS_STEP_RUN | first | last, &err) != 0) {
            struct job again = cts_x_job_of(seg, r, 1);
            cts_x_reset_frame(f);
            int rc = x->broken ? err.code : cts_x_run_job(x, &again, NULL);
            cts_x_judge_death(x, seg, r, rc, &err);
            return r + 1;
        }
        const struct cts_answer *a = &f->answer[0];
        if (first && a->load.verdict == CTS_LOAD_REJECTED) {
            struct cts_obs refused = {.seen = CTS_SEEN_REJECTED, .text = a->load.text};
            cts_judge_unit(x->judge, seg, &refused);
            return seg->rows;
        }
        if (!(a->ops & CTS_STEP_RUN) || a->run.status != CTS_RUN_COMPLETED)
            return r;
        struct cts_obs o = cts_x_observe(x, &f->job[0], 0, 0, a);
        if (o.seen == CTS_SEEN_RAN && !cts_seg_match(seg, r, o.row, o.expect, cts_x_who(x)))
            return r;
        cts_judge_row(x->judge, seg, r, &o);
    }
    return seg->rows;
}

/* A unit that is alone; what is not plainly right is run row by row. A sweep is one case: its first
 * bad row will do. */
static void run_unit(struct cts_exec *x, struct cts_seg *seg, const struct wrong *wrong)
{
    if (cts_x_loads_only(x)) {
        load_unit(x, seg);
        return;
    }
    if (seg->swept) {
        run_sweep(x, seg, *wrong);
        return;
    }
    if (seg->rows > 1 && !cts_x_row_by_row(x, seg) && !cts_x_is_long(x, seg)) {
        struct cts_err err = {0};
        struct job made = cts_x_job_of(seg, 0, seg->rows);
        cts_x_reset_frame(x->frame[0]);
        int rc = cts_x_run_job(x, &made, &err);
        const struct cts_answer *a = &x->frame[0]->answer[0];
        if (rc == 0 && a->load.verdict == CTS_LOAD_ACCEPTED && a->run.status == CTS_RUN_COMPLETED &&
            cts_x_check_rows(x, &x->frame[0]->job[0], 0, NULL) == UINT32_MAX) {
            if (wrong->row < seg->rows)
                cts_x_run_row(x, seg, wrong->row, wrong);
            return;
        }
    }
    bool kept = seg->rows > 1 && cts_x_row_by_row(x, seg) && !cts_x_guesses(x);
    uint32_t told = kept ? run_kept(x, seg) : 0;
    for (uint32_t r = told; r < seg->rows && !x->broken; r++)
        cts_x_run_row(x, seg, r, wrong);
}

/* A unit need not run again if it changes nothing and nobody waits for it to end the worker once
 * more. */
static bool is_settled(const struct cts_exec *x, const struct again *a, const struct cts_seg *seg)
{
    return (a->blame == 0 || x->blame[a->blame - 1].confirmed) &&
           cts_judge_is_settled(x->judge, seg);
}

void cts_x_look_again_at_all(struct cts_exec *x, struct cts_arena *arena)
{
    for (size_t i = 0; i < x->again_count && !cts_core_is_stopped(x->opts); i++) {
        struct cts_seg *seg = cts_x_new_seg(x, x->again[i].unit, arena);
        const struct wrong wrong = x->again[i].wrong;
        if (!seg || is_settled(x, &x->again[i], seg))
            continue;
        if (x->broken)
            cts_x_broken_unit(x, seg);
        else if (cts_x_guesses(x) && cts_x_is_long(x, seg))
            cts_x_run_pieces(x, seg, &wrong);
        else if (cts_x_is_long(x, seg) && seg->swept)
            cts_x_run_long_sweep(x, seg, &wrong);
        else
            run_unit(x, seg, &wrong);
        if (x->broken)
            cts_x_broken_unit(x, seg);
    }
}

void cts_x_settle_blames(struct cts_exec *x, struct cts_arena *arena)
{
    for (size_t i = 0; i < x->blames; i++) {
        struct cts_seg *seg =
            x->blame[i].confirmed ? NULL : cts_x_new_seg(x, x->blame[i].unit, arena);
        if (seg && !x->broken)
            judge_death_among(x, seg, 0, 0, &x->blame[i].err, x->blame[i].among);
    }
    x->blames = 0;
    x->again_count = 0;
}
