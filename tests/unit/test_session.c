/* uses: base host isa wire link pack result core */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/session.h"
#include "host/clock.h"
#include "host/fs.h"

/* The worker of these tests is tests/fakes: right, but for the fault it is told to have. */
#define FAKE CTS_BINARY_DIR "/tests/cts-fake-worker"

enum { MARK = 0xdead, PLENTY_MS = 20000, SHORT_MS = 400 };

struct fake {
    const char *argv[4];
    struct cts_session s;
    struct cts_err err;
};

static void init(struct fake *f, const char *fault)
{
    *f = (struct fake){.argv = {FAKE, "--fault", fault, NULL}};
    cts_session_init(&f->s, f->argv, "interp");
}

static void open_session(struct fake *f, const char *fault)
{
    init(f, fault);
    int rc = cts_session_start(&f->s, PLENTY_MS, &f->err);
    if (rc)
        print_error("%s\n", f->err.msg);
    assert_int_equal(rc, 0);
    assert_true(f->s.up);
}

/* A whole program: r0 = value; exit. */
struct program {
    uint8_t code[16];
};

static struct program returns(uint32_t value)
{
    struct program p = {{0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95}};
    cts_put32le(p.code + 4, value);
    return p;
}

static struct cts_item whole(const struct program *p)
{
    struct cts_item it = {.ops = CTS_STEP_LOAD | CTS_STEP_RUN | CTS_STEP_UNLOAD,
                          .load = {.kind = CTS_PROG_WHOLE, .code = p->code, .slots = 2},
                          .run = {.iterations = 1}};
    return it;
}

static int ask(struct fake *f, uint32_t value, unsigned timeout_ms)
{
    struct program p = returns(value);
    struct cts_item it = whole(&p);
    return cts_session_ask(&f->s, &it, 1, timeout_ms, &f->err);
}

static int answer(struct fake *f, struct cts_answer *a, unsigned timeout_ms)
{
    return cts_session_answer(&f->s, a, 1, timeout_ms, &f->err);
}

/* One request and its response; 0: the r0 that came. */
static int round_trip(struct fake *f, uint32_t value, unsigned timeout_ms, uint64_t *r0)
{
    static struct cts_answer a;
    int rc = ask(f, value, timeout_ms);
    if (rc == 0)
        rc = answer(f, &a, timeout_ms);
    *r0 = rc == 0 ? a.run.r0 : 0;
    return rc;
}

static void assert_says(const struct fake *f, const char *what)
{
    if (!strstr(f->err.msg, what))
        print_error("'%s' is not in: %s\n", what, f->err.msg);
    assert_non_null(strstr(f->err.msg, what));
}

static unsigned ms_since(uint64_t start)
{
    return (unsigned)((cts_clock_ns() - start) / 1000000);
}

/* A worker as it should be. */

static void test_handshake(void **state)
{
    struct fake f;
    (void)state;
    open_session(&f, "none");
    assert_string_equal(f.s.caps.runtime, "fake");
    assert_string_equal(f.s.caps.engine, "interp");
    assert_int_equal(f.s.caps.r0_bits, 64);
    assert_non_null(f.s.caps.window);
    assert_int_equal(f.s.restarts, 0);
    cts_session_stop(&f.s);
    assert_false(f.s.up);
    assert_int_equal(cts_session_start(&f.s, PLENTY_MS, NULL), 0);
    assert_int_equal(f.s.restarts, 1);
    cts_session_release(&f.s);
}

static void test_request_and_response(void **state)
{
    struct fake f;
    static struct cts_answer a;
    (void)state;
    open_session(&f, "none");
    assert_int_equal(ask(&f, 42, PLENTY_MS), 0);
    assert_int_equal(cts_session_pending(&f.s), 1);
    assert_int_equal(answer(&f, &a, PLENTY_MS), 0);
    assert_int_equal(cts_session_pending(&f.s), 0);
    assert_int_equal(a.ops, CTS_STEP_LOAD | CTS_STEP_RUN | CTS_STEP_UNLOAD);
    assert_int_equal(a.load.verdict, CTS_LOAD_ACCEPTED);
    assert_int_equal(a.run.status, CTS_RUN_COMPLETED);
    assert_int_equal(a.run.done, 1);
    assert_int_equal(a.run.r0, 42);

    struct program bad = returns(1);
    bad.code[0] = 0xff;
    struct cts_item it = whole(&bad);
    assert_int_equal(cts_session_ask(&f.s, &it, 1, PLENTY_MS, NULL), 0);
    assert_int_equal(answer(&f, &a, PLENTY_MS), 0);
    assert_int_equal(a.ops, CTS_STEP_LOAD);
    assert_int_equal(a.load.verdict, CTS_LOAD_REJECTED);
    assert_true(a.load.text[0]);
    cts_session_release(&f.s);
}

