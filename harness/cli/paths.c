#include "cli/paths.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "host/fs.h"

/* The prefix if the executable stands in an installed tree, PREFIX/bin beside
 * PREFIX/share/ebpf-cts; null if not. */
static const char *installed(struct cts_arena *arena)
{
    char self[CTS_PATH_BYTES];
    if (cts_fs_self_dir(self, sizeof(self), NULL) != 0)
        return NULL;
    char *slash = strrchr(self, '/');
    if (!slash || strcmp(slash, "/bin") != 0)
        return NULL;
    *slash = '\0';
    const char *data = cts_arena_fmt(arena, "%s/share/ebpf-cts", self);
    return data && cts_fs_is_dir(data) ? cts_arena_strdup(arena, self) : NULL;
}

const char *cts_data_path(struct cts_arena *arena, const char *inner)
{
    const char *own = getenv("EBPF_CTS_DATA"), *prefix;
    if (own && own[0])
        return cts_arena_fmt(arena, "%s/%s", own, inner);
    prefix = installed(arena);
    if (prefix)
        return cts_arena_fmt(arena, "%s/share/ebpf-cts/%s", prefix, inner);
    return cts_arena_fmt(arena, "%s/%s", CTS_SOURCE_DIR, inner);
}

const char *cts_worker_path(struct cts_arena *arena, const char *worker)
{
    char self[CTS_PATH_BYTES];
    const char *own = getenv("EBPF_CTS_LIBEXEC"), *prefix;
    if (strchr(worker, '/'))
        return cts_arena_strdup(arena, worker);
    if (own && own[0])
        return cts_arena_fmt(arena, "%s/%s", own, worker);
    prefix = installed(arena);
    if (prefix)
        return cts_arena_fmt(arena, "%s/libexec/ebpf-cts/%s", prefix, worker);
    if (cts_fs_self_dir(self, sizeof(self), NULL) != 0)
        return cts_arena_strdup(arena, worker);
    return cts_arena_fmt(arena, "%s/%s", self, worker);
}

const char *cts_path_from_here(const char *path)
{
    char here[CTS_PATH_BYTES];
    size_t n = getcwd(here, sizeof(here)) ? strlen(here) : 0;
    return n > 1 && strncmp(path, here, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}
