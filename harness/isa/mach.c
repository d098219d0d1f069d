#include "isa/mach.h"

#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"

enum {
    RETURN_TO_HELPER =
        -1 /* return_pc of a callback's frame, as uint32_t; no program is that long */
};

static const uint64_t code_base = UINT64_C(0xc0de000000000000);
static const uint64_t args_base = UINT64_C(0xa465000000000000);

static bool regions_overlap(const struct cts_mach_region *a, uint64_t base, uint64_t size)
{
    return base - a->base < a->size || a->base - base < size;
}

int cts_mach_map(struct cts_mach *m, uint64_t base, uint8_t *host, uint64_t size, bool writable)
{
    if (m->regions == CTS_MACH_REGIONS)
        return CTS_E_LIMIT;
    if (size > 0 && base + (size - 1) < base)
        return CTS_E_INVAL;
    for (unsigned i = 0; i < m->regions; i++)
        if (size > 0 && m->region[i].size > 0 && regions_overlap(&m->region[i], base, size))
            return CTS_E_INVAL;
    m->region[m->regions++] = (struct cts_mach_region){base, size, host, writable};
    return 0;
}

int cts_mach_map_stack(struct cts_mach *m, uint64_t base, uint8_t *host)
{
    int rc = cts_mach_map(m, base, host, CTS_MACH_STACKS_BYTES, true);
    if (rc)
        return rc;
    m->stack_base = base;
    m->r[10] = base + CTS_MACH_STACKS_BYTES;
    return 0;
}

/* Bytes at the low end of the stack region that belong to frames not in use. */
static uint64_t unused_stack(const struct cts_mach *m)
{
    return (uint64_t)(CTS_MACH_FRAMES - 1 - m->depth) * CTS_MACH_STACK_BYTES;
}

uint8_t *cts_mach_host(const struct cts_mach *m, uint64_t addr, uint64_t bytes, bool write)
{
    if (m->args && addr - args_base < CTS_MACH_ARGS_BYTES)
        return bytes <= CTS_MACH_ARGS_BYTES - (addr - args_base) ? m->args + (addr - args_base)
                                                                 : NULL;
    for (unsigned i = 0; i < m->regions; i++) {
        const struct cts_mach_region *r = &m->region[i];
        uint64_t at = addr - r->base; /* wraps to something large below the base */
        if (at >= r->size || bytes > r->size - at)
            continue;
        if (write && !r->writable)
            return NULL;
        if (m->stack_base != 0 && r->base == m->stack_base && at < unused_stack(m))
            return NULL;
        return r->host + at;
    }
    return NULL;
}

void cts_mach_fault(struct cts_mach *m, enum cts_mach_stop stop, const char *why)
{
    if (m->stop != CTS_MACH_RUNNING)
        return;
    m->stop = stop;
    cts_fmt(m->why, sizeof(m->why), "%s", why);
}

static void fault_mem(struct cts_mach *m, const char *what, uint64_t addr, unsigned bytes)
{
    char why[sizeof(m->why)];
    cts_fmt(why, sizeof(why), "slot %u: %s of %u bytes at 0x%llx, outside of what is mapped",
            (unsigned)m->at, what, bytes, (unsigned long long)addr);
    cts_mach_fault(m, CTS_MACH_FAULT_MEM, why);
}

/* Values in memory that is in the other byte order than the host's. */
static bool is_foreign(const struct cts_mach *m)
{
    return m->be != (bool)CTS_HOST_IS_BE;
}

uint64_t cts_mach_load(struct cts_mach *m, uint64_t addr, unsigned bytes)
{
    const uint8_t *p = cts_mach_host(m, addr, bytes, false);
    if (!p) {
        fault_mem(m, "load", addr, bytes);
        return 0;
    }
    bool swap = is_foreign(m);
    switch (bytes) {
    case 1:
        return p[0];
    case 2:
        return swap ? __builtin_bswap16(cts_get16_host(p)) : cts_get16_host(p);
    case 4:
        return swap ? __builtin_bswap32(cts_get32_host(p)) : cts_get32_host(p);
    case 8:
        return swap ? __builtin_bswap64(cts_get64_host(p)) : cts_get64_host(p);
    default:
        cts_mach_fault(m, CTS_MACH_FAULT_INSN, "load of a size that does not exist");
        return 0;
    }
}

