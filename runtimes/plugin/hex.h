/* Bytes as the plugin protocol writes them: two hexadecimal digits each, and a space between. */
#ifndef CTS_PLUGIN_HEX_H
#define CTS_PLUGIN_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters that plg_hex_put() writes for n bytes, without a terminator. */
static inline size_t plg_hex_len(size_t n)
{
    return n ? 3 * n - 1 : 0;
}
/* Writes plg_hex_len(n) characters; returns their end. */
char *plg_hex_put(char *out, const uint8_t *bytes, size_t n);

/* A number as a plugin prints it: hexadecimal, with or without 0x, white space around it. */
bool plg_hex_number(const char *text, uint64_t *value);

#endif
