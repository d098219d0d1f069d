#include "load/vec.h"

#include <string.h>

#include "base/limits.h"
#include "base/nearest.h"
#include "load/schema.h"
#include "load/vec_read.h"

/* What a vector may say, a worker can be asked. */
_Static_assert((int)CTS_VEC_MAP_MAX <= (int)CTS_MOST_MAP_BYTES, "a map's contents");
_Static_assert((int)CTS_VEC_THREADS_MAX <= (int)CTS_MOST_THREADS, "threads");

struct cts_vec_pos cts_vec_pos_of(const struct cts_yaml *node)
{
    return (struct cts_vec_pos){.file = node->file, .line = node->line, .col = node->col};
}

int cts_vec_nomem(struct cts_vec_reader *r)
{
    return cts_err_set(r->err, CTS_E_NOMEM, "out of memory");
}

int cts_vec_check_name(struct cts_vec_reader *r, const struct cts_yaml *node,
                       const struct cts_vec_names *names, const char *what)
{
    if (!names->list)
        return 0;
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->list[i], node->text) == 0)
            return 0;
    const char *near = cts_nearest(node->text, names->list, names->count);
    return cts_yaml_error(node, CTS_E_SCHEMA, r->err, "%s: there is no '%.60s'%s%s%s", what,
                          node->text, near ? "; did you mean '" : "", near ? near : "",
                          near ? "'?" : "");
}

static const char *const verdict_words[] = {
    "reject", "accept", "reject-or-run", "fault", "reject-or-fault", "any", NULL,
};

static const struct cts_schema_field vector_fields[] = {
    {"name", CTS_SCHEMA_ID, true, "words with dashes; the id is suite/name", NULL, NULL},
    {"why", CTS_SCHEMA_STR, false, "what it would catch", NULL, NULL},
    {"rows", CTS_SCHEMA_STRS, true, "the rows under test; the first gives the group", NULL, NULL},
    {"clauses", CTS_SCHEMA_STRS, true, "what the expectation rests on", NULL, NULL},
    {"policy", CTS_SCHEMA_STR, false, "whose, where the RFC is silent", NULL, NULL},
    {"level", CTS_SCHEMA_WORD, false, "the lowest at which it runs", NULL, cts_level_names},
    {"bugs", CTS_SCHEMA_STRS, false, "bugs it would have caught", NULL, NULL},
    {"asm", CTS_SCHEMA_STR, false, "the body in LLVM's syntax", NULL, NULL},
    {"code", CTS_SCHEMA_SEQ, false, "the body in pieces", NULL, NULL},
    {"forms", CTS_SCHEMA_MAP, false, "texts for each <name> in asm and subs: a vector for each",
     NULL, NULL},
    {"program", CTS_SCHEMA_ANY, false, "a whole program", NULL, NULL},
    {"subs", CTS_SCHEMA_ANY, false, "subprograms", NULL, NULL},
    {"vary", CTS_SCHEMA_MAP, false, "registers for the roles", NULL, NULL},
    {"alias", CTS_SCHEMA_STRS, false, "roles that share a register", NULL, NULL},
    {"cases", CTS_SCHEMA_SEQ, false, "states in and out", NULL, NULL},
    {"sweep", CTS_SCHEMA_MAP, false, "domains of the operands", NULL, NULL},
    {"given", CTS_SCHEMA_MAP, false, "further inputs of a sweep", NULL, NULL},
    {"operands", CTS_SCHEMA_STRS, false, "opaque, constant, masked", NULL, NULL},
    {"memory", CTS_SCHEMA_NUM, false, "bytes of row memory", NULL, NULL},
    {"stack", CTS_SCHEMA_BOOL, false, "is the stack filled and observed", NULL, NULL},
    {"threads", CTS_SCHEMA_NUM, false, "that run each case at the same time", NULL, NULL},
    {"repeat", CTS_SCHEMA_NUM, false, "runs of each case in each thread", NULL, NULL},
    {"unreadable", CTS_SCHEMA_STRS, false, "registers that are not observed", NULL, NULL},
    {"maps", CTS_SCHEMA_SEQ, false, "maps", NULL, NULL},
    {"names", CTS_SCHEMA_STRS, false, "functions and variables of the platform", NULL, NULL},
    {"packet", CTS_SCHEMA_STR, false, "bytes of the packet", NULL, NULL},
    {"ctx", CTS_SCHEMA_STR, false, "the register that holds the context", NULL, NULL},
    {"only", CTS_SCHEMA_STRS, false, "the runtimes it is for", NULL, NULL},
    {"needs", CTS_SCHEMA_STRS, false, "features of the runtime", NULL, NULL},
    {"class", CTS_SCHEMA_ID, false, "verdict class", NULL, NULL},
    {"verdict", CTS_SCHEMA_WORD, false, "what conforms", NULL, verdict_words},
    {"verdicts", CTS_SCHEMA_MAP, false, "the same, per runtime", NULL, NULL},
    {"r0", CTS_SCHEMA_NUM, false, "the program's result", NULL, NULL},
    {"message", CTS_SCHEMA_STR, false, "what a runtime that rejects is known to say", NULL, NULL},
    {"no-jit", CTS_SCHEMA_STR, false, "why compilers are not asked", NULL, NULL},
    {0},
};

