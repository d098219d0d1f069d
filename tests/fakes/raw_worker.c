/* The frame protocol once more, apart from worker_main.c, with a fault of one's choice in it:
 * cts-raw-worker --fault NAME [ENGINE]. The runtime is the reference. Each fault breaks one rule of
 * the protocol; a check of `ebpf-cts check-adapter` is there to find it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "isa/isa.h"
#include "reference.h"
#include "wire/wire.h"

#define FAULTS(X)                                                                                  \
    X(NONE, "none", "none")                                                                        \
    X(ANY_VERSION, "any-version", "takes any version of the protocol")                             \
    X(ONE_VERSION, "one-version", "takes its version alone, not out of a range")                   \
    X(ANY_ENGINE, "any-engine", "opens its default for engines it does not have")                  \
    X(OTHER_ENGINE, "other-engine", "says that its engine is another one")                         \
    X(OTHER_RUNTIME, "other-runtime", "says that it is another runtime")                           \
    X(NO_DEFAULT, "no-default", "opens nothing if no engine is named")                             \
    X(R0_BITS, "r0-bits", "claims a result of 48 bits")                                            \
    X(HELLO_DIES, "hello-dies", "ends at a malformed greeting")                                    \
    X(HELLO_AGAIN, "hello-again", "begins anew at a second greeting")                              \
    X(EARLY_DIES, "early-dies", "ends if it is asked before it is greeted")                        \
    X(EMPTY_DIES, "empty-dies", "ends at a request without items")                                 \
    X(R0_32, "r0-32", "loses the upper half of r0")                                                \
    X(ONCE, "once", "runs once, however often it is asked to")                                     \
    X(FORGETS, "forgets", "unloads everything at the end of a request")                            \
    X(ABSENT, "absent", "answers the run of a program that is not there")                          \
    X(NUMBERS, "numbers", "mixes up programs 0 and 32")                                            \
    X(KEEPS_OLD, "keeps-old", "keeps the first program of a number")                               \
    X(REVERSE, "reverse", "answers items in reverse")                                              \
    X(REFUSED_RUN, "refused-run", "answers the run of a refused program")                          \
    X(REFUSED_OLD, "refused-old", "keeps the old program if the new one is refused")               \
    X(NO_REASON, "no-reason", "never says why it refuses")                                         \
    X(LONG_TEXT, "long-text", "refuses in 3000 bytes")                                             \
    X(NOT_UTF8, "not-utf8", "refuses in a text that is no UTF-8")                                  \
    X(NO_CONTEXT, "no-context", "leaves r1 of whole programs at 0")                                \
    X(NO_STACK, "no-stack", "has less stack than 512 bytes")                                       \
    X(FAULT_RAN, "fault-ran", "calls a fault a run")                                               \
    X(FAULT_DONE, "fault-done", "counts the iteration that faulted")                               \
    X(LONG_DIES, "long-dies", "dies of long programs")                                             \
    X(MODEST, "modest", "takes longer programs than it says")                                      \
    X(STALE_MAP, "stale-map", "does not fill its maps anew")                                       \
    X(ROWS_LOST, "rows-lost", "sends rows back as they came")                                      \
    X(ROWS_SPILT, "rows-spilt", "writes to a row that is not run")                                 \
    X(ROWS_ANYWHERE, "rows-anywhere", "does not mind rows outside of its window")                  \
    X(LAYOUT_ANY, "layout-any", "does not mind layouts outside of its window")                     \
    X(OTHER_MEMORY, "other-memory", "its descriptor is not that of its window")                    \
    X(NO_BEGUN, "no-begun", "does not count what it has begun")                                    \
    X(WAITS_ON, "waits-on", "says that it waits when it has answered")                             \
    X(PROGRESS_SEQ, "progress-seq", "reports its progress with a request that is not asked")       \
    X(PROGRESS_MORE, "progress-more", "tells that it has begun more than there is")                \
    X(PROGRESS_FLOOD, "progress-flood", "reports its progress without end")                        \
    X(MALFORMED_DIES, "malformed-dies", "ends at a malformed item")                                \
    X(MALFORMED_MUTE, "malformed-mute", "does not answer malformed items")                         \
    X(LENIENT, "lenient", "does not mind bytes behind the items")                                  \
    X(NO_REQUEST, "no-request-mute", "passes over frames that are no requests")                    \
    X(HEADER_ON, "header-on", "reads on after a header without sense")                             \
    X(HEADER_0, "header-0", "ends with status 0 after a header without sense")                     \
    X(BROKEN_HANGS, "broken-hangs", "hangs if its stdin ends in a frame")                          \
    X(ONE_READ, "one-read", "takes what one read brings for a frame")                              \
    X(SWAPS, "swaps", "answers the second of two requests first")                                  \
    X(END_1, "end-1", "ends with status 1 when its stdin ends")                                    \
    X(END_HANGS, "end-hangs", "does not end when its stdin ends")                                  \
    X(END_LOADED, "end-loaded-1", "the first of the two, if programs are loaded")                  \
    X(END_MUTE, "end-mute", "does not answer when its stdin has ended")                            \
    X(UNCLEAN, "unclean", "does not start after it was killed with a program (FAKE_STATE: file)")  \
    X(ALONE, "alone", "does not start beside another one (FAKE_STATE: a file)")

enum fault {
#define ENUM(id, name, what) F_##id,
    FAULTS(ENUM)
#undef ENUM
};

static const struct {
    const char *name, *what;
} faults[] = {
#define ROW(id, name, what) {name, what},
    FAULTS(ROW)
#undef ROW
};

/* GRACE_MS: from the last request to the end of stdin. */
enum { EXIT_LOST = 2, EXIT_FAULT = 9, MODEST_SLOTS = 100, GRACE_MS = 200 };

