/* What differs between two specifications. */
#include "info.h"

#include <string.h>

#include "sema/sema.h"

/* --- meaning: trees that do the same, whatever their text ---------------------------------- */

/* May its value be computed earlier or later without a difference? */
static bool is_pure(const struct cts_expr *x)
{
    if (!x)
        return true;
    if (x->kind == CTS_X_MEM || x->kind == CTS_X_CALL || x->kind == CTS_X_CHOOSE)
        return false;
    return is_pure(x->child[0]) && is_pure(x->child[1]) && is_pure(x->child[2]);
}

static bool is_commutative(enum cts_sema_op op)
{
    return op == CTS_OP_ADD || op == CTS_OP_MUL || op == CTS_OP_MULHI || op == CTS_OP_AND ||
           op == CTS_OP_OR || op == CTS_OP_XOR || op == CTS_OP_EQ || op == CTS_OP_NE ||
           op == CTS_OP_ANDALSO || op == CTS_OP_ORELSE;
}

static void swap_kids(struct cts_expr *x)
{
    struct cts_expr *first = x->child[0];

    x->child[0] = x->child[1];
    x->child[1] = first;
}

/* Any order will do as long as equal trees are equal in it: that of their text. */
static int compare_text(const struct cts_expr *a, const struct cts_expr *b)
{
    struct cts_buf x, y;

    cts_buf_init(&x, 0);
    cts_buf_init(&y, 0);
    cts_expr_print(a, &x);
    cts_expr_print(b, &y);
    int order = strcmp(cts_buf_text(&x), cts_buf_text(&y));
    cts_buf_release(&x);
    cts_buf_release(&y);
    return order;
}

static void normalise(struct cts_expr *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < 3; i++)
        normalise(x->child[i]);
    if (x->kind != CTS_X_BINARY)
        return;
    if (!is_pure(x->child[0]) || !is_pure(x->child[1]))
        return;
    if (x->op == CTS_OP_GT || x->op == CTS_OP_GE) { /* a > b is b < a */
        x->op = x->op == CTS_OP_GT ? CTS_OP_LT : CTS_OP_LE;
        swap_kids(x);
    }
    if (is_commutative(x->op) && compare_text(x->child[0], x->child[1]) > 0)
        swap_kids(x);
}

/* Names of locals are in the texts that decide about order, so they get common ones first. A choice
 * is no other's equal, but here the two sides' first, second ... ones are meant to be. */
static int name_locals(void *arg, struct cts_expr **slot)
{
    static const char *const NAMES[] = {
        "v00", "v01", "v02", "v03", "v04", "v05", "v06", "v07", "v08", "v09", "v10",
        "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21",
        "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31",
    };
    unsigned *choices = arg;
    struct cts_expr *x = *slot;

    if (x->kind == CTS_X_CHOOSE) {
        x->kind = CTS_X_LOCAL;
        x->local = CTS_SEMA_LOCALS_MAX + (*choices)++;
        x->name = "choose";
    } else if (x->kind == CTS_X_LOCAL && x->local < sizeof(NAMES) / sizeof(NAMES[0])) {
        x->name = NAMES[x->local];
    }
    return 0;
}

static void normalise_stmts(struct cts_stmt *s)
{
    for (; s; s = s->next) {
        normalise(s->target);
        normalise(s->value);
        normalise(s->cond);
        normalise_stmts(s->body);
    }
}

static bool stmts_equal(const struct cts_stmt *a, const struct cts_stmt *b)
{
    for (; a && b; a = a->next, b = b->next) {
        if (a->kind != b->kind || !cts_expr_equal(a->target, b->target) ||
            !cts_expr_equal(a->value, b->value) || !cts_expr_equal(a->cond, b->cond))
            return false;
        if (a->kind == CTS_S_LET && a->local != b->local)
            return false;
        if (a->kind == CTS_S_CALL && a->call != b->call)
            return false;
        if (a->kind == CTS_S_ATOMIC && (a->order != b->order || !stmts_equal(a->body, b->body)))
            return false;
    }
    return !a && !b;
}

