/* The one file that knows libyaml. */
#include "load/yaml.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/digit.h"
#include "host/buf.h"
#include "host/fs.h"
#include "host/kind.h"

struct reader {
    yaml_parser_t parser;
    const char *file, *text;
    size_t len;
    /* A place in `text` that only moves forward: where line `at_line` (from 0) starts. */
    size_t at, at_line;
    struct cts_arena *arena;
    size_t nodes;
    struct cts_err *err;
};

/* --- reading ------------------------------------------------------------------------------- */

static int fail_at(struct reader *r, int code, yaml_mark_t mark, const char *what)
{
    return cts_err_at(r->err, code, r->file, (unsigned)mark.line + 1, (unsigned)mark.column + 1,
                      "%s", what);
}

static int fail_parser(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "not YAML";

    if (p->error == YAML_MEMORY_ERROR)
        return cts_err_set(r->err, CTS_E_NOMEM, "out of memory");
    if (p->error == YAML_READER_ERROR)
        return cts_err_at(r->err, CTS_E_SYNTAX, r->file, 0, 0, "%s at byte %zu", problem,
                          p->problem_offset);
    if (!p->context)
        return fail_at(r, CTS_E_SYNTAX, p->problem_mark, problem);
    return cts_err_at(r->err, CTS_E_SYNTAX, r->file, (unsigned)p->problem_mark.line + 1,
                      (unsigned)p->problem_mark.column + 1, "%s (%s, line %zu)", problem,
                      p->context, p->context_mark.line + 1);
}

static int next_event(struct reader *r, yaml_event_t *ev)
{
    if (!yaml_parser_parse(&r->parser, ev))
        return fail_parser(r);
    return 0;
}

static struct cts_yaml *new_node(struct reader *r, enum cts_yaml_kind kind, yaml_mark_t mark)
{
    if (++r->nodes > CTS_YAML_NODES_MAX) {
        fail_at(r, CTS_E_LIMIT, mark, "too many nodes in one file");
        return NULL;
    }
    struct cts_yaml *node = cts_arena_take(r->arena, sizeof(*node));
    if (!node) {
        cts_err_set(r->err, CTS_E_NOMEM, "out of memory");
        return NULL;
    }
    node->kind = kind;
    node->line = (unsigned)mark.line + 1;
    node->col = (unsigned)mark.column + 1;
    node->file = r->file;
    return node;
}

/* Children are collected here and moved to the arena when their parent ends. */
struct children {
    struct cts_yaml **list;
    size_t count, cap;
};

static int children_add(struct reader *r, struct children *c, struct cts_yaml *node)
{
    if (c->count == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 16;
        struct cts_yaml **list = realloc(c->list, cap * sizeof(*list));
        if (!list)
            return cts_err_set(r->err, CTS_E_NOMEM, "out of memory");
        c->list = list;
        c->cap = cap;
    }
    c->list[c->count++] = node;
    return 0;
}

static int by_text(const void *a, const void *b)
{
    const struct cts_yaml *x = *(struct cts_yaml *const *)a, *y = *(struct cts_yaml *const *)b;
    size_t len = x->len < y->len ? x->len : y->len;
    int d = memcmp(x->text, y->text, len);

    if (d)
        return d;
    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    /* Equal keys in the order of the file, so that the error names the later one. */
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->col < y->col ? -1 : x->col > y->col;
}

static int refuse_twins(struct reader *r, struct cts_yaml *map)
{
    if (map->count < 2)
        return 0;
    struct cts_yaml **sorted = malloc(map->count * sizeof(*sorted));
    if (!sorted)
        return cts_err_set(r->err, CTS_E_NOMEM, "out of memory");
    memcpy(sorted, map->keys, map->count * sizeof(*sorted));
    qsort(sorted, map->count, sizeof(*sorted), by_text);

    int rc = 0;
    for (size_t i = 1; i < map->count && !rc; i++) {
        const struct cts_yaml *a = sorted[i - 1], *b = sorted[i];
        if (a->len == b->len && !memcmp(a->text, b->text, a->len))
            rc = cts_yaml_error(b, CTS_E_SYNTAX, r->err,
                                "duplicate key '%s' (first defined at line %u)", b->text, a->line);
    }
    free(sorted);
    return rc;
}

