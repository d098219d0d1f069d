#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "rt_bpf_run/bpf_run.h"

/* The first line that holds `what`. */
static bool line_with(const char *text, const char *what, char *line, size_t cap)
{
    const char *at = text ? strstr(text, what) : NULL;
    if (!at)
        return false;
    while (at > text && at[-1] != '\n')
        at--;
    cts_fmt(line, cap, "%.*s", (int)strcspn(at, "\n"), at);
    return true;
}

/* "exit -1 (0xffffffffffffffff)", a line by itself. */
static bool read_exit(const char *text, uint64_t *r0)
{
    char line[128], want[128];
    char *end;
    if (!line_with(text, "exit ", line, sizeof(line)))
        return false;
    long long number = strtoll(line + 5, &end, 10);
    *r0 = (uint64_t)number;
    cts_fmt(want, sizeof(want), "exit %lld (0x%llx)", number, (unsigned long long)number);
    return strcmp(line, want) == 0;
}

void bpf_run_listen(const struct cts_child *run, struct bpf_run_said *said)
{
    /* Both as it writes them. */
    static const char *const no_instruction[] = {"couldn't decode instruction",
                                                 "couldn' execute instruction"};
    const char *err = run->err.text;
    char end[128];
    *said = (struct bpf_run_said){.kind = run->end == CTS_CHILD_SIGNALED    ? BPF_RUN_CRASHED
                                          : run->end == CTS_CHILD_TIMED_OUT ? BPF_RUN_ENDLESS
                                                                            : BPF_RUN_BROKE};
    bool over = run->end == CTS_CHILD_EXITED || run->end == CTS_CHILD_SIGNALED;
    for (unsigned i = 0; over && i < 2; i++)
        if (line_with(err, no_instruction[i], said->words, sizeof(said->words))) {
            said->kind = BPF_RUN_NO_INSTRUCTION;
            return;
        }
    if (over && line_with(err, "program stopped with signal", said->words, sizeof(said->words))) {
        said->kind = BPF_RUN_STOPPED;
        return;
    }
    if (run->end == CTS_CHILD_EXITED && run->number == 0 && read_exit(run->out.text, &said->r0)) {
        said->kind = BPF_RUN_EXITED;
        return;
    }
    said->r0 = 0;
    cts_fmt(said->words, sizeof(said->words), "bpf-run: %s%s%.*s",
            cts_child_end_text(run, end, sizeof(end)), err && err[0] ? ": " : "",
            err ? (int)strcspn(err, "\n") : 0, err ? err : "");
}
