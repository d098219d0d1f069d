#include "hex.h"

char *plg_hex_put(char *out, const uint8_t *bytes, size_t n)
{
    static const char digit[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        if (i)
            *out++ = ' ';
        *out++ = digit[bytes[i] >> 4];
        *out++ = digit[bytes[i] & 15];
    }
    return out;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool plg_hex_number(const char *text, uint64_t *value)
{
    unsigned digits = 0;
    *value = 0;
    while (is_space(*text))
        text++;
    if (text[0] == '0' && (text[1] | 0x20) == 'x')
        text += 2;
    for (; digit_of(*text) >= 0; text++, digits++)
        *value = *value << 4 | (uint64_t)digit_of(*text);
    while (is_space(*text))
        text++;
    return digits >= 1 && digits <= 16 && *text == '\0';
}
