/* What a check does with a link (link/link.h), and how it says what is wrong. */
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#include "base/fmt.h"
#include "host/clock.h"
#include "adapter_check/impl.h"

enum {
    POLL_MS = 20,           /* until a stop is seen */
    RESPONSE_MIN = 1 << 16, /* bytes that any response may have: FAILED has a reason */
};

/* What is wrong. */

static void keep_bytes(struct cts_adapter_check_bytes *b, const void *data, size_t len)
{
    b->total = len;
    b->len = len < sizeof(b->data) ? len : sizeof(b->data);
    if (b->len)
        memcpy(b->data, data, b->len);
}

int ac_fail(struct ac *k, const char *fmt, ...)
{
    const struct cts_link *l = k->link;
    va_list ap;
    if (k->why[0])
        return AC_FAIL;
    va_start(ap, fmt);
    cts_vfmt(k->why, sizeof(k->why), fmt, ap);
    va_end(ap);
    cts_link_last_line(k->link, k->last_line, sizeof(k->last_line));
    keep_bytes(&k->request, l->out.data, l->out.len);
    if (!k->seen.len && cts_link_unread(l))
        keep_bytes(&k->seen, l->in.data + l->in_at, cts_link_unread(l));
    return AC_FAIL;
}

int ac_skip(struct ac *k, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cts_vfmt(k->why, sizeof(k->why), fmt, ap);
    va_end(ap);
    return AC_SKIP;
}

static int fail_link(struct ac *k, const struct cts_err *err)
{
    return ac_fail(k, "%s", err->msg);
}

/* Starting and stopping. */

int ac_spawn(struct ac *k, bool bare)
{
    struct cts_err err = {0};
    ac_stop(k->link);
    int rc = cts_link_start(k->link, k->opts->argv, bare ? "" : k->opts->engine, &err);
    return rc ? fail_link(k, &err) : 0;
}

void ac_stop(struct cts_link *l)
{
    cts_link_stop(l);
    cts_link_unmap(l);
}

/* Waiting. */

static void start_time(struct ac *k)
{
    cts_link_start_time(k->link, k->opts->timeout_ms);
}

/* Its own time: what the machine lets it wait for is none of it. */
static int check_time(struct ac *k, const char *what)
{
    const struct cts_effort *e = &k->link->effort;
    bool waiting = cts_link_oldest(k->link)->reported.waiting;
    switch (cts_link_check_time(k->link, waiting, k->opts->timeout_ms, 0)) {
    case CTS_LINK_LATE:
        return ac_fail(k, "%s within %u ms", what, k->opts->timeout_ms);
    case CTS_LINK_STARVED:
        return ac_skip(k, "it had %u ms for itself in %u s: %s", (unsigned)(e->own / 1000000),
                       (unsigned)(e->passed / 1000000000),
                       waiting ? "it says that it waits for something it shares"
                               : "the machine is too busy");
    case CTS_LINK_IN_TIME:
        break;
    }
    return 0;
}

bool ac_has_died(const struct ac *k, int *status)
{
    return cts_proc_wait(&k->link->proc, 0, status);
}

static int fail_of_death(struct ac *k, const char *doing)
{
    char how[64];
    int status;
    if (cts_link_await_end(k->link, &status))
        return ac_fail(k, "it died %s: %s", doing, cts_proc_status_text(status, how, sizeof(how)));
    return ac_fail(k, "it closed its stdout %s", doing);
}

/* Did it end, or is it late? */
static int check_alive(struct ac *k, const char *doing)
{
    if (k->opts->stop && *k->opts->stop)
        return ac_fail(k, "interrupted");
    return k->link->ended ? fail_of_death(k, doing) : check_time(k, "no response");
}

static int wait_for(struct ac *k, enum cts_link_for what)
{
    struct cts_err err = {0};
    return cts_link_wait(k->link, what, POLL_MS, &err) ? fail_link(k, &err) : 0;
}

/* Requests. */

int ac_seal(struct ac *k, uint16_t type, uint32_t items, uint64_t most)
{
    struct cts_err err = {0};
    most = most < RESPONSE_MIN ? RESPONSE_MIN : most;
    return cts_link_seal(k->link, type, items, most, &err) ? fail_link(k, &err) : 0;
}

