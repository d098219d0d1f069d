/* Consecutive vectors run by one thread on one engine: which of their units are run, and what each
 * test case came to. */
#ifndef CTS_CORE_BLOCK_H
#define CTS_CORE_BLOCK_H

#include "core/engines.h"

struct cts_block {
    struct cts_run_engine *engine;
    const struct cts_selection *selection;
    struct cts_pk_range vectors;
    uint32_t first_case, case_count;
    struct cts_track *tracks; /* until reported */
    struct cts_arena arena;
    uint64_t ns;
    bool done;
    bool cut; /* the run was interrupted before its end: none of it is reported */
};

/* Of vectors [first, end). The arena is to be released. */
void cts_block_init(struct cts_block *b, struct cts_run_engine *engine,
                    const struct cts_selection *selection, uint32_t first, uint32_t end);
/* The judge of its test cases, whose tracks are there. */
struct cts_judge cts_block_judge(struct cts_block *b, bool every_variant);
/* The units that are run, as many as the block's vectors have at most; how many there are. The
 * judge is told of everything that is not. */
size_t cts_block_units(struct cts_block *b, struct cts_judge *j, uint32_t *units);
/* The units cannot be run. */
void cts_block_fail(struct cts_judge *j, const uint32_t *units, size_t n,
                    const struct cts_err *err);
/* What a test case of it came to. Texts are the block's. */
struct cts_result cts_block_result(struct cts_block *b, uint32_t vector, uint32_t test_case);

#endif
