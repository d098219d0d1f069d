#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/say.h"
#include "host/proc.h"
#include "cts_version.h"

static const struct cts_command cmd_help;

static const struct cts_command *const commands[] = {
    &cts_cmd_run,
    &cts_cmd_list,
    &cts_cmd_explain,
    &cts_cmd_spec,
    &cts_cmd_asm,
    &cts_cmd_disasm,
    &cts_cmd_import,
    &cts_cmd_export,
    &cts_cmd_mutants,
    &cts_cmd_sight,
    &cts_cmd_check_adapter,
    &cmd_help,
    NULL,
};

static const char *command_name(unsigned i, const char **what)
{
    *what = commands[i] ? commands[i]->what : NULL;
    return commands[i] ? commands[i]->name : NULL;
}

/* 0, or CTS_EXIT_USAGE after a message. */
static int find_command(const struct cts_opts *o, const char *name, const struct cts_command **out)
{
    unsigned i = 0;
    int code = cts_opts_choose(o, "command", name, command_name, &i);
    *out = code ? NULL : commands[i];
    return code;
}

struct help {
    bool man, bash, zsh, fish;
    const struct cts_command *of;
};

static const struct cts_opt help_options[] = {
    {0, "man", NULL, "print the manual page, for man -l", CTS_OPT_FLAG(struct help, man)},
    {0, "bash", NULL, "print completion for bash", CTS_OPT_FLAG(struct help, bash)},
    {0, "zsh", NULL, "print completion for zsh", CTS_OPT_FLAG(struct help, zsh)},
    {0, "fish", NULL, "print completion for fish", CTS_OPT_FLAG(struct help, fish)},
    {0},
};

static int help_argument(void *arg, const struct cts_opts *o)
{
    struct help *h = arg;
    return find_command(o, o->value, &h->of);
}

static int help_main(int argc, char **argv)
{
    struct help h = {0};
    int code;
    if (!cts_command_parse(&cmd_help, argc, argv, &h, &code))
        return code;
    if (h.man)
        cts_help_man(stdout, commands);
    else if (h.bash)
        cts_help_bash(stdout, commands);
    else if (h.zsh)
        cts_help_zsh(stdout, commands);
    else if (h.fish)
        cts_help_fish(stdout, commands);
    else if (h.of)
        cts_help_command(stdout, h.of);
    else
        cts_help_all(stdout, commands);
    return CTS_EXIT_OK;
}

static const struct cts_command cmd_help = {
    .name = "help",
    .args = "[COMMAND] [--man | --bash | --zsh | --fish]",
    .what = "explain a command",
    .about = "Prints what ebpf-cts or one of its commands does.",
    .subjects = command_name,
    .options = help_options,
    .examples = {{"ebpf-cts help run", "the help of a command"},
                 {"ebpf-cts help --man >ebpf-cts.1", "the manual page; read it with man -l"}},
    .main = help_main,
    .argument = help_argument,
};

static int run_command(int argc, char **argv)
{
    const struct cts_command *c;
    struct cts_opts o;
    if (argc < 2) {
        cts_help_all(stderr, commands);
        return CTS_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        cts_help_all(stdout, commands);
        return CTS_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        cts_out("ebpf-cts %s\n", CTS_VERSION);
        return CTS_EXIT_OK;
    }
    cts_opts_init(&o, NULL, NULL, argc, argv);
    int code = find_command(&o, argv[1], &c);
    return code ? code : c->main(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    cts_stdio_init();
    int code = run_command(argc, argv);
    cts_proc_settle();
    return cts_stdio_close(code);
}
