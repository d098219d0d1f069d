/* uses: base host */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/fs.h"
#include "host/proc.h"

struct run {
    struct cts_buf out, err_text;
    int status;
    struct cts_err err;
};

static int run_limited(struct run *r, const char *script, const char *input, size_t len,
                       size_t limit, unsigned timeout_ms)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    memset(r, 0, sizeof(*r));
    cts_buf_init(&r->out, limit);
    cts_buf_init(&r->err_text, limit);
    return cts_proc_run(argv, input, len, &r->out, &r->err_text, timeout_ms, &r->status, &r->err);
}

static int run(struct run *r, const char *script, const char *input)
{
    return run_limited(r, script, input, input ? strlen(input) : 0, 0, 20000);
}

static void done(struct run *r)
{
    cts_buf_release(&r->out);
    cts_buf_release(&r->err_text);
}

static void test_run_collects_both_streams(void **state)
{
    struct run r;
    (void)state;
    assert_int_equal(run(&r, "cat; echo oops >&2; exit 3", "hello"), 0);
    assert_string_equal(cts_buf_text(&r.out), "hello");
    assert_string_equal(cts_buf_text(&r.err_text), "oops\n");
    assert_true(WIFEXITED(r.status));
    assert_int_equal(WEXITSTATUS(r.status), 3);
    done(&r);
}

/* More than any pipe holds, in both directions at once. */
static void test_run_with_much_input_and_output(void **state)
{
    enum { BYTES = 8 << 20 };
    struct run r;
    char *input = malloc(BYTES);
    (void)state;
    assert_non_null(input);
    for (size_t i = 0; i < BYTES; i++)
        input[i] = (char)(i * 31 >> 7);
    assert_int_equal(run_limited(&r, "tee /dev/stderr", input, BYTES, 0, 30000), 0);
    assert_int_equal(r.out.len, BYTES);
    assert_int_equal(r.err_text.len, BYTES);
    assert_memory_equal(r.out.data, input, BYTES);
    assert_memory_equal(r.err_text.data, input, BYTES);
    free(input);
    done(&r);
}

static void test_run_drops_what_is_too_much(void **state)
{
    struct run r;
    (void)state;
    assert_int_equal(
        run_limited(&r, "head -c 5000000 /dev/zero; echo end >&2", NULL, 0, 1000, 20000), 0);
    assert_int_equal(r.out.len, 1000);
    assert_string_equal(cts_buf_text(&r.err_text), "end\n");
    assert_int_equal(r.status, 0);
    done(&r);
}

static void test_run_without_buffers(void **state)
{
    static const char *const argv[] = {"sh", "-c", "echo out; echo err >&2", NULL};
    int status;
    (void)state;
    assert_int_equal(cts_proc_run(argv, NULL, 0, NULL, NULL, 0, &status, NULL), 0);
    assert_int_equal(status, 0);
}

/* It need not read what it is given. */
static void test_run_that_does_not_read(void **state)
{
    enum { BYTES = 4 << 20 };
    struct run r;
    char *input = calloc(1, BYTES);
    (void)state;
    assert_non_null(input);
    assert_int_equal(run_limited(&r, "exec true", input, BYTES, 0, 20000), 0);
    assert_int_equal(r.status, 0);
    done(&r);
    assert_int_equal(run_limited(&r, "exec <&-; echo still here", input, BYTES, 0, 20000), 0);
    assert_string_equal(cts_buf_text(&r.out), "still here\n");
    done(&r);
    free(input);
}

static unsigned ms_since(uint64_t start)
{
    return (unsigned)((cts_clock_ns() - start) / 1000000);
}

static void test_run_times_out(void **state)
{
    static const char *const scripts[] = {"sleep 60", "while :; do echo flood; done",
                                          "exec >&- 2>&-; sleep 60", "trap '' TERM INT; sleep 60"};
    (void)state;
    for (unsigned i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        struct run r;
        uint64_t start = cts_clock_ns();
        assert_int_equal(run_limited(&r, scripts[i], NULL, 0, 1 << 16, 200), CTS_E_TIMEOUT);
        assert_true(ms_since(start) >= 200);
        assert_int_equal(r.err.code, CTS_E_TIMEOUT);
        assert_non_null(strstr(r.err.msg, "sh"));
        assert_true(WIFSIGNALED(r.status));
        done(&r);
    }
}

