/* Shared by the files of sema, for nobody else. Calls go down only:
 *
 *     read                  text to checked tree
 *     parse                 text to tree
 *     print      check      tree to text; types
 *     names  tree  error    know of no other
 */
#ifndef CTS_SEMA_IMPL_H
#define CTS_SEMA_IMPL_H

#include "sema/sema.h"

/* An error at byte `pos` of the text, with the place in the file. */
int cts_sema_error(const struct cts_sema *sema, unsigned pos, int code, struct cts_err *err,
                   const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The syntax of a condition; `*sema` is what messages about it need. */
int cts_sema_parse_condition(const char *text, const struct cts_sema_place *place,
                             struct cts_arena *arena, struct cts_sema **sema, struct cts_expr **out,
                             struct cts_err *err);
/* `x` must be a bool; `sema` is for messages. */
int cts_sema_check_condition(struct cts_sema *sema, struct cts_expr *x, struct cts_err *err);

/* How tightly a binary operator binds, from 1 (||); 0 for unary ones. */
unsigned cts_sema_op_level(enum cts_sema_op op);

/* How deeply the text of `x` nests expressions as it is printed: what was read is read again. */
unsigned cts_expr_depth(const struct cts_expr *x);

#endif
