#include "core/rows.h"

#include <string.h>

#include "base/bytes.h"
#include "pack/env.h"

enum {
    STACK = CTS_STACK_BYTES,
    PRE_FILL_REGISTERS = 10,
};

/* Where a sweep's memory and stack lie on the reference machine: far from any operand. */
static const uint64_t mem_base = 0x7ead000000000000u, stack_top = 0x57ac000000001000u;
/* Put into outputs whose expected value is unknown beforehand. */
static const uint64_t unwritten = 0x5741e5741e5741e5u;

uint64_t cts_order_get64(bool be, const uint8_t *p)
{
    return be ? cts_get64be(p) : cts_get64le(p);
}

void cts_order_put64(bool be, uint8_t *p, uint64_t v)
{
    if (be)
        cts_put64be(p, v);
    else
        cts_put64le(p, v);
}

/* The bytes of a state's memory as a machine of the given order has them. */
static void image(const struct cts_pack *p, const struct cts_pk_bytes_ref *ref, size_t n, bool be,
                  uint8_t *out)
{
    memcpy(out, p->data + (be && ref->be != UINT32_MAX ? ref->be : ref->data), n);
}

static const uint8_t *any_mask(const struct cts_pack *p, const struct cts_pk_bytes_ref *ref)
{
    return ref->data == UINT32_MAX || ref->any == UINT32_MAX ? NULL : p->data + ref->any;
}

/* Which registers the operands and the body write; none of the others can differ from row to row.
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
    s->base_stack = cts_arena_take(arena, STACK);
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
        image(s->pack, &s->base->mem, s->layout.mem_bytes, s->be, s->base_mem);
    if (s->layout.stack_off)
        image(s->pack, &s->base->stack, STACK, s->be, s->base_stack);
    return 0;
}

static bool is_address_place(unsigned place)
{
    return place == CTS_PL_MEM || place == CTS_PL_FP;
}

/* A sweep's value that is an address or was counted from one. */
static bool is_near_address(uint64_t v)
{
    enum { NEAR = INT32_MAX };
    return v - mem_base + NEAR <= 2u * NEAR || v - stack_top + NEAR <= 2u * NEAR;
}

/* Which registers hold an address at the end of some row of a sweep? A bit each. */
static unsigned addresses_of_sweep(struct cts_seg *s, struct cts_arena *arena)
{
    const struct cts_layout *l = &s->layout;
    uint8_t *row = cts_arena_take(arena, CTS_ENTRY_MEM + l->mem_bytes + 2 * STACK);
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
            found |= (unsigned)is_address_place(state->place[i]) << i;
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
        given |= (unsigned)is_address_place(s->layout.place[i]) << i;
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
    s->scratch = cts_arena_take(arena, s->layout.mem_bytes + STACK);
    if (!s->scratch || find_outcomes(s, caps, arena) != 0)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    int rc = u->sweep == UINT32_MAX ? 0 : sweep_init(s, level, arena, err);
    if (rc == 0 && !(caps->features & CTS_FEAT_POINTERS) && !(u->flags & CTS_UF_WHOLE))
        hide_addresses(s, arena);
    return rc;
}

size_t cts_seg_expect_bytes(const struct cts_seg *s)
{
    if (!s->swept)
        return 0;
    return PRE_FILL_REGISTERS * 8 + s->layout.mem_bytes + (s->layout.stack_off ? (size_t)STACK : 0);
}

uint32_t cts_seg_case(const struct cts_seg *s, uint32_t r)
{
    return s->swept ? s->pack->sweeps[s->unit->sweep].kase
                    : s->pack->rows[s->unit->rows.first + r].kase;
}

static void seek(struct cts_seg *s, uint32_t r)
{
    s->next = r;
    for (uint32_t i = s->operands; i-- > 0;) {
        s->digit[i] = r % s->value_count[i];
        r /= s->value_count[i];
    }
}

/* The values of the operands in row r: the last operand changes fastest. */
static void operand_values(struct cts_seg *s, uint32_t r, uint64_t value[CTS_SEG_OPERANDS])
{
    if (r != s->next)
        seek(s, r);
    for (uint32_t i = 0; i < s->operands; i++)
        value[i] = s->values[i][s->digit[i]];
    s->next++;
    for (uint32_t i = s->operands; i-- > 0 && ++s->digit[i] == s->value_count[i];)
        s->digit[i] = 0;
}

