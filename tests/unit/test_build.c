/* uses: base host load isa asm pack wire build */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "asm/asm.h"
#include "host/fs.h"
#include "isa/isa.h"
#include "isa/mach.h"
#include "wire/worker.h"
#include "vectors.h"

static const char *label(const struct fixture *f, uint32_t unit)
{
    return cts_pack_text(&f->pack, f->pack.units[unit].label);
}

static const struct cts_pk_unit *find(const struct fixture *f, const char *words)
{
    for (uint32_t i = 0; i < f->pack.unit_count; i++)
        if (strstr(label(f, i), words))
            return &f->pack.units[i];
    fail_msg("no unit '%s'", words);
    return NULL;
}

static struct cts_insn insn(const struct fixture *f, const struct cts_pk_unit *u, uint32_t at)
{
    struct cts_insn in;
    assert_true(at < u->slots);
    cts_slot_get(f->pack.code + u->code + (size_t)at * 8, false, &in);
    return in;
}

static const struct cts_pk_state *in_state(const struct fixture *f, const struct cts_pk_unit *u,
                                           uint32_t row)
{
    return &f->pack.states[f->pack.rows[u->rows.first + row].in];
}

static const struct cts_pk_outcome *outcome(const struct fixture *f, const struct cts_pk_unit *u,
                                            uint32_t row, uint32_t n)
{
    struct cts_pk_range out = f->pack.rows[u->rows.first + row].out;
    assert_true(n < out.count);
    return &f->pack.outcomes[out.first + n];
}

static const struct cts_pk_state *out_state(const struct fixture *f, const struct cts_pk_unit *u,
                                            uint32_t row)
{
    return &f->pack.states[outcome(f, u, row, 0)->state];
}

/* Runs the rows of a unit on the reference machine: does what comes out conform? */
static bool conforms(const struct fixture *f, const struct cts_pk_unit *u, uint32_t row)
{
    static struct cts_mach m;
    static uint8_t stack[CTS_MACH_STACKS_BYTES];
    struct cts_mach_insn prog[64];
    const struct cts_pk_state *in = in_state(f, u, row), *out = out_state(f, u, row);
    assert_true(u->slots <= 64 && u->slots == u->body_slots);
    assert_int_equal(
        cts_mach_decode(f->pack.code + u->code, u->slots, false, true, prog, &(struct cts_err){0}),
        0);
    cts_mach_init(&m);
    cts_mach_map(&m, 0x10000, stack, sizeof(stack), true);
    m.stack_base = 0x10000;
    m.prog = prog;
    m.prog_slots = u->slots;
    m.exec = cts_exec_table;
    m.budget = 1000;
    memcpy(m.r, in->r, sizeof(in->r));
    return cts_mach_run(&m) == CTS_MACH_ENDED && memcmp(m.r, out->r, sizeof(out->r)) == 0;
}

static void roles_take_every_register(void **state)
{
    struct fixture f;
    unsigned dst = 0, src = 0;
    (void)state;
    build_one(&f, CTS_LEVEL_QUICK,
              HEAD VECTOR "    asm: '{dst} += {src}'\n    vary: {dst: any, src: any}\n"
                          "    operands: [opaque]\n"
                          "    cases: [{in: {dst: 1, src: 2}, out: {dst: 3}}]\n");
    for (uint32_t i = 0; i < f.pack.unit_count; i++) {
        struct cts_insn in = insn(&f, &f.pack.units[i], 0);
        assert_int_not_equal(in.dst, in.src);
        assert_int_equal(in_state(&f, &f.pack.units[i], 0)->r[in.src], 2);
        assert_int_equal(out_state(&f, &f.pack.units[i], 0)->r[in.dst], 3);
        dst |= 1u << in.dst;
        src |= 1u << in.src;
    }
    assert_int_equal(dst, 0x3ff);
    assert_int_equal(src, 0x3ff);
    assert_true(f.pack.unit_count < 20);
    assert_string_equal(label(&f, 0), "dst=r3 src=r4 opaque");
    assert_int_equal(build(&f, CTS_LEVEL_FULL, false), 0);
    assert_int_equal(f.pack.unit_count, 90);
    assert_int_equal(f.pack.units[0].level, CTS_LEVEL_QUICK);
    assert_int_equal(f.pack.units[89].level, CTS_LEVEL_FULL);
    done(&f);
}

static void threads_and_repeat_are_written(void **state)
{
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_QUICK,
              HEAD VECTOR "    asm: '{dst} += {src}'\n    threads: 3\n    repeat: 70\n"
                          "    operands: [opaque]\n"
                          "    cases: [{in: {dst: 1, src: 2}, out: {dst: 3}}]\n");
    assert_int_equal(f.pack.unit_count, 1);
    const struct cts_pk_unit *u = &f.pack.units[0];
    assert_int_equal(u->threads, 3);
    assert_int_equal(u->repeat, 70);
    assert_int_equal(u->flags, CTS_UF_ALONE);
    assert_string_equal(label(&f, 0), "dst=r3 src=r4 opaque threads=3 repeat=70");
    assert_int_equal(f.pack.vectors[0].needs, CTS_FEAT_THREADS);
    done(&f);
}

