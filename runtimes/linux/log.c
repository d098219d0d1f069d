#include <string.h>

#include "lx.h"

enum { LINES_KEPT = 5 };

struct line {
    const char *text;
    size_t len;
};

static bool is_statistics(const struct line *l)
{
    static const char head[] = "processed ";

    return l->len >= sizeof(head) - 1 && memcmp(l->text, head, sizeof(head) - 1) == 0;
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
        if (is_statistics(&l))
            break;
        if (l.len > 0)
            kept[seen++ % LINES_KEPT] = l;
    }
    if (seen == 0)
        return;
    append(text, &out, &kept[(seen - 1) % LINES_KEPT]);
    for (size_t i = seen > LINES_KEPT ? seen - LINES_KEPT : 0; i + 1 < seen; i++)
        append(text, &out, &kept[i % LINES_KEPT]);
}
