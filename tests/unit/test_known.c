/* uses: base host load */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "load/known.h"
#include "load/known_edit.h"

static int setup(void **state)
{
    static struct cts_arena arena;
    cts_arena_init(&arena, 0);
    *state = &arena;
    return 0;
}

static int teardown(void **state)
{
    cts_arena_release(*state);
    return 0;
}

static struct cts_known_list read_list(struct cts_arena *arena, const char *text)
{
    struct cts_known_list list;
    struct cts_err err = {0};
    if (cts_known_parse("k.yaml", text, strlen(text), arena, &list, &err) != 0)
        fail_msg("%u:%u: %s\n%s", err.line, err.col, err.msg, text);
    return list;
}

/* ---- reading ---- */

static void test_fields(void **state)
{
    struct cts_known_list l = read_list(*state, "# a list\n"
                                                "- vectors: base64/le*\n"
                                                "  engines: [jit, interp]\n"
                                                "  versions: \">=6.6 <6.12\"\n"
                                                "  status: wrong-result\n"
                                                "  reason: \"why\"\n"
                                                "  link: https://example.org/1\n"
                                                "  clause: N090\n"
                                                "  policy: abi\n"
                                                "  review-by: \"2028-02-29\"\n"
                                                "- {vectors: a/b#c, reason: r, policy: abi}\n");
    assert_int_equal(l.count, 2);
    assert_true(l.exists);
    const struct cts_known_entry *e = &l.entries[0];
    assert_string_equal(e->vectors, "base64/le*");
    assert_string_equal(e->engines[0], "jit");
    assert_string_equal(e->engines[1], "interp");
    assert_null(e->engines[2]);
    assert_non_null(e->versions);
    assert_true(cts_version_in(e->versions, "6.6.1"));
    assert_false(cts_version_in(e->versions, "6.12"));
    assert_string_equal(e->failure, "wrong-result");
    assert_string_equal(e->reason, "why");
    assert_string_equal(e->link, "https://example.org/1");
    assert_string_equal(e->clause, "N090");
    assert_string_equal(e->policy, "abi");
    assert_string_equal(e->review_by, "2028-02-29");
    assert_string_equal(e->file, "k.yaml");
    assert_int_equal(e->line, 2);
    e = &l.entries[1];
    assert_string_equal(e->vectors, "a/b#c");
    assert_null(e->engines);
    assert_null(e->versions);
    assert_null(e->failure);
    assert_null(e->review_by);
    assert_int_equal(e->line, 11);
}

static void test_plain_version(void **state)
{
    struct cts_known_list l =
        read_list(*state, "- {vectors: a, reason: r, clause: N1, versions: 22.11}\n");
    assert_true(cts_version_in(l.entries[0].versions, "DPDK 22.11.4"));
    assert_false(cts_version_in(l.entries[0].versions, "DPDK 22.12"));
}

/* Each glob of a list is an entry. */
static void test_globs(void **state)
{
    struct cts_known_list l =
        read_list(*state, "- {vectors: [a/*, \"b#1\"], reason: r, clause: N1}\n"
                          "- {vectors: c, reason: s, clause: N2}\n");
    assert_int_equal(l.count, 3);
    assert_int_equal(l.items, 2);
    assert_string_equal(l.entries[0].vectors, "a/*");
    assert_string_equal(l.entries[1].vectors, "b#1");
    assert_string_equal(l.entries[2].vectors, "c");
    assert_int_equal(l.entries[1].item, 0);
    assert_int_equal(l.entries[2].item, 1);
    assert_string_equal(l.entries[1].reason, "r");
    assert_int_equal(l.entries[2].line, 2);
}

