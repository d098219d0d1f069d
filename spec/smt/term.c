/* `does` as terms of SMT-LIB.
 *
 * Statements become bindings, one for each value that something later may name; every observable is
 * then a term below those bindings that it needs. So the text grows with `does` and no faster. */
#include "smt_int.h"

#include <stdarg.h>
#include <string.h>

#include "base/fmt.h"
#include "sema/smt.h"

#define BV(n) "(_ BitVec " #n ")"

const struct cts_smt_name cts_smt_inputs[CTS_SI_COUNT] = {
    [CTS_SI_DST] = {"dst", BV(64)},
    [CTS_SI_SRC] = {"src", BV(64)},
    [CTS_SI_R0] = {"r0", BV(64)},
    [CTS_SI_IMM] = {"imm", BV(32)},
    [CTS_SI_NEXT_IMM] = {"next_imm", BV(32)},
    [CTS_SI_OFF] = {"off", BV(16)},
    [CTS_SI_R1] = {"r1", BV(64)},
    [CTS_SI_R2] = {"r2", BV(64)},
    [CTS_SI_R3] = {"r3", BV(64)},
    [CTS_SI_R4] = {"r4", BV(64)},
    [CTS_SI_R5] = {"r5", BV(64)},
    [CTS_SI_MEM] = {"mem", "Mem"},
    [CTS_SI_BE] = {"be", "Bool"},
    [CTS_SI_CHOOSE] = {"choose", "Bool"},
};

const struct cts_smt_name cts_smt_observables[CTS_SO_COUNT] = {
    [CTS_SO_DST] = {"dst", BV(64)},     [CTS_SO_SRC] = {"src", BV(64)},
    [CTS_SO_R0] = {"r0", BV(64)},       [CTS_SO_MEM] = {"mem", "Mem"},
    [CTS_SO_TAKEN] = {"taken", "Bool"}, [CTS_SO_NEXT] = {"next", BV(64)},
    [CTS_SO_EXITS] = {"exits", "Bool"},
};

enum {
    BINDINGS_MAX = 256,
    WORDS = BINDINGS_MAX / 64,
    REGS = 3,
    PATH_MAX_DEPTH = CTS_SEMA_DEPTH_MAX
};

/* What a term is made of: inputs, and bindings before it. */
struct needs {
    unsigned inputs;
    uint64_t bindings[WORDS];
};

struct binding {
    const char *name, *text;
    struct needs needs;
};

struct value {
    const char *text;
    struct needs needs;
    unsigned bound; /* number of its binding, from 1; 0: none */
};

struct encoder {
    struct cts_arena *arena;
    struct cts_smt_insn *out;
    struct cts_err *err;
    int rc; /* the first error */
    struct binding binding[BINDINGS_MAX];
    unsigned bindings;
    struct value reg[REGS], mem, local[CTS_SEMA_LOCALS_MAX];
    bool written[CTS_SO_COUNT];
    struct needs now;                 /* of the statement being read */
    const char *path[PATH_MAX_DEPTH]; /* what must hold for the place being read to count */
    unsigned depth;
    unsigned chooses;
};

/* --- which registers are one -------------------------------------------------------------------
 */

const char *cts_smt_alias_name(enum cts_smt_alias alias)
{
    static const char *const names[CTS_ALIAS_COUNT] = {"", "dst=src", "dst=r0", "src=r0",
                                                       "dst=src=r0"};
    return names[alias];
}

unsigned cts_smt_alias_cell(enum cts_smt_alias alias, unsigned reg)
{
    static const uint8_t cells[CTS_ALIAS_COUNT][REGS] = {
        [CTS_ALIAS_NONE] = {0, 1, 2},   [CTS_ALIAS_DST_SRC] = {0, 0, 2},
        [CTS_ALIAS_DST_R0] = {0, 1, 0}, [CTS_ALIAS_SRC_R0] = {0, 1, 1},
        [CTS_ALIAS_ALL] = {0, 0, 0},
    };
    return cells[alias][reg];
}

