#include "pack/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "host/fs.h"
#include "wire/worker.h"
#include "isa/isa.h"
#include "pack/file.h"

/* Generous limits of what a record may say. They keep the work of a check linear in the file's
 * size. */
enum {
    OUTCOMES_MAX = 64,
    OPERANDS_MAX = 8,
    MEM_MAX = 1 << 20,
    SLOTS_MAX = 1 << 21,
    RUNS_MAX = 1 << 20,
};

static int damaged(struct cts_err *err, const char *table, uint32_t index, const char *what)
{
    return cts_err_set(err, CTS_E_SYNTAX, "the pack is damaged: %s %u: %s", table, index, what);
}

static bool range_ok(struct cts_pk_range r, uint32_t count)
{
    return r.first <= count && r.count <= count - r.first;
}

static bool bytes_ok(uint32_t at, uint64_t len, uint32_t total)
{
    return at <= total && len <= total - at;
}

static bool str_ok(const struct cts_pack *p, cts_pk_str s)
{
    return s < p->string_bytes;
}

/* Bools are read as bytes: any other value than 0 and 1 in one is undefined behaviour. */
static bool bool_ok(const bool *b)
{
    uint8_t v;
    memcpy(&v, b, 1);
    return v <= 1;
}

static const char *vector_fault(const struct cts_pack *p, const struct cts_pk_vector *v)
{
    if (!str_ok(p, v->id) || !str_ok(p, v->file) || !str_ok(p, v->why) || !str_ok(p, v->policy) ||
        !str_ok(p, v->klass) || !str_ok(p, v->message) || !str_ok(p, v->skip) ||
        !str_ok(p, v->no_jit))
        return "text";
    if (!range_ok(v->rows, p->insn_id_count) || v->rows.count == 0)
        return "tuples";
    if (!range_ok(v->clauses, p->string_ref_count) || !range_ok(v->bugs, p->string_ref_count) ||
        !range_ok(v->only, p->string_ref_count))
        return "clauses, bugs or runtimes";
    if (!range_ok(v->cases, p->case_count) || !range_ok(v->units, p->unit_count))
        return "cases or units";
    if (v->kind > CTS_VK_VERDICT || v->group >= CTS_GROUP_COUNT)
        return "kind or group";
    return NULL;
}

/* Cases and units of the vectors follow one another without gaps. */
static int check_vectors(const struct cts_pack *p, struct cts_err *err)
{
    uint32_t cases = 0, units = 0;
    for (uint32_t i = 0; i < p->vector_count; i++) {
        const struct cts_pk_vector *v = &p->vectors[i];
        const char *fault = vector_fault(p, v);
        if (fault)
            return damaged(err, "vector", i, fault);
        if (v->cases.first != cases || v->units.first != units)
            return damaged(err, "vector", i, "cases or units out of order");
        cases += v->cases.count;
        units += v->units.count;
        for (uint32_t k = 0; k < v->cases.count; k++)
            if (p->cases[v->cases.first + k].vector != i)
                return damaged(err, "vector", i, "a case of another");
        for (uint32_t k = 0; k < v->units.count; k++)
            if (p->units[v->units.first + k].vector != i)
                return damaged(err, "vector", i, "a unit of another");
    }
    if (cases != p->case_count || units != p->unit_count)
        return cts_err_set(err, CTS_E_SYNTAX, "the pack is damaged: cases or units of no vector");
    return 0;
}

static int check_cases(const struct cts_pack *p, struct cts_err *err)
{
    for (uint32_t i = 0; i < p->case_count; i++)
        if (!str_ok(p, p->cases[i].name) || p->cases[i].order > CTS_ORDER_BIG)
            return damaged(err, "case", i, "name or byte order");
    return 0;
}

static bool layout_ok(const struct cts_layout *l, const struct cts_pk_unit *u)
{
    uint64_t need = CTS_ENTRY_MEM + (uint64_t)l->mem_bytes;
    if (l->mem_bytes > MEM_MAX || l->mem_bytes % 8 || l->region || l->rows)
        return false;
    if (l->stack_off) {
        if (l->stack_off < need || l->stack_off % 8 || l->stack_off > 2 * MEM_MAX)
            return false;
        need = l->stack_off + 2 * CTS_STACK_BYTES;
    }
    if (l->stride < need || (l->stride & (l->stride - 1)) || l->stride > 4 * MEM_MAX)
        return false;
    if ((l->spill != -512 && l->spill != -8) || l->out_mask >> 10 || l->record > 1)
        return false;
    for (unsigned i = 0; i < 10; i++)
        if (l->place[i] > CTS_PL_NONE)
            return false;
    return l->body_slots == u->body_slots;
}

