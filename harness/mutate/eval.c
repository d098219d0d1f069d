#include "mutate/eval.h"

#include "generated/isa_sem.h"

/* Values are kept in 64 bits: extended by the sign of their type, truth values as 0 and 1. */
struct eval {
    struct cts_mach *m;
    const struct cts_insn *in;
    uint64_t local[CTS_SEMA_LOCALS_MAX];
    uint64_t nowhere; /* a register that the machine does not have, like the base of arguments */
};

static uint64_t eval(struct eval *e, const struct cts_expr *x);

static uint64_t fit(enum cts_sema_type type, uint64_t v)
{
    unsigned bits = cts_sema_type_bits(type);
    if (bits == 64 || bits <= 1)
        return v;
    v <<= 64 - bits;
    return cts_sema_type_is_signed(type) ? (uint64_t)((int64_t)v >> (64 - bits)) : v >> (64 - bits);
}

static uint64_t *reg(struct eval *e, uint8_t number)
{
    return number < CTS_REG_COUNT ? &e->m->r[number] : &e->nowhere;
}

static uint64_t *reg_of(struct eval *e, enum cts_sema_operand o)
{
    switch (o) {
    case CTS_O_DST:
        return reg(e, e->in->dst);
    case CTS_O_SRC:
        return reg(e, e->in->src);
    case CTS_O_R0:
        return &e->m->r[0];
    case CTS_O_IMM:
    case CTS_O_NEXT_IMM:
    case CTS_O_OFF:
    case CTS_O_COUNT:
        break;
    }
    return NULL;
}

static uint64_t operand(struct eval *e, enum cts_sema_operand o)
{
    const uint64_t *from = reg_of(e, o);
    if (from)
        return *from;
    if (o == CTS_O_OFF)
        return (uint64_t)(int64_t)e->in->off;
    return (uint64_t)(int64_t)(o == CTS_O_IMM ? e->in->imm : e->in->next_imm);
}

static uint64_t shift(enum cts_sema_op op, enum cts_sema_type type, uint64_t a, uint64_t n)
{
    unsigned bits = cts_sema_type_bits(type);
    if (op == CTS_OP_SHL)
        return cts_sem_shl(a, n, bits);
    if (cts_sema_type_is_signed(type))
        return (uint64_t)cts_sem_sar((int64_t)a, n, bits);
    return cts_sem_shr(a, n, bits);
}

/* Sign extension makes the 64-bit operation right for narrower signed types, but for division by
 * zero of unsigned ones, which gives the ones of the width: `fit` sees to that. */
static uint64_t divide(enum cts_sema_op op, enum cts_sema_type type, uint64_t a, uint64_t b)
{
    bool is_signed = cts_sema_type_is_signed(type);
    if (op == CTS_OP_DIV)
        return is_signed ? (uint64_t)cts_sem_sdiv64((int64_t)a, (int64_t)b) : cts_sem_udiv64(a, b);
    return is_signed ? (uint64_t)cts_sem_smod64((int64_t)a, (int64_t)b) : cts_sem_umod64(a, b);
}

static bool less(enum cts_sema_type type, uint64_t a, uint64_t b)
{
    return cts_sema_type_is_signed(type) ? (int64_t)a < (int64_t)b : a < b;
}

static uint64_t binary(enum cts_sema_op op, enum cts_sema_type type, uint64_t a, uint64_t b)
{
    switch (op) {
    case CTS_OP_ADD:
        return a + b;
    case CTS_OP_SUB:
        return a - b;
    case CTS_OP_MUL:
        return a * b;
    case CTS_OP_MULHI:
        return cts_sema_type_is_signed(type)
                   ? (uint64_t)cts_sem_smulhi((int64_t)a, (int64_t)b, cts_sema_type_bits(type))
                   : cts_sem_umulhi(a, b, cts_sema_type_bits(type));
    case CTS_OP_DIV:
    case CTS_OP_MOD:
        return divide(op, type, a, b);
    case CTS_OP_AND:
        return a & b;
    case CTS_OP_OR:
        return a | b;
    case CTS_OP_XOR:
        return a ^ b;
    case CTS_OP_SHL:
    case CTS_OP_SHR:
        return shift(op, type, a, b);
    case CTS_OP_EQ:
        return a == b;
    case CTS_OP_NE:
        return a != b;
    case CTS_OP_LT:
        return less(type, a, b);
    case CTS_OP_LE:
        return !less(type, b, a);
    case CTS_OP_GT:
        return less(type, b, a);
    case CTS_OP_GE:
        return !less(type, a, b);
    case CTS_OP_NEG:
    case CTS_OP_INV:
    case CTS_OP_NOT:
    case CTS_OP_ANDALSO:
    case CTS_OP_ORELSE:
    case CTS_OP_COUNT:
        break;
    }
    return 0;
}

static uint64_t eval_binary(struct eval *e, const struct cts_expr *x)
{
    uint64_t a = eval(e, x->child[0]);
    if (x->op == CTS_OP_ANDALSO)
        return a && eval(e, x->child[1]);
    if (x->op == CTS_OP_ORELSE)
        return a || eval(e, x->child[1]);
    return fit(x->type, binary(x->op, x->child[0]->type, a, eval(e, x->child[1])));
}

static uint64_t eval_unary(struct eval *e, const struct cts_expr *x)
{
    uint64_t a = eval(e, x->child[0]);
    if (x->op == CTS_OP_NOT)
        return !a;
    return fit(x->type, x->op == CTS_OP_NEG ? -a : ~a);
}

/* Once something has faulted nothing more is asked of memory or platform. */
static bool stopped(const struct eval *e)
{
    return e->m->stop != CTS_MACH_RUNNING;
}

