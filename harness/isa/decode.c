#include "isa/isa.h"

#include <string.h>

#include "base/fmt.h"
#include "generated/isa_tables.h"

static const char *const field_names[CTS_F_COUNT] = {"dst", "src", "off", "imm", "next_imm"};

static int32_t field_get(const struct cts_insn *in, unsigned field)
{
    const int32_t values[CTS_F_COUNT] = {in->dst, in->src, in->off, in->imm, in->next_imm};
    return values[field];
}

/* The rows of one opcode. */
struct rows {
    const uint16_t *row;
    unsigned count;
};

static struct rows rows_of_opcode(uint8_t opcode)
{
    unsigned first = cts_opcode_first[opcode];
    return (struct rows){&cts_opcode_rows[first], cts_opcode_first[opcode + 1] - first};
}

static const struct cts_field_rule *rule_of(const struct rows *rows, unsigned i, unsigned field)
{
    return &cts_row_table[rows->row[i]].field[field];
}

/* A field tells rows of one opcode apart if each of them fixes it, and not all to the same value.
 */
static bool is_selector(const struct rows *rows, unsigned field)
{
    bool differ = false;
    for (unsigned i = 0; i < rows->count; i++) {
        const struct cts_field_rule *rule = rule_of(rows, i, field);
        if (rule->kind != CTS_FK_FIXED)
            return false;
        differ |= rule->value != rule_of(rows, 0, field)->value;
    }
    return differ;
}

static bool is_selected(const struct rows *rows, unsigned i, const struct cts_insn *in)
{
    for (unsigned f = 0; f < CTS_F_COUNT; f++) {
        const struct cts_field_rule *rule = rule_of(rows, i, f);
        if (rule->kind == CTS_FK_FIXED && rule->value != field_get(in, f) && is_selector(rows, f))
            return false;
    }
    return true;
}

enum cts_row_id cts_row_of(const struct cts_insn *in)
{
    struct rows rows = rows_of_opcode(in->opcode);
    if (rows.count == 1)
        return (enum cts_row_id)rows.row[0];
    for (unsigned i = 0; i < rows.count; i++)
        if (is_selected(&rows, i, in))
            return (enum cts_row_id)rows.row[i];
    return CTS_ROW_COUNT;
}

/* "0, 1 or 2": the values of a selecting field. */
static void list_values(const struct rows *rows, unsigned field, char *text, size_t cap)
{
    size_t len = 0;
    for (unsigned i = 0; i < rows->count && len < cap; i++) {
        const char *sep = i == 0 ? "" : i + 1 == rows->count ? " or " : ", ";
        len += cts_fmt(text + len, cap - len, "%s%d", sep, (int)rule_of(rows, i, field)->value);
    }
}

static int no_row(const struct cts_insn *in, struct cts_err *err)
{
    struct rows rows = rows_of_opcode(in->opcode);
    for (unsigned f = 0; f < CTS_F_COUNT; f++) {
        char values[128];
        if (!is_selector(&rows, f))
            continue;
        list_values(&rows, f, values, sizeof(values));
        return cts_err_set(err, CTS_E_INVAL, "opcode 0x%02x: field %s is %d, must be %s",
                           in->opcode, field_names[f], (int)field_get(in, f), values);
    }
    return cts_err_set(err, CTS_E_INVAL, "opcode 0x%02x is no instruction", in->opcode);
}

static int check_field(const struct cts_row_info *info, unsigned field, int32_t value,
                       struct cts_err *err)
{
    const struct cts_field_rule *rule = &info->field[field];
    switch ((enum cts_field_kind)rule->kind) {
    case CTS_FK_FIXED:
        if (value == rule->value)
            return 0;
        return cts_err_set(err, CTS_E_INVAL, "%s: field %s is %d, must be %d", info->id,
                           field_names[field], (int)value, (int)rule->value);
    case CTS_FK_REG:
        if (value >= 0 && value < CTS_REG_COUNT)
            return 0;
        return cts_err_set(err, CTS_E_INVAL, "%s: field %s is r%d, must be a register r0 to r10",
                           info->id, field_names[field], (int)value);
    case CTS_FK_ANY:
        return 0;
    }
    return cts_err_set(err, CTS_E_INVAL, "%s: field %s has no rule", info->id, field_names[field]);
}

static int check_second_slot(const struct cts_row_info *info, const struct cts_insn *in,
                             struct cts_err *err)
{
    const struct {
        const char *name;
        int value;
    } zero[] = {{"opcode", in->opcode2}, {"registers", in->regs2}, {"offset", in->off2}};
    for (size_t i = 0; i < sizeof(zero) / sizeof(zero[0]); i++)
        if (zero[i].value != 0)
            return cts_err_set(err, CTS_E_INVAL, "%s: %s of the second slot: %d, must be 0",
                               info->id, zero[i].name, zero[i].value);
    return 0;
}

int cts_insn_check(enum cts_row_id row, const struct cts_insn *in, struct cts_err *err)
{
    const struct cts_row_info *info = cts_row_info(row);
    if (!info)
        return cts_err_set(err, CTS_E_INVAL, "no such row");
    if (in->opcode != info->opcode)
        return cts_err_set(err, CTS_E_INVAL, "%s: opcode is 0x%02x, must be 0x%02x", info->id,
                           in->opcode, info->opcode);
    bool wide = info->flags & CTS_RF_WIDE;
    for (unsigned f = 0; f < CTS_F_COUNT; f++) {
        if (f == CTS_F_NEXT_IMM && !wide)
            continue;
        int rc = check_field(info, f, field_get(in, f), err);
        if (rc)
            return rc;
    }
    return wide ? check_second_slot(info, in, err) : 0;
}

static bool is_wide_opcode(uint8_t opcode)
{
    struct rows rows = rows_of_opcode(opcode);
    return rows.count > 0 && (cts_row_table[rows.row[0]].flags & CTS_RF_WIDE);
}

static void get_second_slot(const uint8_t *bytes, bool be, struct cts_insn *in)
{
    struct cts_insn second;
    cts_slot_get(bytes + CTS_SLOT_BYTES, be, &second);
    in->next_imm = second.imm;
    in->opcode2 = second.opcode;
    in->regs2 = (uint8_t)(second.src << 4 | second.dst);
    in->off2 = second.off;
}

int cts_decode(const uint8_t *bytes, size_t slots, bool be, struct cts_insn *in,
               enum cts_row_id *row, struct cts_err *err)
{
    memset(in, 0, sizeof(*in));
    *row = CTS_ROW_COUNT;
    if (slots == 0)
        return cts_err_set(err, CTS_E_INVAL, "no instruction: the program ends here");
    cts_slot_get(bytes, be, in);
    bool wide = is_wide_opcode(in->opcode);
    if (wide && slots > 1)
        get_second_slot(bytes, be, in);
    enum cts_row_id found = cts_row_of(in);
    if (found == CTS_ROW_COUNT)
        return no_row(in, err);
    const struct cts_row_info *info = &cts_row_table[found];
    if (wide && slots < 2)
        return cts_err_set(err, CTS_E_INVAL, "%s: the second slot is missing", info->id);
    int rc = cts_insn_check(found, in, err);
    if (rc)
        return rc;
    *row = found;
    return wide ? 2 : 1;
}