static bool runs_ok(const struct cts_pk_unit *u)
{
    bool once = u->repeat == 1 && u->threads == 1;
    bool may = u->flags & CTS_UF_ALONE && !(u->flags & CTS_UF_WHOLE) && u->sweep == CTS_PACK_NONE;
    return once || (may && u->repeat && u->repeat <= RUNS_MAX && u->threads &&
                    u->threads <= CTS_RUN_THREADS);
}

static const char *unit_fault(const struct cts_pack *p, const struct cts_pk_unit *u)
{
    if (!str_ok(p, u->label))
        return "label";
    if (u->code % 8 || u->slots > SLOTS_MAX || u->body_slots > u->slots ||
        !bytes_ok(u->code, (uint64_t)u->slots * 8, p->code_bytes))
        return "code";
    if (!range_ok(u->rows, p->row_count) ||
        (u->sweep != CTS_PACK_NONE && (u->sweep >= p->sweep_count || u->rows.count)))
        return "rows or sweep";
    if (!range_ok(u->packet, p->data_bytes) || !range_ok(u->maps, p->map_count) ||
        !range_ok(u->names, p->string_ref_count) || u->maps.count > CTS_MOST_MAPS ||
        u->names.count > CTS_MOST_NAMES)
        return "packet, maps or names";
    if (u->flags & ~(CTS_UF_WHOLE | CTS_UF_PACKET | CTS_UF_ALONE | CTS_UF_FUNCTION |
                     CTS_UF_NO_ARGUMENTS) ||
        (u->flags & CTS_UF_NO_ARGUMENTS && !(u->flags & CTS_UF_FUNCTION)) ||
        u->operands > CTS_OPD_MASKED || u->level > CTS_LEVEL_EXHAUSTIVE)
        return "flags, operands or level";
    if (!runs_ok(u))
        return "threads or repeat";
    if (u->flags & CTS_UF_FUNCTION && (u->flags & CTS_UF_WHOLE || u->rows.count != 1 ||
                                       u->body_slots < 2 || u->slots == u->body_slots))
        return "a function";
    if (u->flags & CTS_UF_WHOLE)
        return u->sweep == CTS_PACK_NONE ? NULL : "a sweep of a whole program";
    return layout_ok(&u->layout, u) ? NULL : "layout";
}

/* Does a case belong to the unit's vector? */
static bool case_ok(const struct cts_pack *p, const struct cts_pk_unit *u, uint32_t kase)
{
    struct cts_pk_range c = p->vectors[u->vector].cases;
    return kase >= c.first && kase - c.first < c.count;
}

/* A state fits a unit: as much memory and stack as it has. States themselves have been checked. */
static bool state_fits(const struct cts_pack *p, const struct cts_pk_unit *u, uint32_t state)
{
    if (state >= p->state_count)
        return false;
    const struct cts_pk_state *s = &p->states[state];
    if (s->mem_bytes != u->layout.mem_bytes)
        return false;
    return (s->stack.data != CTS_PACK_NONE) == (u->layout.stack_off != 0);
}

static bool outcome_ok(const struct cts_pack *p, const struct cts_pk_unit *u,
                       const struct cts_pk_outcome *o)
{
    if (o->kind > CTS_OUT_EXITED || !bool_ok(&o->has_r0) || !str_ok(p, o->runtime))
        return false;
    if (o->kind == CTS_OUT_RAN && !(u->flags & CTS_UF_WHOLE))
        return state_fits(p, u, o->state);
    return o->state == CTS_PACK_NONE;
}

