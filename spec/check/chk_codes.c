/* What `does` does is what the opcode's code, mode and selectors name in the tables of RFC 9669
 * sections 4.1 to 4.3 and 5: the operator and its sign, the comparison, the kind of call, the
 * direction of a load or store, the atomic operation. */
#include <stdio.h>
#include <string.h>

#include "sema/sema.h"
#include "spec_check/check.h"

enum { LD, LDX, ST, STX, ALU, JMP, JMP32, ALU64 };
enum { ANY_SIGN = -1, UNSIGNED = 0, SIGNED = 1 };
enum { MODE_MEMSX = 0x80, MODE_ATOMIC = 0xc0, FETCH = 1 };

struct named_op {
    bool given;
    enum cts_sema_op op;
    int sign;
};

/* Section 4.1, table 5; DIV and MOD are signed with offset 1. */
static const struct named_op ALU_OPS[16] = {
    [0x0] = {true, CTS_OP_ADD, ANY_SIGN}, [0x1] = {true, CTS_OP_SUB, ANY_SIGN},
    [0x2] = {true, CTS_OP_MUL, ANY_SIGN}, [0x3] = {true, CTS_OP_DIV, UNSIGNED},
    [0x4] = {true, CTS_OP_OR, ANY_SIGN},  [0x5] = {true, CTS_OP_AND, ANY_SIGN},
    [0x6] = {true, CTS_OP_SHL, ANY_SIGN}, [0x7] = {true, CTS_OP_SHR, UNSIGNED},
    [0x8] = {true, CTS_OP_NEG, ANY_SIGN}, [0x9] = {true, CTS_OP_MOD, UNSIGNED},
    [0xa] = {true, CTS_OP_XOR, ANY_SIGN}, [0xc] = {true, CTS_OP_SHR, SIGNED},
};

/* Section 4.3, table 7. */
static const struct named_op JMP_OPS[16] = {
    [0x1] = {true, CTS_OP_EQ, ANY_SIGN}, [0x2] = {true, CTS_OP_GT, UNSIGNED},
    [0x3] = {true, CTS_OP_GE, UNSIGNED}, [0x4] = {true, CTS_OP_NE, ANY_SIGN},
    [0x5] = {true, CTS_OP_NE, ANY_SIGN}, [0x6] = {true, CTS_OP_GT, SIGNED},
    [0x7] = {true, CTS_OP_GE, SIGNED},   [0xa] = {true, CTS_OP_LT, UNSIGNED},
    [0xb] = {true, CTS_OP_LE, UNSIGNED}, [0xc] = {true, CTS_OP_LT, SIGNED},
    [0xd] = {true, CTS_OP_LE, SIGNED},
};

/* Section 5.3, tables 13 and 14. */
static const struct {
    int imm;
    struct named_op op;
    bool fetch, compares;
} ATOMIC_OPS[] = {
    {0x00, {true, CTS_OP_ADD, ANY_SIGN}, false, false},
    {0x40, {true, CTS_OP_OR, ANY_SIGN}, false, false},
    {0x50, {true, CTS_OP_AND, ANY_SIGN}, false, false},
    {0xa0, {true, CTS_OP_XOR, ANY_SIGN}, false, false},
    {0x01, {true, CTS_OP_ADD, ANY_SIGN}, true, false},
    {0x41, {true, CTS_OP_OR, ANY_SIGN}, true, false},
    {0x51, {true, CTS_OP_AND, ANY_SIGN}, true, false},
    {0xa1, {true, CTS_OP_XOR, ANY_SIGN}, true, false},
    {0xe1, {false, CTS_OP_COUNT, ANY_SIGN}, true, false},
    {0xf1, {false, CTS_OP_COUNT, ANY_SIGN}, false, true},
};

