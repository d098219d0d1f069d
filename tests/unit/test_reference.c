/* uses: base isa wire reference */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/bytes.h"
#include "reference.h"

enum { SLOTS_MAX = 64, STRIDE = 2048, ROWS = 8, REGION = 128, MEM_BYTES = 64 };

#define U64(x) UINT64_C(x)

struct line {
    enum cts_insn_id row;
    struct cts_insn in;
};

/* An open machine and one program for it. */
struct rig {
    void *self, *prog;
    struct cts_caps caps;
    struct cts_err err;
    struct cts_layout layout;
    struct cts_load_req req;
    struct cts_load_res loaded;
    struct cts_run_res ran;
    uint8_t code[SLOTS_MAX * CTS_SLOT_BYTES];
    uint32_t slots;
};

static void rig_open(struct rig *r, const char *engine)
{
    memset(r, 0, sizeof(*r));
    int number = cts_worker_engine(&cts_reference_adapter, engine, &r->err);
    assert_true(number >= 0);
    assert_int_equal(cts_reference_adapter.probe(&r->self, (unsigned)number, &r->caps, &r->err), 0);
    r->layout = (struct cts_layout){.region = REGION,
                                    .rows = ROWS,
                                    .stride = STRIDE,
                                    .mem_bytes = MEM_BYTES,
                                    .out_mask = 0x3ff};
    r->req = (struct cts_load_req){.kind = CTS_PROG_WINDOW, .layout = &r->layout, .segments = 1};
}

static void rig_close(struct rig *r)
{
    if (r->prog)
        cts_reference_adapter.unload(r->self, r->prog);
    cts_reference_adapter.release(r->self);
}

static void set_code(struct rig *r, const struct line *line, size_t n)
{
    r->slots = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t bytes[16];
        int slots = cts_encode(line[i].row, &line[i].in, r->caps.be, bytes, NULL);
        assert_true(slots > 0);
        memcpy(r->code + (size_t)r->slots * CTS_SLOT_BYTES, bytes, (size_t)slots * CTS_SLOT_BYTES);
        r->slots += (uint32_t)slots;
    }
}

/* body_slots 0: all of it is the body. */
static int load_code(struct rig *r, uint32_t body_slots)
{
    if (r->prog)
        cts_reference_adapter.unload(r->self, r->prog);
    r->req.code = r->code;
    r->req.slots = r->slots;
    r->layout.body_slots = body_slots ? body_slots : r->slots;
    cts_reference_adapter.load(r->self, &r->req, &r->prog, &r->loaded);
    assert_int_equal(r->prog != NULL, r->loaded.verdict == CTS_LOAD_ACCEPTED);
    assert_int_equal(r->loaded.text[0] == '\0', r->loaded.verdict == CTS_LOAD_ACCEPTED);
    return r->loaded.verdict;
}

#define LOAD(r, body_slots, ...)                                                                   \
    (set_code((r), (const struct line[]){__VA_ARGS__},                                             \
              sizeof((const struct line[]){__VA_ARGS__}) / sizeof(struct line)),                   \
     load_code((r), (body_slots)))

static void run(struct rig *r, uint32_t first_row, uint32_t iterations)
{
    const struct cts_run_req req = {.first_row = first_row, .iterations = iterations};
    cts_reference_adapter.run(r->self, r->prog, &req, &r->ran);
}

/* All of one row. */
static void run_in_threads(struct rig *r, uint32_t threads, uint32_t iterations)
{
    const struct cts_run_req req = {.iterations = iterations, .threads = threads};
    cts_reference_adapter.run(r->self, r->prog, &req, &r->ran);
}

static uint8_t *row_at(struct rig *r, uint32_t i)
{
    return (uint8_t *)r->caps.window + REGION + CTS_WIN_HEADER + (size_t)i * STRIDE;
}

static uint64_t get64(const struct rig *r, const uint8_t *at)
{
    return r->caps.be ? cts_get64be(at) : cts_get64le(at);
}

static void put64(const struct rig *r, uint8_t *at, uint64_t v)
{
    if (r->caps.be)
        cts_put64be(at, v);
    else
        cts_put64le(at, v);
}

static void set_in(struct rig *r, uint32_t row, unsigned reg, uint64_t v)
{
    put64(r, row_at(r, row) + CTS_ENTRY_IN + 8 * reg, v);
}

static uint64_t out(struct rig *r, uint32_t row, unsigned reg)
{
    return get64(r, row_at(r, row) + CTS_ENTRY_OUT + 8 * reg);
}

