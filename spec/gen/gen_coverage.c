/* Which vectors test which clause, row, class and group, and what nothing tests. */
#include "grid.h"
#include "info.h"

#include <string.h>

#include "host/fs.h"

/* How much tests a thing, by kind of vector (enum cts_vector_kind). */
enum { KINDS = 3 };
static const char *const KIND_NAMES[KINDS] = {
    [CTS_VK_RUN] = "hand",
    [CTS_VK_SWEEP] = "sweep",
    [CTS_VK_VERDICT] = "verdict",
};

struct count {
    size_t vectors[KINDS], cases[KINDS];
};

static void count_vector(struct count *n, const struct cts_vec *v)
{
    n->vectors[v->kind]++;
    n->cases[v->kind] += v->case_count;
}

static size_t all_vectors(const struct count *n)
{
    return n->vectors[0] + n->vectors[1] + n->vectors[2];
}

/* A clause that a rule of `spec check` tests: anchors/proofs.tsv. */
struct proof {
    const char *clause, *rule;
};

struct coverage {
    const struct cts_gen_request *rq;
    const struct cts_spec *spec;
    struct cts_arena arena;
    struct proof *proofs;
    size_t proof_count;
};

static void add_proof(struct coverage *c, char *line)
{
    char *tab = strchr(line, '\t');

    if (*line == '#' || !tab)
        return;
    *tab = '\0';
    tab[1 + strcspn(tab + 1, "\t\r")] = '\0';
    if (strcmp(line, "clause") != 0)
        c->proofs[c->proof_count++] = (struct proof){line, tab + 1};
}

/* A specification without that file has no such rules. */
static int load_proofs(struct coverage *c, struct cts_err *err)
{
    const char *path = cts_arena_fmt(&c->arena, "%s/anchors/proofs.tsv", c->rq->spec_name);
    struct cts_buf text;
    size_t lines = 1;

    if (!path)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (!cts_fs_exists(path))
        return 0;
    cts_buf_init(&text, 0);
    int rc = cts_fs_read(path, 1 << 20, &text, err);
    char *at = rc ? NULL : cts_arena_strdup(&c->arena, cts_buf_text(&text));
    cts_buf_release(&text);
    for (const char *p = at; p && *p; p++)
        lines += *p == '\n';
    c->proofs = cts_arena_take_array(&c->arena, lines, sizeof(*c->proofs));
    if (!rc && (!at || !c->proofs))
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    while (!rc && at) {
        char *end = strchr(at, '\n');
        if (end)
            *end = '\0';
        add_proof(c, at);
        at = end ? end + 1 : NULL;
    }
    return rc;
}

static const char *rule_of(const struct coverage *c, const char *clause)
{
    for (size_t i = 0; i < c->proof_count; i++)
        if (!strcmp(c->proofs[i].clause, clause))
            return c->proofs[i].rule;
    return NULL;
}

/* What a vector is about: rows, clauses, classes and groups alike. */
struct subject {
    const char *name, *heading;
    size_t (*size)(const struct cts_spec *spec);
    const char *(*id)(const struct cts_spec *spec, size_t i);
    bool (*is_about)(const struct cts_spec *spec, const struct cts_vec *v, size_t i);
    /* Why no vector is wanted; null if one is. */
    const char *(*excuse)(const struct coverage *c, size_t i);
    const char *note_head; /* a column more */
    const char *(*note)(const struct cts_spec *spec, size_t i);
};

static size_t row_size(const struct cts_spec *spec)
{
    return spec->row_count;
}
static const char *row_id(const struct cts_spec *spec, size_t i)
{
    return spec->rows[i].id;
}
static bool about_row(const struct cts_spec *spec, const struct cts_vec *v, size_t i)
{
    return cts_info_has(v->rows, v->row_count, spec->rows[i].id);
}
static const char *row_excuse(const struct coverage *c, size_t i)
{
    return c->spec->rows[i].slot ? "no instruction of its own" : NULL;
}
static const char *row_note(const struct cts_spec *spec, size_t i)
{
    return spec->groups[spec->rows[i].group].name;
}

