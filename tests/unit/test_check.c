/* uses: base host load spec_check */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/fs.h"
#include "spec_check/anchors.h"
#include "spec_check/encode.h"

#define SPEC CTS_SOURCE_DIR "/spec"

/* --- instructions -------------------------------------------------------------------------- */

static int load_spec(void **state)
{
    static struct cts_spec spec;
    struct cts_err err = {0};

    cts_spec_init(&spec);
    if (cts_spec_load(&spec, SPEC, &err)) {
        print_error("%s:%u: %s\n", err.file, err.line, err.msg);
        return -1;
    }
    *state = &spec;
    return 0;
}

static int release_spec(void **state)
{
    cts_spec_release(*state);
    return 0;
}

/* RFC 9669 section 3.1: r1 += 0x11223344. */
static void test_bytes_of_the_rfc(void **state)
{
    static const uint8_t le[8] = {0x07, 0x01, 0, 0, 0x44, 0x33, 0x22, 0x11};
    static const uint8_t be[8] = {0x07, 0x10, 0, 0, 0x11, 0x22, 0x33, 0x44};
    struct cts_sample s = {
        .row = cts_spec_insn_find(*state, "add64_k"),
        .value = {[CTS_SF_OPCODE] = 0x07, [CTS_SF_DST] = 1, [CTS_SF_IMM] = 0x11223344}};
    uint8_t bytes[CTS_SAMPLE_BYTES];

    assert_non_null(s.row);
    assert_int_equal(cts_sample_encode(&s, false, bytes), 8);
    assert_memory_equal(bytes, le, 8);
    assert_int_equal(cts_sample_encode(&s, true, bytes), 8);
    assert_memory_equal(bytes, be, 8);
}

static void test_wide_bytes(void **state)
{
    static const uint8_t le[16] = {0x18, 0x29, 0, 0, 0x44, 0x33, 0x22, 0x11,
                                   0,    0,    0, 0, 0x88, 0x77, 0x66, 0x55};
    static const uint8_t be[16] = {0x18, 0x92, 0, 0, 0x11, 0x22, 0x33, 0x44,
                                   0,    0,    0, 0, 0x55, 0x66, 0x77, 0x88};
    struct cts_sample s = {.row = cts_spec_insn_find(*state, "lddw_map_fd_value"),
                           .value = {0x18, 9, 2, 0, 0x11223344, 0x55667788}};
    uint8_t bytes[CTS_SAMPLE_BYTES];

    assert_non_null(s.row);
    assert_int_equal(cts_sample_encode(&s, false, bytes), 16);
    assert_memory_equal(bytes, le, 16);
    assert_int_equal(cts_sample_encode(&s, true, bytes), 16);
    assert_memory_equal(bytes, be, 16);
}

static void test_text(void **state)
{
    static const struct {
        const char *syntax;
        bool signed_off;
        const char *text;
    } cases[] = {
        {"{dst.w} += {src.w}", true, "w3 += w10\n"},
        {"{dst} = *(u32 *)({src} {disp})", true, "r3 = *(u32 *)(r10 - 32768)\n"},
        {"goto {off}", true, "goto -32768\n"},
        {"{imm} {imm64} {x", false, "-1 0x1ffffffff {x\n"},
    };
    struct cts_sample s = {.row = cts_spec_insn_find(*state, "add64_k"),
                           .value = {0, 3, 10, INT16_MIN, -1, 1}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cts_buf out;
        cts_buf_init(&out, 0);
        cts_sample_text(&s, cases[i].syntax, cases[i].signed_off, &out);
        assert_string_equal(cts_buf_text(&out), cases[i].text);
        cts_buf_release(&out);
    }
    s.value[CTS_SF_OFF] = 7;
    struct cts_buf out;
    cts_buf_init(&out, 0);
    cts_sample_text(&s, "{off}", true, &out);
    cts_sample_text(&s, "{off} {disp}", false, &out);
    assert_string_equal(cts_buf_text(&out), "+7\n7 + 7\n");
    cts_buf_release(&out);
}

struct seen {
    size_t count;
    int64_t least, greatest;
    enum cts_spec_field field;
};

static void see(void *arg, const struct cts_sample *s)
{
    struct seen *seen = arg;
    int64_t v = s->value[seen->field];

    for (int f = 0; f < CTS_SF_COUNT; f++)
        assert_true(!s->row->wide && f == CTS_SF_NEXT_IMM
                        ? s->value[f] == 0
                        : cts_spec_enc_allows(&s->row->enc[f], s->value[f]));
    if (!seen->count++)
        seen->least = seen->greatest = v;
    seen->least = v < seen->least ? v : seen->least;
    seen->greatest = v > seen->greatest ? v : seen->greatest;
}

