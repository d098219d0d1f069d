#include "host/share.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fmt.h"

enum {
    PLACES = 512, /* mappings at a time */
    PAGE_SHIFT = 12,
    COUNT_BITS = 20, /* of pages: up to 4 GiB */
    INFO_BYTES = 4096,
    TMPFS = 0x01021994,     /* of statfs */
    MAP_TYPE_ARRAY = 2,     /* BPF_MAP_TYPE_ARRAY */
    MAP_MMAPABLE = 1 << 10, /* BPF_F_MMAPABLE */
};

/* What is watched. A handler has nowhere else to look, and may come at any time: a mapping is one
 * word (number of its first page, count of its pages), which is there whole or not at all. */
static struct {
    _Atomic uint64_t pages[PLACES]; /* 0: free */
    atomic_bool gone[PLACES];
    struct sigaction before[2];
    pthread_once_t once;
    pthread_mutex_t lock; /* for taking places */
} watch = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

static const int signals[2] = {SIGBUS, SIGSEGV};

/* Watching. */

static bool replace(unsigned place, uint64_t pages)
{
    union {
        uint64_t number;
        void *at;
    } first = {.number = pages >> COUNT_BITS << PAGE_SHIFT};
    size_t bytes = (size_t)(pages & ((1u << COUNT_BITS) - 1)) << PAGE_SHIFT;
    void *p = mmap(first.at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                   -1, 0);
    atomic_store(&watch.gone[place], true);
    return p != MAP_FAILED;
}

static bool take_fault(uintptr_t at)
{
    for (unsigned i = 0; i < PLACES; i++) {
        uint64_t pages = atomic_load(&watch.pages[i]);
        uint64_t first = pages >> COUNT_BITS, count = pages & ((1u << COUNT_BITS) - 1);
        if ((at >> PAGE_SHIFT) - first < count)
            return replace(i, pages);
    }
    return false;
}

/* A fault that is none of ours happens again, under whatever was to be done about it before. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    int before = errno;
    (void)context;
    if (info->si_code <= 0 || !take_fault((uintptr_t)info->si_addr)) {
        sigaction(number, &watch.before[number == SIGSEGV], NULL);
        if (info->si_code <= 0)
            raise(number);
    }
    errno = before;
}

static void start_watching(void)
{
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&sa.sa_mask);
    for (unsigned i = 0; i < 2; i++)
        sigaction(signals[i], &sa, &watch.before[i]);
}

int cts_share_watch(struct cts_share *s, void *data, size_t bytes, struct cts_err *err)
{
    uint64_t first = (uintptr_t)data >> PAGE_SHIFT;
    uint64_t count = (bytes + (1u << PAGE_SHIFT) - 1) >> PAGE_SHIFT;
    unsigned i = 0;
    pthread_once(&watch.once, start_watching);
    pthread_mutex_lock(&watch.lock);
    while (i < PLACES && atomic_load(&watch.pages[i]))
        i++;
    if (i < PLACES && count >> COUNT_BITS == 0 && first >> (64 - COUNT_BITS) == 0) {
        atomic_store(&watch.gone[i], false);
        atomic_store(&watch.pages[i], first << COUNT_BITS | count);
        *s = (struct cts_share){.data = data, .bytes = bytes, .place = i + 1};
    } else {
        *s = (struct cts_share){0};
    }
    pthread_mutex_unlock(&watch.lock);
    return s->place ? 0 : cts_err_set(err, CTS_E_LIMIT, "too much memory is shared already");
}

void cts_share_forget(struct cts_share *s)
{
    if (s->place)
        atomic_store(&watch.pages[s->place - 1], 0);
    *s = (struct cts_share){0};
}

bool cts_share_is_gone(const struct cts_share *s)
{
    return s->place && atomic_load(&watch.gone[s->place - 1]);
}

void cts_share_touch(const struct cts_share *s, size_t off, size_t bytes)
{
    const size_t page = (size_t)1 << PAGE_SHIFT;
    size_t end = off < s->bytes && bytes <= s->bytes - off ? off + bytes : s->bytes;
    for (size_t at = off & ~(page - 1); s->data && at < end; at += page)
        (void)*((const volatile uint8_t *)s->data + at);
}

/* Kinds. */

