/* What a loader may know of a value when it has not seen it: known bits and ranges, and how they
 * change. All operations are sound; where little is known, they know nothing. */
#ifndef CTS_MUTATE_FACTS_H
#define CTS_MUTATE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

/* The set of all values that fit everything that is said. */
struct cts_fact {
    uint64_t lo, hi;   /* unsigned */
    int64_t slo, shi;  /* signed */
    uint32_t wlo, whi; /* the low half, unsigned */
    uint64_t bits;     /* the known bits' values; 0 where unknown */
    uint64_t unknown;  /* the bits that are not known */
};

struct cts_fact cts_fact_any(void);
struct cts_fact cts_fact_const(uint64_t v);
struct cts_fact cts_fact_range(uint64_t lo, uint64_t hi);
struct cts_fact cts_fact_signed(int64_t lo, int64_t hi);
bool cts_fact_is_const(const struct cts_fact *f);
bool cts_fact_is_empty(const struct cts_fact *f);
/* Lets each of what is said narrow the others. */
void cts_fact_settle(struct cts_fact *f);
/* Is everything that fits `in` in `f`, too? */
bool cts_fact_holds(const struct cts_fact *f, const struct cts_fact *in);

/* The low half, zero-extended. */
struct cts_fact cts_fact_low(const struct cts_fact *f);
struct cts_fact cts_fact_add(const struct cts_fact *a, const struct cts_fact *b);
struct cts_fact cts_fact_sub(const struct cts_fact *a, const struct cts_fact *b);
struct cts_fact cts_fact_and(const struct cts_fact *a, const struct cts_fact *b);
struct cts_fact cts_fact_or(const struct cts_fact *a, const struct cts_fact *b);
struct cts_fact cts_fact_xor(const struct cts_fact *a, const struct cts_fact *b);
struct cts_fact cts_fact_mul(const struct cts_fact *a, const struct cts_fact *b);
/* Counts below 64, divisors that are not 0. */
struct cts_fact cts_fact_lsh(const struct cts_fact *a, unsigned n);
struct cts_fact cts_fact_rsh(const struct cts_fact *a, unsigned n);
struct cts_fact cts_fact_arsh(const struct cts_fact *a, unsigned n);
struct cts_fact cts_fact_div(const struct cts_fact *a, uint64_t n);
struct cts_fact cts_fact_mod(const struct cts_fact *a, uint64_t n);

#endif
