#include "pack/env.h"

#include <string.h>

#include "base/bytes.h"
#include "isa/isa.h"

/* Registers of the environment: r9 walks to the row in the prologue, with r7, r8 and r0 to help; r1
 * still is the context then. r0 walks in the epilogue. Both ends use only rows of base64 and leave
 * nothing behind but what they store. */

struct emitter {
    const struct cts_caps *caps;
    struct cts_buf *out;
    size_t start; /* where the program begins in `out` */
    int32_t kept; /* the stack slot that holds the window's address; 0: none, or not yet */
};

static void emit(struct emitter *e, enum cts_insn_id row, unsigned dst, unsigned src, int off,
                 int32_t imm)
{
    uint8_t bytes[CTS_SLOT_BYTES];
    struct cts_insn in = {
        .opcode = cts_insn_info(row)->opcode,
        .dst = (uint8_t)dst,
        .src = (uint8_t)src,
        .off = (int16_t)off,
        .imm = imm,
    };
    cts_slot_put(bytes, false, &in);
    cts_buf_add(e->out, bytes, sizeof(bytes));
}

static void emit_wide(struct emitter *e, enum cts_insn_id row, unsigned dst, unsigned src,
                      int32_t imm, int32_t next_imm)
{
    uint8_t second[CTS_SLOT_BYTES] = {0};
    emit(e, row, dst, src, 0, imm);
    cts_put32le(second + 4, (uint32_t)next_imm);
    cts_buf_add(e->out, second, sizeof(second));
}

static uint32_t slots_so_far(const struct emitter *e)
{
    return (uint32_t)((e->out->len - e->start) / CTS_SLOT_BYTES);
}

/* dst = the address of the region */
static void emit_region(struct emitter *e, unsigned dst, uint32_t region)
{
    if (e->caps->window_kind == CTS_WK_ARGUMENT) {
        emit(e, CTS_INSN_LDX_DW, dst, 10, e->kept, 0);
        emit(e, CTS_INSN_ADD64_K, dst, 0, 0, (int32_t)region);
    } else if (e->caps->window_kind == CTS_WK_MAP) {
        emit_wide(e, CTS_INSN_LDDW_MAP_FD_VALUE, dst, 2, 0, (int32_t)region);
    } else {
        uint64_t addr = e->caps->window_addr + region;
        emit_wide(e, CTS_INSN_LDDW, dst, 0, (int32_t)(uint32_t)addr,
                  (int32_t)(uint32_t)(addr >> 32));
    }
}

static int32_t log2_of(uint32_t power)
{
    return (int32_t)__builtin_ctz(power);
}

/* base += (index & (rows - 1)) * stride + header; `index` is spoilt. */
static void emit_walk(struct emitter *e, const struct cts_layout *l, unsigned base, unsigned index)
{
    emit(e, CTS_INSN_AND64_K, index, 0, 0, (int32_t)(l->rows - 1));
    emit(e, CTS_INSN_LSH64_K, index, 0, 0, log2_of(l->stride));
    emit(e, CTS_INSN_ADD64_X, base, index, 0, 0);
    emit(e, CTS_INSN_ADD64_K, base, 0, 0, CTS_WIN_HEADER);
}

/* From r1, before its own input replaces it. r9 is needed up to the last input and then gets the
 * context out of the stack slot that is the environment's. */
static void emit_context(struct emitter *e, const struct cts_layout *l)
{
    for (unsigned i = 0; i < 9; i++)
        if (l->place[i] == CTS_PL_CTX && i != 1)
            emit(e, CTS_INSN_MOV64_X, i, 1, 0, 0);
    if (l->place[9] == CTS_PL_CTX)
        emit(e, CTS_INSN_STX_DW, 10, 1, l->spill, 0);
}

/* The window's address goes where the next body leaves it alone: from r1 at entry, from the slot of
 * the body before later on. */
static void emit_keep(struct emitter *e, int32_t slot)
{
    unsigned reg = 1;
    if (slot == e->kept)
        return;
    if (e->kept) {
        reg = 9;
        emit(e, CTS_INSN_LDX_DW, reg, 10, e->kept, 0);
    }
    emit(e, CTS_INSN_STX_DW, 10, reg, slot, 0);
    e->kept = slot;
}

