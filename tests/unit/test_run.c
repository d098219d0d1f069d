/* uses: base host isa wire pack result core */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "book.h"

/* The whole way, with the reference worker. */

enum { CASES = 16 };

struct told {
    struct court court;
    struct cts_result result[CASES];
    char message[CASES][256];
    unsigned results, engines, ends;
    struct cts_engine_info info;
    char reason[512];
    struct cts_summary summary;
};

static void hear_engine(void *arg, const struct cts_engine_info *info)
{
    struct told *t = arg;
    t->engines++;
    t->info = *info;
    snprintf(t->reason, sizeof(t->reason), "%s", info->reason ? info->reason : "");
}

static void hear_result(void *arg, const struct cts_result *r)
{
    struct told *t = arg;
    assert_true(t->results < CASES);
    snprintf(t->message[t->results], sizeof(t->message[0]), "%s", r->message);
    t->result[t->results] = *r;
    t->result[t->results].message = t->message[t->results];
    t->results++;
}

static void hear_end(void *arg, const struct cts_summary *s)
{
    struct told *t = arg;
    t->ends++;
    assert_ptr_equal(s, &t->summary);
}

static int run_core(struct told *t, const struct cts_target *target, struct cts_core_opts *opts,
                    struct cts_err *err)
{
    const struct cts_sink sink = {
        .arg = t, .engine = hear_engine, .result = hear_result, .end = hear_end};
    t->results = t->engines = t->ends = 0;
    t->summary = (struct cts_summary){0};
    opts->timeout_ms = 20000;
    opts->jobs = opts->jobs ? opts->jobs : 1;
    return cts_core_run(&t->court.book.pack, target, 1, opts, &sink, &t->summary, err);
}

static const char *const reference[] = {CTS_BINARY_DIR "/cts-worker-reference", NULL};

static struct cts_target reference_target(void)
{
    return (struct cts_target){
        .runtime = "reference", .engine = "interp", .argv = reference, .groups = UINT64_MAX};
}

static uint32_t add_simple(struct book *b, const char *id, enum cts_outcome_kind kind, uint64_t r0)
{
    uint32_t v = add_vector(b, id, CTS_INSN_MOV64_K);
    add_whole(b, return_5, 2);
    if (kind == CTS_OUT_RAN)
        allow_r0(b, kind, r0);
    else
        allow(b, kind);
    return v;
}

static void check_told(const struct told *t, unsigned i, const char *vector, enum cts_status status,
                       enum cts_failure failure, const char *known)
{
    const struct cts_result *r = &t->result[i];
    assert_true(i < t->results);
    assert_string_equal(r->vector, vector);
    if (r->status != status || r->failure != failure)
        fail_msg("%s: %s, %s: %s", vector, cts_status_name(r->status), cts_failure_name(r->failure),
                 r->message);
    assert_string_equal(r->known ? r->known : "", known);
}

/* The target's list: those n entries. */
static void expect(struct cts_target *target, const struct cts_known *known, size_t n,
                   const struct cts_known **list)
{
    for (size_t i = 0; i < n; i++)
        list[i] = &known[i];
    target->known = list;
    target->known_count = n;
}

static void test_run_known(void **state)
{
    static const char *const jit[] = {"jit", NULL}, *const both[] = {"jit", "interp", NULL};
    static const struct cts_known known[] = {
        {.vectors = "other/*", .reason = "matches nothing"},
        {.vectors = "k/fails", .engines = jit, .reason = "of another engine"},
        {.vectors = "k/fails", .engines = both, .reason = "fails as told"},
        {.vectors = "k/fail?-2", .failure = "wrong-result", .reason = "fails in this way"},
        {.vectors = "k/fails-3", .failure = "wrongly-rejected", .reason = "fails in another way"},
        {.vectors = "k/passes", .reason = "was to fail"},
        {.vectors = "k/by-case#1", .failure = "wrongly-accepted", .reason = "this case"},
        {.vectors = "k/by-case-2#2", .reason = "another case"},
        {.vectors = "k/skipped", .reason = "not even asked"},
    };
    const struct cts_known *list[CTS_ARRAY_LEN(known)];
    static struct told t;
    struct cts_core_opts opts = {.jobs = 2};
    struct cts_target target = reference_target();
    struct book *b = &t.court.book;
    (void)state;
    court_init(&t.court);
    expect(&target, known, CTS_ARRAY_LEN(known), list);
    add_simple(b, "k/right", CTS_OUT_RAN, 5);
    add_simple(b, "k/fails", CTS_OUT_RAN, 6);
    add_simple(b, "k/fails-2", CTS_OUT_RAN, 6);
    add_simple(b, "k/fails-3", CTS_OUT_RAN, 6);
    add_simple(b, "k/passes", CTS_OUT_RAN, 5);
    add_simple(b, "k/by-case", CTS_OUT_REJECTED, 0);
    add_simple(b, "k/by-case-2", CTS_OUT_REJECTED, 0);
    b->kase[b->vector[add_simple(b, "k/skipped", CTS_OUT_RAN, 5)].cases.first].order =
        CTS_ORDER_BIG;
    assert_int_equal(run_core(&t, &target, &opts, NULL), 0);
    assert_int_equal(t.results, 8);
    check_told(&t, 0, "k/right", CTS_ST_PASS, CTS_FL_NONE, "");
    check_told(&t, 1, "k/fails", CTS_ST_XFAIL, CTS_FL_WRONG_RESULT, "fails as told");
    check_told(&t, 2, "k/fails-2", CTS_ST_XFAIL, CTS_FL_WRONG_RESULT, "fails in this way");
    check_told(&t, 3, "k/fails-3", CTS_ST_FAIL, CTS_FL_WRONG_RESULT, "");
    check_told(&t, 4, "k/passes", CTS_ST_XPASS, CTS_FL_NONE, "was to fail");
    check_told(&t, 5, "k/by-case", CTS_ST_XFAIL, CTS_FL_WRONGLY_ACCEPTED, "this case");
    check_told(&t, 6, "k/by-case-2", CTS_ST_FAIL, CTS_FL_WRONGLY_ACCEPTED, "");
    check_told(&t, 7, "k/skipped", CTS_ST_SKIP, CTS_FL_NONE, "");
    assert_int_equal(cts_summary_passed(&t.summary), 1);
    assert_int_equal(cts_summary_failed(&t.summary), 3);
    assert_int_equal(cts_summary_skipped(&t.summary), 4);
    assert_int_equal(t.summary.cases, 8);
    assert_int_equal(t.engines, 1);
    assert_int_equal(t.ends, 1);
    court_release(&t.court);
}

