/* The fold: all words of a piece of memory in one number, such that any one of them that changes
 * changes it. Each step is a bijection of what was there and of the word that comes in; the words'
 * places count. */
#ifndef CTS_PLUGIN_FOLD_H
#define CTS_PLUGIN_FOLD_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum { PLG_FOLD_UP = 21, PLG_FOLD_DOWN = 35 };

static inline uint64_t plg_fold_step(uint64_t h, uint64_t word)
{
    h ^= word;
    h += h << PLG_FOLD_UP;
    return h ^ h >> PLG_FOLD_DOWN;
}

static inline uint64_t plg_fold(uint64_t h, const uint8_t *memory, size_t words)
{
    for (size_t i = 0; i < words; i++)
        h = plg_fold_step(h, cts_get64_host(memory + 8 * i));
    return h;
}

#endif
