/* Where the RFC leaves something open: ambiguities, and the policies that decide. */
#include <string.h>

#include "host/fs.h"
#include "load/spec_int.h"

static const char *const OPEN_WORDS[CTS_OPEN_COUNT + 1] = {
    [CTS_OPEN_DEFECT] = "defect",
    [CTS_OPEN_SILENT] = "silent",
    [CTS_OPEN_DISPUTE] = "dispute",
    [CTS_OPEN_LATER] = "later",
};

static const struct cts_schema_field AMBIGUITY_FIELDS[] = {
    {.key = "id", .type = CTS_SCHEMA_ID, .required = true, .doc = "A and two digits"},
    {.key = "section", .type = CTS_SCHEMA_STR, .required = true, .doc = "section of RFC 9669"},
    {.key = "kind",
     .type = CTS_SCHEMA_WORD,
     .required = true,
     .doc = "what kind of a question it is",
     .words = OPEN_WORDS},
    {.key = "question",
     .type = CTS_SCHEMA_STR,
     .required = true,
     .doc = "what the RFC leaves open"},
    {.key = "here", .type = CTS_SCHEMA_STR, .required = true, .doc = "what the rows do"},
    {.key = "policy", .type = CTS_SCHEMA_ID, .required = true, .doc = "the name of that"},
    {.key = "runtimes",
     .type = CTS_SCHEMA_MAP,
     .doc = "what implementations do, by name, with version"},
    {.key = "vectors",
     .type = CTS_SCHEMA_STRS,
     .doc = "vectors that show it: ids, or patterns with *"},
    {.key = "untested", .type = CTS_SCHEMA_STR, .doc = "why there are none"},
    {.key = NULL},
};

const char *cts_spec_open_name(enum cts_spec_open kind)
{
    return kind < CTS_OPEN_COUNT ? OPEN_WORDS[kind] : "?";
}

static int read_practices(struct cts_spec *spec, struct cts_spec_ambiguity *a, struct cts_err *err)
{
    const struct cts_yaml *map = cts_yaml_get(a->node, "runtimes");
    size_t count = map ? map->count : 0;
    int rc = 0;

    a->practices = cts_arena_take_array(&spec->arena, count + 1, sizeof(*a->practices));
    if (!a->practices)
        return cts_spec_no_memory(err);
    for (size_t i = 0; !rc && i < count; i++) {
        struct cts_spec_practice *p = &a->practices[a->practice_count++];
        p->runtime = map->keys[i]->text;
        rc = cts_yaml_str(map->items[i], p->runtime, &p->what, err);
    }
    return rc;
}

static int read_ambiguity(struct cts_spec *spec, const struct cts_yaml *node,
                          struct cts_spec_ambiguity *a, struct cts_err *err)
{
    *a = (struct cts_spec_ambiguity){
        .id = cts_spec_text(node, "id"),
        .section = cts_spec_text(node, "section"),
        .question = cts_spec_text(node, "question"),
        .here = cts_spec_text(node, "here"),
        .policy = cts_spec_text(node, "policy"),
        .untested = cts_spec_text(node, "untested"),
        .node = node,
    };
    while (strcmp(cts_spec_text(node, "kind"), OPEN_WORDS[a->kind]) != 0)
        a->kind++;
    int rc =
        cts_yaml_strs(cts_yaml_get(node, "vectors"), "vectors", &spec->arena, &a->vectors, err);
    if (!rc)
        rc = read_practices(spec, a, err);
    if (!rc && (a->vectors.count == 0) != (a->untested != NULL))
        rc = cts_yaml_error(node, CTS_E_SCHEMA, err, "%s: %s", a->id,
                            a->untested ? "'untested', but there are vectors"
                                        : "neither 'vectors' nor 'untested'");
    return rc;
}

int cts_ambiguities_load(struct cts_spec *spec, const char *path, struct cts_err *err)
{
    struct cts_yaml *root;
    int rc = cts_spec_list(spec, path, AMBIGUITY_FIELDS, "ambiguity", &root, err);

    if (rc)
        return rc;
    spec->ambiguity_count = 0;
    spec->ambiguities = cts_arena_take_array(&spec->arena, root->count, sizeof(*spec->ambiguities));
    if (!spec->ambiguities)
        return cts_spec_no_memory(err);
    for (size_t i = 0; i < root->count; i++) {
        const struct cts_yaml *node = root->items[i];
        if (cts_spec_ambiguity_find(spec, cts_spec_text(node, "id")))
            return cts_yaml_error(node, CTS_E_SCHEMA, err, "duplicate ambiguity %s",
                                  cts_spec_text(node, "id"));
        rc = read_ambiguity(spec, node, &spec->ambiguities[spec->ambiguity_count++], err);
        if (rc)
            return rc;
    }
    return 0;
}

static const struct cts_schema_field POLICY_FIELDS[] = {
    {.key = "id", .type = CTS_SCHEMA_ID, .required = true, .doc = "as vectors name it"},
    {.key = "of", .type = CTS_SCHEMA_STR, .required = true, .doc = "whose rule it is"},
    {.key = "statement", .type = CTS_SCHEMA_STR, .required = true, .doc = "what it holds"},
    {.key = NULL},
};

static int add_policy(struct cts_spec *spec, struct cts_spec_policy p, struct cts_err *err)
{
    if (cts_spec_policy_find(spec, p.id))
        return cts_yaml_error(p.node, CTS_E_SCHEMA, err, "duplicate policy %s", p.id);
    spec->policies[spec->policy_count++] = p;
    return 0;
}

/* What came after the RFC rests on nothing but its group: that is a policy, too. */
static int add_group_policies(struct cts_spec *spec, struct cts_err *err)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < spec->group_count; i++) {
        const struct cts_spec_group *g = &spec->groups[i];
        struct cts_spec_policy p = {
            .id = g->name, .of = g->of, .statement = g->description, .node = g->node};
        if (g->of)
            rc = add_policy(spec, p, err);
    }
    return rc;
}

int cts_policies_load(struct cts_spec *spec, const char *path, struct cts_err *err)
{
    struct cts_yaml *root = NULL;
    int rc =
        cts_fs_exists(path) ? cts_spec_list(spec, path, POLICY_FIELDS, "policy", &root, err) : 0;
    size_t count = root ? root->count : 0;

    spec->policy_count = 0;
    if (rc)
        return rc;
    spec->policies =
        cts_arena_take_array(&spec->arena, count + spec->group_count + 1, sizeof(*spec->policies));
    if (!spec->policies)
        return cts_spec_no_memory(err);
    for (size_t i = 0; !rc && i < count; i++) {
        const struct cts_yaml *node = root->items[i];
        struct cts_spec_policy p = {.id = cts_spec_text(node, "id"),
                                    .of = cts_spec_text(node, "of"),
                                    .statement = cts_spec_text(node, "statement"),
                                    .node = node};
        rc = add_policy(spec, p, err);
    }
    return rc ? rc : add_group_policies(spec, err);
}
