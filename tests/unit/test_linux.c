/* uses: base isa wire rt_linux */
/* ctest: lock=switches */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "isa/isa.h"
#include "rt_linux/lx.h"

#define I(op, d, s, o, i) {.opcode = (op), .dst = (d), .src = (s), .off = (o), .imm = (i)}
#define EXIT I(0x95, 0, 0, 0, 0)

enum { MAX_SLOTS = 32 };

struct program {
    uint8_t code[MAX_SLOTS * CTS_SLOT_BYTES];
    uint32_t slots;
};

static struct program make(const struct cts_insn *insn, size_t n)
{
    struct program p = {.slots = (uint32_t)n};

    for (size_t i = 0; i < n; i++)
        cts_slot_put(p.code + CTS_SLOT_BYTES * i, CTS_HOST_IS_BE, &insn[i]);
    return p;
}

#define MAKE(...)                                                                                  \
    make((const struct cts_insn[]){__VA_ARGS__},                                                   \
         CTS_ARRAY_LEN(((const struct cts_insn[]){__VA_ARGS__})))

static int32_t imm_of(const struct program *p, uint32_t slot)
{
    struct cts_insn in;

    cts_slot_get(p->code + CTS_SLOT_BYTES * slot, CTS_HOST_IS_BE, &in);
    return in.imm;
}

/* ---- no kernel needed ---- */

static void test_log_walked(void **state)
{
    static const struct {
        const char *log;
        unsigned long walked;
    } items[] = {{"R0 !read_ok\nprocessed 17 insns (limit 1000000)\n", 17},
                 {"processed 1000001 insns\n", 1000001},
                 {"a processed 5 insns\n", 0},
                 {"processed 12", 0}, /* cut */
                 {"processed \n", 0},
                 {"", 0}};

    (void)state;
    for (size_t i = 0; i < CTS_ARRAY_LEN(items); i++)
        assert_int_equal(cts_lx_log_walked(items[i].log, strlen(items[i].log)), items[i].walked);
}

static void test_log_text(void **state)
{
    static const char log[] = "0: R1=ctx() R10=fp0\na\nb\nc\nd\n1: (95) exit\nR0 !read_ok\n"
                              "processed 2 insns (limit 1000000)\nstack depth 0\n";
    char text[CTS_TEXT_MAX], *big;

    (void)state;
    cts_lx_log_text(log, sizeof(log), text);
    assert_string_equal(text, "R0 !read_ok\nb\nc\nd\n1: (95) exit");
    cts_lx_log_text("only", 4, text);
    assert_string_equal(text, "only");
    cts_lx_log_text("", 0, text);
    assert_string_equal(text, "");
    cts_lx_log_text("\n\nprocessed 0 insns", 19, text);
    assert_string_equal(text, "");

    big = malloc(100000);
    assert_non_null(big);
    memset(big, 'x', 100000);
    big[50000] = '\n';
    cts_lx_log_text(big, 100000, text);
    assert_int_equal(strlen(text), CTS_TEXT_MAX - 1);
    free(big);
}

static void test_btf_find(void **state)
{
    uint8_t blob[CTS_LX_OWN_MAX];
    uint32_t bytes = cts_lx_btf_own(blob);
    struct cts_lx_btf b;

    (void)state;
    assert_int_equal(cts_lx_btf_open(&b, blob, bytes, NULL), 0);
    assert_int_equal(cts_lx_btf_find(&b, CTS_LX_BTF_FUNC, "main"), CTS_LX_OWN_MAIN);
    assert_int_equal(cts_lx_btf_find(&b, CTS_LX_BTF_FUNC, "sub"), CTS_LX_OWN_STATIC);
    assert_int_equal(cts_lx_btf_find(&b, CTS_LX_BTF_VAR, "main"), 0);
    assert_int_equal(cts_lx_btf_find(&b, CTS_LX_BTF_FUNC, "int"), 0);
    assert_int_equal(cts_lx_btf_static(0), CTS_LX_OWN_STATIC);
    assert_int_equal(cts_lx_btf_static(CTS_LX_OWN_ARGS + 1), cts_lx_btf_static(CTS_LX_OWN_ARGS));
}

/* Every cut and every changed byte is either refused or searched without reading outside (which the
 * sanitizers watch). */
