/* uses: base host isa wire link pack result core */
#include "book.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/alone.h"
#include "core/exec.h"
#include "core/review.h"
#include "core/variant.h"
#include "core/fill.h"
#include "core/state.h"

/* Long sweeps and two halves under way, on every kind of window, shared or in frames. */

#define FAKE CTS_BINARY_DIR "/tests/cts-fake-worker"

enum { ITERATIONS = 8, PLENTY_MS = 60000 };

static const struct kind {
    const char *engine, *window; /* FAKE_WINDOW */
    enum cts_window_kind kind;
} kinds[] = {
    {"interp", "", CTS_WK_NATIVE},       {"interp-be", "", CTS_WK_NATIVE},
    {"interp-env", "map", CTS_WK_MAP},   {"interp-env-be", "map", CTS_WK_MAP},
    {"interp-env", "", CTS_WK_ABSOLUTE}, {"interp-env-be", "", CTS_WK_ABSOLUTE},
    {"interp-arg", "", CTS_WK_ARGUMENT},
};

struct stage {
    struct court court;
    struct cts_session session;
    struct cts_core_opts opts;
    struct cts_exec *exec;
    struct cts_pipeline pipe;
    const char *argv[4];
    uint32_t unit;
};

/* r3 += r4, swept over both. */
static uint32_t add_sweep(struct book *b)
{
    static struct cts_pk_sweep sweep;
    static struct cts_pk_operand operand[2];
    static const struct cts_insn add = {.opcode = 0x0f, .dst = 3, .src = 4};
    struct cts_pack *p = &b->pack;
    add_vector(b, "window/sweep", CTS_INSN_ADD64_X);
    uint32_t u = p->unit_count++;
    b->vector[0].units.count++;
    b->unit[u] = (struct cts_pk_unit){
        .label = say(b, "by hand"),
        .code = put_code(b, &add, 1),
        .slots = 1,
        .body_slots = 1,
        .sweep = 0,
        .layout = {.spill = -CTS_STACK_BYTES, .out_mask = 0x3ff, .body_slots = 1}};
    for (unsigned i = 0; i < 2; i++)
        operand[i] = (struct cts_pk_operand){
            .target = CTS_SWEEP_REG, .reg = (uint8_t)(3 + i), .domain = CTS_DOM_U64};
    for (unsigned i = 0; i < 10; i++)
        b->state[0].r[i] = 0x1111111111111111u * (i + 1);
    b->state[0].mem = b->state[0].stack = (struct cts_pk_bytes_ref){
        .data = UINT32_MAX, .width = UINT32_MAX, .any = UINT32_MAX, .be = UINT32_MAX};
    p->state_count = 1;
    sweep = (struct cts_pk_sweep){.kase = 0, .base = 0, .operands = {0, 2}};
    p->sweeps = &sweep;
    p->operands = operand;
    return u;
}

static void set(const char *name, const char *value)
{
    if (value)
        assert_int_equal(setenv(name, value, 1), 0);
    else
        assert_int_equal(unsetenv(name), 0);
}

