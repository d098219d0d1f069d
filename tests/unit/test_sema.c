/* uses: base host sema load isa */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "generated/isa_sem.h"
#include "sema/sema.h"

static const struct cts_sema_place PLACE = {"f.yaml", 10, 20, 5};

struct fixture {
    struct cts_arena arena;
    struct cts_err err;
    struct cts_sema *sema;
    int rc;
};

static void read_with(struct fixture *f, const char *text, unsigned flags)
{
    cts_arena_init(&f->arena, 0);
    cts_err_clear(&f->err);
    f->rc = cts_sema_read(text, &PLACE, flags, &f->arena, &f->sema, &f->err);
}

static void done(struct fixture *f)
{
    cts_arena_release(&f->arena);
}

/* The text without the $ that marks the place of the error; *line and *col: that place. */
static void take_mark(const char *marked, char *text, unsigned *line, unsigned *col)
{
    const char *mark = strchr(marked, '$');

    assert_non_null(mark);
    *line = PLACE.line;
    *col = PLACE.col;
    for (const char *p = marked; p < mark; p++) {
        *line += *p == '\n';
        *col = *p == '\n' ? PLACE.next_col : *col + 1;
    }
    memcpy(text, marked, (size_t)(mark - marked));
    memcpy(text + (mark - marked), mark + 1, strlen(mark));
}

static void assert_refused(const char *marked, unsigned flags, const char *msg)
{
    char text[256];
    unsigned line, col;
    struct fixture f;

    assert_true(strlen(marked) < sizeof(text));
    take_mark(marked, text, &line, &col);
    read_with(&f, text, flags);
    assert_true(f.rc < 0);
    assert_null(f.sema);
    assert_int_equal(f.err.code, f.rc);
    assert_string_equal(f.err.file, "f.yaml");
    assert_string_equal(f.err.msg, msg);
    assert_int_equal(f.err.line, line);
    assert_int_equal(f.err.col, col);
    done(&f);
}

static void assert_prints(const char *text, const char *printed)
{
    struct fixture f, again;
    struct cts_buf out;

    read_with(&f, text, CTS_SEMA_RELAXED);
    if (f.rc)
        fail_msg("%s: %s", text, f.err.msg);
    cts_buf_init(&out, 0);
    cts_sema_print(f.sema, &out);
    assert_string_equal(cts_buf_text(&out), printed);
    /* What is printed reads as the same tree. */
    read_with(&again, printed, CTS_SEMA_RELAXED);
    assert_int_equal(again.rc, 0);
    cts_buf_clear(&out);
    cts_sema_print(again.sema, &out);
    assert_string_equal(cts_buf_text(&out), printed);
    cts_buf_release(&out);
    done(&again);
    done(&f);
}

