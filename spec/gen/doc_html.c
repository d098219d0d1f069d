/* The page as HTML: one file, nothing from elsewhere. */
#include "doc.h"

#include <string.h>

enum { VECTORS_SHOWN = 8 }; /* of one row and kind; more are folded away */

/* --- small things --------------------------------------------------------------------------- */

static void raw(struct cts_doc *d, const char *html)
{
    cts_buf_adds(d->out, html);
}

static void text(struct cts_doc *d, const char *words)
{
    cts_html_text(words, d->out);
}

static void code(struct cts_doc *d, const char *words)
{
    raw(d, "<code>");
    text(d, words);
    raw(d, "</code>");
}

/* For the search: lower case, in an attribute. */
static void lower(struct cts_doc *d, const char *words)
{
    for (; *words; words++) {
        char one[2] = {*words, 0};
        if (one[0] >= 'A' && one[0] <= 'Z')
            one[0] = (char)(one[0] - 'A' + 'a');
        cts_html_text(one, d->out);
    }
    cts_buf_addc(d->out, ' ');
}

static void link_to(struct cts_doc *d, const char *id)
{
    cts_buf_addf(d->out, "<a href=\"#%s\">%s</a>", id, id);
}

static void section_of(struct cts_doc *d, const char *section)
{
    if (!strcmp(section, "none") || !*section)
        raw(d, "not in the RFC");
    else
        cts_buf_addf(d->out, "section %s", section);
}

/* --- a row ---------------------------------------------------------------------------------- */

static void add_holders(struct cts_doc *d, unsigned group)
{
    for (size_t g = 0; g < d->spec->group_count; g++)
        if (d->spec->groups[g].includes >> group & 1)
            cts_buf_addf(d->out, "%s ", d->spec->groups[g].name);
}

/* What the search looks at. */
static void add_query(struct cts_doc *d, const struct cts_spec_insn *row)
{
    cts_buf_addf(d->out, "0x%02x ", (unsigned)row->enc[CTS_SF_OPCODE].value);
    lower(d, row->id);
    lower(d, row->name);
    lower(d, d->spec->groups[row->group].name);
    lower(d, cts_spec_origin_name(row->origin));
    cts_buf_addf(d->out, "%s linux-%s ", row->since_isa, row->since_linux);
    if (row->syntax) {
        lower(d, row->syntax);
        lower(d, cts_doc_example(d, row, row->syntax));
    }
    if (row->ubpf)
        lower(d, row->ubpf);
    if (row->gas)
        lower(d, row->gas);
    if (row->does)
        lower(d, row->does);
    lower(d, cts_doc_words(d, row));
    for (size_t i = 0; i < row->clauses.count; i++)
        lower(d, row->clauses.list[i]);
    for (size_t i = 0; i < row->ambiguities.count; i++)
        lower(d, row->ambiguities.list[i]);
}

static void add_summary(struct cts_doc *d, const struct cts_spec_insn *row)
{
    cts_buf_addf(d->out,
                 "<summary><span class=\"op\">0x%02x</span><span class=\"name\">%s</span>"
                 "<code class=\"asm\">",
                 (unsigned)row->enc[CTS_SF_OPCODE].value, row->id);
    if (row->syntax && *row->syntax)
        text(d, cts_doc_example(d, row, row->syntax));
    raw(d, "</code><code class=\"means\">");
    cts_buf_clear(&d->text);
    cts_info_words(row, &d->text);
    text(d, cts_buf_text(&d->text));
    raw(d, "</code></summary>");
}

static void add_boxes(struct cts_doc *d, const struct cts_spec_insn *row, unsigned slot, bool big)
{
    struct cts_doc_box box[CTS_DOC_BOXES];

    cts_doc_boxes(row, slot, big, box);
    for (size_t i = 0; i < CTS_DOC_BOXES; i++) {
        cts_buf_addf(d->out, "<span class=\"b%s\" style=\"grid-column:span %u\" title=\"%s\">",
                     box[i].open ? " o" : "", box[i].nibbles, box[i].name);
        text(d, box[i].text);
        raw(d, "</span>");
    }
}