static void test_btf_hostile(void **state)
{
    uint8_t blob[CTS_LX_OWN_MAX];
    uint32_t bytes = cts_lx_btf_own(blob);
    struct cts_lx_btf b;

    (void)state;
    for (uint32_t cut = 0; cut < bytes; cut++) {
        uint8_t *copy = malloc(cut + 1);

        assert_non_null(copy);
        memcpy(copy, blob, cut);
        assert_true(cts_lx_btf_open(&b, copy, cut, NULL) < 0);
        free(copy);
    }
    for (uint32_t at = 0; at < bytes * 8; at++) {
        uint8_t *copy = malloc(bytes);

        assert_non_null(copy);
        memcpy(copy, blob, bytes);
        copy[at / 8] = (uint8_t)(copy[at / 8] ^ 1u << (at % 8));
        if (cts_lx_btf_open(&b, copy, bytes, NULL) == 0)
            cts_lx_btf_find(&b, CTS_LX_BTF_FUNC, "sub");
        free(copy);
    }
}

static void test_patch(void **state)
{
    static const int fds[] = {500, 501};
    struct program p =
        MAKE(I(0x18, 1, 2, 0, 0),
             I(0x18, 5, 1, 0, 1), /* map value; its second slot looks like a wide one */
             I(0x18, 1, 1, 0, 1), I(0, 0, 0, 0, 0),     /* map */
             I(0x18, 1, 1, 0, 2), I(0, 0, 0, 0, 0),     /* no such ordinal */
             I(0x18, 1, 0, 0, 1), I(0, 0, 0, 0, 0),     /* a plain number */
             I(0x18, 1, 5, 0, 1), I(0, 0, 0, 0, 0),     /* stays an index */
             I(0x85, 0, 2, 0, 7), I(0x85, 0, 0, 0, 28), /* no such name; helper */
             I(0x18, 1, 1, 0, 0));                      /* cut off */
    struct cts_lx_vmlinux vmlinux = {0};
    struct cts_lx_patch job = {
        .code = p.code, .slots = p.slots, .map_fds = fds, .map_count = 2, .vmlinux = &vmlinux};

    (void)state;
    assert_int_equal(cts_lx_patch(&job, NULL), 0);
    assert_int_equal(imm_of(&p, 0), 500);
    assert_int_equal(imm_of(&p, 1), 1);
    assert_int_equal(imm_of(&p, 2), 501);
    assert_int_equal(imm_of(&p, 4), 2);
    assert_int_equal(imm_of(&p, 6), 1);
    assert_int_equal(imm_of(&p, 8), 1);
    assert_int_equal(imm_of(&p, 10), 7);
    assert_true(job.uses.fd_array && job.uses.helper_csum && !job.uses.types);
    assert_false(vmlinux.tried);
}

/* An index outside the array that the kernel is handed must not reach it. */
static void test_patch_wild_index(void **state)
{
    struct program p =
        MAKE(I(0x18, 1, 5, 0, -1), I(0, 0, 0, 0, 0), I(0x18, 1, 6, 0, 0), I(0, 0, 0, 0, 0), EXIT);
    struct cts_lx_patch job = {.code = p.code, .slots = p.slots};

    (void)state;
    assert_int_equal(cts_lx_patch(&job, NULL), 0);
    assert_false(job.uses.fd_array);
}

/* Branches that constant blinding could turn around: back, far, and on an immediate. */
static void test_blinding_wraps(void **state)
{
    static const struct {
        struct cts_insn in;
        bool wraps;
    } cases[] = {
        {I(0x15, 3, 0, -32768, 0), true},   {I(0x16, 3, 0, -32767, 0), true},
        {I(0x45, 3, 0, -32766, 9), true},   {I(0xd6, 3, 0, -4097, 9), true},
        {I(0x15, 3, 0, -4096, 0), false},   {I(0x15, 3, 0, 32767, 0), false},
        {I(0x1d, 3, 4, -32768, 0), false},  {I(0x1e, 3, 4, -32768, 0), false},
        {I(0x05, 0, 0, -32768, 0), false},  {I(0x06, 0, 0, 0, -32768), false},
        {I(0x95, 0, 0, -32768, 0), false},  {I(0x85, 0, 0, -32768, 1), false},
        {I(0x7a, 10, 0, -32768, 1), false}, {I(0xb7, 3, 0, -32768, 1), false},
    };

    (void)state;
    for (size_t i = 0; i < CTS_ARRAY_LEN(cases); i++) {
        struct program p = MAKE(EXIT, cases[i].in, EXIT);

        assert_int_equal(cts_lx_blinding_wraps(p.code, p.slots), cases[i].wraps);
    }
    assert_false(cts_lx_blinding_wraps(NULL, 0));
}