static void syntax_errors_have_places(void **state)
{
    static const struct {
        const char *text, *msg;
    } cases[] = {
        {"$", "expected a statement, found the end"},
        {"dst$", "expected '=', found the end"},
        {"dst = $", "expected a value, found the end"},
        {"dst = (src$", "expected ')', found the end"},
        {"dst = src $src", "expected ';', found 'src'"},
        {"dst = src $@", "expected ';', found '@'"},
        {"dst = $0x", "expected a value, found '0x'"},
        {"dst = $12ab", "expected a value, found '12ab'"},
        {"dst = $18446744073709551616", "a number above 2^64-1"},
        {"dst = $srv", "unknown name 'srv'; did you mean 'src'?"},
        {"$imm = 1", "only dst, src, r0 and memory can be assigned"},
        {"$u32(dst) = 1", "only dst, src, r0 and memory can be assigned"},
        {"let $dst = src", "expected a name that is not taken by the language, found 'dst'"},
        {"let a = src; let $a = dst", "duplicate name 'a'"},
        {"let a = $a; dst = a", "unknown name 'a'"},
        {"atomic { let a = src; dst = a }; src = $a", "unknown name 'a'"},
        {"atomic { dst = src$", "expected '}', found the end"},
        {"call $nobody(imm)", "expected 'helper', 'local' or 'btf', found 'nobody'"},
        {"dst = src;\n\n  src = $;", "expected a value, found ';'"},
        {"if $dst == src goto s64(off)", "expected '(', found 'dst'"},
        {"dst = mulhi(src$)", "expected ',', found ')'"},
        {"dst = mulhi(src, dst$, r0)", "expected ')', found ','"},
        {"dst = mulhi $src", "expected '(', found 'src'"},
        {"dst = $mulh(src, dst)", "unknown name 'mulh'; did you mean 'mulhi'?"},
        {"dst = src $mulhi dst", "expected ';', found 'mulhi'"},
        {"let $mulhi = src", "expected a name that is not taken by the language, found 'mulhi'"},
        {"dst = src$, dst", "expected ';', found ','"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_refused(cases[i].text, 0, cases[i].msg);
}

static void type_errors_have_places(void **state)
{
    static const struct {
        const char *text, *msg;
    } cases[] = {
        {"dst = $imm", "the value is s32, but must be u64"},
        {"dst = $u32(src)", "the value is u32, but must be u64"},
        {"dst = dst $+ imm", "'+' between u64 and s32: convert one of them"},
        {"dst = u64(u32(dst) $- imm)", "'-' between u32 and s32: convert one of them"},
        {"dst = src;\ndst = dst $*\nimm", "'*' between u64 and s32: convert one of them"},
        {"dst = mem64[$imm]", "the address is s32, but must be u64"},
        {"dst = mem64[8]", NULL},
        {"mem8[dst] = $src", "the value is u64, but must be u8"},
        {"mem8[dst] = $256", "this number does not fit u8"},
        {"mem8[dst] = 255", NULL},
        {"dst = u64(s8($128))", "this number does not fit s8"},
        {"dst = u64(s8(-128))", NULL},
        {"dst = u64(s8(-$129))", "this number does not fit s8"},
        {"dst = src << $src", "the count may reach 64: mask it, as in 'n & 63'"},
        {"dst = src << (src $& 64)", "the count may reach 64: mask it, as in 'n & 63'"},
        {"dst = src << (63 & src)", NULL},
        {"dst = src << $64", "the count may reach 64: mask it, as in 'n & 63'"},
        {"dst = u64(u32(src) << (u32(src) $& 63))",
         "the count may reach 32: mask it, as in 'n & 31'"},
        {"dst = src << (imm $& 63)", "the count is s32, but must be u64"},
        {"dst = src >> (u32(src) $& 31)", "the count is u32, but must be u64"},
        {"dst = dst / $src", "the divisor may be zero: guard it, as in 'n == 0 ? 0 : m / n'"},
        {"dst = dst / $0", "the divisor may be zero: guard it, as in 'n == 0 ? 0 : m / n'"},
        {"dst = dst / 3", NULL},
        {"dst = src == 0 ? dst / $src : 0",
         "the divisor may be zero: guard it, as in 'n == 0 ? 0 : m / n'"},
        {"dst = src != 0 ? dst / src : 0", NULL},
        {"dst = 0 == src ? 0 : dst % src", NULL},
        {"dst = u32(src) == 0 ? 0 : dst % $src",
         "the divisor may be zero: guard it, as in 'n == 0 ? 0 : m / n'"},
        {"dst = src == 0 ? 0 : dst % $dst",
         "the divisor may be zero: guard it, as in 'n == 0 ? 0 : m / n'"},
        {"if ($dst) goto s64(off)", "the condition is u64, but must be bool"},
        {"if (dst $== imm) goto s64(off)", "'==' between u64 and s32: convert one of them"},
        {"if ($1 == 2) goto s64(off)",
         "the type of this number is not known here: convert it, as in u64(1)"},
        {"let a = 1 $+ 2; dst = a",
         "the type of this number is not known here: convert it, as in u64(1)"},
        {"let a = 1 + u64(2); dst = a", NULL},
        {"goto $off", "the distance is s16, but must be s64"},
        {"goto 1", NULL},
        {"call local($s64(imm))", "the argument is s64, but must be s32"},
        {"dst = bswap16($dst)", "the argument is u64, but must be u16"},
        {"dst = $u64(dst == src)", "a truth value cannot be converted: write '? 1 : 0'"},
        {"dst = dst $== src", "the value is bool, but must be u64"},
        {"dst = !$dst ? 1 : 0", "the operand of '!' is u64, but must be bool"},
        {"dst = $-(dst == src) ? 1 : 0", "arithmetic on a truth value"},
        {"dst = (dst == src) $== (src == dst) ? 1 : 0", "'==' between truth values"},
        {"dst = $dst && src ? 1 : 0", "the left side is u64, but must be bool"},
        {"dst = dst == 0 $? src : imm", "'?' between u64 and s32"},
        {"dst = dst == 0 ? $mem64[src] : 0",
         "memory is read where it may not be reached: read it before, with let"},
        {"dst = dst == 0 && $mem64[src] == 0 ? 1 : 0",
         "memory is read where it may not be reached: read it before, with let"},
        {"dst = dst == 0 ? $map_val(src) : 0",
         "the platform is asked where it may not be reached: ask before, with let"},
        {"dst = $mulhi(dst, s64(src))", "'mulhi' between u64 and s64: convert one of them"},
        {"dst = $mulhi(s64(dst), s64(src))", "the value is s64, but must be u64"},
        {"dst = mulhi(dst, 3)", NULL},
        {"dst = u64(mulhi(s64(dst), -3))", NULL},
        {"$exit; dst = src", "control flow must be the last statement"},
        {"atomic { $goto 1 }", "control flow must be the last statement"},
        {"atomic { $atomic { dst = src } }", "atomic inside atomic"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        if (cases[i].msg) {
            assert_refused(cases[i].text, 0, cases[i].msg);
            continue;
        }
        read_with(&f, cases[i].text, 0);
        if (f.rc)
            fail_msg("%s: %s", cases[i].text, f.err.msg);
        done(&f);
    }
}

static void mutants_may_leave_masks_and_guards_out(void **state)
{
    static const char *const texts[] = {"dst = src << src", "dst = dst / src", "dst = src >> 64",
                                        "dst = dst % 0"};
    struct fixture f;
    (void)state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        read_with(&f, texts[i], CTS_SEMA_RELAXED);
        assert_int_equal(f.rc, 0);
        done(&f);
    }
    assert_refused("dst = src << $imm", CTS_SEMA_RELAXED, "the count is s32, but must be u64");
}

static void types_are_those_of_the_operands(void **state)
{
    struct fixture f;
    (void)state;

    read_with(&f, "dst = u64(s32(dst) + imm); mem16[src] = 7", 0);
    assert_int_equal(f.rc, 0);
    const struct cts_stmt *first = f.sema->body;
    assert_int_equal(first->kind, CTS_S_ASSIGN);
    assert_int_equal(first->value->type, CTS_T_U64);
    assert_int_equal(first->value->child[0]->op, CTS_OP_ADD);
    assert_int_equal(first->value->child[0]->type, CTS_T_S32);
    assert_int_equal(first->next->value->type, CTS_T_U16);
    assert_int_equal(first->next->target->bits, 16);
    assert_null(first->next->next);
    assert_true(cts_sema_uses(f.sema) == CTS_USES_STORE);
    assert_true(cts_sema_reads(f.sema, CTS_O_SRC));
    assert_true(cts_sema_writes(f.sema, CTS_O_DST));
    assert_false(cts_sema_writes(f.sema, CTS_O_SRC));
    assert_false(cts_sema_reads(f.sema, CTS_O_OFF));
    done(&f);
}

static void assert_condition(const char *marked, const char *msg)
{
    struct cts_arena arena;
    struct cts_err err;
    struct cts_expr *x;
    char text[256];
    unsigned line = 0, col = 0;

    cts_arena_init(&arena, 0);
    cts_err_clear(&err);
    if (msg)
        take_mark(marked, text, &line, &col);
    int rc = cts_sema_read_condition(msg ? text : marked, &PLACE, &arena, &x, &err);
    assert_int_equal(rc < 0, msg != NULL);
    assert_int_equal(x == NULL, msg != NULL);
    assert_string_equal(err.msg, msg ? msg : "");
    assert_int_equal(err.line, line);
    assert_int_equal(err.col, col);
    cts_arena_release(&arena);
}

static void conditions_stand_alone(void **state)
{
    struct fixture f;
    (void)state;

    assert_condition("imm == 0", NULL);
    assert_condition("((dst + u64(off)) & 7) != 0", NULL);
    assert_condition("$imm", "the condition is s32, but must be bool");
    assert_condition("imm == 0 $; exit", "expected the end, found ';'");
    assert_condition("imm == $", "expected a value, found the end");
    read_with(&f, "atomic release { mem8[dst] = u8(src) }; if (choose) goto s64(off)", 0);
    assert_int_equal(f.rc, 0);
    assert_int_equal(f.sema->body->order, CTS_MO_RELEASE);
    assert_int_equal(f.sema->body->next->cond->kind, CTS_X_CHOOSE);
    assert_int_equal(cts_sema_uses(f.sema),
                     CTS_USES_ATOMIC | CTS_USES_STORE | CTS_USES_JUMP | CTS_USES_CHOOSE);
    done(&f);
    assert_refused("dst = $u64(choose)", 0, "a truth value cannot be converted: write '? 1 : 0'");
    assert_refused("let $choose = dst", 0,
                   "expected a name that is not taken by the language, found 'choose'");
}

static void precedence_is_as_in_c(void **state)
{
    (void)state;

    assert_prints("dst = dst + src * 2 - 1", "dst = (dst + (src * 2)) - 1");
    assert_prints("dst = dst - src - 1", "dst = dst - src - 1");
    assert_prints("dst = dst - (src - 1)", "dst = dst - (src - 1)");
    assert_prints("dst = dst | src & 3 ^ 4", "dst = dst | ((src & 3) ^ 4)");
    assert_prints("dst = dst << 1 + 2", "dst = dst << (1 + 2)");
    assert_prints("dst = -dst - ~-src", "dst = -dst - ~-src");
    assert_prints("dst = -(dst + src)", "dst = -(dst + src)");
    assert_prints("dst = dst == 0 || src < 1 && !(dst > 2) ? 1 : src != 3 ? 4 : 100000",
                  "dst = (dst == 0) || ((src < 1) && !(dst > 2)) ? 1 : (src != 3 ? 4 : 0x186a0)");
    assert_prints("dst = (dst == 0 ? 1 : 2) + 3;", "dst = (dst == 0 ? 1 : 2) + 3");
    assert_prints(
        "atomic{let a=mem64[dst];mem64[dst]=a;src=a};if(src==0)goto s64(off)",
        "atomic { let a = mem64[dst]; mem64[dst] = a; src = a }; if (src == 0) goto s64(off)");
    assert_prints("atomic acquire{dst=mem64[src]}", "atomic acquire { dst = mem64[src] }");
    assert_prints("if(choose&&dst==0)goto s64(off)", "if (choose && (dst == 0)) goto s64(off)");
    assert_prints("call btf(imm)", "call btf(imm)");
    assert_prints("dst=mulhi((dst+1),src)*2", "dst = mulhi(dst + 1, src) * 2");
    assert_prints("dst=-mulhi(mulhi(dst,src),src)", "dst = -mulhi(mulhi(dst, src), src)");
    assert_prints("exit", "exit");
    assert_prints("r0 = u64(packet16(u64(imm)))", "r0 = u64(packet16(u64(imm)))");
}

static int count_nodes(void *arg, struct cts_expr **slot)
{
    (void)slot;
    ++*(unsigned *)arg;
    return 0;
}

static int swap_add(void *arg, struct cts_expr **slot)
{
    (void)arg;
    if ((*slot)->kind != CTS_X_BINARY || (*slot)->op != CTS_OP_ADD)
        return 0;
    (*slot)->op = CTS_OP_SUB;
    return 1;
}

static int drop_convert(void *arg, struct cts_expr **slot)
{
    (void)arg;
    if ((*slot)->kind != CTS_X_CONVERT || (*slot)->to != CTS_T_U32)
        return 0;
    *slot = (*slot)->child[0];
    return 1;
}

static int drop_store(void *arg, struct cts_stmt **slot)
{
    (void)arg;
    if ((*slot)->kind != CTS_S_ASSIGN || (*slot)->target->kind != CTS_X_MEM)
        return 0;
    *slot = (*slot)->next;
    return 1;
}

static void assert_text(const struct cts_sema *sema, const char *text)
{
    struct cts_buf out;

    cts_buf_init(&out, 0);
    cts_sema_print(sema, &out);
    assert_string_equal(cts_buf_text(&out), text);
    cts_buf_release(&out);
}

static void trees_can_be_copied_and_changed(void **state)
{
    struct fixture f;
    unsigned nodes = 0;
    (void)state;

    read_with(
        &f, "atomic { let a = mem32[dst + u64(off)]; mem32[dst] = a; dst = u64(u32(src) + a) }", 0);
    assert_int_equal(f.rc, 0);
    assert_int_equal(cts_sema_visit(f.sema, count_nodes, &nodes), 0);
    assert_int_equal(nodes, 5 + 3 + 6);

    struct cts_sema *copy = cts_sema_clone(f.sema, &f.arena);
    assert_non_null(copy);
    assert_int_equal(cts_sema_visit(copy, swap_add, NULL), 1);
    assert_int_equal(cts_sema_visit_stmts(copy, drop_store, NULL), 1);
    assert_int_equal(cts_sema_check(copy, 0, NULL), 0);
    assert_text(copy, "atomic { let a = mem32[dst - u64(off)]; dst = u64(u32(src) + a) }");
    assert_text(
        f.sema,
        "atomic { let a = mem32[dst + u64(off)]; mem32[dst] = a; dst = u64(u32(src) + a) }");

    /* A change that breaks the types is found. */
    assert_int_equal(cts_sema_visit(copy, drop_convert, NULL), 1);
    assert_int_equal(cts_sema_check(copy, 0, &f.err), CTS_E_SCHEMA);
    assert_string_equal(f.err.msg, "'+' between u64 and u32: convert one of them");
    done(&f);
}

static void hostile_text_is_bounded(void **state)
{
    char text[CTS_SEMA_TEXT_MAX + 64];
    struct fixture f;
    (void)state;

    memset(text, '(', sizeof(text));
    memcpy(text, "dst = ", 6);
    text[2000] = 0;
    read_with(&f, text, 0);
    assert_int_equal(f.rc, CTS_E_LIMIT);
    done(&f);

    memset(text + 6, '~', sizeof(text) - 6);
    text[2000] = 0;
    read_with(&f, text, 0);
    assert_int_equal(f.rc, CTS_E_LIMIT);
    done(&f);

    memset(text, ' ', sizeof(text));
    text[sizeof(text) - 1] = 0;
    read_with(&f, text, 0);
    assert_int_equal(f.rc, CTS_E_LIMIT);
    done(&f);

    /* As long as may be: a chain to the left, which the parser does not recurse on. */
    struct cts_buf chain;
    cts_buf_init(&chain, 0);
    cts_buf_adds(&chain, "dst = src");
    while (chain.len + 4 <= CTS_SEMA_TEXT_MAX)
        cts_buf_adds(&chain, "+src");
    read_with(&f, cts_buf_text(&chain), 0);
    assert_int_equal(f.rc, 0);
    done(&f);
    cts_buf_release(&chain);
}

/* `times` levels of a shape around "src", which are more in print where mixed operators need
 * parentheses. */
static void nest(struct cts_buf *out, const char *before, const char *after, unsigned times)
{
    cts_buf_clear(out);
    cts_buf_adds(out, "dst = ");
    for (unsigned i = 0; i < times; i++)
        cts_buf_adds(out, before);
    cts_buf_adds(out, "src");
    for (unsigned i = 0; i < times; i++)
        cts_buf_adds(out, after);
}

static bool reads(const char *text, struct cts_buf *printed)
{
    struct fixture f;
    read_with(&f, text, CTS_SEMA_RELAXED);
    if (f.rc)
        assert_int_equal(f.rc, CTS_E_LIMIT);
    else
        cts_sema_print(f.sema, printed);
    done(&f);
    return f.rc == 0;
}

static void what_is_read_is_not_too_deep_in_print(void **state)
{
    static const struct {
        const char *before, *after;
    } shapes[] = {
        {"", " + src - src"},     {"~", ""},
        {"src - (src * ", ")"},   {"~(src - ", ")"},
        {"src == 0 ? 1 : ", ""},  {"src == 0 ? (src == 1 ? ", " : 2) : 3"},
        {"mem64[", "]"},          {"mulhi(src - ", ", src + src)"},
        {"(src ^ src) * (", ")"}, {"u64(u32(", "))"},
    };
    struct cts_buf text, first, second;
    (void)state;
    cts_buf_init(&text, 0);
    cts_buf_init(&first, 0);
    cts_buf_init(&second, 0);
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        unsigned times = 1;
        for (;; times++) {
            nest(&text, shapes[i].before, shapes[i].after, times);
            cts_buf_clear(&first);
            cts_buf_clear(&second);
            if (!reads(cts_buf_text(&text), &first))
                break;
            if (!reads(cts_buf_text(&first), &second))
                fail_msg("read, but not when printed: %s", cts_buf_text(&first));
            assert_string_equal(cts_buf_text(&first), cts_buf_text(&second));
        }
        assert_true(times > 15 && times <= CTS_SEMA_DEPTH_MAX);
    }
    cts_buf_release(&text);
    cts_buf_release(&first);
    cts_buf_release(&second);
}

static void mangled_text_is_survived(void **state)
{
    static const char text[] =
        "atomic { let a = mem32[dst + u64(off)]; mem32[dst] = a == u32(r0) ? 1 : "
        "~a; r0 = u64(a) }; if (dst << (src & 63) >= 0x10) goto s64(off)";
    char copy[sizeof(text)];
    struct fixture f;
    (void)state;

    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        for (int c = 1; c < 128; c += 3) {
            memcpy(copy, text, sizeof(text));
            copy[i] = (char)c;
            read_with(&f, copy, 0);
            assert_int_equal(f.rc == 0, f.sema != NULL);
            done(&f);
        }
        memcpy(copy, text, sizeof(text));
        copy[i] = 0;
        read_with(&f, copy, 0);
        done(&f);
    }
}

