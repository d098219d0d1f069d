#include "core/session_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

enum {
    START_TRIES = 5,
    MOST_STDERR = 16 << 20, /* for one response */
};

void cts_session_init(struct cts_session *s, const char *const *argv, const char *engine)
{
    const struct cts_link_limits limits = {.stderr_bytes = MOST_STDERR};
    *s = (struct cts_session){.argv = argv, .engine = engine ? engine : ""};
    cts_link_init(&s->link, &limits);
}

void cts_session_expect(struct cts_session *s, const struct cts_caps *caps)
{
    s->first_caps = *caps;
}

void cts_session_release(struct cts_session *s)
{
    cts_session_stop(s);
    cts_session_close_window(s);
    cts_link_release(&s->link);
    for (unsigned i = 0; i < CTS_SESSION_DEPTH; i++)
        free(s->steps[i].step);
    memset(s->steps, 0, sizeof(s->steps));
}

/* Starting. */

static int say_hello(struct cts_session *s, struct cts_err *err)
{
    struct cts_wr *out = &s->link.out;
    cts_link_begin(&s->link);
    cts_wr_u32(out, CTS_WIRE_VERSION);
    cts_wr_u32(out, CTS_WIRE_VERSION);
    cts_wr_str(out, s->engine);
    int rc = cts_link_seal(&s->link, CTS_FT_HELLO, 0, CTS_LINK_CAPS_MAX, err);
    return rc ? rc : cts_session_send(s, err);
}

/* The worker's own no, in its own words. */
static int unavailable(struct cts_session *s, int code, struct cts_rd *r, struct cts_err *err)
{
    char reason[CTS_ERR_MSG_MAX];
    cts_rd_str(r, reason, sizeof(reason));
    if (r->failed || r->at != r->len)
        return cts_session_lose_protocol(s, "malformed reason", err);
    cts_text_make_safe(reason);
    cts_session_stop(s);
    if (code != CTS_E_UNSUPPORTED)
        code = CTS_E_WORKER;
    return cts_err_set(err, code, "%s", reason[0] ? reason : "no reason given");
}

/* All that was made ready for a worker (memory, programs, what is expected of it) is for what it
 * said of itself first. */
