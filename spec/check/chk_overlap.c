/* No instruction belongs to two items of the specification. What a field may hold is one or two
 * arithmetic progressions; two rows overlap if in every field one of the one meets one of the
 * other. */
#include <stdio.h>

#include "spec_check/check.h"

struct progression {
    int64_t lo, hi, step; /* multiples of step from lo to hi */
};

struct set {
    struct progression part[2];
    size_t parts;
};

struct span {
    int64_t lo, hi;
};

static const struct span FIELD_SPAN[CTS_SF_COUNT] = {
    [CTS_SF_OPCODE] = {0, 255},
    [CTS_SF_DST] = {0, 15},
    [CTS_SF_SRC] = {0, 15},
    [CTS_SF_OFF] = {INT16_MIN, INT16_MAX},
    [CTS_SF_IMM] = {INT32_MIN, INT32_MAX},
    [CTS_SF_NEXT_IMM] = {INT32_MIN, INT32_MAX},
};

static struct set set_of(const struct cts_spec_enc *e, enum cts_spec_field field)
{
    struct span all = FIELD_SPAN[field];

    switch (e->rule) {
    case CTS_SR_FIXED:
        return (struct set){{{e->value, e->value, 1}}, 1};
    case CTS_SR_REG:
        return (struct set){{{0, 10, 1}}, 1};
    case CTS_SR_ANY:
        return (struct set){{{all.lo, all.hi, 1}}, 1};
    case CTS_SR_NONZERO:
        return (struct set){{{all.lo, -1, 1}, {1, all.hi, 1}}, 2};
    case CTS_SR_SPAN:
        return (struct set){{{e->value, e->last, e->step}}, 1};
    }
    return (struct set){0};
}

static int64_t gcd(int64_t a, int64_t b)
{
    return b ? gcd(b, a % b) : a;
}

static bool progressions_meet(const struct progression *a, const struct progression *b)
{
    int64_t lo = a->lo > b->lo ? a->lo : b->lo;
    int64_t hi = a->hi < b->hi ? a->hi : b->hi;
    int64_t step = a->step / gcd(a->step, b->step) * b->step;
    int64_t first = lo - lo % step; /* a multiple of step, at most one step from lo */

    if (first < lo)
        first += step;
    return first <= hi;
}

static bool fields_meet(const struct cts_spec_insn *a, const struct cts_spec_insn *b,
                        enum cts_spec_field field)
{
    struct set x = set_of(&a->enc[field], field), y = set_of(&b->enc[field], field);

    for (size_t i = 0; i < x.parts; i++) {
        for (size_t j = 0; j < y.parts; j++) {
            if (progressions_meet(&x.part[i], &y.part[j]))
                return true;
        }
    }
    return false;
}

static bool rows_meet(const struct cts_spec_insn *a, const struct cts_spec_insn *b)
{
    for (int f = 0; f < CTS_SF_COUNT; f++) {
        /* A row of one slot says nothing of a second one: it meets whatever is there. */
        if (f == CTS_SF_NEXT_IMM && !(a->wide && b->wide))
            continue;
        if (!fields_meet(a, b, (enum cts_spec_field)f))
            return false;
    }
    return true;
}

static void run_overlap(struct cts_check_run *run)
{
    const struct cts_spec *spec = run->spec;
    size_t same_opcode = 0;

    for (size_t i = 0; i < spec->row_count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct cts_spec_insn *a = &spec->rows[i], *b = &spec->rows[j];
            run->looked++;
            same_opcode += a->enc[CTS_SF_OPCODE].value == b->enc[CTS_SF_OPCODE].value;
            if (rows_meet(a, b))
                cts_check_fault_at(run, a->node, "%s overlaps %s (%s:%u)", a->id, b->id,
                                   b->node->file, b->node->line);
        }
    }
    snprintf(run->more, sizeof(run->more), "%zu share an opcode", same_opcode);
}

const struct cts_check cts_check_overlap = {
    .name = "overlap",
    .what = "no instruction belongs to two items of the specification",
    .unit = "pairs of instructions",
    .run = run_overlap,
};
