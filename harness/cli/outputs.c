#include "cli/outputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/say.h"
#include "cts_version.h"
#include "report/text.h"

const char *cts_outputs_format(unsigned i, const char **what)
{
    const struct cts_reporter *r = cts_reporters[i];
    *what = r ? r->what : NULL;
    return !r ? NULL : r->name ? r->name : "?";
}

int cts_outputs_add(struct cts_outputs *all, const struct cts_opts *o)
{
    char name[32];
    size_t len = strcspn(o->value, "=");
    if (len >= sizeof(name) || all->count == CTS_OUTPUTS_MAX)
        return cts_opts_bad(o, "cannot report as '%s'", o->value);
    memcpy(name, o->value, len);
    name[len] = '\0';
    struct cts_output *out = &all->list[all->count];
    out->format = cts_reporter_find(name);
    out->path = o->value[len] && strcmp(o->value + len + 1, "-") != 0 ? o->value + len + 1 : NULL;
    if (!out->format) {
        const char *format, *what;
        cts_say("ebpf-cts %s: no report format '%s'; there are:", o->command, name);
        for (unsigned i = 0; (format = cts_outputs_format(i, &what)) != NULL; i++)
            cts_say(" %s", format);
        cts_say("\n");
        return CTS_EXIT_USAGE;
    }
    all->count++;
    return 0;
}

int cts_outputs_color(struct cts_outputs *all, const struct cts_opts *o)
{
    const char *text = o->value;
    if (strcmp(text, "auto") != 0 && strcmp(text, "always") != 0 && strcmp(text, "never") != 0)
        return cts_opts_bad(o, "--color is auto, always or never, not '%s'", text);
    all->color = text;
    return 0;
}

static bool wants_color(const struct cts_outputs *all, const struct cts_output *out)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    if (all->color && strcmp(all->color, "auto") != 0)
        return strcmp(all->color, "always") == 0;
    return !out->path && !(no && no[0]) && !(term && strcmp(term, "dumb") == 0) &&
           isatty(STDOUT_FILENO);
}

/* COLUMNS, which says how wide a terminal is; reports look the same without one. */
static unsigned width_of_lines(void)
{
    enum { NARROWEST = 40, USUAL = 80 };
    const char *text = getenv("COLUMNS");
    char *end;
    unsigned long v = text ? strtoul(text, &end, 10) : 0;
    return text && *end == '\0' && v >= NARROWEST && v <= UINT16_MAX ? (unsigned)v : USUAL;
}

static int complain(const struct cts_err *err)
{
    char text[CTS_ERR_MSG_MAX + CTS_ERR_FILE_MAX];
    cts_say("ebpf-cts: %s\n", cts_err_text(err, text, sizeof(text)));
    return CTS_EXIT_BROKEN;
}

int cts_outputs_check(struct cts_outputs *all, struct cts_files *files, struct cts_err *err)
{
    int rc = 0;
    if (all->count == 0)
        all->list[all->count++] = (struct cts_output){.format = cts_reporter_find("text")};
    for (unsigned i = 0; rc == 0 && i < all->count; i++)
        rc = cts_files_write(files, all->list[i].path, err);
    return rc;
}

bool cts_outputs_are_reproducible(const struct cts_outputs *all)
{
    return all->opts.reproducible || cts_text_time_is_given();
}

static int open_one(struct cts_outputs *all, struct cts_output *out,
                    const struct cts_vectors *vectors)
{
    struct cts_err err = {0};
    struct cts_report_opts opts = all->opts;
    if (strcmp(out->format->name, "text") != 0 && !all->hash[0])
        cts_vectors_hash(vectors, all->hash);
    if (out->path && cts_outfile_open(&out->file, out->path, &err) != 0)
        return complain(&err);
    out->open = true;
    opts.out = out->path ? out->file.f : stdout;
    opts.color = wants_color(all, out);
    opts.width = width_of_lines();
    opts.lost = &out->lost;
    opts.time = all->time;
    opts.suite_version = CTS_VERSION;
    opts.vectors_hash = all->hash;
    if (cts_report_start(&out->report, out->format, &opts))
        return 0;
    cts_say("out of memory\n");
    return CTS_EXIT_BROKEN;
}

int cts_outputs_open(struct cts_outputs *all, const struct cts_vectors *vectors)
{
    int code = 0;
    if (!all->opts.reproducible || cts_text_time_is_given())
        cts_text_time(all->time);
    all->opts.reproducible = cts_outputs_are_reproducible(all);
    for (unsigned i = 0; code == 0 && i < all->count; i++)
        code = open_one(all, &all->list[i], vectors);
    for (unsigned i = 0; code != 0 && i < all->count; i++)
        if (all->list[i].path && all->list[i].open)
            cts_outfile_drop(&all->list[i].file);
    return code;
}

void cts_outputs_engine(struct cts_outputs *all, const struct cts_engine_info *info)
{
    for (unsigned i = 0; i < all->count; i++)
        cts_report_engine(&all->list[i].report, info);
}

void cts_outputs_result(struct cts_outputs *all, const struct cts_result *r)
{
    for (unsigned i = 0; i < all->count; i++)
        cts_report_result(&all->list[i].report, r);
}

/* Of standard output main tells. */
static bool close_one(struct cts_output *o)
{
    struct cts_err err = {0};
    if (!o->path)
        return fflush(stdout) == 0 && !ferror(stdout);
    if (cts_outfile_end(&o->file, &err) == 0)
        return true;
    complain(&err);
    return false;
}

bool cts_outputs_close(struct cts_outputs *all, const struct cts_summary *s)
{
    bool good = true;
    for (unsigned i = 0; i < all->count; i++) {
        cts_report_end(&all->list[i].report, s);
        good = close_one(&all->list[i]) && !all->list[i].lost && good;
        if (all->list[i].lost)
            cts_say("ebpf-cts: the report %s is not complete\n", all->list[i].format->name);
    }
    return good;
}
