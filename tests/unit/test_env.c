/* uses: base host isa wire pack */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/bytes.h"
#include "host/buf.h"
#include "isa/mach.h"
#include "pack/env.h"

#define WINDOW_AT UINT64_C(0x0000123400010000)
#define STACK_AT UINT64_C(0x0000200000000000)
#define CTX_AT UINT64_C(0x0000300000000000)
#define MAP_HANDLE UINT64_C(0x0000700000000000)
#define FP (STACK_AT + CTS_MACH_STACKS_BYTES)

enum {
    WINDOW = 1 << 16,
    REGION = 4096 + 64,
    MOST_SLOTS = 8192,
    STALE = 0xc3, /* what outputs hold before */
    HELPER_CALL = 7,
};

/* A machine with a window, and the program that runs on it. */
struct rig {
    struct cts_caps caps;
    struct cts_buf code;
    struct cts_mach mach;
    struct cts_mach_platform platform;
    struct cts_mach_insn insn[MOST_SLOTS];
    uint8_t window[WINDOW], before[WINDOW], stacks[CTS_MACH_STACKS_BYTES], ctx[64];
};

static struct rig rig; /* too large for the stack; every test begins with start() */

static uint64_t window_map(struct cts_mach *m, int32_t ordinal)
{
    (void)m;
    assert_int_equal(ordinal, 0);
    return MAP_HANDLE;
}

static uint64_t window_value(struct cts_mach *m, uint64_t map)
{
    (void)m;
    assert_true(map == MAP_HANDLE);
    return WINDOW_AT;
}

/* Calls the function whose address is in r1. */
static uint64_t call_back(struct cts_mach *m, int32_t id)
{
    const uint64_t args[5] = {100};

    assert_int_equal(id, HELPER_CALL);
    return cts_mach_call_back(m, m->r[1], args);
}

static void start(enum cts_window_kind kind, bool be)
{
    rig.caps = (struct cts_caps){
        .runtime = "rig",
        .be = be,
        .window_kind = (uint8_t)kind,
        .window_bytes = WINDOW,
        .window_addr = WINDOW_AT,
        .max_slots = MOST_SLOTS,
        .max_segments = 8,
    };
    rig.platform = (struct cts_mach_platform){.helper = call_back,
                                              .map_by_fd = window_map,
                                              .map_val = window_value,
                                              .code_addr = cts_mach_code_addr};
    cts_buf_init(&rig.code, 0);
}

static void stop(void)
{
    cts_buf_release(&rig.code);
}

static uint64_t get64(const uint8_t *at)
{
    return rig.caps.be ? cts_get64be(at) : cts_get64le(at);
}

static void put64(uint8_t *at, uint64_t v)
{
    if (rig.caps.be)
        cts_put64be(at, v);
    else
        cts_put64le(at, v);
}

/* ---- layouts ---- */

static struct cts_layout plain(void)
{
    return (struct cts_layout){
        .region = REGION, .rows = 4, .stride = 256, .spill = -8, .out_mask = 0x3ff};
}

static struct cts_layout with_memory(uint32_t bytes)
{
    struct cts_layout l = plain();
    l.mem_bytes = bytes;
    return l;
}

static struct cts_layout with_stack(int32_t spill)
{
    struct cts_layout l = with_memory(64);
    l.stack_off = CTS_ENTRY_MEM + 64;
    l.stride = 2048;
    l.spill = spill;
    return l;
}

static struct cts_layout with_record(void)
{
    struct cts_layout l = with_memory(64);
    l.record = 1;
    return l;
}

static uint64_t row_offset(const struct cts_layout *l, uint32_t i)
{
    return (uint64_t)l->region + CTS_WIN_HEADER + (uint64_t)(i & (l->rows - 1)) * l->stride;
}

static uint8_t *row_at(const struct cts_layout *l, uint32_t i)
{
    return rig.window + row_offset(l, i);
}

static uint64_t input(uint32_t row, unsigned reg)
{
    return UINT64_C(0x9e3779b97f4a7c15) * (row * 16 + reg + 1);
}

/* What r1 holds at entry. */
static uint64_t context(void)
{
    return rig.caps.window_kind == CTS_WK_ARGUMENT ? WINDOW_AT : CTX_AT;
}

static uint64_t expected(const struct cts_layout *l, uint32_t row, unsigned reg)
{
    uint64_t add = (uint64_t)(int64_t)l->add[reg];
    switch ((enum cts_place)l->place[reg]) {
    case CTS_PL_VALUE:
        return input(row & (l->rows - 1), reg);
    case CTS_PL_MEM:
        return WINDOW_AT + row_offset(l, row) + CTS_ENTRY_MEM + add;
    case CTS_PL_FP:
        return FP + add;
    case CTS_PL_CTX:
        return context();
    case CTS_PL_NONE:
        break;
    }
    return 0;
}

