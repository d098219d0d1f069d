/* Mutants of `does`: every place of the tree times every operator that has something to say there.
 * What comes out is printed and read again, so that only well-typed text becomes a mutant.
 *
 * All of them are due at level quick: each is wrong for a value, a width or a displacement by
 * itself. */
#include <stdlib.h>
#include <string.h>

#include "mutate/list.h"

enum {
    MOST_TEXTS = 4096,
    VARIANTS_MAX = 64,
    /* New nodes of one attempt. A `does` has at most CTS_SEMA_TEXT_MAX characters, hence fewer
     * nodes, and no operator copies more than twice of it. */
    POOL = 4 * CTS_SEMA_TEXT_MAX,
};

enum answer {
    DONE,    /* the tree is changed */
    NOTHING, /* nothing to do in this variant; the next may have */
    OVER,    /* no further variants here */
};

struct maker {
    struct cts_mut_list *list;
    const struct cts_spec_row *row;
    enum cts_row_id id;
    struct cts_arena arena; /* of one attempt */
    const char *original;
    const char **seen;
    size_t seen_count;
    struct cts_sema *tree;
    struct cts_expr *pool;
    unsigned used;
    struct cts_stmt more; /* a statement that is added */
};

/* ---- building ---- */

static struct cts_expr *node(struct maker *k, enum cts_expr_kind kind, enum cts_sema_type type)
{
    struct cts_expr *x = &k->pool[k->used++];
    *x = (struct cts_expr){.kind = kind, .type = type};
    return x;
}

static struct cts_expr *literal(struct maker *k, enum cts_sema_type type, uint64_t v)
{
    struct cts_expr *x = node(k, CTS_X_LITERAL, type);
    x->value = v;
    return x;
}

static struct cts_expr *operand(struct maker *k, enum cts_sema_operand o)
{
    struct cts_expr *x = node(k, CTS_X_OPERAND, cts_sema_operand_type(o));
    x->operand = o;
    return x;
}

static struct cts_expr *convert(struct maker *k, enum cts_sema_type to, struct cts_expr *kid)
{
    if (!kid || kid->type == to)
        return kid;
    struct cts_expr *x = node(k, CTS_X_CONVERT, to);
    x->to = to;
    x->kid[0] = kid;
    return x;
}

static struct cts_expr *unary(struct maker *k, enum cts_sema_op op, struct cts_expr *a)
{
    struct cts_expr *x = node(k, CTS_X_UNARY, a->type);
    x->op = op;
    x->kid[0] = a;
    return x;
}

static bool is_compare(enum cts_sema_op op)
{
    return op >= CTS_OP_EQ && op <= CTS_OP_GE;
}

static struct cts_expr *binary(struct maker *k, enum cts_sema_op op, struct cts_expr *a,
                               struct cts_expr *b)
{
    struct cts_expr *x = node(k, CTS_X_BINARY, is_compare(op) ? CTS_T_BOOL : a->type);
    x->op = op;
    x->kid[0] = a;
    x->kid[1] = b;
    return x;
}

static struct cts_expr *choice(struct maker *k, struct cts_expr *cond, struct cts_expr *yes,
                               struct cts_expr *no)
{
    struct cts_expr *x = node(k, CTS_X_COND, yes->type);
    x->kid[0] = cond;
    x->kid[1] = yes;
    x->kid[2] = no;
    return x;
}

static struct cts_expr *call(struct maker *k, enum cts_sema_func func, struct cts_expr *arg)
{
    struct cts_expr *x = node(k, CTS_X_CALL, cts_sema_func_result(func));
    x->func = func;
    x->kid[0] = arg;
    return x;
}

static struct cts_expr *mem(struct maker *k, unsigned bits, struct cts_expr *at)
{
    struct cts_expr *x = node(k, CTS_X_MEM, cts_sema_type_of(bits, false));
    x->bits = bits;
    x->kid[0] = at;
    return x;
}

static struct cts_expr *copy_of(struct maker *k, const struct cts_expr *x)
{
    if (!x)
        return NULL;
    struct cts_expr *c = node(k, x->kind, x->type);
    *c = *x;
    for (size_t i = 0; i < 3; i++)
        c->kid[i] = copy_of(k, x->kid[i]);
    return c;
}

