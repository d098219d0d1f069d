/* What the files of this box share: programs as they are handed to llvm-mc, with the way back to
 * their source. */
#ifndef CTS_ASM_UNIT_H
#define CTS_ASM_UNIT_H

#include "asm/asm.h"
#include "host/buf.h"

enum { CTS_ASM_TEXT_MAX = 64 << 20 }; /* bytes that are assembled at once */

/* Where a number of the text must be found again in the instruction made of it. */
enum cts_asm_field {
    CTS_AF_OFF,  /* off, signed: displacements and short jumps */
    CTS_AF_IMM,  /* imm, signed or unsigned */
    CTS_AF_JUMP, /* imm, signed: long jumps and local calls */
    CTS_AF_WIDE, /* imm and next_imm together, signed or unsigned */
    CTS_AF_SRC,  /* the source register's number */
    CTS_AF_CAST, /* one half of imm: the address spaces of addr_space_cast */
};

struct cts_asm_num {
    uint8_t field; /* enum cts_asm_field */
    bool negative;
    uint32_t col; /* in the source */
    uint64_t magnitude;
};

/* One instruction: one line of what llvm-mc is given. */
struct cts_asm_insn {
    uint32_t line, col; /* of its first character in the source text, from 1 */
    uint32_t at, len;   /* in the source text */
    uint32_t slot;      /* in the program */
    uint32_t num_first, num_count;
    uint32_t before; /* how many of the program's labels stand before it */
    uint32_t prefix; /* bytes of labels written in front of it */
    /* A label's name in it: place, length in the source, length as written; and the number that is
     * the distance to it. */
    uint32_t ref_at, ref_old, ref_new, ref_num;
    bool wide;
};

/* One program that passed the filter. */
struct cts_asm_unit {
    uint32_t prog; /* index of its source */
    size_t text_at, text_len;
    uint32_t lines; /* one an instruction, and one more for labels behind the last */
    uint32_t insn_first, insn_count, slots;
};

struct cts_asm_batch {
    const struct cts_asm_src *src;
    struct cts_asm_out *out;
    struct cts_buf text; /* all units, without their section lines */
    struct cts_buf insns, nums, units;
};

static inline struct cts_asm_insn *cts_asm_insn_at(const struct cts_asm_batch *b, size_t i)
{
    return (struct cts_asm_insn *)(void *)b->insns.data + i;
}

static inline struct cts_asm_num *cts_asm_num_at(const struct cts_asm_batch *b, size_t i)
{
    return (struct cts_asm_num *)(void *)b->nums.data + i;
}

static inline struct cts_asm_unit *cts_asm_unit_at(const struct cts_asm_batch *b, size_t i)
{
    return (struct cts_asm_unit *)(void *)b->units.data + i;
}

/* check.c: filters one program and appends it to the batch; what it refuses it leaves no trace of.
 */
int cts_asm_check(struct cts_asm_batch *b, uint32_t prog, struct cts_err *err);

/* label.c: the labels of one program. */
struct cts_asm_label {
    const char *name;
    uint32_t len;
    uint32_t line, col;
    uint32_t slot;
    uint32_t order; /* position among the program's labels */
};

/* Sorts by name, then position. A name (not a number) given twice is an error. */
int cts_asm_labels_sort(struct cts_asm_label *labels, size_t n, const struct cts_asm_src *src,
                        struct cts_err *err);
/* The label that `name` means for an instruction in front of which `before` labels stand: names,
 * and numbers followed by b or f. Null if there is none. */
const struct cts_asm_label *cts_asm_label_find(const struct cts_asm_label *labels, size_t n,
                                               const char *name, size_t len, uint32_t before);

/* llvm.c: assembles all units of the batch. Negative only if the tool cannot be run. */
int cts_asm_llvm(const struct cts_asm_tool *tool, bool be, struct cts_asm_batch *b,
                 struct cts_arena *arena, struct cts_err *err);
/* One run over `text`; CTS_E_TIMEOUT, CTS_E_WORKER. */
int cts_asm_tool_run(const char *path, bool be, const char *text, size_t len,
                     struct cts_buf *object, struct cts_buf *messages, int *status,
                     struct cts_err *err);

/* object.c: the section of unit i is named "p<i>". `data` may be changed in place. */
struct cts_asm_section {
    const uint8_t *bytes; /* in the arena */
    size_t len;
    bool found, moved; /* moved: it has a relocation, at byte moved_at, to `symbol` */
    uint64_t moved_at;
    char symbol[64];
};
int cts_asm_object(char *data, size_t len, struct cts_arena *arena,
                   struct cts_asm_section *sections, size_t n, struct cts_err *err);

/* match.c: are the numbers of the text the numbers of the instructions? */
int cts_asm_match(const struct cts_asm_batch *b, const struct cts_asm_unit *u, bool be,
                  const uint8_t *bytes, size_t len, struct cts_err *err);

/* An error at a place of a program's text. */
#define cts_asm_err(src, err, code, text_line, col, ...)                                           \
    cts_err_at(err, code, (src)->file, (src)->line + (text_line) - 1, col, __VA_ARGS__)

#endif
