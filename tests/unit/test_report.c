/* uses: base host result report */
/* Every format writes the same fixed run, compared byte by byte with a file in tests/golden.
 * CTS_UPDATE_GOLDEN=1 writes them anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "host/fs.h"
#include "report/report.h"
#include "report/text.h"

#define NASTY                                                                                      \
    "\x1b[31mred\x1b[0m <b>&amp;\"' \\x # tab\there\r\nline two \xff\xc3 \xed\xa0\x80 "            \
    "\xe2\x80\xae"                                                                                 \
    " \xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9d ]]> \xef\xbf\xbe \x7f\xc2\x85 end"

static const char *const add_rows[] = {"add64_x", "add64_k", NULL};
static const char *const add_clauses[] = {"N037", "N039", NULL};

static const struct cts_engine_info engines[] = {
    {"reference", "interp", "0.1.0", false, NULL},
    {"linux", "jit", "6.18.44 <" NASTY ">", false, NULL},
    {"linux", "interp", "", true, "the kernel has no interpreter (CONFIG_BPF_JIT_ALWAYS_ON)"},
};

#define ON(runtime_, engine_, version_)                                                            \
    .runtime = runtime_, .engine = engine_, .version = version_,                                   \
    .file = "vectors/base64/add.yaml", .group = "base64", .rows = add_rows,                        \
    .clauses = add_clauses, .policy = "rfc"

static const struct cts_result results[] = {
    {ON("reference", "interp", "0.1.0"), .vector = "base64/add/carries", .kase = "1", .line = 12,
     .status = CTS_ST_PASS, .unit = "", .message = "", .detail = "", .operand_tuples = 3,
     .ns = 1500},
    {ON("reference", "interp", "0.1.0"), .vector = "base64/add/sweep", .kase = "1", .line = 30,
     .status = CTS_ST_PASS, .operand_tuples = 1234567, .ns = 2000000000},
    {ON("reference", "interp", "0.1.0"), .vector = "single", .kase = "1", .line = 31,
     .status = CTS_ST_SKIP, .message = "needs map-fd"},
    {ON("linux", "jit", "6.18.44"), .vector = "base64/add/carries", .kase = "1", .line = 12,
     .status = CTS_ST_FAIL, .failure = CTS_FL_WRONG_RESULT, .unit = "opaque dst=r3 src=r4",
     .message = "wrong result",
     .detail = "  code\n    r3 += r4\n\n  state    before  expected\n  repeat   ebpf-cts run\n",
     .operand_tuples = 1, .ns = 999},
    {ON("linux", "jit", "6.18.44"), .vector = "base64/add/" NASTY "/" NASTY, .kase = NASTY,
     .line = 4294967295u, .status = CTS_ST_FAIL, .failure = CTS_FL_CRASH, .unit = NASTY,
     .message = NASTY, .detail = "\n" NASTY "\n  \n" NASTY, .operand_tuples = UINT64_MAX / 4},
    {ON("linux", "jit", "6.18.44"), .vector = "base64/add/error", .kase = "by-zero", .line = 40,
     .status = CTS_ST_ERROR, .message = "neither accepted nor rejected: EIO", .detail = ""},
    {ON("linux", "jit", "6.18.44"), .vector = "base64/add/skip", .kase = "1", .line = 41,
     .status = CTS_ST_SKIP, .skip = CTS_SK_NOT_ASKED, .message = "needs map-fd"},
    {ON("linux", "jit", "6.18.44"), .vector = "base64/add/skip", .kase = "2", .line = 42,
     .status = CTS_ST_SKIP, .skip = CTS_SK_LIMIT, .message = "for " NASTY},
    {ON("linux", "jit", "6.18.44"), .vector = "base64/add/skip", .kase = "3", .line = 43,
     .status = CTS_ST_SKIP, .message = "needs map-fd"},
    {ON("linux", "jit", "6.18.44"), .vector = "base64/add/known", .kase = "1", .line = 44,
     .status = CTS_ST_XFAIL, .failure = CTS_FL_WRONGLY_REJECTED, .message = "rejected",
     .detail = "  code\n", .known = "the verifier cannot do it # and says so"},
    {ON("linux", "jit", "6.18.44"), .vector = "base64/add/known", .kase = "2", .line = 45,
     .status = CTS_ST_XPASS, .message = "passed, but is on record as failing", .detail = "",
     .known = "was broken before 6.6"},
};

/* ---- a run whose strings are gone after each call ---- */

