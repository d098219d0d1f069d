/* The helper functions that programs find: those of the reference runtime that need no more than
 * memory. Their semantics are in runtimes/reference/README.md. */
#ifndef CTS_RT_UBPF_HELPERS_H
#define CTS_RT_UBPF_HELPERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

struct ubpf_vm;

/* The helper that ends the program where it gives 0: uBPF is told which that is. */
enum { CTS_UB_UNWIND = CTS_DATA_HELPERS + CTS_DATA_HELPER_UNWIND };

/* For ubpf_register_external_dispatcher. */
uint64_t cts_ub_help(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                     unsigned int id, void *cookie);
bool cts_ub_has_helper(unsigned int id, const struct ubpf_vm *vm);

#endif