/* A vector of two variants, of r0 and of r1, each of which is right or not. */
static void add_variants(struct book *b, const char *id, bool r0_is_right, bool r1_is_right)
{
    static const char *const label[] = {"dst=r0 opaque", "dst=r1 opaque"};
    const bool right[] = {r0_is_right, r1_is_right};
    add_vector(b, id, CTS_INSN_MOV64_K);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t unit = add_whole(b, return_5, 2);
        allow_r0(b, CTS_OUT_RAN, right[i] ? 5 : 6);
        b->unit[unit].label = say(b, label[i]);
    }
}

static const char *variant_of(const struct told *t, unsigned i)
{
    return t->result[i].unit;
}

/* What an entry says of some variants hides nothing of the others. */
static void test_run_known_variants(void **state)
{
    static const char *const r0[] = {"*=r0 *", NULL}, *const r5[] = {"*=r5 *", "*=r4 *", NULL};
    static const struct cts_known known[] = {
        {.vectors = "v/*-all", .reason = "all fail"},
        {.vectors = "v/*-r0", .variants = r0, .reason = "r0 fails"},
        {.vectors = "v/*-r5", .variants = r5, .reason = "r5 fails"},
        {.vectors = "v/*-kind", .variants = r0, .failure = "crash", .reason = "r0 crashes"},
    };
    static const struct {
        const char *id;
        bool r0_is_right, r1_is_right;
        enum cts_status status;
        const char *unit, *known;
    } table[] = {
        {"v/none-all", true, true, CTS_ST_XPASS, "dst=r0 opaque", "all fail"},
        {"v/first-all", false, true, CTS_ST_XPASS, "dst=r1 opaque", "all fail"},
        {"v/second-all", true, false, CTS_ST_XPASS, "dst=r0 opaque", "all fail"},
        {"v/both-all", false, false, CTS_ST_XFAIL, "dst=r0 opaque", "all fail"},
        {"v/none-r0", true, true, CTS_ST_XPASS, "dst=r0 opaque", "r0 fails"},
        {"v/first-r0", false, true, CTS_ST_XFAIL, "dst=r0 opaque", "r0 fails"},
        {"v/second-r0", true, false, CTS_ST_FAIL, "dst=r1 opaque", ""},
        {"v/both-r0", false, false, CTS_ST_FAIL, "dst=r1 opaque", ""},
        {"v/none-r5", true, true, CTS_ST_PASS, "", ""},
        {"v/first-r5", false, true, CTS_ST_FAIL, "dst=r0 opaque", ""},
        {"v/first-kind", false, true, CTS_ST_FAIL, "dst=r0 opaque", ""},
        {"v/both", false, false, CTS_ST_FAIL, "dst=r0 opaque", ""},
    };
    const struct cts_known *list[CTS_ARRAY_LEN(known)];
    static struct told t;
    struct cts_core_opts opts = {.jobs = 2};
    struct cts_target target = reference_target();
    (void)state;
    court_init(&t.court);
    expect(&target, known, CTS_ARRAY_LEN(known), list);
    for (unsigned i = 0; i < CTS_ARRAY_LEN(table); i++)
        add_variants(&t.court.book, table[i].id, table[i].r0_is_right, table[i].r1_is_right);
    for (int every = 0; every < 2; every++) {
        opts.every_variant = every;
        assert_int_equal(run_core(&t, &target, &opts, NULL), 0);
        assert_int_equal(t.results, CTS_ARRAY_LEN(table));
        for (unsigned i = 0; i < CTS_ARRAY_LEN(table); i++) {
            check_told(&t, i, table[i].id, table[i].status,
                       table[i].status == CTS_ST_FAIL || table[i].status == CTS_ST_XFAIL
                           ? CTS_FL_WRONG_RESULT
                           : CTS_FL_NONE,
                       table[i].known);
            assert_string_equal(variant_of(&t, i), table[i].unit);
            if (every)
                assert_int_equal(t.result[i].variant_count, 2);
        }
    }
    court_release(&t.court);
}

