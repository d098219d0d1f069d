#include "host/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/sum.h"
#include "host/fs.h"

enum { PATH_CAP = 4096, OTHERS = S_IWGRP | S_IWOTH, NAME_TRIES = 100 };

static int failed(struct cts_err *err, const char *path, const char *what)
{
    int code = errno == ENOENT ? CTS_E_NOTFOUND : CTS_E_IO;
    return cts_err_at(err, code, path, 0, 0, "%s: %s", what, strerror(errno));
}

/* ---- the folder ---- */

static bool is_absolute(const char *path)
{
    return path && path[0] == '/';
}

static int find_folder(char *path, size_t cap, struct cts_err *err)
{
    const char *own = getenv("EBPF_CTS_CACHE"), *xdg = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    size_t n;
    if (own && own[0])
        n = cts_fmt(path, cap, "%s", own);
    else if (is_absolute(xdg))
        n = cts_fmt(path, cap, "%s/ebpf-cts", xdg);
    else if (is_absolute(home))
        n = cts_fmt(path, cap, "%s/.cache/ebpf-cts", home);
    else
        return cts_err_set(err, CTS_E_NOTFOUND,
                           "none of EBPF_CTS_CACHE, XDG_CACHE_HOME and HOME names a folder");
    if (n >= cap)
        return cts_err_set(err, CTS_E_LIMIT, "the path of the cache is too long");
    while (n > 1 && path[n - 1] == '/') /* a link with a slash behind it would be followed */
        path[--n] = '\0';
    return 0;
}

/* The folders above it as everybody's are made, itself for the user alone. */
static int make_folder(const char *path, struct cts_err *err)
{
    char above[PATH_CAP];
    const char *slash = strrchr(path, '/');
    if (slash && slash != path) {
        cts_fmt(above, sizeof(above), "%.*s", (int)(slash - path), path);
        int rc = cts_fs_mkdirs(above, err);
        if (rc)
            return rc;
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return failed(err, path, "cannot make the folder");
    return 0;
}

/* What may be wrong with an open file or folder that only the user should be able to write; null if
 * nothing is. */
static const char *mistrust(const struct stat *st)
{
    if (st->st_uid != geteuid())
        return "it belongs to another user";
    if (st->st_mode & OTHERS)
        return "it can be written by others";
    return NULL;
}

static int refuse(struct cts_err *err, const char *path, const char *why)
{
    return cts_err_at(err, CTS_E_INVAL, path, 0, 0, "%s", why);
}

/* Takes the descriptor of a folder that was opened without following a link. */
static int check_folder(int fd, const char *path, struct cts_err *err)
{
    struct stat st;
    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
        return refuse(err, path, "it is a link, or no folder");
    if (fd < 0)
        return failed(err, path, "cannot open");
    const char *why = fstat(fd, &st) == 0 ? mistrust(&st) : "it cannot be looked at";
    if (!why)
        return fd;
    close(fd);
    return refuse(err, path, why);
}

static int open_folder(int at, const char *name, const char *path, struct cts_err *err)
{
    return check_folder(openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), path,
                        err);
}

int cts_cache_open(const char *inner, struct cts_err *err)
{
    char path[PATH_CAP];
    int rc = find_folder(path, sizeof(path), err);
    if (rc == 0)
        rc = make_folder(path, err);
    if (rc)
        return rc;
    int cache = open_folder(AT_FDCWD, path, path, err), dir;
    if (cache < 0 || !inner[0])
        return cache;
    size_t n = strlen(path);
    cts_fmt(path + n, sizeof(path) - n, "/%s", inner);
    if (mkdirat(cache, inner, 0700) != 0 && errno != EEXIST)
        dir = failed(err, path, "cannot make the folder");
    else
        dir = open_folder(cache, inner, path, err);
    close(cache);
    return dir;
}

/* ---- files ---- */

/* A pipe in the place of a file must not hold us up. */
static int open_file(int dir, const char *name, struct stat *st, struct cts_err *err)
{
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ELOOP)
        return refuse(err, name, "it is a link");
    if (fd < 0)
        return failed(err, name, "cannot open");
    const char *why = "it is no regular file";
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
        why = mistrust(st);
    if (!why)
        return fd;
    close(fd);
    return refuse(err, name, why);
}

