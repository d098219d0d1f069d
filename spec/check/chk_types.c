/* The types of `does`, once more and by other rules than the loader's: operators and their operands
 * agree, and widths are those that the opcode says (RFC 9669 sections 4.1, 4.3, 5). */
#include <stdio.h>
#include <stdlib.h>

#include "sema/sema.h"
#include "spec_check/check.h"

enum { ALU = 4, JMP = 5, JMP32 = 6, ALU64 = 7, CODE_END = 0xd, CODE_MOV = 0xb };

struct walk {
    struct cts_check_run *run;
    const struct cts_spec_insn *row;
    unsigned width; /* of the operands, by the opcode; 0: it says nothing */
    unsigned sext;  /* the bits that a sign-extending move takes; 0: the row is none */
    unsigned size;  /* of a memory access, by the opcode; 0: it is no such instruction */
    size_t exprs, stmts;
};

static const struct cts_yaml *does_of(const struct walk *w)
{
    return cts_yaml_get(w->row->node, "does");
}

#define FAULT(w, ...) cts_check_fault_at((w)->run, does_of(w), __VA_ARGS__)

/* --- what the opcode says ------------------------------------------------------------------ */

static void read_opcode(struct walk *w)
{
    static const unsigned size[] = {32, 16, 8, 64};
    const struct cts_spec_enc *enc = w->row->enc;
    int opcode = enc[CTS_SF_OPCODE].value, class = opcode & 7, code = opcode >> 4;
    bool rfc = w->row->origin == CTS_ORIGIN_RFC;

    if (class < ALU)
        w->size = size[opcode >> 3 & 3];
    else if (rfc && code != CODE_END)
        w->width = class == ALU || class == JMP32 ? 32 : 64;
    if (rfc && (class == ALU || class == ALU64) && code == CODE_MOV)
        w->sext = (unsigned)enc[CTS_SF_OFF].value;
}

/* --- widths -------------------------------------------------------------------------------- */

/* How dst and src may be read: narrowed in a 32-bit instruction and not in a 64-bit one. */
static void check_read(struct walk *w, const struct cts_expr *e, const struct cts_expr *parent)
{
    bool is_register = e->operand == CTS_O_DST || e->operand == CTS_O_SRC;
    bool narrowed = parent && parent->kind == CTS_X_CONVERT && cts_sema_type_bits(parent->to) < 64;
    const char *name = cts_sema_operand_name(e->operand);

    if (!is_register || !w->width)
        return;
    if (w->sext) {
        if (!narrowed || parent->to != cts_sema_type_of(w->sext, true))
            FAULT(w, "%s: %s is not taken as s%u", w->row->id, name, w->sext);
    } else if (narrowed != (w->width == 32)) {
        FAULT(w, "%s: %s is read with %s bits in a %u-bit instruction", w->row->id, name,
              narrowed ? "fewer than 64" : "64", w->width);
    } else if (narrowed && cts_sema_type_bits(parent->to) != 32) {
        FAULT(w, "%s: %s is read with fewer than 32 bits", w->row->id, name);
    }
}

static bool is_arithmetic(enum cts_sema_op op)
{
    return op >= CTS_OP_ADD && op <= CTS_OP_SHR;
}

static void check_shift(struct walk *w, const struct cts_expr *count)
{
    const struct cts_expr *mask =
        count->kind == CTS_X_BINARY && count->op == CTS_OP_AND ? count->child[1] : NULL;

    if (!mask || mask->kind != CTS_X_LITERAL || mask->value != w->width - 1)
        FAULT(w, "%s: the shift count is not masked with %u", w->row->id, w->width - 1);
}

static void check_width(struct walk *w, const struct cts_expr *e)
{
    int class = w->row->enc[CTS_SF_OPCODE].value & 7;
    bool target = class == ALU || class == ALU64;

    if (!w->width || !target || w->sext || e->kind != CTS_X_BINARY || !is_arithmetic(e->op))
        return;
    if (cts_sema_type_bits(e->type) != w->width)
        FAULT(w, "%s: '%s' with %u bits in a %u-bit instruction", w->row->id,
              cts_sema_op_text(e->op), cts_sema_type_bits(e->type), w->width);
    if (e->op == CTS_OP_SHL || e->op == CTS_OP_SHR)
        check_shift(w, e->child[1]);
}

/* Are the bits above 32 zero, visibly? */
static bool is_zero_extended(const struct cts_expr *e)
{
    if (e->kind == CTS_X_COND)
        return is_zero_extended(e->child[1]) && is_zero_extended(e->child[2]);
    if (e->kind == CTS_X_LITERAL)
        return e->value <= UINT32_MAX;
    if (e->kind != CTS_X_CONVERT)
        return false;
    enum cts_sema_type from = e->child[0]->type;
    return cts_sema_type_bits(from) <= 32 && !cts_sema_type_is_signed(from);
}