static void test_many_requests_under_way(void **state)
{
    struct fake f;
    uint32_t asked = 0, answered = 0;
    static struct cts_answer a;
    (void)state;
    open_session(&f, "none");
    while (answered < 1000) {
        while (asked < 1000 && cts_session_pending(&f.s) < CTS_SESSION_DEPTH)
            assert_int_equal(ask(&f, asked++, PLENTY_MS), 0);
        assert_int_equal(answer(&f, &a, PLENTY_MS), 0);
        assert_int_equal(a.run.r0, answered++);
    }
    cts_session_release(&f.s);
}

/* Megabytes in both directions while nobody reads answers: more than the pipes hold. */
static void test_large_requests_under_way(void **state)
{
    enum { ITEMS = 4096, REQUESTS = 4 };
    struct fake f;
    static struct program programs[ITEMS];
    static uint8_t packet[600];
    struct cts_item *items = calloc(ITEMS, sizeof(*items));
    struct cts_answer *answers = calloc(ITEMS, sizeof(*answers));
    (void)state;
    assert_non_null(items);
    assert_non_null(answers);
    open_session(&f, "none");
    for (uint32_t i = 0; i < ITEMS; i++) {
        programs[i] = returns(i);
        if (i % 2)
            programs[i].code[0] = 0xff; /* rejections have text */
        items[i] = whole(&programs[i]);
        items[i].run.packet = packet;
        items[i].run.packet_bytes = sizeof(packet);
    }
    for (unsigned i = 0; i < REQUESTS; i++)
        assert_int_equal(cts_session_ask(&f.s, items, ITEMS, PLENTY_MS, &f.err), 0);
    for (unsigned i = 0; i < REQUESTS; i++) {
        assert_int_equal(cts_session_answer(&f.s, answers, ITEMS, PLENTY_MS, &f.err), 0);
        for (uint32_t j = 0; j < ITEMS; j++)
            assert_int_equal(answers[j].load.verdict,
                             j % 2 ? CTS_LOAD_REJECTED : CTS_LOAD_ACCEPTED);
        assert_int_equal(answers[ITEMS - 2].run.r0, ITEMS - 2);
    }
    free(items);
    free(answers);
    cts_session_release(&f.s);
}

static void test_callers_mistakes_cost_nothing(void **state)
{
    struct fake f;
    struct program p = returns(5);
    struct cts_item it = whole(&p);
    static struct cts_answer a[2];
    uint64_t r0;
    (void)state;
    init(&f, "none");
    assert_int_equal(cts_session_ask(&f.s, &it, 1, 0, NULL), CTS_E_INVAL);
    cts_session_release(&f.s);
    open_session(&f, "unshared");
    assert_int_equal(answer(&f, a, PLENTY_MS), CTS_E_INVAL);
    assert_int_equal(cts_session_ask(&f.s, NULL, 0, PLENTY_MS, NULL), 0);
    assert_int_equal(cts_session_answer(&f.s, NULL, 0, PLENTY_MS, NULL), 0);
    it.entries_off = f.s.caps.window_bytes - 8;
    it.entries_bytes = 16;
    assert_int_equal(cts_session_ask(&f.s, &it, 1, 0, NULL), CTS_E_INVAL);
    it.entries_bytes = 0;
    it.load.slots = UINT32_MAX;
    assert_int_equal(cts_session_ask(&f.s, &it, 1, 0, NULL), CTS_E_LIMIT);
    for (unsigned i = 0; i < CTS_SESSION_DEPTH; i++)
        assert_int_equal(ask(&f, i, PLENTY_MS), 0);
    assert_int_equal(ask(&f, 0, PLENTY_MS), CTS_E_LIMIT);
    assert_int_equal(cts_session_answer(&f.s, a, 2, 0, NULL), CTS_E_INVAL);
    for (unsigned i = 0; i < CTS_SESSION_DEPTH; i++) {
        assert_int_equal(answer(&f, a, PLENTY_MS), 0);
        assert_int_equal(a->run.r0, i);
    }
    f.err = (struct cts_err){0};
    assert_int_equal(round_trip(&f, 6, PLENTY_MS, &r0), 0);
    assert_int_equal(r0, 6);
    cts_session_release(&f.s);
}

