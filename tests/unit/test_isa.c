/* uses: base isa */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/isa.h"
#include "isa/object.h"

static bool is_instruction(enum cts_insn_id row)
{
    return !(cts_insn_info(row)->flags & CTS_RF_SLOT);
}

static bool is_wide(enum cts_insn_id row)
{
    return cts_insn_info(row)->flags & CTS_RF_WIDE;
}

static bool is_of_the_rfc(enum cts_insn_id row)
{
    return strcmp(cts_insn_info(row)->origin, "rfc") == 0;
}

/* RFC 9669 section 3.1: r1 += 0x11223344 in both orders. */
static void test_worked_example(void **state)
{
    (void)state;
    static const uint8_t little[] = {0x07, 0x01, 0, 0, 0x44, 0x33, 0x22, 0x11};
    static const uint8_t big[] = {0x07, 0x10, 0, 0, 0x11, 0x22, 0x33, 0x44};
    const struct cts_insn in = {.dst = 1, .imm = 0x11223344};
    uint8_t bytes[16];
    assert_int_equal(cts_encode(CTS_INSN_ADD64_K, &in, false, bytes, NULL), 1);
    assert_memory_equal(bytes, little, 8);
    assert_int_equal(cts_encode(CTS_INSN_ADD64_K, &in, true, bytes, NULL), 1);
    assert_memory_equal(bytes, big, 8);
    cts_slots_swap_order(bytes, 1);
    assert_memory_equal(bytes, little, 8);
}

static void test_rows_have_ids(void **state)
{
    (void)state;
    unsigned of_the_rfc = 0;
    for (unsigned i = 0; i < CTS_INSN_COUNT; i++) {
        const struct cts_insn_info *info = cts_insn_info((enum cts_insn_id)i);
        assert_int_equal(cts_insn_find(info->id), i);
        of_the_rfc += is_of_the_rfc((enum cts_insn_id)i);
    }
    /* Appendix A has 168, section 5.2 three more. What came later is counted by nobody. */
    assert_int_equal(of_the_rfc, 171);
    assert_int_equal(cts_insn_find("nop"), CTS_INSN_COUNT);
    assert_int_equal(cts_insn_find(""), CTS_INSN_COUNT);
    assert_null(cts_insn_info(CTS_INSN_COUNT));
    assert_int_equal(cts_insn_info(CTS_INSN_SDIV64_X)->opcode, 0x3f);
}

/* RFC 9669 section 2.4. */
static void test_groups(void **state)
{
    (void)state;
    static const struct {
        const char *group;
        enum cts_insn_id row;
        bool has;
    } facts[] = {
        {"base32", CTS_INSN_ADD32_X, true},         {"base32", CTS_INSN_ADD64_X, false},
        {"base64", CTS_INSN_ADD32_X, true},         {"base64", CTS_INSN_ADD64_X, true},
        {"base64", CTS_INSN_MUL64_X, false},        {"base32", CTS_INSN_EXIT, true},
        {"base32", CTS_INSN_CALL_HELPER, true},     {"divmul32", CTS_INSN_MUL32_K, true},
        {"divmul32", CTS_INSN_SMOD64_K, false},     {"divmul64", CTS_INSN_MUL32_K, true},
        {"divmul64", CTS_INSN_SMOD64_K, true},      {"divmul64", CTS_INSN_ADD64_X, false},
        {"atomic32", CTS_INSN_ATOMIC32_XCHG, true}, {"atomic32", CTS_INSN_ATOMIC64_XCHG, false},
        {"atomic64", CTS_INSN_ATOMIC32_XCHG, true}, {"atomic64", CTS_INSN_ATOMIC64_XCHG, true},
        {"atomic64", CTS_INSN_ADD64_X, false},      {"packet", CTS_INSN_LDABS_W, true},
        {"base64", CTS_INSN_LDABS_W, false},        {"base32", CTS_INSN_BSWAP32, true},
        {"base32", CTS_INSN_BSWAP64, false},        {"base64", CTS_INSN_LDDW, true},
    };
    for (size_t i = 0; i < CTS_ARRAY_LEN(facts); i++) {
        enum cts_group g = cts_group_find(facts[i].group);
        assert_int_not_equal(g, CTS_GROUP_COUNT);
        assert_string_equal(cts_group_name(g), facts[i].group);
        assert_int_equal(cts_group_has(g, facts[i].row), facts[i].has);
    }
    assert_int_equal(cts_group_find("base16"), CTS_GROUP_COUNT);
    assert_false(cts_group_has(CTS_GROUP_COUNT, CTS_INSN_EXIT));
}

