#include "core/exec_impl.h"

#include <stdlib.h>

#include "base/bytes.h"

unsigned cts_x_timeout_of(const struct cts_exec *x)
{
    return x->opts->timeout_ms;
}

int cts_x_ask(struct cts_exec *x, struct frame *f, struct cts_err *err)
{
    for (uint32_t i = 0; i < f->jobs; i++)
        cts_x_point_at_code(f, &f->job[i], &f->item[i]);
    f->items_before = x->session->items_asked;
    int rc = cts_session_ask(x->session, f->item, f->jobs, cts_x_timeout_of(x), err);
    if (rc == 0)
        rc = cts_session_ask(x->session, NULL, 0, cts_x_timeout_of(x), err);
    f->asked = rc == 0;
    return rc;
}

void cts_x_count_timeout(struct cts_exec *x, bool timed_out)
{
    x->timeouts = timed_out ? x->timeouts + 1 : 0;
    x->gave_up = x->gave_up || x->timeouts >= CTS_GIVE_UP_AFTER;
}

static bool has_timed_out(const struct cts_answer *a)
{
    return (a->ops & CTS_STEP_LOAD && a->load.verdict == CTS_LOAD_TIMED_OUT) ||
           (a->ops & CTS_STEP_RUN && a->run.status == CTS_RUN_TIMED_OUT);
}

int cts_x_answers(struct cts_exec *x, struct frame *f, struct cts_err *err)
{
    int rc = cts_session_answer(x->session, f->answer, f->jobs, cts_x_timeout_of(x), err);
    for (uint32_t i = 0; rc == 0 && i < f->jobs; i++)
        cts_x_count_timeout(x, has_timed_out(&f->answer[i]));
    if (rc == 0)
        rc = cts_session_answer(x->session, NULL, 0, cts_x_timeout_of(x), err);
    if (rc == CTS_E_TIMEOUT)
        cts_x_count_timeout(x, true);
    if (rc == 0 && x->gave_up)
        cts_x_restart(x); /* which it is not, any more */
    return rc;
}

struct cts_obs cts_x_observe(const struct cts_exec *x, const struct job *j, uint32_t s, uint32_t i,
                             const struct cts_answer *a)
{
    uint32_t at = i * j->segs + s;
    struct cts_obs o = {.seen = CTS_SEEN_RAN, .text = a->run.text};
    if (cts_x_is_whole(j->seg[s])) {
        o.result_known = true;
        o.r0 = a->run.r0;
        return o;
    }
    o.row = cts_x_row_at(x, j, at);
    o.expect = cts_x_expect_at(j, at);
    if (cts_x_caps(x)->window_kind == CTS_WK_NATIVE) {
        if (cts_order_get64(cts_x_caps(x)->be, o.row + CTS_ENTRY_END) == CTS_ENDED_EXITED) {
            o.seen = CTS_SEEN_EXITED;
            o.result_known = true;
            o.r0 = cts_order_get64(cts_x_caps(x)->be, o.row + CTS_ENTRY_OUT);
        }
    } else if (!cts_seg_match(j->seg[s], cts_x_row_number(j, s, i), o.row, o.expect,
                              cts_x_who(x)) &&
               cts_seg_untouched(j->seg[s], cts_x_row_number(j, s, i), o.row, o.expect)) {
        o.seen = CTS_SEEN_EXITED;
        o.result_known = j->iterations == 1;
        o.r0 = a->run.r0;
    }
    return o;
}

uint32_t cts_x_check_rows(struct cts_exec *x, const struct job *j, uint32_t s, struct wrong *wrong)
{
    struct cts_seg *seg = j->seg[s];
    uint32_t rows = seg->rows - j->first < j->iterations ? seg->rows - j->first : j->iterations;
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t at = i * j->segs + s;
        /* Of a window that is gone no row is believed; the next question says so. */
        if (cts_seg_match(seg, j->first + i, cts_x_row_at(x, j, at), cts_x_expect_at(j, at),
                          cts_x_who(x)) &&
            !(i + 1 == rows && cts_session_window_is_gone(x->session)))
            continue;
        if (wrong)
            *wrong = cts_x_wrong_row(x, j, s, j->first + i, at);
        return i;
    }
    if (seg->swept)
        cts_judge_matched(x->judge, seg, j->first, rows);
    for (uint32_t i = 0; !seg->swept && i < rows; i++)
        cts_judge_matched(x->judge, seg, j->first + i, 1);
    return UINT32_MAX;
}

