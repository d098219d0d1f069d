#include "knobs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "base/syscalls.h"
#include "bpfsys.h"

/* Above stdin, stdout and stderr, and above what the guardian moves its descriptors to. */
enum { OWN_FDS = 16 };

enum {
    TELL_MS = 100,      /* of waiting for the lock before one speaks of it */
    WAIT_MS = 50000,    /* the longest wait for it */
    OPEN_MS = 15000,    /* the same while the engine is being opened, which has a limit itself */
    IMPATIENT_MS = 200, /* the same after one that was in vain */
    PAUSE_MS = 20,      /* between attempts to find the switches as they should be */
    PAUSES = 150,
    READS = 40, /* of a switch that has an unusual value, before that is believed to be its own */
};

static const char *const knob_paths[CTS_LX_KNOBS] = {
    [CTS_LX_JIT_ENABLE] = "/proc/sys/net/core/bpf_jit_enable",
    [CTS_LX_JIT_HARDEN] = "/proc/sys/net/core/bpf_jit_harden",
};

static int lock_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat st;

    if (fd < 0)
        return -1;
    /* A file that somebody else owns could be held locked, or its counter kept odd, for ever. */
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
        (st.st_size < (off_t)sizeof(struct cts_lx_lock_page) &&
         ftruncate(fd, (off_t)sizeof(struct cts_lx_lock_page)) < 0)) {
        close(fd);
        return -1;
    }
    return cts_lx_fd_up(fd, OWN_FDS);
}

static void open_lock(struct cts_lx_knobs *k)
{
    static const char *const paths[] = {"/run/ebpf-cts-linux.lock", "/tmp/ebpf-cts-linux.lock"};
    void *page;

    for (size_t i = 0; i < CTS_ARRAY_LEN(paths) && k->lock_fd < 0; i++)
        k->lock_fd = lock_file(paths[i]);
    if (k->lock_fd < 0)
        return;
    page = mmap(NULL, sizeof(*k->page), PROT_READ | PROT_WRITE, MAP_SHARED, k->lock_fd, 0);
    if (page == MAP_FAILED) {
        close(k->lock_fd);
        k->lock_fd = -1;
        return;
    }
    k->page = page;
}

