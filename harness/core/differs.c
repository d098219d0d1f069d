/* A wrong result in one line: the first register or byte that is not as expected. */
#include "core/detail.h"
#include "core/variant.h"
#include "core/tuple.h"
#include "core/view.h"
#include "core/state.h"

#include <string.h>

#include "base/bytes.h"

static const char *differing_register(struct cts_arena *arena, const struct cts_seg *seg,
                                      const struct cts_seg_view *v, const struct cts_obs *obs)
{
    for (unsigned i = 0; i < 10; i++) {
        uint64_t got = cts_order_get64(seg->be, obs->row + CTS_ENTRY_OUT + 8 * i);
        if (!((seg->layout.out_mask >> i) & 1) || (v->any >> i) & 1 || got == v->r[i])
            continue;
        return cts_arena_fmt(arena, "r%u = 0x%llx, expected 0x%llx", i, (unsigned long long)got,
                             (unsigned long long)v->r[i]);
    }
    return NULL;
}

/* Bytes from `origin` on, counted from where `name` points. */
static const char *differing_byte(struct cts_arena *arena, const char *name, int origin,
                                  const uint8_t *want, const uint8_t *any, const uint8_t *got,
                                  size_t n)
{
    for (size_t i = 0; want && i < n; i++) {
        int at = origin + (int)i;
        if (want[i] != got[i] && !(any && any[i]))
            return cts_arena_fmt(arena, "byte %s%c%d = 0x%02x, expected 0x%02x", name,
                                 at < 0 ? '-' : '+', at < 0 ? -at : at, got[i], want[i]);
    }
    return NULL;
}

static const char *differing_stack(struct cts_arena *arena, const struct cts_seg *seg,
                                   const struct cts_seg_view *v, const struct cts_obs *obs)
{
    const uint8_t *got = obs->row + seg->layout.stack_off + CTS_STACK_BYTES;
    const char *found = NULL;
    if (!seg->layout.stack_off || !v->stack)
        return NULL;
    for (size_t at = 0, end; !found && cts_seg_stack_span(seg, &at, &end); at = end)
        found = differing_byte(arena, "fp", (int)at - CTS_STACK_BYTES, v->stack + at,
                               v->stack_any ? v->stack_any + at : NULL, got + at, end - at);
    return found;
}

static const char *differing_state(struct cts_arena *arena, struct cts_seg *seg, uint32_t r,
                                   const struct cts_obs *obs)
{
    struct cts_seg_view v;
    if (!obs->row)
        return NULL;
    if (!cts_seg_expected(seg, r, obs->row, obs->expect, arena, &v))
        return "ran to the end of the vector's code, but it must end before";
    const char *found = differing_register(arena, seg, &v, obs);
    if (!found)
        found = differing_byte(arena, "mem", 0, v.mem, v.mem_any, obs->row + CTS_ENTRY_MEM,
                               seg->layout.mem_bytes);
    return found ? found : differing_stack(arena, seg, &v, obs);
}

static const char *differing_r0(struct cts_arena *arena, const struct cts_seg *seg, uint32_t r,
                                const struct cts_obs *obs)
{
    const struct cts_outcomes *out = &seg->outcomes[r];
    const char *text = cts_arena_fmt(arena, "r0 = 0x%llx, expected", (unsigned long long)obs->r0);
    unsigned n = 0;
    uint64_t r0;
    for (uint32_t i = 0; text && i < out->count; i++) {
        const struct cts_pk_outcome *o = &out->first[i];
        if ((o->kind == CTS_OUT_RAN || o->kind == CTS_OUT_EXITED) &&
            cts_seg_whole_result(seg, o, &r0))
            text =
                cts_arena_fmt(arena, "%s%s 0x%llx", text, n++ ? " or" : "", (unsigned long long)r0);
    }
    return n ? text : NULL;
}

const char *cts_difference(struct cts_seg *seg, uint32_t r, const struct cts_obs *obs,
                           struct cts_arena *arena)
{
    const char *found = NULL;
    if (!seg->whole)
        found = differing_state(arena, seg, r, obs);
    else if (obs->result_known)
        found = differing_r0(arena, seg, r, obs);
    return found ? found : "wrong result";
}