/* The operators of the language, as generated code has them. Values: SMT-LIB's bvudiv, bvurem,
 * bvsdiv, bvsrem, bvshl, bvlshr, bvashr. */
static void operators_are_total(void **state)
{
    (void)state;

    assert_true(cts_sem_udiv32(7, 0) == UINT32_MAX && cts_sem_umod32(7, 0) == 7);
    assert_true(cts_sem_udiv64(7, 0) == UINT64_MAX && cts_sem_umod64(7, 0) == 7);
    assert_true(cts_sem_sdiv32(-7, 0) == 1 && cts_sem_sdiv32(7, 0) == -1);
    assert_true(cts_sem_sdiv64(-7, 0) == 1 && cts_sem_sdiv64(7, 0) == -1);
    assert_true(cts_sem_smod32(-7, 0) == -7 && cts_sem_smod64(-7, 0) == -7);
    assert_true(cts_sem_sdiv32(INT32_MIN, -1) == INT32_MIN && cts_sem_smod32(INT32_MIN, -1) == 0);
    assert_true(cts_sem_sdiv64(INT64_MIN, -1) == INT64_MIN && cts_sem_smod64(INT64_MIN, -1) == 0);
    assert_true(cts_sem_sdiv64(-13, 3) == -4 && cts_sem_smod64(-13, 3) == -1);
    assert_true(cts_sem_sdiv32(13, -3) == -4 && cts_sem_smod32(13, -3) == 1);
    assert_true(cts_sem_shl(1, 63, 64) == UINT64_C(1) << 63 && cts_sem_shl(1, 64, 64) == 0);
    assert_true(cts_sem_shr(UINT64_MAX, 64, 64) == 0 && cts_sem_shr(UINT32_MAX, 32, 32) == 0);
    assert_true(cts_sem_sar(-2, 1, 64) == -1 && cts_sem_sar(-2, UINT64_MAX, 64) == -1);
    assert_true(cts_sem_sar(INT64_MAX, 64, 64) == 0);
}

