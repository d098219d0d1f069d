/* DPDK's BPF machine (librte_bpf) as a runtime. */
#ifndef CTS_DPDK_DPDK_H
#define CTS_DPDK_DPDK_H

#include "wire/worker.h"

/* Engines: interp, jit, validate. */
extern const struct cts_adapter cts_dpdk_adapter;

#endif