/* A number that may be negative; where the context gives no type it is converted. */
static struct cts_expr *number(struct maker *k, enum cts_sema_type type, int64_t v)
{
    if (v >= 0)
        return literal(k, type, (uint64_t)v);
    if (cts_sema_type_is_signed(type))
        return unary(k, CTS_OP_NEG, literal(k, type, 0 - (uint64_t)v));
    unsigned bits = cts_sema_type_bits(type);
    return literal(k, type, (uint64_t)v << (64 - bits) >> (64 - bits));
}

static bool is_int(const struct cts_expr *x)
{
    return x->type > CTS_T_BOOL;
}

static unsigned bits_of(const struct cts_expr *x)
{
    return cts_sema_type_bits(x->type);
}

static bool is_commutative(enum cts_sema_op op)
{
    return op == CTS_OP_ADD || op == CTS_OP_MUL || op == CTS_OP_AND || op == CTS_OP_OR ||
           op == CTS_OP_XOR || op == CTS_OP_EQ || op == CTS_OP_NE || op == CTS_OP_ANDALSO ||
           op == CTS_OP_ORELSE;
}

/* The same computation carried out in another type. `deep`: the conditions inside as well. */
static struct cts_expr *retype(struct maker *k, struct cts_expr *x, enum cts_sema_type to,
                               bool deep)
{
    enum cts_sema_type count = cts_sema_type_of(cts_sema_type_bits(to), false);
    switch (x->kind) {
    case CTS_X_LITERAL:
        return literal(k, to, x->value);
    case CTS_X_CONVERT:
        return convert(k, to, x->kid[0]);
    case CTS_X_UNARY:
        return unary(k, x->op, retype(k, x->kid[0], to, deep));
    case CTS_X_BINARY:
        if (is_compare(x->op) || x->type == CTS_T_BOOL)
            return binary(k, x->op, retype(k, x->kid[0], to, deep), retype(k, x->kid[1], to, deep));
        return binary(
            k, x->op, retype(k, x->kid[0], to, deep),
            retype(k, x->kid[1], x->op == CTS_OP_SHL || x->op == CTS_OP_SHR ? count : to, deep));
    case CTS_X_COND:
        return choice(k, deep ? retype(k, x->kid[0], to, deep) : x->kid[0],
                      retype(k, x->kid[1], to, deep), retype(k, x->kid[2], to, deep));
    case CTS_X_OPERAND:
    case CTS_X_LOCAL:
    case CTS_X_MEM:
    case CTS_X_CALL:
    case CTS_X_CHOOSE:
        break;
    }
    return convert(k, to, x);
}

static const enum cts_sema_type types[] = {CTS_T_U8, CTS_T_U16, CTS_T_U32, CTS_T_U64,
                                           CTS_T_S8, CTS_T_S16, CTS_T_S32, CTS_T_S64};
enum { TYPES = sizeof(types) / sizeof(types[0]) };

/* ---- operators on expressions ---- */

static bool computes(const struct cts_expr *x)
{
    return x->kind == CTS_X_BINARY || x->kind == CTS_X_UNARY || x->kind == CTS_X_COND;
}

/* Computed in another type, then taken back to its own; comparisons in another type. */
static enum answer op_width(struct maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (!computes(x) || v >= 2 * TYPES)
        return OVER;
    enum cts_sema_type to = types[v % TYPES];
    if (x->type == CTS_T_BOOL) {
        if (x->kind != CTS_X_BINARY || !is_compare(x->op) || v >= TYPES)
            return OVER;
        *slot = retype(k, x, to, false);
        return DONE;
    }
    if (to == x->type)
        return NOTHING;
    *slot = convert(k, x->type, retype(k, x, to, v >= TYPES));
    return DONE;
}

/* Is the immediate the number of a map, a variable or a function by BTF id? How these are numbered
 * is the platform's. */
static bool names_object(const struct maker *k)
{
    unsigned flags = cts_row_info(k->id)->flags;
    return ((flags & CTS_RF_WIDE) && (flags & CTS_RF_PLATFORM)) || k->id == CTS_ROW_CALL_BTF;
}

