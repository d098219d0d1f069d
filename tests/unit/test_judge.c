/* uses: base host isa wire pack result core */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "book.h"
#include "core/fill.h"
#include "core/match.h"
#include "core/state.h"

/* ---- outcomes that conform ---- */

enum { OK = CTS_FL_NONE };

static const struct seen {
    struct cts_obs obs;
    const char *name;
} sights[] = {
    {{.seen = CTS_SEEN_RAN, .result_known = true, .r0 = 5}, "ran, 5"},
    {{.seen = CTS_SEEN_RAN, .result_known = true, .r0 = 6}, "ran, 6"},
    {{.seen = CTS_SEEN_REJECTED}, "rejected"},
    {{.seen = CTS_SEEN_FAULTED}, "faulted"},
    {{.seen = CTS_SEEN_CRASHED}, "crashed"},
    {{.seen = CTS_SEEN_TIMED_OUT}, "timed out"},
    {{.seen = CTS_SEEN_ACCEPTED}, "accepted"},
};
enum { SIGHTS = CTS_ARRAY_LEN(sights) };

static void check_set(struct court *c, uint32_t unit, const uint8_t want[SIGHTS])
{
    for (size_t i = 0; i < SIGHTS; i++) {
        forget(c);
        const struct cts_track *t = see(c, unit, &sights[i].obs);
        assert_true(t->seen);
        if (t->failure != want[i] || (t->status == CTS_ST_PASS) != (want[i] == CTS_FL_NONE))
            fail_msg("%s: %s, %s", sights[i].name, cts_status_name(t->status),
                     cts_failure_name(t->failure));
        bool ran = sights[i].obs.seen != CTS_SEEN_ACCEPTED;
        assert_int_equal(t->operand_tuples, ran && want[i] == CTS_FL_NONE);
        assert_int_equal(t->message[0] == '\0', want[i] == CTS_FL_NONE);
    }
}

static void test_outcomes(void **state)
{
    enum { WRONG = CTS_FL_WRONG_RESULT, ACCEPTED = CTS_FL_WRONGLY_ACCEPTED };
    enum { REJECTED = CTS_FL_WRONGLY_REJECTED, FAULT = CTS_FL_UNEXPECTED_FAULT };
    enum { CRASH = CTS_FL_CRASH, TIME = CTS_FL_TIMEOUT };
    struct court c;
    (void)state;
    court_init(&c);
    add_vector(&c.book, "set", CTS_INSN_MOV64_K);

    uint32_t u = add_whole(&c.book, return_5, 2);
    allow_r0(&c.book, CTS_OUT_RAN, 5);
    check_set(&c, u, (const uint8_t[]){OK, WRONG, REJECTED, FAULT, CRASH, TIME, OK});

    u = add_whole(&c.book, return_5, 2);
    allow(&c.book, CTS_OUT_REJECTED);
    check_set(&c, u, (const uint8_t[]){ACCEPTED, ACCEPTED, OK, FAULT, CRASH, TIME, ACCEPTED});

    u = add_whole(&c.book, return_5, 2);
    allow(&c.book, CTS_OUT_FAULTED);
    check_set(&c, u, (const uint8_t[]){ACCEPTED, ACCEPTED, REJECTED, OK, CRASH, TIME, OK});

    u = add_whole(&c.book, return_5, 2);
    allow(&c.book, CTS_OUT_REJECTED);
    allow_r0(&c.book, CTS_OUT_RAN, 6);
    check_set(&c, u, (const uint8_t[]){WRONG, OK, OK, FAULT, CRASH, TIME, OK});

    u = add_whole(&c.book, return_5, 2);
    allow_r0(&c.book, CTS_OUT_RAN, 5);
    allow_r0(&c.book, CTS_OUT_RAN, 6);
    allow(&c.book, CTS_OUT_FAULTED);
    check_set(&c, u, (const uint8_t[]){OK, OK, REJECTED, OK, CRASH, TIME, OK});

    u = add_whole(&c.book, return_5, 2);
    allow(&c.book, CTS_OUT_RAN);
    check_set(&c, u, (const uint8_t[]){OK, OK, REJECTED, FAULT, CRASH, TIME, OK});
    court_release(&c);
}

/* As many bits of r0 as the runtime reports. */
static void test_result_bits(void **state)
{
    const struct cts_obs upper = {
        .seen = CTS_SEEN_RAN, .result_known = true, .r0 = UINT64_C(0xffffffff00000005)};
    const struct cts_obs unknown = {.seen = CTS_SEEN_RAN, .r0 = 5};
    struct court c;
    (void)state;
    court_init(&c);
    add_vector(&c.book, "bits", CTS_INSN_MOV64_K);
    uint32_t u = add_whole(&c.book, return_5, 2);
    allow_r0(&c.book, CTS_OUT_RAN, 5);
    assert_int_equal(see(&c, u, &upper)->failure, CTS_FL_WRONG_RESULT);
    forget(&c);
    assert_int_equal(see(&c, u, &unknown)->failure, CTS_FL_WRONG_RESULT);
    forget(&c);
    c.caps.r0_bits = 32;
    assert_int_equal(see(&c, u, &upper)->status, CTS_ST_PASS);
    court_release(&c);
}

