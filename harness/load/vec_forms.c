/* One item for a family of vectors: `forms` gives the texts that may stand in a place of its `asm`
 * and, where that is text, its `subs`.
 *
 *     name: add
 *     asm: "{b} = {a}; <change>"
 *     forms: {change: {add64_x: "{a} += {b}", neg64: "{a} = -{a}"}}
 *
 * is the vectors add-add64-x and add-neg64. A word that is the id of a row counts among the rows
 * under test, before those of the item. */
#include <string.h>

#include "host/buf.h"
#include "load/vec_read.h"

enum {
    FORMS = 8,   /* of one item */
    NESTING = 3, /* a form in a form in a form */
};

struct combination {
    const struct cts_yaml *item, *forms;
    const struct cts_vec_known *known;
    size_t at[FORMS]; /* the word of each form */
    struct cts_arena *arena;
};

static const struct cts_yaml *word_of(const struct combination *c, size_t form)
{
    return c->forms->items[form]->keys[c->at[form]];
}

static const struct cts_yaml *text_of(const struct combination *c, size_t form)
{
    return c->forms->items[form]->items[c->at[form]];
}

/* The form whose <name> begins at `text`; forms->count: none. */
static size_t form_at(const struct cts_yaml *forms, const char *text)
{
    size_t i = 0;
    for (; i < forms->count; i++) {
        const struct cts_yaml *key = forms->keys[i];
        if (strncmp(text + 1, key->text, key->len) == 0 && text[1 + key->len] == '>')
            break;
    }
    return i;
}

static char *kept(struct cts_arena *arena, struct cts_buf *text)
{
    char *copy = text->failed ? NULL : cts_arena_strndup(arena, cts_buf_text(text), text->len);
    cts_buf_release(text);
    return copy;
}

/* The text with forms put in once; null: out of memory. */
static char *put_forms(const struct combination *c, const char *text)
{
    struct cts_buf out;
    cts_buf_init(&out, 0);
    while (*text) {
        size_t form = *text == '<' ? form_at(c->forms, text) : c->forms->count;
        if (form < c->forms->count) {
            cts_buf_adds(&out, text_of(c, form)->text);
            text += c->forms->keys[form]->len + 2;
        } else {
            cts_buf_addc(&out, *text++);
        }
    }
    return kept(c->arena, &out);
}

/* The item's code with its forms put in, whose texts may name others. */
static char *code_of(const struct combination *c, const char *text)
{
    char *code = put_forms(c, text);
    for (unsigned i = 1; code && i < NESTING; i++)
        code = put_forms(c, code);
    return code;
}

static char *name_of(const struct combination *c, const char *name)
{
    struct cts_buf out;
    cts_buf_init(&out, 0);
    cts_buf_adds(&out, name);
    for (size_t i = 0; i < c->forms->count; i++) {
        cts_buf_addc(&out, '-');
        for (const char *p = word_of(c, i)->text; *p; p++)
            cts_buf_addc(&out, *p == '_' ? '-' : *p);
    }
    return kept(c->arena, &out);
}

static bool is_row(const struct combination *c, const struct cts_yaml *word)
{
    for (size_t i = 0; i < c->known->rows.count; i++)
        if (strcmp(c->known->rows.list[i], word->text) == 0)
            return true;
    return false;
}

static bool is_listed(const struct cts_yaml *seq, const struct cts_yaml *word)
{
    for (size_t i = 0; i < seq->count; i++)
        if (cts_yaml_is(seq->items[i], word->text))
            return true;
    return false;
}

/* The words that are rows, then the item's own rows. */
static struct cts_yaml *rows_of(const struct combination *c, const struct cts_yaml *own)
{
    struct cts_yaml *seq = cts_arena_take(c->arena, sizeof(*seq));
    struct cts_yaml **list =
        cts_arena_take_array(c->arena, c->forms->count + own->count + 1, sizeof(*list));
    if (!seq || !list)
        return NULL;
    *seq = *own;
    seq->items = list;
    seq->count = 0;
    for (size_t i = 0; i < c->forms->count; i++)
        if (is_row(c, word_of(c, i)) && !is_listed(seq, word_of(c, i)))
            list[seq->count++] = c->forms->items[i]->keys[c->at[i]];
    for (size_t i = 0; i < own->count; i++)
        if (own->items[i]->kind != CTS_YAML_SCALAR || !is_listed(seq, own->items[i]))
            list[seq->count++] = own->items[i];
    return seq;
}

static struct cts_yaml *with_text(const struct combination *c, const struct cts_yaml *node,
                                  char *text)
{
    struct cts_yaml *copy = cts_arena_take(c->arena, sizeof(*copy));
    if (!copy || !text)
        return NULL;
    *copy = *node;
    copy->text = text;
    copy->len = strlen(text);
    return copy;
}

static bool is_code(const struct cts_yaml *key, const struct cts_yaml *value)
{
    return cts_yaml_is(key, "asm") || (cts_yaml_is(key, "subs") && value->kind == CTS_YAML_SCALAR);
}

