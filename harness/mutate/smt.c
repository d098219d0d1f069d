#include "mutate/smt.h"

#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/sha256.h"
#include "host/cache.h"
#include "host/solver.h"
#include "sema/smt.h"

/* CPU_MS: of the solver for a question, where steps are not what takes so long. */
enum { ACCESSES = 16, NAME = 24, CPU_MS = 300000 };

/* What one tree does, as names of SMT-LIB terms. Every step defines a new name. */
struct side {
    struct cts_buf *out;
    const struct cts_spec_insn *row;
    char tag; /* the first letter of its names */
    unsigned next;
    unsigned reg[3], memory; /* numbers of the current names; 0: as in the beginning */
    unsigned local[CTS_SEMA_LOCALS_MAX];
    bool abstract; /* multiplication and division are functions that nothing is known of */
    struct access {
        bool write;
        unsigned bits, at; /* the name of the address */
    } access[ACCESSES];
    unsigned accesses;
    bool too_many;
    unsigned taken, target; /* of a jump: names; 0: none */
    int leaves;             /* 0 falls through, 1 jump, 2 exit, 3 and up calls */
};

static const char *const reg_names[] = {"dst", "src", "r0"};

static const char *reg_name(const struct side *s, unsigned i, char buf[NAME])
{
    if (s->reg[i])
        cts_fmt(buf, NAME, "%c%u", s->tag, s->reg[i]);
    else
        cts_fmt(buf, NAME, "%s", reg_names[i]);
    return buf;
}

static const char *memory_name(const struct side *s, char buf[NAME])
{
    if (s->memory)
        cts_fmt(buf, NAME, "%c%u", s->tag, s->memory);
    else
        cts_fmt(buf, NAME, "memory");
    return buf;
}

static unsigned sort_bits(enum cts_sema_type t)
{
    return cts_sema_type_bits(t);
}

static unsigned begin(struct side *s, enum cts_sema_type t)
{
    cts_buf_addf(s->out, "(define-fun %c%u () ", s->tag, ++s->next);
    cts_sema_smt_sort(t, s->out);
    cts_buf_addc(s->out, ' ');
    return s->next;
}

static void end(struct side *s)
{
    cts_buf_adds(s->out, ")\n");
}

static unsigned term(struct side *s, const struct cts_expr *x);

static const char *name_of(const struct side *s, unsigned term, char buf[NAME])
{
    cts_fmt(buf, NAME, "%c%u", s->tag, term);
    return buf;
}

static unsigned term_convert(struct side *s, const struct cts_expr *x)
{
    char from[NAME];
    unsigned child = term(s, x->child[0]), name = begin(s, x->to);
    cts_sema_smt_convert(x->child[0]->type, x->to, name_of(s, child, from), s->out);
    end(s);
    return name;
}

static bool is_hard(enum cts_sema_op op)
{
    return op == CTS_OP_MUL || op == CTS_OP_MULHI || op == CTS_OP_DIV || op == CTS_OP_MOD;
}

/* What is known of a multiplication or division all the same: x the first operand, y the second, z
 * the result, 0 and 1 of their width. */
static const struct {
    enum cts_sema_op op;
    int is_signed; /* -1: both */
    const char *fact;
} facts[] = {
    {CTS_OP_MUL, -1, "(=> (= x 0) (= z 0))"},
    {CTS_OP_MUL, -1, "(=> (= y 0) (= z 0))"},
    {CTS_OP_MUL, -1, "(=> (= x 1) (= z y))"},
    {CTS_OP_MUL, -1, "(=> (= y 1) (= z x))"},
    {CTS_OP_MULHI, -1, "(=> (= x 0) (= z 0))"},
    {CTS_OP_MULHI, -1, "(=> (= y 0) (= z 0))"},
    {CTS_OP_MULHI, -1, "(= z (f y x))"},
    {CTS_OP_MULHI, 0, "(=> (= x 1) (= z 0))"},
    {CTS_OP_MULHI, 0, "(=> (= y 1) (= z 0))"},
    {CTS_OP_DIV, 0, "(=> (= y 0) (= z (bvnot 0)))"},
    {CTS_OP_DIV, 1, "(=> (= y 0) (= z (ite (bvslt x 0) 1 (bvnot 0))))"},
    {CTS_OP_DIV, -1, "(=> (= y 1) (= z x))"},
    {CTS_OP_DIV, -1, "(=> (and (= x 0) (not (= y 0))) (= z 0))"},
    {CTS_OP_MOD, -1, "(=> (= x 0) (= z 0))"},
    {CTS_OP_MOD, -1, "(=> (= y 0) (= z x))"},
    {CTS_OP_MOD, -1, "(=> (= y 1) (= z 0))"},
    {CTS_OP_MOD, 0, "(=> (bvult x y) (= z x))"},
    {CTS_OP_MOD, 1, "(= z (f x (bvneg y)))"},
};

