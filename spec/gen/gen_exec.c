/* isa_exec.c: one function per row, made from `does`; isa_sem.h: the operators that C lacks.
 *
 * Every expression becomes a C expression of exactly the type the checker found, computed in
 * unsigned arithmetic of at least 32 bits, so that nothing depends on C's promotions or on signed
 * overflow. Memory reads and questions to the platform are done first, in the order of the text,
 * each followed by a check for a fault: an instruction that faults changes nothing after that
 * point. */
#include "gen.h"

#include <string.h>

#include "sema/sema.h"

enum { TEMPS_MAX = 512 };

struct emitter {
    struct cts_buf *out;
    const struct cts_expr *temp[TEMPS_MAX]; /* what t0, t1, ... hold */
    unsigned temps;
};

static void emit(struct emitter *e, const struct cts_expr *x);

/* --- types --------------------------------------------------------------------------------- */

static const char *c_type(enum cts_sema_type type)
{
    static const char *const names[CTS_T_COUNT] = {
        [CTS_T_NONE] = "void",    [CTS_T_BOOL] = "bool",    [CTS_T_U8] = "uint8_t",
        [CTS_T_U16] = "uint16_t", [CTS_T_U32] = "uint32_t", [CTS_T_U64] = "uint64_t",
        [CTS_T_S8] = "int8_t",    [CTS_T_S16] = "int16_t",  [CTS_T_S32] = "int32_t",
        [CTS_T_S64] = "int64_t",
    };
    return names[type];
}

/* The unsigned type in which C computes values of `type`. */
static const char *wide_type(enum cts_sema_type type)
{
    return cts_sema_type_bits(type) == 64 ? "uint64_t" : "uint32_t";
}

/* Does C compute in this type itself, without promoting it to int and without undefined overflow?
 */
static bool is_native(enum cts_sema_type type)
{
    return type == CTS_T_U32 || type == CTS_T_U64;
}

/* --- expressions --------------------------------------------------------------------------- */

static bool is_temp(const struct cts_expr *x)
{
    return x->kind == CTS_X_MEM || (x->kind == CTS_X_CALL && x->func >= CTS_FN_MAP_BY_FD);
}

static void emit_temp(struct emitter *e, const struct cts_expr *x)
{
    for (unsigned i = 0; i < e->temps; i++) {
        if (e->temp[i] == x) {
            cts_buf_addf(e->out, "t%u", i);
            return;
        }
    }
    e->out->failed = true;
}

/* Something that a cast or an operator may stand before. */
static void emit_tight(struct emitter *e, const struct cts_expr *x)
{
    bool tight = is_temp(x) || x->kind == CTS_X_OPERAND || x->kind == CTS_X_LOCAL ||
                 x->kind == CTS_X_LITERAL || x->kind == CTS_X_CALL || x->kind == CTS_X_CONVERT ||
                 x->kind == CTS_X_CHOOSE;

    if (!tight)
        cts_buf_addc(e->out, '(');
    emit(e, x);
    if (!tight)
        cts_buf_addc(e->out, ')');
}

/* The operand in the type in which C computes. */
static void emit_wide(struct emitter *e, const struct cts_expr *x)
{
    if (!is_native(x->type))
        cts_buf_addf(e->out, "(%s)", wide_type(x->type));
    emit_tight(e, x);
}

static void emit_literal(struct emitter *e, const struct cts_expr *x)
{
    unsigned long long v = x->value;
    unsigned bits = cts_sema_type_bits(x->type);
    bool small = !(v >> (bits - 1));

    if (cts_sema_type_is_signed(x->type) && bits >= 32 && small)
        cts_buf_addf(e->out, bits == 64 ? "INT64_C(%llu)" : "%llu", v);
    else if (is_native(x->type))
        cts_buf_addf(e->out, bits == 64 ? "UINT64_C(%llu)" : "%lluu", v);
    else
        cts_buf_addf(e->out, bits == 64 ? "(%s)UINT64_C(%llu)" : "(%s)%lluu", c_type(x->type), v);
}

