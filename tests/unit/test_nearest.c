/* uses: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/nearest.h"

static void distances(void **state)
{
    static const struct {
        const char *a, *b;
        size_t distance;
    } table[] = {
        {"", "", 0},       {"", "abc", 3},    {"abc", "", 3},           {"abc", "abc", 0},
        {"abc", "abd", 1}, {"abc", "ab", 1},  {"ab", "abc", 1},         {"abc", "xabc", 1},
        {"ab", "ba", 2},   {"abc", "cab", 2}, {"kitten", "sitting", 3}, {"opcode", "opcoed", 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_int_equal(cts_distance(table[i].a, table[i].b), table[i].distance);
        assert_int_equal(cts_distance(table[i].b, table[i].a), table[i].distance);
    }
}

static void a_slip_is_found(void **state)
{
    static const char *const words[] = {"quick", "full", "exhaustive"};
    (void)state;
    assert_string_equal(cts_nearest("qiuck", words, 3), "quick");
    assert_string_equal(cts_nearest("ful", words, 3), "full");
    assert_string_equal(cts_nearest("exhaustiv", words, 3), "exhaustive");
    assert_null(cts_nearest("slow", words, 3));
    assert_null(cts_nearest("", words, 3));
    assert_null(cts_nearest("quick", words, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances),
        cmocka_unit_test(a_slip_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
