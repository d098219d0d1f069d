/* Sights: what kinds of runtimes let the harness see of vectors. Most see less than the reference
 * machine does: addresses that may not be stored, functions that are not there, programs that are
 * too long. A sight is told in terms, with commas between them: "no-pointers",
 * "argument,no-helpers", "slots=4096". */
#ifndef CTS_CORE_SIGHT_H
#define CTS_CORE_SIGHT_H

#include "base/err.h"
#include "pack/pack.h"
#include "wire/worker.h"

struct cts_sight {
    const char *terms, *what; /* "no-pointers"; one line about it */
};

/* The i-th of those that the suite is measured in; null past the last. */
const struct cts_sight *cts_sight_at(unsigned i);

/* The capabilities of such a runtime. Its window holds rows of any size that vectors have and is no
 * memory. CTS_E_INVAL, and err names the term, if one is unknown. */
int cts_sight_caps(const char *terms, struct cts_caps *caps, struct cts_err *err);

/* Why a runtime of these capabilities cannot be asked the case at all, in `text` (CTS_SIGHT_WHY
 * bytes); null if it can. */
enum { CTS_SIGHT_WHY = 96 };
const char *cts_sight_why_not(const struct cts_pack *p, const struct cts_pk_vector *v,
                              uint32_t kase, const struct cts_caps *caps, char *text);

/* Does the unit's program fit, environment included? */
bool cts_sight_fits(const struct cts_pack *p, uint32_t unit, const struct cts_caps *caps);

#endif