/* Values to put into a field: one fixed, or the ends of its range. */
static unsigned field_values(enum cts_insn_id row, unsigned field, int32_t *out)
{
    static const int32_t off[] = {0, 1, -1, INT16_MAX, INT16_MIN};
    static const int32_t imm[] = {0, 1, -1, INT32_MAX, INT32_MIN};
    const struct cts_field_rule *rule = &cts_insn_info(row)->field[field];
    if (rule->kind == CTS_FK_FIXED) {
        out[0] = rule->value;
        return 1;
    }
    if (rule->kind == CTS_FK_REG) {
        for (int r = 0; r < CTS_REG_COUNT; r++)
            out[r] = r;
        return CTS_REG_COUNT;
    }
    if (rule->kind == CTS_FK_SPAN) {
        out[0] = rule->value;
        out[1] = rule->last;
        return 2;
    }
    unsigned skip = rule->kind == CTS_FK_NONZERO; /* 0 is the first */
    memcpy(out, (field == CTS_F_OFF ? off : imm) + skip, sizeof(off) - skip * sizeof(off[0]));
    return (unsigned)CTS_ARRAY_LEN(off) - skip;
}

/* Encodes, decodes, prints one instruction in both orders. */
static void check_round_trip(enum cts_insn_id row, const struct cts_insn *in)
{
    uint8_t little[16] = {0}, big[16] = {0};
    char text[2][128];
    int slots = is_wide(row) ? 2 : 1;
    assert_int_equal(cts_encode(row, in, false, little, NULL), slots);
    assert_int_equal(cts_encode(row, in, true, big, NULL), slots);
    for (int be = 0; be < 2; be++) {
        struct cts_insn back;
        enum cts_insn_id found;
        const uint8_t *bytes = be ? big : little;
        assert_int_equal(cts_decode(bytes, 2, be, &back, &found, NULL), slots);
        assert_int_equal(found, row);
        assert_int_equal(cts_insn_of(&back), row);
        assert_int_equal(back.dst, in->dst);
        assert_int_equal(back.src, in->src);
        assert_int_equal(back.off, in->off);
        assert_int_equal(back.imm, in->imm);
        assert_int_equal(back.next_imm, in->next_imm);
        assert_int_equal(cts_disasm(bytes, 2, be, text[be], sizeof(text[be])), slots);
        assert_null(strstr(text[be], ".insn"));
        assert_null(strchr(text[be], '{'));
    }
    assert_string_equal(text[0], text[1]);
    cts_slots_swap_order(little, (size_t)slots);
    assert_memory_equal(little, big, 16);
}

static void test_round_trips(void **state)
{
    (void)state;
    int32_t v[CTS_F_COUNT][CTS_REG_COUNT];
    for (unsigned r = 0; r < CTS_INSN_COUNT; r++) {
        enum cts_insn_id row = (enum cts_insn_id)r;
        unsigned n[CTS_F_COUNT], total = 1;
        if (!is_instruction(row))
            continue;
        for (unsigned f = 0; f < CTS_F_COUNT; f++) {
            n[f] = field_values(row, f, v[f]);
            total *= n[f];
        }
        for (unsigned k = 0; k < total; k++) {
            int32_t pick[CTS_F_COUNT];
            for (unsigned f = 0, rest = k; f < CTS_F_COUNT; rest /= n[f], f++)
                pick[f] = v[f][rest % n[f]];
            const struct cts_insn in = {.dst = (uint8_t)pick[CTS_F_DST],
                                        .src = (uint8_t)pick[CTS_F_SRC],
                                        .off = (int16_t)pick[CTS_F_OFF],
                                        .imm = pick[CTS_F_IMM],
                                        .next_imm = pick[CTS_F_NEXT_IMM]};
            check_round_trip(row, &in);
        }
    }
}

