/* Cases: a state to start from, and the outcomes that conform. */
#include <string.h>

#include "load/schema.h"
#include "load/vec_read.h"

static int read_exits(struct cts_vec_reader *r, const struct cts_yaml *node,
                      struct cts_vec_outcome *o)
{
    *o = (struct cts_vec_outcome){.kind = CTS_OUT_EXITED, .runtime = ""};
    if (cts_yaml_is(node, "any"))
        return 0;
    o->has_r0 = true;
    return cts_yaml_u64_bits(node, "exits", &o->r0, r->err);
}

static int read_out(struct cts_vec_reader *r, const struct cts_yaml *node,
                    struct cts_vec_outcome *o)
{
    *o = (struct cts_vec_outcome){.kind = CTS_OUT_RAN, .runtime = ""};
    return cts_vec_read_state(r, node, CTS_VW_OUT, &o->out);
}

static int read_faults(struct cts_vec_reader *r, const struct cts_yaml *node,
                       struct cts_vec_outcome *o)
{
    bool yes;
    int rc = cts_yaml_bool(node, "faults", &yes, r->err);
    if (rc == 0 && !yes)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err, "faults: true, or leave it out");
    *o = (struct cts_vec_outcome){.kind = CTS_OUT_FAULTED, .runtime = ""};
    return rc;
}

static const struct {
    const char *key;
    int (*read)(struct cts_vec_reader *r, const struct cts_yaml *node, struct cts_vec_outcome *o);
} outcome_keys[] = {{"out", read_out}, {"exits", read_exits}, {"faults", read_faults}};

/* The outcome that the mapping names under one of the keys; exactly one. */
static int read_outcome(struct cts_vec_reader *r, const struct cts_yaml *map,
                        struct cts_vec_outcome *o)
{
    unsigned found = 0;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof(outcome_keys) / sizeof(outcome_keys[0]); i++) {
        const struct cts_yaml *node = cts_yaml_get(map, outcome_keys[i].key);
        if (!node)
            continue;
        found++;
        rc = outcome_keys[i].read(r, node, o);
    }
    if (rc == 0 && found != 1)
        return cts_yaml_error(map, CTS_E_SCHEMA, r->err,
                              "exactly one of out, exits, faults is needed");
    return rc;
}

static int read_alternative(struct cts_vec_reader *r, const struct cts_yaml *node,
                            struct cts_vec_outcome *o)
{
    static const struct cts_schema_field fields[] = {
        {"out", CTS_SCHEMA_MAP, false, "another state that conforms", NULL, NULL},
        {"exits", CTS_SCHEMA_STR, false, "another result", NULL, NULL},
        {"faults", CTS_SCHEMA_BOOL, false, "the runtime stops it", NULL, NULL},
        {0},
    };
    if (node->kind == CTS_YAML_MAP) {
        int rc = cts_schema_check(node, fields, "outcome", r->err);
        return rc ? rc : read_outcome(r, node, o);
    }
    if (cts_yaml_is(node, "reject"))
        *o = (struct cts_vec_outcome){.kind = CTS_OUT_REJECTED, .runtime = ""};
    else if (cts_yaml_is(node, "fault"))
        *o = (struct cts_vec_outcome){.kind = CTS_OUT_FAULTED, .runtime = ""};
    else
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err,
                              "or: a list of reject, fault, {out: {..}}, {exits: ..}");
    return 0;
}

static int read_outcomes(struct cts_vec_reader *r, const struct cts_yaml *map,
                         struct cts_vec_case *c)
{
    const struct cts_yaml *or = cts_yaml_get(map, "or");
    size_t n = 1 + (or ? or->count : 0);
    if (n > CTS_VEC_OUTCOMES_MAX)
        return cts_yaml_error(or, CTS_E_LIMIT, r->err, "or: at most %d", CTS_VEC_OUTCOMES_MAX - 1);
    struct cts_vec_outcome *o = cts_arena_take_array(r->arena, n, sizeof(*o));
    if (!o)
        return cts_vec_nomem(r);
    int rc = read_outcome(r, map, &o[0]);
    for (size_t i = 1; rc == 0 && i < n; i++)
        rc = read_alternative(r, or->items[i - 1], &o[i]);
    c->outcomes = o;
    c->outcome_count = n;
    return rc;
}

