/* Operand tuples of a variant: which states one may end in, and which bytes of it are observed. */
#ifndef CTS_CORE_TUPLE_H
#define CTS_CORE_TUPLE_H

#include "core/variant.h"

/* Bytes an entry's expected state takes beside the window (0 unless swept). */
size_t cts_seg_expect_bytes(const struct cts_seg *s);

/* The case that operand tuple r belongs to. */
uint32_t cts_seg_case(const struct cts_seg *s, uint32_t r);

/* The kinds of outcome that conform for tuple r: a bit per enum cts_outcome_kind. */
unsigned cts_seg_kinds(const struct cts_seg *s, uint32_t r);

/* May an outcome other than a rejection at load conform, for some tuple? If not, there is no need
 * to run the program. */
bool cts_seg_may_run(const struct cts_seg *s);

/* The first state that conforms for tuple r, which is not a sweep's; null if there is none. */
const struct cts_pk_state *cts_seg_first_state(const struct cts_seg *s, uint32_t r);
/* What output register i holds before the run, where it may end in `out` (null: nobody knows):
 * never what is expected. */
uint64_t cts_seg_before(const struct cts_pk_state *out, unsigned i);
/* The registers of tuple r of which not just anything may come out, a bit each. */
uint16_t cts_seg_compared(const struct cts_seg *s, uint32_t r);

/* Flags of the bytes of its memory and stack of which anything may come out, if it may end in one
 * state only; null: none. */
void cts_seg_open_bytes(const struct cts_seg *s, uint32_t r, const uint8_t **mem,
                        const uint8_t **stack);

/* May one of the tuples end in more than one state that conforms, by `any` or by several outcomes?
 * A prediction says nothing of it then. */
bool cts_seg_is_open(const struct cts_seg *s);

/* The bytes of the stack that are observed: the next span of them, from *at on, in bytes above its
 * lowest; false if there is none left. */
bool cts_seg_stack_span(const struct cts_seg *s, size_t *at, size_t *end);

#endif