static int keep_seq(struct reader *r, struct cts_yaml *node, const struct children *c)
{
    node->count = c->count;
    if (!c->count)
        return 0;
    node->items = cts_arena_take_array(r->arena, c->count, sizeof(struct cts_yaml *));
    if (!node->items)
        return cts_err_set(r->err, CTS_E_NOMEM, "out of memory");
    memcpy(node->items, c->list, c->count * sizeof(struct cts_yaml *));
    return 0;
}

static int keep_map(struct reader *r, struct cts_yaml *node, const struct children *c)
{
    node->count = c->count / 2;
    if (!node->count)
        return 0;
    node->keys = cts_arena_take_array(r->arena, node->count, sizeof(struct cts_yaml *));
    node->items = cts_arena_take_array(r->arena, node->count, sizeof(struct cts_yaml *));
    if (!node->keys || !node->items)
        return cts_err_set(r->err, CTS_E_NOMEM, "out of memory");
    for (size_t i = 0; i < node->count; i++) {
        node->keys[i] = c->list[2 * i];
        node->items[i] = c->list[2 * i + 1];
    }
    return refuse_twins(r, node);
}

static int refuse_extras(struct reader *r, const yaml_event_t *ev)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;

    if (ev->type == YAML_SCALAR_EVENT) {
        anchor = ev->data.scalar.anchor;
        tag = ev->data.scalar.tag;
    } else if (ev->type == YAML_SEQUENCE_START_EVENT) {
        anchor = ev->data.sequence_start.anchor;
        tag = ev->data.sequence_start.tag;
    } else if (ev->type == YAML_MAPPING_START_EVENT) {
        anchor = ev->data.mapping_start.anchor;
        tag = ev->data.mapping_start.tag;
    }
    if (ev->type == YAML_ALIAS_EVENT || anchor)
        return fail_at(r, CTS_E_SYNTAX, ev->start_mark, "anchors and aliases are not used here");
    if (tag)
        return fail_at(r, CTS_E_SYNTAX, ev->start_mark, "tags are not used here");
    return 0;
}

/* libyaml does not say how far a block is indented: count the spaces before its first line with
 * text. */
static void place_block(struct reader *r, struct cts_yaml *node)
{
    while (r->at_line < node->line && r->at < r->len) {
        const char *end = memchr(r->text + r->at, '\n', r->len - r->at);
        r->at = end ? (size_t)(end - r->text) + 1 : r->len;
        r->at_line++;
    }
    node->text_line = node->line + 1;
    for (size_t p = r->at, spaces = 0; p < r->len; p++) {
        if (r->text[p] == '\n') {
            spaces = 0;
        } else if (r->text[p] == ' ') {
            spaces++;
        } else {
            node->text_col = (unsigned)spaces + 1;
            return;
        }
    }
    node->text_col = 1;
}

static int read_scalar(struct reader *r, const yaml_event_t *ev, struct cts_yaml **out)
{
    struct cts_yaml *node = new_node(r, CTS_YAML_SCALAR, ev->start_mark);

    if (!node)
        return r->err && r->err->code ? r->err->code : CTS_E_NOMEM;
    node->len = ev->data.scalar.length;
    node->text = cts_arena_strndup(r->arena, (const char *)ev->data.scalar.value, node->len);
    if (!node->text)
        return cts_err_set(r->err, CTS_E_NOMEM, "out of memory");
    yaml_scalar_style_t style = ev->data.scalar.style;
    node->block = style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE;
    node->quoted = style != YAML_PLAIN_SCALAR_STYLE;
    node->text_line = node->line;
    node->text_col = node->col + node->quoted;
    if (node->block)
        place_block(r, node);
    *out = node;
    return 0;
}

static int read_node(struct reader *r, yaml_event_t *ev, unsigned depth, struct cts_yaml **out);

/* The children up to the end event; keys of a mapping are every second one. */
static int read_children(struct reader *r, bool map, unsigned depth, struct children *c)
{
    for (;;) {
        yaml_event_t ev;
        int rc = next_event(r, &ev);
        if (rc)
            return rc;
        if (ev.type == YAML_SEQUENCE_END_EVENT || ev.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&ev);
            return 0;
        }
        struct cts_yaml *child = NULL;
        bool is_key = map && c->count % 2 == 0;
        if (is_key && (ev.type == YAML_SEQUENCE_START_EVENT || ev.type == YAML_MAPPING_START_EVENT))
            rc = fail_at(r, CTS_E_SYNTAX, ev.start_mark, "a key must be a plain word");
        else
            rc = read_node(r, &ev, depth, &child);
        yaml_event_delete(&ev);
        if (!rc)
            rc = children_add(r, c, child);
        if (rc)
            return rc;
    }
}

