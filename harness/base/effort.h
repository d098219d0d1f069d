/* How much of the time that passes is a process's own: what a deadline is to count.
 *
 * Time in which the process and all it started sleep counts in full, whatever they sleep for; time
 * in which they run counts as the processor time that they use; time in which one of them is ready
 * to run and gets no processor does not count. So a process that hangs or spins is found out
 * wherever it runs, and one is not blamed for a machine that is busy with something else. Where
 * Linux's /proc tells nothing about the process, all time counts.
 *
 * It is known from looks at the process every tick, and costs nothing between them. A tick that
 * came late is no time of the process either: the machine stood still, or whoever looks did. */
#ifndef CTS_BASE_EFFORT_H
#define CTS_BASE_EFFORT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What is known of a process and of its descendants at a moment: nanoseconds, all together. */
struct cts_effort_look {
    uint64_t cpu;   /* used, that of children that are over and were waited for included */
    uint64_t delay; /* spent ready to run, waiting for a processor */
    bool ready;     /* one of them runs, or waits for a processor */
};

struct cts_effort {
    pid_t pid;
    uint64_t tick, last; /* ns, of CLOCK_MONOTONIC */
    bool have;           /* `before` is that of the last tick */
    struct cts_effort_look before;
    uint64_t own;    /* ns that count, since the start; the first tick never does */
    uint64_t passed; /* ns that went by, late ticks' as far as they were not late */
};

/* Begins to count. `limit_ms` is what it is to be held against: a tick is a small part of that. */
void cts_effort_start(struct cts_effort *e, pid_t pid, unsigned limit_ms);
/* Milliseconds to the next tick, at least 1. */
unsigned cts_effort_wait_ms(const struct cts_effort *e);
/* Is it time for a tick? If not, the calls below do nothing. */
bool cts_effort_is_due(const struct cts_effort *e);
/* A tick: looks at the process and counts. */
void cts_effort_tick(struct cts_effort *e);
/* A tick of which is known that it is not to count. */
void cts_effort_excuse(struct cts_effort *e);
/* Both counts from 0 again: the process has begun something else. */
void cts_effort_reset(struct cts_effort *e);

static inline bool cts_effort_is_over(const struct cts_effort *e, uint64_t limit_ms)
{
    return e->own >= limit_ms * 1000000;
}

/* Has it been let wait for many times its limit, and for some seconds at least? Then it is not its
 * own doing that nothing comes of it. */
bool cts_effort_is_starved(const struct cts_effort *e, unsigned limit_ms);

/* False: /proc does not say. */
bool cts_effort_look_at(pid_t pid, struct cts_effort_look *look);

#endif
