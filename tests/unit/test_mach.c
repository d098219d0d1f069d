/* uses: base isa */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/bytes.h"
#include "isa/mach.h"

enum { SLOTS_MAX = 64, MEM_BYTES = 32 };

#define MEM_BASE UINT64_C(0x7000)
#define STACK_BASE UINT64_C(0x100000)
#define FP (STACK_BASE + CTS_MACH_STACKS_BYTES)

struct line {
    enum cts_insn_id row;
    struct cts_insn in;
};

/* A machine with one program, some memory, stacks. */
struct rig {
    struct cts_mach m;
    struct cts_mach_platform platform;
    struct cts_mach_insn insn[SLOTS_MAX];
    uint8_t code[SLOTS_MAX * CTS_SLOT_BYTES];
    uint8_t mem[MEM_BYTES], stacks[CTS_MACH_STACKS_BYTES];
    uint32_t slots;
    struct cts_err err;
};

static void encode_all(struct rig *r, bool be, const struct line *line, size_t n)
{
    memset(r, 0, sizeof(*r));
    for (size_t i = 0; i < n; i++) {
        uint8_t bytes[16];
        int slots = cts_encode(line[i].row, &line[i].in, be, bytes, NULL);
        assert_true(slots > 0);
        memcpy(r->code + (size_t)r->slots * CTS_SLOT_BYTES, bytes, (size_t)slots * CTS_SLOT_BYTES);
        r->slots += (uint32_t)slots;
    }
}

static void rig_up(struct rig *r, bool be, bool allow_end, const struct line *line, size_t n)
{
    encode_all(r, be, line, n);
    assert_int_equal(cts_mach_decode(r->code, r->slots, be, allow_end, r->insn, &r->err), 0);
    cts_mach_init(&r->m);
    r->m.be = be;
    r->m.prog = r->insn;
    r->m.prog_slots = r->slots;
    r->m.platform = &r->platform;
    r->platform.owner = r;
    assert_int_equal(cts_mach_map(&r->m, MEM_BASE, r->mem, MEM_BYTES, true), 0);
    assert_int_equal(cts_mach_map_stack(&r->m, STACK_BASE, r->stacks), 0);
}

/* Runs a body that falls off its end. */
#define RIG_BODY(r, ...)                                                                           \
    do {                                                                                           \
        const struct line lines_[] = {__VA_ARGS__};                                                \
        rig_up(r, false, true, lines_, CTS_ARRAY_LEN(lines_));                                     \
    } while (0)

/* Refused or not, as a whole program. */
#define DECODE_WHOLE(r, ...)                                                                       \
    decode_whole(r, (const struct line[]){__VA_ARGS__},                                            \
                 sizeof((const struct line[]){__VA_ARGS__}) / sizeof(struct line))

static int decode_whole(struct rig *r, const struct line *line, size_t n)
{
    encode_all(r, false, line, n);
    return cts_mach_decode(r->code, r->slots, false, false, r->insn, &r->err);
}

/* One instruction on two registers: what RFC 9669 says about it. */
struct fact {
    enum cts_insn_id row;
    uint64_t dst, src;
    int32_t imm;
    uint64_t want;
    const char *why;
};

static void check_fact(struct rig *r, const struct fact *f, bool be)
{
    const struct cts_insn_info *info = cts_insn_info(f->row);
    struct line line = {f->row, {.dst = 3}};
    if (info->field[CTS_F_SRC].kind == CTS_FK_REG)
        line.in.src = 7;
    if (info->field[CTS_F_IMM].kind == CTS_FK_ANY)
        line.in.imm = f->imm;
    rig_up(r, be, true, &line, 1);
    for (unsigned i = 0; i < 10; i++)
        r->m.r[i] = UINT64_C(0x0101010101010101) * i;
    r->m.r[3] = f->dst;
    r->m.r[7] = f->src;
    assert_int_equal(cts_mach_run(&r->m), CTS_MACH_ENDED);
    if (r->m.r[3] != f->want)
        fail_msg("%s %s: 0x%llx, not 0x%llx (%s)", info->id, be ? "be" : "le",
                 (unsigned long long)r->m.r[3], (unsigned long long)f->want, f->why);
    for (unsigned i = 0; i < 10; i++)
        if (i != 3 && i != 7)
            assert_int_equal(r->m.r[i], UINT64_C(0x0101010101010101) * i);
    assert_int_equal(r->m.r[7], f->src);
}

#define U64(x) UINT64_C(x)
#define NEG(x) ((uint64_t)(INT64_C(0) - (x)))

