/* A batch: programs that go out in one frame and share one half of the window. */
#ifndef CTS_CORE_BATCH_H
#define CTS_CORE_BATCH_H

#include "core/program.h"

enum {
    CTS_BATCH_PROGRAMS = 32,
    CTS_BATCH_CODE = 1 << 20, /* bytes of code after which it goes out */
};

struct cts_batch {
    struct cts_program program[CTS_BATCH_PROGRAMS];
    struct cts_item item[CTS_BATCH_PROGRAMS];
    struct cts_answer answer[CTS_BATCH_PROGRAMS];
    uint32_t programs;
    uint32_t half; /* of the window: 0 or 1 */
    uint32_t used; /* bytes of it */
    bool asked;
    uint64_t items_before; /* asked of the session before these */
    struct cts_buf code, elf;
    struct cts_buf predicted; /* regions as they are to be: for workers that see nothing but r0 */
    uint8_t *expect; /* expected states of its entries: as large as its part of the window, since
                        an entry's never takes more than its stride */
    size_t expect_used;
};

/* Null without memory. */
struct cts_batch *cts_batch_new(uint32_t half, uint32_t window_bytes);
void cts_batch_free(struct cts_batch *b);
/* Empties it. */
void cts_batch_reset(struct cts_batch *b);
bool cts_batch_is_full(const struct cts_batch *b);
/* Is there room for the program in its half of the window? */
bool cts_batch_fits(const struct cts_machine *m, const struct cts_batch *b,
                    const struct cts_program *p);
/* Takes a copy of the program, places and fills it. CTS_E_LIMIT, CTS_E_UNSUPPORTED: this machine
 * cannot run it. */
int cts_batch_add(const struct cts_machine *m, struct cts_batch *b, const struct cts_program *p,
                  struct cts_err *err);
/* The only program of the batch once more, for its tuple r. ops: of enum cts_step. */
int cts_batch_turn_to(const struct cts_machine *m, struct cts_batch *b, uint32_t r, uint8_t ops,
                      struct cts_err *err);
/* Once all programs are in it. */
void cts_batch_point(struct cts_batch *b);

#endif
