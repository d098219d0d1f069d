/* Machine states: registers, memory, stack. */
#include <string.h>

#include "load/schema.h"
#include "load/vec_read.h"

/* A state that speaks of memory brings memory with it, unless the vector says how much. */
static int want_memory(struct cts_vec_reader *r)
{
    if (!r->memory_given && r->v.memory == 0)
        r->v.memory = 64;
    return 0;
}

static int read_value(struct cts_vec_reader *r, const struct cts_yaml *node,
                      enum cts_vec_where where, struct cts_vec_set *s)
{
    enum cts_vec_value_kind kind;
    int64_t add;
    if (node->kind == CTS_YAML_SCALAR && where == CTS_VW_OUT && cts_yaml_is(node, "any")) {
        s->kind = CTS_VV_ANY;
        return 0;
    }
    if (node->kind == CTS_YAML_SCALAR && where == CTS_VW_OUT && cts_yaml_is(node, "computed")) {
        s->kind = CTS_VV_COMPUTED;
        r->v.computed = true;
        return 0;
    }
    if (node->kind == CTS_YAML_SCALAR && cts_vec_address(node->text, &kind, &add)) {
        s->kind = (uint8_t)kind;
        s->v = (uint64_t)add;
        return kind == CTS_VV_MEM ? want_memory(r) : 0;
    }
    s->kind = CTS_VV_INT;
    return cts_yaml_u64_bits(node, "value", &s->v, r->err);
}

/* The register that stands for an aliased role is its leader's. */
static struct cts_vec_reg leader(const struct cts_vec_reader *r, struct cts_vec_reg reg)
{
    if (reg.role >= 0 && r->role[reg.role].alias_of >= 0)
        reg.role = r->role[reg.role].alias_of;
    return reg;
}

static bool named_twice(const struct cts_vec_state *s, size_t n, struct cts_vec_reg reg)
{
    for (size_t i = 0; i < n; i++)
        if (s->regs[i].reg.role == reg.role && s->regs[i].reg.reg == reg.reg)
            return true;
    return false;
}

static const struct {
    const char *key;
    uint8_t width;
} element_keys[] = {{"u8", 1}, {"u16", 2}, {"u32", 4}, {"u64", 8}};

static int read_element(struct cts_vec_reader *r, const struct cts_yaml *node, unsigned width,
                        uint64_t *out)
{
    int64_t n;
    if (width == 8)
        return cts_yaml_u64_bits(node, "element", out, r->err);
    int rc = cts_yaml_range(node, "element", -((int64_t)1 << (8 * width - 1)),
                            ((int64_t)1 << 8 * width) - 1, &n, r->err);
    *out = (uint64_t)n & (((uint64_t)1 << 8 * width) - 1);
    return rc;
}

static int read_elements(struct cts_vec_reader *r, const struct cts_yaml *node, unsigned width,
                         struct cts_vec_bytes *out)
{
    bool one = node->kind == CTS_YAML_SCALAR;
    size_t n = one ? 1 : node->count;
    if (node->kind == CTS_YAML_MAP || n == 0 || n > CTS_VEC_MAP_MAX)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err, "a number or a list of numbers");
    uint64_t *values = cts_arena_take_array(r->arena, n, sizeof(*values));
    if (!values)
        return cts_vec_nomem(r);
    for (size_t i = 0; i < n; i++) {
        int rc = read_element(r, one ? node : node->items[i], width, &values[i]);
        if (rc)
            return rc;
    }
    out->values = values;
    out->width = (uint8_t)width;
    out->bytes = (uint32_t)(n * width);
    return 0;
}

