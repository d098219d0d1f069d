/* The words in which vectors are written (vectors/README.md) and packed: for the reader of vector
 * files and for packs, which mean the same by them. Freestanding.
 *
 * The numbers are part of the format of packs. */
#ifndef CTS_BASE_VECTOR_H
#define CTS_BASE_VECTOR_H

/* How a vector says what conforms: by cases, by operands whose results the reference machine gives,
 * or by a verdict on a whole program. */
enum cts_vector_kind { CTS_VK_RUN, CTS_VK_SWEEP, CTS_VK_VERDICT, CTS_VK_COUNT };

/* The lowest at which it runs; each has all that is in those before it. */
enum cts_level { CTS_LEVEL_QUICK, CTS_LEVEL_FULL, CTS_LEVEL_EXHAUSTIVE, CTS_LEVEL_COUNT };

/* The byte order of the machines that a case is for. */
enum cts_order { CTS_ORDER_ANY, CTS_ORDER_LITTLE, CTS_ORDER_BIG, CTS_ORDER_COUNT };

/* What the code lets a verifier or a compiler know of the operands. */
enum cts_operands { CTS_OPD_OPAQUE, CTS_OPD_CONSTANT, CTS_OPD_MASKED, CTS_OPD_COUNT };

/* What happens to a program. */
enum cts_outcome_kind {
    CTS_OUT_RAN, /* the body fell through to its end with this state; a whole program exited with r0
                  */
    CTS_OUT_REJECTED, /* at load */
    CTS_OUT_FAULTED,  /* stopped by the runtime */
    CTS_OUT_EXITED,   /* the body ended the program itself, with r0 */
};

/* What an operand of a sweep is. Immediates are part of the code, and not in packs. */
enum cts_sweep_target { CTS_SWEEP_REG, CTS_SWEEP_MEM, CTS_SWEEP_IMM };

/* As they are written; by the enums above, ended by a null pointer. */
extern const char *const cts_vector_kinds[CTS_VK_COUNT + 1];    /* "run", "sweep", "verdict" */
extern const char *const cts_level_names[CTS_LEVEL_COUNT + 1];  /* "quick" ... */
extern const char *const cts_order_names[CTS_ORDER_COUNT + 1];  /* "any", "little", "big" */
extern const char *const cts_operands_names[CTS_OPD_COUNT + 1]; /* "opaque" ... */

#endif
