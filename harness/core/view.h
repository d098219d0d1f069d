/* What was expected, for people. */
#ifndef CTS_CORE_VIEW_H
#define CTS_CORE_VIEW_H

#include "core/variant.h"

/* What was expected of tuple r, for people: the first conforming state. Registers are absolute
 * (addresses are those of this run). False if no outcome of kind RAN exists. */
struct cts_seg_view {
    uint64_t in[10], r[10];
    uint16_t any;
    const uint8_t *mem_in, *mem, *mem_any;       /* null: none */
    const uint8_t *stack_in, *stack, *stack_any; /* null: none */
};
bool cts_seg_expected(struct cts_seg *s, uint32_t r, const uint8_t *entry, const uint8_t *expect,
                      struct cts_arena *arena, struct cts_seg_view *view);

#endif