/* What names the runtime counts alone; for the others, what names none. */
static void test_outcomes_by_runtime(void **state)
{
    struct court c;
    (void)state;
    court_init(&c);
    add_vector(&c.book, "by-runtime", CTS_INSN_MOV64_K);
    uint32_t u = add_whole(&c.book, return_5, 2);
    allow_r0(&c.book, CTS_OUT_RAN, 5);
    allow(&c.book, CTS_OUT_REJECTED)->runtime = say(&c.book, "there");
    allow(&c.book, CTS_OUT_FAULTED)->runtime = say(&c.book, "elsewhere");
    check_set(&c, u,
              (const uint8_t[]){OK, CTS_FL_WRONG_RESULT, CTS_FL_WRONGLY_REJECTED,
                                CTS_FL_UNEXPECTED_FAULT, CTS_FL_CRASH, CTS_FL_TIMEOUT, OK});
    strcpy(c.caps.runtime, "there");
    check_set(&c, u,
              (const uint8_t[]){CTS_FL_WRONGLY_ACCEPTED, CTS_FL_WRONGLY_ACCEPTED, OK,
                                CTS_FL_UNEXPECTED_FAULT, CTS_FL_CRASH, CTS_FL_TIMEOUT,
                                CTS_FL_WRONGLY_ACCEPTED});
    strcpy(c.caps.runtime, "elsewhere");
    check_set(&c, u,
              (const uint8_t[]){CTS_FL_WRONGLY_ACCEPTED, CTS_FL_WRONGLY_ACCEPTED,
                                CTS_FL_WRONGLY_REJECTED, OK, CTS_FL_CRASH, CTS_FL_TIMEOUT, OK});
    court_release(&c);
}

/* ---- refusals ---- */

static void test_rejected_pins(void **state)
{
    const struct cts_obs no = {.seen = CTS_SEEN_REJECTED, .text = "no such thing\nand more"};
    uint8_t pinned[CTS_INSN_COUNT] = {0};
    struct court c;
    (void)state;
    court_init(&c);
    add_vector(&c.book, "pins", CTS_INSN_MOV64_K);
    uint32_t u = add_whole(&c.book, return_5, 2);
    allow_r0(&c.book, CTS_OUT_RAN, 5);

    const struct cts_track *t = see(&c, u, &no);
    assert_int_equal(t->failure, CTS_FL_WRONGLY_REJECTED);
    assert_string_equal(t->message, "rejected, but it must be accepted: no such thing");
    assert_string_equal(t->label, "by hand");

    forget(&c);
    c.target.pinned = pinned;
    t = see(&c, u, &no);
    assert_int_equal(t->status, CTS_ST_SKIP);
    assert_string_equal(t->message, "unsupported: here refuses mov64_k (no such thing)");
    /* It explains a refusal and nothing else. */
    assert_int_equal(see(&c, u, &sights[1].obs)->failure, CTS_FL_WRONG_RESULT);

    forget(&c);
    /* Nor is it to blame for what the program needs beside the row under test. */
    pinned[CTS_INSN_MOV64_K] = 1;
    assert_string_equal(see(&c, u, &no)->message, "unsupported: here refuses exit (no such thing)");

    forget(&c);
    pinned[CTS_INSN_EXIT] = 1;
    assert_int_equal(see(&c, u, &no)->failure, CTS_FL_WRONGLY_REJECTED);
    court_release(&c);
}

static struct cts_limit any_form(const char *reason)
{
    return (struct cts_limit){.dst = CTS_ANY_VALUE,
                              .src = CTS_ANY_VALUE,
                              .imm = CTS_ANY_VALUE,
                              .off = CTS_ANY_VALUE,
                              .reason = reason};
}

static bool limited(struct court *c, uint32_t unit, const struct cts_limit *l)
{
    static const struct cts_obs no = {.seen = CTS_SEEN_REJECTED};
    forget(c);
    c->target.limits = l;
    c->target.limit_count = 1;
    const struct cts_track *t = see(c, unit, &no);
    if (t->status == CTS_ST_SKIP)
        assert_string_equal(t->message, "limit of here: by design");
    else
        assert_int_equal(t->failure, CTS_FL_WRONGLY_REJECTED);
    return t->status == CTS_ST_SKIP;
}

