/* uses: base isa wire rt_dpdk */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "isa/isa.h"
#include "rt_dpdk/dp.h"
#include "rt_dpdk/dpdk.h"

#define I(op, d, s, o, i) {.opcode = (op), .dst = (d), .src = (s), .off = (o), .imm = (i)}
#define NOP I(0xb7, 0, 0, 0, 0)
#define EXIT I(0x95, 0, 0, 0, 0)
#define JEQ(off) I(0x15, 0, 0, off, 0)
#define JA(off) I(0x05, 0, 0, off, 0)

enum { MAX_SLOTS = 512 };

struct program {
    uint8_t code[MAX_SLOTS * CTS_SLOT_BYTES];
    uint32_t slots;
};

static struct program make(const struct cts_insn *insn, size_t n)
{
    struct program p = {.slots = (uint32_t)n};
    assert_true(n <= MAX_SLOTS);
    for (size_t i = 0; i < n; i++)
        cts_slot_put(p.code + CTS_SLOT_BYTES * i, CTS_HOST_IS_BE, &insn[i]);
    return p;
}

#define MAKE(...)                                                                                  \
    make((const struct cts_insn[]){__VA_ARGS__},                                                   \
         CTS_ARRAY_LEN(((const struct cts_insn[]){__VA_ARGS__})))

/* ---- what validation costs ---- */

static uint64_t cost(struct program p)
{
    return dp_cost(p.code, p.slots);
}

static void test_cost(void **state)
{
    (void)state;
    assert_int_equal(dp_cost(NULL, 0), 0);
    assert_int_equal(cost(MAKE(NOP, NOP, EXIT)), 3);
    /* A way out early doubles nothing behind it. */
    assert_int_equal(cost(MAKE(JEQ(1), EXIT, NOP, EXIT)), 4);
    /* Both ways meet: what follows is looked at twice, even where both are one. */
    assert_int_equal(cost(MAKE(JEQ(1), NOP, NOP, EXIT)), 1 + 1 + 2 * 2);
    assert_int_equal(cost(MAKE(JEQ(0), NOP, EXIT)), 1 + 2 * 2);
    assert_int_equal(cost(MAKE(JA(1), NOP, EXIT)), 2);
    /* The second slot of a wide instruction is no instruction, calls go on. */
    assert_int_equal(cost(MAKE(I(0x18, 0, 0, 0, 0), I(0x15, 0, 0, 0, 0), EXIT)), 2);
    assert_int_equal(cost(MAKE(I(0x85, 0, 0, 0, 1), EXIT)), 2);
    /* Back and forth without a loop: 0, 3, 1, 2. */
    assert_int_equal(cost(MAKE(JA(2), NOP, EXIT, JA(-3))), 4);
    assert_int_equal(cost(MAKE(JEQ(2), NOP, EXIT, JA(-3))), 1 + 2 + 2 + 1);
}

static void test_cost_doubles(void **state)
{
    struct cts_insn in[MAX_SLOTS];
    (void)state;
    for (uint32_t jumps = 1; jumps <= 200; jumps++) {
        for (uint32_t i = 0; i < jumps; i++)
            in[i] = (struct cts_insn)JEQ(0);
        in[jumps] = (struct cts_insn)EXIT;
        uint64_t want = jumps < 63 ? (2ull << jumps) - 1 : UINT64_MAX;
        if (jumps == 63) /* 1 + 2 + ... + 2^63 */
            want = UINT64_MAX;
        assert_true(cost(make(in, jumps + 1)) == want);
    }
}

/* Loops are found: whatever it says of them, it comes to an end. */
static void test_cost_of_loops(void **state)
{
    (void)state;
    assert_true(cost(MAKE(NOP, JEQ(-2), EXIT)) >= 3);
    assert_true(cost(MAKE(JA(-1))) >= 1);
    assert_true(cost(MAKE(JEQ(-1), JEQ(-2), JEQ(-3), EXIT)) >= 4);
    assert_true(cost(MAKE(JA(100), JA(-100), EXIT)) >= 1);
}

static bool runs_off(struct program p)
{
    return dp_runs_off(p.code, p.slots);
}

static void test_runs_off(void **state)
{
    (void)state;
    assert_true(dp_runs_off(NULL, 0));
    assert_true(runs_off(MAKE(NOP)));
    assert_false(runs_off(MAKE(NOP, EXIT)));
    assert_true(runs_off(MAKE(NOP, JEQ(1), EXIT)));
    assert_false(runs_off(MAKE(NOP, JEQ(2), EXIT)));
    assert_false(runs_off(MAKE(NOP, JEQ(0), EXIT)));
    assert_true(runs_off(MAKE(JA(1), EXIT)));
    assert_false(runs_off(MAKE(JA(0), EXIT)));
    assert_true(runs_off(MAKE(NOP, I(0x18, 0, 0, 0, 0), I(0, 0, 0, 0, 0))));
    assert_false(runs_off(MAKE(NOP, I(0x18, 0, 0, 0, 0))));
    assert_false(runs_off(MAKE(I(0x18, 0, 0, 0, 0), JEQ(1), EXIT)));
}

