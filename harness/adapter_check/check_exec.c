/* Programs: loading, running, unloading, many at a time. */
#include <string.h>

#include "base/fmt.h"
#include "adapter_check/impl.h"

enum {
    UNLOAD = CTS_STEP_UNLOAD,
    VALUE = 0xdead, /* r0 of the simplest program */
    BATCH = 200,
    ITERATIONS = 1000,
};

static int check_empty(struct ac *k)
{
    int rc = ac_open(k);
    for (unsigned i = 0; rc == 0 && i < 3; i++)
        rc = ac_exec(k, NULL, 0);
    return rc;
}

static int check_load(struct ac *k)
{
    struct ac_code c;
    int rc = ac_open(k);
    ac_returns(k, &c, VALUE);
    struct cts_item it = ac_item(LOAD | UNLOAD, 0, &c);
    if (rc == 0)
        rc = ac_exec(k, &it, 1);
    return rc ? rc : ac_want_ops(k, 0, it.ops, "");
}

static int check_run(struct ac *k)
{
    struct ac_code c;
    int rc = ac_open(k);
    ac_returns(k, &c, VALUE);
    struct cts_item it = ac_item(ALL, 0, &c);
    if (rc == 0)
        rc = ac_exec(k, &it, 1);
    return rc ? rc : ac_want_ran(k, 0, &it, VALUE);
}

/* Numbers with all bits of the result in use. */
static int check_result(struct ac *k)
{
    static const uint64_t values[] = {0, 1, UINT64_MAX, 0x8000000000000000, 0x0123456789abcdef};
    struct ac_code c;
    int rc = ac_open(k);
    for (unsigned i = 0; rc == 0 && i < CTS_ARRAY_LEN(values); i++) {
        c.slots = 0;
        ac_insn(k, &c,
                (struct cts_insn){.opcode = cts_insn_info(CTS_INSN_LDDW)->opcode,
                                  .imm = (int32_t)(uint32_t)values[i],
                                  .next_imm = (int32_t)(uint32_t)(values[i] >> 32)});
        ac_insn(k, &c, (struct cts_insn){.opcode = cts_insn_info(CTS_INSN_EXIT)->opcode});
        struct cts_item it = ac_item(ALL, 0, &c);
        rc = ac_exec(k, &it, 1);
        if (rc == 0 && k->answers[0].ops == CTS_STEP_LOAD)
            return ac_skip(k, "it does not know lddw");
        if (rc == 0)
            rc = ac_want_ran(k, 0, &it, values[i]);
    }
    return rc;
}

static int check_iterations(struct ac *k)
{
    struct ac_code c;
    int rc = ac_open(k);
    ac_returns(k, &c, 7);
    struct cts_item it = ac_item(ALL, 1, &c);
    it.run.iterations = ITERATIONS < k->caps.max_iterations ? ITERATIONS : k->caps.max_iterations;
    if (rc == 0)
        rc = ac_exec(k, &it, 1);
    return rc ? rc : ac_want_ran(k, 0, &it, 7);
}

/* One item, alone in its frame. */
static int step(struct ac *k, unsigned ops, unsigned prog, const struct ac_code *c, uint64_t r0)
{
    struct cts_item it = ac_item(ops, prog, c);
    int rc = ac_exec(k, &it, 1);
    return rc ? rc : ac_want_ran(k, 0, &it, r0);
}

/* Steps with a program that is not there. */
static int step_absent(struct ac *k, unsigned prog, const char *when)
{
    static const uint8_t ops[] = {RUN, UNLOAD, RUN | UNLOAD};
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < CTS_ARRAY_LEN(ops); i++) {
        struct cts_item it = ac_item(ops[i], prog, NULL);
        rc = ac_exec(k, &it, 1);
        if (rc == 0)
            rc = ac_want_ops(k, 0, 0, when);
    }
    return rc;
}

static int check_kept(struct ac *k)
{
    struct ac_code c;
    int rc = ac_open(k);
    ac_returns(k, &c, 9);
    if (rc == 0)
        rc = step(k, LOAD, 3, &c, 0);
    for (unsigned i = 0; rc == 0 && i < 2; i++)
        rc = step(k, RUN, 3, &c, 9);
    if (rc == 0)
        rc = step(k, UNLOAD, 3, &c, 0);
    return rc ? rc : step_absent(k, 3, "after the unload");
}

