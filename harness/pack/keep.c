#include "pack/env.h"

#include "base/bytes.h"
#include "isa/isa.h"

/* Where a body reaches into the stack, as far as its text shows: offsets from r10 are followed
 * through copies and sums with immediates, from the top of the body to its end. */

enum { SLOTS = CTS_STACK_BYTES / 8 };
static const uint64_t everywhere = UINT64_MAX;

enum points { ELSEWHERE, AT, SOMEWHERE }; /* not into the stack; at a known place; at any */

struct use {
    enum points points[CTS_REG_COUNT];
    int64_t at[CTS_REG_COUNT]; /* distance from r10 */
    bool loops;                /* code may run again with other addresses */
    uint64_t slots;            /* bit i: the 8 bytes at r10 - 512 + 8 * i */
};

static void touch(struct use *u, int64_t from, int64_t end)
{
    from = from < -CTS_STACK_BYTES ? -CTS_STACK_BYTES : from;
    for (int64_t at = from & ~INT64_C(7); at < end && at < 0; at += 8)
        u->slots |= 1ull << ((at + CTS_STACK_BYTES) / 8);
}

static void reach(struct use *u, unsigned reg, int64_t from, int64_t end)
{
    if (u->points[reg] == SOMEWHERE)
        u->slots = everywhere;
    if (u->points[reg] == AT)
        touch(u, u->at[reg] + from, u->at[reg] + end);
}

static int64_t width_of(uint8_t opcode)
{
    static const uint8_t widths[4] = {4, 2, 1, 8}; /* by the size bits of the opcode */
    return widths[opcode >> 3 & 3];
}

static void note_memory(struct use *u, unsigned flags, const struct cts_insn *in)
{
    int64_t end = in->off + width_of(in->opcode);
    if (flags & CTS_RF_LOAD)
        reach(u, in->src, in->off, end);
    if (flags & (CTS_RF_STORE | CTS_RF_ATOMIC))
        reach(u, in->dst, in->off, end);
}

/* What a function does with a pointer is not known: all from there up may be its. */
static void note_call(struct use *u)
{
    for (unsigned i = 1; i <= 5; i++) {
        if (u->points[i] == AT)
            touch(u, u->at[i], 0);
        reach(u, i, 0, 0);
        u->points[i] = ELSEWHERE;
    }
    u->points[0] = ELSEWHERE;
}

static void note_sum(struct use *u, unsigned dst, int64_t by)
{
    u->at[dst] += by;
    if (u->points[dst] == AT && u->loops)
        u->points[dst] = SOMEWHERE;
}

static void note_result(struct use *u, enum cts_insn_id row, const struct cts_insn *in)
{
    static const enum cts_insn_id keeping[] = {CTS_INSN_ADD64_X, CTS_INSN_SUB64_X, CTS_INSN_AND64_K,
                                               CTS_INSN_OR64_K};
    if (row == CTS_INSN_MOV64_X) {
        u->points[in->dst] = u->points[in->src];
        u->at[in->dst] = u->at[in->src];
        return;
    }
    if (row == CTS_INSN_ADD64_K || row == CTS_INSN_SUB64_K) {
        note_sum(u, in->dst, row == CTS_INSN_ADD64_K ? in->imm : -(int64_t)in->imm);
        return;
    }
    bool stack = u->points[in->dst] != ELSEWHERE;
    for (size_t i = 0; i < CTS_ARRAY_LEN(keeping); i++) {
        if (row != keeping[i])
            continue;
        stack = stack || (i == 0 && u->points[in->src] != ELSEWHERE);
        u->points[in->dst] = stack ? SOMEWHERE : ELSEWHERE;
        return;
    }
    u->points[in->dst] = ELSEWHERE;
}

static void note_insn(struct use *u, enum cts_insn_id row, const struct cts_insn *in)
{
    unsigned flags = cts_insn_info(row)->flags;
    if (in->dst >= CTS_REG_COUNT || in->src >= CTS_REG_COUNT)
        return;
    note_memory(u, flags, in);
    if (flags & CTS_RF_CALL)
        note_call(u);
    else if (!(flags & (CTS_RF_STORE | CTS_RF_ATOMIC | CTS_RF_JUMP)) && in->dst != 10)
        note_result(u, row, in);
}

static bool goes_back(enum cts_insn_id row, const struct cts_insn *in)
{
    int32_t by = row == CTS_INSN_JA32 ? in->imm : in->off;
    return cts_insn_info(row)->flags & CTS_RF_JUMP && by < 0;
}

/* What is no instruction does not run either. */
static void walk(struct use *u, const struct cts_env_segment *seg, bool look_for_loops)
{
    for (uint32_t at = 0; at < seg->body_slots;) {
        struct cts_insn in;
        enum cts_insn_id row;
        int n = cts_decode(seg->code + (size_t)at * CTS_SLOT_BYTES, seg->body_slots - at, false,
                           &in, &row, NULL);
        if (n > 0 && look_for_loops)
            u->loops |= goes_back(row, &in);
        else if (n > 0)
            note_insn(u, row, &in);
        at += n > 0 ? (uint32_t)n : 1;
    }
}

static uint64_t slots_of_body(const struct cts_env_segment *seg)
{
    struct use u = {.points = {[10] = AT}};
    for (unsigned i = 0; i < 10; i++) {
        if (seg->layout.place[i] == CTS_PL_FP)
            u.points[i] = AT;
        u.at[i] = seg->layout.add[i];
    }
    walk(&u, seg, true);
    walk(&u, seg, false);
    return u.slots;
}

int cts_env_keep(const struct cts_caps *caps, const struct cts_env_segment *seg, int32_t *slot,
                 struct cts_err *err)
{
    *slot = 0;
    if (caps->window_kind != CTS_WK_ARGUMENT)
        return 0;
    int32_t spill = seg->layout.spill, step = spill < -CTS_STACK_BYTES / 2 ? 8 : -8;
    uint64_t taken = slots_of_body(seg);
    for (int32_t at = spill + step; at >= -CTS_STACK_BYTES && at < 0; at += step) {
        if (taken >> (at + CTS_STACK_BYTES) / 8 & 1)
            continue;
        *slot = at;
        return 0;
    }
    return cts_err_set(err, CTS_E_LIMIT,
                       "the body may use all of the stack, and %s gets its window as an argument: "
                       "there is no slot left to keep the address in",
                       caps->runtime);
}
