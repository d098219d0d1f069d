/* Private to the box: what runs mutants. */
#ifndef CTS_MUTATE_RUN_IMPL_H
#define CTS_MUTATE_RUN_IMPL_H

#include <pthread.h>

#include "mutate/model.h"
#include "mutate/proofs.h"
#include "core/variant.h"

enum { CTS_MUT_ORDERS = 2 };

struct cts_mut_rig;

struct cts_mut_task {
    size_t first, count; /* mutants */
};

struct cts_mut_run {
    struct cts_mut_list *list;
    const struct cts_mut_opts *opts;
    const struct cts_spec_insn **row; /* by enum cts_insn_id */
    struct cts_proofs on_record;
    uint8_t *holds; /* unit_count x CTS_INSN_COUNT bits: which rows are in its code */
    struct cts_mut_task *tasks;
    size_t task_count, next;
    size_t done;
    pthread_mutex_t lock;
    struct cts_err err; /* the first trouble */
    void (*do_task)(struct cts_mut_rig *g, const struct cts_mut_task *t);
    /* Of a run in a sight (null, and nothing else is set, in one that sees everything): */
    const struct cts_caps *sight;
    struct cts_mut_look *looks;
    uint8_t *unit_seen, *case_seen; /* bools: can it be asked there? */
};

/* A unit on one machine. */
struct cts_mut_loaded {
    bool tried, asked, accepted;
    enum cts_level level; /* of a sweep's domains */
    struct cts_seg seg;
    struct cts_layout layout;
    void *prog;
    struct cts_load_res *res;
};

struct cts_mut_own {
    void *self;
    struct cts_caps caps;
    struct cts_caps seen; /* as the harness may see it: caps, or those of the sight */
};

struct cts_mut_rig {
    struct cts_mut_run *run;
    struct cts_mut_table table;
    struct cts_mut_own machine[CTS_MUT_ORDERS];
    struct cts_arena arena; /* of a task */
    uint32_t *units;        /* that hold the task's row, those about it first */
    uint32_t unit_count;
    struct cts_mut_loaded *loaded[CTS_MUT_ORDERS][CTS_MUT_LEVELS]; /* by place in `units` */
    uint8_t *expect;
    size_t expect_cap;
    struct cts_load_res load_res; /* large: not for the stack of every call */
    struct cts_run_res run_res;
    struct cts_err err;
    bool full;       /* all is seen, whatever the run's sight */
    uint32_t killer; /* the unit that noticed last */
};

/* Units that run their rows thousands of times are for those that nothing else notices. */
enum cts_mut_phase { CTS_PHASE_HAND, CTS_PHASE_SWEEP, CTS_PHASE_REPEATED, CTS_PHASE_COUNT };

/* Chooses and forgets what concerns a row. */
bool cts_mut_begin_task(struct cts_mut_rig *g, enum cts_insn_id row);
void cts_mut_end_task(struct cts_mut_rig *g);
/* Makes all be seen, or what the run's sight shows. Between tasks. */
void cts_mut_set_view(struct cts_mut_rig *g, bool full);
/* Does the right machine accept the task's unit at this place, where it is asked? */
bool cts_mut_unit_is_accepted(struct cts_mut_rig *g, uint32_t at, enum cts_level level);
/* Does the task's unit at this place notice? On machines of either byte order. */
bool cts_mut_unit_notices(struct cts_mut_rig *g, const struct cts_mutant *mutant, uint32_t at,
                          enum cts_level level);
/* Fills in what comes before the tasks; a task is a row. */
int cts_mut_prepare(struct cts_mut_run *r, struct cts_err *err);
/* Does all tasks, in threads. */
int cts_mut_do_all(struct cts_mut_run *r, struct cts_err *err);
void cts_mut_release(struct cts_mut_run *r);
/* Is it a jump or call that goes wrong only over distances that no program of so many slots has? */
bool cts_mut_is_beyond(struct cts_mut_table *table, const struct cts_mutant *m, uint32_t slots);
/* spec/equivalents.yaml */
int cts_mut_read_equivalents(struct cts_mut_run *r, struct cts_err *err);

#endif
