/* Every row has a hand-written vector, and a sweep where it computes something; every class of
 * verdicts that follows from the RFC has a vector, or a reason why not; every vector can be loaded;
 * the vectors that ambiguities name exist. */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load/bugs.h"
#include "sema/sema.h"
#include "spec_check/check.h"
#include "spec_check/table.h"

enum { BY_HAND = 1, BY_VERDICT = 2, BY_SWEEP = 4 };

static void mark(const struct cts_spec *spec, const struct cts_vec *v, uint8_t *how,
                 uint8_t *classes)
{
    static const uint8_t bit[] = {
        [CTS_VK_RUN] = BY_HAND, [CTS_VK_SWEEP] = BY_SWEEP, [CTS_VK_VERDICT] = BY_VERDICT};

    for (size_t i = 0; i < v->row_count; i++) {
        const struct cts_spec_insn *row = cts_spec_insn_find(spec, v->rows[i]);
        if (row)
            how[row - spec->rows] |= bit[v->kind];
    }
    const struct cts_spec_verdict *class = cts_spec_verdict_find(spec, v->klass);
    if (class)
        classes[class - spec->verdicts] = 1;
}

/* A result that depends on operands alone: what a sweep can take its expected values from. */
static bool computes(const struct cts_spec_insn *row)
{
    const unsigned other = CTS_USES_CALL | CTS_USES_PLATFORM | CTS_USES_CHOOSE | CTS_USES_LOAD |
                           CTS_USES_STORE | CTS_USES_JUMP;
    bool operand = cts_sema_reads(row->sema, CTS_O_DST) || cts_sema_reads(row->sema, CTS_O_SRC);
    return operand && !(cts_sema_uses(row->sema) & other);
}

static void check_row(struct cts_check_run *run, const struct cts_spec_insn *row, unsigned how)
{
    const char *more =
        row->origin == CTS_ORIGIN_RFC
            ? ""
            : cts_arena_fmt(run->arena, "; add one to %s/post, with 'insns: [%s]' and 'policy: %s'",
                            run->vectors_dir, row->id, run->spec->groups[row->group].name);

    run->looked++;
    if (row->platform || !more)
        return;
    if (!(how & (BY_HAND | BY_VERDICT)))
        cts_check_fault_at(run, row->node, "row %s: no hand-written vector%s", row->id, more);
    else if (!row->slot && !(how & BY_HAND))
        cts_check_fault_at(run, row->node, "row %s: no vector that runs it%s", row->id, more);
    if (!row->slot && computes(row) && !(how & BY_SWEEP))
        cts_check_fault_at(run, row->node, "row %s: no sweep%s", row->id, more);
}

static bool is_listed(const struct cts_table *t, const char *id)
{
    for (size_t i = 0; i < t->count; i++) {
        if (!strcmp(t->lines[i].field[0], id))
            return true;
    }
    return false;
}

static size_t check_classes(struct cts_check_run *run, const uint8_t *classes)
{
    static const char *const columns[] = {"id", "why", NULL};
    struct cts_table t;
    struct cts_err err = {0};
    size_t with = 0;

    if (cts_table_load(run->spec_dir, "untested.tsv", columns, run->arena, &t, &err)) {
        cts_check_fault_err(run, &err);
        return 0;
    }
    for (size_t i = 0; i < run->spec->verdict_count; i++) {
        const struct cts_spec_verdict *v = &run->spec->verdicts[i];
        bool listed = is_listed(&t, v->id);
        with += classes[i];
        if (listed && classes[i])
            cts_check_fault_at(run, v->node, "class %s is in %s, but has a vector", v->id, t.path);
        if (!listed && !classes[i] && !strcmp(v->from, "rfc"))
            cts_check_fault_at(run, v->node, "class %s: no vector", v->id);
    }
    return with;
}

static bool has_vector(const struct cts_check_vecs *vecs, const char *pattern)
{
    for (size_t f = 0; f < vecs->file_count; f++) {
        for (size_t v = 0; v < vecs->files[f].count; v++) {
            if (!fnmatch(pattern, vecs->files[f].vectors[v].id, 0))
                return true;
        }
    }
    return false;
}

