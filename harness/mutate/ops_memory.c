/* Mistakes in what is read from memory, and in functions. */
#include "mutate/ops.h"

const unsigned cts_mut_mem_bits[4] = {8, 16, 32, 64};

/* Loads of another width, in another byte order, beside the address. */
static enum cts_mut_edit op_load(struct cts_mut_maker *k, struct cts_expr **slot, unsigned v)
{
    static const enum cts_sema_func swap[] = {CTS_FN_BSWAP16, CTS_FN_BSWAP32, CTS_FN_BSWAP64};
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_MEM || v >= 8)
        return CTS_EDIT_OVER;
    if (v < 4) {
        if (cts_mut_mem_bits[v] == x->bits)
            return CTS_EDIT_NOTHING;
        *slot = cts_mut_convert(k, x->type, cts_mut_mem(k, cts_mut_mem_bits[v], x->child[0]));
    } else if (v == 4) {
        if (x->bits == 8)
            return CTS_EDIT_NOTHING;
        *slot = cts_mut_call(k, swap[x->bits / 32], x);
    } else if (v < 7) {
        x->child[0] = cts_mut_binary(k, v == 5 ? CTS_OP_ADD : CTS_OP_SUB, x->child[0],
                                     cts_mut_literal(k, CTS_T_U64, 1));
    } else {
        /* What an atomic operation does where it is not aligned is the platform's. */
        if (x->bits == 8 || (cts_sema_uses(k->row->sema) & CTS_USES_ATOMIC))
            return CTS_EDIT_NOTHING;
        x->child[0] = cts_mut_binary(k, CTS_OP_AND, x->child[0],
                                     cts_mut_literal(k, CTS_T_U64, ~(uint64_t)(x->bits / 8 - 1)));
    }
    return CTS_EDIT_DONE;
}

/* Conversions of a load of another width. */
static enum cts_mut_edit op_load_width(struct cts_mut_maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_CONVERT || x->child[0]->kind != CTS_X_MEM || v >= 8)
        return CTS_EDIT_OVER;
    struct cts_expr *m = cts_mut_mem(k, cts_mut_mem_bits[v % 4], x->child[0]->child[0]);
    if (m->bits == x->child[0]->bits)
        return CTS_EDIT_NOTHING;
    *slot = cts_mut_convert(k, x->to,
                            v < 4 ? m : cts_mut_convert(k, cts_sema_type_of(m->bits, true), m));
    return CTS_EDIT_DONE;
}

static unsigned func_bits(enum cts_sema_func f)
{
    return cts_sema_type_bits(cts_sema_func_result(f));
}

static enum cts_mut_edit op_function(struct cts_mut_maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_CALL || v > CTS_FN_COUNT)
        return CTS_EDIT_OVER;
    struct cts_expr *arg = x->child[0];
    if (v == CTS_FN_COUNT) { /* left out */
        *slot = cts_mut_convert(k, x->type, arg);
        return CTS_EDIT_DONE;
    }
    enum cts_sema_func f = (enum cts_sema_func)v;
    bool swaps = f < CTS_FN_MAP_BY_FD;
    if (f == x->func || swaps != (x->func < CTS_FN_MAP_BY_FD))
        return CTS_EDIT_NOTHING;
    if (arg->kind == CTS_X_CONVERT && func_bits(f) != func_bits(x->func))
        arg = arg->child[0];
    *slot = cts_mut_convert(k, x->type,
                            cts_mut_call(k, f, cts_mut_convert(k, cts_sema_func_arg(f), arg)));
    return CTS_EDIT_DONE;
}

/* The result in the wrong byte order; the argument off by one. */
static enum cts_mut_edit op_function_value(struct cts_mut_maker *k, struct cts_expr **slot,
                                           unsigned v)
{
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_CALL || x->func < CTS_FN_MAP_BY_FD || v >= 3)
        return CTS_EDIT_OVER;
    if (v < 2) {
        x->child[0] = cts_mut_binary(k, v ? CTS_OP_SUB : CTS_OP_ADD, x->child[0],
                                     cts_mut_literal(k, x->child[0]->type, 1));
        return CTS_EDIT_DONE;
    }
    if (x->func != CTS_FN_PACKET16 && x->func != CTS_FN_PACKET32)
        return CTS_EDIT_OVER;
    *slot = cts_mut_call(k, x->func == CTS_FN_PACKET16 ? CTS_FN_BSWAP16 : CTS_FN_BSWAP32, x);
    return CTS_EDIT_DONE;
}

static const struct cts_mut_op ops[] = {
    {.name = "load", .on_expr = op_load},
    {.name = "load-width", .on_expr = op_load_width},
    {.name = "function", .on_expr = op_function},
    {.name = "function-value", .on_expr = op_function_value},
};

const struct cts_mut_ops cts_mut_memory_ops = {ops, sizeof(ops) / sizeof(ops[0])};
