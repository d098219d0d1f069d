/* uses: base host isa wire pack */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pack/pack.h"

static const uint64_t *values(enum cts_domain d, enum cts_level level, uint32_t *n)
{
    const uint64_t *v = cts_domain_values(d, level, n);
    assert_non_null(v);
    assert_true(*n > 0);
    return v;
}

static int has(enum cts_domain d, enum cts_level level, uint64_t v)
{
    uint32_t n;
    const uint64_t *list = values(d, level, &n);
    for (uint32_t i = 0; i < n; i++)
        if (list[i] == v)
            return 1;
    return 0;
}

static void names_go_both_ways(void **state)
{
    (void)state;
    for (unsigned d = 0; d < CTS_DOM_COUNT; d++)
        assert_int_equal(cts_domain_find(cts_domain_name((enum cts_domain)d)), d);
    assert_int_equal(cts_domain_find("u63"), CTS_DOM_COUNT);
    assert_int_equal(cts_domain_find("shift"), CTS_DOM_SHIFT);
    assert_int_equal(cts_domain_find("imm-nonzero"), CTS_DOM_IMM_NONZERO);
}

static void no_value_comes_twice(void **state)
{
    (void)state;
    for (unsigned d = 0; d < CTS_DOM_COUNT; d++) {
        uint32_t n;
        const uint64_t *v = values((enum cts_domain)d, CTS_LEVEL_EXHAUSTIVE, &n);
        for (uint32_t i = 0; i < n; i++)
            for (uint32_t k = 0; k < i; k++)
                assert_int_not_equal(v[i], v[k]);
    }
}

static void levels_are_prefixes(void **state)
{
    (void)state;
    for (unsigned d = 0; d < CTS_DOM_COUNT; d++) {
        uint32_t quick, full, all;
        const uint64_t *a = values((enum cts_domain)d, CTS_LEVEL_QUICK, &quick);
        const uint64_t *b = values((enum cts_domain)d, CTS_LEVEL_FULL, &full);
        const uint64_t *c = values((enum cts_domain)d, CTS_LEVEL_EXHAUSTIVE, &all);
        assert_true(quick < full && full <= all);
        assert_memory_equal(a, b, quick * sizeof(*a));
        assert_memory_equal(b, c, full * sizeof(*b));
    }
}

static void boundaries_are_there_at_quick(void **state)
{
    static const uint64_t u64[] = {
        0,          1,          UINT64_MAX, INT64_MAX,  1ull << 63,
        0x7fffffff, 0x80000000, 0xffffffff, 1ull << 32, 0x123456789abcdef};
    (void)state;
    for (size_t i = 0; i < sizeof(u64) / sizeof(u64[0]); i++)
        assert_true(has(CTS_DOM_U64, CTS_LEVEL_QUICK, u64[i]));
    for (uint64_t count = 62; count <= 65; count++)
        assert_true(has(CTS_DOM_SHIFT, CTS_LEVEL_QUICK, count));
    assert_true(has(CTS_DOM_IMM, CTS_LEVEL_QUICK, 0xffffffff80000000));
    assert_true(has(CTS_DOM_IMM, CTS_LEVEL_QUICK, 0x7fffffff));
    /* the first that does not fit into a sign-extended byte */
    static const enum cts_domain signed_bytes[] = {CTS_DOM_U64,   CTS_DOM_U32, CTS_DOM_U16,
                                                   CTS_DOM_SHIFT, CTS_DOM_IMM, CTS_DOM_IMM_NONZERO};
    for (size_t i = 0; i < sizeof(signed_bytes) / sizeof(signed_bytes[0]); i++)
        assert_true(has(signed_bytes[i], CTS_LEVEL_QUICK, (uint64_t)-129));
}

/* Whoever drops, keeps or extends upper bits is to be told apart. */
static void narrow_values_come_with_every_kind_of_upper_bits(void **state)
{
    static const struct {
        enum cts_domain domain;
        unsigned bits;
    } narrow[] = {{CTS_DOM_U32, 32}, {CTS_DOM_U16, 16}, {CTS_DOM_U8, 8}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint64_t top = 1ull << (narrow[i].bits - 1), mask = (top << 1) - 1;
        uint32_t n, dirty = 0;
        const uint64_t *v = values(narrow[i].domain, CTS_LEVEL_QUICK, &n);
        assert_true(has(narrow[i].domain, CTS_LEVEL_QUICK, top));
        assert_true(has(narrow[i].domain, CTS_LEVEL_QUICK, top | ~mask));
        for (uint32_t k = 0; k < n; k++)
            dirty += (v[k] & ~mask) != 0 && (v[k] & ~mask) != ~mask;
        assert_true(dirty >= n / 4);
    }
}

static void immediates_fit_their_field(void **state)
{
    static const enum cts_domain imms[] = {CTS_DOM_IMM, CTS_DOM_IMM_NONZERO};
    uint32_t n;
    (void)state;
    for (size_t d = 0; d < 2; d++) {
        const uint64_t *v = values(imms[d], CTS_LEVEL_EXHAUSTIVE, &n);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(v[i], (uint64_t)(int64_t)(int32_t)(uint32_t)v[i]);
    }
    assert_false(has(CTS_DOM_IMM_NONZERO, CTS_LEVEL_EXHAUSTIVE, 0));
    const uint64_t *v = values(CTS_DOM_IMM_SHIFT32, CTS_LEVEL_EXHAUSTIVE, &n);
    for (uint32_t i = 0; i < n; i++)
        assert_true(v[i] < 32);
    v = values(CTS_DOM_IMM_SHIFT64, CTS_LEVEL_EXHAUSTIVE, &n);
    for (uint32_t i = 0; i < n; i++)
        assert_true(v[i] < 64);
}

static void nonsense_gives_nothing(void **state)
{
    uint32_t n = 7;
    (void)state;
    assert_null(cts_domain_values(CTS_DOM_COUNT, CTS_LEVEL_QUICK, &n));
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_go_both_ways),
        cmocka_unit_test(no_value_comes_twice),
        cmocka_unit_test(levels_are_prefixes),
        cmocka_unit_test(boundaries_are_there_at_quick),
        cmocka_unit_test(narrow_values_come_with_every_kind_of_upper_bits),
        cmocka_unit_test(immediates_fit_their_field),
        cmocka_unit_test(nonsense_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
