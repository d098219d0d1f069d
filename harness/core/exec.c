#include "core/exec.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/rows.h"
#include "host/arena.h"
#include "host/buf.h"
#include "pack/env.h"

enum {
    FRAME_JOBS = 32,
    FRAME_CODE = 1 << 20, /* bytes of code after which a frame goes out */
    RING_ROWS = 4096,     /* of a sweep too long for half a window */
    START_TIMEOUT_MS = 10000,
    MAX_RESTARTS_IN_A_ROW = 3,
    SELF_TEST_SHAPES = 64,
};

/* One program: bodies that share it, and the rows they take. */
struct job {
    struct cts_seg *seg[CTS_ITEM_LAYOUTS];
    struct cts_layout layout[CTS_ITEM_LAYOUTS];
    uint32_t segs;
    uint32_t first;           /* the first operand row of each body that is run */
    uint32_t iterations;      /* 0: loaded, not run */
    uint8_t *expect;          /* iterations * segs * expect_bytes */
    size_t expect_bytes;      /* of one row */
    size_t code_at, code_len; /* in the frame's code */
    struct cts_map_def map[CTS_ITEM_MAPS];
    const char *name[CTS_ITEM_NAMES];
};

struct frame {
    struct job job[FRAME_JOBS];
    struct cts_item item[FRAME_JOBS];
    struct cts_answer answer[FRAME_JOBS];
    uint32_t jobs;
    uint32_t used; /* bytes of its half of the window */
    bool asked;
    uint64_t items_before; /* asked of the session before these */
    struct cts_buf code;
    uint8_t *expect; /* expected states of its rows: as large as its part of the window, since a
                        row's never takes more than its stride */
    size_t expect_used;
};

struct cts_exec {
    struct cts_session *session;
    const struct cts_core_opts *opts;
    struct cts_judge *judge;
    struct frame *frame[2];
    unsigned current;
    struct job open; /* the program being put together */
    struct again {
        uint32_t unit, bad_row; /* UINT32_MAX: none of its rows came out wrong */
        size_t blame;           /* it was under way when a worker died: index + 1 */
    } *again;                   /* units to look at one by one */
    size_t again_count, again_cap;
    struct blame {
        uint32_t unit; /* of the program that was running, as far as one can tell */
        struct cts_err err;
        bool confirmed; /* one of those under way did it again */
    } *blame;
    size_t blames, blame_cap;
    unsigned failed_starts;
    bool broken; /* the worker cannot be started any more */
    struct cts_err why_broken;
};

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
        free(x->frame[i]->expect);
        free(x->frame[i]);
    }
    free(x->again);
    free(x->blame);
    free(x);
}

static const struct cts_caps *caps(const struct cts_exec *x)
{
    return &x->session->caps;
}

static struct frame *current(struct cts_exec *x)
{
    return x->frame[x->current];
}

static uint32_t half_bytes(const struct cts_exec *x)
{
    return caps(x)->window_bytes / 2 & ~(uint32_t)63;
}

static uint32_t power_above(uint32_t n)
{
    uint32_t p = 1;
    while (p < n)
        p <<= 1;
    return p;
}

static uint32_t stride_of(const struct cts_layout *l)
{
    uint32_t bytes = CTS_ROW_MEM + l->mem_bytes;
    if (l->stack_off)
        bytes = l->stack_off + 2 * CTS_STACK_BYTES;
    return power_above(bytes);
}

static bool is_whole(const struct cts_seg *seg)
{
    return seg->unit->flags & CTS_UF_WHOLE;
}

static bool same_shape(const struct cts_seg *a, const struct cts_seg *b)
{
    const struct cts_layout *x = &a->layout, *y = &b->layout;
    return a->swept == b->swept && x->mem_bytes == y->mem_bytes && x->stack_off == y->stack_off;
}

static bool shares(const struct cts_seg *seg)
{
    const struct cts_pk_unit *u = seg->unit;
    return !(u->flags & (CTS_UF_WHOLE | CTS_UF_PACKET | CTS_UF_ALONE)) && u->maps.count == 0 &&
           u->names.count == 0;
}

static uint64_t region_bytes(uint32_t segs, uint32_t iterations, uint32_t stride)
{
    return CTS_WIN_HEADER + (uint64_t)power_above(segs * iterations) * stride;
}

static struct cts_who who(const struct cts_exec *x)
{
    return (struct cts_who){.runtime = caps(x)->runtime, .engine = caps(x)->engine};
}

/* May an outcome other than a refusal at load conform? If not, the program is loaded and never run.
 */
static bool may_run(const struct cts_exec *x, const struct cts_seg *seg)
{
    const struct cts_pack *p = seg->pack;
    if (seg->swept)
        return true;
    for (uint32_t r = 0; r < seg->rows; r++) {
        const struct cts_pk_row *row = &p->rows[seg->unit->rows.first + r];
        for (uint32_t i = 0; i < row->out.count; i++)
            if (p->outcomes[row->out.first + i].kind != CTS_OUT_REJECTED &&
                cts_outcome_counts(p, row->out, row->out.first + i, who(x)))
                return true;
    }
    return false;
}

