/* The few calls of the operating system that a worker needs. */
#ifndef CTS_WIRE_WORKER_IO_H
#define CTS_WIRE_WORKER_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cts_worker_io {
    int in, out; /* private descriptors, not handed on to child processes */
};

/* Takes stdin and stdout for the frames: from then on the process's own stdin is empty and its
 * stdout goes to stderr, so that nothing else can read or write between the frames. */
bool cts_worker_io_open(struct cts_worker_io *io);
/* At least one byte if cap is not 0; 0: end of input; negative: failed. */
long cts_worker_io_read(const struct cts_worker_io *io, void *data, size_t cap);
/* A clock that never goes back. */
uint64_t cts_worker_io_ms(void);
/* All of it. */
bool cts_worker_io_write(const struct cts_worker_io *io, const void *data, size_t len);

#endif
