#include <stdlib.h>

#include "base/bytes.h"
#include "dp.h"
#include "isa/isa.h"

static uint64_t sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Where control goes from the instruction at `at`: one or two slots, none from an exit. */
static unsigned next_slots(const struct cts_insn *in, uint32_t at, int64_t next[2])
{
    unsigned class = in->opcode & 7, op = in->opcode & 0xf0;
    bool jumps = (class == CTS_CLASS_JMP || class == CTS_CLASS_JMP32) && op != CTS_JUMP_CALL;
    next[0] = (int64_t)at + (in->opcode == cts_insn_info(CTS_INSN_LDDW)->opcode ? 2 : 1);
    next[1] = (int64_t)at + 1 + in->off;
    if (jumps && op == CTS_JUMP_EXIT)
        return 0;
    if (jumps && op == CTS_JUMP_JA) {
        next[0] = next[1];
        return 1;
    }
    return jumps ? 2 : 1;
}

/* Jumps mostly lead forward, so that one pass does; where one leads back, what it adds there is
 * carried on in another, until nothing is left. */
enum { PASSES = 64 };

static bool carry(const uint8_t *code, uint32_t slots, uint64_t *ways, uint64_t *total)
{
    bool left = false;
    for (uint32_t at = 0; at < slots; at++) {
        struct cts_insn in;
        int64_t next[2];
        uint64_t here = ways[at];
        if (here == 0)
            continue;
        ways[at] = 0;
        *total = sum(*total, here);
        cts_slot_get(code + (size_t)at * CTS_SLOT_BYTES, CTS_HOST_IS_BE, &in);
        unsigned n = next_slots(&in, at, next);
        for (unsigned i = 0; i < n; i++) {
            if (next[i] < 0 || next[i] >= (int64_t)slots)
                continue;
            ways[next[i]] = sum(ways[next[i]], here);
            left |= next[i] <= (int64_t)at;
        }
    }
    return left;
}

bool dp_runs_off(const uint8_t *code, uint32_t slots)
{
    for (uint32_t at = 0; at < slots;) {
        struct cts_insn in;
        int64_t next[2];
        cts_slot_get(code + (size_t)at * CTS_SLOT_BYTES, CTS_HOST_IS_BE, &in);
        unsigned n = next_slots(&in, at, next);
        for (unsigned i = 0; i < n; i++)
            if (next[i] == (int64_t)slots)
                return true;
        at += in.opcode == cts_insn_info(CTS_INSN_LDDW)->opcode ? 2 : 1;
    }
    return slots == 0;
}

uint64_t dp_cost(const uint8_t *code, uint32_t slots)
{
    uint64_t *ways = slots ? calloc(slots, sizeof(*ways)) : NULL, total = 0;
    if (!ways)
        return 0;
    ways[0] = 1;
    for (unsigned i = 0; i < PASSES && carry(code, slots, ways, &total); i++)
        ;
    free(ways);
    return total;
}
