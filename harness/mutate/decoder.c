#include "mutate/decoder.h"

#include <string.h>

#include "base/bytes.h"

bool cts_mut_is_branch(const struct cts_insn_info *info, enum cts_insn_id row)
{
    return (info->flags & CTS_RF_JUMP) && !(info->flags & CTS_RF_CALL) && row != CTS_INSN_EXIT;
}

struct reader {
    uint8_t *at;
    uint32_t left; /* slots */
    struct cts_insn in;
    enum cts_insn_id row; /* CTS_INSN_COUNT: not a legal instruction */
};

/* The next instruction of a program, legal or not. */
static bool next_insn(struct reader *r, struct cts_buf *code, uint32_t *slot)
{
    uint32_t slots = (uint32_t)(code->len / CTS_SLOT_BYTES);
    if (*slot >= slots)
        return false;
    r->at = (uint8_t *)code->data + (size_t)*slot * CTS_SLOT_BYTES;
    r->left = slots - *slot;
    int n = cts_decode(r->at, r->left, false, &r->in, &r->row, NULL);
    *slot += n > 0 ? (uint32_t)n : 1;
    return true;
}

static void put_field(uint8_t *slot, unsigned field, int32_t v)
{
    switch (field) {
    case CTS_F_DST:
        slot[1] = (uint8_t)((slot[1] & 0xf0) | (v & 15));
        break;
    case CTS_F_SRC:
        slot[1] = (uint8_t)((slot[1] & 0x0f) | (v & 15) << 4);
        break;
    case CTS_F_OFF:
        cts_put16le(slot + 2, (uint16_t)v);
        break;
    case CTS_F_IMM:
        cts_put32le(slot + 4, (uint32_t)v);
        break;
    case CTS_F_NEXT_IMM:
        cts_put32le(slot + 12, (uint32_t)v);
        break;
    case CTS_SECOND_OPCODE:
        slot[8] = 0;
        break;
    case CTS_SECOND_REGS:
        slot[9] = 0;
        break;
    case CTS_SECOND_OFF:
        cts_put16le(slot + 10, 0);
        break;
    }
}

static bool is_second_slot(unsigned field)
{
    return field >= CTS_F_NEXT_IMM;
}

/* A field that must have one value is not looked at. */
enum cts_mut_decoded cts_mut_decode_ignores_field(const struct cts_mutant *m, struct cts_buf *code)
{
    const struct cts_insn_info *info = cts_insn_info(m->row);
    enum cts_mut_decoded seen = CTS_DECODED_SAME;
    unsigned field = (unsigned)m->arg;
    struct reader r;
    for (uint32_t i = 0; next_insn(&r, code, &i);) {
        uint8_t fixed[16];
        struct cts_insn in;
        enum cts_insn_id row;
        uint32_t slots = r.left > 1 ? 2 : 1;
        if (r.row != CTS_INSN_COUNT || r.in.opcode != info->opcode ||
            (is_second_slot(field) && slots < 2))
            continue;
        memcpy(fixed, r.at, slots * CTS_SLOT_BYTES);
        put_field(fixed, field, field < CTS_F_COUNT ? info->field[field].value : 0);
        int n = cts_decode(fixed, slots, false, &in, &row, NULL);
        if (n <= 0 || row != m->row)
            continue;
        memcpy(r.at, fixed, (size_t)n * CTS_SLOT_BYTES);
        i += (uint32_t)n - 1;
        seen = CTS_DECODED_CHANGED;
    }
    return seen;
}

/* Register numbers beyond 10 are taken for r0. */
enum cts_mut_decoded cts_mut_decode_any_register(const struct cts_mutant *m, struct cts_buf *code)
{
    const struct cts_insn_info *info = cts_insn_info(m->row);
    enum cts_mut_decoded seen = CTS_DECODED_SAME;
    struct reader r;
    for (uint32_t i = 0; next_insn(&r, code, &i);) {
        unsigned reg = m->arg == CTS_F_DST ? r.in.dst : r.in.src;
        uint8_t fixed[2 * CTS_SLOT_BYTES];
        struct cts_insn in;
        enum cts_insn_id row;
        uint32_t slots = r.left > 1 ? 2 : 1;
        if (r.row != CTS_INSN_COUNT || r.in.opcode != info->opcode || reg < CTS_REG_COUNT)
            continue;
        memcpy(fixed, r.at, slots * CTS_SLOT_BYTES);
        put_field(fixed, (unsigned)m->arg, 0);
        if (cts_decode(fixed, slots, false, &in, &row, NULL) <= 0 || row != m->row)
            continue;
        put_field(r.at, (unsigned)m->arg, 0);
        seen = CTS_DECODED_CHANGED;
    }
    return seen;
}

static const uint8_t nothing[CTS_SLOT_BYTES] = {0x05};   /* goto +0 */
static const uint8_t exit_slot[CTS_SLOT_BYTES] = {0x95}; /* exit */

