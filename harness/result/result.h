/* Results: what happened to one case on one engine, and the summary. Filled by core, read by
 * report. */
#ifndef CTS_RESULT_RESULT_H
#define CTS_RESULT_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cts_status {
    CTS_ST_PASS,
    CTS_ST_FAIL,
    CTS_ST_SKIP,
    CTS_ST_ERROR,
    CTS_ST_XFAIL,
    CTS_ST_XPASS,
    CTS_ST_COUNT
};

/* Why a case failed. Wrong results and wrong acceptances are the gravest and are never merged with
 * the others. */
enum cts_failure {
    CTS_FL_NONE,
    CTS_FL_WRONG_RESULT,
    CTS_FL_WRONGLY_ACCEPTED,
    CTS_FL_WRONGLY_REJECTED,
    CTS_FL_UNEXPECTED_FAULT,
    CTS_FL_CRASH,
    CTS_FL_TIMEOUT,
    CTS_FL_FLAKY, /* failed in one way, then in another or not at all */
    CTS_FL_COUNT
};

/* Why a case was skipped. */
enum cts_skip {
    CTS_SK_NONE,
    CTS_SK_NOT_ASKED,   /* it is for other platforms or runtimes */
    CTS_SK_NOT_CLAIMED, /* its conformance group is not */
    CTS_SK_LIMIT,       /* a form that the runtime refuses by design, with a reason on record */
    CTS_SK_UNSUPPORTED, /* a row that the runtime is not known to implement, and refused */
    CTS_SK_MACHINE,     /* a setting of the machine was not as the engine needs it */
    CTS_SK_UNTESTABLE,  /* what it rests on fails, in a case of its own */
    CTS_SK_COUNT
};

const char *cts_status_name(enum cts_status s);   /* "pass" ... */
const char *cts_skip_name(enum cts_skip s);       /* "limit" ... */
const char *cts_failure_name(enum cts_failure f); /* "wrong-result" ... */
bool cts_failure_is(const char *name);            /* is it a name of one? */

/* What became of a case in one variant of its vector. */
struct cts_variant_result {
    const char *label;
    enum cts_status status; /* xfail: it failed as expected. Never xpass: that is for a case */
    enum cts_failure failure;
};

/* One case on one engine. Strings are owned by whoever made the result and live as long as the run.
 */
struct cts_result {
    const char *runtime, *engine, *version;
    const char *vector; /* id */
    const char *kase;   /* name of the case */
    const char *file;
    unsigned line;
    const char *group;
    const char *const *rows; /* ids under test, ended by a null pointer */
    const char *const *clauses;
    const char *policy;
    enum cts_status status;
    enum cts_failure failure;
    enum cts_skip skip;
    const char *unit; /* label of the variant that failed first, or that passed unexpectedly; "" */
    const char *message; /* one line: what was expected and what happened; the reason of a skip */
    const char *detail; /* several lines: disassembly, states side by side, the command that repeats
                           it; "" */
    const char *known;  /* for xfail and xpass: the reason on record */
    const struct cts_variant_result *variants; /* those that were run; none where no list names the
                                                  case and nobody asked for them */
    size_t variant_count;
    uint64_t operand_tuples; /* how many were compared and right; 0 of a case that failed */
    uint64_t ns;
};

/* How a run came to its end. */
enum cts_end {
    CTS_END_WHOLE,       /* everything was run */
    CTS_END_INTERRUPTED, /* by a signal */
    CTS_END_MAX_FAILS,   /* as many failures as the run was to stop at */
    CTS_END_COUNT
};

struct cts_summary {
    uint64_t vectors, cases;      /* distinct ones selected */
    uint64_t operand_tuples;      /* of all cases on all engines */
    uint64_t count[CTS_ST_COUNT]; /* cases, and an error for each engine that is broken */
    uint64_t failures[CTS_FL_COUNT];
    enum cts_end end;
    uint64_t not_run; /* cases that a run which was stopped did not come to: nothing was told of
                         them */
    unsigned engines_run, engines_skipped, engines_broken;
    unsigned runtimes_run, runtimes_skipped; /* run: at least one of its engines was */
    uint64_t input_errors;                   /* bad files and the like */
    uint64_t ns;
    const char *const *warnings; /* what is to be looked at, ended by null; null: nothing is */
};

/* passed = pass; failed = fail, xpass and error; skipped = skip and xfail. */
void cts_summary_add(struct cts_summary *s, const struct cts_result *r);
uint64_t cts_summary_passed(const struct cts_summary *s);
uint64_t cts_summary_failed(const struct cts_summary *s);
uint64_t cts_summary_skipped(const struct cts_summary *s);
const char *cts_end_name(enum cts_end e); /* "interrupted" ... */

enum cts_engine_state {
    CTS_EN_RUNS,
    CTS_EN_SKIPPED, /* it is not to be had here */
    CTS_EN_BROKEN,  /* its worker could not be started, or lied: an error, and none of its cases
                       has a result */
    CTS_EN_COUNT
};
const char *cts_engine_state_name(enum cts_engine_state s); /* "skipped" ... */

/* An engine that was to run: told once each, before its results. */
struct cts_engine_info {
    const char *runtime, *engine, *version;
    enum cts_engine_state state;
    const char *reason; /* why it does not run; of a skip, with what to install; else null */
};

/* Who wants to hear. Calls come in a stable order from one thread at a time, whatever --jobs is.
 * Null members are passed over. */
struct cts_sink {
    void *arg;
    void (*engine)(void *arg, const struct cts_engine_info *info);
    void (*result)(void *arg, const struct cts_result *r);
    void (*progress)(void *arg, uint64_t done, uint64_t all); /* cases; may come often */
    void (*end)(void *arg, const struct cts_summary *s);
};

#endif