void cts_lx_knobs_close(struct cts_lx_knobs *k)
{
    if (k->guardian > 0) {
        close(k->guard_fd);
        while (waitpid(k->guardian, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    if (k->held)
        munmap(k->held, sizeof(*k->held));
    if (k->page)
        munmap(k->page, sizeof(*k->page));
    if (k->lock_fd >= 0)
        close(k->lock_fd);
    for (int i = 0; i < CTS_LX_KNOBS; i++) {
        if (k->fd[i] >= 0)
            close(k->fd[i]);
    }
    *k = (struct cts_lx_knobs){.lock_fd = -1, .guard_fd = -1, .fd = {-1, -1}};
}

bool cts_lx_knobs_has(const struct cts_lx_knobs *k, enum cts_lx_knob knob)
{
    return k->fd[knob] >= 0;
}

static ssize_t read_text(int fd, char text[CTS_LX_KNOB_TEXT])
{
    ssize_t n = pread(fd, text, CTS_LX_KNOB_TEXT - 1, 0);

    if (n < 0)
        return -errno;
    text[n] = 0;
    return n;
}

static int write_text(int fd, const char *text)
{
    size_t len = strlen(text);
    ssize_t n = pwrite(fd, text, len, 0);

    if (n < 0)
        return -errno;
    return (size_t)n == len ? 0 : -EIO;
}

int cts_lx_knobs_value(const struct cts_lx_knobs *k, enum cts_lx_knob knob)
{
    char text[CTS_LX_KNOB_TEXT];

    if (k->fd[knob] < 0 || read_text(k->fd[knob], text) < 1 || text[0] < '0' || text[0] > '9')
        return -1;
    return text[0] - '0';
}

/* What somebody else has set since is theirs to set back. */
static int put_back(const struct cts_lx_held *h, int i, int fd)
{
    char text[CTS_LX_KNOB_TEXT];

    if (read_text(fd, text) > 0 && text[0] != h->set[i])
        return 0;
    return write_text(fd, h->old[i]);
}

/* Only system calls from here on: this is a child that shares nothing but `held` with its parent.
 */
static void guardian_main(const struct cts_lx_knobs *k, int parent_fd)
{
    sigset_t all;
    char byte;
    ssize_t n;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid(); /* the parent's process group may be killed as a whole */
    prctl(PR_SET_NAME, "cts-linux-guard");
    /* Keep nothing else open, neither the pipes to the harness nor maps. The lock belongs to the
       open file, which parent and guardian share: it ends with the last of them. */
    dup2(parent_fd, 0);
    dup2(k->lock_fd, 1);
    for (int i = 0; i < CTS_LX_KNOBS; i++)
        dup2(k->fd[i], 2 + i);
    if (syscall(SYS_close_range, 2 + CTS_LX_KNOBS, ~0U, 0) < 0) {
        for (int fd = 2 + CTS_LX_KNOBS; fd < 4096; fd++)
            close(fd);
    }
    if (write(0, "", 1) != 1) /* ready */
        _exit(1);
    do {
        n = read(0, &byte, 1);
    } while (n > 0 || (n < 0 && errno == EINTR));
    for (int i = 0; i < CTS_LX_KNOBS; i++) {
        if (atomic_load(&k->held->held[i]))
            put_back(k->held, i, 2 + i);
    }
    _exit(0);
}

static bool wait_byte(int fd)
{
    char byte;
    ssize_t n;

    do {
        n = read(fd, &byte, 1);
    } while (n < 0 && errno == EINTR);
    return n == 1;
}

static int start_guardian(struct cts_lx_knobs *k, struct cts_err *err)
{
    int ends[2];
    void *held;

    if (k->guardian > 0)
        return 0;
    held = mmap(NULL, sizeof(*k->held), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (held == MAP_FAILED)
        return cts_err_set(err, CTS_E_NOMEM, "no memory to share with the guardian process");
    k->held = held;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return cts_err_set(err, CTS_E_IO, "no socket pair for the guardian process");
    ends[0] = cts_lx_fd_up(ends[0], OWN_FDS);
    ends[1] = cts_lx_fd_up(ends[1], OWN_FDS);
    k->guardian = fork();
    if (k->guardian == 0)
        guardian_main(k, ends[0]);
    close(ends[0]);
    if (k->guardian < 0) {
        close(ends[1]);
        k->guardian = 0;
        return cts_err_set(err, CTS_E_IO, "cannot fork the guardian process");
    }
    k->guard_fd = ends[1];
    /* Not before it has left our process group. */
    if (!wait_byte(k->guard_fd))
        return cts_err_set(err, CTS_E_IO, "the guardian process did not start");
    return 0;
}

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void sleep_ms(unsigned ms)
{
    const struct timespec t = {.tv_nsec = (long)ms * 1000000};

    nanosleep(&t, NULL);
}

static void tell_waiting(const struct cts_lx_knobs *k, bool on)
{
    if (k->say)
        k->say->waiting(k->say->arg, on);
}

static void wake(int sig)
{
    (void)sig;
}

/* Interrupts whatever blocks, every now and then. */
static void set_alarm(unsigned ms)
{
    const struct itimerval every = {.it_value.tv_usec = (suseconds_t)ms * 1000,
                                    .it_interval.tv_usec = (suseconds_t)ms * 1000};
    const struct sigaction act = {.sa_handler = wake};

    if (ms)
        sigaction(SIGALRM, &act, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
}

/* The queue before the lock. Who holds it is the next to have the lock: without it, who gives the
 * lock back and wants it again is always there before one who has to be woken up first. */
static int queue(int fd, short type, bool block)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

    if (fcntl(fd, block ? F_OFD_SETLKW : F_OFD_SETLK, &l) == 0 || errno == EINVAL)
        return 0; /* no such locks before Linux 3.15: then there is no order */
    return -errno;
}

/* The lock, from whoever has the queue. */
static int try_lock(int fd, int how, bool block)
{
    int rc = queue(fd, F_WRLCK, block);

    if (rc < 0)
        return rc;
    rc = flock(fd, block ? how : how | LOCK_NB) < 0 ? -errno : 0;
    queue(fd, F_UNLCK, false);
    return rc;
}

static int lock(struct cts_lx_knobs *k, int how)
{
    unsigned most = k->impatient ? IMPATIENT_MS : k->say ? WAIT_MS : OPEN_MS;
    uint64_t start = now_ms();
    int rc = try_lock(k->lock_fd, how, false);

    if (rc != -EAGAIN && rc != -EACCES)
        return rc;
    set_alarm(TELL_MS);
    while ((rc = try_lock(k->lock_fd, how, true)) == -EINTR) {
        if (now_ms() - start >= most) {
            rc = -ETIMEDOUT;
            break;
        }
        if (now_ms() - start >= TELL_MS)
            tell_waiting(k, true);
    }
    set_alarm(0);
    tell_waiting(k, false);
    k->impatient = rc < 0;
    if (rc < 0)
        cts_fmt(k->why, sizeof(k->why), "another process holds the lock of %s: waited for %u ms",
                knob_paths[CTS_LX_JIT_HARDEN], most);
    return rc;
}

static void unlock(struct cts_lx_knobs *k)
{
    flock(k->lock_fd, LOCK_UN);
}

static int change(struct cts_lx_knobs *k, int i)
{
    char text[CTS_LX_KNOB_TEXT];
    ssize_t n = read_text(k->fd[i], k->held->old[i]);

    if (n < 0)
        return (int)n;
    if (k->held->old[i][0] == '0' + k->want[i])
        return 0;
    cts_fmt(text, sizeof(text), "%d\n", k->want[i]);
    k->held->set[i] = text[0];
    atomic_store(&k->held->held[i],
                 1); /* before the write: restoring what was not changed does no harm */
    return write_text(k->fd[i], text);
}

static int restore(struct cts_lx_knobs *k)
{
    int rc = 0;

    for (int i = 0; i < CTS_LX_KNOBS; i++) {
        int one;

        if (!atomic_load(&k->held->held[i]))
            continue;
        one = put_back(k->held, i, k->fd[i]);
        if (one < 0)
            rc = one; /* stays held: the guardian tries again at the end */
        else
            atomic_store(&k->held->held[i], 0);
    }
    return rc;
}

/* Under the exclusive lock, which leave_changed gives back. */
static int enter_changed(struct cts_lx_knobs *k)
{
    int rc = 0;

    /* Odd from here on. It is odd already if another worker was killed; its guardian has restored
     * the value by now. */
    atomic_fetch_or(&k->page->changes, 1);
    for (int i = 0; i < CTS_LX_KNOBS && rc == 0; i++) {
        if (k->want[i] != CTS_LX_KNOB_AS_IS)
            rc = change(k, i);
    }
    return rc;
}

static int leave_changed(struct cts_lx_knobs *k)
{
    int rc = restore(k);

    atomic_fetch_add(&k->page->changes, 1);
    unlock(k);
    return rc;
}

static bool wants_change(const struct cts_lx_knobs *k)
{
    for (int i = 0; i < CTS_LX_KNOBS; i++) {
        if (k->want[i] != CTS_LX_KNOB_AS_IS)
            return true;
    }
    return false;
}

int cts_lx_knobs_want(struct cts_lx_knobs *k, enum cts_lx_knob knob, int value, struct cts_err *err)
{
    int before = k->want[knob], rc, back;

    if (k->fd[knob] < 0)
        return cts_err_set(err, CTS_E_UNSUPPORTED, "this kernel has no %s", knob_paths[knob]);
    if (k->lock_fd < 0)
        return cts_err_set(err, CTS_E_UNSUPPORTED,
                           "no lock file in /run or /tmp to guard %s with: run with sudo",
                           knob_paths[knob]);
    rc = start_guardian(k, err);
    if (rc < 0)
        return rc;
    k->want[knob] = value;
    rc = lock(k, LOCK_EX);
    if (rc == -ETIMEDOUT) {
        k->want[knob] = before;
        return cts_err_set(err, CTS_E_BUSY, "%s", k->why);
    }
    if (rc == 0) {
        rc = enter_changed(k);
        back = leave_changed(k);
        if (rc == 0)
            rc = back;
    }
    if (rc == 0)
        return 0;
    k->want[knob] = before;
    if (rc == -EINVAL && knob == CTS_LX_JIT_ENABLE && value == 0)
        return cts_err_set(
            err, CTS_E_UNSUPPORTED,
            "the kernel is built without its interpreter (CONFIG_BPF_JIT_ALWAYS_ON): "
            "writing 0 to %s fails with EINVAL",
            knob_paths[knob]);
    return cts_err_set(err, CTS_E_UNSUPPORTED, "writing %d to %s fails with %s%s", value,
                       knob_paths[knob], cts_lx_errno_name(-rc),
                       rc == -EPERM || rc == -EACCES || rc == -EBADF ? ": run with sudo" : "");
}

/* As far as an engine is concerned that takes the machine as it is: bpf_jit_enable 2 only adds
 * messages, and bpf_jit_harden 1 is for loaders that have no CAP_BPF. */
static bool same_effect(enum cts_lx_knob knob, int a, int b)
{
    return knob == CTS_LX_JIT_ENABLE ? !a == !b : (a == 2) == (b == 2);
}

/* Are the switches as the engine needs them? */
static bool are_right(struct cts_lx_knobs *k)
{
    for (int i = 0; i < CTS_LX_KNOBS; i++) {
        int now = k->fd[i] < 0 ? -1 : cts_lx_knobs_value(k, (enum cts_lx_knob)i);
        bool as_is = k->want[i] == CTS_LX_KNOB_AS_IS;
        int right = as_is ? k->own[i] : k->want[i];

        if (now < 0 || right < 0 || now == right ||
            (as_is && same_effect((enum cts_lx_knob)i, now, right)))
            continue;
        cts_fmt(k->why, sizeof(k->why), "another process has set %s to %d, %s %d", knob_paths[i],
                now, as_is ? "which was" : "where this engine needs", right);
        return false;
    }
    return true;
}

struct load {
    int (*attempt)(void *arg);
    void (*undo)(void *arg, int rc);
    void *arg;
    bool settled; /* the switches were right, before and after */
};

static int attempt_once(struct cts_lx_knobs *k, struct load *l)
{
    int rc;

    l->settled = false;
    if (!are_right(k))
        return 0;
    rc = l->attempt(l->arg);
    l->settled = are_right(k);
    if (l->settled)
        return rc;
    l->undo(l->arg, rc);
    return 0;
}

static int around_as_is(struct cts_lx_knobs *k, struct load *l)
{
    uint32_t before;
    int rc, locked;

    if (!k->page)
        return attempt_once(k, l);
    before = atomic_load(&k->page->changes);
    if ((before & 1) == 0) {
        rc = attempt_once(k, l);
        if (atomic_load(&k->page->changes) == before)
            return rc;
        if (l->settled)
            l->undo(l->arg, rc);
    }
    l->settled = false;
    locked = lock(k, LOCK_SH);
    if (locked < 0)
        return locked;
    rc = attempt_once(k, l);
    unlock(k);
    return rc;
}

static int around_changed(struct cts_lx_knobs *k, struct load *l)
{
    int rc, back;

    l->settled = false;
    rc = lock(k, LOCK_EX);
    if (rc < 0)
        return rc;
    rc = enter_changed(k);
    if (rc == 0)
        rc = attempt_once(k, l);
    else
        cts_fmt(k->why, sizeof(k->why), "the JIT's switches cannot be set: %s",
                cts_lx_errno_name(-rc));
    back = leave_changed(k);
    if (back < 0) {
        if (l->settled)
            l->undo(l->arg, rc);
        l->settled = false;
        cts_fmt(k->why, sizeof(k->why), "the JIT's switches cannot be set back: %s",
                cts_lx_errno_name(-back));
        return back;
    }
    return rc;
}

int cts_lx_knobs_around(struct cts_lx_knobs *k, int (*attempt)(void *arg),
                        void (*undo)(void *arg, int rc), void *arg)
{
    struct load l = {.attempt = attempt, .undo = undo, .arg = arg};
    unsigned pauses = 0;
    int rc;

    for (;; pauses++) {
        rc = wants_change(k) ? around_changed(k, &l) : around_as_is(k, &l);
        if (l.settled || rc < 0)
            break;
        if (pauses == PAUSES || k->impatient) {
            rc = -EBUSY;
            break;
        }
        tell_waiting(k, true);
        sleep_ms(PAUSE_MS);
    }
    tell_waiting(k, false);
    k->impatient = !l.settled;
    return rc;
}

bool cts_lx_knobs_blind(const struct cts_lx_knobs *k)
{
    int harden = k->want[CTS_LX_JIT_HARDEN];

    return (harden == CTS_LX_KNOB_AS_IS ? k->own[CTS_LX_JIT_HARDEN] : harden) == 2;
}

/* Opening. */

/* Not one that a worker has set for a load: those are set under the lock. */
static int read_settled(struct cts_lx_knobs *k, enum cts_lx_knob knob)
{
    bool locked = k->lock_fd >= 0 && lock(k, LOCK_SH) == 0;
    int value = cts_lx_knobs_value(k, knob);

    if (locked)
        unlock(k);
    return value;
}

/* Values that few machines have for good, and that others set for a moment. */
static bool is_unusual(enum cts_lx_knob knob, int value)
{
    return knob == CTS_LX_JIT_ENABLE ? value == 0 : value == 2;
}

/* Nor one that somebody who knows nothing of the lock has set for a while. */
static int own_value(struct cts_lx_knobs *k, enum cts_lx_knob knob)
{
    int value = k->fd[knob] < 0 ? -1 : read_settled(k, knob);

    for (unsigned i = 0; i < READS && is_unusual(knob, value); i++) {
        sleep_ms(PAUSE_MS);
        value = read_settled(k, knob);
    }
    return value;
}

void cts_lx_knobs_open(struct cts_lx_knobs *k)
{
    *k = (struct cts_lx_knobs){.lock_fd = -1, .guard_fd = -1};
    for (int i = 0; i < CTS_LX_KNOBS; i++) {
        k->want[i] = CTS_LX_KNOB_AS_IS;
        k->fd[i] = open(knob_paths[i], O_RDWR | O_CLOEXEC);
        if (k->fd[i] < 0)
            k->fd[i] = open(knob_paths[i], O_RDONLY | O_CLOEXEC);
        k->fd[i] = cts_lx_fd_up(k->fd[i], OWN_FDS);
    }
    open_lock(k);
    for (int i = 0; i < CTS_LX_KNOBS; i++)
        k->own[i] = own_value(k, (enum cts_lx_knob)i);
}
