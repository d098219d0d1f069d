/* From an answer to an observation. Nothing here asks the worker or judges. */
#ifndef CTS_CORE_OBSERVE_H
#define CTS_CORE_OBSERVE_H

#include "core/program.h"

/* What was seen of an operand tuple among others that was not right: reported if the tuple is right
 * alone. */
struct cts_wrong {
    uint32_t tuple; /* UINT32_MAX: there was none */
    struct cts_obs obs;
};

static inline struct cts_wrong cts_not_wrong(void)
{
    return (struct cts_wrong){.tuple = UINT32_MAX};
}

static inline bool cts_is_wrong(const struct cts_wrong *w)
{
    return w->tuple != UINT32_MAX;
}

/* Did the runtime die of the program, or not end? */
static inline bool cts_seen_is_death(enum cts_seen seen)
{
    return seen == CTS_SEEN_CRASHED || seen == CTS_SEEN_TIMED_OUT;
}

/* The program was accepted and run to its end. */
static inline bool cts_answer_is_run(const struct cts_answer *a)
{
    return a->load.verdict == CTS_LOAD_ACCEPTED && a->run.status == CTS_RUN_COMPLETED;
}

/* The whole program as far as its first body and tuple are concerned. */
struct cts_obs cts_observe(const struct cts_machine *m, const struct cts_program *p,
                           const struct cts_answer *a);
/* A program that was not accepted. */
struct cts_obs cts_observe_load(const struct cts_load_res *l);
/* One that was accepted and did not run to its end. */
struct cts_obs cts_observe_stop(const struct cts_run_res *r);
/* How it ended, whatever its entries say. */
enum cts_seen cts_observe_end(const struct cts_program *p, const struct cts_answer *a);

/* Of a program that ran to its end, the entries of body s. The first that does not conform is
 * returned, counted from the program's first tuple on, and copied to *wrong (in the arena; wrong
 * may be null); UINT32_MAX: all do. */
uint32_t cts_observe_entries(const struct cts_machine *m, const struct cts_program *p, uint32_t s,
                             struct cts_arena *arena, struct cts_wrong *wrong);
/* How many tuples of body s were run. */
uint32_t cts_observe_tuples(const struct cts_program *p, uint32_t s);
/* Operand tuple r of body s, in entry `at` of the region, came out wrong; its state is copied. */
struct cts_wrong cts_observe_wrong(const struct cts_machine *m, const struct cts_program *p,
                                   uint32_t s, uint32_t r, uint32_t at, struct cts_arena *arena);
/* A run of tuples from `first` on did not go through, or its program was not accepted. */
struct cts_wrong cts_observe_wrong_end(const struct cts_seg *seg, uint32_t first,
                                       const struct cts_answer *a, struct cts_arena *arena);
/* The first entry of a program of several bodies that was begun and never written: there a body
 * ended the program, and every body behind it, and every later entry, came out wrong through no
 * fault of its own. False if there is none. */
bool cts_observe_ending(const struct cts_machine *m, const struct cts_program *p, uint32_t *at);

#endif
