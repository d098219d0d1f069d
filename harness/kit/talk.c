#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fmt.h"
#include "host/clock.h"
#include "kit/impl.h"

enum {
    MOST_ARGS = 254,
    READ_BYTES = 1 << 16,
    MOST_NOISE = 128 << 20, /* of stderr, for one answer */
    MOST_BEHIND = 1 << 20,  /* of stdout, behind the last answer */
    IDLE_MS = 20,
    LET_GO_MS = 300,
    PROGRESS_WORDS = 16, /* of a question, and of each of its items */
};

/* What is wrong. */

static void keep_bytes(struct cts_kit_bytes *b, const void *data, size_t len)
{
    b->total = len;
    b->len = len < sizeof(b->data) ? len : sizeof(b->data);
    if (b->len)
        memcpy(b->data, data, b->len);
}

/* What the worker said last on stderr is part of the story. */
static void keep_words(struct kit *k)
{
    const struct kit_talk *t = k->t;
    size_t end = t->words_len;
    while (end && (t->words[end - 1] == '\n' || t->words[end - 1] == '\r'))
        end--;
    size_t from = end;
    while (from && t->words[from - 1] != '\n')
        from--;
    memcpy(k->words, t->words + from, end - from);
    k->words[end - from] = '\0';
}

static bool read_stderr(struct kit_talk *t);

int kit_fail(struct kit *k, const char *fmt, ...)
{
    va_list ap;
    if (k->why[0])
        return KIT_FAIL;
    va_start(ap, fmt);
    cts_vfmt(k->why, sizeof(k->why), fmt, ap);
    va_end(ap);
    for (unsigned most = 0; most < 64 && read_stderr(k->t); most++)
        ;
    keep_words(k);
    keep_bytes(&k->question, k->out.data, k->out.len);
    if (!k->seen.len && k->t->in.len > k->t->at)
        keep_bytes(&k->seen, k->t->in.data + k->t->at, k->t->in.len - k->t->at);
    return KIT_FAIL;
}

int kit_skip(struct kit *k, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cts_vfmt(k->why, sizeof(k->why), fmt, ap);
    va_end(ap);
    return KIT_SKIP;
}

/* Starting and stopping. */

int kit_spawn(struct kit *k, bool bare)
{
    const char *args[MOST_ARGS + 2];
    struct cts_err err = {0};
    unsigned n = 0;
    struct kit_talk *t = k->t;
    kit_stop(t);
    for (; k->opts->argv[n]; n++) {
        if (n == MOST_ARGS)
            return kit_fail(k, "the worker's command has more than %d words", MOST_ARGS);
        args[n] = k->opts->argv[n];
    }
    if (!bare && k->opts->engine[0])
        args[n++] = k->opts->engine;
    args[n] = NULL;
    cts_buf_clear(&t->in);
    t->at = 0;
    t->ended = t->held = false;
    t->noise = 0;
    t->words_len = 0;
    t->first = t->count = 0;
    t->seq = (uint32_t)cts_clock_ns() | 1;
    return cts_proc_start(&t->proc, args, &err) ? kit_fail(k, "%s", err.msg) : 0;
}

void kit_stop(struct kit_talk *t)
{
    cts_proc_end(&t->proc);
    cts_share_unmap(&t->window);
}

void kit_hang_up(struct kit *k)
{
    if (k->t->proc.in >= 0)
        close(k->t->proc.in);
    k->t->proc.in = -1;
}

/* Moving bytes. */

static void keep_end(struct kit_talk *t, const char *data, size_t len)
{
    size_t cap = sizeof(t->words) - 1;
    if (len > cap) {
        data += len - cap;
        len = cap;
    }
    if (t->words_len + len > cap) {
        size_t off = t->words_len + len - cap;
        memmove(t->words, t->words + off, t->words_len - off);
        t->words_len -= off;
    }
    memcpy(t->words + t->words_len, data, len);
    t->words_len += len;
}

