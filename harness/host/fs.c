#include "host/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fmt.h"

enum { PATH_LIMIT = 4096 };

static int io_error(struct cts_err *err, const char *path, const char *what)
{
    int code = errno == ENOENT ? CTS_E_NOTFOUND : CTS_E_IO;
    return cts_err_at(err, code, path, 0, 0, "%s: %s", what, strerror(errno));
}

int cts_fs_read_fd(int fd, const char *path, size_t limit, struct cts_buf *out, struct cts_err *err)
{
    size_t total = 0;
    for (;;) {
        char *at = cts_buf_reserve(out, 65536);
        if (!at)
            return cts_err_at(err, CTS_E_NOMEM, path, 0, 0, "no memory to read it");
        ssize_t n = read(fd, at, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_error(err, path, "cannot read");
        if (n == 0)
            return 0;
        out->len += (size_t)n;
        out->data[out->len] = '\0';
        total += (size_t)n;
        if (total > limit)
            return cts_err_at(err, CTS_E_LIMIT, path, 0, 0, "larger than %zu bytes", limit);
    }
}

int cts_fs_read(const char *path, size_t limit, struct cts_buf *out, struct cts_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return io_error(err, path, "cannot open");
    int rc = cts_fs_read_fd(fd, path, limit ? limit : (size_t)256 << 20, out, err);
    close(fd);
    return rc;
}

int cts_fs_write_fd(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

int cts_fs_write_atomic(const char *path, const void *data, size_t len, struct cts_err *err)
{
    char tmp[PATH_LIMIT];
    if (cts_fmt(tmp, sizeof(tmp), "%s.XXXXXX", path) >= sizeof(tmp))
        return cts_err_at(err, CTS_E_LIMIT, path, 0, 0, "path too long");
    int fd = mkstemp(tmp);
    if (fd < 0)
        return io_error(err, path, "cannot write");
    int rc = cts_fs_write_fd(fd, data, len);
    if (rc == 0)
        rc = fchmod(fd, 0644);
    if (rc == 0)
        rc = fsync(fd);
    if (close(fd) != 0)
        rc = -1;
    if (rc == 0)
        rc = rename(tmp, path);
    if (rc != 0) {
        io_error(err, path, "cannot write");
        unlink(tmp);
        return CTS_E_IO;
    }
    return 0;
}

int cts_fs_mkdirs(const char *path, struct cts_err *err)
{
    char part[PATH_LIMIT];
    if (cts_fmt(part, sizeof(part), "%s", path) >= sizeof(part))
        return cts_err_at(err, CTS_E_LIMIT, path, 0, 0, "path too long");
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char keep = *p;
        *p = '\0';
        if (mkdir(part, 0777) != 0 && (errno != EEXIST || !cts_fs_is_dir(part)))
            return io_error(err, part, "cannot make the folder");
        *p = keep;
        if (keep == '\0')
            return 0;
    }
}

bool cts_fs_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool cts_fs_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool cts_fs_is_executable(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

struct walk {
    const char *suffix;
    struct cts_arena *arena;
    char **paths;
    size_t count, cap;
};

static bool has_suffix(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n >= m && strcmp(name + n - m, suffix) == 0;
}

static int walk_add(struct walk *w, const char *path, struct cts_err *err)
{
    if (w->count == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 64;
        char **bigger = realloc(w->paths, w->cap * sizeof(*bigger));
        if (!bigger)
            return cts_err_set(err, CTS_E_NOMEM, "out of memory");
        w->paths = bigger;
    }
    char *copy = cts_arena_strdup(w->arena, path);
    if (!copy)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    w->paths[w->count++] = copy;
    return 0;
}

static int walk_dir(struct walk *w, const char *root, unsigned depth, struct cts_err *err)
{
    if (depth > 32)
        return cts_err_at(err, CTS_E_LIMIT, root, 0, 0, "folders nested too deeply");
    DIR *d = opendir(root);
    if (!d)
        return io_error(err, root, "cannot open");
    int rc = 0;
    for (struct dirent *e; rc == 0 && (e = readdir(d)) != NULL;) {
        char path[PATH_LIMIT];
        if (e->d_name[0] == '.')
            continue;
        if (cts_fmt(path, sizeof(path), "%s/%s", root, e->d_name) >= sizeof(path))
            rc = cts_err_at(err, CTS_E_LIMIT, root, 0, 0, "path too long");
        else if (cts_fs_is_dir(path))
            rc = walk_dir(w, path, depth + 1, err);
        else if (has_suffix(path, w->suffix))
            rc = walk_add(w, path, err);
    }
    closedir(d);
    return rc;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int cts_fs_walk(const char *root, const char *suffix, struct cts_arena *arena,
                struct cts_fs_list *out, struct cts_err *err)
{
    struct walk w = {.suffix = suffix, .arena = arena};
    *out = (struct cts_fs_list){0};
    int rc = 0;
    if (!cts_fs_exists(root))
        rc = io_error(err, root, "cannot open");
    else if (cts_fs_is_dir(root))
        rc = walk_dir(&w, root, 0, err);
    else
        rc = walk_add(&w, root, err);
    if (rc == 0 && w.count) {
        qsort(w.paths, w.count, sizeof(*w.paths), by_bytes);
        out->paths = cts_arena_take_array(arena, w.count, sizeof(*w.paths));
        if (out->paths) {
            memcpy(out->paths, w.paths, w.count * sizeof(*w.paths));
            out->count = w.count;
        } else {
            rc = cts_err_set(err, CTS_E_NOMEM, "out of memory");
        }
    }
    free(w.paths);
    return rc;
}

int cts_fs_self_dir(char *path, size_t cap, struct cts_err *err)
{
    ssize_t n = readlink("/proc/self/exe", path, cap);
    if (n <= 0)
        return cts_err_set(err, CTS_E_IO, "cannot find the running executable: %s",
                           strerror(errno));
    if ((size_t)n >= cap)
        return cts_err_set(err, CTS_E_LIMIT, "the path of the running executable is too long");
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    return 0;
}

int cts_fs_find_program(const char *name, char *path, size_t cap)
{
    if (strchr(name, '/')) {
        cts_fmt(path, cap, "%s", name);
        return cts_fs_is_executable(path) ? 0 : CTS_E_NOTFOUND;
    }
    const char *p = getenv("PATH");
    while (p && *p) {
        size_t n = strcspn(p, ":");
        if (cts_fmt(path, cap, "%.*s/%s", (int)n, p, name) < cap && cts_fs_is_executable(path))
            return 0;
        p += n + (p[n] == ':');
    }
    return CTS_E_NOTFOUND;
}

int cts_fs_temp_dir(char *path, size_t cap, struct cts_err *err)
{
    const char *tmp = getenv("TMPDIR");
    if (cts_fmt(path, cap, "%s/ebpf-cts-XXXXXX", tmp && tmp[0] ? tmp : "/tmp") >= cap)
        return cts_err_set(err, CTS_E_LIMIT, "the path of the temporary folder is too long");
    if (!mkdtemp(path))
        return io_error(err, path, "cannot make a temporary folder");
    return 0;
}

void cts_fs_remove_tree(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        char inner[PATH_LIMIT];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (cts_fmt(inner, sizeof(inner), "%s/%s", path, e->d_name) >= sizeof(inner))
            continue;
        struct stat st;
        if (lstat(inner, &st) == 0 && S_ISDIR(st.st_mode))
            cts_fs_remove_tree(inner);
        else
            unlink(inner);
    }
    if (d)
        closedir(d);
    rmdir(path);
}
