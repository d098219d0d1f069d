#include "mutate/model.h"

#include <string.h>

#include "base/bytes.h"
#include "mutate/decoder.h"
#include "mutate/eval.h"
#include "mutate/list.h"

enum {
    TOP = 63,
};

static const struct cts_mutant *mutant_of(const struct cts_mach *m)
{
    return ((const struct cts_mut_table *)(const void *)m->exec)->mutant;
}

static void limit_budget(struct cts_mach *m)
{
    if (m->budget > CTS_MUT_BUDGET)
        m->budget = CTS_MUT_BUDGET;
}

/* Where a runtime may go either way, the mutant's goes: one that never does shows no target. */
static void prepare(struct cts_mach *m)
{
    limit_budget(m);
    m->choose = true;
}

static void right(struct cts_mach *m, const struct cts_insn *in)
{
    prepare(m);
    cts_exec_table[mutant_of(m)->row](m, in);
}

static void exec_does(struct cts_mach *m, const struct cts_insn *in)
{
    prepare(m);
    cts_eval(mutant_of(m)->sema, m, in);
}

void cts_mut_table_set(struct cts_mut_table *t, const struct cts_mutant *m)
{
    memcpy(t->exec, cts_exec_table, sizeof(t->exec));
    t->mutant = m;
    if (m && m->sema)
        t->exec[m->row] = exec_does;
    else if (m && m->model->exec)
        t->exec[m->row] = m->model->exec;
}

static bool runs(const struct cts_mach *m)
{
    return m->stop == CTS_MACH_RUNNING;
}

static const struct cts_insn_info *info_of(const struct cts_mach *m)
{
    return cts_insn_info(mutant_of(m)->row);
}

static int64_t distance(struct cts_mach *m, const struct cts_insn *in)
{
    if (mutant_of(m)->row == CTS_INSN_GOTOX)
        return cts_mach_slots_to(m, m->r[in->dst]);
    return mutant_of(m)->row == CTS_INSN_JA32 ? in->imm : in->off;
}

static void flip_byte(struct cts_mach *m, uint64_t at, uint8_t bits)
{
    uint8_t *host = cts_mach_host(m, at, 1, true);
    if (host)
        *host ^= bits;
}

/* Where a store goes. */
static uint64_t stored_at(struct cts_mach *m, const struct cts_insn *in)
{
    if (in->dst < CTS_REG_COUNT)
        return m->r[in->dst] + (uint64_t)(int64_t)in->off;
    return cts_mach_arg_out(m, in->off);
}

/* Carries the instruction out with a mistake that nothing can hide: a branch goes the other way, a
 * call to the second instruction, the lowest bit of what is written is wrong. */
static void misbehave(struct cts_mach *m, const struct cts_insn *in)
{
    const struct cts_insn_info *info = info_of(m);
    uint32_t next = m->pc;
    bool stores = info->flags & (CTS_RF_STORE | CTS_RF_ATOMIC);
    uint64_t at = stores ? stored_at(m, in) : 0;
    right(m, in);
    if (!runs(m))
        return;
    if ((info->flags & CTS_RF_JUMP) && (info->flags & CTS_RF_CALL)) {
        m->pc++;
    } else if (cts_mut_is_branch(info, mutant_of(m)->row) &&
               mutant_of(m)->row != CTS_INSN_MAY_GOTO) {
        if (m->pc != next)
            m->pc = next;
        else
            cts_mach_goto(m, distance(m, in));
    } else if (stores) {
        flip_byte(m, at, 1);
    } else if (info->field[CTS_F_DST].kind == CTS_FK_REG) {
        m->r[in->dst] ^= 1;
    } else {
        m->r[0] ^= 1;
    }
}

/* ---- registers ---- */

static void exec_high_bit(struct cts_mach *m, const struct cts_insn *in)
{
    struct cts_insn wrong = *in;
    uint8_t *reg = mutant_of(m)->arg == CTS_F_DST ? &wrong.dst : &wrong.src;
    *reg &= 7;
    right(m, &wrong);
}

static void exec_register(struct cts_mach *m, const struct cts_insn *in)
{
    int32_t arg = mutant_of(m)->arg;
    unsigned reg = arg >> 8 == CTS_F_DST ? in->dst : in->src;
    if (reg == (unsigned)(arg & 0xff))
        misbehave(m, in);
    else
        right(m, in);
}