struct codes {
    struct cts_check_run *run;
    const struct cts_spec_insn *row;
    /* What is in `does`; shift counts, addresses and conditions of ?: are passed over. */
    unsigned ops[CTS_OP_COUNT][2]; /* by sign */
    unsigned calls[CTS_FN_COUNT];
    unsigned sign_extensions;
    const struct cts_stmt *jump; /* goto, call or exit */
    bool loads, stores, atomic;
};

static void fault(const struct codes *c, const char *what)
{
    cts_check_fault_at(c->run, cts_yaml_get(c->row->node, "does"), "%s: by opcode 0x%02x it %s: %s",
                       c->row->id, (unsigned)c->row->enc[CTS_SF_OPCODE].value, what, c->row->does);
}

/* --- what `does` holds --------------------------------------------------------------------- */

static void collect(struct codes *c, const struct cts_expr *e)
{
    bool shift = e->kind == CTS_X_BINARY && (e->op == CTS_OP_SHL || e->op == CTS_OP_SHR);

    if (e->kind == CTS_X_BINARY || e->kind == CTS_X_UNARY)
        c->ops[e->op][cts_sema_type_is_signed(e->child[0]->type)]++;
    if (e->kind == CTS_X_CALL)
        c->calls[e->func]++;
    if (e->kind == CTS_X_CONVERT && cts_sema_type_is_signed(e->child[0]->type) &&
        e->child[0]->kind == CTS_X_CONVERT)
        c->sign_extensions++;
    if (e->kind == CTS_X_MEM) {
        c->loads = true;
        return;
    }
    if (e->kind == CTS_X_COND) {
        collect(c, e->child[1]);
        collect(c, e->child[2]);
        return;
    }
    for (size_t k = 0; k < (shift ? 1 : 3) && e->child[k]; k++)
        collect(c, e->child[k]);
}

static void collect_stmt(struct codes *c, const struct cts_stmt *s)
{
    bool named = s->kind == CTS_S_LET && s->value->type == CTS_T_U64 && c->row->sema->locals > 1 &&
                 s->local == 0; /* the address of an atomic operation */

    if (s->kind == CTS_S_ASSIGN || (s->kind == CTS_S_LET && !named))
        collect(c, s->value);
    if (s->kind == CTS_S_ASSIGN && s->target->kind == CTS_X_MEM)
        c->stores = true;
    if (s->kind == CTS_S_GOTO || s->kind == CTS_S_CALL || s->kind == CTS_S_EXIT)
        c->jump = s;
    if (s->cond)
        collect(c, s->cond);
    c->atomic |= s->kind == CTS_S_ATOMIC;
    for (const struct cts_stmt *b = s->body; b; b = b->next)
        collect_stmt(c, b);
}

/* --- comparing ----------------------------------------------------------------------------- */

static unsigned count_op(const struct codes *c, enum cts_sema_op op)
{
    return c->ops[op][0] + c->ops[op][1];
}

static unsigned count_range(const struct codes *c, enum cts_sema_op from, enum cts_sema_op to)
{
    unsigned n = 0;
    for (int op = (int)from; op <= (int)to; op++)
        n += count_op(c, (enum cts_sema_op)op);
    return n;
}

static bool has_op(const struct codes *c, const struct named_op *want)
{
    return want->sign == ANY_SIGN ? count_op(c, want->op) == 1 : c->ops[want->op][want->sign] == 1;
}

static void check_alu(const struct codes *c, unsigned code)
{
    struct named_op want = ALU_OPS[code];
    const struct cts_spec_enc *off = &c->row->enc[CTS_SF_OFF];
    unsigned all =
        count_range(c, CTS_OP_ADD, CTS_OP_SHR) + count_op(c, CTS_OP_NEG) + count_op(c, CTS_OP_INV);

    if ((code == 3 || code == 9) && off->rule == CTS_SR_FIXED && off->value == 1)
        want.sign = SIGNED;
    if (!want.given && all)
        fault(c, "moves, and there is an operator");
    else if (want.given && (all != 1 || !has_op(c, &want)))
        fault(c, "has another operator, or the other sign");
    if (code == 0xb && (c->sign_extensions != 0) != (off->value != 0))
        fault(c, off->value ? "extends the sign" : "does not extend a sign");
}

