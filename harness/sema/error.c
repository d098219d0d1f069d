/* Messages with the place in the file that a position in the text has. */
#include <stdarg.h>

#include "host/buf.h"
#include "sema/impl.h"

int cts_sema_error(const struct cts_sema *sema, unsigned pos, int code, struct cts_err *err,
                   const char *fmt, ...)
{
    unsigned line = sema->place.line, col = sema->place.col;
    struct cts_buf text;
    va_list ap;

    for (unsigned i = 0; sema->text && i < pos && sema->text[i]; i++) {
        if (sema->text[i] == '\n') {
            line++;
            col = sema->place.next_col;
        } else {
            col++;
        }
    }
    cts_buf_init(&text, CTS_ERR_MSG_MAX * 4);
    va_start(ap, fmt);
    cts_buf_addvf(&text, fmt, ap);
    va_end(ap);
    cts_err_at(err, code, sema->place.file, line, col, "%s", cts_buf_text(&text));
    cts_buf_release(&text);
    return code;
}
