/* Operators that make mutants of a row's `does`: between the files of them. */
#ifndef CTS_MUTATE_OPS_H
#define CTS_MUTATE_OPS_H

#include "mutate/mutate.h"
#include "sema/sema.h"

enum cts_mut_edit {
    CTS_EDIT_DONE,    /* the tree is changed */
    CTS_EDIT_NOTHING, /* nothing to do in this variant; the next may have */
    CTS_EDIT_OVER,    /* no further variants here */
};

struct cts_mut_maker {
    struct cts_mut_list *list;
    const struct cts_spec_insn *row;
    enum cts_insn_id id;
    struct cts_arena arena; /* of one attempt */
    const char *original;
    const char **seen;
    size_t seen_count;
    struct cts_sema *tree;
    struct cts_expr *pool;
    unsigned used;
    struct cts_stmt more; /* a statement that is added */
};

/* An operator changes an expression or a statement at its place; one of the two is null. */
struct cts_mut_op {
    const char *name;
    enum cts_mut_edit (*on_expr)(struct cts_mut_maker *k, struct cts_expr **slot, unsigned v);
    enum cts_mut_edit (*on_stmt)(struct cts_mut_maker *k, struct cts_stmt **slot, unsigned v);
};

/* A family of them: one file each, ops_<family>.c. */
struct cts_mut_ops {
    const struct cts_mut_op *ops;
    size_t count;
};
extern const struct cts_mut_ops cts_mut_value_ops, cts_mut_operand_ops, cts_mut_memory_ops,
    cts_mut_stmt_ops;

/* Trees (ops_tree.c). New nodes are of the maker's pool. */

struct cts_expr *cts_mut_node(struct cts_mut_maker *k, enum cts_expr_kind kind,
                              enum cts_sema_type type);
struct cts_expr *cts_mut_literal(struct cts_mut_maker *k, enum cts_sema_type type, uint64_t v);
/* A number that may be negative; where the context gives no type it is converted. */
struct cts_expr *cts_mut_number(struct cts_mut_maker *k, enum cts_sema_type type, int64_t v);
struct cts_expr *cts_mut_operand(struct cts_mut_maker *k, enum cts_sema_operand o);
struct cts_expr *cts_mut_convert(struct cts_mut_maker *k, enum cts_sema_type to,
                                 struct cts_expr *child);
struct cts_expr *cts_mut_unary(struct cts_mut_maker *k, enum cts_sema_op op, struct cts_expr *a);
struct cts_expr *cts_mut_binary(struct cts_mut_maker *k, enum cts_sema_op op, struct cts_expr *a,
                                struct cts_expr *b);
struct cts_expr *cts_mut_choice(struct cts_mut_maker *k, struct cts_expr *cond,
                                struct cts_expr *yes, struct cts_expr *no);
struct cts_expr *cts_mut_call(struct cts_mut_maker *k, enum cts_sema_func func,
                              struct cts_expr *arg);
struct cts_expr *cts_mut_mem(struct cts_mut_maker *k, unsigned bits, struct cts_expr *at);
struct cts_expr *cts_mut_copy_of(struct cts_mut_maker *k, const struct cts_expr *x);
/* The same computation carried out in another type. `deep`: the conditions inside as well. */
struct cts_expr *cts_mut_retype(struct cts_mut_maker *k, struct cts_expr *x, enum cts_sema_type to,
                                bool deep);

bool cts_mut_is_int(const struct cts_expr *x);
unsigned cts_mut_bits_of(const struct cts_expr *x);
bool cts_mut_is_compare(enum cts_sema_op op);
bool cts_mut_is_commutative(enum cts_sema_op op);

enum { CTS_MUT_TYPES = 8 };
extern const enum cts_sema_type cts_mut_types[CTS_MUT_TYPES]; /* integers */
extern const unsigned cts_mut_mem_bits[4];                    /* widths of accesses */

/* About the row and the tree (beside the operators that use them first). */

/* Is the operand there in the row's encoding, and free? */
bool cts_mut_has_field(const struct cts_mut_maker *k, enum cts_sema_operand o);
/* Is the immediate the number of a map, a variable or a function by BTF id? How these are numbered
 * is the platform's. */
bool cts_mut_names_object(const struct cts_mut_maker *k);
/* Is the expression that number? */
bool cts_mut_is_object_number(const struct cts_mut_maker *k, const struct cts_expr *x);

#endif
