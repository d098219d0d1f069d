#include "core/basis.h"

#include <string.h>

#include "base/fmt.h"
#include "core/judge.h"

bool cts_basis_is(const struct cts_pack *p, const struct cts_pk_vector *v)
{
    static const char suite[] = "programs/environment/";
    return v->rows.count && strncmp(cts_pack_text(p, v->id), suite, sizeof(suite) - 1) == 0;
}

static uint16_t own_row(const struct cts_pack *p, const struct cts_pk_vector *v)
{
    return p->insn_ids[v->rows.first];
}

/* The same, but for one row. */
static unsigned wrong_but(const struct cts_basis *b, const struct cts_pack *p,
                          const struct cts_pk_unit *u, unsigned but)
{
    const uint8_t *code = p->code + u->code;
    for (uint32_t at = 0; at < u->slots;) {
        struct cts_insn in;
        enum cts_insn_id row;
        int n =
            cts_decode(code + (size_t)at * CTS_SLOT_BYTES, u->slots - at, false, &in, &row, NULL);
        if (n > 0 && b->wrong[row] && row != but)
            return row;
        at += n > 0 ? (uint32_t)n : 1;
    }
    return CTS_INSN_COUNT;
}

unsigned cts_basis_wrong_insn(const struct cts_basis *b, const struct cts_pack *p,
                              const struct cts_pk_unit *u)
{
    return wrong_but(b, p, u, CTS_INSN_COUNT);
}

static void skip(struct cts_judge *j, uint32_t unit, unsigned row)
{
    char why[64];
    cts_fmt(why, sizeof(why), "not testable: %s fails", cts_insn_info((enum cts_insn_id)row)->id);
    cts_judge_untestable(j, unit, why);
}

void cts_basis_try(struct cts_basis *b, struct cts_exec *x, const struct cts_target *target,
                   const struct cts_caps *caps, const struct cts_pack *p, uint32_t vector,
                   struct cts_arena *arena)
{
    const struct cts_pk_vector *v = &p->vectors[vector];
    struct cts_judge j = {.pack = p,
                          .target = target,
                          .caps = caps,
                          .arena = arena,
                          .first_case = v->cases.first,
                          .case_count = v->cases.count,
                          .first_unit = v->units.first,
                          .unit_count = v->units.count,
                          .every = true};
    if (!b->tracks)
        b->tracks = cts_arena_take_array(arena, p->case_count + 1u, sizeof(*b->tracks));
    j.units = cts_arena_take_array(arena, v->units.count + 1u, sizeof(*j.units));
    if (!b->tracks || !j.units)
        return;
    j.tracks = b->tracks + v->cases.first;
    if (cts_judge_expect(&j) != 0)
        return;
    for (uint32_t i = 0; i < v->units.count; i++) {
        const uint32_t unit = v->units.first + i;
        unsigned other = wrong_but(b, p, &p->units[unit], own_row(p, v));
        if (other == CTS_INSN_COUNT)
            cts_exec_units(x, &j, &unit, 1, NULL);
        else
            skip(&j, unit, other);
    }
    cts_judge_count(&j);
    for (uint32_t i = 0; i < v->cases.count; i++)
        b->wrong[own_row(p, v)] |= cts_track_failed(&j.tracks[i]);
}

void cts_basis_name(struct cts_basis *b, const uint8_t *made_of)
{
    char list[CTS_BASIS_WHY / 2] = "";
    size_t n = 0;
    unsigned count = 0;
    for (unsigned row = 0; row < CTS_INSN_COUNT; row++)
        if (b->wrong[row] && (!made_of || made_of[row]))
            n += cts_fmt(list + n, sizeof(list) - n, "%s%s", count++ ? ", " : "",
                         cts_insn_info((enum cts_insn_id)row)->id);
    if (count)
        cts_fmt(b->why, sizeof(b->why), "not testable: %s %s", list, count > 1 ? "fail" : "fails");
}