static const char *row_fault(const struct cts_pack *p, const struct cts_pk_unit *u,
                             const struct cts_pk_tuple *r)
{
    if (!case_ok(p, u, r->kase))
        return "a case of another vector";
    if (u->flags & CTS_UF_WHOLE ? r->in != CTS_PACK_NONE : !state_fits(p, u, r->in))
        return "input";
    if (!range_ok(r->out, p->outcome_count) || r->out.count == 0 || r->out.count > OUTCOMES_MAX)
        return "outcomes";
    for (uint32_t i = 0; i < r->out.count; i++)
        if (!outcome_ok(p, u, &p->outcomes[r->out.first + i]))
            return "an outcome";
    return NULL;
}

static bool operand_ok(const struct cts_pk_unit *u, const struct cts_pk_operand *o)
{
    if (o->domain >= CTS_DOM_COUNT)
        return false;
    if (o->target == CTS_SWEEP_REG)
        return o->reg < 10;
    return o->target == CTS_SWEEP_MEM &&
           (o->width == 1 || o->width == 2 || o->width == 4 || o->width == 8) &&
           bytes_ok(o->at, o->width, u->layout.mem_bytes);
}

static const char *sweep_fault(const struct cts_pack *p, const struct cts_pk_unit *u)
{
    const struct cts_pk_sweep *s = &p->sweeps[u->sweep];
    if (!case_ok(p, u, s->kase) || !state_fits(p, u, s->base))
        return "case or base state of its sweep";
    if (!range_ok(s->operands, p->operand_count) || s->operands.count > OPERANDS_MAX)
        return "operands of its sweep";
    for (uint32_t i = 0; i < s->operands.count; i++)
        if (!operand_ok(u, &p->operands[s->operands.first + i]))
            return "an operand of its sweep";
    return NULL;
}

/* Rows of the units follow one another without gaps, too, so that each is looked at once. */
static int check_units(const struct cts_pack *p, struct cts_err *err)
{
    uint32_t rows = 0;
    for (uint32_t i = 0; i < p->unit_count; i++) {
        const struct cts_pk_unit *u = &p->units[i];
        const char *fault = unit_fault(p, u);
        if (fault)
            return damaged(err, "unit", i, fault);
        if (u->rows.first != rows)
            return damaged(err, "unit", i, "rows out of order");
        rows += u->rows.count;
        for (uint32_t k = 0; k < u->rows.count; k++) {
            fault = row_fault(p, u, &p->rows[u->rows.first + k]);
            if (fault)
                return damaged(err, "tuple", u->rows.first + k, fault);
        }
        fault = u->sweep != CTS_PACK_NONE ? sweep_fault(p, u) : NULL;
        if (fault)
            return damaged(err, "unit", i, fault);
    }
    if (rows != p->row_count)
        return cts_err_set(err, CTS_E_SYNTAX, "the pack is damaged: rows of no unit");
    return 0;
}

#define EIGHT(byte) ((byte) * 0x0101010101010101u)

/* Every element is 1, 2, 4 or 8 bytes that all say so. Most are single bytes or 8 wide: those go by
 * eights. */
static bool widths_ok(const uint8_t *w, uint32_t len)
{
    for (uint32_t i = 0; i < len;) {
        uint64_t eight = i + 8 <= len ? cts_get64_host(w + i) : 0;
        if (eight == EIGHT(1) || eight == EIGHT(8)) {
            i += 8;
            continue;
        }
        uint32_t n = w[i];
        if ((n != 1 && n != 2 && n != 4) || n > len - i)
            return false;
        for (uint32_t k = 1; k < n; k++)
            if (w[i + k] != n)
                return false;
        i += n;
    }
    return true;
}

static bool flags_ok(const uint8_t *any, uint32_t len)
{
    uint64_t all = 0;
    uint32_t i = 0;
    for (; i + 8 <= len; i += 8)
        all |= cts_get64_host(any + i);
    for (; i < len; i++)
        all |= any[i];
    return (all & ~EIGHT(1)) == 0;
}

