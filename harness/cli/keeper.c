#include "cli/keeper.h"

#include <stdlib.h>
#include <string.h>

#include "cli/paths.h"
#include "report/text.h"

static const struct cts_known_set *set_at(const struct cts_keeper *k, size_t set)
{
    return &k->targets->sets[set];
}

int cts_keeper_init(struct cts_keeper *k, const struct cts_keeper_opts *opts,
                    const struct cts_targets *targets, const struct cts_pack *pack,
                    struct cts_arena *arena, struct cts_err *err)
{
    *k = (struct cts_keeper){.opts = *opts, .targets = targets, .pack = pack, .arena = arena};
    k->up = cts_arena_take_array(arena, targets->count + 1, sizeof(*k->up));
    k->engine = cts_arena_take_array(arena, targets->count + 1, sizeof(*k->engine));
    k->count = cts_arena_take_array(arena, targets->set_count + 1, sizeof(*k->count));
    bool good = k->up && k->engine && k->count;
    for (size_t i = 0; good && i < targets->set_count; i++) {
        k->count[i] =
            cts_arena_take_array(arena, targets->sets[i].list->count + 1, sizeof(*k->count[i]));
        good = k->count[i] != NULL;
    }
    return good ? 0 : cts_err_set(err, CTS_E_NOMEM, "out of memory");
}

/* ---- what happens ---- */

static const char *keep(struct cts_keeper *k, const char *text)
{
    const char *copy = cts_arena_strdup(k->arena, text);
    k->failed |= !copy;
    return copy ? copy : "";
}

void cts_keeper_engine(struct cts_keeper *k, const struct cts_engine_info *info)
{
    k->up[k->told] = info->state == CTS_EN_RUNS;
    k->engine[k->told++] = keep(k, info->engine);
}

static bool is_target(const struct cts_keeper *k, uint32_t at, const struct cts_result *r)
{
    return k->up[at] && strcmp(k->targets->list[at].runtime, r->runtime) == 0 &&
           strcmp(k->engine[at], r->engine) == 0;
}

/* Results come engine by engine: it is mostly the one before. */
static bool find_target(struct cts_keeper *k, const struct cts_result *r)
{
    if (is_target(k, k->target, r))
        return true;
    for (k->target = 0; k->target < k->targets->count; k->target++)
        if (is_target(k, k->target, r))
            return true;
    k->target = 0;
    return false;
}

/* Results come in the order of the pack: the vector is mostly the one before, or the next. */
static bool find_vector(struct cts_keeper *k, const char *id)
{
    const struct cts_pack *p = k->pack;
    for (uint32_t i = 0; i < p->vector_count; i++) {
        uint32_t at = (k->vector + i) % p->vector_count;
        if (strcmp(cts_pack_text(p, p->vectors[at].id), id) == 0) {
            k->vector = at;
            return true;
        }
    }
    return false;
}

static bool find_case(const struct cts_keeper *k, const char *name, uint32_t *out)
{
    struct cts_pk_range cases = k->pack->vectors[k->vector].cases;
    for (*out = cases.first; *out < cases.first + cases.count; (*out)++)
        if (strcmp(cts_pack_text(k->pack, k->pack->cases[*out].name), name) == 0)
            return true;
    return false;
}

static struct cts_fresh *add_fresh(struct cts_keeper *k)
{
    if (k->fresh_count == k->fresh_cap) {
        size_t cap = k->fresh_cap ? k->fresh_cap * 2 : 64;
        struct cts_fresh *bigger = cts_arena_take_array(k->arena, cap, sizeof(*bigger));
        if (!bigger)
            return NULL;
        if (k->fresh_count)
            memcpy(bigger, k->fresh, k->fresh_count * sizeof(*bigger));
        k->fresh = bigger;
        k->fresh_cap = cap;
    }
    return &k->fresh[k->fresh_count++];
}

/* Is it a variant that failed in this way, on no list? */
static bool is_fresh(const struct cts_variant_result *v, enum cts_failure failure)
{
    return v->status == CTS_ST_FAIL && v->failure == failure;
}

