/* Building the trees of mutants. */
#include "mutate/ops.h"

struct cts_expr *cts_mut_node(struct cts_mut_maker *k, enum cts_expr_kind kind,
                              enum cts_sema_type type)
{
    struct cts_expr *x = &k->pool[k->used++];
    *x = (struct cts_expr){.kind = kind, .type = type};
    return x;
}

struct cts_expr *cts_mut_literal(struct cts_mut_maker *k, enum cts_sema_type type, uint64_t v)
{
    struct cts_expr *x = cts_mut_node(k, CTS_X_LITERAL, type);
    x->value = v;
    return x;
}

struct cts_expr *cts_mut_operand(struct cts_mut_maker *k, enum cts_sema_operand o)
{
    struct cts_expr *x = cts_mut_node(k, CTS_X_OPERAND, cts_sema_operand_type(o));
    x->operand = o;
    return x;
}

struct cts_expr *cts_mut_convert(struct cts_mut_maker *k, enum cts_sema_type to,
                                 struct cts_expr *child)
{
    if (!child || child->type == to)
        return child;
    struct cts_expr *x = cts_mut_node(k, CTS_X_CONVERT, to);
    x->to = to;
    x->child[0] = child;
    return x;
}

struct cts_expr *cts_mut_unary(struct cts_mut_maker *k, enum cts_sema_op op, struct cts_expr *a)
{
    struct cts_expr *x = cts_mut_node(k, CTS_X_UNARY, a->type);
    x->op = op;
    x->child[0] = a;
    return x;
}

bool cts_mut_is_compare(enum cts_sema_op op)
{
    return op >= CTS_OP_EQ && op <= CTS_OP_GE;
}

struct cts_expr *cts_mut_binary(struct cts_mut_maker *k, enum cts_sema_op op, struct cts_expr *a,
                                struct cts_expr *b)
{
    struct cts_expr *x =
        cts_mut_node(k, CTS_X_BINARY, cts_mut_is_compare(op) ? CTS_T_BOOL : a->type);
    x->op = op;
    x->child[0] = a;
    x->child[1] = b;
    return x;
}

struct cts_expr *cts_mut_choice(struct cts_mut_maker *k, struct cts_expr *cond,
                                struct cts_expr *yes, struct cts_expr *no)
{
    struct cts_expr *x = cts_mut_node(k, CTS_X_COND, yes->type);
    x->child[0] = cond;
    x->child[1] = yes;
    x->child[2] = no;
    return x;
}

struct cts_expr *cts_mut_call(struct cts_mut_maker *k, enum cts_sema_func func,
                              struct cts_expr *arg)
{
    struct cts_expr *x = cts_mut_node(k, CTS_X_CALL, cts_sema_func_result(func));
    x->func = func;
    x->child[0] = arg;
    return x;
}

struct cts_expr *cts_mut_mem(struct cts_mut_maker *k, unsigned bits, struct cts_expr *at)
{
    struct cts_expr *x = cts_mut_node(k, CTS_X_MEM, cts_sema_type_of(bits, false));
    x->bits = bits;
    x->child[0] = at;
    return x;
}

struct cts_expr *cts_mut_copy_of(struct cts_mut_maker *k, const struct cts_expr *x)
{
    if (!x)
        return NULL;
    struct cts_expr *c = cts_mut_node(k, x->kind, x->type);
    *c = *x;
    for (size_t i = 0; i < 3; i++)
        c->child[i] = cts_mut_copy_of(k, x->child[i]);
    return c;
}

/* A number that may be negative; where the context gives no type it is converted. */
struct cts_expr *cts_mut_number(struct cts_mut_maker *k, enum cts_sema_type type, int64_t v)
{
    if (v >= 0)
        return cts_mut_literal(k, type, (uint64_t)v);
    if (cts_sema_type_is_signed(type))
        return cts_mut_unary(k, CTS_OP_NEG, cts_mut_literal(k, type, 0 - (uint64_t)v));
    unsigned bits = cts_sema_type_bits(type);
    return cts_mut_literal(k, type, (uint64_t)v << (64 - bits) >> (64 - bits));
}

bool cts_mut_is_int(const struct cts_expr *x)
{
    return x->type > CTS_T_BOOL;
}

unsigned cts_mut_bits_of(const struct cts_expr *x)
{
    return cts_sema_type_bits(x->type);
}

bool cts_mut_is_commutative(enum cts_sema_op op)
{
    return op == CTS_OP_ADD || op == CTS_OP_MUL || op == CTS_OP_MULHI || op == CTS_OP_AND ||
           op == CTS_OP_OR || op == CTS_OP_XOR || op == CTS_OP_EQ || op == CTS_OP_NE ||
           op == CTS_OP_ANDALSO || op == CTS_OP_ORELSE;
}

/* The same computation carried out in another type. `deep`: the conditions inside as well. */
struct cts_expr *cts_mut_retype(struct cts_mut_maker *k, struct cts_expr *x, enum cts_sema_type to,
                                bool deep)
{
    enum cts_sema_type count = cts_sema_type_of(cts_sema_type_bits(to), false);
    switch (x->kind) {
    case CTS_X_LITERAL:
        return cts_mut_literal(k, to, x->value);
    case CTS_X_CONVERT:
        return cts_mut_convert(k, to, x->child[0]);
    case CTS_X_UNARY:
        return cts_mut_unary(k, x->op, cts_mut_retype(k, x->child[0], to, deep));
    case CTS_X_BINARY:
        if (cts_mut_is_compare(x->op) || x->type == CTS_T_BOOL)
            return cts_mut_binary(k, x->op, cts_mut_retype(k, x->child[0], to, deep),
                                  cts_mut_retype(k, x->child[1], to, deep));
        return cts_mut_binary(
            k, x->op, cts_mut_retype(k, x->child[0], to, deep),
            cts_mut_retype(k, x->child[1], x->op == CTS_OP_SHL || x->op == CTS_OP_SHR ? count : to,
                           deep));
    case CTS_X_COND:
        return cts_mut_choice(k, deep ? cts_mut_retype(k, x->child[0], to, deep) : x->child[0],
                              cts_mut_retype(k, x->child[1], to, deep),
                              cts_mut_retype(k, x->child[2], to, deep));
    case CTS_X_OPERAND:
    case CTS_X_LOCAL:
    case CTS_X_MEM:
    case CTS_X_CALL:
    case CTS_X_CHOOSE:
        break;
    }
    return cts_mut_convert(k, to, x);
}

const enum cts_sema_type cts_mut_types[CTS_MUT_TYPES] = {CTS_T_U8, CTS_T_U16, CTS_T_U32, CTS_T_U64,
                                                         CTS_T_S8, CTS_T_S16, CTS_T_S32, CTS_T_S64};
