/* The language of `does`: what an instruction means, as a typed syntax tree.
 *
 * Widths and signedness are explicit and nothing is converted silently; every operator is total,
 * with the meaning of the SMT-LIB operator of the same name. The language is described in
 * spec/semantics.md. A tree belongs to an arena and may be changed, then checked again and printed.
 */
#ifndef CTS_SEMA_SEMA_H
#define CTS_SEMA_SEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "host/arena.h"
#include "host/buf.h"

enum {
    CTS_SEMA_DEPTH_MAX = 64,  /* nested expressions and blocks */
    CTS_SEMA_TEXT_MAX = 4096, /* bytes of one `does` */
    CTS_SEMA_LOCALS_MAX = 32, /* `let` names of one `does` */
};

enum cts_sema_type {
    CTS_T_NONE, /* not known yet: before the check, and an integer literal until its context decides
                 */
    CTS_T_BOOL,
    CTS_T_U8,
    CTS_T_U16,
    CTS_T_U32,
    CTS_T_U64,
    CTS_T_S8,
    CTS_T_S16,
    CTS_T_S32,
    CTS_T_S64,
    CTS_T_COUNT
};

enum cts_expr_kind {
    CTS_X_LITERAL, /* value */
    CTS_X_OPERAND, /* operand */
    CTS_X_LOCAL,   /* local: number of the `let`, from 0; name */
    CTS_X_MEM,     /* child[0]: address; bits */
    CTS_X_CONVERT, /* to: the target type; child[0] */
    CTS_X_UNARY,   /* op; child[0] */
    CTS_X_BINARY,  /* op; child[0], child[1] */
    CTS_X_COND,    /* child[0] ? child[1] : child[2] */
    CTS_X_CALL,    /* func; child[0] */
    CTS_X_CHOOSE,  /* either truth value: the machine chooses, every time anew */
};

enum cts_sema_operand {
    CTS_O_DST,
    CTS_O_SRC,
    CTS_O_R0,
    CTS_O_IMM,
    CTS_O_NEXT_IMM,
    CTS_O_OFF,
    CTS_O_COUNT
};

enum cts_sema_op {
    CTS_OP_NEG, /* unary - */
    CTS_OP_INV, /* ~ */
    CTS_OP_NOT, /* ! */
    CTS_OP_ADD,
    CTS_OP_SUB,
    CTS_OP_MUL,
    CTS_OP_MULHI, /* the upper half of a product of twice the width */
    CTS_OP_DIV,
    CTS_OP_MOD,
    CTS_OP_AND,
    CTS_OP_OR,
    CTS_OP_XOR,
    CTS_OP_SHL,
    CTS_OP_SHR,
    CTS_OP_EQ,
    CTS_OP_NE,
    CTS_OP_LT,
    CTS_OP_LE,
    CTS_OP_GT,
    CTS_OP_GE,
    CTS_OP_ANDALSO,
    CTS_OP_ORELSE,
    CTS_OP_COUNT
};

/* Functions of one argument. The order conversions depend on the machine's byte order; those from
 * MAP_BY_FD on ask the platform. */
enum cts_sema_func {
    CTS_FN_BSWAP16,
    CTS_FN_BSWAP32,
    CTS_FN_BSWAP64,
    CTS_FN_LE16,
    CTS_FN_LE32,
    CTS_FN_LE64,
    CTS_FN_BE16,
    CTS_FN_BE32,
    CTS_FN_BE64,
    CTS_FN_MAP_BY_FD,
    CTS_FN_MAP_BY_IDX,
    CTS_FN_MAP_VAL,
    CTS_FN_VAR_ADDR,
    CTS_FN_CODE_ADDR,
    CTS_FN_PACKET8,
    CTS_FN_PACKET16,
    CTS_FN_PACKET32,
    CTS_FN_FROM_ARENA,
    CTS_FN_TO_ARENA,
    CTS_FN_SLOTS_TO,
    CTS_FN_MODULE_FUNC,
    CTS_FN_ARG_IN,
    CTS_FN_ARG_OUT,
    CTS_FN_COUNT
};

struct cts_expr {
    enum cts_expr_kind kind;
    enum cts_sema_type type; /* set by the check */
    unsigned pos;            /* byte offset in the text */
    unsigned len;            /* of the first token, for marking it */
    uint64_t value;
    enum cts_sema_operand operand;
    unsigned local;
    const char *name;
    unsigned bits; /* 8, 16, 32, 64 */
    enum cts_sema_type to;
    enum cts_sema_op op;
    enum cts_sema_func func;
    struct cts_expr *child[3];
};

enum cts_stmt_kind {
    CTS_S_ASSIGN, /* target = value; target is an operand (dst, src, r0) or memory */
    CTS_S_LET,    /* local, name, value */
    CTS_S_GOTO,   /* cond (or null), value: s64 slots from the next instruction */
    CTS_S_CALL,   /* call, value: s32 */
    CTS_S_EXIT,
    CTS_S_ATOMIC, /* body, order */
};

/* What an atomic block says of the accesses around it. */
enum cts_sema_memory_order { CTS_MO_PLAIN, CTS_MO_ACQUIRE, CTS_MO_RELEASE, CTS_MO_COUNT };

enum cts_sema_call { CTS_CALL_HELPER, CTS_CALL_LOCAL, CTS_CALL_BTF, CTS_CALL_COUNT };

