/* uses: base host wire link */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "link/link.h"

/* Workers of a few lines: a shell that takes in what is sent, and says what it is told to. */

enum { PLENTY_MS = 20000, SHORT_MS = 200, POLL_MS = 50, FLOOD = 1 << 20 };

struct peer {
    struct cts_link l;
    struct cts_err err;
    const char *argv[4];
};

static void start(struct peer *p, const char *script)
{
    const struct cts_link_limits limits = {.stderr_bytes = FLOOD, .stray_bytes = 64};
    *p = (struct peer){.argv = {"sh", "-c", script}};
    cts_link_init(&p->l, &limits);
    assert_int_equal(cts_link_start(&p->l, p->argv, "", &p->err), 0);
}

/* A request of `items` items and one word of payload. */
static uint32_t request(struct peer *p, uint32_t items, uint64_t most)
{
    cts_link_begin(&p->l);
    cts_wr_u32(&p->l.out, 7);
    assert_int_equal(cts_link_seal(&p->l, CTS_FT_EXEC, items, most, &p->err), 0);
    return p->l.request[p->l.sent % CTS_LINK_DEPTH].seq;
}

/* What the worker would send, as if it had come: sequence numbers cannot be known to a script. */
static void arrives(struct peer *p, uint16_t type, uint32_t seq, const void *payload, uint32_t n)
{
    uint8_t header[CTS_FRAME_HEADER];
    struct cts_frame f = {.bytes = n, .type = type, .seq = seq};
    cts_frame_put(header, &f);
    cts_buf_add(&p->l.in, (const char *)header, sizeof(header));
    cts_buf_add(&p->l.in, payload, n);
}

static void reports(struct peer *p, uint32_t seq, uint32_t begun, bool waiting)
{
    uint8_t payload[CTS_PROGRESS_BYTES] = {0};
    cts_put32le(payload, begun);
    payload[4] = waiting;
    arrives(p, CTS_FT_PROGRESS, seq, payload, sizeof(payload));
}

static int next(struct peer *p, struct cts_rd *payload)
{
    struct cts_frame f;
    cts_err_clear(&p->err);
    return cts_link_next(&p->l, &f, payload, &p->err);
}

static void assert_says(const struct peer *p, int code, const char *what)
{
    if (p->err.code != code || !strstr(p->err.msg, what))
        print_error("%d, '%s' is not in: %d, %s\n", code, what, p->err.code, p->err.msg);
    assert_int_equal(p->err.code, code);
    assert_non_null(strstr(p->err.msg, what));
}

/* Waits until stdout ends, or something goes wrong. */
static int drain(struct peer *p)
{
    int rc = 0;
    cts_err_clear(&p->err);
    cts_link_start_time(&p->l, PLENTY_MS);
    while (rc == 0 && !p->l.ended) {
        rc = cts_link_wait(&p->l, CTS_LINK_FOR_INPUT, POLL_MS, &p->err);
        assert_int_equal(cts_link_check_time(&p->l, false, PLENTY_MS, 0), CTS_LINK_IN_TIME);
    }
    return rc;
}

static void test_frames_come_in_order(void **state)
{
    struct peer p;
    struct cts_rd r;
    uint32_t seq[2];
    (void)state;
    start(&p, "exec cat >/dev/null");
    for (unsigned i = 0; i < 2; i++)
        seq[i] = request(&p, 3, 8);
    assert_int_equal(cts_link_pending(&p.l), 2);
    assert_int_equal(cts_link_oldest(&p.l)->items, 3);
    assert_int_equal(next(&p, &r), 0);
    arrives(&p, CTS_FT_DONE, seq[0], "first!!", 8);
    arrives(&p, CTS_FT_DONE, seq[1], "second!", 8);
    p.l.in.len -= 1;
    assert_int_equal(next(&p, &r), 1);
    assert_int_equal(r.len, 8);
    assert_string_equal((const char *)r.data, "first!!");
    assert_true(cts_link_is_within_frame(&p.l));
    assert_int_equal(next(&p, &r), 0);
    p.l.in.len += 1;
    assert_false(cts_link_is_within_frame(&p.l));
    assert_int_equal(next(&p, &r), 1);
    assert_string_equal((const char *)r.data, "second!");
    assert_int_equal(cts_link_pending(&p.l), 0);
    assert_int_equal(cts_link_oldest(&p.l)->items, 0);
    assert_int_equal(p.l.expected, 0);
    cts_link_release(&p.l);
}

