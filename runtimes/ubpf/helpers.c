#include "helpers.h"

#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"

static const uint64_t einval = (uint64_t)-22;

static uint64_t help_sum(const uint64_t r[5])
{
    return r[0] + 2 * r[1] + 4 * r[2] + 8 * r[3] + 16 * r[4];
}

static uint64_t help_hash(const uint64_t r[5])
{
    uint64_t h = 0;

    for (unsigned i = 0; i < 5; i++) {
        h ^= r[i];
        h = (h << 13 | h >> 51) * UINT64_C(0x9e3779b97f4a7c15);
    }
    return h;
}

static uint64_t help_constant(const uint64_t r[5])
{
    (void)r;
    return UINT64_C(0xc0ffee00c0ffee);
}

static uint32_t add_with_carry(uint32_t a, uint32_t b)
{
    uint64_t sum = (uint64_t)a + b;

    return (uint32_t)sum + (uint32_t)(sum >> 32);
}

/* Ones' complement sum of the words at an address of the program, which is one of ours. */
static uint32_t csum_add(uint64_t at, uint32_t bytes, uint32_t sum)
{
    for (uint32_t i = 0; i < bytes; i += 4) {
        uint32_t word;

        memcpy(&word, (const void *)(uintptr_t)(at + i), sizeof(word));
        sum = add_with_carry(sum, word);
    }
    return sum;
}

static uint64_t help_csum_diff(const uint64_t r[5])
{
    uint32_t from_bytes = (uint32_t)r[1], to_bytes = (uint32_t)r[3], sum = (uint32_t)r[4];

    if ((from_bytes | to_bytes) % 4 != 0)
        return einval;
    if (from_bytes && to_bytes)
        sum = add_with_carry(csum_add(r[2], to_bytes, sum), ~csum_add(r[0], from_bytes, 0));
    else if (to_bytes)
        sum = csum_add(r[2], to_bytes, sum);
    else if (from_bytes)
        sum = ~csum_add(r[0], from_bytes, ~sum);
    sum += sum >> 16 | sum << 16;
    return (uint16_t)(sum >> 16);
}

/* Those of .data files, as uBPF's own test program has them. */

enum { MOST_BYTES = 4096 };

static uint64_t help_gather(const uint64_t r[5])
{
    uint64_t all = 0;

    for (unsigned i = 0; i < 5; i++)
        all = all << 8 | (r[i] & 0xff);
    return all;
}

static uint64_t help_frob(const uint64_t r[5])
{
    uint8_t *at = (void *)(uintptr_t)r[0];

    for (uint64_t i = 0; i < r[1] && i < MOST_BYTES; i++)
        at[i] ^= 42;
    return 0;
}

static uint64_t help_nothing(const uint64_t r[5])
{
    (void)r;
    return 0;
}

static uint64_t help_root(const uint64_t r[5])
{
    uint64_t root = 0;

    for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
        if ((root | bit) * (root | bit) <= r[0])
            root |= bit;
    return root;
}

static uint64_t help_compare(const uint64_t r[5])
{
    const char *a = (const void *)(uintptr_t)r[0], *b = (const void *)(uintptr_t)r[1];

    return (uint64_t)(int64_t)strncmp(a, b, MOST_BYTES);
}

/* uBPF itself ends the program where it gives 0: see CTS_UB_UNWIND. */
static uint64_t help_unwind(const uint64_t r[5])
{
    return r[0];
}

static const struct {
    unsigned int id;
    uint64_t (*call)(const uint64_t r[5]);
} helpers[] = {
    {28, help_csum_diff},
    {0x7000, help_sum},
    {0x7001, help_hash},
    {0x7002, help_constant},
    {CTS_DATA_HELPERS + 0, help_gather},
    {CTS_DATA_HELPERS + 1, help_frob},
    {CTS_DATA_HELPERS + 2, help_nothing},
    {CTS_DATA_HELPERS + 3, help_root},
    {CTS_DATA_HELPERS + 4, help_compare},
    {CTS_UB_UNWIND, help_unwind},
};

uint64_t cts_ub_help(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                     unsigned int id, void *cookie)
{
    const uint64_t r[5] = {r1, r2, r3, r4, r5};

    (void)cookie;
    for (size_t i = 0; i < CTS_ARRAY_LEN(helpers); i++) {
        if (helpers[i].id == id)
            return helpers[i].call(r);
    }
    return 0;
}

bool cts_ub_has_helper(unsigned int id, const struct ubpf_vm *vm)
{
    (void)vm;
    for (size_t i = 0; i < CTS_ARRAY_LEN(helpers); i++) {
        if (helpers[i].id == id)
            return true;
    }
    return false;
}
