#include "core/outcomes.h"

#include <string.h>

/* How closely a name fits: 0 it is another's, 1 it is for all, 2 the runtime's, 3 the engine's. */
static unsigned closeness(const char *name, const struct cts_caps *caps)
{
    size_t len = strlen(caps->runtime);
    if (name[0] == '\0')
        return 1;
    if (strncmp(name, caps->runtime, len) != 0)
        return 0;
    if (name[len] == '\0')
        return 2;
    return name[len] == ':' && strcmp(name + len + 1, caps->engine) == 0 ? 3 : 0;
}

static unsigned closeness_of(const struct cts_pack *p, uint32_t index, const struct cts_caps *caps)
{
    return closeness(cts_pack_text(p, p->outcomes[index].runtime), caps);
}

static unsigned closest_of(const struct cts_pack *p, struct cts_pk_range all,
                           const struct cts_caps *caps)
{
    unsigned closest = 1;
    for (uint32_t i = all.first; i < all.first + all.count; i++) {
        unsigned c = closeness_of(p, i, caps);
        closest = c > closest ? c : closest;
    }
    return closest;
}

/* Copies those of the given closeness. */
static int copy(const struct cts_pack *p, struct cts_pk_range all, unsigned closest,
                const struct cts_caps *caps, struct cts_arena *arena, struct cts_outcomes *out)
{
    struct cts_pk_outcome *list = cts_arena_take_array(arena, all.count, sizeof(*list));
    if (!list)
        return CTS_E_NOMEM;
    *out = (struct cts_outcomes){.first = list};
    for (uint32_t i = all.first; i < all.first + all.count; i++)
        if (closeness_of(p, i, caps) == closest)
            list[out->count++] = p->outcomes[i];
    return 0;
}

int cts_outcomes_find(const struct cts_pack *p, struct cts_pk_range all,
                      const struct cts_caps *caps, struct cts_arena *arena,
                      struct cts_outcomes *out)
{
    unsigned closest = closest_of(p, all, caps);
    bool whole = true;
    for (uint32_t i = all.first; i < all.first + all.count; i++)
        whole = whole && closeness_of(p, i, caps) == closest;
    *out = (struct cts_outcomes){.first = p->outcomes + all.first, .count = all.count};
    int rc = whole ? 0 : copy(p, all, closest, caps, arena, out);
    out->kinds = cts_outcomes_kinds(p, all, caps);
    return rc;
}

unsigned cts_outcomes_kinds(const struct cts_pack *p, struct cts_pk_range all,
                            const struct cts_caps *caps)
{
    unsigned closest = closest_of(p, all, caps), kinds = 0;
    for (uint32_t i = all.first; i < all.first + all.count; i++)
        if (closeness_of(p, i, caps) == closest)
            kinds |= 1u << p->outcomes[i].kind;
    return kinds;
}