static void exec_alias(struct cts_mach *m, const struct cts_insn *in)
{
    if (in->dst == in->src)
        misbehave(m, in);
    else
        right(m, in);
}

static void exec_pair(struct cts_mach *m, const struct cts_insn *in)
{
    int32_t arg = mutant_of(m)->arg;
    if (in->dst == arg >> 8 && in->src == (arg & 0xff))
        misbehave(m, in);
    else
        right(m, in);
}

static void exec_neighbour(struct cts_mach *m, const struct cts_insn *in)
{
    unsigned reg = (unsigned)mutant_of(m)->arg;
    bool unused = cts_insn_info(mutant_of(m)->row)->field[CTS_F_DST].kind == CTS_FK_FIXED;
    right(m, in);
    if (runs(m) && (unused || reg != in->dst))
        m->r[reg] ^= UINT64_C(1) << TOP;
}

/* ---- memory ---- */

static void exec_overrun(struct cts_mach *m, const struct cts_insn *in)
{
    uint64_t at = stored_at(m, in) + (uint64_t)(int64_t)mutant_of(m)->arg;
    right(m, in);
    if (runs(m))
        flip_byte(m, at, 0xff);
}

static void exec_order(struct cts_mach *m, const struct cts_insn *in)
{
    m->be = !m->be;
    right(m, in);
    m->be = !m->be;
}

/* Reads when it is met first, computes and writes when it is met again, without a look at what came
 * between. What was read is kept where no function of the program has its frame. */
static void exec_in_parts(struct cts_mach *m, const struct cts_insn *in)
{
    uint32_t bytes = mutant_of(m)->arg & 0xff, half_way = ~m->at;
    bool compares = mutant_of(m)->arg >> 8;
    struct cts_mach_frame *kept = &m->frame[CTS_MACH_FRAMES - 1];
    uint8_t *host = cts_mach_host(m, m->r[in->dst] + (uint64_t)(int64_t)in->off, bytes, true);
    uint64_t now = 0;
    if (!host || m->depth == CTS_MACH_FRAMES - 1) {
        right(m, in);
        return;
    }
    memcpy(&now, host, bytes);
    if (kept->return_pc != half_way) {
        kept->return_pc = half_way;
        kept->saved[0] = now;
        m->pc = m->at;
        return;
    }
    kept->return_pc = 0;
    memcpy(host, &kept->saved[0], bytes);
    right(m, in);
    if (compares && memcmp(host, &kept->saved[0], bytes) == 0)
        memcpy(host, &now, bytes);
}

/* ---- control ---- */

/* Slots between here and the target are counted as instructions. */
static void exec_wide_jump(struct cts_mach *m, const struct cts_insn *in)
{
    uint32_t next = m->pc;
    right(m, in);
    if (!runs(m) || m->pc == next)
        return;
    uint32_t lo = m->pc < next ? m->pc : next, hi = m->pc < next ? next : m->pc, wide = 0;
    for (uint32_t i = lo; i < hi; i++)
        wide += m->prog[i].wide;
    m->pc = m->pc < next ? m->pc - wide : m->pc + wide;
}

static void exec_backward(struct cts_mach *m, const struct cts_insn *in)
{
    if (distance(m, in) < 0)
        misbehave(m, in);
    else
        right(m, in);
}

static void exec_far(struct cts_mach *m, const struct cts_insn *in)
{
    int64_t d = distance(m, in);
    if (d > mutant_of(m)->arg || -d > mutant_of(m)->arg)
        misbehave(m, in);
    else
        right(m, in);
}

static void exec_next_slot(struct cts_mach *m, const struct cts_insn *in)
{
    right(m, in);
    if (runs(m))
        m->pc--;
}

/* ---- calls ---- */

static void exec_return_address(struct cts_mach *m, const struct cts_insn *in)
{
    right(m, in);
    if (runs(m))
        m->frame[m->depth - 1].return_pc += (uint32_t)mutant_of(m)->arg;
}

static void exec_callee_stack(struct cts_mach *m, const struct cts_insn *in)
{
    right(m, in);
    if (runs(m))
        m->r[10] += (uint64_t)(int64_t)mutant_of(m)->arg;
}

