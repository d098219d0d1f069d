/* Options: one table per command serves parsing, --help, the manual page and completion. */
#ifndef CTS_CLI_OPT_H
#define CTS_CLI_OPT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

struct cts_opt {
    int id;           /* > 0; 0 ends a table */
    char letter;      /* 0: none */
    const char *name; /* "runtime" */
    const char *arg;  /* "RUNTIME[:ENGINE]"; null: takes none */
    const char *help; /* one sentence without its full stop */
};

/* The values that an option takes, with a line on each. */
struct cts_opt_values {
    int id; /* of the option; 0 ends a table */
    /* The i-th value, null behind the last. */
    const char *(*value)(unsigned i, const char **what);
};

enum {
    CTS_OPT_END = 0,
    CTS_OPT_ARG = -1,  /* not an option: `value` is the argument */
    CTS_OPT_BAD = -2,  /* a message was printed on stderr */
    CTS_OPT_HELP = -3, /* -h, --help: known to every command */
};

struct cts_opts {
    const char *command; /* for messages */
    const struct cts_opt *table;
    int argc;
    char **argv;
    int at;
    const char *cluster; /* rest of a group of letters */
    bool only_args;      /* after -- */
    const char *value;   /* of the option or argument just returned */
};

void cts_opts_init(struct cts_opts *o, const char *command, const struct cts_opt *table, int argc,
                   char **argv);
/* The next option's id, or one of the values above. Options may stand behind arguments. */
int cts_opts_next(struct cts_opts *o);

/* A whole number in lo..hi; false and a message if it is none. */
bool cts_opt_number(const struct cts_opts *o, const char *what, unsigned lo, unsigned hi,
                    unsigned *out);

/* Prints "ebpf-cts COMMAND: ..." and how to get help; returns CTS_EXIT_USAGE. */
int cts_opts_bad(const struct cts_opts *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Adds a value to a list that holds `most`; 0 or, after a message, CTS_EXIT_USAGE. */
int cts_opts_collect(const struct cts_opts *o, const char **list, unsigned *count, unsigned most);

/* Prints the error; returns CTS_EXIT_BROKEN if a worker, a tool or the harness is at fault, else
 * CTS_EXIT_USAGE. */
int cts_complain(const struct cts_err *err);

struct cts_command {
    const char *name, *args, *what;
    const char *about; /* a paragraph for --help and the manual */
    const struct cts_opt *options;
    const struct cts_opt_values *values; /* may be null */
    int (*main)(int argc, char **argv);  /* returns the exit code */
};
/* One in each cmd_<name>.c; main.c lists them. */
extern const struct cts_command cts_cmd_run, cts_cmd_list, cts_cmd_explain, cts_cmd_asm,
    cts_cmd_disasm, cts_cmd_spec, cts_cmd_import, cts_cmd_export, cts_cmd_mutants, cts_cmd_help,
    cts_cmd_check_adapter, cts_cmd_sight;
/* Reads a whole command line: `take` gets each option's id, or CTS_OPT_ARG, with its value in
 * o->value, and returns 0 or an exit code. 0 to go on; CTS_OPT_HELP when help was printed; else the
 * exit code. */
int cts_command_parse(const struct cts_command *c, int argc, char **argv,
                      int (*take)(void *arg, const struct cts_opts *o, int id), void *arg);

extern const struct cts_command *const cts_commands[]; /* ended by null */
const struct cts_command *cts_command_find(const char *name);

void cts_help_command(FILE *out, const struct cts_command *c);
void cts_help_all(FILE *out);
void cts_help_man(FILE *out);
/* Completion for one shell. */
void cts_help_bash(FILE *out);
void cts_help_zsh(FILE *out);
void cts_help_fish(FILE *out);

/* Exit codes, as the manual says. */
enum {
    CTS_EXIT_OK = 0,
    CTS_EXIT_FAILED = 1,
    CTS_EXIT_USAGE = 2,
    CTS_EXIT_BROKEN = 3,
    CTS_EXIT_NOTHING = 4,
    CTS_EXIT_SIGNAL = 128, /* and the number of the signal that ended it */
};

#endif
