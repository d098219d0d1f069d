#include "host/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/limits.h"

enum { TRIES = 100 };

static int cannot(struct cts_err *err, const char *path)
{
    int code = errno == ENOENT || errno == ENOTDIR ? CTS_E_NOTFOUND : CTS_E_IO;
    return cts_err_at(err, code, path, 0, 0, "cannot write: %s", strerror(errno));
}

/* ---- which file ---- */

static void fill_id(const struct stat *st, struct cts_file_id *id)
{
    struct stat null;
    *id = (struct cts_file_id){
        .dev = st->st_dev, .ino = st->st_ino, .folder = S_ISDIR(st->st_mode) != 0};
    id->sink = S_ISCHR(st->st_mode) && stat("/dev/null", &null) == 0 && S_ISCHR(null.st_mode) &&
               null.st_rdev == st->st_rdev;
}

/* The folder of a path, "." for a name alone; false if it is too long. */
static bool folder_of(const char *path, char folder[CTS_PATH_BYTES], const char **name)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
    *name = slash ? slash + 1 : path;
    return cts_fmt(folder, CTS_PATH_BYTES, "%.*s", len ? (int)len : 1, len ? path : ".") <
           CTS_PATH_BYTES;
}

/* Where a link that leads to nothing leads; false if the path is none. */
static bool follow(const char *path, char target[CTS_PATH_BYTES])
{
    char link[CTS_PATH_BYTES], folder[CTS_PATH_BYTES];
    const char *name;
    ssize_t n = readlink(path, link, sizeof(link) - 1);
    if (n <= 0 || !folder_of(path, folder, &name))
        return false;
    link[n] = '\0';
    return cts_fmt(target, CTS_PATH_BYTES, "%s%s%s", link[0] == '/' ? "" : folder,
                   link[0] == '/' ? "" : "/", link) < CTS_PATH_BYTES;
}

/* The path that a new file would have; the same if it is no link. False: errno. */
static bool path_of_new(const char *path, char at[CTS_PATH_BYTES])
{
    char next[CTS_PATH_BYTES];
    unsigned links = 0;
    errno = ENAMETOOLONG;
    if (cts_fmt(at, CTS_PATH_BYTES, "%s", path) >= CTS_PATH_BYTES)
        return false;
    while (follow(at, next)) {
        errno = ELOOP;
        if (++links > 32)
            return false;
        memcpy(at, next, CTS_PATH_BYTES);
    }
    return true;
}

bool cts_file_id(const char *path, struct cts_file_id *id)
{
    char at[CTS_PATH_BYTES], folder[CTS_PATH_BYTES];
    const char *name;
    struct stat st;
    if (stat(path, &st) == 0) {
        fill_id(&st, id);
        return true;
    }
    if (errno != ENOENT || !path_of_new(path, at) || !folder_of(at, folder, &name) ||
        stat(folder, &st) != 0)
        return false;
    errno = name[0] ? S_ISDIR(st.st_mode) ? ENAMETOOLONG : ENOTDIR : ENOENT;
    fill_id(&st, id);
    id->folder = false;
    return name[0] && S_ISDIR(st.st_mode) &&
           cts_fmt(id->name, sizeof(id->name), "%s", name) < sizeof(id->name);
}

bool cts_file_id_of(int fd, struct cts_file_id *id)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return false;
    fill_id(&st, id);
    return true;
}

bool cts_file_same(const struct cts_file_id *a, const struct cts_file_id *b)
{
    return a->dev == b->dev && a->ino == b->ino && strcmp(a->name, b->name) == 0 && !a->sink;
}

int cts_outfile_check(const char *path, struct cts_err *err)
{
    struct cts_file_id id;
    char at[CTS_PATH_BYTES], folder[CTS_PATH_BYTES];
    const char *name;
    if (!cts_file_id(path, &id))
        return cannot(err, path);
    if (id.folder)
        return cts_err_at(err, CTS_E_IO, path, 0, 0, "cannot write: it is a folder");
    if (!id.name[0])
        return access(path, W_OK) == 0 ? 0 : cannot(err, path);
    return path_of_new(path, at) && folder_of(at, folder, &name) && access(folder, W_OK) == 0
               ? 0
               : cannot(err, path);
}

