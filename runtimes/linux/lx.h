/* One open engine of the Linux runtime, and its programs. */
#ifndef CTS_RT_LINUX_LX_H
#define CTS_RT_LINUX_LX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/worker.h"

#include "btf.h"
#include "knobs.h"
#include "patch.h"

enum {
    CTS_LX_WINDOW_BYTES = 4 << 20,
    CTS_LX_MAPS = 16,
    CTS_LX_MAP_BYTES = 1 << 20, /* of one map's contents */
    CTS_LX_MAP_FDS = 300,       /* least descriptor of a map: programs under test name small ones by
                                   mistake or on purpose */
    CTS_LX_ITERATIONS = 1 << 20, /* so that a run ends within a second or so and can be killed */
    CTS_LX_PACKET_MAX = 2048,
    CTS_LX_MAC_BYTES = 14,
    CTS_LX_LOG_BYTES = 1 << 20,
    CTS_LX_PRIVATE_BYTES = 64, /* the smallest frame that a compiler puts on a private stack */
};

enum cts_lx_code { CTS_LX_CODE_ANY, CTS_LX_CODE_NATIVE, CTS_LX_CODE_INTERPRETED };

struct cts_lx {
    uint8_t code_kind;  /* enum cts_lx_code: what a loaded program must be */
    bool socket_only;   /* SOCKET_FILTER whatever the program wants */
    bool private_stack; /* RAW_TRACEPOINT, whose frames of CTS_LX_PRIVATE_BYTES and more have memory
                           of their own */
    struct cts_lx_knobs knobs;
    int window_fd;
    void *window;
    struct cts_lx_vmlinux vmlinux;
    int own_btf_fd; /* -1: not loaded yet */
    int32_t fd_array[CTS_LX_FD_ARRAY];
    uint8_t *code; /* the copy that is patched */
    size_t code_cap;
    uint32_t slots; /* of it */
    char *log;      /* CTS_LX_LOG_BYTES, at the first need */
    uint8_t packet[CTS_LX_MAC_BYTES + CTS_LX_PACKET_MAX];
};

/* The load, run and unload of struct cts_adapter. */
void cts_lx_load(void *self, const struct cts_load_req *req, void **prog, struct cts_load_res *res);
void cts_lx_run(void *self, void *prog, const struct cts_run_req *req, struct cts_run_res *res);
void cts_lx_unload(void *self, void *prog);

/* Finds out by loading small programs: bits of enum cts_feature. */
uint32_t cts_lx_features(struct cts_lx *lx);

/* A verifier's log (it need not be terminated) to text: the reason first, then the few lines before
 * it. */
void cts_lx_log_text(const char *log, size_t len, char text[CTS_TEXT_MAX]);
/* How many instructions the verifier walked, by its own statistics (BPF_LOG_STATS); 0 if the log
 * has none. */
unsigned long cts_lx_log_walked(const char *log, size_t len);

/* Gives up every capability but CAP_BPF, for good. CTS_E_UNSUPPORTED if that is not among ours. */
int cts_lx_keep_cap_bpf(struct cts_err *err);

extern const struct cts_adapter cts_lx_adapter;

#endif
