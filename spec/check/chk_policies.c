/* Every policy decides the expectation of a vector, and every policy that a vector names is
 * listed. */
#include <stdio.h>
#include <string.h>

#include "spec_check/check.h"

/* What vectors rest on that name no policy, and what files of other suites become. */
static bool is_named_by_none(const char *id)
{
    return !strcmp(id, "rfc") || !strcmp(id, "imported");
}

static size_t mark(struct cts_check_run *run, const struct cts_vec *v, size_t *uses)
{
    const struct cts_spec_policy *p = cts_spec_policy_find(run->spec, v->policy);

    if (p)
        uses[p - run->spec->policies]++;
    else
        cts_check_fault(run, v->pos.file, v->pos.line, "%s: no policy '%s'", v->id, v->policy);
    return strcmp(v->policy, "rfc") != 0;
}

static void run_policies(struct cts_check_run *run)
{
    const struct cts_spec *spec = run->spec;
    const struct cts_check_vecs *vecs = cts_check_load_vectors(run);
    size_t *uses = cts_check_take(run, spec->policy_count, sizeof(*uses)), resting = 0;

    if (!vecs || !uses)
        return;
    for (size_t f = 0; f < vecs->file_count; f++) {
        for (size_t v = 0; v < vecs->files[f].count; v++)
            resting += mark(run, &vecs->files[f].vectors[v], uses);
    }
    for (size_t i = 0; i < spec->policy_count; i++) {
        run->looked++;
        if (!uses[i] && !is_named_by_none(spec->policies[i].id))
            cts_check_fault_at(run, spec->policies[i].node, "policy %s: no vector rests on it",
                               spec->policies[i].id);
    }
    snprintf(run->more, sizeof(run->more), "%zu vectors rest on one", resting);
}

const struct cts_check cts_check_policies = {
    .name = "policies",
    .what = "every policy decides a vector, and every policy that a vector names is listed",
    .unit = "policies",
    .run = run_policies,
};