static uint8_t pattern(uint32_t row, uint32_t i)
{
    return (uint8_t)(row * 59 + i * 7 + 1);
}

static void fill(const struct cts_layout *l)
{
    memset(rig.window, STALE, sizeof(rig.window));
    put64(rig.window + l->region + CTS_WIN_INDEX, 0);
    for (uint32_t r = 0; r < l->rows; r++) {
        uint8_t *row = row_at(l, r);
        for (unsigned i = 0; i < 10; i++)
            put64(row + CTS_ENTRY_IN + 8 * i, input(r, i));
        for (uint32_t i = 0; i < l->mem_bytes; i++)
            row[CTS_ENTRY_MEM + i] = pattern(r, i);
        for (uint32_t i = 0; l->stack_off && i < CTS_STACK_BYTES; i++)
            row[l->stack_off + i] = pattern(r, i + 1000);
    }
    memcpy(rig.before, rig.window, sizeof(rig.before));
}

/* ---- running ---- */

static void map_all(struct cts_mach *m, uint32_t slots)
{
    cts_mach_init(m);
    m->be = rig.caps.be;
    m->prog = rig.insn;
    m->prog_slots = slots;
    m->platform = &rig.platform;
    assert_int_equal(cts_mach_map(m, WINDOW_AT, rig.window, WINDOW, true), 0);
    assert_int_equal(cts_mach_map(m, CTX_AT, rig.ctx, sizeof(rig.ctx), false), 0);
    assert_int_equal(cts_mach_map_stack(m, STACK_AT, rig.stacks), 0);
}

static void build(const struct cts_env_segment *seg, uint32_t n)
{
    struct cts_err err = {0};
    rig.code.len = 0;
    if (cts_env_build(&rig.caps, seg, n, &rig.code, &err) != 0)
        fail_msg("%s", err.msg);
}

static void run(uint32_t iterations)
{
    struct cts_mach *m = &rig.mach;
    struct cts_err err = {0};
    uint32_t slots = (uint32_t)(rig.code.len / CTS_SLOT_BYTES);
    assert_true(slots <= MOST_SLOTS);
    if (cts_mach_decode((const uint8_t *)rig.code.data, slots, rig.caps.be, false, rig.insn,
                        &err) != 0)
        fail_msg("%s", err.msg);
    map_all(m, slots);
    for (uint32_t i = 0; i < iterations; i++) {
        for (unsigned r = 0; r < 10; r++)
            m->r[r] = cts_mach_unspecified(r);
        m->r[1] = context();
        m->r[10] = FP;
        m->pc = 0;
        m->stop = CTS_MACH_RUNNING;
        memset(rig.stacks, 0xa5, sizeof(rig.stacks));
        if (cts_mach_run(m) != CTS_MACH_EXITED)
            fail_msg("%s", m->why);
        assert_true(m->r[0] == 0);
    }
}

/* ---- checking ---- */

/* Takes what may have changed out of the comparison of everything with what was there before. */
static void same_now(const uint8_t *at, size_t n)
{
    size_t off = (size_t)(at - rig.window);
    memcpy(rig.before + off, at, n);
}

static bool in_slot(int byte, int32_t slot)
{
    return byte - CTS_STACK_BYTES >= slot && byte - CTS_STACK_BYTES < slot + 8;
}

/* Of an empty body. */
static int32_t kept_slot(const struct cts_layout *l)
{
    const struct cts_env_segment empty = {.layout = *l};
    int32_t slot;
    assert_int_equal(cts_env_keep(&rig.caps, &empty, &slot, NULL), 0);
    return slot;
}

static void check_stack(const struct cts_layout *l, uint32_t r, const uint8_t *row)
{
    const uint8_t *out = row + l->stack_off + CTS_STACK_BYTES;
    int32_t kept = kept_slot(l);
    for (int i = 0; i < CTS_STACK_BYTES; i++) {
        bool spilt = in_slot(i, l->spill) || (kept && in_slot(i, kept));
        assert_int_equal(out[i], spilt ? STALE : pattern(r, (uint32_t)i + 1000));
    }
    same_now(out, CTS_STACK_BYTES);
}

/* The row went through an environment around an empty body. */
static void check_row(const struct cts_layout *l, uint32_t r)
{
    const uint8_t *row = row_at(l, r);
    for (unsigned i = 0; i < 10; i++) {
        const uint8_t *out = row + CTS_ENTRY_OUT + 8 * i;
        if (!(l->out_mask >> i & 1))
            continue;
        if (get64(out) != expected(l, r, i))
            fail_msg("row %u, r%u: 0x%llx", r, i, (unsigned long long)get64(out));
        same_now(out, 8);
    }
    if (l->record) {
        assert_true(get64(row + CTS_ENTRY_SELF) == WINDOW_AT + row_offset(l, r));
        assert_true(get64(row + CTS_ENTRY_FP) == FP);
        same_now(row + CTS_ENTRY_SELF, 16);
    }
    if (l->stack_off)
        check_stack(l, r, row);
}

