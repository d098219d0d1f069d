/* Sweeps: operands, and the domains of their values. */
#include "load/vec_read.h"

static int read_sweep_target(struct cts_vec_reader *r, const struct cts_yaml *key,
                             struct cts_vec_sweep *s)
{
    enum cts_vec_value_kind kind;
    int64_t add;
    if (cts_yaml_is(key, "imm")) {
        s->target = CTS_SWEEP_IMM;
        if (!r->v.uses_imm)
            return cts_yaml_error(key, CTS_E_SCHEMA, r->err, "imm: the code has no {imm}");
        return 0;
    }
    if (cts_vec_address(key->text, &kind, &add)) {
        s->target = CTS_SWEEP_MEM;
        if (r->v.memory == 0 && !r->memory_given)
            r->v.memory = 64;
        if (kind != CTS_VV_MEM || add < 0 || add + 8 > r->v.memory)
            return cts_yaml_error(key, CTS_E_RANGE, r->err,
                                  "8 bytes from '%.40s' on are not inside the %u bytes of memory",
                                  key->text, r->v.memory);
        s->at = (uint32_t)add;
        return 0;
    }
    s->target = CTS_SWEEP_REG;
    int rc = cts_vec_read_reg(r, key, &s->reg);
    if (rc == 0 && s->reg.role >= 0 && r->role[s->reg.role].alias_of >= 0)
        s->reg.role = r->role[s->reg.role].alias_of;
    return rc;
}

int cts_vec_read_sweep(struct cts_vec_reader *r, const struct cts_yaml *map)
{
    const struct cts_yaml *node = cts_yaml_get(map, "sweep"), *given = cts_yaml_get(map, "given");
    struct cts_vec_case *c = cts_arena_take(r->arena, sizeof(*c));
    struct cts_vec_sweep *s = cts_arena_take_array(r->arena, node->count + 1, sizeof(*s));
    bool imm = false;
    if (!c || !s)
        return cts_vec_nomem(r);
    if (node->count == 0 || node->count > CTS_VEC_SWEEPS_MAX)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err, "sweep: 1 to %d operands",
                              CTS_VEC_SWEEPS_MAX);
    c->pos = cts_vec_pos_of(node);
    c->name = "sweep";
    int rc = given ? cts_vec_read_state(r, given, CTS_VW_IN, &c->in) : 0;
    for (size_t i = 0; rc == 0 && i < node->count; i++) {
        s[i].pos = cts_vec_pos_of(node->keys[i]);
        rc = read_sweep_target(r, node->keys[i], &s[i]);
        if (rc == 0)
            rc = cts_yaml_str(node->items[i], "domain", &s[i].domain, r->err);
        if (rc == 0)
            rc = cts_vec_check_name(r, node->items[i], &r->known->domains, "domain");
        imm |= s[i].target == CTS_SWEEP_IMM;
    }
    if (rc == 0 && r->v.uses_imm && !imm)
        rc = cts_yaml_error(node, CTS_E_SCHEMA, r->err,
                            "sweep: {imm} is in the code, imm is not here");
    r->v.cases = c;
    r->v.case_count = 1;
    r->v.sweeps = s;
    r->v.sweep_count = node->count;
    return rc;
}
