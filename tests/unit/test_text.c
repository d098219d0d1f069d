/* uses: base isa */
/* ctest: cost=4 asan-cost=13 */
/* Text and back: every encoding prints as a text that gives the same bytes again, in all syntaxes
 * and both byte orders; every illegal one is refused with the field that is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/text.h"

/* --- all encodings ------------------------------------------------------------------------- */

/* Registers are tried all; of the other fields what selects something in some row, and the ends. */
static const int16_t OFFSETS[] = {0,  1,  2,  7,  8,  15,     16,    31,        32,       33,
                                  -1, -8, -9, 24, 64, 1 << 8, 32760, INT16_MAX, INT16_MIN};
static const int32_t IMMEDIATES[] = {
    0,    1,     2,     8,     16,      31,      32,        63,        64,
    0x40, 0x41,  0x50,  0x51,  0xa0,    0xa1,    0xe0,      0xe1,      0xf0,
    0xf1, 0x100, 0x101, 0x110, 0x10000, 0x10001, INT32_MAX, INT32_MIN, -1,
};
static const int32_t NEXT[] = {0, 1, -1, INT32_MAX, INT32_MIN};

struct tally {
    size_t legal, illegal, texts, raw, longest;
    bool seen[CTS_INSN_COUNT];
};

static void put_slots(const struct cts_insn *in, bool be, uint8_t bytes[16])
{
    const struct cts_insn second = {.imm = in->next_imm};

    cts_slot_put(bytes, be, in);
    cts_slot_put(bytes + 8, be, &second);
}

/* The slots that the text stands for; `row` says what it is, if it is not told by its bytes. */
static int read_back(const char *text, enum cts_syntax syntax, bool be, uint8_t bytes[16],
                     enum cts_insn_id *row)
{
    struct cts_insn in;
    struct cts_err err;

    cts_err_clear(&err);
    *row = CTS_INSN_COUNT;
    int slots = cts_text_raw(text, bytes, &err);
    if (slots == 0 && cts_text_parse(text, syntax, NULL, &in, row, &err) == 0)
        slots = cts_encode(*row, &in, be, bytes, &err);
    if (slots < 1)
        fail_msg("'%s': %s", text, err.msg);
    return slots;
}

static void check_text(const struct cts_insn *in, enum cts_insn_id row, enum cts_syntax syntax,
                       struct tally *t)
{
    for (int be = 0; be < 2; be++) {
        char text[2 * CTS_INSN_TEXT_MAX];
        uint8_t want[16], got[16];
        enum cts_insn_id found;
        bool legal;
        put_slots(in, be, want);
        unsigned slots = cts_text_disasm(want, 2, be, syntax, text, sizeof(text), &legal);
        size_t len = strlen(text);
        if (len == 0 || len + 1 >= sizeof(text) || legal != (row != CTS_INSN_COUNT))
            fail_msg("opcode 0x%02x: a text of %zu bytes", in->opcode, len);
        int back = read_back(text, syntax, be, got, &found);
        if (back != (int)slots || memcmp(want, got, (size_t)slots * 8) != 0)
            fail_msg("%s '%s': other bytes", cts_syntax_name(syntax), text);
        if (found != row && (found != CTS_INSN_COUNT ||
                             (row != CTS_INSN_COUNT && *cts_syntax_template(syntax, row))))
            fail_msg("%s '%s': of another row", cts_syntax_name(syntax), text);
        t->longest = legal && len > t->longest ? len : t->longest;
        t->raw += found == CTS_INSN_COUNT;
        t->texts++;
    }
}

static bool names_what_is_wrong(const char *msg)
{
    return strstr(msg, "field ") || strstr(msg, "is no instruction");
}

