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

enum { ROWS_MAX = 32 };

/* Rows of one opcode. */
struct rows {
    uint16_t row[ROWS_MAX];
    unsigned count;
};

static struct rows rows_of_opcode(uint8_t opcode)
{
    struct rows rows = {.count = 0};
    for (unsigned i = cts_opcode_first[opcode];
         i < cts_opcode_first[opcode + 1] && rows.count < ROWS_MAX; i++)
        rows.row[rows.count++] = cts_opcode_insns[i];
    return rows;
}

static const struct cts_field_rule *rule_of(const struct rows *rows, unsigned i, unsigned field)
{
    return &cts_insn_table[rows->row[i]].field[field];
}

static bool allows(const struct cts_field_rule *rule, int32_t value)
{
    switch ((enum cts_field_kind)rule->kind) {
    case CTS_FK_FIXED:
        return value == rule->value;
    case CTS_FK_REG:
        return value >= 0 && value < CTS_REG_COUNT;
    case CTS_FK_ANY:
        return true;
    case CTS_FK_NONZERO:
        return value != 0;
    case CTS_FK_SPAN:
        return value >= rule->value && value <= rule->last && value % rule->step == 0;
    }
    return false;
}

static bool same_rule(const struct cts_field_rule *a, const struct cts_field_rule *b)
{
    return a->kind == b->kind && a->value == b->value && a->last == b->last && a->step == b->step;
}

/* Does the field tell these rows apart? */
static bool is_selector(const struct rows *rows, unsigned field)
{
    for (unsigned i = 1; i < rows->count; i++)
        if (!same_rule(rule_of(rows, i, field), rule_of(rows, 0, field)))
            return true;
    return false;
}

/* Keeps the rows whose rule for the field allows the value; false, and all stay, if none does. */
static bool narrow(struct rows *rows, unsigned field, int32_t value)
{
    struct rows left = {.count = 0};
    for (unsigned i = 0; i < rows->count; i++)
        if (allows(rule_of(rows, i, field), value))
            left.row[left.count++] = rows->row[i];
    if (left.count > 0)
        *rows = left;
    return left.count > 0;
}

/* Looks at one selecting field after the other until one row is left. If none fits, *field is the
 * field that fits none of the rows still in *rows. */
static enum cts_insn_id select_row(const struct cts_insn *in, struct rows *rows, unsigned *field)
{
    *rows = rows_of_opcode(in->opcode);
    for (*field = 0; *field < CTS_F_COUNT && rows->count > 1; ++*field)
        if (is_selector(rows, *field) && !narrow(rows, *field, field_get(in, *field)))
            return CTS_INSN_COUNT;
    return rows->count == 1 ? (enum cts_insn_id)rows->row[0] : CTS_INSN_COUNT;
}

static bool allows_all(const struct cts_insn_info *info, const struct cts_insn *in)
{
    const int32_t values[CTS_F_COUNT] = {in->dst, in->src, in->off, in->imm, in->next_imm};
    unsigned count = info->flags & CTS_RF_WIDE ? CTS_F_COUNT : CTS_F_NEXT_IMM;
    for (unsigned f = 0; f < count; f++)
        if (!allows(&info->field[f], values[f]))
            return false;
    return true;
}

/* The one row of the opcode that allows all fields, if there is one: select_row would end with it,
 * field by field. */
static enum cts_insn_id row_that_fits(const struct cts_insn *in)
{
    enum cts_insn_id found = CTS_INSN_COUNT;
    for (unsigned i = cts_opcode_first[in->opcode]; i < cts_opcode_first[in->opcode + 1]; i++) {
        if (!allows_all(&cts_insn_table[cts_opcode_insns[i]], in))
            continue;
        if (found != CTS_INSN_COUNT)
            return CTS_INSN_COUNT;
        found = (enum cts_insn_id)cts_opcode_insns[i];
    }
    return found;
}

enum cts_insn_id cts_insn_of(const struct cts_insn *in)
{
    enum cts_insn_id fits = row_that_fits(in);
    if (fits != CTS_INSN_COUNT)
        return fits;
    struct rows rows;
    unsigned field;
    return select_row(in, &rows, &field);
}

static size_t put_rule(const struct cts_field_rule *rule, char *text, size_t cap)
{
    switch ((enum cts_field_kind)rule->kind) {
    case CTS_FK_FIXED:
        return cts_fmt(text, cap, "%d", (int)rule->value);
    case CTS_FK_REG:
        return cts_fmt(text, cap, "a register r0 to r10");
    case CTS_FK_ANY:
        return cts_fmt(text, cap, "anything");
    case CTS_FK_NONZERO:
        return cts_fmt(text, cap, "not 0");
    case CTS_FK_SPAN:
        return cts_fmt(text, cap, "a multiple of %d from %d to %d", (int)rule->step,
                       (int)rule->value, (int)rule->last);
    }
    return 0;
}