static int read_hex_bytes(struct cts_vec_reader *r, const struct cts_yaml *node,
                          struct cts_vec_bytes *out)
{
    uint8_t *bytes;
    uint32_t n;
    int rc = cts_vec_read_hex(r, node, "hex", CTS_VEC_MAP_MAX, &bytes, &n);
    if (rc)
        return rc;
    uint64_t *values = cts_arena_take_array(r->arena, n, sizeof(*values));
    if (!values)
        return cts_vec_nomem(r);
    for (uint32_t i = 0; i < n; i++)
        values[i] = bytes[i];
    *out = (struct cts_vec_bytes){
        .at = out->at, .bytes = n, .width = 1, .values = values, .pos = out->pos};
    return 0;
}

static int read_any_bytes(struct cts_vec_reader *r, const struct cts_yaml *node, bool allowed,
                          struct cts_vec_bytes *out)
{
    int64_t n;
    if (!allowed)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err, "'any' is for what comes out only");
    int rc = cts_yaml_range(node, "any", 1, CTS_VEC_MEM_MAX, &n, r->err);
    out->bytes = (uint32_t)n;
    out->width = 0;
    return rc;
}

static int read_contents(struct cts_vec_reader *r, const struct cts_yaml *node, bool any_allowed,
                         struct cts_vec_bytes *out)
{
    const struct cts_yaml *hex = cts_yaml_get(node, "hex"), *any = cts_yaml_get(node, "any");
    unsigned found = (hex ? 1u : 0u) + (any ? 1u : 0u);
    const struct cts_yaml *elements = NULL;
    unsigned width = 0;
    for (size_t i = 0; i < sizeof(element_keys) / sizeof(element_keys[0]); i++) {
        const struct cts_yaml *e = cts_yaml_get(node, element_keys[i].key);
        if (e) {
            found++;
            elements = e;
            width = element_keys[i].width;
        }
    }
    if (found != 1)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err,
                              "bytes take exactly one of u8, u16, u32, u64, hex, any");
    if (hex)
        return read_hex_bytes(r, hex, out);
    if (any)
        return read_any_bytes(r, any, any_allowed, out);
    return read_elements(r, elements, width, out);
}

int cts_vec_read_bytes(struct cts_vec_reader *r, const struct cts_yaml *node, int64_t lo,
                       int64_t hi, bool any_allowed, bool at_needed, struct cts_vec_bytes *out)
{
    static const struct cts_schema_field fields[] = {
        {"at", CTS_SCHEMA_NUM, false, "where they begin", NULL, NULL},
        {"u8", CTS_SCHEMA_ANY, false, "bytes", NULL, NULL},
        {"u16", CTS_SCHEMA_ANY, false, "16-bit numbers", NULL, NULL},
        {"u32", CTS_SCHEMA_ANY, false, "32-bit numbers", NULL, NULL},
        {"u64", CTS_SCHEMA_ANY, false, "64-bit numbers", NULL, NULL},
        {"hex", CTS_SCHEMA_STR, false, "bytes as hexadecimal digits", NULL, NULL},
        {"any", CTS_SCHEMA_NUM, false, "so many bytes that are not looked at", NULL, NULL},
        {0},
    };
    const struct cts_yaml *at_node = cts_yaml_get(node, "at");
    int64_t at = 0;
    int rc = cts_yaml_want(node, CTS_YAML_MAP, "bytes", r->err);
    if (rc == 0)
        rc = cts_schema_check(node, fields, "bytes", r->err);
    if (rc)
        return rc;
    if (at_needed && !at_node)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err, "bytes: 'at' is missing");
    if (at_node)
        rc = cts_yaml_range(at_node, "at", lo, hi - 1, &at, r->err);
    out->pos = cts_vec_pos_of(node);
    out->at = (int32_t)at;
    if (rc == 0)
        rc = read_contents(r, node, any_allowed, out);
    if (rc == 0 && at + out->bytes > hi)
        return cts_yaml_error(node, CTS_E_RANGE, r->err,
                              "bytes %lld to %lld reach beyond the end, %lld", (long long)at,
                              (long long)at + out->bytes, (long long)hi);
    return rc;
}