static void add_order(struct cts_doc *d, const struct cts_spec_insn *row, bool big)
{
    unsigned slots = row->wide ? 2 : 1;

    cts_buf_addf(d->out, "<p class=\"order\">%s</p><div class=\"bytes\">",
                 big ? "Big-endian: a number's high byte first"
                     : "Little-endian: a number's low byte first");
    for (unsigned byte = 0; byte < 8; byte++)
        cts_buf_addf(d->out, "<span class=\"n\" style=\"grid-column:span 2\">%u</span>", byte);
    for (unsigned slot = 0; slot < slots; slot++)
        add_boxes(d, row, slot, big);
    raw(d, "</div>");
}

/* What a field may be where the boxes have no room to say it. */
static void add_limits(struct cts_doc *d, const struct cts_spec_insn *row)
{
    for (unsigned f = CTS_SF_DST; f < CTS_SF_COUNT; f++) {
        const struct cts_spec_enc *enc = &row->enc[f];
        const char *name = f == CTS_SF_OFF ? "offset" : cts_spec_field_name((enum cts_spec_field)f);
        if (enc->rule == CTS_SR_SPAN)
            cts_buf_addf(d->out, "<p class=\"order\">%s: the multiples of %d from %d to %d</p>",
                         name, (int)enc->step, (int)enc->value, (int)enc->last);
    }
}

static void add_encoding(struct cts_doc *d, const struct cts_spec_insn *row)
{
    raw(d, "<h3>Encoding</h3>");
    add_order(d, row, false);
    add_order(d, row, true);
    add_limits(d, row);
}

static void add_syntax(struct cts_doc *d, const struct cts_spec_insn *row)
{
    const struct {
        const char *name, *syntax;
    } LIST[] = {{"LLVM", row->syntax}, {"uBPF", row->ubpf}, {"binutils", row->gas}};

    if (!row->syntax && !row->ubpf && !row->gas)
        return;
    raw(d, "<h3>Syntax</h3><dl>");
    for (size_t i = 0; i < sizeof(LIST) / sizeof(LIST[0]); i++) {
        cts_buf_addf(d->out, "<dt>%s</dt><dd>", LIST[i].name);
        if (LIST[i].syntax && *LIST[i].syntax)
            code(d, cts_doc_example(d, row, LIST[i].syntax));
        else
            raw(d, "<span class=\"soft\">none</span>");
        raw(d, "</dd>");
    }
    raw(d, "</dl>");
}

static void add_outcomes(struct cts_doc *d, const struct cts_spec_insn *row)
{
    for (size_t i = 0; i < row->outcome_count; i++) {
        bool any = false;
        raw(d, "<p>When ");
        code(d, row->outcomes[i].when);
        raw(d, ", the RFC is silent; what conforms: ");
        for (unsigned way = 0; way < CTS_WAY_COUNT; way++) {
            if (!(row->outcomes[i].allow >> way & 1))
                continue;
            cts_buf_addf(d->out, "%s%s", any ? ", " : "",
                         cts_spec_way_name((enum cts_spec_way)way));
            any = true;
        }
        raw(d, ".</p>");
    }
}

static void add_meaning(struct cts_doc *d, const struct cts_spec_insn *row)
{
    if (row->does) {
        raw(d, "<h3>Meaning</h3><pre>");
        text(d, cts_doc_words(d, row));
        raw(d,
            "</pre><p class=\"order\">As the specification has it, every width explicit</p><pre>");
        text(d, cts_doc_does(d, row));
        raw(d, "</pre>");
    }
    add_outcomes(d, row);
    if (row->note) {
        raw(d, "<p>");
        text(d, row->note);
        raw(d, "</p>");
    }
    if (row->platform)
        raw(d, "<p class=\"soft\">It needs a platform of a kind that the reference machine is "
               "not.</p>");
}

static void add_facts(struct cts_doc *d, const struct cts_spec_insn *row)
{
    const char *group = d->spec->groups[row->group].name;

    raw(d, "<h3>Facts</h3><dl><dt>Group</dt><dd>");
    cts_buf_addf(d->out, "<a href=\"#group-%s\">%s</a></dd><dt>Reference</dt><dd>", group, group);
    cts_info_reference(row, d->out);
    cts_buf_addf(d->out, "</dd><dt>Since</dt><dd>ISA %s, Linux %s</dd></dl>", row->since_isa,
                 row->since_linux);
}

