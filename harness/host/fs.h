/* Files and folders. Paths are UTF-8; every error names its path. */
#ifndef CTS_HOST_FS_H
#define CTS_HOST_FS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "host/arena.h"
#include "host/buf.h"

/* Appends the whole file; CTS_E_LIMIT above `limit` bytes (0: 256 MiB). */
int cts_fs_read(const char *path, size_t limit, struct cts_buf *out, struct cts_err *err);
/* The same from an open file, from where it stands; `path` is for errors. */
int cts_fs_read_fd(int fd, const char *path, size_t limit, struct cts_buf *out,
                   struct cts_err *err);
/* Writes all of it to an open file: 0, or -1 and errno. */
int cts_fs_write_fd(int fd, const void *data, size_t len);
/* Writes a file so that readers see either the old or the whole new one (temporary file, rename),
 * also after a crash of the machine. */
int cts_fs_write_atomic(const char *path, const void *data, size_t len, struct cts_err *err);
int cts_fs_mkdirs(const char *path, struct cts_err *err);
bool cts_fs_is_dir(const char *path);
bool cts_fs_exists(const char *path);
bool cts_fs_is_executable(const char *path);

struct cts_fs_list {
    char **paths; /* in the arena, sorted bytewise */
    size_t count;
};
/* All regular files below `root` (recursive) whose name ends in `suffix`; `root` may itself be such
 * a file. Hidden entries are passed over. */
int cts_fs_walk(const char *root, const char *suffix, struct cts_arena *arena,
                struct cts_fs_list *out, struct cts_err *err);

/* The folder that holds the running executable, without a slash at its end. */
int cts_fs_self_dir(char *path, size_t cap, struct cts_err *err);
/* Looks `name` up in $PATH (a name with a slash stays as it is); CTS_E_NOTFOUND. */
int cts_fs_find_program(const char *name, char *path, size_t cap);
/* A new private folder below $TMPDIR or /tmp. The caller removes it with cts_fs_remove_tree. */
int cts_fs_temp_dir(char *path, size_t cap, struct cts_err *err);
void cts_fs_remove_tree(const char *path);

#endif
