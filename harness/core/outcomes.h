/* Which outcomes of an operand tuple count on an engine: those that name it ("linux:jit"); if there
 * are none, those that name its runtime; if there are none, those for all. */
#ifndef CTS_CORE_OUTCOMES_H
#define CTS_CORE_OUTCOMES_H

#include "host/arena.h"
#include "pack/pack.h"
#include "wire/worker.h"

/* Any of them conforms. */
struct cts_outcomes {
    const struct cts_pk_outcome *first;
    uint32_t count;
    unsigned kinds; /* a bit per enum cts_outcome_kind that is among them */
};

/* Those of `all` that count on the engine with these capabilities: in the pack or, where others
 * stand between them, in the arena. CTS_E_NOMEM. */
int cts_outcomes_find(const struct cts_pack *p, struct cts_pk_range all,
                      const struct cts_caps *caps, struct cts_arena *arena,
                      struct cts_outcomes *out);
/* The kinds of those alone: a bit per enum cts_outcome_kind. */
unsigned cts_outcomes_kinds(const struct cts_pack *p, struct cts_pk_range all,
                            const struct cts_caps *caps);

/* The state that one of them asks for at the end of a body; null: it is of another kind. */
static inline const struct cts_pk_state *cts_outcome_state(const struct cts_pack *p,
                                                           const struct cts_pk_outcome *o)
{
    return o->kind == CTS_OUT_RAN && o->state != CTS_PACK_NONE ? &p->states[o->state] : NULL;
}

#endif