static int refuse_overlap(struct cts_vec_reader *r, const struct cts_yaml *node,
                          const struct cts_vec_bytes *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((int64_t)b[i].at < (int64_t)b[n].at + b[n].bytes &&
            (int64_t)b[n].at < (int64_t)b[i].at + b[i].bytes)
            return cts_yaml_error(node, CTS_E_SCHEMA, r->err,
                                  "these bytes overlap those of line %u", b[i].pos.line);
    return 0;
}

static int read_pieces(struct cts_vec_reader *r, const struct cts_yaml *node,
                       enum cts_vec_where where, int64_t lo, int64_t hi,
                       const struct cts_vec_bytes **out, size_t *count)
{
    bool one = node->kind == CTS_YAML_MAP;
    size_t n = one ? 1 : node->count;
    if (node->kind == CTS_YAML_SCALAR)
        return cts_yaml_want(node, CTS_YAML_SEQ, "bytes", r->err);
    struct cts_vec_bytes *b = cts_arena_take_array(r->arena, n, sizeof(*b));
    if (!b)
        return cts_vec_nomem(r);
    for (size_t i = 0; i < n; i++) {
        const struct cts_yaml *item = one ? node : node->items[i];
        int rc = cts_vec_read_bytes(r, item, lo, hi, where == CTS_VW_OUT, true, &b[i]);
        if (rc == 0)
            rc = refuse_overlap(r, item, b, i);
        if (rc)
            return rc;
    }
    *out = b;
    *count = n;
    return 0;
}

static int read_mem(struct cts_vec_reader *r, const struct cts_yaml *node, enum cts_vec_where where,
                    struct cts_vec_state *s)
{
    want_memory(r);
    return read_pieces(r, node, where, 0, r->v.memory, &s->mem, &s->mem_count);
}

static int read_stack(struct cts_vec_reader *r, const struct cts_yaml *node,
                      enum cts_vec_where where, struct cts_vec_state *s)
{
    if (r->stack_off)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err, "the vector says 'stack: false'");
    r->v.stack = true;
    return read_pieces(r, node, where, -512, 0, &s->stack, &s->stack_count);
}

static int read_set(struct cts_vec_reader *r, const struct cts_yaml *map, size_t i,
                    enum cts_vec_where where, struct cts_vec_state *s, struct cts_vec_set *set)
{
    int rc = cts_vec_read_reg(r, map->keys[i], &set->reg);
    if (rc)
        return rc;
    set->reg = leader(r, set->reg);
    set->pos = cts_vec_pos_of(map->keys[i]);
    if (set->reg.role < 0 && set->reg.reg == 10)
        return cts_yaml_error(map->keys[i], CTS_E_SCHEMA, r->err,
                              "r10 is the frame pointer: it is neither set nor read back");
    if (named_twice(s, s->reg_count, set->reg))
        return cts_yaml_error(map->keys[i], CTS_E_SCHEMA, r->err,
                              "duplicate register in this state");
    s->reg_count++;
    return read_value(r, map->items[i], where, set);
}

int cts_vec_read_state(struct cts_vec_reader *r, const struct cts_yaml *node,
                       enum cts_vec_where where, struct cts_vec_state *out)
{
    int rc = cts_yaml_want(node, CTS_YAML_MAP, where == CTS_VW_IN ? "in" : "out", r->err);
    if (rc)
        return rc;
    struct cts_vec_set *sets = cts_arena_take_array(r->arena, node->count + 1, sizeof(*sets));
    if (!sets)
        return cts_vec_nomem(r);
    *out = (struct cts_vec_state){.pos = cts_vec_pos_of(node), .regs = sets};
    for (size_t i = 0; rc == 0 && i < node->count; i++) {
        if (cts_yaml_is(node->keys[i], "mem"))
            rc = read_mem(r, node->items[i], where, out);
        else if (cts_yaml_is(node->keys[i], "stack"))
            rc = read_stack(r, node->items[i], where, out);
        else
            rc = read_set(r, node, i, where, out, &sets[out->reg_count]);
    }
    return rc;
}
