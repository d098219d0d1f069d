/* Errors: what went wrong, once, and where.
 *
 * A fallible function returns 0 or a negative enum cts_errno and takes `struct cts_err *` as its
 * last parameter. The function that knows the cause fills it; callers pass it up unchanged (the
 * first message wins). A null pointer is allowed and drops the message. Freestanding. */
#ifndef CTS_BASE_ERR_H
#define CTS_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

enum cts_errno {
    CTS_E_NOMEM = -1,    /* out of memory */
    CTS_E_IO = -2,       /* the operating system refused: file, pipe, process */
    CTS_E_SYNTAX = -3,   /* text that cannot be parsed */
    CTS_E_SCHEMA = -4,   /* parsed, but an unknown key, a wrong type, a missing field */
    CTS_E_RANGE = -5,    /* a number outside what its field can hold */
    CTS_E_LIMIT = -6,    /* a growing thing reached its limit */
    CTS_E_NOTFOUND = -7, /* no such id, file, tool */
    CTS_E_PROTOCOL = -8, /* a worker said something that is not in the protocol */
    CTS_E_WORKER = -9,   /* a worker died or cannot be started */
    CTS_E_TIMEOUT = -10, /* no answer in time */
    CTS_E_UNSUPPORTED =
        -11, /* understood, but unavailable here; the message is the reason for the skip */
    CTS_E_INVAL = -12,   /* a caller's mistake, or an encoding the specification refuses */
    CTS_E_TOOL = -13,    /* an outside tool (llvm-mc) failed */
    CTS_E_BUSY = -14,    /* the machine left a process too little time, or something it waited for
                            was unavailable */
    CTS_E_UNCLEAR = -15, /* a worker did not understand a request: no fault of its runtime */
};

enum { CTS_ERR_FILE_MAX = 256, CTS_ERR_MSG_MAX = 1024 };

struct cts_err {
    int code;                    /* 0 as long as nothing is filled in */
    unsigned line, col;          /* from 1; 0: no position */
    char file[CTS_ERR_FILE_MAX]; /* "": no file */
    char msg[CTS_ERR_MSG_MAX];   /* one line, no newline at its end */
};

void cts_err_clear(struct cts_err *err);

/* Both fill `err` unless it is filled already, and return `code`. Format: see fmt.h. */
int cts_err_set(struct cts_err *err, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int cts_err_at(struct cts_err *err, int code, const char *file, unsigned line, unsigned col,
               const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* "file:line:col: message" (as much of the place as is known) into buf, as visible text on one
 * line, cut off where buf ends; returns buf. */
const char *cts_err_text(const struct cts_err *err, char *buf, size_t cap);

/* A short lower-case word for the code: "syntax", "worker", ... */
const char *cts_errno_name(int code);

#endif
