/* uses: base host isa pack wire result core */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/outcomes.h"

/* Strings of a pack: "" at 0, then the names. */
static const char strings[] = "\0linux\0linux:jit\0linuxfs";
enum { FOR_ALL = 0, LINUX = 1, LINUX_JIT = 7, LINUXFS = 17 };

/* Which of the outcomes with these names count: a bit each. The i-th is of kind i % 4. */
static unsigned counting(const uint32_t *names, uint32_t n, const char *runtime, const char *engine)
{
    struct cts_pk_outcome o[8];
    struct cts_pack p = {.outcomes = o, .outcome_count = n, .strings = strings};
    struct cts_caps caps = {.be = false};
    struct cts_outcomes found;
    struct cts_arena arena;
    unsigned mask = 0, kinds = 0;
    strcpy(caps.runtime, runtime);
    strcpy(caps.engine, engine);
    memset(o, 0, sizeof(o));
    for (uint32_t i = 0; i < n; i++)
        o[i] = (struct cts_pk_outcome){.runtime = names[i], .r0 = i, .kind = (uint8_t)(i % 4)};
    cts_arena_init(&arena, 0);
    assert_int_equal(cts_outcomes_find(&p, (struct cts_pk_range){0, n}, &caps, &arena, &found), 0);
    for (uint32_t i = 0; i < found.count; i++) {
        mask |= 1u << found.first[i].r0;
        kinds |= 1u << found.first[i].kind;
    }
    assert_int_equal(found.kinds, kinds);
    assert_int_equal(cts_outcomes_kinds(&p, (struct cts_pk_range){0, n}, &caps), kinds);
    assert_true((found.count == n) == (found.first == o));
    cts_arena_release(&arena);
    return mask;
}

static void the_closest_name_counts(void **state)
{
    const uint32_t names[] = {FOR_ALL, LINUX, LINUX_JIT, LINUX_JIT, LINUXFS};
    (void)state;
    assert_int_equal(counting(names, 5, "linux", "jit"), 1 << 2 | 1 << 3);
    assert_int_equal(counting(names, 5, "linux", "interp"), 1 << 1);
    assert_int_equal(counting(names, 5, "linux", ""), 1 << 1);
    assert_int_equal(counting(names, 5, "linuxfs", "jit"), 1 << 4);
    assert_int_equal(counting(names, 5, "lin", "jit"), 1 << 0);
    assert_int_equal(counting(names, 5, "ubpf", "jit"), 1 << 0);
}

static void a_name_of_another_engine_changes_nothing(void **state)
{
    const uint32_t names[] = {FOR_ALL, LINUX_JIT, FOR_ALL};
    (void)state;
    assert_int_equal(counting(names, 3, "linux", "cap-bpf"), 1 << 0 | 1 << 2);
    assert_int_equal(counting(names, 3, "linux", "ji"), 1 << 0 | 1 << 2);
    assert_int_equal(counting(names, 3, "linux", "jit"), 1 << 1);
}

static void without_one_for_all_nothing_counts(void **state)
{
    const uint32_t names[] = {LINUX_JIT};
    (void)state;
    assert_int_equal(counting(names, 1, "ubpf", "jit"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_closest_name_counts),
        cmocka_unit_test(a_name_of_another_engine_changes_nothing),
        cmocka_unit_test(without_one_for_all_nothing_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
