/* uses: base host isa asm */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "asm/asm.h"
#include "asm/object.h"
#include "asm/unit.h"
#include "base/bytes.h"
#include "host/fs.h"
#include "isa/isa.h"

struct world {
    struct cts_asm_tool tool;
    struct cts_arena arena;
};

static int setup(void **state)
{
    struct cts_err err = {.code = 0};
    struct world *w = calloc(1, sizeof(*w));
    cts_arena_init(&w->arena, 0);
    if (cts_asm_find(&w->tool, &err) != 0)
        fail_msg("%s", err.msg);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    cts_arena_release(&w->arena);
    free(w);
    return 0;
}

static void assemble(struct world *w, bool be, const struct cts_asm_src *src, size_t n,
                     struct cts_asm_out *out)
{
    struct cts_err err = {.code = 0};
    if (cts_asm_many(&w->tool, be, src, n, &w->arena, out, &err) != 0)
        fail_msg("%s", err.msg);
}

static void assemble_one(struct world *w, bool be, const char *text, struct cts_asm_out *out)
{
    struct cts_asm_src src = {.text = text, .file = "t.s", .line = 10};
    assemble(w, be, &src, 1, out);
}

/* Bytes are written here as text, "07 01 ...". */
static void expect_bytes(struct world *w, bool be, const char *text, const char *hex)
{
    struct cts_asm_out out;
    char got[1024] = "";
    assemble_one(w, be, text, &out);
    if (out.rc != 0)
        fail_msg("%s: %u:%u: %s", text, out.err.line, out.err.col, out.err.msg);
    for (uint32_t i = 0; i < out.slots * 8 && i < 300; i++)
        snprintf(got + (size_t)3 * i, 4, "%02x ", out.bytes[i]);
    if (got[0])
        got[strlen(got) - 1] = '\0';
    assert_string_equal(got, hex);
}

static void test_both_byte_orders(void **state)
{
    expect_bytes(*state, false, "r1 += 5\n", "07 01 00 00 05 00 00 00");
    expect_bytes(*state, true, "r1 += 5\n", "07 10 00 00 00 00 00 05");
    expect_bytes(*state, false, "r1 = -2 ll", "18 01 00 00 fe ff ff ff 00 00 00 00 ff ff ff ff");
    expect_bytes(*state, false, "", "");
    expect_bytes(*state, false, "# nothing\n  // at all\n", "");
    expect_bytes(*state, false, "exit; exit # two; not three",
                 "95 00 00 00 00 00 00 00 95 00 00 00 00 00 00 00");
}

static void test_labels(void **state)
{
    expect_bytes(*state, false, "goto end\nr0 = 0\nend: exit",
                 "05 00 01 00 00 00 00 00 b7 00 00 00 00 00 00 00 95 00 00 00 00 00 00 00");
    expect_bytes(*state, false, "call f\nexit\nf:\nexit",
                 "85 10 00 00 01 00 00 00 95 00 00 00 00 00 00 00 95 00 00 00 00 00 00 00");
    expect_bytes(*state, true, "call f\nexit\nf:\nexit",
                 "85 01 00 00 00 00 00 01 95 00 00 00 00 00 00 00 95 00 00 00 00 00 00 00");
    /* The end of the program is a place, too; and a wide instruction counts twice. */
    expect_bytes(*state, false, "gotol out\nr1 = 1 ll\nout:",
                 "06 00 00 00 02 00 00 00 18 01 00 00 01 00 00 00 00 00 00 00 00 00 00 00");
    expect_bytes(*state, false, "1: if r1 == 7 goto 1f\n1: if r1 != 7 goto 1b\nexit",
                 "15 01 00 00 07 00 00 00 55 01 ff ff 07 00 00 00 95 00 00 00 00 00 00 00");
}

static void test_labels_are_private(void **state)
{
    struct cts_asm_src src[] = {
        {.text = "goto a\na: exit", .file = "a", .line = 1},
        {.text = "a: exit\ngoto a", .file = "b", .line = 1},
        {.text = "goto b", .file = "c", .line = 1},
        {.text = "1: exit", .file = "d", .line = 1},
        {.text = "exit\ngoto 1b", .file = "e", .line = 1},
    };
    struct cts_asm_out out[5];
    assemble(*state, false, src, 5, out);
    assert_int_equal(out[0].rc, 0);
    assert_int_equal(out[1].rc, 0);
    assert_memory_equal(out[1].bytes + 8, "\x05\x00\xfe\xff\x00\x00\x00\x00", 8);
    assert_int_equal(out[2].rc, CTS_E_SYNTAX);
    assert_int_equal(out[3].rc, 0);
    assert_int_equal(out[4].rc, CTS_E_SYNTAX);
    assert_int_equal(out[4].err.line, 2);
    assert_int_equal(out[4].err.col, 6);
}

