#include "build/impl.h"

#include <string.h>

#include "pack/uses.h"
#include "wire/wire.h"

/* What all units of a vector share while it is written. */
struct emitter {
    struct cts_builder *b;
    const struct cts_plan *plan;
    const struct cts_vec *v;
    uint32_t vector, first_case;
    struct cts_pk_range packet, maps, names;
    uint32_t uses; /* enum cts_feature, of the units so far */
};

/* A unit about to be written. */
struct unit {
    const struct cts_concrete *c;
    const uint8_t *code;
    uint32_t slots, body_slots;
    enum cts_operands operands;
    const struct cts_scratch *scratch;
    int32_t spill;
    const size_t *cases; /* numbers of the cases that are its rows */
    size_t case_count;
};

static struct cts_pk_range refs(struct cts_builder *b, const char *const *list, size_t n)
{
    struct cts_pk_range r = {cts_pkw_count(&b->w, CTS_PT_STRING_REFS), (uint32_t)n};
    for (size_t i = 0; i < n; i++)
        cts_pkw_ref(&b->w, list[i]);
    return r;
}

static struct cts_pk_range insn_ids(struct cts_builder *b, const struct cts_vec *v)
{
    struct cts_pk_range r = {cts_pkw_count(&b->w, CTS_PT_INSN_IDS), (uint32_t)v->row_count};
    for (size_t i = 0; i < v->row_count; i++) {
        uint16_t id = (uint16_t)cts_insn_find(v->rows[i]);
        cts_pkw_add(&b->w, CTS_PT_INSN_IDS, &id);
    }
    return r;
}

static void emit_cases(struct emitter *e)
{
    for (size_t i = 0; i < e->v->case_count; i++) {
        struct cts_pk_case c;
        memset(&c, 0, sizeof(c));
        c.vector = e->vector;
        c.name = cts_pkw_str(&e->b->w, e->v->cases[i].name);
        c.line = e->v->cases[i].pos.line;
        c.order = e->v->cases[i].order;
        cts_pkw_add(&e->b->w, CTS_PT_CASES, &c);
    }
}

static void emit_objects(struct emitter *e)
{
    struct cts_builder *b = e->b;
    const struct cts_vec *v = e->v;
    e->maps = (struct cts_pk_range){cts_pkw_count(&b->w, CTS_PT_MAPS), (uint32_t)v->map_count};
    for (size_t i = 0; i < v->map_count; i++)
        cts_bld_map(b, &v->maps[i]);
    e->names = refs(b, v->names, v->name_count);
    e->packet =
        (struct cts_pk_range){cts_pkw_data(&b->w, v->packet, v->packet_bytes), v->packet_bytes};
}

static void add_imm(struct cts_buf *out, uint64_t imm)
{
    int64_t s = (int64_t)imm;
    if (s < 0 && s >= INT32_MIN)
        cts_buf_addf(out, "imm=%lld ", (long long)s);
    else
        cts_buf_addf(out, imm > 0xffff ? "imm=0x%llx " : "imm=%llu ", (unsigned long long)imm);
}

/* "dst=r3 src=r7 imm=5 opaque": enough to tell a vector's units apart. */
static cts_pk_str label(struct emitter *e, const struct unit *u)
{
    struct cts_buf text;
    cts_buf_init(&text, 1024);
    for (size_t i = 0; i < e->v->role_count; i++)
        cts_buf_addf(&text, "%s=r%u ", e->v->roles[i].name, u->c->binding->reg[i]);
    if (u->c->has_imm)
        add_imm(&text, u->c->imm);
    cts_buf_adds(&text, e->v->kind == CTS_VK_VERDICT ? "program" : cts_operands_names[u->operands]);
    if (e->v->flip)
        cts_buf_addf(&text, " %s", e->v->cases[u->c->kase].name);
    if (e->v->threads > 1)
        cts_buf_addf(&text, " threads=%u", e->v->threads);
    if (e->v->repeat > 1)
        cts_buf_addf(&text, " repeat=%u", e->v->repeat);
    if (u->spill == -8 && e->v->stack)
        cts_buf_adds(&text, " spill=-8");
    cts_pk_str s = cts_pkw_str(&e->b->w, cts_buf_text(&text));
    cts_buf_release(&text);
    return s;
}

