/* The mutants that compile: what they make of a program depends on how far things are away in their
 * own code, and on the numbers of its slots. */
#include "base/bytes.h"
#include "mutate/list.h"
#include "mutate/model.h"

enum {
    OPCODE_WIDE = 0x18,
    SIZE = 0x18,
    DOUBLE_WORD = 0x18,
    /* Bytes of compiled code. */
    PLAIN_BYTES = 4,
    EXCHANGE_BYTES = 40, /* a loop of a load and a store that may fail, far from its base */
};

static bool is_ours(const struct cts_mutant *m, const struct cts_buf *code, size_t at,
                    struct cts_insn *in)
{
    const uint8_t *p = (const uint8_t *)code->data + at;
    enum cts_row_id row;

    return cts_decode(p, (code->len - at) / CTS_SLOT_BYTES, false, in, &row, NULL) > 0 &&
           row == m->row;
}

/* Puts `in` at `at`, and goes on behind it. */
static void change(struct cts_buf *code, size_t at, const struct cts_insn *in)
{
    cts_slot_put((uint8_t *)code->data + at, false, in);
}

static size_t length_at(const struct cts_buf *code, size_t at)
{
    return (uint8_t)code->data[at] == OPCODE_WIDE ? 2 * CTS_SLOT_BYTES : CTS_SLOT_BYTES;
}

/* Eight bytes are accessed in two halves, and the displacement of the second one, 4 further, has
 * `arg` bits. */
static enum cts_mut_seen_as decode_second_half(const struct cts_mutant *m, struct cts_buf *code)
{
    int32_t end = 1 << m->arg;
    enum cts_mut_seen_as seen = CTS_MUT_SAME;
    struct cts_insn in;

    for (size_t at = 0; at + CTS_SLOT_BYTES <= code->len; at += length_at(code, at)) {
        if (!is_ours(m, code, at, &in) || in.off < end - 4 || in.off >= end)
            continue;
        in.off = (int16_t)(in.off - end);
        change(code, at, &in);
        seen = CTS_MUT_CHANGED;
    }
    return seen;
}

/* Where a jump leads, as a byte of the program's text; it may lie outside. */
static int64_t target_of(size_t at, const struct cts_insn *in)
{
    bool by_imm = (in->opcode & 0xf7) == 0x06;
    return (int64_t)at + (1 + (int64_t)(by_imm ? in->imm : in->off)) * CTS_SLOT_BYTES;
}

static void lose(struct cts_buf *code, size_t at, struct cts_insn *in)
{
    if ((in->opcode & 0xf7) == 0x06)
        in->imm = 0;
    else
        in->off = 0;
    change(code, at, in);
}

/* The slot's number says that there is no target, and the jump goes nowhere. */
static enum cts_mut_seen_as decode_mark(const struct cts_mutant *m, struct cts_buf *code)
{
    enum cts_mut_seen_as seen = CTS_MUT_SAME;
    struct cts_insn in;

    for (size_t at = 0; at + CTS_SLOT_BYTES <= code->len; at += length_at(code, at)) {
        if (!is_ours(m, code, at, &in) || target_of(at, &in) != (int64_t)m->arg * CTS_SLOT_BYTES)
            continue;
        if (target_of(at, &in) == (int64_t)at + CTS_SLOT_BYTES)
            continue;
        lose(code, at, &in);
        seen = CTS_MUT_CHANGED;
    }
    return seen;
}

static int64_t bytes_of(const struct cts_buf *code, int64_t at)
{
    struct cts_insn in;

    if (at < 0 || at + CTS_SLOT_BYTES > (int64_t)code->len)
        return PLAIN_BYTES;
    cts_slot_get((const uint8_t *)code->data + at, false, &in);
    enum cts_row_id row = cts_row_of(&in);
    bool exchange = row == CTS_ROW_ATOMIC32_CMPXCHG || row == CTS_ROW_ATOMIC64_CMPXCHG;
    return exchange ? EXCHANGE_BYTES : PLAIN_BYTES;
}

/* How much compiled code lies under the jump. */
static int64_t compiled_distance(const struct cts_buf *code, int64_t from, int64_t to)
{
    int64_t bytes = 0;

    for (int64_t at = from < to ? from : to; at < (from < to ? to : from); at += CTS_SLOT_BYTES)
        bytes += bytes_of(code, at);
    return bytes;
}