static uint64_t end_of(struct rig *r, uint32_t row)
{
    return get64(r, row_at(r, row) + CTS_ENTRY_END);
}

/* Threads take turns between instructions, not inside of one: an atomic addition loses nothing, a
 * load, an addition and a store do. */
static void test_threads(void **state)
{
    enum { THREADS = 3, TIMES = 500 };
    struct rig r;
    (void)state;
    rig_open(&r, "interp");
    assert_true(r.caps.features & CTS_FEAT_THREADS);
    r.layout.rows = 1;
    r.layout.place[1] = CTS_PL_MEM;
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_ATOMIC64_ADD, {.dst = 1, .src = 2}}), CTS_LOAD_ACCEPTED);
    set_in(&r, 0, 2, 1);
    run_in_threads(&r, THREADS, TIMES);
    assert_int_equal(r.ran.status, CTS_RUN_COMPLETED);
    assert_int_equal(r.ran.done, TIMES);
    assert_int_equal(get64(&r, row_at(&r, 0) + CTS_ENTRY_MEM), THREADS * TIMES);
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_LDX_DW, {.dst = 3, .src = 1}},
                          {CTS_INSN_ADD64_X, {.dst = 3, .src = 2}},
                          {CTS_INSN_STX_DW, {.dst = 1, .src = 3}}),
                     CTS_LOAD_ACCEPTED);
    put64(&r, row_at(&r, 0) + CTS_ENTRY_MEM, 0);
    run_in_threads(&r, THREADS, TIMES);
    assert_int_equal(r.ran.done, TIMES);
    uint64_t count = get64(&r, row_at(&r, 0) + CTS_ENTRY_MEM);
    assert_true(count >= TIMES && count < THREADS * TIMES);
    /* A fault in one of them ends all. */
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_LDX_DW, {.dst = 3, .src = 2}}), CTS_LOAD_ACCEPTED);
    run_in_threads(&r, THREADS, TIMES);
    assert_int_equal(r.ran.status, CTS_RUN_FAULTED);
    assert_int_equal(r.ran.done, 0);
    rig_close(&r);
}

static void test_probe(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "");
    assert_false(r.caps.be);
    assert_int_equal(r.caps.window_kind, CTS_WK_NATIVE);
    assert_int_equal(r.caps.r0_bits, 64);
    assert_true(r.caps.max_slots >= 65536);
    assert_true(r.caps.window_fd >= 0);
    rig_close(&r);
    rig_open(&r, "interp-be");
    assert_true(r.caps.be);
    rig_close(&r);
}

static void check_rows(const char *engine)
{
    struct rig r;
    rig_open(&r, engine);
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_ADD64_X, {.dst = 3, .src = 7}}), CTS_LOAD_ACCEPTED);
    for (uint32_t i = 0; i < ROWS; i++)
        for (unsigned reg = 0; reg < 10; reg++)
            set_in(&r, i, reg, U64(0x100) * i + reg);
    run(&r, 2, 4);
    assert_int_equal(r.ran.status, CTS_RUN_COMPLETED);
    assert_int_equal(r.ran.done, 4);
    for (uint32_t i = 0; i < ROWS; i++) {
        bool mine = i >= 2 && i < 6;
        assert_int_equal(end_of(&r, i), mine ? CTS_ENDED_FELL_THROUGH : CTS_ENDED_UNKNOWN);
        for (unsigned reg = 0; reg < 10; reg++)
            assert_int_equal(out(&r, i, reg),
                             !mine ? 0
                                   : U64(0x100) * i + reg + (reg == 3 ? U64(0x100) * i + 7 : 0));
    }
    rig_close(&r);
}

static void test_rows(void **state)
{
    (void)state;
    check_rows("interp");
    check_rows("interp-be");
}