/* Which keys a kind of vector may not have, and which it must. */
static const struct {
    const char *key;
    bool may[3], must[3]; /* by enum cts_vector_kind */
} kind_keys[] = {
    {"vary", {true, true, false}, {false}},
    {"alias", {true, true, false}, {false}},
    {"given", {false, true, false}, {false}},
    {"operands", {true, false, false}, {false}},
    {"memory", {true, true, false}, {false}},
    {"stack", {true, true, false}, {false}},
    {"threads", {true, false, false}, {false}},
    {"repeat", {true, false, false}, {false}},
    {"unreadable", {true, true, false}, {false}},
    {"ctx", {true, true, false}, {false}},
    {"subs", {true, true, false}, {false}},
    {"asm", {true, true, false}, {false}},
    {"forms", {true, true, false}, {false}},
    {"code", {true, true, false}, {false}},
    {"program", {false, false, true}, {false, false, true}},
    {"class", {false, false, true}, {false}},
    {"verdicts", {false, false, true}, {false}},
    {"r0", {false, false, true}, {false}},
    {"message", {false, false, true}, {false}},
};

static const char *const kind_names[] = {"a vector with cases", "a sweep", "a verdict"};

static int decide_kind(struct cts_vec_reader *r, const struct cts_yaml *map)
{
    const char *const keys[] = {"cases", "sweep", "verdict"};
    unsigned found = 0;
    for (unsigned k = 0; k < 3; k++) {
        if (!cts_yaml_get(map, keys[k]))
            continue;
        found++;
        r->v.kind = (uint8_t)k;
    }
    if (found != 1)
        return cts_yaml_error(map, CTS_E_SCHEMA, r->err,
                              "a vector has exactly one of cases, sweep, verdict");
    for (size_t i = 0; i < sizeof(kind_keys) / sizeof(kind_keys[0]); i++) {
        const struct cts_yaml *key = cts_yaml_get_key(map, kind_keys[i].key);
        if (key && !kind_keys[i].may[r->v.kind])
            return cts_yaml_error(key, CTS_E_SCHEMA, r->err, "%s has no '%s'",
                                  kind_names[r->v.kind], kind_keys[i].key);
        if (!key && kind_keys[i].must[r->v.kind])
            return cts_yaml_error(map, CTS_E_SCHEMA, r->err, "%s needs '%s'", kind_names[r->v.kind],
                                  kind_keys[i].key);
    }
    return 0;
}

static int read_names(struct cts_vec_reader *r, const struct cts_yaml *map, const char *key,
                      const struct cts_vec_names *known, const char *const **out, size_t *count)
{
    const struct cts_yaml *node = cts_yaml_get(map, key);
    struct cts_yaml_strs strs;
    int rc = cts_yaml_strs(node, key, r->arena, &strs, r->err);
    for (size_t i = 0; rc == 0 && known && i < strs.count; i++)
        rc = cts_vec_check_name(r, node->items[i], known, key);
    for (size_t i = 0; rc == 0 && i < strs.count; i++)
        for (size_t k = 0; rc == 0 && k < i; k++)
            if (strcmp(strs.list[k], strs.list[i]) == 0)
                rc = cts_yaml_error(node->items[i], CTS_E_SCHEMA, r->err, "%s: '%.60s' is twice",
                                    key, strs.list[i]);
    *out = strs.list;
    *count = strs.count;
    return rc;
}

