#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "cli/help.h"
#include "cts_version.h"

static const struct {
    int code;
    const char *meaning;
} exits[] = {
    {CTS_EXIT_OK, "everything came out as expected"},
    {CTS_EXIT_FAILED, "a test case failed, or passed although a failure was expected (xpass); "
                      "nothing else went wrong"},
    {CTS_EXIT_USAGE, "wrong usage or bad input; the good input was run all the same"},
    {CTS_EXIT_BROKEN, "a worker or the harness broke, or output could not be written; there may "
                      "be failures, too"},
    {CTS_EXIT_NOTHING, "nothing was selected, or nothing could run"},
    {CTS_EXIT_SIGNAL + SIGINT, "interrupted"},
    {CTS_EXIT_SIGNAL + SIGTERM, "ended by SIGTERM; likewise 129 by SIGHUP"},
};

static const struct {
    const char *name, *meaning;
} variables[] = {
    {"COLUMNS", "width of a text report's lines; default 80"},
    {"EBPF_CTS_CACHE", "cache folder; default: XDG_CACHE_HOME/ebpf-cts or ~/.cache/ebpf-cts"},
    {"EBPF_CTS_DATA", "folder that holds vectors/, spec/ and runtimes/"},
    {"EBPF_CTS_LIBEXEC", "folder of the workers; default: that of ebpf-cts"},
    {"EBPF_CTS_LLVM_MC", "the llvm-mc to use"},
    {"NO_COLOR", "no colours, whatever the terminal"},
};

enum { LINE = 79, LEFT = 30, VALUE = 14 };

/* Words from column `at` on, in lines of LINE columns whose text begins at `indent`. */
static void wrap(FILE *out, unsigned at, unsigned indent, const char *text)
{
    unsigned column = at;
    while (*text) {
        size_t len = strcspn(text, " \n");
        if (column > indent && column + 1 + len > LINE) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", (int)len, text);
        column += (unsigned)len;
        text += len;
        text += strspn(text, " ");
        if (text[0] == '\n' && text[1] == '\n') {
            fprintf(out, "\n\n%*s", (int)indent, "");
            column = indent;
        }
        text += strspn(text, " \n");
    }
    fputc('\n', out);
}

/* `left` and, from column `indent` on, a text; the text below it where `left` is too long. */
static void item(FILE *out, unsigned indent, const char *left, const char *text)
{
    fputs(left, out);
    if (strlen(left) + 1 < indent)
        fprintf(out, "%*s", (int)(indent - strlen(left)), "");
    else
        fprintf(out, "\n%*s", (int)indent, "");
    wrap(out, indent, indent, text);
}

static void option_left(char *buf, size_t cap, const struct cts_opt *p)
{
    char letter[5] = "    ";
    if (p->letter)
        snprintf(letter, sizeof(letter), "-%c, ", p->letter);
    snprintf(buf, cap, "  %s--%s%s%s", letter, p->name, p->arg ? " " : "", p->arg ? p->arg : "");
}

static void help_values(FILE *out, const struct cts_opt *p)
{
    const char *value, *what = NULL;
    for (unsigned i = 0; p->words && (value = p->words(i, &what)) != NULL; i++) {
        char left[LEFT + 64];
        snprintf(left, sizeof(left), "%*s%s", LEFT + 2, "", value);
        if (what)
            item(out, LEFT + 2 + VALUE, left, what);
        else
            fprintf(out, "%s\n", left);
    }
}

static void help_options(FILE *out, const struct cts_command *c)
{
    fprintf(out, "\nOptions:\n");
    for (const struct cts_opt *p = c->options; p && p->name; p++) {
        char left[80];
        option_left(left, sizeof(left), p);
        item(out, LEFT, left, p->help);
        help_values(out, p);
    }
    item(out, LEFT, "  -h, --help", "show this help");
}

