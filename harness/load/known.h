/* Lists of known failures: runtimes/<name>/known.yaml, and files named on a command line. */
#ifndef CTS_LOAD_KNOWN_H
#define CTS_LOAD_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/version.h"
#include "host/arena.h"

/* A reason that begins with this was written by a program and is still to be written by a person.
 */
#define CTS_KNOWN_UNEXPLAINED "unexplained: "

struct cts_known_entry {
    const char *vectors;                      /* glob over ids, or id#case */
    const char **engines;                     /* ended by null; null: all */
    const char **variants;                    /* globs over labels of variants, likewise */
    const struct cts_version_range *versions; /* of the runtime; null: all */
    const char *failure;                      /* kind of failure; null: any */
    const char *reason;                       /* never null */
    const char *link, *clause, *policy;       /* null: not given; at least one is */
    bool sometimes;                           /* it may pass, too */
    const char *review_by;                    /* YYYY-MM-DD; may be null */
    size_t item;                              /* of the list: those of one item differ in glob */
    const char *file;
    unsigned line, col; /* of the item */
};

struct cts_known_list {
    const char *path; /* also of a file that does not exist */
    const char *text; /* the file as it was read */
    size_t len;
    bool exists;
    struct cts_known_entry *entries; /* in the order of the file: one for each glob of each item */
    size_t count, items;
};

/* Do an entry's lists (engines, variants) say the same, word for word? Null: all. */
bool cts_known_same_list(const char **a, const char **b);

/* Everything is the arena's. A file of comments only, or an empty one, is an empty list; so is one
 * that is not there if it `may_lack`. One that the user `named` may be of any kind, a pipe, too.
 * Kinds of failure, clauses, policies and engines are not
 * checked here. */
int cts_known_load(const char *path, bool named, bool may_lack, struct cts_arena *arena,
                   struct cts_known_list *out, struct cts_err *err);
/* The same from memory. */
int cts_known_parse(const char *path, const char *text, size_t len, struct cts_arena *arena,
                    struct cts_known_list *out, struct cts_err *err);

#endif
