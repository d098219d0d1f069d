#include "core/expected.h"

static bool names(const struct cts_known *k, const struct cts_target *t,
                  const struct cts_caps *caps, const struct cts_pack *p, uint32_t kase)
{
    const struct cts_pk_vector *v = &p->vectors[p->cases[kase].vector];
    const char *engine = t->engine[0] ? t->engine : caps->engine;
    return cts_known_covers(k, engine, caps->version, cts_pack_text(p, v->id),
                            cts_pack_text(p, p->cases[kase].name));
}

int cts_expected_find(struct cts_track *t, uint32_t kase, const struct cts_target *target,
                      const struct cts_caps *caps, const struct cts_pack *p,
                      struct cts_arena *arena)
{
    const struct cts_known **list = NULL;
    size_t n = 0;
    for (size_t i = 0; i < target->known_count; i++) {
        if (!names(target->known[i], target, caps, p, kase))
            continue;
        if (!list)
            list = cts_arena_take_array(arena, target->known_count - i + 1, sizeof(*list));
        if (!list)
            return CTS_E_NOMEM;
        list[n++] = target->known[i];
    }
    t->known = list;
    return list ? cts_expected_follow(t, kase, p, arena) : 0;
}

int cts_expected_follow(struct cts_track *t, uint32_t kase, const struct cts_pack *p,
                        struct cts_arena *arena)
{
    const struct cts_pk_vector *v = &p->vectors[p->cases[kase].vector];
    t->variants = cts_arena_take_array(arena, v->units.count + 1, sizeof(*t->variants));
    return t->variants ? 0 : CTS_E_NOMEM;
}

const struct cts_known *cts_expected_by(const struct cts_track *t, const char *label,
                                        enum cts_failure failure)
{
    for (size_t i = 0; t->known && t->known[i]; i++)
        if (cts_known_fits(t->known[i], label) && cts_known_explains(t->known[i], failure))
            return t->known[i];
    return NULL;
}

void cts_expected_note(const struct cts_pack *p, struct cts_track *t, uint32_t unit,
                       enum cts_status status, enum cts_failure failure)
{
    const struct cts_pk_vector *v = &p->vectors[p->units[unit].vector];
    struct cts_variant *one = t->variants ? &t->variants[unit - v->units.first] : NULL;
    if (!one || (one->seen && cts_status_weight(status) <= cts_status_weight(one->status)))
        return;
    *one = (struct cts_variant){.seen = true, .status = status, .failure = failure};
}

/* The entry by which the variant was to fail; null: none. */
static const struct cts_known *entry_for(const struct cts_track *t, const char *label)
{
    for (size_t i = 0; t->known && t->known[i]; i++)
        if (!t->known[i]->sometimes && cts_known_fits(t->known[i], label))
            return t->known[i];
    return NULL;
}

/* Did one fail, as was expected? Then the one that passes is named. */
static const char *passed(struct cts_arena *arena, const struct cts_track *t, const char *label)
{
    const char *text =
        t->status == CTS_ST_XFAIL
            ? cts_arena_fmt(arena, "passed with %s, but is on record as failing", label)
            : NULL;
    return text ? text : "passed, but is on record as failing";
}

static void tell(struct cts_track *t, const struct cts_pack *p, const struct cts_pk_range units,
                 struct cts_arena *arena)
{
    struct cts_variant_result *told = cts_arena_take_array(arena, units.count + 1, sizeof(*told));
    for (uint32_t i = 0; told && i < units.count; i++)
        if (t->variants[i].seen)
            told[t->told_count++] = (struct cts_variant_result){
                .label = cts_pack_text(p, p->units[units.first + i].label),
                .status = t->variants[i].status,
                .failure = t->variants[i].failure,
            };
    t->told = told;
    if (told)
        return;
    t->status = CTS_ST_ERROR;
    t->message = "out of memory";
}

void cts_expected_conclude(const struct cts_pack *p, struct cts_track *t, uint32_t vector,
                           struct cts_arena *arena)
{
    const struct cts_pk_range units = p->vectors[vector].units;
    if (!t->variants)
        return;
    tell(t, p, units, arena);
    for (size_t i = 0; (t->status == CTS_ST_PASS || t->status == CTS_ST_XFAIL) && i < t->told_count;
         i++) {
        struct cts_variant_result *v = &t->told[i];
        const struct cts_known *k = v->status == CTS_ST_PASS ? entry_for(t, v->label) : NULL;
        if (!k)
            continue;
        t->message = passed(arena, t, v->label);
        t->status = CTS_ST_XPASS;
        t->failure = CTS_FL_NONE;
        t->detail = "";
        t->label = v->label;
        t->by = k;
    }
}
