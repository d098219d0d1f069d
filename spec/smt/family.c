/* Laws that hold for whole families of rows, found by their names, encodings and formulas. */
#include "smt_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

enum { CLASS_LD, CLASS_LDX, CLASS_ST, CLASS_STX, CLASS_ALU, CLASS_JMP, CLASS_JMP32, CLASS_ALU64 };

struct family {
    struct cts_laws *laws;
    const struct cts_spec *spec;
    struct cts_smt_insn *row; /* those with formulas, without aliases; of CTS_SPEC_INSNS_MAX */
    size_t rows;
    struct cts_err *err;
};

static unsigned class_of(const struct cts_spec_insn *row)
{
    return (unsigned)row->enc[CTS_SF_OPCODE].value & 7;
}

/* Byte swaps: the class says nothing of their width. */
static bool is_swap(const struct cts_spec_insn *row)
{
    return (row->enc[CTS_SF_OPCODE].value & 0xf0) == 0xd0;
}

static bool is_atomic(const struct cts_spec_insn *row)
{
    return class_of(row) == CLASS_STX && (row->enc[CTS_SF_OPCODE].value & 0xe0) == 0xc0;
}

static const struct cts_smt_insn *find(const struct family *f, const char *id)
{
    for (size_t i = 0; i < f->rows; i++) {
        if (strcmp(f->row[i].row->id, id) == 0)
            return &f->row[i];
    }
    return NULL;
}

/* --- making laws --------------------------------------------------------------------------------
 */