struct program {
    uint8_t first; /* opcode of a whole program */
    void *prog;    /* null: none */
    bool maps;
    unsigned runs;
};

struct raw {
    enum fault fault;
    const char *engine;
    void *machine; /* null: not greeted */
    struct cts_caps caps;
    struct program progs[CTS_WIRE_PROGS];
    uint64_t begun;
    uint8_t *in;
    struct cts_frame head;
    struct cts_item_room room;
    struct cts_wr out, held; /* held: an answer kept back */
    struct cts_answer answer;
};

/* Bytes. */

static void end(int status)
{
    _exit(status);
}

static bool input_is_over(void)
{
    struct pollfd fd = {.fd = 0};
    return poll(&fd, 1, GRACE_MS) > 0 && fd.revents & POLLHUP;
}

static bool input_is_there(void)
{
    struct pollfd fd = {.fd = 0, .events = POLLIN};
    return poll(&fd, 1, 0) > 0 && fd.revents & POLLIN;
}

static void write_all(const uint8_t *p, size_t len)
{
    while (len) {
        ssize_t n = write(1, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            end(3);
        p += n;
        len -= (size_t)n;
    }
}

/* 1; 0: the end came before the first byte. */
static int read_all(const struct raw *w, uint8_t *p, size_t len)
{
    size_t at = 0;
    while (at < len) {
        ssize_t n = read(0, p + at, len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 && at == 0)
            return 0;
        if (n <= 0 || (w->fault == F_ONE_READ && at + (size_t)n < len)) {
            while (w->fault == F_BROKEN_HANGS)
                pause();
            end(1);
        }
        at += (size_t)n;
    }
    return 1;
}

static void begin(struct raw *w)
{
    static const uint8_t room[CTS_FRAME_HEADER];
    w->out.len = 0;
    for (unsigned i = 0; i < sizeof(room); i++)
        cts_wr_u8(&w->out, room[i]);
}

static void finish(struct raw *w, uint16_t type)
{
    struct cts_frame f = {
        .bytes = (uint32_t)(w->out.len - CTS_FRAME_HEADER), .type = type, .seq = w->head.seq};
    if (w->out.failed)
        end(3);
    cts_frame_put(w->out.data, &f);
    if (w->fault == F_SWAPS && type == CTS_FT_DONE && !w->held.len && input_is_there()) {
        struct cts_wr swap = w->held;
        w->held = w->out;
        w->out = swap;
        return;
    }
    if (w->fault != F_END_MUTE || !input_is_over())
        write_all(w->out.data, w->out.len);
    if (w->held.len)
        write_all(w->held.data, w->held.len);
    w->held.len = 0;
}

/* The right worker says nothing: it need not. */
static void tell_progress(const struct raw *w)
{
    uint8_t bytes[CTS_FRAME_HEADER + CTS_PROGRESS_BYTES];
    struct cts_wr out = {.data = bytes, .len = CTS_FRAME_HEADER, .cap = sizeof(bytes)};
    const struct cts_wire_progress p = {.begun = w->fault == F_PROGRESS_MORE ? 1000 : 1};
    struct cts_frame f = {.bytes = CTS_PROGRESS_BYTES, .type = CTS_FT_PROGRESS, .seq = w->head.seq};
    f.seq += w->fault == F_PROGRESS_SEQ;
    cts_frame_put(bytes, &f);
    cts_wire_put_progress(&out, &p);
    if (w->fault == F_PROGRESS_SEQ || w->fault == F_PROGRESS_MORE)
        write_all(bytes, sizeof(bytes));
    for (unsigned i = 0; w->fault == F_PROGRESS_FLOOD && i < 1000; i++)
        write_all(bytes, sizeof(bytes));
}

static void failed(struct raw *w, const char *why)
{
    begin(w);
    cts_wr_u32(&w->out, (uint32_t)CTS_E_PROTOCOL);
    cts_wr_str(&w->out, why);
    finish(w, CTS_FT_FAILED);
}

/* The handshake. */

static void twist_caps(struct raw *w, struct cts_caps *c, const char *engine)
{
    bool lie = w->fault == F_OTHER_ENGINE;
    snprintf(c->runtime, sizeof(c->runtime), "%s",
             w->fault == F_OTHER_RUNTIME ? "somebody-else" : "raw");
    snprintf(c->engine, sizeof(c->engine), "%s", lie ? "jit" : engine);
    if (w->fault == F_R0_BITS)
        c->r0_bits = 48;
    if (w->fault == F_MODEST)
        c->max_slots = MODEST_SLOTS;
    if (w->fault == F_OTHER_MEMORY) {
        c->window_fd = memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (c->window_fd < 0 || ftruncate(c->window_fd, c->window_bytes))
            end(3);
    }
}

static void answer_caps(struct raw *w, int code, const char *reason, const struct cts_caps *c)
{
    begin(w);
    cts_wr_u32(&w->out, CTS_WIRE_VERSION);
    cts_wr_u32(&w->out, (uint32_t)code);
    cts_wr_str(&w->out, reason);
    if (!code)
        cts_wire_put_caps(&w->out, c);
    finish(w, CTS_FT_CAPS);
}

static bool speaks(const struct raw *w, uint32_t lowest, uint32_t highest)
{
    if (w->fault == F_ONE_VERSION)
        return lowest == CTS_WIRE_VERSION && highest == CTS_WIRE_VERSION;
    return w->fault == F_ANY_VERSION || (lowest <= CTS_WIRE_VERSION && highest >= CTS_WIRE_VERSION);
}

static void hello(struct raw *w, struct cts_rd *r)
{
    struct cts_err err = {0};
    char engine[32];
    uint32_t lowest = cts_rd_u32(r), highest = cts_rd_u32(r);
    cts_rd_str(r, engine, sizeof(engine));
    if (r->failed || r->at != r->len) {
        if (w->fault == F_HELLO_DIES)
            end(EXIT_FAULT);
        failed(w, "malformed greeting");
        return;
    }
    if (w->machine && w->fault != F_HELLO_AGAIN) {
        failed(w, "a second greeting");
        return;
    }
    if (!speaks(w, lowest, highest)) {
        answer_caps(w, CTS_E_PROTOCOL, "another version", NULL);
        return;
    }
    const char *name = engine[0] ? engine : w->engine[0] ? w->engine : "interp";
    if (w->fault == F_ANY_ENGINE)
        name = "interp";
    int number = w->fault == F_NO_DEFAULT && !engine[0]
                     ? cts_err_set(&err, CTS_E_NOTFOUND, "which engine?")
                     : cts_worker_engine(&cts_reference_adapter, name, &err);
    int rc = number;
    if (number >= 0)
        rc = cts_reference_adapter.probe(&w->machine, (unsigned)number, &w->caps, &err);
    if (rc == 0)
        twist_caps(w, &w->caps, name);
    answer_caps(w, rc, err.msg, &w->caps);
}

/* Items. */

static void forget(struct raw *w, struct program *p)
{
    if (p->prog && p->prog != w)
        cts_reference_adapter.unload(w->machine, p->prog);
    *p = (struct program){0};
}

static void twist_refusal(const struct raw *w, struct cts_load_res *res)
{
    if (w->fault == F_NO_REASON)
        res->text[0] = '\0';
    if (w->fault == F_NOT_UTF8)
        snprintf(res->text, sizeof(res->text), "no \xff good");
}

static void load(struct raw *w, struct cts_item *it, struct program *p)
{
    struct cts_load_res *res = &w->answer.load;
    uint64_t *code = malloc((size_t)it->load.slots * 8 + 8);
    struct program new = {.maps = it->load.map_count > 0};
    if (it->load.kind == CTS_PROG_WHOLE && it->load.slots)
        new.first = it->load.code[0];
    *res = (struct cts_load_res){0};
    if (!code)
        end(3);
    memcpy(code, it->load.code ? it->load.code : (const uint8_t *)"", (size_t)it->load.slots * 8);
    it->load.code = (const uint8_t *)code;
    w->answer.ops |= CTS_STEP_LOAD;
    if (w->fault == F_LONG_DIES && it->load.slots > 4096)
        end(EXIT_FAULT);
    if (w->fault == F_KEEPS_OLD && p->prog) {
        free(code);
        return;
    }
    if (w->fault != F_REFUSED_OLD)
        forget(w, p);
    cts_reference_adapter.load(w->machine, &it->load, &new.prog, res);
    free(code);
    if (w->fault == F_LAYOUT_ANY && it->load.kind == CTS_PROG_WINDOW &&
        res->verdict == CTS_LOAD_ERROR) {
        *res = (struct cts_load_res){.verdict = CTS_LOAD_ACCEPTED};
        new.prog = w; /* nothing that could be run */
    }
    if (res->verdict == CTS_LOAD_ACCEPTED) {
        forget(w, p);
        *p = new;
    } else {
        twist_refusal(w, res);
    }
}

static void twist_run(struct raw *w, struct program *p, struct cts_run_res *res)
{
    if (w->fault == F_R0_32)
        res->r0 = (uint32_t)res->r0;
    if (w->fault == F_FAULT_RAN && res->status == CTS_RUN_FAULTED)
        res->status = CTS_RUN_COMPLETED;
    if (w->fault == F_FAULT_DONE && res->status == CTS_RUN_FAULTED)
        res->done++;
    if (w->fault == F_STALE_MAP && p->maps && p->runs)
        res->r0 = 1;
    p->runs++;
}

/* At the first instruction of a whole program, which reads r1 or writes to the stack. */
static bool stops_early(const struct raw *w, const struct program *p)
{
    return (w->fault == F_NO_CONTEXT && p->first == cts_insn_info(CTS_INSN_LDX_W)->opcode) ||
           (w->fault == F_NO_STACK && p->first == cts_insn_info(CTS_INSN_ST_DW)->opcode);
}

static void run(struct raw *w, const struct cts_item *it, struct program *p)
{
    struct cts_run_req req = it->run;
    struct cts_run_res *res = &w->answer.run;
    uint8_t *rows = (uint8_t *)w->caps.window + it->entries_off;
    bool has_rows =
        it->ops & CTS_STEP_ENTRIES && it->entries_bytes && it->entries_off < w->caps.window_bytes;
    *res = (struct cts_run_res){.status = CTS_RUN_ERROR};
    w->answer.ops |= it->ops & (CTS_STEP_RUN | CTS_STEP_ENTRIES);
    if (has_rows)
        memcpy(rows, it->rows, it->entries_bytes);
    if (w->fault == F_ONCE)
        req.iterations = 1;
    if (p->prog && p->prog != w)
        cts_reference_adapter.run(w->machine, p->prog, &req, res);
    twist_run(w, p, res);
    if (stops_early(w, p))
        *res = (struct cts_run_res){.status = CTS_RUN_FAULTED};
    if (w->fault == F_ROWS_SPILT && has_rows)
        rows[CTS_WIN_HEADER + (it->entries_bytes - CTS_WIN_HEADER) / 4 + CTS_ENTRY_OUT] ^= 1;
    w->answer.rows = has_rows && w->fault != F_ROWS_LOST ? rows : it->rows;
    w->answer.entries_bytes = it->entries_bytes;
}

static bool fits(const struct raw *w, const struct cts_item *it)
{
    const struct cts_layout *l = it->load.layout;
    uint64_t most = w->caps.window_bytes;
    if (it->ops & CTS_STEP_ENTRIES && (uint64_t)it->entries_off + it->entries_bytes > most)
        return w->fault == F_ROWS_ANYWHERE;
    if (it->ops & CTS_STEP_LOAD && it->load.segments &&
        (uint64_t)l->region + cts_layout_bytes(l) > most)
        return w->fault == F_LAYOUT_ANY;
    return true;
}

static struct program *program_of(struct raw *w, unsigned number)
{
    return &w->progs[w->fault == F_NUMBERS ? number % 32 : number];
}

/* A text longer than the harness's own functions would write. */
static void put_long_text(struct raw *w)
{
    static const char text[3000 + 1] = {[0 ... 2999] = 'x'};
    cts_wr_u8(&w->out, CTS_STEP_LOAD);
    cts_wr_u8(&w->out, CTS_LOAD_REJECTED);
    cts_wr_u32(&w->out, 22);
    cts_wr_u32(&w->out, 0);
    cts_wr_bytes(&w->out, text, 3000);
}

static void put_answer(struct raw *w)
{
    const struct cts_answer *a = &w->answer;
    if (w->fault == F_LONG_TEXT && a->ops & CTS_STEP_LOAD && a->load.verdict == CTS_LOAD_REJECTED)
        put_long_text(w);
    else
        cts_wire_put_answer(&w->out, a);
}

/* False: it is malformed. */
static bool item(struct raw *w, struct cts_rd *r)
{
    struct cts_item it;
    if (cts_wire_get_item(r, &it, &w->room, NULL) || !fits(w, &it))
        return false;
    struct program *p = program_of(w, it.prog);
    if (w->fault != F_NO_BEGUN)
        cts_put64_host((uint8_t *)w->caps.window + CTS_WIN_BEGUN, ++w->begun);
    cts_put64_host((uint8_t *)w->caps.window + CTS_WIN_WAITING, w->fault == F_WAITS_ON);
    tell_progress(w);
    w->answer.ops = 0;
    if (it.ops & CTS_STEP_LOAD)
        load(w, &it, p);
    bool refused = w->answer.ops & CTS_STEP_LOAD && w->answer.load.verdict != CTS_LOAD_ACCEPTED;
    bool there = p->prog && !refused;
    if (it.ops & CTS_STEP_RUN &&
        (there || (refused && w->fault == F_REFUSED_RUN) || (!refused && w->fault == F_ABSENT)))
        run(w, &it, p);
    if (it.ops & CTS_STEP_UNLOAD && there) {
        forget(w, p);
        w->answer.ops |= CTS_STEP_UNLOAD;
    }
    put_answer(w);
    return true;
}

/* From the last answer to the first: each was noted with where it begins. */
static void reverse(struct raw *w, const size_t *at, uint32_t n)
{
    size_t len = w->out.len - at[0];
    uint8_t *copy = malloc(len + 1);
    if (!copy)
        end(3);
    memcpy(copy, w->out.data + at[0], len);
    for (uint32_t i = n, to = 0; i--; to += (uint32_t)(at[i + 1] - at[i]))
        memcpy(w->out.data + at[0] + to, copy + at[i] - at[0], at[i + 1] - at[i]);
    free(copy);
}

static bool items(struct raw *w, struct cts_rd *r)
{
    enum { REVERSIBLE = 1024 };
    size_t at[REVERSIBLE + 1];
    uint32_t n = cts_rd_u32(r);
    begin(w);
    cts_wr_u32(&w->out, n);
    for (uint32_t i = 0; i < n; i++) {
        at[i < REVERSIBLE ? i : 0] = w->out.len;
        if (!item(w, r))
            return false;
    }
    if (w->fault == F_REVERSE && n && n < REVERSIBLE) {
        at[n] = w->out.len;
        reverse(w, at, n);
    }
    return !r->failed && (r->at == r->len || w->fault == F_LENIENT);
}

static bool is_loaded(const struct raw *w)
{
    for (unsigned i = 0; i < CTS_WIRE_PROGS; i++)
        if (w->progs[i].prog)
            return true;
    return false;
}

/* The file that is there while a program is loaded. */
static void mark_loaded(const struct raw *w)
{
    const char *path = getenv("FAKE_STATE");
    if (w->fault != F_UNCLEAN || !path)
        return;
    if (!is_loaded(w)) {
        unlink(path);
        return;
    }
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

static void exec(struct raw *w, struct cts_rd *r)
{
    if (!w->machine) {
        if (w->fault == F_EARLY_DIES)
            end(EXIT_FAULT);
        failed(w, "no engine is open");
        return;
    }
    if (w->fault == F_EMPTY_DIES && w->head.bytes == 4 && cts_get32le(r->data) == 0)
        end(EXIT_FAULT);
    bool good = items(w, r);
    for (unsigned i = 0; w->fault == F_FORGETS && i < CTS_WIRE_PROGS; i++)
        forget(w, &w->progs[i]);
    mark_loaded(w);
    if (good)
        finish(w, CTS_FT_DONE);
    else if (w->fault == F_MALFORMED_DIES)
        end(EXIT_FAULT);
    else if (w->fault != F_MALFORMED_MUTE)
        failed(w, "malformed items");
}

/* The process. */

static void over(struct raw *w)
{
    while (w->fault == F_END_HANGS)
        pause();
    bool bad = w->fault == F_END_1 || (w->fault == F_END_LOADED && is_loaded(w));
    for (unsigned i = 0; i < CTS_WIRE_PROGS; i++)
        forget(w, &w->progs[i]);
    mark_loaded(w);
    end(bad ? 1 : 0);
}

static void serve(struct raw *w)
{
    uint8_t header[CTS_FRAME_HEADER];
    if (!read_all(w, header, sizeof(header)))
        over(w);
    if (cts_frame_get(header, &w->head, NULL)) {
        if (w->fault != F_HEADER_ON)
            end(w->fault == F_HEADER_0 ? 0 : EXIT_LOST);
        return;
    }
    w->in = realloc(w->in, w->head.bytes + 1u);
    if (!w->in || (w->head.bytes && !read_all(w, w->in, w->head.bytes)))
        end(1);
    struct cts_rd r = {.data = w->in, .len = w->head.bytes};
    if (w->head.type == CTS_FT_HELLO)
        hello(w, &r);
    else if (w->head.type == CTS_FT_EXEC)
        exec(w, &r);
    else if (w->fault != F_NO_REQUEST)
        failed(w, "no request");
}

static void start_state(const struct raw *w)
{
    const char *path = getenv("FAKE_STATE");
    if (path && w->fault == F_UNCLEAN && unlink(path) == 0)
        end(EXIT_FAULT);
    if (!path || w->fault != F_ALONE)
        return;
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB))
        end(EXIT_FAULT);
}

static int usage(void)
{
    fprintf(stderr, "usage: cts-raw-worker --fault NAME [ENGINE]\n");
    for (unsigned i = 0; i < CTS_ARRAY_LEN(faults); i++)
        fprintf(stderr, "  %-16s %s\n", faults[i].name, faults[i].what);
    return 2;
}

int main(int argc, char **argv)
{
    unsigned f = 0;
    if (argc < 3 || strcmp(argv[1], "--fault") != 0)
        return usage();
    while (f < CTS_ARRAY_LEN(faults) && strcmp(faults[f].name, argv[2]) != 0)
        f++;
    if (f == CTS_ARRAY_LEN(faults))
        return usage();
    struct raw *w = calloc(1, sizeof(*w));
    if (!w)
        return 1;
    w->fault = (enum fault)f;
    w->engine = argc > 3 ? argv[3] : "";
    w->out.grow = w->held.grow = cts_wr_grow_malloc;
    start_state(w);
    for (;;)
        serve(w);
}
