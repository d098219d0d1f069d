/* Memory that another process can map. */
#ifndef CTS_REFERENCE_WINDOW_H
#define CTS_REFERENCE_WINDOW_H

#include <stdint.h>

#include "base/err.h"

struct window {
    uint8_t *data; /* zeros at first */
    uint32_t bytes;
    int fd; /* -1: it cannot be shared here */
};

int window_open(struct window *w, uint32_t bytes, struct cts_err *err);
void window_close(struct window *w);

#endif
