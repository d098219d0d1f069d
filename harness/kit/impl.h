/* Between the files of the kit: links (talk.c), requests and responses (ask.c), programs (prog.c),
 * the checks by what they are about (check_*.c), and their order (kit.c).
 *
 * Functions that can find something wrong return 0, or KIT_FAIL after the first of them has said
 * what it is. A check hands that on. */
#ifndef CTS_KIT_IMPL_H
#define CTS_KIT_IMPL_H

#include "base/bytes.h"
#include "host/buf.h"
#include "isa/isa.h"
#include "kit/kit.h"
#include "link/link.h"

enum { KIT_PASS = 0, KIT_FAIL = -1, KIT_SKIP = 1 };

enum {
    KIT_ITEMS = 256, /* of one request */
    KIT_LINKS = 4,   /* workers at a time */
};

struct kit {
    const struct cts_kit_opts *opts;
    bool have_caps;
    struct cts_caps caps;
    struct cts_link links[KIT_LINKS];
    struct cts_link *link; /* the one that is being spoken to */
    struct cts_answer answers[KIT_ITEMS];
    struct cts_buf elf;  /* the object of the program last put */
    struct cts_buf code; /* of programs too long for struct kit_code */
    char why[CTS_ERR_MSG_MAX];
    char last_line[CTS_LINK_LAST_LINE]; /* of stderr */
    struct cts_kit_bytes request, seen;
};

int kit_fail(struct kit *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int kit_skip(struct kit *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The link. */

/* Starts the process; the engine of the options is its last argument unless `bare`. */
int kit_spawn(struct kit *k, bool bare);
void kit_stop(struct cts_link *l);
/* All of it, reading meanwhile. */
int kit_send(struct kit *k, const void *data, size_t len);
/* Nothing more comes for a while. */
int kit_is_quiet(struct kit *k, unsigned ms);
/* Waits for the end of the process: its wait status. What it says meanwhile stays to be read. */
int kit_wait_end(struct kit *k, int *status);
/* Hangs up and wants an end with status 0, with nothing more on stdout. */
int kit_end_well(struct kit *k);
/* Of the last thing that went wrong: did the process die of itself? */
bool kit_has_died(const struct kit *k, int *status);
/* Maps the worker's window: KIT_SKIP if it is unavailable. */
int kit_map_window(struct kit *k);
/* Has a window that is mapped gone meanwhile? Then nothing else that was found counts. */
int kit_check_window(struct kit *k);

/* Requests and responses. The payload of a request is written to link->out. */

void kit_begin(struct kit *k);
/* Sends the request as a frame of this type; the response is to have `items` parts. */
int kit_ask(struct kit *k, uint16_t type, uint32_t items, uint64_t most);
/* Puts the header before the payload and counts the request, without sending. */
int kit_seal(struct kit *k, uint16_t type, uint32_t items, uint64_t most);
/* Waits for the response to the oldest request; the payload is in memory until the next call. */
int kit_reply(struct kit *k, struct cts_frame *f, struct cts_rd *r);
/* The response is FAILED, with a code and a reason; `what` is what was wrong with the request. */
int kit_want_failed(struct kit *k, const char *what);

int kit_hello(struct kit *k, uint32_t lowest, uint32_t highest, const char *engine);
/* The response to HELLO, taken apart; *code is 0 and *caps filled, or below 0 and the reason. */
int kit_want_caps(struct kit *k, struct cts_caps *caps, int *code, char reason[CTS_ERR_MSG_MAX]);
/* Starts, greets, and wants the engine of the options. */
int kit_open(struct kit *k);
int kit_check_caps(struct kit *k, const struct cts_caps *c);

/* The steps that the worker is asked for: one that only loads is never asked to run. */
unsigned kit_steps(const struct kit *k, const struct cts_item *it);
/* The most a response with these items can take. */
uint64_t kit_most(const struct cts_item *items, uint32_t n);
int kit_put_items(struct kit *k, const struct cts_item *items, uint32_t n);
int kit_ask_items(struct kit *k, const struct cts_item *items, uint32_t n);
/* The response to the oldest request, into k->answers, each with steps that the protocol allows
 * for its item. */
int kit_want_done(struct kit *k, const struct cts_item *items, uint32_t n);
/* Both. */
int kit_exec(struct kit *k, const struct cts_item *items, uint32_t n);
/* Answer i is that of an item whose steps were all taken, and whose result was r0. */
int kit_want_ran(struct kit *k, uint32_t i, const struct cts_item *it, uint64_t r0);
/* A program that returns `value`, in one request: does the worker still do its work? */
int kit_runs(struct kit *k, int32_t value);
/* Answer i has exactly these steps. */
int kit_want_ops(struct kit *k, uint32_t i, unsigned ops, const char *when);

/* Programs. */

struct kit_code {
    uint8_t bytes[64 * CTS_SLOT_BYTES];
    uint32_t slots;
};

void kit_insn_order(struct kit_code *c, bool be, struct cts_insn in);
/* In the worker's byte order. */
void kit_insn(const struct kit *k, struct kit_code *c, struct cts_insn in);
/* r0 = value; exit */
void kit_returns(const struct kit *k, struct kit_code *c, int32_t value);
struct cts_item kit_item(unsigned ops, unsigned prog, const struct kit_code *c);
/* k->code becomes `slots` slots long: r0 = 1, ..., r0 = value, exit. False: no memory. */
bool kit_long_code(struct kit *k, uint32_t slots, int32_t value);

/* The checks. */

enum {
    KIT_NEEDS_CAPS = 1, /* the handshake */
    KIT_NEEDS_RUN = 2,  /* the simplest program */
    KIT_NEEDS_WINDOW = 4,
    KIT_NEEDS_RESULTS = 8, /* programs that are run, not only loaded */
};

struct kit_check {
    const char *name, *rule;
    unsigned needs;
    int (*run)(struct kit *k);
};

/* Each ended by a null name. */
extern const struct kit_check kit_checks_hello[], kit_checks_exec[], kit_checks_window[],
    kit_checks_frame[], kit_checks_life[];

#endif
