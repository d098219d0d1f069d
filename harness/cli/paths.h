/* Where things are: data (vectors, runtimes) and workers. */
#ifndef CTS_CLI_PATHS_H
#define CTS_CLI_PATHS_H

#include "base/err.h"
#include "host/arena.h"

/* In EBPF_CTS_DATA, else in the installed tree that the executable belongs to, else in the source
 * tree it was built from. In the arena; never null but for lack of memory. */
const char *cts_data_path(struct cts_arena *arena, const char *inner);
/* The worker's path: as it is if it holds a slash, else in EBPF_CTS_LIBEXEC, in the libexec of the
 * installed tree, or beside the executable. */
const char *cts_worker_path(struct cts_arena *arena, const char *worker);
/* The path as a person in the current folder would write it: the same, or its end. */
const char *cts_path_from_here(const char *path);

#endif
