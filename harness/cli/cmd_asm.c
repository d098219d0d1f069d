#include <stdio.h>
#include <string.h>

#include "asm/asm.h"
#include "base/fmt.h"
#include "cli/opt.h"
#include "cli/say.h"
#include "host/buf.h"
#include "host/fs.h"
#include "host/kind.h"
#include "isa/isa.h"
#include "isa/text.h"

enum { O_BE = 1, O_RAW, O_FILE, O_SYNTAX, LIMIT = 64 << 20 };

static const struct cts_opt asm_options[] = {
    {O_BE, 0, "be", NULL, "the big-endian encoding"},
    {O_RAW, 0, "raw", NULL, "bytes instead of hexadecimal text"},
    {O_FILE, 'i', "input", "FILE", "read this file (- is standard input) instead of TEXT"},
    {O_SYNTAX, 's', "syntax", "SYNTAX", "llvm (default, through llvm-mc) or ubpf"},
    {0},
};

static const struct cts_opt disasm_options[] = {
    {O_BE, 0, "be", NULL, "the big-endian encoding"},
    {O_RAW, 0, "raw", NULL, "the input is bytes, not hexadecimal text"},
    {O_FILE, 'i', "input", "FILE", "read this file (- is standard input) instead of HEX"},
    {O_SYNTAX, 's', "syntax", "SYNTAX", "llvm (default) or ubpf"},
    {0},
};

