#include "cli/vectors.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/sha256.h"
#include "cli/paths.h"

enum { PATH_LIMIT = 4096 };

int cts_level_find(const char *name)
{
    static const char *const names[] = {[CTS_LEVEL_QUICK] = "quick",
                                        [CTS_LEVEL_FULL] = "full",
                                        [CTS_LEVEL_EXHAUSTIVE] = "exhaustive"};
    for (int i = 0; i < (int)(sizeof(names) / sizeof(names[0])); i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static void print_error(void *arg, const struct cts_err *err)
{
    char text[CTS_ERR_MSG_MAX + CTS_ERR_FILE_MAX];
    (void)arg;
    fprintf(stderr, "%s\n", cts_err_text(err, text, sizeof(text)));
}

/* The path as a person in this folder would write it. */
static const char *from_here(const char *path)
{
    char here[PATH_LIMIT];
    size_t n = getcwd(here, sizeof(here)) ? strlen(here) : 0;
    return n > 1 && strncmp(path, here, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

int cts_vectors_open(struct cts_vectors *v, struct cts_err *err)
{
    struct cts_arena arena;
    cts_arena_init(&arena, 0);
    const char *suite = cts_data_path(&arena, "vectors");
    suite = suite ? from_here(suite) : NULL;
    struct cts_build_opts opts = {.paths = v->paths ? v->path : &suite,
                                  .path_count = v->paths ? v->paths : 1,
                                  .level = v->level,
                                  .no_cache = v->no_cache,
                                  .on_error = print_error};
    int rc = suite ? cts_build(&opts, &v->pack, &v->stats, err)
                   : cts_err_set(err, CTS_E_NOMEM, "out of memory");
    cts_arena_release(&arena);
    return rc;
}

void cts_vectors_hash(const struct cts_vectors *v, char hash[65])
{
    struct cts_sha256 sum;
    uint8_t digest[32];
    cts_sha256_init(&sum);
    cts_sha256_add(&sum, v->pack.base, v->pack.bytes);
    cts_sha256_end(&sum, digest);
    cts_sha256_hex(digest, hash);
}

void cts_vectors_release(struct cts_vectors *v)
{
    cts_pack_release(&v->pack);
}
