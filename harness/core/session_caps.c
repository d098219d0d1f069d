#include "core/session_impl.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

enum {
    MOST_WINDOW = 1 << 30,
    LEAST_WINDOW = 64,
    MOST_SLOTS = CTS_FRAME_MAX / 8,
    MOST_FD = 1 << 20,
};

static bool is_word(const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p < 0x20 || *p > 0x7e)
            return false;
    return true;
}

static bool window_is_sane(const struct cts_caps *c)
{
    if (c->window_kind == CTS_WK_NONE)
        return true;
    if (c->window_bytes < LEAST_WINDOW || c->window_bytes > MOST_WINDOW || c->window_bytes % 8)
        return false;
    return c->window_kind != CTS_WK_ABSOLUTE || (c->window_addr && c->window_addr % 8 == 0 &&
                                                 c->window_addr <= UINT64_MAX - c->window_bytes);
}

static bool features_are_known(uint32_t features)
{
    for (unsigned i = 0; i < 32; i++)
        if (features >> i & 1 && !cts_feature_name(i))
            return false;
    return true;
}

int cts_session_check_caps(const struct cts_caps *c, struct cts_err *err)
{
    const struct {
        bool ok;
        const char *what;
    } checks[] = {
        {c->runtime[0] && is_word(c->runtime), "runtime's name"},
        {c->engine[0] && is_word(c->engine), "engine's name"},
        {is_word(c->version), "version"},
        {window_is_sane(c), "window"},
        {c->window_fd >= -1 && c->window_fd < MOST_FD, "window's descriptor"},
        {features_are_known(c->features), "features"},
        {c->max_slots >= 1 && c->max_slots <= MOST_SLOTS, "number of slots"},
        {c->max_segments >= 1 && c->max_segments <= CTS_ITEM_LAYOUTS, "number of segments"},
        {c->max_iterations >= 1, "number of iterations"},
        {c->r0_bits == 32 || c->r0_bits == 64, "width of r0"},
    };
    for (unsigned i = 0; i < CTS_ARRAY_LEN(checks); i++)
        if (!checks[i].ok)
            return cts_err_set(err, CTS_E_PROTOCOL, "its capabilities have an impossible %s",
                               checks[i].what);
    return 0;
}

int cts_session_check_same(const struct cts_caps *before, const struct cts_caps *now,
                           struct cts_err *err)
{
    const struct {
        bool same;
        const char *what;
    } checks[] = {
        {strcmp(before->runtime, now->runtime) == 0, "runtime"},
        {strcmp(before->engine, now->engine) == 0, "engine"},
        {strcmp(before->version, now->version) == 0, "version"},
        {before->be == now->be, "byte order"},
        {before->window_kind == now->window_kind, "kind of window"},
        {before->window_bytes == now->window_bytes || now->window_kind == CTS_WK_NONE,
         "size of window"},
        {before->features == now->features, "features"},
        {before->max_slots == now->max_slots, "number of slots"},
        {before->max_segments == now->max_segments, "number of segments"},
        {before->max_iterations == now->max_iterations, "number of iterations"},
        {before->r0_bits == now->r0_bits, "width of r0"},
    };
    for (unsigned i = 0; before->runtime[0] && i < CTS_ARRAY_LEN(checks); i++)
        if (!checks[i].same)
            return cts_err_set(err, CTS_E_PROTOCOL,
                               "its %s is not what it was when it was started first",
                               checks[i].what);
    return 0;
}

static bool map_shared(struct cts_session *s)
{
    int fd = cts_proc_take_fd(&s->proc, s->caps.window_fd);
    if (fd < 0)
        return false;
    int rc = cts_share_map(&s->window, fd, s->caps.window_bytes, NULL);
    close(fd);
    s->caps.window = s->window.data;
    return rc == 0;
}

int cts_session_open_window(struct cts_session *s, struct cts_err *err)
{
    s->caps.window = NULL;
    if (s->caps.window_kind == CTS_WK_NONE) {
        s->caps.window_bytes = 0;
        return 0;
    }
    s->shared = map_shared(s);
    if (s->shared)
        return 0;
    s->caps.window = calloc(1, s->caps.window_bytes);
    if (!s->caps.window)
        return cts_err_set(err, CTS_E_NOMEM, "no memory for a window of %u bytes",
                           s->caps.window_bytes);
    s->window_owned = s->caps.window_bytes;
    return 0;
}

void cts_session_close_window(struct cts_session *s)
{
    cts_share_unmap(&s->window);
    if (s->window_owned)
        free(s->caps.window);
    s->window_owned = 0;
    s->caps.window = NULL;
    s->shared = false;
}

int cts_session_check_window(struct cts_session *s, struct cts_err *err)
{
    struct cts_err why = {0};
    if (!cts_share_is_gone(&s->window))
        return 0;
    cts_err_set(&why, CTS_E_PROTOCOL,
                "its window went away: memory that it shares cannot be read or written any more");
    return cts_session_lose_protocol(s, &why, err);
}