static const struct fact arithmetic[] = {
    {CTS_INSN_ADD32_X, U64(0xdeadbeefffffffff), U64(0x5555555500000001), 0, 0, "4.1 wraps, zeroes"},
    {CTS_INSN_ADD64_X, U64(0xffffffff), 1, 0, U64(0x100000000), "4.1"},
    {CTS_INSN_ADD64_X, U64(0xffffffffffffffff), 1, 0, 0, "4.1 wraps"},
    {CTS_INSN_ADD64_K, 5, 0, -6, NEG(1), "3.1 imm is signed"},
    {CTS_INSN_SUB32_K, 0, 0, 1, U64(0xffffffff), "4.1 underflow wraps at 32 bits"},
    {CTS_INSN_MUL64_X, U64(0x100000001), U64(0x100000001), 0, U64(0x200000001), "4.1 wraps"},
    {CTS_INSN_MUL32_X, U64(0xffffffff), U64(0xffffffff), 0, 1, "4.1 wraps"},
    {CTS_INSN_UMULH64_X, U64(0x100000000), U64(0x300000000), 0, 3, "3 2^64"},
    {CTS_INSN_UMULH64_K, U64(0x8000000000000000), 0, -2, U64(0x7fffffffffffffff), "2^127 - 2^64"},
    {CTS_INSN_SMULH64_X, NEG(3), 5, 0, NEG(1), "-15"},
    {CTS_INSN_SMULH64_K, U64(0x8000000000000000), 0, -2, 1, "2^64"},
    {CTS_INSN_SMOD64_X, NEG(13), 3, 0, NEG(1), "4.1 truncated division: -13 % 3 == -1"},
    {CTS_INSN_SMOD64_X, 13, NEG(3), 0, 1, "4.1 sign of the dividend"},
    {CTS_INSN_SMOD64_K, NEG(13), 0, 3, NEG(1), "4.1 truncated division"},
    {CTS_INSN_SMOD32_X, U64(0x12345678fffffff3), 3, 0, U64(0xffffffff), "4.1 -13 % 3, zeroes"},
    {CTS_INSN_SDIV64_X, NEG(13), 3, 0, NEG(4), "4.1 truncates"},
    {CTS_INSN_SDIV32_K, U64(0xfffffff3), 0, -3, 4, "4.1 imm is s32"},
    {CTS_INSN_DIV64_X, NEG(13), 3, 0, U64(0x5555555555555551), "4.1 unsigned"},
    {CTS_INSN_DIV64_K, U64(0xffffffffffffffff), 0, -1, 1, "4.1 imm sign extended, then u64"},
    {CTS_INSN_MOD64_K, U64(0x1fffffffe), 0, -1, U64(0x1fffffffe), "4.1 the same"},
    {CTS_INSN_DIV32_K, U64(0x5fffffffe), 0, -1, 0, "4.1 imm is u32"},
    {CTS_INSN_DIV64_X, 7, 0, 0, 0, "4.1 division by zero"},
    {CTS_INSN_SDIV32_X, U64(0x1234567800000007), U64(0x100000000), 0, 0, "4.1 a 32-bit zero"},
    {CTS_INSN_MOD64_X, U64(0x1234567800000007), 0, 0, U64(0x1234567800000007), "4.1 unchanged"},
    {CTS_INSN_MOD32_X, U64(0x1234567800000007), 0, 0, 7, "4.1 upper 32 bits are zeroed"},
    {CTS_INSN_SMOD32_X, U64(0x12345678fffffff3), 0, 0, U64(0xfffffff3), "4.1 the same, signed"},
    {CTS_INSN_XOR32_K, U64(0xffffffff0000000f), 0, -1, U64(0xfffffff0), "4.1 {XOR, K, ALU}"},
    {CTS_INSN_XOR64_K, 15, 0, -1, U64(0xfffffffffffffff0), "4.1 {XOR, K, ALU64}"},
    {CTS_INSN_OR64_K, 0, 0, INT32_MIN, U64(0xffffffff80000000), "3.1 imm is signed"},
    {CTS_INSN_LSH32_X, 1, 33, 0, 2, "4.1 mask 0x1f"},
    {CTS_INSN_LSH64_X, 1, 65, 0, 2, "4.1 mask 0x3f"},
    {CTS_INSN_LSH64_K, 1, 0, 63, U64(0x8000000000000000), "4.1"},
    {CTS_INSN_RSH32_X, U64(0xffffffff80000000), 31, 0, 1, "4.1 32-bit operand"},
    {CTS_INSN_ARSH32_K, U64(0x80000000), 0, 31, U64(0xffffffff), "4.1 sign extending"},
    {CTS_INSN_ARSH64_X, U64(0x8000000000000000), 127, 0, NEG(1), "4.1 mask, sign extending"},
    {CTS_INSN_NEG32, U64(0xffffffff00000001), 0, 0, U64(0xffffffff), "4.1"},
    {CTS_INSN_NEG64, U64(0x8000000000000000), 0, 0, U64(0x8000000000000000), "4.1 wraps"},
    {CTS_INSN_MOV64_K, 0, 0, -1, NEG(1), "4.1 dst = (s64)imm"},
    {CTS_INSN_MOV32_K, NEG(1), 0, -1, U64(0xffffffff), "4.1 zeroes"},
    {CTS_INSN_MOV32_X, 0, U64(0x1122334455667788), 0, U64(0x55667788), "4.1 dst = (u32)src"},
    {CTS_INSN_MOVSX32_S8, NEG(1), U64(0x1180), 0, U64(0xffffff80), "4.1 (u32)(s32)(s8)src"},
    {CTS_INSN_MOVSX64_S8, 0, U64(0x1180), 0, NEG(128), "4.1"},
    {CTS_INSN_MOVSX64_S16, 0, U64(0x117fff), 0, U64(0x7fff), "4.1"},
    {CTS_INSN_MOVSX64_S32, 0, U64(0x1180000000), 0, U64(0xffffffff80000000), "4.1"},
    {CTS_INSN_BSWAP16, U64(0x1122334455667788), 0, 0, U64(0x8877), "4.2, 2.2 a 16-bit number"},
    {CTS_INSN_BSWAP32, U64(0x1122334455667788), 0, 0, U64(0x88776655), "4.2"},
    {CTS_INSN_BSWAP64, U64(0x1122334455667788), 0, 0, U64(0x8877665544332211), "4.2"},
};

