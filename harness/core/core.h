/* Core: runs the vectors of a pack on engines and judges what comes back.
 *
 * Each job (thread) drives at most one worker of an engine at a time; vectors are dealt out in
 * blocks; results are told in the order of the pack, engine by engine, whatever the number of jobs.
 */
#ifndef CTS_CORE_CORE_H
#define CTS_CORE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/version.h"
#include "host/arena.h"
#include "host/buf.h"
#include "isa/isa.h"
#include "pack/pack.h"
#include "result/result.h"

enum { CTS_ANY_VALUE = INT32_MIN };

/* Why a runtime that implements a row refuses some of its forms: explains a rejection (a skip),
 * changes nothing else. */
struct cts_limit {
    const uint8_t *rows; /* CTS_INSN_COUNT bools; null: every row */
    /* Conditions on one instruction of the program, all of which hold; CTS_ANY_VALUE: none. */
    int32_t dst, src, imm, off;
    bool alias;     /* dst == src */
    bool imm_above; /* `imm` is a lower bound, unsigned */
    /* Conditions on the program, the vector and the runtime's words. */
    uint32_t branches_from; /* it has so many conditional jumps or more */
    const char *policy;     /* the vector rests on it; null: none */
    const char *refusal;    /* glob over the refusal's text, or one line of it; null: none */
    const char *reason;
};

/* A failure that is known, with its reason on record. Globs (* and ?) match the vector's id or, if
 * there is a # in them, "id#case". What it speaks of is to fail in all its variants, or in all that
 * it names. */
struct cts_known {
    const char *vectors;
    const char *const *engines;  /* ended by null; null: all */
    const char *const *variants; /* globs over labels of variants, likewise; with a ! before it,
                                    one over those that are not meant */
    const char *failure;         /* a name of enum cts_failure; null: any */
    const char *reason;
    bool sometimes;                           /* what it speaks of may pass, too */
    const struct cts_version_range *versions; /* of the runtime, by its own word; null: all */
};

/* One engine of one runtime. All memory stays the caller's and lives as long as the run. */
struct cts_target {
    const char *runtime, *engine; /* engine "": the worker's default */
    const char *key;              /* what lists of known failures call the engine; null: its name */
    const char *const *argv;      /* the worker's command, ended by null */
    const char *spec;             /* how a shell's -r names it; null: by runtime and engine */
    const char *repeat;           /* a command that runs it, to be followed by -f and a case; null:
                                     ebpf-cts run -r with runtime and engine */
    const uint8_t *pinned; /* CTS_INSN_COUNT bools: rows it is known to implement; null: all */
    uint64_t groups;       /* bit per enum cts_group it claims */
    const char *const *policies; /* it keeps to beside the RFC, ended by null; null: all */
    const struct cts_limit *limits;
    size_t limit_count;
    const struct cts_known *const *known; /* the first that fits counts */
    size_t known_count;
    const char *install; /* a hint for a worker or engine that is missing; may be null */
    bool optional;       /* a worker whose file is not there is a skip, not an error */
    bool is_named;       /* the worker must say that it is this runtime and engine; else it may say
                            what it wants */
    bool jit;            /* it compiles programs */
    bool unverified;     /* no loader's checks: what can only be rejected is not asked */
};

/* Appends a program as an ELF object of the kind PROTOCOL.md speaks of, for workers that want one:
 * `bytes` of code in the byte order told by `be`. */
typedef int cts_object_fn(const uint8_t *code, size_t bytes, bool be, const char *section,
                          struct cts_buf *out, struct cts_err *err);

/* A pack in place of another, with what of it is selected (see cts_core_opts). */
struct cts_wider {
    const struct cts_pack *pack;
    const uint8_t *select, *select_case;
};

struct cts_core_opts {
    unsigned jobs;              /* >= 1 */
    unsigned timeout_ms;        /* of one program */
    enum cts_level level;       /* units above it are left out */
    const uint8_t *select;      /* one bool per vector of the pack; null: all */
    const uint8_t *select_case; /* one bool per case; null: all of the vectors selected */
    const volatile int *stop;   /* not null: becomes non-zero when the run is to end early */
    const volatile int *enough; /* the core's own: likewise, once max_fails is reached */
    bool every_variant;         /* run all variants of a case, also after one of them failed */
    uint64_t max_fails;         /* stop after so many cases that count as failed; 0: never */
    cts_object_fn *object;      /* null: workers that want objects cannot be asked */
    /* Called at most once, before anything is told, if an engine's environment is broken and the
     * pack has none of the cases that say why: fills in one that has them, too, in which they are
     * not selected. False: there is none. May be null. */
    bool (*widen)(void *arg, struct cts_wider *out);
    void *widen_arg;
};

/* Time-outs in a row after which an engine is given up: the rest of its cases are errors. */
enum { CTS_GIVE_UP_AFTER = 20 };

static inline bool cts_core_is_interrupted(const struct cts_core_opts *opts)
{
    return opts->stop && *opts->stop;
}

static inline bool cts_core_is_stopped(const struct cts_core_opts *opts)
{
    return cts_core_is_interrupted(opts) || (opts->enough && *opts->enough);
}

/* Runs everything. 0 when it ran to its end (whatever the results); CTS_E_WORKER when a worker
 * could not be started or restarted (its cases are errors; the others ran). The summary is complete
 * in any case.
 *
 * A run that is stopped (`stop`, `max_fails`) tells nothing of what it did not come to; the
 * summary counts it. A block of vectors that was under way when a signal came is not told either:
 * the signal may have reached its workers, too. After max_fails the results told are the same
 * however many jobs there are. */
int cts_core_run(const struct cts_pack *pack, const struct cts_target *targets, size_t n,
                 const struct cts_core_opts *opts, const struct cts_sink *sink,
                 struct cts_summary *summary, struct cts_err *err);

/* Is the engine to be had? Starts its worker once, to ask it. Texts are the arena's. */
void cts_core_probe(const struct cts_target *t, struct cts_arena *arena,
                    struct cts_engine_info *info);

/* Does a list's word for an engine mean this one? An engine that is a command, with options, is
 * meant by the command, too. */
bool cts_known_means(const char *word, const char *engine);
/* Does the entry name the case, on whatever engine? */
bool cts_known_names(const struct cts_known *k, const char *vector, const char *kase);
/* Does the entry expect this case to fail on an engine of this version? */
bool cts_known_covers(const struct cts_known *k, const char *engine, const char *version,
                      const char *vector, const char *kase);
/* Does it speak of the variant with this label? */
bool cts_known_fits(const struct cts_known *k, const char *label);
/* Is this the kind of failure that the entry expects? */
bool cts_known_explains(const struct cts_known *k, enum cts_failure failure);

/* Does `text` match the glob? '*' any run, '?' any one character; everything else itself. */
bool cts_glob(const char *glob, const char *text);

#endif