static bool is_kept(const struct emitter *e, int stack_byte)
{
    return e->kept && stack_byte - CTS_STACK_BYTES == e->kept;
}

static void emit_stack_in(struct emitter *e, const struct cts_layout *l)
{
    for (int i = 0; l->stack_off && i < CTS_STACK_BYTES; i += 8) {
        if (is_kept(e, i))
            continue;
        emit(e, CTS_INSN_LDX_DW, 0, 9, (int)l->stack_off + i, 0);
        emit(e, CTS_INSN_STX_DW, 10, 0, i - CTS_STACK_BYTES, 0);
    }
}

static void emit_register_in(struct emitter *e, const struct cts_layout *l, unsigned i)
{
    switch ((enum cts_place)l->place[i]) {
    case CTS_PL_VALUE:
        emit(e, CTS_INSN_LDX_DW, i, 9, CTS_ENTRY_IN + 8 * (int)i, 0);
        break;
    case CTS_PL_MEM:
        if (i != 9)
            emit(e, CTS_INSN_MOV64_X, i, 9, 0, 0);
        emit(e, CTS_INSN_ADD64_K, i, 0, 0, (int32_t)(CTS_ENTRY_MEM + (uint32_t)l->add[i]));
        break;
    case CTS_PL_FP:
        emit(e, CTS_INSN_MOV64_X, i, 10, 0, 0);
        emit(e, CTS_INSN_ADD64_K, i, 0, 0, l->add[i]);
        break;
    case CTS_PL_CTX:
        if (i == 9)
            emit(e, CTS_INSN_LDX_DW, 9, 10, l->spill, 0);
        break;
    case CTS_PL_NONE:
        break;
    }
}

static void emit_prologue(struct emitter *e, const struct cts_layout *l, int32_t keep)
{
    emit_keep(e, keep);
    emit_region(e, 9, l->region);
    emit(e, CTS_INSN_LDX_DW, 8, 9, CTS_WIN_INDEX, 0);
    emit(e, CTS_INSN_MOV64_X, 7, 8, 0, 0);
    emit(e, CTS_INSN_ADD64_K, 7, 0, 0, 1);
    emit(e, CTS_INSN_STX_DW, 9, 7, CTS_WIN_INDEX, 0);
    emit_walk(e, l, 9, 8);
    emit_stack_in(e, l);
    if (l->record) {
        emit(e, CTS_INSN_STX_DW, 9, 9, CTS_ENTRY_SELF, 0);
        emit(e, CTS_INSN_STX_DW, 9, 10, CTS_ENTRY_FP, 0);
    }
    emit_context(e, l);
    for (unsigned i = 0; i < 10; i++)
        emit_register_in(e, l, i);
}

static bool is_out(const struct cts_layout *l, unsigned i)
{
    return (l->out_mask >> i) & 1;
}

static void emit_stack_out(struct emitter *e, const struct cts_layout *l)
{
    for (int i = 0; l->stack_off && i < CTS_STACK_BYTES; i += 8) {
        if (i - CTS_STACK_BYTES == l->spill || is_kept(e, i))
            continue;
        emit(e, CTS_INSN_LDX_DW, 1, 10, i - CTS_STACK_BYTES, 0);
        emit(e, CTS_INSN_STX_DW, 0, 1, (int)l->stack_off + CTS_STACK_BYTES + i, 0);
    }
}

/* Those of eight bytes (or fewer, at the end of memory) that are flagged; r0 is the row, r1 is 0.
 */
static void emit_clear(struct emitter *e, const uint8_t *open, uint32_t bytes, int off)
{
    uint32_t flagged = 0;
    for (uint32_t i = 0; i < bytes; i++)
        flagged += open[i] != 0;
    if (flagged == 8)
        emit(e, CTS_INSN_STX_DW, 0, 1, off, 0);
    for (uint32_t i = 0; flagged < 8 && i < bytes; i++)
        if (open[i])
            emit(e, CTS_INSN_STX_B, 0, 1, off + (int)i, 0);
}

