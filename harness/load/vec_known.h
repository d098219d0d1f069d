/* The names that the specification lets vectors use. */
#ifndef CTS_LOAD_VEC_KNOWN_H
#define CTS_LOAD_VEC_KNOWN_H

#include "load/spec.h"
#include "load/vec.h"

/* Instructions, clauses, verdict classes and policies; what else vectors name is not checked. The
 * lists are in the arena, their names the specification's. */
int cts_vec_known_of(const struct cts_spec *spec, struct cts_arena *arena,
                     struct cts_vec_known *out, struct cts_err *err);

#endif
