/* A loader that optimises: it goes every way through a program with what it knows of registers and
 * stack, and replaces the branches that it has seen go one way only, as Linux does. */
#ifndef CTS_MUTATE_LOADER_H
#define CTS_MUTATE_LOADER_H

#include "host/buf.h"
#include "isa/isa.h"

/* What it does wrong; of the row under `arg` where it says "of the row". */
enum cts_loader_flaw {
    CTS_LF_NONE,
    /* Links: registers that are known to be equal, or to differ by a number. */
    CTS_LF_KEEPS_COPY,     /* an operation of the row leaves the link of its destination, a copy */
    CTS_LF_KEEPS_ORIGINAL, /* ... which is the original */
    CTS_LF_CHANGES_BOTH,   /* an operation of the row is taken for one on all linked registers */
    CTS_LF_SAME_UNCHANGED, /* an operation of the row with dst == src is not seen to change it */
    CTS_LF_COPIES_WHOLE,   /* the row, which moves less than a whole register, is a plain copy */
    CTS_LF_DELTA_LOST,     /* the row's addition to a linked register leaves it equal */
    CTS_LF_DELTA_NEGATED,  /* the difference of linked registers is taken for its negation */
    CTS_LF_DELTA_OF_HALF,  /* a 32-bit addition is noted as the difference of whole registers */
    /* Memory and atomics. */
    CTS_LF_STORE_KEEPS,     /* the row's store leaves what is known of the slot */
    CTS_LF_FETCH_KEEPS,     /* the row's fetched value leaves what is known of the register */
    CTS_LF_LOAD_UNEXTENDED, /* the row's load from a slot is a plain copy of what was stored */
    /* Values. */
    CTS_LF_NO_WRAP,      /* the row's result is thought never to wrap */
    CTS_LF_SIGN_IGNORED, /* an arithmetic shift is taken for a logical one */
    CTS_LF_TIGHT,        /* the range of the row's result lacks its greatest number */
    CTS_LF_TIGHT_BELOW,  /* ... its least number */
    CTS_LF_SOURCE_LEAST, /* unknown bits of the row's source count as 0 */
    /* Branches. */
    CTS_LF_TAKEN_TIGHT,   /* where the row jumps, one value too few is thought possible */
    CTS_LF_FALLS_TIGHT,   /* where it does not */
    CTS_LF_OTHER_SIGN,    /* a signed comparison is taken for an unsigned one, or the reverse */
    CTS_LF_HALF_IS_WHOLE, /* a comparison of low halves is taken for one of whole registers */
    CTS_LF_ALL_BITS,      /* where jset jumps, all the bits are thought to be set */
    /* Ways that meet: what was seen before need not be gone through again. */
    CTS_LF_PRUNE_SCALARS,  /* two numbers are thought to be as good as each other */
    CTS_LF_PRUNE_LOW,      /* only low halves are compared */
    CTS_LF_PRUNE_LINKS,    /* links are not compared */
    CTS_LF_PRUNE_STACK,    /* the stack is not compared */
    CTS_LF_PRUNE_REVERSED, /* more is known of what was seen before than of what comes */
    CTS_LF_PRUNE_UNTESTED, /* registers that no branch has looked at so far are not compared */
};

/* True: `code` (little-endian encoding) was changed. */
bool cts_loader_optimise(enum cts_loader_flaw flaw, enum cts_insn_id row, struct cts_buf *code);

#endif
