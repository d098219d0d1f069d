/* Proofs on record (spec/proofs.tsv): mutants that z3 has proven to be the same function as their
 * row, by the hash of what it was asked. A row on record was asked about as a whole: what is not
 * among its proofs could not be proven. */
#ifndef CTS_MUTATE_PROOFS_H
#define CTS_MUTATE_PROOFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "host/buf.h"
#include "mutate/mutate.h"

enum { CTS_PROOF_BYTES = 16 };

struct cts_proofs {
    uint8_t (*hash)[CTS_PROOF_BYTES]; /* sorted */
    size_t count;
};

void cts_proofs_release(struct cts_proofs *p);
/* CTS_E_SYNTAX with the line for what is no list of proofs. */
int cts_proofs_load(struct cts_proofs *p, const char *path, struct cts_err *err);
/* Is the mutant, which has semantics, on record? */
bool cts_proofs_have(const struct cts_proofs *p, const struct cts_spec_insn *row,
                     const struct cts_mutant *m);
/* Is the row on record, with these n mutants of it? */
bool cts_proofs_have_insn(const struct cts_proofs *p, const struct cts_spec_insn *row,
                          const struct cts_mutant *all, size_t n);
/* The list of proofs of a run without one, by z3 of the version named. */
void cts_proofs_write(const struct cts_mut_list *list, const char *version, struct cts_buf *out);

#endif
