/* A worker with a fault of one's choice, for tests of what the harness does about it.
 *
 * Faults are of three kinds: adapters that are the reference but for one twist, streams that are
 * mangled between the worker and the harness, and starts that go wrong. Most faults wait for a
 * program with the mark, `mov64 rX, 0xdead`, and are right otherwise. */
#ifndef CTS_TESTS_FAKE_H
#define CTS_TESTS_FAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/wire.h"
#include "wire/worker.h"

enum {
    FAKE_MARK = 0xdead,
    /* What the adapter reports as native_bytes of a marked program, so that the mangler knows the
       answer when it passes. */
    FAKE_MARK_BYTES = 0xdeadbeef & 0x7fffffff,
};

struct fake_adapter {
    const char *name, *what;
    const struct cts_adapter *adapter;
};
/* Ended by a null name. */
extern const struct fake_adapter fake_adapters[];

/* An answer on its way: header and payload. */
struct fake_frame {
    struct cts_frame head;
    uint8_t *bytes; /* CTS_FRAME_HEADER + head.bytes, and room for as many again and 64 more */
    bool marked;    /* it answers a marked program */
};

struct fake_stream {
    const char *name, *what;
    /* Passes the frame on in its own way, on `out`. False: there shall be nothing more. */
    bool (*pass)(struct fake_frame *f, int out);
    const char *adapter; /* whose answers they are; null: the right one's */
};
extern const struct fake_stream fake_streams[];

/* Writes all of it, or ends the process. */
void fake_write(int fd, const void *data, size_t len);
/* Puts a second process between this one's stdout and the real one, through which `stream` passes
 * the answers. */
void fake_mangle(const struct fake_stream *stream);

#endif
