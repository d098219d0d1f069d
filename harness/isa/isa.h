/* The instruction set as tables: its instructions, decoding, encoding, text.
 *
 * An instruction is a slot of eight bytes, or two of them if it is wide (RFC 9669 section 3). In
 * the little-endian encoding, by bytes, with the bits of a byte from 7 down to 0:
 *
 *      0        1           2     3     4     5     6     7
 *     +--------+-----+-----+-----+-----+-----+-----+-----+-----+
 *     | opcode | src | dst | off       | imm                   |      16 and 32 bits, signed
 *     +--------+-----+-----+-----+-----+-----+-----+-----+-----+
 *
 *      8        9           10    11    12    13    14    15
 *     +--------+-----+-----+-----+-----+-----+-----+-----+-----+
 *     | 0      | 0   | 0   | 0         | next_imm              |      of a wide one
 *     +--------+-----+-----+-----+-----+-----+-----+-----+-----+
 *
 *     opcode   7   6   5   4   3   2   1   0
 *             +---------------+---+-----------+
 *             | code          | s | class     |   ALU, ALU64, JMP, JMP32; s: source
 *             +-----------+---+---+-----------+
 *             | mode      | size  | class     |   LD, LDX, ST, STX
 *             +-----------+-------+-----------+
 *
 * The big-endian encoding has dst in the upper half of byte 1 and src in the lower, and off, imm
 * and next_imm with their upper byte first.
 *
 * The tables are generated from spec/isa into spec/generated (isa_insns.h, isa_insns.c).
 * Freestanding: no allocation, no libc beyond mem*. Source: RFC 9669 sections 3 to 5; every
 * instruction carries its section. */
#ifndef CTS_ISA_ISA_H
#define CTS_ISA_ISA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "generated/isa_insns.h" /* enum cts_insn_id: CTS_INSN_ADD32_K, ..., CTS_INSN_COUNT; enum cts_group: CTS_GROUP_BASE32 ... */

enum {
    CTS_SLOT_BYTES = 8,
    CTS_REG_COUNT = 11,
    CTS_REG_STACK_ARGS = 11 /* the base of arguments on the stack: no register that can be moved */
};

/* An opcode in its parts (RFC 9669, section 3): the class; of arithmetic and jumps the code; of
 * loads and stores the size and the mode. */
enum cts_opcode_part {
    CTS_PART_CLASS = 0x07,
    CTS_PART_CODE = 0xf0,
    CTS_PART_SIZE = 0x18,
    CTS_PART_MODE = 0xe0,
};
enum cts_class {
    CTS_CLASS_LD,
    CTS_CLASS_LDX,
    CTS_CLASS_ST,
    CTS_CLASS_STX,
    CTS_CLASS_ALU,
    CTS_CLASS_JMP,
    CTS_CLASS_JMP32,
    CTS_CLASS_ALU64,
};
/* Codes of the classes JMP and JMP32 that are no conditional jump. */
enum cts_jump_code { CTS_JUMP_JA = 0x00, CTS_JUMP_CALL = 0x80, CTS_JUMP_EXIT = 0x90 };

/* The fields of one instruction; `next_imm` counts only in wide (two-slot) ones. */
struct cts_insn {
    uint8_t opcode, dst, src;
    int16_t off;
    int32_t imm, next_imm;
    /* The fields of the second slot that must be zero, as they were found; 0 when encoding. */
    uint8_t opcode2, regs2;
    int16_t off2;
};

enum cts_field { CTS_F_DST, CTS_F_SRC, CTS_F_OFF, CTS_F_IMM, CTS_F_NEXT_IMM, CTS_F_COUNT };

enum cts_field_kind {
    CTS_FK_FIXED,   /* exactly `value`; an unused field is FIXED 0 */
    CTS_FK_REG,     /* a register 0..10 */
    CTS_FK_ANY,     /* any value the field can hold */
    CTS_FK_NONZERO, /* any value but 0 */
    CTS_FK_SPAN,    /* from `value` to `last`, the multiples of `step` */
};

struct cts_field_rule {
    uint8_t kind; /* enum cts_field_kind */
    int32_t value, last, step;
};

