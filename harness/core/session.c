#include "core/session_impl.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "host/clock.h"

enum {
    MOST_ARGS = 64,
    START_TRIES = 5,
    STDERR_LIMIT = 4 * CTS_SESSION_STDERR,
    /* What texts and numbers of one answer can take; rows come on top. */
    CAPS_MOST = 16 << 10,
    ANSWER_MOST = 128 + 2 * CTS_TEXT_MAX,
};

void cts_session_init(struct cts_session *s, const char *const *argv, const char *engine)
{
    *s = (struct cts_session){.argv = argv, .engine = engine ? engine : ""};
    cts_proc_init(&s->proc);
    cts_buf_init(&s->in, 2 * (size_t)CTS_FRAME_MAX);
    cts_buf_init(&s->stderr_text, STDERR_LIMIT);
    s->out.grow = cts_wr_grow_malloc;
}

void cts_session_expect(struct cts_session *s, const struct cts_caps *caps)
{
    s->said = *caps;
}

void cts_session_stop(struct cts_session *s)
{
    cts_proc_end(&s->proc);
    s->up = false;
    s->seq_asked = s->seq_answered = 0;
    s->expected = 0;
    s->in_at = 0;
    cts_buf_clear(&s->in);
}

void cts_session_release(struct cts_session *s)
{
    cts_session_stop(s);
    cts_session_close_window(s);
    cts_wr_release_malloc(&s->out);
    cts_buf_release(&s->in);
    cts_buf_release(&s->stderr_text);
    for (unsigned i = 0; i < CTS_SESSION_DEPTH; i++)
        free(s->asked[i].steps);
    memset(s->asked, 0, sizeof(s->asked));
}

/* Questions. */

static void begin(struct cts_session *s)
{
    static const uint8_t room[CTS_FRAME_HEADER];
    s->out.len = 0;
    s->out.failed = false;
    if (s->out.cap < sizeof(room) && !s->out.grow(&s->out, sizeof(room)))
        s->out.failed = true;
    else
        s->out.len = sizeof(room);
}

/* xorshift64*: enough that a worker cannot answer what it has not been asked yet. */
static uint32_t next_random(struct cts_session *s)
{
    s->random ^= s->random >> 12;
    s->random ^= s->random << 25;
    s->random ^= s->random >> 27;
    return (uint32_t)((s->random * 0x2545f4914f6cdd1du) >> 32);
}

/* Registers the question in s->out, whose answer takes `most` bytes at most, and sends it. */
static int send_question(struct cts_session *s, uint16_t type, uint32_t n, uint64_t most,
                         struct cts_err *err)
{
    struct cts_session_question *q = &s->asked[++s->seq_asked % CTS_SESSION_DEPTH];
    struct cts_frame f = {.bytes = (uint32_t)(s->out.len - CTS_FRAME_HEADER),
                          .type = type,
                          .seq = q->seq = next_random(s)};
    q->n = n;
    q->told = (struct cts_wire_progress){0};
    q->words = 0;
    q->most = CTS_FRAME_HEADER + most;
    s->expected += q->most + cts_session_progress_most(n);
    cts_frame_put(s->out.data, &f);
    return cts_session_send(s, err);
}

/* Starting. */

static int spawn(struct cts_session *s, struct cts_err *err)
{
    const char *args[MOST_ARGS + 2];
    unsigned n = 0;
    while (s->argv[n] && n < MOST_ARGS) {
        args[n] = s->argv[n];
        n++;
    }
    if (s->argv[n])
        return cts_err_set(err, CTS_E_INVAL, "the worker's command has more than %d words",
                           MOST_ARGS);
    if (s->engine[0])
        args[n++] = s->engine;
    args[n] = NULL;
    return cts_proc_start(&s->proc, args, err);
}

static int say_hello(struct cts_session *s, struct cts_err *err)
{
    begin(s);
    cts_wr_u32(&s->out, CTS_WIRE_VERSION);
    cts_wr_u32(&s->out, CTS_WIRE_VERSION);
    cts_wr_str(&s->out, s->engine);
    if (s->out.failed)
        return cts_err_set(err, CTS_E_NOMEM, "no memory for a question");
    return send_question(s, CTS_FT_HELLO, 0, CAPS_MOST, err);
}

static int protocol(struct cts_session *s, struct cts_err *err, const char *what)
{
    struct cts_err why = {0};
    cts_err_set(&why, CTS_E_PROTOCOL, "%s", what);
    return cts_session_lose_protocol(s, &why, err);
}