static void look_again(struct cts_exec *x, const struct cts_seg *seg, uint32_t bad_row)
{
    for (size_t i = 0; i < x->again_count; i++) {
        if (x->again[i].unit != seg->unit_index)
            continue;
        if (x->again[i].bad_row == UINT32_MAX)
            x->again[i].bad_row = bad_row;
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
    x->again[x->again_count++] = (struct again){seg->unit_index, bad_row, 0};
}

/* ---- from jobs to items ---- */

static void reset_frame(struct frame *f)
{
    cts_buf_clear(&f->code);
    f->jobs = 0;
    f->used = CTS_WIN_RESERVED;
    f->expect_used = 0;
    f->asked = false;
}

static uint8_t *window_at(const struct cts_exec *x, uint32_t offset)
{
    return (uint8_t *)caps(x)->window + offset;
}

static uint8_t *row_at(const struct cts_exec *x, const struct job *j, uint32_t index)
{
    const struct cts_layout *l = &j->layout[0];
    return window_at(x, l->region) + CTS_WIN_HEADER + (size_t)(index & (l->rows - 1)) * l->stride;
}

static uint8_t *expect_at(const struct job *j, uint32_t index)
{
    return j->expect ? j->expect + (size_t)index * j->expect_bytes : NULL;
}

/* Body s runs its own row first + i in iteration i; a body with fewer rows than the others repeats
 * its last. */
static uint32_t row_number(const struct job *j, uint32_t s, uint32_t i)
{
    uint32_t r = j->first + i;
    return r < j->seg[s]->rows ? r : j->seg[s]->rows - 1;
}

static void fill_job(struct cts_exec *x, struct job *j)
{
    if (is_whole(j->seg[0]))
        return;
    cts_order_put64(caps(x)->be, window_at(x, j->layout[0].region) + CTS_WIN_INDEX, 0);
    for (uint32_t i = 0; i < j->iterations; i++) {
        for (uint32_t s = 0; s < j->segs; s++) {
            uint32_t at = i * j->segs + s;
            cts_seg_fill(j->seg[s], row_number(j, s, i), row_at(x, j, at), expect_at(j, at));
        }
    }
}

static void place_job(struct frame *f, struct job *j, uint32_t region, uint32_t rows)
{
    uint32_t stride = stride_of(&j->seg[0]->layout);
    for (uint32_t s = 0; s < j->segs; s++) {
        j->layout[s] = j->seg[s]->layout;
        j->layout[s].region = region;
        j->layout[s].rows = rows;
        j->layout[s].stride = stride;
    }
    j->expect_bytes = cts_seg_expect_bytes(j->seg[0]);
    j->expect = j->expect_bytes ? f->expect + f->expect_used : NULL;
    f->expect_used += rows * j->expect_bytes;
}

static int add_code(struct cts_exec *x, struct frame *f, struct job *j, struct cts_err *err)
{
    const struct cts_seg *one = j->seg[0];
    j->code_at = f->code.len;
    if (is_whole(one)) {
        size_t bytes = (size_t)one->unit->slots * CTS_SLOT_BYTES;
        cts_buf_add(&f->code, one->pack->code + one->unit->code, bytes);
        if (f->code.failed)
            return cts_err_set(err, CTS_E_NOMEM, "out of memory");
        if (caps(x)->be)
            cts_slots_swap_order((uint8_t *)f->code.data + j->code_at, one->unit->slots);
    } else {
        struct cts_env_segment seg[CTS_ITEM_LAYOUTS];
        for (uint32_t s = 0; s < j->segs; s++)
            seg[s] = (struct cts_env_segment){
                .code = one->pack->code + j->seg[s]->unit->code,
                .slots = j->seg[s]->unit->slots,
                .body_slots = j->seg[s]->unit->body_slots,
                .layout = j->layout[s],
            };
        int rc = cts_env_build(caps(x), seg, j->segs, &f->code, err);
        if (rc != 0)
            return rc;
    }
    j->code_len = f->code.len - j->code_at;
    return 0;
}

static void fill_objects(struct job *j, struct cts_load_req *req)
{
    const struct cts_seg *seg = j->seg[0];
    const struct cts_pack *p = seg->pack;
    const struct cts_pk_unit *u = seg->unit;
    for (uint32_t i = 0; i < u->maps.count && i < CTS_ITEM_MAPS; i++, req->map_count++) {
        const struct cts_pk_map *m = &p->maps[u->maps.first + i];
        j->map[i] =
            (struct cts_map_def){m->value_bytes, m->entries,
                                 p->data + (seg->be && m->be != UINT32_MAX ? m->be : m->data)};
    }
    for (uint32_t i = 0; i < u->names.count && i < CTS_ITEM_NAMES; i++, req->name_count++)
        j->name[i] = cts_pack_text(p, p->string_refs[u->names.first + i]);
    req->maps = j->map;
    req->names = j->name;
}

/* The item's pointers into the frame's code are set in ask(), when the code no longer moves. */
static void make_item(struct job *j, struct cts_item *it, uint8_t ops, uint8_t prog)
{
    const struct cts_pk_unit *u = j->seg[0]->unit;
    *it = (struct cts_item){.ops = ops, .prog = prog};
    it->load.kind = is_whole(j->seg[0]) ? CTS_PK_WHOLE : CTS_PK_WINDOW;
    it->load.packet = u->flags & CTS_UF_PACKET;
    it->load.log = j->segs == 1;
    it->load.layout = is_whole(j->seg[0]) ? NULL : j->layout;
    it->load.segments = is_whole(j->seg[0]) ? 0 : j->segs;
    fill_objects(j, &it->load);
    it->run.iterations = j->iterations ? j->iterations : 1;
    it->run.packet = u->packet.count ? j->seg[0]->pack->data + u->packet.first : NULL;
    it->run.packet_bytes = u->packet.count;
    if (!is_whole(j->seg[0])) {
        it->rows_off = j->layout[0].region;
        it->rows_bytes = cts_layout_bytes(&j->layout[0]);
    }
}

static int add_job(struct cts_exec *x, struct frame *f, const struct job *made, uint32_t half,
                   struct cts_err *err)
{
    struct job *j = &f->job[f->jobs];
    *j = *made;
    if (!is_whole(j->seg[0]))
        place_job(f, j, half * half_bytes(x) + f->used, power_above(j->segs * j->iterations));
    int rc = add_code(x, f, j, err);
    if (rc != 0)
        return rc;
    uint8_t ops = CTS_OP_LOAD | CTS_OP_UNLOAD;
    if (may_run(x, j->seg[0]))
        ops |= CTS_OP_RUN;
    else
        j->iterations = 0;
    make_item(j, &f->item[f->jobs], ops, (uint8_t)(half * FRAME_JOBS + f->jobs));
    if (!is_whole(j->seg[0]))
        f->used += (cts_layout_bytes(&j->layout[0]) + 63) & ~(uint32_t)63;
    fill_job(x, j);
    f->jobs++;
    return 0;
}

/* ---- asking, and what comes back ---- */

static unsigned timeout_of(const struct cts_exec *x)
{
    return x->opts->timeout_ms;
}

static int ask(struct cts_exec *x, struct frame *f, struct cts_err *err)
{
    for (uint32_t i = 0; i < f->jobs; i++) {
        f->item[i].load.code = (const uint8_t *)f->code.data + f->job[i].code_at;
        f->item[i].load.slots = (uint32_t)(f->job[i].code_len / CTS_SLOT_BYTES);
    }
    f->items_before = x->session->items_asked;
    int rc = cts_session_ask(x->session, f->item, f->jobs, timeout_of(x), err);
    if (rc == 0)
        rc = cts_session_ask(x->session, NULL, 0, timeout_of(x), err);
    f->asked = rc == 0;
    return rc;
}

/* The answers to a frame, and to the empty question behind it: what a worker says beside its
 * answers comes between the two, and is blamed on this frame and no later one. */
static int answers(struct cts_exec *x, struct frame *f, struct cts_err *err)
{
    int rc = cts_session_answer(x->session, f->answer, f->jobs, timeout_of(x), err);
    return rc == 0 ? cts_session_answer(x->session, NULL, 0, timeout_of(x), err) : rc;
}

static struct cts_obs observe(const struct cts_exec *x, const struct job *j, uint32_t s, uint32_t i,
                              const struct cts_answer *a)
{
    uint32_t at = i * j->segs + s;
    struct cts_obs o = {.seen = CTS_SEEN_RAN, .text = a->run.text};
    if (is_whole(j->seg[s])) {
        o.result_known = true;
        o.r0 = a->run.r0;
        return o;
    }
    o.row = row_at(x, j, at);
    o.expect = expect_at(j, at);
    if (caps(x)->window_kind == CTS_WK_NATIVE) {
        if (cts_order_get64(caps(x)->be, o.row + CTS_ROW_END) == CTS_END_EXITED) {
            o.seen = CTS_SEEN_EXITED;
            o.result_known = true;
            o.r0 = cts_order_get64(caps(x)->be, o.row + CTS_ROW_OUT);
        }
    } else if (!cts_seg_match(j->seg[s], row_number(j, s, i), o.row, o.expect, who(x)) &&
               cts_seg_untouched(j->seg[s], row_number(j, s, i), o.row, o.expect)) {
        o.seen = CTS_SEEN_EXITED;
        o.result_known = j->iterations == 1;
        o.r0 = a->run.r0;
    }
    return o;
}

/* Rows of one body after a run that went through: matching ones are told, the first other one is
 * returned (or UINT32_MAX). */
static uint32_t check_rows(struct cts_exec *x, const struct job *j, uint32_t s)
{
    struct cts_seg *seg = j->seg[s];
    uint32_t rows = seg->rows - j->first < j->iterations ? seg->rows - j->first : j->iterations;
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t at = i * j->segs + s;
        if (!cts_seg_match(seg, j->first + i, row_at(x, j, at), expect_at(j, at), who(x)))
            return i;
    }
    if (seg->swept)
        cts_judge_matched(x->judge, seg, j->first, rows);
    for (uint32_t i = 0; !seg->swept && i < rows; i++)
        cts_judge_matched(x->judge, seg, j->first + i, 1);
    return UINT32_MAX;
}

