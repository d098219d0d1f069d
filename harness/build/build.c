#include "build/build.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fmt.h"
#include "build/impl.h"
#include "conf/conf.h"
#include "generated/spec_text.h"
#include "host/kind.h"
#include "pack/uses.h"
#include "wire/wire.h"

#define DATA_ENDING ".data"
#define DATA_SUITE "data"

enum { FILE_MAX = 64 << 20 };

static int no_memory(struct cts_err *err)
{
    return cts_err_set(err, CTS_E_NOMEM, "out of memory");
}

/* ---- the files ---- */

struct sources {
    struct cts_source *list;
    struct file_id {
        dev_t dev;
        ino_t ino;
    } *ids;
    size_t count;
};

/* The same file may be named twice, or be reached by a link, too: it is read once. */
static bool has_file(const struct sources *s, const struct file_id *id)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->ids[i].dev == id->dev && s->ids[i].ino == id->ino)
            return true;
    return false;
}

static bool is_data(const char *path)
{
    size_t len = strlen(path), end = strlen(DATA_ENDING);
    return len > end && strcmp(path + len - end, DATA_ENDING) == 0;
}

/* The files that a .data file names. They are a part of it: without them it is not there. */
static int read_links(struct cts_builder *b, struct cts_source *f, struct cts_err *err)
{
    struct cts_conf_link *links =
        cts_arena_take_array(&b->arena, CTS_CONF_LINKS_MAX, sizeof(*links));
    if (!links)
        return no_memory(err);
    f->links = links;
    return cts_conf_read_links(f->path, f->text, f->len, &b->arena, links, &f->link_count, err);
}

static int read_source(struct cts_builder *b, const char *path, bool named, struct sources *s)
{
    struct stat st;
    struct cts_buf text;
    struct cts_err err = {0};
    bool known = stat(path, &st) == 0;
    struct file_id id = {known ? st.st_dev : 0, known ? st.st_ino : 0};
    if (known && has_file(s, &id))
        return 0;
    cts_buf_init(&text, 0);
    int rc = named ? cts_fs_read_named(path, FILE_MAX, &text, &err)
                   : cts_fs_read(path, FILE_MAX, &text, &err);
    char *copy = rc == 0 ? cts_arena_strndup(&b->arena, cts_buf_text(&text), text.len) : NULL;
    size_t len = text.len;
    cts_buf_release(&text);
    if (rc) {
        cts_bld_fault(b, &err);
        return 0;
    }
    if (!copy)
        return CTS_E_NOMEM;
    struct cts_source *f = &s->list[s->count];
    *f = (struct cts_source){.path = path, .text = copy, .len = len};
    rc = is_data(path) ? read_links(b, f, &err) : 0;
    if (rc) {
        cts_bld_fault(b, &err);
        return rc == CTS_E_NOMEM ? rc : 0;
    }
    s->ids[s->count++] = id;
    return 0;
}

static void tell_passed(struct cts_builder *b, const struct cts_fs_passed *p)
{
    struct cts_err err = {0};
    if (!p->lost) {
        cts_bld_note(b, "%s: %s", p->path, p->why);
        return;
    }
    cts_err_at(&err, CTS_E_IO, p->path, 0, 0, "%s", p->why);
    cts_bld_fault(b, &err);
}

/* Both kinds of files of a folder; a file by its own name, whatever that is. */
static int list_sources(struct cts_builder *b, const char *path, struct cts_fs_list lists[2],
                        struct cts_err *err)
{
    int rc = cts_fs_walk_on(path, ".yaml", &b->arena, &lists[0], err);
    if (rc == 0 && cts_fs_is_dir(path))
        rc = cts_fs_walk_on(path, DATA_ENDING, &b->arena, &lists[1], err);
    for (unsigned l = 0; rc == 0 && l < 2; l++)
        for (size_t i = 0; i < lists[l].passed_count; i++)
            if (l == 0 || !lists[l].passed[i].folder) /* of folders the first walk has told */
                tell_passed(b, &lists[l].passed[i]);
    return rc;
}

