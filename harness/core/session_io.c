#include "core/session_impl.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fmt.h"

enum {
    READ_BYTES = 1 << 18,
    STDERR_READ = 1 << 14,
    MOST_NOISE = 16 << 20, /* of stderr for one answer */
    DEATH_MS = 300,        /* from the end of stdout to that of the process, of its own time */
    IDLE_MS = 20,          /* where there is no pidfd to wake us */
    LAST_WORDS = 300,
    PROGRESS_WORDS = 16, /* of a question, and of each of its items */
    STOP_MS = 250,       /* until a stop is seen that was asked for in another thread */
};

static const uint64_t ms_ns = 1000000;

/* Losing a worker. */

static void keep_stderr(struct cts_session *s, const char *data, size_t len)
{
    struct cts_buf *b = &s->stderr_text;
    if (b->len + len > 2 * (size_t)CTS_SESSION_STDERR) {
        memmove(b->data, b->data + b->len - CTS_SESSION_STDERR, CTS_SESSION_STDERR);
        b->len = CTS_SESSION_STDERR;
    }
    cts_buf_add(b, data, len);
}

/* True if there was something. */
static bool read_stderr(struct cts_session *s)
{
    char chunk[STDERR_READ];
    if (s->proc.err_fd < 0)
        return false;
    ssize_t n = read(s->proc.err_fd, chunk, sizeof(chunk));
    if (n > 0) {
        keep_stderr(s, chunk, (size_t)n);
        s->noise += (uint64_t)n;
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        close(s->proc.err_fd);
        s->proc.err_fd = -1;
    }
    return n > 0;
}

static void read_stderr_rest(struct cts_session *s)
{
    for (size_t most = 0; most < (size_t)1 << 20 && read_stderr(s); most += STDERR_READ)
        ;
}

/* The last line of stderr that is not blank. */
static void last_words(const struct cts_session *s, char *out, size_t cap)
{
    const char *text = cts_buf_text(&s->stderr_text);
    size_t end = s->stderr_text.len;
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
    cts_session_clean_text(out);
}

static const char *worker_name(const struct cts_session *s, char *buf, size_t cap)
{
    const char *slash = strrchr(s->argv[0], '/');
    cts_fmt(buf, cap, "%s%s%s", slash ? slash + 1 : s->argv[0], s->engine[0] ? ":" : "", s->engine);
    return buf;
}

/* Ends the process and words the error: "worker 'x' WHAT; last words: ...". */
static int lose(struct cts_session *s, int code, const char *what, struct cts_err *err)
{
    char name[128], words[LAST_WORDS];
    read_stderr_rest(s);
    last_words(s, words, sizeof(words));
    cts_session_stop(s);
    return cts_err_set(err, code, "worker '%s' %s%s%s", worker_name(s, name, sizeof(name)), what,
                       words[0] ? "; last words: " : "", words);
}

int cts_session_lose_protocol(struct cts_session *s, const struct cts_err *why, struct cts_err *err)
{
    char what[CTS_ERR_MSG_MAX];
    cts_fmt(what, sizeof(what), "broke the protocol: %s", why->msg);
    return lose(s, CTS_E_PROTOCOL, what, err);
}

int cts_session_lose_unclear(struct cts_session *s, const char *reason, struct cts_err *err)
{
    char what[CTS_ERR_MSG_MAX];
    cts_fmt(what, sizeof(what), "did not understand a question: %s", reason);
    return lose(s, CTS_E_UNCLEAR, what, err);
}

static int lose_flood(struct cts_session *s, const char *stream, struct cts_err *err)
{
    struct cts_err why = {0};
    cts_err_set(&why, CTS_E_PROTOCOL, "it floods %s", stream);
    return cts_session_lose_protocol(s, &why, err);
}

/* Whole answers that nobody has taken yet are no part of one. */
static bool ends_within_frame(const struct cts_session *s)
{
    size_t at = s->in_at;
    while (s->in.len - at >= CTS_FRAME_HEADER) {
        uint32_t bytes = cts_get32le((const uint8_t *)s->in.data + at);
        if (bytes > s->in.len - at - CTS_FRAME_HEADER)
            return true;
        at += CTS_FRAME_HEADER + bytes;
    }
    return at != s->in.len;
}

