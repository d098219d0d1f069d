#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "wire/wire.h"
#include "wire/worker.h"
#include "wire/worker_io.h"

enum { EXIT_CLEAN = 0, EXIT_IO = 1, EXIT_LOST = 2 };

struct loaded {
    void *prog;
    bool is;
};

struct worker {
    const struct cts_adapter *adapter;
    const char *engine; /* from the command line; "" if absent */
    struct cts_worker_io io;
    void *self;
    bool ready;
    struct cts_caps caps;
    struct cts_wr in, out; /* in: bytes read, of which the first in_at are done with */
    size_t in_at;
    struct cts_wr code; /* code at an address that suits any object */
    struct loaded progs[CTS_WIRE_PROGS];
    struct cts_item_room room;
    struct cts_answer answer;
    uint64_t begun; /* items since the start */
    struct cts_worker_say say;
    uint32_t seq, begun_here; /* the request that is carried out, and its items begun */
    uint64_t told_ms;         /* when the harness was last told of its progress */
    bool told, waiting;
};

/* Reading. */

enum { READ_AHEAD = 1 << 16 };

/* Room for `want` bytes behind in_at, and some for what follows them. */
static bool make_room(struct worker *w, size_t want)
{
    if (w->in_at) {
        memmove(w->in.data, w->in.data + w->in_at, w->in.len - w->in_at);
        w->in.len -= w->in_at;
        w->in_at = 0;
    }
    if (want < READ_AHEAD)
        want = READ_AHEAD;
    return w->in.cap >= want || w->in.grow(&w->in, want);
}

/* 1: `want` bytes lie at in_at. 0: the input ended before the first of them. -1: it broke off. */
static int fill(struct worker *w, size_t want)
{
    if (w->in.len - w->in_at >= want)
        return 1;
    if (!make_room(w, want))
        return -1;
    while (w->in.len < want) {
        long n = cts_worker_io_read(&w->io, w->in.data + w->in.len, w->in.cap - w->in.len);
        if (n <= 0)
            return n == 0 && w->in.len == 0 ? 0 : -1;
        w->in.len += (size_t)n;
    }
    return 1;
}

/* Writing. */

static bool finish(struct worker *w, uint16_t type, uint32_t seq)
{
    return cts_frame_end(&w->out, type, seq) &&
           cts_worker_io_write(&w->io, w->out.data, w->out.len);
}

static bool say_failed(struct worker *w, uint32_t seq, const struct cts_err *why)
{
    cts_frame_begin(&w->out);
    cts_wr_u32(&w->out, (uint32_t)why->code);
    cts_wr_str(&w->out, why->msg);
    return finish(w, CTS_FT_FAILED, seq);
}

/* Progress: in the window, where the harness may share it, and in frames. */

static void tell_progress(struct worker *w)
{
    uint8_t bytes[CTS_FRAME_HEADER + CTS_PROGRESS_BYTES];
    struct cts_wr out = {.data = bytes, .len = CTS_FRAME_HEADER, .cap = sizeof(bytes)};
    const struct cts_wire_progress p = {.begun = w->begun_here, .waiting = w->waiting};
    const struct cts_frame f = {
        .bytes = CTS_PROGRESS_BYTES, .type = CTS_FT_PROGRESS, .seq = w->seq};
    cts_frame_put(bytes, &f);
    cts_wire_put_progress(&out, &p);
    /* Who no longer reads will not get the answer either. */
    (void)cts_worker_io_write(&w->io, bytes, sizeof(bytes));
    w->told_ms = cts_worker_io_ms();
    w->told = true;
}

static void put_in_window(struct worker *w, unsigned at, uint64_t v)
{
    if (w->caps.window && w->caps.window_bytes >= CTS_WIN_RESERVED)
        cts_put64_host((uint8_t *)w->caps.window + at, v);
}

static void tell_waiting(void *arg, bool on)
{
    struct worker *w = arg;
    if (w->waiting == on)
        return;
    w->waiting = on;
    put_in_window(w, CTS_WIN_WAITING, on);
    tell_progress(w);
}

/* The first of all is told at once: so the harness knows that it will be. Who looks ahead has been
 * at all of the items before the first is begun, and what it could tell would say nothing. */
