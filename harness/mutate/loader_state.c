#include "mutate/loader_state.h"

#include <string.h>

enum {
    CLASS_LD,
    CLASS_LDX,
    CLASS_ST,
    CLASS_STX,
    CLASS_ALU,
    CLASS_JMP,
    CLASS_JMP32,
    CLASS_ALU64,
    SRC_X = 8,
    FP = 10,
    SLOT = 8,
    MODE_MEMSX = 0x80,
    MODE_ATOMIC = 0xc0,
};

enum alu { ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, NEG, MOD, XOR, MOV, ARSH, END };

void cts_ld_start(struct cts_ld_state *s)
{
    memset(s, 0, sizeof(*s));
    for (unsigned i = 0; i < CTS_LD_PLACES; i++)
        s->v[i].fact = cts_fact_any();
}

static bool is_flaw(const struct cts_ld_rules *rules, enum cts_loader_flaw flaw,
                    const struct cts_mach_insn *at)
{
    return rules->flaw == flaw && rules->row == at->row;
}

static void forget(struct cts_ld_value *v, const struct cts_fact *fact)
{
    v->fact = *fact;
    v->link = 0;
    v->copy = false;
}

static struct cts_fact reg_fact(const struct cts_ld_state *s, unsigned reg)
{
    return reg < FP ? s->v[reg].fact : cts_fact_any();
}

static struct cts_fact operand(const struct cts_ld_state *s, const struct cts_mach_insn *at)
{
    if (at->in.opcode & SRC_X)
        return reg_fact(s, at->in.src);
    return cts_fact_const((uint64_t)(int64_t)at->in.imm);
}

/* ---- links ---- */

static void link_to(struct cts_ld_state *s, struct cts_ld_value *to, struct cts_ld_value *from)
{
    if (to == from)
        return;
    if (from->link == 0) {
        from->link = ++s->links;
        from->delta = 0;
    }
    to->link = from->link;
    to->delta = from->delta;
    to->copy = true;
}

/* What is known of one of them is known of all. */
static void tell_linked(struct cts_ld_state *s, const struct cts_ld_value *of)
{
    for (unsigned i = 0; of->link && i < CTS_LD_PLACES; i++) {
        struct cts_ld_value *v = &s->v[i];
        struct cts_fact by = cts_fact_const(v->delta - of->delta);
        if (v == of || v->link != of->link)
            continue;
        v->fact = v->delta == of->delta ? of->fact : cts_fact_add(&of->fact, &by);
    }
}

/* ---- arithmetic ---- */

static bool fold(const struct cts_mach_insn *at, const struct cts_fact *a, const struct cts_fact *b,
                 struct cts_fact *out)
{
    unsigned op = at->in.opcode >> 4;
    bool of_order = op == END && (at->in.opcode & 7) == CLASS_ALU;
    struct cts_mach m;
    if (of_order || !cts_fact_is_const(b) || (op != MOV && !cts_fact_is_const(a)))
        return false;
    memset(&m, 0, sizeof(m));
    m.r[at->in.dst] = a->bits;
    if (at->in.opcode & SRC_X)
        m.r[at->in.src] = b->bits;
    cts_exec_table[at->row](&m, &at->in);
    *out = cts_fact_const(m.r[at->in.dst]);
    return true;
}

static struct cts_fact shifted(enum alu op, const struct cts_fact *a, uint64_t n)
{
    if (op == LSH)
        return cts_fact_lsh(a, (unsigned)n);
    return op == RSH ? cts_fact_rsh(a, (unsigned)n) : cts_fact_arsh(a, (unsigned)n);
}

