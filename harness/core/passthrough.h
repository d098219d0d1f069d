/* Does the environment hand a state through? An empty body in every shape of environment that the
 * units have: what goes in must come out. */
#ifndef CTS_CORE_PASSTHROUGH_H
#define CTS_CORE_PASSTHROUGH_H

#include "core/pipeline.h"

/* The reason why it does not, naming the instructions that the environment is made of (in `arena`),
 * and made_of[CTS_INSN_COUNT] true for those of the shape that was wrong; null if all is well. */
const char *cts_passthrough_check(struct cts_pipeline *p, const struct cts_pack *pack,
                                  const uint8_t *unit_selected, struct cts_arena *arena,
                                  uint8_t *made_of);

#endif