static int read_sources(struct cts_builder *b, struct sources *s, struct cts_err *err)
{
    size_t list_count = b->opts->path_count * 2, all = 0;
    struct cts_fs_list *lists = cts_arena_take_array(&b->arena, list_count + 1, sizeof(*lists));
    if (!lists)
        return no_memory(err);
    for (size_t i = 0; i < b->opts->path_count; i++) {
        int rc = list_sources(b, b->opts->paths[i], &lists[2 * i], err);
        if (rc)
            return rc;
        all += lists[2 * i].count + lists[2 * i + 1].count;
    }
    s->list = cts_arena_take_array(&b->arena, all + 1, sizeof(*s->list));
    s->ids = cts_arena_take_array(&b->arena, all + 1, sizeof(*s->ids));
    if (!s->list || !s->ids)
        return no_memory(err);
    for (size_t i = 0; i < list_count; i++) {
        bool named = !cts_fs_is_dir(b->opts->paths[i / 2]);
        for (size_t k = 0; k < lists[i].count; k++)
            if (read_source(b, lists[i].paths[k], named, s) != 0)
                return no_memory(err);
    }
    b->stats->files = s->count;
    return 0;
}

/* ---- the vectors ---- */

static size_t list_length(const char *const *list)
{
    size_t n = 0;
    while (list && list[n])
        n++;
    return n;
}

static int known_names(struct cts_builder *b, struct cts_vec_known *k, struct cts_err *err)
{
    enum { FEATURES_MAX = 32 };
    size_t needs = 0;
    const char **rows = cts_arena_take_array(&b->arena, CTS_INSN_COUNT, sizeof(*rows));
    const char **domains = cts_arena_take_array(&b->arena, CTS_DOM_COUNT, sizeof(*domains));
    const char **features = cts_arena_take_array(&b->arena, FEATURES_MAX, sizeof(*features));
    const char **clauses = cts_arena_take_array(&b->arena, CTS_CLAUSE_COUNT, sizeof(*clauses));
    const char **classes = cts_arena_take_array(&b->arena, CTS_VERDICT_COUNT, sizeof(*classes));
    const char **policies = cts_arena_take_array(&b->arena, CTS_POLICY_COUNT, sizeof(*policies));
    if (!rows || !domains || !features || !clauses || !classes || !policies)
        return no_memory(err);
    for (unsigned i = 0; i < CTS_INSN_COUNT; i++)
        rows[i] = cts_insn_info((enum cts_insn_id)i)->id;
    for (unsigned i = 0; i < CTS_DOM_COUNT; i++)
        domains[i] = cts_domain_name((enum cts_domain)i);
    for (unsigned i = 0; i < FEATURES_MAX; i++)
        if (CTS_FEAT_OF_PROGRAMS >> i & 1)
            features[needs++] = cts_feature_name(i);
    for (unsigned i = 0; i < CTS_CLAUSE_COUNT; i++)
        clauses[i] = cts_clause_texts[i].id;
    for (unsigned i = 0; i < CTS_VERDICT_COUNT; i++)
        classes[i] = cts_verdict_texts[i].id;
    for (unsigned i = 0; i < CTS_POLICY_COUNT; i++)
        policies[i] = cts_policy_texts[i].id;
    *k = (struct cts_vec_known){
        .rows = {rows, CTS_INSN_COUNT},
        .domains = {domains, CTS_DOM_COUNT},
        .needs = {features, needs},
        .clauses = {clauses, CTS_CLAUSE_COUNT},
        .classes = {classes, CTS_VERDICT_COUNT},
        .policies = {policies, CTS_POLICY_COUNT},
        .runtimes = {b->opts->runtimes, list_length(b->opts->runtimes)},
    };
    return 0;
}

static int add_plan(struct cts_builder *b, const struct cts_vec *v)
{
    if (b->plan_count == b->plan_cap) {
        size_t cap = b->plan_cap ? b->plan_cap * 2 : 256;
        struct cts_plan *bigger = realloc(b->plans, cap * sizeof(*bigger));
        if (!bigger)
            return CTS_E_NOMEM;
        b->plans = bigger;
        b->plan_cap = cap;
    }
    b->plans[b->plan_count++] = (struct cts_plan){.v = v};
    return 0;
}

static void on_fault(void *arg, const struct cts_err *err)
{
    cts_bld_fault(arg, err);
}

static int load_vectors(struct cts_builder *b, const struct cts_source *f,
                        const struct cts_vec_known *known, struct cts_err *fault,
                        struct cts_err *err)
{
    struct cts_vec_report report = {.fault = on_fault, .arg = b};
    struct cts_vec_file file;
    int rc = 0;
    cts_vec_parse(f->path, f->text, f->len, known, &report, &b->arena, &file, fault);
    for (size_t k = 0; rc == 0 && k < file.count; k++)
        if (file.vectors[k].level <= b->opts->level)
            rc = add_plan(b, &file.vectors[k]) ? no_memory(err) : 0;
        else
            cts_pkw_leave_out(&b->w, file.vectors[k].id);
    return rc;
}