static void look_again_all(struct cts_exec *x, const struct job *j)
{
    for (uint32_t s = 0; s < j->segs; s++)
        look_again(x, j->seg[s], UINT32_MAX);
}

static enum cts_seen seen_of_load(const struct cts_load_res *l)
{
    return l->verdict == CTS_REJECTED ? CTS_SEEN_REJECTED : CTS_SEEN_LOAD_ERROR;
}

/* First sight: what is plainly right, or a plain refusal, is told; everything else is looked at
 * again alone. */
static void first_sight(struct cts_exec *x, const struct job *j, const struct cts_answer *a)
{
    struct cts_seg *one = j->seg[0];
    if (a->load.verdict != CTS_ACCEPTED) {
        struct cts_obs o = {.seen = seen_of_load(&a->load), .text = a->load.text};
        if (j->segs == 1 && o.seen == CTS_SEEN_REJECTED)
            cts_judge_unit(x->judge, one, &o);
        else
            look_again_all(x, j);
        return;
    }
    if (j->iterations == 0 || a->run.status != CTS_RAN) {
        look_again_all(x, j);
        return;
    }
    for (uint32_t s = 0; s < j->segs; s++) {
        uint32_t bad = check_rows(x, j, s);
        if (bad != UINT32_MAX)
            look_again(x, j->seg[s], bad);
    }
}