/* True if there was something. */
static bool read_stderr(struct kit_talk *t)
{
    char chunk[READ_BYTES];
    if (t->proc.err_fd < 0)
        return false;
    ssize_t n = read(t->proc.err_fd, chunk, sizeof(chunk));
    if (n > 0) {
        t->noise += (uint64_t)n;
        keep_end(t, chunk, (size_t)n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        close(t->proc.err_fd);
        t->proc.err_fd = -1;
    }
    return n > 0;
}

/* 1: something came; 0: nothing is there, or the end; below 0: no memory. */
static int read_stdout(struct kit *k)
{
    struct kit_talk *t = k->t;
    if (t->at == t->in.len) {
        cts_buf_clear(&t->in);
        t->at = 0;
    }
    char *at = cts_buf_reserve(&t->in, READ_BYTES);
    if (!at)
        return kit_fail(k, "it sends more than there is memory for");
    ssize_t n = read(t->proc.out, at, READ_BYTES);
    if (n > 0)
        t->in.len += (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        t->ended = true;
    return n > 0;
}

static size_t unread(const struct kit_talk *t)
{
    return t->in.len - t->at;
}

/* A process that is over leaves its last bytes in the pipe. Who else holds that has a moment to let
 * go. */
static int read_rest(struct kit *k)
{
    struct kit_talk *t = k->t;
    int rc = 0;
    if (t->ended)
        return 0;
    for (unsigned ms = 0; ms < LET_GO_MS && rc >= 0 && !t->ended; ms += rc > 0 ? 0 : IDLE_MS) {
        struct pollfd fd = {.fd = t->proc.out, .events = POLLIN};
        poll(&fd, 1, IDLE_MS);
        rc = unread(t) < CTS_FRAME_MAX ? read_stdout(k) : 0;
    }
    t->held = !t->ended;
    t->ended = true;
    return rc < 0 ? rc : 0;
}

enum pump_for { FOR_INPUT, FOR_ROOM };

/* Waits a little for something to happen, and takes what has come. */
static int pump(struct kit *k, enum pump_for what)
{
    struct kit_talk *t = k->t;
    int status, rc = 0;
    struct pollfd fds[] = {
        {.fd = t->ended ? -1 : t->proc.out, .events = POLLIN},
        {.fd = t->proc.err_fd, .events = POLLIN},
        {.fd = t->proc.pidfd, .events = POLLIN},
        {.fd = what == FOR_ROOM ? t->proc.in : -1, .events = POLLOUT},
    };
    int n = poll(fds, 4, IDLE_MS);
    if (n < 0 && errno != EINTR)
        return kit_fail(k, "it cannot be polled");
    bool over = n >= 0 && (fds[2].revents || (n == 0 && cts_proc_wait(&t->proc, 0, &status)));
    if (n > 0 && fds[1].revents)
        read_stderr(t);
    if (t->noise > MOST_NOISE)
        return kit_fail(k, "it floods stderr: %u MiB and more", MOST_NOISE >> 20);
    if (n > 0 && fds[0].revents)
        rc = read_stdout(k);
    if (rc >= 0 && over)
        rc = read_rest(k);
    return rc < 0 ? rc : 0;
}

static void start_time(struct kit *k)
{
    cts_effort_start(&k->t->effort, k->t->proc.pid, k->opts->timeout_ms);
}

/* Its own time: what the machine lets it wait for is none of it. */
static int check_time(struct kit *k, const char *what)
{
    struct cts_effort *e = &k->t->effort;
    const struct kit_question *q = k->t->count ? &k->t->asked[k->t->first] : NULL;
    if (q && q->told.waiting)
        cts_effort_excuse(e);
    else
        cts_effort_tick(e);
    if (cts_effort_is_over(e, k->opts->timeout_ms))
        return kit_fail(k, "%s within %u ms", what, k->opts->timeout_ms);
    if (!cts_effort_is_starved(e, k->opts->timeout_ms))
        return 0;
    return kit_skip(k, "it had %u ms for itself in %u s: %s", (unsigned)(e->own / 1000000),
                    (unsigned)(e->passed / 1000000000),
                    q && q->told.waiting ? "it says that it waits for something it shares"
                                         : "the machine is too busy");
}

bool kit_has_died(const struct kit *k, int *status)
{
    return cts_proc_wait(&k->t->proc, 0, status);
}

static int fail_of_death(struct kit *k, const char *doing)
{
    char how[64];
    int status;
    struct cts_effort e;
    bool over = false;
    cts_effort_start(&e, k->t->proc.pid, LET_GO_MS);
    while (!over && !cts_effort_is_over(&e, LET_GO_MS) && !cts_effort_is_starved(&e, LET_GO_MS)) {
        over = cts_proc_wait(&k->t->proc, IDLE_MS, &status);
        cts_effort_tick(&e);
    }
    if (over)
        return kit_fail(k, "it died %s: %s", doing, cts_proc_status_text(status, how, sizeof(how)));
    return kit_fail(k, "it closed its stdout %s", doing);
}

/* Did it end, or is it late? */
static int check_alive(struct kit *k, const char *doing)
{
    if (k->opts->stop && *k->opts->stop)
        return kit_fail(k, "interrupted");
    if (k->t->ended)
        return fail_of_death(k, doing);
    return check_time(k, "no answer");
}

int kit_send(struct kit *k, const void *data, size_t len)
{
    const uint8_t *p = data;
    start_time(k);
    while (len) {
        ssize_t n = cts_proc_write(&k->t->proc, p, len);
        if (n > 0) {
            p += n;
            len -= (size_t)n;
            start_time(k);
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return fail_of_death(k, "while it was sent a question");
        int rc = pump(k, FOR_ROOM);
        if (rc == 0)
            rc = check_alive(k, "while it was sent a question");
        if (rc)
            return rc;
    }
    return 0;
}

/* Frames. */

static bool is_printable(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((p[i] < 0x20 || p[i] > 0x7e) && p[i] != '\n' && p[i] != '\t')
            return false;
    return n > 0;
}

static int check_header(struct kit *k, uint64_t most, struct cts_frame *f)
{
    struct cts_err err = {0};
    const uint8_t *p = (const uint8_t *)k->t->in.data + k->t->at;
    if (cts_frame_get(p, f, &err)) {
        size_t n = unread(k->t) < 40 ? unread(k->t) : 40;
        if (is_printable(p, n))
            return kit_fail(k, "text on stdout, where only frames may be: %.*s", (int)n,
                            (const char *)p);
        return kit_fail(k, "what comes is no frame: type %u, %u bytes, the bytes 6 and 7 are %u",
                        f->type, f->bytes, cts_get16le(p + 6));
    }
    if (f->bytes > most)
        return kit_fail(k, "a frame of %u bytes; no answer to this question takes more than %u",
                        f->bytes, (unsigned)most);
    return 0;
}

/* A word of progress says nothing but of the oldest question, and takes nothing back. */
static int take_progress(struct kit *k, const struct cts_frame *f, struct cts_rd r)
{
    struct kit_talk *t = k->t;
    struct kit_question *q = t->count ? &t->asked[t->first] : NULL;
    struct cts_wire_progress p;
    if (!q || f->seq != q->seq)
        return kit_fail(k, "it tells its progress with 0x%08x, which is not the oldest question",
                        f->seq);
    if (cts_wire_get_progress(&r, &p, NULL))
        return kit_fail(k, "a malformed word of progress");
    if (p.begun > q->items || p.begun < q->told.begun)
        return kit_fail(k, "it tells that it has begun %u of %u items, after %u", p.begun, q->items,
                        q->told.begun);
    if (++q->words > PROGRESS_WORDS + (uint64_t)PROGRESS_WORDS * q->items)
        return kit_fail(k, "it tells its progress without end");
    q->told = p;
    return 0;
}

static int receive_frame(struct kit *k, uint64_t most, struct cts_frame *f, struct cts_rd *payload)
{
    struct kit_talk *t = k->t;
    size_t want = CTS_FRAME_HEADER;
    k->seen.len = 0;
    for (;;) {
        if (want == CTS_FRAME_HEADER && unread(t) >= want) {
            int rc = check_header(k, most, f);
            if (rc)
                return rc;
            want += f->bytes;
        }
        if (unread(t) >= want && want >= CTS_FRAME_HEADER)
            break;
        int rc = pump(k, FOR_INPUT);
        if (rc == 0 && unread(t) < want)
            rc = unread(t) ? check_alive(k, "in the middle of an answer")
                           : check_alive(k, "before it answered");
        if (rc)
            return rc;
    }
    const uint8_t *at = (const uint8_t *)t->in.data + t->at;
    *payload = (struct cts_rd){.data = at + CTS_FRAME_HEADER, .len = f->bytes};
    keep_bytes(&k->seen, at, want);
    t->at += want;
    t->noise = 0;
    return 0;
}

int kit_receive(struct kit *k, uint64_t most, struct cts_frame *f, struct cts_rd *payload)
{
    int rc;
    start_time(k);
    while ((rc = receive_frame(k, most, f, payload)) == 0 && f->type == CTS_FT_PROGRESS) {
        rc = take_progress(k, f, *payload);
        if (rc)
            return rc;
    }
    return rc;
}

int kit_is_quiet(struct kit *k, unsigned ms)
{
    struct kit_talk *t = k->t;
    uint64_t deadline = cts_clock_ns() + (uint64_t)ms * 1000000;
    while (cts_clock_ns() < deadline && !t->ended && unread(t) == 0) {
        int rc = pump(k, FOR_INPUT);
        if (rc)
            return rc;
    }
    k->seen.len = 0;
    if (unread(t))
        return kit_fail(k, "bytes on stdout that answer nothing");
    return t->ended ? fail_of_death(k, "without being asked anything") : 0;
}

int kit_wait_end(struct kit *k, int *status)
{
    struct kit_talk *t = k->t;
    start_time(k);
    for (;;) {
        bool over = cts_proc_wait(&t->proc, 0, status);
        int rc = over ? read_rest(k) : pump(k, FOR_INPUT);
        if (over || rc)
            return rc;
        if (unread(t) > MOST_BEHIND)
            return kit_fail(k, "it floods stdout behind its last answer");
        rc = check_time(k, "the process has not ended");
        if (rc)
            return rc;
    }
}

int kit_end_well(struct kit *k)
{
    char how[64];
    int status;
    kit_hang_up(k);
    k->seen.len = 0;
    int rc = kit_wait_end(k, &status);
    if (rc)
        return rc;
    if (unread(k->t))
        return kit_fail(k, "bytes on stdout behind the last answer");
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        return kit_fail(k, "at the end of its stdin it ends with %s instead of exit 0",
                        cts_proc_status_text(status, how, sizeof(how)));
    if (k->t->held)
        return kit_fail(k, "its stdout is open after its end: it has left a process behind");
    return 0;
}

/* The window. */

int kit_map_window(struct kit *k)
{
    struct kit_talk *t = k->t;
    struct cts_err err = {0};
    if (k->caps.window_fd < 0)
        return kit_skip(k, "window_fd is -1: rows travel in frames");
    int fd = cts_proc_take_fd(&t->proc, k->caps.window_fd);
    if (fd < 0 && errno == EBADF)
        return kit_fail(k, "it has no descriptor %d", k->caps.window_fd);
    if (fd < 0)
        return kit_skip(k, "descriptors of other processes cannot be had here: %s",
                        strerror(errno));
    int rc = cts_share_map(&t->window, fd, k->caps.window_bytes, &err);
    close(fd);
    if (rc == 0)
        return 0;
    return kit_fail(k,
                    "descriptor %d is nothing that the harness will share: %s (else window_fd is "
                    "-1, and rows travel in frames)",
                    k->caps.window_fd, err.msg);
}

int kit_check_window(struct kit *k)
{
    for (unsigned i = 0; i < KIT_TALKS; i++) {
        if (!cts_share_is_gone(&k->talks[i].window))
            continue;
        k->why[0] = '\0'; /* whatever was seen there was not there */
        return kit_fail(k, "its window went away: memory that it shares cannot be read or written "
                           "any more");
    }
    return 0;
}
