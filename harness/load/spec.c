/* The whole specification: its files in order, and the references between them. */
#include <string.h>

#include "load/spec_int.h"

void cts_spec_init(struct cts_spec *spec)
{
    memset(spec, 0, sizeof(*spec));
    cts_arena_init(&spec->arena, (size_t)256 << 20);
}

void cts_spec_release(struct cts_spec *spec)
{
    cts_arena_release(&spec->arena);
    memset(spec, 0, sizeof(*spec));
}

static int check_ambiguity_refs(const struct cts_spec *spec, const struct cts_yaml *owner,
                                struct cts_err *err)
{
    const struct cts_yaml *list = cts_yaml_get(owner, "ambiguities");

    for (size_t i = 0; list && i < list->count; i++) {
        if (!cts_spec_ambiguity_find(spec, list->items[i]->text))
            return cts_yaml_error(list->items[i], CTS_E_SCHEMA, err, "no ambiguity '%s'",
                                  list->items[i]->text);
    }
    return 0;
}

static int check_clause_refs(const struct cts_spec *spec, const struct cts_yaml *owner,
                             struct cts_err *err)
{
    const struct cts_yaml *list = cts_yaml_get(owner, "clauses");

    for (size_t i = 0; i < list->count; i++) {
        if (!cts_spec_clause_find(spec, list->items[i]->text))
            return cts_yaml_error(list->items[i], CTS_E_SCHEMA, err, "no clause '%s'",
                                  list->items[i]->text);
    }
    return 0;
}

static int check_refs(const struct cts_spec *spec, struct cts_err *err)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < spec->row_count; i++)
        rc = check_clause_refs(spec, spec->rows[i].node, err);
    for (size_t i = 0; !rc && i < spec->row_count; i++)
        rc = check_ambiguity_refs(spec, spec->rows[i].node, err);
    for (size_t i = 0; !rc && i < spec->verdict_count; i++)
        rc = check_clause_refs(spec, spec->verdicts[i].node, err);
    return rc;
}

int cts_spec_load(struct cts_spec *spec, const char *dir, struct cts_err *err)
{
    static const struct {
        const char *name;
        int (*load)(struct cts_spec *, const char *, struct cts_err *);
    } parts[] = {
        {"groups.yaml", cts_groups_load},           {"isa", cts_insns_load},
        {"clauses.yaml", cts_clauses_load},         {"verdicts.yaml", cts_verdicts_load},
        {"ambiguities.yaml", cts_ambiguities_load}, {"policies.yaml", cts_policies_load},
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const char *path = cts_arena_fmt(&spec->arena, "%s/%s", dir, parts[i].name);
        int rc = path ? parts[i].load(spec, path, err) : cts_spec_no_memory(err);
        if (rc)
            return rc;
    }
    return check_refs(spec, err);
}