static bool ran(const struct cts_variant_result *v)
{
    return v->status != CTS_ST_SKIP && v->status != CTS_ST_ERROR;
}

/* Does the glob match what failed in this way, and nothing else? */
static bool tells_apart(const struct cts_result *r, enum cts_failure failure, const char *glob)
{
    const char *const globs[] = {glob, NULL};
    const struct cts_known entry = {.variants = globs};
    for (size_t i = 0; i < r->variant_count; i++)
        if (ran(&r->variants[i]) &&
            cts_known_fits(&entry, r->variants[i].label) != is_fresh(&r->variants[i], failure))
            return false;
    return true;
}

/* One word of the label that all of those have, and no other; or that all others have, and none of
 * those. Null: there is none. */
static const char *common_word(struct cts_keeper *k, const struct cts_result *r,
                               enum cts_failure failure, const char *label, const char *sign)
{
    for (const char *word = label; *word;) {
        size_t n = strcspn(word, " ");
        /* Registers r1 and r10 are two words. */
        const char *glob =
            cts_arena_fmt(k->arena, word[n] ? "%s*%.*s *" : "%s*%.*s", sign, (int)n, word);
        if (glob && tells_apart(r, failure, glob))
            return glob;
        word += n + (word[n] == ' ');
    }
    return NULL;
}

bool cts_keeper_has(const char **list, const char *text)
{
    for (size_t i = 0; list[i]; i++)
        if (strcmp(list[i], text) == 0)
            return true;
    return false;
}

static const char **variants_of(struct cts_keeper *k, const struct cts_result *r,
                                enum cts_failure failure)
{
    const char **list = cts_arena_take_array(k->arena, r->variant_count + 1, sizeof(*list));
    size_t n = 0;
    k->failed |= !list;
    if (!list || tells_apart(r, failure, "*"))
        return NULL;
    for (size_t i = 0; !list[0] && i < r->variant_count; i++)
        if (ran(&r->variants[i]))
            list[0] = common_word(k, r, failure, r->variants[i].label,
                                  is_fresh(&r->variants[i], failure) ? "" : "!");
    for (size_t i = 0; (n || !list[0]) && i < r->variant_count; i++)
        if (is_fresh(&r->variants[i], failure) && !cts_keeper_has(list, r->variants[i].label))
            list[n++] = keep(k, r->variants[i].label);
    return list;
}

static void note_failure(struct cts_keeper *k, const struct cts_result *r, enum cts_failure failure)
{
    uint32_t kase;
    struct cts_fresh *f;
    if (!find_vector(k, r->vector) || !find_case(k, r->kase, &kase) || !(f = add_fresh(k))) {
        k->failed = true;
        return;
    }
    *f = (struct cts_fresh){.target = k->target,
                            .vector = k->vector,
                            .kase = kase,
                            .failure = failure,
                            .variants = variants_of(k, r, failure),
                            .message = keep(k, r->message)};
    if (r->clauses && r->clauses[0])
        f->clause = keep(k, r->clauses[0]);
    else if (r->policy && r->policy[0])
        f->policy = keep(k, r->policy);
    else
        f->link = keep(k, r->file);
}

/* A note for each way in which variants of the case fail. */
static void note_failures(struct cts_keeper *k, const struct cts_result *r)
{
    bool noted[CTS_FL_COUNT] = {false};
    for (size_t i = 0; i < r->variant_count; i++) {
        const struct cts_variant_result *v = &r->variants[i];
        if (v->status == CTS_ST_FAIL && !noted[v->failure])
            note_failure(k, r, v->failure);
        noted[v->failure] = true;
    }
}

/* A case counts once for each thing that its variants did, of those that the entry speaks of. */
static void count_entry(struct cts_entry_count *c, const struct cts_known *known,
                        const struct cts_result *r)
{
    bool passed = false, explained = false, otherwise = false, any = false;
    for (size_t i = 0; i < r->variant_count; i++) {
        const struct cts_variant_result *v = &r->variants[i];
        if (!cts_known_fits(known, v->label))
            continue;
        bool failed = v->status == CTS_ST_FAIL || v->status == CTS_ST_XFAIL;
        bool fits = failed && cts_known_explains(known, v->failure);
        any = true;
        passed |= v->status == CTS_ST_PASS && !known->sometimes;
        explained |= fits || (v->status == CTS_ST_PASS && known->sometimes);
        otherwise |= failed && !fits;
    }
    c->passed += passed;
    c->explained += explained;
    c->otherwise += otherwise;
    c->not_run += (any || r->variant_count == 0) && !passed && !explained && !otherwise;
}