static bool is_object_number(const struct maker *k, const struct cts_expr *x)
{
    return x->kind == CTS_X_OPERAND && x->operand == CTS_O_IMM && names_object(k);
}

/* The operand of a conversion in another type: extended by the wrong sign, from the wrong width,
 * not cut off. */
static enum answer op_extension(struct maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_CONVERT || v >= 2 * TYPES)
        return OVER;
    enum cts_sema_type to = types[v % TYPES];
    if (to == x->kid[0]->type || (v >= TYPES && !computes(x->kid[0])))
        return NOTHING;
    *slot = convert(k, x->to, retype(k, x->kid[0], to, v >= TYPES));
    return DONE;
}

static bool is_leaf(const struct cts_expr *x)
{
    return x->kind == CTS_X_OPERAND || x->kind == CTS_X_LOCAL || x->kind == CTS_X_MEM ||
           x->kind == CTS_X_CALL;
}

/* A value read in a narrower type. */
static enum answer op_truncation(struct maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (!is_leaf(x) || !is_int(x) || v >= TYPES)
        return OVER;
    if (cts_sema_type_bits(types[v]) >= bits_of(x) || is_object_number(k, x))
        return NOTHING;
    *slot = convert(k, x->type, convert(k, types[v], x));
    return DONE;
}

static enum answer op_operator(struct maker *k, struct cts_expr **slot, unsigned v)
{
    static const enum cts_sema_op near[CTS_OP_COUNT][7] = {
        [CTS_OP_ADD] = {CTS_OP_SUB, CTS_OP_OR, CTS_OP_XOR, CTS_OP_AND, CTS_OP_MUL},
        [CTS_OP_SUB] = {CTS_OP_ADD, CTS_OP_XOR, CTS_OP_OR, CTS_OP_AND},
        [CTS_OP_MUL] = {CTS_OP_ADD, CTS_OP_AND, CTS_OP_DIV, CTS_OP_SUB},
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
        return OVER;
    if (v == 7 || near[x->op][v] == 0) { /* CTS_OP_NEG is 0 and near nothing but INV */
        if (x->kind == CTS_X_UNARY && v == 1) {
            *slot = x->kid[0];
            return DONE;
        }
        if (x->op != CTS_OP_INV || v != 0)
            return x->kind == CTS_X_UNARY && v == 0 ? NOTHING : OVER;
    }
    x->op = near[x->op][v];
    return DONE;
}

/* One side alone. */
static enum answer op_operand_only(struct maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    (void)k;
    if (x->kind != CTS_X_BINARY || is_compare(x->op) || v >= 2)
        return OVER;
    if (x->kid[v]->type != x->type)
        return NOTHING;
    *slot = convert(k, x->type, x->kid[v]);
    return DONE;
}

static enum answer op_mask(struct maker *k, struct cts_expr **slot, unsigned v)
{
    static const uint64_t other[] = {31, 63, 15, 7, 127, 255};
    struct cts_expr *x = *slot;
    (void)k;
    if (x->kind != CTS_X_BINARY || x->op != CTS_OP_AND || x->kid[1]->kind != CTS_X_LITERAL ||
        v > sizeof(other) / sizeof(other[0]))
        return OVER;
    if (v == 0)
        *slot = x->kid[0];
    else
        x->kid[1]->value = other[v - 1];
    return DONE;
}

static enum answer op_constant(struct maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    (void)k;
    if (x->kind != CTS_X_LITERAL || v >= 2)
        return OVER;
    if (v == 1 && x->value == 0)
        return NOTHING;
    x->value += v ? UINT64_MAX : 1;
    return DONE;
}

static enum answer op_swap(struct maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    (void)k;
    if (x->kind != CTS_X_BINARY || is_commutative(x->op) || v > 0)
        return OVER;
    struct cts_expr *a = x->kid[0];
    x->kid[0] = x->kid[1];
    x->kid[1] = a;
    return DONE;
}

static bool has_field(const struct maker *k, enum cts_sema_operand o)
{
    static const enum cts_spec_field field[CTS_O_COUNT] = {
        [CTS_O_DST] = CTS_SF_DST, [CTS_O_SRC] = CTS_SF_SRC,           [CTS_O_R0] = CTS_SF_DST,
        [CTS_O_IMM] = CTS_SF_IMM, [CTS_O_NEXT_IMM] = CTS_SF_NEXT_IMM, [CTS_O_OFF] = CTS_SF_OFF,
    };
    return o == CTS_O_R0 || k->row->enc[field[o]].rule != CTS_SR_FIXED;
}

/* Another register, field or immediate is read or written. */
static enum answer op_operand(struct maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_OPERAND || v >= CTS_O_COUNT)
        return OVER;
    enum cts_sema_operand o = (enum cts_sema_operand)v;
    bool of_field = o == CTS_O_IMM || o == CTS_O_OFF || o == CTS_O_NEXT_IMM;
    /* A field that is fixed reads as a constant: worth a try only as the other form (K and X). */
    bool other_form =
        (x->operand == CTS_O_SRC && o == CTS_O_IMM) || (x->operand == CTS_O_IMM && o == CTS_O_SRC);
    if (o == x->operand || !(has_field(k, o) || other_form))
        return NOTHING;
    if (of_field && x->operand == CTS_O_DST)
        return NOTHING;
    *slot = convert(k, x->type, operand(k, o));
    return DONE;
}

