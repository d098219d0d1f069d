/* What programs are made for: a worker's capabilities and its window. */
#ifndef CTS_CORE_MACHINE_H
#define CTS_CORE_MACHINE_H

#include "core/core.h"
#include "core/variant.h"
#include "wire/wire.h"

enum {
    CTS_TRAVEL_BYTES = CTS_FRAME_MAX / 4, /* of entries, of which a frame may carry two copies */
};

struct cts_machine {
    const struct cts_caps *caps;
    bool shared;           /* the window's memory is the worker's, too */
    cts_object_fn *object; /* null: programs cannot be written as ELF objects */
};

/* Asked for each window entry, hence inline. */

/* Programs are loaded and never run: each is loaded once, whatever its operand tuples. */
static inline bool cts_machine_loads_only(const struct cts_machine *m)
{
    return m->caps->features & CTS_FEAT_VERDICT_ONLY;
}

/* Nothing but r0 comes out of a program, and whether it is accepted shows only when it is run: it
 * is sent with the result that is predicted. */
static inline bool cts_machine_predicts(const struct cts_machine *m)
{
    return m->caps->features & CTS_FEAT_GUESS;
}

/* Do entries, or predicted ones, travel in the frames? Then no more of the window is used than a
 * frame can hold, and each request carries all its entries there and back. */
static inline bool cts_machine_entries_travel(const struct cts_machine *m)
{
    return !m->shared || cts_machine_predicts(m);
}

/* The window's bytes that are used. */
static inline uint32_t cts_machine_window_bytes(const struct cts_machine *m)
{
    uint32_t bytes = m->caps->window_bytes;
    return cts_machine_entries_travel(m) && bytes > CTS_TRAVEL_BYTES ? CTS_TRAVEL_BYTES : bytes;
}

/* A batch's half of them. */
static inline uint32_t cts_machine_half_bytes(const struct cts_machine *m)
{
    return cts_machine_window_bytes(m) / 2 & ~(uint32_t)63;
}

/* What is left of a half whose first `used` bytes are taken. */
static inline uint32_t cts_machine_room(const struct cts_machine *m, uint32_t used)
{
    uint32_t half = cts_machine_half_bytes(m);
    return half > used ? half - used : 0;
}

static inline uint8_t *cts_machine_window_at(const struct cts_machine *m, uint32_t offset)
{
    return (uint8_t *)m->caps->window + offset;
}

#endif
