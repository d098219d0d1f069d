#include "base/fmt.h"
#include "isa/text.h"

static int put_illegal(const uint8_t *bytes, const char *why, char *text, size_t cap)
{
    size_t len = cts_fmt(text, cap, ".insn 0x");
    for (size_t i = 0; i < CTS_SLOT_BYTES && len < cap; i++)
        len += cts_fmt(text + len, cap - len, "%02x", bytes[i]);
    if (len < cap)
        cts_fmt(text + len, cap - len, " (%s)", why);
    return 1;
}

int cts_disasm(const uint8_t *bytes, size_t slots, bool be, char *text, size_t cap)
{
    struct cts_insn in;
    enum cts_row_id row;
    struct cts_err err;
    if (cap)
        text[0] = '\0';
    if (slots == 0)
        return 1;
    cts_err_clear(&err);
    int used = cts_decode(bytes, slots, be, &in, &row, &err);
    if (used < 0)
        return put_illegal(bytes, err.msg, text, cap);
    cts_text_print(row, &in, CTS_SYNTAX_LLVM, text, cap);
    return used;
}
