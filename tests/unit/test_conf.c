/* uses: base host load isa conf */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"

struct fixture {
    struct cts_arena arena;
    struct cts_conf_test test;
    struct cts_err err;
    int rc;
};

static void parse_bytes(struct fixture *f, const char *text, size_t len)
{
    memset(f, 0, sizeof(*f));
    cts_arena_init(&f->arena, 1 << 24);
    /* In a block of its own, so that a sanitizer sees what is read behind its end. */
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    f->rc = cts_conf_parse("f.data", copy, len, NULL, 0, &f->arena, &f->test, &f->err);
    free(copy);
}

static void done(struct fixture *f)
{
    cts_arena_release(&f->arena);
}

static void good(struct fixture *f, const char *text)
{
    char msg[2048];
    parse_bytes(f, text, strlen(text));
    if (f->rc)
        fail_msg("%s", cts_err_text(&f->err, msg, sizeof(msg)));
}

static void refuses(const char *text, const char *want)
{
    struct fixture f;
    char msg[2048];
    parse_bytes(&f, text, strlen(text));
    if (f.rc == 0 || strcmp(cts_err_text(&f.err, msg, sizeof(msg)), want) != 0)
        fail_msg("wanted '%s', got '%s'", want, f.rc ? msg : "(nothing)");
    done(&f);
}

/* One line of assembly and the bytes of its slots, in hexadecimal without blanks. */
static void line_is(const char *line, const char *hex)
{
    struct fixture f;
    char text[256], got[64] = "";
    snprintf(text, sizeof(text), "-- asm\n%s\nexit\n-- result\n0\n", line);
    good(&f, text);
    for (size_t i = 0; i < strlen(hex) / 2; i++)
        snprintf(got + 2 * i, 3, "%02x", (unsigned)f.test.code[i]);
    if (strcmp(got, hex) != 0)
        fail_msg("%s: wanted %s, got %s", line, hex, got);
    assert_int_equal(f.test.slots, strlen(hex) / 16 + 1);
    done(&f);
}