static void a_vector_is_there_from_its_level_on(void **state)
{
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_QUICK,
              HEAD VECTOR "    asm: '{dst} += {src}'\n    level: full\n"
                          "    operands: [opaque]\n"
                          "    cases: [{in: {dst: 1, src: 2}, out: {dst: 3}}]\n");
    assert_int_equal(f.pack.vector_count, 0);
    assert_int_equal(f.pack.left_out, 1);
    assert_non_null(strstr(cts_pack_text(&f.pack, f.pack.string_refs[0]), "/"));
    assert_int_equal(build(&f, CTS_LEVEL_FULL, false), 0);
    assert_int_equal(f.pack.unit_count, 1);
    assert_int_equal(f.pack.left_out, 0);
    assert_int_equal(f.pack.units[0].level, CTS_LEVEL_FULL);
    assert_int_equal(build(&f, CTS_LEVEL_EXHAUSTIVE, false), 0);
    assert_int_equal(f.pack.units[0].level, CTS_LEVEL_FULL);
    done(&f);
}

static void roles_keep_off_registers_that_are_named(void **state)
{
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_FULL,
              HEAD VECTOR "    asm: |\n      r3 = {src}\n      {dst} += r4\n"
                          "    unreadable: [r1]\n    vary: {dst: any, src: [r10, r0]}\n"
                          "    cases: [{in: {r7: 1, r4: 1, dst: 0}, out: {dst: 1, r3: any}}]\n");
    for (uint32_t i = 0; i < f.pack.unit_count; i++) {
        const struct cts_pk_unit *u = &f.pack.units[i];
        if (u->operands != CTS_OPD_OPAQUE)
            continue;
        unsigned dst = insn(&f, u, 1).dst, src = insn(&f, u, 0).src;
        assert_false((1 << 3 | 1 << 4 | 1 << 7 | 1 << 1 | 1 << 10) >> dst & 1);
        assert_true(src == 10 || src == 0);
        assert_int_equal(u->layout.out_mask, 0x3ff & ~(1 << 1));
    }
    done(&f);
}

static void aliased_roles_share(void **state)
{
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_QUICK,
              HEAD VECTOR "    asm: '{dst} += {src}'\n    alias: [dst, src]\n    vary: {src: any}\n"
                          "    operands: [opaque]\n"
                          "    cases: [{in: {src: 2}, out: {dst: 4}}]\n");
    assert_int_equal(f.pack.unit_count, 10);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(insn(&f, &f.pack.units[i], 0).dst, insn(&f, &f.pack.units[i], 0).src);
        assert_true(conforms(&f, &f.pack.units[i], 0));
    }
    done(&f);
}

static void impossible_bindings_are_told(void **state)
{
    struct fixture f;
    (void)state;
    start(&f);
    put(&f, "a.yaml",
        HEAD VECTOR "    asm: '{a} += {b}'\n    vary: {a: [r1], b: [r1]}\n    cases: [{out: {}}]\n"
                    "  - name: w\n    insns: [add64_x]\n    clauses: [N001]\n"
                    "    asm: '{a} += r5'\n    vary: {a: [r5]}\n"
                    "    cases: [{in: {a: 1, r5: 2}, out: {}}]\n"
                    "  - name: x\n    insns: [add64_x]\n    clauses: [N001]\n"
                    "    asm: 'r1 += {a}'\n    vary: {a: [r10]}\n"
                    "    cases: [{in: {a: 1}, out: {}}]\n");
    assert_int_equal(build(&f, CTS_LEVEL_QUICK, false), 0);
    assert_int_equal(f.stats.errors, 3);
    assert_int_equal(f.pack.vector_count, 0);
    assert_non_null(strstr(cts_buf_text(&f.faults), "a.yaml:3:5: there are not enough registers"));
    assert_non_null(strstr(cts_buf_text(&f.faults), "a.yaml:14:25: two names for r5"));
    assert_non_null(strstr(cts_buf_text(&f.faults), "a.yaml:20:19: this stands for r10"));
    done(&f);
}

