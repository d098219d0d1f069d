/* Outputs that a vector leaves to be computed: its code is run on the reference machine, as a
 * sweep's is. What no input decides must not decide them, nor must the byte order. */
#include <string.h>

#include "build/impl.h"
#include "isa/mach.h"

enum { RUNS = 4 }; /* other rubbish each time, in both byte orders */

static const uint64_t stacks_at = 0x57ac000000001000u;

struct machine {
    struct cts_mach m;
    uint8_t stacks[CTS_MACH_STACKS_BYTES];
};

static uint64_t rubbish(unsigned run, unsigned i)
{
    return (0x9e3779b97f4a7c15u * (16 * (run + 1) + i)) | 0x8000000080000000u;
}

static void fill(struct machine *x, const struct cts_vec_case *kase, const struct cts_binding *bind,
                 unsigned run)
{
    for (unsigned i = 0; i < 10; i++)
        x->m.r[i] = rubbish(run, i);
    for (size_t i = 0; i < sizeof(x->stacks); i++)
        x->stacks[i] = (uint8_t)(rubbish(run, (unsigned)i) >> 13);
    for (size_t i = 0; i < kase->in.reg_count; i++)
        x->m.r[cts_bld_reg(kase->in.regs[i].reg, bind)] = kase->in.regs[i].v;
}

static int run_code(struct machine *x, const struct cts_vec *v, const struct cts_vec_case *kase,
                    const struct cts_concrete *c, unsigned run, struct cts_mach_insn *prog,
                    struct cts_err *err)
{
    const struct cts_vec_pos *pos = &kase->pos;
    struct cts_err why = {0};
    if (cts_mach_decode(c->code, c->slots, false, true, prog, &why) != 0)
        return cts_err_at(err, CTS_E_SCHEMA, pos->file, pos->line, pos->col, "%s", why.msg);
    cts_mach_init(&x->m);
    x->m.prog = prog;
    x->m.prog_slots = c->slots;
    x->m.body_slots = c->body_slots;
    x->m.be = run & 1;
    fill(x, kase, c->binding, run);
    int rc = cts_mach_map_stack(&x->m, stacks_at, x->stacks);
    if (rc == 0 && cts_mach_run(&x->m) != CTS_MACH_ENDED)
        return cts_err_at(err, CTS_E_SCHEMA, pos->file, pos->line, pos->col,
                          "computed: %s does not come to its end: %s", v->id,
                          x->m.stop == CTS_MACH_EXITED ? "it exits" : x->m.why);
    return rc;
}

/* The values of one outcome, into sets that are its own. */
static int take_values(const struct machine *x, const struct cts_binding *bind,
                       const struct cts_vec_state *out, struct cts_vec_set *sets,
                       struct cts_err *err)
{
    for (size_t i = 0; i < out->reg_count; i++) {
        const struct cts_vec_set *from = &out->regs[i];
        uint64_t seen = x->m.r[cts_bld_reg(from->reg, bind)];
        if (from->kind != CTS_VV_COMPUTED)
            continue;
        if (sets[i].kind == CTS_VV_INT && sets[i].v != seen)
            return cts_err_at(err, CTS_E_SCHEMA, from->pos.file, from->pos.line, from->pos.col,
                              "computed: it depends on what `in` does not say, or on the byte "
                              "order");
        sets[i].kind = CTS_VV_INT;
        sets[i].v = seen;
    }
    return 0;
}

static const struct cts_concrete *code_of(const struct cts_plan *p, const struct cts_vec_case *kase)
{
    for (size_t i = 0; i < p->concrete_count; i++)
        if (!kase->has_imm || kase->imm == p->concretes[i].imm)
            return &p->concretes[i];
    return NULL;
}

static int compute_case(struct cts_builder *b, const struct cts_plan *p, struct cts_vec_case *kase,
                        struct machine *x, struct cts_err *err)
{
    const struct cts_concrete *c = code_of(p, kase);
    const struct cts_vec_state *out = &kase->outcomes[0].out;
    struct cts_vec_outcome *own = cts_arena_take(&b->arena, sizeof(*own));
    struct cts_vec_set *sets = cts_arena_take_array(&b->arena, out->reg_count + 1, sizeof(*sets));
    struct cts_mach_insn *prog =
        c ? cts_arena_take_array(&b->arena, c->slots + 1u, sizeof(*prog)) : NULL;
    if (!own || !sets || !prog)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    memcpy(sets, out->regs, out->reg_count * sizeof(*sets));
    int rc = 0;
    for (unsigned run = 0; rc == 0 && run < RUNS; run++) {
        bool be = run & 1;
        if ((be && kase->order == CTS_ORDER_LITTLE) || (!be && kase->order == CTS_ORDER_BIG))
            continue;
        rc = run_code(x, p->v, kase, c, run, prog, err);
        if (rc == 0)
            rc = take_values(x, c->binding, out, sets, err);
    }
    *own = kase->outcomes[0];
    own->out.regs = sets;
    kase->outcomes = own;
    return rc;
}

/* Memory and objects would have to be those of the environment. */
static int refuse_surroundings(const struct cts_vec *v, struct cts_err *err)
{
    bool plain = !v->memory && !v->stack && !v->map_count && !v->name_count && !v->packet_bytes &&
                 !v->has_ctx;
    for (size_t i = 0; plain && i < v->case_count; i++) {
        const struct cts_vec_case *c = &v->cases[i];
        plain = c->outcome_count == 1 && c->outcomes[0].kind == CTS_OUT_RAN;
        for (size_t k = 0; k < c->in.reg_count; k++)
            plain = plain && c->in.regs[k].kind == CTS_VV_INT;
    }
    if (plain)
        return 0;
    return cts_err_at(err, CTS_E_SCHEMA, v->pos.file, v->pos.line, v->pos.col,
                      "computed: only where registers are all that goes in, and there is one "
                      "outcome");
}

int cts_bld_compute(struct cts_builder *b, struct cts_plan *p, struct cts_err *err)
{
    if (!p->v->computed)
        return 0;
    struct cts_vec *own = cts_arena_take(&b->arena, sizeof(*own));
    struct machine *x = cts_arena_take(&b->arena, sizeof(*x));
    struct cts_vec_case *cases = cts_arena_take_array(&b->arena, p->v->case_count, sizeof(*cases));
    int rc = refuse_surroundings(p->v, err);
    if (rc == 0 && p->binding_count > 1)
        rc = cts_err_at(err, CTS_E_SCHEMA, p->v->pos.file, p->v->pos.line, p->v->pos.col,
                        "computed: not with vary");
    if (rc)
        return rc;
    if (!own || !x || !cases)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    memcpy(cases, p->v->cases, p->v->case_count * sizeof(*cases));
    for (size_t i = 0; rc == 0 && i < p->v->case_count; i++)
        rc = compute_case(b, p, &cases[i], x, err);
    *own = *p->v;
    own->cases = cases;
    p->v = own;
    return rc;
}
