#include <stdlib.h>

#include "core/session_impl.h"

int cts_session_open_window(struct cts_session *s, struct cts_err *err)
{
    s->caps.window = NULL;
    if (s->caps.window_kind == CTS_WK_NONE) {
        s->caps.window_bytes = 0;
        return 0;
    }
    s->shared = cts_link_map(&s->link, s->caps.window_fd, s->caps.window_bytes, NULL) == 0;
    if (s->shared) {
        s->caps.window = s->link.window.data;
        return 0;
    }
    s->caps.window = calloc(1, s->caps.window_bytes);
    if (!s->caps.window)
        return cts_err_set(err, CTS_E_NOMEM, "no memory for a window of %u bytes",
                           s->caps.window_bytes);
    s->window_owned = s->caps.window_bytes;
    return 0;
}

void cts_session_close_window(struct cts_session *s)
{
    cts_link_unmap(&s->link);
    if (s->window_owned)
        free(s->caps.window);
    s->window_owned = 0;
    s->caps.window = NULL;
    s->shared = false;
}

int cts_session_check_window(struct cts_session *s, struct cts_err *err)
{
    if (!cts_session_window_is_gone(s))
        return 0;
    return cts_session_lose_protocol(
        s, "its window went away: memory that it shares cannot be read or written any more", err);
}