static void emit_operand(struct emitter *e, enum cts_sema_operand o)
{
    static const char *const texts[CTS_O_COUNT] = {
        [CTS_O_DST] = "m->r[in->dst]", [CTS_O_SRC] = "m->r[in->src]",
        [CTS_O_R0] = "m->r[0]",        [CTS_O_IMM] = "in->imm",
        [CTS_O_OFF] = "in->off",       [CTS_O_NEXT_IMM] = "in->next_imm",
    };
    cts_buf_adds(e->out, texts[o]);
}

static void emit_unary(struct emitter *e, const struct cts_expr *x)
{
    if (x->op == CTS_OP_NOT) {
        cts_buf_addc(e->out, '!');
        emit_tight(e, x->child[0]);
        return;
    }
    if (!is_native(x->type))
        cts_buf_addf(e->out, "(%s)(", c_type(x->type));
    cts_buf_adds(e->out, x->op == CTS_OP_INV ? "~" : "0 - ");
    emit_wide(e, x->child[0]);
    cts_buf_adds(e->out, is_native(x->type) ? "" : ")");
}

static void emit_shift(struct emitter *e, const struct cts_expr *x)
{
    unsigned bits = cts_sema_type_bits(x->type);
    bool is_signed = cts_sema_type_is_signed(x->type);
    bool left = x->op == CTS_OP_SHL;

    if (!is_native(x->type))
        cts_buf_addf(e->out, "(%s)", c_type(x->type));
    if (cts_expr_is_masked(x->child[1], bits)) {
        cts_buf_adds(e->out, is_native(x->type) ? "" : "(");
        if (left)
            emit_wide(e, x->child[0]);
        else
            emit_tight(e, x->child[0]);
        cts_buf_adds(e->out, left ? " << " : " >> ");
        emit_tight(e, x->child[1]);
        cts_buf_adds(e->out, is_native(x->type) ? "" : ")");
        return;
    }
    if (bits == 32 && !is_signed)
        cts_buf_adds(e->out, "(uint32_t)");
    cts_buf_addf(e->out, "cts_sem_%s(", left ? "shl" : is_signed ? "sar" : "shr");
    if (left && is_signed)
        cts_buf_addf(e->out, "(uint%u_t)", bits); /* its bits, not its value */
    emit_tight(e, x->child[0]);
    cts_buf_adds(e->out, ", ");
    emit(e, x->child[1]);
    cts_buf_addf(e->out, ", %u)", bits);
}

static void emit_division(struct emitter *e, const struct cts_expr *x)
{
    cts_buf_addf(e->out, "(%s)cts_sem_%c%s%d(", c_type(x->type),
                 cts_sema_type_is_signed(x->type) ? 's' : 'u', x->op == CTS_OP_DIV ? "div" : "mod",
                 cts_sema_type_bits(x->type) == 64 ? 64 : 32);
    emit(e, x->child[0]);
    cts_buf_adds(e->out, ", ");
    emit(e, x->child[1]);
    cts_buf_addc(e->out, ')');
}

static void emit_mulhi(struct emitter *e, const struct cts_expr *x)
{
    cts_buf_addf(e->out, "(%s)cts_sem_%cmulhi(", c_type(x->type),
                 cts_sema_type_is_signed(x->type) ? 's' : 'u');
    emit(e, x->child[0]);
    cts_buf_adds(e->out, ", ");
    emit(e, x->child[1]);
    cts_buf_addf(e->out, ", %u)", cts_sema_type_bits(x->type));
}

static void emit_infix(struct emitter *e, const struct cts_expr *x, bool wide)
{
    void (*side)(struct emitter *, const struct cts_expr *) = wide ? emit_wide : emit_tight;

    side(e, x->child[0]);
    cts_buf_addf(e->out, " %s ", cts_sema_op_text(x->op));
    side(e, x->child[1]);
}

