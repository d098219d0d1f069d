/* uses: base host isa asm */
/* Two encoders, written apart from each other, agree: the text of every instruction, through
 * llvm-mc, gives the bytes of the strict encoder; for every row, with the extremes of its fields,
 * in both byte orders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "asm/asm.h"
#include "base/bytes.h"
#include "isa/isa.h"

enum { TEXT_LEN = 96, SAMPLES_MAX = 200000 };

static const int32_t reg_values[] = {0, 1, 9, 10};
static const int32_t off_values[] = {0, 1, -1, 5, INT16_MAX, INT16_MIN};
static const int32_t imm_values[] = {0, 1, -1, 255, INT32_MAX, INT32_MIN};

static const struct {
    const int32_t *values;
    size_t count;
} field_values[CTS_F_COUNT] = {
    [CTS_F_DST] = {reg_values, CTS_ARRAY_LEN(reg_values)},
    [CTS_F_SRC] = {reg_values, CTS_ARRAY_LEN(reg_values)},
    [CTS_F_OFF] = {off_values, CTS_ARRAY_LEN(off_values)},
    [CTS_F_IMM] = {imm_values, CTS_ARRAY_LEN(imm_values)},
    [CTS_F_NEXT_IMM] = {imm_values, CTS_ARRAY_LEN(imm_values)},
};

static bool always(const struct cts_insn *in)
{
    (void)in;
    return true;
}

static bool has_next_imm(const struct cts_insn *in)
{
    return in->next_imm != 0;
}

static bool has_imm(const struct cts_insn *in)
{
    return in->imm != 0;
}

static bool is_far(const struct cts_insn *in)
{
    return in->imm < INT16_MIN || in->imm > INT16_MAX;
}

/* What llvm-mc has no words for. That it is so is tested, too. */
static const struct unsaid {
    const char *row;
    bool (*when)(const struct cts_insn *in);
    const char *why;
} unsaid[] = {
    {"call_local", always, "a number after call is a helper; local calls need a label"},
    {"call_btf", always, "a number after call is a helper"},
    {"call_module", always, "a number after call is a helper"},
    {"ja32", is_far, "gotol takes numbers of 16 bits, or a label"},
    {"lddw_map_fd_value", has_next_imm, "ld_pseudo takes a number of 32 bits"},
    {"lddw_map_idx_value", has_next_imm, "ld_pseudo takes a number of 32 bits"},
    {"ldind_b", has_imm, "skb[...] takes a register or a number"},
    {"ldind_h", has_imm, "skb[...] takes a register or a number"},
    {"ldind_w", has_imm, "skb[...] takes a register or a number"},
};

/* What came after the RFC, llvm-mc can say or not, as its version is: then it says the same. */
static bool is_recent(enum cts_insn_id row)
{
    return strcmp(cts_insn_info(row)->origin, "rfc") != 0;
}

struct sample {
    enum cts_insn_id row;
    uint8_t bytes[16];
    int slots;
    bool unsaid;
    char text[TEXT_LEN];
};

struct samples {
    struct sample *at;
    size_t count;
    bool be;
};

static bool is_unsaid(const struct cts_insn_info *info, const struct cts_insn *in)
{
    for (size_t i = 0; i < CTS_ARRAY_LEN(unsaid); i++)
        if (strcmp(unsaid[i].row, info->id) == 0)
            return unsaid[i].when(in);
    return false;
}

static void set_field(struct cts_insn *in, enum cts_field field, int32_t value)
{
    switch (field) {
    case CTS_F_DST:
        in->dst = (uint8_t)value;
        break;
    case CTS_F_SRC:
        in->src = (uint8_t)value;
        break;
    case CTS_F_OFF:
        in->off = (int16_t)value;
        break;
    case CTS_F_IMM:
        in->imm = value;
        break;
    case CTS_F_NEXT_IMM:
        in->next_imm = value;
        break;
    case CTS_F_COUNT:
        break;
    }
}

static void add_sample(struct samples *all, enum cts_insn_id row, const struct cts_insn *in)
{
    struct cts_err err = {.code = 0};
    assert_true(all->count < SAMPLES_MAX);
    struct sample *s = &all->at[all->count++];
    s->row = row;
    s->unsaid = is_unsaid(cts_insn_info(row), in);
    s->slots = cts_encode(row, in, all->be, s->bytes, &err);
    if (s->slots < 1)
        fail_msg("%s: %s", cts_insn_info(row)->id, err.msg);
    assert_int_equal(cts_disasm(s->bytes, (size_t)s->slots, all->be, s->text, TEXT_LEN), s->slots);
    assert_true(strlen(s->text) < TEXT_LEN - 1);
}