static void test_out_mask_and_record(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "interp");
    r.layout.out_mask = 1 << 4;
    r.layout.record = 1;
    r.layout.place[1] = CTS_PL_MEM;
    r.layout.add[1] = 8;
    r.layout.place[2] = CTS_PL_FP;
    r.layout.add[2] = -16;
    r.layout.place[5] = CTS_PL_NONE;
    memset(row_at(&r, 1), 0x77, CTS_ENTRY_MEM + MEM_BYTES + 8);
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_MOV64_K, {.dst = 4, .imm = -1}},
                          {CTS_INSN_STX_DW, {.dst = 1, .src = 2}},
                          {CTS_INSN_STX_DW, {.dst = 1, .src = 1, .off = 8}},
                          {CTS_INSN_STX_DW, {.dst = 1, .src = 5, .off = 16}}),
                     CTS_LOAD_ACCEPTED);
    run(&r, 1, 1);
    assert_int_equal(r.ran.status, CTS_RUN_COMPLETED);
    assert_int_equal(out(&r, 1, 4), UINT64_MAX);
    assert_int_equal(out(&r, 1, 3), U64(0x7777777777777777));
    assert_int_equal(out(&r, 1, 0), U64(0x7777777777777777));
    uint8_t *row = row_at(&r, 1);
    uint64_t self = get64(&r, row + CTS_ENTRY_SELF), fp = get64(&r, row + CTS_ENTRY_FP);
    assert_int_equal(get64(&r, row + CTS_ENTRY_MEM), U64(0x7777777777777777));
    assert_int_equal(get64(&r, row + CTS_ENTRY_MEM + 8), fp - 16);
    assert_int_equal(get64(&r, row + CTS_ENTRY_MEM + 16), self + CTS_ENTRY_MEM + 8);
    assert_int_equal(get64(&r, row + CTS_ENTRY_MEM + 24), cts_mach_unspecified(5));
    assert_int_equal(get64(&r, row + CTS_ENTRY_MEM + MEM_BYTES), U64(0x7777777777777777));
    rig_close(&r);
}

static void test_memory_is_exactly_that_long(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "interp");
    r.layout.place[1] = CTS_PL_MEM;
    for (int16_t off = MEM_BYTES - 9; off <= MEM_BYTES - 7; off++) {
        assert_int_equal(LOAD(&r, 0, {CTS_INSN_ST_DW, {.dst = 1, .off = off}}), CTS_LOAD_ACCEPTED);
        run(&r, 0, 1);
        assert_int_equal(r.ran.status, off <= MEM_BYTES - 8 ? CTS_RUN_COMPLETED : CTS_RUN_FAULTED);
    }
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_LDX_B, {.dst = 0, .src = 1, .off = -1}}),
                     CTS_LOAD_ACCEPTED);
    run(&r, 0, 1);
    assert_int_equal(r.ran.status, CTS_RUN_FAULTED);
    rig_close(&r);
}

static void test_stack(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "interp");
    r.layout.stack_off = CTS_ENTRY_MEM + MEM_BYTES;
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_LDX_B, {.dst = 0, .src = 10, .off = -512}},
                          {CTS_INSN_LDX_B, {.dst = 1, .src = 10, .off = -1}},
                          {CTS_INSN_ST_B, {.dst = 10, .off = -512, .imm = 0x55}},
                          {CTS_INSN_ST_B, {.dst = 10, .off = -1, .imm = 0x66}}),
                     CTS_LOAD_ACCEPTED);
    uint8_t *in = row_at(&r, 0) + r.layout.stack_off, *after = in + CTS_STACK_BYTES;
    for (unsigned i = 0; i < CTS_STACK_BYTES; i++)
        in[i] = (uint8_t)(i * 7 + 1);
    run(&r, 0, 1);
    assert_int_equal(r.ran.status, CTS_RUN_COMPLETED);
    assert_int_equal(out(&r, 0, 0), in[0]);
    assert_int_equal(out(&r, 0, 1), in[511]);
    assert_int_equal(after[0], 0x55);
    assert_int_equal(after[511], 0x66);
    assert_memory_equal(after + 1, in + 1, 510);
    rig_close(&r);
}

static void test_ends(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "interp");
    r.layout.out_mask = 0;
    /* Row 0 exits, row 1 falls through, row 2 faults. */
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_JEQ_K, {.dst = 1, .off = 2, .imm = 1}},
                          {CTS_INSN_JEQ_K, {.dst = 1, .off = 2, .imm = 2}},
                          {CTS_INSN_EXIT, {.imm = 0}}, {CTS_INSN_JA, {.off = 1}},
                          {CTS_INSN_LDX_B, {.dst = 0, .src = 1}}),
                     CTS_LOAD_ACCEPTED);
    for (uint32_t i = 0; i < 3; i++) {
        set_in(&r, i, 1, i);
        set_in(&r, i, 0, 40 + i);
    }
    run(&r, 0, 4);
    assert_int_equal(r.ran.status, CTS_RUN_FAULTED);
    assert_int_equal(r.ran.done, 2);
    assert_non_null(strstr(r.ran.text, "memory fault: slot 4: load of 1 bytes at 0x2"));
    assert_int_equal(end_of(&r, 0), CTS_ENDED_EXITED);
    assert_int_equal(out(&r, 0, 0), 40);
    assert_int_equal(end_of(&r, 1), CTS_ENDED_FELL_THROUGH);
    assert_int_equal(out(&r, 1, 0), 0);
    assert_int_equal(end_of(&r, 2), CTS_ENDED_UNKNOWN);
    rig_close(&r);
}

