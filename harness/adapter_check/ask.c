#include <string.h>

#include "base/fmt.h"
#include "adapter_check/impl.h"

void ac_begin(struct ac *k)
{
    cts_link_begin(k->link);
}

int ac_ask(struct ac *k, uint16_t type, uint32_t items, uint64_t most)
{
    int rc = ac_seal(k, type, items, most);
    return rc ? rc : ac_send(k, k->link->out.data, k->link->out.len);
}

/* Responses. */

static int wrong_type(struct ac *k, const struct cts_frame *f, const char *want, struct cts_rd *r)
{
    static const char *const names[] = {"?", "HELLO", "CAPS", "EXEC", "DONE", "FAILED", "PROGRESS"};
    char reason[256] = "";
    if (f->type == CTS_FT_FAILED) {
        cts_rd_u32(r);
        cts_rd_str(r, reason, sizeof(reason));
    }
    return ac_fail(k, "a frame %s instead of %s%s%s", names[f->type], want, reason[0] ? ": " : "",
                   reason);
}

/* The length of the UTF-8 sequence at p, 0 if there is none. */
static unsigned utf8_length(const uint8_t *p, size_t left)
{
    unsigned n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (n == 0 || n > left || p[0] > 0xf4)
        return 0;
    for (unsigned i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

/* A string field, cut to what `out` can take. */
static int take_string(struct ac *k, struct cts_rd *r, const char *name, size_t most, char *out,
                       size_t cap)
{
    size_t before = r->at;
    uint32_t len;
    const uint8_t *p = cts_rd_bytes(r, &len);
    out[0] = '\0';
    if (r->failed)
        return ac_fail(k, "%s, at byte %u of the payload: the string ends behind the frame", name,
                       (unsigned)before);
    if (len > most)
        return ac_fail(k, "%s, at byte %u of the payload: %u bytes; at most %u are allowed", name,
                       (unsigned)before, len, (unsigned)most);
    for (uint32_t i = 0, n; i < len; i += n) {
        n = utf8_length(p + i, len - i);
        if (n == 0 || p[i] == 0)
            return ac_fail(k, "%s: byte %u of the text is 0x%02x, which is no UTF-8", name, i,
                           p[i]);
    }
    size_t n = len < cap ? len : cap - 1;
    if (n)
        memcpy(out, p, n);
    out[n] = '\0';
    return 0;
}

static int at_end(struct ac *k, const struct cts_rd *r, const char *what)
{
    if (r->failed)
        return ac_fail(k, "the frame ends in the middle of %s", what);
    if (r->at != r->len)
        return ac_fail(k, "%u bytes behind %s, inside its frame", (unsigned)(r->len - r->at), what);
    return 0;
}

int ac_want_failed(struct ac *k, const char *what)
{
    struct cts_frame f;
    struct cts_rd r;
    char reason[CTS_ERR_MSG_MAX];
    int rc = ac_reply(k, &f, &r);
    if (rc) {
        cts_fmt(reason, sizeof(reason), "%s: %s", what, k->why);
        memcpy(k->why, reason, sizeof(k->why));
        return rc;
    }
    if (f.type != CTS_FT_FAILED)
        return ac_fail(k, "%s: answered with a frame of type %u, not with FAILED", what, f.type);
    int32_t code = (int32_t)cts_rd_u32(&r);
    rc = take_string(k, &r, "FAILED's reason", CTS_FRAME_MAX, reason, sizeof(reason));
    if (rc == 0)
        rc = at_end(k, &r, "FAILED");
    if (rc == 0 && code >= 0)
        rc = ac_fail(k, "%s: FAILED with code %d; below 0 is a failure", what, (int)code);
    if (rc == 0 && !reason[0])
        rc = ac_fail(k, "%s: FAILED without a reason", what);
    return rc;
}

/* The handshake. */

int ac_hello(struct ac *k, uint32_t lowest, uint32_t highest, const char *engine)
{
    ac_begin(k);
    cts_wr_u32(&k->link->out, lowest);
    cts_wr_u32(&k->link->out, highest);
    cts_wr_str(&k->link->out, engine);
    return ac_ask(k, CTS_FT_HELLO, 0, CTS_LINK_CAPS_MAX);
}

static int take_caps(struct ac *k, struct cts_rd *r, struct cts_caps *c)
{
    *c = (struct cts_caps){.window_fd = -1};
    int rc = take_string(k, r, "runtime", sizeof(c->runtime) - 1, c->runtime, sizeof(c->runtime));
    if (rc == 0)
        rc = take_string(k, r, "engine", sizeof(c->engine) - 1, c->engine, sizeof(c->engine));
    if (rc == 0)
        rc = take_string(k, r, "version", sizeof(c->version) - 1, c->version, sizeof(c->version));
    if (rc)
        return rc;
    uint8_t be = cts_rd_u8(r);
    c->be = be == 1;
    c->window_kind = cts_rd_u8(r);
    c->window_bytes = cts_rd_u32(r);
    c->window_fd = (int)cts_rd_u32(r);
    c->window_addr = cts_rd_u64(r);
    c->features = cts_rd_u32(r);
    c->max_slots = cts_rd_u32(r);
    c->max_segments = cts_rd_u32(r);
    c->max_iterations = cts_rd_u32(r);
    c->r0_bits = cts_rd_u8(r);
    rc = at_end(k, r, "the capabilities");
    return rc == 0 && be > 1 ? ac_fail(k, "be is %u; a bool is 0 or 1", be) : rc;
}

int ac_want_caps(struct ac *k, struct cts_caps *caps, int *code, char reason[CTS_ERR_MSG_MAX])
{
    struct cts_frame f;
    struct cts_rd r;
    *code = 0;
    int rc = ac_reply(k, &f, &r);
    if (rc)
        return rc;
    if (f.type != CTS_FT_CAPS)
        return wrong_type(k, &f, "CAPS", &r);
    uint32_t version = cts_rd_u32(&r);
    *code = (int)cts_rd_u32(&r);
    rc = take_string(k, &r, "reason", CTS_ERR_MSG_MAX - 1, reason, CTS_ERR_MSG_MAX);
    if (rc)
        return rc;
    if (*code == 0 && version != CTS_WIRE_VERSION)
        return ac_fail(k, "CAPS for version %u of the protocol; it was asked for %d", version,
                       CTS_WIRE_VERSION);
    if (*code > 0)
        return ac_fail(k, "code %d: it is 0, or below 0 for a failure", *code);
    if (*code && !reason[0])
        return ac_fail(k, "code %d without a reason", *code);
    return *code ? at_end(k, &r, "the reason") : take_caps(k, &r, caps);
}

int ac_check_caps(struct ac *k, const struct cts_caps *c)
{
    struct cts_err err = {0};
    if (cts_link_check_caps(c, &err))
        return ac_fail(k, "%s", err.msg);
    if (c->window_kind == CTS_WK_NONE && (c->window_bytes || c->window_fd != -1))
        return ac_fail(k, "window_kind is 0 with window_bytes %u and window_fd %d, not 0 and -1",
                       c->window_bytes, c->window_fd);
    return 0;
}

int ac_open(struct ac *k)
{
    char reason[CTS_ERR_MSG_MAX];
    int code;
    int rc = ac_spawn(k, false);
    if (rc == 0)
        rc = ac_hello(k, CTS_WIRE_VERSION, CTS_WIRE_VERSION, k->opts->engine);
    if (rc == 0)
        rc = ac_want_caps(k, &k->caps, &code, reason);
    if (rc == 0 && code)
        rc = ac_fail(k, "it refuses the engine it opened before: %s", reason);
    return rc;
}

/* Items. */

uint64_t ac_most(const struct cts_item *items, uint32_t n)
{
    uint64_t most = sizeof(uint32_t);
    for (uint32_t i = 0; i < n; i++)
        most += CTS_LINK_ANSWER_MAX +
                (uint64_t)(items[i].ops & CTS_STEP_ENTRIES ? items[i].entries_bytes : 0);
    return most;
}

unsigned ac_steps(const struct ac *k, const struct cts_item *it)
{
    unsigned runs = CTS_STEP_RUN | CTS_STEP_ENTRIES;
    return k->caps.features & CTS_FEAT_VERDICT_ONLY ? it->ops & ~runs : it->ops;
}

static void put_item(struct ac *k, const struct cts_item *item)
{
    struct cts_item it = *item;
    struct cts_err err = {0};
    it.ops = (uint8_t)ac_steps(k, item);
    cts_buf_clear(&k->elf);
    /* What cannot be an object (no code at all) goes without one. */
    if (it.ops & CTS_STEP_LOAD && k->caps.features & CTS_FEAT_ELF && k->opts->object &&
        k->opts->object(it.load.code, (size_t)it.load.slots * CTS_SLOT_BYTES, k->caps.be, "xdp",
                        &k->elf, &err) == 0) {
        it.load.elf = (const uint8_t *)k->elf.data;
        it.load.elf_bytes = (uint32_t)k->elf.len;
    } else {
        cts_buf_clear(&k->elf);
    }
    cts_wire_put_item(&k->link->out, &it);
}

int ac_put_items(struct ac *k, const struct cts_item *items, uint32_t n)
{
    ac_begin(k);
    cts_wr_u32(&k->link->out, n);
    for (uint32_t i = 0; i < n; i++)
        put_item(k, &items[i]);
    return k->link->out.failed ? ac_fail(k, "the request is too long") : 0;
}

int ac_ask_items(struct ac *k, const struct cts_item *items, uint32_t n)
{
    int rc = ac_put_items(k, items, n);
    return rc ? rc : ac_ask(k, CTS_FT_EXEC, n, ac_most(items, n));
}

static int take_load(struct ac *k, struct cts_rd *r, uint32_t i, struct cts_load_res *res)
{
    size_t at = r->at;
    res->verdict = cts_rd_u8(r);
    res->err_no = (int32_t)cts_rd_u32(r);
    res->native_bytes = cts_rd_u32(r);
    if (res->verdict > CTS_LOAD_TIMED_OUT && !r->failed)
        return ac_fail(k, "answer %u, at byte %u of the payload: verdict %u, not from 0 to %d", i,
                       (unsigned)at, res->verdict, CTS_LOAD_TIMED_OUT);
    return take_string(k, r, "the text of load", CTS_TEXT_MAX - 1, res->text, sizeof(res->text));
}

static int take_run(struct ac *k, struct cts_rd *r, uint32_t i, struct cts_run_res *res)
{
    size_t at = r->at;
    res->status = cts_rd_u8(r);
    res->done = cts_rd_u32(r);
    res->r0 = cts_rd_u64(r);
    unsigned last = k->caps.features & CTS_FEAT_GUESS ? CTS_RUN_UNSTEADY : CTS_RUN_TIMED_OUT;
    if (res->status > last && !r->failed)
        return ac_fail(k, "answer %u, at byte %u of the payload: status %u, not from 0 to %u", i,
                       (unsigned)at, res->status, last);
    return take_string(k, r, "the text of run", CTS_TEXT_MAX - 1, res->text, sizeof(res->text));
}

static int take_answer(struct ac *k, struct cts_rd *r, uint32_t i, struct cts_answer *a)
{
    size_t at = r->at;
    int rc = 0;
    a->ops = cts_rd_u8(r);
    a->load.text[0] = a->run.text[0] = '\0';
    a->rows = NULL;
    a->entries_bytes = 0;
    if (a->ops & ~(CTS_STEP_LOAD | CTS_STEP_RUN | CTS_STEP_UNLOAD | CTS_STEP_ENTRIES))
        return ac_fail(k,
                       "answer %u, at byte %u of the payload: ops 0x%02x has bits without a "
                       "meaning",
                       i, (unsigned)at, a->ops);
    if (a->ops & CTS_STEP_LOAD)
        rc = take_load(k, r, i, &a->load);
    if (rc == 0 && a->ops & CTS_STEP_RUN)
        rc = take_run(k, r, i, &a->run);
    if (rc == 0 && a->ops & CTS_STEP_ENTRIES)
        a->rows = cts_rd_bytes(r, &a->entries_bytes);
    if (rc == 0 && r->failed)
        rc = ac_fail(k,
                     "the frame ends in the middle of answer %u, which begins at byte %u of "
                     "the payload",
                     i, (unsigned)at);
    return rc;
}

/* Are these steps possible, whatever became of the program? */
static int check_steps(struct ac *k, uint32_t i, const struct cts_item *it,
                       const struct cts_answer *a)
{
    unsigned steps = ac_steps(k, it);
    bool refused = a->ops & CTS_STEP_LOAD && a->load.verdict != CTS_LOAD_ACCEPTED;
    if (steps & CTS_STEP_LOAD && refused && a->ops != CTS_STEP_LOAD)
        return ac_fail(k,
                       "answer %u: ops 0x%02x for a program that was not accepted; load alone "
                       "(0x01) is right",
                       i, a->ops);
    if (steps & CTS_STEP_LOAD && !refused && a->ops != steps)
        return ac_fail(k, "answer %u: ops 0x%02x; all steps of the item, 0x%02x, is right", i,
                       a->ops, steps);
    if (!(steps & CTS_STEP_LOAD) && a->ops && a->ops != steps)
        return ac_fail(k, "answer %u: ops 0x%02x; 0x%02x is right, or 0x00 if there is no program",
                       i, a->ops, steps);
    if (a->ops & CTS_STEP_RUN && a->run.done > it->run.iterations)
        return ac_fail(k, "answer %u: %u iterations done of %u", i, a->run.done,
                       it->run.iterations);
    if (a->ops & CTS_STEP_ENTRIES && a->entries_bytes != it->entries_bytes)
        return ac_fail(k, "answer %u: %u bytes of rows; the item has %u", i, a->entries_bytes,
                       it->entries_bytes);
    return 0;
}

int ac_want_done(struct ac *k, const struct cts_item *items, uint32_t n)
{
    struct cts_frame f;
    struct cts_rd r;
    int rc = ac_reply(k, &f, &r);
    if (rc)
        return rc;
    if (f.type != CTS_FT_DONE)
        return wrong_type(k, &f, "DONE", &r);
    uint32_t count = cts_rd_u32(&r);
    if (count != n || r.failed)
        return ac_fail(k, "%u answers to %u items", count, n);
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        rc = take_answer(k, &r, i, &k->answers[i]);
        if (rc == 0)
            rc = check_steps(k, i, &items[i], &k->answers[i]);
        if (rc == 0 && k->answers[i].ops & CTS_STEP_LOAD &&
            k->answers[i].load.verdict == CTS_LOAD_UNSETTLED)
            rc = ac_skip(k, "the machine: %s", k->answers[i].load.text);
    }
    return rc ? rc : at_end(k, &r, "the answers");
}

int ac_exec(struct ac *k, const struct cts_item *items, uint32_t n)
{
    int rc = ac_ask_items(k, items, n);
    return rc ? rc : ac_want_done(k, items, n);
}

int ac_want_ops(struct ac *k, uint32_t i, unsigned ops, const char *when)
{
    const struct cts_answer *a = &k->answers[i];
    if (a->ops == ops)
        return 0;
    if (a->ops == CTS_STEP_LOAD && ops & CTS_STEP_LOAD)
        return ac_fail(k, "answer %u: %s%sit does not accept the program: %s", i, when,
                       when[0] ? " " : "", a->load.text[0] ? a->load.text : "no reason given");
    return ac_fail(k, "answer %u: %s%sops 0x%02x; 0x%02x is right", i, when, when[0] ? " " : "",
                   a->ops, ops);
}

int ac_want_ran(struct ac *k, uint32_t i, const struct cts_item *it, uint64_t r0)
{
    const struct cts_run_res *run = &k->answers[i].run;
    uint64_t seen = k->caps.r0_bits == 32 ? (uint32_t)run->r0 : run->r0;
    uint64_t want = k->caps.r0_bits == 32 ? (uint32_t)r0 : r0;
    unsigned steps = ac_steps(k, it);
    int rc = ac_want_ops(k, i, steps, "");
    if (rc || !(steps & CTS_STEP_RUN))
        return rc;
    if (run->status != CTS_RUN_COMPLETED)
        return ac_fail(k, "answer %u: it did not run, but ended with status %u: %s", i, run->status,
                       run->text);
    if (run->done != it->run.iterations)
        return ac_fail(k, "answer %u: it ran, and %u of %u iterations are done", i, run->done,
                       it->run.iterations);
    if (it->load.kind == CTS_PROG_WHOLE && seen != want)
        return ac_fail(k, "answer %u: r0 is 0x%llx; 0x%llx is right", i,
                       (unsigned long long)run->r0, (unsigned long long)r0);
    return 0;
}
