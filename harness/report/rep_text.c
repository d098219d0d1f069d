/* Text for people: engines, failures as they come, then what was skipped by reason, then the
 * totals. Of failures that are alike the first are told in full, the others are counted. */
#include <stdlib.h>
#include <string.h>

#include "report/reasons.h"
#include "report/report.h"
#include "report/tally.h"
#include "report/text.h"

enum { TOLD_IN_FULL = 20, KIND_MAX = 200 };
/* Where lines go on that are folded. */
enum { HANG = 4, LIST_HANG = 10, DETAIL_INDENT = 2, LABEL_MAX = 20 };

struct rep {
    struct cts_report_opts opts;
    struct cts_buf line, out;
    struct cts_reasons skipped, known;
    struct cts_reasons failed; /* by kind: what they say but for its numbers */
    struct cts_tally clauses;  /* of failures */
};

enum shade { RED = 31, YELLOW = 33 };

static void add_shaded(struct rep *rep, enum shade shade, const char *word)
{
    if (rep->opts.color)
        cts_buf_addf(&rep->line, "\x1b[1;%dm%s\x1b[0m", (int)shade, word);
    else
        cts_buf_adds(&rep->line, word);
}

/* Ends the line. */
static void put_line(struct rep *rep, unsigned hang)
{
    if (rep->line.failed)
        rep->out.failed = true;
    cts_text_fold(&rep->out, cts_buf_text(&rep->line), rep->opts.width, hang, "");
    cts_buf_clear(&rep->line);
}

static void *text_start(const struct cts_report_opts *opts)
{
    struct rep *rep = calloc(1, sizeof(*rep));
    if (!rep)
        return NULL;
    rep->opts = *opts;
    cts_buf_init(&rep->line, 0);
    cts_buf_init(&rep->out, 0);
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
    if (info->state != CTS_EN_RUNS) {
        add_shaded(rep, info->state == CTS_EN_BROKEN ? RED : YELLOW,
                   cts_engine_state_name(info->state));
        cts_buf_adds(&rep->line, ": ");
        cts_text_line(&rep->line, info->reason);
    } else {
        cts_text_line(&rep->line, info->version);
    }
    put_line(rep, HANG);
    cts_text_flush(&rep->out, rep->opts.out);
}

/* ---- reasons ---- */

static const char *engine_of(struct cts_buf *b, const struct cts_result *r)
{
    cts_buf_clear(b);
    cts_buf_addf(b, "%s:%s", r->runtime, r->engine);
    return cts_buf_text(b);
}

static void count_reason(struct rep *rep, struct cts_reasons *t, const struct cts_result *r,
                         const char *text)
{
    const char *why = text && text[0] ? text : "no reason given";
    cts_reasons_add(t, engine_of(&rep->line, r), why, "");
    cts_buf_clear(&rep->line);
}

static const char *what_happened(const struct cts_result *r)
{
    const char *text = r->status == CTS_ST_XPASS ? r->known : r->message;
    return text ? text : "";
}

/* The kind of a failure: its status and what it says, whatever the numbers. */
static const char *kind_of(const struct cts_result *r, char kind[KIND_MAX])
{
    size_t n = (size_t)snprintf(kind, KIND_MAX, "%s %s ", cts_status_name(r->status),
                                cts_failure_name(r->failure));
    for (const char *p = what_happened(r); *p && n + 1 < KIND_MAX; n++) {
        bool number = *p >= '0' && *p <= '9';
        kind[n] = number ? '#' : *p;
        p += number ? strspn(p, "0123456789abcdefABCDEFx") : 1;
    }
    kind[n < KIND_MAX ? n : KIND_MAX - 1] = '\0';
    return kind;
}