/* Each of them ends a worker, with a word for what it did. */
static void test_frames_that_are_wrong(void **state)
{
    struct peer p;
    struct cts_rd r;
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        static const char *const says[] = {"sequence number",
                                           "no response to this request takes",
                                           "text on stdout: Hello, world",
                                           "not a frame",
                                           "answers no request",
                                           "it floods stdout"};
        uint8_t big[128] = {0};
        start(&p, "exec cat >/dev/null");
        uint32_t seq = i == 4 ? 1 : request(&p, 1, 8);
        if (i == 0)
            arrives(&p, CTS_FT_DONE, seq + 1, big, 4);
        if (i == 1)
            arrives(&p, CTS_FT_DONE, seq, big, 9);
        if (i == 2)
            cts_buf_add(&p.l.in, "Hello, world\nof ours\n", 21);
        if (i == 3)
            arrives(&p, CTS_FT_PROGRESS + 1, seq, big, 4);
        if (i == 4)
            arrives(&p, CTS_FT_DONE, seq, big, 4);
        if (i == 5) {
            arrives(&p, CTS_FT_DONE, seq, big, 4);
            cts_buf_add(&p.l.in, (const char *)big, 65);
        }
        assert_int_equal(next(&p, &r), CTS_E_PROTOCOL);
        assert_says(&p, CTS_E_PROTOCOL, says[i]);
        cts_link_release(&p.l);
    }
}

static void test_reports_of_progress(void **state)
{
    struct peer p;
    struct cts_rd r;
    (void)state;
    start(&p, "exec cat >/dev/null");
    uint32_t seq = request(&p, 4, 8);
    reports(&p, seq, 0, true);
    assert_int_equal(next(&p, &r), 0);
    assert_true(cts_link_oldest(&p.l)->reported.waiting);
    assert_false(p.l.reports);
    reports(&p, seq, 3, false);
    assert_int_equal(next(&p, &r), 0);
    assert_int_equal(cts_link_oldest(&p.l)->reported.begun, 3);
    assert_true(p.l.reports);
    reports(&p, seq, 2, false);
    assert_int_equal(next(&p, &r), CTS_E_PROTOCOL);
    assert_says(&p, CTS_E_PROTOCOL, "begun 2 of 4 items, after 3");
    cts_link_release(&p.l);

    start(&p, "exec cat >/dev/null");
    seq = request(&p, 1, 8);
    int rc = 0;
    for (unsigned i = 0; i < 1000 && rc == 0; i++) {
        reports(&p, seq, 1, false);
        rc = next(&p, &r);
    }
    assert_int_equal(rc, CTS_E_PROTOCOL);
    assert_says(&p, CTS_E_PROTOCOL, "without end");
    cts_link_release(&p.l);
}

static void test_too_many_requests(void **state)
{
    struct peer p;
    (void)state;
    start(&p, "exec cat >/dev/null");
    for (unsigned i = 0; i < CTS_LINK_DEPTH; i++)
        request(&p, 1, 8);
    cts_link_begin(&p.l);
    assert_int_equal(cts_link_seal(&p.l, CTS_FT_EXEC, 1, 8, &p.err), CTS_E_LIMIT);
    assert_int_equal(cts_link_pending(&p.l), CTS_LINK_DEPTH);
    cts_link_stop(&p.l);
    assert_int_equal(cts_link_pending(&p.l), 0);
    cts_link_release(&p.l);
}

