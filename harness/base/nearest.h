/* "Did you mean ...?": words that are nearly the same. */
#ifndef CTS_BASE_NEAREST_H
#define CTS_BASE_NEAREST_H

#include <stddef.h>

enum { CTS_NEAREST_LEN_MAX = 128 };

/* How many letters of `a` have to be changed, left out or put in to get `b`. Both are no longer
 * than CTS_NEAREST_LEN_MAX. */
size_t cts_distance(const char *a, const char *b);
/* The word nearest to `text` if it is near enough to be a slip of the pen; else null. */
const char *cts_nearest(const char *text, const char *const *words, size_t count);

#endif
