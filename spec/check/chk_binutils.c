/* The rows' bytes are those that bpf-as makes of the rows' texts: an assembler that shares nothing
 * with LLVM. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/fs.h"
#include "host/proc.h"
#include "spec_check/assembler.h"

enum { TIMEOUT_MS = 120000 };

struct binutils {
    char as[4096], objcopy[4096], dir[4096];
    char version[16];
    struct cts_table table;
    const char **syntax; /* by row; null: it has none; "": a later version has one */
    const struct cts_spec *spec;
};

static const char *syntax_of(void *arg, const struct cts_spec_insn *row)
{
    const struct binutils *b = arg;
    return b->syntax[row - b->spec->rows];
}

/* "2.40", "2.43.1": newer than the other? */
static bool is_newer(const char *a, const char *b)
{
    char *end_a, *end_b;

    for (;;) {
        unsigned long x = strtoul(a, &end_a, 10), y = strtoul(b, &end_b, 10);
        if (x != y || *end_a != '.' || *end_b != '.')
            return x > y;
        a = end_a + 1;
        b = end_b + 1;
    }
}

static void take_line(struct cts_check_run *run, struct binutils *b, const struct cts_table_line *l)
{
    const struct cts_spec_insn *row = cts_spec_insn_find(run->spec, l->field[0]);

    if (!row || !row->gas) {
        cts_check_fault(run, b->table.path, l->line, "no row '%s' with a text 'gas'", l->field[0]);
        return;
    }
    const char **text = &b->syntax[row - run->spec->rows];
    if (*text)
        cts_check_fault(run, b->table.path, l->line, "'%s' is there twice", l->field[0]);
    *text = is_newer(l->field[1], b->version) ? "" : row->gas;
}

static bool load_texts(struct cts_check_run *run, struct binutils *b)
{
    static const char *const columns[] = {"row", "seen", NULL};
    struct cts_err err = {0};

    b->spec = run->spec;
    b->syntax = cts_check_take(run, run->spec->row_count, sizeof(*b->syntax));
    if (!b->syntax)
        return false;
    if (cts_table_load(run->spec_dir, "binutils.tsv", columns, run->arena, &b->table, &err)) {
        cts_check_fault_err(run, &err);
        return false;
    }
    for (size_t i = 0; i < b->table.count; i++)
        take_line(run, b, &b->table.lines[i]);
    return true;
}

/* Older versions want a plus before a displacement, whatever its sign. */
static bool add_pluses(const struct cts_buf *text, struct cts_buf *out)
{
    const char *t = cts_buf_text(text);
    bool inside = false;

    for (size_t i = 0; i < text->len; i++) {
        inside = t[i] == '[' || (inside && t[i] != ']');
        if (t[i] == '-' && inside)
            cts_buf_addc(out, '+');
        cts_buf_addc(out, t[i]);
    }
    return !out->failed;
}

static bool run_tool(struct cts_check_run *run, const char *const argv[])
{
    struct cts_buf out, err_text;
    struct cts_err err = {0};
    int status = 0;

    cts_buf_init(&out, (size_t)1 << 20);
    cts_buf_init(&err_text, (size_t)1 << 20);
    int rc = cts_proc_run(argv, NULL, 0, &out, &err_text, TIMEOUT_MS, &status, &err);
    if (rc)
        cts_check_fault_err(run, &err);
    else if (status)
        cts_check_fault(run, run->spec_dir, 0, "%s: %.400s", argv[0], cts_buf_text(&err_text));
    cts_buf_release(&out);
    cts_buf_release(&err_text);
    return !rc && !status;
}

/* The object holds one instruction behind the other; their lengths are those of the rows. */
static bool cut(struct cts_check_run *run, const struct cts_buf *code, struct cts_asm_line *lines,
                size_t count)
{
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        bool wide = at < code->len && (uint8_t)code->data[at] == 0x18;
        size_t bytes = wide ? 16 : 8;
        if (code->len - at < bytes)
            break;
        memcpy(lines[i].bytes, code->data + at, bytes);
        lines[i].count = bytes;
        at += bytes;
        if (i + 1 == count && at == code->len)
            return true;
    }
    cts_check_fault(run, run->spec_dir, 0, "bpf-as: %zu bytes for %zu lines", code->len, count);
    return false;
}

