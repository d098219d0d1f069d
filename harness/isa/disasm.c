#include "isa/isa.h"

#include "base/fmt.h"

struct text {
    char *buf;
    size_t cap, len;
};

enum style { ST_R, ST_W, ST_DECIMAL, ST_HEX, ST_SIGNED, ST_SPACED };

static void put_value(struct text *t, enum style style, long long v)
{
    size_t at = t->len < t->cap ? t->len : t->cap;
    char *out = t->cap ? t->buf + at : NULL;
    size_t left = t->cap - at;
    switch (style) {
    case ST_R:
        t->len += cts_fmt(out, left, "r%lld", v);
        break;
    case ST_W:
        t->len += cts_fmt(out, left, "w%lld", v);
        break;
    case ST_DECIMAL:
        t->len += cts_fmt(out, left, "%lld", v);
        break;
    case ST_HEX:
        t->len += cts_fmt(out, left, "0x%llx", (unsigned long long)v);
        break;
    case ST_SIGNED:
        t->len += cts_fmt(out, left, "%s%lld", v < 0 ? "" : "+", v);
        break;
    case ST_SPACED:
        t->len += cts_fmt(out, left, "%s %lld", v < 0 ? "-" : "+", v < 0 ? -v : v);
        break;
    }
}

/* The length of `word` if `p` starts with it, else 0. */
static size_t starts_with(const char *p, const char *word)
{
    size_t i = 0;
    while (word[i] && p[i] == word[i])
        i++;
    return word[i] ? 0 : i;
}

static uint64_t imm64(const struct cts_insn *in)
{
    return (uint64_t)(uint32_t)in->next_imm << 32 | (uint32_t)in->imm;
}

/* Prints the placeholder at p ("{dst.w}...") and returns its length; 0 if it is none. */
static size_t put_placeholder(struct text *t, const char *p, const struct cts_insn *in)
{
    const struct {
        const char *name;
        enum style style;
        long long value;
    } known[] = {
        {"{dst}", ST_R, in->dst},
        {"{dst.w}", ST_W, in->dst},
        {"{src}", ST_R, in->src},
        {"{src.w}", ST_W, in->src},
        {"{imm}", ST_DECIMAL, in->imm},
        {"{imm64}", ST_HEX, (long long)imm64(in)},
        {"{next_imm}", ST_DECIMAL, in->next_imm},
        {"{off}", ST_SIGNED, in->off},
        {"{disp}", ST_SPACED, in->off},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t len = starts_with(p, known[i].name);
        if (len == 0)
            continue;
        put_value(t, known[i].style, known[i].value);
        return len;
    }
    return 0;
}

static void put_char(struct text *t, char c)
{
    if (t->len + 1 < t->cap)
        t->buf[t->len] = c;
    t->len++;
    if (t->cap)
        t->buf[t->len < t->cap ? t->len : t->cap - 1] = '\0';
}

static void put_text(struct text *t, const char *p)
{
    while (*p)
        put_char(t, *p++);
}

static bool is_shown(const char *syntax, const char *placeholder)
{
    for (; *syntax; syntax++)
        if (starts_with(syntax, placeholder))
            return true;
    return false;
}

/* What LLVM's syntax has no words for stands in a comment: the kind of a call, the immediate of an
 * indirect packet load. */
static void put_unsaid(struct text *t, const struct cts_row_info *info, const struct cts_insn *in)
{
    if ((info->flags & CTS_RF_CALL) && info->field[CTS_F_SRC].value != 0) {
        put_text(t, " # ");
        put_text(t, info->id);
    }
    if (info->field[CTS_F_IMM].kind == CTS_FK_ANY && in->imm != 0 &&
        !is_shown(info->syntax, "{imm")) {
        put_text(t, " # imm ");
        put_value(t, ST_DECIMAL, in->imm);
    }
}

static void put_syntax(struct text *t, const struct cts_row_info *info, const struct cts_insn *in)
{
    for (const char *p = info->syntax; *p;) {
        size_t len = *p == '{' ? put_placeholder(t, p, in) : 0;
        if (len == 0) {
            put_char(t, *p);
            len = 1;
        }
        p += len;
    }
}

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
    struct text t = {text, cap, 0};
    put_syntax(&t, cts_row_info(row), &in);
    put_unsaid(&t, cts_row_info(row), &in);
    return used;
}
