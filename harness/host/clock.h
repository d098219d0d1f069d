#ifndef CTS_HOST_CLOCK_H
#define CTS_HOST_CLOCK_H

#include <stdint.h>

/* Monotonic nanoseconds since an arbitrary start. */
uint64_t cts_clock_ns(void);

#endif