/* Writes a fact with its letters and numbers replaced. */
static void put_fact(struct side *s, const char *fact, const struct cts_expr *e, unsigned a,
                     unsigned b, unsigned z)
{
    unsigned bits = sort_bits(e->type);
    cts_buf_adds(s->out, "(assert ");
    for (const char *p = fact; *p; p++) {
        bool alone = p > fact && (p[-1] == ' ' || p[-1] == '(') && (p[1] == ' ' || p[1] == ')');
        if (alone && (*p == '0' || *p == '1'))
            cts_buf_addf(s->out, "(_ bv%c %u)", *p, bits);
        else if (alone && (*p == 'x' || *p == 'y' || *p == 'z'))
            cts_buf_addf(s->out, "%c%u", s->tag, *p == 'x' ? a : *p == 'y' ? b : z);
        else if (alone && *p == 'f')
            cts_buf_addf(s->out, "%s_%u", cts_sema_smt_op(e->op, e->type), bits);
        else
            cts_buf_addc(s->out, *p);
    }
    cts_buf_adds(s->out, ")\n");
}

static void put_facts(struct side *s, const struct cts_expr *e, unsigned a, unsigned b, unsigned z)
{
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
        if (facts[i].op == e->op &&
            (facts[i].is_signed < 0 || facts[i].is_signed == cts_sema_type_is_signed(e->type)))
            put_fact(s, facts[i].fact, e, a, b, z);
}

static unsigned term_operator(struct side *s, const struct cts_expr *x)
{
    unsigned a = term(s, x->child[0]), b = x->child[1] ? term(s, x->child[1]) : 0;
    unsigned name = begin(s, x->type);

    if (x->op == CTS_OP_MULHI && !s->abstract) {
        char left[NAME], right[NAME];
        cts_sema_smt_mulhi(x->type, name_of(s, a, left), name_of(s, b, right), s->out);
        end(s);
        return name;
    }
    cts_buf_addf(s->out, "(%s", cts_sema_smt_op(x->op, x->child[0]->type));
    if (s->abstract && is_hard(x->op))
        cts_buf_addf(s->out, "_%u", sort_bits(x->type));
    cts_buf_addf(s->out, " %c%u", s->tag, a);
    if (x->child[1])
        cts_buf_addf(s->out, " %c%u", s->tag, b);
    cts_buf_adds(s->out, ")");
    end(s);
    if (s->abstract && is_hard(x->op))
        put_facts(s, x, a, b, name);
    return name;
}

static unsigned term_cond(struct side *s, const struct cts_expr *x)
{
    unsigned c = term(s, x->child[0]), yes = term(s, x->child[1]), no = term(s, x->child[2]);
    unsigned name = begin(s, x->type);
    cts_buf_addf(s->out, "(ite %c%u %c%u %c%u)", s->tag, c, s->tag, yes, s->tag, no);
    end(s);
    return name;
}

static unsigned swapped(struct side *s, enum cts_sema_type t, unsigned child)
{
    unsigned name = begin(s, t), bytes = sort_bits(t) / 8;
    cts_buf_adds(s->out, "(concat");
    for (unsigned i = 0; i < bytes; i++)
        cts_buf_addf(s->out, " ((_ extract %u %u) %c%u)", 8 * i + 7, 8 * i, s->tag, child);
    cts_buf_adds(s->out, ")");
    end(s);
    return name;
}