/* Nothing else was written: neither memory nor inputs nor anybody else's. */
static void check_rest(const struct cts_layout *l, uint64_t index)
{
    const uint8_t *header = rig.window + l->region;
    assert_true(get64(header + CTS_WIN_INDEX) == index);
    same_now(header + CTS_WIN_INDEX, 8);
    if (l->out_mask & 2)
        same_now(header + CTS_WIN_SCRATCH, 8);
    assert_memory_equal(rig.window, rig.before, sizeof(rig.window));
}

static void identity(const struct cts_layout *l, uint32_t iterations)
{
    const struct cts_env_segment empty = {.layout = *l};
    fill(l);
    build(&empty, 1);
    run(iterations);
    for (uint32_t r = 0; r < l->rows && r < iterations; r++)
        check_row(l, r);
    check_rest(l, iterations);
}

static void for_every_machine(void (*test)(void))
{
    static const enum cts_window_kind kinds[] = {CTS_WK_ABSOLUTE, CTS_WK_MAP, CTS_WK_ARGUMENT};
    for (size_t k = 0; k < CTS_ARRAY_LEN(kinds); k++) {
        for (int be = 0; be < 2; be++) {
            start(kinds[k], be);
            test();
            stop();
        }
    }
}

/* ---- the identity ---- */

static void shapes(void)
{
    const struct cts_layout layouts[] = {plain(),          with_memory(8), with_memory(64),
                                         with_stack(-512), with_stack(-8), with_stack(-256),
                                         with_record(),    with_memory(56)};
    for (size_t i = 0; i < CTS_ARRAY_LEN(layouts); i++) {
        identity(&layouts[i], 1);
        identity(&layouts[i], layouts[i].rows);
        identity(&layouts[i], 2 * layouts[i].rows + 1);
    }
}

static void test_shapes(void **state)
{
    (void)state;
    for_every_machine(shapes);
}

static void rows_and_strides(void)
{
    for (uint32_t rows = 1; rows <= 64; rows *= 8) {
        for (uint32_t stride = 256; stride <= 512; stride *= 2) {
            struct cts_layout l = with_memory(64);
            l.rows = rows;
            l.stride = stride;
            identity(&l, rows);
        }
    }
}

static void test_rows_and_strides(void **state)
{
    (void)state;
    for_every_machine(rows_and_strides);
}

/* Each register in turn holds each kind of address. */
static void places(void)
{
    static const int32_t adds[] = {0, 8, -16, 1 << 20, INT32_MAX - CTS_ENTRY_MEM, INT32_MIN};
    for (unsigned reg = 0; reg < 10; reg++) {
        for (size_t i = 0; i < CTS_ARRAY_LEN(adds); i++) {
            struct cts_layout l = with_record();
            l.place[reg] = CTS_PL_MEM;
            l.add[reg] = adds[i];
            identity(&l, 2);
            l.place[reg] = CTS_PL_FP;
            identity(&l, 2);
        }
        struct cts_layout l = with_memory(64);
        l.place[reg] = CTS_PL_CTX;
        identity(&l, 2);
        if (reg == 9)
            continue; /* the slot that is lost is the context's */
        l = with_stack(-8);
        l.place[reg] = CTS_PL_CTX;
        identity(&l, 2);
    }
}

static void test_places(void **state)
{
    (void)state;
    for_every_machine(places);
}

static void many_places(void)
{
    struct cts_layout l = with_stack(-512);
    for (unsigned i = 0; i < 10; i++) {
        l.place[i] = i % 3 == 0 ? CTS_PL_MEM : i % 3 == 1 ? CTS_PL_FP : CTS_PL_VALUE;
        l.add[i] = (int32_t)i * 8 - 40;
    }
    l.record = 1;
    identity(&l, 3);
    l.place[1] = l.place[6] = CTS_PL_CTX;
    l.place[2] = CTS_PL_NONE;
    l.out_mask = 0x3ff & ~(1u << 2);
    identity(&l, 3);
}

static void test_many_places(void **state)
{
    (void)state;
    for_every_machine(many_places);
}

/* Registers that may not be read are left as they were in the row. */
static void masks(void)
{
    for (uint16_t mask = 0; mask < 0x400; mask = (uint16_t)(mask * 2 + (mask % 3 == 0))) {
        struct cts_layout l = with_stack(-8);
        l.out_mask = mask;
        identity(&l, 2);
        l.out_mask = (uint16_t)(0x3ff & ~mask);
        identity(&l, 2);
    }
}

static void test_masks(void **state)
{
    (void)state;
    for_every_machine(masks);
}

/* ---- bodies ---- */

struct body {
    uint8_t bytes[64 * CTS_SLOT_BYTES];
    uint32_t slots;
};