void cts_mach_store(struct cts_mach *m, uint64_t addr, unsigned bytes, uint64_t value)
{
    uint8_t *p = cts_mach_host(m, addr, bytes, true);
    if (!p) {
        fault_mem(m, "store", addr, bytes);
        return;
    }
    bool swap = is_foreign(m);
    switch (bytes) {
    case 1:
        p[0] = (uint8_t)value;
        break;
    case 2:
        cts_put16_host(p, swap ? __builtin_bswap16((uint16_t)value) : (uint16_t)value);
        break;
    case 4:
        cts_put32_host(p, swap ? __builtin_bswap32((uint32_t)value) : (uint32_t)value);
        break;
    case 8:
        cts_put64_host(p, swap ? __builtin_bswap64(value) : value);
        break;
    default:
        cts_mach_fault(m, CTS_MACH_FAULT_INSN, "store of a size that does not exist");
    }
}

/* May control come to this slot? The end counts; the run loop decides what it means there. */
static bool is_target(const struct cts_mach *m, int64_t slot)
{
    if (slot < 0 || slot > m->prog_slots)
        return false;
    return slot == m->prog_slots || m->prog[slot].row != CTS_INSN_COUNT;
}

static void fault_jump(struct cts_mach *m, const char *what, int64_t slot)
{
    char why[sizeof(m->why)];
    cts_fmt(why, sizeof(why), "slot %u: %s slot %lld, which is no instruction of the program",
            (unsigned)m->at, what, (long long)slot);
    cts_mach_fault(m, CTS_MACH_FAULT_JUMP, why);
}

void cts_mach_goto(struct cts_mach *m, int64_t rel)
{
    int64_t slot = (int64_t)((uint64_t)m->pc + (uint64_t)rel);
    if (is_target(m, slot))
        m->pc = (uint32_t)slot;
    else
        fault_jump(m, "jump to", slot);
}

void cts_mach_clobber(struct cts_mach *m)
{
    for (unsigned i = 1; i <= 5; i++)
        m->r[i] = cts_mach_unspecified(i);
}

static bool enter(struct cts_mach *m, int64_t slot, uint32_t return_pc)
{
    if (!is_target(m, slot) || slot == m->prog_slots) {
        fault_jump(m, "call of", slot);
        return false;
    }
    if (m->depth + 1 >= CTS_MACH_FRAMES) {
        cts_mach_fault(m, CTS_MACH_FAULT_CALL, "calls are nested too deeply");
        return false;
    }
    struct cts_mach_frame *f = &m->frame[m->depth++];
    f->return_pc = return_pc;
    memcpy(f->saved, &m->r[6], sizeof(f->saved));
    m->r[10] -= CTS_MACH_STACK_BYTES;
    m->pc = (uint32_t)slot;
    return true;
}

void cts_mach_call_local(struct cts_mach *m, int64_t rel)
{
    enter(m, (int64_t)((uint64_t)m->pc + (uint64_t)rel), m->pc);
}

void cts_mach_exit(struct cts_mach *m)
{
    if (m->depth == 0) {
        m->stop = CTS_MACH_EXITED;
        return;
    }
    /* What was on the stack for this function is there no more. */
    if (m->args)
        memset(m->args + (size_t)m->depth * CTS_MACH_ARGS * 8, 0xa4, CTS_MACH_ARGS * 8);
    const struct cts_mach_frame *f = &m->frame[--m->depth];
    memcpy(&m->r[6], f->saved, sizeof(f->saved));
    m->pc = f->return_pc;
    cts_mach_clobber(m);
}

void cts_mach_finish(struct cts_mach *m, uint64_t r0)
{
    m->r[0] = r0;
    m->depth = 0;
    m->stop = CTS_MACH_EXITED;
}

static void call_platform(struct cts_mach *m, uint64_t (*call)(struct cts_mach *, int32_t),
                          int32_t id, const char *what)
{
    if (!call) {
        char why[sizeof(m->why)];
        cts_fmt(why, sizeof(why), "slot %u: the platform has no %s", (unsigned)m->at, what);
        cts_mach_fault(m, CTS_MACH_FAULT_CALL, why);
        return;
    }
    uint64_t r0 = call(m, id);
    if (m->stop != CTS_MACH_RUNNING)
        return;
    m->r[0] = r0;
    cts_mach_clobber(m);
}

void cts_mach_call_helper(struct cts_mach *m, int32_t id)
{
    call_platform(m, m->platform ? m->platform->helper : NULL, id, "helper functions");
}

void cts_mach_call_btf(struct cts_mach *m, int32_t id)
{
    call_platform(m, m->platform ? m->platform->btf_call : NULL, id, "functions by BTF id");
}

uint64_t cts_mach_code_addr(struct cts_mach *m, int32_t rel)
{
    int64_t slot = (int64_t)m->pc - 1 + rel;
    if (!is_target(m, slot) || slot == m->prog_slots) {
        fault_jump(m, "address of", slot);
        return 0;
    }
    return cts_mach_code_of((uint32_t)slot);
}

