/* Vector files (vectors/README.md) as structs: what is written there, checked, with the place of
 * everything; nothing is expanded.
 *
 * A vector with a fault is left out and reported; the others of its file are loaded. A file whose
 * frame is broken (no YAML, no suite) is lost as a whole. All memory belongs to the arena. */
#ifndef CTS_LOAD_VEC_H
#define CTS_LOAD_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vector.h"
#include "host/arena.h"

enum {
    CTS_VEC_ROLES_MAX = 10,
    CTS_VEC_MEM_MAX = 4096,       /* bytes of row memory */
    CTS_VEC_REPEAT_MAX = 1000000, /* of one piece */
    CTS_VEC_PACKET_MAX = 65536,
    CTS_VEC_MAP_MAX = 65536, /* bytes of one map's contents */
    CTS_VEC_OUTCOMES_MAX = 32,
    CTS_VEC_SWEEPS_MAX = 4,
    CTS_VEC_FORMS_MAX = 4096,   /* vectors that one item with forms stands for */
    CTS_VEC_RUNS_MAX = 1000000, /* of one case, in each thread */
    CTS_VEC_THREADS_MAX = 16,
};

struct cts_vec_pos {
    const char *file;
    unsigned line, col;
};

/* Register 0..10, or (role >= 0) whatever stands for that role. */
struct cts_vec_reg {
    int8_t role; /* index into cts_vec.roles; -1: `reg` counts */
    uint8_t reg;
};

enum cts_vec_value_kind {
    CTS_VV_INT,      /* `v` */
    CTS_VV_MEM,      /* the address of the row's memory plus (int64_t)v */
    CTS_VV_FP,       /* r10 plus (int64_t)v */
    CTS_VV_ANY,      /* not looked at */
    CTS_VV_COMPUTED, /* `out` only: what the rows' `does` gives */
};

struct cts_vec_set {
    struct cts_vec_reg reg;
    uint8_t kind; /* enum cts_vec_value_kind */
    uint64_t v;
    struct cts_vec_pos pos;
};

/* Bytes of memory or stack from `at` on. */
struct cts_vec_bytes {
    int32_t at;     /* from the start of memory; from r10 (negative) */
    uint32_t bytes; /* in all */
    uint8_t width;  /* of one element: 1 (u8 and hex), 2, 4, 8; 0: the bytes are not looked at */
    const uint64_t *values; /* bytes / width of them */
    struct cts_vec_pos pos;
};

struct cts_vec_state {
    struct cts_vec_pos pos;
    const struct cts_vec_set *regs;
    size_t reg_count;
    const struct cts_vec_bytes *mem, *stack; /* no two pieces overlap, all are in range */
    size_t mem_count, stack_count;
};

struct cts_vec_outcome {
    uint8_t kind; /* enum cts_outcome_kind */
    bool has_r0;  /* EXITED, and RAN of a whole program */
    uint64_t r0;
    struct cts_vec_state out; /* RAN of a body */
    const char *runtime; /* verdict vectors: "linux" or "linux:jit"; "": all that are not named */
};

struct cts_vec_case {
    struct cts_vec_pos pos;
    const char *name; /* "1", "2", ... or its own */
    bool has_imm;
    uint64_t imm;
    struct cts_vec_state in;
    const struct cts_vec_outcome *outcomes; /* at least one */
    size_t outcome_count;
    uint8_t order;    /* enum cts_order */
    uint8_t flip_bit; /* of the vector's `flip`: the bit of the field that is inverted */
};

enum cts_vec_piece_kind {
    CTS_VP_TEXT, /* assembly */
    CTS_VP_INSN, /* an instruction through its row's encoding */
    CTS_VP_RAW,  /* an instruction by all its fields */
    CTS_VP_SLOT, /* eight bytes */
};

struct cts_vec_field {
    bool given;
    bool is_imm; /* the value of {imm}; for imm only */
    int64_t v;
};

/* A field of an instruction whose bits are inverted one at a time, one case each. */
struct cts_vec_flip {
    const char *field; /* null: none */
    uint8_t at, bits;  /* its first bit in the little-endian encoding (slot 0, then 1), its width */
    uint32_t left_out; /* bit i: the field's bit i is left alone */
};

struct cts_vec_piece {
    uint8_t kind; /* enum cts_vec_piece_kind */
    struct cts_vec_pos pos;
    uint32_t repeat;  /* 1 or more */
    const char *text; /* TEXT; its first line is that of text_pos */
    struct cts_vec_pos text_pos;
    const char *row;             /* ROW: id */
    uint8_t opcode;              /* RAW */
    struct cts_vec_reg dst, src; /* reg: 0..15 here */
    bool has_dst, has_src;
    struct cts_vec_field off, imm, next_imm;
    struct cts_vec_flip flip; /* ROW and RAW of a verdict's program; one piece at most has it */
    uint8_t slot[8];
};

