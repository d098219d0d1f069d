#include "spec_check/anchors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "load/schema.h"

static const enum cts_spec_field ANCHOR_FIELDS[CTS_ANCHOR_FIELDS] = {CTS_SF_OPCODE, CTS_SF_SRC,
                                                                     CTS_SF_OFF, CTS_SF_IMM};

/* --- tables of instructions ---------------------------------------------------------------- */

static bool parse_number(const char *text, char end, const char **behind, int32_t *out)
{
    char *stop;

    errno = 0;
    long v = strtol(text, &stop, 0);
    if (errno || stop == text || *stop != end || v < INT32_MIN || v > INT32_MAX)
        return false;
    *out = (int32_t)v;
    *behind = stop + (end != 0);
    return true;
}

/* "any", "nonzero", "8", "0x10", "8..32760/8" */
static bool parse_rule(const char *text, enum cts_spec_field field, struct cts_spec_enc *out)
{
    const char *at = text;

    memset(out, 0, sizeof(*out));
    if (!strcmp(text, "any")) {
        out->rule = field == CTS_SF_SRC ? CTS_SR_REG : CTS_SR_ANY;
        return field != CTS_SF_OPCODE;
    }
    if (!strcmp(text, "nonzero")) {
        out->rule = CTS_SR_NONZERO;
        return field == CTS_SF_OFF || field == CTS_SF_IMM;
    }
    if (parse_number(text, 0, &at, &out->value))
        return true;
    out->rule = CTS_SR_SPAN;
    return parse_number(text, '.', &at, &out->value) && *at == '.' &&
           parse_number(at + 1, '/', &at, &out->last) && parse_number(at, 0, &at, &out->step) &&
           out->step > 0;
}

static bool same_rule(const struct cts_spec_enc *a, const struct cts_spec_enc *b)
{
    if (a->rule != b->rule)
        return false;
    switch (a->rule) {
    case CTS_SR_FIXED:
        return a->value == b->value;
    case CTS_SR_SPAN:
        return a->value == b->value && a->last == b->last && a->step == b->step;
    case CTS_SR_REG:
    case CTS_SR_ANY:
    case CTS_SR_NONZERO:
        return true;
    }
    return false;
}

static bool same_encoding(const struct cts_anchor_row *a, const struct cts_spec_insn *row)
{
    for (size_t f = 0; f < CTS_ANCHOR_FIELDS; f++) {
        if (!same_rule(&a->enc[f], &row->enc[ANCHOR_FIELDS[f]]))
            return false;
    }
    return true;
}

static bool read_anchor_row(struct cts_check_run *run, const struct cts_table *t,
                            const struct cts_table_line *l, struct cts_anchor_row *out)
{
    for (size_t f = 0; f < CTS_ANCHOR_FIELDS; f++) {
        if (!parse_rule(l->field[f], ANCHOR_FIELDS[f], &out->enc[f])) {
            cts_check_fault(run, t->path, l->line, "%s: '%s' is no value", t->name[f], l->field[f]);
            return false;
        }
    }
    out->line = l->line;
    out->group = l->field[4];
    out->section = l->field[5];
    out->key = cts_arena_fmt(run->arena, "%s %s %s %s", l->field[0], l->field[1], l->field[2],
                             l->field[3]);
    for (size_t i = 0; i < run->spec->row_count && !out->row; i++) {
        if (same_encoding(out, &run->spec->rows[i]))
            out->row = &run->spec->rows[i];
    }
    return out->key != NULL;
}

bool cts_anchor_load(struct cts_check_run *run, const char *name, struct cts_anchor *out)
{
    static const char *const columns[] = {"opcode", "src_reg", "offset", "imm",
                                          "groups", "section", NULL};
    const char *file = cts_arena_fmt(run->arena, "%s.tsv", name);
    struct cts_table t;
    struct cts_err err = {0};

    memset(out, 0, sizeof(*out));
    if (cts_table_load(run->spec_dir, file ? file : name, columns, run->arena, &t, &err)) {
        cts_check_fault_err(run, &err);
        return false;
    }
    out->name = name;
    out->path = t.path;
    out->rows = cts_check_take(run, t.count, sizeof(*out->rows));
    for (size_t i = 0; out->rows && i < t.count; i++)
        out->count += read_anchor_row(run, &t, &t.lines[i], &out->rows[out->count]);
    return out->rows != NULL;
}

const struct cts_anchor_row *cts_anchor_of(const struct cts_anchor *anchor,
                                           const struct cts_spec_insn *row)
{
    for (size_t i = 0; i < anchor->count; i++) {
        if (anchor->rows[i].row == row)
            return &anchor->rows[i];
    }
    return NULL;
}

/* --- lists in YAML ------------------------------------------------------------------------- */

