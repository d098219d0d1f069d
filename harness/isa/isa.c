#include "isa/isa.h"

#include "base/bytes.h"
#include "generated/isa_tables.h"

static bool text_eq(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

const struct cts_insn_info *cts_insn_info(enum cts_insn_id row)
{
    return (unsigned)row < CTS_INSN_COUNT ? &cts_insn_table[row] : NULL;
}

enum cts_insn_id cts_insn_find(const char *id)
{
    for (unsigned i = 0; i < CTS_INSN_COUNT; i++)
        if (text_eq(cts_insn_table[i].id, id))
            return (enum cts_insn_id)i;
    return CTS_INSN_COUNT;
}

const char *cts_group_name(enum cts_group group)
{
    return (unsigned)group < CTS_GROUP_COUNT ? cts_group_table[group].name : "none";
}

enum cts_group cts_group_find(const char *name)
{
    for (unsigned i = 0; i < CTS_GROUP_COUNT; i++)
        if (text_eq(cts_group_table[i].name, name))
            return (enum cts_group)i;
    return CTS_GROUP_COUNT;
}

bool cts_group_has(enum cts_group group, enum cts_insn_id row)
{
    if ((unsigned)group >= CTS_GROUP_COUNT || (unsigned)row >= CTS_INSN_COUNT)
        return false;
    return cts_group_table[group].includes >> cts_insn_table[row].group & 1;
}

void cts_slot_get(const uint8_t bytes[8], bool be, struct cts_insn *in)
{
    uint8_t high = bytes[1] >> 4, low = bytes[1] & 0xf;
    in->opcode = bytes[0];
    in->dst = be ? high : low;
    in->src = be ? low : high;
    in->off = (int16_t)(be ? cts_get16be(bytes + 2) : cts_get16le(bytes + 2));
    in->imm = (int32_t)(be ? cts_get32be(bytes + 4) : cts_get32le(bytes + 4));
}

void cts_slot_put(uint8_t bytes[8], bool be, const struct cts_insn *in)
{
    unsigned high = be ? in->dst : in->src, low = be ? in->src : in->dst;
    bytes[0] = in->opcode;
    bytes[1] = (uint8_t)((high & 0xf) << 4 | (low & 0xf));
    if (be) {
        cts_put16be(bytes + 2, (uint16_t)in->off);
        cts_put32be(bytes + 4, (uint32_t)in->imm);
    } else {
        cts_put16le(bytes + 2, (uint16_t)in->off);
        cts_put32le(bytes + 4, (uint32_t)in->imm);
    }
}

void cts_slots_swap_order(uint8_t *bytes, size_t slots)
{
    for (size_t i = 0; i < slots; i++) {
        struct cts_insn in;
        cts_slot_get(bytes + i * CTS_SLOT_BYTES, false, &in);
        cts_slot_put(bytes + i * CTS_SLOT_BYTES, true, &in);
    }
}