/* ---- the fence ---- */

static int status_of_write(size_t bytes, size_t at, bool on)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGSEGV, SIG_DFL); /* the test program catches it */
        dp_fence(on);
        volatile uint8_t *p = calloc(1, bytes);
        p[at] = 1;
        free((void *)(uintptr_t)p);
        dp_fence(false);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void test_fence(void **state)
{
    (void)state;
    if (!dp_fence(false)) {
        skip();
        return;
    }
    static const size_t sizes[] = {8, 16, 4096, 4104, 40 * 1000};
    dp_fence(true);
    for (size_t i = 0; i < CTS_ARRAY_LEN(sizes); i++) {
        uint8_t *p = calloc(sizes[i], 1);
        assert_non_null(p);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(p[k], 0);
        memset(p, 1, sizes[i]);
        free(p);
        int status = status_of_write(sizes[i], sizes[i], true);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    }
    dp_fence(false);
    /* Off, or full: as ever. */
    uint8_t *p[64];
    for (unsigned on = 0; on < 2; on++) {
        dp_fence(on);
        for (size_t i = 0; i < CTS_ARRAY_LEN(p); i++) {
            p[i] = calloc(3, 5);
            assert_non_null(p[i]);
            assert_int_equal(p[i][14], 0);
        }
        for (size_t i = 0; i < CTS_ARRAY_LEN(p); i++)
            free(p[i]);
        dp_fence(false);
    }
}

/* ---- words ---- */

/* ---- trials ---- */

static struct dp_program *load_at_once(const struct dp_params *params)
{
    (void)params;
    return NULL;
}

static struct dp_program *load_for_ever(const struct dp_params *params)
{
    volatile bool go_on = true;
    (void)params;
    while (go_on)
        ;
    return NULL;
}

static struct dp_program *load_and_die(const struct dp_params *params)
{
    (void)params;
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    return NULL;
}

static void test_trial(void **state)
{
    (void)state;
    enum { MS = 50 };
    const struct dp_params params = {0};
    const struct dp_library good = {.load = load_at_once}, slow = {.load = load_for_ever},
                            bad = {.load = load_and_die};
    assert_true(dp_ends_within(&good, &params, MS));
    assert_false(dp_ends_within(&slow, &params, MS));
    /* Deaf to the signal, it ends all the same. */
    void (*before)(int) = signal(SIGPROF, SIG_IGN);
    assert_false(dp_ends_within(&slow, &params, MS));
    signal(SIGPROF, before);
    /* That it dies is to be seen where it counts. */
    assert_true(dp_ends_within(&bad, &params, MS));
}

static void test_words(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"evaluate: division by 0 at pc: 7\n", "evaluate: division by 0\nat pc: 7"},
        {"validate(0x7ffc00) loops detected;\nloop at pc:1 --> pc:0;\n",
         "validate loops detected\nloop at pc:1 --> pc:0"},
        {"BPF: evaluate: x at pc: 7\nBPF: y\n", "evaluate: x\nat pc: 7\ny"},
        {"a (0x12", "a (0x12"},
        {"a;b;\n\n\n", "a;b"},
    };
    (void)state;
    for (size_t i = 0; i < CTS_ARRAY_LEN(rows); i++) {
        struct dp_words w = {.len = strlen(rows[i][0])};
        char out[CTS_TEXT_MAX];
        memcpy(w.text, rows[i][0], w.len);
        dp_clean_words(&w, out, sizeof(out));
        assert_string_equal(out, rows[i][1]);
        for (size_t cap = 1; cap < 20; cap++) {
            dp_clean_words(&w, out, cap);
            assert_true(strlen(out) < cap);
            assert_memory_equal(out, rows[i][1], strlen(out));
        }
    }
}

/* ---- with the library ---- */

struct rig {
    void *self, *prog;
    struct cts_caps caps;
    struct cts_load_res loaded;
    struct cts_run_res ran;
};

/* False, and the test is over, where the library is not installed. */
static bool open_rig(struct rig *r, const char *engine)
{
    struct cts_err err = {0};
    *r = (struct rig){0};
    int number = cts_worker_engine(&cts_dpdk_adapter, engine, &err);
    assert_true(number >= 0);
    int rc = cts_dpdk_adapter.probe(&r->self, (unsigned)number, &r->caps, &err);
    if (rc == CTS_E_UNSUPPORTED) {
        assert_non_null(strstr(err.msg, "librte_bpf"));
        skip();
        return false;
    }
    assert_int_equal(rc, 0);
    return true;
}

static void load_program(struct rig *r, struct program p)
{
    const struct cts_load_req req = {.kind = CTS_PROG_WHOLE, .code = p.code, .slots = p.slots};
    if (r->prog)
        cts_dpdk_adapter.unload(r->self, r->prog);
    cts_dpdk_adapter.load(r->self, &req, &r->prog, &r->loaded);
}

static uint64_t result(struct rig *r, struct program p)
{
    const struct cts_run_req once = {.iterations = 3};
    load_program(r, p);
    assert_string_equal(r->loaded.text, "");
    assert_int_equal(r->loaded.verdict, CTS_LOAD_ACCEPTED);
    cts_dpdk_adapter.run(r->self, r->prog, &once, &r->ran);
    return r->ran.r0;
}

