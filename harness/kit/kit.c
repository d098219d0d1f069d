#include "kit/kit.h"

#include <stdlib.h>
#include <string.h>

#include "kit/impl.h"

enum {
    MOST_STDERR = 128 << 20, /* for one response */
    MOST_STRAY = 1 << 20,
};

static const struct kit_check *const groups[] = {
    kit_checks_hello, kit_checks_exec, kit_checks_window, kit_checks_frame, kit_checks_life};

static const struct kit_check *check_at(unsigned i)
{
    for (unsigned g = 0; g < CTS_ARRAY_LEN(groups); g++)
        for (const struct kit_check *c = groups[g]; c->name; c++)
            if (i-- == 0)
                return c;
    return NULL;
}

bool cts_kit_check_at(unsigned i, const char **name, const char **rule)
{
    const struct kit_check *c = check_at(i);
    if (c) {
        *name = c->name;
        *rule = c->rule;
    }
    return c;
}

static bool is_asked(const struct cts_kit_opts *o, const char *name)
{
    for (unsigned i = 0; o->only && o->only[i]; i++)
        if (strcmp(o->only[i], name) == 0)
            return true;
    return !o->only || !o->only[0];
}

static int check_names(const struct cts_kit_opts *o, struct cts_err *err)
{
    for (unsigned i = 0; o->only && o->only[i]; i++) {
        const struct kit_check *c;
        for (unsigned n = 0; (c = check_at(n)) && strcmp(c->name, o->only[i]) != 0; n++)
            ;
        if (!c)
            return cts_err_set(err, CTS_E_NOTFOUND, "no check '%s'; --list shows which there are",
                               o->only[i]);
    }
    return 0;
}

/* What must hold for a check to say anything: why it does not. */
static const char *missing(const struct kit *k, const struct kit_check *c, unsigned failed)
{
    if (c->needs & failed & KIT_NEEDS_CAPS)
        return "the handshake fails";
    if (c->needs & failed & KIT_NEEDS_RUN)
        return "the simplest program does not run";
    if (c->needs & KIT_NEEDS_WINDOW && k->caps.window_kind == CTS_WK_NONE)
        return "it has no window";
    if (c->needs & KIT_NEEDS_RESULTS && k->caps.features & CTS_FEAT_VERDICT_ONLY)
        return "it loads programs, and does not run them";
    return NULL;
}

static void begin_check(struct kit *k)
{
    k->link = &k->links[0];
    k->why[0] = k->last_line[0] = '\0';
    k->request.len = k->seen.len = 0;
    for (unsigned i = 0; i < KIT_LINKS; i++)
        k->links[i].out.len = 0;
}

static void end_check(struct kit *k)
{
    for (unsigned i = 0; i < KIT_LINKS; i++)
        kit_stop(&k->links[i]);
}

static int run_check(struct kit *k, const struct kit_check *c, unsigned *failed)
{
    begin_check(k);
    const char *why = missing(k, c, *failed);
    int rc = why ? kit_skip(k, "%s", why) : c->run(k);
    if (kit_check_window(k))
        rc = KIT_FAIL;
    end_check(k);
    /* The first two are what the others stand on. */
    if (rc == KIT_FAIL && c == &kit_checks_hello[0])
        *failed |= KIT_NEEDS_CAPS | KIT_NEEDS_RUN;
    if (rc == KIT_FAIL && strcmp(c->name, "run") == 0)
        *failed |= KIT_NEEDS_RUN;
    return rc;
}

static void tell_check(const struct kit *k, const struct kit_check *c, unsigned number, int rc,
                       void (*tell)(void *arg, const struct cts_kit_result *r), void *arg)
{
    static const enum cts_kit_status status[] = {CTS_KIT_FAIL, CTS_KIT_PASS, CTS_KIT_SKIP};
    struct cts_kit_result r = {
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
static int first_look(struct kit *k, struct cts_err *err)
{
    char reason[CTS_ERR_MSG_MAX];
    struct cts_caps caps;
    int code = 0;
    begin_check(k);
    if (kit_spawn(k, false))
        return cts_err_set(err, CTS_E_WORKER, "%s", k->why);
    int rc = kit_hello(k, CTS_WIRE_VERSION, CTS_WIRE_VERSION, k->opts->engine);
    if (rc == 0)
        rc = kit_want_caps(k, &caps, &code, reason);
    end_check(k);
    return rc == 0 && code == CTS_E_UNSUPPORTED ? cts_err_set(err, code, "%s", reason) : 0;
}

static int run_all(struct kit *k, void (*tell)(void *, const struct cts_kit_result *), void *arg,
                   struct cts_caps *caps, struct cts_err *err)
{
    const struct kit_check *c;
    unsigned failed = 0;
    int rc = first_look(k, err);
    for (unsigned i = 0; rc == 0 && (c = check_at(i)); i++) {
        bool first = i == 0, basic = strcmp(c->name, "run") == 0;
        if (k->opts->stop && *k->opts->stop)
            break;
        if (!is_asked(k->opts, c->name) && !first && !basic)
            continue;
        int seen = run_check(k, c, &failed);
        if (first && seen == KIT_PASS)
            *caps = k->caps;
        if (is_asked(k->opts, c->name))
            tell_check(k, c, i + 1, seen, tell, arg);
    }
    return rc;
}

int cts_kit_run(const struct cts_kit_opts *opts,
                void (*tell)(void *arg, const struct cts_kit_result *r), void *arg,
                struct cts_caps *caps, struct cts_err *err)
{
    const struct cts_link_limits limits = {.stderr_bytes = MOST_STDERR, .stray_bytes = MOST_STRAY};
    *caps = (struct cts_caps){.window_fd = -1};
    int rc = check_names(opts, err);
    if (rc)
        return rc;
    struct kit *k = calloc(1, sizeof(*k));
    if (!k)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    k->opts = opts;
    cts_buf_init(&k->code, 2 * (size_t)CTS_FRAME_MAX);
    cts_buf_init(&k->elf, 2 * (size_t)CTS_FRAME_MAX);
    for (unsigned i = 0; i < KIT_LINKS; i++)
        cts_link_init(&k->links[i], &limits);
    rc = run_all(k, tell, arg, caps, err);
    for (unsigned i = 0; i < KIT_LINKS; i++)
        cts_link_release(&k->links[i]);
    cts_buf_release(&k->code);
    cts_buf_release(&k->elf);
    free(k);
    return rc;
}