static void emit_binary(struct emitter *e, const struct cts_expr *x)
{
    switch (x->op) {
    case CTS_OP_SHL:
    case CTS_OP_SHR:
        emit_shift(e, x);
        return;
    case CTS_OP_DIV:
    case CTS_OP_MOD:
        emit_division(e, x);
        return;
    case CTS_OP_MULHI:
        emit_mulhi(e, x);
        return;
    case CTS_OP_EQ:
    case CTS_OP_NE:
    case CTS_OP_LT:
    case CTS_OP_LE:
    case CTS_OP_GT:
    case CTS_OP_GE:
    case CTS_OP_ANDALSO:
    case CTS_OP_ORELSE:
        emit_infix(e, x, false);
        return;
    case CTS_OP_ADD:
    case CTS_OP_SUB:
    case CTS_OP_MUL:
    case CTS_OP_AND:
    case CTS_OP_OR:
    case CTS_OP_XOR:
        break;
    case CTS_OP_NEG:
    case CTS_OP_INV:
    case CTS_OP_NOT:
    case CTS_OP_COUNT:
        e->out->failed = true; /* no binary operators */
        return;
    }
    if (!is_native(x->type))
        cts_buf_addf(e->out, "(%s)(", c_type(x->type));
    emit_infix(e, x, true);
    if (!is_native(x->type))
        cts_buf_addc(e->out, ')');
}

static void emit_cond(struct emitter *e, const struct cts_expr *x)
{
    bool cast = cts_sema_type_bits(x->type) < 32;

    if (cast)
        cts_buf_addf(e->out, "(%s)(", c_type(x->type));
    emit_tight(e, x->child[0]);
    cts_buf_adds(e->out, " ? ");
    emit_tight(e, x->child[1]);
    cts_buf_adds(e->out, " : ");
    emit_tight(e, x->child[2]);
    if (cast)
        cts_buf_addc(e->out, ')');
}

static void emit_call(struct emitter *e, const struct cts_expr *x)
{
    const char *name = cts_sema_func_name(x->func);

    if (x->func <= CTS_FN_BSWAP64)
        cts_buf_addf(e->out, "__builtin_%s(", name);
    else
        cts_buf_addf(e->out, "cts_sem_%s(m, ", name);
    emit(e, x->child[0]);
    cts_buf_addc(e->out, ')');
}

static void emit(struct emitter *e, const struct cts_expr *x)
{
    if (is_temp(x)) {
        emit_temp(e, x);
        return;
    }
    switch (x->kind) {
    case CTS_X_LITERAL:
        emit_literal(e, x);
        return;
    case CTS_X_OPERAND:
        emit_operand(e, x->operand);
        return;
    case CTS_X_LOCAL:
        cts_buf_addf(e->out, "v_%s", x->name);
        return;
    case CTS_X_CONVERT:
        if (x->type != x->child[0]->type)
            cts_buf_addf(e->out, "(%s)", c_type(x->type));
        emit_tight(e, x->child[0]);
        return;
    case CTS_X_UNARY:
        emit_unary(e, x);
        return;
    case CTS_X_BINARY:
        emit_binary(e, x);
        return;
    case CTS_X_COND:
        emit_cond(e, x);
        return;
    case CTS_X_CALL:
        emit_call(e, x);
        return;
    case CTS_X_CHOOSE:
        cts_buf_adds(e->out, "m->choose");
        return;
    case CTS_X_MEM:
        return; /* a temporary, above */
    }
}

/* --- statements ---------------------------------------------------------------------------- */

static void emit_fault_check(struct emitter *e)
{
    cts_buf_adds(e->out, "    if (m->stop != CTS_MACH_RUNNING)\n        return;\n");
}

/* Temporaries for what `x` reads from memory and from the platform, innermost first. */
static void emit_temps(struct emitter *e, const struct cts_expr *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < 3; i++)
        emit_temps(e, x->child[i]);
    if (!is_temp(x))
        return;
    if (e->temps == TEMPS_MAX) {
        e->out->failed = true;
        return;
    }
    cts_buf_addf(e->out, "    const %s t%u = ", c_type(x->type), e->temps);
    if (x->kind == CTS_X_CALL) {
        emit_call(e, x);
    } else {
        cts_buf_adds(e->out, x->bits < 64 ? "(" : "");
        cts_buf_addf(e->out, x->bits < 64 ? "%s)cts_mach_load(m, " : "cts_mach_load(m, ",
                     c_type(x->type));
        emit(e, x->child[0]);
        cts_buf_addf(e->out, ", %u)", x->bits / 8);
    }
    cts_buf_adds(e->out, ";\n");
    emit_fault_check(e);
    e->temp[e->temps++] = x;
}

