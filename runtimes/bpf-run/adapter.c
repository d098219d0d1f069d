#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "isa/isa.h"
#include "rt_bpf_run/bpf_run.h"

enum {
    RUN_PERCENT = 60, /* of one run, of what the harness gives an item */
    VERSION_MS = 3000,
    LOOP_SLOTS = 7,     /* what comes in the place of a program's last instruction */
    LOOP_REACH = 30000, /* slots that its jump goes back at most */
    SCRATCH = 2048,     /* in the worker's page */
};

static const struct cts_engine engines[] = {
    {"interp", "the interpreter"},
    {NULL, NULL},
};

enum { UNKNOWN, EXECUTES, REFUSES };

struct bpf_run {
    unsigned run_ms;
    struct bpf_run_machine m;
    uint8_t row[CTS_INSN_COUNT];
    char words[CTS_INSN_COUNT][64]; /* about the rows that it refuses */
};

struct program {
    uint32_t slots;
    bool loops; /* ends with the environment's exit, and with no other code behind it */
    uint8_t code[];
};

/* In the place of the last instruction, an exit: counts down and begins again. */
static void put_loop(uint8_t *code, uint32_t slots, uint32_t counter_at)
{
    uint8_t *at = code + (size_t)(slots - 1) * CTS_SLOT_BYTES;
    at = bpf_run_put(at, CTS_INSN_LDDW, 1, 0, 0, (int32_t)counter_at);
    at = bpf_run_put(at, CTS_INSN_LDX_DW, 2, 1, 0, 0);
    at = bpf_run_put(at, CTS_INSN_ADD64_K, 2, 0, 0, -1);
    at = bpf_run_put(at, CTS_INSN_STX_DW, 1, 2, 0, 0);
    at = bpf_run_put(at, CTS_INSN_JNE_K, 2, 0, -(int)((at - code) / CTS_SLOT_BYTES) - 1, 0);
    bpf_run_put(at, CTS_INSN_EXIT, 0, 0, 0, 0);
}

/* Which instructions there are. It says so when it comes to one, hence each row is tried once,
 * alone. */

enum { ALONE_SLOTS = 2 * 10 + 2 + 1 };

static void put_alone(struct bpf_run *b, enum cts_insn_id row, const uint8_t *slots, int n)
{
    unsigned flags = cts_insn_info(row)->flags;
    uint8_t *at = bpf_run_machine_clear(&b->m, ALONE_SLOTS), *insn;
    uint32_t page;
    bpf_run_machine_page(&b->m, ALONE_SLOTS, &page);
    /* Whatever it reads or writes through, there is memory. */
    for (unsigned r = 0; r < 10; r++)
        at = bpf_run_put(at, CTS_INSN_LDDW, r, 0, 0, (int32_t)(page + SCRATCH));
    insn = at;
    memcpy(insn, slots, (size_t)n * CTS_SLOT_BYTES);
    if (flags & (CTS_RF_JUMP | CTS_RF_LOAD | CTS_RF_STORE | CTS_RF_ATOMIC))
        cts_put16le(insn + 2, 0);
    if (row == CTS_INSN_JA32)
        cts_put32le(insn + 4, 0);
    bpf_run_put(at + (size_t)n * CTS_SLOT_BYTES, CTS_INSN_EXIT, 0, 0, 0, 0);
}

static void try_row(struct bpf_run *b, enum cts_insn_id row, const uint8_t *slots, int n)
{
    struct bpf_run_said said;
    struct cts_child run;
    put_alone(b, row, slots, n);
    bpf_run_machine_run(&b->m, ALONE_SLOTS, b->run_ms, &said, &run);
    b->row[row] = said.kind == BPF_RUN_NO_INSTRUCTION ? REFUSES : EXECUTES;
    char *place = strstr(said.words, " at PC ");
    if (place)
        *place = '\0';
    cts_fmt(b->words[row], sizeof(b->words[row]), "%s", said.words);
}

/* The first instruction that it has not; CTS_INSN_COUNT if it has all that are any. */
static enum cts_insn_id refused_row(struct bpf_run *b, const uint8_t *code, uint32_t slots)
{
    for (uint32_t i = 0; i < slots;) {
        const uint8_t *at = code + (size_t)i * CTS_SLOT_BYTES;
        struct cts_insn in;
        enum cts_insn_id row;
        int n = cts_decode(at, slots - i, false, &in, &row, NULL);
        i += n > 0 ? (uint32_t)n : 1;
        if (n <= 0)
            continue;
        if (b->row[row] == UNKNOWN)
            try_row(b, row, at, n);
        if (b->row[row] == REFUSES)
            return row;
    }
    return CTS_INSN_COUNT;
}

static bool may_loop(const struct cts_load_req *q)
{
    const uint8_t *last = q->code + (size_t)(q->slots - 1) * CTS_SLOT_BYTES;
    return q->kind == CTS_PROG_WINDOW && q->slots && q->slots <= LOOP_REACH &&
           last[0] == cts_insn_info(CTS_INSN_EXIT)->opcode;
}

static void bpf_run_load(void *self, const struct cts_load_req *q, void **prog,
                         struct cts_load_res *res)
{
    struct bpf_run *b = self;
    size_t bytes = (size_t)q->slots * CTS_SLOT_BYTES;
    enum cts_insn_id row = refused_row(b, q->code, q->slots);
    if (row != CTS_INSN_COUNT || q->slots > BPF_RUN_MOST_SLOTS - LOOP_SLOTS) {
        res->verdict = CTS_LOAD_REJECTED;
        if (row != CTS_INSN_COUNT)
            cts_fmt(res->text, sizeof(res->text), "%s: %s", cts_insn_info(row)->id, b->words[row]);
        else
            cts_fmt(res->text, sizeof(res->text), "a program of %u slots", q->slots);
        return;
    }
    struct program *p = malloc(sizeof(*p) + bytes);
    if (!p) {
        cts_fmt(res->text, sizeof(res->text), "out of memory");
        return;
    }
    p->slots = q->slots;
    p->loops = may_loop(q);
    if (bytes)
        memcpy(p->code, q->code, bytes);
    *prog = p;
    res->verdict = CTS_LOAD_ACCEPTED;
}