static bool field_allows(const struct cts_field_rule *rule, int32_t value)
{
    return rule->kind == CTS_FK_ANY || (rule->kind == CTS_FK_FIXED && rule->value == value) ||
           (rule->kind == CTS_FK_REG && value >= 0 && value <= 10) ||
           (rule->kind == CTS_FK_NONZERO && value != 0) ||
           (rule->kind == CTS_FK_SPAN && value >= rule->value && value <= rule->last &&
            value % rule->step == 0);
}

/* The rows of one opcode, found without the index. */
struct candidates {
    enum cts_insn_id row[CTS_INSN_COUNT];
    unsigned count;
};

static void find_candidates(uint8_t opcode, struct candidates *c)
{
    c->count = 0;
    for (unsigned i = 0; i < CTS_INSN_COUNT; i++)
        if (cts_insn_info((enum cts_insn_id)i)->opcode == opcode &&
            is_instruction((enum cts_insn_id)i))
            c->row[c->count++] = (enum cts_insn_id)i;
}

/* The one row all of whose rules hold. */
static enum cts_insn_id row_by_rules(const struct candidates *c, const struct cts_insn *in)
{
    enum cts_insn_id found = CTS_INSN_COUNT;
    for (unsigned i = 0; i < c->count; i++) {
        const struct cts_field_rule *field = cts_insn_info(c->row[i])->field;
        if (!field_allows(&field[CTS_F_DST], in->dst) ||
            !field_allows(&field[CTS_F_SRC], in->src) ||
            !field_allows(&field[CTS_F_OFF], in->off) || !field_allows(&field[CTS_F_IMM], in->imm))
            continue;
        assert_int_equal(found, CTS_INSN_COUNT);
        found = c->row[i];
    }
    return found;
}

static bool check_decision(const struct candidates *c, const struct cts_insn *in)
{
    uint8_t bytes[16] = {0};
    struct cts_insn back;
    struct cts_err err;
    enum cts_insn_id found;
    enum cts_insn_id want = row_by_rules(c, in);
    cts_err_clear(&err);
    cts_slot_put(bytes, false, in);
    int used = cts_decode(bytes, 2, false, &back, &found, &err);
    if (found != want || (used > 0) != (want != CTS_INSN_COUNT))
        fail_msg("opcode 0x%02x dst %u src %u off %d imm %d: row %u, not %u", in->opcode, in->dst,
                 in->src, in->off, (int)in->imm, (unsigned)found, (unsigned)want);
    if (used <= 0 && (used != CTS_E_INVAL || err.code != used || err.msg[0] == '\0'))
        fail_msg("opcode 0x%02x is refused without a reason", in->opcode);
    return used > 0;
}

/* Every opcode byte, every pair of register nibbles, offsets and immediates that select something
 * or nothing. */