static void test_body_and_functions(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "interp");
    assert_int_equal(LOAD(&r, 2, {CTS_INSN_CALL_LOCAL, {.imm = 1}},
                          {CTS_INSN_ADD64_K, {.dst = 0, .imm = 1}},
                          {CTS_INSN_MOV64_K, {.dst = 0, .imm = 7}}, {CTS_INSN_EXIT, {.imm = 0}}),
                     CTS_LOAD_ACCEPTED);
    run(&r, 0, 1);
    assert_int_equal(end_of(&r, 0), CTS_ENDED_FELL_THROUGH);
    assert_int_equal(out(&r, 0, 0), 8);
    assert_int_equal(out(&r, 0, 1), cts_mach_unspecified(1));
    /* The last function has to end. */
    assert_int_equal(LOAD(&r, 1, {CTS_INSN_CALL_LOCAL, {.imm = 0}}, {CTS_INSN_MOV64_K, {.dst = 0}}),
                     CTS_LOAD_REJECTED);
    /* An empty body changes nothing. */
    r.slots = 0;
    assert_int_equal(load_code(&r, 0), CTS_LOAD_ACCEPTED);
    set_in(&r, 3, 9, 99);
    run(&r, 3, 1);
    assert_int_equal(out(&r, 3, 9), 99);
    assert_int_equal(end_of(&r, 3), CTS_ENDED_FELL_THROUGH);
    rig_close(&r);
}

static void test_verdicts(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "interp");
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_JA, {.off = 2}}, {CTS_INSN_EXIT, {.imm = 0}}),
                     CTS_LOAD_REJECTED);
    assert_non_null(strstr(r.loaded.text, "slot 0"));
    r.slots = 1;
    memset(r.code, 0xff, CTS_SLOT_BYTES);
    assert_int_equal(load_code(&r, 0), CTS_LOAD_REJECTED);
    assert_non_null(strstr(r.loaded.text, "0xff"));
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_DIV64_K, {.dst = 1}}), CTS_LOAD_ACCEPTED);
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_MOV64_K, {.dst = 10}}), CTS_LOAD_ACCEPTED);
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_CALL_HELPER, {.imm = 99999}}), CTS_LOAD_ACCEPTED);
    run(&r, 0, 1);
    assert_int_equal(r.ran.status, CTS_RUN_FAULTED);
    rig_close(&r);
}

/* The harness is trusted with nothing that could reach beyond the window. */
static void test_hostile_layouts(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "interp");
    const struct cts_layout good = r.layout;
    const struct cts_layout bad[] = {
        {.region = r.caps.window_bytes - STRIDE, .rows = 1, .stride = STRIDE},
        {.region = UINT32_MAX, .rows = 1, .stride = STRIDE},
        {.rows = 0, .stride = STRIDE},
        {.rows = 3, .stride = STRIDE},
        {.rows = 1, .stride = 0},
        {.rows = 1, .stride = 128},
        {.rows = 1u << 31, .stride = 1u << 31},
        {.rows = 1, .stride = STRIDE, .mem_bytes = STRIDE},
        {.rows = 1, .stride = STRIDE, .mem_bytes = UINT32_MAX},
        {.rows = 1, .stride = STRIDE, .mem_bytes = 64, .stack_off = 64},
        {.rows = 1, .stride = STRIDE, .stack_off = STRIDE - 1000},
        {.rows = 1, .stride = STRIDE, .stack_off = UINT32_MAX},
    };
    for (size_t i = 0; i < CTS_ARRAY_LEN(bad); i++) {
        r.layout = bad[i];
        assert_int_equal(LOAD(&r, 0, {CTS_INSN_EXIT, {.imm = 0}}), CTS_LOAD_ERROR);
    }
    r.layout = good;
    assert_int_equal(LOAD(&r, 2, {CTS_INSN_EXIT, {.imm = 0}}), CTS_LOAD_ERROR);
    r.req.segments = 2;
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_EXIT, {.imm = 0}}), CTS_LOAD_ERROR);
    r.req.segments = 1;
    memset(r.layout.place, 0xee, sizeof(r.layout.place));
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_MOV64_K, {.dst = 0, .imm = 1}}), CTS_LOAD_ACCEPTED);
    run(&r, UINT32_MAX, 3);
    assert_int_equal(r.ran.done, 3);
    assert_int_equal(out(&r, ROWS - 1, 0), 1);
    assert_int_equal(out(&r, 0, 9), cts_mach_unspecified(9));
    rig_close(&r);
}