/* Reads anchors/NAME, a sequence of mappings of these fields; null and a fault if it is none. */
static const struct cts_yaml *load_list(struct cts_check_run *run, const char *name,
                                        const struct cts_schema_field *fields, const char *what)
{
    const char *path = cts_arena_fmt(run->arena, "%s/anchors/%s", run->spec_dir, name);
    struct cts_yaml *root = NULL;
    struct cts_err err = {0};

    int rc = cts_yaml_load(path ? path : name, run->arena, &root, &err);
    if (!rc)
        rc = cts_yaml_want(root, CTS_YAML_SEQ, "the file", &err);
    for (size_t i = 0; !rc && i < root->count; i++)
        rc = cts_schema_check(root->items[i], fields, what, &err);
    if (rc)
        cts_check_fault_err(run, &err);
    return rc ? NULL : root;
}

static const char *text_of(const struct cts_yaml *map, const char *key)
{
    const struct cts_yaml *node = cts_yaml_get(map, key);
    return node ? node->text : NULL;
}

static size_t count_of(const struct cts_yaml *map, const char *key)
{
    const struct cts_yaml *node = cts_yaml_get(map, key);
    return node ? node->count : 0;
}

static void refuse_twins(struct cts_check_run *run, const struct cts_yaml *root)
{
    for (size_t i = 0; i < root->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (cts_yaml_is(cts_yaml_get(root->items[i], "id"), text_of(root->items[j], "id")))
                cts_check_fault_at(run, root->items[i], "duplicate '%s'",
                                   text_of(root->items[i], "id"));
        }
    }
}

/* --- differences --------------------------------------------------------------------------- */

static const char *const DIFFERENCE_FIELD_WORDS[] = {"insn", "group", "section", NULL};

static const struct cts_schema_field DIFFERENCE_FIELDS[] = {
    {.key = "id", .type = CTS_SCHEMA_ID, .required = true, .doc = "D and two digits"},
    {.key = "anchors", .type = CTS_SCHEMA_STRS, .required = true, .doc = "the tables it is about"},
    {.key = "insns", .type = CTS_SCHEMA_STRS, .doc = "rows of spec/isa"},
    {.key = "keys", .type = CTS_SCHEMA_STRS, .doc = "rows of the table"},
    {.key = "field",
     .type = CTS_SCHEMA_WORD,
     .required = true,
     .doc = "what differs",
     .words = DIFFERENCE_FIELD_WORDS},
    {.key = "there", .type = CTS_SCHEMA_STR, .required = true, .doc = "what the table says"},
    {.key = "here", .type = CTS_SCHEMA_STR, .required = true, .doc = "what spec/isa says"},
    {.key = "ambiguity", .type = CTS_SCHEMA_ID, .doc = "the question it comes from"},
    {.key = "why", .type = CTS_SCHEMA_STR, .required = true, .doc = "the reason"},
    {.key = NULL},
};

static void add_differences(const struct cts_yaml *node, const char *key,
                            struct cts_differences *out)
{
    const struct cts_yaml *anchors = cts_yaml_get(node, "anchors");
    const struct cts_yaml *list = cts_yaml_get(node, key);

    for (size_t a = 0; list && a < anchors->count; a++) {
        for (size_t i = 0; i < list->count; i++) {
            out->list[out->count++] = (struct cts_difference){
                .id = text_of(node, "id"),
                .anchor = anchors->items[a]->text,
                .subject = list->items[i]->text,
                .field = text_of(node, "field"),
                .there = text_of(node, "there"),
                .here = text_of(node, "here"),
                .node = node,
            };
        }
    }
}

bool cts_differences_load(struct cts_check_run *run, struct cts_differences *out)
{
    const struct cts_yaml *root =
        load_list(run, "differences.yaml", DIFFERENCE_FIELDS, "difference");
    size_t count = 0;

    memset(out, 0, sizeof(*out));
    if (!root)
        return false;
    refuse_twins(run, root);
    for (size_t i = 0; i < root->count; i++) {
        const struct cts_yaml *node = root->items[i];
        const char *ambiguity = text_of(node, "ambiguity");
        count += count_of(node, "anchors") * (count_of(node, "insns") + count_of(node, "keys"));
        if (ambiguity && !cts_spec_ambiguity_find(run->spec, ambiguity))
            cts_check_fault_at(run, node, "no ambiguity '%s'", ambiguity);
    }
    out->list = cts_check_take(run, count, sizeof(*out->list));
    for (size_t i = 0; out->list && i < root->count; i++) {
        add_differences(root->items[i], "insns", out);
        add_differences(root->items[i], "keys", out);
    }
    return out->list != NULL;
}

bool cts_difference_explains(struct cts_differences *all, const char *anchor, const char *subject,
                             const char *field, const char *there, const char *here)
{
    for (size_t i = 0; i < all->count; i++) {
        struct cts_difference *d = &all->list[i];
        if (!strcmp(d->anchor, anchor) && !strcmp(d->subject, subject) &&
            !strcmp(d->field, field) && !strcmp(d->there, there) && !strcmp(d->here, here)) {
            d->used = true;
            return true;
        }
    }
    return false;
}

