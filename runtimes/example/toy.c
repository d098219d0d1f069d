#include "toy.h"

#include <stdlib.h>

enum { ADD, SUB, MUL, OR = 4, AND, NEG = 8, XOR = 10, MOV, ALU64 = 7, EXIT = 0x95 };
enum {
    KNOWN = 1 << ADD | 1 << SUB | 1 << MUL | 1 << OR | 1 << AND | 1 << NEG | 1 << XOR | 1 << MOV
};

struct insn {
    uint8_t opcode, dst, src;
    int16_t off;
    int32_t imm;
};

struct toy_program {
    uint32_t slots;
    struct insn insn[];
};

static struct insn decode(const uint8_t *at)
{
    uint32_t imm = at[4] | (uint32_t)at[5] << 8 | (uint32_t)at[6] << 16 | (uint32_t)at[7] << 24;
    return (struct insn){.opcode = at[0],
                         .dst = at[1] & 15,
                         .src = at[1] >> 4,
                         .off = (int16_t)(at[2] | at[3] << 8),
                         .imm = (int32_t)imm};
}

/* Bit 3 of an opcode: the operand is a register, not a number. */
static bool has_register(const struct insn *in)
{
    return in->opcode & 8;
}

static const char *refusal(const struct insn *in)
{
    unsigned op = in->opcode >> 4;
    if (in->opcode == EXIT)
        return in->dst || in->src || in->off || in->imm ? "reserved bits of exit" : NULL;
    if ((in->opcode & 7) != ALU64 || !(KNOWN >> op & 1) || (op == NEG && has_register(in)))
        return "unknown instruction";
    if (in->dst > 9 || in->src > (has_register(in) ? 10 : 0))
        return "bad register";
    return in->off || (in->imm && (op == NEG || has_register(in))) ? "reserved bits" : NULL;
}

struct toy_program *toy_load(const uint8_t *code, uint32_t slots, const char **why)
{
    *why = slots > TOY_SLOTS ? "too many instructions" : NULL;
    struct toy_program *p = *why ? NULL : malloc(sizeof(*p) + slots * sizeof(p->insn[0]));
    for (uint32_t i = 0; p && !*why && i < slots; i++) {
        p->insn[i] = decode(code + 8 * (uint64_t)i);
        *why = refusal(&p->insn[i]);
    }
    if (p && !*why) {
        p->slots = slots;
        return p;
    }
    *why = *why ? *why : "no memory";
    free(p);
    return NULL;
}

bool toy_run(const struct toy_program *p, uint32_t slots, uint64_t r[11])
{
    for (uint32_t i = 0; i < slots && i < p->slots; i++) {
        const struct insn *in = &p->insn[i];
        if (in->opcode == EXIT)
            return true;
        uint64_t dst = r[in->dst], src = has_register(in) ? r[in->src] : (uint64_t)(int64_t)in->imm;
        const uint64_t results[16] = {
            [ADD] = dst + src, [SUB] = dst - src, [MUL] = dst * src, [OR] = dst | src,
            [AND] = dst & src, [NEG] = 0 - dst,   [XOR] = dst ^ src, [MOV] = src,
        };
        r[in->dst] = results[in->opcode >> 4];
    }
    return false;
}

void toy_free(struct toy_program *p)
{
    free(p);
}
