#include "core/view.h"

#include "core/fill.h"
#include "core/match.h"
#include "core/state.h"
#include "core/tuple.h"

static const uint8_t *image_in(struct cts_seg *s, const struct cts_pk_bytes_ref *ref, size_t n,
                               struct cts_arena *arena)
{
    uint8_t *copy = n ? cts_arena_take(arena, n) : NULL;
    if (copy)
        cts_state_image(s->pack, ref, n, s->be, copy);
    return copy;
}

static void expected_hand(struct cts_seg *s, uint32_t r, const uint8_t *entry,
                          struct cts_arena *arena, const struct cts_pk_state *want,
                          struct cts_seg_view *v)
{
    const struct cts_layout *l = &s->layout;
    const struct cts_pk_tuple *pr = &s->pack->rows[s->unit->rows.first + r];
    const struct cts_pk_state *in = &s->pack->states[pr->in];
    for (unsigned i = 0; i < 10; i++) {
        v->in[i] = cts_state_absolute(s->be, entry, in->place[i], in->r[i]);
        v->r[i] = cts_state_absolute(s->be, entry, want->place[i], want->r[i]);
    }
    v->any = want->any;
    v->mem_in = image_in(s, &in->mem, l->mem_bytes, arena);
    v->mem = image_in(s, &want->mem, l->mem_bytes, arena);
    v->mem_any = cts_state_any(s->pack, &want->mem);
    v->stack_in = image_in(s, &in->stack, l->stack_off ? CTS_STACK_BYTES : 0, arena);
    v->stack = image_in(s, &want->stack, l->stack_off ? CTS_STACK_BYTES : 0, arena);
    v->stack_any = cts_state_any(s->pack, &want->stack);
}

static void expected_swept(struct cts_seg *s, uint32_t r, const uint8_t *entry,
                           const uint8_t *expect, struct cts_seg_view *v)
{
    const struct cts_layout *l = &s->layout;
    uint64_t value[CTS_SEG_OPERANDS];
    cts_seg_operands(s, r, value);
    for (unsigned i = 0; i < 10; i++) {
        v->in[i] = cts_state_absolute(s->be, entry, s->base->place[i], s->base->r[i]);
        v->r[i] = cts_seg_swept_register(s, i, entry, expect);
    }
    for (uint32_t i = 0; i < s->operands; i++) {
        if (s->operand[i].target == CTS_SWEEP_REG)
            v->in[s->operand[i].reg] = value[i];
        else
            cts_state_put(s->be, s->base_mem + s->operand[i].at, s->operand[i].width, value[i]);
    }
    v->any = s->base->any;
    if (l->mem_bytes) {
        v->mem_in = s->base_mem;
        v->mem = expect + CTS_EXPECT_REGISTERS;
    }
    if (l->stack_off) {
        v->stack_in = s->base_stack;
        v->stack = expect + CTS_EXPECT_REGISTERS + l->mem_bytes;
    }
}

bool cts_seg_expected(struct cts_seg *s, uint32_t r, const uint8_t *entry, const uint8_t *expect,
                      struct cts_arena *arena, struct cts_seg_view *view)
{
    *view = (struct cts_seg_view){0};
    if (s->swept) {
        expected_swept(s, r, entry, expect, view);
        return true;
    }
    const struct cts_pk_state *want = cts_seg_first_state(s, r);
    if (want)
        expected_hand(s, r, entry, arena, want, view);
    return want != NULL;
}