void cts_keeper_result(struct cts_keeper *k, const struct cts_result *r)
{
    if (!(k->opts.whole || k->opts.update))
        return;
    if (!find_target(k, r)) {
        k->failed = true;
        return;
    }
    for (size_t s = 0; s < k->targets->set_count; s++) {
        const struct cts_known_set *set = set_at(k, s);
        for (size_t i = 0; i < set->list->count; i++)
            if ((!set->rt || set->rt == k->targets->rt[k->target]) &&
                cts_known_covers(&set->known[i], r->engine, r->version, r->vector, r->kase))
                count_entry(&k->count[s][i], &set->known[i], r);
    }
    if (k->opts.update)
        note_failures(k, r);
}

/* ---- what an entry is about ---- */

static bool names_engine(const struct cts_known *known, const char *engine)
{
    for (size_t i = 0; known->engines && known->engines[i]; i++)
        if (cts_known_means(known->engines[i], engine))
            return true;
    return !known->engines;
}

/* A worker given by its path, and a command, say nothing of further engines. */
static bool lists_engines(const struct cts_rt *rt)
{
    return rt->engine_count && !rt->command;
}

static void reach_engine(const struct cts_keeper *k, const struct cts_rt *rt, const char *engine,
                         struct cts_reach *r)
{
    bool run = false;
    for (size_t i = 0; i < k->targets->count; i++)
        run = run || (k->up[i] && k->targets->rt[i] == rt && strcmp(k->engine[i], engine) == 0);
    r->engines++;
    r->run += run;
    if (!run)
        r->missing = engine;
}

struct cts_reach cts_keeper_reach(const struct cts_keeper *k, size_t set, size_t entry)
{
    const struct cts_known *known = &set_at(k, set)->known[entry];
    const struct cts_rt *own = set_at(k, set)->rt, *before = NULL;
    struct cts_reach r = {0};
    for (size_t i = 0; i < k->targets->count; i++) {
        const struct cts_rt *rt = k->targets->rt[i];
        if ((own && rt != own) || (rt == before && lists_engines(rt)))
            continue;
        before = rt;
        if (!lists_engines(rt) && names_engine(known, k->engine[i]))
            reach_engine(k, rt, k->engine[i], &r);
        for (size_t e = 0; lists_engines(rt) && e < rt->engine_count; e++)
            if (names_engine(known, rt->engines[e].name))
                reach_engine(k, rt, rt->engines[e].name, &r);
    }
    return r;
}

bool cts_keeper_higher(const struct cts_keeper *k, size_t set, size_t entry)
{
    const struct cts_pack *p = k->pack;
    const char *pattern = set_at(k, set)->known[entry].vectors;
    const char *ids = cts_arena_strndup(k->arena, pattern, strcspn(pattern, "#"));
    for (uint32_t i = 0; ids && i < p->left_out; i++)
        if (cts_glob(ids, cts_pack_text(p, p->string_refs[i])))
            return true;
    return !ids;
}

uint64_t cts_keeper_cases(const struct cts_keeper *k, size_t set, size_t entry)
{
    const struct cts_known *known = &set_at(k, set)->known[entry];
    const struct cts_pack *p = k->pack;
    uint64_t n = 0;
    for (uint32_t v = 0; v < p->vector_count; v++) {
        const struct cts_pk_range cases = p->vectors[v].cases;
        for (uint32_t c = cases.first; c < cases.first + cases.count; c++)
            n += cts_known_names(known, cts_pack_text(p, p->vectors[v].id),
                                 cts_pack_text(p, p->cases[c].name));
    }
    return n;
}

/* ---- warnings ---- */

struct warnings {
    struct cts_keeper *k;
    const char **list;
    size_t count, cap;
};

