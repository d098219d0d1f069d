#include "core/core.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "core/asked.h"
#include "core/basis.h"
#include "core/exec.h"
#include "core/expected.h"
#include "core/start.h"
#include "host/clock.h"

enum {
    BLOCK_UNITS = 256, /* units in a block of vectors, about */
};

/* Consecutive vectors run by one thread on one engine. */
struct block {
    uint32_t target;
    struct cts_pk_range vectors;
    uint32_t first_case, case_count;
    struct cts_track *tracks; /* until told */
    struct cts_arena arena;
    uint64_t ns;
    bool done;
    bool cut; /* the run was interrupted before its end: none of it is told */
};

struct engine {
    const struct cts_target *target;
    struct cts_session first; /* started before the threads; lent to whoever comes first */
    bool first_lent, up;
    bool asked;           /* it was started, or it was tried, before the run was interrupted */
    struct cts_caps caps; /* copies of what the first session said */
    struct cts_engine_info info;
    const char *env_broken; /* why no window program can be judged; null: it can */
    struct cts_basis basis; /* then: what its environment is made of, one by one */
    struct cts_err gave_up; /* filled in once it has timed out too often in a row */
};

struct run {
    const struct cts_pack *pack;
    struct cts_core_opts own_opts; /* the caller's, and `enough` */
    const struct cts_core_opts *opts;
    volatile int enough;
    const struct cts_sink *sink;
    struct cts_summary *summary;
    struct engine *engines;
    size_t engine_count;
    struct block *blocks;
    size_t block_count, next_block, next_told;
    uint8_t *unit_selected;
    uint8_t *own_select, *own_case; /* once more than the caller's is selected */
    uint64_t cases_done, cases_all;
    pthread_mutex_t lock;
    struct cts_arena arena;
    struct cts_err trouble; /* the first worker that could not be started or restarted */
};

static bool vector_selected(const struct run *run, uint32_t v)
{
    return !run->opts->select || run->opts->select[v];
}

static bool case_selected(const struct run *run, uint32_t c)
{
    return !run->opts->select_case || run->opts->select_case[c];
}

static bool interrupted(const struct run *run)
{
    return run->opts->stop && *run->opts->stop;
}

/* ---- selection ---- */

/* Is one of the unit's cases selected? */
static bool unit_wanted(const struct run *run, const struct cts_pk_unit *u)
{
    const struct cts_pack *p = run->pack;
    if (u->level > run->opts->level)
        return false;
    if (u->sweep != UINT32_MAX)
        return case_selected(run, p->sweeps[u->sweep].kase);
    for (uint32_t i = 0; i < u->rows.count; i++)
        if (case_selected(run, p->rows[u->rows.first + i].kase))
            return true;
    return false;
}

static void select_units(struct run *run)
{
    for (uint32_t v = 0; v < run->pack->vector_count; v++) {
        struct cts_pk_range units = run->pack->vectors[v].units;
        for (uint32_t i = 0; vector_selected(run, v) && i < units.count; i++)
            run->unit_selected[units.first + i] =
                unit_wanted(run, &run->pack->units[units.first + i]);
    }
}

static void count_selection(struct run *run)
{
    run->summary->vectors = run->summary->cases = 0;
    for (uint32_t v = 0; v < run->pack->vector_count; v++) {
        struct cts_pk_range cases = run->pack->vectors[v].cases;
        uint64_t wanted = 0;
        for (uint32_t i = 0; vector_selected(run, v) && i < cases.count; i++)
            wanted += case_selected(run, cases.first + i);
        run->summary->vectors += wanted != 0;
        run->summary->cases += wanted;
    }
}

/* ---- engines ---- */

static void start_engine(struct run *run, struct engine *e)
{
    const struct cts_target *t = e->target;
    struct cts_err err = {0};
    e->first.stop = run->opts->stop;
    int rc = cts_engine_start(&e->first, t, &run->arena, &e->info, &err);
    e->asked = !interrupted(run);
    e->up = e->asked && rc == 0;
    if (e->up)
        e->caps = e->first.caps;
    if (e->asked && e->info.state == CTS_EN_BROKEN && run->trouble.code == 0)
        run->trouble = err;
}