static void instructions_have_their_bytes(void **state)
{
    static const char *const lines[][2] = {
        {"mov %r0, 1", "b700000001000000"},
        {"mov32 %r3, -1", "b4030000ffffffff"},
        {"mov32 %r3, 0xffffffff", "b4030000ffffffff"},
        {"mov64 %r1, %r10", "bfa1000000000000"},
        {"add %r1 , %r2", "0f21000000000000"},
        {"add32 %r1,2", "0401000002000000"},
        {"sdiv %r1, %r2", "3f21010000000000"},
        {"smod32 %r1, -7", "94010100f9ffffff"},
        {"arsh %r4, 63", "c70400003f000000"},
        {"neg %r5", "8705000000000000"},
        {"neg32 %r5", "8405000000000000"},
        {"le16 %r0", "d400000010000000"},
        {"be64 %r0", "dc00000040000000"},
        {"swap32 %r0", "d700000020000000"},
        {"bswap32 %r0", "d700000020000000"},
        {"movsx864 %r1, %r2", "bf21080000000000"},
        {"movsx1632 %r1, %r2", "bc21100000000000"},
        {"movsx3264 %r1, %r2", "bf21200000000000"},
        {"lddw %r1, 0x1122334455667788", "18010000887766550000000044332211"},
        {"lddw %r1, -2", "18010000feffffff00000000ffffffff"},
        {"lddw %r1, 18446744073709551615", "18010000ffffffff00000000ffffffff"},
        {"ldxb %r0, [%r1]", "7110000000000000"},
        {"ldxdw %r0, [%r1+8]", "7910080000000000"},
        {"ldxsw %r0, [ %r1 -0x10 ]", "8110f0ff00000000"},
        {"stw [%r10-4], 7", "620afcff07000000"},
        {"stxdw [%r10-8], %r2", "7b2af8ff00000000"},
        {"lock add [%r10-8], %r1", "db1af8ff00000000"},
        {"lock fetch add32 [%r10-8], %r1", "c31af8ff01000000"},
        {"lock xchg [%r10-8], %r1", "db1af8ffe1000000"},
        {"lock cmpxchg32 [%r10-8], %r1", "c31af8fff1000000"},
        {"jeq %r1, 5, +3", "1501030005000000"},
        {"jsle32 %r1, %r2, -1", "de21ffff00000000"},
        {"jset %r1, 0x8, exit", "4501000008000000"},
        {"ja exit", "0500000000000000"},
        {"ja32 -2", "06000000feffffff"},
        {"call 5", "8500000005710000"}, /* helpers have other numbers for workers */
        {"call helper 0", "8500000000710000"},
        {"call 6", "8500000006000000"},
        {"call runtime 7", "8520000007000000"},
        {"call local exit", "8510000000000000"},
        {"call %r3", "8d03000000000000"},
        {"mov %r11, 1", "b70b000001000000"},
        {"ldxw %r0, [%r15+4]", "61f0040000000000"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        line_is(lines[i][0], lines[i][1]);
}

static struct cts_insn insn(const struct fixture *f, uint32_t at)
{
    struct cts_insn in;
    assert_true(at < f->test.slots);
    cts_slot_get(f->test.code + (size_t)at * CTS_SLOT_BYTES, false, &in);
    return in;
}

static void labels_count_slots(void **state)
{
    struct fixture f;
    (void)state;
    good(&f, "-- asm\n"
             "start: mov %r0, 0 # an instruction behind its label is kept\n"
             "ja over\n"
             "lddw %r1, 1\n"
             "over:\n"
             "  here: there: jne %r0, 1, start\n"
             "call local start\n"
             "exit\n"
             "mov %r0, 1\n"
             "ja exit\n"
             "exit\n"
             "-- result\n0x0\n");
    assert_int_equal(f.test.slots, 10);
    assert_int_equal(insn(&f, 1).off, 2);
    assert_int_equal(insn(&f, 4).off, -5);
    assert_int_equal(insn(&f, 5).imm, -6);
    assert_int_equal(insn(&f, 8).off, -3); /* the first exit */
    done(&f);
    good(&f, "-- asm\nja exit\nmov %r0, 1\nexit\nexit: mov %r0, 2\nexit\n-- result\n2\n");
    assert_int_equal(insn(&f, 0).off, 2); /* a label of that name goes before it */
    done(&f);
}

static void sections_are_read(void **state)
{
    struct fixture f;
    (void)state;
    good(&f, "# words\r\n\r\n-- asm\r\nmov %r0, 1\r\nexit\r\n-- mem # more\n0a FF 3\n 04\n"
             "-- no register offset\nwhatever -- this is\n-- result\n-2 # minus two\n");
    assert_int_equal(f.test.mem_bytes, 4);
    assert_memory_equal(f.test.mem, "\x0a\xff\x03\x04", 4);
    assert_int_equal(f.test.result, (uint64_t)-2);
    assert_false(f.test.is_error);
    assert_int_equal(f.test.pos.line, 3);
    done(&f);
    good(&f, "-- c\nint f(int i) { # not a comment\n--i;\n-- i;\n}\n-- asm\nexit\n-- error\n"
             "Failed to load\n");
    assert_true(f.test.is_error);
    assert_string_equal(f.test.error, "Failed to load");
    done(&f);
    good(&f, "-- raw\n0x00000001000000b7 149\n95 00 01 00 00 00 00 00\n-- error\n");
    assert_int_equal(f.test.slots, 3);
    assert_memory_equal(f.test.code,
                        "\xb7\0\0\0\1\0\0\0"
                        "\x95\0\0\0\0\0\0\0"
                        "\x95\0\1\0\0\0\0\0",
                        24);
    assert_true(f.test.is_error);
    assert_string_equal(f.test.error, "");
    done(&f);
    good(&f, "-- raw\n149\n-- asm\nexit\n-- result\n1");
    assert_int_equal(f.test.slots, 1);
    done(&f);
    good(&f, "-- asm\nexit\n-- mem\n0x0010: 0026 622f 1\n07\n-- description\nA -- B\n"
             "-- unload\n-- result\n0\n");
    assert_int_equal(f.test.mem_bytes, 6);
    assert_memory_equal(f.test.mem, "\x00\x26\x62\x2f\x01\x07", 6);
    assert_string_equal(f.test.skip, "");
    done(&f);
    good(&f, "-- asm\nstb [%r10], 0\nexit\n-- error pattern\nout of .*, size 1\n-- result\n-1\n"
             "-- no jit\nnot there\n");
    assert_true(f.test.is_error && f.test.has_result);
    assert_string_equal(f.test.error, "out of .*, size 1");
    assert_string_equal(f.test.no_jit, "not there");
    done(&f);
}

#define ASM(line) "-- asm\n" line "\nexit\n-- result\n0\n"

static void mistakes_have_their_place(void **state)
{
    (void)state;
    refuses(ASM("ldxq %r0, [%r1]"), "f.data:2:1: 'ldxq' is not understood here; the nearest "
                                    "instruction is 'ldxb %{dst}, [%{src}{off}]'");
    refuses(ASM("mov %r0"), "f.data:2:8: the line ends too early for 'mov %{dst}, {imm}'");
    refuses(ASM("mov %r0, 12abc"), "f.data:2:10: '12abc' is not understood here; the nearest "
                                   "instruction is 'mov %{dst}, {imm}'");
    refuses(
        ASM("mov %r0, 1 2"),
        "f.data:2:12: '2' is not understood here; the nearest instruction is 'mov %{dst}, {imm}'");
    refuses(ASM("mov %r0, 2147483648"),
            "f.data:2:10: '2147483648' does not fit its field, in 'mov %{dst}, {imm}'");
    refuses(ASM("mov %r0, 0x100000000"),
            "f.data:2:10: '0x100000000' does not fit its field, in 'mov %{dst}, {imm}'");
    refuses(
        ASM("lddw %r0, 18446744073709551616"),
        "f.data:2:11: '18446744073709551616' does not fit its field, in 'lddw %{dst}, {imm64}'");
    refuses(
        ASM("mov r0, 1"),
        "f.data:2:5: 'r0,' is not understood here; the nearest instruction is 'mov %{dst}, {imm}'");
    refuses(ASM("mov %r16, 1"), "f.data:2:6: 'r16,' is not understood here; the nearest "
                                "instruction is 'mov %{dst}, {imm}'");
    refuses(ASM("ldxb %r0, [%r1+4"),
            "f.data:2:17: the line ends too early for 'ldxb %{dst}, [%{src}{off}]'");
    refuses(ASM("ldxb %r0, [%r1 4]"), "f.data:2:16: '4]' is not understood here; the nearest "
                                      "instruction is 'ldxb %{dst}, [%{src}{off}]'");
    refuses(ASM("ldxb %r0, [%r1+0x10000]"),
            "f.data:2:15: '+0x10000]' does not fit its field, in 'ldxb %{dst}, [%{src}{off}]'");
    refuses(ASM("ja nowhere"), "f.data:2:4: unknown label 'nowhere'");
    refuses(ASM("ja 3"),
            "f.data:2:4: '3' is not understood here; the nearest instruction is 'ja {off}'");
    refuses(ASM("a: mov %r0, 1\na: exit"),
            "f.data:3:1: duplicate label 'a' (first defined at line 2)");
    refuses(ASM("lock fetch xchg [%r1], %r2"),
            "f.data:2:12: 'xchg' is not understood here; the nearest instruction is 'lock fetch "
            "xor32 [%{dst}{off}], %{src}'");
    refuses(ASM("lock sub [%r1], %r2"), "f.data:2:6: 'sub' is not understood here; the nearest "
                                        "instruction is 'lock add32 [%{dst}{off}], %{src}'");
}

static void files_are_whole(void **state)
{
    (void)state;
    refuses("", "f.data: no instruction, neither in asm nor in raw");
    refuses("exit\n-- asm\n", "f.data:1:1: text before the first section: 'exit'");
    refuses("-- asm\nexit\n", "f.data: neither a result nor an error");
    refuses("-- asm\nexit\n-- result\n", "f.data: neither a result nor an error");
    refuses("-- raw\n149\n-- asm\nmov %r0, 1\nexit\n",
            "f.data:1:1: the program in asm is not the one in raw: slot 0 differs");
    refuses("-- asm\nexit\n-- unload\nx\n", "f.data:4:1: this section is empty: 'x'");
    refuses("-- asm @ x.asm\n-- result\n1\n", "f.data:1:10: this file is not at hand: 'x.asm'");
    refuses("-- result @ x\n", "f.data:1:1: this section is not read from a file: '-- result @ x'");
    refuses("-- asm\nexit\n-- result\n1\n2\n", "f.data:5:1: a second result: '2'");
    refuses("-- asm\nexit\n-- result\n1 2\n", "f.data:4:1: not a number of 64 bits: '1 2'");
    refuses("-- asm\nexit\n-- asm\nexit\n", "f.data:3:1: this section is there twice: '-- asm'");
    refuses("-- asm\nexit\n-- wasm\n", "f.data:3:1: no such section: '-- wasm'");
    refuses("-- mem\n1g\n", "f.data:2:1: a byte is two hexadecimal digits: '1g'");
    refuses("-- mem\n0 123\n", "f.data:2:3: a byte is two hexadecimal digits: '123'");
    refuses("-- raw\n0x1ffffffffffffffff\n",
            "f.data:2:1: not a number of 64 bits: '0x1ffffffffffffffff'");
}

static void skip_is(const char *text, const char *why)
{
    struct fixture f;
    struct cts_vec v;
    good(&f, text);
    assert_string_equal(f.test.skip, why);
    assert_int_equal(cts_conf_vector(&f.test, "data", "x", &f.arena, &v, &f.err), 0);
    assert_string_equal(v.skip, why);
    assert_int_equal(v.kind, CTS_VK_VERDICT);
    done(&f);
}

/* What is well formed and no test of instructions says why it is not run. */
static void other_tests_are_skipped(void **state)
{
    (void)state;
    skip_is("-- pyelf\nelf.sections = {}\n-- dashes\n-- result\n0\n",
            "a test of a reader of ELF files, whose file a Python program makes");
    skip_is("-- asm\nexit\n-- reload\n-- error\nloaded already\n",
            "a test of a library's interface: a second program is loaded over the first");
    skip_is("-- asm\nmov %r0, 1\nexit\n-- raw\n0x00000001000000b7\n0x95\n",
            "a test of an assembler: its text and its bytes agree, and there is no result");
    skip_is("-- raw\n0x06\n0x95\n-- error\nunknown opcode 0x06 at PC 0\n",
            "it wants ja32 to be unknown, which RFC 9669 has");
    skip_is("-- raw\n0x16\n0x95\n-- error\nunknown opcode 0x06 at PC 0\n", "");
    skip_is("-- asm\nmov %r2, 5\ncall %r2\nexit\n-- result\n0\n",
            "it calls the helper whose number is in a register, as no instruction here does");
    skip_is("-- asm\ncall %r2\nexit\n-- error\nno\n", "");
    skip_is("-- asm\nexit\n-- error\ntoo many instructions (max 65536)\n",
            "a test of how long a program one runtime takes");
}

static void files_of_one_name_have_their_folders(void **state)
{
    static const char *const paths[] = {"a/b c/x.data", "y.data", "a/d/x.data", "z.d.data"};
    struct cts_arena arena;
    (void)state;
    cts_arena_init(&arena, 0);
    const char *const *names = cts_conf_names(paths, 4, &arena);
    assert_non_null(names);
    assert_string_equal(names[0], "b-c-x");
    assert_string_equal(names[1], "y");
    assert_string_equal(names[2], "d-x");
    assert_string_equal(names[3], "z.d");
    assert_null(names[4]);
    cts_arena_release(&arena);
}

static void vectors_call_the_program(void **state)
{
    struct fixture f;
    struct cts_vec v;
    (void)state;
    good(&f, "-- asm\nldxw %r0, [%r1+8]\ndiv %r0, 3\nexit\n-- mem\n1 2 3 4 5 6 7 8 9 a b c\n"
             "-- result\n5\n");
    assert_int_equal(cts_conf_vector(&f.test, "data", "a-b", &f.arena, &v, &f.err), 0);
    assert_string_equal(v.id, "data/a-b");
    assert_int_equal(v.kind, CTS_VK_RUN);
    assert_int_equal(v.code.count, 2);
    assert_int_equal(v.code.pieces[0].imm.v, 12);
    assert_int_equal(v.code.pieces[1].opcode, 0x85);
    assert_int_equal(v.subs.count, 3);
    assert_int_equal(v.memory, 16);
    assert_string_equal(v.rows[0], "div64_k");
    assert_int_equal(v.row_count, 4);
    assert_int_equal(v.unreadable, 0x3e);
    assert_int_equal(v.cases[0].in.regs[0].kind, CTS_VV_MEM);
    assert_int_equal(v.cases[0].in.mem[0].bytes, 12);
    assert_int_equal(v.cases[0].in.mem[0].values[11], 0xc);
    assert_int_equal(v.cases[0].outcomes[0].out.regs[0].v, 5);
    assert_int_equal(v.cases[0].outcomes[0].out.mem[0].width, 0);
    done(&f);
    good(&f, "-- raw\n0xffffffffffffffff\n-- error\nno\n");
    assert_int_equal(cts_conf_vector(&f.test, "data", "bad", &f.arena, &v, &f.err), 0);
    assert_int_equal(v.kind, CTS_VK_VERDICT);
    assert_int_equal(v.code.count, 1);
    assert_int_equal(v.subs.count, 0);
    assert_int_equal(v.cases[0].outcomes[0].kind, CTS_OUT_FAULTED);
    assert_int_equal(v.cases[0].outcomes[1].kind, CTS_OUT_REJECTED);
    assert_string_equal(v.rows[0], "exit");
    done(&f);
    good(&f, "-- asm\nldxw %r0, [%r1+8]\nexit\n-- mem\n1\n-- error\nno\n");
    assert_int_equal(cts_conf_vector(&f.test, "data", "bad", &f.arena, &v, &f.err), 0);
    assert_int_equal(v.kind, CTS_VK_RUN);
    assert_int_equal(v.subs.count, 2);
    assert_int_equal(v.cases[0].outcomes[0].kind, CTS_OUT_FAULTED);
    assert_int_equal(v.cases[0].outcome_count, 2);
    done(&f);
    good(&f, "-- asm\nmov %r0, 7\nexit\n-- result\n7\n");
    assert_int_equal(cts_conf_vector(&f.test, "data", "seven", &f.arena, &v, &f.err), 0);
    assert_int_equal(v.memory, 0);
    assert_int_equal(v.code.count, 3);
    assert_int_equal(v.cases[0].in.reg_count, 0);
    done(&f);
}

static void same_pieces(const struct cts_vec_code *a, const struct cts_vec_code *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct cts_vec_piece *p = &a->pieces[i], *q = &b->pieces[i];
        assert_int_equal(p->opcode, q->opcode);
        assert_int_equal(p->dst.reg, q->dst.reg);
        assert_int_equal(p->src.reg, q->src.reg);
        assert_int_equal(p->off.v, q->off.v);
        assert_int_equal((uint32_t)p->imm.v, (uint32_t)q->imm.v);
    }
}

/* What is written as YAML is read back as the same vector. */
static void yaml_comes_back(void **state)
{
    struct fixture f;
    struct cts_vec v;
    struct cts_buf text;
    struct cts_vec_file file;
    const struct cts_vec_known known = {0};
    (void)state;
    good(&f, "-- asm\nlddw %r0, 0x123456789abcdef0\nlock fetch add [%r1+8], %r0\nja32 +0\n"
             "jne %r0, -1, exit\nexit\n-- mem\n00 ff\n-- result\n0xfedcba9876543210\n");
    assert_int_equal(cts_conf_vector(&f.test, "t/y", "x", &f.arena, &v, &f.err), 0);
    cts_buf_init(&text, 0);
    cts_conf_yaml_begin(&text, "t/y");
    cts_conf_yaml_add(&text, &v);
    assert_int_equal(cts_vec_parse("x.yaml", cts_buf_text(&text), text.len, &known, NULL, &f.arena,
                                   &file, &f.err),
                     0);
    assert_int_equal(file.count, 1);
    const struct cts_vec *w = &file.vectors[0];
    assert_string_equal(w->id, v.id);
    assert_int_equal(w->row_count, v.row_count);
    assert_int_equal(w->memory, v.memory);
    assert_int_equal(w->operands, v.operands);
    assert_int_equal(w->unreadable, v.unreadable);
    same_pieces(&v.code, &w->code);
    same_pieces(&v.subs, &w->subs);
    assert_int_equal(w->cases[0].in.mem[0].values[1], 0xff);
    assert_int_equal(w->cases[0].outcomes[0].out.regs[0].v, UINT64_C(0xfedcba9876543210));
    assert_int_equal(w->cases[0].outcomes[0].out.mem[0].bytes, 8);
    cts_buf_release(&text);
    done(&f);
}

/* What is written in the format is read as the same test. */
static void tests_come_back(void **state)
{
    static const uint8_t code[] = {0x18, 0, 0, 0, 1,    0, 0, 0, 0, 0, 0, 0,
                                   2,    0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t mem[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 255};
    const struct cts_conf_test t = {.code = code,
                                    .slots = 3,
                                    .mem = mem,
                                    .mem_bytes = sizeof(mem),
                                    .result = UINT64_MAX,
                                    .error = ""};
    struct fixture f;
    struct cts_buf text;
    (void)state;
    cts_buf_init(&text, 0);
    cts_conf_write(&text, "what it is", &t);
    good(&f, cts_buf_text(&text));
    assert_int_equal(f.test.slots, 3);
    assert_memory_equal(f.test.code, code, sizeof(code));
    assert_int_equal(f.test.mem_bytes, sizeof(mem));
    assert_memory_equal(f.test.mem, mem, sizeof(mem));
    assert_int_equal(f.test.result, UINT64_MAX);
    cts_buf_release(&text);
    done(&f);
}

/* Every beginning of a file, and the file with each byte changed, ends without harm. */
static void hostile_files_do_no_harm(void **state)
{
    static const char text[] = "-- asm\na: lock fetch add32 [%r10-8], %r1\njeq %r1, 0x5, a\n"
                               "call local a\n-- mem\n0a ff\n-- raw\n0x95 149\n"
                               "95 00 00 00 00 00 00 00\n-- result\n-1\n";
    static const char wrong[] = {'\0', '\n', '-', '[', '%', ':', '9', '\x80', ' '};
    const size_t len = sizeof(text) - 1;
    struct fixture f;
    (void)state;
    for (size_t n = 0; n < len; n++) {
        char copy[sizeof(text)];
        parse_bytes(&f, text, n);
        done(&f);
        for (size_t i = 0; i < sizeof(wrong); i++) {
            memcpy(copy, text, sizeof(text));
            copy[n] = wrong[i];
            parse_bytes(&f, copy, len);
            done(&f);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instructions_have_their_bytes),
        cmocka_unit_test(labels_count_slots),
        cmocka_unit_test(sections_are_read),
        cmocka_unit_test(mistakes_have_their_place),
        cmocka_unit_test(files_are_whole),
        cmocka_unit_test(other_tests_are_skipped),
        cmocka_unit_test(files_of_one_name_have_their_folders),
        cmocka_unit_test(vectors_call_the_program),
        cmocka_unit_test(yaml_comes_back),
        cmocka_unit_test(tests_come_back),
        cmocka_unit_test(hostile_files_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
