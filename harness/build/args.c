#include "build/impl.h"

/* Which arguments a function reads, as far as the order of its slots tells. */

enum {
    ARGUMENTS = 1 << 1 | 1 << 2, /* r1 and r2 */
    FROM_REGISTER = 0x08,
    MOV = 0xb0,
};

static unsigned reads(const struct cts_insn *in)
{
    unsigned class = in->opcode & CTS_PART_CLASS, op = in->opcode & CTS_PART_CODE;
    unsigned dst = 1u << in->dst, src = 1u << in->src;
    unsigned second = in->opcode & FROM_REGISTER ? src : 0;
    if (class == CTS_CLASS_LDX || class == CTS_CLASS_STX)
        return class == CTS_CLASS_LDX ? src : dst | src;
    if (class == CTS_CLASS_ST)
        return dst;
    if (class == CTS_CLASS_ALU || class == CTS_CLASS_ALU64)
        return second | (op == MOV ? 0 : dst);
    if (class == CTS_CLASS_LD)
        return in->opcode == CTS_OPCODE_LDDW ? 0 : src;
    if (op == CTS_JUMP_CALL) /* a function of the program is read itself */
        return in->src == 1 ? 0 : ARGUMENTS;
    return op == CTS_JUMP_JA || op == CTS_JUMP_EXIT ? 0 : dst | second;
}

static unsigned writes(const struct cts_insn *in)
{
    unsigned class = in->opcode & 7;
    bool result = class == CTS_CLASS_ALU || class == CTS_CLASS_ALU64 || class == CTS_CLASS_LDX ||
                  in->opcode == CTS_OPCODE_LDDW;
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
        straight =
            straight && (in.opcode & 7) != CTS_CLASS_JMP && (in.opcode & 7) != CTS_CLASS_JMP32;
        given &= straight ? ~writes(&in) : ~0u;
        at += in.opcode == CTS_OPCODE_LDDW;
    }
    return false;
}
