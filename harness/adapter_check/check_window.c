/* The window: rows in frames and in shared memory. */
#include <string.h>

#include "base/fmt.h"
#include "adapter_check/impl.h"
#include "pack/env.h"

enum {
    REGION = 128, /* not the first one possible */
    ROWS = 4,
    STRIDE = 256,
    MEM_BYTES = 16,
    REGION_BYTES = CTS_WIN_HEADER + ROWS * STRIDE,
    FIRST = 2, /* rows 2, 3, 0 are run; 1 is not */
    COUNT = 3,
    POINTER = 6, /* this register holds the address of the row's memory */
    FILL = 0xee,
};

/* What a program does between taking its inputs from a row and storing its outputs there: nothing,
 * r3 += r4, and *(u64 *)(r6 + 8) = r3 besides. */
enum body { EMPTY, ADD, ADD_STORE };

struct window_program {
    enum body body;
    struct cts_buf code;
    struct cts_layout layout;
};

static int make_program(struct ac *k, enum body what, struct window_program *p)
{
    struct ac_code body = {0};
    struct cts_err err = {0};
    struct cts_insn add = {.opcode = cts_insn_info(CTS_INSN_ADD64_X)->opcode, .dst = 3, .src = 4};
    struct cts_insn store = {
        .opcode = cts_insn_info(CTS_INSN_STX_DW)->opcode, .dst = POINTER, .src = 3, .off = 8};
    cts_buf_release(&p->code);
    cts_buf_init(&p->code, 0);
    if (k->caps.features & CTS_FEAT_GUESS)
        return ac_skip(k, "its memory is known by guesses, to which these rows are none");
    if (k->caps.window_bytes < REGION + REGION_BYTES || k->caps.max_iterations < COUNT)
        return ac_skip(k, "it cannot take %d rows at a time", ROWS);
    if (what != EMPTY)
        ac_insn_order(&body, false, add);
    if (what == ADD_STORE)
        ac_insn_order(&body, false, store);
    p->body = what;
    p->layout = (struct cts_layout){.region = REGION,
                                    .rows = ROWS,
                                    .stride = STRIDE,
                                    .mem_bytes = MEM_BYTES,
                                    .spill = -CTS_STACK_BYTES,
                                    .out_mask = 0x3ff & ~(1u << POINTER),
                                    .place[POINTER] = CTS_PL_MEM,
                                    .body_slots = body.slots};
    struct cts_env_segment seg = {
        .code = body.bytes, .slots = body.slots, .body_slots = body.slots, .layout = p->layout};
    return cts_env_build(&k->caps, &seg, 1, &p->code, &err) ? ac_skip(k, "%s", err.msg) : 0;
}

static struct cts_item item_of(const struct window_program *p, unsigned ops)
{
    struct cts_item it = ac_item(ops, 0, NULL);
    it.load.kind = CTS_PROG_WINDOW;
    it.load.code = (const uint8_t *)p->code.data;
    it.load.slots = (uint32_t)(p->code.len / CTS_SLOT_BYTES);
    it.load.layout = &p->layout;
    it.load.segments = 1;
    it.run.first_row = FIRST;
    it.run.iterations = COUNT;
    return it;
}

/* Rows. */

static void put64(const struct ac *k, uint8_t *at, uint64_t v)
{
    if (k->caps.be)
        cts_put64be(at, v);
    else
        cts_put64le(at, v);
}

static uint64_t input(unsigned row, unsigned reg)
{
    return 0x8123456789abcd00 + 0x1010101010101010 * row + reg * 0x11;
}

static void fill(const struct ac *k, uint8_t *region)
{
    memset(region, FILL, REGION_BYTES);
    put64(k, region + CTS_WIN_INDEX, FIRST);
    for (unsigned r = 0; r < ROWS; r++)
        for (unsigned i = 0; i < 10; i++)
            put64(k, region + CTS_WIN_HEADER + r * STRIDE + CTS_ENTRY_IN + 8 * i, input(r, i));
}