enum cts_insn_flags {
    CTS_RF_WIDE = 1 << 0,     /* two slots */
    CTS_RF_SLOT = 1 << 1,     /* not an instruction: the second slot of a wide one */
    CTS_RF_JUMP = 1 << 2,     /* may go elsewhere than to the next one (calls and exit included) */
    CTS_RF_LOAD = 1 << 3,     /* reads memory at src + off */
    CTS_RF_STORE = 1 << 4,    /* writes memory at dst + off */
    CTS_RF_ATOMIC = 1 << 5,   /* reads and writes memory at dst + off */
    CTS_RF_CALL = 1 << 6,     /* calls a function */
    CTS_RF_PLATFORM = 1 << 7, /* needs an object of the platform: map, variable, function, packet */
    CTS_RF_CHOOSE = 1 << 8,   /* the runtime decides between two ways */
    CTS_RF_FOREIGN = 1 << 9,  /* needs a platform of a kind that the reference machine is not */
};

struct cts_insn_info {
    /* "add64_x"; "ADD64_X"; RFC section, "4.1", or "" for what came later */
    const char *id, *name, *section;
    enum cts_group group;
    uint8_t opcode;
    struct cts_field_rule field[CTS_F_COUNT];
    unsigned flags;
    /* LLVM syntax with {dst} {dst.w} {src} {src.w} {imm} {imm64}, {off} (+4, as in jumps), {disp}
     * (+ 4, as behind a base register). */
    const char *syntax;
    const char *ubpf; /* the same in uBPF's syntax, "" if it has none; {rel} is imm with its sign */
    const char *gas;  /* the same in that of binutils' assembler */
    const char *does; /* the text of its semantics */
    const char *const *clauses;          /* ids, ended by a null pointer */
    const char *since_isa, *since_linux; /* "v1".."v4"; "6.6" */
    const char *origin;                  /* "rfc", "linux", "toolchain" */
};

const struct cts_insn_info *cts_insn_info(enum cts_insn_id row);
/* CTS_INSN_COUNT if there is none of that id. */
enum cts_insn_id cts_insn_find(const char *id);
const char *cts_group_name(enum cts_group group);
enum cts_group cts_group_find(const char *name); /* CTS_GROUP_COUNT: none */
/* All rows of `group` and of the groups it includes (RFC 9669 section 2.4): does `row` belong? */
bool cts_group_has(enum cts_group group, enum cts_insn_id row);

/* Raw slots: opcode, dst, src, off, imm. `be`: the big-endian encoding (nibbles of the register
 * byte swapped, fields byte-swapped). */
void cts_slot_get(const uint8_t bytes[8], bool be, struct cts_insn *in);
void cts_slot_put(uint8_t bytes[8], bool be, const struct cts_insn *in);
/* Re-encodes n slots from little- to big-endian or back, in place. */
void cts_slots_swap_order(uint8_t *bytes, size_t slots);

/* The row an instruction belongs to, by opcode and the fields that select it; CTS_INSN_COUNT if
 * none. Says nothing of the other fields. A field selects where the rows that are still possible,
 * looking at dst, src, off, imm in this order, have different rules for it. */
enum cts_insn_id cts_insn_of(const struct cts_insn *in);
/* 0 if every field is what the row allows, else CTS_E_INVAL naming the field and the rule. */
int cts_insn_check(enum cts_insn_id row, const struct cts_insn *in, struct cts_err *err);

/* Decodes the instruction at bytes (`slots` slots are left). Returns the slots it takes, 1 or 2,
 * and sets *row; negative and *row = CTS_INSN_COUNT if it is not a legal instruction. `in` is
 * filled in any case. */
int cts_decode(const uint8_t *bytes, size_t slots, bool be, struct cts_insn *in,
               enum cts_insn_id *row, struct cts_err *err);
/* The strict encoder: fields from `in` (opcode is taken from the row; fixed fields left 0 are
 * filled in from the row). Returns the slots written. */
int cts_encode(enum cts_insn_id row, const struct cts_insn *in, bool be, uint8_t bytes[16],
               struct cts_err *err);

/* One instruction as text in LLVM's syntax (text.h has the others); what that has no words for
 * follows as a comment ("call 5 # call_local"); an illegal one is ".insn 0x.. # why". Returns the
 * slots consumed, at least 1. */
int cts_disasm(const uint8_t *bytes, size_t slots, bool be, char *text, size_t cap);

/* Does a function of the program begin at this offset in bytes: an instruction behind an exit? How
 * data name functions. */
bool cts_function_begins(const uint8_t *code, uint32_t slots, uint64_t bytes);
/* Is there a call of an address in a register; a jump to one? */
bool cts_calls_addresses(const uint8_t *code, uint32_t slots);
bool cts_jumps_to_addresses(const uint8_t *code, uint32_t slots);
/* Does an instruction of the program begin at this offset in bytes? */
bool cts_insn_begins(const uint8_t *code, uint32_t slots, uint64_t bytes);

#endif