static void exec_argument(struct cts_mach *m, const struct cts_insn *in)
{
    if (mutant_of(m)->arg >= 0)
        m->r[mutant_of(m)->arg] ^= 1;
    right(m, in);
}

static void exec_nesting(struct cts_mach *m, const struct cts_insn *in)
{
    right(m, in);
    if (runs(m) && m->depth > (unsigned)mutant_of(m)->arg)
        cts_mach_fault(m, CTS_MACH_FAULT_CALL, "calls are nested too deeply for the mutant");
}

static void exec_call_clobbers(struct cts_mach *m, const struct cts_insn *in)
{
    right(m, in);
    if (runs(m))
        m->r[mutant_of(m)->arg] ^= UINT64_C(1) << TOP;
}

static void exec_result_32(struct cts_mach *m, const struct cts_insn *in)
{
    bool inner = m->depth > 0;
    if (inner == mutant_of(m)->arg)
        m->r[0] = (uint32_t)m->r[0];
    right(m, in);
}

static void exec_result_sign(struct cts_mach *m, const struct cts_insn *in)
{
    bool inner = m->depth > 0;
    if (inner == mutant_of(m)->arg)
        m->r[0] = (uint64_t)(int64_t)(int32_t)m->r[0];
    right(m, in);
}

static void exec_unrestored(struct cts_mach *m, const struct cts_insn *in)
{
    unsigned reg = (unsigned)mutant_of(m)->arg;
    bool inner = m->depth > 0;
    uint64_t callee = m->r[reg];
    right(m, in);
    if (inner && runs(m))
        m->r[reg] = callee;
}

static void exec_half_restored(struct cts_mach *m, const struct cts_insn *in)
{
    unsigned reg = (unsigned)mutant_of(m)->arg;
    bool inner = m->depth > 0;
    right(m, in);
    if (inner && runs(m))
        m->r[reg] = (uint32_t)m->r[reg];
}

static void exec_exit_ends(struct cts_mach *m, const struct cts_insn *in)
{
    (void)in;
    limit_budget(m);
    cts_mach_finish(m, m->r[0]);
}

static void exec_exit_twice(struct cts_mach *m, const struct cts_insn *in)
{
    bool nested = m->depth > 1;
    right(m, in);
    if (nested && runs(m))
        cts_mach_exit(m);
}

static void exec_result_lost(struct cts_mach *m, const struct cts_insn *in)
{
    uint64_t r0 = m->r[0];
    right(m, in);
    if (runs(m))
        m->r[0] = r0;
}

/* ---- the list ---- */

enum model_id {
    M_HIGH_BIT,
    M_REGISTER,
    M_ALIAS,
    M_PAIR,
    M_NEIGHBOUR,
    M_OVERRUN,
    M_ORDER,
    M_IN_PARTS,
    M_WIDE_JUMP,
    M_BACKWARD,
    M_FAR,
    M_NEXT_SLOT,
    M_RETURN_ADDRESS,
    M_CALLEE_STACK,
    M_ARGUMENT,
    M_NESTING,
    M_CALL_CLOBBERS,
    M_RESULT_32,
    M_RESULT_SIGN,
    M_UNRESTORED,
    M_HALF_RESTORED,
    M_EXIT_ENDS,
    M_EXIT_TWICE,
    M_RESULT_LOST,
    M_IGNORES_FIELD,
    M_ANY_REGISTER,
    M_UNASSIGNED,
    M_REFUSES,
    M_STRUCTURE,
    MODELS
};

