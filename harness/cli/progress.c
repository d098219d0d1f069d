#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"

enum { EVERY_NS = 100 * 1000 * 1000 };

void cts_progress_init(struct cts_progress *p, bool wanted)
{
    const char *term = getenv("TERM");
    *p = (struct cts_progress){.on = wanted && isatty(STDERR_FILENO) &&
                                     !(term && strcmp(term, "dumb") == 0)};
}

static bool is_due(struct cts_progress *p)
{
    uint64_t now = cts_clock_ns();
    if (!p->on || now - p->last_ns < EVERY_NS)
        return false;
    p->last_ns = now;
    p->shown = true;
    return true;
}

void cts_progress_show(struct cts_progress *p, uint64_t done, uint64_t all)
{
    if (!is_due(p))
        return;
    fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " cases (%u %%)\033[K", done, all,
            (unsigned)(all ? done * 100 / all : 0));
    fflush(stderr);
}

void cts_progress_show_step(struct cts_progress *p, const char *step, uint64_t done, uint64_t all)
{
    if (!is_due(p))
        return;
    fprintf(stderr, "\r%s %" PRIu64 " of %" PRIu64 "\033[K", step, done, all);
    fflush(stderr);
}

void cts_progress_end(struct cts_progress *p)
{
    if (p->shown)
        fprintf(stderr, "\r\033[K");
    p->shown = false;
}