static void tell_begun(struct worker *w)
{
    w->begun++;
    w->begun_here++;
    tell_waiting(w, false);
    put_in_window(w, CTS_WIN_WAITING, 0); /* whatever programs have left there */
    put_in_window(w, CTS_WIN_BEGUN, w->begun);
    if (!w->adapter->ahead &&
        (!w->told || cts_worker_io_ms() - w->told_ms >= (uint64_t)CTS_PROGRESS_MS))
        tell_progress(w);
}

/* The handshake. */

static void copy_text(char *out, size_t cap, const char *text)
{
    cts_fmt(out, cap, "%s", text);
}

int cts_worker_engine(const struct cts_adapter *a, const char *name, struct cts_err *err)
{
    char list[256] = "";
    size_t at = 0;
    int n = 0;
    for (; a->engines[n].name; n++)
        if (!name[0] || strcmp(a->engines[n].name, name) == 0)
            return n;
    for (int i = 0; i < n && at < sizeof(list); i++)
        at += cts_fmt(list + at, sizeof(list) - at, "%s%s", i ? ", " : "", a->engines[i].name);
    return cts_err_set(err, CTS_E_UNSUPPORTED, "%s has no engine '%s' (it has: %s)", a->name, name,
                       at ? list : "none");
}

static int probe(struct worker *w, const char *asked, struct cts_err *err)
{
    const struct cts_adapter *a = w->adapter;
    int engine = cts_worker_engine(a, asked[0] ? asked : w->engine, err);
    if (engine < 0)
        return engine;
    const char *name = a->engines[engine].name;
    w->caps = (struct cts_caps){.window_fd = -1};
    int rc = a->probe(&w->self, (unsigned)engine, &w->caps, err);
    if (rc)
        return cts_err_set(err, rc, "%s: the engine '%s' cannot be opened", a->name, name);
    copy_text(w->caps.runtime, sizeof(w->caps.runtime), a->name);
    copy_text(w->caps.engine, sizeof(w->caps.engine), name);
    w->ready = true;
    w->say = (struct cts_worker_say){.arg = w, .waiting = tell_waiting};
    if (a->attach)
        a->attach(w->self, &w->say);
    return 0;
}

static bool answer_caps(struct worker *w, uint32_t seq, int code, const struct cts_err *err)
{
    cts_frame_begin(&w->out);
    cts_wr_u32(&w->out, CTS_WIRE_VERSION);
    cts_wr_u32(&w->out, (uint32_t)code);
    cts_wr_str(&w->out, code ? err->msg : "");
    if (!code)
        cts_wire_put_caps(&w->out, &w->caps);
    return finish(w, CTS_FT_CAPS, seq);
}

static bool hello(struct worker *w, uint32_t seq, struct cts_rd *r)
{
    struct cts_err err = {0};
    char engine[64];
    uint32_t lowest = cts_rd_u32(r), highest = cts_rd_u32(r);
    cts_rd_str(r, engine, sizeof(engine));
    if (r->failed || r->at != r->len || w->ready) {
        cts_err_set(&err, CTS_E_PROTOCOL, w->ready ? "a second greeting" : "malformed greeting");
        return say_failed(w, seq, &err);
    }
    int code = 0;
    if (lowest > CTS_WIRE_VERSION || highest < CTS_WIRE_VERSION)
        code = cts_err_set(&err, CTS_E_PROTOCOL, "this worker speaks version %d of the protocol",
                           CTS_WIRE_VERSION);
    else
        code = probe(w, engine, &err);
    return answer_caps(w, seq, code, &err);
}

/* Items. */

static void unload(struct worker *w, struct loaded *p)
{
    if (!p->is)
        return;
    w->adapter->unload(w->self, p->prog);
    *p = (struct loaded){0};
}

static bool in_window(const struct worker *w, uint64_t off, uint64_t bytes)
{
    return w->caps.window && off <= w->caps.window_bytes && bytes <= w->caps.window_bytes - off;
}

static bool is_power_of_two(uint32_t v)
{
    return v && (v & (v - 1)) == 0;
}

static bool layout_fits(const struct worker *w, const struct cts_layout *l)
{
    uint64_t bytes = CTS_WIN_HEADER + (uint64_t)l->rows * l->stride;
    return is_power_of_two(l->rows) && is_power_of_two(l->stride) && l->region % 64 == 0 &&
           in_window(w, l->region, bytes);
}

