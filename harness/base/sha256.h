/* SHA-256 (FIPS 180-4), for content addresses. Freestanding. */
#ifndef CTS_BASE_SHA256_H
#define CTS_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct cts_sha256 {
    uint32_t state[8];
    uint64_t bytes;
    uint8_t block[64];
};

void cts_sha256_init(struct cts_sha256 *s);
void cts_sha256_add(struct cts_sha256 *s, const void *data, size_t len);
/* Ends the sum; `s` is to be initialised again before another use. */
void cts_sha256_end(struct cts_sha256 *s, uint8_t digest[32]);
/* 64 lower-case hex digits and a terminator. */
void cts_sha256_hex(const uint8_t digest[32], char hex[65]);

#endif