static void add_row_clauses(struct cts_doc *d, const struct cts_spec_insn *row)
{
    if (row->clauses.count)
        raw(d, "<h3>Clauses</h3><ul>");
    for (size_t i = 0; i < row->clauses.count; i++) {
        const struct cts_spec_clause *c = cts_spec_clause_find(d->spec, row->clauses.list[i]);
        if (!c)
            continue;
        raw(d, "<li>");
        link_to(d, c->id);
        raw(d, " ");
        text(d, c->statement);
        raw(d, "</li>");
    }
    raw(d, row->clauses.count ? "</ul>" : "");
    if (row->ambiguities.count)
        raw(d, "<h3>Open questions</h3><ul>");
    for (size_t i = 0; i < row->ambiguities.count; i++) {
        const struct cts_spec_ambiguity *a =
            cts_spec_ambiguity_find(d->spec, row->ambiguities.list[i]);
        if (!a)
            continue;
        raw(d, "<li>");
        link_to(d, a->id);
        raw(d, " ");
        text(d, a->question);
        raw(d, " <em>Here:</em> ");
        text(d, a->here);
        raw(d, "</li>");
    }
    raw(d, row->ambiguities.count ? "</ul>" : "");
}

static void add_vector_list(struct cts_doc *d, const struct cts_spec_insn *row,
                            enum cts_vector_kind kind, size_t count, size_t cases)
{
    bool folded = count > VECTORS_SHOWN;

    if (folded)
        cts_buf_addf(d->out, "<details><summary>show all %zu</summary>", count);
    for (size_t i = 0; i < count; i++) {
        raw(d, i ? ", " : "");
        code(d, cts_doc_vector(d, row->id, kind, i)->id);
    }
    raw(d, folded ? "</details>" : "");
    if (kind == CTS_VK_RUN)
        cts_buf_addf(d->out, " <span class=\"soft\">(%zu case%s)</span>", cases,
                     cases == 1 ? "" : "s");
}

static void add_vectors(struct cts_doc *d, const struct cts_spec_insn *row)
{
    static const char *const KINDS[][2] = {[CTS_VK_RUN] = {"by hand", "by hand"},
                                           [CTS_VK_SWEEP] = {"sweep", "sweeps"},
                                           [CTS_VK_VERDICT] = {"verdict", "verdicts"}};
    bool any = false;

    raw(d, "<h3>Vectors</h3><dl class=\"vectors\">");
    for (unsigned kind = 0; kind <= CTS_VK_VERDICT; kind++) {
        enum cts_vector_kind k = (enum cts_vector_kind)kind;
        size_t cases, count = cts_doc_vectors(d, row->id, k, &cases);
        if (!count)
            continue;
        any = true;
        cts_buf_addf(d->out, "<dt>%zu %s</dt><dd>", count, KINDS[kind][count != 1]);
        add_vector_list(d, row, k, count, cases);
        raw(d, "</dd>");
    }
    raw(d, any ? "</dl>" : "</dl><p class=\"soft\">None.</p>");
}

static void add_row(struct cts_doc *d, const struct cts_spec_insn *row)
{
    cts_buf_addf(d->out, "<details class=\"row\" id=\"%s\" data-g=\"%s\" data-h=\"", row->id,
                 d->spec->groups[row->group].name);
    add_holders(d, row->group);
    raw(d, "\" data-q=\"");
    add_query(d, row);
    raw(d, "\">");
    add_summary(d, row);
    raw(d, "<div class=\"body\"><div>");
    add_encoding(d, row);
    add_syntax(d, row);
    add_meaning(d, row);
    raw(d, "</div><div>");
    add_facts(d, row);
    add_row_clauses(d, row);
    add_vectors(d, row);
    raw(d, "</div></div></details>\n");
}

/* --- the parts of the page ------------------------------------------------------------------ */

static void add_names(struct cts_doc *d, const char *before, uint32_t set)
{
    bool any = false;

    for (size_t g = 0; g < d->spec->group_count; g++) {
        if (!(set >> g & 1))
            continue;
        raw(d, any ? ", " : before);
        cts_buf_addf(d->out, "<a href=\"#group-%s\">%s</a>", d->spec->groups[g].name,
                     d->spec->groups[g].name);
        any = true;
    }
    raw(d, any ? "." : "");
}