static const char *case_reason(const struct cts_pack *p, const struct engine *e,
                               const struct cts_pk_vector *v, const struct cts_pk_case *c,
                               char *text, size_t cap)
{
    return cts_why_not_asked(p, e->target, &e->caps, v, c, text, cap);
}

/* Which instruction of the environment is it that fails? made_of: see cts_basis_name. */
static void try_basis(struct run *run, struct engine *e, const uint8_t *made_of)
{
    const struct cts_pack *p = run->pack;
    struct cts_err err = {0};
    char text[128];
    struct cts_exec *x = NULL;
    if (e->first.up || cts_session_start_with_retry(&e->first, CTS_START_TIMEOUT_MS, &err) == 0)
        x = cts_exec_new(&e->first, run->opts, &err);
    for (uint32_t v = 0; x && v < p->vector_count; v++) {
        const struct cts_pk_vector *vec = &p->vectors[v];
        if (cts_basis_is(p, vec) &&
            !case_reason(p, e, vec, &p->cases[vec->cases.first], text, sizeof(text)))
            cts_basis_try(&e->basis, x, e->target, &e->caps, p, v, &run->arena);
    }
    cts_exec_free(x);
    cts_basis_name(&e->basis, made_of);
}

/* Of vectors that do not come from the suite: gets those that are about the environment. */
static void get_basis(struct run *run)
{
    struct cts_wider wide;
    bool (*widen)(void *arg, struct cts_wider *out) = run->opts->widen;
    for (uint32_t v = 0; v < run->pack->vector_count; v++)
        if (cts_basis_is(run->pack, &run->pack->vectors[v]))
            return;
    run->own_opts.widen = NULL;
    if (!widen || !widen(run->opts->widen_arg, &wide))
        return;
    uint8_t *units = calloc(wide.pack->unit_count + 1u, 1);
    if (!units)
        return;
    free(run->unit_selected);
    run->unit_selected = units;
    run->pack = wide.pack;
    run->own_opts.select = wide.select;
    run->own_opts.select_case = wide.select_case;
    select_units(run);
    count_selection(run);
}

static void self_test(struct run *run, struct engine *e)
{
    struct cts_err err = {0};
    struct cts_exec *x = e->up ? cts_exec_new(&e->first, run->opts, &err) : NULL;
    if (!x)
        return;
    uint8_t made_of[CTS_INSN_COUNT] = {0};
    cts_exec_self_test(x, run->pack, run->unit_selected, &run->arena, &e->env_broken, made_of,
                       &err);
    cts_exec_free(x);
    if (!e->env_broken || interrupted(run))
        return;
    get_basis(run);
    try_basis(run, e, e->caps.features & CTS_FEAT_GUESS ? NULL : made_of);
}

/* The first engine of its runtime among those to run. */
static bool is_first_of_runtime(const struct run *run, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(run->engines[k].info.runtime, run->engines[i].info.runtime) == 0)
            return false;
    return true;
}

static bool any_is_up(const struct run *run, const char *runtime)
{
    for (size_t i = 0; i < run->engine_count; i++)
        if (run->engines[i].up && strcmp(run->engines[i].info.runtime, runtime) == 0)
            return true;
    return false;
}

static void count_engines(struct run *run)
{
    struct cts_summary *s = run->summary;
    for (size_t i = 0; i < run->engine_count; i++) {
        const struct engine *e = &run->engines[i];
        if (!e->asked) {
            s->not_run += s->cases;
            continue;
        }
        s->engines_run += e->up;
        s->engines_skipped += e->info.state == CTS_EN_SKIPPED;
        s->engines_broken += e->info.state == CTS_EN_BROKEN;
        s->count[CTS_ST_ERROR] += e->info.state == CTS_EN_BROKEN;
        if (!is_first_of_runtime(run, i))
            continue;
        bool up = any_is_up(run, e->info.runtime);
        s->runtimes_run += up;
        s->runtimes_skipped += !up;
    }
}

