/* What the reference machine offers to programs besides the instructions: see README.md. */
#ifndef CTS_REFERENCE_PLATFORM_H
#define CTS_REFERENCE_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "isa/mach.h"
#include "wire/worker.h"

/* Addresses of the machine. */
#define REF_WINDOW_BASE UINT64_C(0x0000100000000000)
#define REF_STACK_BASE UINT64_C(0x0000200000000000)
#define REF_CTX_BASE UINT64_C(0x0000300000000000)
#define REF_PACKET_BASE UINT64_C(0x0000400000000000)
#define REF_VAR_BASE UINT64_C(0x0000500000000000)
#define REF_VALUE_BASE UINT64_C(0x0000600000000000) /* values of map n, n << 32 further up */
#define REF_MAP_BASE                                                                               \
    UINT64_C(0x0000700000000000) /* handle of map n, n << 12 further up; never mapped */
#define REF_FP (REF_STACK_BASE + CTS_MACH_STACKS_BYTES)

enum {
    REF_MAPS_MAX = 16,
    REF_NAMES_MAX = 64,
    REF_MAP_BYTES_MAX = 16 << 20,
    REF_CTX_BYTES = 64,
    REF_PACKET_MAX = 65536,
    REF_DATA_HELPERS = 0x1f, /* bit i: it has helper i of .data files */
};

enum ref_name {
    REF_NAME_UNKNOWN,
    REF_NAME_VAR,
    REF_NAME_RCU_LOCK,
    REF_NAME_RCU_UNLOCK,
    REF_NAME_SUM
};

struct ref_map {
    uint32_t value_bytes, entries;
    uint64_t value; /* machine address of the first value */
    uint8_t *host;  /* map 0 of a window program: null, the machine's region 0 */
    uint8_t *start; /* what is there when a run begins */
};

/* The platform's objects of one program. map[0] is the window. */
struct ref_platform {
    struct cts_mach_platform calls; /* .owner is this */
    struct ref_map map[REF_MAPS_MAX + 1];
    uint32_t maps;
    uint8_t name[REF_NAMES_MAX]; /* enum ref_name */
    uint32_t names;
    bool has_packet;
    bool names_functions; /* maps of one entry are read-only, and name functions */
    uint32_t packet_bytes;
    uint8_t *packet; /* REF_PACKET_MAX bytes, if has_packet */
    uint8_t *values; /* all maps' values, then all maps' first contents */
    uint8_t ctx[REF_CTX_BYTES], var[8];
};

/* Takes maps, names and packet from the request; `window_bytes` are those of map 0 if the program
 * works on the window. CTS_E_NOMEM, or CTS_E_LIMIT for what is too large. */
int ref_platform_init(struct ref_platform *p, const struct cts_load_req *req, uint32_t window_bytes,
                      bool be, struct cts_err *err);
void ref_platform_release(struct ref_platform *p);
/* In a program that calls addresses in registers, data name functions by their place: puts their
 * addresses there. */
void ref_platform_name_functions(struct ref_platform *p, const struct cts_load_req *req, bool be);
/* Maps its memory into the machine; the window's is the caller's. */
int ref_platform_map(struct ref_platform *p, struct cts_mach *m, struct cts_err *err);
/* Are the objects that an instruction names there? CTS_E_INVAL. */
int ref_platform_check(const struct ref_platform *p, const struct cts_mach_insn *insn,
                       struct cts_err *err);
/* A run begins: maps as at their start, this packet. CTS_E_LIMIT. */
int ref_platform_start(struct ref_platform *p, struct cts_mach *m, const uint8_t *packet,
                       uint32_t bytes, struct cts_err *err);

#endif
