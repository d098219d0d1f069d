/* A small, freestanding snprintf.
 *
 * %s %.*s %.Ns %c %d %i %u %x %X %p %% with flags 0 and -, a width (number or *), and the sizes l,
 * ll, z, h, hh. No floating point. Always terminates; returns the length the whole text would have
 * had. */
#ifndef CTS_BASE_FMT_H
#define CTS_BASE_FMT_H

#include <stdarg.h>
#include <stddef.h>

size_t cts_vfmt(char *buf, size_t cap, const char *fmt, va_list ap);
/* The same, and strings are visible text on one line (see text.h). */
size_t cts_vfmt_visible(char *buf, size_t cap, const char *fmt, va_list ap);
size_t cts_fmt(char *buf, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
