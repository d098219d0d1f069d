/* What a plugin can do is found out by trying. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "fold.h"
#include "isa/isa.h"
#include "plugin.h"

enum { MOST_SLOTS = 24, PROBE_BYTES = CTS_WIN_HEADER + 64, LOOPS = 3, VERSION = 64 };

/* A small program being put together. */
struct code {
    uint8_t bytes[MOST_SLOTS * CTS_SLOT_BYTES];
    uint32_t slots;
};

static void add(struct code *c, enum cts_insn_id row, unsigned dst, unsigned src, int off,
                int32_t imm)
{
    struct cts_insn in = {.opcode = cts_insn_info(row)->opcode,
                          .dst = (uint8_t)dst,
                          .src = (uint8_t)src,
                          .off = (int16_t)off,
                          .imm = imm};
    cts_slot_put(c->bytes + (size_t)c->slots++ * CTS_SLOT_BYTES, CTS_HOST_IS_BE, &in);
}

static bool answers_with(struct plg *g, struct code *c, const uint8_t *memory, uint32_t bytes,
                         uint64_t want, struct plg_out *out)
{
    const struct plg_prog p = {.code = c->bytes, .slots = c->slots, .whole = true};
    size_t len = 0;
    char *text = plg_prog_whole_text(&p, &g->traits, bytes, &len);
    plg_ask(g, text, len, memory, bytes, out);
    free(text);
    return out->end == PLG_ANSWERED && out->r0 == want;
}

static bool answers(struct plg *g, struct code *c, uint64_t want, struct plg_out *out)
{
    return answers_with(g, c, NULL, 0, want, out);
}

/* Bit 40, made without a wide instruction: is it the upper half that is not printed? */
static bool is_narrow(struct plg *g)
{
    struct code c = {.slots = 0};
    struct plg_out out;
    add(&c, CTS_INSN_MOV64_K, 0, 0, 0, 1);
    add(&c, CTS_INSN_LSH64_K, 0, 0, 0, 40);
    add(&c, CTS_INSN_EXIT, 0, 0, 0, 0);
    return !answers(g, &c, UINT64_C(1) << 40, &out);
}

/* It says nothing of a program, neither a number nor why not. */
static bool says_nothing(const struct plg_out *out)
{
    return out->end == PLG_GARBAGE || (out->end == PLG_REFUSED && out->silent);
}

/* As short as can be. */
static bool says_nothing_of_one(struct plg *g)
{
    struct code c = {.slots = 0};
    struct plg_out out;
    add(&c, CTS_INSN_MOV32_K, 0, 0, 0, 1);
    add(&c, CTS_INSN_EXIT, 0, 0, 0, 0);
    answers(g, &c, 1, &out);
    return says_nothing(&out);
}

/* Two constants. What answers with something else is a plugin all the same, in which an instruction
 * is wrong: the vectors say which. */
static int find_width(struct plg *g, bool *narrow, struct cts_err *err)
{
    static const uint64_t wanted[] = {UINT64_C(0x8123456789abcdef), UINT64_C(0x76543210fedcba98)};
    *narrow = false;
    for (unsigned i = 0; i < CTS_ARRAY_LEN(wanted); i++) {
        struct code c = {.slots = 0};
        struct plg_out out;
        add(&c, CTS_INSN_LDDW, 0, 0, 0, (int32_t)(uint32_t)wanted[i]);
        add(&c, CTS_INSN_LDDW, 0, 0, 0, (int32_t)(uint32_t)(wanted[i] >> 32));
        c.bytes[CTS_SLOT_BYTES] = 0; /* the second half of a wide instruction has no opcode */
        add(&c, CTS_INSN_EXIT, 0, 0, 0, 0);
        if (answers(g, &c, wanted[i], &out))
            continue;
        if (says_nothing(&out) && says_nothing_of_one(g))
            return cts_err_set(err, CTS_E_WORKER, "%s: a program that returns a constant: %s",
                               g->command.path, out.text);
        if (out.end == PLG_ANSWERED && out.r0 == (uint32_t)wanted[i])
            *narrow = is_narrow(g);
    }
    return 0;
}

/* Counts in memory, keeps its argument on the stack, goes back to its start, and ends in a fold, as
 * rows do. */
