#include "core/detail.h"

#include "core/variant.h"
#include "core/tuple.h"
#include "core/view.h"
#include "core/state.h"

#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "generated/spec_text.h"
#include "host/buf.h"

enum { CODE_LINES = 64, WORD = 8 };

static void add_origin(const struct cts_seg *seg, struct cts_buf *b)
{
    const struct cts_pack *p = seg->pack;
    const struct cts_pk_vector *v = &p->vectors[seg->unit->vector];
    cts_buf_addf(b, "  vector   %s (%s:%u)\n", cts_pack_text(p, v->id), cts_pack_text(p, v->file),
                 v->line);
    if (v->why)
        cts_buf_addf(b, "  why      %s\n", cts_pack_text(p, v->why));
    if (seg->unit->label)
        cts_buf_addf(b, "  variant  %s\n", cts_pack_text(p, seg->unit->label));
    for (uint32_t i = 0; i < v->rows.count; i++) {
        const struct cts_insn_info *row =
            cts_insn_info((enum cts_insn_id)p->insn_ids[v->rows.first + i]);
        cts_buf_addf(b, "  insn     %s (%s%s): %s\n", row->id,
                     row->section[0] ? "RFC 9669 section " : "not in the RFC, from ",
                     row->section[0] ? row->section : row->origin, row->does);
    }
    for (uint32_t i = 0; i < v->clauses.count; i++) {
        const char *id = cts_pack_text(p, p->string_refs[v->clauses.first + i]);
        const struct cts_clause_text *c = cts_clause_text_find(id);
        cts_buf_addf(b, "  clause   %s%s%s: %s\n", id, c ? ", section " : "", c ? c->section : "",
                     c ? c->text : "");
    }
    if (strcmp(cts_pack_text(p, v->policy), "rfc") != 0 && v->policy)
        cts_buf_addf(b, "  policy   %s\n", cts_pack_text(p, v->policy));
    for (uint32_t i = 0; i < v->bugs.count; i++)
        cts_buf_addf(b, "  like     %s\n", cts_pack_text(p, p->string_refs[v->bugs.first + i]));
}

static void add_code(const struct cts_seg *seg, struct cts_buf *b)
{
    const uint8_t *code = seg->pack->code + seg->unit->code;
    uint32_t slots = seg->unit->slots;
    cts_buf_adds(b, "  code\n");
    for (uint32_t at = 0, lines = 0; at < slots; lines++) {
        const uint8_t *p = code + (size_t)at * CTS_SLOT_BYTES;
        char text[256];
        if (lines == CODE_LINES) {
            cts_buf_addf(b, "    ... %u slots more\n", slots - at);
            return;
        }
        if (at == seg->unit->body_slots)
            cts_buf_adds(b, "         (subprograms)\n");
        int n = cts_disasm(p, slots - at, false, text, sizeof(text));
        cts_buf_addf(b, "    %4u:  %02x %02x %02x %02x %02x %02x %02x %02x  %s\n", at, p[0], p[1],
                     p[2], p[3], p[4], p[5], p[6], p[7], text);
        at += n > 0 ? (uint32_t)n : 1;
    }
}

/* Begins a line of 78 columns: a name, then four words in hexadecimal. */
static void add_name(const char *name, struct cts_buf *b)
{
    bool fits = strlen(name) <= 6;
    cts_buf_addf(b, "  %s%-*s", fits ? "  " : "", fits ? 6 : 8, name);
}

static void add_registers(const struct cts_seg *seg, const struct cts_seg_view *v,
                          const struct cts_obs *obs, struct cts_buf *b)
{
    cts_buf_adds(b, "  state    before           expected         seen             differs\n");
    for (unsigned i = 0; i < 10; i++) {
        bool stored = (seg->layout.out_mask >> i) & 1, any = (v->any >> i) & 1;
        uint64_t got = cts_order_get64(seg->be, obs->row + CTS_ENTRY_OUT + 8 * i);
        char name[8];
        cts_fmt(name, sizeof(name), "r%u", i);
        add_name(name, b);
        cts_buf_addf(b, " %016llx", (unsigned long long)v->in[i]);
        if (!stored)
            cts_buf_adds(b, " (not observed)\n");
        else if (any)
            cts_buf_addf(b, " (anything)       %016llx\n", (unsigned long long)got);
        else if (got == v->r[i])
            cts_buf_addf(b, " %016llx same\n", (unsigned long long)got);
        else
            cts_buf_addf(b, " %016llx %016llx %016llx\n", (unsigned long long)v->r[i],
                         (unsigned long long)got, (unsigned long long)(got ^ v->r[i]));
    }
}

static void add_word(const uint8_t *bytes, const uint8_t *other, const uint8_t *any,
                     struct cts_buf *b)
{
    cts_buf_addc(b, ' ');
    for (size_t i = 0; i < WORD; i++)
        cts_buf_addf(b, "%02x", any && any[i] ? 0u : (unsigned)(bytes[i] ^ (other ? other[i] : 0)));
}

/* The words of memory that are not as expected, in the order of their bytes: address, before,
 * expected, seen, bits. */
static void add_bytes(const char *name, int origin, const uint8_t *before, const uint8_t *want,
                      const uint8_t *got, const uint8_t *any, size_t n, struct cts_buf *b)
{
    for (size_t at = 0; want && at + WORD <= n; at += WORD) {
        bool differs = false;
        for (size_t i = at; i < at + WORD; i++)
            differs = differs || (want[i] != got[i] && !(any && any[i]));
        if (!differs)
            continue;
        int where = origin + (int)at;
        char place[24];
        cts_fmt(place, sizeof(place), "%s%c%d", name, where < 0 ? '-' : '+',
                where < 0 ? -where : where);
        add_name(place, b);
        if (before)
            add_word(before + at, NULL, NULL, b);
        else
            cts_buf_addf(b, " %16s", "");
        add_word(want + at, NULL, NULL, b);
        add_word(got + at, NULL, NULL, b);
        add_word(want + at, got + at, any ? any + at : NULL, b);
        cts_buf_addc(b, '\n');
    }
}