/* How many of this kind there are by now. Kinds that are too many to be kept are one. */
static uint64_t count_failure(struct rep *rep, const struct cts_result *r)
{
    char kind[KIND_MAX];
    const char *sample =
        r->failure == CTS_FL_NONE ? cts_status_name(r->status) : cts_failure_name(r->failure);
    struct cts_buf said;
    cts_buf_init(&said, 0);
    cts_buf_addf(&said, "%s: %s", sample, what_happened(r));
    struct cts_reason *found = cts_reasons_add(&rep->failed, engine_of(&rep->line, r),
                                               kind_of(r, kind), cts_buf_text(&said));
    cts_buf_release(&said);
    cts_buf_clear(&rep->line);
    return found ? found->count : rep->failed.forgotten;
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

/* Behind the label that a line of a detail begins with, or a little further in. */
static unsigned hang_of(const char *line)
{
    size_t at = strspn(line, " "), word = at;
    while (line[word] && strncmp(line + word, "  ", 2) != 0)
        word++;
    size_t text = word + strspn(line + word, " ");
    return (unsigned)(line[word] && text <= LABEL_MAX ? text : at + DETAIL_INDENT);
}

/* A command that is folded can be copied all the same. */
static void put_detail(struct rep *rep, const char *detail)
{
    cts_text_block(&rep->line, "  ", detail);
    struct cts_buf one;
    cts_buf_init(&one, 0);
    for (const char *p = cts_buf_text(&rep->line); *p;) {
        size_t len = strcspn(p, "\n");
        cts_buf_clear(&one);
        cts_buf_add(&one, p, len);
        const char *line = cts_buf_text(&one);
        cts_text_fold(&rep->out, line, rep->opts.width, hang_of(line),
                      strncmp(line + strspn(line, " "), "repeat ", 7) == 0 ? " \\" : "");
        p += len + (p[len] == '\n');
    }
    cts_buf_release(&one);
    cts_buf_clear(&rep->line);
}

static void tell_failure(struct rep *rep, const char *word, const struct cts_result *r)
{
    uint64_t count = count_failure(rep, r);
    if (count > TOLD_IN_FULL && !rep->opts.verbose)
        return;
    add_headline(rep, RED, word, r);
    if (r->failure != CTS_FL_NONE)
        cts_buf_addf(&rep->line, "%s: ", cts_failure_name(r->failure));
    if (r->status == CTS_ST_XPASS) {
        cts_text_line(&rep->line, r->message);
        cts_buf_adds(&rep->line, ": ");
    }
    cts_text_line(&rep->line, what_happened(r));
    put_line(rep, HANG);
    if (!rep->opts.quiet)
        put_detail(rep, r->detail);
    cts_text_flush(&rep->out, rep->opts.out);
}

static void tell_other(struct rep *rep, const char *word, const struct cts_result *r,
                       const char *why)
{
    add_headline(rep, YELLOW, word, r);
    cts_text_line(&rep->line, why);
    put_line(rep, HANG);
    cts_text_flush(&rep->out, rep->opts.out);
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
        count_reason(rep, &rep->skipped, r, r->message);
        if (rep->opts.verbose)
            tell_other(rep, "SKIP", r, r->message);
        break;
    case CTS_ST_XFAIL:
        count_reason(rep, &rep->known, r, r->known);
        if (rep->opts.verbose)
            tell_other(rep, "XFAIL", r, r->known);
        break;
    case CTS_ST_PASS:
    case CTS_ST_COUNT:
        break;
    }
}

/* ---- the end ---- */

/* Engines in the order of the run, their reasons by first appearance. */
static void tell_reasons(struct rep *rep, const struct cts_reasons *t, const char *title)
{
    const char *engine = "";
    for (size_t i = 0; i < t->count; i++) {
        const struct cts_reason *r = &t->list[i];
        if (strcmp(r->engine, engine) != 0) {
            cts_text_line(&rep->line, title);
            cts_text_line(&rep->line, r->engine);
            cts_buf_addc(&rep->line, ':');
            put_line(rep, HANG);
            engine = r->engine;
        }
        cts_buf_addf(&rep->line, "%8llu  ", (unsigned long long)r->count);
        cts_text_line(&rep->line, r->text);
        put_line(rep, LIST_HANG);
    }
    if (t->forgotten) {
        cts_buf_addf(&rep->line, "%8llu  %swith further reasons", (unsigned long long)t->forgotten,
                     title);
        put_line(rep, LIST_HANG);
    }
}

