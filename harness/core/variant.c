#include "core/variant.h"

#include "base/bytes.h"
#include "core/fill.h"
#include "core/tuple.h"
#include "core/state.h"
#include "pack/env.h"

/* Which registers the operands and the body write; none of the others can differ from tuple to
 * tuple.
 */
static void find_moving(struct cts_seg *s)
{
    unsigned mask = 0;
    s->lean = s->plain;
    for (uint32_t i = 0; i < s->operands; i++)
        mask |= 1u << s->operand[i].reg;
    for (uint32_t at = 0; at < s->unit->slots; at++) {
        const struct cts_mach_insn *one = &s->mach->prog[at];
        if (one->row == CTS_INSN_COUNT)
            continue;
        s->lean =
            s->lean && !(cts_insn_info(one->row)->flags & ~(unsigned)(CTS_RF_WIDE | CTS_RF_JUMP));
        mask |= 1u << one->in.dst;
    }
    for (uint8_t i = 0; i < 10; i++)
        if ((mask >> i) & 1)
            s->moving[s->moving_count++] = i;
}

static int sweep_init(struct cts_seg *s, enum cts_level level, struct cts_arena *arena,
                      struct cts_err *err)
{
    const struct cts_pk_unit *u = s->unit;
    const struct cts_pk_sweep *sw = &s->pack->sweeps[u->sweep];
    struct cts_mach_insn *prog =
        cts_arena_take_array(arena, u->slots ? u->slots : 1, sizeof(*prog));
    s->mach = cts_arena_take(arena, sizeof(*s->mach));
    s->base_mem = cts_arena_take(arena, s->layout.mem_bytes + 8);
    s->base_stack = cts_arena_take(arena, CTS_STACK_BYTES);
    if (!prog || !s->mach || !s->base_mem || !s->base_stack)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (sw->operands.count > CTS_SEG_OPERANDS)
        return cts_err_set(err, CTS_E_LIMIT, "a sweep over more than %d operands",
                           CTS_SEG_OPERANDS);
    int rc = cts_mach_decode(s->pack->code + u->code, u->slots, false, true, prog, err);
    if (rc != 0)
        return rc;
    s->swept = true;
    s->base = &s->pack->states[sw->base];
    s->operands = sw->operands.count;
    s->rows = 1;
    for (uint32_t i = 0; i < s->operands; i++) {
        s->operand[i] = s->pack->operands[sw->operands.first + i];
        s->values[i] =
            cts_domain_values((enum cts_domain)s->operand[i].domain, level, &s->value_count[i]);
        s->rows *= s->value_count[i];
    }
    cts_mach_init(s->mach);
    s->mach->prog = prog;
    s->mach->prog_slots = u->slots;
    s->mach->body_slots = u->body_slots;
    s->mach->be = s->be;
    s->plain = s->layout.mem_bytes == 0 && s->layout.stack_off == 0 && !s->layout.record;
    for (unsigned i = 0; i < 10; i++)
        s->plain = s->plain && s->base->place[i] == CTS_PL_VALUE;
    s->plain = s->plain && s->base->any == 0 && s->layout.out_mask == 0x3ff;
    find_moving(s);
    if (s->layout.mem_bytes)
        cts_state_image(s->pack, &s->base->mem, s->layout.mem_bytes, s->be, s->base_mem);
    if (s->layout.stack_off)
        cts_state_image(s->pack, &s->base->stack, CTS_STACK_BYTES, s->be, s->base_stack);
    return 0;
}

/* A sweep's value that is an address or was counted from one. */
static bool is_near_address(uint64_t v)
{
    enum { NEAR = INT32_MAX };
    return v - cts_state_mem_base + NEAR <= 2u * NEAR ||
           v - cts_state_stack_top + NEAR <= 2u * NEAR;
}

/* Which registers hold an address at the end of some row of a sweep? A bit each. */
static unsigned addresses_of_sweep(struct cts_seg *s, struct cts_arena *arena)
{
    const struct cts_layout *l = &s->layout;
    uint8_t *row = cts_arena_take(arena, CTS_ENTRY_MEM + l->mem_bytes + 2 * CTS_STACK_BYTES);
    uint8_t *expect = cts_arena_take(arena, cts_seg_expect_bytes(s));
    unsigned found = row && expect ? 0 : 0x3ff;
    for (uint32_t r = 0; found != 0x3ff && r < s->rows; r++) {
        cts_seg_fill(s, r, row, expect);
        for (unsigned i = 0; i < 10; i++)
            found |= (unsigned)is_near_address(cts_order_get64(s->be, expect + 8 * i)) << i;
    }
    return found;
}

/* What a row's outcomes say of the registers; where they say nothing, what goes in. */
static unsigned addresses_of_row(const struct cts_seg *s, const struct cts_pk_tuple *row,
                                 unsigned given)
{
    unsigned found = 0;
    bool ends = false;
    for (uint32_t o = 0; o < row->out.count; o++) {
        uint32_t at = s->pack->outcomes[row->out.first + o].state;
        const struct cts_pk_state *state = at == UINT32_MAX ? NULL : &s->pack->states[at];
        ends |= state != NULL;
        found |= state ? state->any & given : 0;
        for (unsigned i = 0; state && i < 10; i++)
            found |= (unsigned)cts_state_is_address(state->place[i]) << i;
    }
    return ends ? found : given;
}

/* Is there more than one way through the body? */
static bool has_ways(const struct cts_seg *s)
{
    for (uint32_t at = 0; at < s->unit->body_slots;) {
        struct cts_insn in;
        enum cts_insn_id row;
        int n = cts_decode(s->pack->code + s->unit->code + (size_t)at * CTS_SLOT_BYTES,
                           s->unit->body_slots - at, false, &in, &row, NULL);
        bool call = n > 0 && cts_insn_info(row)->flags & CTS_RF_CALL;
        if (n > 0 && cts_insn_info(row)->flags & CTS_RF_JUMP && !call)
            return true;
        at += n > 0 ? (uint32_t)n : 1;
    }
    return false;
}