static const struct refusal {
    const char *text;
    int rc;
    unsigned line, col;
} refusals[] = {
    /* directives and symbols */
    {".incbin \"x\"", CTS_E_SYNTAX, 1, 1},
    {"r0 = 1\n  .quad 5", CTS_E_SYNTAX, 2, 3},
    {"a: .byte 1", CTS_E_SYNTAX, 1, 4},
    {"exit; .set x, 5", CTS_E_SYNTAX, 1, 7},
    {"goto .Ltext", CTS_E_SYNTAX, 1, 6},
    {"x = 5", CTS_E_SYNTAX, 1, 1},
    {"r0 = 'a'", CTS_E_SYNTAX, 1, 6},
    {"r0 = \"a\"", CTS_E_SYNTAX, 1, 6},
    {"r0 = 1 /* one */", CTS_E_SYNTAX, 1, 8},
    {"exit\\", CTS_E_SYNTAX, 1, 5},
    {"r0 = \xc3\xa4", CTS_E_SYNTAX, 1, 6},
    {"5", CTS_E_SYNTAX, 1, 1},
    {"r1: exit", CTS_E_SYNTAX, 1, 1},
    {"a: exit\na: exit", CTS_E_SYNTAX, 2, 1},
    {"0x1: exit", CTS_E_SYNTAX, 1, 1},
    /* names of nothing */
    {"call nobody", CTS_E_SYNTAX, 1, 6},
    {"if r1 == 5 goto nowhere", CTS_E_SYNTAX, 1, 17},
    {"a: r0 = a ll", CTS_E_SYNTAX, 1, 9},
    {"exit\nr0 = nobody", CTS_E_SYNTAX, 2, 6},
    {"r0 += S", CTS_E_SYNTAX, 1, 7},
    {"goto 1f", CTS_E_SYNTAX, 1, 6},
    /* what is no instruction to llvm-mc */
    {"exit\nr0 += r11", CTS_E_SYNTAX, 2, 7},
    {"frob r1", CTS_E_SYNTAX, 1, 1},
    {"a: b: r0 = exit exit", CTS_E_SYNTAX, 1, 17},
    {"l: goto l extra", CTS_E_SYNTAX, 1, 11},
    /* numbers */
    {"r0 = 4294967296", CTS_E_RANGE, 1, 6},
    {"w0 = -2147483649", CTS_E_RANGE, 1, 7},
    {"r0 = 0x1ffffffff", CTS_E_RANGE, 1, 6},
    {"r0 = 18446744073709551616 ll", CTS_E_RANGE, 1, 6},
    {"r0 = -9223372036854775809 ll", CTS_E_RANGE, 1, 7},
    {"call 4294967296", CTS_E_RANGE, 1, 6},
    {"if r1 == 4294967297 goto +1", CTS_E_RANGE, 1, 10},
    {"goto +32768", CTS_E_RANGE, 1, 7},
    {"goto -32769", CTS_E_RANGE, 1, 7},
    {"r1 = *(u8 *)(r2 + 32768)", CTS_E_RANGE, 1, 19},
    {"*(u8 *)(r2 - 32769) = r1", CTS_E_RANGE, 1, 14},
    {"r0 = *(u8 *)skb[4294967296]", CTS_E_RANGE, 1, 17},
    {"*(u32 *)(r1 + 4) = 4294967300", CTS_E_RANGE, 1, 20},
    {"lock *(u32 *)(r1 + 65536) += w2", CTS_E_RANGE, 1, 20},
    {"r0 = 010", CTS_E_SYNTAX, 1, 6},
    {"r0 = 1x", CTS_E_SYNTAX, 1, 6},
    {"r0 = 1.5", CTS_E_SYNTAX, 1, 6},
    {"ld_pseudo r1, 16, 5", CTS_E_RANGE, 1, 15},
    {"ld_pseudo r1, 2, 0x500000003", CTS_E_RANGE, 1, 18},
    /* sums are not numbers of the text */
    {"r0 = 2 + 3", CTS_E_RANGE, 1, 6},
    {"r0 = 2147483647 + 2147483647", CTS_E_RANGE, 1, 6},
};

