#include "report/tally.h"

#include <stdlib.h>
#include <string.h>

#include "report/text.h"

void cts_tally_init(struct cts_tally *t)
{
    *t = (struct cts_tally){0};
}

void cts_tally_release(struct cts_tally *t)
{
    for (size_t i = 0; i < t->count; i++) {
        free(t->lines[i].engine);
        free(t->lines[i].key);
        free(t->lines[i].policy);
        free(t->lines[i].vector);
    }
    free(t->lines);
}

/* ---- counting ---- */

static const char *policy_of(const struct cts_result *r)
{
    return r->policy && strcmp(r->policy, "rfc") != 0 ? r->policy : "";
}

static bool is_engine(const struct cts_tally_line *l, const struct cts_result *r)
{
    size_t n = strlen(r->runtime);
    return strncmp(l->engine, r->runtime, n) == 0 && l->engine[n] == ':' &&
           strcmp(l->engine + n + 1, r->engine) == 0;
}

static bool is_line(const struct cts_tally_line *l, const struct cts_result *r, const char *key)
{
    return strcmp(l->key, key) == 0 && strcmp(l->policy, policy_of(r)) == 0 && is_engine(l, r);
}

static bool grow(struct cts_tally *t)
{
    size_t cap = t->cap ? t->cap * 2 : 32;
    struct cts_tally_line *bigger = realloc(t->lines, cap * sizeof(*bigger));
    if (!bigger)
        return false;
    t->lines = bigger;
    t->cap = cap;
    return true;
}

/* The engine's place: that of a line it has already, or the next. */
static unsigned order_of(struct cts_tally *t, const struct cts_result *r)
{
    for (size_t i = t->count; i-- > 0;)
        if (is_engine(&t->lines[i], r))
            return t->lines[i].order;
    return t->engines++;
}

static struct cts_tally_line *new_line(struct cts_tally *t, const struct cts_result *r,
                                       const char *key)
{
    char *engine = malloc(strlen(r->runtime) + strlen(r->engine) + 2);
    struct cts_tally_line l = {.key = strdup(key), .policy = strdup(policy_of(r))};
    l.engine = engine;
    l.vector = strdup("");
    if (!engine || !l.key || !l.policy || !l.vector || (t->count == t->cap && !grow(t))) {
        free(engine);
        free(l.key);
        free(l.policy);
        free(l.vector);
        return NULL;
    }
    strcpy(engine, r->runtime);
    strcat(engine, ":");
    strcat(engine, r->engine);
    l.order = order_of(t, r);
    t->lines[t->count] = l;
    return &t->lines[t->count++];
}

static struct cts_tally_line *find_line(struct cts_tally *t, const struct cts_result *r,
                                        const char *key)
{
    /* One result is mostly like the one before. */
    if (t->last < t->count && is_line(&t->lines[t->last], r, key))
        return &t->lines[t->last];
    for (size_t i = 0; i < t->count; i++)
        if (is_line(&t->lines[i], r, key)) {
            t->last = i;
            return &t->lines[i];
        }
    t->last = t->count;
    return new_line(t, r, key);
}

void cts_tally_add(struct cts_tally *t, const struct cts_result *r, const char *key)
{
    struct cts_tally_line *l = find_line(t, r, key);
    if (!l) {
        t->failed = true;
        return;
    }
    l->status[r->status]++;
    if (r->failure != CTS_FL_NONE)
        l->failures[r->failure]++;
    if (r->skip != CTS_SK_NONE)
        l->skips[r->skip]++;
    if (strcmp(l->vector, r->vector) == 0)
        return;
    l->vectors++;
    char *vector = strdup(r->vector);
    t->failed |= !vector;
    if (vector) {
        free(l->vector);
        l->vector = vector;
    }
}

void cts_tally_clauses(struct cts_tally *t, const struct cts_result *r)
{
    if (!r->clauses || !r->clauses[0])
        cts_tally_add(t, r, "");
    for (size_t i = 0; r->clauses && r->clauses[i]; i++)
        cts_tally_add(t, r, r->clauses[i]);
}

/* ---- order ---- */

static int by_key(const struct cts_tally_line *a, const struct cts_tally_line *b)
{
    int d = strcmp(a->key, b->key);
    return d ? d : strcmp(a->policy, b->policy);
}

