#include "load/spec.h"

#include <stdlib.h>
#include <string.h>

#include "host/fs.h"
#include "load/spec_fields.h"

/* --- what the files may hold --------------------------------------------------------------- */

static const char *const STATUS_WORDS[] = {"permanent", "provisional", "historical", "unregistered",
                                           NULL};

const struct cts_field cts_group_fields[] = {
    {.key = "name", .type = CTS_FT_ID, .required = true, .doc = "label"},
    {.key = "section", .type = CTS_FT_STR, .required = true, .doc = "section of RFC 9669, or none"},
    {.key = "description", .type = CTS_FT_STR, .required = true, .doc = "what is in it"},
    {.key = "includes",
     .type = CTS_FT_STRS,
     .required = true,
     .doc = "groups above it in the file that it holds"},
    {.key = "excludes",
     .type = CTS_FT_STRS,
     .required = true,
     .doc = "groups whose rows it does not hold"},
    {.key = "status",
     .type = CTS_FT_WORD,
     .required = true,
     .doc = "status in the registry",
     .words = STATUS_WORDS},
    {.key = NULL},
};

static const char *const ISA_WORDS[] = {"v1", "v2", "v3", "v4", NULL};
static const char *const KIND_WORDS[] = {"instruction", "slot", NULL};
static const char *const ORIGIN_WORDS[CTS_ORIGIN_COUNT + 1] = {
    [CTS_ORIGIN_RFC] = "rfc",
    [CTS_ORIGIN_LINUX] = "linux",
    [CTS_ORIGIN_TOOLCHAIN] = "toolchain",
};
static const char *const WAY_NAMES[CTS_WAY_COUNT] = {
    [CTS_WAY_RUN] = "run",
    [CTS_WAY_REJECT] = "reject",
    [CTS_WAY_FAULT] = "fault",
};

static const struct cts_field OUTCOME_FIELDS[] = {
    {.key = "when",
     .type = CTS_FT_STR,
     .required = true,
     .doc = "a condition on the operands, see semantics.md"},
    {.key = "allow",
     .type = CTS_FT_STRS,
     .required = true,
     .doc = "what conforms then: run, reject, fault"},
    {.key = NULL},
};

static const struct cts_field SINCE_FIELDS[] = {
    {.key = "isa",
     .type = CTS_FT_WORD,
     .required = true,
     .doc = "the compiler's name for the generation that first emits it",
     .words = ISA_WORDS},
    {.key = "linux", .type = CTS_FT_STR, .required = true, .doc = "first Linux that runs it"},
    {.key = NULL},
};

static const struct cts_field ENCODING_FIELDS[] = {
    {.key = "opcode", .type = CTS_FT_NUM, .required = true, .doc = "0..255"},
    {.key = "dst", .type = CTS_FT_ANY, .required = true, .doc = "reg or 0..15"},
    {.key = "src", .type = CTS_FT_ANY, .required = true, .doc = "reg or 0..15"},
    {.key = "off",
     .type = CTS_FT_ANY,
     .required = true,
     .doc = "any, nonzero, a signed 16-bit number, or from, to and step"},
    {.key = "imm", .type = CTS_FT_ANY, .required = true, .doc = "any or a signed 32-bit number"},
    {.key = "next_imm",
     .type = CTS_FT_ANY,
     .doc = "wide instructions only: any or a signed 32-bit number"},
    {.key = NULL},
};

