#include "cli/stop.h"

#include <signal.h>
#include <stddef.h>

/* Signal handlers can reach nothing but objects of static storage. volatile sig_atomic_t is int on
 * every platform that has bpf(2). */
static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

const volatile int *cts_stop_on_signals(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    return &stopped;
}
