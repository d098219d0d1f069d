/* uses: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/effort.h"

enum { LIMIT_MS = 320, TICK_MS = 20 };

static void sleeps(void)
{
    for (;;)
        pause();
}

static void spins(void)
{
    for (volatile unsigned n = 0;; n++)
        ;
}

/* A child that sleeps until its own child is over. */
static void has_a_child(void)
{
    if (fork() == 0)
        spins();
    for (;;)
        pause();
}

/* A child on the first processor that this process may have; `nice`: how much it yields. */
static pid_t start(void (*what)(void), int nice_by)
{
    cpu_set_t all, one;
    pid_t parent = getpid(), pid = fork();
    assert_true(pid >= 0);
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    unsigned cpu = 0;
    sched_getaffinity(0, sizeof(all), &all);
    while (!CPU_ISSET(cpu, &all))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (getppid() == parent && sched_setaffinity(0, sizeof(one), &one) == 0 &&
        setpriority(PRIO_PROCESS, 0, nice_by) == 0)
        what();
    _exit(1);
}

static void end(pid_t pid)
{
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void sleep_ms(unsigned ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

static void tick(struct cts_effort *e)
{
    do
        sleep_ms(cts_effort_wait_ms(e));
    while (!cts_effort_is_due(e));
    cts_effort_tick(e);
}

/* Whatever the machine does, who sleeps or spins is found out in the end. */
static void test_sleeping_and_spinning_count(void **state)
{
    static void (*const what[])(void) = {sleeps, spins, has_a_child};
    (void)state;
    for (unsigned i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
        struct cts_effort e;
        pid_t pid = start(what[i], 0);
        cts_effort_start(&e, pid, LIMIT_MS);
        while (!cts_effort_is_over(&e, LIMIT_MS))
            tick(&e);
        assert_true(e.passed >= e.own);
        end(pid);
    }
}

/* Of two on one processor, the one that gets next to nothing of it is not charged for the other's
 * time. */
static void test_starving_does_not_count(void **state)
{
    struct cts_effort e;
    (void)state;
    pid_t greedy = start(spins, 0);
    for (unsigned i = 0; i < 2; i++) {
        pid_t meek = start(i ? has_a_child : spins, 19);
        sleep_ms(2 * TICK_MS);
        cts_effort_start(&e, meek, LIMIT_MS);
        while (e.passed < 5 * (uint64_t)LIMIT_MS * 1000000)
            tick(&e);
        if (e.own >= e.passed / 2)
            fail_msg("%llu of %llu ns", (unsigned long long)e.own, (unsigned long long)e.passed);
        end(meek);
    }
    end(greedy);
}

/* A spinning process is charged what it used, and no more. */
static void test_it_is_the_processors_time(void **state)
{
    struct cts_effort_look before, after;
    struct cts_effort e;
    (void)state;
    pid_t greedy = start(spins, 0), pid = start(spins, 0);
    assert_true(cts_effort_look_at(pid, &before));
    cts_effort_start(&e, pid, LIMIT_MS);
    while (!cts_effort_is_over(&e, LIMIT_MS))
        tick(&e);
    assert_true(cts_effort_look_at(pid, &after));
    assert_true(after.cpu - before.cpu >= e.own);
    assert_true(after.ready);
    end(pid);
    end(greedy);
}

/* Time in which nobody looked, because all stood still, is nobody's. */
static void test_late_ticks(void **state)
{
    struct cts_effort e;
    (void)state;
    pid_t pid = start(sleeps, 0);
    cts_effort_start(&e, pid, LIMIT_MS);
    for (unsigned i = 1; i <= 4; i++) {
        sleep_ms(10 * TICK_MS);
        cts_effort_tick(&e);
        assert_true(e.passed == (uint64_t)i * 2 * TICK_MS * 1000000);
        assert_true(e.own == (uint64_t)(i - 1) * 2 * TICK_MS * 1000000);
    }
    sleep_ms(2 * TICK_MS);
    cts_effort_excuse(&e);
    assert_true(e.own == 3ull * 2 * TICK_MS * 1000000);
    assert_true(e.passed == 5ull * 2 * TICK_MS * 1000000);
    cts_effort_reset(&e);
    assert_true(e.own == 0 && e.passed == 0);
    end(pid);
}

/* Where nothing can be known of it, all time counts. */
static void test_nobody_there(void **state)
{
    struct cts_effort_look look;
    struct cts_effort e;
    (void)state;
    pid_t pid = start(sleeps, 0);
    end(pid);
    assert_false(cts_effort_look_at(pid, &look));
    cts_effort_start(&e, pid, LIMIT_MS);
    tick(&e);
    assert_true(e.own > 0 && e.own == e.passed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sleeping_and_spinning_count),
        cmocka_unit_test(test_starving_does_not_count),
        cmocka_unit_test(test_it_is_the_processors_time),
        cmocka_unit_test(test_late_ticks),
        cmocka_unit_test(test_nobody_there),
    };
    return cmocka_run_group_tests_name("effort", tests, NULL, NULL);
}
