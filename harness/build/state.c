#include "build/impl.h"

#include <string.h>

enum { IMAGE_MAX = CTS_VEC_MEM_MAX, STACK = CTS_STACK_BYTES };

/* Memory or stack as on a little- and on a big-endian machine. Pieces are written one over another
 * in the order in which the machine would see them. */
struct image {
    uint32_t bytes;
    uint8_t le[IMAGE_MAX], be[IMAGE_MAX];
    uint8_t width[IMAGE_MAX];  /* of the element a byte is in */
    uint16_t start[IMAGE_MAX]; /* where that element starts */
    uint8_t any[IMAGE_MAX];
};
_Static_assert(IMAGE_MAX >= STACK && IMAGE_MAX <= UINT16_MAX, "both fit");

unsigned cts_bld_reg(struct cts_vec_reg reg, const struct cts_binding *bind)
{
    return reg.role >= 0 ? bind->reg[reg.role] : reg.reg;
}

/* A number with dirt in every byte. */
static uint64_t dirt(uint64_t n)
{
    n = (n + 1) * 0x9e3779b97f4a7c15;
    n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9;
    n = (n ^ n >> 27) * 0x94d049bb133111eb;
    return (n ^ n >> 31) | 0x8000000080000000;
}

static void image_dirty(struct image *m, uint32_t bytes, unsigned seed)
{
    m->bytes = bytes;
    for (uint32_t i = 0; i < bytes; i++) {
        m->le[i] = m->be[i] = (uint8_t)(dirt(seed + i) >> 13);
        m->width[i] = 1;
        m->start[i] = (uint16_t)i;
        m->any[i] = 0;
    }
}

/* The bytes of elements that a piece cuts into stand alone from now on. */
static void split_elements(struct image *m, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        uint32_t start = m->start[i], width = m->width[start];
        for (uint32_t k = start; k < start + width && width > 1; k++) {
            m->width[k] = 1;
            m->start[k] = (uint16_t)k;
        }
    }
}

static void put_element(struct image *m, uint32_t at, unsigned width, uint64_t v)
{
    for (unsigned i = 0; i < width; i++) {
        m->le[at + i] = (uint8_t)(v >> 8 * i);
        m->be[at + width - 1 - i] = (uint8_t)(v >> 8 * i);
        m->width[at + i] = (uint8_t)width;
        m->start[at + i] = (uint16_t)at;
        m->any[at + i] = 0;
    }
}

static void put_pieces(struct image *m, const struct cts_vec_bytes *p, size_t n, int32_t origin)
{
    for (; n; n--, p++) {
        uint32_t at = (uint32_t)(p->at + origin);
        split_elements(m, at, at + p->bytes);
        if (p->width == 0) {
            memset(m->any + at, 1, p->bytes);
            continue;
        }
        for (uint32_t i = 0; i < p->bytes / p->width; i++)
            put_element(m, at + i * p->width, p->width, p->values[i]);
    }
}

static void keep_image(struct cts_builder *b, const struct image *m, struct cts_pk_bytes_ref *ref)
{
    bool typed = false, any = false;
    for (uint32_t i = 0; i < m->bytes; i++) {
        typed |= m->width[i] != 1;
        any |= m->any[i];
    }
    ref->data = cts_pkw_data(&b->w, m->le, m->bytes);
    ref->width = typed ? cts_pkw_data(&b->w, m->width, m->bytes) : CTS_PACK_NONE;
    ref->any = any ? cts_pkw_data(&b->w, m->any, m->bytes) : CTS_PACK_NONE;
    ref->be =
        memcmp(m->le, m->be, m->bytes) != 0 ? cts_pkw_data(&b->w, m->be, m->bytes) : CTS_PACK_NONE;
}

static void put_reg(struct cts_pk_state *s, unsigned reg, enum cts_vec_value_kind kind, uint64_t v)
{
    static const uint8_t places[] = {
        [CTS_VV_INT] = CTS_PL_VALUE, [CTS_VV_MEM] = CTS_PL_MEM,        [CTS_VV_FP] = CTS_PL_FP,
        [CTS_VV_ANY] = CTS_PL_VALUE, [CTS_VV_COMPUTED] = CTS_PL_VALUE, /* it is a number by now */
    };
    s->r[reg] = kind == CTS_VV_ANY ? 0 : v;
    s->place[reg] = places[kind];
    if (kind == CTS_VV_ANY)
        s->any = (uint16_t)(s->any | 1u << reg);
}

static void put_regs(struct cts_pk_state *s, const struct cts_vec_state *from,
                     const struct cts_binding *bind)
{
    for (size_t i = 0; from && i < from->reg_count; i++) {
        unsigned reg = cts_bld_reg(from->regs[i].reg, bind);
        if (reg < 10) /* r10 is checked to be what it is anyway */
            put_reg(s, reg, (enum cts_vec_value_kind)from->regs[i].kind, from->regs[i].v);
    }
}

static void dirty_regs(struct cts_pk_state *s, const struct cts_vec *v,
                       const struct cts_binding *bind, unsigned salt)
{
    for (unsigned i = 0; i < 10; i++)
        put_reg(s, i, CTS_VV_INT, dirt(16 * (salt + 1) + i));
    if (v->has_ctx)
        put_reg(s, cts_bld_reg(v->ctx, bind), CTS_VV_ANY, 0);
}

