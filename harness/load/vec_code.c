/* Code: a text, or pieces that are text, instructions by their fields, or bytes. */
#include <string.h>

#include "load/schema.h"
#include "load/vec_read.h"

static int read_text(struct cts_vec_reader *r, const struct cts_yaml *node, const char *what,
                     struct cts_vec_piece *p)
{
    int rc = cts_yaml_str(node, what, &p->text, r->err);
    if (rc)
        return rc;
    if (p->text[strspn(p->text, " \t\r\n")] == '\0')
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err, "%s: no instruction", what);
    p->kind = CTS_VP_TEXT;
    p->text_pos = cts_vec_pos_of(node);
    p->text_pos.line = node->text_line;
    return cts_vec_scan_text(r, p);
}

/* A role, with braces or without, rN, or a number that fits the field. */
static int read_reg_field(struct cts_vec_reader *r, const struct cts_yaml *node, const char *what,
                          struct cts_vec_reg *reg, bool *has)
{
    int64_t n;
    if (!node)
        return 0;
    *has = true;
    *reg = (struct cts_vec_reg){.role = -1};
    if (cts_yaml_is_number(node)) {
        int rc = cts_yaml_range(node, what, 0, 15, &n, r->err);
        reg->reg = (uint8_t)n;
        if (rc == 0 && n <= 10)
            r->v.named = (uint16_t)(r->v.named | 1u << n);
        return rc;
    }
    const char *text;
    int rc = cts_yaml_str(node, what, &text, r->err);
    if (rc)
        return rc;
    size_t len = strlen(text);
    if (len > 2 && text[0] == '{' && text[len - 1] == '}') {
        text++;
        len -= 2;
    }
    int number = cts_vec_reg_number(text, len);
    if (number >= 0) {
        reg->reg = (uint8_t)number;
        r->v.named = (uint16_t)(r->v.named | 1u << number);
        return 0;
    }
    int role = cts_vec_take_role(r, text, len);
    if (role < 0)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err, "%s: a role, rN or 0..15, not '%.40s'",
                              what, text);
    reg->role = (int8_t)role;
    return 0;
}

static int read_num_field(struct cts_vec_reader *r, const struct cts_yaml *node, const char *what,
                          int64_t lo, int64_t hi, struct cts_vec_field *f)
{
    if (!node)
        return 0;
    f->given = true;
    if (strcmp(what, "imm") == 0 && cts_yaml_is(node, "{imm}")) {
        f->is_imm = true;
        r->v.uses_imm = true;
        return 0;
    }
    return cts_yaml_range(node, what, lo, hi, &f->v, r->err);
}

/* Where each field is in the little-endian encoding, in bits. Those of a second slot are there in
 * wide instructions only. */
static const struct cts_vec_flip flips[] = {
    {"opcode", 0, 8, 0},     {"dst", 8, 4, 0},       {"src", 12, 4, 0},
    {"off", 16, 16, 0},      {"imm", 32, 32, 0},     {"next_opcode", 64, 8, 0},
    {"next_dst", 72, 4, 0},  {"next_src", 76, 4, 0}, {"next_off", 80, 16, 0},
    {"next_imm", 96, 32, 0},
};

static int read_left_out(struct cts_vec_reader *r, const struct cts_yaml *but,
                         struct cts_vec_flip *flip)
{
    int rc = cts_yaml_want(but, CTS_YAML_SEQ, "but", r->err);
    for (size_t i = 0; rc == 0 && i < but->count; i++) {
        int64_t bit;
        rc = cts_yaml_range(but->items[i], "but", 0, flip->bits - 1, &bit, r->err);
        if (rc == 0 && flip->left_out >> bit & 1)
            rc = cts_yaml_error(but->items[i], CTS_E_SCHEMA, r->err, "but: duplicate bit");
        if (rc == 0)
            flip->left_out |= UINT32_C(1) << bit;
    }
    if (rc == 0 && flip->left_out == UINT32_MAX >> (32 - flip->bits))
        rc = cts_yaml_error(but, CTS_E_SCHEMA, r->err, "but: leaves no bit");
    return rc;
}