/* The value, or its bytes reversed on machines of one order. */
static unsigned swapped_if(struct side *s, enum cts_sema_type t, unsigned child, bool big)
{
    if (sort_bits(t) == 8)
        return child;
    unsigned other = swapped(s, t, child), name = begin(s, t);
    cts_buf_addf(s->out, "(ite big %c%u %c%u)", s->tag, big ? other : child, s->tag,
                 big ? child : other);
    end(s);
    return name;
}

static bool is_packet(enum cts_sema_func func)
{
    return func >= CTS_FN_PACKET8 && func <= CTS_FN_PACKET32;
}

static unsigned term_call(struct side *s, const struct cts_expr *x)
{
    unsigned child = term(s, x->child[0]);
    if (x->func <= CTS_FN_BSWAP64)
        return swapped(s, x->type, child);
    if (x->func < CTS_FN_MAP_BY_FD)
        return swapped_if(s, x->type, child, x->func <= CTS_FN_LE64);
    unsigned name = begin(s, x->type);
    /* Of a place in a packet the low half counts. */
    cts_buf_addf(s->out, is_packet(x->func) ? "(%s ((_ extract 31 0) %c%u))" : "(%s %c%u)",
                 cts_sema_func_name(x->func), s->tag, child);
    end(s);
    return name;
}

static void note_access(struct side *s, bool write, unsigned bits, unsigned at)
{
    s->too_many |= s->accesses == ACCESSES;
    if (!s->too_many)
        s->access[s->accesses++] = (struct access){write, bits, at};
}

static unsigned term_mem(struct side *s, const struct cts_expr *x)
{
    char m[NAME];
    unsigned at = term(s, x->child[0]);
    note_access(s, false, x->bits, at);
    unsigned name = begin(s, x->type);
    if (x->bits > 8)
        cts_buf_adds(s->out, "(concat");
    for (unsigned i = x->bits / 8; i-- > 0;)
        cts_buf_addf(s->out, " (select %s (bvadd %c%u (_ bv%u 64)))", memory_name(s, m), s->tag, at,
                     i);
    if (x->bits > 8)
        cts_buf_adds(s->out, ")");
    end(s);
    return swapped_if(s, x->type, name, true);
}

static unsigned term_operand(struct side *s, const struct cts_expr *x)
{
    char r[NAME];
    unsigned name = begin(s, x->type);
    cts_buf_adds(s->out, x->operand <= CTS_O_R0 ? reg_name(s, (unsigned)x->operand, r)
                                                : cts_sema_operand_name(x->operand));
    end(s);
    return name;
}

static unsigned term_literal(struct side *s, const struct cts_expr *x)
{
    unsigned bits = sort_bits(x->type), name = begin(s, x->type);
    uint64_t v = bits < 64 ? x->value & ((UINT64_C(1) << bits) - 1) : x->value;
    cts_buf_addf(s->out, "(_ bv%llu %u)", (unsigned long long)v, bits);
    end(s);
    return name;
}

static unsigned term(struct side *s, const struct cts_expr *x)
{
    switch (x->kind) {
    case CTS_X_LITERAL:
        return term_literal(s, x);
    case CTS_X_OPERAND:
        return term_operand(s, x);
    case CTS_X_LOCAL:
        return s->local[x->local];
    case CTS_X_MEM:
        return term_mem(s, x);
    case CTS_X_CONVERT:
        return term_convert(s, x);
    case CTS_X_UNARY:
    case CTS_X_BINARY:
        return term_operator(s, x);
    case CTS_X_COND:
        return term_cond(s, x);
    case CTS_X_CALL:
        return term_call(s, x);
    case CTS_X_CHOOSE: /* rows with a choice are not mutated */
        break;
    }
    return 0;
}