static uint32_t power_of_two(uint32_t n)
{
    uint32_t p = 1;
    while (p < n)
        p *= 2;
    return p;
}

static bool is_address(uint8_t kind)
{
    return kind == CTS_VV_MEM || kind == CTS_VV_FP;
}

static void place_regs(const struct emitter *e, const struct unit *u, struct cts_layout *l)
{
    const struct cts_vec *v = e->v;
    const struct cts_vec_state *in = &v->cases[u->cases[0]].in;
    for (size_t i = 0; i < in->reg_count; i++) {
        const struct cts_vec_set *s = &in->regs[i];
        unsigned reg = cts_bld_reg(s->reg, u->c->binding);
        if (!is_address(s->kind) || reg > 9)
            continue;
        l->place[reg] = s->kind == CTS_VV_MEM ? CTS_PL_MEM : CTS_PL_FP;
        l->add[reg] = (int32_t)(int64_t)s->v;
        l->record = 1;
    }
    if (v->has_ctx) {
        unsigned reg = cts_bld_reg(v->ctx, u->c->binding);
        l->place[reg] = CTS_PL_CTX;
        l->out_mask = (uint16_t)(l->out_mask & ~(1u << reg));
    }
}

static bool expects_address(const struct cts_vec_case *c)
{
    for (size_t i = 0; i < c->outcome_count; i++)
        for (size_t k = 0; k < c->outcomes[i].out.reg_count; k++)
            if (is_address(c->outcomes[i].out.regs[k].kind))
                return true;
    return false;
}

static void lay_out(const struct emitter *e, const struct unit *u, struct cts_layout *l)
{
    const struct cts_vec *v = e->v;
    uint32_t end = CTS_ENTRY_MEM + v->memory;
    l->mem_bytes = v->memory;
    l->body_slots = u->body_slots;
    l->spill = u->spill;
    l->out_mask = (uint16_t)(0x3ff & ~v->unreadable);
    if (v->stack) {
        l->stack_off = end;
        end += 2 * CTS_STACK_BYTES;
    }
    l->stride = power_of_two(end);
    place_regs(e, u, l);
    for (size_t i = 0; i < u->case_count; i++)
        if (expects_address(&v->cases[u->cases[i]]))
            l->record = 1;
}

static bool is_packet(const struct cts_vec *v)
{
    bool packet = v->packet_bytes || v->has_ctx;
    for (size_t i = 0; i < v->row_count; i++)
        packet |= cts_insn_info(cts_insn_find(v->rows[i]))->group == CTS_GROUP_PACKET;
    return packet;
}

static bool only_runs(const struct cts_vec_case *c)
{
    for (size_t i = 0; i < c->outcome_count; i++)
        if (c->outcomes[i].kind != CTS_OUT_RAN)
            return false;
    return true;
}

static uint8_t flags_of(const struct emitter *e, const struct unit *u)
{
    struct cts_code_facts facts;
    unsigned flags = is_packet(e->v) ? CTS_UF_PACKET : 0;
    if (e->v->function)
        flags |= CTS_UF_FUNCTION;
    if (e->v->function && e->v->memory == 0 &&
        !cts_bld_takes_arguments(u->code + (size_t)u->body_slots * CTS_SLOT_BYTES,
                                 u->slots - u->body_slots))
        flags |= CTS_UF_NO_ARGUMENTS;
    if (e->v->kind == CTS_VK_VERDICT)
        return (uint8_t)(flags | CTS_UF_WHOLE | CTS_UF_ALONE);
    cts_bld_facts(u->code, u->slots, u->body_slots, &facts);
    if (facts.alone || e->v->threads > 1 || e->v->repeat > 1)
        flags |= CTS_UF_ALONE;
    for (size_t i = 0; i < u->case_count; i++)
        if (!only_runs(&e->v->cases[u->cases[i]]))
            flags |= e->v->kind == CTS_VK_RUN ? CTS_UF_ALONE : 0;
    return (uint8_t)flags;
}