/* Offsets: ignored, off by one, scaled, negated. */
static enum answer op_offset(struct maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_OPERAND || x->operand != CTS_O_OFF || v >= 9)
        return OVER;
    static const int64_t add[] = {1, -1, 8, -8}, times[] = {2, 4, 8};
    if (v < 4)
        *slot = binary(k, add[v] > 0 ? CTS_OP_ADD : CTS_OP_SUB, x,
                       literal(k, x->type, (uint64_t)(add[v] > 0 ? add[v] : -add[v])));
    else if (v < 7)
        *slot = binary(k, CTS_OP_MUL, x, literal(k, x->type, (uint64_t)times[v - 4]));
    else if (v == 7)
        *slot = unary(k, CTS_OP_NEG, x);
    else
        *slot = convert(k, x->type, convert(k, CTS_T_U8, literal(k, CTS_T_NONE, 0)));
    return DONE;
}

/* Offsets beyond the reach of a shorter field. */
static enum answer op_reach(struct maker *k, struct cts_expr **slot, unsigned v)
{
    static const int64_t limit[] = {127, 2047, 16383};
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_OPERAND || x->operand != CTS_O_OFF || v >= 6)
        return OVER;
    bool below = v >= 3;
    int64_t n = limit[v % 3];
    struct cts_expr *cond = below ? binary(k, CTS_OP_LT, x, number(k, x->type, -n - 1))
                                  : binary(k, CTS_OP_GT, x, number(k, x->type, n));
    struct cts_expr *wrong = binary(k, CTS_OP_SUB, copy_of(k, x), literal(k, x->type, 1));
    *slot = choice(k, cond, wrong, copy_of(k, x));
    return DONE;
}

static enum answer op_immediate(struct maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_OPERAND || (x->operand != CTS_O_IMM && x->operand != CTS_O_NEXT_IMM) ||
        v >= 7)
        return OVER;
    if (is_object_number(k, x) && v > 1)
        return NOTHING;
    if (v < 2)
        *slot = binary(k, v ? CTS_OP_SUB : CTS_OP_ADD, x, literal(k, x->type, 1));
    else if (v == 2)
        *slot = unary(k, CTS_OP_NEG, x);
    else if (v == 3)
        *slot = unary(k, CTS_OP_INV, x);
    else if (v == 4)
        *slot = convert(k, x->type, convert(k, CTS_T_U8, literal(k, CTS_T_NONE, 0)));
    else if (v == 5)
        *slot = convert(k, CTS_T_S32, call(k, CTS_FN_BSWAP32, convert(k, CTS_T_U32, x)));
    else
        *slot = binary(k, CTS_OP_AND, x, literal(k, x->type, 0x7fffffff));
    return DONE;
}

/* One arm alone; the arms swapped. */
static enum answer op_guard(struct maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    (void)k;
    if (x->kind != CTS_X_COND || v >= 3)
        return OVER;
    if (v < 2) {
        *slot = convert(k, x->type, x->kid[1 + v]);
        return DONE;
    }
    struct cts_expr *yes = x->kid[1];
    x->kid[1] = x->kid[2];
    x->kid[2] = yes;
    return DONE;
}

