#include "prog.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "fold.h"
#include "hex.h"
#include "isa/isa.h"
#include "isa/object.h"

enum {
    R0,
    R1, /* walks through the region */
    R2, /* what is left of it */
    R3,
    LAST_SLOTS = 2,   /* how the environment ends: r0 = 0; exit */
    FAR = 32000,      /* a jump of 16 bits reaches this far, and some */
    PACKET_SLOTS = 9, /* what comes before a program with a packet */
    TAIL_SLOTS = 64,  /* a tail with a loop */
    WORD_SLOTS = 8,   /* a word without one */
    MOST_OFFSET = 32760,
};

static const struct cts_insn_info *row_at(const struct plg_prog *p, uint32_t at,
                                          struct cts_insn *in)
{
    enum cts_insn_id row;
    if (at >= p->slots || cts_decode(p->code + (size_t)at * CTS_SLOT_BYTES, p->slots - at,
                                     CTS_HOST_IS_BE, in, &row, NULL) <= 0)
        return NULL;
    return cts_insn_info(row);
}

static bool is_row(const struct cts_insn_info *row, enum cts_insn_id id)
{
    return row == cts_insn_info(id);
}

/* A plugin's helpers have the numbers that they have in .data files. */
static void number_helpers(struct plg_prog *p)
{
    for (uint32_t i = 0; i < p->slots; i++) {
        uint8_t *slot = p->code + (size_t)i * CTS_SLOT_BYTES;
        struct cts_insn in;
        cts_slot_get(slot, CTS_HOST_IS_BE, &in);
        uint32_t number = (uint32_t)in.imm - CTS_DATA_HELPERS;
        if (in.opcode == CTS_OPCODE_CALL_HELPER && in.src == 0 && number < CTS_DATA_HELPERS_COUNT) {
            in.imm = (int32_t)number;
            cts_slot_put(slot, CTS_HOST_IS_BE, &in);
        }
        i += in.opcode == CTS_OPCODE_LDDW;
    }
}

int plg_prog_init(struct plg_prog *p, const struct cts_load_req *req, struct cts_err *err)
{
    struct cts_insn in;
    *p = (struct plg_prog){.slots = req->slots, .whole = req->kind == CTS_PROG_WHOLE};
    p->code = malloc(p->slots ? (size_t)p->slots * CTS_SLOT_BYTES : 1);
    if (!p->code)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (p->slots)
        memcpy(p->code, req->code, (size_t)p->slots * CTS_SLOT_BYTES);
    number_helpers(p);
    p->salt = plg_fold(UINT64_C(0x5deece66d1ce4e5b), p->code, p->slots);
    if (p->whole)
        return 0;
    p->bodies = req->segments;
    for (uint32_t i = 0; i < p->bodies; i++)
        p->out_mask[i] = req->layout[i].out_mask;
    p->layout = req->layout[0];
    p->tail = p->layout.body_slots;
    if (is_row(row_at(p, p->tail, &in), CTS_INSN_MOV64_K) && in.dst == R0 &&
        is_row(row_at(p, p->tail + 1, &in), CTS_INSN_EXIT))
        return 0;
    plg_prog_release(p);
    return cts_err_set(err, CTS_E_INVAL, "a program in an environment of another kind");
}

void plg_prog_release(struct plg_prog *p)
{
    free(p->code);
    p->code = NULL;
}

bool plg_prog_can_loop(const struct plg_prog *p)
{
    return p->tail < FAR;
}

/* Emitting. */

struct emitter {
    uint8_t *code;
    uint32_t at;
};

static void emit(struct emitter *e, enum cts_insn_id row, unsigned dst, unsigned src, int off,
                 int32_t imm)
{
    struct cts_insn in = {.opcode = cts_insn_info(row)->opcode,
                          .dst = (uint8_t)dst,
                          .src = (uint8_t)src,
                          .off = (int16_t)off,
                          .imm = imm};
    cts_slot_put(e->code + (size_t)e->at++ * CTS_SLOT_BYTES, CTS_HOST_IS_BE, &in);
}

static void emit_constant(struct emitter *e, unsigned dst, uint64_t value)
{
    struct cts_insn second = {.imm = (int32_t)(uint32_t)(value >> 32)};
    emit(e, CTS_INSN_LDDW, dst, 0, 0, (int32_t)(uint32_t)value);
    cts_slot_put(e->code + (size_t)e->at++ * CTS_SLOT_BYTES, CTS_HOST_IS_BE, &second);
}

