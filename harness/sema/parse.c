/* Text to tree: a scanner and a recursive descent parser, binary operators by level. */
#include <string.h>

#include "base/digit.h"
#include "base/nearest.h"
#include "host/buf.h"
#include "sema/impl.h"

/* All operands, functions, types and local names. */
enum {
    NAMES_MAX = (int)CTS_O_COUNT + (int)CTS_FN_COUNT + (int)CTS_T_COUNT + (int)CTS_OP_COUNT +
                (int)CTS_SEMA_LOCALS_MAX
};

enum token { T_END, T_NAME, T_NUMBER, T_SIGN, T_BAD };

struct parser {
    struct cts_sema *sema;
    struct cts_arena *arena;
    struct cts_err *err;
    unsigned depth;
    /* The token at hand. */
    enum token token;
    unsigned pos, len;
    uint64_t number;
    bool too_large;
    /* The names of `let`; those of a block that has ended are hidden. */
    const char *local[CTS_SEMA_LOCALS_MAX];
    bool hidden[CTS_SEMA_LOCALS_MAX];
};

static const char *const KEYWORDS[] = {"let",    "if",      "goto",   "call", "exit",
                                       "atomic", "helper",  "local",  "btf",  "bool",
                                       "choose", "acquire", "release"};

/* --- scanner ------------------------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void scan_number(struct parser *p, const char *at)
{
    const char *s = at;
    unsigned base = 10;

    if (s[0] == '0' && s[1] == 'x') {
        base = 16;
        s += 2;
    }
    const char *digits = s;
    p->number = 0;
    p->too_large = false;
    for (; cts_digit(*s) < base; s++) {
        p->too_large |= __builtin_mul_overflow(p->number, (uint64_t)base, &p->number);
        p->too_large |= __builtin_add_overflow(p->number, (uint64_t)cts_digit(*s), &p->number);
    }
    p->token = s == digits ? T_BAD : T_NUMBER;
    while (is_letter(*s) || is_digit(*s)) {
        p->token = T_BAD;
        s++;
    }
    p->len = (unsigned)(s - at);
}

static unsigned sign_len(const char *at)
{
    static const char *const doubles[] = {"<<", ">>", "==", "!=", "<=", ">=", "&&", "||"};

    for (size_t i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++) {
        if (!strncmp(at, doubles[i], 2))
            return 2;
    }
    return strchr("+-*/%&|^~!<>=?:;,()[]{}", *at) ? 1 : 0;
}

static void next(struct parser *p)
{
    const char *text = p->sema->text;
    unsigned at = p->pos + p->len;

    while (is_space(text[at]))
        at++;
    p->pos = at;
    p->len = 0;
    if (!text[at]) {
        p->token = T_END;
    } else if (is_digit(text[at])) {
        scan_number(p, text + at);
    } else if (is_letter(text[at])) {
        p->token = T_NAME;
        while (is_letter(text[at + p->len]) || is_digit(text[at + p->len]))
            p->len++;
    } else {
        p->len = sign_len(text + at);
        p->token = p->len ? T_SIGN : T_BAD;
        p->len += !p->len;
    }
}

static bool is_at(const struct parser *p, const char *word)
{
    size_t len = strlen(word);

    return (p->token == T_SIGN || p->token == T_NAME) && p->len == len &&
           !strncmp(p->sema->text + p->pos, word, len);
}

static bool take(struct parser *p, const char *word)
{
    bool found = is_at(p, word);

    if (found)
        next(p);
    return found;
}

/* "'x'" or "the end", for messages. */
static const char *here(const struct parser *p, char *buf, size_t cap)
{
    struct cts_buf text;

    cts_buf_init(&text, 256);
    if (p->token == T_END)
        cts_buf_adds(&text, "the end");
    else
        cts_buf_addf(&text, "'%.*s'", (int)(p->len > 40 ? 40 : p->len), p->sema->text + p->pos);
    size_t len = text.len < cap - 1 ? text.len : cap - 1;
    memcpy(buf, cts_buf_text(&text), len);
    buf[len] = 0;
    cts_buf_release(&text);
    return buf;
}

static int wanted(struct parser *p, const char *what)
{
    char buf[64];

    return cts_sema_error(p->sema, p->pos, CTS_E_SYNTAX, p->err, "expected %s, found %s", what,
                          here(p, buf, sizeof(buf)));
}