uint64_t cts_mach_code_of(uint32_t slot)
{
    return code_base + (uint64_t)slot * CTS_SLOT_BYTES;
}

int64_t cts_mach_slots_to(struct cts_mach *m, uint64_t code)
{
    uint64_t at = code - code_base;
    if (at % CTS_SLOT_BYTES != 0 || at / CTS_SLOT_BYTES >= m->prog_slots) {
        cts_mach_fault(m, CTS_MACH_FAULT_CALL, "no address of code");
        return 0;
    }
    return (int64_t)(at / CTS_SLOT_BYTES) - (int64_t)m->pc;
}

/* The argument at 8, 16, ... bytes of those that came to the frame of that depth. */
static uint64_t arg_addr(struct cts_mach *m, unsigned depth, int bytes)
{
    int n = bytes / 8 - 1;
    bool is_one = bytes % 8 == 0 && n >= 0 && n < CTS_MACH_ARGS;
    if (!m->args || depth == 0 || depth >= CTS_MACH_FRAMES || !is_one) {
        cts_mach_fault(m, CTS_MACH_FAULT_MEM, "there is no such argument on the stack");
        return 0;
    }
    return args_base + ((uint64_t)depth * CTS_MACH_ARGS + (uint64_t)n) * 8;
}

uint64_t cts_mach_arg_in(struct cts_mach *m, int16_t off)
{
    return arg_addr(m, m->depth, off);
}

uint64_t cts_mach_arg_out(struct cts_mach *m, int16_t off)
{
    return arg_addr(m, m->depth + 1, -off);
}

/* One instruction; false if there was none to run. */
static inline bool step(struct cts_mach *m, const struct cts_mach_insn *prog,
                        const cts_exec_fn *exec, uint32_t end)
{
    uint32_t pc = m->pc;
    if (pc == end && m->depth == 0) {
        m->stop = CTS_MACH_ENDED;
        return false;
    }
    if (pc == (uint32_t)RETURN_TO_HELPER)
        return false;
    if (pc >= m->prog_slots) {
        cts_mach_fault(m, CTS_MACH_FAULT_JUMP, "control fell off the end of a function");
        return false;
    }
    if (m->budget == 0) {
        cts_mach_fault(m, CTS_MACH_BUDGET, "the instruction budget is used up");
        return false;
    }
    m->budget--;
    const struct cts_mach_insn *insn = &prog[pc];
    if (insn->row == CTS_INSN_COUNT || !exec[insn->row]) {
        cts_mach_fault(m, CTS_MACH_FAULT_INSN, "not an instruction");
        return false;
    }
    m->at = pc;
    m->pc = pc + 1 + insn->wide;
    exec[insn->row](m, &insn->in);
    return true;
}

static uint32_t end_of_main(const struct cts_mach *m)
{
    return m->body_slots ? m->body_slots : m->prog_slots;
}

/* Runs until the machine stops or, for a callback, until its frame returns. */
static void run(struct cts_mach *m)
{
    const struct cts_mach_insn *prog = m->prog;
    const cts_exec_fn *exec = m->exec;
    uint32_t end = end_of_main(m);
    while (m->stop == CTS_MACH_RUNNING && step(m, prog, exec, end))
        ;
}

enum cts_mach_stop cts_mach_run(struct cts_mach *m)
{
    run(m);
    return m->stop;
}

enum cts_mach_stop cts_mach_step(struct cts_mach *m)
{
    if (m->stop == CTS_MACH_RUNNING)
        step(m, m->prog, m->exec, end_of_main(m));
    return m->stop;
}

uint64_t cts_mach_call_back(struct cts_mach *m, uint64_t code, const uint64_t args[5])
{
    uint64_t at = code - code_base;
    uint32_t pc = m->pc;
    if (at % CTS_SLOT_BYTES != 0 || at / CTS_SLOT_BYTES >= m->prog_slots) {
        cts_mach_fault(m, CTS_MACH_FAULT_CALL, "callback is no address of code");
        return 0;
    }
    if (!enter(m, (int64_t)(at / CTS_SLOT_BYTES), (uint32_t)RETURN_TO_HELPER))
        return 0;
    memcpy(&m->r[1], args, 5 * sizeof(args[0]));
    run(m);
    if (m->stop != CTS_MACH_RUNNING)
        return 0;
    m->pc = pc;
    return m->r[0];
}

const char *cts_mach_stop_name(enum cts_mach_stop stop)
{
    static const char *const names[] = {"running",
                                        "ended",
                                        "exited",
                                        "memory fault",
                                        "call fault",
                                        "jump fault",
                                        "illegal instruction",
                                        "platform fault",
                                        "budget"};
    return (unsigned)stop < CTS_ARRAY_LEN(names) ? names[stop] : "unknown";
}