struct cts_vec_code {
    bool is_text; /* written as text: exactly one TEXT piece */
    const struct cts_vec_piece *pieces;
    size_t count; /* 0: not given, or an empty program */
};

struct cts_vec_role {
    const char *name;
    bool vary;       /* every register of `choice` is to be taken once at least */
    uint16_t choice; /* bit i: ri; 0: any that is free, as the builder likes */
    int8_t alias_of; /* index of the role whose register it shares; -1 */
};

struct cts_vec_sweep {
    uint8_t target; /* enum cts_sweep_target */
    struct cts_vec_reg reg;
    uint32_t at;
    const char *domain;
    struct cts_vec_pos pos;
};

struct cts_vec_map {
    uint32_t value_bytes, entries;    /* value_bytes 0: each entry is the program itself */
    const struct cts_vec_bytes *data; /* pieces; bytes not named are 0 */
    size_t data_count;
};

struct cts_vec {
    struct cts_vec_pos pos;
    const char *id;      /* suite/name */
    const char *why;     /* "" */
    const char *policy;  /* "rfc" */
    const char *klass;   /* "" */
    const char *message; /* what the rejecting runtime is known to say; "" */
    const char *skip;    /* why nobody is asked it; "" */
    const char *no_jit;  /* why compilers are not asked it; "" */
    uint8_t kind;        /* enum cts_vector_kind */
    uint8_t level;       /* enum cts_level */
    bool function; /* its code does no more than call its one subprogram, with r1 = the address of
                      the memory and r2 = its length (0 and 0 without): the code before the call
                      ends with r2; r0 is what counts */
    const char *const *rows, *const *clauses, *const *bugs, *const *needs, *const *names,
                                                                               *const *only;
    size_t row_count, clause_count, bug_count, need_count, name_count, only_count;
    struct cts_vec_code code, subs;
    bool uses_imm;                    /* {imm} is in code or subs */
    const struct cts_vec_flip *flip;  /* of the piece that has one; null */
    const struct cts_vec_role *roles; /* in the order in which they appear in code, then subs */
    size_t role_count;
    uint16_t named; /* bit i: ri is named outright somewhere: in the text, a piece, a state, ctx */
    const struct cts_vec_case
        *cases; /* a verdict has one; a sweep has one without outcomes, `in` being what is given */
    size_t case_count;
    const struct cts_vec_sweep *sweeps;
    size_t sweep_count;
    uint32_t memory; /* bytes, a multiple of 8; 0: none */
    bool stack;
    uint16_t unreadable; /* bit i: ri */
    uint8_t operands;    /* bit i: enum cts_operands i is asked for */
    bool computed;       /* some register of some `out` is CTS_VV_COMPUTED */
    uint8_t threads;     /* that run each case at the same time; 1 normally */
    uint32_t repeat;     /* runs of each case in each thread, one after the other; 1 normally */
    const struct cts_vec_map *maps;
    size_t map_count;
    const uint8_t *packet;
    uint32_t packet_bytes;
    bool has_ctx;
    struct cts_vec_reg ctx;
};

struct cts_vec_file {
    const char *suite, *about;
    const struct cts_vec *vectors;
    size_t count;
};

static inline bool cts_vec_asks(const struct cts_vec *v, enum cts_operands o)
{
    return v->operands >> o & 1;
}

/* The names a vector may use; a list that is null is not checked. */
struct cts_vec_names {
    const char *const *list;
    size_t count;
};
struct cts_vec_known {
    struct cts_vec_names rows, clauses, classes, needs, domains, policies, runtimes;
};

/* Who is told of each fault; may be null. */
struct cts_vec_report {
    void (*fault)(void *arg, const struct cts_err *err);
    void *arg;
};

/* Loads a file. 0: *out holds the good vectors, the bad ones were reported one by one. Negative:
 * nothing of it can be used, and `err` (not the report) says why. */
int cts_vec_load(const char *path, const struct cts_vec_known *known,
                 const struct cts_vec_report *report, struct cts_arena *arena,
                 struct cts_vec_file *out, struct cts_err *err);
/* The same from memory; `name` stands for the file. */
int cts_vec_parse(const char *name, const char *text, size_t len, const struct cts_vec_known *known,
                  const struct cts_vec_report *report, struct cts_arena *arena,
                  struct cts_vec_file *out, struct cts_err *err);

/* The text with its placeholders replaced: `regs[i]` is the register of role i, `imm` the text of
 * {imm} (null: none). In the arena; null when it is exhausted. */
char *cts_vec_expand(const struct cts_vec *v, const char *text, const uint8_t *regs,
                     const char *imm, struct cts_arena *arena);

#endif