static int read_flip(struct cts_vec_reader *r, const struct cts_yaml *map, struct cts_vec_piece *p)
{
    const struct cts_yaml *flip = cts_yaml_get(map, "flip"), *but = cts_yaml_get(map, "but");
    if (!flip)
        return but ? cts_yaml_error(but, CTS_E_SCHEMA, r->err, "but: needs flip") : 0;
    for (size_t i = 0; i < sizeof(flips) / sizeof(flips[0]); i++)
        if (cts_yaml_is(flip, flips[i].field))
            p->flip = flips[i];
    if (!p->flip.field)
        return cts_yaml_error(flip, CTS_E_SCHEMA, r->err,
                              "flip: opcode, dst, src, off, imm, or next_ and one of these");
    if (p->flip.at >= 64 && p->kind != CTS_VP_INSN)
        return cts_yaml_error(flip, CTS_E_SCHEMA, r->err, "flip: this piece has one slot only");
    return but ? read_left_out(r, but, &p->flip) : 0;
}

static int read_fields(struct cts_vec_reader *r, const struct cts_yaml *map,
                       struct cts_vec_piece *p)
{
    int rc = read_reg_field(r, cts_yaml_get(map, "dst"), "dst", &p->dst, &p->has_dst);
    if (rc == 0)
        rc = read_reg_field(r, cts_yaml_get(map, "src"), "src", &p->src, &p->has_src);
    if (rc == 0)
        rc = read_num_field(r, cts_yaml_get(map, "off"), "off", INT16_MIN, UINT16_MAX, &p->off);
    if (rc == 0)
        rc = read_num_field(r, cts_yaml_get(map, "imm"), "imm", INT32_MIN, UINT32_MAX, &p->imm);
    if (rc == 0)
        rc = read_num_field(r, cts_yaml_get(map, "next_imm"), "next_imm", INT32_MIN, UINT32_MAX,
                            &p->next_imm);
    return rc ? rc : read_flip(r, map, p);
}

static const struct cts_schema_field row_fields[] = {
    {"insn", CTS_SCHEMA_ID, true, "the row whose encoding is used", NULL, NULL},
    {"dst", CTS_SCHEMA_STR, false, "a role, rN or a number", NULL, NULL},
    {"src", CTS_SCHEMA_STR, false, "a role, rN or a number", NULL, NULL},
    {"off", CTS_SCHEMA_STR, false, "offset", NULL, NULL},
    {"imm", CTS_SCHEMA_STR, false, "immediate", NULL, NULL},
    {"next_imm", CTS_SCHEMA_STR, false, "second immediate of a wide instruction", NULL, NULL},
    {"flip", CTS_SCHEMA_STR, false, "the field whose bits are inverted one by one", NULL, NULL},
    {"but", CTS_SCHEMA_SEQ, false, "bits that are not", NULL, NULL},
    {"repeat", CTS_SCHEMA_NUM, false, "how often", NULL, NULL},
    {0},
};
static const struct cts_schema_field raw_fields[] = {
    {"opcode", CTS_SCHEMA_NUM, true, "opcode byte", NULL, NULL},
    {"dst", CTS_SCHEMA_STR, false, "a role, rN or 0..15", NULL, NULL},
    {"src", CTS_SCHEMA_STR, false, "a role, rN or 0..15", NULL, NULL},
    {"off", CTS_SCHEMA_STR, false, "offset", NULL, NULL},
    {"imm", CTS_SCHEMA_STR, false, "immediate", NULL, NULL},
    {"flip", CTS_SCHEMA_STR, false, "the field whose bits are inverted one by one", NULL, NULL},
    {"but", CTS_SCHEMA_SEQ, false, "bits that are not", NULL, NULL},
    {"repeat", CTS_SCHEMA_NUM, false, "how often", NULL, NULL},
    {0},
};
static const struct cts_schema_field slot_fields[] = {
    {"slot", CTS_SCHEMA_STR, true, "eight bytes, little-endian encoding", NULL, NULL},
    {"repeat", CTS_SCHEMA_NUM, false, "how often", NULL, NULL},
    {0},
};
static const struct cts_schema_field text_fields[] = {
    {"text", CTS_SCHEMA_STR, true, "assembly", NULL, NULL},
    {"repeat", CTS_SCHEMA_NUM, false, "how often", NULL, NULL},
    {0},
};

