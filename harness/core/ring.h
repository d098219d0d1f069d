/* Long sweeps: more operand tuples than half a window takes, in a ring of entries. */
#ifndef CTS_CORE_RING_H
#define CTS_CORE_RING_H

#include "core/pipeline.h"

struct cts_ring_end {
    struct cts_wrong wrong; /* the first tuple that deviates in any way, if one does */
    struct cts_err died;    /* code not 0: how the first attempt ended the worker */
};

/* Runs the sweep; a worker that dies of it is asked once more. The judge is told of the tuples that
 * conform. 0, the session's error of the last attempt, or, before anything was asked, why the
 * program cannot be made (err; CTS_E_LIMIT if the window has not even room for the smallest ring,
 * and `died` is empty). */
int cts_ring_run(struct cts_pipeline *p, struct cts_judge *judge, struct cts_seg *seg,
                 struct cts_ring_end *end, struct cts_err *err);

#endif
