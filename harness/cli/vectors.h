/* Vectors for a command: the files it names, or those of the suite, as a pack. */
#ifndef CTS_CLI_VECTORS_H
#define CTS_CLI_VECTORS_H

#include <stddef.h>

#include "build/build.h"
#include "cli/files.h"
#include "cli/opt.h"
#include "host/arena.h"

enum { CTS_PATHS_MAX = 256 };

struct cts_vectors {
    const char *path[CTS_PATHS_MAX];
    size_t paths; /* 0: the suite's own */
    enum cts_level level;
    bool no_cache;
    bool quiet; /* no progress on the terminal */
    bool again; /* what there is to say of the files was said before */
    struct cts_build_stats stats;
    struct cts_pack pack;
};

/* Prints each bad file's or program's error on stderr. */
int cts_vectors_open(struct cts_vectors *v, struct cts_err *err);
/* Adds the suite's file of cases that tell what environments are made of; false: there is no room.
 */
bool cts_vectors_add_basis(struct cts_vectors *v, struct cts_arena *arena);
/* Tells which files it reads. */
void cts_vectors_files(const struct cts_vectors *v, struct cts_files *files);
void cts_vectors_release(struct cts_vectors *v);
/* SHA-256 of the pack's content, in hexadecimal: names what was run. */
void cts_vectors_hash(const struct cts_vectors *v, char hash[65]);
/* Takes an argument; 0 or, after a message, CTS_EXIT_USAGE. */
int cts_vectors_path(void *vectors, const struct cts_opts *o);
/* The levels, in their order, for an option. */
const char *cts_level_word(unsigned i, const char **what);

#endif
