#include "core/session_impl.h"

#include <string.h>

/* Bytes of the UTF-8 sequence that begins here, 0 if there is none. Terminated text: a zero is no
 * continuation byte. */
static unsigned utf8_length(const unsigned char *p)
{
    static const struct {
        unsigned char first, last, low, high;
        unsigned length;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (p[0] < forms[i].first || p[0] > forms[i].last)
            continue;
        if (p[1] < forms[i].low || p[1] > forms[i].high)
            return 0;
        for (unsigned j = 2; j < forms[i].length; j++)
            if ((p[j] & 0xc0) != 0x80)
                return 0;
        return forms[i].length;
    }
    return 0;
}

static bool is_c1_control(const unsigned char *p)
{
    return p[0] == 0xc2 && p[1] < 0xa0;
}

void cts_session_clean_text(char *text)
{
    unsigned char *p = (unsigned char *)text;
    while (*p) {
        bool plain = (*p >= 0x20 && *p < 0x7f) || *p == '\n' || *p == '\t';
        unsigned n = plain ? 1 : utf8_length(p);
        if (n == 0 || (n > 1 && is_c1_control(p))) {
            *p = '?';
            n = 1;
        }
        p += n;
    }
}