static void put_sized(bool be, uint8_t *p, unsigned width, uint64_t v)
{
    for (unsigned i = 0; i < width; i++)
        p[be ? width - 1 - i : i] = (uint8_t)(v >> (8 * i));
}

/* Ten registers in the machine's byte order: inverted if `flip` is all ones. */
static void put_registers(bool be, uint8_t *out, const uint64_t r[10], uint64_t flip)
{
    uint64_t v[10];
    for (unsigned i = 0; i < 10; i++)
        v[i] = r[i] ^ flip;
    for (unsigned i = 0; be != CTS_HOST_IS_BE && i < 10; i++)
        v[i] = __builtin_bswap64(v[i]);
    memcpy(out, v, sizeof(v));
}

/* From the body's start, with registers and memory as they are. */
static inline void run_body(struct cts_mach *m)
{
    enum { BUDGET = 100000 };
    m->pc = 0;
    m->depth = 0;
    m->stop = CTS_MACH_RUNNING;
    m->budget = BUDGET;
    cts_mach_run(m);
}

static void fill_plain(struct cts_seg *s, uint32_t r, uint8_t *row, uint8_t *expect)
{
    struct cts_mach *m = s->mach;
    uint64_t value[CTS_SEG_OPERANDS];
    memcpy(m->r, s->base->r, sizeof(s->base->r));
    operand_values(s, r, value);
    for (uint32_t i = 0; i < s->operands; i++)
        m->r[s->operand[i].reg] = value[i];
    put_registers(s->be, row + CTS_ENTRY_IN, m->r, 0);
    run_body(m);
    put_registers(s->be, expect, m->r, 0);
    put_registers(s->be, row + CTS_ENTRY_OUT, m->r, UINT64_MAX);
    cts_order_put64(s->be, row + CTS_ENTRY_END, CTS_ENDED_UNKNOWN);
}

/* Every output register was seen to be written when the row's place was used first; from then on
 * those that move show whether the row was run. */
static void refill_lean(struct cts_seg *s, uint32_t r, uint8_t *row, uint8_t *expect)
{
    struct cts_mach *m = s->mach;
    uint64_t value[CTS_SEG_OPERANDS];
    operand_values(s, r, value);
    for (unsigned i = 0; i < s->moving_count; i++)
        m->r[s->moving[i]] = s->base->r[s->moving[i]];
    for (uint32_t i = 0; i < s->operands; i++)
        m->r[s->operand[i].reg] = value[i];
    for (unsigned i = 0; i < s->moving_count; i++)
        cts_order_put64(s->be, row + CTS_ENTRY_IN + 8 * s->moving[i], m->r[s->moving[i]]);
    run_body(m);
    for (unsigned i = 0; i < s->moving_count; i++) {
        unsigned reg = s->moving[i];
        cts_order_put64(s->be, expect + 8 * reg, m->r[reg]);
        cts_order_put64(s->be, row + CTS_ENTRY_OUT + 8 * reg, ~m->r[reg]);
    }
}

static uint64_t place_address(unsigned place, uint64_t add)
{
    return (place == CTS_PL_MEM ? mem_base : stack_top) + add;
}

static void fill_swept(struct cts_seg *s, uint32_t r, uint8_t *row, uint8_t *expect)
{
    const struct cts_layout *l = &s->layout;
    struct cts_mach *m = s->mach;
    uint8_t *mem = expect + PRE_FILL_REGISTERS * 8, *stack = mem + l->mem_bytes;
    uint64_t value[CTS_SEG_OPERANDS];
    operand_values(s, r, value);
    for (unsigned i = 0; i < 10; i++)
        m->r[i] = s->base->place[i] == CTS_PL_VALUE
                      ? s->base->r[i]
                      : place_address(s->base->place[i], s->base->r[i]);
    m->r[10] = stack_top;
    m->regions = 0;
    if (l->mem_bytes) {
        memcpy(mem, s->base_mem, l->mem_bytes);
        cts_mach_map(m, mem_base, mem, l->mem_bytes, true);
    }
    if (l->stack_off) {
        memcpy(stack, s->base_stack, STACK);
        cts_mach_map(m, stack_top - STACK, stack, STACK, true);
    }
    for (uint32_t i = 0; i < s->operands; i++) {
        if (s->operand[i].target == CTS_SWEEP_REG)
            m->r[s->operand[i].reg] = value[i];
        else
            put_sized(s->be, mem + s->operand[i].at, s->operand[i].width, value[i]);
    }
    put_registers(s->be, row + CTS_ENTRY_IN, m->r, 0);
    if (l->mem_bytes)
        memcpy(row + CTS_ENTRY_MEM, mem, l->mem_bytes);
    if (l->stack_off)
        memcpy(row + l->stack_off, stack, STACK);
    run_body(m);
    put_registers(s->be, expect, m->r, 0);
    put_registers(s->be, row + CTS_ENTRY_OUT, m->r, UINT64_MAX);
    for (int i = 0; l->stack_off && i < STACK; i++)
        row[l->stack_off + (uint32_t)STACK + (uint32_t)i] = (uint8_t)~stack[i];
    cts_order_put64(s->be, row + CTS_ENTRY_END, CTS_ENDED_UNKNOWN);
}

