/* An SMT solver (z3) that is asked one question after another. Each has a budget of its own: in the
 * solver's steps, which are the same on every machine, and in the time that its process computes,
 * never in time that passes. */
#ifndef CTS_HOST_SOLVER_H
#define CTS_HOST_SOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "host/buf.h"

enum cts_solver_end {
    CTS_SOLVER_ANSWERED,
    CTS_SOLVER_SPENT, /* its CPU time was over first */
    CTS_SOLVER_DIED,  /* the solver ended in the middle of it */
};

struct cts_solver_question {
    const char *text; /* SMT-LIB commands; the asker's */
    enum cts_solver_end end;
    size_t at, len; /* its answers, as lines in `answers` */
};

struct cts_solver_opts {
    const char *program; /* null: z3 */
    const char *common;  /* commands before all questions; null: none */
    uint64_t steps;      /* of each command: then (check-sat) is "unknown" and others are an error
                            that cts_solver_gave_up tells; 0: any number */
    unsigned cpu_ms;     /* of each question; 0: any time */
};

/* Is there such a program (null: z3)? */
bool cts_solver_is_here(const char *program);
/* The version that the program (null: z3) says it has: "4.13.3"; "unknown" if it says none. */
void cts_solver_version(const char *program, char *text, size_t size);
/* How to get z3. */
extern const char cts_solver_hint[];

/* Does the line say that the solver's steps were over? */
bool cts_solver_gave_up(const char *line);
/* Asks n questions. One process answers; another one goes on behind a question that spent its steps
 * or its time, or that it died of: what it makes of the next one would not be to be trusted.
 * `answers` is cleared first; the text of each question is followed by a zero. CTS_E_UNSUPPORTED:
 * there is no solver; CTS_E_TOOL: it says something to the common part, or neither answers nor
 * computes. */
int cts_solver_ask(const struct cts_solver_opts *opts, struct cts_solver_question *q, size_t n,
                   struct cts_buf *answers, struct cts_err *err);

#endif
