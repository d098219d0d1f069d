/* The keeper of the lists of known failures: counts what each entry does in a run, says which ones
 * are to be looked at, and writes the lists anew when it is asked to. */
#ifndef CTS_CLI_KEEPER_H
#define CTS_CLI_KEEPER_H

#include <stdio.h>

#include "cli/targets.h"

/* What became of the cases that an entry covers, over all engines of the run that it covers. */
struct cts_entry_count {
    uint64_t passed, explained, otherwise, not_run; /* otherwise: failed in another way */
};

/* A failure that is on no list. */
struct cts_fresh {
    uint32_t target, vector, kase; /* indexes: of the targets, and of the pack */
    enum cts_failure failure;
    const char *message, *clause, *policy, *link; /* one of the last three is not null */
    /* Globs over those that fail so, ended by null; null: all that were run. */
    const char **variants;
    bool whole; /* all cases of the vector fail in this way on this target */
};

struct cts_keeper_opts {
    bool whole;  /* the suite itself was loaded without an error, and all of it is selected */
    bool suite;  /* the suite itself was loaded without an error */
    bool update; /* cts_keeper_update will be called */
};

struct cts_keeper {
    struct cts_keeper_opts opts;
    const struct cts_targets *targets;
    const struct cts_pack *pack;
    struct cts_arena *arena;
    bool *up;                       /* one per target: it was run */
    const char **engine;            /* one per target: its name, by the worker's word if need be */
    size_t told;                    /* how many engines were told */
    struct cts_entry_count **count; /* count[set][entry] */
    uint32_t target, vector;        /* of the last result */
    struct cts_fresh *fresh;
    size_t fresh_count, fresh_cap;
    bool failed; /* out of memory on the way */
};

/* What it holds is the arena's; all arguments outlive it. */
int cts_keeper_init(struct cts_keeper *k, const struct cts_keeper_opts *opts,
                    const struct cts_targets *targets, const struct cts_pack *pack,
                    struct cts_arena *arena, struct cts_err *err);
/* To be told all engines in the order of the targets, then all results in theirs. */
void cts_keeper_engine(struct cts_keeper *k, const struct cts_engine_info *info);
void cts_keeper_result(struct cts_keeper *k, const struct cts_result *r);

/* After the run, ended by a null pointer; null for lack of memory. Entries past their date,
 * entries whose reason nobody wrote yet, and, where all of the suite was run, entries that match
 * nothing. None of it changes a result. */
const char *const *cts_keeper_warnings(struct cts_keeper *k);

/* Can the lists be written after such a run? CTS_E_INVAL: there is none for one of the targets, or
 * a list given by its path would have to serve two runtimes. */
int cts_keeper_check(const struct cts_targets *targets, struct cts_err *err);
/* Writes what the run found to the lists: to those of all targets if there is one (--known), else
 * to each runtime's own. New failures are added under their exact ids; entries are removed when
 * all that they cover was run and passed. Says on `say` what it did. *left: how many unexpected
 * results stay off record. */
int cts_keeper_update(struct cts_keeper *k, FILE *say, uint64_t *left, struct cts_err *err);

/* Between keeper.c and update.c: how many engines an entry is about, and how many of them were
 * run. */
struct cts_reach {
    unsigned engines, run;
    const char *missing; /* one that was not run */
};
struct cts_reach cts_keeper_reach(const struct cts_keeper *k, size_t set, size_t entry);
/* Does it name a vector that runs at higher levels only? */
bool cts_keeper_higher(const struct cts_keeper *k, size_t set, size_t entry);
/* Is the text in a list that null ends? */
bool cts_keeper_has(const char **list, const char *text);
/* How many cases of the pack it names. */
uint64_t cts_keeper_cases(const struct cts_keeper *k, size_t set, size_t entry);

#endif
