/* From what was seen to a status: one track per case of one block of vectors on one engine. */
#ifndef CTS_CORE_JUDGE_H
#define CTS_CORE_JUDGE_H

#include "core/core.h"
#include "core/rows.h"

/* What happened to one operand row. */
enum cts_seen {
    CTS_SEEN_RAN,
    CTS_SEEN_ACCEPTED, /* at load, and not run */
    CTS_SEEN_REJECTED,
    CTS_SEEN_FAULTED,
    CTS_SEEN_REFUSED, /* rejected or stopped: the runtime does not say which */
    CTS_SEEN_EXITED,  /* the end of the body was not reached */
    CTS_SEEN_CRASHED,
    CTS_SEEN_TIMED_OUT,
    CTS_SEEN_LOAD_ERROR, /* the runtime's own trouble: neither accepted nor rejected */
    CTS_SEEN_UNSETTLED,  /* the machine was not as the engine needs it */
};

/* Units, in order, of the pack; none: null and 0. */
struct cts_among {
    const uint32_t *unit;
    size_t count;
};

struct cts_obs {
    enum cts_seen seen;
    bool flaky;        /* looked at again it behaved otherwise */
    bool result_known; /* r0 is known (whole programs, exits) */
    uint64_t r0;
    const char *text;            /* the runtime's words; may be null */
    const uint8_t *row, *expect; /* of the window; null where there was none */
    struct cts_among among;      /* it takes these to see it again; none: its case is enough */
};

/* What became of a case in one of its vector's units. */
struct cts_variant {
    bool seen;
    enum cts_status status;
    enum cts_failure failure;
};

struct cts_track {
    bool seen;      /* at least one of its rows was judged */
    bool not_asked; /* a skip that nothing changes, though its rows may run beside others */
    enum cts_status status;
    enum cts_failure failure;
    enum cts_skip skip;
    uint32_t unit; /* where it failed, or was skipped: the lowest */
    uint64_t operand_rows;
    const char *label, *message, *detail;
    /* Filled in by core/expected.h: */
    const struct cts_known **known;  /* entries that name the case, ended by null; null: none */
    const struct cts_known *by;      /* the one that the status is expected by, or against */
    struct cts_variant *variants;    /* one per unit of its vector; null: nobody asks */
    struct cts_variant_result *told; /* of those, what was seen */
    size_t told_count;
};

/* Did it fail, expected or not? */
bool cts_track_failed(const struct cts_track *t);
/* Which of two statuses prevails where variants of a case differ: the one of more weight. */
unsigned cts_status_weight(enum cts_status s);

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

/* Rows that ran as they should, from row r on: `count` of a swept unit, or one of a hand-written
 * one; 0 if nothing of them was compared. */
void cts_judge_matched(struct cts_judge *j, const struct cts_seg *seg, uint32_t r, uint64_t count);
/* Anything that was seen of a row. */
void cts_judge_tuple(struct cts_judge *j, struct cts_seg *seg, uint32_t r,
                     const struct cts_obs *obs);
/* The same for all rows of a unit. */
void cts_judge_unit(struct cts_judge *j, struct cts_seg *seg, const struct cts_obs *obs);
/* All cases of a unit cannot be judged: an error of the harness or of a worker that does not start.
 */
void cts_judge_error(struct cts_judge *j, const struct cts_seg *seg, const char *why);
/* Once all units are judged: fills the tracks' operand_rows. A row counts once, however often it
 * was run. A case that failed has none: how far it comes before that may depend on the moment. */
void cts_judge_count(struct cts_judge *j);
/* Have all cases of the unit failed in units before it, and not as expected? Then nothing that it
 * does can change them. */
bool cts_judge_is_settled(const struct cts_judge *j, const struct cts_seg *seg);
/* Is a refusal of the unit put down to a limit on record, whatever the runtime says? */
bool cts_judge_is_limit(const struct cts_judge *j, const struct cts_seg *seg);
/* All cases of a unit cannot be judged, because something that they rest on fails. */
void cts_judge_untestable(struct cts_judge *j, uint32_t unit, const char *why);
/* A case that this engine is not asked. */
void cts_judge_skip(struct cts_judge *j, uint32_t kase, const char *why);

/* The first thing of a wrong result that is not as expected: "r3 = 0x0, expected 0x1". In the
 * arena. */
const char *cts_difference(const struct cts_judge *j, struct cts_seg *seg, uint32_t r,
                           const struct cts_obs *obs);
/* The detail of a failure: code, states side by side, how to repeat it. In the arena. */
const char *cts_detail(const struct cts_judge *j, struct cts_seg *seg, uint32_t r,
                       const struct cts_obs *obs);

#endif