void cts_differences_unused(struct cts_check_run *run, const struct cts_differences *all,
                            const char *const *anchors)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct cts_difference *d = &all->list[i];
        for (size_t a = 0; anchors[a]; a++) {
            if (!d->used && !strcmp(d->anchor, anchors[a]))
                cts_check_fault_at(run, d->node, "%s: there is no such difference from %s: %s, %s",
                                   d->id, d->anchor, d->subject, d->field);
        }
    }
}

/* --- limits of the assemblers -------------------------------------------------------------- */

static const char *const TOOL_WORDS[] = {"llvm-mc", "bpf-as", NULL};
static const char *const LIMIT_FIELD_WORDS[] = {"all", "imm", "next_imm", "off", NULL};
static const enum cts_spec_field LIMIT_FIELD[] = {CTS_SF_COUNT, CTS_SF_IMM, CTS_SF_NEXT_IMM,
                                                  CTS_SF_OFF};

static const struct cts_schema_field LIMIT_FIELDS[] = {
    {.key = "id", .type = CTS_SCHEMA_ID, .required = true, .doc = "L and two digits"},
    {.key = "tool",
     .type = CTS_SCHEMA_WORD,
     .required = true,
     .doc = "the assembler",
     .words = TOOL_WORDS},
    {.key = "version",
     .type = CTS_SCHEMA_STR,
     .required = true,
     .doc = "the one that was looked at"},
    {.key = "insns", .type = CTS_SCHEMA_STRS, .required = true, .doc = "rows of spec/isa"},
    {.key = "field",
     .type = CTS_SCHEMA_WORD,
     .required = true,
     .doc = "what it cannot say",
     .words = LIMIT_FIELD_WORDS},
    {.key = "lo", .type = CTS_SCHEMA_NUM, .doc = "the least value of the field that it can"},
    {.key = "hi", .type = CTS_SCHEMA_NUM, .doc = "the greatest"},
    {.key = "why", .type = CTS_SCHEMA_STR, .required = true, .doc = "the reason"},
    {.key = NULL},
};

static bool read_limit(struct cts_check_run *run, const struct cts_yaml *node,
                       struct cts_limit *out)
{
    struct cts_err err = {0};
    size_t word = 0;

    out->id = text_of(node, "id");
    out->tool = text_of(node, "tool");
    out->version = text_of(node, "version");
    out->node = node;
    while (!cts_yaml_is(cts_yaml_get(node, "field"), LIMIT_FIELD_WORDS[word]))
        word++;
    out->field = LIMIT_FIELD[word];
    out->all = out->field == CTS_SF_COUNT;
    if (out->all != !cts_yaml_get(node, "lo") || out->all != !cts_yaml_get(node, "hi")) {
        cts_check_fault_at(run, node, "%s: 'lo' and 'hi' go with a field, and with 'all' not",
                           out->id);
        return false;
    }
    if (out->all)
        return true;
    if (!cts_yaml_s64(cts_yaml_get(node, "lo"), "lo", &out->lo, &err) &&
        !cts_yaml_s64(cts_yaml_get(node, "hi"), "hi", &out->hi, &err))
        return true;
    cts_check_fault_err(run, &err);
    return false;
}

static void add_limits(struct cts_check_run *run, const struct cts_yaml *node,
                       struct cts_limits *out)
{
    const struct cts_yaml *rows = cts_yaml_get(node, "insns");
    struct cts_limit limit = {0};

    if (!read_limit(run, node, &limit))
        return;
    for (size_t i = 0; i < rows->count; i++) {
        limit.row = cts_spec_insn_find(run->spec, rows->items[i]->text);
        if (limit.row)
            out->list[out->count++] = limit;
        else
            cts_check_fault_at(run, rows->items[i], "no row '%s'", rows->items[i]->text);
    }
}

bool cts_limits_load(struct cts_check_run *run, const char *tool, struct cts_limits *out)
{
    const struct cts_yaml *root = load_list(run, "limits.yaml", LIMIT_FIELDS, "limit");
    size_t count = 0;

    memset(out, 0, sizeof(*out));
    if (!root)
        return false;
    refuse_twins(run, root);
    for (size_t i = 0; i < root->count; i++)
        count += count_of(root->items[i], "insns");
    out->list = cts_check_take(run, count, sizeof(*out->list));
    for (size_t i = 0; out->list && i < root->count; i++) {
        if (cts_yaml_is(cts_yaml_get(root->items[i], "tool"), tool))
            add_limits(run, root->items[i], out);
    }
    return out->list != NULL;
}

const struct cts_limit *cts_limit_of(const struct cts_limits *limits,
                                     const struct cts_spec_insn *row, enum cts_spec_field field)
{
    for (size_t i = 0; i < limits->count; i++) {
        const struct cts_limit *l = &limits->list[i];
        if (l->row == row && (l->all || l->field == field))
            return l;
    }
    return NULL;
}