static int check_same(const struct cts_caps *before, const struct cts_caps *now,
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

static int read_caps(struct cts_session *s, struct cts_rd *r, struct cts_err *err)
{
    struct cts_err why = {0};
    uint32_t version = cts_rd_u32(r);
    int code = (int)cts_rd_u32(r);
    if (code && !r->failed)
        return unavailable(s, code, r, err);
    uint32_t reason_bytes;
    cts_rd_bytes(r, &reason_bytes);
    if (r->failed || version != CTS_WIRE_VERSION)
        return cts_session_lose_protocol(s, "it does not speak this version of the protocol", err);
    int rc = cts_wire_get_caps(r, &s->caps, &why);
    if (rc == 0 && r->at != r->len)
        rc = cts_err_set(&why, CTS_E_PROTOCOL, "bytes behind the capabilities");
    if (rc == 0)
        rc = cts_link_check_caps(&s->caps, &why);
    if (rc == 0)
        rc = check_same(&s->first_caps, &s->caps, &why);
    return rc ? cts_session_lose_protocol(s, why.msg, err) : 0;
}

static int shake_hands(struct cts_session *s, struct cts_err *err)
{
    struct cts_frame f;
    struct cts_rd r;
    int rc = say_hello(s, err);
    if (rc == 0)
        rc = cts_session_receive(s, &f, &r, err);
    if (rc)
        return rc;
    if (f.type != CTS_FT_CAPS)
        return cts_session_lose_protocol(s, "it does not answer the greeting", err);
    rc = read_caps(s, &r, err);
    return rc ? rc : cts_session_open_window(s, err);
}

int cts_session_start(struct cts_session *s, unsigned timeout_ms, struct cts_err *err)
{
    cts_session_stop(s);
    cts_session_close_window(s);
    s->caps = (struct cts_caps){.window_fd = -1};
    s->items_asked = s->items_done = s->begun_seen = 0;
    s->late = false;
    if (s->starts++)
        s->restarts++;
    int rc = cts_link_start(&s->link, s->argv, s->engine, err);
    cts_session_time(s, timeout_ms, 0);
    if (rc == 0)
        rc = shake_hands(s, err);
    s->up = rc == 0;
    if (rc)
        cts_session_stop(s);
    else
        s->first_caps = s->caps;
    return rc;
}

int cts_session_start_with_retry(struct cts_session *s, unsigned timeout_ms, struct cts_err *err)
{
    for (unsigned tries = 1;; tries++) {
        struct cts_err why = {0};
        int rc = cts_session_start(s, timeout_ms, &why);
        if (rc == CTS_E_WORKER && tries < START_TRIES && !(s->stop && *s->stop))
            continue;
        if (rc && err && err->code == 0)
            *err = why;
        return rc;
    }
}

/* Asking. */

static int prepare_item(const struct cts_session *s, struct cts_item *it, struct cts_err *err)
{
    it->ops &= (uint8_t)~CTS_STEP_ENTRIES;
    if (s->shared || !(it->ops & CTS_STEP_RUN) || !it->entries_bytes)
        return 0;
    if (!s->caps.window || it->entries_off > s->caps.window_bytes ||
        it->entries_bytes > s->caps.window_bytes - it->entries_off)
        return cts_err_set(err, CTS_E_INVAL, "rows outside the window");
    it->ops |= CTS_STEP_ENTRIES;
    it->rows = (const uint8_t *)s->caps.window + it->entries_off;
    return 0;
}

static int room_for_steps(struct cts_session_steps *steps, uint32_t n, struct cts_err *err)
{
    if (n <= steps->cap)
        return 0;
    struct cts_session_step *step = realloc(steps->step, n * sizeof(*step));
    if (!step)
        return cts_err_set(err, CTS_E_NOMEM, "no memory for %u items", n);
    steps->step = step;
    steps->cap = n;
    return 0;
}

static int write_items(struct cts_session *s, struct cts_session_step *steps,
                       struct cts_item *items, uint32_t n, uint64_t *most, struct cts_err *err)
{
    cts_link_begin(&s->link);
    cts_wr_u32(&s->link.out, n);
    *most = sizeof(uint32_t);
    for (uint32_t i = 0; i < n; i++) {
        int rc = prepare_item(s, &items[i], err);
        if (rc)
            return rc;
        cts_wire_put_item(&s->link.out, &items[i]);
        bool rows = items[i].ops & CTS_STEP_ENTRIES;
        steps[i] = (struct cts_session_step){.ops = items[i].ops,
                                             .iterations = items[i].run.iterations,
                                             .entries_off = items[i].entries_off,
                                             .entries_bytes = items[i].entries_bytes};
        *most += CTS_LINK_ANSWER_MAX + (rows ? items[i].entries_bytes : 0);
    }
    return 0;
}

/* While no request is under way: what the worker says all the same is a flood. */
static int check_quiet(struct cts_session *s, struct cts_err *err)
{
    struct cts_err why = {0};
    return cts_link_read(&s->link, &why) ? cts_session_lose_link(s, &why, err) : 0;
}

int cts_session_ask(struct cts_session *s, struct cts_item *items, uint32_t n, unsigned timeout_ms,
                    struct cts_err *err)
{
    if (!s->up || n > CTS_SESSION_ITEMS)
        return cts_err_set(err, CTS_E_INVAL, s->up ? "%u items in a request" : "no worker is up",
                           n);
    if (cts_session_pending(s) >= CTS_SESSION_DEPTH)
        return cts_err_set(err, CTS_E_LIMIT, "%d requests are under way", CTS_SESSION_DEPTH);
    struct cts_session_steps *steps = &s->steps[(s->link.sent + 1) % CTS_SESSION_DEPTH];
    uint64_t most;
    int rc = cts_session_check_window(s, err);
    if (rc == 0 && !cts_session_pending(s))
        rc = check_quiet(s, err);
    if (rc == 0)
        rc = room_for_steps(steps, n, err);
    if (rc == 0)
        rc = write_items(s, steps->step, items, n, &most, err);
    if (rc == 0)
        rc = cts_link_seal(&s->link, CTS_FT_EXEC, n, most, err);
    if (rc)
        return rc;
    s->items_asked += n;
    cts_session_time(s, timeout_ms, (uint32_t)(s->items_asked - s->items_done));
    return cts_session_send(s, err);
}

/* Answers. */

/* Does the answer tell of the steps that were asked for, given how they went? */
static bool steps_match(const struct cts_session_step *asked, const struct cts_answer *a)
{
    bool loaded = true; /* as far as this item shows */
    if ((a->ops ^ asked->ops) & CTS_STEP_LOAD || a->ops & ~asked->ops)
        return false;
    if (a->ops & CTS_STEP_LOAD)
        loaded = a->load.verdict == CTS_LOAD_ACCEPTED;
    if (!loaded)
        return a->ops == CTS_STEP_LOAD;
    if (a->ops & CTS_STEP_LOAD && a->ops != asked->ops)
        return false;
    /* Of a program loaded earlier, or refused then: all of the steps, or none. */
    return a->ops == asked->ops || a->ops == 0;
}

static const char *fault_in(const struct cts_session_step *asked, const struct cts_answer *a)
{
    if (!steps_match(asked, a))
        return "an answer with other steps than were asked for";
    if (a->ops & CTS_STEP_RUN && a->run.done > asked->iterations)
        return "an answer with more iterations than were asked for";
    if (a->ops & CTS_STEP_ENTRIES && a->entries_bytes != asked->entries_bytes)
        return "an answer with other rows than were asked for";
    return NULL;
}

static void take_answer(struct cts_session *s, const struct cts_session_step *asked,
                        struct cts_answer *a)
{
    if (a->ops & CTS_STEP_ENTRIES)
        memcpy((uint8_t *)s->caps.window + asked->entries_off, a->rows, a->entries_bytes);
    a->rows = NULL;
    a->ops &= (uint8_t)~CTS_STEP_ENTRIES;
    if (a->load.text[0])
        cts_text_make_safe(a->load.text);
    if (a->run.text[0])
        cts_text_make_safe(a->run.text);
}

static int read_answers(struct cts_session *s, const struct cts_session_step *steps, uint32_t n,
                        struct cts_rd *r, struct cts_answer *answers, struct cts_err *why)
{
    uint32_t count = cts_rd_u32(r);
    if (count != n)
        return cts_err_set(why, CTS_E_PROTOCOL, "%u answers to %u items", count, n);
    for (uint32_t i = 0; i < n; i++) {
        int rc = cts_wire_get_answer(r, &answers[i], why);
        if (rc)
            return rc;
        const char *fault = fault_in(&steps[i], &answers[i]);
        if (fault)
            return cts_err_set(why, CTS_E_PROTOCOL, "%s", fault);
        take_answer(s, &steps[i], &answers[i]);
    }
    if (r->at != r->len)
        return cts_err_set(why, CTS_E_PROTOCOL, "bytes behind the answers");
    return 0;
}

/* The worker did not understand us: one of the two is wrong, and there is no telling what it did.
 * Of its runtime that says nothing. */
static int complaint(struct cts_session *s, struct cts_rd *r, struct cts_err *err)
{
    char text[CTS_ERR_MSG_MAX / 2];
    cts_rd_u32(r);
    cts_rd_str(r, text, sizeof(text));
    cts_text_make_safe(text);
    return cts_session_lose_unclear(s, text, err);
}

int cts_session_answer(struct cts_session *s, struct cts_answer *answers, uint32_t n,
                       unsigned timeout_ms, struct cts_err *err)
{
    struct cts_err why = {0};
    struct cts_frame f;
    struct cts_rd r;
    if (!s->up || cts_session_pending(s) == 0)
        return cts_err_set(err, CTS_E_INVAL, "no request is under way");
    const struct cts_session_step *steps =
        s->steps[(s->link.answered + 1) % CTS_SESSION_DEPTH].step;
    uint32_t asked = cts_link_oldest(&s->link)->items;
    if (asked != n)
        return cts_err_set(err, CTS_E_INVAL, "the oldest request had %u items, not %u", asked, n);
    cts_session_time(s, timeout_ms, n);
    int rc = cts_session_receive(s, &f, &r, err);
    if (rc)
        return rc;
    if (f.type == CTS_FT_FAILED)
        return complaint(s, &r, err);
    if (f.type != CTS_FT_DONE)
        return cts_session_lose_protocol(s, "a frame that is no answer", err);
    rc = read_answers(s, steps, n, &r, answers, &why);
    if (rc)
        return cts_session_lose_protocol(s, why.msg, err);
    /* Before anybody looks at the rows: what they would see is none of the worker's. */
    for (uint32_t i = 0; i < n; i++)
        cts_share_touch(&s->link.window, steps[i].entries_off, steps[i].entries_bytes);
    return cts_session_check_window(s, err);
}