static int check_absent(struct ac *k)
{
    int rc = ac_open(k);
    if (rc == 0)
        rc = step_absent(k, 0, "where no program was ever loaded");
    return rc ? rc : step_absent(k, CTS_WIRE_PROGS - 1, "where no program was ever loaded");
}

static int check_numbers(struct ac *k)
{
    struct ac_code c[CTS_WIRE_PROGS];
    struct cts_item load[CTS_WIRE_PROGS], run[CTS_WIRE_PROGS];
    int rc = ac_open(k);
    for (unsigned i = 0; i < CTS_WIRE_PROGS; i++) {
        unsigned last = CTS_WIRE_PROGS - 1 - i;
        ac_returns(k, &c[i], (int32_t)(1000 + i));
        load[i] = ac_item(LOAD, i, &c[i]);
        run[last] = ac_item(RUN | UNLOAD, i, NULL);
    }
    if (rc == 0)
        rc = ac_exec(k, load, CTS_WIRE_PROGS);
    for (unsigned i = 0; rc == 0 && i < CTS_WIRE_PROGS; i++)
        rc = ac_want_ops(k, i, LOAD, "with many programs at a time");
    if (rc == 0)
        rc = ac_exec(k, run, CTS_WIRE_PROGS);
    for (unsigned i = 0; rc == 0 && i < CTS_WIRE_PROGS; i++)
        rc = ac_want_ran(k, i, &run[i], 1000 + run[i].prog);
    return rc;
}

static int check_replaced(struct ac *k)
{
    struct ac_code c;
    int rc = ac_open(k);
    for (int i = 1; rc == 0 && i <= 3; i++) {
        ac_returns(k, &c, i);
        rc = step(k, LOAD, 8, &c, 0);
        if (rc == 0)
            rc = step(k, RUN, 8, NULL, (uint64_t)i);
    }
    return rc;
}

static int check_batch(struct ac *k)
{
    struct cts_item items[BATCH];
    struct ac_code c;
    int rc = ac_open(k);
    cts_buf_clear(&k->code);
    for (unsigned i = 0; i < BATCH; i++) {
        ac_returns(k, &c, (int32_t)(5000 + i));
        cts_buf_add(&k->code, c.bytes, (size_t)c.slots * CTS_SLOT_BYTES);
        items[i] = ac_item(ALL, i % 2, &c);
    }
    if (rc == 0 && k->code.failed)
        rc = ac_fail(k, "no memory for %d programs", BATCH);
    for (unsigned i = 0; rc == 0 && i < BATCH; i++)
        items[i].load.code = (const uint8_t *)k->code.data + (size_t)i * c.slots * CTS_SLOT_BYTES;
    if (rc == 0)
        rc = ac_exec(k, items, BATCH);
    for (unsigned i = 0; rc == 0 && i < BATCH; i++)
        rc = ac_want_ran(k, i, &items[i], 5000 + i);
    return rc;
}

/* Refusals. */

struct bad_program {
    const char *what;
    struct cts_insn insn[3];
    uint32_t slots;
};

enum { OP_NONE = 0xff };

/* What no runtime has a use for. An interpreter may find out only when it runs them. */
static const struct bad_program bad_programs[] = {
    {"an opcode that is not assigned", {{.opcode = OP_NONE}, {.opcode = CTS_OPCODE_EXIT}}, 2},
    {"a jump out of the program",
     {{.opcode = CTS_OPCODE_JA, .off = 100}, {.opcode = CTS_OPCODE_EXIT}},
     2},
    {"a program without its end", {{.opcode = CTS_OPCODE_MOV64_K, .imm = 1}}, 1},
    {"a program of no instructions", {{0}}, 0},
};

static void make_bad(const struct ac *k, const struct bad_program *b, struct ac_code *c)
{
    c->slots = 0;
    for (uint32_t i = 0; i < b->slots; i++)
        ac_insn(k, c, b->insn[i]);
}

/* Opens it and finds a program that it rejects; a skip if there is none. */
static int find_rejected(struct ac *k, struct ac_code *c)
{
    int rc = ac_open(k);
    for (unsigned i = 0; rc == 0 && i < CTS_ARRAY_LEN(bad_programs); i++) {
        make_bad(k, &bad_programs[i], c);
        struct cts_item it = ac_item(LOAD | UNLOAD, 0, c);
        rc = ac_exec(k, &it, 1);
        if (rc == 0 && k->answers[0].load.verdict == CTS_LOAD_REJECTED)
            return 0;
    }
    return rc ? rc : ac_skip(k, "it accepts whatever it is given");
}

