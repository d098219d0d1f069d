/* uses: base wire */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "wire/wire.h"
#include "wire/worker.h"

static const uint8_t two_slots[16] = {0xb7, 0, 0, 0, 1, 0, 0, 0, 0x95};
static const uint8_t map_data[8] = {1, 2, 3, 4, 5, 6, 7, 8};

/* The worker's main loop, with an adapter that notes what is done to it. */

struct notes { /* shared with the worker's process */
    unsigned loads, runs, unloads, releases, aheads;
    bool unaligned, unannounced;
    const uint8_t *ahead_elf; /* of the last load announced */
    unsigned engine;
};

static struct notes *notes; /* an adapter's probe is handed nothing else to reach it by */
static uint8_t window[4096];
enum { MISSING = 1, OTHER };

static int note_probe(void **self, unsigned engine, struct cts_caps *caps, struct cts_err *err)
{
    if (engine == MISSING)
        return cts_err_set(err, CTS_E_UNSUPPORTED, "install it");
    notes->engine = engine;
    printf("a library greets\n");
    fflush(stdout);
    *self = notes;
    caps->window_kind = CTS_WK_NATIVE;
    caps->window = window;
    caps->window_bytes = sizeof(window);
    caps->window_fd = -1;
    caps->max_slots = 16;
    return 0;
}

static void note_ahead(void *self, const struct cts_load_req *reqs, uint32_t n)
{
    struct notes *mine = self;
    mine->aheads += n;
    for (uint32_t i = 0; i < n; i++)
        mine->ahead_elf = reqs[i].elf;
}

static void note_load(void *self, const struct cts_load_req *req, void **prog,
                      struct cts_load_res *res)
{
    struct notes *n = self;
    n->loads++;
    n->unannounced |= n->aheads < n->loads || n->ahead_elf != req->elf || !req->elf;
    n->unaligned |= (uintptr_t)req->code % 8 != 0;
    if (req->code[0] == 0xff) {
        res->verdict = CTS_LOAD_REJECTED;
        res->err_no = 22;
        strcpy(res->text, "no");
        return;
    }
    res->verdict = CTS_LOAD_ACCEPTED;
    *prog = n;
}

static void note_run(void *self, void *prog, const struct cts_run_req *req, struct cts_run_res *res)
{
    struct notes *n = self;
    assert_ptr_equal(prog, n);
    n->runs++;
    window[64]++;
    res->status = CTS_RUN_COMPLETED;
    res->done = req->iterations;
    res->r0 = 42;
}

static void note_unload(void *self, void *prog)
{
    (void)prog;
    ((struct notes *)self)->unloads++;
}

static void note_release(void *self)
{
    ((struct notes *)self)->releases++;
}

static const struct cts_engine note_engines[] = {
    {"one", "1"}, [MISSING] = {"missing", "2"}, {"other", "3"}, {NULL, NULL}};
static const struct cts_adapter note_adapter = {.name = "note",
                                                .engines = note_engines,
                                                .probe = note_probe,
                                                .ahead = note_ahead,
                                                .load = note_load,
                                                .run = note_run,
                                                .unload = note_unload,
                                                .release = note_release};

struct link {
    pid_t pid;
    int to, from;
    uint8_t payload[1 << 16];
    struct cts_frame frame;
};

