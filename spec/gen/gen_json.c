/* The whole specification as one JSON document; spec/schema/isa.schema.json describes it. */
#include "info.h"

static void add_pair(const char *key, const char *value, struct cts_buf *out)
{
    cts_buf_addf(out, "\"%s\": ", key);
    cts_json_string(value, out);
}

static void add_more(const char *key, const char *value, struct cts_buf *out)
{
    cts_buf_adds(out, ", ");
    add_pair(key, value, out);
}

/* The names of the groups in a set. */
static void add_groups_of(const struct cts_spec *spec, uint32_t set, struct cts_buf *out)
{
    bool any = false;

    cts_buf_addc(out, '[');
    for (size_t g = 0; g < spec->group_count; g++) {
        if (!(set >> g & 1))
            continue;
        cts_buf_adds(out, any ? ", " : "");
        cts_json_string(spec->groups[g].name, out);
        any = true;
    }
    cts_buf_addc(out, ']');
}

static uint32_t holders(const struct cts_spec *spec, unsigned group)
{
    uint32_t set = 0;

    for (size_t g = 0; g < spec->group_count; g++)
        if (spec->groups[g].includes >> group & 1)
            set |= (uint32_t)1 << g;
    return set;
}

static void add_groups(const struct cts_spec *spec, struct cts_buf *out)
{
    cts_buf_adds(out, "  \"groups\": [");
    for (size_t g = 0; g < spec->group_count; g++) {
        const struct cts_spec_group *group = &spec->groups[g];
        uint32_t self = (uint32_t)1 << g;
        cts_buf_adds(out, g ? ",\n    {" : "\n    {");
        add_pair("name", group->name, out);
        add_more("section", group->section, out);
        add_more("description", group->description, out);
        add_more("status", group->status, out);
        cts_buf_adds(out, ", \"includes\": ");
        add_groups_of(spec, group->includes & ~self, out);
        cts_buf_adds(out, ", \"excludes\": ");
        add_groups_of(spec, group->excludes, out);
        cts_buf_addc(out, '}');
    }
    cts_buf_adds(out, "\n  ]");
}

static void add_rule(const struct cts_spec_enc *enc, struct cts_buf *out)
{
    switch (enc->rule) {
    case CTS_SR_FIXED:
        cts_buf_addf(out, "{\"rule\": \"fixed\", \"value\": %d}", (int)enc->value);
        return;
    case CTS_SR_REG:
        cts_buf_adds(out, "{\"rule\": \"register\"}");
        return;
    case CTS_SR_ANY:
        cts_buf_adds(out, "{\"rule\": \"any\"}");
        return;
    case CTS_SR_NONZERO:
        cts_buf_adds(out, "{\"rule\": \"nonzero\"}");
        return;
    case CTS_SR_SPAN:
        cts_buf_addf(out, "{\"rule\": \"span\", \"from\": %d, \"to\": %d, \"step\": %d}",
                     (int)enc->value, (int)enc->last, (int)enc->step);
        return;
    }
}

static void add_encoding(const struct cts_spec_insn *row, struct cts_buf *out)
{
    cts_buf_addf(out, "\"encoding\": {\"slots\": %d, \"opcode\": %d", row->wide ? 2 : 1,
                 (int)row->enc[CTS_SF_OPCODE].value);
    for (unsigned f = CTS_SF_DST; f < CTS_SF_COUNT; f++) {
        if (f == CTS_SF_NEXT_IMM && !row->wide)
            continue;
        cts_buf_addf(out, ", \"%s\": ", cts_spec_field_name((enum cts_spec_field)f));
        add_rule(&row->enc[f], out);
    }
    cts_buf_addc(out, '}');
}