const struct cts_field cts_row_fields[] = {
    {.key = "id", .type = CTS_FT_ID, .required = true, .doc = "stable name, never reused"},
    {.key = "kind", .type = CTS_FT_WORD, .doc = "default: instruction", .words = KIND_WORDS},
    {.key = "name", .type = CTS_FT_ID, .required = true, .doc = "name for people"},
    {.key = "group", .type = CTS_FT_ID, .required = true, .doc = "conformance group"},
    {.key = "since",
     .type = CTS_FT_MAP,
     .required = true,
     .doc = "first versions that have it",
     .sub = SINCE_FIELDS},
    {.key = "origin",
     .type = CTS_FT_WORD,
     .doc = "whose instruction it is; default: rfc",
     .words = ORIGIN_WORDS},
    {.key = "section", .type = CTS_FT_STR, .doc = "section of RFC 9669; with origin rfc"},
    {.key = "encoding",
     .type = CTS_FT_MAP,
     .required = true,
     .doc = "every field of every slot",
     .sub = ENCODING_FIELDS},
    {.key = "asm", .type = CTS_FT_STR, .doc = "its text in LLVM's syntax; not for slots"},
    {.key = "ubpf", .type = CTS_FT_STR, .doc = "its text in uBPF's syntax; not for slots"},
    {.key = "does", .type = CTS_FT_STR, .doc = "its semantics, see semantics.md; not for slots"},
    {.key = "platform",
     .type = CTS_FT_BOOL,
     .doc = "it needs what the reference machine does not have; default: false"},
    {.key = "outcomes",
     .type = CTS_FT_MAPS,
     .doc = "where the RFC is silent: what else conforms",
     .sub = OUTCOME_FIELDS},
    {.key = "clauses", .type = CTS_FT_STRS, .required = true, .doc = "clauses it rests on"},
    {.key = "ambiguities", .type = CTS_FT_STRS, .doc = "open questions of the RFC it touches"},
    {.key = "note", .type = CTS_FT_STR, .doc = "what else a reader must know"},
    {.key = NULL},
};

static const char *const STRENGTH_WORDS[] = {"must",       "shall",     "should",  "may",
                                             "definition", "scope",     "process", "advice",
                                             "reserved",   "undefined", NULL};

const struct cts_field cts_clause_fields[] = {
    {.key = "id", .type = CTS_FT_ID, .required = true, .doc = "N and three digits"},
    {.key = "section", .type = CTS_FT_STR, .required = true, .doc = "section of RFC 9669"},
    {.key = "strength",
     .type = CTS_FT_WORD,
     .required = true,
     .doc = "the keyword, or how else the statement binds",
     .words = STRENGTH_WORDS},
    {.key = "statement", .type = CTS_FT_STR, .required = true, .doc = "what it says, in our words"},
    {.key = "tested", .type = CTS_FT_STRS, .required = true, .doc = "how it can be tested"},
    {.key = "reason", .type = CTS_FT_STR, .doc = "why it cannot; with untestable only"},
    {.key = NULL},
};

static const char *const FROM_WORDS[] = {"rfc", "policy", NULL};

const struct cts_field cts_verdict_fields[] = {
    {.key = "id", .type = CTS_FT_ID, .required = true, .doc = "V and two digits"},
    {.key = "name", .type = CTS_FT_ID, .required = true, .doc = "words with dashes"},
    {.key = "from",
     .type = CTS_FT_WORD,
     .required = true,
     .doc = "does the RFC decide it, or a policy?",
     .words = FROM_WORDS},
    {.key = "statement", .type = CTS_FT_STR, .required = true, .doc = "the defect"},
    {.key = "clauses", .type = CTS_FT_STRS, .required = true, .doc = "clauses it follows from"},
    {.key = NULL},
};

static const char *const OPEN_WORDS[CTS_OPEN_COUNT + 1] = {
    [CTS_OPEN_DEFECT] = "defect",
    [CTS_OPEN_SILENT] = "silent",
    [CTS_OPEN_DISPUTE] = "dispute",
    [CTS_OPEN_LATER] = "later",
};

const struct cts_field cts_ambiguity_fields[] = {
    {.key = "id", .type = CTS_FT_ID, .required = true, .doc = "A and two digits"},
    {.key = "section", .type = CTS_FT_STR, .required = true, .doc = "section of RFC 9669"},
    {.key = "kind",
     .type = CTS_FT_WORD,
     .required = true,
     .doc = "what kind of a question it is",
     .words = OPEN_WORDS},
    {.key = "question", .type = CTS_FT_STR, .required = true, .doc = "what the RFC leaves open"},
    {.key = "here", .type = CTS_FT_STR, .required = true, .doc = "what the rows do"},
    {.key = "policy", .type = CTS_FT_ID, .required = true, .doc = "the name of that"},
    {.key = "runtimes",
     .type = CTS_FT_MAP,
     .doc = "what implementations do, by name, with version"},
    {.key = "vectors", .type = CTS_FT_STRS, .doc = "vectors that show it: ids, or patterns with *"},
    {.key = "untested", .type = CTS_FT_STR, .doc = "why there are none"},
    {.key = NULL},
};

static const char *const HOW_NAMES[CTS_HOW_COUNT] = {
    [CTS_HOW_RUN] = "run",
    [CTS_HOW_VERDICT] = "verdict",
    [CTS_HOW_ENCODING] = "encoding",
    [CTS_HOW_LINT] = "lint",
    [CTS_HOW_CONCURRENCY] = "concurrency",
    [CTS_HOW_PLATFORM] = "platform",
    [CTS_HOW_UNTESTABLE] = "untestable",
};

