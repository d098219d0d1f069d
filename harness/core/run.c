#include "core/core.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "core/exec.h"
#include "core/start.h"
#include "host/clock.h"

enum {
    BLOCK_UNITS = 256, /* units in a block of vectors, about */
};

struct run {
    struct cts_selection selection;
    struct cts_engines engines;
    struct cts_core_opts own_opts; /* the caller's, and `enough` */
    const struct cts_core_opts *opts;
    volatile int enough;
    const struct cts_sink *sink;
    struct cts_summary *summary;
    struct cts_block *blocks;
    size_t block_count, next_block, next_reported;
    uint64_t cases_done, cases_all;
    pthread_mutex_t lock;
    struct cts_arena arena;
    struct cts_err error; /* the first worker that could not be started or restarted */
};

/* ---- blocks ---- */

static int add_block(struct run *run, size_t *cap, size_t engine, uint32_t first, uint32_t end,
                     struct cts_err *err)
{
    if (run->block_count == *cap) {
        *cap = *cap ? *cap * 2 : 64;
        struct cts_block *bigger = realloc(run->blocks, *cap * sizeof(*bigger));
        if (!bigger)
            return cts_err_set(err, CTS_E_NOMEM, "out of memory");
        run->blocks = bigger;
    }
    cts_block_init(&run->blocks[run->block_count++], &run->engines.list[engine], &run->selection,
                   first, end);
    return 0;
}

static int make_blocks(struct run *run, struct cts_err *err)
{
    const struct cts_pack *p = run->selection.pack;
    size_t cap = 0;
    for (size_t e = 0; e < run->engines.count; e++) {
        uint32_t first = 0;
        uint64_t units = 0;
        if (!run->engines.list[e].up)
            continue;
        for (uint32_t v = 0; v < p->vector_count; v++) {
            units += p->vectors[v].units.count;
            if (units < BLOCK_UNITS && v + 1 < p->vector_count)
                continue;
            int rc = add_block(run, &cap, e, first, v + 1, err);
            if (rc != 0)
                return rc;
            first = v + 1;
            units = 0;
        }
        run->cases_all += run->summary->cases;
    }
    return 0;
}

/* ---- running a block ---- */

/* A thread's sessions: one per engine, started when needed. */
struct worker_thread {
    struct run *run;
    struct cts_session *session; /* array, one per engine */
    struct cts_exec **exec;
};

static struct cts_exec *exec_for(struct worker_thread *c, struct cts_run_engine *e,
                                 struct cts_err *err)
{
    size_t at = (size_t)(e - c->run->engines.list);
    struct cts_session *s = &c->session[at];
    if (c->exec[at])
        return c->exec[at];
    pthread_mutex_lock(&c->run->lock);
    bool lend = !e->first_lent;
    e->first_lent = true;
    pthread_mutex_unlock(&c->run->lock);
    if (lend)
        s = &e->first;
    else
        cts_session_expect(s, &e->caps);
    s->stop = c->run->opts->stop;
    if (!s->up && cts_session_start_with_retry(s, CTS_START_TIMEOUT_MS, err) != 0)
        return NULL;
    return c->exec[at] = cts_exec_new(s, c->run->opts, err);
}

static void note_error(struct run *run, const struct cts_err *err)
{
    pthread_mutex_lock(&run->lock);
    if (run->error.code == 0)
        run->error = *err;
    pthread_mutex_unlock(&run->lock);
}

/* An engine that was given up by one worker is not asked by the others either. */
static bool is_given_up(struct run *run, struct cts_run_engine *e, struct cts_err *err)
{
    pthread_mutex_lock(&run->lock);
    *err = e->gave_up;
    pthread_mutex_unlock(&run->lock);
    return err->code != 0;
}

static void note_given_up(struct run *run, struct cts_run_engine *e, const struct cts_err *err)
{
    pthread_mutex_lock(&run->lock);
    if (e->gave_up.code == 0)
        e->gave_up = *err;
    pthread_mutex_unlock(&run->lock);
}