static void whole_sight(struct cts_exec *x, const struct job *j, const struct cts_answer *a)
{
    struct cts_obs o = observe(x, j, 0, 0, a);
    if (a->load.verdict != CTS_ACCEPTED)
        o = (struct cts_obs){.seen = seen_of_load(&a->load), .text = a->load.text};
    else if (j->iterations == 0)
        o = (struct cts_obs){.seen = CTS_SEEN_RAN};
    else if (a->run.status == CTS_FAULTED)
        o = (struct cts_obs){.seen = CTS_SEEN_FAULTED, .text = a->run.text};
    else if (a->run.status == CTS_RUN_ERROR)
        o = (struct cts_obs){.seen = CTS_SEEN_LOAD_ERROR, .text = a->run.text};
    cts_judge_row(x->judge, j->seg[0], 0, &o);
}

static int collect(struct cts_exec *x, struct frame *f, struct cts_err *err)
{
    int rc = answers(x, f, err);
    if (rc != 0)
        return rc;
    f->asked = false;
    for (uint32_t i = 0; i < f->jobs; i++) {
        if (is_whole(f->job[i].seg[0]))
            whole_sight(x, &f->job[i], &f->answer[i]);
        else
            first_sight(x, &f->job[i], &f->answer[i]);
    }
    return 0;
}

/* ---- when the worker is gone ---- */