static void test_arithmetic(void **state)
{
    (void)state;
    struct rig r;
    for (size_t i = 0; i < CTS_ARRAY_LEN(arithmetic); i++) {
        check_fact(&r, &arithmetic[i], false);
        check_fact(&r, &arithmetic[i], true);
    }
}

/* RFC 9669 section 4.2: between host order and the named one. */
static void test_byte_order_conversion(void **state)
{
    (void)state;
    static const struct fact little[] = {
        {CTS_INSN_LE16, U64(0x1122334455667788), 0, 0, U64(0x7788), "4.2 on little"},
        {CTS_INSN_LE64, U64(0x1122334455667788), 0, 0, U64(0x1122334455667788), "4.2 on little"},
        {CTS_INSN_BE16, U64(0x1122334455667788), 0, 0, U64(0x8877), "4.2 on little"},
        {CTS_INSN_BE32, U64(0x1122334455667788), 0, 0, U64(0x88776655), "4.2 on little"},
    };
    static const struct fact big[] = {
        {CTS_INSN_LE16, U64(0x1122334455667788), 0, 0, U64(0x8877), "4.2 on big"},
        {CTS_INSN_LE64, U64(0x1122334455667788), 0, 0, U64(0x8877665544332211), "4.2 on big"},
        {CTS_INSN_BE16, U64(0x1122334455667788), 0, 0, U64(0x7788), "4.2 on big"},
        {CTS_INSN_BE32, U64(0x1122334455667788), 0, 0, U64(0x55667788), "4.2 on big"},
    };
    struct rig r;
    for (size_t i = 0; i < CTS_ARRAY_LEN(little); i++)
        check_fact(&r, &little[i], false);
    for (size_t i = 0; i < CTS_ARRAY_LEN(big); i++)
        check_fact(&r, &big[i], true);
}

static void test_wide_load(void **state)
{
    (void)state;
    struct rig r;
    RIG_BODY(&r, {CTS_INSN_LDDW, {.dst = 3, .imm = INT32_MIN, .next_imm = 0x12345678}},
             {CTS_INSN_MOV64_K, {.dst = 4, .imm = 1}});
    assert_int_equal(cts_mach_run(&r.m), CTS_MACH_ENDED);
    assert_int_equal(r.m.r[3], U64(0x1234567880000000)); /* 5.4: the lower half is not extended */
    assert_int_equal(r.m.r[4], 1);
    assert_int_equal(r.m.pc, 3);
}

static void test_memory_in_both_orders(void **state)
{
    (void)state;
    static const uint8_t bytes[2][8] = {{0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11},
                                        {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}};
    const struct line lines[] = {
        {CTS_INSN_STX_DW, {.dst = 1, .src = 2}},
        {CTS_INSN_LDX_W, {.dst = 3, .src = 1}},
        {CTS_INSN_LDX_H, {.dst = 4, .src = 1, .off = 6}},
        {CTS_INSN_LDX_B, {.dst = 5, .src = 1}},
        {CTS_INSN_ST_H, {.dst = 1, .off = 8, .imm = 0x11223344}},
        {CTS_INSN_ST_DW, {.dst = 1, .off = 16, .imm = -2}},
        {CTS_INSN_LDXSX_B, {.dst = 6, .src = 1, .off = 8}},
    };
    struct rig r;
    for (int be = 0; be < 2; be++) {
        rig_up(&r, be, true, lines, CTS_ARRAY_LEN(lines));
        r.m.r[1] = MEM_BASE;
        r.m.r[2] = U64(0x1122334455667788);
        assert_int_equal(cts_mach_run(&r.m), CTS_MACH_ENDED);
        assert_memory_equal(r.mem, bytes[be], 8);
        assert_int_equal(r.m.r[3], be ? 0x11223344 : 0x55667788);
        assert_int_equal(r.m.r[4], be ? 0x7788 : 0x1122);
        assert_int_equal(r.m.r[5], be ? 0x11 : 0x88);
        assert_int_equal(r.mem[8], be ? 0x33 : 0x44);
        assert_int_equal(r.mem[9], be ? 0x44 : 0x33);
        assert_int_equal(r.mem[10], 0);
        assert_int_equal(cts_get64_host(r.mem + 16), be ? U64(0xfeffffffffffffff) : NEG(2));
        assert_int_equal(r.m.r[6], be ? 0x33 : 0x44);
    }
}

