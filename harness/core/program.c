#include "core/program.h"

#include "core/variant.h"
#include "core/tuple.h"
#include "core/fill.h"
#include "core/state.h"

#include <string.h>

#include "base/bytes.h"
#include "pack/env.h"

struct cts_program cts_program_of(struct cts_seg *seg, uint32_t first, uint32_t tuples)
{
    return (struct cts_program){.body = {seg}, .bodies = 1, .first = first, .iterations = tuples};
}

uint64_t cts_program_region_bytes(uint32_t bodies, uint32_t iterations, uint32_t stride)
{
    return CTS_WIN_HEADER + (uint64_t)cts_request_power_above(bodies * iterations) * stride;
}

bool cts_program_is_long(const struct cts_machine *m, const struct cts_seg *seg)
{
    if (seg->whole || cts_machine_loads_only(m))
        return false;
    uint64_t bytes =
        cts_program_region_bytes(1, seg->rows ? seg->rows : 1, cts_request_stride(&seg->layout));
    return bytes > cts_machine_room(m, CTS_WIN_RESERVED) || seg->rows > m->caps->max_iterations;
}

uint32_t cts_program_tuple(const struct cts_program *p, uint32_t s, uint32_t i)
{
    uint32_t r = p->first + i;
    return r < p->body[s]->rows ? r : p->body[s]->rows - 1;
}

void cts_program_leave_out_the_open(struct cts_program *p)
{
    for (uint32_t s = 0; p->iterations == 1 && s < p->bodies; s++)
        p->layout[s].out_mask = cts_seg_compared(p->body[s], cts_program_tuple(p, s, 0));
}

size_t cts_program_place(struct cts_program *p, uint32_t region, uint32_t entries, uint8_t *expect)
{
    uint32_t stride = cts_request_stride(&p->body[0]->layout);
    for (uint32_t s = 0; s < p->bodies; s++) {
        p->layout[s] = p->body[s]->layout;
        p->layout[s].region = region;
        p->layout[s].rows = entries;
        p->layout[s].stride = stride;
    }
    p->expect_bytes = cts_seg_expect_bytes(p->body[0]);
    p->expect = p->expect_bytes ? expect : NULL;
    return entries * p->expect_bytes;
}

/* Tells the worker where the environment ends: before the last instructions, and what subprograms
 * are behind them. */
static void set_end(struct cts_program *p, const struct cts_buf *code)
{
    enum { LAST = 2 }; /* r0 = 0; exit */
    uint32_t slots = (uint32_t)((code->len - p->code_at) / CTS_SLOT_BYTES) - LAST;
    for (uint32_t s = 0; s < p->bodies; s++)
        slots -= p->body[s]->unit->slots - p->body[s]->unit->body_slots;
    for (uint32_t s = 0; s < p->bodies; s++)
        p->layout[s].body_slots = slots;
}

static int add_whole(const struct cts_machine *m, const struct cts_program *p, struct cts_buf *code,
                     struct cts_err *err)
{
    uint32_t slots;
    const uint8_t *whole = cts_seg_whole_code(p->body[0], &slots);
    cts_buf_add(code, whole, (size_t)slots * CTS_SLOT_BYTES);
    if (code->failed)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (m->caps->be)
        cts_slots_swap_order((uint8_t *)code->data + p->code_at, slots);
    return 0;
}

static int add_bodies(const struct cts_machine *m, struct cts_program *p, struct cts_buf *code,
                      struct cts_err *err)
{
    struct cts_env_segment body[CTS_ITEM_LAYOUTS];
    for (uint32_t s = 0; s < p->bodies; s++)
        body[s] = (struct cts_env_segment){
            .code = p->body[0]->pack->code + p->body[s]->unit->code,
            .slots = p->body[s]->unit->slots,
            .body_slots = p->body[s]->unit->body_slots,
            .layout = p->layout[s],
        };
    /* A program that gets its region as memory of its own. */
    for (uint32_t s = 0; cts_machine_predicts(m) && s < p->bodies; s++) {
        body[s].layout.region = 0;
        if (p->iterations == 1)
            cts_seg_open_bytes(p->body[s], cts_program_tuple(p, s, 0), &body[s].mem_open,
                               &body[s].stack_open);
    }
    int rc = cts_env_build(m->caps, body, p->bodies, code, err);
    if (rc == 0 && cts_machine_predicts(m))
        set_end(p, code);
    return rc;
}

