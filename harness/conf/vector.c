#include "conf/impl.h"

#include <string.h>

#include "base/limits.h"

enum { BODY_PIECES = 3, OUTCOMES = 4 };

static struct cts_vec_piece raw_piece(const struct cts_insn *in, struct cts_vec_pos pos)
{
    return (struct cts_vec_piece){.kind = CTS_VP_RAW,
                                  .pos = pos,
                                  .repeat = 1,
                                  .opcode = in->opcode,
                                  .dst = {.role = -1, .reg = in->dst},
                                  .src = {.role = -1, .reg = in->src},
                                  .has_dst = true,
                                  .has_src = true,
                                  .off = {.given = true, .v = in->off},
                                  .imm = {.given = true, .v = in->imm}};
}

/* The arguments that are no addresses, then the call. Registers 6 to 9 are the caller's to keep. */
static size_t body_pieces(const struct cts_conf_test *t, struct cts_vec_piece *p)
{
    const struct cts_insn length = {.opcode = 0xb7, .dst = 2, .imm = (int32_t)t->mem_bytes};
    const struct cts_insn nowhere = {.opcode = CTS_OPCODE_MOV64_K, .dst = 1},
                          call = {.opcode = CTS_OPCODE_CALL_LOCAL, .src = 1};
    size_t n = 0;
    if (t->mem_bytes == 0)
        p[n++] = raw_piece(&nowhere, t->pos);
    p[n++] = raw_piece(&length, t->pos);
    p[n++] = raw_piece(&call, t->pos);
    return n;
}

static void program_pieces(const struct cts_conf_test *t, struct cts_vec_piece *p)
{
    for (uint32_t i = 0; i < t->slots; i++) {
        struct cts_insn in;
        cts_slot_get(t->code + (size_t)i * CTS_SLOT_BYTES, false, &in);
        p[i] = raw_piece(&in, t->pos);
    }
}

/* How much a group asks of a runtime: the vector counts as one of the most demanding. */
static unsigned demand(enum cts_insn_id row)
{
    static const enum cts_group order[] = {CTS_GROUP_BASE32,   CTS_GROUP_BASE64,
                                           CTS_GROUP_DIVMUL32, CTS_GROUP_DIVMUL64,
                                           CTS_GROUP_ATOMIC32, CTS_GROUP_ATOMIC64};
    unsigned n = sizeof(order) / sizeof(order[0]);
    for (unsigned i = 0; i < n; i++)
        if (order[i] == cts_insn_info(row)->group)
            return i;
    return n;
}

/* The rows of the program, each once, the most demanding first. */
static int find_rows(const struct cts_conf_test *t, struct cts_arena *arena, struct cts_vec *v,
                     struct cts_err *err)
{
    bool seen[CTS_INSN_COUNT] = {[CTS_INSN_CALL_LOCAL] = v->kind == CTS_VK_RUN};
    const char **rows = cts_arena_take_array(arena, CTS_INSN_COUNT, sizeof(*rows));
    if (!rows)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (uint32_t at = 0; at < t->slots;) {
        struct cts_insn in;
        enum cts_insn_id row;
        int n = cts_decode(t->code + (size_t)at * CTS_SLOT_BYTES, t->slots - at, false, &in, &row,
                           NULL);
        if (n > 0)
            seen[row] = true;
        at += n > 0 ? (uint32_t)n : 1;
    }
    for (unsigned d = 8; d-- > 0;)
        for (unsigned i = 0; i < CTS_INSN_COUNT; i++)
            if (seen[i] && demand((enum cts_insn_id)i) == d)
                rows[v->row_count++] = cts_insn_info((enum cts_insn_id)i)->id;
    if (v->row_count == 0) /* none of it is an instruction */
        rows[v->row_count++] = cts_insn_info(CTS_INSN_EXIT)->id;
    v->rows = rows;
    return 0;
}

static uint64_t *values_of(const uint8_t *bytes, uint32_t n, struct cts_arena *arena)
{
    uint64_t *v = cts_arena_take_array(arena, n + 1, sizeof(*v));
    for (uint32_t i = 0; v && i < n; i++)
        v[i] = bytes[i];
    return v;
}

/* r1 and the memory behind it; the memory afterwards is nobody's business. */
static int fill_memory(const struct cts_conf_test *t, struct cts_arena *arena,
                       struct cts_vec_state *in, struct cts_vec_state *out, uint32_t memory)
{
    struct cts_vec_set *r1 = cts_arena_take(arena, sizeof(*r1));
    struct cts_vec_bytes *before = cts_arena_take(arena, sizeof(*before));
    struct cts_vec_bytes *after = cts_arena_take(arena, sizeof(*after));
    uint64_t *values = values_of(t->mem, t->mem_bytes, arena);
    if (!r1 || !before || !after || !values)
        return CTS_E_NOMEM;
    *r1 = (struct cts_vec_set){.reg = {.role = -1, .reg = 1}, .kind = CTS_VV_MEM, .pos = t->pos};
    *before =
        (struct cts_vec_bytes){.bytes = t->mem_bytes, .width = 1, .values = values, .pos = t->pos};
    *after = (struct cts_vec_bytes){.bytes = memory, .pos = t->pos};
    in->regs = r1;
    in->mem = before;
    out->mem = after;
    in->reg_count = in->mem_count = out->mem_count = 1;
    return 0;
}