/* In one frame: refused, and what was asked for besides left out; then a good one. */
static int refuse_and_go_on(struct ac *k, const struct ac_code *bad)
{
    struct ac_code good;
    ac_returns(k, &good, 4);
    const struct cts_item items[] = {
        ac_item(ALL, 2, bad),
        ac_item(RUN, 2, NULL),
        ac_item(ALL, 2, &good),
    };
    int rc = ac_exec(k, items, 3);
    if (rc == 0 && k->answers[0].load.verdict != CTS_LOAD_REJECTED)
        rc = ac_fail(k, "it refused the program once and accepted it the next time");
    if (rc == 0)
        rc = ac_want_ops(k, 1, 0, "after a program that was refused");
    return rc ? rc : ac_want_ran(k, 2, &items[2], 4);
}

static int check_refused(struct ac *k)
{
    struct ac_code bad;
    int rc = find_rejected(k, &bad);
    return rc ? rc : refuse_and_go_on(k, &bad);
}

/* The number's old program goes when a new one is loaded, whatever becomes of that. */
static int check_refused_replaces(struct ac *k)
{
    struct ac_code bad, good;
    int rc = find_rejected(k, &bad);
    ac_returns(k, &good, 6);
    if (rc == 0)
        rc = step(k, LOAD, 9, &good, 0);
    struct cts_item it = ac_item(LOAD, 9, &bad);
    if (rc == 0)
        rc = ac_exec(k, &it, 1);
    return rc ? rc : step_absent(k, 9, "after a refused program took the number of a good one");
}

/* With the reason wanted, and not. */
static int check_reason(struct ac *k)
{
    struct ac_code bad;
    int rc = find_rejected(k, &bad);
    struct cts_item it = ac_item(LOAD, 0, &bad);
    it.load.log = true;
    if (rc == 0)
        rc = ac_exec(k, &it, 1);
    if (rc == 0 && k->answers[0].load.verdict != CTS_LOAD_REJECTED)
        rc = ac_fail(k, "it accepts the program when the reason for its refusal is wanted");
    if (rc == 0 && !k->answers[0].load.text[0] && !k->answers[0].load.err_no)
        rc = ac_fail(k, "a refusal without a text, and without an error number");
    return rc;
}

/* Each is refused, or stops with a fault; it may take the worker with it, but does not run. */
static int run_bad(struct ac *k, const char *what, const struct ac_code *c)
{
    char why[sizeof(k->why)];
    int status;
    struct cts_item it = ac_item(ALL, 0, c);
    int rc = ac_open(k);
    if (rc)
        return rc;
    rc = ac_exec(k, &it, 1);
    if (rc && k->link->ended && ac_has_died(k, &status)) {
        k->why[0] = '\0';
        return 0;
    }
    if (rc) {
        memcpy(why, k->why, sizeof(why));
        cts_fmt(k->why, sizeof(k->why), "%s: %.*s", what, 800, why);
        return rc;
    }
    const struct cts_answer *a = &k->answers[0];
    if (a->ops & CTS_STEP_RUN && a->run.status == CTS_RUN_COMPLETED)
        return ac_fail(k, "%s: it was accepted, and ran to its end", what);
    if (a->ops & CTS_STEP_RUN && a->run.status == CTS_RUN_FAULTED && a->run.done)
        return ac_fail(k, "%s: a fault in iteration %u of 1; the first one is 0", what,
                       a->run.done);
    return 0;
}

static int check_fault(struct ac *k)
{
    struct ac_code c = {0};
    int rc = run_bad(k, bad_programs[0].what, (make_bad(k, &bad_programs[0], &c), &c));
    c.slots = 0;
    ac_insn(k, &c, (struct cts_insn){.opcode = CTS_OPCODE_MOV64_K, .dst = 1});
    ac_insn(k, &c, (struct cts_insn){.opcode = CTS_OPCODE_LDX_DW, .src = 1});
    ac_insn(k, &c, (struct cts_insn){.opcode = CTS_OPCODE_EXIT});
    return rc ? rc : run_bad(k, "a load from address 0", &c);
}