static void check_encoding(const struct cts_insn *in, struct tally *t)
{
    enum cts_insn_id row[2];
    int used[2];

    for (int be = 0; be < 2; be++) {
        uint8_t bytes[16];
        struct cts_insn back;
        struct cts_err err;
        cts_err_clear(&err);
        put_slots(in, be, bytes);
        used[be] = cts_decode(bytes, 2, be, &back, &row[be], &err);
        if (used[be] < 0 && !names_what_is_wrong(err.msg))
            fail_msg("opcode 0x%02x: refused with '%s'", in->opcode, err.msg);
    }
    if (row[0] != row[1] || used[0] != used[1])
        fail_msg("opcode 0x%02x: the byte orders differ", in->opcode);
    if (used[0] < 0) {
        if (t->illegal++ % 16 == 0)
            check_text(in, CTS_INSN_COUNT, CTS_SYNTAX_LLVM, t);
        return;
    }
    t->legal++;
    t->seen[row[0]] = true;
    for (unsigned s = 0; s < CTS_SYNTAX_COUNT; s++)
        check_text(in, row[0], (enum cts_syntax)s, t);
}

/* With these registers every offset meets every immediate; with the others, the first offsets meet
 * every immediate, and the first immediate every offset. */
static bool meets_all(unsigned regs)
{
    static const unsigned all = 1u << 0 | 1u << 2 | 1u << 10 | 1u << 11 | 1u << 15;

    return (all >> (regs & 15) & 1) && (all >> (regs >> 4) & 1);
}

static void check_opcode(uint8_t opcode, struct tally *t)
{
    bool wide = opcode == 0x18;

    for (unsigned regs = 0; regs < 256; regs++)
        for (size_t o = 0; o < CTS_ARRAY_LEN(OFFSETS); o++)
            for (size_t i = 0; i < CTS_ARRAY_LEN(IMMEDIATES); i++) {
                struct cts_insn in = {.opcode = opcode,
                                      .dst = regs & 15,
                                      .src = (uint8_t)(regs >> 4),
                                      .off = OFFSETS[o],
                                      .imm = IMMEDIATES[i]};
                bool tried = o < 2 || i < 1 || meets_all(regs);
                for (size_t n = 0; tried && n < (wide ? CTS_ARRAY_LEN(NEXT) : 1); n++) {
                    in.next_imm = NEXT[n];
                    check_encoding(&in, t);
                }
            }
}

static void test_every_encoding(void **state)
{
    struct tally t = {0};
    unsigned rows = 0, all = 0;
    (void)state;

    for (unsigned opcode = 0; opcode < 256; opcode++)
        check_opcode((uint8_t)opcode, &t);
    for (unsigned r = 0; r < CTS_INSN_COUNT; r++) {
        bool slot = cts_insn_info((enum cts_insn_id)r)->flags & CTS_RF_SLOT;
        all += !slot;
        rows += t.seen[r];
    }
    print_message("# %zu encodings: %zu legal ones of %u rows and a part of %zu illegal ones "
                  "through %zu texts of %d syntaxes and back, %zu of them bytes; the longest of an "
                  "instruction has %zu characters\n",
                  t.legal + t.illegal, t.legal, rows, t.illegal, t.texts, CTS_SYNTAX_COUNT, t.raw,
                  t.longest);
    assert_true(t.texts > 1000000);
    assert_int_equal(rows, all);
    assert_true(t.legal > 100000 && t.illegal > 1000000);
}

/* --- reading ------------------------------------------------------------------------------- */

struct reading {
    enum cts_syntax syntax;
    const char *line;
    enum cts_insn_id row;
    struct cts_insn in; /* without its opcode */
};

