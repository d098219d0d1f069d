#include "base/nearest.h"

#include <string.h>

/* Levenshtein's: a row of the table at a time. */
size_t cts_distance(const char *a, const char *b)
{
    size_t row[CTS_NEAREST_LEN_MAX + 1];
    size_t len = strlen(b);

    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < len; j++) {
            size_t best = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (diagonal + 1 < best)
                best = diagonal + 1;
            row[j + 1] = best;
        }
    }
    return row[len];
}

const char *cts_nearest(const char *text, const char *const *words, size_t count)
{
    enum { LEN_MAX = 40 };
    const char *best = NULL;
    size_t len = strlen(text);
    size_t limit = len / 3 + 2; /* a third of the letters wrong is no slip any more */

    if (len > LEN_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (strlen(words[i]) > LEN_MAX)
            continue;
        size_t d = cts_distance(text, words[i]);
        if (d < limit && d < strlen(words[i])) {
            best = words[i];
            limit = d;
        }
    }
    return best;
}