static void test_void(void **state)
{
    static const char *const texts[] = {"", "\n", "# nothing fails\n", "  # a\r\n\t\n\n#b", "[]"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(read_list(*state, texts[i]).count, 0);
}

static void test_missing_file(void **state)
{
    struct cts_known_list l;
    struct cts_err err = {0};
    assert_int_equal(cts_known_load("/nonexistent/known.yaml", false, true, *state, &l, &err), 0);
    assert_false(l.exists);
    assert_int_equal(l.count, 0);
    assert_string_equal(l.path, "/nonexistent/known.yaml");
    assert_true(cts_known_load("/nonexistent/known.yaml", false, false, *state, &l, &err) < 0);
    assert_non_null(strstr(err.file, "known.yaml"));
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *why;
        unsigned line, col;
    } bad[] = {
        {"vectors: a\n", "list of known failures", 1, 1},
        {"- a\n", "known failure", 1, 3},
        {"- {reason: r, clause: N1}\n", "'vectors' is missing", 1, 3},
        {"- {vectors: a, clause: N1}\n", "'reason' is missing", 1, 3},
        {"- {vectors: a, reason: r}\n", "needs a link, or the clause or policy", 1, 3},
        {"- {vectors: a, reason: r, clause: N1, engine: jit}\n", "unknown key 'engine'", 1, 39},
        {"- {vectors: a, reason: r, clause: N1, engines: jit}\n", "engines", 1, 48},
        {"- {vectors: a, reason: r, clause: N1, engines: []}\n", "engines: none", 1, 48},
        {"- {vectors: {a: b}, reason: r, clause: N1}\n", "vectors", 1, 13},
        {"- {vectors: [], reason: r, clause: N1}\n", "vectors: none", 1, 13},
        {"- vectors: a\n  reason: r\n  clause: N1\n  versions: \"~6\"\n", "'~6'", 4, 13},
        {"- vectors: a\n  reason: r\n  clause: N1\n  versions: \"\"\n", "no version", 4, 13},
        {"- vectors: a\n  reason: r\n  clause: N1\n  versions: [6]\n", "versions", 4, 13},
        {"- {vectors: a, reason: r, clause: N1, review-by: soon}\n", "'soon' is no date", 1, 50},
        {"- {vectors: a, reason: r, clause: N1, review-by: 2027-02-29}\n", "no date", 1, 50},
        {"- {vectors: a, reason: r, clause: N1, review-by: 2100-02-29}\n", "no date", 1, 50},
        {"- {vectors: a, reason: r, clause: N1, review-by: 2027-13-01}\n", "no date", 1, 50},
        {"- {vectors: a, reason: r, clause: N1, review-by: 2027-00-10}\n", "no date", 1, 50},
        {"- {vectors: a, reason: r, clause: N1, review-by: 2027-04-31}\n", "no date", 1, 50},
        {"- {vectors: a, reason: r, clause: N1, review-by: 2027-04-00}\n", "no date", 1, 50},
        {"- {vectors: a, reason: r, clause: N1, review-by: 27-04-01}\n", "no date", 1, 50},
        {"- {vectors: a, reason: r, clause: N1, review-by: 2027/04/01}\n", "no date", 1, 50},
        {"- {vectors: a, reason: r, clause: N1, review-by: 2027-4-1}\n", "no date", 1, 50},
        {"- {vectors: a, reason: r, clause: N1, review-by: +027-04-01}\n", "no date", 1, 50},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct cts_known_list l;
        struct cts_err err = {0};
        int rc = cts_known_parse("k.yaml", bad[i].text, strlen(bad[i].text), *state, &l, &err);
        if (rc == 0 || !strstr(err.msg, bad[i].why) || err.line != bad[i].line ||
            err.col != bad[i].col)
            fail_msg("%s: %d, %u:%u: %s", bad[i].text, rc, err.line, err.col, err.msg);
    }
}

static void test_good_dates(void **state)
{
    static const char *const dates[] = {"2027-01-31", "2028-02-29", "2000-02-29", "2027-12-31",
                                        "0001-01-01"};
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "- {vectors: a, reason: r, clause: N1, review-by: %s}\n",
                 dates[i]);
        assert_string_equal(read_list(*state, text).entries[0].review_by, dates[i]);
    }
}

/* ---- changing ---- */

static void check_edit(struct cts_arena *arena, const char *before, const bool *remove,
                       const struct cts_known_entry *add, size_t n, const char *after)
{
    struct cts_known_list l = read_list(arena, before);
    struct cts_err err = {0};
    struct cts_buf out;
    cts_buf_init(&out, 0);
    if (cts_known_edit(&l, remove, add, n, &out, &err) != 0)
        fail_msg("%u:%u: %s\n%s", err.line, err.col, err.msg, before);
    assert_string_equal(cts_buf_text(&out), after);
    cts_buf_release(&out);
}

