/* The mutants that have two kinds of frames, by their sizes, as compilers do that put large ones on
 * private stacks: they are wrong where one kind meets another, or itself. */
#include "base/bytes.h"
#include "host/arena.h"
#include "mutate/list.h"
#include "mutate/model.h"

enum {
    LARGE_BYTES = 64,
    CLOCK_TIMES = 65536, /* may_goto looks at the clock every so many times */
    CLOCK_BELOW = 56,    /* in a frame of 8 * n more bytes it spoils r<n> */
    KINDS = 4,
    CALLER_LARGE = 1,
    CALLEE_LARGE = 2,
    REG_SHIFT = 2, /* of arg: a register, or how the callee's frame lies, above the kinds */
};

enum where { IS_CALLERS, OVERLAPS_CALLERS, IS_MAINS, WHERES };

static const struct cts_mutant *mutant_of(const struct cts_mach *m)
{
    return ((const struct cts_mut_table *)(const void *)m->exec)->mutant;
}

static bool right(struct cts_mach *m, const struct cts_insn *in)
{
    if (m->budget > CTS_MUT_BUDGET)
        m->budget = CTS_MUT_BUDGET;
    m->choose = false; /* loops go on until they end by themselves */
    cts_exec_table[mutant_of(m)->row](m, in);
    return m->stop == CTS_MACH_RUNNING;
}

/* ---- how large a function's frame is ---- */

static void narrow(uint32_t slot, int64_t begins, uint32_t *lo, uint32_t *hi)
{
    if (begins > (int64_t)*lo && begins <= (int64_t)slot)
        *lo = (uint32_t)begins;
    if (begins > (int64_t)slot && begins < (int64_t)*hi)
        *hi = (uint32_t)begins;
}

/* The function in which a slot is. */
static void bounds_of(const struct cts_mach *m, uint32_t slot, uint32_t *lo, uint32_t *hi)
{
    *lo = 0;
    *hi = m->prog_slots;
    if (m->body_slots)
        narrow(slot, m->body_slots, lo, hi);
    for (uint32_t i = 0; i < m->prog_slots; i++) {
        enum cts_insn_id row = m->prog[i].row;
        if (row == CTS_INSN_CALL_LOCAL || row == CTS_INSN_LDDW_CODE)
            narrow(slot, (int64_t)i + 1 + m->prog[i].in.imm, lo, hi);
    }
}

/* How far below r10 an instruction goes, or the one behind it if this copies r10. */
static int32_t reach_of(const struct cts_mach_insn *at, const struct cts_mach_insn *next)
{
    unsigned flags = cts_insn_info(at->row)->flags;
    bool by_dst = flags & (CTS_RF_STORE | CTS_RF_ATOMIC) && at->in.dst == 10;
    bool by_src = flags & CTS_RF_LOAD && !(flags & CTS_RF_WIDE) && at->in.src == 10;
    if (by_dst || by_src)
        return -at->in.off;
    if (at->row == CTS_INSN_MOV64_X && at->in.src == 10 && next && next->row == CTS_INSN_ADD64_K &&
        next->in.dst == at->in.dst)
        return -next->in.imm;
    return 0;
}

static int32_t frame_bytes(const struct cts_mach *m, uint32_t slot)
{
    uint32_t lo, hi;
    int32_t bytes = 0;

    bounds_of(m, slot, &lo, &hi);
    for (uint32_t i = lo; i < hi; i++) {
        if (m->prog[i].row == CTS_INSN_COUNT)
            continue;
        int32_t reach = reach_of(&m->prog[i], i + 1 < hi ? &m->prog[i + 1] : NULL);
        bytes = reach > bytes ? reach : bytes;
    }
    return bytes;
}

static bool is_large(const struct cts_mach *m, uint32_t slot)
{
    return frame_bytes(m, slot) >= LARGE_BYTES;
}

/* Whether caller and callee are of the kinds in question. */
static bool is_kind(const struct cts_mach *m, uint32_t caller, uint32_t callee)
{
    int32_t arg = mutant_of(m)->arg;
    if (caller >= m->prog_slots || callee >= m->prog_slots)
        return false; /* a helper called it */
    return is_large(m, caller) == (bool)(arg & CALLER_LARGE) &&
           is_large(m, callee) == (bool)(arg & CALLEE_LARGE);
}

/* ---- what goes wrong ---- */

static void exec_unrestored(struct cts_mach *m, const struct cts_insn *in)
{
    int32_t reg = mutant_of(m)->arg >> REG_SHIFT;
    uint64_t callees = m->r[reg];
    uint32_t callee = m->at;
    bool inner = m->depth > 0;

    if (right(m, in) && inner && is_kind(m, m->pc - 1, callee))
        m->r[reg] = callees;
}

static void exec_argument(struct cts_mach *m, const struct cts_insn *in)
{
    uint32_t caller = m->at;
    if (right(m, in) && is_kind(m, caller, m->pc))
        m->r[mutant_of(m)->arg >> REG_SHIFT] ^= 1;
}

