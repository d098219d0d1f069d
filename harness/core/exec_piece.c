#include "core/exec_impl.h"

/* Of a sweep, where each row costs a run of its own: spread over all of it. */
enum { SAMPLE = 64 };

struct pieces {
    uint32_t count; /* rows of one program; 0: not even one fits */
    uint32_t step;  /* from one program's first row to the next one's */
};

static struct pieces cut(const struct cts_exec *x, const struct cts_seg *seg)
{
    uint32_t stride = cts_x_stride_of(&seg->layout), most = cts_x_caps(x)->max_iterations;
    struct pieces p = {.count = 0};
    while (p.count < seg->rows && p.count < most &&
           cts_x_region_bytes(1, p.count + 1, stride) <= cts_x_room(x, CTS_WIN_RESERVED))
        p.count++;
    p.step = p.count;
    if (seg->swept && most == 1 && seg->rows > SAMPLE)
        p.step = (seg->rows + SAMPLE - 1) / SAMPLE;
    return p;
}

static struct job piece_at(struct cts_seg *seg, const struct pieces *p, uint32_t first)
{
    uint32_t left = seg->rows - first;
    return cts_x_job_of(seg, first, left < p->count ? left : p->count);
}

static void too_large(struct cts_exec *x, struct cts_seg *seg)
{
    struct cts_err err = {0};
    cts_err_set(&err, CTS_E_LIMIT, "its memory takes %llu bytes, a program of %s gets at most %u",
                (unsigned long long)cts_x_region_bytes(1, 1, cts_x_stride_of(&seg->layout)),
                cts_x_caps(x)->runtime, cts_x_room(x, CTS_WIN_RESERVED));
    cts_x_add_job_failed(x, seg, CTS_E_LIMIT, &err);
}

void cts_x_add_pieces(struct cts_exec *x, struct cts_seg *seg)
{
    const struct pieces p = cut(x, seg);
    cts_x_close_job(x);
    if (p.count == 0)
        too_large(x, seg);
    for (uint32_t first = 0; p.count && first < seg->rows; first += p.step) {
        struct job j = piece_at(seg, &p, first);
        x->open = j;
        cts_x_close_job(x);
    }
}

/* False if there is nothing more to be said of the sweep. */
static bool run_piece(struct cts_exec *x, struct cts_seg *seg, const struct job *j)
{
    struct cts_err err = {0};
    bool died;
    int rc = cts_x_run_twice(x, seg, j->first, j->iterations, &died, &err);
    const struct cts_answer *a = &x->frame[0]->answer[0];
    struct wrong wrong = cts_x_not_wrong();
    if (died) {
        cts_x_judge_death(x, seg, j->first, rc, &err);
        return false;
    }
    if (rc != 0) {
        cts_x_add_job_failed(x, seg, rc, &err);
        return false;
    }
    if (a->load.verdict != CTS_LOAD_ACCEPTED || a->run.status != CTS_RUN_COMPLETED)
        wrong = cts_x_wrong_end(x, seg, j->first, a);
    else
        cts_x_check_rows(x, &x->frame[0]->job[0], 0, &wrong);
    if (wrong.row == UINT32_MAX)
        return true;
    cts_x_run_wrong_row(x, seg, &wrong);
    return false;
}

void cts_x_run_pieces(struct cts_exec *x, struct cts_seg *seg, const struct wrong *wrong)
{
    const struct pieces p = cut(x, seg);
    if (p.count == 0) {
        too_large(x, seg);
        return;
    }
    if (seg->swept && wrong->row != UINT32_MAX) {
        cts_x_run_wrong_row(x, seg, wrong);
        return;
    }
    for (uint32_t r = 0; !seg->swept && r < seg->rows && !x->broken; r++)
        cts_x_run_row(x, seg, r, wrong);
    for (uint32_t first = 0; seg->swept && first < seg->rows && !x->broken; first += p.step) {
        const struct job j = piece_at(seg, &p, first);
        if (!run_piece(x, seg, &j))
            return;
    }
}
