/* Mistakes in what is computed: widths, extensions, operators, constants. */
#include "mutate/ops.h"

static bool computes(const struct cts_expr *x)
{
    return x->kind == CTS_X_BINARY || x->kind == CTS_X_UNARY || x->kind == CTS_X_COND;
}

/* Computed in another type, then taken back to its own; comparisons in another type. */
static enum cts_mut_edit op_width(struct cts_mut_maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (!computes(x) || v >= 2 * CTS_MUT_TYPES)
        return CTS_EDIT_OVER;
    enum cts_sema_type to = cts_mut_types[v % CTS_MUT_TYPES];
    if (x->type == CTS_T_BOOL) {
        if (x->kind != CTS_X_BINARY || !cts_mut_is_compare(x->op) || v >= CTS_MUT_TYPES)
            return CTS_EDIT_OVER;
        *slot = cts_mut_retype(k, x, to, false);
        return CTS_EDIT_DONE;
    }
    if (to == x->type)
        return CTS_EDIT_NOTHING;
    *slot = cts_mut_convert(k, x->type, cts_mut_retype(k, x, to, v >= CTS_MUT_TYPES));
    return CTS_EDIT_DONE;
}

bool cts_mut_names_object(const struct cts_mut_maker *k)
{
    unsigned flags = cts_insn_info(k->id)->flags;
    return ((flags & CTS_RF_WIDE) && (flags & CTS_RF_PLATFORM)) || k->id == CTS_INSN_CALL_BTF;
}

bool cts_mut_is_object_number(const struct cts_mut_maker *k, const struct cts_expr *x)
{
    return x->kind == CTS_X_OPERAND && x->operand == CTS_O_IMM && cts_mut_names_object(k);
}

/* The operand of a conversion in another type: extended by the wrong sign, from the wrong width,
 * not cut off. */
static enum cts_mut_edit op_extension(struct cts_mut_maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_CONVERT || v >= 2 * CTS_MUT_TYPES)
        return CTS_EDIT_OVER;
    enum cts_sema_type to = cts_mut_types[v % CTS_MUT_TYPES];
    if (to == x->child[0]->type || (v >= CTS_MUT_TYPES && !computes(x->child[0])))
        return CTS_EDIT_NOTHING;
    *slot = cts_mut_convert(k, x->to, cts_mut_retype(k, x->child[0], to, v >= CTS_MUT_TYPES));
    return CTS_EDIT_DONE;
}

static bool is_leaf(const struct cts_expr *x)
{
    return x->kind == CTS_X_OPERAND || x->kind == CTS_X_LOCAL || x->kind == CTS_X_MEM ||
           x->kind == CTS_X_CALL;
}

/* A value read in a narrower type. */
static enum cts_mut_edit op_truncation(struct cts_mut_maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (!is_leaf(x) || !cts_mut_is_int(x) || v >= CTS_MUT_TYPES)
        return CTS_EDIT_OVER;
    if (cts_sema_type_bits(cts_mut_types[v]) >= cts_mut_bits_of(x) ||
        cts_mut_is_object_number(k, x))
        return CTS_EDIT_NOTHING;
    *slot = cts_mut_convert(k, x->type, cts_mut_convert(k, cts_mut_types[v], x));
    return CTS_EDIT_DONE;
}

