/* uses: base host isa wire pack result core */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/core.h"

static void test_glob(void **state)
{
    static const struct {
        const char *glob, *text;
        bool matches;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"abc", "abc", true},
        {"abc", "abcd", false},
        {"abcd", "abc", false},
        {"*", "", true},
        {"*", "base64/add/x", true},
        {"a*", "a", true},
        {"a*c", "abbc", true},
        {"a*c", "abcb", false},
        {"a*b*c", "a1b2b3c", true},
        {"*ab", "aab", true},
        {"*aab*", "aaaab", true},
        {"**x**", "x", true},
        {"?", "", false},
        {"?", "a", true},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"?*", "", false},
        {"?*", "ab", true},
        {"base64/*", "base64/add/x#1", true},
        {"base64/add", "base64/add/x", false},
        {"[a]", "a", false},
        {"[a]", "[a]", true},
        {"a\\*", "a\\bc", true},
        {"#?", "#1", true},
    };
    (void)state;
    for (size_t i = 0; i < CTS_ARRAY_LEN(cases); i++)
        if (cts_glob(cases[i].glob, cases[i].text) != cases[i].matches)
            fail_msg("'%s' and '%s'", cases[i].glob, cases[i].text);
}

/* No glob takes more than its length times that of the text. */
static void test_glob_time(void **state)
{
    char glob[200], text[4001];
    (void)state;
    for (size_t i = 0; i + 1 < sizeof(glob); i++)
        glob[i] = i % 2 ? 'a' : '*';
    glob[sizeof(glob) - 2] = 'b';
    glob[sizeof(glob) - 1] = '\0';
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_false(cts_glob(glob, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_glob),
        cmocka_unit_test(test_glob_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
