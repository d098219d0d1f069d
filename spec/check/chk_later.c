/* What came after the RFC: each of its rows names a question of the register of ambiguities, and no
 * vector calls its encoding an opcode of no instruction, or one with a reserved field. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec_check/check.h"

static const char INVALID_OPCODE[] = "V01";
/* Classes of programs with an instruction that is none, all fields counted. */
static const char *const NO_INSTRUCTION[] = {INVALID_OPCODE, "V03", "V04", "V05", "V06"};

/* The id that the next question may have: behind the last. */
static unsigned next_question(const struct cts_spec *spec)
{
    unsigned long last = 0;

    for (size_t i = 0; i < spec->ambiguity_count; i++) {
        unsigned long n = strtoul(spec->ambiguities[i].id + 1, NULL, 10);
        last = n > last ? n : last;
    }
    return (unsigned)last + 1;
}

static void check_question(struct cts_check_run *run, const struct cts_spec_insn *row)
{
    unsigned next = next_question(run->spec);

    if (!row->ambiguities.count)
        cts_check_fault_at(run, row->node,
                           "%s: it came after the RFC and names no question: give it "
                           "'ambiguities: [A%u]', and %s/ambiguities.yaml an item A%u of kind "
                           "'later' that says who has the instruction",
                           row->id, next, run->spec_dir, next);
}

/* A register that stands for a role can be any. */
static bool reg_fits(const struct cts_spec_enc *enc, const struct cts_vec_reg *reg, bool given)
{
    return given && reg->role >= 0 ? enc->rule == CTS_SR_REG
                                   : cts_spec_enc_allows(enc, given ? reg->reg : 0);
}

static bool number_fits(const struct cts_spec_enc *enc, const struct cts_vec_field *number)
{
    return number->is_imm || cts_spec_enc_allows(enc, number->v);
}

static bool is_encoding_of(const struct cts_spec_insn *row, const struct cts_vec_piece *p)
{
    return p->kind == CTS_VP_RAW && row->enc[CTS_SF_OPCODE].value == p->opcode &&
           reg_fits(&row->enc[CTS_SF_DST], &p->dst, p->has_dst) &&
           reg_fits(&row->enc[CTS_SF_SRC], &p->src, p->has_src) &&
           number_fits(&row->enc[CTS_SF_OFF], &p->off) &&
           number_fits(&row->enc[CTS_SF_IMM], &p->imm);
}

/* Must every runtime reject it, whatever it has? */
static bool must_be_rejected(const struct cts_vec *v)
{
    for (size_t c = 0; c < v->case_count; c++) {
        for (size_t o = 0; o < v->cases[c].outcome_count; o++) {
            if (v->cases[c].outcomes[o].kind != CTS_OUT_REJECTED)
                return false;
        }
    }
    return v->kind == CTS_VK_VERDICT;
}

/* The first slot of a piece with one bit inverted, little-endian encoding. */
static uint64_t flipped(const struct cts_spec *spec, const struct cts_vec_piece *p, unsigned bit)
{
    static const struct cts_spec_enc ANY[CTS_SF_COUNT];
    const struct cts_spec_insn *base = p->row ? cts_spec_insn_find(spec, p->row) : NULL;
    const struct cts_spec_enc *enc = base ? base->enc : ANY;
    const struct {
        enum cts_spec_field field;
        bool given;
        int64_t value;
        unsigned at, bits;
    } fields[] = {
        {CTS_SF_OPCODE, !base, p->opcode, 0, 8},
        {CTS_SF_DST, p->has_dst && p->dst.role < 0, p->dst.reg, 8, 4},
        {CTS_SF_SRC, p->has_src && p->src.role < 0, p->src.reg, 12, 4},
        {CTS_SF_OFF, p->off.given, p->off.v, 16, 16},
        {CTS_SF_IMM, p->imm.given, p->imm.v, 32, 32},
    };
    uint64_t slot = 0;

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const struct cts_spec_enc *e = &enc[fields[i].field];
        int64_t v = fields[i].given ? fields[i].value : e->rule == CTS_SR_FIXED ? e->value : 0;
        slot |= ((uint64_t)v & ((UINT64_C(1) << fields[i].bits) - 1)) << fields[i].at;
    }
    return bit < 64 ? slot ^ UINT64_C(1) << bit : slot;
}