static void test_whole_programs(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "interp");
    r.req.kind = CTS_PROG_WHOLE;
    r.req.layout = NULL;
    r.req.segments = 0;
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_LDDW, {.dst = 0, .imm = -1, .next_imm = 1}},
                          {CTS_INSN_LDX_DW, {.dst = 2, .src = 1, .off = 56}},
                          {CTS_INSN_ADD64_X, {.dst = 0, .src = 2}}, {CTS_INSN_EXIT, {.imm = 0}}),
                     CTS_LOAD_ACCEPTED);
    run(&r, 0, 2);
    assert_int_equal(r.ran.status, CTS_RUN_COMPLETED);
    assert_int_equal(r.ran.done, 2);
    assert_int_equal(r.ran.r0, U64(0x1ffffffff));
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_ST_B, {.dst = 1}}, {CTS_INSN_EXIT, {.imm = 0}}),
                     CTS_LOAD_ACCEPTED);
    run(&r, 0, 1);
    assert_int_equal(r.ran.status, CTS_RUN_FAULTED);
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_MOV64_K, {.dst = 0}}), CTS_LOAD_REJECTED);
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_JA, {.off = -1}}), CTS_LOAD_ACCEPTED);
    run(&r, 0, 1);
    assert_int_equal(r.ran.status, CTS_RUN_FAULTED);
    assert_non_null(strstr(r.ran.text, "budget"));
    r.slots = 0;
    assert_int_equal(load_code(&r, 0), CTS_LOAD_REJECTED);
    rig_close(&r);
}

static void test_maps(void **state)
{
    (void)state;
    static const uint8_t data[32] = {1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3};
    const struct cts_map_def map = {.value_bytes = 8, .entries = 4, .data = data};
    struct rig r;
    rig_open(&r, "interp");
    r.req.maps = &map;
    r.req.map_count = 1;
    put64(&r, row_at(&r, 0) + CTS_ENTRY_MEM + 8, 88);
    put64(&r, row_at(&r, 1) + CTS_ENTRY_MEM + 8, 99);
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_LDDW_MAP_FD_VALUE, {.dst = 6, .imm = 1, .next_imm = 8}},
                          {CTS_INSN_LDX_DW, {.dst = 3, .src = 6}},
                          {CTS_INSN_ST_DW, {.dst = 6, .imm = 5}}, /* gone at the next run */
                          {CTS_INSN_LDDW_MAP_IDX_VALUE, {.dst = 7, .imm = 0, .next_imm = 8}},
                          {CTS_INSN_LDX_DW, {.dst = 4, .src = 7}},
                          {CTS_INSN_LDDW_MAP_FD, {.dst = 8, .imm = 1}},
                          {CTS_INSN_LDDW_MAP_IDX, {.dst = 9, .imm = 1}}),
                     CTS_LOAD_ACCEPTED);
    for (int k = 0; k < 2; k++) {
        run(&r, (uint32_t)k, 1);
        assert_int_equal(r.ran.status, CTS_RUN_COMPLETED);
        assert_int_equal(out(&r, (uint32_t)k, 3), 2);
        assert_int_equal(out(&r, (uint32_t)k, 4), k ? 99 : 88);
        assert_int_equal(out(&r, (uint32_t)k, 8), out(&r, (uint32_t)k, 9));
    }
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_LDDW_MAP_FD, {.dst = 1, .imm = 2}}), CTS_LOAD_REJECTED);
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_LDDW_MAP_IDX_VALUE, {.dst = 1, .imm = -1}}),
                     CTS_LOAD_REJECTED);
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_LDDW_MAP_FD, {.dst = 1, .imm = 1}},
                          {CTS_INSN_LDX_B, {.dst = 1, .src = 1}}),
                     CTS_LOAD_ACCEPTED);
    run(&r, 0, 1);
    assert_int_equal(r.ran.status, CTS_RUN_FAULTED); /* a map's address is a handle */
    rig_close(&r);
}

