/* The processes that this one has started, and those that they have: what a worker started, and
 * what left its group, does not stay when it has ended.
 *
 * This process is the reaper of its descendants: who loses its parent becomes its child. Such a one
 * is told from others by a variable of its environment (CTS_FAMILY_MARK), which names the process
 * it comes from; where the environment is another, by its process group, which is not ours, once
 * nothing that we started runs. Whatever was our child before the first start is none of this. */
#ifndef CTS_HOST_FAMILY_H
#define CTS_HOST_FAMILY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CTS_FAMILY_MARK "EBPF_CTS_WORKER"

struct cts_kin {
    uint64_t number;
    char mark[64]; /* CTS_FAMILY_MARK=..., for its environment */
};

/* Makes up a name for a process to be started. */
void cts_family_name(struct cts_kin *kin);
/* fork(2), so that the child is known before anybody can take it for another's. */
pid_t cts_family_fork(const struct cts_kin *kin);
/* A process that was started so has been reaped. Ends what those that are over have left behind,
 * if it has had its time: GRACE_MS from when it was first seen, for what it may have to put right.
 */
void cts_family_leave(pid_t pid);
/* At the end: waits until all that was left behind is over, and ends it when its time is up. */
void cts_family_settle(void);

#endif
