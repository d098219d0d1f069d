#include "core/block.h"

#include "core/asked.h"
#include "core/expected.h"
#include "core/variant.h"

enum { REASON = 128 };

void cts_block_init(struct cts_block *b, struct cts_run_engine *engine,
                    const struct cts_selection *selection, uint32_t first, uint32_t end)
{
    *b = (struct cts_block){
        .engine = engine, .selection = selection, .vectors = {first, end - first}};
    const struct cts_pk_range a = selection->pack->vectors[first].cases;
    const struct cts_pk_range z = selection->pack->vectors[end - 1].cases;
    b->first_case = a.first;
    b->case_count = z.first + z.count - a.first;
    cts_arena_init(&b->arena, 0);
}

static bool is_left_out(const struct cts_block *b, const struct cts_pk_vector *v,
                        const struct cts_pk_case *c, char text[REASON])
{
    return cts_why_not_asked(b->selection->pack, b->engine->target, &b->engine->caps, v, c, text,
                             REASON);
}

static void skip_cases(const struct cts_block *b, struct cts_judge *j, uint32_t vector)
{
    const struct cts_pk_vector *v = &b->selection->pack->vectors[vector];
    char text[REASON];
    for (uint32_t i = 0; i < v->cases.count; i++) {
        const struct cts_pk_case *c = &b->selection->pack->cases[v->cases.first + i];
        if (is_left_out(b, v, c, text))
            cts_judge_skip(j, v->cases.first + i, text);
    }
}

/* Is there something to run in the unit on this engine? A unit whose rows belong to different cases
 * runs when one of them is asked. */
static bool unit_asked(const struct cts_block *b, const struct cts_pk_unit *u)
{
    const struct cts_pack *p = b->selection->pack;
    const struct cts_pk_vector *v = &p->vectors[u->vector];
    char text[REASON];
    if (u->sweep != UINT32_MAX)
        return !is_left_out(b, v, &p->cases[p->sweeps[u->sweep].kase], text);
    for (uint32_t i = 0; i < u->rows.count; i++)
        if (!is_left_out(b, v, &p->cases[p->rows[u->rows.first + i].kase], text))
            return true;
    return false;
}

static void fail_unit(struct cts_judge *j, uint32_t unit, const char *why)
{
    struct cts_arena arena;
    struct cts_seg seg;
    cts_arena_init(&arena, 0);
    if (cts_seg_init(&seg, j->pack, unit, j->caps, CTS_LEVEL_QUICK, &arena, NULL) == 0)
        cts_judge_error(j, &seg, why);
    cts_arena_release(&arena);
}

