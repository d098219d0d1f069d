#include "core/pieces.h"

#include "core/compared.h"

/* Of a sweep, where each tuple costs a run of its own: spread over all of it. */

struct cts_pieces cts_pieces_of(const struct cts_machine *m, const struct cts_seg *seg)
{
    uint32_t stride = cts_request_stride(&seg->layout), most = m->caps->max_iterations;
    struct cts_pieces pieces = {.count = 0};
    while (pieces.count < seg->rows && pieces.count < most &&
           cts_program_region_bytes(1, pieces.count + 1, stride) <=
               cts_machine_room(m, CTS_WIN_RESERVED))
        pieces.count++;
    pieces.step = pieces.count;
    if (seg->swept && most == 1 && seg->rows > CTS_SAMPLE_TUPLES)
        pieces.step = (seg->rows + CTS_SAMPLE_TUPLES - 1) / CTS_SAMPLE_TUPLES;
    return pieces;
}

uint32_t cts_pieces_count(const struct cts_seg *seg, const struct cts_pieces *pieces,
                          uint32_t first)
{
    uint32_t left = seg->rows - first;
    return left < pieces->count ? left : pieces->count;
}

struct cts_program cts_pieces_program(struct cts_seg *seg, const struct cts_pieces *pieces,
                                      uint32_t first)
{
    return cts_program_of(seg, first, cts_pieces_count(seg, pieces, first));
}
