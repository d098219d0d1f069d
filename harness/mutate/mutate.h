/* Mutants: wrong instruction sets, and which vectors notice.
 *
 * A mutant is the reference machine with one thing wrong: other semantics of one row, made from the
 * tree of its `does`, or a fault of the machine around it (model.h). It dies when some case of the
 * vectors does not conform. One that is the same function as the original is no mutant: z3 proves
 * that, or spec/equivalents.yaml says why. */
#ifndef CTS_MUTATE_MUTATE_H
#define CTS_MUTATE_MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "host/arena.h"
#include "isa/mach.h"
#include "load/spec.h"
#include "pack/pack.h"
#include "wire/worker.h"

enum { CTS_MUT_LEVELS = CTS_LEVEL_EXHAUSTIVE + 1, CTS_MUT_NEVER = CTS_MUT_LEVELS };

enum cts_mut_status {
    CTS_MUT_KILLED,
    CTS_MUT_SURVIVED,
    CTS_MUT_PROVEN,    /* the same function as the original, by z3 */
    CTS_MUT_LISTED,    /* the same function as the original, by spec/equivalents.yaml */
    CTS_MUT_UNDECIDED, /* no vector notices; whether it is the same function nobody knows here:
                          there is no z3, and spec/proofs.tsv does not have the row as it is */
    CTS_MUT_COUNT
};

struct cts_mut_model;

struct cts_mutant {
    enum cts_insn_id row;
    const char *op;                    /* operator: "width", "mask", ... */
    const char *text;                  /* the mutated `does`, or what is wrong with the machine */
    enum cts_level level;              /* the lowest at which it must die */
    const struct cts_sema *sema;       /* the mutated semantics; null for faults of the machine */
    const struct cts_mut_model *model; /* the fault; null for mutated semantics */
    int32_t arg;                       /* of the fault */
    bool control;                      /* nothing is wrong with it: it must survive */

    /* Results. */
    enum cts_mut_status status;
    uint8_t killed;       /* lowest level at which some case noticed; CTS_MUT_NEVER */
    uint8_t killed_hand;  /* the same for hand-written cases alone */
    const char *killer;   /* the vector that noticed first; null */
    uint32_t killer_unit; /* ... by this unit of the pack */
    const char *reason;   /* why it is equivalent; null */
    const char *input;    /* a survivor's distinguishing input; null if none is known */
};

struct cts_mut_list {
    struct cts_arena *arena; /* owns everything */
    const struct cts_spec *spec;
    struct cts_mutant *all;
    size_t count, cap;
    bool failed;    /* out of memory */
    size_t damaged; /* answers of z3 that were kept and could not be believed: it was asked again */
};

/* All mutants of the rows selected (CTS_INSN_COUNT bools; null: those of the RFC), in the order of
 * the rows. The first one of each row that has semantics is its control. */
int cts_mutants_make(struct cts_mut_list *list, const struct cts_spec *spec, const uint8_t *rows,
                     struct cts_arena *arena, struct cts_err *err);

/* How to get at a machine whose semantics can be exchanged. */
struct cts_mut_machine {
    int (*open)(const cts_exec_fn *exec, void **self, unsigned engine, struct cts_caps *caps,
                struct cts_err *err);
    const struct cts_adapter *adapter; /* load, run, unload, release */
    const char *runtime;               /* its name in vectors */
    unsigned engine[2];                /* one of each byte order: indices into adapter->engines */
};

struct cts_mut_opts {
    const struct cts_pack *pack;
    struct cts_mut_machine machine;
    unsigned jobs;
    enum cts_level level;
    bool hand;               /* leave sweeps out */
    const char *equivalents; /* spec/equivalents.yaml; null or missing: none */
    const char *on_record;   /* spec/proofs.tsv; null: none */
    const char *z3;          /* null: nothing is proven */
    const int *proofs; /* descriptor of the folder in which answers of z3 are kept; null: none */
    uint64_t z3_steps; /* for one mutant */
    const volatile int *stop;
    void (*progress)(void *arg, size_t done, size_t all); /* may be null; from any thread, one at a
                                                             time */
    void *arg;
};

/* Runs them all and fills in the results. A control that is killed names, in `killer`, a vector
 * that the right machine does not pass: what fails so is left out for its row, and no score means
 * much. Fails if the list of equivalents is malformed, names a mutant that does not exist or one
 * that dies. */
int cts_mutants_run(struct cts_mut_list *list, const struct cts_mut_opts *opts,
                    struct cts_err *err);

/* A mutant in a sight (core/sight.h). */
struct cts_mut_look {
    bool asked;      /* it is dead where everything is seen: else nothing is asked of the sight */
    bool killed;     /* some case notices it there, too */
    bool due;        /* it should die there: else `why` says why it cannot */
    bool absent;     /* not due: no program with its row must be accepted there */
    const char *why; /* of one that lives: what those that notice it elsewhere lack there; null */
};

/* After cts_mutants_run with the same options: the same mutants as a runtime of the capabilities
 * `sight` shows them. Fills looks[list->count]. The machine is that of the options; what differs is
 * what can be asked of it and what of it can be seen. */
int cts_mutants_look(struct cts_mut_list *list, const struct cts_mut_opts *opts,
                     const struct cts_caps *sight, struct cts_mut_look *looks, struct cts_err *err);

struct cts_mut_score {
    unsigned generated, equivalent, undecided;
    unsigned due;       /* must be dead at the level: not equivalent, demanded at or below it */
    unsigned killed;    /* of those due */
    unsigned hand;      /* of those due, by hand-written cases alone */
    unsigned all, dead; /* whatever the level demanded: not equivalent; of them killed by it */
};
/* Counts mutants (controls left out) of `row` (CTS_INSN_COUNT: any) and `op` (null: any) at a
 * level.
 */
struct cts_mut_score cts_mutants_score(const struct cts_mut_list *list, enum cts_insn_id row,
                                       const char *op, enum cts_level level);
/* Neither control, nor equivalent, nor undecided. */
bool cts_mutant_counts(const struct cts_mutant *m);

#endif