static void test_subprograms(void **state)
{
    struct program p =
        MAKE(I(0x18, 2, 4, 0, 5), I(0x85, 0, 1, 0, 99), /* second slot: no call */
             I(0x85, 0, 1, 0, 3), I(0x85, 0, 1, 0, 2), I(0x85, 0, 1, 0, -9), EXIT, EXIT, EXIT);
    uint32_t first[MAX_SLOTS];

    (void)state;
    assert_int_equal(cts_lx_subprograms(p.code, p.slots, NULL, 0, first, MAX_SLOTS), 2);
    assert_int_equal(first[0], 0);
    assert_int_equal(first[1], 6);
    assert_int_equal(cts_lx_subprograms(p.code, p.slots, NULL, 0, first, 1), 1);
}

static void test_stack_args(void **state)
{
    struct program p = MAKE(I(0x7a, 11, 0, -56, 1), I(0x18, 2, 0, 0, 5), I(0x79, 0, 11, 40, 0),
                            I(0x79, 0, 11, 16, 0), I(0x79, 11, 0, 24, 0), I(0x79, 0, 11, -8, 0));

    (void)state;
    assert_int_equal(cts_lx_stack_args(p.code, 0, p.slots), 2); /* slot 2: half of a wide load */
    assert_int_equal(cts_lx_stack_args(p.code, 2, p.slots), 5);
    assert_int_equal(cts_lx_stack_args(p.code, 4, p.slots), 0);
    assert_int_equal(cts_lx_stack_args(p.code, 0, 0), 0);
}

/* Functions that only data name. */
static void test_functions_of_data(void **state)
{
    struct program p = MAKE(I(0x18, 2, 2, 0, 1), I(0, 0, 0, 0, 0), I(0x79, 2, 2, 8, 0),
                            I(0x8d, 2, 0, 0, 0), EXIT, EXIT, EXIT);
    /* No function: the first instruction, one that is behind none, half of one, beyond the end. */
    const uint64_t data[] = {0, 48, 16, 44, 56, 40, 48};
    struct cts_map_def map = {
        .value_bytes = sizeof(data), .entries = 1, .data = (const uint8_t *)data};
    uint32_t first[MAX_SLOTS];

    (void)state;
    assert_int_equal(cts_lx_subprograms(p.code, p.slots, &map, 1, first, MAX_SLOTS), 3);
    assert_int_equal(first[1], 5);
    assert_int_equal(first[2], 6);
    assert_int_equal(cts_lx_subprograms(p.code, p.slots, &map, 1, first, 2), 2);
    map.entries = 2;
    assert_false(cts_lx_names_functions(&map));
    assert_int_equal(cts_lx_subprograms(p.code, p.slots, &map, 1, first, MAX_SLOTS), 1);
}

/* ---- the running kernel ---- */

struct engine {
    void *self;
    struct cts_caps caps;
};

static struct engine open_engine(const char *name)
{
    struct engine e = {0};
    struct cts_err err = {0};
    int engine = cts_worker_engine(&cts_lx_adapter, name, &err);
    int rc = cts_lx_adapter.probe(&e.self, (unsigned)engine, &e.caps, &err);

    if (rc == CTS_E_UNSUPPORTED) {
        print_message("%s: %s\n", name, err.msg);
        assert_true(strlen(err.msg) > 10);
        skip();
    }
    if (rc < 0)
        fail_msg("%s: %s", name, err.msg);
    return e;
}

static void close_engine(struct engine *e)
{
    cts_lx_adapter.release(e->self);
}

static struct cts_load_res load(struct engine *e, const struct program *p, struct cts_load_req *req,
                                void **prog)
{
    struct cts_load_res res;

    req->code = p->code;
    req->slots = p->slots;
    cts_lx_adapter.load(e->self, req, prog, &res);
    return res;
}

