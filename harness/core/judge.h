/* From what was seen to a status: one track per case of one block of vectors on one engine. */
#ifndef CTS_CORE_JUDGE_H
#define CTS_CORE_JUDGE_H

#include "core/core.h"
#include "core/observation.h"
#include "core/track.h"
#include "core/variant.h"

/* What of a unit was compared and came out right, however often it was run. */
struct cts_unit_tuples {
    uint32_t swept;   /* of a swept unit: how many */
    uint32_t end;     /* ... and the row behind the last of them: they come in order */
    uint8_t *matched; /* else one bool a row; null: none yet */
};

struct cts_judge {
    const struct cts_pack *pack;
    const struct cts_target *target;
    const struct cts_caps *caps;
    const uint8_t *select_case; /* of the run: one bool per case of the pack; null: all */
    struct cts_arena *arena;    /* holds what the tracks point to */
    struct cts_track *tracks;   /* of cases first_case .. first_case + case_count - 1 */
    uint32_t first_case, case_count;
    struct cts_unit_tuples
        *units; /* first_unit .. first_unit + unit_count - 1; null: not counted */
    uint32_t first_unit, unit_count;
    bool every; /* every variant is run and told, however the case fails */
};

/* Fills in what is expected of the cases to fail (core/expected.h); nothing is before. 0 or
 * CTS_E_NOMEM. */
int cts_judge_expect(struct cts_judge *j);
/* Operand tuples that ran as they should, from tuple r on: `count` of a swept unit, or one of a
 * hand-written one; 0 if nothing of them was compared. */
void cts_judge_matched(struct cts_judge *j, const struct cts_seg *seg, uint32_t r, uint64_t count);
/* Anything that was seen of an operand tuple. */
void cts_judge_tuple(struct cts_judge *j, struct cts_seg *seg, uint32_t r,
                     const struct cts_obs *obs);
/* The same for all tuples of a unit. */
void cts_judge_unit(struct cts_judge *j, struct cts_seg *seg, const struct cts_obs *obs);
/* All cases of a unit cannot be judged: an error of the harness or of a worker that does not start.
 */
void cts_judge_error(struct cts_judge *j, const struct cts_seg *seg, const char *why);
/* Once all units are judged: fills the tracks' operand_tuples. A row counts once, however often it
 * was run. A case that failed has none: how far it comes before that may depend on the moment. */
void cts_judge_count(struct cts_judge *j);
/* Have all cases of the unit failed in units before it, and not as expected? Then nothing that it
 * does can change them. */
bool cts_judge_is_settled(const struct cts_judge *j, const struct cts_seg *seg);
/* Is a rejection of the unit put down to a known restriction, whatever the runtime says? */
bool cts_judge_is_restricted(const struct cts_judge *j, const struct cts_seg *seg);
/* All cases of a unit cannot be judged, because something that they depend on fails. */
void cts_judge_untestable(struct cts_judge *j, uint32_t unit, const char *why);
/* A case that this engine is not asked. */
void cts_judge_skip(struct cts_judge *j, uint32_t kase, const char *why);

#endif