/* A comparison that always, or never, holds. */
static enum answer op_condition(struct maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (x->type != CTS_T_BOOL || v >= 2)
        return OVER;
    *slot = binary(k, v ? CTS_OP_EQ : CTS_OP_NE, convert(k, CTS_T_U8, literal(k, CTS_T_NONE, 0)),
                   literal(k, CTS_T_U8, 0));
    return DONE;
}

static const unsigned mem_bits[] = {8, 16, 32, 64};

/* Loads of another width, in another byte order, beside the address. */
static enum answer op_load(struct maker *k, struct cts_expr **slot, unsigned v)
{
    static const enum cts_sema_func swap[] = {CTS_FN_BSWAP16, CTS_FN_BSWAP32, CTS_FN_BSWAP64};
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_MEM || v >= 8)
        return OVER;
    if (v < 4) {
        if (mem_bits[v] == x->bits)
            return NOTHING;
        *slot = convert(k, x->type, mem(k, mem_bits[v], x->kid[0]));
    } else if (v == 4) {
        if (x->bits == 8)
            return NOTHING;
        *slot = call(k, swap[x->bits / 32], x);
    } else if (v < 7) {
        x->kid[0] =
            binary(k, v == 5 ? CTS_OP_ADD : CTS_OP_SUB, x->kid[0], literal(k, CTS_T_U64, 1));
    } else {
        /* What an atomic operation does where it is not aligned is the platform's. */
        if (x->bits == 8 || (cts_sema_uses(k->row->sema) & CTS_USES_ATOMIC))
            return NOTHING;
        x->kid[0] =
            binary(k, CTS_OP_AND, x->kid[0], literal(k, CTS_T_U64, ~(uint64_t)(x->bits / 8 - 1)));
    }
    return DONE;
}

/* Conversions of a load of another width. */
static enum answer op_load_width(struct maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_CONVERT || x->kid[0]->kind != CTS_X_MEM || v >= 8)
        return OVER;
    struct cts_expr *m = mem(k, mem_bits[v % 4], x->kid[0]->kid[0]);
    if (m->bits == x->kid[0]->bits)
        return NOTHING;
    *slot = convert(k, x->to, v < 4 ? m : convert(k, cts_sema_type_of(m->bits, true), m));
    return DONE;
}

static unsigned func_bits(enum cts_sema_func f)
{
    return cts_sema_type_bits(cts_sema_func_result(f));
}

static enum answer op_function(struct maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_CALL || v > CTS_FN_COUNT)
        return OVER;
    struct cts_expr *arg = x->kid[0];
    if (v == CTS_FN_COUNT) { /* left out */
        *slot = convert(k, x->type, arg);
        return DONE;
    }
    enum cts_sema_func f = (enum cts_sema_func)v;
    bool swaps = f < CTS_FN_MAP_BY_FD;
    if (f == x->func || swaps != (x->func < CTS_FN_MAP_BY_FD))
        return NOTHING;
    if (arg->kind == CTS_X_CONVERT && func_bits(f) != func_bits(x->func))
        arg = arg->kid[0];
    *slot = convert(k, x->type, call(k, f, convert(k, cts_sema_func_arg(f), arg)));
    return DONE;
}

/* The result in the wrong byte order; the argument off by one. */
static enum answer op_function_value(struct maker *k, struct cts_expr **slot, unsigned v)
{
    struct cts_expr *x = *slot;
    if (x->kind != CTS_X_CALL || x->func < CTS_FN_MAP_BY_FD || v >= 3)
        return OVER;
    if (v < 2) {
        x->kid[0] =
            binary(k, v ? CTS_OP_SUB : CTS_OP_ADD, x->kid[0], literal(k, x->kid[0]->type, 1));
        return DONE;
    }
    if (x->func != CTS_FN_PACKET16 && x->func != CTS_FN_PACKET32)
        return OVER;
    *slot = call(k, x->func == CTS_FN_PACKET16 ? CTS_FN_BSWAP16 : CTS_FN_BSWAP32, x);
    return DONE;
}

typedef enum answer (*expr_op)(struct maker *k, struct cts_expr **slot, unsigned variant);

