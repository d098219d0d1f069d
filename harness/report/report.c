#include "report/report.h"

#include <string.h>

const struct cts_reporter *cts_reporter_find(const char *name)
{
    for (size_t i = 0; cts_reporters[i]; i++)
        if (cts_reporters[i]->name && strcmp(cts_reporters[i]->name, name) == 0)
            return cts_reporters[i];
    return NULL;
}

bool cts_report_start(struct cts_report *r, const struct cts_reporter *format,
                      const struct cts_report_opts *opts)
{
    *r = (struct cts_report){.format = format, .opts = *opts};
    if (!r->opts.time)
        r->opts.time = "";
    if (!format->start)
        return true;
    r->arg = format->start(&r->opts);
    return r->arg != NULL;
}

void cts_report_engine(struct cts_report *r, const struct cts_engine_info *info)
{
    if (r->format->engine)
        r->format->engine(r->arg, info);
}

void cts_report_result(struct cts_report *r, const struct cts_result *result)
{
    if (r->format->result)
        r->format->result(r->arg, result);
}

void cts_report_end(struct cts_report *r, const struct cts_summary *s)
{
    if (r->format->end)
        r->format->end(r->arg, s);
    r->arg = NULL;
}
