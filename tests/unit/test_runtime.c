/* uses: base host load */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load/runtime.h"

static const char head[] = "name: here\ntitle: Here\nworker: here\n"
                           "engines:\n  - {name: one, what: the one}\n";

/* Reads a runtime that ends in `text`. */
static int load(const char *text, struct cts_arena *arena, struct cts_rt *rt, struct cts_err *err)
{
    char dir[] = "/tmp/cts-runtime-XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/runtime.yaml", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "%s%s", head, text);
    fclose(f);
    cts_arena_init(arena, 0);
    int rc = cts_rt_load(dir, arena, rt, err);
    unlink(path);
    rmdir(dir);
    return rc;
}

static void test_policies(void **state)
{
    struct cts_arena arena;
    struct cts_rt rt;
    struct cts_err err = {0};
    (void)state;
    int rc = load("  - {name: two, what: b, policies: [abi, callx]}\n"
                  "  - {name: three, what: c, policies: all}\n",
                  &arena, &rt, &err);
    if (rc != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(rt.engine_count, 3);
    assert_null(rt.engines[0].policies);
    assert_string_equal(rt.engines[1].policies[0], "abi");
    assert_string_equal(rt.engines[1].policies[1], "callx");
    assert_null(rt.engines[1].policies[2]);
    assert_null(rt.engines[2].policies);
    cts_arena_release(&arena);
    assert_int_not_equal(load("  - {name: two, what: b, policies: {a: b}}\n", &arena, &rt, &err),
                         0);
    cts_arena_release(&arena);
}

static void test_limits(void **state)
{
    struct cts_arena arena;
    struct cts_rt rt;
    struct cts_err err = {0};
    (void)state;
    int rc = load("restrictions:\n"
                  "  - {insns: [add64_k], when: {imm-from: 5, alias: true}, reason: a}\n"
                  "  - {when: {rejection: \"*loop*\", branches-from: 9}, reason: b}\n"
                  "  - {when: {policy: imported}, reason: c}\n"
                  "  - {reason: c}\n",
                  &arena, &rt, &err);
    if (rc != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(rt.limit_count, 4);
    const struct cts_rt_limit *l = rt.limits;
    assert_string_equal(l[0].rows[0], "add64_k");
    assert_true(l[0].has_imm && l[0].imm_above && l[0].alias && l[0].imm == 5);
    assert_null(l[0].refusal);
    assert_int_equal(l[0].branches_from, 0);
    assert_null(l[1].rows);
    assert_string_equal(l[1].refusal, "*loop*");
    assert_int_equal(l[1].branches_from, 9);
    assert_false(l[1].has_imm || l[1].has_dst || l[1].has_src || l[1].has_off || l[1].alias);
    assert_null(l[1].policy);
    assert_null(l[2].refusal);
    assert_string_equal(l[2].policy, "imported");
    assert_null(l[3].policy);
    cts_arena_release(&arena);
}

static void test_bad_limits(void **state)
{
    static const char *const bad[] = {"{branches-from: 0}", "{branches-from: many}",
                                      "{rejection: [a]}",   "{policy: [a]}",
                                      "{dst: 16}",          "{word: a}"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct cts_arena arena;
        struct cts_rt rt;
        struct cts_err err = {0};
        char text[128];
        snprintf(text, sizeof(text), "restrictions:\n  - {when: %s, reason: a}\n", bad[i]);
        if (load(text, &arena, &rt, &err) == 0)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(err.line, 7);
        cts_arena_release(&arena);
    }
}

static void test_flags(void **state)
{
    static const struct {
        const char *text;
        int rc;
        bool optional, unverified;
    } runs[] = {
        {"", 0, false, false},
        {"optional: true\nverifier: false\n", 0, true, true},
        {"optional: false\nverifier: true\n", 0, false, false},
        {"verifier: none\n", CTS_E_SCHEMA, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        struct cts_arena arena;
        struct cts_rt rt;
        assert_int_equal(load(runs[i].text, &arena, &rt, NULL), runs[i].rc);
        if (runs[i].rc == 0) {
            assert_int_equal(rt.optional, runs[i].optional);
            assert_int_equal(rt.unverified, runs[i].unverified);
        }
        cts_arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_policies),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_bad_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