static void test_map_lookup(void **state)
{
    (void)state;
    static const uint8_t data[32] = {[24] = 9};
    const struct cts_map_def map = {.value_bytes = 8, .entries = 4, .data = data};
    struct rig r;
    rig_open(&r, "interp-be");
    r.req.maps = &map;
    r.req.map_count = 1;
    assert_int_equal(
        LOAD(&r, 0, {CTS_INSN_STX_W, {.dst = 10, .src = 6, .off = -4}},
             {CTS_INSN_LDDW_MAP_FD, {.dst = 1, .imm = 1}},
             {CTS_INSN_MOV64_X, {.dst = 2, .src = 10}}, {CTS_INSN_ADD64_K, {.dst = 2, .imm = -4}},
             {CTS_INSN_CALL_HELPER, {.imm = 1}}, {CTS_INSN_JEQ_K, {.dst = 0, .off = 1, .imm = 0}},
             {CTS_INSN_LDX_DW, {.dst = 0, .src = 0}}),
        CTS_LOAD_ACCEPTED);
    set_in(&r, 0, 6, 3);
    set_in(&r, 1, 6, 4);
    run(&r, 0, 2);
    assert_int_equal(r.ran.status, CTS_RUN_COMPLETED);
    assert_int_equal(out(&r, 0, 0), U64(0x0900000000000000));
    assert_int_equal(out(&r, 1, 0), 0);
    rig_close(&r);
}

static void test_names(void **state)
{
    (void)state;
    static const char *const names[] = {"cts_test_var", "bpf_rcu_read_lock", "cts_test_sum",
                                        "bpf_prog_active"};
    struct rig r;
    rig_open(&r, "interp");
    r.req.names = names;
    r.req.name_count = 4;
    assert_int_equal(
        LOAD(&r, 0, {CTS_INSN_LDDW_VAR, {.dst = 6, .imm = 0}},
             {CTS_INSN_LDX_DW, {.dst = 6, .src = 6}}, {CTS_INSN_CALL_BTF, {.imm = 1}},
             {CTS_INSN_MOV64_K, {.dst = 1, .imm = 1}}, {CTS_INSN_MOV64_K, {.dst = 2, .imm = 1}},
             {CTS_INSN_MOV64_K, {.dst = 3, .imm = 1}}, {CTS_INSN_MOV64_K, {.dst = 4, .imm = 0}},
             {CTS_INSN_MOV64_K, {.dst = 5, .imm = 1}}, {CTS_INSN_CALL_BTF, {.imm = 2}}),
        CTS_LOAD_ACCEPTED);
    run(&r, 0, 1);
    assert_int_equal(r.ran.status, CTS_RUN_COMPLETED);
    assert_int_equal(out(&r, 0, 6), U64(0x1122334455667788));
    assert_int_equal(out(&r, 0, 0), 1 + 2 + 4 + 16);
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_LDDW_VAR, {.imm = 3}}), CTS_LOAD_REJECTED);
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_LDDW_VAR, {.imm = 1}}), CTS_LOAD_REJECTED);
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_CALL_BTF, {.imm = 0}}), CTS_LOAD_REJECTED);
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_CALL_BTF, {.imm = 4}}), CTS_LOAD_REJECTED);
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_CALL_BTF, {.imm = -1}}), CTS_LOAD_REJECTED);
    rig_close(&r);
}

static void test_loop_helper(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "interp");
    r.layout.place[1] = CTS_PL_MEM;
    static const struct {
        uint64_t times, stop_at, flags, want, sum;
    } facts[] = {{5, 100, 0, 5, 10},
                 {5, 2, 0, 3, 3},
                 {0, 100, 0, 0, 0},
                 {5, 100, 1, UINT64_MAX - 21, 0},
                 {(1 << 23) + 1, 100, 0, UINT64_MAX - 6, 0}};
    /* The callback adds its index to the u64 at ctx and stops at the index at ctx + 8. */
    assert_int_equal(
        LOAD(&r, 6, {CTS_INSN_MOV64_X, {.dst = 3, .src = 1}},
             {CTS_INSN_MOV64_X, {.dst = 1, .src = 8}}, {CTS_INSN_LDDW_CODE, {.dst = 2, .imm = 3}},
             {CTS_INSN_MOV64_X, {.dst = 4, .src = 9}}, {CTS_INSN_CALL_HELPER, {.imm = 181}},
             {CTS_INSN_ATOMIC64_ADD, {.dst = 2, .src = 1}},
             {CTS_INSN_LDX_DW, {.dst = 3, .src = 2, .off = 8}},
             {CTS_INSN_MOV64_K, {.dst = 0, .imm = 1}},
             {CTS_INSN_JEQ_X, {.dst = 1, .src = 3, .off = 1}},
             {CTS_INSN_MOV64_K, {.dst = 0, .imm = 0}}, {CTS_INSN_EXIT, {.imm = 0}}),
        CTS_LOAD_ACCEPTED);
    for (uint32_t i = 0; i < CTS_ARRAY_LEN(facts); i++) {
        set_in(&r, i, 8, facts[i].times);
        set_in(&r, i, 9, facts[i].flags);
        put64(&r, row_at(&r, i) + CTS_ENTRY_MEM + 8, facts[i].stop_at);
        run(&r, i, 1);
        assert_int_equal(r.ran.status, CTS_RUN_COMPLETED);
        assert_int_equal(out(&r, i, 0), facts[i].want);
        assert_int_equal(get64(&r, row_at(&r, i) + CTS_ENTRY_MEM), facts[i].sum);
    }
    rig_close(&r);
}

