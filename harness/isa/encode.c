#include "isa/isa.h"

/* Fixed fields that were left 0 get the row's value; what was set to something else stays, for the
 * check to find. */
static void fill_fixed(const struct cts_insn_info *info, struct cts_insn *in)
{
    const struct cts_field_rule *rule = info->field;
    if (rule[CTS_F_DST].kind == CTS_FK_FIXED && in->dst == 0)
        in->dst = (uint8_t)rule[CTS_F_DST].value;
    if (rule[CTS_F_SRC].kind == CTS_FK_FIXED && in->src == 0)
        in->src = (uint8_t)rule[CTS_F_SRC].value;
    if (rule[CTS_F_OFF].kind == CTS_FK_FIXED && in->off == 0)
        in->off = (int16_t)rule[CTS_F_OFF].value;
    if (rule[CTS_F_IMM].kind == CTS_FK_FIXED && in->imm == 0)
        in->imm = rule[CTS_F_IMM].value;
    if (rule[CTS_F_NEXT_IMM].kind == CTS_FK_FIXED && in->next_imm == 0)
        in->next_imm = rule[CTS_F_NEXT_IMM].value;
}

int cts_encode(enum cts_insn_id row, const struct cts_insn *in, bool be, uint8_t bytes[16],
               struct cts_err *err)
{
    const struct cts_insn_info *info = cts_insn_info(row);
    if (!info)
        return cts_err_set(err, CTS_E_INVAL, "no such row");
    if (info->flags & CTS_RF_SLOT)
        return cts_err_set(err, CTS_E_INVAL, "%s is no instruction on its own", info->id);
    bool wide = info->flags & CTS_RF_WIDE;
    struct cts_insn full = *in;
    full.opcode = info->opcode;
    fill_fixed(info, &full);
    if (!wide && full.next_imm != 0)
        return cts_err_set(err, CTS_E_INVAL, "%s: next_imm is %d, but there is no second slot",
                           info->id, (int)full.next_imm);
    int rc = cts_insn_check(row, &full, err);
    if (rc)
        return rc;
    cts_slot_put(bytes, be, &full);
    if (!wide)
        return 1;
    const struct cts_insn second = {.imm = full.next_imm};
    cts_slot_put(bytes + CTS_SLOT_BYTES, be, &second);
    return 2;
}