static const struct cts_mut_model models[MODELS] = {
    [M_HIGH_BIT] = {"register-high-bit", exec_high_bit, NULL},
    [M_REGISTER] = {"register", exec_register, NULL},
    [M_ALIAS] = {"alias", exec_alias, NULL},
    [M_PAIR] = {"pair", exec_pair, NULL},
    [M_NEIGHBOUR] = {"neighbour-register", exec_neighbour, NULL},
    [M_OVERRUN] = {"overrun", exec_overrun, NULL},
    [M_ORDER] = {"byte-order", exec_order, NULL},
    [M_IN_PARTS] = {"atomicity", exec_in_parts, NULL},
    [M_WIDE_JUMP] = {"wide-jump", exec_wide_jump, NULL},
    [M_BACKWARD] = {"backward", exec_backward, NULL},
    [M_FAR] = {"far", exec_far, NULL},
    [M_NEXT_SLOT] = {"next-slot", exec_next_slot, NULL},
    [M_RETURN_ADDRESS] = {"return-address", exec_return_address, NULL},
    [M_CALLEE_STACK] = {"callee-stack", exec_callee_stack, NULL},
    [M_ARGUMENT] = {"argument", exec_argument, NULL},
    [M_NESTING] = {"nesting", exec_nesting, NULL},
    [M_CALL_CLOBBERS] = {"call-clobbers", exec_call_clobbers, NULL},
    [M_RESULT_32] = {"result-width", exec_result_32, NULL},
    [M_RESULT_SIGN] = {"result-width", exec_result_sign, NULL},
    [M_UNRESTORED] = {"unrestored", exec_unrestored, NULL},
    [M_HALF_RESTORED] = {"unrestored", exec_half_restored, NULL},
    [M_EXIT_ENDS] = {"exit-ends", exec_exit_ends, NULL},
    [M_EXIT_TWICE] = {"exit-twice", exec_exit_twice, NULL},
    [M_RESULT_LOST] = {"result-lost", exec_result_lost, NULL},
    [M_IGNORES_FIELD] = {"ignores-field", NULL, cts_mut_decode_ignores_field},
    [M_ANY_REGISTER] = {"any-register", NULL, cts_mut_decode_any_register},
    [M_UNASSIGNED] = {"unassigned-opcode", NULL, cts_mut_decode_unassigned},
    [M_REFUSES] = {"refuses", NULL, cts_mut_decode_refuses},
    [M_STRUCTURE] = {"structure", NULL, cts_mut_decode_structure},
};

struct adder {
    struct cts_mut_list *list;
    enum cts_insn_id row;
    const struct cts_insn_info *info; /* null: no row */
};

static void add(struct adder *a, enum model_id id, int32_t arg, enum cts_level level,
                const char *text)
{
    if (!text)
        a->list->failed = true;
    cts_mut_add(a->list, &(struct cts_mutant){.row = a->row,
                                              .op = models[id].name,
                                              .text = text,
                                              .level = level,
                                              .model = &models[id],
                                              .arg = arg});
}

#define ADD(a, id, arg, level, ...)                                                                \
    add(a, id, arg, level, cts_arena_fmt((a)->list->arena, __VA_ARGS__))

static bool is_reg(const struct adder *a, enum cts_field f)
{
    return a->info->field[f].kind == CTS_FK_REG;
}

static bool is_any(const struct adder *a, enum cts_field f)
{
    return a->info->field[f].kind == CTS_FK_ANY;
}

static bool has(const struct adder *a, unsigned flags)
{
    return a->info->flags & flags;
}

/* May r10 stand in this field? It is read-only: bases and operands that are read. */
static bool takes_fp(const struct adder *a, enum cts_field f)
{
    if (f == CTS_F_SRC)
        return !has(a, CTS_RF_PLATFORM) && !has(a, CTS_RF_ATOMIC);
    return has(a, CTS_RF_STORE | CTS_RF_ATOMIC);
}

static void add_registers(struct adder *a)
{
    static const char *const names[] = {[CTS_F_DST] = "dst", [CTS_F_SRC] = "src"};
    for (enum cts_field f = CTS_F_DST; f <= CTS_F_SRC; f++) {
        if (!is_reg(a, f))
            continue;
        ADD(a, M_HIGH_BIT, (int32_t)f, CTS_LEVEL_QUICK, "the highest bit of %s is lost", names[f]);
        /* In packet access r6 is the context: nothing can be said of it as an index. */
        for (int32_t r = 0; r < 10 + takes_fp(a, f); r++)
            if (r != 6 || a->info->group != CTS_GROUP_PACKET)
                ADD(a, M_REGISTER, (int32_t)f << 8 | r, CTS_LEVEL_QUICK, "wrong where %s is r%d",
                    names[f], r);
    }
    if (!is_reg(a, CTS_F_DST) || !is_reg(a, CTS_F_SRC))
        return;
    ADD(a, M_ALIAS, 0, CTS_LEVEL_QUICK, "wrong where dst and src are one register");
    /* Quick has each register in each place, full each pair of them. */
    static const uint8_t pairs[][2] = {{0, 9}, {9, 0}, {2, 7}, {8, 1}};
    for (size_t i = 0; i < CTS_ARRAY_LEN(pairs); i++)
        ADD(a, M_PAIR, pairs[i][0] << 8 | pairs[i][1], CTS_LEVEL_FULL,
            "wrong where dst is r%d and src is r%d", pairs[i][0], pairs[i][1]);
}

