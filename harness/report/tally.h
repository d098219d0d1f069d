/* Counting results by something that they have: a clause, a group. */
#ifndef CTS_REPORT_TALLY_H
#define CTS_REPORT_TALLY_H

#include "host/buf.h"
#include "report/report.h"

struct cts_tally_line {
    char *engine;   /* "linux:jit" */
    char *key;      /* a clause, a group; "" for a vector that rests on a policy alone */
    char *policy;   /* "" for the RFC itself */
    unsigned order; /* of the engine, by its first result */
    uint64_t status[CTS_ST_COUNT];
    uint64_t failures[CTS_FL_COUNT]; /* of fail and xfail */
    uint64_t skips[CTS_SK_COUNT];
    uint64_t vectors; /* with at least one result here; those of one vector come together */
    char *vector;     /* the last one */
};

struct cts_tally {
    struct cts_tally_line *lines;
    size_t count, cap, last;
    unsigned engines;
    bool failed; /* out of memory: not all results are in it */
};

void cts_tally_init(struct cts_tally *t);
void cts_tally_release(struct cts_tally *t);

/* Adds a result to the line of its engine, this key and its policy ("" for rfc). */
void cts_tally_add(struct cts_tally *t, const struct cts_result *r, const char *key);
/* The same for each of its clauses; for the key "" if it has none. */
void cts_tally_clauses(struct cts_tally *t, const struct cts_result *r);

enum cts_tally_order { CTS_TALLY_BY_ENGINE, CTS_TALLY_BY_KEY };
/* By engine (in the order of the run) and key, or by key and engine; the RFC before policies. */
void cts_tally_sort(struct cts_tally *t, enum cts_tally_order order);

/* "N012 (RFC 9669 section 5.3)", "N012 (...) by policy structural", "policy abi". */
void cts_tally_name(struct cts_buf *b, const struct cts_tally_line *l,
                    const struct cts_report_opts *opts);
/* "wrong-result 3, crash 1" */
void cts_tally_failures(struct cts_buf *b, const struct cts_tally_line *l);

/* Conformance to a group. */
enum cts_conformance {
    CTS_CF_CONFORMANT,     /* all that was asked passed, and nothing was unsupported */
    CTS_CF_NOT_CONFORMANT, /* some case failed (on record or not), or a row is unsupported */
    CTS_CF_NOT_CLAIMED,
    CTS_CF_NOT_TESTED, /* nothing of it was run to a result */
};
/* Of a tally that is sorted by engine: the counts that decide on the key of line i, which is the
 * first of its engine and key. They are those of the RFC itself, or of all policies together where
 * nothing rests on the RFC. *end: the first line behind those of the key. */
struct cts_tally_line cts_tally_basis(const struct cts_tally *t, size_t i, size_t *end);
enum cts_conformance cts_tally_conformance(const struct cts_tally_line *l);
/* "not conformant", "conformant by policy" ... A run that is not whole can find a group not
 * conformant, and nothing else. */
const char *cts_tally_verdict(const struct cts_tally_line *basis, const struct cts_summary *s);

#endif
