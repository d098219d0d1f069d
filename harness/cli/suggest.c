#include "cli/suggest.h"

#include <string.h>

#include "base/nearest.h"
#include "cli/say.h"
#include "generated/spec_text.h"
#include "isa/isa.h"

enum { MOST = 5 };

struct found {
    const char *id;
    size_t distance;
};

struct finder {
    const char *id;
    struct found best[MOST]; /* the nearest first */
    unsigned count;
};

static void offer(struct finder *f, const char *id)
{
    size_t len = strlen(f->id);
    unsigned at;
    if (len > CTS_NEAREST_LEN_MAX || strlen(id) > CTS_NEAREST_LEN_MAX)
        return;
    size_t distance = cts_distance(f->id, id);
    /* A part of it is near; else a third of the letters may be wrong. */
    if (len >= 3 && strstr(id, f->id))
        distance = 1;
    if (distance > 1 + len / 4)
        return;
    for (at = 0; at < f->count; at++)
        if (strcmp(f->best[at].id, id) == 0)
            return;
    for (at = 0; at < f->count && f->best[at].distance <= distance; at++)
        ;
    if (at == MOST)
        return;
    f->count += f->count < MOST;
    memmove(&f->best[at + 1], &f->best[at], (f->count - at - 1) * sizeof(*f->best));
    f->best[at] = (struct found){id, distance};
}

static void offer_strings(struct finder *f, const struct cts_pack *p, struct cts_pk_range list)
{
    for (uint32_t i = 0; i < list.count; i++)
        offer(f, cts_pack_text(p, p->string_refs[list.first + i]));
}

void cts_suggest(const char *id, const struct cts_pack *pack)
{
    struct finder f = {.id = id};
    for (unsigned i = 0; i < CTS_INSN_COUNT; i++)
        offer(&f, cts_insn_info((enum cts_insn_id)i)->id);
    for (size_t i = 0; i < CTS_CLAUSE_COUNT; i++)
        offer(&f, cts_clause_texts[i].id);
    for (size_t i = 0; i < CTS_AMBIGUITY_COUNT; i++)
        offer(&f, cts_ambiguity_texts[i].id);
    for (size_t i = 0; i < CTS_VERDICT_COUNT; i++)
        offer(&f, cts_verdict_texts[i].id);
    for (size_t i = 0; i < CTS_POLICY_COUNT; i++)
        offer(&f, cts_policy_texts[i].id);
    for (uint32_t i = 0; i < pack->vector_count; i++) {
        offer(&f, cts_pack_text(pack, pack->vectors[i].id));
        offer_strings(&f, pack, pack->vectors[i].bugs);
    }
    for (unsigned i = 0; i < f.count; i++)
        cts_say("%s %s", i ? "," : "Did you mean:", f.best[i].id);
    if (f.count)
        cts_say("\n");
}
