/* The machine-wide switches that decide how the kernel compiles a program:
 * /proc/sys/net/core/bpf_jit_enable and bpf_jit_harden.
 *
 * The kernel reads them while it loads a program. An engine that wants another value than the one
 * in force sets it, loads, and sets it back, all under an exclusive lock. Should the process die in
 * between, a guardian restores the value: a forked child that waits for its parent's end and shares
 * its lock, so that no other worker gets the lock before that. Engines that are content with the
 * value in force take no lock: they look at a counter, which is odd while somebody has a switch
 * changed, before and after a load, and repeat the load under the shared lock if it moved.
 *
 * Others know nothing of the lock: an administrator, another container. So the switches themselves
 * are read before and after each load as well, and what was loaded while they were not as the
 * engine needs them is loaded again, for a while. */
#ifndef CTS_RT_LINUX_KNOBS_H
#define CTS_RT_LINUX_KNOBS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "wire/worker.h"

enum cts_lx_knob { CTS_LX_JIT_ENABLE, CTS_LX_JIT_HARDEN, CTS_LX_KNOBS };

enum { CTS_LX_KNOB_AS_IS = -1, CTS_LX_KNOB_TEXT = 16, CTS_LX_KNOB_WHY = 160 };

/* Shared by all workers of the machine: the lock file's first bytes. */
struct cts_lx_lock_page {
    _Atomic uint32_t changes;
};

/* Shared with the guardian. */
struct cts_lx_held {
    _Atomic uint32_t held[CTS_LX_KNOBS];
    char old[CTS_LX_KNOBS][CTS_LX_KNOB_TEXT];
    char set[CTS_LX_KNOBS]; /* what was written instead: its first character */
};

struct cts_lx_knobs {
    int lock_fd; /* -1: no lock to be had */
    struct cts_lx_lock_page *page;
    int fd[CTS_LX_KNOBS];   /* -1: this kernel has no such switch, or it cannot be read */
    int want[CTS_LX_KNOBS]; /* CTS_LX_KNOB_AS_IS: the machine's own value */
    int own[CTS_LX_KNOBS];  /* the machine's own value when the engine was opened; -1: unknown */
    const struct cts_worker_say *say; /* who is told of waits; null: nobody yet */
    bool impatient;                   /* the last wait was in vain: the next is short */
    char why[CTS_LX_KNOB_WHY];        /* of the last cts_lx_knobs_around that went wrong */
    struct cts_lx_held *held;
    int guard_fd;   /* its end tells the guardian of ours */
    pid_t guardian; /* 0: none */
};

/* Finds switches and lock; nothing is changed. Never fails: what cannot be had matters only to
 * cts_lx_knobs_want. */
void cts_lx_knobs_open(struct cts_lx_knobs *k);
void cts_lx_knobs_close(struct cts_lx_knobs *k);
bool cts_lx_knobs_has(const struct cts_lx_knobs *k, enum cts_lx_knob knob);
/* The value in force at this moment, be it another worker's; -1 if it cannot be read. */
int cts_lx_knobs_value(const struct cts_lx_knobs *k, enum cts_lx_knob knob);
/* From now on `value` holds during each load. Tries it once; CTS_E_UNSUPPORTED with the reason if
 * the kernel refuses. */
int cts_lx_knobs_want(struct cts_lx_knobs *k, enum cts_lx_knob knob, int value,
                      struct cts_err *err);

/* Does a load of this engine blind every loader's constants? */
bool cts_lx_knobs_blind(const struct cts_lx_knobs *k);

/* Around a load: `attempt` is called with the wanted values in force, again if they were changed
 * meanwhile (it is told to undo the first by `undo`). Returns what the last attempt returned, or a
 * negative errno of the switches, and `why` says it in words: -EBUSY if they would not stay as they
 * are wanted, -ETIMEDOUT if others did not let go of them. Every attempt was undone then. */
int cts_lx_knobs_around(struct cts_lx_knobs *k, int (*attempt)(void *arg),
                        void (*undo)(void *arg, int rc), void *arg);

#endif