/* A helper that no runtime here can have makes a test with a result one that cannot be run. */
static int ask_helpers(struct cts_builder *b, struct cts_conf_test *t, struct cts_err *err)
{
    int32_t id;
    if (t->skip[0] || t->is_error || !cts_code_strange_helper(t->code, t->slots, &id))
        return 0;
    t->skip = cts_arena_fmt(&b->arena, "needs helper %d", id);
    return t->skip ? 0 : no_memory(err);
}

static int load_data(struct cts_builder *b, const struct cts_source *f, const char *name,
                     struct cts_err *fault, struct cts_err *err)
{
    struct cts_conf_test test;
    struct cts_vec *v = cts_arena_take(&b->arena, sizeof(*v));
    if (!v)
        return no_memory(err);
    if (cts_conf_parse(f->path, f->text, f->len, f->links, f->link_count, &b->arena, &test,
                       fault) ||
        ask_helpers(b, &test, fault) ||
        cts_conf_vector(&test, DATA_SUITE, name, &b->arena, v, fault))
        return 0;
    return add_plan(b, v) ? no_memory(err) : 0;
}

/* What the vectors of .data files are called, in the order of the sources; null for other files. */
static const char **data_names(struct cts_builder *b, const struct sources *s)
{
    const char **paths = cts_arena_take_array(&b->arena, s->count + 1, sizeof(*paths));
    const char **names = cts_arena_take_array(&b->arena, s->count + 1, sizeof(*names));
    const char *const *found;
    size_t n = 0;
    for (size_t i = 0; paths && i < s->count; i++)
        if (is_data(s->list[i].path))
            paths[n++] = s->list[i].path;
    if (!paths || !names || !(found = cts_conf_names(paths, n, &b->arena)))
        return NULL;
    for (size_t i = 0; i < s->count; i++)
        names[i] = is_data(s->list[i].path) ? *found++ : NULL;
    return names;
}

static int load_all(struct cts_builder *b, const struct sources *s, struct cts_err *err)
{
    struct cts_vec_known known;
    const char **names = data_names(b, s);
    int rc = names ? known_names(b, &known, err) : no_memory(err);
    for (size_t i = 0; rc == 0 && i < s->count; i++) {
        struct cts_err fault = {0};
        const struct cts_source *f = &s->list[i];
        if (cts_kind_want_text(f->path, f->text, f->len,
                               "vectors (.yaml, or .data of bpf_conformance)", &fault) == 0)
            rc = names[i] ? load_data(b, f, names[i], &fault, err)
                          : load_vectors(b, f, &known, &fault, err);
        if (fault.code)
            cts_bld_fault(b, &fault);
    }
    return rc;
}

/* Plans that turned out bad are left out from then on. */
static void drop_plan(struct cts_builder *b, struct cts_plan *p, const struct cts_err *why)
{
    cts_bld_fault(b, why);
    p->v = NULL;
}

static int by_id(const void *a, const void *b)
{
    const struct cts_plan *const *x = a, *const *y = b;
    int order = strcmp((*x)->v->id, (*y)->v->id);
    return order ? order : (*x > *y) - (*x < *y);
}

/* Ids are unique over all files; the first one stays. */
static int drop_twins(struct cts_builder *b, struct cts_err *err)
{
    struct cts_plan **sorted =
        cts_arena_take_array(&b->arena, b->plan_count + 1, sizeof(struct cts_plan *));
    if (!sorted)
        return no_memory(err);
    for (size_t i = 0; i < b->plan_count; i++)
        sorted[i] = &b->plans[i];
    qsort(sorted, b->plan_count, sizeof(*sorted), by_id);
    struct cts_plan *first = b->plan_count ? sorted[0] : NULL;
    for (size_t i = 1; i < b->plan_count; i++) {
        struct cts_err why = {0};
        const struct cts_vec *v = sorted[i]->v;
        if (strcmp(first->v->id, v->id) != 0) {
            first = sorted[i];
            continue;
        }
        cts_err_at(&why, CTS_E_SCHEMA, v->pos.file, v->pos.line, v->pos.col,
                   "duplicate vector '%s' (first defined at %s:%u)", v->id, first->v->pos.file,
                   first->v->pos.line);
        drop_plan(b, sorted[i], &why);
    }
    return 0;
}

