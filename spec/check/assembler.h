/* Comparing the rows with what an assembler makes of their texts. */
#ifndef CTS_SPEC_CHECK_ASSEMBLER_H
#define CTS_SPEC_CHECK_ASSEMBLER_H

#include "spec_check/anchors.h"
#include "spec_check/encode.h"

/* What the assembler made of one line. */
struct cts_asm_line {
    uint8_t bytes[CTS_SAMPLE_BYTES];
    size_t count; /* 0: it refused the line */
};

struct cts_assembler {
    const char *tool;    /* as in limits.yaml */
    const char *version; /* of the one found, to compare with limits.yaml */
    bool signed_off;
    const char *unknown; /* what to do about a later row that it refuses; behind the fault */
    /* The row's text; null: it has none (and a limit must say why, if the row is the RFC's: of
     * what came later it need not know); "": a later version has one. */
    const char *(*syntax)(void *arg, const struct cts_spec_insn *row);
    /* Assembles `count` lines. False: that was counted as a fault. */
    bool (*assemble)(void *arg, struct cts_check_run *run, bool be, const struct cts_buf *text,
                     struct cts_asm_line *lines, size_t count);
    /* Leave out what is under a limit: a line that is refused takes the others with it. */
    bool only_good;
    void *arg;
};

/* Every extreme of every row, in both byte orders. */
void cts_assembler_compare(struct cts_check_run *run, const struct cts_assembler *a);

#endif
