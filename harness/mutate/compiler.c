/* The mutants that compile: what they make of a program depends on how far things are away in their
 * own code, and on the numbers of its slots. */
#include "base/bytes.h"
#include "mutate/list.h"
#include "mutate/model.h"

enum {
    UNSCALED = 255, /* the last displacement of an encoding that counts bytes */
    /* Bytes of compiled code. */
    PLAIN_BYTES = 3,
    MANY_BYTES = 40,
};

static bool is_ours(const struct cts_mutant *m, const struct cts_buf *code, size_t at,
                    struct cts_insn *in)
{
    const uint8_t *p = (const uint8_t *)code->data + at;
    enum cts_insn_id row;

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
    return (uint8_t)code->data[at] == CTS_OPCODE_LDDW ? 2 * CTS_SLOT_BYTES : CTS_SLOT_BYTES;
}

/* Eight bytes are accessed in two halves, and the displacement of the second one, 4 further, has
 * `arg` bits. */
static enum cts_mut_decoded decode_second_half(const struct cts_mutant *m, struct cts_buf *code)
{
    int32_t end = 1 << m->arg;
    enum cts_mut_decoded seen = CTS_DECODED_SAME;
    struct cts_insn in;

    for (size_t at = 0; at + CTS_SLOT_BYTES <= code->len; at += length_at(code, at)) {
        if (!is_ours(m, code, at, &in) || in.off < end - 4 || in.off >= end)
            continue;
        in.off = (int16_t)(in.off - end);
        change(code, at, &in);
        seen = CTS_DECODED_CHANGED;
    }
    return seen;
}

static bool goes_by_imm(const struct cts_insn *in)
{
    return (in->opcode & 0xf7) == 0x06 || in->opcode == CTS_OPCODE_CALL_HELPER;
}

/* A displacement, or a distance. */
static int32_t distance_of(const struct cts_insn *in)
{
    return goes_by_imm(in) ? in->imm : in->off;
}

static void set_distance(struct cts_buf *code, size_t at, struct cts_insn *in, int32_t distance)
{
    if (goes_by_imm(in))
        in->imm = distance;
    else
        in->off = (int16_t)distance;
    change(code, at, in);
}

/* A field of `arg` bits, and the check lets one through that is one too many: nothing of it is
 * left. */
static enum cts_mut_decoded decode_limit(const struct cts_mutant *m, struct cts_buf *code)
{
    enum cts_mut_decoded seen = CTS_DECODED_SAME;
    struct cts_insn in;

    for (size_t at = 0; at + CTS_SLOT_BYTES <= code->len; at += length_at(code, at)) {
        if (!is_ours(m, code, at, &in) || distance_of(&in) != 1 << m->arg)
            continue;
        set_distance(code, at, &in, 0);
        seen = CTS_DECODED_CHANGED;
    }
    return seen;
}

/* A signed field of `arg` bits and a sign, and the same at its lower end: its sign changes. */
static enum cts_mut_decoded decode_lower_limit(const struct cts_mutant *m, struct cts_buf *code)
{
    enum cts_mut_decoded seen = CTS_DECODED_SAME;
    struct cts_insn in;

    for (size_t at = 0; at + CTS_SLOT_BYTES <= code->len; at += length_at(code, at)) {
        if (!is_ours(m, code, at, &in) || distance_of(&in) != -(1 << m->arg) - 1)
            continue;
        set_distance(code, at, &in, (1 << m->arg) - 1);
        seen = CTS_DECODED_CHANGED;
    }
    return seen;
}

static unsigned width_of(const struct cts_insn *in)
{
    static const unsigned widths[] = {4, 2, 1, 8};
    return widths[(in->opcode & CTS_PART_SIZE) >> 3];
}

/* Far displacements count widths of the access, and what does not divide is dropped. */
static enum cts_mut_decoded decode_scaled(const struct cts_mutant *m, struct cts_buf *code)
{
    enum cts_mut_decoded seen = CTS_DECODED_SAME;
    struct cts_insn in;

    for (size_t at = 0; at + CTS_SLOT_BYTES <= code->len; at += length_at(code, at)) {
        if (!is_ours(m, code, at, &in) || in.off <= UNSCALED || in.off % (int)width_of(&in) == 0)
            continue;
        set_distance(code, at, &in, in.off - in.off % (int)width_of(&in));
        seen = CTS_DECODED_CHANGED;
    }
    return seen;
}

/* Where a jump leads, as a byte of the program's text; it may lie outside. */
static int64_t target_of(size_t at, const struct cts_insn *in)
{
    return (int64_t)at + (1 + (int64_t)distance_of(in)) * CTS_SLOT_BYTES;
}