static void expect_r0(struct engine *e, const struct program *p, struct cts_load_req *req,
                      uint64_t r0)
{
    const struct cts_run_req run_req = {.iterations = 3};
    struct cts_run_res ran;
    void *prog;
    struct cts_load_res res = load(e, p, req, &prog);

    if (res.verdict != CTS_LOAD_ACCEPTED)
        fail_msg("%d %d %s", res.verdict, res.err_no, res.text);
    for (int i = 0; i < 2; i++) {
        cts_lx_adapter.run(e->self, prog, &run_req, &ran);
        assert_int_equal(ran.status, CTS_RUN_COMPLETED);
        assert_int_equal(ran.done, 3);
        assert_int_equal(ran.r0, r0);
    }
    cts_lx_adapter.unload(e->self, prog);
}

static struct cts_load_res expect_rejected(struct engine *e, const struct program *p)
{
    struct cts_load_req req = {.kind = CTS_PROG_WHOLE, .log = true};
    void *prog = &req;
    struct cts_load_res res = load(e, p, &req, &prog);

    assert_int_equal(res.verdict, CTS_LOAD_REJECTED);
    assert_null(prog);
    assert_true(res.err_no > 0);
    return res;
}

static void test_whole(void **state)
{
    struct engine e = open_engine("jit");
    struct program p = MAKE(I(0xb7, 0, 0, 0, -2), EXIT);
    struct cts_load_req req = {.kind = CTS_PROG_WHOLE};

    (void)state;
    expect_r0(&e, &p, &req, 0xfffffffe);
    assert_int_equal(e.caps.r0_bits, 32);
    assert_int_equal(e.caps.be, CTS_HOST_IS_BE);
    assert_true(strlen(e.caps.version) > 4);
    close_engine(&e);
}

/* Rows run through the window: the program doubles the number at its index and counts on. */
static void test_window(void **state)
{
    struct engine e = open_engine("jit");
    struct program p = MAKE(I(0x18, 9, 2, 0, 0), I(0, 0, 0, 0, 128), I(0x79, 8, 9, 0, 0),
                            I(0x79, 1, 9, 64, 0), I(0x0f, 1, 1, 0, 0), I(0x7b, 9, 1, 64, 0),
                            I(0x07, 8, 0, 0, 1), I(0x7b, 9, 8, 0, 0), I(0xb7, 0, 0, 0, 0), EXIT);
    struct cts_load_req req = {.kind = CTS_PROG_WINDOW};
    const struct cts_run_req run_req = {.iterations = 5};
    struct cts_run_res ran;
    uint8_t *region = (uint8_t *)e.caps.window + 128, *other;
    void *prog;

    (void)state;
    assert_int_equal(load(&e, &p, &req, &prog).verdict, CTS_LOAD_ACCEPTED);
    cts_put64_host(region + CTS_WIN_INDEX, 40);
    cts_put64_host(region + 64, 3);
    cts_lx_adapter.run(e.self, prog, &run_req, &ran);
    assert_int_equal(ran.status, CTS_RUN_COMPLETED);
    assert_int_equal(cts_get64_host(region + CTS_WIN_INDEX), 45);
    assert_int_equal(cts_get64_host(region + 64), 96);
    /* The descriptor maps to the same memory, as another process will map it. */
    other = mmap(NULL, e.caps.window_bytes, PROT_READ, MAP_SHARED, e.caps.window_fd, 0);
    assert_ptr_not_equal(other, MAP_FAILED);
    assert_int_equal(cts_get64_host(other + 128 + 64), 96);
    munmap(other, e.caps.window_bytes);
    cts_lx_adapter.unload(e.self, prog);
    close_engine(&e);
}

/* Whether memory at a is nowhere near that at b: further away than two frames on one stack are. */
static bool far_apart(uint64_t a, uint64_t b)
{
    return a - b + 4096 > 2 * 4096;
}

/* Main writes its r10 to the window, then the functions that it calls: one of 64 bytes of stack,
 * which calls another one of 64 bytes, which calls one of 8; then main once more. */
