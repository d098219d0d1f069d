/* Mistakes in what is taken: operands, offsets, immediates, and the side of a condition. */
#include "mutate/ops.h"

bool cts_mut_has_field(const struct cts_mut_maker *k, enum cts_sema_operand o)
{
    static const enum cts_spec_field field[CTS_O_COUNT] = {
        [CTS_O_DST] = CTS_SF_DST, [CTS_O_SRC] = CTS_SF_SRC,           [CTS_O_R0] = CTS_SF_DST,
        [CTS_O_IMM] = CTS_SF_IMM, [CTS_O_NEXT_IMM] = CTS_SF_NEXT_IMM, [CTS_O_OFF] = CTS_SF_OFF,
    };
    return o == CTS_O_R0 || k->row->enc[field[o]].rule != CTS_SR_FIXED;
}

/* Another register, field or immediate is read or written. */
static enum cts_mut_edit op_operand(struct cts_mut_maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_OPERAND || v >= CTS_O_COUNT)
        return CTS_EDIT_OVER;
    enum cts_sema_operand o = (enum cts_sema_operand)v;
    bool of_field = o == CTS_O_IMM || o == CTS_O_OFF || o == CTS_O_NEXT_IMM;
    /* A field that is fixed reads as a constant: worth a try only as the other form (K and X). */
    bool other_form =
        (x->operand == CTS_O_SRC && o == CTS_O_IMM) || (x->operand == CTS_O_IMM && o == CTS_O_SRC);
    if (o == x->operand || !(cts_mut_has_field(k, o) || other_form))
        return CTS_EDIT_NOTHING;
    if (of_field && x->operand == CTS_O_DST)
        return CTS_EDIT_NOTHING;
    *slot = cts_mut_convert(k, x->type, cts_mut_operand(k, o));
    return CTS_EDIT_DONE;
}

/* Offsets: ignored, off by one, scaled, negated. */
static enum cts_mut_edit op_offset(struct cts_mut_maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_OPERAND || x->operand != CTS_O_OFF || v >= 9)
        return CTS_EDIT_OVER;
    static const int64_t add[] = {1, -1, 8, -8}, times[] = {2, 4, 8};
    if (v < 4)
        *slot =
            cts_mut_binary(k, add[v] > 0 ? CTS_OP_ADD : CTS_OP_SUB, x,
                           cts_mut_literal(k, x->type, (uint64_t)(add[v] > 0 ? add[v] : -add[v])));
    else if (v < 7)
        *slot =
            cts_mut_binary(k, CTS_OP_MUL, x, cts_mut_literal(k, x->type, (uint64_t)times[v - 4]));
    else if (v == 7)
        *slot = cts_mut_unary(k, CTS_OP_NEG, x);
    else
        *slot = cts_mut_convert(k, x->type,
                                cts_mut_convert(k, CTS_T_U8, cts_mut_literal(k, CTS_T_NONE, 0)));
    return CTS_EDIT_DONE;
}

/* Offsets beyond the reach of a shorter field. */
static enum cts_mut_edit op_reach(struct cts_mut_maker *k, struct cts_expr **slot, unsigned v)
{
    static const int64_t limit[] = {127, 2047, 16383};
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_OPERAND || x->operand != CTS_O_OFF || v >= 6)
        return CTS_EDIT_OVER;
    bool below = v >= 3;
    int64_t n = limit[v % 3];
    struct cts_expr *cond =
        below ? cts_mut_binary(k, CTS_OP_LT, x, cts_mut_number(k, x->type, -n - 1))
              : cts_mut_binary(k, CTS_OP_GT, x, cts_mut_number(k, x->type, n));
    struct cts_expr *wrong =
        cts_mut_binary(k, CTS_OP_SUB, cts_mut_copy_of(k, x), cts_mut_literal(k, x->type, 1));
    *slot = cts_mut_choice(k, cond, wrong, cts_mut_copy_of(k, x));
    return CTS_EDIT_DONE;
}

static enum cts_mut_edit op_immediate(struct cts_mut_maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_OPERAND || (x->operand != CTS_O_IMM && x->operand != CTS_O_NEXT_IMM) ||
        v >= 7)
        return CTS_EDIT_OVER;
    if (cts_mut_is_object_number(k, x) && v > 1)
        return CTS_EDIT_NOTHING;
    if (v < 2)
        *slot = cts_mut_binary(k, v ? CTS_OP_SUB : CTS_OP_ADD, x, cts_mut_literal(k, x->type, 1));
    else if (v == 2)
        *slot = cts_mut_unary(k, CTS_OP_NEG, x);
    else if (v == 3)
        *slot = cts_mut_unary(k, CTS_OP_INV, x);
    else if (v == 4)
        *slot = cts_mut_convert(k, x->type,
                                cts_mut_convert(k, CTS_T_U8, cts_mut_literal(k, CTS_T_NONE, 0)));
    else if (v == 5)
        *slot = cts_mut_convert(k, CTS_T_S32,
                                cts_mut_call(k, CTS_FN_BSWAP32, cts_mut_convert(k, CTS_T_U32, x)));
    else
        *slot = cts_mut_binary(k, CTS_OP_AND, x, cts_mut_literal(k, x->type, 0x7fffffff));
    return CTS_EDIT_DONE;
}

/* One arm alone; the arms swapped. */
static enum cts_mut_edit op_guard(struct cts_mut_maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    (void)k;
    if (x->kind != CTS_X_COND || v >= 3)
        return CTS_EDIT_OVER;
    if (v < 2) {
        *slot = cts_mut_convert(k, x->type, x->child[1 + v]);
        return CTS_EDIT_DONE;
    }
    struct cts_expr *yes = x->child[1];
    x->child[1] = x->child[2];
    x->child[2] = yes;
    return CTS_EDIT_DONE;
}

/* A comparison that always, or never, holds. */
static enum cts_mut_edit op_condition(struct cts_mut_maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (x->type != CTS_T_BOOL || v >= 2)
        return CTS_EDIT_OVER;
    *slot = cts_mut_binary(k, v ? CTS_OP_EQ : CTS_OP_NE,
                           cts_mut_convert(k, CTS_T_U8, cts_mut_literal(k, CTS_T_NONE, 0)),
                           cts_mut_literal(k, CTS_T_U8, 0));
    return CTS_EDIT_DONE;
}

static const struct cts_mut_op ops[] = {
    {.name = "operand", .on_expr = op_operand}, {.name = "offset", .on_expr = op_offset},
    {.name = "reach", .on_expr = op_reach},     {.name = "immediate", .on_expr = op_immediate},
    {.name = "guard", .on_expr = op_guard},     {.name = "condition", .on_expr = op_condition},
};

const struct cts_mut_ops cts_mut_operand_ops = {ops, sizeof(ops) / sizeof(ops[0])};
