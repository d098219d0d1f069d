#include "core/exec.h"

#include <stdlib.h>

#include "core/alone.h"
#include "core/attempt.h"
#include "core/passthrough.h"
#include "core/pieces.h"
#include "core/review.h"
#include "core/variant.h"
#include "host/arena.h"

struct cts_exec {
    struct cts_pipeline pipe;
    struct cts_judge *judge;
    const uint32_t *units;   /* to be run */
    struct cts_program open; /* the program being put together */
    uint32_t anew;           /* index of the last unit that began a program as its vector's first */
    uint32_t vector;         /* of the unit that was put into a program last */
};

struct cts_exec *cts_exec_new(struct cts_session *session, const struct cts_core_opts *opts,
                              struct cts_err *err)
{
    struct cts_exec *x = calloc(1, sizeof(*x));
    if (!x) {
        cts_err_set(err, CTS_E_NOMEM, "out of memory");
        return NULL;
    }
    if (cts_pipeline_init(&x->pipe, session, opts, err) == 0)
        return x;
    cts_exec_free(x);
    return NULL;
}

void cts_exec_free(struct cts_exec *x)
{
    if (x)
        cts_pipeline_release(&x->pipe);
    free(x);
}

static struct cts_seg *make_ready(struct cts_exec *x, uint32_t unit, struct cts_arena *arena)
{
    const struct cts_pipeline *p = &x->pipe;
    struct cts_err err = {0};
    struct cts_seg *seg = cts_arena_take(arena, sizeof(*seg));
    if (!seg)
        return NULL;
    if (cts_seg_init(seg, x->judge->pack, unit, p->machine.caps, p->opts->level, arena, &err) !=
        0) {
        char text[CTS_ERR_MSG_MAX];
        cts_judge_error(x->judge, seg, cts_err_text(&err, text, sizeof(text)));
        return NULL;
    }
    return seg;
}

static void report_broken(struct cts_exec *x, const struct cts_seg *seg)
{
    char text[CTS_ERR_MSG_MAX];
    cts_judge_error(x->judge, seg, cts_err_text(&x->pipe.why_broken, text, sizeof(text)));
}

/* ---- programs of many variants ---- */

static void review(struct cts_exec *x, struct cts_batch *answered)
{
    if (!answered)
        return;
    cts_review_batch(&x->pipe, x->judge, answered);
    cts_batch_reset(answered);
}

/* Adds the program to the batch. */
static void add_program(struct cts_exec *x, struct cts_program *made)
{
    struct cts_pipeline *p = &x->pipe;
    struct cts_err err = {0};
    made->wants_reason = made->bodies == 1 && cts_attempt_wants_reason(x->judge, made->body[0]);
    if (!cts_batch_fits(&p->machine, cts_pipeline_current(p), made))
        review(x, cts_pipeline_send(p));
    int rc = cts_batch_add(&p->machine, cts_pipeline_current(p), made, &err);
    if (rc != 0 && made->bodies == 1)
        cts_attempt_report_unmade(x->judge, made->body[0], rc, &err);
    else if (rc != 0)
        cts_retry_add_program(&p->retry, made);
    if (cts_batch_is_full(cts_pipeline_current(p)))
        review(x, cts_pipeline_send(p));
}