static void constants_and_masks_are_checked_behind_the_body(void **state)
{
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_QUICK,
              HEAD VECTOR "    asm: |\n      if {dst} == 0 goto end\n      {dst} += {src}\n"
                          "      end:\n"
                          "    cases:\n"
                          "      - {in: {dst: 1, src: -3}, out: {dst: -2, src: -3}}\n"
                          "      - {in: {dst: 0, src: 7}, out: {}}\n");
    assert_int_equal(f.pack.unit_count, 5);
    const struct cts_pk_unit *k = find(&f, "constant"), *m = find(&f, "masked");
    /* dst = 1; src = -3; body; two comparisons; goto, mark */
    assert_int_equal(k->slots, 4 + 2 + 3 + 3 + 3);
    assert_int_equal(insn(&f, k, 0).opcode, 0x18);
    assert_int_equal(insn(&f, k, 2).imm, -3);
    assert_int_equal(insn(&f, k, 8).opcode, 0x5d);
    assert_int_equal(insn(&f, k, 8).off, 4);
    assert_int_equal(insn(&f, k, 11).off, 1);
    assert_int_equal(insn(&f, k, 12).opcode, 0x05);
    assert_int_equal(insn(&f, k, 12).off, 2);
    assert_int_equal(m->slots, 6 + 2 + 3 + 3 + 3);
    assert_int_equal(insn(&f, m, 2).opcode, 0x5f);
    unsigned scratch = insn(&f, k, 13).dst;
    assert_int_equal(out_state(&f, k, 0)->r[scratch], (uint64_t)-3);
    assert_int_equal(insn(&f, k, 13).imm, 2); /* not -3 */
    for (uint32_t i = 0; i < f.pack.unit_count; i++)
        for (uint32_t r = 0; r < f.pack.units[i].rows.count; r++)
            assert_true(conforms(&f, &f.pack.units[i], r));
    done(&f);
}

/* The check is of use: a machine that computes wrongly takes the other path, and the mark stays. */
static void a_wrong_expectation_leaves_the_mark(void **state)
{
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_QUICK,
              HEAD VECTOR "    asm: '{dst} += {src}'\n"
                          "    cases: [{in: {dst: 1, src: 2}, out: {dst: 4}}]\n");
    for (uint32_t i = 0; i < f.pack.unit_count; i++)
        assert_false(conforms(&f, &f.pack.units[i], 0));
    done(&f);
}

/* What comes out is computed, and checked by code behind the body even if operands are opaque. */
static void outputs_are_computed(void **state)
{
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_QUICK,
              HEAD VECTOR "    asm: '{b} = {a}; {a} += {a}'\n"
                          "    cases: [{in: {a: 21}, out: {a: computed, b: computed}}]\n");
    assert_int_equal(f.pack.unit_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(f.pack.units[i].slots > 2);
        assert_int_equal(out_state(&f, &f.pack.units[i], 0)->r[3], 21);
        assert_int_equal(out_state(&f, &f.pack.units[i], 0)->r[4], 42);
        assert_true(conforms(&f, &f.pack.units[i], 0));
    }
    done(&f);
}

static void refuses(const char *text, const char *words)
{
    struct fixture f;
    start(&f);
    put(&f, "a.yaml", text);
    assert_int_equal(build(&f, CTS_LEVEL_QUICK, false), 0);
    assert_int_equal(f.stats.errors, 1);
    if (!strstr(cts_buf_text(&f.faults), words))
        fail_msg("wanted '%s', got '%s'", words, cts_buf_text(&f.faults));
    done(&f);
}

static void what_cannot_be_computed_is_refused(void **state)
{
    (void)state;
    refuses(HEAD VECTOR "    asm: '{b} = {a}'\n    cases: [{in: {}, out: {b: computed}}]\n",
            "it depends on what `in` does not say");
    refuses(HEAD VECTOR "    asm: '{b} = be16 {b}'\n"
                        "    cases: [{in: {b: 1}, out: {b: computed}}]\n",
            "byte order");
    refuses(HEAD VECTOR "    asm: '{b} = *(u64 *)({a} + 0)'\n"
                        "    cases: [{in: {a: mem}, out: {b: computed}}]\n",
            "only where registers are all that goes in");
}

