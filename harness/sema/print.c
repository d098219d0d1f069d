/* Tree to text. */
#include "sema/impl.h"

static bool is_compound(const struct cts_expr *x)
{
    return (x->kind == CTS_X_BINARY && !cts_sema_op_is_named(x->op)) || x->kind == CTS_X_COND;
}

/* Does operand `i` of an operator stand in parentheses? */
static bool in_parens(const struct cts_expr *x, unsigned i)
{
    const struct cts_expr *child = x->child[i];
    bool chained = i == 0 && child->kind == CTS_X_BINARY && child->op == x->op;

    return x->kind == CTS_X_COND ? child->kind == CTS_X_COND : is_compound(child) && !chained;
}

static void print_inner(const struct cts_expr *x, unsigned i, struct cts_buf *out)
{
    bool parens = in_parens(x, i);

    if (parens)
        cts_buf_addc(out, '(');
    cts_expr_print(x->child[i], out);
    if (parens)
        cts_buf_addc(out, ')');
}

static void print_binary(const struct cts_expr *x, struct cts_buf *out)
{
    if (cts_sema_op_is_named(x->op)) {
        cts_buf_addf(out, "%s(", cts_sema_op_text(x->op));
        cts_expr_print(x->child[0], out);
        cts_buf_adds(out, ", ");
        cts_expr_print(x->child[1], out);
        cts_buf_addc(out, ')');
        return;
    }
    print_inner(x, 0, out);
    cts_buf_addf(out, " %s ", cts_sema_op_text(x->op));
    print_inner(x, 1, out);
}

static void print_cond(const struct cts_expr *x, struct cts_buf *out)
{
    print_inner(x, 0, out);
    cts_buf_adds(out, " ? ");
    print_inner(x, 1, out);
    cts_buf_adds(out, " : ");
    print_inner(x, 2, out);
}

static void print_wrapped(const char *name, const char *signs, const struct cts_expr *child,
                          struct cts_buf *out)
{
    cts_buf_adds(out, name);
    cts_buf_addc(out, signs[0]);
    cts_expr_print(child, out);
    cts_buf_addc(out, signs[1]);
}

void cts_expr_print(const struct cts_expr *x, struct cts_buf *out)
{
    switch (x->kind) {
    case CTS_X_LITERAL:
        cts_buf_addf(out, x->value > 9999 ? "0x%llx" : "%llu", (unsigned long long)x->value);
        return;
    case CTS_X_OPERAND:
        cts_buf_adds(out, cts_sema_operand_name(x->operand));
        return;
    case CTS_X_LOCAL:
        cts_buf_adds(out, x->name);
        return;
    case CTS_X_MEM:
        cts_buf_addf(out, "mem%u", x->bits);
        print_wrapped("", "[]", x->child[0], out);
        return;
    case CTS_X_CONVERT:
        print_wrapped(cts_sema_type_name(x->to), "()", x->child[0], out);
        return;
    case CTS_X_UNARY:
        cts_buf_adds(out, cts_sema_op_text(x->op));
        print_inner(x, 0, out);
        return;
    case CTS_X_BINARY:
        print_binary(x, out);
        return;
    case CTS_X_COND:
        print_cond(x, out);
        return;
    case CTS_X_CALL:
        print_wrapped(cts_sema_func_name(x->func), "()", x->child[0], out);
        return;
    case CTS_X_CHOOSE:
        cts_buf_adds(out, "choose");
        return;
    }
}

static void print_stmts(const struct cts_stmt *s, struct cts_buf *out);

static void print_stmt(const struct cts_stmt *s, struct cts_buf *out)
{
    switch (s->kind) {
    case CTS_S_ASSIGN:
        cts_expr_print(s->target, out);
        cts_buf_adds(out, " = ");
        cts_expr_print(s->value, out);
        return;
    case CTS_S_LET:
        cts_buf_addf(out, "let %s = ", s->name);
        cts_expr_print(s->value, out);
        return;
    case CTS_S_GOTO:
        if (s->cond) {
            print_wrapped("if ", "()", s->cond, out);
            cts_buf_addc(out, ' ');
        }
        cts_buf_adds(out, "goto ");
        cts_expr_print(s->value, out);
        return;
    case CTS_S_CALL:
        cts_buf_adds(out, "call ");
        print_wrapped(cts_sema_call_name(s->call), "()", s->value, out);
        return;
    case CTS_S_EXIT:
        cts_buf_adds(out, "exit");
        return;
    case CTS_S_ATOMIC:
        cts_buf_adds(out, "atomic ");
        cts_buf_addf(out, s->order ? "%s { " : "%s{ ", cts_sema_order_name(s->order));
        print_stmts(s->body, out);
        cts_buf_adds(out, " }");
        return;
    }
}

static void print_stmts(const struct cts_stmt *s, struct cts_buf *out)
{
    for (; s; s = s->next) {
        print_stmt(s, out);
        if (s->next)
            cts_buf_adds(out, "; ");
    }
}

void cts_sema_print(const struct cts_sema *sema, struct cts_buf *out)
{
    print_stmts(sema->body, out);
}

/* --- how deeply the text is nested --------------------------------------------------------- */

/* How many levels the text opens around operand `i`. */
static unsigned levels_around(const struct cts_expr *x, unsigned i)
{
    if (x->kind == CTS_X_BINARY && !cts_sema_op_is_named(x->op))
        return in_parens(x, i);
    if (x->kind == CTS_X_COND)
        return (i > 0 ? 1U : 0U) + in_parens(x, i);
    return 1U + (x->kind == CTS_X_UNARY && in_parens(x, i));
}

unsigned cts_expr_depth(const struct cts_expr *x)
{
    unsigned most = 0;

    for (unsigned i = 0; i < 3 && x->child[i]; i++) {
        unsigned depth = levels_around(x, i) + cts_expr_depth(x->child[i]);
        most = depth > most ? depth : most;
    }
    return most;
}
