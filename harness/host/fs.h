/* Files and folders. Paths are UTF-8; every error names its path. */
#ifndef CTS_HOST_FS_H
#define CTS_HOST_FS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "host/arena.h"
#include "host/buf.h"

/* Appends the whole file; CTS_E_LIMIT above `limit` bytes (0: 256 MiB). Only regular files are
 * read: a pipe, socket or device in the place of one is CTS_E_IO, at once. */
int cts_fs_read(const char *path, size_t limit, struct cts_buf *out, struct cts_err *err);
/* The same for what the user named, which may be of any kind and is waited for. */
int cts_fs_read_named(const char *path, size_t limit, struct cts_buf *out, struct cts_err *err);
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

/* What a walk passed over. */
struct cts_fs_passed {
    const char *path, *why; /* in the arena */
    bool folder;
    bool lost; /* what is in it was not seen; false: it is seen by another way */
};

struct cts_fs_list {
    char **paths; /* in the arena, sorted bytewise */
    size_t count;
    struct cts_fs_passed *passed; /* in the arena */
    size_t passed_count;
};
/* All regular files below `root` (recursive) whose path ends in `suffix`; `root` may itself be a
 * file, of any kind. Hidden entries are left out, links followed, and each folder is read once.
 * What has the suffix and is no regular file, and folders that cannot be read, are passed over and
 * told of; a link to nowhere is listed, for its reader to fail. */
int cts_fs_walk_on(const char *root, const char *suffix, struct cts_arena *arena,
                   struct cts_fs_list *out, struct cts_err *err);
/* The same; anything lost is an error. */
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