/* The number behind NAME and ':' in a text of lines. */
static bool number_of(const char *text, const char *name, uint64_t *value)
{
    size_t n = strlen(name);
    for (const char *at = text; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, name, n) == 0 && at[n] == ':') {
            *value = strtoull(at + n + 1, NULL, 0);
            return true;
        }
    }
    return false;
}

static bool read_info(int fd, char text[INFO_BYTES])
{
    char path[64];
    cts_fmt(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    int info = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = info < 0 ? -1 : read(info, text, INFO_BYTES - 1);
    if (info >= 0)
        close(info);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* A map of the kernel keeps its size and its memory. But there are kinds whose pages come and go
 * (an arena), and others that have none. */
static int check_map(int fd, size_t bytes, struct cts_err *err)
{
    char info[INFO_BYTES];
    uint64_t type = 0, flags = 0, value_bytes = 0, entries = 0;
    if (!read_info(fd, info))
        return cts_err_set(err, CTS_E_UNSUPPORTED, "/proc does not tell what it is");
    if (!number_of(info, "map_type", &type) || !number_of(info, "map_flags", &flags) ||
        !number_of(info, "value_size", &value_bytes) || !number_of(info, "max_entries", &entries))
        return cts_err_set(err, CTS_E_UNSUPPORTED, "it is neither a memory file nor a BPF map");
    if (type != MAP_TYPE_ARRAY || !(flags & MAP_MMAPABLE))
        return cts_err_set(
            err, CTS_E_UNSUPPORTED,
            "it is a BPF map, but no array with BPF_F_MMAPABLE (type %u, flags 0x%x)",
            (unsigned)type, (unsigned)flags);
    if (((value_bytes + 7) & ~(uint64_t)7) * entries < bytes)
        return cts_err_set(err, CTS_E_UNSUPPORTED, "it has fewer than %zu bytes", bytes);
    return 0;
}

/* A file can be cut off under whoever has mapped it. A memory file cannot once it is sealed, which
 * it refuses if others may not set seals. */
static int check_file(int fd, size_t bytes, struct cts_err *err)
{
    struct statfs fs;
    struct stat st;
    if (fstatfs(fd, &fs) || fs.f_type != TMPFS)
        return cts_err_set(err, CTS_E_UNSUPPORTED, "it is a file of huge pages, which may run out");
    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || !(seals & F_SEAL_SHRINK))
        return cts_err_set(err, CTS_E_UNSUPPORTED,
                           "it is a file that can shrink (MFD_ALLOW_SEALING)");
    if (fstat(fd, &st) || st.st_size < 0 || (size_t)st.st_size < bytes)
        return cts_err_set(err, CTS_E_UNSUPPORTED, "it has fewer than %zu bytes", bytes);
    return 0;
}

/* Nothing is asked of a file before it is known to be the kernel's own: a file system that another
 * process serves need not answer, and we would wait for ever. */
static int check_kind(int fd, size_t bytes, struct cts_err *err)
{
    return fcntl(fd, F_GET_SEALS) >= 0 ? check_file(fd, bytes, err) : check_map(fd, bytes, err);
}

int cts_share_map(struct cts_share *s, int fd, size_t bytes, struct cts_err *err)
{
    *s = (struct cts_share){0};
    int rc = check_kind(fd, bytes, err);
    if (rc)
        return rc;
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return cts_err_set(err, CTS_E_UNSUPPORTED, "it cannot be mapped: %s", strerror(errno));
    rc = cts_share_watch(s, p, bytes, err);
    if (rc)
        munmap(p, bytes);
    return rc;
}

void cts_share_unmap(struct cts_share *s)
{
    void *data = s->data;
    size_t bytes = s->bytes;
    /* First: once it is unmapped the address may be anybody's. */
    cts_share_forget(s);
    if (data)
        munmap(data, bytes);
}
