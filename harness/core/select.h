/* What of a pack is run: vectors, test cases, and the units that hold them. */
#ifndef CTS_CORE_SELECT_H
#define CTS_CORE_SELECT_H

#include "core/core.h"

struct cts_selection {
    const struct cts_pack *pack;
    enum cts_level level;              /* units above it are left out */
    const uint8_t *vector, *test_case; /* bools, as in cts_core_opts; null: all */
    uint8_t *unit;                     /* one bool per unit of the pack */
    uint8_t *own_vector, *own_case;    /* once more than the caller's is selected */
};

/* The caller's, which stays the caller's. Released in any case. */
int cts_selection_init(struct cts_selection *s, const struct cts_pack *pack,
                       const struct cts_core_opts *opts, struct cts_err *err);
void cts_selection_release(struct cts_selection *s);

static inline bool cts_selection_has_vector(const struct cts_selection *s, uint32_t v)
{
    return !s->vector || s->vector[v];
}

static inline bool cts_selection_has_case(const struct cts_selection *s, uint32_t c)
{
    return !s->test_case || s->test_case[c];
}

/* Fills in the summary's vectors and cases. */
void cts_selection_count(const struct cts_selection *s, struct cts_summary *summary);
/* Another pack in place of this one. False without memory: it stays. */
bool cts_selection_widen(struct cts_selection *s, const struct cts_wider *wider);
/* One more case; then, once for all of them, the units that hold what is selected. */
int cts_selection_add(struct cts_selection *s, uint32_t vector, uint32_t test_case,
                      struct cts_err *err);
void cts_selection_find_units(struct cts_selection *s);

#endif
