#include "base/fmt.h"
#include "isa/text_int.h"

static const char *const HOLES[CTS_HOLE_COUNT] = {
    [CTS_HOLE_DST] = "{dst}",           [CTS_HOLE_DST_W] = "{dst.w}", [CTS_HOLE_SRC] = "{src}",
    [CTS_HOLE_SRC_W] = "{src.w}",       [CTS_HOLE_IMM] = "{imm}",     [CTS_HOLE_IMM64] = "{imm64}",
    [CTS_HOLE_NEXT_IMM] = "{next_imm}", [CTS_HOLE_OFF] = "{off}",     [CTS_HOLE_DISP] = "{disp}",
    [CTS_HOLE_REL] = "{rel}",
};

static const char *const SYNTAXES[CTS_SYNTAX_COUNT] = {"llvm", "ubpf", "gas"};

/* --- templates ----------------------------------------------------------------------------- */

bool cts_text_same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

const char *cts_syntax_name(enum cts_syntax syntax)
{
    return (unsigned)syntax < CTS_SYNTAX_COUNT ? SYNTAXES[syntax] : "none";
}

enum cts_syntax cts_syntax_find(const char *name)
{
    unsigned s = 0;

    while (s < CTS_SYNTAX_COUNT && !cts_text_same(SYNTAXES[s], name))
        s++;
    return (enum cts_syntax)s;
}

const char *cts_syntax_template(enum cts_syntax syntax, enum cts_insn_id row)
{
    const struct cts_insn_info *info = cts_insn_info(row);

    if (!info || (unsigned)syntax >= CTS_SYNTAX_COUNT)
        return "";
    const char *const templates[CTS_SYNTAX_COUNT] = {
        [CTS_SYNTAX_LLVM] = info->syntax,
        [CTS_SYNTAX_UBPF] = info->ubpf,
        [CTS_SYNTAX_GAS] = info->gas,
    };
    return templates[syntax];
}

/* The length of `word` if `t` starts with it, else 0. */
static size_t starts_with(const char *t, const char *word)
{
    size_t i = 0;

    while (word[i] && t[i] == word[i])
        i++;
    return word[i] ? 0 : i;
}

enum cts_hole cts_hole_at(const char *t, size_t *len)
{
    unsigned h = 0;

    while (h < CTS_HOLE_COUNT && (*len = starts_with(t, HOLES[h])) == 0)
        h++;
    return (enum cts_hole)h;
}

static bool shows(const char *t, unsigned holes)
{
    for (; *t; t++) {
        size_t len;
        if (*t == '{' && holes >> cts_hole_at(t, &len) & 1)
            return true;
    }
    return false;
}

bool cts_template_shows_off(const char *t)
{
    return shows(t, 1u << CTS_HOLE_OFF | 1u << CTS_HOLE_DISP);
}

bool cts_template_shows_imm(const char *t)
{
    return shows(t, 1u << CTS_HOLE_IMM | 1u << CTS_HOLE_IMM64 | 1u << CTS_HOLE_REL);
}

bool cts_text_needs_id(enum cts_insn_id row, enum cts_syntax syntax)
{
    const char *own = cts_syntax_template(syntax, row);

    if (cts_insn_info(row)->field[CTS_F_SRC].value == 0)
        return false;
    for (unsigned i = 0; i < CTS_INSN_COUNT; i++)
        if (i != (unsigned)row &&
            cts_text_same(own, cts_syntax_template(syntax, (enum cts_insn_id)i)))
            return true;
    return false;
}

/* --- printing ------------------------------------------------------------------------------ */

struct text {
    char *buf;
    size_t cap, len;
};

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

static void put_number(struct text *t, const char *prefix, unsigned long long v, bool hex)
{
    char digits[24];

    cts_fmt(digits, sizeof(digits), hex ? "0x%llx" : "%llu", v);
    put_text(t, prefix);
    put_text(t, digits);
}

/* With a minus, or with what stands before numbers that are not negative. */
static void put_signed(struct text *t, const char *minus, const char *plus, long long v)
{
    put_number(t, v < 0 ? minus : plus, v < 0 ? 0 - (unsigned long long)v : (unsigned long long)v,
               false);
}

static uint64_t imm64(const struct cts_insn *in)
{
    return (uint64_t)(uint32_t)in->next_imm << 32 | (uint32_t)in->imm;
}

static void put_hole(struct text *t, enum cts_hole hole, const struct cts_insn *in)
{
    switch (hole) {
    case CTS_HOLE_DST:
        put_number(t, "r", in->dst, false);
        return;
    case CTS_HOLE_DST_W:
        put_number(t, "w", in->dst, false);
        return;
    case CTS_HOLE_SRC:
        put_number(t, "r", in->src, false);
        return;
    case CTS_HOLE_SRC_W:
        put_number(t, "w", in->src, false);
        return;
    case CTS_HOLE_IMM:
        put_signed(t, "-", "", in->imm);
        return;
    case CTS_HOLE_IMM64:
        put_number(t, "", imm64(in), true);
        return;
    case CTS_HOLE_NEXT_IMM:
        put_signed(t, "-", "", in->next_imm);
        return;
    case CTS_HOLE_OFF:
        put_signed(t, "-", "+", in->off);
        return;
    case CTS_HOLE_DISP:
        put_signed(t, "- ", "+ ", in->off);
        return;
    case CTS_HOLE_REL:
        put_signed(t, "-", "+", in->imm);
        return;
    case CTS_HOLE_COUNT:
        return;
    }
}

static void put_template(struct text *t, const char *p, const struct cts_insn *in)
{
    while (*p) {
        size_t len = 0;
        enum cts_hole hole = *p == '{' ? cts_hole_at(p, &len) : CTS_HOLE_COUNT;
        if (hole == CTS_HOLE_COUNT)
            put_char(t, *p++);
        else
            put_hole(t, hole, in);
        p += len;
    }
}

static void put_unsaid(struct text *t, enum cts_insn_id row, const struct cts_insn *in,
                       enum cts_syntax syntax)
{
    const struct cts_insn_info *info = cts_insn_info(row);
    const char *own = cts_syntax_template(syntax, row);

    if (cts_text_needs_id(row, syntax)) {
        put_text(t, " # ");
        put_text(t, info->id);
    }
    if (info->field[CTS_F_OFF].kind != CTS_FK_FIXED && in->off != 0 &&
        !cts_template_shows_off(own)) {
        put_text(t, " # off ");
        put_signed(t, "-", "", in->off);
    }
    if (info->field[CTS_F_IMM].kind != CTS_FK_FIXED && in->imm != 0 &&
        !cts_template_shows_imm(own)) {
        put_text(t, " # imm ");
        put_signed(t, "-", "", in->imm);
    }
}

size_t cts_text_print(enum cts_insn_id row, const struct cts_insn *in, enum cts_syntax syntax,
                      char *text, size_t cap)
{
    struct text t = {text, cap, 0};

    if (cap)
        text[0] = '\0';
    if (!cts_insn_info(row))
        return 0;
    put_template(&t, cts_syntax_template(syntax, row), in);
    put_unsaid(&t, row, in, syntax);
    return t.len;
}
