#include <stdint.h>
#include <string.h>

#include "base/fmt.h"
#include "rt_prevail/prevail.h"

/* It ends with 1 both when a program is rejected and when it could not get to the program: which of
 * them it was, its words tell. */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* The first line that begins so; null if there is none. */
static const char *line_that_begins(const char *text, const char *with)
{
    while (text && *text) {
        if (begins(text, with))
            return text;
        const char *end = strchr(text, '\n');
        text = end ? end + 1 : NULL;
    }
    return NULL;
}

/* Trouble with the file, not with the program in it. A section without bytes is no program to it.
 */
static bool is_about_the_file(const char *words, uint32_t slots)
{
    static const char *const about[] = {
        "Can't process ELF file",  "Section not found", "No executable sections",
        "Program not found",       "No symbol section", "Invalid symbol",
        "Unsupported ELF machine", "ELF section",       "Unsupported or invalid ELF",
    };
    if (slots == 0 && begins(words, "No executable sections"))
        return false;
    for (size_t i = 0; i < sizeof(about) / sizeof(about[0]); i++)
        if (begins(words, about[i]))
            return true;
    return strstr(words, " opening ") != NULL;
}

/* Its reason without what it says to everybody. */
static void tell(struct cts_load_res *res, const char *words)
{
    const char *end = strstr(words, "\nHint: ");
    size_t len = end ? (size_t)(end - words) : strlen(words);
    while (len && (words[len - 1] == '\n' || words[len - 1] == ' '))
        len--;
    cts_fmt(res->text, sizeof(res->text), "%.*s", (int)len, words);
}

static void reject(struct cts_load_res *res, const char *words)
{
    res->verdict = CTS_LOAD_REJECTED;
    tell(res, words);
}

static const char *behind_the_line(const char *line)
{
    const char *end = strchr(line, '\n');
    return end ? end + 1 : line + strlen(line);
}

static bool judge(const struct cts_child *run, uint32_t slots, struct cts_load_res *res)
{
    const char *out = run->out.text, *err = run->err.text;
    const char *fail = line_that_begins(out, "FAIL: ");
    const char *decode = line_that_begins(out, "unmarshaling error at ");
    const char *error = line_that_begins(err, "error: ");
    if (run->end != CTS_CHILD_EXITED || run->number > 1)
        return false;
    if (run->number == 0) {
        if (!line_that_begins(out, "PASS: ") || fail || decode || error)
            return false;
        res->verdict = CTS_LOAD_ACCEPTED;
        return true;
    }
    if (fail)
        reject(res, *behind_the_line(fail) ? behind_the_line(fail) : fail);
    else if (decode)
        reject(res, decode);
    else if (error && !is_about_the_file(error + strlen("error: "), slots))
        reject(res, error + strlen("error: "));
    else
        return false;
    return true;
}

void cts_prevail_verdict(const struct cts_child *run, uint32_t slots, struct cts_load_res *res)
{
    char end[128];
    if (judge(run, slots, res))
        return;
    res->verdict = run->end == CTS_CHILD_SIGNALED    ? CTS_LOAD_CRASHED
                   : run->end == CTS_CHILD_TIMED_OUT ? CTS_LOAD_TIMED_OUT
                                                     : CTS_LOAD_ERROR;
    const char *words = run->err.len ? run->err.text : run->out.text;
    cts_fmt(res->text, sizeof(res->text), "prevail: %s%s%.*s",
            cts_child_end_text(run, end, sizeof(end)), words[0] ? ": " : "",
            (int)strcspn(words, "\n"), words);
}
