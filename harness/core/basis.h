/* The instructions that environments are made of, each by its own cases: where an environment does
 * not hand a state through, they say whose fault it is. */
#ifndef CTS_CORE_BASIS_H
#define CTS_CORE_BASIS_H

#include "core/exec.h"

enum { CTS_BASIS_WHY = 256 };

/* One engine's. All zero: nothing was tried. */
struct cts_basis {
    uint8_t wrong[CTS_INSN_COUNT]; /* bools: a case about this row failed */
    struct cts_track *tracks;      /* of the pack's cases, in the arena; null: nothing was tried */
    char why[CTS_BASIS_WHY]; /* "not testable: lddw fails"; "" if none failed that environments are
                                made of */
};

/* Is the vector one of those cases? The first of its rows is the one that it is about. */
bool cts_basis_is(const struct cts_pack *p, const struct cts_pk_vector *v);
/* Has a unit's code a row that failed? The first, or CTS_INSN_COUNT. */
unsigned cts_basis_wrong_insn(const struct cts_basis *b, const struct cts_pack *p,
                              const struct cts_pk_unit *u);
/* Runs the vector, which is one of those cases, unless its program takes another row that failed:
 * then it is a skip. Judges like any other run. */
void cts_basis_try(struct cts_basis *b, struct cts_exec *x, const struct cts_target *target,
                   const struct cts_caps *caps, const struct cts_pack *p, uint32_t vector,
                   struct cts_arena *arena);
/* Once all were tried: fills `why`. made_of: CTS_INSN_COUNT bools, the rows of the environment;
 * null: it may be made of any. */
void cts_basis_name(struct cts_basis *b, const uint8_t *made_of);

#endif
