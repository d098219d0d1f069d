#include "knobs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "bpfsys.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* Above stdin, stdout and stderr, and above what the guardian moves its descriptors to. */
enum { OWN_FDS = 16 };

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
            write_text(2 + i, k->held->old[i]);
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

static int lock(int fd, int how)
{
    int rc;

    do {
        rc = flock(fd, how);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? -errno : 0;
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
        one = write_text(k->fd[i], k->held->old[i]);
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
    lock(k->lock_fd, LOCK_UN);
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
    rc = lock(k->lock_fd, LOCK_EX);
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

static int around_as_is(struct cts_lx_knobs *k, int (*attempt)(void *arg),
                        void (*undo)(void *arg, int rc), void *arg)
{
    uint32_t before;
    int rc, locked;

    if (!k->page)
        return attempt(arg);
    before = atomic_load(&k->page->changes);
    if ((before & 1) == 0) {
        rc = attempt(arg);
        if (atomic_load(&k->page->changes) == before)
            return rc;
        undo(arg, rc);
    }
    locked = lock(k->lock_fd, LOCK_SH);
    if (locked < 0)
        return locked;
    rc = attempt(arg);
    lock(k->lock_fd, LOCK_UN);
    return rc;
}

struct reading {
    const struct cts_lx_knobs *k;
    enum cts_lx_knob knob;
};

static int read_now(void *arg)
{
    const struct reading *r = arg;

    return cts_lx_knobs_value(r->k, r->knob);
}

static void forget(void *arg, int rc)
{
    (void)arg;
    (void)rc;
}

int cts_lx_knobs_settled(struct cts_lx_knobs *k, enum cts_lx_knob knob)
{
    struct reading r = {k, knob};

    return around_as_is(k, read_now, forget, &r);
}

int cts_lx_knobs_around(struct cts_lx_knobs *k, int (*attempt)(void *arg),
                        void (*undo)(void *arg, int rc), void *arg)
{
    int rc, back;

    if (!wants_change(k))
        return around_as_is(k, attempt, undo, arg);
    rc = lock(k->lock_fd, LOCK_EX);
    if (rc < 0)
        return rc;
    rc = enter_changed(k);
    if (rc == 0)
        rc = attempt(arg);
    back = leave_changed(k);
    if (back < 0) {
        undo(arg, rc);
        return back;
    }
    return rc;
}
