/* spec_text: the words of the specification, for messages and `explain`. */
#include "gen.h"

void cts_gen_text_h(const struct cts_spec *spec, struct cts_buf *out)
{
    cts_gen_banner(out);
    cts_buf_addf(
        out,
        "/* The words of the specification: clauses, verdict classes, groups, notes on rows. "
        "Freestanding. */\n"
        "#ifndef CTS_GENERATED_SPEC_TEXT_H\n"
        "#define CTS_GENERATED_SPEC_TEXT_H\n\n"
        "#include <stddef.h>\n\n"
        "enum { CTS_CLAUSE_COUNT = %zu, CTS_VERDICT_COUNT = %zu, CTS_GROUP_TEXT_COUNT = %zu, "
        "CTS_INSN_NOTE_COUNT = %zu, CTS_AMBIGUITY_COUNT = %zu, CTS_POLICY_COUNT = %zu };\n\n",
        spec->clause_count, spec->verdict_count, spec->group_count, spec->row_count,
        spec->ambiguity_count, spec->policy_count);
    cts_buf_adds(
        out,
        "/* A statement of RFC 9669. */\n"
        "struct cts_clause_text {\n"
        "    const char *id, *section, *strength, *text;\n"
        "    const char *tested; /* words with spaces between: run verdict encoding lint "
        "concurrency "
        "platform untestable */\n"
        "    const char *reason; /* why it is untestable; \"\" otherwise */\n"
        "};\n\n"
        "/* A class of verdict vectors. */\n"
        "struct cts_verdict_text {\n"
        "    const char *id, *name, *from, *text; /* from: \"rfc\" or \"policy\" */\n"
        "    const char *const *clauses;          /* ended by a null pointer */\n"
        "};\n\n"
        "struct cts_group_text {\n"
        "    const char *name, *section, *text, *status;\n"
        "};\n\n"
        "/* What else a reader of a row must know. */\n"
        "struct cts_insn_note {\n"
        "    const char *id, *text;              /* \"\": nothing */\n"
        "    const char *const *ambiguities;     /* ended by a null pointer */\n"
        "};\n\n"
        "/* Where the RFC contradicts itself or is silent, and what the rows do there. */\n"
        "struct cts_ambiguity_text {\n"
        "    const char *id, *section, *question, *here;\n"
        "    const char *kind, *policy; /* defect, silent, dispute, later; the name of `here` */\n"
        "};\n\n"
        "/* What an expectation may rest on. */\n"
        "struct cts_policy_text {\n"
        "    const char *id, *of, *text; /* of: whose rule it is */\n"
        "};\n\n"
        "/* Clauses, classes and policies in the order of their files, rows as in cts_insn_table, "
        "groups "
        "as in enum cts_group. "
        "*/\n"
        "extern const struct cts_clause_text cts_clause_texts[CTS_CLAUSE_COUNT];\n"
        "extern const struct cts_verdict_text cts_verdict_texts[CTS_VERDICT_COUNT];\n"
        "extern const struct cts_group_text cts_group_texts[CTS_GROUP_TEXT_COUNT];\n"
        "extern const struct cts_insn_note cts_insn_notes[CTS_INSN_NOTE_COUNT];\n"
        "extern const struct cts_ambiguity_text cts_ambiguity_texts[CTS_AMBIGUITY_COUNT];\n"
        "extern const struct cts_policy_text cts_policy_texts[CTS_POLICY_COUNT];\n\n"
        "/* Null if there is none of that id; verdict classes are found by id or by name. */\n"
        "const struct cts_clause_text *cts_clause_text_find(const char *id);\n"
        "const struct cts_verdict_text *cts_verdict_text_find(const char *id_or_name);\n"
        "const struct cts_ambiguity_text *cts_ambiguity_text_find(const char *id);\n"
        "const struct cts_policy_text *cts_policy_text_find(const char *id);\n\n"
        "#endif\n");
}

static void add_strings(const char *const *list, size_t count, struct cts_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        cts_buf_adds(out, i ? ", " : "    {");
        cts_gen_string(list[i] ? list[i] : "", out);
    }
}

/* A null-ended list, named so that entries can point to it. */
static void add_list(const char *prefix, const char *id, const struct cts_yaml_strs *strs,
                     struct cts_buf *out)
{
    cts_buf_addf(out, "static const char *const %s_%s[] = {", prefix, id);
    for (size_t i = 0; i < strs->count; i++) {
        cts_gen_string(strs->list[i], out);
        cts_buf_adds(out, ", ");
    }
    cts_buf_adds(out, "NULL};\n");
}

static void add_tested(unsigned tested, struct cts_buf *out)
{
    bool any = false;

    cts_buf_adds(out, ", \"");
    for (enum cts_spec_how how = 0; how < CTS_HOW_COUNT; how++) {
        if (tested & (1u << how)) {
            cts_buf_addf(out, "%s%s", any ? " " : "", cts_spec_how_name(how));
            any = true;
        }
    }
    cts_buf_adds(out, "\", ");
}

static void add_clauses(const struct cts_spec *spec, struct cts_buf *out)
{
    cts_buf_adds(out, "const struct cts_clause_text cts_clause_texts[CTS_CLAUSE_COUNT] = {\n");
    for (size_t i = 0; i < spec->clause_count; i++) {
        const struct cts_spec_clause *c = &spec->clauses[i];
        const char *const strings[] = {c->id, c->section, c->strength, c->statement};
        add_strings(strings, 4, out);
        add_tested(c->tested, out);
        cts_gen_string(c->reason ? c->reason : "", out);
        cts_buf_adds(out, "},\n");
    }
    cts_buf_adds(out, "};\n\n");
}

