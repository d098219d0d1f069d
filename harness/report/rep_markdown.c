/* Markdown, as pages and summaries of CI systems show it: engines, verdicts for groups, failures by
 * clause, and the first failures. */
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "report/tally.h"
#include "report/text.h"

enum { MOST_FAILURES = 50 };

struct rep {
    struct cts_report_opts opts;
    struct cts_buf engines, failures, line;
    struct cts_tally groups, clauses;
    uint64_t failed;
};

static void *markdown_start(const struct cts_report_opts *opts)
{
    struct rep *rep = calloc(1, sizeof(*rep));
    if (!rep)
        return NULL;
    rep->opts = *opts;
    cts_buf_init(&rep->engines, 0);
    cts_buf_init(&rep->failures, 0);
    cts_buf_init(&rep->line, 0);
    cts_tally_init(&rep->groups);
    cts_tally_init(&rep->clauses);
    return rep;
}

static unsigned longest_run(const char *text, char of)
{
    unsigned longest = 0, run = 0;
    for (; *text; text++) {
        run = *text == of ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

/* Text of a cell, as code: in it there is no Markdown, no HTML, and nobody is mentioned. A bar
 * would end the cell. */
static void add_code(struct cts_buf *b, const char *shown)
{
    size_t len = strlen(shown);
    if (len == 0)
        return;
    const char *pad = shown[0] == '`' || shown[len - 1] == '`' ? " " : "";
    unsigned fence = longest_run(shown, '`') + 1;
    for (unsigned i = 0; i < fence; i++)
        cts_buf_addc(b, '`');
    cts_buf_adds(b, pad);
    for (const char *p = shown; *p; p++) {
        if (*p != '|')
            cts_buf_addc(b, *p);
        else
            cts_buf_adds(b, p > shown && p[-1] == '\\' ? "\\x7c" : "\\|");
    }
    cts_buf_adds(b, pad);
    for (unsigned i = 0; i < fence; i++)
        cts_buf_addc(b, '`');
}

/* Up to two texts with something between them. */
static void add_pair(struct rep *rep, struct cts_buf *b, const char *first, const char *between,
                     const char *second)
{
    cts_buf_clear(&rep->line);
    cts_text_line(&rep->line, first);
    cts_buf_adds(&rep->line, between);
    cts_text_line(&rep->line, second);
    add_code(b, cts_buf_text(&rep->line));
}

static void add_cell(struct rep *rep, struct cts_buf *b, const char *text)
{
    add_pair(rep, b, text, "", "");
}

static void markdown_engine(void *arg, const struct cts_engine_info *info)
{
    struct rep *rep = arg;
    struct cts_buf *b = &rep->engines;
    cts_buf_adds(b, "| ");
    add_pair(rep, b, info->runtime, ":", info->engine);
    cts_buf_adds(b, " | ");
    if (info->state != CTS_EN_RUNS)
        cts_buf_addf(b, "%s: ", cts_engine_state_name(info->state));
    add_cell(rep, b, info->state == CTS_EN_RUNS ? info->version : info->reason);
    cts_buf_adds(b, " |\n");
}

static void add_failure(struct rep *rep, const struct cts_result *r)
{
    struct cts_buf *b = &rep->failures;
    if (rep->failed++ >= MOST_FAILURES)
        return;
    cts_buf_adds(b, "| ");
    add_pair(rep, b, r->runtime, ":", r->engine);
    cts_buf_adds(b, " | ");
    add_pair(rep, b, r->vector, "#", r->kase);
    cts_buf_adds(b, " | ");
    cts_buf_adds(b, r->failure == CTS_FL_NONE ? cts_status_name(r->status)
                                              : cts_failure_name(r->failure));
    cts_buf_adds(b, " | ");
    add_cell(rep, b, r->status == CTS_ST_XPASS ? r->known : r->message);
    cts_buf_adds(b, " |\n");
}

static void markdown_result(void *arg, const struct cts_result *r)
{
    struct rep *rep = arg;
    cts_tally_add(&rep->groups, r, r->group);
    if (r->status == CTS_ST_FAIL)
        cts_tally_clauses(&rep->clauses, r);
    if (r->status == CTS_ST_FAIL || r->status == CTS_ST_ERROR || r->status == CTS_ST_XPASS)
        add_failure(rep, r);
}

static void write_total(struct rep *rep, const struct cts_summary *s)
{
    struct cts_buf *b = &rep->line;
    cts_buf_clear(b);
    cts_buf_addf(b,
                 "# ebpf-cts %s\n\n**%llu passed, %llu failed, %llu skipped** (vectors %llu, cases "
                 "%llu)\n\n",
                 rep->opts.suite_version, (unsigned long long)cts_summary_passed(s),
                 (unsigned long long)cts_summary_failed(s),
                 (unsigned long long)cts_summary_skipped(s), (unsigned long long)s->vectors,
                 (unsigned long long)s->cases);
    if (s->end != CTS_END_WHOLE) {
        cts_buf_adds(b, "**Not complete, ");
        cts_text_incomplete(b, s);
        cts_buf_adds(b, ".**\n\n");
    }
    cts_buf_adds(b, "| engine | version |\n|---|---|\n");
    cts_text_flush(b, rep->opts.out);
    cts_text_flush(&rep->engines, rep->opts.out);
}

static void write_groups(struct rep *rep, const struct cts_summary *s)
{
    FILE *out = rep->opts.out;
    fputs("\n## Conformance groups\n\n"
          "| engine | group | verdict | passed | failed | on record | unsupported |\n"
          "|---|---|---|---:|---:|---:|---:|\n",
          out);
    cts_tally_sort(&rep->groups, CTS_TALLY_BY_ENGINE);
    for (size_t i = 0, end; i < rep->groups.count; i = end) {
        struct cts_tally_line l = cts_tally_basis(&rep->groups, i, &end);
        struct cts_buf *b = &rep->engines;
        cts_buf_adds(b, "| ");
        add_cell(rep, b, l.engine);
        cts_buf_adds(b, " | ");
        add_cell(rep, b, l.key);
        cts_buf_addf(b, " | %s | %llu | %llu | %llu | %llu |\n", cts_tally_verdict(&l, s),
                     (unsigned long long)l.status[CTS_ST_PASS],
                     (unsigned long long)l.status[CTS_ST_FAIL],
                     (unsigned long long)l.status[CTS_ST_XFAIL],
                     (unsigned long long)l.skips[CTS_SK_UNSUPPORTED]);
        cts_text_flush(b, out);
    }
}

static void write_clauses(struct rep *rep)
{
    FILE *out = rep->opts.out;
    if (rep->clauses.count)
        fputs("\n## Failures by clause\n\n| engine | clause | failures | vectors | kinds |\n"
              "|---|---|---:|---:|---|\n",
              out);
    cts_tally_sort(&rep->clauses, CTS_TALLY_BY_ENGINE);
    for (size_t i = 0; i < rep->clauses.count; i++) {
        const struct cts_tally_line *l = &rep->clauses.lines[i];
        struct cts_buf *b = &rep->engines;
        cts_buf_adds(b, "| ");
        add_cell(rep, b, l->engine);
        cts_buf_adds(b, " | ");
        cts_tally_name(b, l, &rep->opts);
        cts_buf_addf(b, " | %llu | %llu | ", (unsigned long long)l->status[CTS_ST_FAIL],
                     (unsigned long long)l->vectors);
        cts_tally_failures(b, l);
        cts_buf_adds(b, " |\n");
        cts_text_flush(b, out);
    }
}

static void write_failures(struct rep *rep)
{
    if (!rep->failed)
        return;
    fputs("\n## Failures\n\n| engine | case | kind | what happened |\n|---|---|---|---|\n",
          rep->opts.out);
    cts_text_flush(&rep->failures, rep->opts.out);
    if (rep->failed > MOST_FAILURES)
        fprintf(rep->opts.out, "\nand %llu more\n",
                (unsigned long long)(rep->failed - MOST_FAILURES));
}

static void write_warnings(struct rep *rep, const struct cts_summary *s)
{
    struct cts_buf *b = &rep->engines;
    if (s->warnings && s->warnings[0])
        cts_buf_adds(b, "\n## To be looked at\n\n");
    for (size_t i = 0; s->warnings && s->warnings[i]; i++) {
        cts_buf_adds(b, "- ");
        add_cell(rep, b, s->warnings[i]);
        cts_buf_addc(b, '\n');
    }
    if (rep->groups.failed || rep->clauses.failed)
        cts_buf_adds(b, "\nThis report is not complete: out of memory.\n");
    cts_text_flush(b, rep->opts.out);
}

static void markdown_end(void *arg, const struct cts_summary *s)
{
    struct rep *rep = arg;
    write_total(rep, s);
    write_groups(rep, s);
    write_clauses(rep);
    write_failures(rep);
    write_warnings(rep, s);
    fflush(rep->opts.out);
    cts_tally_release(&rep->groups);
    cts_tally_release(&rep->clauses);
    cts_buf_release(&rep->engines);
    cts_buf_release(&rep->failures);
    cts_buf_release(&rep->line);
    free(rep);
}

const struct cts_reporter cts_reporter_markdown = {
    .name = "markdown",
    .what = "Markdown for pages and the summaries of CI systems",
    .start = markdown_start,
    .engine = markdown_engine,
    .result = markdown_result,
    .end = markdown_end,
};
