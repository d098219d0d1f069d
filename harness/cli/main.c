#include <stdio.h>
#include <string.h>

#include "cli/opt.h"
#include "cli/say.h"
#include "host/proc.h"
#include "cts_version.h"

const struct cts_command *const cts_commands[] = {
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
    &cts_cmd_help,
    NULL,
};

const struct cts_command *cts_command_find(const char *name)
{
    for (size_t i = 0; cts_commands[i]; i++)
        if (strcmp(cts_commands[i]->name, name) == 0)
            return cts_commands[i];
    return NULL;
}

static const struct cts_opt help_options[] = {
    {1, 0, "man", NULL, "the manual page, for man -l"},
    {2, 0, "bash", NULL, "completion for bash"},
    {3, 0, "zsh", NULL, "completion for zsh"},
    {4, 0, "fish", NULL, "completion for fish"},
    {0},
};

static int help_main(int argc, char **argv)
{
    struct cts_opts o;
    cts_opts_init(&o, "help", help_options, argc, argv);
    const struct cts_command *c = NULL;
    for (;;) {
        switch (cts_opts_next(&o)) {
        case CTS_OPT_END:
            if (c)
                cts_help_command(stdout, c);
            else
                cts_help_all(stdout);
            return CTS_EXIT_OK;
        case CTS_OPT_HELP:
            c = &cts_cmd_help;
            break;
        case 1:
            cts_help_man(stdout);
            return CTS_EXIT_OK;
        case 2:
            cts_help_bash(stdout);
            return CTS_EXIT_OK;
        case 3:
            cts_help_zsh(stdout);
            return CTS_EXIT_OK;
        case 4:
            cts_help_fish(stdout);
            return CTS_EXIT_OK;
        case CTS_OPT_ARG:
            c = cts_command_find(o.value);
            if (c)
                break;
            cts_say("ebpf-cts help: no command '%s'\n", o.value);
            return CTS_EXIT_USAGE;
        default:
            return CTS_EXIT_USAGE;
        }
    }
}

const struct cts_command cts_cmd_help = {
    .name = "help",
    .args = "[COMMAND] [--man|--bash|--zsh|--fish]",
    .what = "tell about a command",
    .about = "Prints what ebpf-cts or one of its commands does.",
    .options = help_options,
    .main = help_main,
};

static int run_command(int argc, char **argv)
{
    if (argc < 2) {
        cts_help_all(stderr);
        return CTS_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        cts_help_all(stdout);
        return CTS_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        cts_out("ebpf-cts %s\n", CTS_VERSION);
        return CTS_EXIT_OK;
    }
    const struct cts_command *c = cts_command_find(argv[1]);
    if (c)
        return c->main(argc - 1, argv + 1);
    cts_say("ebpf-cts: no command '%s'\nTry: ebpf-cts --help\n", argv[1]);
    return CTS_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    cts_stdio_init();
    int code = run_command(argc, argv);
    cts_proc_settle();
    return cts_stdio_close(code);
}
