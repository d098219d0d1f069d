#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dp.h"

/* The signal of the timer ends it, whoever has changed what signals do. */
static void try_it(const struct dp_library *lib, const struct dp_params *params, unsigned ms)
{
    const struct itimerval limit = {
        .it_value = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000}};
    const struct rlimit none = {0, 0};
    sigset_t timer;
    sigemptyset(&timer);
    sigaddset(&timer, SIGPROF);
    signal(SIGPROF, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &timer, NULL);
    setrlimit(RLIMIT_CORE, &none);
    setitimer(ITIMER_PROF, &limit, NULL);
    lib->load(params);
    _exit(0);
}

bool dp_ends_within(const struct dp_library *lib, const struct dp_params *params, unsigned ms)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        try_it(lib, params, ms);
    while (child > 0 && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return true;
    return !(child > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF);
}
