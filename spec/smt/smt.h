/* The specification as SMT-LIB 2, and checks of it with a solver (z3).
 *
 * Every row gives one function per observable: ROW.dst, ROW.src, ROW.r0 and ROW.mem (the new
 * values), ROW.taken (Bool: does control leave the line?), ROW.next (where to: slots from the next
 * instruction, 64 bits, 0 where it is not taken) and ROW.exits (Bool). An observable without a
 * function is not changed, by construction. The arguments of a function are those of
 *
 *     dst src r0: 64 bits   imm next_imm: 32   off: 16   r1 .. r5: 64   mem: Mem   be: Bool
 *
 * that it depends on, in this order; Mem is an array from 64-bit addresses to bytes, `be` says that
 * the machine is big-endian. These functions are for different registers. Where the encoding lets
 * two of dst, src and r0 be one register, ROW.dst=src.dst, for instance, is the new value of that
 * one.
 *
 * What the platform brings is uninterpreted. Faults are not modelled: memory is there at every
 * address, the platform knows every map. */
#ifndef CTS_SPEC_SMT_H
#define CTS_SPEC_SMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "host/arena.h"
#include "host/buf.h"
#include "load/spec.h"
#include "sema/sema.h"

/* --- text ---------------------------------------------------------------------------------- */

/* Appends a script that declares what is needed and defines the functions of the rows `ids` (all
 * instructions where count is 0; rows that are no instruction are passed over). CTS_E_NOTFOUND for
 * an id that does not exist. */
int cts_smt_script(const struct cts_spec *spec, const char *const *ids, size_t count,
                   struct cts_buf *out, struct cts_err *err);

/* --- laws ---------------------------------------------------------------------------------- */

enum cts_law_expected { CTS_LAW_VALID, CTS_LAW_COUNTEREXAMPLE };

/* One proposition over the functions of rows. */
struct cts_law {
    const char *id, *says;
    enum cts_law_expected expected;
    const char *vars;        /* the variables, as SMT-LIB declarations */
    const char *names;       /* those whose values a counterexample shows, separated by spaces */
    const char *given;       /* an SMT-LIB term; null: always */
    const char *holds;       /* an SMT-LIB term */
    const char *may_unknown; /* why the solver need not decide it; null: it must */
    bool bits;               /* ask by turning it all into bits: for divisions; no memory in it */
    bool generated;          /* from the rows, not from laws.yaml */
};

struct cts_laws {
    struct cts_arena arena; /* owns everything below */
    struct cts_law *law;
    size_t count, cap;
};

void cts_laws_init(struct cts_laws *laws);
void cts_laws_release(struct cts_laws *laws);
/* Appends the laws of a file (spec/laws.yaml). CTS_E_SCHEMA and the like, with the place. */
int cts_laws_load(struct cts_laws *laws, const struct cts_spec *spec, const char *path,
                  struct cts_err *err);
/* Appends those that follow from the names and encodings of rows: every division guarded and every
 * shift count below the width; K forms equal X forms; 32-bit forms depend on low halves and have a
 * zero upper half; stores touch only their bytes; each class of opcodes has its observables only.
 */
int cts_laws_generate(struct cts_laws *laws, const struct cts_spec *spec, struct cts_err *err);

struct cts_laws_options {
    const char *filter; /* only laws whose id holds this; null: all */
    const char *z3;     /* null: "z3" */
    unsigned cpu_ms;    /* of the solver, for each law. 0: as many of its steps as are enough on
                           every machine, with room to spare */
    uint64_t steps;     /* of the solver, for each law, instead of either; 0: not so */
};

struct cts_laws_result {
    size_t checked, passed, failed;
    size_t undecided;            /* the solver gave up or was given up */
    size_t open;                 /* of those: such as should be decided */
    size_t valid, refuted, rows; /* rows: that some checked law is about */
    bool skipped;                /* there is no z3 */
    double seconds;              /* the solver's time */
};

/* Loads DIR/laws.yaml, generates the others, asks z3, and appends TAP to `out`: a line for each
 * law, a counterexample where there is one, a comment with the counts at the end. 0 also if laws
 * fail or stay undecided (see `result`) and if there is no z3 (one SKIP line with how to install
 * it); negative if the specification cannot be read or the solver did not answer. */
int cts_laws_run(const struct cts_spec *spec, const char *dir,
                 const struct cts_laws_options *options, struct cts_laws_result *result,
                 struct cts_buf *out, struct cts_err *err);

/* --- points: inputs and what the formulas make of them ------------------------------------- */

enum {
    CTS_POINT_MEM = 32,  /* bytes observed */
    CTS_POINT_AT = 12,   /* the position of the addressed byte in them */
    CTS_POINT_LEAST = 20 /* points of each row, at least */
};

enum cts_smt_alias { /* which of dst, src, r0 are one register */
                     CTS_ALIAS_NONE,
                     CTS_ALIAS_DST_SRC,
                     CTS_ALIAS_DST_R0,
                     CTS_ALIAS_SRC_R0,
                     CTS_ALIAS_ALL,
                     CTS_ALIAS_COUNT
};
const char *cts_smt_alias_name(enum cts_smt_alias alias); /* "dst=src"; "" for none */

/* The state that an instruction can see: of one and the same register the same value. */
struct cts_smt_state {
    uint64_t dst, src, r0;
    uint8_t mem[CTS_POINT_MEM]; /* from `base` on */
};

struct cts_smt_point {
    const struct cts_spec_insn *row;
    enum cts_smt_alias alias;
    bool be;
    bool choose; /* what the machine chooses, where the row leaves it to it */
    bool chosen; /* by the solver; else a boundary value */
    int32_t imm, next_imm;
    int16_t off;
    uint64_t base;
    struct cts_smt_state in, out;
    bool taken, exits;
    int64_t next;
};

struct cts_smt_points {
    struct cts_arena arena;
    struct cts_smt_point *point; /* those of one row stand together */
    size_t count;
    size_t rows;
    double seconds;
};

/* What uninterpreted functions are here: f(x) is the low bits of (x, sign-extended) xor
 * cts_smt_platform_key(f). Functions of the platform give the exclusive or of their number, r1 to
 * r5 and the key of their kind. */
uint64_t cts_smt_platform_key(enum cts_sema_func func);
uint64_t cts_smt_call_key(enum cts_sema_call call);
/* The value of r1 to r5 in every point. */
uint64_t cts_smt_point_arg(unsigned reg);

void cts_smt_points_init(struct cts_smt_points *points);
void cts_smt_points_release(struct cts_smt_points *points);
/* At least CTS_POINT_LEAST inputs for every row (or for the one of that id), for each way its
 * registers can coincide: models of both sides of every condition, of results with and without
 * their top bits, and boundary values; and the outputs, as z3 computes them. CTS_E_UNSUPPORTED: no
 * z3. */
int cts_smt_points_make(const struct cts_spec *spec, const char *row, struct cts_smt_points *points,
                        struct cts_err *err);

#endif
