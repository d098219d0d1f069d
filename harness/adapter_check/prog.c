#include <string.h>

#include "adapter_check/impl.h"

static uint8_t opcode(enum cts_insn_id row)
{
    return cts_insn_info(row)->opcode;
}

void ac_insn(const struct ac *k, struct ac_code *c, struct cts_insn in)
{
    ac_insn_order(c, k->caps.be, in);
}

void ac_insn_order(struct ac_code *c, bool be, struct cts_insn in)
{
    uint8_t *at = c->bytes + (size_t)c->slots++ * CTS_SLOT_BYTES;
    cts_slot_put(at, be, &in);
    if (in.opcode == opcode(CTS_INSN_LDDW)) {
        struct cts_insn second = {.imm = in.next_imm};
        cts_slot_put(at + CTS_SLOT_BYTES, be, &second);
        c->slots++;
    }
}

static struct cts_insn move(int32_t value)
{
    return (struct cts_insn){.opcode = opcode(CTS_INSN_MOV64_K), .imm = value};
}

void ac_returns(const struct ac *k, struct ac_code *c, int32_t value)
{
    c->slots = 0;
    ac_insn(k, c, move(value));
    ac_insn(k, c, (struct cts_insn){.opcode = opcode(CTS_INSN_EXIT)});
}

struct cts_item ac_item(unsigned ops, unsigned prog, const struct ac_code *c)
{
    struct cts_item it = {.ops = (uint8_t)ops,
                          .prog = (uint8_t)prog,
                          .load.kind = CTS_PROG_WHOLE,
                          .run.iterations = 1};
    if (c) {
        it.load.code = c->bytes;
        it.load.slots = c->slots;
    }
    return it;
}

bool ac_long_code(struct ac *k, uint32_t slots, int32_t value)
{
    struct ac_code one = {0};
    cts_buf_clear(&k->code);
    ac_insn(k, &one, move(1));
    for (uint32_t i = 0; i + 2 < slots; i++)
        cts_buf_add(&k->code, one.bytes, CTS_SLOT_BYTES);
    ac_returns(k, &one, value);
    if (slots > 1)
        cts_buf_add(&k->code, one.bytes, CTS_SLOT_BYTES);
    cts_buf_add(&k->code, one.bytes + CTS_SLOT_BYTES, CTS_SLOT_BYTES);
    return !k->code.failed;
}

int ac_runs(struct ac *k, int32_t value)
{
    struct ac_code c;
    ac_returns(k, &c, value);
    struct cts_item it = ac_item(CTS_STEP_LOAD | CTS_STEP_RUN | CTS_STEP_UNLOAD, 0, &c);
    int rc = ac_exec(k, &it, 1);
    return rc ? rc : ac_want_ran(k, 0, &it, (uint64_t)value);
}