static void test_reading(void **state)
{
    static const struct reading readings[] = {
        {CTS_SYNTAX_LLVM, "r1 = r2", CTS_INSN_MOV64_X, {.dst = 1, .src = 2}},
        {CTS_SYNTAX_LLVM, "  r1=r2 ", CTS_INSN_MOV64_X, {.dst = 1, .src = 2}},
        {CTS_SYNTAX_LLVM, "w1 = -5 # add", CTS_INSN_MOV32_K, {.dst = 1, .imm = -5}},
        {CTS_SYNTAX_LLVM, "r1 = 0xffffffff", CTS_INSN_MOV64_K, {.dst = 1, .imm = -1}},
        {CTS_SYNTAX_LLVM, "r1 += r11 ll", CTS_INSN_COUNT, {0}},
        {CTS_SYNTAX_LLVM, "r1 = -1 ll", CTS_INSN_LDDW, {.dst = 1, .imm = -1, .next_imm = -1}},
        {CTS_SYNTAX_LLVM, "call 5", CTS_INSN_CALL_HELPER, {.imm = 5}},
        {CTS_SYNTAX_LLVM, "call 5 # call_local", CTS_INSN_CALL_LOCAL, {.src = 1, .imm = 5}},
        {CTS_SYNTAX_LLVM, "call 5 # call_btf", CTS_INSN_CALL_BTF, {.src = 2, .imm = 5}},
        {CTS_SYNTAX_LLVM,
         "call 5 # call_module # off -3",
         CTS_INSN_CALL_MODULE,
         {.src = 2, .off = -3, .imm = 5}},
        {CTS_SYNTAX_LLVM, "r0 = *(u8 *)skb[r2] # imm 7", CTS_INSN_LDIND_B, {.src = 2, .imm = 7}},
        {CTS_SYNTAX_LLVM,
         "r1 = *(u64 *)(r11 + 8)",
         CTS_INSN_LDX_STACK_ARG,
         {.dst = 1, .src = 11, .off = 8}},
        {CTS_SYNTAX_LLVM, "r1 = *(u64*)(r2 -8)", CTS_INSN_LDX_DW, {.dst = 1, .src = 2, .off = -8}},
        {CTS_SYNTAX_LLVM,
         "if w3 s> -1 goto -32768",
         CTS_INSN_JSGT32_K,
         {.dst = 3, .off = INT16_MIN, .imm = -1}},
        {CTS_SYNTAX_LLVM, "w1 = 4294967295", CTS_INSN_MOV32_K, {.dst = 1, .imm = -1}},
        {CTS_SYNTAX_LLVM, "w1 = *(u8 *)(r2 + 4)", CTS_INSN_LDX_B, {.dst = 1, .src = 2, .off = 4}},
        {CTS_SYNTAX_LLVM, "*(u32 *)(r1 - 4) = w2", CTS_INSN_STX_W, {.dst = 1, .src = 2, .off = -4}},
        {CTS_SYNTAX_UBPF, "add64 %r1, 5", CTS_INSN_ADD64_K, {.dst = 1, .imm = 5}},
        {CTS_SYNTAX_UBPF, "jeq64 %r1, %r2, +3", CTS_INSN_JEQ_X, {.dst = 1, .src = 2, .off = 3}},
        {CTS_SYNTAX_UBPF, "lock add64 [%r1], %r2", CTS_INSN_ATOMIC64_ADD, {.dst = 1, .src = 2}},
        {CTS_SYNTAX_UBPF, "call 5", CTS_INSN_CALL_HELPER, {.imm = 5}},
        {CTS_SYNTAX_UBPF, "call %r5", CTS_INSN_CALLX, {.dst = 5}},
        {CTS_SYNTAX_UBPF, "bswap32 %r5", CTS_INSN_BSWAP32, {.dst = 5, .imm = 32}},
        {CTS_SYNTAX_GAS, "endle %r9,16", CTS_INSN_LE16, {.dst = 9, .imm = 16}},
        {CTS_SYNTAX_GAS, "endbe %r9, 64", CTS_INSN_BE64, {.dst = 9, .imm = 64}},
        {CTS_SYNTAX_GAS, "bswap %r9, 32", CTS_INSN_BSWAP32, {.dst = 9, .imm = 32}},
        {CTS_SYNTAX_GAS, "movs %r1, %r2, 8", CTS_INSN_MOVSX64_S8, {.dst = 1, .src = 2, .off = 8}},
        {CTS_SYNTAX_GAS,
         "movs32 %r1,%r2,16",
         CTS_INSN_MOVSX32_S16,
         {.dst = 1, .src = 2, .off = 16}},
        {CTS_SYNTAX_GAS,
         "aadd [%r1+4], %r2",
         CTS_INSN_ATOMIC64_ADD,
         {.dst = 1, .src = 2, .off = 4}},
        {CTS_SYNTAX_GAS, "xaddw [%r1], %r2", CTS_INSN_ATOMIC32_ADD, {.dst = 1, .src = 2}},
        {CTS_SYNTAX_GAS,
         "afxor32 [%r1-4],%r2",
         CTS_INSN_ATOMIC32_FETCH_XOR,
         {.dst = 1, .src = 2, .off = -4, .imm = 0xa1}},
        {CTS_SYNTAX_GAS,
         "acmp [%r1], %r2",
         CTS_INSN_ATOMIC64_CMPXCHG,
         {.dst = 1, .src = 2, .imm = 0xf1}},
        {CTS_SYNTAX_GAS, "jal -2", CTS_INSN_JA32, {.imm = -2}},
        {CTS_SYNTAX_GAS, "jeq %r1, 4294967295, 1", CTS_INSN_JEQ_K, {.dst = 1, .imm = -1, .off = 1}},
        {CTS_SYNTAX_GAS, "jcond +3", CTS_INSN_MAY_GOTO, {.off = 3}},
        {CTS_SYNTAX_GAS,
         "ldacqb %r1, [%r2+1]",
         CTS_INSN_LOAD_ACQ_B,
         {.dst = 1, .src = 2, .off = 1, .imm = 0x100}},
        {CTS_SYNTAX_GAS,
         "streldw [%r1-8], %r2",
         CTS_INSN_STORE_REL_DW,
         {.dst = 1, .src = 2, .off = -8, .imm = 0x110}},
        {CTS_SYNTAX_GAS, "call %r5", CTS_INSN_CALLX, {.dst = 5}},
        {CTS_SYNTAX_GAS,
         "lddw %r1, 5 # lddw_var",
         CTS_INSN_LDDW_VAR,
         {.dst = 1, .src = 3, .imm = 5}},
        {CTS_SYNTAX_UBPF, "mov32 %r1, 5", CTS_INSN_MOV32_K, {.dst = 1, .imm = 5}},
        {CTS_SYNTAX_UBPF, "ldxw %r1, [%r2+4]", CTS_INSN_LDX_W, {.dst = 1, .src = 2, .off = 4}},
        {CTS_SYNTAX_UBPF, "ldxw %r1, [%r2]", CTS_INSN_LDX_W, {.dst = 1, .src = 2}},
        {CTS_SYNTAX_UBPF, "jeq %r1, 5, +3", CTS_INSN_JEQ_K, {.dst = 1, .off = 3, .imm = 5}},
        {CTS_SYNTAX_UBPF,
         "lock fetch add [%r10-8], %r1",
         CTS_INSN_ATOMIC64_FETCH_ADD,
         {.dst = 10, .src = 1, .off = -8, .imm = 1}},
        {CTS_SYNTAX_UBPF,
         "lock xchg32 [%r10-8], %r1",
         CTS_INSN_ATOMIC32_XCHG,
         {.dst = 10, .src = 1, .off = -8, .imm = 0xe1}},
        {CTS_SYNTAX_UBPF, "call local +3", CTS_INSN_CALL_LOCAL, {.src = 1, .imm = 3}},
        {CTS_SYNTAX_UBPF, "call helper 3", CTS_INSN_CALL_HELPER, {.imm = 3}},
        {CTS_SYNTAX_UBPF, "call runtime 3", CTS_INSN_CALL_BTF, {.src = 2, .imm = 3}},
        {CTS_SYNTAX_UBPF, "ja32 -70000", CTS_INSN_JA32, {.imm = -70000}},
        {CTS_SYNTAX_UBPF, "movsx3264 %r0, %r1", CTS_INSN_MOVSX64_S32, {.src = 1, .off = 32}},
        {CTS_SYNTAX_UBPF, "swap16 %r7", CTS_INSN_BSWAP16, {.dst = 7, .imm = 16}},
        {CTS_SYNTAX_UBPF, "sdiv %r1, -1", CTS_INSN_SDIV64_K, {.dst = 1, .off = 1, .imm = -1}},
        {CTS_SYNTAX_UBPF,
         "lddw %r1, 0x123456789abcdef0",
         CTS_INSN_LDDW,
         {.dst = 1, .imm = (int32_t)0x9abcdef0, .next_imm = 0x12345678}},
    };
    (void)state;

    for (size_t i = 0; i < CTS_ARRAY_LEN(readings); i++) {
        const struct reading *r = &readings[i];
        struct cts_insn in;
        struct cts_err err;
        enum cts_insn_id row;
        cts_err_clear(&err);
        int rc = cts_text_parse(r->line, r->syntax, NULL, &in, &row, &err);
        if (row != r->row || (rc == 0) != (row != CTS_INSN_COUNT))
            fail_msg("'%s': %s", r->line, row < CTS_INSN_COUNT ? cts_insn_info(row)->id : err.msg);
        if (rc)
            continue;
        assert_int_equal(in.opcode, cts_insn_info(row)->opcode);
        assert_int_equal(in.dst, r->in.dst);
        assert_int_equal(in.src, r->in.src);
        assert_int_equal(in.off, r->in.off);
        assert_int_equal(in.imm, r->in.imm);
        assert_int_equal(in.next_imm, r->in.next_imm);
    }
}

