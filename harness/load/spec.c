#include "load/spec.h"

#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "host/fs.h"
#include "load/spec_fields.h"
#include "load/spec_int.h"
#include "sema/sema.h"

/* --- what the files may hold --------------------------------------------------------------- */

static const char *const STATUS_WORDS[] = {"permanent", "provisional", "historical", "unregistered",
                                           NULL};

const struct cts_schema_field cts_group_fields[] = {
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

static const char *const ISA_WORDS[] = {"v1", "v2", "v3", "v4", "v5", NULL};
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

static const struct cts_schema_field OUTCOME_FIELDS[] = {
    {.key = "when",
     .type = CTS_SCHEMA_STR,
     .required = true,
     .doc = "a condition on the operands, see semantics.md"},
    {.key = "allow",
     .type = CTS_SCHEMA_STRS,
     .required = true,
     .doc = "what conforms then: run, reject, fault"},
    {.key = NULL},
};

static const struct cts_schema_field SINCE_FIELDS[] = {
    {.key = "isa",
     .type = CTS_SCHEMA_WORD,
     .required = true,
     .doc = "the compiler's name for the generation that first emits it",
     .words = ISA_WORDS},
    {.key = "linux", .type = CTS_SCHEMA_STR, .required = true, .doc = "first Linux that runs it"},
    {.key = NULL},
};

static const struct cts_schema_field ENCODING_FIELDS[] = {
    {.key = "opcode", .type = CTS_SCHEMA_NUM, .required = true, .doc = "0..255"},
    {.key = "dst", .type = CTS_SCHEMA_ANY, .required = true, .doc = "reg or 0..15"},
    {.key = "src", .type = CTS_SCHEMA_ANY, .required = true, .doc = "reg or 0..15"},
    {.key = "off",
     .type = CTS_SCHEMA_ANY,
     .required = true,
     .doc = "any, nonzero, a signed 16-bit number, or from, to and step"},
    {.key = "imm",
     .type = CTS_SCHEMA_ANY,
     .required = true,
     .doc = "any or a signed 32-bit number"},
    {.key = "next_imm",
     .type = CTS_SCHEMA_ANY,
     .doc = "wide instructions only: any or a signed 32-bit number"},
    {.key = NULL},
};

const struct cts_schema_field cts_insn_fields[] = {
    {.key = "id", .type = CTS_SCHEMA_ID, .required = true, .doc = "stable name, never reused"},
    {.key = "kind", .type = CTS_SCHEMA_WORD, .doc = "default: instruction", .words = KIND_WORDS},
    {.key = "name", .type = CTS_SCHEMA_ID, .required = true, .doc = "name for people"},
    {.key = "group", .type = CTS_SCHEMA_ID, .required = true, .doc = "conformance group"},
    {.key = "since",
     .type = CTS_SCHEMA_MAP,
     .required = true,
     .doc = "first versions that have it",
     .sub = SINCE_FIELDS},
    {.key = "origin",
     .type = CTS_SCHEMA_WORD,
     .doc = "whose instruction it is; default: rfc",
     .words = ORIGIN_WORDS},
    {.key = "section", .type = CTS_SCHEMA_STR, .doc = "section of RFC 9669; with origin rfc"},
    {.key = "encoding",
     .type = CTS_SCHEMA_MAP,
     .required = true,
     .doc = "every field of every slot",
     .sub = ENCODING_FIELDS},
    {.key = "asm", .type = CTS_SCHEMA_STR, .doc = "its text in LLVM's syntax; not for slots"},
    {.key = "ubpf", .type = CTS_SCHEMA_STR, .doc = "its text in uBPF's syntax; not for slots"},
    {.key = "gas",
     .type = CTS_SCHEMA_STR,
     .doc = "its text in binutils' syntax, if it has one there"},
    {.key = "does",
     .type = CTS_SCHEMA_STR,
     .doc = "its semantics, see semantics.md; not for slots"},
    {.key = "platform",
     .type = CTS_SCHEMA_BOOL,
     .doc = "it needs what the reference machine does not have; default: false"},
    {.key = "outcomes",
     .type = CTS_SCHEMA_MAPS,
     .doc = "where the RFC is silent: what else conforms",
     .sub = OUTCOME_FIELDS},
    {.key = "clauses", .type = CTS_SCHEMA_STRS, .required = true, .doc = "clauses it rests on"},
    {.key = "ambiguities", .type = CTS_SCHEMA_STRS, .doc = "open questions of the RFC it touches"},
    {.key = "note", .type = CTS_SCHEMA_STR, .doc = "what else a reader must know"},
    {.key = NULL},
};

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

int cts_spec_no_memory(struct cts_err *err)
{
    return cts_err_set(err, CTS_E_NOMEM, "out of memory");
}

const char *cts_spec_text(const struct cts_yaml *map, const char *key)
{
    const struct cts_yaml *node = cts_yaml_get(map, key);
    return node ? node->text : NULL;
}

int cts_spec_list(struct cts_spec *spec, const char *path, const struct cts_schema_field *fields,
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
    const char *near = cts_nearest(at->text, names, spec->group_count);
    return cts_yaml_error(at, CTS_E_SCHEMA, err,
                          "no group '%s'%s%s%s; a new one is an item of groups.yaml", at->text,
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
        .name = cts_spec_text(node, "name"),
        .section = cts_spec_text(node, "section"),
        .description = cts_spec_text(node, "description"),
        .status = cts_spec_text(node, "status"),
        .of = cts_spec_text(node, "of"),
        .includes = (uint32_t)1 << spec->group_count,
        .node = node,
    };

    if (group_find(spec, g.name) < spec->group_count)
        return cts_yaml_error(cts_yaml_get(node, "name"), CTS_E_SCHEMA, err,
                              "group '%s' is given twice", g.name);
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
    int rc = cts_spec_list(spec, path, cts_group_fields, "group", &root, err);

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

static const struct cts_schema_field SPAN_FIELDS[] = {
    {.key = "from", .type = CTS_SCHEMA_NUM, .required = true, .doc = "the least"},
    {.key = "to", .type = CTS_SCHEMA_NUM, .required = true, .doc = "the greatest"},
    {.key = "step", .type = CTS_SCHEMA_NUM, .required = true, .doc = "all are multiples of it"},
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

static int read_encoding(struct cts_spec_insn *row, struct cts_err *err)
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
static int check_operands(const struct cts_spec_insn *row, struct cts_err *err)
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

static int read_does(struct cts_spec *spec, struct cts_spec_insn *row, struct cts_err *err)
{
    const struct cts_yaml *node = cts_yaml_get(row->node, "does");

    row->syntax = cts_spec_text(row->node, "asm");
    row->ubpf = cts_spec_text(row->node, "ubpf");
    row->gas = cts_spec_text(row->node, "gas");
    if (row->slot) {
        if (!node && !row->syntax && !row->ubpf && !row->gas)
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
    return row->does ? check_operands(row, err) : cts_spec_no_memory(err);
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

static int read_outcomes(struct cts_spec *spec, struct cts_spec_insn *row, struct cts_err *err)
{
    const struct cts_yaml *list = cts_yaml_get(row->node, "outcomes");
    size_t count = list ? list->count : 0;
    int rc = 0;

    row->outcomes = cts_arena_take_array(&spec->arena, count + 1, sizeof(*row->outcomes));
    if (!row->outcomes)
        return cts_spec_no_memory(err);
    for (size_t i = 0; !rc && i < count; i++) {
        struct cts_spec_outcome *o = &row->outcomes[row->outcome_count++];
        const struct cts_yaml *when = cts_yaml_get(list->items[i], "when");
        struct cts_sema_place place = {when->file, when->text_line, when->text_col, when->text_col};
        o->node = list->items[i];
        o->when = one_line(&spec->arena, when->text);
        if (!o->when)
            return cts_spec_no_memory(err);
        rc = cts_sema_read_condition(when->text, &place, &spec->arena, &o->cond, err);
        if (!rc)
            rc = read_ways(cts_yaml_get(o->node, "allow"), &o->allow, err);
    }
    return rc;
}

static int read_origin(struct cts_spec_insn *row, struct cts_err *err)
{
    const char *word = cts_spec_text(row->node, "origin");

    while (word && strcmp(word, ORIGIN_WORDS[row->origin]) != 0)
        row->origin++;
    row->section = cts_spec_text(row->node, "section");
    if (!row->section != (row->origin != CTS_ORIGIN_RFC))
        return cts_yaml_error(row->node, CTS_E_SCHEMA, err, "row %s: %s", row->id,
                              row->section ? "a 'section', but not of the RFC"
                                           : "'section' is missing");
    if (!row->section)
        row->section = "";
    return 0;
}

static int read_row(struct cts_spec *spec, const struct cts_yaml *node, struct cts_spec_insn *row,
                    struct cts_err *err)
{
    const struct cts_yaml *group = cts_yaml_get(node, "group");
    const struct cts_yaml *since = cts_yaml_get(node, "since");

    row->node = node;
    row->id = cts_spec_text(node, "id");
    row->name = cts_spec_text(node, "name");
    row->platform = cts_yaml_is(cts_yaml_get(node, "platform"), "true");
    row->since_isa = cts_spec_text(since, "isa");
    row->since_linux = cts_spec_text(since, "linux");
    row->note = cts_spec_text(node, "note");
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
    const struct cts_spec_insn *x = a, *y = b;
    return strcmp(x->id, y->id);
}

static int refuse_row_twins(const struct cts_spec *spec, struct cts_err *err)
{
    for (size_t i = 1; i < spec->row_count; i++) {
        const struct cts_spec_insn *a = &spec->rows[i - 1], *b = &spec->rows[i];
        if (!strcmp(a->id, b->id))
            return cts_yaml_error(cts_yaml_get(b->node, "id"), CTS_E_SCHEMA, err,
                                  "row '%s' is given twice (also in %s:%u)", b->id, a->node->file,
                                  a->node->line);
    }
    return 0;
}

int cts_insns_load(struct cts_spec *spec, const char *dir_or_file, struct cts_err *err)
{
    struct cts_fs_list files;
    int rc = cts_fs_walk(dir_or_file, ".yaml", &spec->arena, &files, err);

    spec->row_count = 0;
    spec->rows = cts_arena_take_array(&spec->arena, CTS_SPEC_INSNS_MAX, sizeof(*spec->rows));
    if (!rc && !spec->rows)
        rc = cts_spec_no_memory(err);
    for (size_t f = 0; !rc && f < files.count; f++) {
        struct cts_yaml *root;
        rc = cts_spec_list(spec, files.paths[f], cts_insn_fields, "row", &root, err);
        for (size_t i = 0; !rc && i < root->count; i++) {
            if (spec->row_count == CTS_SPEC_INSNS_MAX)
                return cts_yaml_error(root->items[i], CTS_E_LIMIT, err, "more than %d rows",
                                      CTS_SPEC_INSNS_MAX);
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

/* --- finding, and the whole ---------------------------------------------------------------- */

const struct cts_spec_insn *cts_spec_insn_find(const struct cts_spec *spec, const char *id)
{
    struct cts_spec_insn key = {.id = id};

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

const struct cts_spec_policy *cts_spec_policy_find(const struct cts_spec *spec, const char *id)
{
    for (size_t i = 0; i < spec->policy_count; i++) {
        if (!strcmp(spec->policies[i].id, id))
            return &spec->policies[i];
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
        {"groups.yaml", cts_groups_load},           {"isa", cts_insns_load},
        {"clauses.yaml", cts_clauses_load},         {"verdicts.yaml", cts_verdicts_load},
        {"ambiguities.yaml", cts_ambiguities_load}, {"policies.yaml", cts_policies_load},
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const char *path = cts_arena_fmt(&spec->arena, "%s/%s", dir, parts[i].name);
        int rc = path ? parts[i].load(spec, path, err) : cts_spec_no_memory(err);
        if (rc)
            return rc;
    }
    return check_refs(spec, err);
}