/* What wire.c cannot know: whether it fits this worker's window. */
static int check_item(const struct worker *w, const struct cts_item *it, struct cts_err *err)
{
    if (it->ops & CTS_STEP_LOAD) {
        const struct cts_load_req *q = &it->load;
        if ((q->kind == CTS_PROG_WINDOW) != (q->segments > 0))
            return cts_err_set(err, CTS_E_PROTOCOL, "%u layouts for a program of kind %u",
                               q->segments, q->kind);
        for (uint32_t i = 0; i < q->segments; i++)
            if (!layout_fits(w, &q->layout[i]))
                return cts_err_set(err, CTS_E_PROTOCOL, "layout %u does not fit the window", i);
    }
    if (it->ops & CTS_STEP_RUN && it->run.threads > 1 && !(w->caps.features & CTS_FEAT_THREADS))
        return cts_err_set(err, CTS_E_PROTOCOL, "a run of %u threads", it->run.threads);
    if (it->ops & CTS_STEP_ENTRIES && !in_window(w, it->entries_off, it->entries_bytes))
        return cts_err_set(err, CTS_E_PROTOCOL, "rows outside the window");
    return 0;
}

/* Bytes lie anywhere in a frame; adapters hand code to libraries that take it as an array of
 * structures. */
static bool align_code(struct worker *w, struct cts_load_req *q)
{
    if (((uintptr_t)q->code & 7) == 0)
        return true;
    size_t bytes = (size_t)q->slots * 8;
    if (bytes > w->code.cap && !w->code.grow(&w->code, bytes))
        return false;
    if (bytes)
        memcpy(w->code.data, q->code, bytes);
    q->code = w->code.data;
    return true;
}

static void do_load(struct worker *w, struct cts_item *it, struct loaded *p)
{
    struct cts_load_res *res = &w->answer.load;
    res->verdict = CTS_LOAD_ERROR;
    res->err_no = 0;
    res->native_bytes = 0;
    res->text[0] = '\0';
    unload(w, p);
    if (align_code(w, &it->load))
        w->adapter->load(w->self, &it->load, &p->prog, res);
    else
        copy_text(res->text, sizeof(res->text), "out of memory");
    p->is = res->verdict == CTS_LOAD_ACCEPTED;
    w->answer.ops |= CTS_STEP_LOAD;
}

static void do_run(struct worker *w, const struct cts_item *it, const struct loaded *p)
{
    struct cts_run_res *res = &w->answer.run;
    res->status = CTS_RUN_ERROR;
    res->done = 0;
    res->r0 = 0;
    res->text[0] = '\0';
    if (!p->is)
        return;
    if (!w->adapter->run) {
        copy_text(res->text, sizeof(res->text), "this engine runs nothing");
        w->answer.ops |= CTS_STEP_RUN;
        return;
    }
    bool rows = it->ops & CTS_STEP_ENTRIES && it->entries_bytes;
    uint8_t *at = rows ? (uint8_t *)w->caps.window + it->entries_off : NULL;
    if (rows)
        memcpy(at, it->rows, it->entries_bytes);
    w->adapter->run(w->self, p->prog, &it->run, res);
    w->answer.ops |= CTS_STEP_RUN;
    if (rows) {
        w->answer.ops |= CTS_STEP_ENTRIES;
        w->answer.rows = at;
        w->answer.entries_bytes = it->entries_bytes;
    }
}

static int do_item(struct worker *w, struct cts_rd *r, struct cts_err *err)
{
    struct cts_item it;
    int rc = cts_wire_get_item(r, &it, &w->room, err);
    if (rc == 0)
        rc = check_item(w, &it, err);
    if (rc)
        return rc;
    struct loaded *p = &w->progs[it.prog];
    w->answer.ops = 0;
    tell_begun(w);
    if (it.ops & CTS_STEP_LOAD)
        do_load(w, &it, p);
    if (it.ops & CTS_STEP_RUN)
        do_run(w, &it, p);
    if (it.ops & CTS_STEP_UNLOAD && p->is) {
        unload(w, p);
        w->answer.ops |= CTS_STEP_UNLOAD;
    }
    cts_wire_put_answer(&w->out, &w->answer);
    return w->out.failed ? cts_err_set(err, CTS_E_LIMIT, "the answer is too long") : 0;
}