static void test_refusals(void **state)
{
    enum { N = CTS_ARRAY_LEN(refusals) };
    struct cts_asm_src src[N];
    struct cts_asm_out out[N];
    for (int be = 0; be < 2; be++) {
        for (size_t i = 0; i < N; i++)
            src[i] = (struct cts_asm_src){.text = refusals[i].text, .file = "t.s", .line = 10};
        assemble(*state, be, src, N, out);
        for (size_t i = 0; i < N; i++) {
            const struct cts_err *e = &out[i].err;
            if (out[i].rc != refusals[i].rc || e->line != refusals[i].line + 9 ||
                e->col != refusals[i].col || strcmp(e->file, "t.s") != 0)
                fail_msg("'%s': %d at %s:%u:%u: %s", refusals[i].text, out[i].rc, e->file, e->line,
                         e->col, e->msg);
            assert_null(out[i].bytes);
        }
    }
}

static const char *const accepted[] = {
    "r0 = 4294967295",
    "r0 = -2147483648",
    "w0 = 0xffffffff",
    "r0 = 0b101",
    "r0 = 18446744073709551615 ll",
    "r0 = -9223372036854775808 ll",
    "r0 = 0xdeadbeefcafebabe ll",
    "goto +32767",
    "goto -32768",
    "if w3 s>= -5 goto +4",
    "r1 = *(u8 *)(r2 + 32767)",
    "*(u64 *)(r10 - 32768) = r1",
    "*(u64 *)(r10 - 8) = -1",
    "*(u32*)(r1+4)=4294967295",
    "r2 = atomic_fetch_add((u64 *)(r1 - 16), r2)",
    "lock *(u32 *)(r1 + 4) |= w2",
    "r0 = cmpxchg_64(r1 + 8, r0, r2)",
    "w2 = xchg32_32(r1 - 4, w2)",
    "r3 = be16 r3",
    "r3 = bswap64 r3",
    "r3 = (s16)r4",
    "w3 s/= -7",
    "r3 s%= r4",
    "r3 s>>= 63",
    "r3 = -r3",
    "call -1",
    "call 4294967295",
    "ld_pseudo r1, 6, 5",
    "r0 = *(u32 *)skb[5]",
    "r0 = *(u16 *)skb[r2]",
    "r1 = addr_space_cast(r2, 1, 0)",
    "callx r2",
    "\tr0\t=\t1\t",
    "exit\r",
};

static void test_accepted(void **state)
{
    enum { N = CTS_ARRAY_LEN(accepted) };
    struct cts_asm_src src[N];
    struct cts_asm_out out[N];
    for (int be = 0; be < 2; be++) {
        for (size_t i = 0; i < N; i++)
            src[i] = (struct cts_asm_src){.text = accepted[i], .file = "t.s", .line = 1};
        assemble(*state, be, src, N, out);
        for (size_t i = 0; i < N; i++) {
            if (out[i].rc != 0)
                fail_msg("'%s': %u:%u: %s", accepted[i], out[i].err.line, out[i].err.col,
                         out[i].err.msg);
            assert_true(out[i].slots >= 1);
        }
    }
}

static char *filled(struct world *w, const char *head, size_t n, const char *tail)
{
    static const char line[] = "r0 += 1\n";
    char *text =
        cts_arena_take(&w->arena, strlen(head) + n * (sizeof(line) - 1) + strlen(tail) + 1);
    char *at = text;
    at += sprintf(at, "%s", head);
    for (size_t i = 0; i < n; i++)
        at += sprintf(at, "%s", line);
    sprintf(at, "%s", tail);
    return text;
}

