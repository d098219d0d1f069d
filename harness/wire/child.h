/* Commands that a worker runs: for runtimes that are programs of their own. Linux.
 *
 * A command may do what it likes: it costs no more than its time and its output, and whatever it
 * started is gone when the call returns. It gets stdin, stdout and stderr and no other descriptor
 * of the worker. All commands stay in the worker's process group, so they end with it; processes
 * that leave their parent or their group are found through /proc, and ended. */
#ifndef CTS_WIRE_CHILD_H
#define CTS_WIRE_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum {
    CTS_CHILD_AT_ONCE = 64,    /* most commands that run side by side */
    CTS_CHILD_FLOOD = 4 << 20, /* bytes of stdout and stderr together after which one is ended */
};

enum cts_child_end {
    CTS_CHILD_NOT_STARTED, /* number: errno */
    CTS_CHILD_EXITED,      /* number: exit status */
    CTS_CHILD_SIGNALED,    /* by a signal of its own; number: which */
    CTS_CHILD_TIMED_OUT,   /* and was ended */
    CTS_CHILD_FLOODED,     /* wrote more than CTS_CHILD_FLOOD bytes, and was ended */
    CTS_CHILD_STARVED,     /* had too little of the machine for too long, and was ended: no fault of
                              its own */
};

/* What one of its streams said: text[0 .. len), a 0 behind it. What does not fit is read and
 * dropped. */
struct cts_child_text {
    char *text;   /* the caller's; null with cap 0: nobody wants it */
    size_t cap;   /* bytes, that of the 0 included */
    size_t len;   /* filled by the call */
    bool dropped; /* filled by the call: there was more */
};

struct cts_child {
    const char *const *argv; /* ended by null; argv[0] is a path, or looked up in $PATH */
    const void *in;          /* its stdin, a file that can be opened again as /dev/stdin */
    size_t in_bytes;
    unsigned timeout_ms; /* of its own time (base/effort.h); 0: none */
    struct cts_child_text out, err;

    /* Filled by the call. */
    enum cts_child_end end;
    int number;
};

/* Runs n commands, at most `at_once` of them (1 .. CTS_CHILD_AT_ONCE) side by side, and returns
 * when all are over. The process must have no other children, and one thread that calls this. */
void cts_child_run(struct cts_child *list, size_t n, unsigned at_once);

/* How it ended, for people: "exit 3", "signal 11 (SIGSEGV)", "did not end within 2000 ms", ... */
const char *cts_child_end_text(const struct cts_child *c, char *text, size_t cap);

/* Looks `name` up as cts_child_run does; a name with a slash is taken as it is. 0 with the path, or
 * CTS_E_NOTFOUND if no such file can be executed. */
int cts_child_find(const char *name, char *path, size_t cap);

/* The command of a runtime that is a program: the file that the environment's `variable` names, or
 * `name` in $PATH. CTS_E_UNSUPPORTED with the hint if there is none; CTS_E_NOTFOUND if the variable
 * names something else. */
int cts_child_command(const char *variable, const char *name, const char *hint, char *path,
                      size_t cap, struct cts_err *err);

/* A part of the time that the harness gives one item, of which it tells in the environment: for
 * commands that are to be ended before it ends the worker. Milliseconds, at least 1. */
unsigned cts_child_time_ms(unsigned percent);

/* How many processors this process may use; at least 1. */
unsigned cts_child_processors(void);

#endif
