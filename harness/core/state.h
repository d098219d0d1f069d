/* States of a pack on a machine: byte orders, images of memory, addresses. */
#ifndef CTS_CORE_STATE_H
#define CTS_CORE_STATE_H

#include <string.h>

#include "base/bytes.h"
#include "pack/pack.h"
#include "wire/wire.h"

/* Where a sweep's memory and stack lie on the reference machine: far from any operand. */
static const uint64_t cts_state_mem_base = 0x7ead000000000000u,
                      cts_state_stack_top = 0x57ac000000001000u;

/* Asked for each register of each window entry, hence inline. */

static inline uint64_t cts_order_get64(bool be, const uint8_t *p)
{
    return be ? cts_get64be(p) : cts_get64le(p);
}

static inline void cts_order_put64(bool be, uint8_t *p, uint64_t v)
{
    if (be)
        cts_put64be(p, v);
    else
        cts_put64le(p, v);
}

/* The lowest `width` bytes of v. */
static inline void cts_state_put(bool be, uint8_t *p, unsigned width, uint64_t v)
{
    for (unsigned i = 0; i < width; i++)
        p[be ? width - 1 - i : i] = (uint8_t)(v >> (8 * i));
}

/* The bytes of a state's memory as a machine of the given order has them. */
static inline void cts_state_image(const struct cts_pack *p, const struct cts_pk_bytes_ref *ref,
                                   size_t n, bool be, uint8_t *out)
{
    memcpy(out, p->data + (be && ref->be != UINT32_MAX ? ref->be : ref->data), n);
}

/* Flags of the bytes of which anything may come out; null: of none. */
static inline const uint8_t *cts_state_any(const struct cts_pack *p,
                                           const struct cts_pk_bytes_ref *ref)
{
    return ref->data == UINT32_MAX || ref->any == UINT32_MAX ? NULL : p->data + ref->any;
}

static inline bool cts_state_is_address(unsigned place)
{
    return place == CTS_PL_MEM || place == CTS_PL_FP;
}

/* The address that a sweep's register is given on the reference machine. */
static inline uint64_t cts_state_address(unsigned place, uint64_t add)
{
    return (place == CTS_PL_MEM ? cts_state_mem_base : cts_state_stack_top) + add;
}

/* The value of a register that holds an address, as it is in the run that wrote the entry. */
static inline uint64_t cts_state_absolute(bool be, const uint8_t *entry, unsigned place,
                                          uint64_t add)
{
    if (place == CTS_PL_MEM)
        return cts_order_get64(be, entry + CTS_ENTRY_SELF) + CTS_ENTRY_MEM + add;
    if (place == CTS_PL_FP)
        return cts_order_get64(be, entry + CTS_ENTRY_FP) + add;
    return add;
}

#endif