struct copies {
    char *text[64];
    size_t count;
};

static const char *copy(struct copies *c, const char *text)
{
    if (!text)
        return NULL;
    assert_true(c->count < sizeof(c->text) / sizeof(c->text[0]));
    char *t = strdup(text);
    assert_non_null(t);
    c->text[c->count++] = t;
    return t;
}

static void forget(struct copies *c)
{
    for (size_t i = 0; i < c->count; i++) {
        memset(c->text[i], '!', strlen(c->text[i]));
        free(c->text[i]);
    }
    c->count = 0;
}

static void tell_engine(struct cts_report *rep, const struct cts_engine_info *e)
{
    struct copies c = {.count = 0};
    struct cts_engine_info own = {copy(&c, e->runtime), copy(&c, e->engine), copy(&c, e->version),
                                  e->state, copy(&c, e->reason)};
    cts_report_engine(rep, &own);
    forget(&c);
}

static void tell_result(struct cts_report *rep, const struct cts_result *r)
{
    struct copies c = {.count = 0};
    struct cts_result own = *r;
    own.runtime = copy(&c, r->runtime);
    own.engine = copy(&c, r->engine);
    own.version = copy(&c, r->version);
    own.vector = copy(&c, r->vector);
    own.kase = copy(&c, r->kase);
    own.file = copy(&c, r->file);
    own.message = copy(&c, r->message);
    own.detail = copy(&c, r->detail);
    own.known = copy(&c, r->known);
    cts_report_result(rep, &own);
    forget(&c);
}

static const char *section_of(const char *clause)
{
    return strcmp(clause, "N037") == 0 ? "4.1" : NULL;
}

static char *write_run(const char *format, struct cts_report_opts opts, size_t n_engines,
                       size_t n_results)
{
    static const char *const warnings[] = {
        "runtimes/ubpf/known.yaml:5: review-by 2020-01-31 is past", NULL};
    const struct cts_reporter *rep = cts_reporter_find(format);
    struct cts_summary s = {.warnings = n_results ? warnings : NULL,
                            .vectors = 6,
                            .cases = 8,
                            .engines_run = 2,
                            .engines_skipped = 1,
                            .runtimes_run = 1,
                            .runtimes_skipped = 1,
                            .ns = 1239999999};
    char *text = NULL;
    size_t len = 0;
    assert_non_null(rep);
    opts.out = open_memstream(&text, &len);
    assert_non_null(opts.out);
    opts.section = section_of;
    char when[CTS_TEXT_TIME_CAP];
    opts.time = cts_text_time(when);
    opts.suite_version = "0.1.0";
    opts.vectors_hash = "0123abcd";
    struct cts_report report;
    assert_true(cts_report_start(&report, rep, &opts));
    for (size_t i = 0; i < n_engines; i++)
        tell_engine(&report, &engines[i]);
    for (size_t i = 0; i < n_results; i++) {
        cts_summary_add(&s, &results[i]);
        tell_result(&report, &results[i]);
    }
    cts_report_end(&report, &s);
    fclose(opts.out);
    return text;
}

static void check_golden(const char *name, char *text)
{
    char path[512];
    struct cts_buf want;
    cts_buf_init(&want, 0);
    snprintf(path, sizeof(path), "%s/tests/golden/%s", CTS_SOURCE_DIR, name);
    if (getenv("CTS_UPDATE_GOLDEN"))
        assert_int_equal(cts_fs_write_atomic(path, text, strlen(text), NULL), 0);
    assert_int_equal(cts_fs_read(path, 0, &want, NULL), 0);
    assert_string_equal(text, cts_buf_text(&want));
    cts_buf_release(&want);
    free(text);
}