/* Where addresses may not be stored, no register is that may hold one when the body ends. That is
 * what is expected of it; but a verifier goes every way through a body, also those that no row
 * takes: then what holds an address at the start may hold it still. */
static void hide_addresses(struct cts_seg *s, struct cts_arena *arena)
{
    unsigned given = 0, hidden = 0;
    s->layout.record = 0;
    for (unsigned i = 0; i < 10; i++)
        given |= (unsigned)cts_state_is_address(s->layout.place[i]) << i;
    if (given && has_ways(s))
        hidden = given;
    if (s->swept)
        hidden |= given & ~hidden ? addresses_of_sweep(s, arena) : 0;
    for (uint32_t r = 0; r < s->unit->rows.count; r++)
        hidden |= addresses_of_row(s, &s->pack->rows[s->unit->rows.first + r], given);
    s->layout.out_mask &= (uint16_t)~hidden;
}

bool cts_unit_is_whole(const struct cts_pk_unit *u, const struct cts_caps *caps)
{
    if (u->flags & CTS_UF_NO_ARGUMENTS && caps->r0_bits == 64 &&
        !(caps->features & CTS_FEAT_VERDICT_ONLY))
        return true;
    return u->flags & CTS_UF_WHOLE ||
           (u->flags & CTS_UF_FUNCTION && caps->features & CTS_FEAT_MEMORY);
}

const uint8_t *cts_seg_whole_code(const struct cts_seg *s, uint32_t *slots)
{
    const struct cts_pk_unit *u = s->unit;
    uint32_t first = u->flags & CTS_UF_FUNCTION ? u->body_slots : 0;
    *slots = u->slots - first;
    return s->pack->code + u->code + (size_t)first * CTS_SLOT_BYTES;
}

const uint8_t *cts_seg_whole_memory(const struct cts_seg *s, uint32_t *bytes)
{
    const struct cts_pk_unit *u = s->unit;
    *bytes = 0;
    if (!(u->flags & CTS_UF_FUNCTION) || u->layout.mem_bytes == 0)
        return NULL;
    /* The call is the body's last slot; before it the length is set. */
    struct cts_insn length;
    cts_slot_get(s->pack->code + u->code + (size_t)(u->body_slots - 2) * CTS_SLOT_BYTES, false,
                 &length);
    const struct cts_pk_bytes_ref *mem = &s->pack->states[s->pack->rows[u->rows.first].in].mem;
    *bytes =
        (uint32_t)length.imm < u->layout.mem_bytes ? (uint32_t)length.imm : u->layout.mem_bytes;
    return s->pack->data + (s->be && mem->be != UINT32_MAX ? mem->be : mem->data);
}

bool cts_seg_whole_result(const struct cts_seg *s, const struct cts_pk_outcome *o, uint64_t *r0)
{
    bool state = o->kind == CTS_OUT_RAN && o->state != UINT32_MAX;
    *r0 = state ? s->pack->states[o->state].r[0] : o->r0;
    return state || o->has_r0;
}

/* The bits of a result that are compared. Where results are cut, that is a failure of EXIT, and of
 * nothing else. */
static uint64_t result_mask(const struct cts_seg *s, const struct cts_caps *caps)
{
    const struct cts_pk_vector *v = &s->pack->vectors[s->unit->vector];
    bool whole = caps->r0_bits >= 64 || (caps->features & CTS_FEAT_CUT &&
                                         s->pack->insn_ids[v->rows.first] == CTS_INSN_EXIT);
    return whole ? UINT64_MAX : UINT32_MAX;
}

static int find_outcomes(struct cts_seg *s, const struct cts_caps *caps, struct cts_arena *arena)
{
    const struct cts_pk_range rows = s->unit->rows;
    struct cts_outcomes *list = cts_arena_take_array(arena, rows.count + 1u, sizeof(*list));
    int rc = list ? 0 : CTS_E_NOMEM;
    for (uint32_t r = 0; rc == 0 && r < rows.count; r++)
        rc = cts_outcomes_find(s->pack, s->pack->rows[rows.first + r].out, caps, arena, &list[r]);
    s->outcomes = list;
    return rc;
}

int cts_seg_init(struct cts_seg *s, const struct cts_pack *pack, uint32_t unit_index,
                 const struct cts_caps *caps, enum cts_level level, struct cts_arena *arena,
                 struct cts_err *err)
{
    const struct cts_pk_unit *u = &pack->units[unit_index];
    *s = (struct cts_seg){.pack = pack,
                          .unit = u,
                          .unit_index = unit_index,
                          .be = caps->be,
                          .rows = u->rows.count,
                          .whole = cts_unit_is_whole(u, caps),
                          .layout = u->layout};
    s->result_mask = result_mask(s, caps);
    const struct cts_env_segment body = {.code = pack->code + u->code,
                                         .slots = u->slots,
                                         .body_slots = u->body_slots,
                                         .layout = s->layout};
    cts_env_keep(caps, &body, &s->kept, NULL);
    s->scratch = cts_arena_take(arena, s->layout.mem_bytes + CTS_STACK_BYTES);
    if (!s->scratch || find_outcomes(s, caps, arena) != 0)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    int rc = u->sweep == UINT32_MAX ? 0 : sweep_init(s, level, arena, err);
    if (rc == 0 && !(caps->features & CTS_FEAT_POINTERS) && !(u->flags & CTS_UF_WHOLE))
        hide_addresses(s, arena);
    return rc;
}
