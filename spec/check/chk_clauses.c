/* Every clause is covered by a vector, tested by a rule, untestable for a reason, or listed with
 * the reason why there is no test yet; and every vector rests on something. */
#include <stdio.h>
#include <string.h>

#include "spec_check/check.h"
#include "spec_check/table.h"

enum { BY_VECTOR = 1, BY_RULE = 2, BY_ROW = 4, NOT_YET = 8 };

static size_t clause_index(const struct cts_spec *spec, const char *id)
{
    const struct cts_spec_clause *c = cts_spec_clause_find(spec, id);
    return c ? (size_t)(c - spec->clauses) : spec->clause_count;
}

static bool is_tested(const struct cts_spec_clause *c, enum cts_spec_how how)
{
    return c->tested & (1u << how);
}

/* anchors/proofs.tsv: which rule tests a statement about encodings, groups or the whole. */
static bool mark_rules(struct cts_check_run *run, uint8_t *how)
{
    static const char *const columns[] = {"clause", "rule", NULL};
    struct cts_table t;
    struct cts_err err = {0};

    if (cts_table_load(run->spec_dir, "proofs.tsv", columns, run->arena, &t, &err)) {
        cts_check_fault_err(run, &err);
        return false;
    }
    for (size_t i = 0; i < t.count; i++) {
        const struct cts_table_line *l = &t.lines[i];
        size_t c = clause_index(run->spec, l->field[0]);
        const struct cts_spec_clause *clause = &run->spec->clauses[c];
        if (c == run->spec->clause_count)
            cts_check_fault(run, t.path, l->line, "no clause '%s'", l->field[0]);
        else if (is_tested(clause, CTS_HOW_UNTESTABLE))
            cts_check_fault(run, t.path, l->line, "%s is called untestable", l->field[0]);
        else if (!cts_check_find(run->rules, l->field[1]))
            cts_check_fault(run, t.path, l->line, "no rule '%s'", l->field[1]);
        else
            how[c] |= BY_RULE;
    }
    return true;
}

/* anchors/untested.tsv: what has no test yet. */
static bool mark_untested(struct cts_check_run *run, uint8_t *how)
{
    static const char *const columns[] = {"id", "why", NULL};
    struct cts_table t;
    struct cts_err err = {0};

    if (cts_table_load(run->spec_dir, "untested.tsv", columns, run->arena, &t, &err)) {
        cts_check_fault_err(run, &err);
        return false;
    }
    for (size_t i = 0; i < t.count; i++) {
        size_t c = clause_index(run->spec, t.lines[i].field[0]);
        if (c < run->spec->clause_count)
            how[c] |= NOT_YET;
        else if (!cts_spec_verdict_find(run->spec, t.lines[i].field[0]))
            cts_check_fault(run, t.path, t.lines[i].line, "no clause or class '%s'",
                            t.lines[i].field[0]);
    }
    return true;
}

/* What a vector expects must follow from a clause that can be tested, or be a policy. */
static void mark_vector(struct cts_check_run *run, const struct cts_vec *v, uint8_t *how)
{
    bool rests = strcmp(v->policy, "rfc") != 0;

    for (size_t i = 0; i < v->clause_count; i++) {
        size_t c = clause_index(run->spec, v->clauses[i]);
        if (c == run->spec->clause_count)
            continue;
        how[c] |= BY_VECTOR;
        rests |= !is_tested(&run->spec->clauses[c], CTS_HOW_UNTESTABLE);
    }
    if (!rests)
        cts_check_fault(run, v->pos.file, v->pos.line, "%s rests on no clause that can be tested",
                        v->id);
}

static void mark_vectors(struct cts_check_run *run, const struct cts_check_vecs *vecs, uint8_t *how)
{
    for (size_t f = 0; f < vecs->file_count; f++) {
        for (size_t v = 0; v < vecs->files[f].count; v++)
            mark_vector(run, &vecs->files[f].vectors[v], how);
    }
}

static void mark_rows(const struct cts_spec *spec, uint8_t *how)
{
    for (size_t r = 0; r < spec->row_count; r++) {
        for (size_t i = 0; i < spec->rows[r].clauses.count; i++) {
            size_t c = clause_index(spec, spec->rows[r].clauses.list[i]);
            if (c < spec->clause_count)
                how[c] |= BY_ROW;
        }
    }
}

static void check_clause(struct cts_check_run *run, const struct cts_spec_clause *c, unsigned how)
{
    bool tested = how & BY_RULE || (how & BY_VECTOR && !is_tested(c, CTS_HOW_UNTESTABLE));

    run->looked++;
    if (is_tested(c, CTS_HOW_UNTESTABLE) && c->tested != 1u << CTS_HOW_UNTESTABLE)
        cts_check_fault_at(run, c->node, "%s is called untestable and tested", c->id);
    else if (how & NOT_YET && (tested || is_tested(c, CTS_HOW_UNTESTABLE)))
        cts_check_fault_at(run, c->node, "%s is in anchors/untested.tsv, but %s", c->id,
                           tested ? "it is tested" : "it is untestable");
    else if (!tested && !(how & NOT_YET) && !is_tested(c, CTS_HOW_UNTESTABLE))
        cts_check_fault_at(run, c->node, "%s: no vector rests on it, and no rule tests it", c->id);
}

static void run_clauses(struct cts_check_run *run)
{
    const struct cts_spec *spec = run->spec;
    const struct cts_check_vecs *vecs = cts_check_load_vectors(run);
    uint8_t *how = cts_check_take(run, spec->clause_count, sizeof(*how));
    size_t vectors = 0, rules = 0, rows = 0, not_yet = 0;

    if (!vecs || !how || !mark_rules(run, how) || !mark_untested(run, how))
        return;
    mark_vectors(run, vecs, how);
    mark_rows(spec, how);
    for (size_t i = 0; i < spec->clause_count; i++) {
        check_clause(run, &spec->clauses[i], how[i]);
        vectors += how[i] & BY_VECTOR ? 1 : 0;
        rules += how[i] & BY_RULE ? 1 : 0;
        rows += how[i] & BY_ROW ? 1 : 0;
        not_yet += how[i] & NOT_YET ? 1 : 0;
    }
    snprintf(run->more, sizeof(run->more),
             "%zu in vectors, %zu by rules, %zu named by rows, %zu without a test", vectors, rules,
             rows, not_yet);
}

const struct cts_check cts_check_clauses = {
    .name = "clauses",
    .what = "every clause is covered by a vector, tested by a rule, or untestable for a reason",
    .unit = "clauses",
    .run = run_clauses,
};
