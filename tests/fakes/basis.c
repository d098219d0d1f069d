#include "basis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    unsigned row;
    void (*does)(struct cts_mach *m, struct cts_insn in);
} basis;

static bool stores(const struct cts_insn *in)
{
    return (in->opcode & 7) == 3;
}

static void do_nothing(struct cts_mach *m, struct cts_insn in)
{
    (void)m;
    (void)in;
}

/* What is written, by a mask of bits that are taken and one of bits that are inverted. */
static void do_bits(struct cts_mach *m, struct cts_insn in, uint64_t taken, uint64_t inverted)
{
    bool exits = basis.row == CTS_INSN_EXIT;
    unsigned reg = exits ? 0 : stores(&in) ? in.src : in.dst;
    uint64_t before = m->r[reg];
    if (exits || stores(&in))
        m->r[reg] = (before & taken) ^ inverted;
    cts_exec_table[basis.row](m, &in);
    if (stores(&in))
        m->r[reg] = before;
    else if (!exits)
        m->r[reg] = (m->r[reg] & taken) ^ inverted;
}

static void do_half(struct cts_mach *m, struct cts_insn in)
{
    do_bits(m, in, UINT32_MAX, 0);
}

static void do_upper(struct cts_mach *m, struct cts_insn in)
{
    do_bits(m, in, UINT64_MAX, 1ull << 40);
}

static void do_zero(struct cts_mach *m, struct cts_insn in)
{
    do_bits(m, in, 0, 0);
}

static void do_next(struct cts_mach *m, struct cts_insn in)
{
    do_bits(m, in, UINT64_MAX, 1);
}

static void do_fault(struct cts_mach *m, struct cts_insn in)
{
    (void)in;
    cts_mach_fault(m, CTS_MACH_FAULT_INSN, "not known");
}

static void do_end(struct cts_mach *m, struct cts_insn in)
{
    (void)in;
    cts_mach_finish(m, 0x5bd1e995);
}

static void do_die(struct cts_mach *m, struct cts_insn in)
{
    (void)m;
    (void)in;
    abort();
}

static void exec_basis(struct cts_mach *m, const struct cts_insn *in)
{
    basis.does(m, *in);
}

int cts_break_insn(cts_exec_fn *table, const char *row, const char *how)
{
    static const struct {
        const char *name;
        void (*does)(struct cts_mach *m, struct cts_insn in);
    } ways[] = {{"nothing", do_nothing}, {"half", do_half}, {"upper", do_upper},
                {"zero", do_zero},       {"next", do_next}, {"fault", do_fault},
                {"end", do_end},         {"die", do_die}};
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(ways[i].name, how) == 0)
            basis.does = ways[i].does;
    for (basis.row = 0; basis.row < CTS_INSN_COUNT; basis.row++)
        if (strcmp(cts_insn_info((enum cts_insn_id)basis.row)->id, row) == 0)
            break;
    if (!basis.does || basis.row == CTS_INSN_COUNT) {
        fprintf(stderr, "--basis %s %s: no such row or way\n", row, how);
        return -1;
    }
    table[basis.row] = exec_basis;
    return 0;
}
