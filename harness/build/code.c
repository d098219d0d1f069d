#include "build/impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"

/* Text of body and subprograms is assembled as one program, so that calls find their labels. Where
 * the subprograms begin is told by a last jump to a label between the two, which is then cut off.
 */
#define SPLIT_LABEL "cts_subprograms_begin_here"

enum {
    LONG_BODY = 64,
};

static int no_memory(struct cts_err *err)
{
    return cts_err_set(err, CTS_E_NOMEM, "out of memory");
}

static int at_pos(struct cts_err *err, int code, const struct cts_vec_pos *pos, const char *msg)
{
    return cts_err_at(err, code, pos->file, pos->line, pos->col, "%s", msg);
}

static uint64_t hash_text(const char *text)
{
    uint64_t h = 0xcbf29ce484222325;
    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * 0x100000001b3;
    return h ^ h >> 29;
}

static bool grow_requests(struct cts_builder *b)
{
    size_t cap = b->request_cap ? b->request_cap * 2 : 1024, slots = cap * 2;
    struct cts_request *bigger = realloc(b->requests, cap * sizeof(*bigger));
    if (!bigger)
        return false;
    b->requests = bigger;
    uint32_t *table = calloc(slots, sizeof(*table));
    if (!table)
        return false;
    for (size_t i = 0; i < b->request_count; i++) {
        size_t at = hash_text(bigger[i].src.text) & (slots - 1);
        while (table[at])
            at = (at + 1) & (slots - 1);
        table[at] = (uint32_t)i + 1;
    }
    free(b->request_slots);
    b->request_slots = table;
    b->request_slot_cap = slots;
    b->request_cap = cap;
    return true;
}

static int ask(struct cts_builder *b, const char *text, const struct cts_vec_pos *pos,
               uint32_t *number, struct cts_err *err)
{
    if (b->request_count == b->request_cap && !grow_requests(b))
        return no_memory(err);
    size_t mask = b->request_slot_cap - 1, at = hash_text(text) & mask;
    for (; b->request_slots[at]; at = (at + 1) & mask) {
        *number = b->request_slots[at] - 1;
        if (strcmp(b->requests[*number].src.text, text) == 0)
            return 0;
    }
    *number = (uint32_t)b->request_count++;
    b->request_slots[at] = *number + 1;
    b->requests[*number] = (struct cts_request){
        .src = {.text = text, .file = pos->file, .line = pos->line},
    };
    return 0;
}

/* As a reader would write it: negative where it is a small negative number. */
static void imm_text(char *buf, size_t cap, uint64_t imm)
{
    int64_t s = (int64_t)imm;
    if (s < 0 && s >= INT32_MIN)
        cts_fmt(buf, cap, "%lld", (long long)s);
    else
        cts_fmt(buf, cap, imm > INT32_MAX ? "0x%llx" : "%llu", (unsigned long long)imm);
}

