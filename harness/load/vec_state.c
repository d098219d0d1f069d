#include "load/vec_read.h"

#include <string.h>

#include "load/schema.h"

bool cts_vec_address(const char *text, enum cts_vec_value_kind *kind, int64_t *add)
{
    uint64_t n = 0;
    bool minus;
    *add = 0;
    if (strncmp(text, "mem", 3) == 0) {
        *kind = CTS_VV_MEM;
        text += 3;
    } else if (strncmp(text, "fp", 2) == 0) {
        *kind = CTS_VV_FP;
        text += 2;
    } else {
        return false;
    }
    if (*text == '\0')
        return true;
    minus = *text == '-';
    if ((*text != '+' && *text != '-') || text[1] == '\0')
        return false;
    bool hex = text[1] == '0' && text[2] == 'x';
    text += hex ? 3 : 1;
    if (*text == '\0')
        return false;
    for (; *text; text++) {
        char c = *text >= 'A' && *text <= 'F' ? (char)(*text + 32) : *text;
        bool letter = hex && c >= 'a' && c <= 'f';
        if (!letter && (c < '0' || c > '9'))
            return false;
        n = n * (hex ? 16 : 10) + (uint64_t)(letter ? c - 'a' + 10 : c - '0');
        if (n > INT32_MAX)
            return false;
    }
    *add = minus ? -(int64_t)n : (int64_t)n;
    return true;
}

int cts_vec_read_reg(struct cts_vec_reader *r, const struct cts_yaml *node, struct cts_vec_reg *out)
{
    const char *text;
    int rc = cts_yaml_str(node, "register", &text, r->err);
    if (rc)
        return rc;
    int number = cts_vec_reg_number(text, strlen(text));
    if (number >= 0) {
        *out = (struct cts_vec_reg){.role = -1, .reg = (uint8_t)number};
        r->v.named = (uint16_t)(r->v.named | 1u << number);
        return 0;
    }
    int role = cts_vec_role_index(r, text, strlen(text));
    if (role < 0)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err,
                              "'%.40s' is neither r0..r10 nor a role that the code names", text);
    *out = (struct cts_vec_reg){.role = (int8_t)role};
    return 0;
}

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
                              "this register is named already in this state");
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

int cts_vec_read_cases(struct cts_vec_reader *r, const struct cts_yaml *node)
{
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
                                      "the case '%.60s' is there already, in line %u", c[i].name,
                                      c[k].pos.line);
    }
    r->v.cases = c;
    r->v.case_count = node->count;
    return 0;
}