/* What a program finds when it begins; a runtime may refuse to look. */
static int check_find(struct ac *k, const struct ac_code *c, uint64_t r0, const char *what)
{
    static const uint8_t memory[64];
    struct cts_item it = ac_item(ALL, 0, c);
    if (k->caps.features & CTS_FEAT_MEMORY) {
        it.run.packet = memory;
        it.run.packet_bytes = sizeof(memory);
    }
    int rc = ac_exec(k, &it, 1);
    if (rc == 0 && k->answers[0].ops == CTS_STEP_LOAD)
        return ac_skip(k, "it refuses the program");
    if (rc == 0 && k->answers[0].run.status == CTS_RUN_FAULTED)
        return ac_fail(k, "a fault: %s", what);
    return rc ? rc : ac_want_ran(k, 0, &it, r0);
}

static int check_context(struct ac *k)
{
    enum { OFF = 12 };
    struct ac_code c = {0};
    int rc = ac_open(k);
    if (rc)
        return rc;
    ac_insn(
        k, &c,
        (struct cts_insn){.opcode = cts_insn_info(CTS_INSN_LDX_W)->opcode, .src = 1, .off = OFF});
    ac_insn(k, &c, (struct cts_insn){.opcode = CTS_OPCODE_MOV64_K, .imm = VALUE});
    ac_insn(k, &c, (struct cts_insn){.opcode = CTS_OPCODE_EXIT});
    return check_find(k, &c, VALUE, "r1 is to be the address of 64 bytes or more that can be read");
}

static int check_stack(struct ac *k)
{
    struct ac_code c = {0};
    int rc = ac_open(k);
    if (rc)
        return rc;
    static const int16_t ends[] = {-CTS_STACK_BYTES, -8};
    for (unsigned i = 0; i < CTS_ARRAY_LEN(ends); i++)
        ac_insn(k, &c,
                (struct cts_insn){.opcode = cts_insn_info(CTS_INSN_ST_DW)->opcode,
                                  .dst = 10,
                                  .off = ends[i],
                                  .imm = (int32_t)i + VALUE});
    ac_insn(k, &c, (struct cts_insn){.opcode = CTS_OPCODE_LDX_DW, .src = 10, .off = ends[0]});
    ac_insn(k, &c, (struct cts_insn){.opcode = CTS_OPCODE_EXIT});
    return check_find(k, &c, VALUE, "r10 is to be the end of a stack of 512 bytes");
}

/* Long programs. */

enum {
    LONGEST = CTS_FRAME_MAX / CTS_SLOT_BYTES - 64, /* what fits into a frame */
    LONGEST_ELF = LONGEST / 2 - 64,                /* the same, twice */
};

static uint32_t longest(const struct ac *k)
{
    return k->caps.features & CTS_FEAT_ELF ? LONGEST_ELF : LONGEST;
}

static int check_longest(struct ac *k)
{
    int rc = ac_open(k);
    if (rc)
        return rc;
    uint32_t slots = k->caps.max_slots < longest(k) ? k->caps.max_slots : longest(k);
    if (slots < 2)
        return ac_skip(k, "max_slots is %u", k->caps.max_slots);
    if (!ac_long_code(k, slots, 11))
        return ac_fail(k, "no memory for a program of %u instructions", slots);
    struct cts_item it = ac_item(ALL, 0, NULL);
    it.load.code = (const uint8_t *)k->code.data;
    it.load.slots = slots;
    rc = ac_exec(k, &it, 1);
    if (rc == 0 && k->answers[0].ops == CTS_STEP_LOAD)
        rc = ac_fail(k, "max_slots is %u, but it does not accept a program of %u: %s",
                     k->caps.max_slots, slots, k->answers[0].load.text);
    return rc ? rc : ac_want_ran(k, 0, &it, 11);
}

static int check_too_long(struct ac *k)
{
    struct ac_code c;
    int rc = ac_open(k);
    if (rc)
        return rc;
    if (k->caps.max_slots >= longest(k))
        return ac_skip(k, "no frame takes a program of max_slots, %u, and one more",
                       k->caps.max_slots);
    if (!ac_long_code(k, k->caps.max_slots + 1, 11))
        return ac_fail(k, "no memory for a program of %u instructions", k->caps.max_slots + 1);
    struct cts_item it = ac_item(ALL, 0, NULL);
    it.load.code = (const uint8_t *)k->code.data;
    it.load.slots = k->caps.max_slots + 1;
    rc = ac_exec(k, &it, 1);
    if (rc == 0 && k->answers[0].ops != CTS_STEP_LOAD)
        rc = ac_fail(k, "max_slots is %u, but it accepts a program of %u", k->caps.max_slots,
                     it.load.slots);
    ac_returns(k, &c, 12);
    return rc ? rc : step(k, ALL, 0, &c, 12);
}