/* RFC 9669 section 5.3. */
static void test_atomics(void **state)
{
    (void)state;
    struct rig r;
    RIG_BODY(&r, {CTS_INSN_ATOMIC32_CMPXCHG, {.dst = 1, .src = 2}},
             {CTS_INSN_ATOMIC32_FETCH_ADD, {.dst = 1, .src = 3, .off = 4}},
             {CTS_INSN_ATOMIC64_XCHG, {.dst = 1, .src = 4, .off = 8}},
             {CTS_INSN_ATOMIC32_ADD, {.dst = 1, .src = 5, .off = 16}});
    cts_put32le(r.mem, 0x55667788);
    cts_put32le(r.mem + 4, 0xffffffff);
    cts_put64le(r.mem + 8, 0x77);
    cts_put64le(r.mem + 16, U64(0x99999999ffffffff));
    r.m.r[0] = U64(0xdeadbeef55667788);
    r.m.r[1] = MEM_BASE;
    r.m.r[2] = U64(0x1111111122222222);
    r.m.r[3] = U64(0x1111111100000002);
    r.m.r[4] = U64(0x123456789);
    r.m.r[5] = U64(0x1111111100000001);
    assert_int_equal(cts_mach_run(&r.m), CTS_MACH_ENDED);
    assert_int_equal(cts_get32le(r.mem), 0x22222222);
    assert_int_equal(r.m.r[0], 0x55667788);
    assert_int_equal(cts_get32le(r.mem + 4), 1);
    assert_int_equal(r.m.r[3], 0xffffffff);
    assert_int_equal(cts_get64le(r.mem + 8), U64(0x123456789));
    assert_int_equal(r.m.r[4], 0x77);
    assert_int_equal(cts_get64le(r.mem + 16), U64(0x9999999900000000));
    assert_int_equal(r.m.r[5], U64(0x1111111100000001));
}

static void expect_fault(enum cts_insn_id row, uint64_t base, int16_t off, bool faults)
{
    struct rig r;
    const struct line line = {row, {.dst = 1, .src = 1, .off = off}};
    struct line used = line;
    if (cts_insn_info(row)->field[CTS_F_SRC].kind == CTS_FK_FIXED)
        used.in.src = 0;
    rig_up(&r, false, true, &used, 1);
    r.m.r[1] = base;
    enum cts_mach_stop stop = cts_mach_run(&r.m);
    assert_int_equal(stop, faults ? CTS_MACH_FAULT_MEM : CTS_MACH_ENDED);
    if (faults)
        assert_true(strlen(r.m.why) > 0);
}

static void test_bounds(void **state)
{
    (void)state;
    static const struct {
        enum cts_insn_id row;
        int bytes;
    } sizes[] = {{CTS_INSN_LDX_B, 1},       {CTS_INSN_LDX_H, 2}, {CTS_INSN_LDX_W, 4},
                 {CTS_INSN_LDX_DW, 8},      {CTS_INSN_STX_B, 1}, {CTS_INSN_ST_H, 2},
                 {CTS_INSN_STX_W, 4},       {CTS_INSN_ST_DW, 8}, {CTS_INSN_ATOMIC32_ADD, 4},
                 {CTS_INSN_ATOMIC64_ADD, 8}};
    for (size_t i = 0; i < CTS_ARRAY_LEN(sizes); i++) {
        int16_t last = (int16_t)(MEM_BYTES - sizes[i].bytes);
        expect_fault(sizes[i].row, MEM_BASE, 0, false);
        expect_fault(sizes[i].row, MEM_BASE, last, false);
        expect_fault(sizes[i].row, MEM_BASE, (int16_t)(last + 1), true);
        expect_fault(sizes[i].row, MEM_BASE, -1, true);
        expect_fault(sizes[i].row, MEM_BASE - 1, 1, false);
        expect_fault(sizes[i].row, 0, 0, true);
        expect_fault(sizes[i].row, UINT64_MAX, 0, true);
        expect_fault(sizes[i].row, UINT64_MAX - 3, 0, true);
        expect_fault(sizes[i].row, FP, (int16_t)-sizes[i].bytes, false);
        expect_fault(sizes[i].row, FP, (int16_t)(1 - sizes[i].bytes), true);
        expect_fault(sizes[i].row, FP, -CTS_MACH_STACK_BYTES, false);
        expect_fault(sizes[i].row, FP, -CTS_MACH_STACK_BYTES - 1, true);
    }
}

