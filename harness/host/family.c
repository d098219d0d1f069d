#include "host/family.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/tree.h"
#include "host/clock.h"

enum {
    MOST = CTS_TREE_MOST,
    GRACE_MS = 1000,
    LATEST_MS = 3000, /* of the wait at the end: a killed process that does not go is left behind */
    TICK_MS = 5,
    ENVIRONMENT = 1 << 16, /* bytes of an environment that are looked at */
};

/* A process that is ours and of which nobody else will take care: there is one such family, since
 * there is one such process. */
static struct {
    pthread_mutex_t lock;
    bool begun;
    uint64_t numbers;
    struct {
        pid_t pid;
        uint64_t number;
    } live[MOST];
    unsigned lives;
    pid_t others[MOST]; /* children from before */
    unsigned other_count;
    struct {
        pid_t pid;
        uint64_t since;
    } stray[MOST];
    unsigned strays;
} family = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void begin(void)
{
    struct cts_tree before = {.n = 0};
    if (family.begun)
        return;
    family.begun = true;
    cts_tree_add_children(&before, getpid());
    memcpy(family.others, before.pid, before.n * sizeof(before.pid[0]));
    family.other_count = before.n;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void cts_family_name(struct cts_kin *kin)
{
    pthread_mutex_lock(&family.lock);
    kin->number = ++family.numbers;
    pthread_mutex_unlock(&family.lock);
    cts_fmt(kin->mark, sizeof(kin->mark), CTS_FAMILY_MARK "=%d.%llu", (int)getpid(),
            (unsigned long long)kin->number);
}

pid_t cts_family_fork(const struct cts_kin *kin)
{
    pid_t pid = -1;
    pthread_mutex_lock(&family.lock);
    begin();
    errno = EAGAIN;
    if (family.lives < MOST)
        pid = fork();
    if (pid > 0) {
        family.live[family.lives].pid = pid;
        family.live[family.lives++].number = kin->number;
    }
    int why = errno;
    if (pid != 0)
        pthread_mutex_unlock(&family.lock);
    errno = why;
    return pid;
}

/* Who is whose. */

static bool is_live(pid_t pid)
{
    for (unsigned i = 0; i < family.lives; i++)
        if (family.live[i].pid == pid)
            return true;
    return false;
}

static bool is_other(pid_t pid)
{
    for (unsigned i = 0; i < family.other_count; i++)
        if (family.others[i] == pid)
            return true;
    return false;
}

/* The number in the environment of a process; 0 if none of ours is there, or it cannot be told. */
static uint64_t number_of(pid_t pid)
{
    char path[64], mark[64], text[ENVIRONMENT];
    size_t n = cts_fmt(mark, sizeof(mark), CTS_FAMILY_MARK "=%d.", (int)getpid());
    cts_fmt(path, sizeof(path), "/proc/%d/environ", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t have = 0;
    for (ssize_t got = 1; fd >= 0 && got > 0 && have < sizeof(text) - 1; have += (size_t)got) {
        got = read(fd, text + have, sizeof(text) - 1 - have);
        if (got < 0)
            got = 0;
    }
    if (fd >= 0)
        close(fd);
    text[have] = '\0';
    for (const char *at = text; at < text + have; at += strlen(at) + 1)
        if (strncmp(at, mark, n) == 0)
            return strtoull(at + n, NULL, 10);
    return 0;
}

static bool is_left_behind(pid_t pid)
{
    uint64_t number = number_of(pid);
    for (unsigned i = 0; number && i < family.lives; i++)
        if (family.live[i].number == number)
            return false;
    if (number)
        return true;
    return family.lives == 0 && family.other_count == 0 && getpgid(pid) != getpgrp();
}

/* When it was first seen to be left behind; 0 if it is not. */
static uint64_t since(pid_t pid)
{
    for (unsigned i = 0; i < family.strays; i++)
        if (family.stray[i].pid == pid)
            return family.stray[i].since;
    if (family.strays == MOST || !is_left_behind(pid))
        return 0;
    family.stray[family.strays].pid = pid;
    return family.stray[family.strays++].since = cts_clock_ns();
}

static void drop(pid_t pid)
{
    for (unsigned i = 0; i < family.strays; i++)
        if (family.stray[i].pid == pid)
            family.stray[i] = family.stray[--family.strays];
}

/* One look at all that have become ours: reaps what is over, ends what has had its time. How many
 * there still are. */
static unsigned look(unsigned grace_ms)
{
    struct cts_tree list = {.n = 0};
    unsigned left = 0;
    cts_tree_add_children(&list, getpid());
    for (unsigned i = 0; i < list.n; i++) {
        pid_t pid = list.pid[i];
        uint64_t seen = is_live(pid) || is_other(pid) ? 0 : since(pid);
        if (!seen)
            continue;
        if (waitpid(pid, NULL, WNOHANG) == pid) {
            drop(pid);
            continue;
        }
        if (cts_clock_ns() - seen >= (uint64_t)grace_ms * 1000000)
            cts_tree_kill(pid);
        left++;
    }
    return left;
}

void cts_family_leave(pid_t pid)
{
    pthread_mutex_lock(&family.lock);
    for (unsigned i = 0; i < family.lives; i++)
        if (family.live[i].pid == pid)
            family.live[i] = family.live[--family.lives];
    look(GRACE_MS);
    pthread_mutex_unlock(&family.lock);
}

void cts_family_settle(void)
{
    const struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};
    uint64_t start = cts_clock_ns();
    for (;;) {
        pthread_mutex_lock(&family.lock);
        uint64_t ms = (cts_clock_ns() - start) / 1000000;
        unsigned left = family.begun ? look(ms < GRACE_MS ? GRACE_MS : 0) : 0;
        pthread_mutex_unlock(&family.lock);
        if (!left || ms >= LATEST_MS)
            return;
        nanosleep(&tick, NULL);
    }
}
