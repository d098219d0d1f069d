/* Types: every expression gets one, or the first offence is named with its place. */
#include "sema/impl.h"

/* Expressions known not to be zero where the checker stands. */
struct nonzero {
    const struct cts_expr *expr;
    const struct nonzero *outer;
};

struct checker {
    struct cts_sema *sema;
    unsigned flags;
    const struct nonzero *nonzero;
    unsigned conditional; /* inside an arm that may not be evaluated */
    struct cts_err *err;
};

/* `want` is the type the context asks for, CTS_T_NONE if it asks for none. An expression made of
 * numbers only, without a wanted type, stays CTS_T_NONE: whoever asked then decides. */
static int check(struct checker *c, struct cts_expr *x, enum cts_sema_type want);

static bool is_int(enum cts_sema_type type)
{
    return type > CTS_T_BOOL;
}

static int offend(struct checker *c, const struct cts_expr *x, const char *what)
{
    return cts_sema_error(c->sema, x->pos, CTS_E_SCHEMA, c->err, "%s", what);
}

static int no_type(struct checker *c, const struct cts_expr *x)
{
    return offend(c, x, "the type of this number is not known here: convert it, as in u64(1)");
}

/* Checks `x` and insists on the type. */
static int check_as(struct checker *c, struct cts_expr *x, enum cts_sema_type type,
                    const char *what)
{
    int rc = check(c, x, type);

    if (rc || x->type == type)
        return rc;
    return cts_sema_error(c->sema, x->pos, CTS_E_SCHEMA, c->err, "%s is %s, but must be %s", what,
                          cts_sema_type_name(x->type), cts_sema_type_name(type));
}

/* Gives both the same type: a number takes the other one's. Both may stay untyped. */
static int check_pair(struct checker *c, struct cts_expr *a, struct cts_expr *b,
                      enum cts_sema_type want)
{
    int rc = check(c, a, want);
    if (!rc)
        rc = check(c, b, a->type ? a->type : want);
    if (!rc && !a->type && b->type)
        rc = check(c, a, b->type);
    return rc;
}

/* --- by kind ------------------------------------------------------------------------------- */

static uint64_t largest(enum cts_sema_type type)
{
    unsigned bits = cts_sema_type_bits(type) - cts_sema_type_is_signed(type);

    return bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
}

static int set_literal(struct checker *c, struct cts_expr *x, enum cts_sema_type want, bool negated)
{
    if (want == CTS_T_BOOL)
        return offend(c, x, "expected a truth value, found a number");
    x->type = want;
    if (!want)
        return 0;
    uint64_t limit = largest(want) + (negated && cts_sema_type_is_signed(want));
    if (x->value > limit)
        return cts_sema_error(c->sema, x->pos, CTS_E_RANGE, c->err, "this number does not fit %s",
                              cts_sema_type_name(want));
    return 0;
}

static int set_mem(struct checker *c, struct cts_expr *x)
{
    if (c->conditional)
        return offend(c, x, "memory is read where it may not be reached: read it before, with let");
    x->type = cts_sema_type_of(x->bits, false);
    return check_as(c, x->child[0], CTS_T_U64, "the address");
}

static int set_convert(struct checker *c, struct cts_expr *x)
{
    struct cts_expr *child = x->child[0];
    int rc = check(c, child, CTS_T_NONE);

    if (!rc && !child->type)
        rc = check(c, child, x->to);
    if (!rc && child->type == CTS_T_BOOL)
        rc = offend(c, x, "a truth value cannot be converted: write '? 1 : 0'");
    x->type = x->to;
    return rc;
}

static int set_unary(struct checker *c, struct cts_expr *x, enum cts_sema_type want)
{
    struct cts_expr *child = x->child[0];

    if (x->op == CTS_OP_NOT) {
        x->type = CTS_T_BOOL;
        return check_as(c, child, CTS_T_BOOL, "the operand of '!'");
    }
    int rc = child->kind == CTS_X_LITERAL ? set_literal(c, child, want, x->op == CTS_OP_NEG)
                                          : check(c, child, want);
    if (!rc && child->type == CTS_T_BOOL)
        rc = offend(c, x, "arithmetic on a truth value");
    x->type = child->type;
    return rc;
}

static int set_logical(struct checker *c, struct cts_expr *x)
{
    int rc = check_as(c, x->child[0], CTS_T_BOOL, "the left side");

    c->conditional++;
    if (!rc)
        rc = check_as(c, x->child[1], CTS_T_BOOL, "the right side");
    c->conditional--;
    x->type = CTS_T_BOOL;
    return rc;
}