static void frames_of(const char *name, uint64_t r10[5], uint64_t *runs)
{
    struct engine e = open_engine(name);
#define NOTE(i) I(0x18, 1, 2, 0, 0), I(0, 0, 0, 0, 128), I(0x7b, 1, 10, 8 * (i), 0)
#define TOUCH(at) I(0x7a, 10, 0, -(at), 0)
    struct program p = MAKE(NOTE(0), I(0xb7, 2, 0, 0, 1), I(0xdb, 1, 2, 56, 0), I(0x85, 0, 1, 0, 6),
                            NOTE(4), I(0xb7, 0, 0, 0, 0), TOUCH(8), EXIT,
                            /* 12 */ NOTE(1), TOUCH(64), I(0x85, 0, 1, 0, 1), EXIT,
                            /* 18 */ NOTE(2), TOUCH(64), I(0x85, 0, 1, 0, 1), EXIT,
                            /* 24 */ NOTE(3), TOUCH(8), I(0xb7, 0, 0, 0, 0), EXIT);
#undef TOUCH
#undef NOTE
    struct cts_load_req req = {.kind = CTS_PROG_WINDOW, .log = true};
    const struct cts_run_req run_req = {.iterations = 5};
    struct cts_run_res ran;
    uint8_t *region = (uint8_t *)e.caps.window + 128;
    void *prog;
    struct cts_load_res res = load(&e, &p, &req, &prog);

    if (res.verdict != CTS_LOAD_ACCEPTED)
        fail_msg("%s", res.text);
    cts_put64_host(region + 56, 0);
    cts_lx_adapter.run(e.self, prog, &run_req, &ran);
    assert_int_equal(ran.status, CTS_RUN_COMPLETED);
    assert_int_equal(ran.done, 5);
    for (unsigned i = 0; i < 5; i++)
        r10[i] = cts_get64_host(region + 8 * i);
    *runs = cts_get64_host(region + 56);
    cts_lx_adapter.unload(e.self, prog);
    close_engine(&e);
}

/* Frames of 64 bytes and more are not on the stack on which small ones are, also main's, which the
 * program keeps small; elsewhere all are on it. */
static void test_private_stack(void **state)
{
    uint64_t here[5], there[5], runs;

    (void)state;
    frames_of("private-stack", there, &runs);
    assert_int_equal(runs, 5);
    assert_true(far_apart(there[0], there[3]));
    assert_true(far_apart(there[1], there[3]));
    assert_true(far_apart(there[2], there[3]));
    assert_true(there[0] - there[1] + 64 >= 128);
    assert_true(there[1] - there[2] + 64 >= 128);
    assert_int_equal(there[4], there[0]);

    frames_of("jit", here, &runs);
    assert_int_equal(runs, 5);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(here[i] > here[i + 1]);
        assert_false(far_apart(here[i], here[i + 1]));
    }
    assert_int_equal(here[4], here[0]);
}

/* A whole program is judged as it is: what it did not write stays unwritten. */
static void test_private_stack_of_a_whole_program(void **state)
{
    struct engine e = open_engine("private-stack");
    struct program p = MAKE(I(0x7a, 10, 0, -8, 6), I(0x79, 0, 10, -8, 0), EXIT);
    struct program nothing = MAKE(EXIT);
    struct program reads = MAKE(I(0x61, 0, 1, 88, 0), I(0x07, 0, 0, 0, 7), EXIT);
    struct cts_load_req req = {.kind = CTS_PROG_WHOLE};

    (void)state;
    expect_r0(&e, &p, &req, 6);
    /* The context is all there is to read of it, and zero. */
    expect_r0(&e, &reads, &req, 7);
    assert_non_null(strstr(expect_rejected(&e, &nothing).text, "0: (95) exit"));
    assert_false(e.caps.features & (CTS_FEAT_PACKET | CTS_FEAT_HELPER_CSUM));
    close_engine(&e);
}

/* Several threads run a program at the same time: an atomic addition to the window loses nothing.
 */
