#include "load/runtime.h"

#include <string.h>

#include "base/limits.h"
#include "load/schema.h"
#include "load/yaml.h"

static const struct cts_schema_field engine_fields[] = {
    {"name", CTS_SCHEMA_ID, true, "the engine's name, as in -r runtime:engine", NULL, NULL},
    {"what", CTS_SCHEMA_STR, true, "what it is, in a few words", NULL, NULL},
    {"default", CTS_SCHEMA_BOOL, false, "run when no engine is named", NULL, NULL},
    {"jit", CTS_SCHEMA_BOOL, false, "it compiles programs", NULL, NULL},
    {"policies", CTS_SCHEMA_ANY, false, "policies it keeps to beside the RFC, or all", NULL, NULL},
    {0},
};

static const struct cts_schema_field when_fields[] = {
    {"dst", CTS_SCHEMA_NUM, false, "number in the dst field", NULL, NULL},
    {"src", CTS_SCHEMA_NUM, false, "number in the src field", NULL, NULL},
    {"off", CTS_SCHEMA_NUM, false, "value of the offset", NULL, NULL},
    {"imm", CTS_SCHEMA_NUM, false, "value of the immediate", NULL, NULL},
    {"imm-from", CTS_SCHEMA_NUM, false, "the immediate, unsigned, is this or more", NULL, NULL},
    {"alias", CTS_SCHEMA_BOOL, false, "dst and src are the same register", NULL, NULL},
    {"branches-from", CTS_SCHEMA_NUM, false, "the program has so many conditional jumps or more",
     NULL, NULL},
    {"policy", CTS_SCHEMA_ID, false, "what the vector rests on", NULL, NULL},
    {"rejection", CTS_SCHEMA_STR, false, "glob over the text of the refusal, or one line of it",
     NULL, NULL},
    {0},
};

static const struct cts_schema_field limit_fields[] = {
    {"insns", CTS_SCHEMA_STRS, false, "rows concerned; all if absent", NULL, NULL},
    {"when", CTS_SCHEMA_MAP, false, "conditions, all of which hold", when_fields, NULL},
    {"reason", CTS_SCHEMA_STR, true, "why the runtime refuses it", NULL, NULL},
    {0},
};

static const struct cts_schema_field runtime_fields[] = {
    {"name", CTS_SCHEMA_ID, true, "as in -r", NULL, NULL},
    {"title", CTS_SCHEMA_STR, true, "for people", NULL, NULL},
    {"worker", CTS_SCHEMA_STR, true, "the worker's executable", NULL, NULL},
    {"engines", CTS_SCHEMA_MAPS, true, "its engines", engine_fields, NULL},
    {"groups", CTS_SCHEMA_ANY, false, "conformance groups it claims, or all", NULL, NULL},
    {"required", CTS_SCHEMA_ANY, false, "rows it is known to implement, by id or by group, or all",
     NULL, NULL},
    {"install", CTS_SCHEMA_STR, false, "what to install where it is missing", NULL, NULL},
    {"optional", CTS_SCHEMA_BOOL, false, "a worker that is not there is a skip", NULL, NULL},
    {"verifier", CTS_SCHEMA_BOOL, false, "false: it refuses no program when it is loaded", NULL,
     NULL},
    {"command", CTS_SCHEMA_BOOL, false, "-r NAME:COMMAND: the worker gets the command's words",
     NULL, NULL},
    {"restrictions", CTS_SCHEMA_MAPS, false, "forms it refuses by design", limit_fields, NULL},
    {0},
};