static int want(struct parser *p, const char *sign)
{
    char what[16] = "'";

    if (take(p, sign))
        return 0;
    strncat(what, sign, 8);
    strncat(what, "'", 2);
    return wanted(p, what);
}

static int no_memory(struct parser *p)
{
    return cts_err_set(p->err, CTS_E_NOMEM, "out of memory");
}

/* --- names --------------------------------------------------------------------------------- */

static bool find_operand(const struct parser *p, enum cts_sema_operand *out)
{
    for (enum cts_sema_operand o = 0; o < CTS_O_COUNT; o++) {
        if (is_at(p, cts_sema_operand_name(o))) {
            *out = o;
            return true;
        }
    }
    return false;
}

static bool find_func(const struct parser *p, enum cts_sema_func *out)
{
    for (enum cts_sema_func f = 0; f < CTS_FN_COUNT; f++) {
        if (is_at(p, cts_sema_func_name(f))) {
            *out = f;
            return true;
        }
    }
    return false;
}

/* An operator that is written like a function. */
static bool find_named_op(const struct parser *p, enum cts_sema_op *out)
{
    for (enum cts_sema_op op = 0; op < CTS_OP_COUNT; op++) {
        if (cts_sema_op_is_named(op) && is_at(p, cts_sema_op_text(op))) {
            *out = op;
            return true;
        }
    }
    return false;
}

static bool find_type(const struct parser *p, enum cts_sema_type *out)
{
    for (enum cts_sema_type t = CTS_T_U8; t < CTS_T_COUNT; t++) {
        if (is_at(p, cts_sema_type_name(t))) {
            *out = t;
            return true;
        }
    }
    return false;
}

static bool find_mem(const struct parser *p, unsigned *bits)
{
    static const struct {
        const char *name;
        unsigned bits;
    } mems[] = {{"mem8", 8}, {"mem16", 16}, {"mem32", 32}, {"mem64", 64}};

    for (size_t i = 0; i < sizeof(mems) / sizeof(mems[0]); i++) {
        if (is_at(p, mems[i].name)) {
            *bits = mems[i].bits;
            return true;
        }
    }
    return false;
}

static bool find_local(const struct parser *p, unsigned *number)
{
    for (unsigned i = 0; i < p->sema->locals; i++) {
        if (!p->hidden[i] && is_at(p, p->local[i])) {
            *number = i;
            return true;
        }
    }
    return false;
}

static bool is_reserved(const struct parser *p)
{
    enum cts_sema_operand o;
    enum cts_sema_func f;
    enum cts_sema_type t;
    enum cts_sema_op op;
    unsigned bits;

    for (size_t i = 0; i < sizeof(KEYWORDS) / sizeof(KEYWORDS[0]); i++) {
        if (is_at(p, KEYWORDS[i]))
            return true;
    }
    return find_operand(p, &o) || find_func(p, &f) || find_named_op(p, &op) || find_type(p, &t) ||
           find_mem(p, &bits);
}

/* What an unknown name may have been meant to be. */
static int unknown_name(struct parser *p)
{
    const char *words[NAMES_MAX];
    char name[48], buf[64];
    size_t count = 0;

    for (unsigned o = 0; o < CTS_O_COUNT; o++)
        words[count++] = cts_sema_operand_name((enum cts_sema_operand)o);
    for (unsigned f = 0; f < CTS_FN_COUNT; f++)
        words[count++] = cts_sema_func_name((enum cts_sema_func)f);
    for (unsigned op = 0; op < CTS_OP_COUNT; op++) {
        if (cts_sema_op_is_named((enum cts_sema_op)op))
            words[count++] = cts_sema_op_text((enum cts_sema_op)op);
    }
    for (unsigned t = CTS_T_U8; t < CTS_T_COUNT; t++)
        words[count++] = cts_sema_type_name((enum cts_sema_type)t);
    for (unsigned i = 0; i < p->sema->locals; i++) {
        if (!p->hidden[i])
            words[count++] = p->local[i];
    }
    size_t len = p->len < sizeof(name) ? p->len : sizeof(name) - 1;
    memcpy(name, p->sema->text + p->pos, len);
    name[len] = 0;
    const char *near = cts_nearest(name, words, count);
    return cts_sema_error(p->sema, p->pos, CTS_E_SYNTAX, p->err, "unknown name %s%s%s%s",
                          here(p, buf, sizeof(buf)), near ? "; did you mean '" : "",
                          near ? near : "", near ? "'?" : "");
}