static void test_far_labels(void **state)
{
    struct world *w = *state;
    struct cts_asm_out out;
    assemble_one(w, false, filled(w, "goto far\n", 32767, "far:"), &out);
    assert_int_equal(out.rc, 0);
    assert_int_equal(out.slots, 32768);
    assert_memory_equal(out.bytes, "\x05\x00\xff\x7f\x00\x00\x00\x00", 8);
    assemble_one(w, false, filled(w, "goto far\n", 32768, "far:"), &out);
    assert_int_equal(out.rc, CTS_E_RANGE);
    assert_int_equal(out.err.line, 10);
    assert_int_equal(out.err.col, 6);
    assemble_one(w, false, filled(w, "far:", 32768, "if r1 > r2 goto far"), &out);
    assert_int_equal(out.rc, CTS_E_RANGE);
    assert_int_equal(out.err.line, 10 + 32768);
    assemble_one(w, false, filled(w, "gotol far\n", 100000, "far:"), &out);
    assert_int_equal(out.rc, 0);
    assert_memory_equal(out.bytes, "\x06\x00\x00\x00\xa0\x86\x01\x00", 8);
}

/* More than one call of llvm-mc, and bad programs and one that crashes version 19 among the good
 * ones. */
static void test_many(void **state)
{
    enum { N = 9001 };
    struct world *w = *state;
    struct cts_asm_src *src = calloc(N, sizeof(*src));
    struct cts_asm_out *out = calloc(N, sizeof(*out));
    static char text[N][64];
    for (int i = 0; i < N; i++) {
        snprintf(text[i], sizeof(text[i]), "r1 = %d\nif r1 == %d goto l\nr2 = r3\nl: exit", i, i);
        if (i % 1000 == 7)
            snprintf(text[i], sizeof(text[i]), "r1 = %d\nr1 = r99", i);
        src[i] = (struct cts_asm_src){.text = text[i], .file = "t", .line = (unsigned)i + 1};
    }
    src[5000].text = "r0 = bswap16 r1";
    assemble(w, false, src, N, out);
    unsigned good = 0;
    for (int i = 0; i < N; i++) {
        if (i % 1000 == 7) {
            assert_int_equal(out[i].rc, CTS_E_SYNTAX);
            assert_int_equal(out[i].err.line, i + 2);
        } else if (i == 5000) {
            assert_true(out[i].rc != 0);
        } else {
            assert_int_equal(out[i].rc, 0);
            assert_int_equal(out[i].slots, 4);
            assert_int_equal(cts_get32le(out[i].bytes + 4), i);
            good++;
        }
    }
    assert_int_equal(good, N - 10);
    free(src);
    free(out);
}

/* A tool of our own: a script in front of the real one. */
static void write_tool(struct world *w, const char *dir, const char *script,
                       struct cts_asm_tool *tool)
{
    struct cts_buf text;
    cts_buf_init(&text, 0);
    snprintf(tool->path, sizeof(tool->path), "%s/llvm-mc", dir);
    tool->version = w->tool.version;
    cts_buf_addf(&text, "#!/bin/sh\nreal=%s\n%s", w->tool.path, script);
    assert_int_equal(cts_fs_write_atomic(tool->path, text.data, text.len, NULL), 0);
    assert_int_equal(chmod(tool->path, 0755), 0);
    cts_buf_release(&text);
}

static void with_tool(struct world *w, const char *script, const struct cts_asm_src *src, size_t n,
                      struct cts_asm_out *out)
{
    struct cts_err err = {.code = 0};
    struct cts_asm_tool tool;
    char dir[4000];
    assert_int_equal(cts_fs_temp_dir(dir, sizeof(dir), NULL), 0);
    write_tool(w, dir, script, &tool);
    int rc = cts_asm_many(&tool, false, src, n, &w->arena, out, &err);
    cts_fs_remove_tree(dir);
    if (rc != 0)
        fail_msg("%s", err.msg);
}

static void test_crashes_are_pinned(void **state)
{
    enum { N = 300 };
    struct cts_asm_src src[N];
    static struct cts_asm_out out[N];
    for (int i = 0; i < N; i++)
        src[i] = (struct cts_asm_src){.text = i == 3 || i == 150 || i == 299 ? "exit\nr7 = 777"
                                                                             : "r7 = 1",
                                      .file = "t.s",
                                      .line = (unsigned)i + 1};
    with_tool(*state, "cat >$0.in; grep -q 777 $0.in && kill -SEGV $$\nexec $real \"$@\" <$0.in\n",
              src, N, out);
    for (int i = 0; i < N; i++) {
        bool crashes = strchr(src[i].text, '\n') != NULL;
        assert_int_equal(out[i].rc, crashes ? CTS_E_TOOL : 0);
        if (crashes)
            assert_int_equal(out[i].err.line, i + 1);
    }
}