/* Does it call the helper that ends a program? Then it may not come back from being called. */
static bool unwinds(const struct cts_conf_test *t)
{
    for (uint32_t i = 0; i < t->slots; i++) {
        struct cts_insn in;
        cts_slot_get(t->code + (size_t)i * CTS_SLOT_BYTES, false, &in);
        if (cts_conf_is_helper_call(&in) && in.imm == CTS_DATA_HELPERS + CTS_DATA_HELPER_UNWIND)
            return true;
    }
    return false;
}

/* What conforms: the result, or in its place an error, or either of them. */
static size_t fill_outcomes(const struct cts_conf_test *t, const struct cts_vec *v,
                            const struct cts_vec_state *out, struct cts_vec_outcome *o)
{
    size_t n = 0;
    if (t->has_result)
        o[n++] = (struct cts_vec_outcome){.kind = CTS_OUT_RAN,
                                          .has_r0 = v->kind == CTS_VK_VERDICT,
                                          .r0 = t->result,
                                          .out = *out,
                                          .runtime = ""};
    if (t->has_result && v->kind == CTS_VK_RUN && unwinds(t))
        o[n++] = (struct cts_vec_outcome){
            .kind = CTS_OUT_EXITED, .has_r0 = true, .r0 = t->result, .runtime = ""};
    if (t->is_error) {
        o[n++] = (struct cts_vec_outcome){.kind = CTS_OUT_FAULTED, .runtime = ""};
        o[n++] = (struct cts_vec_outcome){.kind = CTS_OUT_REJECTED, .runtime = ""};
    }
    return n;
}

static int fill_case(const struct cts_conf_test *t, struct cts_arena *arena, struct cts_vec *v,
                     struct cts_vec_case *c)
{
    struct cts_vec_outcome *o = cts_arena_take_array(arena, OUTCOMES, sizeof(*o));
    struct cts_vec_set *r0 = cts_arena_take(arena, sizeof(*r0));
    struct cts_vec_state out = {.pos = t->pos};
    if (!o || !r0)
        return CTS_E_NOMEM;
    c->pos = c->in.pos = t->pos;
    c->name = v->kind == CTS_VK_VERDICT ? "verdict" : "1";
    if (v->memory && v->kind == CTS_VK_RUN && fill_memory(t, arena, &c->in, &out, v->memory))
        return CTS_E_NOMEM;
    *r0 = (struct cts_vec_set){.reg = {.role = -1}, .v = t->result, .pos = t->pos};
    out.regs = r0;
    out.reg_count = 1;
    c->outcome_count = fill_outcomes(t, v, &out, o);
    c->outcomes = o;
    return 0;
}

/* What is not run has no program: the shortest stands in for it, and nobody is asked. */
static const struct cts_conf_test *stand_in(const struct cts_conf_test *t,
                                            struct cts_conf_test *copy)
{
    static const uint8_t nothing[] = {0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0};
    if (!t->skip[0])
        return t;
    *copy = (struct cts_conf_test){.pos = t->pos,
                                   .code = nothing,
                                   .slots = sizeof(nothing) / CTS_SLOT_BYTES,
                                   .is_error = true,
                                   .has_result = true,
                                   .error = t->error,
                                   .skip = t->skip,
                                   .no_jit = t->no_jit};
    return copy;
}

int cts_conf_vector(const struct cts_conf_test *test, const char *suite, const char *name,
                    struct cts_arena *arena, struct cts_vec *out, struct cts_err *err)
{
    struct cts_conf_test copy;
    const struct cts_conf_test *t = stand_in(test, &copy);
    bool whole = t->is_error && t->mem_bytes == 0; /* nothing before it that a jump could reach */
    struct cts_vec_piece *body = cts_arena_take_array(arena, BODY_PIECES, sizeof(*body));
    struct cts_vec_piece *subs = cts_arena_take_array(arena, t->slots + 1, sizeof(*subs));
    struct cts_vec_case *c = cts_arena_take(arena, sizeof(*c));
    *out = (struct cts_vec){.pos = t->pos,
                            .why = "",
                            .policy = "imported",
                            .klass = "",
                            .message = t->error,
                            .skip = t->skip,
                            .no_jit = t->no_jit,
                            .kind = whole ? CTS_VK_VERDICT : CTS_VK_RUN,
                            .function = !whole,
                            .named = 0x3ff,
                            .cases = c,
                            .case_count = 1,
                            .memory = (t->mem_bytes + 7) / 8 * 8,
                            .unreadable = whole ? 0 : 0x3e,
                            .operands = 1u << CTS_OPD_OPAQUE};
    out->id = cts_arena_fmt(arena, "%s/%s", suite, name);
    if (!body || !subs || !c || !out->id)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    size_t n = body_pieces(t, body);
    program_pieces(t, subs);
    const struct cts_vec_code program = {.pieces = subs, .count = t->slots};
    out->code = whole ? program : (struct cts_vec_code){.pieces = body, .count = n};
    out->subs = whole ? (struct cts_vec_code){0} : program;
    if (fill_case(t, arena, out, c))
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    return find_rows(t, arena, out, err);
}
