#include "core/engines.h"

#include <stdlib.h>
#include <string.h>

#include "core/asked.h"
#include "core/exec.h"
#include "core/start.h"

static void start_engine(struct cts_engines *es, struct cts_run_engine *e)
{
    const struct cts_target *t = e->target;
    struct cts_err err = {0};
    e->first.stop = es->opts->stop;
    int rc = cts_engine_start(&e->first, t, es->arena, &e->info, &err);
    e->asked = !cts_core_is_interrupted(es->opts);
    e->up = e->asked && rc == 0;
    if (e->up)
        e->caps = e->first.caps;
    if (e->asked && e->info.state == CTS_EN_BROKEN && es->error.code == 0)
        es->error = err;
}

/* Which instruction of the environment is it that fails? made_of: see cts_basis_name. */
static void try_basis(struct cts_engines *es, struct cts_run_engine *e, const uint8_t *made_of)
{
    const struct cts_pack *p = es->selection->pack;
    struct cts_err err = {0};
    char text[128];
    struct cts_exec *x = NULL;
    if (e->first.up || cts_session_start_with_retry(&e->first, CTS_START_TIMEOUT_MS, &err) == 0)
        x = cts_exec_new(&e->first, es->opts, &err);
    for (uint32_t v = 0; x && v < p->vector_count; v++) {
        const struct cts_pk_vector *vec = &p->vectors[v];
        if (cts_basis_is(p, vec) &&
            !cts_why_not_asked(p, e->target, &e->caps, vec, &p->cases[vec->cases.first], text,
                               sizeof(text)))
            cts_basis_try(&e->basis, x, e->target, &e->caps, p, v, es->arena);
    }
    cts_exec_free(x);
    cts_basis_name(&e->basis, made_of);
}

/* Of vectors that do not come from the suite: gets those that are about the environment. */
static void get_basis(struct cts_engines *es)
{
    struct cts_wider wide;
    bool (*widen)(void *arg, struct cts_wider *out) = es->widened ? NULL : es->opts->widen;
    for (uint32_t v = 0; v < es->selection->pack->vector_count; v++)
        if (cts_basis_is(es->selection->pack, &es->selection->pack->vectors[v]))
            return;
    es->widened = true;
    if (widen && widen(es->opts->widen_arg, &wide))
        cts_selection_widen(es->selection, &wide);
}

static void self_test(struct cts_engines *es, struct cts_run_engine *e)
{
    struct cts_err err = {0};
    struct cts_exec *x = e->up ? cts_exec_new(&e->first, es->opts, &err) : NULL;
    if (!x)
        return;
    uint8_t made_of[CTS_INSN_COUNT] = {0};
    cts_exec_self_test(x, es->selection->pack, es->selection->unit, es->arena, &e->env_broken,
                       made_of, &err);
    cts_exec_free(x);
    if (!e->env_broken || cts_core_is_interrupted(es->opts))
        return;
    get_basis(es);
    try_basis(es, e, e->caps.features & CTS_FEAT_GUESS ? NULL : made_of);
}

/* The first engine of its runtime among those to run. */
static bool is_first_of_runtime(const struct cts_engines *es, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(es->list[k].info.runtime, es->list[i].info.runtime) == 0)
            return false;
    return true;
}

static bool any_is_up(const struct cts_engines *es, const char *runtime)
{
    for (size_t i = 0; i < es->count; i++)
        if (es->list[i].up && strcmp(es->list[i].info.runtime, runtime) == 0)
            return true;
    return false;
}

void cts_engines_count(const struct cts_engines *es, struct cts_summary *s)
{
    for (size_t i = 0; i < es->count; i++) {
        const struct cts_run_engine *e = &es->list[i];
        if (!e->asked) {
            s->not_run += s->cases;
            continue;
        }
        s->engines_run += e->up;
        s->engines_skipped += e->info.state == CTS_EN_SKIPPED;
        s->engines_broken += e->info.state == CTS_EN_BROKEN;
        s->count[CTS_ST_ERROR] += e->info.state == CTS_EN_BROKEN;
        if (!is_first_of_runtime(es, i))
            continue;
        bool up = any_is_up(es, e->info.runtime);
        s->runtimes_run += up;
        s->runtimes_skipped += !up;
    }
}

int cts_engines_start(struct cts_engines *es, const struct cts_target *targets, size_t n,
                      struct cts_err *err)
{
    es->list = calloc(n ? n : 1, sizeof(*es->list));
    if (!es->list)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    es->count = n;
    for (size_t i = 0; i < n; i++) {
        es->list[i].target = &targets[i];
        cts_session_init(&es->list[i].first, targets[i].argv, targets[i].engine);
    }
    for (size_t i = 0; i < n && !cts_core_is_interrupted(es->opts); i++) {
        start_engine(es, &es->list[i]);
        self_test(es, &es->list[i]);
    }
    return 0;
}

/* The case that says why nothing else could be tested is told in any case, whatever was selected.
 */
int cts_engines_select_wrong_basis(struct cts_engines *es, struct cts_err *err)
{
    const struct cts_pack *p = es->selection->pack;
    bool added = false;
    int rc = 0;
    for (size_t i = 0; i < es->count; i++) {
        const struct cts_track *t = es->list[i].basis.tracks;
        for (uint32_t v = 0; t && v < p->vector_count; v++) {
            struct cts_pk_range cases = p->vectors[v].cases;
            for (uint32_t c = cases.first; rc == 0 && c < cases.first + cases.count; c++) {
                if (!cts_track_failed(&t[c]))
                    continue;
                rc = cts_selection_add(es->selection, v, c, err);
                added = true;
            }
        }
    }
    if (rc == 0 && added)
        cts_selection_find_units(es->selection);
    return rc;
}

void cts_engines_release(struct cts_engines *es)
{
    for (size_t i = 0; es->list && i < es->count; i++)
        cts_session_release(&es->list[i].first);
    free(es->list);
}