static void test_rejected_limits(void **state)
{
    /* r3 = 5; r3 += r4; goto +0; exit: the condition may hold for any of them */
    static const struct cts_insn code[] = {{.opcode = 0xb7, .dst = 3, .imm = 5},
                                           {.opcode = 0x0f, .dst = 3, .src = 4},
                                           {.opcode = 0x2d, .dst = 7, .src = 7, .off = 0},
                                           {.opcode = 0x95}};
    uint8_t mov[CTS_INSN_COUNT] = {[CTS_INSN_MOV64_K] = 1}, add[CTS_INSN_COUNT] = {0};
    struct court c;
    struct cts_limit l = any_form("by design");
    (void)state;
    add[CTS_INSN_ADD64_X] = 1;
    court_init(&c);
    add_vector(&c.book, "limits", CTS_INSN_ADD64_X);
    uint32_t u = add_whole(&c.book, code, 4);
    allow_r0(&c.book, CTS_OUT_RAN, 5);

    assert_true(limited(&c, u, &l));
    l.rows = mov;
    assert_true(limited(&c, u, &l));
    l.imm = 5;
    assert_true(limited(&c, u, &l));
    l.imm = 4;
    assert_false(limited(&c, u, &l));
    l.imm_above = true;
    assert_true(limited(&c, u, &l));
    l.imm = 6;
    assert_false(limited(&c, u, &l));
    l.imm = -1; /* the bound is unsigned */
    assert_false(limited(&c, u, &l));
    l = any_form("by design");
    l.rows = add;
    l.src = 4;
    l.dst = 3;
    assert_true(limited(&c, u, &l));
    l.dst = 4;
    assert_false(limited(&c, u, &l));
    l.dst = CTS_ANY_VALUE;
    l.src = 3;
    assert_false(limited(&c, u, &l));
    l.src = CTS_ANY_VALUE;
    l.imm = 5; /* of another instruction */
    assert_false(limited(&c, u, &l));
    l.imm = CTS_ANY_VALUE;
    l.alias = true;
    assert_false(limited(&c, u, &l));
    l.rows = NULL;
    assert_true(limited(&c, u, &l));
    l.off = 1;
    assert_false(limited(&c, u, &l));
    court_release(&c);
}

/* Conditions on what the runtime says. */
static void test_limits_by_words(void **state)
{
    static const struct {
        const char *glob, *text;
        bool fits;
    } rows[] = {
        {"loop detected", "loop detected", true},
        {"loop*", "loop detected at 5", true},
        {"*at ?", "loop detected at 5", true},
        {"detected", "loop detected", false},
        {"* at 5", "pc 3\nloop detected at 5\nend\n", true},
        {"pc 3", "pc 3\nloop detected at 5", true},
        {"loop", "pc 3\nloop detected at 5", false},
        {"*3*5*", "pc 3\nloop detected at 5\n", true},
        {"x*", "", false},
        {"*", NULL, false},
    };
    struct court c;
    struct cts_limit l = any_form("by design");
    (void)state;
    court_init(&c);
    c.target.limits = &l;
    c.target.limit_count = 1;
    add_vector(&c.book, "words", CTS_INSN_MOV64_K);
    uint32_t u = add_whole(&c.book, return_5, 2);
    allow_r0(&c.book, CTS_OUT_RAN, 5);
    for (size_t i = 0; i < CTS_ARRAY_LEN(rows); i++) {
        const struct cts_obs no = {.seen = CTS_SEEN_REJECTED, .text = rows[i].text};
        l.refusal = rows[i].glob;
        forget(&c);
        if ((see(&c, u, &no)->status == CTS_ST_SKIP) != rows[i].fits)
            fail_msg("%s, %s", rows[i].glob, rows[i].text);
    }
    /* Together with a form: both hold. */
    const struct cts_obs no = {.seen = CTS_SEEN_REJECTED, .text = "no"};
    l.refusal = "no";
    l.imm = 5;
    forget(&c);
    assert_int_equal(see(&c, u, &no)->status, CTS_ST_SKIP);
    l.imm = 6;
    forget(&c);
    assert_int_equal(see(&c, u, &no)->failure, CTS_FL_WRONGLY_REJECTED);
    court_release(&c);
}

static void test_limits_by_branches(void **state)
{
    /* Two conditional jumps, and others; what looks like one in a second slot is none. */
    static const struct cts_insn code[] = {
        {.opcode = 0x05},           {.opcode = 0x15},
        {.opcode = 0x18, .dst = 1}, {.opcode = 0x00, .imm = 0x15},
        {.opcode = 0x85, .imm = 1}, {.opcode = 0xde, .dst = 2, .src = 3},
        {.opcode = 0x06},           {.opcode = 0x95}};
    struct court c;
    struct cts_limit l = any_form("by design");
    (void)state;
    court_init(&c);
    add_vector(&c.book, "branches", CTS_INSN_JA);
    uint32_t u = add_whole(&c.book, code, CTS_ARRAY_LEN(code));
    allow_r0(&c.book, CTS_OUT_RAN, 5);
    l.branches_from = 1;
    assert_true(limited(&c, u, &l));
    l.branches_from = 2;
    assert_true(limited(&c, u, &l));
    l.dst = 2;
    assert_true(limited(&c, u, &l));
    l.dst = 4;
    assert_false(limited(&c, u, &l));
    l = any_form("by design");
    l.branches_from = 3;
    assert_false(limited(&c, u, &l));
    court_release(&c);
}

static void test_limits_by_policy(void **state)
{
    struct court c;
    struct cts_limit l = any_form("by design");
    (void)state;
    court_init(&c);
    add_vector(&c.book, "policy", CTS_INSN_MOV64_K);
    uint32_t u = add_whole(&c.book, return_5, 2);
    allow_r0(&c.book, CTS_OUT_RAN, 5);
    l.policy = "imported";
    assert_false(limited(&c, u, &l));
    l.policy = "rfc";
    assert_true(limited(&c, u, &l));
    l.refusal = "*loop*";
    assert_false(limited(&c, u, &l));
    court_release(&c);
}

