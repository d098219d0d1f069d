#include "base/err.h"

#include "base/fmt.h"
#include "base/text.h"

void cts_err_clear(struct cts_err *err)
{
    if (!err)
        return;
    err->code = 0;
    err->line = err->col = 0;
    err->file[0] = err->msg[0] = '\0';
}

static int err_fill(struct cts_err *err, int code, const char *fmt, va_list ap)
{
    if (err && err->code == 0) {
        err->code = code;
        cts_vfmt(err->msg, sizeof(err->msg), fmt, ap);
    }
    return code;
}

int cts_err_set(struct cts_err *err, int code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err_fill(err, code, fmt, ap);
    va_end(ap);
    return code;
}

int cts_err_at(struct cts_err *err, int code, const char *file, unsigned line, unsigned col,
               const char *fmt, ...)
{
    if (err && err->code == 0) {
        cts_fmt(err->file, sizeof(err->file), "%s", file ? file : "");
        err->line = line;
        err->col = col;
    }
    va_list ap;
    va_start(ap, fmt);
    err_fill(err, code, fmt, ap);
    va_end(ap);
    return code;
}

const char *cts_err_text(const struct cts_err *err, char *buf, size_t cap)
{
    size_t n = 0;
    if (err->file[0]) {
        n = cts_text_visible(buf, cap, err->file);
        if (n < cap && err->line)
            n += cts_fmt(buf + n, cap - n, err->col ? ":%u:%u" : ":%u", err->line, err->col);
        if (n < cap)
            n += cts_fmt(buf + n, cap - n, ": ");
    }
    if (n < cap)
        cts_text_visible(buf + n, cap - n, err->msg);
    return buf;
}

const char *cts_errno_name(int code)
{
    static const char *const names[] = {
        "ok",       "memory", "io",      "syntax",      "schema",  "range", "limit", "notfound",
        "protocol", "worker", "timeout", "unsupported", "invalid", "tool",  "busy",  "unclear",
    };
    unsigned i = (unsigned)-code;
    return i < sizeof(names) / sizeof(names[0]) ? names[i] : "unknown";
}
