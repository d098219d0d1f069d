/* The engines of a run: each is started once, says what it is, and hands a state through its
 * environment, or it is found out which instruction does not. */
#ifndef CTS_CORE_ENGINES_H
#define CTS_CORE_ENGINES_H

#include "core/basis.h"
#include "core/select.h"
#include "core/session.h"

struct cts_run_engine {
    const struct cts_target *target;
    struct cts_session first; /* started before the threads; lent to whoever comes first */
    bool first_lent, up;
    bool asked;           /* it was started, or it was tried, before the run was interrupted */
    struct cts_caps caps; /* copies of what the first session said */
    struct cts_engine_info info;
    const char *env_broken; /* why no window program can be judged; null: it can */
    struct cts_basis basis; /* then: what its environment is made of, one by one */
    struct cts_err gave_up; /* filled in once it has timed out too often in a row */
};

struct cts_engines {
    struct cts_run_engine *list;
    size_t count;
    struct cts_selection *selection;
    const struct cts_core_opts *opts;
    struct cts_arena *arena;
    bool widened;         /* the caller was asked for a wider pack */
    struct cts_err error; /* of the first worker that could not be started */
};

/* Starts and tests all engines, unless the run is interrupted. selection, opts and arena are filled
 * in before; the selection may be widened, to a pack that has the cases that say why an environment
 * is broken. Released in any case. */
int cts_engines_start(struct cts_engines *es, const struct cts_target *targets, size_t n,
                      struct cts_err *err);
void cts_engines_release(struct cts_engines *es);
/* The case that says why nothing else could be tested is told in any case, whatever was selected.
 */
int cts_engines_select_wrong_basis(struct cts_engines *es, struct cts_err *err);
/* Adds them to the summary, whose cases are counted. */
void cts_engines_count(const struct cts_engines *es, struct cts_summary *s);

#endif
