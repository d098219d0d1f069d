/* uses: base wire rt_ubpf */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "rt_ubpf/helpers.h"
#include "rt_ubpf/ub.h"

enum { SLOT = 8, MANY = 100 };

struct engine {
    void *self;
    struct cts_caps caps;
};

static void open_engine(struct engine *e, const char *name)
{
    struct cts_err err = {0};

    memset(&e->caps, 0, sizeof(e->caps));
    int engine = cts_worker_engine(&cts_ub_adapter, name, &err);
    assert_true(engine >= 0);
    assert_int_equal(cts_ub_adapter.probe(&e->self, (unsigned)engine, &e->caps, &err), 0);
}

/* Little-endian slots; the tests are for such machines, like the worker's compiler. */
static void slot(uint8_t *at, uint8_t opcode, uint8_t regs, int16_t off, int32_t imm)
{
    at[0] = opcode;
    at[1] = regs;
    memcpy(at + 2, &off, sizeof(off));
    memcpy(at + 4, &imm, sizeof(imm));
}

static void *load(struct engine *e, const uint8_t *code, uint32_t slots, struct cts_load_res *res)
{
    const struct cts_load_req req = {.kind = CTS_PROG_WHOLE, .code = code, .slots = slots};
    void *prog = NULL;

    cts_ub_adapter.load(e->self, &req, &prog, res);
    return prog;
}

static void run(struct engine *e, void *prog, uint32_t iterations, struct cts_run_res *res)
{
    const struct cts_run_req req = {.iterations = iterations};

    cts_ub_adapter.run(e->self, prog, &req, res);
}

/* r0 = n; exit */
static void *load_constant(struct engine *e, int32_t n)
{
    uint8_t code[2 * SLOT];
    struct cts_load_res res;

    slot(code, 0xb7, 0, 0, n);
    slot(code + SLOT, 0x95, 0, 0, 0);
    void *prog = load(e, code, 2, &res);
    assert_int_equal(res.verdict, CTS_LOAD_ACCEPTED);
    return prog;
}

static const char *const names[] = {
    "interp", "jit",
#ifdef __x86_64__
    "jit-blinded", /* there is none elsewhere */
#endif
};

static void many_programs_at_a_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < CTS_ARRAY_LEN(names); i++) {
        struct engine e;
        void *prog[MANY];
        struct cts_run_res res;

        open_engine(&e, names[i]);
        for (int round = 0; round < 2; round++) {
            for (int32_t n = 0; n < MANY; n++)
                prog[n] = load_constant(&e, n);
            for (int32_t n = MANY; n-- > 0;) {
                run(&e, prog[n], 3, &res);
                assert_int_equal(res.status, CTS_RUN_COMPLETED);
                assert_int_equal(res.done, 3);
                assert_int_equal(res.r0, n);
                cts_ub_adapter.unload(e.self, prog[n]);
            }
        }
        cts_ub_adapter.release(e.self);
    }
}

static void a_refusal_leaves_nothing_behind(void **state)
{
    (void)state;
    for (size_t i = 0; i < CTS_ARRAY_LEN(names); i++) {
        struct engine e;
        uint8_t code[2 * SLOT];
        struct cts_load_res res;
        struct cts_run_res ran;

        open_engine(&e, names[i]);
        slot(code, 0xb7, 11, 0, 1);
        slot(code + SLOT, 0x95, 0, 0, 0);
        assert_null(load(&e, code, 2, &res));
        assert_int_equal(res.verdict, CTS_LOAD_REJECTED);
        assert_non_null(strstr(res.text, "destination register"));
        void *prog = load_constant(&e, 7);
        run(&e, prog, 1, &ran);
        assert_int_equal(ran.r0, 7);
        cts_ub_adapter.unload(e.self, prog);
        cts_ub_adapter.release(e.self);
    }
}

/* r0 = *(u64 *)(r10 - 520): outside of the only frame there is. */
static void a_fault_says_what_and_which_iteration(void **state)
{
    struct engine e;
    uint8_t code[2 * SLOT];
    struct cts_load_res res;
    struct cts_run_res ran;

    (void)state;
    open_engine(&e, "interp");
    slot(code, 0x79, 0xa0, -520, 0);
    slot(code + SLOT, 0x95, 0, 0, 0);
    void *prog = load(&e, code, 2, &res);
    assert_non_null(prog);
    run(&e, prog, 5, &ran);
    assert_int_equal(ran.status, CTS_RUN_FAULTED);
    assert_int_equal(ran.done, 0);
    assert_non_null(strstr(ran.text, "out of bounds memory load"));
    cts_ub_adapter.unload(e.self, prog);
    cts_ub_adapter.release(e.self);
}

