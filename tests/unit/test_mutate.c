/* uses: base host sema load isa pack wire result core mutate */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/fs.h"
#include "mutate/eval.h"
#include "mutate/facts.h"
#include "mutate/loader.h"
#include "mutate/model.h"
#include "mutate/mutate.h"
#include "mutate/smt.h"
#include "sema/sema.h"

enum { TRIALS = 200, MEM = 64 };

static const uint64_t mem_base = 0x10000;

struct fixture {
    struct cts_spec spec;
    struct cts_arena arena;
    struct cts_mut_list list;
    char z3[4096]; /* "": none */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct cts_err err = {0};
    assert_non_null(f);
    cts_spec_init(&f->spec);
    cts_arena_init(&f->arena, 0);
    assert_int_equal(cts_spec_load(&f->spec, CTS_SOURCE_DIR "/spec", &err), 0);
    assert_int_equal(cts_mutants_make(&f->list, &f->spec, NULL, &f->arena, &err), 0);
    if (cts_fs_find_program("z3", f->z3, sizeof(f->z3)) != 0)
        f->z3[0] = '\0';
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    cts_spec_release(&f->spec);
    cts_arena_release(&f->arena);
    free(f);
    return 0;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Random bits, or one of the values at the edges. */
static uint64_t operand(uint64_t *seed)
{
    static const uint64_t edge[] = {0, 1, 31, 32, 63, 64, INT32_MAX, 0x80000000u, UINT64_MAX};
    uint64_t v = next_random(seed);
    return v % 3 ? v * 0x9e3779b97f4a7c15u : edge[v / 3 % (sizeof(edge) / sizeof(edge[0]))];
}

static void prepare(struct cts_mach *m, const struct cts_mach_insn *prog, uint8_t *mem)
{
    cts_mach_init(m);
    cts_mach_map(m, mem_base, mem, MEM, true);
    m->prog = prog;
    m->prog_slots = 8;
    m->pc = 4;
}

/* A random instruction of the row; half of the bases point into memory. */
static struct cts_insn random_insn(const struct cts_insn_info *info, uint64_t *seed)
{
    struct cts_insn in = {.opcode = info->opcode};
    bool reg_dst = info->field[CTS_F_DST].kind == CTS_FK_REG;
    bool reg_src = info->field[CTS_F_SRC].kind == CTS_FK_REG;
    in.dst = reg_dst ? (uint8_t)(next_random(seed) % 10) : (uint8_t)info->field[CTS_F_DST].value;
    in.src = reg_src ? (uint8_t)(next_random(seed) % 10) : (uint8_t)info->field[CTS_F_SRC].value;
    in.off = info->field[CTS_F_OFF].kind == CTS_FK_ANY ? (int16_t)(next_random(seed) % 8 - 4)
                                                       : (int16_t)info->field[CTS_F_OFF].value;
    in.imm = info->field[CTS_F_IMM].kind == CTS_FK_ANY ? (int32_t)operand(seed)
                                                       : info->field[CTS_F_IMM].value;
    in.next_imm = (int32_t)operand(seed);
    return in;
}

static void compare_once(const struct cts_spec_insn *row, enum cts_insn_id id, uint64_t *seed)
{
    static const struct cts_mach_insn prog[8]; /* eight places to jump to */
    static struct cts_mach a, b;
    uint8_t mem_a[MEM], mem_b[MEM];
    struct cts_insn in = random_insn(cts_insn_info(id), seed);
    prepare(&a, prog, mem_a);
    prepare(&b, prog, mem_b);
    for (unsigned i = 0; i < MEM; i++)
        mem_a[i] = mem_b[i] = (uint8_t)next_random(seed);
    for (unsigned i = 0; i < 10; i++)
        a.r[i] = b.r[i] = i % 2 ? mem_base + next_random(seed) % MEM : operand(seed);
    a.be = b.be = next_random(seed) & 1;
    cts_exec_table[id](&a, &in);
    cts_eval(row->sema, &b, &in);
    assert_memory_equal(a.r, b.r, sizeof(a.r));
    assert_memory_equal(mem_a, mem_b, MEM);
    assert_int_equal(a.pc, b.pc);
    assert_int_equal(a.stop, b.stop);
    assert_int_equal(a.depth, b.depth);
}

/* The trees do what the generated functions do. */
static void test_eval(void **state)
{
    struct fixture *f = *state;
    uint64_t seed = 1;
    for (size_t i = 0; i < f->spec.row_count; i++) {
        const struct cts_spec_insn *row = &f->spec.rows[i];
        enum cts_insn_id id = cts_insn_find(row->id);
        for (unsigned t = 0; !row->slot && row->origin == CTS_ORIGIN_RFC && t < TRIALS; t++)
            compare_once(row, id, &seed);
    }
}

static const struct cts_mutant *find(const struct fixture *f, const char *row, const char *text)
{
    enum cts_insn_id id = cts_insn_find(row);
    for (size_t i = 0; i < f->list.count; i++)
        if (f->list.all[i].row == id && !f->list.all[i].control &&
            strcmp(f->list.all[i].text, text) == 0)
            return &f->list.all[i];
    return NULL;
}

/* Mistakes that runtimes have made are among them. */
static void test_there(void **state)
{
    static const char *const known[][2] = {
        {"add64_k", "dst = dst + u64(u32(imm))"},
        {"add32_x", "dst = dst + src"},
        {"arsh32_x", "dst = u64(s32(dst) >> (u32(src) & 31))"},
        {"lsh64_x", "dst = dst << src"},
        {"lsh64_x", "dst = dst << (src & 31)"},
        {"mov32_x", "dst = src"},
        {"movsx64_s8", "dst = u64(u8(src))"},
        {"sub64_x", "dst = src - dst"},
        {"jgt_x", "if (dst >= src) goto s64(off)"},
        {"jslt32_x", "if (u32(dst) < u32(src)) goto s64(off)"},
        {"jset_k", "if ((dst & u64(u32(imm))) != 0) goto s64(off)"},
        {"ja32", "goto s64(s16(imm))"},
        {"ldx_h", "dst = u64(mem16[src + u64(u16(off))])"},
        {"ldxsx_w", "dst = u64(mem32[src + u64(off)])"},
        {"stx_b", "mem16[dst + u64(off)] = u16(src)"},
        {"le16", "dst = u64(be16(u16(dst)))"},
        {"div64_x", "dst = dst / src"},
        {"sub64_x", "wrong where dst and src are one register"},
        {"stx_w", "the byte behind is changed"},
        {"exit", "r9 is not restored"},
        {"neg64", "any src is accepted"},
        {"lddw", "the highest bit of dst is lost"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (!find(f, known[i][0], known[i][1]))
            fail_msg("%s has no mutant '%s'", known[i][0], known[i][1]);
}

/* Each is another text than its row's, there is no other with its text, and it reads as it is
 * printed. */
static void test_texts(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < f->list.count; i++) {
        const struct cts_mutant *m = &f->list.all[i];
        if (m->control || !m->sema)
            continue;
        struct cts_buf b;
        cts_buf_init(&b, 0);
        cts_sema_print(m->sema, &b);
        assert_string_equal(cts_buf_text(&b), m->text);
        cts_buf_release(&b);
        assert_ptr_equal(find(f, cts_insn_info(m->row)->id, m->text), m);
    }
    assert_true(f->list.count > 10000);
}

static enum cts_smt_answer ask(struct fixture *f, const char *row, const char *text, char *input)
{
    struct cts_sema_place place = {.file = "test", .line = 1, .col = 1, .next_col = 1};
    struct cts_smt_query q = {.row = cts_spec_insn_find(&f->spec, row)};
    struct cts_sema *other;
    struct cts_err err = {0};
    assert_int_equal(cts_sema_read(text, &place, CTS_SEMA_RELAXED, &f->arena, &other, &err), 0);
    q.other = other;
    cts_smt_ask(f->z3, -1, &q, 1, 3000000);
    if (input)
        snprintf(input, 256, "%s", cts_buf_text(&q.input));
    cts_buf_release(&q.input);
    return q.answer;
}

static void test_smt(void **state)
{
    static const struct {
        const char *row, *text;
        enum cts_smt_answer answer;
    } cases[] = {
        {"add32_x", "dst = u64(u32(dst + src))", CTS_SMT_SAME},
        {"add32_x", "dst = dst + src", CTS_SMT_DIFFERENT},
        {"div64_x", "dst = dst == 0 ? dst : (src == 0 ? 0 : dst / src)", CTS_SMT_SAME},
        {"div64_x", "dst = dst / src", CTS_SMT_DIFFERENT},
        {"mul64_x", "dst = src * dst", CTS_SMT_UNKNOWN}, /* too hard, and no matter */
        {"le16", "dst = u64(u16(dst))", CTS_SMT_DIFFERENT},
        {"jeq_x", "if (src == dst) goto s64(off)", CTS_SMT_SAME},
        {"jeq_x", "if (dst == src) goto s64(off) + 1", CTS_SMT_DIFFERENT},
        {"stx_w", "mem32[dst + u64(off)] = u32(s32(src))", CTS_SMT_SAME},
        {"stx_w", "mem64[dst + u64(off)] = src", CTS_SMT_DIFFERENT},
        {"ldx_w", "dst = u64(mem32[src + u64(u16(off))])", CTS_SMT_DIFFERENT},
        /* Only where r0 is src as well. */
        {"mov64_x", "dst = src; r0 = r0", CTS_SMT_SAME},
        {"sub64_x", "dst = dst - src; src = dst - dst", CTS_SMT_DIFFERENT},
    };
    struct fixture *f = *state;
    if (!f->z3[0])
        skip();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum cts_smt_answer a = ask(f, cases[i].row, cases[i].text, NULL);
        if (a != cases[i].answer && cases[i].answer != CTS_SMT_UNKNOWN)
            fail_msg("%s: %s: answer %d", cases[i].row, cases[i].text, (int)a);
    }
}

static void test_smt_input(void **state)
{
    struct fixture *f = *state;
    char input[256];
    if (!f->z3[0])
        skip();
    assert_int_equal(ask(f, "add64_k", "dst = imm == 7 ? 0 : dst + u64(imm)", input),
                     CTS_SMT_DIFFERENT);
    assert_non_null(strstr(input, "imm=0x7"));
}

static uint64_t run_wrong(const struct cts_mutant *m, struct cts_insn in, uint64_t dst,
                          uint64_t src)
{
    static const struct cts_mach_insn prog[8];
    static struct cts_mut_table table;
    static struct cts_mach mach;
    uint8_t mem[MEM] = {0};
    assert_non_null(m);
    cts_mut_table_set(&table, m);
    prepare(&mach, prog, mem);
    mach.exec = table.exec;
    mach.r[in.dst] = dst;
    mach.r[in.src] = in.src == in.dst ? dst : src;
    mach.exec[m->row](&mach, &in);
    return mach.r[in.dst];
}

/* Faults of the machine show where they should, and only there. */
static void test_model(void **state)
{
    struct fixture *f = *state;
    const struct cts_mutant *alias = find(f, "sub64_x", "wrong where dst and src are one register");
    assert_int_equal(run_wrong(alias, (struct cts_insn){.dst = 3, .src = 4}, 9, 2), 7);
    assert_int_equal(run_wrong(alias, (struct cts_insn){.dst = 3, .src = 3}, 9, 0), 1);
    const struct cts_mutant *reg = find(f, "sub64_x", "wrong where src is r4");
    assert_int_equal(run_wrong(reg, (struct cts_insn){.dst = 3, .src = 4}, 9, 2), 6);
    assert_int_equal(run_wrong(reg, (struct cts_insn){.dst = 4, .src = 3}, 9, 2), 7);
    const struct cts_mutant *does = find(f, "sub64_x", "dst = src - dst");
    assert_int_equal(run_wrong(does, (struct cts_insn){.dst = 3, .src = 4}, 9, 2), (uint64_t)-7);
}

static enum cts_mut_decoded decode(const struct cts_mutant *m, const uint8_t *bytes, size_t n,
                                   uint8_t *out)
{
    struct cts_buf code;
    assert_non_null(m);
    cts_buf_init(&code, 0);
    cts_buf_add(&code, bytes, n);
    enum cts_mut_decoded seen = m->model->decode(m, &code);
    memcpy(out, code.data, code.len < 32 ? code.len : 32);
    cts_buf_release(&code);
    return seen;
}

static void test_decoders(void **state)
{
    static const uint8_t neg_src[] = {0x87, 0x20, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t neg[] = {0x87, 0x00, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t mov[] = {0xb7, 0x00, 0, 0, 0, 0, 0, 0};
    struct fixture *f = *state;
    uint8_t out[32];
    const struct cts_mutant *m = find(f, "neg64", "any src is accepted");
    assert_int_equal(decode(m, neg_src, sizeof(neg_src), out), CTS_DECODED_CHANGED);
    assert_memory_equal(out, neg, sizeof(neg));
    assert_int_equal(decode(m, neg, sizeof(neg), out), CTS_DECODED_SAME);
    m = find(f, "neg64", "the instruction is refused");
    assert_int_equal(decode(m, neg, sizeof(neg), out), CTS_DECODED_REJECTED);
    assert_int_equal(decode(m, mov, sizeof(mov), out), CTS_DECODED_SAME);
    for (size_t i = 0; i < f->list.count; i++)
        if (strcmp(f->list.all[i].text, "a program without an end is accepted") == 0)
            m = &f->list.all[i];
    assert_int_equal(decode(m, mov, sizeof(mov), out), CTS_DECODED_CHANGED);
    assert_int_equal(out[8], 0x95);
    assert_int_equal(decode(m, neg, sizeof(neg), out), CTS_DECODED_SAME);
}

static void test_score(void **state)
{
    struct cts_mutant m[] = {
        {.op = "a", .status = CTS_MUT_KILLED, .killed = 0, .killed_hand = CTS_MUT_NEVER},
        {.op = "a", .status = CTS_MUT_KILLED, .killed = 1, .killed_hand = 1, .level = 1},
        {.op = "b",
         .status = CTS_MUT_SURVIVED,
         .killed = CTS_MUT_NEVER,
         .killed_hand = CTS_MUT_NEVER},
        {.op = "b",
         .status = CTS_MUT_PROVEN,
         .killed = CTS_MUT_NEVER,
         .killed_hand = CTS_MUT_NEVER},
        {.op = "control", .control = true, .status = CTS_MUT_SURVIVED},
    };
    struct cts_mut_list list = {.all = m, .count = 5};
    struct cts_mut_score s = cts_mutants_score(&list, CTS_INSN_COUNT, NULL, CTS_LEVEL_QUICK);
    (void)state;
    assert_int_equal(s.generated, 4);
    assert_int_equal(s.equivalent, 1);
    assert_int_equal(s.due, 2);
    assert_int_equal(s.killed, 1);
    assert_int_equal(s.hand, 0);
    assert_int_equal(s.all, 3);
    assert_int_equal(s.dead, 1);
    s = cts_mutants_score(&list, CTS_INSN_COUNT, NULL, CTS_LEVEL_FULL);
    assert_int_equal(s.due, 3);
    assert_int_equal(s.killed, 2);
    assert_int_equal(s.hand, 1);
    s = cts_mutants_score(&list, CTS_INSN_COUNT, "b", CTS_LEVEL_FULL);
    assert_int_equal(s.generated, 2);
    assert_int_equal(s.killed, 0);
}

/* {b} = {a}; if {a} != 1 goto +4; {a} += {a}; if {b} == 1 goto +1; r5 = 9; r0 = 0 */
static const struct cts_insn copied[] = {
    {.opcode = 0xbf, .dst = 4, .src = 3}, {.opcode = 0x55, .dst = 3, .off = 3, .imm = 1},
    {.opcode = 0x0f, .dst = 3, .src = 3}, {.opcode = 0x15, .dst = 4, .off = 1, .imm = 1},
    {.opcode = 0xb7, .dst = 5, .imm = 9}, {.opcode = 0xb7, .dst = 0, .imm = 0},
};

static struct cts_insn optimised(enum cts_loader_flaw flaw, uint32_t at, bool *changed)
{
    struct cts_insn in;
    struct cts_buf code;
    cts_buf_init(&code, 0);
    for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++) {
        uint8_t slot[8];
        cts_slot_put(slot, false, &copied[i]);
        cts_buf_add(&code, slot, sizeof(slot));
    }
    *changed = cts_loader_optimise(flaw, CTS_INSN_ADD64_X, &code);
    cts_slot_get((const uint8_t *)code.data + (size_t)at * 8, false, &in);
    cts_buf_release(&code);
    return in;
}

static void a_loader_decides_branches_by_what_it_knows(void **state)
{
    bool changed;
    (void)state;
    struct cts_insn in = optimised(CTS_LF_NONE, 3, &changed);
    assert_true(changed); /* {b} is 1: it always jumps */
    assert_int_equal(in.opcode, 0x05);
    assert_int_equal(in.off, 1);
    assert_int_equal(optimised(CTS_LF_NONE, 1, &changed).opcode, 0x55);
    in = optimised(CTS_LF_CHANGES_BOTH, 3, &changed);
    assert_true(changed); /* it is taken for 2: it never does */
    assert_int_equal(in.opcode, 0x05);
    assert_int_equal(in.off, 0);
}

/* Nothing that fits the operands may lead to something that does not fit the result. */
static void facts_are_sound(void **state)
{
    uint64_t seed = 0x5eed;
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t x = next_random(&seed) >> (next_random(&seed) % 64), y = next_random(&seed) % 32;
        uint64_t z = next_random(&seed) >> (next_random(&seed) % 64);
        struct cts_fact a = cts_fact_range(x - x / 3, x | 0xff), b = cts_fact_range(z / 2, z);
        uint64_t v = a.lo + (a.hi == a.lo ? 0 : next_random(&seed) % (a.hi - a.lo));
        uint64_t w = b.lo + (b.hi == b.lo ? 0 : next_random(&seed) % (b.hi - b.lo));
        const struct {
            struct cts_fact f;
            uint64_t v;
        } results[] = {
            {cts_fact_add(&a, &b), v + w},
            {cts_fact_sub(&a, &b), v - w},
            {cts_fact_and(&a, &b), v & w},
            {cts_fact_or(&a, &b), v | w},
            {cts_fact_xor(&a, &b), v ^ w},
            {cts_fact_mul(&a, &b), v * w},
            {cts_fact_low(&a), (uint32_t)v},
            {cts_fact_lsh(&a, (unsigned)y), v << y},
            {cts_fact_rsh(&a, (unsigned)y), v >> y},
            {cts_fact_arsh(&a, (unsigned)y), (uint64_t)((int64_t)v >> y)},
            {cts_fact_div(&a, y + 1), v / (y + 1)},
            {cts_fact_mod(&a, y + 1), v % (y + 1)},
        };
        for (size_t k = 0; k < sizeof(results) / sizeof(results[0]); k++) {
            struct cts_fact one = cts_fact_const(results[k].v);
            if (!cts_fact_holds(&results[k].f, &one))
                fail_msg("operation %zu of 0x%llx and 0x%llx", k, (unsigned long long)v,
                         (unsigned long long)w);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loader_decides_branches_by_what_it_knows),
        cmocka_unit_test(facts_are_sound),
        cmocka_unit_test(test_eval),
        cmocka_unit_test(test_there),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_smt),
        cmocka_unit_test(test_smt_input),
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_decoders),
        cmocka_unit_test(test_score),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
