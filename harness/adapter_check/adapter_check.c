#include "adapter_check/adapter_check.h"

#include <stdlib.h>
#include <string.h>

#include "adapter_check/impl.h"

enum {
    MOST_STDERR = 128 << 20, /* for one response */
    MOST_STRAY = 1 << 20,
};

static const struct ac_check *const groups[] = {ac_checks_hello, ac_checks_exec, ac_checks_window,
                                                ac_checks_frame, ac_checks_life};

static const struct ac_check *check_at(unsigned i)
{
    for (unsigned g = 0; g < CTS_ARRAY_LEN(groups); g++)
        for (const struct ac_check *c = groups[g]; c->name; c++)
            if (i-- == 0)
                return c;
    return NULL;
}

bool cts_adapter_check_at(unsigned i, const char **name, const char **rule)
{
    const struct ac_check *c = check_at(i);
    if (c) {
        *name = c->name;
        *rule = c->rule;
    }
    return c;
}

static bool is_asked(const struct cts_adapter_check_opts *o, const char *name)
{
    for (unsigned i = 0; o->only && o->only[i]; i++)
        if (strcmp(o->only[i], name) == 0)
            return true;
    return !o->only || !o->only[0];
}

static int check_names(const struct cts_adapter_check_opts *o, struct cts_err *err)
{
    for (unsigned i = 0; o->only && o->only[i]; i++) {
        const struct ac_check *c;
        for (unsigned n = 0; (c = check_at(n)) && strcmp(c->name, o->only[i]) != 0; n++)
            ;
        if (!c)
            return cts_err_set(err, CTS_E_NOTFOUND, "unknown check '%s'; --list lists them",
                               o->only[i]);
    }
    return 0;
}

/* What must hold for a check to say anything: why it does not. */
static const char *missing(const struct ac *k, const struct ac_check *c, unsigned failed)
{
    if (c->needs & failed & AC_NEEDS_CAPS)
        return "the handshake fails";
    if (c->needs & failed & AC_NEEDS_RUN)
        return "the simplest program does not run";
    if (c->needs & AC_NEEDS_WINDOW && k->caps.window_kind == CTS_WK_NONE)
        return "it has no window";
    if (c->needs & AC_NEEDS_RESULTS && k->caps.features & CTS_FEAT_VERDICT_ONLY)
        return "it loads programs, and does not run them";
    return NULL;
}

static void begin_check(struct ac *k)
{
    k->link = &k->links[0];
    k->why[0] = k->last_line[0] = '\0';
    k->request.len = k->seen.len = 0;
    for (unsigned i = 0; i < AC_LINKS; i++)
        k->links[i].out.len = 0;
}

static void end_check(struct ac *k)
{
    for (unsigned i = 0; i < AC_LINKS; i++)
        ac_stop(&k->links[i]);
}

static int run_check(struct ac *k, const struct ac_check *c, unsigned *failed)
{
    begin_check(k);
    const char *why = missing(k, c, *failed);
    int rc = why ? ac_skip(k, "%s", why) : c->run(k);
    if (ac_check_window(k))
        rc = AC_FAIL;
    end_check(k);
    /* The first two are what the others stand on. */
    if (rc == AC_FAIL && c == &ac_checks_hello[0])
        *failed |= AC_NEEDS_CAPS | AC_NEEDS_RUN;
    if (rc == AC_FAIL && strcmp(c->name, "run") == 0)
        *failed |= AC_NEEDS_RUN;
    return rc;
}

static void tell_check(const struct ac *k, const struct ac_check *c, unsigned number, int rc,
                       void (*tell)(void *arg, const struct cts_adapter_check_result *r), void *arg)
{
    static const enum cts_adapter_check_status status[] = {
        CTS_ADAPTER_CHECK_FAIL, CTS_ADAPTER_CHECK_PASS, CTS_ADAPTER_CHECK_SKIP};
    struct cts_adapter_check_result r = {
        .number = number,
        .name = c->name,
        .rule = c->rule,
        .status = status[rc + 1],
        .why = rc ? k->why : "",
        .last_line = k->last_line,
        .request = k->request,
        .seen = k->seen,
    };
    tell(arg, &r);
}

/* Is there anything to talk to? The checks say what is wrong with how it talks. */
static int first_look(struct ac *k, struct cts_err *err)
{
    char reason[CTS_ERR_MSG_MAX];
    struct cts_caps caps;
    int code = 0;
    begin_check(k);
    if (ac_spawn(k, false))
        return cts_err_set(err, CTS_E_WORKER, "%s", k->why);
    int rc = ac_hello(k, CTS_WIRE_VERSION, CTS_WIRE_VERSION, k->opts->engine);
    if (rc == 0)
        rc = ac_want_caps(k, &caps, &code, reason);
    end_check(k);
    return rc == 0 && code == CTS_E_UNSUPPORTED ? cts_err_set(err, code, "%s", reason) : 0;
}

static int run_all(struct ac *k, void (*tell)(void *, const struct cts_adapter_check_result *),
                   void *arg, struct cts_caps *caps, struct cts_err *err)
{
    const struct ac_check *c;
    unsigned failed = 0;
    int rc = first_look(k, err);
    for (unsigned i = 0; rc == 0 && (c = check_at(i)); i++) {
        bool first = i == 0, basic = strcmp(c->name, "run") == 0;
        if (k->opts->stop && *k->opts->stop)
            break;
        if (!is_asked(k->opts, c->name) && !first && !basic)
            continue;
        int seen = run_check(k, c, &failed);
        if (first && seen == AC_PASS)
            *caps = k->caps;
        if (is_asked(k->opts, c->name))
            tell_check(k, c, i + 1, seen, tell, arg);
    }
    return rc;
}

int cts_adapter_check_run(const struct cts_adapter_check_opts *opts,
                          void (*tell)(void *arg, const struct cts_adapter_check_result *r),
                          void *arg, struct cts_caps *caps, struct cts_err *err)
{
    const struct cts_link_limits limits = {.stderr_bytes = MOST_STDERR, .stray_bytes = MOST_STRAY};
    *caps = (struct cts_caps){.window_fd = -1};
    int rc = check_names(opts, err);
    if (rc)
        return rc;
    struct ac *k = calloc(1, sizeof(*k));
    if (!k)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    k->opts = opts;
    cts_buf_init(&k->code, 2 * (size_t)CTS_FRAME_MAX);
    cts_buf_init(&k->elf, 2 * (size_t)CTS_FRAME_MAX);
    for (unsigned i = 0; i < AC_LINKS; i++)
        cts_link_init(&k->links[i], &limits);
    rc = run_all(k, tell, arg, caps, err);
    for (unsigned i = 0; i < AC_LINKS; i++)
        cts_link_release(&k->links[i]);
    cts_buf_release(&k->code);
    cts_buf_release(&k->elf);
    free(k);
    return rc;
}