static enum cts_mut_edit op_operator(struct cts_mut_maker *k, struct cts_expr **slot, unsigned v)
{
    static const enum cts_sema_op near[CTS_OP_COUNT][7] = {
        [CTS_OP_ADD] = {CTS_OP_SUB, CTS_OP_OR, CTS_OP_XOR, CTS_OP_AND, CTS_OP_MUL},
        [CTS_OP_SUB] = {CTS_OP_ADD, CTS_OP_XOR, CTS_OP_OR, CTS_OP_AND},
        [CTS_OP_MUL] = {CTS_OP_ADD, CTS_OP_AND, CTS_OP_DIV, CTS_OP_SUB},
        [CTS_OP_MULHI] = {CTS_OP_MUL, CTS_OP_ADD, CTS_OP_AND, CTS_OP_DIV, CTS_OP_SUB},
        [CTS_OP_DIV] = {CTS_OP_MOD, CTS_OP_MUL, CTS_OP_AND},
        [CTS_OP_MOD] = {CTS_OP_DIV, CTS_OP_AND, CTS_OP_MUL, CTS_OP_SUB},
        [CTS_OP_AND] = {CTS_OP_OR, CTS_OP_XOR, CTS_OP_ADD, CTS_OP_MUL, CTS_OP_SUB},
        [CTS_OP_OR] = {CTS_OP_AND, CTS_OP_XOR, CTS_OP_ADD, CTS_OP_SUB},
        [CTS_OP_XOR] = {CTS_OP_AND, CTS_OP_OR, CTS_OP_ADD, CTS_OP_SUB},
        [CTS_OP_EQ] = {CTS_OP_NE, CTS_OP_LT, CTS_OP_LE, CTS_OP_GT, CTS_OP_GE},
        [CTS_OP_NE] = {CTS_OP_EQ, CTS_OP_LT, CTS_OP_LE, CTS_OP_GT, CTS_OP_GE},
        [CTS_OP_LT] = {CTS_OP_EQ, CTS_OP_NE, CTS_OP_LE, CTS_OP_GT, CTS_OP_GE},
        [CTS_OP_LE] = {CTS_OP_EQ, CTS_OP_NE, CTS_OP_LT, CTS_OP_GT, CTS_OP_GE},
        [CTS_OP_GT] = {CTS_OP_EQ, CTS_OP_NE, CTS_OP_LT, CTS_OP_LE, CTS_OP_GE},
        [CTS_OP_GE] = {CTS_OP_EQ, CTS_OP_NE, CTS_OP_LT, CTS_OP_LE, CTS_OP_GT},
        [CTS_OP_SHL] = {CTS_OP_SHR, CTS_OP_MUL, CTS_OP_ADD, CTS_OP_XOR},
        [CTS_OP_SHR] = {CTS_OP_SHL, CTS_OP_DIV, CTS_OP_SUB, CTS_OP_XOR},
        [CTS_OP_ANDALSO] = {CTS_OP_ORELSE},
        [CTS_OP_ORELSE] = {CTS_OP_ANDALSO},
        [CTS_OP_NEG] = {CTS_OP_INV},
        [CTS_OP_INV] = {CTS_OP_NEG},
    };
    struct cts_expr *x = *slot;
    (void)k;
    if ((x->kind != CTS_X_BINARY && x->kind != CTS_X_UNARY) || v > 7)
        return CTS_EDIT_OVER;
    if (v == 7 || near[x->op][v] == 0) { /* CTS_OP_NEG is 0 and near nothing but INV */
        if (x->kind == CTS_X_UNARY && v == 1) {
            *slot = x->child[0];
            return CTS_EDIT_DONE;
        }
        if (x->op != CTS_OP_INV || v != 0)
            return x->kind == CTS_X_UNARY && v == 0 ? CTS_EDIT_NOTHING : CTS_EDIT_OVER;
    }
    x->op = near[x->op][v];
    return CTS_EDIT_DONE;
}

/* One side alone. */
static enum cts_mut_edit op_operand_only(struct cts_mut_maker *k, struct cts_expr **slot,
                                         unsigned v)
{
    struct cts_expr *x = *slot;
    (void)k;
    if (x->kind != CTS_X_BINARY || cts_mut_is_compare(x->op) || v >= 2)
        return CTS_EDIT_OVER;
    if (x->child[v]->type != x->type)
        return CTS_EDIT_NOTHING;
    *slot = cts_mut_convert(k, x->type, x->child[v]);
    return CTS_EDIT_DONE;
}

static enum cts_mut_edit op_mask(struct cts_mut_maker *k, struct cts_expr **slot, unsigned v)
{
    static const uint64_t other[] = {31, 63, 15, 7, 127, 255};
    struct cts_expr *x = *slot;
    (void)k;
    if (x->kind != CTS_X_BINARY || x->op != CTS_OP_AND || x->child[1]->kind != CTS_X_LITERAL ||
        v > sizeof(other) / sizeof(other[0]))
        return CTS_EDIT_OVER;
    if (v == 0)
        *slot = x->child[0];
    else
        x->child[1]->value = other[v - 1];
    return CTS_EDIT_DONE;
}

