#include "core/tuple.h"

#include "core/state.h"

/* Put into outputs whose expected value is unknown beforehand. */
static const uint64_t unwritten = 0x5741e5741e5741e5u;

size_t cts_seg_expect_bytes(const struct cts_seg *s)
{
    if (!s->swept)
        return 0;
    return CTS_EXPECT_REGISTERS + s->layout.mem_bytes +
           (s->layout.stack_off ? (size_t)CTS_STACK_BYTES : 0);
}

uint32_t cts_seg_case(const struct cts_seg *s, uint32_t r)
{
    return s->swept ? s->pack->sweeps[s->unit->sweep].kase
                    : s->pack->rows[s->unit->rows.first + r].kase;
}

const struct cts_pk_state *cts_seg_first_state(const struct cts_seg *s, uint32_t r)
{
    const struct cts_pk_state *found = NULL;
    for (uint32_t i = 0; !found && i < s->outcomes[r].count; i++)
        found = cts_outcome_state(s->pack, &s->outcomes[r].first[i]);
    return found;
}

unsigned cts_seg_kinds(const struct cts_seg *s, uint32_t r)
{
    return s->swept ? 1u << CTS_OUT_RAN : s->outcomes[r].kinds;
}

bool cts_seg_may_run(const struct cts_seg *s)
{
    bool may = s->swept;
    for (uint32_t r = 0; !may && r < s->rows; r++)
        may = cts_seg_kinds(s, r) & ~(1u << CTS_OUT_REJECTED);
    return may;
}

uint64_t cts_seg_before(const struct cts_pk_state *out, unsigned i)
{
    if (!out || out->place[i] != CTS_PL_VALUE || ((out->any >> i) & 1))
        return unwritten + i;
    return ~out->r[i];
}

static bool is_hole(const struct cts_seg *s, size_t at)
{
    int32_t slot = (int32_t)at - CTS_STACK_BYTES;
    return slot == s->layout.spill || (s->kept && slot == s->kept);
}

bool cts_seg_stack_span(const struct cts_seg *s, size_t *at, size_t *end)
{
    while (*at < CTS_STACK_BYTES && is_hole(s, *at))
        *at += 8;
    *end = *at;
    while (*end < CTS_STACK_BYTES && !is_hole(s, *end))
        *end += 8;
    return *at < *end;
}

/* The only state that the tuple may end in; null: there are none, or several. */
static const struct cts_pk_state *only_state(const struct cts_seg *s, uint32_t r)
{
    const struct cts_pk_state *only = NULL;
    unsigned states = 0;
    if (s->swept)
        return NULL;
    const struct cts_pk_tuple *pr = &s->pack->rows[s->unit->rows.first + r];
    for (uint32_t i = 0; i < pr->out.count; i++) {
        const struct cts_pk_outcome *o = &s->pack->outcomes[pr->out.first + i];
        if (o->kind == CTS_OUT_RAN && o->state != UINT32_MAX && ++states)
            only = &s->pack->states[o->state];
    }
    return states == 1 ? only : NULL;
}

void cts_seg_open_bytes(const struct cts_seg *s, uint32_t r, const uint8_t **mem,
                        const uint8_t **stack)
{
    const struct cts_pk_state *only = only_state(s, r);
    *mem = only && s->layout.mem_bytes ? cts_state_any(s->pack, &only->mem) : NULL;
    *stack = only && s->layout.stack_off ? cts_state_any(s->pack, &only->stack) : NULL;
}

static bool leaves_open(const struct cts_seg *s, const struct cts_pk_state *want)
{
    return (want->any & s->layout.out_mask) ||
           (s->layout.mem_bytes && cts_state_any(s->pack, &want->mem)) ||
           (s->layout.stack_off && cts_state_any(s->pack, &want->stack));
}

uint16_t cts_seg_compared(const struct cts_seg *s, uint32_t r)
{
    unsigned compared = 0;
    bool ends = false;
    if (s->swept)
        return s->layout.out_mask;
    const struct cts_pk_tuple *pr = &s->pack->rows[s->unit->rows.first + r];
    for (uint32_t i = 0; i < pr->out.count; i++) {
        const struct cts_pk_outcome *o = &s->pack->outcomes[pr->out.first + i];
        if (o->kind != CTS_OUT_RAN || o->state == UINT32_MAX)
            continue;
        ends = true;
        compared |= ~(unsigned)s->pack->states[o->state].any;
    }
    return (uint16_t)(ends ? s->layout.out_mask & compared : s->layout.out_mask);
}

bool cts_seg_is_open(const struct cts_seg *s)
{
    for (uint32_t r = 0; !s->swept && r < s->unit->rows.count; r++) {
        const struct cts_pk_tuple *pr = &s->pack->rows[s->unit->rows.first + r];
        unsigned states = 0;
        for (uint32_t i = 0; i < pr->out.count; i++) {
            const struct cts_pk_outcome *o = &s->pack->outcomes[pr->out.first + i];
            if (o->kind != CTS_OUT_RAN || o->state == UINT32_MAX)
                continue;
            if (++states > 1 || leaves_open(s, &s->pack->states[o->state]))
                return true;
        }
    }
    return false;
}
