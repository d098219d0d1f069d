/* Comparing what came out in a window entry with what may. */
#ifndef CTS_CORE_MATCH_H
#define CTS_CORE_MATCH_H

#include "core/state.h"
#include "core/variant.h"

/* Did the entry end in a state that conforms? Only outcomes of kind RAN count. */
bool cts_seg_match(struct cts_seg *s, uint32_t r, const uint8_t *entry, const uint8_t *expect);

/* Is the entry's output as cts_seg_fill left it: was the end of the body never reached? */
bool cts_seg_untouched(const struct cts_seg *s, uint32_t r, const uint8_t *entry,
                       const uint8_t *expect);

/* What is expected of register i of a sweep. One that still holds the address it was given is
 * compared as an address. */
uint64_t cts_seg_swept_register(const struct cts_seg *s, unsigned i, const uint8_t *entry,
                                const uint8_t *expect);

#endif