static int start_engines(struct run *run, const struct cts_target *targets, size_t n,
                         struct cts_err *err)
{
    run->engines = calloc(n ? n : 1, sizeof(*run->engines));
    if (!run->engines)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    run->engine_count = n;
    for (size_t i = 0; i < n; i++) {
        run->engines[i].target = &targets[i];
        cts_session_init(&run->engines[i].first, targets[i].argv, targets[i].engine);
    }
    for (size_t i = 0; i < n && !interrupted(run); i++) {
        start_engine(run, &run->engines[i]);
        self_test(run, &run->engines[i]);
    }
    return 0;
}

/* Copies of the caller's selection, to add to. */
static int own_selection(struct run *run, struct cts_err *err)
{
    const struct cts_pack *p = run->pack;
    if (run->own_select)
        return 0;
    run->own_select = malloc(p->vector_count + 1u);
    run->own_case = malloc(p->case_count + 1u);
    if (!run->own_select || !run->own_case)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (uint32_t c = 0; c < p->case_count; c++)
        run->own_case[c] = case_selected(run, c);
    for (uint32_t v = 0; v < p->vector_count; v++) {
        run->own_select[v] = vector_selected(run, v);
        for (uint32_t i = 0; !run->own_select[v] && i < p->vectors[v].cases.count; i++)
            run->own_case[p->vectors[v].cases.first + i] = 0;
    }
    run->own_opts.select = run->own_select;
    run->own_opts.select_case = run->own_case;
    return 0;
}

/* The case that says why nothing else could be tested is told in any case, whatever was selected.
 */
static int select_wrong_basis(struct run *run, struct cts_err *err)
{
    const struct cts_pack *p = run->pack;
    int rc = 0;
    for (size_t i = 0; i < run->engine_count; i++) {
        const struct cts_track *t = run->engines[i].basis.tracks;
        for (uint32_t v = 0; t && v < p->vector_count; v++) {
            struct cts_pk_range cases = p->vectors[v].cases;
            for (uint32_t c = cases.first; rc == 0 && c < cases.first + cases.count; c++) {
                if (!cts_track_failed(&t[c]))
                    continue;
                rc = own_selection(run, err);
                if (rc == 0)
                    run->own_select[v] = run->own_case[c] = 1;
            }
        }
    }
    if (rc == 0 && run->own_select) {
        select_units(run);
        count_selection(run);
    }
    return rc;
}

/* ---- blocks ---- */

static int add_block(struct run *run, size_t *cap, uint32_t target, uint32_t first, uint32_t end,
                     struct cts_err *err)
{
    if (run->block_count == *cap) {
        *cap = *cap ? *cap * 2 : 64;
        struct block *bigger = realloc(run->blocks, *cap * sizeof(*bigger));
        if (!bigger)
            return cts_err_set(err, CTS_E_NOMEM, "out of memory");
        run->blocks = bigger;
    }
    struct block *b = &run->blocks[run->block_count++];
    *b = (struct block){.target = target, .vectors = {first, end - first}};
    const struct cts_pk_range a = run->pack->vectors[first].cases;
    const struct cts_pk_range z = run->pack->vectors[end - 1].cases;
    b->first_case = a.first;
    b->case_count = z.first + z.count - a.first;
    cts_arena_init(&b->arena, 0);
    return 0;
}

static int make_blocks(struct run *run, struct cts_err *err)
{
    size_t cap = 0;
    for (uint32_t t = 0; t < run->engine_count; t++) {
        uint32_t first = 0;
        uint64_t units = 0;
        if (!run->engines[t].up)
            continue;
        for (uint32_t v = 0; v < run->pack->vector_count; v++) {
            units += run->pack->vectors[v].units.count;
            if (units < BLOCK_UNITS && v + 1 < run->pack->vector_count)
                continue;
            int rc = add_block(run, &cap, t, first, v + 1, err);
            if (rc != 0)
                return rc;
            first = v + 1;
            units = 0;
        }
        run->cases_all += run->summary->cases;
    }
    return 0;
}

/* ---- a vector that is not asked of an engine ---- */

static void skip_cases(struct run *run, const struct engine *e, struct cts_judge *j,
                       uint32_t vector)
{
    const struct cts_pk_vector *v = &run->pack->vectors[vector];
    char text[128];
    for (uint32_t i = 0; i < v->cases.count; i++) {
        const struct cts_pk_case *c = &run->pack->cases[v->cases.first + i];
        if (case_reason(run->pack, e, v, c, text, sizeof(text)))
            cts_judge_skip(j, v->cases.first + i, text);
    }
}