/* A list with all that a person may write; each line with the entry that it belongs to, or -1. */
static const struct {
    int owner;
    const char *text;
} lines[] = {
    {-1, "# Failures of a runtime.\n"},
    {-1, "\n"},
    {-1, "---\n"},
    {-1, "# about the first\n"},
    {0, "- vectors: base64/first   # with a word\n"},
    {0, "  engines: [jit,\n"},
    {0, "    interp]\n"},
    {0, "  # within it\n"},
    {0, "  status: crash\n"},
    {0, "  reason: \"a reason over\n"},
    {0, "\n"},
    {0, "    three lines # no comment\"\n"},
    {0, "  clause: N001\n"},
    {-1, "\n"},
    {-1, "# about the second and the third\n"},
    {-1, "#\n"},
    {1, "- {vectors: [base64/second, base64/2nd], reason: \"- not a dash\", clause: N002}\n"},
    {2, "- vectors: base64/third\n"},
    {2, "  reason: |\n"},
    {2, "    - literal\n"},
    {2, "    # no comment\n"},
    {2, "\n"},
    {2, "    text\n"},
    {2, "    # at its end\n"},
    {2, "  clause: N003\n"},
    {-1, "\n"},
    {3, "-\n"},
    {3, "  vectors: base64/fourth\n"},
    {3, "  reason: plain text\n"},
    {3, "    - that goes on\n"},
    {3, "  link: https://example.org/#4\n"},
    {3, "  # a last word, indented\n"},
    {-1, "# not indented\n"},
    {-1, "   \n"},
    {4, "- # first a comment\n"},
    {4, "\n"},
    {4, "  # and another\n"},
    {4, "  {vectors: base64/fifth,\n"},
    {4, "   reason: r, clause: N005}\n"},
    {-1, "\n"},
    {-1, "# the end\n"},
};

/* The list without the entries of the mask. */
static void sample(int removed, char *out, size_t cap)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        if (lines[i].owner < 0 || !(removed >> lines[i].owner & 1))
            len += (size_t)snprintf(out + len, cap - len, "%s", lines[i].text);
}

/* Any set of entries can go, and no byte of the rest changes. */
static void test_remove_any(void **state)
{
    char before[4096], after[4096];
    sample(0, before, sizeof(before));
    assert_int_equal(read_list(*state, before).items, 5);
    for (int mask = 0; mask < 32; mask++) {
        bool remove[5];
        for (int i = 0; i < 5; i++)
            remove[i] = mask >> i & 1;
        sample(mask, after, sizeof(after));
        if (mask == 31) {
            /* "---" alone is a document of nothing: no list, and so it is not written. */
            struct cts_known_list l = read_list(*state, before);
            struct cts_err err = {0};
            struct cts_buf out;
            cts_buf_init(&out, 0);
            assert_int_equal(cts_known_edit(&l, remove, NULL, 0, &out, &err), CTS_E_INVAL);
            cts_buf_release(&out);
            continue;
        }
        check_edit(*state, before, remove, NULL, 0, after);
    }
}

static const char *jit[] = {"jit", NULL}, *both[] = {"interp", "jit", NULL};

static const struct cts_known_entry news[] = {
    {.vectors = "base64/add/reg#2",
     .engines = jit,
     .failure = "wrong-result",
     .reason = "unexplained: a \"quote\", a \\, a # and: a tab\t",
     .clause = "N039"},
    {.vectors = "odd/- id?", .engines = both, .reason = "null", .link = "vectors/odd.yaml"},
};

#define FIRST_NEW                                                                                  \
    "- vectors: base64/add/reg#2\n"                                                                \
    "  engines: [jit]\n"                                                                           \
    "  status: wrong-result\n"                                                                     \
    "  reason: \"unexplained: a \\\"quote\\\", a \\\\, a # and: a tab\\x09\"\n"                    \
    "  clause: N039\n"
#define SECOND_NEW                                                                                 \
    "- vectors: \"odd/- id?\"\n"                                                                   \
    "  engines: [interp, jit]\n"                                                                   \
    "  reason: \"null\"\n"                                                                         \
    "  link: vectors/odd.yaml\n"
#define OLD "- {vectors: a, reason: r, clause: N1}\n"

