/* Running mutants: one task is one row with all its mutants; each thread has machines of its own,
 * in both byte orders, loads what concerns the row once and exchanges the semantics below it. */
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "core/conform.h"
#include "core/request.h"
#include "core/variant.h"
#include "core/tuple.h"
#include "core/fill.h"
#include "core/state.h"
#include "host/buf.h"
#include "mutate/run_impl.h"
#include "mutate/smt.h"
#include "pack/env.h"

enum {
    RING = 256, /* operand tuples under way */
    FIRST_RING = 8,
};

static const struct cts_pack *pack_of(const struct cts_mut_rig *g)
{
    return g->run->opts->pack;
}

static bool is_stopped(const struct cts_mut_run *r)
{
    return (r->opts->stop && *r->opts->stop) || r->err.code != 0;
}

/* ---- loading ---- */

static bool is_whole(const struct cts_pk_unit *u)
{
    return u->flags & CTS_UF_WHOLE;
}

/* Does each row take a run of its own, of several iterations or threads? */
static bool repeats(const struct cts_pk_unit *u)
{
    return u->repeat > 1 || u->threads > 1;
}

static void place_rows(const struct cts_mut_own *m, struct cts_mut_loaded *l)
{
    struct cts_layout *at = &l->layout;
    at->stride = cts_request_stride(at);
    at->region = CTS_WIN_RESERVED;
    if (repeats(l->seg.unit)) {
        at->rows = 1;
        return;
    }
    at->rows = l->seg.rows < RING ? cts_request_power_above(l->seg.rows) : RING;
    while (at->rows > 1 && at->region + cts_layout_bytes(at) > m->caps.window_bytes)
        at->rows /= 2;
}

/* `code`: little-endian encoding; swapped in place where the machine wants it. */
static void load_code(struct cts_mut_rig *g, struct cts_mut_own *m, struct cts_mut_loaded *l,
                      struct cts_buf *code)
{
    const struct cts_pk_unit *u = l->seg.unit;
    struct cts_request_objects objects;
    uint32_t slots = (uint32_t)(code->len / CTS_SLOT_BYTES);
    if (m->caps.be && slots)
        cts_slots_swap_order((uint8_t *)code->data, slots);
    struct cts_load_req req =
        cts_request_load(&l->seg, is_whole(u) ? NULL : &l->layout, 1, &objects);
    req.code = (const uint8_t *)cts_buf_text(code);
    req.slots = slots;
    l->prog = NULL;
    g->run->opts->machine.adapter->load(m->self, &req, &l->prog, &g->load_res);
    l->accepted = g->load_res.verdict == CTS_LOAD_ACCEPTED;
    if (g->load_res.verdict == CTS_LOAD_ERROR)
        cts_err_set(&g->err, CTS_E_WORKER, "%s: %s",
                    cts_pack_text(pack_of(g), pack_of(g)->vectors[u->vector].id), g->load_res.text);
}

static void unit_code(const struct cts_mut_rig *g, const struct cts_pk_unit *u,
                      struct cts_buf *code)
{
    cts_buf_init(code, 0);
    cts_buf_add(code, pack_of(g)->code + u->code, (size_t)u->slots * CTS_SLOT_BYTES);
}

static void unload(struct cts_mut_rig *g, struct cts_mut_own *m, struct cts_mut_loaded *l)
{
    if (l->prog)
        g->run->opts->machine.adapter->unload(m->self, l->prog);
    l->prog = NULL;
}

static bool sees_all(const struct cts_mut_rig *g)
{
    return g->full || !g->run->sight;
}

static bool case_asked(const struct cts_mut_rig *g, uint32_t kase, bool be)
{
    const struct cts_pack *p = pack_of(g);
    if (!sees_all(g) && !g->run->case_seen[kase])
        return false;
    uint8_t order = p->cases[kase].order;
    return order == CTS_ORDER_ANY || (order == CTS_ORDER_BIG) == be;
}

