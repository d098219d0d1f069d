/* Text for people: engines, failures as they come, then what was skipped by reason, then the
 * totals. */
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "report/tally.h"
#include "report/text.h"

enum { MOST_REASONS = 200 };

enum kind { SKIPPED, KNOWN };

/* Cases of one engine that share a reason. */
struct reason {
    enum kind kind;
    char *engine, *text;
    uint64_t count;
};

struct rep {
    struct cts_report_opts opts;
    struct cts_buf line;
    struct reason *reasons;
    size_t count, cap, last;
    uint64_t forgotten;       /* cases whose reason could not be kept */
    struct cts_tally clauses; /* of failures */
};

enum shade { RED = 31, YELLOW = 33 };

static void add_shaded(struct rep *rep, enum shade shade, const char *word)
{
    if (rep->opts.color)
        cts_buf_addf(&rep->line, "\x1b[1;%dm%s\x1b[0m", (int)shade, word);
    else
        cts_buf_adds(&rep->line, word);
}

static void *text_start(const struct cts_report_opts *opts)
{
    struct rep *rep = calloc(1, sizeof(*rep));
    if (!rep)
        return NULL;
    rep->opts = *opts;
    cts_buf_init(&rep->line, 0);
    cts_tally_init(&rep->clauses);
    return rep;
}

static void text_engine(void *arg, const struct cts_engine_info *info)
{
    struct rep *rep = arg;
    cts_text_line(&rep->line, info->runtime);
    cts_buf_addc(&rep->line, ':');
    cts_text_line(&rep->line, info->engine);
    cts_buf_adds(&rep->line, "  ");
    if (info->skipped) {
        add_shaded(rep, YELLOW, "skipped");
        cts_buf_adds(&rep->line, ": ");
        cts_text_line(&rep->line, info->reason);
    } else {
        cts_text_line(&rep->line, info->version);
    }
    cts_buf_addc(&rep->line, '\n');
    cts_text_flush(&rep->line, rep->opts.out);
}

/* ---- reasons ---- */

static bool same_reason(const struct reason *r, enum kind kind, const char *engine,
                        const char *text)
{
    return r->kind == kind && strcmp(r->engine, engine) == 0 && strcmp(r->text, text) == 0;
}

static struct reason *find_reason(struct rep *rep, enum kind kind, const char *engine,
                                  const char *text)
{
    /* One case is mostly like the one before. */
    if (rep->last < rep->count && same_reason(&rep->reasons[rep->last], kind, engine, text))
        return &rep->reasons[rep->last];
    for (size_t i = 0; i < rep->count; i++)
        if (same_reason(&rep->reasons[i], kind, engine, text))
            return &rep->reasons[rep->last = i];
    return NULL;
}

static struct reason *add_reason(struct rep *rep, enum kind kind, const char *engine,
                                 const char *text)
{
    if (rep->count == MOST_REASONS)
        return NULL;
    if (rep->count == rep->cap) {
        size_t cap = rep->cap ? rep->cap * 2 : 16;
        struct reason *bigger = realloc(rep->reasons, cap * sizeof(*bigger));
        if (!bigger)
            return NULL;
        rep->reasons = bigger;
        rep->cap = cap;
    }
    struct reason r = {.kind = kind, .engine = strdup(engine), .text = strdup(text)};
    if (!r.engine || !r.text) {
        free(r.engine);
        free(r.text);
        return NULL;
    }
    rep->reasons[rep->count] = r;
    return &rep->reasons[rep->count++];
}

static void count_reason(struct rep *rep, enum kind kind, const struct cts_result *r,
                         const char *text)
{
    cts_buf_addf(&rep->line, "%s:%s", r->runtime, r->engine);
    const char *engine = cts_buf_text(&rep->line),
               *why = text && text[0] ? text : "no reason given";
    struct reason *found = find_reason(rep, kind, engine, why);
    if (!found)
        found = add_reason(rep, kind, engine, why);
    if (found)
        found->count++;
    else
        rep->forgotten++;
    cts_buf_clear(&rep->line);
}

