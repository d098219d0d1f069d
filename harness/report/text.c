#include "report/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- formats ---- */

static void add_char(struct cts_buf *b, uint32_t c)
{
    char bytes[CTS_TEXT_STEP];
    cts_buf_add(b, bytes, cts_text_put(bytes, c));
}

void cts_text_line(struct cts_buf *b, const char *text)
{
    struct cts_text_walk w = {.at = text};
    char shown[CTS_TEXT_STEP];
    for (unsigned n; (n = cts_text_step(&w, shown)) != 0;)
        cts_buf_add(b, shown, n);
}

void cts_text_block(struct cts_buf *b, const char *indent, const char *text)
{
    struct cts_text_walk w = {.at = text};
    char shown[CTS_TEXT_STEP];
    bool fresh = true;
    while (w.at && *w.at) {
        bool ends = *w.at == '\n';
        if (fresh && !ends)
            cts_buf_adds(b, indent);
        fresh = ends;
        unsigned n = cts_text_step(&w, shown);
        if (ends)
            cts_buf_addc(b, '\n');
        else
            cts_buf_add(b, shown, n);
    }
    if (!fresh)
        cts_buf_addc(b, '\n');
}

/* ---- folding ---- */

/* Behind the character or the colour at p. */
static const char *behind(const char *p, unsigned *columns)
{
    if (*p == '\x1b')
        return p + strcspn(p, "m") + 1;
    (*columns)++;
    for (p++; ((uint8_t)*p & 0xc0) == 0x80;)
        p++;
    return p;
}

/* Where a line of `width` columns is to end that does not end before: behind a word of it, or
 * behind the first word, if that is too long. Nothing in front of `least` columns is parted. */
static const char *last_word(const char *line, unsigned width, unsigned least)
{
    const char *best = NULL;
    unsigned columns = 0;
    for (const char *p = line; *p; p = behind(p, &columns)) {
        if (best && columns > width)
            return best;
        if (*p == ' ' && columns >= least && columns && p[-1] != ' ')
            best = p;
    }
    return columns > width ? best : NULL;
}

void cts_text_fold(struct cts_buf *b, const char *line, unsigned width, unsigned hang,
                   const char *mark)
{
    unsigned used = 0, room = (unsigned)strlen(mark);
    for (const char *end; width && hang + room < width; used = hang) {
        end = last_word(line, width - used, used ? 0 : hang + 1);
        if (end && room)
            end = last_word(line, width - used - room, used ? 0 : hang + 1);
        if (!end)
            break;
        cts_buf_add(b, line, (size_t)(end - line));
        cts_buf_addf(b, "%s\n%*s", mark, (int)hang, "");
        line = end + strspn(end, " ");
    }
    cts_buf_addf(b, "%s\n", line);
}

void cts_text_document(struct cts_buf *b, const char *text)
{
    for (uint32_t c; (c = cts_text_next(&text)) != 0;) {
        if (!cts_text_is_unsafe(c) || c == '\n' || c == '\t')
            add_char(b, c);
        else
            cts_buf_addf(b, c < 0x80 ? "\\x%02x" : "\\u%04x", c);
    }
}

static void add_json(struct cts_buf *b, uint32_t c, bool hide)
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
    if (!hide)
        add_char(b, c);
    else if (c < 0x10000)
        cts_buf_addf(b, "\\u%04x", c);
    else
        cts_buf_addf(b, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
}

void cts_text_json(struct cts_buf *b, const char *text)
{
    struct cts_text_walk w = {.at = text};
    bool hide;
    cts_buf_addc(b, '"');
    for (uint32_t c; (c = cts_text_take(&w, &hide)) != 0;)
        add_json(b, c, hide);
    cts_buf_addc(b, '"');
}

static void add_xml(struct cts_buf *b, uint32_t c, bool hide)
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
    case ':':
    case '#':
        cts_buf_addf(b, hide ? "&#%u;" : "%c", c);
        return;
    }
    if (!hide)
        add_char(b, c);
    else
        cts_buf_addf(b, c < 0x80 ? "\\x%02x" : "\\u%04x", c);
}

void cts_text_xml(struct cts_buf *b, const char *text)
{
    struct cts_text_walk w = {.at = text};
    bool hide;
    for (uint32_t c; (c = cts_text_take(&w, &hide)) != 0;)
        add_xml(b, c, hide);
}

void cts_text_xml_body(struct cts_buf *b, const char *text)
{
    struct cts_text_walk w = {.at = text};
    bool hide;
    for (uint32_t c; (c = cts_text_take(&w, &hide)) != 0;)
        add_xml(b, c, hide && c != '\n');
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

bool cts_text_time_is_given(void)
{
    time_t when;
    return epoch_from_environment(&when);
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

void cts_text_engine(struct cts_buf *b, const struct cts_engine_info *info)
{
    if (info->state != CTS_EN_RUNS)
        cts_buf_addf(b, "%s: ", cts_engine_state_name(info->state));
    cts_text_line(b, info->state == CTS_EN_RUNS ? info->version : info->reason);
}

bool cts_text_incomplete(struct cts_buf *b, const struct cts_summary *s)
{
    if (s->end == CTS_END_WHOLE)
        return false;
    cts_buf_addf(b, "%s: %llu case%s not run", cts_end_name(s->end), (unsigned long long)s->not_run,
                 s->not_run == 1 ? " was" : "s were");
    return true;
}

bool cts_text_flush(struct cts_buf *b, FILE *out)
{
    bool whole = !b->failed;
    if (whole && b->len)
        whole = fwrite(b->data, 1, b->len, out) == b->len;
    cts_buf_clear(b);
    return whole;
}
