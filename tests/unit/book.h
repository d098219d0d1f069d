/* A pack made by hand, and a judge of what was seen of it: for tests of the judge and of runs. */
#ifndef CTS_TESTS_BOOK_H
#define CTS_TESTS_BOOK_H

/* cmocka's own headers come first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/bytes.h"
#include "core/core.h"
#include "core/judge.h"
#include "core/tuple.h"
#include "core/variant.h"

enum { MOST = 64, ROW_BYTES = 2048, BODY_MEM = 16 };

/* ---- a pack made by hand ---- */

struct book {
    struct cts_pack pack;
    struct cts_pk_vector vector[MOST];
    struct cts_pk_case kase[MOST];
    struct cts_pk_unit unit[MOST];
    struct cts_pk_tuple row[MOST];
    struct cts_pk_outcome outcome[MOST];
    struct cts_pk_state state[MOST];
    uint16_t row_id[MOST];
    cts_pk_str ref[MOST];
    uint8_t code[MOST * CTS_SLOT_BYTES], data[4096];
    char text[4096];
    struct cts_arena arena;
};

static inline void book_init(struct book *b)
{
    memset(b, 0, sizeof(*b));
    cts_arena_init(&b->arena, 0);
    b->pack = (struct cts_pack){.vectors = b->vector,
                                .cases = b->kase,
                                .units = b->unit,
                                .rows = b->row,
                                .outcomes = b->outcome,
                                .states = b->state,
                                .insn_ids = b->row_id,
                                .string_refs = b->ref,
                                .code = b->code,
                                .data = b->data,
                                .strings = b->text,
                                .string_bytes = 1};
}

static inline void book_release(struct book *b)
{
    cts_arena_release(&b->arena);
}

static inline cts_pk_str say(struct book *b, const char *text)
{
    cts_pk_str at = b->pack.string_bytes;
    size_t n = strlen(text) + 1;
    assert_true(at + n <= sizeof(b->text));
    memcpy(b->text + at, text, n);
    b->pack.string_bytes += (uint32_t)n;
    return at;
}

static inline uint32_t put_code(struct book *b, const struct cts_insn *in, uint32_t slots)
{
    uint32_t at = b->pack.code_bytes;
    for (uint32_t i = 0; i < slots; i++)
        cts_slot_put(b->code + at + (size_t)i * CTS_SLOT_BYTES, false, &in[i]);
    b->pack.code_bytes += slots * CTS_SLOT_BYTES;
    assert_true(b->pack.code_bytes <= sizeof(b->code));
    return at;
}

static const struct cts_insn return_5[] = {{.opcode = 0xb7, .imm = 5}, {.opcode = 0x95}};

/* A vector of one case. */
static inline uint32_t add_vector(struct book *b, const char *id, enum cts_insn_id row)
{
    struct cts_pack *p = &b->pack;
    uint32_t v = p->vector_count++, c = p->case_count++;
    b->vector[v] = (struct cts_pk_vector){.id = say(b, id),
                                          .file = say(b, "by-hand.yaml"),
                                          .policy = say(b, "rfc"),
                                          .rows = {p->insn_id_count, 1},
                                          .cases = {c, 1},
                                          .units = {p->unit_count, 0},
                                          .kind = CTS_VK_VERDICT,
                                          .group = (uint8_t)cts_insn_info(row)->group};
    b->row_id[p->insn_id_count++] = (uint16_t)row;
    b->kase[c] = (struct cts_pk_case){.vector = v, .name = say(b, "1"), .line = 1};
    return v;
}

/* One more unit of the newest vector, a whole program. */
static inline uint32_t add_whole(struct book *b, const struct cts_insn *in, uint32_t slots)
{
    struct cts_pack *p = &b->pack;
    uint32_t u = p->unit_count++, v = p->vector_count - 1, r = p->row_count++;
    b->vector[v].units.count++;
    b->unit[u] = (struct cts_pk_unit){.vector = v,
                                      .label = say(b, "by hand"),
                                      .code = put_code(b, in, slots),
                                      .slots = slots,
                                      .body_slots = slots,
                                      .rows = {r, 1},
                                      .sweep = UINT32_MAX,
                                      .flags = CTS_UF_WHOLE};
    b->row[r] = (struct cts_pk_tuple){
        .kase = p->case_count - 1, .in = UINT32_MAX, .out = {p->outcome_count, 0}};
    return u;
}

/* One more outcome that conforms, of the newest row. */
static inline struct cts_pk_outcome *allow(struct book *b, enum cts_outcome_kind kind)
{
    struct cts_pk_outcome *o = &b->outcome[b->pack.outcome_count++];
    *o = (struct cts_pk_outcome){.kind = (uint8_t)kind, .state = UINT32_MAX};
    b->row[b->pack.row_count - 1].out.count++;
    return o;
}

static inline void allow_r0(struct book *b, enum cts_outcome_kind kind, uint64_t r0)
{
    struct cts_pk_outcome *o = allow(b, kind);
    o->has_r0 = true;
    o->r0 = r0;
}

/* ---- a judge ---- */

struct court {
    struct book book;
    struct cts_target target;
    struct cts_caps caps;
    struct cts_track tracks[MOST];
    struct cts_unit_tuples units[MOST];
    struct cts_judge judge;
};

static inline void court_init(struct court *c)
{
    book_init(&c->book);
    memset(c->tracks, 0, sizeof(c->tracks));
    memset(c->units, 0, sizeof(c->units));
    c->target = (struct cts_target){.runtime = "here", .engine = "interp"};
    c->caps = (struct cts_caps){.runtime = "here", .r0_bits = 64, .features = CTS_FEAT_POINTERS};
    c->judge = (struct cts_judge){.pack = &c->book.pack,
                                  .target = &c->target,
                                  .caps = &c->caps,
                                  .arena = &c->book.arena,
                                  .tracks = c->tracks,
                                  .units = c->units,
                                  .case_count = MOST};
}

static inline void court_release(struct court *c)
{
    book_release(&c->book);
}

static inline struct cts_seg seg_of(struct court *c, uint32_t unit)
{
    struct cts_seg seg;
    assert_int_equal(
        cts_seg_init(&seg, &c->book.pack, unit, &c->caps, CTS_LEVEL_QUICK, &c->book.arena, NULL),
        0);
    return seg;
}

static inline void count_rows(struct court *c)
{
    for (unsigned i = 0; i < MOST; i++)
        c->tracks[i].operand_tuples = 0;
    assert_true(c->book.pack.unit_count <= MOST);
    cts_judge_count(&c->judge);
}

static inline const struct cts_track *see(struct court *c, uint32_t unit, const struct cts_obs *obs)
{
    struct cts_seg seg = seg_of(c, unit);
    c->judge.unit_count = c->book.pack.unit_count;
    cts_judge_tuple(&c->judge, &seg, 0, obs);
    count_rows(c);
    return &c->tracks[cts_seg_case(&seg, 0)];
}

static inline void forget(struct court *c)
{
    memset(c->tracks, 0, sizeof(c->tracks));
    memset(c->units, 0, sizeof(c->units));
}

#endif