static void only_straight_plain_cases_have_variants(void **state)
{
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_QUICK,
              HEAD VECTOR "    asm: |\n      r0 = {a}\n      exit\n"
                          "    cases: [{in: {a: 1}, exits: 1}]\n"
                          "  - name: w\n    insns: [add64_x]\n    clauses: [N001]\n"
                          "    asm: '{a} += 1'\n"
                          "    cases:\n"
                          "      - {in: {a: mem+8}, out: {a: mem+9}}\n"
                          "      - {in: {a: 1}, out: {a: 2}, or: [fault]}\n"
                          "      - {in: {a: mem+8}, out: {a: mem+9}}\n");
    assert_int_equal(f.pack.unit_count, 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(f.pack.units[i].operands, CTS_OPD_OPAQUE);
    const struct cts_pk_unit *ends = &f.pack.units[0], *places = &f.pack.units[1],
                             *faults = &f.pack.units[2];
    assert_int_equal(ends->flags, CTS_UF_ALONE);
    assert_int_equal(outcome(&f, ends, 0, 0)->kind, CTS_OUT_EXITED);
    assert_int_equal(places->rows.count, 2);
    assert_int_equal(places->flags, 0);
    assert_int_equal(places->layout.place[3], CTS_PL_MEM);
    assert_int_equal(places->layout.add[3], 8);
    assert_int_equal(places->layout.record, 1);
    assert_int_equal(out_state(&f, places, 0)->place[3], CTS_PL_MEM);
    assert_int_equal(out_state(&f, places, 0)->r[3], 9);
    assert_int_equal(faults->flags, CTS_UF_ALONE);
    assert_int_equal(faults->rows.count, 1);
    assert_int_equal(outcome(&f, faults, 0, 1)->kind, CTS_OUT_FAULTED);
    done(&f);
}

static void immediates_have_units_of_their_own(void **state)
{
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_QUICK,
              HEAD VECTOR "    asm: '{a} += {imm}'\n    operands: [opaque]\n"
                          "    cases:\n"
                          "      - {imm: -1, in: {a: 1}, out: {a: 0}}\n"
                          "      - {imm: 5, in: {a: 1}, out: {a: 6}}\n"
                          "      - {imm: -1, in: {a: 2}, out: {a: 1}}\n"
                          "  - name: s\n    insns: [add64_k]\n    clauses: [N001]\n"
                          "    asm: '{a} += {imm}'\n    sweep: {a: u8, imm: imm}\n"
                          "    given: {r7: 77}\n");
    uint32_t n;
    const uint64_t *imm = cts_domain_values(CTS_DOM_IMM, CTS_LEVEL_QUICK, &n);
    assert_int_equal(f.pack.unit_count, 2 + n);
    assert_string_equal(label(&f, 0), "a=r3 imm=-1 opaque");
    assert_int_equal(f.pack.units[0].rows.count, 2);
    assert_int_equal(insn(&f, &f.pack.units[0], 0).imm, -1);
    for (uint32_t i = 0; i < n; i++) {
        const struct cts_pk_unit *u = &f.pack.units[2 + i];
        const struct cts_pk_sweep *s = &f.pack.sweeps[u->sweep];
        assert_int_equal(insn(&f, u, 0).imm, (int32_t)(uint32_t)imm[i]);
        assert_int_equal(s->operands.count, 1);
        assert_int_equal(f.pack.operands[s->operands.first].domain, CTS_DOM_U8);
        assert_int_equal(f.pack.operands[s->operands.first].reg, 3);
        assert_int_equal(f.pack.states[s->base].r[7], 77);
    }
    assert_int_equal(f.pack.case_count, 4);
    done(&f);
}

static void subprograms_stand_behind_the_body(void **state)
{
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_QUICK,
              HEAD "  - name: v\n    insns: [call_local]\n    clauses: [N001]\n"
                   "    asm: |\n      r1 = {a}\n      call twice\n      {b} = r0\n"
                   "    subs: |\n      twice:\n      r0 = r1\n      r0 += r1\n      exit\n"
                   "    unreadable: [r1, r2, r3, r4, r5]\n"
                   "    cases: [{in: {a: 4}, out: {b: 8, r0: 8}}]\n");
    const struct cts_pk_unit *u = find(&f, "opaque"), *k = find(&f, "constant");
    assert_int_equal(u->body_slots, 3);
    assert_int_equal(u->slots, 6);
    assert_int_equal(u->layout.body_slots, 3);
    assert_int_equal(insn(&f, u, 1).imm, 1); /* slot 3 */
    assert_int_equal(k->slots - k->body_slots, 3);
    /* The call is the second instruction behind the one constant. */
    struct cts_insn call = insn(&f, k, 3);
    assert_int_equal(call.opcode, 0x85);
    assert_int_equal(3 + 1 + call.imm, k->body_slots);
    assert_int_equal(insn(&f, k, k->body_slots).opcode, 0xbf);
    done(&f);
}

static void pieces_are_encoded(void **state)
{
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_QUICK,
              HEAD VECTOR "    code:\n      - '{a} = 1'\n"
                          "      - {insn: add64_k, dst: a, imm: '{imm}', repeat: 3}\n"
                          "      - {opcode: 0x8f, dst: 11, src: r2, off: -1, imm: 0xffffffff}\n"
                          "      - {slot: '05 00 00 00 00 00 00 00'}\n"
                          "    cases: [{imm: 9, out: {a: 28}, or: [reject]}]\n");
    const struct cts_pk_unit *u = &f.pack.units[0];
    assert_int_equal(u->slots, 6);
    assert_int_equal(insn(&f, u, 3).opcode, 0x07);
    assert_int_equal(insn(&f, u, 3).imm, 9);
    struct cts_insn raw = insn(&f, u, 4);
    assert_int_equal(raw.dst, 11);
    assert_int_equal(raw.src, 2);
    assert_int_equal(raw.off, -1);
    assert_int_equal(raw.imm, -1);
    assert_int_equal(insn(&f, u, 5).opcode, 5);
    assert_int_equal(u->flags, CTS_UF_ALONE);
    done(&f);
}

