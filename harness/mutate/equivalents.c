#include <string.h>

#include "load/yaml.h"
#include "mutate/run_impl.h"

/* Mutants that are the row itself, as a person says. */

static int note_equivalent(struct cts_mut_run *r, const struct cts_yaml *item, struct cts_err *err)
{
    const char *row, *op, *text, *why;
    int rc = cts_yaml_str(cts_yaml_get(item, "insn"), "insn", &row, err);
    if (rc == 0)
        rc = cts_yaml_str(cts_yaml_get(item, "operator"), "operator", &op, err);
    if (rc == 0)
        rc = cts_yaml_str(cts_yaml_get(item, "mutant"), "mutant", &text, err);
    if (rc == 0)
        rc = cts_yaml_str(cts_yaml_get(item, "why"), "why", &why, err);
    if (rc != 0)
        return rc;
    enum cts_insn_id id = cts_insn_find(row);
    bool of_rows = false;
    for (size_t i = 0; i < r->list->count; i++) {
        struct cts_mutant *m = &r->list->all[i];
        of_rows |= m->row == id;
        if (m->row != id || m->control || strcmp(m->op, op) != 0 || strcmp(m->text, text) != 0)
            continue;
        m->status = CTS_MUT_LISTED;
        m->reason = cts_arena_strdup(r->list->arena, why);
        return 0;
    }
    if (id != CTS_INSN_COUNT && !of_rows)
        return 0; /* not among those that run */
    return cts_yaml_error(item, CTS_E_NOTFOUND, err, "%s has no mutant '%s' by '%s'", row, text,
                          op);
}

int cts_mut_read_equivalents(struct cts_mut_run *r, struct cts_err *err)
{
    struct cts_arena arena;
    struct cts_yaml *root;
    if (!r->opts->equivalents)
        return 0;
    cts_arena_init(&arena, 0);
    int rc = cts_yaml_load(r->opts->equivalents, &arena, &root, err);
    if (rc == 0)
        rc = cts_yaml_want(root, CTS_YAML_SEQ, "the list of equivalents", err);
    for (size_t i = 0; rc == 0 && i < root->count; i++)
        rc = note_equivalent(r, root->items[i], err);
    cts_arena_release(&arena);
    return rc;
}
