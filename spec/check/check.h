/* Checks of the specification. A rule looks at one property of everything in spec/, says how many
 * things it looked at, and names each fault with file:line. */
#ifndef CTS_SPEC_CHECK_H
#define CTS_SPEC_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "host/arena.h"
#include "host/buf.h"
#include "load/spec.h"
#include "load/vec.h"

/* --- running them --- */

struct cts_spec_check_opts {
    const char *spec_dir;     /* spec/ or a copy of it; its anchors/ belong to it */
    const char *vectors_dir;  /* vectors/; null: rules that need them are skipped */
    const char *const *rules; /* names, in any order; null: all */
    size_t rule_count;
};

struct cts_spec_check_counts {
    size_t rules, passed, failed, skipped;
    size_t looked; /* things, over all rules */
    size_t faults; /* violations, over all rules */
};

/* Appends TAP to `out`: a line per rule ("ok 1 - bits # looked at 256 opcodes"), below it a line
 * "# file:line: ..." per fault, the plan last. A rule that looked at nothing fails.
 *
 * 0: the rules ran, and `counts` says what came of it (failed > 0: exit 1). Negative: the files
 * cannot be loaded, or there is no such rule (CTS_E_NOTFOUND); nothing was appended (exit 2). */
int cts_spec_check(const struct cts_spec_check_opts *opts, struct cts_buf *out,
                   struct cts_spec_check_counts *counts, struct cts_err *err);

/* --- writing one: spec/check/chk_NAME.c has a `const struct cts_check cts_check_NAME` --- */

struct cts_check_run;

struct cts_check {
    const char *name; /* as in the file's name */
    const char *what; /* one sentence without its full stop */
    const char *unit; /* what it counts: "rows" */
    void (*run)(struct cts_check_run *run);
};
extern const struct cts_check *const cts_checks[]; /* by name, ended by null */
const struct cts_check *cts_check_find(const struct cts_check *const *rules, const char *name);

enum { CTS_CHECK_NAMED_MAX = 50 }; /* faults of one rule that are named; all are counted */

/* All vectors, loaded once. */
struct cts_check_vecs {
    const struct cts_vec_file *files;
    size_t file_count, vec_count;
    struct cts_err *faults; /* of vectors that could not be loaded */
    size_t fault_count, fault_cap;
};

/* What a rule sees and fills in. */
struct cts_check_run {
    const struct cts_spec *spec;
    const struct cts_check *const *rules; /* all, ended by null */
    const char *spec_dir, *vectors_dir;
    struct cts_arena *arena;
    struct cts_check_vecs **vecs; /* for cts_check_load_vectors */
    struct cts_buf text;          /* lines behind the result */
    size_t looked, faults;
    const char *skip; /* the reason; null: it ran */
    char more[160];   /* what else there is to say, behind "looked at N units"; "" */
};

/* Counts a fault at file:line (line 0: the file as a whole). */
void cts_check_fault(struct cts_check_run *run, const char *file, unsigned line, const char *fmt,
                     ...) __attribute__((format(printf, 4, 5)));
/* The same at a node. */
void cts_check_fault_at(struct cts_check_run *run, const struct cts_yaml *node, const char *fmt,
                        ...) __attribute__((format(printf, 3, 4)));
/* The same for an error that has a place. */
void cts_check_fault_err(struct cts_check_run *run, const struct cts_err *err);
/* A line that is no fault. */
void cts_check_note(struct cts_check_run *run, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The vectors; null, and run->skip or a fault, if there are none. Those that cannot be loaded are
 * left to the rule `vectors`. */
const struct cts_check_vecs *cts_check_load_vectors(struct cts_check_run *run);
/* Zeroed memory of the arena; null and a fault when there is none. */
void *cts_check_take(struct cts_check_run *run, size_t n, size_t size);

#endif
