#include "load/known.h"

#include <string.h>

#include "host/buf.h"
#include "host/fs.h"
#include "load/schema.h"
#include "load/yaml.h"

static const struct cts_schema_field fields[] = {
    {"vectors", CTS_SCHEMA_STR_OR_STRS, true, "glob over vector ids, or id#case; or a list of them",
     NULL, NULL},
    {"engines", CTS_SCHEMA_STRS, false, "engines concerned; all if absent", NULL, NULL},
    {"variants", CTS_SCHEMA_STR_OR_STRS, false,
     "glob over the variants of a vector that fail, as reports and explain name them, or a list of "
     "them; !glob: all others; all if absent",
     NULL, NULL},
    {"versions", CTS_SCHEMA_STR, false, "range of the runtime's versions; all if absent", NULL,
     NULL},
    {"status", CTS_SCHEMA_STR, false, "kind of failure, as in reports; any if absent", NULL, NULL},
    {"sometimes", CTS_SCHEMA_BOOL, false,
     "it depends on something that no run decides: to pass is as expected as to fail", NULL, NULL},
    {"reason", CTS_SCHEMA_STR, true, "what the runtime does instead", NULL, NULL},
    {"link", CTS_SCHEMA_STR, false, "where it is reported", NULL, NULL},
    {"clause", CTS_SCHEMA_STR, false, "the clause it breaks", NULL, NULL},
    {"policy", CTS_SCHEMA_STR, false, "the policy it breaks, where the RFC is silent", NULL, NULL},
    {"review-by", CTS_SCHEMA_STR, false, "date after which it is to be looked at again", NULL,
     NULL},
    {0},
};

bool cts_known_same_list(const char **a, const char **b)
{
    size_t i = 0;
    if (!a || !b)
        return a == b;
    while (a[i] && b[i] && strcmp(a[i], b[i]) == 0)
        i++;
    return !a[i] && !b[i];
}

static const char *text_or_null(const struct cts_yaml *map, const char *key)
{
    const struct cts_yaml *n = cts_yaml_get(map, key);
    return n && n->kind == CTS_YAML_SCALAR ? n->text : NULL;
}

/* A list, ended by null, or one text; null if it is left out, which means all. */
static int read_list(const struct cts_yaml *map, const char *key, struct cts_arena *arena,
                     const char ***list, struct cts_err *err)
{
    const struct cts_yaml *node = cts_yaml_get(map, key);
    struct cts_yaml_strs strs;
    if (!node)
        return 0;
    int rc = cts_yaml_str_or_strs(node, key, arena, &strs, err);
    if (rc == 0 && strs.count == 0)
        rc = cts_yaml_error(node, CTS_E_SCHEMA, err, "%s: none; all, if it is left out", key);
    *list = rc == 0 ? strs.list : NULL;
    return rc;
}

static int read_sometimes(const struct cts_yaml *map, struct cts_known_entry *k,
                          struct cts_err *err)
{
    const struct cts_yaml *node = cts_yaml_get(map, "sometimes");
    return node ? cts_yaml_bool(node, "sometimes", &k->sometimes, err) : 0;
}

static int read_versions(const struct cts_yaml *map, struct cts_arena *arena,
                         struct cts_known_entry *k, struct cts_err *err)
{
    const struct cts_yaml *node = cts_yaml_get(map, "versions");
    if (!node)
        return 0;
    struct cts_version_range *range = cts_arena_take(arena, sizeof(*range));
    if (!range)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    const char *wrong = cts_version_parse(node->text, range);
    k->versions = range;
    return wrong
               ? cts_yaml_error(node, CTS_E_SCHEMA, err, "versions: '%.60s': %s", node->text, wrong)
               : 0;
}

/* The number that `n` digits make; 0 if not all are digits. */
static unsigned digits(const char *text, unsigned n)
{
    unsigned v = 0;
    for (unsigned i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        v = v * 10 + (unsigned)(text[i] - '0');
    }
    return v;
}

static bool is_date(const char *text)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-')
        return false;
    unsigned y = digits(text, 4), m = digits(text + 5, 2), d = digits(text + 8, 2);
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return y && m >= 1 && m <= 12 && d >= 1 && d <= days[m - 1] + (m == 2 && leap ? 1u : 0u);
}

static int read_date(const struct cts_yaml *map, struct cts_known_entry *k, struct cts_err *err)
{
    const struct cts_yaml *node = cts_yaml_get(map, "review-by");
    k->review_by = node ? node->text : NULL;
    return node && !is_date(node->text)
               ? cts_yaml_error(node, CTS_E_SCHEMA, err,
                                "review-by: '%.40s' is no date like 2027-06-30", node->text)
               : 0;
}