static void close_program(struct cts_exec *x)
{
    if (x->open.bodies)
        add_program(x, &x->open);
    x->open.bodies = x->open.first = 0;
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

/* Of the open program with one more. */
static bool fits_half(const struct cts_exec *x, const struct cts_seg *more)
{
    const struct cts_machine *m = &x->pipe.machine;
    uint32_t entries = cts_program_entries_of(m, more);
    if (entries < x->open.iterations)
        entries = x->open.iterations;
    return cts_program_region_bytes(x->open.bodies + 1, entries,
                                    cts_request_stride(&more->layout)) <=
           cts_machine_room(m, CTS_WIN_RESERVED);
}

static bool fits_open(const struct cts_exec *x, const struct cts_seg *seg)
{
    const struct cts_program *open = &x->open;
    if (open->bodies == 0)
        return true;
    return open->bodies < x->pipe.machine.caps->max_segments && shares(seg) &&
           shares(open->body[0]) && same_shape(seg, open->body[0]) && fits_half(x, seg);
}

/* Takes the unit, the one at `index`, into the program being put together, or begins another one
 * with it. Which it is depends on the units of that program alone, and not on what the batch holds:
 * so a program can be made again from the vector on that began one last. */
static void add_unit(struct cts_exec *x, struct cts_seg *seg, uint32_t index)
{
    bool is_first = seg->unit->vector != x->vector;
    uint32_t entries = cts_program_entries_of(&x->pipe.machine, seg);
    if (!fits_open(x, seg))
        close_program(x);
    if (x->open.bodies == 0) {
        if (is_first)
            x->anew = index;
        x->open.span.unit = x->units + x->anew;
        x->open.iterations = 0;
    }
    x->open.span.count = index + 1 - (size_t)(x->open.span.unit - x->units);
    x->open.body[x->open.bodies++] = seg;
    if (entries > x->open.iterations)
        x->open.iterations = entries;
    x->vector = seg->unit->vector;
}

static void add_pieces(struct cts_exec *x, struct cts_seg *seg, uint32_t index)
{
    const struct cts_machine *m = &x->pipe.machine;
    const struct cts_pieces pieces = cts_pieces_of(m, seg);
    close_program(x);
    if (pieces.count == 0)
        cts_alone_report_too_large(m, x->judge, seg);
    for (uint32_t first = 0; pieces.count && first < seg->rows; first += pieces.step) {
        struct cts_program made = cts_pieces_program(seg, &pieces, first);
        made.span = (struct cts_among){x->units + index, 1};
        add_program(x, &made);
    }
}

/* ---- one variant at a time ---- */

/* A unit need not run again if it changes nothing and nobody waits for it to end the worker once
 * more. */
static bool is_needless(const struct cts_exec *x, size_t entry, const struct cts_seg *seg)
{
    const struct cts_retry *retry = &x->pipe.retry;
    return !cts_retry_is_awaited(retry, &retry->entry[entry]) &&
           cts_judge_is_settled(x->judge, seg);
}

static void retry_all(struct cts_exec *x, struct cts_arena *arena)
{
    struct cts_pipeline *p = &x->pipe;
    for (size_t i = 0; i < p->retry.entries && !cts_core_is_stopped(p->opts); i++) {
        struct cts_seg *seg = make_ready(x, p->retry.entry[i].variant, arena);
        const struct cts_wrong wrong = p->retry.entry[i].wrong;
        if (!seg || is_needless(x, i, seg))
            continue;
        if (!p->broken)
            cts_alone_run(p, x->judge, seg, &wrong);
        if (p->broken)
            report_broken(x, seg);
    }
}

/* A worker died, and of none of the programs it can have been when they were alone: never a pass.
 */
static void resolve_suspects(struct cts_exec *x, struct cts_arena *arena)
{
    struct cts_retry *retry = &x->pipe.retry;
    for (size_t i = 0; i < retry->suspects; i++) {
        const struct cts_suspect *s = &retry->suspect[i];
        struct cts_seg *seg = s->confirmed ? NULL : make_ready(x, s->variant, arena);
        if (seg && !x->pipe.broken)
            cts_attempt_report_death(&x->pipe, x->judge, seg, 0, 0, &s->err, s->among);
    }
}

/* Without memory for the list of what is to be tried again nothing can be said of any unit. */
static void report_lost_list(struct cts_exec *x, size_t n, struct cts_arena *arena)
{
    for (size_t i = 0; i < n; i++) {
        const struct cts_seg *seg = make_ready(x, x->units[i], arena);
        if (seg)
            cts_judge_error(x->judge, seg, "out of memory");
    }
}

/* ---- all ---- */

static void run_first(struct cts_exec *x, struct cts_seg *seg, uint32_t index)
{
    const struct cts_machine *m = &x->pipe.machine;
    bool is_long = cts_program_is_long(m, seg);
    if (x->pipe.broken)
        report_broken(x, seg);
    else if (is_long && cts_machine_predicts(m) && !cts_alone_is_single(m, seg))
        add_pieces(x, seg, index);
    else if (is_long || (cts_program_entries_of(m, seg) > 1 && cts_alone_is_single(m, seg)))
        cts_retry_add(&x->pipe.retry, seg, NULL);
    else
        add_unit(x, seg, index);
}

int cts_exec_units(struct cts_exec *x, struct cts_judge *judge, const uint32_t *units, size_t n,
                   struct cts_err *err)
{
    struct cts_pipeline *p = &x->pipe;
    struct cts_arena arena;
    struct cts_batch *answered;
    cts_arena_init(&arena, 0);
    x->judge = judge;
    x->units = units;
    x->vector = UINT32_MAX;
    for (uint32_t i = 0; i < n; i++) {
        struct cts_seg *seg = make_ready(x, units[i], &arena);
        if (!seg)
            continue;
        if (cts_core_is_stopped(p->opts))
            break;
        run_first(x, seg, i);
    }
    close_program(x);
    review(x, cts_pipeline_send(p));
    while ((answered = cts_pipeline_take(p)))
        review(x, answered);
    retry_all(x, &arena);
    resolve_suspects(x, &arena);
    if (p->retry.failed)
        report_lost_list(x, n, &arena);
    cts_retry_clear(&p->retry);
    cts_batch_reset(p->batch[0]);
    cts_batch_reset(p->batch[1]);
    cts_arena_release(&arena);
    if (p->broken && err && err->code == 0)
        *err = p->why_broken;
    return p->broken ? p->why_broken.code : 0;
}

int cts_exec_self_test(struct cts_exec *x, const struct cts_pack *pack,
                       const uint8_t *unit_selected, struct cts_arena *arena, const char **why,
                       uint8_t *made_of, struct cts_err *err)
{
    struct cts_pipeline *p = &x->pipe;
    *why = NULL;
    if (p->machine.caps->window_kind == CTS_WK_NONE)
        return 0;
    *why = cts_passthrough_check(p, pack, unit_selected, arena, made_of);
    if (p->broken && err)
        *err = p->why_broken;
    return p->broken ? CTS_E_WORKER : 0;
}