static void emit_assign(struct emitter *e, const struct cts_stmt *s, bool last)
{
    const struct cts_expr *target = s->target;

    if (target->kind == CTS_X_OPERAND) {
        emit_temps(e, s->value);
        cts_buf_adds(e->out, "    ");
        emit_operand(e, target->operand);
        cts_buf_adds(e->out, " = ");
        emit(e, s->value);
        cts_buf_adds(e->out, ";\n");
        return;
    }
    emit_temps(e, target->child[0]);
    emit_temps(e, s->value);
    cts_buf_adds(e->out, "    cts_mach_store(m, ");
    emit(e, target->child[0]);
    cts_buf_addf(e->out, ", %u, ", target->bits / 8);
    emit(e, s->value);
    cts_buf_adds(e->out, ");\n");
    if (!last)
        emit_fault_check(e);
}

static void emit_goto(struct emitter *e, const struct cts_stmt *s)
{
    emit_temps(e, s->cond);
    emit_temps(e, s->value);
    if (s->cond) {
        cts_buf_adds(e->out, "    if (");
        emit(e, s->cond);
        cts_buf_adds(e->out, ")\n    ");
    }
    cts_buf_adds(e->out, "    cts_mach_goto(m, ");
    emit(e, s->value);
    cts_buf_adds(e->out, ");\n");
}

static bool expr_names(const struct cts_expr *x, unsigned local)
{
    if (!x)
        return false;
    if (x->kind == CTS_X_LOCAL && x->local == local)
        return true;
    return expr_names(x->child[0], local) || expr_names(x->child[1], local) ||
           expr_names(x->child[2], local);
}

static bool stmts_name(const struct cts_stmt *s, unsigned local)
{
    for (; s; s = s->next) {
        if (expr_names(s->cond, local) || expr_names(s->target, local) ||
            expr_names(s->value, local) || stmts_name(s->body, local))
            return true;
    }
    return false;
}

static void emit_let(struct emitter *e, const struct cts_stmt *s)
{
    emit_temps(e, s->value);
    cts_buf_addf(e->out, "    const %s v_%s = ", c_type(s->value->type), s->name);
    emit(e, s->value);
    cts_buf_adds(e->out, ";\n");
    if (!stmts_name(s->next, s->local))
        cts_buf_addf(e->out, "    (void)v_%s;\n", s->name);
}

static void emit_stmts(struct emitter *e, const struct cts_stmt *s, bool last)
{
    for (; s; s = s->next) {
        switch (s->kind) {
        case CTS_S_ASSIGN:
            emit_assign(e, s, last && !s->next);
            break;
        case CTS_S_LET:
            emit_let(e, s);
            break;
        case CTS_S_GOTO:
            emit_goto(e, s);
            break;
        case CTS_S_CALL:
            emit_temps(e, s->value);
            cts_buf_addf(e->out, "    cts_mach_call_%s(m, ", cts_sema_call_name(s->call));
            emit(e, s->value);
            cts_buf_adds(e->out, ");\n");
            break;
        case CTS_S_EXIT:
            cts_buf_adds(e->out, "    cts_mach_exit(m);\n");
            break;
        case CTS_S_ATOMIC:
            /* The machine has one thread: nothing can come between. */
            emit_stmts(e, s->body, last && !s->next);
            break;
        }
    }
}

static bool uses_fields(const struct cts_sema *sema)
{
    for (enum cts_sema_operand o = 0; o < CTS_O_COUNT; o++) {
        if (o != CTS_O_R0 && (cts_sema_reads(sema, o) || cts_sema_writes(sema, o)))
            return true;
    }
    return false;
}

void cts_gen_function(const char *name, const struct cts_sema *sema, struct cts_buf *out)
{
    struct emitter e = {.out = out};

    cts_buf_adds(out, "// ");
    cts_sema_print(sema, out);
    cts_buf_addf(out, "\nstatic void %s(struct cts_mach *m, const struct cts_insn *in)\n{\n", name);
    if (!uses_fields(sema))
        cts_buf_adds(out, "    (void)in;\n");
    if (!sema->body)
        cts_buf_adds(out, "    (void)m;\n");
    emit_stmts(&e, sema->body, true);
    cts_buf_adds(out, "}\n\n");
}

