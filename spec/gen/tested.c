/* The vectors of a folder. */
#include "generator.h"

#include <stdlib.h>
#include <string.h>

#include "host/fs.h"
#include "load/vec_known.h"

static void note_fault(void *arg, const struct cts_err *err)
{
    struct cts_tested *t = arg;

    if (!t->faults++)
        t->first = *err;
}

static int by_id(const void *a, const void *b)
{
    const struct cts_vec *const *x = a, *const *y = b;

    return strcmp((*x)->id, (*y)->id);
}

static int load_files(struct cts_tested *t, const struct cts_fs_list *files,
                      const struct cts_vec_known *known, struct cts_vec_file *out,
                      struct cts_err *err)
{
    struct cts_vec_report report = {note_fault, t};
    size_t count = 0;

    for (size_t i = 0; i < files->count; i++) {
        int rc = cts_vec_load(files->paths[i], known, &report, &t->arena, &out[i], err);
        if (rc)
            return rc;
        count += out[i].count;
    }
    t->vectors = cts_arena_take_array(&t->arena, count + 1, sizeof(const struct cts_vec *));
    if (!t->vectors)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (size_t i = 0; i < files->count; i++)
        for (size_t k = 0; k < out[i].count; k++)
            t->vectors[t->count++] = &out[i].vectors[k];
    qsort(t->vectors, t->count, sizeof(const struct cts_vec *), by_id);
    return 0;
}

int cts_tested_load(struct cts_tested *t, const char *dir, const struct cts_spec *spec,
                    struct cts_err *err)
{
    struct cts_fs_list files;
    struct cts_vec_known known;

    *t = (struct cts_tested){0};
    cts_arena_init(&t->arena, 0);
    int rc = cts_fs_walk(dir, ".yaml", &t->arena, &files, err);
    if (!rc)
        rc = cts_vec_known_of(spec, &t->arena, &known, err);
    if (rc)
        return rc;
    struct cts_vec_file *loaded = cts_arena_take_array(&t->arena, files.count + 1, sizeof(*loaded));
    if (!loaded)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    return load_files(t, &files, &known, loaded, err);
}

void cts_tested_release(struct cts_tested *t)
{
    cts_arena_release(&t->arena);
    *t = (struct cts_tested){0};
}