/* A register that is the same as another one changes with it. */
static void write_register(struct side *s, unsigned target, unsigned value)
{
    static const char *const same[3][3] = {
        {NULL, "dst_is_src", "dst_is_r0"},
        {"dst_is_src", NULL, "src_is_r0"},
        {"dst_is_r0", "src_is_r0", NULL},
    };
    unsigned changed[3];
    for (unsigned i = 0; i < 3; i++) {
        char old[NAME];
        if (i == target) {
            changed[i] = value;
            continue;
        }
        reg_name(s, i, old);
        changed[i] = begin(s, CTS_T_U64);
        cts_buf_addf(s->out, "(ite %s %c%u %s)", same[target][i], s->tag, value, old);
        end(s);
    }
    memcpy(s->reg, changed, sizeof(changed));
}

static void write_memory(struct side *s, const struct cts_expr *target, unsigned at, unsigned value)
{
    char m[NAME];
    unsigned bytes = target->bits / 8, ordered = swapped_if(s, target->type, value, true);
    note_access(s, true, target->bits, at);
    for (unsigned i = 0; i < bytes; i++) {
        memory_name(s, m);
        cts_buf_addf(s->out,
                     "(define-fun %c%u () (Array (_ BitVec 64) (_ BitVec 8)) (store %s (bvadd %c%u "
                     "(_ bv%u 64)) ((_ extract %u %u) %c%u)))\n",
                     s->tag, ++s->next, m, s->tag, at, i, 8 * i + 7, 8 * i, s->tag, ordered);
        s->memory = s->next;
    }
}

static void statement(struct side *s, const struct cts_stmt *st)
{
    unsigned at = 0, value;
    switch (st->kind) {
    case CTS_S_ASSIGN:
        if (st->target->kind == CTS_X_MEM)
            at = term(s, st->target->child[0]);
        value = term(s, st->value);
        if (st->target->kind == CTS_X_MEM)
            write_memory(s, st->target, at, value);
        else
            write_register(s, (unsigned)st->target->operand, value);
        break;
    case CTS_S_LET:
        s->local[st->local] = term(s, st->value);
        break;
    case CTS_S_GOTO:
        s->taken = st->cond ? term(s, st->cond) : 0;
        s->target = term(s, st->value);
        s->leaves = 1;
        break;
    case CTS_S_CALL:
        s->target = term(s, st->value);
        s->leaves = 3 + (int)st->call;
        break;
    case CTS_S_EXIT:
        s->leaves = 2;
        break;
    case CTS_S_ATOMIC:
        for (const struct cts_stmt *i = st->body; i; i = i->next)
            statement(s, i);
        break;
    }
}

