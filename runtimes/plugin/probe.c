/* What a plugin can do is found out by trying. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "fold.h"
#include "isa/isa.h"
#include "plugin.h"

enum { MOST_SLOTS = 16, PROBE_BYTES = CTS_WIN_HEADER + 64, LOOPS = 3, VERSION = 64 };

/* A small program being put together. */
struct code {
    uint8_t bytes[MOST_SLOTS * CTS_SLOT_BYTES];
    uint32_t slots;
};

static void add(struct code *c, enum cts_row_id row, unsigned dst, unsigned src, int off,
                int32_t imm)
{
    struct cts_insn in = {.opcode = cts_row_info(row)->opcode,
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
    add(&c, CTS_ROW_MOV64_K, 0, 0, 0, 1);
    add(&c, CTS_ROW_LSH64_K, 0, 0, 0, 40);
    add(&c, CTS_ROW_EXIT, 0, 0, 0, 0);
    return !answers(g, &c, UINT64_C(1) << 40, &out);
}

/* Two constants: what answers both is no constant itself. */
static int find_width(struct plg *g, uint8_t *bits, struct cts_err *err)
{
    static const uint64_t wanted[] = {UINT64_C(0x8123456789abcdef), UINT64_C(0x76543210fedcba98)};
    *bits = 64;
    for (unsigned i = 0; i < CTS_ARRAY_LEN(wanted); i++) {
        struct code c = {.slots = 0};
        struct plg_out out;
        add(&c, CTS_ROW_LDDW, 0, 0, 0, (int32_t)(uint32_t)wanted[i]);
        add(&c, CTS_ROW_LDDW, 0, 0, 0, (int32_t)(uint32_t)(wanted[i] >> 32));
        c.bytes[CTS_SLOT_BYTES] = 0; /* the second half of a wide instruction has no opcode */
        add(&c, CTS_ROW_EXIT, 0, 0, 0, 0);
        if (answers(g, &c, wanted[i], &out))
            continue;
        if (out.end != PLG_ANSWERED)
            return cts_err_set(err, CTS_E_WORKER, "%s: a program that returns a constant: %s",
                               g->command.path, out.text);
        if (out.r0 != (uint32_t)wanted[i])
            return cts_err_set(
                err, CTS_E_WORKER, "%s: a program that returns 0x%llx: it answers 0x%llx",
                g->command.path, (unsigned long long)wanted[i], (unsigned long long)out.r0);
        *bits = is_narrow(g) ? 32 : 64;
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
    add(&c, CTS_ROW_STX_DW, 10, 1, -CTS_STACK_BYTES, 0);
    add(&c, CTS_ROW_LDX_DW, 2, 1, CTS_WIN_INDEX, 0);
    add(&c, CTS_ROW_ADD64_K, 2, 0, 0, 1);
    add(&c, CTS_ROW_STX_DW, 1, 2, CTS_WIN_INDEX, 0);
    add(&c, CTS_ROW_LDX_DW, 1, 10, -CTS_STACK_BYTES, 0);
    add(&c, CTS_ROW_MOV64_K, 0, 0, 0, 0);
    add(&c, CTS_ROW_EXIT, 0, 0, 0, 0);
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
    add(&c, CTS_ROW_LDX_B, 3, 1, sizeof(memory) - 1, 0);
    add(&c, CTS_ROW_MOV64_X, 0, 2, 0, 0);
    add(&c, CTS_ROW_SUB64_X, 0, 3, 0, 0);
    add(&c, CTS_ROW_EXIT, 0, 0, 0, 0);
    return answers_with(g, &c, memory, sizeof(memory), sizeof(memory) - (uint64_t)99, &out);
}

static uint32_t find_features(struct plg *g)
{
    struct code call = {.slots = 0}, stack = {.slots = 0};
    struct plg_out out;
    uint32_t features = CTS_FEAT_GUESS | CTS_FEAT_MEMORY;
    add(&call, CTS_ROW_CALL_LOCAL, 0, 1, 0, 1);
    add(&call, CTS_ROW_EXIT, 0, 0, 0, 0);
    add(&call, CTS_ROW_MOV64_K, 0, 0, 0, 77);
    add(&call, CTS_ROW_EXIT, 0, 0, 0, 0);
    if (answers(g, &call, 77, &out))
        features |= CTS_FEAT_LOCAL_CALL;
    add(&stack, CTS_ROW_LDX_DW, 1, 10, -8, 0);
    add(&stack, CTS_ROW_MOV64_K, 0, 0, 0, 78);
    add(&stack, CTS_ROW_EXIT, 0, 0, 0, 0);
    if (answers(g, &stack, 78, &out))
        features |= CTS_FEAT_STACK_UNINIT;
    return features;
}

/* The mode, and the path, of which the end says more. */
static void tell_version(const struct plg *g, const char *mode, char version[VERSION])
{
    size_t room = VERSION - 1, used = cts_fmt(version, VERSION, "%s; ", mode);
    size_t len = strlen(g->command.path);
    if (used >= room)
        return;
    room -= used;
    cts_fmt(version + used, VERSION - used, "%s", g->command.path + (len > room ? len - room : 0));
}

int plg_probe(struct plg *g, struct cts_caps *caps, struct cts_err *err)
{
    const char *mode = "rows in loops";
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
    int rc = find_width(g, &caps->r0_bits, err);
    if (rc)
        return rc;
    g->traits.packet = !reads_memory(g, false) && reads_memory(g, true);
    caps->features = find_features(g);
    /* Who has memory, but cannot read or fold it, has rows all the same: they will be found wrong.
     */
    if (caps->r0_bits == 32 || g->traits.packet) {
        mode = g->traits.packet ? "whole programs only, on packets" : "whole programs only";
        caps->window_kind = CTS_WK_NONE;
        caps->window_bytes = 0;
        caps->window_fd = -1;
    } else if (!folds(g)) {
        mode = "one row a process";
        caps->max_iterations = 1;
    }
    tell_version(g, mode, caps->version);
    return 0;
}
