/* Instructions as text and back, in several syntaxes.
 *
 * They are data: a row of spec/isa has a template for each. What a syntax has no words for stands
 * in a comment that is read again: "call 5 # call_local", "r0 = *(u32 *)skb[r2] # imm 4". A row
 * that has no template, and what is no instruction, is told by its bytes: ".insn 0x...". So every
 * sequence of slots has a text in each syntax that gives the same bytes again. Freestanding. */
#ifndef CTS_ISA_TEXT_H
#define CTS_ISA_TEXT_H

#include "isa/isa.h"

enum cts_syntax {
    CTS_SYNTAX_LLVM, /* r1 += r2 */
    CTS_SYNTAX_UBPF, /* add %r1, %r2; le16 %r1 */
    CTS_SYNTAX_GAS,  /* add %r1, %r2; endle %r1, 16: binutils, not its dialect pseudoc */
    CTS_SYNTAX_COUNT
};

enum { CTS_INSN_TEXT_MAX = 128 }; /* room for any instruction's text */

const char *cts_syntax_name(enum cts_syntax syntax); /* "llvm", "ubpf", "gas" */
enum cts_syntax cts_syntax_find(const char *name);   /* CTS_SYNTAX_COUNT: none */
const char *cts_syntax_template(enum cts_syntax syntax, enum cts_insn_id row); /* "": none */

/* Returns the length of the text, which is cut to `cap`. Fields that `row` does not allow are
 * printed as they are. */
size_t cts_text_print(enum cts_insn_id row, const struct cts_insn *in, enum cts_syntax syntax,
                      char *text, size_t cap);

/* The instruction at `bytes` (`slots` slots are left, at least 1) as text, with a comment that says
 * why if it is not a legal one. Returns the slots it takes; *legal may be null. */
unsigned cts_text_disasm(const uint8_t *bytes, size_t slots, bool be, enum cts_syntax syntax,
                         char *text, size_t cap, bool *legal);

/* Reads ".insn 0x...": the bytes of one or two slots, in the order of memory. Returns the slots, 0
 * if the line is none of these, CTS_E_INVAL with the column if it is and the bytes are not there.
 */
int cts_text_raw(const char *line, uint8_t bytes[16], struct cts_err *err);

/* Names in place of distances. `find` gives the distance, in slots from the instruction that
 * follows, of the place that is called so; false: there is none. In a first pass over a program, to
 * learn how many slots each line takes, it may answer 0 to everything. */
struct cts_text_names {
    bool (*find)(void *arg, const char *name, size_t len, int64_t *distance);
    void *arg;
};

/* Reads one instruction; hexadecimal immediates may be the bits of a negative number, but for uBPF
 * decimal ones, too. `names` may be null. CTS_E_SYNTAX, CTS_E_RANGE or CTS_E_NOTFOUND with the
 * column where the reading stopped; CTS_E_INVAL, naming the field and its rule, if the text is that
 * of a row which does not allow these operands. *row is CTS_INSN_COUNT then. */
int cts_text_parse(const char *line, enum cts_syntax syntax, const struct cts_text_names *names,
                   struct cts_insn *in, enum cts_insn_id *row, struct cts_err *err);

/* Is there nothing but space and a comment on the line? */
bool cts_text_is_blank(const char *line);
/* The length of a label's name if the line, but for space, starts with "name:"; then *name is where
 * it begins and *rest what stands behind the colon. Else 0. */
size_t cts_text_label(const char *line, const char **name, const char **rest);

#endif