/* Of whole registers, or of low halves that are zero-extended. */
static struct cts_fact compute(const struct cts_mach_insn *at, bool is64, const struct cts_fact *a,
                               const struct cts_fact *b)
{
    enum alu op = (enum alu)(at->in.opcode >> 4);
    uint64_t n = b->bits, width = is64 ? 64 : 32;
    bool known = cts_fact_is_const(b);
    switch (op) {
    case ADD:
        return cts_fact_add(a, b);
    case SUB:
        return cts_fact_sub(a, b);
    case MUL:
        return cts_fact_mul(a, b);
    case OR:
        return cts_fact_or(a, b);
    case AND:
        return cts_fact_and(a, b);
    case XOR:
        return cts_fact_xor(a, b);
    case DIV:
        return known && n && at->in.off == 0 ? cts_fact_div(a, n) : cts_fact_any();
    case MOD:
        return known && n && at->in.off == 0 ? cts_fact_mod(a, n) : cts_fact_any();
    case LSH:
    case RSH:
        return known ? shifted(op, a, n & (width - 1)) : cts_fact_any();
    case ARSH:
        return known && is64 ? shifted(op, a, n & 63) : cts_fact_any();
    case NEG:
    case MOV:
    case END:
        break;
    }
    return cts_fact_any();
}

static struct cts_fact extended(const struct cts_mach_insn *at, const struct cts_fact *b)
{
    int64_t top = (int64_t)1 << (at->in.off - 1);
    if (b->lo == b->hi || b->hi < (uint64_t)top)
        return *b;
    return cts_fact_signed(-top, top - 1);
}

static uint64_t saturated_sum(uint64_t a, uint64_t b)
{
    return a + b < a ? UINT64_MAX : a + b;
}

/* What is wrong with results that are no single number. */
static void spoil(const struct cts_ld_rules *rules, const struct cts_mach_insn *at,
                  const struct cts_fact *a, const struct cts_fact *b, struct cts_fact *f)
{
    unsigned op = at->in.opcode >> 4;
    if (is_flaw(rules, CTS_LF_NO_WRAP, at) && op == ADD) {
        f->lo = saturated_sum(a->lo, b->lo);
        f->hi = saturated_sum(a->hi, b->hi);
    } else if (is_flaw(rules, CTS_LF_NO_WRAP, at) && op == SUB) {
        f->lo = a->lo > b->hi ? a->lo - b->hi : 0;
        f->hi = a->hi > b->lo ? a->hi - b->lo : 0;
    } else if (is_flaw(rules, CTS_LF_SIGN_IGNORED, at)) {
        *f = cts_fact_rsh(a, (unsigned)(b->bits & 63));
    } else if (is_flaw(rules, CTS_LF_TIGHT, at) && f->lo < f->hi && f->hi < UINT32_MAX) {
        f->hi--;
    } else if (is_flaw(rules, CTS_LF_TIGHT_BELOW, at) && f->lo < f->hi && f->hi < UINT32_MAX) {
        f->lo++;
    }
    cts_fact_settle(f);
}

static struct cts_fact result(const struct cts_ld_rules *rules, const struct cts_mach_insn *at,
                              struct cts_fact a, struct cts_fact b)
{
    bool is64 = (at->in.opcode & 7) == CLASS_ALU64;
    struct cts_fact f;
    if (is_flaw(rules, CTS_LF_SOURCE_LEAST, at))
        b = cts_fact_const(b.bits);
    if (fold(at, &a, &b, &f))
        return f;
    if (!is64) {
        a = cts_fact_low(&a);
        b = cts_fact_low(&b);
    }
    if (at->in.opcode >> 4 == MOV)
        f = at->in.off && is64 ? extended(at, &b) : at->in.off ? cts_fact_any() : b;
    else
        f = compute(at, is64, &a, &b);
    spoil(rules, at, &a, &b, &f);
    return is64 || at->in.opcode >> 4 == END ? f : cts_fact_low(&f);
}

static uint64_t added(const struct cts_mach_insn *at)
{
    uint64_t n = (uint64_t)(int64_t)at->in.imm;
    return at->in.opcode >> 4 == SUB ? -n : n;
}

static bool is_addition(const struct cts_mach_insn *at, bool is64)
{
    unsigned op = at->in.opcode >> 4;
    return (op == ADD || op == SUB) && !(at->in.opcode & SRC_X) &&
           ((at->in.opcode & 7) == CLASS_ALU64) == is64;
}