static void add(struct body *b, enum cts_insn_id row, unsigned dst, unsigned src, int off, int imm)
{
    struct cts_insn in = {
        .dst = (uint8_t)dst, .src = (uint8_t)src, .off = (int16_t)off, .imm = imm};
    struct cts_err err = {0};
    int n = cts_encode(row, &in, false, b->bytes + (size_t)b->slots * CTS_SLOT_BYTES, &err);
    if (n < 0)
        fail_msg("%s", err.msg);
    b->slots += (uint32_t)n;
}

static struct cts_env_segment segment(const struct body *b, uint32_t body_slots,
                                      const struct cts_layout *l)
{
    return (struct cts_env_segment){
        .code = b->bytes, .slots = b->slots, .body_slots = body_slots, .layout = *l};
}

/* Segment s of n runs rows s, n + s, ...: each adds its own number to its own register. */
static void segments(void)
{
    for (uint32_t n = 1; n <= 8; n++) {
        struct body body[8] = {0};
        struct cts_env_segment seg[8];
        struct cts_layout l = with_stack(-512);
        l.rows = 16;
        l.stride = 2048;
        for (uint32_t s = 0; s < n; s++) {
            l.spill = s % 2 ? -8 : -512;
            add(&body[s], CTS_INSN_ADD64_K, s, 0, 0, (int)s + 1);
            seg[s] = segment(&body[s], 1, &l);
        }
        fill(&l);
        build(seg, n);
        run(16 / n);
        for (uint32_t r = 0; r < 16 / n * n; r++) {
            uint32_t s = r % n;
            uint8_t *out = row_at(&l, r) + CTS_ENTRY_OUT + 8 * (size_t)s;
            assert_true(get64(out) == input(r, s) + s + 1);
            put64(out, input(r, s));
            check_row(&seg[s].layout, r);
        }
        check_rest(&l, 16 / n * n);
    }
}

static void test_segments(void **state)
{
    (void)state;
    for_every_machine(segments);
}

/* The body has all of memory and stack. */
static void body_writes(void)
{
    struct cts_layout l = with_stack(-8);
    struct body b = {0};
    l.place[3] = CTS_PL_MEM;
    l.record = 1;
    add(&b, CTS_INSN_STX_DW, 3, 4, 56, 0);
    add(&b, CTS_INSN_STX_DW, 10, 5, -8, 0);
    add(&b, CTS_INSN_STX_DW, 10, 6, -512, 0);
    const struct cts_env_segment seg = segment(&b, b.slots, &l);
    fill(&l);
    build(&seg, 1);
    run(1);
    uint8_t *row = row_at(&l, 0);
    assert_true(get64(row + CTS_ENTRY_MEM + 56) == input(0, 4));
    same_now(row + CTS_ENTRY_MEM + 56, 8);
    uint8_t *low = row + l.stack_off + CTS_STACK_BYTES;
    assert_true(get64(low) == input(0, 6));
    for (uint32_t i = 0; i < 8; i++)
        low[i] = pattern(0, 1000 + i);
    check_row(&l, 0);
    check_rest(&l, 1);
}

static void test_body_writes(void **state)
{
    (void)state;
    for_every_machine(body_writes);
}

/* A body that is left in its middle reaches the epilogue by a jump to its end. */
static void jump_to_end(void)
{
    struct cts_layout l = plain();
    struct body b = {0};
    add(&b, CTS_INSN_JA, 0, 0, 1, 0);
    add(&b, CTS_INSN_MOV64_K, 3, 0, 0, 7);
    const struct cts_env_segment seg[] = {segment(&b, b.slots, &l), segment(&b, b.slots, &l)};
    fill(&l);
    build(seg, 2);
    run(2);
    for (uint32_t r = 0; r < 4; r++)
        check_row(&l, r);
    check_rest(&l, 4);
}

static void test_jump_to_end(void **state)
{
    (void)state;
    for_every_machine(jump_to_end);
}

/* ---- subprograms ---- */

/* Body: a call of the first function, which calls the second; a call back of the second through its
 * address; a call of a function inside the body. r0 = 1 + number + 10 + 100 + 1000. */
