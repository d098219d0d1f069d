#include "mutate/loader.h"

#include <stdlib.h>
#include <string.h>

#include "isa/mach.h"
#include "mutate/loader_state.h"

enum {
    MOST_SLOTS = 400,  /* of a program that is looked at */
    MOST_STEPS = 4096, /* of all ways through it */
    MOST_WAYS = 64,    /* not yet gone */
    MOST_SEEN = 96,    /* states where ways meet */
    TAKEN = 1,
    FALLS = 2,
};

struct way {
    uint32_t pc;
    struct cts_ld_state state;
};

struct run {
    struct cts_ld_rules rules;
    struct cts_mach_insn prog[MOST_SLOTS];
    uint32_t slots;
    uint8_t went[MOST_SLOTS]; /* TAKEN, FALLS */
    bool meets[MOST_SLOTS];   /* some jump leads here */
    struct way ways[MOST_WAYS], seen[MOST_SEEN];
    unsigned way_count, seen_count, steps;
    bool lost; /* too much, or something that it does not know */
};

/* Conditional jumps and gotos forward; everything else that leads elsewhere is not looked into. */
static bool is_plain_jump(const struct cts_mach_insn *at)
{
    const struct cts_insn_info *info = cts_insn_info(at->row);
    return info->flags & CTS_RF_JUMP && !(info->flags & (CTS_RF_CALL | CTS_RF_CHOOSE)) &&
           at->row != CTS_INSN_EXIT && at->row != CTS_INSN_GOTOX;
}

static bool is_goto(const struct cts_mach_insn *at)
{
    return at->row == CTS_INSN_JA || at->row == CTS_INSN_JA32;
}

static int64_t target_of(const struct cts_mach_insn *at, uint32_t pc)
{
    return (int64_t)pc + 1 + (at->row == CTS_INSN_JA32 ? at->in.imm : at->in.off);
}

static bool read_program(struct run *r, const struct cts_buf *code)
{
    bool ends = false, exits = false;
    r->slots = (uint32_t)(code->len / 8);
    if (r->slots == 0 || r->slots > MOST_SLOTS ||
        cts_mach_decode((const uint8_t *)code->data, r->slots, false, true, r->prog, NULL) != 0)
        return false;
    for (uint32_t i = 0; i < r->slots; i++) {
        const struct cts_mach_insn *at = &r->prog[i];
        exits |= at->row == CTS_INSN_EXIT;
        if (at->row == CTS_INSN_COUNT || !(cts_insn_info(at->row)->flags & CTS_RF_JUMP) ||
            at->row == CTS_INSN_EXIT)
            continue;
        if (!is_plain_jump(at) || target_of(at, i) <= i)
            return false;
        if (target_of(at, i) < r->slots)
            r->meets[target_of(at, i)] = true;
        else
            ends = true;
    }
    return !(ends && exits); /* a whole program has no end that one could jump to */
}

static void go(struct run *r, uint32_t pc, const struct cts_ld_state *state)
{
    if (r->way_count == MOST_WAYS) {
        r->lost = true;
        return;
    }
    r->ways[r->way_count++] = (struct way){pc, *state};
}

/* Has all that can come of this state been seen? Else it counts as seen from now on. */
static bool is_seen(struct run *r, uint32_t pc, const struct cts_ld_state *state)
{
    for (unsigned i = 0; i < r->seen_count; i++)
        if (r->seen[i].pc == pc && cts_ld_covers(&r->rules, &r->seen[i].state, state))
            return true;
    if (r->seen_count < MOST_SEEN)
        r->seen[r->seen_count++] = (struct way){pc, *state};
    return false;
}

static void branch(struct run *r, uint32_t pc, const struct cts_ld_state *state)
{
    const struct cts_mach_insn *at = &r->prog[pc];
    struct cts_ld_state taken = *state, falls = *state;
    if (cts_ld_assume(&r->rules, &taken, at, true)) {
        r->went[pc] |= TAKEN;
        go(r, (uint32_t)target_of(at, pc), &taken);
    }
    if (cts_ld_assume(&r->rules, &falls, at, false)) {
        r->went[pc] |= FALLS;
        go(r, pc + 1, &falls);
    }
}

/* One way, up to its end or its next branch. */
static void follow(struct run *r)
{
    struct way *w = &r->ways[--r->way_count];
    struct cts_ld_state state = w->state;
    uint32_t pc = w->pc;
    while (pc < r->slots && !r->lost) {
        const struct cts_mach_insn *at = &r->prog[pc];
        if (++r->steps > MOST_STEPS)
            r->lost = true;
        if (r->meets[pc] && is_seen(r, pc, &state))
            return;
        if (at->row == CTS_INSN_EXIT)
            return;
        if (is_goto(at)) {
            pc = (uint32_t)target_of(at, pc);
        } else if (is_plain_jump(at)) {
            branch(r, pc, &state);
            return;
        } else {
            cts_ld_step(&r->rules, &state, at);
            pc += at->wide ? 2 : 1;
        }
    }
}

static bool rewrite(const struct run *r, struct cts_buf *code)
{
    bool changed = false;
    for (uint32_t i = 0; i < r->slots; i++) {
        struct cts_insn jump = {.opcode = 0x05, .off = r->prog[i].in.off};
        if (r->went[i] != TAKEN && r->went[i] != FALLS)
            continue;
        if (r->went[i] == FALLS)
            jump.off = 0;
        cts_slot_put((uint8_t *)code->data + (size_t)i * 8, false, &jump);
        changed = true;
    }
    return changed;
}

bool cts_loader_optimise(enum cts_loader_flaw flaw, enum cts_insn_id row, struct cts_buf *code)
{
    struct run *r = calloc(1, sizeof(*r));
    bool changed = false;
    if (!r)
        return false;
    r->rules = (struct cts_ld_rules){flaw, row};
    if (read_program(r, code)) {
        struct cts_ld_state start;
        cts_ld_start(&start);
        go(r, 0, &start);
        while (r->way_count && !r->lost)
            follow(r);
        changed = !r->lost && rewrite(r, code);
    }
    free(r);
    return changed;
}