static void test_mapping(void **state)
{
    (void)state;
    struct cts_mach m;
    uint8_t byte[16];
    cts_mach_init(&m);
    assert_int_equal(cts_mach_map(&m, UINT64_MAX - 7, byte, 8, true), 0);
    assert_int_equal(cts_mach_map(&m, UINT64_MAX - 15, byte, 16, true), CTS_E_INVAL);
    assert_int_equal(cts_mach_map(&m, UINT64_MAX - 2, byte, 4, true), CTS_E_INVAL);
    assert_non_null(cts_mach_host(&m, UINT64_MAX, 1, true));
    assert_null(cts_mach_host(&m, UINT64_MAX, 2, true));
    assert_int_equal(cts_mach_map(&m, 64, byte, 16, false), 0);
    assert_int_equal(cts_mach_map(&m, 79, byte, 4, true), CTS_E_INVAL);
    assert_int_equal(cts_mach_map(&m, 60, byte, 5, true), CTS_E_INVAL);
    assert_int_equal(cts_mach_map(&m, 60, byte, 4, true), 0);
    assert_null(cts_mach_host(&m, 64, 1, true));
    assert_ptr_equal(cts_mach_host(&m, 66, 14, false), byte + 2);
    cts_mach_store(&m, 64, 1, 0);
    assert_int_equal(m.stop, CTS_MACH_FAULT_MEM);
    for (unsigned i = m.regions; i < CTS_MACH_REGIONS; i++)
        assert_int_equal(cts_mach_map(&m, 1000 + i, byte, 1, true), 0);
    assert_int_equal(cts_mach_map(&m, 5000, byte, 1, true), CTS_E_LIMIT);
}

/* Main puts marks everywhere, calls a function that changes all it can, and looks. */
static void test_frames(void **state)
{
    (void)state;
    struct rig r;
    RIG_BODY(&r, {CTS_INSN_STX_DW, {.dst = 10, .src = 6, .off = -8}},
             {CTS_INSN_CALL_LOCAL, {.imm = 1}},         /* 1: to 3 */
             {CTS_INSN_JA, {.off = 6}},                 /* 2: to the end */
             {CTS_INSN_MOV64_X, {.dst = 0, .src = 10}}, /* 3: the function */
             {CTS_INSN_STX_DW, {.dst = 10, .src = 1, .off = -8}},
             {CTS_INSN_LDX_DW, {.dst = 8, .src = 10, .off = CTS_MACH_STACK_BYTES - 8}},
             {CTS_INSN_STX_DW, {.dst = 2, .src = 8}}, {CTS_INSN_MOV64_K, {.dst = 9, .imm = 0}},
             {CTS_INSN_EXIT, {.imm = 0}});
    r.m.r[1] = 0x11;
    r.m.r[2] = MEM_BASE;
    for (unsigned i = 6; i < 10; i++)
        r.m.r[i] = 0x6000 + i;
    assert_int_equal(cts_mach_run(&r.m), CTS_MACH_ENDED);
    assert_int_equal(r.m.r[0], FP - CTS_MACH_STACK_BYTES);
    assert_int_equal(r.m.r[10], FP);
    for (unsigned i = 6; i < 10; i++)
        assert_int_equal(r.m.r[i], 0x6000 + i);
    for (unsigned i = 1; i <= 5; i++)
        assert_int_equal(r.m.r[i], cts_mach_unspecified(i));
    assert_int_equal(cts_get64le(r.mem), 0x6006); /* the callee reached its caller's stack */
    assert_int_equal(cts_get64le(r.stacks + CTS_MACH_STACKS_BYTES - 8), 0x6006);
    assert_int_equal(cts_get64le(r.stacks + CTS_MACH_STACKS_BYTES - CTS_MACH_STACK_BYTES - 8),
                     0x11);
}

/* r1 nested calls: main and 7 more frames are what there is. */
static void test_depth(void **state)
{
    (void)state;
    struct rig r;
    for (uint64_t calls = 1; calls <= 8; calls++) {
        RIG_BODY(&r, {CTS_INSN_CALL_LOCAL, {.imm = 1}}, {CTS_INSN_JA, {.off = 4}},
                 {CTS_INSN_ADD64_K, {.dst = 1, .imm = -1}},
                 {CTS_INSN_JEQ_K, {.dst = 1, .off = 1, .imm = 0}},
                 {CTS_INSN_CALL_LOCAL, {.imm = -3}}, {CTS_INSN_EXIT, {.imm = 0}});
        r.m.r[1] = calls;
        assert_int_equal(cts_mach_run(&r.m), calls <= 7 ? CTS_MACH_ENDED : CTS_MACH_FAULT_CALL);
        assert_int_equal(r.m.depth, calls <= 7 ? 0 : 7);
    }
}

/* The first function stands where main's code ends: a call of it is no end, falling into it is. */
static void test_body_before_functions(void **state)
{
    (void)state;
    struct rig r;
    const struct line lines[] = {{CTS_INSN_CALL_LOCAL, {.imm = 0}},
                                 {CTS_INSN_ADD64_K, {.dst = 6, .imm = 1}},
                                 {CTS_INSN_EXIT, {.imm = 0}}};
    rig_up(&r, false, false, lines, CTS_ARRAY_LEN(lines));
    r.m.body_slots = 1;
    r.m.r[6] = 5;
    assert_int_equal(cts_mach_run(&r.m), CTS_MACH_ENDED);
    assert_int_equal(r.m.pc, 1);
    assert_int_equal(r.m.r[6], 5);
}