/* Is there something to run in the unit on this engine? A unit whose rows belong to different cases
 * runs when one of them is asked. */
static bool unit_asked(const struct run *run, const struct engine *e, const struct cts_pk_unit *u)
{
    const struct cts_pack *p = run->pack;
    const struct cts_pk_vector *v = &p->vectors[u->vector];
    char text[128];
    if (u->sweep != UINT32_MAX)
        return !case_reason(p, e, v, &p->cases[p->sweeps[u->sweep].kase], text, sizeof(text));
    for (uint32_t i = 0; i < u->rows.count; i++)
        if (!case_reason(p, e, v, &p->cases[p->rows[u->rows.first + i].kase], text, sizeof(text)))
            return true;
    return false;
}

/* ---- running a block ---- */

/* A thread's sessions: one per engine, started when needed. */
struct crew {
    struct run *run;
    struct cts_session *session; /* array, one per engine */
    struct cts_exec **exec;
};

static struct cts_exec *exec_for(struct crew *c, uint32_t target, struct cts_err *err)
{
    struct engine *e = &c->run->engines[target];
    struct cts_session *s = &c->session[target];
    if (c->exec[target])
        return c->exec[target];
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
    return c->exec[target] = cts_exec_new(s, c->run->opts, err);
}

static void env_broken_unit(struct cts_judge *j, uint32_t unit, const char *why)
{
    struct cts_arena arena;
    struct cts_seg seg;
    cts_arena_init(&arena, 0);
    if (cts_seg_init(&seg, j->pack, unit, j->caps, CTS_LEVEL_QUICK, &arena, NULL) == 0)
        cts_judge_error(j, &seg, why);
    cts_arena_release(&arena);
}

/* May the unit's program run, and is it made of an instruction that fails? */
static bool rests_on_wrong(const struct run *run, const struct engine *e,
                           const struct cts_pk_unit *u)
{
    const struct cts_pack *p = run->pack;
    const struct cts_pk_vector *v = &p->vectors[u->vector];
    const struct cts_pk_case *c =
        u->rows.count ? &p->cases[p->rows[u->rows.first].kase] : &p->cases[v->cases.first];
    /* Of one that does not come to its end nothing is known, where it shows in no other way. */
    if (e->basis.wrong[CTS_INSN_EXIT] && e->caps.features & CTS_FEAT_GUESS)
        return true;
    return cts_basis_wrong_insn(&e->basis, p, u) != CTS_INSN_COUNT &&
           cts_may_be_accepted(p, &e->caps, v, c);
}

/* Of an engine whose environment is broken: is there nothing to run? Then the judge knows why. */
static bool is_out_of_reach(const struct run *run, const struct engine *e, struct cts_judge *j,
                            uint32_t unit)
{
    const struct cts_pk_unit *u = &run->pack->units[unit];
    bool whole = cts_unit_is_whole(u, &e->caps);
    if (!whole && !e->basis.why[0])
        env_broken_unit(j, unit, e->env_broken);
    else if (!whole || (e->basis.why[0] && rests_on_wrong(run, e, u)))
        cts_judge_untestable(j, unit, e->basis.why);
    else
        return false;
    return true;
}

/* What was found of a vector when the environment was tested is its result. */
static bool take_basis(const struct run *run, const struct engine *e, struct block *b, uint32_t v)
{
    const struct cts_pk_range cases = run->pack->vectors[v].cases;
    const struct cts_track *found = e->basis.tracks;
    if (!found || !cts_basis_is(run->pack, &run->pack->vectors[v]))
        return false;
    for (uint32_t c = cases.first; c < cases.first + cases.count; c++)
        if (found[c].seen)
            b->tracks[c - b->first_case] = found[c];
    return true;
}