/* A limit explains a refusal; it excuses neither a wrong result nor a wrong acceptance. */
static void test_limits_excuse_nothing(void **state)
{
    struct court c;
    const struct cts_limit all = any_form("by design");
    (void)state;
    court_init(&c);
    c.target.limits = &all;
    c.target.limit_count = 1;
    add_vector(&c.book, "a", CTS_INSN_MOV64_K);
    uint32_t u = add_whole(&c.book, return_5, 2);
    allow_r0(&c.book, CTS_OUT_RAN, 5);
    assert_int_equal(see(&c, u, &sights[1].obs)->failure, CTS_FL_WRONG_RESULT);
    add_vector(&c.book, "b", CTS_INSN_MOV64_K);
    u = add_whole(&c.book, return_5, 2);
    allow(&c.book, CTS_OUT_REJECTED);
    assert_int_equal(see(&c, u, &sights[0].obs)->failure, CTS_FL_WRONGLY_ACCEPTED);
    court_release(&c);
}

/* ---- what prevails ---- */

static const struct cts_obs one_pass = {.seen = CTS_SEEN_RAN, .result_known = true, .r0 = 5};
static const struct cts_obs one_fail = {.seen = CTS_SEEN_RAN, .result_known = true, .r0 = 6};
static const struct cts_obs one_error = {.seen = CTS_SEEN_LOAD_ERROR, .text = "no memory"};
static const struct cts_obs one_skip = {.seen = CTS_SEEN_REJECTED};

/* Only a failure in an earlier unit makes a later one superfluous. */
static void test_settled(void **state)
{
    static const struct cts_obs *const seen[] = {&one_pass, &one_error, &one_skip, &one_fail};
    struct court c;
    uint32_t u[3];
    (void)state;
    court_init(&c);
    add_vector(&c.book, "settled", CTS_INSN_MOV64_K);
    for (int i = 0; i < 3; i++) {
        u[i] = add_whole(&c.book, return_5, 2);
        allow_r0(&c.book, CTS_OUT_RAN, 5);
    }
    const struct cts_seg first = seg_of(&c, u[0]), later = seg_of(&c, u[2]);
    assert_false(cts_judge_is_settled(&c.judge, &later));
    for (size_t i = 0; i < CTS_ARRAY_LEN(seen); i++) {
        forget(&c);
        see(&c, u[1], seen[i]);
        bool fails = c.tracks[0].status == CTS_ST_FAIL;
        assert_int_equal(cts_judge_is_settled(&c.judge, &later), fails);
        assert_false(cts_judge_is_settled(&c.judge, &first));
    }
    court_release(&c);
}

static void test_weights(void **state)
{
    /* From the heaviest to the lightest. */
    static const struct cts_obs *const by_weight[] = {&one_fail, &one_error, &one_pass, &one_skip};
    static const enum cts_status status[] = {CTS_ST_FAIL, CTS_ST_ERROR, CTS_ST_PASS, CTS_ST_SKIP};
    struct court c;
    uint32_t u[2];
    const struct cts_limit all = any_form("by design");
    (void)state;
    court_init(&c);
    c.target.limits = &all;
    c.target.limit_count = 1;
    add_vector(&c.book, "weights", CTS_INSN_MOV64_K);
    for (int i = 0; i < 2; i++) {
        u[i] = add_whole(&c.book, return_5, 2);
        allow_r0(&c.book, CTS_OUT_RAN, 5);
    }
    for (size_t a = 0; a < 4; a++) {
        for (size_t b = 0; b < 4; b++) {
            for (int swap = 0; swap < 2; swap++) {
                forget(&c);
                see(&c, u[swap], by_weight[a]);
                const struct cts_track *t = see(&c, u[!swap], by_weight[b]);
                assert_int_equal(t->status, status[a < b ? a : b]);
                bool failed = t->status == CTS_ST_FAIL;
                assert_int_equal(t->operand_tuples, failed ? 0 : (a == 2) + (b == 2));
                if (a == b && a != 2)
                    assert_int_equal(t->unit, u[0]);
                else if (a != b)
                    assert_int_equal(t->unit, a < b ? u[swap] : u[!swap]);
            }
        }
    }
    court_release(&c);
}

/* A failure that prevails brings its own kind and words. */
static void test_weights_carry_words(void **state)
{
    struct court c;
    uint32_t u[2];
    (void)state;
    court_init(&c);
    add_vector(&c.book, "words", CTS_INSN_MOV64_K);
    for (int i = 0; i < 2; i++) {
        u[i] = add_whole(&c.book, return_5, 2);
        allow_r0(&c.book, CTS_OUT_RAN, 5);
    }
    const struct cts_track *t = see(&c, u[1], &one_error);
    assert_string_equal(t->message, "neither accepted nor rejected: no memory");
    see(&c, u[1], &sights[4].obs);
    assert_int_equal(t->failure, CTS_FL_CRASH);
    see(&c, u[0], &one_fail);
    assert_int_equal(t->failure, CTS_FL_WRONG_RESULT);
    assert_string_equal(t->message, "r0 = 0x6, expected 0x5");
    assert_non_null(strstr(t->detail, "repeat"));
    see(&c, u[1], &sights[5].obs);
    assert_int_equal(t->failure, CTS_FL_WRONG_RESULT);
    court_release(&c);
}

