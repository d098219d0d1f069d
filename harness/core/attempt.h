/* One program of a variant, alone in the worker, and what there is to report of it. */
#ifndef CTS_CORE_ATTEMPT_H
#define CTS_CORE_ATTEMPT_H

#include "core/pipeline.h"

/* The tuples [first, first + tuples) in one program. */
struct cts_program cts_attempt_program(const struct cts_judge *judge, struct cts_seg *seg,
                                       uint32_t first, uint32_t tuples);
/* Runs it; a worker that dies of it is asked once more. The answer, in the pipeline's first batch;
 * null: the worker died at least once, which was reported of `fate` tuples from the first on, or
 * there is no such program, which was reported, too. */
const struct cts_answer *cts_attempt(struct cts_pipeline *p, struct cts_judge *judge,
                                     struct cts_seg *seg, uint32_t first, uint32_t tuples,
                                     uint32_t fate);
/* Operand tuple r. wrong: what was seen of it among others; it counts if it is of this tuple, which
 * is right now; may be null. */
void cts_attempt_tuple(struct cts_pipeline *p, struct cts_judge *judge, struct cts_seg *seg,
                       uint32_t r, const struct cts_wrong *wrong);
/* The tuples [first, first + tuples) in one program: the first that is wrong, or the one that was
 * earlier, is run by itself. True if there is none. */
bool cts_attempt_tuples(struct cts_pipeline *p, struct cts_judge *judge, struct cts_seg *seg,
                        uint32_t first, uint32_t tuples, const struct cts_wrong *earlier);
/* Was the tuple run, and did it come out right? */
bool cts_attempt_conforms(struct cts_seg *seg, uint32_t r, const struct cts_obs *o);

/* Will anybody read why the runtime rejects the variant, in a program of its own? Not where it is
 * put down to a known restriction whatever it says; to look for that in a long one costs more. */
bool cts_attempt_wants_reason(const struct cts_judge *judge, const struct cts_seg *seg);

/* Its program could not be made or sent. */
void cts_attempt_report_unmade(struct cts_judge *judge, const struct cts_seg *seg, int rc,
                               const struct cts_err *err);
/* The worker died, or fell silent, at least once; err says how. second_rc: 0 if it then lived. */
void cts_attempt_report_death(struct cts_pipeline *p, struct cts_judge *judge, struct cts_seg *seg,
                              uint32_t r, int second_rc, const struct cts_err *err,
                              struct cts_among among);

#endif
