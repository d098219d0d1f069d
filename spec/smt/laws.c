/* laws.yaml: propositions over the functions of rows, some of them for several operators at once.
 */
#include "smt_int.h"

#include <stdio.h>
#include <string.h>

#include "load/schema.h"
#include "load/yaml.h"

enum { LAWS_MAX = 8192, PAIRS_MAX = 16, VARS_MAX = 16 };

static const char *const EXPECTED_WORDS[] = {"valid", "counterexample", NULL};
static const char *const TACTIC_WORDS[] = {"bits", NULL};

static const struct cts_schema_field LAW_FIELDS[] = {
    {.key = "id", .type = CTS_SCHEMA_STR, .required = true, .doc = "stable name; may hold {key}s"},
    {.key = "says", .type = CTS_SCHEMA_STR, .required = true, .doc = "the law in words"},
    {.key = "each",
     .type = CTS_SCHEMA_MAPS,
     .doc = "the law holds for each of these; {key} in other fields stands for the value"},
    {.key = "with", .type = CTS_SCHEMA_MAPS, .doc = "and in each case for each of these"},
    {.key = "for", .type = CTS_SCHEMA_MAP, .required = true, .doc = "variables and their types"},
    {.key = "given", .type = CTS_SCHEMA_STR, .doc = "what is assumed; an SMT-LIB term"},
    {.key = "holds", .type = CTS_SCHEMA_STR, .required = true, .doc = "an SMT-LIB term"},
    {.key = "expected",
     .type = CTS_SCHEMA_WORD,
     .required = true,
     .doc = "valid, or counterexample: it only looks like a law",
     .words = EXPECTED_WORDS},
    {.key = "tactic",
     .type = CTS_SCHEMA_WORD,
     .doc = "bits: turn all into bits first, for divisions; not with memory",
     .words = TACTIC_WORDS},
    {.key = "may be unknown", .type = CTS_SCHEMA_STR, .doc = "why the solver need not decide it"},
    {.key = NULL},
};

static const struct {
    const char *name, *sort;
} sorts[] = {
    {"u64", "(_ BitVec 64)"}, {"s64", "(_ BitVec 64)"}, {"u32", "(_ BitVec 32)"},
    {"s32", "(_ BitVec 32)"}, {"u16", "(_ BitVec 16)"}, {"s16", "(_ BitVec 16)"},
    {"u8", "(_ BitVec 8)"},   {"s8", "(_ BitVec 8)"},   {"bool", "Bool"},
    {"mem", "Mem"},
};

/* What stands for {key}. */
struct pairs {
    const char *key[PAIRS_MAX], *value[PAIRS_MAX];
    size_t count;
};

void cts_laws_init(struct cts_laws *laws)
{
    memset(laws, 0, sizeof(*laws));
    cts_arena_init(&laws->arena, 256 << 20);
}

void cts_laws_release(struct cts_laws *laws)
{
    cts_arena_release(&laws->arena);
    memset(laws, 0, sizeof(*laws));
}

struct cts_law *cts_laws_add(struct cts_laws *laws, struct cts_err *err)
{
    struct cts_law *law;

    if (laws->count == LAWS_MAX) {
        cts_err_set(err, CTS_E_LIMIT, "more than %d laws", LAWS_MAX);
        return NULL;
    }
    if (laws->count == laws->cap) {
        size_t cap = laws->cap ? 2 * laws->cap : 256;
        struct cts_law *more = cts_arena_take_array(&laws->arena, cap, sizeof(*more));
        if (!more) {
            cts_err_set(err, CTS_E_NOMEM, "no memory for the laws");
            return NULL;
        }
        if (laws->count)
            memcpy(more, laws->law, laws->count * sizeof(*more));
        laws->law = more;
        laws->cap = cap;
    }
    law = &laws->law[laws->count++];
    memset(law, 0, sizeof(*law));
    return law;
}

/* --- names in terms ----------------------------------------------------------------------------
 */

