/* Every opcode is an instruction's or listed as nobody's, and every bit of every slot has an owner:
 * an operand, a selector (a fixed value that tells the row from another of its opcode, or the
 * opcode), or nobody (reserved: 0). RFC 9669 sections 3 to 5. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec_check/check.h"
#include "spec_check/table.h"

enum { CLASS_MASK = 7, SOURCE_BIT = 8, WIDE_OPCODE = 0x18, SLOT_BITS = 64 };

static const unsigned FIELD_BITS[CTS_SF_COUNT] = {8, 4, 4, 16, 32, 32};

struct bits {
    size_t operand, selector, reserved;
};

static bool is_fixed(const struct cts_spec_insn *row, enum cts_spec_field f)
{
    return row->enc[f].rule == CTS_SR_FIXED;
}

/* Does another row of the opcode have another rule there? */
static bool is_selector(const struct cts_spec *spec, const struct cts_spec_insn *row,
                        enum cts_spec_field f)
{
    for (size_t i = 0; i < spec->row_count; i++) {
        const struct cts_spec_insn *other = &spec->rows[i];
        if (other->enc[CTS_SF_OPCODE].value == row->enc[CTS_SF_OPCODE].value &&
            !cts_spec_enc_meet(&other->enc[f], &row->enc[f]))
            return true;
    }
    return f == CTS_SF_OPCODE;
}

static void count_bits(struct cts_check_run *run, const struct cts_spec_insn *row, struct bits *sum)
{
    unsigned total = 0;

    for (int i = 0; i < CTS_SF_COUNT; i++) {
        enum cts_spec_field f = (enum cts_spec_field)i;
        if (f == CTS_SF_NEXT_IMM && !row->wide)
            continue;
        total += FIELD_BITS[f];
        if (!is_fixed(row, f))
            sum->operand += FIELD_BITS[f];
        else if (is_selector(run->spec, row, f) || row->enc[f].value)
            sum->selector += FIELD_BITS[f];
        else
            sum->reserved += FIELD_BITS[f];
    }
    if (row->wide) { /* the rest of the second slot: opcode, registers and offset are 0 */
        sum->reserved += SLOT_BITS - FIELD_BITS[CTS_SF_NEXT_IMM];
        total += SLOT_BITS - FIELD_BITS[CTS_SF_NEXT_IMM];
    }
    if (total != (row->wide ? 2 : 1) * SLOT_BITS)
        cts_check_fault_at(run, row->node, "%s: %u bits have an owner", row->id, total);
}

/* What the opcode's bits say of the other fields: sections 3.1, 4 and 5.4. */
static void check_shape(struct cts_check_run *run, const struct cts_spec_insn *row)
{
    int opcode = row->enc[CTS_SF_OPCODE].value;
    bool has_source_bit = (opcode & CLASS_MASK) >= 4 && (opcode & 0xf0) != 0xd0;

    if (row->wide != (opcode == WIDE_OPCODE))
        cts_check_fault_at(run, row->node, "%s: %s", row->id,
                           row->wide ? "next_imm, but not in mode IMM of size DW"
                                     : "mode IMM of size DW, but without next_imm");
    if (row->origin == CTS_ORIGIN_RFC && has_source_bit && (opcode & SOURCE_BIT) &&
        !is_fixed(row, CTS_SF_IMM))
        cts_check_fault_at(run, row->node, "%s: the source is a register, and imm is open",
                           row->id);
    if (has_source_bit && !(opcode & SOURCE_BIT) && !is_fixed(row, CTS_SF_SRC))
        cts_check_fault_at(run, row->node, "%s: the source is imm, and src is open", row->id);
}

/* The second slot: one row, only imm is open in it, and wide rows exist. */
static void check_second_slot(struct cts_check_run *run)
{
    size_t slots = 0, wide = 0;

    for (size_t i = 0; i < run->spec->row_count; i++) {
        const struct cts_spec_insn *row = &run->spec->rows[i];
        wide += row->wide;
        if (!row->slot)
            continue;
        slots++;
        for (int f = 0; f < CTS_SF_IMM; f++) {
            if (!is_fixed(row, (enum cts_spec_field)f) || row->enc[f].value)
                cts_check_fault_at(run, row->node, "%s: only imm of a second slot is not 0",
                                   row->id);
        }
        if (row->enc[CTS_SF_IMM].rule != CTS_SR_ANY)
            cts_check_fault_at(run, row->node, "%s: imm of a second slot is open", row->id);
    }
    if (slots != (wide ? 1u : 0u))
        cts_check_fault(run, run->spec_dir, 0, "%zu rows for the second slot of %zu wide ones",
                        slots, wide);
}

/* Fills line[] with where an opcode is listed as nobody's. */
static bool load_unassigned(struct cts_check_run *run, unsigned line[256], struct cts_table *t)
{
    static const char *const columns[] = {"opcode", "why", NULL};
    struct cts_err err = {0};

    if (cts_table_load(run->spec_dir, "unassigned.tsv", columns, run->arena, t, &err)) {
        cts_check_fault_err(run, &err);
        return false;
    }
    for (size_t i = 0; i < t->count; i++) {
        char *end;
        unsigned long opcode = strtoul(t->lines[i].field[0], &end, 0);
        if (*end || opcode > 255 || !t->lines[i].field[1][0])
            cts_check_fault(run, t->path, t->lines[i].line, "an opcode and a reason are wanted");
        else if (line[opcode])
            cts_check_fault(run, t->path, t->lines[i].line, "0x%02lx is there twice", opcode);
        else
            line[opcode] = t->lines[i].line;
    }
    return true;
}

struct owners {
    const struct cts_spec_insn *rfc, *later;
};

static void check_opcode(struct cts_check_run *run, unsigned opcode, const struct owners *o,
                         const char *path, unsigned line)
{
    run->looked++;
    if (o->rfc && line)
        cts_check_fault_at(run, o->rfc->node, "%s: %s:%u says that 0x%02x is nobody's", o->rfc->id,
                           path, line, opcode);
    if (!o->rfc && !line)
        cts_check_fault(run, run->spec_dir, 0, "opcode 0x%02x is no row's, and not in %s", opcode,
                        path);
}

static void run_bits(struct cts_check_run *run)
{
    struct owners owner[256] = {{NULL, NULL}};
    unsigned line[256] = {0};
    size_t assigned = 0, later = 0;
    struct bits bits = {0};
    struct cts_table t;

    if (!load_unassigned(run, line, &t))
        return;
    for (size_t i = 0; i < run->spec->row_count; i++) {
        const struct cts_spec_insn *row = &run->spec->rows[i];
        struct owners *o = &owner[row->enc[CTS_SF_OPCODE].value & 255];
        *(row->origin == CTS_ORIGIN_RFC ? &o->rfc : &o->later) = row;
        count_bits(run, row, &bits);
        check_shape(run, row);
    }
    check_second_slot(run);
    for (unsigned op = 0; op < 256; op++) {
        check_opcode(run, op, &owner[op], t.path, line[op]);
        assigned += owner[op].rfc != NULL;
        later += !owner[op].rfc && owner[op].later;
    }
    snprintf(
        run->more, sizeof(run->more),
        "%zu assigned, %zu not (%zu of them later); bits: %zu operand, %zu selector, %zu reserved",
        assigned, 256 - assigned, later, bits.operand, bits.selector, bits.reserved);
}

const struct cts_check cts_check_bits = {
    .name = "bits",
    .what = "every opcode is assigned or listed as unassigned, and every bit has an owner",
    .unit = "opcodes",
    .run = run_bits,
};
