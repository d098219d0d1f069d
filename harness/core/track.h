/* What is known of a case on one engine while its units are judged. */
#ifndef CTS_CORE_TRACK_H
#define CTS_CORE_TRACK_H

#include "core/core.h"

/* What became of a case in one of its vector's units. */
struct cts_variant {
    bool seen;
    enum cts_status status;
    enum cts_failure failure;
};

struct cts_track {
    bool seen;      /* at least one of its operand tuples was judged */
    bool not_asked; /* a skip that nothing changes, though its tuples may run beside others */
    enum cts_status status;
    enum cts_failure failure;
    enum cts_skip skip;
    uint32_t unit; /* where it failed, or was skipped: the lowest */
    uint64_t operand_tuples;
    const char *label, *message, *detail;
    /* Filled in by core/expected.h: */
    const struct cts_known **known;  /* entries that name the case, ended by null; null: none */
    const struct cts_known *by;      /* the one that the status is expected by, or against */
    struct cts_variant *variants;    /* one per unit of its vector; null: nobody asks */
    struct cts_variant_result *told; /* of those, what was seen */
    size_t told_count;
};

/* Did it fail, expected or not? */
bool cts_track_failed(const struct cts_track *t);
/* Which of two statuses prevails where variants of a case differ: the one of more weight. */
unsigned cts_status_weight(enum cts_status s);
/* Makes it this status of this unit, with nothing told of it yet, if that prevails over what it is
 * so far; false if not. */
bool cts_track_set(struct cts_track *t, enum cts_status status, uint32_t unit);

#endif
