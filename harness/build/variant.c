#include "build/impl.h"

#include <string.h>

/* A variant is prefix (none with opaque operands) + body + check (+ subprograms). The check
 * compares registers whose values are known now, so that a verifier decides its branches; the path
 * it should have removed, or wrongly takes, leaves a mark in the scratch register. */

struct known_reg {
    uint8_t reg;
    uint64_t value;
};

struct known_regs {
    struct known_reg list[10];
    unsigned count;
};

static void put(struct cts_buf *code, uint8_t opcode, unsigned dst, unsigned src, int16_t off,
                uint32_t imm)
{
    uint8_t slot[8];
    struct cts_insn in = {.opcode = opcode,
                          .dst = (uint8_t)dst,
                          .src = (uint8_t)src,
                          .off = off,
                          .imm = (int32_t)imm};
    cts_slot_put(slot, false, &in);
    cts_buf_add(code, slot, sizeof(slot));
}

static void put_lddw(struct cts_buf *code, unsigned dst, uint64_t value)
{
    put(code, CTS_OPCODE_LDDW, dst, 0, 0, (uint32_t)value);
    put(code, 0, 0, 0, 0, (uint32_t)(value >> 32));
}

static void plain_regs(const struct cts_vec_state *s, const struct cts_binding *bind,
                       struct known_regs *out)
{
    out->count = 0;
    for (size_t i = 0; i < s->reg_count; i++) {
        unsigned reg = cts_bld_reg(s->regs[i].reg, bind);
        if (s->regs[i].kind == CTS_VV_INT && reg < 10)
            out->list[out->count++] = (struct known_reg){(uint8_t)reg, s->regs[i].v};
    }
}

static uint16_t regs_of(const struct cts_vec_state *s, const struct cts_binding *bind)
{
    unsigned mask = 0;
    for (size_t i = 0; i < s->reg_count; i++)
        mask |= 1u << cts_bld_reg(s->regs[i].reg, bind);
    return (uint16_t)mask;
}

static void drop_unreadable(struct known_regs *k, uint16_t unreadable)
{
    unsigned n = 0;
    for (unsigned i = 0; i < k->count; i++)
        if (!(unreadable >> k->list[i].reg & 1))
            k->list[n++] = k->list[i];
    k->count = n;
}

/* What the check looks at: the outputs that are named, else the inputs, which then come out
 * unchanged. */
static void checked_regs(const struct cts_vec *v, const struct cts_vec_case *kase,
                         const struct cts_binding *bind, struct known_regs *out)
{
    const struct cts_vec_state *state = &kase->outcomes[0].out;
    plain_regs(state, bind, out);
    drop_unreadable(out, v->unreadable);
    if (out->count)
        return;
    plain_regs(&kase->in, bind, out);
    drop_unreadable(out, (uint16_t)(v->unreadable | regs_of(state, bind)));
}

static int find_scratch(const struct cts_vec *v, const struct cts_vec_case *kase,
                        const struct cts_concrete *c, uint16_t used)
{
    static const uint8_t order[] = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    unsigned taken = (unsigned)used | v->unreadable | regs_of(&kase->in, c->binding) |
                     regs_of(&kase->outcomes[0].out, c->binding);
    if (v->has_ctx)
        taken |= 1u << cts_bld_reg(v->ctx, c->binding);
    for (unsigned i = 0; i < sizeof(order); i++)
        if (!(taken >> order[i] & 1))
            return order[i];
    return CTS_BLD_NO_SCRATCH;
}

static void put_prefix(struct cts_buf *code, enum cts_operands kind, const struct known_regs *in,
                       unsigned scratch)
{
    if (kind == CTS_OPD_OPAQUE)
        return;
    for (unsigned i = 0; i < in->count; i++) {
        const struct known_reg *r = &in->list[i];
        put_lddw(code, kind == CTS_OPD_MASKED ? scratch : r->reg, r->value);
        if (kind == CTS_OPD_MASKED)
            put(code, CTS_OPCODE_AND64_X, r->reg, scratch, 0, 0);
    }
}

