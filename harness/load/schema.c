#include "load/schema.h"

#include <string.h>

#include "base/nearest.h"
#include "host/buf.h"

enum { KEYS_MAX = 64 };

static const struct cts_schema_field *find_field(const struct cts_schema_field *fields,
                                                 const struct cts_yaml *key)
{
    for (; fields->key; fields++) {
        if (cts_yaml_is(key, fields->key))
            return fields;
    }
    return NULL;
}

static int unknown_key(const struct cts_yaml *key, const struct cts_schema_field *fields,
                       const char *what, struct cts_err *err)
{
    const char *words[KEYS_MAX];
    size_t count = 0;
    struct cts_buf list;

    cts_buf_init(&list, 4096);
    for (; fields->key && count < KEYS_MAX; fields++) {
        cts_buf_addf(&list, "%s%s", count ? ", " : "", fields->key);
        words[count++] = fields->key;
    }
    const char *near = cts_nearest(key->text, words, count);
    if (near)
        cts_yaml_error(key, CTS_E_SCHEMA, err,
                       "%s: unknown key '%.80s'; did you mean '%s'? (keys: %s)", what, key->text,
                       near, cts_buf_text(&list));
    else
        cts_yaml_error(key, CTS_E_SCHEMA, err, "%s: unknown key '%.80s' (keys: %s)", what,
                       key->text, cts_buf_text(&list));
    cts_buf_release(&list);
    return CTS_E_SCHEMA;
}

int cts_schema_word(const struct cts_yaml *node, const char *what, const char *const *words,
                    size_t *index, struct cts_err *err)
{
    const char *text;
    struct cts_buf list;
    size_t count = 0;
    int rc = cts_yaml_str(node, what, &text, err);

    if (rc)
        return rc;
    cts_buf_init(&list, 4096);
    for (; words[count]; count++) {
        if (cts_yaml_is(node, words[count])) {
            cts_buf_release(&list);
            *index = count;
            return 0;
        }
        cts_buf_addf(&list, "%s%s", count ? ", " : "", words[count]);
    }
    const char *near = cts_nearest(text, words, count);
    cts_yaml_error(node, CTS_E_SCHEMA, err, "%s: '%.80s' is none of: %s%s%s%s", what, text,
                   cts_buf_text(&list), near ? "; did you mean '" : "", near ? near : "",
                   near ? "'?" : "");
    cts_buf_release(&list);
    return CTS_E_SCHEMA;
}

static int check_id(const struct cts_yaml *node, const char *key, struct cts_err *err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

    if (node->len && strspn(node->text, allowed) == node->len)
        return 0;
    return cts_yaml_error(node, CTS_E_SCHEMA, err,
                          "%s: only letters, digits, '_', '-' and '.' make an id, not '%.80s'", key,
                          node->text);
}

static int check_strs(const struct cts_yaml *node, const char *key, struct cts_err *err)
{
    int rc = cts_yaml_want(node, CTS_YAML_SEQ, key, err);

    for (size_t i = 0; !rc && i < node->count; i++) {
        const char *text;
        rc = cts_yaml_str(node->items[i], key, &text, err);
    }
    return rc;
}

static int check_maps(const struct cts_yaml *node, const struct cts_schema_field *f,
                      struct cts_err *err)
{
    int rc = cts_yaml_want(node, CTS_YAML_SEQ, f->key, err);

    for (size_t i = 0; !rc && i < node->count; i++) {
        rc = cts_yaml_want(node->items[i], CTS_YAML_MAP, f->key, err);
        if (!rc && f->sub)
            rc = cts_schema_check(node->items[i], f->sub, f->key, err);
    }
    return rc;
}

static int check_value(const struct cts_yaml *node, const struct cts_schema_field *f,
                       struct cts_err *err)
{
    const char *text;
    uint64_t number;
    size_t word;
    bool truth;
    int rc;

    switch (f->type) {
    case CTS_SCHEMA_ANY:
        return 0;
    case CTS_SCHEMA_STR:
        return cts_yaml_str(node, f->key, &text, err);
    case CTS_SCHEMA_NUM:
        return cts_yaml_u64_bits(node, f->key, &number, err);
    case CTS_SCHEMA_BOOL:
        return cts_yaml_bool(node, f->key, &truth, err);
    case CTS_SCHEMA_MAP:
        rc = cts_yaml_want(node, CTS_YAML_MAP, f->key, err);
        return rc || !f->sub ? rc : cts_schema_check(node, f->sub, f->key, err);
    case CTS_SCHEMA_SEQ:
        return cts_yaml_want(node, CTS_YAML_SEQ, f->key, err);
    case CTS_SCHEMA_STRS:
        return check_strs(node, f->key, err);
    case CTS_SCHEMA_STR_OR_STRS:
        if (node->kind == CTS_YAML_SEQ)
            return check_strs(node, f->key, err);
        return cts_yaml_str(node, f->key, &text, err);
    case CTS_SCHEMA_MAPS:
        return check_maps(node, f, err);
    case CTS_SCHEMA_WORD:
        return cts_schema_word(node, f->key, f->words, &word, err);
    case CTS_SCHEMA_ID:
        rc = cts_yaml_str(node, f->key, &text, err);
        return rc ? rc : check_id(node, f->key, err);
    }
    return cts_yaml_error(node, CTS_E_INVAL, err, "%s: no such field type", f->key);
}

int cts_schema_check(const struct cts_yaml *map, const struct cts_schema_field *fields,
                     const char *what, struct cts_err *err)
{
    int rc = cts_yaml_want(map, CTS_YAML_MAP, what, err);

    for (size_t i = 0; !rc && i < map->count; i++) {
        const struct cts_schema_field *f = find_field(fields, map->keys[i]);
        rc = f ? check_value(map->items[i], f, err) : unknown_key(map->keys[i], fields, what, err);
    }
    for (; !rc && fields->key; fields++) {
        if (fields->required && !cts_yaml_get(map, fields->key))
            rc = cts_yaml_error(map, CTS_E_SCHEMA, err, "%s: '%s' is missing (%s)", what,
                                fields->key, fields->doc ? fields->doc : "required");
    }
    return rc;
}