static void test_refusals(void **state)
{
    static const struct {
        enum cts_syntax syntax;
        const char *line;
        int code;
        unsigned col;
        const char *msg;
    } refusals[] = {
        {CTS_SYNTAX_LLVM, "", CTS_E_SYNTAX, 1, "no instruction here"},
        {CTS_SYNTAX_LLVM, " # r1 = r2", CTS_E_SYNTAX, 1, "no instruction here"},
        {CTS_SYNTAX_LLVM, "r1 = r11", CTS_E_INVAL, 0, "field src is r11, must be a register"},
        {CTS_SYNTAX_LLVM, "r1 = *(u64 *)(r11 + 4)", CTS_E_INVAL, 0,
         "field off is 4, must be a multiple of 8 from 8 to 32760"},
        {CTS_SYNTAX_LLVM, "r1 = *(u64 *)(r12 + 8)", CTS_E_INVAL, 0, "field src is r12"},
        {CTS_SYNTAX_LLVM, "r1 = 0x100000000", CTS_E_SYNTAX, 17,
         "the line ends too early for '{dst} = {imm64} ll'"},
        {CTS_SYNTAX_LLVM, "w1 = 0x100000000", CTS_E_RANGE, 6, "'0x100000000' does not fit"},
        {CTS_SYNTAX_LLVM, "w1 = 4294967296", CTS_E_RANGE, 6, "'4294967296' does not fit"},
        {CTS_SYNTAX_LLVM, "w1 = 010", CTS_E_SYNTAX, 6, "'010' is not understood"},
        {CTS_SYNTAX_LLVM, "w1 = *(u64 *)(r2 + 8)", CTS_E_SYNTAX, 8, "'u64' is not understood"},
        {CTS_SYNTAX_LLVM, "w1 = *(s8 *)(r2 + 8)", CTS_E_SYNTAX, 8, "'s8' is not understood"},
        {CTS_SYNTAX_LLVM, "r1 = *(u8 *)(w2 + 8)", CTS_E_SYNTAX, 14, "'w2' is not understood"},
        {CTS_SYNTAX_UBPF, "mov32 %r1, 2147483648", CTS_E_RANGE, 12, "'2147483648' does not fit"},
        {CTS_SYNTAX_UBPF, "ldxdw64 %r1, [%r2]", CTS_E_SYNTAX, 1, "'ldxdw64' is not understood"},
        {CTS_SYNTAX_UBPF, "lock64 add [%r1], %r2", CTS_E_SYNTAX, 1, "'lock64' is not understood"},
        {CTS_SYNTAX_UBPF, "add3264 %r1, 2", CTS_E_SYNTAX, 1, "'add3264' is not understood"},
        {CTS_SYNTAX_LLVM, "r1 = *(u8 *)(r2 + 32768)", CTS_E_RANGE, 17, "does not fit"},
        {CTS_SYNTAX_LLVM, "r1 = 99999999999999999999 ll", CTS_E_RANGE, 6, "does not fit"},
        {CTS_SYNTAX_LLVM, "r1 = be16 r2", CTS_E_SYNTAX, 11, "'r2' is not the register"},
        {CTS_SYNTAX_LLVM, "r1 = 5 6", CTS_E_SYNTAX, 8, "'6' is not understood"},
        {CTS_SYNTAX_LLVM, "r1 = 5x", CTS_E_SYNTAX, 6, "'5x' is not understood"},
        {CTS_SYNTAX_LLVM, "r01 = 5", CTS_E_SYNTAX, 1, "'r01' is not understood"},
        {CTS_SYNTAX_LLVM, "goto nowhere", CTS_E_SYNTAX, 6, "'nowhere' is not understood"},
        {CTS_SYNTAX_LLVM, "call 5 # call_module", CTS_E_INVAL, 0, "field off is 0, must be not 0"},
        {CTS_SYNTAX_LLVM, "ld_pseudo r1, 1, 0x100000001", CTS_E_INVAL, 0,
         "field next_imm is 1, must be 0"},
        {CTS_SYNTAX_UBPF, "mov %r1", CTS_E_SYNTAX, 8, "the line ends too early"},
        {CTS_SYNTAX_UBPF, "mov r1, 5", CTS_E_SYNTAX, 5, "'r1,' is not understood"},
        {CTS_SYNTAX_UBPF, "mov %r16, 5", CTS_E_SYNTAX, 6, "'r16,' is not understood"},
        {CTS_SYNTAX_UBPF, "mov %r15, 5", CTS_E_INVAL, 0, "field dst is r15"},
        {CTS_SYNTAX_UBPF, "movx %r1, 5", CTS_E_SYNTAX, 1, "'movx' is not understood"},
        {CTS_SYNTAX_UBPF, "ldxw %r1, [%r2+4", CTS_E_SYNTAX, 17, "the line ends too early"},
        {CTS_SYNTAX_UBPF, "ldxw %r1, %r2+4]", CTS_E_SYNTAX, 11, "'%r2+4]' is not understood"},
        {CTS_SYNTAX_UBPF, "jeq %r1, 12abc, +1", CTS_E_SYNTAX, 10, "'12abc,' is not understood"},
    };
    (void)state;

    for (size_t i = 0; i < CTS_ARRAY_LEN(refusals); i++) {
        struct cts_insn in;
        struct cts_err err;
        enum cts_insn_id row;
        cts_err_clear(&err);
        int rc = cts_text_parse(refusals[i].line, refusals[i].syntax, NULL, &in, &row, &err);
        if (rc != refusals[i].code || row != CTS_INSN_COUNT || err.col != refusals[i].col ||
            !strstr(err.msg, refusals[i].msg))
            fail_msg("'%s': code %d, column %u, '%s'", refusals[i].line, rc, err.col, err.msg);
    }
}

