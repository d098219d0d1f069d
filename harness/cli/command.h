/* Commands: what each is, and how its command line is read. */
#ifndef CTS_CLI_COMMAND_H
#define CTS_CLI_COMMAND_H

#include <stdio.h>

#include "cli/opt.h"

enum { CTS_EXAMPLES_MAX = 3 };

struct cts_command {
    const char *name;
    const char *args;              /* "[OPTIONS] [PATH...]" */
    const char *what;              /* a line for the list of commands */
    const char *about;             /* paragraphs, parted by empty lines; the help wraps them */
    cts_words_fn subjects;         /* what may stand first, "check [RULE]..."; may be null */
    const struct cts_opt *options; /* may be null */
    struct {
        const char *call, *what; /* "ebpf-cts run -r linux:jit" */
    } examples[CTS_EXAMPLES_MAX];
    int (*main)(int argc, char **argv); /* returns the exit code */
    /* Takes an argument, which is in o->value: 0, CTS_ARGUMENTS_END when what follows is not for
     * ebpf-cts, or an exit code after a message. Null: the command takes none. */
    int (*argument)(void *at, const struct cts_opts *o);
    size_t argument_at; /* bytes from the start of the command's own structure to what `at` is */
};

enum { CTS_ARGUMENTS_END = -1 };

/* Reads a whole command line into the command's own structure. True to go on; else (after --help,
 * or a message) *code is the exit code. */
bool cts_command_parse(const struct cts_command *c, int argc, char **argv, void *into, int *code);

/* Prints "ebpf-cts COMMAND: ..." of a command line that was read, and how to get help; returns
 * CTS_EXIT_USAGE. */
int cts_command_bad(const struct cts_command *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* One in each cmd_<name>.c; main.c lists them. */
extern const struct cts_command cts_cmd_run, cts_cmd_list, cts_cmd_explain, cts_cmd_asm,
    cts_cmd_disasm, cts_cmd_spec, cts_cmd_import, cts_cmd_export, cts_cmd_mutants,
    cts_cmd_check_adapter, cts_cmd_sight;

#endif
