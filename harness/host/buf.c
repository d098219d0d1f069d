#include "host/buf.h"

#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"

void cts_buf_init(struct cts_buf *b, size_t limit)
{
    *b = (struct cts_buf){.limit = limit ? limit : (size_t)1 << 30};
}

void cts_buf_release(struct cts_buf *b)
{
    free(b->data);
    cts_buf_init(b, b->limit);
}

void cts_buf_clear(struct cts_buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data)
        b->data[0] = '\0';
}

void *cts_buf_reserve(struct cts_buf *b, size_t len)
{
    if (b->failed || len > b->limit || b->len > b->limit - len) {
        b->failed = true;
        return NULL;
    }
    if (b->cap - b->len <= len) {
        size_t cap = b->cap ? b->cap * 2 : 256;
        while (cap - b->len <= len)
            cap *= 2;
        char *p = realloc(b->data, cap);
        if (!p) {
            b->failed = true;
            return NULL;
        }
        b->data = p;
        b->cap = cap;
    }
    return b->data + b->len;
}

void cts_buf_add(struct cts_buf *b, const void *data, size_t len)
{
    void *at = cts_buf_reserve(b, len);
    if (!at)
        return;
    if (len)
        memcpy(at, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void cts_buf_adds(struct cts_buf *b, const char *text)
{
    cts_buf_add(b, text, strlen(text));
}

void cts_buf_addc(struct cts_buf *b, char c)
{
    cts_buf_add(b, &c, 1);
}

void cts_buf_addvf(struct cts_buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    size_t len = cts_vfmt(NULL, 0, fmt, ap);
    char *at = cts_buf_reserve(b, len);
    if (at) {
        cts_vfmt(at, len + 1, fmt, again);
        b->len += len;
    }
    va_end(again);
}

void cts_buf_addf(struct cts_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cts_buf_addvf(b, fmt, ap);
    va_end(ap);
}

const char *cts_buf_text(const struct cts_buf *b)
{
    return b->data ? b->data : "";
}
