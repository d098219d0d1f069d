/* What all files of the specification have in common: lists of items that have an id. */
#include <stdlib.h>
#include <string.h>

#include "load/spec_int.h"

int cts_spec_no_memory(struct cts_err *err)
{
    return cts_err_set(err, CTS_E_NOMEM, "out of memory");
}

const char *cts_spec_text(const struct cts_yaml *map, const char *key)
{
    const struct cts_yaml *node = cts_yaml_get(map, key);
    return node ? node->text : NULL;
}

int cts_spec_list(struct cts_spec *spec, const char *path, const struct cts_schema_field *fields,
                  const char *what, struct cts_yaml **out, struct cts_err *err)
{
    int rc = cts_yaml_load(path, &spec->arena, out, err);

    if (!rc)
        rc = cts_yaml_want(*out, CTS_YAML_SEQ, "the file", err);
    for (size_t i = 0; !rc && i < (*out)->count; i++)
        rc = cts_schema_check((*out)->items[i], fields, what, err);
    return rc;
}

/* The item of that id, which is what each kind of item begins with. */
static const void *find(const void *items, size_t count, size_t bytes, const char *id)
{
    for (size_t i = 0; i < count; i++) {
        const char *item = (const char *)items + i * bytes;
        const char *its_id;
        memcpy(&its_id, item, sizeof(its_id));
        if (!strcmp(its_id, id))
            return item;
    }
    return NULL;
}

static int by_id(const void *a, const void *b)
{
    const struct cts_spec_insn *x = a, *y = b;
    return strcmp(x->id, y->id);
}

void cts_spec_sort_insns(struct cts_spec *spec)
{
    qsort(spec->rows, spec->row_count, sizeof(*spec->rows), by_id);
}

const struct cts_spec_insn *cts_spec_insn_find(const struct cts_spec *spec, const char *id)
{
    struct cts_spec_insn key = {.id = id};

    if (!spec->row_count)
        return NULL;
    return bsearch(&key, spec->rows, spec->row_count, sizeof(*spec->rows), by_id);
}

const struct cts_spec_clause *cts_spec_clause_find(const struct cts_spec *spec, const char *id)
{
    return find(spec->clauses, spec->clause_count, sizeof(*spec->clauses), id);
}

const struct cts_spec_verdict *cts_spec_verdict_find(const struct cts_spec *spec, const char *id)
{
    return find(spec->verdicts, spec->verdict_count, sizeof(*spec->verdicts), id);
}

const struct cts_spec_ambiguity *cts_spec_ambiguity_find(const struct cts_spec *spec,
                                                         const char *id)
{
    return find(spec->ambiguities, spec->ambiguity_count, sizeof(*spec->ambiguities), id);
}

const struct cts_spec_policy *cts_spec_policy_find(const struct cts_spec *spec, const char *id)
{
    return find(spec->policies, spec->policy_count, sizeof(*spec->policies), id);
}
