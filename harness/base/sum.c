#include "base/sum.h"

#include "base/bytes.h"

/* The four lanes of XXH64, kept apart: one round maps the states of a lane one to one onto another,
 * for each word that goes in, and different words to different states. So whatever is changed
 * within one word shows for certain, and anything else but for one chance in 2^64. */

enum { LANES = 4, BLOCK = LANES * 8 };

static const uint64_t PRIME1 = 0x9e3779b185ebca87, PRIME2 = 0xc2b2ae3d27d4eb4f;

static uint64_t mix(uint64_t lane, uint64_t word)
{
    lane += word * PRIME2;
    return (lane << 31 | lane >> 33) * PRIME1;
}

static void add_block(uint64_t lane[LANES], const uint8_t *block)
{
    for (unsigned i = 0; i < LANES; i++)
        lane[i] = mix(lane[i], cts_get64le(block + 8 * (size_t)i));
}

void cts_sum(const void *data, size_t len, uint8_t sum[CTS_SUM_BYTES])
{
    uint64_t lane[LANES] = {PRIME1 + PRIME2, PRIME2, 0, 0 - PRIME1};
    const uint8_t *at = data;
    uint8_t last[BLOCK] = {0};
    size_t left = len;
    for (; left >= BLOCK; left -= BLOCK, at += BLOCK)
        add_block(lane, at);
    if (left)
        memcpy(last, at, left);
    add_block(lane, last);
    for (unsigned i = 0; i < LANES; i++)
        cts_put64le(sum + 8 * (size_t)i, mix(lane[i], len));
}
