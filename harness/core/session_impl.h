/* Between the files of the session. Calls go down: session.c (the conversation), session_wait.c
 * (time), session_window.c, session_lose.c (the end). */
#ifndef CTS_CORE_SESSION_IMPL_H
#define CTS_CORE_SESSION_IMPL_H

#include "core/session.h"

/* The end of a worker: it is stopped, and err says what became of it. Each returns err's code. */

/* "worker 'x' WHAT; last line of stderr: ..." */
int cts_session_lose(struct cts_session *s, int code, const char *what, struct cts_err *err);
/* For what a call of the link returned. */
int cts_session_lose_link(struct cts_session *s, const struct cts_err *why, struct cts_err *err);
/* CTS_E_PROTOCOL. */
int cts_session_lose_protocol(struct cts_session *s, const char *why, struct cts_err *err);
/* It says that it did not understand; CTS_E_UNCLEAR. */
int cts_session_lose_unclear(struct cts_session *s, const char *reason, struct cts_err *err);
/* It will say no more; CTS_E_WORKER. */
int cts_session_lose_death(struct cts_session *s, struct cts_err *err);

/* Gives caps.window its memory: the worker's, if it can be shared, else our own. */
int cts_session_open_window(struct cts_session *s, struct cts_err *err);
void cts_session_close_window(struct cts_session *s);
/* CTS_E_PROTOCOL: an access to the shared window has found that it is not there any more. */
int cts_session_check_window(struct cts_session *s, struct cts_err *err);

/* From now on the worker has this long for each of `items`, of which there may be none; 0: no
 * limit. */
void cts_session_time(struct cts_session *s, unsigned timeout_ms, uint32_t items);
/* Sends link.out whole, reading meanwhile. */
int cts_session_send(struct cts_session *s, struct cts_err *err);
/* Waits for the response to the oldest request; *payload lies in memory until the next call. */
int cts_session_receive(struct cts_session *s, struct cts_frame *f, struct cts_rd *payload,
                        struct cts_err *err);

#endif
