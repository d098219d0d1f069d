/* Child processes. Every child is in a process group of its own, so that it can be ended with all
 * it started; what leaves that group does not outlive it for long (see cts_proc_settle). This
 * process becomes the reaper of its descendants (PR_SET_CHILD_SUBREAPER). */
#ifndef CTS_HOST_PROC_H
#define CTS_HOST_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "host/buf.h"

struct cts_proc {
    pid_t pid;   /* 0: none */
    int in, out; /* the child's stdin (we write, non-blocking) and stdout (we read, non-blocking);
                    -1: closed */
    int err_fd;  /* the child's stderr; -1: inherited */
    int pidfd;   /* -1 where the kernel has none */
};

void cts_proc_init(struct cts_proc *p);
/* argv[0] is looked up in $PATH. CTS_E_WORKER with the reason if it cannot be started (exec
 * failures included). The child dies with its parent, or with the thread that started it if that
 * ends earlier: whoever starts a child stays until its end. It leaves no core file. */
int cts_proc_start(struct cts_proc *p, const char *const argv[], struct cts_err *err);
/* A duplicate, in this process, of file descriptor `fd` of the child (pidfd_getfd); negative where
 * that is unavailable. */
int cts_proc_take_fd(const struct cts_proc *p, int fd);
/* write(2) to the child's stdin; a child that no longer reads is EPIPE, never a signal. Bytes
 * written, or -1 and errno. */
ssize_t cts_proc_write(const struct cts_proc *p, const void *data, size_t len);
/* Waits up to `ms` for the child to end by itself: true and its wait status. Does not reap:
 * cts_proc_end is still to be called. */
bool cts_proc_wait(const struct cts_proc *p, unsigned ms, int *status);
/* Kills the group, reaps, closes. What left the group has a moment to put things right, and is
 * ended later: when another child is, or by cts_proc_settle. Safe on an initialised or ended one.
 * Returns the wait status or -1. */
int cts_proc_end(struct cts_proc *p);
/* At the end of all: waits for what children have left behind, and ends what does not end. Any
 * thread; a second or three at most, nothing if there is nothing. */
void cts_proc_settle(void);
/* "exit 3", "signal 11 (SIGSEGV)" for a wait status. */
const char *cts_proc_status_text(int status, char *buf, size_t cap);

/* Runs a program to its end: input written to its stdin, stdout and stderr collected (each up to
 * its buffer's limit; more is read and dropped). timeout_ms: of its own time (base/effort.h), and
 * CTS_E_BUSY when it was let wait for many times as long; 0: none. *status: the wait status.
 * CTS_E_TIMEOUT after killing it. */
int cts_proc_run(const char *const argv[], const void *input, size_t input_len, struct cts_buf *out,
                 struct cts_buf *err_text, unsigned timeout_ms, int *status, struct cts_err *err);

#endif
