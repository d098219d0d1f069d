#include <stdarg.h>

#include "base/fmt.h"
#include "build/impl.h"

void cts_bld_fault(struct cts_builder *b, const struct cts_err *err)
{
    b->stats->errors++;
    if (b->opts->on_error)
        b->opts->on_error(b->opts->arg, err);
}

void cts_bld_note(struct cts_builder *b, const char *fmt, ...)
{
    char text[CTS_ERR_MSG_MAX];
    va_list ap;
    if (!b->opts->on_note)
        return;
    va_start(ap, fmt);
    cts_vfmt(text, sizeof(text), fmt, ap);
    va_end(ap);
    b->opts->on_note(b->opts->arg, text);
}
