#include "core/compared.h"

#include <string.h>

#include "core/sight.h"
#include "core/variant.h"
#include "core/tuple.h"
#include "core/fill.h"

enum { STACK = CTS_STACK_BYTES };

/* Of one case: does it say that something comes out, and is some of that compared? */
struct said {
    bool asked, says, shows, anything;
};

struct comparer {
    const struct cts_pack *p;
    const struct cts_pk_vector *v;
    const struct cts_caps *caps;
    struct cts_compared *out;
    struct said *said; /* one a case */
    bool opaque;       /* the vector has such variants: the others say nothing more of a case */
    struct cts_arena *arena;
};

static void note(struct said *s, bool says, bool shows)
{
    s->says |= says;
    s->shows |= says && shows;
    s->anything |= shows;
}

static void note_registers(struct comparer *c, struct said *s, unsigned shown, unsigned changing)
{
    c->out->registers |= shown;
    c->out->hidden |= changing & ~shown;
    note(s, changing, changing ? shown & changing : shown);
}

/* ---- bytes ---- */

static const uint8_t *bytes_of(const struct cts_pack *p, const struct cts_pk_bytes_ref *ref,
                               uint32_t index)
{
    return index == UINT32_MAX || ref->data == UINT32_MAX ? NULL : p->data + index;
}

/* Compares n bytes from `at` on; returns how many are looked at. */
static uint32_t note_bytes(const struct comparer *c, struct said *s,
                           const struct cts_pk_bytes_ref *in, const struct cts_pk_bytes_ref *out,
                           size_t at, size_t end, bool hidden)
{
    const uint8_t *was = bytes_of(c->p, in, in->data), *is = bytes_of(c->p, out, out->data);
    const uint8_t *any = bytes_of(c->p, out, out->any);
    uint32_t count = 0;
    for (; is && at < end; at++) {
        if (any && any[at])
            continue;
        note(s, was && was[at] != is[at], !hidden);
        count += !hidden;
    }
    return count;
}

static uint32_t note_stack(const struct comparer *c, const struct cts_seg *seg, struct said *s,
                           const struct cts_pk_state *in, const struct cts_pk_state *out)
{
    uint32_t count = 0;
    size_t before = 0;
    for (size_t at = 0, end; cts_seg_stack_span(seg, &at, &end); before = at = end) {
        note_bytes(c, s, &in->stack, &out->stack, before, at, true);
        count += note_bytes(c, s, &in->stack, &out->stack, at, end, false);
    }
    note_bytes(c, s, &in->stack, &out->stack, before, STACK, true);
    return count;
}

/* ---- operand tuples ---- */

static unsigned changes(const struct cts_pk_state *in, const struct cts_pk_state *out)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < 10; i++)
        if (in->r[i] != out->r[i] || in->place[i] != out->place[i])
            mask |= 1u << i;
    return mask & ~(unsigned)out->any;
}

