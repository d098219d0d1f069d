/* The adapter of any plugin of bpf_conformance: a program that gets memory as its first argument
 * and a BPF program on its standard input, and prints r0. */
#ifndef CTS_PLUGIN_ADAPTER_H
#define CTS_PLUGIN_ADAPTER_H

#include "proc.h"

/* All but engines and probe, which depend on the command line. */
extern const struct cts_adapter plg_adapter;

/* The adapter's probe, for this plugin. `command` outlives *self. */
int plg_open(const struct plg_command *command, void **self, struct cts_caps *caps,
             struct cts_err *err);

#endif