/* A map is filled anew for each run: r0 = map[0]; map[0] = r0 + 1 */
static int check_maps(struct ac *k)
{
    static const uint8_t data[2][8] = {{0, 1, 2, 3, 4, 5, 6, 7}, {7, 6, 5, 4, 3, 2, 1, 0}};
    const struct cts_map_def map = {.value_bytes = 16, .entries = 1, .data = data[0]};
    struct ac_code c = {0};
    int rc = ac_open(k);
    if (rc)
        return rc;
    if (!(k->caps.features & CTS_FEAT_MAP_FD))
        return ac_skip(k, "it has no maps");
    ac_insn(k, &c,
            (struct cts_insn){.opcode = cts_insn_info(CTS_INSN_LDDW)->opcode,
                              .dst = 2,
                              .src = 2, /* the address of a value of a map: imm is its number */
                              .imm = 1,
                              .next_imm = 8});
    ac_insn(k, &c, (struct cts_insn){.opcode = CTS_OPCODE_LDX_DW, .src = 2});
    ac_insn(k, &c,
            (struct cts_insn){.opcode = cts_insn_info(CTS_INSN_ST_DW)->opcode, .dst = 2, .imm = 1});
    ac_insn(k, &c, (struct cts_insn){.opcode = CTS_OPCODE_EXIT});
    struct cts_item items[] = {ac_item(LOAD | RUN, 0, &c), ac_item(RUN | UNLOAD, 0, NULL)};
    items[0].load.maps = &map;
    items[0].load.map_count = 1;
    uint64_t want = k->caps.be ? cts_get64be(data[1]) : cts_get64le(data[1]);
    rc = ac_exec(k, items, 2);
    for (unsigned i = 0; rc == 0 && i < 2; i++)
        rc = ac_want_ran(k, i, &items[i], want);
    return rc;
}

const struct ac_check ac_checks_exec[] = {
    {"run", "loads, runs and unloads `r0 = 0xdead; exit`", AC_NEEDS_CAPS, check_run},
    {"empty", "answers EXEC without items with DONE without answers", AC_NEEDS_CAPS, check_empty},
    {"load", "loads and unloads without running", AC_NEEDS_CAPS, check_load},
    {"result", "returns all r0_bits of r0", AC_NEEDS_RUN | AC_NEEDS_RESULTS, check_result},
    {"iterations", "runs a program as often as it is told to", AC_NEEDS_RUN | AC_NEEDS_RESULTS,
     check_iterations},
    {"kept", "keeps a program from its load to its unload", AC_NEEDS_RUN, check_kept},
    {"absent", "leaves out steps with a program that is not there", AC_NEEDS_CAPS, check_absent},
    {"numbers", "keeps programs 0 to 63 apart", AC_NEEDS_RUN, check_numbers},
    {"replaced", "a program that is loaded replaces the one of its number", AC_NEEDS_RUN,
     check_replaced},
    {"batch", "answers 200 items of a frame in their order", AC_NEEDS_RUN, check_batch},
    {"refused", "answers the load of a refused program with load alone", AC_NEEDS_RUN,
     check_refused},
    {"refused-replaces", "unloads the program of a number before it refuses another", AC_NEEDS_RUN,
     check_refused_replaces},
    {"reason", "says why it refuses when that is wanted", AC_NEEDS_RUN, check_reason},
    {"fault", "does not call it a run when a program cannot be run",
     AC_NEEDS_RUN | AC_NEEDS_RESULTS, check_fault},
    {"context", "gives whole programs 64 bytes in r1 that can be read",
     AC_NEEDS_RUN | AC_NEEDS_RESULTS, check_context},
    {"stack", "gives programs a stack of 512 bytes", AC_NEEDS_RUN | AC_NEEDS_RESULTS, check_stack},
    {"longest", "takes a program of max_slots", AC_NEEDS_RUN, check_longest},
    {"too-long", "refuses a program of one slot more, and goes on", AC_NEEDS_RUN, check_too_long},
    {"maps", "fills the maps of a program at the begin of each run",
     AC_NEEDS_RUN | AC_NEEDS_RESULTS, check_maps},
    {0},
};
