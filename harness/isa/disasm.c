/* Bytes to text, and the text of bytes that no template has. */
#include "base/digit.h"
#include "base/fmt.h"
#include "isa/text_int.h"

static const char RAW[] = ".insn";

static void put_raw(const uint8_t *bytes, unsigned slots, const char *why, char *text, size_t cap)
{
    size_t len = cts_fmt(text, cap, "%s 0x", RAW);

    for (size_t i = 0; i < (size_t)slots * CTS_SLOT_BYTES && len < cap; i++)
        len += cts_fmt(text + len, cap - len, "%02x", bytes[i]);
    if (len < cap)
        cts_fmt(text + len, cap - len, " # %s", why);
}

unsigned cts_text_disasm(const uint8_t *bytes, size_t slots, bool be, enum cts_syntax syntax,
                         char *text, size_t cap, bool *legal)
{
    struct cts_insn in;
    enum cts_insn_id row;
    struct cts_err err;

    cts_err_clear(&err);
    int used = cts_decode(bytes, slots, be, &in, &row, &err);
    if (legal)
        *legal = used > 0;
    if (used < 0)
        put_raw(bytes, 1, err.msg, text, cap);
    else if (!*cts_syntax_template(syntax, row))
        put_raw(bytes, (unsigned)used, cts_insn_info(row)->id, text, cap);
    else
        cts_text_print(row, &in, syntax, text, cap);
    return used < 0 ? 1 : (unsigned)used;
}

int cts_disasm(const uint8_t *bytes, size_t slots, bool be, char *text, size_t cap)
{
    if (cap)
        text[0] = '\0';
    if (slots == 0)
        return 1;
    return (int)cts_text_disasm(bytes, slots, be, CTS_SYNTAX_LLVM, text, cap, NULL);
}

/* --- and back ------------------------------------------------------------------------------ */

static const char *behind_space(const char *p)
{
    while (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')
        p++;
    return p;
}

/* The value of two hexadecimal digits; negative if they are not there. */
static int byte_at(const char *p)
{
    unsigned high = cts_digit(p[0]), low = high < 16 ? cts_digit(p[1]) : 16;

    return low < 16 ? (int)(high << 4 | low) : -1;
}

int cts_text_raw(const char *line, uint8_t bytes[16], struct cts_err *err)
{
    const char *p = behind_space(line);
    unsigned i = 0;

    while (i < sizeof(RAW) - 1 && p[i] == RAW[i])
        i++;
    if (i < sizeof(RAW) - 1 || (p[i] != ' ' && p[i] != '\t'))
        return 0;
    p = behind_space(p + i);
    i = 0;
    if (p[0] == '0' && p[1] == 'x') {
        p += 2;
        for (int value; i < 16 && (value = byte_at(p)) >= 0; i++, p += 2)
            bytes[i] = (uint8_t)value;
    }
    if (i % CTS_SLOT_BYTES == 0 && i && cts_text_is_blank(p))
        return (int)(i / CTS_SLOT_BYTES);
    return cts_err_at(err, CTS_E_INVAL, "", 0, (unsigned)(p - line) + 1,
                      "%s is followed by the 8 or 16 bytes of an instruction, as 0x and their "
                      "hexadecimal digits",
                      RAW);
}