static bool ref_ok(const struct cts_pack *p, const struct cts_pk_bytes_ref *r, uint32_t len)
{
    if (r->data == CTS_PACK_NONE)
        return r->width == CTS_PACK_NONE && r->any == CTS_PACK_NONE && r->be == CTS_PACK_NONE;
    if (!bytes_ok(r->data, len, p->data_bytes))
        return false;
    if (r->width != CTS_PACK_NONE &&
        (!bytes_ok(r->width, len, p->data_bytes) || !widths_ok(p->data + r->width, len)))
        return false;
    if (r->be != CTS_PACK_NONE && !bytes_ok(r->be, len, p->data_bytes))
        return false;
    return r->any == CTS_PACK_NONE ||
           (bytes_ok(r->any, len, p->data_bytes) && flags_ok(p->data + r->any, len));
}

static int check_states(const struct cts_pack *p, struct cts_err *err)
{
    for (uint32_t i = 0; i < p->state_count; i++) {
        const struct cts_pk_state *s = &p->states[i];
        for (unsigned r = 0; r < 10; r++)
            if (s->place[r] > CTS_PL_FP)
                return damaged(err, "state", i, "what a register holds");
        if (s->any >> 10 || s->mem_bytes > MEM_MAX ||
            (s->mem.data == CTS_PACK_NONE) != !s->mem_bytes)
            return damaged(err, "state", i, "mask or memory");
        if (!ref_ok(p, &s->mem, s->mem_bytes) || !ref_ok(p, &s->stack, CTS_STACK_BYTES))
            return damaged(err, "state", i, "bytes of memory or stack");
    }
    return 0;
}

static int check_small(const struct cts_pack *p, struct cts_err *err)
{
    for (uint32_t i = 0; i < p->map_count; i++) {
        const struct cts_pk_map *m = &p->maps[i];
        uint64_t bytes = (uint64_t)m->value_bytes * m->entries;
        if (m->entries == 0 || !bytes_ok(m->data, bytes, p->data_bytes) ||
            !bytes_ok(m->be, bytes, p->data_bytes))
            return damaged(err, "map", i, "contents");
    }
    for (uint32_t i = 0; i < p->insn_id_count; i++)
        if (p->insn_ids[i] >= CTS_INSN_COUNT)
            return damaged(err, "row id", i, "no such row");
    for (uint32_t i = 0; i < p->string_ref_count; i++)
        if (!str_ok(p, p->string_refs[i]))
            return damaged(err, "string reference", i, "out of range");
    return 0;
}

static int check_all(const struct cts_pack *p, struct cts_err *err)
{
    if (p->string_bytes == 0 || p->strings[0] || p->strings[p->string_bytes - 1])
        return cts_err_set(err, CTS_E_SYNTAX, "the pack is damaged: strings");
    int rc = check_small(p, err);
    if (rc == 0)
        rc = check_states(p, err);
    if (rc == 0)
        rc = check_cases(p, err);
    if (rc == 0)
        rc = check_vectors(p, err);
    return rc ? rc : check_units(p, err);
}

static int check_header(const struct cts_pack_header *h, size_t len, struct cts_err *err)
{
    uint8_t isa[32], sum[CTS_SUM_BYTES];
    if (len < sizeof(h->magic) || memcmp(h->magic, CTS_PACK_MAGIC, sizeof(h->magic)) != 0)
        return cts_err_set(err, CTS_E_SYNTAX, "not a pack");
    if (len < sizeof(*h))
        return cts_err_set(err, CTS_E_SYNTAX, "the pack is cut short");
    if (h->mark == __builtin_bswap32(CTS_PACK_MARK))
        return cts_err_set(err, CTS_E_UNSUPPORTED,
                           "the pack was made on a machine of the other byte order");
    if (h->mark != CTS_PACK_MARK || h->version != CTS_PACK_VERSION || h->tables != CTS_PT_COUNT)
        return cts_err_set(err, CTS_E_UNSUPPORTED,
                           "the pack has format %u, this program reads format %d", h->version,
                           CTS_PACK_VERSION);
    if (h->bytes != len)
        return cts_err_set(err, CTS_E_SYNTAX, "the pack is cut short or damaged");
    cts_sum((const uint8_t *)h + CTS_PACK_SUMMED, len - CTS_PACK_SUMMED, sum);
    if (memcmp(sum, h->sum, sizeof(sum)) != 0)
        return cts_err_set(err, CTS_E_SYNTAX, "the pack is damaged: its sum is another");
    cts_pack_isa_sum(isa);
    if (memcmp(isa, h->isa, sizeof(isa)) != 0)
        return cts_err_set(err, CTS_E_UNSUPPORTED,
                           "the pack was made with another version of the specification");
    if (h->level > CTS_LEVEL_EXHAUSTIVE)
        return cts_err_set(err, CTS_E_SYNTAX, "the pack is damaged: its level");
    return 0;
}