/* --- expressions --------------------------------------------------------------------------- */

static int parse_expr(struct parser *p, struct cts_expr **out);
static int parse_unary(struct parser *p, struct cts_expr **out);

static int too_deep(struct parser *p, unsigned pos)
{
    return cts_sema_error(p->sema, pos, CTS_E_LIMIT, p->err, "nested too deeply");
}

static int enter(struct parser *p)
{
    return ++p->depth > CTS_SEMA_DEPTH_MAX ? too_deep(p, p->pos) : 0;
}

/* An expression that starts at the token at hand. */
static int new_expr(struct parser *p, enum cts_expr_kind kind, struct cts_expr **out)
{
    *out = cts_arena_take(p->arena, sizeof(**out));
    if (!*out)
        return no_memory(p);
    (*out)->kind = kind;
    (*out)->pos = p->pos;
    (*out)->len = p->len;
    return 0;
}

static int parse_number(struct parser *p, struct cts_expr **out)
{
    if (p->too_large)
        return cts_sema_error(p->sema, p->pos, CTS_E_RANGE, p->err, "a number above 2^64-1");
    int rc = new_expr(p, CTS_X_LITERAL, out);
    if (rc)
        return rc;
    (*out)->value = p->number;
    next(p);
    return 0;
}

/* NAME open argument close */
static int parse_argument(struct parser *p, struct cts_expr *x, const char *open, const char *close)
{
    next(p);
    int rc = want(p, open);
    if (!rc)
        rc = parse_expr(p, &x->child[0]);
    return rc ? rc : want(p, close);
}

/* NAME ( first , second ) */
static int parse_pair(struct parser *p, struct cts_expr *x)
{
    next(p);
    int rc = want(p, "(");
    if (!rc)
        rc = parse_expr(p, &x->child[0]);
    if (!rc)
        rc = want(p, ",");
    if (!rc)
        rc = parse_expr(p, &x->child[1]);
    return rc ? rc : want(p, ")");
}

static int parse_name(struct parser *p, struct cts_expr **out)
{
    int rc = new_expr(p, CTS_X_OPERAND, out);
    if (rc)
        return rc;
    struct cts_expr *x = *out;

    if (find_operand(p, &x->operand)) {
        next(p);
        return 0;
    }
    if (find_local(p, &x->local)) {
        x->kind = CTS_X_LOCAL;
        x->name = p->local[x->local];
        next(p);
        return 0;
    }
    if (take(p, "choose")) {
        x->kind = CTS_X_CHOOSE;
        return 0;
    }
    if (find_type(p, &x->to)) {
        x->kind = CTS_X_CONVERT;
        return parse_argument(p, x, "(", ")");
    }
    if (find_func(p, &x->func)) {
        x->kind = CTS_X_CALL;
        return parse_argument(p, x, "(", ")");
    }
    if (find_named_op(p, &x->op)) {
        x->kind = CTS_X_BINARY;
        return parse_pair(p, x);
    }
    if (find_mem(p, &x->bits)) {
        x->kind = CTS_X_MEM;
        return parse_argument(p, x, "[", "]");
    }
    return unknown_name(p);
}

static int parse_primary(struct parser *p, struct cts_expr **out)
{
    if (p->token == T_NUMBER)
        return parse_number(p, out);
    if (p->token == T_NAME)
        return parse_name(p, out);
    if (!take(p, "("))
        return wanted(p, "a value");
    int rc = parse_expr(p, out);
    return rc ? rc : want(p, ")");
}

static bool unary_op(const struct parser *p, enum cts_sema_op *op)
{
    for (*op = CTS_OP_NEG; *op <= CTS_OP_NOT; (*op)++) {
        if (is_at(p, cts_sema_op_text(*op)))
            return true;
    }
    return false;
}

static int parse_unary(struct parser *p, struct cts_expr **out)
{
    enum cts_sema_op op;

    if (!unary_op(p, &op))
        return parse_primary(p, out);
    int rc = enter(p);
    if (!rc)
        rc = new_expr(p, CTS_X_UNARY, out);
    if (rc)
        return rc;
    (*out)->op = op;
    next(p);
    rc = parse_unary(p, &(*out)->child[0]);
    p->depth--;
    return rc;
}