/* ---- opening ---- */

/* The descriptor that /dev/stdout and the like name, -1. */
static int descriptor_of(const char *path)
{
    static const struct {
        const char *path;
        int fd;
    } names[] = {{"/dev/stdin", 0}, {"/dev/stdout", 1}, {"/dev/stderr", 2}};
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(path, names[i].path) == 0)
            return names[i].fd;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        size_t len = strlen(folders[i]);
        char *end;
        if (strncmp(path, folders[i], len) != 0 || path[len] < '0' || path[len] > '9')
            continue;
        long fd = strtol(path + len, &end, 10);
        if (*end == '\0' && fd <= 1 << 20)
            return (int)fd;
    }
    return -1;
}

static void forget(struct cts_outfile *o)
{
    free(o->path);
    free(o->temp);
    free(o->shown);
    *o = (struct cts_outfile){0};
}

static int take(struct cts_outfile *o, int fd, const char *path, struct cts_err *err)
{
    o->f = fd >= 0 ? fdopen(fd, o->path ? "w+" : "w") : NULL;
    o->shown = strdup(path);
    if (o->f && o->shown)
        return 0;
    int rc = cannot(err, path);
    if (o->f)
        fclose(o->f);
    else if (fd >= 0)
        close(fd);
    forget(o);
    return rc;
}

/* A new name beside the file's own; null for want of memory. */
static char *name_beside(const char *path, unsigned try)
{
    size_t cap = strlen(path) + 48;
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash + 1 - path) : 0;
    char *name = malloc(cap);
    if (name)
        cts_fmt(name, cap, "%.*s.%.*s.%u-%u", folder, path, 200, path + folder, (unsigned)getpid(),
                try);
    return name;
}

/* A file that nobody sees until it is whole: without a name where that can be had, or under one
 * beside it. The descriptor, or -1 and errno. */