static void add_neighbours(struct adder *a)
{
    bool packet = a->info->group == CTS_GROUP_PACKET;
    if (has(a, CTS_RF_CALL) || a->row == CTS_INSN_EXIT)
        return;
    for (int32_t r = packet ? 6 : 0; r < 10; r++)
        ADD(a, M_NEIGHBOUR, r, CTS_LEVEL_QUICK, "the top bit of r%d changes%s", r,
            is_reg(a, CTS_F_DST) ? " where it is not dst" : "");
}

/* Bytes accessed: the widest memory reference of its semantics. */
static int32_t access_bytes(const struct cts_spec_insn *row)
{
    static const struct {
        const char *text;
        int32_t bytes;
    } widths[] = {{"mem64[", 8}, {"mem32[", 4}, {"mem16[", 2}, {"mem8[", 1}};
    for (size_t i = 0; i < CTS_ARRAY_LEN(widths); i++)
        if (strstr(row->does, widths[i].text))
            return widths[i].bytes;
    return 0;
}

static void add_memory(struct adder *a, const struct cts_spec_insn *row)
{
    int32_t bytes = access_bytes(row);
    if (bytes == 0)
        return;
    if (bytes > 1)
        ADD(a, M_ORDER, 0, CTS_LEVEL_QUICK, "memory is accessed in the other byte order");
    if (!has(a, CTS_RF_STORE | CTS_RF_ATOMIC))
        return;
    bool compares = a->row == CTS_INSN_ATOMIC32_CMPXCHG || a->row == CTS_INSN_ATOMIC64_CMPXCHG;
    if (a->info->group == CTS_GROUP_ATOMIC32 || a->info->group == CTS_GROUP_ATOMIC64)
        ADD(a, M_IN_PARTS, bytes | compares << 8, CTS_LEVEL_QUICK,
            "others come between its load and its store");
    ADD(a, M_OVERRUN, bytes, CTS_LEVEL_QUICK, "the byte behind is changed");
    ADD(a, M_OVERRUN, -1, CTS_LEVEL_QUICK, "the byte before is changed");
    ADD(a, M_OVERRUN, bytes + 3, CTS_LEVEL_QUICK, "the fourth byte behind is changed");
}

static void add_branches(struct adder *a)
{
    static const int32_t reach[] = {127, 2047};
    if (!cts_mut_is_branch(a->info, a->row))
        return;
    ADD(a, M_WIDE_JUMP, 0, CTS_LEVEL_QUICK, "a wide instruction that is jumped over counts once");
    ADD(a, M_BACKWARD, 0, CTS_LEVEL_QUICK, "wrong where the distance is negative");
    for (size_t i = 0; i < CTS_ARRAY_LEN(reach); i++)
        ADD(a, M_FAR, reach[i], CTS_LEVEL_QUICK, "wrong where the distance is beyond %d", reach[i]);
}

static void add_local_call(struct adder *a)
{
    ADD(a, M_RETURN_ADDRESS, 1, CTS_LEVEL_QUICK, "returns one slot too far");
    ADD(a, M_RETURN_ADDRESS, -1, CTS_LEVEL_QUICK, "returns to the call");
    ADD(a, M_CALLEE_STACK, CTS_MACH_STACK_BYTES, CTS_LEVEL_QUICK,
        "the callee has the caller's stack");
    ADD(a, M_CALLEE_STACK, CTS_MACH_STACK_BYTES / 2, CTS_LEVEL_QUICK,
        "the callee's stack overlaps the caller's");
    for (int32_t r = 1; r <= 5; r++)
        ADD(a, M_ARGUMENT, r, CTS_LEVEL_QUICK, "r%d reaches the callee changed", r);
    for (int32_t n = 1; n < CTS_MACH_FRAMES - 1; n++)
        ADD(a, M_NESTING, n, CTS_LEVEL_QUICK, "calls nest no deeper than %d", n);
}

