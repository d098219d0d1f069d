#include <stdlib.h>
#include <string.h>

#include "lx.h"

enum { LINES_KEPT = 5 };

struct line {
    const char *text;
    size_t len;
};

/* What the verifier adds about its own work, or about the states it compared, is no reason. */
static bool is_statistics(const struct line *l)
{
    static const char *const heads[] = {"processed ", "verification time ", "stack depth ",
                                        "cur state:", "old state:"};

    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        size_t n = strlen(heads[i]);

        if (l->len >= n && memcmp(l->text, heads[i], n) == 0)
            return true;
    }
    return false;
}

static void append(char text[CTS_TEXT_MAX], size_t *at, const struct line *l)
{
    size_t room, len = l->len;

    if (*at > 0 && *at < CTS_TEXT_MAX - 1)
        text[(*at)++] = '\n';
    room = CTS_TEXT_MAX - 1 - *at;
    if (len > room)
        len = room;
    memcpy(text + *at, l->text, len);
    *at += len;
    text[*at] = 0;
}

void cts_lx_log_text(const char *log, size_t len, char text[CTS_TEXT_MAX])
{
    struct line kept[LINES_KEPT]; /* a ring */
    size_t seen = 0, at = 0, out = 0;

    text[0] = 0;
    len = strnlen(log, len);
    while (at < len) {
        const char *end = memchr(log + at, '\n', len - at);
        struct line l = {log + at, end ? (size_t)(end - (log + at)) : len - at};

        at += l.len + 1;
        if (l.len > 0 && !is_statistics(&l))
            kept[seen++ % LINES_KEPT] = l;
    }
    if (seen == 0) /* the verifier had nothing against it: what refused it came later */
        return;
    append(text, &out, &kept[(seen - 1) % LINES_KEPT]);
    for (size_t i = seen > LINES_KEPT ? seen - LINES_KEPT : 0; i + 1 < seen; i++)
        append(text, &out, &kept[i % LINES_KEPT]);
}

unsigned long cts_lx_log_walked(const char *log, size_t len)
{
    static const char head[] = "processed ";
    size_t at = 0;

    len = strnlen(log, len);
    while (at < len) {
        const char *end = memchr(log + at, '\n', len - at);

        if (end && (size_t)(end - (log + at)) > sizeof(head) &&
            memcmp(log + at, head, sizeof(head) - 1) == 0)
            return strtoul(log + at + sizeof(head) - 1, NULL, 10);
        at = end ? (size_t)(end - log) + 1 : len;
    }
    return 0;
}