static void close_rig(struct rig *r)
{
    if (r->prog)
        cts_dpdk_adapter.unload(r->self, r->prog);
    cts_dpdk_adapter.release(r->self);
}

static void test_runs(void **state)
{
    static const char *const names[] = {"interp", "jit"};
    (void)state;
    for (size_t i = 0; i < CTS_ARRAY_LEN(names); i++) {
        struct rig r;
        if (!open_rig(&r, names[i]))
            return;
        assert_int_equal(r.caps.window_kind, CTS_WK_ARGUMENT);
        assert_non_null(strstr(r.caps.version, "DPDK"));
        assert_int_equal(result(&r, MAKE(I(0xb7, 0, 0, 0, 42), EXIT)), 42);
        assert_int_equal(r.ran.done, 3);
        assert_int_equal(r.loaded.native_bytes != 0, i == 1);
        /* r1 = 1, r2 = 2, ...; call the sum */
        assert_int_equal(result(&r, MAKE(I(0xb7, 1, 0, 0, 1), I(0xb7, 2, 0, 0, 2),
                                         I(0xb7, 3, 0, 0, 3), I(0xb7, 4, 0, 0, 4),
                                         I(0xb7, 5, 0, 0, 5), I(0x85, 0, 0, 0, 0x7000), EXIT)),
                         1 + 4 + 12 + 32 + 80);
        assert_true(result(&r, MAKE(I(0x85, 0, 0, 0, 0x7002), EXIT)) == 0xc0ffee00c0ffee);
        /* The context: 64 bytes, and no more. */
        assert_int_equal(result(&r, MAKE(I(0x79, 0, 1, 56, 0), EXIT)), 0);
        load_program(&r, MAKE(I(0x79, 0, 1, 64, 0), EXIT));
        assert_string_equal(r.loaded.text, "evaluate: memory boundary violation\nat pc: 0");
        assert_int_equal(r.loaded.verdict, CTS_LOAD_REJECTED);
        close_rig(&r);
    }
}

static void test_rejections(void **state)
{
    struct rig r;
    (void)state;
    if (!open_rig(&r, "interp"))
        return;
    load_program(&r, MAKE(NOP, JEQ(-2), EXIT));
    assert_int_equal(r.loaded.verdict, CTS_LOAD_REJECTED);
    assert_int_equal(r.loaded.err_no, 22);
    assert_memory_equal(r.loaded.text, "validate loops detected\n", 24);
    assert_null(r.prog);
    load_program(&r, MAKE(EXIT));
    assert_memory_equal(r.loaded.text, "evaluate: undefined return value\n", 33);
    /* Helpers that are none: those of other numbers, and the library's own numbers. */
    static const int32_t none[] = {0, 1, 2, 0x6fff, 0x7003, -1, INT32_MIN};
    for (size_t i = 0; i < CTS_ARRAY_LEN(none); i++) {
        load_program(&r, MAKE(I(0x85, 0, 0, 0, none[i]), EXIT));
        assert_memory_equal(r.loaded.text, "evaluate: invalid external function index\n", 42);
    }
    close_rig(&r);
}

/* A program that would keep the validator busy for hours is not given to it; one that is looked at
 * in an instant is. */
static void test_too_costly(void **state)
{
    struct cts_insn in[64] = {NOP};
    struct rig r;
    (void)state;
    if (!open_rig(&r, "interp"))
        return;
    for (uint32_t jumps = 0; jumps < 60; jumps += 8) {
        for (uint32_t i = 1; i <= jumps; i++)
            in[i] = (struct cts_insn)JEQ(0);
        in[jumps + 1] = (struct cts_insn)EXIT;
        load_program(&r, make(in, jumps + 2));
        if (jumps <= 16 || r.loaded.verdict == CTS_LOAD_ACCEPTED)
            assert_int_equal(r.loaded.verdict, CTS_LOAD_ACCEPTED);
        else
            assert_memory_equal(r.loaded.text, "not tried: ", 11);
    }
    close_rig(&r);
}

/* The interpreter says in its log that it gave up. */
static void test_stopped(void **state)
{
    struct rig r;
    (void)state;
    if (!open_rig(&r, "interp"))
        return;
    result(&r, MAKE(I(0x79, 2, 1, 0, 0), I(0xb7, 0, 0, 0, 7), I(0x3f, 0, 2, 0, 0), EXIT));
    assert_int_equal(r.ran.status, CTS_RUN_FAULTED);
    assert_int_equal(r.ran.done, 0);
    assert_string_equal(r.ran.text, "bpf_exec: division by 0\nat pc: 0x10");
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cost),          cmocka_unit_test(test_cost_doubles),
        cmocka_unit_test(test_cost_of_loops), cmocka_unit_test(test_runs_off),
        cmocka_unit_test(test_fence),         cmocka_unit_test(test_words),
        cmocka_unit_test(test_runs),          cmocka_unit_test(test_rejections),
        cmocka_unit_test(test_too_costly),    cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_trial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
