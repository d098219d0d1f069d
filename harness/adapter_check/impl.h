/* Between the files of the box: links (talk.c), requests and responses (ask.c), programs (prog.c),
 * the checks by what they are about (check_*.c), and their order (adapter_check.c).
 *
 * Functions that can find something wrong return 0, or AC_FAIL after the first of them has said
 * what it is. A check hands that on. */
#ifndef CTS_ADAPTER_CHECK_IMPL_H
#define CTS_ADAPTER_CHECK_IMPL_H

#include "base/bytes.h"
#include "host/buf.h"
#include "isa/isa.h"
#include "adapter_check/adapter_check.h"
#include "link/link.h"

enum { AC_PASS = 0, AC_FAIL = -1, AC_SKIP = 1 };

enum {
    LOAD = CTS_STEP_LOAD,
    RUN = CTS_STEP_RUN,
    ALL = CTS_STEP_LOAD | CTS_STEP_RUN | CTS_STEP_UNLOAD,
};

enum {
    AC_ITEMS = 256, /* of one request */
    AC_LINKS = 4,   /* workers at a time */
};

struct ac {
    const struct cts_adapter_check_opts *opts;
    bool have_caps;
    struct cts_caps caps;
    struct cts_link links[AC_LINKS];
    struct cts_link *link; /* the one that is being spoken to */
    struct cts_answer answers[AC_ITEMS];
    struct cts_buf elf;  /* the object of the program last put */
    struct cts_buf code; /* of programs too long for struct ac_code */
    char why[CTS_ERR_MSG_MAX];
    char last_line[CTS_LINK_LAST_LINE]; /* of stderr */
    struct cts_adapter_check_bytes request, seen;
};

int ac_fail(struct ac *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int ac_skip(struct ac *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The link. */

/* Starts the process; the engine of the options is its last argument unless `bare`. */
int ac_spawn(struct ac *k, bool bare);
void ac_stop(struct cts_link *l);
/* All of it, reading meanwhile. */
int ac_send(struct ac *k, const void *data, size_t len);
/* Nothing more comes for a while. */
int ac_is_quiet(struct ac *k, unsigned ms);
/* Waits for the end of the process: its wait status. What it says meanwhile stays to be read. */
int ac_wait_end(struct ac *k, int *status);
/* Hangs up and wants an end with status 0, with nothing more on stdout. */
int ac_end_well(struct ac *k);
/* Of the last thing that went wrong: did the process die of itself? */
bool ac_has_died(const struct ac *k, int *status);
/* Maps the worker's window: AC_SKIP if it is unavailable. */
int ac_map_window(struct ac *k);
/* Has a window that is mapped gone meanwhile? Then nothing else that was found counts. */
int ac_check_window(struct ac *k);

/* Requests and responses. The payload of a request is written to link->out. */

void ac_begin(struct ac *k);
/* Sends the request as a frame of this type; the response is to have `items` parts. */
int ac_ask(struct ac *k, uint16_t type, uint32_t items, uint64_t most);
/* Puts the header before the payload and counts the request, without sending. */
int ac_seal(struct ac *k, uint16_t type, uint32_t items, uint64_t most);
/* Waits for the response to the oldest request; the payload is in memory until the next call. */
int ac_reply(struct ac *k, struct cts_frame *f, struct cts_rd *r);
/* The response is FAILED, with a code and a reason; `what` is what was wrong with the request. */
int ac_want_failed(struct ac *k, const char *what);

int ac_hello(struct ac *k, uint32_t lowest, uint32_t highest, const char *engine);
/* The response to HELLO, taken apart; *code is 0 and *caps filled, or below 0 and the reason. */
int ac_want_caps(struct ac *k, struct cts_caps *caps, int *code, char reason[CTS_ERR_MSG_MAX]);
/* Starts, greets, and wants the engine of the options. */
int ac_open(struct ac *k);
int ac_check_caps(struct ac *k, const struct cts_caps *c);

/* The steps that the worker is asked for: one that only loads is never asked to run. */
unsigned ac_steps(const struct ac *k, const struct cts_item *it);
/* The most a response with these items can take. */
uint64_t ac_most(const struct cts_item *items, uint32_t n);
int ac_put_items(struct ac *k, const struct cts_item *items, uint32_t n);
int ac_ask_items(struct ac *k, const struct cts_item *items, uint32_t n);
/* The response to the oldest request, into k->answers, each with steps that the protocol allows
 * for its item. */
int ac_want_done(struct ac *k, const struct cts_item *items, uint32_t n);
/* Both. */
int ac_exec(struct ac *k, const struct cts_item *items, uint32_t n);
/* Answer i is that of an item whose steps were all taken, and whose result was r0. */
int ac_want_ran(struct ac *k, uint32_t i, const struct cts_item *it, uint64_t r0);
/* A program that returns `value`, in one request: does the worker still do its work? */
int ac_runs(struct ac *k, int32_t value);
/* Answer i has exactly these steps. */
int ac_want_ops(struct ac *k, uint32_t i, unsigned ops, const char *when);

/* Programs. */

struct ac_code {
    uint8_t bytes[64 * CTS_SLOT_BYTES];
    uint32_t slots;
};

void ac_insn_order(struct ac_code *c, bool be, struct cts_insn in);
/* In the worker's byte order. */
void ac_insn(const struct ac *k, struct ac_code *c, struct cts_insn in);
/* r0 = value; exit */
void ac_returns(const struct ac *k, struct ac_code *c, int32_t value);
struct cts_item ac_item(unsigned ops, unsigned prog, const struct ac_code *c);
/* k->code becomes `slots` slots long: r0 = 1, ..., r0 = value, exit. False: no memory. */
bool ac_long_code(struct ac *k, uint32_t slots, int32_t value);

/* The checks. */

enum {
    AC_NEEDS_CAPS = 1, /* the handshake */
    AC_NEEDS_RUN = 2,  /* the simplest program */
    AC_NEEDS_WINDOW = 4,
    AC_NEEDS_RESULTS = 8, /* programs that are run, not only loaded */
};

struct ac_check {
    const char *name, *rule;
    unsigned needs;
    int (*run)(struct ac *k);
};

/* Each ended by a null name. */
extern const struct ac_check ac_checks_hello[], ac_checks_exec[], ac_checks_window[],
    ac_checks_frame[], ac_checks_life[];

#endif