static void test_not_asked(void **state)
{
    struct court c;
    (void)state;
    court_init(&c);
    c.judge.first_case = 1; /* the first case is another block's */
    c.judge.case_count = 1;
    add_vector(&c.book, "other", CTS_INSN_MOV64_K);
    uint32_t other = add_whole(&c.book, return_5, 2);
    allow_r0(&c.book, CTS_OUT_RAN, 5);
    add_vector(&c.book, "mine", CTS_INSN_MOV64_K);
    uint32_t u = add_whole(&c.book, return_5, 2);
    allow_r0(&c.book, CTS_OUT_RAN, 5);
    struct cts_seg seg = seg_of(&c, u), far = seg_of(&c, other);
    struct cts_track *t = &c.tracks[0];

    cts_judge_matched(&c.judge, &far, 0, 1);
    cts_judge_error(&c.judge, &far, "no");
    cts_judge_skip(&c.judge, 0, "no");
    cts_judge_skip(&c.judge, 2, "no");
    assert_false(t->seen);

    cts_judge_skip(&c.judge, 1, "for others");
    assert_int_equal(t->status, CTS_ST_SKIP);
    cts_judge_matched(&c.judge, &seg, 0, 1);
    cts_judge_tuple(&c.judge, &seg, 0, &one_fail);
    cts_judge_error(&c.judge, &seg, "no");
    cts_judge_skip(&c.judge, 1, "again");
    assert_int_equal(t->status, CTS_ST_SKIP);
    assert_string_equal(t->message, "for others");
    assert_int_equal(t->operand_tuples, 0);
    court_release(&c);
}

/* What is not the same twice is a failure, however it looked the second time. */
static void test_flaky(void **state)
{
    struct court c;
    (void)state;
    court_init(&c);
    add_vector(&c.book, "flaky", CTS_INSN_MOV64_K);
    uint32_t u = add_whole(&c.book, return_5, 2);
    allow_r0(&c.book, CTS_OUT_RAN, 5);
    for (size_t i = 0; i < SIGHTS; i++) {
        struct cts_obs obs = sights[i].obs;
        obs.flaky = true;
        obs.text = "right, then wrong";
        forget(&c);
        const struct cts_track *t = see(&c, u, &obs);
        assert_int_equal(t->status, CTS_ST_FAIL);
        assert_int_equal(t->failure, CTS_FL_FLAKY);
        assert_string_equal(t->message, "not the same twice: right, then wrong");
        assert_int_equal(t->operand_tuples, 0);
    }
    court_release(&c);
}

/* ---- bodies and their rows ---- */

/* r3 holds the row's address + 8, r4 any; 16 bytes of memory, of which byte 9 may be anything. */
static uint32_t add_body(struct book *b)
{
    static const struct cts_insn nop = {.opcode = 0x05};
    uint32_t u = add_whole(b, &nop, 1), s = b->pack.state_count;
    uint32_t in = 0, want = in + 1024, want_be = in + 2048, any = in + 3072;
    for (uint32_t i = 0; i < 16 + CTS_STACK_BYTES; i++) {
        b->data[in + i] = (uint8_t)(i + 1);
        b->data[want + i] = (uint8_t)(i * 3 + 2);
        b->data[want_be + i] = (uint8_t)(i * 3 + 3);
    }
    b->data[any + 9] = 1;
    for (uint32_t k = 0; k < 2; k++) {
        struct cts_pk_state *st = &b->state[s + k];
        uint32_t at = k ? want : in;
        for (unsigned i = 0; i < 10; i++)
            st->r[i] = UINT64_C(0x1111111111111111) * i + k;
        st->place[3] = CTS_PL_MEM;
        st->r[3] = 8;
        st->any = 1 << 4;
        st->mem = (struct cts_pk_bytes_ref){at, UINT32_MAX, k ? any : UINT32_MAX,
                                            k ? want_be : UINT32_MAX};
        st->stack = (struct cts_pk_bytes_ref){at + 16, UINT32_MAX, UINT32_MAX, UINT32_MAX};
        st->mem_bytes = BODY_MEM;
    }
    b->pack.state_count += 2;
    b->pack.data_bytes = sizeof(b->data);
    b->unit[u].flags = 0;
    b->unit[u].layout = (struct cts_layout){.mem_bytes = BODY_MEM,
                                            .stack_off = CTS_ENTRY_MEM + BODY_MEM,
                                            .spill = -8,
                                            .out_mask = 0x3ff,
                                            .record = 1,
                                            .place = {[3] = CTS_PL_MEM},
                                            .add = {[3] = 8},
                                            .body_slots = 1};
    b->row[b->pack.row_count - 1].in = s;
    allow(b, CTS_OUT_RAN)->state = s + 1;
    return u;
}

