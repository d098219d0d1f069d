/* Completion for shells, from the tables of options. What only a machine knows (runtimes, vectors)
 * is asked for when it is wanted. */
#include <stdio.h>
#include <string.h>

#include "cli/opt.h"

/* Arguments that are listed: what `ebpf-cts list` calls them. */
static const struct {
    const char *arg, *list;
} listed[] = {
    {"NAME[:ENGINE]", "runtimes"},
    {"GROUP", "groups"},
    {"ROW", "rows"},
    {"CLAUSE", "clauses"},
    {"PATTERN", "vectors"},
    {"ID...", "vectors rows clauses policies"},
};

static const char *list_of(const char *arg)
{
    for (size_t i = 0; arg && i < sizeof(listed) / sizeof(listed[0]); i++)
        if (strcmp(listed[i].arg, arg) == 0)
            return listed[i].list;
    return NULL;
}

/* "a|b|c [MORE]" names what may stand first. */
static void alternatives(FILE *out, const char *args)
{
    size_t len = strcspn(args, " ");
    if (!memchr(args, '|', len))
        return;
    for (size_t i = 0; i < len; i++)
        fputc(args[i] == '|' ? ' ' : args[i], out);
    fputc(' ', out);
}

static void commands(FILE *out)
{
    for (size_t i = 0; cts_commands[i]; i++)
        fprintf(out, "%s ", cts_commands[i]->name);
}

/* The values that a table gives; false if none does. */
static bool values(FILE *out, const struct cts_command *c, const struct cts_opt *p)
{
    const char *value, *what;
    bool any = false;
    for (const struct cts_opt_values *v = c->values; v && v->id; v++)
        for (unsigned i = 0; v->id == p->id && (value = v->value(i, &what)) != NULL; i++) {
            if (out)
                fprintf(out, "%s ", value);
            any = true;
        }
    return any;
}

/* Behind an option that takes one of some values. */
static void bash_values(FILE *out, const struct cts_command *c)
{
    for (const struct cts_opt *p = c->options; p && p->id; p++) {
        const char *list = list_of(p->arg);
        if (!list && !values(NULL, c, p))
            continue;
        fprintf(out, "    \"%s --%s\"", c->name, p->name);
        if (p->letter)
            fprintf(out, " | \"%s -%c\"", c->name, p->letter);
        fprintf(out, ") words=\"");
        if (list)
            fprintf(out, "$(_ebpf_cts_list %s)", list);
        else
            values(out, c, p);
        fprintf(out, "\" ;;\n");
    }
}

void cts_help_bash(FILE *out)
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
    for (size_t i = 0; cts_commands[i]; i++) {
        const char *list = list_of(cts_commands[i]->args);
        fprintf(out, "    %s) words=\"", cts_commands[i]->name);
        alternatives(out, cts_commands[i]->args);
        if (cts_commands[i] == &cts_cmd_help)
            commands(out);
        if (list)
            fprintf(out, "$(_ebpf_cts_list %s) ", list);
        fprintf(out, "--help");
        for (const struct cts_opt *p = cts_commands[i]->options; p && p->id; p++)
            fprintf(out, " --%s", p->name);
        fprintf(out, "\" ;;\n");
    }
    fprintf(out, "    esac\n    case \"$first $prev\" in\n");
    for (size_t i = 0; cts_commands[i]; i++)
        bash_values(out, cts_commands[i]);
    fprintf(out, "    esac\n    if [ \"$prev\" = \"$_ebpf_cts_program\" ]; then\n        words=\"");
    commands(out);
    fprintf(out, "--help --version\"\n    fi\n"
                 "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                 "    case ${COMP_WORDBREAKS-} in\n"
                 "    *:*) [ \"$cur\" = \"${cur##*:}\" ] || "
                 "COMPREPLY=(\"${COMPREPLY[@]#\"${cur%%:*}:\"}\") ;;\n"
                 "    esac\n}\n"
                 "complete -o default -F _ebpf_cts ebpf-cts\n");
}

void cts_help_zsh(FILE *out)
{
    fprintf(out, "# zsh completion for ebpf-cts; load it with: source <(ebpf-cts help --zsh)\n"
                 "autoload -U +X compinit && compinit -u\n"
                 "autoload -U +X bashcompinit && bashcompinit\n");
    cts_help_bash(out);
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
    } else if (values(NULL, c, p)) {
        fprintf(out, " -a '");
        values(out, c, p);
        fputc('\'', out);
    }
    fprintf(out, " -d ");
    fish_text(out, p->help);
    fputc('\n', out);
}

void cts_help_fish(FILE *out)
{
    fprintf(out, "# fish completion for ebpf-cts; load it with: ebpf-cts help --fish | source\n");
    for (size_t i = 0; cts_commands[i]; i++) {
        const struct cts_command *c = cts_commands[i];
        const char *list = list_of(c->args);
        fprintf(out, "complete -c ebpf-cts -n __fish_use_subcommand -a %s -d ", c->name);
        fish_text(out, c->what);
        fprintf(out, "\ncomplete -c ebpf-cts -n '__fish_seen_subcommand_from %s' -a '", c->name);
        alternatives(out, c->args);
        fprintf(out, "'");
        if (list)
            fish_lists(out, list);
        fputc('\n', out);
        for (const struct cts_opt *p = c->options; p && p->id; p++)
            fish_option(out, c, p);
    }
}