/* The first state that conforms; null if there is none. */
static const struct cts_pk_state *first_state(const struct cts_seg *s, uint32_t r)
{
    const struct cts_pk_state *found = NULL;
    for (uint32_t i = 0; !found && i < s->outcomes[r].count; i++)
        found = cts_outcome_state(s->pack, &s->outcomes[r].first[i]);
    return found;
}

unsigned cts_seg_kinds(const struct cts_seg *s, uint32_t r)
{
    return s->swept ? 1u << CTS_OUT_RAN : s->outcomes[r].kinds;
}

bool cts_seg_may_run(const struct cts_seg *s)
{
    bool may = s->swept;
    for (uint32_t r = 0; !may && r < s->rows; r++)
        may = cts_seg_kinds(s, r) & ~(1u << CTS_OUT_REJECTED);
    return may;
}

/* What an output register holds before the run: never what is expected. */
static uint64_t before(const struct cts_pk_state *out, unsigned i)
{
    if (!out || out->place[i] != CTS_PL_VALUE || ((out->any >> i) & 1))
        return unwritten + i;
    return ~out->r[i];
}

static void fill_hand(struct cts_seg *s, uint32_t r, uint8_t *row)
{
    const struct cts_layout *l = &s->layout;
    const struct cts_pk_tuple *pr = &s->pack->rows[s->unit->rows.first + r];
    const struct cts_pk_state *in = &s->pack->states[pr->in], *out = first_state(s, r);
    for (unsigned i = 0; i < 10; i++) {
        uint64_t v = in->place[i] == CTS_PL_VALUE ? in->r[i] : 0;
        cts_order_put64(s->be, row + CTS_ENTRY_IN + 8 * i, v);
        cts_order_put64(s->be, row + CTS_ENTRY_OUT + 8 * i, before(out, i));
    }
    cts_order_put64(s->be, row + CTS_ENTRY_SELF, 0);
    cts_order_put64(s->be, row + CTS_ENTRY_FP, 0);
    cts_order_put64(s->be, row + CTS_ENTRY_END, CTS_ENDED_UNKNOWN);
    if (l->mem_bytes)
        image(s->pack, &in->mem, l->mem_bytes, s->be, row + CTS_ENTRY_MEM);
    if (l->stack_off) {
        image(s->pack, &in->stack, STACK, s->be, row + l->stack_off);
        const struct cts_pk_state *like = out ? out : in;
        uint8_t *stale = row + l->stack_off + STACK;
        image(s->pack, &like->stack, STACK, s->be, stale);
        for (int i = 0; i < STACK; i++)
            stale[i] = (uint8_t)~stale[i];
    }
}

void cts_seg_fill(struct cts_seg *s, uint32_t r, uint8_t *row, uint8_t *expect)
{
    if (s->plain)
        fill_plain(s, r, row, expect);
    else if (s->swept)
        fill_swept(s, r, row, expect);
    else
        fill_hand(s, r, row);
}

void cts_seg_refill(struct cts_seg *s, uint32_t r, uint8_t *row, uint8_t *expect)
{
    if (s->lean)
        refill_lean(s, r, row, expect);
    else
        cts_seg_fill(s, r, row, expect);
}

/* The value of a register that holds an address, as it is in this run. */
static uint64_t absolute(const struct cts_seg *s, const uint8_t *row, unsigned place, uint64_t add)
{
    if (place == CTS_PL_MEM)
        return cts_order_get64(s->be, row + CTS_ENTRY_SELF) + CTS_ENTRY_MEM + add;
    if (place == CTS_PL_FP)
        return cts_order_get64(s->be, row + CTS_ENTRY_FP) + add;
    return add;
}