static unsigned count_lines(const char *text)
{
    unsigned n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* Are body and subprograms one text? */
static bool is_joined(const struct cts_vec *v)
{
    return v->code.is_text && v->subs.count && v->subs.is_text;
}

static char *with_newline(struct cts_builder *b, char *text)
{
    size_t len = text ? strlen(text) : 0;
    if (!text || (len && text[len - 1] == '\n'))
        return text;
    return cts_arena_fmt(&b->arena, "%s\n", text);
}

static int request_joined(struct cts_builder *b, const struct cts_vec *v, const uint8_t *regs,
                          const char *imm, struct cts_text_use *use, struct cts_err *err)
{
    const struct cts_vec_piece *body_piece = v->code.pieces, *subs_piece = v->subs.pieces;
    char *body = with_newline(b, cts_vec_expand(v, body_piece->text, regs, imm, &b->arena));
    char *subs = with_newline(b, cts_vec_expand(v, subs_piece->text, regs, imm, &b->arena));
    char *text = body && subs ? cts_arena_fmt(&b->arena, "%s%s:\n%sgotol %s\n", body, SPLIT_LABEL,
                                              subs, SPLIT_LABEL)
                              : NULL;
    if (!text)
        return no_memory(err);
    use->body = body_piece->text_pos;
    use->subs = subs_piece->text_pos;
    use->body_lines = count_lines(body);
    return ask(b, text, &use->body, &use->request, err);
}

static int request_pieces(struct cts_builder *b, const struct cts_vec *v,
                          const struct cts_vec_code *code, const uint8_t *regs, const char *imm,
                          struct cts_text_use **use, struct cts_err *err)
{
    for (size_t i = 0; i < code->count; i++) {
        const struct cts_vec_piece *p = &code->pieces[i];
        if (p->kind != CTS_VP_TEXT)
            continue;
        char *text = with_newline(b, cts_vec_expand(v, p->text, regs, imm, &b->arena));
        if (!text)
            return no_memory(err);
        (*use)->body = p->text_pos;
        int rc = ask(b, text, &p->text_pos, &(*use)->request, err);
        if (rc)
            return rc;
        (*use)++;
    }
    return 0;
}

int cts_bld_request(struct cts_builder *b, const struct cts_vec *v, struct cts_concrete *c,
                    struct cts_err *err)
{
    char imm[32];
    const uint8_t *regs = c->binding->reg;
    imm_text(imm, sizeof(imm), c->imm);
    c->uses = cts_arena_take_array(&b->arena, v->code.count + v->subs.count + 1, sizeof(*c->uses));
    if (!c->uses)
        return no_memory(err);
    if (is_joined(v))
        return request_joined(b, v, regs, imm, c->uses, err);
    struct cts_text_use *use = c->uses;
    int rc = request_pieces(b, v, &v->code, regs, imm, &use, err);
    return rc ? rc : request_pieces(b, v, &v->subs, regs, imm, &use, err);
}

enum { BATCH = 2048 };

static int keep_answers(struct cts_builder *b, size_t first, size_t n,
                        const struct cts_asm_out *out, struct cts_err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct cts_request *r = &b->requests[first + i];
        r->bytes = out[i].bytes;
        r->slots = out[i].slots;
        if (out[i].rc == 0)
            continue;
        r->err = cts_arena_take(&b->arena, sizeof(*r->err));
        if (!r->err)
            return no_memory(err);
        *r->err = out[i].err;
    }
    return 0;
}

