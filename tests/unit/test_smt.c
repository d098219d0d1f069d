/* uses: base host sema load isa spec_smt */
/* ctest: cost=20 asan-cost=21 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "host/fs.h"
#include "host/proc.h"
#include "isa/mach.h"
#include "sema/sema.h"
#include "spec_smt/smt.h"

#define SPEC_DIR CTS_SOURCE_DIR "/spec"

/* --- the text ------------------------------------------------------------------------------------
 */

static void load_spec(struct cts_spec *spec)
{
    struct cts_err err = {0};

    cts_spec_init(spec);
    if (cts_spec_load(spec, SPEC_DIR, &err))
        fail_msg("%s:%u: %s", err.file, err.line, err.msg);
}

static size_t instructions(const struct cts_spec *spec)
{
    size_t n = 0;

    for (size_t i = 0; i < spec->row_count; i++)
        n += spec->rows[i].sema != NULL;
    return n;
}

static bool has_z3(void)
{
    char path[4096];

    if (cts_fs_find_program("z3", path, sizeof(path)) == 0)
        return true;
    print_message("no z3 (apt-get install z3)\n");
    return false;
}

static void test_script(void **state)
{
    static const char *const ids[] = {"jslt32_k", "lddw_map_fd"};
    struct cts_spec spec;
    struct cts_buf out;
    struct cts_err err = {0};

    (void)state;
    load_spec(&spec);
    cts_buf_init(&out, 0);
    assert_int_equal(cts_smt_script(&spec, ids, 2, &out, &err), 0);
    assert_non_null(strstr(out.data, "(define-fun jslt32_k.taken ((dst (_ BitVec 64)) "
                                     "(imm (_ BitVec 32))) Bool\n"
                                     "  (bvslt ((_ extract 31 0) dst) imm))"));
    assert_non_null(strstr(out.data, "(declare-fun map_by_fd ("));
    assert_null(strstr(out.data, "(declare-fun map_by_idx ("));
    assert_null(strstr(out.data, "jslt32_k.dst "));
    cts_buf_clear(&out);
    static const char *const unknown[] = {"add65_k"};
    assert_int_equal(cts_smt_script(&spec, unknown, 1, &out, &err), CTS_E_NOTFOUND);
    cts_buf_release(&out);
    cts_spec_release(&spec);
}

/* Every row's formulas are in the script, and z3 has nothing to say against them. */
static void test_script_is_accepted(void **state)
{
    static const char *const argv[] = {"z3", "-in", "-smt2", NULL};
    struct cts_spec spec;
    struct cts_buf script, answer, noise;
    struct cts_err err = {0};
    size_t functions = 0;
    int status;

    (void)state;
    if (!has_z3())
        skip();
    load_spec(&spec);
    cts_buf_init(&script, 0);
    cts_buf_init(&answer, 0);
    cts_buf_init(&noise, 0);
    assert_int_equal(cts_smt_script(&spec, NULL, 0, &script, &err), 0);
    for (const char *p = script.data; (p = strstr(p, "\n(define-fun ")); p++)
        functions++;
    assert_true(functions >= instructions(&spec));
    assert_int_equal(cts_proc_run(argv, script.data, script.len, &answer, &noise, 0, &status, &err),
                     0);
    assert_string_equal(cts_buf_text(&answer), "");
    assert_int_equal(status, 0);
    print_message("%zu rows, %zu functions\n", instructions(&spec), functions);
    cts_buf_release(&script);
    cts_buf_release(&answer);
    cts_buf_release(&noise);
    cts_spec_release(&spec);
}

/* --- the laws ------------------------------------------------------------------------------------
 */

static int write_laws(const char *dir, const char *text)
{
    char path[4200];

    snprintf(path, sizeof(path), "%s/laws.yaml", dir);
    return cts_fs_write_atomic(path, text, strlen(text), NULL);
}

#define LAW(id, holds, expected)                                                                   \
    "- id: " id "\n  says: \"-\"\n  for: {x: u64, y: u64}\n  holds: \"" holds                      \
    "\"\n  expected: " expected "\n"