static uint32_t outcome_state(struct emitter *e, const struct unit *u, size_t kase,
                              const struct cts_vec_outcome *o)
{
    if (o->kind != CTS_OUT_RAN || e->v->kind == CTS_VK_VERDICT)
        return CTS_PACK_NONE;
    return cts_bld_state(e->b, e->v, u->c->binding, &e->v->cases[kase].in, &o->out, (unsigned)kase,
                         u->scratch);
}

static struct cts_pk_range emit_outcomes(struct emitter *e, const struct unit *u, size_t kase)
{
    struct cts_pk_writer *w = &e->b->w;
    const struct cts_vec_case *c = &e->v->cases[kase];
    struct cts_pk_range r = {cts_pkw_count(w, CTS_PT_OUTCOMES), (uint32_t)c->outcome_count};
    for (size_t i = 0; i < c->outcome_count; i++) {
        const struct cts_vec_outcome *from = &c->outcomes[i];
        struct cts_pk_outcome o;
        memset(&o, 0, sizeof(o));
        o.kind = from->kind;
        o.has_r0 = from->has_r0;
        o.r0 = from->r0;
        o.state = outcome_state(e, u, kase, from);
        o.runtime = cts_pkw_str(w, from->runtime);
        cts_pkw_add(w, CTS_PT_OUTCOMES, &o);
    }
    return r;
}

static void emit_rows(struct emitter *e, const struct unit *u)
{
    for (size_t i = 0; i < u->case_count; i++) {
        struct cts_pk_tuple row;
        size_t kase = u->cases[i];
        memset(&row, 0, sizeof(row));
        row.kase = e->first_case + (uint32_t)kase;
        row.in = e->v->kind == CTS_VK_VERDICT
                     ? CTS_PACK_NONE
                     : cts_bld_state(e->b, e->v, u->c->binding, &e->v->cases[kase].in, NULL,
                                     (unsigned)kase, NULL);
        row.out = emit_outcomes(e, u, kase);
        cts_pkw_add(&e->b->w, CTS_PT_TUPLES, &row);
    }
}

static uint32_t emit_sweep(struct emitter *e, const struct unit *u)
{
    struct cts_pk_writer *w = &e->b->w;
    struct cts_pk_sweep s;
    memset(&s, 0, sizeof(s));
    s.kase = e->first_case;
    s.base = cts_bld_state(e->b, e->v, u->c->binding, &e->v->cases[0].in, NULL, 0, NULL);
    s.operands.first = cts_pkw_count(w, CTS_PT_OPERANDS);
    for (size_t i = 0; i < e->v->sweep_count; i++) {
        const struct cts_vec_sweep *from = &e->v->sweeps[i];
        struct cts_pk_operand o;
        if (from->target == CTS_SWEEP_IMM)
            continue;
        memset(&o, 0, sizeof(o));
        o.target = from->target;
        o.reg = from->target == CTS_SWEEP_REG ? (uint8_t)cts_bld_reg(from->reg, u->c->binding) : 0;
        o.width = from->target == CTS_SWEEP_MEM ? 8 : 0;
        o.domain = (uint8_t)cts_domain_find(from->domain);
        o.at = from->at;
        cts_pkw_add(w, CTS_PT_OPERANDS, &o);
        s.operands.count++;
    }
    return cts_pkw_add(w, CTS_PT_SWEEPS, &s);
}