static int assemble_batch(struct cts_builder *b, const struct cts_asm_tool *tool, size_t first,
                          size_t n, struct cts_err *err)
{
    struct cts_asm_src *src = malloc(n * sizeof(*src));
    struct cts_asm_out *out = calloc(n, sizeof(*out));
    int rc = src && out ? 0 : no_memory(err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        src[i] = b->requests[first + i].src;
    if (rc == 0)
        rc = cts_asm_many(tool, false, src, n, &b->arena, out, err);
    if (rc == 0)
        rc = keep_answers(b, first, n, out, err);
    free(src);
    free(out);
    return rc;
}

int cts_bld_assemble(struct cts_builder *b, char *assembler, size_t cap, struct cts_err *err)
{
    struct cts_asm_tool tool;
    int rc = b->request_count ? cts_asm_find(&tool, err) : 0;
    if (rc == 0 && b->request_count)
        cts_fmt(assembler, cap, "%s", tool.path);
    for (size_t at = 0; rc == 0 && at < b->request_count; at += BATCH) {
        size_t left = b->request_count - at;
        if (b->opts->on_progress)
            b->opts->on_progress(b->opts->arg, at, b->request_count);
        rc = assemble_batch(b, &tool, at, left < BATCH ? left : BATCH, err);
    }
    return rc;
}

/* The assembler's complaint at the place of this use. Its column counts in the text after the roles
 * were replaced, and says nothing about the file. */
static int asm_error(const struct cts_request *r, const struct cts_text_use *use,
                     struct cts_err *err)
{
    unsigned line = r->err->line >= r->src.line ? r->err->line - r->src.line : 0;
    const struct cts_vec_pos *pos = &use->body;
    if (use->subs.line && line > use->body_lines) {
        pos = &use->subs;
        line -= use->body_lines + 1;
    }
    return cts_err_at(err, r->err->code, pos->file, pos->line + line, 0, "%s", r->err->msg);
}

static int append(struct cts_buf *code, const void *bytes, size_t slots,
                  const struct cts_vec_pos *pos, struct cts_err *err)
{
    if (code->len / 8 + slots > CTS_BLD_SLOTS_MAX)
        return at_pos(err, CTS_E_LIMIT, pos, "the program is too long");
    cts_buf_add(code, bytes, slots * 8);
    return code->failed ? no_memory(err) : 0;
}

static int joined_code(struct cts_builder *b, struct cts_concrete *c, struct cts_buf *code,
                       struct cts_err *err)
{
    const struct cts_text_use *use = c->uses;
    const struct cts_request *r = &b->requests[use->request];
    struct cts_insn last;
    if (r->err)
        return asm_error(r, use, err);
    if (r->slots == 0)
        return at_pos(err, CTS_E_TOOL, &use->body, "no instruction came out of the assembler");
    cts_slot_get(r->bytes + (size_t)(r->slots - 1) * 8, false, &last);
    int64_t split = (int64_t)r->slots + last.imm;
    if (last.opcode != CTS_OPCODE_JA32 || split < 0 || split > r->slots - 1)
        return at_pos(err, CTS_E_TOOL, &use->body, "the subprograms' place got lost in assembly");
    c->body_slots = (uint32_t)split;
    return append(code, r->bytes, r->slots - 1, &use->body, err);
}

static int field_imm(const struct cts_vec_piece *p, const struct cts_concrete *c, int32_t *out,
                     struct cts_err *err)
{
    int64_t v = p->imm.is_imm ? (int64_t)c->imm : p->imm.v;
    *out = (int32_t)(uint32_t)v;
    if (v < INT32_MIN || v > UINT32_MAX)
        return at_pos(err, CTS_E_RANGE, &p->pos, "imm: the case's value has more than 32 bits");
    return 0;
}

static int piece_insn(const struct cts_vec_piece *p, const struct cts_concrete *c,
                      struct cts_insn *in, struct cts_err *err)
{
    *in = (struct cts_insn){
        .opcode = p->opcode,
        .dst = (uint8_t)cts_bld_reg(p->dst, c->binding),
        .src = (uint8_t)cts_bld_reg(p->src, c->binding),
        .off = (int16_t)(uint16_t)p->off.v,
        .next_imm = (int32_t)(uint32_t)p->next_imm.v,
    };
    if (!p->has_dst)
        in->dst = 0;
    if (!p->has_src)
        in->src = 0;
    return field_imm(p, c, &in->imm, err);
}

static int flip_bit(const struct cts_vec *v, const struct cts_vec_piece *p,
                    const struct cts_concrete *c, uint8_t *bytes, int slots, struct cts_err *err)
{
    unsigned at = p->flip.at + (p->flip.field ? v->cases[c->kase].flip_bit : 0u);
    if (!p->flip.field)
        return slots;
    if (at >= (unsigned)slots * 64)
        return at_pos(err, CTS_E_SCHEMA, &p->pos, "flip: this instruction has no second slot");
    bytes[at / 8] = (uint8_t)(bytes[at / 8] ^ 1u << at % 8);
    return slots;
}

static int piece_bytes(const struct cts_vec_piece *p, const struct cts_concrete *c,
                       uint8_t bytes[16], struct cts_err *err)
{
    struct cts_insn in;
    struct cts_err why = {0};
    if (p->kind == CTS_VP_SLOT) {
        memcpy(bytes, p->slot, 8);
        return 1;
    }
    int rc = piece_insn(p, c, &in, err);
    if (rc)
        return rc;
    if (p->kind == CTS_VP_RAW) {
        cts_slot_put(bytes, false, &in);
        return 1;
    }
    rc = cts_encode(cts_insn_find(p->row), &in, false, bytes, &why);
    return rc > 0 ? rc : at_pos(err, rc, &p->pos, why.msg);
}

static int add_piece(struct cts_builder *b, const struct cts_vec *v, const struct cts_vec_piece *p,
                     const struct cts_concrete *c, const struct cts_text_use **use,
                     struct cts_buf *code, struct cts_err *err)
{
    uint8_t own[16];
    const uint8_t *bytes = own;
    int slots = 0, rc = 0;
    if (p->kind == CTS_VP_TEXT) {
        const struct cts_request *r = &b->requests[(*use)->request];
        if (r->err)
            return asm_error(r, *use, err);
        bytes = r->bytes;
        slots = (int)r->slots;
        (*use)++;
    } else {
        slots = piece_bytes(p, c, own, err);
        if (slots > 0)
            slots = flip_bit(v, p, c, own, slots, err);
    }
    if (slots < 0)
        return slots;
    for (uint32_t i = 0; rc == 0 && i < p->repeat; i++)
        rc = append(code, bytes, (size_t)slots, &p->pos, err);
    return rc;
}

static int add_pieces(struct cts_builder *b, const struct cts_vec *v,
                      const struct cts_vec_code *from, const struct cts_concrete *c,
                      const struct cts_text_use **use, struct cts_buf *code, struct cts_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < from->count; i++)
        rc = add_piece(b, v, &from->pieces[i], c, use, code, err);
    return rc;
}

