#include "cli/stop.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* Signal handlers can reach nothing but objects of static storage. volatile sig_atomic_t is int on
 * every platform that has bpf(2). */
static volatile sig_atomic_t stopped;

/* The second one ends the program as if nobody had caught it; the workers end with it. */
static void on_signal(int number)
{
    if (stopped) {
        signal(number, SIG_DFL);
        raise(number);
    }
    stopped = number;
}

static const char *last_words;

static void on_early_signal(int number)
{
    ssize_t n = write(STDERR_FILENO, last_words, strlen(last_words));
    (void)n;
    signal(number, SIG_DFL);
    raise(number);
}

static void handle(void (*handler)(int))
{
    static const int caught[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction sa = {.sa_handler = handler}, before;
    for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
        /* nohup stays so. */
        bool ignored = sigaction(caught[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN;
        if (!ignored || caught[i] != SIGHUP)
            sigaction(caught[i], &sa, NULL);
    }
}

void cts_stop_at_once(const char *words)
{
    last_words = words;
    handle(on_early_signal);
}

const volatile int *cts_stop_on_signals(void)
{
    handle(on_signal);
    return &stopped;
}
