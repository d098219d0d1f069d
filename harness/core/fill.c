#include "core/fill.h"

#include <string.h>

#include "core/tuple.h"
#include "core/state.h"

static void seek(struct cts_seg *s, uint32_t r)
{
    s->next = r;
    for (uint32_t i = s->operands; i-- > 0;) {
        s->digit[i] = r % s->value_count[i];
        r /= s->value_count[i];
    }
}

void cts_seg_operands(struct cts_seg *s, uint32_t r, uint64_t value[CTS_SEG_OPERANDS])
{
    if (r != s->next)
        seek(s, r);
    for (uint32_t i = 0; i < s->operands; i++)
        value[i] = s->values[i][s->digit[i]];
    s->next++;
    for (uint32_t i = s->operands; i-- > 0 && ++s->digit[i] == s->value_count[i];)
        s->digit[i] = 0;
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

static void fill_plain(struct cts_seg *s, uint32_t r, uint8_t *entry, uint8_t *expect)
{
    struct cts_mach *m = s->mach;
    uint64_t value[CTS_SEG_OPERANDS];
    memcpy(m->r, s->base->r, sizeof(s->base->r));
    cts_seg_operands(s, r, value);
    for (uint32_t i = 0; i < s->operands; i++)
        m->r[s->operand[i].reg] = value[i];
    put_registers(s->be, entry + CTS_ENTRY_IN, m->r, 0);
    run_body(m);
    put_registers(s->be, expect, m->r, 0);
    put_registers(s->be, entry + CTS_ENTRY_OUT, m->r, UINT64_MAX);
    cts_order_put64(s->be, entry + CTS_ENTRY_END, CTS_ENDED_UNKNOWN);
}

/* Every output register was seen to be written when the entry's place was used first; from then on
 * those that move show whether the entry was run. */
static void refill_lean(struct cts_seg *s, uint32_t r, uint8_t *entry, uint8_t *expect)
{
    struct cts_mach *m = s->mach;
    uint64_t value[CTS_SEG_OPERANDS];
    cts_seg_operands(s, r, value);
    for (unsigned i = 0; i < s->moving_count; i++)
        m->r[s->moving[i]] = s->base->r[s->moving[i]];
    for (uint32_t i = 0; i < s->operands; i++)
        m->r[s->operand[i].reg] = value[i];
    for (unsigned i = 0; i < s->moving_count; i++)
        cts_order_put64(s->be, entry + CTS_ENTRY_IN + 8 * s->moving[i], m->r[s->moving[i]]);
    run_body(m);
    for (unsigned i = 0; i < s->moving_count; i++) {
        unsigned reg = s->moving[i];
        cts_order_put64(s->be, expect + 8 * reg, m->r[reg]);
        cts_order_put64(s->be, entry + CTS_ENTRY_OUT + 8 * reg, ~m->r[reg]);
    }
}

static void fill_swept(struct cts_seg *s, uint32_t r, uint8_t *entry, uint8_t *expect)
{
    const struct cts_layout *l = &s->layout;
    struct cts_mach *m = s->mach;
    uint8_t *mem = expect + CTS_EXPECT_REGISTERS, *stack = mem + l->mem_bytes;
    uint64_t value[CTS_SEG_OPERANDS];
    cts_seg_operands(s, r, value);
    for (unsigned i = 0; i < 10; i++)
        m->r[i] = s->base->place[i] == CTS_PL_VALUE
                      ? s->base->r[i]
                      : cts_state_address(s->base->place[i], s->base->r[i]);
    m->r[10] = cts_state_stack_top;
    m->regions = 0;
    if (l->mem_bytes) {
        memcpy(mem, s->base_mem, l->mem_bytes);
        cts_mach_map(m, cts_state_mem_base, mem, l->mem_bytes, true);
    }
    if (l->stack_off) {
        memcpy(stack, s->base_stack, CTS_STACK_BYTES);
        cts_mach_map(m, cts_state_stack_top - CTS_STACK_BYTES, stack, CTS_STACK_BYTES, true);
    }
    for (uint32_t i = 0; i < s->operands; i++) {
        if (s->operand[i].target == CTS_SWEEP_REG)
            m->r[s->operand[i].reg] = value[i];
        else
            cts_state_put(s->be, mem + s->operand[i].at, s->operand[i].width, value[i]);
    }
    put_registers(s->be, entry + CTS_ENTRY_IN, m->r, 0);
    if (l->mem_bytes)
        memcpy(entry + CTS_ENTRY_MEM, mem, l->mem_bytes);
    if (l->stack_off)
        memcpy(entry + l->stack_off, stack, CTS_STACK_BYTES);
    run_body(m);
    put_registers(s->be, expect, m->r, 0);
    put_registers(s->be, entry + CTS_ENTRY_OUT, m->r, UINT64_MAX);
    for (int i = 0; l->stack_off && i < CTS_STACK_BYTES; i++)
        entry[l->stack_off + (uint32_t)CTS_STACK_BYTES + (uint32_t)i] = (uint8_t)~stack[i];
    cts_order_put64(s->be, entry + CTS_ENTRY_END, CTS_ENDED_UNKNOWN);
}

static void fill_hand(struct cts_seg *s, uint32_t r, uint8_t *entry)
{
    const struct cts_layout *l = &s->layout;
    const struct cts_pk_tuple *pr = &s->pack->rows[s->unit->rows.first + r];
    const struct cts_pk_state *in = &s->pack->states[pr->in], *out = cts_seg_first_state(s, r);
    for (unsigned i = 0; i < 10; i++) {
        uint64_t v = in->place[i] == CTS_PL_VALUE ? in->r[i] : 0;
        cts_order_put64(s->be, entry + CTS_ENTRY_IN + 8 * i, v);
        cts_order_put64(s->be, entry + CTS_ENTRY_OUT + 8 * i, cts_seg_before(out, i));
    }
    cts_order_put64(s->be, entry + CTS_ENTRY_SELF, 0);
    cts_order_put64(s->be, entry + CTS_ENTRY_FP, 0);
    cts_order_put64(s->be, entry + CTS_ENTRY_END, CTS_ENDED_UNKNOWN);
    if (l->mem_bytes)
        cts_state_image(s->pack, &in->mem, l->mem_bytes, s->be, entry + CTS_ENTRY_MEM);
    if (l->stack_off) {
        cts_state_image(s->pack, &in->stack, CTS_STACK_BYTES, s->be, entry + l->stack_off);
        const struct cts_pk_state *like = out ? out : in;
        uint8_t *stale = entry + l->stack_off + CTS_STACK_BYTES;
        cts_state_image(s->pack, &like->stack, CTS_STACK_BYTES, s->be, stale);
        for (int i = 0; i < CTS_STACK_BYTES; i++)
            stale[i] = (uint8_t)~stale[i];
    }
}

void cts_seg_fill(struct cts_seg *s, uint32_t r, uint8_t *entry, uint8_t *expect)
{
    if (s->plain)
        fill_plain(s, r, entry, expect);
    else if (s->swept)
        fill_swept(s, r, entry, expect);
    else
        fill_hand(s, r, entry);
}

void cts_seg_refill(struct cts_seg *s, uint32_t r, uint8_t *entry, uint8_t *expect)
{
    if (s->lean)
        refill_lean(s, r, entry, expect);
    else
        cts_seg_fill(s, r, entry, expect);
}

static void predict_stack(const struct cts_seg *s, const uint8_t *want, uint8_t *entry)
{
    uint8_t *out = entry + s->layout.stack_off + CTS_STACK_BYTES;
    for (size_t at = 0, end; cts_seg_stack_span(s, &at, &end); at = end)
        memcpy(out + at, want + at, end - at);
}

/* What the program clears. */
static void predict_cleared(const struct cts_seg *s, uint32_t r, uint8_t *entry)
{
    const uint8_t *mem, *stack;
    cts_seg_open_bytes(s, r, &mem, &stack);
    for (uint32_t i = 0; mem && i < s->layout.mem_bytes; i++)
        entry[CTS_ENTRY_MEM + i] = mem[i] ? 0 : entry[CTS_ENTRY_MEM + i];
    uint8_t *out = entry + s->layout.stack_off + CTS_STACK_BYTES;
    for (size_t at = 0, end; stack && cts_seg_stack_span(s, &at, &end); at = end)
        for (size_t i = at; i < end; i++)
            out[i] = stack[i] ? 0 : out[i];
}

static void predict_state(struct cts_seg *s, const struct cts_pk_state *want, uint16_t stored,
                          uint8_t *entry)
{
    const struct cts_layout *l = &s->layout;
    for (unsigned i = 0; i < 10; i++)
        if ((stored >> i) & 1)
            cts_order_put64(s->be, entry + CTS_ENTRY_OUT + 8 * i, want->r[i]);
    if (l->mem_bytes)
        cts_state_image(s->pack, &want->mem, l->mem_bytes, s->be, entry + CTS_ENTRY_MEM);
    if (l->stack_off) {
        cts_state_image(s->pack, &want->stack, CTS_STACK_BYTES, s->be, s->scratch);
        predict_stack(s, s->scratch, entry);
    }
}

static void predict_swept(const struct cts_seg *s, const uint8_t *expect, uint8_t *entry)
{
    const struct cts_layout *l = &s->layout;
    for (unsigned i = 0; i < 10; i++)
        if ((l->out_mask >> i) & 1)
            memcpy(entry + CTS_ENTRY_OUT + 8 * i, expect + 8 * i, 8);
    expect += CTS_EXPECT_REGISTERS;
    if (l->mem_bytes)
        memcpy(entry + CTS_ENTRY_MEM, expect, l->mem_bytes);
    if (l->stack_off)
        predict_stack(s, expect + l->mem_bytes, entry);
}

void cts_seg_predict(struct cts_seg *s, uint32_t r, const uint8_t *expect, uint16_t stored,
                     bool cleared, uint8_t *entry)
{
    if (s->swept) {
        predict_swept(s, expect, entry);
        return;
    }
    const struct cts_pk_state *want = cts_seg_first_state(s, r);
    if (!want)
        return;
    predict_state(s, want, stored, entry);
    if (cleared)
        predict_cleared(s, r, entry);
}
