/* One variant by itself in the worker: all at once where that may go well, a long one in pieces or
 * in a ring, else tuple by tuple, until what goes wrong has a name. Everything is reported to the
 * judge. Nothing else is under way. */
#ifndef CTS_CORE_ALONE_H
#define CTS_CORE_ALONE_H

#include "core/pipeline.h"

/* wrong: what was seen of one of its tuples among others; what is wrong now counts before it. */
void cts_alone_run(struct cts_pipeline *p, struct cts_judge *judge, struct cts_seg *seg,
                   const struct cts_wrong *wrong);
/* A sweep, in a ring, whatever its length. */
void cts_alone_run_long_sweep(struct cts_pipeline *p, struct cts_judge *judge, struct cts_seg *seg,
                              const struct cts_wrong *wrong);
/* Is the state of the platform, or the result, of one tuple lost in the next? */
bool cts_alone_is_single(const struct cts_machine *m, const struct cts_seg *seg);
/* Of a variant in pieces: not even one tuple fits. */
void cts_alone_report_too_large(const struct cts_machine *m, struct cts_judge *judge,
                                const struct cts_seg *seg);

#endif