static int read_policy(struct cts_vec_reader *r, const struct cts_yaml *map)
{
    const struct cts_yaml *policy = cts_yaml_get(map, "policy"), *why = cts_yaml_get(map, "why");
    const struct cts_yaml *klass = cts_yaml_get(map, "class");
    const struct cts_yaml *message = cts_yaml_get(map, "message");
    const struct cts_yaml *no_jit = cts_yaml_get(map, "no-jit");
    r->v.policy = policy ? policy->text : "rfc";
    r->v.why = why ? why->text : "";
    r->v.klass = klass ? klass->text : "";
    r->v.message = message ? message->text : "";
    r->v.no_jit = no_jit ? no_jit->text : "";
    r->v.skip = "";
    int rc = policy ? cts_vec_check_name(r, policy, &r->known->policies, "policy") : 0;
    if (rc == 0 && !klass && r->v.kind == CTS_VK_VERDICT && strcmp(r->v.policy, "imported") != 0)
        rc = cts_yaml_error(map, CTS_E_SCHEMA, r->err, "a verdict needs 'class'");
    if (rc == 0 && klass)
        rc = cts_vec_check_name(r, klass, &r->known->classes, "class");
    return rc;
}

static void read_level(struct cts_vec_reader *r, const struct cts_yaml *level)
{
    while (level && !cts_yaml_is(level, cts_level_names[r->v.level]))
        r->v.level++;
}

/* What is more, no worker could be asked: see base/limits.h. */
static int check_names(struct cts_vec_reader *r, const struct cts_yaml *names)
{
    if (names && names->count > CTS_MOST_NAMES)
        return cts_yaml_error(names->items[CTS_MOST_NAMES], CTS_E_LIMIT, r->err,
                              "names: at most %d", CTS_MOST_NAMES);
    for (size_t i = 0; names && i < names->count; i++)
        if (names->items[i]->len == 0 || names->items[i]->len > CTS_MOST_NAME_BYTES)
            return cts_yaml_error(names->items[i], CTS_E_LIMIT, r->err,
                                  "names: a name has 1 to %d bytes, this one %zu",
                                  CTS_MOST_NAME_BYTES, names->items[i]->len);
    return 0;
}

static int read_lists(struct cts_vec_reader *r, const struct cts_yaml *map)
{
    struct cts_vec *v = &r->v;
    const struct cts_vec_known *k = r->known;
    int rc = read_names(r, map, "rows", &k->rows, &v->rows, &v->row_count);
    if (rc == 0 && v->row_count == 0)
        rc = cts_yaml_error(cts_yaml_get(map, "rows"), CTS_E_SCHEMA, r->err, "rows: none");
    if (rc == 0)
        rc = read_names(r, map, "clauses", &k->clauses, &v->clauses, &v->clause_count);
    if (rc == 0 && v->clause_count == 0 && !cts_yaml_get(map, "policy"))
        rc = cts_yaml_error(cts_yaml_get(map, "clauses"), CTS_E_SCHEMA, r->err,
                            "clauses: none, and no policy either");
    if (rc == 0)
        rc = read_names(r, map, "bugs", NULL, &v->bugs, &v->bug_count);
    if (rc == 0)
        rc = read_names(r, map, "needs", &k->needs, &v->needs, &v->need_count);
    if (rc == 0)
        rc = read_names(r, map, "only", &k->runtimes, &v->only, &v->only_count);
    if (rc == 0)
        rc = read_names(r, map, "names", NULL, &v->names, &v->name_count);
    return rc ? rc : check_names(r, cts_yaml_get(map, "names"));
}

/* At most one piece inverts bits: a program breaks one rule only. */
static int find_flip(struct cts_vec_reader *r)
{
    const struct cts_vec_code *codes[] = {&r->v.code, &r->v.subs};
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < codes[i]->count; k++) {
            const struct cts_vec_piece *p = &codes[i]->pieces[k];
            if (!p->flip.field)
                continue;
            if (r->v.flip || p->repeat != 1 || r->v.kind != CTS_VK_VERDICT)
                return cts_err_at(r->err, CTS_E_SCHEMA, p->pos.file, p->pos.line, p->pos.col,
                                  "flip: in one piece of a verdict's program, without repeat");
            r->v.flip = &p->flip;
        }
    }
    return 0;
}