/* Somebody in the background still holds the pipes: the end of the process is the end. */
static void test_run_leaves_the_background_behind(void **state)
{
    struct run r;
    (void)state;
    assert_int_equal(run(&r, "sleep 6000 & echo started $!", NULL), 0);
    int pid = 0;
    assert_int_equal(sscanf(cts_buf_text(&r.out), "started %d", &pid), 1);
    assert_int_equal(r.status, 0);
    /* It was in the group, and went with it: at most its corpse is left for init. */
    char stat[64], text[512] = "";
    snprintf(stat, sizeof(stat), "/proc/%d/stat", pid);
    for (unsigned i = 0; i < 200; i++) {
        FILE *f = fopen(stat, "r");
        bool alive = f && fgets(text, sizeof(text), f) && !strstr(text, ") Z");
        if (f)
            fclose(f);
        if (!alive)
            break;
        usleep(10000);
        assert_true(i < 199);
    }
    done(&r);
}

static void test_run_tells_of_signals(void **state)
{
    struct run r;
    char text[64];
    (void)state;
    assert_int_equal(run(&r, "kill -SEGV $$", NULL), 0);
    assert_string_equal(cts_proc_status_text(r.status, text, sizeof(text)), "signal 11 (SIGSEGV)");
    done(&r);
}

static void test_status_texts(void **state)
{
    char text[64];
    (void)state;
    assert_string_equal(cts_proc_status_text(3 << 8, text, sizeof(text)), "exit 3");
    assert_string_equal(cts_proc_status_text(9, text, sizeof(text)), "signal 9 (SIGKILL)");
    assert_string_equal(cts_proc_status_text(40, text, sizeof(text)), "signal 40");
    assert_string_equal(cts_proc_status_text(-1, text, sizeof(text)), "unknown end");
    assert_string_equal(cts_proc_status_text(3 << 8, text, 3), "ex");
}

/* Not to be started. */

static void test_start_of_nothing(void **state)
{
    static const char *const argv[] = {"/no/such/program", NULL};
    static const char *const unknown[] = {"no-such-program-anywhere", NULL};
    static const char *const empty[] = {"", NULL};
    struct cts_proc p;
    struct cts_err err = {0};
    (void)state;
    assert_int_equal(cts_proc_start(&p, argv, &err), CTS_E_WORKER);
    assert_non_null(strstr(err.msg, "/no/such/program"));
    assert_int_equal(p.pid, 0);
    assert_int_equal(cts_proc_start(&p, unknown, NULL), CTS_E_WORKER);
    assert_int_equal(cts_proc_start(&p, empty, NULL), CTS_E_WORKER);
    assert_int_equal(cts_proc_end(&p), -1);
}

static void test_start_of_what_exec_refuses(void **state)
{
    char dir[256], path[300];
    struct cts_err err = {0};
    struct cts_proc p;
    (void)state;
    assert_int_equal(cts_fs_temp_dir(dir, sizeof(dir), NULL), 0);
    snprintf(path, sizeof(path), "%s/not-a-program", dir);
    assert_int_equal(cts_fs_write_atomic(path,
                                         "\x7f"
                                         "ELF",
                                         4, NULL),
                     0);
    assert_int_equal(chmod(path, 0755), 0);
    const char *const argv[] = {path, NULL};
    assert_int_equal(cts_proc_start(&p, argv, &err), CTS_E_WORKER);
    assert_non_null(strstr(err.msg, "Exec format error"));
    assert_int_equal(p.pid, 0);
    cts_fs_remove_tree(dir);
}

/* Started and talked to. */

static int start(struct cts_proc *p, const char *script)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    return cts_proc_start(p, argv, NULL);
}

static size_t read_until(int fd, char *out, size_t cap, char last)
{
    size_t n = 0;
    while (n < cap - 1 && (!n || out[n - 1] != last)) {
        struct pollfd f = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&f, 1, 10000), 1);
        ssize_t got = read(fd, out + n, cap - 1 - n);
        if (got == 0)
            break;
        assert_true(got > 0);
        n += (size_t)got;
    }
    out[n] = '\0';
    return n;
}

static void test_start_and_end(void **state)
{
    struct cts_proc p;
    char line[64];
    (void)state;
    assert_int_equal(start(&p, "read x; echo got $x; sleep 60"), 0);
    assert_true(fcntl(p.in, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(p.out, F_GETFL) & O_NONBLOCK);
    assert_int_equal(getpgid(p.pid), p.pid);
    assert_int_equal(cts_proc_write(&p, "it\n", 3), 3);
    read_until(p.out, line, sizeof(line), '\n');
    assert_string_equal(line, "got it\n");
    int status = 0;
    assert_false(cts_proc_wait(&p, 20, &status));
    status = cts_proc_end(&p);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_int_equal(p.pid, 0);
    assert_int_equal(p.in, -1);
    assert_int_equal(cts_proc_end(&p), -1);
}

static void test_wait_does_not_reap(void **state)
{
    struct cts_proc p;
    int status = 0;
    (void)state;
    assert_int_equal(start(&p, "exit 5"), 0);
    assert_true(cts_proc_wait(&p, 10000, &status));
    assert_int_equal(WEXITSTATUS(status), 5);
    assert_true(cts_proc_wait(&p, 0, &status));
    status = cts_proc_end(&p);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 5);
}

