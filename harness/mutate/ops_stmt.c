/* Mistakes in what is done: statements, their targets and their order. */
#include <string.h>

#include "mutate/ops.h"

static bool writes_register(const struct cts_stmt *s)
{
    return s->kind == CTS_S_ASSIGN && s->target->kind == CTS_X_OPERAND;
}

static bool writes_memory(const struct cts_stmt *s)
{
    return s->kind == CTS_S_ASSIGN && s->target->kind == CTS_X_MEM;
}

static enum cts_mut_edit st_drop(struct cts_mut_maker *k, struct cts_stmt **slot, unsigned v)
{
    (void)k;
    if (v > 0 || (*slot)->kind == CTS_S_ATOMIC)
        return CTS_EDIT_OVER;
    *slot = (*slot)->next;
    return CTS_EDIT_DONE;
}

static enum cts_mut_edit st_order(struct cts_mut_maker *k, struct cts_stmt **slot, unsigned v)
{
    struct cts_stmt *a = *slot, *b = a->next;
    (void)k;
    if (v > 0 || !b)
        return CTS_EDIT_OVER;
    a->next = b->next;
    b->next = a;
    *slot = b;
    return CTS_EDIT_DONE;
}

static enum cts_mut_edit st_target(struct cts_mut_maker *k, struct cts_stmt **slot, unsigned v)
{
    struct cts_stmt *s = *slot;
    if ((s->kind != CTS_S_GOTO && s->kind != CTS_S_CALL) || v >= 8)
        return CTS_EDIT_OVER;
    if (v < 2)
        s->value = cts_mut_binary(k, v ? CTS_OP_SUB : CTS_OP_ADD, s->value,
                                  cts_mut_literal(k, s->value->type, 1));
    else if (v == 2)
        s->value = cts_mut_unary(k, CTS_OP_NEG, s->value);
    else if (v == 3)
        s->value = cts_mut_binary(k, CTS_OP_MUL, s->value, cts_mut_literal(k, s->value->type, 2));
    else if (v == 4)
        s->value = cts_mut_convert(k, s->value->type,
                                   cts_mut_convert(k, CTS_T_U8, cts_mut_literal(k, CTS_T_NONE, 0)));
    else if (s->kind == CTS_S_CALL && v < 5 + CTS_CALL_COUNT)
        s->call = (enum cts_sema_call)(v - 5);
    else
        return CTS_EDIT_NOTHING;
    return CTS_EDIT_DONE;
}

static enum cts_mut_edit st_branch(struct cts_mut_maker *k, struct cts_stmt **slot, unsigned v)
{
    struct cts_stmt *s = *slot;
    if (s->kind != CTS_S_GOTO || !s->cond || v >= 2)
        return CTS_EDIT_OVER;
    s->cond = v ? NULL : cts_mut_unary(k, CTS_OP_NOT, s->cond);
    return CTS_EDIT_DONE;
}

/* Stores of another width or byte order, beside the address. */
static enum cts_mut_edit st_store(struct cts_mut_maker *k, struct cts_stmt **slot, unsigned v)
{
    static const enum cts_sema_func swap[] = {CTS_FN_BSWAP16, CTS_FN_BSWAP32, CTS_FN_BSWAP64};
    struct cts_stmt *s = *slot;
    if (!writes_memory(s) || v >= 5)
        return CTS_EDIT_OVER;
    struct cts_expr *t = s->target;
    if (v == 4) {
        if (t->bits == 8)
            return CTS_EDIT_NOTHING;
        s->value = cts_mut_call(k, swap[t->bits / 32], s->value);
        return CTS_EDIT_DONE;
    }
    if (cts_mut_mem_bits[v] == t->bits)
        return CTS_EDIT_NOTHING;
    t->bits = cts_mut_mem_bits[v];
    t->type = cts_sema_type_of(t->bits, false);
    s->value = cts_mut_convert(k, t->type,
                               s->value->kind == CTS_X_CONVERT ? s->value->child[0] : s->value);
    return CTS_EDIT_DONE;
}

/* The result goes to a further register. */
static enum cts_mut_edit st_bystander(struct cts_mut_maker *k, struct cts_stmt **slot, unsigned v)
{
    struct cts_stmt *s = *slot;
    enum cts_sema_operand o = (enum cts_sema_operand)v;
    if (s->kind != CTS_S_ASSIGN || v > CTS_O_R0)
        return CTS_EDIT_OVER;
    if (!cts_mut_has_field(k, o) || (writes_register(s) && s->target->operand == o))
        return CTS_EDIT_NOTHING;
    struct cts_stmt *more = &k->more;
    *more = (struct cts_stmt){.kind = CTS_S_ASSIGN};
    more->target = cts_mut_operand(k, o);
    more->value = cts_mut_convert(k, CTS_T_U64, cts_mut_copy_of(k, s->value));
    more->next = s->next;
    s->next = more;
    return CTS_EDIT_DONE;
}