static void test_exit_and_budget(void **state)
{
    (void)state;
    struct rig r;
    RIG_BODY(&r, {CTS_INSN_MOV64_K, {.dst = 0, .imm = -7}}, {CTS_INSN_EXIT, {.imm = 0}},
             {CTS_INSN_MOV64_K, {.dst = 0, .imm = 1}});
    assert_int_equal(cts_mach_run(&r.m), CTS_MACH_EXITED);
    assert_int_equal(r.m.r[0], NEG(7));
    RIG_BODY(&r, {CTS_INSN_ADD64_K, {.dst = 0, .imm = 1}}, {CTS_INSN_JA, {.off = -2}});
    r.m.budget = 1001;
    assert_int_equal(cts_mach_run(&r.m), CTS_MACH_BUDGET);
    assert_int_equal(r.m.r[0], 501);
    assert_string_equal(cts_mach_stop_name(r.m.stop), "budget");
}

static void test_empty_program_ends(void **state)
{
    (void)state;
    struct rig r;
    rig_up(&r, false, true, NULL, 0);
    assert_int_equal(cts_mach_run(&r.m), CTS_MACH_ENDED);
    assert_int_equal(cts_mach_decode(r.code, 0, false, false, r.insn, NULL), CTS_E_INVAL);
}

static uint64_t helper_sum(struct cts_mach *m, int32_t id)
{
    if (id != 7)
        cts_mach_fault(m, CTS_MACH_FAULT_CALL, "unknown");
    return m->r[1] + m->r[2] + m->r[3] + m->r[4] + m->r[5];
}

static void test_helpers(void **state)
{
    (void)state;
    struct rig r;
    for (int32_t id = 7; id <= 8; id++) {
        RIG_BODY(&r, {CTS_INSN_CALL_HELPER, {.imm = id}});
        r.platform.helper = helper_sum;
        for (unsigned i = 0; i < 10; i++)
            r.m.r[i] = 100 + i;
        assert_int_equal(cts_mach_run(&r.m), id == 7 ? CTS_MACH_ENDED : CTS_MACH_FAULT_CALL);
        if (id != 7)
            continue;
        assert_int_equal(r.m.r[0], 515);
        for (unsigned i = 1; i < 10; i++)
            assert_int_equal(r.m.r[i], i <= 5 ? cts_mach_unspecified(i) : 100 + i);
    }
    RIG_BODY(&r, {CTS_INSN_CALL_HELPER, {.imm = 7}});
    assert_int_equal(cts_mach_run(&r.m), CTS_MACH_FAULT_CALL);
    RIG_BODY(&r, {CTS_INSN_CALL_BTF, {.imm = 7}});
    assert_int_equal(cts_mach_run(&r.m), CTS_MACH_FAULT_CALL);
    RIG_BODY(&r, {CTS_INSN_LDDW_MAP_FD, {.dst = 1, .imm = 7}});
    assert_int_equal(cts_mach_run(&r.m), CTS_MACH_FAULT_PLATFORM);
}

static uint64_t helper_calls_back(struct cts_mach *m, int32_t id)
{
    uint64_t code = m->r[1], sum = 0;
    for (int32_t i = 0; i < id && m->stop == CTS_MACH_RUNNING; i++) {
        const uint64_t args[5] = {(uint64_t)i, 2, 3, 4, 5};
        sum += cts_mach_call_back(m, code, args);
    }
    return sum;
}

static void test_callbacks(void **state)
{
    (void)state;
    struct rig r;
    /* lddw takes 0 and 1; code_addr counts from 1. */
    RIG_BODY(&r, {CTS_INSN_LDDW_CODE, {.dst = 1, .imm = 3}}, {CTS_INSN_CALL_HELPER, {.imm = 4}},
             {CTS_INSN_JA, {.off = 3}}, {CTS_INSN_MOV64_X, {.dst = 0, .src = 1}},
             {CTS_INSN_MOV64_K, {.dst = 6, .imm = 0}}, {CTS_INSN_EXIT, {.imm = 0}});
    r.platform.helper = helper_calls_back;
    r.platform.code_addr = cts_mach_code_addr;
    r.m.r[6] = 66;
    assert_int_equal(cts_mach_run(&r.m), CTS_MACH_ENDED);
    assert_int_equal(r.m.r[0], 0 + 1 + 2 + 3);
    assert_int_equal(r.m.r[6], 66);
    assert_int_equal(r.m.r[10], FP);
    RIG_BODY(&r, {CTS_INSN_CALL_HELPER, {.imm = 4}});
    r.platform.helper = helper_calls_back;
    r.m.r[1] = MEM_BASE;
    assert_int_equal(cts_mach_run(&r.m), CTS_MACH_FAULT_CALL);
}

