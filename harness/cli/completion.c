/* Completion for shells, from the tables of options. What only a machine knows (runtimes, vectors)
 * is asked for when it is wanted. */
#include <stdio.h>
#include <string.h>

#include "cli/help.h"

/* Arguments that are listed: what `ebpf-cts list` calls them. */
static const struct {
    const char *arg, *list;
} listed[] = {
    {"NAME[:ENGINE]", "runtimes"},
    {"GROUP", "groups"},
    {"INSN", "insns"},
    {"CLAUSE", "clauses"},
    {"PATTERN", "vectors"},
    {"[OPTIONS] ID...", "vectors insns clauses policies"},
};

static const char *list_of(const char *arg)
{
    for (size_t i = 0; arg && i < sizeof(listed) / sizeof(listed[0]); i++)
        if (strcmp(listed[i].arg, arg) == 0)
            return listed[i].list;
    return NULL;
}

/* What may stand first. */
static void subjects(FILE *out, const struct cts_command *c)
{
    const char *subject, *what;
    for (unsigned i = 0; c->subjects && (subject = c->subjects(i, &what)) != NULL; i++)
        fprintf(out, "%.*s ", (int)strcspn(subject, " "), subject);
}

static void names(FILE *out, const struct cts_command *const *commands)
{
    for (size_t i = 0; commands[i]; i++)
        fprintf(out, "%s ", commands[i]->name);
}

static void values(FILE *out, const struct cts_opt *p)
{
    const char *value, *what;
    for (unsigned i = 0; (value = p->words(i, &what)) != NULL; i++)
        fprintf(out, "%s ", value);
}

/* Behind an option that takes one of some values. */
static void bash_values(FILE *out, const struct cts_command *c)
{
    for (const struct cts_opt *p = c->options; p && p->name; p++) {
        const char *list = list_of(p->arg);
        if (!list && !p->words)
            continue;
        fprintf(out, "    \"%s --%s\"", c->name, p->name);
        if (p->letter)
            fprintf(out, " | \"%s -%c\"", c->name, p->letter);
        fprintf(out, ") words=\"");
        if (list)
            fprintf(out, "$(_ebpf_cts_list %s)", list);
        else
            values(out, p);
        fprintf(out, "\" ;;\n");
    }
}

void cts_help_bash(FILE *out, const struct cts_command *const *commands)
{
    fprintf(out,
            "# bash completion for ebpf-cts; load it with: source <(ebpf-cts help --bash)\n"
            "_ebpf_cts_list() {\n    local what\n    for what; do\n"
            "        \"$_ebpf_cts_program\" list \"$what\" 2>/dev/null\n"
            "    done | while read -r what _; do echo \"$what\"; done\n}\n"
            /* The shell's own words end at colons, which names of engines have. */
            "_ebpf_cts() {\n    local line=${COMP_LINE:0:$COMP_POINT} words= cur prev first rest\n"
            "    local _ebpf_cts_program=${line%%%% *}\n"
            "    cur=${line##* }\n    rest=${line%%\"$cur\"}\n    rest=${rest%% }\n"
            "    prev=${rest##* }\n    first=${line#* }\n    first=${first%%%% *}\n"
            "    case $first in\n");
    for (size_t i = 0; commands[i]; i++) {
        const char *list = list_of(commands[i]->args);
        fprintf(out, "    %s) words=\"", commands[i]->name);
        subjects(out, commands[i]);
        if (list)
            fprintf(out, "$(_ebpf_cts_list %s) ", list);
        fprintf(out, "--help");
        for (const struct cts_opt *p = commands[i]->options; p && p->name; p++)
            fprintf(out, " --%s", p->name);
        fprintf(out, "\" ;;\n");
    }
    fprintf(out, "    esac\n    case \"$first $prev\" in\n");
    for (size_t i = 0; commands[i]; i++)
        bash_values(out, commands[i]);
    fprintf(out, "    esac\n    if [ \"$prev\" = \"$_ebpf_cts_program\" ]; then\n        words=\"");
    names(out, commands);
    fprintf(out, "--help --version\"\n    fi\n"
                 "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                 "    case ${COMP_WORDBREAKS-} in\n"
                 "    *:*) [ \"$cur\" = \"${cur##*:}\" ] || "
                 "COMPREPLY=(\"${COMPREPLY[@]#\"${cur%%:*}:\"}\") ;;\n"
                 "    esac\n}\n"
                 "complete -o default -F _ebpf_cts ebpf-cts\n");
}

void cts_help_zsh(FILE *out, const struct cts_command *const *commands)
{
    fprintf(out, "# zsh completion for ebpf-cts; load it with: source <(ebpf-cts help --zsh)\n"
                 "autoload -U +X compinit && compinit -u\n"
                 "autoload -U +X bashcompinit && bashcompinit\n");
    cts_help_bash(out, commands);
}

/* In single quotes. */
static void fish_text(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text; text++)
        fprintf(out, *text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
    fputc('\'', out);
}

static void fish_lists(FILE *out, const char *list)
{
    fprintf(out,
            " -a '(for l in %s; ebpf-cts list $l 2>/dev/null; end | string replace -r \" .*\" "
            "\"\")'",
            list);
}

static void fish_option(FILE *out, const struct cts_command *c, const struct cts_opt *p)
{
    const char *list = list_of(p->arg);
    fprintf(out, "complete -c ebpf-cts -n '__fish_seen_subcommand_from %s' -l %s", c->name,
            p->name);
    if (p->letter)
        fprintf(out, " -s %c", p->letter);
    if (p->arg)
        fprintf(out, " -r");
    if (list) {
        fish_lists(out, list);
    } else if (p->words) {
        fprintf(out, " -a '");
        values(out, p);
        fputc('\'', out);
    }
    fprintf(out, " -d ");
    fish_text(out, p->help);
    fputc('\n', out);
}

void cts_help_fish(FILE *out, const struct cts_command *const *commands)
{
    fprintf(out, "# fish completion for ebpf-cts; load it with: ebpf-cts help --fish | source\n");
    for (size_t i = 0; commands[i]; i++) {
        const struct cts_command *c = commands[i];
        const char *list = list_of(c->args);
        fprintf(out, "complete -c ebpf-cts -n __fish_use_subcommand -a %s -d ", c->name);
        fish_text(out, c->what);
        fprintf(out, "\ncomplete -c ebpf-cts -n '__fish_seen_subcommand_from %s' -a '", c->name);
        subjects(out, c);
        fprintf(out, "'");
        if (list)
            fish_lists(out, list);
        fputc('\n', out);
        for (const struct cts_opt *p = c->options; p && p->name; p++)
            fish_option(out, c, p);
    }
}