static void add_exit(struct adder *a)
{
    ADD(a, M_RESULT_32, 1, CTS_LEVEL_QUICK, "the upper half of a function's result is lost");
    ADD(a, M_RESULT_SIGN, 1, CTS_LEVEL_QUICK, "a function's result is sign-extended from 32 bits");
    ADD(a, M_RESULT_32, 0, CTS_LEVEL_QUICK, "the upper half of the program's result is lost");
    ADD(a, M_RESULT_SIGN, 0, CTS_LEVEL_QUICK, "the program's result is sign-extended from 32 bits");
    for (int32_t r = 6; r <= 10; r++) {
        ADD(a, M_UNRESTORED, r, CTS_LEVEL_QUICK, "r%d is not restored", r);
        ADD(a, M_HALF_RESTORED, r, CTS_LEVEL_QUICK, "the upper half of r%d is not restored", r);
    }
    ADD(a, M_EXIT_ENDS, 0, CTS_LEVEL_QUICK, "exit in a function ends the program");
    ADD(a, M_EXIT_TWICE, 0, CTS_LEVEL_QUICK, "exit in a nested function returns from two");
}

static void add_calls(struct adder *a)
{
    if (a->row == CTS_INSN_CALL_LOCAL || a->row == CTS_INSN_CALLX)
        add_local_call(a);
    if (a->row == CTS_INSN_EXIT)
        add_exit(a);
    if (a->row != CTS_INSN_CALL_HELPER && a->row != CTS_INSN_CALL_BTF)
        return;
    for (int32_t r = 6; r <= 9; r++)
        ADD(a, M_CALL_CLOBBERS, r, CTS_LEVEL_QUICK, "the call changes r%d", r);
    ADD(a, M_CALL_CLOBBERS, 10, CTS_LEVEL_QUICK, "the call changes r10");
    for (int32_t r = 1; r <= 5; r++)
        ADD(a, M_ARGUMENT, r, CTS_LEVEL_QUICK, "r%d reaches the function changed", r);
    ADD(a, M_RESULT_LOST, 0, CTS_LEVEL_QUICK, "the result does not reach r0");
}

static void add_decoding(struct adder *a)
{
    static const char *const fields[CTS_SECOND_END] = {"dst",
                                                       "src",
                                                       "off",
                                                       "imm",
                                                       "next_imm",
                                                       "the second slot's opcode",
                                                       "the second slot's registers",
                                                       "the second slot's offset"};
    bool wide = has(a, CTS_RF_WIDE);
    for (unsigned f = 0; f < CTS_SECOND_END; f++) {
        if (f >= CTS_F_NEXT_IMM && !wide)
            continue;
        if (f < CTS_F_COUNT && a->info->field[f].kind != CTS_FK_FIXED)
            continue;
        /* A further kind of wide load would name an object that is not there. */
        if (wide && f == CTS_F_SRC && has(a, CTS_RF_PLATFORM))
            continue;
        ADD(a, M_IGNORES_FIELD, (int32_t)f, CTS_LEVEL_QUICK, "any %s is accepted", fields[f]);
    }
    for (enum cts_field f = CTS_F_DST; f <= CTS_F_SRC; f++)
        if (is_reg(a, f))
            ADD(a, M_ANY_REGISTER, (int32_t)f, CTS_LEVEL_QUICK, "%s beyond r10 is accepted",
                fields[f]);
}

