#include "link/link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "host/clock.h"

enum {
    ARGS_MAX = 254,
    READ_BYTES = 1 << 18,
    STDERR_READ = 1 << 14,
    STDERR_REST = 1 << 20, /* that is still read of a worker that is given up */
    STDERR_LIMIT = 4 * CTS_LINK_STDERR,
    DEATH_MS = 300, /* from the end of stdout to that of the process, and the other way round */
    IDLE_MS = 20,   /* where there is no pidfd to wake us */
};

void cts_link_init(struct cts_link *l, const struct cts_link_limits *limits)
{
    *l = (struct cts_link){.limits = *limits};
    cts_proc_init(&l->proc);
    cts_buf_init(&l->in, 2 * (size_t)CTS_FRAME_MAX);
    cts_buf_init(&l->stderr_text, STDERR_LIMIT);
    l->out.grow = cts_wr_grow_malloc;
}

int cts_link_start(struct cts_link *l, const char *const *argv, const char *engine,
                   struct cts_err *err)
{
    const char *args[ARGS_MAX + 2];
    unsigned n = 0;
    cts_link_stop(l);
    cts_buf_clear(&l->stderr_text);
    l->stderr_volume = 0;
    l->eof = l->ended = l->reports = false;
    if (getrandom(&l->random, sizeof(l->random), GRND_NONBLOCK) != sizeof(l->random))
        l->random = cts_clock_ns();
    l->random |= 1;
    for (; argv[n]; n++) {
        if (n == ARGS_MAX)
            return cts_err_set(err, CTS_E_INVAL, "the worker's command has more than %d words",
                               ARGS_MAX);
        args[n] = argv[n];
    }
    if (engine[0])
        args[n++] = engine;
    args[n] = NULL;
    return cts_proc_start(&l->proc, args, err);
}

void cts_link_stop(struct cts_link *l)
{
    cts_proc_end(&l->proc);
    l->sent = l->answered = 0;
    l->expected = 0;
    l->in_at = 0;
    cts_buf_clear(&l->in);
}

void cts_link_release(struct cts_link *l)
{
    cts_link_stop(l);
    cts_link_unmap(l);
    cts_wr_release_malloc(&l->out);
    cts_buf_release(&l->in);
    cts_buf_release(&l->stderr_text);
}

void cts_link_hang_up(struct cts_link *l)
{
    if (l->proc.in >= 0)
        close(l->proc.in);
    l->proc.in = -1;
}

/* stderr. */

static void keep_stderr(struct cts_link *l, const char *data, size_t len)
{
    struct cts_buf *b = &l->stderr_text;
    if (b->len + len > 2 * (size_t)CTS_LINK_STDERR) {
        memmove(b->data, b->data + b->len - CTS_LINK_STDERR, CTS_LINK_STDERR);
        b->len = CTS_LINK_STDERR;
    }
    cts_buf_add(b, data, len);
}

/* True if there was something. */
static bool read_stderr(struct cts_link *l)
{
    char chunk[STDERR_READ];
    if (l->proc.err_fd < 0)
        return false;
    ssize_t n = read(l->proc.err_fd, chunk, sizeof(chunk));
    if (n > 0) {
        keep_stderr(l, chunk, (size_t)n);
        l->stderr_volume += (uint64_t)n;
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        close(l->proc.err_fd);
        l->proc.err_fd = -1;
    }
    return n > 0;
}

static void read_stderr_rest(struct cts_link *l)
{
    for (size_t n = 0; n < STDERR_REST && read_stderr(l); n += STDERR_READ)
        ;
}

void cts_link_last_line(struct cts_link *l, char *out, size_t cap)
{
    read_stderr_rest(l);
    const char *text = cts_buf_text(&l->stderr_text);
    size_t end = l->stderr_text.len;
    while (end && (text[end - 1] == '\n' || text[end - 1] == ' ' || text[end - 1] == '\r'))
        end--;
    size_t from = end;
    while (from && text[from - 1] != '\n' && end - from < cap - 1)
        from--;
    memcpy(out, text + from, end - from);
    out[end - from] = '\0';
    for (char *p = out; p < out + (end - from); p++)
        if (*p == '\0' || *p == '\t')
            *p = ' ';
    cts_text_make_safe(out);
}

/* Moving bytes. */

static int flood(const char *stream, struct cts_err *err)
{
    return cts_err_set(err, CTS_E_PROTOCOL, "it floods %s", stream);
}

size_t cts_link_unread(const struct cts_link *l)
{
    return l->in.len - l->in_at;
}

static void make_room(struct cts_link *l)
{
    if (l->in_at == l->in.len) {
        cts_buf_clear(&l->in);
        l->in_at = 0;
    } else if (l->in_at > READ_BYTES) {
        memmove(l->in.data, l->in.data + l->in_at, l->in.len - l->in_at);
        l->in.len -= l->in_at;
        l->in_at = 0;
    }
}

