/* uses: base isa wire reference */
/* The reference runtime with the semantics of one row replaced by a wrong one: `--mutant N` (from
 * 0; without it nothing is wrong),
 * `--list` prints them. Or division by zero ends a program (`--ending`), as some runtimes have it.
 * Or one row is wrong in a way that shows wherever it is used (`--basis ROW HOW`).
 * What follows is the worker's own command line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generated/mutant.h"
#include "reference.h"

/* A probe gets no argument of ours, so the choice has to stand here. */
static cts_exec_fn mutated[CTS_ROW_COUNT];

static int probe(void **self, const char *engine, struct cts_caps *caps, struct cts_err *err)
{
    return cts_reference_open(mutated, self, engine, caps, err);
}

static int list_mutants(void)
{
    for (size_t i = 0; i < cts_mutant_count; i++)
        printf("%zu\t%s\t%s\n", i, cts_row_info(cts_mutants[i].row)->id, cts_mutants[i].does);
    return 0;
}

static int choose(const char *text)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (errno || end == text || *end || n >= cts_mutant_count) {
        fprintf(stderr, "--mutant %s: there are %zu, from 0\n", text, cts_mutant_count);
        return -1;
    }
    mutated[cts_mutants[n].row] = cts_mutants[n].fn;
    return 0;
}

static void divide_or_end(struct cts_mach *m, const struct cts_insn *in)
{
    if (m->r[in->src] == 0)
        m->stop = CTS_MACH_EXITED;
    else
        cts_exec_table[CTS_ROW_DIV64_X](m, in);
}

/* ---- a row that is wrong wherever it is used ---- */

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
    bool exits = basis.row == CTS_ROW_EXIT;
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

static int choose_basis(const char *row, const char *how)
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
    for (basis.row = 0; basis.row < CTS_ROW_COUNT; basis.row++)
        if (strcmp(cts_row_info((enum cts_row_id)basis.row)->id, row) == 0)
            break;
    if (!basis.does || basis.row == CTS_ROW_COUNT) {
        fprintf(stderr, "--basis %s %s: no such row or way\n", row, how);
        return -1;
    }
    mutated[basis.row] = exec_basis;
    return 0;
}

int main(int argc, char **argv)
{
    memcpy(mutated, cts_exec_table, sizeof(mutated));
    if (argc > 1 && strcmp(argv[1], "--list") == 0)
        return list_mutants();
    if (argc > 2 && strcmp(argv[1], "--mutant") == 0) {
        if (choose(argv[2]))
            return 2;
        argv[2] = argv[0];
        argv += 2;
        argc -= 2;
    }
    if (argc > 3 && strcmp(argv[1], "--basis") == 0) {
        if (choose_basis(argv[2], argv[3]))
            return 2;
        argv[3] = argv[0];
        argv += 3;
        argc -= 3;
    }
    if (argc > 1 && strcmp(argv[1], "--ending") == 0) {
        mutated[CTS_ROW_DIV64_X] = divide_or_end;
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    struct cts_adapter adapter = cts_reference_adapter;
    adapter.probe = probe;
    return cts_worker_main(argc, argv, &adapter);
}
