/* The tree of a `does` in the notation of RFC 9669: casts in C's style, "s" before an operator that
 * takes its operands as signed, no casts where the RFC has a rule (immediates are sign-extended).
 */
#include "info.h"

#include <string.h>

#include "sema/sema.h"

static void add(const struct cts_expr *x, struct cts_buf *out);

static bool is_compound(const struct cts_expr *x)
{
    return (x->kind == CTS_X_BINARY && !cts_sema_op_is_named(x->op)) || x->kind == CTS_X_COND;
}

static void add_inner(const struct cts_expr *x, struct cts_buf *out)
{
    if (is_compound(x)) {
        cts_buf_addc(out, '(');
        add(x, out);
        cts_buf_addc(out, ')');
    } else {
        add(x, out);
    }
}

static bool is_operand(const struct cts_expr *x, enum cts_sema_operand o)
{
    return x->kind == CTS_X_OPERAND && x->operand == o;
}

/* Conversions that the RFC leaves to its rules: a signed field to 64 bits. */
static const struct cts_expr *without_widening(const struct cts_expr *x)
{
    if (x->kind != CTS_X_CONVERT || cts_sema_type_bits(x->to) != 64)
        return x;
    const struct cts_expr *child = x->child[0];
    if (is_operand(child, CTS_O_OFF) || is_operand(child, CTS_O_IMM) ||
        is_operand(child, CTS_O_NEXT_IMM))
        return child;
    /* s64(dst): the operator says that it is signed */
    return child->type == CTS_T_U64 ? child : x;
}

static void add_mem(const struct cts_expr *mem, char sign, struct cts_buf *out)
{
    cts_buf_addf(out, "*(%c%u *)(", sign, mem->bits);
    add(mem->child[0], out);
    cts_buf_addc(out, ')');
}

static void add_cast(const char *type, const struct cts_expr *x, struct cts_buf *out)
{
    cts_buf_addf(out, "(%s)", type);
    add_inner(x, out);
}

static void add_convert(const struct cts_expr *x, struct cts_buf *out)
{
    const struct cts_expr *child = without_widening(x);

    if (child != x)
        add(child, out);
    else if (x->child[0]->kind == CTS_X_MEM && cts_sema_type_is_signed(x->to) &&
             cts_sema_type_bits(x->to) == x->child[0]->bits)
        add_mem(x->child[0], 's', out);
    else
        add_cast(cts_sema_type_name(x->to), x->child[0], out);
}

static bool has_signed_form(enum cts_sema_op op)
{
    return op == CTS_OP_MULHI || op == CTS_OP_DIV || op == CTS_OP_MOD || op == CTS_OP_SHR ||
           (op >= CTS_OP_LT && op <= CTS_OP_GE);
}

static void add_operator(const struct cts_expr *x, struct cts_buf *out)
{
    bool s = has_signed_form(x->op) && cts_sema_type_is_signed(x->child[0]->type);

    cts_buf_addf(out, " %s%s ", s ? "s" : "", cts_sema_op_text(x->op));
}

/* umulhi(a, b) */
static void add_named(const struct cts_expr *x, struct cts_buf *out)
{
    cts_buf_addf(out, "%c%s(", cts_sema_type_is_signed(x->type) ? 's' : 'u',
                 cts_sema_op_text(x->op));
    add(without_widening(x->child[0]), out);
    cts_buf_adds(out, ", ");
    add(without_widening(x->child[1]), out);
    cts_buf_addc(out, ')');
}

static void add_binary(const struct cts_expr *x, struct cts_buf *out)
{
    if (cts_sema_op_is_named(x->op)) {
        add_named(x, out);
        return;
    }
    const struct cts_expr *left = without_widening(x->child[0]);
    bool chained = left->kind == CTS_X_BINARY && left->op == x->op;

    if (chained)
        add(left, out);
    else
        add_inner(left, out);
    add_operator(x, out);
    add_inner(without_widening(x->child[1]), out);
}

static void add(const struct cts_expr *x, struct cts_buf *out)
{
    switch (x->kind) {
    case CTS_X_LITERAL:
    case CTS_X_LOCAL:
    case CTS_X_CHOOSE:
        cts_expr_print(x, out);
        return;
    case CTS_X_OPERAND:
        cts_buf_adds(out, is_operand(x, CTS_O_OFF) ? "offset" : cts_sema_operand_name(x->operand));
        return;
    case CTS_X_MEM:
        add_mem(x, 'u', out);
        return;
    case CTS_X_CONVERT:
        add_convert(x, out);
        return;
    case CTS_X_UNARY:
        cts_buf_adds(out, cts_sema_op_text(x->op));
        add_inner(x->child[0], out);
        return;
    case CTS_X_BINARY:
        add_binary(x, out);
        return;
    case CTS_X_COND:
        add_inner(x->child[0], out);
        cts_buf_adds(out, " ? ");
        add_inner(x->child[1], out);
        cts_buf_adds(out, " : ");
        add_inner(x->child[2], out);
        return;
    case CTS_X_CALL:
        cts_buf_addf(out, "%s(", cts_sema_func_name(x->func));
        add(x->child[0], out);
        cts_buf_addc(out, ')');
        return;
    }
}