static void test_warnings_are_errors(void **state)
{
    struct cts_asm_src src[] = {{.text = "exit", .file = "a", .line = 1},
                                {.text = "exit\n\n l:  r1 = 1", .file = "b", .line = 1},
                                {.text = "exit", .file = "c", .line = 1}};
    struct cts_asm_out out[3];
    with_tool(*state, "echo '<stdin>:5:13: warning: odd' >&2; exec $real \"$@\"", src, 3, out);
    assert_int_equal(out[0].rc, 0);
    assert_int_equal(out[1].rc, CTS_E_SYNTAX);
    assert_int_equal(out[1].err.line, 3);
    assert_int_equal(out[1].err.col, 11);
    assert_string_equal(out[1].err.msg, "odd");
    assert_int_equal(out[2].rc, 0);
}

/* A tool that makes other numbers, or more instructions, of the text, as silent truncation would.
 */
static void test_other_numbers_are_found(void **state)
{
    static const struct {
        const char *edit, *text;
    } lies[] = {
        {"s/r1 = 5/r1 = 6/", "exit\nr1 = 5"},
        {"s/r2 + 4/r2 + 8/", "exit\nr1 = *(u8 *)(r2 + 4)"},
        {"s/goto +3/goto +4/", "exit\ngoto +3"},
        {"s/0x500000001 ll/1 ll/", "exit\nr1 = 0x500000001 ll"},
        {"s/goto .L1_0/goto +0/", "exit\ngoto l\nl:exit\nl2:"},
    };
    for (size_t i = 0; i < CTS_ARRAY_LEN(lies); i++) {
        struct cts_asm_src src[] = {{.text = "exit", .file = "a", .line = 1},
                                    {.text = lies[i].text, .file = "b", .line = 1}};
        struct cts_asm_out out[2];
        char script[256];
        snprintf(script, sizeof(script), "sed '%s' | $real \"$@\"", lies[i].edit);
        with_tool(*state, script, src, 2, out);
        assert_int_equal(out[0].rc, 0);
        if (i + 1 < CTS_ARRAY_LEN(lies)) {
            assert_int_equal(out[1].rc, CTS_E_RANGE);
            assert_int_equal(out[1].err.line, 2);
        } else {
            assert_int_equal(out[1].rc, 0); /* the same distance, said otherwise */
        }
    }
    struct cts_asm_src src = {.text = "exit\nexit", .file = "a", .line = 1};
    struct cts_asm_out out;
    with_tool(*state, "sed 's/exit/exit;exit/' | $real \"$@\"", &src, 1, &out);
    assert_int_equal(out.rc, CTS_E_TOOL);
}

static void test_hostile_objects(void **state)
{
    static const char *const scripts[] = {
        "cat >$0.in",
        "echo garbage",
        "cat $real",
        "$real \"$@\" | head -c 100",
        "$real -triple=x86_64 -filetype=obj -o - </dev/null",
    };
    struct world *w = *state;
    for (size_t i = 0; i < CTS_ARRAY_LEN(scripts); i++) {
        struct cts_asm_src src = {.text = "exit", .file = "a", .line = 1};
        struct cts_asm_out out = {.rc = 0};
        struct cts_err err = {.code = 0};
        struct cts_asm_tool tool;
        char dir[4000];
        assert_int_equal(cts_fs_temp_dir(dir, sizeof(dir), NULL), 0);
        write_tool(w, dir, scripts[i], &tool);
        int rc = cts_asm_many(&tool, false, &src, 1, &w->arena, &out, &err);
        cts_fs_remove_tree(dir);
        assert_true(rc == CTS_E_TOOL || out.rc == CTS_E_TOOL);
        assert_null(out.bytes);
    }
}