static int start_worker(void **state)
{
    static struct link link;
    int to[2], from[2];
    notes = mmap(NULL, sizeof(*notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (notes == MAP_FAILED || pipe(to) || pipe(from))
        return -1;
    fflush(stdout);
    link.pid = fork();
    if (link.pid == 0) {
        char name[] = "note", *argv[] = {name, NULL};
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[0]), close(to[1]), close(from[0]), close(from[1]);
        _exit(cts_worker_main(1, argv, &note_adapter));
    }
    close(to[0]), close(from[1]);
    link.to = to[1];
    link.from = from[0];
    *state = &link;
    return 0;
}

static int end_worker(void **state)
{
    struct link *l = *state;
    if (l->to >= 0)
        close(l->to);
    close(l->from);
    if (l->pid)
        waitpid(l->pid, NULL, 0);
    munmap(notes, sizeof(*notes));
    return 0;
}

static int exit_of(struct link *l)
{
    int status;
    close(l->to);
    l->to = -1;
    assert_int_equal(waitpid(l->pid, &status, 0), l->pid);
    l->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void ask_raw(struct link *l, uint16_t type, uint32_t seq, const void *data, size_t len)
{
    uint8_t header[CTS_FRAME_HEADER];
    struct cts_frame f = {.bytes = (uint32_t)len, .type = type, .seq = seq};
    cts_frame_put(header, &f);
    assert_int_equal(write(l->to, header, sizeof(header)), sizeof(header));
    if (len)
        assert_int_equal(write(l->to, data, len), len);
}

static void read_fully(int fd, void *data, size_t len)
{
    uint8_t *at = data;
    while (len) {
        ssize_t n = read(fd, at, len);
        assert_true(n > 0);
        at += n;
        len -= (size_t)n;
    }
}

static struct cts_rd answer(struct link *l, uint16_t type, uint32_t seq)
{
    uint8_t header[CTS_FRAME_HEADER];
    read_fully(l->from, header, sizeof(header));
    assert_int_equal(cts_frame_get(header, &l->frame, NULL), 0);
    assert_true(l->frame.bytes <= sizeof(l->payload));
    read_fully(l->from, l->payload, l->frame.bytes);
    assert_int_equal(l->frame.type, type);
    assert_int_equal(l->frame.seq, seq);
    struct cts_rd r = {.data = l->payload, .len = l->frame.bytes};
    return r;
}

static struct cts_rd greet(struct link *l, uint32_t low, uint32_t high, const char *engine)
{
    uint8_t room[64];
    struct cts_wr w = {.data = room, .cap = sizeof(room)};
    cts_wr_u32(&w, low);
    cts_wr_u32(&w, high);
    cts_wr_str(&w, engine);
    ask_raw(l, CTS_FT_HELLO, 1, room, w.len);
    return answer(l, CTS_FT_CAPS, 1);
}

static int32_t refusal(struct cts_rd r, char *why, size_t cap)
{
    assert_int_equal(cts_rd_u32(&r), CTS_WIRE_VERSION);
    int32_t code = (int32_t)cts_rd_u32(&r);
    cts_rd_str(&r, why, cap);
    assert_false(r.failed);
    return code;
}

static void open_engine(struct link *l)
{
    char why[64];
    assert_int_equal(refusal(greet(l, 1, 3, ""), why, sizeof(why)), 0);
}

static void test_worker_handshake(void **state)
{
    struct link *l = *state;
    struct cts_rd r = greet(l, 1, 3, "");
    struct cts_caps caps;
    assert_int_equal(cts_rd_u32(&r), CTS_WIRE_VERSION);
    assert_int_equal(cts_rd_u32(&r), 0);
    assert_int_equal(cts_rd_u32(&r), 0);
    assert_int_equal(cts_wire_get_caps(&r, &caps, NULL), 0);
    assert_int_equal(r.at, r.len);
    assert_string_equal(caps.runtime, "note");
    assert_string_equal(caps.engine, "one");
    assert_int_equal(notes->engine, 0);
    assert_int_equal(exit_of(l), 0);
    assert_int_equal(notes->releases, 1);
}

static void test_worker_refuses_engines(void **state)
{
    struct link *l = *state;
    char why[256];
    assert_int_equal(refusal(greet(l, 1, 1, "four"), why, sizeof(why)), CTS_E_UNSUPPORTED);
    assert_non_null(strstr(why, "four"));
    assert_non_null(strstr(why, "one, missing, other"));
    assert_int_equal(refusal(greet(l, 1, 1, "missing"), why, sizeof(why)), CTS_E_UNSUPPORTED);
    assert_string_equal(why, "install it");
    assert_int_equal(refusal(greet(l, 2, 3, "one"), why, sizeof(why)), CTS_E_PROTOCOL);
    assert_int_equal(exit_of(l), 0);
    assert_int_equal(notes->releases, 0);
}

/* Adapters look no name up: they get the index. */
static void test_engines_by_index(void **state)
{
    struct cts_err err = {0};
    struct link *l = *state;
    struct cts_caps caps;
    assert_int_equal(cts_worker_engine(&note_adapter, "", NULL), 0);
    assert_int_equal(cts_worker_engine(&note_adapter, "other", NULL), OTHER);
    assert_int_equal(cts_worker_engine(&note_adapter, "oth", &err), CTS_E_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "note has no engine 'oth'"));
    struct cts_rd r = greet(l, 1, 1, "other");
    uint32_t reason;
    assert_int_equal(cts_rd_u32(&r), CTS_WIRE_VERSION);
    assert_int_equal(cts_rd_u32(&r), 0);
    cts_rd_bytes(&r, &reason);
    assert_int_equal(cts_wire_get_caps(&r, &caps, NULL), 0);
    assert_string_equal(caps.engine, "other");
    assert_int_equal(notes->engine, OTHER);
    assert_int_equal(exit_of(l), 0);
}

static void expect_failed(struct link *l, uint32_t seq)
{
    struct cts_rd r = answer(l, CTS_FT_FAILED, seq);
    char why[256];
    assert_true((int32_t)cts_rd_u32(&r) < 0);
    cts_rd_str(&r, why, sizeof(why));
    assert_false(r.failed);
    assert_true(why[0]);
}

static size_t whole_item(uint8_t *room, size_t cap, uint8_t ops, uint8_t prog, uint8_t opcode)
{
    uint8_t code[16];
    memcpy(code, two_slots, sizeof(code));
    code[0] = opcode;
    struct cts_item it = {
        .ops = ops,
        .prog = prog,
        .load = {.kind = CTS_PROG_WHOLE, .code = code, .slots = 2, .elf = map_data, .elf_bytes = 4},
        .run = {.iterations = 3},
        .entries_off = 64,
        .entries_bytes = 8,
        .rows = map_data};
    struct cts_wr w = {.data = room, .cap = cap};
    cts_wire_put_item(&w, &it);
    assert_false(w.failed);
    return w.len;
}

static void ask_item(struct link *l, uint32_t seq, uint8_t ops, uint8_t prog, uint8_t opcode)
{
    uint8_t room[512] = {1};
    size_t n = whole_item(room + 4, sizeof(room) - 4, ops, prog, opcode);
    ask_raw(l, CTS_FT_EXEC, seq, room, n + 4);
}

static struct cts_answer *one_answer(struct link *l, uint32_t seq)
{
    static struct cts_answer a;
    struct cts_rd r = answer(l, CTS_FT_DONE, seq);
    assert_int_equal(cts_rd_u32(&r), 1);
    assert_int_equal(cts_wire_get_answer(&r, &a, NULL), 0);
    assert_int_equal(r.at, r.len);
    return &a;
}

static void test_worker_steps(void **state)
{
    enum { ALL = CTS_STEP_LOAD | CTS_STEP_RUN | CTS_STEP_UNLOAD };
    struct link *l = *state;
    open_engine(l);
    ask_item(l, 2, ALL, 0, 0xb7);
    struct cts_answer *a = one_answer(l, 2);
    assert_int_equal(a->ops, ALL);
    assert_int_equal(a->load.verdict, CTS_LOAD_ACCEPTED);
    assert_int_equal(a->run.status, CTS_RUN_COMPLETED);
    assert_int_equal(a->run.done, 3);
    assert_int_equal(a->run.r0, 42);

    ask_item(l, 3, ALL, 0, 0xff);
    a = one_answer(l, 3);
    assert_int_equal(a->ops, CTS_STEP_LOAD);
    assert_int_equal(a->load.verdict, CTS_LOAD_REJECTED);
    assert_string_equal(a->load.text, "no");

    /* Split over requests; a run without a program does nothing. */
    ask_item(l, 4, CTS_STEP_RUN, 9, 0);
    assert_int_equal(one_answer(l, 4)->ops, 0);
    ask_item(l, 5, CTS_STEP_LOAD, 9, 0xb7);
    assert_int_equal(one_answer(l, 5)->ops, CTS_STEP_LOAD);
    ask_item(l, 6, CTS_STEP_RUN, 9, 0);
    assert_int_equal(one_answer(l, 6)->ops, CTS_STEP_RUN);
    ask_item(l, 7, CTS_STEP_UNLOAD, 9, 0);
    assert_int_equal(one_answer(l, 7)->ops, CTS_STEP_UNLOAD);
    ask_item(l, 8, CTS_STEP_UNLOAD, 9, 0);
    assert_int_equal(one_answer(l, 8)->ops, 0);
    assert_int_equal(notes->unloads, 2);

    /* A number that is taken again gives its program up; the end of input gives up the rest. */
    ask_item(l, 9, CTS_STEP_LOAD, 9, 0xb7);
    one_answer(l, 9);
    ask_item(l, 10, CTS_STEP_LOAD, 9, 0xb7);
    one_answer(l, 10);
    assert_int_equal(notes->unloads, 3);
    assert_int_equal(exit_of(l), 0);
    assert_int_equal(notes->unloads, 4);
    assert_int_equal(notes->releases, 1);
    assert_false(notes->unaligned);
    /* Each load was announced, by the place of its object. */
    assert_int_equal(notes->loads, 5);
    assert_int_equal(notes->aheads, 5);
    assert_false(notes->unannounced);
}

static void test_worker_rows(void **state)
{
    struct link *l = *state;
    open_engine(l);
    ask_item(l, 2, CTS_STEP_LOAD | CTS_STEP_RUN | CTS_STEP_ENTRIES, 0, 0xb7);
    struct cts_answer *a = one_answer(l, 2);
    assert_true(a->ops & CTS_STEP_ENTRIES);
    assert_int_equal(a->entries_bytes, 8);
    assert_int_equal(a->rows[0], map_data[0] + 1);
    assert_memory_equal(a->rows + 1, map_data + 1, 7);
}

static void test_worker_refuses_what_it_cannot_read(void **state)
{
    struct link *l = *state;
    uint8_t room[512] = {1};
    ask_item(l, 1, CTS_STEP_LOAD, 0, 0xb7); /* before the greeting */
    expect_failed(l, 1);
    open_engine(l);
    ask_raw(l, CTS_FT_HELLO, 2, room, 0);
    expect_failed(l, 2);
    ask_raw(l, CTS_FT_DONE, 3, room, 4);
    expect_failed(l, 3);
    ask_raw(l, CTS_FT_EXEC, 4, room, 0);
    expect_failed(l, 4);
    size_t n = whole_item(room + 4, sizeof(room) - 4, CTS_STEP_LOAD, 0, 0xb7);
    ask_raw(l, CTS_FT_EXEC, 5, room, n + 3); /* cut */
    expect_failed(l, 5);
    ask_raw(l, CTS_FT_EXEC, 6, room, n + 5); /* a byte too many */
    expect_failed(l, 6);
    room[0] = 2; /* more items than there are */
    ask_raw(l, CTS_FT_EXEC, 7, room, n + 4);
    expect_failed(l, 7);
    room[0] = room[1] = room[2] = room[3] = 0xff;
    ask_raw(l, CTS_FT_EXEC, 8, room, n + 4);
    expect_failed(l, 8);
    ask_item(l, 9, CTS_STEP_LOAD | CTS_STEP_RUN, 0, 0xb7); /* and it goes on */
    assert_int_equal(one_answer(l, 9)->ops, CTS_STEP_LOAD | CTS_STEP_RUN);
    assert_int_equal(exit_of(l), 0);
}

static void ask_layout(struct link *l, uint32_t seq, const struct cts_layout *layout)
{
    uint8_t room[512] = {1};
    struct cts_item it = {
        .ops = CTS_STEP_LOAD,
        .load = {.code = two_slots, .slots = 2, .layout = layout, .segments = layout ? 1 : 0}};
    struct cts_wr w = {.data = room, .len = 4, .cap = sizeof(room)};
    cts_wire_put_item(&w, &it);
    ask_raw(l, CTS_FT_EXEC, seq, room, w.len);
}

static void test_worker_keeps_to_its_window(void **state)
{
    struct link *l = *state;
    static const struct cts_layout bad[] = {
        {.region = 64, .rows = 3, .stride = 256},
        {.region = 64, .rows = 4, .stride = 200},
        {.region = 0, .rows = 16, .stride = 256},
        {.region = 32, .rows = 1, .stride = 256},
        {.region = 1u << 31, .rows = 1, .stride = 256},
        {.region = 4096, .rows = 1, .stride = 1},
        {.region = 0, .rows = 1u << 31, .stride = 1u << 31},
    };
    static const struct cts_layout good = {.region = 64, .rows = 8, .stride = 256};
    uint32_t seq = 2;
    open_engine(l);
    for (unsigned i = 0; i < CTS_ARRAY_LEN(bad); i++, seq++) {
        ask_layout(l, seq, &bad[i]);
        expect_failed(l, seq);
    }
    ask_layout(l, seq, NULL);
    expect_failed(l, seq++);
    ask_layout(l, seq, &good);
    assert_int_equal(one_answer(l, seq)->load.verdict, CTS_LOAD_ACCEPTED);
    assert_int_equal(notes->loads, 1);
}

static void test_worker_gives_up_on_a_bad_header(void **state)
{
    struct link *l = *state;
    open_engine(l);
    ask_raw(l, 77, 5, NULL, 0);
    expect_failed(l, 5);
    assert_int_equal(exit_of(l), 2);
    assert_int_equal(notes->releases, 1);
}

static void test_worker_notices_a_broken_frame(void **state)
{
    struct link *l = *state;
    open_engine(l);
    assert_int_equal(write(l->to, "\x10\0\0\0\x03", 5), 5);
    assert_int_equal(exit_of(l), 1);
    assert_int_equal(notes->releases, 1);
}

#define WITH_WORKER(f) cmocka_unit_test_setup_teardown(f, start_worker, end_worker)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORKER(test_worker_handshake),
        WITH_WORKER(test_worker_refuses_engines),
        WITH_WORKER(test_engines_by_index),
        WITH_WORKER(test_worker_steps),
        WITH_WORKER(test_worker_rows),
        WITH_WORKER(test_worker_refuses_what_it_cannot_read),
        WITH_WORKER(test_worker_keeps_to_its_window),
        WITH_WORKER(test_worker_gives_up_on_a_bad_header),
        WITH_WORKER(test_worker_notices_a_broken_frame),
    };
    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