static int by_engine(const struct cts_tally_line *a, const struct cts_tally_line *b)
{
    return a->order < b->order ? -1 : a->order > b->order;
}

static int engine_first(const void *a, const void *b)
{
    int d = by_engine(a, b);
    return d ? d : by_key(a, b);
}

static int key_first(const void *a, const void *b)
{
    int d = by_key(a, b);
    return d ? d : by_engine(a, b);
}

void cts_tally_sort(struct cts_tally *t, enum cts_tally_order order)
{
    if (t->count)
        qsort(t->lines, t->count, sizeof(*t->lines),
              order == CTS_TALLY_BY_ENGINE ? engine_first : key_first);
    t->last = t->count;
}

/* ---- words ---- */

void cts_tally_name(struct cts_buf *b, const struct cts_tally_line *l,
                    const struct cts_report_opts *opts)
{
    const char *section = opts->section && l->key[0] ? opts->section(l->key) : NULL;
    cts_text_line(b, l->key);
    if (section)
        cts_buf_addf(b, " (RFC 9669 section %s)", section);
    if (l->policy[0])
        cts_buf_addf(b, "%spolicy ", l->key[0] ? " by " : "");
    cts_text_line(b, l->policy);
}

void cts_tally_failures(struct cts_buf *b, const struct cts_tally_line *l)
{
    bool first = true;
    for (unsigned i = CTS_FL_NONE + 1; i < CTS_FL_COUNT; i++) {
        if (!l->failures[i])
            continue;
        cts_buf_addf(b, "%s%s %llu", first ? "" : ", ", cts_failure_name((enum cts_failure)i),
                     (unsigned long long)l->failures[i]);
        first = false;
    }
}

/* ---- conformance ---- */

static void add_counts(struct cts_tally_line *sum, const struct cts_tally_line *l)
{
    for (unsigned i = 0; i < CTS_ST_COUNT; i++)
        sum->status[i] += l->status[i];
    for (unsigned i = 0; i < CTS_FL_COUNT; i++)
        sum->failures[i] += l->failures[i];
    for (unsigned i = 0; i < CTS_SK_COUNT; i++)
        sum->skips[i] += l->skips[i];
}

struct cts_tally_line cts_tally_basis(const struct cts_tally *t, size_t i, size_t *end)
{
    struct cts_tally_line basis = t->lines[i];
    for (*end = i + 1; *end < t->count; ++*end) {
        const struct cts_tally_line *l = &t->lines[*end];
        if (l->order != basis.order || strcmp(l->key, basis.key) != 0)
            break;
        if (basis.policy[0])
            add_counts(&basis, l);
    }
    return basis;
}

enum cts_conformance cts_tally_conformance(const struct cts_tally_line *l)
{
    uint64_t bad = l->status[CTS_ST_FAIL] + l->status[CTS_ST_XFAIL] + l->skips[CTS_SK_UNSUPPORTED];
    if (l->skips[CTS_SK_NOT_CLAIMED])
        return CTS_CF_NOT_CLAIMED;
    if (bad)
        return CTS_CF_NOT_CONFORMANT;
    /* An error is no verdict on the runtime, and what passes against the record does pass. */
    if (l->status[CTS_ST_ERROR] || l->skips[CTS_SK_UNTESTABLE] ||
        l->status[CTS_ST_PASS] + l->status[CTS_ST_XPASS] == 0)
        return CTS_CF_NOT_TESTED;
    return CTS_CF_CONFORMANT;
}

const char *cts_tally_verdict(const struct cts_tally_line *basis, const struct cts_summary *s)
{
    bool policy = basis->policy[0] != '\0';
    switch (cts_tally_conformance(basis)) {
    case CTS_CF_CONFORMANT:
        if (s->end != CTS_END_WHOLE)
            return "not tested to the end";
        return policy ? "conformant by policy" : "conformant";
    case CTS_CF_NOT_CONFORMANT:
        return policy ? "not conformant by policy" : "not conformant";
    case CTS_CF_NOT_CLAIMED:
        return "not claimed";
    case CTS_CF_NOT_TESTED:
        return "not tested";
    }
    return "unknown";
}
