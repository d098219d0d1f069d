#include <string.h>

#include "base/bytes.h"
#include "isa/isa.h"
#include "lx.h"
#include "patch.h"

/* What a kernel can do is asked of it, with the smallest program that needs it, and not inferred
 * from its version: distributions port features back, and build options take them away. */

#define I(op, d, s, o, i) {.opcode = (op), .dst = (d), .src = (s), .off = (o), .imm = (i)}
#define LDDW(d, s, i) I(0x18, d, s, 0, i), I(0, 0, 0, 0, 0)
#define R0_IS(i) I(0xb7, 0, 0, 0, i)
#define EXIT I(0x95, 0, 0, 0, 0)

enum { MAX_SLOTS = 16, HELPER_MAP_LOOKUP = 1, HELPER_LOOP = 181 };

struct probe {
    uint32_t feature;
    bool packet;
    const char *names[2]; /* of platform functions and variables */
    uint8_t slots;
    struct cts_insn insn[MAX_SLOTS];
};

static const uint8_t map_data[8];
/* Of an instruction nobody jumps to, and of a function or target: the places, in the order of the
 * machine. */
static const uint64_t function_data[] = {4 * CTS_SLOT_BYTES, 6 * CTS_SLOT_BYTES};
static const struct cts_map_def function_maps[] = {
    {.value_bytes = 16, .entries = 1, .data = (const uint8_t *)function_data}};
static const struct cts_map_def probe_maps[] = {{.value_bytes = 8, .entries = 1, .data = map_data},
                                                {.value_bytes = 0, .entries = 1}};

/* Each returns 77 if it does what it should. */
enum { RESULT = 77 };

static const struct probe probes[] = {
    {CTS_FEAT_LOCAL_CALL, false, {0}, 4, {I(0x85, 0, 1, 0, 1), EXIT, R0_IS(RESULT), EXIT}},
    {CTS_FEAT_MAP_FD,
     false,
     {0},
     7,
     {LDDW(1, 1, 1), LDDW(2, 2, 1), I(0x79, 1, 2, 0, 0), R0_IS(RESULT), EXIT}},
    {CTS_FEAT_MAP_IDX,
     false,
     {0},
     7,
     {LDDW(1, 5, 1), LDDW(2, 6, 1), I(0x79, 1, 2, 0, 0), R0_IS(RESULT), EXIT}},
    {CTS_FEAT_VAR, false, {"bpf_prog_active"}, 4, {LDDW(1, 3, 0), R0_IS(RESULT), EXIT}},
    {CTS_FEAT_CODE,
     false,
     {0},
     10,
     {I(0xb7, 1, 0, 0, 2), LDDW(2, 4, 6), I(0xb7, 3, 0, 0, 0), I(0xb7, 4, 0, 0, 0),
      I(0x85, 0, 0, 0, HELPER_LOOP), I(0x07, 0, 0, 0, RESULT - 2), EXIT, R0_IS(0), EXIT}},
    {CTS_FEAT_PACKET,
     true,
     {0},
     4,
     {I(0xbf, 6, 1, 0, 0), I(0x30, 0, 0, 0, 3), I(0x07, 0, 0, 0, RESULT - 3), EXIT}},
    {CTS_FEAT_HELPER_MAP,
     false,
     {0},
     10,
     {I(0x62, 10, 0, -4, 0), I(0xbf, 2, 10, 0, 0), I(0x07, 2, 0, 0, -4), LDDW(1, 1, 1),
      I(0x85, 0, 0, 0, HELPER_MAP_LOOKUP), I(0x15, 0, 0, 2, 0), I(0x79, 0, 0, 0, 0),
      I(0x07, 0, 0, 0, RESULT), EXIT}},
    {CTS_FEAT_HELPER_CSUM,
     false,
     {0},
     8,
     {I(0xb7, 1, 0, 0, 0), I(0xb7, 2, 0, 0, 0), I(0xb7, 3, 0, 0, 0), I(0xb7, 4, 0, 0, 0),
      I(0xb7, 5, 0, 0, 0), I(0x85, 0, 0, 0, CTS_LX_CSUM_DIFF), R0_IS(RESULT), EXIT}},
    {CTS_FEAT_POINTERS,
     false,
     {0},
     7,
     {LDDW(1, 2, 0), I(0x7b, 1, 10, CTS_WIN_SCRATCH, 0), R0_IS(RESULT), I(0x1d, 1, 10, 1, 0),
      I(0xb7, 1, 0, 0, 0), EXIT}},
    {CTS_FEAT_TAIL_CALL,
     false,
     {0},
     6,
     {LDDW(2, 1, 2), I(0xb7, 3, 0, 0, 1), I(0x85, 0, 0, 0, CTS_LX_TAIL_CALL), R0_IS(RESULT), EXIT}},
    {CTS_FEAT_CALLX,
     false,
     {0},
     6,
     {LDDW(2, 4, 3), I(0x8d, 2, 0, 0, 0), EXIT, R0_IS(RESULT), EXIT}},
    {CTS_FEAT_FUNCTION_DATA,
     false,
     {0},
     8,
     {LDDW(2, 2, 1), I(0x79, 2, 2, 8, 0), I(0xb7, 1, 0, 0, 0), I(0x8d, 2, 0, 0, 0), EXIT,
      R0_IS(RESULT), EXIT}},
    {CTS_FEAT_GOTOX,
     false,
     {0},
     8,
     {LDDW(2, 2, 1), I(0x79, 2, 2, 8, 0), I(0x0d, 2, 0, 0, 0), R0_IS(0), EXIT, R0_IS(RESULT),
      EXIT}},
    {CTS_FEAT_STACK_ARGS,
     false,
     {0},
     6,
     {I(0x7a, 11, 0, -8, RESULT), I(0x85, 0, 1, 0, 1), EXIT, I(0x79, 0, 11, 8, 0), EXIT}},
    {CTS_FEAT_STACK_UNINIT, false, {0}, 3, {I(0x79, 1, 10, -8, 0), R0_IS(RESULT), EXIT}},
    {CTS_FEAT_BTF_CALL,
     false,
     {"bpf_rcu_read_lock", "bpf_rcu_read_unlock"},
     4,
     {I(0x85, 0, 2, 0, 0), I(0x85, 0, 2, 0, 1), R0_IS(RESULT), EXIT}},
};

