/* The page as Markdown. */
#include "doc.h"

#include <string.h>

static void text(struct cts_doc *d, const char *words)
{
    for (; *words; words++) {
        if (strchr("|*_\\<>`#[]", *words))
            cts_buf_addc(d->out, '\\');
        cts_buf_addc(d->out, *words);
    }
}

static void add_drawing(struct cts_doc *d, const struct cts_spec_insn *row, bool big)
{
    struct cts_buf *out = d->out;

    for (unsigned slot = 0; slot < (row->wide ? 2u : 1u); slot++) {
        struct cts_doc_box box[CTS_DOC_BOXES];
        cts_doc_boxes(row, slot, big, box);
        cts_buf_adds(out, slot ? "       " : big ? "big    " : "little ");
        for (size_t i = 0; i < CTS_DOC_BOXES; i++) {
            static const int WIDTH[CTS_DOC_BOXES] = {2, 3, 3, 13, 11};
            cts_buf_addf(out, "| %-*s ", WIDTH[i], box[i].text);
        }
        cts_buf_adds(out, "|\n");
    }
}

static void add_list(struct cts_doc *d, const struct cts_spec_insn *row)
{
    for (size_t i = 0; i < row->clauses.count; i++) {
        const struct cts_spec_clause *c = cts_spec_clause_find(d->spec, row->clauses.list[i]);
        cts_buf_addf(d->out, "- %s: ", row->clauses.list[i]);
        text(d, c ? c->statement : "");
        cts_buf_addc(d->out, '\n');
    }
    for (size_t i = 0; i < row->ambiguities.count; i++) {
        const struct cts_spec_ambiguity *a =
            cts_spec_ambiguity_find(d->spec, row->ambiguities.list[i]);
        cts_buf_addf(d->out, "- %s: ", row->ambiguities.list[i]);
        text(d, a ? a->question : "");
        cts_buf_adds(d->out, " Here: ");
        text(d, a ? a->here : "");
        cts_buf_addc(d->out, '\n');
    }
}

static void add_outcomes(struct cts_doc *d, const struct cts_spec_insn *row)
{
    for (size_t i = 0; i < row->outcome_count; i++) {
        cts_buf_addf(d->out,
                     "\nWhen `%s`, the RFC is silent; what conforms:", row->outcomes[i].when);
        for (unsigned way = 0; way < CTS_WAY_COUNT; way++)
            if (row->outcomes[i].allow >> way & 1)
                cts_buf_addf(d->out, " %s", cts_spec_way_name((enum cts_spec_way)way));
        cts_buf_adds(d->out, ".\n");
    }
}

static void add_vectors(struct cts_doc *d, const struct cts_spec_insn *row)
{
    static const char *const KINDS[] = {
        [CTS_VK_RUN] = "by hand", [CTS_VK_SWEEP] = "sweeps", [CTS_VK_VERDICT] = "verdicts"};

    for (unsigned kind = 0; kind <= CTS_VK_VERDICT; kind++) {
        size_t cases, count = cts_doc_vectors(d, row->id, (enum cts_vector_kind)kind, &cases);
        for (size_t i = 0; i < count; i++) {
            if (!i)
                cts_buf_addf(d->out, "\nVectors, %s:", KINDS[kind]);
            cts_buf_addf(d->out, "%s `%s`", i ? "," : "",
                         cts_doc_vector(d, row->id, (enum cts_vector_kind)kind, i)->id);
        }
        cts_buf_adds(d->out, count ? "\n" : "");
    }
}