static void check_end(const struct codes *c, int opcode, int bits)
{
    static const enum cts_sema_func funcs[3][3] = {
        {CTS_FN_LE16, CTS_FN_LE32, CTS_FN_LE64},
        {CTS_FN_BE16, CTS_FN_BE32, CTS_FN_BE64},
        {CTS_FN_BSWAP16, CTS_FN_BSWAP32, CTS_FN_BSWAP64},
    };
    size_t kind = (opcode & 7) == ALU64 ? 2 : (opcode & 8) ? 1 : 0;
    size_t width = bits == 16 ? 0 : bits == 32 ? 1 : 2;
    unsigned all = 0;

    for (size_t f = 0; f < CTS_FN_COUNT; f++)
        all += c->calls[f];
    if (all != 1 || c->calls[funcs[kind][width]] != 1)
        fault(c, "is another byte order operation");
}

static void check_call(const struct codes *c)
{
    const struct cts_spec_enc *src = &c->row->enc[CTS_SF_SRC];
    static const enum cts_sema_call by_src[] = {CTS_CALL_HELPER, CTS_CALL_LOCAL, CTS_CALL_BTF};

    if (!c->jump || c->jump->kind != CTS_S_CALL || src->value > 2 ||
        c->jump->call != by_src[src->value])
        fault(c, "is another kind of call");
}

static void check_jump(const struct codes *c, unsigned code)
{
    const struct named_op *want = &JMP_OPS[code];
    bool is_goto = c->jump && c->jump->kind == CTS_S_GOTO;

    if (code == 8) {
        check_call(c);
    } else if (code == 9) {
        if (!c->jump || c->jump->kind != CTS_S_EXIT)
            fault(c, "ends the function");
    } else if (code == 0) {
        if (!is_goto || c->jump->cond)
            fault(c, "jumps without a condition");
    } else if (!is_goto || !c->jump->cond || count_range(c, CTS_OP_EQ, CTS_OP_GE) != 1 ||
               !has_op(c, want) || count_op(c, CTS_OP_AND) != (code == 4)) {
        fault(c, "jumps on another condition, or with the other sign");
    }
}

static void check_atomic(const struct codes *c, int imm)
{
    const size_t n = sizeof(ATOMIC_OPS) / sizeof(ATOMIC_OPS[0]);
    size_t i = 0;
    unsigned all = count_range(c, CTS_OP_ADD, CTS_OP_SHR);

    while (i < n && ATOMIC_OPS[i].imm != imm)
        i++;
    if (i == n || !c->atomic || !c->stores || !c->loads) {
        fault(c, "is an atomic operation on memory");
        return;
    }
    const struct named_op *op = &ATOMIC_OPS[i].op;
    if (op->given ? all != 1 || !has_op(c, op) : all != 0)
        fault(c, "is an atomic operation with another operator");
    if (cts_sema_writes(c->row->sema, CTS_O_SRC) != ATOMIC_OPS[i].fetch)
        fault(c, ATOMIC_OPS[i].fetch ? "fetches into src" : "does not change src");
    if (cts_sema_writes(c->row->sema, CTS_O_R0) != ATOMIC_OPS[i].compares)
        fault(c, ATOMIC_OPS[i].compares ? "fetches into r0" : "does not change r0");
}

