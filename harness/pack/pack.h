/* Packs: vectors compiled to what runs.
 *
 * A pack is one block of memory (a file read, or built in memory): a header and flat tables of
 * fixed-size records that refer to one another by index, so that loading is reading. Numbers are in
 * the byte order of the machine that wrote it (the header tells; a foreign one is refused).
 * Programs are kept as bodies in the little-endian encoding; the environment around them and the
 * byte order are added when a runtime is known (env.h). Nothing in a pack depends on a runtime. */
#ifndef CTS_PACK_PACK_H
#define CTS_PACK_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vector.h"
#include "wire/layout.h"

/* In place of an index or an offset: there is none. */
#define CTS_PACK_NONE UINT32_MAX

/* A run of consecutive records of another table. */
struct cts_pk_range {
    uint32_t first, count;
};

/* An offset into the string table; text is terminated. 0 is "". */
typedef uint32_t cts_pk_str;

/* One vector: a template and its cases. */
struct cts_pk_vector {
    cts_pk_str id; /* "base64/add/carries-into-upper-half" */
    cts_pk_str file;
    uint32_t line;
    cts_pk_str why;              /* "" if none */
    cts_pk_str policy;           /* "rfc" or the name of a policy */
    cts_pk_str klass;            /* verdict class, "V01"; "" for others */
    cts_pk_str message;          /* what a runtime that rejects is known to say; "" if none */
    cts_pk_str skip;             /* why nobody is asked it; "" if they are */
    cts_pk_str no_jit;           /* why compilers are not asked it; "" if they are */
    struct cts_pk_range rows;    /* in u16 row ids (enum cts_insn_id) */
    struct cts_pk_range clauses; /* in strings */
    struct cts_pk_range bugs;    /* in strings */
    struct cts_pk_range only;    /* in strings: the runtimes it is for; none: all */
    struct cts_pk_range cases;
    struct cts_pk_range units;
    uint32_t needs; /* enum cts_feature: what it says of itself */
    uint32_t uses;  /* enum cts_feature: what its programs use, all of them together */
    uint8_t kind;   /* enum cts_vector_kind */
    uint8_t group;  /* enum cts_group of its first row */
};

/* One case: the unit that is counted. */
struct cts_pk_case {
    uint32_t vector;
    cts_pk_str name; /* "1", "2", ... or its own */
    uint32_t line;
    uint8_t order; /* enum cts_order of the machines it is for */
};

enum cts_unit_flags {
    CTS_UF_WHOLE = 1 << 0,  /* a whole program (CTS_PROG_WHOLE), not a body */
    CTS_UF_PACKET = 1 << 1, /* needs a packet context */
    CTS_UF_ALONE = 1 << 2,  /* shares its program with no other body */
    CTS_UF_FUNCTION =
        1 << 3, /* a body that calls its one subprogram, r1 the row's memory and r2 its length (set
                   in the slot before the call), and a case that asks for r0: where whole programs
                   are given memory, the subprogram is run as one */
    CTS_UF_NO_ARGUMENTS = 1 << 4, /* such a subprogram that has no memory and reads neither r1 nor
                                     r2: run as a whole program wherever all of r0 is seen */
};

/* One unit: a vector made concrete, one piece of code with its rows. */
struct cts_pk_unit {
    uint32_t vector;
    cts_pk_str label;           /* "dst=r3 src=r7 constant" */
    uint32_t code;              /* offset in the code table (bytes), a multiple of 8 */
    uint32_t slots;             /* of the whole: body, then subprograms */
    uint32_t body_slots;        /* where the subprograms begin; == slots if there are none */
    struct cts_layout layout;   /* region and rows are 0: not yet placed */
    struct cts_pk_range rows;   /* operand tuples in the row table; empty for a sweep */
    uint32_t sweep;             /* index, or CTS_PACK_NONE */
    struct cts_pk_range packet; /* bytes in the data table */
    struct cts_pk_range maps;
    struct cts_pk_range names; /* strings */
    uint32_t repeat;           /* runs of each row, in each thread; 1 normally, else it is ALONE */
    uint8_t threads;           /* that run it at the same time; 1 normally, else it is ALONE */
    uint8_t flags;             /* enum cts_unit_flags */
    uint8_t operands;          /* enum cts_operands */
    uint8_t level;             /* enum cts_level: the lowest at which it runs */
};

/* One operand tuple: a state to start from and what may come out. */
struct cts_pk_tuple {
    uint32_t kase;           /* the case it belongs to */
    uint32_t in;             /* state; CTS_PACK_NONE for whole programs */
    struct cts_pk_range out; /* outcomes: any of them conforms */
};

