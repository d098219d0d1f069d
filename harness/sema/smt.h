/* What operators and conversions of `does` are in SMT-LIB: for everybody who turns trees into
 * terms. How terms are named, shared and asked about is theirs. */
#ifndef CTS_SEMA_SMT_H
#define CTS_SEMA_SMT_H

#include "host/buf.h"
#include "sema/sema.h"

/* The function that an operator on operands of this type is: "bvashr". The upper half of a product
 * has none in SMT-LIB: "umulhi" and "smulhi" are to be defined, or see below. */
const char *cts_sema_smt_op(enum cts_sema_op op, enum cts_sema_type of);
/* "Bool", "(_ BitVec 32)" */
void cts_sema_smt_sort(enum cts_sema_type type, struct cts_buf *out);
/* `term`, of type `from`, as one of type `to`: cut, extended by its sign or by zeros, or as it is.
 */
void cts_sema_smt_convert(enum cts_sema_type from, enum cts_sema_type to, const char *term,
                          struct cts_buf *out);
/* The upper half of the product of two terms of this type, at twice its width. */
void cts_sema_smt_mulhi(enum cts_sema_type type, const char *a, const char *b, struct cts_buf *out);

#endif