static int check_tables(const struct cts_pack_header *h, size_t len, struct cts_err *err)
{
    for (uint32_t t = 0; t < CTS_PT_COUNT; t++) {
        uint64_t at = h->table[t].offset, count = h->table[t].count;
        if (h->table[t].record_bytes != cts_pack_record_bytes[t])
            return damaged(err, "table", t, "records of another size");
        if (at % 8 || at < sizeof(*h) || at > len || count > (len - at) / cts_pack_record_bytes[t])
            return damaged(err, "table", t, "out of range");
    }
    return 0;
}

#define TAKE(member, counter, t)                                                                   \
    (p->member = (const void *)(data + h->table[t].offset), p->counter = h->table[t].count)

static void take_tables(struct cts_pack *p, const struct cts_pack_header *h, const uint8_t *data)
{
    TAKE(vectors, vector_count, CTS_PT_VECTORS);
    TAKE(cases, case_count, CTS_PT_CASES);
    TAKE(units, unit_count, CTS_PT_UNITS);
    TAKE(rows, row_count, CTS_PT_TUPLES);
    TAKE(outcomes, outcome_count, CTS_PT_OUTCOMES);
    TAKE(states, state_count, CTS_PT_STATES);
    TAKE(sweeps, sweep_count, CTS_PT_SWEEPS);
    TAKE(operands, operand_count, CTS_PT_OPERANDS);
    TAKE(maps, map_count, CTS_PT_MAPS);
    TAKE(insn_ids, insn_id_count, CTS_PT_INSN_IDS);
    TAKE(string_refs, string_ref_count, CTS_PT_STRING_REFS);
    TAKE(code, code_bytes, CTS_PT_CODE);
    TAKE(data, data_bytes, CTS_PT_DATA);
    TAKE(strings, string_bytes, CTS_PT_STRINGS);
}

static int open_memory(struct cts_pack *p, const uint8_t *data, size_t len, struct cts_err *err)
{
    const struct cts_pack_header *h = (const void *)data;
    if ((uintptr_t)data % 8)
        return cts_err_set(err, CTS_E_INVAL, "a pack in memory must be aligned to 8 bytes");
    int rc = check_header(h, len, err);
    if (rc == 0)
        rc = check_tables(h, len, err);
    if (rc)
        return rc;
    p->base = data;
    p->bytes = len;
    p->level = (uint8_t)h->level;
    p->left_out = h->left_out;
    p->digest = h->digest;
    take_tables(p, h, data);
    if (p->left_out > p->string_ref_count)
        return damaged(err, "table", CTS_PT_STRING_REFS, "too few for what is left out");
    return check_all(p, err);
}

int cts_pack_from_memory(struct cts_pack *p, const uint8_t *data, size_t len, bool owned,
                         struct cts_err *err)
{
    memset(p, 0, sizeof(*p));
    int rc = open_memory(p, data, len, err);
    if (rc)
        memset(p, 0, sizeof(*p));
    else
        p->owned = owned;
    return rc;
}

/* Read, not mapped: what has been checked is then what is used, whatever becomes of the file. */
int cts_pack_open(struct cts_pack *p, const char *path, struct cts_err *err)
{
    struct cts_buf file;
    struct cts_err why = {0};
    memset(p, 0, sizeof(*p));
    cts_buf_init(&file, 0);
    int rc = cts_fs_read(path, CTS_PACK_BYTES_MAX, &file, err);
    if (rc == 0) {
        rc = cts_pack_from_memory(p, (const uint8_t *)file.data, file.len, true, &why);
        if (rc)
            cts_err_at(err, rc, path, 0, 0, "%s", why.msg);
    }
    if (rc)
        cts_buf_release(&file);
    return rc;
}

void cts_pack_release(struct cts_pack *p)
{
    void *base = (void *)(uintptr_t)p->base;
    if (p->owned)
        free(base);
    memset(p, 0, sizeof(*p));
}
