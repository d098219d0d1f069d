/* The reference machine: runs decoded instructions exactly as `does` says.
 *
 * The function of each row is generated from spec/isa into spec/generated/isa_exec.c. Addresses are
 * those of the machine, not of the host: memory is what `regions` maps. Freestanding; the caller
 * owns all memory. */
#ifndef CTS_ISA_MACH_H
#define CTS_ISA_MACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "isa/isa.h"

enum {
    CTS_MACH_REGIONS = 32,
    CTS_MACH_FRAMES = 8,        /* main and 7 nested calls: policy, RFC 9669 is silent */
    CTS_MACH_STACK_BYTES = 512, /* per frame: policy */
    CTS_MACH_STACKS_BYTES = CTS_MACH_FRAMES * CTS_MACH_STACK_BYTES,
    CTS_MACH_ARGS = 7, /* arguments of a call on the stack: policy, Linux's */
    CTS_MACH_ARGS_BYTES = CTS_MACH_FRAMES * CTS_MACH_ARGS * 8,
    CTS_MACH_BUDGET_DEFAULT = 1 << 24 /* instructions */
};

/* What a register without a defined value holds: r1..r5 after a call, for instance. Nothing else
 * looks like it. */
static inline uint64_t cts_mach_unspecified(unsigned reg)
{
    return UINT64_C(0xdeadc10bbe4ed000) + reg;
}

enum cts_mach_stop {
    CTS_MACH_RUNNING,
    CTS_MACH_ENDED,          /* fell off the end of the program after its last instruction */
    CTS_MACH_EXITED,         /* exit in the outermost frame; result in r0 */
    CTS_MACH_FAULT_MEM,      /* access outside the regions, or a write to a read-only one */
    CTS_MACH_FAULT_CALL,     /* unknown helper, depth exceeded */
    CTS_MACH_FAULT_JUMP,     /* target outside the program or in the middle of a wide instruction */
    CTS_MACH_FAULT_INSN,     /* not an instruction */
    CTS_MACH_FAULT_PLATFORM, /* unknown map, variable, function */
    CTS_MACH_BUDGET,         /* instruction budget used up */
};

struct cts_mach_region {
    uint64_t base, size; /* machine address, bytes */
    uint8_t *host;
    bool writable;
};

/* One decoded instruction. Wide instructions take two entries; the second has row == CTS_INSN_COUNT
 * and is never run. */
struct cts_mach_insn {
    struct cts_insn in;
    enum cts_insn_id row;
    bool wide;
};

struct cts_mach;

/* Runs one instruction. m->pc is already that of the following instruction; control flow changes
 * it. Sets m->stop on a fault. */
typedef void (*cts_exec_fn)(struct cts_mach *m, const struct cts_insn *in);
/* Indexed by row; rows that are no instruction hold null. */
extern const cts_exec_fn cts_exec_table[CTS_INSN_COUNT];

/* What the platform brings. Each returns the 64-bit value or sets m->stop; null members fault. */
struct cts_mach_platform {
    /* Functions: arguments in r1..r5; the machine then sets r0, and r1..r5 as unspecified. */
    uint64_t (*helper)(struct cts_mach *m, int32_t id);
    uint64_t (*btf_call)(struct cts_mach *m, int32_t id);
    uint64_t (*map_by_fd)(struct cts_mach *m, int32_t fd);
    uint64_t (*map_by_idx)(struct cts_mach *m, int32_t idx);
    uint64_t (*map_val)(struct cts_mach *m, uint64_t map);
    uint64_t (*var_addr)(struct cts_mach *m, int32_t id);
    uint64_t (*code_addr)(struct cts_mach *m, int32_t rel);
    int64_t (*slots_to)(struct cts_mach *m, uint64_t code);
    /* Arguments on the stack. */
    uint64_t (*arg_in)(struct cts_mach *m, int16_t off);
    uint64_t (*arg_out)(struct cts_mach *m, int16_t off);
    /* Policy: r6 holds the context; network byte order. */
    uint64_t (*packet_load)(struct cts_mach *m, uint64_t at, unsigned bytes);
    void *owner;
};

struct cts_mach_frame {
    uint32_t return_pc;
    uint64_t saved[5]; /* r6..r9, r10 of the caller */
};

