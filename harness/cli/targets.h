/* From -r options and runtime.yaml files to the engines that are run. */
#ifndef CTS_CLI_TARGETS_H
#define CTS_CLI_TARGETS_H

#include <stddef.h>

#include "cli/files.h"
#include "core/core.h"
#include "host/arena.h"
#include "load/runtime.h"

enum { CTS_RUNTIMES_MAX = 64 };

/* A list of known failures that is in use. */
struct cts_known_set {
    const struct cts_known_list *list;
    struct cts_known *known; /* known[i] is entry i of the list */
    const struct cts_rt *rt; /* whose it is; null: of all targets */
};

struct cts_targets {
    struct cts_target *list;
    const struct cts_rt **rt; /* rt[i]: the runtime of list[i] */
    size_t count;
    struct cts_rt *runtimes; /* all that were found, sorted by name */
    size_t runtime_count;
    struct cts_known_set *sets;
    size_t set_count;
    bool no_known; /* set by the caller before it adds: leave out the runtimes' own lists */
};

/* Reads runtimes/NAME/runtime.yaml below the data folder. */
int cts_targets_find(struct cts_targets *t, struct cts_arena *arena, struct cts_err *err);
/* Adds what one -r asks for: "NAME", "NAME:ENGINE", or the path of a runtime's folder, of its
 * runtime.yaml, or of a worker, with or without ":ENGINE"; "NAME:COMMAND" where the runtime takes
 * one; a YAML file that names no worker describes the command added before it. A runtime.yaml
 * beside a worker says what it is. A runtime without an engine adds its default ones, or all where
 * there is no default. */
int cts_targets_add(struct cts_targets *t, const char *spec, struct cts_arena *arena,
                    struct cts_err *err);
/* What runs when no -r is given: the default engines of all runtimes found. */
int cts_targets_add_default(struct cts_targets *t, struct cts_arena *arena, struct cts_err *err);
/* Tells which files were read, or are where one would be read. */
void cts_targets_files(const struct cts_targets *t, struct cts_files *files);
/* Adds a list of known failures to all targets; one that is not there is empty if it `may_lack`. */
int cts_targets_known(struct cts_targets *t, const char *path, bool may_lack,
                      struct cts_arena *arena, struct cts_err *err);

#endif
