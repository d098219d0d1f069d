#include "cli/opt.h"

#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/nearest.h"
#include "cli/say.h"

enum { WORDS_MAX = 64 };

void cts_opts_init(struct cts_opts *o, const char *command, const struct cts_opt *table, int argc,
                   char **argv)
{
    *o = (struct cts_opts){.command = command, .table = table, .argc = argc, .argv = argv, .at = 1};
}

int cts_opts_bad_list(const char *command, const char *fmt, va_list ap)
{
    const char *blank = command ? " " : "", *name = command ? command : "";
    cts_say("ebpf-cts%s%s: ", blank, name);
    cts_say_list(fmt, ap);
    cts_say("\nTry: ebpf-cts%s%s --help\n", blank, name);
    return CTS_EXIT_USAGE;
}

int cts_opts_bad(const struct cts_opts *o, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int code = cts_opts_bad_list(o->command, fmt, ap);
    va_end(ap);
    return code;
}

/* ---- which option it is ---- */

static int unknown(const struct cts_opts *o, const char *name, size_t len)
{
    const char *names[WORDS_MAX];
    char text[64];
    size_t count = 0;
    for (const struct cts_opt *p = o->table; p && p->name && count < WORDS_MAX; p++)
        names[count++] = p->name;
    cts_fmt(text, sizeof(text), "%.*s", (int)len, name);
    const char *near = cts_nearest(text, names, count);
    if (near)
        return cts_opts_bad(o, "unknown option --%s; did you mean --%s?", text, near);
    return cts_opts_bad(o, "unknown option --%s", text);
}

/* The option of this name, or the only one that begins like it; null after a message. */
static const struct cts_opt *by_name(const struct cts_opts *o, const char *name, size_t len)
{
    const struct cts_opt *found = NULL;
    for (const struct cts_opt *p = o->table; p && p->name; p++) {
        if (strncmp(p->name, name, len) != 0)
            continue;
        if (p->name[len] == '\0')
            return p;
        if (found) {
            cts_opts_bad(o, "--%.*s may be --%s or --%s", (int)len, name, found->name, p->name);
            return NULL;
        }
        found = p;
    }
    if (!found)
        unknown(o, name, len);
    return found;
}

static const struct cts_opt *by_letter(const struct cts_opts *o, char letter)
{
    for (const struct cts_opt *p = o->table; p && p->name; p++)
        if (p->letter == letter)
            return p;
    return NULL;
}

static enum cts_opts_next found(struct cts_opts *o, const struct cts_opt *p)
{
    o->opt = p;
    o->given |= (uint64_t)1 << (p - o->table);
    return CTS_NEXT_OPTION;
}

static enum cts_opts_next next_long(struct cts_opts *o, const char *text)
{
    size_t len = strcspn(text, "=");
    if (len == 4 && strncmp(text, "help", 4) == 0)
        return CTS_NEXT_HELP;
    const struct cts_opt *p = by_name(o, text, len);
    if (!p)
        return CTS_NEXT_BAD;
    if (!p->arg && text[len])
        return (cts_opts_bad(o, "--%s takes no value", p->name), CTS_NEXT_BAD);
    o->value = text[len] ? text + len + 1 : NULL;
    if (p->arg && !o->value) {
        if (o->at >= o->argc)
            return (cts_opts_bad(o, "--%s needs a value: %s", p->name, p->arg), CTS_NEXT_BAD);
        o->value = o->argv[o->at++];
    }
    return found(o, p);
}

static enum cts_opts_next next_letter(struct cts_opts *o)
{
    char letter[2] = {*o->cluster++, '\0'};
    const struct cts_opt *p = by_letter(o, letter[0]);
    if (letter[0] == 'h' && !p)
        return CTS_NEXT_HELP;
    if (!p)
        return (cts_opts_bad(o, "unknown option -%s", letter), CTS_NEXT_BAD);
    o->value = NULL;
    if (!p->arg)
        return found(o, p);
    if (*o->cluster)
        o->value = o->cluster + (*o->cluster == '=');
    else if (o->at < o->argc)
        o->value = o->argv[o->at++];
    o->cluster = NULL;
    if (!o->value)
        return (cts_opts_bad(o, "-%s needs a value: %s", letter, p->arg), CTS_NEXT_BAD);
    return found(o, p);
}

enum cts_opts_next cts_opts_next(struct cts_opts *o)
{
    if (o->cluster && *o->cluster)
        return next_letter(o);
    if (o->at >= o->argc)
        return CTS_NEXT_END;
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
    return CTS_NEXT_ARGUMENT;
}

/* ---- what it sets ---- */

static int take_number(const struct cts_opts *o, unsigned *out)
{
    const struct cts_opt *p = o->opt;
    char *end;
    unsigned long v = strtoul(o->value, &end, 10);
    if (o->value[0] < '0' || o->value[0] > '9' || *end || v < p->lo || v > p->hi)
        return cts_opts_bad(o, "--%s: expected a whole number from %u to %u, found '%s'", p->name,
                            p->lo, p->hi, o->value);
    *out = (unsigned)v;
    return 0;
}

int cts_opts_choose(const struct cts_opts *o, const char *what, const char *value,
                    cts_words_fn words, unsigned *out)
{
    const char *list[WORDS_MAX], *line;
    char all[256];
    size_t len = 0;
    unsigned count = 0;
    while (count < WORDS_MAX && (list[count] = words(count, &line)) != NULL)
        count++;
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(list[i], value) == 0) {
            *out = i;
            return 0;
        }
        len += cts_fmt(all + len, sizeof(all) - len, "%s%s",
                       i == 0          ? ""
                       : i + 1 < count ? ", "
                                       : " or ",
                       list[i]);
        len = len < sizeof(all) ? len : sizeof(all) - 1;
    }
    const char *near = cts_nearest(value, list, count);
    if (near)
        return cts_opts_bad(o, "unknown %s '%s'; did you mean '%s'?", what, value, near);
    return cts_opts_bad(o, "unknown %s '%s'; expected %s", what, value, all);
}

int cts_opts_collect(const struct cts_opts *o, const char **list, unsigned *count, unsigned most)
{
    if (*count == most)
        return cts_opts_bad(o, "more than %u: '%s'", most, o->value);
    list[(*count)++] = o->value;
    return 0;
}

int cts_opts_take(const struct cts_opts *o, void *command)
{
    const struct cts_opt *p = o->opt;
    char *at = (char *)command + p->at;
    switch (p->kind) {
    case CTS_OPT_IS_FLAG:
        *(bool *)(void *)at = true;
        return 0;
    case CTS_OPT_IS_TEXT:
        *(const char **)(void *)at = o->value;
        return 0;
    case CTS_OPT_IS_LIST:
        return cts_opts_collect(o, (const char **)(void *)at,
                                (unsigned *)(void *)((char *)command + p->count_at), p->hi);
    case CTS_OPT_IS_NUMBER:
        return take_number(o, (unsigned *)(void *)at);
    case CTS_OPT_IS_CHOICE:
        return cts_opts_choose(o, p->name, o->value, p->words, (unsigned *)(void *)at);
    case CTS_OPT_IS_OTHER:
        return p->take(at, o);
    }
    return CTS_EXIT_USAGE;
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
