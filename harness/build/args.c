#include "build/impl.h"

/* Which arguments a function reads, as far as the order of its slots tells. */

enum {
    ARGUMENTS = 1 << 1 | 1 << 2, /* r1 and r2 */
    LD = 0,
    LDX = 1,
    ST = 2,
    STX = 3,
    ALU = 4,
    JMP = 5,
    JMP32 = 6,
    ALU64 = 7,
    FROM_REGISTER = 0x08,
    OP_LDDW = 0x18,
    MOV = 0xb0,
    CALL = 0x80,
    EXIT = 0x90,
};

static unsigned reads(const struct cts_insn *in)
{
    unsigned class = in->opcode & 7, op = in->opcode & 0xf0;
    unsigned dst = 1u << in->dst, src = 1u << in->src;
    unsigned second = in->opcode & FROM_REGISTER ? src : 0;
    if (class == LDX || class == STX)
        return class == LDX ? src : dst | src;
    if (class == ST)
        return dst;
    if (class == ALU || class == ALU64)
        return second | (op == MOV ? 0 : dst);
    if (class == LD)
        return in->opcode == OP_LDDW ? 0 : src;
    if (op == CALL) /* a function of the program is read itself */
        return in->src == 1 ? 0 : ARGUMENTS;
    return op == 0 || op == EXIT ? 0 : dst | second;
}

static unsigned writes(const struct cts_insn *in)
{
    unsigned class = in->opcode & 7;
    bool result = class == ALU || class == ALU64 || class == LDX || in->opcode == OP_LDDW;
    return result ? 1u << in->dst : 0;
}

bool cts_bld_takes_arguments(const uint8_t *code, uint32_t slots)
{
    unsigned given = ARGUMENTS;
    bool straight = true; /* what is written here is written on every way to what follows */
    for (uint32_t at = 0; at < slots; at++) {
        struct cts_insn in;
        cts_slot_get(code + (size_t)at * CTS_SLOT_BYTES, false, &in);
        if (reads(&in) & given)
            return true;
        straight = straight && (in.opcode & 7) != JMP && (in.opcode & 7) != JMP32;
        given &= straight ? ~writes(&in) : ~0u;
        at += in.opcode == OP_LDDW;
    }
    return false;
}
