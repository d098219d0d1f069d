#include "report/text.h"

#include <stdlib.h>
#include <time.h>

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

static void add_char(struct cts_buf *b, uint32_t c)
{
    if (c < 0x80) {
        cts_buf_addc(b, (char)c);
        return;
    }
    if (c >= 0x10000) {
        cts_buf_addc(b, (char)(0xf0 | c >> 18));
        cts_buf_addc(b, (char)(0x80 | (c >> 12 & 0x3f)));
    } else if (c >= 0x800) {
        cts_buf_addc(b, (char)(0xe0 | c >> 12));
    } else {
        cts_buf_addc(b, (char)(0xc0 | c >> 6));
        cts_buf_addc(b, (char)(0x80 | (c & 0x3f)));
        return;
    }
    cts_buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
    cts_buf_addc(b, (char)(0x80 | (c & 0x3f)));
}

/* Control characters, what no text holds, and what changes the direction or the lines of the text
 * around it. */
static bool is_unsafe(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0, 0x1f},        {0x7f, 0x9f},     {0x200e, 0x200f}, {0x2028, 0x202e},
                  {0x2066, 0x2069}, {0xfeff, 0xfeff}, {0xfffe, 0xffff}};
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

static void add_visible(struct cts_buf *b, uint32_t c)
{
    if (!is_unsafe(c))
        add_char(b, c);
    else if (c == '\n' || c == '\t')
        cts_buf_addc(b, ' ');
    else
        cts_buf_addf(b, c < 0x80 ? "\\x%02x" : "\\u%04x", c);
}

/* ---- formats ---- */

void cts_text_line(struct cts_buf *b, const char *text)
{
    for (uint32_t c; (c = cts_text_next(&text)) != 0;)
        add_visible(b, c);
}

void cts_text_block(struct cts_buf *b, const char *indent, const char *text)
{
    bool fresh = true;
    for (uint32_t c; (c = cts_text_next(&text)) != 0;) {
        if (fresh && c != '\n')
            cts_buf_adds(b, indent);
        fresh = c == '\n';
        if (fresh)
            cts_buf_addc(b, '\n');
        else
            add_visible(b, c);
    }
    if (!fresh)
        cts_buf_addc(b, '\n');
}

static void add_json(struct cts_buf *b, uint32_t c)
{
    switch (c) {
    case '"':
    case '\\':
        cts_buf_addf(b, "\\%c", (int)c);
        return;
    case '\n':
        cts_buf_adds(b, "\\n");
        return;
    case '\t':
        cts_buf_adds(b, "\\t");
        return;
    }
    if (is_unsafe(c))
        cts_buf_addf(b, "\\u%04x", c);
    else
        add_char(b, c);
}

void cts_text_json(struct cts_buf *b, const char *text)
{
    cts_buf_addc(b, '"');
    for (uint32_t c; (c = cts_text_next(&text)) != 0;)
        add_json(b, c);
    cts_buf_addc(b, '"');
}

static void add_xml(struct cts_buf *b, uint32_t c)
{
    switch (c) {
    case '&':
        cts_buf_adds(b, "&amp;");
        return;
    case '<':
        cts_buf_adds(b, "&lt;");
        return;
    case '>':
        cts_buf_adds(b, "&gt;");
        return;
    case '"':
        cts_buf_adds(b, "&quot;");
        return;
    case '\n':
    case '\t':
        cts_buf_addf(b, "&#%u;", c);
        return;
    }
    add_visible(b, c);
}

void cts_text_xml(struct cts_buf *b, const char *text)
{
    for (uint32_t c; (c = cts_text_next(&text)) != 0;)
        add_xml(b, c);
}

void cts_text_xml_body(struct cts_buf *b, const char *text)
{
    for (uint32_t c; (c = cts_text_next(&text)) != 0;) {
        if (c == '\n')
            cts_buf_addc(b, '\n');
        else
            add_xml(b, c);
    }
}

/* ---- numbers ---- */

/* The moment SOURCE_DATE_EPOCH names; false if it names none. */
static bool epoch_from_environment(time_t *out)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    char *end = NULL;
    if (!text || text[0] < '0' || text[0] > '9')
        return false;
    unsigned long long v = strtoull(text, &end, 10);
    if (*end || v > 253402300799ull) /* the end of the year 9999 */
        return false;
    *out = (time_t)v;
    return true;
}

const char *cts_text_time(char buf[CTS_TEXT_TIME_CAP])
{
    time_t now;
    struct tm tm;
    if (!epoch_from_environment(&now))
        now = time(NULL);
    if (!gmtime_r(&now, &tm) || !strftime(buf, CTS_TEXT_TIME_CAP, "%Y-%m-%dT%H:%M:%SZ", &tm))
        buf[0] = '\0';
    return buf;
}

void cts_text_seconds(struct cts_buf *b, uint64_t ns, unsigned digits)
{
    uint64_t unit = 1000000000, fraction = ns % unit;
    cts_buf_addf(b, "%llu.", (unsigned long long)(ns / unit));
    for (unsigned i = 0; i < digits && i < 9; i++) {
        unit /= 10;
        cts_buf_addc(b, (char)('0' + fraction / unit));
        fraction %= unit;
    }
}

void cts_text_count(struct cts_buf *b, uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            cts_buf_addc(b, ',');
        cts_buf_addc(b, digits[i]);
    }
}

bool cts_text_flush(struct cts_buf *b, FILE *out)
{
    bool whole = !b->failed;
    if (whole && b->len)
        whole = fwrite(b->data, 1, b->len, out) == b->len;
    cts_buf_clear(b);
    return whole;
}