/* Writes what conforms into a row that has been filled. */
static void conform(const struct court *c, uint8_t *row)
{
    const struct cts_pk_state *want = &c->book.state[1];
    bool be = c->caps.be;
    cts_order_put64(be, row + CTS_ENTRY_SELF, 0x7000);
    for (unsigned i = 0; i < 10; i++)
        cts_order_put64(be, row + CTS_ENTRY_OUT + 8 * i,
                        i == 3 ? 0x7000 + CTS_ENTRY_MEM + 8 : want->r[i]);
    memcpy(row + CTS_ENTRY_MEM, c->book.data + (be ? want->mem.be : want->mem.data), BODY_MEM);
    memcpy(row + CTS_ENTRY_MEM + BODY_MEM + CTS_STACK_BYTES, c->book.data + want->stack.data,
           CTS_STACK_BYTES);
}

/* No output holds what conforms before somebody writes it. */
static void check_stale(const struct court *c, const uint8_t *row)
{
    const struct cts_pk_state *want = &c->book.state[1];
    const uint8_t *stack = row + CTS_ENTRY_MEM + BODY_MEM + CTS_STACK_BYTES;
    for (unsigned i = 0; i < 10; i++)
        assert_true(i == 3 ||
                    cts_order_get64(c->caps.be, row + CTS_ENTRY_OUT + 8 * i) != want->r[i]);
    for (uint32_t i = 0; i < CTS_STACK_BYTES; i++)
        assert_int_not_equal(stack[i], c->book.data[want->stack.data + i]);
    assert_true(cts_order_get64(c->caps.be, row + CTS_ENTRY_SELF) == 0);
    assert_true(cts_order_get64(c->caps.be, row + CTS_ENTRY_FP) == 0);
}

/* kept: the slot of the window's address where that is an argument; else 0. */
static void check_body(bool be, int32_t spill, int32_t kept)
{
    struct court c;
    uint8_t row[ROW_BYTES];
    court_init(&c);
    c.caps.be = be;
    c.caps.window_kind = kept ? CTS_WK_ARGUMENT : CTS_WK_MAP;
    add_vector(&c.book, "body", CTS_INSN_JA);
    uint32_t u = add_body(&c.book);
    c.book.unit[u].layout.spill = spill;
    struct cts_seg seg = seg_of(&c, u);
    assert_int_equal(seg.kept, kept);
    memset(row, 0x77, sizeof(row));
    cts_seg_fill(&seg, 0, row, NULL);
    check_stale(&c, row);
    assert_true(cts_order_get64(be, row + CTS_ENTRY_IN + 16) == UINT64_C(0x2222222222222222));
    assert_memory_equal(row + CTS_ENTRY_MEM, c.book.data, BODY_MEM);
    assert_memory_equal(row + CTS_ENTRY_MEM + BODY_MEM, c.book.data + 16, CTS_STACK_BYTES);
    /* Nobody wrote it: not a match, and known as such. */
    assert_false(cts_seg_match(&seg, 0, row, NULL));
    assert_true(cts_seg_untouched(&seg, 0, row, NULL));
    conform(&c, row);
    assert_true(cts_seg_match(&seg, 0, row, NULL));
    assert_false(cts_seg_untouched(&seg, 0, row, NULL));
    for (uint32_t at = CTS_ENTRY_OUT; at < CTS_ENTRY_MEM + BODY_MEM + 2 * CTS_STACK_BYTES; at++) {
        uint32_t stack = CTS_ENTRY_MEM + BODY_MEM + CTS_STACK_BYTES;
        bool reg4 = at >= CTS_ENTRY_OUT + 32 && at < CTS_ENTRY_OUT + 40;
        bool dead = at >= CTS_ENTRY_FP && at < CTS_ENTRY_MEM;
        uint32_t hole = stack + CTS_STACK_BYTES - (uint32_t)-spill;
        uint32_t second = stack + CTS_STACK_BYTES - (uint32_t)-kept;
        bool any = at == CTS_ENTRY_MEM + 9, spilt = at >= hole && at < hole + 8;
        spilt = spilt || (kept && at >= second && at < second + 8);
        bool stack_in = at >= CTS_ENTRY_MEM + BODY_MEM && at < stack;
        row[at] ^= 0x10;
        if (cts_seg_match(&seg, 0, row, NULL) != (reg4 || dead || any || spilt || stack_in))
            fail_msg("byte %u of the row", at);
        row[at] ^= 0x10;
    }
    court_release(&c);
}

static void test_body(void **state)
{
    (void)state;
    for (int be = 0; be < 2; be++) {
        check_body(be, -8, 0);
        check_body(be, -512, 0);
        check_body(be, -8, -16);
        check_body(be, -512, -504);
    }
}

