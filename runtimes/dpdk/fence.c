#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "dp.h"

/* A write behind the end of an array on the heap shows anywhere, later, or never. The library takes
 * its arrays from calloc(), so this one takes its place. A sanitizer has its own. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CTS_ASAN 1
#endif
#endif
#if defined(CTS_ASAN) || defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
#define FENCED 0
#else
#define FENCED 1
#endif

#if FENCED

void *__libc_calloc(size_t count, size_t size);
void __libc_free(void *at);

enum { PAGE = 4096, BLOCKS = 16, WORD_BYTES = 8 };

/* calloc() has no context to keep this in. */
static struct {
    bool on;
    struct {
        uint8_t *at, *map;
        size_t bytes; /* of the map */
    } block[BLOCKS];
} fence;

static void *fenced(unsigned i, size_t bytes)
{
    size_t room = (bytes + PAGE - 1) / PAGE * PAGE;
    uint8_t *map =
        mmap(NULL, room + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    mprotect(map + room, PAGE, PROT_NONE);
    fence.block[i].map = map;
    fence.block[i].bytes = room + PAGE;
    fence.block[i].at = map + room - (bytes + WORD_BYTES - 1) / WORD_BYTES * WORD_BYTES;
    return fence.block[i].at;
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (fence.on && !__builtin_mul_overflow(count, size, &bytes) && bytes < SIZE_MAX - 2 * PAGE)
        for (unsigned i = 0; i < BLOCKS; i++)
            if (!fence.block[i].map)
                return fenced(i, bytes);
    return __libc_calloc(count, size);
}

void free(void *at)
{
    for (unsigned i = 0; fence.on && i < BLOCKS; i++) {
        if (!fence.block[i].map || fence.block[i].at != at)
            continue;
        munmap(fence.block[i].map, fence.block[i].bytes);
        fence.block[i].map = NULL;
        return;
    }
    __libc_free(at);
}

#endif

bool dp_fence(bool on)
{
#if FENCED
    fence.on = on;
#else
    (void)on;
#endif
    return FENCED;
}