static size_t units_of_block(struct run *run, struct block *b, struct cts_judge *j, uint32_t *units)
{
    const struct engine *e = &run->engines[b->target];
    size_t n = 0;
    for (uint32_t v = b->vectors.first; v < b->vectors.first + b->vectors.count; v++) {
        struct cts_pk_range all = run->pack->vectors[v].units;
        if (!vector_selected(run, v))
            continue;
        skip_cases(run, e, j, v);
        if (take_basis(run, e, b, v))
            continue;
        for (uint32_t u = all.first; u < all.first + all.count; u++) {
            if (!run->unit_selected[u] || !unit_asked(run, e, &run->pack->units[u]) ||
                (e->env_broken && is_out_of_reach(run, e, j, u)))
                continue;
            units[n++] = u;
        }
    }
    return n;
}

static void note_trouble(struct run *run, const struct cts_err *err)
{
    pthread_mutex_lock(&run->lock);
    if (run->trouble.code == 0)
        run->trouble = *err;
    pthread_mutex_unlock(&run->lock);
}

static void fail_block(struct cts_judge *j, const uint32_t *units, size_t n,
                       const struct cts_err *err)
{
    char text[CTS_ERR_MSG_MAX];
    cts_err_text(err, text, sizeof(text));
    for (size_t i = 0; i < n; i++)
        env_broken_unit(j, units[i], text);
}

/* An engine that was given up by one worker is not asked by the others either. */
static bool is_given_up(struct run *run, struct engine *e, struct cts_err *err)
{
    pthread_mutex_lock(&run->lock);
    *err = e->gave_up;
    pthread_mutex_unlock(&run->lock);
    return err->code != 0;
}

static void note_given_up(struct run *run, struct engine *e, const struct cts_err *err)
{
    pthread_mutex_lock(&run->lock);
    if (e->gave_up.code == 0)
        e->gave_up = *err;
    pthread_mutex_unlock(&run->lock);
}

static void run_units(struct crew *c, struct block *b, struct cts_judge *j, const uint32_t *units,
                      size_t n)
{
    struct engine *e = &c->run->engines[b->target];
    struct cts_err err = {0};
    struct cts_exec *x = n && !is_given_up(c->run, e, &err) ? exec_for(c, b->target, &err) : NULL;
    if (x)
        cts_exec_units(x, j, units, n, &err);
    else if (n)
        fail_block(j, units, n, &err);
    if (err.code == CTS_E_TIMEOUT || err.code == CTS_E_BUSY)
        note_given_up(c->run, e, &err);
    if (err.code)
        note_trouble(c->run, &err);
}

static struct cts_judge judge_of(const struct run *run, struct block *b)
{
    const struct engine *e = &run->engines[b->target];
    const struct cts_pk_range a = run->pack->vectors[b->vectors.first].units;
    const struct cts_pk_range z = run->pack->vectors[b->vectors.first + b->vectors.count - 1].units;
    struct cts_judge j = {.pack = run->pack,
                          .target = e->target,
                          .caps = &e->caps,
                          .select_case = run->opts->select_case,
                          .arena = &b->arena,
                          .tracks = b->tracks,
                          .first_case = b->first_case,
                          .case_count = b->case_count,
                          .first_unit = a.first,
                          .unit_count = z.first + z.count - a.first,
                          .every = run->opts->every_variant};
    j.units = cts_arena_take_array(&b->arena, j.unit_count + 1, sizeof(*j.units));
    return j;
}

static void run_block(struct crew *c, struct block *b)
{
    struct run *run = c->run;
    uint32_t all = 0;
    uint64_t start = cts_clock_ns();
    for (uint32_t v = 0; v < b->vectors.count; v++)
        all += run->pack->vectors[b->vectors.first + v].units.count;
    uint32_t *units = malloc((all ? all : 1) * sizeof(*units));
    b->tracks =
        cts_arena_take_array(&b->arena, b->case_count ? b->case_count : 1, sizeof(*b->tracks));
    struct cts_judge j = judge_of(run, b);
    if (units && b->tracks && cts_expected_init(&j) == 0) {
        size_t n = units_of_block(run, b, &j, units);
        run_units(c, b, &j, units, n);
        cts_judge_count(&j);
    } else {
        struct cts_err err = {0};
        cts_err_set(&err, CTS_E_NOMEM, "out of memory");
        note_trouble(run, &err);
    }
    free(units);
    b->ns = cts_clock_ns() - start;
}

/* ---- telling ---- */