struct cts_pk_outcome {
    uint8_t kind; /* enum cts_outcome_kind */
    bool has_r0;  /* EXITED and whole programs: r0 is compared, in as many bits as the runtime
                     reports */
    uint64_t r0;
    uint32_t state;     /* RAN of a body; else CTS_PACK_NONE */
    cts_pk_str runtime; /* "linux:jit", "linux", or "" (0): if any outcome of a row names the engine
                           under test only those count, else those that name its runtime, else
                           those with "" */
};

/* A machine state. Every register and byte is named; what is not to be looked at is masked. */
struct cts_pk_state {
    uint64_t r[10];    /* for registers whose place is an address: what is added to it */
    uint8_t place[10]; /* enum cts_place: VALUE, MEM, FP */
    uint16_t any;      /* bit i: ri may hold anything */
    struct cts_pk_bytes_ref {
        uint32_t data;  /* offset in the data table of the bytes as on a little-endian machine */
        uint32_t width; /* offset in the data table of as many bytes: the width (1 2 4 8) of the
                           element each byte is in; CTS_PACK_NONE: all 1 */
        uint32_t any;   /* offset in the data table of as many bytes, 1: may hold anything;
                           CTS_PACK_NONE: none may */
        uint32_t
            be; /* offset in the data table of the bytes as on a big-endian machine; CTS_PACK_NONE:
                   the same as data. It is not always to be had from `data` and `width`: a byte
                   stored into a wider element leaves other bytes behind there */
    } mem, stack; /* mem: layout.mem_bytes; stack: 512, lowest address first; data is CTS_PACK_NONE:
                     none */
    uint32_t mem_bytes; /* the layout's of every unit that uses it; 0 if there is no mem */
};

struct cts_pk_operand {
    uint8_t target; /* enum cts_sweep_target: REG or MEM */
    uint8_t reg;
    uint8_t width;  /* bytes written, for memory */
    uint8_t domain; /* enum cts_domain */
    uint32_t at;    /* offset in the row's memory */
};

/* The product of the operands' domains; expected states come from running the body on the reference
 * machine. */
struct cts_pk_sweep {
    uint32_t kase;
    uint32_t base; /* state that everything not swept comes from */
    struct cts_pk_range operands;
};

struct cts_pk_map {
    uint32_t value_bytes, entries, /* value_bytes 0: each entry is the program itself */
        data;    /* offset in the data table: contents on a little-endian machine */
    uint32_t be; /* the same for a big-endian one */
};

/* Boundary sets. Values are in a fixed order; a higher level has more. */
enum cts_domain {
    CTS_DOM_U64,
    CTS_DOM_U32,
    CTS_DOM_U16,
    CTS_DOM_U8,
    CTS_DOM_SHIFT,
    CTS_DOM_IMM,
    CTS_DOM_IMM_NONZERO,
    CTS_DOM_IMM_SHIFT32,
    CTS_DOM_IMM_SHIFT64,
    CTS_DOM_COUNT
};
const char *
cts_domain_name(enum cts_domain d); /* "u64", "u32" (any upper half), "u16", "u8", "shift", "imm",
                                       "imm-nonzero", "imm-shift32", "imm-shift64" */
enum cts_domain cts_domain_find(const char *name);
const uint64_t *cts_domain_values(enum cts_domain d, enum cts_level level, uint32_t *count);

struct cts_pack {
    const uint8_t *base;
    size_t bytes;
    bool owned;
    uint8_t level;
    const uint8_t *digest; /* SHA-256 of its content, as its writer found it: names what was run */
    uint32_t
        left_out; /* string_refs[0, left_out): ids of the vectors that run at higher levels only */
    const struct cts_pk_vector *vectors;
    const struct cts_pk_case *cases;
    const struct cts_pk_unit *units;
    const struct cts_pk_tuple *rows;
    const struct cts_pk_outcome *outcomes;
    const struct cts_pk_state *states;
    const struct cts_pk_sweep *sweeps;
    const struct cts_pk_operand *operands;
    const struct cts_pk_map *maps;
    const uint16_t *insn_ids;
    const cts_pk_str *string_refs; /* ids left out, clauses, bugs, only, names */
    const uint8_t *code, *data;
    const char *strings;
    uint32_t vector_count, case_count, unit_count, row_count, outcome_count, state_count,
        sweep_count, operand_count, map_count, insn_id_count, string_ref_count, code_bytes,
        data_bytes, string_bytes;
};

enum { CTS_PACK_BYTES_MAX = 1 << 30 };

/* Reads a pack file. Everything is checked once (magic, version, byte order, the sum over all of
 * it, all indexes in range), so that users need not. */
int cts_pack_open(struct cts_pack *p, const char *path, struct cts_err *err);
/* The same over memory that stays the caller's; `owned`: free() it on release. */
int cts_pack_from_memory(struct cts_pack *p, const uint8_t *data, size_t len, bool owned,
                         struct cts_err *err);
void cts_pack_release(struct cts_pack *p);
static inline const char *cts_pack_text(const struct cts_pack *p, cts_pk_str s)
{
    return p->strings + s;
}

#endif
