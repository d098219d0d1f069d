/* One worker process: start, hand-shake, questions and answers, and its end, however it comes.
 *
 * The worker is not trusted. Every wait has a limit; a frame that is too long, out of order or
 * malformed ends the session with CTS_E_PROTOCOL; a question that it says it did not understand
 * with CTS_E_UNCLEAR; death with CTS_E_WORKER (err names exit code or signal, and the last line of
 * its stderr); silence with CTS_E_TIMEOUT. After any of these the process group is killed and the
 * session can be started again. stderr is kept, up to a limit.
 *
 * Timeouts are limits of the worker's own time (base/effort.h): time for which the machine lets it
 * wait for a processor does not count, nor time for which it says that it waits for something that
 * it shares with others. That it is let wait has a limit, too: CTS_E_BUSY, which is no fault of
 * the runtime's. They are limits of the whole call, however lively the worker is; 0: none. Belongs
 * to one thread, from start to stop. */
#ifndef CTS_CORE_SESSION_H
#define CTS_CORE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/effort.h"
#include "base/err.h"
#include "host/buf.h"
#include "host/proc.h"
#include "host/share.h"
#include "wire/wire.h"

/* Questions that may be under way at a time, and items in one question. */
enum { CTS_SESSION_DEPTH = 16, CTS_SESSION_ITEMS = 65536, CTS_SESSION_STDERR = 64 << 10 };

/* What an answer is held against. */
struct cts_session_step {
    uint8_t ops;
    uint32_t iterations, rows_off, rows_bytes; /* its region, which travels if ops say so */
};

struct cts_session_question {
    uint32_t seq; /* as sent: nobody who has not read the question can know it */
    uint32_t n, cap;
    uint64_t most; /* bytes: no honest answer is longer, header included */
    struct cts_wire_progress told;
    uint32_t words; /* of progress so far */
    struct cts_session_step *steps;
};

struct cts_session {
    const char *const
        *argv; /* the worker's command; the engine is sent in HELLO and given as last argument */
    const char *engine;
    struct cts_proc proc;
    struct cts_caps caps; /* caps.window is this process's mapping if the window is shared, else
                             memory of our own */
    bool up, shared;
    uint32_t seq_asked, seq_answered;
    /* The last answer was to several items, took more than the time of one of them, and nothing
     * told how far it was: any of them may have been too late. */
    bool late;
    /* Filled with CTS_E_BUSY, for good: there is no use in trying on. */
    struct cts_err gave_up;
    unsigned patience_ms; /* how long it may be let wait; 0: as long as is good for the timeout */
    struct cts_wr out;
    struct cts_buf in, stderr_text;
    unsigned restarts;
    const volatile int *stop; /* not null: once it is not 0, every wait ends at once, as if the
                                 worker had died */

    /* The session's own. */
    unsigned starts;
    struct cts_caps said;    /* what the worker must say of itself again; runtime "": anything */
    size_t in_at;            /* bytes of `in` that are done with */
    struct cts_share window; /* shared, or */
    size_t window_owned;     /* bytes of our own */
    uint64_t expected;       /* the most that all answers under way can take; more is a flood */
    uint64_t noise;          /* bytes of stderr since the last answer */
    bool out_ended;          /* stdout is at its end */
    uint64_t items_asked;    /* since the start */
    uint64_t items_done;     /* of them, answered */
    uint64_t begun_seen;     /* of them, as far as the worker had told when last looked */
    uint64_t random;         /* state of the sequence numbers */
    unsigned timeout_ms;     /* of one item, in the wait under way */
    uint32_t timed_items;    /* that the wait is for */
    bool told;               /* the worker has told of its progress in a frame */
    struct cts_effort effort;
    struct cts_session_question asked[CTS_SESSION_DEPTH]; /* by sequence number */
};

/* argv (ended by a null pointer) and engine ("" : the worker's default) must outlive the session.
 */
void cts_session_init(struct cts_session *s, const char *const *argv, const char *engine);
/* CTS_E_UNSUPPORTED: the worker runs but the engine is not to be had; err is the reason. A session
 * that is up is stopped first. */
int cts_session_start(struct cts_session *s, unsigned timeout_ms, struct cts_err *err);
/* The same, and again if the worker dies on the way: that may have been somebody else's doing, and
 * is its own if it happens every time. */
int cts_session_start_firmly(struct cts_session *s, unsigned timeout_ms, struct cts_err *err);
/* From now on the worker must say this of itself, as it must what it said at the first start; the
 * window's descriptor and address aside. */
void cts_session_expect(struct cts_session *s, const struct cts_caps *caps);
/* Ends the process, keeps argv and engine. caps and the window's memory stay until the next start.
 */
void cts_session_stop(struct cts_session *s);
void cts_session_release(struct cts_session *s);

/* Of all items asked since the start, how many the worker has begun, by its own word in a shared
 * window; items_asked if there is no telling. Also after its death. */
uint64_t cts_session_begun(const struct cts_session *s);

/* Sends n items (none: a question that only wants its answer); does not wait for the answers, but
 * reads on while it writes, so that neither side blocks for ever. CTS_STEP_ROWS is the session's to
 * set: with a window that is not shared, items with CTS_STEP_RUN carry the regions in [rows_off,
 * rows_off + rows_bytes). CTS_E_INVAL, CTS_E_LIMIT: nothing was sent and the session goes on (no
 * item, rows outside the window, a question longer than a frame or one more than
 * CTS_SESSION_DEPTH). */
int cts_session_ask(struct cts_session *s, struct cts_item *items, uint32_t n, unsigned timeout_ms,
                    struct cts_err *err);
/* The timeout is that of one item: as long as the worker begins items, it starts anew. Of a worker
 * that tells nothing of that (neither in a shared window nor in frames) a question may take as many
 * timeouts as it has items; if it took more than one, `late` says so.
 *
 * Waits for the answers to the oldest unanswered question, which had n items: exactly n answers, or
 * an error. For a window that is not shared the rows are copied back. Texts are made printable;
 * answers[i].rows is null. */
int cts_session_answer(struct cts_session *s, struct cts_answer *answers, uint32_t n,
                       unsigned timeout_ms, struct cts_err *err);
/* Questions under way. */
static inline uint32_t cts_session_pending(const struct cts_session *s)
{
    return s->seq_asked - s->seq_answered;
}

#endif
