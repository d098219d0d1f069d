/* What came after the RFC: each of its rows names a question of the register of ambiguities, and no
 * vector calls its encoding an opcode of no instruction. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec_check/check.h"

static const char INVALID_OPCODE[] = "V01";

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

static void check_question(struct cts_check_run *run, const struct cts_spec_row *row)
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

static bool is_encoding_of(const struct cts_spec_row *row, const struct cts_vec_piece *p)
{
    return p->kind == CTS_VP_RAW && row->enc[CTS_SF_OPCODE].value == p->opcode &&
           reg_fits(&row->enc[CTS_SF_DST], &p->dst, p->has_dst) &&
           reg_fits(&row->enc[CTS_SF_SRC], &p->src, p->has_src) &&
           number_fits(&row->enc[CTS_SF_OFF], &p->off) &&
           number_fits(&row->enc[CTS_SF_IMM], &p->imm);
}

static void check_vector(struct cts_check_run *run, const struct cts_spec_row *row,
                         const struct cts_vec *v)
{
    for (size_t i = 0; i < v->code.count; i++) {
        const struct cts_vec_piece *p = &v->code.pieces[i];
        if (is_encoding_of(row, p))
            cts_check_fault(run, p->pos.file, v->pos.line,
                            "%s: opcode 0x%02x is no instruction here, and %s in %s:%u: remove "
                            "the vector",
                            v->id, p->opcode, row->id, row->node->file, row->node->line);
    }
}

static size_t check_opcodes(struct cts_check_run *run, const struct cts_check_vecs *vecs,
                            const struct cts_spec_row *row)
{
    size_t looked = 0;

    for (size_t f = 0; f < vecs->file_count; f++) {
        for (size_t v = 0; v < vecs->files[f].count; v++) {
            const struct cts_vec *vec = &vecs->files[f].vectors[v];
            if (strcmp(vec->klass, INVALID_OPCODE) != 0)
                continue;
            looked++;
            check_vector(run, row, vec);
        }
    }
    return looked;
}

static void run_later(struct cts_check_run *run)
{
    const struct cts_check_vecs *vecs = cts_check_load_vectors(run);
    size_t vectors = 0;

    for (size_t i = 0; vecs && i < run->spec->row_count; i++) {
        const struct cts_spec_row *row = &run->spec->rows[i];
        if (row->origin == CTS_ORIGIN_RFC)
            continue;
        run->looked++;
        check_question(run, row);
        vectors = check_opcodes(run, vecs, row);
    }
    snprintf(run->more, sizeof(run->more), "%zu vectors about opcodes of no instruction", vectors);
}

const struct cts_check cts_check_later = {
    .name = "later",
    .what = "what came after the RFC names its question, and no vector says it is nobody's",
    .unit = "rows",
    .run = run_later,
};
