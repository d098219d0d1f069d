/* The rows' bytes are those that llvm-mc makes of the rows' texts.
 *
 * llvm-mc prints the bytes itself (-show-encoding), so that neither the project's assembler box nor
 * the tables generated from the rows have a part in judging the rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/fs.h"
#include "host/proc.h"
#include "spec_check/assembler.h"
#include "spec_check/table.h"

enum { OLDEST = 19, NEWEST = 40, TIMEOUT_MS = 120000 };

struct llvm {
    char path[4096];
    char version[16];
    const struct cts_spec *spec;
    bool *unknown; /* by row: it came after the RFC, and this version does not have it */
};

static const char *syntax_of(void *arg, const struct cts_spec_insn *row)
{
    const struct llvm *l = arg;
    return l->unknown[row - l->spec->rows] ? NULL : row->syntax;
}

/* Of what came after the RFC, llvm.tsv says which version has it, or has no line. */
static bool find_unknown(struct cts_check_run *run, struct llvm *l)
{
    static const char *const columns[] = {"opcode",  "src_reg", "offset", "imm", "groups",
                                          "section", "what",    "seen",   NULL};
    enum { SEEN = 7 };
    unsigned long version = strtoul(l->version, NULL, 10);
    struct cts_anchor anchor;
    struct cts_table seen;
    struct cts_err err = {0};

    l->spec = run->spec;
    l->unknown = cts_check_take(run, run->spec->row_count, sizeof(*l->unknown));
    if (!l->unknown || !cts_anchor_load(run, "llvm", &anchor))
        return false;
    if (cts_table_load(run->spec_dir, "llvm.tsv", columns, run->arena, &seen, &err)) {
        cts_check_fault_err(run, &err);
        return false;
    }
    for (size_t i = 0; i < run->spec->row_count; i++)
        l->unknown[i] = run->spec->rows[i].origin != CTS_ORIGIN_RFC;
    for (size_t i = 0; i < anchor.count; i++) {
        for (size_t k = 0; anchor.rows[i].row && k < seen.count; k++) {
            if (seen.lines[k].line == anchor.rows[i].line)
                l->unknown[anchor.rows[i].row - run->spec->rows] =
                    strtoul(seen.lines[k].field[SEEN], NULL, 10) > version;
        }
    }
    return true;
}

/* "LLVM version 19.1.7" in what it says of itself. */
static bool read_version(struct llvm *l)
{
    const char *argv[] = {l->path, "--version", NULL};
    struct cts_buf out, err_text;
    int status = 0;
    struct cts_err err = {0};

    cts_buf_init(&out, 65536);
    cts_buf_init(&err_text, 65536);
    int rc = cts_proc_run(argv, NULL, 0, &out, &err_text, TIMEOUT_MS, &status, &err);
    const char *at = strstr(cts_buf_text(&out), "version ");
    unsigned long version = !rc && !status && at ? strtoul(at + 8, NULL, 10) : 0;
    snprintf(l->version, sizeof(l->version), "%lu", version);
    cts_buf_release(&out);
    cts_buf_release(&err_text);
    return version >= OLDEST;
}

static bool find(struct llvm *l)
{
    const char *given = getenv("EBPF_CTS_LLVM_MC");
    char name[64];

    if (given && *given)
        return !cts_fs_find_program(given, l->path, sizeof(l->path)) && read_version(l);
    for (int v = NEWEST; v >= OLDEST; v--) {
        snprintf(name, sizeof(name), "llvm-mc-%d", v);
        if (!cts_fs_find_program(name, l->path, sizeof(l->path)) && read_version(l))
            return true;
        snprintf(l->path, sizeof(l->path), "/usr/lib/llvm-%d/bin/llvm-mc", v);
        if (cts_fs_is_executable(l->path) && read_version(l))
            return true;
    }
    return !cts_fs_find_program("llvm-mc", l->path, sizeof(l->path)) && read_version(l);
}

