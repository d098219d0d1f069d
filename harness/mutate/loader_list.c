/* The mutants whose loader decides branches by what it wrongly knows. */
#include "base/bytes.h"
#include "mutate/list.h"
#include "mutate/loader.h"
#include "mutate/model.h"

static enum cts_mut_decoded decode_optimises(const struct cts_mutant *m, struct cts_buf *code)
{
    bool changed = cts_loader_optimise((enum cts_loader_flaw)m->arg, m->row, code);
    return changed ? CTS_DECODED_CHANGED : CTS_DECODED_SAME;
}

static const struct cts_mut_model facts = {"facts", NULL, decode_optimises};
static const struct cts_mut_model pruning = {"pruning", NULL, decode_optimises};

static void add(struct cts_mut_list *list, enum cts_insn_id row, enum cts_loader_flaw flaw,
                const struct cts_mut_model *model, const char *text)
{
    cts_mut_add(list, &(struct cts_mutant){.row = row,
                                           .op = model->name,
                                           .text = text,
                                           .level = CTS_LEVEL_QUICK,
                                           .model = model,
                                           .arg = (int32_t)flaw});
}

/* The same loader without a flaw: nothing may notice. */
static void add_right(struct cts_mut_list *list, enum cts_insn_id row)
{
    cts_mut_add(list, &(struct cts_mutant){.row = row,
                                           .op = "control",
                                           .text = "branches that are known to go one way do",
                                           .level = CTS_LEVEL_QUICK,
                                           .model = &facts,
                                           .arg = CTS_LF_NONE,
                                           .control = true});
}

enum kind {
    K_OPERATION = 1 << 0, /* writes dst by what is in it */
    K_BY_REGISTER = 1 << 1,
    K_ADDS = 1 << 2, /* ... a constant to 64 bits */
    K_ADDS_HALF = 1 << 3,
    K_MOVES_PART = 1 << 4,
    K_STORES = 1 << 5,
    K_FETCHES = 1 << 6,
    K_LOADS_PART = 1 << 7,
    K_ORDERS = 1 << 8, /* a jump by greater or less */
    K_JUMPS_HALF = 1 << 9,
    K_JSET = 1 << 10,
    K_SUMS = 1 << 11, /* 64-bit additions and subtractions */
    K_ARSH = 1 << 12,
    K_RANGED = 1 << 13, /* its result has a known range where its operands have one */
    K_BITWISE = 1 << 14,
};

static unsigned kinds_of_alu(enum cts_insn_id row, const struct cts_insn_info *info)
{
    unsigned op = info->opcode >> 4, is64 = (info->opcode & 7) == 7, by_reg = info->opcode & 8;
    unsigned kinds = row == CTS_INSN_MOV64_X ? 0 : K_OPERATION;
    bool adds = op <= 1, order = op == 13 && !is64, extends = info->field[CTS_F_OFF].value != 0;
    if (op == 13 || op == 8)
        by_reg = 0;
    /* With itself a 64-bit AND or OR changes nothing. */
    if (by_reg && op != 11 && !(is64 && (op == 4 || op == 5)))
        kinds |= K_BY_REGISTER;
    if (adds)
        kinds |= by_reg ? (is64 ? K_SUMS : 0) : is64 ? K_ADDS | K_SUMS : K_ADDS_HALF;
    if (op == 11 && row != CTS_INSN_MOV64_X && by_reg)
        kinds |= K_MOVES_PART;
    if (op == 12 && is64 && !by_reg)
        kinds |= K_ARSH;
    if (!by_reg && !extends && (op <= 3 || op == 6 || op == 7 || op == 9))
        kinds |= K_RANGED;
    if (by_reg && (op == 4 || op == 5 || op == 10))
        kinds |= K_BITWISE;
    return order ? K_OPERATION : kinds;
}

static unsigned kinds_of_jump(const struct cts_insn_info *info)
{
    unsigned op = info->opcode >> 4, kinds = (info->opcode & 7) == 6 ? K_JUMPS_HALF : 0;
    if (info->opcode & 8 || op == 0)
        return 0;
    if (op == 4)
        return kinds | K_JSET;
    return op == 1 || op == 5 ? kinds : kinds | K_ORDERS;
}