static void help_subjects(FILE *out, const struct cts_command *c)
{
    const char *subject, *what = NULL;
    for (unsigned i = 0; c->subjects && (subject = c->subjects(i, &what)) != NULL; i++) {
        char left[64];
        snprintf(left, sizeof(left), "  %s", subject);
        if (i == 0)
            fputc('\n', out);
        item(out, 20, left, what ? what : "");
    }
}

static void help_examples(FILE *out, const struct cts_command *c)
{
    for (unsigned i = 0; i < CTS_EXAMPLES_MAX && c->examples[i].call; i++) {
        fprintf(out, "%s  %s\n      ", i ? "" : "\nExamples:\n", c->examples[i].call);
        wrap(out, 6, 6, c->examples[i].what);
    }
}

void cts_help_command(FILE *out, const struct cts_command *c)
{
    fprintf(out, "Usage: ebpf-cts %s %s\n\n", c->name, c->args);
    wrap(out, 0, 0, c->about);
    help_subjects(out, c);
    help_options(out, c);
    help_examples(out, c);
}

static void help_exits(FILE *out)
{
    fprintf(out, "\nExit codes:\n");
    for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
        char left[16];
        snprintf(left, sizeof(left), "  %d", exits[i].code);
        item(out, 7, left, exits[i].meaning);
    }
}

void cts_help_all(FILE *out, const struct cts_command *const *commands)
{
    char left[32];
    fprintf(out, "Usage: ebpf-cts COMMAND [ARGUMENTS]\n\n"
                 "Conformance tests for the BPF instruction set (RFC 9669).\n\nCommands:\n");
    for (size_t i = 0; commands[i]; i++) {
        snprintf(left, sizeof(left), "  %s", commands[i]->name);
        item(out, 17, left, commands[i]->what);
    }
    fprintf(out, "\n\"ebpf-cts COMMAND --help\" explains a command, \"ebpf-cts --version\" prints\n"
                 "the version.\n");
    help_exits(out);
    fprintf(out, "\nEnvironment:\n");
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        snprintf(left, sizeof(left), "  %s", variables[i].name);
        item(out, 21, left, variables[i].meaning);
    }
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

static void man_values(FILE *out, const struct cts_opt *p)
{
    const char *value, *what = NULL;
    for (unsigned i = 0; p->words && (value = p->words(i, &what)) != NULL; i++) {
        fprintf(out, ".br\n.B ");
        man_text(out, value);
        fprintf(out, "\n\\- ");
        man_text(out, what ? what : "");
        fputc('\n', out);
    }
}

static void man_command(FILE *out, const struct cts_command *c)
{
    const char *subject, *what = NULL;
    fprintf(out, ".SS %s ", c->name);
    man_text(out, c->args);
    fputc('\n', out);
    man_text(out, c->about);
    fputc('\n', out);
    for (unsigned i = 0; c->subjects && (subject = c->subjects(i, &what)) != NULL; i++)
        man_item(out, subject, what ? what : "");
    for (const struct cts_opt *p = c->options; p && p->name; p++) {
        char left[80];
        option_left(left, sizeof(left), p);
        man_item(out, left + strspn(left, " "), p->help);
        man_values(out, p);
    }
    for (unsigned i = 0; i < CTS_EXAMPLES_MAX && c->examples[i].call; i++)
        man_item(out, c->examples[i].call, c->examples[i].what);
}

void cts_help_man(FILE *out, const struct cts_command *const *commands)
{
    fprintf(out, ".TH EBPF\\-CTS 1 \"\" \"ebpf\\-cts %s\"\n", CTS_VERSION);
    fprintf(out, ".SH NAME\nebpf\\-cts \\- conformance tests for the BPF instruction set\n"
                 ".SH SYNOPSIS\n.B ebpf\\-cts\n.I COMMAND\n[\\fIARGUMENTS\\fR]\n.SH COMMANDS\n");
    for (size_t i = 0; commands[i]; i++)
        man_command(out, commands[i]);
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
