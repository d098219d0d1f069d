/* uses: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/version.h"

struct question {
    const char *range, *version;
    bool in;
};

static const struct question questions[] = {
    {"22.11", "22.11", true},
    {"22.11", "DPDK 22.11.3", true},
    {"22.11", "22.1.1", false},
    {"22.11", "22.110", false},
    {"22.11", "22", false},
    {"22.0", "22", true},
    {"=6", "6.18.44-fc-v657 x86_64", true},
    {"<6.9", "6.8.12", true},
    {"<6.9", "6.10", false}, /* numbers, not text */
    {"<6.9", "6.9.0", false},
    {"<6.9", "5.99.1", true},
    {"<=6.9", "6.9.12", true},
    {"<=6.9", "6.10.0", false},
    {">6.9", "6.9.12", false},
    {">6.9", "6.10-rc1", true},
    {">= 6.6", "6.6", true},
    {">=6.6 <6.12", "6.6.0", true},
    {">=6.6 <6.12", "6.11.9", true},
    {">=6.6 <6.12", "6.12.0", false},
    {">=6.6<6.12", "6.5.9", false},
    {" \t>=6.6  <6.12 ", "6.7", true},
    {">1 <2", "1.5", false}, /* as many numbers as the range writes: 1.5 is 1 */
    {"0.4", "v0.4.1", true},
    {"0.4", "rbpf V0.4.1", true},
    {"64", "x86_64", false},
    {"6.1", "x86_64 6.1", true},
    {"9669", "RFC 9669", true},
    {">0", "", false},
    {">0", "of tomorrow", false},
    {"<1", "lib2 of today", false},
    {"<999999999", "99999999999999999999999", false},
    {"1.2.3.4.5.6", "1.2.3.4.5.6.7", true},
    {"1.2.3.4.5.6", "1.2.3.4.5", false},
    {"1", "1..2", true},
    {"1.2", "1..2", false},
};

static void test_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        const struct question *q = &questions[i];
        struct cts_version_range r;
        const char *wrong = cts_version_parse(q->range, &r);
        if (wrong)
            fail_msg("%s: %s", q->range, wrong);
        if (cts_version_in(&r, q->version) != q->in)
            fail_msg("'%s' in '%s' is %d", q->version, q->range, !q->in);
    }
}

static void test_no_version(void **state)
{
    struct cts_version_range r;
    (void)state;
    assert_null(cts_version_parse(">=0", &r));
    assert_false(cts_version_in(&r, NULL));
}

static void test_malformed(void **state)
{
    static const struct {
        const char *range, *wrong;
    } bad[] = {
        {"", "no version"},
        {"  ", "no version"},
        {"<", "numbers with points"},
        {"abc", "numbers with points"},
        {"6.", "numbers with points"},
        {".6", "numbers with points"},
        {"6..1", "numbers with points"},
        {"<<6", "numbers with points"},
        {"~6", "numbers with points"},
        {"!=6", "numbers with points"},
        {">=", "numbers with points"},
        {"=<6", "numbers with points"},
        {"6.1 <", "numbers with points"},
        {"6.1-rc1", "only numbers"},
        {"6.x", "numbers with points"},
        {"6x", "only numbers"},
        {"6,7", "only numbers"},
        {"6 || 7", "numbers with points"},
        {"1.2.3.4.5.6.7", "more than 6 numbers"},
        {"1234567890", "more than 9 digits"},
        {">1 >2 >3 >4 >5", "more than 4 comparisons"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct cts_version_range r;
        const char *wrong = cts_version_parse(bad[i].range, &r);
        if (!wrong || !strstr(wrong, bad[i].wrong))
            fail_msg("'%s': %s", bad[i].range, wrong ? wrong : "(taken)");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in),
        cmocka_unit_test(test_no_version),
        cmocka_unit_test(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