static int set_shift(struct checker *c, struct cts_expr *x, enum cts_sema_type want)
{
    struct cts_expr *value = x->child[0], *count = x->child[1];
    int rc = check(c, value, want);

    if (rc)
        return rc;
    x->type = value->type;
    if (!value->type)
        return 0;
    if (!is_int(value->type))
        return offend(c, x, "a truth value is shifted");
    unsigned bits = cts_sema_type_bits(value->type);
    rc = check_as(c, count, cts_sema_type_of(bits, false), "the count");
    if (!rc && !(c->flags & CTS_SEMA_RELAXED) && !cts_expr_is_masked(count, bits))
        rc = cts_sema_error(c->sema, count->pos, CTS_E_SCHEMA, c->err,
                            "the count may reach %u: mask it, as in 'n & %u'", bits, bits - 1);
    return rc;
}

static bool known_nonzero(const struct checker *c, const struct cts_expr *x)
{
    if (x->kind == CTS_X_LITERAL)
        return x->value != 0;
    for (const struct nonzero *n = c->nonzero; n; n = n->outer) {
        if (cts_expr_equal(n->expr, x))
            return true;
    }
    return false;
}

static bool is_comparison(enum cts_sema_op op)
{
    return op >= CTS_OP_EQ && op <= CTS_OP_GE;
}

static int set_arithmetic(struct checker *c, struct cts_expr *x, enum cts_sema_type want)
{
    struct cts_expr *a = x->child[0], *b = x->child[1];
    bool comparison = is_comparison(x->op);
    int rc = check_pair(c, a, b, comparison ? CTS_T_NONE : want);

    if (rc)
        return rc;
    if (comparison && !a->type && !b->type)
        return no_type(c, a);
    if (a->type != b->type)
        return cts_sema_error(
            c->sema, x->pos, CTS_E_SCHEMA, c->err, "'%s' between %s and %s: convert one of them",
            cts_sema_op_text(x->op), cts_sema_type_name(a->type), cts_sema_type_name(b->type));
    if (a->type == CTS_T_BOOL)
        return cts_sema_error(c->sema, x->pos, CTS_E_SCHEMA, c->err, "'%s' between truth values",
                              cts_sema_op_text(x->op));
    x->type = comparison ? CTS_T_BOOL : a->type;
    bool divides = x->op == CTS_OP_DIV || x->op == CTS_OP_MOD;
    if (divides && !(c->flags & CTS_SEMA_RELAXED) && !known_nonzero(c, b))
        return offend(c, b, "the divisor may be zero: guard it, as in 'n == 0 ? 0 : m / n'");
    return 0;
}

static int set_binary(struct checker *c, struct cts_expr *x, enum cts_sema_type want)
{
    if (x->op == CTS_OP_ANDALSO || x->op == CTS_OP_ORELSE)
        return set_logical(c, x);
    if (x->op == CTS_OP_SHL || x->op == CTS_OP_SHR)
        return set_shift(c, x, want);
    return set_arithmetic(c, x, want);
}

/* In `n == 0 ? a : b`, n is not zero in b; with != it is the other arm. */
static const struct cts_expr *tested_for_zero(const struct cts_expr *cond, enum cts_sema_op op)
{
    if (cond->kind != CTS_X_BINARY || cond->op != op)
        return NULL;
    for (size_t i = 0; i < 2; i++) {
        if (cond->child[i]->kind == CTS_X_LITERAL && cond->child[i]->value == 0)
            return cond->child[1 - i];
    }
    return NULL;
}

static int check_arm(struct checker *c, struct cts_expr *x, const struct cts_expr *nonzero,
                     enum cts_sema_type want)
{
    struct nonzero here = {nonzero, c->nonzero};

    if (nonzero)
        c->nonzero = &here;
    c->conditional++;
    int rc = check(c, x, want);
    c->conditional--;
    c->nonzero = here.outer;
    return rc;
}