/* One read: a byte more than the worker may send is a flood. */
int cts_link_read(struct cts_link *l, struct cts_err *err)
{
    uint64_t most = l->expected + l->limits.stray_bytes;
    if (l->eof)
        return 0;
    make_room(l);
    uint64_t left = most - cts_link_unread(l) + 1;
    size_t want = left < READ_BYTES ? (size_t)left : READ_BYTES;
    char *at = cts_buf_reserve(&l->in, want);
    if (!at)
        return cts_err_set(err, CTS_E_NOMEM, "it sends more than there is memory for");
    ssize_t n = read(l->proc.out, at, want);
    if (n > 0)
        l->in.len += (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        l->eof = l->ended = true;
    return cts_link_unread(l) > most ? flood("stdout", err) : 0;
}

/* Whoever still holds its stdout. */
int cts_link_read_rest(struct cts_link *l, struct cts_err *err)
{
    while (!l->ended) {
        size_t before = cts_link_unread(l);
        int rc = cts_link_read(l, err);
        if (rc)
            return rc;
        if (cts_link_unread(l) == before)
            l->ended = true;
    }
    return 0;
}

int cts_link_wait(struct cts_link *l, enum cts_link_for what, unsigned most_ms, struct cts_err *err)
{
    struct pollfd fds[] = {
        {.fd = l->ended ? -1 : l->proc.out, .events = POLLIN},
        {.fd = l->proc.err_fd, .events = POLLIN},
        {.fd = l->proc.pidfd, .events = POLLIN},
        {.fd = what == CTS_LINK_FOR_ROOM ? l->proc.in : -1, .events = POLLOUT},
    };
    if (l->proc.pidfd < 0 && most_ms > IDLE_MS)
        most_ms = IDLE_MS;
    int n = poll(fds, 4, (int)most_ms);
    if (n < 0)
        return errno == EINTR ? 0 : cts_err_set(err, CTS_E_IO, "it cannot be polled");
    int status, rc = 0;
    bool over = fds[2].revents || (n == 0 && cts_proc_wait(&l->proc, 0, &status));
    if (fds[1].revents)
        read_stderr(l);
    if (l->stderr_volume > l->limits.stderr_bytes)
        return flood("stderr", err);
    if (fds[0].revents)
        rc = cts_link_read(l, err);
    if (rc == 0 && over)
        rc = cts_link_read_rest(l, err);
    return rc;
}

int cts_link_write(struct cts_link *l, const void *data, size_t len, size_t *sent,
                   struct cts_err *err)
{
    while (*sent < len) {
        ssize_t n = cts_proc_write(&l->proc, (const uint8_t *)data + *sent, len - *sent);
        if (n > 0)
            *sent += (size_t)n;
        else if (n == 0 || errno == EAGAIN)
            return 0;
        else if (errno != EINTR)
            return cts_err_set(err, CTS_E_WORKER, "it does not read its stdin any more");
    }
    return 1;
}

/* The end. */

int cts_link_await_eof(struct cts_link *l, struct cts_err *err)
{
    int rc = 0;
    for (unsigned ms = 0; rc == 0 && ms < DEATH_MS && !l->eof;) {
        struct pollfd fd = {.fd = l->proc.out, .events = POLLIN};
        size_t before = cts_link_unread(l);
        poll(&fd, 1, IDLE_MS);
        rc = cts_link_read(l, err);
        ms += cts_link_unread(l) == before ? IDLE_MS : 0;
    }
    l->ended = true;
    return rc;
}

bool cts_link_await_end(struct cts_link *l, int *status)
{
    struct cts_effort e;
    bool over = false;
    cts_effort_start(&e, l->proc.pid, DEATH_MS);
    while (!over && !cts_effort_is_over(&e, DEATH_MS) && !cts_effort_is_starved(&e, DEATH_MS)) {
        read_stderr_rest(l); /* it may be writing there, and must not block */
        over = cts_proc_wait(&l->proc, IDLE_MS, status);
        cts_effort_tick(&e);
    }
    return over;
}

/* Time. */

void cts_link_start_time(struct cts_link *l, unsigned timeout_ms)
{
    l->timeout_ms = timeout_ms;
    cts_effort_start(&l->effort, l->proc.pid, timeout_ms);
}

enum cts_link_time cts_link_check_time(struct cts_link *l, bool waiting, uint64_t limit_ms,
                                       unsigned patience_ms)
{
    struct cts_effort *e = &l->effort;
    if (waiting)
        cts_effort_excuse(e);
    else
        cts_effort_tick(e);
    if (cts_effort_is_over(e, limit_ms))
        return CTS_LINK_LATE;
    bool starved = patience_ms ? e->passed - e->own >= patience_ms * (uint64_t)1000000
                               : cts_effort_is_starved(e, l->timeout_ms);
    return starved ? CTS_LINK_STARVED : CTS_LINK_IN_TIME;
}

/* The window. */

int cts_link_map(struct cts_link *l, int fd, size_t bytes, struct cts_err *err)
{
    int own = cts_proc_take_fd(&l->proc, fd);
    if (own < 0 && errno == EBADF)
        return cts_err_set(err, CTS_E_NOTFOUND, "it has no descriptor %d", fd);
    if (own < 0)
        return cts_err_set(err, CTS_E_WORKER,
                           "descriptors of other processes are unavailable here: %s",
                           strerror(errno));
    int rc = cts_share_map(&l->window, own, bytes, err);
    close(own);
    return rc;
}

void cts_link_unmap(struct cts_link *l)
{
    cts_share_unmap(&l->window);
}