static const struct {
    const char *text;
    int code;
    unsigned line;
    const char *message;
} refused[] = {
    {"- id: a\n", CTS_E_SCHEMA, 1, "missing"},
    {LAW("a", "(= (add64_x.dst x y) x", "valid"), CTS_E_SCHEMA, 4, "')' is missing"},
    {LAW("a", "(= (add64_x.dst x y) x)) (exit", "valid"), CTS_E_SCHEMA, 4, "more than one term"},
    {LAW("a", "(= (add64_x.dst x y) x) (exit)", "valid"), CTS_E_SCHEMA, 4, "more than one term"},
    {LAW("a", "(= (add65_x.dst x y) x)", "valid"), CTS_E_SCHEMA, 4, "function of no row"},
    {LAW("a", "(= x y)", "valid"), CTS_E_SCHEMA, 1, "about no row"},
    {LAW("a", "(= (add64_x.dst {z} y) x)", "valid"), CTS_E_SCHEMA, 4, "nothing stands for"},
    {LAW("a", "(= (add64_x.dst x y) x)", "maybe"), CTS_E_SCHEMA, 5, "none of"},
    {LAW("A", "(= (add64_x.dst x y) x)", "valid"), CTS_E_SCHEMA, 1, "make an id"},
    {LAW("a", "(= (add64_x.dst x y) x)", "valid") LAW("a", "(= (add64_x.dst x y) x)", "valid"),
     CTS_E_SCHEMA, 6, "two laws"},
};

static void test_laws_refused(void **state)
{
    struct cts_spec spec;
    char dir[4096];

    (void)state;
    load_spec(&spec);
    assert_int_equal(cts_fs_temp_dir(dir, sizeof(dir), NULL), 0);
    for (size_t i = 0; i < CTS_ARRAY_LEN(refused); i++) {
        char path[4200];
        struct cts_laws laws;
        struct cts_err err = {0};
        snprintf(path, sizeof(path), "%s/laws.yaml", dir);
        assert_int_equal(write_laws(dir, refused[i].text), 0);
        cts_laws_init(&laws);
        assert_int_equal(cts_laws_load(&laws, &spec, path, &err), refused[i].code);
        if (!strstr(err.msg, refused[i].message) || err.line != refused[i].line)
            fail_msg("%zu: line %u: %s", i, err.line, err.msg);
        cts_laws_release(&laws);
    }
    cts_fs_remove_tree(dir);
    cts_spec_release(&spec);
}

/* What the solver must notice: each is told as a failure, with its reason. */
static const struct {
    const char *text, *message;
} failing[] = {
    {LAW("odd", "(= (sub64_x.dst x y) (sub64_x.dst y x))", "valid"), "# it does not hold"},
    {LAW("odd", "(= (sub64_x.dst x y) (sub64_x.dst y x))", "valid"), "# counterexample: ((x #x"},
    {LAW("odd", "(= (add64_x.dst x y) (add64_x.dst y x))", "counterexample"), "# it holds, though"},
    {LAW("odd", "(= (add64_x.dst x z) x)", "counterexample"), "# the solver does not understand"},
    {LAW("odd", "(= (add64_x.dst x y) x)\"\n  given: \"(bvult x x)", "valid"),
     "# what is given never holds"},
};

static void test_laws_fail(void **state)
{
    struct cts_spec spec;
    char dir[4096];

    (void)state;
    if (!has_z3())
        skip();
    load_spec(&spec);
    assert_int_equal(cts_fs_temp_dir(dir, sizeof(dir), NULL), 0);
    for (size_t i = 0; i < CTS_ARRAY_LEN(failing); i++) {
        const struct cts_laws_options options = {.filter = "odd"};
        struct cts_laws_result result;
        struct cts_buf out;
        struct cts_err err = {0};
        cts_buf_init(&out, 0);
        assert_int_equal(write_laws(dir, failing[i].text), 0);
        assert_int_equal(cts_laws_run(&spec, dir, &options, &result, &out, &err), 0);
        assert_int_equal(result.checked, 1);
        if (result.failed != 1 || !strstr(out.data, "not ok 1 - odd") ||
            !strstr(out.data, failing[i].message))
            fail_msg("%zu: %s", i, out.data);
        cts_buf_release(&out);
    }
    cts_fs_remove_tree(dir);
    cts_spec_release(&spec);
}