/* ---- from vectors to codes ---- */

/* What {imm} is swept over; null and 0 if it is not. */
static const uint64_t *imm_domain(const struct cts_vec *v, enum cts_level level, uint32_t *n)
{
    *n = 0;
    for (size_t i = 0; i < v->sweep_count; i++)
        if (v->sweeps[i].target == CTS_SWEEP_IMM)
            return cts_domain_values(cts_domain_find(v->sweeps[i].domain), level, n);
    return NULL;
}

/* The lowest level at which the domain has this value. */
static uint8_t imm_level(const struct cts_vec *v, size_t index)
{
    uint32_t n;
    unsigned level = CTS_LEVEL_QUICK;
    while (level < CTS_LEVEL_EXHAUSTIVE && imm_domain(v, (enum cts_level)level, &n) && index >= n)
        level++;
    return (uint8_t)level;
}

/* The values of {imm}: those of the cases, or the domain's. At least one, which may mean none. */
static int imm_values(struct cts_builder *b, const struct cts_vec *v, uint64_t **out, size_t *count,
                      struct cts_err *err)
{
    uint32_t n = 0;
    const uint64_t *domain = imm_domain(v, b->opts->level, &n);
    uint64_t *values = cts_arena_take_array(&b->arena, n + v->case_count + 1, sizeof(*values));
    if (!values)
        return no_memory(err);
    *out = values;
    *count = 0;
    for (uint32_t i = 0; i < n; i++)
        values[(*count)++] = domain[i];
    for (size_t i = 0; i < v->case_count; i++) {
        bool is_new = v->cases[i].has_imm;
        for (size_t k = 0; k < *count; k++)
            is_new &= values[k] != v->cases[i].imm;
        if (is_new)
            values[(*count)++] = v->cases[i].imm;
    }
    if (*count == 0)
        (*count)++;
    return 0;
}

static uint8_t higher(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

/* A verdict's cases differ in their programs. */
static int plan_verdict(struct cts_builder *b, struct cts_plan *p, struct cts_err *err)
{
    int rc = cts_bld_bind(b, p->v, &p->bindings, &p->binding_count, err);
    if (rc)
        return rc;
    p->concretes = cts_arena_take_array(&b->arena, p->v->case_count, sizeof(*p->concretes));
    if (!p->concretes)
        return no_memory(err);
    for (size_t i = 0; rc == 0 && i < p->v->case_count; i++) {
        struct cts_concrete *c = &p->concretes[p->concrete_count++];
        c->binding = p->bindings;
        c->level = higher(c->binding->level, p->v->level);
        c->kase = i;
        rc = cts_bld_request(b, p->v, c, err);
    }
    return rc;
}

static int plan_codes(struct cts_builder *b, struct cts_plan *p, struct cts_err *err)
{
    uint64_t *imms = NULL;
    size_t n = 0;
    if (p->v->kind == CTS_VK_VERDICT)
        return plan_verdict(b, p, err);
    int rc = cts_bld_bind(b, p->v, &p->bindings, &p->binding_count, err);
    for (size_t i = 0; rc == 0 && i < p->binding_count; i++)
        rc = cts_bld_check_states(p->v, &p->bindings[i], err);
    if (rc == 0)
        rc = imm_values(b, p->v, &imms, &n, err);
    if (rc)
        return rc;
    p->concretes = cts_arena_take_array(&b->arena, p->binding_count * n, sizeof(*p->concretes));
    if (!p->concretes)
        return no_memory(err);
    for (size_t i = 0; rc == 0 && i < p->binding_count * n; i++) {
        struct cts_concrete *c = &p->concretes[p->concrete_count++];
        c->binding = &p->bindings[i / n];
        c->has_imm = p->v->uses_imm;
        c->imm = imms[i % n];
        c->level = higher(imm_level(p->v, i % n), higher(c->binding->level, p->v->level));
        rc = cts_bld_request(b, p->v, c, err);
    }
    return rc;
}

static bool has_variant(struct cts_builder *b, const struct cts_plan *p,
                        const struct cts_vec_case *kase)
{
    struct cts_variant var;
    for (size_t i = 0; i < p->concrete_count; i++) {
        const struct cts_concrete *c = &p->concretes[i];
        if (c->binding == p->bindings && (!kase->has_imm || kase->imm == c->imm) &&
            cts_bld_variant(b, p->v, c, kase, CTS_OPD_CONSTANT, &var))
            return true;
    }
    return false;
}

/* Without opaque operands a case may be left with no unit at all: that is a mistake, not a pass. */
static int refuse_idle_cases(struct cts_builder *b, const struct cts_plan *p, struct cts_err *err)
{
    for (size_t i = 0; p->v->kind == CTS_VK_RUN && i < p->v->case_count; i++) {
        const struct cts_vec_case *c = &p->v->cases[i];
        if (!(cts_vec_asks(p->v, CTS_OPD_OPAQUE) && !p->v->computed) && !has_variant(b, p, c))
            return cts_err_at(
                err, CTS_E_SCHEMA, c->pos.file, c->pos.line, c->pos.col,
                "this case cannot run with code behind it that checks it (as constant, "
                "masked and computed values do), and nothing else is asked for");
    }
    return 0;
}

static int compose_codes(struct cts_builder *b, struct cts_plan *p, struct cts_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < p->concrete_count; i++)
        rc = cts_bld_compose(b, p->v, &p->concretes[i], err);
    if (rc == 0)
        rc = cts_bld_compute(b, p, err);
    return rc ? rc : refuse_idle_cases(b, p, err);
}

