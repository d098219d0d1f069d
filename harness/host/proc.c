#include "host/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/effort.h"
#include "base/fmt.h"
#include "base/limits.h"
#include "base/syscalls.h"
#include "host/clock.h"
#include "host/family.h"
#include "host/fs.h"

enum {
    PIPE_BYTES = 1 << 20, /* a whole batch fits, so that writer and reader need not take turns */
    REAP_MS = 10000,      /* a killed process that the kernel does not let go of is left behind */
    READ_BYTES = 1 << 16,
};

void cts_proc_init(struct cts_proc *p)
{
    *p = (struct cts_proc){.in = -1, .out = -1, .err_fd = -1, .pidfd = -1};
}

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Starting. */

/* Read and write ends, four times: the child's stdin, stdout, stderr, and the pipe on which a
 * failed exec tells errno. */
enum { P_IN, P_OUT, P_ERR, P_EXEC, P_COUNT };

struct pipes {
    int end[P_COUNT][2];
};

static void shut_pipes(struct pipes *ps)
{
    for (unsigned i = 0; i < P_COUNT; i++) {
        shut(&ps->end[i][0]);
        shut(&ps->end[i][1]);
    }
}

/* Above 2, so that dup2 in the child never meets its own source. */
static int raise_fd(int *fd)
{
    if (*fd > 2)
        return 0;
    int higher = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
    if (higher < 0)
        return -1;
    close(*fd);
    *fd = higher;
    return 0;
}

static int open_pipes(struct pipes *ps)
{
    for (unsigned i = 0; i < P_COUNT; i++)
        ps->end[i][0] = ps->end[i][1] = -1;
    for (unsigned i = 0; i < P_COUNT; i++)
        if (pipe2(ps->end[i], O_CLOEXEC) || raise_fd(&ps->end[i][0]) || raise_fd(&ps->end[i][1]))
            return -1;
    return 0;
}