static void add_states(struct cts_seg *seg, uint32_t r, const struct cts_obs *obs,
                       struct cts_arena *arena, struct cts_buf *b)
{
    const struct cts_layout *l = &seg->layout;
    struct cts_seg_view v;
    if (!obs->row || !cts_seg_expected(seg, r, obs->row, obs->expect, arena, &v))
        return;
    add_registers(seg, &v, obs, b);
    add_bytes("mem", 0, v.mem_in, v.mem, obs->row + CTS_ENTRY_MEM, v.mem_any, l->mem_bytes, b);
    if (!l->stack_off || !v.stack)
        return;
    const uint8_t *got = obs->row + l->stack_off + CTS_STACK_BYTES;
    for (size_t at = 0, end; cts_seg_stack_span(seg, &at, &end); at = end)
        add_bytes("fp", (int)at - CTS_STACK_BYTES, v.stack_in + at, v.stack + at, got + at,
                  v.stack_any ? v.stack_any + at : NULL, end - at, b);
}

static void add_expected_result(const struct cts_seg *seg, uint32_t r, const struct cts_obs *obs,
                                struct cts_buf *b)
{
    static const char *const words[] = {
        [CTS_OUT_RAN] = "accepted and run",
        [CTS_OUT_REJECTED] = "rejected",
        [CTS_OUT_FAULTED] = "stopped by the runtime",
        [CTS_OUT_EXITED] = "ended by exit",
    };
    if (seg->swept)
        return;
    const struct cts_outcomes *out = &seg->outcomes[r];
    for (uint32_t i = 0; i < out->count; i++) {
        const struct cts_pk_outcome *o = &out->first[i];
        cts_buf_addf(b, "  %s %s", i ? "or      " : "expected", words[o->kind]);
        uint64_t r0;
        if ((seg->whole || o->has_r0) && cts_seg_whole_result(seg, o, &r0))
            cts_buf_addf(b, ", r0 = 0x%llx", (unsigned long long)r0);
        cts_buf_addc(b, '\n');
    }
    const struct cts_pk_vector *v = &seg->pack->vectors[seg->unit->vector];
    if (v->message)
        cts_buf_addf(b, "  known    a runtime that rejects it says: %s\n",
                     cts_pack_text(seg->pack, v->message));
    if (obs->result_known)
        cts_buf_addf(b, "  seen     r0 = 0x%llx\n", (unsigned long long)obs->r0);
}

static void add_words(const struct cts_obs *obs, struct cts_buf *b)
{
    const char *p = obs->text;
    if (!p || !p[0])
        return;
    cts_buf_adds(b, "  runtime says\n");
    while (*p) {
        size_t n = strcspn(p, "\n");
        cts_buf_addf(b, "    %.*s\n", (int)n, p);
        p += n + (p[n] == '\n');
    }
}

static void add_case(const struct cts_pack *p, uint32_t vector, uint32_t kase, struct cts_buf *b)
{
    cts_buf_addf(b, " -f '%s#%s'", cts_pack_text(p, p->vectors[vector].id),
                 cts_pack_text(p, p->cases[kase].name));
}

/* What was selected of a vector. */
static void add_selected(const struct cts_subject *s, uint32_t vector, struct cts_buf *b)
{
    const struct cts_pack *p = s->seg->pack;
    const struct cts_pk_vector *v = &p->vectors[vector];
    uint32_t end = v->cases.first + v->cases.count;
    bool all = true;
    for (uint32_t c = v->cases.first; c < end; c++)
        all = all && (!s->select_case || s->select_case[c]);
    if (all)
        cts_buf_addf(b, " -f '%s#*'", cts_pack_text(p, v->id));
    for (uint32_t c = v->cases.first; !all && c < end; c++)
        if (s->select_case[c])
            add_case(p, vector, c, b);
}

static void add_repeat(const struct cts_subject *s, struct cts_buf *b)
{
    const struct cts_target *t = s->target;
    const struct cts_among *among = &s->obs->among;
    const struct cts_seg *seg = s->seg;
    if (t->repeat)
        cts_buf_addf(b, "  repeat   %s", t->repeat);
    else
        cts_buf_addf(b, "  repeat   ebpf-cts run -r %s%s%s", t->runtime, t->engine[0] ? ":" : "",
                     t->engine);
    uint32_t last = UINT32_MAX;
    for (size_t i = 0; i < among->count; i++) {
        uint32_t vector = seg->pack->units[among->unit[i]].vector;
        if (vector != last)
            add_selected(s, vector, b);
        last = vector;
    }
    if (among->count == 0)
        add_case(seg->pack, seg->unit->vector, cts_seg_case(seg, s->tuple), b);
    cts_buf_addc(b, '\n');
}

const char *cts_detail(const struct cts_subject *s, struct cts_arena *arena)
{
    const struct cts_obs *obs = s->obs;
    struct cts_buf b;
    cts_buf_init(&b, 1 << 20);
    add_origin(s->seg, &b);
    add_code(s->seg, &b);
    if (s->seg->whole || !obs->row)
        add_expected_result(s->seg, s->tuple, obs, &b);
    add_states(s->seg, s->tuple, obs, arena, &b);
    add_words(obs, &b);
    add_repeat(s, &b);
    const char *copy = cts_arena_strdup(arena, cts_buf_text(&b));
    cts_buf_release(&b);
    return copy ? copy : "";
}
