/* A folder with vector files and a cache of its own, and what is built of them. */
#ifndef CTS_TESTS_VECTORS_H
#define CTS_TESTS_VECTORS_H

/* cmocka's own headers come first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "build/build.h"
#include "host/fs.h"

struct fixture {
    char dir[512];
    struct cts_buf faults, notes;
    struct cts_build_stats stats;
    struct cts_pack pack;
    struct cts_err err;
};

static inline void on_error(void *arg, const struct cts_err *err)
{
    struct fixture *f = arg;
    char text[2048];
    const char *line = cts_err_text(err, text, sizeof(text));
    size_t n = strlen(f->dir);
    if (strncmp(line, f->dir, n) == 0)
        line += n + 1;
    cts_buf_addf(&f->faults, "%s\n", line);
}

static inline void on_note(void *arg, const char *text)
{
    struct fixture *f = arg;
    cts_buf_addf(&f->notes, "%s\n", text);
}

static inline void start(struct fixture *f)
{
    char cache[600];
    memset(f, 0, sizeof(*f));
    cts_buf_init(&f->faults, 0);
    cts_buf_init(&f->notes, 0);
    assert_int_equal(cts_fs_temp_dir(f->dir, sizeof(f->dir), NULL), 0);
    cts_fmt(cache, sizeof(cache), "%s/.cache", f->dir);
    setenv("EBPF_CTS_CACHE", cache, 1);
}

static inline void put(struct fixture *f, const char *name, const char *text)
{
    char path[600];
    cts_fmt(path, sizeof(path), "%s/%s", f->dir, name);
    assert_int_equal(cts_fs_write_atomic(path, text, strlen(text), NULL), 0);
}

static inline int build(struct fixture *f, enum cts_level level, bool cached)
{
    const char *path = f->dir;
    struct cts_build_opts opts = {.paths = &path,
                                  .path_count = 1,
                                  .level = level,
                                  .no_cache = !cached,
                                  .on_error = on_error,
                                  .on_note = on_note,
                                  .arg = f};
    cts_pack_release(&f->pack);
    cts_buf_clear(&f->faults);
    cts_buf_clear(&f->notes);
    cts_err_clear(&f->err);
    return cts_build(&opts, &f->pack, &f->stats, &f->err);
}

static inline void build_one(struct fixture *f, enum cts_level level, const char *text)
{
    start(f);
    put(f, "a.yaml", text);
    assert_int_equal(build(f, level, false), 0);
    if (f->stats.errors)
        fail_msg("%s", cts_buf_text(&f->faults));
}

static inline void done(struct fixture *f)
{
    cts_pack_release(&f->pack);
    cts_buf_release(&f->faults);
    cts_buf_release(&f->notes);
    cts_fs_remove_tree(f->dir);
}

#define HEAD "suite: t\nvectors:\n"
#define SMALL                                                                                      \
    HEAD VECTOR "    asm: '{a} += {b}'\n    vary: {a: any, b: any}\n"                              \
                "    memory: 64\n    stack: true\n"                                                \
                "    cases: [{in: {a: 1, b: 2}, out: {a: 3}}]\n"
#define VECTOR "  - name: v\n    insns: [add64_x]\n    clauses: [N001]\n"

#endif