struct request {
    bool be, raw;
    bool bytes; /* the input is not text */
    enum cts_syntax syntax;
    const char *file; /* null: the text was given as arguments */
    struct cts_buf text;
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

/* 0 to go on, -1 after --help or a mistake with *code set. */
static int parse(struct request *r, const struct cts_command *c, int argc, char **argv, int *code)
{
    struct cts_opts o;
    struct cts_err err = {0};
    bool any = false;
    *code = CTS_EXIT_USAGE;
    cts_opts_init(&o, c->name, c->options, argc, argv);
    for (int id; (id = cts_opts_next(&o)) != CTS_OPT_END;) {
        if (id == CTS_OPT_HELP) {
            cts_help_command(stdout, c);
            *code = CTS_EXIT_OK;
            return -1;
        }
        if (id == CTS_OPT_BAD)
            return -1;
        any = any || id == CTS_OPT_ARG;
        if (id == O_BE)
            r->be = true;
        else if (id == O_RAW)
            r->raw = true;
        else if (id == O_FILE)
            r->file = o.value;
        else if (id == O_SYNTAX)
            r->syntax = cts_syntax_find(o.value);
        else
            cts_buf_addf(&r->text, "%s\n", o.value);
    }
    if (r->syntax == CTS_SYNTAX_COUNT) {
        cts_say("ebpf-cts %s: the syntaxes are llvm and ubpf\n", c->name);
        return -1;
    }
    if (r->file && any) {
        cts_say("ebpf-cts %s: either --input or text, not both\n", c->name);
        return -1;
    }
    if (!r->file && !any)
        r->file = "-";
    r->bytes = r->raw && c == &cts_cmd_disasm;
    if (r->file && read_file(r, &err) != 0) {
        *code = complain(&err);
        return -1;
    }
    return 0;
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

static int assemble(const struct request *r)
{
    struct cts_asm_tool tool;
    struct cts_err err = {0};
    struct cts_arena arena;
    struct cts_asm_out out = {0};
    struct cts_asm_src src = {cts_buf_text(&r->text),
                              r->file && strcmp(r->file, "-") ? r->file : "input", 1};
    int code = CTS_EXIT_OK;
    cts_arena_init(&arena, 0);
    int rc = cts_asm_find(&tool, &err);
    if (rc == 0)
        rc = cts_asm_many(&tool, r->be, &src, 1, &arena, &out, &err);
    if (rc != 0) {
        complain(&err);
        code = CTS_EXIT_BROKEN;
    } else if (out.rc != 0) {
        code = complain(&out.err);
    } else {
        print_bytes(r, out.bytes, out.slots);
    }
    cts_arena_release(&arena);
    return code;
}

/* ---- uBPF's syntax, which llvm-mc does not know ---- */

enum { MOST_LABELS = 4096 };

struct label {
    const char *name;
    size_t len;
    uint32_t slot;
};

struct source {
    const struct request *r;
    const char *file;
    struct label *labels;
    size_t label_count;
    uint32_t next; /* the slot behind the instruction being read */
    bool measuring;
};

static bool find_label(void *arg, const char *name, size_t len, int64_t *distance)
{
    const struct source *s = arg;
    *distance = 0;
    for (size_t i = 0; !s->measuring && i < s->label_count; i++) {
        if (s->labels[i].len != len || memcmp(s->labels[i].name, name, len) != 0)
            continue;
        *distance = (int64_t)s->labels[i].slot - s->next;
        return true;
    }
    return s->measuring;
}

static int add_label(struct source *s, const char *name, size_t len, unsigned line, uint32_t slot,
                     struct cts_err *err)
{
    for (size_t i = 0; i < s->label_count; i++)
        if (s->labels[i].len == len && memcmp(s->labels[i].name, name, len) == 0)
            return cts_err_at(err, CTS_E_SYNTAX, s->file, line, 0, "label %.*s stands twice",
                              (int)len, name);
    if (s->label_count == MOST_LABELS)
        return cts_err_at(err, CTS_E_LIMIT, s->file, line, 0, "more than %d labels", MOST_LABELS);
    s->labels[s->label_count++] = (struct label){name, len, slot};
    return 0;
}

/* One line: its label, if this is the first pass, and its instruction, if it has one. */
static int take_line(struct source *s, const char *text, unsigned line, struct cts_buf *out,
                     struct cts_err *err)
{
    const char *name, *rest = text;
    uint32_t slot = (uint32_t)(out->len / CTS_SLOT_BYTES);
    size_t len = cts_text_label(text, &name, &rest);
    struct cts_insn in;
    enum cts_row_id row;
    uint8_t bytes[2 * CTS_SLOT_BYTES];
    if (len && s->measuring && add_label(s, name, len, line, slot, err) != 0)
        return err->code;
    if (!len)
        rest = text;
    if (cts_text_is_blank(rest))
        return 0;
    struct cts_text_names names = {find_label, s};
    for (unsigned slots = 1; slots <= 2; slots++) {
        s->next = slot + slots;
        int rc = cts_text_parse(rest, s->r->syntax, &names, &in, &row, err);
        if (rc != 0) {
            cts_fmt(err->file, sizeof(err->file), "%s", s->file);
            err->line = line;
            err->col += err->col ? (unsigned)(rest - text) : 0;
            return rc;
        }
        if (!(cts_row_info(row)->flags & CTS_RF_WIDE))
            break;
    }
    int n = cts_encode(row, &in, s->r->be, bytes, err);
    if (n > 0)
        cts_buf_add(out, bytes, (size_t)n * CTS_SLOT_BYTES);
    return n > 0 ? 0 : n;
}

/* A terminated copy of each line in turn, in `arena`: labels point into it. */
static int pass(struct source *s, struct cts_arena *arena, struct cts_buf *out, struct cts_err *err)
{
    const char *p = cts_buf_text(&s->r->text);
    cts_buf_clear(out);
    for (unsigned line = 1; *p; line++) {
        size_t len = strcspn(p, "\n");
        const char *copy = cts_arena_strndup(arena, p, len);
        int rc = copy ? take_line(s, copy, line, out, err)
                      : cts_err_set(err, CTS_E_NOMEM, "out of memory");
        if (rc != 0)
            return rc;
        p += len + (p[len] == '\n');
    }
    return out->failed ? cts_err_set(err, CTS_E_NOMEM, "out of memory") : 0;
}

static int assemble_own(const struct request *r)
{
    struct cts_err err = {0};
    struct cts_arena arena;
    struct cts_buf out;
    struct source s = {.r = r, .measuring = true};
    cts_arena_init(&arena, 0);
    cts_buf_init(&out, LIMIT);
    s.file = r->file && strcmp(r->file, "-") != 0 ? r->file : "input";
    s.labels = cts_arena_take_array(&arena, MOST_LABELS, sizeof(*s.labels));
    int rc =
        s.labels ? pass(&s, &arena, &out, &err) : cts_err_set(&err, CTS_E_NOMEM, "out of memory");
    s.measuring = false;
    if (rc == 0)
        rc = pass(&s, &arena, &out, &err);
    if (rc == 0 && out.len)
        print_bytes(r, (const uint8_t *)out.data, (uint32_t)(out.len / CTS_SLOT_BYTES));
    cts_buf_release(&out);
    cts_arena_release(&arena);
    return rc == 0 ? CTS_EXIT_OK : complain(&err);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Pairs of digits, separated or not; in place. */
static int from_hex(struct cts_buf *b, struct cts_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < b->len; i++) {
        if (strchr(" \t\r\n,", b->data[i]))
            continue;
        int hi = hex_digit(b->data[i]), lo = i + 1 < b->len ? hex_digit(b->data[i + 1]) : -1;
        if (hi < 0 || lo < 0)
            return cts_err_set(err, CTS_E_SYNTAX, "byte %zu is not two hexadecimal digits: '%.2s'",
                               n, b->data + i);
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
            &(struct cts_err){.code = CTS_E_SYNTAX, .msg = "the bytes are no multiple of 8"});
    const uint8_t *bytes = (const uint8_t *)r->text.data;
    for (size_t at = 0, slots = r->text.len / CTS_SLOT_BYTES; at < slots;) {
        struct cts_insn in;
        enum cts_row_id row;
        char text[256];
        int n = cts_decode(bytes + at * CTS_SLOT_BYTES, slots - at, r->be, &in, &row, NULL);
        if (n > 0 && r->syntax != CTS_SYNTAX_LLVM) {
            cts_text_print(row, &in, r->syntax, text, sizeof(text));
            cts_out("%s\n", text);
            at += (size_t)n;
            continue;
        }
        if (n < 0)
            code = CTS_EXIT_FAILED;
        at +=
            (size_t)cts_disasm(bytes + at * CTS_SLOT_BYTES, slots - at, r->be, text, sizeof(text));
        cts_out("%s\n", text);
    }
    return code;
}

static int asm_main(int argc, char **argv)
{
    struct request r = {0};
    int code;
    cts_buf_init(&r.text, LIMIT);
    if (parse(&r, &cts_cmd_asm, argc, argv, &code) == 0)
        code = r.syntax == CTS_SYNTAX_LLVM ? assemble(&r) : assemble_own(&r);
    cts_buf_release(&r.text);
    return code;
}

static int disasm_main(int argc, char **argv)
{
    struct request r = {0};
    int code;
    cts_buf_init(&r.text, LIMIT);
    if (parse(&r, &cts_cmd_disasm, argc, argv, &code) == 0)
        code = disassemble(&r);
    cts_buf_release(&r.text);
    return code;
}

const struct cts_command cts_cmd_asm = {
    .name = "asm",
    .args = "[-s SYNTAX] [--be] [--raw] [TEXT... | -i FILE]",
    .what = "assemble text",
    .about =
        "Assembles instructions in LLVM's syntax (one argument or line each) through llvm-mc and\n"
        "prints their bytes, a slot of eight a line. Numbers that do not fit their field are\n"
        "refused.",
    .options = asm_options,
    .main = asm_main,
};

const struct cts_command cts_cmd_disasm = {
    .name = "disasm",
    .args = "[-s SYNTAX] [--be] [--raw] [HEX... | -i FILE]",
    .what = "disassemble bytes",
    .about =
        "Prints instructions in LLVM's syntax. What the specification does not allow is shown as\n"
        ".insn with the rule it breaks, and makes the exit code 1.",
    .options = disasm_options,
    .main = disasm_main,
};