/* A byte that is stored into a wider number: which of its bytes stay depends on the machine. */
static void both_byte_orders_have_their_image(void **state)
{
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_QUICK,
              HEAD VECTOR "    asm: '*(u8 *)({b} + 0) = {v}'\n    operands: [opaque]\n"
                          "    cases:\n"
                          "      - in: {b: mem, v: 0xff, mem: [{at: 0, u64: 0x1122334455667788}]}\n"
                          "        out: {mem: [{at: 0, u8: 0xff}, {at: 8, any: 2}]}\n");
    static const uint8_t le[] = {0xff, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
    static const uint8_t be[] = {0xff, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
    const struct cts_pk_state *in = in_state(&f, &f.pack.units[0], 0),
                              *out = out_state(&f, &f.pack.units[0], 0);
    assert_int_equal(in->mem_bytes, 64);
    assert_int_equal(f.pack.data[in->mem.data], 0x88);
    assert_int_equal(f.pack.data[in->mem.be], 0x11);
    assert_int_equal(f.pack.data[in->mem.width + 7], 8);
    assert_memory_equal(f.pack.data + out->mem.data, le, 8);
    assert_memory_equal(f.pack.data + out->mem.be, be, 8);
    assert_int_equal(f.pack.data[out->mem.any + 9], 1);
    assert_int_equal(f.pack.data[out->mem.any + 10], 0);
    /* What is not named is dirty, and the same before and behind. */
    assert_memory_equal(f.pack.data + in->mem.data + 8, f.pack.data + out->mem.data + 8, 56);
    done(&f);
}

static void observed_stacks_run_with_both_spills(void **state)
{
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_QUICK,
              HEAD VECTOR "    asm: '*(u64 *)(r10 - 8) = {v}'\n    memory: 8\n"
                          "    operands: [opaque]\n"
                          "    cases: [{in: {v: 5}, out: {stack: [{at: -8, u64: 5}]}}]\n");
    assert_int_equal(f.pack.unit_count, 2);
    assert_int_equal(f.pack.units[0].layout.spill, -512);
    assert_int_equal(f.pack.units[1].layout.spill, -8);
    assert_int_equal(f.pack.units[0].layout.stack_off, 192 + 8);
    assert_int_equal(f.pack.units[0].layout.stride, 2048);
    assert_int_equal(f.pack.data[out_state(&f, &f.pack.units[0], 0)->stack.data + 504], 5);
    done(&f);
}

static void verdicts_are_whole_programs(void **state)
{
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_QUICK,
              HEAD "  - name: v\n    class: V01\n    insns: [neg64]\n    clauses: [N001]\n"
                   "    program: |\n      r0 = 5\n      exit\n"
                   "    verdict: reject-or-run\n    verdicts: {linux: accept}\n    r0: 5\n");
    const struct cts_pk_unit *u = &f.pack.units[0];
    assert_int_equal(f.pack.unit_count, 1);
    assert_int_equal(u->flags, CTS_UF_WHOLE | CTS_UF_ALONE);
    assert_int_equal(u->slots, 2);
    assert_int_equal(f.pack.rows[0].in, UINT32_MAX);
    assert_int_equal(f.pack.rows[0].out.count, 3);
    assert_int_equal(outcome(&f, u, 0, 0)->kind, CTS_OUT_REJECTED);
    assert_int_equal(outcome(&f, u, 0, 1)->kind, CTS_OUT_RAN);
    assert_int_equal(outcome(&f, u, 0, 1)->r0, 5);
    assert_string_equal(cts_pack_text(&f.pack, outcome(&f, u, 0, 1)->runtime), "");
    assert_string_equal(cts_pack_text(&f.pack, outcome(&f, u, 0, 2)->runtime), "linux");
    done(&f);
}