/* A value that fills a 64-bit register: how a narrower one is extended is said as the RFC does. */
static void add_value(const struct cts_expr *x, struct cts_buf *out)
{
    const struct cts_expr *child = x->child[0];

    if (x->kind != CTS_X_CONVERT || x->to != CTS_T_U64 || without_widening(x) != x) {
        add(x, out);
        return;
    }
    if (cts_sema_type_bits(child->type) == 64) {
        add(child, out);
    } else if (cts_sema_type_is_signed(child->type)) {
        /* a signed load says it itself */
        bool load = child->kind == CTS_X_CONVERT && child->child[0]->kind == CTS_X_MEM;
        if (load)
            add(child, out);
        else
            add_cast("s64", child, out);
    } else if (is_compound(child) || child->kind == CTS_X_UNARY) {
        add_cast(cts_sema_type_name(child->type), child, out);
    } else {
        add(child, out);
    }
}

/* dst = dst + x as "dst += x"; false if it is not of that form. */
static bool add_updated(const struct cts_stmt *s, struct cts_buf *out)
{
    const struct cts_expr *v = s->value;

    if (v->kind == CTS_X_CONVERT && v->to == CTS_T_U64 &&
        cts_sema_type_bits(v->child[0]->type) == 64)
        v = v->child[0]; /* only the sign differs */
    if (s->target->kind != CTS_X_OPERAND || v->kind != CTS_X_BINARY || v->op < CTS_OP_ADD ||
        cts_sema_op_is_named(v->op) || v->op > CTS_OP_SHR ||
        !cts_expr_equal(s->target, without_widening(v->child[0])))
        return false;
    bool s_form = has_signed_form(v->op) && cts_sema_type_is_signed(v->child[0]->type);
    add(s->target, out);
    cts_buf_addf(out, " %s%s= ", s_form ? "s" : "", cts_sema_op_text(v->op));
    add(without_widening(v->child[1]), out);
    return true;
}

static void add_goto(const struct cts_stmt *s, struct cts_buf *out)
{
    if (s->cond) {
        cts_buf_adds(out, "if ");
        add(s->cond, out);
        cts_buf_addc(out, ' ');
    }
    cts_buf_adds(out, "goto +");
    add_inner(without_widening(s->value), out);
}

static void add_stmts(const struct cts_stmt *s, struct cts_buf *out);

static void add_stmt(const struct cts_stmt *s, struct cts_buf *out)
{
    switch (s->kind) {
    case CTS_S_ASSIGN:
        if (add_updated(s, out))
            return;
        add(s->target, out);
        cts_buf_adds(out, " = ");
        add_value(s->value, out);
        return;
    case CTS_S_LET:
        cts_buf_addf(out, "%s = ", s->name);
        add(s->value, out);
        return;
    case CTS_S_GOTO:
        add_goto(s, out);
        return;
    case CTS_S_CALL:
        cts_buf_addf(out, "call %s(", cts_sema_call_name(s->call));
        add(s->value, out);
        cts_buf_addc(out, ')');
        return;
    case CTS_S_EXIT:
        cts_buf_adds(out, "exit");
        return;
    case CTS_S_ATOMIC:
        cts_buf_addf(out, "lock%s%s { ", s->order == CTS_MO_PLAIN ? "" : " ",
                     cts_sema_order_name(s->order));
        add_stmts(s->body, out);
        cts_buf_adds(out, " }");
        return;
    }
}

static void add_stmts(const struct cts_stmt *s, struct cts_buf *out)
{
    for (; s; s = s->next) {
        add_stmt(s, out);
        if (s->next)
            cts_buf_adds(out, "; ");
    }
}

void cts_info_words(const struct cts_spec_insn *row, struct cts_buf *out)
{
    const char *words = row->note ? row->note : row->name;
    const char *stop = strstr(words, ". ");

    if (row->sema)
        add_stmts(row->sema->body, out);
    else
        cts_buf_add(out, words, stop ? (size_t)(stop - words) : strlen(words));
}