int cts_cache_read(int dir, const char *name, size_t limit, struct cts_buf *out,
                   struct cts_err *err)
{
    struct stat st;
    int fd = open_file(dir, name, &st, err);
    if (fd < 0)
        return fd;
    int rc = 0;
    if ((uint64_t)st.st_size > limit)
        rc = cts_err_at(err, CTS_E_LIMIT, name, 0, 0, "larger than %zu bytes", limit);
    else if (!cts_buf_reserve(out, (size_t)st.st_size + 1)) /* at once, not piece by piece */
        rc = cts_err_at(err, CTS_E_NOMEM, name, 0, 0, "no memory to read it");
    else
        rc = cts_fs_read_fd(fd, name, limit, out, err);
    close(fd);
    return rc;
}

static int make_file(int dir, const char *name, char *tmp, size_t cap, struct cts_err *err)
{
    for (unsigned tries = 0; tries < NAME_TRIES; tries++) {
        uint32_t random = tries;
        if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
            random = tries;
        if (cts_fmt(tmp, cap, "%s.%08x", name, random) >= cap)
            return cts_err_at(err, CTS_E_LIMIT, name, 0, 0, "the name is too long");
        int fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0)
            return fd;
        if (errno != EEXIST)
            break;
    }
    return failed(err, name, "cannot write");
}

int cts_cache_write(int dir, const char *name, const void *data, size_t len, struct cts_err *err)
{
    char tmp[256];
    int fd = make_file(dir, name, tmp, sizeof(tmp), err);
    if (fd < 0)
        return fd;
    int rc = cts_fs_write_fd(fd, data, len);
    if (rc == 0)
        rc = fsync(fd);
    if (close(fd) != 0)
        rc = -1;
    if (rc == 0)
        rc = renameat(dir, tmp, dir, name);
    if (rc != 0) {
        failed(err, name, "cannot write");
        unlinkat(dir, tmp, 0);
        return CTS_E_IO;
    }
    fsync(dir); /* without it the old file may come back, which is as good */
    return 0;
}

/* ---- files with a sum ---- */

/* Behind the content: "\nsum " and the sum in hexadecimal. */
enum { SUM_TEXT = 5 + 2 * CTS_SUM_BYTES };

static void sum_text(const void *data, size_t len, char text[SUM_TEXT + 1])
{
    uint8_t sum[CTS_SUM_BYTES];
    cts_sum(data, len, sum);
    cts_fmt(text, SUM_TEXT + 1, "\nsum ");
    for (unsigned i = 0; i < CTS_SUM_BYTES; i++)
        cts_fmt(text + 5 + 2 * (size_t)i, 3, "%02x", sum[i]);
}

int cts_cache_get(int dir, const char *name, size_t limit, struct cts_buf *out, struct cts_err *err)
{
    char text[SUM_TEXT + 1];
    size_t before = out->len;
    int rc = cts_cache_read(dir, name, limit + SUM_TEXT, out, err);
    if (rc)
        return rc;
    if (out->len - before >= SUM_TEXT) {
        size_t len = out->len - before - SUM_TEXT;
        sum_text(out->data + before, len, text);
        if (memcmp(text, out->data + before + len, SUM_TEXT) == 0) {
            out->len = before + len;
            out->data[out->len] = '\0';
            return 0;
        }
    }
    out->len = before;
    if (out->data)
        out->data[before] = '\0';
    return cts_err_at(err, CTS_E_SYNTAX, name, 0, 0, "damaged");
}

int cts_cache_put(int dir, const char *name, const void *data, size_t len, struct cts_err *err)
{
    char text[SUM_TEXT + 1];
    struct cts_buf file;
    cts_buf_init(&file, 0);
    sum_text(data, len, text);
    cts_buf_add(&file, data, len);
    cts_buf_add(&file, text, SUM_TEXT);
    int rc = file.failed ? cts_err_at(err, CTS_E_NOMEM, name, 0, 0, "no memory to write it")
                         : cts_cache_write(dir, name, file.data, file.len, err);
    cts_buf_release(&file);
    return rc;
}