static bool restart(struct cts_exec *x)
{
    struct cts_err err = {0};
    while (!x->broken) {
        cts_session_stop(x->session);
        if (x->opts->stop && *x->opts->stop)
            break;
        if (cts_session_start(x->session, START_TIMEOUT_MS, &err) == 0) {
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
    if (x->why_broken.code == 0)
        cts_err_set(&x->why_broken, CTS_E_WORKER, "interrupted");
    x->broken = true;
    return false;
}

static void broken_unit(struct cts_exec *x, const struct cts_seg *seg)
{
    char text[CTS_ERR_MSG_MAX];
    cts_judge_error(x->judge, seg, cts_err_text(&x->why_broken, text, sizeof(text)));
}

/* The program of frame f that the worker had begun last, if it is one of this frame; null
 * otherwise. */
static const struct job *last_begun(const struct cts_exec *x, const struct frame *f)
{
    uint64_t begun = cts_session_begun(x->session);
    if (!f->asked || begun <= f->items_before || begun - f->items_before > f->jobs)
        return NULL;
    return &f->job[begun - f->items_before - 1];
}

static void blame_job(struct cts_exec *x, const struct job *j, const struct cts_err *err)
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
    x->blame[x->blames++] = (struct blame){.unit = j->seg[0]->unit_index, .err = *err};
}

/* The frames under way are lost: all their units are looked at again. Whatever ended the worker
 * must show again, or is flaky: the death is put down to the program that was running, or to the
 * first there was. */
static void lose_frames(struct cts_exec *x, const struct cts_err *err)
{
    const struct job *culprit = NULL;
    for (unsigned k = 0; k < 2 && !culprit; k++)
        culprit = last_begun(x, x->frame[k]);
    for (unsigned k = 1; k <= 2 && !culprit; k++)
        if (x->frame[(x->current + k) % 2]->asked)
            culprit = &x->frame[(x->current + k) % 2]->job[0];
    if (culprit)
        blame_job(x, culprit, err);
    size_t first = x->again_count;
    for (unsigned k = 0; k < 2; k++) {
        struct frame *f = x->frame[k];
        for (uint32_t i = 0; f->asked && i < f->jobs; i++)
            look_again_all(x, &f->job[i]);
        reset_frame(f);
    }
    for (; first < x->again_count; first++)
        x->again[first].blame = x->blames;
    restart(x);
}

/* The unit ended the worker when it was alone, too. */
static void confirm(struct cts_exec *x, uint32_t unit)
{
    for (size_t i = 0; i < x->again_count; i++)
        if (x->again[i].unit == unit && x->again[i].blame)
            x->blame[x->again[i].blame - 1].confirmed = true;
}

static void drain(struct cts_exec *x)
{
    for (unsigned k = 1; k <= 2; k++) {
        struct frame *f = x->frame[(x->current + k) % 2];
        struct cts_err err = {0};
        if (f->asked && collect(x, f, &err) != 0)
            lose_frames(x, &err);
        reset_frame(f);
    }
}

/* Sends the current frame and turns to the other, whose answers are taken first. */
static void flush_frame(struct cts_exec *x)
{
    struct frame *f = current(x);
    struct cts_err err = {0};
    if (f->jobs == 0)
        return;
    if (x->broken) {
        for (uint32_t i = 0; i < f->jobs; i++)
            look_again_all(x, &f->job[i]);
        reset_frame(f);
        return;
    }
    if (ask(x, f, &err) != 0) {
        f->asked = true;
        lose_frames(x, &err);
        return;
    }
    x->current = !x->current;
    f = current(x);
    if (f->asked && collect(x, f, &err) != 0)
        lose_frames(x, &err);
    reset_frame(f);
}

/* ---- one unit alone ---- */

/* A worker that died or fell silent while one unit was alone with it. */
static enum cts_seen seen_of_error(int rc)
{
    return rc == CTS_E_TIMEOUT ? CTS_SEEN_TIMED_OUT : CTS_SEEN_CRASHED;
}

/* One program, alone in the worker. 0 with the answer in frame 0, or the session's error after a
 * restart. */
static int run_job(struct cts_exec *x, const struct job *made, struct cts_err *err)
{
    struct frame *f = x->frame[0];
    x->current = 0;
    int rc = add_job(x, f, made, 0, err);
    if (rc != 0)
        return rc;
    rc = ask(x, f, err);
    if (rc == 0)
        rc = answers(x, f, err);
    f->asked = false;
    if (rc != 0)
        restart(x);
    return rc;
}

static struct job job_of(struct cts_seg *seg, uint32_t first, uint32_t rows)
{
    return (struct job){.seg = {seg}, .segs = 1, .first = first, .iterations = rows};
}

static bool is_session_error(int rc)
{
    return rc == CTS_E_WORKER || rc == CTS_E_TIMEOUT || rc == CTS_E_PROTOCOL || rc == CTS_E_IO;
}

static struct cts_obs observe_one(struct cts_exec *x, const struct job *j,
                                  const struct cts_answer *a)
{
    if (a->load.verdict != CTS_ACCEPTED)
        return (struct cts_obs){.seen = seen_of_load(&a->load), .text = a->load.text};
    if (a->run.status == CTS_FAULTED)
        return (struct cts_obs){.seen = CTS_SEEN_FAULTED, .text = a->run.text};
    if (a->run.status == CTS_RUN_ERROR)
        return (struct cts_obs){.seen = CTS_SEEN_LOAD_ERROR, .text = a->run.text};
    if (j->iterations == 0)
        return (struct cts_obs){.seen = CTS_SEEN_RAN};
    return observe(x, j, 0, 0, a);
}

static void add_job_failed(struct cts_exec *x, struct cts_seg *seg, int rc,
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

/* Runs rows [first, first + rows) of a unit; a worker that dies of it is asked once more. 0 with
 * the answer in frame 0; *died tells that the first attempt ended the worker, and err how. */
static int run_twice(struct cts_exec *x, struct cts_seg *seg, uint32_t first, uint32_t rows,
                     bool *died, struct cts_err *err)
{
    struct job made = job_of(seg, first, rows);
    reset_frame(x->frame[0]);
    int rc = run_job(x, &made, err);
    *died = is_session_error(rc);
    if (*died && !x->broken) {
        reset_frame(x->frame[0]);
        rc = run_job(x, &made, NULL);
    }
    return rc;
}

/* What there is to say when the worker died at least once. */
static void judge_death(struct cts_exec *x, struct cts_seg *seg, uint32_t r, int second_rc,
                        const struct cts_err *err)
{
    char text[CTS_ERR_MSG_MAX];
    struct cts_obs o = {.text = cts_err_text(err, text, sizeof(text))};
    o.flaky = second_rc == 0;
    o.seen = seen_of_error(err->code);
    confirm(x, seg->unit_index);
    cts_judge_row(x->judge, seg, r, &o);
}

/* One operand row by itself. bad: it came out wrong among others. */
static void run_row(struct cts_exec *x, struct cts_seg *seg, uint32_t r, bool bad)
{
    struct cts_err err = {0};
    bool died;
    int rc = run_twice(x, seg, r, 1, &died, &err);
    if (died) {
        judge_death(x, seg, r, rc, &err);
        return;
    }
    if (rc != 0) {
        add_job_failed(x, seg, rc, &err);
        return;
    }
    struct cts_obs o = observe_one(x, &x->frame[0]->job[0], &x->frame[0]->answer[0]);
    o.flaky =
        bad && o.seen == CTS_SEEN_RAN && o.row && cts_seg_match(seg, r, o.row, o.expect, who(x));
    if (o.flaky)
        o.text = "wrong among other programs, right alone";
    cts_judge_row(x->judge, seg, r, &o);
}

static void run_sweep(struct cts_exec *x, struct cts_seg *seg, uint32_t bad_row)
{
    struct cts_err err = {0};
    bool died;
    int rc = run_twice(x, seg, 0, seg->rows, &died, &err);
    const struct cts_answer *a = &x->frame[0]->answer[0];
    uint32_t bad = bad_row;
    if (died) {
        judge_death(x, seg, 0, rc, &err);
        return;
    }
    if (rc != 0) {
        add_job_failed(x, seg, rc, &err);
        return;
    }
    if (a->load.verdict != CTS_ACCEPTED)
        bad = 0;
    else if (a->run.status != CTS_RAN)
        bad = a->run.done;
    else {
        uint32_t now = check_rows(x, &x->frame[0]->job[0], 0);
        bad = now != UINT32_MAX ? now : bad;
    }
    if (bad != UINT32_MAX)
        run_row(x, seg, bad < seg->rows ? bad : 0, true);
}

/* Is the state of the platform, or the result, of one row lost in the next? */
static bool row_by_row(const struct cts_seg *seg)
{
    return seg->unit->maps.count || (seg->unit->flags & CTS_UF_ALONE);
}

/* A unit that is alone; what is not plainly right is run row by row. A sweep is one case: its first
 * bad row will do. */
static void run_unit(struct cts_exec *x, struct cts_seg *seg, uint32_t bad_row)
{
    if (seg->swept) {
        run_sweep(x, seg, bad_row);
        return;
    }
    if (seg->rows > 1 && !row_by_row(seg)) {
        struct cts_err err = {0};
        struct job made = job_of(seg, 0, seg->rows);
        reset_frame(x->frame[0]);
        int rc = run_job(x, &made, &err);
        const struct cts_answer *a = &x->frame[0]->answer[0];
        if (rc == 0 && a->load.verdict == CTS_ACCEPTED && a->run.status == CTS_RAN &&
            check_rows(x, &x->frame[0]->job[0], 0) == UINT32_MAX) {
            if (bad_row != UINT32_MAX)
                run_row(x, seg, bad_row, true);
            return;
        }
    }
    for (uint32_t r = 0; r < seg->rows && !x->broken; r++)
        run_row(x, seg, r, r == bad_row);
}

/* ---- long sweeps ---- */

/* A sweep in a ring of rows: while the worker runs one half, the other is filled. */
struct ring {
    struct frame *f;
    struct job *j;
    uint32_t half; /* operand rows in half the ring */
    uint32_t runs; /* how many halves there are to run */
    uint32_t last; /* rows in the last of them */
};

static uint32_t ring_count(const struct ring *g, uint32_t run)
{
    return run + 1 == g->runs ? g->last : g->half;
}

static void ring_fill(struct cts_exec *x, const struct ring *g, uint32_t run)
{
    for (uint32_t i = 0; i < ring_count(g, run); i++) {
        uint32_t r = run * g->half + i, at = r & (g->j->layout[0].rows - 1);
        cts_seg_fill(g->j->seg[0], r, row_at(x, g->j, at), expect_at(g->j, at));
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
    make_item(g->j, it, ops, 0);
    it->load.code = (const uint8_t *)g->f->code.data + g->j->code_at;
    it->load.slots = (uint32_t)(g->j->code_len / CTS_SLOT_BYTES);
    it->run.iterations = ring_count(g, run);
    it->run.first_row = (run * g->half) & (g->j->layout[0].rows - 1);
    return cts_session_ask(x->session, it, 1, timeout_of(x), err);
}

/* The first row of the half that is not as expected; UINT32_MAX if there is none. */
static uint32_t ring_check(struct cts_exec *x, const struct ring *g, uint32_t run)
{
    struct cts_seg *seg = g->j->seg[0];
    uint32_t n = ring_count(g, run);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t r = run * g->half + i, at = r & (g->j->layout[0].rows - 1);
        if (!cts_seg_match(seg, r, row_at(x, g->j, at), expect_at(g->j, at), who(x)))
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
        rc = cts_session_answer(x->session, a, 1, timeout_of(x), err);
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
        rc = cts_session_ask(x->session, NULL, 0, timeout_of(x), err);
    return rc == 0 ? cts_session_answer(x->session, NULL, 0, timeout_of(x), err) : rc;
}

static int ring_init(struct cts_exec *x, struct cts_seg *seg, struct ring *g, struct cts_err *err)
{
    struct frame *f = x->frame[0];
    uint32_t stride = stride_of(&seg->layout), rows = RING_ROWS;
    x->current = 0;
    reset_frame(f);
    while (rows > 2 && (CTS_WIN_RESERVED + region_bytes(1, rows, stride) > caps(x)->window_bytes ||
                        rows / 2 > caps(x)->max_iterations))
        rows /= 2;
    f->jobs = 1;
    f->job[0] = job_of(seg, 0, 0);
    *g = (struct ring){.f = f, .j = &f->job[0], .half = rows / 2};
    g->runs = (seg->rows + g->half - 1) / g->half;
    g->last = seg->rows - (g->runs - 1) * g->half;
    place_job(f, g->j, CTS_WIN_RESERVED, rows);
    return add_code(x, f, g->j, err);
}

static void run_long_sweep(struct cts_exec *x, struct cts_seg *seg)
{
    struct cts_err err = {0}, first = {0};
    uint32_t bad = UINT32_MAX;
    int rc = 0;
    for (unsigned attempt = 0; attempt < 2 && !x->broken; attempt++) {
        struct ring g;
        cts_err_clear(&err);
        rc = ring_init(x, seg, &g, &err);
        if (rc != 0) {
            add_job_failed(x, seg, rc, &err);
            return;
        }
        cts_order_put64(caps(x)->be, window_at(x, CTS_WIN_RESERVED) + CTS_WIN_INDEX, 0);
        rc = ring_run(x, &g, &bad, &err);
        if (rc == 0)
            break;
        if (attempt == 0)
            first = err;
        restart(x);
    }
    if (first.code)
        judge_death(x, seg, 0, rc, &first);
    else if (bad != UINT32_MAX)
        run_row(x, seg, bad < seg->rows ? bad : 0, true);
}

/* ---- units to jobs ---- */

static bool is_long(const struct cts_exec *x, const struct cts_seg *seg)
{
    if (is_whole(seg))
        return false;
    uint64_t bytes = region_bytes(1, seg->rows ? seg->rows : 1, stride_of(&seg->layout));
    return bytes > half_bytes(x) - CTS_WIN_RESERVED || seg->rows > caps(x)->max_iterations;
}

static void close_job(struct cts_exec *x)
{
    struct cts_err err = {0};
    if (x->open.segs == 0)
        return;
    int rc = add_job(x, current(x), &x->open, x->current, &err);
    if (rc != 0 && x->open.segs == 1)
        add_job_failed(x, x->open.seg[0], rc, &err);
    else if (rc != 0)
        look_again_all(x, &x->open);
    x->open.segs = 0;
    struct frame *f = current(x);
    if (f->jobs == FRAME_JOBS || f->code.len > FRAME_CODE)
        flush_frame(x);
}

static uint64_t open_bytes(const struct cts_exec *x, const struct cts_seg *more)
{
    uint32_t rows = more->rows > x->open.iterations ? more->rows : x->open.iterations;
    return region_bytes(x->open.segs + 1, rows, stride_of(&more->layout));
}

static bool fits_open(const struct cts_exec *x, const struct cts_seg *seg)
{
    const struct job *j = &x->open;
    if (j->segs == 0)
        return true;
    return j->segs < caps(x)->max_segments && shares(seg) && shares(j->seg[0]) &&
           same_shape(seg, j->seg[0]);
}

/* Takes the unit into the program being put together, or begins another one with it. */
static void add_unit(struct cts_exec *x, struct cts_seg *seg)
{
    uint64_t room = half_bytes(x) - current(x)->used;
    if (!fits_open(x, seg) || (!is_whole(seg) && x->open.segs && open_bytes(x, seg) > room))
        close_job(x);
    room = half_bytes(x) - current(x)->used;
    if (x->open.segs == 0 && !is_whole(seg) && open_bytes(x, seg) > room)
        flush_frame(x);
    if (x->open.segs == 0)
        x->open.iterations = 0;
    x->open.seg[x->open.segs++] = seg;
    if (seg->rows > x->open.iterations)
        x->open.iterations = seg->rows;
}

static struct cts_seg *new_seg(struct cts_exec *x, uint32_t unit, struct cts_arena *arena)
{
    struct cts_err err = {0};
    struct cts_seg *seg = cts_arena_take(arena, sizeof(*seg));
    if (!seg)
        return NULL;
    if (cts_seg_init(seg, x->judge->pack, unit, caps(x), x->opts->level, arena, &err) != 0) {
        char text[CTS_ERR_MSG_MAX];
        cts_judge_error(x->judge, seg, cts_err_text(&err, text, sizeof(text)));
        return NULL;
    }
    return seg;
}

static void look_again_at_all(struct cts_exec *x, struct cts_arena *arena)
{
    for (size_t i = 0; i < x->again_count; i++) {
        struct cts_seg *seg = new_seg(x, x->again[i].unit, arena);
        if (!seg)
            continue;
        if (x->broken)
            broken_unit(x, seg);
        else if (is_long(x, seg))
            run_long_sweep(x, seg);
        else
            run_unit(x, seg, x->again[i].bad_row);
        if (x->broken)
            broken_unit(x, seg);
    }
}

/* A worker died, and of none of the programs it can have been when they were alone: never a pass.
 */
static void settle_blames(struct cts_exec *x, struct cts_arena *arena)
{
    for (size_t i = 0; i < x->blames; i++) {
        struct cts_seg *seg = x->blame[i].confirmed ? NULL : new_seg(x, x->blame[i].unit, arena);
        if (seg && !x->broken)
            judge_death(x, seg, 0, 0, &x->blame[i].err);
    }
    x->blames = 0;
    x->again_count = 0;
}

int cts_exec_units(struct cts_exec *x, struct cts_judge *judge, const uint32_t *units, size_t n,
                   struct cts_err *err)
{
    struct cts_arena arena;
    cts_arena_init(&arena, 0);
    x->judge = judge;
    for (size_t i = 0; i < n; i++) {
        struct cts_seg *seg = new_seg(x, units[i], &arena);
        if (!seg)
            continue;
        if (x->broken)
            broken_unit(x, seg);
        else if ((seg->rows > 1 && row_by_row(seg)) || is_long(x, seg))
            look_again(x, seg, UINT32_MAX);
        else
            add_unit(x, seg);
    }
    close_job(x);
    flush_frame(x);
    drain(x);
    look_again_at_all(x, &arena);
    settle_blames(x, &arena);
    reset_frame(x->frame[0]);
    reset_frame(x->frame[1]);
    cts_arena_release(&arena);
    if (x->broken && err && err->code == 0)
        *err = x->why_broken;
    return x->broken ? CTS_E_WORKER : 0;
}

/* ---- the environment's own test ---- */

/* A pack of one unit in memory: an empty body in the shape of another unit, two rows. */
struct probe {
    struct cts_pack pack;
    struct cts_pk_vector vector;
    struct cts_pk_case kase;
    struct cts_pk_unit unit;
    struct cts_pk_row row[2];
    struct cts_pk_outcome outcome[2];
    struct cts_pk_state state[2];
};

static struct cts_pk_bytes_ref probe_bytes(uint32_t at)
{
    return (struct cts_pk_bytes_ref){
        .data = at, .width = UINT32_MAX, .any = UINT32_MAX, .be = UINT32_MAX};
}

static struct probe *probe_new(const struct cts_pk_unit *like, struct cts_arena *arena)
{
    struct probe *p = cts_arena_take(arena, sizeof(*p));
    uint32_t bytes = like->layout.mem_bytes + CTS_STACK_BYTES;
    uint8_t *data = cts_arena_take(arena, bytes);
    if (!p || !data)
        return NULL;
    for (uint32_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)(i * 29 + 7);
    p->unit = (struct cts_pk_unit){.layout = like->layout, .rows = {0, 2}, .sweep = UINT32_MAX};
    p->unit.layout.out_mask = 0x3ff;
    p->unit.layout.body_slots = 0;
    for (unsigned i = 0; i < 10; i++)
        if (p->unit.layout.place[i] != CTS_PL_MEM && p->unit.layout.place[i] != CTS_PL_FP)
            p->unit.layout.place[i] = CTS_PL_VALUE;
    for (uint32_t k = 0; k < 2; k++) {
        struct cts_pk_state *s = &p->state[k];
        for (unsigned i = 0; i < 10; i++) {
            s->place[i] = p->unit.layout.place[i];
            s->r[i] = s->place[i] == CTS_PL_VALUE ? (0x9e3779b97f4a7c15u ^ k) * (i + 3)
                                                  : (uint64_t)(int64_t)like->layout.add[i];
        }
        s->mem = probe_bytes(0);
        s->stack = probe_bytes(like->layout.mem_bytes);
        p->outcome[k] = (struct cts_pk_outcome){.kind = CTS_OUT_RAN, .state = k};
        p->row[k] = (struct cts_pk_row){.kase = 0, .in = k, .out = {k, 1}};
    }
    p->pack = (struct cts_pack){.vectors = &p->vector,
                                .cases = &p->kase,
                                .units = &p->unit,
                                .rows = p->row,
                                .outcomes = p->outcome,
                                .states = p->state,
                                .code = data,
                                .data = data,
                                .strings = ""};
    return p;
}

static bool same_environment(const struct cts_layout *a, const struct cts_layout *b)
{
    return a->mem_bytes == b->mem_bytes && a->stack_off == b->stack_off && a->spill == b->spill &&
           a->record == b->record && memcmp(a->place, b->place, sizeof(a->place)) == 0 &&
           memcmp(a->add, b->add, sizeof(a->add)) == 0;
}

static const char *blame(const struct cts_exec *x, const struct cts_layout *layout,
                         const char *what, struct cts_arena *arena)
{
    uint16_t rows[64];
    struct cts_layout placed = *layout;
    struct cts_buf b;
    cts_buf_init(&b, 65536);
    placed.rows = 2;
    placed.stride = stride_of(layout);
    uint32_t n = cts_env_rows(caps(x), &placed, rows, 64);
    cts_buf_addf(&b, "the environment does not hand a state through unchanged (%s)", what);
    for (uint32_t i = 0; i < n; i++)
        cts_buf_addf(&b, "%s%s", i ? ", " : "; it is made of ",
                     cts_row_info((enum cts_row_id)rows[i])->id);
    const char *copy = cts_arena_strdup(arena, cts_buf_text(&b));
    cts_buf_release(&b);
    return copy;
}

static const char *test_shape(struct cts_exec *x, const struct cts_pk_unit *unit,
                              struct cts_arena *arena)
{
    struct cts_err err = {0};
    struct cts_seg seg;
    char text[CTS_ERR_MSG_MAX];
    struct probe *p = probe_new(unit, arena);
    if (!p || cts_seg_init(&seg, &p->pack, 0, caps(x), x->opts->level, arena, &err) != 0)
        return "out of memory";
    struct job made = job_of(&seg, 0, 2);
    reset_frame(x->frame[0]);
    int rc = run_job(x, &made, &err);
    const struct cts_answer *a = &x->frame[0]->answer[0];
    const char *what = NULL;
    if (rc != 0)
        what = cts_err_text(&err, text, sizeof(text));
    else if (a->load.verdict != CTS_ACCEPTED)
        what = a->load.text[0] ? a->load.text : "refused at load";
    else if (a->run.status != CTS_RAN)
        what = a->run.text[0] ? a->run.text : "stopped";
    else if (check_rows(x, &x->frame[0]->job[0], 0) != UINT32_MAX)
        what = "a register or a byte differs";
    return what ? blame(x, &unit->layout, what, arena) : NULL;
}

/* May a unit's shape be had on this runtime at all? What needs a feature it lacks is skipped
 * elsewhere. */
static bool shape_possible(const struct cts_exec *x, const struct cts_pack *pack,
                           const struct cts_pk_unit *u)
{
    uint32_t needs = pack->vectors[u->vector].needs;
    return (needs & caps(x)->features) == needs;
}

int cts_exec_self_test(struct cts_exec *x, const struct cts_pack *pack,
                       const uint8_t *unit_selected, struct cts_arena *arena, const char **why,
                       struct cts_err *err)
{
    const struct cts_layout *seen[SELF_TEST_SHAPES];
    struct cts_judge none = {.pack = pack, .caps = caps(x), .arena = arena};
    uint32_t count = 0;
    x->judge = &none;
    *why = NULL;
    for (uint32_t i = 0; i < pack->unit_count && count < SELF_TEST_SHAPES && !*why; i++) {
        const struct cts_pk_unit *u = &pack->units[i];
        uint32_t k = 0;
        if (!unit_selected[i] || (u->flags & (CTS_UF_WHOLE | CTS_UF_PACKET)) ||
            !shape_possible(x, pack, u))
            continue;
        while (k < count && !same_environment(seen[k], &u->layout))
            k++;
        if (k < count)
            continue;
        seen[count++] = &u->layout;
        *why = test_shape(x, u, arena);
    }
    reset_frame(x->frame[0]);
    if (x->broken && err)
        *err = x->why_broken;
    return x->broken ? CTS_E_WORKER : 0;
}