static void declare_abstract(struct cts_buf *out)
{
    static const char *const names[] = {"bvmul",  "umulhi", "smulhi", "bvudiv",
                                        "bvurem", "bvsdiv", "bvsrem"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (unsigned bits = 8; bits <= 64; bits *= 2)
            cts_buf_addf(out, "(declare-fun %s_%u ((_ BitVec %u) (_ BitVec %u)) (_ BitVec %u))\n",
                         names[i], bits, bits, bits, bits);
}

static void declare(const struct cts_spec_insn *row, struct cts_buf *out)
{
    static const struct {
        enum cts_sema_func func;
        unsigned arg, result;
    } functions[] = {
        {CTS_FN_MAP_BY_FD, 32, 64}, {CTS_FN_MAP_BY_IDX, 32, 64}, {CTS_FN_MAP_VAL, 64, 64},
        {CTS_FN_VAR_ADDR, 32, 64},  {CTS_FN_CODE_ADDR, 32, 64},  {CTS_FN_PACKET8, 32, 8},
        {CTS_FN_PACKET16, 32, 16},  {CTS_FN_PACKET32, 32, 32},   {CTS_FN_SLOTS_TO, 64, 64},
        {CTS_FN_ARG_IN, 16, 64},    {CTS_FN_ARG_OUT, 16, 64}};
    for (unsigned i = 0; i < 3; i++)
        cts_buf_addf(out, "(declare-const %s (_ BitVec 64))\n", reg_names[i]);
    cts_buf_adds(out, "(declare-const imm (_ BitVec 32))\n(declare-const next_imm (_ BitVec 32))\n"
                      "(declare-const off (_ BitVec 16))\n(declare-const big Bool)\n"
                      "(declare-const memory (Array (_ BitVec 64) (_ BitVec 8)))\n"
                      "(declare-const dst_is_src Bool)\n(declare-const dst_is_r0 Bool)\n"
                      "(declare-const src_is_r0 Bool)\n"
                      "(assert (=> dst_is_src (= dst src)))\n"
                      "(assert (=> dst_is_r0 (= dst r0)))\n(assert (=> src_is_r0 (= src r0)))\n"
                      "(assert (=> (and dst_is_src dst_is_r0) src_is_r0))\n"
                      "(assert (=> (and dst_is_src src_is_r0) dst_is_r0))\n"
                      "(assert (=> (and dst_is_r0 src_is_r0) dst_is_src))\n");
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        cts_buf_addf(out, "(declare-fun %s ((_ BitVec %u)) (_ BitVec %u))\n",
                     cts_sema_func_name(functions[i].func), functions[i].arg, functions[i].result);
    /* A fixed field holds its value; a register number that is fixed names that register. */
    if (row->enc[CTS_SF_DST].rule == CTS_SR_FIXED)
        cts_buf_addf(out, "(assert %s)\n",
                     row->enc[CTS_SF_DST].value ? "(not dst_is_r0)" : "dst_is_r0");
    if (row->enc[CTS_SF_SRC].rule == CTS_SR_FIXED)
        cts_buf_addf(out, "(assert %s)\n",
                     row->enc[CTS_SF_SRC].value ? "(not src_is_r0)" : "src_is_r0");
    if (row->enc[CTS_SF_IMM].rule == CTS_SR_FIXED)
        cts_buf_addf(out, "(assert (= imm (_ bv%u 32)))\n", (uint32_t)row->enc[CTS_SF_IMM].value);
    if (row->enc[CTS_SF_OFF].rule == CTS_SR_FIXED)
        cts_buf_addf(out, "(assert (= off (_ bv%u 16)))\n",
                     (unsigned)(uint16_t)row->enc[CTS_SF_OFF].value);
}

/* True if they touch memory in the same order and widths, with the addresses that must agree in
 * the text. */
static bool same_accesses(const struct side *a, const struct side *b, struct cts_buf *out)
{
    if (a->accesses != b->accesses || a->too_many || b->too_many)
        return false;
    for (unsigned i = 0; i < a->accesses; i++) {
        if (a->access[i].write != b->access[i].write || a->access[i].bits != b->access[i].bits)
            return false;
        cts_buf_addf(out, " (= a%u b%u)", a->access[i].at, b->access[i].at);
    }
    return true;
}

static void same_flow(const struct side *a, const struct side *b, struct cts_buf *out)
{
    if (a->leaves != b->leaves) {
        cts_buf_adds(out, " false");
        return;
    }
    if (a->leaves == 0 || a->leaves == 2)
        return;
    char ta[NAME], tb[NAME];
    cts_fmt(ta, sizeof(ta), a->taken ? "a%u" : "true", a->taken);
    cts_fmt(tb, sizeof(tb), b->taken ? "b%u" : "true", b->taken);
    /* A jump by 0 is the same as none. */
    if (a->leaves == 1)
        cts_buf_addf(out, " (= (ite %s a%u (_ bv0 64)) (ite %s b%u (_ bv0 64)))", ta, a->target, tb,
                     b->target);
    else
        cts_buf_addf(out, " (= a%u b%u)", a->target, b->target);
}

void cts_smt_question(const struct cts_spec_insn *row, const struct cts_sema *other, bool abstract,
                      struct cts_buf *out)
{
    struct side a = {.out = out, .row = row, .tag = 'a', .abstract = abstract};
    struct side b = {.out = out, .row = row, .tag = 'b', .abstract = abstract};
    char x[NAME], y[NAME];
    declare(row, out);
    if (abstract)
        declare_abstract(out);
    for (const struct cts_stmt *s = row->sema->body; s; s = s->next)
        statement(&a, s);
    for (const struct cts_stmt *s = other->body; s; s = s->next)
        statement(&b, s);
    cts_buf_adds(out, "(assert (not (and true");
    for (unsigned i = 0; i < 3; i++)
        if (a.reg[i] || b.reg[i])
            cts_buf_addf(out, " (= %s %s)", reg_name(&a, i, x), reg_name(&b, i, y));
    if (a.memory || b.memory)
        cts_buf_addf(out, " (= %s %s)", memory_name(&a, x), memory_name(&b, y));
    if (!same_accesses(&a, &b, out))
        cts_buf_adds(out, " false");
    same_flow(&a, &b, out);
    cts_buf_adds(out, ")))\n(check-sat)\n"
                      "(get-value (dst src r0 imm next_imm off big dst_is_src dst_is_r0 "
                      "src_is_r0))\n");
}

/* "((dst #x0000000000000001)": the value of one name in z3's answer. */
static bool answer_value(const char *text, const char *name, char *value, size_t cap)
{
    char key[NAME];
    cts_fmt(key, sizeof(key), "(%s ", name);
    const char *at = strstr(text, key);
    if (!at)
        return false;
    at += strlen(key);
    cts_fmt(value, cap, "%.*s", (int)strcspn(at, ")"), at);
    return true;
}

static void describe(const struct cts_spec_insn *row, const struct cts_sema *other,
                     const char *answer, struct cts_buf *input)
{
    static const char *const flags[] = {"dst_is_src", "dst_is_r0", "src_is_r0"};
    char value[80];
    for (enum cts_sema_operand o = CTS_O_DST; o < CTS_O_COUNT; o++) {
        if (!cts_sema_reads(row->sema, o) && !cts_sema_reads(other, o))
            continue;
        if (answer_value(answer, cts_sema_operand_name(o), value, sizeof(value)) &&
            value[0] == '#' && value[1] == 'x')
            cts_buf_addf(input, "%s%s=0x%llx", input->len ? " " : "", cts_sema_operand_name(o),
                         strtoull(value + 2, NULL, 16));
    }
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (row->enc[CTS_SF_DST].rule == CTS_SR_REG &&
            (i == 1 || cts_sema_reads(row->sema, CTS_O_SRC)) &&
            answer_value(answer, flags[i], value, sizeof(value)) && strcmp(value, "true") == 0)
            cts_buf_addf(input, " %s", flags[i]);
    if ((cts_sema_uses(other) | cts_sema_uses(row->sema)) &
            (CTS_USES_LOAD | CTS_USES_STORE | CTS_USES_ORDER) &&
        answer_value(answer, "big", value, sizeof(value)))
        cts_buf_adds(input, strcmp(value, "true") == 0 ? " big-endian" : " little-endian");
}

/* That two differ as long as nothing is known of an operator says nothing. */
static void read_answer(struct cts_smt_query *q, bool abstract, const char *answer)
{
    if (strncmp(answer, "unsat", 5) == 0)
        q->answer = CTS_SMT_SAME;
    else if (strncmp(answer, "sat", 3) == 0 && !abstract)
        q->answer = CTS_SMT_DIFFERENT;
    if (q->answer == CTS_SMT_DIFFERENT)
        describe(q->row, q->other, answer, &q->input);
}

/* Indices of the queries that are open, and the questions for them: each starts from nothing. The
 * texts stand behind one another in `text`. */
static size_t make_questions(const struct cts_smt_query *q, size_t n, bool abstract,
                             struct cts_buf *text, size_t *index,
                             struct cts_solver_question *questions)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        if (q[i].answer != CTS_SMT_UNKNOWN || (abstract && !q[i].hard))
            continue;
        questions[count].at = text->len;
        index[count++] = i;
        cts_buf_adds(text, "(reset)\n");
        cts_smt_question(q[i].row, q[i].other, abstract, text);
        cts_buf_addc(text, '\0');
    }
    for (size_t i = 0; i < count; i++)
        questions[i].text = text->data + questions[i].at;
    return count;
}