#define HARD                                                                                       \
    "(= (mul64_x.dst x (mul64_x.dst y y)) (mul64_x.dst (mul64_x.dst y x) (add64_x.dst y "          \
    "(mod64_x.dst x (div64_x.dst y x)))))\"\n  given: \"(bvult x (div64_x.dst (mul64_x.dst x y) "  \
    "(mod64_x.dst y x)))"

/* What the solver does not decide in its steps, or in its CPU time, is neither wrong nor right; and
 * the others are decided all the same. */
static void test_laws_undecided(void **state)
{
    static const char easy[] = LAW("odd-easy", "(= (add64_x.dst x y) (add64_x.dst y x))", "valid");
    static const struct {
        const char *text, *line;
        struct cts_laws_options options;
        size_t open;
    } cases[] = {
        {LAW("odd", HARD, "valid"), "not ok 1 - odd ", {.filter = "odd", .steps = 100000}, 1},
        {LAW("odd", HARD, "valid"), "not ok 1 - odd ", {.filter = "odd", .cpu_ms = 200}, 1},
        {LAW("odd", HARD, "valid\n  may be unknown: it is hard"),
         "# SKIP undecided: it is hard\n",
         {.filter = "odd", .steps = 100000},
         0},
    };
    struct cts_spec spec;
    char dir[4096], text[4096];

    (void)state;
    if (!has_z3())
        skip();
    load_spec(&spec);
    assert_int_equal(cts_fs_temp_dir(dir, sizeof(dir), NULL), 0);
    for (size_t i = 0; i < CTS_ARRAY_LEN(cases); i++) {
        struct cts_laws_result result;
        struct cts_buf out;
        struct cts_err err = {0};
        cts_buf_init(&out, 0);
        snprintf(text, sizeof(text), "%s%s", cases[i].text, easy);
        assert_int_equal(write_laws(dir, text), 0);
        assert_int_equal(cts_laws_run(&spec, dir, &cases[i].options, &result, &out, &err), 0);
        if (result.failed != 0 || result.undecided != 1 || result.open != cases[i].open ||
            result.passed != 1 || !strstr(out.data, cases[i].line) ||
            !strstr(out.data, "ok 2 - odd-easy") || !strstr(out.data, " undecided 1, failed 0"))
            fail_msg("%zu: %s", i, out.data);
        assert_int_equal(strstr(out.data, " # TODO undecided: ") != NULL, cases[i].open);
        cts_buf_release(&out);
    }
    cts_fs_remove_tree(dir);
    cts_spec_release(&spec);
}

static void test_laws_without_solver(void **state)
{
    const struct cts_laws_options options = {.z3 = "no-such-solver"};
    struct cts_laws_result result;
    struct cts_spec spec;
    struct cts_buf out;
    struct cts_err err = {0};

    (void)state;
    load_spec(&spec);
    cts_buf_init(&out, 0);
    assert_int_equal(cts_laws_run(&spec, SPEC_DIR, &options, &result, &out, &err), 0);
    assert_true(result.skipped);
    assert_int_equal(result.checked, 0);
    assert_non_null(strstr(out.data, "1..0 # SKIP no z3 (apt-get install z3)"));
    cts_buf_release(&out);
    cts_spec_release(&spec);
}

