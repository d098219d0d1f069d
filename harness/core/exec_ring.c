#include "core/exec_impl.h"

/* A sweep in a ring of rows: while the worker runs one part of it, the other is filled. Where rows
 * travel the ring is one part, sent whole and coming back whole: a question that carried the other
 * part, too, would bring its rows back as they were. */
struct ring {
    struct frame *f;
    struct job *j;
    uint32_t parts; /* 1 or 2 */
    uint32_t part;  /* operand rows in each */
    uint32_t runs;  /* how many parts there are to run */
    uint32_t last;  /* rows in the last of them */
};

enum { AHEAD = 8 };

static uint32_t ring_count(const struct ring *g, uint32_t run)
{
    return run + 1 == g->runs ? g->last : g->part;
}

/* The rows were last in the cache of the processor that ran them: fetching some of them at a time
 * hides most of the way. */
static inline void fetch_row(const uint8_t *row, bool to_write)
{
    for (unsigned at = 0; at < CTS_ENTRY_MEM; at += 64) {
        if (to_write)
            __builtin_prefetch(row + at, 1);
        else
            __builtin_prefetch(row + at, 0);
    }
}

static void ring_fill(struct cts_exec *x, const struct ring *g, uint32_t run)
{
    for (uint32_t i = 0; i < ring_count(g, run); i++) {
        uint32_t r = run * g->part + i, at = r & (g->j->layout[0].rows - 1);
        fetch_row(cts_x_row_at(x, g->j, at + AHEAD), true);
        uint8_t *row = cts_x_row_at(x, g->j, at), *expect = cts_x_expect_at(g->j, at);
        if (run < g->parts)
            cts_seg_fill(g->j->seg[0], r, row, expect);
        else
            cts_seg_refill(g->j->seg[0], r, row, expect);
    }
}

/* The index of the next row is the program's while it runs, and it runs while we fill: it goes on
 * counting in a window that is shared. One that travels is sent with the index that it is to have.
 */
static void ring_point(struct cts_exec *x, const struct ring *g, uint32_t first)
{
    uint8_t *header = cts_x_window_at(x, g->j->layout[0].region);
    cts_order_put64(cts_x_caps(x)->be, header + CTS_WIN_INDEX, first);
}

static int ring_ask(struct cts_exec *x, const struct ring *g, uint32_t run, struct cts_err *err)
{
    struct cts_item *it = &g->f->item[0];
    uint8_t ops = CTS_STEP_RUN;
    if (run == 0)
        ops |= CTS_STEP_LOAD;
    if (run + 1 == g->runs)
        ops |= CTS_STEP_UNLOAD;
    cts_x_make_item(g->j, it, ops, 0);
    cts_x_point_at_code(g->f, g->j, it);
    it->run.iterations = ring_count(g, run);
    it->run.first_row = (run * g->part) & (g->j->layout[0].rows - 1);
    if (run == 0 || g->parts == 1)
        ring_point(x, g, it->run.first_row);
    return cts_session_ask(x->session, it, 1, cts_x_timeout_of(x), err);
}

/* The first row of the part that is not as expected, if there is one. */
static struct wrong ring_check(struct cts_exec *x, const struct ring *g, uint32_t run)
{
    struct cts_seg *seg = g->j->seg[0];
    uint32_t n = ring_count(g, run);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t r = run * g->part + i, at = r & (g->j->layout[0].rows - 1);
        fetch_row(cts_x_row_at(x, g->j, at + AHEAD), false);
        if (!cts_seg_match(seg, r, cts_x_row_at(x, g->j, at), cts_x_expect_at(g->j, at),
                           cts_x_who(x)))
            return cts_x_wrong_row(x, g->j, 0, r, at);
    }
    if (cts_session_window_is_gone(x->session)) /* the next question says so */
        return cts_x_wrong_row(x, g->j, 0, run * g->part, 0);
    cts_judge_matched(x->judge, seg, run * g->part, n);
    return cts_x_not_wrong();
}

/* Goes through the sweep; *wrong is the first row that deviates in any way, if one does. Negative:
 * the session's error. */
