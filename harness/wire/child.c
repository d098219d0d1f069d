#include "wire/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/effort.h"
#include "base/err.h"
#include "base/fmt.h"
#include "base/limits.h"
#include "base/syscalls.h"
#include "base/tree.h"
#include "wire/wire.h"

enum {
    CHUNK = 1 << 16,
    OLD_KERNELS_FDS = 4096, /* what is closed one by one where close_range is unavailable */
    TICK_MS = 10,           /* where there is no pidfd */
    SWEEPS = 100,           /* of processes that keep starting others */
    SWEEP_MS = 5,
};

/* A command under way. */
struct live {
    struct cts_child *c;
    pid_t pid; /* 0: this place is free */
    int pidfd; /* -1: the kernel has none */
    int out, err;
    struct cts_effort effort; /* where there is a timeout */
    size_t bytes;             /* of both streams, so far */
};

struct crowd {
    struct live live[CTS_CHILD_AT_ONCE];
    unsigned places;
};

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Finding. */

static bool can_run(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

int cts_child_find(const char *name, char *path, size_t cap)
{
    const char *dirs = getenv("PATH");
    if (strchr(name, '/') || !name[0])
        return cts_fmt(path, cap, "%s", name) < cap && can_run(path) ? 0 : CTS_E_NOTFOUND;
    for (dirs = dirs ? dirs : "/usr/bin:/bin"; dirs; dirs = strchr(dirs, ':')) {
        dirs += *dirs == ':';
        size_t len = strcspn(dirs, ":");
        const char *dir = len ? dirs : ".";
        if (cts_fmt(path, cap, "%.*s/%s", len ? (int)len : 1, dir, name) < cap && can_run(path))
            return 0;
        if (!dirs[len])
            break;
    }
    return CTS_E_NOTFOUND;
}

int cts_child_command(const char *variable, const char *name, const char *hint, char *path,
                      size_t cap, struct cts_err *err)
{
    const char *given = getenv(variable);
    if (given && given[0]) {
        if (cts_child_find(given, path, cap) == 0)
            return 0;
        return cts_err_set(err, CTS_E_NOTFOUND, "%s is '%s', which is no program", variable, given);
    }
    if (cts_child_find(name, path, cap) == 0)
        return 0;
    return cts_err_set(err, CTS_E_UNSUPPORTED, "%s is not in $PATH, nor does $%s name it; %s", name,
                       variable, hint);
}

unsigned cts_child_time_ms(unsigned percent)
{
    const char *given = getenv(CTS_WIRE_TIMEOUT_VARIABLE);
    unsigned long ms = given ? strtoul(given, NULL, 10) : CTS_USUAL_TIMEOUT_MS;
    if (ms == 0 || ms > UINT32_MAX)
        ms = CTS_USUAL_TIMEOUT_MS;
    unsigned part = (unsigned)((uint64_t)ms * percent / 100);
    return part ? part : 1;
}

unsigned cts_child_processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set))
        return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? (unsigned)n : 1;
}

/* Starting. */

/* Above 2, so that dup2 in the child never meets its own source. */
static int raised(int fd)
{
    if (fd < 0 || fd > 2)
        return fd;
    int higher = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close(fd);
    return higher;
}

static bool open_pipe(int end[2])
{
    if (pipe2(end, O_CLOEXEC))
        return false;
    end[0] = raised(end[0]);
    end[1] = raised(end[1]);
    return end[0] >= 0 && end[1] >= 0;
}

/* A file and no pipe: nobody has to write on while the command reads, and it can be opened by name.
 */