/* Beside a plugin: what its runtime would say of it. */
static const struct cts_schema_field sidecar_fields[] = {
    {"title", CTS_SCHEMA_STR, false, "for people", NULL, NULL},
    {"policies", CTS_SCHEMA_ANY, false, "policies it keeps to beside the RFC, or all", NULL, NULL},
    {"jit", CTS_SCHEMA_BOOL, false, "it compiles programs", NULL, NULL},
    {"groups", CTS_SCHEMA_ANY, false, "conformance groups it claims, or all", NULL, NULL},
    {"required", CTS_SCHEMA_ANY, false, "rows it is known to implement, by id or by group, or all",
     NULL, NULL},
    {"verifier", CTS_SCHEMA_BOOL, false, "false: it refuses no program when it is loaded", NULL,
     NULL},
    {"restrictions", CTS_SCHEMA_MAPS, false, "forms it refuses by design", limit_fields, NULL},
    {"known", CTS_SCHEMA_STR, false, "its list of known failures, seen from this file", NULL, NULL},
    {0},
};

static const char *text_or_null(const struct cts_yaml *map, const char *key)
{
    const struct cts_yaml *n = cts_yaml_get(map, key);
    return n && n->kind == CTS_YAML_SCALAR ? n->text : NULL;
}

/* A list of strings, or the word `all` (null). */
static int read_all_or_list(const struct cts_yaml *map, const char *key, struct cts_arena *arena,
                            const char ***out, struct cts_err *err)
{
    const struct cts_yaml *n = cts_yaml_get(map, key);
    struct cts_yaml_strs strs;
    *out = NULL;
    if (!n || cts_yaml_is(n, "all"))
        return 0;
    int rc = cts_yaml_strs(n, key, arena, &strs, err);
    *out = rc == 0 ? strs.list : NULL;
    return rc;
}

static int read_number(const struct cts_yaml *map, const char *key, int64_t lo, int64_t hi,
                       bool *has, int32_t *out, struct cts_err *err)
{
    const struct cts_yaml *n = cts_yaml_get(map, key);
    int64_t v = 0;
    if (!n)
        return 0;
    int rc = cts_yaml_range(n, key, lo, hi, &v, err);
    *has = rc == 0;
    *out = (int32_t)v;
    return rc;
}

static int read_limit(const struct cts_yaml *item, struct cts_arena *arena, struct cts_rt_limit *l,
                      struct cts_err *err)
{
    const struct cts_yaml *when = cts_yaml_get(item, "when");
    const struct cts_yaml *alias = cts_yaml_get(when, "alias");
    *l = (struct cts_rt_limit){
        .reason = text_or_null(item, "reason"), .file = item->file, .line = item->line};
    bool any = false;
    if (when) {
        l->refusal = text_or_null(when, "rejection");
        l->policy = text_or_null(when, "policy");
    }
    int rc = read_all_or_list(item, "insns", arena, &l->rows, err);
    if (rc == 0)
        rc = read_number(when, "dst", 0, 15, &l->has_dst, &l->dst, err);
    if (rc == 0)
        rc = read_number(when, "src", 0, 15, &l->has_src, &l->src, err);
    if (rc == 0)
        rc = read_number(when, "off", INT16_MIN, INT16_MAX, &l->has_off, &l->off, err);
    if (rc == 0)
        rc = read_number(when, "imm", INT32_MIN, INT32_MAX, &l->has_imm, &l->imm, err);
    if (rc == 0 && !l->has_imm) {
        rc = read_number(when, "imm-from", 0, INT32_MAX, &l->has_imm, &l->imm, err);
        l->imm_above = l->has_imm;
    }
    if (rc == 0 && alias)
        rc = cts_yaml_bool(alias, "alias", &l->alias, err);
    if (rc == 0)
        rc = read_number(when, "branches-from", 1, INT32_MAX, &any, &l->branches_from, err);
    return rc;
}