/* --- types --------------------------------------------------------------------------------- */

static bool is_shift(enum cts_sema_op op)
{
    return op == CTS_OP_SHL || op == CTS_OP_SHR;
}

static bool binary_agrees(const struct cts_expr *e)
{
    enum cts_sema_type a = e->child[0]->type, b = e->child[1]->type;

    if (e->op == CTS_OP_ANDALSO || e->op == CTS_OP_ORELSE)
        return a == CTS_T_BOOL && b == CTS_T_BOOL && e->type == CTS_T_BOOL;
    if (is_shift(e->op))
        return e->type == a && b == cts_sema_type_of(cts_sema_type_bits(a), false);
    if (is_arithmetic(e->op))
        return a == b && e->type == a && a != CTS_T_BOOL;
    return a == b && e->type == CTS_T_BOOL && a != CTS_T_BOOL;
}

static bool unary_agrees(const struct cts_expr *e)
{
    bool truth = e->op == CTS_OP_NOT;
    return e->type == e->child[0]->type && truth == (e->type == CTS_T_BOOL);
}

static bool type_agrees(const struct cts_expr *e)
{
    switch (e->kind) {
    case CTS_X_LITERAL:
    case CTS_X_LOCAL:
        return e->type != CTS_T_BOOL;
    case CTS_X_OPERAND:
        return e->type == cts_sema_operand_type(e->operand);
    case CTS_X_MEM:
        return e->type == cts_sema_type_of(e->bits, false) && e->child[0]->type == CTS_T_U64;
    case CTS_X_CONVERT:
        return e->type == e->to && e->child[0]->type != CTS_T_BOOL;
    case CTS_X_UNARY:
        return unary_agrees(e);
    case CTS_X_BINARY:
        return binary_agrees(e);
    case CTS_X_COND:
        return e->child[0]->type == CTS_T_BOOL && e->child[1]->type == e->type &&
               e->child[2]->type == e->type;
    case CTS_X_CALL:
        return e->type == cts_sema_func_result(e->func) &&
               e->child[0]->type == cts_sema_func_arg(e->func);
    case CTS_X_CHOOSE:
        return e->type == CTS_T_BOOL;
    }
    return false;
}

static void walk_expr(struct walk *w, const struct cts_expr *e, const struct cts_expr *parent)
{
    w->exprs++;
    if (e->type <= CTS_T_NONE || e->type >= CTS_T_COUNT || !type_agrees(e))
        FAULT(w, "%s: an expression of type %s does not agree with its parts", w->row->id,
              cts_sema_type_name(e->type));
    if (e->kind == CTS_X_OPERAND)
        check_read(w, e, parent);
    if (e->kind == CTS_X_MEM && w->size && e->bits != w->size)
        FAULT(w, "%s: mem%u, but the opcode says %u bits", w->row->id, e->bits, w->size);
    check_width(w, e);
    for (size_t k = 0; k < 3 && e->child[k]; k++)
        walk_expr(w, e->child[k], e);
}

static void walk_stmt(struct walk *w, const struct cts_stmt *s)
{
    bool assigns = s->kind == CTS_S_ASSIGN;

    w->stmts++;
    if (assigns && s->target->type != s->value->type)
        FAULT(w, "%s: a value of type %s for a target of type %s", w->row->id,
              cts_sema_type_name(s->value->type), cts_sema_type_name(s->target->type));
    if (assigns && w->width == 32 && !is_zero_extended(s->value))
        FAULT(w, "%s: the upper half of the result is not visibly zero", w->row->id);
    if (assigns && s->target->kind == CTS_X_MEM)
        walk_expr(w, s->target, NULL);
    else if (assigns)
        w->exprs++;
    if (s->cond) {
        walk_expr(w, s->cond, NULL);
        if (s->cond->type != CTS_T_BOOL)
            FAULT(w, "%s: a condition of type %s", w->row->id, cts_sema_type_name(s->cond->type));
    }
    if (s->value)
        walk_expr(w, s->value, NULL);
    for (const struct cts_stmt *b = s->body; b; b = b->next)
        walk_stmt(w, b);
}

static void run_types(struct cts_check_run *run)
{
    size_t exprs = 0, stmts = 0;

    for (size_t i = 0; i < run->spec->row_count; i++) {
        struct walk w = {.run = run, .row = &run->spec->rows[i]};
        if (w.row->slot)
            continue;
        read_opcode(&w);
        for (const struct cts_stmt *s = w.row->sema->body; s; s = s->next)
            walk_stmt(&w, s);
        exprs += w.exprs;
        stmts += w.stmts;
    }
    run->looked = exprs;
    snprintf(run->more, sizeof(run->more), "in %zu statements", stmts);
}

const struct cts_check cts_check_types = {
    .name = "types",
    .what = "the types of `does` agree, and its widths are those of the opcode",
    .unit = "expressions",
    .run = run_types,
};
