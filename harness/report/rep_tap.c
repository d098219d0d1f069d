/* TAP, for prove, meson and Automake. What is written is valid in version 14 but for its first
 * line: it says 13, because the prove of many systems refuses 14. */
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "report/text.h"

struct rep {
    struct cts_report_opts opts;
    struct cts_buf line, id;
    uint64_t count;
};

static void *tap_start(const struct cts_report_opts *opts)
{
    struct rep *rep = calloc(1, sizeof(*rep));
    if (!rep)
        return NULL;
    rep->opts = *opts;
    cts_buf_init(&rep->line, 0);
    cts_buf_init(&rep->id, 0);
    cts_buf_adds(&rep->line, "TAP version 13\n");
    cts_text_flush(&rep->line, opts->out);
    return rep;
}

static void tap_engine(void *arg, const struct cts_engine_info *info)
{
    struct rep *rep = arg;
    cts_buf_adds(&rep->line, "# ");
    cts_text_line(&rep->line, info->runtime);
    cts_buf_addc(&rep->line, ':');
    cts_text_line(&rep->line, info->engine);
    cts_buf_addc(&rep->line, ' ');
    cts_text_engine(&rep->line, info);
    cts_buf_addc(&rep->line, '\n');
    if (info->state == CTS_EN_BROKEN) {
        cts_buf_addf(&rep->line, "not ok %llu - ", (unsigned long long)++rep->count);
        cts_text_line(&rep->line, info->runtime);
        cts_buf_addc(&rep->line, ':');
        cts_text_line(&rep->line, info->engine);
        cts_buf_adds(&rep->line, " starts\n");
    }
    cts_text_flush(&rep->line, rep->opts.out);
}

/* A '#' or a backslash in a description or a reason would begin something else. */
static void add_escaped(struct cts_buf *b, const char *text)
{
    for (; *text; text++) {
        if (*text == '#' || *text == '\\')
            cts_buf_addc(b, '\\');
        cts_buf_addc(b, *text);
    }
}

static void add_point(struct rep *rep, bool ok, const struct cts_result *r)
{
    cts_buf_clear(&rep->id);
    cts_text_line(&rep->id, r->runtime);
    cts_buf_addc(&rep->id, ':');
    cts_text_line(&rep->id, r->engine);
    cts_buf_addc(&rep->id, ' ');
    cts_text_line(&rep->id, r->vector);
    cts_buf_addc(&rep->id, '#');
    cts_text_line(&rep->id, r->kase);
    cts_buf_addf(&rep->line, "%s %llu - ", ok ? "ok" : "not ok", (unsigned long long)++rep->count);
    add_escaped(&rep->line, cts_buf_text(&rep->id));
}

static void add_directive(struct rep *rep, const char *directive, const char *why)
{
    cts_buf_clear(&rep->id);
    cts_text_line(&rep->id, why);
    cts_buf_addf(&rep->line, " # %s ", directive);
    add_escaped(&rep->line, cts_buf_text(&rep->id));
}

/* A block scalar. Its first line must not begin with a space, or readers of less than all of YAML
 * stumble: its indentation is taken off every line. */
static void add_detail(struct rep *rep, const char *text)
{
    cts_buf_clear(&rep->id);
    cts_text_block(&rep->id, "", text);
    const char *line = cts_buf_text(&rep->id);
    while (line[strspn(line, " ")] == '\n')
        line += strspn(line, " ") + 1;
    size_t most = strspn(line, " ");
    if (*line)
        cts_buf_adds(&rep->line, "  detail: |\n");
    while (*line) {
        size_t len = strcspn(line, "\n"), spaces = strspn(line, " ");
        size_t off = spaces < most ? spaces : most;
        cts_buf_adds(&rep->line, "    ");
        cts_buf_add(&rep->line, line + off, len - off);
        cts_buf_addc(&rep->line, '\n');
        line += len + (line[len] == '\n');
    }
}

static void add_yaml(struct rep *rep, const struct cts_result *r)
{
    struct cts_buf *b = &rep->line;
    cts_buf_adds(b, "  ---\n  message: ");
    cts_text_json(b, r->message);
    cts_buf_addf(b, "\n  severity: %s\n  failure: %s\n",
                 r->status == CTS_ST_ERROR ? "error" : "fail", cts_failure_name(r->failure));
    if (r->known && r->known[0]) {
        cts_buf_adds(b, "  known: ");
        cts_text_json(b, r->known);
        cts_buf_addc(b, '\n');
    }
    if (r->file && r->file[0]) {
        cts_buf_adds(b, "  at:\n    file: ");
        cts_text_json(b, r->file);
        cts_buf_addf(b, "\n    line: %u\n", r->line);
    }
    if (r->detail)
        add_detail(rep, r->detail);
    cts_buf_adds(b, "  ...\n");
}

static void tap_result(void *arg, const struct cts_result *r)
{
    struct rep *rep = arg;
    bool ok = r->status == CTS_ST_PASS || r->status == CTS_ST_SKIP;
    add_point(rep, ok, r);
    if (r->status == CTS_ST_SKIP)
        add_directive(rep, "SKIP", r->message);
    if (r->status == CTS_ST_XFAIL)
        add_directive(rep, "TODO", r->known);
    cts_buf_addc(&rep->line, '\n');
    if (!ok)
        add_yaml(rep, r);
    cts_text_flush(&rep->line, rep->opts.out);
}

static void tap_end(void *arg, const struct cts_summary *s)
{
    struct rep *rep = arg;
    for (size_t i = 0; s->warnings && s->warnings[i]; i++) {
        cts_buf_adds(&rep->line, "# warning: ");
        cts_text_line(&rep->line, s->warnings[i]);
        cts_buf_addc(&rep->line, '\n');
    }
    /* The plan is allowed to come last; nobody knows it before. */
    cts_buf_addf(&rep->line, "1..%llu%s\n", (unsigned long long)rep->count,
                 rep->count ? "" : " # SKIP nothing was run");
    if (s->end != CTS_END_WHOLE) {
        cts_buf_adds(&rep->line, "Bail out! ");
        cts_text_incomplete(&rep->line, s);
        cts_buf_addc(&rep->line, '\n');
    }
    cts_text_flush(&rep->line, rep->opts.out);
    fflush(rep->opts.out);
    cts_buf_release(&rep->line);
    cts_buf_release(&rep->id);
    free(rep);
}

const struct cts_reporter cts_reporter_tap = {
    .name = "tap",
    .what = "TAP, as prove, meson and Automake read it",
    .start = tap_start,
    .engine = tap_engine,
    .result = tap_result,
    .end = tap_end,
};