static void test_extremes(void **state)
{
    struct seen imm = {.field = CTS_SF_IMM}, off = {.field = CTS_SF_OFF},
                none = {.field = CTS_SF_OFF};

    cts_sample_each(cts_spec_insn_find(*state, "add64_k"), see, &imm);
    assert_int_equal(imm.count, 4 * 6);
    assert_int_equal(imm.least, INT32_MIN);
    assert_int_equal(imm.greatest, INT32_MAX);
    cts_sample_each(cts_spec_insn_find(*state, "ldx_dw"), see, &off);
    assert_int_equal(off.count, 4 * 4 * 6);
    assert_int_equal(off.least, INT16_MIN);
    assert_int_equal(off.greatest, INT16_MAX);
    cts_sample_each(cts_spec_insn_find(*state, "exit"), see, &none);
    assert_int_equal(none.count, 1);
}

/* --- a specification of our own ------------------------------------------------------------ */

struct place {
    char dir[256];
};

static int make_place(void **state)
{
    static const char *const files[] = {"groups.yaml", "clauses.yaml", "verdicts.yaml",
                                        "ambiguities.yaml", "anchors"};
    static struct place p;
    struct cts_err err = {0};
    char from[512], to[512];

    if (cts_fs_temp_dir(p.dir, sizeof(p.dir), &err))
        return -1;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(from, sizeof(from), SPEC "/%s", files[i]);
        snprintf(to, sizeof(to), "%s/%s", p.dir, files[i]);
        if (symlink(from, to))
            return -1;
    }
    snprintf(to, sizeof(to), "%s/isa", p.dir);
    *state = &p;
    return cts_fs_mkdirs(to, &err);
}

static int remove_place(void **state)
{
    struct place *p = *state;
    char path[512];

    snprintf(path, sizeof(path), "%s/anchors", p->dir); /* a link: not to be followed */
    unlink(path);
    cts_fs_remove_tree(p->dir);
    return 0;
}

static void put(const struct place *p, const char *name, const char *text, size_t len)
{
    struct cts_err err = {0};
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", p->dir, name);
    assert_int_equal(cts_fs_write_atomic(path, text, len, &err), 0);
}

/* Two rows of opcode 0x79 with these rules for `off`; how many faults has the rule `overlap`? */
static size_t overlaps(const struct place *p, const char *a, const char *b)
{
    static const char row[] =
        "- {id: %s, name: %s, group: base64, since: {isa: v1, linux: \"1.0\"}, section: \"5\",\n"
        "   encoding: {opcode: 0x79, dst: reg, src: reg, off: %s, imm: 0}, asm: x,\n"
        "   does: \"dst = %s\", clauses: [N039]}\n";
    static const char with[] = "mem64[src + u64(off)]", without[] = "mem64[src]";
    const char *const rules[] = {"overlap"};
    struct cts_spec_check_opts opts = {.spec_dir = p->dir, .rules = rules, .rule_count = 1};
    struct cts_spec_check_counts counts;
    struct cts_err err = {0};
    struct cts_buf out;
    char text[2048];
    int len = snprintf(text, sizeof(text), row, "a", "A", a, strpbrk(a, "yzf") ? with : without);

    len += snprintf(text + len, sizeof(text) - (size_t)len, row, "b", "B", b,
                    strpbrk(b, "yzf") ? with : without);
    put(p, "isa/rows.yaml", text, (size_t)len);
    cts_buf_init(&out, 0);
    if (cts_spec_check(&opts, &out, &counts, &err))
        fail_msg("%s:%u: %s", err.file, err.line, err.msg);
    assert_int_equal(counts.rules, 1);
    assert_int_equal(counts.looked, 1);
    assert_int_equal(counts.failed, counts.faults ? 1 : 0);
    assert_non_null(strstr(cts_buf_text(&out), counts.faults ? "not ok 1 - overlap # looked at 1 "
                                                             : "ok 1 - overlap # looked at 1 "));
    cts_buf_release(&out);
    return counts.faults;
}

