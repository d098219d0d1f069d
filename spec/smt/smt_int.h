/* Shared by the files of this box, for nobody else. */
#ifndef CTS_SPEC_SMT_INT_H
#define CTS_SPEC_SMT_INT_H

#include "host/solver.h"
#include "spec_smt/smt.h"

/* --- one row as terms (term.c) --------------------------------------------------------------- */

enum cts_smt_input {
    CTS_SI_DST, /* the first three in the order of enum cts_sema_operand */
    CTS_SI_SRC,
    CTS_SI_R0,
    CTS_SI_IMM,
    CTS_SI_NEXT_IMM,
    CTS_SI_OFF,
    CTS_SI_R1,
    CTS_SI_R2,
    CTS_SI_R3,
    CTS_SI_R4,
    CTS_SI_R5,
    CTS_SI_MEM,
    CTS_SI_BE,
    CTS_SI_CHOOSE,
    CTS_SI_COUNT
};

struct cts_smt_name {
    const char *name, *sort;
};
extern const struct cts_smt_name cts_smt_inputs[CTS_SI_COUNT];

enum cts_smt_observable {
    CTS_SO_DST, /* the first three as above */
    CTS_SO_SRC,
    CTS_SO_R0,
    CTS_SO_MEM,
    CTS_SO_TAKEN,
    CTS_SO_NEXT,
    CTS_SO_EXITS,
    CTS_SO_COUNT
};
extern const struct cts_smt_name cts_smt_observables[CTS_SO_COUNT];

enum { CTS_SMT_CONDS_MAX = 64 };

/* A term over inputs; bit i of `inputs` for each enum cts_smt_input in it. */
struct cts_smt_term {
    const char *text; /* null: none */
    unsigned inputs;
};

/* A row whose registers coincide as `alias` says. All text belongs to the arena. */
struct cts_smt_insn {
    const struct cts_spec_insn *row;
    enum cts_smt_alias alias;
    const char *prefix; /* "add64_x" or "add64_x.dst=src" */
    struct cts_smt_term out[CTS_SO_COUNT];
    /* What is decided inside: of `?:`, `if`, `&&`. */
    struct cts_smt_term cond[CTS_SMT_CONDS_MAX];
    unsigned conds;
    /* What must never hold: a divisor of zero, a shift count that is not below the width. */
    struct cts_smt_term bad[CTS_SMT_CONDS_MAX];
    unsigned bads;
    unsigned accesses;   /* bits of the widest access to memory; 0: none */
    const char *address; /* that of the first one, over the same inputs; null: none */
    unsigned address_inputs;
};

/* Can the registers coincide so, and does it say anything about the row? */
bool cts_smt_alias_possible(const struct cts_spec_insn *row, enum cts_smt_alias alias);
/* The register (CTS_SI_DST..CTS_SI_R0) that stands for `reg` there. */
unsigned cts_smt_alias_cell(enum cts_smt_alias alias, unsigned reg);

int cts_smt_insn_make(const struct cts_spec_insn *row, enum cts_smt_alias alias,
                      struct cts_arena *arena, struct cts_smt_insn *out, struct cts_err *err);
/* (define-fun NAME (arguments) SORT term) */
void cts_smt_define(const char *name, const char *sort, const struct cts_smt_term *term,
                    struct cts_buf *out);
/* "dst imm mem be", for a mask of inputs; with sorts if `sorts`. */
void cts_smt_arguments(unsigned inputs, bool sorts, struct cts_buf *out);

/* --- scripts (script.c) ----------------------------------------------------------------------- */

/* The sort of memory, accesses, byte orders, and what the platform brings: uninterpreted, or, if
 * `concrete`, the functions described in smt.h; only those that the text `rows` applies, all if it
 * is null. */
void cts_smt_prelude(bool concrete, const char *rows, struct cts_buf *out);
/* Defines every observable of a row. */
void cts_smt_define_insn(const struct cts_smt_insn *row, struct cts_buf *out);

/* --- laws (laws.c) -----------------------------------------------------------------------------
 */

/* A cleared law behind the others; null when there is no room. */
struct cts_law *cts_laws_add(struct cts_laws *laws, struct cts_err *err);
/* The next name of a function of a row in an SMT-LIB text ("add64_x.dst"), from *at on: its length,
 * and *at is where it begins; 0: no more. */
size_t cts_law_next_function(const char *text, size_t *at);
/* The row that such a name is about, or null. */
const struct cts_spec_insn *cts_law_insn(const struct cts_spec *spec, const char *name, size_t len);

#endif
