/* Growing byte buffers with a limit. Bytes may hold zeros; text is always terminated behind `len`.
 */
#ifndef CTS_HOST_BUF_H
#define CTS_HOST_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct cts_buf {
    char *data; /* never null after the first append; data[len] is 0 */
    size_t len, cap, limit;
    bool failed; /* an append did not fit or memory ran out: sticky, so a chain is checked once at
                    its end */
};

/* limit: the most bytes it may hold; 0 means 1 GiB. Allocates nothing. */
void cts_buf_init(struct cts_buf *b, size_t limit);
void cts_buf_release(struct cts_buf *b);
void cts_buf_clear(struct cts_buf *b); /* empties and forgets `failed`, keeps the memory */

void cts_buf_add(struct cts_buf *b, const void *data, size_t len);
void cts_buf_adds(struct cts_buf *b, const char *text);
void cts_buf_addc(struct cts_buf *b, char c);
void cts_buf_addf(struct cts_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void cts_buf_addvf(struct cts_buf *b, const char *fmt, va_list ap);
/* Room for `len` more bytes behind the end (not counted yet); null on failure. */
void *cts_buf_reserve(struct cts_buf *b, size_t len);
/* The text, "" when empty. */
const char *cts_buf_text(const struct cts_buf *b);

#endif
