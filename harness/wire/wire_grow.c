#include <stdlib.h>

#include "wire/wire.h"

enum { FIRST_BYTES = 4096, MOST_BYTES = CTS_FRAME_HEADER + CTS_FRAME_MAX };

bool cts_wr_grow_malloc(struct cts_wr *w, size_t want)
{
    if (want > MOST_BYTES)
        return false;
    size_t cap = w->cap ? w->cap : FIRST_BYTES;
    while (cap < want)
        cap *= 2;
    uint8_t *data = realloc(w->data, cap);
    if (!data)
        return false;
    w->data = data;
    w->cap = cap;
    return true;
}

void cts_wr_release_malloc(struct cts_wr *w)
{
    free(w->data);
    w->data = NULL;
    w->len = w->cap = 0;
    w->failed = false;
}
