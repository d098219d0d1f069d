#include "core/needs.h"

#include "core/variant.h"

#include "pack/uses.h"

/* Must the unit's program be accepted for the case to pass? */
static bool must_be_accepted(const struct cts_pack *p, const struct cts_pk_unit *u, uint32_t kase,
                             const struct cts_caps *caps)
{
    if (u->sweep != UINT32_MAX)
        return p->sweeps[u->sweep].kase == kase;
    for (uint32_t r = u->rows.first; r < u->rows.first + u->rows.count; r++)
        if (p->rows[r].kase == kase &&
            !(cts_outcomes_kinds(p, p->rows[r].out, caps) & 1u << CTS_OUT_REJECTED))
            return true;
    return false;
}

/* Run as a whole program, a function is not called. */
static bool is_uncalled(const struct cts_pk_unit *u, const struct cts_caps *caps)
{
    return u->flags & CTS_UF_FUNCTION && cts_unit_is_whole(u, caps);
}

static uint32_t unit_uses(const struct cts_pack *p, const struct cts_pk_unit *u,
                          const struct cts_caps *caps)
{
    uint32_t first = is_uncalled(u, caps) ? u->body_slots : 0;
    uint32_t packet = u->flags & CTS_UF_PACKET ? CTS_FEAT_PACKET : 0;
    return packet | cts_code_uses(p->code + u->code + (size_t)first * 8, u->slots - first);
}

uint32_t cts_case_lacks(const struct cts_pack *p, const struct cts_pk_vector *v, uint32_t kase,
                        const struct cts_caps *caps)
{
    uint32_t lacks = v->needs & ~caps->features;
    if (v->units.count && is_uncalled(&p->units[v->units.first], caps))
        lacks &= ~(uint32_t)CTS_FEAT_LOCAL_CALL;
    if (!(v->uses & ~caps->features))
        return lacks;
    for (uint32_t i = v->units.first; i < v->units.first + v->units.count; i++)
        if (must_be_accepted(p, &p->units[i], kase, caps))
            lacks |= unit_uses(p, &p->units[i], caps) & ~caps->features;
    return lacks;
}
