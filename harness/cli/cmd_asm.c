#include <stdio.h>
#include <string.h>

#include "base/digit.h"
#include "asm/asm.h"
#include "base/fmt.h"
#include "cli/command.h"
#include "cli/say.h"
#include "host/buf.h"
#include "host/fs.h"
#include "host/kind.h"
#include "isa/isa.h"
#include "isa/text.h"

enum { LIMIT = 64 << 20 };

struct request {
    bool be, raw;
    bool bytes; /* the input is not text */
    enum cts_syntax syntax;
    const char *file; /* null: the text was given as arguments */
    bool any;         /* such arguments */
    struct cts_buf text;
};

static const char *syntax_word(unsigned i, const char **what)
{
    static const char *const words[][2] = {
        [CTS_SYNTAX_LLVM] = {"llvm", "LLVM's, as the kernel's documentation has it (default)"},
        [CTS_SYNTAX_UBPF] = {"ubpf", "uBPF's, as bpf_conformance's .data files have it"},
        [CTS_SYNTAX_GAS] = {"gas", "that of binutils' assembler"},
    };
    *what = i < CTS_SYNTAX_COUNT ? words[i][1] : NULL;
    return i < CTS_SYNTAX_COUNT ? words[i][0] : NULL;
}

#define SHARED_OPTIONS                                                                             \
    {'s', "syntax", "SYNTAX", "the syntax of the text",                                            \
     CTS_OPT_CHOICE(struct request, syntax, syntax_word)},                                         \
    {                                                                                              \
        0, "be", NULL, "use the big-endian encoding", CTS_OPT_FLAG(struct request, be)             \
    }

static const struct cts_opt asm_options[] = {
    {'i', "input", "FILE", "read FILE instead of TEXT; - is standard input",
     CTS_OPT_TEXT(struct request, file)},
    SHARED_OPTIONS,
    {0, "raw", NULL, "print bytes instead of hexadecimal text", CTS_OPT_FLAG(struct request, raw)},
    {0},
};

static const struct cts_opt disasm_options[] = {
    {'i', "input", "FILE", "read FILE instead of HEX; - is standard input",
     CTS_OPT_TEXT(struct request, file)},
    SHARED_OPTIONS,
    {0, "raw", NULL, "the input is bytes, not hexadecimal text", CTS_OPT_FLAG(struct request, raw)},
    {0},
};

static int complain(const struct cts_err *err)
{
    char text[CTS_ERR_MSG_MAX + CTS_ERR_FILE_MAX];
    cts_say("%s\n", cts_err_text(err, text, sizeof(text)));
    return CTS_EXIT_USAGE;
}

static int read_file(struct request *r, struct cts_err *err)
{
    const char *path = strcmp(r->file, "-") == 0 ? "/dev/stdin" : r->file;
    int rc = cts_fs_read_named(path, LIMIT, &r->text, err);
    if (rc == 0 && r->bytes)
        rc = cts_kind_want_bytes(r->file, r->text.data, r->text.len, "bare instructions", err);
    else if (rc == 0)
        rc = cts_kind_want_text(r->file, r->text.data, r->text.len, "instructions as text", err);
    return rc;
}

static int take_text(void *arg, const struct cts_opts *o)
{
    struct request *r = arg;
    r->any = true;
    cts_buf_addf(&r->text, "%s\n", o->value);
    return 0;
}

/* True to go on; else *code is the exit code. */
static bool parse(struct request *r, const struct cts_command *c, int argc, char **argv, int *code)
{
    struct cts_err err = {0};
    if (!cts_command_parse(c, argc, argv, r, code))
        return false;
    if (r->file && r->any) {
        *code = cts_command_bad(c, "--input cannot be combined with arguments");
        return false;
    }
    if (!r->file && !r->any)
        r->file = "-";
    r->bytes = r->raw && c == &cts_cmd_disasm;
    if (r->file && read_file(r, &err) != 0) {
        *code = complain(&err);
        return false;
    }
    return true;
}

static void print_bytes(const struct request *r, const uint8_t *bytes, uint32_t slots)
{
    if (r->raw) {
        fwrite(bytes, CTS_SLOT_BYTES, slots, stdout);
        return;
    }
    for (uint32_t i = 0; i < slots; i++) {
        for (unsigned k = 0; k < CTS_SLOT_BYTES; k++)
            cts_out("%s%02x", k ? " " : "", bytes[(size_t)i * CTS_SLOT_BYTES + k]);
        putchar('\n');
    }
}

/* What the templates do not know llvm-mc may: other spellings, numeric labels, expressions. What it
 * says counts, but where it says nothing of use. */
