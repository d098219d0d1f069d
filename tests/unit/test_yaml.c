/* uses: base host load */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "load/schema.h"
#include "load/yaml.h"

struct fixture {
    struct cts_arena arena;
    struct cts_err err;
    struct cts_yaml *root;
    int rc;
};

static void parse_bytes(struct fixture *f, const char *text, size_t len)
{
    cts_arena_init(&f->arena, 0);
    cts_err_clear(&f->err);
    f->rc = cts_yaml_parse("f.yaml", text, len, &f->arena, &f->root, &f->err);
}

static void parse(struct fixture *f, const char *text)
{
    parse_bytes(f, text, strlen(text));
}

static void done(struct fixture *f)
{
    cts_arena_release(&f->arena);
}

static void assert_err(const struct cts_err *err, const char *text)
{
    char line[CTS_ERR_MSG_MAX + CTS_ERR_FILE_MAX + 32];

    assert_string_equal(cts_err_text(err, line, sizeof(line)), text);
}

static void tree_keeps_order_and_places(void **state)
{
    struct fixture f;
    (void)state;

    parse(&f, "b: [1, 'two']\na: {x: y}\n");
    assert_int_equal(f.rc, 0);
    assert_int_equal(f.root->kind, CTS_YAML_MAP);
    assert_int_equal(f.root->count, 2);
    assert_string_equal(f.root->keys[0]->text, "b");
    const struct cts_yaml *b = cts_yaml_get(f.root, "b");
    assert_int_equal(b->count, 2);
    assert_int_equal(b->items[1]->line, 1);
    assert_int_equal(b->items[1]->col, 8);
    assert_int_equal(b->items[1]->text_col, 9);
    assert_true(b->items[1]->quoted);
    assert_false(b->items[0]->quoted);
    const struct cts_yaml *x = cts_yaml_get(cts_yaml_get(f.root, "a"), "x");
    assert_true(cts_yaml_is(x, "y"));
    assert_int_equal(x->line, 2);
    assert_int_equal(x->col, 8);
    assert_null(cts_yaml_get(f.root, "c"));
    assert_null(cts_yaml_get(x, "c"));
    done(&f);
}

static void block_knows_where_its_text_stands(void **state)
{
    struct fixture f;
    (void)state;

    parse(&f, "# comment\na:\n  b: |\n      one\n       two\n  c: |\n\n    three\n");
    assert_int_equal(f.rc, 0);
    const struct cts_yaml *a = cts_yaml_get(f.root, "a");
    const struct cts_yaml *b = cts_yaml_get(a, "b"), *c = cts_yaml_get(a, "c");
    assert_string_equal(b->text, "one\n two\n");
    assert_true(b->block);
    assert_int_equal(b->text_line, 4);
    assert_int_equal(b->text_col, 7);
    assert_int_equal(c->text_line, 7);
    assert_int_equal(c->text_col, 5);
    done(&f);
}

static void refusals_name_their_place(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: duplicate key 'a' (first defined at line 1)"},
        {"a: &x 1\n", "f.yaml:1:4: anchors and aliases are not used here"},
        {"a: *x\n", "f.yaml:1:4: anchors and aliases are not used here"},
        {"a: !t 1\n", "f.yaml:1:4: tags are not used here"},
        {"? [a]\n: 1\n", "f.yaml:1:3: a key must be a plain word"},
        {"a: 1\n---\nb: 2\n", "f.yaml:2:1: only one document in a file"},
        {"", "f.yaml:1:1: the file is empty"},
        {"# nothing\n", "f.yaml:2:1: the file is empty"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        parse(&f, cases[i].text);
        assert_true(f.rc < 0);
        assert_null(f.root);
        assert_err(&f.err, cases[i].error);
        done(&f);
    }
}

static void broken_text_is_refused(void **state)
{
    static const char *const texts[] = {"a: [1, 2\n",          "a: 'x\n",     "\ta: 1\n",
                                        "a: b: c\n",           "- a\nb: 1\n", "a: \"\\q\"\n",
                                        "%YAML 9.9\n---\na\n", "\xff\xfe"};
    (void)state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct fixture f;
        parse(&f, texts[i]);
        assert_true(f.rc < 0);
        assert_null(f.root);
        assert_int_equal(f.err.code, f.rc);
        done(&f);
    }
}

static void nesting_is_bounded(void **state)
{
    char text[3 * CTS_YAML_DEPTH_MAX + 16];
    struct fixture f;
    (void)state;

    for (int extra = 0; extra < 2; extra++) {
        size_t depth = CTS_YAML_DEPTH_MAX + (size_t)extra;
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        parse_bytes(&f, text, 2 * depth);
        assert_int_equal(f.rc, extra ? CTS_E_LIMIT : 0);
        done(&f);
    }
}