static void check_memory(const struct codes *c, int opcode)
{
    int class = opcode & 7, mode = opcode & 0xe0;
    const struct cts_sema *sema = c->row->sema;

    if (class == STX && mode == MODE_ATOMIC) {
        check_atomic(c, c->row->enc[CTS_SF_IMM].value);
        return;
    }
    if (c->atomic || c->jump)
        fault(c, "is a plain access");
    if (class == LDX && (!c->loads || c->stores || !cts_sema_writes(sema, CTS_O_DST)))
        fault(c, "loads into dst");
    if (class == LDX && (c->sign_extensions != 0) != (mode == MODE_MEMSX))
        fault(c, mode == MODE_MEMSX ? "extends the sign" : "does not extend a sign");
    if ((class == ST || class == STX) && (!c->stores || c->loads))
        fault(c, "stores");
    if (class == STX && !cts_sema_reads(sema, CTS_O_SRC))
        fault(c, "stores src");
    if (class == ST && !cts_sema_reads(sema, CTS_O_IMM))
        fault(c, "stores imm");
}

/* ABS and IND: the size is in the function. */
static void check_packet(const struct codes *c, int opcode)
{
    static const enum cts_sema_func by_size[] = {CTS_FN_PACKET32, CTS_FN_PACKET16, CTS_FN_PACKET8,
                                                 CTS_FN_COUNT};
    enum cts_sema_func func = by_size[opcode >> 3 & 3];

    if (func == CTS_FN_COUNT || c->calls[func] != 1 || !cts_sema_writes(c->row->sema, CTS_O_R0))
        fault(c, "loads a piece of the packet of another size");
    if (cts_sema_reads(c->row->sema, CTS_O_SRC) != ((opcode & 0xe0) == 0x40))
        fault(c, "takes its place from imm, and in mode IND from src");
}

/* Section 5.4: the subtypes. */
static void check_wide(const struct codes *c)
{
    static const struct {
        unsigned fd, idx, val, var, code;
    } by_src[] = {{0, 0, 0, 0, 0}, {1, 0, 0, 0, 0}, {1, 0, 1, 0, 0}, {0, 0, 0, 1, 0},
                  {0, 0, 0, 0, 1}, {0, 1, 0, 0, 0}, {0, 1, 1, 0, 0}};
    int src = c->row->enc[CTS_SF_SRC].value;

    if (src < 0 || src > 6 || c->calls[CTS_FN_MAP_BY_FD] != by_src[src].fd ||
        c->calls[CTS_FN_MAP_BY_IDX] != by_src[src].idx ||
        c->calls[CTS_FN_MAP_VAL] != by_src[src].val ||
        c->calls[CTS_FN_VAR_ADDR] != by_src[src].var ||
        c->calls[CTS_FN_CODE_ADDR] != by_src[src].code)
        fault(c, "is another subtype");
}

static void check_row(struct cts_check_run *run, const struct cts_spec_insn *row)
{
    struct codes c = {.run = run, .row = row};
    int opcode = row->enc[CTS_SF_OPCODE].value, class = opcode & 7;
    unsigned code = (unsigned)opcode >> 4;

    for (const struct cts_stmt *s = row->sema->body; s; s = s->next)
        collect_stmt(&c, s);
    if ((class == ALU || class == ALU64) && code == 0xd)
        check_end(&c, opcode, row->enc[CTS_SF_IMM].value);
    else if (class == ALU || class == ALU64)
        check_alu(&c, code);
    else if (class == JMP || class == JMP32)
        check_jump(&c, code);
    else if (class != LD)
        check_memory(&c, opcode);
    else if (row->wide)
        check_wide(&c);
    else
        check_packet(&c, opcode);
}

static void run_codes(struct cts_check_run *run)
{
    size_t later = 0;

    for (size_t i = 0; i < run->spec->row_count; i++) {
        const struct cts_spec_insn *row = &run->spec->rows[i];
        if (row->slot)
            continue;
        if (row->origin != CTS_ORIGIN_RFC) {
            later++;
            continue;
        }
        run->looked++;
        check_row(run, row);
    }
    if (later)
        snprintf(run->more, sizeof(run->more), "%zu rows of no RFC table are left out", later);
}

const struct cts_check cts_check_codes = {
    .name = "codes",
    .what = "`does` has the operator, sign and direction that the opcode names",
    .unit = "instructions",
    .run = run_codes,
};