static int read_node(struct reader *r, yaml_event_t *ev, unsigned depth, struct cts_yaml **out)
{
    int rc = refuse_extras(r, ev);
    if (rc)
        return rc;
    if (ev->type == YAML_SCALAR_EVENT)
        return read_scalar(r, ev, out);
    if (depth >= CTS_YAML_DEPTH_MAX)
        return fail_at(r, CTS_E_LIMIT, ev->start_mark, "nested too deeply");

    bool map = ev->type == YAML_MAPPING_START_EVENT;
    struct cts_yaml *node = new_node(r, map ? CTS_YAML_MAP : CTS_YAML_SEQ, ev->start_mark);
    if (!node)
        return r->err && r->err->code ? r->err->code : CTS_E_NOMEM;
    struct children c = {0};
    rc = read_children(r, map, depth + 1, &c);
    if (!rc)
        rc = map ? keep_map(r, node, &c) : keep_seq(r, node, &c);
    free(c.list);
    if (!rc)
        *out = node;
    return rc;
}

static int expect_event(struct reader *r, yaml_event_type_t type, const char *what)
{
    yaml_event_t ev;
    int rc = next_event(r, &ev);

    if (rc)
        return rc;
    if (ev.type != type)
        rc = fail_at(r, CTS_E_SYNTAX, ev.start_mark, what);
    yaml_event_delete(&ev);
    return rc;
}

static int read_document(struct reader *r, struct cts_yaml **out)
{
    int rc = expect_event(r, YAML_STREAM_START_EVENT, "not YAML");
    if (!rc)
        rc = expect_event(r, YAML_DOCUMENT_START_EVENT, "the file is empty");
    if (rc)
        return rc;

    yaml_event_t ev;
    rc = next_event(r, &ev);
    if (rc)
        return rc;
    struct cts_yaml *root = NULL;
    rc = read_node(r, &ev, 0, &root);
    yaml_event_delete(&ev);
    if (!rc)
        rc = expect_event(r, YAML_DOCUMENT_END_EVENT, "text behind the document");
    if (!rc)
        rc = expect_event(r, YAML_STREAM_END_EVENT, "only one document in a file");
    if (!rc)
        *out = root;
    return rc;
}

int cts_yaml_parse(const char *name, const char *text, size_t len, struct cts_arena *arena,
                   struct cts_yaml **out, struct cts_err *err)
{
    *out = NULL;
    if (len > CTS_YAML_BYTES_MAX)
        return cts_err_at(err, CTS_E_LIMIT, name, 0, 0, "larger than %d bytes", CTS_YAML_BYTES_MAX);
    int kind = cts_kind_want_text(name, text, len, "YAML", err);
    if (kind)
        return kind;
    struct cts_err own;
    cts_err_clear(&own);
    struct reader r = {.arena = arena, .err = err ? err : &own, .text = text, .len = len};
    r.file = cts_arena_strdup(arena, name);
    if (!r.file || !yaml_parser_initialize(&r.parser))
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
    int rc = read_document(&r, out);
    yaml_parser_delete(&r.parser);
    return rc;
}

int cts_yaml_load(const char *path, struct cts_arena *arena, struct cts_yaml **out,
                  struct cts_err *err)
{
    *out = NULL;
    struct cts_buf text;
    cts_buf_init(&text, 0);
    int rc = cts_fs_read(path, CTS_YAML_BYTES_MAX, &text, err);
    if (!rc)
        rc = cts_yaml_parse(path, cts_buf_text(&text), text.len, arena, out, err);
    cts_buf_release(&text);
    return rc;
}

/* --- looking ------------------------------------------------------------------------------- */

const char *cts_yaml_kind_name(enum cts_yaml_kind kind)
{
    static const char *const names[] = {
        [CTS_YAML_SCALAR] = "a scalar",
        [CTS_YAML_SEQ] = "a sequence",
        [CTS_YAML_MAP] = "a mapping",
    };
    return names[kind];
}

static size_t key_index(const struct cts_yaml *map, const char *key)
{
    size_t i = 0;

    while (i < map->count && !cts_yaml_is(map->keys[i], key))
        i++;
    return i;
}

struct cts_yaml *cts_yaml_get(const struct cts_yaml *map, const char *key)
{
    if (!map || map->kind != CTS_YAML_MAP)
        return NULL;
    size_t i = key_index(map, key);
    return i < map->count ? map->items[i] : NULL;
}