static int pieced_code(struct cts_builder *b, const struct cts_vec *v, struct cts_concrete *c,
                       struct cts_buf *code, struct cts_err *err)
{
    const struct cts_text_use *use = c->uses;
    int rc = add_pieces(b, v, &v->code, c, &use, code, err);
    c->body_slots = (uint32_t)(code->len / 8);
    return rc ? rc : add_pieces(b, v, &v->subs, c, &use, code, err);
}

int cts_bld_compose(struct cts_builder *b, const struct cts_vec *v, struct cts_concrete *c,
                    struct cts_err *err)
{
    struct cts_buf code;
    cts_buf_init(&code, 0);
    int rc = is_joined(v) ? joined_code(b, c, &code, err) : pieced_code(b, v, c, &code, err);
    if (rc == 0 && c->body_slots == 0 && v->kind != CTS_VK_VERDICT)
        rc = at_pos(err, CTS_E_SCHEMA, &v->pos, "the body has no instruction");
    if (rc == 0) {
        c->slots = (uint32_t)(code.len / 8);
        c->code = cts_arena_take(&b->arena, code.len + 1);
        if (c->code)
            memcpy(c->code, cts_buf_text(&code), code.len);
        else
            rc = no_memory(err);
    }
    cts_buf_release(&code);
    return rc;
}

/* Registers that instructions use without naming them. */
static uint16_t hidden_regs(const struct cts_insn *in)
{
    unsigned mode = in->opcode & 0xe0, class = in->opcode & 7;
    if (in->opcode == CTS_OPCODE_CALL_HELPER || in->opcode == CTS_OPCODE_CALLX)
        return 0x3f;
    if (class == 0 && (mode == 0x20 || mode == 0x40)) /* packet access: r6 to r0, as a call */
        return 0x7f;
    if (class == 3 && mode == 0xc0 && (in->imm & 0xf0) == 0xf0)
        return 1; /* compare and exchange */
    return 0;
}

static uint16_t named_regs(const struct cts_insn *in, enum cts_insn_id row)
{
    const struct cts_insn_info *info = cts_insn_info(row);
    unsigned regs = hidden_regs(in);
    if (info->field[CTS_F_DST].kind == CTS_FK_REG)
        regs |= 1u << in->dst;
    if (info->field[CTS_F_SRC].kind == CTS_FK_REG)
        regs |= 1u << in->src;
    return (uint16_t)regs;
}

static bool goes_back(const struct cts_insn *in)
{
    unsigned class = in->opcode & 7;
    if ((class != 5 && class != 6) || in->opcode == CTS_OPCODE_EXIT ||
        in->opcode == CTS_OPCODE_CALL_HELPER || in->opcode == CTS_OPCODE_CALLX)
        return false;
    return in->opcode == CTS_OPCODE_JA32 ? in->imm < 0 : in->off < 0;
}

void cts_bld_facts(const uint8_t *code, uint32_t slots, uint32_t body_slots,
                   struct cts_code_facts *f)
{
    *f = (struct cts_code_facts){.alone = slots > LONG_BODY, .straight = true};
    for (uint32_t at = 0; at < slots;) {
        struct cts_insn in;
        enum cts_insn_id row;
        int n = cts_decode(code + (size_t)at * 8, slots - at, false, &in, &row, NULL);
        if (n < 1) { /* not an instruction: nothing is known of what follows */
            *f = (struct cts_code_facts){.regs = 0x7ff, .alone = true};
            return;
        }
        bool in_body = at < body_slots;
        f->regs = (uint16_t)(f->regs | named_regs(&in, row));
        if (in_body && in.opcode == CTS_OPCODE_EXIT) {
            f->alone = true;
            f->straight = false;
        }
        if (goes_back(&in))
            f->alone = true;
        at += (uint32_t)n;
    }
}
