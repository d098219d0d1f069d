#include "core/excuse.h"

#include <string.h>

static bool insn_fits(const struct cts_limit *l, enum cts_insn_id row, const struct cts_insn *in)
{
    if (l->rows && !l->rows[row])
        return false;
    if (l->dst != CTS_ANY_VALUE && l->dst != in->dst)
        return false;
    if (l->src != CTS_ANY_VALUE && l->src != in->src)
        return false;
    if (l->off != CTS_ANY_VALUE && l->off != in->off)
        return false;
    if (l->alias && in->dst != in->src)
        return false;
    if (l->imm == CTS_ANY_VALUE)
        return true;
    return l->imm_above ? (uint32_t)in->imm >= (uint32_t)l->imm : in->imm == l->imm;
}

static bool is_about_insns(const struct cts_limit *l)
{
    return l->rows || l->alias || l->dst != CTS_ANY_VALUE || l->src != CTS_ANY_VALUE ||
           l->off != CTS_ANY_VALUE || l->imm != CTS_ANY_VALUE;
}

static bool is_conditional(const struct cts_insn *in)
{
    unsigned class = in->opcode & 7, op = in->opcode & 0xf0;
    return (class == CTS_CLASS_JMP || class == CTS_CLASS_JMP32) && op != CTS_JUMP_JA &&
           op != CTS_JUMP_CALL && op != CTS_JUMP_EXIT;
}

/* The next instruction of a unit's code from slot *at on, which moves behind it; false at the end.
 * What is no instruction is passed over. */
static bool next_insn(const struct cts_seg *seg, uint32_t *at, enum cts_insn_id *row,
                      struct cts_insn *in)
{
    const uint8_t *code = seg->pack->code + seg->unit->code;
    while (*at < seg->unit->slots) {
        int n = cts_decode(code + (size_t)*at * CTS_SLOT_BYTES, seg->unit->slots - *at, false, in,
                           row, NULL);
        *at += n > 0 ? (uint32_t)n : 1;
        if (n > 0)
            return true;
    }
    return false;
}

static bool has_branches(const struct cts_seg *seg, uint32_t least)
{
    struct cts_insn in;
    enum cts_insn_id row;
    uint32_t count = 0;
    for (uint32_t at = 0; count < least && next_insn(seg, &at, &row, &in);)
        count += is_conditional(&in);
    return count >= least;
}

/* Does the glob match the text, or one of its lines? */
static bool words_fit(const char *glob, const char *text, struct cts_arena *arena)
{
    if (!text || cts_glob(glob, text))
        return text != NULL;
    while (*text) {
        size_t n = strcspn(text, "\n");
        const char *line = cts_arena_fmt(arena, "%.*s", (int)n, text);
        if (line && cts_glob(glob, line))
            return true;
        text += n + (text[n] == '\n');
    }
    return false;
}

static bool program_fits(const struct cts_seg *seg, const struct cts_limit *l)
{
    struct cts_insn in;
    enum cts_insn_id row;
    if (!is_about_insns(l) && (l->refusal || l->policy || l->branches_from))
        return true;
    for (uint32_t at = 0; next_insn(seg, &at, &row, &in);)
        if (insn_fits(l, row, &in))
            return true;
    return false;
}

const char *cts_excuse_restriction(const struct cts_target *target, const struct cts_seg *seg,
                                   const char *text, struct cts_arena *arena)
{
    const struct cts_pk_vector *v = &seg->pack->vectors[seg->unit->vector];
    for (size_t i = 0; i < target->limit_count; i++) {
        const struct cts_limit *l = &target->limits[i];
        if ((!l->refusal || words_fit(l->refusal, text, arena)) &&
            (!l->policy || strcmp(l->policy, cts_pack_text(seg->pack, v->policy)) == 0) &&
            (l->branches_from == 0 || has_branches(seg, l->branches_from)) && program_fits(seg, l))
            return l->reason;
    }
    return NULL;
}

enum cts_insn_id cts_excuse_unsupported(const struct cts_target *target, const struct cts_seg *seg)
{
    const struct cts_pk_vector *v = &seg->pack->vectors[seg->unit->vector];
    struct cts_insn in;
    enum cts_insn_id found;
    for (uint32_t i = 0; target->pinned && i < v->rows.count; i++) {
        uint16_t insn = seg->pack->insn_ids[v->rows.first + i];
        if (!target->pinned[insn])
            return (enum cts_insn_id)insn;
    }
    for (uint32_t at = 0; target->pinned && next_insn(seg, &at, &found, &in);)
        if (!target->pinned[found])
            return found;
    return CTS_INSN_COUNT;
}
