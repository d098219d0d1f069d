/* Are two semantics the same function? A question to z3. */
#ifndef CTS_MUTATE_SMT_H
#define CTS_MUTATE_SMT_H

#include "host/buf.h"
#include "load/spec.h"

enum cts_smt_answer {
    CTS_SMT_SAME,
    CTS_SMT_DIFFERENT,
    CTS_SMT_UNKNOWN, /* not in its steps, or not to be said in its language */
};

/* The question as SMT-LIB text: satisfiable if a state exists that the row and `other` take to
 * different ones. Registers may be one and the same where the row leaves that open; memory is an
 * array of bytes; what accesses memory must access the same bytes. `abstract`: multiplication and
 * division are any functions, so that only "unsatisfiable" says something. */
void cts_smt_question(const struct cts_spec_insn *row, const struct cts_sema *other, bool abstract,
                      struct cts_buf *out);
struct cts_smt_query {
    const struct cts_spec_insn *row;
    const struct cts_sema *other;
    bool hard;    /* it multiplies or divides */
    bool damaged; /* an answer was kept, and cannot be believed */
    enum cts_smt_answer answer;
    struct cts_buf
        input; /* a state in which they differ: "dst=0x1 imm=0x2"; the asker's to release */
};
/* Asks z3 (its path) n questions, each with so many of its steps. Answers are kept in the open
 * folder `cache` (host/cache.h; negative: nowhere), by the question's hash. */
void cts_smt_ask(const char *z3, int cache, struct cts_smt_query *q, size_t n, uint64_t steps);

#endif