static int read_limits(const struct cts_yaml *list, struct cts_arena *arena, struct cts_rt *rt,
                       struct cts_err *err)
{
    size_t n = list ? list->count : 0;
    rt->limits = cts_arena_take_array(arena, n + 1, sizeof(*rt->limits));
    if (!rt->limits)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (; rt->limit_count < n; rt->limit_count++) {
        int rc = read_limit(list->items[rt->limit_count], arena, &rt->limits[rt->limit_count], err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* A worker could not say a longer one of itself. */
static int check_length(const struct cts_yaml *name, struct cts_err *err)
{
    if (name->len <= CTS_MOST_ENGINE_BYTES)
        return 0;
    return cts_yaml_error(name, CTS_E_LIMIT, err, "name: at most %d bytes, this one has %zu",
                          CTS_MOST_ENGINE_BYTES, name->len);
}

static int read_engines(const struct cts_yaml *list, struct cts_arena *arena, struct cts_rt *rt,
                        struct cts_err *err)
{
    rt->engines = cts_arena_take_array(arena, list->count + 1, sizeof(*rt->engines));
    if (!rt->engines)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (list->count == 0)
        return cts_yaml_error(list, CTS_E_SCHEMA, err, "a runtime has at least one engine");
    for (size_t i = 0; i < list->count; i++) {
        const struct cts_yaml *item = list->items[i], *flag = cts_yaml_get(item, "default");
        const struct cts_yaml *jit = cts_yaml_get(item, "jit");
        struct cts_rt_engine *e = &rt->engines[rt->engine_count++];
        e->name = text_or_null(item, "name");
        e->what = text_or_null(item, "what");
        int rc = check_length(cts_yaml_get(item, "name"), err);
        if (rc == 0)
            rc = flag ? cts_yaml_bool(flag, "default", &e->is_default, err) : 0;
        if (rc == 0 && jit)
            rc = cts_yaml_bool(jit, "jit", &e->jit, err);
        if (rc == 0)
            rc = read_all_or_list(item, "policies", arena, &e->policies, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* An engine that does not exist fails in no way. Those of a command may be any. */
static int check_engines(const struct cts_rt *rt, const struct cts_known_entry *k,
                         struct cts_err *err)
{
    for (size_t i = 0; !rt->command && k->engines && k->engines[i]; i++) {
        size_t n = 0;
        while (n < rt->engine_count && strcmp(rt->engines[n].name, k->engines[i]) != 0)
            n++;
        if (n == rt->engine_count)
            return cts_err_at(err, CTS_E_SCHEMA, k->file, k->line, k->col,
                              "runtime %s has no engine '%s'", rt->name, k->engines[i]);
    }
    return 0;
}

static int read_known(const char *path, struct cts_arena *arena, struct cts_rt *rt,
                      struct cts_err *err)
{
    int rc = cts_known_load(path, false, true, arena, &rt->known, err);
    for (size_t i = 0; rc == 0 && i < rt->known.count; i++)
        rc = check_engines(rt, &rt->known.entries[i], err);
    return rc;
}

/* What it is held to. */
static int read_claims(const struct cts_yaml *map, struct cts_arena *arena, struct cts_rt *out,
                       struct cts_err *err)
{
    const struct cts_yaml *verifier = cts_yaml_get(map, "verifier");
    bool verified = true;
    int rc = verifier ? cts_yaml_bool(verifier, "verifier", &verified, err) : 0;
    out->unverified = !verified;
    if (rc == 0)
        rc = read_all_or_list(map, "groups", arena, &out->groups, err);
    if (rc == 0)
        rc = read_all_or_list(map, "required", arena, &out->pinned, err);
    if (rc == 0)
        rc = read_limits(cts_yaml_get(map, "restrictions"), arena, out, err);
    return rc;
}

/* A path is one from the folder that names it. */
static const char *worker_path(const char *dir, const char *worker, struct cts_arena *arena)
{
    return worker && strchr(worker, '/') && worker[0] != '/'
               ? cts_arena_fmt(arena, "%s/%s", dir, worker)
               : worker;
}

int cts_rt_load(const char *dir, struct cts_arena *arena, struct cts_rt *out, struct cts_err *err)
{
    struct cts_yaml *map;
    *out = (struct cts_rt){0};
    const char *path = cts_arena_fmt(arena, "%s/runtime.yaml", dir);
    const char *known = cts_arena_fmt(arena, "%s/known.yaml", dir);
    out->dir = cts_arena_strdup(arena, dir);
    out->file = path;
    if (!path || !known || !out->dir)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    int rc = cts_yaml_load(path, arena, &map, err);
    if (rc == 0)
        rc = cts_schema_check(map, runtime_fields, "runtime", err);
    if (rc != 0)
        return rc;
    out->name = text_or_null(map, "name");
    out->title = text_or_null(map, "title");
    out->worker = worker_path(dir, text_or_null(map, "worker"), arena);
    if (!out->worker)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    out->install = text_or_null(map, "install");
    const struct cts_yaml *optional = cts_yaml_get(map, "optional");
    rc = optional ? cts_yaml_bool(optional, "optional", &out->optional, err) : 0;
    const struct cts_yaml *command = cts_yaml_get(map, "command");
    if (rc == 0 && command)
        rc = cts_yaml_bool(command, "command", &out->command, err);
    if (rc == 0)
        rc = check_length(cts_yaml_get(map, "name"), err);
    if (rc == 0)
        rc = read_engines(cts_yaml_get(map, "engines"), arena, out, err);
    if (rc == 0)
        rc = read_claims(map, arena, out, err);
    if (rc == 0)
        rc = read_known(known, arena, out, err);
    return rc;
}

bool cts_rt_is_sidecar(const char *path, struct cts_arena *arena)
{
    struct cts_yaml *map;
    return cts_yaml_load(path, arena, &map, NULL) == 0 && map->kind == CTS_YAML_MAP &&
           !cts_yaml_get(map, "worker");
}

/* The folder of a file, with its slash; "" if that is this one. */
static const char *folder_of(const char *path, struct cts_arena *arena)
{
    const char *slash = strrchr(path, '/');
    return cts_arena_strndup(arena, path, slash ? (size_t)(slash + 1 - path) : 0);
}

/* A command has one engine, whatever it is called. */
static int describe_engine(const struct cts_yaml *map, struct cts_arena *arena, struct cts_rt *rt,
                           struct cts_err *err)
{
    struct cts_rt_engine *e = cts_arena_take(arena, sizeof(*e));
    const struct cts_yaml *jit = cts_yaml_get(map, "jit");
    if (!e)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    *e = rt->engines[0];
    rt->engines = e;
    rt->engine_count = 1;
    int rc = jit ? cts_yaml_bool(jit, "jit", &e->jit, err) : 0;
    if (rc == 0 && cts_yaml_get(map, "policies"))
        rc = read_all_or_list(map, "policies", arena, &e->policies, err);
    return rc;
}

int cts_rt_describe(const char *path, const struct cts_rt *base, struct cts_arena *arena,
                    struct cts_rt *out, struct cts_err *err)
{
    struct cts_yaml *map;
    *out = *base;
    out->known = (struct cts_known_list){0};
    out->limits = NULL;
    out->limit_count = 0;
    out->file = cts_arena_strdup(arena, path);
    const char *dir = folder_of(path, arena);
    if (!out->file || !dir)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    int rc = cts_yaml_load(path, arena, &map, err);
    if (rc == 0)
        rc = cts_schema_check(map, sidecar_fields, "description", err);
    if (rc == 0)
        rc = describe_engine(map, arena, out, err);
    if (rc == 0)
        rc = read_claims(map, arena, out, err);
    const char *known = rc == 0 ? text_or_null(map, "known") : NULL;
    if (!known)
        return rc;
    known = cts_arena_fmt(arena, "%s%s", known[0] == '/' ? "" : dir, known);
    return known ? read_known(known, arena, out, err)
                 : cts_err_set(err, CTS_E_NOMEM, "out of memory");
}