static bool assemble_files(struct cts_check_run *run, const struct binutils *b, bool be,
                           const struct cts_buf *source, struct cts_buf *code)
{
    const char *text = cts_arena_fmt(run->arena, "%s/text.s", b->dir);
    const char *object = cts_arena_fmt(run->arena, "%s/text.o", b->dir);
    const char *raw = cts_arena_fmt(run->arena, "%s/text.bin", b->dir);
    const char *const as[] = {b->as, be ? "-EB" : "-EL", "-o", object, text, NULL};
    const char *const copy[] = {b->objcopy, "-O", "binary", "-j", ".text", object, raw, NULL};
    struct cts_err err = {0};

    if (!text || !object || !raw)
        return false;
    if (cts_fs_write_atomic(text, cts_buf_text(source), source->len, &err)) {
        cts_check_fault_err(run, &err);
        return false;
    }
    if (!run_tool(run, as) || !run_tool(run, copy))
        return false;
    if (cts_fs_read(raw, 0, code, &err)) {
        cts_check_fault_err(run, &err);
        return false;
    }
    return true;
}

static bool assemble(void *arg, struct cts_check_run *run, bool be, const struct cts_buf *text,
                     struct cts_asm_line *lines, size_t count)
{
    const struct binutils *b = arg;
    struct cts_buf source, code;

    cts_buf_init(&source, (size_t)64 << 20);
    cts_buf_init(&code, (size_t)64 << 20);
    bool good = add_pluses(text, &source) && assemble_files(run, b, be, &source, &code) &&
                cut(run, &code, lines, count);
    cts_buf_release(&source);
    cts_buf_release(&code);
    return good;
}

/* "GNU assembler (GNU Binutils for Debian) 2.40": the last word of the first line. */
static void read_version(struct binutils *b)
{
    const char *const argv[] = {b->as, "--version", NULL};
    struct cts_buf out, err_text;
    struct cts_err err = {0};
    int status = 0;

    cts_buf_init(&out, 65536);
    cts_buf_init(&err_text, 65536);
    b->version[0] = 0;
    if (!cts_proc_run(argv, NULL, 0, &out, &err_text, TIMEOUT_MS, &status, &err)) {
        const char *text = cts_buf_text(&out), *end = strchr(text, '\n');
        const char *word = end ? end : text;
        while (word > text && word[-1] != ' ')
            word--;
        snprintf(b->version, sizeof(b->version), "%.*s", end ? (int)(end - word) : 0, word);
    }
    cts_buf_release(&out);
    cts_buf_release(&err_text);
}

static void compare(struct cts_check_run *run, struct binutils *b)
{
    struct cts_assembler a = {
        .tool = "bpf-as",
        .version = b->version,
        .syntax = syntax_of,
        .assemble = assemble,
        .signed_off = true,
        .only_good = true,
        .arg = b,
    };
    struct cts_err err = {0};

    if (cts_fs_temp_dir(b->dir, sizeof(b->dir), &err)) {
        cts_check_fault_err(run, &err);
        return;
    }
    cts_assembler_compare(run, &a);
    cts_fs_remove_tree(b->dir);
}

static void run_binutils(struct cts_check_run *run)
{
    struct binutils b = {0};

    if (cts_fs_find_program("bpf-as", b.as, sizeof(b.as)) ||
        cts_fs_find_program("bpf-objcopy", b.objcopy, sizeof(b.objcopy))) {
        run->skip = "binutils-bpf is not installed (apt-get install binutils-bpf)";
        return;
    }
    read_version(&b);
    if (load_texts(run, &b) && !run->faults)
        compare(run, &b);
}

const struct cts_check cts_check_binutils = {
    .name = "binutils",
    .what = "the bytes are those of bpf-as, in both byte orders",
    .unit = "instructions",
    .run = run_binutils,
};