/* r0 = plg_fold_step(r0, the word at r1 + off) */
static void emit_step(struct emitter *e, int off)
{
    emit(e, CTS_INSN_LDX_DW, R3, R1, off, 0);
    emit(e, CTS_INSN_XOR64_X, R0, R3, 0, 0);
    emit(e, CTS_INSN_MOV64_X, R3, R0, 0, 0);
    emit(e, CTS_INSN_LSH64_K, R3, 0, 0, PLG_FOLD_UP);
    emit(e, CTS_INSN_ADD64_X, R0, R3, 0, 0);
    emit(e, CTS_INSN_MOV64_X, R3, R0, 0, 0);
    emit(e, CTS_INSN_RSH64_K, R3, 0, 0, PLG_FOLD_DOWN);
    emit(e, CTS_INSN_XOR64_X, R0, R3, 0, 0);
}

static void emit_fold(struct emitter *e, const struct plg_traits *traits,
                      const struct plg_tail *tail)
{
    if (!traits->loops) {
        for (uint32_t i = 0; i < tail->words; i++)
            emit_step(e, (int)(8 * (tail->first + i)));
        return;
    }
    emit(e, CTS_INSN_ADD64_K, R1, 0, 0, (int32_t)(8 * tail->first));
    emit(e, CTS_INSN_MOV64_K, R2, 0, 0, (int32_t)tail->words);
    uint32_t start = e->at;
    emit_step(e, 0);
    emit(e, CTS_INSN_ADD64_K, R1, 0, 0, 8);
    emit(e, CTS_INSN_ADD64_K, R2, 0, 0, -1);
    emit(e, CTS_INSN_JNE_K, R2, 0, (int)start - (int)e->at - 1, 0);
}

static void emit_tail(struct emitter *e, const struct plg_prog *p, const struct plg_traits *traits,
                      const struct plg_tail *tail)
{
    if (tail->rows > p->bodies) {
        emit(e, CTS_INSN_LDX_DW, R2, R1, CTS_WIN_INDEX, 0);
        emit(e, CTS_INSN_JGE_K, R2, 0, 1, (int32_t)tail->rows);
        emit(e, CTS_INSN_JA, 0, 0, -(int)e->at - 1, 0);
    }
    if (tail->words == 1) {
        emit(e, CTS_INSN_LDX_DW, R0, R1, (int)(8 * tail->first), 0);
    } else {
        emit_constant(e, R0, p->salt);
        emit_fold(e, traits, tail);
    }
    emit_constant(e, R3, tail->mask);
    emit(e, CTS_INSN_XOR64_X, R0, R3, 0, 0);
    emit(e, CTS_INSN_EXIT, 0, 0, 0, 0);
}

static bool reaches(const struct plg_prog *p, const struct plg_traits *traits,
                    const struct plg_tail *tail)
{
    if (tail->rows > p->bodies && !(traits->loops && plg_prog_can_loop(p)))
        return false;
    return traits->loops ? tail->first < MOST_OFFSET / 8
                         : tail->first + tail->words < MOST_OFFSET / 8;
}

/* Does the instruction name code by its distance, which may lie on the other side of the tail? */
static bool is_code_reference(const struct cts_insn *in)
{
    const struct cts_insn_info *call = cts_insn_info(CTS_INSN_CALL_LOCAL);
    const struct cts_insn_info *address = cts_insn_info(CTS_INSN_LDDW_CODE);
    return (in->opcode == call->opcode && in->src == call->field[CTS_F_SRC].value) ||
           (in->opcode == address->opcode && in->src == address->field[CTS_F_SRC].value);
}

/* `code` holds slots [first, end) of the program; those behind its tail are `moved` slots farther
 * on than they were. What is said of the other side is corrected. */
static void correct(const struct plg_prog *p, uint8_t *code, uint32_t first, uint32_t end,
                    int32_t moved)
{
    for (uint32_t i = first; i < end; i++, code += CTS_SLOT_BYTES) {
        struct cts_insn in;
        cts_slot_get(code, CTS_HOST_IS_BE, &in);
        bool from_behind = i > p->tail, to_behind = (int64_t)i + 1 + in.imm > (int64_t)p->tail;
        if (is_code_reference(&in) && from_behind != to_behind) {
            in.imm += to_behind ? moved : -moved;
            cts_slot_put(code, CTS_HOST_IS_BE, &in);
        }
        if (in.opcode == cts_insn_info(CTS_INSN_LDDW)->opcode) {
            i++;
            code += CTS_SLOT_BYTES;
        }
    }
}

