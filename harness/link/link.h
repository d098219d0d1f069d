/* The harness's end of one worker process: the process, its pipes, the frames that go through them,
 * the time that it takes, and the memory that it shares.
 *
 * The link moves bytes, and says what it sees. What that means is for its user to say: whether
 * silence is a timeout, how often a worker is started again, whose fault a death is. No call but
 * cts_link_wait waits for the worker. So:
 *
 * 1. cts_link_init: limits; no process yet.
 * 2. cts_link_start: the process.
 * 3. For each request: cts_link_begin, the payload into l->out by cts_wr_*, cts_link_seal, and
 *    then cts_link_write until it returns 1; while it returns 0, cts_link_wait for room and look
 *    at the time. Up to CTS_LINK_DEPTH requests may be under way.
 * 4. For each response: cts_link_next until it returns 1; while it returns 0, cts_link_wait and
 *    look at the time. Responses come in the order of the requests. Reports of progress are taken
 *    on the way: cts_link_oldest.
 * 5. Time: cts_link_start_time before a wait, cts_link_check_time after each cts_link_wait.
 * l->ended comes first: the worker will say no more, and cts_link_await_end tells how it died.
 * 6. After the handshake, if the worker has such a window: cts_link_map.
 * 7. cts_link_stop: kills what is left of it. Back to 2, or
 * 8. cts_link_release.
 *
 * A negative return value says that the worker is of no more use, and err why, in words that follow
 * "it broke the protocol: " if it is CTS_E_PROTOCOL. The link is to be stopped then. The worker is
 * not trusted: what it sends is bounded by what honest responses can take, what it says on stderr
 * by `stderr_bytes`. Belongs to one thread, from start to stop. */
#ifndef CTS_LINK_LINK_H
#define CTS_LINK_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/effort.h"
#include "base/err.h"
#include "host/buf.h"
#include "host/proc.h"
#include "host/share.h"
#include "wire/wire.h"

enum {
    CTS_LINK_DEPTH = 16,          /* requests under way at a time */
    CTS_LINK_STDERR = 64 << 10,   /* at least so many bytes of the end of stderr are kept */
    CTS_LINK_LAST_LINE = 300,     /* bytes that are shown of the last line of stderr */
    CTS_LINK_CAPS_MAX = 16 << 10, /* bytes of the payload of CAPS */
    CTS_LINK_ANSWER_MAX =
        128 + 2 * CTS_TEXT_MAX, /* of the answer to an item; its rows come on top */
    CTS_LINK_WINDOW_MIN = 64,   /* bytes of a window */
    CTS_LINK_WINDOW_MAX = 1 << 30,
};

struct cts_link_limits {
    uint64_t stderr_bytes; /* of stderr between two responses: more is a flood */
    uint64_t stray_bytes;  /* of stdout beyond what responses under way can take: more is a flood */
};

/* A request that is under way. */
struct cts_link_request {
    uint32_t seq; /* random: who has not read the request cannot know it */
    uint32_t items;
    uint64_t most; /* bytes of the longest honest response, header included */
    struct cts_wire_progress reported;
    uint32_t reports; /* of progress so far */
};

struct cts_link {
    struct cts_link_limits limits;
    struct cts_proc proc;
    struct cts_wr out; /* the request that is being written: room for a header, then the payload */
    struct cts_buf in; /* stdout; bytes before in_at are done with */
    size_t in_at;
    bool eof;   /* stdout is at its end */
    bool ended; /* it is, or the process is over and what it left there has been read */
    struct cts_buf stderr_text; /* its end */
    uint64_t stderr_volume;     /* bytes since the last response */
    struct cts_share window;    /* if it is mapped */
    uint32_t sent, answered;    /* requests since the start */
    uint64_t expected;          /* the most that all responses under way can take */
    bool reports;               /* the worker has reported, since the start, what it has begun */
    struct cts_link_request request[CTS_LINK_DEPTH]; /* by number */
    uint64_t random;
    struct cts_effort effort; /* of the wait under way */
    unsigned timeout_ms;      /* that it is held against */
};

void cts_link_init(struct cts_link *l, const struct cts_link_limits *limits);
/* argv is ended by a null pointer; `engine`, if it is not "", becomes the last argument. A process
 * that is there is stopped first. CTS_E_WORKER: it cannot be started; CTS_E_INVAL: too many words.
 */
int cts_link_start(struct cts_link *l, const char *const *argv, const char *engine,
                   struct cts_err *err);