static const struct {
    const char *name;
    expr_op fn;
} expr_ops[] = {
    {"width", op_width},
    {"extension", op_extension},
    {"truncation", op_truncation},
    {"operator", op_operator},
    {"operand-only", op_operand_only},
    {"mask", op_mask},
    {"constant", op_constant},
    {"swap", op_swap},
    {"operand", op_operand},
    {"offset", op_offset},
    {"reach", op_reach},
    {"immediate", op_immediate},
    {"guard", op_guard},
    {"condition", op_condition},
    {"load", op_load},
    {"load-width", op_load_width},
    {"function", op_function},
    {"function-value", op_function_value},
};

/* ---- operators on statements ---- */

static bool writes_register(const struct cts_stmt *s)
{
    return s->kind == CTS_S_ASSIGN && s->target->kind == CTS_X_OPERAND;
}

static bool writes_memory(const struct cts_stmt *s)
{
    return s->kind == CTS_S_ASSIGN && s->target->kind == CTS_X_MEM;
}

static enum answer st_drop(struct maker *k, struct cts_stmt **slot, unsigned v)
{
    (void)k;
    if (v > 0 || (*slot)->kind == CTS_S_ATOMIC)
        return OVER;
    *slot = (*slot)->next;
    return DONE;
}

static enum answer st_order(struct maker *k, struct cts_stmt **slot, unsigned v)
{
    struct cts_stmt *a = *slot, *b = a->next;
    (void)k;
    if (v > 0 || !b)
        return OVER;
    a->next = b->next;
    b->next = a;
    *slot = b;
    return DONE;
}

static enum answer st_target(struct maker *k, struct cts_stmt **slot, unsigned v)
{
    struct cts_stmt *s = *slot;
    if ((s->kind != CTS_S_GOTO && s->kind != CTS_S_CALL) || v >= 8)
        return OVER;
    if (v < 2)
        s->value = binary(k, v ? CTS_OP_SUB : CTS_OP_ADD, s->value, literal(k, s->value->type, 1));
    else if (v == 2)
        s->value = unary(k, CTS_OP_NEG, s->value);
    else if (v == 3)
        s->value = binary(k, CTS_OP_MUL, s->value, literal(k, s->value->type, 2));
    else if (v == 4)
        s->value = convert(k, s->value->type, convert(k, CTS_T_U8, literal(k, CTS_T_NONE, 0)));
    else if (s->kind == CTS_S_CALL && v < 5 + CTS_CALL_COUNT)
        s->call = (enum cts_sema_call)(v - 5);
    else
        return NOTHING;
    return DONE;
}

static enum answer st_branch(struct maker *k, struct cts_stmt **slot, unsigned v)
{
    struct cts_stmt *s = *slot;
    if (s->kind != CTS_S_GOTO || !s->cond || v >= 2)
        return OVER;
    s->cond = v ? NULL : unary(k, CTS_OP_NOT, s->cond);
    return DONE;
}

/* Stores of another width or byte order, beside the address. */
static enum answer st_store(struct maker *k, struct cts_stmt **slot, unsigned v)
{
    static const enum cts_sema_func swap[] = {CTS_FN_BSWAP16, CTS_FN_BSWAP32, CTS_FN_BSWAP64};
    struct cts_stmt *s = *slot;
    if (!writes_memory(s) || v >= 5)
        return OVER;
    struct cts_expr *t = s->target;
    if (v == 4) {
        if (t->bits == 8)
            return NOTHING;
        s->value = call(k, swap[t->bits / 32], s->value);
        return DONE;
    }
    if (mem_bits[v] == t->bits)
        return NOTHING;
    t->bits = mem_bits[v];
    t->type = cts_sema_type_of(t->bits, false);
    s->value = convert(k, t->type, s->value->kind == CTS_X_CONVERT ? s->value->kid[0] : s->value);
    return DONE;
}