static void add_row(struct cts_doc *d, const struct cts_spec_insn *row)
{
    cts_buf_addf(d->out, "\n### `0x%02x` %s\n\n", (unsigned)row->enc[CTS_SF_OPCODE].value, row->id);
    cts_info_reference(row, d->out);
    cts_buf_addf(d->out, "; since ISA %s, Linux %s.\n\n```\n", row->since_isa, row->since_linux);
    add_drawing(d, row, false);
    add_drawing(d, row, true);
    cts_buf_adds(d->out, "```\n\n");
    if (row->syntax && *row->syntax)
        cts_buf_addf(d->out, "- LLVM: `%s`\n", cts_doc_example(d, row, row->syntax));
    if (row->ubpf && *row->ubpf)
        cts_buf_addf(d->out, "- uBPF: `%s`\n", cts_doc_example(d, row, row->ubpf));
    if (row->gas && *row->gas)
        cts_buf_addf(d->out, "- binutils: `%s`\n", cts_doc_example(d, row, row->gas));
    if (row->does) {
        cts_buf_addf(d->out, "\n```\n%s\n```\n\n", cts_doc_words(d, row));
        cts_buf_addf(d->out, "As the specification has it:\n\n```\n%s\n```\n\n",
                     cts_doc_does(d, row));
    }
    if (row->note) {
        text(d, row->note);
        cts_buf_adds(d->out, "\n\n");
    }
    add_list(d, row);
    add_outcomes(d, row);
    add_vectors(d, row);
}

static void add_clauses(struct cts_doc *d)
{
    cts_buf_adds(d->out, "\n## Clauses\n\n");
    for (size_t i = 0; i < d->spec->clause_count; i++) {
        const struct cts_spec_clause *c = &d->spec->clauses[i];
        cts_buf_addf(d->out, "- **%s** (section %s, %s) ", c->id, c->section, c->strength);
        text(d, c->statement);
        if (c->reason) {
            cts_buf_adds(d->out, " Not tested: ");
            text(d, c->reason);
        }
        cts_buf_addc(d->out, '\n');
    }
}

static void add_ambiguities(struct cts_doc *d)
{
    cts_buf_adds(d->out, "\n## Open questions\n\n");
    for (size_t i = 0; i < d->spec->ambiguity_count; i++) {
        const struct cts_spec_ambiguity *a = &d->spec->ambiguities[i];
        cts_buf_addf(d->out, "- **%s** (section %s, %s) ", a->id, a->section,
                     cts_spec_open_name(a->kind));
        text(d, a->question);
        cts_buf_adds(d->out, " Here: ");
        text(d, a->here);
        cts_buf_addc(d->out, '\n');
    }
}

static void add_verdicts(struct cts_doc *d)
{
    cts_buf_adds(d->out, "\n## Verdict classes\n\n");
    for (size_t i = 0; i < d->spec->verdict_count; i++) {
        const struct cts_spec_verdict *v = &d->spec->verdicts[i];
        cts_buf_addf(d->out, "- **%s** %s: ", v->id, v->name);
        text(d, v->statement);
        cts_buf_addc(d->out, '\n');
    }
}

static void add_policies(struct cts_doc *d)
{
    if (d->spec->policy_count)
        cts_buf_adds(d->out, "\n## Policies\n\n");
    for (size_t i = 0; i < d->spec->policy_count; i++) {
        const struct cts_spec_policy *p = &d->spec->policies[i];
        cts_buf_addf(d->out, "- **%s** (", p->id);
        text(d, p->of);
        cts_buf_adds(d->out, "): ");
        text(d, p->statement);
        cts_buf_addc(d->out, '\n');
    }
}

void cts_doc_markdown(struct cts_doc *d)
{
    cts_buf_addf(
        d->out,
        "# BPF instruction set\n\nRFC 9669 as a machine-readable specification has it: %zu "
        "rows, %zu clauses, %zu open\nquestions. %zu vectors test it. Examples have dst 1, "
        "src 2, imm 5 and offset 4.\n",
        d->spec->row_count, d->spec->clause_count, d->spec->ambiguity_count, d->rq->tested->count);
    for (size_t g = 0; g < d->spec->group_count; g++) {
        cts_buf_addf(d->out, "\n## %s\n\n", d->spec->groups[g].name);
        text(d, d->spec->groups[g].description);
        cts_buf_addc(d->out, '\n');
        for (size_t i = 0; d->rows[i]; i++)
            if (d->rows[i]->group == g)
                add_row(d, d->rows[i]);
    }
    add_clauses(d);
    add_ambiguities(d);
    add_verdicts(d);
    add_policies(d);
}
