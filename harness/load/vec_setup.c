/* What is around the code: registers for its placeholders, what is known of their values, memory,
 * stack, context, and how often it runs. */
#include "load/schema.h"
#include "load/vec_read.h"

static int find_role(struct cts_vec_reader *r, const struct cts_yaml *key, int *role)
{
    *role = cts_vec_role_index(r, key->text, key->len);
    if (*role >= 0)
        return 0;
    return cts_yaml_error(key, CTS_E_SCHEMA, r->err, "the code names no role '%.40s'", key->text);
}

static int read_registers(struct cts_vec_reader *r, const struct cts_yaml *node, const char *what,
                          int last, uint16_t *mask)
{
    *mask = 0;
    int rc = cts_yaml_want(node, CTS_YAML_SEQ, what, r->err);
    for (size_t i = 0; rc == 0 && i < node->count; i++) {
        const struct cts_yaml *item = node->items[i];
        int n = item->kind == CTS_YAML_SCALAR ? cts_vec_reg_number(item->text, item->len) : -1;
        if (n < 0 || n > last)
            return cts_yaml_error(item, CTS_E_SCHEMA, r->err, "%s: registers r0 to r%d", what,
                                  last);
        *mask = (uint16_t)(*mask | 1u << n);
    }
    return rc;
}

static int read_vary(struct cts_vec_reader *r, const struct cts_yaml *node)
{
    for (size_t i = 0; node && i < node->count; i++) {
        int role;
        int rc = find_role(r, node->keys[i], &role);
        if (rc)
            return rc;
        r->role[role].vary = true;
        if (cts_yaml_is(node->items[i], "any"))
            continue;
        rc = read_registers(r, node->items[i], "vary", 10, &r->role[role].choice);
        if (rc == 0 && r->role[role].choice == 0)
            rc = cts_yaml_error(node->items[i], CTS_E_SCHEMA, r->err, "vary: no register");
        if (rc)
            return rc;
    }
    return 0;
}

/* Aliased roles take the choice of whichever of them has one; the first of them in the code leads.
 */
static int read_alias(struct cts_vec_reader *r, const struct cts_yaml *node)
{
    int lead = CTS_VEC_ROLES_MAX, role;
    for (size_t i = 0; node && i < node->count; i++) {
        int rc = find_role(r, node->items[i], &role);
        if (rc)
            return rc;
        lead = role < lead ? role : lead;
    }
    if (node && node->count < 2)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err, "alias: two roles at least");
    for (size_t i = 0; node && i < node->count; i++) {
        role = cts_vec_role_index(r, node->items[i]->text, node->items[i]->len);
        if (role == lead)
            continue;
        if (r->role[role].vary && r->role[lead].vary &&
            r->role[role].choice != r->role[lead].choice)
            return cts_yaml_error(node, CTS_E_SCHEMA, r->err,
                                  "alias: vary gives these roles different registers");
        if (r->role[role].vary)
            r->role[lead] = (struct cts_vec_role){.name = r->role[lead].name,
                                                  .vary = true,
                                                  .choice = r->role[role].choice,
                                                  .alias_of = -1};
        r->role[role].alias_of = (int8_t)lead;
    }
    return 0;
}

static int read_operands(struct cts_vec_reader *r, const struct cts_yaml *node)
{
    r->v.operands = node ? 0 : (1u << CTS_OPD_COUNT) - 1;
    for (size_t i = 0; node && i < node->count; i++) {
        size_t w;
        int rc = cts_schema_word(node->items[i], "operands", cts_operands_names, &w, r->err);
        if (rc)
            return rc;
        r->v.operands = (uint8_t)(r->v.operands | 1u << w);
    }
    if (r->v.operands == 0)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err, "operands: none");
    return 0;
}

static int read_surroundings(struct cts_vec_reader *r, const struct cts_yaml *map)
{
    const struct cts_yaml *memory = cts_yaml_get(map, "memory");
    const struct cts_yaml *stack = cts_yaml_get(map, "stack"), *ctx = cts_yaml_get(map, "ctx");
    const struct cts_yaml *unreadable = cts_yaml_get(map, "unreadable");
    int64_t n = 0;
    int rc = memory ? cts_yaml_range(memory, "memory", 0, CTS_VEC_MEM_MAX, &n, r->err) : 0;
    if (rc == 0 && n % 8)
        rc = cts_yaml_error(memory, CTS_E_RANGE, r->err, "memory: a multiple of 8");
    r->memory_given = memory != NULL;
    r->v.memory = (uint32_t)n;
    if (rc == 0 && stack)
        rc = cts_yaml_bool(stack, "stack", &r->v.stack, r->err);
    r->stack_off = stack && !r->v.stack;
    if (rc == 0 && unreadable)
        rc = read_registers(r, unreadable, "unreadable", 9, &r->v.unreadable);
    if (rc == 0 && ctx) {
        r->v.has_ctx = true;
        rc = cts_vec_read_reg(r, ctx, &r->v.ctx);
        if (rc == 0 && r->v.ctx.role < 0 && r->v.ctx.reg == 10)
            rc = cts_yaml_error(ctx, CTS_E_SCHEMA, r->err, "ctx: r0 to r9");
    }
    return rc;
}

/* The body works on one row again and again: what one run leaves behind the next one begins with.
 */
static int read_runs(struct cts_vec_reader *r, const struct cts_yaml *map)
{
    const struct cts_yaml *threads = cts_yaml_get(map, "threads");
    const struct cts_yaml *repeat = cts_yaml_get(map, "repeat");
    int64_t n = 1, times = 1;
    int rc = threads ? cts_yaml_range(threads, "threads", 1, CTS_VEC_THREADS_MAX, &n, r->err) : 0;
    if (rc == 0 && repeat)
        rc = cts_yaml_range(repeat, "repeat", 1, CTS_VEC_RUNS_MAX, &times, r->err);
    r->v.threads = (uint8_t)n;
    r->v.repeat = (uint32_t)times;
    if (rc == 0 && (threads || repeat) && r->v.operands != 1u << CTS_OPD_OPAQUE)
        rc = cts_yaml_error(map, CTS_E_SCHEMA, r->err,
                            "threads and repeat go with operands: [opaque]");
    return rc;
}

int cts_vec_read_setup(struct cts_vec_reader *r, const struct cts_yaml *map)
{
    int rc = read_vary(r, cts_yaml_get(map, "vary"));
    if (rc == 0)
        rc = read_alias(r, cts_yaml_get(map, "alias"));
    if (rc == 0)
        rc = read_operands(r, cts_yaml_get(map, "operands"));
    if (rc == 0)
        rc = read_runs(r, map);
    return rc ? rc : read_surroundings(r, map);
}