/* The generated laws see what is wrong with a row: some texts that only look right. */
static const struct {
    const char *row, *does, *law;
} wrong[] = {
    {"lsh64_x", "dst = dst << src", "total-lsh64_x"},
    {"div64_x", "dst = dst / src", "total-div64_x"},
    {"add64_k", "dst = dst + u64(u32(imm))", "k-is-x-add64_k-dst"},
    {"add32_x", "dst = dst + src", "upper-zero-add32_x"},
    {"jlt32_x", "if (dst < u64(u32(src))) goto s64(off)", "low-halves-jlt32_x-taken"},
    {"jlt_x", "if (dst < src) goto s64(off) + 1", "target-jlt_x"},
    {"ldx_w", "dst = u64(mem32[src + u64(off)]); mem8[dst] = 0", "changes-ldx_w"},
    {"stx_h", "mem16[dst + u64(off)] = u16(src); mem8[dst + u64(off) + 2] = 0",
     "touches-only-stx_h"},
    {"sub64_x", "dst = dst + 1; dst = dst - src", "alias-sub64_x-dst=src-dst"},
};

static void test_generated_laws_can_fail(void **state)
{
    size_t seen = 0;

    (void)state;
    if (!has_z3())
        skip();
    for (size_t i = 0; i < CTS_ARRAY_LEN(wrong); i++) {
        const struct cts_laws_options options = {.filter = wrong[i].law};
        const struct cts_sema_place place = {"test", 1, 1, 1};
        struct cts_spec spec;
        struct cts_laws_result result;
        struct cts_buf out;
        struct cts_err err = {0};
        load_spec(&spec);
        cts_buf_init(&out, 0);
        for (size_t r = 0; r < spec.row_count; r++) {
            if (strcmp(spec.rows[r].id, wrong[i].row) != 0)
                continue;
            assert_int_equal(cts_sema_read(wrong[i].does, &place, CTS_SEMA_RELAXED, &spec.arena,
                                           &spec.rows[r].sema, &err),
                             0);
            seen++;
        }
        assert_int_equal(cts_laws_run(&spec, SPEC_DIR, &options, &result, &out, &err), 0);
        assert_true(result.checked >= 1);
        if (result.failed < 1)
            fail_msg("%s: %s", wrong[i].does, out.data);
        cts_buf_release(&out);
        cts_spec_release(&spec);
    }
    assert_int_equal(seen, CTS_ARRAY_LEN(wrong));
}

/* --- formulas against the generated C -----------------------------------------------------------
 */

enum { SLOTS = 1 << 17, PC = 1 << 16 };

static uint64_t asked(enum cts_sema_func func, uint64_t v)
{
    return v ^ cts_smt_platform_key(func);
}

#define ASK(name, type, func)                                                                      \
    static uint64_t name(struct cts_mach *m, type v)                                               \
    {                                                                                              \
        (void)m;                                                                                   \
        return asked(func, (uint64_t)(int64_t)v);                                                  \
    }

ASK(map_by_fd, int32_t, CTS_FN_MAP_BY_FD)
ASK(map_by_idx, int32_t, CTS_FN_MAP_BY_IDX)
ASK(map_val, uint64_t, CTS_FN_MAP_VAL)
ASK(var_addr, int32_t, CTS_FN_VAR_ADDR)
ASK(code_addr, int32_t, CTS_FN_CODE_ADDR)
ASK(arg_in, int16_t, CTS_FN_ARG_IN)
ASK(arg_out, int16_t, CTS_FN_ARG_OUT)

static int64_t slots_to(struct cts_mach *m, uint64_t code)
{
    (void)m;
    return (int64_t)asked(CTS_FN_SLOTS_TO, code);
}

static uint64_t packet_load(struct cts_mach *m, uint64_t at, unsigned bytes)
{
    (void)m;
    switch (bytes) {
    case 1:
        return (uint8_t)asked(CTS_FN_PACKET8, at);
    case 2:
        return (uint16_t)asked(CTS_FN_PACKET16, at);
    default:
        return (uint32_t)asked(CTS_FN_PACKET32, at);
    }
}

static uint64_t called(const struct cts_mach *m, enum cts_sema_call kind, int32_t id)
{
    uint64_t v = (uint64_t)(int64_t)id ^ cts_smt_call_key(kind);

    for (unsigned r = 1; r <= 5; r++)
        v ^= m->r[r];
    return v;
}

static uint64_t helper(struct cts_mach *m, int32_t id)
{
    return called(m, CTS_CALL_HELPER, id);
}