/* Who is not asked, and with which words. */
static void test_run_reasons(void **state)
{
    static struct told t;
    struct cts_core_opts opts = {0};
    struct cts_target target = reference_target();
    struct book *b = &t.court.book;
    static const char *const policies[] = {"structural", NULL};
    uint8_t select[7] = {1, 1, 1, 0, 1, 1, 1};
    (void)state;
    court_init(&t.court);
    add_simple(b, "r/group", CTS_OUT_RAN, 5);
    b->vector[0].group = CTS_GROUP_PACKET;
    add_simple(b, "r/only", CTS_OUT_RAN, 5);
    b->ref[0] = say(b, "elsewhere");
    b->pack.string_ref_count = 1;
    b->vector[1].only = (struct cts_pk_range){0, 1};
    add_simple(b, "r/needs", CTS_OUT_RAN, 5);
    b->vector[2].needs = CTS_FEAT_LOCAL_CALL | 1u << 31;
    add_simple(b, "r/unselected", CTS_OUT_RAN, 6);
    add_simple(b, "r/asked", CTS_OUT_RAN, 5);
    add_simple(b, "r/policy", CTS_OUT_RAN, 5);
    b->vector[5].policy = say(b, "linux-root");
    add_simple(b, "r/kept", CTS_OUT_RAN, 5);
    b->vector[6].policy = say(b, "structural");
    target.groups = 1ull << b->vector[1].group;
    target.policies = policies;
    opts.select = select;
    assert_int_equal(run_core(&t, &target, &opts, NULL), 0);
    assert_int_equal(t.results, 6);
    check_told(&t, 0, "r/group", CTS_ST_SKIP, CTS_FL_NONE, "");
    assert_string_equal(t.message[0], "group packet is not claimed");
    check_told(&t, 1, "r/only", CTS_ST_SKIP, CTS_FL_NONE, "");
    assert_string_equal(t.message[1], "for other runtimes only");
    check_told(&t, 2, "r/needs", CTS_ST_SKIP, CTS_FL_NONE, "");
    check_told(&t, 3, "r/asked", CTS_ST_PASS, CTS_FL_NONE, "");
    check_told(&t, 4, "r/policy", CTS_ST_SKIP, CTS_FL_NONE, "");
    assert_string_equal(t.message[4], "policy linux-root is not claimed");
    check_told(&t, 5, "r/kept", CTS_ST_PASS, CTS_FL_NONE, "");
    assert_int_equal(t.summary.cases, 6);
    court_release(&t.court);
}

/* Engines that are not to be had are skipped; a worker that cannot be started is broken, which is
 * an error, and no skip. */
static void test_run_missing(void **state)
{
    static const char *const nowhere[] = {"/nonexistent/worker", NULL};
    static struct told t;
    struct cts_core_opts opts = {0};
    struct cts_err err = {0};
    struct cts_target target = reference_target();
    (void)state;
    court_init(&t.court);
    add_simple(&t.court.book, "m/1", CTS_OUT_RAN, 5);
    target.engine = "warp";
    target.install = "install it";
    assert_int_equal(run_core(&t, &target, &opts, &err), 0);
    assert_int_equal(t.info.state, CTS_EN_SKIPPED);
    assert_non_null(strstr(t.reason, "no engine 'warp'"));
    assert_null(strstr(t.reason, "install it"));
    assert_int_equal(t.results, 0);
    assert_int_equal(t.summary.engines_skipped, 1);
    assert_int_equal(t.summary.engines_broken, 0);

    target = reference_target();
    target.argv = nowhere;
    target.install = "install it";
    assert_true(run_core(&t, &target, &opts, &err) < 0);
    assert_int_equal(t.info.state, CTS_EN_BROKEN);
    assert_non_null(strstr(t.reason, "install it"));
    assert_int_equal(t.summary.engines_broken, 1);
    assert_int_equal(t.summary.engines_skipped, 0);
    assert_int_equal(t.summary.count[CTS_ST_ERROR], 1);
    assert_int_equal(t.ends, 1);

    target.optional = true;
    assert_int_equal(run_core(&t, &target, &opts, &err), 0);
    assert_int_equal(t.info.state, CTS_EN_SKIPPED);
    assert_string_equal(t.reason,
                        "not built or installed: cannot find /nonexistent/worker (install it)");
    assert_int_equal(t.results, 0);
    assert_int_equal(t.summary.runtimes_run, 0);
    assert_int_equal(t.summary.runtimes_skipped, 1);
    court_release(&t.court);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_known),
        cmocka_unit_test(test_run_known_variants),
        cmocka_unit_test(test_run_reasons),
        cmocka_unit_test(test_run_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
