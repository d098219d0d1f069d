#include <stdio.h>
#include <string.h>

#include "base/fmt.h"
#include "cli/files.h"
#include "cli/command.h"
#include "cli/say.h"
#include "conf/conf.h"
#include "conf/prevail.h"
#include "host/fs.h"
#include "pack/uses.h"

enum { PATHS_MAX = 256, FILE_MAX = 16 << 20 };

struct import {
    const char *path[PATHS_MAX], *out, *suite;
    unsigned paths;
    size_t files, bad, skipped;
    struct cts_arena arena;
    struct cts_buf text;
    struct cts_prevail_sum prevail;
};

static const struct cts_opt options[] = {
    {'o', "output", "FILE", "write FILE instead of standard output",
     CTS_OPT_TEXT(struct import, out)},
    {0, "suite", "NAME", "first part of the vectors' ids; default: imported",
     CTS_OPT_TEXT(struct import, suite)},
    {0},
};

static void complain(const struct cts_err *err)
{
    char text[CTS_ERR_MSG_MAX + CTS_ERR_FILE_MAX];
    cts_say("%s\n", cts_err_text(err, text, sizeof(text)));
}

static int take_path(void *arg, const struct cts_opts *o)
{
    struct import *im = arg;
    return cts_opts_collect(o, im->path, &im->paths, PATHS_MAX);
}

static int leave_out(struct import *im, const char *path, const char *why)
{
    cts_say("%s: left out: %s\n", path, why);
    im->skipped++;
    return 0;
}

static int import_test(struct import *im, const char *path, const char *name,
                       const struct cts_conf_test *test, struct cts_err *err)
{
    char why[64];
    struct cts_vec v;
    int32_t helper;
    if (test->skip[0])
        return leave_out(im, path, test->skip);
    if (!test->is_error && cts_code_strange_helper(test->code, test->slots, &helper)) {
        cts_fmt(why, sizeof(why), "needs helper %d", helper);
        return leave_out(im, path, why);
    }
    int rc = cts_conf_vector(test, im->suite, name, &im->arena, &v, err);
    if (rc == 0)
        cts_conf_yaml_add(&im->text, &v);
    return rc;
}

/* Tests of PREVAIL. Another YAML file is none of ours, unless it was named itself. */
static int import_prevail(struct import *im, const char *path, const char *name,
                          const struct cts_buf *text, bool named, struct cts_err *err)
{
    if (cts_prevail_is(cts_buf_text(text), text->len))
        return cts_prevail_add(path, name, cts_buf_text(text), text->len, &im->arena, &im->text,
                               &im->prevail, err);
    if (named)
        return cts_err_at(err, CTS_E_SYNTAX, path, 0, 0,
                          "neither a .data file nor one of PREVAIL's tests");
    cts_say("note: %s: found no PREVAIL test\n", path);
    im->files--;
    return 0;
}

static bool is_yaml(const char *path)
{
    size_t len = strlen(path), end = strlen(".yaml");
    return len > end && strcmp(path + len - end, ".yaml") == 0;
}

static int import_file(struct import *im, const char *path, const char *name, bool named,
                       struct cts_err *err)
{
    struct cts_conf_link links[CTS_CONF_LINKS_MAX];
    struct cts_conf_test test;
    size_t link_count = 0;
    struct cts_buf text;
    cts_buf_init(&text, 0);
    int rc = named ? cts_fs_read_named(path, FILE_MAX, &text, err)
                   : cts_fs_read(path, FILE_MAX, &text, err);
    if (rc == 0 && is_yaml(path)) {
        rc = import_prevail(im, path, name, &text, named, err);
        cts_buf_release(&text);
        return rc;
    }
    if (rc == 0)
        rc = cts_conf_read_links(path, cts_buf_text(&text), text.len, &im->arena, links,
                                 &link_count, err);
    if (rc == 0)
        rc = cts_conf_parse(path, cts_buf_text(&text), text.len, links, link_count, &im->arena,
                            &test, err);
    if (rc == 0)
        rc = import_test(im, path, name, &test, err);
    cts_buf_release(&text);
    return rc;
}

/* The files of one kind. */
static int import_kind(struct import *im, const char *path, const char *ending, struct cts_err *err)
{
    struct cts_fs_list list;
    bool named = !cts_fs_is_dir(path);
    int rc = cts_fs_walk_on(path, ending, &im->arena, &list, err);
    for (size_t i = 0; rc == 0 && i < list.passed_count; i++) {
        const struct cts_fs_passed *p = &list.passed[i];
        cts_say("%s%s: %s\n", p->lost ? "" : "note: ", p->path, p->why);
        im->files += p->lost;
        im->bad += p->lost;
    }
    const char *const *names =
        rc == 0 ? cts_conf_names((const char *const *)list.paths, list.count, &im->arena) : NULL;
    if (rc == 0 && !names)
        rc = cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (size_t i = 0; rc == 0 && i < list.count; i++) {
        struct cts_err why = {0};
        im->files++;
        if (import_file(im, list.paths[i], names[i], named, &why) == 0)
            continue;
        im->bad++;
        complain(&why);
    }
    return rc;
}