static bool folds(struct plg *g)
{
    struct plg_out out;
    struct code c = {.slots = 0};
    uint8_t memory[PROBE_BYTES];
    const struct plg_tail tail = {.rows = LOOPS, .words = PROBE_BYTES / 8};
    g->traits.loops = true;
    add(&c, CTS_INSN_STX_DW, 10, 1, -CTS_STACK_BYTES, 0);
    add(&c, CTS_INSN_LDX_DW, 2, 1, CTS_WIN_INDEX, 0);
    add(&c, CTS_INSN_ADD64_K, 2, 0, 0, 1);
    add(&c, CTS_INSN_STX_DW, 1, 2, CTS_WIN_INDEX, 0);
    add(&c, CTS_INSN_LDX_DW, 1, 10, -CTS_STACK_BYTES, 0);
    add(&c, CTS_INSN_MOV64_K, 0, 0, 0, 0);
    add(&c, CTS_INSN_EXIT, 0, 0, 0, 0);
    const struct plg_prog p = {.code = c.bytes,
                               .slots = c.slots,
                               .bodies = 1,
                               .tail = c.slots - 2,
                               .salt = UINT64_C(0x2545f4914f6cdd1d)};
    for (unsigned i = 0; i < sizeof(memory); i++)
        memory[i] = (uint8_t)(i * 37 + 11);
    cts_put64_host(memory + CTS_WIN_INDEX, 0);
    size_t len = 0;
    char *text = plg_prog_text(&p, &g->traits, &tail, &len);
    plg_ask(g, text, len, memory, sizeof(memory), &out);
    free(text);
    cts_put64_host(memory + CTS_WIN_INDEX, tail.rows);
    g->traits.loops = out.end == PLG_ANSWERED && out.r0 == plg_fold(p.salt, memory, tail.words);
    return g->traits.loops;
}

/* r2 - the last byte of the memory: is r1 the memory's address, and r2 its length? */
static bool reads_memory(struct plg *g, bool packet)
{
    static const uint8_t memory[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 99};
    struct code c = {.slots = 0};
    struct plg_out out;
    g->traits.packet = packet;
    add(&c, CTS_INSN_LDX_B, 3, 1, sizeof(memory) - 1, 0);
    add(&c, CTS_INSN_MOV64_X, 0, 2, 0, 0);
    add(&c, CTS_INSN_SUB64_X, 0, 3, 0, 0);
    add(&c, CTS_INSN_EXIT, 0, 0, 0, 0);
    return answers_with(g, &c, memory, sizeof(memory), sizeof(memory) - (uint64_t)99, &out);
}

/* Helpers, each by a program that shows what it is. */

/* "a" at r10 - 8, "b" at r10 - 16, r1 and r2 their addresses. */
static void add_strings(struct code *c)
{
    add(c, CTS_INSN_ST_B, 10, 0, -8, 'a');
    add(c, CTS_INSN_ST_B, 10, 0, -7, 0);
    add(c, CTS_INSN_ST_B, 10, 0, -16, 'b');
    add(c, CTS_INSN_ST_B, 10, 0, -15, 0);
    add(c, CTS_INSN_MOV64_X, 1, 10, 0, 0);
    add(c, CTS_INSN_ADD64_K, 1, 0, 0, -8);
    add(c, CTS_INSN_MOV64_X, 2, 10, 0, 0);
    add(c, CTS_INSN_ADD64_K, 2, 0, 0, -16);
}

static void add_call(struct code *c, unsigned number)
{
    add(c, CTS_INSN_CALL_HELPER, 0, 0, 0, (int32_t)number);
}

static uint64_t gathers(struct code *c, unsigned number)
{
    for (unsigned r = 1; r <= 5; r++)
        add(c, CTS_INSN_MOV64_K, r, 0, 0, (int32_t)r);
    add_call(c, number);
    return UINT64_C(0x0102030405);
}

static uint64_t frobs(struct code *c, unsigned number)
{
    add_strings(c);
    add(c, CTS_INSN_MOV64_K, 2, 0, 0, 1);
    add_call(c, number);
    add(c, CTS_INSN_LDX_B, 0, 10, -8, 0);
    return 'a' ^ 42;
}

static uint64_t comes_back(struct code *c, unsigned number)
{
    add_call(c, number);
    add(c, CTS_INSN_MOV64_K, 0, 0, 0, 79);
    return 79;
}

static uint64_t takes_root(struct code *c, unsigned number)
{
    add(c, CTS_INSN_MOV64_K, 1, 0, 0, 144);
    add_call(c, number);
    return 12;
}