static void check_format(const char *format, const char *name, struct cts_report_opts opts)
{
    size_t all = sizeof(results) / sizeof(results[0]);
    check_golden(name, write_run(format, opts, 3, all));
}

/* ---- tests ---- */

static void text_is_golden(void **state)
{
    (void)state;
    check_format("text", "report.txt", (struct cts_report_opts){.color = false});
    check_format("text", "report-verbose.txt", (struct cts_report_opts){.verbose = true});
    check_format("text", "report-quiet.txt",
                 (struct cts_report_opts){.quiet = true, .color = true});
}

static void json_is_golden(void **state)
{
    (void)state;
    check_format("json", "report.jsonl", (struct cts_report_opts){.color = true});
}

static void junit_is_golden(void **state)
{
    (void)state;
    check_format("junit", "report.xml", (struct cts_report_opts){.color = true});
}

static void tap_is_golden(void **state)
{
    (void)state;
    check_format("tap", "report.tap", (struct cts_report_opts){.color = true});
}

static void tables_are_golden(void **state)
{
    (void)state;
    check_format("markdown", "report.md", (struct cts_report_opts){.color = true});
    check_format("clauses", "report-clauses.tsv", (struct cts_report_opts){.color = true});
    check_format("groups", "report-groups.txt", (struct cts_report_opts){.color = true});
}

