#include "cli/command.h"

#include <stdarg.h>

#include "cli/help.h"

static int next_argument(const struct cts_command *c, const struct cts_opts *o, void *into)
{
    return c->argument ? c->argument((char *)into + c->argument_at, o)
                       : cts_opts_bad(o, "unexpected argument '%s'", o->value);
}

int cts_command_bad(const struct cts_command *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int code = cts_opts_bad_list(c->name, fmt, ap);
    va_end(ap);
    return code;
}

bool cts_command_parse(const struct cts_command *c, int argc, char **argv, void *into, int *code)
{
    struct cts_opts o;
    cts_opts_init(&o, c->name, c->options, argc, argv);
    for (*code = 0; *code == 0;) {
        switch (cts_opts_next(&o)) {
        case CTS_NEXT_END:
            return true;
        case CTS_NEXT_HELP:
            cts_help_command(stdout, c);
            *code = CTS_EXIT_OK;
            return false;
        case CTS_NEXT_OPTION:
            *code = cts_opts_take(&o, into);
            break;
        case CTS_NEXT_ARGUMENT:
            *code = next_argument(c, &o, into);
            break;
        case CTS_NEXT_BAD:
            *code = CTS_EXIT_USAGE;
            break;
        }
    }
    return *code == CTS_ARGUMENTS_END;
}
