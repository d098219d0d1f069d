/* Rows in order, and their fields as text. */
#include "info.h"

#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"

static int compare_field(const struct cts_spec_enc *a, const struct cts_spec_enc *b)
{
    bool fixed_a = a->rule == CTS_SR_FIXED, fixed_b = b->rule == CTS_SR_FIXED;

    if (fixed_a != fixed_b)
        return fixed_a ? -1 : 1;
    /* spans by where they start; `value` is 0 in the other rules */
    return (a->value > b->value) - (a->value < b->value);
}

static int by_encoding(const void *a, const void *b)
{
    static const enum cts_spec_field ORDER[] = {CTS_SF_OPCODE, CTS_SF_SRC, CTS_SF_OFF, CTS_SF_IMM};
    const struct cts_spec_insn *x = *(const struct cts_spec_insn *const *)a;
    const struct cts_spec_insn *y = *(const struct cts_spec_insn *const *)b;

    for (size_t i = 0; i < sizeof(ORDER) / sizeof(ORDER[0]); i++) {
        int order = compare_field(&x->enc[ORDER[i]], &y->enc[ORDER[i]]);
        if (order)
            return order;
    }
    return strcmp(x->id, y->id);
}

const struct cts_spec_insn **cts_info_by_encoding(const struct cts_spec *spec,
                                                  struct cts_arena *arena)
{
    const struct cts_spec_insn **rows =
        cts_arena_take_array(arena, spec->row_count + 1, sizeof(const struct cts_spec_insn *));

    if (!rows)
        return NULL;
    for (size_t i = 0; i < spec->row_count; i++)
        rows[i] = &spec->rows[i];
    qsort(rows, spec->row_count, sizeof(const struct cts_spec_insn *), by_encoding);
    return rows;
}

static void add_fixed(enum cts_spec_field field, int32_t value, char *text)
{
    if (field == CTS_SF_OFF)
        cts_fmt(text, CTS_INFO_FIELD_TEXT, "%d", (int)value);
    else if (field == CTS_SF_DST || field == CTS_SF_SRC)
        cts_fmt(text, CTS_INFO_FIELD_TEXT, "0x%x", (unsigned)value);
    else
        cts_fmt(text, CTS_INFO_FIELD_TEXT, "0x%02x", (unsigned)value);
}

const char *cts_info_field_text(const struct cts_spec_insn *row, enum cts_spec_field field,
                                char text[CTS_INFO_FIELD_TEXT])
{
    const struct cts_spec_enc *enc = &row->enc[field];

    if (field == CTS_SF_NEXT_IMM && !row->wide)
        return "";
    switch (enc->rule) {
    case CTS_SR_FIXED:
        add_fixed(field, enc->value, text);
        return text;
    case CTS_SR_REG:
    case CTS_SR_ANY:
        return "any";
    case CTS_SR_NONZERO:
        return "nonzero";
    case CTS_SR_SPAN:
        cts_fmt(text, CTS_INFO_FIELD_TEXT, "%d..%d step %d", (int)enc->value, (int)enc->last,
                (int)enc->step);
        return text;
    }
    return "";
}

void cts_info_reference(const struct cts_spec_insn *row, struct cts_buf *out)
{
    static const char *const OTHERS[CTS_ORIGIN_COUNT] = {
        [CTS_ORIGIN_RFC] = "RFC 9669",
        [CTS_ORIGIN_LINUX] = "Linux",
        [CTS_ORIGIN_TOOLCHAIN] = "toolchains",
    };

    cts_buf_adds(out, OTHERS[row->origin]);
    if (row->section[0])
        cts_buf_addf(out, ", Section %s", row->section);
}

bool cts_info_has(const char *const *list, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(list[i], id))
            return true;
    return false;
}

void cts_html_text(const char *text, struct cts_buf *out)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            cts_buf_adds(out, "&lt;");
            break;
        case '>':
            cts_buf_adds(out, "&gt;");
            break;
        case '&':
            cts_buf_adds(out, "&amp;");
            break;
        case '"':
            cts_buf_adds(out, "&quot;");
            break;
        default:
            cts_buf_addc(out, *text);
            break;
        }
    }
}