static size_t check_named(struct cts_check_run *run, const struct cts_check_vecs *vecs)
{
    size_t names = 0;

    for (size_t i = 0; i < run->spec->ambiguity_count; i++) {
        const struct cts_spec_ambiguity *a = &run->spec->ambiguities[i];
        for (size_t k = 0; k < a->vectors.count; k++) {
            names++;
            if (!has_vector(vecs, a->vectors.list[k]))
                cts_check_fault_at(run, a->node, "%s: no vector '%s'", a->id, a->vectors.list[k]);
        }
    }
    return names;
}

/* Bugs that vectors name are told of in bugs.yaml, and all of those are named. */
static void check_bugs(struct cts_check_run *run, const struct cts_check_vecs *vecs)
{
    struct cts_bugs bugs;
    struct cts_err err = {0};
    const char *path = cts_arena_fmt(run->arena, "%s/bugs.yaml", run->spec_dir);

    if (!path || cts_bugs_load(&bugs, path, run->arena, &err)) {
        cts_check_fault_err(run, &err);
        return;
    }
    uint8_t *named = cts_check_take(run, bugs.count + 1, 1);
    for (size_t f = 0; named && bugs.count && f < vecs->file_count; f++) {
        for (size_t v = 0; v < vecs->files[f].count; v++) {
            const struct cts_vec *vec = &vecs->files[f].vectors[v];
            for (size_t i = 0; i < vec->bug_count; i++) {
                const struct cts_bug *bug = cts_bug_find(&bugs, vec->bugs[i]);
                if (bug)
                    named[bug - bugs.bug] = 1;
                else
                    cts_check_fault(run, vec->pos.file, vec->pos.line, "%s: bug '%s' is not in %s",
                                    vec->id, vec->bugs[i], path);
            }
        }
    }
    for (size_t i = 0; named && i < bugs.count; i++)
        if (!named[i])
            cts_check_fault(run, path, 0, "bug %s: no vector names it", bugs.bug[i].id);
}

/* Ids are not given twice. */
static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void check_ids(struct cts_check_run *run, const struct cts_check_vecs *vecs)
{
    const char **ids = cts_check_take(run, vecs->vec_count, sizeof(*ids));
    size_t n = 0;

    for (size_t f = 0; ids && f < vecs->file_count; f++) {
        for (size_t v = 0; v < vecs->files[f].count; v++)
            ids[n++] = vecs->files[f].vectors[v].id;
    }
    if (ids)
        qsort(ids, n, sizeof(*ids), by_text);
    for (size_t i = 1; ids && i < n; i++) {
        if (!strcmp(ids[i - 1], ids[i]))
            cts_check_fault(run, run->vectors_dir, 0, "vector %s is there twice", ids[i]);
    }
}

static void mark_all(struct cts_check_run *run, const struct cts_check_vecs *vecs, uint8_t *how,
                     uint8_t *classes)
{
    for (size_t i = 0; i < vecs->fault_count; i++)
        cts_check_fault_err(run, &vecs->faults[i]);
    for (size_t f = 0; f < vecs->file_count; f++) {
        for (size_t v = 0; v < vecs->files[f].count; v++)
            mark(run->spec, &vecs->files[f].vectors[v], how, classes);
    }
}

static void run_vectors(struct cts_check_run *run)
{
    const struct cts_spec *spec = run->spec;
    const struct cts_check_vecs *vecs = cts_check_load_vectors(run);
    uint8_t *how = cts_check_take(run, spec->row_count, 1);
    uint8_t *classes = cts_check_take(run, spec->verdict_count, 1);
    size_t swept = 0, platform = 0;

    if (!vecs || !how || !classes)
        return;
    mark_all(run, vecs, how, classes);
    check_ids(run, vecs);
    check_bugs(run, vecs);
    for (size_t i = 0; i < spec->row_count; i++) {
        check_row(run, &spec->rows[i], how[i]);
        swept += how[i] & BY_SWEEP ? 1 : 0;
        platform += spec->rows[i].platform;
    }
    size_t with = check_classes(run, classes);
    size_t names = check_named(run, vecs);
    snprintf(run->more, sizeof(run->more),
             "%zu vectors, %zu rows swept, %zu need a platform, %zu of %zu classes, %zu patterns",
             vecs->vec_count, swept, platform, with, spec->verdict_count, names);
}

const struct cts_check cts_check_vectors = {
    .name = "vectors",
    .what = "every row has a hand-written vector, and a sweep where it computes something",
    .unit = "instructions",
    .run = run_vectors,
};