static bool unit_asked(const struct cts_mut_rig *g, const struct cts_pk_unit *u,
                       const struct cts_caps *caps)
{
    const struct cts_pack *p = pack_of(g);
    const struct cts_pk_vector *v = &p->vectors[u->vector];
    bool named = v->only.count == 0;
    for (uint32_t i = 0; i < v->only.count; i++)
        named |= strcmp(cts_pack_text(p, p->string_refs[v->only.first + i]), caps->runtime) == 0;
    if (!sees_all(g))
        named = named && g->run->unit_seen[u - p->units];
    if (!named || (v->needs & ~caps->features))
        return false;
    return u->sweep == UINT32_MAX || case_asked(g, p->sweeps[u->sweep].kase, caps->be);
}

static struct cts_mut_loaded *get_loaded(struct cts_mut_rig *g, unsigned order,
                                         enum cts_level level, uint32_t at)
{
    const struct cts_pk_unit *u = &pack_of(g)->units[g->units[at]];
    struct cts_mut_own *m = &g->machine[order];
    struct cts_mut_loaded *l =
        &g->loaded[order][u->sweep == UINT32_MAX ? CTS_LEVEL_QUICK : level][at];
    struct cts_buf code;
    if (l->tried)
        return l;
    l->tried = true;
    l->asked = unit_asked(g, u, &m->seen);
    if (!l->asked ||
        cts_seg_init(&l->seg, pack_of(g), g->units[at], &m->seen, level, &g->arena, &g->err) != 0)
        return l;
    l->layout = l->seg.layout;
    if (!is_whole(u))
        place_rows(m, l);
    unit_code(g, u, &code);
    load_code(g, m, l, &code);
    cts_buf_release(&code);
    return l;
}

/* ---- running ---- */

/* What the harness learns of it: where nothing but r0 comes out, not how a program was refused. */
static struct cts_obs as_seen(const struct cts_mut_own *m, const struct cts_obs *obs)
{
    struct cts_obs seen = *obs;
    if (m->seen.features & CTS_FEAT_GUESS &&
        (obs->seen == CTS_SEEN_REJECTED || obs->seen == CTS_SEEN_FAULTED))
        seen.seen = CTS_SEEN_REFUSED;
    return seen;
}

/* Of tuple r, or (UINT32_MAX) of one of those of the unit. */
static bool fails(const struct cts_mut_own *m, struct cts_mut_loaded *l, uint32_t r,
                  const struct cts_obs *obs)
{
    struct cts_obs seen = as_seen(m, obs);
    if (r != UINT32_MAX)
        return !cts_conforms(&l->seg, r, &seen);
    for (r = 0; r < (l->seg.swept ? 1 : l->seg.rows); r++)
        if (!cts_conforms(&l->seg, r, &seen))
            return true;
    return false;
}

static void start(struct cts_mut_rig *g, struct cts_mut_own *m, struct cts_mut_loaded *l,
                  uint32_t first, uint32_t iterations)
{
    struct cts_run_req req = cts_request_run(&l->seg, is_whole(l->seg.unit), iterations);
    req.first_row = first;
    g->run->opts->machine.adapter->run(m->self, l->prog, &req, &g->run_res);
    if (g->run_res.status == CTS_RUN_ERROR)
        cts_err_set(&g->err, CTS_E_WORKER, "%s", g->run_res.text);
}

static bool whole_kills(struct cts_mut_rig *g, struct cts_mut_own *m, struct cts_mut_loaded *l)
{
    struct cts_obs obs = {.seen = CTS_SEEN_RAN};
    if (!l->accepted) {
        obs.seen = CTS_SEEN_REJECTED;
    } else if (m->seen.features & CTS_FEAT_VERDICT_ONLY) {
        obs.seen = CTS_SEEN_ACCEPTED;
    } else if (cts_seg_may_run(&l->seg)) {
        start(g, m, l, 0, 1);
        obs.seen = g->run_res.status == CTS_RUN_FAULTED ? CTS_SEEN_FAULTED : CTS_SEEN_RAN;
        obs.result_known = obs.seen == CTS_SEEN_RAN;
        obs.r0 = g->run_res.r0;
        obs.text = g->run_res.text;
    }
    return fails(m, l, UINT32_MAX, &obs);
}