/* What was counted, but not told. */
static void tell_folded(struct rep *rep)
{
    const struct cts_reasons *t = &rep->failed;
    const char *engine = "";
    for (size_t i = 0; !rep->opts.verbose && i < t->count; i++) {
        const struct cts_reason *r = &t->list[i];
        if (r->count <= TOLD_IN_FULL)
            continue;
        if (strcmp(r->engine, engine) != 0) {
            cts_buf_adds(&rep->line, "not told one by one (-v tells all), ");
            cts_text_line(&rep->line, r->engine);
            cts_buf_addc(&rep->line, ':');
            put_line(rep, HANG);
            engine = r->engine;
        }
        cts_buf_addf(&rep->line, "%8llu  more like ", (unsigned long long)r->count - TOLD_IN_FULL);
        cts_text_line(&rep->line, r->sample);
        put_line(rep, LIST_HANG);
    }
    if (t->forgotten > TOLD_IN_FULL && !rep->opts.verbose) {
        cts_buf_addf(&rep->line, "%8llu  more of further kinds (-v tells all)",
                     (unsigned long long)t->forgotten - TOLD_IN_FULL);
        put_line(rep, LIST_HANG);
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
            cts_buf_addc(&rep->line, ':');
            put_line(rep, HANG);
            engine = l->engine;
        }
        cts_buf_addf(&rep->line, "%8llu  ", (unsigned long long)l->status[CTS_ST_FAIL]);
        cts_tally_name(&rep->line, l, &rep->opts);
        cts_buf_addf(&rep->line, " in %llu vector%s: ", (unsigned long long)l->vectors,
                     l->vectors == 1 ? "" : "s");
        cts_tally_failures(&rep->line, l);
        put_line(rep, LIST_HANG);
    }
}

static void tell_sizes(struct rep *rep, const struct cts_summary *s)
{
    struct cts_buf *b = &rep->line;
    cts_buf_addf(b, "vectors %llu, cases %llu, operand tuples ", (unsigned long long)s->vectors,
                 (unsigned long long)s->cases);
    cts_text_count(b, s->operand_tuples);
    cts_buf_addf(b, " on %u engines (%u skipped", s->engines_run, s->engines_skipped);
    if (s->engines_broken)
        cts_buf_addf(b, ", %u broken", s->engines_broken);
    cts_buf_addf(b, ") of %u runtimes (%u skipped)", s->runtimes_run, s->runtimes_skipped);
    if (s->input_errors)
        cts_buf_addf(b, ", input errors %llu", (unsigned long long)s->input_errors);
    if (!rep->opts.reproducible) {
        cts_buf_adds(b, ", ");
        cts_text_seconds(b, s->ns, 2);
        cts_buf_adds(b, " s");
    }
    put_line(rep, HANG);
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
    put_line(rep, HANG);
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
        put_line(rep, HANG);
}

static void tell_incomplete(struct rep *rep, const struct cts_summary *s)
{
    if (s->end == CTS_END_WHOLE)
        return;
    add_shaded(rep, YELLOW, "not complete");
    cts_buf_adds(&rep->line, ", ");
    cts_text_incomplete(&rep->line, s);
    put_line(rep, HANG);
}

/* Without colours even where there are some, for those who look for it. */
static void tell_total(struct rep *rep, const struct cts_summary *s)
{
    cts_buf_addf(&rep->line, "total: %llu passed, %llu failed, %llu skipped",
                 (unsigned long long)cts_summary_passed(s),
                 (unsigned long long)cts_summary_failed(s),
                 (unsigned long long)cts_summary_skipped(s));
    put_line(rep, HANG);
}

static void text_end(void *arg, const struct cts_summary *s)
{
    struct rep *rep = arg;
    tell_folded(rep);
    if (!rep->opts.quiet) {
        tell_reasons(rep, &rep->skipped, "skipped on ");
        tell_reasons(rep, &rep->known, "known failures of ");
        tell_clauses(rep);
    }
    tell_sizes(rep, s);
    tell_counts(rep, s);
    tell_warnings(rep, s);
    tell_incomplete(rep, s);
    tell_total(rep, s);
    cts_text_flush(&rep->out, rep->opts.out);
    fflush(rep->opts.out);
    cts_reasons_release(&rep->skipped);
    cts_reasons_release(&rep->known);
    cts_reasons_release(&rep->failed);
    cts_tally_release(&rep->clauses);
    cts_buf_release(&rep->line);
    cts_buf_release(&rep->out);
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
