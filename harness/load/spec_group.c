/* Conformance groups. */
#include <string.h>

#include "base/nearest.h"
#include "load/spec_int.h"

static const char *const STATUS_WORDS[] = {"permanent", "provisional", "historical", "unregistered",
                                           NULL};

static const struct cts_schema_field GROUP_FIELDS[] = {
    {.key = "name", .type = CTS_SCHEMA_ID, .required = true, .doc = "label"},
    {.key = "section",
     .type = CTS_SCHEMA_STR,
     .required = true,
     .doc = "section of RFC 9669, or none"},
    {.key = "description", .type = CTS_SCHEMA_STR, .required = true, .doc = "what is in it"},
    {.key = "includes",
     .type = CTS_SCHEMA_STRS,
     .required = true,
     .doc = "groups above it in the file that it holds"},
    {.key = "excludes",
     .type = CTS_SCHEMA_STRS,
     .required = true,
     .doc = "groups whose rows it does not hold"},
    {.key = "status",
     .type = CTS_SCHEMA_WORD,
     .required = true,
     .doc = "status in the registry",
     .words = STATUS_WORDS},
    {.key = "of",
     .type = CTS_SCHEMA_STR,
     .doc = "whose rule it is; of groups that are unregistered"},
    {.key = NULL},
};

static size_t find(const struct cts_spec *spec, const char *name)
{
    size_t g = 0;

    while (g < spec->group_count && strcmp(spec->groups[g].name, name) != 0)
        g++;
    return g;
}

static int unknown_group(const struct cts_spec *spec, const struct cts_yaml *at,
                         struct cts_err *err)
{
    const char *names[CTS_SPEC_GROUPS_MAX];

    for (size_t g = 0; g < spec->group_count; g++)
        names[g] = spec->groups[g].name;
    const char *near = cts_nearest(at->text, names, spec->group_count);
    return cts_yaml_error(at, CTS_E_SCHEMA, err,
                          "no group '%s'%s%s%s; a new one is an item of groups.yaml", at->text,
                          near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

int cts_spec_read_group(const struct cts_spec *spec, const struct cts_yaml *node, unsigned *group,
                        struct cts_err *err)
{
    *group = (unsigned)find(spec, node->text);
    return *group == spec->group_count ? unknown_group(spec, node, err) : 0;
}

static int group_set(const struct cts_spec *spec, const struct cts_yaml *list, uint32_t *set,
                     struct cts_err *err)
{
    for (size_t i = 0; i < list->count; i++) {
        size_t g = find(spec, list->items[i]->text);
        if (g == spec->group_count)
            return unknown_group(spec, list->items[i], err);
        *set |= spec->groups[g].includes;
    }
    return 0;
}

static int add_group(struct cts_spec *spec, const struct cts_yaml *node, struct cts_err *err)
{
    struct cts_spec_group g = {
        .name = cts_spec_text(node, "name"),
        .section = cts_spec_text(node, "section"),
        .description = cts_spec_text(node, "description"),
        .status = cts_spec_text(node, "status"),
        .of = cts_spec_text(node, "of"),
        .includes = (uint32_t)1 << spec->group_count,
        .node = node,
    };

    if (find(spec, g.name) < spec->group_count)
        return cts_yaml_error(cts_yaml_get(node, "name"), CTS_E_SCHEMA, err, "duplicate group '%s'",
                              g.name);
    if (!strcmp(g.status, "unregistered") != (g.of != NULL))
        return cts_yaml_error(node, CTS_E_SCHEMA, err, "group '%s': %s", g.name,
                              g.of ? "it is registered: 'of' is for those that are not"
                                   : "it is unregistered: 'of' must say whose rule it is");
    int rc = group_set(spec, cts_yaml_get(node, "includes"), &g.includes, err);
    if (!rc)
        rc = group_set(spec, cts_yaml_get(node, "excludes"), &g.excludes, err);
    if (!rc)
        spec->groups[spec->group_count++] = g;
    return rc;
}

int cts_groups_load(struct cts_spec *spec, const char *path, struct cts_err *err)
{
    struct cts_yaml *root;
    int rc = cts_spec_list(spec, path, GROUP_FIELDS, "group", &root, err);

    if (rc)
        return rc;
    if (root->count > CTS_SPEC_GROUPS_MAX)
        return cts_yaml_error(root, CTS_E_LIMIT, err, "more than %d groups", CTS_SPEC_GROUPS_MAX);
    spec->group_count = 0;
    spec->groups = cts_arena_take_array(&spec->arena, root->count, sizeof(*spec->groups));
    if (!spec->groups)
        return cts_spec_no_memory(err);
    for (size_t i = 0; !rc && i < root->count; i++)
        rc = add_group(spec, root->items[i], err);
    return rc;
}