static void lose(struct cts_buf *code, size_t at, struct cts_insn *in)
{
    set_distance(code, at, in, 0);
}

/* The slot's number says that there is no target, and the jump goes nowhere. */
static enum cts_mut_decoded decode_mark(const struct cts_mutant *m, struct cts_buf *code)
{
    enum cts_mut_decoded seen = CTS_DECODED_SAME;
    struct cts_insn in;

    for (size_t at = 0; at + CTS_SLOT_BYTES <= code->len; at += length_at(code, at)) {
        if (!is_ours(m, code, at, &in) || target_of(at, &in) != (int64_t)m->arg * CTS_SLOT_BYTES)
            continue;
        if (target_of(at, &in) == (int64_t)at + CTS_SLOT_BYTES)
            continue;
        lose(code, at, &in);
        seen = CTS_DECODED_CHANGED;
    }
    return seen;
}

/* What compiles to many bytes. */
static bool is_exchange(enum cts_insn_id row)
{
    return row == CTS_INSN_ATOMIC32_CMPXCHG || row == CTS_INSN_ATOMIC64_CMPXCHG;
}

static bool is_division(enum cts_insn_id row)
{
    return row == CTS_INSN_DIV64_X || row == CTS_INSN_MOD64_X || row == CTS_INSN_SDIV64_X ||
           row == CTS_INSN_SMOD64_X;
}

static bool is_wide(enum cts_insn_id row)
{
    return row == CTS_INSN_LDDW;
}

static bool is_helper_call(enum cts_insn_id row)
{
    return row == CTS_INSN_CALL_HELPER;
}

typedef bool heavy_fn(enum cts_insn_id row);

static int64_t bytes_of(const struct cts_buf *code, int64_t at, heavy_fn *heavy)
{
    struct cts_insn in;

    if (at < 0 || at + CTS_SLOT_BYTES > (int64_t)code->len)
        return PLAIN_BYTES;
    cts_slot_get((const uint8_t *)code->data + at, false, &in);
    return heavy(cts_insn_of(&in)) ? MANY_BYTES : PLAIN_BYTES;
}

/* How much compiled code lies under the jump. */
static int64_t compiled_distance(const struct cts_buf *code, int64_t from, int64_t to,
                                 heavy_fn *heavy)
{
    int64_t bytes = 0;

    for (int64_t at = from < to ? from : to; at < (from < to ? to : from); at += CTS_SLOT_BYTES)
        bytes += bytes_of(code, at, heavy);
    return bytes;
}

/* A branch reaches 2^arg bytes, and the check allows twice as many. */
static enum cts_mut_decoded find_reach(const struct cts_mutant *m, struct cts_buf *code,
                                       heavy_fn *heavy)
{
    enum cts_mut_decoded seen = CTS_DECODED_SAME;
    struct cts_insn in;

    for (size_t at = 0; at + CTS_SLOT_BYTES <= code->len; at += length_at(code, at)) {
        if (!is_ours(m, code, at, &in))
            continue;
        int64_t bytes =
            compiled_distance(code, (int64_t)at + CTS_SLOT_BYTES, target_of(at, &in), heavy) >>
            m->arg;
        if (bytes != 1)
            continue;
        lose(code, at, &in);
        seen = CTS_DECODED_CHANGED;
    }
    return seen;
}

static enum cts_mut_decoded decode_exchanges(const struct cts_mutant *m, struct cts_buf *code)
{
    return find_reach(m, code, is_exchange);
}

static enum cts_mut_decoded decode_divisions(const struct cts_mutant *m, struct cts_buf *code)
{
    return find_reach(m, code, is_division);
}

static enum cts_mut_decoded decode_wide(const struct cts_mutant *m, struct cts_buf *code)
{
    return find_reach(m, code, is_wide);
}

static enum cts_mut_decoded decode_helper_calls(const struct cts_mutant *m, struct cts_buf *code)
{
    return find_reach(m, code, is_helper_call);
}

/* Whether an instruction before `end` copies r10 to a register. */
static bool may_be_address(const struct cts_buf *code, size_t end, unsigned reg)
{
    struct cts_insn in;

    for (size_t at = 0; at < end; at += length_at(code, at)) {
        cts_slot_get((const uint8_t *)code->data + at, false, &in);
        if (cts_insn_of(&in) == CTS_INSN_MOV64_X && in.src == 10 && in.dst == reg)
            return true;
    }
    return false;
}