/* The register has another value now: what becomes of its link? */
static void relink(const struct cts_ld_rules *rules, struct cts_ld_state *s,
                   const struct cts_mach_insn *at, const struct cts_fact *f)
{
    struct cts_ld_value *v = &s->v[at->in.dst];
    enum cts_loader_flaw kept = v->copy ? CTS_LF_KEEPS_COPY : CTS_LF_KEEPS_ORIGINAL;
    uint64_t n = added(at);
    for (unsigned i = 0; is_flaw(rules, CTS_LF_CHANGES_BOTH, at) && i < CTS_LD_PLACES; i++)
        if (v->link && s->v[i].link == v->link)
            s->v[i].fact = *f;
    v->fact = *f;
    if (is_flaw(rules, kept, at) || is_flaw(rules, CTS_LF_CHANGES_BOTH, at) ||
        is_flaw(rules, CTS_LF_DELTA_LOST, at))
        return;
    if (is_flaw(rules, CTS_LF_DELTA_NEGATED, at))
        v->delta -= n;
    else if (is_addition(at, true) || (is_flaw(rules, CTS_LF_DELTA_OF_HALF, at)))
        v->delta += n;
    else
        forget(v, f);
}

static void step_alu(const struct cts_ld_rules *rules, struct cts_ld_state *s,
                     const struct cts_mach_insn *at)
{
    bool by_reg = at->in.opcode & SRC_X, moves = at->in.opcode >> 4 == MOV;
    bool plain = at->row == CTS_INSN_MOV64_X || is_flaw(rules, CTS_LF_COPIES_WHOLE, at);
    struct cts_fact a = reg_fact(s, at->in.dst), b = operand(s, at);
    if (at->in.dst >= FP)
        return;
    if (by_reg && at->in.dst == at->in.src && is_flaw(rules, CTS_LF_SAME_UNCHANGED, at))
        return;
    struct cts_fact f = result(rules, at, a, b);
    if (moves && plain && at->in.src < FP) {
        s->v[at->in.dst].fact = f;
        if (!is_flaw(rules, CTS_LF_KEEPS_COPY, at) && !is_flaw(rules, CTS_LF_KEEPS_ORIGINAL, at))
            link_to(s, &s->v[at->in.dst], &s->v[at->in.src]);
    } else {
        relink(rules, s, at, &f);
    }
}

/* ---- memory ---- */

static unsigned width_of(const struct cts_mach_insn *at)
{
    static const uint8_t bytes[] = {4, 2, 1, 8};
    return bytes[at->in.opcode >> 3 & 3];
}

/* The slot that `off` from r10 lies in; null: none that is followed. */
static struct cts_ld_value *slot_at(struct cts_ld_state *s, int off)
{
    int below = -off;
    return below > 0 && below <= CTS_LD_SLOTS * SLOT ? &s->v[10 + (below - 1) / SLOT] : NULL;
}

static void forget_stack(const struct cts_ld_rules *rules, struct cts_ld_state *s,
                         const struct cts_mach_insn *at)
{
    for (unsigned i = 10; i < CTS_LD_PLACES; i++)
        if (!is_flaw(rules, CTS_LF_STORE_KEEPS, at))
            s->v[i].bytes = 0;
}

static void cut(struct cts_fact *f, unsigned bytes)
{
    struct cts_fact mask = cts_fact_const(bytes == 8 ? UINT64_MAX : (1ull << 8 * bytes) - 1);
    if (bytes < 8)
        *f = cts_fact_and(f, &mask);
}

static void step_store(const struct cts_ld_rules *rules, struct cts_ld_state *s,
                       const struct cts_mach_insn *at)
{
    struct cts_ld_value *slot = at->in.dst == FP ? slot_at(s, at->in.off) : NULL;
    bool from_reg = (at->in.opcode & 7) == CLASS_STX;
    if (!slot) {
        forget_stack(rules, s, at);
        return;
    }
    if (slot->bytes && is_flaw(rules, CTS_LF_STORE_KEEPS, at))
        return;
    slot->bytes = 0;
    if (at->in.off % SLOT)
        return;
    struct cts_fact f =
        from_reg ? reg_fact(s, at->in.src) : cts_fact_const((uint64_t)(int64_t)at->in.imm);
    cut(&f, width_of(at));
    forget(slot, &f);
    slot->bytes = (uint8_t)width_of(at);
    bool whole = slot->bytes == 8 || rules->flaw == CTS_LF_LOAD_UNEXTENDED;
    if (whole && from_reg && at->in.src < FP) {
        if (slot->bytes < 8)
            slot->fact = s->v[at->in.src].fact;
        link_to(s, slot, &s->v[at->in.src]);
    }
}