/* "0, 1 or 2": what the rows allow in a selecting field, each once. */
static void list_rules(const struct rows *rows, unsigned field, char *text, size_t cap)
{
    const struct cts_field_rule *rule[ROWS_MAX];
    unsigned count = 0;
    for (unsigned i = 0; i < rows->count; i++) {
        unsigned seen = 0;
        while (seen < count && !same_rule(rule[seen], rule_of(rows, i, field)))
            seen++;
        if (seen == count)
            rule[count++] = rule_of(rows, i, field);
    }
    for (size_t i = 0, len = 0; i < count && len < cap; i++) {
        len += cts_fmt(text + len, cap - len, "%s", i == 0 ? "" : i + 1 == count ? " or " : ", ");
        if (len < cap)
            len += put_rule(rule[i], text + len, cap - len);
    }
}

static int no_row(const struct cts_insn *in, struct cts_err *err)
{
    struct rows rows;
    unsigned f;
    char rules[256];
    select_row(in, &rows, &f);
    if (rows.count == 0)
        return cts_err_set(err, CTS_E_INVAL, "opcode 0x%02x is no instruction", in->opcode);
    list_rules(&rows, f, rules, sizeof(rules));
    return cts_err_set(err, CTS_E_INVAL, "opcode 0x%02x: field %s is %d, must be %s", in->opcode,
                       field_names[f], (int)field_get(in, f), rules);
}

static int check_field(const struct cts_insn_info *info, unsigned field, int32_t value,
                       struct cts_err *err)
{
    const struct cts_field_rule *rule = &info->field[field];
    char text[96];
    if (allows(rule, value))
        return 0;
    put_rule(rule, text, sizeof(text));
    return cts_err_set(err, CTS_E_INVAL, "%s: field %s is %s%d, must be %s", info->id,
                       field_names[field], rule->kind == CTS_FK_REG ? "r" : "", (int)value, text);
}

static int check_second_slot(const struct cts_insn_info *info, const struct cts_insn *in,
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

int cts_insn_check(enum cts_insn_id row, const struct cts_insn *in, struct cts_err *err)
{
    const struct cts_insn_info *info = cts_insn_info(row);
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
    unsigned first = cts_opcode_first[opcode];
    return cts_opcode_first[opcode + 1] > first &&
           (cts_insn_table[cts_opcode_insns[first]].flags & CTS_RF_WIDE);
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
               enum cts_insn_id *row, struct cts_err *err)
{
    memset(in, 0, sizeof(*in));
    *row = CTS_INSN_COUNT;
    if (slots == 0)
        return cts_err_set(err, CTS_E_INVAL, "no instruction: the program ends here");
    cts_slot_get(bytes, be, in);
    bool wide = is_wide_opcode(in->opcode);
    if (wide && slots > 1)
        get_second_slot(bytes, be, in);
    enum cts_insn_id found = row_that_fits(in);
    if (found != CTS_INSN_COUNT && !wide) {
        *row = found;
        return 1;
    }
    found = cts_insn_of(in);
    if (found == CTS_INSN_COUNT)
        return no_row(in, err);
    const struct cts_insn_info *info = &cts_insn_table[found];
    if (wide && slots < 2)
        return cts_err_set(err, CTS_E_INVAL, "%s: the second slot is missing", info->id);
    int rc = cts_insn_check(found, in, err);
    if (rc)
        return rc;
    *row = found;
    return wide ? 2 : 1;
}

/* --- functions that are named by their place ------------------------------------------------- */

/* Opcodes are the first byte in either byte order. */
static uint8_t opcode_at(const uint8_t *code, uint32_t slot)
{
    return code[(size_t)slot * CTS_SLOT_BYTES];
}

bool cts_function_begins(const uint8_t *code, uint32_t slots, uint64_t bytes)
{
    uint64_t wanted = bytes / CTS_SLOT_BYTES;
    if (bytes % CTS_SLOT_BYTES != 0 || wanted >= slots)
        return false;
    for (uint32_t at = 0; at < wanted; at += opcode_at(code, at) == CTS_OPCODE_LDDW ? 2 : 1)
        if (opcode_at(code, at) == CTS_OPCODE_EXIT && at + 1 == wanted)
            return true;
    return false;
}

static bool has_opcode(const uint8_t *code, uint32_t slots, uint8_t opcode)
{
    for (uint32_t at = 0; at < slots; at += opcode_at(code, at) == CTS_OPCODE_LDDW ? 2 : 1)
        if (opcode_at(code, at) == opcode)
            return true;
    return false;
}

bool cts_calls_addresses(const uint8_t *code, uint32_t slots)
{
    return has_opcode(code, slots, CTS_OPCODE_CALLX);
}

bool cts_jumps_to_addresses(const uint8_t *code, uint32_t slots)
{
    return has_opcode(code, slots, CTS_OPCODE_GOTOX);
}

bool cts_insn_begins(const uint8_t *code, uint32_t slots, uint64_t bytes)
{
    uint64_t wanted = bytes / CTS_SLOT_BYTES;
    uint32_t at = 0;
    if (bytes % CTS_SLOT_BYTES != 0 || wanted >= slots)
        return false;
    while (at < wanted)
        at += opcode_at(code, at) == CTS_OPCODE_LDDW ? 2 : 1;
    return at == wanted;
}