static int read_imm(struct cts_vec_reader *r, const struct cts_yaml *map, struct cts_vec_case *c)
{
    const struct cts_yaml *imm = cts_yaml_get(map, "imm");
    if (imm && !r->v.uses_imm)
        return cts_yaml_error(imm, CTS_E_SCHEMA, r->err, "imm: the code has no {imm}");
    if (!imm && r->v.uses_imm)
        return cts_yaml_error(map, CTS_E_SCHEMA, r->err,
                              "imm is missing: the code has {imm} in it");
    c->has_imm = imm != NULL;
    return imm ? cts_yaml_u64_bits(imm, "imm", &c->imm, r->err) : 0;
}

static int read_case(struct cts_vec_reader *r, const struct cts_yaml *node, size_t number,
                     struct cts_vec_case *c)
{
    static const struct cts_schema_field fields[] = {
        {"name", CTS_SCHEMA_ID, false, "default: its number", NULL, NULL},
        {"imm", CTS_SCHEMA_NUM, false, "the value of {imm}", NULL, NULL},
        {"in", CTS_SCHEMA_MAP, false, "the state to start from", NULL, NULL},
        {"out", CTS_SCHEMA_MAP, false, "the state that comes out", NULL, NULL},
        {"exits", CTS_SCHEMA_STR, false, "the body ends the program with this r0", NULL, NULL},
        {"faults", CTS_SCHEMA_BOOL, false, "the runtime stops it", NULL, NULL},
        {"or", CTS_SCHEMA_SEQ, false, "further outcomes that conform", NULL, NULL},
        {"order", CTS_SCHEMA_WORD, false, "machines it is for", NULL,
         cts_order_names + CTS_ORDER_LITTLE},
        {0},
    };
    const struct cts_yaml *name = cts_yaml_get(node, "name"), *in = cts_yaml_get(node, "in");
    const struct cts_yaml *order = cts_yaml_get(node, "order");
    int rc = cts_yaml_want(node, CTS_YAML_MAP, "case", r->err);
    if (rc == 0)
        rc = cts_schema_check(node, fields, "case", r->err);
    if (rc)
        return rc;
    c->pos = cts_vec_pos_of(node);
    c->name = name ? name->text : cts_arena_fmt(r->arena, "%zu", number);
    if (!c->name)
        return cts_vec_nomem(r);
    if (order)
        c->order = cts_yaml_is(order, "big") ? CTS_ORDER_BIG : CTS_ORDER_LITTLE;
    if (in)
        rc = cts_vec_read_state(r, in, CTS_VW_IN, &c->in);
    if (rc == 0)
        rc = read_imm(r, node, c);
    return rc ? rc : read_outcomes(r, node, c);
}

int cts_vec_read_cases(struct cts_vec_reader *r, const struct cts_yaml *map)
{
    const struct cts_yaml *node = cts_yaml_get(map, "cases");
    if (node->count == 0)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err, "cases: none");
    struct cts_vec_case *c = cts_arena_take_array(r->arena, node->count, sizeof(*c));
    if (!c)
        return cts_vec_nomem(r);
    for (size_t i = 0; i < node->count; i++) {
        int rc = read_case(r, node->items[i], i + 1, &c[i]);
        if (rc)
            return rc;
        for (size_t k = 0; k < i; k++)
            if (strcmp(c[k].name, c[i].name) == 0)
                return cts_yaml_error(node->items[i], CTS_E_SCHEMA, r->err,
                                      "duplicate case '%.60s' (first defined at line %u)",
                                      c[i].name, c[k].pos.line);
    }
    r->v.cases = c;
    r->v.case_count = node->count;
    return 0;
}
