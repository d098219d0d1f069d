/* The text of a row has a place for each field that is open, and for no other. */
#include <stdio.h>
#include <string.h>

#include "spec_check/anchors.h"

/* What a placeholder shows, as a set of fields. */
static const struct {
    const char *text;
    unsigned fields;
    bool word; /* the 32-bit name of a register */
} PLACES[] = {
    {"{dst}", 1u << CTS_SF_DST, false},
    {"{dst.w}", 1u << CTS_SF_DST, true},
    {"{src}", 1u << CTS_SF_SRC, false},
    {"{src.w}", 1u << CTS_SF_SRC, true},
    {"{off}", 1u << CTS_SF_OFF, false},
    {"{disp}", 1u << CTS_SF_OFF, false},
    {"{imm}", 1u << CTS_SF_IMM, false},
    {"{imm64}", 1u << CTS_SF_IMM | 1u << CTS_SF_NEXT_IMM, false},
};

/* Fields that the text shows; false and a fault at a placeholder that does not exist. */
static bool read_places(struct cts_check_run *run, const struct cts_spec_insn *row,
                        unsigned *fields, bool *word, bool *full)
{
    for (const char *at = strchr(row->syntax, '{'); at; at = strchr(at + 1, '{')) {
        size_t i = 0, n = sizeof(PLACES) / sizeof(PLACES[0]);
        while (i < n && strncmp(at, PLACES[i].text, strlen(PLACES[i].text)) != 0)
            i++;
        if (i == n) {
            cts_check_fault_at(run, cts_yaml_get(row->node, "asm"),
                               "%s: no placeholder begins '%.8s'", row->id, at);
            return false;
        }
        *fields |= PLACES[i].fields;
        *word |= PLACES[i].word;
        *full |= !PLACES[i].word && PLACES[i].fields & (1u << CTS_SF_DST | 1u << CTS_SF_SRC);
        run->looked++;
    }
    return true;
}

/* A field of a wide immediate that is fixed to 0 is part of the number all the same. */
static unsigned open_fields(const struct cts_spec_insn *row, bool only_open)
{
    unsigned set = 0;

    for (int f = CTS_SF_DST; f < CTS_SF_COUNT; f++) {
        bool zero_half = row->wide && f == CTS_SF_NEXT_IMM && !only_open;
        if (row->enc[f].rule != CTS_SR_FIXED || zero_half)
            set |= 1u << f;
    }
    return set;
}

static void check_row(struct cts_check_run *run, const struct cts_limits *limits,
                      const struct cts_spec_insn *row)
{
    unsigned shown = 0;
    bool word = false, full = false;

    if (!read_places(run, row, &shown, &word, &full))
        return;
    for (int f = CTS_SF_DST; f < CTS_SF_COUNT; f++) {
        const struct cts_limit *limit = cts_limit_of(limits, row, (enum cts_spec_field)f);
        unsigned bit = 1u << f;
        if (open_fields(row, true) & ~shown & bit && !limit)
            cts_check_fault_at(run, row->node, "%s: %s is open, and the text has no place for it",
                               row->id, cts_spec_field_name((enum cts_spec_field)f));
        if (shown & ~open_fields(row, false) & bit)
            cts_check_fault_at(run, row->node, "%s: the text has a place for %s, which is fixed",
                               row->id, cts_spec_field_name((enum cts_spec_field)f));
    }
    int class = row->enc[CTS_SF_OPCODE].value & 7;
    if (word && (class == 7 || class == 5))
        cts_check_fault_at(run, row->node, "%s: a 32-bit register in a 64-bit instruction",
                           row->id);
    bool end = class == 4 && (row->enc[CTS_SF_OPCODE].value & 0xf0) == 0xd0;
    if (full && !end && (class == 4 || class == 6))
        cts_check_fault_at(run, row->node, "%s: a 64-bit register in a 32-bit instruction",
                           row->id);
}

static void run_syntax(struct cts_check_run *run)
{
    struct cts_limits limits;
    size_t rows = 0;

    if (!cts_limits_load(run, "llvm-mc", &limits))
        return;
    for (size_t i = 0; i < run->spec->row_count; i++) {
        if (run->spec->rows[i].slot)
            continue;
        rows++;
        check_row(run, &limits, &run->spec->rows[i]);
    }
    snprintf(run->more, sizeof(run->more), "of %zu instructions", rows);
}

const struct cts_check cts_check_syntax = {
    .name = "syntax",
    .what = "the text of a row has a place for each open field and for no other",
    .unit = "placeholders",
    .run = run_syntax,
};