/* Whoever does not read is waited for; whoever is gone is not. */
static void test_writing(void **state)
{
    static uint8_t data[4 << 20];
    struct peer p;
    size_t sent = 0;
    (void)state;
    start(&p, "exec sleep 60");
    assert_int_equal(cts_link_write(&p.l, data, sizeof(data), &sent, &p.err), 0);
    assert_in_range(sent, 1, sizeof(data) - 1);
    cts_link_start_time(&p.l, SHORT_MS);
    enum cts_link_time time = CTS_LINK_IN_TIME;
    while (time == CTS_LINK_IN_TIME) {
        assert_int_equal(cts_link_wait(&p.l, CTS_LINK_FOR_ROOM, POLL_MS, &p.err), 0);
        time = cts_link_check_time(&p.l, false, SHORT_MS, 0);
    }
    assert_int_equal(time, CTS_LINK_LATE);
    /* As long as it says that it waits its time does not pass: only patience ends it. */
    cts_link_start_time(&p.l, SHORT_MS);
    do {
        assert_int_equal(cts_link_wait(&p.l, CTS_LINK_FOR_ROOM, POLL_MS, &p.err), 0);
        time = cts_link_check_time(&p.l, true, SHORT_MS, 2 * SHORT_MS);
    } while (time == CTS_LINK_IN_TIME);
    assert_int_equal(time, CTS_LINK_STARVED);
    cts_link_release(&p.l);

    start(&p, "exec 0<&-; echo gone");
    assert_int_equal(drain(&p), 0);
    sent = 0;
    assert_int_equal(cts_link_write(&p.l, data, sizeof(data), &sent, &p.err), CTS_E_WORKER);
    assert_int_equal(cts_link_unread(&p.l), 5);
    cts_link_release(&p.l);
}

static void test_floods(void **state)
{
    static const char *const scripts[] = {"exec cat /dev/zero", "cat /dev/zero >&2"};
    static const char *const says[] = {"it floods stdout", "it floods stderr"};
    struct peer p;
    (void)state;
    for (unsigned i = 0; i < CTS_ARRAY_LEN(scripts); i++) {
        start(&p, scripts[i]);
        assert_int_equal(drain(&p), CTS_E_PROTOCOL);
        assert_says(&p, CTS_E_PROTOCOL, says[i]);
        assert_true(p.l.stderr_text.len <= 4 * CTS_LINK_STDERR);
        cts_link_release(&p.l);
    }
}

static void test_the_last_line_of_stderr(void **state)
{
    static const struct {
        const char *script, *line;
    } cases[] = {
        {"printf 'one\\ntwo\\tis \\033 last \\r\\n\\n' >&2", "two is ? last"},
        {"printf 'no newline' >&2", "no newline"},
        {"printf ' \\n\\n' >&2", ""},
        {":", ""},
    };
    struct peer p;
    int status;
    (void)state;
    for (unsigned i = 0; i < CTS_ARRAY_LEN(cases); i++) {
        char line[CTS_LINK_LAST_LINE];
        start(&p, cases[i].script);
        assert_int_equal(drain(&p), 0);
        assert_true(cts_link_await_end(&p.l, &status));
        cts_link_last_line(&p.l, line, sizeof(line));
        assert_string_equal(line, cases[i].line);
        cts_link_release(&p.l);
    }
}

/* Its own end, its stdout alone, and a stdout that somebody else keeps. */
static void test_ends(void **state)
{
    struct peer p;
    int status = 0;
    (void)state;
    start(&p, "exit 3");
    assert_int_equal(drain(&p), 0);
    assert_true(cts_link_await_end(&p.l, &status));
    assert_int_equal(WEXITSTATUS(status), 3);
    assert_int_equal(cts_link_await_eof(&p.l, &p.err), 0);
    assert_true(p.l.eof);
    cts_link_release(&p.l);

    start(&p, "exec >&-; sleep 60");
    assert_int_equal(drain(&p), 0);
    assert_true(p.l.eof);
    assert_false(cts_link_await_end(&p.l, &status));
    cts_link_release(&p.l);

    start(&p, "sleep 60 2>/dev/null & printf last");
    assert_int_equal(drain(&p), 0);
    assert_true(cts_link_await_end(&p.l, &status));
    assert_int_equal(cts_link_await_eof(&p.l, &p.err), 0);
    assert_false(p.l.eof);
    assert_int_equal(cts_link_unread(&p.l), 4);
    cts_link_release(&p.l);
}