static int import_path(struct import *im, const char *path, struct cts_err *err)
{
    int rc = import_kind(im, path, ".data", err);
    return rc == 0 && cts_fs_is_dir(path) ? import_kind(im, path, ".yaml", err) : rc;
}

static void tell_prevail(const struct cts_prevail_sum *s)
{
    if (s->tests == 0)
        return;
    cts_say("%zu PREVAIL tests: %zu run in %zu test cases, %zu facts compared and %zu not; %zu "
            "verdicts\n",
            s->tests, s->runs, s->cases, s->facts, s->facts_left, s->verdicts);
    for (unsigned i = 0; i < CTS_PR_COUNT; i++)
        if (s->left[i])
            cts_say("%zu left out: %s\n", s->left[i],
                    cts_prevail_reason((enum cts_prevail_reason)i));
}

static int write_out(struct import *im, struct cts_err *err)
{
    if (im->text.failed)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (im->out)
        return cts_outfile_write(im->out, im->text.data, im->text.len, err);
    fwrite(im->text.data, 1, im->text.len, stdout); /* main looks whether it was written */
    return 0;
}

static int check_files(const struct import *im, struct cts_err *err)
{
    struct cts_files f = {0};
    for (size_t i = 0; i < im->paths; i++)
        cts_files_read_all(&f, im->path[i], ".data");
    for (size_t i = 0; i < im->paths; i++)
        cts_files_read_all(&f, im->path[i], ".yaml");
    int rc = cts_files_write(&f, im->out, err);
    cts_files_release(&f);
    return rc;
}

static int import(struct import *im)
{
    struct cts_err err = {0};
    int rc = check_files(im, &err);
    cts_conf_yaml_begin(&im->text, im->suite);
    for (size_t i = 0; rc == 0 && i < im->paths; i++)
        rc = import_path(im, im->path[i], &err);
    if (rc == 0 && im->files == im->bad) {
        if (im->files == 0)
            cts_say("ebpf-cts import: found no .data file and no PREVAIL test\n");
        return im->files ? CTS_EXIT_USAGE : CTS_EXIT_NOTHING;
    }
    bool read = rc == 0;
    if (read)
        rc = write_out(im, &err);
    if (rc) {
        complain(&err);
        return read || err.code == CTS_E_NOMEM ? CTS_EXIT_BROKEN : CTS_EXIT_USAGE;
    }
    tell_prevail(&im->prevail);
    cts_say("%zu of %zu files imported", im->files - im->bad - im->skipped, im->files);
    if (im->skipped)
        cts_say(", %zu left out", im->skipped);
    cts_say("\n");
    return im->bad ? CTS_EXIT_USAGE : CTS_EXIT_OK;
}

/* What the vector file's reader would refuse later. */
static bool suite_ok(const char *suite)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-./";
    size_t len = strlen(suite);
    return len && strspn(suite, allowed) == len && suite[0] != '/' && suite[len - 1] != '/';
}

static int import_main(int argc, char **argv)
{
    struct import im = {.suite = "imported"};
    int code;
    if (!cts_command_parse(&cts_cmd_import, argc, argv, &im, &code))
        return code;
    if (!im.paths)
        return cts_command_bad(&cts_cmd_import, "expected a PATH");
    if (!suite_ok(im.suite))
        return cts_command_bad(
            &cts_cmd_import, "--suite: expected lower-case words separated by slashes, found '%s'",
            im.suite);
    cts_arena_init(&im.arena, 0);
    cts_buf_init(&im.text, 0);
    code = import(&im);
    cts_buf_release(&im.text);
    cts_arena_release(&im.arena);
    return code;
}

const struct cts_command cts_cmd_import = {
    .name = "import",
    .args = "[OPTIONS] PATH...",
    .what = "make vectors of other projects' test files",
    .about = "Reads the .data files given, and those in the folders given, and writes a vector "
             "file. Each program becomes a function that a vector calls with r1 = the address of "
             "its memory and r2 = its length, so that all 64 bits of r0 are compared on every "
             "runtime. A file with an error is reported with line and column, and left out. To "
             "run .data files as they are, pass them or their folder to \"ebpf-cts run\".\n\n"
             "PREVAIL's tests (.yaml: pre, code, post) become vectors, too: the code runs on "
             "values at the bounds of pre, and what post says of numbers is compared; programs "
             "that need nothing else become verdicts, for PREVAIL alone. What cannot be expressed "
             "is counted, with the reason.",
    .options = options,
    .examples = {{"ebpf-cts import -o imported.yaml bpf_conformance/tests", "a whole suite"},
                 {"ebpf-cts import --suite mine add.data", "one file, on standard output"}},
    .main = import_main,
    .argument = take_path,
};