/* Windows. */

enum { ROWS = 4, STRIDE = 256 };

static const struct cts_layout layout = {
    .region = 128, .rows = ROWS, .stride = STRIDE, .out_mask = 0x3ff, .spill = -8, .body_slots = 1};

static struct cts_item body(const struct program *p)
{
    struct cts_item it = {.ops = CTS_STEP_LOAD | CTS_STEP_RUN | CTS_STEP_UNLOAD,
                          .load = {.kind = CTS_PROG_WINDOW,
                                   .code = p->code,
                                   .slots = 1,
                                   .layout = &layout,
                                   .segments = 1},
                          .run = {.iterations = ROWS},
                          .entries_off = layout.region,
                          .entries_bytes = cts_layout_bytes(&layout)};
    return it;
}

static uint8_t *row(struct fake *f, unsigned i)
{
    return (uint8_t *)f->s.caps.window + layout.region + CTS_WIN_HEADER + i * STRIDE;
}

static void fill_rows(struct fake *f)
{
    for (unsigned i = 0; i < ROWS; i++) {
        memset(row(f, i), 0xee, STRIDE);
        for (unsigned r = 0; r < 10; r++)
            cts_put64le(row(f, i) + 8 * r, 1000 * i + r);
    }
}

static void assert_rows(struct fake *f, uint64_t r0)
{
    for (unsigned i = 0; i < ROWS; i++) {
        assert_int_equal(cts_get64le(row(f, i) + CTS_ENTRY_OUT), r0);
        for (unsigned r = 1; r < 10; r++)
            assert_int_equal(cts_get64le(row(f, i) + CTS_ENTRY_OUT + 8 * r), 1000 * i + r);
        assert_int_equal(row(f, i)[CTS_ENTRY_END], CTS_ENDED_FELL_THROUGH);
    }
}

static int run_body(struct fake *f, uint32_t value, struct cts_answer *a)
{
    struct program p = returns(value);
    struct cts_item it = body(&p);
    fill_rows(f);
    int rc = cts_session_ask(&f->s, &it, 1, PLENTY_MS, &f->err);
    return rc ? rc : answer(f, a, PLENTY_MS);
}

static void test_rows_through_a_shared_window(void **state)
{
    struct fake f;
    static struct cts_answer a;
    (void)state;
    open_session(&f, "none");
    int fd = cts_proc_take_fd(
        &f.s.link.proc, 0); /* where the kernel lets nobody have it, there is nothing to test */
    if (fd < 0) {
        cts_session_release(&f.s);
        skip();
    }
    close(fd);
    assert_true(f.s.shared);
    assert_int_equal(run_body(&f, 7, &a), 0);
    assert_int_equal(a.ops, CTS_STEP_LOAD | CTS_STEP_RUN | CTS_STEP_UNLOAD);
    assert_rows(&f, 7);
    /* What the worker wrote stays readable when it is gone. */
    cts_session_stop(&f.s);
    assert_rows(&f, 7);
    cts_session_release(&f.s);
    assert_null(f.s.caps.window);
}

/* cmocka has handlers of its own during a test. */
static struct sigaction take_fault[2];

/* What the harness shares it has looked at; if it goes all the same, that is the worker's fault,
 * told where it shows, and no end of ours. */
static void test_a_window_that_goes(void **state)
{
    static struct cts_answer a;
    (void)state;
    for (unsigned when = 0; when < 2; when++) {
        struct fake f;
        struct sigaction before[2];
        open_session(&f, "none");
        if (!f.s.shared) {
            cts_session_release(&f.s);
            skip();
        }
        for (unsigned i = 0; i < 2; i++)
            sigaction(i ? SIGSEGV : SIGBUS, &take_fault[i], &before[i]);
        assert_int_equal(run_body(&f, 7, &a), 0);
        struct program p = returns(8);
        struct cts_item it = body(&p);
        if (when == 0) /* before the request: the rows are written */
            mprotect(f.s.caps.window, f.s.caps.window_bytes, PROT_NONE);
        fill_rows(&f);
        int rc = cts_session_ask(&f.s, &it, 1, PLENTY_MS, &f.err);
        if (when == 1) { /* nobody has looked at the rows yet */
            assert_int_equal(rc, 0);
            mprotect(f.s.caps.window, f.s.caps.window_bytes, PROT_NONE);
            rc = answer(&f, &a, PLENTY_MS);
        }
        assert_int_equal(rc, CTS_E_PROTOCOL);
        assert_says(&f, "broke the protocol: its window went away");
        for (unsigned i = 0; i < 2; i++)
            sigaction(i ? SIGSEGV : SIGBUS, &before[i], NULL);
        /* The next one has a window of its own. */
        cts_err_clear(&f.err);
        assert_int_equal(cts_session_start(&f.s, PLENTY_MS, &f.err), 0);
        assert_int_equal(run_body(&f, 9, &a), 0);
        assert_rows(&f, 9);
        cts_session_release(&f.s);
    }
}