static void test_every_opcode(void **state)
{
    (void)state;
    static const int16_t off[] = {0, 1, 2, 8, 16, 24, 32, -1};
    static const int32_t imm[] = {0,    1,    8,    16,   24,    32,    64,      0x40,
                                  0x41, 0xa0, 0xe0, 0xe1, 0x100, 0x110, 0x10000, -1};
    unsigned accepted = 0;
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        struct candidates c;
        bool any = false, of_the_rfc = false;
        find_candidates((uint8_t)opcode, &c);
        for (unsigned i = 0; i < c.count; i++)
            of_the_rfc |= is_of_the_rfc(c.row[i]);
        for (unsigned regs = 0; regs < 256; regs++)
            for (size_t o = 0; o < CTS_ARRAY_LEN(off); o++)
                for (size_t i = 0; i < CTS_ARRAY_LEN(imm); i++) {
                    const struct cts_insn in = {.opcode = (uint8_t)opcode,
                                                .dst = regs & 0xf,
                                                .src = (uint8_t)(regs >> 4),
                                                .off = off[o],
                                                .imm = imm[i]};
                    any |= check_decision(&c, &in);
                }
        accepted += any && of_the_rfc;
    }
    /* Appendix A has 123 opcode bytes, one of them a second slot; section 5.2 has three more. */
    assert_int_equal(accepted, 125);
}

static void expect_refusal(const struct cts_insn *in, const char *field)
{
    uint8_t bytes[16] = {0};
    struct cts_insn back;
    struct cts_err err;
    enum cts_insn_id row;
    cts_err_clear(&err);
    cts_slot_put(bytes, true, in);
    assert_int_equal(cts_decode(bytes, 2, true, &back, &row, &err), CTS_E_INVAL);
    assert_int_equal(row, CTS_INSN_COUNT);
    assert_non_null(strstr(err.msg, field));
}

static void test_refusals_name_the_field(void **state)
{
    (void)state;
    expect_refusal(&(struct cts_insn){.opcode = 0x07, .src = 1}, "src");
    expect_refusal(&(struct cts_insn){.opcode = 0x07, .dst = 11}, "dst");
    expect_refusal(&(struct cts_insn){.opcode = 0x0f, .src = 15}, "src");
    expect_refusal(&(struct cts_insn){.opcode = 0x0f, .imm = 1}, "imm");
    expect_refusal(&(struct cts_insn){.opcode = 0x95, .off = 1}, "off");
    expect_refusal(&(struct cts_insn){.opcode = 0x37, .off = 2}, "off is 2, must be 0 or 1");
    expect_refusal(&(struct cts_insn){.opcode = 0xbc, .off = 32}, "off is 32");
    expect_refusal(&(struct cts_insn){.opcode = 0xd7, .imm = 24}, "imm is 24");
    expect_refusal(&(struct cts_insn){.opcode = 0x85, .src = 3}, "src is 3");
    expect_refusal(&(struct cts_insn){.opcode = 0xc3, .imm = 0xe0}, "imm is 224");
    expect_refusal(&(struct cts_insn){.opcode = 0x8f}, "0x8f");
    expect_refusal(&(struct cts_insn){.opcode = 0x00, .imm = 5}, "0x00");
}

static void test_wide(void **state)
{
    (void)state;
    const struct cts_insn in = {.dst = 1, .imm = -2, .next_imm = 0x12345678};
    struct cts_insn back;
    enum cts_insn_id row;
    for (int be = 0; be < 2; be++) {
        uint8_t bytes[16];
        assert_int_equal(cts_encode(CTS_INSN_LDDW, &in, be, bytes, NULL), 2);
        assert_int_equal(cts_decode(bytes, 1, be, &back, &row, NULL), CTS_E_INVAL);
        assert_int_equal(cts_decode(bytes, 0, be, &back, &row, NULL), CTS_E_INVAL);
        for (unsigned i = 8; i < 12; i++) {
            uint8_t broken[16];
            memcpy(broken, bytes, 16);
            broken[i] = 1;
            assert_int_equal(cts_decode(broken, 2, be, &back, &row, NULL), CTS_E_INVAL);
            assert_int_equal(back.next_imm, 0x12345678);
        }
    }
    /* map_by_fd has no use for next_imm. */
    uint8_t bytes[16];
    const struct cts_insn map = {.dst = 1, .imm = 3, .next_imm = 1};
    assert_int_equal(cts_encode(CTS_INSN_LDDW_MAP_FD, &map, false, bytes, NULL), CTS_E_INVAL);
    assert_int_equal(cts_encode(CTS_INSN_LDDW_MAP_FD_VALUE, &map, false, bytes, NULL), 2);
}