static uint64_t call_with(struct rig *r, int32_t id, const uint64_t arg[5])
{
    assert_int_equal(LOAD(r, 0, {CTS_INSN_CALL_HELPER, {.imm = id}}), CTS_LOAD_ACCEPTED);
    for (unsigned i = 0; i < 5; i++)
        if (r->layout.place[i + 1] == CTS_PL_VALUE)
            set_in(r, 0, i + 1, arg[i]);
    run(r, 0, 1);
    assert_int_equal(r->ran.status, CTS_RUN_COMPLETED);
    return out(r, 0, 0);
}

static void test_test_helpers(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "interp");
    for (unsigned i = 0; i < 5; i++) {
        uint64_t one[5] = {0};
        one[i] = 3;
        assert_int_equal(call_with(&r, 0x7000, one), U64(3) << i);
    }
    assert_int_equal(call_with(&r, 0x7001, (uint64_t[5]){0}), 0);
    assert_int_not_equal(call_with(&r, 0x7001, (uint64_t[5]){1, 2, 3, 4, 5}),
                         call_with(&r, 0x7001, (uint64_t[5]){2, 1, 3, 4, 5}));
    assert_int_equal(call_with(&r, 0x7002, (uint64_t[5]){0}), U64(0xc0ffee00c0ffee));
    assert_int_equal(out(&r, 0, 5), cts_mach_unspecified(5));
    rig_close(&r);
}

/* RFC 1071 section 3: the sum of 00 01 f2 03 f4 f5 f6 f7 is ddf2 in network order. */
static void test_checksum(void **state)
{
    (void)state;
    static const uint8_t example[8] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    struct rig r;
    for (int be = 0; be < 2; be++) {
        rig_open(&r, be ? "interp-be" : "interp");
        uint64_t sum = be ? 0xddf2 : 0xf2dd;
        r.layout.place[1] = CTS_PL_MEM;
        r.layout.place[3] = CTS_PL_MEM;
        memcpy(row_at(&r, 0) + CTS_ENTRY_MEM, example, 8);
        assert_int_equal(call_with(&r, 28, (uint64_t[5]){0, 0, 0, 8, 0}), sum);
        assert_int_equal(call_with(&r, 28, (uint64_t[5]){0, 8, 0, 0, 0}), 0xffff - sum);
        assert_int_equal(call_with(&r, 28, (uint64_t[5]){0, 0, 0, 0, 0x12345}), 0x2346);
        assert_int_equal(call_with(&r, 28, (uint64_t[5]){0, 8, 0, 8, 5}), 5);
        assert_int_equal(call_with(&r, 28, (uint64_t[5]){0, 6, 0, 8, 0}), UINT64_MAX - 21);
        rig_close(&r);
    }
}

static uint64_t load_packet(struct rig *r, enum cts_insn_id row, uint64_t at, int32_t imm,
                            const uint8_t *packet, uint32_t bytes)
{
    const struct cts_run_req req = {.iterations = 1, .packet = packet, .packet_bytes = bytes};
    const bool indirect = cts_insn_info(row)->field[CTS_F_SRC].kind == CTS_FK_REG;
    assert_int_equal(LOAD(r, 0, {row, {.src = indirect ? 7 : 0, .imm = imm}}), CTS_LOAD_ACCEPTED);
    set_in(r, 0, 7, at);
    cts_reference_adapter.run(r->self, r->prog, &req, &r->ran);
    return out(r, 0, 0);
}