static void test_add(void **state)
{
    static const bool first[] = {true};
    static const struct cts_known_entry dated = {
        .vectors = "a/b", .reason = "r", .policy = "abi", .review_by = "2027-06-30"};
    check_edit(*state, "", NULL, news, 2, FIRST_NEW SECOND_NEW);
    check_edit(*state, "# nothing fails\n", NULL, news, 1, "# nothing fails\n" FIRST_NEW);
    check_edit(*state, "# no newline", NULL, news, 1, "# no newline\n" FIRST_NEW);
    check_edit(*state, OLD, NULL, news, 1, OLD FIRST_NEW);
    check_edit(*state, OLD "\n# the end\n", NULL, news, 1, OLD "\n# the end\n" FIRST_NEW);
    check_edit(*state, "- {vectors: a, reason: r, clause: N1}", NULL, news, 1, OLD FIRST_NEW);
    check_edit(*state, "# kept\n" OLD, first, news, 2, "# kept\n" FIRST_NEW SECOND_NEW);
    check_edit(*state, OLD, first, NULL, 0, "");
    check_edit(*state, "", NULL, &dated, 1,
               "- vectors: a/b\n  reason: r\n  policy: abi\n  review-by: \"2027-06-30\"\n");
}

/* New entries stand and end as the old ones do. */
static void test_style(void **state)
{
    static const struct cts_known_entry one = {.vectors = "a/b", .reason = "r", .clause = "N2"};
    static const bool first[] = {true, false};
    check_edit(*state, "  # in\n  - {vectors: a, reason: r, clause: N1}\n", NULL, &one, 1,
               "  # in\n  - {vectors: a, reason: r, clause: N1}\n"
               "  - vectors: a/b\n    reason: r\n    clause: N2\n");
    check_edit(*state,
               "# dos\r\n- vectors: a\r\n  reason: r\r\n  clause: N1\r\n\r\n"
               "- {vectors: b, reason: r, clause: N1}\r\n",
               first, &one, 1,
               "# dos\r\n\r\n- {vectors: b, reason: r, clause: N1}\r\n"
               "- vectors: a/b\r\n  reason: r\r\n  clause: N2\r\n");
}

/* Nothing is given away that would not say what it is to say. */
static void test_not_by_program(void **state)
{
    static const char *const texts[] = {
        "[{vectors: a, reason: r, clause: N1}]\n",
        "[]\n",
        "[\n{vectors: a, reason: r, clause: N1},\n{vectors: b, reason: r, clause: N1}]\n",
        "- {vectors: a, reason: r, clause: N1}\n...\n",
        "--- [{vectors: a, reason: r, clause: N1}]\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct cts_known_list l = read_list(*state, texts[i]);
        struct cts_err err = {0};
        struct cts_buf out;
        cts_buf_init(&out, 0);
        if (cts_known_edit(&l, NULL, news, 1, &out, &err) != CTS_E_INVAL)
            fail_msg("%s became\n%s", texts[i], cts_buf_text(&out));
        assert_string_equal(err.file, "k.yaml");
        assert_non_null(strstr(err.msg, "by hand"));
        cts_buf_release(&out);
    }
}

/* Ids that would be read as something else are quoted. */
static void test_quoting(void **state)
{
    static const char *const ids[] = {
        "null",      "Null",  "~",       "1/2",          "a: b", "a #b",      "-a",
        "*/x",       "a/b'c", "a\"b\\c", "a\nb",         "{a}",  "true",      "a,b",
        "a\x7f\x01", "a b ",  "",        "ok/x.y-z_1#2", "[a]",  "\xc3\xa4/x"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct cts_known_list l = read_list(*state, OLD), again;
        struct cts_known_entry e = {.vectors = ids[i], .reason = ids[i], .clause = "N1"};
        struct cts_err err = {0};
        struct cts_buf out;
        cts_buf_init(&out, 0);
        if (cts_known_edit(&l, NULL, &e, 1, &out, &err) != 0)
            fail_msg("%s: %s", ids[i], err.msg);
        again = read_list(*state, cts_buf_text(&out));
        assert_string_equal(again.entries[1].vectors, ids[i]);
        assert_string_equal(again.entries[1].reason, ids[i]);
        cts_buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(test_plain_version, setup, teardown),
        cmocka_unit_test_setup_teardown(test_globs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_void, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_good_dates, setup, teardown),
        cmocka_unit_test_setup_teardown(test_remove_any, setup, teardown),
        cmocka_unit_test_setup_teardown(test_add, setup, teardown),
        cmocka_unit_test_setup_teardown(test_style, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_by_program, setup, teardown),
        cmocka_unit_test_setup_teardown(test_quoting, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
