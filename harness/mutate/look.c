/* Mutants in a sight: those that die where everything is seen, asked again where less is. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/sight.h"
#include "mutate/run_impl.h"

/* Why a unit that notices a mutant where everything is seen does not in the sight. */
enum lack { NOT_ASKED, TOO_LONG, HIDDEN, LACKS };

/* All units that notice one mutant where everything is seen, by what they lack in the sight. */
struct lacks {
    unsigned count[LACKS];
    unsigned results;        /* of those that are hidden: whole programs, and bodies that exit */
    char why[CTS_SIGHT_WHY]; /* the first of those that cannot be asked */
};

static bool is_asked(const struct cts_mut_run *r, const struct cts_mutant *m)
{
    return cts_mutant_counts(m) && m->level <= r->opts->level && m->killed <= r->opts->level;
}

static bool unit_runs(const struct cts_mut_rig *g, uint32_t at, enum cts_level level)
{
    return g->run->opts->pack->units[g->units[at]].level <= level;
}

/* The unit that noticed first is asked first. */
static bool is_noticed(struct cts_mut_rig *g, const struct cts_mutant *m)
{
    enum cts_level level = g->run->opts->level;
    cts_mut_table_set(&g->table, m);
    for (uint32_t i = 0; i < g->unit_count; i++)
        if (g->units[i] == m->killer_unit &&
            cts_mut_unit_notices(g, m, i, (enum cts_level)m->killed))
            return true;
    for (uint32_t i = 0; i < g->unit_count && g->err.code == 0; i++)
        if (unit_runs(g, i, level) && cts_mut_unit_notices(g, m, i, level))
            return true;
    return false;
}

static const char *case_lack(const struct cts_mut_run *r, uint32_t unit, char *text)
{
    const struct cts_pack *p = r->opts->pack;
    const struct cts_pk_unit *u = &p->units[unit];
    const struct cts_pk_vector *v = &p->vectors[u->vector];
    uint32_t kase = u->sweep == UINT32_MAX ? p->rows[u->rows.first].kase : p->sweeps[u->sweep].kase;
    return cts_sight_why_not(p, v, kase, r->sight, text);
}

static bool gives_result(const struct cts_pack *p, const struct cts_pk_unit *u)
{
    for (uint32_t k = u->rows.first; k < u->rows.first + u->rows.count; k++)
        for (uint32_t o = 0; o < p->rows[k].out.count; o++)
            if (p->outcomes[p->rows[k].out.first + o].has_r0)
                return true;
    return false;
}

static void note_lack(const struct cts_mut_run *r, uint32_t unit, struct lacks *l)
{
    char text[CTS_SIGHT_WHY];
    const char *why = r->unit_seen[unit] ? NULL : case_lack(r, unit, text);
    bool loads = r->sight->features & CTS_FEAT_VERDICT_ONLY;
    if (r->unit_seen[unit]) {
        l->count[HIDDEN]++;
        l->results += gives_result(r->opts->pack, &r->opts->pack->units[unit]);
    } else if (!why || (!loads && strncmp(why, "needs ", 6) != 0))
        l->count[TOO_LONG]++;
    else {
        l->count[NOT_ASKED]++;
        if (!l->why[0])
            memcpy(l->why, text, sizeof(l->why));
    }
}

static void find_lacks(struct cts_mut_rig *g, const struct cts_mutant *m, struct lacks *l)
{
    enum cts_level level = g->run->opts->level;
    cts_mut_table_set(&g->table, m);
    for (uint32_t i = 0; i < g->unit_count && g->err.code == 0; i++)
        if (unit_runs(g, i, level) && cts_mut_unit_notices(g, m, i, level))
            note_lack(g->run, g->units[i], l);
}

static bool runs_programs(const struct cts_mut_run *r)
{
    return !(r->sight->features & CTS_FEAT_VERDICT_ONLY);
}

/* What is wrong with a machine that runs nothing: how it decodes, and no more. */
static bool may_show(const struct cts_mut_run *r, const struct cts_mutant *m)
{
    return runs_programs(r) || (m->model && m->model->decode);
}

static const char *reason(struct cts_mut_rig *g, const struct cts_mutant *m, const struct lacks *l,
                          bool *due)
{
    struct cts_mut_run *r = g->run;
    struct cts_arena *arena = r->list->arena;
    *due = false;
    if (l->count[TOO_LONG]) {
        *due = !cts_mut_is_beyond(&g->table, m, r->sight->max_slots);
        return *due ? cts_arena_fmt(arena, "noticed by %u variants that are too long there",
                                    l->count[TOO_LONG])
                    : "goes wrong over distances alone that no program has there";
    }
    if (!l->count[HIDDEN])
        return cts_arena_fmt(arena, "all that notice it: %s", l->why);
    if (!runs_programs(r))
        return "shows only when it is run";
    if (r->sight->r0_bits < 64 && l->count[HIDDEN] == l->results)
        return "shows in the upper half of a program's result alone";
    /* Where addresses are seen, what is hidden is a slot of the stack: another one would do. */
    *due = r->sight->features & CTS_FEAT_POINTERS;
    return *due ? "noticed in the environment's part of the stack alone"
                : "shows in addresses alone, which may not be stored";
}

