/* uses: base host */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "host/fs.h"
#include "host/solver.h"

/* A solver as a shell script: says what is echoed, and does what no solver should. */
static const char script[] = "#!/bin/sh\n"
                             "while read -r line; do\n"
                             "    case $line in\n"
                             "    '(echo \"'*) line=${line#*'\"'}; echo \"${line%'\"'*}\" ;;\n"
                             "    '(compute)') while :; do :; done ;;\n"
                             "    '(wait)') sleep 1 ;;\n"
                             "    '(die)') exit 3 ;;\n"
                             "    '(noise)') echo noise >&2 ;;\n"
                             "    '(skip)') read -r line ;;\n"
                             "    esac\n"
                             "done\n";

struct fixture {
    char dir[4096], path[4200];
    struct cts_buf answers;
    struct cts_err err;
};

static int setup(void **state)
{
    static struct fixture f;

    *state = &f;
    cts_buf_init(&f.answers, 0);
    if (cts_fs_temp_dir(f.dir, sizeof(f.dir), NULL) != 0)
        return -1;
    snprintf(f.path, sizeof(f.path), "%s/solver", f.dir);
    return cts_fs_write_atomic(f.path, script, strlen(script), NULL) || chmod(f.path, 0700);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    cts_buf_release(&f->answers);
    cts_fs_remove_tree(f->dir);
    return 0;
}

static int ask(struct fixture *f, const char *common, unsigned cpu_ms,
               struct cts_solver_question *q, size_t n)
{
    const struct cts_solver_opts opts = {.program = f->path, .common = common, .cpu_ms = cpu_ms};

    f->err = (struct cts_err){0};
    return cts_solver_ask(&opts, q, n, &f->answers, &f->err);
}

static void is_answer(const struct fixture *f, const struct cts_solver_question *q,
                      enum cts_solver_end end, const char *text)
{
    assert_int_equal(q->end, end);
    assert_int_equal(q->len, strlen(text));
    assert_memory_equal(f->answers.data ? f->answers.data + q->at : "", text, q->len);
}

static void test_answers(void **state)
{
    struct fixture *f = *state;
    struct cts_solver_question q[] = {{.text = "(echo \"one\")\n(noise)\n(echo \"two\")\n"},
                                      {.text = "(assert true)\n"},
                                      {.text = "(echo \"three\")\n"}};

    assert_int_equal(ask(f, "(declare)\n", 60000, q, 3), 0);
    is_answer(f, &q[0], CTS_SOLVER_ANSWERED, "one\ntwo\n");
    is_answer(f, &q[1], CTS_SOLVER_ANSWERED, "");
    is_answer(f, &q[2], CTS_SOLVER_ANSWERED, "three\n");
    assert_int_equal(ask(f, NULL, 60000, q, 0), 0);
}

/* Time that passes is not the solver's: waiting for three seconds with a budget of one. */
static void test_waiting_costs_nothing(void **state)
{
    struct fixture *f = *state;
    struct cts_solver_question q[] = {{.text = "(wait)\n(wait)\n(wait)\n(echo \"late\")\n"}};

    assert_int_equal(ask(f, NULL, 1000, q, 1), 0);
    is_answer(f, &q[0], CTS_SOLVER_ANSWERED, "late\n");
}

/* One question that takes too long, or that the solver dies of, costs no other one its answer. */
static void test_budget_of_each(void **state)
{
    struct fixture *f = *state;
    struct cts_solver_question q[] = {
        {.text = "(echo \"a\")\n"}, {.text = "(echo \"half\")\n(compute)\n(echo \"never\")\n"},
        {.text = "(echo \"c\")\n"}, {.text = "(die)\n"},
        {.text = "(echo \"e\")\n"}, {.text = "(compute)\n"}};

    assert_int_equal(ask(f, "(declare)\n", 300, q, CTS_ARRAY_LEN(q)), 0);
    is_answer(f, &q[0], CTS_SOLVER_ANSWERED, "a\n");
    is_answer(f, &q[1], CTS_SOLVER_SPENT, "half\n");
    is_answer(f, &q[2], CTS_SOLVER_ANSWERED, "c\n");
    is_answer(f, &q[3], CTS_SOLVER_DIED, "");
    is_answer(f, &q[4], CTS_SOLVER_ANSWERED, "e\n");
    is_answer(f, &q[5], CTS_SOLVER_SPENT, "");
}

/* A solver whose steps are over does not go on: the next question begins from the common part. */
static void test_steps(void **state)
{
    struct fixture *f = *state;
    struct cts_solver_question q[] = {{.text = "(echo \"unknown\")\n"},
                                      {.text = "(echo \"(error canceled)\")\n(echo \"b\")\n"},
                                      {.text = "(echo \"c\")\n"}};
    const struct cts_solver_opts opts = {
        .program = f->path, .common = "(common)\n", .steps = 100, .cpu_ms = 60000};

    assert_int_equal(cts_solver_ask(&opts, q, 3, &f->answers, &f->err), 0);
    is_answer(f, &q[0], CTS_SOLVER_ANSWERED, "unknown\n");
    is_answer(f, &q[1], CTS_SOLVER_ANSWERED, "(error canceled)\nb\n");
    is_answer(f, &q[2], CTS_SOLVER_ANSWERED, "c\n");
    assert_false(cts_solver_gave_up("(error \"unknown constant\")"));
}

static void test_refused(void **state)
{
    struct fixture *f = *state;
    struct cts_solver_question q[] = {{.text = "(skip)\n"}, {.text = "(echo \"b\")\n"}};
    const struct cts_solver_opts none = {.program = "no-such-solver"};

    assert_int_equal(ask(f, "(echo \"what?\")\n", 1000, q, 2), CTS_E_TOOL);
    assert_non_null(strstr(f->err.msg, "what?"));
    assert_int_equal(ask(f, "(die)\n", 1000, q, 2), CTS_E_TOOL);
    assert_non_null(strstr(f->err.msg, "exit 3"));
    /* An answer whose question is not known is none. */
    assert_int_equal(ask(f, NULL, 1000, q, 2), CTS_E_TOOL);
    assert_non_null(strstr(f->err.msg, "instead of 1"));
    assert_int_equal(cts_solver_ask(&none, q, 2, &f->answers, &f->err), CTS_E_UNSUPPORTED);
    assert_false(cts_solver_is_here("no-such-solver"));
    assert_true(cts_solver_is_here(f->path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),        cmocka_unit_test(test_waiting_costs_nothing),
        cmocka_unit_test(test_budget_of_each), cmocka_unit_test(test_steps),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