struct cts_stmt {
    enum cts_stmt_kind kind;
    unsigned pos;
    struct cts_expr *target, *value, *cond;
    unsigned local;
    const char *name;
    enum cts_sema_call call;
    struct cts_stmt *body; /* of an atomic block */
    enum cts_sema_memory_order order;
    struct cts_stmt *next;
};

/* Where the text stands in its file: its first character, and the column in which its further lines
 * start. */
struct cts_sema_place {
    const char *file;
    unsigned line, col, next_col;
};

struct cts_sema {
    const char *text; /* null for a tree that was built, not read */
    struct cts_sema_place place;
    struct cts_stmt *body;
    unsigned locals; /* how many `let` there are */
    enum cts_sema_type local_type[CTS_SEMA_LOCALS_MAX];
};

enum cts_sema_flags {
    /* A shift count need not be visibly below the width, nor a divisor visibly not zero: for
       mutants. */
    CTS_SEMA_RELAXED = 1 << 0,
};

/* Reads the syntax only. CTS_E_SYNTAX or CTS_E_LIMIT with the place of the offending token. */
int cts_sema_parse(const char *text, const struct cts_sema_place *place, struct cts_arena *arena,
                   struct cts_sema **out, struct cts_err *err);
/* Sets the type of every expression, or says CTS_E_SCHEMA with the place of the first offence. */
int cts_sema_check(struct cts_sema *sema, unsigned flags, struct cts_err *err);
/* Reads and checks a condition alone: a bool about the instruction's operands. */
int cts_sema_read_condition(const char *text, const struct cts_sema_place *place,
                            struct cts_arena *arena, struct cts_expr **out, struct cts_err *err);
/* Both. */
int cts_sema_read(const char *text, const struct cts_sema_place *place, unsigned flags,
                  struct cts_arena *arena, struct cts_sema **out, struct cts_err *err);

/* A copy that shares nothing; null when out of memory. */
struct cts_sema *cts_sema_clone(const struct cts_sema *sema, struct cts_arena *arena);
/* As text on one line, with the fewest parentheses that keep the tree, but always around mixed
 * operators. Reading it gives the same tree. */
void cts_sema_print(const struct cts_sema *sema, struct cts_buf *out);
void cts_expr_print(const struct cts_expr *expr, struct cts_buf *out);
bool cts_expr_equal(const struct cts_expr *a, const struct cts_expr *b);

/* Calls fn for every expression of the tree, parents first, with the slot that holds it, so that it
 * can be replaced. Stops at the first non-zero result and returns it. */
typedef int (*cts_expr_visitor)(void *arg, struct cts_expr **slot);
int cts_sema_visit(struct cts_sema *sema, cts_expr_visitor fn, void *arg);
/* The same for statements; the slot is the `body` or `next` pointer that holds it. */
typedef int (*cts_stmt_visitor)(void *arg, struct cts_stmt **slot);
int cts_sema_visit_stmts(struct cts_sema *sema, cts_stmt_visitor fn, void *arg);

/* What a tree does, as a set. */
enum cts_sema_uses {
    CTS_USES_LOAD = 1 << 0,     /* reads memory */
    CTS_USES_STORE = 1 << 1,    /* writes memory */
    CTS_USES_ATOMIC = 1 << 2,   /* has an atomic block */
    CTS_USES_JUMP = 1 << 3,     /* goto, call local, exit */
    CTS_USES_CALL = 1 << 4,     /* any call */
    CTS_USES_PLATFORM = 1 << 5, /* asks the platform: maps, variables, functions, packet */
    CTS_USES_ORDER = 1 << 6,    /* depends on the machine's byte order */
    CTS_USES_CHOOSE = 1 << 7,   /* does one thing or the other: there is more than one outcome */
};
unsigned cts_sema_uses(const struct cts_sema *sema);
/* Is operand `o` read; is it written? */
bool cts_sema_reads(const struct cts_sema *sema, enum cts_sema_operand o);
bool cts_sema_writes(const struct cts_sema *sema, enum cts_sema_operand o);

/* Is the count of a shift visibly below `bits`: a literal, or masked with one? */
bool cts_expr_is_masked(const struct cts_expr *count, unsigned bits);

const char *cts_sema_type_name(enum cts_sema_type type);
unsigned cts_sema_type_bits(enum cts_sema_type type); /* 1 for bool, 0 for none */
bool cts_sema_type_is_signed(enum cts_sema_type type);
enum cts_sema_type cts_sema_type_of(unsigned bits,
                                    bool is_signed); /* CTS_T_NONE if there is none */
const char *cts_sema_operand_name(enum cts_sema_operand o);
enum cts_sema_type cts_sema_operand_type(enum cts_sema_operand o);
const char *cts_sema_op_text(enum cts_sema_op op);
/* Is it written like a function, as mulhi(a, b)? */
bool cts_sema_op_is_named(enum cts_sema_op op);
const char *cts_sema_func_name(enum cts_sema_func func);
enum cts_sema_type cts_sema_func_arg(enum cts_sema_func func);
enum cts_sema_type cts_sema_func_result(enum cts_sema_func func);
const char *cts_sema_call_name(enum cts_sema_call call);
const char *cts_sema_order_name(enum cts_sema_memory_order order); /* "" for none */

#endif