static bool has(struct cts_lx *lx, const struct probe *probe)
{
    static const uint8_t packet[32] = {0, 1, 2, 3};
    uint8_t code[MAX_SLOTS * CTS_SLOT_BYTES];
    bool data = probe->feature & (CTS_FEAT_FUNCTION_DATA | CTS_FEAT_GOTOX);
    struct cts_load_req req = {.kind = CTS_PROG_WHOLE,
                               .packet = probe->packet,
                               .code = code,
                               .slots = probe->slots,
                               .maps = data ? function_maps : probe_maps,
                               .map_count = probe->feature == CTS_FEAT_TAIL_CALL ? 2 : 1,
                               .names = probe->names,
                               .name_count = CTS_ARRAY_LEN(probe->names)};
    const struct cts_run_req run_req = {
        .iterations = 1, .packet = packet, .packet_bytes = sizeof(packet)};
    struct cts_load_res loaded;
    struct cts_run_res ran;
    void *prog;

    for (uint32_t i = 0; i < probe->slots; i++)
        cts_slot_put(code + CTS_SLOT_BYTES * i, CTS_HOST_IS_BE, &probe->insn[i]);
    cts_lx_load(lx, &req, &prog, &loaded);
    if (!prog)
        return false;
    cts_lx_run(lx, prog, &run_req, &ran);
    cts_lx_unload(lx, prog);
    return ran.status == CTS_RUN_COMPLETED && ran.r0 == RESULT;
}

uint32_t cts_lx_features(struct cts_lx *lx)
{
    uint32_t found = CTS_FEAT_THREADS; /* any process may run any program at any time */

    for (size_t i = 0; i < CTS_ARRAY_LEN(probes); i++) {
        if (has(lx, &probes[i]))
            found |= probes[i].feature;
    }
    return found;
}