static void step_load(const struct cts_ld_rules *rules, struct cts_ld_state *s,
                      const struct cts_mach_insn *at)
{
    struct cts_ld_value *slot = at->in.src == FP ? slot_at(s, at->in.off) : NULL;
    struct cts_fact f = cts_fact_any();
    bool known = slot && at->in.off % SLOT == 0 && slot->bytes == width_of(at);
    bool extends = (at->in.opcode & 0xe0) == MODE_MEMSX;
    if (at->in.dst >= FP)
        return;
    if (known && (slot->bytes == 8 || is_flaw(rules, CTS_LF_LOAD_UNEXTENDED, at))) {
        s->v[at->in.dst].fact = slot->fact;
        link_to(s, &s->v[at->in.dst], slot);
        return;
    }
    if (known) {
        f = slot->fact;
        cut(&f, slot->bytes);
        if (extends && f.hi >> (8 * slot->bytes - 1))
            f = cts_fact_any();
    } else if (!extends) {
        cut(&f, width_of(at));
    }
    forget(&s->v[at->in.dst], &f);
}

static void step_atomic(const struct cts_ld_rules *rules, struct cts_ld_state *s,
                        const struct cts_mach_insn *at)
{
    struct cts_ld_value *slot = at->in.dst == FP ? slot_at(s, at->in.off) : NULL;
    bool compares = (at->in.imm & 0xf0) == 0xf0, is64 = width_of(at) == 8;
    unsigned reg = compares ? 0 : at->in.src;
    struct cts_fact f = cts_fact_any();
    if (at->in.imm & ~0xff) { /* loads that acquire, stores that release: nothing is followed */
        forget_stack(rules, s, at);
        if (at->in.dst < FP)
            forget(&s->v[at->in.dst], &f);
        return;
    }
    if (!slot)
        forget_stack(rules, s, at);
    else if (!is_flaw(rules, CTS_LF_STORE_KEEPS, at))
        slot->bytes = 0;
    if (!is64)
        f = cts_fact_low(&f);
    if (at->in.imm & 1 && reg < FP && !is_flaw(rules, CTS_LF_FETCH_KEEPS, at))
        forget(&s->v[reg], &f);
}

void cts_ld_step(const struct cts_ld_rules *rules, struct cts_ld_state *s,
                 const struct cts_mach_insn *at)
{
    struct cts_fact f = cts_fact_any();
    switch (at->in.opcode & 7) {
    case CLASS_ALU:
    case CLASS_ALU64:
        step_alu(rules, s, at);
        break;
    case CLASS_LDX:
        step_load(rules, s, at);
        break;
    case CLASS_STX:
        if ((at->in.opcode & 0xe0) == MODE_ATOMIC) {
            step_atomic(rules, s, at);
            break;
        }
        step_store(rules, s, at);
        break;
    case CLASS_ST:
        step_store(rules, s, at);
        break;
    case CLASS_LD:
        if (at->row == CTS_INSN_LDDW)
            f = cts_fact_const((uint32_t)at->in.imm | (uint64_t)(uint32_t)at->in.next_imm << 32);
        if (at->in.dst < FP)
            forget(&s->v[at->in.dst], &f);
        break;
    }
}

/* ---- branches ---- */

enum relation { EQ, NE, GT, GE, LT, LE, SGT, SGE, SLT, SLE, SET, CLEAR, RELATIONS };

static enum relation relation_of(const struct cts_mach_insn *at, bool taken)
{
    static const uint8_t by_code[16] = {
        [1] = EQ,  [2] = GT,  [3] = GE,  [4] = SET,  [5] = NE,  [6] = SGT,
        [7] = SGE, [10] = LT, [11] = LE, [12] = SLT, [13] = SLE};
    static const uint8_t other[RELATIONS] = {
        [EQ] = NE,   [NE] = EQ,   [GT] = LE,   [GE] = LT,   [LT] = GE,    [LE] = GT,
        [SGT] = SLE, [SGE] = SLT, [SLT] = SGE, [SLE] = SGT, [SET] = CLEAR};
    uint8_t r = by_code[at->in.opcode >> 4];
    return (enum relation)(taken ? r : other[r]);
}

