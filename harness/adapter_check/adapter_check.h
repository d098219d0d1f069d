/* Tests of a worker against the frame protocol (wire/PROTOCOL.md), whatever it drives and in
 * whatever language it is written.
 *
 * Each check starts the worker anew, sends it a few requests and looks at every byte of the
 * responses. Nothing is taken from it on trust: it may crash, hang, flood or lie, and costs no more
 * than the check. The programs are a few instructions long and mean the same on every runtime. */
#ifndef CTS_ADAPTER_CHECK_H
#define CTS_ADAPTER_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "host/buf.h"
#include "wire/wire.h"

enum { CTS_ADAPTER_CHECK_BYTES = 96 };

/* The first bytes of something, and how many it has. */
struct cts_adapter_check_bytes {
    uint8_t data[CTS_ADAPTER_CHECK_BYTES];
    size_t len, total;
};

enum cts_adapter_check_status {
    CTS_ADAPTER_CHECK_PASS,
    CTS_ADAPTER_CHECK_FAIL,
    CTS_ADAPTER_CHECK_SKIP, /* does not apply to this worker, or needs a check that failed */
};

/* Texts may hold anything the worker said: make them fit for where they are shown. */
struct cts_adapter_check_result {
    unsigned number;         /* from 1 */
    const char *name, *rule; /* "refused"; what a worker has to do, in one line */
    enum cts_adapter_check_status status;
    const char *why;       /* what is wrong, or why it is skipped; "" */
    const char *last_line; /* of the worker's stderr; "" */
    struct cts_adapter_check_bytes request,
        seen; /* of a failure: the request's frame, the bytes that came */
};

struct cts_adapter_check_opts {
    const char *const *argv; /* the worker's command, ended by null */
    const char *engine;      /* "": its default */
    unsigned timeout_ms;     /* of one response, and of the end of the process */
    /* Writes code as an ELF object, for workers that want one (asm/object.h); null: they get none.
     */
    int (*object)(const uint8_t *code, size_t len, bool be, const char *section,
                  struct cts_buf *out, struct cts_err *err);
    const char *const *only;  /* names of checks, ended by null; null: all */
    const volatile int *stop; /* not null: becomes non-zero when it is to end early */
};

/* Name and rule of check i, counted from 0; false past the last. */
bool cts_adapter_check_at(unsigned i, const char **name, const char **rule);

/* Runs the checks and tells each. 0 when they were run, whatever the results; *caps is what the
 * worker said of itself, its runtime "" if nothing of use. CTS_E_WORKER: it cannot be started.
 * CTS_E_UNSUPPORTED: it says that its engine is unavailable here, and err why. CTS_E_NOTFOUND: no
 * check of a name in `only`. */
int cts_adapter_check_run(const struct cts_adapter_check_opts *opts,
                          void (*tell)(void *arg, const struct cts_adapter_check_result *r),
                          void *arg, struct cts_caps *caps, struct cts_err *err);

#endif
