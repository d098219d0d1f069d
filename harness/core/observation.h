/* What was seen of one operand tuple on one engine. */
#ifndef CTS_CORE_OBSERVATION_H
#define CTS_CORE_OBSERVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What happened to one operand tuple. */
enum cts_seen {
    CTS_SEEN_RAN,
    CTS_SEEN_ACCEPTED, /* at load, and not run */
    CTS_SEEN_REJECTED,
    CTS_SEEN_FAULTED,
    CTS_SEEN_REFUSED, /* rejected or stopped: the runtime does not say which */
    CTS_SEEN_EXITED,  /* the end of the body was not reached */
    CTS_SEEN_CRASHED,
    CTS_SEEN_TIMED_OUT,
    CTS_SEEN_LOAD_ERROR, /* the runtime's own error: neither accepted nor rejected */
    CTS_SEEN_UNSETTLED,  /* the machine was not as the engine needs it */
};

/* Units, in order, of the pack; none: null and 0. */
struct cts_among {
    const uint32_t *unit;
    size_t count;
};

struct cts_obs {
    enum cts_seen seen;
    bool flaky;        /* tried again it behaved otherwise */
    bool result_known; /* r0 is known (whole programs, exits) */
    uint64_t r0;
    const char *text;            /* the runtime's words; may be null */
    const uint8_t *row, *expect; /* window entry; null where there was none */
    struct cts_among among;      /* it takes these to see it again; none: its case is enough */
};

#endif
