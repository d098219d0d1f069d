#include "wire/worker_io.h"

#include <errno.h>
#include <fcntl.h>
#ifdef _WIN32
#include <io.h>
#include <windows.h>
#else
#include <time.h>
#include <unistd.h>
#endif

enum { MOST_AT_ONCE = 1 << 20 };

#ifdef _WIN32

static int os_private(int fd)
{
    int copy = _dup(fd);
    if (copy >= 0)
        _setmode(copy, _O_BINARY);
    return copy;
}

static int os_open_empty(void)
{
    return _open("NUL", _O_RDONLY);
}

static int os_replace(int from, int to)
{
    return _dup2(from, to);
}

static void os_close(int fd)
{
    _close(fd);
}

static long os_read(int fd, void *data, size_t len)
{
    return _read(fd, data, (unsigned)len);
}

static long os_write(int fd, const void *data, size_t len)
{
    return _write(fd, data, (unsigned)len);
}

uint64_t cts_worker_io_ms(void)
{
    return GetTickCount64();
}

#else

static int os_private(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int os_open_empty(void)
{
    return open("/dev/null", O_RDONLY);
}

static int os_replace(int from, int to)
{
    return dup2(from, to);
}

static void os_close(int fd)
{
    close(fd);
}

static long os_read(int fd, void *data, size_t len)
{
    return (long)read(fd, data, len);
}

static long os_write(int fd, const void *data, size_t len)
{
    return (long)write(fd, data, len);
}

uint64_t cts_worker_io_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

#endif

bool cts_worker_io_open(struct cts_worker_io *io)
{
    io->in = os_private(0);
    io->out = os_private(1);
    if (io->in < 0 || io->out < 0 || os_replace(2, 1) < 0)
        return false;
    /* Without a null device (a bare init) a closed stdin does as well. */
    int empty = os_open_empty();
    if (empty < 0) {
        os_close(0);
        return true;
    }
    bool ok = os_replace(empty, 0) >= 0;
    if (empty != 0)
        os_close(empty);
    return ok;
}

long cts_worker_io_read(const struct cts_worker_io *io, void *data, size_t cap)
{
    for (;;) {
        long n = os_read(io->in, data, cap < MOST_AT_ONCE ? cap : (size_t)MOST_AT_ONCE);
        if (n >= 0 || errno != EINTR)
            return n;
    }
}

bool cts_worker_io_write(const struct cts_worker_io *io, const void *data, size_t len)
{
    const char *at = data;
    while (len) {
        long n = os_write(io->out, at, len < MOST_AT_ONCE ? len : (size_t)MOST_AT_ONCE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}