static void add_refusals(struct adder *a)
{
    static const struct {
        enum cts_mut_refusal what;
        int reg, any; /* field that must be open, CTS_F_COUNT: none */
        bool fp;
        const char *text;
    } list[] = {
        {CTS_REFUSES_ALL, CTS_F_COUNT, CTS_F_COUNT, false, "the instruction is refused"},
        {CTS_REFUSES_DST_8, CTS_F_DST, CTS_F_COUNT, false, "dst above r7 is refused"},
        {CTS_REFUSES_SRC_8, CTS_F_SRC, CTS_F_COUNT, false, "src above r7 is refused"},
        {CTS_REFUSES_SRC_10, CTS_F_SRC, CTS_F_COUNT, true, "r10 as src is refused"},
        {CTS_REFUSES_DST_10, CTS_F_DST, CTS_F_COUNT, true, "r10 as dst is refused"},
        {CTS_REFUSES_ALIAS, CTS_F_SRC, CTS_F_COUNT, false,
         "one register as dst and src is refused"},
        {CTS_REFUSES_OFF_NEGATIVE, CTS_F_COUNT, CTS_F_OFF, false, "a negative offset is refused"},
        {CTS_REFUSES_OFF_POSITIVE, CTS_F_COUNT, CTS_F_OFF, false, "a positive offset is refused"},
        {CTS_REFUSES_OFF_FAR, CTS_F_COUNT, CTS_F_OFF, false,
         "an offset of more than 8 bits is refused"},
        {CTS_REFUSES_IMM_NEGATIVE, CTS_F_COUNT, CTS_F_IMM, false,
         "a negative immediate is refused"},
        {CTS_REFUSES_IMM_ZERO, CTS_F_COUNT, CTS_F_IMM, false, "immediate 0 is refused"},
        {CTS_REFUSES_IMM_LARGE, CTS_F_COUNT, CTS_F_IMM, false,
         "an immediate of more than 16 bits is refused"},
    };
    for (size_t i = 0; i < CTS_ARRAY_LEN(list); i++) {
        bool good = true;
        if (list[i].reg < CTS_F_COUNT)
            good = is_reg(a, (enum cts_field)list[i].reg) &&
                   (!list[i].fp || takes_fp(a, (enum cts_field)list[i].reg));
        if (list[i].what == CTS_REFUSES_ALIAS)
            good = good && is_reg(a, CTS_F_DST);
        /* Numbers of helpers and objects are the platform's. */
        if (list[i].any < CTS_F_COUNT)
            good = is_any(a, (enum cts_field)list[i].any) &&
                   !(list[i].any == CTS_F_IMM && has(a, CTS_RF_PLATFORM | CTS_RF_CALL));
        if (good)
            ADD(a, M_REFUSES, (int32_t)list[i].what, CTS_LEVEL_QUICK, "%s", list[i].text);
    }
}

void cts_mut_add_model(struct cts_mut_list *list, const struct cts_spec_insn *row,
                       enum cts_insn_id id)
{
    struct adder a = {list, id, cts_insn_info(id)};
    add_registers(&a);
    add_neighbours(&a);
    add_memory(&a, row);
    add_branches(&a);
    add_calls(&a);
    if (has(&a, CTS_RF_WIDE))
        ADD(&a, M_NEXT_SLOT, 0, CTS_LEVEL_QUICK, "its second slot is run");
    add_decoding(&a);
    add_refusals(&a);
}

static bool is_assigned(unsigned opcode)
{
    for (unsigned r = 0; r < CTS_INSN_COUNT; r++) {
        const struct cts_insn_info *info = cts_insn_info((enum cts_insn_id)r);
        if (info->opcode == opcode && !(info->flags & CTS_RF_SLOT))
            return true;
    }
    return false;
}

void cts_mut_add_global(struct cts_mut_list *list)
{
    static const char *const texts[CTS_ACCEPTS_COUNT] = {
        [CTS_ACCEPTS_JUMP_OUT] = "a jump out of the program is accepted",
        [CTS_ACCEPTS_JUMP_WIDE] = "a jump into a wide instruction is accepted",
        [CTS_ACCEPTS_CALL_OUT] = "a call out of the program is accepted",
        [CTS_ACCEPTS_FALL_OFF] = "a program without an end is accepted",
        [CTS_ACCEPTS_EMPTY] = "an empty program is accepted",
    };
    struct adder a = {list, CTS_INSN_COUNT, NULL};
    for (unsigned opcode = 0; opcode < 256; opcode++)
        if (!is_assigned(opcode))
            ADD(&a, M_UNASSIGNED, (int32_t)opcode, CTS_LEVEL_QUICK, "opcode 0x%02x is accepted",
                opcode);
    for (int32_t s = 0; s < CTS_ACCEPTS_COUNT; s++)
        add(&a, M_STRUCTURE, s, CTS_LEVEL_QUICK, texts[s]);
}