static void emit_unit(struct emitter *e, const struct unit *u)
{
    struct cts_pk_writer *w = &e->b->w;
    struct cts_pk_unit out;
    memset(&out, 0, sizeof(out));
    out.vector = e->vector;
    out.label = label(e, u);
    out.code = cts_pkw_code(w, u->code, u->slots);
    out.slots = u->slots;
    out.body_slots = u->body_slots;
    e->uses |= cts_code_uses(u->code, u->slots);
    if (e->v->kind != CTS_VK_VERDICT)
        lay_out(e, u, &out.layout);
    out.flags = flags_of(e, u);
    e->uses |= out.flags & CTS_UF_PACKET ? CTS_FEAT_PACKET : 0;
    out.operands = (uint8_t)u->operands;
    out.level = u->c->level;
    out.repeat = e->v->repeat > 1 ? e->v->repeat : 1;
    out.threads = e->v->threads > 1 ? e->v->threads : 1;
    out.packet = e->packet;
    out.maps = e->maps;
    out.names = e->names;
    out.rows.first = cts_pkw_count(w, CTS_PT_TUPLES);
    out.sweep = CTS_PACK_NONE;
    if (e->v->kind == CTS_VK_SWEEP)
        out.sweep = emit_sweep(e, u);
    else
        emit_rows(e, u);
    out.rows.count = cts_pkw_count(w, CTS_PT_TUPLES) - out.rows.first;
    cts_pkw_add(w, CTS_PT_UNITS, &out);
}

/* The epilogue spoils eight bytes of the stack: where it is observed, the lowest the first time and
 * the highest the second; elsewhere the highest, so that the frame stays small and leaves room for
 * those of subprograms. */
static void emit_spills(struct emitter *e, struct unit *u)
{
    if (e->v->stack) {
        u->spill = -512;
        emit_unit(e, u);
    }
    if (!e->v->stack || u->operands == CTS_OPD_OPAQUE) {
        u->spill = -8;
        emit_unit(e, u);
    }
}

static bool has_code(const struct cts_vec_case *k, const struct cts_concrete *c)
{
    return !k->has_imm || k->imm == c->imm;
}

static const struct cts_vec_set *address_of(const struct cts_vec_case *k, unsigned reg,
                                            const struct cts_binding *bind)
{
    for (size_t i = 0; i < k->in.reg_count; i++)
        if (is_address(k->in.regs[i].kind) && cts_bld_reg(k->in.regs[i].reg, bind) == reg)
            return &k->in.regs[i];
    return NULL;
}

/* The environment loads addresses the same way for all rows of a unit. */
static bool same_places(const struct cts_vec_case *a, const struct cts_vec_case *b,
                        const struct cts_binding *bind)
{
    for (unsigned reg = 0; reg < 10; reg++) {
        const struct cts_vec_set *x = address_of(a, reg, bind), *y = address_of(b, reg, bind);
        if (!x != !y || (x && (x->kind != y->kind || x->v != y->v)))
            return false;
    }
    return true;
}

/* One unit for all cases of this code that can share it; one each for those that may not run to
 * their end. */
static void emit_opaque(struct emitter *e, const struct cts_concrete *c, size_t *cases, bool *done)
{
    const struct cts_vec *v = e->v;
    memset(done, 0, v->case_count * sizeof(*done));
    for (size_t i = 0; i < v->case_count; i++) {
        const struct cts_vec_case *first = &v->cases[i];
        size_t n = 0;
        if (done[i] || !has_code(first, c))
            continue;
        cases[n++] = i;
        for (size_t k = i + 1; k < v->case_count && only_runs(first); k++) {
            const struct cts_vec_case *next = &v->cases[k];
            if (done[k] || !has_code(next, c) || !only_runs(next) ||
                !same_places(first, next, c->binding))
                continue;
            done[k] = true;
            cases[n++] = k;
        }
        struct unit u = {.c = c,
                         .code = c->code,
                         .slots = c->slots,
                         .body_slots = c->body_slots,
                         .operands = CTS_OPD_OPAQUE,
                         .cases = cases,
                         .case_count = n};
        emit_spills(e, &u);
    }
}

static void emit_variants(struct emitter *e, const struct cts_concrete *c, enum cts_operands kind)
{
    for (size_t i = 0; i < e->v->case_count; i++) {
        struct cts_variant var;
        if (!has_code(&e->v->cases[i], c) ||
            !cts_bld_variant(e->b, e->v, c, &e->v->cases[i], kind, &var))
            continue;
        struct unit u = {.c = c,
                         .code = var.code,
                         .slots = var.slots,
                         .body_slots = var.body_slots,
                         .operands = kind,
                         .scratch = &var.scratch,
                         .cases = &i,
                         .case_count = 1};
        emit_spills(e, &u);
    }
}