struct cts_yaml *cts_yaml_get_key(const struct cts_yaml *map, const char *key)
{
    if (!map || map->kind != CTS_YAML_MAP)
        return NULL;
    size_t i = key_index(map, key);
    return i < map->count ? map->keys[i] : NULL;
}

bool cts_yaml_is(const struct cts_yaml *node, const char *text)
{
    return node && node->kind == CTS_YAML_SCALAR && node->len == strlen(text) &&
           !memcmp(node->text, text, node->len);
}

bool cts_yaml_is_null(const struct cts_yaml *node)
{
    return node && node->kind == CTS_YAML_SCALAR && !node->quoted &&
           (!node->len || !strcmp(node->text, "~") || !strcmp(node->text, "null"));
}

int cts_yaml_error(const struct cts_yaml *node, int code, struct cts_err *err, const char *fmt, ...)
{
    char msg[CTS_ERR_MSG_MAX];
    struct cts_buf text;
    va_list ap;

    cts_buf_init(&text, sizeof(msg) * 4);
    va_start(ap, fmt);
    cts_buf_addvf(&text, fmt, ap);
    va_end(ap);
    cts_err_at(err, code, node->file, node->line, node->col, "%s", cts_buf_text(&text));
    cts_buf_release(&text);
    return code;
}

/* --- typed getters ------------------------------------------------------------------------- */

int cts_yaml_want(const struct cts_yaml *node, enum cts_yaml_kind kind, const char *what,
                  struct cts_err *err)
{
    if (node->kind == kind)
        return 0;
    return cts_yaml_error(node, CTS_E_SCHEMA, err, "%s: expected %s, found %s", what,
                          cts_yaml_kind_name(kind), cts_yaml_kind_name(node->kind));
}

int cts_yaml_str(const struct cts_yaml *node, const char *what, const char **out,
                 struct cts_err *err)
{
    *out = NULL;
    int rc = cts_yaml_want(node, CTS_YAML_SCALAR, what, err);
    if (rc)
        return rc;
    if (cts_yaml_is_null(node))
        return cts_yaml_error(node, CTS_E_SCHEMA, err, "%s: expected a text", what);
    if (memchr(node->text, 0, node->len))
        return cts_yaml_error(node, CTS_E_SCHEMA, err, "%s: a zero byte in the text", what);
    *out = node->text;
    return 0;
}

/* Sign and magnitude; 0, CTS_E_SCHEMA (no number) or CTS_E_RANGE (above 2^64-1). */
static int read_number(const struct cts_yaml *node, bool *negative, uint64_t *magnitude)
{
    if (node->kind != CTS_YAML_SCALAR || node->quoted)
        return CTS_E_SCHEMA;
    const char *p = node->text, *end = p + node->len;
    *negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;

    unsigned base = 10;
    if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'b')) {
        base = p[1] == 'x' ? 16 : 2;
        p += 2;
    } else if (end - p > 1 && p[0] == '0') {
        return CTS_E_SCHEMA; /* 010 is eight to some readers and ten to others */
    }
    uint64_t value = 0;
    bool overflow = false, digit_before = false;
    for (; p < end; p++) {
        if (*p == '_' && digit_before && p + 1 < end) {
            digit_before = false;
            continue;
        }
        unsigned d = cts_digit(*p);
        if (d >= base)
            return CTS_E_SCHEMA;
        digit_before = true;
        overflow |= __builtin_mul_overflow(value, (uint64_t)base, &value);
        overflow |= __builtin_add_overflow(value, (uint64_t)d, &value);
    }
    if (!digit_before)
        return CTS_E_SCHEMA;
    *magnitude = value;
    return overflow ? CTS_E_RANGE : 0;
}

static int number_error(const struct cts_yaml *node, int code, const char *what, const char *range,
                        struct cts_err *err)
{
    if (node->kind != CTS_YAML_SCALAR)
        return cts_yaml_want(node, CTS_YAML_SCALAR, what, err);
    if (code == CTS_E_RANGE)
        return cts_yaml_error(node, code, err, "%s: %.80s is outside %s", what, node->text, range);
    return cts_yaml_error(node, code, err, "%s: expected a number, found '%.80s'%s", what,
                          node->text, node->quoted ? " in quotes" : "");
}

static const uint64_t MIN_S64_MAGNITUDE = (uint64_t)1 << 63;