static uint8_t *row_at(const struct cts_mut_own *m, const struct cts_mut_loaded *l, uint32_t r)
{
    return (uint8_t *)m->caps.window + l->layout.region + CTS_WIN_HEADER +
           (size_t)(r & (l->layout.rows - 1)) * l->layout.stride;
}

static uint8_t *expect_at(const struct cts_mut_rig *g, const struct cts_mut_loaded *l, uint32_t r)
{
    return g->expect + (r & (l->layout.rows - 1)) * cts_seg_expect_bytes(&l->seg);
}

static bool row_asked(const struct cts_mut_rig *g, const struct cts_mut_own *m,
                      const struct cts_mut_loaded *l, uint32_t r)
{
    return case_asked(g, cts_seg_case(&l->seg, r), m->caps.be);
}

static bool row_fails(struct cts_mut_rig *g, const struct cts_mut_own *m, struct cts_mut_loaded *l,
                      uint32_t r, bool faulted)
{
    struct cts_obs obs = {.seen = faulted ? CTS_SEEN_FAULTED : CTS_SEEN_RAN};
    if (!row_asked(g, m, l, r))
        return false;
    if (faulted) {
        obs.text = g->run_res.text;
        return fails(m, l, r, &obs);
    }
    obs.row = row_at(m, l, r);
    obs.expect = expect_at(g, l, r);
    if (cts_order_get64(m->caps.be, obs.row + CTS_ENTRY_END) == CTS_ENDED_EXITED) {
        obs.seen = CTS_SEEN_EXITED;
        obs.result_known = true;
        obs.r0 = cts_order_get64(m->caps.be, obs.row + CTS_ENTRY_OUT);
    }
    return fails(m, l, r, &obs);
}

/* Rows first .. first + n - 1, at most as many as the ring holds. */
static bool ring_kills(struct cts_mut_rig *g, struct cts_mut_own *m, struct cts_mut_loaded *l,
                       uint32_t first, uint32_t n)
{
    for (uint32_t r = first; r < first + n; r++)
        cts_seg_fill(&l->seg, r, row_at(m, l, r), expect_at(g, l, r));
    for (uint32_t r = first; r < first + n;) {
        start(g, m, l, r, first + n - r);
        uint32_t done =
            repeats(l->seg.unit) ? g->run_res.done == l->seg.unit->repeat : g->run_res.done;
        bool faulted = g->run_res.status == CTS_RUN_FAULTED;
        if (g->err.code)
            return false;
        for (; done > 0; done--, r++)
            if (row_fails(g, m, l, r, false))
                return true;
        if (faulted && row_fails(g, m, l, r, true))
            return true;
        r += faulted;
    }
    return false;
}

static bool make_room(struct cts_mut_rig *g, size_t bytes)
{
    if (bytes <= g->expect_cap)
        return true;
    free(g->expect);
    g->expect = malloc(bytes);
    g->expect_cap = g->expect ? bytes : 0;
    if (!g->expect)
        cts_err_set(&g->err, CTS_E_NOMEM, "out of memory");
    return g->expect;
}

static bool window_kills(struct cts_mut_rig *g, struct cts_mut_own *m, struct cts_mut_loaded *l)
{
    if (!make_room(g, l->layout.rows * cts_seg_expect_bytes(&l->seg) + 1))
        return false;
    uint32_t n = l->layout.rows < FIRST_RING ? l->layout.rows : FIRST_RING;
    for (uint32_t r = 0; r < l->seg.rows && g->err.code == 0; r += n, n = l->layout.rows) {
        if (n > l->seg.rows - r)
            n = l->seg.rows - r;
        if (ring_kills(g, m, l, r, n))
            return true;
    }
    return false;
}

