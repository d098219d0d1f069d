#include "host/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"

enum { BLOCK_BYTES = 1 << 16, ALIGNMENT = 16 };

struct cts_arena_block {
    struct cts_arena_block *next;
    size_t used, cap;
    _Alignas(ALIGNMENT) unsigned char data[];
};

void cts_arena_init(struct cts_arena *a, size_t limit)
{
    *a = (struct cts_arena){.limit = limit};
}

void cts_arena_release(struct cts_arena *a)
{
    while (a->blocks) {
        struct cts_arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
    a->used = 0;
}

static struct cts_arena_block *block_for(struct cts_arena *a, size_t bytes)
{
    struct cts_arena_block *b = a->blocks;
    if (b && b->cap - b->used >= bytes)
        return b;
    size_t cap = bytes > BLOCK_BYTES ? bytes : (size_t)BLOCK_BYTES;
    b = calloc(1, sizeof(*b) + cap);
    if (!b)
        return NULL;
    b->cap = cap;
    b->next = a->blocks;
    a->blocks = b;
    return b;
}

void *cts_arena_take(struct cts_arena *a, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        return NULL;
    bytes = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (a->limit && (bytes > a->limit || a->used > a->limit - bytes))
        return NULL;
    struct cts_arena_block *b = block_for(a, bytes);
    if (!b)
        return NULL;
    void *p = b->data + b->used;
    b->used += bytes;
    a->used += bytes;
    return p;
}

void *cts_arena_take_array(struct cts_arena *a, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / 2 / size)
        return NULL;
    return cts_arena_take(a, n * size);
}

char *cts_arena_strndup(struct cts_arena *a, const char *text, size_t len)
{
    char *p = cts_arena_take(a, len + 1);
    if (p)
        memcpy(p, text, len);
    return p;
}

char *cts_arena_strdup(struct cts_arena *a, const char *text)
{
    return cts_arena_strndup(a, text, strlen(text));
}

char *cts_arena_fmt(struct cts_arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    size_t len = cts_vfmt(NULL, 0, fmt, ap);
    char *p = cts_arena_take(a, len + 1);
    if (p)
        cts_vfmt(p, len + 1, fmt, again);
    va_end(again);
    va_end(ap);
    return p;
}