static void add_group(struct cts_doc *d, size_t g)
{
    const struct cts_spec_group *group = &d->spec->groups[g];

    cts_buf_addf(d->out, "<section id=\"group-%s\"><h2>%s</h2>\n<p>", group->name, group->name);
    text(d, group->description);
    cts_buf_addf(d->out, " <span class=\"soft\">%zu rows, %s, ", cts_doc_insns_of(d, (unsigned)g),
                 group->status);
    section_of(d, group->section);
    raw(d, ".");
    add_names(d, " Includes ", group->includes & ~((uint32_t)1 << g));
    add_names(d, " Excludes ", group->excludes);
    raw(d, "</span></p>\n<div class=\"rows\">\n");
    for (size_t i = 0; d->rows[i]; i++)
        if (d->rows[i]->group == g)
            add_row(d, d->rows[i]);
    raw(d, "</div></section>\n");
}

static void add_rows_of_clause(struct cts_doc *d, const char *id)
{
    bool any = false;

    for (size_t i = 0; d->rows[i]; i++) {
        const struct cts_spec_insn *row = d->rows[i];
        if (!cts_info_has(row->clauses.list, row->clauses.count, id) &&
            !cts_info_has(row->ambiguities.list, row->ambiguities.count, id))
            continue;
        raw(d, any ? ", " : "<p class=\"soft\">Rows: ");
        link_to(d, row->id);
        any = true;
    }
    raw(d, any ? "</p>" : "");
}

/* prefix: of the anchor, where the id alone may be that of something else. */
static void open_item(struct cts_doc *d, const char *prefix, const char *id, const char *words)
{
    cts_buf_addf(d->out, "<article id=\"%s%s\" data-q=\"", prefix, id);
    lower(d, id);
    lower(d, words);
    cts_buf_addf(d->out, "\"><p><strong>%s</strong> ", id);
    text(d, words);
    raw(d, "</p><p class=\"soft\">");
}

static void add_clauses(struct cts_doc *d)
{
    raw(d, "<section id=\"clauses\"><h2>Clauses</h2>\n<p>The normative statements of the RFC, "
           "numbered and in our own words.</p><div class=\"items\">\n");
    for (size_t i = 0; i < d->spec->clause_count; i++) {
        const struct cts_spec_clause *c = &d->spec->clauses[i];
        open_item(d, "", c->id, c->statement);
        section_of(d, c->section);
        cts_buf_addf(d->out, "; %s; tested by", c->strength);
        for (unsigned how = 0; how < CTS_HOW_COUNT; how++)
            if (c->tested >> how & 1)
                cts_buf_addf(d->out, " %s", cts_spec_how_name((enum cts_spec_how)how));
        if (c->reason) {
            raw(d, ": ");
            text(d, c->reason);
        }
        raw(d, "</p>");
        add_rows_of_clause(d, c->id);
        raw(d, "</article>\n");
    }
    raw(d, "</div></section>\n");
}

static void add_practices(struct cts_doc *d, const struct cts_spec_ambiguity *a)
{
    if (a->practice_count)
        raw(d, "<dl>");
    for (size_t i = 0; i < a->practice_count; i++) {
        raw(d, "<dt>");
        text(d, a->practices[i].runtime);
        raw(d, "</dt><dd>");
        text(d, a->practices[i].what);
        raw(d, "</dd>");
    }
    raw(d, a->practice_count ? "</dl>" : "");
}

static void add_ambiguities(struct cts_doc *d)
{
    raw(d,
        "<section id=\"questions\"><h2>Open questions</h2>\n<p>Where the RFC contradicts itself, "
        "is silent or is not followed, and what the rows do there.</p><div class=\"items\">\n");
    for (size_t i = 0; i < d->spec->ambiguity_count; i++) {
        const struct cts_spec_ambiguity *a = &d->spec->ambiguities[i];
        open_item(d, "", a->id, a->question);
        section_of(d, a->section);
        cts_buf_addf(d->out, "; %s", cts_spec_open_name(a->kind));
        if (a->policy)
            cts_buf_addf(d->out, "; policy %s", a->policy);
        raw(d, "</p><p><em>Here:</em> ");
        text(d, a->here);
        raw(d, "</p>");
        add_practices(d, a);
        add_rows_of_clause(d, a->id);
        raw(d, "</article>\n");
    }
    raw(d, "</div></section>\n");
}