static bool is_named(const struct cts_spec_insn *row, enum cts_sema_operand reg)
{
    return cts_sema_reads(row->sema, reg) || cts_sema_writes(row->sema, reg);
}

bool cts_smt_alias_possible(const struct cts_spec_insn *row, enum cts_smt_alias alias)
{
    bool is[REGS];

    if (!row->sema)
        return false;
    is[0] = is_named(row, CTS_O_DST) && row->enc[CTS_SF_DST].rule == CTS_SR_REG;
    is[1] = is_named(row, CTS_O_SRC) && row->enc[CTS_SF_SRC].rule == CTS_SR_REG;
    is[2] = is_named(row, CTS_O_R0);
    for (unsigned r = 0; r < REGS; r++) {
        for (unsigned s = 0; s < r; s++) {
            bool same = cts_smt_alias_cell(alias, r) == cts_smt_alias_cell(alias, s);
            if (same && !(is[r] && is[s]))
                return false;
        }
    }
    return true;
}

/* --- helpers ------------------------------------------------------------------------------------
 */

static void fail(struct encoder *e, int rc, const char *why)
{
    if (!e->rc)
        e->rc = cts_err_set(e->err, rc, "%s: %s", e->out->row->id, why);
}

static const char *text(struct encoder *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static const char *text(struct encoder *e, const char *fmt, ...)
{
    va_list ap;
    struct cts_buf b;
    char *copy;

    cts_buf_init(&b, 16 << 20);
    va_start(ap, fmt);
    cts_buf_addvf(&b, fmt, ap);
    va_end(ap);
    copy = b.failed ? NULL : cts_arena_strdup(e->arena, cts_buf_text(&b));
    cts_buf_release(&b);
    if (!copy)
        fail(e, CTS_E_NOMEM, "its formula is too large");
    return copy ? copy : "";
}

static void add_needs(struct needs *to, const struct needs *from)
{
    to->inputs |= from->inputs;
    for (unsigned i = 0; i < WORDS; i++)
        to->bindings[i] |= from->bindings[i];
}

static const char *input(struct encoder *e, enum cts_smt_input i)
{
    e->now.inputs |= 1u << i;
    return cts_smt_inputs[i].name;
}

static const char *use(struct encoder *e, const struct value *v)
{
    add_needs(&e->now, &v->needs);
    return v->text;
}

/* Gives a term a name; the value is then that name. */
static struct value bind(struct encoder *e, const char *hint, const char *term)
{
    struct value v = {0};
    unsigned n = e->bindings;

    if (n == BINDINGS_MAX) {
        fail(e, CTS_E_LIMIT, "more values than a formula can hold");
        v.text = "";
        return v;
    }
    e->bindings++;
    e->binding[n] = (struct binding){text(e, "%s!%u", hint, n), term, e->now};
    memset(&e->now, 0, sizeof(e->now));
    v.text = e->binding[n].name;
    v.bound = n + 1;
    v.needs.bindings[n / 64] = UINT64_C(1) << (n % 64);
    return v;
}

static bool needs_binding(const struct needs *n, unsigned i)
{
    return n->bindings[i / 64] >> (i % 64) & 1;
}

/* The term below the bindings that it needs. */
static struct cts_smt_term close_term(struct encoder *e, const char *term, struct needs needs)
{
    struct cts_buf b;
    struct cts_smt_term t;
    unsigned open = 0;

    for (unsigned i = e->bindings; i-- > 0;) {
        if (needs_binding(&needs, i))
            add_needs(&needs, &e->binding[i].needs);
    }
    cts_buf_init(&b, 16 << 20);
    for (unsigned i = 0; i < e->bindings; i++) {
        if (!needs_binding(&needs, i))
            continue;
        cts_buf_addf(&b, "(let ((%s %s)) ", e->binding[i].name, e->binding[i].text);
        open++;
    }
    cts_buf_adds(&b, term);
    while (open-- > 0)
        cts_buf_addc(&b, ')');
    if (b.failed)
        fail(e, CTS_E_LIMIT, "its formula is too large");
    t.text = text(e, "%s", cts_buf_text(&b));
    t.inputs = needs.inputs;
    cts_buf_release(&b);
    return t;
}

/* A condition inside a term, with what must hold for it to be reached. */
static void note(struct encoder *e, struct cts_smt_term *list, unsigned *count, const char *term)
{
    const char *whole = term;

    if (*count == CTS_SMT_CONDS_MAX) {
        fail(e, CTS_E_LIMIT, "too many conditions");
        return;
    }
    for (unsigned i = e->depth; i-- > 0;)
        whole = text(e, "(and %s %s)", e->path[i], whole);
    list[(*count)++] = close_term(e, whole, e->now);
}

static void enter(struct encoder *e, const char *cond)
{
    if (e->depth == PATH_MAX_DEPTH)
        fail(e, CTS_E_LIMIT, "conditions are nested too deeply");
    else
        e->path[e->depth++] = cond;
}

static void leave(struct encoder *e)
{
    if (e->depth > 0)
        e->depth--;
}

/* --- expressions --------------------------------------------------------------------------------
 */

static const char *term(struct encoder *e, const struct cts_expr *x);

static const char *literal(struct encoder *e, enum cts_sema_type type, uint64_t value)
{
    unsigned bits = cts_sema_type_bits(type);

    if (type == CTS_T_BOOL)
        return value ? "true" : "false";
    if (bits < 64)
        value &= (UINT64_C(1) << bits) - 1;
    return text(e, "#x%0*llx", (int)bits / 4, (unsigned long long)value);
}

static const char *operand(struct encoder *e, enum cts_sema_operand o)
{
    static const enum cts_smt_input inputs[CTS_O_COUNT] = {
        [CTS_O_IMM] = CTS_SI_IMM,
        [CTS_O_NEXT_IMM] = CTS_SI_NEXT_IMM,
        [CTS_O_OFF] = CTS_SI_OFF,
    };
    if (o <= CTS_O_R0)
        return use(e, &e->reg[cts_smt_alias_cell(e->out->alias, (unsigned)o)]);
    return input(e, inputs[o]);
}

static const char *memory_name(struct encoder *e, const char *what, unsigned bits)
{
    if (bits > e->out->accesses)
        e->out->accesses = bits;
    return text(e, "%s%u", what, bits);
}

static void note_address(struct encoder *e, const char *address)
{
    struct cts_smt_term t;

    if (e->out->address)
        return;
    t = close_term(e, address, e->now);
    e->out->address = t.text;
    e->out->address_inputs = t.inputs;
}

static const char *load(struct encoder *e, const struct cts_expr *x)
{
    const char *at = term(e, x->child[0]);

    note_address(e, at);
    return text(e, "(%s %s %s %s)", memory_name(e, "load", x->bits), use(e, &e->mem), at,
                input(e, CTS_SI_BE));
}

/* What was written, and it is released. */
static const char *written(struct encoder *e, struct cts_buf *b)
{
    const char *copy = text(e, "%s", cts_buf_text(b));

    if (b->failed)
        fail(e, CTS_E_NOMEM, "its formula is too large");
    cts_buf_release(b);
    return copy;
}

static const char *convert(struct encoder *e, const struct cts_expr *x)
{
    const char *inner = term(e, x->child[0]);
    struct cts_buf b;

    cts_buf_init(&b, 16 << 20);
    cts_sema_smt_convert(x->child[0]->type, x->type, inner, &b);
    return written(e, &b);
}

static const char *unary(struct encoder *e, const struct cts_expr *x)
{
    return text(e, "(%s %s)", cts_sema_smt_op(x->op, x->type), term(e, x->child[0]));
}

static const char *lazy(struct encoder *e, const struct cts_expr *x)
{
    const char *a = term(e, x->child[0]), *b;

    note(e, e->out->cond, &e->out->conds, a);
    enter(e, x->op == CTS_OP_ANDALSO ? a : text(e, "(not %s)", a));
    b = term(e, x->child[1]);
    leave(e);
    return text(e, "(%s %s %s)", cts_sema_smt_op(x->op, x->type), a, b);
}

static const char *mulhi(struct encoder *e, enum cts_sema_type type, const char *a, const char *b)
{
    struct cts_buf out;

    cts_buf_init(&out, 16 << 20);
    cts_sema_smt_mulhi(type, a, b, &out);
    return written(e, &out);
}

static const char *binary(struct encoder *e, const struct cts_expr *x)
{
    enum cts_sema_type type = x->child[0]->type;
    const char *a, *b;

    if (x->op == CTS_OP_ANDALSO || x->op == CTS_OP_ORELSE)
        return lazy(e, x);
    a = term(e, x->child[0]);
    b = term(e, x->child[1]);
    if (x->op == CTS_OP_MULHI)
        return mulhi(e, type, a, b);
    if (x->op == CTS_OP_DIV || x->op == CTS_OP_MOD)
        note(e, e->out->bad, &e->out->bads, text(e, "(= %s %s)", b, literal(e, type, 0)));
    if (x->op == CTS_OP_SHL || x->op == CTS_OP_SHR)
        note(e, e->out->bad, &e->out->bads,
             text(e, "(bvuge %s %s)", b, literal(e, type, cts_sema_type_bits(type))));
    return text(e, "(%s %s %s)", cts_sema_smt_op(x->op, type), a, b);
}

static const char *choice(struct encoder *e, const struct cts_expr *x)
{
    const char *cond = term(e, x->child[0]), *a, *b;

    note(e, e->out->cond, &e->out->conds, cond);
    enter(e, cond);
    a = term(e, x->child[1]);
    leave(e);
    enter(e, text(e, "(not %s)", cond));
    b = term(e, x->child[2]);
    leave(e);
    return text(e, "(ite %s %s %s)", cond, a, b);
}

static const char *call(struct encoder *e, const struct cts_expr *x)
{
    const char *name = cts_sema_func_name(x->func);
    const char *inner = term(e, x->child[0]);

    if (x->func >= CTS_FN_LE16 && x->func <= CTS_FN_BE64)
        return text(e, "(%s %s %s)", name, inner, input(e, CTS_SI_BE));
    return text(e, "(%s %s)", name, inner);
}

static const char *choose(struct encoder *e)
{
    if (e->chooses++ > 0)
        fail(e, CTS_E_UNSUPPORTED, "more than one choice of the machine in one instruction");
    return input(e, CTS_SI_CHOOSE);
}

static const char *term(struct encoder *e, const struct cts_expr *x)
{
    if (e->rc)
        return "";
    switch (x->kind) {
    case CTS_X_LITERAL:
        return literal(e, x->type, x->value);
    case CTS_X_OPERAND:
        return operand(e, x->operand);
    case CTS_X_LOCAL:
        return use(e, &e->local[x->local]);
    case CTS_X_MEM:
        return load(e, x);
    case CTS_X_CONVERT:
        return convert(e, x);
    case CTS_X_UNARY:
        return unary(e, x);
    case CTS_X_BINARY:
        return binary(e, x);
    case CTS_X_COND:
        return choice(e, x);
    case CTS_X_CALL:
        return call(e, x);
    case CTS_X_CHOOSE:
        return choose(e);
    }
    fail(e, CTS_E_INVAL, "an expression that has no formula");
    return "";
}

/* --- statements ---------------------------------------------------------------------------------
 */

static void set_output(struct encoder *e, enum cts_smt_observable o, const char *t)
{
    e->out->out[o] = close_term(e, t, e->now);
}

/* What the last assignment to a register or to memory left, if there was one. */
static void set_written(struct encoder *e, enum cts_smt_observable o, const struct value *v)
{
    const struct binding *b;

    if (!e->written[o] || e->rc)
        return;
    b = &e->binding[v->bound - 1];
    e->now = b->needs;
    set_output(e, o, b->text);
}

static void assign(struct encoder *e, const struct cts_stmt *s)
{
    const struct cts_expr *target = s->target;
    const char *at, *value, *name;

    if (target->kind == CTS_X_OPERAND) {
        unsigned cell = cts_smt_alias_cell(e->out->alias, (unsigned)target->operand);
        value = term(e, s->value);
        e->reg[cell] = bind(e, cts_smt_inputs[cell].name, value);
        e->written[cell] = true;
        return;
    }
    at = term(e, target->child[0]);
    note_address(e, at);
    value = term(e, s->value);
    name = memory_name(e, "store", target->bits);
    value = text(e, "(%s %s %s %s %s)", name, use(e, &e->mem), at, value, input(e, CTS_SI_BE));
    e->mem = bind(e, "mem", value);
    e->written[CTS_SO_MEM] = true;
}

static void jump(struct encoder *e, const struct cts_stmt *s)
{
    const char *cond = "true", *to;
    struct needs before;

    if (s->cond) {
        cond = term(e, s->cond);
        note(e, e->out->cond, &e->out->conds, cond);
        enter(e, cond);
    }
    before = e->now;
    set_output(e, CTS_SO_TAKEN, cond);
    e->now = before;
    to = term(e, s->value);
    if (s->cond) {
        leave(e);
        to = text(e, "(ite %s %s %s)", cond, to, literal(e, CTS_T_S64, 0));
    }
    set_output(e, CTS_SO_NEXT, to);
    memset(&e->now, 0, sizeof(e->now));
}

static void call_function(struct encoder *e, const struct cts_stmt *s)
{
    const char *name = cts_sema_call_name(s->call);
    const char *value = term(e, s->value), *arguments;

    if (s->call == CTS_CALL_LOCAL) {
        set_output(e, CTS_SO_TAKEN, "true");
        set_output(e, CTS_SO_NEXT, text(e, "((_ sign_extend 32) %s)", value));
        memset(&e->now, 0, sizeof(e->now));
        return;
    }
    arguments = value;
    for (unsigned i = CTS_SI_R1; i <= CTS_SI_R5; i++)
        arguments = text(e, "%s %s", arguments, input(e, (enum cts_smt_input)i));
    arguments = text(e, "%s %s", arguments, use(e, &e->mem));
    set_output(e, CTS_SO_R0, text(e, "(%s %s)", name, arguments));
    set_output(e, CTS_SO_MEM, text(e, "(%s.mem %s)", name, arguments));
    memset(&e->now, 0, sizeof(e->now));
}

static void statements(struct encoder *e, const struct cts_stmt *s)
{
    for (; s && !e->rc; s = s->next) {
        switch (s->kind) {
        case CTS_S_ASSIGN:
            assign(e, s);
            break;
        case CTS_S_LET: {
            const char *value = term(e, s->value);
            e->local[s->local] = bind(e, s->name, value);
            break;
        }
        case CTS_S_GOTO:
            jump(e, s);
            break;
        case CTS_S_CALL:
            call_function(e, s);
            break;
        case CTS_S_EXIT:
            set_output(e, CTS_SO_EXITS, "true");
            break;
        case CTS_S_ATOMIC:
            statements(e, s->body);
            break;
        }
    }
}

int cts_smt_insn_make(const struct cts_spec_insn *row, enum cts_smt_alias alias,
                      struct cts_arena *arena, struct cts_smt_insn *out, struct cts_err *err)
{
    struct encoder *e = cts_arena_take(arena, sizeof(*e));

    memset(out, 0, sizeof(*out));
    out->row = row;
    out->alias = alias;
    if (!e)
        return cts_err_set(err, CTS_E_NOMEM, "no memory for the formulas of %s", row->id);
    e->arena = arena;
    e->out = out;
    e->err = err;
    out->prefix =
        alias == CTS_ALIAS_NONE ? row->id : text(e, "%s.%s", row->id, cts_smt_alias_name(alias));
    for (unsigned r = 0; r < REGS; r++)
        e->reg[r] = (struct value){cts_smt_inputs[r].name, {.inputs = 1u << r}, 0};
    e->mem = (struct value){cts_smt_inputs[CTS_SI_MEM].name, {.inputs = 1u << CTS_SI_MEM}, 0};
    statements(e, row->sema->body);
    for (unsigned r = 0; r < REGS; r++)
        set_written(e, (enum cts_smt_observable)r, &e->reg[r]);
    set_written(e, CTS_SO_MEM, &e->mem);
    return e->rc;
}
