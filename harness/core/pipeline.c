#include "core/pipeline.h"

#include "core/start.h"

enum { MAX_RESTARTS_IN_A_ROW = 3 };

int cts_pipeline_init(struct cts_pipeline *p, struct cts_session *session,
                      const struct cts_core_opts *opts, struct cts_err *err)
{
    *p = (struct cts_pipeline){
        .session = session,
        .opts = opts,
        .machine = {.caps = &session->caps, .shared = session->shared, .object = opts->object}};
    for (unsigned k = 0; k < 2; k++) {
        p->batch[k] = cts_batch_new(k, session->caps.window_bytes);
        if (!p->batch[k])
            return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    }
    return 0;
}

void cts_pipeline_release(struct cts_pipeline *p)
{
    for (unsigned k = 0; k < 2; k++)
        cts_batch_free(p->batch[k]);
    cts_retry_release(&p->retry);
}

struct cts_batch *cts_pipeline_current(struct cts_pipeline *p)
{
    return p->batch[p->current];
}

void cts_pipeline_count_timeout(struct cts_pipeline *p, bool timed_out)
{
    p->timeouts = timed_out ? p->timeouts + 1 : 0;
    p->gave_up = p->gave_up || p->timeouts >= CTS_GIVE_UP_AFTER;
}

static bool has_timed_out(const struct cts_answer *a)
{
    return (a->ops & CTS_STEP_LOAD && a->load.verdict == CTS_LOAD_TIMED_OUT) ||
           (a->ops & CTS_STEP_RUN && a->run.status == CTS_RUN_TIMED_OUT);
}

bool cts_pipeline_restart(struct cts_pipeline *p)
{
    struct cts_err err = {0};
    while (!p->broken) {
        cts_session_stop(p->session);
        if (cts_core_is_stopped(p->opts) || p->gave_up)
            break;
        if (p->session->gave_up.code) {
            p->why_broken = p->session->gave_up;
            break;
        }
        if (cts_session_start_with_retry(p->session, CTS_START_TIMEOUT_MS, &err) == 0) {
            p->failed_starts = 0;
            p->machine.shared = p->session->shared;
            return true;
        }
        if (++p->failed_starts < MAX_RESTARTS_IN_A_ROW) {
            cts_err_clear(&err);
            continue;
        }
        p->broken = true;
        p->why_broken = err;
    }
    if (p->gave_up)
        cts_err_set(&p->why_broken, CTS_E_TIMEOUT, "given up after %d timeouts in a row",
                    CTS_GIVE_UP_AFTER);
    if (p->why_broken.code == 0)
        cts_err_set(&p->why_broken, CTS_E_WORKER, "interrupted");
    p->broken = true;
    return false;
}

/* ---- there and back ---- */

static int request(struct cts_pipeline *p, struct cts_batch *b, struct cts_err *err)
{
    cts_batch_point(b);
    b->items_before = p->session->items_asked;
    int rc = cts_session_ask(p->session, b->item, b->programs, p->opts->timeout_ms, err);
    if (rc == 0)
        rc = cts_session_ask(p->session, NULL, 0, p->opts->timeout_ms, err);
    b->asked = rc == 0;
    return rc;
}

/* The answers to a batch, and to the empty request behind it: what a worker says beside its answers
 * comes between the two, and is held against this batch and no later one. */
static int receive(struct cts_pipeline *p, struct cts_batch *b, struct cts_err *err)
{
    int rc = cts_session_answer(p->session, b->answer, b->programs, p->opts->timeout_ms, err);
    for (uint32_t i = 0; rc == 0 && i < b->programs; i++)
        cts_pipeline_count_timeout(p, has_timed_out(&b->answer[i]));
    if (rc == 0)
        rc = cts_session_answer(p->session, NULL, 0, p->opts->timeout_ms, err);
    if (rc == CTS_E_TIMEOUT)
        cts_pipeline_count_timeout(p, true);
    if (rc == 0 && p->gave_up)
        cts_pipeline_restart(p); /* which it is not, any more */
    return rc;
}

struct cts_batch *cts_pipeline_begin_alone(struct cts_pipeline *p)
{
    p->current = 0;
    cts_batch_reset(p->batch[0]);
    return p->batch[0];
}

int cts_pipeline_exchange(struct cts_pipeline *p, struct cts_err *err)
{
    int rc = request(p, p->batch[0], err);
    if (rc == 0)
        rc = receive(p, p->batch[0], err);
    p->batch[0]->asked = false;
    if (rc != 0)
        cts_pipeline_restart(p);
    return rc;
}