/* What a region that was filled so is after the run. */
static void expect(const struct ac *k, enum body body, uint8_t *region)
{
    fill(k, region);
    for (unsigned n = 0; n < COUNT; n++) {
        unsigned r = (FIRST + n) % ROWS;
        uint8_t *row = region + CTS_WIN_HEADER + r * STRIDE;
        uint64_t sum = input(r, 3) + (body == EMPTY ? 0 : input(r, 4));
        for (unsigned i = 0; i < 10; i++)
            if (i != POINTER)
                put64(k, row + CTS_ENTRY_OUT + 8 * i, i == 3 ? sum : input(r, i));
        if (body == ADD_STORE)
            put64(k, row + CTS_ENTRY_MEM + 8, sum);
        if (k->caps.window_kind == CTS_WK_NATIVE)
            put64(k, row + CTS_ENTRY_END, CTS_ENDED_FELL_THROUGH);
    }
}

static const char *place_name(unsigned at, char *buf, size_t cap)
{
    unsigned row = (at - CTS_WIN_HEADER) / STRIDE, in = (at - CTS_WIN_HEADER) % STRIDE;
    if (at < CTS_WIN_HEADER)
        cts_fmt(buf, cap, "byte %u of the region's header", at);
    else if (in < CTS_ENTRY_OUT)
        cts_fmt(buf, cap, "entry %u, the input of r%u", row, in / 8);
    else if (in < CTS_ENTRY_SELF)
        cts_fmt(buf, cap, "entry %u, the output of r%u", row, (in - CTS_ENTRY_OUT) / 8);
    else if (in >= CTS_ENTRY_MEM && in < CTS_ENTRY_MEM + MEM_BYTES)
        cts_fmt(buf, cap, "entry %u, byte %u of its memory", row, in - CTS_ENTRY_MEM);
    else
        cts_fmt(buf, cap, "entry %u, byte %u", row, in);
    return buf;
}

/* The index and the scratch word at the region's begin are the program's own. */
static int want_rows(struct ac *k, enum body body, const uint8_t *region)
{
    uint8_t want[REGION_BYTES];
    char place[64];
    expect(k, body, want);
    for (unsigned i = CTS_WIN_SCRATCH + 8; i < REGION_BYTES; i++) {
        if (region[i] == want[i])
            continue;
        unsigned word = i & ~7u;
        return ac_fail(k, "%s: the 8 bytes are %016llx, and %016llx is right (as they lie there)",
                       place_name(i, place, sizeof(place)),
                       (unsigned long long)cts_get64be(region + word),
                       (unsigned long long)cts_get64be(want + word));
    }
    return 0;
}

static int run_in_frames(struct ac *k, const struct window_program *p)
{
    uint8_t rows[REGION_BYTES];
    struct cts_item items[2] = {item_of(p, ALL | CTS_STEP_ENTRIES),
                                item_of(p, ALL | CTS_STEP_ENTRIES)};
    fill(k, rows);
    for (unsigned i = 0; i < 2; i++) {
        items[i].entries_off = REGION;
        items[i].rows = rows;
        items[i].entries_bytes = REGION_BYTES;
    }
    int rc = ac_exec(k, items, 2);
    /* Not every runtime stores to memory. */
    if (rc == 0 && p->body == ADD_STORE && k->answers[0].ops == CTS_STEP_LOAD)
        return 0;
    for (uint32_t i = 0; rc == 0 && i < 2; i++) {
        rc = ac_want_ran(k, i, &items[i], 0);
        if (rc == 0)
            rc = want_rows(k, p->body, k->answers[i].rows);
    }
    return rc;
}

static int check_rows(struct ac *k)
{
    struct window_program p = {0};
    int rc = ac_open(k);
    for (int body = EMPTY; rc == 0 && body <= ADD_STORE; body++) {
        rc = make_program(k, (enum body)body, &p);
        if (rc == 0)
            rc = run_in_frames(k, &p);
    }
    cts_buf_release(&p.code);
    return rc;
}

static int run_shared(struct ac *k, const struct window_program *p)
{
    struct cts_item it = item_of(p, ALL);
    uint8_t *region = (uint8_t *)k->link->window.data + REGION;
    fill(k, region);
    int rc = ac_exec(k, &it, 1);
    if (rc == 0)
        rc = ac_want_ran(k, 0, &it, 0);
    return rc ? rc : want_rows(k, p->body, region);
}

static int check_shared(struct ac *k)
{
    struct window_program p = {0};
    int rc = ac_open(k);
    if (rc == 0)
        rc = ac_map_window(k);
    if (rc == 0)
        rc = make_program(k, ADD, &p);
    if (rc == 0)
        rc = run_shared(k, &p);
    cts_buf_release(&p.code);
    return rc;
}