/* For each register: scratch = EXPECTED; if differs goto fail. Then: goto end; fail: scratch =
 * MARK; end. */
static uint64_t put_check(struct cts_buf *code, const struct known_regs *regs, unsigned scratch)
{
    uint64_t last = regs->list[regs->count - 1].value;
    for (unsigned i = 0; i < regs->count; i++) {
        unsigned left = regs->count - 1 - i;
        put_lddw(code, scratch, regs->list[i].value);
        put(code, CTS_OPCODE_JNE_X, regs->list[i].reg, scratch, (int16_t)(3 * left + 1), 0);
    }
    put(code, CTS_OPCODE_JA, 0, 0, 2, 0);
    put_lddw(code, scratch, ~last);
    return last;
}

/* Calls of subprograms, and their addresses, from inside the body: the check lies in between now.
 */
static void move_targets(uint8_t *body, uint32_t body_slots, uint32_t by)
{
    for (uint32_t at = 0; at < body_slots; at++) {
        struct cts_insn in;
        cts_slot_get(body + (size_t)at * 8, false, &in);
        bool local = (in.opcode == CTS_OPCODE_CALL_HELPER && in.src == SRC_LOCAL) ||
                     (in.opcode == CTS_OPCODE_LDDW && in.src == SRC_CODE);
        if (local && (int64_t)at + 1 + in.imm >= body_slots) {
            in.imm = (int32_t)((uint32_t)in.imm + by);
            cts_slot_put(body + (size_t)at * 8, false, &in);
        }
        at += in.opcode == CTS_OPCODE_LDDW;
    }
}

static bool assemble_variant(struct cts_builder *b, const struct cts_concrete *c,
                             enum cts_operands kind, const struct known_regs *in,
                             const struct known_regs *checked, struct cts_variant *out)
{
    struct cts_buf code;
    unsigned scratch = (unsigned)out->scratch.reg;
    cts_buf_init(&code, 0);
    put_prefix(&code, kind, in, scratch);
    size_t body_at = code.len;
    cts_buf_add(&code, c->code, (size_t)c->body_slots * 8);
    size_t check_at = code.len;
    out->scratch.value = put_check(&code, checked, scratch);
    out->body_slots = (uint32_t)(code.len / 8);
    uint32_t check_slots = (uint32_t)((code.len - check_at) / 8);
    cts_buf_add(&code, c->code + (size_t)c->body_slots * 8, (size_t)(c->slots - c->body_slots) * 8);
    out->slots = (uint32_t)(code.len / 8);
    out->code = code.failed ? NULL : cts_arena_take(&b->arena, code.len);
    if (out->code) {
        memcpy(out->code, code.data, code.len);
        move_targets(out->code + body_at, c->body_slots, check_slots);
    } else {
        b->w.failed = true;
    }
    cts_buf_release(&code);
    return out->code != NULL;
}

bool cts_bld_variant(struct cts_builder *b, const struct cts_vec *v, const struct cts_concrete *c,
                     const struct cts_vec_case *kase, enum cts_operands kind,
                     struct cts_variant *out)
{
    struct cts_code_facts facts;
    struct known_regs in, checked;
    memset(out, 0, sizeof(*out));
    if (kase->outcome_count != 1 || kase->outcomes[0].kind != CTS_OUT_RAN)
        return false;
    cts_bld_facts(c->code, c->slots, c->body_slots, &facts);
    plain_regs(&kase->in, c->binding, &in);
    checked_regs(v, kase, c->binding, &checked);
    out->scratch.reg = find_scratch(v, kase, c, facts.regs);
    if (!facts.straight || in.count == 0 || checked.count == 0 ||
        out->scratch.reg == CTS_BLD_NO_SCRATCH)
        return false;
    return assemble_variant(b, c, kind, &in, &checked, out);
}