static enum cts_mut_edit op_constant(struct cts_mut_maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    (void)k;
    if (x->kind != CTS_X_LITERAL || v >= 2)
        return CTS_EDIT_OVER;
    if (v == 1 && x->value == 0)
        return CTS_EDIT_NOTHING;
    x->value += v ? UINT64_MAX : 1;
    return CTS_EDIT_DONE;
}

static enum cts_mut_edit op_swap(struct cts_mut_maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    (void)k;
    if (x->kind != CTS_X_BINARY || cts_mut_is_commutative(x->op) || v > 0)
        return CTS_EDIT_OVER;
    struct cts_expr *a = x->child[0];
    x->child[0] = x->child[1];
    x->child[1] = a;
    return CTS_EDIT_DONE;
}

/* Half of an operand of a product: of the type's own sign. */
static struct cts_expr *half(struct cts_mut_maker *k, const struct cts_expr *of, bool upper)
{
    struct cts_expr *x = cts_mut_copy_of(k, of);
    if (!upper)
        return cts_mut_binary(k, CTS_OP_AND, x, cts_mut_literal(k, x->type, UINT32_MAX));
    return cts_mut_binary(k, CTS_OP_SHR, x,
                          cts_mut_literal(k, cts_sema_type_of(cts_mut_bits_of(x), false), 32));
}

/* The product of two halves, of which so much is kept. */
static struct cts_expr *part(struct cts_mut_maker *k, const struct cts_expr *x, bool upper,
                             bool other_upper)
{
    struct cts_expr *product = cts_mut_binary(k, CTS_OP_MUL, half(k, x->child[0], upper),
                                              half(k, x->child[1], other_upper));
    if (upper && other_upper)
        return product;
    return cts_mut_binary(k, CTS_OP_SHR, product,
                          cts_mut_literal(k, cts_sema_type_of(64, false), 32));
}

/* One operand, child `i`, taken with the other sign: where it is negative the product is off by
 * 2^64 times the other operand. */
static struct cts_expr *other_sign(struct cts_mut_maker *k, struct cts_expr *x, unsigned i)
{
    bool is_signed = cts_sema_type_is_signed(x->type);
    struct cts_expr *negative =
        cts_mut_binary(k, CTS_OP_LT, cts_mut_convert(k, CTS_T_S64, cts_mut_copy_of(k, x->child[i])),
                       cts_mut_literal(k, CTS_T_S64, 0));
    struct cts_expr *off = cts_mut_choice(k, negative, cts_mut_copy_of(k, x->child[1 - i]),
                                          cts_mut_literal(k, x->type, 0));
    return cts_mut_binary(k, is_signed ? CTS_OP_ADD : CTS_OP_SUB, x, off);
}

/* The upper half of a product put together wrong: an operand of the other sign; without what the
 * lower parts carry; with one of the products of halves alone, or without one. */
static enum cts_mut_edit op_product(struct cts_mut_maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_BINARY || x->op != CTS_OP_MULHI || cts_mut_bits_of(x) != 64 || v >= 6)
        return CTS_EDIT_OVER;
    if (v < 2) {
        *slot = other_sign(k, x, v);
        return CTS_EDIT_DONE;
    }
    struct cts_expr *sum = part(k, x, true, true);
    if (v == 2 || v == 3)
        sum = cts_mut_binary(k, CTS_OP_ADD, sum, part(k, x, true, false));
    if (v == 2 || v == 4)
        sum = cts_mut_binary(k, CTS_OP_ADD, sum, part(k, x, false, true));
    *slot = sum;
    return CTS_EDIT_DONE;
}

static const struct cts_mut_op ops[] = {
    {.name = "width", .on_expr = op_width},
    {.name = "extension", .on_expr = op_extension},
    {.name = "truncation", .on_expr = op_truncation},
    {.name = "operator", .on_expr = op_operator},
    {.name = "operand-only", .on_expr = op_operand_only},
    {.name = "mask", .on_expr = op_mask},
    {.name = "constant", .on_expr = op_constant},
    {.name = "swap", .on_expr = op_swap},
    {.name = "product", .on_expr = op_product},
};

const struct cts_mut_ops cts_mut_value_ops = {ops, sizeof(ops) / sizeof(ops[0])};
