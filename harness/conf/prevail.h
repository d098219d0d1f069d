/* Test files of PREVAIL (`test-case`, `pre`, `code`, `post`, `messages`) as vectors.
 *
 * `pre` and `post` say what is known of registers before and after: values, ranges, types. What is
 * said of numbers holds for every runtime: each test becomes a vector that runs the code on values
 * at the bounds of `pre`, and compares with `post`: a value as it is, a range and what two
 * registers have in common by a check behind the code. What PREVAIL decides of a whole program
 * becomes a verdict, which is asked of it alone. */
#ifndef CTS_CONF_PREVAIL_H
#define CTS_CONF_PREVAIL_H

#include <stddef.h>

#include "base/err.h"
#include "host/arena.h"
#include "host/buf.h"

/* Why a test is left out. */
enum cts_prevail_reason {
    CTS_PR_NONE,
    CTS_PR_TEXT,    /* an instruction that is not read */
    CTS_PR_TYPES,   /* facts of pointers, memory or several registers before */
    CTS_PR_MEMORY,  /* loads and stores */
    CTS_PR_CALLS,   /* calls */
    CTS_PR_LOOPS,   /* jumps backwards */
    CTS_PR_OPTIONS, /* options of the verifier that other runtimes do not have */
    CTS_PR_NO_END,  /* no state after it, or none before it */
    CTS_PR_NO_ROOM, /* no register is left for a check, or nothing to compare */
    CTS_PR_COUNT
};
const char *cts_prevail_reason(enum cts_prevail_reason r);

struct cts_prevail_sum {
    size_t tests, runs, verdicts; /* vectors made of them: one test may give both */
    size_t cases;
    size_t facts, facts_left;  /* of `post` in tests that are run: compared, and not */
    size_t left[CTS_PR_COUNT]; /* tests that gave nothing, by the reason why they are not run */
};

/* Is the text such a file? */
int cts_prevail_is(const char *text, size_t len);

/* Appends the vectors of a file, whose names begin with `prefix`, and adds to *sum. CTS_E_SYNTAX or
 * CTS_E_SCHEMA with the place if it is no file of such tests. */
int cts_prevail_add(const char *name, const char *prefix, const char *text, size_t len,
                    struct cts_arena *arena, struct cts_buf *out, struct cts_prevail_sum *sum,
                    struct cts_err *err);

#endif