/* Is something about this unit not as its vector says? */
static bool unit_kills(struct cts_mut_rig *g, struct cts_mut_own *m, struct cts_mut_loaded *l)
{
    if (is_whole(l->seg.unit))
        return whole_kills(g, m, l);
    if (!l->accepted) {
        struct cts_obs obs = {.seen = CTS_SEEN_REJECTED};
        return fails(m, l, UINT32_MAX, &obs);
    }
    return window_kills(g, m, l);
}

/* A unit that a wrong decoder sees. */
static bool decoder_kills(struct cts_mut_rig *g, struct cts_mut_own *m,
                          const struct cts_mut_loaded *right, const struct cts_mutant *mutant)
{
    struct cts_mut_loaded l = *right;
    struct cts_buf code;
    unit_code(g, l.seg.unit, &code);
    enum cts_mut_decoded seen = mutant->model->decode(mutant, &code);
    bool kills = false;
    l.prog = NULL;
    l.accepted = false;
    if (seen == CTS_DECODED_CHANGED)
        load_code(g, m, &l, &code);
    if (seen != CTS_DECODED_SAME && g->err.code == 0)
        kills = unit_kills(g, m, &l);
    unload(g, m, &l);
    cts_buf_release(&code);
    return kills;
}

static enum cts_mut_phase phase_of(const struct cts_pk_unit *u)
{
    if (u->sweep != UINT32_MAX)
        return CTS_PHASE_SWEEP;
    return repeats(u) ? CTS_PHASE_REPEATED : CTS_PHASE_HAND;
}

static bool notices(struct cts_mut_rig *g, const struct cts_mutant *mutant, unsigned order,
                    uint32_t at, enum cts_level level)
{
    struct cts_mut_own *m = &g->machine[order];
    bool decodes = mutant->model && mutant->model->decode;
    struct cts_mut_loaded *l = get_loaded(g, order, level, at);
    if (!l->asked || g->err.code || (!decodes && !l->accepted))
        return false;
    return decodes ? decoder_kills(g, m, l, mutant) : unit_kills(g, m, l);
}

bool cts_mut_unit_is_accepted(struct cts_mut_rig *g, uint32_t at, enum cts_level level)
{
    const struct cts_mut_loaded *l = get_loaded(g, 0, level, at);
    return l->asked && l->accepted && g->err.code == 0;
}

bool cts_mut_unit_notices(struct cts_mut_rig *g, const struct cts_mutant *mutant, uint32_t at,
                          enum cts_level level)
{
    for (unsigned order = 0; order < CTS_MUT_ORDERS && g->err.code == 0; order++)
        if (notices(g, mutant, order, at, level))
            return true;
    return false;
}

/* The first of the task's units that notices; null: none does. Hand-written units of lower levels
 * have been asked before; sweeps go further at each level. */
static const char *killer(struct cts_mut_rig *g, const struct cts_mutant *mutant,
                          enum cts_mut_phase phase, enum cts_level level)
{
    const struct cts_pack *p = pack_of(g);
    for (unsigned order = 0; order < CTS_MUT_ORDERS; order++) {
        for (uint32_t i = 0; i < g->unit_count && g->err.code == 0; i++) {
            const struct cts_pk_unit *u = &p->units[g->units[i]];
            bool swept = u->sweep != UINT32_MAX;
            if (phase_of(u) != phase || u->level > level || (!swept && u->level < level) ||
                !notices(g, mutant, order, i, level))
                continue;
            g->killer = g->units[i];
            return cts_pack_text(p, p->vectors[u->vector].id);
        }
    }
    return NULL;
}

/* ---- one mutant ---- */

/* With nothing wrong every unit passes. One that does not says nothing of mutants: it is left out,
 * and the control is told of it. */