static const char *const *text_list(struct block *b, const struct cts_pack *p,
                                    struct cts_pk_range refs)
{
    const char **list = cts_arena_take_array(&b->arena, refs.count + 1, sizeof(*list));
    for (uint32_t i = 0; list && i < refs.count; i++)
        list[i] = cts_pack_text(p, p->string_refs[refs.first + i]);
    return list;
}

static const char *const *row_list(struct block *b, const struct cts_pack *p,
                                   struct cts_pk_range rows)
{
    const char **list = cts_arena_take_array(&b->arena, rows.count + 1, sizeof(*list));
    for (uint32_t i = 0; list && i < rows.count; i++)
        list[i] = cts_insn_info((enum cts_insn_id)p->insn_ids[rows.first + i])->id;
    return list;
}

static bool is_claimed(const struct engine *e, const struct cts_pk_vector *v)
{
    return !e->target->groups || (e->target->groups >> v->group & 1);
}

static enum cts_skip skip_of(const struct engine *e, const struct cts_pk_vector *v,
                             const struct cts_track *t)
{
    if (t->status != CTS_ST_SKIP)
        return CTS_SK_NONE;
    return is_claimed(e, v) ? t->skip : CTS_SK_NOT_CLAIMED;
}

static void tell_case(struct run *run, struct block *b, uint32_t vector, uint32_t kase)
{
    const struct cts_pack *p = run->pack;
    const struct cts_pk_vector *v = &p->vectors[vector];
    const struct cts_pk_case *c = &p->cases[kase];
    const struct engine *e = &run->engines[b->target];
    struct cts_track none = {
        .status = CTS_ST_ERROR, .label = "", .detail = "", .message = "nothing of it was run"};
    struct cts_track *t = b->tracks ? &b->tracks[kase - b->first_case] : &none;
    if (!t->seen)
        t = &none;
    cts_expected_conclude(p, t, vector, &b->arena);
    struct cts_result r = {
        .runtime = e->info.runtime,
        .engine = e->info.engine,
        .version = e->info.version,
        .vector = cts_pack_text(p, v->id),
        .kase = cts_pack_text(p, c->name),
        .file = cts_pack_text(p, v->file),
        .line = c->line,
        .group = cts_group_name((enum cts_group)v->group),
        .rows = row_list(b, p, v->rows),
        .clauses = text_list(b, p, v->clauses),
        .policy = cts_pack_text(p, v->policy),
        .status = t->status,
        .failure = t->failure,
        .skip = skip_of(e, v, t),
        .unit = t->label ? t->label : "",
        .message = t->message ? t->message : "",
        .detail = t->detail ? t->detail : "",
        .known = t->by ? t->by->reason : NULL,
        .variants = t->told,
        .variant_count = t->told_count,
        .operand_rows = t->operand_rows,
        .ns = b->case_count ? b->ns / b->case_count : 0,
    };
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

static void tell_or_leave(struct run *run, struct block *b, uint32_t vector, uint32_t kase)
{
    if (b->cut || is_enough(run))
        run->summary->not_run++;
    else
        tell_case(run, b, vector, kase);
    run->enough = is_enough(run);
}

static void tell_block(struct run *run, struct block *b)
{
    for (uint32_t v = b->vectors.first; v < b->vectors.first + b->vectors.count; v++) {
        struct cts_pk_range cases = run->pack->vectors[v].cases;
        for (uint32_t i = 0; vector_selected(run, v) && i < cases.count; i++) {
            if (!case_selected(run, cases.first + i))
                continue;
            run->cases_done++;
            tell_or_leave(run, b, v, cases.first + i);
        }
    }
    if (run->sink->progress)
        run->sink->progress(run->sink->arg, run->cases_done, run->cases_all);
}

/* Tells all blocks that are next in order and done. Called with the lock held. */
static void tell_ready(struct run *run)
{
    while (run->next_told < run->block_count && run->blocks[run->next_told].done)
        tell_block(run, &run->blocks[run->next_told++]);
}

static void *crew_main(void *arg)
{
    struct crew *c = arg;
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
        run->blocks[i].cut = interrupted(run);
        run->blocks[i].done = true;
        tell_ready(run);
        pthread_mutex_unlock(&run->lock);
    }
}