/* What the items will load, as far as they can be read; faults are found when they are carried out.
 */
static void look_ahead(struct worker *w, struct cts_rd r, uint32_t n)
{
    struct cts_load_req reqs[CTS_WORKER_AHEAD];
    uint32_t loads = 0;
    if (!w->adapter->ahead)
        return;
    for (uint32_t i = 0; i < n && loads < CTS_WORKER_AHEAD; i++) {
        struct cts_item it;
        if (cts_wire_get_item(&r, &it, &w->room, NULL))
            break;
        if (it.ops & CTS_STEP_LOAD)
            reqs[loads++] = (struct cts_load_req){.kind = it.load.kind,
                                                  .packet = it.load.packet,
                                                  .code = it.load.code,
                                                  .slots = it.load.slots,
                                                  .elf = it.load.elf,
                                                  .elf_bytes = it.load.elf_bytes};
    }
    w->adapter->ahead(w->self, reqs, loads);
}

static int do_items(struct worker *w, struct cts_rd *r, struct cts_err *err)
{
    if (!w->ready)
        return cts_err_set(err, CTS_E_PROTOCOL, "no engine is open");
    uint32_t n = cts_rd_u32(r);
    cts_frame_begin(&w->out);
    cts_wr_u32(&w->out, n);
    look_ahead(w, *r, n);
    for (uint32_t i = 0; i < n; i++) {
        int rc = do_item(w, r, err);
        if (rc)
            return rc;
    }
    if (r->failed || r->at != r->len)
        return cts_err_set(err, CTS_E_PROTOCOL, "the items do not fill the frame");
    return 0;
}

static bool exec(struct worker *w, uint32_t seq, struct cts_rd *r)
{
    struct cts_err err = {0};
    w->seq = seq;
    w->begun_here = 0;
    w->told_ms = cts_worker_io_ms();
    if (do_items(w, r, &err))
        return say_failed(w, seq, &err);
    return finish(w, CTS_FT_DONE, seq);
}

/* Frames. */

static bool handle(struct worker *w, const struct cts_frame *f)
{
    struct cts_rd r = {.data = w->in.data + w->in_at, .len = f->bytes};
    w->in_at += f->bytes;
    if (f->type == CTS_FT_EXEC)
        return exec(w, f->seq, &r);
    if (f->type == CTS_FT_HELLO)
        return hello(w, f->seq, &r);
    struct cts_err err = {0};
    cts_err_set(&err, CTS_E_PROTOCOL, "frame type %u is no request", f->type);
    return say_failed(w, f->seq, &err);
}

static int serve(struct worker *w)
{
    for (;;) {
        struct cts_frame f;
        struct cts_err err = {0};
        int have = fill(w, CTS_FRAME_HEADER);
        if (have <= 0)
            return have == 0 ? EXIT_CLEAN : EXIT_IO;
        /* Where the next frame begins is not known after a bad header: nothing more can be read. */
        if (cts_frame_get(w->in.data + w->in_at, &f, &err)) {
            say_failed(w, f.seq, &err);
            return EXIT_LOST;
        }
        w->in_at += CTS_FRAME_HEADER;
        if (f.bytes && fill(w, f.bytes) <= 0)
            return EXIT_IO;
        if (!handle(w, &f))
            return EXIT_IO;
    }
}

static void release(struct worker *w)
{
    for (unsigned i = 0; i < CTS_WIRE_PROGS; i++)
        unload(w, &w->progs[i]);
    if (w->ready && w->adapter->release)
        w->adapter->release(w->self);
    cts_wr_release_malloc(&w->in);
    cts_wr_release_malloc(&w->out);
    cts_wr_release_malloc(&w->code);
}

int cts_worker_main(int argc, char **argv, const struct cts_adapter *adapter)
{
    struct worker w = {
        .adapter = adapter,
        .engine = argc > 1 ? argv[1] : "",
        .in.grow = cts_wr_grow_malloc,
        .out.grow = cts_wr_grow_malloc,
        .code.grow = cts_wr_grow_malloc,
    };
    if (!cts_worker_io_open(&w.io))
        return EXIT_IO;
    int code = serve(&w);
    release(&w);
    return code;
}
