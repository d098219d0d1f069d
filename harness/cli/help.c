#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "cli/opt.h"
#include "cts_version.h"

static const struct {
    int code;
    const char *meaning;
} exits[] = {
    {CTS_EXIT_OK, "all as expected"},
    {CTS_EXIT_FAILED,
     "some case failed, or passed although it is on record as failing, and nothing else"},
    {CTS_EXIT_USAGE, "wrong usage or bad input; the good input was run all the same"},
    {CTS_EXIT_BROKEN,
     "a worker or the harness broke, or output could not be written; there may be failures, too"},
    {CTS_EXIT_NOTHING, "nothing was selected, or nothing could run"},
    {CTS_EXIT_SIGNAL + SIGINT, "interrupted"},
    {CTS_EXIT_SIGNAL + SIGTERM, "ended by SIGTERM; likewise 129 by SIGHUP"},
};

static const struct {
    const char *name, *meaning;
} variables[] = {
    {"COLUMNS", "how wide the lines of a text report are; 80"},
    {"EBPF_CTS_CACHE", "folder of the cache, the user's own; else XDG_CACHE_HOME or ~/.cache"},
    {"EBPF_CTS_DATA", "folder that holds vectors/ and runtimes/"},
    {"EBPF_CTS_LIBEXEC", "folder of the workers instead of that of ebpf-cts"},
    {"EBPF_CTS_LLVM_MC", "the llvm-mc to use"},
    {"NO_COLOR", "no colours, whatever the terminal"},
};

static void option_left(char *buf, size_t cap, const struct cts_opt *p)
{
    char letter[5] = "    ";
    if (p->letter)
        snprintf(letter, sizeof(letter), "-%c, ", p->letter);
    snprintf(buf, cap, "%s--%s%s%s", letter, p->name, p->arg ? " " : "", p->arg ? p->arg : "");
}

/* Calls `tell` for each value of the option that has some. */
static void each_value(FILE *out, const struct cts_command *c, const struct cts_opt *p,
                       void (*tell)(FILE *out, const char *value, const char *what))
{
    for (const struct cts_opt_values *v = c->values; v && v->id; v++) {
        const char *value, *what = NULL;
        for (unsigned i = 0; v->id == p->id && (value = v->value(i, &what)) != NULL; i++)
            tell(out, value, what);
    }
}

static void help_value(FILE *out, const char *value, const char *what)
{
    fprintf(out, "  %-32s    %-9s %s\n", "", value, what ? what : "");
}

void cts_help_command(FILE *out, const struct cts_command *c)
{
    fprintf(out, "Usage: ebpf-cts %s %s\n\n%s\n", c->name, c->args, c->about);
    fprintf(out, "\nOptions:\n");
    for (const struct cts_opt *p = c->options; p && p->id; p++) {
        char left[80];
        option_left(left, sizeof(left), p);
        if (strlen(left) > 32)
            fprintf(out, "  %s\n  %-32s  %s\n", left, "", p->help);
        else
            fprintf(out, "  %-32s  %s\n", left, p->help);
        each_value(out, c, p, help_value);
    }
    fprintf(out, "  %-32s  %s\n", "-h, --help", "this text");
}

static void help_exits(FILE *out)
{
    fprintf(out, "\nExit codes:\n");
    for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
        fprintf(out, "  %-4d %s\n", exits[i].code, exits[i].meaning);
}

void cts_help_all(FILE *out)
{
    fprintf(out, "Usage: ebpf-cts COMMAND [ARGUMENTS]\n\n"
                 "Conformance tests for the BPF instruction set (RFC 9669).\n\nCommands:\n");
    for (size_t i = 0; cts_commands[i]; i++)
        fprintf(out, "  %-13s  %s\n", cts_commands[i]->name, cts_commands[i]->what);
    fprintf(out, "\nebpf-cts COMMAND --help tells more; ebpf-cts --version the version.\n");
    help_exits(out);
    fprintf(out, "\nEnvironment:\n");
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        fprintf(out, "  %-18s %s\n", variables[i].name, variables[i].meaning);
}

static void man_text(FILE *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        /* A line that begins with one of these would be a request. */
        if ((p == text || p[-1] == '\n') && (*p == '.' || *p == '\''))
            fputs("\\&", out);
        if (*p == '-' || *p == '\\')
            fputc('\\', out);
        fputc(*p, out);
    }
}

static void man_item(FILE *out, const char *head, const char *text)
{
    fprintf(out, ".TP\n.B ");
    man_text(out, head);
    fputc('\n', out);
    man_text(out, text);
    fputc('\n', out);
}

static void man_value(FILE *out, const char *value, const char *what)
{
    fprintf(out, ".br\n.B ");
    man_text(out, value);
    fprintf(out, "\n\\- ");
    man_text(out, what ? what : "");
    fputc('\n', out);
}

void cts_help_man(FILE *out)
{
    fprintf(out, ".TH EBPF\\-CTS 1 \"\" \"ebpf\\-cts %s\"\n", CTS_VERSION);
    fprintf(out, ".SH NAME\nebpf\\-cts \\- conformance tests for the BPF instruction set\n"
                 ".SH SYNOPSIS\n.B ebpf\\-cts\n.I COMMAND\n[\\fIARGUMENTS\\fR]\n.SH COMMANDS\n");
    for (size_t i = 0; cts_commands[i]; i++) {
        const struct cts_command *c = cts_commands[i];
        fprintf(out, ".SS %s ", c->name);
        man_text(out, c->args);
        fputc('\n', out);
        man_text(out, c->about);
        fputc('\n', out);
        for (const struct cts_opt *p = c->options; p && p->id; p++) {
            char left[80];
            option_left(left, sizeof(left), p);
            man_item(out, left + strspn(left, " "), p->help);
            each_value(out, c, p, man_value);
        }
    }
    fprintf(out, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
        char code[8];
        snprintf(code, sizeof(code), "%d", exits[i].code);
        man_item(out, code, exits[i].meaning);
    }
    fprintf(out, ".SH ENVIRONMENT\n");
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        man_item(out, variables[i].name, variables[i].meaning);
}