static void open_stage(struct stage *g, const struct kind *k, bool shared, uint32_t iterations)
{
    struct cts_err err = {0};
    char most[16];
    memset(g, 0, sizeof(*g));
    snprintf(most, sizeof(most), "%u", iterations);
    set("FAKE_WINDOW", k->window);
    set("FAKE_UNSHARED", shared ? NULL : "1");
    set("FAKE_ITERATIONS", most);
    court_init(&g->court);
    g->unit = add_sweep(&g->court.book);
    g->argv[0] = FAKE;
    g->argv[1] = "--fault";
    g->argv[2] = "odd-row";
    g->opts = (struct cts_core_opts){.jobs = 1, .timeout_ms = PLENTY_MS};
    cts_session_init(&g->session, g->argv, k->engine);
    if (cts_session_start(&g->session, PLENTY_MS, &err) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(g->session.shared, shared);
    assert_int_equal(g->session.caps.window_kind, k->kind);
    g->court.judge.caps = &g->session.caps;
    g->exec = cts_exec_new(&g->session, &g->opts, &err);
    assert_non_null(g->exec);
    assert_int_equal(cts_pipeline_init(&g->pipe, &g->session, &g->opts, &err), 0);
}

static void close_stage(struct stage *g)
{
    cts_exec_free(g->exec);
    cts_pipeline_release(&g->pipe);
    cts_session_release(&g->session);
    court_release(&g->court);
}

/* The first `rows` of the sweep. */
static struct cts_seg *seg_with(struct stage *g, uint32_t rows)
{
    struct cts_arena *arena = &g->court.book.arena;
    struct cts_seg *seg = cts_arena_take(arena, sizeof(*seg));
    assert_non_null(seg);
    assert_int_equal(cts_seg_init(seg, &g->court.book.pack, g->unit, &g->session.caps,
                                  g->opts.level, arena, NULL),
                     0);
    assert_true(rows <= seg->rows);
    seg->rows = rows;
    return seg;
}

static const struct cts_track *sweep(struct stage *g, uint32_t rows)
{
    forget(&g->court);
    g->court.judge.unit_count = g->court.book.pack.unit_count;
    const struct cts_wrong none = cts_not_wrong();
    cts_alone_run_long_sweep(&g->pipe, &g->court.judge, seg_with(g, rows), &none);
    assert_true(g->court.tracks[0].seen);
    count_rows(&g->court);
    return &g->court.tracks[0];
}

/* Half a ring, one more, a whole one, one more, several; and a program's number of iterations, for
 * rings of that size. */
static const uint32_t lengths[] = {1,
                                   ITERATIONS - 1,
                                   ITERATIONS,
                                   ITERATIONS + 1,
                                   2 * ITERATIONS,
                                   2 * ITERATIONS + 1,
                                   3 * ITERATIONS,
                                   4 * ITERATIONS + 1,
                                   11 * ITERATIONS + 3};

static void every_row_of_every_length_is_run(void **state)
{
    static struct stage g;
    unsigned tried = 0;
    (void)state;
    set("FAKE_ODD", NULL);
    for (size_t k = 0; k < 2 * CTS_ARRAY_LEN(kinds); k++) {
        open_stage(&g, &kinds[k / 2], k % 2, ITERATIONS);
        for (size_t i = 0; i < CTS_ARRAY_LEN(lengths); i++, tried++) {
            const struct cts_track *t = sweep(&g, lengths[i]);
            if (t->status != CTS_ST_PASS || t->operand_tuples != lengths[i])
                fail_msg("%s%s, %s, %u rows: %s, %u rows told, %s\n%s", kinds[k / 2].engine,
                         kinds[k / 2].window, k % 2 ? "shared" : "in frames", lengths[i],
                         cts_status_name(t->status), (unsigned)t->operand_tuples, t->message,
                         t->detail);
        }
        assert_int_equal(g.session.restarts, 0);
        close_stage(&g);
    }
    assert_int_equal(tried, 2 * CTS_ARRAY_LEN(kinds) * CTS_ARRAY_LEN(lengths));
}

/* The input in r4 of a row, as it is shown and as the worker is told. */
static const char *input_of(struct stage *g, uint32_t row, char text[32])
{
    struct cts_seg *seg = seg_with(g, row + 1);
    uint8_t at[ROW_BYTES], expect[ROW_BYTES];
    cts_seg_fill(seg, row, at, expect);
    snprintf(text, 32, "0x%016llx",
             (unsigned long long)cts_order_get64(seg->be, at + CTS_ENTRY_IN + 32));
    return text;
}

enum { WRONG = 2 * ITERATIONS + 3, ROWS = 5 * ITERATIONS };

/* The value of r4 in that row: all of the first rows have others. */
static void tell_odd(const struct kind *k)
{
    static struct stage g;
    char wrong[32], other[32];
    open_stage(&g, k, true, ITERATIONS);
    input_of(&g, WRONG, wrong);
    for (uint32_t r = 0; r < WRONG; r++)
        if (strcmp(input_of(&g, r, other), wrong) == 0)
            fail_msg("row %u has the input of row %d", r, WRONG);
    close_stage(&g);
    set("FAKE_ODD", wrong);
}

static void a_wrong_row_of_a_later_ring_is_named(void **state)
{
    static struct stage g;
    (void)state;
    set("FAKE_STATE", NULL);
    for (size_t k = 0; k < 2 * CTS_ARRAY_LEN(kinds); k++) {
        tell_odd(&kinds[k / 2]);
        open_stage(&g, &kinds[k / 2], k % 2, ITERATIONS);
        const struct cts_track *t = sweep(&g, ROWS);
        if (t->failure != CTS_FL_WRONG_RESULT || !strstr(t->detail, getenv("FAKE_ODD") + 2))
            fail_msg("%s, %s: %s: %s\n%s", kinds[k / 2].engine, k % 2 ? "shared" : "in frames",
                     cts_failure_name(t->failure), t->message, t->detail);
        close_stage(&g);
    }
    set("FAKE_ODD", NULL);
}

/* What was wrong among others and is right alone: the state that was wrong is shown. */
static void what_was_wrong_once_is_shown(void **state)
{
    static struct stage g;
    char file[] = "/tmp/cts-test-window-XXXXXX";
    (void)state;
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    close(fd);
    set("FAKE_STATE", file);
    for (size_t k = 0; k < 4 * CTS_ARRAY_LEN(kinds); k++) {
        bool is_long = k & 1, shared = k & 2;
        tell_odd(&kinds[k / 4]);
        unlink(file);
        open_stage(&g, &kinds[k / 4], shared, is_long ? ITERATIONS : 1 << 20);
        const struct cts_track *t = &g.court.tracks[0];
        if (is_long) {
            t = sweep(&g, ROWS);
        } else {
            struct cts_err err = {0};
            forget(&g.court);
            assert_int_equal(cts_exec_units(g.exec, &g.court.judge, &g.unit, 1, &err), 0);
        }
        if (t->failure != CTS_FL_FLAKY || !strstr(t->detail, "0000000000000001\n") ||
            !strstr(t->detail, getenv("FAKE_ODD") + 2))
            fail_msg("%s, %s: %s: %s\n%s", kinds[k / 4].engine, shared ? "shared" : "in frames",
                     cts_failure_name(t->failure), t->message, t->detail);
        close_stage(&g);
    }
    unlink(file);
    set("FAKE_STATE", NULL);
    set("FAKE_ODD", NULL);
}

/* What is read of a window that has gone is zeros, which may be what was expected. */
static void no_row_of_a_window_that_is_gone_is_believed(void **state)
{
    static struct stage g;
    (void)state;
    for (unsigned gone = 0; gone < 2; gone++) {
        struct cts_err err = {0};
        open_stage(&g, &kinds[0], true, ITERATIONS);
        g.court.book.unit[g.unit].layout.out_mask = 1 << 3;
        struct cts_seg *seg = seg_with(&g, 1); /* 0 + 0 */
        const struct cts_program made = cts_program_of(seg, 0, 1);
        assert_int_equal(cts_pipeline_run(&g.pipe, &made, &err), 0);
        void *window = g.session.caps.window;
        size_t bytes = g.session.caps.window_bytes;
        if (gone)
            assert_ptr_equal(
                mmap(window, bytes, PROT_NONE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                window);
        struct cts_wrong wrong = cts_not_wrong();
        uint32_t bad =
            cts_review_entries(&g.pipe, &g.court.judge, &g.pipe.batch[0]->program[0], 0, &wrong);
        assert_int_equal(bad, gone ? 0 : UINT32_MAX);
        assert_int_equal(wrong.tuple, bad);
        assert_int_equal(g.court.tracks[0].seen, !gone);
        assert_int_equal(cts_pipeline_run(&g.pipe, &made, &err), gone ? CTS_E_PROTOCOL : 0);
        close_stage(&g);
    }
}

/* However small the window: all of it is run, or none for want of room. */
static void small_windows_are_taken_as_they_are(void **state)
{
    static const char *const sizes[] = {"64",  "72",  "120", "192", "448",
                                        "512", "576", "768", "4096"};
    static struct stage g;
    unsigned passed = 0, skipped = 0;
    (void)state;
    for (size_t i = 0; i < 2 * CTS_ARRAY_LEN(sizes) * CTS_ARRAY_LEN(kinds); i++) {
        const struct kind *k = &kinds[i / 2 % CTS_ARRAY_LEN(kinds)];
        struct cts_err err = {0};
        set("FAKE_WINDOW_BYTES", sizes[i / 2 / CTS_ARRAY_LEN(kinds)]);
        open_stage(&g, k, i % 2, 1 << 20);
        int rc = cts_exec_units(g.exec, &g.court.judge, &g.unit, 1, &err);
        const struct cts_track *t = &g.court.tracks[0];
        if (rc != 0 || (t->status != CTS_ST_PASS && t->status != CTS_ST_SKIP))
            fail_msg("%s, %s bytes: %s %s %s\n%s", k->engine, getenv("FAKE_WINDOW_BYTES"), err.msg,
                     cts_status_name(t->status), t->message, t->detail);
        passed += t->status == CTS_ST_PASS;
        skipped += t->status == CTS_ST_SKIP;
        assert_int_equal(g.session.restarts, 0);
        close_stage(&g);
    }
    set("FAKE_WINDOW_BYTES", NULL);
    assert_true(passed > 0 && skipped > 0);
}

int main(void)
{
    /* The first comes first: cmocka's handler of SIGSEGV takes the place of one set before a test.
     */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_row_of_a_window_that_is_gone_is_believed),
        cmocka_unit_test(every_row_of_every_length_is_run),
        cmocka_unit_test(a_wrong_row_of_a_later_ring_is_named),
        cmocka_unit_test(what_was_wrong_once_is_shown),
        cmocka_unit_test(small_windows_are_taken_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