static int open_input(const struct cts_child *c)
{
    const char *at = c->in;
    int fd = raised(memfd_create("input", MFD_CLOEXEC));
    for (size_t left = c->in_bytes; fd >= 0 && left;) {
        ssize_t n = write(fd, at, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            shut(&fd);
            return -1;
        }
        at += n;
        left -= (size_t)n;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

struct start {
    int in, out[2], err[2], told[2]; /* told: a failed exec tells errno */
};

static void end_start(struct start *s)
{
    shut(&s->in);
    for (unsigned i = 0; i < 2; i++) {
        shut(&s->out[i]);
        shut(&s->err[i]);
        shut(&s->told[i]);
    }
}

static void close_from(int first, int but)
{
    if (but > first)
        syscall(SYS_close_range, first, but - 1, 0);
    if (syscall(SYS_close_range, but + 1, ~0u, 0) == 0)
        return;
    for (int fd = first; fd < OLD_KERNELS_FDS; fd++)
        if (fd != but)
            close(fd);
}

_Noreturn static void child_main(const struct start *s, const char *path, char *const argv[],
                                 pid_t parent)
{
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    sigset_t none;
    sigemptyset(&none);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    for (int i = 1; i < NSIG; i++)
        sigaction(i, &dfl, NULL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(s->in, 0) >= 0 && dup2(s->out[1], 1) >= 0 && dup2(s->err[1], 2) >= 0) {
        close_from(3, s->told[1]);
        execv(path, argv);
    }
    int why = errno;
    ssize_t n = write(s->told[1], &why, sizeof(why));
    _exit(n == (ssize_t)sizeof(why) ? 127 : 126);
}

/* The errno of a failed exec, 0 if it went well (the pipe closed by itself). */
static int exec_result(struct start *s)
{
    int why = 0;
    ssize_t n;
    shut(&s->told[1]);
    do
        n = read(s->told[0], &why, sizeof(why));
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(why) ? why : 0;
}

static int spawn(struct live *l, struct start *s)
{
    char path[CTS_PATH_BYTES];
    /* execv promises not to write, but its type is older than const. */
    union {
        const char *const *in;
        char *const *out;
    } argv = {.in = l->c->argv};
    if (!argv.in[0] || cts_child_find(argv.in[0], path, sizeof(path)))
        return ENOENT;
    s->in = open_input(l->c);
    if (s->in < 0 || !open_pipe(s->out) || !open_pipe(s->err) || !open_pipe(s->told))
        return errno ? errno : EMFILE;
    pid_t parent = getpid();
    l->pid = fork();
    if (l->pid == 0)
        child_main(s, path, argv.out, parent);
    if (l->pid < 0) {
        l->pid = 0;
        return errno;
    }
    int why = exec_result(s);
    if (why) {
        waitpid(l->pid, NULL, 0);
        l->pid = 0;
    }
    return why;
}

static void not_started(struct cts_child *c, int why)
{
    c->end = CTS_CHILD_NOT_STARTED;
    c->number = why;
}

static void keep_ends(struct live *l, struct start *s)
{
    l->out = s->out[0];
    l->err = s->err[0];
    s->out[0] = s->err[0] = -1;
    fcntl(l->out, F_SETFL, fcntl(l->out, F_GETFL) | O_NONBLOCK);
    fcntl(l->err, F_SETFL, fcntl(l->err, F_GETFL) | O_NONBLOCK);
    l->pidfd = (int)syscall(SYS_pidfd_open, l->pid, 0);
    if (l->c->timeout_ms)
        cts_effort_start(&l->effort, l->pid, l->c->timeout_ms);
}

static void clear_text(struct cts_child_text *t)
{
    t->len = 0;
    t->dropped = false;
    if (t->cap)
        t->text[0] = '\0';
}

/* False if there is nothing to wait for. */
static bool start(struct live *l, struct cts_child *c)
{
    struct start s = {.in = -1, .out = {-1, -1}, .err = {-1, -1}, .told = {-1, -1}};
    *l = (struct live){.c = c, .pidfd = -1, .out = -1, .err = -1};
    clear_text(&c->out);
    clear_text(&c->err);
    c->number = 0;
    int why = spawn(l, &s);
    if (why)
        not_started(c, why);
    else
        keep_ends(l, &s);
    end_start(&s);
    return why == 0;
}

/* Ending. */

static bool is_live(const struct crowd *all, pid_t pid)
{
    for (unsigned i = 0; i < all->places; i++)
        if (all->live[i].pid == pid)
            return true;
    return false;
}

/* Whoever lost its parent has become ours: ends all that we did not start. */
static void sweep(const struct crowd *all)
{
    for (unsigned round = 0; round < SWEEPS; round++) {
        struct cts_tree list = {.n = 0};
        const struct timespec t = {.tv_nsec = SWEEP_MS * 1000000L};
        unsigned strays = 0;
        cts_tree_add_children(&list, getpid());
        for (unsigned i = 0; i < list.n; i++) {
            if (is_live(all, list.pid[i]))
                continue;
            cts_tree_kill(list.pid[i]);
            strays++;
        }
        if (strays == 0)
            return;
        for (unsigned i = 0; i < list.n; i++)
            if (!is_live(all, list.pid[i]))
                waitpid(list.pid[i], NULL, WNOHANG);
        if (round)
            nanosleep(&t, NULL);
    }
}

/* Reading. */

static void keep(struct cts_child_text *t, const char *data, size_t len)
{
    size_t room = t->cap ? t->cap - 1 - t->len : 0;
    if (len > room)
        t->dropped = true;
    len = len < room ? len : room;
    if (!len)
        return;
    memcpy(t->text + t->len, data, len);
    t->len += len;
    t->text[t->len] = '\0';
}

/* One chunk; closes at the end of the stream. True if there was something. */
static bool drain(struct live *l, int *fd, struct cts_child_text *t)
{
    char chunk[CHUNK];
    ssize_t n = read(*fd, chunk, sizeof(chunk));
    if (n > 0) {
        keep(t, chunk, (size_t)n);
        l->bytes += (size_t)n;
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        shut(fd);
    }
    return n > 0;
}

static bool floods(const struct live *l)
{
    return l->bytes > CTS_CHILD_FLOOD;
}

/* What lies in the pipes when the command is over: others may hold them open. */
static void drain_rest(struct live *l)
{
    while (l->out >= 0 && !floods(l) && drain(l, &l->out, &l->c->out))
        ;
    while (l->err >= 0 && !floods(l) && drain(l, &l->err, &l->c->err))
        ;
}

static void leave(struct live *l)
{
    shut(&l->out);
    shut(&l->err);
    shut(&l->pidfd);
    l->pid = 0;
}

static void stop(struct live *l, enum cts_child_end why)
{
    cts_tree_kill(l->pid);
    waitpid(l->pid, NULL, 0);
    l->c->end = why;
    leave(l);
}

/* True if the command has ended by itself. */
static bool reap(struct live *l)
{
    int status;
    pid_t pid = waitpid(l->pid, &status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR))
        return false;
    drain_rest(l);
    l->c->end = pid > 0 && WIFSIGNALED(status) ? CTS_CHILD_SIGNALED : CTS_CHILD_EXITED;
    l->c->number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    if (pid < 0)
        not_started(l->c, errno);
    if (floods(l))
        l->c->end = CTS_CHILD_FLOODED;
    leave(l);
    return true;
}

static void look_at_time(struct live *l)
{
    struct cts_effort *e = &l->effort;
    if (!l->c->timeout_ms)
        return;
    cts_effort_tick(e);
    if (cts_effort_is_over(e, l->c->timeout_ms))
        stop(l, CTS_CHILD_TIMED_OUT);
    else if (cts_effort_is_starved(e, l->c->timeout_ms))
        stop(l, CTS_CHILD_STARVED);
}

static void look_after(struct live *l)
{
    if (l->out >= 0)
        drain(l, &l->out, &l->c->out);
    if (l->err >= 0)
        drain(l, &l->err, &l->c->err);
    if (floods(l))
        stop(l, CTS_CHILD_FLOODED);
    else if (!reap(l))
        look_at_time(l);
}

/* Until something happens to one of them, or its time is over. */
static void wait_for(const struct crowd *all)
{
    struct pollfd fds[3 * CTS_CHILD_AT_ONCE];
    nfds_t n = 0;
    unsigned most = 1000;
    for (unsigned i = 0; i < all->places; i++) {
        const struct live *l = &all->live[i];
        if (!l->pid)
            continue;
        fds[n++] = (struct pollfd){.fd = l->out, .events = POLLIN};
        fds[n++] = (struct pollfd){.fd = l->err, .events = POLLIN};
        fds[n++] = (struct pollfd){.fd = l->pidfd, .events = POLLIN};
        if (l->pidfd < 0 && most > TICK_MS)
            most = TICK_MS;
        if (l->c->timeout_ms && cts_effort_wait_ms(&l->effort) < most)
            most = cts_effort_wait_ms(&l->effort);
    }
    poll(fds, n, (int)most);
}

void cts_child_run(struct cts_child *list, size_t n, unsigned at_once)
{
    struct crowd all = {.places = at_once < 1                   ? 1
                                  : at_once > CTS_CHILD_AT_ONCE ? CTS_CHILD_AT_ONCE
                                                                : at_once};
    size_t next = 0;
    unsigned busy = 0;
    /* Orphans come to us, so that they can be found. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (;;) {
        for (unsigned i = 0; i < all.places && next < n; i++)
            if (!all.live[i].pid)
                busy += start(&all.live[i], &list[next++]);
        if (!busy && next == n)
            break;
        if (busy)
            wait_for(&all);
        for (unsigned i = 0; i < all.places; i++) {
            if (!all.live[i].pid)
                continue;
            look_after(&all.live[i]);
            busy -= !all.live[i].pid;
        }
    }
    sweep(&all);
}

/* Signals as written; strsignal's texts depend on the locale. */
static const struct {
    int number;
    const char *name;
} signal_names[] = {
    {SIGILL, " (SIGILL)"},   {SIGABRT, " (SIGABRT)"}, {SIGBUS, " (SIGBUS)"},
    {SIGFPE, " (SIGFPE)"},   {SIGKILL, " (SIGKILL)"}, {SIGSEGV, " (SIGSEGV)"},
    {SIGPIPE, " (SIGPIPE)"}, {SIGTERM, " (SIGTERM)"}, {SIGTRAP, " (SIGTRAP)"},
};

static const char *signal_name(int number)
{
    for (unsigned i = 0; i < sizeof(signal_names) / sizeof(signal_names[0]); i++)
        if (signal_names[i].number == number)
            return signal_names[i].name;
    return "";
}

const char *cts_child_end_text(const struct cts_child *c, char *text, size_t cap)
{
    switch (c->end) {
    case CTS_CHILD_NOT_STARTED:
        cts_fmt(text, cap, "cannot be started: %s", strerror(c->number));
        break;
    case CTS_CHILD_EXITED:
        cts_fmt(text, cap, "exit %d", c->number);
        break;
    case CTS_CHILD_SIGNALED:
        cts_fmt(text, cap, "signal %d%s", c->number, signal_name(c->number));
        break;
    case CTS_CHILD_TIMED_OUT:
        cts_fmt(text, cap, "did not end within %u ms", c->timeout_ms);
        break;
    case CTS_CHILD_STARVED:
        cts_fmt(text, cap, "had less than %u ms for itself for long: the machine is too busy",
                c->timeout_ms);
        break;
    case CTS_CHILD_FLOODED:
        cts_fmt(text, cap, "wrote more than %d bytes", CTS_CHILD_FLOOD);
        break;
    }
    return text;
}