static void test_threads(void **state)
{
    enum { THREADS = 4, TIMES = 5000 };
    struct engine e = open_engine("jit");
    struct program p = MAKE(I(0x18, 1, 2, 0, 0), I(0, 0, 0, 0, 128), I(0xb7, 2, 0, 0, 1),
                            I(0xdb, 1, 2, 0, 0), I(0xb7, 0, 0, 0, 7), EXIT);
    struct cts_load_req req = {.kind = CTS_PROG_WINDOW};
    struct cts_run_req run_req = {.iterations = TIMES, .threads = THREADS};
    struct cts_run_res ran;
    uint8_t *word = (uint8_t *)e.caps.window + 128;
    void *prog;

    (void)state;
    assert_true(e.caps.features & CTS_FEAT_THREADS);
    assert_int_equal(load(&e, &p, &req, &prog).verdict, CTS_LOAD_ACCEPTED);
    cts_put64_host(word, 0);
    cts_lx_adapter.run(e.self, prog, &run_req, &ran);
    assert_int_equal(ran.status, CTS_RUN_COMPLETED);
    assert_int_equal(ran.done, TIMES);
    assert_int_equal(ran.r0, 7);
    assert_int_equal(cts_get64_host(word), THREADS * TIMES);
    run_req.threads = CTS_RUN_THREADS + 1;
    cts_lx_adapter.run(e.self, prog, &run_req, &ran);
    assert_int_equal(ran.status, CTS_RUN_ERROR);
    cts_lx_adapter.unload(e.self, prog);
    close_engine(&e);
}

/* Contents are fresh at each run although the program changes them. */
static void test_maps(void **state)
{
    static const uint32_t values[] = {5, 6, 7, 8};
    struct engine e = open_engine("jit");
    const struct cts_map_def maps[] = {
        {.value_bytes = 8, .entries = 2},
        {.value_bytes = 16, .entries = 1, .data = (const void *)values}};
    struct program by_fd =
        MAKE(I(0x18, 1, 2, 0, 2), I(0, 0, 0, 0, 4), I(0x61, 0, 1, 0, 0), I(0x62, 1, 0, 0, 6), EXIT);
    struct program by_index =
        MAKE(I(0x18, 1, 6, 0, 2), I(0, 0, 0, 0, 4), I(0x61, 0, 1, 0, 0), EXIT);
    struct cts_load_req req = {.kind = CTS_PROG_WHOLE, .maps = maps, .map_count = 2};

    (void)state;
    expect_r0(&e, &by_fd, &req, 6);
    if (e.caps.features & CTS_FEAT_MAP_IDX)
        expect_r0(&e, &by_index, &req, 6);
    close_engine(&e);
}

/* A tail call of the program itself is made 33 times. */
static void test_tail_calls(void **state)
{
    struct engine e = open_engine("jit");
    const struct cts_map_def maps[] = {{.value_bytes = 8, .entries = 1},
                                       {.value_bytes = 0, .entries = 1}};
    struct program p =
        MAKE(I(0xbf, 6, 1, 0, 0), I(0x18, 7, 2, 0, 1), I(0, 0, 0, 0, 0), I(0xb7, 1, 0, 0, 1),
             I(0xdb, 7, 1, 0, 0), I(0xbf, 1, 6, 0, 0), I(0x18, 2, 1, 0, 2), I(0, 0, 0, 0, 0),
             I(0xb7, 3, 0, 0, 0), I(0x85, 0, 0, 0, 12), I(0x61, 0, 7, 0, 0), EXIT);
    struct cts_load_req req = {.kind = CTS_PROG_WHOLE, .maps = maps, .map_count = 2};
    const struct cts_run_req once = {.iterations = 1};
    struct cts_run_res ran;
    void *prog;

    (void)state;
    if (e.caps.features & CTS_FEAT_TAIL_CALL) {
        struct cts_load_res res = load(&e, &p, &req, &prog);

        if (res.verdict != CTS_LOAD_ACCEPTED)
            fail_msg("%s", res.text);
        cts_lx_adapter.run(e.self, prog, &once, &ran);
        assert_int_equal(ran.r0, 34);
        cts_lx_adapter.unload(e.self, prog);
    }
    close_engine(&e);
}

/* A kernel that has no calls of addresses refuses the program for that, and for nothing that was
 * done to its map. */
