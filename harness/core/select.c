#include "core/select.h"

#include <stdlib.h>

int cts_selection_init(struct cts_selection *s, const struct cts_pack *pack,
                       const struct cts_core_opts *opts, struct cts_err *err)
{
    *s = (struct cts_selection){.pack = pack,
                                .level = opts->level,
                                .vector = opts->select,
                                .test_case = opts->select_case,
                                .unit = calloc(pack->unit_count + 1u, 1)};
    if (!s->unit)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    cts_selection_find_units(s);
    return 0;
}

void cts_selection_release(struct cts_selection *s)
{
    free(s->unit);
    free(s->own_vector);
    free(s->own_case);
}

/* Is one of the unit's cases selected? */
static bool unit_wanted(const struct cts_selection *s, const struct cts_pk_unit *u)
{
    const struct cts_pack *p = s->pack;
    if (u->level > s->level)
        return false;
    if (u->sweep != UINT32_MAX)
        return cts_selection_has_case(s, p->sweeps[u->sweep].kase);
    for (uint32_t i = 0; i < u->rows.count; i++)
        if (cts_selection_has_case(s, p->rows[u->rows.first + i].kase))
            return true;
    return false;
}

void cts_selection_find_units(struct cts_selection *s)
{
    for (uint32_t v = 0; v < s->pack->vector_count; v++) {
        struct cts_pk_range units = s->pack->vectors[v].units;
        for (uint32_t i = 0; cts_selection_has_vector(s, v) && i < units.count; i++)
            s->unit[units.first + i] = unit_wanted(s, &s->pack->units[units.first + i]);
    }
}

void cts_selection_count(const struct cts_selection *s, struct cts_summary *summary)
{
    summary->vectors = summary->cases = 0;
    for (uint32_t v = 0; v < s->pack->vector_count; v++) {
        struct cts_pk_range cases = s->pack->vectors[v].cases;
        uint64_t wanted = 0;
        for (uint32_t i = 0; cts_selection_has_vector(s, v) && i < cases.count; i++)
            wanted += cts_selection_has_case(s, cases.first + i);
        summary->vectors += wanted != 0;
        summary->cases += wanted;
    }
}

/* Copies of the caller's selection, to add to. */
static int make_own(struct cts_selection *s, struct cts_err *err)
{
    const struct cts_pack *p = s->pack;
    if (s->own_vector)
        return 0;
    s->own_vector = malloc(p->vector_count + 1u);
    s->own_case = malloc(p->case_count + 1u);
    if (!s->own_vector || !s->own_case)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (uint32_t c = 0; c < p->case_count; c++)
        s->own_case[c] = cts_selection_has_case(s, c);
    for (uint32_t v = 0; v < p->vector_count; v++) {
        s->own_vector[v] = cts_selection_has_vector(s, v);
        for (uint32_t i = 0; !s->own_vector[v] && i < p->vectors[v].cases.count; i++)
            s->own_case[p->vectors[v].cases.first + i] = 0;
    }
    s->vector = s->own_vector;
    s->test_case = s->own_case;
    return 0;
}

int cts_selection_add(struct cts_selection *s, uint32_t vector, uint32_t test_case,
                      struct cts_err *err)
{
    int rc = make_own(s, err);
    if (rc == 0)
        s->own_vector[vector] = s->own_case[test_case] = 1;
    return rc;
}

bool cts_selection_widen(struct cts_selection *s, const struct cts_wider *wider)
{
    uint8_t *unit = calloc(wider->pack->unit_count + 1u, 1);
    if (!unit)
        return false;
    free(s->unit);
    s->unit = unit;
    s->pack = wider->pack;
    s->vector = wider->select;
    s->test_case = wider->select_case;
    cts_selection_find_units(s);
    return true;
}