/* Runs up to `times` iterations in one go; how many were completed. */
static uint32_t run_some(struct bpf_run *b, const struct program *p, uint32_t times,
                         struct bpf_run_said *said)
{
    struct cts_child run;
    uint32_t room = p->slots + LOOP_SLOTS, address;
    uint8_t *code = bpf_run_machine_clear(&b->m, room),
            *counter = bpf_run_machine_page(&b->m, room, &address);
    if (p->slots)
        memcpy(code, p->code, (size_t)p->slots * CTS_SLOT_BYTES);
    bool loops = p->loops && times > 1;
    if (loops)
        put_loop(code, p->slots, address);
    else
        times = 1;
    cts_put64le(counter, times);
    bpf_run_machine_run(&b->m, room, b->run_ms, said, &run);
    uint64_t left = loops ? cts_get64le(counter) : times;
    if (left > times)
        left = times;
    /* Of those that are left, one came to an end of its own. */
    if (left && said->kind == BPF_RUN_EXITED)
        left--;
    return times - (uint32_t)left;
}

static const uint8_t status_of[] = {
    [BPF_RUN_EXITED] = CTS_RUN_COMPLETED,       [BPF_RUN_STOPPED] = CTS_RUN_FAULTED,
    [BPF_RUN_NO_INSTRUCTION] = CTS_RUN_FAULTED, [BPF_RUN_CRASHED] = CTS_RUN_CRASHED,
    [BPF_RUN_ENDLESS] = CTS_RUN_TIMED_OUT,      [BPF_RUN_BROKE] = CTS_RUN_ERROR,
};

static void bpf_run_run(void *self, void *prog, const struct cts_run_req *q,
                        struct cts_run_res *res)
{
    struct bpf_run *b = self;
    struct bpf_run_said said = {.kind = BPF_RUN_EXITED};
    res->status = CTS_RUN_COMPLETED;
    res->done = 0;
    while (res->done < q->iterations && said.kind == BPF_RUN_EXITED)
        res->done += run_some(b, prog, q->iterations - res->done, &said);
    res->r0 = said.r0;
    if (said.kind == BPF_RUN_EXITED)
        return;
    res->status = status_of[said.kind];
    cts_fmt(res->text, sizeof(res->text), "%s", said.words);
}

static void bpf_run_unload(void *self, void *prog)
{
    (void)self;
    free(prog);
}

static void bpf_run_release(void *self)
{
    struct bpf_run *b = self;
    bpf_run_machine_close(&b->m);
    free(b);
}

/* "GNU simulator (GDB) 16.3" becomes "16.3". */
static int ask_version(struct bpf_run *b, char *version, size_t cap, struct cts_err *err)
{
    const char *const argv[] = {b->m.path, "--version", NULL};
    char out[1024] = "", end[128];
    struct cts_child run = {
        .argv = argv, .timeout_ms = VERSION_MS, .out = {.text = out, .cap = sizeof(out)}};
    cts_child_run(&run, 1, 1);
    if (run.end != CTS_CHILD_EXITED || run.number != 0)
        return cts_err_set(err, CTS_E_WORKER, "%s --version: %s", b->m.path,
                           cts_child_end_text(&run, end, sizeof(end)));
    out[strcspn(out, "\n")] = '\0';
    const char *last = strrchr(out, ' ');
    cts_fmt(version, cap, "%s", last ? last + 1 : out);
    for (char *c = version; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
    return 0;
}

static void fill_caps(const struct bpf_run *b, struct cts_caps *caps)
{
    caps->window_kind = CTS_WK_ABSOLUTE;
    caps->window_bytes = BPF_RUN_WINDOW_BYTES;
    caps->window = b->m.window;
    caps->window_fd = b->m.window_fd;
    caps->window_addr = BPF_RUN_WINDOW_AT;
    caps->features = CTS_FEAT_POINTERS | CTS_FEAT_STACK_UNINIT;
    caps->max_slots = BPF_RUN_MOST_SLOTS - LOOP_SLOTS;
    caps->max_segments = 8;
    caps->max_iterations = 1 << 20;
    caps->r0_bits = 64;
}

static int bpf_run_probe(void **self, unsigned engine, struct cts_caps *caps, struct cts_err *err)
{
    static const char hint[] = "it comes with gdb-bpf, a package of Debian 13 and later";
    struct bpf_run *b = calloc(1, sizeof(*b));
    (void)engine;
    if (!b)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    b->m.code_fd = b->m.window_fd = -1;
    b->run_ms = cts_child_time_ms(RUN_PERCENT);
    int rc = cts_child_command("BPF_RUN", "bpf-run", hint, b->m.path, sizeof(b->m.path), err);
    if (rc == 0)
        rc = ask_version(b, caps->version, sizeof(caps->version), err);
    if (rc == 0)
        rc = bpf_run_machine_open(&b->m, err);
    if (rc) {
        bpf_run_release(b);
        return rc;
    }
    fill_caps(b, caps);
    *self = b;
    return 0;
}

const struct cts_adapter cts_bpf_run_adapter = {
    .name = "bpf-run",
    .engines = engines,
    .probe = bpf_run_probe,
    .load = bpf_run_load,
    .run = bpf_run_run,
    .unload = bpf_run_unload,
    .release = bpf_run_release,
};
