/* A verdict for each conformance group on each engine, as an implementation report states it. */
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "report/tally.h"
#include "report/text.h"

struct rep {
    struct cts_report_opts opts;
    struct cts_buf line;
    struct cts_tally groups;
};

static void *groups_start(const struct cts_report_opts *opts)
{
    struct rep *rep = calloc(1, sizeof(*rep));
    if (!rep)
        return NULL;
    rep->opts = *opts;
    cts_buf_init(&rep->line, 0);
    cts_tally_init(&rep->groups);
    return rep;
}

static void groups_engine(void *arg, const struct cts_engine_info *info)
{
    struct rep *rep = arg;
    cts_text_line(&rep->line, info->runtime);
    cts_buf_addc(&rep->line, ':');
    cts_text_line(&rep->line, info->engine);
    cts_buf_adds(&rep->line, "  ");
    cts_text_engine(&rep->line, info);
    cts_buf_addc(&rep->line, '\n');
}

static void groups_result(void *arg, const struct cts_result *r)
{
    struct rep *rep = arg;
    cts_tally_add(&rep->groups, r, r->group);
}

static void add_counts(struct cts_buf *b, const struct cts_tally_line *l)
{
    const struct {
        const char *what;
        uint64_t n;
    } further[] = {
        {"failed as on record", l->status[CTS_ST_XFAIL]},
        {"passed against the record", l->status[CTS_ST_XPASS]},
        {"without a result", l->status[CTS_ST_ERROR]},
        {"unsupported", l->skips[CTS_SK_UNSUPPORTED]},
        {"refused by design", l->skips[CTS_SK_LIMIT]},
        {"not settled by the machine", l->skips[CTS_SK_MACHINE]},
        {"not testable", l->skips[CTS_SK_UNTESTABLE]},
        {"not claimed", l->skips[CTS_SK_NOT_CLAIMED]},
        {"not asked", l->skips[CTS_SK_NOT_ASKED]},
    };
    cts_buf_addf(b, "%llu passed, %llu failed", (unsigned long long)l->status[CTS_ST_PASS],
                 (unsigned long long)l->status[CTS_ST_FAIL]);
    for (size_t i = 0; i < sizeof(further) / sizeof(further[0]); i++)
        if (further[i].n)
            cts_buf_addf(b, ", %llu %s", (unsigned long long)further[i].n, further[i].what);
    cts_buf_addc(b, '\n');
}

/* The verdict, and what each policy counts for beside it. */
static void add_group(struct rep *rep, size_t first, size_t end, const struct cts_tally_line *basis,
                      const struct cts_summary *s)
{
    struct cts_buf *b = &rep->line;
    cts_text_line(b, basis->engine);
    cts_buf_addf(b, "  %-16s %s: ", basis->key, cts_tally_verdict(basis, s));
    add_counts(b, basis);
    for (size_t i = first; i < end; i++) {
        const struct cts_tally_line *l = &rep->groups.lines[i];
        if (!l->policy[0])
            continue;
        cts_text_line(b, l->engine);
        cts_buf_addf(b, "  %-16s policy ", l->key);
        cts_text_line(b, l->policy);
        cts_buf_adds(b, ": ");
        add_counts(b, l);
    }
}

static void groups_end(void *arg, const struct cts_summary *s)
{
    struct rep *rep = arg;
    cts_tally_sort(&rep->groups, CTS_TALLY_BY_ENGINE);
    for (size_t i = 0, end; i < rep->groups.count; i = end) {
        struct cts_tally_line basis = cts_tally_basis(&rep->groups, i, &end);
        add_group(rep, i, end, &basis, s);
    }
    if (s->end != CTS_END_WHOLE) {
        cts_buf_adds(&rep->line, "this report is not complete: ");
        cts_text_incomplete(&rep->line, s);
        cts_buf_addc(&rep->line, '\n');
    }
    if (rep->groups.failed)
        cts_buf_adds(&rep->line, "this report is not complete: out of memory\n");
    cts_text_flush(&rep->line, rep->opts.out);
    fflush(rep->opts.out);
    cts_tally_release(&rep->groups);
    cts_buf_release(&rep->line);
    free(rep);
}

const struct cts_reporter cts_reporter_groups = {
    .name = "groups",
    .what = "a verdict for each conformance group on each engine",
    .start = groups_start,
    .engine = groups_engine,
    .result = groups_result,
    .end = groups_end,
};