/* A barrier goes in front of a comparison of what may be an address: where it leads backwards it is
 * moved, and its offset is not. */
static enum cts_mut_decoded decode_barrier(const struct cts_mutant *m, struct cts_buf *code)
{
    enum cts_mut_decoded seen = CTS_DECODED_SAME;
    struct cts_insn in;

    for (size_t at = 0; at + CTS_SLOT_BYTES <= code->len; at += length_at(code, at)) {
        if (!is_ours(m, code, at, &in) || in.off >= 0 || !may_be_address(code, at, in.dst))
            continue;
        in.off++;
        change(code, at, &in);
        seen = CTS_DECODED_CHANGED;
    }
    return seen;
}

static const struct cts_mut_model second_half = {"second-half", NULL, decode_second_half};
static const struct cts_mut_model scaled = {"limit", NULL, decode_scaled};
static const struct cts_mut_model limit = {"limit", NULL, decode_limit};
static const struct cts_mut_model lower_limit = {"limit", NULL, decode_lower_limit};
/* The same of jumps and calls, whose distances are tried at other levels. */
static const struct cts_mut_model reach = {"limit", NULL, decode_limit};
static const struct cts_mut_model reach_back = {"limit", NULL, decode_lower_limit};
static const struct cts_mut_model far_reach = {"limit", NULL, decode_limit};
static const struct cts_mut_model far_reach_back = {"limit", NULL, decode_lower_limit};
static const struct cts_mut_model mark = {"mark", NULL, decode_mark};
static const struct cts_mut_model exchanges = {"branch-reach", NULL, decode_exchanges};
static const struct cts_mut_model divisions = {"branch-reach", NULL, decode_divisions};
static const struct cts_mut_model wide = {"branch-reach", NULL, decode_wide};
static const struct cts_mut_model helper_calls = {"branch-reach", NULL, decode_helper_calls};
static const struct cts_mut_model barrier = {"barrier", NULL, decode_barrier};

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
    {&scaled, 0, CTS_LEVEL_QUICK, "displacements beyond 255 drop what the width does not divide"},
    {&limit, 7, CTS_LEVEL_QUICK, "a displacement of 128 is thought to have 7 bits"},
    {&limit, 8, CTS_LEVEL_QUICK, "a displacement of 256 is thought to have 8 bits"},
    {&limit, 11, CTS_LEVEL_QUICK, "a displacement of 2048 is thought to have 11 bits"},
    {&limit, 12, CTS_LEVEL_QUICK, "a displacement of 4096 is thought to have 12 bits"},
    {&limit, 14, CTS_LEVEL_QUICK, "a displacement of 16384 is thought to have 14 bits"},
    {&lower_limit, 7, CTS_LEVEL_QUICK, "a displacement of -129 is thought to have 8 bits"},
    {&lower_limit, 8, CTS_LEVEL_QUICK, "a displacement of -257 is thought to have 9 bits"},
    {&lower_limit, 11, CTS_LEVEL_QUICK, "a displacement of -2049 is thought to have 12 bits"},
    {&lower_limit, 12, CTS_LEVEL_QUICK, "a displacement of -4097 is thought to have 13 bits"},
    {&lower_limit, 14, CTS_LEVEL_QUICK, "a displacement of -16385 is thought to have 15 bits"},
    {&reach, 7, CTS_LEVEL_QUICK, "a distance of 128 is thought to have 7 bits"},
    {&reach, 8, CTS_LEVEL_QUICK, "a distance of 256 is thought to have 8 bits"},
    {&reach, 9, CTS_LEVEL_QUICK, "a distance of 512 is thought to have 9 bits"},
    {&reach, 10, CTS_LEVEL_QUICK, "a distance of 1024 is thought to have 10 bits"},
    {&reach, 11, CTS_LEVEL_QUICK, "a distance of 2048 is thought to have 11 bits"},
    {&reach_back, 7, CTS_LEVEL_QUICK, "a distance of -129 is thought to have 8 bits"},
    {&reach_back, 8, CTS_LEVEL_QUICK, "a distance of -257 is thought to have 9 bits"},
    {&reach_back, 9, CTS_LEVEL_QUICK, "a distance of -513 is thought to have 10 bits"},
    {&reach_back, 10, CTS_LEVEL_QUICK, "a distance of -1025 is thought to have 11 bits"},
    {&reach_back, 11, CTS_LEVEL_QUICK, "a distance of -2049 is thought to have 12 bits"},
    {&reach, 12, CTS_LEVEL_FULL, "a distance of 4096 is thought to have 12 bits"},
    {&reach, 14, CTS_LEVEL_FULL, "a distance of 16384 is thought to have 14 bits"},
    {&reach_back, 12, CTS_LEVEL_FULL, "a distance of -4097 is thought to have 13 bits"},
    {&reach_back, 14, CTS_LEVEL_FULL, "a distance of -16385 is thought to have 15 bits"},
    {&far_reach, 15, CTS_LEVEL_FULL, "a distance of 32768 is thought to have 15 bits"},
    {&far_reach, 16, CTS_LEVEL_FULL, "a distance of 65536 is thought to have 16 bits"},
    {&far_reach_back, 15, CTS_LEVEL_FULL, "a distance of -32769 is thought to have 16 bits"},
    {&far_reach_back, 16, CTS_LEVEL_FULL, "a distance of -65537 is thought to have 17 bits"},
    {&mark, 2, CTS_LEVEL_QUICK, "slot 2 is no target"},
    {&mark, 127, CTS_LEVEL_QUICK, "slot 127 is no target"},
    {&mark, 128, CTS_LEVEL_QUICK, "slot 128 is no target"},
    {&mark, 255, CTS_LEVEL_QUICK, "slot 255 is no target"},
    {&mark, 256, CTS_LEVEL_QUICK, "slot 256 is no target"},
    {&mark, 299, CTS_LEVEL_QUICK, "slot 299 is no target"},
    {&mark, 32767, CTS_LEVEL_FULL, "slot 32767 is no target"},
    {&mark, 32768, CTS_LEVEL_FULL, "slot 32768 is no target"},
    {&mark, 65535, CTS_LEVEL_FULL, "slot 65535 is no target"},
    {&exchanges, 17, CTS_LEVEL_FULL,
     "branches are thought to reach 2^18 bytes, and reach half of it"},
    {&exchanges, 18, CTS_LEVEL_FULL,
     "branches are thought to reach 2^19 bytes, and reach half of it"},
    {&exchanges, 19, CTS_LEVEL_QUICK,
     "branches are thought to reach 2^20 bytes, and reach half of it"},
    {&exchanges, 20, CTS_LEVEL_QUICK,
     "branches are thought to reach 2^21 bytes, and reach half of it"},
    {&divisions, 17, CTS_LEVEL_FULL,
     "branches are thought to reach 2^18 bytes, and reach half of it, over divisions"},
    {&wide, 17, CTS_LEVEL_FULL,
     "branches are thought to reach 2^18 bytes, and reach half of it, over 64-bit immediates"},
    {&wide, 19, CTS_LEVEL_FULL,
     "branches are thought to reach 2^20 bytes, and reach half of it, over 64-bit immediates"},
    {&helper_calls, 19, CTS_LEVEL_FULL,
     "branches are thought to reach 2^20 bytes, and reach half of it, over calls"},
    {&barrier, 0, CTS_LEVEL_QUICK,
     "a barrier in front of a jump backwards moves it by one, and not its offset"},
};