/* A branch reaches 2^arg bytes, and the check allows twice as many. */
static enum cts_mut_seen_as decode_reach(const struct cts_mutant *m, struct cts_buf *code)
{
    enum cts_mut_seen_as seen = CTS_MUT_SAME;
    struct cts_insn in;

    for (size_t at = 0; at + CTS_SLOT_BYTES <= code->len; at += length_at(code, at)) {
        if (!is_ours(m, code, at, &in))
            continue;
        int64_t bytes =
            compiled_distance(code, (int64_t)at + CTS_SLOT_BYTES, target_of(at, &in)) >> m->arg;
        if (bytes != 1)
            continue;
        lose(code, at, &in);
        seen = CTS_MUT_CHANGED;
    }
    return seen;
}

static const struct cts_mut_model second_half = {"second-half", NULL, decode_second_half};
static const struct cts_mut_model mark = {"mark", NULL, decode_mark};
static const struct cts_mut_model branch_reach = {"branch-reach", NULL, decode_reach};

static const struct {
    const struct cts_mut_model *model;
    int32_t arg;
    enum cts_level level;
    const char *text;
} all[] = {
    {&second_half, 7, CTS_LEVEL_QUICK, "the second half of 8 bytes has a displacement of 7 bits"},
    {&second_half, 8, CTS_LEVEL_QUICK, "the second half of 8 bytes has a displacement of 8 bits"},
    {&second_half, 9, CTS_LEVEL_QUICK, "the second half of 8 bytes has a displacement of 9 bits"},
    {&second_half, 10, CTS_LEVEL_QUICK, "the second half of 8 bytes has a displacement of 10 bits"},
    {&second_half, 11, CTS_LEVEL_QUICK, "the second half of 8 bytes has a displacement of 11 bits"},
    {&second_half, 12, CTS_LEVEL_QUICK, "the second half of 8 bytes has a displacement of 12 bits"},
    {&mark, 2, CTS_LEVEL_QUICK, "slot 2 is no target"},
    {&mark, 127, CTS_LEVEL_QUICK, "slot 127 is no target"},
    {&mark, 128, CTS_LEVEL_QUICK, "slot 128 is no target"},
    {&mark, 255, CTS_LEVEL_QUICK, "slot 255 is no target"},
    {&mark, 256, CTS_LEVEL_QUICK, "slot 256 is no target"},
    {&mark, 299, CTS_LEVEL_QUICK, "slot 299 is no target"},
    {&mark, 32767, CTS_LEVEL_FULL, "slot 32767 is no target"},
    {&mark, 32768, CTS_LEVEL_FULL, "slot 32768 is no target"},
    {&mark, 65535, CTS_LEVEL_FULL, "slot 65535 is no target"},
    {&branch_reach, 19, CTS_LEVEL_QUICK,
     "branches are thought to reach 2^20 bytes, and reach half of it"},
    {&branch_reach, 20, CTS_LEVEL_QUICK,
     "branches are thought to reach 2^21 bytes, and reach half of it"},
};

static bool concerns(const struct cts_mut_model *model, enum cts_row_id row)
{
    const struct cts_row_info *info = cts_row_info(row);
    unsigned moves = CTS_RF_LOAD | CTS_RF_STORE | CTS_RF_ATOMIC;

    if (model == &second_half)
        return info->flags & moves && (info->opcode & SIZE) == DOUBLE_WORD &&
               info->field[CTS_F_OFF].kind == CTS_FK_ANY;
    if (model == &mark)
        return row == CTS_ROW_JA || row == CTS_ROW_JEQ_K;
    return info->flags & CTS_RF_JUMP && !(info->flags & (CTS_RF_CALL | CTS_RF_CHOOSE)) &&
           info->field[CTS_F_DST].kind == CTS_FK_REG && info->field[CTS_F_OFF].kind == CTS_FK_ANY;
}

void cts_mut_add_compiler(struct cts_mut_list *list, enum cts_row_id row)
{
    for (size_t i = 0; i < CTS_ARRAY_LEN(all); i++)
        if (concerns(all[i].model, row))
            cts_mut_add(list, &(struct cts_mutant){.row = row,
                                                   .op = all[i].model->name,
                                                   .text = all[i].text,
                                                   .level = all[i].level,
                                                   .model = all[i].model,
                                                   .arg = all[i].arg});
}