static size_t clause_size(const struct cts_spec *spec)
{
    return spec->clause_count;
}
static const char *clause_id(const struct cts_spec *spec, size_t i)
{
    return spec->clauses[i].id;
}
static bool about_clause(const struct cts_spec *spec, const struct cts_vec *v, size_t i)
{
    return cts_info_has(v->clauses, v->clause_count, spec->clauses[i].id);
}
static const char *clause_excuse(const struct coverage *c, size_t i)
{
    const struct cts_spec_clause *clause = &c->spec->clauses[i];

    return clause->reason ? clause->reason : rule_of(c, clause->id);
}
static const char *clause_note(const struct cts_spec *spec, size_t i)
{
    return spec->clauses[i].section;
}

static size_t class_size(const struct cts_spec *spec)
{
    return spec->verdict_count;
}
static const char *class_id(const struct cts_spec *spec, size_t i)
{
    return spec->verdicts[i].id;
}
static bool about_class(const struct cts_spec *spec, const struct cts_vec *v, size_t i)
{
    return !strcmp(v->klass, spec->verdicts[i].id);
}
static const char *no_excuse(const struct coverage *c, size_t i)
{
    (void)c;
    (void)i;
    return NULL;
}
static const char *class_note(const struct cts_spec *spec, size_t i)
{
    return spec->verdicts[i].name;
}

static size_t group_size(const struct cts_spec *spec)
{
    return spec->group_count;
}
static const char *group_id(const struct cts_spec *spec, size_t i)
{
    return spec->groups[i].name;
}
/* A vector counts for the group of the first row it names. */
static bool about_group(const struct cts_spec *spec, const struct cts_vec *v, size_t i)
{
    const struct cts_spec_insn *row = v->row_count ? cts_spec_insn_find(spec, v->rows[0]) : NULL;

    return row && row->group == i;
}
static const char *group_note(const struct cts_spec *spec, size_t i)
{
    return spec->groups[i].section;
}

static const struct subject SUBJECTS[] = {
    {"group", "Groups, by the first row of each vector", group_size, group_id, about_group,
     no_excuse, "section", group_note},
    {"instruction", "Instructions", row_size, row_id, about_row, row_excuse, "group", row_note},
    {"clause", "Clauses", clause_size, clause_id, about_clause, clause_excuse, "section",
     clause_note},
    {"class", "Verdict classes", class_size, class_id, about_class, no_excuse, "name", class_note},
};

enum { SUBJECT_COUNT = sizeof(SUBJECTS) / sizeof(SUBJECTS[0]) };

static struct count count_of(const struct coverage *c, const struct subject *s, size_t i)
{
    struct count n = {0};

    for (size_t k = 0; k < c->rq->tested->count; k++)
        if (s->is_about(c->spec, c->rq->tested->vectors[k], i))
            count_vector(&n, c->rq->tested->vectors[k]);
    return n;
}

/* Is its excuse a rule of `spec check`? */
static bool is_by_rule(const struct coverage *c, const struct subject *s, size_t i)
{
    const char *excuse = s->excuse(c, i);

    return excuse && excuse == rule_of(c, s->id(c->spec, i));
}

/* --- tsv: a line for each pair, and one for what has none ----------------------------------- */

static void add_pair(struct cts_grid *g, const struct subject *s, const char *id,
                     const struct cts_vec *v)
{
    cts_grid_add(g, s->name);
    cts_grid_add(g, id);
    cts_grid_add(g, v->id);
    cts_grid_add(g, KIND_NAMES[v->kind]);
    cts_grid_addf(g, "%zu", v->case_count);
}

static void add_lack(struct cts_grid *g, const struct subject *s, const char *id,
                     const char *excuse, bool by_rule)
{
    cts_grid_add(g, s->name);
    cts_grid_add(g, id);
    cts_grid_add(g, "");
    cts_grid_add(g, by_rule ? "rule" : excuse ? "not-wanted" : "missing");
    cts_grid_add(g, excuse ? excuse : "0");
}

