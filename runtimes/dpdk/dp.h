/* Between the files of the DPDK worker: the library (lib.c), what a program costs its validator
 * (cost.c, trial.c), the adapter (adapter.c). */
#ifndef CTS_DPDK_DP_H
#define CTS_DPDK_DP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "wire/worker.h"

/* ---- librte_bpf ----
 *
 * The library's development files bring 200 packages along, so what is used of its interface is
 * declared here (rte_bpf.h of DPDK 22.11; the same in 25.11). */

enum dp_arg_type { DP_ARG_UNDEF = 0, DP_ARG_RAW = 1, DP_ARG_PTR = 0x10 };

struct dp_arg {
    int type;      /* enum dp_arg_type */
    size_t size;   /* of the value, or of what is pointed to */
    size_t buffer; /* not used */
};

enum { DP_FUNCTION = 0, DP_ARGS = 5 };

struct dp_symbol {
    const char *name;
    int type; /* DP_FUNCTION */
    struct {
        uint64_t (*call)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
        uint32_t arg_count;
        struct dp_arg arg[DP_ARGS], result;
    } function;
};

struct dp_params {
    const uint8_t *code;
    uint32_t slots;
    const struct dp_symbol *symbols;
    uint32_t symbol_count;
    struct dp_arg argument; /* what r1 holds at entry */
};

struct dp_native {
    uint64_t (*run)(void *argument); /* null: there is no machine code */
    size_t bytes;
};

struct dp_program; /* opaque */

/* What the library has said since it was last emptied: cut, and ended by a zero. */
struct dp_words {
    char text[CTS_TEXT_MAX];
    size_t len;
};

struct dp_library {
    void *handle;
    unsigned abi;        /* 23 is that of DPDK 22.11 and 23.07, 24 that of 23.11, ... */
    const char *version; /* "DPDK 22.11.7" */
    FILE *log;
    struct dp_words words;
    struct dp_program *(*load)(const struct dp_params *params);
    void (*destroy)(struct dp_program *prog);
    uint64_t (*exec)(const struct dp_program *prog, void *argument);
    int (*get_native)(const struct dp_program *prog, struct dp_native *native);
    int (*open_log)(FILE *stream);
    int *error; /* rte_errno of this thread */
};

/* Opens the newest version there is, and turns its log to lib->words, whose address must not
 * change. CTS_E_UNSUPPORTED with the reason if there is none. */
int dp_library_open(struct dp_library *lib, struct cts_err *err);
void dp_library_close(struct dp_library *lib);

/* The words as they are the same in every run, without the addresses of this process; where in the
 * program it is stands on a line of its own. */
void dp_clean_words(const struct dp_words *words, char *out, size_t cap);

/* ---- validation ---- */

/* How many instructions a validator looks at that follows every way through the program to its end
 * and knows no other: each conditional jump in a row doubles what is behind it. UINT64_MAX: more
 * than fits. Loops, which such a validator refuses first, are left out. Code is in this machine's
 * order. */
uint64_t dp_cost(const uint8_t *code, uint32_t slots);

/* Does the library come to an end with this program, whatever it says of it, within so much of a
 * processor's time? It is asked in a process of its own, and this one keeps nothing of it. True,
 * too, if there is no such process to be had, or if it dies of it: to be seen here. */
bool dp_ends_within(const struct dp_library *lib, const struct dp_params *params, unsigned ms);

/* May control go from some instruction to the place right behind the last, or is there no
 * instruction at all? */
bool dp_runs_off(const uint8_t *code, uint32_t slots);

/* While the fence is on, the memory that calloc() hands out in this process ends at a page that
 * cannot be touched, and what it handed out must be given back. False: this build has no fence. */
bool dp_fence(bool on);

#endif