/* All combinations of the fields' values from `field` on. */
static void add_samples(struct samples *all, enum cts_insn_id row, unsigned field,
                        struct cts_insn in)
{
    const struct cts_insn_info *info = cts_insn_info(row);
    if (field == CTS_F_COUNT) {
        add_sample(all, row, &in);
        return;
    }
    const struct cts_field_rule *rule = &info->field[field];
    if (rule->kind == CTS_FK_FIXED) {
        set_field(&in, (enum cts_field)field, rule->value);
        add_samples(all, row, field + 1, in);
        return;
    }
    for (size_t i = 0; i < field_values[field].count; i++) {
        int32_t value = field_values[field].values[i];
        if (rule->kind == CTS_FK_SPAN)
            value = i % 2 ? rule->last : rule->value;
        if (rule->kind == CTS_FK_NONZERO && value == 0)
            continue;
        set_field(&in, (enum cts_field)field, value);
        add_samples(all, row, field + 1, in);
    }
}

static bool is_same(const struct sample *s, const struct cts_asm_out *out)
{
    return out->rc == 0 && out->slots == (uint32_t)s->slots &&
           memcmp(out->bytes, s->bytes, (size_t)s->slots * CTS_SLOT_BYTES) == 0;
}

static void compare(const struct samples *all, const struct cts_asm_out *out)
{
    size_t compared = 0, differ = 0, left_out = 0;
    bool seen[CTS_INSN_COUNT] = {false};
    for (size_t i = 0; i < all->count; i++) {
        const struct sample *s = &all->at[i];
        bool same = is_same(s, &out[i]);
        if (is_recent(s->row) && out[i].rc) {
            left_out++;
            continue;
        }
        seen[s->row] |= same;
        left_out += s->unsaid;
        compared += !s->unsaid;
        if (same != s->unsaid)
            continue;
        if (differ++ < 20)
            print_error("%s '%s': %s\n", cts_insn_info(s->row)->id, s->text,
                        s->unsaid   ? "llvm-mc can say it now"
                        : out[i].rc ? out[i].err.msg
                                    : "other bytes");
    }
    size_t rows = 0;
    for (unsigned row = 0; row < CTS_INSN_COUNT; row++)
        rows += seen[row];
    print_message("# %s: %zu instructions of %zu rows are the same, %zu cannot be said\n",
                  all->be ? "bpfeb" : "bpfel", compared - differ, rows, left_out);
    assert_int_equal(differ, 0);
    assert_true(compared > 1000 && rows > 100);
}

static void compare_all(bool be)
{
    struct cts_asm_tool tool;
    struct cts_err err = {.code = 0};
    struct cts_arena arena;
    struct samples all = {.at = calloc(SAMPLES_MAX, sizeof(*all.at)), .be = be};
    assert_non_null(all.at);
    if (cts_asm_find(&tool, &err) != 0)
        fail_msg("%s", err.msg);
    for (unsigned row = 0; row < CTS_INSN_COUNT; row++)
        if (!(cts_insn_info((enum cts_insn_id)row)->flags & CTS_RF_SLOT))
            add_samples(&all, (enum cts_insn_id)row, 0, (struct cts_insn){.opcode = 0});
    struct cts_asm_src *src = calloc(all.count, sizeof(*src));
    struct cts_asm_out *out = calloc(all.count, sizeof(*out));
    assert_non_null(src);
    assert_non_null(out);
    for (size_t i = 0; i < all.count; i++)
        src[i] = (struct cts_asm_src){.text = all.at[i].text, .file = "row", .line = 1};
    cts_arena_init(&arena, 0);
    if (cts_asm_many(&tool, be, src, all.count, &arena, out, &err) != 0)
        fail_msg("%s", err.msg);
    compare(&all, out);
    cts_arena_release(&arena);
    free(src);
    free(out);
    free(all.at);
}

static void test_little_endian(void **state)
{
    (void)state;
    compare_all(false);
}

static void test_big_endian(void **state)
{
    (void)state;
    compare_all(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_little_endian),
        cmocka_unit_test(test_big_endian),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
