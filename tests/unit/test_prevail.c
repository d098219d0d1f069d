/* uses: base wire rt_prevail */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "rt_prevail/prevail.h"

/* What PREVAIL v0.2.6 says, word for word, and what it means. */
static const struct {
    enum cts_child_end end;
    int number;
    uint32_t slots;
    const char *out, *err;
    enum cts_load_status verdict;
    const char *text;
} runs[] = {
    {CTS_CHILD_EXITED, 0, 2, "PASS: xdp/main\n", "", CTS_LOAD_ACCEPTED, ""},
    {CTS_CHILD_EXITED, 1, 2,
     "FAIL: xdp/main\n1: Invalid type (r0.type == number)\n\nHint: run with --failure-slice for a "
     "causal trace, or -v for full invariants.\n",
     "", CTS_LOAD_REJECTED, "1: Invalid type (r0.type == number)"},
    {CTS_CHILD_EXITED, 1, 2, "FAIL: xdp/main\n", "", CTS_LOAD_REJECTED, "FAIL: xdp/main"},
    {CTS_CHILD_EXITED, 1, 2, "unmarshaling error at 0: bad instruction op 0x8f\n\n", "",
     CTS_LOAD_REJECTED, "unmarshaling error at 0: bad instruction op 0x8f"},
    {CTS_CHILD_EXITED, 1, 1, "", "error: fallthrough in last instruction\n", CTS_LOAD_REJECTED,
     "fallthrough in last instruction"},
    {CTS_CHILD_EXITED, 1, 0, "available programs:\n", "error: No executable sections\n",
     CTS_LOAD_REJECTED, "No executable sections"},

    /* Nothing of this is a verdict. */
    {CTS_CHILD_EXITED, 1, 2, "available programs:\n", "error: No executable sections\n",
     CTS_LOAD_ERROR, "prevail: exit 1: error: No executable sections"},
    {CTS_CHILD_EXITED, 1, 2, "", "error: Can't process ELF file /dev/stdin\n", CTS_LOAD_ERROR,
     "prevail: exit 1: error: Can't process ELF file /dev/stdin"},
    {CTS_CHILD_EXITED, 1, 2, "", "error: Permission denied opening /dev/stdin\n", CTS_LOAD_ERROR,
     "prevail: exit 1: error: Permission denied opening /dev/stdin"},
    {CTS_CHILD_EXITED, 0, 2, "", "", CTS_LOAD_ERROR, "prevail: exit 0"},
    {CTS_CHILD_EXITED, 0, 2, "it did not PASS: xdp/main\n", "", CTS_LOAD_ERROR,
     "prevail: exit 0: it did not PASS: xdp/main"},
    {CTS_CHILD_EXITED, 0, 2, "PASS: xdp/main\nFAIL: xdp/main\n", "", CTS_LOAD_ERROR,
     "prevail: exit 0: PASS: xdp/main"},
    {CTS_CHILD_EXITED, 1, 2, "PASS: xdp/main\n", "", CTS_LOAD_ERROR,
     "prevail: exit 1: PASS: xdp/main"},
    {CTS_CHILD_EXITED, 2, 2, "FAIL: xdp/main\n", "internal error: oh\nthis is a bug\n",
     CTS_LOAD_ERROR, "prevail: exit 2: internal error: oh"},
    {CTS_CHILD_EXITED, 105, 2, "", "path is required\n", CTS_LOAD_ERROR,
     "prevail: exit 105: path is required"},
    {CTS_CHILD_SIGNALED, 11, 2, "PASS: xdp/main\n", "", CTS_LOAD_CRASHED,
     "prevail: signal 11 (SIGSEGV): PASS: xdp/main"},
    {CTS_CHILD_TIMED_OUT, 0, 2, "PASS: xdp/main\n", "", CTS_LOAD_TIMED_OUT,
     "prevail: did not end within 1000 ms: PASS: xdp/main"},
    {CTS_CHILD_FLOODED, 0, 2, "", "", CTS_LOAD_ERROR, "prevail: wrote more than 4194304 bytes"},
    {CTS_CHILD_NOT_STARTED, 2, 2, "", "", CTS_LOAD_ERROR,
     "prevail: cannot be started: No such file or directory"},
};

static void test_verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < CTS_ARRAY_LEN(runs); i++) {
        char out[512], err[512];
        snprintf(out, sizeof(out), "%s", runs[i].out);
        snprintf(err, sizeof(err), "%s", runs[i].err);
        const struct cts_child run = {.timeout_ms = 1000,
                                      .out = {.text = out, .len = strlen(out)},
                                      .err = {.text = err, .len = strlen(err)},
                                      .end = runs[i].end,
                                      .number = runs[i].number};
        struct cts_load_res res = {.verdict = CTS_LOAD_ERROR};
        cts_prevail_verdict(&run, runs[i].slots, &res);
        if (res.verdict != runs[i].verdict || strcmp(res.text, runs[i].text) != 0)
            fail_msg("%zu: %d, %s", i, res.verdict, res.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