static uint64_t compares(struct code *c, unsigned number)
{
    add_strings(c);
    add_call(c, number);
    add(c, CTS_INSN_MOV64_X, 6, 0, 0, 0);
    add(c, CTS_INSN_MOV64_X, 1, 10, 0, 0);
    add(c, CTS_INSN_ADD64_K, 1, 0, 0, -8);
    add(c, CTS_INSN_MOV64_X, 2, 1, 0, 0);
    add_call(c, number);
    add(c, CTS_INSN_JNE32_K, 0, 0, 2, 0); /* equal strings are not */
    add(c, CTS_INSN_JEQ32_K, 6, 0, 1, 0); /* others are */
    add(c, CTS_INSN_MOV64_K, 0, 0, 0, 80);
    return 80;
}

static uint64_t unwinds(struct code *c, unsigned number)
{
    add(c, CTS_INSN_MOV64_K, 1, 0, 0, 0);
    add_call(c, number);
    add(c, CTS_INSN_MOV64_K, 0, 0, 0, 81);
    return 0;
}

/* What calls helper N and answers `want` has that helper. So has what answers something else, if it
 * refuses a number that is none's: then its helper, or its call, is wrong. Helper 5 is another one
 * in other plugins. */
static uint32_t find_helpers(struct plg *g)
{
    static uint64_t (*const write[CTS_DATA_HELPERS_COUNT])(struct code *c, unsigned number) = {
        gathers, frobs, comes_back, takes_root, compares, unwinds};
    enum { NOBODYS = 0x6fff };
    struct code none = {.slots = 0};
    struct plg_out out;
    uint32_t features = 0;
    comes_back(&none, NOBODYS);
    add(&none, CTS_INSN_EXIT, 0, 0, 0, 0);
    answers(g, &none, 0, &out);
    bool refuses = out.end == PLG_REFUSED;
    for (unsigned n = 0; n < CTS_DATA_HELPERS_COUNT; n++) {
        struct code c = {.slots = 0};
        uint64_t want = write[n](&c, n);
        add(&c, CTS_INSN_EXIT, 0, 0, 0, 0);
        if (answers(g, &c, want, &out) ||
            (refuses && n != CTS_DATA_HELPER_UNWIND && out.end != PLG_REFUSED))
            features |= CTS_FEAT_DATA_HELPER_N(n);
    }
    return features;
}

/* Programs that a loader rejects, one for each class of what it looks at. What is wrong with them
 * is never reached: a machine that runs them as they are answers 1. */

static void add_raw(struct code *c, uint8_t opcode, unsigned dst, int off, int32_t imm)
{
    const struct cts_insn in = {
        .opcode = opcode, .dst = (uint8_t)dst, .off = (int16_t)off, .imm = imm};
    cts_slot_put(c->bytes + (size_t)c->slots++ * CTS_SLOT_BYTES, CTS_HOST_IS_BE, &in);
}

/* r0 = 1, and over the next instruction */
static void begin_over(struct code *c)
{
    add_raw(c, CTS_OPCODE_MOV64_K, 0, 0, 1);
    add_raw(c, CTS_OPCODE_JA, 0, 1, 0);
}

static void unknown_opcode(struct code *c)
{
    begin_over(c);
    add_raw(c, 0xff, 0, 0, 0);
    add_raw(c, CTS_OPCODE_EXIT, 0, 0, 0);
}

static void reserved_field(struct code *c)
{
    begin_over(c);
    add_raw(c, CTS_OPCODE_NEG64, 0, 7, 7);
    add_raw(c, CTS_OPCODE_EXIT, 0, 0, 0);
}

static void unknown_register(struct code *c)
{
    begin_over(c);
    add_raw(c, CTS_OPCODE_MOV64_K, 12, 0, 7);
    add_raw(c, CTS_OPCODE_EXIT, 0, 0, 0);
}

static void jump_out(struct code *c)
{
    add_raw(c, CTS_OPCODE_MOV64_K, 0, 0, 1);
    add_raw(c, CTS_OPCODE_JEQ_K, 0, 100, 2);
    add_raw(c, CTS_OPCODE_EXIT, 0, 0, 0);
}

static void jump_into_wide(struct code *c)
{
    add_raw(c, CTS_OPCODE_MOV64_K, 0, 0, 1);
    add_raw(c, CTS_OPCODE_JEQ_K, 0, 1, 2); /* the second half */
    add_raw(c, CTS_OPCODE_LDDW, 1, 0, 0);
    add_raw(c, 0, 0, 0, 0);
    add_raw(c, CTS_OPCODE_EXIT, 0, 0, 0);
}