int cts_program_add_code(const struct cts_machine *m, struct cts_program *p, struct cts_buf *code,
                         struct cts_err *err)
{
    bool whole = p->body[0]->whole;
    p->code_at = code->len;
    int rc = whole ? add_whole(m, p, code, err) : add_bodies(m, p, code, err);
    p->code_len = code->len - p->code_at;
    return rc;
}

int cts_program_add_object(const struct cts_machine *m, struct cts_program *p,
                           const struct cts_buf *code, struct cts_buf *elf, struct cts_err *err)
{
    bool packet = p->body[0]->unit->flags & CTS_UF_PACKET;
    p->elf_at = elf->len;
    p->elf_len = 0;
    if (!(m->caps->features & CTS_FEAT_ELF))
        return 0;
    if (!m->object)
        return cts_err_set(err, CTS_E_UNSUPPORTED, "programs cannot be written as ELF objects");
    int rc = m->object((const uint8_t *)code->data + p->code_at, p->code_len, m->caps->be,
                       packet ? "socket" : "xdp", elf, err);
    p->elf_len = elf->len - p->elf_at;
    return rc;
}

struct cts_item cts_program_item(struct cts_program *p, uint8_t ops, uint8_t prog)
{
    const struct cts_seg *one = p->body[0];
    struct cts_item it = {.ops = ops, .prog = prog};
    it.load = cts_request_load(one, one->whole ? NULL : p->layout, p->bodies, &p->objects);
    it.load.log = p->bodies == 1;
    it.run = cts_request_run(one, one->whole, p->iterations);
    if (!one->whole) {
        it.entries_off = p->layout[0].region;
        it.entries_bytes = cts_layout_bytes(&p->layout[0]);
    }
    return it;
}

void cts_program_fill(const struct cts_machine *m, struct cts_program *p)
{
    if (p->body[0]->whole)
        return;
    cts_order_put64(m->caps->be, cts_machine_window_at(m, p->layout[0].region) + CTS_WIN_INDEX, 0);
    for (uint32_t i = 0; i < p->iterations; i++) {
        for (uint32_t s = 0; s < p->bodies; s++) {
            uint32_t at = i * p->bodies + s;
            cts_seg_fill(p->body[s], cts_program_tuple(p, s, i), cts_program_entry(m, p, at),
                         cts_program_expect(p, at));
        }
    }
}

int cts_program_add_predicted(const struct cts_machine *m, struct cts_program *p,
                              struct cts_buf *predicted, struct cts_err *err)
{
    const struct cts_layout *l = &p->layout[0];
    p->predicted_at = predicted->len;
    p->predicted_len = 0;
    if (!cts_machine_predicts(m) || p->body[0]->whole || p->iterations == 0)
        return 0;
    cts_buf_add(predicted, cts_machine_window_at(m, l->region), cts_layout_bytes(l));
    if (predicted->failed)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    uint8_t *region = (uint8_t *)predicted->data + p->predicted_at;
    for (uint32_t at = 0; at < p->iterations * p->bodies; at++) {
        uint32_t i = at / p->bodies, s = at % p->bodies;
        uint8_t *entry = region + CTS_WIN_HEADER + (size_t)at * l->stride;
        cts_seg_predict(p->body[s], cts_program_tuple(p, s, i), cts_program_expect(p, at),
                        p->layout[s].out_mask, p->iterations == 1, entry);
        if ((p->layout[s].out_mask >> 1) & 1)
            memcpy(region + CTS_WIN_SCRATCH, entry + CTS_ENTRY_OUT + 8, 8);
    }
    uint32_t repeat = p->body[0]->unit->repeat > 1 ? p->body[0]->unit->repeat : 1;
    cts_order_put64(m->caps->be, region + CTS_WIN_INDEX,
                    (uint64_t)p->iterations * p->bodies * repeat);
    p->predicted_len = cts_layout_bytes(l);
    return 0;
}

void cts_program_point(const struct cts_program *p, const struct cts_buf *code,
                       const struct cts_buf *elf, const struct cts_buf *predicted,
                       struct cts_item *it)
{
    it->load.code = (const uint8_t *)code->data + p->code_at;
    it->load.slots = (uint32_t)(p->code_len / CTS_SLOT_BYTES);
    it->load.elf = p->elf_len ? (const uint8_t *)elf->data + p->elf_at : NULL;
    it->load.elf_bytes = (uint32_t)p->elf_len;
    it->run.guess = p->predicted_len ? (const uint8_t *)predicted->data + p->predicted_at : NULL;
    it->run.guess_bytes = (uint32_t)p->predicted_len;
}