/* Whatever a text holds, it is one cell of code. */
static void markdown_holds_texts(void **state)
{
    static const struct {
        const char *message, *cell;
    } cases[] = {
        {"plain", "| `plain` |\n"},
        {"", "|  |\n"},
        {"@someone <b> #12 add/reg#2", "| `@someone <b> #12 add/reg#2` |\n"},
        {"a ` b", "| ``a ` b`` |\n"},
        {"``", "| ``` `` ``` |\n"},
        {"a|b \\| c", "| `a\\|b \\\\x7c c` |\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cts_result r = results[3];
        struct cts_report report;
        struct cts_summary s = {0};
        char *text = NULL, want[128];
        size_t len = 0;
        struct cts_report_opts opts = {.out = open_memstream(&text, &len), .suite_version = "1"};
        r.message = cases[i].message;
        snprintf(want, sizeof(want), "| `base64/add/carries#1` | wrong-result %s", cases[i].cell);
        assert_true(cts_report_start(&report, cts_reporter_find("markdown"), &opts));
        cts_report_result(&report, &r);
        cts_report_end(&report, &s);
        fclose(opts.out);
        assert_non_null(strstr(text, want));
        free(text);
    }
}

/* Nothing at all is no error in any format, and says so. */
static void empty_runs(void **state)
{
    static const char *const last[][2] = {
        {"text", "\ntotal: 0 passed, 0 failed, 0 skipped\n"},
        {"json", "\"ns\":1239999999}\n"},
        {"junit", "</testsuites>\n"},
        {"tap", "TAP version 13\n1..0 # SKIP nothing was run\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++) {
        char *text = write_run(last[i][0], (struct cts_report_opts){.color = false}, 0, 0);
        size_t len = strlen(text), want = strlen(last[i][1]);
        assert_true(len >= want);
        assert_string_equal(text + len - want, last[i][1]);
        free(text);
    }
}

static void formats_are_listed(void **state)
{
    size_t n = 0;
    (void)state;
    for (; cts_reporters[n]; n++) {
        const struct cts_reporter *r = cts_reporters[n];
        assert_ptr_equal(cts_reporter_find(r->name), r);
        assert_true(r->what && r->what[0]);
    }
    assert_true(n >= 7);
    assert_null(cts_reporter_find("no such format"));
    assert_null(cts_reporter_find(""));
}

/* A format needs none of its functions. */
static void functions_are_optional(void **state)
{
    static const struct cts_reporter none = {.name = "none"};
    struct cts_report r;
    struct cts_report_opts opts = {.out = stdout};
    struct cts_summary s = {0};
    (void)state;
    assert_true(cts_report_start(&r, &none, &opts));
    cts_report_engine(&r, &engines[0]);
    cts_report_result(&r, &results[0]);
    cts_report_end(&r, &s);
    assert_ptr_equal(r.format, &none);
}

/* Far more reasons than are kept apart: none of their cases is lost. */
static void many_reasons(void **state)
{
    enum { CASES = 1000 };
    const struct cts_reporter *rep = cts_reporter_find("text");
    struct cts_summary s = {0};
    unsigned long long listed = 0, count;
    char *text = NULL;
    size_t len = 0;
    (void)state;
    struct cts_report_opts opts = {.out = open_memstream(&text, &len)};
    void *arg = rep->start(&opts);
    assert_non_null(arg);
    for (unsigned i = 0; i < CASES; i++) {
        char why[32];
        struct cts_result r = {.runtime = "a",
                               .engine = "b",
                               .vector = "v",
                               .kase = "1",
                               .status = CTS_ST_SKIP,
                               .message = why};
        snprintf(why, sizeof(why), "reason %u", i);
        rep->result(arg, &r);
    }
    rep->end(arg, &s);
    fclose(opts.out);
    for (const char *p = text; *p; p = strchr(p, '\n') + 1)
        if (p[0] == ' ' && sscanf(p, "%llu ", &count) == 1)
            listed += count;
    assert_int_equal(listed, CASES);
    free(text);
}

static long most_memory(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

/* What is collected until the end is not collected in memory. */
static void junit_takes_no_memory(void **state)
{
    enum { CASES = 60000, DETAIL = 1000, MOST_KIB = 16 << 10 };
    char detail[DETAIL + 1];
    unsigned long long tests = 0;
    char line[512];
    bool lost = false;
    struct cts_report r;
    struct cts_summary s = {0};
    (void)state;
    FILE *out = tmpfile();
    assert_non_null(out);
    memset(detail, 'x', DETAIL);
    detail[DETAIL] = '\0';
    struct cts_report_opts opts = {.out = out, .lost = &lost};
    long before = most_memory();
    assert_true(cts_report_start(&r, cts_reporter_find("junit"), &opts));
    for (unsigned i = 0; i < CASES; i++) {
        struct cts_result one = results[3];
        one.detail = detail;
        cts_report_result(&r, &one);
    }
    cts_report_end(&r, &s);
    assert_true(most_memory() - before < MOST_KIB);
    assert_false(lost);
    assert_true(ftell(out) > (long)CASES * DETAIL);
    rewind(out);
    while (fgets(line, sizeof(line), out))
        tests += strstr(line, "<testcase ") != NULL;
    assert_int_equal(tests, CASES);
    fclose(out);
}

/* Where nothing can be kept, that is told. */
static void junit_tells_what_is_lost(void **state)
{
    bool lost = false;
    struct cts_report r;
    struct cts_summary s = {0};
    char *text = NULL;
    size_t len = 0;
    (void)state;
    struct cts_report_opts opts = {.out = open_memstream(&text, &len), .lost = &lost};
    setenv("TMPDIR", "/nonexistent", 1);
    assert_true(cts_report_start(&r, cts_reporter_find("junit"), &opts));
    unsetenv("TMPDIR");
    cts_report_result(&r, &results[0]);
    cts_report_end(&r, &s);
    fclose(opts.out);
    assert_true(lost);
    assert_non_null(strstr(text, "1 results are missing here"));
    free(text);
}

static void utf8_is_strict(void **state)
{
    static const struct {
        const char *text;
        uint32_t first;
        size_t bytes;
    } cases[] = {
        {"", 0, 0},
        {"a", 'a', 1},
        {"\xc3\xa4", 0xe4, 2},
        {"\xe2\x82\xac", 0x20ac, 3},
        {"\xf4\x8f\xbf\xbf", 0x10ffff, 4},
        {"\xf4\x90\x80\x80", 0xfffd, 1}, /* above the last character */
        {"\xc0\xaf", 0xfffd, 1},         /* longer than needed */
        {"\xe0\x80\xaf", 0xfffd, 1},
        {"\xed\xa0\x80", 0xfffd, 1}, /* half of a surrogate pair */
        {"\xe2\x82", 0xfffd, 1},     /* cut off */
        {"\xe2\x82z", 0xfffd, 1},
        {"\x80", 0xfffd, 1},
        {"\xff", 0xfffd, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *p = cases[i].text;
        assert_int_equal(cts_text_next(&p), cases[i].first);
        assert_int_equal(p - cases[i].text, cases[i].bytes);
    }
    const char *none = NULL;
    assert_int_equal(cts_text_next(&none), 0);
}

static void numbers(void **state)
{
    static const struct {
        uint64_t n;
        const char *count, *seconds;
    } cases[] = {
        {0, "0", "0.00"},
        {999, "999", "0.00"},
        {1000, "1,000", "0.00"},
        {999999, "999,999", "0.00"},
        {9999999, "9,999,999", "0.00"},
        {10000000, "10,000,000", "0.01"},
        {UINT64_MAX, "18,446,744,073,709,551,615", "18446744073.70"},
    };
    struct cts_buf b;
    (void)state;
    cts_buf_init(&b, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cts_buf_clear(&b);
        cts_text_count(&b, cases[i].n);
        assert_string_equal(cts_buf_text(&b), cases[i].count);
        cts_buf_clear(&b);
        cts_text_seconds(&b, cases[i].n, 2);
        assert_string_equal(cts_buf_text(&b), cases[i].seconds);
    }
    cts_buf_release(&b);
}

static void time_can_be_set(void **state)
{
    char buf[CTS_TEXT_TIME_CAP];
    (void)state;
    setenv("SOURCE_DATE_EPOCH", "951782400", 1);
    assert_string_equal(cts_text_time(buf), "2000-02-29T00:00:00Z");
    static const char *const bad[] = {"", "-1", "12x", "99999999999999999999", "999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        setenv("SOURCE_DATE_EPOCH", bad[i], 1);
        assert_int_equal(strlen(cts_text_time(buf)), 20);
        assert_true(strcmp(buf, "2024-") > 0);
    }
    setenv("SOURCE_DATE_EPOCH", "0", 1);
}

/* What does not fit in memory is not written in half. */
static void lost_lines(void **state)
{
    struct cts_buf b;
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    (void)state;
    assert_non_null(f);
    cts_buf_init(&b, 4);
    cts_buf_adds(&b, "123");
    cts_buf_adds(&b, "45");
    assert_false(cts_text_flush(&b, f));
    cts_buf_adds(&b, "1234");
    assert_true(cts_text_flush(&b, f));
    fclose(f);
    assert_string_equal(text, "1234");
    cts_buf_release(&b);
    free(text);
}

static int set_time(void **state)
{
    (void)state;
    return setenv("SOURCE_DATE_EPOCH", "0", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_golden),         cmocka_unit_test(json_is_golden),
        cmocka_unit_test(junit_is_golden),        cmocka_unit_test(tap_is_golden),
        cmocka_unit_test(tables_are_golden),      cmocka_unit_test(empty_runs),
        cmocka_unit_test(formats_are_listed),     cmocka_unit_test(many_reasons),
        cmocka_unit_test(utf8_is_strict),         cmocka_unit_test(numbers),
        cmocka_unit_test(functions_are_optional), cmocka_unit_test(markdown_holds_texts),
        cmocka_unit_test(junit_takes_no_memory),  cmocka_unit_test(junit_tells_what_is_lost),
        cmocka_unit_test(time_can_be_set),        cmocka_unit_test(lost_lines),
    };
    return cmocka_run_group_tests(tests, set_time, NULL);
}