static void no_end(struct code *c)
{
    add_raw(c, CTS_OPCODE_MOV64_K, 0, 0, 1);
    add_raw(c, CTS_OPCODE_JEQ_K, 0, 1, 2);
    add_raw(c, CTS_OPCODE_EXIT, 0, 0, 0);
    add_raw(c, CTS_OPCODE_MOV64_K, 0, 0, 2);
}

static void half_of_wide(struct code *c)
{
    add_raw(c, CTS_OPCODE_MOV64_K, 0, 0, 1);
    add_raw(c, CTS_OPCODE_JEQ_K, 0, 1, 2);
    add_raw(c, CTS_OPCODE_EXIT, 0, 0, 0);
    add_raw(c, CTS_OPCODE_LDDW, 1, 0, 0);
}

static bool has_no_checks(struct plg *g)
{
    static void (*const write[])(struct code *c) = {
        unknown_opcode, reserved_field, unknown_register, jump_out,
        jump_into_wide, no_end,         half_of_wide};
    for (unsigned i = 0; i < CTS_ARRAY_LEN(write); i++) {
        struct code c = {.slots = 0};
        struct plg_out out;
        write[i](&c);
        if (!answers(g, &c, 1, &out))
            return false;
    }
    return true;
}

static uint32_t find_features(struct plg *g)
{
    struct code call = {.slots = 0}, stack = {.slots = 0};
    struct plg_out out;
    uint32_t features = CTS_FEAT_GUESS | CTS_FEAT_MEMORY;
    add(&call, CTS_INSN_CALL_LOCAL, 0, 1, 0, 1);
    add(&call, CTS_INSN_EXIT, 0, 0, 0, 0);
    add(&call, CTS_INSN_MOV64_K, 0, 0, 0, 77);
    add(&call, CTS_INSN_EXIT, 0, 0, 0, 0);
    if (answers(g, &call, 77, &out))
        features |= CTS_FEAT_LOCAL_CALL;
    add(&stack, CTS_INSN_LDX_DW, 1, 10, -8, 0);
    add(&stack, CTS_INSN_MOV64_K, 0, 0, 0, 78);
    add(&stack, CTS_INSN_EXIT, 0, 0, 0, 0);
    if (answers(g, &stack, 78, &out))
        features |= CTS_FEAT_STACK_UNINIT;
    if (has_no_checks(g))
        features |= CTS_FEAT_UNCHECKED;
    return features | find_helpers(g);
}

/* The mode, and the path, of which the end says more. */
static void tell_version(const struct plg *g, const char *mode, bool unchecked,
                         char version[VERSION])
{
    size_t room = VERSION - 1,
           used = cts_fmt(version, VERSION, "%s%s; ", mode, unchecked ? ", no checks" : "");
    size_t len = strlen(g->command.path);
    if (used >= room)
        return;
    room -= used;
    cts_fmt(version + used, VERSION - used, "%s", g->command.path + (len > room ? len - room : 0));
}

/* How rows are run, if they are. */
static const char *find_mode(struct plg *g, struct cts_caps *caps, bool narrow)
{
    caps->r0_bits = narrow ? 32 : 64;
    if (narrow && !g->traits.packet) /* else the result is that of an XDP program, of 32 bits */
        caps->features |= CTS_FEAT_CUT;
    if (narrow || g->traits.packet) {
        caps->window_kind = CTS_WK_NONE;
        caps->window_bytes = 0;
        caps->window_fd = -1;
        return g->traits.packet ? "whole programs only, on packets"
                                : "whole programs only, results cut to 32 bits";
    }
    if (folds(g))
        return "rows in loops";
    /* Who has memory, but cannot read or fold it, has rows all the same: they will be found wrong.
     */
    caps->max_iterations = 1;
    return "one row a process";
}

int plg_probe(struct plg *g, struct cts_caps *caps, struct cts_err *err)
{
    bool narrow;
    *caps = (struct cts_caps){
        .be = CTS_HOST_IS_BE,
        .window_kind = CTS_WK_ARGUMENT,
        .window_bytes = PLG_WINDOW,
        .window = g->window.data,
        .window_fd = g->window.fd,
        .max_slots = PLG_TEXT_SLOTS,
        .max_segments = PLG_BODIES,
        .max_iterations = PLG_LOOP_ROWS,
    };
    int rc = find_width(g, &narrow, err);
    if (rc)
        return rc;
    g->traits.packet = !reads_memory(g, false) && reads_memory(g, true);
    caps->features = find_features(g);
    const char *mode = find_mode(g, caps, narrow);
    tell_version(g, mode, caps->features & CTS_FEAT_UNCHECKED, caps->version);
    return 0;
}