/* One step over all plans; a bad one is reported and dropped, only want of memory ends the build.
 */
static int for_plans(struct cts_builder *b,
                     int (*step)(struct cts_builder *b, struct cts_plan *p, struct cts_err *err),
                     struct cts_err *err)
{
    for (size_t i = 0; i < b->plan_count; i++) {
        struct cts_err why = {0};
        struct cts_plan *p = &b->plans[i];
        if (!p->v || step(b, p, &why) == 0)
            continue;
        if (why.code == CTS_E_NOMEM)
            return no_memory(err);
        drop_plan(b, p, &why);
    }
    return 0;
}

static int build_tables(struct cts_builder *b, const struct sources *s, char *assembler, size_t cap,
                        struct cts_err *err)
{
    int rc = load_all(b, s, err);
    if (rc == 0)
        rc = drop_twins(b, err);
    if (rc == 0)
        rc = for_plans(b, plan_codes, err);
    if (rc == 0)
        rc = cts_bld_assemble(b, assembler, cap, err);
    if (rc == 0)
        rc = for_plans(b, compose_codes, err);
    for (size_t i = 0; rc == 0 && i < b->plan_count; i++)
        if (b->plans[i].v)
            cts_bld_emit(b, &b->plans[i]);
    return rc;
}

static int build_pack(struct cts_builder *b, const struct sources *s, const char *key,
                      struct cts_pack *pack, struct cts_err *err)
{
    char assembler[4096] = "";
    struct cts_buf file;
    cts_buf_init(&file, 0);
    int rc = build_tables(b, s, assembler, sizeof(assembler), err);
    if (rc == 0)
        rc = cts_pkw_end(&b->w, b->opts->level, &file, err);
    if (rc == 0)
        rc = cts_pack_from_memory(pack, (const uint8_t *)file.data, file.len, true, err);
    if (rc == 0 && b->stats->errors == 0 && !b->opts->no_cache)
        cts_bld_keep(b, key, assembler, file.data, file.len);
    if (rc)
        cts_buf_release(&file);
    return rc;
}

int cts_build(const struct cts_build_opts *opts, struct cts_pack *pack,
              struct cts_build_stats *stats, struct cts_err *err)
{
    struct cts_build_stats own;
    struct cts_builder b = {.opts = opts, .stats = stats ? stats : &own, .cache = -1};
    struct sources files = {0};
    char key[65] = "";
    memset(pack, 0, sizeof(*pack));
    memset(b.stats, 0, sizeof(*b.stats));
    cts_arena_init(&b.arena, 0);
    cts_pkw_init(&b.w);
    int rc = read_sources(&b, &files, err);
    if (rc == 0 && !opts->no_cache) {
        cts_bld_key(opts, files.list, files.count, key);
        cts_bld_cache_open(&b);
        b.stats->from_cache = b.stats->errors == 0 && cts_bld_cached(&b, key, pack);
    }
    if (rc == 0 && !b.stats->from_cache)
        rc = build_pack(&b, &files, key, pack, err);
    if (b.cache >= 0)
        close(b.cache);
    free(b.requests);
    free(b.request_slots);
    free(b.plans);
    cts_pkw_release(&b.w);
    cts_arena_release(&b.arena);
    return rc;
}
