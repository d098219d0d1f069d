#include "cli/targets.h"

#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/limits.h"
#include "cli/paths.h"
#include "cli/say.h"
#include "cli/words.h"
#include "generated/spec_text.h"
#include "host/fs.h"

#define DESCRIPTION "runtime.yaml"

enum { MOST_TARGETS = 64, MOST_SETS = 128 };

int cts_targets_find(struct cts_targets *t, struct cts_arena *arena, struct cts_err *err)
{
    struct cts_fs_list files;
    const char *root = cts_data_path(arena, "runtimes");
    *t = (struct cts_targets){.no_known = t->no_known};
    t->list = cts_arena_take_array(arena, MOST_TARGETS, sizeof(*t->list));
    t->rt = cts_arena_take_array(arena, MOST_TARGETS, sizeof(*t->rt));
    t->sets = cts_arena_take_array(arena, MOST_SETS, sizeof(*t->sets));
    t->runtimes = cts_arena_take_array(arena, CTS_RUNTIMES_MAX, sizeof(*t->runtimes));
    if (!root || !t->list || !t->rt || !t->sets || !t->runtimes)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    int rc = cts_fs_walk_on(root, "/runtime.yaml", arena, &files, err);
    for (size_t i = 0; rc == 0 && i < files.passed_count; i++)
        cts_say("note: %s: %s\n", files.passed[i].path, files.passed[i].why);
    for (size_t i = 0; rc == 0 && i < files.count && t->runtime_count < CTS_RUNTIMES_MAX; i++) {
        files.paths[i][strlen(files.paths[i]) - strlen("/runtime.yaml")] = '\0';
        rc = cts_rt_load(files.paths[i], arena, &t->runtimes[t->runtime_count], err);
        t->runtime_count += rc == 0;
    }
    return rc;
}

/* ---- from names to numbers ---- */

static int row_bits(const char **ids, const char *file, unsigned line, struct cts_arena *arena,
                    const uint8_t **out, struct cts_err *err)
{
    uint8_t *bits = ids ? cts_arena_take(arena, CTS_INSN_COUNT) : NULL;
    *out = bits;
    if (ids && !bits)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (size_t i = 0; ids && ids[i]; i++) {
        enum cts_insn_id row = cts_insn_find(ids[i]);
        if (row == CTS_INSN_COUNT)
            return cts_err_at(err, CTS_E_SCHEMA, file, line, 0, "no row '%s' in the specification",
                              ids[i]);
        bits[row] = 1;
    }
    return 0;
}

/* The rows that a runtime is known to implement, by their ids or by groups. */
static int pinned_bits(const struct cts_rt *rt, struct cts_arena *arena, const uint8_t **out,
                       struct cts_err *err)
{
    uint8_t *bits = rt->pinned ? cts_arena_take(arena, CTS_INSN_COUNT) : NULL;
    *out = bits;
    if (rt->pinned && !bits)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (size_t i = 0; rt->pinned && rt->pinned[i]; i++) {
        enum cts_insn_id row = cts_insn_find(rt->pinned[i]);
        enum cts_group group = cts_group_find(rt->pinned[i]);
        if (row == CTS_INSN_COUNT && group == CTS_GROUP_COUNT)
            return cts_err_set(err, CTS_E_SCHEMA, "%s: unknown instruction or group '%s'", rt->file,
                               rt->pinned[i]);
        for (unsigned r = 0; r < CTS_INSN_COUNT; r++)
            bits[r] |= r == (unsigned)row || cts_group_has(group, (enum cts_insn_id)r);
    }
    return 0;
}

static int group_bits(const struct cts_rt *rt, uint64_t *out, struct cts_err *err)
{
    *out = rt->groups ? 0 : UINT64_MAX;
    for (size_t i = 0; rt->groups && rt->groups[i]; i++) {
        enum cts_group g = cts_group_find(rt->groups[i]);
        if (g == CTS_GROUP_COUNT)
            return cts_err_set(err, CTS_E_SCHEMA, "%s: unknown group '%s'", rt->file,
                               rt->groups[i]);
        *out |= 1ull << g;
    }
    return 0;
}

static int32_t or_any(bool has, int32_t v)
{
    return has ? v : (int32_t)CTS_ANY_VALUE;
}