/* The same where nothing is shared, or what is offered cannot be trusted to keep its size. */
static void test_rows_that_travel(void **state)
{
    static const char *const faults[] = {"unshared", "small-window"};
    (void)state;
    for (unsigned i = 0; i < CTS_ARRAY_LEN(faults); i++) {
        struct fake f;
        static struct cts_answer a;
        open_session(&f, faults[i]);
        assert_false(f.s.shared);
        assert_int_equal(run_body(&f, 7, &a), 0);
        assert_int_equal(a.ops, CTS_STEP_LOAD | CTS_STEP_RUN | CTS_STEP_UNLOAD);
        assert_null(a.rows);
        assert_rows(&f, 7);
        memset(f.s.caps.window, 0, 128);
        assert_int_equal(run_body(&f, 8, &a), 0);
        assert_rows(&f, 8);
        assert_int_equal(((uint8_t *)f.s.caps.window)[64], 0);
        cts_session_release(&f.s);
    }
}

/* Workers that are wrong in what they compute are right for a session: it is for others to judge.
 */

static void test_liars_are_believed(void **state)
{
    struct fake f;
    static struct cts_answer a;
    (void)state;
    open_session(&f, "lie");
    assert_int_equal(run_body(&f, 7, &a), 0);
    assert_int_equal(a.run.status, CTS_RUN_COMPLETED);
    for (unsigned i = 0; i < 80; i++)
        assert_int_equal(row(&f, 0)[CTS_ENTRY_OUT + i], 0xee);
    cts_session_release(&f.s);

    open_session(&f, "lie-r0");
    assert_int_equal(run_body(&f, 7, &a), 0);
    assert_rows(&f, 0);
    cts_session_release(&f.s);

    open_session(&f, "reject-all");
    assert_int_equal(run_body(&f, 7, &a), 0);
    assert_int_equal(a.load.verdict, CTS_LOAD_REJECTED);
    cts_session_release(&f.s);

    open_session(&f, "accept-all");
    struct program bad = returns(1);
    bad.code[0] = 0xff;
    struct cts_item it = whole(&bad);
    assert_int_equal(cts_session_ask(&f.s, &it, 1, PLENTY_MS, NULL), 0);
    assert_int_equal(answer(&f, &a, PLENTY_MS), 0);
    assert_int_equal(a.load.verdict, CTS_LOAD_ACCEPTED);
    cts_session_release(&f.s);

    uint64_t r0;
    open_session(&f, "wrong");
    assert_int_equal(round_trip(&f, 4, PLENTY_MS, &r0), 0);
    assert_int_equal(r0, 4);
    assert_int_equal(round_trip(&f, MARK, PLENTY_MS, &r0), 0);
    assert_int_equal(r0, MARK ^ 1);
    cts_session_release(&f.s);
}

static void test_text_is_made_printable(void **state)
{
    struct fake f;
    static struct cts_answer a;
    (void)state;
    open_session(&f, "escape");
    assert_int_equal(ask(&f, 1, PLENTY_MS), 0);
    assert_int_equal(answer(&f, &a, PLENTY_MS), 0);
    assert_string_equal(a.run.text, "red ?[31m ?\xc3\xa4 end");
    cts_session_release(&f.s);
}

/* Half a megabyte of chatter with every answer, and only its end is kept. */
static void test_chatter_does_no_harm(void **state)
{
    struct fake f;
    uint64_t r0;
    (void)state;
    open_session(&f, "chatter");
    for (uint32_t i = 0; i < 20; i++) {
        assert_int_equal(round_trip(&f, i, PLENTY_MS, &r0), 0);
        assert_int_equal(r0, i);
    }
    assert_true(f.s.link.stderr_text.len >= CTS_LINK_STDERR);
    assert_true(f.s.link.stderr_text.len <= 4 * CTS_LINK_STDERR);
    assert_int_equal(f.s.link.stderr_text.data[f.s.link.stderr_text.len - 1], '\n');
    cts_session_release(&f.s);
}