static bool binary_op(const struct parser *p, unsigned level, enum cts_sema_op *op)
{
    for (*op = CTS_OP_ADD; *op < CTS_OP_COUNT; (*op)++) {
        if (cts_sema_op_level(*op) >= level && is_at(p, cts_sema_op_text(*op)))
            return true;
    }
    return false;
}

/* Operators that bind at least as tightly as `level`, all from left to right. */
static int parse_binary(struct parser *p, unsigned level, struct cts_expr **out)
{
    enum cts_sema_op op;
    int rc = parse_unary(p, out);

    while (!rc && binary_op(p, level, &op)) {
        struct cts_expr *x;
        rc = new_expr(p, CTS_X_BINARY, &x);
        if (rc)
            break;
        next(p);
        x->op = op;
        x->child[0] = *out;
        *out = x;
        rc = parse_binary(p, cts_sema_op_level(op) + 1, &x->child[1]);
    }
    return rc;
}

static int parse_expr(struct parser *p, struct cts_expr **out)
{
    int rc = enter(p);
    if (!rc)
        rc = parse_binary(p, 1, out);
    if (rc)
        return rc;
    if (is_at(p, "?")) {
        struct cts_expr *x;
        rc = new_expr(p, CTS_X_COND, &x);
        if (rc)
            return rc;
        next(p);
        x->child[0] = *out;
        *out = x;
        rc = parse_expr(p, &x->child[1]);
        if (!rc)
            rc = want(p, ":");
        if (!rc)
            rc = parse_expr(p, &x->child[2]);
    }
    /* Printing sets parentheses that the text may do without. */
    if (!rc && p->depth + cts_expr_depth(*out) > CTS_SEMA_DEPTH_MAX)
        rc = too_deep(p, (*out)->pos);
    p->depth--;
    return rc;
}

/* --- statements ---------------------------------------------------------------------------- */

static int parse_block(struct parser *p, struct cts_stmt **out);

static int parse_let(struct parser *p, struct cts_stmt *s)
{
    unsigned n = p->sema->locals;

    s->kind = CTS_S_LET;
    next(p);
    if (p->token != T_NAME)
        return wanted(p, "a name");
    if (is_reserved(p))
        return wanted(p, "a name that is not taken by the language");
    for (unsigned i = 0; i < n; i++) {
        if (is_at(p, p->local[i]))
            return cts_sema_error(p->sema, p->pos, CTS_E_SYNTAX, p->err, "duplicate name '%s'",
                                  p->local[i]);
    }
    if (n == CTS_SEMA_LOCALS_MAX)
        return cts_sema_error(p->sema, p->pos, CTS_E_LIMIT, p->err, "too many names");
    s->name = cts_arena_strndup(p->arena, p->sema->text + p->pos, p->len);
    if (!s->name)
        return no_memory(p);
    s->local = n;
    next(p);
    int rc = want(p, "=");
    if (!rc)
        rc = parse_expr(p, &s->value);
    /* Only now, so that a name cannot be used in its own value. */
    p->local[n] = s->name;
    p->sema->locals = n + 1;
    return rc;
}

static int parse_if(struct parser *p, struct cts_stmt *s)
{
    next(p);
    int rc = want(p, "(");
    if (!rc)
        rc = parse_expr(p, &s->cond);
    if (!rc)
        rc = want(p, ")");
    if (!rc)
        rc = want(p, "goto");
    s->kind = CTS_S_GOTO;
    return rc ? rc : parse_expr(p, &s->value);
}

static int parse_call(struct parser *p, struct cts_stmt *s)
{
    s->kind = CTS_S_CALL;
    next(p);
    for (s->call = 0; s->call < CTS_CALL_COUNT; s->call++) {
        if (take(p, cts_sema_call_name(s->call)))
            break;
    }
    if (s->call == CTS_CALL_COUNT)
        return wanted(p, "'helper', 'local' or 'btf'");
    int rc = want(p, "(");
    if (!rc)
        rc = parse_expr(p, &s->value);
    return rc ? rc : want(p, ")");
}

