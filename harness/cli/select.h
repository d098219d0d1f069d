/* Which vectors and cases of a pack a command line asks for. */
#ifndef CTS_CLI_SELECT_H
#define CTS_CLI_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "pack/pack.h"

enum { CTS_SELECT_MAX = 256 };

/* Lists of alternatives; all lists that are not empty must agree. */
struct cts_selector {
    const char *filter[CTS_SELECT_MAX], *exclude[CTS_SELECT_MAX], *group[CTS_SELECT_MAX],
        *row[CTS_SELECT_MAX], *clause[CTS_SELECT_MAX];
    unsigned filters, excludes, groups, rows, clauses;
    unsigned shard, shards; /* 1 <= shard <= shards; 0 of 0: all */
};

/* Adds to a list; false when it is full. */
bool cts_select_add(const char **list, unsigned *count, const char *value);
/* "I/N"; false if it is not that. */
bool cts_select_shard(struct cts_selector *s, const char *text);
/* Are the groups and rows named ones of the specification? */
int cts_select_check(const struct cts_selector *s, struct cts_err *err);
/* Fills one bool per case; returns how many cases are selected. A pattern with * or ? is a glob
 * over the vector's id or over "id#case"; with a # it is a whole "id#case"; else it is found
 * anywhere in the id. Shards take every n-th vector of what the rest selects. */
uint64_t cts_select(const struct cts_selector *s, const struct cts_pack *pack, uint8_t *cases,
                    uint8_t *vectors);
/* Tells of each value of an option ("--filter") that no vector of the pack fits by itself. */
void cts_select_idle(const struct cts_selector *s, const struct cts_pack *pack,
                     void (*tell)(const char *option, const char *value));

#endif