/* Workers that fail to start. */

static void test_starts_that_go_wrong(void **state)
{
    static const struct {
        const char *fault;
        int code;
        const char *says;
    } cases[] = {
        {"noexec", CTS_E_WORKER, "exit 1; last line of stderr: this worker never works"},
        {"unsupported", CTS_E_UNSUPPORTED, "the moon is not full; wait for it"},
        {"broken", CTS_E_WORKER, "the library cannot be loaded"},
        {"garbage", CTS_E_PROTOCOL, "not a frame"},
        {"text", CTS_E_PROTOCOL, "text on stdout: Hello, this is no frame at all"},
        {"huge-window", CTS_E_PROTOCOL, "window_bytes"},
        {"no-slots", CTS_E_PROTOCOL, "max_slots is 0"},
        {"odd-version", CTS_E_PROTOCOL, "version: it is empty, or not printable"},
        {"no-such-fault", CTS_E_WORKER, "exit 2"},
    };
    (void)state;
    for (unsigned i = 0; i < CTS_ARRAY_LEN(cases); i++) {
        struct fake f;
        init(&f, cases[i].fault);
        assert_int_equal(cts_session_start(&f.s, PLENTY_MS, &f.err), cases[i].code);
        assert_int_equal(f.err.code, cases[i].code);
        assert_says(&f, cases[i].says);
        assert_false(f.s.up);
        assert_int_equal(f.s.link.proc.pid, 0);
        cts_session_release(&f.s);
    }
}

static void test_no_such_worker(void **state)
{
    static const char *const argv[] = {"/no/such/worker", NULL};
    struct cts_session s;
    struct cts_err err = {0};
    (void)state;
    cts_session_init(&s, argv, "");
    assert_int_equal(cts_session_start(&s, PLENTY_MS, &err), CTS_E_WORKER);
    assert_non_null(strstr(err.msg, "/no/such/worker"));
    cts_session_release(&s);
}

static void test_silent_start(void **state)
{
    static const char *const argv[] = {"sleep", "60", NULL};
    struct cts_session s;
    struct cts_err err = {0};
    uint64_t start = cts_clock_ns();
    (void)state;
    cts_session_init(&s, argv, "");
    assert_int_equal(cts_session_start(&s, SHORT_MS, &err), CTS_E_TIMEOUT);
    assert_true(ms_since(start) >= SHORT_MS);
    cts_session_release(&s);
}

/* Workers that fail at the marked program: named, ended, and started again as good as new. */