static int parse_atomic(struct parser *p, struct cts_stmt *s)
{
    unsigned first = p->sema->locals;

    s->kind = CTS_S_ATOMIC;
    next(p);
    for (unsigned o = CTS_MO_ACQUIRE; !s->order && o < CTS_MO_COUNT; o++) {
        if (take(p, cts_sema_order_name((enum cts_sema_memory_order)o)))
            s->order = (enum cts_sema_memory_order)o;
    }
    int rc = want(p, "{");
    if (!rc)
        rc = enter(p);
    if (!rc)
        rc = parse_block(p, &s->body);
    p->depth--;
    for (unsigned i = first; i < p->sema->locals; i++)
        p->hidden[i] = true;
    return rc ? rc : want(p, "}");
}

static int parse_assign(struct parser *p, struct cts_stmt *s)
{
    s->kind = CTS_S_ASSIGN;
    if (p->token != T_NAME)
        return wanted(p, "a statement");
    int rc = parse_name(p, &s->target);
    if (rc)
        return rc;
    const struct cts_expr *t = s->target;
    bool writable = t->kind == CTS_X_MEM || (t->kind == CTS_X_OPERAND && t->operand <= CTS_O_R0);
    if (!writable)
        return cts_sema_error(p->sema, t->pos, CTS_E_SYNTAX, p->err,
                              "only dst, src, r0 and memory can be assigned");
    rc = want(p, "=");
    return rc ? rc : parse_expr(p, &s->value);
}

static int parse_stmt(struct parser *p, struct cts_stmt **out)
{
    struct cts_stmt *s = *out = cts_arena_take(p->arena, sizeof(*s));

    if (!s)
        return no_memory(p);
    s->pos = p->pos;
    if (is_at(p, "let"))
        return parse_let(p, s);
    if (is_at(p, "if"))
        return parse_if(p, s);
    if (is_at(p, "call"))
        return parse_call(p, s);
    if (is_at(p, "atomic"))
        return parse_atomic(p, s);
    if (take(p, "goto")) {
        s->kind = CTS_S_GOTO;
        return parse_expr(p, &s->value);
    }
    if (take(p, "exit")) {
        s->kind = CTS_S_EXIT;
        return 0;
    }
    return parse_assign(p, s);
}

/* Statements up to the end or a closing brace; a last semicolon may be left out. */
static int parse_block(struct parser *p, struct cts_stmt **out)
{
    for (;;) {
        int rc = parse_stmt(p, out);
        if (rc)
            return rc;
        out = &(*out)->next;
        bool more = take(p, ";");
        if (p->token == T_END || is_at(p, "}"))
            return 0;
        if (!more)
            return wanted(p, "';'");
    }
}

/* A parser at the first token of `text`. */
static int begin(struct parser *p, const char *text, const struct cts_sema_place *place)
{
    p->sema = cts_arena_take(p->arena, sizeof(*p->sema));
    if (!p->sema)
        return no_memory(p);
    p->sema->place = *place;
    if (strnlen(text, CTS_SEMA_TEXT_MAX + 1) > CTS_SEMA_TEXT_MAX)
        return cts_sema_error(p->sema, 0, CTS_E_LIMIT, p->err, "longer than %d bytes",
                              CTS_SEMA_TEXT_MAX);
    p->sema->text = cts_arena_strdup(p->arena, text);
    if (!p->sema->text)
        return no_memory(p);
    next(p);
    return 0;
}

int cts_sema_parse(const char *text, const struct cts_sema_place *place, struct cts_arena *arena,
                   struct cts_sema **out, struct cts_err *err)
{
    struct parser p = {.arena = arena, .err = err};
    int rc = begin(&p, text, place);

    *out = NULL;
    if (!rc)
        rc = parse_block(&p, &p.sema->body);
    if (!rc && p.token != T_END)
        rc = wanted(&p, "the end");
    if (!rc)
        *out = p.sema;
    return rc;
}

int cts_sema_parse_condition(const char *text, const struct cts_sema_place *place,
                             struct cts_arena *arena, struct cts_sema **sema, struct cts_expr **out,
                             struct cts_err *err)
{
    struct parser p = {.arena = arena, .err = err};
    int rc = begin(&p, text, place);

    *out = NULL;
    if (!rc)
        rc = parse_expr(&p, out);
    if (!rc && p.token != T_END)
        rc = wanted(&p, "the end");
    *sema = p.sema;
    return rc;
}