void cts_gen_exec_c(const struct cts_spec *spec, struct cts_buf *out)
{
    cts_gen_banner(out);
    cts_buf_adds(out, "#include \"generated/isa_sem.h\"\n\n");
    for (size_t r = 0; r < spec->row_count; r++) {
        const struct cts_spec_insn *row = &spec->rows[r];
        char name[128] = "exec_";
        if (row->slot || row->platform)
            continue;
        strncat(name, row->id, sizeof(name) - 8);
        cts_gen_function(name, row->sema, out);
    }
    cts_buf_adds(out, "const cts_exec_fn cts_exec_table[CTS_INSN_COUNT] = {\n");
    for (size_t r = 0; r < spec->row_count; r++) {
        if (spec->rows[r].slot || spec->rows[r].platform)
            continue;
        cts_buf_adds(out, "    [CTS_INSN_");
        cts_gen_upper(spec->rows[r].id, out);
        cts_buf_addf(out, "] = exec_%s,\n", spec->rows[r].id);
    }
    cts_buf_adds(out, "};\n");
}

/* --- isa_sem.h ----------------------------------------------------------------------------- */

static const char SEM_HEAD[] =
    "/* The operators of spec/semantics.md that C lacks or leaves undefined. */\n"
    "#ifndef CTS_GENERATED_ISA_SEM_H\n"
    "#define CTS_GENERATED_ISA_SEM_H\n\n"
    "#include \"isa/mach.h\"\n\n"
    "/* Shifts of a `bits` wide value by any count. */\n"
    "static inline uint64_t cts_sem_shl(uint64_t a, uint64_t n, unsigned bits)\n"
    "{\n"
    "    return n < bits ? a << n : 0;\n"
    "}\n\n"
    "static inline uint64_t cts_sem_shr(uint64_t a, uint64_t n, unsigned bits)\n"
    "{\n"
    "    return n < bits ? a >> n : 0;\n"
    "}\n\n"
    "static inline int64_t cts_sem_sar(int64_t a, uint64_t n, unsigned bits)\n"
    "{\n"
    "    return a >> (n < bits ? n : bits - 1);\n"
    "}\n\n";

static void add_divisions(unsigned bits, struct cts_buf *out)
{
    cts_buf_addf(out,
                 "static inline uint%u_t cts_sem_udiv%u(uint%u_t a, uint%u_t b)\n"
                 "{\n"
                 "    return b ? a / b : UINT%u_MAX;\n"
                 "}\n\n"
                 "static inline uint%u_t cts_sem_umod%u(uint%u_t a, uint%u_t b)\n"
                 "{\n"
                 "    return b ? a %% b : a;\n"
                 "}\n\n",
                 bits, bits, bits, bits, bits, bits, bits, bits, bits);
    cts_buf_addf(out,
                 "static inline int%u_t cts_sem_sdiv%u(int%u_t a, int%u_t b)\n"
                 "{\n"
                 "    if (b == 0)\n"
                 "        return a < 0 ? 1 : -1;\n"
                 "    return b == -1 ? (int%u_t)(0 - (uint%u_t)a) : a / b;\n"
                 "}\n\n",
                 bits, bits, bits, bits, bits, bits);
    cts_buf_addf(out,
                 "static inline int%u_t cts_sem_smod%u(int%u_t a, int%u_t b)\n"
                 "{\n"
                 "    if (b == 0)\n"
                 "        return a;\n"
                 "    return b == -1 ? 0 : a %% b;\n"
                 "}\n\n",
                 bits, bits, bits, bits);
}

