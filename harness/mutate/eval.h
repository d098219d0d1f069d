/* Semantics carried out from their tree: slower than the generated functions, and at once at hand
 * for any tree. */
#ifndef CTS_MUTATE_EVAL_H
#define CTS_MUTATE_EVAL_H

#include "isa/mach.h"
#include "sema/sema.h"

/* Runs one instruction as `sema` (checked) says, as a cts_exec_fn does. */
void cts_eval(const struct cts_sema *sema, struct cts_mach *m, const struct cts_insn *in);

#endif
