/* JSON Lines: a header, one object an engine, one a case, a footer. reports/schema.json describes
 * them. */
#include <stdlib.h>

#include "report/report.h"
#include "report/text.h"

enum { FORMAT_VERSION = 1 };

struct rep {
    struct cts_report_opts opts;
    struct cts_buf line;
    bool lost; /* a line could not be written: the report is not complete */
};

static void flush(struct rep *rep)
{
    cts_buf_adds(&rep->line, "}\n");
    if (cts_text_flush(&rep->line, rep->opts.out))
        return;
    rep->lost = true;
    if (rep->opts.lost)
        *rep->opts.lost = true;
}

static void add_text(struct rep *rep, const char *key, const char *value)
{
    cts_buf_addf(&rep->line, ",\"%s\":", key);
    cts_text_json(&rep->line, value);
}

static void add_number(struct rep *rep, const char *key, uint64_t value)
{
    cts_buf_addf(&rep->line, ",\"%s\":%llu", key, (unsigned long long)value);
}

static void add_bool(struct rep *rep, const char *key, bool value)
{
    cts_buf_addf(&rep->line, ",\"%s\":%s", key, value ? "true" : "false");
}

static void add_list(struct rep *rep, const char *key, const char *const *list)
{
    cts_buf_addf(&rep->line, ",\"%s\":[", key);
    for (size_t i = 0; list && list[i]; i++) {
        if (i)
            cts_buf_addc(&rep->line, ',');
        cts_text_json(&rep->line, list[i]);
    }
    cts_buf_addc(&rep->line, ']');
}

static void *json_start(const struct cts_report_opts *opts)
{
    struct rep *rep = calloc(1, sizeof(*rep));
    if (!rep)
        return NULL;
    rep->opts = *opts;
    cts_buf_init(&rep->line, 0);
    cts_buf_adds(&rep->line, "{\"type\":\"header\"");
    add_number(rep, "format", FORMAT_VERSION);
    add_text(rep, "suite", "ebpf-cts");
    add_text(rep, "version", opts->suite_version);
    add_text(rep, "vectors", opts->vectors_hash);
    if (opts->time[0])
        add_text(rep, "time", opts->time);
    flush(rep);
    return rep;
}

static void json_engine(void *arg, const struct cts_engine_info *info)
{
    struct rep *rep = arg;
    cts_buf_adds(&rep->line, "{\"type\":\"engine\"");
    add_text(rep, "runtime", info->runtime);
    add_text(rep, "engine", info->engine);
    add_text(rep, "version", info->version);
    add_bool(rep, "skipped", info->state == CTS_EN_SKIPPED);
    add_bool(rep, "broken", info->state == CTS_EN_BROKEN);
    add_text(rep, "reason", info->reason);
    flush(rep);
}

static void json_result(void *arg, const struct cts_result *r)
{
    struct rep *rep = arg;
    cts_buf_adds(&rep->line, "{\"type\":\"case\"");
    add_text(rep, "runtime", r->runtime);
    add_text(rep, "engine", r->engine);
    add_text(rep, "version", r->version);
    add_text(rep, "vector", r->vector);
    add_text(rep, "case", r->kase);
    add_text(rep, "file", r->file);
    add_number(rep, "line", r->line);
    add_text(rep, "group", r->group);
    add_list(rep, "insns", r->rows);
    add_list(rep, "clauses", r->clauses);
    add_text(rep, "policy", r->policy);
    add_text(rep, "status", cts_status_name(r->status));
    add_text(rep, "failure", cts_failure_name(r->failure));
    add_text(rep, "skip", cts_skip_name(r->skip));
    add_text(rep, "unit", r->unit);
    add_text(rep, "message", r->message);
    add_text(rep, "detail", r->detail);
    add_text(rep, "known", r->known);
    add_number(rep, "operand_tuples", r->operand_tuples);
    add_number(rep, "ns", r->ns);
    flush(rep);
}

static void add_summary(struct rep *rep, const struct cts_summary *s)
{
    add_number(rep, "passed", cts_summary_passed(s));
    add_number(rep, "failed", cts_summary_failed(s));
    add_number(rep, "skipped", cts_summary_skipped(s));
    add_number(rep, "vectors", s->vectors);
    add_number(rep, "cases", s->cases);
    add_number(rep, "operand_tuples", s->operand_tuples);
    add_number(rep, "engines_run", s->engines_run);
    add_number(rep, "engines_skipped", s->engines_skipped);
    add_number(rep, "engines_broken", s->engines_broken);
    add_number(rep, "runtimes_run", s->runtimes_run);
    add_number(rep, "runtimes_skipped", s->runtimes_skipped);
    add_number(rep, "input_errors", s->input_errors);
    cts_buf_adds(&rep->line, ",\"status\":{");
    for (unsigned i = 0; i < CTS_ST_COUNT; i++)
        cts_buf_addf(&rep->line, "%s\"%s\":%llu", i ? "," : "", cts_status_name((enum cts_status)i),
                     (unsigned long long)s->count[i]);
    cts_buf_adds(&rep->line, "},\"failures\":{");
    for (unsigned i = CTS_FL_NONE + 1; i < CTS_FL_COUNT; i++)
        cts_buf_addf(&rep->line, "%s\"%s\":%llu", i > CTS_FL_NONE + 1 ? "," : "",
                     cts_failure_name((enum cts_failure)i), (unsigned long long)s->failures[i]);
    cts_buf_addc(&rep->line, '}');
    add_list(rep, "warnings", s->warnings);
    add_number(rep, "ns", s->ns);
}

static void json_end(void *arg, const struct cts_summary *s)
{
    struct rep *rep = arg;
    cts_buf_adds(&rep->line, "{\"type\":\"footer\"");
    add_bool(rep, "complete", !rep->lost && s->end == CTS_END_WHOLE);
    add_text(rep, "end", cts_end_name(s->end));
    add_number(rep, "not_run", s->not_run);
    add_summary(rep, s);
    flush(rep);
    fflush(rep->opts.out);
    cts_buf_release(&rep->line);
    free(rep);
}

const struct cts_reporter cts_reporter_json = {
    .name = "json",
    .what = "JSON Lines with everything that is known of each case",
    .start = json_start,
    .engine = json_engine,
    .result = json_result,
    .end = json_end,
};