/* May the unit's program run, and is it made of an instruction that fails? */
static bool is_made_of_wrong(const struct cts_block *b, const struct cts_pk_unit *u)
{
    const struct cts_run_engine *e = b->engine;
    const struct cts_pack *p = b->selection->pack;
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
static bool is_out_of_reach(const struct cts_block *b, struct cts_judge *j, uint32_t unit)
{
    const struct cts_run_engine *e = b->engine;
    const struct cts_pk_unit *u = &b->selection->pack->units[unit];
    bool whole = cts_unit_is_whole(u, &e->caps);
    if (!whole && !e->basis.why[0])
        fail_unit(j, unit, e->env_broken);
    else if (!whole || (e->basis.why[0] && is_made_of_wrong(b, u)))
        cts_judge_untestable(j, unit, e->basis.why);
    else
        return false;
    return true;
}

/* What was found of a vector when the environment was tested is its result. */
static bool take_basis(struct cts_block *b, uint32_t v)
{
    const struct cts_run_engine *e = b->engine;
    const struct cts_pk_range cases = b->selection->pack->vectors[v].cases;
    const struct cts_track *found = e->basis.tracks;
    if (!found || !cts_basis_is(b->selection->pack, &b->selection->pack->vectors[v]))
        return false;
    for (uint32_t c = cases.first; c < cases.first + cases.count; c++)
        if (found[c].seen)
            b->tracks[c - b->first_case] = found[c];
    return true;
}

size_t cts_block_units(struct cts_block *b, struct cts_judge *j, uint32_t *units)
{
    const struct cts_run_engine *e = b->engine;
    size_t n = 0;
    for (uint32_t v = b->vectors.first; v < b->vectors.first + b->vectors.count; v++) {
        struct cts_pk_range all = b->selection->pack->vectors[v].units;
        if (!cts_selection_has_vector(b->selection, v))
            continue;
        skip_cases(b, j, v);
        if (take_basis(b, v))
            continue;
        for (uint32_t u = all.first; u < all.first + all.count; u++) {
            if (!b->selection->unit[u] || !unit_asked(b, &b->selection->pack->units[u]) ||
                (e->env_broken && is_out_of_reach(b, j, u)))
                continue;
            units[n++] = u;
        }
    }
    return n;
}

void cts_block_fail(struct cts_judge *j, const uint32_t *units, size_t n, const struct cts_err *err)
{
    char text[CTS_ERR_MSG_MAX];
    cts_err_text(err, text, sizeof(text));
    for (size_t i = 0; i < n; i++)
        fail_unit(j, units[i], text);
}

struct cts_judge cts_block_judge(struct cts_block *b, bool every_variant)
{
    const struct cts_run_engine *e = b->engine;
    const struct cts_pk_range a = b->selection->pack->vectors[b->vectors.first].units;
    const struct cts_pk_range z =
        b->selection->pack->vectors[b->vectors.first + b->vectors.count - 1].units;
    struct cts_judge j = {.pack = b->selection->pack,
                          .target = e->target,
                          .caps = &e->caps,
                          .select_case = b->selection->test_case,
                          .arena = &b->arena,
                          .tracks = b->tracks,
                          .first_case = b->first_case,
                          .case_count = b->case_count,
                          .first_unit = a.first,
                          .unit_count = z.first + z.count - a.first,
                          .every = every_variant};
    j.units = cts_arena_take_array(&b->arena, j.unit_count + 1, sizeof(*j.units));
    return j;
}

static const char *const *text_list(struct cts_block *b, const struct cts_pack *p,
                                    struct cts_pk_range refs)
{
    const char **list = cts_arena_take_array(&b->arena, refs.count + 1, sizeof(*list));
    for (uint32_t i = 0; list && i < refs.count; i++)
        list[i] = cts_pack_text(p, p->string_refs[refs.first + i]);
    return list;
}

static const char *const *insn_list(struct cts_block *b, const struct cts_pack *p,
                                    struct cts_pk_range rows)
{
    const char **list = cts_arena_take_array(&b->arena, rows.count + 1, sizeof(*list));
    for (uint32_t i = 0; list && i < rows.count; i++)
        list[i] = cts_insn_info((enum cts_insn_id)p->insn_ids[rows.first + i])->id;
    return list;
}

static bool is_claimed(const struct cts_run_engine *e, const struct cts_pk_vector *v)
{
    return !e->target->groups || (e->target->groups >> v->group & 1);
}

static enum cts_skip skip_of(const struct cts_run_engine *e, const struct cts_pk_vector *v,
                             const struct cts_track *t)
{
    if (t->status != CTS_ST_SKIP)
        return CTS_SK_NONE;
    return is_claimed(e, v) ? t->skip : CTS_SK_NOT_CLAIMED;
}

struct cts_result cts_block_result(struct cts_block *b, uint32_t vector, uint32_t test_case)
{
    const struct cts_pack *p = b->selection->pack;
    const struct cts_pk_vector *v = &p->vectors[vector];
    const struct cts_pk_case *c = &p->cases[test_case];
    const struct cts_run_engine *e = b->engine;
    struct cts_track none = {
        .status = CTS_ST_ERROR, .label = "", .detail = "", .message = "nothing of it was run"};
    struct cts_track *t = b->tracks ? &b->tracks[test_case - b->first_case] : &none;
    if (!t->seen)
        t = &none;
    cts_expected_conclude(p, t, vector, &b->arena);
    return (struct cts_result){
        .runtime = e->info.runtime,
        .engine = e->info.engine,
        .version = e->info.version,
        .vector = cts_pack_text(p, v->id),
        .kase = cts_pack_text(p, c->name),
        .file = cts_pack_text(p, v->file),
        .line = c->line,
        .group = cts_group_name((enum cts_group)v->group),
        .rows = insn_list(b, p, v->rows),
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
        .operand_tuples = t->operand_tuples,
        .ns = b->case_count ? b->ns / b->case_count : 0,
    };
}
