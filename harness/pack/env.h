/* Environments: the code around a body that loads its inputs from a row of the window and stores
 * the whole state back. One generator; what differs between runtimes is in struct cts_caps. */
#ifndef CTS_PACK_ENV_H
#define CTS_PACK_ENV_H

#include "base/err.h"
#include "host/buf.h"
#include "wire/worker.h"

struct cts_env_segment {
    const uint8_t *code; /* body, then subprograms; little-endian encoding */
    uint32_t slots, body_slots;
    struct cts_layout
        layout; /* region, rows and stride are the same for all segments of a program */
    /* A flag for each byte of the row's memory and of the stack that the program is to clear once
     * all is stored: it is nothing that counts. Null: none. */
    const uint8_t *mem_open, *stack_open;
};

/* Appends the program's bytes, in the runtime's byte order. Local calls of a body to its own
 * subprograms are moved along. CTS_E_LIMIT if the program is longer than the runtime takes. */
int cts_env_build(const struct cts_caps *caps, const struct cts_env_segment *seg, uint32_t n,
                  struct cts_buf *out, struct cts_err *err);

/* Where programs get the window's address as an argument, the environment keeps it in a slot of the
 * stack while a body runs: *slot is the one next to the body's spill slot that the body does not
 * touch (its distance from r10), 0 elsewhere. Its 8 bytes are the environment's: neither loaded nor
 * observed. CTS_E_LIMIT if the body may touch them all. */
int cts_env_keep(const struct cts_caps *caps, const struct cts_env_segment *seg, int32_t *slot,
                 struct cts_err *err);

/* The rows of the specification that every environment of this shape uses, for blame when its
 * self-test fails: fills ids, returns how many. */
uint32_t cts_env_rows(const struct cts_caps *caps, const struct cts_layout *layout, uint16_t *ids,
                      uint32_t cap);

#endif