static enum relation with_other_sign(enum relation r)
{
    if (r >= GT && r <= LE)
        return (enum relation)(r + (SGT - GT));
    return r >= SGT && r <= SLE ? (enum relation)(r - (SGT - GT)) : r;
}

static bool intersect(struct cts_fact *a, const struct cts_fact *b)
{
    bool clash = (a->bits ^ b->bits) & ~(a->unknown | b->unknown);
    a->lo = a->lo > b->lo ? a->lo : b->lo;
    a->hi = a->hi < b->hi ? a->hi : b->hi;
    a->slo = a->slo > b->slo ? a->slo : b->slo;
    a->shi = a->shi < b->shi ? a->shi : b->shi;
    a->bits |= b->bits;
    a->unknown &= b->unknown;
    return !clash;
}

static bool leave_out(struct cts_fact *a, uint64_t n)
{
    if (cts_fact_is_const(a) && a->bits == n)
        return false;
    a->lo += a->lo == n;
    a->hi -= a->hi == n;
    a->slo += a->slo == (int64_t)n;
    a->shi -= a->shi == (int64_t)n;
    return true;
}

/* `tight`: one value too few. */
static bool above(struct cts_fact *a, uint64_t n, bool strict, bool tight)
{
    if (n > UINT64_MAX - strict)
        return false;
    a->lo = a->lo > n + strict ? a->lo : n + strict;
    a->lo += tight && a->lo < a->hi;
    return true;
}

static bool below(struct cts_fact *a, uint64_t n, bool strict, bool tight)
{
    if (n < strict)
        return false;
    a->hi = a->hi < n - strict ? a->hi : n - strict;
    a->hi -= tight && a->lo < a->hi;
    return true;
}

static bool signed_above(struct cts_fact *a, int64_t n, bool strict, bool tight)
{
    if (strict && n == INT64_MAX)
        return false;
    a->slo = a->slo > n + strict ? a->slo : n + strict;
    a->slo += tight && a->slo < a->shi;
    return true;
}

static bool signed_below(struct cts_fact *a, int64_t n, bool strict, bool tight)
{
    if (strict && n == INT64_MIN)
        return false;
    a->shi = a->shi < n - strict ? a->shi : n - strict;
    a->shi -= tight && a->slo < a->shi;
    return true;
}

static bool clear_bits(struct cts_fact *a, const struct cts_fact *b)
{
    if (a->bits & b->bits)
        return false;
    a->unknown &= ~b->bits;
    return true;
}

static bool narrow(enum relation r, struct cts_fact *a, const struct cts_fact *b, bool tight)
{
    switch (r) {
    case EQ:
        return intersect(a, b);
    case NE:
        return !cts_fact_is_const(b) || leave_out(a, b->bits);
    case GT:
    case GE:
        return above(a, b->lo, r == GT, tight);
    case LT:
    case LE:
        return below(a, b->hi, r == LT, tight);
    case SGT:
    case SGE:
        return signed_above(a, b->slo, r == SGT, tight);
    case SLT:
    case SLE:
        return signed_below(a, b->shi, r == SLT, tight);
    case SET:
        return (a->bits | a->unknown) & (b->bits | b->unknown);
    case CLEAR:
        return clear_bits(a, b);
    case RELATIONS:
        break;
    }
    return true;
}

/* The low half, sign-extended. */
static struct cts_fact signed_low(const struct cts_fact *f)
{
    if ((int32_t)f->wlo <= (int32_t)f->whi && (f->wlo >> 31) == (f->whi >> 31))
        return cts_fact_signed((int32_t)f->wlo, (int32_t)f->whi);
    return cts_fact_signed(INT32_MIN, INT32_MAX);
}

