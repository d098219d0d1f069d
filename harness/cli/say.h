/* What commands print. Everything of a command line, a file or a tool that is shown goes through
 * here or through report/text.h: see base/text.h. */
#ifndef CTS_CLI_SAY_H
#define CTS_CLI_SAY_H

#include <stdarg.h>

/* Print on standard error, on standard output: a format of base/fmt.h whose strings are made
 * visible text on one line. */
void cts_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void cts_say_list(const char *fmt, va_list ap);
void cts_out(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* First of all: descriptors 0 to 2 that are closed are given away to no file, and a file that
 * becomes too large is an ordinary error. */
void cts_stdio_init(void);
/* Last of all: closes standard output. `code`, or, after a message, CTS_EXIT_BROKEN if some of what
 * was printed was lost. */
int cts_stdio_close(int code);

#endif