const char *cts_spec_how_name(enum cts_spec_how how)
{
    return how < CTS_HOW_COUNT ? HOW_NAMES[how] : "?";
}

/* --- files --------------------------------------------------------------------------------- */

void cts_spec_init(struct cts_spec *spec)
{
    memset(spec, 0, sizeof(*spec));
    cts_arena_init(&spec->arena, (size_t)256 << 20);
}

void cts_spec_release(struct cts_spec *spec)
{
    cts_arena_release(&spec->arena);
    memset(spec, 0, sizeof(*spec));
}

static int no_memory(struct cts_err *err)
{
    return cts_err_set(err, CTS_E_NOMEM, "out of memory");
}

/* The text of a field that the schema has checked; null if it is not given. */
static const char *text_of(const struct cts_yaml *map, const char *key)
{
    const struct cts_yaml *node = cts_yaml_get(map, key);
    return node ? node->text : NULL;
}

static int load_list(struct cts_spec *spec, const char *path, const struct cts_field *fields,
                     const char *what, struct cts_yaml **out, struct cts_err *err)
{
    int rc = cts_yaml_load(path, &spec->arena, out, err);

    if (!rc)
        rc = cts_yaml_want(*out, CTS_YAML_SEQ, "the file", err);
    for (size_t i = 0; !rc && i < (*out)->count; i++)
        rc = cts_schema_check((*out)->items[i], fields, what, err);
    return rc;
}

/* --- groups -------------------------------------------------------------------------------- */