static bool sema_equal(const struct cts_sema *a, const struct cts_sema *b, struct cts_arena *arena)
{
    if (!a || !b)
        return a == b;
    struct cts_sema *x = cts_sema_clone(a, arena), *y = cts_sema_clone(b, arena);
    if (!x || !y)
        return false;
    unsigned choices[2] = {0, 0};
    cts_sema_visit(x, name_locals, &choices[0]);
    cts_sema_visit(y, name_locals, &choices[1]);
    normalise_stmts(x->body);
    normalise_stmts(y->body);
    return stmts_equal(x->body, y->body);
}

/* --- the list of differences --------------------------------------------------------------- */

enum kind { ADDED, REMOVED, CHANGED };
static const char *const KIND_NAMES[] = {"added", "removed", "changed"};
static const char KIND_SIGNS[] = {'+', '-', '~'};

/* One side of a comparison: `from` is null for what was added, `to` for what was removed. */
struct change {
    const char *section; /* "insns" */
    const char *id, *what;
    enum kind kind;
    const char *from, *to;
};

struct diff {
    const struct cts_spec *a, *b;
    struct cts_arena arena;
    struct change *list;
    size_t count, cap;
    struct cts_buf text; /* for making texts */
    bool failed;
};

static void add_change(struct diff *d, const struct change *c)
{
    if (d->count == d->cap) {
        size_t cap = d->cap ? d->cap * 2 : 64;
        struct change *list = cts_arena_take_array(&d->arena, cap, sizeof(*list));
        if (!list) {
            d->failed = true;
            return;
        }
        if (d->count)
            memcpy(list, d->list, d->count * sizeof(*list));
        d->list = list;
        d->cap = cap;
    }
    d->list[d->count++] = *c;
}

static const char *text_or_none(const char *text)
{
    return text ? text : "";
}

static void compare_texts(struct diff *d, const char *section, const char *id, const char *what,
                          const char *a, const char *b)
{
    if (strcmp(text_or_none(a), text_or_none(b)) != 0)
        add_change(d,
                   &(struct change){section, id, what, CHANGED, text_or_none(a), text_or_none(b)});
}

static const char *keep(struct diff *d)
{
    const char *text = cts_arena_strdup(&d->arena, cts_buf_text(&d->text));

    d->failed |= !text || d->text.failed;
    cts_buf_clear(&d->text);
    return text_or_none(text);
}

static const char *joined(struct diff *d, const struct cts_yaml_strs *strs)
{
    for (size_t i = 0; i < strs->count; i++)
        cts_buf_addf(&d->text, "%s%s", i ? " " : "", strs->list[i]);
    return keep(d);
}

static const char *encoding_text(struct diff *d, const struct cts_spec_insn *row)
{
    for (unsigned f = 0; f < CTS_SF_COUNT; f++) {
        char text[CTS_INFO_FIELD_TEXT];
        if (f == CTS_SF_NEXT_IMM && !row->wide)
            continue;
        cts_buf_addf(&d->text, "%s%s=%s", f ? " " : "", cts_spec_field_name((enum cts_spec_field)f),
                     cts_info_field_text(row, (enum cts_spec_field)f, text));
    }
    return keep(d);
}

static const char *outcomes_text(struct diff *d, const struct cts_spec_insn *row)
{
    for (size_t i = 0; i < row->outcome_count; i++) {
        cts_buf_addf(&d->text, "%swhen %s:", i ? "; " : "", row->outcomes[i].when);
        for (unsigned way = 0; way < CTS_WAY_COUNT; way++)
            if (row->outcomes[i].allow >> way & 1)
                cts_buf_addf(&d->text, " %s", cts_spec_way_name((enum cts_spec_way)way));
    }
    return keep(d);
}

static const char *set_text(struct diff *d, const struct cts_spec *spec, uint32_t set)
{
    bool any = false;

    for (size_t g = 0; g < spec->group_count; g++) {
        if (!(set >> g & 1))
            continue;
        cts_buf_addf(&d->text, "%s%s", any ? " " : "", spec->groups[g].name);
        any = true;
    }
    return keep(d);
}

static const char *tested_text(struct diff *d, unsigned tested)
{
    bool any = false;

    for (unsigned how = 0; how < CTS_HOW_COUNT; how++) {
        if (!(tested >> how & 1))
            continue;
        cts_buf_addf(&d->text, "%s%s", any ? " " : "", cts_spec_how_name((enum cts_spec_how)how));
        any = true;
    }
    return keep(d);
}

