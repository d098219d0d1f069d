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
#include "base/limits.h"

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

/* "a pipe", ... of what is neither a regular file nor a folder; null of those. */
static const char *odd_kind(const struct stat *st)
{
    switch (st->st_mode & S_IFMT) {
    case S_IFREG:
    case S_IFDIR:
        return NULL;
    case S_IFIFO:
        return "a pipe, not a regular file: not read";
    case S_IFSOCK:
        return "a socket, not a regular file: not read";
    default:
        return "a device, not a regular file: not read";
    }
}

static int read_opened(int fd, const char *path, size_t limit, struct cts_buf *out,
                       struct cts_err *err)
{
    int rc = cts_fs_read_fd(fd, path, limit ? limit : (size_t)256 << 20, out, err);
    close(fd);
    return rc;
}

int cts_fs_read(const char *path, size_t limit, struct cts_buf *out, struct cts_err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* waits for no writer */
    if (fd < 0)
        return io_error(err, path, "cannot open");
    const char *odd = fstat(fd, &st) == 0 ? odd_kind(&st) : NULL;
    if (!odd)
        return read_opened(fd, path, limit, out, err);
    close(fd);
    return cts_err_at(err, CTS_E_IO, path, 0, 0, "%s", odd);
}

int cts_fs_read_named(const char *path, size_t limit, struct cts_buf *out, struct cts_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? io_error(err, path, "cannot open") : read_opened(fd, path, limit, out, err);
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
    char tmp[CTS_PATH_BYTES];
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
    char part[CTS_PATH_BYTES];
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

enum { DEPTH_MAX = 32 };

struct folder_id {
    dev_t dev;
    ino_t ino;
    bool open; /* the walk is in it now */
};

struct walk {
    const char *suffix;
    struct cts_arena *arena;
    char **paths;
    size_t count, cap;
    struct cts_fs_passed *passed;
    size_t passed_count, passed_cap;
    struct folder_id *folders; /* that were read */
    size_t folder_count, folder_cap;
};

static bool has_suffix(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n >= m && strcmp(name + n - m, suffix) == 0;
}

static int no_memory(struct cts_err *err)
{
    return cts_err_set(err, CTS_E_NOMEM, "out of memory");
}

/* Room for one more element; null without memory. */
static void *grow(void *list, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return list;
    size_t bigger = *cap ? *cap * 2 : 64;
    void *grown = realloc(list, bigger * size);
    if (grown)
        *cap = bigger;
    return grown;
}

static int walk_add(struct walk *w, const char *path, struct cts_err *err)
{
    char **paths = grow(w->paths, w->count, &w->cap, sizeof(*paths));
    char *copy = cts_arena_strdup(w->arena, path);
    if (paths)
        w->paths = paths;
    if (!paths || !copy)
        return no_memory(err);
    w->paths[w->count++] = copy;
    return 0;
}

static int walk_pass(struct walk *w, const char *path, const char *why, bool folder, bool lost,
                     struct cts_err *err)
{
    struct cts_fs_passed *passed =
        grow(w->passed, w->passed_count, &w->passed_cap, sizeof(*passed));
    if (passed)
        w->passed = passed;
    struct cts_fs_passed p = {.path = cts_arena_strdup(w->arena, path),
                              .why = cts_arena_strdup(w->arena, why),
                              .folder = folder,
                              .lost = lost};
    if (!passed || !p.path || !p.why)
        return no_memory(err);
    w->passed[w->passed_count++] = p;
    return 0;
}

/* Marks a folder as read: 1. 0: it has been read, and *loop tells whether the walk is still in it.
 */
static int walk_enter(struct walk *w, const struct stat *st, bool *loop, struct cts_err *err)
{
    for (size_t i = 0; i < w->folder_count; i++) {
        const struct folder_id *f = &w->folders[i];
        if (f->dev == st->st_dev && f->ino == st->st_ino) {
            *loop = f->open;
            return 0;
        }
    }
    struct folder_id *folders = grow(w->folders, w->folder_count, &w->folder_cap, sizeof(*folders));
    if (!folders)
        return no_memory(err);
    w->folders = folders;
    folders[w->folder_count++] = (struct folder_id){st->st_dev, st->st_ino, true};
    return 1;
}

static int walk_dir(struct walk *w, const char *root, unsigned depth, struct cts_err *err);

static int walk_folder(struct walk *w, const char *path, const struct stat *st, unsigned depth,
                       struct cts_err *err)
{
    bool loop = false;
    size_t own = w->folder_count;
    int rc = walk_enter(w, st, &loop, err);
    if (rc == 0 && loop)
        return walk_pass(w, path, "a link to a folder that it is in: not followed", true, false,
                         err);
    if (rc <= 0)
        return rc;
    if (depth > DEPTH_MAX)
        rc = walk_pass(w, path, "folders nested too deeply: not read", true, true, err);
    else
        rc = walk_dir(w, path, depth, err);
    w->folders[own].open = false;
    return rc;
}

static int walk_entry(struct walk *w, const char *path, bool links, unsigned depth,
                      struct cts_err *err)
{
    struct stat own, st;
    if (lstat(path, &own) != 0 || S_ISLNK(own.st_mode) != links)
        return 0;
    bool known = stat(path, &st) == 0;
    if (known && S_ISDIR(st.st_mode))
        return walk_folder(w, path, &st, depth, err);
    if (!has_suffix(path, w->suffix))
        return 0;
    const char *odd = known ? odd_kind(&st) : NULL;
    return odd ? walk_pass(w, path, odd, false, true, err) : walk_add(w, path, err);
}

static int is_listed(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* In a fixed order, and links last: what can be reached in two ways has its own path. */
static int walk_dir(struct walk *w, const char *root, unsigned depth, struct cts_err *err)
{
    struct dirent **entries;
    int n = scandir(root, &entries, is_listed, by_name), rc = 0;
    if (n < 0 && depth == 0)
        return io_error(err, root, "cannot open");
    if (n < 0) {
        char why[256];
        cts_fmt(why, sizeof(why), "cannot open: %s", strerror(errno));
        return walk_pass(w, root, why, true, true, err);
    }
    for (int links = 0; links < 2; links++)
        for (int i = 0; rc == 0 && i < n; i++) {
            char path[CTS_PATH_BYTES];
            if (cts_fmt(path, sizeof(path), "%s/%s", root, entries[i]->d_name) < sizeof(path))
                rc = walk_entry(w, path, links, depth + 1, err);
            else if (links)
                rc = walk_pass(w, root, "a path in it is too long: not read", true, true, err);
        }
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    return rc;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int walk_out(struct walk *w, struct cts_fs_list *out, struct cts_err *err)
{
    out->paths = cts_arena_take_array(w->arena, w->count + 1, sizeof(*w->paths));
    out->passed = cts_arena_take_array(w->arena, w->passed_count + 1, sizeof(*w->passed));
    if (!out->paths || !out->passed)
        return no_memory(err);
    if (w->count) {
        qsort(w->paths, w->count, sizeof(*w->paths), by_bytes);
        memcpy(out->paths, w->paths, w->count * sizeof(*w->paths));
    }
    if (w->passed_count)
        memcpy(out->passed, w->passed, w->passed_count * sizeof(*w->passed));
    out->count = w->count;
    out->passed_count = w->passed_count;
    return 0;
}

int cts_fs_walk_on(const char *root, const char *suffix, struct cts_arena *arena,
                   struct cts_fs_list *out, struct cts_err *err)
{
    struct walk w = {.suffix = suffix, .arena = arena};
    struct stat st;
    *out = (struct cts_fs_list){0};
    int rc = 0;
    if (stat(root, &st) != 0)
        rc = io_error(err, root, "cannot open");
    else if (S_ISDIR(st.st_mode))
        rc = walk_folder(&w, root, &st, 0, err);
    else
        rc = walk_add(&w, root, err);
    if (rc == 0)
        rc = walk_out(&w, out, err);
    free(w.paths);
    free(w.passed);
    free(w.folders);
    return rc;
}

int cts_fs_walk(const char *root, const char *suffix, struct cts_arena *arena,
                struct cts_fs_list *out, struct cts_err *err)
{
    int rc = cts_fs_walk_on(root, suffix, arena, out, err);
    for (size_t i = 0; rc == 0 && i < out->passed_count; i++)
        if (out->passed[i].lost)
            rc = cts_err_at(err, CTS_E_IO, out->passed[i].path, 0, 0, "%s", out->passed[i].why);
    if (rc)
        *out = (struct cts_fs_list){0};
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
        char inner[CTS_PATH_BYTES];
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