/* --- names --------------------------------------------------------------------------------- */

static bool find_name(void *arg, const char *name, size_t len, int64_t *distance)
{
    if (len == 3 && !memcmp(name, "out", 3)) {
        *distance = *(const int64_t *)arg;
        return true;
    }
    return false;
}

static void assert_name(const char *line, enum cts_syntax syntax, int64_t distance, int code,
                        enum cts_insn_id want)
{
    const struct cts_text_names names = {find_name, &distance};
    struct cts_insn in;
    struct cts_err err;
    enum cts_insn_id row;

    cts_err_clear(&err);
    int rc = cts_text_parse(line, syntax, &names, &in, &row, &err);
    if (rc != code || row != want)
        fail_msg("'%s': %d, %s", line, rc, err.msg);
    if (rc)
        return;
    bool in_imm = row == CTS_INSN_JA32 || row == CTS_INSN_CALL_LOCAL;
    assert_int_equal(in_imm ? in.imm : in.off, distance);
}

static void test_names(void **state)
{
    (void)state;
    assert_name("goto out", CTS_SYNTAX_LLVM, -7, 0, CTS_INSN_JA);
    assert_name("gotol out", CTS_SYNTAX_LLVM, 70000, 0, CTS_INSN_JA32);
    assert_name("call out", CTS_SYNTAX_LLVM, 70000, 0, CTS_INSN_CALL_LOCAL);
    assert_name("call 5", CTS_SYNTAX_LLVM, 0, 0, CTS_INSN_CALL_HELPER);
    assert_name("if r1 == r2 goto out", CTS_SYNTAX_LLVM, 9, 0, CTS_INSN_JEQ_X);
    assert_name("may_goto out", CTS_SYNTAX_LLVM, 9, 0, CTS_INSN_MAY_GOTO);
    assert_name("jset32 %r1, 5, out", CTS_SYNTAX_UBPF, 9, 0, CTS_INSN_JSET32_K);
    assert_name("call local out", CTS_SYNTAX_UBPF, 9, 0, CTS_INSN_CALL_LOCAL);
    assert_name("ja out", CTS_SYNTAX_UBPF, 32768, CTS_E_RANGE, CTS_INSN_COUNT);
    assert_name("ja in", CTS_SYNTAX_UBPF, 0, CTS_E_NOTFOUND, CTS_INSN_COUNT);
    assert_name("ja32 out", CTS_SYNTAX_UBPF, INT64_C(1) << 31, CTS_E_RANGE, CTS_INSN_COUNT);
    assert_name("mov %r1, out", CTS_SYNTAX_UBPF, 0, CTS_E_SYNTAX, CTS_INSN_COUNT);
}

