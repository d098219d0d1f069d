/* runtimes/<name>/runtime.yaml and known.yaml: what a runtime is, which rows it is known to
 * implement, and which of its failures are on record. */
#ifndef CTS_LOAD_RUNTIME_H
#define CTS_LOAD_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "host/arena.h"
#include "load/known.h"

struct cts_rt_engine {
    const char *name, *what;
    bool is_default;       /* run when nobody names an engine */
    bool jit;              /* it compiles programs */
    const char **policies; /* names, ended by null; null: all */
};

/* A condition that does not hold for a field is absent: has_* is false. */
struct cts_rt_limit {
    const char **rows; /* ids, ended by null; null: every row */
    bool has_dst, has_src, has_imm, has_off, alias, imm_above;
    int32_t dst, src, imm, off;
    int32_t branches_from; /* 0: absent */
    const char *refusal;   /* glob; null: absent */
    const char *policy;    /* null: absent */
    const char *reason;
    const char *file;
    unsigned line;
};

struct cts_rt {
    const char *dir, *name, *title, *install;
    const char *file;   /* its runtime.yaml; null: it has none */
    const char *worker; /* without a slash: beside ebpf-cts; else from here, or absolute */
    bool optional;      /* a worker that is not there is a skip, not an error */
    bool unverified;    /* it refuses no program when it is loaded */
    bool command; /* what -r names behind it is a command, which the worker gets word by word */
    struct cts_rt_engine *engines;
    size_t engine_count;
    const char **groups; /* names, ended by null; null: all */
    const char **pinned; /* row ids and group names, ended by null; null: all */
    struct cts_rt_limit *limits;
    size_t limit_count;
    struct cts_known_list known; /* dir/known.yaml; empty if there is none */
};

/* Reads dir/runtime.yaml and, if it exists, dir/known.yaml. Everything is the arena's. */
int cts_rt_load(const char *dir, struct cts_arena *arena, struct cts_rt *out, struct cts_err *err);

/* Does the file say what a plugin is, and no more: a runtime.yaml that names no worker? */
bool cts_rt_is_sidecar(const char *path, struct cts_arena *arena);
/* A runtime that takes a command, `base`, as such a file describes what runs there. */
int cts_rt_describe(const char *path, const struct cts_rt *base, struct cts_arena *arena,
                    struct cts_rt *out, struct cts_err *err);

#endif
