/* Report formats. One file each (rep_<name>.c) that defines `const struct cts_reporter
 * cts_reporter_<name>`; the build lists them by file name. */
#ifndef CTS_REPORT_REPORT_H
#define CTS_REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "result/result.h"

struct cts_report_opts {
    FILE *out;
    bool color, verbose, quiet;
    unsigned width;    /* of lines for people, in columns; 0: as long as they are */
    bool reproducible; /* the results' times are 0, and are left out where they can be */
    const char *time;  /* of the run, as 2024-10-31T00:00:00Z; "" or null: not to be told */
    /* The section of RFC 9669 that a clause stands in, null if there is no such clause; may be
     * null. */
    const char *(*section)(const char *clause);
    const char *suite_version, *vectors_hash;
    bool *lost; /* set by a format that could not tell all of it; may be null */
};

/* Null functions are passed over: a format that needs no engines has none for them. */
struct cts_reporter {
    const char *name, *what; /* "junit", "JUnit XML, as CI systems read it" */
    /* Makes the others' arg from opts (which stay valid); null on no memory. */
    void *(*start)(const struct cts_report_opts *opts);
    void (*engine)(void *arg, const struct cts_engine_info *info);
    void (*result)(void *arg, const struct cts_result *r);
    /* Writes what is left, frees arg. */
    void (*end)(void *arg, const struct cts_summary *s);
};

/* All of them, ended by a null pointer. */
extern const struct cts_reporter *const cts_reporters[];
const struct cts_reporter *cts_reporter_find(const char *name);

/* One format at work. */
struct cts_report {
    const struct cts_reporter *format;
    struct cts_report_opts opts;
    void *arg;
};
/* False on no memory. */
bool cts_report_start(struct cts_report *r, const struct cts_reporter *format,
                      const struct cts_report_opts *opts);
void cts_report_engine(struct cts_report *r, const struct cts_engine_info *info);
void cts_report_result(struct cts_report *r, const struct cts_result *result);
void cts_report_end(struct cts_report *r, const struct cts_summary *s);

#endif
