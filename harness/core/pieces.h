/* Variants with more operand tuples than one program takes, on a machine that predicts: in pieces.
 */
#ifndef CTS_CORE_PIECES_H
#define CTS_CORE_PIECES_H

#include "core/program.h"

struct cts_pieces {
    uint32_t count; /* tuples of one program; 0: not even one fits */
    uint32_t step;  /* from one program's first tuple to the next one's */
};

struct cts_pieces cts_pieces_of(const struct cts_machine *m, const struct cts_seg *seg);
/* Tuples of the piece that begins with `first`. */
uint32_t cts_pieces_count(const struct cts_seg *seg, const struct cts_pieces *pieces,
                          uint32_t first);
struct cts_program cts_pieces_program(struct cts_seg *seg, const struct cts_pieces *pieces,
                                      uint32_t first);

#endif
