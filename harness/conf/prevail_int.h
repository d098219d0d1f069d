/* Private to the reader of PREVAIL's tests. */
#ifndef CTS_CONF_PREVAIL_INT_H
#define CTS_CONF_PREVAIL_INT_H

#include <stdbool.h>

#include "conf/impl.h"
#include "conf/prevail.h"
#include "load/yaml.h"

/* A whole number from -2^63 to 2^64 - 1: below 0 it is (int64_t)v. */
struct cts_pv_num {
    bool below;
    uint64_t v;
};
int cts_pv_compare(struct cts_pv_num a, struct cts_pv_num b);

struct cts_pv_side {
    int reg; /* 0 to 9; -1: `num` */
    bool is_signed;
    struct cts_pv_num num;
};

enum cts_pv_kind {
    CTS_PV_OTHER, /* of pointers, memory, differences */
    CTS_PV_TYPE,  /* a number, or what always holds */
    CTS_PV_RANGE, /* `a` is from lo to hi */
    CTS_PV_SAME,  /* `a` is `b` */
};

struct cts_pv_fact {
    enum cts_pv_kind kind;
    struct cts_pv_side a, b; /* TYPE: a.reg, -1 for r10 */
    struct cts_pv_num lo, hi;
};
struct cts_pv_fact cts_pv_fact(const char *text);
/* Does it hold where the registers are these? */
bool cts_pv_holds(const struct cts_pv_fact *f, const uint64_t *regs);

/* The code of a test as text that vectors have, and what is in it. */
struct cts_pv_code {
    struct cts_buf text;       /* one instruction or label a line, none of them `exit` */
    bool rows[CTS_INSN_COUNT]; /* that are in it */
    unsigned reads_or_writes;  /* bit i: ri is named */
    unsigned writes;           /* bit i: ri may be changed */
    bool ends;                 /* its last instruction is `exit` */
    bool exits, assumes, memory, calls, loops;
    const char *strange; /* the line that is not read; null: all of them are */
};
/* `end` stands for `exit` in the text: an instruction, "exit" or "goto LABEL". */
int cts_pv_code(const struct cts_yaml *blocks, const char *end, struct cts_arena *arena,
                struct cts_pv_code *out);
void cts_pv_code_release(struct cts_pv_code *c);

#endif
