/* A program of the harness, and what the worker puts in place of its end. */
#ifndef CTS_PLUGIN_PROG_H
#define CTS_PLUGIN_PROG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/wire.h"

/* How the plugin's programs may be built. */
struct plg_traits {
    bool loops;  /* jumps backwards are allowed */
    bool elf;    /* it wants an object file */
    bool packet; /* r1 is the context of an XDP program, and memory is its packet */
};

struct plg_prog {
    uint8_t *code; /* the host's byte order */
    uint32_t slots;
    bool whole;
    struct cts_layout layout; /* of others: of the first body, and of all but for out_mask */
    uint16_t out_mask[CTS_ITEM_LAYOUTS];
    uint32_t bodies; /* rows of one iteration */
    uint32_t tail;   /* the slot at which the environment ends the program; r1: the region */
    uint64_t salt;   /* the fold begins with it */
};

/* What happens behind the environment's end. */
struct plg_tail {
    uint32_t rows; /* goes back to the start until so many are done; only where loops are allowed */
    uint32_t first, words; /* of the region: what is folded. One word is returned as it is */
    uint64_t mask;         /* the result is XORed with it */
};

/* CTS_E_INVAL: it is not what the harness says it is. */
int plg_prog_init(struct plg_prog *p, const struct cts_load_req *req, struct cts_err *err);
void plg_prog_release(struct plg_prog *p);

/* Can the program go back to its start? */
bool plg_prog_can_loop(const struct plg_prog *p);

/* What goes to the plugin's standard input, in memory from malloc; null: out of memory, or a
 * program that is too long for its jumps. */
char *plg_prog_text(const struct plg_prog *p, const struct plg_traits *traits,
                    const struct plg_tail *tail, size_t *len);
/* The same for a whole program, as it is, that is given so much memory. */
char *plg_prog_whole_text(const struct plg_prog *p, const struct plg_traits *traits,
                          uint32_t memory_bytes, size_t *len);

#endif