static const char *text(struct family *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static const char *text(struct family *f, const char *fmt, ...)
{
    struct cts_buf b;
    const char *copy;
    va_list ap;

    cts_buf_init(&b, 1 << 20);
    va_start(ap, fmt);
    cts_buf_addvf(&b, fmt, ap);
    va_end(ap);
    copy = b.failed ? NULL : cts_arena_strdup(&f->laws->arena, cts_buf_text(&b));
    cts_buf_release(&b);
    return copy;
}

/* Declarations for all inputs of a mask; the names of those that can be shown go to *names. */
static const char *declare(struct family *f, unsigned inputs, const char *more, const char **names)
{
    const char *vars = text(f, "%s", more);
    *names = "";
    for (unsigned i = 0; vars && *names && i < CTS_SI_COUNT; i++) {
        if (!(inputs >> i & 1))
            continue;
        vars = text(f, "%s(declare-const %s %s)", vars, cts_smt_inputs[i].name,
                    cts_smt_inputs[i].sort);
        if (i != CTS_SI_MEM)
            *names = text(f, "%s %s", *names, cts_smt_inputs[i].name);
    }
    return vars;
}

static int add(struct family *f, const char *id, const char *says, unsigned inputs,
               const char *more_vars, const char *holds)
{
    struct cts_law *law = cts_laws_add(f->laws, f->err);

    if (!law)
        return CTS_E_LIMIT;
    law->id = id;
    law->says = says;
    law->vars = declare(f, inputs, more_vars, &law->names);
    law->holds = holds;
    law->generated = true;
    if (!id || !says || !law->vars || !law->names || !holds)
        return cts_err_set(f->err, CTS_E_NOMEM, "no memory for the laws");
    return 0;
}

/* (PREFIX.OBSERVABLE arguments), each input as given in `as`, or by its name. */
static const char *apply(struct family *f, const struct cts_smt_insn *r, unsigned o,
                         const char *const as[CTS_SI_COUNT])
{
    const char *arguments = "";

    for (unsigned i = 0; arguments && i < CTS_SI_COUNT; i++) {
        if (r->out[o].inputs >> i & 1)
            arguments = text(f, "%s %s", arguments, as && as[i] ? as[i] : cts_smt_inputs[i].name);
    }
    if (!arguments)
        return NULL;
    return text(f, *arguments ? "(%s.%s%s)" : "%s.%s%s", r->prefix, cts_smt_observables[o].name,
                arguments);
}

/* --- the families --------------------------------------------------------------------------------
 */

static int total(struct family *f, const struct cts_smt_insn *r)
{
    const char *holds = "false";
    unsigned inputs = 0;

    if (r->bads == 0)
        return 0;
    for (unsigned i = 0; holds && i < r->bads; i++) {
        holds = text(f, "(or %s %s)", r->bad[i].text, holds);
        inputs |= r->bad[i].inputs;
    }
    return add(f, text(f, "total-%s", r->row->id),
               "No divisor is zero and no shift count reaches the width, whatever the operands.",
               inputs, "", holds ? text(f, "(not %s)", holds) : NULL);
}

static const char *const IMM_AS_SRC[CTS_SI_COUNT] = {
    [CTS_SI_SRC] = "((_ sign_extend 32) imm)",
};

static int k_is_x(struct family *f, const struct cts_smt_insn *k)
{
    size_t len = strlen(k->row->id);
    char id[128];
    const struct cts_smt_insn *x;
    int rc = 0;

    if (len < 2 || len >= sizeof(id) || strcmp(k->row->id + len - 2, "_k") != 0)
        return 0;
    cts_fmt(id, sizeof(id), "%.*s_x", (int)(len - 2), k->row->id);
    x = find(f, id);
    for (unsigned o = 0; x && !rc && o < CTS_SO_COUNT; o++) {
        if (!k->out[o].text && !x->out[o].text)
            continue;
        /* An observable of only one of them is a difference. */
        const char *holds =
            k->out[o].text && x->out[o].text
                ? text(f, "(= %s %s)", apply(f, k, o, NULL), apply(f, x, o, IMM_AS_SRC))
                : "false";
        rc = add(f, text(f, "k-is-x-%s-%s", k->row->id, cts_smt_observables[o].name),
                 "The form with an immediate is the one with a register that holds it, "
                 "sign-extended.",
                 k->out[o].inputs | (x->out[o].inputs & ~(1u << CTS_SI_SRC)), "", holds);
    }
    return rc;
}

static const char *const LOW_HALVES[CTS_SI_COUNT] = {
    [CTS_SI_DST] = "(concat high ((_ extract 31 0) dst))",
    [CTS_SI_SRC] = "(concat low ((_ extract 31 0) src))",
};
static const char UPPER_VARS[] =
    "(declare-const high (_ BitVec 32))(declare-const low (_ BitVec 32))";

static int narrow(struct family *f, const struct cts_smt_insn *r)
{
    unsigned class = class_of(r->row), registers = 1u << CTS_SI_DST | 1u << CTS_SI_SRC;
    int rc = 0;

    if ((class != CLASS_ALU && class != CLASS_JMP32) || is_swap(r->row))
        return 0;
    for (unsigned o = 0; !rc && o < CTS_SO_COUNT; o++) {
        if (!r->out[o].text || !(r->out[o].inputs & registers))
            continue;
        rc = add(f, text(f, "low-halves-%s-%s", r->row->id, cts_smt_observables[o].name),
                 "Only the low halves of the registers count.", r->out[o].inputs, UPPER_VARS,
                 text(f, "(= %s %s)", apply(f, r, o, NULL), apply(f, r, o, LOW_HALVES)));
    }
    if (!rc && class == CLASS_ALU && r->out[CTS_SO_DST].text)
        rc = add(f, text(f, "upper-zero-%s", r->row->id), "The upper half of the result is zero.",
                 r->out[CTS_SO_DST].inputs, "",
                 text(f, "(= ((_ extract 63 32) %s) #x00000000)", apply(f, r, CTS_SO_DST, NULL)));
    return rc;
}

static int bounded_store(struct family *f, const struct cts_smt_insn *r)
{
    const char *holds;

    if (!r->out[CTS_SO_MEM].text || !r->address)
        return 0;
    holds = text(f,
                 "(let ((probe (bvadd %s distance))) (=> (bvuge distance #x%016x) (= (select %s "
                 "probe) (select mem probe))))",
                 r->address, r->accesses / 8, apply(f, r, CTS_SO_MEM, NULL));
    return add(f, text(f, "touches-only-%s", r->row->id),
               "Memory elsewhere than at the addressed bytes is as it was.",
               r->out[CTS_SO_MEM].inputs | r->address_inputs,
               "(declare-const distance (_ BitVec 64))", holds);
}

static int target(struct family *f, const struct cts_smt_insn *r)
{
    const struct cts_smt_term *next = &r->out[CTS_SO_NEXT];
    const char *to;

    if (!next->text)
        return 0;
    if (!(next->inputs & (1u << CTS_SI_OFF | 1u << CTS_SI_IMM)))
        return 0;
    to = next->inputs >> CTS_SI_OFF & 1 ? "((_ sign_extend 48) off)" : "((_ sign_extend 32) imm)";
    return add(
        f, text(f, "target-%s", r->row->id),
        "Control goes the signed distance if the jump is taken, else to the next instruction.",
        next->inputs | r->out[CTS_SO_TAKEN].inputs, "",
        text(f, "(= %s (ite %s %s #x0000000000000000))", apply(f, r, CTS_SO_NEXT, NULL),
             apply(f, r, CTS_SO_TAKEN, NULL), to));
}

/* What may change in each class. */
static int shape(struct family *f, const struct cts_smt_insn *r)
{
    enum {
        DST = 1u << CTS_SO_DST,
        SRC = 1u << CTS_SO_SRC,
        R0 = 1u << CTS_SO_R0,
        MEM = 1u << CTS_SO_MEM,
        FLOW = 1u << CTS_SO_TAKEN | 1u << CTS_SO_NEXT | 1u << CTS_SO_EXITS,
    };
    static const unsigned allowed[8] = {
        [CLASS_LD] = DST | R0,
        [CLASS_LDX] = DST,
        [CLASS_ST] = MEM,
        [CLASS_STX] = MEM,
        [CLASS_ALU] = DST,
        [CLASS_ALU64] = DST,
        [CLASS_JMP] = FLOW | R0 | MEM,
        [CLASS_JMP32] = FLOW,
    };
    unsigned may = is_atomic(r->row) ? MEM | DST | SRC | R0 : allowed[class_of(r->row)];
    unsigned changed = 0;

    for (unsigned o = 0; o < CTS_SO_COUNT; o++)
        changed |= (r->out[o].text ? 1u : 0) << o;
    return add(f, text(f, "changes-%s", r->row->id),
               "Loads do not change memory, stores no register, arithmetic and loads do not jump, "
               "jumps change nothing but the flow.",
               0, "", changed & ~may ? "false" : "true");
}

/* One register in two places: as if two registers had held the same. */
static int alias(struct family *f, const struct cts_smt_insn *r, enum cts_smt_alias kind)
{
    const char *as[CTS_SI_COUNT] = {NULL};
    struct cts_smt_insn joined;
    int rc = cts_smt_insn_make(r->row, kind, &f->laws->arena, &joined, f->err);

    for (unsigned i = 0; i < 3; i++)
        as[i] = cts_smt_inputs[cts_smt_alias_cell(kind, i)].name;
    for (unsigned o = 0; !rc && o < CTS_SO_COUNT; o++) {
        unsigned from = o, writers = 0;
        if (!joined.out[o].text)
            continue;
        for (unsigned i = 0; o < 3 && i < 3; i++) {
            if (r->out[i].text && cts_smt_alias_cell(kind, i) == o) {
                from = i;
                writers++;
            }
        }
        if (writers > 1)
            continue; /* the later one wins: nothing to compare with */
        rc = add(f,
                 text(f, "alias-%s-%s-%s", r->row->id, cts_smt_alias_name(kind),
                      cts_smt_observables[o].name),
                 "One register in two places is like two registers with the same value.",
                 joined.out[o].inputs, "",
                 text(f, "(= %s %s)", apply(f, &joined, o, NULL), apply(f, r, from, as)));
    }
    return rc;
}

static int aliases(struct family *f, const struct cts_smt_insn *r)
{
    int rc = 0;

    for (enum cts_smt_alias a = CTS_ALIAS_DST_SRC; !rc && a < CTS_ALIAS_COUNT; a++) {
        if (cts_smt_alias_possible(r->row, a))
            rc = alias(f, r, a);
    }
    return rc;
}

int cts_laws_generate(struct cts_laws *laws, const struct cts_spec *spec, struct cts_err *err)
{
    static int (*const families[])(struct family *, const struct cts_smt_insn *) = {
        total, k_is_x, narrow, bounded_store, target, shape, aliases,
    };
    struct family f = {.laws = laws, .spec = spec, .err = err};
    int rc = 0;

    f.row = cts_arena_take_array(&laws->arena, spec->row_count + 1, sizeof(*f.row));
    if (!f.row)
        return cts_err_set(err, CTS_E_NOMEM, "no memory for the laws");
    for (size_t i = 0; !rc && i < spec->row_count; i++) {
        if (spec->rows[i].sema)
            rc = cts_smt_insn_make(&spec->rows[i], CTS_ALIAS_NONE, &laws->arena, &f.row[f.rows++],
                                   err);
    }
    for (size_t k = 0; k < sizeof(families) / sizeof(families[0]); k++) {
        for (size_t i = 0; !rc && i < f.rows; i++)
            rc = families[k](&f, &f.row[i]);
    }
    return rc;
}