/* The result of a part of the register: the rest is as it was, all ones, or all zeros. */
static enum cts_mut_edit st_part(struct cts_mut_maker *k, struct cts_stmt **slot, unsigned v)
{
    static const uint64_t part[] = {0xff, 0xffff, 0xffffffff};
    struct cts_stmt *s = *slot;
    if (!writes_register(s) || v >= 8)
        return CTS_EDIT_OVER;
    struct cts_expr *value = s->value, *old = cts_mut_copy_of(k, s->target);
    uint64_t mask = part[v % 3];
    if (v < 3)
        s->value = cts_mut_binary(
            k, CTS_OP_OR, cts_mut_binary(k, CTS_OP_AND, old, cts_mut_literal(k, CTS_T_U64, ~mask)),
            cts_mut_binary(k, CTS_OP_AND, value, cts_mut_literal(k, CTS_T_U64, mask)));
    else if (v < 6)
        s->value = cts_mut_binary(k, CTS_OP_AND, value, cts_mut_literal(k, CTS_T_U64, mask));
    else if (v == 6)
        s->value = cts_mut_binary(k, CTS_OP_OR, value, cts_mut_literal(k, CTS_T_U64, ~part[2]));
    else
        s->value = cts_mut_binary(
            k, CTS_OP_OR,
            cts_mut_binary(k, CTS_OP_AND, old, cts_mut_literal(k, CTS_T_U64, part[2])),
            cts_mut_binary(k, CTS_OP_AND, value, cts_mut_literal(k, CTS_T_U64, ~part[2])));
    return CTS_EDIT_DONE;
}

/* Is the register the base of an address? Its values are the platform's to choose. */
static bool is_address(const struct cts_mut_maker *k, enum cts_sema_operand o)
{
    unsigned flags = cts_insn_info(k->id)->flags;
    return (o == CTS_O_SRC && (flags & CTS_RF_LOAD)) ||
           (o == CTS_O_DST && (flags & (CTS_RF_STORE | CTS_RF_ATOMIC)));
}

/* Where the immediate is the count of a shift: is it one below the width? Others are tried by other
 * operators, few platforms take them. */
static bool is_count(const struct cts_mut_maker *k, int64_t v)
{
    bool wide = strstr(k->row->does, "& 63)") != NULL;
    if (!wide && !strstr(k->row->does, "& 31)"))
        return true;
    return v >= 0 && v < (wide ? 64 : 32);
}

/* A special value of an operand that is taken for a case where nothing is to be done, or comes out
 * wrong. */
static enum cts_mut_edit st_special(struct cts_mut_maker *k, struct cts_stmt **slot, unsigned v)
{
    static const struct {
        int64_t value;
        bool flips;
    } values[] = {{0, false},    {1, false},        {-1, false},      {2, true},
                  {127, true},   {128, true},       {-128, true},     {-129, true},
                  {255, true},   {32767, true},     {32768, true},    {-32768, true},
                  {65535, true}, {INT32_MAX, true}, {INT32_MIN, true}};
    enum { VALUES = sizeof(values) / sizeof(values[0]) };
    static const enum cts_sema_operand of[] = {CTS_O_IMM, CTS_O_SRC, CTS_O_DST};
    struct cts_stmt *s = *slot;
    if (!writes_register(s) || v >= VALUES * 3)
        return CTS_EDIT_OVER;
    enum cts_sema_operand o = of[v / VALUES];
    if (!cts_sema_reads(k->row->sema, o) || !cts_mut_has_field(k, o) || is_address(k, o) ||
        cts_mut_names_object(k) || (o == CTS_O_IMM && !is_count(k, values[v % VALUES].value)))
        return CTS_EDIT_NOTHING;
    struct cts_expr *x = cts_mut_operand(k, o);
    struct cts_expr *cond =
        cts_mut_binary(k, CTS_OP_EQ, x, cts_mut_number(k, x->type, values[v % VALUES].value));
    /* Nothing is done for 0, 1 and -1; the others come out with a wrong bit. */
    struct cts_expr *wrong = values[v % VALUES].flips
                                 ? cts_mut_binary(k, CTS_OP_XOR, cts_mut_copy_of(k, s->value),
                                                  cts_mut_literal(k, CTS_T_U64, 1))
                                 : cts_mut_operand(k, s->target->operand);
    s->value = cts_mut_choice(k, cond, wrong, s->value);
    return CTS_EDIT_DONE;
}

static int swap_registers(void *arg, struct cts_expr **slot)
{
    struct cts_expr *x = *slot;
    (void)arg;
    if (x->kind == CTS_X_OPERAND && x->operand <= CTS_O_SRC)
        x->operand = x->operand == CTS_O_DST ? CTS_O_SRC : CTS_O_DST;
    return 0;
}

/* The two register fields change places. */
static enum cts_mut_edit st_nibbles(struct cts_mut_maker *k, struct cts_stmt **slot, unsigned v)
{
    if (v > 0 || slot != &k->tree->body || !cts_mut_has_field(k, CTS_O_DST))
        return CTS_EDIT_OVER;
    cts_sema_visit(k->tree, swap_registers, NULL);
    return CTS_EDIT_DONE;
}

static const struct cts_mut_op ops[] = {
    {.name = "drop", .on_stmt = st_drop},       {.name = "order", .on_stmt = st_order},
    {.name = "target", .on_stmt = st_target},   {.name = "branch", .on_stmt = st_branch},
    {.name = "store", .on_stmt = st_store},     {.name = "bystander", .on_stmt = st_bystander},
    {.name = "part", .on_stmt = st_part},       {.name = "special", .on_stmt = st_special},
    {.name = "nibbles", .on_stmt = st_nibbles},
};

const struct cts_mut_ops cts_mut_stmt_ops = {ops, sizeof(ops) / sizeof(ops[0])};