/* The address is that of the function, and nothing near it. */
static void test_call_of_an_address(void **state)
{
    (void)state;
    static const struct {
        int64_t add;
        enum cts_mach_stop stop;
    } cases[] = {{0, CTS_MACH_EXITED},
                 {-8, CTS_MACH_EXITED},
                 {4, CTS_MACH_FAULT_CALL},
                 {8, CTS_MACH_FAULT_CALL},
                 {-48, CTS_MACH_FAULT_CALL}};
    struct rig r;
    for (size_t i = 0; i < CTS_ARRAY_LEN(cases); i++) {
        RIG_BODY(&r, {CTS_INSN_LDDW_CODE, {.dst = 7, .imm = 4}},
                 {CTS_INSN_ADD64_X, {.dst = 7, .src = 1}}, {CTS_INSN_CALLX, {.dst = 7}},
                 {CTS_INSN_EXIT, {.imm = 0}}, {CTS_INSN_EXIT, {.imm = 0}});
        r.platform.code_addr = cts_mach_code_addr;
        r.platform.slots_to = cts_mach_slots_to;
        r.m.r[1] = (uint64_t)cases[i].add;
        assert_int_equal(cts_mach_run(&r.m), cases[i].stop);
    }
}

/* Each function has its own; none that was not given, none beyond the seventh. */
static void test_arguments_on_the_stack(void **state)
{
    (void)state;
    static const int16_t none[] = {0, 4, -8, 9, 64, 32760, INT16_MIN};
    uint8_t args[CTS_MACH_ARGS_BYTES];
    struct rig r;
    RIG_BODY(&r, {CTS_INSN_EXIT, {.imm = 0}});
    assert_int_equal(cts_mach_arg_out(&r.m, -8), 0); /* a machine without */
    assert_int_equal(r.m.stop, CTS_MACH_FAULT_MEM);
    r.m.args = args;
    for (unsigned depth = 0; depth + 1 < CTS_MACH_FRAMES; depth++)
        for (int16_t off = 8; off <= 8 * CTS_MACH_ARGS; off += 8) {
            r.m.stop = CTS_MACH_RUNNING;
            r.m.depth = depth;
            uint64_t out = cts_mach_arg_out(&r.m, (int16_t)-off);
            cts_mach_store(&r.m, out, 8, out);
            r.m.depth = depth + 1;
            assert_int_equal(cts_mach_arg_in(&r.m, off), out);
            assert_int_equal(cts_mach_load(&r.m, out, 8), out);
            assert_int_equal(r.m.stop, CTS_MACH_RUNNING);
        }
    for (size_t i = 0; i < CTS_ARRAY_LEN(none); i++) {
        r.m.stop = CTS_MACH_RUNNING;
        assert_int_equal(cts_mach_arg_in(&r.m, none[i]), 0);
        assert_int_equal(r.m.stop, CTS_MACH_FAULT_MEM);
    }
    r.m.stop = CTS_MACH_RUNNING;
    r.m.depth = 0;
    assert_int_equal(cts_mach_arg_in(&r.m, 8), 0); /* nobody called */
    assert_int_equal(r.m.stop, CTS_MACH_FAULT_MEM);
    r.m.stop = CTS_MACH_RUNNING;
    r.m.depth = CTS_MACH_FRAMES - 1;
    assert_int_equal(cts_mach_arg_out(&r.m, -8), 0); /* nobody can be called */
    assert_int_equal(r.m.stop, CTS_MACH_FAULT_MEM);
}

static void test_decode_refuses(void **state)
{
    (void)state;
    struct rig r;
    const struct line ret = {CTS_INSN_EXIT, {.imm = 0}};
    const struct line wide = {CTS_INSN_LDDW, {.dst = 1}};
    assert_int_equal(DECODE_WHOLE(&r, ret), 0);
    assert_int_equal(DECODE_WHOLE(&r, wide), CTS_E_INVAL);
    assert_non_null(strstr(r.err.msg, "slot 0: control falls off"));
    assert_int_equal(DECODE_WHOLE(&r, {CTS_INSN_JA, {.off = 1}}, ret), CTS_E_INVAL);
    assert_non_null(strstr(r.err.msg, "slot 0: jump to slot 2, outside"));
    assert_int_equal(DECODE_WHOLE(&r, {CTS_INSN_JA, {.off = -2}}, ret), CTS_E_INVAL);
    assert_int_equal(DECODE_WHOLE(&r, {CTS_INSN_JA32, {.imm = INT32_MAX}}, ret), CTS_E_INVAL);
    assert_int_equal(DECODE_WHOLE(&r, {CTS_INSN_JA32, {.imm = INT32_MIN}}, ret), CTS_E_INVAL);
    assert_int_equal(DECODE_WHOLE(&r, {CTS_INSN_JNE32_K, {.off = 1}}, wide, ret), CTS_E_INVAL);
    assert_non_null(strstr(r.err.msg, "slot 0: jump to slot 2, in the middle"));
    assert_int_equal(DECODE_WHOLE(&r, {CTS_INSN_JNE32_K, {.off = 2}}, wide, ret), 0);
    assert_int_equal(DECODE_WHOLE(&r, {CTS_INSN_CALL_LOCAL, {.imm = 1}}, wide, ret), CTS_E_INVAL);
    assert_int_equal(DECODE_WHOLE(&r, {CTS_INSN_CALL_LOCAL, {.imm = 1}}, ret), CTS_E_INVAL);
    assert_int_equal(DECODE_WHOLE(&r, {CTS_INSN_CALL_HELPER, {.imm = 1000}}, ret), 0);
    assert_int_equal(DECODE_WHOLE(&r, {CTS_INSN_LDDW_CODE, {.imm = -1}}, ret), 0);
    assert_int_equal(DECODE_WHOLE(&r, {CTS_INSN_LDDW_CODE, {.imm = 0}}, ret), CTS_E_INVAL);
    assert_int_equal(DECODE_WHOLE(&r, {CTS_INSN_LDDW_CODE, {.imm = 2}}, ret), CTS_E_INVAL);
    assert_int_equal(DECODE_WHOLE(&r, ret, {CTS_INSN_JA, {.off = -1}}), 0);
    assert_int_equal(DECODE_WHOLE(&r, ret, {CTS_INSN_JEQ_K, {.off = -1}}), CTS_E_INVAL);
}