static bool has_offset(const struct cts_insn_info *info)
{
    return info->field[CTS_F_OFF].kind == CTS_FK_ANY;
}

static bool is_jump_by_imm(enum cts_insn_id row)
{
    return row == CTS_INSN_JA32 || row == CTS_INSN_CALL_LOCAL;
}

static bool concerns(const struct cts_mut_model *model, enum cts_insn_id row)
{
    const struct cts_insn_info *info = cts_insn_info(row);
    bool moves = info->flags & (CTS_RF_LOAD | CTS_RF_STORE | CTS_RF_ATOMIC) && has_offset(info);
    unsigned width = width_of(&(struct cts_insn){.opcode = info->opcode});

    if (model == &second_half || model == &scaled)
        return moves && width >= (model == &scaled ? 2 : 8);
    if (model == &limit || model == &lower_limit)
        return moves;
    if (model == &reach || model == &reach_back)
        return is_jump_by_imm(row) ||
               (info->flags & CTS_RF_JUMP && !(info->flags & CTS_RF_CHOOSE) && has_offset(info));
    if (model == &far_reach || model == &far_reach_back)
        return is_jump_by_imm(row);
    if (model == &mark)
        return row == CTS_INSN_JA || row == CTS_INSN_JEQ_K || row == CTS_INSN_CALL_LOCAL;
    return info->flags & CTS_RF_JUMP && !(info->flags & (CTS_RF_CALL | CTS_RF_CHOOSE)) &&
           info->field[CTS_F_DST].kind == CTS_FK_REG && has_offset(info);
}

void cts_mut_add_compiler(struct cts_mut_list *list, enum cts_insn_id row)
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