static uint64_t btf_call(struct cts_mach *m, int32_t id)
{
    return called(m, CTS_CALL_BTF, id);
}

static const struct cts_mach_platform platform = {
    .helper = helper,
    .btf_call = btf_call,
    .map_by_fd = map_by_fd,
    .map_by_idx = map_by_idx,
    .map_val = map_val,
    .var_addr = var_addr,
    .code_addr = code_addr,
    .slots_to = slots_to,
    .arg_in = arg_in,
    .arg_out = arg_out,
    .packet_load = packet_load,
};

struct bench {
    struct cts_mach_insn *prog;
    size_t points, chosen, values, rows, unsupported;
};

/* Registers of a point: none of r1 to r5, which calls use. */
struct place {
    unsigned dst, src;
};

static struct place place_of(enum cts_smt_alias alias)
{
    static const struct place places[CTS_ALIAS_COUNT] = {
        [CTS_ALIAS_NONE] = {6, 8},   [CTS_ALIAS_DST_SRC] = {7, 7}, [CTS_ALIAS_DST_R0] = {0, 8},
        [CTS_ALIAS_SRC_R0] = {6, 0}, [CTS_ALIAS_ALL] = {0, 0},
    };
    return places[alias];
}

static void fill(struct cts_mach *m, const struct cts_smt_point *p, struct place at)
{
    for (unsigned r = 0; r < CTS_REG_COUNT; r++)
        m->r[r] = r >= 1 && r <= 5 ? cts_smt_point_arg(r) : UINT64_C(0x5151515151515151) * (r + 1);
    m->r[0] = p->in.r0;
    m->r[at.dst] = p->in.dst;
    m->r[at.src] = p->in.src;
}

static void differ(const struct cts_smt_point *p, const char *what, uint64_t c, uint64_t smt)
{
    fail_msg("%s %s %s: %s is 0x%llx in C, 0x%llx by the formula; dst 0x%llx src 0x%llx r0 0x%llx "
             "imm 0x%x next_imm 0x%x off 0x%x",
             p->row->id, cts_smt_alias_name(p->alias), p->be ? "be" : "le", what,
             (unsigned long long)c, (unsigned long long)smt, (unsigned long long)p->in.dst,
             (unsigned long long)p->in.src, (unsigned long long)p->in.r0, (unsigned)p->imm,
             (unsigned)p->next_imm, (unsigned)(uint16_t)p->off);
}

static void same(struct bench *b, const struct cts_smt_point *p, const char *what, uint64_t c,
                 uint64_t smt)
{
    b->values++;
    if (c != smt)
        differ(p, what, c, smt);
}

static void check_registers(struct bench *b, const struct cts_smt_point *p, struct place at,
                            const struct cts_mach *m)
{
    bool clobbers = cts_sema_uses(p->row->sema) & CTS_USES_CALL;
    bool local =
        p->row->sema->body->kind == CTS_S_CALL && p->row->sema->body->call == CTS_CALL_LOCAL;
    struct cts_mach want;

    fill(&want, p, at);
    want.r[0] = p->out.r0;
    want.r[at.dst] = p->out.dst;
    want.r[at.src] = p->out.src;
    if (clobbers && !local)
        cts_mach_clobber(&want);
    if (local)
        want.r[10] -= CTS_MACH_STACK_BYTES;
    for (unsigned r = 0; r < CTS_REG_COUNT; r++) {
        char name[8];
        snprintf(name, sizeof(name), "r%u", r);
        same(b, p, name, m->r[r], want.r[r]);
    }
}

static void check_flow(struct bench *b, const struct cts_smt_point *p, const struct cts_mach *m,
                       bool wide)
{
    uint64_t next = PC + 1u + wide;
    int64_t to = (int64_t)(next + (uint64_t)p->next);
    bool call = p->row->sema->body && p->row->sema->body->kind == CTS_S_CALL;

    same(b, p, "exits", m->stop == CTS_MACH_EXITED, p->exits);
    if (p->exits)
        return;
    /* The end is a target, but not a function. */
    if (p->taken && (to < 0 || to > SLOTS || (call && to == SLOTS))) {
        same(b, p, "fault outside of the program", m->stop, CTS_MACH_FAULT_JUMP);
        return;
    }
    same(b, p, "stop", m->stop, CTS_MACH_RUNNING);
    same(b, p, "pc", m->pc, p->taken ? (uint64_t)to : next);
}

