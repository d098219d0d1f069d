/* Faults of the machine around the semantics: registers decoded wrong, stores that overrun, calls
 * that lose registers, decoders that let too much or too little pass. */
#ifndef CTS_MUTATE_MODEL_H
#define CTS_MUTATE_MODEL_H

#include "host/buf.h"
#include "mutate/mutate.h"

/* Instructions, from a mutant's first on: wrong jumps may never end. */
enum { CTS_MUT_BUDGET = 1 << 19 };

/* The semantics of a machine under test: the machine's `exec` points to the first member, so that
 * a function of the table finds the mutant. */
struct cts_mut_table {
    cts_exec_fn exec[CTS_INSN_COUNT];
    const struct cts_mutant *mutant;
};

/* Puts the mutant in, or (null) takes it out. */
void cts_mut_table_set(struct cts_mut_table *t, const struct cts_mutant *m);

/* What a wrong decoder makes of a program. */
enum cts_mut_decoded {
    CTS_DECODED_SAME,
    CTS_DECODED_CHANGED, /* `code` is now what it takes the program for */
    CTS_DECODED_REJECTED
};

struct cts_mut_model {
    const char *name;
    cts_exec_fn exec; /* instead of the row's function; null: the decoder is at fault */
    /* `code`: a program's slots, little-endian encoding. */
    enum cts_mut_decoded (*decode)(const struct cts_mutant *m, struct cts_buf *code);
};

#endif