static int read_row(struct cts_vec_reader *r, const struct cts_yaml *map, struct cts_vec_piece *p)
{
    p->kind = CTS_VP_INSN;
    p->row = cts_yaml_get(map, "insn")->text;
    int rc = cts_vec_check_name(r, cts_yaml_get(map, "insn"), &r->known->rows, "insn");
    return rc ? rc : read_fields(r, map, p);
}

static int read_raw(struct cts_vec_reader *r, const struct cts_yaml *map, struct cts_vec_piece *p)
{
    int64_t opcode;
    p->kind = CTS_VP_RAW;
    int rc = cts_yaml_range(cts_yaml_get(map, "opcode"), "opcode", 0, 255, &opcode, r->err);
    p->opcode = (uint8_t)opcode;
    return rc ? rc : read_fields(r, map, p);
}

static int read_slot(struct cts_vec_reader *r, const struct cts_yaml *map, struct cts_vec_piece *p)
{
    uint8_t *bytes;
    uint32_t count;
    const struct cts_yaml *node = cts_yaml_get(map, "slot");
    p->kind = CTS_VP_SLOT;
    int rc = cts_vec_read_hex(r, node, "slot", 8, &bytes, &count);
    if (rc)
        return rc;
    if (count != 8)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err, "slot: 8 bytes, not %u", count);
    memcpy(p->slot, bytes, 8);
    return 0;
}

static int read_text_map(struct cts_vec_reader *r, const struct cts_yaml *map,
                         struct cts_vec_piece *p)
{
    return read_text(r, cts_yaml_get(map, "text"), "text", p);
}

/* The key by which a piece is known, what it may hold, and who reads it. */
static const struct {
    const char *key;
    const struct cts_schema_field *fields;
    int (*read)(struct cts_vec_reader *r, const struct cts_yaml *map, struct cts_vec_piece *p);
} piece_kinds[] = {
    {"insn", row_fields, read_row},
    {"opcode", raw_fields, read_raw},
    {"slot", slot_fields, read_slot},
    {"text", text_fields, read_text_map},
};

static int read_piece(struct cts_vec_reader *r, const struct cts_yaml *node,
                      struct cts_vec_piece *p)
{
    p->pos = cts_vec_pos_of(node);
    p->repeat = 1;
    if (node->kind == CTS_YAML_SCALAR)
        return read_text(r, node, "code", p);
    for (size_t i = 0; i < sizeof(piece_kinds) / sizeof(piece_kinds[0]); i++) {
        const struct cts_yaml *repeat = cts_yaml_get(node, "repeat");
        int64_t n = 1;
        if (!cts_yaml_get(node, piece_kinds[i].key))
            continue;
        int rc = cts_schema_check(node, piece_kinds[i].fields, "piece of code", r->err);
        if (rc == 0 && repeat)
            rc = cts_yaml_range(repeat, "repeat", 1, CTS_VEC_REPEAT_MAX, &n, r->err);
        p->repeat = (uint32_t)n;
        return rc ? rc : piece_kinds[i].read(r, node, p);
    }
    return cts_yaml_error(node, CTS_E_SCHEMA, r->err,
                          "a piece of code is text or a mapping with row, opcode, slot or text");
}

int cts_vec_read_code(struct cts_vec_reader *r, const struct cts_yaml *node, const char *what,
                      struct cts_vec_code *out)
{
    bool text = node->kind == CTS_YAML_SCALAR;
    size_t n = text ? 1 : node->count;
    if (node->kind == CTS_YAML_MAP)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err, "%s: text or a list of pieces", what);
    if (n == 0 && strcmp(what, "program") != 0)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err, "%s: empty", what);
    struct cts_vec_piece *p = cts_arena_take_array(r->arena, n + 1, sizeof(*p));
    if (!p)
        return cts_vec_nomem(r);
    for (size_t i = 0; i < n; i++) {
        int rc = read_piece(r, text ? node : node->items[i], &p[i]);
        if (rc)
            return rc;
    }
    *out = (struct cts_vec_code){.is_text = text, .pieces = p, .count = n};
    return 0;
}
