/* uses: base host isa wire pack result core */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/retry.h"

/* The list of what is to be tried again. */

enum { VARIANTS = 200 };

struct fixture {
    struct cts_retry list;
    struct cts_seg seg[VARIANTS];
};

static struct fixture *begin(void)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    for (uint32_t i = 0; i < VARIANTS; i++)
        f.seg[i].unit_index = i;
    return &f;
}

static struct cts_program program(struct fixture *f, uint32_t first, uint32_t bodies)
{
    struct cts_program p = {.bodies = bodies};
    for (uint32_t s = 0; s < bodies; s++)
        p.body[s] = &f->seg[first + s];
    return p;
}

static size_t suspect(struct fixture *f, uint32_t first, uint32_t bodies)
{
    struct cts_program p = program(f, first, bodies);
    struct cts_err err = {.code = CTS_E_WORKER};
    size_t mark = cts_retry_begin_suspect(&f->list, &p, (struct cts_among){NULL, 0}, &err);
    cts_retry_add_program(&f->list, &p);
    cts_retry_end_suspect(&f->list, mark);
    return f->list.suspects - 1;
}

static void each_variant_is_tried_once(void **state)
{
    struct fixture *f = begin();
    (void)state;
    for (unsigned turn = 0; turn < 3; turn++)
        for (uint32_t i = 0; i < VARIANTS; i++)
            cts_retry_add(&f->list, &f->seg[i], NULL);
    assert_int_equal(f->list.entries, VARIANTS);
    for (uint32_t i = 0; i < VARIANTS; i++)
        assert_int_equal(f->list.entry[i].variant, i);
    assert_false(f->list.failed);
    cts_retry_clear(&f->list);
    assert_int_equal(f->list.entries, 0);
    cts_retry_release(&f->list);
}

static void the_first_that_was_wrong_counts(void **state)
{
    struct fixture *f = begin();
    const struct cts_wrong third = {.tuple = 3}, fifth = {.tuple = 5};
    (void)state;
    cts_retry_add(&f->list, &f->seg[0], NULL);
    assert_false(cts_is_wrong(&f->list.entry[0].wrong));
    cts_retry_add(&f->list, &f->seg[0], &third);
    cts_retry_add(&f->list, &f->seg[0], &fifth);
    cts_retry_add(&f->list, &f->seg[0], NULL);
    assert_int_equal(f->list.entry[0].wrong.tuple, 3);
    cts_retry_release(&f->list);
}

static void a_suspect_waits_for_those_that_were_under_way(void **state)
{
    struct fixture *f = begin();
    (void)state;
    cts_retry_add(&f->list, &f->seg[1], NULL); /* before, for another reason */
    size_t first = suspect(f, 0, 3), second = suspect(f, 10, 2);
    assert_int_equal(f->list.entries, 5);
    assert_int_equal(f->list.suspect[first].variant, 0);
    assert_int_equal(f->list.suspect[second].variant, 10);
    for (size_t i = 0; i < f->list.entries; i++)
        assert_int_equal(cts_retry_is_awaited(&f->list, &f->list.entry[i]), i != 0);
    cts_retry_confirm(&f->list, 1);
    assert_false(f->list.suspect[first].confirmed);
    cts_retry_confirm(&f->list, 2);
    assert_true(f->list.suspect[first].confirmed);
    assert_false(f->list.suspect[second].confirmed);
    for (size_t i = 0; i < f->list.entries; i++)
        assert_int_equal(cts_retry_is_awaited(&f->list, &f->list.entry[i]),
                         f->list.entry[i].variant >= 10);
    cts_retry_release(&f->list);
}

static void there_may_be_many_suspects(void **state)
{
    struct fixture *f = begin();
    (void)state;
    for (uint32_t i = 0; i < VARIANTS; i++)
        assert_int_equal(suspect(f, i, 1), i);
    for (uint32_t i = 0; i < VARIANTS; i += 2)
        cts_retry_confirm(&f->list, i);
    for (uint32_t i = 0; i < VARIANTS; i++) {
        assert_int_equal(f->list.suspect[i].err.code, CTS_E_WORKER);
        assert_int_equal(f->list.suspect[i].confirmed, i % 2 == 0);
    }
    cts_retry_release(&f->list);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_variant_is_tried_once),
        cmocka_unit_test(the_first_that_was_wrong_counts),
        cmocka_unit_test(a_suspect_waits_for_those_that_were_under_way),
        cmocka_unit_test(there_may_be_many_suspects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
