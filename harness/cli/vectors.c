#include "cli/vectors.h"

#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "cli/paths.h"
#include "cli/progress.h"
#include "cli/say.h"

const char *cts_level_word(unsigned i, const char **what)
{
    static const char *const words[CTS_LEVEL_COUNT] = {
        [CTS_LEVEL_QUICK] = "seconds (default)",
        [CTS_LEVEL_FULL] = "minutes: more variants and operand values",
        [CTS_LEVEL_EXHAUSTIVE] = "hours: every variant",
    };
    *what = i < CTS_LEVEL_COUNT ? words[i] : NULL;
    return i < CTS_LEVEL_COUNT ? cts_level_names[i] : NULL;
}

int cts_vectors_path(void *vectors, const struct cts_opts *o)
{
    struct cts_vectors *v = vectors;
    if (v->paths == CTS_PATHS_MAX)
        return cts_opts_bad(o, "more than %d paths: '%s'", CTS_PATHS_MAX, o->value);
    v->path[v->paths++] = o->value;
    return 0;
}

void cts_vectors_files(const struct cts_vectors *v, struct cts_files *files)
{
    struct cts_arena arena;
    cts_arena_init(&arena, 0);
    const char *suite = cts_data_path(&arena, "vectors");
    for (size_t i = 0; i < (v->paths ? v->paths : 1); i++) {
        const char *path = v->paths ? v->path[i] : suite;
        cts_files_read_all(files, path ? path : ".", ".yaml");
        cts_files_read_all(files, path ? path : ".", ".data");
    }
    cts_arena_release(&arena);
}

static void print_error(void *arg, const struct cts_err *err)
{
    char text[CTS_ERR_MSG_MAX + CTS_ERR_FILE_MAX];
    cts_progress_end(arg);
    cts_say("%s\n", cts_err_text(err, text, sizeof(text)));
}

static void drop_error(void *arg, const struct cts_err *err)
{
    (void)arg;
    (void)err;
}

static void print_note(void *arg, const char *text)
{
    cts_progress_end(arg);
    cts_say("note: %s\n", text);
}

static void on_progress(void *arg, size_t done, size_t all)
{
    cts_progress_show_step(arg, "assembling", done, all);
}

int cts_vectors_open(struct cts_vectors *v, struct cts_err *err)
{
    struct cts_arena arena;
    struct cts_progress progress;
    cts_progress_init(&progress, !v->quiet);
    cts_arena_init(&arena, 0);
    const char *suite = cts_data_path(&arena, "vectors");
    suite = suite ? cts_path_from_here(suite) : NULL;
    struct cts_build_opts opts = {.paths = v->paths ? v->path : &suite,
                                  .path_count = v->paths ? v->paths : 1,
                                  .level = v->level,
                                  .no_cache = v->no_cache,
                                  .on_error = v->again ? drop_error : print_error,
                                  .on_note = v->again ? NULL : print_note,
                                  .on_progress = on_progress,
                                  .arg = &progress};
    int rc = suite ? cts_build(&opts, &v->pack, &v->stats, err)
                   : cts_err_set(err, CTS_E_NOMEM, "out of memory");
    cts_progress_end(&progress);
    cts_arena_release(&arena);
    return rc;
}

bool cts_vectors_add_basis(struct cts_vectors *v, struct cts_arena *arena)
{
    const char *path = cts_data_path(arena, "vectors/programs/environment.yaml");
    if (!path || v->paths == CTS_PATHS_MAX)
        return false;
    v->path[v->paths++] = cts_path_from_here(path);
    return true;
}

void cts_vectors_hash(const struct cts_vectors *v, char hash[65])
{
    cts_sha256_hex(v->pack.digest, hash);
}

void cts_vectors_release(struct cts_vectors *v)
{
    cts_pack_release(&v->pack);
}
