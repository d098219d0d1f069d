#include "cli/words.h"

#include <stdbool.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* Copies what stands between quotes, from behind the first to behind the second; null: there is no
 * second. */
static const char *copy_quoted(const char *from, char quote, char **to)
{
    for (; *from && *from != quote; from++) {
        if (quote == '"' && from[0] == '\\' && from[1] && strchr("\"\\$`", from[1]))
            from++;
        *(*to)++ = *from;
    }
    return *from ? from + 1 : NULL;
}

/* One word, from its first character to behind its last; null: a quote without its end. */
static const char *copy_word(const char *from, char **to)
{
    while (from && *from && !is_blank(*from)) {
        if (*from == '\'' || *from == '"') {
            from = copy_quoted(from + 1, *from, to);
            continue;
        }
        if (from[0] == '\\' && from[1])
            from++;
        *(*to)++ = *from++;
    }
    *(*to)++ = '\0';
    return from;
}

int cts_words(const char *text, struct cts_arena *arena, const char ***words, struct cts_err *err)
{
    size_t len = strlen(text), n = 0;
    const char **list = cts_arena_take_array(arena, len / 2 + 2, sizeof(*list));
    char *to = cts_arena_take(arena, len + 2);
    *words = NULL;
    if (!list || !to)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (const char *at = text; *at;) {
        if (is_blank(*at)) {
            at++;
            continue;
        }
        list[n++] = to;
        at = copy_word(at, &to);
        if (!at)
            return cts_err_set(err, CTS_E_SYNTAX, "unterminated quote: %s", text);
    }
    list[n] = NULL;
    *words = list;
    return 0;
}

const char *cts_quoted(const char *text, struct cts_arena *arena)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=:,./@%";
    if (*text && text[strspn(text, plain)] == '\0')
        return cts_arena_strdup(arena, text);
    char *copy = cts_arena_take(arena, 4 * strlen(text) + 3), *to = copy;
    if (!copy)
        return NULL;
    *to++ = '\'';
    for (; *text; text++) {
        if (*text == '\'') {
            memcpy(to, "'\\''", 4);
            to += 4;
        } else {
            *to++ = *text;
        }
    }
    *to++ = '\'';
    *to = '\0';
    return copy;
}