static uint32_t body_with_functions(struct body *b, int number)
{
    enum { INSIDE = 1, BODY = 10 };
    add(b, CTS_INSN_JA, 0, 0, 2, 0);
    add(b, CTS_INSN_MOV64_K, 0, 0, 0, 1000);
    add(b, CTS_INSN_EXIT, 0, 0, 0, 0);
    add(b, CTS_INSN_CALL_LOCAL, 0, 0, 0, INSIDE - 4);
    add(b, CTS_INSN_MOV64_X, 6, 0, 0, 0);
    add(b, CTS_INSN_CALL_LOCAL, 0, 0, 0, BODY + 2 - 6);
    add(b, CTS_INSN_ADD64_X, 6, 0, 0, 0);
    add(b, CTS_INSN_LDDW_CODE, 1, 0, 0, BODY + 6 - 8);
    assert_int_equal(b->slots, 9);
    add(b, CTS_INSN_CALL_HELPER, 0, 0, 0, HELPER_CALL);
    assert_int_equal(b->slots, BODY);
    add(b, CTS_INSN_ADD64_X, 6, 0, 0, 0);
    add(b, CTS_INSN_MOV64_X, 0, 6, 0, 0);
    uint32_t body_slots = b->slots;
    assert_int_equal(body_slots, BODY + 2);
    add(b, CTS_INSN_MOV64_K, 1, 0, 0, number);
    add(b, CTS_INSN_CALL_LOCAL, 0, 0, 0, 2);
    add(b, CTS_INSN_ADD64_K, 0, 0, 0, 10);
    add(b, CTS_INSN_EXIT, 0, 0, 0, 0);
    assert_int_equal(b->slots, BODY + 6);
    add(b, CTS_INSN_MOV64_X, 0, 1, 0, 0);
    add(b, CTS_INSN_EXIT, 0, 0, 0, 0);
    return body_slots;
}

static void subprograms(void)
{
    struct cts_layout l = with_memory(64);
    struct body body[3] = {0}, none = {0};
    struct cts_env_segment seg[4];
    l.out_mask = 0x3c1;
    for (int s = 0; s < 3; s++) {
        uint32_t slots = body_with_functions(&body[s], s + 1);
        seg[s == 2 ? 3 : s] = segment(&body[s], slots, &l);
    }
    seg[2] = segment(&none, 0, &l);
    fill(&l);
    build(seg, 4);
    run(1);
    for (uint32_t r = 0; r < 4; r++) {
        uint8_t *row = row_at(&l, r);
        uint64_t sum = 1000 + (r == 3 ? 3 : r + 1) + 10 + 100;
        if (r != 2) {
            assert_true(get64(row + CTS_ENTRY_OUT) == sum);
            assert_true(get64(row + CTS_ENTRY_OUT + 48) == sum);
            put64(row + CTS_ENTRY_OUT, input(r, 0));
            put64(row + CTS_ENTRY_OUT + 48, input(r, 6));
        }
        check_row(&l, r);
    }
    check_rest(&l, 4);
}

static void test_subprograms(void **state)
{
    (void)state;
    for_every_machine(subprograms);
}

/* A wide instruction in the body does not shift what is counted behind it. */
static void test_wide_in_body(void **state)
{
    struct cts_layout l = plain();
    struct body b = {0};
    struct cts_insn in = {.dst = 3, .imm = 1, .next_imm = 0x85};
    (void)state;
    start(CTS_WK_ABSOLUTE, false);
    assert_int_equal(cts_encode(CTS_INSN_LDDW, &in, false, b.bytes, NULL), 2);
    b.slots = 2;
    add(&b, CTS_INSN_CALL_LOCAL, 0, 0, 0, 0);
    add(&b, CTS_INSN_MOV64_K, 0, 0, 0, 5);
    add(&b, CTS_INSN_EXIT, 0, 0, 0, 0);
    l.out_mask = 0x3c1;
    const struct cts_env_segment seg = segment(&b, 3, &l);
    fill(&l);
    build(&seg, 1);
    run(1);
    assert_true(get64(row_at(&l, 0) + CTS_ENTRY_OUT) == 5);
    put64(row_at(&l, 0) + CTS_ENTRY_OUT, input(0, 0));
    check_row(&l, 0);
    check_rest(&l, 1);
    stop();
}

/* The second slot of a wide instruction is no reference, whatever it looks like. */
static void test_second_slot(void **state)
{
    static const struct cts_insn code[] = {{.opcode = 0x18, .dst = 3},
                                           {.opcode = 0x85, .src = 1, .imm = 100},
                                           {.opcode = 0x85, .src = 1, .imm = 100}};
    struct cts_layout l = plain();
    struct body b = {.slots = 3};
    (void)state;
    start(CTS_WK_ABSOLUTE, false);
    for (size_t i = 0; i < 3; i++)
        cts_slot_put(b.bytes + i * CTS_SLOT_BYTES, false, &code[i]);
    add(&b, CTS_INSN_EXIT, 0, 0, 0, 0);
    const struct cts_env_segment seg = segment(&b, 3, &l);
    build(&seg, 1);
    size_t at = 0;
    while (memcmp(rig.code.data + at, b.bytes, 2 * CTS_SLOT_BYTES) != 0) {
        at += CTS_SLOT_BYTES;
        assert_true(at + 3 * CTS_SLOT_BYTES <= rig.code.len);
    }
    assert_memory_not_equal(rig.code.data + at + 16, b.bytes + 16, CTS_SLOT_BYTES);
    stop();
}

/* ---- the window as an argument ---- */