/* The program with its tail where the environment's end was, in memory from malloc. */
static uint8_t *with_tail(const struct plg_prog *p, const struct plg_traits *traits,
                          const struct plg_tail *tail, uint32_t *slots)
{
    size_t most = (size_t)p->slots + TAIL_SLOTS + (size_t)tail->words * WORD_SLOTS;
    uint8_t *code = reaches(p, traits, tail) ? malloc(most * CTS_SLOT_BYTES) : NULL;
    uint32_t rest = p->tail + LAST_SLOTS;
    struct emitter e = {code, p->tail};
    if (!code)
        return NULL;
    memcpy(code, p->code, (size_t)p->tail * CTS_SLOT_BYTES);
    emit_tail(&e, p, traits, tail);
    memcpy(code + (size_t)e.at * CTS_SLOT_BYTES, p->code + (size_t)rest * CTS_SLOT_BYTES,
           (size_t)(p->slots - rest) * CTS_SLOT_BYTES);
    int32_t moved = (int32_t)(e.at - rest);
    correct(p, code, 0, p->tail, moved);
    correct(p, code + (size_t)e.at * CTS_SLOT_BYTES, rest, p->slots, moved);
    *slots = p->slots + (uint32_t)moved;
    return code;
}

static char *text_of(const uint8_t *bytes, size_t n, size_t *len)
{
    char *text = malloc(plg_hex_len(n) + 2);
    if (!text)
        return NULL;
    char *end = plg_hex_put(text, bytes, n);
    *end++ = '\n';
    *end = '\0';
    *len = (size_t)(end - text);
    return text;
}

static char *elf_text(const uint8_t *code, size_t bytes, bool xdp, size_t *len)
{
    const struct cts_object o = {.code = code,
                                 .code_bytes = bytes,
                                 .be = CTS_HOST_IS_BE,
                                 .section = xdp ? "xdp" : ".text",
                                 .function = "main"};
    uint8_t *elf = malloc(cts_object_bytes(&o));
    char *text = elf ? text_of(elf, cts_object_put(elf, &o), len) : NULL;
    free(elf);
    return text;
}

static char *program_text(const struct plg_traits *traits, const uint8_t *code, size_t slots,
                          size_t *len)
{
    size_t bytes = slots * CTS_SLOT_BYTES;
    return traits->elf ? elf_text(code, bytes, traits->packet, len) : text_of(code, bytes, len);
}

char *plg_prog_text(const struct plg_prog *p, const struct plg_traits *traits,
                    const struct plg_tail *tail, size_t *len)
{
    uint32_t slots;
    uint8_t *code = with_tail(p, traits, tail, &slots);
    char *text = code ? program_text(traits, code, slots, len) : NULL;
    free(code);
    return text;
}

/* r1 = the packet, r2 = its length, once it is known to be there. */
static void emit_packet(struct emitter *e, uint32_t bytes)
{
    enum { R6 = 6, DATA = 0, END = 4 };
    emit(e, CTS_INSN_MOV64_K, R0, 0, 0, -1);
    emit(e, CTS_INSN_MOV64_X, R6, R1, 0, 0);
    emit(e, CTS_INSN_LDX_W, R1, R6, DATA, 0);
    emit(e, CTS_INSN_LDX_W, R2, R6, END, 0);
    emit(e, CTS_INSN_MOV64_X, R3, R1, 0, 0);
    emit(e, CTS_INSN_ADD64_K, R3, 0, 0, (int32_t)bytes);
    emit(e, CTS_INSN_JLE_X, R3, R2, 1, 0);
    emit(e, CTS_INSN_EXIT, 0, 0, 0, 0);
    emit(e, CTS_INSN_MOV64_K, R2, 0, 0, (int32_t)bytes);
}

char *plg_prog_whole_text(const struct plg_prog *p, const struct plg_traits *traits,
                          uint32_t memory_bytes, size_t *len)
{
    if (!traits->packet || memory_bytes == 0)
        return program_text(traits, p->code, p->slots, len);
    struct emitter e = {malloc(((size_t)p->slots + PACKET_SLOTS) * CTS_SLOT_BYTES), 0};
    if (!e.code)
        return NULL;
    emit_packet(&e, memory_bytes);
    memcpy(e.code + (size_t)e.at * CTS_SLOT_BYTES, p->code, (size_t)p->slots * CTS_SLOT_BYTES);
    char *text = program_text(traits, e.code, (size_t)e.at + p->slots, len);
    free(e.code);
    return text;
}
