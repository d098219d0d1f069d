/* Numbers from and to bytes in a stated byte order, whatever the host's. Freestanding. */
#ifndef CTS_BASE_BYTES_H
#define CTS_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CTS_HOST_IS_BE (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

#define CTS_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define CTS_BYTES_ACCESSORS(bits)                                                                  \
    static inline uint##bits##_t cts_get##bits##_host(const void *p)                               \
    {                                                                                              \
        uint##bits##_t v;                                                                          \
        memcpy(&v, p, sizeof(v));                                                                  \
        return v;                                                                                  \
    }                                                                                              \
    static inline void cts_put##bits##_host(void *p, uint##bits##_t v)                             \
    {                                                                                              \
        memcpy(p, &v, sizeof(v));                                                                  \
    }                                                                                              \
    static inline uint##bits##_t cts_get##bits##le(const void *p)                                  \
    {                                                                                              \
        uint##bits##_t v = cts_get##bits##_host(p);                                                \
        return CTS_HOST_IS_BE ? __builtin_bswap##bits(v) : v;                                      \
    }                                                                                              \
    static inline uint##bits##_t cts_get##bits##be(const void *p)                                  \
    {                                                                                              \
        uint##bits##_t v = cts_get##bits##_host(p);                                                \
        return CTS_HOST_IS_BE ? v : __builtin_bswap##bits(v);                                      \
    }                                                                                              \
    static inline void cts_put##bits##le(void *p, uint##bits##_t v)                                \
    {                                                                                              \
        cts_put##bits##_host(p, CTS_HOST_IS_BE ? __builtin_bswap##bits(v) : v);                    \
    }                                                                                              \
    static inline void cts_put##bits##be(void *p, uint##bits##_t v)                                \
    {                                                                                              \
        cts_put##bits##_host(p, CTS_HOST_IS_BE ? v : __builtin_bswap##bits(v));                    \
    }

CTS_BYTES_ACCESSORS(16)
CTS_BYTES_ACCESSORS(32)
CTS_BYTES_ACCESSORS(64)

#endif