static int ring_run(struct cts_exec *x, const struct ring *g, struct wrong *wrong,
                    struct cts_err *err)
{
    struct cts_answer *a = &g->f->answer[0];
    uint32_t asked = 0, taken = 0;
    int rc = 0;
    *wrong = cts_x_not_wrong();
    while (rc == 0 && (taken < asked || (asked < g->runs && wrong->row == UINT32_MAX))) {
        if (asked < g->runs && asked - taken < g->parts && wrong->row == UINT32_MAX) {
            ring_fill(x, g, asked);
            rc = ring_ask(x, g, asked++, err);
            continue;
        }
        rc = cts_session_answer(x->session, a, 1, cts_x_timeout_of(x), err);
        if (rc != 0)
            break;
        if (wrong->row == UINT32_MAX &&
            (a->load.verdict != CTS_LOAD_ACCEPTED || a->run.status != CTS_RUN_COMPLETED))
            *wrong = cts_x_wrong_end(x, g->j->seg[0], taken * g->part, a);
        else if (wrong->row == UINT32_MAX)
            *wrong = ring_check(x, g, taken);
        taken++;
    }
    if (rc == 0)
        rc = cts_session_ask(x->session, NULL, 0, cts_x_timeout_of(x), err);
    return rc == 0 ? cts_session_answer(x->session, NULL, 0, cts_x_timeout_of(x), err) : rc;
}

/* A row that is wrong there must fit alone, too. */
static bool ring_fits(const struct cts_exec *x, const struct ring *g, uint32_t rows,
                      uint32_t stride)
{
    return cts_x_region_bytes(1, 1, stride) <= cts_x_room(x, CTS_WIN_RESERVED) &&
           CTS_WIN_RESERVED + cts_x_region_bytes(1, rows, stride) <= cts_x_window_bytes(x) &&
           rows / g->parts <= cts_x_caps(x)->max_iterations;
}

/* CTS_E_LIMIT if the window has not even room for the smallest ring. */
static int ring_init(struct cts_exec *x, struct cts_seg *seg, struct ring *g, struct cts_err *err)
{
    struct frame *f = x->frame[0];
    uint32_t stride = cts_x_stride_of(&seg->layout), rows = RING_ROWS;
    x->current = 0;
    cts_x_reset_frame(f);
    *g = (struct ring){.f = f, .j = &f->job[0], .parts = cts_x_rows_travel(x) ? 1 : 2};
    while (rows > g->parts && !ring_fits(x, g, rows, stride))
        rows /= 2;
    if (!ring_fits(x, g, rows, stride))
        return cts_err_set(err, CTS_E_LIMIT, "%s has not enough memory for it",
                           cts_x_caps(x)->runtime);
    f->jobs = 1;
    f->job[0] = cts_x_job_of(seg, 0, 0);
    g->part = rows / g->parts;
    g->runs = (seg->rows + g->part - 1) / g->part;
    g->last = seg->rows - (g->runs - 1) * g->part;
    cts_x_place_job(f, g->j, CTS_WIN_RESERVED, rows);
    int rc = cts_x_add_code(x, f, g->j, err);
    return rc == 0 ? cts_x_add_object(x, f, g->j, err) : rc;
}

void cts_x_run_long_sweep(struct cts_exec *x, struct cts_seg *seg, const struct wrong *earlier)
{
    struct cts_err err = {0}, first = {0};
    struct wrong wrong = cts_x_not_wrong();
    int rc = 0;
    for (unsigned attempt = 0; attempt < 2 && !x->broken; attempt++) {
        struct ring g;
        cts_err_clear(&err);
        rc = ring_init(x, seg, &g, &err);
        if (rc != 0) {
            cts_x_add_job_failed(x, seg, rc, &err);
            return;
        }
        rc = ring_run(x, &g, &wrong, &err);
        cts_x_count_timeout(x, rc == CTS_E_TIMEOUT);
        if (rc == 0)
            break;
        if (attempt == 0)
            first = err;
        cts_x_restart(x);
    }
    if (wrong.row == UINT32_MAX)
        wrong = *earlier;
    if (first.code)
        cts_x_judge_death(x, seg, 0, rc, &first);
    else if (wrong.row != UINT32_MAX)
        cts_x_run_wrong_row(x, seg, &wrong);
}