/* Kills the process, and forgets requests and unread bytes. What was kept of stderr, and a window
 * that is mapped, stay. */
void cts_link_stop(struct cts_link *l);
void cts_link_release(struct cts_link *l);

/* Requests. */

void cts_link_begin(struct cts_link *l);
/* Puts the header before the payload in l->out and counts the request, whose response has `items`
 * items and a payload of `most` bytes at most. CTS_E_LIMIT: too long, or too many are under way. */
int cts_link_seal(struct cts_link *l, uint16_t type, uint32_t items, uint64_t most,
                  struct cts_err *err);
/* Gives the worker more of data[0, len), of which *sent bytes have been taken. 1: all of it is;
 * 0: it takes no more now. CTS_E_WORKER: it does not read any more; what it has said before is in
 * the pipe still. */
int cts_link_write(struct cts_link *l, const void *data, size_t len, size_t *sent,
                   struct cts_err *err);
/* Ends the worker's stdin. */
void cts_link_hang_up(struct cts_link *l);

static inline uint32_t cts_link_pending(const struct cts_link *l)
{
    return l->sent - l->answered;
}

/* Responses. */

/* Takes the response to the oldest request. 1: here it is, *payload lies in memory until the next
 * call; 0: not yet. */
int cts_link_next(struct cts_link *l, struct cts_frame *f, struct cts_rd *payload,
                  struct cts_err *err);
/* The oldest request under way, with what the worker has reported of it; zeros if there is none. */
const struct cts_link_request *cts_link_oldest(const struct cts_link *l);
/* Bytes that have come and are in no frame that was taken. */
size_t cts_link_unread(const struct cts_link *l);
/* Whether what has come ends in the middle of a frame. */
bool cts_link_is_within_frame(const struct cts_link *l);

/* Waiting. */

enum cts_link_for { CTS_LINK_FOR_INPUT, CTS_LINK_FOR_ROOM /* in the worker's stdin */ };
/* Waits up to `most_ms` for something to happen, and takes what has come: stdout into l->in, stderr
 * into its text. CTS_E_PROTOCOL: a flood; CTS_E_NOMEM, CTS_E_IO. */
int cts_link_wait(struct cts_link *l, enum cts_link_for what, unsigned most_ms,
                  struct cts_err *err);
/* Takes what has come, without waiting. */
int cts_link_read(struct cts_link *l, struct cts_err *err);
/* The same of a process that does not read any more, or is over: all that it left. */
int cts_link_read_rest(struct cts_link *l, struct cts_err *err);
/* Of a process that is over: takes what it left, and gives others who have its stdout a moment to
 * let go of it. l->eof: they have. */
int cts_link_await_eof(struct cts_link *l, struct cts_err *err);
/* A worker that said its last has a moment to end by itself: true, and its wait status. */
bool cts_link_await_end(struct cts_link *l, int *status);
/* The last line of stderr that is not blank, fit to be shown: "" if there is none. */
void cts_link_last_line(struct cts_link *l, char *out, size_t cap);

/* Time, of the worker's own (base/effort.h). */

enum cts_link_time {
    CTS_LINK_IN_TIME,
    CTS_LINK_LATE,    /* it has had its time */
    CTS_LINK_STARVED, /* it did not get its time, for many times as long */
};
/* Begins to count, from 0. */
void cts_link_start_time(struct cts_link *l, unsigned timeout_ms);
/* `waiting`: the worker waits for something that it shares, which is none of its time. LATE: it has
 * had limit_ms; STARVED: it was let wait for patience_ms, or, if that is 0, for as long as is good
 * for the timeout. */
enum cts_link_time cts_link_check_time(struct cts_link *l, bool waiting, uint64_t limit_ms,
                                       unsigned patience_ms);

/* The window. */

/* Maps `bytes` of what the worker has as descriptor `fd` to l->window. CTS_E_NOTFOUND: it has no
 * such descriptor; CTS_E_WORKER: descriptors of other processes are unavailable here; what
 * cts_share_map returns: it cannot be shared. */
int cts_link_map(struct cts_link *l, int fd, size_t bytes, struct cts_err *err);
void cts_link_unmap(struct cts_link *l);

/* Whether the numbers that a worker gives of itself make sense; CTS_E_PROTOCOL and the field. */
int cts_link_check_caps(const struct cts_caps *caps, struct cts_err *err);

#endif