static void test_packets(void **state)
{
    (void)state;
    static const uint8_t packet[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct rig r;
    rig_open(&r, "interp");
    r.req.packet = true;
    r.layout.place[6] = CTS_PL_CTX;
    assert_int_equal(load_packet(&r, CTS_INSN_LDABS_W, 0, 1, packet, 16), 0x01020304);
    assert_int_equal(load_packet(&r, CTS_INSN_LDABS_H, 0, 14, packet, 16), 0x0e0f);
    assert_int_equal(load_packet(&r, CTS_INSN_LDIND_B, 3, 5, packet, 16), 8);
    assert_int_equal(load_packet(&r, CTS_INSN_LDIND_W, 20, -8, packet, 16), 0x0c0d0e0f);
    assert_int_equal(end_of(&r, 0), CTS_ENDED_FELL_THROUGH);
    assert_int_equal(out(&r, 0, 5), cts_mach_unspecified(5));
    static const int32_t outside[] = {13, 16, INT32_MAX, -1, INT32_MIN};
    for (size_t i = 0; i < CTS_ARRAY_LEN(outside); i++) {
        assert_int_equal(load_packet(&r, CTS_INSN_LDABS_W, 0, outside[i], packet, 16), 0);
        assert_int_equal(r.ran.status, CTS_RUN_COMPLETED);
        assert_int_equal(end_of(&r, 0), CTS_ENDED_EXITED);
    }
    load_packet(&r, CTS_INSN_LDABS_B, 0, 0, packet, 1u << 30);
    assert_int_equal(r.ran.status, CTS_RUN_ERROR);
    load_packet(&r, CTS_INSN_LDABS_B, 0, 0, NULL, 16);
    assert_int_equal(end_of(&r, 0), CTS_ENDED_EXITED);
    r.layout.place[6] = CTS_PL_VALUE;
    load_packet(&r, CTS_INSN_LDABS_B, 0, 0, packet, 16);
    assert_int_equal(r.ran.status, CTS_RUN_FAULTED);
    rig_close(&r);
}

static void test_packet_context(void **state)
{
    (void)state;
    static const uint8_t packet[] = {0x11, 0x22};
    const struct cts_run_req req = {.iterations = 1, .packet = packet, .packet_bytes = 2};
    struct rig r;
    rig_open(&r, "interp");
    r.req.packet = true;
    r.layout.place[1] = CTS_PL_CTX;
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_LDX_DW, {.dst = 2, .src = 1}},
                          {CTS_INSN_LDX_DW, {.dst = 3, .src = 1, .off = 8}},
                          {CTS_INSN_LDX_B, {.dst = 4, .src = 3, .off = -1}},
                          {CTS_INSN_LDX_H, {.dst = 5, .src = 2}}),
                     CTS_LOAD_ACCEPTED);
    cts_reference_adapter.run(r.self, r.prog, &req, &r.ran);
    assert_int_equal(r.ran.status, CTS_RUN_COMPLETED);
    assert_int_equal(out(&r, 0, 3) - out(&r, 0, 2), 2);
    assert_int_equal(out(&r, 0, 4), 0x22);
    assert_int_equal(out(&r, 0, 5), 0x2211);
    rig_close(&r);
}

static void subtract(struct cts_mach *m, const struct cts_insn *in)
{
    m->r[in->dst] -= m->r[in->src];
}

static void test_other_semantics(void **state)
{
    (void)state;
    struct rig r;
    cts_exec_fn exec[CTS_INSN_COUNT];
    memcpy(exec, cts_exec_table, sizeof(exec));
    exec[CTS_INSN_ADD64_X] = subtract;
    rig_open(&r, "interp");
    cts_reference_adapter.release(r.self);
    assert_int_equal(cts_reference_open(exec, &r.self, CTS_REFERENCE_LE, &r.caps, &r.err), 0);
    assert_int_equal(LOAD(&r, 0, {CTS_INSN_ADD64_X, {.dst = 3, .src = 4}}), CTS_LOAD_ACCEPTED);
    set_in(&r, 0, 3, 10);
    set_in(&r, 0, 4, 4);
    run(&r, 0, 1);
    assert_int_equal(out(&r, 0, 3), 6);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_out_mask_and_record),
        cmocka_unit_test(test_memory_is_exactly_that_long),
        cmocka_unit_test(test_stack),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_body_and_functions),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_hostile_layouts),
        cmocka_unit_test(test_whole_programs),
        cmocka_unit_test(test_maps),
        cmocka_unit_test(test_map_lookup),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_loop_helper),
        cmocka_unit_test(test_test_helpers),
        cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_packets),
        cmocka_unit_test(test_packet_context),
        cmocka_unit_test(test_other_semantics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