static void run_control(struct cts_mut_rig *g, struct cts_mutant *m)
{
    const struct cts_pack *p = pack_of(g);
    m->status = CTS_MUT_SURVIVED;
    for (unsigned level = 0; level <= g->run->opts->level; level++)
        for (unsigned i = 0; i < CTS_MUT_ORDERS * g->unit_count && g->err.code == 0; i++) {
            unsigned order = i / g->unit_count, at = i % g->unit_count;
            const struct cts_pk_unit *u = &p->units[g->units[at]];
            bool swept = u->sweep != UINT32_MAX;
            if (swept ? u->level > level || g->run->opts->hand : u->level != level)
                continue;
            struct cts_mut_loaded *l = get_loaded(g, order, (enum cts_level)level, at);
            if (!l->asked || !unit_kills(g, &g->machine[order], l))
                continue;
            l->asked = false;
            m->status = CTS_MUT_KILLED;
            m->killed = (uint8_t)level;
            m->killer = cts_pack_text(p, p->vectors[u->vector].id);
        }
}

static bool is_equivalent(const struct cts_mutant *m)
{
    return m->status == CTS_MUT_PROVEN || m->status == CTS_MUT_LISTED;
}

static bool is_open(const struct cts_mutant *m)
{
    return m->status == CTS_MUT_SURVIVED && m->killed == CTS_MUT_NEVER && !m->control;
}

static void run_mutant(struct cts_mut_rig *g, struct cts_mutant *m, enum cts_level level)
{
    const char *hand = NULL, *swept = NULL;
    if ((m->control && !m->model) || m->status == CTS_MUT_PROVEN || m->killed_hand != CTS_MUT_NEVER)
        return;
    cts_mut_table_set(&g->table, m);
    hand = killer(g, m, CTS_PHASE_HAND, level);
    if (!hand && !g->run->opts->hand && m->killed == CTS_MUT_NEVER)
        swept = killer(g, m, CTS_PHASE_SWEEP, level);
    if (hand)
        m->killed_hand = (uint8_t)level;
    if ((!hand && !swept) || m->killed != CTS_MUT_NEVER)
        return;
    m->killed = (uint8_t)level;
    m->killer = hand ? hand : swept;
    m->killer_unit = g->killer;
    if (is_equivalent(m))
        cts_err_set(&g->err, CTS_E_INVAL, "%s: '%s' is listed as equivalent, but %s tells it apart",
                    cts_insn_info(m->row)->id, m->text, m->killer);
    m->status = CTS_MUT_KILLED;
}

static void run_repeated(struct cts_mut_rig *g, struct cts_mutant *m, enum cts_level level)
{
    if (!is_open(m))
        return;
    cts_mut_table_set(&g->table, m);
    m->killer = killer(g, m, CTS_PHASE_REPEATED, level);
    if (!m->killer)
        return;
    m->killer_unit = g->killer;
    m->killed = m->killed_hand = (uint8_t)level;
    m->status = CTS_MUT_KILLED;
}

/* ---- equivalence ---- */

static void note_answer(struct cts_mut_run *r, struct cts_mutant *m, struct cts_smt_query *q)
{
    if (q->answer == CTS_SMT_SAME) {
        m->status = CTS_MUT_PROVEN;
        m->reason = "proven by z3";
    }
    pthread_mutex_lock(&r->lock); /* of the list's arena */
    if (q->answer == CTS_SMT_DIFFERENT)
        m->input = cts_arena_strdup(r->list->arena, cts_buf_text(&q->input));
    r->list->damaged += q->damaged;
    pthread_mutex_unlock(&r->lock);
    cts_buf_release(&q->input);
}

/* Those that are on record as proven. */
static void recall_proofs(struct cts_mut_run *r, const struct cts_mut_task *t)
{
    struct cts_mutant *all = r->list->all + t->first;
    for (size_t i = 0; i < t->count; i++)
        if (all[i].sema && is_open(&all[i]) &&
            cts_proofs_have(&r->on_record, r->row[all[i].row], &all[i])) {
            all[i].status = CTS_MUT_PROVEN;
            all[i].reason = "proven by z3";
        }
}

/* Where there is no solver to ask, the record of the row as it is must do. */
static void leave_undecided(struct cts_mut_run *r, const struct cts_mut_task *t)
{
    struct cts_mutant *all = r->list->all + t->first;
    if (all->row == CTS_INSN_COUNT ||
        cts_proofs_have_insn(&r->on_record, r->row[all->row], all, t->count))
        return;
    for (size_t i = 0; i < t->count; i++)
        if (all[i].sema && is_open(&all[i]))
            all[i].status = CTS_MUT_UNDECIDED;
}

