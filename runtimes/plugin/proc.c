#include "proc.h"

#include <stdbool.h>
#include <string.h>

#include "base/fmt.h"
#include "hex.h"
#include "wire/child.h"

enum { MOST_OPTIONS = 64, MOST_SAID = 4096 }; /* a number takes 20 characters */

/* Without the white space at its end. */
static int length(const struct cts_child_text *t)
{
    size_t n = t->len;
    while (n && strchr(" \t\r\n", t->text[n - 1]))
        n--;
    return (int)n;
}

static void judge_number(const struct cts_child_text *said, struct plg_out *out)
{
    int n = length(said);
    out->end = PLG_GARBAGE;
    if (said->dropped)
        cts_fmt(out->text, sizeof(out->text), "it printed more than a number: '%.20s...'",
                said->text);
    else if (n == 0)
        cts_fmt(out->text, sizeof(out->text), "it ended with exit code 0 and printed nothing");
    else if (strlen(said->text) != said->len || !plg_hex_number(said->text, &out->r0))
        cts_fmt(out->text, sizeof(out->text), "it printed '%.*s', no hexadecimal number",
                n < 100 ? n : 100, said->text);
    else
        out->end = PLG_ANSWERED;
}

static void judge(const struct cts_child *c, struct plg_out *out)
{
    const struct cts_child_text *words = length(&c->err) ? &c->err : &c->out;
    char how[128];
    const struct cts_child_text none = {.text = how};
    *out = (struct plg_out){.end = PLG_GARBAGE, .silent = !length(words)};
    if (c->end == CTS_CHILD_EXITED && c->number == 0) {
        judge_number(&c->out, out);
        return;
    }
    if (c->end == CTS_CHILD_EXITED)
        out->end = PLG_REFUSED;
    if (c->end == CTS_CHILD_SIGNALED)
        out->end = PLG_DIED;
    if (c->end == CTS_CHILD_FLOODED)
        words = &none;
    cts_fmt(out->text, sizeof(out->text), "%.*s%s%s", length(words), words->text,
            length(words) ? "; " : "", cts_child_end_text(c, how, sizeof(how)));
}

void plg_proc_run(const struct plg_command *cmd, const char *memory, const char *input, size_t len,
                  struct plg_out *out)
{
    const char *argv[MOST_OPTIONS + 3];
    char said[MOST_SAID], words[CTS_TEXT_MAX - 128];
    unsigned n = 0;
    argv[n++] = cmd->path;
    if (memory)
        argv[n++] = memory;
    for (unsigned i = 0; cmd->options[i] && i < MOST_OPTIONS; i++)
        argv[n++] = cmd->options[i];
    argv[n] = NULL;
    struct cts_child c = {.argv = argv,
                          .in = input,
                          .in_bytes = len,
                          .out = {.text = said, .cap = sizeof(said)},
                          .err = {.text = words, .cap = sizeof(words)}};
    cts_child_run(&c, 1, 1);
    judge(&c, out);
}