enum cts_seen cts_x_seen_of_load(const struct cts_load_res *l)
{
    switch ((enum cts_load_status)l->verdict) {
    case CTS_LOAD_ACCEPTED:
        return CTS_SEEN_ACCEPTED;
    case CTS_LOAD_REJECTED:
        return CTS_SEEN_REJECTED;
    case CTS_LOAD_CRASHED:
        return CTS_SEEN_CRASHED;
    case CTS_LOAD_TIMED_OUT:
        return CTS_SEEN_TIMED_OUT;
    case CTS_LOAD_UNSETTLED:
        return CTS_SEEN_UNSETTLED;
    case CTS_LOAD_ERROR:
        break;
    }
    return CTS_SEEN_LOAD_ERROR;
}

enum cts_seen cts_x_seen_of_run(const struct cts_run_res *r)
{
    switch ((enum cts_run_status)r->status) {
    case CTS_RUN_COMPLETED:
        return CTS_SEEN_RAN;
    case CTS_RUN_FAULTED:
        return CTS_SEEN_FAULTED;
    case CTS_RUN_CRASHED:
        return CTS_SEEN_CRASHED;
    case CTS_RUN_TIMED_OUT:
        return CTS_SEEN_TIMED_OUT;
    case CTS_RUN_REFUSED:
        return CTS_SEEN_REFUSED;
    case CTS_RUN_UNSTEADY:
        return CTS_SEEN_RAN;
    case CTS_RUN_ERROR:
        break;
    }
    return CTS_SEEN_LOAD_ERROR;
}

struct cts_obs cts_x_observe_stop(const struct cts_run_res *r)
{
    return (struct cts_obs){
        .seen = cts_x_seen_of_run(r), .flaky = r->status == CTS_RUN_UNSTEADY, .text = r->text};
}

static void blame_job(struct cts_exec *x, const struct job *j, struct cts_among among,
                      const struct cts_err *err)
{
    if (x->blames == x->blame_cap) {
        size_t cap = x->blame_cap ? x->blame_cap * 2 : 8;
        struct blame *bigger = realloc(x->blame, cap * sizeof(*bigger));
        if (!bigger) {
            cts_judge_error(x->judge, j->seg[0], "out of memory");
            return;
        }
        x->blame = bigger;
        x->blame_cap = cap;
    }
    x->blame[x->blames++] =
        (struct blame){.unit = j->seg[0]->unit_index, .among = among, .err = *err};
}

/* Whichever unit of the program it was that had such an end must have it again alone, or it is
 * flaky. */
static void blame_and_look_again(struct cts_exec *x, const struct job *j, int code,
                                 const char *text)
{
    struct cts_err err = {0};
    cts_err_set(&err, code, "%s", text);
    blame_job(x, j, cts_x_among(x, j), &err);
    size_t first = x->again_count;
    cts_x_look_again_all(x, j);
    for (; first < x->again_count; first++)
        x->again[first].blame = x->blames;
}

/* The runtime died of the program, or did not end, and the worker lives. */
static bool look_again_at_death(struct cts_exec *x, const struct job *j, const struct cts_answer *a)
{
    bool ran = a->load.verdict == CTS_LOAD_ACCEPTED && j->iterations;
    enum cts_seen seen = a->load.verdict != CTS_LOAD_ACCEPTED ? cts_x_seen_of_load(&a->load)
                         : ran                                ? cts_x_seen_of_run(&a->run)
                                                              : CTS_SEEN_ACCEPTED;
    if (!cts_x_is_death(seen))
        return false;
    blame_and_look_again(x, j, seen == CTS_SEEN_TIMED_OUT ? CTS_E_TIMEOUT : CTS_E_WORKER,
                         ran ? a->run.text : a->load.text);
    return true;
}

/* The first row of a program of several bodies that was begun and never written: there a body ended
 * the program, and every body behind it, and every later row, came out wrong through no fault of
 * its own. False if there is none. */
static bool find_ending(const struct cts_exec *x, const struct job *j, uint32_t *place)
{
    /* Who guesses leaves every row that is wrong as it was, and says itself where one ended it. */
    for (uint32_t at = 0; !cts_x_guesses(x) && j->segs > 1 && at < j->iterations * j->segs; at++) {
        uint32_t s = at % j->segs, row = cts_x_row_number(j, s, at / j->segs);
        *place = at;
        if (cts_seg_untouched(j->seg[s], row, cts_x_row_at(x, j, at), cts_x_expect_at(j, at)))
            return true;
    }
    return false;
}

/* A program that did not run to its end. A refusal is told at once if it can be one row's only.
 * Whatever else a worker says of itself must show again, or is flaky: it is put down to the row it
 * happened at or, of several bodies, to the first unless another one does it again alone. */