/* Those that nobody has noticed so far: are they wrong at all? */
static void prove(struct cts_mut_rig *g, const struct cts_mut_task *t)
{
    const struct cts_mut_opts *o = g->run->opts;
    struct cts_mutant *all = g->run->list->all + t->first;
    struct cts_smt_query *q = cts_arena_take_array(&g->arena, t->count, sizeof(*q));
    size_t n = 0;
    for (size_t i = 0; q && i < t->count; i++)
        if (all[i].sema && is_open(&all[i]))
            q[n++] = (struct cts_smt_query){.row = g->run->row[all[i].row], .other = all[i].sema};
    if (!q || n == 0)
        return;
    cts_smt_ask(o->z3, o->proofs ? *o->proofs : -1, q, n, o->z3_steps);
    for (size_t i = t->count; i-- > 0;)
        if (all[i].sema && is_open(&all[i]))
            note_answer(g->run, &all[i], &q[--n]);
}

/* ---- one task ---- */

static bool holds(const struct cts_mut_run *r, uint32_t unit, enum cts_insn_id row)
{
    size_t bit = (size_t)unit * CTS_INSN_COUNT + row;
    return r->holds[bit / 8] >> (bit % 8) & 1;
}

static bool is_about(const struct cts_pack *p, const struct cts_pk_unit *u, enum cts_insn_id row)
{
    const struct cts_pk_vector *v = &p->vectors[u->vector];
    for (uint32_t i = 0; i < v->rows.count; i++)
        if (p->insn_ids[v->rows.first + i] == row)
            return true;
    return false;
}

/* Units that hold the row; for faults that belong to no row, all that are whole programs. */
static void choose_units(struct cts_mut_rig *g, enum cts_insn_id row)
{
    const struct cts_pack *p = pack_of(g);
    g->unit_count = 0;
    for (int about = 1; about >= 0; about--)
        for (uint32_t i = 0; i < p->unit_count; i++) {
            const struct cts_pk_unit *u = &p->units[i];
            bool wanted = row == CTS_INSN_COUNT
                              ? about && is_whole(u)
                              : holds(g->run, i, row) && is_about(p, u, row) == (about == 1);
            if (wanted && u->level <= g->run->opts->level)
                g->units[g->unit_count++] = i;
        }
}

bool cts_mut_begin_task(struct cts_mut_rig *g, enum cts_insn_id row)
{
    cts_arena_init(&g->arena, 0);
    choose_units(g, row);
    for (unsigned o = 0; o < CTS_MUT_ORDERS; o++)
        for (unsigned l = 0; l < CTS_MUT_LEVELS; l++) {
            g->loaded[o][l] =
                cts_arena_take_array(&g->arena, g->unit_count + 1u, sizeof(*g->loaded[o][l]));
            if (!g->loaded[o][l])
                return cts_err_set(&g->err, CTS_E_NOMEM, "out of memory") == 0;
        }
    return true;
}

void cts_mut_end_task(struct cts_mut_rig *g)
{
    for (unsigned o = 0; o < CTS_MUT_ORDERS; o++)
        for (unsigned l = 0; l < CTS_MUT_LEVELS; l++)
            for (uint32_t i = 0; g->loaded[o][l] && i < g->unit_count; i++)
                unload(g, &g->machine[o], &g->loaded[o][l][i]);
    cts_arena_release(&g->arena);
    memset(g->loaded, 0, sizeof(g->loaded));
}

static void tell_progress(struct cts_mut_run *r, size_t count)
{
    pthread_mutex_lock(&r->lock);
    r->done += count;
    if (r->opts->progress)
        r->opts->progress(r->opts->arg, r->done, r->list->count);
    pthread_mutex_unlock(&r->lock);
}

static bool goes_on(const struct cts_mut_rig *g)
{
    return g->err.code == 0 && !is_stopped(g->run);
}

