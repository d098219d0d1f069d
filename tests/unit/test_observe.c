/* uses: base host isa wire pack result core */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "core/observe.h"

/* What is made of an answer, without a worker. */

struct fixture {
    struct cts_caps caps;
    struct cts_machine machine;
    struct cts_pk_unit unit;
    struct cts_seg seg;
    struct cts_program program;
    struct cts_answer answer;
};

static struct fixture *begin(void)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    f.caps = (struct cts_caps){.runtime = "here", .r0_bits = 64};
    f.machine.caps = &f.caps;
    f.seg = (struct cts_seg){.unit = &f.unit, .rows = 4, .whole = true};
    f.program = cts_program_of(&f.seg, 0, 1);
    return &f;
}

static enum cts_seen seen(struct fixture *f)
{
    return cts_observe(&f->machine, &f->program, &f->answer).seen;
}

static void what_is_said_of_a_load_is_seen(void **state)
{
    static const struct {
        uint8_t status;
        enum cts_seen seen;
    } loads[] = {
        {CTS_LOAD_REJECTED, CTS_SEEN_REJECTED},   {CTS_LOAD_ERROR, CTS_SEEN_LOAD_ERROR},
        {CTS_LOAD_CRASHED, CTS_SEEN_CRASHED},     {CTS_LOAD_TIMED_OUT, CTS_SEEN_TIMED_OUT},
        {CTS_LOAD_UNSETTLED, CTS_SEEN_UNSETTLED},
    };
    struct fixture *f = begin();
    (void)state;
    for (size_t i = 0; i < CTS_ARRAY_LEN(loads); i++) {
        f->answer.load.verdict = loads[i].status;
        assert_int_equal(seen(f), loads[i].seen);
        assert_int_equal(cts_observe_end(&f->program, &f->answer), loads[i].seen);
        assert_false(cts_answer_is_run(&f->answer));
    }
}

static void what_is_said_of_a_run_is_seen(void **state)
{
    static const struct {
        uint8_t status;
        enum cts_seen seen;
        bool flaky;
    } runs[] = {
        {CTS_RUN_COMPLETED, CTS_SEEN_RAN, false},    {CTS_RUN_FAULTED, CTS_SEEN_FAULTED, false},
        {CTS_RUN_CRASHED, CTS_SEEN_CRASHED, false},  {CTS_RUN_TIMED_OUT, CTS_SEEN_TIMED_OUT, false},
        {CTS_RUN_REFUSED, CTS_SEEN_REFUSED, false},  {CTS_RUN_UNSTEADY, CTS_SEEN_RAN, true},
        {CTS_RUN_ERROR, CTS_SEEN_LOAD_ERROR, false},
    };
    struct fixture *f = begin();
    (void)state;
    f->answer.load.verdict = CTS_LOAD_ACCEPTED;
    f->answer.run.r0 = 7;
    for (size_t i = 0; i < CTS_ARRAY_LEN(runs); i++) {
        f->answer.run.status = runs[i].status;
        const struct cts_obs o = cts_observe(&f->machine, &f->program, &f->answer);
        assert_int_equal(o.seen, runs[i].seen);
        assert_int_equal(o.flaky, runs[i].flaky);
        assert_int_equal(o.result_known, runs[i].status == CTS_RUN_COMPLETED);
        assert_int_equal(o.r0, o.result_known ? 7 : 0);
        assert_int_equal(cts_answer_is_run(&f->answer), runs[i].status == CTS_RUN_COMPLETED);
    }
}

/* Whatever stands where the answer to a run would: there was none. */
static void what_is_loaded_only_is_accepted(void **state)
{
    struct fixture *f = begin();
    (void)state;
    f->program.iterations = 0;
    f->answer.load.verdict = CTS_LOAD_ACCEPTED;
    f->answer.run.status = CTS_RUN_CRASHED;
    assert_int_equal(seen(f), CTS_SEEN_ACCEPTED);
    assert_int_equal(cts_observe_end(&f->program, &f->answer), CTS_SEEN_ACCEPTED);
}

static void a_run_that_stopped_names_the_tuple(void **state)
{
    struct fixture *f = begin();
    struct cts_arena arena;
    (void)state;
    cts_arena_init(&arena, 0);
    f->answer.load.verdict = CTS_LOAD_ACCEPTED;
    f->answer.run.status = CTS_RUN_FAULTED;
    for (uint32_t done = 0; done < 6; done++) {
        f->answer.run.done = done;
        const struct cts_wrong w = cts_observe_wrong_end(&f->seg, 1, &f->answer, &arena);
        assert_int_equal(w.tuple, done < 3 ? 1 + done : 1); /* of four tuples there are no more */
        assert_true(w.obs.flaky);
        assert_non_null(strstr(w.obs.text, "stopped"));
    }
    f->answer.load.verdict = CTS_LOAD_REJECTED;
    const struct cts_wrong w = cts_observe_wrong_end(&f->seg, 1, &f->answer, &arena);
    assert_int_equal(w.tuple, 1);
    assert_non_null(strstr(w.obs.text, "not accepted"));
    cts_arena_release(&arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_of_a_load_is_seen),
        cmocka_unit_test(what_is_said_of_a_run_is_seen),
        cmocka_unit_test(what_is_loaded_only_is_accepted),
        cmocka_unit_test(a_run_that_stopped_names_the_tuple),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
