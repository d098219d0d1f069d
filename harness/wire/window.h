/* Memory of a worker that the harness can map: a window. */
#ifndef CTS_WIRE_WINDOW_H
#define CTS_WIRE_WINDOW_H

#include <stdint.h>

#include "base/err.h"

struct cts_window {
    uint8_t *data;
    uint32_t bytes;
    int fd; /* -1: it cannot be shared here */
};

/* Zeros at first. CTS_E_NOMEM. */
int cts_window_open(struct cts_window *w, uint32_t bytes, struct cts_err *err);
void cts_window_close(struct cts_window *w);

#endif