static void flipped_bits_are_programs_of_their_own(void **state)
{
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_QUICK,
              HEAD "  - name: v\n    class: V08\n    insns: [lddw]\n    clauses: [N031]\n"
                   "    program: [{insn: lddw, dst: 0, imm: 5, flip: next_off, but: [0]}, exit]\n"
                   "    verdict: reject\n    message: invalid bpf_ld_imm64 insn\n");
    assert_int_equal(f.pack.unit_count, 15);
    assert_int_equal(f.pack.case_count, 15);
    assert_string_equal(cts_pack_text(&f.pack, f.pack.vectors[0].message),
                        "invalid bpf_ld_imm64 insn");
    for (uint32_t i = 0; i < 15; i++) {
        const struct cts_pk_unit *u = &f.pack.units[i];
        assert_int_equal(f.pack.rows[u->rows.first].kase, i);
        assert_int_equal(insn(&f, u, 0).imm, 5);
        assert_int_equal((uint16_t)insn(&f, u, 1).off, 2u << i);
    }
    assert_string_equal(label(&f, 14), "program next_off-bit-15");
    assert_string_equal(cts_pack_text(&f.pack, f.pack.cases[14].name), "next_off-bit-15");
    done(&f);
}

static void data_files_are_vectors(void **state)
{
    struct fixture f;
    (void)state;
    start(&f);
    put(&f, "two.data", "-- asm\nldxh %r0, [%r1]\nexit\n-- mem\n01 02 03\n-- result\n0x201\n");
    put(&f, "bad.data", "-- asm\nmov %r0, 1\nexot\n-- result\n1\n");
    assert_int_equal(build(&f, CTS_LEVEL_QUICK, false), 0);
    assert_string_equal(
        cts_buf_text(&f.faults),
        "bad.data:3:1: 'exot' is not understood here; the nearest instruction is 'exit'\n");
    assert_int_equal(f.pack.vector_count, 1);
    assert_string_equal(cts_pack_text(&f.pack, f.pack.vectors[0].id), "data/two");
    const struct cts_pk_unit *u = &f.pack.units[0];
    assert_int_equal(u->body_slots, 2);
    assert_int_equal(u->slots, 4);
    assert_int_equal(insn(&f, u, 0).imm, 3);
    assert_int_equal(insn(&f, u, 1).opcode, 0x85);
    assert_int_equal(insn(&f, u, 2).opcode, 0x69);
    assert_int_equal(u->layout.mem_bytes, 8);
    assert_int_equal(u->layout.place[1], CTS_PL_MEM);
    assert_int_equal(out_state(&f, u, 0)->r[0], 0x201);
    done(&f);
}

static void objects_of_the_platform_are_kept(void **state)
{
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_QUICK,
              HEAD "  - name: v\n    insns: [lddw_map_fd]\n    clauses: [N001]\n"
                   "    asm: '{a} = 1'\n    needs: [map-fd, packet]\n    names: [x, y]\n"
                   "    only: [linux]\n    ctx: r6\n"
                   "    maps: [{value: 8, entries: 2, data: {u64: [1, 2]}}]\n"
                   "    packet: '00 11 22 33 44 55 66 77 88 99 aa bb cc dd'\n"
                   "    cases: [{out: {a: 1}}]\n");
    const struct cts_pk_unit *u = &f.pack.units[0];
    assert_int_equal(f.pack.vectors[0].needs, 1 << 1 | 1 << 6);
    assert_int_equal(u->flags, CTS_UF_PACKET);
    assert_int_equal(u->layout.place[6], CTS_PL_CTX);
    assert_int_equal(u->layout.out_mask, 0x3ff & ~(1 << 6));
    assert_int_equal(u->packet.count, 14);
    assert_int_equal(f.pack.data[u->packet.first + 13], 0xdd);
    assert_int_equal(f.pack.data[f.pack.maps[u->maps.first].data + 8], 2);
    assert_int_equal(f.pack.data[f.pack.maps[u->maps.first].be + 15], 2);
    assert_string_equal(cts_pack_text(&f.pack, f.pack.string_refs[u->names.first + 1]), "y");
    assert_int_equal(f.pack.vectors[0].only.count, 1);
    done(&f);
}

