#include "base/text.h"

enum { REPLACEMENT = 0xfffd };

/* ---- UTF-8 ---- */

/* How many bytes the character that begins with `lead` has; 0 if none begins so. */
static unsigned length_of(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

static bool is_character(uint32_t c, unsigned len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    return c >= least[len] && c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff);
}

uint32_t cts_text_next(const char **text)
{
    const char *p = *text;
    uint8_t lead = p ? (uint8_t)*p : 0;
    unsigned len = length_of(lead);
    if (!lead)
        return 0;
    *text = p + 1;
    if (len <= 1)
        return len ? lead : REPLACEMENT;
    uint32_t c = lead & (0x7fu >> len);
    for (unsigned i = 1; i < len; i++) {
        if (((uint8_t)p[i] & 0xc0) != 0x80)
            return REPLACEMENT;
        c = c << 6 | ((uint8_t)p[i] & 0x3f);
    }
    if (!is_character(c, len))
        return REPLACEMENT;
    *text = p + len;
    return c;
}

unsigned cts_text_put(char out[CTS_TEXT_STEP], uint32_t c)
{
    unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(lead[more] | c >> (6 * more));
    for (unsigned i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (c >> (6 * (more - i)) & 0x3f));
    out[more + 1] = '\0';
    return more + 1;
}

/* ---- what is shown ---- */

bool cts_text_is_unsafe(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0, 0x1f},        {0x7f, 0x9f},     {0xad, 0xad},      {0x61c, 0x61c},
                  {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},  {0xfeff, 0xfeff},
                  {0xfff9, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0xe007f}};
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

static bool is_blank(uint32_t c)
{
    return c == 0 || c == ' ' || c == '\t' || c == '\n';
}

static bool begins(const char *text, const char *with)
{
    while (*with)
        if (*text++ != *with++)
            return false;
    return true;
}

/* CI systems take commands out of what a job prints: "::error::" at the beginning of a line,
 * whatever is in front of it that is blank, and "##[error]" or "##vso[" anywhere. A line may come
 * to begin at any word. */
static bool is_command(uint32_t before, uint32_t c, const char *rest)
{
    if (c == ':')
        return is_blank(before) && *rest == ':';
    return c == '#' && before == '#' && (begins(rest, "[") || begins(rest, "vso["));
}

uint32_t cts_text_take(struct cts_text_walk *w, bool *hide)
{
    uint32_t before = w->before, c = cts_text_next(&w->at);
    w->before = c;
    *hide = c != 0 && (cts_text_is_unsafe(c) || is_command(before, c, w->at));
    return c;
}

/* \x1b or \u202e. */
static unsigned put_escape(char out[CTS_TEXT_STEP], uint32_t c)
{
    unsigned digits = c < 0x80 ? 2 : 4, n = 0;
    while (c >> (4 * digits))
        digits++;
    out[n++] = '\\';
    out[n++] = c < 0x80 ? 'x' : 'u';
    while (digits--)
        out[n++] = "0123456789abcdef"[c >> (4 * digits) & 0xf];
    out[n] = '\0';
    return n;
}

unsigned cts_text_step(struct cts_text_walk *w, char out[CTS_TEXT_STEP])
{
    bool hide;
    uint32_t c = cts_text_take(w, &hide);
    out[0] = '\0';
    if (c == 0)
        return 0;
    if (c == '\n' || c == '\t')
        return cts_text_put(out, ' ');
    if (!hide)
        return cts_text_put(out, c);
    return put_escape(out, c);
}

size_t cts_text_visible(char *buf, size_t cap, const char *text)
{
    struct cts_text_walk w = {.at = text};
    char shown[CTS_TEXT_STEP];
    size_t len = 0, at = 0;
    for (unsigned n; (n = cts_text_step(&w, shown)) != 0; len += n)
        if (len == at && at + n < cap)
            for (unsigned i = 0; i < n; i++)
                buf[at++] = shown[i];
    if (cap)
        buf[at] = '\0';
    return len;
}

void cts_text_make_safe(char *text)
{
    const char *next = text;
    for (char *p = text; *p; p = text + (next - text)) {
        uint32_t c = cts_text_next(&next);
        bool broken = next == p + 1 && (uint8_t)*p >= 0x80;
        if (broken || (cts_text_is_unsafe(c) && c != '\n' && c != '\t'))
            while (p < next)
                *p++ = '?';
    }
}