/* Lines that were refused: "<stdin>:7:3: error: ..." */
static bool mark_refused(struct cts_check_run *run, const char *text, bool *refused, size_t count)
{
    static const char place[] = "<stdin>:";

    for (; text && *text; text = strchr(text, '\n'), text += text ? 1 : 0) {
        if (strncmp(text, place, sizeof(place) - 1) != 0)
            continue;
        unsigned long line = strtoul(text + sizeof(place) - 1, NULL, 10);
        if (!line || line > count) {
            cts_check_fault(run, run->spec_dir, 0, "llvm-mc: %.80s", text);
            return false;
        }
        refused[line - 1] = true;
    }
    return true;
}

/* "# encoding: [0x07,0x01,...]" */
static bool read_bytes(const char *text, struct cts_asm_line *out)
{
    char sep = '[';

    while (*text == sep || *text == ',') {
        char *end;
        unsigned long byte = strtoul(text + 1, &end, 16);
        if (end == text + 1 || byte > 255 || out->count == CTS_SAMPLE_BYTES)
            return false;
        out->bytes[out->count++] = (uint8_t)byte;
        text = end;
        sep = ',';
    }
    return *text == ']' && out->count;
}

static bool read_listing(struct cts_check_run *run, const char *text, const bool *refused,
                         struct cts_asm_line *lines, size_t count)
{
    static const char mark[] = "encoding: ";
    size_t i = 0;

    for (const char *at = strstr(text, mark); at; at = strstr(at + 1, mark)) {
        while (i < count && refused[i])
            i++;
        if (i == count || !read_bytes(at + sizeof(mark) - 1, &lines[i])) {
            cts_check_fault(run, run->spec_dir, 0,
                            "llvm-mc: more instructions than lines, or '%.60s'", at);
            return false;
        }
        i++;
    }
    while (i < count && refused[i])
        i++;
    if (i != count)
        cts_check_fault(run, run->spec_dir, 0, "llvm-mc: %zu of %zu lines came back", i, count);
    return i == count;
}

static bool assemble(void *arg, struct cts_check_run *run, bool be, const struct cts_buf *text,
                     struct cts_asm_line *lines, size_t count)
{
    const struct llvm *l = arg;
    const char *argv[] = {l->path, be ? "-triple=bpfeb" : "-triple=bpfel", "-mcpu=v4",
                          "-show-encoding", NULL};
    bool *refused = cts_check_take(run, count, sizeof(*refused));
    struct cts_buf out, err_text;
    struct cts_err err = {0};
    int status = 0;

    if (!refused)
        return false;
    cts_buf_init(&out, (size_t)64 << 20);
    cts_buf_init(&err_text, (size_t)64 << 20);
    int rc = cts_proc_run(argv, cts_buf_text(text), text->len, &out, &err_text, TIMEOUT_MS, &status,
                          &err);
    if (rc)
        cts_check_fault_err(run, &err);
    bool good = !rc && mark_refused(run, cts_buf_text(&err_text), refused, count) &&
                read_listing(run, cts_buf_text(&out), refused, lines, count);
    cts_buf_release(&out);
    cts_buf_release(&err_text);
    return good;
}

static void run_llvm(struct cts_check_run *run)
{
    struct llvm l;

    if (!find(&l)) {
        run->skip = "no llvm-mc, 19 or newer (apt-get install llvm-19)";
        return;
    }
    if (!find_unknown(run, &l))
        return;
    struct cts_assembler a = {
        .tool = "llvm-mc",
        .version = l.version,
        .unknown = "; from which version on it knows the row is in anchors/llvm.tsv, `seen`",
        .signed_off = true,
        .syntax = syntax_of,
        .assemble = assemble,
        .arg = &l,
    };
    cts_assembler_compare(run, &a);
}

const struct cts_check cts_check_llvm = {
    .name = "llvm",
    .what = "the bytes are those of llvm-mc, in both byte orders",
    .unit = "instructions",
    .run = run_llvm,
};
