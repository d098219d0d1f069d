/* Begin and end of the process, and what it does beside answering. */
#include <string.h>

#include "adapter_check/impl.h"

enum {
    ROUNDS = 100,
    QUIET_MS = 100,
    KILLS = 5,
    TOGETHER = 3,
};

/* Nothing between answers, and nothing behind them. */
static int check_quiet(struct ac *k)
{
    int rc = ac_open(k);
    for (int i = 0; rc == 0 && i < ROUNDS; i++)
        rc = ac_runs(k, 0xdead);
    return rc ? rc : ac_is_quiet(k, QUIET_MS);
}

static int check_end(struct ac *k)
{
    int rc = ac_open(k);
    return rc ? rc : ac_end_well(k);
}

static int check_end_loaded(struct ac *k)
{
    struct ac_code c;
    int rc = ac_open(k);
    ac_returns(k, &c, 1);
    struct cts_item items[] = {ac_item(LOAD | RUN, 0, &c), ac_item(LOAD, 1, &c)};
    if (rc == 0)
        rc = ac_exec(k, items, 2);
    return rc ? rc : ac_end_well(k);
}

/* Its stdin ends behind a request: that is answered first. */
static int check_end_asked(struct ac *k)
{
    struct ac_code c;
    int rc = ac_open(k);
    ac_returns(k, &c, 31);
    struct cts_item items[] = {ac_item(ALL, 0, &c), ac_item(ALL, 1, &c)};
    if (rc == 0)
        rc = ac_ask_items(k, items, 2);
    if (rc == 0) {
        cts_link_hang_up(k->link);
        rc = ac_want_done(k, items, 2);
    }
    for (uint32_t i = 0; rc == 0 && i < 2; i++)
        rc = ac_want_ran(k, i, &items[i], 31);
    return rc ? rc : ac_end_well(k);
}

/* Killed in all stages of its work: idle with programs loaded, and over a request. Whatever it
 * leaves behind must not be in the way of the next one. */
static int check_killed(struct ac *k)
{
    struct ac_code c;
    struct cts_item items[CTS_WIRE_PROGS];
    int rc = 0;
    for (unsigned round = 0; rc == 0 && round < KILLS; round++) {
        rc = ac_open(k);
        ac_returns(k, &c, 41);
        for (unsigned i = 0; i < CTS_WIRE_PROGS; i++)
            items[i] = ac_item(LOAD | RUN, i, &c);
        if (rc == 0)
            rc = ac_ask_items(k, items, CTS_WIRE_PROGS);
        if (rc == 0 && round % 2 == 0)
            rc = ac_want_done(k, items, CTS_WIRE_PROGS);
        ac_stop(k->link);
    }
    if (rc == 0)
        rc = ac_open(k);
    return rc ? rc : ac_runs(k, 42);
}

static int check_together(struct ac *k)
{
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < TOGETHER; i++) {
        k->link = &k->links[i];
        rc = ac_open(k);
    }
    for (unsigned i = 0; rc == 0 && i < 2 * TOGETHER; i++) {
        k->link = &k->links[i % TOGETHER];
        rc = ac_runs(k, (int32_t)(50 + i));
    }
    return rc;
}

const struct ac_check ac_checks_life[] = {
    {"quiet", "writes nothing but answers on stdout", AC_NEEDS_RUN, check_quiet},
    {"end", "ends with status 0 when its stdin ends, and leaves nobody behind", AC_NEEDS_CAPS,
     check_end},
    {"end-loaded", "the same while programs are loaded", AC_NEEDS_RUN, check_end_loaded},
    {"end-asked", "answers what it was asked before its stdin ended", AC_NEEDS_RUN,
     check_end_asked},
    {"killed", "starts again after it was killed at work", AC_NEEDS_RUN, check_killed},
    {"together", "does not mind others of its kind at work at the same time", AC_NEEDS_RUN,
     check_together},
    {0},
};
