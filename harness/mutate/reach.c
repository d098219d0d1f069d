/* Can a mutant show in a program of so many slots at all? What is wrong with jumps and calls may be
 * wrong only beyond distances that no short program has: then all distances that it can have, and
 * some more, give what the right machine gives. */
#include <stdlib.h>
#include <string.h>

#include "mutate/run_impl.h"

enum { VALUES = 2 }; /* of each operand: whatever a jump compares, some pair takes it */

struct reach {
    struct cts_mut_table *table;
    const struct cts_mutant *mutant;
    struct cts_mach_insn *prog; /* 2 * slots + 1 instructions, none of them wide */
    struct cts_mach *mach, *other;
    uint32_t slots;
};

static bool goes_by_imm(enum cts_insn_id row)
{
    return row == CTS_INSN_JA32 || row == CTS_INSN_CALL_LOCAL;
}

static struct cts_insn insn_of(enum cts_insn_id row, int32_t distance, int32_t operand)
{
    const struct cts_insn_info *info = cts_insn_info(row);
    struct cts_insn in = {.opcode = info->opcode, .dst = 1, .src = 2, .imm = operand};
    if (info->field[CTS_F_DST].kind != CTS_FK_REG)
        in.dst = (uint8_t)info->field[CTS_F_DST].value;
    if (info->field[CTS_F_SRC].kind != CTS_FK_REG)
        in.src = (uint8_t)info->field[CTS_F_SRC].value;
    if (info->field[CTS_F_IMM].kind == CTS_FK_FIXED)
        in.imm = info->field[CTS_F_IMM].value;
    if (goes_by_imm(row))
        in.imm = distance;
    else
        in.off = (int16_t)distance;
    return in;
}

static void step(const struct reach *r, struct cts_mach *m, const struct cts_insn *in, int32_t dst,
                 int32_t src)
{
    cts_mach_init(m);
    m->prog = r->prog;
    m->prog_slots = 2 * r->slots + 1;
    m->at = r->slots;
    m->pc = r->slots + 1;
    m->exec = r->table->exec;
    m->choose = true;
    m->r[1] = (uint64_t)dst;
    m->r[2] = (uint64_t)src;
    r->table->exec[r->mutant->row](m, in);
}

static bool is_same(const struct cts_mach *a, const struct cts_mach *b)
{
    return a->pc == b->pc && a->stop == b->stop && a->depth == b->depth &&
           memcmp(a->r, b->r, sizeof(a->r)) == 0;
}

static bool decodes_same(const struct cts_mutant *m, const struct cts_insn *in)
{
    uint8_t slot[CTS_SLOT_BYTES];
    struct cts_buf code;
    cts_slot_put(slot, false, in);
    cts_buf_init(&code, 0);
    cts_buf_add(&code, slot, sizeof(slot));
    bool same = m->model->decode(m, &code) == CTS_DECODED_SAME;
    cts_buf_release(&code);
    return same;
}

static bool runs_same(const struct reach *r, int32_t distance, int32_t dst, int32_t src)
{
    const struct cts_insn in = insn_of(r->mutant->row, distance, src);
    if (r->mutant->model && r->mutant->model->decode)
        return decodes_same(r->mutant, &in);
    cts_mut_table_set(r->table, r->mutant);
    step(r, r->mach, &in, dst, src);
    cts_mut_table_set(r->table, NULL);
    step(r, r->other, &in, dst, src);
    return is_same(r->mach, r->other);
}

static bool distances_same(const struct reach *r)
{
    int32_t far = (int32_t)r->slots;
    if (!goes_by_imm(r->mutant->row) && far > INT16_MAX)
        far = INT16_MAX;
    for (int32_t d = -far + 1; d < far; d++)
        for (int32_t pair = 0; pair < VALUES * VALUES; pair++)
            if (!runs_same(r, d, pair / VALUES, pair % VALUES))
                return false;
    return true;
}

bool cts_mut_is_beyond(struct cts_mut_table *table, const struct cts_mutant *m, uint32_t slots)
{
    struct reach r = {.table = table, .mutant = m, .slots = slots};
    const struct cts_insn in = {.opcode = 0};
    bool beyond = false;
    if (m->row == CTS_INSN_COUNT || !(cts_insn_info(m->row)->flags & CTS_RF_JUMP) ||
        m->row == CTS_INSN_EXIT)
        return false;
    r.prog = calloc(2u * slots + 1u, sizeof(*r.prog));
    r.mach = malloc(sizeof(*r.mach));
    r.other = malloc(sizeof(*r.other));
    for (uint32_t i = 0; r.prog && i < 2 * slots + 1; i++)
        r.prog[i] = (struct cts_mach_insn){.row = CTS_INSN_MOV64_K, .in = in};
    if (r.prog && r.mach && r.other)
        beyond = distances_same(&r);
    free(r.prog);
    free(r.mach);
    free(r.other);
    return beyond;
}