static void emit_clear_open(struct emitter *e, const struct cts_env_segment *seg)
{
    const struct cts_layout *l = &seg->layout;
    if (!seg->mem_open && !seg->stack_open)
        return;
    emit(e, CTS_INSN_MOV64_K, 1, 0, 0, 0);
    for (uint32_t i = 0; seg->mem_open && i < l->mem_bytes; i += 8)
        emit_clear(e, seg->mem_open + i, l->mem_bytes - i < 8 ? l->mem_bytes - i : 8,
                   CTS_ENTRY_MEM + (int)i);
    for (int i = 0; seg->stack_open && l->stack_off && i < CTS_STACK_BYTES; i += 8)
        if (i - CTS_STACK_BYTES != l->spill && !is_kept(e, i))
            emit_clear(e, seg->stack_open + i, 8, (int)l->stack_off + CTS_STACK_BYTES + i);
}

static void emit_epilogue(struct emitter *e, const struct cts_layout *l)
{
    if (is_out(l, 0))
        emit(e, CTS_INSN_STX_DW, 10, 0, l->spill, 0);
    emit_region(e, 0, l->region);
    if (is_out(l, 1))
        emit(e, CTS_INSN_STX_DW, 0, 1, CTS_WIN_SCRATCH, 0);
    emit(e, CTS_INSN_LDX_DW, 1, 0, CTS_WIN_INDEX, 0);
    emit(e, CTS_INSN_ADD64_K, 1, 0, 0, -1);
    emit_walk(e, l, 0, 1);
    for (unsigned i = 2; i < 10; i++)
        if (is_out(l, i))
            emit(e, CTS_INSN_STX_DW, 0, i, CTS_ENTRY_OUT + 8 * (int)i, 0);
    if (is_out(l, 1)) {
        emit_region(e, 1, l->region);
        emit(e, CTS_INSN_LDX_DW, 1, 1, CTS_WIN_SCRATCH, 0);
        emit(e, CTS_INSN_STX_DW, 0, 1, CTS_ENTRY_OUT + 8, 0);
    }
    if (is_out(l, 0)) {
        emit(e, CTS_INSN_LDX_DW, 1, 10, l->spill, 0);
        emit(e, CTS_INSN_STX_DW, 0, 1, CTS_ENTRY_OUT, 0);
    }
    emit_stack_out(e, l);
}

/* Is the slot a reference to code by a distance from itself that may lead out of the body: a local
 * call, the address of a function? */
static bool is_code_reference(const struct cts_insn *in)
{
    return (in->opcode == cts_insn_info(CTS_INSN_CALL_LOCAL)->opcode &&
            in->src == (uint8_t)cts_insn_info(CTS_INSN_CALL_LOCAL)->field[CTS_F_SRC].value) ||
           (in->opcode == cts_insn_info(CTS_INSN_LDDW_CODE)->opcode &&
            in->src == (uint8_t)cts_insn_info(CTS_INSN_LDDW_CODE)->field[CTS_F_SRC].value);
}

static void emit_body(struct emitter *e, const struct cts_env_segment *seg)
{
    if (seg->body_slots)
        cts_buf_add(e->out, seg->code, (size_t)seg->body_slots * CTS_SLOT_BYTES);
}

/* The subprograms of a segment have moved away from its body by `distance` slots: correct what
 * refers to them. */
static void move_references(struct emitter *e, const struct cts_env_segment *seg, uint32_t body_at,
                            uint32_t distance)
{
    uint8_t *code = (uint8_t *)e->out->data + e->start + (size_t)body_at * CTS_SLOT_BYTES;
    for (uint32_t i = 0; i < seg->body_slots; i++) {
        struct cts_insn in;
        uint8_t *slot = code + (size_t)i * CTS_SLOT_BYTES;
        cts_slot_get(slot, false, &in);
        bool wide = in.opcode == cts_insn_info(CTS_INSN_LDDW)->opcode;
        int64_t target = (int64_t)i + 1 + in.imm;
        if (is_code_reference(&in) && target >= (int64_t)seg->body_slots) {
            in.imm += (int32_t)distance;
            cts_slot_put(slot, false, &in);
        }
        i += wide;
    }
}

