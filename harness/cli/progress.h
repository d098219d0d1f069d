/* A progress line on a terminal's standard error; nothing anywhere else. */
#ifndef CTS_CLI_PROGRESS_H
#define CTS_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct cts_progress {
    bool on, shown;
    uint64_t last_ns;
};

void cts_progress_init(struct cts_progress *p, bool wanted);
void cts_progress_show(struct cts_progress *p, uint64_t done, uint64_t all);
/* "assembling 2048 of 10000": of something else than cases. */
void cts_progress_show_step(struct cts_progress *p, const char *step, uint64_t done, uint64_t all);
void cts_progress_end(struct cts_progress *p);

#endif