enum cts_mut_decoded cts_mut_decode_unassigned(const struct cts_mutant *m, struct cts_buf *code)
{
    enum cts_mut_decoded seen = CTS_DECODED_SAME;
    struct reader r;
    for (uint32_t i = 0; next_insn(&r, code, &i);) {
        if (r.row != CTS_INSN_COUNT || r.in.opcode != (uint8_t)m->arg)
            continue;
        memcpy(r.at, nothing, sizeof(nothing));
        seen = CTS_DECODED_CHANGED;
    }
    return seen;
}

static bool refuses(enum cts_mut_refusal what, const struct cts_insn *in)
{
    switch (what) {
    case CTS_REFUSES_ALL:
        return true;
    case CTS_REFUSES_DST_8:
        return in->dst >= 8;
    case CTS_REFUSES_SRC_8:
        return in->src >= 8;
    case CTS_REFUSES_SRC_10:
        return in->src == 10;
    case CTS_REFUSES_DST_10:
        return in->dst == 10;
    case CTS_REFUSES_ALIAS:
        return in->dst == in->src;
    case CTS_REFUSES_OFF_NEGATIVE:
        return in->off < 0;
    case CTS_REFUSES_OFF_POSITIVE:
        return in->off > 0;
    case CTS_REFUSES_OFF_FAR:
        return in->off > 127 || in->off < -128;
    case CTS_REFUSES_IMM_NEGATIVE:
        return in->imm < 0;
    case CTS_REFUSES_IMM_ZERO:
        return in->imm == 0;
    case CTS_REFUSES_IMM_LARGE:
        return in->imm > 32767 || in->imm < -32768;
    case CTS_REFUSES_COUNT:
        break;
    }
    return false;
}

enum cts_mut_decoded cts_mut_decode_refuses(const struct cts_mutant *m, struct cts_buf *code)
{
    struct reader r;
    for (uint32_t i = 0; next_insn(&r, code, &i);)
        if (r.row == m->row && refuses((enum cts_mut_refusal)m->arg, &r.in))
            return CTS_DECODED_REJECTED;
    return CTS_DECODED_SAME;
}

/* Is there an instruction at this slot? 1 yes, 0 in the middle of a wide one, -1 outside. */
static int target_kind(struct cts_buf *code, int64_t target)
{
    struct reader r;
    if (target < 0 || target >= (int64_t)(code->len / CTS_SLOT_BYTES))
        return -1;
    for (uint32_t i = 0, at = 0; next_insn(&r, code, &i); at = i)
        if ((int64_t)at == target)
            return 1;
    return 0;
}

static enum cts_mut_decoded retarget(struct cts_buf *code, enum cts_mut_laxity what)
{
    enum cts_mut_decoded seen = CTS_DECODED_SAME;
    struct reader r;
    for (uint32_t i = 0; next_insn(&r, code, &i);) {
        bool call = r.row == CTS_INSN_CALL_LOCAL || r.row == CTS_INSN_LDDW_CODE;
        if (r.row == CTS_INSN_COUNT || (!call && !cts_mut_is_branch(cts_insn_info(r.row), r.row)) ||
            call != (what == CTS_ACCEPTS_CALL_OUT))
            continue;
        uint32_t from = (uint32_t)((size_t)(r.at - (uint8_t *)code->data) / CTS_SLOT_BYTES);
        bool by_imm = call || r.row == CTS_INSN_JA32;
        int kind = target_kind(code, (int64_t)from + 1 + (by_imm ? r.in.imm : r.in.off));
        if (kind == 1 || (what == CTS_ACCEPTS_JUMP_WIDE) != (kind == 0))
            continue;
        /* Taken for the next instruction; a call for one of the first. */
        put_field(r.at, by_imm ? CTS_F_IMM : CTS_F_OFF, call ? -(int32_t)from - 1 : 0);
        seen = CTS_DECODED_CHANGED;
    }
    return seen;
}

enum cts_mut_decoded cts_mut_decode_structure(const struct cts_mutant *m, struct cts_buf *code)
{
    enum cts_mut_laxity what = (enum cts_mut_laxity)m->arg;
    if (what == CTS_ACCEPTS_EMPTY || what == CTS_ACCEPTS_FALL_OFF) {
        if ((code->len == 0) != (what == CTS_ACCEPTS_EMPTY))
            return CTS_DECODED_SAME;
        struct reader r = {.row = CTS_INSN_COUNT};
        for (uint32_t i = 0; next_insn(&r, code, &i);)
            if (r.row == CTS_INSN_COUNT)
                return CTS_DECODED_SAME;
        if (r.row == CTS_INSN_EXIT || r.row == CTS_INSN_JA || r.row == CTS_INSN_JA32 ||
            r.row == CTS_INSN_GOTOX)
            return CTS_DECODED_SAME;
        cts_buf_add(code, exit_slot, sizeof(exit_slot));
        return CTS_DECODED_CHANGED;
    }
    return retarget(code, what);
}