static const char SYMBOL[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.=!$%&*+-/<>?@^~";

size_t cts_law_next_function(const char *text, size_t *at)
{
    size_t i = *at;

    for (;;) {
        size_t len;
        i += strcspn(text + i, SYMBOL);
        len = strspn(text + i, SYMBOL);
        if (len == 0)
            return 0;
        if (memchr(text + i, '.', len)) {
            *at = i;
            return len;
        }
        i += len;
    }
}

const struct cts_spec_insn *cts_law_insn(const struct cts_spec *spec, const char *name, size_t len)
{
    const char *dot = memchr(name, '.', len);
    char id[128];

    if (!dot || (size_t)(dot - name) >= sizeof(id))
        return NULL;
    memcpy(id, name, (size_t)(dot - name));
    id[dot - name] = '\0';
    return cts_spec_insn_find(spec, id);
}

static int check_functions(const struct cts_spec *spec, const struct cts_yaml *node,
                           const char *text, size_t *found, struct cts_err *err)
{
    size_t at = 0, len;

    while ((len = cts_law_next_function(text, &at)) > 0) {
        const struct cts_spec_insn *row = cts_law_insn(spec, text + at, len);
        if (!row || !row->sema)
            return cts_yaml_error(node, CTS_E_SCHEMA, err, "'%.*s' is a function of no row",
                                  (int)(len < 80 ? len : 80), text + at);
        (*found)++;
        at += len;
    }
    return 0;
}

/* --- reading ------------------------------------------------------------------------------------
 */

struct reader {
    struct cts_laws *laws;
    const struct cts_spec *spec;
    const struct cts_yaml *node; /* of the law being read */
    struct pairs pairs;
    struct cts_err *err;
};

static const char *value_of(const struct pairs *p, const char *key, size_t len)
{
    for (size_t i = 0; i < p->count; i++) {
        if (strlen(p->key[i]) == len && memcmp(p->key[i], key, len) == 0)
            return p->value[i];
    }
    return NULL;
}

/* The text with values for keys, on one line. */
static int expand(struct reader *r, const struct cts_yaml *node, const char **out)
{
    struct cts_buf b;
    int rc = 0;

    *out = NULL;
    cts_buf_init(&b, 65536);
    for (const char *p = node->text; *p && !rc;) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        const char *value = end ? value_of(&r->pairs, p + 1, (size_t)(end - p - 1)) : NULL;
        if (*p != '{') {
            cts_buf_addc(&b, *p == '\n' ? ' ' : *p);
            p++;
        } else if (value) {
            cts_buf_adds(&b, value);
            p = end + 1;
        } else {
            rc = cts_yaml_error(node, CTS_E_SCHEMA, r->err, "nothing stands for '%.*s'",
                                (int)(end && end - p < 40 ? end - p + 1 : 1), p);
        }
    }
    if (!rc && !b.failed)
        *out = cts_arena_strdup(&r->laws->arena, cts_buf_text(&b));
    if (!rc && !*out)
        rc = cts_yaml_error(node, CTS_E_NOMEM, r->err, "the text is too long");
    cts_buf_release(&b);
    return rc;
}

/* Parentheses that match, and nothing behind them: or it could end the query that it stands in. */
static int check_term(const struct cts_yaml *node, const char *text, struct cts_err *err)
{
    size_t depth = 0, len = strlen(text);

    while (len > 0 && text[len - 1] == ' ')
        len--;
    for (size_t i = 0; i < len; i++) {
        if (strchr("\";|", text[i]))
            return cts_yaml_error(node, CTS_E_SCHEMA, err, "'%c' cannot stand in a term", text[i]);
        if (text[i] == ')' && depth == 0)
            return cts_yaml_error(node, CTS_E_SCHEMA, err, "a ')' too many");
        depth += text[i] == '(';
        depth -= text[i] == ')';
        if (depth == 0 && i + 1 < len && (text[i] == ')' || text[i] == ' '))
            return cts_yaml_error(node, CTS_E_SCHEMA, err, "more than one term");
    }
    return depth ? cts_yaml_error(node, CTS_E_SCHEMA, err, "a ')' is missing") : 0;
}

static int read_term(struct reader *r, const char *key, const char **out, size_t *functions)
{
    const struct cts_yaml *node = cts_yaml_get(r->node, key);
    int rc;

    *out = NULL;
    if (!node)
        return 0;
    rc = expand(r, node, out);
    if (!rc)
        rc = check_term(node, *out, r->err);
    if (!rc)
        rc = check_functions(r->spec, node, *out, functions, r->err);
    return rc;
}

static int read_vars(struct reader *r, struct cts_law *law)
{
    const struct cts_yaml *map = cts_yaml_get(r->node, "for");
    struct cts_buf vars, names;
    int rc = 0;

    cts_buf_init(&vars, 65536);
    cts_buf_init(&names, 65536);
    if (map->count > VARS_MAX)
        rc = cts_yaml_error(map, CTS_E_LIMIT, r->err, "more than %d variables", VARS_MAX);
    for (size_t i = 0; !rc && i < map->count; i++) {
        const char *type = "", *name = map->keys[i]->text;
        size_t s = 0;
        rc = cts_yaml_want(map->items[i], CTS_YAML_SCALAR, name, r->err);
        if (!rc)
            rc = expand(r, map->items[i], &type);
        while (s < sizeof(sorts) / sizeof(sorts[0]) && strcmp(sorts[s].name, type ? type : "") != 0)
            s++;
        if (rc)
            break;
        if (s == sizeof(sorts) / sizeof(sorts[0]))
            rc = cts_yaml_error(map->items[i], CTS_E_SCHEMA, r->err, "no such type: '%.40s'", type);
        else if (!*name || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name))
            rc = cts_yaml_error(map->keys[i], CTS_E_SCHEMA, r->err,
                                "small letters, digits and '_' make a variable");
        else
            cts_buf_addf(&vars, "(declare-const %s %s)", name, sorts[s].sort);
        if (!rc && strcmp(type, "mem") != 0)
            cts_buf_addf(&names, "%s%s", names.len ? " " : "", name);
    }
    if (!rc) {
        law->vars = cts_arena_strdup(&r->laws->arena, cts_buf_text(&vars));
        law->names = cts_arena_strdup(&r->laws->arena, cts_buf_text(&names));
        if (!law->vars || !law->names)
            rc = cts_yaml_error(map, CTS_E_NOMEM, r->err, "no memory");
    }
    cts_buf_release(&vars);
    cts_buf_release(&names);
    return rc;
}