static bool narrow_low(enum relation r, struct cts_fact *a, const struct cts_fact *b, bool tight)
{
    bool by_sign = r >= SGT && r <= SLE;
    struct cts_fact wa = by_sign ? signed_low(a) : cts_fact_low(a);
    struct cts_fact wb = by_sign ? signed_low(b) : cts_fact_low(b);
    if (!narrow(r, &wa, &wb, tight))
        return false;
    cts_fact_settle(&wa);
    if (cts_fact_is_empty(&wa))
        return false;
    if (by_sign && (wa.slo < 0) != (wa.shi < 0))
        return true;
    uint32_t lo = (uint32_t)(by_sign ? (uint64_t)wa.slo : wa.lo);
    uint32_t hi = (uint32_t)(by_sign ? (uint64_t)wa.shi : wa.hi);
    a->wlo = lo > a->wlo ? lo : a->wlo;
    a->whi = hi < a->whi ? hi : a->whi;
    if (!by_sign) {
        a->bits |= (uint32_t)(wa.bits & ~wa.unknown);
        a->unknown &= wa.unknown | 0xffffffff00000000u;
    }
    return true;
}

bool cts_ld_assume(const struct cts_ld_rules *rules, struct cts_ld_state *s,
                   const struct cts_mach_insn *at, bool taken)
{
    enum relation r = relation_of(at, taken);
    bool low = (at->in.opcode & 7) == CLASS_JMP32 && !is_flaw(rules, CTS_LF_HALF_IS_WHOLE, at);
    bool tight = is_flaw(rules, taken ? CTS_LF_TAKEN_TIGHT : CTS_LF_FALLS_TIGHT, at);
    struct cts_fact b = operand(s, at);
    if (at->in.dst >= FP)
        return true;
    if (is_flaw(rules, CTS_LF_OTHER_SIGN, at))
        r = with_other_sign(r);
    struct cts_ld_value *v = &s->v[at->in.dst];
    v->tested = true;
    if (at->in.opcode & SRC_X && at->in.src < FP)
        s->v[at->in.src].tested = true;
    if (!(low ? narrow_low : narrow)(r, &v->fact, &b, tight))
        return false;
    if (r == SET && is_flaw(rules, CTS_LF_ALL_BITS, at)) {
        v->fact.bits |= b.bits;
        v->fact.unknown &= ~b.bits;
    }
    cts_fact_settle(&v->fact);
    if (cts_fact_is_empty(&v->fact))
        return false;
    tell_linked(s, v);
    return true;
}

/* ---- pruning ---- */

static bool value_covers(const struct cts_ld_rules *rules, const struct cts_ld_value *before,
                         const struct cts_ld_value *now)
{
    switch (rules->flaw) {
    case CTS_LF_PRUNE_SCALARS:
        return true;
    case CTS_LF_PRUNE_LOW:
        return before->fact.wlo <= now->fact.wlo && now->fact.whi <= before->fact.whi;
    case CTS_LF_PRUNE_REVERSED:
        return cts_fact_holds(&now->fact, &before->fact);
    case CTS_LF_PRUNE_UNTESTED:
        if (!before->tested)
            return true;
        break;
    default:
        break;
    }
    return cts_fact_holds(&before->fact, &now->fact);
}

static bool links_cover(const struct cts_ld_state *before, const struct cts_ld_state *now)
{
    for (unsigned i = 0; i < CTS_LD_PLACES; i++)
        for (unsigned k = i + 1; before->v[i].link && k < CTS_LD_PLACES; k++) {
            const struct cts_ld_value *a = &before->v[i], *b = &before->v[k];
            const struct cts_ld_value *x = &now->v[i], *y = &now->v[k];
            if (a->link == b->link &&
                (x->link == 0 || x->link != y->link || x->delta - y->delta != a->delta - b->delta))
                return false;
        }
    return true;
}

bool cts_ld_covers(const struct cts_ld_rules *rules, const struct cts_ld_state *before,
                   const struct cts_ld_state *now)
{
    for (unsigned i = 0; i < CTS_LD_PLACES; i++) {
        bool slot = i >= 10;
        if (slot && (before->v[i].bytes == 0 || rules->flaw == CTS_LF_PRUNE_STACK))
            continue;
        if ((slot && before->v[i].bytes != now->v[i].bytes) ||
            !value_covers(rules, &before->v[i], &now->v[i]))
            return false;
    }
    return rules->flaw == CTS_LF_PRUNE_LINKS || links_cover(before, now);
}
