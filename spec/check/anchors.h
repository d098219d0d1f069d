/* What spec/anchors says: outside tables of instructions, the explained differences from them, and
 * what the assemblers cannot say. */
#ifndef CTS_SPEC_CHECK_ANCHORS_H
#define CTS_SPEC_CHECK_ANCHORS_H

#include "spec_check/check.h"
#include "spec_check/table.h"

enum { CTS_ANCHOR_FIELDS = 4 }; /* opcode, src, off, imm, in this order */

struct cts_anchor_row {
    unsigned line;
    const char *key; /* the four fields as written, with a space between them */
    struct cts_spec_enc enc[CTS_ANCHOR_FIELDS];
    const char *group, *section;     /* "-": it does not say */
    const struct cts_spec_insn *row; /* null: spec/isa has none of this encoding */
};

struct cts_anchor {
    const char *name, *path;
    struct cts_anchor_row *rows;
    size_t count;
};

/* Reads anchors/NAME.tsv and finds the row of each line. False: it cannot be had, which is counted
 * as a fault. */
bool cts_anchor_load(struct cts_check_run *run, const char *name, struct cts_anchor *out);
const struct cts_anchor_row *cts_anchor_of(const struct cts_anchor *anchor,
                                           const struct cts_spec_insn *row);

/* One thing that one difference explains; `used` is set by whoever met it. */
struct cts_difference {
    const char *id, *anchor, *subject; /* subject: id of a row, or key of an anchor's row */
    const char *field, *there, *here;
    const struct cts_yaml *node;
    bool used;
};

struct cts_differences {
    struct cts_difference *list;
    size_t count;
};

bool cts_differences_load(struct cts_check_run *run, struct cts_differences *out);
/* Is it explained that `anchor` says `there` of this field and we `here`? */
bool cts_difference_explains(struct cts_differences *all, const char *anchor, const char *subject,
                             const char *field, const char *there, const char *here);
/* Counts a fault for each difference from one of `anchors` (ended by null) that nobody met. */
void cts_differences_unused(struct cts_check_run *run, const struct cts_differences *all,
                            const char *const *anchors);

struct cts_limit {
    const char *id, *tool, *version;
    const struct cts_spec_insn *row;
    bool all;
    enum cts_spec_field field; /* unless `all`: values of it outside lo..hi */
    int64_t lo, hi;
    size_t met, wrong; /* samples under it, and those that gave other bytes or none */
    const struct cts_yaml *node;
};

struct cts_limits {
    struct cts_limit *list;
    size_t count;
};

/* The limits of one tool. */
bool cts_limits_load(struct cts_check_run *run, const char *tool, struct cts_limits *out);
/* Is there a limit of `field` (or of all) for this row? */
const struct cts_limit *cts_limit_of(const struct cts_limits *limits,
                                     const struct cts_spec_insn *row, enum cts_spec_field field);

#endif
