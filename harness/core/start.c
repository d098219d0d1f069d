#include "core/start.h"

#include <string.h>

#include "host/fs.h"

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* Results of another runtime must not be told as those of this one. */
static int check_name(struct cts_session *s, const struct cts_target *t, struct cts_err *err)
{
    const struct cts_caps *c = &s->caps;
    if (!t->is_named || (strcmp(c->runtime, t->runtime) == 0 && strcmp(c->engine, t->engine) == 0))
        return 0;
    cts_session_stop(s);
    return cts_err_set(err, CTS_E_WORKER, "the worker of %s:%s says that it is %s:%s", t->runtime,
                       t->engine, c->runtime, c->engine);
}

static int start(struct cts_session *s, const struct cts_target *t, bool *silent,
                 struct cts_err *err)
{
    *silent = strchr(t->argv[0], '/') && !cts_fs_exists(t->argv[0]);
    if (*silent && t->optional)
        return cts_err_set(err, CTS_E_UNSUPPORTED, "not built or installed: cannot find %s",
                           t->argv[0]);
    int rc = cts_session_start_with_retry(s, CTS_START_TIMEOUT_MS, err);
    return rc ? rc : check_name(s, t, err);
}

int cts_engine_start(struct cts_session *s, const struct cts_target *t, struct cts_arena *arena,
                     struct cts_engine_info *info, struct cts_err *err)
{
    struct cts_err own = {0};
    char text[CTS_ERR_MSG_MAX + CTS_ERR_FILE_MAX];
    bool silent; /* there is no worker that could say what would help */
    int rc = start(s, t, &silent, &own);
    *info = (struct cts_engine_info){.runtime = t->runtime, .engine = t->engine, .version = ""};
    if (!t->engine[0])
        info->engine = rc ? "default" : or_empty(cts_arena_strdup(arena, s->caps.engine));
    if (rc == 0) {
        info->version = or_empty(cts_arena_strdup(arena, s->caps.version));
        return 0;
    }
    cts_err_text(&own, text, sizeof(text));
    info->state = rc == CTS_E_UNSUPPORTED ? CTS_EN_SKIPPED : CTS_EN_BROKEN;
    info->reason = or_empty(silent && t->install && t->install[0]
                                ? cts_arena_fmt(arena, "%s (%s)", text, t->install)
                                : cts_arena_strdup(arena, text));
    if (err)
        *err = own;
    return rc;
}

void cts_core_probe(const struct cts_target *t, struct cts_arena *arena,
                    struct cts_engine_info *info)
{
    struct cts_session s;
    cts_session_init(&s, t->argv, t->engine);
    cts_engine_start(&s, t, arena, info, NULL);
    cts_session_release(&s);
}
