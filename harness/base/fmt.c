#include "base/fmt.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct out {
    char *buf;
    size_t cap, len;
    bool visible; /* strings are made so */
};

struct spec {
    bool zero, left;
    int width, prec; /* prec -1: none given */
    int size;        /* -2 hh, -1 h, 0, 1 l, 2 ll, 3 z */
};

static void put(struct out *o, char c)
{
    if (o->len + 1 < o->cap)
        o->buf[o->len] = c;
    o->len++;
}

static void put_padded(struct out *o, const struct spec *s, const char *text, size_t len)
{
    size_t width = s->width > 0 ? (size_t)s->width : 0;
    size_t pad = width > len ? width - len : 0;
    if (!s->left)
        for (size_t i = 0; i < pad; i++)
            put(o, ' ');
    for (size_t i = 0; i < len; i++)
        put(o, text[i]);
    if (s->left)
        for (size_t i = 0; i < pad; i++)
            put(o, ' ');
}

static void put_number(struct out *o, const struct spec *s, uint64_t v, bool neg, unsigned base,
                       bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char tmp[96];
    size_t end = sizeof(tmp), at = end;
    do {
        tmp[--at] = digits[v % base];
        v /= base;
    } while (v);
    size_t want = s->prec > 0 ? (size_t)s->prec : 0;
    if (s->prec < 0 && s->zero && !s->left && s->width > 0)
        want = (size_t)s->width - (neg ? 1 : 0);
    if (want > sizeof(tmp) - 2)
        want = sizeof(tmp) - 2;
    while (end - at < want)
        tmp[--at] = '0';
    if (neg)
        tmp[--at] = '-';
    put_padded(o, s, tmp + at, end - at);
}

static int64_t take_signed(va_list *ap, int size)
{
    switch (size) {
    case 3:
        return (int64_t)va_arg(*ap, ptrdiff_t);
    case 2:
        return va_arg(*ap, long long);
    case 1:
        return va_arg(*ap, long);
    default:
        return va_arg(*ap, int);
    }
}

static uint64_t take_unsigned(va_list *ap, int size)
{
    switch (size) {
    case 3:
        return va_arg(*ap, size_t);
    case 2:
        return va_arg(*ap, unsigned long long);
    case 1:
        return va_arg(*ap, unsigned long);
    case -1:
        return (unsigned short)va_arg(*ap, unsigned);
    case -2:
        return (unsigned char)va_arg(*ap, unsigned);
    default:
        return va_arg(*ap, unsigned);
    }
}

static int take_count(const char **p, va_list *ap)
{
    int n = 0;
    if (**p == '*') {
        (*p)++;
        return va_arg(*ap, int);
    }
    while (**p >= '0' && **p <= '9')
        n = n * 10 + (*(*p)++ - '0');
    return n;
}

static const char *parse_spec(const char *p, struct spec *s, va_list *ap)
{
    *s = (struct spec){.prec = -1};
    for (;; p++) {
        if (*p == '0')
            s->zero = true;
        else if (*p == '-')
            s->left = true;
        else
            break;
    }
    s->width = take_count(&p, ap);
    if (*p == '.') {
        p++;
        s->prec = take_count(&p, ap);
    }
    for (;; p++) {
        if (*p == 'l')
            s->size++;
        else if (*p == 'h')
            s->size--;
        else if (*p == 'z' || *p == 't')
            s->size = 3;
        else
            break;
    }
    return p;
}

static size_t put_visible(struct out *o, const char *text, size_t len)
{
    struct cts_text_walk w = {.at = text};
    char shown[CTS_TEXT_STEP];
    size_t all = 0;
    for (unsigned n; w.at < text + len && (n = cts_text_step(&w, shown)) != 0; all += n)
        for (unsigned i = 0; o && i < n; i++)
            put(o, shown[i]);
    return all;
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
    if (!text)
        text = "(null)";
    size_t len = 0;
    while ((s->prec < 0 || len < (size_t)s->prec) && text[len])
        len++;
    if (!o->visible) {
        put_padded(o, s, text, len);
        return;
    }
    struct spec pad = *s;
    pad.width -= (int)put_visible(NULL, text, len);
    if (!s->left)
        put_padded(o, &pad, "", 0);
    put_visible(o, text, len);
    if (s->left)
        put_padded(o, &pad, "", 0);
}

static void put_conversion(struct out *o, const struct spec *s, char conv, va_list *ap)
{
    if (conv == 's') {
        put_string(o, s, va_arg(*ap, const char *));
    } else if (conv == 'c') {
        char c = (char)va_arg(*ap, int);
        put_padded(o, s, &c, 1);
    } else if (conv == 'd' || conv == 'i') {
        int64_t v = take_signed(ap, s->size);
        put_number(o, s, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, v < 0, 10, false);
    } else if (conv == 'u') {
        put_number(o, s, take_unsigned(ap, s->size), false, 10, false);
    } else if (conv == 'x' || conv == 'X') {
        put_number(o, s, take_unsigned(ap, s->size), false, 16, conv == 'X');
    } else if (conv == 'p') {
        put_number(o, s, (uintptr_t)va_arg(*ap, void *), false, 16, false);
    } else {
        put(o, conv);
    }
}

static size_t format(struct out *o, const char *fmt, va_list ap)
{
    va_list args;
    va_copy(args, ap);
    for (const char *p = fmt; *p; p++) {
        struct spec s;
        if (*p != '%') {
            put(o, *p);
            continue;
        }
        p = parse_spec(p + 1, &s, &args);
        if (*p == '\0')
            break;
        put_conversion(o, &s, *p, &args);
    }
    va_end(args);
    if (o->cap)
        o->buf[o->len < o->cap ? o->len : o->cap - 1] = '\0';
    return o->len;
}

size_t cts_vfmt(char *buf, size_t cap, const char *fmt, va_list ap)
{
    return format(&(struct out){.buf = buf, .cap = cap}, fmt, ap);
}

size_t cts_vfmt_visible(char *buf, size_t cap, const char *fmt, va_list ap)
{
    return format(&(struct out){.buf = buf, .cap = cap, .visible = true}, fmt, ap);
}

size_t cts_fmt(char *buf, size_t cap, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    size_t n = cts_vfmt(buf, cap, fmt, ap);
    va_end(ap);
    return n;
}
