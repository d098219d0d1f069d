/* An engine's first worker. */
#ifndef CTS_CORE_START_H
#define CTS_CORE_START_H

#include "core/core.h"
#include "core/session.h"

/* Of its own time: an engine may have a library to load and a window to make. */
enum { CTS_START_TIMEOUT_MS = 20000 };

/* Starts the worker of an engine and fills `info`, whose texts are the target's or the arena's. 0:
 * the session is up. CTS_E_UNSUPPORTED: the engine is unavailable here, which is no fault. Else
 * the worker is at fault, and err says how; info says so, too. */
int cts_engine_start(struct cts_session *s, const struct cts_target *t, struct cts_arena *arena,
                     struct cts_engine_info *info, struct cts_err *err);

#endif