static void numbers_are_exact(void **state)
{
    static const struct {
        const char *text;
        int u64, s64, bits;
        uint64_t value;
    } cases[] = {
        {"0", 0, 0, 0, 0},
        {"-0", 0, 0, 0, 0},
        {"0x10", 0, 0, 0, 16},
        {"0b101", 0, 0, 0, 5},
        {"1_000", 0, 0, 0, 1000},
        {"0xffff_0000", 0, 0, 0, 0xffff0000},
        {"+7", 0, 0, 0, 7},
        {"-1", CTS_E_RANGE, 0, 0, UINT64_MAX},
        {"-0x80000000", CTS_E_RANGE, 0, 0, 0xffffffff80000000},
        {"-9223372036854775808", CTS_E_RANGE, 0, 0, UINT64_C(1) << 63},
        {"-9223372036854775809", CTS_E_RANGE, CTS_E_RANGE, CTS_E_RANGE, 0},
        {"9223372036854775808", 0, CTS_E_RANGE, 0, UINT64_C(1) << 63},
        {"18446744073709551615", 0, CTS_E_RANGE, 0, UINT64_MAX},
        {"18446744073709551616", CTS_E_RANGE, CTS_E_RANGE, CTS_E_RANGE, 0},
        {"010", CTS_E_SCHEMA, CTS_E_SCHEMA, CTS_E_SCHEMA, 0},
        {"0x", CTS_E_SCHEMA, CTS_E_SCHEMA, CTS_E_SCHEMA, 0},
        {"_1", CTS_E_SCHEMA, CTS_E_SCHEMA, CTS_E_SCHEMA, 0},
        {"1_", CTS_E_SCHEMA, CTS_E_SCHEMA, CTS_E_SCHEMA, 0},
        {"1__0", CTS_E_SCHEMA, CTS_E_SCHEMA, CTS_E_SCHEMA, 0},
        {"1.5", CTS_E_SCHEMA, CTS_E_SCHEMA, CTS_E_SCHEMA, 0},
        {"'1'", CTS_E_SCHEMA, CTS_E_SCHEMA, CTS_E_SCHEMA, 0},
        {"--1", CTS_E_SCHEMA, CTS_E_SCHEMA, CTS_E_SCHEMA, 0},
        {"[1]", CTS_E_SCHEMA, CTS_E_SCHEMA, CTS_E_SCHEMA, 0},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        uint64_t u = 1, bits = 1;
        int64_t s = 1;
        parse(&f, cases[i].text);
        assert_int_equal(f.rc, 0);
        assert_int_equal(cts_yaml_u64(f.root, "n", &u, NULL), cases[i].u64);
        assert_int_equal(cts_yaml_s64(f.root, "n", &s, NULL), cases[i].s64);
        assert_int_equal(cts_yaml_u64_bits(f.root, "n", &bits, NULL), cases[i].bits);
        assert_true(u == (cases[i].u64 ? 0 : cases[i].value));
        assert_true((uint64_t)s == (cases[i].s64 ? 0 : cases[i].value));
        assert_true(bits == cases[i].value);
        assert_int_equal(cts_yaml_is_number(f.root), !cases[i].bits);
        done(&f);
    }
}

static void getters_say_what_they_want(void **state)
{
    struct fixture f;
    struct cts_yaml_strs strs;
    const char *text;
    int64_t number;
    bool truth;
    (void)state;

    parse(&f, "n: 70000\nb: yes\nt: true\ns: ~\nl: [a, [b]]\no: one\n");
    assert_int_equal(f.rc, 0);
    assert_int_equal(
        cts_yaml_range(cts_yaml_get(f.root, "n"), "off", -32768, 32767, &number, &f.err),
        CTS_E_RANGE);
    assert_err(&f.err, "f.yaml:1:4: off: 70000 is outside -32768..32767");
    cts_err_clear(&f.err);
    assert_int_equal(cts_yaml_bool(cts_yaml_get(f.root, "b"), "b", &truth, &f.err), CTS_E_SCHEMA);
    assert_err(&f.err, "f.yaml:2:4: b: expected true or false, found 'yes'");
    assert_int_equal(cts_yaml_bool(cts_yaml_get(f.root, "t"), "t", &truth, NULL), 0);
    assert_true(truth);
    cts_err_clear(&f.err);
    assert_int_equal(cts_yaml_str(cts_yaml_get(f.root, "s"), "s", &text, &f.err), CTS_E_SCHEMA);
    assert_err(&f.err, "f.yaml:4:4: s: expected a text");
    cts_err_clear(&f.err);
    assert_int_equal(cts_yaml_strs(cts_yaml_get(f.root, "l"), "l", &f.arena, &strs, &f.err),
                     CTS_E_SCHEMA);
    assert_err(&f.err, "f.yaml:5:8: l: expected a scalar, found a sequence");
    assert_int_equal(cts_yaml_str_or_strs(cts_yaml_get(f.root, "o"), "o", &f.arena, &strs, NULL),
                     0);
    assert_int_equal(strs.count, 1);
    assert_string_equal(strs.list[0], "one");
    assert_null(strs.list[1]);
    assert_int_equal(cts_yaml_strs(NULL, "none", &f.arena, &strs, NULL), 0);
    assert_int_equal(strs.count, 0);
    assert_null(strs.list[0]);
    done(&f);
}

