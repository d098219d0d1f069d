/* uses: base wire */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "wire/child.h"

enum { TEXT = 4096 };

struct command {
    const char *argv[4];
    char out[TEXT], err[TEXT];
    struct cts_child child;
};

static void prepare(struct command *c, const char *script, const char *input)
{
    *c = (struct command){.argv = {"sh", "-c", script, NULL}};
    c->child = (struct cts_child){.argv = c->argv,
                                  .in = input,
                                  .in_bytes = input ? strlen(input) : 0,
                                  .timeout_ms = 20000,
                                  .out = {.text = c->out, .cap = TEXT},
                                  .err = {.text = c->err, .cap = TEXT}};
}

static void run(struct command *c, const char *script, const char *input)
{
    prepare(c, script, input);
    cts_child_run(&c->child, 1, 1);
}

static void check_end(const struct command *c, enum cts_child_end end, int number, const char *text)
{
    char got[256];
    cts_child_end_text(&c->child, got, sizeof(got));
    if (c->child.end != end || c->child.number != number || strcmp(got, text) != 0)
        fail_msg("%s (end %d, number %d), not %s", got, c->child.end, c->child.number, text);
}

static void test_streams(void **state)
{
    struct command c;
    (void)state;
    run(&c, "cat; echo oops >&2; exit 3", "hello");
    check_end(&c, CTS_CHILD_EXITED, 3, "exit 3");
    assert_string_equal(c.out, "hello");
    assert_string_equal(c.err, "oops\n");
    assert_int_equal(c.child.out.len, 5);
    assert_false(c.child.out.dropped);
    run(&c, "cat", NULL);
    check_end(&c, CTS_CHILD_EXITED, 0, "exit 0");
    assert_string_equal(c.out, "");
}

/* Tools that take a file's name. */
static void test_stdin_has_a_name(void **state)
{
    struct command c;
    (void)state;
    run(&c, "wc -c /dev/stdin; tail -c 2 /dev/stdin", "12345");
    assert_string_equal(c.out, "5 /dev/stdin\n45");
}

static void test_what_does_not_fit_is_dropped(void **state)
{
    struct command c;
    (void)state;
    prepare(&c, "printf 123456789; printf abc >&2", NULL);
    c.child.out.cap = 5;
    c.child.err = (struct cts_child_text){0};
    cts_child_run(&c.child, 1, 1);
    check_end(&c, CTS_CHILD_EXITED, 0, "exit 0");
    assert_string_equal(c.out, "1234");
    assert_true(c.child.out.dropped);
    assert_true(c.child.err.dropped);
    assert_int_equal(c.child.err.len, 0);
}

static void test_floods_end(void **state)
{
    struct command c;
    (void)state;
    run(&c, "yes", NULL);
    check_end(&c, CTS_CHILD_FLOODED, 0, "wrote more than 4194304 bytes");
    assert_int_equal(c.child.out.len, TEXT - 1);
    run(&c, "yes >&2", NULL);
    assert_int_equal(c.child.end, CTS_CHILD_FLOODED);
}

static void test_time_is_limited(void **state)
{
    struct command c;
    (void)state;
    prepare(&c, "echo begun; trap '' TERM; sleep 100", NULL);
    c.child.timeout_ms = 300;
    cts_child_run(&c.child, 1, 1);
    check_end(&c, CTS_CHILD_TIMED_OUT, 0, "did not end within 300 ms");
    assert_string_equal(c.out, "begun\n");
}

static void test_signals(void **state)
{
    struct command c;
    (void)state;
    run(&c, "kill -SEGV $$", NULL);
    check_end(&c, CTS_CHILD_SIGNALED, SIGSEGV, "signal 11 (SIGSEGV)");
}

static void test_what_cannot_be_started(void **state)
{
    struct command c;
    char script[] = "/tmp/cts-child-XXXXXX", path[64];
    (void)state;
    prepare(&c, "", NULL);
    c.argv[0] = "no-such-command-anywhere";
    cts_child_run(&c.child, 1, 1);
    check_end(&c, CTS_CHILD_NOT_STARTED, ENOENT, "cannot be started: No such file or directory");
    assert_int_equal(cts_child_find("no-such-command-anywhere", path, sizeof(path)),
                     CTS_E_NOTFOUND);
    assert_int_equal(cts_child_find("", path, sizeof(path)), CTS_E_NOTFOUND);
    assert_int_equal(cts_child_find("/", path, sizeof(path)), CTS_E_NOTFOUND);
    assert_int_equal(cts_child_find("sh", path, 3), CTS_E_NOTFOUND);
    assert_int_equal(cts_child_find("sh", path, sizeof(path)), 0);
    assert_true(path[0] == '/');

    int fd = mkstemp(script);
    assert_true(fd >= 0 && write(fd, "\1\2\3\4", 4) == 4 && fchmod(fd, 0700) == 0);
    close(fd);
    c.argv[0] = script;
    cts_child_run(&c.child, 1, 1);
    check_end(&c, CTS_CHILD_NOT_STARTED, ENOEXEC, "cannot be started: Exec format error");
    unlink(script);
}

