/* Does an observation conform? Nothing is excused here, nothing counted, and nothing told. */
#ifndef CTS_CORE_CONFORM_H
#define CTS_CORE_CONFORM_H

#include "core/observation.h"
#include "core/variant.h"

/* Is what was seen of operand tuple r one of its outcomes? Whether it was the same twice is not
 * asked. */
bool cts_conforms(struct cts_seg *seg, uint32_t r, const struct cts_obs *obs);

#endif
