#include "wire/window.h"

#include <stdlib.h>

#ifdef __linux__

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

/* Under a limit to the size of files (RLIMIT_FSIZE) this fails, and is not to end the process. */
static int set_size(int fd, uint32_t bytes)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGXFSZ, &ignore, &before);
    int rc = ftruncate(fd, bytes);
    sigaction(SIGXFSZ, &before, NULL);
    return rc;
}

static uint8_t *map_shared(uint32_t bytes, int *fd)
{
    *fd = memfd_create("cts-window", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd < 0)
        return NULL;
    void *data = MAP_FAILED;
    if (set_size(*fd, bytes) == 0)
        data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (data != MAP_FAILED)
        return data;
    close(*fd);
    *fd = -1;
    return NULL;
}

static void unmap_shared(uint8_t *data, uint32_t bytes, int fd)
{
    munmap(data, bytes);
    close(fd);
}

#else

static uint8_t *map_shared(uint32_t bytes, int *fd)
{
    (void)bytes;
    *fd = -1;
    return NULL;
}

static void unmap_shared(uint8_t *data, uint32_t bytes, int fd)
{
    (void)data, (void)bytes, (void)fd;
}

#endif

int cts_window_open(struct cts_window *w, uint32_t bytes, struct cts_err *err)
{
    *w = (struct cts_window){.bytes = bytes, .fd = -1};
    w->data = map_shared(bytes, &w->fd);
    if (!w->data)
        w->data = calloc(1, bytes);
    return w->data ? 0 : cts_err_set(err, CTS_E_NOMEM, "no memory for a window of %u bytes", bytes);
}

void cts_window_close(struct cts_window *w)
{
    if (w->fd >= 0)
        unmap_shared(w->data, w->bytes, w->fd);
    else
        free(w->data);
    *w = (struct cts_window){.fd = -1};
}