static bool is_gone(const char *text)
{
    pid_t pid = (pid_t)atoi(text);
    assert_true(pid > 1);
    return kill(pid, 0) != 0 && errno == ESRCH;
}

static void test_nothing_is_left_behind(void **state)
{
    struct command c;
    (void)state;
    run(&c, "sleep 1000 & echo $!", NULL);
    check_end(&c, CTS_CHILD_EXITED, 0, "exit 0");
    assert_true(is_gone(c.out));
    run(&c, "setsid sh -c 'echo $$; sleep 1000' & sleep 0.2", NULL);
    assert_true(is_gone(c.out));
    run(&c, "(setsid setsid sh -c 'echo $$; sleep 1000 & sleep 1000' &); sleep 0.2", NULL);
    assert_true(is_gone(c.out));
    prepare(&c, "setsid sh -c 'echo $$; sleep 1000' & sleep 1000", NULL);
    c.child.timeout_ms = 300;
    cts_child_run(&c.child, 1, 1);
    assert_int_equal(c.child.end, CTS_CHILD_TIMED_OUT);
    assert_true(is_gone(c.out));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_it_gets_no_descriptors(void **state)
{
    struct command c;
    (void)state;
    int fd = dup(1);
    run(&c, "ls /proc/self/fd | wc -l", NULL);
    /* 0, 1, 2, and the folder that ls reads. */
    assert_string_equal(c.out, "4\n");
    close(fd);
}

static void test_many(void **state)
{
    enum { N = 20 };
    static struct command c[N];
    static struct cts_child list[N];
    char script[N][128], folder[] = "/tmp/cts-child-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(folder));
    for (unsigned i = 0; i < N; i++) {
        /* Each waits until all the others are there: those that are run one by one never end. */
        snprintf(script[i], sizeof(script[i]),
                 "echo >%s/%u; until test -e %s/%u; do sleep 0.02; done; cat; exit %u", folder, i,
                 folder,
                 i == N - 1 ? 0
                 : i == 6   ? 8
                            : i + 1,
                 i);
        prepare(&c[i], script[i], i % 2 ? "odd" : "even");
        list[i] = c[i].child;
    }
    c[7].argv[0] = "no-such-command-anywhere";
    cts_child_run(list, N, N);
    for (unsigned i = 0; i < N; i++) {
        assert_int_equal(list[i].end, i == 7 ? CTS_CHILD_NOT_STARTED : CTS_CHILD_EXITED);
        assert_int_equal(list[i].number, i == 7 ? ENOENT : (int)i);
        assert_string_equal(c[i].out, i == 7 ? "" : i % 2 ? "odd" : "even");
    }
    for (unsigned i = 0; i < N; i++) {
        snprintf(script[i], sizeof(script[i]), "%s/%u", folder, i);
        unlink(script[i]);
    }
    assert_int_equal(rmdir(folder), 0);
    cts_child_run(list, 0, 4);
    assert_true(cts_child_processors() >= 1);
}

/* A worker that is killed takes what it runs with it. */
static void test_it_dies_with_its_parent(void **state)
{
    int end[2];
    char text[32] = "";
    (void)state;
    assert_int_equal(pipe(end), 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t worker = fork();
    if (worker == 0) {
        struct command c;
        char script[64];
        snprintf(script, sizeof(script), "echo $$ >/proc/%d/fd/%d; exec sleep 1000", (int)getpid(),
                 end[1]);
        run(&c, script, NULL);
        _exit(0);
    }
    assert_true(read(end[0], text, sizeof(text) - 1) > 0);
    kill(worker, SIGKILL);
    assert_int_equal(waitpid(worker, NULL, 0), worker);
    for (unsigned i = 0; i < 500 && !is_gone(text); i++) {
        waitpid(-1, NULL, WNOHANG);
        usleep(10000);
    }
    assert_true(is_gone(text));
    close(end[0]);
    close(end[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_stdin_has_a_name),
        cmocka_unit_test(test_what_does_not_fit_is_dropped),
        cmocka_unit_test(test_floods_end),
        cmocka_unit_test(test_time_is_limited),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_what_cannot_be_started),
        cmocka_unit_test(test_nothing_is_left_behind),
        cmocka_unit_test(test_it_gets_no_descriptors),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_it_dies_with_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