static bool is_slot_of(const struct cts_spec_insn *row, uint64_t slot)
{
    return row->enc[CTS_SF_OPCODE].value == (int)(slot & 0xff) &&
           cts_spec_enc_allows(&row->enc[CTS_SF_DST], slot >> 8 & 15) &&
           cts_spec_enc_allows(&row->enc[CTS_SF_SRC], slot >> 12 & 15) &&
           cts_spec_enc_allows(&row->enc[CTS_SF_OFF], (int16_t)(slot >> 16)) &&
           cts_spec_enc_allows(&row->enc[CTS_SF_IMM], (int32_t)(slot >> 32));
}

/* One wrong bit that is not wrong any more. */
static void check_flip(struct cts_check_run *run, const struct cts_spec_insn *row,
                       const struct cts_vec *v, const struct cts_vec_piece *p)
{
    for (unsigned bit = 0; bit < p->flip.bits; bit++) {
        bool tried = !(p->flip.left_out >> bit & 1) && p->flip.at < 64;
        if (tried && is_slot_of(row, flipped(run->spec, p, p->flip.at + bit)))
            cts_check_fault(run, p->pos.file, v->pos.line,
                            "%s: bit %u of %s makes it %s in %s:%u: leave that bit out, with "
                            "'but: [%u]'",
                            v->id, bit, p->flip.field, row->id, row->node->file, row->node->line,
                            bit);
    }
}

static bool is_of_no_instruction(const struct cts_vec *v)
{
    for (size_t i = 0; i < sizeof(NO_INSTRUCTION) / sizeof(NO_INSTRUCTION[0]); i++) {
        if (strcmp(v->klass, NO_INSTRUCTION[i]) == 0)
            return true;
    }
    return false;
}

static void check_piece(struct cts_check_run *run, const struct cts_spec_insn *row,
                        const struct cts_vec *v, const struct cts_vec_piece *p)
{
    if (p->flip.field)
        check_flip(run, row, v, p);
    else if (is_encoding_of(row, p))
        cts_check_fault(run, p->pos.file, v->pos.line,
                        strcmp(v->klass, INVALID_OPCODE) == 0
                            ? "%s: opcode 0x%02x is no instruction here, and %s in %s:%u: remove "
                              "the vector"
                            : "%s: opcode 0x%02x with these fields is no instruction here, and %s "
                              "in %s:%u: remove the vector",
                        v->id, p->opcode, row->id, row->node->file, row->node->line);
}

static size_t check_opcodes(struct cts_check_run *run, const struct cts_check_vecs *vecs,
                            const struct cts_spec_insn *row)
{
    size_t looked = 0;

    for (size_t f = 0; f < vecs->file_count; f++) {
        for (size_t v = 0; v < vecs->files[f].count; v++) {
            const struct cts_vec *vec = &vecs->files[f].vectors[v];
            if (!is_of_no_instruction(vec) || !must_be_rejected(vec))
                continue;
            looked++;
            for (size_t i = 0; i < vec->code.count; i++)
                check_piece(run, row, vec, &vec->code.pieces[i]);
        }
    }
    return looked;
}

static void run_later(struct cts_check_run *run)
{
    const struct cts_check_vecs *vecs = cts_check_load_vectors(run);
    size_t vectors = 0;

    for (size_t i = 0; vecs && i < run->spec->row_count; i++) {
        const struct cts_spec_insn *row = &run->spec->rows[i];
        if (row->origin == CTS_ORIGIN_RFC)
            continue;
        run->looked++;
        check_question(run, row);
        vectors = check_opcodes(run, vecs, row);
    }
    snprintf(run->more, sizeof(run->more), "%zu vectors about what is no instruction", vectors);
}

const struct cts_check cts_check_later = {
    .name = "later",
    .what = "what came after the RFC names its question, and no vector says it is no instruction",
    .unit = "instructions",
    .run = run_later,
};
