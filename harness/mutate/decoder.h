/* Wrong decoders: they take a program for another one, or reject one that is legal. `arg` of the
 * mutant says how. */
#ifndef CTS_MUTATE_DECODER_H
#define CTS_MUTATE_DECODER_H

#include "isa/isa.h"
#include "mutate/model.h"

/* Beside enum cts_field: the fields of a wide instruction's second slot. */
enum { CTS_SECOND_OPCODE = CTS_F_COUNT, CTS_SECOND_REGS, CTS_SECOND_OFF, CTS_SECOND_END };

/* What is rejected though it is legal. */
enum cts_mut_refusal {
    CTS_REFUSES_ALL,
    CTS_REFUSES_DST_8,
    CTS_REFUSES_SRC_8,
    CTS_REFUSES_SRC_10,
    CTS_REFUSES_DST_10,
    CTS_REFUSES_ALIAS,
    CTS_REFUSES_OFF_NEGATIVE,
    CTS_REFUSES_OFF_POSITIVE,
    CTS_REFUSES_OFF_FAR,
    CTS_REFUSES_IMM_NEGATIVE,
    CTS_REFUSES_IMM_ZERO,
    CTS_REFUSES_IMM_LARGE,
    CTS_REFUSES_COUNT
};

/* What is accepted though it is none of a program's. */
enum cts_mut_laxity {
    CTS_ACCEPTS_JUMP_OUT,
    CTS_ACCEPTS_JUMP_WIDE,
    CTS_ACCEPTS_CALL_OUT,
    CTS_ACCEPTS_FALL_OFF,
    CTS_ACCEPTS_EMPTY,
    CTS_ACCEPTS_COUNT
};

/* A jump that may or may not be taken, or one that always is: no call, and no exit. */
bool cts_mut_is_branch(const struct cts_insn_info *info, enum cts_insn_id row);

/* arg: a field (enum cts_field or one above) that must have one value and is not looked at. */
enum cts_mut_decoded cts_mut_decode_ignores_field(const struct cts_mutant *m, struct cts_buf *code);
/* arg: CTS_F_DST or CTS_F_SRC; register numbers beyond 10 there are taken for r0. */
enum cts_mut_decoded cts_mut_decode_any_register(const struct cts_mutant *m, struct cts_buf *code);
/* arg: an opcode that no instruction has, which is passed over. */
enum cts_mut_decoded cts_mut_decode_unassigned(const struct cts_mutant *m, struct cts_buf *code);
/* arg: enum cts_mut_refusal. */
enum cts_mut_decoded cts_mut_decode_refuses(const struct cts_mutant *m, struct cts_buf *code);
/* arg: enum cts_mut_laxity. */
enum cts_mut_decoded cts_mut_decode_structure(const struct cts_mutant *m, struct cts_buf *code);

#endif
