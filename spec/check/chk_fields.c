/* Every row names every field, a fixed value other than 0 selects the row, and what neither selects
 * nor means anything is fixed to 0 (RFC 9669 section 3.1). */
#include <stdio.h>

#include "spec_check/check.h"

/* Do the two rows share an opcode, and nothing but field f keeps them apart? */
static bool only_difference(const struct cts_spec_insn *a, const struct cts_spec_insn *b,
                            enum cts_spec_field f)
{
    if (a->enc[CTS_SF_OPCODE].value != b->enc[CTS_SF_OPCODE].value)
        return false;
    for (int i = 0; i < CTS_SF_COUNT; i++) {
        bool meet = cts_spec_enc_meet(&a->enc[i], &b->enc[i]);
        if (meet == (i == (int)f))
            return false;
    }
    return true;
}

static bool selects(const struct cts_spec *spec, const struct cts_spec_insn *row,
                    enum cts_spec_field f)
{
    for (size_t i = 0; i < spec->row_count; i++) {
        if (only_difference(row, &spec->rows[i], f))
            return true;
    }
    return false;
}

/* The later rows may select by two fields at once. */
static bool selects_with_others(const struct cts_spec *spec, const struct cts_spec_insn *row,
                                enum cts_spec_field f)
{
    for (size_t i = 0; i < spec->row_count; i++) {
        const struct cts_spec_insn *other = &spec->rows[i];
        if (row->enc[CTS_SF_OPCODE].value == other->enc[CTS_SF_OPCODE].value &&
            !cts_spec_enc_meet(&row->enc[f], &other->enc[f]))
            return true;
    }
    /* An encoding space of its own: what selects is the value alone. */
    return row->enc[CTS_SF_OPCODE].rule == CTS_SR_FIXED && f == CTS_SF_IMM;
}

static void check_field(struct cts_check_run *run, const struct cts_spec_insn *row,
                        enum cts_spec_field f, size_t *selectors)
{
    const struct cts_spec_enc *e = &row->enc[f];

    if (e->rule != CTS_SR_FIXED || !e->value)
        return;
    (*selectors)++;
    bool good = row->origin == CTS_ORIGIN_RFC ? selects(run->spec, row, f)
                                              : selects_with_others(run->spec, row, f);
    if (!good)
        cts_check_fault_at(run, row->node, "%s: %s is %d and selects nothing: unused fields are 0",
                           row->id, cts_spec_field_name(f), (int)e->value);
}

static void run_fields(struct cts_check_run *run)
{
    const struct cts_spec *spec = run->spec;
    size_t selectors = 0, open = 0;

    for (size_t i = 0; i < spec->row_count; i++) {
        const struct cts_spec_insn *row = &spec->rows[i];
        const struct cts_yaml *map = cts_yaml_get(row->node, "encoding");
        for (enum cts_spec_field f = 0; f < CTS_SF_COUNT; f++) {
            if (f == CTS_SF_NEXT_IMM && !row->wide)
                continue;
            run->looked++;
            open += row->enc[f].rule != CTS_SR_FIXED;
            if (!cts_yaml_get(map, cts_spec_field_name(f)))
                cts_check_fault_at(run, row->node, "%s: %s is not named", row->id,
                                   cts_spec_field_name(f));
            if (f != CTS_SF_OPCODE)
                check_field(run, row, f, &selectors);
        }
    }
    snprintf(run->more, sizeof(run->more), "%zu open, %zu fixed to a value other than 0", open,
             selectors);
}

const struct cts_check cts_check_fields = {
    .name = "fields",
    .what = "every field is named, and fixed to 0 unless it is used or selects the row",
    .unit = "fields",
    .run = run_fields,
};