static const char *practices_text(struct diff *d, const struct cts_spec_ambiguity *a)
{
    for (size_t i = 0; i < a->practice_count; i++)
        cts_buf_addf(&d->text, "%s%s: %s", i ? "; " : "", a->practices[i].runtime,
                     a->practices[i].what);
    return keep(d);
}

static void compare_rows(struct diff *d, size_t ia, size_t ib)
{
    const struct cts_spec_insn *a = &d->a->rows[ia], *b = &d->b->rows[ib];

    compare_texts(d, "insns", a->id, "encoding", encoding_text(d, a), encoding_text(d, b));
    compare_texts(d, "insns", a->id, "kind", a->slot ? "slot" : "instruction",
                  b->slot ? "slot" : "instruction");
    compare_texts(d, "insns", a->id, "group", d->a->groups[a->group].name,
                  d->b->groups[b->group].name);
    compare_texts(d, "insns", a->id, "name", a->name, b->name);
    compare_texts(d, "insns", a->id, "origin", cts_spec_origin_name(a->origin),
                  cts_spec_origin_name(b->origin));
    compare_texts(d, "insns", a->id, "section", a->section, b->section);
    compare_texts(d, "insns", a->id, "since isa", a->since_isa, b->since_isa);
    compare_texts(d, "insns", a->id, "since linux", a->since_linux, b->since_linux);
    compare_texts(d, "insns", a->id, "asm", a->syntax, b->syntax);
    compare_texts(d, "insns", a->id, "ubpf", a->ubpf, b->ubpf);
    compare_texts(d, "insns", a->id, "gas", a->gas, b->gas);
    if (!sema_equal(a->sema, b->sema, &d->arena))
        add_change(d, &(struct change){"insns", a->id, "does", CHANGED, text_or_none(a->does),
                                       text_or_none(b->does)});
    compare_texts(d, "insns", a->id, "outcomes", outcomes_text(d, a), outcomes_text(d, b));
    compare_texts(d, "insns", a->id, "platform", a->platform ? "true" : "false",
                  b->platform ? "true" : "false");
    compare_texts(d, "insns", a->id, "clauses", joined(d, &a->clauses), joined(d, &b->clauses));
    compare_texts(d, "insns", a->id, "ambiguities", joined(d, &a->ambiguities),
                  joined(d, &b->ambiguities));
    compare_texts(d, "insns", a->id, "note", a->note, b->note);
}

static void compare_clauses(struct diff *d, size_t ia, size_t ib)
{
    const struct cts_spec_clause *a = &d->a->clauses[ia], *b = &d->b->clauses[ib];

    compare_texts(d, "clauses", a->id, "section", a->section, b->section);
    compare_texts(d, "clauses", a->id, "strength", a->strength, b->strength);
    compare_texts(d, "clauses", a->id, "statement", a->statement, b->statement);
    compare_texts(d, "clauses", a->id, "tested", tested_text(d, a->tested),
                  tested_text(d, b->tested));
    compare_texts(d, "clauses", a->id, "reason", a->reason, b->reason);
}

static void compare_groups(struct diff *d, size_t ia, size_t ib)
{
    const struct cts_spec_group *a = &d->a->groups[ia], *b = &d->b->groups[ib];

    compare_texts(d, "groups", a->name, "section", a->section, b->section);
    compare_texts(d, "groups", a->name, "description", a->description, b->description);
    compare_texts(d, "groups", a->name, "status", a->status, b->status);
    compare_texts(d, "groups", a->name, "includes", set_text(d, d->a, a->includes),
                  set_text(d, d->b, b->includes));
    compare_texts(d, "groups", a->name, "excludes", set_text(d, d->a, a->excludes),
                  set_text(d, d->b, b->excludes));
}

static void compare_verdicts(struct diff *d, size_t ia, size_t ib)
{
    const struct cts_spec_verdict *a = &d->a->verdicts[ia], *b = &d->b->verdicts[ib];

    compare_texts(d, "verdicts", a->id, "name", a->name, b->name);
    compare_texts(d, "verdicts", a->id, "from", a->from, b->from);
    compare_texts(d, "verdicts", a->id, "statement", a->statement, b->statement);
    compare_texts(d, "verdicts", a->id, "clauses", joined(d, &a->clauses), joined(d, &b->clauses));
}