static void test_faults_in_the_middle(void **state)
{
    static const struct {
        const char *fault;
        int code;
        const char *says;
        unsigned timeout_ms;
    } cases[] = {
        {"crash", CTS_E_WORKER, "died: signal 11 (SIGSEGV); last line of stderr: about to crash",
         PLENTY_MS},
        {"crash-load", CTS_E_WORKER, "died: signal 11 (SIGSEGV)", PLENTY_MS},
        {"exit", CTS_E_WORKER, "died: exit 7", PLENTY_MS},
        {"child", CTS_E_WORKER, "died: signal 11 (SIGSEGV)", PLENTY_MS},
        {"hang", CTS_E_TIMEOUT, "did not answer in time", SHORT_MS},
        {"hang-load", CTS_E_TIMEOUT, "did not answer in time", SHORT_MS},
        {"late", CTS_E_TIMEOUT, "did not answer in time", SHORT_MS},
        {"stuck", CTS_E_TIMEOUT, "did not answer in time", SHORT_MS},
        {"trickle", CTS_E_TIMEOUT, "did not answer in time", SHORT_MS},
        {"flood-stderr", CTS_E_PROTOCOL, "it floods stderr", PLENTY_MS},
        {"flood-stdout", CTS_E_PROTOCOL, "broke the protocol: ", PLENTY_MS},
        {"short", CTS_E_PROTOCOL, "0 answers to 1 items", PLENTY_MS},
        {"truncate", CTS_E_WORKER, "died in the middle of a response: signal 9", PLENTY_MS},
        {"closed", CTS_E_WORKER, "closed its stdout", PLENTY_MS},
        {"seq", CTS_E_PROTOCOL, "sequence number", PLENTY_MS},
        {"type", CTS_E_PROTOCOL, "no answer", PLENTY_MS},
        {"failed", CTS_E_UNCLEAR, "did not understand a request: what?", PLENTY_MS},
        {"huge", CTS_E_PROTOCOL, "4294967295 bytes", PLENTY_MS},
        {"large", CTS_E_PROTOCOL, "67108864 bytes", PLENTY_MS},
        {"trailing", CTS_E_PROTOCOL, "bytes behind the answers", PLENTY_MS},
        {"ops", CTS_E_PROTOCOL, "broke the protocol: ", PLENTY_MS},
    };
    (void)state;
    for (unsigned i = 0; i < CTS_ARRAY_LEN(cases); i++) {
        struct fake f;
        uint64_t r0;
        open_session(&f, cases[i].fault);
        assert_int_equal(round_trip(&f, 1, PLENTY_MS, &r0), 0);
        assert_int_equal(r0, 1);
        int rc = round_trip(&f, MARK, cases[i].timeout_ms, &r0);
        if (rc != cases[i].code)
            print_error("%s: %d %s\n", cases[i].fault, rc, f.err.msg);
        assert_int_equal(rc, cases[i].code);
        assert_int_equal(f.err.code, rc);
        assert_says(&f, cases[i].says);
        assert_says(&f, "worker 'cts-fake-worker:interp' ");
        assert_false(f.s.up);
        assert_int_equal(f.s.link.proc.pid, 0);
        assert_int_equal(ask(&f, 1, PLENTY_MS), CTS_E_INVAL);

        f.err = (struct cts_err){0};
        assert_int_equal(cts_session_start(&f.s, PLENTY_MS, &f.err), 0);
        assert_int_equal(round_trip(&f, 2, PLENTY_MS, &r0), 0);
        assert_int_equal(r0, 2);
        assert_int_equal(f.s.restarts, 1);
        cts_session_release(&f.s);
    }
}

/* Late is a matter of patience. */
static void test_late_is_in_time_for_the_patient(void **state)
{
    struct fake f;
    uint64_t r0;
    (void)state;
    open_session(&f, "late");
    assert_int_equal(round_trip(&f, MARK, PLENTY_MS, &r0), 0);
    assert_int_equal(r0, MARK);
    cts_session_release(&f.s);
}

/* Time is the worker's own. */

/* Puts the worker on one processor beside somebody who takes nearly all of it. */
static pid_t starve(const struct fake *f)
{
    cpu_set_t all, one;
    unsigned cpu = 0;
    sched_getaffinity(0, sizeof(all), &all);
    while (!CPU_ISSET(cpu, &all))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(f->s.link.proc.pid, sizeof(one), &one), 0);
    int own = getpriority(PRIO_PROCESS, 0); /* the whole test may be a nice one */
    assert_int_equal(setpriority(PRIO_PROCESS, (id_t)f->s.link.proc.pid, own + 5), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sched_setaffinity(0, sizeof(one), &one);
        for (volatile unsigned n = 0;; n++)
            ;
    }
    return pid;
}

static void test_a_busy_machine_is_no_timeout(void **state)
{
    struct fake f;
    uint64_t r0;
    (void)state;
    open_session(&f, "toil");
    assert_int_equal(round_trip(&f, MARK, 100, &r0), CTS_E_TIMEOUT);
    assert_int_equal(cts_session_start(&f.s, PLENTY_MS, NULL), 0);
    f.s.patience_ms = 600000;
    pid_t greedy = starve(&f);
    uint64_t start = cts_clock_ns();
    f.err = (struct cts_err){0};
    int rc = round_trip(&f, MARK, 600, &r0);
    if (rc)
        print_error("%s\n", f.err.msg);
    assert_int_equal(rc, 0);
    assert_int_equal(r0, MARK);
    assert_true(ms_since(start) > 600);

    /* All the same there is an end to it, and it is told apart. */
    f.s.patience_ms = 300;
    assert_int_equal(round_trip(&f, MARK, 600, &r0), CTS_E_BUSY);
    assert_says(&f, "the machine is too busy");
    assert_int_equal(f.s.gave_up.code, CTS_E_BUSY);
    kill(greedy, SIGKILL);
    waitpid(greedy, NULL, 0);
    cts_session_release(&f.s);
}

