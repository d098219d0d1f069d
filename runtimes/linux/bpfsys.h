/* bpf(2), called directly: the few commands this runtime needs. Functions return 0 (or a
 * descriptor) or a negative errno. */
#ifndef CTS_RT_LINUX_BPFSYS_H
#define CTS_RT_LINUX_BPFSYS_H

#include <stddef.h>
#include <stdint.h>

#include <linux/bpf.h>

/* The kernel's own "not supported", which its JITs answer with; no errno.h has it. */
enum { CTS_LX_ENOTSUPP = 524 };

struct cts_lx_prog_spec {
    uint32_t type; /* enum bpf_prog_type */
    const uint8_t *code;
    uint32_t slots;
    const int32_t *fd_array;           /* may be null */
    int btf_fd;                        /* with funcs */
    const struct bpf_func_info *funcs; /* may be null */
    uint32_t func_count;
    char *log; /* may be null */
    uint32_t log_bytes, log_level;
};

struct cts_lx_run_spec {
    int prog_fd;
    uint32_t repeat;
    const uint8_t *data; /* a packet, or null */
    uint32_t data_bytes;
    const void *ctx; /* the context's bytes, or null */
    uint32_t ctx_bytes;
};

/* An array map with keys of 4 bytes, or one for tail calls; a descriptor. */
int cts_lx_map_of_programs(uint32_t entries);
int cts_lx_map_new(uint32_t value_bytes, uint32_t entries, uint32_t flags);
/* No system call changes it from then on. */
int cts_lx_map_freeze(int map_fd);
/* A map of instructions' addresses, for programs that jump to them: set by cts_lx_insn_set, then
 * frozen. */
int cts_lx_map_of_insns(uint32_t entries);
int cts_lx_insn_set(int map_fd, uint32_t key, uint32_t slot);
int cts_lx_map_set(int map_fd, uint32_t key, const void *value);
/* A descriptor. Tries again when a signal made the verifier give up. */
int cts_lx_prog_load(const struct cts_lx_prog_spec *spec);
/* Size of the compiled code; 0 when the kernel interprets the program. */
int cts_lx_prog_sizes(int prog_fd, uint32_t *native_bytes, uint32_t *slots);
/* BPF_PROG_TEST_RUN; *retval is what the last run returned. */
int cts_lx_prog_run(const struct cts_lx_run_spec *spec, uint32_t *retval);
/* A descriptor. */
int cts_lx_btf_load(const void *blob, uint32_t bytes);

/* Moves a descriptor to `least` or above, so that small numbers in programs name none of ours. The
 * old one if there is no room. */
int cts_lx_fd_up(int fd, int least);

/* "EINVAL" for 22; "errno" for what has no name here. */
const char *cts_lx_errno_name(int number);

#endif
