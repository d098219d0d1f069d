/* The tree: walked, copied, compared, and asked what it does. */
#include "sema/sema.h"

/* --- walking ------------------------------------------------------------------------------- */

static int visit_expr(struct cts_expr **slot, cts_expr_visitor fn, void *arg)
{
    if (!*slot)
        return 0;
    int rc = fn(arg, slot);
    for (size_t i = 0; !rc && *slot && i < 3; i++)
        rc = visit_expr(&(*slot)->child[i], fn, arg);
    return rc;
}

static int visit_exprs(struct cts_stmt *s, cts_expr_visitor fn, void *arg)
{
    int rc = 0;

    for (; !rc && s; s = s->next) {
        rc = visit_expr(&s->cond, fn, arg);
        if (!rc)
            rc = visit_expr(&s->target, fn, arg);
        if (!rc)
            rc = visit_expr(&s->value, fn, arg);
        if (!rc)
            rc = visit_exprs(s->body, fn, arg);
    }
    return rc;
}

int cts_sema_visit(struct cts_sema *sema, cts_expr_visitor fn, void *arg)
{
    return visit_exprs(sema->body, fn, arg);
}

static int visit_stmts(struct cts_stmt **slot, cts_stmt_visitor fn, void *arg)
{
    int rc = 0;

    for (; !rc && *slot; slot = &(*slot)->next) {
        rc = fn(arg, slot);
        if (!*slot)
            return rc;
        if (!rc)
            rc = visit_stmts(&(*slot)->body, fn, arg);
    }
    return rc;
}

int cts_sema_visit_stmts(struct cts_sema *sema, cts_stmt_visitor fn, void *arg)
{
    return visit_stmts(&sema->body, fn, arg);
}

/* --- copies -------------------------------------------------------------------------------- */

static struct cts_expr *clone_expr(const struct cts_expr *x, struct cts_arena *arena, bool *failed)
{
    if (!x)
        return NULL;
    struct cts_expr *copy = cts_arena_take(arena, sizeof(*copy));
    if (!copy) {
        *failed = true;
        return NULL;
    }
    *copy = *x;
    if (x->name)
        copy->name = cts_arena_strdup(arena, x->name);
    *failed |= x->name && !copy->name;
    for (size_t i = 0; i < 3; i++)
        copy->child[i] = clone_expr(x->child[i], arena, failed);
    return copy;
}

static struct cts_stmt *clone_stmts(const struct cts_stmt *s, struct cts_arena *arena, bool *failed)
{
    struct cts_stmt *first = NULL, **end = &first;

    for (; s; s = s->next) {
        struct cts_stmt *copy = cts_arena_take(arena, sizeof(*copy));
        if (!copy) {
            *failed = true;
            return first;
        }
        *copy = *s;
        copy->next = NULL;
        if (s->name)
            copy->name = cts_arena_strdup(arena, s->name);
        *failed |= s->name && !copy->name;
        copy->cond = clone_expr(s->cond, arena, failed);
        copy->target = clone_expr(s->target, arena, failed);
        copy->value = clone_expr(s->value, arena, failed);
        copy->body = clone_stmts(s->body, arena, failed);
        *end = copy;
        end = &copy->next;
    }
    return first;
}

struct cts_sema *cts_sema_clone(const struct cts_sema *sema, struct cts_arena *arena)
{
    struct cts_sema *copy = cts_arena_take(arena, sizeof(*copy));
    bool failed = !copy;

    if (failed)
        return NULL;
    *copy = *sema;
    if (sema->text)
        copy->text = cts_arena_strdup(arena, sema->text);
    if (sema->place.file)
        copy->place.file = cts_arena_strdup(arena, sema->place.file);
    failed = (sema->text && !copy->text) || (sema->place.file && !copy->place.file);
    copy->body = clone_stmts(sema->body, arena, &failed);
    return failed ? NULL : copy;
}

/* --- questions ----------------------------------------------------------------------------- */

