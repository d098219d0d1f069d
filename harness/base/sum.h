/* A sum that tells damaged bytes from whole ones: fast (some 10 GB/s), and no proof against
 * somebody who changes them on purpose. Freestanding. */
#ifndef CTS_BASE_SUM_H
#define CTS_BASE_SUM_H

#include <stddef.h>
#include <stdint.h>

enum { CTS_SUM_BYTES = 32 };

/* Over `len` bytes and over `len`. The same on machines of both byte orders. */
void cts_sum(const void *data, size_t len, uint8_t sum[CTS_SUM_BYTES]);

#endif