/* Rows that lie outside of the window. */
static int check_rows_outside(struct ac *k)
{
    static const uint8_t rows[64];
    struct window_program p = {0};
    int rc = ac_open(k);
    if (rc == 0)
        rc = make_program(k, ADD, &p);
    struct cts_item it = item_of(&p, ALL | CTS_STEP_ENTRIES);
    const uint32_t off[] = {k->caps.window_bytes - 32, k->caps.window_bytes, UINT32_MAX - 31};
    it.rows = rows;
    it.entries_bytes = sizeof(rows);
    for (unsigned i = 0; rc == 0 && i < CTS_ARRAY_LEN(off); i++) {
        it.entries_off = off[i];
        rc = ac_ask_items(k, &it, 1);
        if (rc == 0)
            rc = ac_want_failed(k, "rows that reach beyond the window");
    }
    cts_buf_release(&p.code);
    return rc ? rc : ac_runs(k, 61);
}

/* A layout that a native worker would follow out of its window. */
static int check_layout(struct ac *k)
{
    struct window_program p = {0};
    int rc = ac_open(k);
    if (rc == 0 && k->caps.window_kind != CTS_WK_NATIVE)
        return ac_skip(k, "the layout is a note to it: its window is not native");
    if (rc == 0)
        rc = make_program(k, ADD, &p);
    struct cts_layout bad = p.layout;
    bad.region = k->caps.window_bytes & ~63u;
    struct cts_item it = item_of(&p, CTS_STEP_LOAD);
    it.load.layout = &bad;
    if (rc == 0)
        rc = ac_ask_items(k, &it, 1);
    struct cts_frame f;
    struct cts_rd r;
    if (rc == 0)
        rc = ac_reply(k, &f, &r);
    /* FAILED, or an answer that does not accept it. */
    if (rc == 0 && f.type != CTS_FT_FAILED &&
        !(r.len > 5 && r.data[4] == CTS_STEP_LOAD && r.data[5] != CTS_LOAD_ACCEPTED))
        rc = ac_fail(k, "it accepts a region that lies behind its window");
    cts_buf_release(&p.code);
    return rc ? rc : ac_runs(k, 62);
}

static int want_begun(struct ac *k, uint64_t items)
{
    uint64_t begun = cts_get64_host((const uint8_t *)k->link->window.data + CTS_WIN_BEGUN);
    uint64_t waiting = cts_get64_host((const uint8_t *)k->link->window.data + CTS_WIN_WAITING);
    if (waiting)
        return ac_fail(k,
                       "it has answered, and the second number of its window says that it "
                       "waits: %llu",
                       (unsigned long long)waiting);
    if (begun == items)
        return 0;
    return ac_fail(k, "after %u items the number at the begin of the window is %llu",
                   (unsigned)items, (unsigned long long)begun);
}

/* Also of items that do nothing, and of refused ones. */
static int check_begun(struct ac *k)
{
    struct ac_code c;
    int rc = ac_open(k);
    if (rc == 0)
        rc = ac_map_window(k);
    if (rc)
        return rc;
    ac_returns(k, &c, 1);
    struct cts_item items[] = {ac_item(ALL, 0, &c), ac_item(CTS_STEP_RUN, 1, NULL),
                               ac_item(CTS_STEP_LOAD, 2, &c)};
    for (unsigned round = 1; rc == 0 && round <= 3; round++) {
        rc = ac_exec(k, items, 3);
        if (rc == 0)
            rc = want_begun(k, 3 * round);
    }
    return rc;
}

const struct ac_check ac_checks_window[] = {
    {"entries", "runs rows that come in frames, touching nothing but what it is to write",
     AC_NEEDS_RUN | AC_NEEDS_WINDOW | AC_NEEDS_RESULTS, check_rows},
    {"shared", "runs rows in shared memory", AC_NEEDS_RUN | AC_NEEDS_WINDOW | AC_NEEDS_RESULTS,
     check_shared},
    {"begun", "counts the items it has begun at the begin of its shared window",
     AC_NEEDS_CAPS | AC_NEEDS_WINDOW, check_begun},
    {"entries-outside", "answers rows outside of its window with FAILED, and goes on",
     AC_NEEDS_RUN | AC_NEEDS_WINDOW | AC_NEEDS_RESULTS, check_rows_outside},
    {"layout", "does not accept a region outside of its window",
     AC_NEEDS_RUN | AC_NEEDS_WINDOW | AC_NEEDS_RESULTS, check_layout},
    {0},
};