static bool same_bytes(const uint8_t *got, const uint8_t *want, const uint8_t *any, size_t n)
{
    if (!any)
        return memcmp(got, want, n) == 0;
    for (size_t i = 0; i < n; i++)
        if (!any[i] && got[i] != want[i])
            return false;
    return true;
}

static bool is_hole(const struct cts_seg *s, size_t at)
{
    int32_t slot = (int32_t)at - STACK;
    return slot == s->layout.spill || (s->kept && slot == s->kept);
}

bool cts_seg_stack_span(const struct cts_seg *s, size_t *at, size_t *end)
{
    while (*at < STACK && is_hole(s, *at))
        *at += 8;
    *end = *at;
    while (*end < STACK && !is_hole(s, *end))
        *end += 8;
    return *at < *end;
}

/* The stack but for the slots that the environment took. */
static bool same_stack(const struct cts_seg *s, const uint8_t *row, const uint8_t *want,
                       const uint8_t *any)
{
    const uint8_t *got = row + s->layout.stack_off + STACK;
    for (size_t at = 0, end; cts_seg_stack_span(s, &at, &end); at = end)
        if (!same_bytes(got + at, want + at, any ? any + at : NULL, end - at))
            return false;
    return true;
}

static bool match_state(struct cts_seg *s, const struct cts_pk_state *want, const uint8_t *row)
{
    const struct cts_layout *l = &s->layout;
    for (unsigned i = 0; i < 10; i++) {
        if (!((l->out_mask >> i) & 1) || ((want->any >> i) & 1))
            continue;
        if (cts_order_get64(s->be, row + CTS_ENTRY_OUT + 8 * i) !=
            absolute(s, row, want->place[i], want->r[i]))
            return false;
    }
    if (l->mem_bytes) {
        image(s->pack, &want->mem, l->mem_bytes, s->be, s->scratch);
        if (!same_bytes(row + CTS_ENTRY_MEM, s->scratch, any_mask(s->pack, &want->mem),
                        l->mem_bytes))
            return false;
    }
    if (l->stack_off) {
        image(s->pack, &want->stack, STACK, s->be, s->scratch);
        if (!same_stack(s, row, s->scratch, any_mask(s->pack, &want->stack)))
            return false;
    }
    return true;
}

/* A sweep's register that still holds the address it was given is compared as an address. */
static uint64_t swept_register(const struct cts_seg *s, unsigned i, const uint8_t *row,
                               const uint8_t *expect)
{
    uint64_t v = cts_order_get64(s->be, expect + 8 * i);
    unsigned place = s->base->place[i];
    if (place != CTS_PL_VALUE && v == place_address(place, s->base->r[i]))
        return absolute(s, row, place, s->base->r[i]);
    return v;
}

static bool match_swept(const struct cts_seg *s, const uint8_t *row, const uint8_t *expect)
{
    const struct cts_layout *l = &s->layout;
    for (unsigned i = 0; i < 10; i++) {
        if (!((l->out_mask >> i) & 1) || ((s->base->any >> i) & 1))
            continue;
        if (cts_order_get64(s->be, row + CTS_ENTRY_OUT + 8 * i) !=
            swept_register(s, i, row, expect))
            return false;
    }
    const uint8_t *mem = expect + PRE_FILL_REGISTERS * 8;
    if (memcmp(row + CTS_ENTRY_MEM, mem, l->mem_bytes) != 0)
        return false;
    return l->stack_off == 0 || same_stack(s, row, mem + l->mem_bytes, NULL);
}

bool cts_seg_match(struct cts_seg *s, uint32_t r, const uint8_t *row, const uint8_t *expect)
{
    if (s->plain)
        return memcmp(row + CTS_ENTRY_OUT, expect, PRE_FILL_REGISTERS * 8) == 0;
    if (s->swept)
        return match_swept(s, row, expect);
    const struct cts_outcomes *out = &s->outcomes[r];
    for (uint32_t i = 0; i < out->count; i++) {
        const struct cts_pk_state *want = cts_outcome_state(s->pack, &out->first[i]);
        if (want && match_state(s, want, row))
            return true;
    }
    return false;
}

static void guess_stack(const struct cts_seg *s, const uint8_t *want, uint8_t *row)
{
    uint8_t *out = row + s->layout.stack_off + STACK;
    for (size_t at = 0, end; cts_seg_stack_span(s, &at, &end); at = end)
        memcpy(out + at, want + at, end - at);
}