int cts_pipeline_run(struct cts_pipeline *p, const struct cts_program *made, struct cts_err *err)
{
    struct cts_batch *b = cts_pipeline_begin_alone(p);
    int rc = cts_batch_add(&p->machine, b, made, err);
    return rc == 0 ? cts_pipeline_exchange(p, err) : rc;
}

/* ---- two halves ---- */

/* The program of the batch that the worker had begun last, if it is one of this batch; null
 * otherwise. */
static const struct cts_program *last_begun(const struct cts_pipeline *p, const struct cts_batch *b)
{
    uint64_t begun = cts_session_begun(p->session);
    if (!p->session->shared || !b->asked || begun <= b->items_before ||
        begun - b->items_before > b->programs)
        return NULL;
    return &b->program[begun - b->items_before - 1];
}

/* Everything that is under way. */
static struct cts_among under_way(const struct cts_pipeline *p)
{
    const uint32_t *from = NULL, *to = NULL;
    for (unsigned k = 0; k < 2; k++) {
        const struct cts_batch *b = p->batch[k];
        for (uint32_t i = 0; b->asked && i < b->programs; i++) {
            const struct cts_among *span = &b->program[i].span;
            if (!from || span->unit < from)
                from = span->unit;
            if (!to || span->unit + span->count > to)
                to = span->unit + span->count;
        }
    }
    return from < to ? (struct cts_among){from, (size_t)(to - from)} : (struct cts_among){NULL, 0};
}

/* The batches under way are lost: all their variants are tried again. Whatever ended the worker
 * must show again, or is flaky: the suspect is the program that was running, or the first there
 * was. */
static void lose_batches(struct cts_pipeline *p, const struct cts_err *err)
{
    const struct cts_program *culprit = NULL;
    for (unsigned k = 0; k < 2 && !culprit; k++)
        culprit = last_begun(p, p->batch[k]);
    struct cts_among among = culprit ? cts_program_among(culprit) : under_way(p);
    for (unsigned k = 1; k <= 2 && !culprit; k++)
        if (p->batch[(p->current + k) % 2]->asked)
            culprit = &p->batch[(p->current + k) % 2]->program[0];
    size_t mark = culprit ? cts_retry_begin_suspect(&p->retry, culprit, among, err) : 0;
    for (unsigned k = 0; k < 2; k++) {
        struct cts_batch *b = p->batch[k];
        for (uint32_t i = 0; b->asked && i < b->programs; i++)
            cts_retry_add_program(&p->retry, &b->program[i]);
        cts_batch_reset(b);
    }
    if (culprit)
        cts_retry_end_suspect(&p->retry, mark);
    cts_pipeline_restart(p);
}

static void retry_all(struct cts_pipeline *p, struct cts_batch *b)
{
    for (uint32_t i = 0; i < b->programs; i++)
        cts_retry_add_program(&p->retry, &b->program[i]);
    cts_batch_reset(b);
}

/* Takes the answers to a batch under way. */
static struct cts_batch *collect(struct cts_pipeline *p, struct cts_batch *b)
{
    struct cts_err err = {0};
    if (receive(p, b, &err) != 0) {
        lose_batches(p, &err);
        return NULL;
    }
    b->asked = false;
    if (!p->session->late)
        return b;
    /* One of them may have been too late, and which is not known: alone it is. */
    retry_all(p, b);
    return NULL;
}

struct cts_batch *cts_pipeline_send(struct cts_pipeline *p)
{
    struct cts_batch *b = cts_pipeline_current(p);
    struct cts_err err = {0};
    if (b->programs == 0)
        return NULL;
    if (p->broken) {
        retry_all(p, b);
        return NULL;
    }
    if (request(p, b, &err) != 0) {
        b->asked = true;
        lose_batches(p, &err);
        return NULL;
    }
    p->current = !p->current;
    b = cts_pipeline_current(p);
    return b->asked ? collect(p, b) : NULL;
}

struct cts_batch *cts_pipeline_take(struct cts_pipeline *p)
{
    for (unsigned k = 1; k <= 2; k++) {
        struct cts_batch *b = p->batch[(p->current + k) % 2];
        struct cts_batch *answered = b->asked ? collect(p, b) : NULL;
        if (answered)
            return answered;
    }
    return NULL;
}