/* The result goes to a further register. */
static enum answer st_bystander(struct maker *k, struct cts_stmt **slot, unsigned v)
{
    struct cts_stmt *s = *slot;
    enum cts_sema_operand o = (enum cts_sema_operand)v;
    if (s->kind != CTS_S_ASSIGN || v > CTS_O_R0)
        return OVER;
    if (!has_field(k, o) || (writes_register(s) && s->target->operand == o))
        return NOTHING;
    struct cts_stmt *more = &k->more;
    *more = (struct cts_stmt){.kind = CTS_S_ASSIGN};
    more->target = operand(k, o);
    more->value = convert(k, CTS_T_U64, copy_of(k, s->value));
    more->next = s->next;
    s->next = more;
    return DONE;
}

/* The result of a part of the register: the rest is as it was, all ones, or all zeros. */
static enum answer st_part(struct maker *k, struct cts_stmt **slot, unsigned v)
{
    static const uint64_t part[] = {0xff, 0xffff, 0xffffffff};
    struct cts_stmt *s = *slot;
    if (!writes_register(s) || v >= 8)
        return OVER;
    struct cts_expr *value = s->value, *old = copy_of(k, s->target);
    uint64_t mask = part[v % 3];
    if (v < 3)
        s->value = binary(k, CTS_OP_OR, binary(k, CTS_OP_AND, old, literal(k, CTS_T_U64, ~mask)),
                          binary(k, CTS_OP_AND, value, literal(k, CTS_T_U64, mask)));
    else if (v < 6)
        s->value = binary(k, CTS_OP_AND, value, literal(k, CTS_T_U64, mask));
    else if (v == 6)
        s->value = binary(k, CTS_OP_OR, value, literal(k, CTS_T_U64, ~part[2]));
    else
        s->value = binary(k, CTS_OP_OR, binary(k, CTS_OP_AND, old, literal(k, CTS_T_U64, part[2])),
                          binary(k, CTS_OP_AND, value, literal(k, CTS_T_U64, ~part[2])));
    return DONE;
}

/* Is the register the base of an address? Its values are the platform's to choose. */
static bool is_address(const struct maker *k, enum cts_sema_operand o)
{
    unsigned flags = cts_row_info(k->id)->flags;
    return (o == CTS_O_SRC && (flags & CTS_RF_LOAD)) ||
           (o == CTS_O_DST && (flags & (CTS_RF_STORE | CTS_RF_ATOMIC)));
}

/* Where the immediate is the count of a shift: is it one below the width? Others are tried by other
 * operators, few platforms take them. */
static bool is_count(const struct maker *k, int64_t v)
{
    bool wide = strstr(k->row->does, "& 63)") != NULL;
    if (!wide && !strstr(k->row->does, "& 31)"))
        return true;
    return v >= 0 && v < (wide ? 64 : 32);
}

/* A special value of an operand that is taken for a case where nothing is to be done, or comes out
 * wrong. */
static enum answer st_special(struct maker *k, struct cts_stmt **slot, unsigned v)
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
        return OVER;
    enum cts_sema_operand o = of[v / VALUES];
    if (!cts_sema_reads(k->row->sema, o) || !has_field(k, o) || is_address(k, o) ||
        names_object(k) || (o == CTS_O_IMM && !is_count(k, values[v % VALUES].value)))
        return NOTHING;
    struct cts_expr *x = operand(k, o);
    struct cts_expr *cond = binary(k, CTS_OP_EQ, x, number(k, x->type, values[v % VALUES].value));
    /* Nothing is done for 0, 1 and -1; the others come out with a wrong bit. */
    struct cts_expr *wrong = values[v % VALUES].flips ? binary(k, CTS_OP_XOR, copy_of(k, s->value),
                                                               literal(k, CTS_T_U64, 1))
                                                      : operand(k, s->target->operand);
    s->value = choice(k, cond, wrong, s->value);
    return DONE;
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
static enum answer st_nibbles(struct maker *k, struct cts_stmt **slot, unsigned v)
{
    if (v > 0 || slot != &k->tree->body || !has_field(k, CTS_O_DST))
        return OVER;
    cts_sema_visit(k->tree, swap_registers, NULL);
    return DONE;
}

typedef enum answer (*stmt_op)(struct maker *k, struct cts_stmt **slot, unsigned variant);

static const struct {
    const char *name;
    stmt_op fn;
} stmt_ops[] = {
    {"drop", st_drop},     {"order", st_order},     {"target", st_target},
    {"branch", st_branch}, {"store", st_store},     {"bystander", st_bystander},
    {"part", st_part},     {"special", st_special}, {"nibbles", st_nibbles},
};

