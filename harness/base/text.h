/* Text from anywhere (file names, YAML, what workers and tools say) made fit to be shown.
 *
 * Visible text holds no control characters, none that turn the text around it or hide in it, and
 * nothing that the log of a CI system takes for a command. Bytes that are no part of a UTF-8
 * character are U+FFFD. Text that is visible already stays as it is. A null pointer is "".
 * Freestanding. */
#ifndef CTS_BASE_TEXT_H
#define CTS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character at *text, which moves behind it; 0 at the end. */
uint32_t cts_text_next(const char **text);
/* Control characters, and those that change the direction or the lines of the text around them, or
 * are not seen at all. */
bool cts_text_is_unsafe(uint32_t c);

/* A text, a character at a time. */
struct cts_text_walk {
    const char *at;
    uint32_t before; /* 0: at the beginning */
};
enum { CTS_TEXT_STEP = 12 };
/* The next character, 0 at the end. *hide: it must not be shown as it is. */
uint32_t cts_text_take(struct cts_text_walk *w, bool *hide);
/* The next character as it is shown (\x1b, \u202e; lines and tabs become spaces), terminated;
 * returns its bytes, 0 at the end. */
unsigned cts_text_step(struct cts_text_walk *w, char out[CTS_TEXT_STEP]);
/* The character itself, terminated; returns its bytes. */
unsigned cts_text_put(char out[CTS_TEXT_STEP], uint32_t c);

/* One visible line, cut off between characters where buf ends. Returns the length it would have
 * had. */
size_t cts_text_visible(char *buf, size_t cap, const char *text);

/* In place: bytes that are no character become '?', and so do those of unsafe characters but
 * newline and tab. */
void cts_text_make_safe(char *text);

#endif
