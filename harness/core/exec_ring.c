#include "core/exec_impl.h"

/* A sweep in a ring of rows: while the worker runs one half, the other is filled. */
struct ring {
    struct frame *f;
    struct job *j;
    uint32_t half; /* operand rows in half the ring */
    uint32_t runs; /* how many halves there are to run */
    uint32_t last; /* rows in the last of them */
};

enum { AHEAD = 8 };

static uint32_t ring_count(const struct ring *g, uint32_t run)
{
    return run + 1 == g->runs ? g->last : g->half;
}

/* The rows were last in the cache of the processor that ran them: fetching some of them at a time
 * hides most of the way. */
static inline void fetch_row(const uint8_t *row, bool to_write)
{
    for (unsigned at = 0; at < CTS_ROW_MEM; at += 64) {
        if (to_write)
            __builtin_prefetch(row + at, 1);
        else
            __builtin_prefetch(row + at, 0);
    }
}

static void ring_fill(struct cts_exec *x, const struct ring *g, uint32_t run)
{
    for (uint32_t i = 0; i < ring_count(g, run); i++) {
        uint32_t r = run * g->half + i, at = r & (g->j->layout[0].rows - 1);
        fetch_row(cts_x_row_at(x, g->j, at + AHEAD), true);
        uint8_t *row = cts_x_row_at(x, g->j, at), *expect = cts_x_expect_at(g->j, at);
        if (run < 2)
            cts_seg_fill(g->j->seg[0], r, row, expect);
        else
            cts_seg_refill(g->j->seg[0], r, row, expect);
    }
}

static int ring_ask(struct cts_exec *x, const struct ring *g, uint32_t run, struct cts_err *err)
{
    struct cts_item *it = &g->f->item[0];
    uint8_t ops = CTS_OP_RUN;
    if (run == 0)
        ops |= CTS_OP_LOAD;
    if (run + 1 == g->runs)
        ops |= CTS_OP_UNLOAD;
    cts_x_make_item(g->j, it, ops, 0);
    cts_x_point_at_code(g->f, g->j, it);
    it->run.iterations = ring_count(g, run);
    it->run.first_row = (run * g->half) & (g->j->layout[0].rows - 1);
    return cts_session_ask(x->session, it, 1, cts_x_timeout_of(x), err);
}

/* The first row of the half that is not as expected; UINT32_MAX if there is none. */
static uint32_t ring_check(struct cts_exec *x, const struct ring *g, uint32_t run)
{
    struct cts_seg *seg = g->j->seg[0];
    uint32_t n = ring_count(g, run);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t r = run * g->half + i, at = r & (g->j->layout[0].rows - 1);
        fetch_row(cts_x_row_at(x, g->j, at + AHEAD), false);
        if (!cts_seg_match(seg, r, cts_x_row_at(x, g->j, at), cts_x_expect_at(g->j, at),
                           cts_x_who(x)))
            return r;
    }
    cts_judge_matched(x->judge, seg, run * g->half, n);
    return UINT32_MAX;
}

/* Goes through the sweep; *bad is the first row that deviates in any way, UINT32_MAX if none does.
 * Negative: the session's error. */
static int ring_run(struct cts_exec *x, const struct ring *g, uint32_t *bad, struct cts_err *err)
{
    struct cts_answer *a = &g->f->answer[0];
    uint32_t asked = 0, taken = 0;
    int rc = 0;
    *bad = UINT32_MAX;
    while (rc == 0 && (taken < asked || (asked < g->runs && *bad == UINT32_MAX))) {
        if (asked < g->runs && asked - taken < 2 && *bad == UINT32_MAX) {
            ring_fill(x, g, asked);
            rc = ring_ask(x, g, asked++, err);
            continue;
        }
        rc = cts_session_answer(x->session, a, 1, cts_x_timeout_of(x), err);
        if (rc != 0)
            break;
        if (taken == 0 && a->load.verdict != CTS_ACCEPTED)
            *bad = 0;
        else if (*bad == UINT32_MAX && a->run.status != CTS_RAN)
            *bad = taken * g->half + a->run.done;
        else if (*bad == UINT32_MAX)
            *bad = ring_check(x, g, taken);
        taken++;
    }
    if (rc == 0)
        rc = cts_session_ask(x->session, NULL, 0, cts_x_timeout_of(x), err);
    return rc == 0 ? cts_session_answer(x->session, NULL, 0, cts_x_timeout_of(x), err) : rc;
}

static int ring_init(struct cts_exec *x, struct cts_seg *seg, struct ring *g, struct cts_err *err)
{
    struct frame *f = x->frame[0];
    uint32_t stride = cts_x_stride_of(&seg->layout), rows = RING_ROWS;
    x->current = 0;
    cts_x_reset_frame(f);
    while (rows > 2 &&
           (CTS_WIN_RESERVED + cts_x_region_bytes(1, rows, stride) > cts_x_caps(x)->window_bytes ||
            rows / 2 > cts_x_caps(x)->max_iterations))
        rows /= 2;
    f->jobs = 1;
    f->job[0] = cts_x_job_of(seg, 0, 0);
    *g = (struct ring){.f = f, .j = &f->job[0], .half = rows / 2};
    g->runs = (seg->rows + g->half - 1) / g->half;
    g->last = seg->rows - (g->runs - 1) * g->half;
    cts_x_place_job(f, g->j, CTS_WIN_RESERVED, rows);
    int rc = cts_x_add_code(x, f, g->j, err);
    return rc == 0 ? cts_x_add_object(x, f, g->j, err) : rc;
}

void cts_x_run_long_sweep(struct cts_exec *x, struct cts_seg *seg)
{
    struct cts_err err = {0}, first = {0};
    uint32_t bad = UINT32_MAX;
    int rc = 0;
    for (unsigned attempt = 0; attempt < 2 && !x->broken; attempt++) {
        struct ring g;
        cts_err_clear(&err);
        rc = ring_init(x, seg, &g, &err);
        if (rc != 0) {
            cts_x_add_job_failed(x, seg, rc, &err);
            return;
        }
        cts_order_put64(cts_x_caps(x)->be, cts_x_window_at(x, CTS_WIN_RESERVED) + CTS_WIN_INDEX, 0);
        rc = ring_run(x, &g, &bad, &err);
        if (rc == 0)
            break;
        if (attempt == 0)
            first = err;
        cts_x_restart(x);
    }
    if (first.code)
        cts_x_judge_death(x, seg, 0, rc, &first);
    else if (bad != UINT32_MAX)
        cts_x_run_row(x, seg, bad < seg->rows ? bad : 0, true);
}