static unsigned kinds_of(enum cts_insn_id row)
{
    const struct cts_insn_info *info = cts_insn_info(row);
    unsigned class = info->opcode & 7;
    if (info->group > CTS_GROUP_DIVMUL64)
        return 0;
    if (info->flags & CTS_RF_JUMP)
        return info->flags & CTS_RF_CALL || row == CTS_INSN_EXIT ? 0 : kinds_of_jump(info);
    if (info->flags & CTS_RF_ATOMIC)
        return K_STORES | (info->field[CTS_F_IMM].value & 1 ? K_FETCHES : 0);
    if (info->flags & CTS_RF_STORE)
        return K_STORES;
    if (info->flags & CTS_RF_LOAD)
        return row == CTS_INSN_LDX_DW ? 0 : K_LOADS_PART;
    return class == 4 || class == 7 ? kinds_of_alu(row, info) : 0;
}

static const struct {
    unsigned kinds;
    enum cts_loader_flaw flaw;
    const char *text;
} flaws[] = {
    {K_OPERATION, CTS_LF_KEEPS_COPY, "a copy that it changes is thought to be one still"},
    {K_OPERATION, CTS_LF_KEEPS_ORIGINAL, "what it changes is thought to be like its copy still"},
    {K_OPERATION, CTS_LF_CHANGES_BOTH, "it is thought to change copies, too"},
    {K_BY_REGISTER, CTS_LF_SAME_UNCHANGED, "with dst == src it is thought to change nothing"},
    {K_MOVES_PART, CTS_LF_COPIES_WHOLE, "it is thought to make a copy of the whole register"},
    {K_ADDS, CTS_LF_DELTA_LOST, "a copy that something is added to is thought to be one still"},
    {K_ADDS, CTS_LF_DELTA_NEGATED, "what it adds to a copy is thought to be subtracted"},
    {K_ADDS_HALF, CTS_LF_DELTA_OF_HALF, "what it adds is thought to be added to 64 bits"},
    {K_STORES, CTS_LF_STORE_KEEPS, "what was on the stack is thought to be there still"},
    {K_FETCHES, CTS_LF_FETCH_KEEPS, "the register is thought to keep its value"},
    {K_LOADS_PART, CTS_LF_LOAD_UNEXTENDED, "it is thought to load all that the register had"},
    {K_SUMS, CTS_LF_NO_WRAP, "the range of the result is thought not to wrap"},
    {K_ARSH, CTS_LF_SIGN_IGNORED, "the range of the result is that of the logical shift"},
    {K_RANGED, CTS_LF_TIGHT, "the range of the result lacks the greatest number"},
    {K_RANGED, CTS_LF_TIGHT_BELOW, "the range of the result lacks the least number"},
    {K_BITWISE, CTS_LF_SOURCE_LEAST, "bits of src that are not known are thought to be 0"},
    {K_ORDERS, CTS_LF_TAKEN_TIGHT, "the range where it jumps is too narrow by one"},
    {K_ORDERS, CTS_LF_FALLS_TIGHT, "the range where it does not jump is too narrow by one"},
    {K_ORDERS, CTS_LF_OTHER_SIGN,
     "the range behind it is that of the comparison with or without sign"},
    {K_JUMPS_HALF, CTS_LF_HALF_IS_WHOLE, "the range behind it is that of the 64-bit comparison"},
    {K_JSET, CTS_LF_ALL_BITS, "where it jumps all bits are thought to be set"},
};

static const struct {
    enum cts_loader_flaw flaw;
    const char *text;
} prunings[] = {
    {CTS_LF_PRUNE_SCALARS, "a way is left out although registers have other numbers"},
    {CTS_LF_PRUNE_LOW, "a way is left out although upper halves are others"},
    {CTS_LF_PRUNE_LINKS, "a way is left out although other registers are copies"},
    {CTS_LF_PRUNE_STACK, "a way is left out although the stack holds other numbers"},
    {CTS_LF_PRUNE_REVERSED, "a way is left out although less is known on it"},
    {CTS_LF_PRUNE_UNTESTED, "a way is left out although registers that are tested later differ"},
};

void cts_mut_add_loader(struct cts_mut_list *list, enum cts_insn_id row)
{
    unsigned kinds = kinds_of(row);
    if (row == CTS_INSN_MOV64_X || row == CTS_INSN_JNE_X || row == CTS_INSN_LDX_DW)
        add_right(list, row);
    for (size_t i = 0; i < CTS_ARRAY_LEN(flaws); i++)
        if (kinds & flaws[i].kinds)
            add(list, row, flaws[i].flaw, &facts, flaws[i].text);
    for (size_t i = 0; row == CTS_INSN_JEQ_K && i < CTS_ARRAY_LEN(prunings); i++)
        add(list, row, prunings[i].flaw, &pruning, prunings[i].text);
}