/* The upper half of a product: by its definition where there is a type of twice the width, and of
 * operands at the ends of the range. */
static void products_have_an_upper_half(void **state)
{
    static const uint64_t ends[] = {0,
                                    1,
                                    2,
                                    3,
                                    0x7fffffff,
                                    0x80000000,
                                    0xffffffff,
                                    0x100000000,
                                    0x100000001,
                                    0x1ffffffff,
                                    0x7fffffffffffffff,
                                    0x8000000000000000,
                                    0x8000000000000001,
                                    0xdeadbeef12345678,
                                    0xfffffffe00000001,
                                    0xffffffff00000000,
                                    0xffffffff80000000,
                                    0xfffffffffffffffd,
                                    0xffffffffffffffff};
    const size_t n = sizeof(ends) / sizeof(ends[0]);
    (void)state;

    assert_true(cts_sem_umulhi(UINT64_MAX, UINT64_MAX, 64) == UINT64_MAX - 1);
    assert_true(cts_sem_smulhi(INT64_MIN, INT64_MIN, 64) == INT64_C(1) << 62);
    assert_true(cts_sem_smulhi(INT64_MIN, INT64_MAX, 64) == -(INT64_C(1) << 62));
    assert_true(cts_sem_umulhi(UINT32_MAX, UINT32_MAX, 32) == UINT32_MAX - 1);
    assert_true(cts_sem_smulhi(INT32_MIN, INT32_MAX, 32) == -(1 << 30));
    assert_true(cts_sem_umulhi(0xff, 0xff, 8) == 0xfe && cts_sem_smulhi(-1, 1, 8) == -1);
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 wide;
    __extension__ typedef __int128 swide;
    for (size_t i = 0; i < n * n; i++) {
        uint64_t a = ends[i / n], b = ends[i % n];
        assert_true(cts_sem_umulhi(a, b, 64) == (uint64_t)((wide)a * b >> 64));
        assert_true(cts_sem_smulhi((int64_t)a, (int64_t)b, 64) ==
                    (int64_t)((swide)(int64_t)a * (int64_t)b >> 64));
    }
#endif
}

