#include "core/exec_impl.h"

#include <stdlib.h>

#include "host/arena.h"

struct cts_exec *cts_exec_new(struct cts_session *session, const struct cts_core_opts *opts,
                              struct cts_err *err)
{
    struct cts_exec *x = calloc(1, sizeof(*x));
    for (unsigned i = 0; x && i < 2; i++) {
        x->frame[i] = calloc(1, sizeof(*x->frame[i]));
        if (!x->frame[i]) {
            cts_exec_free(x);
            x = NULL;
            break;
        }
        cts_buf_init(&x->frame[i]->code, 0);
        cts_buf_init(&x->frame[i]->elf, 0);
        cts_buf_init(&x->frame[i]->guess, 0);
        x->frame[i]->used = CTS_WIN_RESERVED;
        x->frame[i]->expect = malloc(session->caps.window_bytes ? session->caps.window_bytes : 1);
        if (!x->frame[i]->expect) {
            cts_exec_free(x);
            x = NULL;
        }
    }
    if (!x) {
        cts_err_set(err, CTS_E_NOMEM, "out of memory");
        return NULL;
    }
    x->session = session;
    x->opts = opts;
    return x;
}

void cts_exec_free(struct cts_exec *x)
{
    if (!x)
        return;
    for (unsigned i = 0; i < 2; i++) {
        if (!x->frame[i])
            continue;
        cts_buf_release(&x->frame[i]->code);
        cts_buf_release(&x->frame[i]->elf);
        cts_buf_release(&x->frame[i]->guess);
        free(x->frame[i]->expect);
        free(x->frame[i]);
    }
    free(x->again);
    free(x->blame);
    free(x);
}

static bool same_shape(const struct cts_seg *a, const struct cts_seg *b)
{
    const struct cts_layout *x = &a->layout, *y = &b->layout;
    return a->swept == b->swept && x->mem_bytes == y->mem_bytes && x->stack_off == y->stack_off;
}

static bool shares(const struct cts_seg *seg)
{
    const struct cts_pk_unit *u = seg->unit;
    return !seg->whole && !(u->flags & (CTS_UF_WHOLE | CTS_UF_PACKET | CTS_UF_ALONE)) &&
           u->maps.count == 0 && u->names.count == 0;
}

bool cts_x_is_long(const struct cts_exec *x, const struct cts_seg *seg)
{
    if (cts_x_is_whole(seg) || cts_x_loads_only(x))
        return false;
    uint64_t bytes =
        cts_x_region_bytes(1, seg->rows ? seg->rows : 1, cts_x_stride_of(&seg->layout));
    return bytes > cts_x_room(x, CTS_WIN_RESERVED) || seg->rows > cts_x_caps(x)->max_iterations;
}

static bool fits_frame(struct cts_exec *x, const struct job *j)
{
    return cts_x_is_whole(j->seg[0]) ||
           cts_x_region_bytes(j->segs, j->iterations, cts_x_stride_of(&j->seg[0]->layout)) <=
               cts_x_room(x, cts_x_current(x)->used);
}

void cts_x_close_job(struct cts_exec *x)
{
    struct cts_err err = {0};
    if (x->open.segs == 0)
        return;
    if (!fits_frame(x, &x->open))
        cts_x_flush_frame(x);
    int rc = cts_x_add_job(x, cts_x_current(x), &x->open, x->current, &err);
    if (rc != 0 && x->open.segs == 1)
        cts_x_add_job_failed(x, x->open.seg[0], rc, &err);
    else if (rc != 0)
        cts_x_look_again_all(x, &x->open);
    x->open.segs = x->open.first = 0;
    struct frame *f = cts_x_current(x);
    if (f->jobs == FRAME_JOBS || f->code.len + f->elf.len > FRAME_CODE)
        cts_x_flush_frame(x);
}

static uint64_t open_bytes(const struct cts_exec *x, const struct cts_seg *more)
{
    uint32_t rows = cts_x_rows_of(x, more);
    if (rows < x->open.iterations)
        rows = x->open.iterations;
    return cts_x_region_bytes(x->open.segs + 1, rows, cts_x_stride_of(&more->layout));
}

static bool fits_open(const struct cts_exec *x, const struct cts_seg *seg)
{
    const struct job *j = &x->open;
    if (j->segs == 0)
        return true;
    return j->segs < cts_x_caps(x)->max_segments && shares(seg) && shares(j->seg[0]) &&
           same_shape(seg, j->seg[0]);
}

/* Takes the unit, the one at `index`, into the program being put together, or begins another one
 * with it. Which it is depends on the units of that program alone, and not on what the frame holds:
 * so a program can be made again from the vector on that began one last. */
static void add_unit(struct cts_exec *x, struct cts_seg *seg, uint32_t index, bool is_first)
{
    uint64_t most = cts_x_room(x, CTS_WIN_RESERVED);
    if (!fits_open(x, seg) || (!cts_x_is_whole(seg) && x->open.segs && open_bytes(x, seg) > most))
        cts_x_close_job(x);
    if (x->open.segs == 0) {
        if (is_first)
            x->anew = index;
        x->open.from = x->anew;
        x->open.iterations = 0;
    }
    x->open.to = index + 1;
    x->open.seg[x->open.segs++] = seg;
    if (cts_x_rows_of(x, seg) > x->open.iterations)
        x->open.iterations = cts_x_rows_of(x, seg);
}

struct cts_seg *cts_x_new_seg(struct cts_exec *x, uint32_t unit, struct cts_arena *arena)
{
    struct cts_err err = {0};
    struct cts_seg *seg = cts_arena_take(arena, sizeof(*seg));
    if (!seg)
        return NULL;
    if (cts_seg_init(seg, x->judge->pack, unit, cts_x_caps(x), x->opts->level, arena, &err) != 0) {
        char text[CTS_ERR_MSG_MAX];
        cts_judge_error(x->judge, seg, cts_err_text(&err, text, sizeof(text)));
        return NULL;
    }
    return seg;
}

int cts_exec_units(struct cts_exec *x, struct cts_judge *judge, const uint32_t *units, size_t n,
                   struct cts_err *err)
{
    struct cts_arena arena;
    uint32_t vector = UINT32_MAX; /* of the unit that was put into a program last */
    cts_arena_init(&arena, 0);
    x->judge = judge;
    x->units = units;
    for (uint32_t i = 0; i < n; i++) {
        struct cts_seg *seg = cts_x_new_seg(x, units[i], &arena);
        if (!seg)
            continue;
        if (cts_core_is_stopped(x->opts))
            break;
        if (x->broken)
            cts_x_broken_unit(x, seg);
        else if (cts_x_guesses(x) && cts_x_is_long(x, seg) && !cts_x_row_by_row(x, seg))
            cts_x_add_pieces(x, seg);
        else if ((cts_x_rows_of(x, seg) > 1 && cts_x_row_by_row(x, seg)) || cts_x_is_long(x, seg))
            cts_x_look_again(x, seg, NULL);
        else {
            add_unit(x, seg, i, seg->unit->vector != vector);
            vector = seg->unit->vector;
        }
    }
    cts_x_close_job(x);
    cts_x_flush_frame(x);
    cts_x_drain(x);
    cts_x_look_again_at_all(x, &arena);
    cts_x_settle_blames(x, &arena);
    cts_x_reset_frame(x->frame[0]);
    cts_x_reset_frame(x->frame[1]);
    cts_arena_release(&arena);
    if (x->broken && err && err->code == 0)
        *err = x->why_broken;
    return x->broken ? x->why_broken.code : 0;
}
