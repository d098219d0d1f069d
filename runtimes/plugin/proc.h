/* One run of the plugin: a process that gets a program on its standard input and prints r0. */
#ifndef CTS_PLUGIN_PROC_H
#define CTS_PLUGIN_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/worker.h"

enum plg_end {
    PLG_ANSWERED, /* exit 0, and a number */
    PLG_REFUSED,  /* an exit code other than 0 */
    PLG_GARBAGE,  /* exit 0, and no number; or it cannot be started */
    PLG_DIED,     /* of a signal */
};

struct plg_out {
    enum plg_end end;
    uint64_t r0;             /* ANSWERED */
    bool silent;             /* it printed nothing at all */
    char text[CTS_TEXT_MAX]; /* what there is to say of the other ends */
};

struct plg_command {
    const char *path;
    char *const *options; /* ended by null */
};

/* `memory` is the first argument, null for none. Nothing the plugin started is left behind. There
 * is no limit of time here: the harness has one. */
void plg_proc_run(const struct plg_command *c, const char *memory, const char *input, size_t len,
                  struct plg_out *out);

#endif
