/* Writing the lists of known failures from a run. */
#include <stdlib.h>
#include <string.h>

#include "cli/keeper.h"
#include "cli/paths.h"
#include "host/fs.h"
#include "host/outfile.h"
#include "load/known_edit.h"
#include "report/text.h"

enum { REASON_MAX = 160 };

/* The list that all targets share, or SIZE_MAX. */
static size_t shared_set(const struct cts_targets *t)
{
    for (size_t i = 0; i < t->set_count; i++)
        if (!t->sets[i].rt)
            return i;
    return SIZE_MAX;
}

static size_t own_set(const struct cts_targets *t, const struct cts_rt *rt)
{
    for (size_t i = 0; i < t->set_count; i++)
        if (t->sets[i].rt == rt)
            return i;
    return SIZE_MAX;
}

int cts_keeper_check(const struct cts_targets *targets, struct cts_err *err)
{
    bool shared = shared_set(targets) != SIZE_MAX;
    for (size_t i = 0; i < targets->count; i++) {
        if (shared && targets->rt[i] != targets->rt[0])
            return cts_err_set(
                err, CTS_E_INVAL,
                "--update-known with --known writes one list: specify one runtime with -r");
        if (!shared && own_set(targets, targets->rt[i]) == SIZE_MAX)
            return cts_err_set(err, CTS_E_INVAL,
                               "%s has no folder with a known.yaml: specify a list with --known",
                               targets->list[i].runtime);
    }
    return 0;
}

/* ---- what is removed ---- */

/* Null: the entry can go. Else why it stays although cases that it covers pass. */
static const char *why_kept(struct cts_keeper *k, size_t set, size_t entry)
{
    const struct cts_entry_count *c = &k->count[set][entry];
    const struct cts_known_entry *e = &k->targets->sets[set].list->entries[entry];
    struct cts_reach reach = cts_keeper_reach(k, set, entry);
    if (c->explained || c->otherwise)
        return "others that it names fail";
    if (e->versions)
        return "it is about versions that were not run";
    if (reach.run < reach.engines)
        return cts_arena_fmt(k->arena, "engine %s was not run", reach.missing);
    if (cts_keeper_higher(k, set, entry))
        return "it names vectors of a higher level";
    if (strpbrk(e->vectors, "*?") && !k->opts.suite)
        return "not all of the suite was loaded";
    if (c->not_run || c->passed != cts_keeper_cases(k, set, entry) * reach.engines)
        return "others that it names were not run";
    return NULL;
}

/* ---- what is added ---- */

static int in_order(const void *a, const void *b)
{
    const struct cts_fresh *x = a, *y = b;
    if (x->vector != y->vector)
        return x->vector < y->vector ? -1 : 1;
    if (x->kase != y->kase)
        return x->kase < y->kase ? -1 : 1;
    if (x->failure != y->failure)
        return x->failure < y->failure ? -1 : 1;
    return x->target < y->target ? -1 : x->target > y->target;
}

/* Of one vector: do all of its cases fail in the same way on the same engine? */
static void find_wholes(const struct cts_keeper *k, struct cts_fresh *f, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t same = 0;
        for (size_t j = 0; j < n; j++)
            same += f[j].target == f[i].target && f[j].failure == f[i].failure &&
                    cts_known_same_list(f[j].variants, f[i].variants);
        f[i].whole = same == k->pack->vectors[f[i].vector].cases.count;
    }
}

/* Do the two make one entry? */
static bool belongs(const struct cts_fresh *a, const struct cts_fresh *b)
{
    return a->whole == b->whole && a->failure == b->failure &&
           cts_known_same_list(a->variants, b->variants) && (a->whole || a->kase == b->kase);
}

/* Of one vector's failures: the engines of those that make one entry with f[at]. */
static const char **engines_of(struct cts_keeper *k, const struct cts_fresh *f, size_t n, size_t at)
{
    size_t count = 0;
    const char **list = cts_arena_take_array(k->arena, k->targets->count + 1, sizeof(*list));
    for (size_t i = at; list && i < n; i++) {
        const char *key = k->targets->list[f[i].target].key;
        const char *engine = key ? key : k->engine[f[i].target];
        if (belongs(&f[i], &f[at]) && !cts_keeper_has(list, engine))
            list[count++] = engine;
    }
    return list;
}