/* ---- results ---- */

static void add_headline(struct rep *rep, enum shade shade, const char *word,
                         const struct cts_result *r)
{
    struct cts_buf *b = &rep->line;
    add_shaded(rep, shade, word);
    cts_buf_addc(b, ' ');
    cts_text_line(b, r->runtime);
    cts_buf_addc(b, ':');
    cts_text_line(b, r->engine);
    cts_buf_addc(b, ' ');
    cts_text_line(b, r->vector);
    cts_buf_addc(b, '#');
    cts_text_line(b, r->kase);
    cts_buf_adds(b, ": ");
}

static void tell_failure(struct rep *rep, const char *word, const struct cts_result *r)
{
    add_headline(rep, RED, word, r);
    if (r->failure != CTS_FL_NONE)
        cts_buf_addf(&rep->line, "%s: ", cts_failure_name(r->failure));
    if (r->status == CTS_ST_XPASS)
        cts_buf_adds(&rep->line, "passed, but is on record as failing: ");
    cts_text_line(&rep->line, r->status == CTS_ST_XPASS ? r->known : r->message);
    cts_buf_addc(&rep->line, '\n');
    if (!rep->opts.quiet)
        cts_text_block(&rep->line, "  ", r->detail);
    cts_text_flush(&rep->line, rep->opts.out);
}

static void tell_other(struct rep *rep, const char *word, const struct cts_result *r,
                       const char *why)
{
    add_headline(rep, YELLOW, word, r);
    cts_text_line(&rep->line, why);
    cts_buf_addc(&rep->line, '\n');
    cts_text_flush(&rep->line, rep->opts.out);
}

static void text_result(void *arg, const struct cts_result *r)
{
    struct rep *rep = arg;
    switch (r->status) {
    case CTS_ST_FAIL:
        tell_failure(rep, "FAIL", r);
        cts_tally_clauses(&rep->clauses, r);
        break;
    case CTS_ST_ERROR:
        tell_failure(rep, "ERROR", r);
        break;
    case CTS_ST_XPASS:
        tell_failure(rep, "XPASS", r);
        break;
    case CTS_ST_SKIP:
        count_reason(rep, SKIPPED, r, r->message);
        if (rep->opts.verbose)
            tell_other(rep, "SKIP", r, r->message);
        break;
    case CTS_ST_XFAIL:
        count_reason(rep, KNOWN, r, r->known);
        if (rep->opts.verbose)
            tell_other(rep, "XFAIL", r, r->known);
        break;
    case CTS_ST_PASS:
    case CTS_ST_COUNT:
        break;
    }
}

/* ---- the end ---- */

/* By kind, then as they came: engines in the order of the run, their reasons by first appearance.
 */
static void tell_reasons(struct rep *rep, enum kind kind, const char *title)
{
    const char *engine = "";
    for (size_t i = 0; i < rep->count; i++) {
        const struct reason *r = &rep->reasons[i];
        if (r->kind != kind)
            continue;
        if (strcmp(r->engine, engine) != 0) {
            cts_text_line(&rep->line, title);
            cts_text_line(&rep->line, r->engine);
            cts_buf_adds(&rep->line, ":\n");
            engine = r->engine;
        }
        cts_buf_addf(&rep->line, "%8llu  ", (unsigned long long)r->count);
        cts_text_line(&rep->line, r->text);
        cts_buf_addc(&rep->line, '\n');
    }
}

static void tell_clauses(struct rep *rep)
{
    const char *engine = "";
    cts_tally_sort(&rep->clauses, CTS_TALLY_BY_ENGINE);
    for (size_t i = 0; i < rep->clauses.count; i++) {
        const struct cts_tally_line *l = &rep->clauses.lines[i];
        if (strcmp(l->engine, engine) != 0) {
            cts_buf_adds(&rep->line, "failures by clause, ");
            cts_text_line(&rep->line, l->engine);
            cts_buf_adds(&rep->line, ":\n");
            engine = l->engine;
        }
        cts_buf_addf(&rep->line, "%8llu  ", (unsigned long long)l->status[CTS_ST_FAIL]);
        cts_tally_name(&rep->line, l, &rep->opts);
        cts_buf_addf(&rep->line, " in %llu vector%s: ", (unsigned long long)l->vectors,
                     l->vectors == 1 ? "" : "s");
        cts_tally_failures(&rep->line, l);
        cts_buf_addc(&rep->line, '\n');
    }
}

