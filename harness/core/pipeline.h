/* Batches on their way through a worker: while it runs one, the next is filled, each in its half of
 * the window. Whatever becomes of the worker, a batch comes back answered, or all its variants are
 * on the list of what is to be tried again.
 *
 *   1. cts_pipeline_init, once the session is up;
 *   2. fill the batch that cts_pipeline_current gives;
 *   3. cts_pipeline_send it: what comes back is the one sent before, if there was one, answered;
 *   4. look at the answers, then cts_batch_reset it: it is the current one now;
 *   5. 2 to 4 as often as there is something, then cts_pipeline_take until it gives null;
 *   6. with nothing under way: cts_pipeline_run for a program alone. */
#ifndef CTS_CORE_PIPELINE_H
#define CTS_CORE_PIPELINE_H

#include "core/batch.h"
#include "core/retry.h"
#include "core/session.h"

struct cts_pipeline {
    struct cts_session *session;
    const struct cts_core_opts *opts;
    struct cts_machine machine;
    struct cts_retry retry;
    struct cts_batch *batch[2];
    unsigned current;
    unsigned failed_starts;
    unsigned timeouts; /* in a row */
    bool gave_up;      /* there were too many of them */
    bool broken;       /* the worker cannot be started any more */
    struct cts_err why_broken;
};

/* `session` is up. Both stay the caller's and outlive the pipeline. Released in any case. */
int cts_pipeline_init(struct cts_pipeline *p, struct cts_session *session,
                      const struct cts_core_opts *opts, struct cts_err *err);
void cts_pipeline_release(struct cts_pipeline *p);

struct cts_batch *cts_pipeline_current(struct cts_pipeline *p);
/* Sends the current batch, if there is anything in it, and turns to the other one, which comes back
 * answered; null: it was empty, or lost. */
struct cts_batch *cts_pipeline_send(struct cts_pipeline *p);
/* The next batch under way, answered; null: there is none left. To be reset before the next call.
 */
struct cts_batch *cts_pipeline_take(struct cts_pipeline *p);

/* With nothing under way. */

/* The first batch, empty. */
struct cts_batch *cts_pipeline_begin_alone(struct cts_pipeline *p);
/* The first batch as it is, there and back. 0 with its answers in it, or the session's error after
 * a restart. */
int cts_pipeline_exchange(struct cts_pipeline *p, struct cts_err *err);
/* One program, alone in the worker. 0 with the answer in the first batch, or why there is none. */
int cts_pipeline_run(struct cts_pipeline *p, const struct cts_program *made, struct cts_err *err);

/* Was there a time-out? Too many of them in a row, and the engine is given up: it is not started
 * again. */
void cts_pipeline_count_timeout(struct cts_pipeline *p, bool timed_out);
/* False: the worker cannot be started any more. */
bool cts_pipeline_restart(struct cts_pipeline *p);

#endif