static void test_strict_encoder(void **state)
{
    (void)state;
    static const struct {
        enum cts_insn_id row;
        struct cts_insn in;
        int want;
    } facts[] = {
        {CTS_INSN_SDIV64_X, {.dst = 1, .src = 2}, 1}, /* off is filled in */
        {CTS_INSN_SDIV64_X, {.dst = 1, .src = 2, .off = 1}, 1},
        {CTS_INSN_SDIV64_X, {.dst = 1, .src = 2, .off = 2}, CTS_E_INVAL},
        {CTS_INSN_DIV64_X, {.dst = 1, .src = 2, .off = 1}, CTS_E_INVAL},
        {CTS_INSN_ADD64_X, {.dst = 16, .src = 2}, CTS_E_INVAL},
        {CTS_INSN_ADD64_X, {.dst = 10, .src = 11}, CTS_E_INVAL},
        {CTS_INSN_ADD64_K, {.dst = 1, .src = 2}, CTS_E_INVAL},
        {CTS_INSN_ADD64_K, {.dst = 1, .next_imm = 1}, CTS_E_INVAL},
        {CTS_INSN_ADD64_K, {.opcode = 0xff, .dst = 1}, 1}, /* the row's opcode counts */
        {CTS_INSN_EXIT, {.imm = 1}, CTS_E_INVAL},
        {CTS_INSN_LDDW, {.opcode2 = 1}, CTS_E_INVAL},
        {CTS_INSN_LDDW, {.regs2 = 1}, CTS_E_INVAL},
        {CTS_INSN_LDDW, {.off2 = -1}, CTS_E_INVAL},
        {CTS_INSN_LDDW_2ND, {.imm = 0}, CTS_E_INVAL},
        {CTS_INSN_COUNT, {.imm = 0}, CTS_E_INVAL},
    };
    for (size_t i = 0; i < CTS_ARRAY_LEN(facts); i++) {
        uint8_t bytes[16];
        assert_int_equal(cts_encode(facts[i].row, &facts[i].in, false, bytes, NULL), facts[i].want);
    }
}

/* A function begins behind an exit; the second half of a wide load is none. */
static void test_functions(void **state)
{
    static const uint8_t code[] = {
        0x18, 0, 0, 0, 0, 0, 0, 0, /* slot 0 */
        0x95, 0, 0, 0, 0, 0, 0, 0, /* the second half */
        0x95, 0, 0, 0, 0, 0, 0, 0, /* 2 */
        0x8d, 0, 0, 0, 0, 0, 0, 0, /* 3 */
        0x95, 0, 0, 0, 0, 0, 0, 0, /* 4 */
        0x18, 0, 0, 0, 0, 0, 0, 0, /* 5 */
        0x8d, 0, 0, 0, 0, 0, 0, 0, /* its second half */
    };
    static const bool begins[] = {false, false, false, true, false, true, false, false};
    const uint32_t slots = sizeof(code) / CTS_SLOT_BYTES;
    (void)state;

    for (uint64_t at = 0; at < 8 * CTS_ARRAY_LEN(begins); at++)
        assert_int_equal(cts_function_begins(code, slots, at), at % 8 == 0 && begins[at / 8]);
    assert_false(cts_function_begins(code, slots, UINT64_MAX - 7));
    assert_false(cts_function_begins(NULL, 0, 0));
    for (uint64_t at = 0; at < 64; at++) {
        bool second_half = at == 8 || at == 48;
        assert_int_equal(cts_insn_begins(code, slots, at), at % 8 == 0 && at < 56 && !second_half);
    }
    assert_false(cts_insn_begins(code, slots, UINT64_MAX - 7));
    assert_false(cts_jumps_to_addresses(code, slots));
    assert_true(cts_calls_addresses(code, slots));
    assert_false(cts_calls_addresses(code, 3));
    assert_false(cts_calls_addresses(code + 32, 3)); /* the second half of a wide load */
    assert_false(cts_calls_addresses(NULL, 0));
}