/* What one process has said is not the next one's. */
static void test_starting_again(void **state)
{
    struct peer p;
    char line[CTS_LINK_LAST_LINE];
    (void)state;
    start(&p, "echo x; echo y >&2");
    request(&p, 1, 8);
    assert_int_equal(drain(&p), 0);
    assert_int_equal(cts_link_unread(&p.l), 2);
    p.argv[2] = "exec cat >/dev/null";
    assert_int_equal(cts_link_start(&p.l, p.argv, "", &p.err), 0);
    assert_int_equal(cts_link_unread(&p.l), 0);
    assert_int_equal(cts_link_pending(&p.l), 0);
    assert_false(p.l.ended);
    cts_link_last_line(&p.l, line, sizeof(line));
    assert_string_equal(line, "");
    cts_link_hang_up(&p.l);
    assert_int_equal(drain(&p), 0);
    p.argv[0] = "/no/such/worker";
    assert_int_equal(cts_link_start(&p.l, p.argv, "", &p.err), CTS_E_WORKER);
    assert_says(&p, CTS_E_WORKER, "/no/such/worker");
    cts_link_release(&p.l);
}

static void test_a_window_that_is_none(void **state)
{
    struct peer p;
    (void)state;
    start(&p, "exec cat >/dev/null");
    int rc = cts_link_map(&p.l, 700, 4096, &p.err);
    if (rc == CTS_E_WORKER) { /* the kernel lets nobody have it */
        cts_link_release(&p.l);
        skip();
    }
    assert_says(&p, CTS_E_NOTFOUND, "no descriptor 700");
    cts_err_clear(&p.err);
    assert_int_equal(cts_link_map(&p.l, 0, 4096, &p.err), CTS_E_UNSUPPORTED);
    assert_null(p.l.window.data);
    cts_link_release(&p.l);
}

static void test_caps(void **state)
{
    const struct cts_caps good = {.runtime = "fake",
                                  .engine = "interp",
                                  .window_kind = CTS_WK_ABSOLUTE,
                                  .window_bytes = 4096,
                                  .window_addr = 1 << 20,
                                  .window_fd = -1,
                                  .max_slots = 1,
                                  .max_segments = 1,
                                  .max_iterations = 1,
                                  .r0_bits = 64};
    struct cts_caps c = good;
    struct cts_err err = {0};
    (void)state;
    assert_int_equal(cts_link_check_caps(&good, &err), 0);
#define WRONG(field, value, says)                                                                  \
    do {                                                                                           \
        c = good;                                                                                  \
        cts_err_clear(&err);                                                                       \
        c.field = value;                                                                           \
        assert_int_equal(cts_link_check_caps(&c, &err), CTS_E_PROTOCOL);                           \
        assert_memory_equal(err.msg, says, strlen(says));                                          \
    } while (0)
    WRONG(runtime[0], '\0', "runtime: ");
    WRONG(engine[1], '\n', "engine: ");
    WRONG(version[0], '\x7f', "version: ");
    WRONG(window_fd, -2, "window_fd is -2");
    WRONG(window_bytes, 56, "window_bytes is 56");
    WRONG(window_bytes, 68, "window_bytes is 68");
    WRONG(window_bytes, (1u << 30) + 8, "window_bytes is ");
    WRONG(window_addr, 0, "window_addr is 0x0");
    WRONG(window_addr, UINT64_MAX - 7, "window_addr is ");
    WRONG(max_slots, 0, "max_slots is 0");
    WRONG(max_segments, CTS_ITEM_LAYOUTS + 1, "max_segments is ");
    WRONG(max_iterations, 0, "max_iterations is 0");
    WRONG(features, 1u << 31, "features is 0x80000000: bit 31");
    WRONG(r0_bits, 48, "r0_bits is 48");
#undef WRONG
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_come_in_order),
        cmocka_unit_test(test_frames_that_are_wrong),
        cmocka_unit_test(test_reports_of_progress),
        cmocka_unit_test(test_too_many_requests),
        cmocka_unit_test(test_writing),
        cmocka_unit_test(test_floods),
        cmocka_unit_test(test_the_last_line_of_stderr),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_starting_again),
        cmocka_unit_test(test_a_window_that_is_none),
        cmocka_unit_test(test_caps),
    };
    return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