static void tell_sizes(struct rep *rep, const struct cts_summary *s)
{
    struct cts_buf *b = &rep->line;
    cts_buf_addf(b, "vectors %llu, cases %llu, operand rows ", (unsigned long long)s->vectors,
                 (unsigned long long)s->cases);
    cts_text_count(b, s->operand_rows);
    cts_buf_addf(b, " on %u engines (%u skipped) of %u runtimes (%u skipped), ", s->engines_run,
                 s->engines_skipped, s->runtimes_run, s->runtimes_skipped);
    if (s->input_errors)
        cts_buf_addf(b, "input errors %llu, ", (unsigned long long)s->input_errors);
    cts_text_seconds(b, s->ns, 2);
    cts_buf_adds(b, " s\n");
}

static void tell_counts(struct rep *rep, const struct cts_summary *s)
{
    struct cts_buf *b = &rep->line;
    const char *before = "; ";
    for (unsigned i = 0; i < CTS_ST_COUNT; i++)
        cts_buf_addf(b, "%s%s %llu", i ? ", " : "", cts_status_name((enum cts_status)i),
                     (unsigned long long)s->count[i]);
    for (unsigned i = CTS_FL_NONE + 1; i < CTS_FL_COUNT; i++) {
        if (!s->failures[i])
            continue;
        cts_buf_addf(b, "%s%s %llu", before, cts_failure_name((enum cts_failure)i),
                     (unsigned long long)s->failures[i]);
        before = ", ";
    }
    cts_buf_addc(b, '\n');
}

static void tell_warnings(struct rep *rep, const struct cts_summary *s)
{
    size_t n = 0;
    while (s->warnings && s->warnings[n])
        n++;
    if (n)
        cts_buf_addf(&rep->line, "warnings %zu: ", n);
    for (size_t i = 0; i < n; i++) {
        cts_buf_adds(&rep->line, i ? "; " : "");
        cts_text_line(&rep->line, s->warnings[i]);
    }
    if (n)
        cts_buf_addc(&rep->line, '\n');
}

/* Without colours even where there are some, for those who look for it. */
static void tell_total(struct rep *rep, const struct cts_summary *s)
{
    cts_buf_addf(&rep->line, "total: %llu passed, %llu failed, %llu skipped\n",
                 (unsigned long long)cts_summary_passed(s),
                 (unsigned long long)cts_summary_failed(s),
                 (unsigned long long)cts_summary_skipped(s));
}

static void text_end(void *arg, const struct cts_summary *s)
{
    struct rep *rep = arg;
    if (!rep->opts.quiet) {
        tell_reasons(rep, SKIPPED, "skipped on ");
        tell_reasons(rep, KNOWN, "known failures of ");
        if (rep->forgotten)
            cts_buf_addf(&rep->line, "%8llu  with further reasons\n",
                         (unsigned long long)rep->forgotten);
    }
    if (!rep->opts.quiet)
        tell_clauses(rep);
    tell_sizes(rep, s);
    tell_counts(rep, s);
    tell_warnings(rep, s);
    tell_total(rep, s);
    cts_text_flush(&rep->line, rep->opts.out);
    fflush(rep->opts.out);
    for (size_t i = 0; i < rep->count; i++) {
        free(rep->reasons[i].engine);
        free(rep->reasons[i].text);
    }
    free(rep->reasons);
    cts_tally_release(&rep->clauses);
    cts_buf_release(&rep->line);
    free(rep);
}

const struct cts_reporter cts_reporter_text = {
    .name = "text",
    .what = "text for people",
    .start = text_start,
    .engine = text_engine,
    .result = text_result,
    .end = text_end,
};