static int32_t keep(const struct body *b, const struct cts_layout *l)
{
    const struct cts_env_segment seg = segment(b, b->slots, l);
    int32_t slot;
    struct cts_err err = {0};
    int rc = cts_env_keep(&rig.caps, &seg, &slot, &err);
    assert_true(rc == 0 || (rc == CTS_E_LIMIT && err.msg[0] && slot == 0));
    return slot;
}

struct insn {
    enum cts_insn_id row;
    unsigned dst, src;
    int off, imm;
};

static int32_t kept_beside(const struct insn *code, size_t n, int32_t spill)
{
    struct cts_layout l = with_stack(spill);
    struct body b = {0};
    l.place[2] = CTS_PL_FP;
    l.add[2] = -64;
    for (size_t i = 0; i < n; i++)
        add(&b, code[i].row, code[i].dst, code[i].src, code[i].off, code[i].imm);
    return keep(&b, &l);
}

#define KEPT(spill, ...)                                                                           \
    kept_beside((const struct insn[]){__VA_ARGS__},                                                \
                sizeof((const struct insn[]){__VA_ARGS__}) / sizeof(struct insn), spill)

/* The slot is one that the body does not touch, as near to the spill slot as can be. */
static void test_keep(void **state)
{
    const struct insn nop = {CTS_INSN_MOV64_K, 0, 0, 0, 0}, dw = {CTS_INSN_STX_DW, 10, 1, -16, 0};
    const struct insn copy = {CTS_INSN_MOV64_X, 6, 10, 0, 0},
                      down = {CTS_INSN_ADD64_K, 6, 0, 0, -16};
    const struct insn far = {CTS_INSN_ADD64_X, 6, 1, 0, 0}, at6 = {CTS_INSN_LDX_B, 3, 6, 7, 0};
    const struct insn call = {CTS_INSN_CALL_HELPER, 0, 0, 0, 1};
    const struct insn back = {CTS_INSN_JEQ_K, 1, 0, -2, 0};
    const struct insn forth = {CTS_INSN_JEQ_K, 1, 0, 1, -2};
    (void)state;
    start(CTS_WK_ARGUMENT, false);
    assert_int_equal(KEPT(-8, nop), -16);
    assert_int_equal(KEPT(-512, nop), -504);
    assert_int_equal(KEPT(-8, dw), -24);
    assert_int_equal(KEPT(-512, dw), -504);
    assert_int_equal(KEPT(-512, {CTS_INSN_ST_B, 10, 0, -497, 1}), -496);
    assert_int_equal(KEPT(-512, {CTS_INSN_STX_DW, 10, 1, -500, 0}), -488);
    assert_int_equal(KEPT(-512, {CTS_INSN_LDX_W, 1, 10, -504, 0}), -496);
    assert_int_equal(KEPT(-8, {CTS_INSN_ATOMIC64_ADD, 10, 1, -16, 0}), -24);
    /* Copies of r10, and addresses from the row. */
    assert_int_equal(KEPT(-8, copy, down, at6), -24);
    assert_int_equal(KEPT(-8, copy, {CTS_INSN_SUB64_K, 6, 0, 0, -16}, at6), -16);
    assert_int_equal(KEPT(-8, {CTS_INSN_LDX_DW, 3, 2, 48, 0}), -24);
    assert_int_equal(KEPT(-8, copy, {CTS_INSN_MOV64_K, 6, 0, 0, 0}, down, at6), -16);
    /* Not followed: then all of the stack may be the body's. */
    assert_int_equal(KEPT(-8, copy, far), -16);
    assert_int_equal(KEPT(-8, copy, far, at6), 0);
    assert_int_equal(KEPT(-8, {CTS_INSN_ADD64_X, 1, 10, 0, 0}, {CTS_INSN_ST_B, 1, 0, 0, 0}), 0);
    assert_int_equal(KEPT(-8, copy, down, forth, at6), -24);
    assert_int_equal(KEPT(-8, copy, down, back, at6), 0);
    /* What a function is given, it may use up to the top; results are no addresses. */
    assert_int_equal(KEPT(-8, call), -72);
    assert_int_equal(KEPT(-512, call), -504);
    assert_int_equal(KEPT(-8, call, {CTS_INSN_MOV64_X, 3, 2, 0, 0}, {CTS_INSN_ST_B, 3, 0, -16, 0}),
                     -72);
    rig.caps.window_kind = CTS_WK_MAP;
    assert_int_equal(KEPT(-8, dw), 0);
    stop();
}