static void test_disasm(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum cts_insn_id row;
        struct cts_insn in;
    } facts[] = {
        {"w1 += 5", CTS_INSN_ADD32_K, {.dst = 1, .imm = 5}},
        {"r1 += -2147483648", CTS_INSN_ADD64_K, {.dst = 1, .imm = INT32_MIN}},
        {"w1 s%= w10", CTS_INSN_SMOD32_X, {.dst = 1, .src = 10}},
        {"r1 = (s8)r2", CTS_INSN_MOVSX64_S8, {.dst = 1, .src = 2}},
        {"w1 = (s16)w2", CTS_INSN_MOVSX32_S16, {.dst = 1, .src = 2}},
        {"r3 = bswap32 r3", CTS_INSN_BSWAP32, {.dst = 3}},
        {"goto +32767", CTS_INSN_JA, {.off = INT16_MAX}},
        {"goto -1", CTS_INSN_JA, {.off = -1}},
        {"if r1 s> -1 goto -32768", CTS_INSN_JSGT_K, {.dst = 1, .off = INT16_MIN, .imm = -1}},
        {"if w1 & w2 goto +0", CTS_INSN_JSET32_X, {.dst = 1, .src = 2}},
        {"r1 = *(u64 *)(r2 + 0)", CTS_INSN_LDX_DW, {.dst = 1, .src = 2}},
        {"r1 = *(s8 *)(r10 - 32768)", CTS_INSN_LDXSX_B, {.dst = 1, .src = 10, .off = INT16_MIN}},
        {"*(u8 *)(r1 + 4) = -1", CTS_INSN_ST_B, {.dst = 1, .off = 4, .imm = -1}},
        {"lock *(u32 *)(r1 - 4) += w2", CTS_INSN_ATOMIC32_ADD, {.dst = 1, .src = 2, .off = -4}},
        {"r0 = cmpxchg_64(r1 + 8, r0, r2)",
         CTS_INSN_ATOMIC64_CMPXCHG,
         {.dst = 1, .src = 2, .off = 8}},
        {"r1 = 0xffffffff80000000 ll", CTS_INSN_LDDW, {.dst = 1, .imm = INT32_MIN, .next_imm = -1}},
        {"r1 = 0xffffffff ll", CTS_INSN_LDDW, {.dst = 1, .imm = -1}},
        {"call 5", CTS_INSN_CALL_HELPER, {.imm = 5}},
        {"call 5 # call_local", CTS_INSN_CALL_LOCAL, {.imm = 5}},
        {"r0 = *(u32 *)skb[r2]", CTS_INSN_LDIND_W, {.src = 2}},
        {"r0 = *(u32 *)skb[r2] # imm 7", CTS_INSN_LDIND_W, {.src = 2, .imm = 7}},
        {"exit", CTS_INSN_EXIT, {.imm = 0}},
    };
    for (size_t i = 0; i < CTS_ARRAY_LEN(facts); i++) {
        uint8_t bytes[16];
        char text[64], cut[8];
        int slots = cts_encode(facts[i].row, &facts[i].in, true, bytes, NULL);
        assert_int_equal(cts_disasm(bytes, (size_t)slots, true, text, sizeof(text)), slots);
        assert_string_equal(text, facts[i].text);
        cts_disasm(bytes, (size_t)slots, true, cut, sizeof(cut));
        assert_int_equal(strlen(cut), strlen(text) < 7 ? strlen(text) : 7);
        cts_disasm(bytes, (size_t)slots, true, NULL, 0);
    }
}