struct cts_mach {
    uint64_t r[CTS_REG_COUNT];
    uint32_t pc; /* in slots */
    uint32_t at; /* the slot of the instruction being run */
    enum cts_mach_stop stop;
    const struct cts_mach_insn *prog;
    uint32_t prog_slots;
    /* Main ends where control reaches this slot: functions stand behind it. 0: prog_slots. */
    uint32_t body_slots;
    uint64_t budget;         /* instructions left */
    const cts_exec_fn *exec; /* cts_exec_table, or one with rows replaced */
    struct cts_mach_region region[CTS_MACH_REGIONS];
    unsigned regions;
    struct cts_mach_frame frame[CTS_MACH_FRAMES];
    unsigned depth; /* 0: main */
    /* Machine address of the lowest byte of the lowest frame's stack; frames lie below one another.
     * In the region that begins here only the stacks of frames in use can be accessed. 0: none. */
    uint64_t stack_base;
    /* CTS_MACH_ARGS_BYTES of memory: arguments on the stack, those that came to each frame. Null:
     * there are none. */
    uint8_t *args;
    bool be;     /* the order of this machine's memory */
    bool choose; /* what `choose` gives: false falls through */
    const struct cts_mach_platform *platform;
    char why[128]; /* after a fault: one line */
};

/* Decodes `slots` slots (little-endian bytes if !be) into out[slots]. Structural checks only: every
 * instruction legal, every jump, local call and code address inside the program and not into a wide
 * instruction. allow_end: may control fall off (or jump to) the end? If not, the last instruction
 * is an exit or an unconditional jump, and there is at least one. */
int cts_mach_decode(const uint8_t *bytes, uint32_t slots, bool be, bool allow_end,
                    struct cts_mach_insn *out, struct cts_err *err);

/* Clears everything: registers, regions, frames, program; the budget is the default, the semantics
 * are cts_exec_table. */
void cts_mach_init(struct cts_mach *m);
/* CTS_E_LIMIT: no region left; CTS_E_INVAL: it would wrap around or overlap another. */
int cts_mach_map(struct cts_mach *m, uint64_t base, uint8_t *host, uint64_t size, bool writable);
/* Maps host[CTS_MACH_STACKS_BYTES] at `base` as the stacks of all frames, and sets r10 for main,
 * whose stack is the uppermost. */
int cts_mach_map_stack(struct cts_mach *m, uint64_t base, uint8_t *host);
/* Runs from m->pc until it stops; returns m->stop. */
enum cts_mach_stop cts_mach_run(struct cts_mach *m);
/* The same, but for at most one instruction: CTS_MACH_RUNNING if there are more. */
enum cts_mach_stop cts_mach_step(struct cts_mach *m);

/* The host's address of `bytes` bytes at `addr`; null, and no fault, if that is not all in one
 * region (or not writable). */
uint8_t *cts_mach_host(const struct cts_mach *m, uint64_t addr, uint64_t bytes, bool write);

/* For platforms: an address for the instruction at a relative offset from the lddw being run. 0
 * would be its second slot, 1 is the instruction behind it (Linux's reading; the RFC does not say
 * where the count begins). */
uint64_t cts_mach_code_addr(struct cts_mach *m, int32_t rel);
/* The address of the instruction in a slot. */
uint64_t cts_mach_code_of(uint32_t slot);
/* Likewise the distance of the instruction at such an address, in slots from the next one; another
 * address faults. */
int64_t cts_mach_slots_to(struct cts_mach *m, uint64_t code);
/* Likewise the addresses of arguments on the stack: of those that came (8, 16, ...) and that go
 * (-8, -16,
 * ...) with the next call; they fault where there is none. */
uint64_t cts_mach_arg_in(struct cts_mach *m, int16_t off);
uint64_t cts_mach_arg_out(struct cts_mach *m, int16_t off);
/* Inside a helper: runs the function at such an address with r1..r5 = args to its end and returns
 * its r0. Check m->stop. */
uint64_t cts_mach_call_back(struct cts_mach *m, uint64_t code, const uint64_t args[5]);
/* Makes r1..r5 unspecified. */
void cts_mach_clobber(struct cts_mach *m);
/* Ends the whole program, from whatever frame, with this result. */
void cts_mach_finish(struct cts_mach *m, uint64_t r0);

/* For the generated code: checked access in the machine's byte order. On a fault m->stop is set and
 * 0 returned. */
uint64_t cts_mach_load(struct cts_mach *m, uint64_t addr, unsigned bytes);
void cts_mach_store(struct cts_mach *m, uint64_t addr, unsigned bytes, uint64_t value);
void cts_mach_goto(struct cts_mach *m, int64_t rel);
void cts_mach_call_local(struct cts_mach *m, int64_t rel);
void cts_mach_call_helper(struct cts_mach *m, int32_t id);
void cts_mach_call_btf(struct cts_mach *m, int32_t id);
void cts_mach_exit(struct cts_mach *m);
void cts_mach_fault(struct cts_mach *m, enum cts_mach_stop stop, const char *why);
const char *cts_mach_stop_name(enum cts_mach_stop stop);

#endif
