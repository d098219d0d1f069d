/* Digits of numbers in text, up to base 16. Freestanding. */
#ifndef CTS_BASE_DIGIT_H
#define CTS_BASE_DIGIT_H

/* The value of a digit, in either case; 16 if it is none. */
static inline unsigned cts_digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
}

#endif
