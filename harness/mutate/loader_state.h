/* What the loader knows at one place of a program, and what an instruction does to it. */
#ifndef CTS_MUTATE_LOADER_STATE_H
#define CTS_MUTATE_LOADER_STATE_H

#include "isa/mach.h"
#include "mutate/facts.h"
#include "mutate/loader.h"

enum { CTS_LD_SLOTS = 8, CTS_LD_PLACES = 10 + CTS_LD_SLOTS };

struct cts_ld_value {
    struct cts_fact fact;
    uint32_t link;  /* 0: none; values of one link differ by their deltas */
    uint64_t delta; /* what was added since */
    uint8_t bytes;  /* of a stack slot: what was stored at its start; 0: unknown */
    bool copy;      /* was moved here, and is not where it was moved from */
    bool tested;    /* a branch has looked at it */
};

/* Registers r0..r9, then the stack's uppermost slots of eight bytes. */
struct cts_ld_state {
    struct cts_ld_value v[CTS_LD_PLACES];
    uint32_t links; /* given so far */
};

struct cts_ld_rules {
    enum cts_loader_flaw flaw;
    enum cts_insn_id row;
};

void cts_ld_start(struct cts_ld_state *s);
/* An instruction that is no jump. */
void cts_ld_step(const struct cts_ld_rules *rules, struct cts_ld_state *s,
                 const struct cts_mach_insn *at);
/* What is known where a conditional jump goes this way; false: it never does. */
bool cts_ld_assume(const struct cts_ld_rules *rules, struct cts_ld_state *s,
                   const struct cts_mach_insn *at, bool taken);
/* Is everything that `now` may be among what `before` may have been? */
bool cts_ld_covers(const struct cts_ld_rules *rules, const struct cts_ld_state *before,
                   const struct cts_ld_state *now);

#endif