static void run_units(struct worker_thread *c, struct cts_block *b, struct cts_judge *j,
                      const uint32_t *units, size_t n)
{
    struct cts_run_engine *e = b->engine;
    struct cts_err err = {0};
    struct cts_exec *x = n && !is_given_up(c->run, e, &err) ? exec_for(c, e, &err) : NULL;
    if (x)
        cts_exec_units(x, j, units, n, &err);
    else if (n)
        cts_block_fail(j, units, n, &err);
    if (err.code == CTS_E_TIMEOUT || err.code == CTS_E_BUSY)
        note_given_up(c->run, e, &err);
    if (err.code)
        note_error(c->run, &err);
}

static void run_block(struct worker_thread *c, struct cts_block *b)
{
    struct run *run = c->run;
    uint32_t all = 0;
    uint64_t start = cts_clock_ns();
    for (uint32_t v = 0; v < b->vectors.count; v++)
        all += run->selection.pack->vectors[b->vectors.first + v].units.count;
    uint32_t *units = malloc((all ? all : 1) * sizeof(*units));
    b->tracks =
        cts_arena_take_array(&b->arena, b->case_count ? b->case_count : 1, sizeof(*b->tracks));
    struct cts_judge j = cts_block_judge(b, run->opts->every_variant);
    if (units && b->tracks && cts_judge_expect(&j) == 0) {
        size_t n = cts_block_units(b, &j, units);
        run_units(c, b, &j, units, n);
        cts_judge_count(&j);
    } else {
        struct cts_err err = {0};
        cts_err_set(&err, CTS_E_NOMEM, "out of memory");
        note_error(run, &err);
    }
    free(units);
    b->ns = cts_clock_ns() - start;
}

/* ---- reporting ---- */

static void report_case(struct run *run, struct cts_block *b, uint32_t vector, uint32_t test_case)
{
    const struct cts_result r = cts_block_result(b, vector, test_case);
    cts_summary_add(run->summary, &r);
    if (run->sink->result)
        run->sink->result(run->sink->arg, &r);
}

static bool is_enough(const struct run *run)
{
    const struct cts_summary *s = run->summary;
    return run->opts->max_fails &&
           cts_summary_failed(s) - s->engines_broken >= run->opts->max_fails;
}

static void report_or_leave(struct run *run, struct cts_block *b, uint32_t vector,
                            uint32_t test_case)
{
    if (b->cut || is_enough(run))
        run->summary->not_run++;
    else
        report_case(run, b, vector, test_case);
    run->enough = is_enough(run);
}

static void report_block(struct run *run, struct cts_block *b)
{
    for (uint32_t v = b->vectors.first; v < b->vectors.first + b->vectors.count; v++) {
        struct cts_pk_range cases = run->selection.pack->vectors[v].cases;
        for (uint32_t i = 0; cts_selection_has_vector(&run->selection, v) && i < cases.count; i++) {
            if (!cts_selection_has_case(&run->selection, cases.first + i))
                continue;
            run->cases_done++;
            report_or_leave(run, b, v, cases.first + i);
        }
    }
    if (run->sink->progress)
        run->sink->progress(run->sink->arg, run->cases_done, run->cases_all);
}

/* Reports all blocks that are next in order and done. Called with the lock held. */
static void report_ready(struct run *run)
{
    while (run->next_reported < run->block_count && run->blocks[run->next_reported].done)
        report_block(run, &run->blocks[run->next_reported++]);
}

static void *thread_main(void *arg)
{
    struct worker_thread *c = arg;
    struct run *run = c->run;
    for (;;) {
        pthread_mutex_lock(&run->lock);
        size_t i = run->next_block < run->block_count ? run->next_block++ : SIZE_MAX;
        pthread_mutex_unlock(&run->lock);
        if (i == SIZE_MAX)
            return NULL;
        if (!cts_core_is_stopped(run->opts))
            run_block(c, &run->blocks[i]);
        pthread_mutex_lock(&run->lock);
        /* What failed after a signal may have failed of it. */
        run->blocks[i].cut = cts_core_is_interrupted(run->opts);
        run->blocks[i].done = true;
        report_ready(run);
        pthread_mutex_unlock(&run->lock);
    }
}

