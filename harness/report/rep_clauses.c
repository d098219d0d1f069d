/* Which engine passes which clause: a line of tab-separated values for each clause, policy and
 * engine. */
#include <stdlib.h>

#include "report/report.h"
#include "report/tally.h"
#include "report/text.h"

struct rep {
    struct cts_report_opts opts;
    struct cts_buf line;
    struct cts_tally clauses;
};

static void *clauses_start(const struct cts_report_opts *opts)
{
    struct rep *rep = calloc(1, sizeof(*rep));
    if (!rep)
        return NULL;
    rep->opts = *opts;
    cts_buf_init(&rep->line, 0);
    cts_tally_init(&rep->clauses);
    return rep;
}

static void clauses_result(void *arg, const struct cts_result *r)
{
    struct rep *rep = arg;
    cts_tally_clauses(&rep->clauses, r);
}

static void add_line(struct rep *rep, const struct cts_tally_line *l)
{
    struct cts_buf *b = &rep->line;
    const char *section = rep->opts.section && l->key[0] ? rep->opts.section(l->key) : NULL;
    cts_text_line(b, l->key[0] ? l->key : "-");
    cts_buf_addf(b, "\t%s\t", section ? section : "-");
    cts_text_line(b, l->policy[0] ? l->policy : "rfc");
    cts_buf_addc(b, '\t');
    cts_text_line(b, l->engine);
    cts_buf_addf(b, "\t%llu", (unsigned long long)l->vectors);
    for (unsigned i = 0; i < CTS_ST_COUNT; i++)
        cts_buf_addf(b, "\t%llu", (unsigned long long)l->status[i]);
    cts_buf_addc(b, '\t');
    cts_tally_failures(b, l);
    cts_buf_addc(b, '\n');
}

static void clauses_end(void *arg, const struct cts_summary *s)
{
    struct rep *rep = arg;
    cts_tally_sort(&rep->clauses, CTS_TALLY_BY_KEY);
    cts_buf_adds(&rep->line, "clause\tsection\tpolicy\tengine\tvectors");
    for (unsigned i = 0; i < CTS_ST_COUNT; i++)
        cts_buf_addf(&rep->line, "\t%s", cts_status_name((enum cts_status)i));
    cts_buf_adds(&rep->line, "\tkinds of failure\n");
    for (size_t i = 0; i < rep->clauses.count; i++)
        add_line(rep, &rep->clauses.lines[i]);
    if (s->end != CTS_END_WHOLE) {
        cts_buf_adds(&rep->line, "# not complete: ");
        cts_text_incomplete(&rep->line, s);
        cts_buf_addc(&rep->line, '\n');
    }
    if (rep->clauses.failed)
        cts_buf_adds(&rep->line, "# not complete: out of memory\n");
    cts_text_flush(&rep->line, rep->opts.out);
    fflush(rep->opts.out);
    cts_tally_release(&rep->clauses);
    cts_buf_release(&rep->line);
    free(rep);
}

const struct cts_reporter cts_reporter_clauses = {
    .name = "clauses",
    .what = "tab-separated values: what each engine makes of each clause",
    .start = clauses_start,
    .result = clauses_result,
    .end = clauses_end,
};