/* Where an engine has an expectation of its own, that is the one that is compared, and told. */
static void test_expectation_of_the_engine(void **state)
{
    struct court c;
    uint8_t row[ROW_BYTES];
    (void)state;
    court_init(&c);
    add_vector(&c.book, "body", CTS_INSN_JA);
    uint32_t u = add_body(&c.book);
    struct cts_pk_state *own = &c.book.state[c.book.pack.state_count++];
    struct cts_pk_outcome *o = allow(&c.book, CTS_OUT_RAN);
    *own = c.book.state[1];
    own->r[0] = 0x77;
    o->state = (uint32_t)(own - c.book.state);
    o->runtime = say(&c.book, "here");
    struct cts_seg seg = seg_of(&c, u);
    cts_seg_fill(&seg, 0, row, NULL);
    conform(&c, row);
    assert_false(cts_seg_match(&seg, 0, row, NULL));
    const struct cts_obs obs = {.seen = CTS_SEEN_RAN, .row = row};
    char want[64];
    snprintf(want, sizeof(want), "r0 = 0x%llx, expected 0x77",
             (unsigned long long)c.book.state[1].r[0]);
    assert_string_equal(see(&c, u, &obs)->message, want);
    cts_order_put64(false, row + CTS_ENTRY_OUT, 0x77);
    assert_true(cts_seg_match(&seg, 0, row, NULL));
    court_release(&c);
}

/* Where pointers may not be shown, the register that holds one is not looked at. */
static void test_body_without_pointers(void **state)
{
    struct court c;
    uint8_t row[ROW_BYTES];
    (void)state;
    court_init(&c);
    c.caps.features = 0;
    add_vector(&c.book, "body", CTS_INSN_JA);
    struct cts_seg seg = seg_of(&c, add_body(&c.book));
    assert_int_equal(seg.layout.record, 0);
    assert_int_equal(seg.layout.out_mask, 0x3ff & ~(1 << 3));
    cts_seg_fill(&seg, 0, row, NULL);
    conform(&c, row);
    cts_order_put64(false, row + CTS_ENTRY_OUT + 24, 1);
    assert_true(cts_seg_match(&seg, 0, row, NULL));
    court_release(&c);
}

/* What holds an address at the start and is expected to hold a number at the end is looked at:
 * whether an address may be shown is a question of what comes out. */
static void test_number_for_an_address(void **state)
{
    struct court c;
    uint8_t row[ROW_BYTES];
    (void)state;
    court_init(&c);
    c.caps.features = 0;
    add_vector(&c.book, "body", CTS_INSN_JA);
    uint32_t u = add_body(&c.book);
    struct cts_pk_state *want = &c.book.state[1];
    want->place[3] = CTS_PL_VALUE;
    want->r[3] = 0x88;
    /* The body must be straight: another way through it might keep the address. */
    c.book.code[c.book.unit[u].code] = 0x79; /* r3 = *(u64 *)(r3 + 0) */
    c.book.code[c.book.unit[u].code + 1] = 0x33;
    struct cts_seg seg = seg_of(&c, u);
    assert_int_equal(seg.layout.record, 0);
    assert_int_equal(seg.layout.out_mask, 0x3ff);
    cts_seg_fill(&seg, 0, row, NULL);
    conform(&c, row);
    assert_false(cts_seg_match(&seg, 0, row, NULL));
    cts_order_put64(false, row + CTS_ENTRY_OUT + 24, 0x88);
    assert_true(cts_seg_match(&seg, 0, row, NULL));
    /* Whatever it holds is not known to be a number. */
    want->any |= 1 << 3;
    assert_int_equal(seg_of(&c, u).layout.out_mask, 0x3ff & ~(1 << 3));
    want->any &= (uint16_t)~(1u << 3);
    c.book.code[c.book.unit[u].code] = 0x15; /* if r3 == 0 goto +0 */
    c.book.code[c.book.unit[u].code + 1] = 0x03;
    assert_int_equal(seg_of(&c, u).layout.out_mask, 0x3ff & ~(1 << 3));
    court_release(&c);
}

static void test_body_outcomes(void **state)
{
    struct court c;
    uint8_t row[ROW_BYTES];
    (void)state;
    court_init(&c);
    add_vector(&c.book, "body", CTS_INSN_JA);
    uint32_t u = add_body(&c.book);
    struct cts_seg seg = seg_of(&c, u);
    struct cts_obs ran = {.seen = CTS_SEEN_RAN, .row = row}, nothing = {.seen = CTS_SEEN_RAN};
    struct cts_obs exited = {.seen = CTS_SEEN_EXITED, .row = row, .result_known = true, .r0 = 7};
    cts_seg_fill(&seg, 0, row, NULL);
    const struct cts_track *t = see(&c, u, &ran);
    assert_int_equal(t->failure, CTS_FL_WRONG_RESULT);
    assert_string_equal(t->message, "r0 = 0xfffffffffffffffe, expected 0x1");
    forget(&c);
    conform(&c, row);
    assert_int_equal(see(&c, u, &ran)->status, CTS_ST_PASS);
    forget(&c);
    assert_int_equal(see(&c, u, &nothing)->failure, CTS_FL_WRONG_RESULT);
    forget(&c);
    assert_string_equal(see(&c, u, &exited)->message,
                        "the program ended before the end of the vector's code");
    forget(&c);
    allow_r0(&c.book, CTS_OUT_EXITED, 7);
    assert_int_equal(see(&c, u, &exited)->status, CTS_ST_PASS);
    forget(&c);
    exited.r0 = 8;
    assert_int_equal(see(&c, u, &exited)->failure, CTS_FL_WRONG_RESULT);
    forget(&c);
    exited.r0 = 7;
    exited.result_known = false;
    assert_int_equal(see(&c, u, &exited)->failure, CTS_FL_WRONG_RESULT);
    /* A body that must end the program itself, and does not. */
    u = add_body(&c.book);
    c.book.outcome[c.book.pack.outcome_count - 1] =
        (struct cts_pk_outcome){.kind = CTS_OUT_EXITED, .state = UINT32_MAX};
    forget(&c);
    assert_int_equal(see(&c, u, &ran)->failure, CTS_FL_WRONG_RESULT);
    forget(&c);
    assert_int_equal(see(&c, u, &exited)->status, CTS_ST_PASS);
    court_release(&c);
}

