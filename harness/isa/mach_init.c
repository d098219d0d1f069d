/* A machine and its program, made ready: above what instructions do to it, which the generated
 * table of them calls. */
#include "isa/mach.h"

#include <string.h>

#include "generated/isa_tables.h"

void cts_mach_init(struct cts_mach *m)
{
    memset(m, 0, sizeof(*m));
    m->budget = CTS_MACH_BUDGET_DEFAULT;
    m->exec = cts_exec_table;
}

/* Checking programs. */

static int check_target(uint32_t from, int64_t to, const char *what, uint32_t slots, bool allow_end,
                        const struct cts_mach_insn *prog, struct cts_err *err)
{
    if (to < 0 || to > slots || (to == slots && !allow_end))
        return cts_err_set(err, CTS_E_INVAL, "slot %u: %s slot %lld, outside of the program",
                           (unsigned)from, what, (long long)to);
    if (to < slots && prog[to].row == CTS_INSN_COUNT)
        return cts_err_set(err, CTS_E_INVAL,
                           "slot %u: %s slot %lld, in the middle of a wide instruction",
                           (unsigned)from, what, (long long)to);
    return 0;
}

static int check_flow(uint32_t at, uint32_t slots, bool allow_end, const struct cts_mach_insn *prog,
                      struct cts_err *err)
{
    const struct cts_mach_insn *insn = &prog[at];
    unsigned flags = cts_insn_info(insn->row)->flags;
    int64_t next = (int64_t)at + 1;
    if (insn->row == CTS_INSN_CALL_LOCAL)
        return check_target(at, next + insn->in.imm, "call of", slots, false, prog, err);
    if (insn->row == CTS_INSN_LDDW_CODE)
        return check_target(at, next + insn->in.imm, "address of", slots, false, prog, err);
    if (!(flags & CTS_RF_JUMP) || (flags & CTS_RF_CALL) || insn->row == CTS_INSN_EXIT ||
        insn->row == CTS_INSN_GOTOX)
        return 0;
    int64_t rel = insn->row == CTS_INSN_JA32 ? insn->in.imm : insn->in.off;
    return check_target(at, next + rel, "jump to", slots, allow_end, prog, err);
}

static bool is_terminator(const struct cts_mach_insn *insn)
{
    return insn->row == CTS_INSN_EXIT || insn->row == CTS_INSN_JA || insn->row == CTS_INSN_JA32 ||
           insn->row == CTS_INSN_GOTOX;
}

/* Is this slot the instruction before it once more? Code that is there for its length alone is
 * thousands of them. */
static bool repeats(const uint8_t *bytes, uint32_t at, uint32_t last,
                    const struct cts_mach_insn *out)
{
    const uint8_t *slot = bytes + (size_t)at * CTS_SLOT_BYTES;
    return at > 0 && last == at - 1 && !out[last].wide &&
           memcmp(slot, slot - CTS_SLOT_BYTES, CTS_SLOT_BYTES) == 0;
}

/* Fills out[]; *last is the slot of the last instruction. */
static int decode_all(const uint8_t *bytes, uint32_t slots, bool be, struct cts_mach_insn *out,
                      uint32_t *last, struct cts_err *err)
{
    for (uint32_t i = 0; i < slots;) {
        if (repeats(bytes, i, *last, out)) {
            out[i] = out[i - 1];
            *last = i++;
            continue;
        }
        struct cts_err why;
        cts_err_clear(&why);
        out[i] = (struct cts_mach_insn){.row = CTS_INSN_COUNT};
        int used = cts_decode(bytes + (size_t)i * CTS_SLOT_BYTES, slots - i, be, &out[i].in,
                              &out[i].row, &why);
        if (used < 0)
            return cts_err_set(err, used, "slot %u: %s", (unsigned)i, why.msg);
        const struct cts_insn_info *info = cts_insn_info(out[i].row);
        if (info->flags & CTS_RF_FOREIGN)
            return cts_err_set(err, CTS_E_INVAL, "slot %u: %s is not for this machine", (unsigned)i,
                               info->id);
        *last = i;
        out[i].wide = used == 2;
        if (used == 2)
            out[i + 1] = (struct cts_mach_insn){.row = CTS_INSN_COUNT};
        i += (uint32_t)used;
    }
    return 0;
}

int cts_mach_decode(const uint8_t *bytes, uint32_t slots, bool be, bool allow_end,
                    struct cts_mach_insn *out, struct cts_err *err)
{
    uint32_t last = 0;
    if (slots == 0)
        return allow_end ? 0 : cts_err_set(err, CTS_E_INVAL, "the program is empty");
    if (slots == UINT32_MAX)
        return cts_err_set(err, CTS_E_LIMIT, "the program is too long");
    int rc = decode_all(bytes, slots, be, out, &last, err);
    for (uint32_t i = 0; rc == 0 && i < slots; i += 1 + out[i].wide)
        rc = check_flow(i, slots, allow_end, out, err);
    if (rc == 0 && !allow_end && !is_terminator(&out[last]))
        rc = cts_err_set(err, CTS_E_INVAL, "slot %u: control falls off the end of the program",
                         (unsigned)last);
    return rc;
}