static int through_llvm(const struct request *r, const struct cts_asm_src *src,
                        struct cts_arena *arena, struct cts_asm_out *out)
{
    struct cts_asm_out theirs = {0};
    struct cts_asm_tool tool;
    struct cts_err err = {0};
    int rc = cts_asm_find(&tool, &err);
    if (rc == 0)
        rc = cts_asm_many(&tool, r->be, src, 1, arena, &theirs, &err);
    bool better = theirs.rc == 0 || (theirs.rc != CTS_E_TOOL && out->rc != CTS_E_INVAL);
    if (rc == 0 && better)
        *out = theirs;
    if (rc == 0)
        return 0;
    complain(&out->err);
    complain(&err);
    return rc;
}

static int assemble(const struct request *r)
{
    struct cts_arena arena;
    struct cts_asm_out out;
    struct cts_asm_src src = {cts_buf_text(&r->text),
                              r->file && strcmp(r->file, "-") ? r->file : "input", 1};
    int code = CTS_EXIT_OK;
    cts_arena_init(&arena, 0);
    cts_asm_own(&src, r->syntax, r->be, &arena, &out);
    int rc = out.rc && r->syntax == CTS_SYNTAX_LLVM ? through_llvm(r, &src, &arena, &out) : 0;
    if (rc != 0)
        code = rc == CTS_E_UNSUPPORTED ? CTS_EXIT_USAGE : CTS_EXIT_BROKEN;
    else if (out.rc != 0)
        code = complain(&out.err);
    else
        print_bytes(r, out.bytes, out.slots);
    cts_arena_release(&arena);
    return code;
}

/* Pairs of digits, separated or not; in place. */
static int from_hex(struct cts_buf *b, struct cts_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < b->len; i++) {
        if (strchr(" \t\r\n,", b->data[i]))
            continue;
        unsigned hi = cts_digit(b->data[i]), lo = i + 1 < b->len ? cts_digit(b->data[i + 1]) : 16;
        if (hi > 15 || lo > 15)
            return cts_err_set(err, CTS_E_SYNTAX,
                               "byte %zu: expected two hexadecimal digits, found '%.2s'", n,
                               b->data + i);
        b->data[n++] = (char)(hi << 4 | lo);
        i++;
    }
    b->len = n;
    return 0;
}

static int disassemble(struct request *r)
{
    struct cts_err err = {0};
    int code = CTS_EXIT_OK;
    if (!r->raw && from_hex(&r->text, &err) != 0)
        return complain(&err);
    if (r->text.len % CTS_SLOT_BYTES)
        return complain(
            &(struct cts_err){.code = CTS_E_SYNTAX, .msg = "expected a multiple of 8 bytes"});
    const uint8_t *bytes = (const uint8_t *)r->text.data;
    for (size_t at = 0, slots = r->text.len / CTS_SLOT_BYTES; at < slots;) {
        char text[256];
        bool legal;
        at += cts_text_disasm(bytes + at * CTS_SLOT_BYTES, slots - at, r->be, r->syntax, text,
                              sizeof(text), &legal);
        cts_out("%s\n", text);
        if (!legal)
            code = CTS_EXIT_FAILED;
    }
    return code;
}

static int asm_main(int argc, char **argv)
{
    struct request r = {0};
    int code;
    cts_buf_init(&r.text, LIMIT);
    if (parse(&r, &cts_cmd_asm, argc, argv, &code))
        code = assemble(&r);
    cts_buf_release(&r.text);
    return code;
}

static int disasm_main(int argc, char **argv)
{
    struct request r = {0};
    int code;
    cts_buf_init(&r.text, LIMIT);
    if (parse(&r, &cts_cmd_disasm, argc, argv, &code))
        code = disassemble(&r);
    cts_buf_release(&r.text);
    return code;
}

const struct cts_command cts_cmd_asm = {
    .name = "asm",
    .args = "[OPTIONS] [TEXT... | -i FILE]",
    .what = "assemble text",
    .about = "Assembles instructions (one argument or line each) and prints their bytes, one "
             "eight-byte slot a line. The output of disasm assembles to the same bytes: its "
             "comments are read. Spellings of LLVM's syntax that the specification does not have "
             "go to llvm-mc, where it is installed. A number that does not fit its field is an "
             "error.",
    .options = asm_options,
    .examples = {{"ebpf-cts asm 'r0 = 1' exit", "two instructions"},
                 {"echo 'w0 s/= w1' | ebpf-cts asm --be", "from standard input, big-endian"}},
    .main = asm_main,
    .argument = take_text,
};

const struct cts_command cts_cmd_disasm = {
    .name = "disasm",
    .args = "[OPTIONS] [HEX... | -i FILE]",
    .what = "disassemble bytes",
    .about = "Prints instructions as text. What the syntax cannot express stands in a comment, "
             "which asm reads again. Bytes that the specification does not allow are shown as "
             ".insn with the rule that they break; the exit code is then 1.",
    .options = disasm_options,
    .examples = {{"ebpf-cts disasm b700000001000000 9500000000000000", "two instructions"},
                 {"ebpf-cts asm --raw exit | ebpf-cts disasm --raw", "bytes on standard input"}},
    .main = disasm_main,
    .argument = take_text,
};
