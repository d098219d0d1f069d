/* Which cases an engine is asked. */
#ifndef CTS_CORE_ASKED_H
#define CTS_CORE_ASKED_H

#include "core/core.h"
#include "wire/worker.h"

/* The reason why the engine is not asked the case, in `text` of `cap` bytes; null if it is. */
const char *cts_why_not_asked(const struct cts_pack *p, const struct cts_target *t,
                              const struct cts_caps *caps, const struct cts_pk_vector *v,
                              const struct cts_pk_case *c, char *text, size_t cap);
/* May an outcome other than a rejection conform, for this runtime? */
bool cts_may_be_accepted(const struct cts_pack *p, const struct cts_caps *caps,
                         const struct cts_pk_vector *v, const struct cts_pk_case *c);

#endif