static void run_task(struct cts_mut_rig *g, const struct cts_mut_task *t)
{
    struct cts_mutant *all = g->run->list->all;
    if (cts_mut_begin_task(g, all[t->first].row) && all[t->first].control) {
        cts_mut_table_set(&g->table, &all[t->first]);
        run_control(g, &all[t->first]);
    }
    for (unsigned level = 0; level <= g->run->opts->level; level++) {
        for (size_t i = t->first; i < t->first + t->count && goes_on(g); i++)
            run_mutant(g, &all[i], (enum cts_level)level);
        if (level == 0)
            recall_proofs(g->run, t);
        if (level == 0 && g->run->opts->z3 && goes_on(g))
            prove(g, t);
        for (size_t i = t->first; i < t->first + t->count && goes_on(g); i++)
            run_repeated(g, &all[i], (enum cts_level)level);
    }
    if (!g->run->opts->z3)
        leave_undecided(g->run, t);
    tell_progress(g->run, t->count);
    cts_mut_end_task(g);
}

/* ---- threads ---- */

void cts_mut_set_view(struct cts_mut_rig *g, bool full)
{
    g->full = full;
    for (unsigned o = 0; o < CTS_MUT_ORDERS; o++) {
        struct cts_mut_own *m = &g->machine[o];
        m->seen = m->caps;
        if (sees_all(g))
            continue;
        m->seen = *g->run->sight;
        m->seen.be = m->caps.be;
        m->seen.features &= m->caps.features | ~(uint32_t)CTS_FEAT_OF_PROGRAMS;
    }
}

static bool open_rig(struct cts_mut_rig *g)
{
    const struct cts_mut_machine *how = &g->run->opts->machine;
    g->units = malloc((pack_of(g)->unit_count + 1u) * sizeof(*g->units));
    if (!g->units)
        return cts_err_set(&g->err, CTS_E_NOMEM, "out of memory") == 0;
    cts_mut_table_set(&g->table, NULL);
    for (unsigned o = 0; o < CTS_MUT_ORDERS; o++) {
        struct cts_mut_own *m = &g->machine[o];
        if (how->open(g->table.exec, &m->self, how->engine[o], &m->caps, &g->err) != 0)
            return false;
        cts_fmt(m->caps.runtime, sizeof(m->caps.runtime), "%s", how->runtime);
        cts_fmt(m->caps.engine, sizeof(m->caps.engine), "%s",
                how->adapter->engines[how->engine[o]].name);
    }
    cts_mut_set_view(g, false);
    return true;
}

static void close_rig(struct cts_mut_rig *g)
{
    for (unsigned o = 0; o < CTS_MUT_ORDERS; o++)
        if (g->machine[o].self)
            g->run->opts->machine.adapter->release(g->machine[o].self);
    free(g->units);
    free(g->expect);
    free(g);
}

static struct cts_mut_task *next_task(struct cts_mut_run *r)
{
    pthread_mutex_lock(&r->lock);
    struct cts_mut_task *t =
        r->next < r->task_count && !is_stopped(r) ? &r->tasks[r->next++] : NULL;
    pthread_mutex_unlock(&r->lock);
    return t;
}

static void *work(void *arg)
{
    struct cts_mut_run *r = arg;
    struct cts_err none = {.code = CTS_E_NOMEM, .msg = "out of memory"};
    struct cts_mut_rig *g = calloc(1, sizeof(*g));
    if (g) {
        g->run = r;
        if (open_rig(g))
            for (struct cts_mut_task *t; g->err.code == 0 && (t = next_task(r));)
                r->do_task(g, t);
    }
    pthread_mutex_lock(&r->lock);
    if (r->err.code == 0 && (!g || g->err.code))
        r->err = g ? g->err : none;
    pthread_mutex_unlock(&r->lock);
    if (g)
        close_rig(g);
    return NULL;
}