/* The worker's own no, in its own words. */
static int refused(struct cts_session *s, int code, struct cts_rd *r, struct cts_err *err)
{
    char reason[CTS_ERR_MSG_MAX];
    cts_rd_str(r, reason, sizeof(reason));
    if (r->failed || r->at != r->len)
        return protocol(s, err, "malformed refusal");
    cts_session_clean_text(reason);
    cts_session_stop(s);
    if (code != CTS_E_UNSUPPORTED)
        code = CTS_E_WORKER;
    return cts_err_set(err, code, "%s", reason[0] ? reason : "refused without a reason");
}

static int read_caps(struct cts_session *s, struct cts_rd *r, struct cts_err *err)
{
    struct cts_err why = {0};
    uint32_t version = cts_rd_u32(r);
    int code = (int)cts_rd_u32(r);
    if (code && !r->failed)
        return refused(s, code, r, err);
    uint32_t reason_bytes;
    cts_rd_bytes(r, &reason_bytes);
    if (r->failed || version != CTS_WIRE_VERSION)
        return protocol(s, err, "it does not speak this version of the protocol");
    int rc = cts_wire_get_caps(r, &s->caps, &why);
    if (rc == 0 && r->at != r->len)
        rc = cts_err_set(&why, CTS_E_PROTOCOL, "bytes behind the capabilities");
    if (rc == 0)
        rc = cts_session_check_caps(&s->caps, &why);
    if (rc == 0)
        rc = cts_session_check_same(&s->said, &s->caps, &why);
    return rc ? cts_session_lose_protocol(s, &why, err) : 0;
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
        return protocol(s, err, "it does not answer the greeting");
    rc = read_caps(s, &r, err);
    return rc ? rc : cts_session_open_window(s, err);
}

int cts_session_start(struct cts_session *s, unsigned timeout_ms, struct cts_err *err)
{
    cts_session_stop(s);
    cts_session_close_window(s);
    s->caps = (struct cts_caps){.window_fd = -1};
    s->out_ended = false;
    s->noise = 0;
    s->items_asked = s->items_done = s->begun_seen = 0;
    s->late = s->told = false;
    if (getrandom(&s->random, sizeof(s->random), GRND_NONBLOCK) != sizeof(s->random))
        s->random = cts_clock_ns();
    s->random |= 1;
    cts_buf_clear(&s->stderr_text);
    if (s->starts++)
        s->restarts++;
    int rc = spawn(s, err);
    cts_session_time(s, timeout_ms, 0);
    if (rc == 0)
        rc = shake_hands(s, err);
    s->up = rc == 0;
    if (rc)
        cts_session_stop(s);
    else
        s->said = s->caps;
    return rc;
}

int cts_session_start_firmly(struct cts_session *s, unsigned timeout_ms, struct cts_err *err)
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
    it->ops &= (uint8_t)~CTS_STEP_ROWS;
    if (s->shared || !(it->ops & CTS_STEP_RUN) || !it->rows_bytes)
        return 0;
    if (!s->caps.window || it->rows_off > s->caps.window_bytes ||
        it->rows_bytes > s->caps.window_bytes - it->rows_off)
        return cts_err_set(err, CTS_E_INVAL, "rows outside the window");
    it->ops |= CTS_STEP_ROWS;
    it->rows = (const uint8_t *)s->caps.window + it->rows_off;
    return 0;
}

static int room_for_steps(struct cts_session_question *q, uint32_t n, struct cts_err *err)
{
    if (n <= q->cap)
        return 0;
    struct cts_session_step *steps = realloc(q->steps, n * sizeof(*steps));
    if (!steps)
        return cts_err_set(err, CTS_E_NOMEM, "no memory for %u items", n);
    q->steps = steps;
    q->cap = n;
    return 0;
}

static int write_items(struct cts_session *s, struct cts_session_question *q,
                       struct cts_item *items, uint32_t n, uint64_t *most, struct cts_err *err)
{
    begin(s);
    cts_wr_u32(&s->out, n);
    *most = sizeof(uint32_t);
    for (uint32_t i = 0; i < n; i++) {
        int rc = prepare_item(s, &items[i], err);
        if (rc)
            return rc;
        cts_wire_put_item(&s->out, &items[i]);
        bool rows = items[i].ops & CTS_STEP_ROWS;
        q->steps[i] = (struct cts_session_step){.ops = items[i].ops,
                                                .iterations = items[i].run.iterations,
                                                .rows_off = items[i].rows_off,
                                                .rows_bytes = items[i].rows_bytes};
        *most += ANSWER_MOST + (rows ? items[i].rows_bytes : 0);
    }
    return s->out.failed ? cts_err_set(err, CTS_E_LIMIT, "the question is too long") : 0;
}

