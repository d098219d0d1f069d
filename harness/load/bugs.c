#include "load/bugs.h"

#include <string.h>

#include "host/fs.h"
#include "load/schema.h"
#include "load/yaml.h"

static const struct cts_schema_field FIELDS[] = {
    {.key = "id", .type = CTS_SCHEMA_STR, .required = true, .doc = "of a commit, CVE or thread"},
    {.key = "project", .type = CTS_SCHEMA_STR, .required = true, .doc = "whose bug it was"},
    {.key = "year", .type = CTS_SCHEMA_NUM, .doc = "when it was mended or told"},
    {.key = "says", .type = CTS_SCHEMA_STR, .required = true, .doc = "what was wrong, in a line"},
    {.key = "link", .type = CTS_SCHEMA_STR, .required = true, .doc = "where to read about it"},
    {.key = NULL},
};

static const char *text_of(const struct cts_yaml *item, const char *key)
{
    const struct cts_yaml *node = cts_yaml_get(item, key);

    return node ? node->text : NULL;
}

const struct cts_bug *cts_bug_find(const struct cts_bugs *bugs, const char *id)
{
    for (size_t i = 0; i < bugs->count; i++)
        if (strcmp(bugs->bug[i].id, id) == 0)
            return &bugs->bug[i];
    return NULL;
}

int cts_bugs_load(struct cts_bugs *bugs, const char *path, struct cts_arena *arena,
                  struct cts_err *err)
{
    struct cts_yaml *root;
    int rc;

    *bugs = (struct cts_bugs){0};
    if (!cts_fs_exists(path))
        return 0;
    rc = cts_yaml_load(path, arena, &root, err);
    if (!rc)
        rc = cts_yaml_want(root, CTS_YAML_SEQ, "the list of bugs", err);
    if (rc)
        return rc;
    bugs->bug = cts_arena_take_array(arena, root->count + 1, sizeof(*bugs->bug));
    if (!bugs->bug)
        return cts_err_set(err, CTS_E_NOMEM, "no memory for the bugs");
    for (size_t i = 0; i < root->count; i++) {
        const struct cts_yaml *item = root->items[i];
        rc = cts_schema_check(item, FIELDS, "bug", err);
        if (rc)
            return rc;
        if (cts_bug_find(bugs, text_of(item, "id")))
            return cts_yaml_error(item, CTS_E_SCHEMA, err, "bug %.80s is there twice",
                                  text_of(item, "id"));
        bugs->bug[bugs->count++] = (struct cts_bug){.id = text_of(item, "id"),
                                                    .project = text_of(item, "project"),
                                                    .says = text_of(item, "says"),
                                                    .link = text_of(item, "link"),
                                                    .year = text_of(item, "year")};
    }
    return 0;
}
