#include "pack/uses.h"

#include <stdbool.h>

#include "base/limits.h"
#include "isa/isa.h"
#include "wire/worker.h"

/* By the src of a wide load: what its immediates stand for. */
static const uint32_t wide_uses[16] = {
    [1] = CTS_FEAT_MAP_FD, [2] = CTS_FEAT_MAP_FD,  [3] = CTS_FEAT_VAR,
    [4] = CTS_FEAT_CODE,   [5] = CTS_FEAT_MAP_IDX, [6] = CTS_FEAT_MAP_IDX,
};

static const struct {
    int32_t id;
    uint32_t feature;
} helpers[] = {
    {1, CTS_FEAT_HELPER_MAP},
    {12, CTS_FEAT_TAIL_CALL},
    {28, CTS_FEAT_HELPER_CSUM},
    {181, CTS_FEAT_CODE},
};

static uint32_t call_uses(const struct cts_insn *in)
{
    if (in->src == 1)
        return CTS_FEAT_LOCAL_CALL;
    if (in->src == 2)
        return CTS_FEAT_BTF_CALL;
    for (size_t i = 0; in->src == 0 && i < sizeof(helpers) / sizeof(helpers[0]); i++)
        if (helpers[i].id == in->imm)
            return helpers[i].feature;
    uint32_t data = (uint32_t)in->imm - CTS_DATA_HELPERS;
    if (in->src == 0 && data < CTS_DATA_HELPERS_COUNT)
        return CTS_FEAT_DATA_HELPER_N(data);
    bool test = in->src == 0 && in->imm >= CTS_TEST_HELPERS && in->imm < CTS_TEST_HELPERS_END;
    return test ? CTS_FEAT_HELPER_TEST : 0;
}

/* Loads and stores of arguments on the stack. */
static bool is_stack_arg(const struct cts_insn *in)
{
    bool store = in->opcode == CTS_OPCODE_ST_DW || in->opcode == CTS_OPCODE_STX_DW;
    return (store && in->dst == CTS_REG_STACK_ARGS) ||
           (in->opcode == CTS_OPCODE_LDX_DW && in->src == CTS_REG_STACK_ARGS);
}

/* Packet loads: ABS and IND of the class LD. */
static bool is_packet_load(uint8_t opcode)
{
    return (opcode & 7) == 0 && (opcode >> 5 == 1 || opcode >> 5 == 2);
}

bool cts_code_strange_helper(const uint8_t *code, uint32_t slots, int32_t *id)
{
    for (uint32_t i = 0; i < slots; i++) {
        struct cts_insn in;
        cts_slot_get(code + (size_t)i * CTS_SLOT_BYTES, false, &in);
        i += in.opcode == CTS_OPCODE_LDDW;
        *id = in.imm;
        if (in.opcode == CTS_OPCODE_CALL_HELPER && in.src == 0 && call_uses(&in) == 0)
            return true;
    }
    return false;
}

uint32_t cts_code_uses(const uint8_t *code, uint32_t slots)
{
    uint32_t uses = 0;
    for (uint32_t i = 0; i < slots; i++) {
        struct cts_insn in;
        cts_slot_get(code + (size_t)i * CTS_SLOT_BYTES, false, &in);
        if (in.opcode == CTS_OPCODE_LDDW) {
            uses |= wide_uses[in.src];
            i++;
        } else if (in.opcode == CTS_OPCODE_CALL_HELPER) {
            uses |= call_uses(&in);
        } else if (in.opcode == CTS_OPCODE_CALLX) {
            uses |= CTS_FEAT_CALLX;
        } else if (in.opcode == CTS_OPCODE_GOTOX) {
            uses |= CTS_FEAT_GOTOX;
        } else if (is_stack_arg(&in)) {
            uses |= CTS_FEAT_STACK_ARGS;
        } else if (is_packet_load(in.opcode)) {
            uses |= CTS_FEAT_PACKET;
        }
    }
    return uses;
}