/* With SIGPIPE at its default, this would end the test. */
static void test_write_to_the_dead(void **state)
{
    struct cts_proc p;
    int status;
    (void)state;
    signal(SIGPIPE, SIG_DFL);
    assert_int_equal(start(&p, "exit 0"), 0);
    assert_true(cts_proc_wait(&p, 10000, &status));
    assert_int_equal(cts_proc_write(&p, "x", 1), -1);
    assert_int_equal(errno, EPIPE);
    sigset_t pending;
    sigpending(&pending);
    assert_false(sigismember(&pending, SIGPIPE));
    cts_proc_end(&p);
}

/* Other children's pipes and files of ours must not leak into a child, or nobody would ever see an
 * end of file. */
static void test_child_has_none_of_our_descriptors(void **state)
{
    struct cts_proc first, second;
    char line[256];
    (void)state;
    assert_int_equal(start(&first, "sleep 60"), 0);
    assert_int_equal(
        start(&second, "for f in /proc/$$/fd/*; do echo -n \" ${f##*/} \"; done; echo"), 0);
    read_until(second.out, line, sizeof(line), '\n');
    const int ours[] = {first.in, first.out, first.err_fd, first.pidfd};
    for (unsigned i = 0; i < 4; i++) {
        char number[16];
        snprintf(number, sizeof(number), " %d ", ours[i]);
        assert_null(strstr(line, number));
        assert_true(ours[i] < 0 || fcntl(ours[i], F_GETFD) & FD_CLOEXEC);
    }
    assert_non_null(strstr(line, " 0 "));
    cts_proc_end(&first);
    cts_proc_end(&second);
}

static void test_child_signals_are_default(void **state)
{
    struct cts_proc p;
    int status;
    sigset_t usr, before;
    (void)state;
    sigemptyset(&usr);
    sigaddset(&usr, SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    sigprocmask(SIG_BLOCK, &usr, &before);
    assert_int_equal(start(&p, "kill -USR1 $$; exit 0"), 0);
    assert_true(cts_proc_wait(&p, 10000, &status));
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGUSR1);
    cts_proc_end(&p);
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGUSR1, SIG_DFL);
}

static void test_child_leaves_no_core(void **state)
{
    struct cts_proc p;
    struct rlimit before, some;
    char line[64];
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_CORE, &before), 0);
    some = before;
    some.rlim_cur = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_CORE, &some), 0);
    assert_int_equal(start(&p, "ulimit -S -c"), 0);
    read_until(p.out, line, sizeof(line), '\n');
    assert_string_equal(line, "0\n");
    cts_proc_end(&p);
    setrlimit(RLIMIT_CORE, &before);
}

/* The descriptor of a file that only the child has open. */
static void test_take_fd(void **state)
{
    struct cts_proc p;
    char line[16], text[16] = "";
    (void)state;
    assert_int_equal(start(&p, "exec 7</proc/self/status; read a b <&7; echo $b; sleep 60"), 0);
    read_until(p.out, line, sizeof(line), '\n');
    assert_string_equal(line, "sh\n");
    int fd = cts_proc_take_fd(&p, 7);
    if (p.pidfd < 0 || (fd < 0 && (errno == EPERM || errno == ENOSYS))) {
        cts_proc_end(&p);
        skip();
    }
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
    assert_int_equal(strncmp(text, "Name:\tsh\n", 9), 0);
    close(fd);
    assert_true(cts_proc_take_fd(&p, 99) < 0);
    assert_true(cts_proc_take_fd(&p, -1) < 0);
    cts_proc_end(&p);
    assert_true(cts_proc_take_fd(&p, 0) < 0);
}

/* A harness that is killed takes its workers with it. */
static void test_child_dies_with_its_parent(void **state)
{
    int link[2];
    (void)state;
    assert_int_equal(pipe(link), 0);
    pid_t parent = fork();
    if (parent == 0) {
        struct cts_proc p;
        if (start(&p, "sleep 60") == 0 && write(link[1], &p.pid, sizeof(p.pid)) > 0)
            pause();
        _exit(1);
    }
    pid_t child = 0;
    assert_int_equal(read(link[0], &child, sizeof(child)), sizeof(child));
    assert_int_equal(kill(child, 0), 0);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    char stat[64], text[512];
    snprintf(stat, sizeof(stat), "/proc/%d/stat", (int)child);
    for (unsigned i = 0; i < 500; i++) {
        FILE *f = fopen(stat, "r");
        bool alive = f && fgets(text, sizeof(text), f) && !strstr(text, ") Z");
        if (f)
            fclose(f);
        if (!alive)
            break;
        usleep(10000);
        assert_true(i < 499);
    }
    close(link[0]);
    close(link[1]);
}