static int make_limits(const struct cts_rt *rt, struct cts_target *t, struct cts_arena *arena,
                       struct cts_err *err)
{
    struct cts_limit *list = cts_arena_take_array(arena, rt->limit_count + 1, sizeof(*list));
    if (!list)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    t->limits = list;
    for (; t->limit_count < rt->limit_count; t->limit_count++) {
        const struct cts_rt_limit *from = &rt->limits[t->limit_count];
        struct cts_limit *l = &list[t->limit_count];
        *l = (struct cts_limit){.dst = or_any(from->has_dst, from->dst),
                                .src = or_any(from->has_src, from->src),
                                .imm = or_any(from->has_imm, from->imm),
                                .off = or_any(from->has_off, from->off),
                                .alias = from->alias,
                                .imm_above = from->imm_above,
                                .branches_from = (uint32_t)from->branches_from,
                                .policy = from->policy,
                                .refusal = from->refusal,
                                .reason = from->reason};
        if (l->policy && !cts_policy_text_find(l->policy))
            return cts_err_at(err, CTS_E_SCHEMA, from->file, from->line, 1, "no policy '%s'",
                              l->policy);
        int rc = row_bits(from->rows, from->file, from->line, arena, &l->rows, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* ---- known failures ---- */

static int check_entry(const struct cts_known_entry *k, struct cts_err *err)
{
    if (k->failure && !cts_failure_is(k->failure))
        return cts_err_at(err, CTS_E_SCHEMA, k->file, k->line, k->col,
                          "no kind of failure '%s': see the table in README.md", k->failure);
    if (k->clause && !cts_clause_text_find(k->clause))
        return cts_err_at(err, CTS_E_SCHEMA, k->file, k->line, k->col,
                          "no clause '%s'; ebpf-cts list clauses shows which there are", k->clause);
    if (k->policy && !cts_policy_text_find(k->policy))
        return cts_err_at(err, CTS_E_SCHEMA, k->file, k->line, k->col,
                          "no policy '%s'; ebpf-cts list policies shows which there are",
                          k->policy);
    return 0;
}

static int add_set(struct cts_targets *t, const struct cts_known_list *list,
                   const struct cts_rt *rt, struct cts_arena *arena, struct cts_known_set **out,
                   struct cts_err *err)
{
    struct cts_known *known = cts_arena_take_array(arena, list->count + 1, sizeof(*known));
    if (!known)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (t->set_count == MOST_SETS)
        return cts_err_set(err, CTS_E_LIMIT, "more than %d lists of expected failures", MOST_SETS);
    for (size_t i = 0; i < list->count; i++) {
        const struct cts_known_entry *k = &list->entries[i];
        int rc = check_entry(k, err);
        if (rc != 0)
            return rc;
        known[i] = (struct cts_known){.vectors = k->vectors,
                                      .engines = (const char *const *)k->engines,
                                      .variants = (const char *const *)k->variants,
                                      .failure = k->failure,
                                      .reason = k->reason,
                                      .sometimes = k->sometimes,
                                      .versions = k->versions};
    }
    *out = &t->sets[t->set_count++];
    **out = (struct cts_known_set){list, known, rt};
    return 0;
}

/* Behind what the target has already. */
static int attach(struct cts_target *n, const struct cts_known_set *set, struct cts_arena *arena,
                  struct cts_err *err)
{
    size_t count = set->list->count;
    const struct cts_known **all =
        cts_arena_take_array(arena, n->known_count + count + 1, sizeof(*all));
    if (!all)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (size_t i = 0; i < n->known_count; i++)
        all[i] = n->known[i];
    for (size_t i = 0; i < count; i++)
        all[n->known_count + i] = &set->known[i];
    n->known = all;
    n->known_count += count;
    return 0;
}

static int attach_own(struct cts_targets *t, const struct cts_rt *rt, struct cts_target *n,
                      struct cts_arena *arena, struct cts_err *err)
{
    struct cts_known_set *set = NULL;
    if (t->no_known || !rt->known.path)
        return 0;
    for (size_t i = 0; i < t->set_count; i++)
        if (t->sets[i].rt == rt)
            set = &t->sets[i];
    int rc = set ? 0 : add_set(t, &rt->known, rt, arena, &set, err);
    return rc == 0 ? attach(n, set, arena, err) : rc;
}

int cts_targets_known(struct cts_targets *t, const char *path, bool may_lack,
                      struct cts_arena *arena, struct cts_err *err)
{
    struct cts_known_set *set = NULL;
    struct cts_known_list *list = cts_arena_take(arena, sizeof(*list));
    if (!list)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    int rc = cts_known_load(path, true, may_lack, arena, list, err);
    if (rc == 0)
        rc = add_set(t, list, NULL, arena, &set, err);
    for (size_t i = 0; rc == 0 && i < t->count; i++)
        rc = attach(&t->list[i], set, arena, err);
    return rc;
}

/* ---- targets ---- */

static int engine_policies(const struct cts_rt *rt, const char *engine, const char *const **out,
                           struct cts_err *err)
{
    *out = NULL;
    for (size_t i = 0; i < rt->engine_count; i++)
        if (rt->command || strcmp(rt->engines[i].name, engine) == 0)
            *out = (const char *const *)rt->engines[i].policies;
    for (size_t i = 0; *out && (*out)[i]; i++)
        if (!cts_policy_text_find((*out)[i]))
            return cts_err_set(err, CTS_E_SCHEMA, "%s: unknown policy '%s'", rt->file, (*out)[i]);
    return 0;
}

static bool compiles(const struct cts_rt *rt, const char *engine)
{
    for (size_t i = 0; i < rt->engine_count; i++)
        if (rt->command || strcmp(rt->engines[i].name, engine) == 0)
            return rt->engines[i].jit;
    return false;
}

static int add_engine(struct cts_targets *t, const struct cts_rt *rt, const char *engine,
                      struct cts_arena *arena, struct cts_err *err)
{
    const char **argv = cts_arena_take_array(arena, 2, sizeof(*argv));
    if (t->count == MOST_TARGETS)
        return cts_err_set(err, CTS_E_LIMIT, "more than %d engines", MOST_TARGETS);
    if (!argv || !(argv[0] = cts_worker_path(arena, rt->worker)))
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    struct cts_target *n = &t->list[t->count];
    *n = (struct cts_target){.runtime = rt->name,
                             .engine = engine,
                             .argv = argv,
                             .install = rt->install,
                             .optional = rt->optional,
                             .is_named = rt->engine_count > 0,
                             .jit = compiles(rt, engine),
                             .unverified = rt->unverified};
    int rc = pinned_bits(rt, arena, &n->pinned, err);
    if (rc == 0)
        rc = group_bits(rt, &n->groups, err);
    if (rc == 0)
        rc = engine_policies(rt, engine, &n->policies, err);
    if (rc == 0)
        rc = make_limits(rt, n, arena, err);
    if (rc == 0)
        rc = attach_own(t, rt, n, arena, err);
    t->rt[t->count] = rt;
    t->count += rc == 0;
    return rc;
}

static int no_engine(const struct cts_rt *rt, const char *engine, struct cts_err *err)
{
    char all[256];
    size_t n = 0;
    all[0] = '\0';
    for (size_t i = 0; i < rt->engine_count && n < sizeof(all); i++)
        n += cts_fmt(all + n, sizeof(all) - n, "%s %s", i ? "," : "", rt->engines[i].name);
    return cts_err_set(err, CTS_E_NOTFOUND, "unknown engine '%s' of runtime %s; expected%s", engine,
                       rt->name, all);
}

static bool has_default(const struct cts_rt *rt)
{
    for (size_t i = 0; i < rt->engine_count; i++)
        if (rt->engines[i].is_default)
            return true;
    return false;
}

/* Its default engines if none is named; all of them if it has no default. */
static int add_runtime(struct cts_targets *t, const struct cts_rt *rt, const char *engine,
                       struct cts_arena *arena, struct cts_err *err)
{
    size_t before = t->count;
    bool any = !has_default(rt);
    for (size_t i = 0; i < rt->engine_count; i++) {
        const struct cts_rt_engine *e = &rt->engines[i];
        if (engine ? strcmp(engine, e->name) != 0 : !e->is_default && !any)
            continue;
        int rc = add_engine(t, rt, e->name, arena, err);
        if (rc != 0)
            return rc;
    }
    return t->count > before ? 0 : no_engine(rt, engine ? engine : "", err);
}

static bool same_file(const char *a, const char *b)
{
    char *one = realpath(a, NULL), *other = realpath(b, NULL);
    bool same = one && other && strcmp(one, other) == 0;
    free(one);
    free(other);
    return same;
}

/* The runtime of this folder, or this worker, if it is there already: what is one has one list of
 * known failures. */
static const struct cts_rt *find_path(const struct cts_targets *t, const char *path)
{
    for (size_t i = 0; i < t->runtime_count + t->count; i++) {
        const struct cts_rt *rt =
            i < t->runtime_count ? &t->runtimes[i] : t->rt[i - t->runtime_count];
        if (same_file(path, rt->dir))
            return rt;
    }
    return NULL;
}

static const char *no_command(const struct cts_rt *rt)
{
    return rt->engine_count ? rt->engines[0].what : "";
}

/* The command's base name and options; what is not to be printed is a question mark. */
static const char *engine_of_command(const char *const *words, struct cts_arena *arena)
{
    enum { MOST = 31 };
    char *name = cts_arena_take(arena, MOST + 1);
    const char *slash = strrchr(words[0], '/');
    size_t n = 0;
    for (size_t i = 0; name && words[i]; i++) {
        const char *word = i == 0 && slash ? slash + 1 : words[i];
        n += cts_fmt(name + n, MOST + 1 - n, "%s%s", i ? " " : "", word);
        n = n < MOST ? n : MOST;
    }
    for (size_t i = 0; i < n; i++)
        name[i] = name[i] > 0x1f && name[i] < 0x7f ? name[i] : '?';
    return name;
}

/* The worker's arguments are the command, its program by its path. */
static int add_command(struct cts_targets *t, const struct cts_rt *rt, const char *command,
                       struct cts_arena *arena, struct cts_err *err)
{
    char path[CTS_PATH_BYTES];
    const char **words;
    size_t n = 0;
    int rc = cts_words(command, arena, &words, err);
    if (rc != 0)
        return rc;
    if (!words[0])
        return cts_err_set(err, CTS_E_NOTFOUND, "runtime %s needs %s", rt->name, no_command(rt));
    if (cts_fs_find_program(words[0], path, sizeof(path)) != 0)
        return cts_err_set(err, CTS_E_NOTFOUND, "%s: not found or not executable", words[0]);
    while (words[n])
        n++;
    const char **argv = cts_arena_take_array(arena, n + 2, sizeof(*argv));
    const char *engine = engine_of_command(words, arena);
    const char *spec = cts_arena_fmt(arena, "%s:%s", rt->name, command);
    if (!argv || !engine || !spec)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    rc = add_engine(t, rt, engine, arena, err);
    if (rc != 0)
        return rc;
    struct cts_target *added = &t->list[t->count - 1];
    argv[0] = added->argv[0];
    memcpy(argv + 1, words, n * sizeof(*argv));
    argv[1] = cts_arena_strdup(arena, path);
    const char *one[] = {words[0], NULL};
    added->argv = argv;
    added->key = engine_of_command(one, arena);
    added->spec = cts_quoted(spec, arena);
    return argv[1] && added->key && added->spec ? 0
                                                : cts_err_set(err, CTS_E_NOMEM, "out of memory");
}

/* What was added last is a command: it is what this file says. */
static int describe_last(struct cts_targets *t, const char *path, struct cts_arena *arena,
                         struct cts_err *err)
{
    if (t->count == 0 || !t->rt[t->count - 1]->command)
        return cts_err_at(err, CTS_E_INVAL, path, 0, 0,
                          "it names no worker: it describes a plugin, which comes in front of it: "
                          "-r plugin:PATH -r %s",
                          path);
    const struct cts_target before = t->list[--t->count];
    struct cts_rt *rt = cts_arena_take(arena, sizeof(*rt));
    int rc = rt ? cts_rt_describe(path, t->rt[t->count], arena, rt, err)
                : cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (rc == 0)
        rc = add_engine(t, rt, before.engine, arena, err);
    if (rc != 0)
        return rc;
    struct cts_target *now = &t->list[t->count - 1];
    const char *quoted = cts_quoted(path, arena);
    now->argv = before.argv;
    now->key = before.key;
    now->spec = quoted ? cts_arena_fmt(arena, "%s -r %s", before.spec, quoted) : NULL;
    return now->spec ? 0 : cts_err_set(err, CTS_E_NOMEM, "out of memory");
}

/* The runtime that takes a command and is named in front of one; null if there is none. */
static const struct cts_rt *runtime_of_command(const struct cts_targets *t, const char *spec)
{
    for (size_t i = 0; i < t->runtime_count; i++) {
        const struct cts_rt *rt = &t->runtimes[i];
        size_t len = strlen(rt->name);
        if (rt->command && strncmp(spec, rt->name, len) == 0 &&
            (spec[len] == ':' || spec[len] == '\0'))
            return rt;
    }
    return NULL;
}

/* Is it the word that stands for a command? */
static bool is_placeholder(const struct cts_rt *rt, const char *command)
{
    return rt->engine_count && strcmp(rt->engines[0].name, command) == 0;
}

/* The ids of the rows that the RFC has, ended by null. */
static const char **rows_of_the_rfc(struct cts_arena *arena)
{
    const char **ids = cts_arena_take_array(arena, CTS_INSN_COUNT + 1, sizeof(*ids));
    size_t n = 0;
    for (unsigned r = 0; ids && r < CTS_INSN_COUNT; r++) {
        const struct cts_insn_info *row = cts_insn_info((enum cts_insn_id)r);
        if (row->section[0])
            ids[n++] = row->id;
    }
    return ids;
}

/* A worker given by its path: nothing is known of it but what it says itself. It is held to all of
 * the RFC; what came later it is asked, too, and may refuse. */
static const struct cts_rt *bare_worker(const char *path, struct cts_arena *arena,
                                        struct cts_err *err)
{
    struct cts_rt *rt = cts_arena_take(arena, sizeof(*rt));
    const char **pinned = rows_of_the_rfc(arena);
    if (rt && pinned)
        *rt = (struct cts_rt){
            .dir = path, .name = strrchr(path, '/') + 1, .worker = path, .pinned = pinned};
    else
        cts_err_set(err, CTS_E_NOMEM, "out of memory");
    return pinned ? rt : NULL;
}

/* What was named by its path is known by no other name. */
static int name_by_path(struct cts_targets *t, size_t first, const char *path,
                        struct cts_arena *arena, struct cts_err *err)
{
    for (size_t i = first; i < t->count; i++) {
        const char *engine = t->list[i].engine;
        const char *spec = cts_arena_fmt(arena, "%s%s%s", path, engine[0] ? ":" : "", engine);
        t->list[i].spec = spec ? cts_quoted(spec, arena) : NULL;
        if (!t->list[i].spec)
            return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    }
    return 0;
}

/* The folder whose runtime.yaml says what the path is: itself, or the one that it is in. Null:
 * there is none. */
static const char *described_in(const char *path, struct cts_arena *arena)
{
    const char *slash = strrchr(path, '/');
    const char *dir = cts_fs_is_dir(path) ? path
                      : slash == path     ? "/"
                      : slash             ? cts_arena_strndup(arena, path, (size_t)(slash - path))
                                          : ".";
    const char *file = dir ? cts_arena_fmt(arena, "%s/" DESCRIPTION, dir) : NULL;
    return file && cts_fs_exists(file) ? dir : NULL;
}

static bool is_description(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strcmp(slash ? slash + 1 : path, DESCRIPTION) == 0;
}

/* The runtime of a folder; with a worker of its own, and a list of known failures that is its own,
 * if one is named. */
static int load_folder(const struct cts_targets *t, const char *dir, const char *worker,
                       struct cts_arena *arena, const struct cts_rt **out, struct cts_err *err)
{
    const struct cts_rt *found = find_path(t, dir);
    struct cts_rt *rt = cts_arena_take(arena, sizeof(*rt));
    if (found && (!worker || same_file(worker, found->worker))) {
        *out = found;
        return 0;
    }
    int rc = rt ? cts_rt_load(dir, arena, rt, err) : cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (rc == 0 && worker) {
        rt->worker = worker;
        rt->optional = false;
    }
    *out = rt;
    return rc;
}

static int add_path(struct cts_targets *t, const char *path, const char *engine,
                    struct cts_arena *arena, struct cts_err *err)
{
    bool is_worker = !cts_fs_is_dir(path) && !is_description(path);
    const struct cts_rt *rt = is_worker ? find_path(t, path) : NULL;
    const char *dir = described_in(path, arena);
    size_t before = t->count;
    int rc = 0;
    if (is_worker && !rt && !cts_fs_is_executable(path))
        return cts_err_at(err, CTS_E_NOTFOUND, path, 0, 0, "no such worker, or not executable");
    if (!is_worker && !dir)
        return cts_err_at(err, CTS_E_NOTFOUND, path, 0, 0, "cannot find " DESCRIPTION " in it");
    if (rt || (is_worker && !dir)) {
        rt = rt ? rt : bare_worker(path, arena, err);
        rc = rt ? add_engine(t, rt, engine ? engine : "", arena, err) : CTS_E_NOMEM;
    } else {
        rc = load_folder(t, dir, is_worker ? path : NULL, arena, &rt, err);
        if (rc == 0)
            rc = add_runtime(t, rt, engine, arena, err);
    }
    return rc == 0 ? name_by_path(t, before, path, arena, err) : rc;
}

/* Where an engine's name begins behind a colon; null: no engine is named. What is there with a
 * colon in its name is no engine. */
static const char *engine_in(const char *spec)
{
    const char *colon = strrchr(spec, ':');
    return !colon || strchr(colon, '/') || cts_fs_exists(spec) ? NULL : colon + 1;
}

static bool is_path(const char *name)
{
    return strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
           is_description(name);
}

static int no_runtime(const char *name, struct cts_err *err)
{
    if (cts_fs_exists(name))
        return cts_err_set(err, CTS_E_NOTFOUND,
                           "unknown runtime '%s'; for the file of that name here: -r ./%s", name,
                           name);
    return cts_err_set(err, CTS_E_NOTFOUND,
                       "unknown runtime '%s'; \"ebpf-cts list runtimes\" lists them", name);
}

static bool is_yaml(const char *path)
{
    size_t len = strlen(path), end = strlen(".yaml");
    return len > end && strcmp(path + len - end, ".yaml") == 0 && cts_fs_exists(path) &&
           !cts_fs_is_dir(path);
}

int cts_targets_add(struct cts_targets *t, const char *spec, struct cts_arena *arena,
                    struct cts_err *err)
{
    const struct cts_rt *taker = runtime_of_command(t, spec);
    if (taker) {
        const char *command = spec + strlen(taker->name);
        command += *command == ':';
        if (!is_placeholder(taker, command))
            return add_command(t, taker, command, arena, err);
    }
    if (is_yaml(spec) && cts_rt_is_sidecar(spec, arena))
        return describe_last(t, spec, arena, err);
    const char *engine = engine_in(spec);
    size_t len = engine ? (size_t)(engine - 1 - spec) : strlen(spec);
    const char *name = cts_arena_strndup(arena, spec, len);
    if (!name)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (is_path(name))
        return add_path(t, name, engine, arena, err);
    for (size_t i = 0; i < t->runtime_count; i++)
        if (strcmp(t->runtimes[i].name, name) == 0)
            return add_runtime(t, &t->runtimes[i], engine, arena, err);
    return no_runtime(name, err);
}

int cts_targets_add_default(struct cts_targets *t, struct cts_arena *arena, struct cts_err *err)
{
    int rc = 0;
    /* The reference comes first: it is the one that runs everywhere. */
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; rc == 0 && i < t->runtime_count; i++)
            if ((strcmp(t->runtimes[i].name, "reference") == 0) == (pass == 0) &&
                has_default(&t->runtimes[i]))
                rc = add_runtime(t, &t->runtimes[i], NULL, arena, err);
    return rc;
}

void cts_targets_files(const struct cts_targets *t, struct cts_files *files)
{
    static const char *const names[] = {"runtime.yaml", "known.yaml"};
    char path[4096];
    for (size_t i = 0; i < t->runtime_count + t->count; i++) {
        const struct cts_rt *rt =
            i < t->runtime_count ? &t->runtimes[i] : t->rt[i - t->runtime_count];
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
            if (cts_fmt(path, sizeof(path), "%s/%s", rt->dir, names[k]) < sizeof(path))
                cts_files_read(files, path);
    }
    for (size_t i = 0; i < t->set_count; i++)
        cts_files_read(files, t->sets[i].list->path);
    for (size_t i = 0; i < t->count; i++)
        if (t->rt[i]->file)
            cts_files_read(files, t->rt[i]->file);
}