bool cts_expr_equal(const struct cts_expr *a, const struct cts_expr *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind)
        return false;
    bool same = false;
    switch (a->kind) {
    case CTS_X_LITERAL:
        same = a->value == b->value;
        break;
    case CTS_X_OPERAND:
        same = a->operand == b->operand;
        break;
    case CTS_X_LOCAL:
        same = a->local == b->local;
        break;
    case CTS_X_MEM:
        same = a->bits == b->bits;
        break;
    case CTS_X_CONVERT:
        same = a->to == b->to;
        break;
    case CTS_X_UNARY:
    case CTS_X_BINARY:
        same = a->op == b->op;
        break;
    case CTS_X_COND:
        same = true;
        break;
    case CTS_X_CHOOSE: /* two choices are not one */
        break;
    case CTS_X_CALL:
        same = a->func == b->func;
        break;
    }
    for (size_t i = 0; same && i < 3; i++)
        same = cts_expr_equal(a->child[i], b->child[i]);
    return same;
}

bool cts_expr_is_masked(const struct cts_expr *count, unsigned bits)
{
    if (count->kind == CTS_X_LITERAL)
        return count->value < bits;
    if (count->kind != CTS_X_BINARY || count->op != CTS_OP_AND)
        return false;
    for (size_t i = 0; i < 2; i++) {
        if (count->child[i]->kind == CTS_X_LITERAL && count->child[i]->value < bits)
            return true;
    }
    return false;
}

static unsigned expr_uses(const struct cts_expr *x)
{
    if (!x)
        return 0;
    unsigned uses = 0;
    if (x->kind == CTS_X_MEM)
        uses |= CTS_USES_LOAD;
    if (x->kind == CTS_X_CHOOSE)
        uses |= CTS_USES_CHOOSE;
    if (x->kind == CTS_X_CALL && x->func >= CTS_FN_MAP_BY_FD)
        uses |= CTS_USES_PLATFORM;
    if (x->kind == CTS_X_CALL && x->func >= CTS_FN_LE16 && x->func <= CTS_FN_BE64)
        uses |= CTS_USES_ORDER;
    for (size_t i = 0; i < 3; i++)
        uses |= expr_uses(x->child[i]);
    return uses;
}

static unsigned stmt_uses(const struct cts_stmt *s)
{
    unsigned uses = expr_uses(s->cond) | expr_uses(s->value);

    switch (s->kind) {
    case CTS_S_ASSIGN:
        if (s->target->kind == CTS_X_MEM)
            uses |= CTS_USES_STORE | expr_uses(s->target->child[0]);
        break;
    case CTS_S_LET:
        break;
    case CTS_S_GOTO:
    case CTS_S_EXIT:
        uses |= CTS_USES_JUMP;
        break;
    case CTS_S_CALL:
        uses |= CTS_USES_CALL | (s->call == CTS_CALL_LOCAL ? CTS_USES_JUMP : CTS_USES_PLATFORM);
        break;
    case CTS_S_ATOMIC:
        uses |= CTS_USES_ATOMIC;
        break;
    }
    return uses;
}

static unsigned stmts_uses(const struct cts_stmt *s)
{
    unsigned uses = 0;

    for (; s; s = s->next)
        uses |= stmt_uses(s) | stmts_uses(s->body);
    return uses;
}

unsigned cts_sema_uses(const struct cts_sema *sema)
{
    return stmts_uses(sema->body);
}

static bool expr_reads(const struct cts_expr *x, enum cts_sema_operand o)
{
    if (!x)
        return false;
    if (x->kind == CTS_X_OPERAND && x->operand == o)
        return true;
    return expr_reads(x->child[0], o) || expr_reads(x->child[1], o) || expr_reads(x->child[2], o);
}

static bool is_register_target(const struct cts_stmt *s)
{
    return s->kind == CTS_S_ASSIGN && s->target->kind == CTS_X_OPERAND;
}

static bool stmts_read(const struct cts_stmt *s, enum cts_sema_operand o)
{
    for (; s; s = s->next) {
        if (expr_reads(s->cond, o) || expr_reads(s->value, o) || stmts_read(s->body, o))
            return true;
        if (s->target && !is_register_target(s) && expr_reads(s->target, o))
            return true;
    }
    return false;
}

static bool stmts_write(const struct cts_stmt *s, enum cts_sema_operand o)
{
    for (; s; s = s->next) {
        if ((is_register_target(s) && s->target->operand == o) || stmts_write(s->body, o))
            return true;
    }
    return false;
}

bool cts_sema_reads(const struct cts_sema *sema, enum cts_sema_operand o)
{
    return stmts_read(sema->body, o);
}

bool cts_sema_writes(const struct cts_sema *sema, enum cts_sema_operand o)
{
    return stmts_write(sema->body, o);
}