/* The run's message as the beginning of a reason: one line of ASCII, not too long. */
static const char *make_reason(struct cts_keeper *k, const char *message)
{
    char *text = cts_arena_fmt(k->arena, CTS_KNOWN_UNEXPLAINED "%.*s", (int)REASON_MAX, message);
    for (char *p = text; p && *p; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
    return text;
}

static bool make_entry(struct cts_keeper *k, const struct cts_fresh *f, size_t n, size_t at,
                       struct cts_known_entry *out)
{
    const struct cts_pack *p = k->pack;
    const char *id = cts_pack_text(p, p->vectors[f[at].vector].id);
    *out = (struct cts_known_entry){
        .vectors = f[at].whole ? id
                               : cts_arena_fmt(k->arena, "%s#%s", id,
                                               cts_pack_text(p, p->cases[f[at].kase].name)),
        .engines = engines_of(k, f, n, at),
        .variants = f[at].variants,
        .failure = cts_failure_name(f[at].failure),
        .reason = make_reason(k, f[at].message),
        .clause = f[at].clause,
        .policy = f[at].policy,
        .link = f[at].link,
    };
    return out->vectors && out->engines && out->reason;
}

struct change {
    size_t set;
    bool *remove;
    size_t removed, kept;
    struct cts_known_entry *add;
    size_t added;
    struct cts_buf says;
    uint64_t left;
};

static bool is_first(const struct cts_fresh *f, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (belongs(&f[i], &f[at]))
            return false;
    return true;
}

static void say_entry(struct cts_buf *b, const char *sign, const struct cts_known_entry *e)
{
    cts_buf_addf(b, "  %s ", sign);
    cts_text_line(b, e->vectors);
    for (size_t i = 0; e->engines && e->engines[i]; i++) {
        cts_buf_adds(b, i ? ", " : " [");
        cts_text_line(b, e->engines[i]);
    }
    cts_buf_addf(b, "%s%s%s", e->engines ? "]" : "", e->failure ? " " : "",
                 e->failure ? e->failure : "");
}

/* The entries for the failures of one vector. */
static bool add_vector(struct cts_keeper *k, struct cts_fresh *f, size_t n, struct change *c)
{
    find_wholes(k, f, n);
    for (size_t i = 0; i < n; i++) {
        if (!is_first(f, i))
            continue;
        struct cts_known_entry *e = &c->add[c->added];
        if (!make_entry(k, f, n, i, e))
            return false;
        if (f[i].failure == CTS_FL_FLAKY) {
            say_entry(&c->says, "!", e);
            cts_buf_adds(&c->says, ": not the same twice, and so not put on record\n");
            for (size_t j = i; j < n; j++)
                c->left += belongs(&f[j], &f[i]);
            continue;
        }
        say_entry(&c->says, "+", e);
        cts_buf_addc(&c->says, '\n');
        c->added++;
    }
    return true;
}

static bool is_for(const struct cts_keeper *k, const struct cts_fresh *f, size_t set)
{
    const struct cts_rt *rt = k->targets->sets[set].rt;
    return !rt || k->targets->rt[f->target] == rt;
}

static int find_added(struct cts_keeper *k, struct change *c, struct cts_err *err)
{
    struct cts_fresh *f = cts_arena_take_array(k->arena, k->fresh_count + 1, sizeof(*f));
    size_t n = 0;
    c->add = cts_arena_take_array(k->arena, k->fresh_count + 1, sizeof(*c->add));
    bool good = f && c->add;
    for (size_t i = 0; good && i < k->fresh_count; i++)
        if (is_for(k, &k->fresh[i], c->set))
            f[n++] = k->fresh[i];
    if (n)
        qsort(f, n, sizeof(*f), in_order);
    for (size_t i = 0, end; good && i < n; i = end) {
        for (end = i; end < n && f[end].vector == f[i].vector;)
            end++;
        good = add_vector(k, f + i, end - i, c);
    }
    return good ? 0 : cts_err_set(err, CTS_E_NOMEM, "out of memory");
}

/* An item goes when all of its entries can. */
static void decide(struct cts_keeper *k, struct change *c, const char **why)
{
    const struct cts_known_list *list = k->targets->sets[c->set].list;
    for (size_t i = 0; i < list->items; i++)
        c->remove[i] = true;
    for (size_t i = 0; i < list->count; i++) {
        bool passed = k->count[c->set][i].passed != 0;
        why[i] = passed ? why_kept(k, c->set, i) : NULL;
        if (!passed || why[i])
            c->remove[list->entries[i].item] = false;
    }
    for (size_t i = 0; i < list->items; i++)
        c->removed += c->remove[i];
    c->kept = list->items - c->removed;
}

static int find_removed(struct cts_keeper *k, struct change *c, struct cts_err *err)
{
    const struct cts_known_list *list = k->targets->sets[c->set].list;
    const char **why = cts_arena_take_array(k->arena, list->count + 1, sizeof(*why));
    c->remove = cts_arena_take_array(k->arena, list->items + 1, sizeof(*c->remove));
    if (!why || !c->remove)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    decide(k, c, why);
    for (size_t i = 0; i < list->count; i++) {
        const struct cts_known_entry *e = &list->entries[i];
        uint64_t passed = k->count[c->set][i].passed;
        if (!passed)
            continue;
        say_entry(&c->says, c->remove[e->item] ? "-" : "=", e);
        if (!c->remove[e->item]) {
            cts_buf_addf(&c->says, " (line %u) stays although %llu cases pass: %s", e->line,
                         (unsigned long long)passed,
                         why[i] ? why[i] : "other patterns of its entry do not pass");
            c->left += passed;
        }
        cts_buf_addc(&c->says, '\n');
    }
    return 0;
}

/* ---- writing ---- */

/* Somebody else may have written it since it was read. */
static int check_unchanged(const struct cts_known_list *list, struct cts_err *err)
{
    struct cts_buf now;
    bool exists = cts_fs_exists(list->path);
    cts_buf_init(&now, 0);
    int rc = exists ? cts_fs_read(list->path, 0, &now, err) : 0;
    if (rc == 0 && (exists != list->exists || now.len != list->len ||
                    memcmp(cts_buf_text(&now), list->text, list->len) != 0))
        rc = cts_err_at(err, CTS_E_IO, list->path, 0, 0,
                        "it was changed while the run went on, and is left as it is");
    cts_buf_release(&now);
    return rc;
}

static int write_list(const struct cts_known_list *list, const struct change *c,
                      struct cts_err *err)
{
    struct cts_buf text;
    cts_buf_init(&text, 0);
    int rc = cts_known_edit(list, c->remove, c->add, c->added, &text, err);
    if (rc == 0)
        rc = check_unchanged(list, err);
    if (rc == 0)
        rc = cts_outfile_write(list->path, cts_buf_text(&text), text.len, err);
    cts_buf_release(&text);
    return rc;
}

static void say_change(const struct cts_known_list *list, struct change *c, FILE *say)
{
    struct cts_buf b;
    cts_buf_init(&b, 0);
    cts_text_line(&b, cts_path_from_here(list->path));
    cts_buf_addf(&b, ": added %zu, removed %zu, kept %zu\n", c->added, c->removed, c->kept);
    cts_text_flush(&b, say);
    cts_text_flush(&c->says, say);
    cts_buf_release(&b);
}

static int update_set(struct cts_keeper *k, size_t set, FILE *say, uint64_t *left,
                      struct cts_err *err)
{
    const struct cts_known_list *list = k->targets->sets[set].list;
    struct change c = {.set = set};
    cts_buf_init(&c.says, 0);
    int rc = find_removed(k, &c, err);
    if (rc == 0)
        rc = find_added(k, &c, err);
    if (rc == 0 && c.added + c.removed)
        rc = write_list(list, &c, err);
    if (rc == 0)
        say_change(list, &c, say);
    *left += c.left;
    cts_buf_release(&c.says);
    return rc;
}

/* Unexpected passes that lists account for which are not written. */
static uint64_t passes_of_others(const struct cts_keeper *k, size_t shared)
{
    uint64_t n = 0;
    for (size_t s = 0; shared != SIZE_MAX && s < k->targets->set_count; s++)
        for (size_t i = 0; s != shared && i < k->targets->sets[s].list->count; i++)
            n += k->count[s][i].passed;
    return n;
}

int cts_keeper_update(struct cts_keeper *k, FILE *say, uint64_t *left, struct cts_err *err)
{
    size_t shared = shared_set(k->targets);
    int rc = k->failed ? cts_err_set(err, CTS_E_NOMEM, "out of memory") : 0;
    *left = passes_of_others(k, shared);
    for (size_t s = 0; rc == 0 && s < k->targets->set_count; s++)
        if (shared == SIZE_MAX || s == shared)
            rc = update_set(k, s, say, left, err);
    return rc;
}