static void test_waiting_is_no_timeout(void **state)
{
    struct fake f;
    uint64_t r0;
    (void)state;
    open_session(&f, "waits");
    assert_int_equal(round_trip(&f, MARK, SHORT_MS, &r0), 0);
    assert_int_equal(r0, MARK);
    cts_session_release(&f.s);

    open_session(&f, "waits-for-ever");
    f.s.patience_ms = 600;
    assert_int_equal(round_trip(&f, MARK, SHORT_MS, &r0), CTS_E_BUSY);
    assert_says(&f, "says that it waits");
    cts_session_release(&f.s);
}

/* One time for each item, whether or not one can see how far the worker is. */
static void test_late_in_a_request_of_several(void **state)
{
    enum { N = 2 };
    static const struct {
        const char *fault;
        unsigned timeout_ms;
        int rc;
        bool late;
    } cases[] = {
        {"late", 1000, CTS_E_TIMEOUT, false}, {"late-unshared", 1000, CTS_E_TIMEOUT, false},
        {"late-unshared", 2500, 0, false},    {"late-silent", 300, CTS_E_TIMEOUT, false},
        {"late-silent", 1600, 0, true},
    };
    static struct cts_answer a[N];
    const struct program p = returns(MARK);
    (void)state;
    for (unsigned i = 0; i < CTS_ARRAY_LEN(cases); i++) {
        struct cts_item it[N] = {whole(&p), whole(&p)};
        struct fake f;
        uint64_t r0;
        open_session(&f, cases[i].fault);
        assert_int_equal(round_trip(&f, 1, PLENTY_MS, &r0), 0);
        int rc = cts_session_ask(&f.s, it, N, cases[i].timeout_ms, &f.err);
        if (rc == 0)
            rc = cts_session_answer(&f.s, a, N, cases[i].timeout_ms, &f.err);
        if (rc != cases[i].rc || f.s.late != cases[i].late)
            print_error("%s, %u ms: %d, %d\n", cases[i].fault, cases[i].timeout_ms, rc, f.s.late);
        assert_int_equal(rc, cases[i].rc);
        assert_int_equal(f.s.late, cases[i].late);
        cts_session_release(&f.s);
    }
}

/* Responses that nobody asked for are found out. */
static void test_too_many_answers(void **state)
{
    static const char *const faults[] = {"twice", "flood-frames"};
    (void)state;
    for (unsigned i = 0; i < CTS_ARRAY_LEN(faults); i++) {
        struct fake f;
        uint64_t r0;
        open_session(&f, faults[i]);
        int rc = round_trip(&f, MARK, PLENTY_MS, &r0);
        if (rc == 0)
            rc = round_trip(&f, 2, PLENTY_MS, &r0);
        /* Frames numbered in advance can pass for answers, for as long as they tell of the right
         * steps. */
        for (unsigned n = 0; n < 1000 && rc == 0; n++)
            rc = round_trip(&f, n, PLENTY_MS, &r0);
        assert_int_equal(rc, CTS_E_PROTOCOL);
        assert_false(f.s.up);
        cts_session_release(&f.s);
    }
}

/* What was answered before the crash is not lost with the worker. */
static void test_answers_before_a_crash(void **state)
{
    struct fake f;
    static struct cts_answer a;
    (void)state;
    open_session(&f, "crash");
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(ask(&f, i == 3 ? MARK : i, PLENTY_MS), 0);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(answer(&f, &a, PLENTY_MS), 0);
        assert_int_equal(a.run.r0, i);
    }
    assert_int_equal(answer(&f, &a, PLENTY_MS), CTS_E_WORKER);
    assert_says(&f, "SIGSEGV");
    assert_int_equal(cts_session_pending(&f.s), 0);
    cts_session_release(&f.s);
}

static void test_death_between_requests(void **state)
{
    struct fake f;
    uint64_t r0;
    int status;
    (void)state;
    open_session(&f, "none");
    kill(f.s.link.proc.pid, SIGTERM);
    assert_true(cts_proc_wait(&f.s.link.proc, PLENTY_MS, &status));
    assert_int_equal(round_trip(&f, 1, PLENTY_MS, &r0), CTS_E_WORKER);
    assert_says(&f, "died: signal 15 (SIGTERM)");
    cts_session_release(&f.s);
}

