/* One worker process as the executor sees it: start, handshake, requests and responses, and its
 * end, however it comes.
 *
 * 1. cts_session_init: the worker's command; no process yet.
 * 2. cts_session_start, or cts_session_start_with_retry: process and handshake. The session is up,
 *    and caps is what the worker says of itself; the window is there to be filled.
 * 3. cts_session_ask, up to CTS_SESSION_DEPTH times ahead.
 * 4. cts_session_answer, once for each request, in their order; then read the window. Back to 3.
 * 5. After any error but CTS_E_INVAL and CTS_E_LIMIT the worker is dead and what was under way is
 *    lost. cts_session_begun says how far it came: back to 2, for another worker; not after
 *    CTS_E_BUSY.
 * 6. cts_session_stop ends a worker that is up; cts_session_release all of it.
 *
 * The worker is not trusted. Every wait has a limit; a frame that is too long, out of order or
 * malformed ends the session with CTS_E_PROTOCOL; a request that it says it did not understand
 * with CTS_E_UNCLEAR; death with CTS_E_WORKER (err names exit code or signal, and the last line of
 * its stderr); silence with CTS_E_TIMEOUT. The process group is killed then. stderr is kept, up to
 * a limit. What carries the bytes is the link (link/link.h); what they mean is decided here.
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

#include "base/err.h"
#include "link/link.h"
#include "wire/wire.h"

/* Requests that may be under way at a time, and items in one request. */
enum { CTS_SESSION_DEPTH = CTS_LINK_DEPTH, CTS_SESSION_ITEMS = 65536 };

/* What the response to an item is held against. */
struct cts_session_step {
    uint8_t ops;
    uint32_t iterations, entries_off, entries_bytes; /* its region, which travels if ops say so */
};

/* Those of a request. */
struct cts_session_steps {
    struct cts_session_step *step;
    uint32_t cap;
};

struct cts_session {
    const char *const
        *argv; /* the worker's command; the engine is sent in HELLO and given as last argument */
    const char *engine;
    struct cts_link link;
    struct cts_caps caps; /* caps.window is this process's mapping if the window is shared, else
                             memory of our own */
    bool up, shared;
    /* The last response was to several items, took more than the time of one of them, and nothing
     * reported how far it was: any of them may have been too late. */
    bool late;
    /* Filled with CTS_E_BUSY, for good: there is no use in trying on. */
    struct cts_err gave_up;
    unsigned patience_ms; /* how long it may be let wait; 0: as long as is good for the timeout */
    unsigned restarts;
    const volatile int *stop; /* not null: once it is not 0, every wait ends at once, as if the
                                 worker had died */
    uint64_t items_asked;     /* since the start */

    /* The session's own. */
    unsigned starts;
    struct cts_caps first_caps; /* what the worker must say of itself again; runtime "": anything */
    size_t window_owned;        /* bytes of our own */
    uint64_t items_done;        /* of those asked, answered */
    uint64_t begun_seen;        /* of them, as far as the worker had reported when last looked */
    unsigned timeout_ms;        /* of one item, in the wait under way */
    uint32_t timed_items;       /* that the wait is for */
    struct cts_session_steps steps[CTS_SESSION_DEPTH]; /* by the request's number */
};

/* argv (ended by a null pointer) and engine ("" : the worker's default) must outlive the session.
 */
void cts_session_init(struct cts_session *s, const char *const *argv, const char *engine);
/* CTS_E_UNSUPPORTED: the worker runs but the engine is unavailable; err is the reason. A session
 * that is up is stopped first. */
int cts_session_start(struct cts_session *s, unsigned timeout_ms, struct cts_err *err);
/* The same, and again if the worker dies on the way: that may have been somebody else's doing, and
 * is its own if it happens every time. */
int cts_session_start_with_retry(struct cts_session *s, unsigned timeout_ms, struct cts_err *err);
/* From now on the worker must say this of itself, as it must what it said at the first start; the
 * window's descriptor and address aside. */
void cts_session_expect(struct cts_session *s, const struct cts_caps *caps);
/* Has the worker taken away the memory that it shares? What is read there is nobody's then; the
 * next call ends the session for it. */
static inline bool cts_session_window_is_gone(const struct cts_session *s)
{
    return cts_share_is_gone(&s->link.window);
}
/* Ends the process, keeps argv and engine. caps and the window's memory stay until the next start.
 */
void cts_session_stop(struct cts_session *s);
void cts_session_release(struct cts_session *s);

/* Of all items asked since the start, how many the worker has begun, by its own word in a shared
 * window; items_asked if there is no telling. Also after its death. */
uint64_t cts_session_begun(const struct cts_session *s);

/* Sends n items (none: a request that only wants its response); does not wait for the responses,
 * but reads on while it writes, so that neither side blocks for ever. CTS_STEP_ENTRIES is the
 * session's to set: with a window that is not shared, items with CTS_STEP_RUN carry the regions in
 * [entries_off, entries_off + entries_bytes). CTS_E_INVAL, CTS_E_LIMIT: nothing was sent and the
 * session goes on (no item, rows outside the window, a request longer than a frame or one more than
 * CTS_SESSION_DEPTH). */
int cts_session_ask(struct cts_session *s, struct cts_item *items, uint32_t n, unsigned timeout_ms,
                    struct cts_err *err);
/* The timeout is that of one item: as long as the worker begins items, it starts anew. Of a worker
 * that reports nothing of that (neither in a shared window nor in frames) a request may take as
 * many timeouts as it has items; if it took more than one, `late` says so.
 *
 * Waits for the response to the oldest request under way, which had n items: exactly n answers, or
 * an error. For a window that is not shared the rows are copied back. Texts are made printable;
 * answers[i].rows is null. */
int cts_session_answer(struct cts_session *s, struct cts_answer *answers, uint32_t n,
                       unsigned timeout_ms, struct cts_err *err);
/* Requests under way. */
static inline uint32_t cts_session_pending(const struct cts_session *s)
{
    return cts_link_pending(&s->link);
}

#endif