static int lose_death(struct cts_session *s, struct cts_err *err)
{
    char what[96], how[64];
    int status;
    bool part = ends_within_frame(s);
    /* It may still be writing to stderr, and must not block there. */
    bool over = false;
    struct cts_effort e;
    cts_effort_start(&e, s->proc.pid, DEATH_MS);
    while (!over && !cts_effort_is_over(&e, DEATH_MS) && !cts_effort_is_starved(&e, DEATH_MS)) {
        read_stderr_rest(s);
        over = cts_proc_wait(&s->proc, IDLE_MS, &status);
        cts_effort_tick(&e);
    }
    if (over)
        cts_fmt(what, sizeof(what), "died%s: %s", part ? " in the middle of an answer" : "",
                cts_proc_status_text(status, how, sizeof(how)));
    else
        cts_fmt(what, sizeof(what), "closed its stdout");
    return lose(s, CTS_E_WORKER, what, err);
}

/* Moving bytes. */

/* One read of stdout. It is bounded by what honest answers can take: one byte more is a flood. */
static int read_answers(struct cts_session *s, struct cts_err *err)
{
    if (s->in_at == s->in.len) {
        cts_buf_clear(&s->in);
        s->in_at = 0;
    } else if (s->in_at > READ_BYTES) {
        memmove(s->in.data, s->in.data + s->in_at, s->in.len - s->in_at);
        s->in.len -= s->in_at;
        s->in_at = 0;
    }
    uint64_t left = s->expected - (s->in.len - s->in_at) + 1;
    size_t want = left < READ_BYTES ? (size_t)left : READ_BYTES;
    char *at = cts_buf_reserve(&s->in, want);
    if (!at)
        return lose(s, CTS_E_NOMEM, "sent more than there is memory for", err);
    ssize_t n = read(s->proc.out, at, want);
    if (n > 0)
        s->in.len += (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        s->out_ended = true;
    return s->in.len - s->in_at > s->expected ? lose_flood(s, "stdout", err) : 0;
}

static int poll_ms(const struct cts_session *s)
{
    unsigned most = s->proc.pidfd < 0 ? IDLE_MS : s->stop ? STOP_MS : 1000;
    unsigned tick = s->timeout_ms ? cts_effort_wait_ms(&s->effort) : most;
    return (int)(tick < most ? tick : most);
}

/* The process is over, whoever still holds its stdout. What it wrote before lies in the pipe. */
static int read_last_answers(struct cts_session *s, struct cts_err *err)
{
    while (!s->out_ended) {
        size_t before = s->in.len - s->in_at;
        int rc = read_answers(s, err);
        if (rc)
            return rc;
        if (s->in.len - s->in_at == before)
            s->out_ended = true;
    }
    return 0;
}

/* Waits for something to happen, and reads what there is. */
static int pump(struct cts_session *s, bool writing, struct cts_err *err)
{
    struct pollfd fds[] = {
        {.fd = s->out_ended ? -1 : s->proc.out, .events = POLLIN},
        {.fd = s->proc.err_fd, .events = POLLIN},
        {.fd = s->proc.pidfd, .events = POLLIN},
        {.fd = writing ? s->proc.in : -1, .events = POLLOUT},
    };
    int n = poll(fds, 4, poll_ms(s));
    if (n < 0 && errno != EINTR)
        return lose(s, CTS_E_IO, "cannot be polled", err);
    int status, rc = 0;
    bool over = n >= 0 && (fds[2].revents || (n == 0 && cts_proc_wait(&s->proc, 0, &status)));
    if (n >= 0 && fds[1].revents)
        read_stderr(s);
    if (s->noise > MOST_NOISE)
        return lose_flood(s, "stderr", err);
    if (n >= 0 && fds[0].revents)
        rc = read_answers(s, err);
    if (rc == 0 && over)
        rc = read_last_answers(s, err);
    return rc;
}

/* Time. */

uint64_t cts_session_progress_most(uint32_t n)
{
    return (PROGRESS_WORDS + (uint64_t)PROGRESS_WORDS * n) *
           (CTS_FRAME_HEADER + CTS_PROGRESS_BYTES);
}

static const struct cts_session_question *oldest(const struct cts_session *s)
{
    return &s->asked[(s->seq_answered + 1) % CTS_SESSION_DEPTH];
}

/* What the worker has told in its window; 0 where that is not shared. */
static uint64_t in_window(const struct cts_session *s, unsigned at)
{
    return s->up && s->shared && s->caps.window_bytes >= CTS_WIN_RESERVED
               ? cts_get64_host((const uint8_t *)s->caps.window + at)
               : 0;
}

/* Of all items asked, how many have been begun, as far as one knows. */
static uint64_t begun_by_now(const struct cts_session *s)
{
    uint64_t told = s->items_done + oldest(s)->told.begun;
    uint64_t begun = in_window(s, CTS_WIN_BEGUN) ? cts_session_begun(s) : 0;
    return begun > told ? begun : told;
}

static bool waits(const struct cts_session *s)
{
    return oldest(s)->told.waiting || in_window(s, CTS_WIN_WAITING) == 1;
}

/* What the worker may take until the next sign of progress. A frame may come a little late. */
static uint64_t limit_ms(const struct cts_session *s)
{
    bool shown = in_window(s, CTS_WIN_BEGUN) != 0;
    if (s->timed_items < 2 || shown)
        return s->timeout_ms;
    return s->told ? s->timeout_ms + (uint64_t)CTS_PROGRESS_MS
                   : (uint64_t)s->timeout_ms * s->timed_items;
}

void cts_session_time(struct cts_session *s, unsigned timeout_ms, uint32_t items)
{
    s->timeout_ms = timeout_ms;
    s->timed_items = items;
    s->begun_seen = begun_by_now(s);
    cts_effort_start(&s->effort, s->proc.pid, timeout_ms);
}

/* The machine, or whoever has what the worker waits for, has let it wait for too long. */
static int lose_patience(struct cts_session *s, struct cts_err *err)
{
    char what[160];
    unsigned passed = (unsigned)(s->effort.passed / 1000000),
             own = (unsigned)(s->effort.own / 1000000);
    if (waits(s))
        cts_fmt(what, sizeof(what),
                "says that it waits for something it shares with others, for %u.%u s by now",
                passed / 1000, passed / 100 % 10);
    else
        cts_fmt(what, sizeof(what), "had %u ms for itself in %u.%u s: the machine is too busy", own,
                passed / 1000, passed / 100 % 10);
    cts_err_clear(&s->gave_up);
    lose(s, CTS_E_BUSY, what, &s->gave_up);
    return cts_err_set(err, CTS_E_BUSY, "%s", s->gave_up.msg);
}

/* A worker that has begun another item since it was last looked at gets its time anew. */
static int check_time(struct cts_session *s, struct cts_err *err)
{
    if (!s->timeout_ms || !cts_effort_is_due(&s->effort))
        return 0;
    uint64_t begun = begun_by_now(s);
    if (begun > s->begun_seen) {
        s->begun_seen = begun;
        cts_effort_reset(&s->effort);
        return 0;
    }
    if (waits(s))
        cts_effort_excuse(&s->effort);
    else
        cts_effort_tick(&s->effort);
    if (cts_effort_is_over(&s->effort, limit_ms(s)))
        return lose(s, CTS_E_TIMEOUT, "did not answer in time", err);
    bool starved = s->patience_ms ? s->effort.passed - s->effort.own >= s->patience_ms * ms_ns
                                  : cts_effort_is_starved(&s->effort, s->timeout_ms);
    return starved ? lose_patience(s, err) : 0;
}

/* What has arrived counts even if it is looked at late, so the time is checked after the reading.
 */
static int check_alive(struct cts_session *s, struct cts_err *err)
{
    if (s->stop && *s->stop)
        return lose(s, CTS_E_WORKER, "was interrupted", err);
    return s->out_ended ? lose_death(s, err) : check_time(s, err);
}

int cts_session_check_quiet(struct cts_session *s, struct cts_err *err)
{
    return s->out_ended ? 0 : read_answers(s, err);
}

int cts_session_send(struct cts_session *s, struct cts_err *err)
{
    size_t sent = 0;
    while (sent < s->out.len) {
        ssize_t n = cts_proc_write(&s->proc, s->out.data + sent, s->out.len - sent);
        if (n > 0) {
            sent += (size_t)n;
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        bool gone = n < 0 && errno != EAGAIN;
        int rc = gone ? read_last_answers(s, err) : pump(s, true, err);
        if (rc == 0 && gone)
            return lose_death(s, err);
        if (rc == 0)
            rc = check_alive(s, err);
        if (rc)
            return rc;
    }
    return 0;
}

/* Header bytes that are text say more than their numbers: most often a message on the wrong stream.
 */
static int lose_garbage(struct cts_session *s, const struct cts_err *why, struct cts_err *err)
{
    char text[64 + 1];
    struct cts_err more = {0};
    size_t n = s->in.len - s->in_at;
    n = n < sizeof(text) - 1 ? n : sizeof(text) - 1;
    memcpy(text, s->in.data + s->in_at, n);
    text[n] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    bool printable = strlen(text) >= CTS_FRAME_HEADER;
    for (const char *p = text; *p; p++)
        printable = printable && *p >= 0x20 && *p < 0x7f;
    if (!printable)
        return cts_session_lose_protocol(s, why, err);
    cts_err_set(&more, CTS_E_PROTOCOL, "text on stdout: %s", text);
    return cts_session_lose_protocol(s, &more, err);
}

/* Takes the word of progress that lies at in_at. */
static int take_progress(struct cts_session *s, const struct cts_frame *f, struct cts_err *err)
{
    struct cts_session_question *q = &s->asked[(s->seq_answered + 1) % CTS_SESSION_DEPTH];
    struct cts_rd r = {.data = (const uint8_t *)s->in.data + s->in_at + CTS_FRAME_HEADER,
                       .len = f->bytes};
    struct cts_err why = {0};
    struct cts_wire_progress p;
    int rc = cts_wire_get_progress(&r, &p, &why);
    if (rc == 0 && (p.begun > q->n || p.begun < q->told.begun))
        rc = cts_err_set(&why, CTS_E_PROTOCOL, "%u of %u items begun, after %u", p.begun, q->n,
                         q->told.begun);
    if (rc == 0 && ++q->words > PROGRESS_WORDS + (uint64_t)PROGRESS_WORDS * q->n)
        rc = cts_err_set(&why, CTS_E_PROTOCOL, "words of progress without end");
    if (rc)
        return cts_session_lose_protocol(s, &why, err);
    s->in_at += CTS_FRAME_HEADER + f->bytes;
    s->told = s->told || p.begun;
    q->told = p;
    return 0;
}

/* 1: *f is the whole frame at in_at. 0: not yet. */
static int next_frame(struct cts_session *s, struct cts_frame *f, struct cts_err *err)
{
    struct cts_err why = {0};
    size_t have = s->in.len - s->in_at;
    if (have < CTS_FRAME_HEADER)
        return 0;
    if (cts_frame_get((const uint8_t *)s->in.data + s->in_at, f, &why))
        return lose_garbage(s, &why, err);
    const struct cts_session_question *q = &s->asked[(s->seq_answered + 1) % CTS_SESSION_DEPTH];
    if (f->seq != q->seq) {
        cts_err_set(&why, CTS_E_PROTOCOL, "sequence number %u instead of %u", f->seq, q->seq);
        return cts_session_lose_protocol(s, &why, err);
    }
    if (CTS_FRAME_HEADER + (uint64_t)f->bytes > q->most) {
        cts_err_set(&why, CTS_E_PROTOCOL, "an answer of %u bytes", f->bytes);
        return cts_session_lose_protocol(s, &why, err);
    }
    return have - CTS_FRAME_HEADER >= f->bytes;
}

/* The same, of an answer: words of progress before it are taken on the way. */
static int have_frame(struct cts_session *s, struct cts_frame *f, struct cts_err *err)
{
    int rc;
    while ((rc = next_frame(s, f, err)) > 0 && f->type == CTS_FT_PROGRESS) {
        rc = take_progress(s, f, err);
        if (rc)
            return rc;
    }
    return rc;
}

int cts_session_receive(struct cts_session *s, struct cts_frame *f, struct cts_rd *payload,
                        struct cts_err *err)
{
    int rc = have_frame(s, f, err);
    while (rc == 0) {
        rc = pump(s, false, err);
        if (rc == 0)
            rc = have_frame(s, f, err);
        if (rc == 0)
            rc = check_alive(s, err);
    }
    if (rc < 0)
        return rc;
    const struct cts_session_question *q = oldest(s);
    if (q->n) /* an empty question behind it says nothing of it */
        s->late = q->n > 1 && s->timeout_ms && !s->told && !in_window(s, CTS_WIN_BEGUN) &&
                  cts_effort_is_over(&s->effort, s->timeout_ms);
    *payload = (struct cts_rd){.data = (const uint8_t *)s->in.data + s->in_at + CTS_FRAME_HEADER,
                               .len = f->bytes};
    s->in_at += CTS_FRAME_HEADER + f->bytes;
    s->seq_answered++;
    s->items_done += q->n;
    s->expected -= q->most + cts_session_progress_most(q->n);
    s->noise = 0;
    return s->in.len - s->in_at > s->expected ? lose_flood(s, "stdout", err) : 0;
}