static int finish(struct emitter *e, struct cts_err *err)
{
    if (e->out->failed)
        return cts_err_set(err, CTS_E_NOMEM, "no memory for a program");
    if (slots_so_far(e) > e->caps->max_slots)
        return cts_err_set(err, CTS_E_LIMIT,
                           "the program has %u instruction slots, %s takes at most %u",
                           slots_so_far(e), e->caps->runtime, e->caps->max_slots);
    if (e->caps->be)
        cts_slots_swap_order((uint8_t *)e->out->data + e->start, slots_so_far(e));
    return 0;
}

static int build_native(struct emitter *e, const struct cts_env_segment *seg, uint32_t n,
                        struct cts_err *err)
{
    if (n != 1)
        return cts_err_set(err, CTS_E_INVAL, "a native window takes one body a program");
    cts_buf_add(e->out, seg->code, (size_t)seg->slots * CTS_SLOT_BYTES);
    return finish(e, err);
}

enum { MAX_SEGMENTS = 16 };

int cts_env_build(const struct cts_caps *caps, const struct cts_env_segment *seg, uint32_t n,
                  struct cts_buf *out, struct cts_err *err)
{
    struct emitter e = {caps, out, out->len, 0};
    uint32_t body_at[MAX_SEGMENTS];
    int32_t keep[MAX_SEGMENTS];
    if (n == 0 || n > MAX_SEGMENTS)
        return cts_err_set(err, CTS_E_INVAL, "%u bodies in a program", n);
    if (caps->window_kind == CTS_WK_NATIVE)
        return build_native(&e, seg, n, err);
    if (caps->window_kind == CTS_WK_NONE)
        return cts_err_set(err, CTS_E_UNSUPPORTED, "%s has no window", caps->runtime);
    for (uint32_t i = 0; i < n; i++) {
        int rc = cts_env_keep(caps, &seg[i], &keep[i], err);
        if (rc != 0)
            return rc;
    }
    for (uint32_t i = 0; i < n; i++) {
        emit_prologue(&e, &seg[i].layout, keep[i]);
        body_at[i] = slots_so_far(&e);
        emit_body(&e, &seg[i]);
        emit_epilogue(&e, &seg[i].layout);
        emit_clear_open(&e, &seg[i]);
    }
    if (caps->features & CTS_FEAT_GUESS) /* for what the worker puts behind it */
        emit_region(&e, 1, 0);
    emit(&e, CTS_INSN_MOV64_K, 0, 0, 0, 0);
    emit(&e, CTS_INSN_EXIT, 0, 0, 0, 0);
    for (uint32_t i = 0; i < n && !out->failed; i++) {
        uint32_t at = slots_so_far(&e);
        if (seg[i].slots == seg[i].body_slots)
            continue;
        move_references(&e, &seg[i], body_at[i], at - (body_at[i] + seg[i].body_slots));
        cts_buf_add(out, seg[i].code + (size_t)seg[i].body_slots * CTS_SLOT_BYTES,
                    (size_t)(seg[i].slots - seg[i].body_slots) * CTS_SLOT_BYTES);
    }
    return finish(&e, err);
}

uint32_t cts_env_rows(const struct cts_caps *caps, const struct cts_layout *layout, uint16_t *ids,
                      uint32_t cap)
{
    struct cts_buf code;
    struct cts_env_segment empty = {.layout = *layout};
    uint32_t count = 0;
    if (caps->window_kind == CTS_WK_NATIVE)
        return 0;
    cts_buf_init(&code, 0);
    struct cts_caps little = *caps;
    little.be = false;
    if (cts_env_build(&little, &empty, 1, &code, NULL) != 0)
        code.len = 0;
    for (size_t at = 0; at < code.len;) {
        struct cts_insn in;
        enum cts_insn_id row;
        uint32_t seen = 0;
        int n = cts_decode((const uint8_t *)code.data + at, (code.len - at) / CTS_SLOT_BYTES, false,
                           &in, &row, NULL);
        if (n <= 0)
            break;
        while (seen < count && ids[seen] != row)
            seen++;
        if (seen == count && count < cap)
            ids[count++] = (uint16_t)row;
        at += (size_t)n * CTS_SLOT_BYTES;
    }
    cts_buf_release(&code);
    return count;
}
