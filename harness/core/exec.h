/* Execution: units to programs, programs to frames, frames to a worker and back to the judge.
 *
 * Programs go out in frames of many; while the worker runs one frame the next is filled, each in
 * its half of the window. Whatever goes wrong with a frame, its units are looked at again one by
 * one, then row by row, until what went wrong has a name. */
#ifndef CTS_CORE_EXEC_H
#define CTS_CORE_EXEC_H

#include "core/judge.h"
#include "core/session.h"

struct cts_exec;

/* `session` is up. Both stay the caller's and outlive the executor. */
struct cts_exec *cts_exec_new(struct cts_session *session, const struct cts_core_opts *opts,
                              struct cts_err *err);
void cts_exec_free(struct cts_exec *x);

/* Runs units (indexes into the pack of `judge`) and tells the judge of every row. 0, or negative
 * when the worker cannot be started any more: the judge has then been told of errors for the rest.
 */
int cts_exec_units(struct cts_exec *x, struct cts_judge *judge, const uint32_t *units, size_t n,
                   struct cts_err *err);

/* Runs an empty body in every shape of environment that the units have: what goes in must come out.
 * The reason, naming the rows of the specification that the environment is made of, goes to `why`
 * (in `arena`); null if all is well. The rows of the shape that was wrong are true in
 * made_of[CTS_INSN_COUNT]. */
int cts_exec_self_test(struct cts_exec *x, const struct cts_pack *pack,
                       const uint8_t *unit_selected, struct cts_arena *arena, const char **why,
                       uint8_t *made_of, struct cts_err *err);

#endif