/* ---- the list ---- */

static bool is_new(struct maker *k, const char *text)
{
    if (strcmp(text, k->original) == 0)
        return false;
    for (size_t i = 0; i < k->seen_count; i++)
        if (strcmp(k->seen[i], text) == 0)
            return false;
    return k->seen_count < MOST_TEXTS;
}

static const char *text_of(const struct cts_sema *sema, struct cts_arena *arena)
{
    struct cts_buf b;
    cts_buf_init(&b, CTS_SEMA_TEXT_MAX);
    cts_sema_print(sema, &b);
    const char *text = b.failed ? NULL : cts_arena_strdup(arena, cts_buf_text(&b));
    cts_buf_release(&b);
    return text;
}

static void keep(struct maker *k, const char *op, const struct cts_sema *tree)
{
    struct cts_sema_place place = {.file = "mutant", .line = 1, .col = 1, .next_col = 1};
    const char *text = text_of(tree, &k->arena);
    struct cts_sema *sema;
    if (!text || !is_new(k, text))
        return;
    const char *kept = cts_arena_strdup(k->list->arena, text);
    if (!kept || cts_sema_read(kept, &place, CTS_SEMA_RELAXED, k->list->arena, &sema, NULL) != 0)
        return;
    k->seen[k->seen_count++] = kept;
    cts_mut_add(k->list,
                &(struct cts_mutant){
                    .row = k->id, .op = op, .text = kept, .level = CTS_LEVEL_QUICK, .sema = sema});
}

/* One attempt: variant `v` of an operator at place `at`. */
struct attempt {
    struct maker *maker;
    expr_op on_expr;
    stmt_op on_stmt;
    unsigned at, v;
    enum answer answer;
};

static int visit_expr(void *arg, struct cts_expr **slot)
{
    struct attempt *a = arg;
    if (a->at-- > 0)
        return 0;
    a->answer = a->on_expr(a->maker, slot, a->v);
    return 1;
}

static int visit_stmt(void *arg, struct cts_stmt **slot)
{
    struct attempt *a = arg;
    if (a->at-- > 0)
        return 0;
    a->answer = a->on_stmt(a->maker, slot, a->v);
    return 1;
}

/* False when there are no more places. */
static bool try_place(struct maker *k, const char *name, expr_op on_expr, stmt_op on_stmt,
                      unsigned at)
{
    for (unsigned v = 0; v < VARIANTS_MAX; v++) {
        struct attempt a = {k, on_expr, on_stmt, at, v, OVER};
        cts_arena_init(&k->arena, 0);
        k->used = 0;
        struct cts_sema *tree = k->tree = cts_sema_clone(k->row->sema, &k->arena);
        int found = !tree     ? 0
                    : on_expr ? cts_sema_visit(tree, visit_expr, &a)
                              : cts_sema_visit_stmts(tree, visit_stmt, &a);
        if (found && a.answer == DONE)
            keep(k, name, tree);
        cts_arena_release(&k->arena);
        if (!found)
            return false;
        if (a.answer == OVER)
            return true;
    }
    return true;
}

static void try_all(struct maker *k)
{
    for (size_t o = 0; o < sizeof(expr_ops) / sizeof(expr_ops[0]); o++)
        for (unsigned at = 0; try_place(k, expr_ops[o].name, expr_ops[o].fn, NULL, at); at++)
            ;
    for (size_t o = 0; o < sizeof(stmt_ops) / sizeof(stmt_ops[0]); o++)
        for (unsigned at = 0; try_place(k, stmt_ops[o].name, NULL, stmt_ops[o].fn, at); at++)
            ;
}

void cts_mut_add_does(struct cts_mut_list *list, const struct cts_spec_row *row, enum cts_row_id id)
{
    struct maker k = {.list = list, .row = row, .id = id};
    k.original = text_of(row->sema, list->arena);
    k.seen = calloc(MOST_TEXTS, sizeof(*k.seen));
    k.pool = calloc(POOL, sizeof(*k.pool));
    if (k.original && k.seen && k.pool)
        try_all(&k);
    else
        list->failed = true;
    free(k.seen);
    free(k.pool);
}
