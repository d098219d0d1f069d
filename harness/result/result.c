#include "result/result.h"

#include <string.h>

const char *cts_status_name(enum cts_status s)
{
    static const char *const names[CTS_ST_COUNT] = {
        [CTS_ST_PASS] = "pass",   [CTS_ST_FAIL] = "fail",   [CTS_ST_SKIP] = "skip",
        [CTS_ST_ERROR] = "error", [CTS_ST_XFAIL] = "xfail", [CTS_ST_XPASS] = "xpass",
    };
    return (unsigned)s < CTS_ST_COUNT ? names[s] : "unknown";
}

const char *cts_skip_name(enum cts_skip s)
{
    static const char *const names[CTS_SK_COUNT] = {
        [CTS_SK_NONE] = "none",
        [CTS_SK_NOT_ASKED] = "not-asked",
        [CTS_SK_NOT_CLAIMED] = "not-claimed",
        [CTS_SK_LIMIT] = "limit",
        [CTS_SK_UNSUPPORTED] = "unsupported",
        [CTS_SK_MACHINE] = "machine",
        [CTS_SK_UNTESTABLE] = "not-testable",
    };
    return (unsigned)s < CTS_SK_COUNT ? names[s] : "unknown";
}

const char *cts_failure_name(enum cts_failure f)
{
    static const char *const names[CTS_FL_COUNT] = {
        [CTS_FL_NONE] = "none",
        [CTS_FL_WRONG_RESULT] = "wrong-result",
        [CTS_FL_WRONGLY_ACCEPTED] = "wrongly-accepted",
        [CTS_FL_WRONGLY_REJECTED] = "wrongly-rejected",
        [CTS_FL_UNEXPECTED_FAULT] = "unexpected-fault",
        [CTS_FL_CRASH] = "crash",
        [CTS_FL_TIMEOUT] = "timeout",
        [CTS_FL_FLAKY] = "flaky",
    };
    return (unsigned)f < CTS_FL_COUNT ? names[f] : "unknown";
}

const char *cts_end_name(enum cts_end e)
{
    static const char *const names[CTS_END_COUNT] = {
        [CTS_END_WHOLE] = "whole",
        [CTS_END_INTERRUPTED] = "interrupted",
        [CTS_END_MAX_FAILS] = "stopped at the limit of failures",
    };
    return (unsigned)e < CTS_END_COUNT ? names[e] : "unknown";
}

const char *cts_engine_state_name(enum cts_engine_state s)
{
    static const char *const names[CTS_EN_COUNT] = {
        [CTS_EN_RUNS] = "runs", [CTS_EN_SKIPPED] = "skipped", [CTS_EN_BROKEN] = "broken"};
    return (unsigned)s < CTS_EN_COUNT ? names[s] : "unknown";
}

bool cts_failure_is(const char *name)
{
    for (int f = CTS_FL_NONE + 1; f < CTS_FL_COUNT; f++)
        if (strcmp(cts_failure_name((enum cts_failure)f), name) == 0)
            return true;
    return false;
}

void cts_summary_add(struct cts_summary *s, const struct cts_result *r)
{
    s->count[r->status]++;
    if (r->status == CTS_ST_FAIL || r->status == CTS_ST_XFAIL)
        s->failures[r->failure]++;
    s->operand_tuples += r->operand_tuples;
}

uint64_t cts_summary_passed(const struct cts_summary *s)
{
    return s->count[CTS_ST_PASS];
}

uint64_t cts_summary_failed(const struct cts_summary *s)
{
    return s->count[CTS_ST_FAIL] + s->count[CTS_ST_XPASS] + s->count[CTS_ST_ERROR];
}

uint64_t cts_summary_skipped(const struct cts_summary *s)
{
    return s->count[CTS_ST_SKIP] + s->count[CTS_ST_XFAIL];
}