static const char *const COLOURS[] = {"red", "green", NULL};

static const struct cts_schema_field INNER[] = {
    {.key = "x", .type = CTS_SCHEMA_NUM, .required = true, .doc = "a number"},
    {.key = NULL},
};

static const struct cts_schema_field FIELDS[] = {
    {.key = "name", .type = CTS_SCHEMA_ID, .required = true, .doc = "its name"},
    {.key = "colour", .type = CTS_SCHEMA_WORD, .words = COLOURS},
    {.key = "inner", .type = CTS_SCHEMA_MAP, .sub = INNER},
    {.key = "many", .type = CTS_SCHEMA_MAPS, .sub = INNER},
    {.key = "words", .type = CTS_SCHEMA_STRS},
    {.key = NULL},
};

static void schema_finds_the_first_fault(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"name: a\ncolor: red\n", "f.yaml:2:1: thing: unknown key 'color'; did you mean 'colour'? "
                                  "(keys: name, colour, inner, "
                                  "many, words)"},
        {"name: a\nzzzzz: red\n",
         "f.yaml:2:1: thing: unknown key 'zzzzz' (keys: name, colour, inner, many, words)"},
        {"colour: red\n", "f.yaml:1:1: thing: 'name' is missing (its name)"},
        {"name: a\ncolour: gren\n",
         "f.yaml:2:9: colour: 'gren' is none of: red, green; did you mean 'green'?"},
        {"name: a b\n",
         "f.yaml:1:7: name: only letters, digits, '_', '-' and '.' make an id, not 'a b'"},
        {"name: a\ninner: {y: 1}\n", "f.yaml:2:9: inner: unknown key 'y' (keys: x)"},
        {"name: a\ninner: 1\n", "f.yaml:2:8: inner: expected a mapping, found a scalar"},
        {"name: a\nmany: [{x: 1}, {x: z}]\n", "f.yaml:2:20: x: expected a number, found 'z'"},
        {"name: a\nwords: {a: b}\n", "f.yaml:2:8: words: expected a sequence, found a mapping"},
        {"[]\n", "f.yaml:1:1: thing: expected a mapping, found a sequence"},
    };
    struct fixture f;
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        parse(&f, cases[i].text);
        assert_int_equal(f.rc, 0);
        assert_int_equal(cts_schema_check(f.root, FIELDS, "thing", &f.err), CTS_E_SCHEMA);
        assert_err(&f.err, cases[i].error);
        done(&f);
    }
    parse(&f, "name: a-b.c_1\ncolour: green\ninner: {x: 0x1}\nmany: []\nwords: [p, q]\n");
    assert_int_equal(cts_schema_check(f.root, FIELDS, "thing", &f.err), 0);
    done(&f);
}

/* Every prefix of a rich text, and the text with one byte turned over: no crash, and an error
 * whenever there is no tree. */
static void survives_mangled_text(void **state)
{
    static const char text[] =
        "a: [1, {b: \"x\\n\", c: |\n   d\n }, 'e']\nf:\n  - g: >\n      h\n    i: ~\n";
    char copy[sizeof(text)];
    struct fixture f;
    (void)state;

    for (size_t i = 0; i < sizeof(text); i++) {
        parse_bytes(&f, text, i);
        assert_int_equal(f.rc == 0, f.root != NULL);
        done(&f);
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(copy, text, sizeof(text));
            copy[i] = (char)(copy[i] ^ (1 << bit));
            parse_bytes(&f, copy, sizeof(text) - 1);
            assert_int_equal(f.rc == 0, f.root != NULL);
            done(&f);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_keeps_order_and_places),
        cmocka_unit_test(block_knows_where_its_text_stands),
        cmocka_unit_test(refusals_name_their_place),
        cmocka_unit_test(broken_text_is_refused),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(numbers_are_exact),
        cmocka_unit_test(getters_say_what_they_want),
        cmocka_unit_test(schema_finds_the_first_fault),
        cmocka_unit_test(survives_mangled_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
