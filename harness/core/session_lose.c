#include <string.h>

#include "base/fmt.h"
#include "core/session_impl.h"

void cts_session_stop(struct cts_session *s)
{
    cts_link_stop(&s->link);
    s->up = false;
}

static const char *worker_name(const struct cts_session *s, char *buf, size_t cap)
{
    const char *slash = strrchr(s->argv[0], '/');
    cts_fmt(buf, cap, "%s%s%s", slash ? slash + 1 : s->argv[0], s->engine[0] ? ":" : "", s->engine);
    return buf;
}

int cts_session_lose(struct cts_session *s, int code, const char *what, struct cts_err *err)
{
    char name[128], line[CTS_LINK_LAST_LINE];
    cts_link_last_line(&s->link, line, sizeof(line));
    cts_session_stop(s);
    return cts_err_set(err, code, "worker '%s' %s%s%s", worker_name(s, name, sizeof(name)), what,
                       line[0] ? "; last line of stderr: " : "", line);
}

static int lose_because(struct cts_session *s, int code, const char *what, const char *why,
                        struct cts_err *err)
{
    char text[CTS_ERR_MSG_MAX];
    cts_fmt(text, sizeof(text), "%s: %s", what, why);
    return cts_session_lose(s, code, text, err);
}

int cts_session_lose_protocol(struct cts_session *s, const char *why, struct cts_err *err)
{
    return lose_because(s, CTS_E_PROTOCOL, "broke the protocol", why, err);
}

int cts_session_lose_unclear(struct cts_session *s, const char *reason, struct cts_err *err)
{
    return lose_because(s, CTS_E_UNCLEAR, "did not understand a request", reason, err);
}

int cts_session_lose_link(struct cts_session *s, const struct cts_err *why, struct cts_err *err)
{
    if (why->code == CTS_E_PROTOCOL)
        return cts_session_lose_protocol(s, why->msg, err);
    return lose_because(s, why->code, "is of no more use", why->msg, err);
}

int cts_session_lose_death(struct cts_session *s, struct cts_err *err)
{
    char what[96], how[64];
    int status;
    bool within = cts_link_is_within_frame(&s->link);
    if (cts_link_await_end(&s->link, &status))
        cts_fmt(what, sizeof(what), "died%s: %s", within ? " in the middle of a response" : "",
                cts_proc_status_text(status, how, sizeof(how)));
    else
        cts_fmt(what, sizeof(what), "closed its stdout");
    return cts_session_lose(s, CTS_E_WORKER, what, err);
}
