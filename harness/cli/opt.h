/* Options: one row a command's option, bound to the variable that it sets. The same rows serve
 * reading, --help, the manual page and completion.
 *
 *     struct job { bool quiet; unsigned jobs; const char *group[8]; unsigned groups; };
 *
 *     static const struct cts_opt options[] = {
 *         {'q', "quiet", NULL, "only failures", CTS_OPT_FLAG(struct job, quiet)},
 *         {'j', "jobs", "N", "worker processes", CTS_OPT_NUMBER(struct job, jobs, 1, 256)},
 *         {'g', "group", "GROUP", "only this group", CTS_OPT_LIST(struct job, group, groups)},
 *         {0},
 *     };
 */
#ifndef CTS_CLI_OPT_H
#define CTS_CLI_OPT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Exit codes, as the manual says. */
enum {
    CTS_EXIT_OK = 0,
    CTS_EXIT_FAILED = 1,
    CTS_EXIT_USAGE = 2,
    CTS_EXIT_BROKEN = 3,
    CTS_EXIT_NOTHING = 4,
    CTS_EXIT_SIGNAL = 128, /* and the number of the signal that ended it */
};

struct cts_opts;

/* The i-th word of a list and a line on it (or null); null behind the last. */
typedef const char *(*cts_words_fn)(unsigned i, const char **what);

enum cts_opt_kind {
    CTS_OPT_IS_FLAG,   /* bool: set to true */
    CTS_OPT_IS_TEXT,   /* const char *: the value */
    CTS_OPT_IS_LIST,   /* const char *[most], unsigned: adds the value */
    CTS_OPT_IS_NUMBER, /* unsigned: lo to hi */
    CTS_OPT_IS_CHOICE, /* unsigned or an enum: which of the words it is, from 0 */
    CTS_OPT_IS_OTHER,  /* take() does it, with what lies at `at` */
};

struct cts_opt {
    char letter;      /* 0: none */
    const char *name; /* "runtime"; null ends a table */
    const char *arg;  /* "RUNTIME[:ENGINE]"; null: takes none */
    const char *help; /* one sentence without its full stop */

    enum cts_opt_kind kind;
    size_t at, count_at; /* bytes from the start of the command's own structure */
    unsigned lo, hi;     /* of a number; hi of a list: the most that it holds */
    cts_words_fn words;  /* the values that it takes; null: any, or take() knows */
    /* 0, or an exit code after a message. The value is in o->value. */
    int (*take)(void *at, const struct cts_opts *o);
    unsigned only; /* of a command with subcommands: bits of those that have it; 0: all */
};

#define CTS_OPT_FLAG(type, field) CTS_OPT_IS_FLAG, .at = offsetof(type, field)
#define CTS_OPT_TEXT(type, field) CTS_OPT_IS_TEXT, .at = offsetof(type, field)
#define CTS_OPT_LIST(type, field, count)                                                           \
    CTS_OPT_IS_LIST, .at = offsetof(type, field), .count_at = offsetof(type, count),               \
        .hi = sizeof(((type *)0)->field) / sizeof(((type *)0)->field[0])
#define CTS_OPT_NUMBER(type, field, least, most)                                                   \
    CTS_OPT_IS_NUMBER, .at = offsetof(type, field), .lo = (least), .hi = (most)
#define CTS_OPT_CHOICE(type, field, list)                                                          \
    CTS_OPT_IS_CHOICE, .at = offsetof(type, field), .words = (list)
#define CTS_OPT_OTHER(type, field, function)                                                       \
    CTS_OPT_IS_OTHER, .at = offsetof(type, field), .take = (function)

struct cts_opts {
    const char *command; /* for messages; null: none yet */
    const struct cts_opt *table;
    int argc;
    char **argv;
    int at;
    const char *cluster; /* rest of a group of letters */
    bool only_args;      /* after -- */

    /* What was read last. */
    const struct cts_opt *opt;
    const char *value; /* of the option, or the argument */
    uint64_t given;    /* bit for each row of the table that was there */
};

enum cts_opts_next {
    CTS_NEXT_END,
    CTS_NEXT_OPTION,
    CTS_NEXT_ARGUMENT,
    CTS_NEXT_HELP, /* -h, --help: known to every command */
    CTS_NEXT_BAD,  /* a message was printed */
};

void cts_opts_init(struct cts_opts *o, const char *command, const struct cts_opt *table, int argc,
                   char **argv);
/* Options may stand behind arguments, up to "--". */
enum cts_opts_next cts_opts_next(struct cts_opts *o);
/* Sets the variable of the option that was read. 0 or, after a message, CTS_EXIT_USAGE. */
int cts_opts_take(const struct cts_opts *o, void *command);
/* Adds the value to a list that holds `most`; 0 or, after a message, CTS_EXIT_USAGE. */
int cts_opts_collect(const struct cts_opts *o, const char **list, unsigned *count, unsigned most);
/* The number of `value` among the words. 0 or, after a message that names what there is ("level"),
 * CTS_EXIT_USAGE. */
int cts_opts_choose(const struct cts_opts *o, const char *what, const char *value,
                    cts_words_fn words, unsigned *out);

/* Prints "ebpf-cts COMMAND: ..." and how to get help; returns CTS_EXIT_USAGE. */
int cts_opts_bad(const struct cts_opts *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int cts_opts_bad_list(const char *command, const char *fmt, va_list ap);
/* Prints the error; returns CTS_EXIT_BROKEN if a worker, a tool or the harness is at fault, else
 * CTS_EXIT_USAGE. */
int cts_complain(const struct cts_err *err);

#endif
