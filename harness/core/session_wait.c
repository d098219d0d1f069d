#include "base/bytes.h"
#include "base/fmt.h"
#include "core/session_impl.h"

enum {
    POLL_MS = 1000,
    STOP_MS = 250, /* until a stop is seen that was asked for in another thread */
};

/* What the worker says in its window; 0 where that is not shared. */
static uint64_t in_window(const struct cts_session *s, unsigned at)
{
    return s->up && s->shared && s->caps.window_bytes >= CTS_WIN_RESERVED
               ? cts_get64_host((const uint8_t *)s->caps.window + at)
               : 0;
}

uint64_t cts_session_begun(const struct cts_session *s)
{
    if (!s->shared || s->caps.window_bytes < CTS_WIN_RESERVED)
        return s->items_asked;
    uint64_t begun = cts_get64_host((const uint8_t *)s->caps.window + CTS_WIN_BEGUN);
    return begun < s->items_asked ? begun : s->items_asked;
}

/* Of all items asked, how many have been begun, as far as one knows. */
static uint64_t begun_by_now(const struct cts_session *s)
{
    uint64_t reported = s->items_done + cts_link_oldest(&s->link)->reported.begun;
    uint64_t begun = in_window(s, CTS_WIN_BEGUN) ? cts_session_begun(s) : 0;
    return begun > reported ? begun : reported;
}

static bool waits(const struct cts_session *s)
{
    return cts_link_oldest(&s->link)->reported.waiting || in_window(s, CTS_WIN_WAITING) == 1;
}

/* What the worker may take until the next sign of progress. A frame may come a little late. */
static uint64_t limit_ms(const struct cts_session *s)
{
    bool shown = in_window(s, CTS_WIN_BEGUN) != 0;
    if (s->timed_items < 2 || shown)
        return s->timeout_ms;
    return s->link.reports ? s->timeout_ms + (uint64_t)CTS_PROGRESS_MS
                           : (uint64_t)s->timeout_ms * s->timed_items;
}

void cts_session_time(struct cts_session *s, unsigned timeout_ms, uint32_t items)
{
    s->timeout_ms = timeout_ms;
    s->timed_items = items;
    s->begun_seen = begun_by_now(s);
    cts_link_start_time(&s->link, timeout_ms);
}

/* The machine, or whoever has what the worker waits for, has let it wait for too long. */
static int lose_patience(struct cts_session *s, struct cts_err *err)
{
    char what[160];
    unsigned passed = (unsigned)(s->link.effort.passed / 1000000),
             own = (unsigned)(s->link.effort.own / 1000000);
    if (waits(s))
        cts_fmt(what, sizeof(what),
                "says that it waits for something it shares with others, for %u.%u s by now",
                passed / 1000, passed / 100 % 10);
    else
        cts_fmt(what, sizeof(what), "had %u ms for itself in %u.%u s: the machine is too busy", own,
                passed / 1000, passed / 100 % 10);
    cts_err_clear(&s->gave_up);
    cts_session_lose(s, CTS_E_BUSY, what, &s->gave_up);
    return cts_err_set(err, CTS_E_BUSY, "%s", s->gave_up.msg);
}

/* A worker that has begun another item since it was last looked at gets its time anew. */
static int check_time(struct cts_session *s, struct cts_err *err)
{
    if (!s->timeout_ms || !cts_effort_is_due(&s->link.effort))
        return 0;
    uint64_t begun = begun_by_now(s);
    if (begun > s->begun_seen) {
        s->begun_seen = begun;
        cts_effort_reset(&s->link.effort);
        return 0;
    }
    switch (cts_link_check_time(&s->link, waits(s), limit_ms(s), s->patience_ms)) {
    case CTS_LINK_LATE:
        return cts_session_lose(s, CTS_E_TIMEOUT, "did not answer in time", err);
    case CTS_LINK_STARVED:
        return lose_patience(s, err);
    case CTS_LINK_IN_TIME:
        break;
    }
    return 0;
}

/* What has arrived counts even if it is looked at late, so the time is checked after the reading.
 */
static int check_alive(struct cts_session *s, struct cts_err *err)
{
    if (s->stop && *s->stop)
        return cts_session_lose(s, CTS_E_WORKER, "was interrupted", err);
    return s->link.ended ? cts_session_lose_death(s, err) : check_time(s, err);
}

static int wait_for(struct cts_session *s, enum cts_link_for what, struct cts_err *err)
{
    struct cts_err why = {0};
    unsigned most = s->stop ? STOP_MS : POLL_MS;
    unsigned tick = s->timeout_ms ? cts_effort_wait_ms(&s->link.effort) : most;
    int rc = cts_link_wait(&s->link, what, tick < most ? tick : most, &why);
    return rc ? cts_session_lose_link(s, &why, err) : 0;
}

static int lose_reader(struct cts_session *s, struct cts_err *err)
{
    struct cts_err why = {0};
    if (cts_link_read_rest(&s->link, &why))
        return cts_session_lose_link(s, &why, err);
    return cts_session_lose_death(s, err);
}

int cts_session_send(struct cts_session *s, struct cts_err *err)
{
    const struct cts_wr *out = &s->link.out;
    size_t sent = 0;
    int rc;
    while ((rc = cts_link_write(&s->link, out->data, out->len, &sent, NULL)) == 0) {
        rc = wait_for(s, CTS_LINK_FOR_ROOM, err);
        if (rc == 0)
            rc = check_alive(s, err);
        if (rc)
            return rc;
    }
    return rc < 0 ? lose_reader(s, err) : 0;
}

/* 1: *f is the response. 0: not yet. */
static int next_frame(struct cts_session *s, struct cts_frame *f, struct cts_rd *payload,
                      struct cts_err *err)
{
    struct cts_err why = {0};
    int rc = cts_link_next(&s->link, f, payload, &why);
    return rc < 0 ? cts_session_lose_link(s, &why, err) : rc;
}

int cts_session_receive(struct cts_session *s, struct cts_frame *f, struct cts_rd *payload,
                        struct cts_err *err)
{
    uint32_t items = cts_link_oldest(&s->link)->items;
    int rc = next_frame(s, f, payload, err);
    while (rc == 0) {
        rc = wait_for(s, CTS_LINK_FOR_INPUT, err);
        if (rc == 0)
            rc = next_frame(s, f, payload, err);
        if (rc == 0)
            rc = check_alive(s, err);
    }
    if (rc < 0)
        return rc;
    if (items) /* an empty request behind it says nothing of it */
        s->late = items > 1 && s->timeout_ms && !s->link.reports && !in_window(s, CTS_WIN_BEGUN) &&
                  cts_effort_is_over(&s->link.effort, s->timeout_ms);
    s->items_done += items;
    return 0;
}
