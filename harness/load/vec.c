/* Files of vectors: their items, and what each may say. */
#include <string.h>

#include "base/limits.h"
#include "load/schema.h"
#include "load/vec_read.h"

static const struct cts_schema_field vector_fields[] = {
    {"name", CTS_SCHEMA_ID, true, "words with dashes; the id is suite/name", NULL, NULL},
    {"why", CTS_SCHEMA_STR, false, "what it would catch", NULL, NULL},
    {"insns", CTS_SCHEMA_STRS, true, "the rows under test; the first gives the group", NULL, NULL},
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
    {"verdict", CTS_SCHEMA_WORD, false, "what conforms", NULL, cts_vec_verdict_words},
    {"verdicts", CTS_SCHEMA_MAP, false, "the same, per runtime", NULL, NULL},
    {"r0", CTS_SCHEMA_NUM, false, "the program's result", NULL, NULL},
    {"message", CTS_SCHEMA_STR, false, "what a runtime that rejects is known to say", NULL, NULL},
    {"no-jit", CTS_SCHEMA_STR, false, "why compilers are not asked", NULL, NULL},
    {0},
};

/* Which keys a kind of vector may not have, and which it must. */
static const struct {
    const char *key;
    bool may[CTS_VK_COUNT], must[CTS_VK_COUNT]; /* by enum cts_vector_kind */
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

static const struct {
    const char *key, *what;
    int (*read)(struct cts_vec_reader *r, const struct cts_yaml *map);
} kinds[CTS_VK_COUNT] = {
    [CTS_VK_RUN] = {"cases", "a vector with cases", cts_vec_read_cases},
    [CTS_VK_SWEEP] = {"sweep", "a sweep", cts_vec_read_sweep},
    [CTS_VK_VERDICT] = {"verdict", "a verdict", cts_vec_read_verdict},
};

static int decide_kind(struct cts_vec_reader *r, const struct cts_yaml *map)
{
    unsigned found = 0;
    for (unsigned k = 0; k < CTS_VK_COUNT; k++) {
        if (!cts_yaml_get(map, kinds[k].key))
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
                                  kinds[r->v.kind].what, kind_keys[i].key);
        if (!key && kind_keys[i].must[r->v.kind])
            return cts_yaml_error(map, CTS_E_SCHEMA, r->err, "%s needs '%s'", kinds[r->v.kind].what,
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
                rc = cts_yaml_error(node->items[i], CTS_E_SCHEMA, r->err, "%s: duplicate '%.60s'",
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
    int rc = read_names(r, map, "insns", &k->rows, &v->rows, &v->row_count);
    if (rc == 0 && v->row_count == 0)
        rc = cts_yaml_error(cts_yaml_get(map, "insns"), CTS_E_SCHEMA, r->err, "insns: none");
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
        rc = cts_vec_read_setup(r, map);
    if (rc == 0)
        rc = cts_vec_read_objects(r, map);
    return rc ? rc : kinds[r->v.kind].read(r, map);
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
                              "duplicate vector '%s' (first defined at line %u)", v[n].id,
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