static void compare_ambiguities(struct diff *d, size_t ia, size_t ib)
{
    const struct cts_spec_ambiguity *a = &d->a->ambiguities[ia], *b = &d->b->ambiguities[ib];

    compare_texts(d, "ambiguities", a->id, "section", a->section, b->section);
    compare_texts(d, "ambiguities", a->id, "kind", cts_spec_open_name(a->kind),
                  cts_spec_open_name(b->kind));
    compare_texts(d, "ambiguities", a->id, "policy", a->policy, b->policy);
    compare_texts(d, "ambiguities", a->id, "runtimes", practices_text(d, a), practices_text(d, b));
    compare_texts(d, "ambiguities", a->id, "vectors", joined(d, &a->vectors),
                  joined(d, &b->vectors));
    compare_texts(d, "ambiguities", a->id, "untested", a->untested, b->untested);
    compare_texts(d, "ambiguities", a->id, "question", a->question, b->question);
    compare_texts(d, "ambiguities", a->id, "here", a->here, b->here);
}

static void compare_policies(struct diff *d, size_t ia, size_t ib)
{
    const struct cts_spec_policy *a = &d->a->policies[ia], *b = &d->b->policies[ib];

    compare_texts(d, "policies", a->id, "of", a->of, b->of);
    compare_texts(d, "policies", a->id, "statement", a->statement, b->statement);
}

/* --- the parts of a specification, all walked alike ----------------------------------------- */

#define PART(name, list, size, key, words)                                                         \
    static const char *name##_id(const struct cts_spec *spec, size_t i)                            \
    {                                                                                              \
        return i < spec->size ? spec->list[i].key : NULL;                                          \
    }                                                                                              \
    static const char *name##_text(const struct cts_spec *spec, size_t i)                          \
    {                                                                                              \
        return spec->list[i].words;                                                                \
    }
PART(row, rows, row_count, id, name)
PART(clause, clauses, clause_count, id, statement)
PART(group, groups, group_count, name, description)
PART(verdict, verdicts, verdict_count, id, statement)
PART(ambiguity, ambiguities, ambiguity_count, id, question)
PART(policy, policies, policy_count, id, statement)

static const struct part {
    const char *section, *one, *many;
    const char *(*id)(const struct cts_spec *spec, size_t i); /* null behind the last */
    const char *(*text)(const struct cts_spec *spec, size_t i);
    void (*compare)(struct diff *d, size_t a, size_t b);
} PARTS[] = {
    {"groups", "group", "groups", group_id, group_text, compare_groups},
    {"insns", "instruction", "instructions", row_id, row_text, compare_rows},
    {"clauses", "clause", "clauses", clause_id, clause_text, compare_clauses},
    {"verdicts", "class", "classes", verdict_id, verdict_text, compare_verdicts},
    {"ambiguities", "ambiguity", "ambiguities", ambiguity_id, ambiguity_text, compare_ambiguities},
    {"policies", "policy", "policies", policy_id, policy_text, compare_policies},
};

enum { PART_COUNT = sizeof(PARTS) / sizeof(PARTS[0]) };

static size_t find(const struct part *p, const struct cts_spec *spec, const char *id, size_t guess)
{
    const char *other = p->id(spec, guess);

    if (other && !strcmp(other, id))
        return guess;
    size_t i = 0;
    while ((other = p->id(spec, i)) && strcmp(other, id) != 0)
        i++;
    return i;
}

static void compare_part(struct diff *d, const struct part *p)
{
    const char *id;

    for (size_t i = 0; (id = p->id(d->a, i)); i++) {
        size_t k = find(p, d->b, id, i);
        if (p->id(d->b, k))
            p->compare(d, i, k);
        else
            add_change(d, &(struct change){p->section, id, NULL, REMOVED, p->text(d->a, i), NULL});
    }
    for (size_t i = 0; (id = p->id(d->b, i)); i++)
        if (!p->id(d->a, find(p, d->a, id, i)))
            add_change(d, &(struct change){p->section, id, NULL, ADDED, NULL, p->text(d->b, i)});
}

/* --- printing ------------------------------------------------------------------------------ */

