#include "core/exec_impl.h"

#include <string.h>

#include "base/bytes.h"
#include "pack/env.h"

struct frame *cts_x_current(struct cts_exec *x)
{
    return x->frame[x->current];
}

bool cts_x_rows_travel(const struct cts_exec *x)
{
    return !x->session->shared || cts_x_guesses(x);
}

uint32_t cts_x_window_bytes(const struct cts_exec *x)
{
    uint32_t bytes = cts_x_caps(x)->window_bytes;
    return cts_x_rows_travel(x) && bytes > TRAVEL_BYTES ? TRAVEL_BYTES : bytes;
}

uint32_t cts_x_half_bytes(const struct cts_exec *x)
{
    return cts_x_window_bytes(x) / 2 & ~(uint32_t)63;
}

uint32_t cts_x_room(const struct cts_exec *x, uint32_t used)
{
    uint32_t half = cts_x_half_bytes(x);
    return half > used ? half - used : 0;
}

static uint32_t power_above(uint32_t n)
{
    uint32_t p = 1;
    while (p < n)
        p <<= 1;
    return p;
}

uint32_t cts_x_stride_of(const struct cts_layout *l)
{
    uint32_t bytes = CTS_ENTRY_MEM + l->mem_bytes;
    if (l->stack_off)
        bytes = l->stack_off + 2 * CTS_STACK_BYTES;
    return power_above(bytes);
}

bool cts_x_is_whole(const struct cts_seg *seg)
{
    return seg->whole;
}

uint64_t cts_x_region_bytes(uint32_t segs, uint32_t iterations, uint32_t stride)
{
    return CTS_WIN_HEADER + (uint64_t)power_above(segs * iterations) * stride;
}

/* May an outcome other than a refusal at load conform? If not, the program is loaded and never run.
 */
static bool may_run(const struct cts_exec *x, const struct cts_seg *seg)
{
    const struct cts_pack *p = seg->pack;
    if (cts_x_loads_only(x))
        return false;
    if (seg->swept || cts_x_guesses(x))
        return true;
    for (uint32_t r = 0; r < seg->rows; r++) {
        const struct cts_pk_row *row = &p->rows[seg->unit->rows.first + r];
        for (uint32_t i = 0; i < row->out.count; i++)
            if (p->outcomes[row->out.first + i].kind != CTS_OUT_REJECTED &&
                cts_outcome_counts(p, row->out, row->out.first + i, cts_x_who(x)))
                return true;
    }
    return false;
}

void cts_x_reset_frame(struct frame *f)
{
    cts_buf_clear(&f->code);
    cts_buf_clear(&f->elf);
    cts_buf_clear(&f->guess);
    f->jobs = 0;
    f->used = CTS_WIN_RESERVED;
    f->expect_used = 0;
    f->asked = false;
}

uint32_t cts_x_row_number(const struct job *j, uint32_t s, uint32_t i)
{
    uint32_t r = j->first + i;
    return r < j->seg[s]->rows ? r : j->seg[s]->rows - 1;
}

void cts_x_fill_job(struct cts_exec *x, struct job *j)
{
    if (cts_x_is_whole(j->seg[0]))
        return;
    cts_order_put64(cts_x_caps(x)->be, cts_x_window_at(x, j->layout[0].region) + CTS_WIN_INDEX, 0);
    for (uint32_t i = 0; i < j->iterations; i++) {
        for (uint32_t s = 0; s < j->segs; s++) {
            uint32_t at = i * j->segs + s;
            cts_seg_fill(j->seg[s], cts_x_row_number(j, s, i), cts_x_row_at(x, j, at),
                         cts_x_expect_at(j, at));
        }
    }
}

