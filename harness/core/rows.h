/* Operand rows: writing a state into a row of the window, and comparing what came out with what
 * may. */
#ifndef CTS_CORE_ROWS_H
#define CTS_CORE_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "core/outcomes.h"
#include "host/arena.h"
#include "isa/mach.h"
#include "pack/pack.h"
#include "wire/worker.h"

enum { CTS_SEG_OPERANDS = 4 };

/* A unit made ready to run on a machine of a known byte order. */
struct cts_seg {
    const struct cts_pack *pack;
    const struct cts_pk_unit *unit;
    uint32_t unit_index;
    uint32_t rows;            /* how many operand rows it has */
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
        next; /* indexes of the values in row `next`: rows mostly come in order */
    const struct cts_pk_state *base;
    bool lean; /* plain, and only the registers of `moving` differ from row to row */
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

/* Bytes a row's expected state takes beside the window (0 unless swept). */
size_t cts_seg_expect_bytes(const struct cts_seg *s);

/* Writes the inputs of operand row `r` to `row` and fills its outputs with what must not come out,
 * so that a row nobody wrote never passes. `expect` receives a sweep's expected state. */
void cts_seg_fill(struct cts_seg *s, uint32_t r, uint8_t *row, uint8_t *expect);

/* The same where `row` and `expect` already hold an earlier row of this sweep, which was run:
 * writes what differs. */
void cts_seg_refill(struct cts_seg *s, uint32_t r, uint8_t *row, uint8_t *expect);

/* Did the row end in a state that conforms? Only outcomes of kind RAN count. */
bool cts_seg_match(struct cts_seg *s, uint32_t r, const uint8_t *row, const uint8_t *expect);

/* Turns a row as cts_seg_fill left it into what it is if the first outcome that conforms comes
 * out; nothing changes if that is not known (it is none of kind RAN). stored: the registers
 * that the program stores, a bit each; cleared: it clears what cts_seg_open_bytes says. */
void cts_seg_guess(struct cts_seg *s, uint32_t r, const uint8_t *expect, uint16_t stored,
                   bool cleared, uint8_t *row);
/* The registers of row r of which not just anything may come out, a bit each. */
uint16_t cts_seg_compared(const struct cts_seg *s, uint32_t r);
/* Flags of the bytes of its memory and stack of which anything may come out, if it may end in one
 * state only; null: none. */
void cts_seg_open_bytes(const struct cts_seg *s, uint32_t r, const uint8_t **mem,
                        const uint8_t **stack);
/* May one of the rows end in more than one state that conforms, by `any` or by several outcomes?
 * A guess says nothing of it then. */
bool cts_seg_is_open(const struct cts_seg *s);

/* Is the row's output as cts_seg_fill left it: was the end of the body never reached? */
bool cts_seg_untouched(const struct cts_seg *s, uint32_t r, const uint8_t *row,
                       const uint8_t *expect);

/* The bytes of the stack that are observed: the next span of them, from *at on, in bytes above its
 * lowest; false if there is none left. */
bool cts_seg_stack_span(const struct cts_seg *s, size_t *at, size_t *end);

/* What was expected of the row, for people: the first conforming state. Registers are absolute
 * (addresses are those of this run). False if no outcome of kind RAN exists. */
struct cts_seg_view {
    uint64_t in[10], r[10];
    uint16_t any;
    const uint8_t *mem_in, *mem, *mem_any;       /* null: none */
    const uint8_t *stack_in, *stack, *stack_any; /* null: none */
};
bool cts_seg_expected(struct cts_seg *s, uint32_t r, const uint8_t *row, const uint8_t *expect,
                      struct cts_arena *arena, struct cts_seg_view *view);

/* Of a unit that is run as a whole program: its code, and the memory it is given (0: none). */
const uint8_t *cts_seg_whole_code(const struct cts_seg *s, uint32_t *slots);
const uint8_t *cts_seg_whole_memory(const struct cts_seg *s, uint32_t *bytes);
/* The r0 that an outcome of it asks for; false if it asks for none. */
bool cts_seg_whole_result(const struct cts_seg *s, const struct cts_pk_outcome *o, uint64_t *r0);

/* The case that operand row r belongs to. */
uint32_t cts_seg_case(const struct cts_seg *s, uint32_t r);

/* The kinds of outcome that conform for row r: a bit per enum cts_outcome_kind. */
unsigned cts_seg_kinds(const struct cts_seg *s, uint32_t r);
/* May an outcome other than a rejection at load conform, for some row? If not, there is no need to
 * run the program. */
bool cts_seg_may_run(const struct cts_seg *s);

uint64_t cts_order_get64(bool be, const uint8_t *p);
void cts_order_put64(bool be, uint8_t *p, uint64_t v);

#endif
