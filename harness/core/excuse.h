/* Why a runtime may reject a program that must be accepted: a known restriction of its own, or an
 * instruction that it is not required to implement. */
#ifndef CTS_CORE_EXCUSE_H
#define CTS_CORE_EXCUSE_H

#include "core/core.h"
#include "core/variant.h"

/* The reason of the first known restriction that the unit's program falls under; null: none. text:
 * what the runtime says of the rejection; null: unknown, and restrictions by text do not apply. The
 * arena holds nothing of the answer. */
const char *cts_excuse_restriction(const struct cts_target *target, const struct cts_seg *seg,
                                   const char *text, struct cts_arena *arena);
/* The first instruction that the runtime is not required to implement, of those under test and then
 * of all that the program is made of; CTS_INSN_COUNT: it is required to implement all of them. */
enum cts_insn_id cts_excuse_unsupported(const struct cts_target *target, const struct cts_seg *seg);

#endif
