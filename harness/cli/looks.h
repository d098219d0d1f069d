/* Mutants in sights, for the command. */
#ifndef CTS_CLI_LOOKS_H
#define CTS_CLI_LOOKS_H

#include <stdbool.h>

#include "mutate/mutate.h"

enum { CTS_LOOKS_MAX = 32 };

/* What --as asks for: words of sights or runtimes; "all" stands for those the suite is measured in.
 */
struct cts_looks {
    const char *as[CTS_LOOKS_MAX];
    unsigned count;
    unsigned passed, failed, skipped; /* mutants that die; due and alive; not due: of all sights */
};

/* Looks at the mutants in each sight, after they were run where everything is seen, and prints what
 * comes out: sums and reasons, or (tsv) a line for each mutant that lives. */
int cts_looks_print(struct cts_looks *l, struct cts_mut_list *list, const struct cts_mut_opts *opts,
                    bool tsv, struct cts_err *err);

#endif
