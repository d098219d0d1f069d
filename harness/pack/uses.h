/* What a program asks of its runtime, beyond plain instructions, as its code tells. */
#ifndef CTS_PACK_USES_H
#define CTS_PACK_USES_H

#include <stdint.h>

/* Features (enum cts_feature) that the code uses; little-endian encoding. That pointers are stored
 * or stack is read that was never written does not show. */
uint32_t cts_code_uses(const uint8_t *code, uint32_t slots);

#endif
