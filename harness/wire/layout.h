/* The window: the memory through which a program under test gets its inputs and shows its whole
 * state.
 *
 * A program owns one region of the window: a header, then `rows` entries of `stride` bytes (both
 * powers of two). Each entry is one operand tuple: a machine state to start from, and room for the
 * state that comes out. All numbers in a region are in the byte order of the machine under test.
 *
 *     window   0         64               region            + 64      + stride  + stride
 *              +---------+----------------+-----------------+---------+---------+--------
 *              | begun,  | other regions  | index, scratch  | entry 0 | entry 1 | ...
 *              | waiting |                |                 |         |         |
 *              +---------+----------------+-----------------+---------+---------+--------
 *
 *     entry    0        80       160    168   176   184      192         stack_off + 512     + 1024
 *              +--------+--------+------+-----+-----+--------+-----------+---------+---------+
 *              | IN     | OUT    | SELF | FP  | END | unused | MEM       | stack   | stack   |
 *              | r0..r9 | r0..r9 |      | r10 |     |        | mem_bytes | in      | out     |
 *              +--------+--------+------+-----+-----+--------+-----------+---------+---------+
 *
 * With s bodies in one program, each between a prologue and an epilogue, an iteration takes s
 * entries: body j runs entries j, s + j, 2s + j, ... */
#ifndef CTS_WIRE_LAYOUT_H
#define CTS_WIRE_LAYOUT_H

#include <stdint.h>

enum {
    /* The first bytes of a window belong to no region. */
    CTS_WIN_BEGUN = 0, /* u64, the host's order: how many items the worker has begun; says which one
                          it died of */
    CTS_WIN_WAITING = 8, /* u64, likewise: 1 while it waits for something that it shares */
    CTS_WIN_RESERVED = 64,

    /* Header of a region. */
    CTS_WIN_INDEX =
        0, /* u64: the next entry; the program adds 1 a body and masks it with rows - 1 */
    CTS_WIN_SCRATCH = 8, /* u64: the epilogue's own */
    CTS_WIN_HEADER = 64,

    /* An entry. */
    CTS_ENTRY_IN =
        0, /* 10 x u64: r0..r9 in; slots of registers that are no plain values are not read */
    CTS_ENTRY_OUT = 80,   /* 10 x u64: r0..r9 out */
    CTS_ENTRY_SELF = 160, /* u64: the address of this entry as the program sees it; written where
                           the layout says so */
    CTS_ENTRY_FP = 168,   /* u64: r10; written where the layout says so */
    CTS_ENTRY_END =
        176, /* u64: how it ended: enum cts_entry_end; written by native runtimes only */
    CTS_ENTRY_MEM = 192, /* mem_bytes of memory, read and written in place; then, if any, 512 bytes
                          of stack in and 512 out */

    CTS_STACK_BYTES = 512
};

enum cts_entry_end { CTS_ENDED_UNKNOWN = 0, CTS_ENDED_FELL_THROUGH = 1, CTS_ENDED_EXITED = 2 };

/* What a register holds when the body begins. */
enum cts_place {
    CTS_PL_VALUE, /* the entry's input */
    CTS_PL_MEM,   /* the address of the entry's memory, plus `add` */
    CTS_PL_FP,    /* r10 plus `add` */
    CTS_PL_CTX,   /* the program's context (r1 at entry) */
    CTS_PL_NONE,  /* nothing that may be read */
};

struct cts_layout {
    uint32_t region;       /* offset of the region in the window, a multiple of 64 */
    uint32_t rows, stride; /* powers of two */
    uint32_t mem_bytes;    /* 0: no memory */
    uint32_t stack_off;    /* offset in an entry of 512 bytes in, 512 bytes out; 0: the stack is not
                              looked at */
    int32_t spill; /* the stack slot the epilogue may use: -512 or -8; its 8 bytes of stack are not
                      observed. Programs that get the window as an argument keep its address in
                      another slot, which is not observed either: see pack/env.h */
    uint16_t
        out_mask;   /* bit i: ri is stored in OUT; the others are left as the harness filled them */
    uint8_t record; /* 1: SELF and FP are written */
    uint8_t place[10]; /* enum cts_place of r0..r9 */
    int32_t add[10];
    uint32_t body_slots; /* native windows: control that reaches this slot of the body's code has
                            fallen through; subprograms begin here */
};

static inline uint32_t cts_layout_bytes(const struct cts_layout *l)
{
    return CTS_WIN_HEADER + l->rows * l->stride;
}

#endif