static void exec_frame(struct cts_mach *m, const struct cts_insn *in)
{
    uint32_t caller = m->at;
    uint64_t callers = m->r[10];

    if (!right(m, in) || !is_kind(m, caller, m->pc))
        return;
    switch ((enum where)(mutant_of(m)->arg >> REG_SHIFT)) {
    case IS_CALLERS:
        m->r[10] = callers;
        break;
    case OVERLAPS_CALLERS:
        m->r[10] = callers - (uint64_t)((frame_bytes(m, caller) + 7) / 8 * 8) + 8;
        break;
    default:
        m->r[10] = m->frame[0].saved[4];
    }
}

static void exec_after(struct cts_mach *m, const struct cts_insn *in)
{
    int32_t arg = mutant_of(m)->arg;
    uint32_t at = m->at;
    if (right(m, in) && is_large(m, at) == (bool)(arg & CALLER_LARGE))
        m->r[arg >> REG_SHIFT] += UINT64_C(1) << 61;
}

/* The count is kept where no function of the program has its frame. */
static void exec_clock(struct cts_mach *m, const struct cts_insn *in)
{
    uint64_t *times = &m->frame[CTS_MACH_FRAMES - 1].saved[0];
    int32_t reg = mutant_of(m)->arg;
    uint32_t at = m->at;

    if (!right(m, in) || ++*times % CLOCK_TIMES != 0)
        return;
    if (m->r[reg] == 0 && frame_bytes(m, at) == CLOCK_BELOW + 8 * reg)
        m->r[reg] = 0x1b7bfd0e3834;
}

static const struct cts_mut_model unrestored = {"frame-kinds", exec_unrestored, NULL};
static const struct cts_mut_model argument = {"frame-kinds", exec_argument, NULL};
static const struct cts_mut_model frame = {"frame-kinds", exec_frame, NULL};
static const struct cts_mut_model after = {"frame-kinds", exec_after, NULL};
static const struct cts_mut_model clock = {"frame-kinds", exec_clock, NULL};

static const char *const kinds[KINDS] = {"small calls small", "large calls small",
                                         "small calls large", "large calls large"};

static void add(struct cts_mut_list *list, enum cts_insn_id row, const struct cts_mut_model *model,
                int32_t arg, const char *text)
{
    if (!text)
        list->failed = true;
    cts_mut_add(list, &(struct cts_mutant){.row = row,
                                           .op = model->name,
                                           .text = text,
                                           .level = CTS_LEVEL_QUICK,
                                           .model = model,
                                           .arg = arg});
}

#define ADD(row, model, arg, ...)                                                                  \
    add(list, row, model, arg, cts_arena_fmt(list->arena, __VA_ARGS__))

static void add_kind(struct cts_mut_list *list, enum cts_insn_id row, int32_t kind)
{
    static const char *const wheres[WHERES] = {
        [IS_CALLERS] = "the caller's",
        [OVERLAPS_CALLERS] = "by a word in the caller's",
        [IS_MAINS] = "main's",
    };
    for (int32_t r = 6; row == CTS_INSN_EXIT && r <= 10; r++)
        ADD(row, &unrestored, r << REG_SHIFT | kind, "r%d is not restored where a %s frame", r,
            kinds[kind]);
    for (int32_t w = 0; row != CTS_INSN_EXIT && w < WHERES; w++)
        ADD(row, &frame, w << REG_SHIFT | kind, "the callee's frame is %s where a %s one",
            wheres[w], kinds[kind]);
    for (int32_t r = 1; row != CTS_INSN_EXIT && r <= 5; r++)
        ADD(row, &argument, r << REG_SHIFT | kind,
            "r%d reaches the callee changed where a %s frame", r, kinds[kind]);
}

void cts_mut_add_frames(struct cts_mut_list *list, enum cts_insn_id row)
{
    bool calls = row == CTS_INSN_CALL_LOCAL || row == CTS_INSN_EXIT;
    for (int32_t kind = 0; calls && kind < KINDS; kind++)
        add_kind(list, row, kind);
    for (int32_t r = 6; (row == CTS_INSN_CALL_HELPER || row == CTS_INSN_CALL_BTF) && r <= 10; r++) {
        ADD(row, &after, r << REG_SHIFT, "the call changes r%d in a small frame", r);
        ADD(row, &after, r << REG_SHIFT | CALLER_LARGE, "the call changes r%d in a large frame", r);
    }
    if (row == CTS_INSN_CALLX)
        for (int32_t w = 0; w < IS_MAINS; w++)
            ADD(row, &frame, w << REG_SHIFT | CALLER_LARGE | CALLEE_LARGE,
                "the callee's frame is %s where a large one calls a large one",
                w == IS_CALLERS ? "the caller's" : "by a word in the caller's");
    for (int32_t r = 1; row == CTS_INSN_MAY_GOTO && r <= 5; r++)
        ADD(row, &clock, r, "the look at the clock in a frame of %d bytes spoils a zero in r%d",
            CLOCK_BELOW + 8 * r, r);
}