static void bad_programs_have_their_place(void **state)
{
    struct fixture f;
    (void)state;
    start(&f);
    put(&f, "a.yaml",
        HEAD VECTOR
        "    asm: |\n      {a} = 1\n      {a} = nonsense\n    vary: {a: any}\n"
        "    cases: [{out: {a: 1}}]\n"
        "  - name: w\n    insns: [add64_x]\n    clauses: [N001]\n"
        "    asm: 'call f'\n    subs: |\n      f:\n      r0 = 1\n      bad 1\n      exit\n"
        "    cases: [{out: {r0: 1}}]\n"
        "  - name: x\n    insns: [add64_x]\n    clauses: [N001]\n"
        "    code:\n      - 'r1 = 1'\n      - {insn: add64_x, dst: 1, src: 12}\n"
        "    cases: [{out: {r1: any}}]\n"
        "  - name: good\n    insns: [add64_x]\n    clauses: [N001]\n"
        "    asm: 'r1 = 1'\n    cases: [{out: {r1: 1}}]\n");
    put(&f, "b.yaml",
        HEAD "  - name: good\n    insns: [add64_x]\n    clauses: [N001]\n"
             "    asm: 'r1 = 1'\n    cases: [{out: {r1: 1}}]\n");
    put(&f, "c.yaml", "suite: [\n");
    assert_int_equal(build(&f, CTS_LEVEL_QUICK, true), 0);
    const char *text = cts_buf_text(&f.faults);
    assert_int_equal(f.stats.files, 3);
    assert_int_equal(f.stats.errors, 5);
    assert_non_null(strstr(text, "a.yaml:8:"));
    assert_non_null(strstr(text, "a.yaml:18:"));
    assert_non_null(strstr(text, "a.yaml:26:"));
    assert_non_null(strstr(text, "b.yaml:3:5: duplicate vector 't/good'"));
    assert_non_null(strstr(text, "c.yaml:"));
    assert_int_equal(f.pack.vector_count, 1);
    assert_string_equal(cts_pack_text(&f.pack, f.pack.vectors[0].id), "t/good");
    /* Errors are told every time, not only the first. */
    assert_int_equal(build(&f, CTS_LEVEL_QUICK, true), 0);
    assert_int_equal(f.stats.errors, 5);
    assert_false(f.stats.from_cache);
    done(&f);
}

static void no_case_is_left_without_a_unit(void **state)
{
    struct fixture f;
    (void)state;
    start(&f);
    put(&f, "a.yaml",
        HEAD VECTOR "    asm: '{a} = 1'\n    operands: [constant]\n"
                    "    cases: [{out: {a: 1}}]\n");
    assert_int_equal(build(&f, CTS_LEVEL_QUICK, false), 0);
    assert_non_null(strstr(cts_buf_text(&f.faults), "a.yaml:8:13: this case cannot run"));
    done(&f);
}

static void what_is_missing_is_an_error(void **state)
{
    struct fixture f;
    (void)state;
    start(&f);
    cts_fs_remove_tree(f.dir);
    assert_int_equal(build(&f, CTS_LEVEL_QUICK, false), CTS_E_NOTFOUND);
    assert_string_equal(f.err.file, f.dir);
    done(&f);
}

static void the_same_files_give_the_same_bytes(void **state)
{
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_FULL, SMALL);
    uint8_t *first = malloc(f.pack.bytes);
    size_t n = f.pack.bytes;
    assert_non_null(first);
    memcpy(first, f.pack.base, n);
    assert_int_equal(build(&f, CTS_LEVEL_FULL, false), 0);
    assert_int_equal(f.pack.bytes, n);
    assert_memory_equal(f.pack.base, first, n);
    free(first);
    done(&f);
}

static void the_suite_itself_is_without_fault(void **state)
{
    struct fixture f;
    const char *path = CTS_SOURCE_DIR "/vectors";
    struct cts_build_opts opts = {
        .paths = &path, .path_count = 1, .no_cache = true, .on_error = on_error, .arg = &f};
    (void)state;
    start(&f);
    assert_int_equal(cts_build(&opts, &f.pack, &f.stats, &f.err), 0);
    if (f.stats.errors)
        fail_msg("%s", cts_buf_text(&f.faults));
    for (uint32_t i = 0; i < f.pack.vector_count; i++)
        assert_true(f.pack.vectors[i].units.count > 0);
    done(&f);
}

enum { INSN_BITS = 128, FIRST_FIELD_BIT = 8, SLOT_BITS = 64 };

/* Does the row fix this bit of the instruction (little-endian encoding, the opcode apart)? */
static bool is_fixed(const struct cts_insn_info *row, unsigned bit)
{
    static const struct {
        unsigned first, bits;
    } at[CTS_F_COUNT] = {
        [CTS_F_DST] = {8, 4},   [CTS_F_SRC] = {12, 4},       [CTS_F_OFF] = {16, 16},
        [CTS_F_IMM] = {32, 32}, [CTS_F_NEXT_IMM] = {96, 32},
    };
    if (bit >= SLOT_BITS && !(row->flags & CTS_RF_WIDE))
        return false;
    for (unsigned f = 0; f < CTS_F_COUNT; f++)
        if (bit - at[f].first < at[f].bits)
            return row->field[f].kind == CTS_FK_FIXED;
    return bit >= SLOT_BITS; /* the rest of a second slot */
}

static enum cts_insn_id row_without(const uint8_t *code, uint32_t slots, unsigned bit)
{
    uint8_t bytes[16] = {0};
    struct cts_insn in;
    enum cts_insn_id row;
    memcpy(bytes, code, slots > 1 ? 16 : 8);
    if (bit < INSN_BITS)
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1u << bit % 8);
    return cts_decode(bytes, slots > 2 ? 2 : slots, false, &in, &row, NULL) > 0 ? row
                                                                                : CTS_INSN_COUNT;
}