/* A body that has everything but two slots, another that has the others: each keeps its own. */
static void test_keep_in_segments(void **state)
{
    struct cts_layout l[2] = {with_stack(-8), with_stack(-512)};
    struct body b[2] = {0};
    (void)state;
    start(CTS_WK_ARGUMENT, false);
    add(&b[0], CTS_INSN_STX_DW, 10, 3, -16, 0);
    add(&b[0], CTS_INSN_STX_DW, 10, 4, -504, 0);
    add(&b[1], CTS_INSN_STX_DW, 10, 5, -24, 0);
    add(&b[1], CTS_INSN_STX_DW, 10, 6, -504, 0);
    const struct cts_env_segment seg[] = {segment(&b[0], 2, &l[0]), segment(&b[1], 2, &l[1])};
    assert_int_equal(keep(&b[0], &l[0]), -24);
    assert_int_equal(keep(&b[1], &l[1]), -496);
    fill(&l[0]);
    build(seg, 2);
    run(2);
    for (uint32_t r = 0; r < 4; r++) {
        const uint8_t *top = row_at(&l[0], r) + l[0].stack_off + 2 * CTS_STACK_BYTES;
        assert_true(get64(top - (r % 2 ? 24 : 16)) == input(r, r % 2 ? 5 : 3));
        assert_true(get64(top - 504) == input(r, r % 2 ? 6 : 4));
        for (unsigned i = 0; i < 10; i++)
            assert_true(get64(row_at(&l[0], r) + CTS_ENTRY_OUT + 8 * i) == input(r, i));
    }
    stop();
}

/* A body that leaves no slot cannot be run. */
static void test_nothing_to_keep_in(void **state)
{
    struct cts_layout l = with_stack(-8);
    struct body b = {0};
    struct cts_err err = {0};
    (void)state;
    l.place[2] = CTS_PL_FP;
    add(&b, CTS_INSN_ADD64_X, 2, 3, 0, 0);
    add(&b, CTS_INSN_STX_DW, 2, 3, 0, 0);
    const struct cts_env_segment seg = segment(&b, b.slots, &l);
    start(CTS_WK_ARGUMENT, false);
    assert_int_equal(cts_env_build(&rig.caps, &seg, 1, &rig.code, &err), CTS_E_LIMIT);
    assert_non_null(strstr(err.msg, "no slot left"));
    assert_int_equal(rig.code.len, 0);
    stop();
    start(CTS_WK_ABSOLUTE, false);
    build(&seg, 1);
    stop();
}

/* ---- what is refused, and what is not touched ---- */

static void test_limit(void **state)
{
    struct cts_layout l = plain();
    struct cts_err err = {0};
    const struct cts_env_segment seg[] = {{.layout = l}, {.layout = l}};
    (void)state;
    start(CTS_WK_ABSOLUTE, false);
    build(seg, 2);
    uint32_t slots = (uint32_t)(rig.code.len / CTS_SLOT_BYTES);
    rig.caps.max_slots = slots;
    build(seg, 2);
    rig.caps.max_slots = slots - 1;
    assert_int_equal(cts_env_build(&rig.caps, seg, 2, &rig.code, &err), CTS_E_LIMIT);
    assert_non_null(strstr(err.msg, "rig takes at most"));
    rig.code.len = 0;
    build(seg, 1);
    stop();
}

static void test_memory_ends(void **state)
{
    const struct cts_env_segment seg = {.layout = plain()};
    struct cts_buf small;
    struct cts_err err = {0};
    (void)state;
    start(CTS_WK_ABSOLUTE, false);
    cts_buf_init(&small, 64);
    assert_int_equal(cts_env_build(&rig.caps, &seg, 1, &small, &err), CTS_E_NOMEM);
    cts_buf_release(&small);
    stop();
}

static void test_counts(void **state)
{
    struct cts_env_segment seg[17];
    struct cts_err err = {0};
    (void)state;
    for (size_t i = 0; i < CTS_ARRAY_LEN(seg); i++)
        seg[i] = (struct cts_env_segment){.layout = plain()};
    start(CTS_WK_ABSOLUTE, false);
    assert_int_equal(cts_env_build(&rig.caps, seg, 0, &rig.code, &err), CTS_E_INVAL);
    cts_err_clear(&err);
    assert_int_equal(cts_env_build(&rig.caps, seg, 17, &rig.code, &err), CTS_E_INVAL);
    assert_int_equal(rig.code.len, 0);
    build(seg, 16);
    rig.caps.window_kind = CTS_WK_NONE;
    cts_err_clear(&err);
    assert_int_equal(cts_env_build(&rig.caps, seg, 1, &rig.code, &err), CTS_E_UNSUPPORTED);
    rig.caps.window_kind = CTS_WK_NATIVE;
    cts_err_clear(&err);
    assert_int_equal(cts_env_build(&rig.caps, seg, 2, &rig.code, &err), CTS_E_INVAL);
    stop();
}

/* A native window takes the body and its subprograms as they are. */
static void test_native(void **state)
{
    struct cts_layout l = plain();
    struct body b = {0};
    (void)state;
    uint32_t body_slots = body_with_functions(&b, 3);
    const struct cts_env_segment seg = segment(&b, body_slots, &l);
    start(CTS_WK_NATIVE, false);
    build(&seg, 1);
    assert_int_equal(rig.code.len, b.slots * CTS_SLOT_BYTES);
    assert_memory_equal(rig.code.data, b.bytes, rig.code.len);
    rig.caps.be = true;
    build(&seg, 1);
    cts_slots_swap_order(b.bytes, b.slots);
    assert_memory_equal(rig.code.data, b.bytes, rig.code.len);
    stop();
}