int cts_yaml_u64(const struct cts_yaml *node, const char *what, uint64_t *out, struct cts_err *err)
{
    bool negative = false;
    uint64_t magnitude = 0;
    int rc = read_number(node, &negative, &magnitude);

    *out = 0;
    if (!rc && negative && magnitude)
        rc = CTS_E_RANGE;
    if (rc)
        return number_error(node, rc, what, "0..2^64-1", err);
    *out = magnitude;
    return 0;
}

int cts_yaml_u64_bits(const struct cts_yaml *node, const char *what, uint64_t *out,
                      struct cts_err *err)
{
    bool negative = false;
    uint64_t magnitude = 0;
    int rc = read_number(node, &negative, &magnitude);

    *out = 0;
    if (!rc && negative && magnitude > MIN_S64_MAGNITUDE)
        rc = CTS_E_RANGE;
    if (rc)
        return number_error(node, rc, what, "-2^63..2^64-1", err);
    *out = negative ? 0 - magnitude : magnitude;
    return 0;
}

int cts_yaml_s64(const struct cts_yaml *node, const char *what, int64_t *out, struct cts_err *err)
{
    bool negative = false;
    uint64_t magnitude = 0;
    int rc = read_number(node, &negative, &magnitude);

    *out = 0;
    if (!rc && magnitude > MIN_S64_MAGNITUDE - !negative)
        rc = CTS_E_RANGE;
    if (rc)
        return number_error(node, rc, what, "-2^63..2^63-1", err);
    if (negative && magnitude)
        *out = -(int64_t)(magnitude - 1) - 1;
    else
        *out = (int64_t)magnitude;
    return 0;
}

int cts_yaml_range(const struct cts_yaml *node, const char *what, int64_t lo, int64_t hi,
                   int64_t *out, struct cts_err *err)
{
    int64_t value;
    int rc = cts_yaml_s64(node, what, &value, err);

    *out = 0;
    if (rc)
        return rc;
    if (value < lo || value > hi)
        return cts_yaml_error(node, CTS_E_RANGE, err, "%s: %s is outside %lld..%lld", what,
                              node->text, (long long)lo, (long long)hi);
    *out = value;
    return 0;
}

bool cts_yaml_is_number(const struct cts_yaml *node)
{
    uint64_t value;

    return node && cts_yaml_u64_bits(node, "", &value, NULL) == 0;
}

int cts_yaml_bool(const struct cts_yaml *node, const char *what, bool *out, struct cts_err *err)
{
    *out = false;
    int rc = cts_yaml_want(node, CTS_YAML_SCALAR, what, err);
    if (rc)
        return rc;
    *out = !node->quoted && !strcmp(node->text, "true");
    if (*out || (!node->quoted && !strcmp(node->text, "false")))
        return 0;
    return cts_yaml_error(node, CTS_E_SCHEMA, err, "%s: expected true or false, found '%.80s'",
                          what, node->text);
}

static int strs_of(struct cts_yaml *const *nodes, size_t count, const char *what,
                   struct cts_arena *arena, struct cts_yaml_strs *out, struct cts_err *err)
{
    const char **list = cts_arena_take_array(arena, count + 1, sizeof(*list));

    if (!list)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        int rc = cts_yaml_str(nodes[i], what, &list[i], err);
        if (rc)
            return rc;
    }
    out->list = list;
    out->count = count;
    return 0;
}

int cts_yaml_strs(const struct cts_yaml *node, const char *what, struct cts_arena *arena,
                  struct cts_yaml_strs *out, struct cts_err *err)
{
    *out = (struct cts_yaml_strs){0};
    if (!node)
        return strs_of(NULL, 0, what, arena, out, err);
    int rc = cts_yaml_want(node, CTS_YAML_SEQ, what, err);
    return rc ? rc : strs_of(node->items, node->count, what, arena, out, err);
}

int cts_yaml_str_or_strs(const struct cts_yaml *node, const char *what, struct cts_arena *arena,
                         struct cts_yaml_strs *out, struct cts_err *err)
{
    *out = (struct cts_yaml_strs){0};
    if (!node || node->kind == CTS_YAML_SEQ)
        return cts_yaml_strs(node, what, arena, out, err);
    const char *only;
    int rc = cts_yaml_str(node, what, &only, err);
    if (rc)
        return rc;
    out->list = cts_arena_take_array(arena, 2, sizeof(*out->list));
    if (!out->list)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    out->list[0] = only;
    out->count = 1;
    return 0;
}
