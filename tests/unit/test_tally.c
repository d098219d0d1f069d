/* uses: base host result report */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "report/tally.h"

static const struct cts_summary whole = {.end = CTS_END_WHOLE};

static const char *const two[] = {"N037", "N012", NULL}, *const none[] = {NULL};

static struct cts_result result(const char *engine, const char *vector, const char *policy,
                                enum cts_status status)
{
    return (struct cts_result){.runtime = "rt",
                               .engine = engine,
                               .vector = vector,
                               .kase = "1",
                               .group = "base64",
                               .clauses = two,
                               .policy = policy,
                               .status = status};
}

static const struct cts_tally_line *find(const struct cts_tally *t, const char *engine,
                                         const char *key, const char *policy)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->lines[i].engine, engine) == 0 && strcmp(t->lines[i].key, key) == 0 &&
            strcmp(t->lines[i].policy, policy) == 0)
            return &t->lines[i];
    fail_msg("no line %s %s %s", engine, key, policy);
    return NULL;
}

/* A case counts for each of its clauses; what rests on a policy is apart. */
static void test_clauses(void **state)
{
    struct cts_tally t;
    struct cts_result r = result("jit", "v/1", "rfc", CTS_ST_FAIL);
    (void)state;
    cts_tally_init(&t);
    r.failure = CTS_FL_CRASH;
    cts_tally_clauses(&t, &r);
    cts_tally_clauses(&t, &r);
    r.vector = "v/2";
    r.failure = CTS_FL_WRONG_RESULT;
    cts_tally_clauses(&t, &r);
    r.policy = "structural";
    cts_tally_clauses(&t, &r);
    r.clauses = none;
    cts_tally_clauses(&t, &r);
    r.clauses = NULL;
    r.engine = "interp";
    cts_tally_clauses(&t, &r);
    assert_int_equal(t.count, 6);
    assert_false(t.failed);
    const struct cts_tally_line *l = find(&t, "rt:jit", "N012", "");
    assert_int_equal(l->status[CTS_ST_FAIL], 3);
    assert_int_equal(l->failures[CTS_FL_CRASH], 2);
    assert_int_equal(l->failures[CTS_FL_WRONG_RESULT], 1);
    assert_int_equal(l->vectors, 2);
    assert_int_equal(find(&t, "rt:jit", "N037", "")->vectors, 2);
    assert_int_equal(find(&t, "rt:jit", "N037", "structural")->vectors, 1);
    assert_int_equal(find(&t, "rt:jit", "", "structural")->status[CTS_ST_FAIL], 1);
    assert_int_equal(find(&t, "rt:interp", "", "structural")->status[CTS_ST_FAIL], 1);
    cts_tally_release(&t);
}

static void test_order(void **state)
{
    static const char *const engines[] = {"z", "a", "z"};
    static const char *const by_engine[] = {"rt:z N012", "rt:z N037", "rt:z N037 abi", "rt:a N012",
                                            "rt:a N037"};
    static const char *const by_key[] = {"rt:z N012", "rt:a N012", "rt:z N037", "rt:a N037",
                                         "rt:z N037 abi"};
    struct cts_tally t;
    (void)state;
    cts_tally_init(&t);
    for (size_t i = 0; i < 3; i++) {
        struct cts_result r = result(engines[i], "v", "rfc", CTS_ST_PASS);
        cts_tally_clauses(&t, &r);
    }
    struct cts_result r = result("z", "v", "abi", CTS_ST_PASS);
    cts_tally_add(&t, &r, "N037");
    for (int order = CTS_TALLY_BY_ENGINE; order <= CTS_TALLY_BY_KEY; order++) {
        cts_tally_sort(&t, (enum cts_tally_order)order);
        assert_int_equal(t.count, 5);
        for (size_t i = 0; i < 5; i++) {
            const struct cts_tally_line *l = &t.lines[i];
            struct cts_buf b;
            cts_buf_init(&b, 0);
            cts_buf_addf(&b, "%s %s%s%s", l->engine, l->key, l->policy[0] ? " " : "", l->policy);
            assert_string_equal(cts_buf_text(&b),
                                (order == CTS_TALLY_BY_ENGINE ? by_engine : by_key)[i]);
            cts_buf_release(&b);
        }
    }
    /* What was sorted can still be added to. */
    cts_tally_add(&t, &r, "N037");
    assert_int_equal(find(&t, "rt:z", "N037", "abi")->status[CTS_ST_PASS], 2);
    cts_tally_release(&t);
}

static const char *section(const char *clause)
{
    return strcmp(clause, "N037") == 0 ? "4.1" : NULL;
}