static void print_pairs(const struct coverage *c, struct cts_buf *out)
{
    static const char *const HEADS[] = {"subject", "id", "vector", "kind", "cases"};
    struct cts_grid grid;

    cts_grid_init(&grid, 5, 0);
    for (size_t i = 0; i < 5; i++)
        cts_grid_add(&grid, HEADS[i]);
    for (size_t k = 0; k < SUBJECT_COUNT; k++) {
        const struct subject *s = &SUBJECTS[k];
        for (size_t i = 0; i < s->size(c->spec); i++) {
            size_t before = grid.count;
            for (size_t v = 0; v < c->rq->tested->count; v++)
                if (s->is_about(c->spec, c->rq->tested->vectors[v], i))
                    add_pair(&grid, s, s->id(c->spec, i), c->rq->tested->vectors[v]);
            if (grid.count == before)
                add_lack(&grid, s, s->id(c->spec, i), s->excuse(c, i), is_by_rule(c, s, i));
        }
    }
    cts_grid_print(&grid, "tsv", out);
    cts_grid_release(&grid);
}

/* --- text and markdown ---------------------------------------------------------------------- */

static void heading(const struct coverage *c, const char *text, struct cts_buf *out)
{
    cts_buf_addf(out, strcmp(c->rq->format, "markdown") ? "\n%s\n\n" : "\n## %s\n\n", text);
}

static void print_subject(const struct coverage *c, const struct subject *s, struct cts_buf *out)
{
    static const char *const HEADS[] = {"by hand", "cases", "swept", "verdicts"};
    struct cts_grid grid;

    cts_grid_init(&grid, 6, 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5);
    cts_grid_add(&grid, s->name);
    cts_grid_add(&grid, s->note_head);
    for (size_t i = 0; i < 4; i++)
        cts_grid_add(&grid, HEADS[i]);
    for (size_t i = 0; i < s->size(c->spec); i++) {
        struct count n = count_of(c, s, i);
        cts_grid_add(&grid, s->id(c->spec, i));
        cts_grid_add(&grid, s->note(c->spec, i));
        cts_grid_addf(&grid, "%zu", n.vectors[CTS_VK_RUN]);
        cts_grid_addf(&grid, "%zu", n.cases[CTS_VK_RUN]);
        cts_grid_addf(&grid, "%zu", n.vectors[CTS_VK_SWEEP]);
        cts_grid_addf(&grid, "%zu", n.vectors[CTS_VK_VERDICT]);
    }
    heading(c, s->heading, out);
    cts_grid_print(&grid, c->rq->format, out);
    cts_grid_release(&grid);
}

static void print_lacks(const struct coverage *c, struct cts_buf *out)
{
    struct cts_grid grid;
    size_t lacks = 0;

    cts_grid_init(&grid, 3, 0);
    cts_grid_add(&grid, "subject");
    cts_grid_add(&grid, "id");
    cts_grid_add(&grid, "what it lacks");
    for (size_t k = 0; k < SUBJECT_COUNT; k++) {
        const struct subject *s = &SUBJECTS[k];
        for (size_t i = 0; i < s->size(c->spec); i++) {
            struct count n = count_of(c, s, i);
            const char *excuse = s->excuse(c, i);
            bool by_hand = n.vectors[CTS_VK_RUN] || n.vectors[CTS_VK_VERDICT];
            if (by_hand || (excuse && !all_vectors(&n)))
                continue;
            lacks++;
            cts_grid_add(&grid, s->name);
            cts_grid_add(&grid, s->id(c->spec, i));
            cts_grid_add(&grid, all_vectors(&n) ? "only sweeps" : "no vector");
        }
    }
    heading(c, "Not covered", out);
    if (lacks)
        cts_grid_print(&grid, c->rq->format, out);
    else
        cts_buf_adds(out, "Nothing: every group, row, clause and class has a vector, or a reason "
                          "to have none.\n");
    cts_grid_release(&grid);
}