static void test_find_asks_again_when_the_tool_changed(void **state)
{
    struct world *w = *state;
    struct cts_err err = {.code = 0};
    struct cts_asm_tool tool, found;
    char dir[4000], cache[4100];
    const char *keep = getenv("EBPF_CTS_CACHE");
    assert_int_equal(cts_fs_temp_dir(dir, sizeof(dir), NULL), 0);
    snprintf(cache, sizeof(cache), "%s/cache", dir);
    setenv("EBPF_CTS_CACHE", cache, 1);
    write_tool(w, dir, "echo asked >>$0.log; exec $real \"$@\"", &tool);
    setenv("EBPF_CTS_LLVM_MC", tool.path, 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cts_asm_find(&found, &err), 0);
        assert_string_equal(found.path, tool.path);
        assert_int_equal(found.version, w->tool.version);
    }
    struct cts_buf log;
    char path[4200];
    cts_buf_init(&log, 0);
    snprintf(path, sizeof(path), "%s.log", tool.path);
    assert_int_equal(cts_fs_read(path, 0, &log, NULL), 0);
    assert_string_equal(cts_buf_text(&log), "asked\nasked\nasked\n");
    cts_buf_release(&log);
    write_tool(w, dir, "echo LLVM version 18.1.0", &tool);
    assert_int_equal(cts_asm_find(&found, &err), CTS_E_UNSUPPORTED);
    unsetenv("EBPF_CTS_LLVM_MC");
    if (keep)
        setenv("EBPF_CTS_CACHE", keep, 1);
    else
        unsetenv("EBPF_CTS_CACHE");
    cts_fs_remove_tree(dir);
}

static void test_tool_that_cannot_run(void **state)
{
    struct world *w = *state;
    struct cts_asm_tool tool = {.path = "/nonexistent/llvm-mc", .version = 19};
    struct cts_asm_src src = {.text = "exit", .file = "t", .line = 1};
    struct cts_asm_out out;
    struct cts_err err = {.code = 0};
    assert_true(cts_asm_many(&tool, false, &src, 1, &w->arena, &out, &err) < 0);
    assert_true(err.msg[0] != '\0');
    setenv("EBPF_CTS_LLVM_MC", "/bin/true", 1);
    cts_err_clear(&err);
    assert_int_equal(cts_asm_find(&tool, &err), CTS_E_UNSUPPORTED);
    unsetenv("EBPF_CTS_LLVM_MC");
}

/* ---- objects written ---- */

/* What is written is read back by the code that reads llvm-mc's objects, in both byte orders. */
static void test_object_is_written(void **state)
{
    static const uint8_t code[] = {0xb7, 0, 0, 0, 1, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0};
    struct world *w = *state;
    struct cts_err err = {.code = 0};
    for (unsigned be = 0; be < 2; be++) {
        struct cts_asm_section got;
        struct cts_buf b;
        cts_buf_init(&b, 0);
        cts_buf_adds(&b, "before");
        assert_int_equal(cts_object_write(code, sizeof(code), be, "p0", &b, &err), 0);
        size_t before = strlen("before"), bytes = b.len - before;
        uint8_t *object = (uint8_t *)b.data + before;
        assert_memory_equal(b.data, "before", before);
        assert_memory_equal(object, "\177ELF\2", 5);
        assert_int_equal(object[5], be ? 2 : 1);
        assert_int_equal(be ? cts_get16be(object + 16) : cts_get16le(object + 16), 1);
        assert_int_equal(be ? cts_get16be(object + 18) : cts_get16le(object + 18), 247);
        assert_int_equal(cts_asm_object((char *)object, bytes, &w->arena, &got, 1, &err), 0);
        assert_true(got.found);
        assert_false(got.moved);
        assert_int_equal(got.len, sizeof(code));
        assert_memory_equal(got.bytes, code, sizeof(code));
        assert_non_null(memmem(object, bytes, "\0main", 6));
        cts_buf_release(&b);
    }
}

static void test_object_has_limits(void **state)
{
    static const uint8_t code[8] = {0x95};
    struct cts_err err = {.code = 0};
    struct cts_buf small;
    (void)state;
    cts_buf_init(&small, 100);
    assert_int_equal(cts_object_write(code, sizeof(code), false, "xdp", &small, &err), CTS_E_NOMEM);
    assert_int_equal(small.len, 0);
    cts_buf_release(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_byte_orders),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_labels_are_private),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_far_labels),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_tool_that_cannot_run),
        cmocka_unit_test(test_crashes_are_pinned),
        cmocka_unit_test(test_warnings_are_errors),
        cmocka_unit_test(test_other_numbers_are_found),
        cmocka_unit_test(test_hostile_objects),
        cmocka_unit_test(test_object_is_written),
        cmocka_unit_test(test_object_has_limits),
        cmocka_unit_test(test_find_asks_again_when_the_tool_changed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