/* A wrong result says which register or byte is wrong, the first one. */
static void test_differences(void **state)
{
    struct court c;
    uint8_t row[ROW_BYTES];
    unsigned looked = 0;
    (void)state;
    court_init(&c);
    add_vector(&c.book, "body", CTS_INSN_JA);
    uint32_t u = add_body(&c.book);
    struct cts_seg seg = seg_of(&c, u);
    struct cts_obs ran = {.seen = CTS_SEEN_RAN, .row = row};
    cts_seg_fill(&seg, 0, row, NULL);
    conform(&c, row);
    for (uint32_t at = CTS_ENTRY_OUT; at < CTS_ENTRY_MEM + BODY_MEM + 2 * CTS_STACK_BYTES; at++) {
        char want[64];
        uint32_t stack = CTS_ENTRY_MEM + BODY_MEM + CTS_STACK_BYTES;
        uint8_t was = row[at];
        row[at] ^= 0x10;
        forget(&c);
        const struct cts_track *t = see(&c, u, &ran);
        /* The frame pointer is what other addresses are counted from. */
        if (t->status == CTS_ST_PASS || (at >= CTS_ENTRY_OUT + 80 && at < CTS_ENTRY_MEM)) {
            row[at] = was;
            continue;
        }
        unsigned reg = (at - CTS_ENTRY_OUT) / 8;
        uint64_t got = cts_order_get64(false, row + CTS_ENTRY_OUT + 8 * reg);
        if (at < CTS_ENTRY_MEM)
            snprintf(want, sizeof(want), "r%u = 0x%llx, expected 0x%llx", reg,
                     (unsigned long long)got,
                     (unsigned long long)(got ^ UINT64_C(0x10) << 8 * (at % 8)));
        else
            snprintf(want, sizeof(want), "byte %s%d = 0x%02x, expected 0x%02x",
                     at < stack ? "mem+" : "fp",
                     at < stack ? (int)(at - CTS_ENTRY_MEM) : (int)(at - stack) - CTS_STACK_BYTES,
                     row[at], was);
        assert_string_equal(t->message, want);
        assert_non_null(strstr(t->detail, "differs"));
        row[at] = was;
        looked++;
    }
    assert_true(looked > CTS_STACK_BYTES);
    court_release(&c);
}

/* No line of a detail's state is wider than a terminal, where two columns are put in front. */
static void test_detail_fits(void **state)
{
    struct court c;
    uint8_t row[ROW_BYTES];
    size_t lines = 0;
    (void)state;
    court_init(&c);
    add_vector(&c.book, "body", CTS_INSN_JA);
    uint32_t u = add_body(&c.book);
    struct cts_seg seg = seg_of(&c, u);
    struct cts_obs ran = {.seen = CTS_SEEN_RAN, .row = row};
    cts_seg_fill(&seg, 0, row, NULL);
    memset(row + CTS_ENTRY_OUT, 0x5a,
           CTS_ENTRY_MEM + BODY_MEM + 2 * CTS_STACK_BYTES - CTS_ENTRY_OUT);
    const char *line = strstr(see(&c, u, &ran)->detail, "  state ");
    assert_non_null(line);
    for (; *line; line += strcspn(line, "\n") + 1, lines++)
        assert_true(strcspn(line, "\n") <= 78);
    assert_true(lines > CTS_STACK_BYTES / 8);
    court_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_result_bits),
        cmocka_unit_test(test_outcomes_by_runtime),
        cmocka_unit_test(test_rejected_pins),
        cmocka_unit_test(test_rejected_limits),
        cmocka_unit_test(test_limits_by_words),
        cmocka_unit_test(test_limits_by_branches),
        cmocka_unit_test(test_limits_by_policy),
        cmocka_unit_test(test_limits_excuse_nothing),
        cmocka_unit_test(test_settled),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_weights_carry_words),
        cmocka_unit_test(test_not_asked),
        cmocka_unit_test(test_flaky),
        cmocka_unit_test(test_body),
        cmocka_unit_test(test_expectation_of_the_engine),
        cmocka_unit_test(test_body_without_pointers),
        cmocka_unit_test(test_number_for_an_address),
        cmocka_unit_test(test_body_outcomes),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_detail_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