static void judge(struct cts_mut_rig *g, const struct cts_mutant *m, struct cts_mut_look *look)
{
    struct lacks l = {.why = ""};
    if (!may_show(g->run, m)) {
        look->due = false;
        look->why = "shows only when it is run";
        return;
    }
    find_lacks(g, m, &l);
    pthread_mutex_lock(&g->run->lock); /* of the list's arena */
    look->why = reason(g, m, &l, &look->due);
    if (!look->why)
        look->why = "out of memory";
    pthread_mutex_unlock(&g->run->lock);
}

/* Is the row not to be had there: is there no program with it that must be accepted? */
static bool is_absent(struct cts_mut_rig *g)
{
    for (uint32_t i = 0; i < g->unit_count; i++)
        if (g->run->unit_seen[g->units[i]] && cts_mut_unit_is_accepted(g, i, g->run->opts->level))
            return false;
    return g->unit_count > 0;
}

static void look_task(struct cts_mut_rig *g, const struct cts_mut_task *t)
{
    struct cts_mut_run *r = g->run;
    struct cts_mutant *all = r->list->all;
    bool alive = false, absent = false;
    cts_mut_set_view(g, false);
    if (cts_mut_begin_task(g, all[t->first].row)) {
        cts_mut_table_set(&g->table, NULL);
        absent = is_absent(g);
        for (size_t i = t->first; i < t->first + t->count && g->err.code == 0; i++) {
            struct cts_mut_look *look = &r->looks[i];
            look->asked = look->due = is_asked(r, &all[i]);
            look->killed = look->asked && may_show(r, &all[i]) && is_noticed(g, &all[i]);
            look->absent = look->asked && !look->killed && absent;
            alive |= look->asked && !look->killed;
        }
    }
    cts_mut_end_task(g);
    if (!alive || g->err.code)
        return;
    cts_mut_set_view(g, true);
    if (cts_mut_begin_task(g, all[t->first].row))
        for (size_t i = t->first; i < t->first + t->count && g->err.code == 0; i++)
            if (r->looks[i].asked && !r->looks[i].killed)
                judge(g, &all[i], &r->looks[i]);
    cts_mut_end_task(g);
}

/* Which cases and units can be asked in the sight? */
static int find_seen(struct cts_mut_run *r, struct cts_err *err)
{
    const struct cts_pack *p = r->opts->pack;
    char text[CTS_SIGHT_WHY];
    r->unit_seen = calloc(p->unit_count + 1u, 1);
    r->case_seen = calloc(p->case_count + 1u, 1);
    if (!r->unit_seen || !r->case_seen)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (uint32_t c = 0; c < p->case_count; c++) {
        struct cts_caps caps = *r->sight;
        caps.be = p->cases[c].order == CTS_ORDER_BIG;
        r->case_seen[c] = !cts_sight_why_not(p, &p->vectors[p->cases[c].vector], c, &caps, text);
    }
    for (uint32_t i = 0; i < p->unit_count; i++) {
        const struct cts_pk_unit *u = &p->units[i];
        bool seen = u->sweep != UINT32_MAX && r->case_seen[p->sweeps[u->sweep].kase];
        for (uint32_t k = u->rows.first; k < u->rows.first + u->rows.count; k++)
            seen |= r->case_seen[p->rows[k].kase];
        r->unit_seen[i] = seen && cts_sight_fits(p, i, r->sight) &&
                          (u->threads <= 1 || r->sight->features & CTS_FEAT_THREADS);
    }
    return 0;
}

int cts_mutants_look(struct cts_mut_list *list, const struct cts_mut_opts *opts,
                     const struct cts_caps *sight, struct cts_mut_look *looks, struct cts_err *err)
{
    struct cts_mut_run r = {
        .list = list, .opts = opts, .do_task = look_task, .sight = sight, .looks = looks};
    memset(looks, 0, list->count * sizeof(*looks));
    int rc = cts_mut_prepare(&r, err);
    if (rc == 0)
        rc = find_seen(&r, err);
    if (rc == 0)
        rc = cts_mut_do_all(&r, err);
    free(r.unit_seen);
    free(r.case_seen);
    cts_mut_release(&r);
    return rc;
}
