/* The adapter of uBPF's C library. */
#ifndef CTS_RT_UBPF_UB_H
#define CTS_RT_UBPF_UB_H

#include "wire/worker.h"

extern const struct cts_adapter cts_ub_adapter;

#endif