static void stopped_at_first_sight(struct cts_exec *x, const struct job *j,
                                   const struct cts_answer *a)
{
    const struct cts_obs o = cts_x_observe_stop(&a->run);
    const struct wrong wrong = cts_x_wrong_end(x, j->seg[0], j->first, a);
    bool refused = o.seen == CTS_SEEN_FAULTED || o.seen == CTS_SEEN_REFUSED;
    if (o.seen == CTS_SEEN_REFUSED && j->segs == 1 && j->seg[0]->rows == 1)
        cts_judge_row(x->judge, j->seg[0], 0, &o);
    else if (j->segs == 1 && o.seen != CTS_SEEN_FAULTED)
        cts_x_look_again(x, j->seg[0], &wrong);
    else if (refused)
        cts_x_look_again_all(x, j);
    else
        blame_and_look_again(x, j, CTS_E_WORKER, a->run.text);
}

/* Is a row of it that is not as it was guessed nothing to hold against anybody? */
static bool proves_nothing(const struct cts_exec *x, const struct cts_seg *seg)
{
    return cts_x_guesses(x) && cts_seg_is_open(seg);
}

/* First sight: what is plainly right, or a plain refusal, is told; everything else is looked at
 * again alone. */
static void first_sight(struct cts_exec *x, const struct job *j, const struct cts_answer *a)
{
    struct cts_seg *one = j->seg[0];
    if (a->load.verdict != CTS_LOAD_ACCEPTED) {
        struct cts_obs o = {.seen = cts_x_seen_of_load(&a->load), .text = a->load.text};
        if (j->segs == 1 && o.seen == CTS_SEEN_REJECTED)
            cts_judge_unit(x->judge, one, &o);
        else
            cts_x_look_again_all(x, j);
        return;
    }
    if (cts_x_loads_only(x)) {
        const struct cts_obs o = {.seen = CTS_SEEN_ACCEPTED};
        for (uint32_t s = 0; s < j->segs; s++)
            cts_judge_unit(x->judge, j->seg[s], &o);
        return;
    }
    if (j->iterations == 0) {
        cts_x_look_again_all(x, j);
        return;
    }
    if (a->run.status != CTS_RUN_COMPLETED) {
        stopped_at_first_sight(x, j, a);
        return;
    }
    uint32_t ending = 0;
    bool ended = false;
    for (uint32_t s = 0; s < j->segs; s++) {
        struct wrong wrong = cts_x_not_wrong();
        if (cts_x_check_rows(x, j, s, &wrong) == UINT32_MAX)
            continue;
        ended = ended || find_ending(x, j, &ending);
        if (ended && s == ending % j->segs)
            wrong = cts_x_wrong_row(x, j, s, cts_x_row_number(j, s, ending / j->segs), ending);
        bool blameless = (ended && s != ending % j->segs) || proves_nothing(x, j->seg[s]);
        cts_x_look_again(x, j->seg[s], blameless ? NULL : &wrong);
    }
}

static void whole_sight(struct cts_exec *x, const struct job *j, const struct cts_answer *a)
{
    struct cts_obs o = cts_x_observe(x, j, 0, 0, a);
    if (a->load.verdict != CTS_LOAD_ACCEPTED)
        o = (struct cts_obs){.seen = cts_x_seen_of_load(&a->load), .text = a->load.text};
    else if (j->iterations == 0)
        o = (struct cts_obs){.seen = CTS_SEEN_ACCEPTED};
    else if (a->run.status != CTS_RUN_COMPLETED)
        o = cts_x_observe_stop(&a->run);
    cts_judge_row(x->judge, j->seg[0], 0, &o);
}

static int collect(struct cts_exec *x, struct frame *f, struct cts_err *err)
{
    int rc = cts_x_answers(x, f, err);
    if (rc != 0)
        return rc;
    f->asked = false;
    /* One of them may have been too late, and which is not known: alone it is. */
    for (uint32_t i = 0; x->session->late && i < f->jobs; i++)
        cts_x_look_again_all(x, &f->job[i]);
    for (uint32_t i = 0; !x->session->late && i < f->jobs; i++) {
        if (look_again_at_death(x, &f->job[i], &f->answer[i]))
            continue;
        if (cts_x_is_whole(f->job[i].seg[0]))
            whole_sight(x, &f->job[i], &f->answer[i]);
        else
            first_sight(x, &f->job[i], &f->answer[i]);
    }
    return 0;
}

