#include "cli/opt.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/say.h"

void cts_opts_init(struct cts_opts *o, const char *command, const struct cts_opt *table, int argc,
                   char **argv)
{
    *o = (struct cts_opts){.command = command, .table = table, .argc = argc, .argv = argv, .at = 1};
}

int cts_opts_bad(const struct cts_opts *o, const char *fmt, ...)
{
    va_list ap;
    cts_say("ebpf-cts %s: ", o->command);
    va_start(ap, fmt);
    cts_say_list(fmt, ap);
    va_end(ap);
    cts_say("\nTry: ebpf-cts %s --help\n", o->command);
    return CTS_EXIT_USAGE;
}

static const struct cts_opt *by_name(const struct cts_opts *o, const char *name, size_t len)
{
    const struct cts_opt *found = NULL;
    for (const struct cts_opt *p = o->table; p && p->id; p++) {
        if (strncmp(p->name, name, len) != 0)
            continue;
        if (p->name[len] == '\0')
            return p;
        if (found)
            return NULL; /* two begin like this */
        found = p;
    }
    return found;
}

static const struct cts_opt *by_letter(const struct cts_opts *o, char letter)
{
    for (const struct cts_opt *p = o->table; p && p->id; p++)
        if (p->letter == letter)
            return p;
    return NULL;
}

static int next_long(struct cts_opts *o, const char *text)
{
    size_t len = strcspn(text, "=");
    const struct cts_opt *p = by_name(o, text, len);
    if (len == 4 && strncmp(text, "help", 4) == 0)
        return CTS_OPT_HELP;
    if (!p)
        return (cts_opts_bad(o, "no option --%s", text), CTS_OPT_BAD);
    if (!p->arg && text[len])
        return (cts_opts_bad(o, "--%s takes no value", p->name), CTS_OPT_BAD);
    o->value = text[len] ? text + len + 1 : NULL;
    if (p->arg && !o->value) {
        if (o->at >= o->argc)
            return (cts_opts_bad(o, "--%s needs a value", p->name), CTS_OPT_BAD);
        o->value = o->argv[o->at++];
    }
    return p->id;
}

static int next_letter(struct cts_opts *o)
{
    char letter[2] = {*o->cluster++, '\0'};
    const struct cts_opt *p = by_letter(o, letter[0]);
    if (letter[0] == 'h' && !p)
        return CTS_OPT_HELP;
    if (!p)
        return (cts_opts_bad(o, "no option -%s", letter), CTS_OPT_BAD);
    o->value = NULL;
    if (!p->arg)
        return p->id;
    if (*o->cluster)
        o->value = o->cluster + (*o->cluster == '=');
    else if (o->at < o->argc)
        o->value = o->argv[o->at++];
    o->cluster = NULL;
    return o->value ? p->id : (cts_opts_bad(o, "-%s needs a value", letter), CTS_OPT_BAD);
}

int cts_opts_next(struct cts_opts *o)
{
    if (o->cluster && *o->cluster)
        return next_letter(o);
    if (o->at >= o->argc)
        return CTS_OPT_END;
    const char *a = o->argv[o->at++];
    if (!o->only_args && strcmp(a, "--") == 0) {
        o->only_args = true;
        return cts_opts_next(o);
    }
    if (!o->only_args && a[0] == '-' && a[1] == '-')
        return next_long(o, a + 2);
    if (!o->only_args && a[0] == '-' && a[1]) {
        o->cluster = a + 1;
        return next_letter(o);
    }
    o->value = a;
    return CTS_OPT_ARG;
}

bool cts_opt_number(const struct cts_opts *o, const char *what, unsigned lo, unsigned hi,
                    unsigned *out)
{
    char *end;
    unsigned long v = strtoul(o->value, &end, 10);
    if (o->value[0] < '0' || o->value[0] > '9' || *end || v < lo || v > hi) {
        cts_say("ebpf-cts %s: %s is '%s', not a whole number from %u to %u\n", o->command, what,
                o->value, lo, hi);
        return false;
    }
    *out = (unsigned)v;
    return true;
}

int cts_opts_collect(const struct cts_opts *o, const char **list, unsigned *count, unsigned most)
{
    if (*count == most)
        return cts_opts_bad(o, "too many options like '%s'", o->value);
    list[(*count)++] = o->value;
    return 0;
}

int cts_command_parse(const struct cts_command *c, int argc, char **argv,
                      int (*take)(void *arg, const struct cts_opts *o, int id), void *arg)
{
    struct cts_opts o;
    int id, code = 0;
    cts_opts_init(&o, c->name, c->options, argc, argv);
    while (code == 0 && (id = cts_opts_next(&o)) != CTS_OPT_END) {
        if (id == CTS_OPT_HELP) {
            cts_help_command(stdout, c);
            return CTS_OPT_HELP;
        }
        code = id == CTS_OPT_BAD ? (int)CTS_EXIT_USAGE : take(arg, &o, id);
    }
    return code;
}

int cts_complain(const struct cts_err *err)
{
    static const int broken[] = {CTS_E_NOMEM, CTS_E_WORKER,      CTS_E_PROTOCOL, CTS_E_TIMEOUT,
                                 CTS_E_TOOL,  CTS_E_UNSUPPORTED, CTS_E_BUSY,     CTS_E_UNCLEAR};
    char text[CTS_ERR_MSG_MAX + CTS_ERR_FILE_MAX];
    cts_say("ebpf-cts: %s\n", cts_err_text(err, text, sizeof(text)));
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
        if (err->code == broken[i])
            return CTS_EXIT_BROKEN;
    return CTS_EXIT_USAGE;
}
