/* The adapter of the reference machine. The semantics are a parameter, so that a test can put wrong
 * ones under test. */
#ifndef CTS_REFERENCE_H
#define CTS_REFERENCE_H

#include "isa/mach.h"
#include "wire/worker.h"

/* With cts_exec_table. */
extern const struct cts_adapter cts_reference_adapter;

/* The first two of its engines. */
enum { CTS_REFERENCE_LE, CTS_REFERENCE_BE };

/* The adapter's probe with another table; the other functions of cts_reference_adapter go with it.
 */
int cts_reference_open(const cts_exec_fn *exec, void **self, unsigned engine, struct cts_caps *caps,
                       struct cts_err *err);

#endif
