#include "cli/files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/arena.h"
#include "host/fs.h"

void cts_files_release(struct cts_files *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->list[i].path);
    free(f->list);
    *f = (struct cts_files){0};
}

static void add(struct cts_files *f, const struct cts_file_id *id, const char *path, bool written)
{
    if (f->count == f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 64;
        struct cts_file_use *bigger = realloc(f->list, cap * sizeof(*bigger));
        if (!bigger) {
            f->failed = true;
            return;
        }
        f->list = bigger;
        f->cap = cap;
    }
    char *copy = path ? strdup(path) : NULL;
    f->failed |= path && !copy;
    f->list[f->count++] = (struct cts_file_use){.id = *id, .path = copy, .written = written};
}

void cts_files_read(struct cts_files *f, const char *path)
{
    struct cts_file_id id;
    if (cts_file_id(path, &id) && !id.folder)
        add(f, &id, path, false);
}

void cts_files_read_all(struct cts_files *f, const char *root, const char *suffix)
{
    struct cts_arena arena;
    struct cts_fs_list list;
    cts_arena_init(&arena, 0);
    /* Whoever reads them tells what is wrong with them. */
    if (cts_fs_walk(root, suffix, &arena, &list, NULL) == 0)
        for (size_t i = 0; i < list.count; i++)
            cts_files_read(f, list.paths[i]);
    cts_arena_release(&arena);
}

static int refuse(const struct cts_file_use *other, const char *path, struct cts_err *err)
{
    if (!other->written)
        return cts_err_at(err, CTS_E_INVAL, path ? path : "standard output", 0, 0,
                          "it is not written, because it is read, too: %s", other->path);
    if (!path && !other->path)
        return cts_err_set(err, CTS_E_INVAL,
                           "two outputs cannot share standard output: specify a file for one");
    return cts_err_at(err, CTS_E_INVAL, path ? path : other->path, 0, 0,
                      "two outputs cannot be one file: %s",
                      !other->path || !path ? "standard output is it, too" : other->path);
}

int cts_files_write(struct cts_files *f, const char *path, struct cts_err *err)
{
    struct cts_file_id id;
    int rc = path ? cts_outfile_check(path, err) : 0;
    if (rc != 0)
        return rc;
    if (!(path ? cts_file_id(path, &id) : cts_file_id_of(STDOUT_FILENO, &id)))
        return 0; /* whoever writes tells */
    for (size_t i = 0; i < f->count; i++)
        if (cts_file_same(&f->list[i].id, &id))
            return refuse(&f->list[i], path, err);
    add(f, &id, path, true);
    return f->failed ? cts_err_set(err, CTS_E_NOMEM, "out of memory") : 0;
}
