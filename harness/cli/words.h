/* A command line in one string, as a shell reads it. */
#ifndef CTS_CLI_WORDS_H
#define CTS_CLI_WORDS_H

#include "base/err.h"
#include "host/arena.h"

/* Words are separated by blanks; 'single quotes' keep everything, "double quotes" keep everything
 * but \" \\ \$ and \`, a backslash keeps the next character. Nothing is expanded. *words is ended
 * by null and the arena's, like all it points to. CTS_E_SYNTAX: a quote without its end. */
int cts_words(const char *text, struct cts_arena *arena, const char ***words, struct cts_err *err);

/* The text as one word for a shell: in quotes if it needs them. */
const char *cts_quoted(const char *text, struct cts_arena *arena);

#endif
