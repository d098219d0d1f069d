/* A row of the reference that is wrong in a way that shows wherever it is used. */
#ifndef CTS_FAKES_BASIS_H
#define CTS_FAKES_BASIS_H

#include "isa/mach.h"

/* Puts it into a table of CTS_INSN_COUNT functions; one row a process. how: nothing, half, upper,
 * zero, next (what it writes is so), fault, end or die (the program does). Negative, with a message
 * on stderr: there is no such row or way. */
int cts_break_insn(cts_exec_fn *table, const char *row, const char *how);

#endif
