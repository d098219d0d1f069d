/* uses: base isa wire rt_linux */
/* ctest: lock=switches */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "rt_linux/bpfsys.h"
#include "rt_linux/lx.h"

/* The switches of the machine, and the lock that guards them: who changes one, who waits, who dies.
 */

static int read_value(void *arg)
{
    return cts_lx_knobs_value(arg, CTS_LX_JIT_HARDEN);
}

static void undo_nothing(void *arg, int rc)
{
    (void)arg;
    (void)rc;
}

static int report_and_wait(void *arg)
{
    if (write(*(int *)arg, "x", 1) == 1)
        pause();
    return 0;
}

/* The value is restored although the process that changed it is killed, and nobody sees the wrong
 * one before that. */
static void test_killed_while_changed(void **state)
{
    struct cts_lx_knobs mine;
    struct cts_err err = {0};
    int before, other, ends[2], status, seen;
    char byte;
    pid_t child;

    (void)state;
    cts_lx_knobs_open(&mine);
    before = cts_lx_knobs_value(&mine, CTS_LX_JIT_HARDEN);
    other = before == 2 ? 1 : 2;
    if (before < 0 || cts_lx_knobs_want(&mine, CTS_LX_JIT_HARDEN, before, &err) < 0) {
        print_message("bpf_jit_harden cannot be changed here: %s\n", err.msg);
        cts_lx_knobs_close(&mine);
        skip();
    }
    mine.want[CTS_LX_JIT_HARDEN] = CTS_LX_KNOB_AS_IS;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        struct cts_lx_knobs k;

        setpgid(0, 0);
        cts_lx_knobs_open(&k);
        if (cts_lx_knobs_want(&k, CTS_LX_JIT_HARDEN, other, NULL) < 0)
            _exit(1);
        cts_lx_knobs_around(&k, report_and_wait, undo_nothing, &ends[1]);
        _exit(1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(cts_lx_knobs_value(&mine, CTS_LX_JIT_HARDEN), other);
    kill(-child, SIGKILL); /* the group, as the harness does */
    seen = cts_lx_knobs_around(&mine, read_value, undo_nothing, &mine);
    assert_int_equal(seen, before);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    close(ends[0]);
    cts_lx_knobs_close(&mine);
}

static int count_changed(struct cts_lx_knobs *k, int want, int times)
{
    int wrong = 0;

    for (int i = 0; i < times; i++)
        wrong += cts_lx_knobs_around(k, read_value, undo_nothing, k) != want;
    return wrong;
}

/* Two processes, each wanting its own value, and one that wants none changed: each sees only its
 * own. */
static void test_contention(void **state)
{
    enum { PROCESSES = 3, TIMES = 300 };
    struct cts_lx_knobs k;
    int before, wrong = 0;
    pid_t child[PROCESSES];

    (void)state;
    cts_lx_knobs_open(&k);
    before = cts_lx_knobs_value(&k, CTS_LX_JIT_HARDEN);
    if (before < 0 || cts_lx_knobs_want(&k, CTS_LX_JIT_HARDEN, before, NULL) < 0) {
        cts_lx_knobs_close(&k);
        skip();
    }
    cts_lx_knobs_close(&k);
    for (int i = 0; i < PROCESSES; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            int want = i == 0 ? before : i, bad;

            cts_lx_knobs_open(&k);
            if (i > 0 && cts_lx_knobs_want(&k, CTS_LX_JIT_HARDEN, want, NULL) < 0)
                _exit(99);
            bad = count_changed(&k, want, TIMES);
            cts_lx_knobs_close(&k);
            _exit(bad > 90 ? 90 : bad);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;

        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_true(WIFEXITED(status));
        wrong += WEXITSTATUS(status);
    }
    assert_int_equal(wrong, 0);
}

struct turns {
    _Atomic unsigned ready, asked, number, last; /* last: the number of the other's last turn */
};

static int take_number(void *arg)
{
    struct turns *t = arg;

    return (int)atomic_fetch_add(&t->number, 1);
}

/* Is the process asleep? */
static bool is_asleep(pid_t pid)
{
    char path[32], text[256] = "";
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof(text), f));
    fclose(f);
    return strstr(text, ") S ") || strstr(text, ") D ");
}

struct holding {
    struct turns *turns;
    pid_t other;
};

/* While it has the lock: until the other waits for it. */
static int hold_until_wanted(void *arg)
{
    const struct holding *h = arg;

    atomic_fetch_add(&h->turns->asked, 1);
    /* On its way to the lock it may sleep for a moment, too. */
    for (unsigned looks = 0; looks < 5; looks = is_asleep(h->other) ? looks + 1 : 0)
        usleep(500);
    return 0;
}

/* Who gives the lock back and wants it again at once comes after those who have waited for it. */
static void test_turns(void **state)
{
    enum { TIMES = 50 };
    struct turns *t =
        mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct cts_lx_knobs k;
    struct holding holding = {.turns = t};
    unsigned overtaken = 0;

    (void)state;
    assert_ptr_not_equal(t, MAP_FAILED);
    cts_lx_knobs_open(&k);
    if (cts_lx_knobs_want(&k, CTS_LX_JIT_HARDEN, 2, NULL) < 0) {
        cts_lx_knobs_close(&k);
        skip();
    }
    holding.other = fork();
    if (holding.other == 0) {
        struct cts_lx_knobs patient;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        cts_lx_knobs_open(&patient);
        cts_lx_knobs_want(&patient, CTS_LX_JIT_HARDEN, 2, NULL);
        atomic_store(&t->ready, 1);
        for (unsigned i = 1;; i++) {
            while (atomic_load(&t->asked) < i)
                sched_yield();
            atomic_store(&t->last,
                         (unsigned)cts_lx_knobs_around(&patient, take_number, undo_nothing, t) + 1);
        }
    }
    while (!atomic_load(&t->ready))
        sched_yield();
    for (unsigned i = 1; i <= TIMES; i++) {
        unsigned mine;

        cts_lx_knobs_around(&k, hold_until_wanted, undo_nothing, &holding);
        mine = (unsigned)cts_lx_knobs_around(&k, take_number, undo_nothing, t);
        while (atomic_load(&t->last) < 2 * i - 1)
            sched_yield();
        overtaken += atomic_load(&t->last) > mine + 1;
        atomic_store(&t->last, 2 * i);
    }
    kill(holding.other, SIGKILL);
    waitpid(holding.other, NULL, 0);
    cts_lx_knobs_close(&k);
    munmap(t, sizeof(*t));
    assert_int_equal(overtaken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_while_changed),
        cmocka_unit_test(test_contention),
        cmocka_unit_test(test_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