static int read_codes(struct cts_vec_reader *r, const struct cts_yaml *map)
{
    static const char *const keys[] = {"asm", "code", "program"};
    const struct cts_yaml *subs = cts_yaml_get(map, "subs");
    unsigned found = 0;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < 3; i++) {
        const struct cts_yaml *node = cts_yaml_get(map, keys[i]);
        if (!node)
            continue;
        found++;
        rc = cts_vec_read_code(r, node, keys[i], &r->v.code);
    }
    if (rc == 0 && found != 1)
        return cts_yaml_error(map, CTS_E_SCHEMA, r->err, "a vector has exactly one of asm, code");
    if (rc == 0 && subs)
        rc = cts_vec_read_code(r, subs, "subs", &r->v.subs);
    return rc ? rc : find_flip(r);
}

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
        unsigned w = 0;
        while (w < CTS_OPD_COUNT && !cts_yaml_is(node->items[i], cts_operands_names[w]))
            w++;
        if (w == CTS_OPD_COUNT)
            return cts_yaml_error(node->items[i], CTS_E_SCHEMA, r->err,
                                  "operands: opaque, constant, masked");
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

static int read_map_data(struct cts_vec_reader *r, const struct cts_yaml *data,
                         struct cts_vec_map *m)
{
    bool one = data->kind == CTS_YAML_MAP;
    size_t n = one ? 1 : data->count;
    if (data->kind == CTS_YAML_SCALAR)
        return cts_yaml_want(data, CTS_YAML_MAP, "data", r->err);
    struct cts_vec_bytes *b = cts_arena_take_array(r->arena, n, sizeof(*b));
    if (!b)
        return cts_vec_nomem(r);
    for (size_t i = 0; i < n; i++) {
        int rc = cts_vec_read_bytes(r, one ? data : data->items[i], 0,
                                    (int64_t)m->value_bytes * m->entries, false, !one, &b[i]);
        if (rc)
            return rc;
    }
    m->data = b;
    m->data_count = n;
    return 0;
}

static int read_map(struct cts_vec_reader *r, const struct cts_yaml *node, struct cts_vec_map *m)
{
    static const struct cts_schema_field fields[] = {
        {"value", CTS_SCHEMA_NUM, false, "bytes of a value", NULL, NULL},
        {"entries", CTS_SCHEMA_NUM, false, "how many", NULL, NULL},
        {"programs", CTS_SCHEMA_NUM, false, "how many entries that are the program itself", NULL,
         NULL},
        {"data", CTS_SCHEMA_ANY, false, "contents at every start", NULL, NULL},
        {0},
    };
    const struct cts_yaml *data = cts_yaml_get(node, "data"), *v = cts_yaml_get(node, "value");
    const struct cts_yaml *n = cts_yaml_get(node, "entries");
    const struct cts_yaml *programs = cts_yaml_get(node, "programs");
    int64_t value = 0, entries;
    int rc = cts_yaml_want(node, CTS_YAML_MAP, "map", r->err);
    if (rc == 0)
        rc = cts_schema_check(node, fields, "map", r->err);
    if (rc == 0 && (programs ? v || n || data : !v || !n))
        rc = cts_yaml_error(node, CTS_E_SCHEMA, r->err, "a map has value and entries, or programs");
    if (rc == 0 && programs)
        n = programs;
    else if (rc == 0)
        rc = cts_yaml_range(v, "value", 1, 4096, &value, r->err);
    if (rc == 0)
        rc = cts_yaml_range(n, programs ? "programs" : "entries", 1, 4096, &entries, r->err);
    if (rc)
        return rc;
    if (value * entries > CTS_VEC_MAP_MAX)
        return cts_yaml_error(node, CTS_E_LIMIT, r->err, "a map has at most %d bytes",
                              CTS_VEC_MAP_MAX);
    m->value_bytes = (uint32_t)value;
    m->entries = (uint32_t)entries;
    return data ? read_map_data(r, data, m) : 0;
}

static int read_objects(struct cts_vec_reader *r, const struct cts_yaml *map)
{
    const struct cts_yaml *maps = cts_yaml_get(map, "maps"), *packet = cts_yaml_get(map, "packet");
    size_t n = maps ? maps->count : 0;
    uint8_t *bytes = NULL;
    int rc = 0;
    if (n > CTS_MOST_MAPS)
        return cts_yaml_error(maps->items[CTS_MOST_MAPS], CTS_E_LIMIT, r->err, "maps: at most %d",
                              CTS_MOST_MAPS);
    struct cts_vec_map *m = cts_arena_take_array(r->arena, n + 1, sizeof(*m));
    if (!m)
        return cts_vec_nomem(r);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = read_map(r, maps->items[i], &m[i]);
    r->v.maps = m;
    r->v.map_count = n;
    if (rc == 0 && packet)
        rc = cts_vec_read_hex(r, packet, "packet", CTS_VEC_PACKET_MAX, &bytes, &r->v.packet_bytes);
    if (rc == 0 && packet && r->v.packet_bytes < 14)
        rc = cts_yaml_error(packet, CTS_E_SCHEMA, r->err, "packet: at least 14 bytes");
    r->v.packet = bytes;
    return rc;
}

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