static size_t group_find(const struct cts_spec *spec, const char *name)
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
    const char *near = cts_schema_nearest(at->text, names, spec->group_count);
    return cts_yaml_error(at, CTS_E_SCHEMA, err, "no group '%s'%s%s%s", at->text,
                          near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int group_set(const struct cts_spec *spec, const struct cts_yaml *list, uint32_t *set,
                     struct cts_err *err)
{
    for (size_t i = 0; i < list->count; i++) {
        size_t g = group_find(spec, list->items[i]->text);
        if (g == spec->group_count)
            return unknown_group(spec, list->items[i], err);
        *set |= spec->groups[g].includes;
    }
    return 0;
}

static int add_group(struct cts_spec *spec, const struct cts_yaml *node, struct cts_err *err)
{
    struct cts_spec_group g = {
        .name = text_of(node, "name"),
        .section = text_of(node, "section"),
        .description = text_of(node, "description"),
        .status = text_of(node, "status"),
        .includes = (uint32_t)1 << spec->group_count,
        .node = node,
    };

    if (group_find(spec, g.name) < spec->group_count)
        return cts_yaml_error(cts_yaml_get(node, "name"), CTS_E_SCHEMA, err,
                              "group '%s' is given twice", g.name);
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
    int rc = load_list(spec, path, cts_group_fields, "group", &root, err);

    if (rc)
        return rc;
    if (root->count > CTS_SPEC_GROUPS_MAX)
        return cts_yaml_error(root, CTS_E_LIMIT, err, "more than %d groups", CTS_SPEC_GROUPS_MAX);
    spec->group_count = 0;
    spec->groups = cts_arena_take_array(&spec->arena, root->count, sizeof(*spec->groups));
    if (!spec->groups)
        return no_memory(err);
    for (size_t i = 0; !rc && i < root->count; i++)
        rc = add_group(spec, root->items[i], err);
    return rc;
}

/* --- rows ---------------------------------------------------------------------------------- */

const char *cts_spec_origin_name(enum cts_spec_origin origin)
{
    return origin < CTS_ORIGIN_COUNT ? ORIGIN_WORDS[origin] : "?";
}

const char *cts_spec_way_name(enum cts_spec_way way)
{
    return way < CTS_WAY_COUNT ? WAY_NAMES[way] : "?";
}

bool cts_spec_enc_allows(const struct cts_spec_enc *enc, int64_t value)
{
    switch (enc->rule) {
    case CTS_SR_FIXED:
        return value == enc->value;
    case CTS_SR_REG:
        return value >= 0 && value <= 10;
    case CTS_SR_ANY:
        return true;
    case CTS_SR_NONZERO:
        return value != 0;
    case CTS_SR_SPAN:
        return value >= enc->value && value <= enc->last && value % enc->step == 0;
    }
    return false;
}

bool cts_spec_enc_meet(const struct cts_spec_enc *a, const struct cts_spec_enc *b)
{
    if (b->rule == CTS_SR_FIXED)
        return cts_spec_enc_allows(a, b->value);
    if (a->rule == CTS_SR_FIXED)
        return cts_spec_enc_allows(b, a->value);
    if (a->rule == CTS_SR_SPAN) {
        for (int64_t v = a->value; v <= a->last; v += a->step) {
            if (cts_spec_enc_allows(b, v))
                return true;
        }
        return false;
    }
    return b->rule == CTS_SR_SPAN ? cts_spec_enc_meet(b, a) : true;
}

struct enc_field {
    const char *key;
    const char *open; /* the word for "not fixed" */
    enum cts_spec_rule open_rule;
    int64_t lo, hi;
};

static const struct enc_field ENC_FIELDS[CTS_SF_COUNT] = {
    [CTS_SF_OPCODE] = {"opcode", NULL, CTS_SR_FIXED, 0, 255},
    [CTS_SF_DST] = {"dst", "reg", CTS_SR_REG, 0, 15},
    [CTS_SF_SRC] = {"src", "reg", CTS_SR_REG, 0, 15},
    [CTS_SF_OFF] = {"off", "any", CTS_SR_ANY, INT16_MIN, INT16_MAX},
    [CTS_SF_IMM] = {"imm", "any", CTS_SR_ANY, INT32_MIN, INT32_MAX},
    [CTS_SF_NEXT_IMM] = {"next_imm", "any", CTS_SR_ANY, INT32_MIN, INT32_MAX},
};

static const struct cts_field SPAN_FIELDS[] = {
    {.key = "from", .type = CTS_FT_NUM, .required = true, .doc = "the least"},
    {.key = "to", .type = CTS_FT_NUM, .required = true, .doc = "the greatest"},
    {.key = "step", .type = CTS_FT_NUM, .required = true, .doc = "all are multiples of it"},
    {.key = NULL},
};

static int read_span(const struct cts_yaml *node, const struct enc_field *f,
                     struct cts_spec_enc *out, struct cts_err *err)
{
    int64_t from = 0, to = 0, step = 1;
    int rc = cts_schema_check(node, SPAN_FIELDS, f->key, err);

    if (!rc)
        rc = cts_yaml_range(cts_yaml_get(node, "from"), f->key, f->lo, f->hi, &from, err);
    if (!rc)
        rc = cts_yaml_range(cts_yaml_get(node, "to"), f->key, from, f->hi, &to, err);
    if (!rc)
        rc = cts_yaml_range(cts_yaml_get(node, "step"), f->key, 1, f->hi, &step, err);
    if (!rc && (from % step || to % step))
        rc = cts_yaml_error(node, CTS_E_SCHEMA, err, "%s: the ends are no multiples of the step",
                            f->key);
    *out = (struct cts_spec_enc){CTS_SR_SPAN, (int32_t)from, (int32_t)to, (int32_t)step};
    return rc;
}

static int read_enc(const struct cts_yaml *map, const struct enc_field *f, struct cts_spec_enc *out,
                    struct cts_err *err)
{
    const struct cts_yaml *node = cts_yaml_get(map, f->key);
    int64_t value;

    if (!node)
        return 0; /* next_imm: fixed 0 in what has none */
    if (f->open && cts_yaml_is(node, f->open)) {
        out->rule = f->open_rule;
        return 0;
    }
    if (f->open_rule == CTS_SR_ANY && cts_yaml_is(node, "nonzero")) {
        out->rule = CTS_SR_NONZERO;
        return 0;
    }
    if (f->open_rule == CTS_SR_ANY && node->kind == CTS_YAML_MAP)
        return read_span(node, f, out, err);
    if (f->open && !cts_yaml_is_number(node))
        return cts_yaml_error(node, CTS_E_SCHEMA, err, "%s: '%s' or a number is wanted here",
                              f->key, f->open);
    int rc = cts_yaml_range(node, f->key, f->lo, f->hi, &value, err);
    out->value = (int32_t)value;
    return rc;
}

static int read_encoding(struct cts_spec_row *row, struct cts_err *err)
{
    const struct cts_yaml *map = cts_yaml_get(row->node, "encoding");

    for (size_t f = 0; f < CTS_SF_COUNT; f++) {
        int rc = read_enc(map, &ENC_FIELDS[f], &row->enc[f], err);
        if (rc)
            return rc;
    }
    row->wide = cts_yaml_get(map, "next_imm") != NULL;
    return 0;
}

/* `does` on one line, for tables and messages. */
static const char *one_line(struct cts_arena *arena, const char *text)
{
    char *line = cts_arena_strdup(arena, text);

    if (!line)
        return NULL;
    char *to = line;
    for (const char *from = line; *from; from++) {
        bool space = *from == ' ' || *from == '\n' || *from == '\t';
        if (!space)
            *to++ = *from;
        else if (to > line && to[-1] != ' ')
            *to++ = ' ';
    }
    while (to > line && to[-1] == ' ')
        to--;
    *to = 0;
    return line;
}

/* A row must not read or write a field that its encoding fixes: such a `does` would always mean the
 * same register. */
static int check_operands(const struct cts_spec_row *row, struct cts_err *err)
{
    static const struct {
        enum cts_sema_operand operand;
        enum cts_spec_field field;
    } pairs[] = {
        {CTS_O_DST, CTS_SF_DST}, {CTS_O_SRC, CTS_SF_SRC},           {CTS_O_IMM, CTS_SF_IMM},
        {CTS_O_OFF, CTS_SF_OFF}, {CTS_O_NEXT_IMM, CTS_SF_NEXT_IMM},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        enum cts_sema_operand o = pairs[i].operand;
        bool used = cts_sema_reads(row->sema, o) || cts_sema_writes(row->sema, o);
        bool open = row->enc[pairs[i].field].rule != CTS_SR_FIXED;
        if (used != open)
            return cts_yaml_error(cts_yaml_get(row->node, "does"), CTS_E_SCHEMA, err,
                                  used ? "does: uses %s, which the encoding fixes"
                                       : "does: leaves %s unused, which the encoding leaves open",
                                  cts_sema_operand_name(o));
    }
    return 0;
}

static int read_does(struct cts_spec *spec, struct cts_spec_row *row, struct cts_err *err)
{
    const struct cts_yaml *node = cts_yaml_get(row->node, "does");

    row->syntax = text_of(row->node, "asm");
    row->ubpf = text_of(row->node, "ubpf");
    if (row->slot) {
        if (!node && !row->syntax && !row->ubpf)
            return 0;
        return cts_yaml_error(row->node, CTS_E_SCHEMA, err,
                              "row %s: a slot has neither 'asm' nor 'does'", row->id);
    }
    if (!node || !row->syntax)
        return cts_yaml_error(row->node, CTS_E_SCHEMA, err, "row %s: '%s' is missing", row->id,
                              node ? "asm" : "does");
    struct cts_sema_place place = {node->file, node->text_line, node->text_col, node->text_col};
    int rc = cts_sema_read(node->text, &place, 0, &spec->arena, &row->sema, err);
    if (rc)
        return rc;
    row->does = one_line(&spec->arena, node->text);
    return row->does ? check_operands(row, err) : no_memory(err);
}

static int read_ways(const struct cts_yaml *list, unsigned *set, struct cts_err *err)
{
    for (size_t i = 0; i < list->count; i++) {
        size_t way = 0;
        while (way < CTS_WAY_COUNT && !cts_yaml_is(list->items[i], WAY_NAMES[way]))
            way++;
        if (way == CTS_WAY_COUNT)
            return cts_yaml_error(list->items[i], CTS_E_SCHEMA, err,
                                  "allow: '%s' is none of run, reject, fault",
                                  list->items[i]->text);
        *set |= 1u << way;
    }
    return *set ? 0 : cts_yaml_error(list, CTS_E_SCHEMA, err, "allow: nothing");
}

static int read_outcomes(struct cts_spec *spec, struct cts_spec_row *row, struct cts_err *err)
{
    const struct cts_yaml *list = cts_yaml_get(row->node, "outcomes");
    size_t count = list ? list->count : 0;
    int rc = 0;

    row->outcomes = cts_arena_take_array(&spec->arena, count + 1, sizeof(*row->outcomes));
    if (!row->outcomes)
        return no_memory(err);
    for (size_t i = 0; !rc && i < count; i++) {
        struct cts_spec_outcome *o = &row->outcomes[row->outcome_count++];
        const struct cts_yaml *when = cts_yaml_get(list->items[i], "when");
        struct cts_sema_place place = {when->file, when->text_line, when->text_col, when->text_col};
        o->node = list->items[i];
        o->when = one_line(&spec->arena, when->text);
        if (!o->when)
            return no_memory(err);
        rc = cts_sema_read_condition(when->text, &place, &spec->arena, &o->cond, err);
        if (!rc)
            rc = read_ways(cts_yaml_get(o->node, "allow"), &o->allow, err);
    }
    return rc;
}

static int read_origin(struct cts_spec_row *row, struct cts_err *err)
{
    const char *word = text_of(row->node, "origin");

    while (word && strcmp(word, ORIGIN_WORDS[row->origin]) != 0)
        row->origin++;
    row->section = text_of(row->node, "section");
    if (!row->section != (row->origin != CTS_ORIGIN_RFC))
        return cts_yaml_error(row->node, CTS_E_SCHEMA, err, "row %s: %s", row->id,
                              row->section ? "a 'section', but not of the RFC"
                                           : "'section' is missing");
    if (!row->section)
        row->section = "";
    return 0;
}

static int read_row(struct cts_spec *spec, const struct cts_yaml *node, struct cts_spec_row *row,
                    struct cts_err *err)
{
    const struct cts_yaml *group = cts_yaml_get(node, "group");
    const struct cts_yaml *since = cts_yaml_get(node, "since");

    row->node = node;
    row->id = text_of(node, "id");
    row->name = text_of(node, "name");
    row->platform = cts_yaml_is(cts_yaml_get(node, "platform"), "true");
    row->since_isa = text_of(since, "isa");
    row->since_linux = text_of(since, "linux");
    row->note = text_of(node, "note");
    row->slot = cts_yaml_is(cts_yaml_get(node, "kind"), "slot");
    row->group = (unsigned)group_find(spec, group->text);
    if (row->group == spec->group_count)
        return unknown_group(spec, group, err);

    int rc = read_origin(row, err);
    if (!rc)
        rc = cts_yaml_strs(cts_yaml_get(node, "clauses"), "clauses", &spec->arena, &row->clauses,
                           err);
    if (!rc)
        rc = cts_yaml_strs(cts_yaml_get(node, "ambiguities"), "ambiguities", &spec->arena,
                           &row->ambiguities, err);
    if (!rc)
        rc = read_encoding(row, err);
    if (!rc)
        rc = read_does(spec, row, err);
    return rc ? rc : read_outcomes(spec, row, err);
}

static int by_id(const void *a, const void *b)
{
    const struct cts_spec_row *x = a, *y = b;
    return strcmp(x->id, y->id);
}

static int refuse_row_twins(const struct cts_spec *spec, struct cts_err *err)
{
    for (size_t i = 1; i < spec->row_count; i++) {
        const struct cts_spec_row *a = &spec->rows[i - 1], *b = &spec->rows[i];
        if (!strcmp(a->id, b->id))
            return cts_yaml_error(cts_yaml_get(b->node, "id"), CTS_E_SCHEMA, err,
                                  "row '%s' is given twice (also in %s:%u)", b->id, a->node->file,
                                  a->node->line);
    }
    return 0;
}

int cts_rows_load(struct cts_spec *spec, const char *dir_or_file, struct cts_err *err)
{
    struct cts_fs_list files;
    int rc = cts_fs_walk(dir_or_file, ".yaml", &spec->arena, &files, err);

    spec->row_count = 0;
    spec->rows = cts_arena_take_array(&spec->arena, CTS_SPEC_ROWS_MAX, sizeof(*spec->rows));
    if (!rc && !spec->rows)
        rc = no_memory(err);
    for (size_t f = 0; !rc && f < files.count; f++) {
        struct cts_yaml *root;
        rc = load_list(spec, files.paths[f], cts_row_fields, "row", &root, err);
        for (size_t i = 0; !rc && i < root->count; i++) {
            if (spec->row_count == CTS_SPEC_ROWS_MAX)
                return cts_yaml_error(root->items[i], CTS_E_LIMIT, err, "more than %d rows",
                                      CTS_SPEC_ROWS_MAX);
            rc = read_row(spec, root->items[i], &spec->rows[spec->row_count++], err);
        }
    }
    if (rc)
        return rc;
    if (!spec->row_count)
        return cts_err_at(err, CTS_E_NOTFOUND, dir_or_file, 0, 0, "no rows here");
    qsort(spec->rows, spec->row_count, sizeof(*spec->rows), by_id);
    return refuse_row_twins(spec, err);
}

/* --- clauses and verdict classes ----------------------------------------------------------- */

static int read_tested(const struct cts_yaml *list, unsigned *set, struct cts_err *err)
{
    for (size_t i = 0; i < list->count; i++) {
        size_t how = 0;
        while (how < CTS_HOW_COUNT && !cts_yaml_is(list->items[i], HOW_NAMES[how]))
            how++;
        if (how == CTS_HOW_COUNT) {
            const char *near = cts_schema_nearest(list->items[i]->text, HOW_NAMES, CTS_HOW_COUNT);
            return cts_yaml_error(list->items[i], CTS_E_SCHEMA, err,
                                  "tested: no such way: '%s'%s%s%s", list->items[i]->text,
                                  near ? "; did you mean '" : "", near ? near : "",
                                  near ? "'?" : "");
        }
        *set |= 1u << how;
    }
    if (!*set)
        return cts_yaml_error(list, CTS_E_SCHEMA, err, "tested: say how, or 'untestable'");
    return 0;
}

static int read_clause(const struct cts_yaml *node, struct cts_spec_clause *c, struct cts_err *err)
{
    c->node = node;
    c->id = text_of(node, "id");
    c->section = text_of(node, "section");
    c->strength = text_of(node, "strength");
    c->statement = text_of(node, "statement");
    c->reason = text_of(node, "reason");
    int rc = read_tested(cts_yaml_get(node, "tested"), &c->tested, err);
    if (rc)
        return rc;
    bool untestable = c->tested & (1u << CTS_HOW_UNTESTABLE);
    if (untestable != (c->reason != NULL))
        return cts_yaml_error(node, CTS_E_SCHEMA, err, "%s: %s", c->id,
                              untestable ? "untestable, but no 'reason'"
                                         : "a 'reason', but not untestable");
    return 0;
}

int cts_clauses_load(struct cts_spec *spec, const char *path, struct cts_err *err)
{
    struct cts_yaml *root;
    int rc = load_list(spec, path, cts_clause_fields, "clause", &root, err);

    if (rc)
        return rc;
    spec->clause_count = 0;
    spec->clauses = cts_arena_take_array(&spec->arena, root->count, sizeof(*spec->clauses));
    if (!spec->clauses)
        return no_memory(err);
    for (size_t i = 0; !rc && i < root->count; i++) {
        struct cts_spec_clause c = {0};
        rc = read_clause(root->items[i], &c, err);
        if (!rc && cts_spec_clause_find(spec, c.id))
            rc = cts_yaml_error(c.node, CTS_E_SCHEMA, err, "clause %s is given twice", c.id);
        if (!rc)
            spec->clauses[spec->clause_count++] = c;
    }
    return rc;
}

int cts_verdicts_load(struct cts_spec *spec, const char *path, struct cts_err *err)
{
    struct cts_yaml *root;
    int rc = load_list(spec, path, cts_verdict_fields, "verdict class", &root, err);

    if (rc)
        return rc;
    spec->verdict_count = 0;
    spec->verdicts = cts_arena_take_array(&spec->arena, root->count, sizeof(*spec->verdicts));
    if (!spec->verdicts)
        return no_memory(err);
    for (size_t i = 0; !rc && i < root->count; i++) {
        const struct cts_yaml *node = root->items[i];
        struct cts_spec_verdict v = {
            .id = text_of(node, "id"),
            .name = text_of(node, "name"),
            .from = text_of(node, "from"),
            .statement = text_of(node, "statement"),
            .node = node,
        };
        rc = cts_yaml_strs(cts_yaml_get(node, "clauses"), "clauses", &spec->arena, &v.clauses, err);
        if (!rc && cts_spec_verdict_find(spec, v.id))
            rc = cts_yaml_error(node, CTS_E_SCHEMA, err, "class %s is given twice", v.id);
        if (!rc)
            spec->verdicts[spec->verdict_count++] = v;
    }
    return rc;
}

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
        return no_memory(err);
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
        .id = text_of(node, "id"),
        .section = text_of(node, "section"),
        .question = text_of(node, "question"),
        .here = text_of(node, "here"),
        .policy = text_of(node, "policy"),
        .untested = text_of(node, "untested"),
        .node = node,
    };
    while (strcmp(text_of(node, "kind"), OPEN_WORDS[a->kind]) != 0)
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
    int rc = load_list(spec, path, cts_ambiguity_fields, "ambiguity", &root, err);

    if (rc)
        return rc;
    spec->ambiguity_count = 0;
    spec->ambiguities = cts_arena_take_array(&spec->arena, root->count, sizeof(*spec->ambiguities));
    if (!spec->ambiguities)
        return no_memory(err);
    for (size_t i = 0; i < root->count; i++) {
        const struct cts_yaml *node = root->items[i];
        if (cts_spec_ambiguity_find(spec, text_of(node, "id")))
            return cts_yaml_error(node, CTS_E_SCHEMA, err, "ambiguity %s is given twice",
                                  text_of(node, "id"));
        rc = read_ambiguity(spec, node, &spec->ambiguities[spec->ambiguity_count++], err);
        if (rc)
            return rc;
    }
    return 0;
}