static int crew_init(struct crew *c, struct run *run, struct cts_err *err)
{
    size_t n = run->engine_count ? run->engine_count : 1;
    c->run = run;
    c->session = calloc(n, sizeof(*c->session));
    c->exec = calloc(n, sizeof(struct cts_exec *));
    for (size_t i = 0; c->session && i < run->engine_count; i++)
        cts_session_init(&c->session[i], run->engines[i].target->argv,
                         run->engines[i].target->engine);
    return c->session && c->exec ? 0 : cts_err_set(err, CTS_E_NOMEM, "out of memory");
}

static void crew_release(struct crew *c)
{
    for (size_t i = 0; c->run && i < c->run->engine_count; i++) {
        if (c->exec)
            cts_exec_free(c->exec[i]);
        if (c->session)
            cts_session_release(&c->session[i]);
    }
    free(c->session);
    free(c->exec);
}

static int run_crews(struct run *run, unsigned jobs, struct cts_err *err)
{
    struct crew *crew = calloc(jobs, sizeof(*crew));
    pthread_t *thread = calloc(jobs, sizeof(*thread));
    unsigned started = 1;
    int rc = crew && thread ? 0 : cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (unsigned i = 0; rc == 0 && i < jobs; i++)
        rc = crew_init(&crew[i], run, err);
    while (rc == 0 && started < jobs &&
           pthread_create(&thread[started], NULL, crew_main, &crew[started]) == 0)
        started++;
    if (rc == 0)
        crew_main(&crew[0]);
    for (unsigned i = 1; rc == 0 && i < started; i++)
        pthread_join(thread[i], NULL);
    for (unsigned i = 0; crew && i < jobs; i++)
        crew_release(&crew[i]);
    free(crew);
    free(thread);
    return rc;
}

static void tell_engines(struct run *run)
{
    for (size_t i = 0; run->sink->engine && i < run->engine_count && run->engines[i].asked; i++)
        run->sink->engine(run->sink->arg, &run->engines[i].info);
}

static void release(struct run *run)
{
    for (size_t i = 0; run->engines && i < run->engine_count; i++)
        cts_session_release(&run->engines[i].first);
    for (size_t i = 0; i < run->block_count; i++)
        cts_arena_release(&run->blocks[i].arena);
    free(run->blocks);
    free(run->engines);
    free(run->unit_selected);
    free(run->own_select);
    free(run->own_case);
    cts_arena_release(&run->arena);
    pthread_mutex_destroy(&run->lock);
}

int cts_core_run(const struct cts_pack *pack, const struct cts_target *targets, size_t n,
                 const struct cts_core_opts *opts, const struct cts_sink *sink,
                 struct cts_summary *summary, struct cts_err *err)
{
    uint64_t start = cts_clock_ns();
    struct run run = {.pack = pack, .own_opts = *opts, .sink = sink, .summary = summary};
    run.own_opts.enough = &run.enough;
    run.opts = &run.own_opts;
    pthread_mutex_init(&run.lock, NULL);
    cts_arena_init(&run.arena, 0);
    run.unit_selected = calloc(pack->unit_count ? pack->unit_count : 1, 1);
    int rc = run.unit_selected ? 0 : cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (rc == 0) {
        select_units(&run);
        count_selection(&run);
        rc = start_engines(&run, targets, n, err);
    }
    if (rc == 0)
        rc = select_wrong_basis(&run, err);
    if (rc == 0)
        count_engines(&run);
    if (rc == 0)
        tell_engines(&run);
    if (rc == 0)
        rc = make_blocks(&run, err);
    if (rc == 0)
        rc = run_crews(&run, opts->jobs ? opts->jobs : 1, err);
    summary->ns = cts_clock_ns() - start;
    if (summary->not_run)
        summary->end = interrupted(&run) ? CTS_END_INTERRUPTED : CTS_END_MAX_FAILS;
    if (rc == 0 && sink->end)
        sink->end(sink->arg, summary);
    if (rc == 0 && run.trouble.code) {
        if (err)
            *err = run.trouble;
        rc = run.trouble.code;
    }
    release(&run);
    return rc;
}