static uint32_t more(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void compare_state(struct comparer *c, const struct cts_seg *seg, struct said *s,
                          const struct cts_pk_state *in, const struct cts_pk_state *out)
{
    unsigned shown = seg->layout.out_mask & ~(unsigned)out->any;
    note_registers(c, s, shown, changes(in, out));
    if (seg->layout.mem_bytes)
        c->out->memory = more(
            c->out->memory, note_bytes(c, s, &in->mem, &out->mem, 0, seg->layout.mem_bytes, false));
    if (seg->layout.stack_off)
        c->out->stack = more(c->out->stack, note_stack(c, seg, s, in, out));
}

static void compare_outcome(struct comparer *c, const struct cts_seg *seg, struct said *s,
                            const struct cts_pk_tuple *row, const struct cts_pk_outcome *o)
{
    uint64_t r0;
    bool runs = !(c->caps->features & CTS_FEAT_VERDICT_ONLY);
    if (runs && !seg->whole && o->kind == CTS_OUT_RAN && o->state != UINT32_MAX) {
        compare_state(c, seg, s, &c->p->states[row->in], &c->p->states[o->state]);
        return;
    }
    bool result = runs && (o->kind == CTS_OUT_RAN || o->kind == CTS_OUT_EXITED) &&
                  (seg->whole ? cts_seg_whole_result(seg, o, &r0) : o->has_r0);
    c->out->results += result;
    c->out->verdicts += !result;
    note(s, true, true);
}

static void compare_row(struct comparer *c, const struct cts_seg *seg, struct said *s, uint32_t r)
{
    const struct cts_pk_tuple *row = &c->p->rows[seg->unit->rows.first + r];
    if (seg->outcomes[r].count)
        compare_outcome(c, seg, s, row, seg->outcomes[r].first);
}

/* Rows spread over the sweep: in which registers and bytes does something come out? */
static int compare_sweep(struct comparer *c, struct cts_seg *seg, struct said *s,
                         struct cts_err *err)
{
    const struct cts_layout *l = &seg->layout;
    uint8_t *row = cts_arena_take(c->arena, CTS_ENTRY_MEM + l->mem_bytes + 2u * STACK);
    uint8_t *expect = cts_arena_take(c->arena, cts_seg_expect_bytes(seg));
    uint32_t step = seg->rows / CTS_SAMPLE_TUPLES + 1;
    if (!row || !expect)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    unsigned shown = l->out_mask & ~(unsigned)seg->base->any;
    for (uint32_t r = 0; r < seg->rows; r += step) {
        unsigned changing = 0;
        cts_seg_fill(seg, r, row, expect);
        for (unsigned i = 0; i < 10; i++)
            if (memcmp(row + CTS_ENTRY_IN + 8 * i, expect + 8 * i, 8) != 0)
                changing |= 1u << i;
        note_registers(c, s, shown, changing & ~(unsigned)seg->base->any);
        note(s, memcmp(row + CTS_ENTRY_MEM, expect + 80, l->mem_bytes) != 0, true);
    }
    c->out->memory = more(c->out->memory, l->mem_bytes);
    for (size_t at = 0, end; l->stack_off && cts_seg_stack_span(seg, &at, &end); at = end)
        c->out->stack = more(c->out->stack, STACK - 8);
    return 0;
}

/* ---- a vector ---- */

static struct said *said_of(const struct comparer *c, uint32_t kase)
{
    struct said *s = &c->said[kase - c->v->cases.first];
    return s->asked ? s : NULL;
}

static int compare_unit(struct comparer *c, uint32_t unit, struct cts_err *err)
{
    const struct cts_pk_unit *u = &c->p->units[unit];
    struct said aside = {0};
    struct cts_seg seg;
    if (!cts_sight_fits(c->p, unit, c->caps) ||
        (u->threads > 1 && !(c->caps->features & CTS_FEAT_THREADS)))
        return 0;
    int rc = cts_seg_init(&seg, c->p, unit, c->caps, CTS_LEVEL_QUICK, c->arena, err);
    bool counts = !c->opaque || u->operands == CTS_OPD_OPAQUE;
    for (uint32_t r = 0; rc == 0 && r < (seg.swept ? 1 : seg.rows); r++) {
        struct said *s = said_of(c, cts_seg_case(&seg, r));
        if (s && seg.swept)
            rc = compare_sweep(c, &seg, s, err);
        else if (s)
            compare_row(c, &seg, counts ? s : &aside, r);
    }
    return rc;
}

static int ask_cases(struct comparer *c, struct cts_err *err)
{
    for (uint32_t i = 0; i < c->v->cases.count; i++) {
        char text[CTS_SIGHT_WHY];
        const char *why = cts_sight_why_not(c->p, c->v, c->v->cases.first + i, c->caps, text);
        c->said[i].asked = !why;
        c->out->asked += !why;
        c->out->skipped += why != NULL;
        if (why && !c->out->why && !(c->out->why = cts_arena_strdup(c->arena, why)))
            return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    }
    return 0;
}

static bool is_vacuous(const struct said *s)
{
    return s->asked && !(s->says ? s->shows : s->anything);
}

int cts_compare_vector(const struct cts_pack *p, uint32_t vector, const struct cts_caps *caps,
                       struct cts_arena *arena, struct cts_compared *out, struct cts_err *err)
{
    struct comparer c = {
        .p = p, .v = &p->vectors[vector], .caps = caps, .out = out, .arena = arena};
    *out = (struct cts_compared){0};
    c.said = cts_arena_take_array(arena, c.v->cases.count + 1u, sizeof(*c.said));
    if (!c.said)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    int rc = ask_cases(&c, err);
    for (uint32_t i = 0; i < c.v->units.count; i++)
        c.opaque |= p->units[c.v->units.first + i].operands == CTS_OPD_OPAQUE;
    for (uint32_t i = 0; rc == 0 && i < c.v->units.count; i++)
        rc = compare_unit(&c, c.v->units.first + i, err);
    for (uint32_t i = c.v->cases.count; rc == 0 && i-- > 0;) {
        if (!is_vacuous(&c.said[i]))
            continue;
        out->vacuous++;
        out->first_vacuous = c.v->cases.first + i;
    }
    return rc;
}
