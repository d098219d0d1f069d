/* Assembly text to instructions: in any syntax by the templates of spec/isa (own), or in LLVM's
 * through llvm-mc, many programs a call, and the object read with libelf. The rest is of llvm-mc.
 *
 * One section per program; labels are private to a program. Directives are refused (only labels and
 * instructions pass), numbers outside their field are refused (llvm-mc would truncate them
 * silently), warnings are errors. Every number of the text is compared with the field it became.
 *
 * Immediates may be written signed or unsigned: -2^31 .. 2^32-1 in 32 bits, -2^63 .. 2^64-1 before
 * `ll`. Displacements and jumps are signed. A leading zero is refused.
 *
 * Nothing is kept between calls: a call costs 20 ms and 20 us a program, and what is assembled ends
 * up in a pack, which is cached as a whole under the hash of all that went into it. Calls share
 * nothing, so they may run in parallel. */
#ifndef CTS_ASM_ASM_H
#define CTS_ASM_ASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "host/arena.h"
#include "isa/text.h"

struct cts_asm_tool {
    char path[4096];
    unsigned version; /* major */
};

/* Finds llvm-mc: EBPF_CTS_LLVM_MC, else the newest of llvm-mc-40 .. llvm-mc-19 in $PATH and in
 * /usr/lib/llvm-N/bin, else llvm-mc if it is 19 or newer. Probes it once with a v4 instruction.
 * CTS_E_UNSUPPORTED with an install hint. */
int cts_asm_find(struct cts_asm_tool *tool, struct cts_err *err);

struct cts_asm_src {
    const char *text; /* LLVM syntax; lines ended by \n; # or // starts a comment */
    const char *file; /* for messages */
    unsigned line;    /* of the first line of `text` in `file` */
};

struct cts_asm_out {
    const uint8_t *bytes; /* in the arena */
    uint32_t slots;
    int rc; /* 0, or negative and `err` says where (file:line:col) */
    struct cts_err err;
};

/* Assembles n programs; out[n] is filled, one error per bad program and the good ones all the same.
 * Returns 0 if the tool ran (whatever the programs), negative if it could not. `be`: bpfeb. A local
 * call (`call label`) is resolved; other relocations are errors. */
int cts_asm_many(const struct cts_asm_tool *tool, bool be, const struct cts_asm_src *src, size_t n,
                 struct cts_arena *arena, struct cts_asm_out *out, struct cts_err *err);

/* Assembles one program without llvm-mc, as cts_text_parse and cts_text_raw read it: one
 * instruction a line (in LLVM's syntax also behind a ';', and a comment also behind "//"), labels,
 * comments that say what the syntax cannot. Sets out->bytes and slots, or out->rc and err. */
void cts_asm_own(const struct cts_asm_src *src, enum cts_syntax syntax, bool be,
                 struct cts_arena *arena, struct cts_asm_out *out);

#endif
