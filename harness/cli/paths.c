#include "cli/paths.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/fs.h"

enum { PATH_LIMIT = 4096 };

const char *cts_data_path(struct cts_arena *arena, const char *inner)
{
    char self[PATH_LIMIT];
    const char *own = getenv("EBPF_CTS_DATA");
    if (own && own[0])
        return cts_arena_fmt(arena, "%s/%s", own, inner);
    if (cts_fs_is_dir(CTS_SOURCE_DIR "/vectors") || cts_fs_self_dir(self, sizeof(self), NULL) != 0)
        return cts_arena_fmt(arena, "%s/%s", CTS_SOURCE_DIR, inner);
    return cts_arena_fmt(arena, "%s/../share/ebpf-cts/%s", self, inner);
}

const char *cts_worker_path(struct cts_arena *arena, const char *worker)
{
    char self[PATH_LIMIT];
    const char *own = getenv("EBPF_CTS_LIBEXEC");
    if (strchr(worker, '/'))
        return cts_arena_strdup(arena, worker);
    if (own && own[0])
        return cts_arena_fmt(arena, "%s/%s", own, worker);
    if (cts_fs_self_dir(self, sizeof(self), NULL) != 0)
        return cts_arena_strdup(arena, worker);
    return cts_arena_fmt(arena, "%s/%s", self, worker);
}

const char *cts_path_from_here(const char *path)
{
    char here[PATH_LIMIT];
    size_t n = getcwd(here, sizeof(here)) ? strlen(here) : 0;
    return n > 1 && strncmp(path, here, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}