static int read_sweep(struct cts_vec_reader *r, const struct cts_yaml *map)
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

/* What each word of a verdict lets happen. */
static const struct {
    const char *word;
    bool reject, run, fault;
} verdicts[] = {
    {"reject", true, false, false},         {"accept", false, true, false},
    {"reject-or-run", true, true, false},   {"fault", false, false, true},
    {"reject-or-fault", true, false, true}, {"any", true, true, true},
};

static int add_verdict(struct cts_vec_reader *r, const struct cts_yaml *node, const char *runtime,
                       const struct cts_yaml *r0, struct cts_vec_outcome *o, size_t *n)
{
    struct cts_vec_outcome base = {.runtime = runtime};
    size_t k = 0, words = sizeof(verdicts) / sizeof(verdicts[0]);
    while (k < words && !cts_yaml_is(node, verdicts[k].word))
        k++;
    if (k == words)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err,
                              "a verdict is reject, accept, reject-or-run, fault, "
                              "reject-or-fault or any");
    if (verdicts[k].reject) {
        o[*n] = base;
        o[(*n)++].kind = CTS_OUT_REJECTED;
    }
    if (verdicts[k].fault) {
        o[*n] = base;
        o[(*n)++].kind = CTS_OUT_FAULTED;
    }
    if (verdicts[k].run) {
        int rc = 0;
        o[*n] = base;
        o[*n].kind = CTS_OUT_RAN;
        o[*n].has_r0 = r0 != NULL;
        if (r0)
            rc = cts_yaml_u64_bits(r0, "r0", &o[*n].r0, r->err);
        (*n)++;
        return rc;
    }
    return 0;
}

/* Those that go every way through a program and know what registers hold: `verifiers`. */
static const char *const verifying[] = {"linux", "prevail", "dpdk"};
enum { VERIFYING = sizeof(verifying) / sizeof(verifying[0]) };

/* "linux", or an engine of it: "linux:jit". */
static int check_engine_name(struct cts_vec_reader *r, const struct cts_yaml *key)
{
    struct cts_yaml runtime = *key;
    const char *colon = strchr(key->text, ':');
    if (colon && (colon == key->text || !colon[1] || strchr(colon + 1, ':')))
        return cts_yaml_error(key, CTS_E_SCHEMA, r->err,
                              "verdicts: a runtime, or RUNTIME:ENGINE, not '%.60s'", key->text);
    if (colon)
        runtime.text = cts_arena_strndup(r->arena, key->text, (size_t)(colon - key->text));
    return runtime.text ? cts_vec_check_name(r, &runtime, &r->known->runtimes, "verdicts")
                        : cts_vec_nomem(r);
}

/* `verifiers` stands for all of them but those that are named, too. */
static int add_verdict_of(struct cts_vec_reader *r, const struct cts_yaml *per, size_t i,
                          const struct cts_yaml *r0, struct cts_vec_outcome *o, size_t *n)
{
    int rc = 0;
    if (!cts_yaml_is(per->keys[i], "verifiers")) {
        rc = check_engine_name(r, per->keys[i]);
        return rc ? rc : add_verdict(r, per->items[i], per->keys[i]->text, r0, o, n);
    }
    for (size_t k = 0; rc == 0 && k < VERIFYING; k++)
        if (!cts_yaml_get(per, verifying[k]))
            rc = add_verdict(r, per->items[i], verifying[k], r0, o, n);
    return rc;
}