/* The only state that the row may end in; null: there are none, or several. */
static const struct cts_pk_state *only_state(const struct cts_seg *s, uint32_t r)
{
    const struct cts_pk_state *only = NULL;
    unsigned states = 0;
    if (s->swept)
        return NULL;
    const struct cts_pk_tuple *pr = &s->pack->rows[s->unit->rows.first + r];
    for (uint32_t i = 0; i < pr->out.count; i++) {
        const struct cts_pk_outcome *o = &s->pack->outcomes[pr->out.first + i];
        if (o->kind == CTS_OUT_RAN && o->state != UINT32_MAX && ++states)
            only = &s->pack->states[o->state];
    }
    return states == 1 ? only : NULL;
}

void cts_seg_open_bytes(const struct cts_seg *s, uint32_t r, const uint8_t **mem,
                        const uint8_t **stack)
{
    const struct cts_pk_state *only = only_state(s, r);
    *mem = only && s->layout.mem_bytes ? any_mask(s->pack, &only->mem) : NULL;
    *stack = only && s->layout.stack_off ? any_mask(s->pack, &only->stack) : NULL;
}

/* What the program clears. */
static void guess_cleared(const struct cts_seg *s, uint32_t r, uint8_t *row)
{
    const uint8_t *mem, *stack;
    cts_seg_open_bytes(s, r, &mem, &stack);
    for (uint32_t i = 0; mem && i < s->layout.mem_bytes; i++)
        row[CTS_ENTRY_MEM + i] = mem[i] ? 0 : row[CTS_ENTRY_MEM + i];
    uint8_t *out = row + s->layout.stack_off + STACK;
    for (size_t at = 0, end; stack && cts_seg_stack_span(s, &at, &end); at = end)
        for (size_t i = at; i < end; i++)
            out[i] = stack[i] ? 0 : out[i];
}

static void guess_state(struct cts_seg *s, const struct cts_pk_state *want, uint16_t stored,
                        uint8_t *row)
{
    const struct cts_layout *l = &s->layout;
    for (unsigned i = 0; i < 10; i++)
        if ((stored >> i) & 1)
            cts_order_put64(s->be, row + CTS_ENTRY_OUT + 8 * i, want->r[i]);
    if (l->mem_bytes)
        image(s->pack, &want->mem, l->mem_bytes, s->be, row + CTS_ENTRY_MEM);
    if (l->stack_off) {
        image(s->pack, &want->stack, STACK, s->be, s->scratch);
        guess_stack(s, s->scratch, row);
    }
}

static void guess_swept(const struct cts_seg *s, const uint8_t *expect, uint8_t *row)
{
    const struct cts_layout *l = &s->layout;
    for (unsigned i = 0; i < 10; i++)
        if ((l->out_mask >> i) & 1)
            memcpy(row + CTS_ENTRY_OUT + 8 * i, expect + 8 * i, 8);
    expect += PRE_FILL_REGISTERS * 8;
    if (l->mem_bytes)
        memcpy(row + CTS_ENTRY_MEM, expect, l->mem_bytes);
    if (l->stack_off)
        guess_stack(s, expect + l->mem_bytes, row);
}

void cts_seg_guess(struct cts_seg *s, uint32_t r, const uint8_t *expect, uint16_t stored,
                   bool cleared, uint8_t *row)
{
    if (s->swept) {
        guess_swept(s, expect, row);
        return;
    }
    const struct cts_pk_state *want = first_state(s, r);
    if (!want)
        return;
    guess_state(s, want, stored, row);
    if (cleared)
        guess_cleared(s, r, row);
}

static bool leaves_open(const struct cts_seg *s, const struct cts_pk_state *want)
{
    return (want->any & s->layout.out_mask) ||
           (s->layout.mem_bytes && any_mask(s->pack, &want->mem)) ||
           (s->layout.stack_off && any_mask(s->pack, &want->stack));
}

uint16_t cts_seg_compared(const struct cts_seg *s, uint32_t r)
{
    unsigned compared = 0;
    bool ends = false;
    if (s->swept)
        return s->layout.out_mask;
    const struct cts_pk_tuple *pr = &s->pack->rows[s->unit->rows.first + r];
    for (uint32_t i = 0; i < pr->out.count; i++) {
        const struct cts_pk_outcome *o = &s->pack->outcomes[pr->out.first + i];
        if (o->kind != CTS_OUT_RAN || o->state == UINT32_MAX)
            continue;
        ends = true;
        compared |= ~(unsigned)s->pack->states[o->state].any;
    }
    return (uint16_t)(ends ? s->layout.out_mask & compared : s->layout.out_mask);
}