static uint64_t eval_mem(struct eval *e, const struct cts_expr *x)
{
    uint64_t at = eval(e, x->child[0]);
    return stopped(e) ? 0 : cts_mach_load(e->m, at, x->bits / 8);
}

static uint64_t platform(struct cts_mach *m, enum cts_sema_func func, uint64_t v)
{
    switch (func) {
    case CTS_FN_MAP_BY_FD:
        return cts_sem_map_by_fd(m, (int32_t)v);
    case CTS_FN_MAP_BY_IDX:
        return cts_sem_map_by_idx(m, (int32_t)v);
    case CTS_FN_MAP_VAL:
        return cts_sem_map_val(m, v);
    case CTS_FN_VAR_ADDR:
        return cts_sem_var_addr(m, (int32_t)v);
    case CTS_FN_CODE_ADDR:
        return cts_sem_code_addr(m, (int32_t)v);
    case CTS_FN_PACKET8:
        return cts_sem_packet8(m, v);
    case CTS_FN_PACKET16:
        return cts_sem_packet16(m, v);
    case CTS_FN_PACKET32:
        return cts_sem_packet32(m, v);
    case CTS_FN_SLOTS_TO:
        return (uint64_t)cts_sem_slots_to(m, v);
    case CTS_FN_ARG_IN:
        return cts_sem_arg_in(m, (int16_t)v);
    case CTS_FN_ARG_OUT:
        return cts_sem_arg_out(m, (int16_t)v);
    case CTS_FN_BSWAP16:
    case CTS_FN_BSWAP32:
    case CTS_FN_BSWAP64:
    case CTS_FN_LE16:
    case CTS_FN_LE32:
    case CTS_FN_LE64:
    case CTS_FN_BE16:
    case CTS_FN_BE32:
    case CTS_FN_BE64:
    case CTS_FN_FROM_ARENA: /* of rows that the reference machine does not run */
    case CTS_FN_TO_ARENA:
    case CTS_FN_MODULE_FUNC:
    case CTS_FN_COUNT:
        break;
    }
    return 0;
}

static uint64_t swap_bytes(enum cts_sema_type type, uint64_t v)
{
    return __builtin_bswap64(v) >> (64 - cts_sema_type_bits(type));
}

static uint64_t eval_call(struct eval *e, const struct cts_expr *x)
{
    uint64_t v = eval(e, x->child[0]);
    if (x->func >= CTS_FN_MAP_BY_FD)
        return stopped(e) ? 0 : platform(e->m, x->func, v);
    if (x->func <= CTS_FN_BSWAP64)
        return swap_bytes(x->type, v);
    bool little = x->func <= CTS_FN_LE64;
    return little == e->m->be ? swap_bytes(x->type, v) : v;
}

static uint64_t eval(struct eval *e, const struct cts_expr *x)
{
    switch (x->kind) {
    case CTS_X_LITERAL:
        return x->value;
    case CTS_X_OPERAND:
        return operand(e, x->operand);
    case CTS_X_LOCAL:
        return e->local[x->local];
    case CTS_X_MEM:
        return eval_mem(e, x);
    case CTS_X_CONVERT:
        return fit(x->to, eval(e, x->child[0]));
    case CTS_X_UNARY:
        return eval_unary(e, x);
    case CTS_X_BINARY:
        return eval_binary(e, x);
    case CTS_X_COND:
        return eval(e, x->child[eval(e, x->child[0]) ? 1 : 2]);
    case CTS_X_CALL:
        return eval_call(e, x);
    case CTS_X_CHOOSE:
        return e->m->choose;
    }
    return 0;
}

static void assign(struct eval *e, const struct cts_stmt *s)
{
    uint64_t at = s->target->kind == CTS_X_MEM ? eval(e, s->target->child[0]) : 0;
    uint64_t v = eval(e, s->value);
    if (stopped(e))
        return;
    if (s->target->kind == CTS_X_MEM)
        cts_mach_store(e->m, at, s->target->bits / 8, v);
    else
        *reg_of(e, s->target->operand) = v;
}

static void jump(struct eval *e, const struct cts_stmt *s)
{
    bool taken = !s->cond || eval(e, s->cond);
    if (taken && !stopped(e)) {
        uint64_t rel = eval(e, s->value);
        if (!stopped(e))
            cts_mach_goto(e->m, (int64_t)rel);
    }
}

static void call(struct eval *e, const struct cts_stmt *s)
{
    int32_t arg = (int32_t)eval(e, s->value);
    if (stopped(e))
        return;
    switch (s->call) {
    case CTS_CALL_HELPER:
        cts_mach_call_helper(e->m, arg);
        break;
    case CTS_CALL_LOCAL:
        cts_mach_call_local(e->m, arg);
        break;
    case CTS_CALL_BTF:
        cts_mach_call_btf(e->m, arg);
        break;
    case CTS_CALL_COUNT:
        break;
    }
}

static void eval_stmts(struct eval *e, const struct cts_stmt *s)
{
    for (; s && !stopped(e); s = s->next) {
        switch (s->kind) {
        case CTS_S_ASSIGN:
            assign(e, s);
            break;
        case CTS_S_LET:
            e->local[s->local] = eval(e, s->value);
            break;
        case CTS_S_GOTO:
            jump(e, s);
            break;
        case CTS_S_CALL:
            call(e, s);
            break;
        case CTS_S_EXIT:
            cts_mach_exit(e->m);
            break;
        case CTS_S_ATOMIC:
            eval_stmts(e, s->body);
            break;
        }
    }
}

void cts_eval(const struct cts_sema *sema, struct cts_mach *m, const struct cts_insn *in)
{
    struct eval e;
    e.m = m;
    e.in = in;
    e.nowhere = 0;
    eval_stmts(&e, sema->body);
}