static void test_overlap(void **state)
{
    static const struct {
        const char *a, *b;
        size_t faults;
    } cases[] = {
        {"any", "any", 1},
        {"any", "0", 1},
        {"0", "0", 1},
        {"0", "1", 0},
        {"nonzero", "0", 0},
        {"nonzero", "-1", 1},
        {"nonzero", "any", 1},
        {"{from: 8, to: 24, step: 8}", "{from: 12, to: 12, step: 4}", 0},
        {"{from: 8, to: 24, step: 8}", "{from: 12, to: 20, step: 4}", 1},
        {"{from: 8, to: 24, step: 8}", "{from: -24, to: -8, step: 8}", 0},
        {"{from: -24, to: -8, step: 8}", "{from: -20, to: -12, step: 4}", 1},
        {"{from: 6, to: 6, step: 6}", "{from: 4, to: 8, step: 4}", 0},
        {"{from: 6, to: 12, step: 6}", "{from: 4, to: 12, step: 4}", 1},
        {"{from: -8, to: 8, step: 8}", "nonzero", 1},
        {"{from: 0, to: 0, step: 8}", "nonzero", 0},
        {"{from: 8, to: 16, step: 8}", "9", 0},
        {"{from: 8, to: 16, step: 8}", "16", 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (overlaps(*state, cases[i].a, cases[i].b) != cases[i].faults ||
            overlaps(*state, cases[i].b, cases[i].a) != cases[i].faults)
            fail_msg("%s against %s", cases[i].a, cases[i].b);
    }
}

/* --- tables -------------------------------------------------------------------------------- */

static int load_table(const struct place *p, const char *text, size_t len, struct cts_arena *arena,
                      struct cts_table *t, struct cts_err *err)
{
    static const char *const columns[] = {"a", "b", NULL};

    memset(err, 0, sizeof(*err));
    put(p, "t.tsv", text, len);
    return cts_table_load(p->dir, "../t.tsv", columns, arena, t, err);
}

#define TEXT(t) (t), sizeof(t) - 1

static void test_table(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        unsigned line;
    } bad[] = {
        {TEXT(""), 0},
        {TEXT("# only a comment\n"), 0},
        {TEXT("b\ta\n"), 1},
        {TEXT("a\n1\n"), 1},
        {TEXT("a\tb\n1\n"), 2},
        {TEXT("a\tb\n1\t2\t3\n"), 2},
        {TEXT("a\tb\n\n1\t2\n1\t2\t3\t4\t5\t6\t7\t8\t9\t1\t2\t3\t4\t5\t6\t7\t8\n"), 4},
        {TEXT("a\tb\n1\t\0\n"), 0},
    };
    struct place sub = *(struct place *)*state;
    struct cts_arena arena;
    struct cts_table t;
    struct cts_err err;
    char path[512];

    snprintf(path, sizeof(path), "%s/anchors", sub.dir);
    unlink(path); /* the link, so that ../t.tsv is a file beside this folder */
    assert_int_equal(cts_fs_mkdirs(path, NULL), 0);
    cts_arena_init(&arena, 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_true(load_table(&sub, bad[i].text, bad[i].len, &arena, &t, &err) < 0);
        assert_int_equal(err.line, bad[i].line);
        assert_true(err.msg[0]);
    }
    assert_int_equal(
        load_table(&sub, TEXT("# x\na\tb\tc\n\n1\t2\t\n# y\n3\t4\t5"), &arena, &t, &err), 0);
    assert_int_equal(t.count, 2);
    assert_int_equal(t.columns, 3);
    assert_int_equal(t.lines[0].line, 4);
    assert_string_equal(t.lines[0].field[2], "");
    assert_string_equal(t.lines[1].field[0], "3");
    assert_string_equal(t.lines[1].field[2], "5");
    cts_arena_release(&arena);
}

/* --- the list of rules --------------------------------------------------------------------- */

static void test_rules(void **state)
{
    size_t n = 0;

    (void)state;
    for (; cts_checks[n]; n++) {
        assert_non_null(cts_checks[n]->what);
        assert_non_null(cts_checks[n]->unit);
        assert_ptr_equal(cts_check_find(cts_checks, cts_checks[n]->name), cts_checks[n]);
        if (n)
            assert_true(strcmp(cts_checks[n - 1]->name, cts_checks[n]->name) < 0);
    }
    assert_true(n >= 12);
    assert_null(cts_check_find(cts_checks, "no-such-rule"));
}

static void test_choice(void **state)
{
    const char *const rules[] = {"overlap", "vectors", "bits"};
    const char *const unknown[] = {"overlap", "no-such-rule"};
    struct cts_spec_check_opts opts = {.spec_dir = SPEC, .rules = rules, .rule_count = 3};
    struct cts_spec_check_counts counts;
    struct cts_err err = {0};
    struct cts_buf out;

    (void)state;
    cts_buf_init(&out, 0);
    assert_int_equal(cts_spec_check(&opts, &out, &counts, &err), 0);
    assert_int_equal(counts.rules, 3);
    assert_int_equal(counts.passed, 2);
    assert_int_equal(counts.skipped, 1); /* there are no vectors */
    assert_int_equal(counts.failed, 0);
    assert_non_null(strstr(cts_buf_text(&out), "ok 1 - bits # looked at 256 opcodes"));
    assert_non_null(
        strstr(cts_buf_text(&out), "ok 3 - vectors # SKIP no vectors are given\n1..3\n"));
    cts_buf_clear(&out);

    opts.rules = unknown;
    opts.rule_count = 2;
    assert_int_equal(cts_spec_check(&opts, &out, &counts, &err), CTS_E_NOTFOUND);
    assert_non_null(strstr(err.msg, "no-such-rule"));
    memset(&err, 0, sizeof(err));
    opts.rules = NULL;
    opts.spec_dir = "/nowhere/at/all";
    assert_true(cts_spec_check(&opts, &out, &counts, &err) < 0);
    assert_int_equal(out.len, 0);
    cts_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest of_the_spec[] = {
        cmocka_unit_test(test_bytes_of_the_rfc),
        cmocka_unit_test(test_wide_bytes),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_extremes),
    };
    const struct CMUnitTest others[] = {
        cmocka_unit_test_setup_teardown(test_overlap, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_table, make_place, remove_place),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_choice),
    };
    int failed = cmocka_run_group_tests(of_the_spec, load_spec, release_spec);

    return failed + cmocka_run_group_tests(others, NULL, NULL);
}
