/* An answered program at first sight: what is plainly right, or a plain rejection, is reported to
 * the judge; everything else goes on the list of what is to be tried again alone. */
#ifndef CTS_CORE_REVIEW_H
#define CTS_CORE_REVIEW_H

#include "core/pipeline.h"

/* All programs of a batch that is answered. */
void cts_review_batch(struct cts_pipeline *p, struct cts_judge *judge, const struct cts_batch *b);
/* Entries of body s of a program that ran to its end: if all conform, the judge is told and it is
 * UINT32_MAX, else as cts_observe_entries. */
uint32_t cts_review_entries(const struct cts_pipeline *p, struct cts_judge *judge,
                            const struct cts_program *prog, uint32_t s, struct cts_wrong *wrong);

#endif