/* Programs stand behind one another in one buffer. */
static void test_append(void **state)
{
    const struct cts_env_segment seg = {.layout = with_stack(-8)};
    uint8_t once[MOST_SLOTS * CTS_SLOT_BYTES];
    (void)state;
    for (int be = 0; be < 2; be++) {
        start(CTS_WK_MAP, be);
        build(&seg, 1);
        size_t n = rig.code.len;
        memcpy(once, rig.code.data, n);
        assert_int_equal(cts_env_build(&rig.caps, &seg, 1, &rig.code, NULL), 0);
        assert_int_equal(rig.code.len, 2 * n);
        assert_memory_equal(rig.code.data, once, n);
        assert_memory_equal((const uint8_t *)rig.code.data + n, once, n);
        stop();
    }
}

/* ---- the rows it is made of ---- */

static bool has_row(const uint16_t *ids, uint32_t n, enum cts_insn_id row)
{
    for (uint32_t i = 0; i < n; i++)
        if (ids[i] == row)
            return true;
    return false;
}

/* Exactly those of the program. */
static void check_rows_of(const struct cts_layout *l)
{
    const struct cts_env_segment empty = {.layout = *l};
    uint16_t ids[64];
    bool used[CTS_INSN_COUNT] = {0};
    uint32_t distinct = 0, n = cts_env_rows(&rig.caps, l, ids, 64);
    build(&empty, 1);
    for (size_t at = 0; at < rig.code.len;) {
        struct cts_insn in;
        enum cts_insn_id row;
        int slots = cts_decode((const uint8_t *)rig.code.data + at,
                               (rig.code.len - at) / CTS_SLOT_BYTES, rig.caps.be, &in, &row, NULL);
        assert_true(slots > 0);
        distinct += !used[row];
        used[row] = true;
        assert_true(has_row(ids, n, row));
        at += (size_t)slots * CTS_SLOT_BYTES;
    }
    assert_int_equal(n, distinct);
}

static void rows_of_shapes(void)
{
    const struct cts_layout layouts[] = {plain(), with_memory(64), with_stack(-8), with_record()};
    for (size_t i = 0; i < CTS_ARRAY_LEN(layouts); i++)
        check_rows_of(&layouts[i]);
}

static void test_rows(void **state)
{
    static const enum cts_insn_id always[] = {CTS_INSN_LDX_DW,  CTS_INSN_STX_DW,  CTS_INSN_MOV64_X,
                                              CTS_INSN_MOV64_K, CTS_INSN_ADD64_K, CTS_INSN_ADD64_X,
                                              CTS_INSN_AND64_K, CTS_INSN_LSH64_K, CTS_INSN_EXIT};
    struct cts_layout l = plain();
    uint16_t ids[64];
    (void)state;
    for_every_machine(rows_of_shapes);
    start(CTS_WK_ABSOLUTE, false);
    uint32_t n = cts_env_rows(&rig.caps, &l, ids, 64);
    for (size_t i = 0; i < CTS_ARRAY_LEN(always); i++)
        assert_true(has_row(ids, n, always[i]));
    assert_true(has_row(ids, n, CTS_INSN_LDDW));
    assert_false(has_row(ids, n, CTS_INSN_LDDW_MAP_FD_VALUE));
    assert_int_equal(cts_env_rows(&rig.caps, &l, ids, 3), 3);
    rig.caps.window_kind = CTS_WK_MAP;
    n = cts_env_rows(&rig.caps, &l, ids, 64);
    assert_true(has_row(ids, n, CTS_INSN_LDDW_MAP_FD_VALUE));
    assert_false(has_row(ids, n, CTS_INSN_LDDW));
    rig.caps.window_kind = CTS_WK_ARGUMENT;
    n = cts_env_rows(&rig.caps, &l, ids, 64);
    assert_false(has_row(ids, n, CTS_INSN_LDDW));
    rig.caps.window_kind = CTS_WK_NATIVE;
    assert_int_equal(cts_env_rows(&rig.caps, &l, ids, 64), 0);
    rig.caps.window_kind = CTS_WK_NONE;
    assert_int_equal(cts_env_rows(&rig.caps, &l, ids, 64), 0);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_rows_and_strides),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_many_places),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_body_writes),
        cmocka_unit_test(test_jump_to_end),
        cmocka_unit_test(test_subprograms),
        cmocka_unit_test(test_wide_in_body),
        cmocka_unit_test(test_second_slot),
        cmocka_unit_test(test_keep),
        cmocka_unit_test(test_keep_in_segments),
        cmocka_unit_test(test_nothing_to_keep_in),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_memory_ends),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_native),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