/* Marks the bits whose inversion alone keeps an instruction of this program from being one. */
static void mark_unit(const struct fixture *f, const struct cts_pk_unit *u,
                      bool tried[CTS_INSN_COUNT][INSN_BITS])
{
    for (uint32_t at = 0; at < u->slots; at++) {
        const uint8_t *code = f->pack.code + u->code + (size_t)at * 8;
        if (row_without(code, u->slots - at, INSN_BITS) != CTS_INSN_COUNT)
            continue;
        for (unsigned bit = FIRST_FIELD_BIT; bit < INSN_BITS; bit++) {
            enum cts_insn_id row = row_without(code, u->slots - at, bit);
            if (row != CTS_INSN_COUNT && is_fixed(cts_insn_info(row), bit))
                tried[row][bit] = true;
        }
    }
}

/* The plainest instruction of the row with the bit inverted is one, too: not a mistake. */
static bool is_another(enum cts_insn_id row, unsigned bit)
{
    uint8_t bytes[16] = {0};
    const struct cts_insn plain = {0};
    int n = cts_encode(row, &plain, false, bytes, NULL);
    assert_true(n > 0);
    return row_without(bytes, (uint32_t)n, bit) != CTS_INSN_COUNT;
}

static void the_suite_tries_every_fixed_bit(void **state)
{
    static bool tried[CTS_INSN_COUNT][INSN_BITS];
    struct fixture f;
    const char *path = CTS_SOURCE_DIR "/vectors/verifier";
    struct cts_build_opts opts = {
        .paths = &path, .path_count = 1, .no_cache = true, .on_error = on_error, .arg = &f};
    unsigned missing = 0;
    (void)state;
    start(&f);
    assert_int_equal(cts_build(&opts, &f.pack, &f.stats, &f.err), 0);
    for (uint32_t i = 0; i < f.pack.unit_count; i++) {
        const struct cts_pk_unit *u = &f.pack.units[i];
        if (outcome(&f, u, 0, 0)->kind == CTS_OUT_REJECTED)
            mark_unit(&f, u, tried);
    }
    for (unsigned r = 0; r < CTS_INSN_COUNT; r++) {
        const struct cts_insn_info *row = cts_insn_info((enum cts_insn_id)r);
        for (unsigned bit = FIRST_FIELD_BIT; bit < INSN_BITS; bit++) {
            if (row->flags & CTS_RF_SLOT || strcmp(row->origin, "rfc") != 0 ||
                !is_fixed(row, bit) || tried[r][bit] || is_another((enum cts_insn_id)r, bit))
                continue;
            print_error("%s: bit %u is not tried\n", row->id, bit);
            missing++;
        }
    }
    assert_int_equal(missing, 0);
    done(&f);
}

static int need_llvm_mc(void **state)
{
    struct cts_asm_tool tool;
    struct cts_err err = {0};
    (void)state;
    if (cts_asm_find(&tool, &err) == 0)
        return 0;
    print_message("without llvm-mc nothing can be built: %s\n", err.msg);
    exit(77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_take_every_register),
        cmocka_unit_test(threads_and_repeat_are_written),
        cmocka_unit_test(a_vector_is_there_from_its_level_on),
        cmocka_unit_test(roles_keep_off_registers_that_are_named),
        cmocka_unit_test(aliased_roles_share),
        cmocka_unit_test(impossible_bindings_are_told),
        cmocka_unit_test(constants_and_masks_are_checked_behind_the_body),
        cmocka_unit_test(a_wrong_expectation_leaves_the_mark),
        cmocka_unit_test(only_straight_plain_cases_have_variants),
        cmocka_unit_test(outputs_are_computed),
        cmocka_unit_test(what_cannot_be_computed_is_refused),
        cmocka_unit_test(immediates_have_units_of_their_own),
        cmocka_unit_test(subprograms_stand_behind_the_body),
        cmocka_unit_test(pieces_are_encoded),
        cmocka_unit_test(both_byte_orders_have_their_image),
        cmocka_unit_test(observed_stacks_run_with_both_spills),
        cmocka_unit_test(verdicts_are_whole_programs),
        cmocka_unit_test(flipped_bits_are_programs_of_their_own),
        cmocka_unit_test(data_files_are_vectors),
        cmocka_unit_test(objects_of_the_platform_are_kept),
        cmocka_unit_test(bad_programs_have_their_place),
        cmocka_unit_test(no_case_is_left_without_a_unit),
        cmocka_unit_test(what_is_missing_is_an_error),
        cmocka_unit_test(the_same_files_give_the_same_bytes),
        cmocka_unit_test(the_suite_itself_is_without_fault),
        cmocka_unit_test(the_suite_tries_every_fixed_bit),
    };
    return cmocka_run_group_tests(tests, need_llvm_mc, NULL);
}
