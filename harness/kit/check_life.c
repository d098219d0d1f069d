/* Begin and end of the process, and what it does beside answering. */
#include <string.h>

#include "kit/impl.h"

enum {
    LOAD = CTS_STEP_LOAD,
    RUN = CTS_STEP_RUN,
    ALL = LOAD | RUN | CTS_STEP_UNLOAD,
    ROUNDS = 100,
    QUIET_MS = 100,
    KILLS = 5,
    TOGETHER = 3,
};

/* Nothing between answers, and nothing behind them. */
static int check_quiet(struct kit *k)
{
    int rc = kit_open(k);
    for (int i = 0; rc == 0 && i < ROUNDS; i++)
        rc = kit_runs(k, 0xdead);
    return rc ? rc : kit_is_quiet(k, QUIET_MS);
}

static int check_end(struct kit *k)
{
    int rc = kit_open(k);
    return rc ? rc : kit_end_well(k);
}

static int check_end_loaded(struct kit *k)
{
    struct kit_code c;
    int rc = kit_open(k);
    kit_returns(k, &c, 1);
    struct cts_item items[] = {kit_item(LOAD | RUN, 0, &c), kit_item(LOAD, 1, &c)};
    if (rc == 0)
        rc = kit_exec(k, items, 2);
    return rc ? rc : kit_end_well(k);
}

/* Its stdin ends behind a question: that is answered first. */
static int check_end_asked(struct kit *k)
{
    struct kit_code c;
    int rc = kit_open(k);
    kit_returns(k, &c, 31);
    struct cts_item items[] = {kit_item(ALL, 0, &c), kit_item(ALL, 1, &c)};
    if (rc == 0)
        rc = kit_ask_items(k, items, 2);
    if (rc == 0) {
        cts_link_hang_up(k->link);
        rc = kit_want_done(k, items, 2);
    }
    for (uint32_t i = 0; rc == 0 && i < 2; i++)
        rc = kit_want_ran(k, i, &items[i], 31);
    return rc ? rc : kit_end_well(k);
}

/* Killed in all stages of its work: idle with programs loaded, and over a question. Whatever it
 * leaves behind must not be in the way of the next one. */
static int check_killed(struct kit *k)
{
    struct kit_code c;
    struct cts_item items[CTS_WIRE_PROGS];
    int rc = 0;
    for (unsigned round = 0; rc == 0 && round < KILLS; round++) {
        rc = kit_open(k);
        kit_returns(k, &c, 41);
        for (unsigned i = 0; i < CTS_WIRE_PROGS; i++)
            items[i] = kit_item(LOAD | RUN, i, &c);
        if (rc == 0)
            rc = kit_ask_items(k, items, CTS_WIRE_PROGS);
        if (rc == 0 && round % 2 == 0)
            rc = kit_want_done(k, items, CTS_WIRE_PROGS);
        kit_stop(k->link);
    }
    if (rc == 0)
        rc = kit_open(k);
    return rc ? rc : kit_runs(k, 42);
}

static int check_together(struct kit *k)
{
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < TOGETHER; i++) {
        k->link = &k->links[i];
        rc = kit_open(k);
    }
    for (unsigned i = 0; rc == 0 && i < 2 * TOGETHER; i++) {
        k->link = &k->links[i % TOGETHER];
        rc = kit_runs(k, (int32_t)(50 + i));
    }
    return rc;
}

const struct kit_check kit_checks_life[] = {
    {"quiet", "writes nothing but answers on stdout", KIT_NEEDS_RUN, check_quiet},
    {"end", "ends with status 0 when its stdin ends, and leaves nobody behind", KIT_NEEDS_CAPS,
     check_end},
    {"end-loaded", "the same while programs are loaded", KIT_NEEDS_RUN, check_end_loaded},
    {"end-asked", "answers what it was asked before its stdin ended", KIT_NEEDS_RUN,
     check_end_asked},
    {"killed", "starts again after it was killed at work", KIT_NEEDS_RUN, check_killed},
    {"together", "does not mind others of its kind at work at the same time", KIT_NEEDS_RUN,
     check_together},
    {0},
};