int ac_send(struct ac *k, const void *data, size_t len)
{
    static const char doing[] = "while it was sent a request";
    size_t sent = 0, before = 0;
    int rc;
    start_time(k);
    while ((rc = cts_link_write(k->link, data, len, &sent, NULL)) == 0) {
        if (sent > before)
            start_time(k);
        before = sent;
        rc = wait_for(k, CTS_LINK_FOR_ROOM);
        if (rc == 0)
            rc = check_alive(k, doing);
        if (rc)
            return rc;
    }
    return rc < 0 ? fail_of_death(k, doing) : 0;
}

/* Responses. */

/* 1: here it is. 0: not yet. */
static int next_frame(struct ac *k, struct cts_frame *f, struct cts_rd *payload)
{
    struct cts_err err = {0};
    int rc = cts_link_next(k->link, f, payload, &err);
    return rc < 0 ? fail_link(k, &err) : rc;
}

int ac_reply(struct ac *k, struct cts_frame *f, struct cts_rd *payload)
{
    start_time(k);
    k->seen.len = 0;
    int rc = next_frame(k, f, payload);
    while (rc == 0) {
        rc = wait_for(k, CTS_LINK_FOR_INPUT);
        if (rc)
            return rc;
        rc = next_frame(k, f, payload);
        if (rc)
            break;
        rc = check_alive(k, cts_link_is_within_frame(k->link) ? "in the middle of a response"
                                                              : "before it responded");
        if (rc)
            return rc;
    }
    if (rc < 0)
        return rc;
    keep_bytes(&k->seen, payload->data - CTS_FRAME_HEADER, payload->len + CTS_FRAME_HEADER);
    return 0;
}

int ac_is_quiet(struct ac *k, unsigned ms)
{
    struct cts_link *l = k->link;
    uint64_t deadline = cts_clock_ns() + (uint64_t)ms * 1000000;
    while (cts_clock_ns() < deadline && !l->ended && cts_link_unread(l) == 0) {
        int rc = wait_for(k, CTS_LINK_FOR_INPUT);
        if (rc)
            return rc;
    }
    k->seen.len = 0;
    if (cts_link_unread(l))
        return ac_fail(k, "bytes on stdout that answer nothing");
    return l->ended ? fail_of_death(k, "without a request") : 0;
}

/* The end. */

int ac_wait_end(struct ac *k, int *status)
{
    struct cts_err err = {0};
    start_time(k);
    while (!cts_proc_wait(&k->link->proc, 0, status)) {
        int rc = wait_for(k, CTS_LINK_FOR_INPUT);
        if (rc == 0)
            rc = check_time(k, "the process has not ended");
        if (rc)
            return rc;
    }
    return cts_link_await_eof(k->link, &err) ? fail_link(k, &err) : 0;
}

int ac_end_well(struct ac *k)
{
    char how[64];
    int status;
    cts_link_hang_up(k->link);
    k->seen.len = 0;
    int rc = ac_wait_end(k, &status);
    if (rc)
        return rc;
    if (cts_link_unread(k->link))
        return ac_fail(k, "bytes on stdout behind the last response");
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        return ac_fail(k, "at the end of its stdin it ends with %s instead of exit 0",
                       cts_proc_status_text(status, how, sizeof(how)));
    if (!k->link->eof)
        return ac_fail(k, "its stdout is open after its end: it has left a process behind");
    return 0;
}

/* The window. */

int ac_map_window(struct ac *k)
{
    struct cts_err err = {0};
    if (k->caps.window_fd < 0)
        return ac_skip(k, "window_fd is -1: rows travel in frames");
    switch (cts_link_map(k->link, k->caps.window_fd, k->caps.window_bytes, &err)) {
    case 0:
        return 0;
    case CTS_E_NOTFOUND:
        return fail_link(k, &err);
    case CTS_E_WORKER:
        return ac_skip(k, "%s", err.msg);
    default:
        return ac_fail(k,
                       "descriptor %d is nothing that the harness will share: %s (else window_fd "
                       "is -1, and rows travel in frames)",
                       k->caps.window_fd, err.msg);
    }
}

int ac_check_window(struct ac *k)
{
    for (unsigned i = 0; i < AC_LINKS; i++) {
        if (!cts_share_is_gone(&k->links[i].window))
            continue;
        k->why[0] = '\0'; /* whatever was seen there was not there */
        return ac_fail(k, "its window went away: memory that it shares cannot be read or written "
                          "any more");
    }
    return 0;
}
