/* Programs: bodies of variants that share one, where their entries lie in the window, and what is
 * asked of the worker about it. A program knows nothing of the frame it goes out in; what its
 * request points to lies in the buffers of a batch. */
#ifndef CTS_CORE_PROGRAM_H
#define CTS_CORE_PROGRAM_H

#include "core/judge.h"
#include "core/machine.h"
#include "core/request.h"
#include "host/buf.h"

struct cts_program {
    struct cts_seg *body[CTS_ITEM_LAYOUTS];
    struct cts_layout layout[CTS_ITEM_LAYOUTS];
    uint32_t bodies;
    struct cts_among span; /* the variants to be run, from one on that begins a program whatever is
                              run before it, to the last of this program */
    uint32_t first;        /* the first operand tuple of each body that is run */
    uint32_t iterations;   /* 0: loaded, not run */
    bool wants_reason;     /* somebody reads why it is rejected, should it be run or only loaded */
    uint8_t *expect;       /* iterations * bodies * expect_bytes */
    size_t expect_bytes;   /* of one entry */
    size_t code_at, code_len;           /* in the batch's code */
    size_t elf_at, elf_len;             /* in the batch's objects */
    size_t predicted_at, predicted_len; /* in the batch's predicted regions */
    struct cts_request_objects objects;
};

static inline uint8_t *cts_program_entry(const struct cts_machine *m, const struct cts_program *p,
                                         uint32_t index)
{
    const struct cts_layout *l = &p->layout[0];
    return cts_machine_window_at(m, l->region) + CTS_WIN_HEADER +
           (size_t)(index & (l->rows - 1)) * l->stride;
}

static inline uint8_t *cts_program_expect(const struct cts_program *p, uint32_t index)
{
    return p->expect ? p->expect + (size_t)index * p->expect_bytes : NULL;
}

/* What made a program of several bodies what it is; none where there is one body. */
static inline struct cts_among cts_program_among(const struct cts_program *p)
{
    return p->bodies > 1 ? p->span : (struct cts_among){NULL, 0};
}

/* Entries of the window that a variant takes. */
static inline uint32_t cts_program_entries_of(const struct cts_machine *m,
                                              const struct cts_seg *seg)
{
    return cts_machine_loads_only(m) ? 1 : seg->rows;
}

/* A program of one body. */
struct cts_program cts_program_of(struct cts_seg *seg, uint32_t first, uint32_t tuples);
/* Bytes of the window that a program takes. */
uint64_t cts_program_region_bytes(uint32_t bodies, uint32_t iterations, uint32_t stride);
/* Has the variant more operand tuples than one program in half a window takes? */
bool cts_program_is_long(const struct cts_machine *m, const struct cts_seg *seg);
/* Body s runs its own tuple first + i in iteration i; a body with fewer tuples than the others
 * repeats its last. */
uint32_t cts_program_tuple(const struct cts_program *p, uint32_t s, uint32_t i);

/* In this order: */

/* expect: memory for the expected states of its entries. Returns how much of it is taken. */
size_t cts_program_place(struct cts_program *p, uint32_t region, uint32_t entries, uint8_t *expect);
/* What nobody compares is not stored where all that comes out is one number for all that is: it may
 * be another one each time. */
void cts_program_leave_out_the_open(struct cts_program *p);
/* Appends the code, in the machine's byte order. */
int cts_program_add_code(const struct cts_machine *m, struct cts_program *p, struct cts_buf *code,
                         struct cts_err *err);
/* The same once more, as an object, for workers that want one. */
int cts_program_add_object(const struct cts_machine *m, struct cts_program *p,
                           const struct cts_buf *code, struct cts_buf *elf, struct cts_err *err);
/* The request. ops: of enum cts_step. */
struct cts_item cts_program_item(struct cts_program *p, uint8_t ops, uint8_t prog);
/* Writes the entries of its iterations, and what is expected of them. */
void cts_program_fill(const struct cts_machine *m, struct cts_program *p);
/* Appends the region as it is to be, for machines that predict. */
int cts_program_add_predicted(const struct cts_machine *m, struct cts_program *p,
                              struct cts_buf *predicted, struct cts_err *err);
/* Once the buffers no longer move. */
void cts_program_point(const struct cts_program *p, const struct cts_buf *code,
                       const struct cts_buf *elf, const struct cts_buf *predicted,
                       struct cts_item *it);

#endif