/* What leaves the group. */

static bool lives(pid_t pid)
{
    char path[64], text[512];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    bool is = f && fgets(text, sizeof(text), f) && !strstr(text, ") Z");
    if (f)
        fclose(f);
    return is;
}

/* Starts a child that leaves an orphan behind, and stays; returns the orphan. */
static pid_t start_with_orphan(struct cts_proc *p)
{
    char text[32] = "";
    size_t n = 0;
    assert_int_equal(start(p, "(setsid sh -c 'trap \"\" TERM; echo $$; exec >&-; sleep 600' &) ; "
                              "exec sleep 600"),
                     0);
    while (!strchr(text, '\n') && n < sizeof(text) - 1) {
        struct pollfd fd = {.fd = p->out, .events = POLLIN};
        assert_int_equal(poll(&fd, 1, 60000), 1);
        ssize_t got = read(p->out, text + n, sizeof(text) - 1 - n);
        assert_true(got > 0);
        n += (size_t)got;
    }
    pid_t orphan = (pid_t)strtol(text, NULL, 10);
    assert_true(orphan > 0 && lives(orphan));
    return orphan;
}

/* Each with its own, as if in several threads: it ends with the one that started it, and not with
 * another. */
static void test_orphans(void **state)
{
    struct cts_proc one, other;
    (void)state;
    pid_t of_one = start_with_orphan(&one), of_other = start_with_orphan(&other);
    cts_proc_end(&other);
    cts_proc_settle();
    assert_false(lives(of_other));
    assert_true(lives(of_one));
    cts_proc_end(&one);
    cts_proc_settle();
    assert_false(lives(of_one));
}

/* Children that this process has forked for itself are nobody's orphans. */
static void test_own_children(void **state)
{
    struct cts_proc p;
    (void)state;
    pid_t own = fork();
    assert_true(own >= 0);
    while (own == 0)
        pause();
    pid_t orphan = start_with_orphan(&p);
    cts_proc_end(&p);
    cts_proc_settle();
    assert_false(lives(orphan));
    assert_true(lives(own));
    kill(own, SIGKILL);
    assert_int_equal(waitpid(own, NULL, 0), own);
}

/* What has something to put right after the end has a moment for it. */
static void test_last_things(void **state)
{
    struct cts_proc p;
    char file[] = "/tmp/cts-test-proc-XXXXXX", command[256];
    (void)state;
    close(mkstemp(file));
    snprintf(command, sizeof(command),
             "setsid sh -c 'echo; while kill -0 %s 2>/dev/null; do sleep 0.01; done; rm %s' & "
             "exec sleep 600",
             "$PPID", file);
    assert_int_equal(start(&p, command), 0);
    struct pollfd fd = {.fd = p.out, .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 60000), 1);
    cts_proc_end(&p);
    cts_proc_settle();
    assert_int_equal(access(file, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_collects_both_streams),
        cmocka_unit_test(test_run_with_much_input_and_output),
        cmocka_unit_test(test_run_drops_what_is_too_much),
        cmocka_unit_test(test_run_without_buffers),
        cmocka_unit_test(test_run_that_does_not_read),
        cmocka_unit_test(test_run_times_out),
        cmocka_unit_test(test_run_leaves_the_background_behind),
        cmocka_unit_test(test_run_tells_of_signals),
        cmocka_unit_test(test_status_texts),
        cmocka_unit_test(test_start_of_nothing),
        cmocka_unit_test(test_start_of_what_exec_refuses),
        cmocka_unit_test(test_start_and_end),
        cmocka_unit_test(test_wait_does_not_reap),
        cmocka_unit_test(test_write_to_the_dead),
        cmocka_unit_test(test_child_has_none_of_our_descriptors),
        cmocka_unit_test(test_child_signals_are_default),
        cmocka_unit_test(test_child_leaves_no_core),
        cmocka_unit_test(test_take_fd),
        cmocka_unit_test(test_child_dies_with_its_parent),
        cmocka_unit_test(test_orphans),
        cmocka_unit_test(test_own_children),
        cmocka_unit_test(test_last_things),
    };
    return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}