/* Without integers of 128 bits, which not every compiler has: from the products of halves. */
static const char SEM_MULHI[] =
    "/* The upper half of a product of twice `bits`; operands are extended to 64 bits. */\n"
    "static inline uint64_t cts_sem_umulhi(uint64_t a, uint64_t b, unsigned bits)\n"
    "{\n"
    "    if (bits < 64)\n"
    "        return a * b >> bits;\n"
    "    const uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX);\n"
    "    const uint64_t one = (a >> 32) * (b & UINT32_MAX) + (low >> 32);\n"
    "    const uint64_t other = (a & UINT32_MAX) * (b >> 32) + (one & UINT32_MAX);\n"
    "    return (a >> 32) * (b >> 32) + (one >> 32) + (other >> 32);\n"
    "}\n\n"
    "static inline int64_t cts_sem_smulhi(int64_t a, int64_t b, unsigned bits)\n"
    "{\n"
    "    if (bits < 64)\n"
    "        return a * b >> bits;\n"
    "    /* As an unsigned number, a negative one is greater by 2^64. */\n"
    "    const uint64_t high = cts_sem_umulhi((uint64_t)a, (uint64_t)b, 64);\n"
    "    return (int64_t)(high - (a < 0 ? (uint64_t)b : 0) - (b < 0 ? (uint64_t)a : 0));\n"
    "}\n\n";

static void add_order(const char *name, const char *swaps_when, unsigned bits, struct cts_buf *out)
{
    cts_buf_addf(out,
                 "static inline uint%u_t cts_sem_%s%u(const struct cts_mach *m, uint%u_t v)\n"
                 "{\n"
                 "    return %s ? __builtin_bswap%u(v) : v;\n"
                 "}\n\n",
                 bits, name, bits, bits, swaps_when, bits);
}

static void add_platform(enum cts_sema_func func, struct cts_buf *out)
{
    const char *name = cts_sema_func_name(func);
    const char *arg = c_type(cts_sema_func_arg(func));

    cts_buf_addf(out,
                 "static inline %s cts_sem_%s(struct cts_mach *m, %s v)\n"
                 "{\n"
                 "    if (m->platform && m->platform->%s)\n"
                 "        return m->platform->%s(m, v);\n"
                 "    cts_mach_fault(m, CTS_MACH_FAULT_PLATFORM, \"this platform has no %s\");\n"
                 "    return 0;\n"
                 "}\n\n",
                 c_type(cts_sema_func_result(func)), name, arg, name, name, name);
}

static void add_packet(unsigned bits, struct cts_buf *out)
{
    cts_buf_addf(
        out,
        "static inline uint%u_t cts_sem_packet%u(struct cts_mach *m, uint64_t at)\n"
        "{\n"
        "    if (m->platform && m->platform->packet_load)\n"
        "        return (uint%u_t)m->platform->packet_load(m, at, %u);\n"
        "    cts_mach_fault(m, CTS_MACH_FAULT_PLATFORM, \"this platform has no packet\");\n"
        "    return 0;\n"
        "}\n\n",
        bits, bits, bits, bits / 8);
}

void cts_gen_sem_h(const struct cts_spec *spec, struct cts_buf *out)
{
    (void)spec;
    cts_gen_banner(out);
    cts_buf_adds(out, SEM_HEAD);
    cts_buf_adds(out,
                 "/* Division by zero and signed overflow as SMT-LIB has them; rows guard against "
                 "zero themselves. */\n");
    add_divisions(32, out);
    add_divisions(64, out);
    cts_buf_adds(out, SEM_MULHI);
    cts_buf_adds(out, "/* Between the machine's byte order and a stated one, either way. */\n");
    for (unsigned bits = 16; bits <= 64; bits *= 2) {
        add_order("le", "m->be", bits, out);
        add_order("be", "!m->be", bits, out);
    }
    cts_buf_adds(out, "/* What only the platform knows. */\n");
    for (enum cts_sema_func f = CTS_FN_MAP_BY_FD; f <= CTS_FN_CODE_ADDR; f++)
        add_platform(f, out);
    for (unsigned bits = 8; bits <= 32; bits *= 2)
        add_packet(bits, out);
    add_platform(CTS_FN_SLOTS_TO, out);
    add_platform(CTS_FN_ARG_IN, out);
    add_platform(CTS_FN_ARG_OUT, out);
    cts_buf_adds(out, "#endif\n");
}
