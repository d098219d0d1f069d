/* What is compared of a vector where less than everything may be seen. */
#ifndef CTS_CORE_COMPARED_H
#define CTS_CORE_COMPARED_H

#include "base/err.h"
#include "host/arena.h"
#include "pack/pack.h"
#include "wire/worker.h"

/* Of a long sweep, where only some operand tuples are looked at: about so many. */
enum { CTS_SAMPLE_TUPLES = 64 };

/* Of all cases and variants together. */
struct cts_compared {
    uint32_t asked, skipped; /* cases */
    uint32_t registers;      /* bit i: ri is compared at the end of some body */
    uint32_t hidden;         /* bit i: ri is to change in some variant that does not compare it */
    uint32_t memory, stack;  /* bytes, of the variant with most of them */
    uint32_t results;        /* operand tuples whose r0 is compared at an exit */
    uint32_t verdicts; /* operand tuples of which is compared what becomes of the program: rejected,
                          stopped, accepted, left by an exit */
    uint32_t vacuous;  /* cases asked of which nothing is compared that they say comes out */
    uint32_t first_vacuous; /* the first of them */
    const char *why;        /* why the first case that is skipped is; null: none is */
};

/* `caps`: of a sight or of a runtime. What `why` points to is in the arena. */
int cts_compare_vector(const struct cts_pack *p, uint32_t vector, const struct cts_caps *caps,
                       struct cts_arena *arena, struct cts_compared *out, struct cts_err *err);

#endif