uint32_t cts_bld_state(struct cts_builder *b, const struct cts_vec *v,
                       const struct cts_binding *bind, const struct cts_vec_state *in,
                       const struct cts_vec_state *out, unsigned salt,
                       const struct cts_scratch *scratch)
{
    struct cts_pk_state s;
    struct image m;
    memset(&s, 0, sizeof(s));
    dirty_regs(&s, v, bind, salt);
    put_regs(&s, in, bind);
    put_regs(&s, out, bind);
    if (out && scratch && scratch->reg != CTS_BLD_NO_SCRATCH)
        put_reg(&s, (unsigned)scratch->reg, CTS_VV_INT, scratch->value);
    s.mem = s.stack =
        (struct cts_pk_bytes_ref){CTS_PACK_NONE, CTS_PACK_NONE, CTS_PACK_NONE, CTS_PACK_NONE};
    s.mem_bytes = v->memory;
    if (v->memory) {
        image_dirty(&m, v->memory, 0x100);
        put_pieces(&m, in->mem, in->mem_count, 0);
        if (out)
            put_pieces(&m, out->mem, out->mem_count, 0);
        keep_image(b, &m, &s.mem);
    }
    if (v->stack) {
        image_dirty(&m, STACK, 0x4000);
        put_pieces(&m, in->stack, in->stack_count, STACK);
        if (out)
            put_pieces(&m, out->stack, out->stack_count, STACK);
        keep_image(b, &m, &s.stack);
    }
    return cts_pkw_state(&b->w, &s);
}

static int check_state(const struct cts_vec *v, const struct cts_vec_state *s,
                       const struct cts_binding *bind, struct cts_err *err)
{
    unsigned seen = 0;
    if (v->has_ctx)
        seen = 1u << cts_bld_reg(v->ctx, bind);
    for (size_t i = 0; i < s->reg_count; i++) {
        const struct cts_vec_set *set = &s->regs[i];
        unsigned reg = cts_bld_reg(set->reg, bind);
        if (seen >> reg & 1)
            return cts_err_at(err, CTS_E_SCHEMA, set->pos.file, set->pos.line, set->pos.col,
                              "two names for r%u in one state", reg);
        if (reg == 10 && !(set->kind == CTS_VV_FP && set->v == 0))
            return cts_err_at(err, CTS_E_SCHEMA, set->pos.file, set->pos.line, set->pos.col,
                              "this stands for r10 as well, which can only be fp+0");
        seen |= 1u << reg;
    }
    return 0;
}

/* A register that is swept is neither given nor r10, and swept once. */
static int check_sweep(const struct cts_vec *v, const struct cts_binding *bind, struct cts_err *err)
{
    unsigned seen = 1u << 10;
    if (v->has_ctx)
        seen |= 1u << cts_bld_reg(v->ctx, bind);
    for (size_t i = 0; i < v->cases[0].in.reg_count; i++)
        seen |= 1u << cts_bld_reg(v->cases[0].in.regs[i].reg, bind);
    for (size_t i = 0; i < v->sweep_count; i++) {
        const struct cts_vec_sweep *s = &v->sweeps[i];
        unsigned reg = cts_bld_reg(s->reg, bind);
        if (s->target != CTS_SWEEP_REG)
            continue;
        if (seen >> reg & 1)
            return cts_err_at(err, CTS_E_SCHEMA, s->pos.file, s->pos.line, s->pos.col,
                              "r%u cannot be swept: it is given, or swept already, or r10", reg);
        seen |= 1u << reg;
    }
    return 0;
}

int cts_bld_check_states(const struct cts_vec *v, const struct cts_binding *bind,
                         struct cts_err *err)
{
    int rc = 0;
    if (v->has_ctx && cts_bld_reg(v->ctx, bind) == 10)
        return cts_err_at(err, CTS_E_SCHEMA, v->pos.file, v->pos.line, v->pos.col,
                          "the context cannot be in r10");
    for (size_t i = 0; rc == 0 && i < v->case_count; i++) {
        const struct cts_vec_case *c = &v->cases[i];
        rc = check_state(v, &c->in, bind, err);
        for (size_t k = 0; rc == 0 && k < c->outcome_count; k++)
            rc = check_state(v, &c->outcomes[k].out, bind, err);
    }
    if (rc == 0 && v->kind == CTS_VK_SWEEP)
        rc = check_sweep(v, bind, err);
    return rc;
}

static void put_map_piece(uint8_t *le, uint8_t *be, const struct cts_vec_bytes *p)
{
    for (uint32_t k = 0; p->width && k < p->bytes; k++) {
        uint32_t element = k / p->width * p->width, byte = k % p->width;
        uint8_t v = (uint8_t)(p->values[k / p->width] >> 8 * byte);
        le[(uint32_t)p->at + k] = v;
        be[(uint32_t)p->at + element + p->width - 1 - byte] = v;
    }
}

void cts_bld_map(struct cts_builder *b, const struct cts_vec_map *m)
{
    struct cts_pk_map out;
    uint32_t bytes = m->value_bytes * m->entries;
    uint8_t *le = cts_arena_take(&b->arena, bytes), *be = cts_arena_take(&b->arena, bytes);
    memset(&out, 0, sizeof(out));
    if (!le || !be) {
        b->w.failed = true;
        return;
    }
    for (size_t i = 0; i < m->data_count; i++)
        put_map_piece(le, be, &m->data[i]);
    out.value_bytes = m->value_bytes;
    out.entries = m->entries;
    out.data = cts_pkw_data(&b->w, le, bytes);
    out.be = cts_pkw_data(&b->w, be, bytes);
    cts_pkw_add(&b->w, CTS_PT_MAPS, &out);
}
