#include "conf/impl.h"

#include <string.h>

void cts_conf_yaml_begin(struct cts_buf *out, const char *suite)
{
    cts_buf_addf(out, "suite: %s\nabout: Programs from .data files\n\nvectors:\n", suite);
}

static void add_list(struct cts_buf *out, const char *key, const char *const *list, size_t n)
{
    cts_buf_addf(out, "    %s: [", key);
    for (size_t i = 0; i < n; i++)
        cts_buf_addf(out, "%s%s", i ? ", " : "", list[i]);
    cts_buf_adds(out, "]\n");
}

static void add_field(struct cts_buf *out, const char *key, int64_t v)
{
    if (v)
        cts_buf_addf(out, ", %s: %lld", key, (long long)v);
}

/* What the slot at `at` is, in words; "" inside a wide instruction. */
static size_t describe(const struct cts_vec_code *code, size_t at, char *text, size_t cap)
{
    uint8_t bytes[16] = {0};
    size_t left = code->count - at < 2 ? 1 : 2;
    for (size_t i = 0; i < left; i++) {
        const struct cts_vec_piece *p = &code->pieces[at + i];
        const struct cts_insn in = {.opcode = p->opcode,
                                    .dst = p->dst.reg,
                                    .src = p->src.reg,
                                    .off = (int16_t)p->off.v,
                                    .imm = (int32_t)p->imm.v};
        cts_slot_put(bytes + CTS_SLOT_BYTES * i, false, &in);
    }
    int n = cts_disasm(bytes, left, false, text, cap);
    return n > 0 ? (size_t)n : 1;
}

static void add_code(struct cts_buf *out, const char *key, const struct cts_vec_code *code)
{
    size_t described = 0;
    cts_buf_addf(out, "    %s:\n", key);
    for (size_t i = 0; i < code->count; i++) {
        const struct cts_vec_piece *p = &code->pieces[i];
        char text[256] = "";
        cts_buf_addf(out, "      - {opcode: 0x%02x", p->opcode);
        add_field(out, "dst", p->dst.reg);
        add_field(out, "src", p->src.reg);
        add_field(out, "off", p->off.v);
        add_field(out, "imm", p->imm.v);
        if (i == described)
            described += describe(code, i, text, sizeof(text));
        cts_buf_addf(out, "}%s%s\n", text[0] ? "  # " : "", text);
    }
}

static void add_bytes(struct cts_buf *out, const struct cts_vec_bytes *b)
{
    cts_buf_addf(out, ", mem: [{at: %d, hex: \"", (int)b->at);
    for (uint32_t i = 0; i < b->bytes; i++)
        cts_buf_addf(out, "%s%02x", i ? " " : "", (unsigned)b->values[i]);
    cts_buf_adds(out, "\"}]");
}

static void add_other(struct cts_buf *out, const struct cts_vec_outcome *o)
{
    if (o->kind == CTS_OUT_EXITED)
        cts_buf_addf(out, "{exits: 0x%llx}", (unsigned long long)o->r0);
    else
        cts_buf_adds(out, o->kind == CTS_OUT_REJECTED ? "reject" : "fault");
}

static void add_case(struct cts_buf *out, const struct cts_vec_case *c)
{
    const struct cts_vec_outcome *o = &c->outcomes[0];
    cts_buf_adds(out, "    cases:\n      - {");
    if (c->in.reg_count) {
        cts_buf_adds(out, "in: {r1: mem+0");
        add_bytes(out, &c->in.mem[0]);
        cts_buf_adds(out, "}, ");
    }
    if (o->kind != CTS_OUT_RAN) {
        cts_buf_adds(out, "faults: true, or: [reject]}\n");
        return;
    }
    cts_buf_addf(out, "out: {r0: 0x%llx", (unsigned long long)o->out.regs[0].v);
    if (o->out.mem_count)
        cts_buf_addf(out, ", mem: [{at: 0, any: %u}]", (unsigned)o->out.mem[0].bytes);
    cts_buf_adds(out, "}");
    for (size_t i = 1; i < c->outcome_count; i++) {
        cts_buf_adds(out, i == 1 ? ", or: [" : ", ");
        add_other(out, &c->outcomes[i]);
    }
    cts_buf_adds(out, c->outcome_count > 1 ? "]}\n" : "}\n");
}

static void add_verdict(struct cts_buf *out, const struct cts_vec_outcome *o)
{
    if (o->kind == CTS_OUT_RAN)
        cts_buf_addf(out, "    verdict: any\n    r0: 0x%llx\n", (unsigned long long)o->r0);
    else
        cts_buf_adds(out, "    verdict: reject-or-fault\n");
}

static void add_text(struct cts_buf *out, const char *key, const char *text)
{
    if (!text[0])
        return;
    cts_buf_addf(out, "    %s: '", key);
    for (const char *p = text; *p; p++)
        cts_buf_addf(out, "%s%c", *p == '\'' ? "'" : "", *p);
    cts_buf_adds(out, "'\n");
}

void cts_conf_yaml_add(struct cts_buf *out, const struct cts_vec *v)
{
    const char *slash = strrchr(v->id, '/');
    cts_buf_addf(out, "  - name: %s\n", slash ? slash + 1 : v->id);
    add_list(out, "insns", v->rows, v->row_count);
    cts_buf_addf(out, "    clauses: []\n    policy: %s\n", v->policy);
    add_text(out, "no-jit", v->no_jit);
    if (v->kind == CTS_VK_VERDICT) {
        add_text(out, "message", v->message);
        add_code(out, "program", &v->code);
        add_verdict(out, &v->cases[0].outcomes[0]);
        return;
    }
    add_list(out, "needs", v->needs, v->need_count);
    if (v->memory)
        cts_buf_addf(out, "    memory: %u\n", (unsigned)v->memory);
    cts_buf_adds(out, "    operands: [opaque]\n    unreadable: [r1, r2, r3, r4, r5]\n");
    add_code(out, "code", &v->code);
    add_code(out, "subs", &v->subs);
    add_case(out, &v->cases[0]);
}