static void test_function_from_data(void **state)
{
    struct engine e = open_engine("jit");
    const uint64_t data[] = {0x1234, 48};
    const struct cts_map_def map = {
        .value_bytes = sizeof(data), .entries = 1, .data = (const uint8_t *)data};
    struct program p =
        MAKE(I(0x18, 2, 2, 0, 1), I(0, 0, 0, 0, 0), I(0x79, 2, 2, 8, 0), I(0xb7, 1, 0, 0, 10),
             I(0x8d, 2, 0, 0, 0), EXIT, I(0xbf, 0, 1, 0, 0), I(0x07, 0, 0, 0, 1), EXIT);
    struct cts_load_req req = {.kind = CTS_PROG_WHOLE, .log = true, .maps = &map, .map_count = 1};
    void *prog;

    (void)state;
    if (e.caps.features & CTS_FEAT_FUNCTION_DATA) {
        expect_r0(&e, &p, &req, 11);
    } else {
        struct cts_load_res res = load(&e, &p, &req, &prog);

        assert_int_equal(res.verdict, CTS_LOAD_REJECTED);
        if (!strstr(res.text, "opcode 8d") && !strstr(res.text, "func_info"))
            fail_msg("%s", res.text);
    }
    close_engine(&e);
}

/* The kernel takes the types, and a function of so many arguments. */
static void test_own_btf(void **state)
{
    struct engine e = open_engine("jit");
    struct program p = MAKE(I(0x85, 0, 1, 0, 1), EXIT, I(0x79, 0, 11, 56, 0), EXIT);
    struct cts_load_req req = {.kind = CTS_PROG_WHOLE, .log = true};
    void *prog;
    struct cts_load_res res = load(&e, &p, &req, &prog);

    (void)state;
    assert_int_equal(res.verdict, CTS_LOAD_REJECTED);
    if (!(e.caps.features & CTS_FEAT_STACK_ARGS) && !strstr(res.text, "R11"))
        fail_msg("%s", res.text);
    close_engine(&e);
}

static void test_rejections(void **state)
{
    struct engine e = open_engine("jit");
    struct cts_load_res res;
    struct program uninitialised = MAKE(EXIT);
    struct program no_map =
        MAKE(I(0x18, 1, 1, 0, 9999), I(0, 0, 0, 0, 0), I(0xb7, 0, 0, 0, 0), EXIT);
    struct program no_index =
        MAKE(I(0x18, 1, 5, 0, 900), I(0, 0, 0, 0, 0), I(0xb7, 0, 0, 0, 0), EXIT);
    struct program wild = MAKE(I(0x18, 1, 5, 0, -5), I(0, 0, 0, 0, 0), I(0xb7, 0, 0, 0, 0), EXIT);
    struct program no_function = MAKE(I(0x85, 0, 2, 0, 12345678), I(0xb7, 0, 0, 0, 0), EXIT);
    struct program bad_opcode = MAKE(I(0xff, 0, 0, 0, 0), EXIT);
    struct program empty = {.slots = 0};

    (void)state;
    res = expect_rejected(&e, &uninitialised);
    assert_int_equal(res.err_no, EACCES);
    assert_memory_equal(res.text, "R0 !read_ok", 11);
    res = expect_rejected(&e, &bad_opcode);
    assert_int_equal(res.err_no, EINVAL);
    expect_rejected(&e, &no_map);
    expect_rejected(&e, &no_index);
    expect_rejected(&e, &wild);
    expect_rejected(&e, &no_function);
    expect_rejected(&e, &empty);
    close_engine(&e);
}

static void test_unknown_name(void **state)
{
    struct engine e = open_engine("jit");
    const char *name = "cts_no_such_function";
    struct program p = MAKE(I(0x85, 0, 2, 0, 0), I(0xb7, 0, 0, 0, 0), EXIT);
    struct cts_load_req req = {.kind = CTS_PROG_WHOLE, .names = &name, .name_count = 1};
    struct cts_load_res res;
    void *prog;

    (void)state;
    res = load(&e, &p, &req, &prog);
    assert_int_equal(res.verdict, CTS_LOAD_REJECTED);
    assert_non_null(strstr(res.text, e.caps.features & CTS_FEAT_BTF_CALL ? name : ""));
    close_engine(&e);
}