static int set_cond(struct checker *c, struct cts_expr *x, enum cts_sema_type want)
{
    struct cts_expr *yes = x->child[1], *no = x->child[2];
    int rc = check_as(c, x->child[0], CTS_T_BOOL, "the condition");
    const struct cts_expr *in_yes = tested_for_zero(x->child[0], CTS_OP_NE);
    const struct cts_expr *in_no = tested_for_zero(x->child[0], CTS_OP_EQ);

    if (!rc)
        rc = check_arm(c, yes, in_yes, want);
    if (!rc)
        rc = check_arm(c, no, in_no, yes->type ? yes->type : want);
    if (!rc && !yes->type && no->type)
        rc = check_arm(c, yes, in_yes, no->type);
    if (rc)
        return rc;
    x->type = yes->type;
    if (yes->type == no->type)
        return 0;
    return cts_sema_error(c->sema, x->pos, CTS_E_SCHEMA, c->err, "'?' between %s and %s",
                          cts_sema_type_name(yes->type), cts_sema_type_name(no->type));
}

static int set_call(struct checker *c, struct cts_expr *x)
{
    if (c->conditional && x->func >= CTS_FN_MAP_BY_FD)
        return offend(c, x,
                      "the platform is asked where it may not be reached: ask before, with let");
    x->type = cts_sema_func_result(x->func);
    return check_as(c, x->child[0], cts_sema_func_arg(x->func), "the argument");
}

static int check(struct checker *c, struct cts_expr *x, enum cts_sema_type want)
{
    switch (x->kind) {
    case CTS_X_LITERAL:
        return set_literal(c, x, want, false);
    case CTS_X_OPERAND:
        x->type = cts_sema_operand_type(x->operand);
        return 0;
    case CTS_X_LOCAL:
        x->type = c->sema->local_type[x->local];
        return 0;
    case CTS_X_MEM:
        return set_mem(c, x);
    case CTS_X_CONVERT:
        return set_convert(c, x);
    case CTS_X_UNARY:
        return set_unary(c, x, want);
    case CTS_X_BINARY:
        return set_binary(c, x, want);
    case CTS_X_COND:
        return set_cond(c, x, want);
    case CTS_X_CALL:
        return set_call(c, x);
    case CTS_X_CHOOSE:
        x->type = CTS_T_BOOL;
        return 0;
    }
    return offend(c, x, "no such expression");
}

/* --- statements ---------------------------------------------------------------------------- */

static int check_assign(struct checker *c, struct cts_stmt *s)
{
    int rc = check(c, s->target, CTS_T_NONE);

    return rc ? rc : check_as(c, s->value, s->target->type, "the value");
}

static int check_let(struct checker *c, struct cts_stmt *s)
{
    int rc = check(c, s->value, CTS_T_NONE);

    if (!rc && !s->value->type)
        rc = no_type(c, s->value);
    c->sema->local_type[s->local] = s->value->type;
    return rc;
}

static int check_stmts(struct checker *c, struct cts_stmt *s, bool in_atomic);

static int check_stmt(struct checker *c, struct cts_stmt *s, bool in_atomic)
{
    bool leaves = s->kind == CTS_S_GOTO || s->kind == CTS_S_CALL || s->kind == CTS_S_EXIT;
    int rc = 0;

    if (leaves && (s->next || in_atomic))
        return cts_sema_error(c->sema, s->pos, CTS_E_SCHEMA, c->err,
                              "control flow must be the last statement");
    switch (s->kind) {
    case CTS_S_ASSIGN:
        return check_assign(c, s);
    case CTS_S_LET:
        return check_let(c, s);
    case CTS_S_GOTO:
        if (s->cond)
            rc = check_as(c, s->cond, CTS_T_BOOL, "the condition");
        return rc ? rc : check_as(c, s->value, CTS_T_S64, "the distance");
    case CTS_S_CALL:
        return check_as(c, s->value, CTS_T_S32, "the argument");
    case CTS_S_EXIT:
        return 0;
    case CTS_S_ATOMIC:
        if (in_atomic)
            return cts_sema_error(c->sema, s->pos, CTS_E_SCHEMA, c->err, "atomic inside atomic");
        return check_stmts(c, s->body, true);
    }
    return CTS_E_INVAL;
}

static int check_stmts(struct checker *c, struct cts_stmt *s, bool in_atomic)
{
    int rc = 0;

    for (; !rc && s; s = s->next)
        rc = check_stmt(c, s, in_atomic);
    return rc;
}

int cts_sema_check_condition(struct cts_sema *sema, struct cts_expr *x, struct cts_err *err)
{
    struct checker c = {.sema = sema, .err = err};

    return check_as(&c, x, CTS_T_BOOL, "the condition");
}

int cts_sema_check(struct cts_sema *sema, unsigned flags, struct cts_err *err)
{
    struct checker c = {.sema = sema, .flags = flags, .err = err};

    return check_stmts(&c, sema->body, false);
}