static void test_flaky(void **state)
{
    struct fake f;
    char dir[256], path[300];
    uint64_t r0;
    (void)state;
    assert_int_equal(cts_fs_temp_dir(dir, sizeof(dir), NULL), 0);
    snprintf(path, sizeof(path), "%s/state", dir);
    setenv("FAKE_STATE", path, 1);
    open_session(&f, "flaky");
    assert_int_equal(round_trip(&f, MARK, PLENTY_MS, &r0), CTS_E_WORKER);
    assert_int_equal(cts_session_start(&f.s, PLENTY_MS, NULL), 0);
    assert_int_equal(round_trip(&f, MARK, PLENTY_MS, &r0), 0);
    assert_int_equal(r0, MARK);
    cts_session_release(&f.s);
    unlink(path);
    open_session(&f, "flaky-wrong");
    assert_int_equal(round_trip(&f, MARK, PLENTY_MS, &r0), 0);
    assert_int_equal(r0, MARK ^ 1);
    assert_int_equal(round_trip(&f, MARK, PLENTY_MS, &r0), 0);
    assert_int_equal(r0, MARK);
    cts_session_release(&f.s);
    unsetenv("FAKE_STATE");
    cts_fs_remove_tree(dir);
}

/* Is anything of the group more than a corpse that init has not buried yet? */
static bool group_is_alive(pid_t group)
{
    bool alive = false;
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    for (struct dirent *d = readdir(proc); d; d = readdir(proc)) {
        char path[300], text[512] = "", state = 'Z';
        int parent, of = 0;
        snprintf(path, sizeof(path), "/proc/%s/stat", d->d_name);
        FILE *f = d->d_name[0] >= '1' && d->d_name[0] <= '9' ? fopen(path, "r") : NULL;
        if (!f)
            continue;
        if (fgets(text, sizeof(text), f) && strrchr(text, ')') &&
            sscanf(strrchr(text, ')'), ") %c %d %d", &state, &parent, &of) == 3)
            alive |= of == group && state != 'Z' && state != 'X';
        fclose(f);
    }
    closedir(proc);
    return alive;
}

/* Descriptors and processes of lost workers do not pile up. */
static void test_nothing_is_left_behind(void **state)
{
    struct fake f;
    uint64_t r0;
    (void)state;
    int before = dup(0);
    assert_true(before >= 0);
    close(before);
    init(&f, "child");
    for (unsigned i = 0; i < 20; i++) {
        f.err = (struct cts_err){0};
        assert_int_equal(cts_session_start(&f.s, PLENTY_MS, &f.err), 0);
        pid_t group = f.s.link.proc.pid;
        assert_int_equal(round_trip(&f, MARK, PLENTY_MS, &r0), CTS_E_WORKER);
        for (unsigned n = 0; n < 500 && group_is_alive(group); n++)
            usleep(10000);
        assert_false(group_is_alive(group));
    }
    assert_int_equal(f.s.restarts, 19);
    cts_session_release(&f.s);
    int after = dup(0);
    close(after);
    assert_int_equal(after, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake),
        cmocka_unit_test(test_request_and_response),
        cmocka_unit_test(test_many_requests_under_way),
        cmocka_unit_test(test_large_requests_under_way),
        cmocka_unit_test(test_callers_mistakes_cost_nothing),
        cmocka_unit_test(test_rows_through_a_shared_window),
        cmocka_unit_test(test_a_window_that_goes),
        cmocka_unit_test(test_rows_that_travel),
        cmocka_unit_test(test_liars_are_believed),
        cmocka_unit_test(test_text_is_made_printable),
        cmocka_unit_test(test_chatter_does_no_harm),
        cmocka_unit_test(test_starts_that_go_wrong),
        cmocka_unit_test(test_no_such_worker),
        cmocka_unit_test(test_silent_start),
        cmocka_unit_test(test_faults_in_the_middle),
        cmocka_unit_test(test_late_is_in_time_for_the_patient),
        cmocka_unit_test(test_a_busy_machine_is_no_timeout),
        cmocka_unit_test(test_waiting_is_no_timeout),
        cmocka_unit_test(test_late_in_a_request_of_several),
        cmocka_unit_test(test_too_many_answers),
        cmocka_unit_test(test_answers_before_a_crash),
        cmocka_unit_test(test_death_between_requests),
        cmocka_unit_test(test_flaky),
        cmocka_unit_test(test_nothing_is_left_behind),
    };
    struct cts_share none;
    uint8_t byte;
    cts_share_watch(&none, &byte, 1, NULL);
    cts_share_forget(&none);
    for (unsigned i = 0; i < 2; i++)
        sigaction(i ? SIGSEGV : SIGBUS, NULL, &take_fault[i]);
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