/* One case; or one for each bit that is inverted. */
static int verdict_cases(struct cts_vec_reader *r, const struct cts_vec_case *base)
{
    const struct cts_vec_flip *flip = r->v.flip;
    unsigned bits = flip ? flip->bits : 1;
    struct cts_vec_case *c = cts_arena_take_array(r->arena, bits, sizeof(*c));
    if (!c)
        return cts_vec_nomem(r);
    r->v.cases = c;
    for (unsigned bit = 0; bit < bits; bit++) {
        if (flip && flip->left_out >> bit & 1)
            continue;
        *c = *base;
        c->flip_bit = (uint8_t)bit;
        if (flip)
            c->name = cts_arena_fmt(r->arena, "%s-bit-%u", flip->field, bit);
        if (!c->name)
            return cts_vec_nomem(r);
        r->v.case_count++;
        c++;
    }
    return 0;
}

static int read_verdict(struct cts_vec_reader *r, const struct cts_yaml *map)
{
    const struct cts_yaml *per = cts_yaml_get(map, "verdicts"), *r0 = cts_yaml_get(map, "r0");
    size_t more = per ? per->count + VERIFYING - 1 : 0, n = 0;
    bool runs = false;
    if (3 * (more + 1) > CTS_VEC_OUTCOMES_MAX)
        return cts_yaml_error(per, CTS_E_LIMIT, r->err, "verdicts: too many");
    struct cts_vec_outcome *o = cts_arena_take_array(r->arena, 3 * (more + 1), sizeof(*o));
    if (!o)
        return cts_vec_nomem(r);
    int rc = add_verdict(r, cts_yaml_get(map, "verdict"), "", r0, o, &n);
    for (size_t i = 0; rc == 0 && per && i < per->count; i++)
        rc = add_verdict_of(r, per, i, r0, o, &n);
    for (size_t i = 0; i < n; i++)
        runs |= o[i].kind == CTS_OUT_RAN;
    if (rc == 0 && r0 && !runs)
        rc = cts_yaml_error(r0, CTS_E_SCHEMA, r->err, "r0: no verdict here lets it run");
    if (rc == 0 && r->v.uses_imm)
        rc = cts_yaml_error(map, CTS_E_SCHEMA, r->err, "a verdict's program has no {imm}");
    const struct cts_vec_case base = {
        .pos = cts_vec_pos_of(map), .name = "verdict", .outcomes = o, .outcome_count = n};
    return rc ? rc : verdict_cases(r, &base);
}

static int read_cases(struct cts_vec_reader *r, const struct cts_yaml *map)
{
    return cts_vec_read_cases(r, cts_yaml_get(map, "cases"));
}

static int read_expectation(struct cts_vec_reader *r, const struct cts_yaml *map)
{
    static int (*const read[CTS_VK_COUNT])(struct cts_vec_reader *, const struct cts_yaml *) = {
        [CTS_VK_RUN] = read_cases, [CTS_VK_SWEEP] = read_sweep, [CTS_VK_VERDICT] = read_verdict};
    return read[r->v.kind](r, map);
}

static int read_vector(struct cts_vec_reader *r, const struct cts_yaml *map, const char *suite)
{
    int rc = cts_yaml_want(map, CTS_YAML_MAP, "vector", r->err);
    if (rc == 0)
        rc = cts_schema_check(map, vector_fields, "vector", r->err);
    if (rc)
        return rc;
    r->v.pos = cts_vec_pos_of(map);
    r->v.id = cts_arena_fmt(r->arena, "%s/%s", suite, cts_yaml_get(map, "name")->text);
    if (!r->v.id)
        return cts_vec_nomem(r);
    read_level(r, cts_yaml_get(map, "level"));
    rc = decide_kind(r, map);
    if (rc == 0)
        rc = read_lists(r, map);
    if (rc == 0)
        rc = read_policy(r, map);
    if (rc == 0)
        rc = read_codes(r, map);
    if (rc == 0)
        rc = read_vary(r, cts_yaml_get(map, "vary"));
    if (rc == 0)
        rc = read_alias(r, cts_yaml_get(map, "alias"));
    if (rc == 0)
        rc = read_operands(r, cts_yaml_get(map, "operands"));
    if (rc == 0)
        rc = read_runs(r, map);
    if (rc == 0)
        rc = read_surroundings(r, map);
    if (rc == 0)
        rc = read_objects(r, map);
    return rc ? rc : read_expectation(r, map);
}

static int keep_roles(struct cts_vec_reader *r)
{
    struct cts_vec_role *roles = cts_arena_take_array(r->arena, CTS_VEC_ROLES_MAX, sizeof(*roles));
    if (!roles)
        return cts_vec_nomem(r);
    memcpy(roles, r->role, r->v.role_count * sizeof(*roles));
    r->v.roles = roles;
    return 0;
}

