/* What a program asks of its runtime, beyond plain instructions, as its code tells. */
#ifndef CTS_PACK_USES_H
#define CTS_PACK_USES_H

#include <stdbool.h>
#include <stdint.h>

/* Features (enum cts_feature) that the code uses; little-endian encoding. That pointers are stored
 * or stack is read that was never written does not show. */
uint32_t cts_code_uses(const uint8_t *code, uint32_t slots);

/* Does it call a helper that no feature stands for? *id: the first one's number. */
bool cts_code_strange_helper(const uint8_t *code, uint32_t slots, int32_t *id);

#endif
