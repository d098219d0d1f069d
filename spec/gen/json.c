/* JSON: strings, and the tree of a `does`. */
#include "info.h"
#include "sema/sema.h"

void cts_json_string(const char *text, struct cts_buf *out)
{
    cts_buf_addc(out, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            cts_buf_addf(out, "\\%c", c);
        else if (c == '\n')
            cts_buf_adds(out, "\\n");
        else if (c == '\t')
            cts_buf_adds(out, "\\t");
        else if (c < 0x20)
            cts_buf_addf(out, "\\u%04x", c);
        else
            cts_buf_addc(out, (char)c);
    }
    cts_buf_addc(out, '"');
}

void cts_json_strings(const char *const *list, size_t count, struct cts_buf *out)
{
    cts_buf_addc(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i)
            cts_buf_adds(out, ", ");
        cts_json_string(list[i], out);
    }
    cts_buf_addc(out, ']');
}

static void add_expr(const struct cts_expr *x, struct cts_buf *out);

/* {"kind": K, "type": T, NAME: "VALUE", "args": [...]} */
static void add_node(const struct cts_expr *x, const char *kind, const char *name,
                     const char *value, struct cts_buf *out)
{
    cts_buf_addf(out, "{\"kind\": \"%s\", \"type\": \"%s\"", kind, cts_sema_type_name(x->type));
    if (name) {
        cts_buf_addf(out, ", \"%s\": ", name);
        cts_json_string(value, out);
    }
    for (size_t i = 0; i < 3 && x->child[i]; i++) {
        cts_buf_adds(out, i ? ", " : ", \"args\": [");
        add_expr(x->child[i], out);
    }
    cts_buf_adds(out, x->child[0] ? "]}" : "}");
}

static void add_literal(const struct cts_expr *x, struct cts_buf *out)
{
    /* as text: not every reader of JSON keeps 64 bits */
    cts_buf_addf(out, "{\"kind\": \"literal\", \"type\": \"%s\", \"value\": \"%llu\"}",
                 cts_sema_type_name(x->type), (unsigned long long)x->value);
}

static void add_expr(const struct cts_expr *x, struct cts_buf *out)
{
    switch (x->kind) {
    case CTS_X_LITERAL:
        add_literal(x, out);
        return;
    case CTS_X_OPERAND:
        add_node(x, "operand", "name", cts_sema_operand_name(x->operand), out);
        return;
    case CTS_X_LOCAL:
        add_node(x, "local", "name", x->name, out);
        return;
    case CTS_X_MEM:
        add_node(x, "memory", NULL, NULL, out);
        return;
    case CTS_X_CONVERT:
        add_node(x, "convert", NULL, NULL, out);
        return;
    case CTS_X_UNARY:
        add_node(x, "unary", "op", cts_sema_op_text(x->op), out);
        return;
    case CTS_X_BINARY:
        add_node(x, "binary", "op", cts_sema_op_text(x->op), out);
        return;
    case CTS_X_COND:
        add_node(x, "cond", NULL, NULL, out);
        return;
    case CTS_X_CALL:
        add_node(x, "call", "name", cts_sema_func_name(x->func), out);
        return;
    case CTS_X_CHOOSE:
        add_node(x, "choose", NULL, NULL, out);
        return;
    }
}

static void add_stmts(const struct cts_stmt *s, struct cts_buf *out);

static void add_part(const char *name, const struct cts_expr *x, struct cts_buf *out)
{
    if (!x)
        return;
    cts_buf_addf(out, ", \"%s\": ", name);
    add_expr(x, out);
}

static void add_stmt(const struct cts_stmt *s, struct cts_buf *out)
{
    static const char *const KINDS[] = {
        [CTS_S_ASSIGN] = "assign", [CTS_S_LET] = "let",   [CTS_S_GOTO] = "goto",
        [CTS_S_CALL] = "call",     [CTS_S_EXIT] = "exit", [CTS_S_ATOMIC] = "atomic",
    };

    cts_buf_addf(out, "{\"kind\": \"%s\"", KINDS[s->kind]);
    if (s->kind == CTS_S_LET)
        cts_buf_addf(out, ", \"name\": \"%s\"", s->name);
    if (s->kind == CTS_S_CALL)
        cts_buf_addf(out, ", \"call\": \"%s\"", cts_sema_call_name(s->call));
    add_part("target", s->target, out);
    add_part("if", s->cond, out);
    add_part("value", s->value, out);
    if (s->kind == CTS_S_ATOMIC) {
        if (s->order != CTS_MO_PLAIN)
            cts_buf_addf(out, ", \"order\": \"%s\"", cts_sema_order_name(s->order));
        cts_buf_adds(out, ", \"body\": ");
        add_stmts(s->body, out);
    }
    cts_buf_addc(out, '}');
}

static void add_stmts(const struct cts_stmt *s, struct cts_buf *out)
{
    cts_buf_addc(out, '[');
    for (; s; s = s->next) {
        add_stmt(s, out);
        if (s->next)
            cts_buf_adds(out, ", ");
    }
    cts_buf_addc(out, ']');
}

void cts_json_sema(const struct cts_sema *sema, struct cts_buf *out)
{
    add_stmts(sema->body, out);
}
