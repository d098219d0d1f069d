#include "cli/select.h"

#include <stdio.h>
#include <string.h>

#include "core/core.h"
#include "generated/spec_text.h"

bool cts_select_add(const char **list, unsigned *count, const char *value)
{
    if (*count == CTS_SELECT_MAX)
        return false;
    list[(*count)++] = value;
    return true;
}

/* Digits only, at most nine of them. */
static bool whole_number(const char *from, const char *to, unsigned *out)
{
    *out = 0;
    if (from == to || to - from > 9)
        return false;
    for (; from < to && *from >= '0' && *from <= '9'; from++)
        *out = *out * 10 + (unsigned)(*from - '0');
    return from == to;
}

bool cts_select_shard(struct cts_selector *s, const char *text)
{
    const char *slash = strchr(text, '/');
    return slash && whole_number(text, slash, &s->shard) &&
           whole_number(slash + 1, text + strlen(text), &s->shards) && s->shard >= 1 &&
           s->shard <= s->shards;
}

int cts_select_check(const struct cts_selector *s, struct cts_err *err)
{
    for (unsigned i = 0; i < s->groups; i++)
        if (cts_group_find(s->group[i]) == CTS_GROUP_COUNT)
            return cts_err_set(err, CTS_E_NOTFOUND,
                               "unknown group '%s'; \"ebpf-cts list groups\" lists them",
                               s->group[i]);
    for (unsigned i = 0; i < s->rows; i++)
        if (cts_insn_find(s->row[i]) == CTS_INSN_COUNT)
            return cts_err_set(err, CTS_E_NOTFOUND,
                               "unknown instruction '%s'; \"ebpf-cts list insns\" lists them",
                               s->row[i]);
    for (unsigned i = 0; i < s->clauses; i++)
        if (!cts_clause_text_find(s->clause[i]))
            return cts_err_set(err, CTS_E_NOTFOUND,
                               "unknown clause '%s'; \"ebpf-cts list clauses\" lists them",
                               s->clause[i]);
    return 0;
}

static bool matches(const char *pattern, const char *id, const char *full)
{
    if (strpbrk(pattern, "*?"))
        return cts_glob(pattern, id) || cts_glob(pattern, full);
    return strchr(pattern, '#') ? strcmp(pattern, full) == 0 : strstr(id, pattern) != NULL;
}

static bool matches_one(const char *const *list, unsigned n, const char *id, const char *full)
{
    for (unsigned i = 0; i < n; i++)
        if (matches(list[i], id, full))
            return true;
    return false;
}

static bool in_groups(const struct cts_selector *s, const struct cts_pk_vector *v)
{
    for (unsigned i = 0; i < s->groups; i++)
        if (v->group == cts_group_find(s->group[i]))
            return true;
    return s->groups == 0;
}

static bool has_row(const struct cts_selector *s, const struct cts_pack *p,
                    const struct cts_pk_vector *v)
{
    for (unsigned i = 0; i < s->rows; i++)
        for (uint32_t k = 0; k < v->rows.count; k++)
            if (p->insn_ids[v->rows.first + k] == cts_insn_find(s->row[i]))
                return true;
    return s->rows == 0;
}

static bool has_clause(const struct cts_selector *s, const struct cts_pack *p,
                       const struct cts_pk_vector *v)
{
    for (unsigned i = 0; i < s->clauses; i++)
        for (uint32_t k = 0; k < v->clauses.count; k++)
            if (strcmp(cts_pack_text(p, p->string_refs[v->clauses.first + k]), s->clause[i]) == 0)
                return true;
    return s->clauses == 0;
}

static bool is_named(const struct cts_selector *s, const struct cts_pack *p,
                     const struct cts_pk_vector *v, uint32_t kase)
{
    char full[512];
    const char *id = cts_pack_text(p, v->id);
    snprintf(full, sizeof(full), "%s#%s", id, cts_pack_text(p, p->cases[kase].name));
    return (s->filters == 0 || matches_one(s->filter, s->filters, id, full)) &&
           !matches_one(s->exclude, s->excludes, id, full);
}

static uint64_t select_vector(const struct cts_selector *s, const struct cts_pack *p,
                              const struct cts_pk_vector *v, uint8_t *cases)
{
    uint64_t count = 0;
    if (!in_groups(s, v) || !has_row(s, p, v) || !has_clause(s, p, v))
        return 0;
    for (uint32_t c = v->cases.first; c < v->cases.first + v->cases.count; c++) {
        cases[c] = is_named(s, p, v, c);
        count += cases[c];
    }
    return count;
}

uint64_t cts_select(const struct cts_selector *s, const struct cts_pack *pack, uint8_t *cases,
                    uint8_t *vectors)
{
    uint64_t all = 0, index = 0;
    for (uint32_t i = 0; i < pack->vector_count; i++) {
        const struct cts_pk_vector *v = &pack->vectors[i];
        uint64_t n = select_vector(s, pack, v, cases);
        if (n && s->shards && index++ % s->shards != s->shard - 1) {
            memset(cases + v->cases.first, 0, v->cases.count);
            n = 0;
        }
        vectors[i] = n != 0;
        all += n;
    }
    return all;
}

/* ---- values that do nothing ---- */

static bool fits_any(const struct cts_selector *s, const struct cts_pack *p)
{
    for (uint32_t i = 0; i < p->vector_count; i++) {
        const struct cts_pk_vector *v = &p->vectors[i];
        if (!in_groups(s, v) || !has_row(s, p, v) || !has_clause(s, p, v))
            continue;
        for (uint32_t c = v->cases.first; c < v->cases.first + v->cases.count; c++)
            if (is_named(s, p, v, c))
                return true;
    }
    return false;
}

void cts_select_idle(const struct cts_selector *s, const struct cts_pack *pack,
                     void (*tell)(const char *option, const char *value))
{
    for (unsigned i = 0; i < s->filters; i++)
        if (!fits_any(&(struct cts_selector){.filter = {s->filter[i]}, .filters = 1}, pack))
            tell("--filter", s->filter[i]);
    for (unsigned i = 0; i < s->excludes; i++)
        if (!fits_any(&(struct cts_selector){.filter = {s->exclude[i]}, .filters = 1}, pack))
            tell("--exclude", s->exclude[i]);
    for (unsigned i = 0; i < s->groups; i++)
        if (!fits_any(&(struct cts_selector){.group = {s->group[i]}, .groups = 1}, pack))
            tell("--group", s->group[i]);
    for (unsigned i = 0; i < s->rows; i++)
        if (!fits_any(&(struct cts_selector){.row = {s->row[i]}, .rows = 1}, pack))
            tell("--insn", s->row[i]);
    for (unsigned i = 0; i < s->clauses; i++)
        if (!fits_any(&(struct cts_selector){.clause = {s->clause[i]}, .clauses = 1}, pack))
            tell("--clause", s->clause[i]);
}
