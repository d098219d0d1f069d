#include "load/vec_known.h"

#include <string.h>

/* The ids of a list whose items begin with theirs. */
static bool list_ids(const void *items, size_t count, size_t bytes, struct cts_arena *arena,
                     struct cts_vec_names *out)
{
    const char **ids = cts_arena_take_array(arena, count + 1, sizeof(*ids));
    for (size_t i = 0; ids && i < count; i++)
        memcpy(&ids[i], (const char *)items + i * bytes, sizeof(ids[i]));
    *out = (struct cts_vec_names){ids, count};
    return ids != NULL;
}

int cts_vec_known_of(const struct cts_spec *spec, struct cts_arena *arena,
                     struct cts_vec_known *out, struct cts_err *err)
{
    *out = (struct cts_vec_known){0};
    bool made =
        list_ids(spec->rows, spec->row_count, sizeof(*spec->rows), arena, &out->rows) &&
        list_ids(spec->clauses, spec->clause_count, sizeof(*spec->clauses), arena, &out->clauses) &&
        list_ids(spec->verdicts, spec->verdict_count, sizeof(*spec->verdicts), arena,
                 &out->classes) &&
        (!spec->policy_count || list_ids(spec->policies, spec->policy_count,
                                         sizeof(*spec->policies), arena, &out->policies));
    return made ? 0 : cts_err_set(err, CTS_E_NOMEM, "out of memory");
}
