/* Instructions: their encoding, their texts, what they do. */
#include <string.h>

#include "host/fs.h"
#include "load/spec_int.h"
#include "sema/sema.h"

static const char *const ISA_WORDS[] = {"v1", "v2", "v3", "v4", "v5", NULL};
static const char *const KIND_WORDS[] = {"instruction", "slot", NULL};
static const char *const ORIGIN_WORDS[CTS_ORIGIN_COUNT + 1] = {
    [CTS_ORIGIN_RFC] = "rfc",
    [CTS_ORIGIN_LINUX] = "linux",
    [CTS_ORIGIN_TOOLCHAIN] = "toolchain",
};
static const char *const WAY_NAMES[CTS_WAY_COUNT + 1] = {
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

static const struct cts_schema_field INSN_FIELDS[] = {
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

const char *cts_spec_field_name(enum cts_spec_field field)
{
    return field < CTS_SF_COUNT ? ENC_FIELDS[field].key : "?";
}

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
        return cts_yaml_error(node, CTS_E_SCHEMA, err, "%s: expected '%s' or a number", f->key,
                              f->open);
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

/* An instruction must not read or write a field that its encoding fixes: such a `does` would always
 * mean the same register. */
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
                              "instruction %s: a slot has neither 'asm' nor 'does'", row->id);
    }
    if (!node || !row->syntax)
        return cts_yaml_error(row->node, CTS_E_SCHEMA, err, "instruction %s: '%s' is missing",
                              row->id, node ? "asm" : "does");
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
        size_t way;
        int rc = cts_schema_word(list->items[i], "allow", WAY_NAMES, &way, err);
        if (rc)
            return rc;
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
        return cts_yaml_error(row->node, CTS_E_SCHEMA, err, "instruction %s: %s", row->id,
                              row->section ? "a 'section', but not of the RFC"
                                           : "'section' is missing");
    if (!row->section)
        row->section = "";
    return 0;
}

static int read_insn(struct cts_spec *spec, const struct cts_yaml *node, struct cts_spec_insn *row,
                     struct cts_err *err)
{
    const struct cts_yaml *since = cts_yaml_get(node, "since");

    row->node = node;
    row->id = cts_spec_text(node, "id");
    row->name = cts_spec_text(node, "name");
    row->platform = cts_yaml_is(cts_yaml_get(node, "platform"), "true");
    row->since_isa = cts_spec_text(since, "isa");
    row->since_linux = cts_spec_text(since, "linux");
    row->note = cts_spec_text(node, "note");
    row->slot = cts_yaml_is(cts_yaml_get(node, "kind"), "slot");

    int rc = cts_spec_read_group(spec, cts_yaml_get(node, "group"), &row->group, err);
    if (!rc)
        rc = read_origin(row, err);
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

static int refuse_duplicates(const struct cts_spec *spec, struct cts_err *err)
{
    for (size_t i = 1; i < spec->row_count; i++) {
        const struct cts_spec_insn *a = &spec->rows[i - 1], *b = &spec->rows[i];
        if (!strcmp(a->id, b->id))
            return cts_yaml_error(cts_yaml_get(b->node, "id"), CTS_E_SCHEMA, err,
                                  "duplicate instruction '%s' (first defined at %s:%u)", b->id,
                                  a->node->file, a->node->line);
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
        rc = cts_spec_list(spec, files.paths[f], INSN_FIELDS, "instruction", &root, err);
        for (size_t i = 0; !rc && i < root->count; i++) {
            if (spec->row_count == CTS_SPEC_INSNS_MAX)
                return cts_yaml_error(root->items[i], CTS_E_LIMIT, err, "more than %d rows",
                                      CTS_SPEC_INSNS_MAX);
            rc = read_insn(spec, root->items[i], &spec->rows[spec->row_count++], err);
        }
    }
    if (rc)
        return rc;
    if (!spec->row_count)
        return cts_err_at(err, CTS_E_NOTFOUND, dir_or_file, 0, 0, "no rows here");
    cts_spec_sort_insns(spec);
    return refuse_duplicates(spec, err);
}