static void add_verdicts(struct cts_doc *d)
{
    raw(d, "<section id=\"classes\"><h2>Verdict classes</h2>\n<p>What verdict vectors are about: "
           "defects of programs, and good programs that are refused.</p><div class=\"items\">\n");
    for (size_t i = 0; i < d->spec->verdict_count; i++) {
        const struct cts_spec_verdict *v = &d->spec->verdicts[i];
        open_item(d, "", v->id, v->statement);
        text(d, v->name);
        raw(d, !strcmp(v->from, "rfc") ? "; decided by the RFC" : "; decided by a policy");
        for (size_t k = 0; k < v->clauses.count; k++) {
            raw(d, k ? " " : ": ");
            link_to(d, v->clauses.list[k]);
        }
        raw(d, "</p></article>\n");
    }
    raw(d, "</div></section>\n");
}

static void add_policies(struct cts_doc *d)
{
    if (!d->spec->policy_count)
        return;
    raw(d, "<section id=\"policies\"><h2>Policies</h2>\n<p>What vectors rest on where the RFC says "
           "nothing.</p><div class=\"items\">\n");
    for (size_t i = 0; i < d->spec->policy_count; i++) {
        const struct cts_spec_policy *p = &d->spec->policies[i];
        open_item(d, "policy-", p->id, p->statement);
        text(d, p->of);
        raw(d, "</p></article>\n");
    }
    raw(d, "</div></section>\n");
}

static void add_options(struct cts_doc *d)
{
    raw(d, "<option value=\"\">all groups</option><optgroup label=\"rows of the group itself\">");
    for (size_t g = 0; g < d->spec->group_count; g++)
        cts_buf_addf(d->out, "<option value=\"=%s\">%s (%zu)</option>", d->spec->groups[g].name,
                     d->spec->groups[g].name, cts_doc_insns_of(d, (unsigned)g));
    raw(d, "</optgroup><optgroup label=\"with the groups it includes\">");
    for (size_t g = 0; g < d->spec->group_count; g++)
        if (d->spec->groups[g].includes & ~((uint32_t)1 << g))
            cts_buf_addf(d->out, "<option value=\"+%s\">%s and what it includes</option>",
                         d->spec->groups[g].name, d->spec->groups[g].name);
    raw(d, "</optgroup>");
}

static void add_head(struct cts_doc *d)
{
    raw(d, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
           "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
           "<title>BPF instruction set</title>\n<style>\n");
    raw(d, cts_doc_css);
    raw(d, "</style>\n</head>\n<body>\n<header>\n<h1>BPF instruction set</h1>\n");
    cts_buf_addf(d->out,
                 "<p>RFC 9669 as a machine-readable specification has it: %zu rows, %zu clauses, "
                 "%zu open questions. %zu vectors test it.</p>\n",
                 d->spec->row_count, d->spec->clause_count, d->spec->ambiguity_count,
                 d->rq->tested->count);
    raw(d, "<p class=\"soft\">A row is one instruction: an opcode, and the fields that select it. "
           "Examples have dst 1, src 2, imm 5 and offset 4 where that is legal. In encodings, blue "
           "boxes are free, and "
           "numbers above them count bytes.</p>\n<nav>");
    for (size_t g = 0; g < d->spec->group_count; g++)
        cts_buf_addf(d->out, "<a href=\"#group-%s\">%s</a>\n", d->spec->groups[g].name,
                     d->spec->groups[g].name);
    raw(d, "<a href=\"#clauses\">Clauses</a>\n<a href=\"#questions\">Open questions</a>\n"
           "<a href=\"#classes\">Verdict classes</a> "
           "<a href=\"#policies\">Policies</a></nav>\n</header>\n"
           "<div class=\"find\" hidden>\n<input id=\"find\" type=\"search\" "
           "placeholder=\"Search: add64, 0xc3, N037, sign, atomic\" aria-label=\"Search\">\n"
           "<select id=\"group\" aria-label=\"Group\">");
    add_options(d);
    raw(d, "</select>\n<output id=\"count\" aria-live=\"polite\"></output>\n</div>\n<main>\n");
}

void cts_doc_html(struct cts_doc *d)
{
    add_head(d);
    for (size_t g = 0; g < d->spec->group_count; g++)
        add_group(d, g);
    add_clauses(d);
    add_ambiguities(d);
    add_verdicts(d);
    add_policies(d);
    raw(d, "</main>\n<script>\n");
    raw(d, cts_doc_js);
    raw(d, "</script>\n</body>\n</html>\n");
}
