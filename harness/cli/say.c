#include "cli/say.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fmt.h"
#include "cli/opt.h"
#include "host/outfile.h"

static void print_long(FILE *to, size_t len, const char *fmt, va_list ap)
{
    char *text = malloc(len + 1);
    if (!text)
        return;
    cts_vfmt_visible(text, len + 1, fmt, ap);
    fwrite(text, 1, len, to);
    free(text);
}

static void print(FILE *to, const char *fmt, va_list ap)
{
    char text[1024];
    size_t len = cts_vfmt_visible(text, sizeof(text), fmt, ap);
    if (len < sizeof(text))
        fwrite(text, 1, len, to);
    else
        print_long(to, len, fmt, ap);
}

void cts_say(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    print(stderr, fmt, ap);
    va_end(ap);
}

void cts_say_list(const char *fmt, va_list ap)
{
    print(stderr, fmt, ap);
}

void cts_out(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    print(stdout, fmt, ap);
    va_end(ap);
}

/* Unlike an ignored signal, a handler is not handed on to workers. */
static void on_file_too_large(int number)
{
    (void)number;
}

void cts_stdio_init(void)
{
    struct sigaction sa = {.sa_handler = on_file_too_large, .sa_flags = SA_RESTART};
    sigaction(SIGXFSZ, &sa, NULL);
    /* Opened the wrong way round: what is read or written there is an error, as it was before. */
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0)
            return;
}

int cts_stdio_close(int code)
{
    int why = cts_outfile_flush(stdout);
    if (fclose(stdout) != 0 && !why)
        why = errno;
    if (!why)
        return code;
    cts_say("ebpf-cts: standard output: cannot write: %s\n", strerror(why));
    return code >= CTS_EXIT_SIGNAL ? code : (int)CTS_EXIT_BROKEN;
}