bool cts_seg_is_open(const struct cts_seg *s)
{
    for (uint32_t r = 0; !s->swept && r < s->unit->rows.count; r++) {
        const struct cts_pk_tuple *pr = &s->pack->rows[s->unit->rows.first + r];
        unsigned states = 0;
        for (uint32_t i = 0; i < pr->out.count; i++) {
            const struct cts_pk_outcome *o = &s->pack->outcomes[pr->out.first + i];
            if (o->kind != CTS_OUT_RAN || o->state == UINT32_MAX)
                continue;
            if (++states > 1 || leaves_open(s, &s->pack->states[o->state]))
                return true;
        }
    }
    return false;
}

bool cts_seg_untouched(const struct cts_seg *s, uint32_t r, const uint8_t *row,
                       const uint8_t *expect)
{
    const struct cts_pk_state *out = s->swept ? NULL : first_state(s, r);
    uint16_t mask = s->layout.out_mask;
    for (unsigned i = 0; i < 10; i++) {
        uint64_t left = s->swept ? ~cts_order_get64(s->be, expect + 8 * i) : before(out, i);
        if (((mask >> i) & 1) && cts_order_get64(s->be, row + CTS_ENTRY_OUT + 8 * i) != left)
            return false;
    }
    return mask != 0;
}

static const uint8_t *image_in(struct cts_seg *s, const struct cts_pk_bytes_ref *ref, size_t n,
                               struct cts_arena *arena)
{
    uint8_t *copy = n ? cts_arena_take(arena, n) : NULL;
    if (copy)
        image(s->pack, ref, n, s->be, copy);
    return copy;
}

static void expected_hand(struct cts_seg *s, uint32_t r, const uint8_t *row,
                          struct cts_arena *arena, const struct cts_pk_state *want,
                          struct cts_seg_view *v)
{
    const struct cts_layout *l = &s->layout;
    const struct cts_pk_tuple *pr = &s->pack->rows[s->unit->rows.first + r];
    const struct cts_pk_state *in = &s->pack->states[pr->in];
    for (unsigned i = 0; i < 10; i++) {
        v->in[i] = absolute(s, row, in->place[i], in->r[i]);
        v->r[i] = absolute(s, row, want->place[i], want->r[i]);
    }
    v->any = want->any;
    v->mem_in = image_in(s, &in->mem, l->mem_bytes, arena);
    v->mem = image_in(s, &want->mem, l->mem_bytes, arena);
    v->mem_any = any_mask(s->pack, &want->mem);
    v->stack_in = image_in(s, &in->stack, l->stack_off ? STACK : 0, arena);
    v->stack = image_in(s, &want->stack, l->stack_off ? STACK : 0, arena);
    v->stack_any = any_mask(s->pack, &want->stack);
}

static void expected_swept(struct cts_seg *s, uint32_t r, const uint8_t *row, const uint8_t *expect,
                           struct cts_seg_view *v)
{
    const struct cts_layout *l = &s->layout;
    uint64_t value[CTS_SEG_OPERANDS];
    operand_values(s, r, value);
    for (unsigned i = 0; i < 10; i++) {
        v->in[i] = absolute(s, row, s->base->place[i], s->base->r[i]);
        v->r[i] = swept_register(s, i, row, expect);
    }
    for (uint32_t i = 0; i < s->operands; i++) {
        if (s->operand[i].target == CTS_SWEEP_REG)
            v->in[s->operand[i].reg] = value[i];
        else
            put_sized(s->be, s->base_mem + s->operand[i].at, s->operand[i].width, value[i]);
    }
    v->any = s->base->any;
    if (l->mem_bytes) {
        v->mem_in = s->base_mem;
        v->mem = expect + PRE_FILL_REGISTERS * 8;
    }
    if (l->stack_off) {
        v->stack_in = s->base_stack;
        v->stack = expect + PRE_FILL_REGISTERS * 8 + l->mem_bytes;
    }
}

bool cts_seg_expected(struct cts_seg *s, uint32_t r, const uint8_t *row, const uint8_t *expect,
                      struct cts_arena *arena, struct cts_seg_view *view)
{
    *view = (struct cts_seg_view){0};
    if (s->swept) {
        expected_swept(s, r, row, expect, view);
        return true;
    }
    const struct cts_pk_state *want = first_state(s, r);
    if (want)
        expected_hand(s, r, row, arena, want, view);
    return want != NULL;
}