/* Between fork and exec of a process that may have threads: system calls only. */
static void child_reset_signals(void)
{
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    for (int i = 1; i < NSIG; i++)
        sigaction(i, &dfl, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A runtime that crashes on every other program must not fill the disk. What the child wants
 * otherwise it can raise again. */
static void child_leave_no_core(void)
{
    struct rlimit core;
    if (getrlimit(RLIMIT_CORE, &core) == 0) {
        core.rlim_cur = 0;
        setrlimit(RLIMIT_CORE, &core);
    }
}

/* Our environment, and the mark of the family; null if there is no memory. */
static const char **environment_with(const char *mark)
{
    size_t n = 0, at = 0;
    while (environ && environ[n])
        n++;
    const char **list = calloc(n + 2, sizeof(*list));
    for (size_t i = 0; list && i < n; i++)
        if (strncmp(environ[i], CTS_FAMILY_MARK "=", sizeof(CTS_FAMILY_MARK)) != 0)
            list[at++] = environ[i];
    if (list)
        list[at] = mark;
    return list;
}

static char *const *as_exec_argv(const char *const argv[])
{
    /* execve promises not to write, but its type is older than const. */
    union {
        const char *const *in;
        char *const *out;
    } u = {.in = argv};
    return u.out;
}

_Noreturn static void child_main(const struct pipes *ps, const char *path, const char *const argv[],
                                 const char *const env[], pid_t parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    child_reset_signals();
    child_leave_no_core();
    if (dup2(ps->end[P_IN][0], 0) >= 0 && dup2(ps->end[P_OUT][1], 1) >= 0 &&
        dup2(ps->end[P_ERR][1], 2) >= 0)
        execve(path, as_exec_argv(argv), as_exec_argv(env));
    int why = errno;
    ssize_t told = write(ps->end[P_EXEC][1], &why, sizeof(why));
    _exit(told == (ssize_t)sizeof(why) ? 127 : 126);
}

static pid_t fork_quietly(const struct pipes *ps, const char *path, const char *const argv[])
{
    /* No handler of this process may run in the child. */
    sigset_t all, before;
    struct cts_kin kin;
    cts_family_name(&kin);
    const char **env = environment_with(kin.mark);
    if (!env)
        return -1;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t pid = cts_family_fork(&kin);
    if (pid == 0)
        child_main(ps, path, argv, env, parent);
    int why = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    free(env);
    errno = why;
    return pid;
}

/* The errno of a failed exec, 0 if it went well (the pipe closed by itself). */
static int exec_result(int fd)
{
    int why = 0;
    ssize_t n;
    do
        n = read(fd, &why, sizeof(why));
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(why) ? why : 0;
}

static void keep_ours(struct cts_proc *p, struct pipes *ps)
{
    p->in = ps->end[P_IN][1];
    p->out = ps->end[P_OUT][0];
    p->err_fd = ps->end[P_ERR][0];
    ps->end[P_IN][1] = ps->end[P_OUT][0] = ps->end[P_ERR][0] = -1;
    const int ours[] = {p->in, p->out, p->err_fd};
    for (unsigned i = 0; i < 3; i++)
        fcntl(ours[i], F_SETFL, fcntl(ours[i], F_GETFL) | O_NONBLOCK);
    /* Larger pipes are a favour that the kernel may refuse. */
    fcntl(p->in, F_SETPIPE_SZ, PIPE_BYTES);
    fcntl(p->out, F_SETPIPE_SZ, PIPE_BYTES);
}

static int start_in(struct cts_proc *p, struct pipes *ps, const char *path,
                    const char *const argv[], struct cts_err *err)
{
    if (open_pipes(ps))
        return cts_err_set(err, CTS_E_WORKER, "cannot start %s: pipe: %s", path, strerror(errno));
    p->pid = fork_quietly(ps, path, argv);
    if (p->pid < 0) {
        p->pid = 0;
        return cts_err_set(err, CTS_E_WORKER, "cannot start %s: fork: %s", path, strerror(errno));
    }
    p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    shut(&ps->end[P_EXEC][1]);
    int why = exec_result(ps->end[P_EXEC][0]);
    keep_ours(p, ps);
    if (!why)
        return 0;
    cts_proc_end(p);
    return cts_err_set(err, CTS_E_WORKER, "cannot start %s: %s", path, strerror(why));
}

int cts_proc_start(struct cts_proc *p, const char *const argv[], struct cts_err *err)
{
    char path[CTS_PATH_BYTES];
    struct pipes ps;
    cts_proc_init(p);
    if (!argv[0] || !argv[0][0])
        return cts_err_set(err, CTS_E_WORKER, "cannot start a program without a name");
    if (cts_fs_find_program(argv[0], path, sizeof(path)))
        return cts_err_set(err, CTS_E_WORKER, "cannot start %s: not found, or not executable",
                           argv[0]);
    int rc = start_in(p, &ps, path, argv, err);
    shut_pipes(&ps);
    return rc;
}

int cts_proc_take_fd(const struct cts_proc *p, int fd)
{
    if (p->pidfd < 0 || fd < 0)
        return -1;
    return (int)syscall(SYS_pidfd_getfd, p->pidfd, fd, 0);
}

ssize_t cts_proc_write(const struct cts_proc *p, const void *data, size_t len)
{
    sigset_t pipe_signal, before, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    ssize_t n = write(p->in, data, len);
    int why = errno;
    /* A SIGPIPE of this write is taken away; one that was pending before belongs to somebody else.
     */
    if (n < 0 && why == EPIPE && !sigismember(&pending, SIGPIPE)) {
        const struct timespec now = {0};
        while (sigtimedwait(&pipe_signal, NULL, &now) < 0 && errno == EINTR)
            ;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = why;
    return n;
}

/* Ending. */

static void sleep_ms(unsigned ms)
{
    const struct timespec t = {.tv_nsec = (long)ms * 1000000};
    nanosleep(&t, NULL);
}

static int status_of(const siginfo_t *si)
{
    if (si->si_code == CLD_EXITED)
        return (si->si_status & 0xff) << 8;
    return si->si_status | (si->si_code == CLD_DUMPED ? 0x80 : 0);
}

static bool is_over(const struct cts_proc *p, int *status)
{
    siginfo_t si = {0};
    if (waitid(P_PID, (id_t)p->pid, &si, WEXITED | WNOHANG | WNOWAIT)) {
        /* Where SIGCHLD is ignored the kernel has reaped it already. */
        *status = -1;
        return errno == ECHILD;
    }
    *status = status_of(&si);
    return si.si_pid == p->pid;
}

bool cts_proc_wait(const struct cts_proc *p, unsigned ms, int *status)
{
    if (p->pid <= 0)
        return false;
    uint64_t deadline = cts_clock_ns() + (uint64_t)ms * 1000000;
    for (;;) {
        if (is_over(p, status))
            return true;
        uint64_t now = cts_clock_ns();
        if (now >= deadline)
            return false;
        uint64_t left_ms = (deadline - now) / 1000000 + 1;
        struct pollfd fd = {.fd = p->pidfd, .events = POLLIN};
        if (p->pidfd >= 0)
            poll(&fd, 1, left_ms < 1000 ? (int)left_ms : 1000);
        else
            sleep_ms(1);
    }
}

int cts_proc_end(struct cts_proc *p)
{
    int status = -1;
    shut(&p->in);
    shut(&p->out);
    shut(&p->err_fd);
    if (p->pid > 0) {
        /* The group before the reaping: until then its number cannot be somebody else's. */
        kill(-p->pid, SIGKILL);
        kill(p->pid, SIGKILL);
        if (!cts_proc_wait(p, REAP_MS, &status) || waitpid(p->pid, &status, WNOHANG) != p->pid)
            status = -1;
        cts_family_leave(p->pid);
    }
    shut(&p->pidfd);
    p->pid = 0;
    return status;
}

/* Signals as written; strsignal's texts depend on the locale. */
static const struct {
    int number;
    const char *name;
} signal_names[] = {
    {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"}, {SIGILL, "SIGILL"},
    {SIGTRAP, "SIGTRAP"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
    {SIGKILL, "SIGKILL"}, {SIGSEGV, "SIGSEGV"}, {SIGPIPE, "SIGPIPE"}, {SIGALRM, "SIGALRM"},
    {SIGTERM, "SIGTERM"}, {SIGSYS, "SIGSYS"},   {SIGXCPU, "SIGXCPU"}, {SIGXFSZ, "SIGXFSZ"},
};

static const char *signal_name(int number)
{
    for (unsigned i = 0; i < sizeof(signal_names) / sizeof(signal_names[0]); i++)
        if (signal_names[i].number == number)
            return signal_names[i].name;
    return NULL;
}

const char *cts_proc_status_text(int status, char *buf, size_t cap)
{
    if (status == -1)
        cts_fmt(buf, cap, "unknown end");
    else if (WIFEXITED(status))
        cts_fmt(buf, cap, "exit %d", WEXITSTATUS(status));
    else if (WIFSIGNALED(status) && signal_name(WTERMSIG(status)))
        cts_fmt(buf, cap, "signal %d (%s)", WTERMSIG(status), signal_name(WTERMSIG(status)));
    else if (WIFSIGNALED(status))
        cts_fmt(buf, cap, "signal %d", WTERMSIG(status));
    else
        cts_fmt(buf, cap, "wait status 0x%x", (unsigned)status);
    return buf;
}

void cts_proc_settle(void)
{
    cts_family_settle();
}

/* Running to the end. */

struct run {
    struct cts_proc p;
    const char *input;
    size_t left;
    struct cts_buf *out, *err_text;
    unsigned timeout_ms; /* 0: none */
    struct cts_effort effort;
    bool over;
    int status;
};

static void feed(struct run *r)
{
    while (r->left) {
        ssize_t n = cts_proc_write(&r->p, r->input, r->left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) /* it does not want to know: no failure */
            break;
        r->input += n;
        r->left -= (size_t)n;
    }
    r->left = 0;
    shut(&r->p.in);
}

static void keep(struct cts_buf *b, const char *data, size_t len)
{
    if (!b || b->failed || b->len >= b->limit)
        return;
    size_t room = b->limit - b->len;
    cts_buf_add(b, data, len < room ? len : room);
}

/* One chunk; closes at the end of the stream. True if there was something. */
static bool drain(int *fd, struct cts_buf *b)
{
    char chunk[READ_BYTES];
    ssize_t n = read(*fd, chunk, sizeof(chunk));
    if (n > 0)
        keep(b, chunk, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        shut(fd);
    return n > 0;
}

/* What lies in the pipes when the process is over. Others may hold them open and go on writing: a
 * pipe's worth, no more. */
static void drain_rest(int *fd, struct cts_buf *b)
{
    for (size_t got = 0; *fd >= 0 && got < 2 * (size_t)PIPE_BYTES; got += READ_BYTES)
        if (!drain(fd, b))
            return;
}

/* Milliseconds for poll: without a pidfd the process has to be looked after. */
static int poll_ms(const struct run *r)
{
    unsigned most = r->p.pidfd < 0 ? 20 : 1000;
    unsigned tick = r->timeout_ms ? cts_effort_wait_ms(&r->effort) : most;
    return (int)(tick < most ? tick : most);
}

static int check_time(struct run *r, const char *name, struct cts_err *err)
{
    struct cts_effort *e = &r->effort;
    if (r->over || !r->timeout_ms)
        return 0;
    cts_effort_tick(e);
    if (cts_effort_is_over(e, r->timeout_ms))
        return cts_err_set(err, CTS_E_TIMEOUT, "%s did not end within %u ms", name, r->timeout_ms);
    if (!cts_effort_is_starved(e, r->timeout_ms))
        return 0;
    return cts_err_set(err, CTS_E_BUSY, "%s had %u ms for itself in %u s: the machine is too busy",
                       name, (unsigned)(e->own / 1000000), (unsigned)(e->passed / 1000000000));
}

static int run_step(struct run *r, struct cts_err *err)
{
    struct pollfd fds[] = {
        {.fd = r->p.in, .events = POLLOUT},
        {.fd = r->p.out, .events = POLLIN},
        {.fd = r->p.err_fd, .events = POLLIN},
        {.fd = r->p.pidfd, .events = POLLIN},
    };
    if (poll(fds, 4, poll_ms(r)) < 0 && errno != EINTR)
        return cts_err_set(err, CTS_E_IO, "poll: %s", strerror(errno));
    if (fds[0].revents && r->p.in >= 0)
        feed(r);
    if (fds[1].revents && r->p.out >= 0)
        drain(&r->p.out, r->out);
    if (fds[2].revents && r->p.err_fd >= 0)
        drain(&r->p.err_fd, r->err_text);
    if (fds[3].revents || r->p.pidfd < 0 || (r->p.out < 0 && r->p.err_fd < 0))
        r->over = is_over(&r->p, &r->status);
    return 0;
}

static int run_all(struct run *r, const char *name, struct cts_err *err)
{
    if (!r->left)
        shut(&r->p.in);
    while (!r->over) {
        int rc = run_step(r, err);
        if (rc == 0)
            rc = check_time(r, name, err);
        if (rc)
            return rc;
    }
    drain_rest(&r->p.out, r->out);
    drain_rest(&r->p.err_fd, r->err_text);
    return 0;
}

int cts_proc_run(const char *const argv[], const void *input, size_t input_len, struct cts_buf *out,
                 struct cts_buf *err_text, unsigned timeout_ms, int *status, struct cts_err *err)
{
    struct run r = {.input = input, .left = input_len, .out = out, .err_text = err_text};
    *status = -1;
    int rc = cts_proc_start(&r.p, argv, err);
    if (rc)
        return rc;
    r.timeout_ms = timeout_ms;
    cts_effort_start(&r.effort, r.p.pid, timeout_ms);
    rc = run_all(&r, argv[0], err);
    int end = cts_proc_end(&r.p);
    *status = r.over ? r.status : end;
    if (rc == 0 && ((out && out->failed) || (err_text && err_text->failed)))
        rc = cts_err_set(err, CTS_E_NOMEM, "no memory for the output of %s", argv[0]);
    return rc;
}