static void emit_run(struct emitter *e)
{
    const struct cts_vec *v = e->v;
    size_t *cases = cts_arena_take_array(&e->b->arena, v->case_count, sizeof(*cases));
    bool *done = cts_arena_take_array(&e->b->arena, v->case_count, sizeof(*done));
    if (!cases || !done) {
        e->b->w.failed = true;
        return;
    }
    for (size_t i = 0; i < e->plan->concrete_count; i++) {
        const struct cts_concrete *c = &e->plan->concretes[i];
        bool plainest = c->binding == e->plan->bindings;
        if (cts_vec_asks(v, CTS_OPD_OPAQUE) && !v->computed)
            emit_opaque(e, c, cases, done);
        /* The body's own branches let a verifier know something of opaque operands, too. */
        if (cts_vec_asks(v, CTS_OPD_OPAQUE) && v->computed)
            emit_variants(e, c, CTS_OPD_OPAQUE);
        if (cts_vec_asks(v, CTS_OPD_CONSTANT) && plainest)
            emit_variants(e, c, CTS_OPD_CONSTANT);
        if (cts_vec_asks(v, CTS_OPD_MASKED) && plainest)
            emit_variants(e, c, CTS_OPD_MASKED);
    }
}

/* Sweeps and whole programs: one case per code. */
static void emit_single(struct emitter *e)
{
    for (size_t i = 0; i < e->plan->concrete_count; i++) {
        const struct cts_concrete *c = &e->plan->concretes[i];
        struct unit u = {.c = c,
                         .code = c->code,
                         .slots = c->slots,
                         .body_slots = c->body_slots,
                         .operands = CTS_OPD_OPAQUE,
                         .cases = &c->kase,
                         .case_count = 1};
        emit_spills(e, &u);
    }
}

static uint32_t needs_of(const struct cts_vec *v)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < v->need_count; i++)
        bits |= cts_feature_find(v->needs[i]);
    return v->threads > 1 ? bits | CTS_FEAT_THREADS : bits;
}

static void describe(struct emitter *e, struct cts_pk_vector *out)
{
    struct cts_pk_writer *w = &e->b->w;
    const struct cts_vec *v = e->v;
    out->id = cts_pkw_str(w, v->id);
    out->file = cts_pkw_str(w, v->pos.file);
    out->line = v->pos.line;
    out->why = cts_pkw_str(w, v->why);
    out->policy = cts_pkw_str(w, v->policy);
    out->klass = cts_pkw_str(w, v->klass);
    out->message = cts_pkw_str(w, v->message);
    out->skip = cts_pkw_str(w, v->skip);
    out->no_jit = cts_pkw_str(w, v->no_jit);
    out->rows = insn_ids(e->b, v);
    out->clauses = refs(e->b, v->clauses, v->clause_count);
    out->bugs = refs(e->b, v->bugs, v->bug_count);
    out->only = refs(e->b, v->only, v->only_count);
    out->needs = needs_of(v);
    out->kind = v->kind;
    out->group = (uint8_t)cts_insn_info(cts_insn_find(v->rows[0]))->group;
}

void cts_bld_emit(struct cts_builder *b, const struct cts_plan *plan)
{
    struct cts_pk_writer *w = &b->w;
    struct emitter e = {.b = b,
                        .plan = plan,
                        .v = plan->v,
                        .vector = cts_pkw_count(w, CTS_PT_VECTORS),
                        .first_case = cts_pkw_count(w, CTS_PT_CASES)};
    struct cts_pk_vector out;
    memset(&out, 0, sizeof(out));
    describe(&e, &out);
    emit_cases(&e);
    emit_objects(&e);
    out.cases = (struct cts_pk_range){e.first_case, (uint32_t)plan->v->case_count};
    out.units.first = cts_pkw_count(w, CTS_PT_UNITS);
    if (plan->v->kind == CTS_VK_RUN)
        emit_run(&e);
    else
        emit_single(&e);
    out.units.count = cts_pkw_count(w, CTS_PT_UNITS) - out.units.first;
    out.uses = e.uses;
    cts_pkw_add(w, CTS_PT_VECTORS, &out);
}