static int read_entry(const struct cts_yaml *item, struct cts_arena *arena,
                      struct cts_known_entry *k, struct cts_err *err)
{
    int rc = cts_schema_check(item, fields, "known failure", err);
    if (rc != 0)
        return rc;
    *k = (struct cts_known_entry){
        .failure = text_or_null(item, "status"),
        .reason = text_or_null(item, "reason"),
        .link = text_or_null(item, "link"),
        .clause = text_or_null(item, "clause"),
        .policy = text_or_null(item, "policy"),
        .file = item->file,
        .line = item->line,
        .col = item->col,
    };
    if (!k->link && !k->clause && !k->policy)
        return cts_yaml_error(item, CTS_E_SCHEMA, err,
                              "a known failure needs a link, or the clause or policy it breaks");
    rc = read_sometimes(item, k, err);
    if (rc == 0)
        rc = read_list(item, "engines", arena, &k->engines, err);
    if (rc == 0)
        rc = read_list(item, "variants", arena, &k->variants, err);
    if (rc == 0)
        rc = read_versions(item, arena, k, err);
    if (rc == 0)
        rc = read_date(item, k, err);
    return rc;
}

/* One entry for each of the item's globs. */
static int read_item(struct cts_known_list *out, const struct cts_yaml *item,
                     struct cts_arena *arena, struct cts_err *err)
{
    struct cts_known_entry one;
    struct cts_yaml_strs globs;
    int rc = read_entry(item, arena, &one, err);
    if (rc == 0)
        rc = cts_yaml_str_or_strs(cts_yaml_get(item, "vectors"), "vectors", arena, &globs, err);
    if (rc == 0 && globs.count == 0)
        rc = cts_yaml_error(cts_yaml_get(item, "vectors"), CTS_E_SCHEMA, err, "vectors: none");
    one.item = out->items++;
    for (size_t i = 0; rc == 0 && i < globs.count; i++) {
        one.vectors = globs.list[i];
        out->entries[out->count++] = one;
    }
    return rc;
}

/* Nothing but blank lines and comments? */
static bool is_void(const char *text)
{
    for (; *text; text += *text == '\n') {
        text += strspn(text, " \t\r");
        if (*text && *text != '\n' && *text != '#')
            return false;
        text += strcspn(text, "\n");
    }
    return true;
}

static size_t count_globs(const struct cts_yaml *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct cts_yaml *globs = cts_yaml_get(list->items[i], "vectors");
        n += globs && globs->kind == CTS_YAML_SEQ ? globs->count : 1;
    }
    return n;
}

static int read_items(struct cts_known_list *out, struct cts_arena *arena, struct cts_err *err)
{
    struct cts_yaml *list;
    int rc = cts_yaml_parse(out->path, out->text, out->len, arena, &list, err);
    if (rc == 0)
        rc = cts_yaml_want(list, CTS_YAML_SEQ, "list of known failures", err);
    if (rc != 0)
        return rc;
    out->entries = cts_arena_take_array(arena, count_globs(list) + 1, sizeof(*out->entries));
    if (!out->entries)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (size_t i = 0; rc == 0 && i < list->count; i++)
        rc = read_item(out, list->items[i], arena, err);
    return rc;
}

int cts_known_parse(const char *path, const char *text, size_t len, struct cts_arena *arena,
                    struct cts_known_list *out, struct cts_err *err)
{
    *out = (struct cts_known_list){.path = cts_arena_strdup(arena, path),
                                   .text = cts_arena_strndup(arena, text, len),
                                   .len = len,
                                   .exists = true};
    if (!out->path || !out->text)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    return strlen(out->text) == len && is_void(out->text) ? 0 : read_items(out, arena, err);
}

int cts_known_load(const char *path, bool named, bool may_lack, struct cts_arena *arena,
                   struct cts_known_list *out, struct cts_err *err)
{
    struct cts_buf text;
    bool lacks = may_lack && !cts_fs_exists(path);
    cts_buf_init(&text, 0);
    int rc = 0;
    if (!lacks)
        rc = named ? cts_fs_read_named(path, CTS_YAML_BYTES_MAX, &text, err)
                   : cts_fs_read(path, CTS_YAML_BYTES_MAX, &text, err);
    if (rc == 0)
        rc = cts_known_parse(path, cts_buf_text(&text), text.len, arena, out, err);
    else
        *out = (struct cts_known_list){0};
    out->exists = rc == 0 && !lacks;
    cts_buf_release(&text);
    return rc;
}