static void order_depends_on_the_machine(void **state)
{
    struct cts_mach little = {.be = false}, big = {.be = true};
    (void)state;

    assert_true(cts_sem_le16(&little, 0x1122) == 0x1122 && cts_sem_le16(&big, 0x1122) == 0x2211);
    assert_true(cts_sem_be16(&little, 0x1122) == 0x2211 && cts_sem_be16(&big, 0x1122) == 0x1122);
    assert_true(cts_sem_le32(&big, 0x11223344) == 0x44332211);
    assert_true(cts_sem_be64(&little, UINT64_C(0x1122334455667788)) ==
                UINT64_C(0x8877665544332211));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syntax_errors_have_places),
        cmocka_unit_test(type_errors_have_places),
        cmocka_unit_test(mutants_may_leave_masks_and_guards_out),
        cmocka_unit_test(types_are_those_of_the_operands),
        cmocka_unit_test(conditions_stand_alone),
        cmocka_unit_test(precedence_is_as_in_c),
        cmocka_unit_test(trees_can_be_copied_and_changed),
        cmocka_unit_test(hostile_text_is_bounded),
        cmocka_unit_test(what_is_read_is_not_too_deep_in_print),
        cmocka_unit_test(mangled_text_is_survived),
        cmocka_unit_test(operators_are_total),
        cmocka_unit_test(products_have_an_upper_half),
        cmocka_unit_test(order_depends_on_the_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
