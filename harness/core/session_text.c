#include "core/session_impl.h"

#include "base/text.h"

void cts_session_clean_text(char *text)
{
    const char *next = text;
    for (char *p = text; *p; p = text + (next - text)) {
        uint32_t c = cts_text_next(&next);
        bool broken = next == p + 1 && (unsigned char)*p >= 0x80;
        if (broken || (cts_text_is_unsafe(c) && c != '\n' && c != '\t'))
            while (p < next)
                *p++ = '?';
    }
}
