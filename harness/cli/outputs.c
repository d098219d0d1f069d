#include "cli/outputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fmt.h"
#include "cli/say.h"
#include "cts_version.h"
#include "report/text.h"

const char *cts_outputs_format(unsigned i, const char **what)
{
    const struct cts_reporter *r = cts_reporters[i];
    *what = r ? r->what : NULL;
    return !r ? NULL : r->name ? r->name : "?";
}

int cts_outputs_add(void *outputs, const struct cts_opts *o)
{
    struct cts_outputs *all = outputs;
    char name[32];
    unsigned which = 0;
    size_t len = strcspn(o->value, "=");
    if (all->count == CTS_OUTPUTS_MAX)
        return cts_opts_bad(o, "more than %d reports: '%s'", CTS_OUTPUTS_MAX, o->value);
    cts_fmt(name, sizeof(name), "%.*s", (int)len, o->value);
    if (cts_opts_choose(o, "report format", name, cts_outputs_format, &which) != 0)
        return CTS_EXIT_USAGE;
    struct cts_output *out = &all->list[all->count++];
    out->format = cts_reporters[which];
    out->path = o->value[len] && strcmp(o->value + len + 1, "-") != 0 ? o->value + len + 1 : NULL;
    return 0;
}

const char *cts_color_word(unsigned i, const char **what)
{
    static const char *const words[][2] = {
        [CTS_COLOR_AUTO] = {"auto", "on a terminal (default)"},
        [CTS_COLOR_ALWAYS] = {"always", NULL},
        [CTS_COLOR_NEVER] = {"never", NULL},
    };
    bool known = i < sizeof(words) / sizeof(words[0]);
    *what = known ? words[i][1] : NULL;
    return known ? words[i][0] : NULL;
}

static bool wants_color(const struct cts_outputs *all, const struct cts_output *out)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    if (all->color != CTS_COLOR_AUTO)
        return all->color == CTS_COLOR_ALWAYS;
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
            cts_say("ebpf-cts: the report %s is incomplete\n", all->list[i].format->name);
    }
    return good;
}