static void add_meaning(const struct cts_spec_insn *row, struct cts_buf *out)
{
    if (row->syntax) {
        cts_buf_adds(out, ",\n      \"asm\": {");
        add_pair("llvm", row->syntax, out);
        if (row->ubpf)
            add_more("ubpf", row->ubpf, out);
        if (row->gas)
            add_more("gas", row->gas, out);
        cts_buf_addc(out, '}');
    }
    if (row->sema) {
        cts_buf_adds(out, ",\n      ");
        add_pair("does", row->does, out);
        cts_buf_adds(out, ",\n      \"semantics\": ");
        cts_json_sema(row->sema, out);
    }
}

static void add_outcomes(const struct cts_spec_insn *row, struct cts_buf *out)
{
    if (!row->outcome_count)
        return;
    cts_buf_adds(out, ",\n      \"outcomes\": [");
    for (size_t i = 0; i < row->outcome_count; i++) {
        const char *ways[CTS_WAY_COUNT];
        size_t count = 0;
        for (unsigned way = 0; way < CTS_WAY_COUNT; way++)
            if (row->outcomes[i].allow >> way & 1)
                ways[count++] = cts_spec_way_name((enum cts_spec_way)way);
        cts_buf_adds(out, i ? ", {" : "{");
        add_pair("when", row->outcomes[i].when, out);
        cts_buf_adds(out, ", \"allow\": ");
        cts_json_strings(ways, count, out);
        cts_buf_addc(out, '}');
    }
    cts_buf_addc(out, ']');
}

static void add_row(const struct cts_spec *spec, const struct cts_spec_insn *row,
                    struct cts_buf *out)
{
    cts_buf_adds(out, "    {");
    add_pair("id", row->id, out);
    add_more("name", row->name, out);
    add_more("kind", row->slot ? "slot" : "instruction", out);
    add_more("group", spec->groups[row->group].name, out);
    cts_buf_adds(out, ", \"groups\": ");
    add_groups_of(spec, holders(spec, row->group), out);
    add_more("origin", cts_spec_origin_name(row->origin), out);
    if (row->section[0])
        add_more("section", row->section, out);
    cts_buf_adds(out, ", \"since\": {");
    add_pair("isa", row->since_isa, out);
    add_more("linux", row->since_linux, out);
    cts_buf_adds(out, "},\n      ");
    add_encoding(row, out);
    add_meaning(row, out);
    add_outcomes(row, out);
    if (row->platform)
        cts_buf_adds(out, ",\n      \"platform\": true");
    cts_buf_adds(out, ",\n      \"clauses\": ");
    cts_json_strings(row->clauses.list, row->clauses.count, out);
    cts_buf_adds(out, ", \"ambiguities\": ");
    cts_json_strings(row->ambiguities.list, row->ambiguities.count, out);
    if (row->note)
        add_more("note", row->note, out);
    cts_buf_addc(out, '}');
}

static void add_clauses(const struct cts_spec *spec, struct cts_buf *out)
{
    cts_buf_adds(out, "  \"clauses\": [");
    for (size_t i = 0; i < spec->clause_count; i++) {
        const struct cts_spec_clause *c = &spec->clauses[i];
        bool any = false;
        cts_buf_adds(out, i ? ",\n    {" : "\n    {");
        add_pair("id", c->id, out);
        add_more("section", c->section, out);
        add_more("strength", c->strength, out);
        add_more("statement", c->statement, out);
        cts_buf_adds(out, ", \"tested\": [");
        for (unsigned how = 0; how < CTS_HOW_COUNT; how++) {
            if (!(c->tested >> how & 1))
                continue;
            cts_buf_adds(out, any ? ", " : "");
            cts_json_string(cts_spec_how_name((enum cts_spec_how)how), out);
            any = true;
        }
        cts_buf_addc(out, ']');
        if (c->reason)
            add_more("reason", c->reason, out);
        cts_buf_addc(out, '}');
    }
    cts_buf_adds(out, "\n  ]");
}

