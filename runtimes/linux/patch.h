/* From the ordinals of a load request to what the kernel wants in the code: map descriptors,
 * indices into fd_array, type numbers. */
#ifndef CTS_RT_LINUX_PATCH_H
#define CTS_RT_LINUX_PATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/worker.h"

#include "btf.h"

/* What a program uses, found in one pass. */
struct cts_lx_uses {
    bool helper_csum; /* calls helper 28 */
    bool fd_array;    /* lddw src 5 or 6, every index below CTS_LX_FD_ARRAY */
    bool types;       /* lddw src 4, or helper 12: functions need type information */
};

/* fd_array has room for indices that name no map, so that they are refused as such. */
enum { CTS_LX_FD_ARRAY = 1024 };

/* Helpers that the harness has a feature for. */
enum { CTS_LX_TAIL_CALL = 12, CTS_LX_CSUM_DIFF = 28 };

struct cts_lx_patch {
    uint8_t *code; /* slots * 8 bytes, patched in place; host order */
    uint32_t slots;
    const int *map_fds; /* by ordinal */
    uint32_t map_count;
    const char *const *names;
    uint32_t name_count;
    struct cts_lx_vmlinux *vmlinux;
    struct cts_lx_uses uses; /* out */
};

/* Numbers that name nothing are left as they are. CTS_E_NOTFOUND: the kernel has no function or
 * variable of that name. */
int cts_lx_patch(struct cts_lx_patch *p, struct cts_err *err);

/* Could constant blinding turn a branch of the program around? Linux (6.18) puts 2 slots in front
 * of one that goes back and compares with an immediate, and takes them off its offset in 16 bits:
 * from -32767 or -32768 it then leads out of the program, and the compiler reads past the end of
 * its table of addresses. True for any that is so far back that it may come to that. */
bool cts_lx_blinding_wraps(const uint8_t *code, uint32_t slots);

/* First slots of main and of every subprogram, ascending, each once; at most `cap` are written.
 * Returns how many there are. `maps` are those whose data name functions. */
uint32_t cts_lx_subprograms(const uint8_t *code, uint32_t slots, const struct cts_map_def *maps,
                            uint32_t map_count, uint32_t *first, uint32_t cap);
/* How many arguments on the stack do the instructions from slot `from` up to `to` read? */
uint32_t cts_lx_stack_args(const uint8_t *code, uint32_t from, uint32_t to);
/* Do the map's data name functions of a program that calls addresses in registers? */
bool cts_lx_names_functions(const struct cts_map_def *map);

#endif
