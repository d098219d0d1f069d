/* What people are told of a failure. */
#ifndef CTS_CORE_DETAIL_H
#define CTS_CORE_DETAIL_H

#include "core/core.h"
#include "core/observation.h"
#include "core/variant.h"

/* What failed, and where. */
struct cts_subject {
    const struct cts_target *target;
    const uint8_t *select_case; /* of the run: one bool per case of the pack; null: all */
    struct cts_seg *seg;
    uint32_t tuple;
    const struct cts_obs *obs;
};

/* The first thing of a wrong result that is not as expected: "r3 = 0x0, expected 0x1". In the
 * arena. */
const char *cts_difference(struct cts_seg *seg, uint32_t r, const struct cts_obs *obs,
                           struct cts_arena *arena);
/* Code, states side by side, how to repeat it. In the arena. */
const char *cts_detail(const struct cts_subject *s, struct cts_arena *arena);

#endif
