/* Failures that are expected: which entries of the lists name a case, and what its variants make of
 * them. An entry speaks of all variants of its cases, or of those whose labels its globs match; a
 * variant that it speaks of is to fail, all others are to pass. */
#ifndef CTS_CORE_EXPECTED_H
#define CTS_CORE_EXPECTED_H

#include "core/track.h"
#include "wire/worker.h"

/* Fills in which entries of the target's lists name the case, for the engine and version that its
 * worker says it is, and follows its variants if there are any. Nothing is expected before. 0 or
 * CTS_E_NOMEM. */
int cts_expected_find(struct cts_track *t, uint32_t kase, const struct cts_target *target,
                      const struct cts_caps *caps, const struct cts_pack *p,
                      struct cts_arena *arena);
/* Has it noted what becomes of each variant of the case. 0 or CTS_E_NOMEM. */
int cts_expected_follow(struct cts_track *t, uint32_t kase, const struct cts_pack *p,
                        struct cts_arena *arena);
/* The entry that this failure of a variant was expected by; null: none. */
const struct cts_known *cts_expected_by(const struct cts_track *t, const char *label,
                                        enum cts_failure failure);
/* What became of the case in a unit. A failure counts more than a pass, one that was not expected
 * more than one that was. */
void cts_expected_note(const struct cts_pack *p, struct cts_track *t, uint32_t unit,
                       enum cts_status status, enum cts_failure failure);
/* Once all units of the case are judged: the variants of it that were run, as a result tells them,
 * in the arena; and where all is as it should be otherwise, the variant that passed although it was
 * to fail makes the track's status CTS_ST_XPASS. For lack of memory it is an error. */
void cts_expected_conclude(const struct cts_pack *p, struct cts_track *t, uint32_t vector,
                           struct cts_arena *arena);

#endif
