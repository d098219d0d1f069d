/* From vector files (.yaml, or .data of bpf_conformance) to a pack: load, expand, assemble. */
#ifndef CTS_BUILD_BUILD_H
#define CTS_BUILD_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "pack/pack.h"

struct cts_build_opts {
    const char *const *paths; /* files and folders of vectors */
    size_t path_count;
    enum cts_level level;
    bool no_cache;
    /* The runtimes vectors may name, ended by a null pointer; null: not checked. */
    const char *const *runtimes;
    /* Called once for each error (a bad file, a bad program); the rest is built all the same. */
    void (*on_error)(void *arg, const struct cts_err *err);
    /* Called with what is worth saying and no error: a cache that is not believed. May be null. */
    void (*on_note)(void *arg, const char *text);
    /* Called as programs are assembled, which is what takes time. May be null. */
    void (*on_progress)(void *arg, size_t done, size_t all);
    void *arg;
};

struct cts_build_stats {
    size_t files, errors;
    bool from_cache;
};

/* 0 and an open pack (which may be empty), whatever on_error was told; negative if nothing can be
 * built at all (no such folder, no llvm-mc). The cache key covers the vector files' bytes, the
 * specification's tables, the format's version, level and the assembler's version. */
int cts_build(const struct cts_build_opts *opts, struct cts_pack *pack,
              struct cts_build_stats *stats, struct cts_err *err);

#endif