static void test_packet(void **state)
{
    static const uint8_t packet[20] = {[3] = 9, [19] = 200};
    struct program p = MAKE(I(0xbf, 6, 1, 0, 0), I(0x30, 0, 0, 0, 19), EXIT);
    struct cts_load_req req = {.kind = CTS_PROG_WHOLE, .packet = true};
    const struct cts_run_req run_req = {
        .iterations = 1, .packet = packet, .packet_bytes = sizeof(packet)};
    struct engine e = open_engine("jit");
    struct cts_run_res ran;
    void *prog;

    (void)state;
    assert_true(e.caps.features & CTS_FEAT_PACKET);
    assert_int_equal(load(&e, &p, &req, &prog).verdict, CTS_LOAD_ACCEPTED);
    cts_lx_adapter.run(e.self, prog, &run_req, &ran);
    assert_int_equal(ran.status, CTS_RUN_COMPLETED);
    assert_int_equal(ran.r0, 200);
    cts_lx_adapter.unload(e.self, prog);
    close_engine(&e);
}

/* What giving up capabilities does cannot be undone: in a process of its own. */
static void test_cap_bpf(void **state)
{
    struct engine first = open_engine("jit");
    int status;
    pid_t child;

    (void)state;
    close_engine(&first);
    fflush(NULL);
    child = fork();
    if (child == 0) {
        struct cts_caps caps = {0};
        struct cts_err err = {0};
        void *self;

        int engine = cts_worker_engine(&cts_lx_adapter, "cap-bpf", &err);

        if (cts_lx_adapter.probe(&self, (unsigned)engine, &caps, &err) < 0) {
            fprintf(stderr, "cap-bpf: %s\n", err.msg);
            _exit(1);
        }
        _exit(caps.features & (CTS_FEAT_POINTERS | CTS_FEAT_STACK_UNINIT) ? 2 : 0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_limits_of_a_run(void **state)
{
    struct engine e = open_engine("jit");
    struct program p = MAKE(I(0xb7, 0, 0, 0, 0), EXIT);
    struct cts_load_req req = {.kind = CTS_PROG_WHOLE};
    const struct cts_run_req run_req = {.iterations = e.caps.max_iterations + 1};
    struct cts_run_res ran;
    void *prog;

    (void)state;
    assert_int_equal(load(&e, &p, &req, &prog).verdict, CTS_LOAD_ACCEPTED);
    cts_lx_adapter.run(e.self, prog, &run_req, &ran);
    assert_int_equal(ran.status, CTS_RUN_ERROR);
    cts_lx_adapter.unload(e.self, prog);
    close_engine(&e);
}

static void test_hardened(void **state)
{
    struct engine e = open_engine("jit-hardened");
    struct program p = MAKE(I(0xb7, 0, 0, 0, 0x12345678), EXIT);
    struct cts_load_req req = {.kind = CTS_PROG_WHOLE};

    (void)state;
    expect_r0(&e, &p, &req, 0x12345678);
    close_engine(&e);
}

static void test_interp(void **state)
{
    struct engine e = open_engine("interp");
    struct program p = MAKE(I(0xb7, 0, 0, 0, 5), EXIT);
    struct cts_load_req req = {.kind = CTS_PROG_WHOLE};

    (void)state;
    expect_r0(&e, &p, &req, 5);
    close_engine(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_text),
        cmocka_unit_test(test_log_walked),
        cmocka_unit_test(test_btf_find),
        cmocka_unit_test(test_btf_hostile),
        cmocka_unit_test(test_patch),
        cmocka_unit_test(test_patch_wild_index),
        cmocka_unit_test(test_blinding_wraps),
        cmocka_unit_test(test_subprograms),
        cmocka_unit_test(test_functions_of_data),
        cmocka_unit_test(test_stack_args),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_private_stack),
        cmocka_unit_test(test_private_stack_of_a_whole_program),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_maps),
        cmocka_unit_test(test_tail_calls),
        cmocka_unit_test(test_function_from_data),
        cmocka_unit_test(test_own_btf),
        cmocka_unit_test(test_rejections),
        cmocka_unit_test(test_unknown_name),
        cmocka_unit_test(test_packet),
        cmocka_unit_test(test_cap_bpf),
        cmocka_unit_test(test_limits_of_a_run),
        cmocka_unit_test(test_hardened),
        cmocka_unit_test(test_interp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
