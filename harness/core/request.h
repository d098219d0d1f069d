/* What is asked of a worker about a variant: the parts of a load and of a run request that follow
 * from the variant alone. Whoever runs variants, through a worker or in its own process, asks here.
 */
#ifndef CTS_CORE_REQUEST_H
#define CTS_CORE_REQUEST_H

#include "wire/wire.h"
#include "core/variant.h"

/* What a load request points to. */
struct cts_request_objects {
    struct cts_map_def map[CTS_ITEM_MAPS];
    const char *name[CTS_ITEM_NAMES];
};

/* The least power of two that is not below n. */
uint32_t cts_request_power_above(uint32_t n);
/* Bytes from one window entry of this layout to the next. */
uint32_t cts_request_stride(const struct cts_layout *l);

/* layout: of each of the bodies in the program, the variant's being the first; null: it is a whole
 * program. The code stays to be filled in. `req` points into `objects` and to `layout`. */
struct cts_load_req cts_request_load(const struct cts_seg *seg, const struct cts_layout *layout,
                                     uint32_t bodies, struct cts_request_objects *objects);
/* whole: it was loaded as a whole program. A variant that repeats its body does so whatever
 * `iterations` says; no run has less than one. */
struct cts_run_req cts_request_run(const struct cts_seg *seg, bool whole, uint32_t iterations);

#endif