static void print_excused(const struct coverage *c, struct cts_buf *out)
{
    struct cts_grid grid;

    cts_grid_init(&grid, 3, 0);
    cts_grid_add(&grid, "subject");
    cts_grid_add(&grid, "id");
    cts_grid_add(&grid, "why");
    for (size_t k = 0; k < SUBJECT_COUNT; k++) {
        const struct subject *s = &SUBJECTS[k];
        for (size_t i = 0; i < s->size(c->spec); i++) {
            struct count n = count_of(c, s, i);
            const char *excuse = s->excuse(c, i);
            if (!excuse || all_vectors(&n))
                continue;
            cts_grid_add(&grid, s->name);
            cts_grid_add(&grid, s->id(c->spec, i));
            cts_grid_addf(&grid, "%s%s", is_by_rule(c, s, i) ? "spec check " : "", excuse);
        }
    }
    heading(c, "Without a vector, for a reason", out);
    cts_grid_print(&grid, c->rq->format, out);
    cts_grid_release(&grid);
}

/* How many of a subject have any vector, one written by hand, none but could. */
static void print_totals(const struct coverage *c, struct cts_buf *out)
{
    static const char *const HEADS[] = {
        "",      "there are",     "with a vector", "by hand or verdict",
        "swept", "by spec check", "excused",       "lacking"};
    struct cts_grid grid;

    cts_grid_init(&grid, 8, 0xfe);
    for (size_t i = 0; i < 8; i++)
        cts_grid_add(&grid, HEADS[i]);
    for (size_t k = 0; k < SUBJECT_COUNT; k++) {
        const struct subject *s = &SUBJECTS[k];
        size_t any = 0, hand = 0, swept = 0, ruled = 0, excused = 0, size = s->size(c->spec);
        for (size_t i = 0; i < size; i++) {
            struct count n = count_of(c, s, i);
            any += all_vectors(&n) != 0;
            hand += n.vectors[CTS_VK_RUN] || n.vectors[CTS_VK_VERDICT];
            swept += n.vectors[CTS_VK_SWEEP] != 0;
            ruled += !all_vectors(&n) && is_by_rule(c, s, i);
            excused += !all_vectors(&n) && s->excuse(c, i) && !is_by_rule(c, s, i);
        }
        cts_grid_addf(&grid, "%s", k + 1 == SUBJECT_COUNT ? "verdict class" : s->name);
        cts_grid_addf(&grid, "%zu", size);
        cts_grid_addf(&grid, "%zu", any);
        cts_grid_addf(&grid, "%zu", hand);
        cts_grid_addf(&grid, "%zu", swept);
        cts_grid_addf(&grid, "%zu", ruled);
        cts_grid_addf(&grid, "%zu", excused);
        cts_grid_addf(&grid, "%zu", size - any - ruled - excused);
    }
    cts_grid_print(&grid, c->rq->format, out);
    cts_grid_release(&grid);
}

static void print_report(const struct coverage *c, struct cts_buf *out)
{
    struct count n = {0};

    for (size_t i = 0; i < c->rq->tested->count; i++)
        count_vector(&n, c->rq->tested->vectors[i]);
    cts_buf_addf(out,
                 "%s%zu vectors: %zu written by hand with %zu cases, %zu sweeps, %zu verdicts.\n\n",
                 strcmp(c->rq->format, "markdown") ? "" : "# Coverage of the specification\n\n",
                 c->rq->tested->count, n.vectors[CTS_VK_RUN], n.cases[CTS_VK_RUN],
                 n.vectors[CTS_VK_SWEEP], n.vectors[CTS_VK_VERDICT]);
    print_totals(c, out);
    for (size_t k = 0; k < SUBJECT_COUNT; k++)
        print_subject(c, &SUBJECTS[k], out);
    print_lacks(c, out);
    print_excused(c, out);
}

static int run(const struct cts_gen_request *rq, struct cts_buf *out, struct cts_err *err)
{
    struct coverage c = {.rq = rq, .spec = rq->spec};

    cts_arena_init(&c.arena, 0);
    int rc = load_proofs(&c, err);
    if (!rc && strcmp(rq->format, "tsv") == 0)
        print_pairs(&c, out);
    else if (!rc)
        print_report(&c, out);
    cts_arena_release(&c.arena);
    return rc;
}

static const char *const FORMATS[] = {"text", "tsv", "markdown", NULL};

const struct cts_generator cts_generator_coverage = {
    .name = "coverage",
    .what = "which vectors test which group, row, clause and class, and what none tests",
    .formats = FORMATS,
    .wants = CTS_GEN_VECTORS,
    .run = run,
};
