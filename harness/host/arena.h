/* Arenas: everything loaded from a file is freed at once. Not thread-safe. */
#ifndef CTS_HOST_ARENA_H
#define CTS_HOST_ARENA_H

#include <stddef.h>

struct cts_arena_block;

struct cts_arena {
    struct cts_arena_block *blocks;
    size_t used, limit; /* bytes handed out; the most that may be (0: no limit) */
};

void cts_arena_init(struct cts_arena *a, size_t limit);
void cts_arena_release(struct cts_arena *a);

/* Zeroed memory aligned for any object, owned by the arena; null when memory or the limit is
 * exhausted. */
void *cts_arena_take(struct cts_arena *a, size_t bytes);
/* n * size with an overflow check. */
void *cts_arena_take_array(struct cts_arena *a, size_t n, size_t size);
char *cts_arena_strndup(struct cts_arena *a, const char *text, size_t len);
char *cts_arena_strdup(struct cts_arena *a, const char *text);
char *cts_arena_fmt(struct cts_arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