static void test_names(void **state)
{
    static const struct {
        const char *key, *policy, *name;
    } names[] = {
        {"N037", "", "N037 (RFC 9669 section 4.1)"},
        {"N037", "abi", "N037 (RFC 9669 section 4.1) by policy abi"},
        {"X1", "", "X1"},
        {"", "abi", "policy abi"},
    };
    const struct cts_report_opts opts = {.section = section};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char key[8], policy[8];
        struct cts_buf b;
        strcpy(key, names[i].key);
        strcpy(policy, names[i].policy);
        struct cts_tally_line l = {.key = key, .policy = policy};
        cts_buf_init(&b, 0);
        cts_tally_name(&b, &l, &opts);
        assert_string_equal(cts_buf_text(&b), names[i].name);
        cts_buf_release(&b);
    }
}

static void test_conformance(void **state)
{
    static const struct {
        uint64_t pass, fail, xfail, xpass, error, claimed_not, limit, unsupported, asked_not;
        enum cts_conformance is;
    } lines[] = {
        {.is = CTS_CF_NOT_TESTED},
        {.pass = 1, .is = CTS_CF_CONFORMANT},
        {.pass = 1, .asked_not = 5, .limit = 2, .is = CTS_CF_CONFORMANT},
        {.xpass = 1, .is = CTS_CF_CONFORMANT},
        {.asked_not = 5, .is = CTS_CF_NOT_TESTED},
        {.limit = 5, .is = CTS_CF_NOT_TESTED},
        {.pass = 99, .fail = 1, .is = CTS_CF_NOT_CONFORMANT},
        {.pass = 99, .xfail = 1, .is = CTS_CF_NOT_CONFORMANT},
        {.pass = 99, .unsupported = 1, .is = CTS_CF_NOT_CONFORMANT},
        {.fail = 1, .error = 1, .is = CTS_CF_NOT_CONFORMANT},
        {.pass = 99, .error = 1, .is = CTS_CF_NOT_TESTED},
        {.claimed_not = 9, .is = CTS_CF_NOT_CLAIMED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char policy[] = "";
        struct cts_tally_line l = {.policy = policy};
        l.status[CTS_ST_PASS] = lines[i].pass;
        l.status[CTS_ST_FAIL] = lines[i].fail;
        l.status[CTS_ST_XFAIL] = lines[i].xfail;
        l.status[CTS_ST_XPASS] = lines[i].xpass;
        l.status[CTS_ST_ERROR] = lines[i].error;
        l.skips[CTS_SK_NOT_CLAIMED] = lines[i].claimed_not;
        l.skips[CTS_SK_LIMIT] = lines[i].limit;
        l.skips[CTS_SK_UNSUPPORTED] = lines[i].unsupported;
        l.skips[CTS_SK_NOT_ASKED] = lines[i].asked_not;
        if (cts_tally_conformance(&l) != lines[i].is)
            fail_msg("line %zu is %s", i, cts_tally_verdict(&l, &whole));
    }
}

/* The RFC decides where it says something, else all policies together. */
static void test_basis(void **state)
{
    static const struct {
        const char *policy;
        enum cts_status status;
        const char *group;
    } told[] = {
        {"rfc", CTS_ST_PASS, "a"},  {"abi", CTS_ST_FAIL, "a"}, {"abi", CTS_ST_PASS, "b"},
        {"abi", CTS_ST_XFAIL, "b"}, {"x", CTS_ST_PASS, "b"},   {"rfc", CTS_ST_ERROR, "c"},
    };
    struct cts_tally t;
    size_t end;
    (void)state;
    cts_tally_init(&t);
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        struct cts_result r = result("jit", "v", told[i].policy, told[i].status);
        cts_tally_add(&t, &r, told[i].group);
    }
    cts_tally_sort(&t, CTS_TALLY_BY_ENGINE);
    struct cts_tally_line l = cts_tally_basis(&t, 0, &end);
    assert_int_equal(end, 2);
    assert_string_equal(l.policy, "");
    assert_int_equal(cts_tally_conformance(&l), CTS_CF_CONFORMANT);
    l = cts_tally_basis(&t, end, &end);
    assert_int_equal(end, 4);
    assert_true(l.policy[0]);
    assert_int_equal(l.status[CTS_ST_PASS], 2);
    assert_int_equal(l.status[CTS_ST_XFAIL], 1);
    assert_string_equal(cts_tally_verdict(&l, &whole), "not conformant by policy");
    const struct cts_summary cut = {.end = CTS_END_INTERRUPTED, .not_run = 1};
    assert_string_equal(cts_tally_verdict(&l, &cut), "not conformant by policy");
    l = cts_tally_basis(&t, 0, &end);
    assert_string_equal(cts_tally_verdict(&l, &whole), "conformant");
    assert_string_equal(cts_tally_verdict(&l, &cut), "not tested to the end");
    l = cts_tally_basis(&t, end, &end);
    l = cts_tally_basis(&t, end, &end);
    assert_int_equal(end, 5);
    assert_int_equal(cts_tally_conformance(&l), CTS_CF_NOT_TESTED);
    cts_tally_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clauses), cmocka_unit_test(test_order),
        cmocka_unit_test(test_names),   cmocka_unit_test(test_conformance),
        cmocka_unit_test(test_basis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