/* --- finding, and the whole ---------------------------------------------------------------- */

const struct cts_spec_row *cts_spec_row_find(const struct cts_spec *spec, const char *id)
{
    struct cts_spec_row key = {.id = id};

    if (!spec->row_count)
        return NULL;
    return bsearch(&key, spec->rows, spec->row_count, sizeof(*spec->rows), by_id);
}

const struct cts_spec_clause *cts_spec_clause_find(const struct cts_spec *spec, const char *id)
{
    for (size_t i = 0; i < spec->clause_count; i++) {
        if (!strcmp(spec->clauses[i].id, id))
            return &spec->clauses[i];
    }
    return NULL;
}

const struct cts_spec_verdict *cts_spec_verdict_find(const struct cts_spec *spec, const char *id)
{
    for (size_t i = 0; i < spec->verdict_count; i++) {
        if (!strcmp(spec->verdicts[i].id, id))
            return &spec->verdicts[i];
    }
    return NULL;
}

const struct cts_spec_ambiguity *cts_spec_ambiguity_find(const struct cts_spec *spec,
                                                         const char *id)
{
    for (size_t i = 0; i < spec->ambiguity_count; i++) {
        if (!strcmp(spec->ambiguities[i].id, id))
            return &spec->ambiguities[i];
    }
    return NULL;
}

