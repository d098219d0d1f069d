/* uses: base host */
/* Foreign text made visible: by itself, in error messages, in formats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/fmt.h"
#include "base/text.h"

static const struct {
    const char *text, *shown;
} pairs[] = {
    {"", ""},
    {"plain text: 5 % of 'it' \"all\" \\x1b", "plain text: 5 % of 'it' \"all\" \\x1b"},
    {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9d", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9d"},
    {"a\nb\tc\r\n", "a b c\\x0d "},
    {"\x1b[31m\x07\x08\x7f", "\\x1b[31m\\x07\\x08\\x7f"},
    {"\xc2\x9b\x33\xc2\x85", "\\u009b3\\u0085"},                   /* C1 */
    {"\xe2\x80\xae\xe2\x81\xa6\xd8\x9c", "\\u202e\\u2066\\u061c"}, /* direction */
    {"\xe2\x80\x8b\xef\xbb\xbf\xc2\xad", "\\u200b\\ufeff\\u00ad"}, /* not seen */
    {"\xf3\xa0\x81\x81", "\\ue0041"},                              /* a tag */
    {"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"},                /* lines */
    {"\xff\xc3 \xed\xa0\x80\xc0\xaf",
     "\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
     "\xef\xbf\xbd\xef\xbf\xbd"},
    /* What a CI system would obey. */
    {"::error::x", "\\x3a:error::x"},
    {"  ::add-mask::x", "  \\x3a:add-mask::x"},
    {"a\n::error::x", "a \\x3a:error::x"},
    {"std::string a::b", "std::string a::b"},
    {"##[error]x ##vso[task]", "#\\x23[error]x #\\x23vso[task]"},
    {"###[x", "##\\x23[x"},
    {"# ## #[ ##x", "# ## #[ ##x"},
};

static void text_is_made_visible(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char once[256], twice[256];
        size_t len = cts_text_visible(once, sizeof(once), pairs[i].text);
        assert_string_equal(once, pairs[i].shown);
        assert_int_equal(len, strlen(once));
        cts_text_visible(twice, sizeof(twice), once);
        assert_string_equal(twice, once); /* what is visible stays as it is */
    }
    char none[4] = "x";
    assert_int_equal(cts_text_visible(none, sizeof(none), NULL), 0);
    assert_string_equal(none, "");
}

/* Every character and every byte: nothing that is unsafe is left. */
static void nothing_unsafe_is_left(void **state)
{
    unsigned looked = 0;
    (void)state;
    for (uint32_t c = 1; c <= 0x10ffff; c++) {
        char one[CTS_TEXT_STEP], shown[64];
        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        cts_text_put(one, c);
        cts_text_visible(shown, sizeof(shown), one);
        for (const char *p = shown; *p; looked++)
            assert_false(cts_text_is_unsafe(cts_text_next(&p)));
    }
    for (unsigned byte = 1; byte < 256; byte++) {
        const char bytes[3] = {'a', (char)byte, '\0'};
        char shown[64];
        cts_text_visible(shown, sizeof(shown), bytes);
        for (const char *p = shown; *p; looked++)
            assert_false(cts_text_is_unsafe(cts_text_next(&p)));
    }
    assert_true(looked > 0x10f000);
}

static void it_is_cut_between_characters(void **state)
{
    (void)state;
    for (size_t cap = 1; cap < 12; cap++) {
        char buf[16];
        memset(buf, '!', sizeof(buf));
        assert_int_equal(cts_text_visible(buf, cap, "\x1b\xe2\x82\xac"), 7);
        assert_string_equal(buf, cap > 7 ? "\\x1b\xe2\x82\xac" : cap > 4 ? "\\x1b" : "");
        assert_int_equal(buf[cap], '!');
    }
}

static void errors_are_visible(void **state)
{
    struct cts_err err = {0};
    char text[CTS_ERR_MSG_MAX + CTS_ERR_FILE_MAX], little[8];
    (void)state;
    cts_err_at(&err, CTS_E_SYNTAX, "::warning::\x1b[2J.yaml", 3, 7, "bad '%s'", "\xc2\x9b\n##[x");
    assert_string_equal(cts_err_text(&err, text, sizeof(text)),
                        "\\x3a:warning::\\x1b[2J.yaml:3:7: bad '\\u009b #\\x23[x'");
    assert_string_equal(cts_err_text(&err, little, sizeof(little)), "\\x3a:wa");
    cts_err_clear(&err);
    cts_err_set(&err, CTS_E_SYNTAX, "\x1b");
    assert_string_equal(cts_err_text(&err, text, sizeof(text)), "\\x1b");
}

static const char *visible(const char *fmt, ...)
{
    static char buf[128];
    va_list ap;
    va_start(ap, fmt);
    size_t n = cts_vfmt_visible(buf, sizeof(buf), fmt, ap);
    va_end(ap);
    assert_int_equal(n, strlen(buf));
    return buf;
}

static void formats_can_be_visible(void **state)
{
    (void)state;
    assert_string_equal(visible("%s: %s\n", "a\nb", "::x"), "a b: \\x3a:x\n");
    assert_string_equal(visible("[%-6s][%6s]", "\x07", "\x07"), "[\\x07  ][  \\x07]");
    assert_string_equal(visible("[%.1s][%.*s]", "ab", 2,
                                "\x1b"
                                "bc"),
                        "[a][\\x1bb]");
    assert_string_equal(visible("%u %s", 5, (const char *)NULL), "5 (null)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_made_visible),         cmocka_unit_test(nothing_unsafe_is_left),
        cmocka_unit_test(it_is_cut_between_characters), cmocka_unit_test(errors_are_visible),
        cmocka_unit_test(formats_can_be_visible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