static int read_optional(struct reader *r, struct cts_law *law)
{
    const struct cts_yaml *unknown = cts_yaml_get(r->node, "may be unknown");
    int rc = 0;

    if (unknown)
        rc = expand(r, unknown, &law->may_unknown);
    law->bits = cts_yaml_get(r->node, "tactic") != NULL;
    if (cts_yaml_is(cts_yaml_get(r->node, "expected"), "counterexample"))
        law->expected = CTS_LAW_COUNTEREXAMPLE;
    return rc;
}

static int check_id(const struct reader *r, const struct cts_law *law)
{
    const struct cts_yaml *node = cts_yaml_get(r->node, "id");
    size_t len = strlen(law->id);

    if (len == 0 || strspn(law->id, "abcdefghijklmnopqrstuvwxyz0123456789_-") != len)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err,
                              "small letters, digits, '_' and '-' make an id, not '%.80s'",
                              law->id);
    for (const struct cts_law *l = r->laws->law; l < law; l++) {
        if (strcmp(l->id, law->id) == 0)
            return cts_yaml_error(node, CTS_E_SCHEMA, r->err, "two laws are called '%.80s'",
                                  law->id);
    }
    return 0;
}

static int read_one(struct reader *r)
{
    struct cts_law *law = cts_laws_add(r->laws, r->err);
    size_t functions = 0;
    int rc = law ? 0 : CTS_E_LIMIT;

    if (!rc)
        rc = expand(r, cts_yaml_get(r->node, "id"), &law->id);
    if (!rc)
        rc = check_id(r, law);
    if (!rc)
        rc = expand(r, cts_yaml_get(r->node, "says"), &law->says);
    if (!rc)
        rc = read_vars(r, law);
    if (!rc)
        rc = read_term(r, "given", &law->given, &functions);
    if (!rc)
        rc = read_term(r, "holds", &law->holds, &functions);
    if (!rc && functions == 0)
        rc = cts_yaml_error(r->node, CTS_E_SCHEMA, r->err, "the law is about no row");
    return rc ? rc : read_optional(r, law);
}

static int add_pairs(struct reader *r, const struct cts_yaml *map)
{
    for (size_t i = 0; i < map->count; i++) {
        const char *value;
        int rc = cts_yaml_str(map->items[i], map->keys[i]->text, &value, r->err);
        if (rc)
            return rc;
        if (r->pairs.count == PAIRS_MAX)
            return cts_yaml_error(map, CTS_E_LIMIT, r->err, "more than %d keys", PAIRS_MAX);
        r->pairs.key[r->pairs.count] = map->keys[i]->text;
        r->pairs.value[r->pairs.count++] = value;
    }
    return 0;
}

/* The law once for each item of the lists `keys`, from keys[0] on. */
static int read_each(struct reader *r, const char *const *keys)
{
    const struct cts_yaml *list = *keys ? cts_yaml_get(r->node, *keys) : NULL;
    size_t before = r->pairs.count;
    int rc = 0;

    if (!*keys)
        return read_one(r);
    if (!list)
        return read_each(r, keys + 1);
    if (list->count == 0)
        return cts_yaml_error(list, CTS_E_SCHEMA, r->err, "%s: nothing is in it", *keys);
    for (size_t i = 0; !rc && i < list->count; i++) {
        rc = add_pairs(r, list->items[i]);
        if (!rc)
            rc = read_each(r, keys + 1);
        r->pairs.count = before;
    }
    return rc;
}

int cts_laws_load(struct cts_laws *laws, const struct cts_spec *spec, const char *path,
                  struct cts_err *err)
{
    static const char *const keys[] = {"each", "with", NULL};
    struct reader r = {.laws = laws, .spec = spec, .err = err};
    struct cts_yaml *list;
    int rc = cts_yaml_load(path, &laws->arena, &list, err);

    if (!rc)
        rc = cts_yaml_want(list, CTS_YAML_SEQ, "laws", err);
    for (size_t i = 0; !rc && i < list->count; i++) {
        r.node = list->items[i];
        rc = cts_schema_check(r.node, LAW_FIELDS, "law", err);
        if (!rc)
            rc = read_each(&r, keys);
    }
    return rc;
}
