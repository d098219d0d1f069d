/* Clauses of the RFC, and the classes of verdicts that follow from them. */
#include "load/spec_int.h"

static const char *const STRENGTH_WORDS[] = {"must",       "shall",     "should",  "may",
                                             "definition", "scope",     "process", "advice",
                                             "reserved",   "undefined", NULL};

static const struct cts_schema_field CLAUSE_FIELDS[] = {
    {.key = "id", .type = CTS_SCHEMA_ID, .required = true, .doc = "N and three digits"},
    {.key = "section", .type = CTS_SCHEMA_STR, .required = true, .doc = "section of RFC 9669"},
    {.key = "strength",
     .type = CTS_SCHEMA_WORD,
     .required = true,
     .doc = "the keyword, or how else the statement binds",
     .words = STRENGTH_WORDS},
    {.key = "statement",
     .type = CTS_SCHEMA_STR,
     .required = true,
     .doc = "what it says, in our words"},
    {.key = "tested", .type = CTS_SCHEMA_STRS, .required = true, .doc = "how it can be tested"},
    {.key = "reason", .type = CTS_SCHEMA_STR, .doc = "why it cannot; with untestable only"},
    {.key = NULL},
};

static const char *const FROM_WORDS[] = {"rfc", "policy", NULL};

static const struct cts_schema_field VERDICT_FIELDS[] = {
    {.key = "id", .type = CTS_SCHEMA_ID, .required = true, .doc = "V and two digits"},
    {.key = "name", .type = CTS_SCHEMA_ID, .required = true, .doc = "words with dashes"},
    {.key = "from",
     .type = CTS_SCHEMA_WORD,
     .required = true,
     .doc = "does the RFC decide it, or a policy?",
     .words = FROM_WORDS},
    {.key = "statement", .type = CTS_SCHEMA_STR, .required = true, .doc = "the defect"},
    {.key = "clauses", .type = CTS_SCHEMA_STRS, .required = true, .doc = "clauses it follows from"},
    {.key = NULL},
};

static const char *const HOW_NAMES[CTS_HOW_COUNT + 1] = {
    [CTS_HOW_RUN] = "run",
    [CTS_HOW_VERDICT] = "verdict",
    [CTS_HOW_ENCODING] = "encoding",
    [CTS_HOW_LINT] = "lint",
    [CTS_HOW_CONCURRENCY] = "concurrency",
    [CTS_HOW_PLATFORM] = "platform",
    [CTS_HOW_UNTESTABLE] = "untestable",
};

const char *cts_spec_how_name(enum cts_spec_how how)
{
    return how < CTS_HOW_COUNT ? HOW_NAMES[how] : "?";
}

static int read_tested(const struct cts_yaml *list, unsigned *set, struct cts_err *err)
{
    for (size_t i = 0; i < list->count; i++) {
        size_t how;
        int rc = cts_schema_word(list->items[i], "tested", HOW_NAMES, &how, err);
        if (rc)
            return rc;
        *set |= 1u << how;
    }
    if (!*set)
        return cts_yaml_error(list, CTS_E_SCHEMA, err, "tested: say how, or 'untestable'");
    return 0;
}

static int read_clause(const struct cts_yaml *node, struct cts_spec_clause *c, struct cts_err *err)
{
    c->node = node;
    c->id = cts_spec_text(node, "id");
    c->section = cts_spec_text(node, "section");
    c->strength = cts_spec_text(node, "strength");
    c->statement = cts_spec_text(node, "statement");
    c->reason = cts_spec_text(node, "reason");
    int rc = read_tested(cts_yaml_get(node, "tested"), &c->tested, err);
    if (rc)
        return rc;
    bool untestable = c->tested & (1u << CTS_HOW_UNTESTABLE);
    if (untestable != (c->reason != NULL))
        return cts_yaml_error(node, CTS_E_SCHEMA, err, "%s: %s", c->id,
                              untestable ? "untestable, but no 'reason'"
                                         : "a 'reason', but not untestable");
    return 0;
}

int cts_clauses_load(struct cts_spec *spec, const char *path, struct cts_err *err)
{
    struct cts_yaml *root;
    int rc = cts_spec_list(spec, path, CLAUSE_FIELDS, "clause", &root, err);

    if (rc)
        return rc;
    spec->clause_count = 0;
    spec->clauses = cts_arena_take_array(&spec->arena, root->count, sizeof(*spec->clauses));
    if (!spec->clauses)
        return cts_spec_no_memory(err);
    for (size_t i = 0; !rc && i < root->count; i++) {
        struct cts_spec_clause c = {0};
        rc = read_clause(root->items[i], &c, err);
        if (!rc && cts_spec_clause_find(spec, c.id))
            rc = cts_yaml_error(c.node, CTS_E_SCHEMA, err, "duplicate clause %s", c.id);
        if (!rc)
            spec->clauses[spec->clause_count++] = c;
    }
    return rc;
}

int cts_verdicts_load(struct cts_spec *spec, const char *path, struct cts_err *err)
{
    struct cts_yaml *root;
    int rc = cts_spec_list(spec, path, VERDICT_FIELDS, "verdict class", &root, err);

    if (rc)
        return rc;
    spec->verdict_count = 0;
    spec->verdicts = cts_arena_take_array(&spec->arena, root->count, sizeof(*spec->verdicts));
    if (!spec->verdicts)
        return cts_spec_no_memory(err);
    for (size_t i = 0; !rc && i < root->count; i++) {
        const struct cts_yaml *node = root->items[i];
        struct cts_spec_verdict v = {
            .id = cts_spec_text(node, "id"),
            .name = cts_spec_text(node, "name"),
            .from = cts_spec_text(node, "from"),
            .statement = cts_spec_text(node, "statement"),
            .node = node,
        };
        rc = cts_yaml_strs(cts_yaml_get(node, "clauses"), "clauses", &spec->arena, &v.clauses, err);
        if (!rc && cts_spec_verdict_find(spec, v.id))
            rc = cts_yaml_error(node, CTS_E_SCHEMA, err, "duplicate class %s", v.id);
        if (!rc)
            spec->verdicts[spec->verdict_count++] = v;
    }
    return rc;
}