static void execute(struct bench *b, const struct cts_smt_point *p, enum cts_insn_id id)
{
    struct place at = place_of(p->alias);
    bool wide = cts_insn_info(id)->flags & CTS_RF_WIDE;
    struct cts_insn in = {.dst = (uint8_t)at.dst,
                          .src = (uint8_t)at.src,
                          .off = p->off,
                          .imm = p->imm,
                          .next_imm = p->next_imm};
    uint8_t mem[CTS_POINT_MEM];
    struct cts_mach m;

    cts_mach_init(&m);
    fill(&m, p, at);
    m.be = p->be;
    m.choose = p->choose;
    m.platform = &platform;
    m.prog = b->prog;
    m.prog_slots = SLOTS;
    m.at = PC;
    m.pc = PC + 1u + wide;
    memcpy(mem, p->in.mem, sizeof(mem));
    assert_int_equal(cts_mach_map(&m, p->base, mem, sizeof(mem), true), 0);
    cts_exec_table[id](&m, &in);
    check_flow(b, p, &m, wide);
    if (m.stop == CTS_MACH_FAULT_JUMP)
        return;
    check_registers(b, p, at, &m);
    for (unsigned i = 0; i < CTS_POINT_MEM; i++)
        same(b, p, "a byte of memory", mem[i], p->out.mem[i]);
}

static void check_row(struct bench *b, const struct cts_smt_point *p, size_t count)
{
    enum cts_insn_id id = cts_insn_find(p->row->id);

    if (id == CTS_INSN_COUNT)
        fail_msg("%s is not in the tables", p->row->id);
    if (!cts_exec_table[id]) {
        if (!p->row->platform)
            fail_msg("%s has no C", p->row->id);
        b->unsupported++;
        return;
    }
    if (count < CTS_POINT_LEAST)
        fail_msg("%s: only %zu inputs", p->row->id, count);
    for (size_t i = 0; i < count; i++) {
        execute(b, &p[i], id);
        b->chosen += p[i].chosen;
    }
    b->points += count;
    b->rows++;
}

/* The C of the reference machine does what the formulas say: registers, memory, flow. */
static void test_c_is_formulas(void **state)
{
    struct bench b = {0};
    struct cts_spec spec;
    struct cts_smt_points points;
    struct cts_err err = {0};

    (void)state;
    if (!has_z3())
        skip();
    load_spec(&spec);
    cts_smt_points_init(&points);
    b.prog = calloc(SLOTS, sizeof(*b.prog));
    assert_non_null(b.prog);
    if (cts_smt_points_make(&spec, NULL, &points, &err))
        fail_msg("%s", err.msg);
    for (size_t i = 0, n; i < points.count; i += n) {
        for (n = 1; i + n < points.count && points.point[i + n].row == points.point[i].row; n++)
            ;
        check_row(&b, &points.point[i], n);
    }
    print_message("%zu rows, %zu inputs (%zu chosen by the solver), %zu values compared, %zu rows "
                  "without C; z3 %.1f s\n",
                  b.rows, b.points, b.chosen, b.values, b.unsupported, points.seconds);
    assert_true(b.rows > 0 && b.chosen > 0 && b.values > b.points);
    assert_int_equal(b.rows + b.unsupported, instructions(&spec));
    free(b.prog);
    cts_smt_points_release(&points);
    cts_spec_release(&spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_script),
        cmocka_unit_test(test_script_is_accepted),
        cmocka_unit_test(test_laws_refused),
        cmocka_unit_test(test_laws_fail),
        cmocka_unit_test(test_laws_undecided),
        cmocka_unit_test(test_laws_without_solver),
        cmocka_unit_test(test_generated_laws_can_fail),
        cmocka_unit_test(test_c_is_formulas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