static int thread_init(struct worker_thread *c, struct run *run, struct cts_err *err)
{
    size_t n = run->engines.count ? run->engines.count : 1;
    c->run = run;
    c->session = calloc(n, sizeof(*c->session));
    c->exec = calloc(n, sizeof(struct cts_exec *));
    for (size_t i = 0; c->session && i < run->engines.count; i++)
        cts_session_init(&c->session[i], run->engines.list[i].target->argv,
                         run->engines.list[i].target->engine);
    return c->session && c->exec ? 0 : cts_err_set(err, CTS_E_NOMEM, "out of memory");
}

static void thread_release(struct worker_thread *c)
{
    for (size_t i = 0; c->run && i < c->run->engines.count; i++) {
        if (c->exec)
            cts_exec_free(c->exec[i]);
        if (c->session)
            cts_session_release(&c->session[i]);
    }
    free(c->session);
    free(c->exec);
}

static int run_threads(struct run *run, unsigned jobs, struct cts_err *err)
{
    struct worker_thread *own = calloc(jobs, sizeof(*own));
    pthread_t *thread = calloc(jobs, sizeof(*thread));
    unsigned started = 1;
    int rc = own && thread ? 0 : cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (unsigned i = 0; rc == 0 && i < jobs; i++)
        rc = thread_init(&own[i], run, err);
    while (rc == 0 && started < jobs &&
           pthread_create(&thread[started], NULL, thread_main, &own[started]) == 0)
        started++;
    if (rc == 0)
        thread_main(&own[0]);
    for (unsigned i = 1; rc == 0 && i < started; i++)
        pthread_join(thread[i], NULL);
    for (unsigned i = 0; own && i < jobs; i++)
        thread_release(&own[i]);
    free(own);
    free(thread);
    return rc;
}

static void report_engines(struct run *run)
{
    for (size_t i = 0; run->sink->engine && i < run->engines.count && run->engines.list[i].asked;
         i++)
        run->sink->engine(run->sink->arg, &run->engines.list[i].info);
}

static void release(struct run *run)
{
    cts_engines_release(&run->engines);
    for (size_t i = 0; i < run->block_count; i++)
        cts_arena_release(&run->blocks[i].arena);
    free(run->blocks);
    cts_selection_release(&run->selection);
    cts_arena_release(&run->arena);
    pthread_mutex_destroy(&run->lock);
}

/* All engines are up or known not to be, and it is known what of which pack is run. */
static int prepare(struct run *run, const struct cts_target *targets, size_t n, struct cts_err *err)
{
    run->engines =
        (struct cts_engines){.selection = &run->selection, .opts = run->opts, .arena = &run->arena};
    int rc = cts_engines_start(&run->engines, targets, n, err);
    if (rc == 0)
        rc = cts_engines_select_wrong_basis(&run->engines, err);
    if (rc != 0)
        return rc;
    run->error = run->engines.error;
    cts_selection_count(&run->selection, run->summary);
    cts_engines_count(&run->engines, run->summary);
    return 0;
}

int cts_core_run(const struct cts_pack *pack, const struct cts_target *targets, size_t n,
                 const struct cts_core_opts *opts, const struct cts_sink *sink,
                 struct cts_summary *summary, struct cts_err *err)
{
    uint64_t start = cts_clock_ns();
    struct run run = {.own_opts = *opts, .sink = sink, .summary = summary};
    run.own_opts.enough = &run.enough;
    run.opts = &run.own_opts;
    pthread_mutex_init(&run.lock, NULL);
    cts_arena_init(&run.arena, 0);
    int rc = cts_selection_init(&run.selection, pack, opts, err);
    if (rc == 0)
        rc = prepare(&run, targets, n, err);
    if (rc == 0)
        report_engines(&run);
    if (rc == 0)
        rc = make_blocks(&run, err);
    if (rc == 0)
        rc = run_threads(&run, opts->jobs ? opts->jobs : 1, err);
    summary->ns = cts_clock_ns() - start;
    if (summary->not_run)
        summary->end = cts_core_is_interrupted(run.opts) ? CTS_END_INTERRUPTED : CTS_END_MAX_FAILS;
    if (rc == 0 && sink->end)
        sink->end(sink->arg, summary);
    if (rc == 0 && run.error.code) {
        if (err)
            *err = run.error;
        rc = run.error.code;
    }
    release(&run);
    return rc;
}