void cts_x_place_job(struct frame *f, struct job *j, uint32_t region, uint32_t rows)
{
    uint32_t stride = cts_x_stride_of(&j->seg[0]->layout);
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

/* What nobody compares is not stored where all that comes out is one number for all that is: it may
 * be another one each time. */
static void leave_out_the_open(struct job *j)
{
    for (uint32_t s = 0; j->iterations == 1 && s < j->segs; s++)
        j->layout[s].out_mask = cts_seg_compared(j->seg[s], cts_x_row_number(j, s, 0));
}

/* Tells the worker where the environment ends: before the last instructions, and what subprograms
 * are behind them. */
static void tell_end(const struct frame *f, struct job *j)
{
    enum { LAST = 2 }; /* r0 = 0; exit */
    uint32_t slots = (uint32_t)((f->code.len - j->code_at) / CTS_SLOT_BYTES) - LAST;
    for (uint32_t s = 0; s < j->segs; s++)
        slots -= j->seg[s]->unit->slots - j->seg[s]->unit->body_slots;
    for (uint32_t s = 0; s < j->segs; s++)
        j->layout[s].body_slots = slots;
}

int cts_x_add_code(struct cts_exec *x, struct frame *f, struct job *j, struct cts_err *err)
{
    const struct cts_seg *one = j->seg[0];
    j->code_at = f->code.len;
    if (cts_x_is_whole(one)) {
        uint32_t slots;
        const uint8_t *code = cts_seg_whole_code(one, &slots);
        cts_buf_add(&f->code, code, (size_t)slots * CTS_SLOT_BYTES);
        if (f->code.failed)
            return cts_err_set(err, CTS_E_NOMEM, "out of memory");
        if (cts_x_caps(x)->be)
            cts_slots_swap_order((uint8_t *)f->code.data + j->code_at, slots);
    } else {
        struct cts_env_segment seg[CTS_ITEM_LAYOUTS];
        for (uint32_t s = 0; s < j->segs; s++)
            seg[s] = (struct cts_env_segment){
                .code = one->pack->code + j->seg[s]->unit->code,
                .slots = j->seg[s]->unit->slots,
                .body_slots = j->seg[s]->unit->body_slots,
                .layout = j->layout[s],
            };
        /* A program that gets its region as memory of its own. */
        for (uint32_t s = 0; cts_x_guesses(x) && s < j->segs; s++) {
            seg[s].layout.region = 0;
            if (j->iterations == 1)
                cts_seg_open_bytes(j->seg[s], cts_x_row_number(j, s, 0), &seg[s].mem_open,
                                   &seg[s].stack_open);
        }
        int rc = cts_env_build(cts_x_caps(x), seg, j->segs, &f->code, err);
        if (rc != 0)
            return rc;
        if (cts_x_guesses(x))
            tell_end(f, j);
    }
    j->code_len = f->code.len - j->code_at;
    return 0;
}

int cts_x_add_object(struct cts_exec *x, struct frame *f, struct job *j, struct cts_err *err)
{
    bool packet = j->seg[0]->unit->flags & CTS_UF_PACKET;
    j->elf_at = f->elf.len;
    j->elf_len = 0;
    if (!(cts_x_caps(x)->features & CTS_FEAT_ELF))
        return 0;
    if (!x->opts->object)
        return cts_err_set(err, CTS_E_UNSUPPORTED, "programs cannot be written as ELF objects");
    int rc = x->opts->object((const uint8_t *)f->code.data + j->code_at, j->code_len,
                             cts_x_caps(x)->be, packet ? "socket" : "xdp", &f->elf, err);
    j->elf_len = f->elf.len - j->elf_at;
    return rc;
}

int cts_x_add_guess(struct cts_exec *x, struct frame *f, struct job *j, struct cts_err *err)
{
    const struct cts_layout *l = &j->layout[0];
    j->guess_at = f->guess.len;
    j->guess_len = 0;
    if (!cts_x_guesses(x) || cts_x_is_whole(j->seg[0]) || j->iterations == 0)
        return 0;
    cts_buf_add(&f->guess, cts_x_window_at(x, l->region), cts_layout_bytes(l));
    if (f->guess.failed)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    uint8_t *region = (uint8_t *)f->guess.data + j->guess_at;
    for (uint32_t at = 0; at < j->iterations * j->segs; at++) {
        uint32_t i = at / j->segs, s = at % j->segs;
        uint8_t *row = region + CTS_WIN_HEADER + (size_t)at * l->stride;
        cts_seg_guess(j->seg[s], cts_x_row_number(j, s, i), cts_x_expect_at(j, at), cts_x_who(x),
                      j->layout[s].out_mask, j->iterations == 1, row);
        if ((j->layout[s].out_mask >> 1) & 1)
            memcpy(region + CTS_WIN_SCRATCH, row + CTS_ENTRY_OUT + 8, 8);
    }
    uint32_t repeat = j->seg[0]->unit->repeat > 1 ? j->seg[0]->unit->repeat : 1;
    cts_order_put64(cts_x_caps(x)->be, region + CTS_WIN_INDEX,
                    (uint64_t)j->iterations * j->segs * repeat);
    j->guess_len = cts_layout_bytes(l);
    return 0;
}

void cts_x_point_at_code(const struct frame *f, const struct job *j, struct cts_item *it)
{
    it->load.code = (const uint8_t *)f->code.data + j->code_at;
    it->load.slots = (uint32_t)(j->code_len / CTS_SLOT_BYTES);
    it->load.elf = j->elf_len ? (const uint8_t *)f->elf.data + j->elf_at : NULL;
    it->load.elf_bytes = (uint32_t)j->elf_len;
    it->run.guess = j->guess_len ? (const uint8_t *)f->guess.data + j->guess_at : NULL;
    it->run.guess_bytes = (uint32_t)j->guess_len;
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

void cts_x_make_item(struct job *j, struct cts_item *it, uint8_t ops, uint8_t prog)
{
    const struct cts_pk_unit *u = j->seg[0]->unit;
    *it = (struct cts_item){.ops = ops, .prog = prog};
    it->load.kind = cts_x_is_whole(j->seg[0]) ? CTS_PROG_WHOLE : CTS_PROG_WINDOW;
    it->load.packet = u->flags & CTS_UF_PACKET;
    it->load.log = j->segs == 1;
    it->load.layout = cts_x_is_whole(j->seg[0]) ? NULL : j->layout;
    it->load.segments = cts_x_is_whole(j->seg[0]) ? 0 : j->segs;
    fill_objects(j, &it->load);
    it->run.iterations = u->repeat > 1 ? u->repeat : j->iterations ? j->iterations : 1;
    it->run.threads = u->threads;
    it->run.packet = u->packet.count ? j->seg[0]->pack->data + u->packet.first : NULL;
    it->run.packet_bytes = u->packet.count;
    if (!cts_x_is_whole(j->seg[0])) {
        it->rows_off = j->layout[0].region;
        it->rows_bytes = cts_layout_bytes(&j->layout[0]);
    } else if (u->flags & CTS_UF_FUNCTION) {
        it->run.packet = cts_seg_whole_memory(j->seg[0], &it->run.packet_bytes);
    }
}

static bool fits_window(const struct cts_exec *x, const struct frame *f, const struct job *j)
{
    uint64_t bytes = cts_x_region_bytes(j->segs, j->iterations ? j->iterations : 1,
                                        cts_x_stride_of(&j->seg[0]->layout));
    return bytes <= cts_x_room(x, f->used);
}

/* Will anybody read why the runtime refuses the program? Not where nothing else conforms, nor where
 * it is put down to a limit whatever it says; to look for that in a long one costs more. */
static bool wants_reason(const struct cts_exec *x, const struct job *j, uint8_t ops)
{
    enum { LONG = 64 };
    if (j->segs > 1 || (!(ops & CTS_STEP_RUN) && !cts_x_loads_only(x)))
        return false;
    return j->seg[0]->unit->slots > LONG || !cts_judge_is_limit(x->judge, j->seg[0]);
}

int cts_x_add_job(struct cts_exec *x, struct frame *f, const struct job *made, uint32_t half,
                  struct cts_err *err)
{
    struct job *j = &f->job[f->jobs];
    uint32_t repeat = made->seg[0]->unit->repeat;
    if (repeat > cts_x_caps(x)->max_iterations)
        return cts_err_set(err, CTS_E_LIMIT, "it takes %u iterations, a run of %s has at most %u",
                           repeat, cts_x_caps(x)->runtime, cts_x_caps(x)->max_iterations);
    *j = *made;
    if (!cts_x_is_whole(j->seg[0]) && !fits_window(x, f, j))
        return cts_err_set(err, CTS_E_LIMIT, "%s has not enough memory for it",
                           cts_x_caps(x)->runtime);
    if (!cts_x_is_whole(j->seg[0]))
        cts_x_place_job(f, j, half * cts_x_half_bytes(x) + f->used,
                        power_above(j->segs * j->iterations));
    if (!cts_x_is_whole(j->seg[0]) && cts_x_guesses(x))
        leave_out_the_open(j);
    int rc = cts_x_add_code(x, f, j, err);
    if (rc == 0)
        rc = cts_x_add_object(x, f, j, err);
    if (rc != 0)
        return rc;
    uint8_t ops = CTS_STEP_LOAD | CTS_STEP_UNLOAD;
    if (may_run(x, j->seg[0]))
        ops |= CTS_STEP_RUN;
    else
        j->iterations = 0;
    cts_x_make_item(j, &f->item[f->jobs], ops, (uint8_t)(half * FRAME_JOBS + f->jobs));
    f->item[f->jobs].load.log = wants_reason(x, j, ops);
    if (!cts_x_is_whole(j->seg[0]))
        f->used += (cts_layout_bytes(&j->layout[0]) + 63) & ~(uint32_t)63;
    cts_x_fill_job(x, j);
    rc = cts_x_add_guess(x, f, j, err);
    f->jobs += rc == 0;
    return rc;
}