static void ask(const char *z3, struct cts_smt_query *q, size_t n, bool abstract, uint64_t steps)
{
    struct cts_solver_opts opts = {.program = z3, .steps = steps, .cpu_ms = CPU_MS};
    struct cts_solver_question *questions = calloc(n + 1, sizeof(*questions));
    size_t *index = calloc(n + 1, sizeof(*index)), count = 0;
    struct cts_buf text, answers;

    cts_buf_init(&text, 0);
    cts_buf_init(&answers, 0);
    if (questions && index)
        count = make_questions(q, n, abstract, &text, index, questions);
    if (count && !text.failed && cts_solver_ask(&opts, questions, count, &answers, NULL) == 0)
        for (size_t i = 0; i < count; i++)
            if (questions[i].end == CTS_SOLVER_ANSWERED && questions[i].len)
                read_answer(&q[index[i]], abstract, answers.data + questions[i].at);
    cts_buf_release(&text);
    cts_buf_release(&answers);
    free(questions);
    free(index);
}

static bool expr_is_hard(const struct cts_expr *x)
{
    if (!x)
        return false;
    if (x->kind == CTS_X_BINARY && is_hard(x->op))
        return true;
    return expr_is_hard(x->child[0]) || expr_is_hard(x->child[1]) || expr_is_hard(x->child[2]);
}