static void test_lines(void **state)
{
    const char *name = NULL, *rest = NULL;
    (void)state;

    assert_int_equal(cts_text_label("  out: exit", &name, &rest), 3);
    assert_memory_equal(name, "out", 3);
    assert_string_equal(rest, " exit");
    assert_int_equal(cts_text_label("1: exit", &name, &rest), 0);
    assert_int_equal(cts_text_label("exit", &name, &rest), 0);
    assert_int_equal(cts_text_label("", &name, &rest), 0);
    assert_true(cts_text_is_blank(" \t# words"));
    assert_false(cts_text_is_blank(" exit"));
    for (unsigned s = 0; s < CTS_SYNTAX_COUNT; s++)
        assert_int_equal(cts_syntax_find(cts_syntax_name((enum cts_syntax)s)), s);
    assert_int_equal(cts_syntax_find("intel"), CTS_SYNTAX_COUNT);
}

/* Cut texts and texts with one character changed: read as something legal or refused, never more.
 */
static void test_damaged_text(void **state)
{
    static const char other[] = " ()[]{}#%+-*0x9rwzl,\x80";
    size_t count = 0, read = 0;
    (void)state;

    for (unsigned r = 0; r < CTS_INSN_COUNT; r++) {
        for (unsigned s = 0; s < CTS_SYNTAX_COUNT; s++) {
            char text[CTS_INSN_TEXT_MAX], copy[CTS_INSN_TEXT_MAX];
            struct cts_insn in = {.dst = 1, .src = 2, .off = 8, .imm = 3}, back;
            enum cts_insn_id row;
            size_t len =
                cts_text_print((enum cts_insn_id)r, &in, (enum cts_syntax)s, text, sizeof(text));
            for (size_t i = 0; i < len * sizeof(other); i++, count++) {
                memcpy(copy, text, sizeof(copy));
                copy[i / sizeof(other)] = other[i % sizeof(other)];
                int rc = cts_text_parse(copy, (enum cts_syntax)s, NULL, &back, &row, NULL);
                assert_int_equal(rc == 0, row != CTS_INSN_COUNT);
                if (rc == 0)
                    assert_int_equal(cts_insn_check(row, &back, NULL), 0);
                read += rc == 0;
            }
        }
    }
    print_message("# %zu damaged texts, %zu of them still an instruction\n", count, read);
    assert_true(count > 50000 && read < count / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_encoding), cmocka_unit_test(test_reading),
        cmocka_unit_test(test_refusals),       cmocka_unit_test(test_names),
        cmocka_unit_test(test_lines),          cmocka_unit_test(test_damaged_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
