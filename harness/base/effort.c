#include "base/effort.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fmt.h"

enum {
    TICKS = 16, /* of a limit */
    TICK_MIN_MS = 2,
    TICK_MAX_MS = 250,
    LATE = 2,      /* ticks: what is more was late */
    PATIENCE = 30, /* limits */
    PATIENCE_MIN_MS = 10000,
    MOST_PROCESSES = 64, /* of one tree that are looked at */
    PATH = 64,
};

static const uint64_t ms_ns = 1000000, second_ns = 1000000000;

static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;
    return clock_gettime(clock, &t) ? 0 : (uint64_t)t.tv_sec * second_ns + (uint64_t)t.tv_nsec;
}

/* Looking. */

static bool read_file(const char *path, char *text, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, cap - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* The fields of a stat file behind the name, which may hold anything but ends with the last ')'. */
static const char *stat_fields(const char *text)
{
    const char *at = strrchr(text, ')');
    return at && at[1] == ' ' ? at + 2 : NULL;
}

/* What children that are over have used. */
static uint64_t waited_for(const char *fields)
{
    enum { CUTIME = 13, CSTIME = 14 }; /* counted from the state, which is 0 */
    uint64_t ticks = 0;
    long hz = sysconf(_SC_CLK_TCK);
    for (unsigned i = 0; fields && i <= CSTIME; i++) {
        if (i >= CUTIME)
            ticks += strtoull(fields, NULL, 10);
        fields = strchr(fields, ' ');
        fields += fields != NULL;
    }
    return hz > 0 ? ticks * second_ns / (uint64_t)hz : 0;
}

struct tree {
    pid_t pid[MOST_PROCESSES];
    unsigned n;
};

static void add_children(struct tree *t, const char *text)
{
    for (char *end; t->n < MOST_PROCESSES; text = end) {
        long pid = strtol(text, &end, 10);
        if (end == text || pid <= 0)
            return;
        t->pid[t->n++] = (pid_t)pid;
    }
}

static void look_at_thread(struct tree *t, pid_t pid, const char *tid, struct cts_effort_look *look)
{
    char path[2 * PATH], text[1024];
    cts_fmt(path, sizeof(path), "/proc/%d/task/%.20s/stat", (int)pid, tid);
    const char *fields = read_file(path, text, sizeof(text)) ? stat_fields(text) : NULL;
    look->ready = look->ready || (fields && fields[0] == 'R');
    cts_fmt(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", (int)pid, tid);
    if (read_file(path, text, sizeof(text))) {
        const char *delay = strchr(text, ' ');
        look->delay += delay ? strtoull(delay, NULL, 10) : 0;
    }
    cts_fmt(path, sizeof(path), "/proc/%d/task/%.20s/children", (int)pid, tid);
    if (read_file(path, text, sizeof(text)))
        add_children(t, text);
}

static bool look_at_process(struct tree *t, pid_t pid, struct cts_effort_look *look)
{
    char path[PATH], text[1024];
    clockid_t clock;
    cts_fmt(path, sizeof(path), "/proc/%d/stat", (int)pid);
    const char *fields = read_file(path, text, sizeof(text)) ? stat_fields(text) : NULL;
    if (!fields)
        return false;
    look->cpu += waited_for(fields);
    if (clock_getcpuclockid(pid, &clock) == 0)
        look->cpu += now_ns(clock);
    cts_fmt(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    for (const struct dirent *d; threads && (d = readdir(threads)) != NULL;)
        if (d->d_name[0] != '.')
            look_at_thread(t, pid, d->d_name, look);
    if (threads)
        closedir(threads);
    return threads != NULL;
}

bool cts_effort_look_at(pid_t pid, struct cts_effort_look *look)
{
    struct tree t = {.pid = {pid}, .n = 1};
    *look = (struct cts_effort_look){0};
    bool known = look_at_process(&t, pid, look);
    for (unsigned i = 1; i < t.n; i++)
        look_at_process(&t, t.pid[i], look); /* one that is over by now is none */
    return known;
}

/* Counting. */

void cts_effort_start(struct cts_effort *e, pid_t pid, unsigned limit_ms)
{
    uint64_t tick = limit_ms / TICKS;
    if (tick < TICK_MIN_MS)
        tick = TICK_MIN_MS;
    if (tick > TICK_MAX_MS)
        tick = TICK_MAX_MS;
    *e = (struct cts_effort){.pid = pid, .tick = tick * ms_ns, .last = now_ns(CLOCK_MONOTONIC)};
}

unsigned cts_effort_wait_ms(const struct cts_effort *e)
{
    uint64_t now = now_ns(CLOCK_MONOTONIC), due = e->last + e->tick;
    return now < due ? (unsigned)((due - now) / ms_ns + 1) : 1;
}

bool cts_effort_is_due(const struct cts_effort *e)
{
    return now_ns(CLOCK_MONOTONIC) >= e->last + e->tick;
}

/* The time since the last tick. */
static uint64_t step(struct cts_effort *e)
{
    uint64_t now = now_ns(CLOCK_MONOTONIC), dt = now - e->last;
    e->last = now;
    if (dt > LATE * e->tick)
        dt = LATE * e->tick;
    e->passed += dt;
    return dt;
}

static uint64_t grown(uint64_t before, uint64_t now)
{
    return now > before ? now - before : 0; /* what is over takes its share along */
}

void cts_effort_tick(struct cts_effort *e)
{
    struct cts_effort_look now;
    if (!cts_effort_is_due(e))
        return;
    uint64_t dt = step(e);
    if (!cts_effort_look_at(e->pid, &now)) {
        e->own += dt;
        return;
    }
    uint64_t cpu = grown(e->before.cpu, now.cpu), delay = grown(e->before.delay, now.delay);
    uint64_t own = now.ready || delay >= dt ? 0 : dt - delay;
    own = own > cpu ? own : cpu;
    if (e->have)
        e->own += own < dt ? own : dt;
    e->before = now;
    e->have = true;
}

void cts_effort_excuse(struct cts_effort *e)
{
    if (!cts_effort_is_due(e))
        return;
    step(e);
    e->have = false;
}

bool cts_effort_is_starved(const struct cts_effort *e, unsigned limit_ms)
{
    uint64_t most = PATIENCE * (uint64_t)limit_ms;
    if (most < PATIENCE_MIN_MS)
        most = PATIENCE_MIN_MS;
    return e->passed - e->own >= most * ms_ns;
}

void cts_effort_reset(struct cts_effort *e)
{
    e->own = e->passed = 0;
    e->have = false;
    e->last = now_ns(CLOCK_MONOTONIC);
}