static void add_verdicts(const struct cts_spec *spec, struct cts_buf *out)
{
    cts_buf_adds(out, "  \"verdicts\": [");
    for (size_t i = 0; i < spec->verdict_count; i++) {
        const struct cts_spec_verdict *v = &spec->verdicts[i];
        cts_buf_adds(out, i ? ",\n    {" : "\n    {");
        add_pair("id", v->id, out);
        add_more("name", v->name, out);
        add_more("from", v->from, out);
        add_more("statement", v->statement, out);
        cts_buf_adds(out, ", \"clauses\": ");
        cts_json_strings(v->clauses.list, v->clauses.count, out);
        cts_buf_addc(out, '}');
    }
    cts_buf_adds(out, "\n  ]");
}

static void add_policies(const struct cts_spec *spec, struct cts_buf *out)
{
    cts_buf_adds(out, "  \"policies\": [");
    for (size_t i = 0; i < spec->policy_count; i++) {
        const struct cts_spec_policy *p = &spec->policies[i];
        cts_buf_adds(out, i ? ",\n    {" : "\n    {");
        add_pair("id", p->id, out);
        add_more("of", p->of, out);
        add_more("statement", p->statement, out);
        cts_buf_addc(out, '}');
    }
    cts_buf_adds(out, spec->policy_count ? "\n  ]" : "]");
}

static void add_practice(const struct cts_spec_ambiguity *a, struct cts_buf *out)
{
    if (a->policy)
        add_more("policy", a->policy, out);
    cts_buf_adds(out, ", \"runtimes\": {");
    for (size_t i = 0; i < a->practice_count; i++) {
        cts_buf_adds(out, i ? ", " : "");
        add_pair(a->practices[i].runtime, a->practices[i].what, out);
    }
    cts_buf_adds(out, "}, \"vectors\": ");
    cts_json_strings(a->vectors.list, a->vectors.count, out);
    if (a->untested)
        add_more("untested", a->untested, out);
}

static void add_ambiguities(const struct cts_spec *spec, struct cts_buf *out)
{
    cts_buf_adds(out, "  \"ambiguities\": [");
    for (size_t i = 0; i < spec->ambiguity_count; i++) {
        const struct cts_spec_ambiguity *a = &spec->ambiguities[i];
        cts_buf_adds(out, i ? ",\n    {" : "\n    {");
        add_pair("id", a->id, out);
        add_more("section", a->section, out);
        add_more("kind", cts_spec_open_name(a->kind), out);
        add_more("question", a->question, out);
        add_more("here", a->here, out);
        add_practice(a, out);
        cts_buf_addc(out, '}');
    }
    cts_buf_adds(out, "\n  ]");
}

static int run(const struct cts_gen_request *rq, struct cts_buf *out, struct cts_err *err)
{
    struct cts_arena arena;

    cts_arena_init(&arena, 0);
    const struct cts_spec_insn **rows = cts_info_by_encoding(rq->spec, &arena);
    if (!rows) {
        cts_arena_release(&arena);
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    }
    cts_buf_adds(out, "{\n  \"format\": \"bpf-isa\",\n  \"version\": 1,\n"
                      "  \"source\": \"RFC 9669\",\n");
    add_groups(rq->spec, out);
    cts_buf_adds(out, ",\n  \"insns\": [\n");
    for (size_t i = 0; i < rq->spec->row_count; i++) {
        add_row(rq->spec, rows[i], out);
        cts_buf_adds(out, i + 1 < rq->spec->row_count ? ",\n" : "\n");
    }
    cts_buf_adds(out, "  ],\n");
    add_clauses(rq->spec, out);
    cts_buf_adds(out, ",\n");
    add_verdicts(rq->spec, out);
    cts_buf_adds(out, ",\n");
    add_ambiguities(rq->spec, out);
    cts_buf_adds(out, ",\n");
    add_policies(rq->spec, out);
    cts_buf_adds(out, "\n}\n");
    cts_arena_release(&arena);
    return 0;
}

static const char *const FORMATS[] = {"json", NULL};

const struct cts_generator cts_generator_json = {
    .name = "json",
    .what = "the whole specification as JSON (spec/schema/isa.schema.json)",
    .formats = FORMATS,
    .run = run,
};