int cts_session_ask(struct cts_session *s, struct cts_item *items, uint32_t n, unsigned timeout_ms,
                    struct cts_err *err)
{
    if (!s->up || n > CTS_SESSION_ITEMS)
        return cts_err_set(err, CTS_E_INVAL, s->up ? "%u items in a question" : "no worker is up",
                           n);
    if (cts_session_pending(s) >= CTS_SESSION_DEPTH)
        return cts_err_set(err, CTS_E_LIMIT, "%d questions are under way", CTS_SESSION_DEPTH);
    struct cts_session_question *q = &s->asked[(s->seq_asked + 1) % CTS_SESSION_DEPTH];
    uint64_t most;
    int rc = cts_session_check_window(s, err);
    if (rc == 0 && !cts_session_pending(s))
        rc = cts_session_check_quiet(s, err);
    if (rc == 0)
        rc = room_for_steps(q, n, err);
    if (rc == 0)
        rc = write_items(s, q, items, n, &most, err);
    if (rc)
        return rc;
    s->items_asked += n;
    cts_session_time(s, timeout_ms, (uint32_t)(s->items_asked - s->items_done));
    return send_question(s, CTS_FT_EXEC, n, most, err);
}

uint64_t cts_session_begun(const struct cts_session *s)
{
    if (!s->shared || s->caps.window_bytes < CTS_WIN_RESERVED)
        return s->items_asked;
    uint64_t begun = cts_get64_host((const uint8_t *)s->caps.window + CTS_WIN_BEGUN);
    return begun < s->items_asked ? begun : s->items_asked;
}

/* Answers. */

/* Does the answer tell of the steps that were asked for, given how they went? */
static bool steps_match(const struct cts_session_step *asked, const struct cts_answer *a)
{
    bool loaded = true; /* as far as this item shows */
    if ((a->ops ^ asked->ops) & CTS_STEP_LOAD || a->ops & ~asked->ops)
        return false;
    if (a->ops & CTS_STEP_LOAD)
        loaded = a->load.verdict == CTS_ACCEPTED;
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
    if (a->ops & CTS_STEP_ROWS && a->rows_bytes != asked->rows_bytes)
        return "an answer with other rows than were asked for";
    return NULL;
}

static void take_answer(struct cts_session *s, const struct cts_session_step *asked,
                        struct cts_answer *a)
{
    if (a->ops & CTS_STEP_ROWS)
        memcpy((uint8_t *)s->caps.window + asked->rows_off, a->rows, a->rows_bytes);
    a->rows = NULL;
    a->ops &= (uint8_t)~CTS_STEP_ROWS;
    if (a->load.text[0])
        cts_session_clean_text(a->load.text);
    if (a->run.text[0])
        cts_session_clean_text(a->run.text);
}

static int read_answers(struct cts_session *s, const struct cts_session_question *q,
                        struct cts_rd *r, struct cts_answer *answers, struct cts_err *why)
{
    uint32_t n = cts_rd_u32(r);
    if (n != q->n)
        return cts_err_set(why, CTS_E_PROTOCOL, "%u answers to %u items", n, q->n);
    for (uint32_t i = 0; i < n; i++) {
        int rc = cts_wire_get_answer(r, &answers[i], why);
        if (rc)
            return rc;
        const char *fault = fault_in(&q->steps[i], &answers[i]);
        if (fault)
            return cts_err_set(why, CTS_E_PROTOCOL, "%s", fault);
        take_answer(s, &q->steps[i], &answers[i]);
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
    cts_session_clean_text(text);
    return cts_session_lose_unclear(s, text, err);
}

int cts_session_answer(struct cts_session *s, struct cts_answer *answers, uint32_t n,
                       unsigned timeout_ms, struct cts_err *err)
{
    struct cts_err why = {0};
    struct cts_frame f;
    struct cts_rd r;
    if (!s->up || cts_session_pending(s) == 0)
        return cts_err_set(err, CTS_E_INVAL, "no question is under way");
    const struct cts_session_question *q = &s->asked[(s->seq_answered + 1) % CTS_SESSION_DEPTH];
    if (q->n != n)
        return cts_err_set(err, CTS_E_INVAL, "the oldest question had %u items, not %u", q->n, n);
    cts_session_time(s, timeout_ms, n);
    int rc = cts_session_receive(s, &f, &r, err);
    if (rc)
        return rc;
    if (f.type == CTS_FT_FAILED)
        return complaint(s, &r, err);
    if (f.type != CTS_FT_DONE)
        return protocol(s, err, "a frame that is no answer");
    rc = read_answers(s, q, &r, answers, &why);
    if (rc)
        return cts_session_lose_protocol(s, &why, err);
    /* Before anybody looks at the rows: what they would see is none of the worker's. */
    for (uint32_t i = 0; i < n; i++)
        cts_share_touch(&s->window, q->steps[i].rows_off, q->steps[i].rows_bytes);
    return cts_session_check_window(s, err);
}
