/* A variant made ready to run on a machine of a known byte order. */
#ifndef CTS_CORE_VARIANT_H
#define CTS_CORE_VARIANT_H

#include "base/err.h"
#include "core/outcomes.h"
#include "host/arena.h"
#include "isa/mach.h"
#include "pack/pack.h"
#include "wire/worker.h"

enum {
    CTS_SEG_OPERANDS = 4,
    CTS_EXPECT_REGISTERS = 10 * 8, /* bytes; memory and stack of a sweep's expected state follow */
};

/* A unit made ready to run on a machine of a known byte order. */
struct cts_seg {
    const struct cts_pack *pack;
    const struct cts_pk_unit *unit;
    uint32_t unit_index;
    uint32_t rows;            /* how many operand tuples it has */
    struct cts_layout layout; /* the unit's, less what this runtime may not show */
    int32_t kept; /* a stack slot that is the environment's beside layout.spill; 0: none */
    bool be;
    bool whole; /* run as a whole program */
    bool swept;
    bool plain;           /* swept, and neither memory nor stack nor addresses: the fast way */
    uint64_t result_mask; /* bits of a result that are compared */
    const struct cts_outcomes *outcomes; /* of each operand tuple, on this engine; null: swept */
    /* Of a sweep: */
    struct cts_pk_operand operand[CTS_SEG_OPERANDS];
    const uint64_t *values[CTS_SEG_OPERANDS];
    uint32_t value_count[CTS_SEG_OPERANDS];
    uint32_t operands;
    uint32_t digit[CTS_SEG_OPERANDS],
        next; /* indexes of the values in tuple `next`: they mostly come in order */
    const struct cts_pk_state *base;
    bool lean; /* plain, and only the registers of `moving` differ from tuple to tuple */
    uint8_t moving[10], moving_count;
    struct cts_mach *mach;
    uint8_t *base_mem, *base_stack; /* images in the machine's byte order */
    uint8_t *scratch;               /* mem_bytes + 512: an image being compared */
};

/* Is the unit run as a whole program there? */
bool cts_unit_is_whole(const struct cts_pk_unit *u, const struct cts_caps *caps);

/* Memory comes from the arena. Fails if a sweep's body does not decode. */
int cts_seg_init(struct cts_seg *s, const struct cts_pack *pack, uint32_t unit_index,
                 const struct cts_caps *caps, enum cts_level level, struct cts_arena *arena,
                 struct cts_err *err);

/* Of a unit that is run as a whole program: its code, and the memory it is given (0: none). */
const uint8_t *cts_seg_whole_code(const struct cts_seg *s, uint32_t *slots);
const uint8_t *cts_seg_whole_memory(const struct cts_seg *s, uint32_t *bytes);

/* The r0 that an outcome of it asks for; false if it asks for none. */
bool cts_seg_whole_result(const struct cts_seg *s, const struct cts_pk_outcome *o, uint64_t *r0);

#endif