static bool tree_is_hard(const struct cts_stmt *s)
{
    for (; s; s = s->next)
        if (expr_is_hard(s->value) || expr_is_hard(s->cond) || tree_is_hard(s->body))
            return true;
    return false;
}

/* ---- answers of earlier runs ---- */

static void record_name(const struct cts_smt_query *q, char name[65])
{
    struct cts_sha256 sum;
    struct cts_buf text;
    uint8_t digest[32];
    cts_buf_init(&text, 0);
    cts_smt_question(q->row, q->other, false, &text);
    cts_sha256_init(&sum);
    cts_sha256_add(&sum, cts_buf_text(&text), text.len);
    cts_sha256_end(&sum, digest);
    cts_sha256_hex(digest, name);
    cts_buf_release(&text);
}

static void recall(int cache, struct cts_smt_query *q)
{
    char name[65];
    struct cts_buf text;
    record_name(q, name);
    cts_buf_init(&text, 0);
    int rc = cts_cache_get(cache, name, 4096, &text, NULL);
    q->damaged = rc && rc != CTS_E_NOTFOUND;
    if (rc == 0) {
        if (strcmp(cts_buf_text(&text), "same") == 0)
            q->answer = CTS_SMT_SAME;
        else if (strncmp(cts_buf_text(&text), "different ", 10) == 0)
            q->answer = CTS_SMT_DIFFERENT;
        if (q->answer == CTS_SMT_DIFFERENT)
            cts_buf_adds(&q->input, cts_buf_text(&text) + 10);
    }
    cts_buf_release(&text);
}

/* A cache that cannot be written is none. */
static void remember(int cache, const struct cts_smt_query *q)
{
    char name[65], text[4096];
    if (q->answer == CTS_SMT_UNKNOWN)
        return;
    record_name(q, name);
    cts_fmt(text, sizeof(text), q->answer == CTS_SMT_SAME ? "same" : "different %s",
            cts_buf_text(&q->input));
    cts_cache_put(cache, name, text, strlen(text), NULL);
}

void cts_smt_ask(const char *z3, int cache, struct cts_smt_query *q, size_t n, uint64_t steps)
{
    bool *known = calloc(n + 1, sizeof(*known));
    for (size_t i = 0; i < n; i++) {
        q[i].answer = CTS_SMT_UNKNOWN;
        q[i].damaged = false;
        q[i].hard = tree_is_hard(q[i].row->sema->body) || tree_is_hard(q[i].other->body);
        cts_buf_init(&q[i].input, 4096);
        if (cache >= 0 && known)
            recall(cache, &q[i]);
        if (known)
            known[i] = q[i].answer != CTS_SMT_UNKNOWN;
    }
    /* Multiplication and division are hard to reason about, and mostly there is no need to. */
    ask(z3, q, n, true, steps);
    ask(z3, q, n, false, steps);
    for (size_t i = 0; cache >= 0 && known && i < n; i++)
        if (!known[i])
            remember(cache, &q[i]);
    free(known);
}
