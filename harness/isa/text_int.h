/* Shared by the two directions of text, for nobody else. */
#ifndef CTS_ISA_TEXT_INT_H
#define CTS_ISA_TEXT_INT_H

#include "isa/text.h"

/* The placeholders of templates. */
enum cts_hole {
    CTS_HOLE_DST,      /* r1 */
    CTS_HOLE_DST_W,    /* w1 */
    CTS_HOLE_SRC,      /* r2 */
    CTS_HOLE_SRC_W,    /* w2 */
    CTS_HOLE_IMM,      /* -5 */
    CTS_HOLE_IMM64,    /* 0x5: both immediates */
    CTS_HOLE_NEXT_IMM, /* 5 */
    CTS_HOLE_OFF,      /* +4 */
    CTS_HOLE_DISP,     /* + 4 */
    CTS_HOLE_REL,      /* +4: the immediate */
    CTS_HOLE_COUNT
};

/* The placeholder at `t` and its length; CTS_HOLE_COUNT if there is none. */
enum cts_hole cts_hole_at(const char *t, size_t *len);

/* Does the template show the offset; the immediate? */
bool cts_template_shows_off(const char *t);
bool cts_template_shows_imm(const char *t);

/* Does another row have the same text, and is it the other one that the bare text means? */
bool cts_text_needs_id(enum cts_insn_id row, enum cts_syntax syntax);

bool cts_text_same(const char *a, const char *b);

#endif
