#include "cli/outputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/say.h"
#include "cts_version.h"

int cts_outputs_add(struct cts_outputs *all, const struct cts_opts *o)
{
    char name[32];
    size_t len = strcspn(o->value, "=");
    if (len >= sizeof(name) || all->count == CTS_OUTPUTS_MAX)
        return cts_opts_bad(o, "cannot report as '%s'", o->value);
    memcpy(name, o->value, len);
    name[len] = '\0';
    struct cts_output *out = &all->list[all->count];
    out->reporter = cts_reporter_find(name);
    out->path = o->value[len] && strcmp(o->value + len + 1, "-") != 0 ? o->value + len + 1 : NULL;
    if (!out->reporter) {
        cts_say("ebpf-cts %s: no report format '%s'; there are:", o->command, name);
        for (size_t i = 0; cts_reporters[i]; i++)
            cts_say(" %s", cts_reporters[i]->name);
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

static int open_one(struct cts_outputs *all, struct cts_output *out,
                    const struct cts_vectors *vectors)
{
    if (strcmp(out->reporter->name, "text") != 0 && !all->hash[0])
        cts_vectors_hash(vectors, all->hash);
    out->opts = all->opts;
    out->opts.out = stdout;
    out->opts.color = wants_color(all, out);
    out->opts.suite_version = CTS_VERSION;
    out->opts.vectors_hash = all->hash;
    if (out->path && !(out->opts.out = fopen(out->path, "w"))) {
        cts_say("%s: cannot write: %s\n", out->path, strerror(errno));
        return CTS_EXIT_USAGE;
    }
    out->arg = out->reporter->start(&out->opts);
    if (out->arg)
        return 0;
    cts_say("out of memory\n");
    return CTS_EXIT_BROKEN;
}

int cts_outputs_open(struct cts_outputs *all, const struct cts_vectors *vectors)
{
    int code = 0;
    if (all->count == 0)
        all->list[all->count++] = (struct cts_output){.reporter = cts_reporter_find("text")};
    for (unsigned i = 0; code == 0 && i < all->count; i++)
        code = open_one(all, &all->list[i], vectors);
    return code;
}

void cts_outputs_engine(struct cts_outputs *all, const struct cts_engine_info *info)
{
    for (unsigned i = 0; i < all->count; i++)
        all->list[i].reporter->engine(all->list[i].arg, info);
}

void cts_outputs_result(struct cts_outputs *all, const struct cts_result *r)
{
    for (unsigned i = 0; i < all->count; i++)
        all->list[i].reporter->result(all->list[i].arg, r);
}

bool cts_outputs_close(struct cts_outputs *all, const struct cts_summary *s)
{
    bool good = true;
    for (unsigned i = 0; i < all->count; i++) {
        struct cts_output *o = &all->list[i];
        if (o->arg)
            o->reporter->end(o->arg, s);
        bool bad = !o->opts.out || fflush(o->opts.out) != 0 || ferror(o->opts.out);
        if (o->path && o->opts.out)
            bad = fclose(o->opts.out) != 0 || bad;
        if (bad && o->path) /* of standard output main tells */
            cts_say("%s: cannot write the report\n", o->path);
        good = good && !bad;
    }
    return good;
}
