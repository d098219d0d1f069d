/* What an engine lacks for a case. */
#ifndef CTS_CORE_NEEDS_H
#define CTS_CORE_NEEDS_H

#include "pack/pack.h"
#include "wire/worker.h"

/* Features (enum cts_feature) that the case needs and the engine does not have: those its vector
 * names, and those that its programs use if a rejection of them would not conform. 0: it can be
 * asked. */
uint32_t cts_case_lacks(const struct cts_pack *p, const struct cts_pk_vector *v, uint32_t kase,
                        const struct cts_caps *caps);

#endif
