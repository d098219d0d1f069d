#include "core/asked.h"

#include <string.h>

#include "base/fmt.h"
#include "core/needs.h"
#include "core/variant.h"
#include "wire/wire.h"

static const char *missing_feature(uint32_t missing)
{
    return cts_feature_name((unsigned)__builtin_ctz(missing));
}

static bool is_for(const struct cts_pack *p, const struct cts_pk_vector *v, const char *runtime)
{
    for (uint32_t i = 0; i < v->only.count; i++)
        if (strcmp(cts_pack_text(p, p->string_refs[v->only.first + i]), runtime) == 0)
            return true;
    return v->only.count == 0;
}

bool cts_may_be_accepted(const struct cts_pack *p, const struct cts_caps *caps,
                         const struct cts_pk_vector *v, const struct cts_pk_case *c)
{
    for (uint32_t u = v->units.first; u < v->units.first + v->units.count; u++) {
        const struct cts_pk_range rows = p->units[u].rows;
        for (uint32_t r = rows.first; r < rows.first + rows.count; r++)
            if (&p->cases[p->rows[r].kase] == c &&
                cts_outcomes_kinds(p, p->rows[r].out, caps) & ~(1u << CTS_OUT_REJECTED))
                return true;
    }
    return false;
}

/* Is it a function that is run as a whole program, and not called? */
static bool is_whole(const struct cts_pack *p, const struct cts_pk_vector *v,
                     const struct cts_caps *caps)
{
    const struct cts_pk_unit *u = v->units.count ? &p->units[v->units.first] : NULL;
    return u && u->flags & CTS_UF_FUNCTION && cts_unit_is_whole(u, caps);
}

/* Does the engine keep to what the vector rests on? The RFC is for everybody. */
static bool keeps_policy(const struct cts_target *t, const char *policy)
{
    for (size_t i = 0; t->policies && strcmp(policy, "rfc") != 0; i++) {
        if (!t->policies[i])
            return false;
        if (strcmp(t->policies[i], policy) == 0)
            break;
    }
    return true;
}

const char *cts_why_not_asked(const struct cts_pack *p, const struct cts_target *t,
                              const struct cts_caps *caps, const struct cts_pk_vector *v,
                              const struct cts_pk_case *c, char *text, size_t cap)
{
    bool whole = is_whole(p, v, caps);
    uint32_t missing = cts_case_lacks(p, v, (uint32_t)(c - p->cases), caps);
    if (v->skip)
        cts_fmt(text, cap, "%s", cts_pack_text(p, v->skip));
    else if (v->no_jit && t->jit)
        cts_fmt(text, cap, "not for compilers: %s", cts_pack_text(p, v->no_jit));
    else if (t->groups && !(t->groups >> v->group & 1))
        cts_fmt(text, cap, "group %s is not claimed", cts_group_name((enum cts_group)v->group));
    else if (!keeps_policy(t, cts_pack_text(p, v->policy)))
        cts_fmt(text, cap, "policy %s is not claimed", cts_pack_text(p, v->policy));
    else if (!is_for(p, v, caps->runtime))
        cts_fmt(text, cap, "for other runtimes only");
    else if (missing)
        cts_fmt(text, cap, "needs %s", missing_feature(missing));
    else if (caps->window_kind == CTS_WK_NONE && v->kind != CTS_VK_VERDICT && !whole)
        cts_fmt(text, cap, "%s",
                caps->features & CTS_FEAT_VERDICT_ONLY
                    ? "loads programs, does not run them"
                    : "runs whole programs only: it has no memory that rows could be in");
    else if ((t->unverified || caps->features & CTS_FEAT_UNCHECKED) && v->kind == CTS_VK_VERDICT &&
             !cts_may_be_accepted(p, caps, v, c))
        cts_fmt(text, cap, "no loader's checks: nothing is rejected at load");
    else if (c->order == CTS_ORDER_LITTLE && caps->be)
        cts_fmt(text, cap, "for little-endian machines");
    else if (c->order == CTS_ORDER_BIG && !caps->be)
        cts_fmt(text, cap, "for big-endian machines");
    else
        return NULL;
    return text;
}
