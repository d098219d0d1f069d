/* Counting cases by engine and reason, up to a limit. */
#ifndef CTS_REPORT_REASONS_H
#define CTS_REPORT_REASONS_H

#include <stddef.h>
#include <stdint.h>

struct cts_reason {
    char *engine, *text; /* "linux:jit", what they share */
    char *sample;        /* what was said the first time */
    uint64_t count;
};

struct cts_reasons {
    struct cts_reason *list; /* by their first appearance */
    size_t count, cap, last;
    uint64_t forgotten; /* cases whose reason could not be kept */
};

void cts_reasons_release(struct cts_reasons *t);
/* Counts one more case; null if it is one that is forgotten. */
struct cts_reason *cts_reasons_add(struct cts_reasons *t, const char *engine, const char *text,
                                   const char *sample);

#endif
