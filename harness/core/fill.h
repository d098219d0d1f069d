/* Writing operand tuples into window entries. */
#ifndef CTS_CORE_FILL_H
#define CTS_CORE_FILL_H

#include "core/state.h"
#include "core/variant.h"

/* Writes the inputs of operand tuple `r` to `entry` and fills its outputs with what must not come
 * out, so that an entry nobody wrote never passes. `expect` receives a sweep's expected state. */
void cts_seg_fill(struct cts_seg *s, uint32_t r, uint8_t *entry, uint8_t *expect);

/* The same where `entry` and `expect` already hold an earlier entry of this sweep, which was run:
 * writes what differs. */
void cts_seg_refill(struct cts_seg *s, uint32_t r, uint8_t *entry, uint8_t *expect);

/* Turns an entry as cts_seg_fill left it into what it is if the first outcome that conforms comes
 * out; nothing changes if that is not known (it is none of kind RAN). stored: the registers
 * that the program stores, a bit each; cleared: it clears what cts_seg_open_bytes says. */
void cts_seg_predict(struct cts_seg *s, uint32_t r, const uint8_t *expect, uint16_t stored,
                     bool cleared, uint8_t *entry);

/* The values of a sweep's operands in tuple r: the last operand changes fastest. */
void cts_seg_operands(struct cts_seg *s, uint32_t r, uint64_t value[CTS_SEG_OPERANDS]);

#endif