static int check_ambiguity_refs(const struct cts_spec *spec, const struct cts_yaml *owner,
                                struct cts_err *err)
{
    const struct cts_yaml *list = cts_yaml_get(owner, "ambiguities");

    for (size_t i = 0; list && i < list->count; i++) {
        if (!cts_spec_ambiguity_find(spec, list->items[i]->text))
            return cts_yaml_error(list->items[i], CTS_E_SCHEMA, err, "no ambiguity '%s'",
                                  list->items[i]->text);
    }
    return 0;
}

static int check_clause_refs(const struct cts_spec *spec, const struct cts_yaml *owner,
                             struct cts_err *err)
{
    const struct cts_yaml *list = cts_yaml_get(owner, "clauses");

    for (size_t i = 0; i < list->count; i++) {
        if (!cts_spec_clause_find(spec, list->items[i]->text))
            return cts_yaml_error(list->items[i], CTS_E_SCHEMA, err, "no clause '%s'",
                                  list->items[i]->text);
    }
    return 0;
}

static int check_refs(const struct cts_spec *spec, struct cts_err *err)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < spec->row_count; i++)
        rc = check_clause_refs(spec, spec->rows[i].node, err);
    for (size_t i = 0; !rc && i < spec->row_count; i++)
        rc = check_ambiguity_refs(spec, spec->rows[i].node, err);
    for (size_t i = 0; !rc && i < spec->verdict_count; i++)
        rc = check_clause_refs(spec, spec->verdicts[i].node, err);
    return rc;
}

int cts_spec_load(struct cts_spec *spec, const char *dir, struct cts_err *err)
{
    static const struct {
        const char *name;
        int (*load)(struct cts_spec *, const char *, struct cts_err *);
    } parts[] = {
        {"groups.yaml", cts_groups_load},           {"isa", cts_rows_load},
        {"clauses.yaml", cts_clauses_load},         {"verdicts.yaml", cts_verdicts_load},
        {"ambiguities.yaml", cts_ambiguities_load},
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const char *path = cts_arena_fmt(&spec->arena, "%s/%s", dir, parts[i].name);
        int rc = path ? parts[i].load(spec, path, err) : no_memory(err);
        if (rc)
            return rc;
    }
    return check_refs(spec, err);
}