static void test_disasm_of_garbage(void **state)
{
    (void)state;
    char text[256];
    const uint8_t bad[8] = {0x8f, 0x01};
    assert_int_equal(cts_disasm(bad, 1, false, text, sizeof(text)), 1);
    assert_string_equal(text, ".insn 0x8f01000000000000 # opcode 0x8f is no instruction");
    const uint8_t half[8] = {0x18, 0x01};
    assert_int_equal(cts_disasm(half, 1, false, text, sizeof(text)), 1);
    assert_non_null(strstr(text, "second slot"));
    assert_int_equal(cts_disasm(half, 1, false, NULL, 0), 1);
    for (size_t cap = 1; cap < 40; cap++) {
        cts_disasm(bad, 1, false, text, cap);
        assert_true(strlen(text) < cap);
    }
}

/* Objects. */

struct object_reader {
    const uint8_t *data;
    bool be;
};

static uint64_t number_at(const struct object_reader *r, size_t at, unsigned bytes)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)r->data[at + (r->be ? bytes - 1 - i : i)] << (8 * i);
    return v;
}

/* The offset of what section i has at `at`. */
static size_t section_at(const struct object_reader *r, unsigned i, unsigned at)
{
    return (size_t)number_at(r, 40, 8) + (size_t)64 * i + at;
}

static const char *name_at(const struct object_reader *r, size_t at)
{
    size_t names = (size_t)number_at(r, section_at(r, (unsigned)number_at(r, 62, 2), 24), 8);
    return (const char *)r->data + names + number_at(r, at, 4);
}

static void test_objects(void **state)
{
    static const uint8_t code[16] = {0xb7, 0, 0, 0, 1, 0, 0, 0, 0x95};
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        uint8_t out[512];
        const struct object_reader r = {.data = out, .be = i & 1};
        const struct cts_object o = {.code = code,
                                     .code_bytes = i < 2 ? sizeof(code) : 0,
                                     .be = r.be,
                                     .section = i < 2 ? "xdp" : ".text",
                                     .function = i < 2 ? "main" : NULL,
                                     .entry = 0x1234,
                                     .address = 0x5678};
        assert_true(cts_object_bytes(&o) <= sizeof(out));
        memset(out, 0xee, sizeof(out));
        size_t n = cts_object_put(out, &o);
        assert_int_equal(n, cts_object_bytes(&o));
        assert_memory_equal(out, "\177ELF\2", 5);
        assert_int_equal(out[5], r.be ? 2 : 1);
        assert_int_equal(number_at(&r, 16, 2), 1);   /* relocatable */
        assert_int_equal(number_at(&r, 18, 2), 247); /* BPF */
        assert_int_equal(number_at(&r, 24, 8), 0x1234);
        assert_int_equal(section_at(&r, (unsigned)number_at(&r, 60, 2), 0), n);
        assert_string_equal(name_at(&r, section_at(&r, 1, 0)), o.section);
        assert_int_equal(number_at(&r, section_at(&r, 1, 16), 8), 0x5678);
        assert_int_equal(number_at(&r, section_at(&r, 1, 32), 8), o.code_bytes);
        assert_memory_equal(out + number_at(&r, section_at(&r, 1, 24), 8), code, o.code_bytes);
        assert_string_equal(name_at(&r, section_at(&r, 2, 0)), ".strtab");
        if (!o.function) {
            assert_int_equal(number_at(&r, 60, 2), 3);
            continue;
        }
        assert_string_equal(name_at(&r, section_at(&r, 3, 0)), ".symtab");
        assert_int_equal(number_at(&r, section_at(&r, 3, 40), 4), number_at(&r, 62, 2));
        size_t function = (size_t)number_at(&r, section_at(&r, 3, 24), 8) + 24;
        assert_string_equal(name_at(&r, function), "main");
        assert_int_equal(number_at(&r, function + 6, 2), 1);
        assert_int_equal(number_at(&r, function + 16, 8), sizeof(code));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worked_example),
        cmocka_unit_test(test_rows_have_ids),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_every_opcode),
        cmocka_unit_test(test_refusals_name_the_field),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_strict_encoder),
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_disasm),
        cmocka_unit_test(test_disasm_of_garbage),
        cmocka_unit_test(test_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