/* Changes of one id stand together. */
static size_t count_ids(const struct diff *d, const char *section, enum kind kind)
{
    const char *last = "";
    size_t count = 0;

    for (size_t i = 0; i < d->count; i++) {
        const struct change *c = &d->list[i];
        if (c->kind != kind || strcmp(c->section, section) != 0)
            continue;
        count += strcmp(c->id, last) != 0;
        last = c->id;
    }
    return count;
}

static void print_summary(const struct diff *d, const struct part *p, struct cts_buf *out)
{
    size_t total[3], sum = 0;

    for (unsigned k = 0; k < 3; k++)
        sum += total[k] = count_ids(d, p->section, (enum kind)k);
    if (!sum)
        return;
    cts_buf_addf(out, "%s:", p->many);
    for (unsigned k = 0; k < 3; k++)
        if (total[k])
            cts_buf_addf(out, " %zu %s", total[k], KIND_NAMES[k]);
    cts_buf_addc(out, '\n');
}

static void print_text(const struct diff *d, const struct cts_gen_request *rq, struct cts_buf *out)
{
    const char *last = "";

    cts_buf_addf(out, "--- %s\n+++ %s\n", rq->spec_name, rq->other_name);
    for (size_t i = 0; i < d->count; i++) {
        const struct change *c = &d->list[i];
        const struct part *p = PARTS;
        while (strcmp(p->section, c->section) != 0)
            p++;
        if (c->kind != CHANGED)
            cts_buf_addf(out, "%c %s %s: %s\n", KIND_SIGNS[c->kind], p->one, c->id,
                         c->kind == ADDED ? c->to : c->from);
        else if (strcmp(last, c->id) != 0)
            cts_buf_addf(out, "~ %s %s\n", p->one, c->id);
        if (c->kind == CHANGED)
            cts_buf_addf(out, "    %s:\n      - %s\n      + %s\n", c->what, c->from, c->to);
        last = c->id;
    }
    for (size_t p = 0; p < PART_COUNT; p++)
        print_summary(d, &PARTS[p], out);
    if (!d->count)
        cts_buf_adds(out, "no differences\n");
}

static void json_text(const char *key, const char *text, struct cts_buf *out)
{
    if (!text)
        return;
    cts_buf_addf(out, ", \"%s\": ", key);
    cts_json_string(text, out);
}

static void print_json(const struct diff *d, const struct cts_gen_request *rq, struct cts_buf *out)
{
    cts_buf_adds(out, "{\n  \"format\": \"bpf-isa-diff\",\n  \"version\": 1,\n  \"from\": ");
    cts_json_string(rq->spec_name, out);
    cts_buf_adds(out, ",\n  \"to\": ");
    cts_json_string(rq->other_name, out);
    cts_buf_addf(out, ",\n  \"same\": %s,\n  \"changes\": [", d->count ? "false" : "true");
    for (size_t i = 0; i < d->count; i++) {
        const struct change *c = &d->list[i];
        cts_buf_addf(out, "%s\n    {\"section\": \"%s\", \"id\": ", i ? "," : "", c->section);
        cts_json_string(c->id, out);
        json_text("change", KIND_NAMES[c->kind], out);
        json_text("what", c->what, out);
        json_text("from", c->from, out);
        json_text("to", c->to, out);
        cts_buf_addc(out, '}');
    }
    cts_buf_adds(out, d->count ? "\n  ]\n}\n" : "]\n}\n");
}

static int run(const struct cts_gen_request *rq, struct cts_buf *out, struct cts_err *err)
{
    struct diff d = {.a = rq->spec, .b = rq->other};

    cts_arena_init(&d.arena, 0);
    cts_buf_init(&d.text, 0);
    for (size_t p = 0; p < PART_COUNT; p++)
        compare_part(&d, &PARTS[p]);
    int rc = d.failed ? cts_err_set(err, CTS_E_NOMEM, "out of memory") : d.count != 0;
    if (rc >= 0 && !strcmp(rq->format, "json"))
        print_json(&d, rq, out);
    else if (rc >= 0)
        print_text(&d, rq, out);
    cts_buf_release(&d.text);
    cts_arena_release(&d.arena);
    return rc;
}

static const char *const FORMATS[] = {"text", "json", NULL};

const struct cts_generator cts_generator_diff = {
    .name = "diff",
    .what = "what differs between two specifications",
    .formats = FORMATS,
    .wants = CTS_GEN_TWO,
    .run = run,
};