static void add_verdicts(const struct cts_spec *spec, struct cts_buf *out)
{
    for (size_t i = 0; i < spec->verdict_count; i++)
        add_list("clauses", spec->verdicts[i].id, &spec->verdicts[i].clauses, out);
    cts_buf_adds(out, "\nconst struct cts_verdict_text cts_verdict_texts[CTS_VERDICT_COUNT] = {\n");
    for (size_t i = 0; i < spec->verdict_count; i++) {
        const struct cts_spec_verdict *v = &spec->verdicts[i];
        const char *const strings[] = {v->id, v->name, v->from, v->statement};
        add_strings(strings, 4, out);
        cts_buf_addf(out, ", clauses_%s},\n", v->id);
    }
    cts_buf_adds(out, "};\n\n");
}

static void add_groups(const struct cts_spec *spec, struct cts_buf *out)
{
    cts_buf_adds(out, "const struct cts_group_text cts_group_texts[CTS_GROUP_TEXT_COUNT] = {\n");
    for (size_t i = 0; i < spec->group_count; i++) {
        const struct cts_spec_group *g = &spec->groups[i];
        const char *const strings[] = {g->name, g->section, g->description, g->status};
        add_strings(strings, 4, out);
        cts_buf_adds(out, "},\n");
    }
    cts_buf_adds(out, "};\n\n");
}

static void add_ambiguities(const struct cts_spec *spec, struct cts_buf *out)
{
    cts_buf_adds(out,
                 "const struct cts_ambiguity_text cts_ambiguity_texts[CTS_AMBIGUITY_COUNT] = {\n");
    for (size_t i = 0; i < spec->ambiguity_count; i++) {
        const struct cts_spec_ambiguity *a = &spec->ambiguities[i];
        const char *const strings[] = {
            a->id, a->section, a->question, a->here, cts_spec_open_name(a->kind), a->policy};
        add_strings(strings, 6, out);
        cts_buf_adds(out, "},\n");
    }
    cts_buf_adds(out, "};\n\n");
}

static void add_policies(const struct cts_spec *spec, struct cts_buf *out)
{
    cts_buf_adds(out, "const struct cts_policy_text cts_policy_texts[CTS_POLICY_COUNT] = {\n");
    for (size_t i = 0; i < spec->policy_count; i++) {
        const struct cts_spec_policy *p = &spec->policies[i];
        const char *const strings[] = {p->id, p->of, p->statement};
        add_strings(strings, 3, out);
        cts_buf_adds(out, "},\n");
    }
    cts_buf_adds(out, "};\n\n");
}

static void add_notes(const struct cts_spec *spec, struct cts_buf *out)
{
    for (size_t i = 0; i < spec->row_count; i++)
        add_list("ambiguities", spec->rows[i].id, &spec->rows[i].ambiguities, out);
    cts_buf_adds(out, "\nconst struct cts_insn_note cts_insn_notes[CTS_INSN_NOTE_COUNT] = {\n");
    for (size_t i = 0; i < spec->row_count; i++) {
        const struct cts_spec_insn *row = &spec->rows[i];
        const char *const strings[] = {row->id, row->note};
        add_strings(strings, 2, out);
        cts_buf_addf(out, ", ambiguities_%s},\n", row->id);
    }
    cts_buf_adds(out, "};\n\n");
}

void cts_gen_text_c(const struct cts_spec *spec, struct cts_buf *out)
{
    cts_gen_banner(out);
    cts_buf_adds(out, "#include \"generated/spec_text.h\"\n\n");
    add_clauses(spec, out);
    add_verdicts(spec, out);
    add_groups(spec, out);
    add_notes(spec, out);
    add_ambiguities(spec, out);
    add_policies(spec, out);
    cts_buf_adds(out,
                 "static int is_same(const char *a, const char *b)\n"
                 "{\n"
                 "    for (; *a && *a == *b; a++, b++)\n"
                 "        ;\n"
                 "    return *a == *b;\n"
                 "}\n\n"
                 "const struct cts_clause_text *cts_clause_text_find(const char *id)\n"
                 "{\n"
                 "    for (size_t i = 0; i < CTS_CLAUSE_COUNT; i++) {\n"
                 "        if (is_same(cts_clause_texts[i].id, id))\n"
                 "            return &cts_clause_texts[i];\n"
                 "    }\n"
                 "    return NULL;\n"
                 "}\n\n"
                 "const struct cts_verdict_text *cts_verdict_text_find(const char *id_or_name)\n"
                 "{\n"
                 "    for (size_t i = 0; i < CTS_VERDICT_COUNT; i++) {\n"
                 "        if (is_same(cts_verdict_texts[i].id, id_or_name) ||\n"
                 "            is_same(cts_verdict_texts[i].name, id_or_name))\n"
                 "            return &cts_verdict_texts[i];\n"
                 "    }\n"
                 "    return NULL;\n"
                 "}\n\n"
                 "const struct cts_ambiguity_text *cts_ambiguity_text_find(const char *id)\n"
                 "{\n"
                 "    for (size_t i = 0; i < CTS_AMBIGUITY_COUNT; i++) {\n"
                 "        if (is_same(cts_ambiguity_texts[i].id, id))\n"
                 "            return &cts_ambiguity_texts[i];\n"
                 "    }\n"
                 "    return NULL;\n"
                 "}\n\n"
                 "const struct cts_policy_text *cts_policy_text_find(const char *id)\n"
                 "{\n"
                 "    for (size_t i = 0; i < CTS_POLICY_COUNT; i++) {\n"
                 "        if (is_same(cts_policy_texts[i].id, id))\n"
                 "            return &cts_policy_texts[i];\n"
                 "    }\n"
                 "    return NULL;\n"
                 "}\n");
}
