/* Between the files of the session. */
#ifndef CTS_CORE_SESSION_IMPL_H
#define CTS_CORE_SESSION_IMPL_H

#include "core/session.h"

/* From now on the worker has this long for each of `items`, of which there may be none; 0: no
 * limit. */
void cts_session_time(struct cts_session *s, unsigned timeout_ms, uint32_t items);

/* While no question is under way: CTS_E_PROTOCOL if the worker has said something all the same. */
int cts_session_check_quiet(struct cts_session *s, struct cts_err *err);
/* Sends s->out whole, reading meanwhile. */
int cts_session_send(struct cts_session *s, struct cts_err *err);
/* Waits for a whole frame; *payload lies in s->in until the next call. */
int cts_session_receive(struct cts_session *s, struct cts_frame *f, struct cts_rd *payload,
                        struct cts_err *err);
/* Bytes that words of progress on a question of n items can take. */
uint64_t cts_session_progress_most(uint32_t n);

/* Ends a worker that broke the protocol, and says so in err; returns CTS_E_PROTOCOL. */
int cts_session_lose_protocol(struct cts_session *s, const struct cts_err *why,
                              struct cts_err *err);

/* Ends a worker that says that it did not understand; returns CTS_E_UNCLEAR. */
int cts_session_lose_unclear(struct cts_session *s, const char *reason, struct cts_err *err);

/* Whether the numbers of a worker make sense; CTS_E_PROTOCOL. */
int cts_session_check_caps(const struct cts_caps *caps, struct cts_err *err);
/* Whether a worker says the same of itself as before; CTS_E_PROTOCOL. All that was made ready for
 * it (memory, programs, judgements) is for what it said first. */
int cts_session_check_same(const struct cts_caps *before, const struct cts_caps *now,
                           struct cts_err *err);
/* Gives caps.window its memory: the worker's, if it can be shared, else our own. */
int cts_session_open_window(struct cts_session *s, struct cts_err *err);
void cts_session_close_window(struct cts_session *s);
/* CTS_E_PROTOCOL: an access to the shared window has found that it is not there any more. */
int cts_session_check_window(struct cts_session *s, struct cts_err *err);

/* Makes text of a worker fit to be shown and stored: valid UTF-8, no control characters but newline
 * and tab. */
void cts_session_clean_text(char *text);

#endif