static int refuse_twin(const struct cts_vec *v, size_t n, struct cts_err *err)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].id, v[n].id) == 0)
            return cts_err_at(err, CTS_E_SCHEMA, v[n].pos.file, v[n].pos.line, v[n].pos.col,
                              "the vector '%s' is there already, in line %u", v[n].id,
                              v[i].pos.line);
    return 0;
}

static const struct cts_schema_field file_fields[] = {
    {"suite", CTS_SCHEMA_STR, true, "prefix of the ids", NULL, NULL},
    {"about", CTS_SCHEMA_STR, false, "what is tested here", NULL, NULL},
    {"vectors", CTS_SCHEMA_SEQ, true, "the vectors", NULL, NULL},
    {0},
};

static int check_suite(const struct cts_yaml *node, struct cts_err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-./";
    if (node->len && strspn(node->text, allowed) == node->len && node->text[0] != '/' &&
        node->text[node->len - 1] != '/')
        return 0;
    return cts_yaml_error(node, CTS_E_SCHEMA, err,
                          "suite: lower-case words with dashes, parted by slashes");
}

static void tell(const struct cts_vec_report *report, const struct cts_err *fault)
{
    if (report && report->fault)
        report->fault(report->arg, fault);
}

/* Adds the good ones of them to v[0 .. *count). */
static void read_items(const struct cts_vec_items *items, const char *suite,
                       const struct cts_vec_known *known, const struct cts_vec_report *report,
                       struct cts_arena *arena, struct cts_vec *v, size_t *count)
{
    for (size_t i = 0; i < items->count; i++) {
        struct cts_err fault = {0};
        struct cts_vec_reader r = {.known = known, .arena = arena, .err = &fault};
        int rc = read_vector(&r, items->list[i], suite);
        if (rc == 0)
            rc = keep_roles(&r);
        v[*count] = r.v;
        if (rc == 0)
            rc = refuse_twin(v, *count, &fault);
        if (rc == 0)
            (*count)++;
        else
            tell(report, &fault);
    }
}

static int read_file(const struct cts_yaml *root, const struct cts_vec_known *known,
                     const struct cts_vec_report *report, struct cts_arena *arena,
                     struct cts_vec_file *out, struct cts_err *err)
{
    const struct cts_yaml *list = cts_yaml_get(root, "vectors"),
                          *suite = cts_yaml_get(root, "suite");
    const struct cts_yaml *about = cts_yaml_get(root, "about");
    int rc = cts_yaml_want(root, CTS_YAML_MAP, "vector file", err);
    if (rc == 0)
        rc = cts_schema_check(root, file_fields, "vector file", err);
    if (rc == 0)
        rc = check_suite(suite, err);
    if (rc)
        return rc;
    size_t n = 0;
    struct cts_vec_items *items = cts_arena_take_array(arena, list->count + 1, sizeof(*items));
    if (!items)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (size_t i = 0; i < list->count; i++) {
        struct cts_err fault = {0};
        if (cts_vec_forms(list->items[i], known, arena, &items[i], &fault) != 0)
            tell(report, &fault);
        n += items[i].count;
    }
    struct cts_vec *v = cts_arena_take_array(arena, n + 1, sizeof(*v));
    if (!v)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    out->vectors = v;
    for (size_t i = 0; i < list->count; i++)
        read_items(&items[i], suite->text, known, report, arena, v, &out->count);
    out->suite = suite->text;
    out->about = about ? about->text : "";
    return 0;
}

int cts_vec_parse(const char *name, const char *text, size_t len, const struct cts_vec_known *known,
                  const struct cts_vec_report *report, struct cts_arena *arena,
                  struct cts_vec_file *out, struct cts_err *err)
{
    struct cts_yaml *root;
    memset(out, 0, sizeof(*out));
    int rc = cts_yaml_parse(name, text, len, arena, &root, err);
    return rc ? rc : read_file(root, known, report, arena, out, err);
}

int cts_vec_load(const char *path, const struct cts_vec_known *known,
                 const struct cts_vec_report *report, struct cts_arena *arena,
                 struct cts_vec_file *out, struct cts_err *err)
{
    struct cts_yaml *root;
    memset(out, 0, sizeof(*out));
    int rc = cts_yaml_load(path, arena, &root, err);
    return rc ? rc : read_file(root, known, report, arena, out, err);
}
