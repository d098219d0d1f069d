/* Bugs of runtimes that vectors would have caught (spec/bugs.yaml). */
#ifndef CTS_LOAD_BUGS_H
#define CTS_LOAD_BUGS_H

#include <stddef.h>

#include "base/err.h"
#include "host/arena.h"

struct cts_bug {
    const char *id, *project, *says, *link;
    const char *year; /* null: not known */
};

struct cts_bugs {
    struct cts_bug *bug;
    size_t count;
};

/* Reads the file into the arena; none at all where there is no such file. CTS_E_SCHEMA with the
 * place for unknown keys, missing ones and ids that are there twice. */
int cts_bugs_load(struct cts_bugs *bugs, const char *path, struct cts_arena *arena,
                  struct cts_err *err);
/* Null: there is no such bug. */
const struct cts_bug *cts_bug_find(const struct cts_bugs *bugs, const char *id);

#endif