static void test_decode_of_bytes(void **state)
{
    (void)state;
    struct cts_mach_insn insn[2];
    struct cts_err err;
    const uint8_t code[16] = {0x95, 0, 0, 0, 0, 0, 0, 0, 0x8f};
    cts_err_clear(&err);
    assert_int_equal(cts_mach_decode(code, 2, false, true, insn, &err), CTS_E_INVAL);
    assert_string_equal(err.msg, "slot 1: opcode 0x8f is no instruction");
    /* The end may be jumped to only where falling off it is allowed. */
    const uint8_t skip[16] = {0x05, 0, 0, 1, 0, 0, 0, 0, 0x95};
    assert_int_equal(cts_mach_decode(skip, 2, true, true, insn, NULL), 0);
    assert_int_equal(cts_mach_decode(skip, 2, true, false, insn, NULL), CTS_E_INVAL);
    assert_int_equal(cts_mach_decode(skip, 2, false, true, insn, NULL), CTS_E_INVAL);
}

/* Semantics that jump where the program's check did not look must not leave the program. */
static void jump_astray(struct cts_mach *m, const struct cts_insn *in)
{
    cts_mach_goto(m, (int64_t)in->off + 1);
}

static void test_wrong_semantics_stay_inside(void **state)
{
    (void)state;
    struct rig r;
    cts_exec_fn exec[CTS_INSN_COUNT];
    memcpy(exec, cts_exec_table, sizeof(exec));
    exec[CTS_INSN_JA] = jump_astray;
    RIG_BODY(&r, {CTS_INSN_JA, {.off = 0}}, {CTS_INSN_LDDW, {.dst = 1}});
    r.m.exec = exec;
    assert_int_equal(cts_mach_run(&r.m), CTS_MACH_FAULT_JUMP);
    RIG_BODY(&r, {CTS_INSN_JA, {.off = 0}});
    r.m.exec = exec;
    assert_int_equal(cts_mach_run(&r.m), CTS_MACH_FAULT_JUMP);
    exec[CTS_INSN_JA] = NULL;
    RIG_BODY(&r, {CTS_INSN_JA, {.off = 0}});
    r.m.exec = exec;
    assert_int_equal(cts_mach_run(&r.m), CTS_MACH_FAULT_INSN);
}

static void test_every_row_has_semantics(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CTS_INSN_COUNT; i++) {
        unsigned none = cts_insn_info((enum cts_insn_id)i)->flags & (CTS_RF_SLOT | CTS_RF_FOREIGN);
        assert_int_equal(cts_exec_table[i] == NULL, none != 0);
    }
}

/* Instructions for platforms of another kind are refused by name; what can be chosen is. */
static void test_after_the_rfc(void **state)
{
    (void)state;
    static const uint8_t cast[] = {0xbf, 0x11, 1, 0, 1, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0};
    struct cts_mach_insn prog[2];
    struct cts_err err = {.code = 0};
    struct rig r;
    assert_int_equal(cts_mach_decode(cast, 2, false, true, prog, &err), CTS_E_INVAL);
    assert_non_null(strstr(err.msg, "slot 0: cast_from_arena"));
    for (int choose = 0; choose < 2; choose++) {
        RIG_BODY(&r, {CTS_INSN_MAY_GOTO, {.off = 1}}, {CTS_INSN_MOV64_K, {.dst = 1, .imm = 5}});
        r.m.choose = choose;
        r.m.r[1] = 7;
        assert_int_equal(cts_mach_run(&r.m), CTS_MACH_ENDED);
        assert_int_equal(r.m.r[1], choose ? 7 : 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_byte_order_conversion),
        cmocka_unit_test(test_wide_load),
        cmocka_unit_test(test_memory_in_both_orders),
        cmocka_unit_test(test_atomics),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_mapping),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_body_before_functions),
        cmocka_unit_test(test_exit_and_budget),
        cmocka_unit_test(test_empty_program_ends),
        cmocka_unit_test(test_helpers),
        cmocka_unit_test(test_callbacks),
        cmocka_unit_test(test_call_of_an_address),
        cmocka_unit_test(test_arguments_on_the_stack),
        cmocka_unit_test(test_decode_refuses),
        cmocka_unit_test(test_decode_of_bytes),
        cmocka_unit_test(test_wrong_semantics_stay_inside),
        cmocka_unit_test(test_every_row_has_semantics),
        cmocka_unit_test(test_after_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