static void run_threads(struct cts_mut_run *r)
{
    enum { MOST = 256 };
    pthread_t thread[MOST];
    unsigned started = 0;
    while (started + 1 < r->opts->jobs && started < MOST &&
           pthread_create(&thread[started], NULL, work, r) == 0)
        started++;
    work(r);
    for (unsigned i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
}

/* ---- preparing ---- */

static void note_row(struct cts_mut_run *r, uint32_t unit, enum cts_insn_id row)
{
    size_t bit = (size_t)unit * CTS_INSN_COUNT + row;
    r->holds[bit / 8] |= (uint8_t)(1 << (bit % 8));
}

/* What is not legal may be meant for any row of its opcode. */
static void index_unit(struct cts_mut_run *r, uint32_t unit)
{
    const struct cts_pk_unit *u = &r->opts->pack->units[unit];
    for (uint32_t i = 0; i < u->slots;) {
        struct cts_insn in;
        enum cts_insn_id row;
        int n = cts_decode(r->opts->pack->code + u->code + (size_t)i * CTS_SLOT_BYTES, u->slots - i,
                           false, &in, &row, NULL);
        if (n > 0)
            note_row(r, unit, row);
        for (unsigned k = 0; n <= 0 && k < CTS_INSN_COUNT; k++)
            if (cts_insn_info((enum cts_insn_id)k)->opcode == in.opcode)
                note_row(r, unit, (enum cts_insn_id)k);
        i += n > 0 ? (uint32_t)n : 1;
    }
}

static int make_tasks(struct cts_mut_run *r, struct cts_err *err)
{
    struct cts_mut_list *list = r->list;
    r->tasks = calloc(list->count + 1, sizeof(*r->tasks));
    if (!r->tasks)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (size_t i = 0; i < list->count; i++) {
        if (i == 0 || list->all[i].row != list->all[i - 1].row)
            r->tasks[r->task_count++] = (struct cts_mut_task){.first = i};
        r->tasks[r->task_count - 1].count++;
    }
    return 0;
}

static int find_rows(struct cts_mut_run *r, struct cts_err *err)
{
    const struct cts_spec *spec = r->list->spec;
    r->row = calloc(CTS_INSN_COUNT, sizeof(*r->row));
    r->holds = calloc((size_t)r->opts->pack->unit_count * CTS_INSN_COUNT / 8 + 1, 1);
    if (!r->row || !r->holds)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (size_t i = 0; i < spec->row_count; i++) {
        enum cts_insn_id id = cts_insn_find(spec->rows[i].id);
        if (id != CTS_INSN_COUNT)
            r->row[id] = &spec->rows[i];
    }
    for (uint32_t u = 0; u < r->opts->pack->unit_count; u++)
        index_unit(r, u);
    return 0;
}

int cts_mut_prepare(struct cts_mut_run *r, struct cts_err *err)
{
    pthread_mutex_init(&r->lock, NULL);
    int rc = find_rows(r, err);
    return rc ? rc : make_tasks(r, err);
}

int cts_mut_do_all(struct cts_mut_run *r, struct cts_err *err)
{
    run_threads(r);
    if (r->err.code && err)
        *err = r->err;
    return r->err.code;
}

void cts_mut_release(struct cts_mut_run *r)
{
    pthread_mutex_destroy(&r->lock);
    cts_proofs_release(&r->on_record);
    free(r->row);
    free(r->holds);
    free(r->tasks);
}

int cts_mutants_run(struct cts_mut_list *list, const struct cts_mut_opts *opts, struct cts_err *err)
{
    struct cts_mut_run r = {.list = list, .opts = opts, .do_task = run_task};
    for (size_t i = 0; i < list->count; i++) {
        list->all[i].killed = list->all[i].killed_hand = CTS_MUT_NEVER;
        list->all[i].status = CTS_MUT_SURVIVED;
    }
    int rc = cts_mut_prepare(&r, err);
    if (rc == 0)
        rc = cts_mut_read_equivalents(&r, err);
    if (rc == 0 && opts->on_record)
        rc = cts_proofs_load(&r.on_record, opts->on_record, err);
    if (rc == 0)
        rc = cts_mut_do_all(&r, err);
    cts_mut_release(&r);
    return rc;
}