static int open_hidden(struct cts_outfile *o)
{
    char folder[CTS_PATH_BYTES];
    const char *name;
    errno = ENAMETOOLONG;
    if (!folder_of(o->path, folder, &name))
        return -1;
    if (access("/proc/self/fd", X_OK) == 0) {
        int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
        if (fd >= 0)
            return fd;
    }
    for (unsigned i = 0; i < TRIES; i++) {
        free(o->temp);
        o->temp = name_beside(o->path, i);
        int fd = o->temp ? open(o->temp, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666) : -1;
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

static int open_regular(struct cts_outfile *o, const char *path, const struct stat *before,
                        struct cts_err *err)
{
    char at[CTS_PATH_BYTES];
    if (before ? access(path, W_OK) != 0 : !path_of_new(path, at))
        return cannot(err, path);
    o->path = before ? realpath(path, NULL) : strdup(at);
    if (!o->path)
        return cannot(err, path);
    int fd = open_hidden(o);
    /* In a folder that takes no new file the one that is there may be written all the same. */
    if (fd < 0 && before && (errno == EACCES || errno == EPERM || errno == EROFS)) {
        forget(o);
        return take(o, open(path, O_WRONLY | O_TRUNC | O_CLOEXEC), path, err);
    }
    /* Whose it was, if that can be, and who may read it. */
    if (fd >= 0 && before)
        fchmod(fd, fchown(fd, before->st_uid, before->st_gid) == 0 ? before->st_mode & 07777
                                                                   : before->st_mode & 0777);
    return take(o, fd, path, err);
}

int cts_outfile_open(struct cts_outfile *o, const char *path, struct cts_err *err)
{
    struct stat st;
    int fd = descriptor_of(path);
    *o = (struct cts_outfile){0};
    if (fd >= 0)
        return take(o, fcntl(fd, F_DUPFD_CLOEXEC, 3), path, err);
    bool there = stat(path, &st) == 0;
    if (!there && errno != ENOENT)
        return cannot(err, path);
    if (there && S_ISDIR(st.st_mode))
        return cts_err_at(err, CTS_E_IO, path, 0, 0, "cannot write: it is a folder");
    if (there && !S_ISREG(st.st_mode))
        return take(o, open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY), path, err);
    return open_regular(o, path, there ? &st : NULL, err);
}

/* ---- ending ---- */

/* Gives it a name beside its own. */
static int give_name(struct cts_outfile *o)
{
    char link[64];
    cts_fmt(link, sizeof(link), "/proc/self/fd/%d", fileno(o->f));
    for (unsigned i = 0; !o->temp && i < TRIES; i++) {
        char *name = name_beside(o->path, i);
        if (name && linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0) {
            o->temp = name;
            return 0;
        }
        free(name);
        if (!name || errno != EEXIST)
            return -1;
    }
    return o->temp ? 0 : -1;
}

/* Into the file itself. */
static int copy_over(const struct cts_outfile *o)
{
    FILE *to = fopen(o->path, "we");
    char chunk[65536];
    int rc = to && fseek(o->f, 0, SEEK_SET) == 0 ? 0 : -1;
    for (size_t n; rc == 0 && (n = fread(chunk, 1, sizeof(chunk), o->f)) > 0;)
        rc = fwrite(chunk, 1, n, to) == n ? 0 : -1;
    if (ferror(o->f))
        rc = -1;
    if (to && fclose(to) != 0)
        rc = -1;
    return rc;
}

static int take_place(struct cts_outfile *o)
{
    if (give_name(o) == 0 && rename(o->temp, o->path) == 0) {
        free(o->temp);
        o->temp = NULL;
        return 0;
    }
    /* A mount of its own cannot be replaced, and not every system gives a name to a file that has
     * none; other reasons would hold for a copy, too. */
    return errno == ENOSPC || errno == EDQUOT || errno == EROFS ? -1 : copy_over(o);
}

int cts_outfile_flush(FILE *f)
{
    bool lost = ferror(f) != 0;
    if (fflush(f) != 0)
        return errno;
    if (!lost)
        return 0;
    /* The reason of an error that lies behind: what is written next most likely has the same. */
    clearerr(f);
    return fputc('\n', f) == EOF || fflush(f) != 0 ? errno : EIO;
}

int cts_outfile_end(struct cts_outfile *o, struct cts_err *err)
{
    errno = cts_outfile_flush(o->f);
    int rc = errno ? -1 : 0;
    if (rc == 0 && o->path)
        rc = take_place(o);
    if (rc != 0)
        cannot(err, o->shown);
    rc = fclose(o->f) != 0 && rc == 0 ? cannot(err, o->shown) : rc;
    o->f = NULL;
    cts_outfile_drop(o);
    return rc == 0 ? 0 : CTS_E_IO;
}

void cts_outfile_drop(struct cts_outfile *o)
{
    if (o->f)
        fclose(o->f);
    if (o->temp)
        unlink(o->temp);
    forget(o);
}

int cts_outfile_write(const char *path, const void *data, size_t len, struct cts_err *err)
{
    struct cts_outfile o;
    int rc = cts_outfile_open(&o, path, err);
    if (rc != 0)
        return rc;
    if (len)
        fwrite(data, 1, len, o.f);
    return cts_outfile_end(&o, err);
}

FILE *cts_outfile_spool(void)
{
    const char *dir = getenv("TMPDIR");
    char path[CTS_PATH_BYTES];
    dir = dir && dir[0] ? dir : "/tmp";
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && cts_fmt(path, sizeof(path), "%s/ebpf-cts-XXXXXX", dir) < sizeof(path)) {
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0)
            unlink(path);
    }
    FILE *f = fd >= 0 ? fdopen(fd, "w+") : NULL;
    if (!f && fd >= 0)
        close(fd);
    return f;
}