bool cts_x_restart(struct cts_exec *x)
{
    struct cts_err err = {0};
    while (!x->broken) {
        cts_session_stop(x->session);
        if (cts_core_is_stopped(x->opts) || x->gave_up)
            break;
        if (x->session->gave_up.code) {
            x->why_broken = x->session->gave_up;
            break;
        }
        if (cts_session_start_with_retry(x->session, CTS_START_TIMEOUT_MS, &err) == 0) {
            x->failed_starts = 0;
            return true;
        }
        if (++x->failed_starts < MAX_RESTARTS_IN_A_ROW) {
            cts_err_clear(&err);
            continue;
        }
        x->broken = true;
        x->why_broken = err;
    }
    if (x->gave_up)
        cts_err_set(&x->why_broken, CTS_E_TIMEOUT, "given up after %d time-outs in a row",
                    CTS_GIVE_UP_AFTER);
    if (x->why_broken.code == 0)
        cts_err_set(&x->why_broken, CTS_E_WORKER, "interrupted");
    x->broken = true;
    return false;
}

void cts_x_broken_unit(struct cts_exec *x, const struct cts_seg *seg)
{
    char text[CTS_ERR_MSG_MAX];
    cts_judge_error(x->judge, seg, cts_err_text(&x->why_broken, text, sizeof(text)));
}

/* The program of frame f that the worker had begun last, if it is one of this frame; null
 * otherwise. */
static const struct job *last_begun(const struct cts_exec *x, const struct frame *f)
{
    uint64_t begun = cts_session_begun(x->session);
    if (!x->session->shared || !f->asked || begun <= f->items_before ||
        begun - f->items_before > f->jobs)
        return NULL;
    return &f->job[begun - f->items_before - 1];
}

/* Everything that is under way. */
static struct cts_among under_way(const struct cts_exec *x)
{
    uint32_t from = UINT32_MAX, to = 0;
    for (unsigned k = 0; k < 2; k++) {
        const struct frame *f = x->frame[k];
        for (uint32_t i = 0; f->asked && i < f->jobs; i++) {
            if (f->job[i].from < from)
                from = f->job[i].from;
            if (f->job[i].to > to)
                to = f->job[i].to;
        }
    }
    return from < to ? (struct cts_among){x->units + from, to - from} : (struct cts_among){NULL, 0};
}

/* The frames under way are lost: all their units are looked at again. Whatever ended the worker
 * must show again, or is flaky: the death is put down to the program that was running, or to the
 * first there was. */
static void lose_frames(struct cts_exec *x, const struct cts_err *err)
{
    const struct job *culprit = NULL;
    for (unsigned k = 0; k < 2 && !culprit; k++)
        culprit = last_begun(x, x->frame[k]);
    struct cts_among among = culprit ? cts_x_among(x, culprit) : under_way(x);
    for (unsigned k = 1; k <= 2 && !culprit; k++)
        if (x->frame[(x->current + k) % 2]->asked)
            culprit = &x->frame[(x->current + k) % 2]->job[0];
    if (culprit)
        blame_job(x, culprit, among, err);
    size_t first = x->again_count;
    for (unsigned k = 0; k < 2; k++) {
        struct frame *f = x->frame[k];
        for (uint32_t i = 0; f->asked && i < f->jobs; i++)
            cts_x_look_again_all(x, &f->job[i]);
        cts_x_reset_frame(f);
    }
    for (; first < x->again_count; first++)
        x->again[first].blame = x->blames;
    cts_x_restart(x);
}

void cts_x_confirm(struct cts_exec *x, uint32_t unit)
{
    for (size_t i = 0; i < x->again_count; i++)
        if (x->again[i].unit == unit && x->again[i].blame)
            x->blame[x->again[i].blame - 1].confirmed = true;
}

void cts_x_drain(struct cts_exec *x)
{
    for (unsigned k = 1; k <= 2; k++) {
        struct frame *f = x->frame[(x->current + k) % 2];
        struct cts_err err = {0};
        if (f->asked && collect(x, f, &err) != 0)
            lose_frames(x, &err);
        cts_x_reset_frame(f);
    }
}

void cts_x_flush_frame(struct cts_exec *x)
{
    struct frame *f = cts_x_current(x);
    struct cts_err err = {0};
    if (f->jobs == 0)
        return;
    if (x->broken) {
        for (uint32_t i = 0; i < f->jobs; i++)
            cts_x_look_again_all(x, &f->job[i]);
        cts_x_reset_frame(f);
        return;
    }
    if (cts_x_ask(x, f, &err) != 0) {
        f->asked = true;
        lose_frames(x, &err);
        return;
    }
    x->current = !x->current;
    f = cts_x_current(x);
    if (f->asked && collect(x, f, &err) != 0)
        lose_frames(x, &err);
    cts_x_reset_frame(f);
}