static void warn(struct warnings *w, const char *text)
{
    if (!text || w->count + 1 >= w->cap)
        w->k->failed = true;
    else
        w->list[w->count++] = text;
}

static bool is_first_of_item(const struct cts_known_list *list, size_t entry)
{
    return entry == 0 || list->entries[entry].item != list->entries[entry - 1].item;
}

/* Entries past their date: one line a list, as they come in crowds. */
static void warn_dates(struct warnings *w, const struct cts_known_list *list)
{
    char now[CTS_TEXT_TIME_CAP];
    const struct cts_known_entry *first = NULL;
    unsigned n = 0;
    cts_text_time(now);
    for (size_t i = 0; i < list->count; i++) {
        const struct cts_known_entry *e = &list->entries[i];
        if (!e->review_by || !is_first_of_item(list, i) ||
            strncmp(e->review_by, now, strlen(e->review_by)) >= 0)
            continue;
        n++;
        if (!first || strcmp(e->review_by, first->review_by) < 0)
            first = e;
    }
    if (first)
        warn(w, cts_arena_fmt(w->k->arena, "%s:%u: review-by %s is past%s",
                              cts_path_from_here(list->path), first->line, first->review_by,
                              n > 1 ? cts_arena_fmt(w->k->arena,
                                                    ", the first of %u entries to be reviewed", n)
                                    : ""));
}

static void warn_reasons(struct warnings *w, const struct cts_known_list *list)
{
    const struct cts_known_entry *first = NULL;
    unsigned n = 0;
    for (size_t i = 0; i < list->count; i++)
        if (is_first_of_item(list, i) && strncmp(list->entries[i].reason, CTS_KNOWN_UNEXPLAINED,
                                                 strlen(CTS_KNOWN_UNEXPLAINED)) == 0) {
            first = first ? first : &list->entries[i];
            n++;
        }
    if (first)
        warn(w, cts_arena_fmt(w->k->arena,
                              "%s:%u: %s an entry whose reason is still to be written by a person",
                              cts_path_from_here(list->path), first->line,
                              n > 1 ? cts_arena_fmt(w->k->arena, "the first of %u; it is", n)
                                    : "this is"));
}

static void warn_idle(struct warnings *w, size_t set, size_t entry)
{
    const struct cts_known_entry *e = &set_at(w->k, set)->list->entries[entry];
    const struct cts_entry_count *c = &w->k->count[set][entry];
    const char *why = "";
    if (c->passed || c->explained || c->not_run || cts_keeper_higher(w->k, set, entry))
        return;
    struct cts_reach reach = cts_keeper_reach(w->k, set, entry);
    if (cts_keeper_cases(w->k, set, entry)) {
        /* Engines and versions that were not run may be those that it is about. */
        if (reach.engines == 0 || reach.run < reach.engines || e->versions)
            return;
        why = ": its cases fail in other ways";
    }
    warn(w, cts_arena_fmt(w->k->arena, "%s:%u: '%s' matches nothing%s", cts_path_from_here(e->file),
                          e->line, e->vectors, why));
}

static bool is_used(const struct cts_keeper *k, const struct cts_known_set *set)
{
    for (size_t i = 0; i < k->targets->count; i++)
        if (k->up[i] && (!set->rt || set->rt == k->targets->rt[i]))
            return true;
    return false;
}

const char *const *cts_keeper_warnings(struct cts_keeper *k)
{
    struct warnings w = {.k = k, .cap = 1};
    for (size_t s = 0; s < k->targets->set_count; s++)
        w.cap += set_at(k, s)->list->count + 2;
    w.list = cts_arena_take_array(k->arena, w.cap, sizeof(*w.list));
    if (!w.list)
        return NULL;
    for (size_t s = 0; s < k->targets->set_count; s++) {
        const struct cts_known_list *list = set_at(k, s)->list;
        if (!is_used(k, set_at(k, s)))
            continue;
        warn_dates(&w, list);
        warn_reasons(&w, list);
        for (size_t i = 0; k->opts.whole && i < list->count; i++)
            warn_idle(&w, s, i);
    }
    return k->failed ? NULL : w.list;
}