/* The item as one of its vectors; null: out of memory. */
static struct cts_yaml *combine(const struct combination *c)
{
    const struct cts_yaml *from = c->item;
    struct cts_yaml *map = cts_arena_take(c->arena, sizeof(*map));
    struct cts_yaml **keys = cts_arena_take_array(c->arena, from->count + 1, sizeof(*keys));
    struct cts_yaml **items = cts_arena_take_array(c->arena, from->count + 1, sizeof(*items));
    if (!map || !keys || !items)
        return NULL;
    *map = *from;
    map->keys = keys;
    map->items = items;
    map->count = 0;
    for (size_t i = 0; i < from->count; i++) {
        struct cts_yaml *value = from->items[i];
        if (value == c->forms)
            continue;
        if (cts_yaml_is(from->keys[i], "name"))
            value = with_text(c, value, name_of(c, value->text));
        else if (is_code(from->keys[i], value))
            value = with_text(c, value, code_of(c, value->text));
        else if (cts_yaml_is(from->keys[i], "insns"))
            value = rows_of(c, value);
        if (!value)
            return NULL;
        keys[map->count] = from->keys[i];
        items[map->count++] = value;
    }
    return map;
}

static bool is_named(const struct cts_yaml *forms, const char *code, const char *place)
{
    bool found = strstr(code, place) != NULL;
    for (size_t i = 0; i < forms->count; i++)
        for (size_t k = 0; forms->items[i]->kind == CTS_YAML_MAP && k < forms->items[i]->count; k++)
            found |= forms->items[i]->items[k]->kind == CTS_YAML_SCALAR &&
                     strstr(forms->items[i]->items[k]->text, place);
    return found;
}

static int check_form(const struct cts_yaml *forms, size_t at, const char *code,
                      struct cts_arena *arena, struct cts_err *err)
{
    const struct cts_yaml *key = forms->keys[at], *words = forms->items[at];
    const char *place = cts_arena_fmt(arena, "<%s>", key->text);
    int rc = cts_yaml_want(words, CTS_YAML_MAP, "form", err);
    if (rc == 0 && !place)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (rc == 0 && !is_named(forms, code, place))
        return cts_yaml_error(key, CTS_E_SCHEMA, err, "forms: nothing names %.60s", place);
    if (rc == 0 && words->count == 0)
        return cts_yaml_error(key, CTS_E_SCHEMA, err, "forms: %.60s has no text", place);
    for (size_t i = 0; rc == 0 && i < words->count; i++) {
        const char *text;
        rc = cts_yaml_str(words->items[i], "form", &text, err);
        if (rc == 0 && strchr(text, '\n'))
            rc = cts_yaml_error(words->items[i], CTS_E_SCHEMA, err,
                                "forms: one line, instructions parted by semicolons");
    }
    return rc;
}

static int check_forms(const struct cts_yaml *item, const struct cts_yaml *forms,
                       struct cts_arena *arena, size_t *count, struct cts_err *err)
{
    const struct cts_yaml *name = cts_yaml_get(item, "name"), *code = cts_yaml_get(item, "asm");
    const struct cts_yaml *rows = cts_yaml_get(item, "insns"), *subs = cts_yaml_get(item, "subs");
    const char *text;
    int rc = cts_yaml_want(forms, CTS_YAML_MAP, "forms", err);
    if (rc == 0 && (!name || name->kind != CTS_YAML_SCALAR || !code || !rows))
        return cts_yaml_error(item, CTS_E_SCHEMA, err, "forms go with name, rows and asm");
    if (rc == 0)
        rc = cts_yaml_want(rows, CTS_YAML_SEQ, "insns", err);
    if (rc == 0)
        rc = cts_yaml_str(code, "asm", &text, err);
    if (rc == 0 && subs && subs->kind == CTS_YAML_SCALAR)
        text = cts_arena_fmt(arena, "%s\n%s", text, subs->text);
    if (rc == 0 && !text)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (rc == 0 && forms->count > FORMS)
        return cts_yaml_error(forms->keys[FORMS], CTS_E_LIMIT, err, "forms: at most %d", FORMS);
    *count = 1;
    for (size_t i = 0; rc == 0 && i < forms->count; i++) {
        rc = check_form(forms, i, text, arena, err);
        if (rc == 0)
            *count *= forms->items[i]->count;
        if (rc == 0 && *count > CTS_VEC_FORMS_MAX)
            rc = cts_yaml_error(forms, CTS_E_LIMIT, err, "forms: more than %d vectors",
                                CTS_VEC_FORMS_MAX);
    }
    return rc;
}

static bool next(struct combination *c)
{
    for (size_t i = c->forms->count; i-- > 0; c->at[i] = 0)
        if (++c->at[i] < c->forms->items[i]->count)
            return true;
    return false;
}

int cts_vec_forms(const struct cts_yaml *item, const struct cts_vec_known *known,
                  struct cts_arena *arena, struct cts_vec_items *out, struct cts_err *err)
{
    const struct cts_yaml *forms = cts_yaml_get(item, "forms");
    struct combination c = {.item = item, .forms = forms, .known = known, .arena = arena};
    size_t n = 1;
    *out = (struct cts_vec_items){0};
    int rc = forms ? check_forms(item, forms, arena, &n, err) : 0;
    if (rc)
        return rc;
    out->list = cts_arena_take_array(arena, n, sizeof(*out->list));
    if (!out->list)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (!forms) {
        out->list[out->count++] = item;
        return 0;
    }
    do {
        const struct cts_yaml *one = combine(&c);
        if (!one)
            return cts_err_set(err, CTS_E_NOMEM, "out of memory");
        out->list[out->count++] = one;
    } while (next(&c));
    return 0;
}