static void the_window_is_the_programs_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < CTS_ARRAY_LEN(names); i++) {
        struct engine e;
        uint8_t code[4 * SLOT];
        struct cts_load_res res;
        struct cts_run_res ran;
        uint64_t at;

        open_engine(&e, names[i]);
        at = e.caps.window_addr + e.caps.window_bytes - 8;
        slot(code, 0x18, 1, 0, (int32_t)(uint32_t)at);
        slot(code + SLOT, 0, 0, 0, (int32_t)(uint32_t)(at >> 32));
        slot(code + 2 * SLOT, 0x7a, 1, 0, -2); /* *(u64 *)(r1 + 0) = -2 */
        slot(code + 3 * SLOT, 0x95, 0, 0, 0);
        void *prog = load(&e, code, 4, &res);
        assert_non_null(prog);
        run(&e, prog, 1, &ran);
        assert_int_equal(ran.status, CTS_RUN_COMPLETED);
        assert_true(cts_get64_host((uint8_t *)e.caps.window + e.caps.window_bytes - 8) ==
                    (uint64_t)-2);
        cts_ub_adapter.unload(e.self, prog);
        cts_ub_adapter.release(e.self);
    }
}

/* lock *(u64 *)(r1 + 0) += r2; r2 is the context's length. */
static void threads_run_at_the_same_time(void **state)
{
    enum { THREADS = 4, TIMES = 5000, CTX_BYTES = 64 };

    (void)state;
    for (size_t i = 0; i < CTS_ARRAY_LEN(names); i++) {
        const struct cts_run_req req = {.iterations = TIMES, .threads = THREADS};
        struct engine e;
        uint8_t code[4 * SLOT];
        struct cts_load_res res;
        struct cts_run_res ran;

        open_engine(&e, names[i]);
        slot(code, 0x18, 1, 0, (int32_t)(uint32_t)e.caps.window_addr);
        slot(code + SLOT, 0, 0, 0, (int32_t)(uint32_t)(e.caps.window_addr >> 32));
        slot(code + 2 * SLOT, 0xdb, 0x21, 0, 0);
        slot(code + 3 * SLOT, 0x95, 0, 0, 0);
        void *prog = load(&e, code, 4, &res);
        assert_non_null(prog);
        cts_ub_adapter.run(e.self, prog, &req, &ran);
        assert_int_equal(ran.status, CTS_RUN_COMPLETED);
        assert_int_equal(ran.done, TIMES);
        assert_int_equal(cts_get64_host(e.caps.window), THREADS * TIMES * CTX_BYTES);
        cts_ub_adapter.unload(e.self, prog);
        cts_ub_adapter.release(e.self);
    }
}

/* As runtimes/reference/README.md has them; the sums by hand. */
static void helpers(void **state)
{
    const uint32_t from[] = {0xffff0001}, to[] = {2, 3};
    uint64_t f = (uint64_t)(uintptr_t)from, t = (uint64_t)(uintptr_t)to;

    (void)state;
    assert_int_equal(cts_ub_help(1, 2, 3, 4, 5, 0x7000, NULL), 129);
    assert_true(cts_ub_help(0, 0, 0, 0, 1, 0x7001, NULL) ==
                UINT64_C(0x2000) * UINT64_C(0x9e3779b97f4a7c15));
    assert_true(cts_ub_help(9, 9, 9, 9, 9, 0x7002, NULL) == UINT64_C(0xc0ffee00c0ffee));
    assert_int_equal(cts_ub_help(f, 0, t, 8, 1, 28, NULL), 6);
    assert_int_equal(cts_ub_help(f, 4, t, 0, 0, 28, NULL), 0xfffe);
    assert_true(cts_ub_help(f, 3, t, 8, 1, 28, NULL) == (uint64_t)-22);
    assert_true(cts_ub_has_helper(28, NULL));
    assert_false(cts_ub_has_helper(1, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_programs_at_a_time),
        cmocka_unit_test(a_refusal_leaves_nothing_behind),
        cmocka_unit_test(a_fault_says_what_and_which_iteration),
        cmocka_unit_test(the_window_is_the_programs_memory),
        cmocka_unit_test(threads_run_at_the_same_time),
        cmocka_unit_test(helpers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
