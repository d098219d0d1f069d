#include "asm/unit.h"
#include "isa/isa.h"

/* The value of a field, as the bits of a 64-bit number and how many of them it has. */
struct field_value {
    uint64_t bits;
    unsigned width;
    bool is_signed, is_unsigned; /* which readings are allowed */
};

static struct field_value value_of(const struct cts_insn *in, enum cts_asm_field field)
{
    uint64_t low = (uint32_t)in->imm, high = (uint32_t)in->next_imm;
    switch (field) {
    case CTS_AF_OFF:
        return (struct field_value){(uint16_t)in->off, 16, true, false};
    case CTS_AF_IMM:
        return (struct field_value){low, 32, true, true};
    case CTS_AF_JUMP:
        return (struct field_value){low, 32, true, false};
    case CTS_AF_WIDE:
        return (struct field_value){high << 32 | low, 64, true, true};
    case CTS_AF_SRC:
        return (struct field_value){in->src, 4, false, true};
    case CTS_AF_CAST:
        return (struct field_value){low, 32, false, true};
    }
    return (struct field_value){0, 0, false, false};
}

static uint64_t sign_extend(uint64_t bits, unsigned width)
{
    uint64_t top = (uint64_t)1 << (width - 1);
    return (bits ^ top) - top;
}

static bool is_in(const struct cts_asm_num *num, const struct cts_insn *in)
{
    struct field_value v = value_of(in, (enum cts_asm_field)num->field);
    uint64_t want = num->negative ? 0 - num->magnitude : num->magnitude;
    if (num->field == CTS_AF_CAST)
        return want == v.bits >> 16 || want == (v.bits & 0xffff);
    return (v.is_unsigned && !num->negative && want == v.bits) ||
           (v.is_signed && want == sign_extend(v.bits, v.width));
}

static uint32_t take_insn(const uint8_t *bytes, uint32_t slots, bool be, struct cts_insn *in)
{
    struct cts_insn second;
    cts_slot_get(bytes, be, in);
    in->next_imm = 0;
    if (in->opcode != CTS_OPCODE_LDDW || slots < 2)
        return 1;
    cts_slot_get(bytes + CTS_SLOT_BYTES, be, &second);
    in->next_imm = second.imm;
    return 2;
}

static int match_insn(const struct cts_asm_batch *b, const struct cts_asm_unit *u,
                      const struct cts_asm_insn *x, const struct cts_insn *in, struct cts_err *err)
{
    for (uint32_t i = 0; i < x->num_count; i++) {
        const struct cts_asm_num *num = cts_asm_num_at(b, x->num_first + i);
        if (!is_in(num, in))
            return cts_asm_err(&b->src[u->prog], err, CTS_E_RANGE, x->line, num->col,
                               "llvm-mc made another number of %s%llu: opcode 0x%02x, offset %d, "
                               "immediate %d",
                               num->negative ? "-" : "", (unsigned long long)num->magnitude,
                               in->opcode, in->off, in->imm);
    }
    return 0;
}

int cts_asm_match(const struct cts_asm_batch *b, const struct cts_asm_unit *u, bool be,
                  const uint8_t *bytes, size_t len, struct cts_err *err)
{
    const struct cts_asm_src *src = &b->src[u->prog];
    uint32_t slots = (uint32_t)(len / CTS_SLOT_BYTES), at = 0;
    for (uint32_t i = 0; i < u->insn_count; i++) {
        const struct cts_asm_insn *x = cts_asm_insn_at(b, u->insn_first + i);
        struct cts_insn in;
        if (at != x->slot || at >= slots)
            return cts_asm_err(src, err, CTS_E_TOOL, x->line, x->col,
                               "llvm-mc put this instruction elsewhere");
        at += take_insn(bytes + (size_t)at * CTS_SLOT_BYTES, slots - at, be, &in);
        int rc = match_insn(b, u, x, &in, err);
        if (rc != 0)
            return rc;
    }
    if (at != slots || len % CTS_SLOT_BYTES != 0)
        return cts_asm_err(src, err, CTS_E_TOOL, 1, 0,
                           "llvm-mc made %zu bytes of %u instruction slots", len, at);
    return 0;
}
