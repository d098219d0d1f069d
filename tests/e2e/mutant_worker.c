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

#include "../fakes/basis.h"
#include "generated/mutant.h"
#include "reference.h"

/* A probe gets no argument of ours, so the choice has to stand here. */
static cts_exec_fn mutated[CTS_INSN_COUNT];

static int probe(void **self, unsigned engine, struct cts_caps *caps, struct cts_err *err)
{
    return cts_reference_open(mutated, self, engine, caps, err);
}

static int list_mutants(void)
{
    for (size_t i = 0; i < cts_mutant_count; i++)
        printf("%zu\t%s\t%s\n", i, cts_insn_info(cts_mutants[i].row)->id, cts_mutants[i].does);
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
        cts_exec_table[CTS_INSN_DIV64_X](m, in);
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
        if (cts_break_insn(mutated, argv[2], argv[3]))
            return 2;
        argv[3] = argv[0];
        argv += 3;
        argc -= 3;
    }
    if (argc > 1 && strcmp(argv[1], "--ending") == 0) {
        mutated[CTS_INSN_DIV64_X] = divide_or_end;
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    struct cts_adapter adapter = cts_reference_adapter;
    adapter.probe = probe;
    return cts_worker_main(argc, argv, &adapter);
}
