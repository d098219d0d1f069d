#include <string.h>

#include "conf/prevail_int.h"

int cts_pv_compare(struct cts_pv_num a, struct cts_pv_num b)
{
    if (a.below != b.below)
        return a.below ? -1 : 1;
    return a.v < b.v ? -1 : a.v > b.v;
}

static bool read_number(const char *text, size_t len, struct cts_pv_num *n)
{
    bool negative;
    uint64_t v;
    if (cts_conf_number(text, len, &negative, &v) || (negative && v > UINT64_C(1) << 63))
        return false;
    *n = (struct cts_pv_num){negative && v, negative ? 0 - v : v};
    return true;
}

/* r3.svalue, r3.uvalue, or a number */
static bool read_side(const char *text, size_t len, struct cts_pv_side *s)
{
    static const char before[] = "svalue";
    *s = (struct cts_pv_side){.reg = -1};
    if (len == 9 && text[0] == 'r' && text[1] >= '0' && text[1] <= '9' && text[2] == '.' &&
        (text[3] == 's' || text[3] == 'u') && memcmp(text + 4, before + 1, 5) == 0) {
        s->reg = text[1] - '0';
        s->is_signed = text[3] == 's';
        return true;
    }
    return read_number(text, len, &s->num);
}

/* [lo, hi] */
static bool read_range(const char *text, size_t len, struct cts_pv_fact *f)
{
    const char *comma = memchr(text, ',', len);
    if (len < 2 || text[0] != '[' || text[len - 1] != ']' || !comma)
        return false;
    const char *hi = comma + 1, *end = text + len - 1;
    while (hi < end && *hi == ' ')
        hi++;
    return read_number(text + 1, (size_t)(comma - text - 1), &f->lo) &&
           read_number(hi, (size_t)(end - hi), &f->hi);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* What holds of any number, and of the frame pointer in any program. */
static bool says_nothing(const char *text)
{
    return (text[0] == 'r' && text[1] >= '0' && text[1] <= '9' &&
            begins(text + 2, ".type=number") && text[2 + strlen(".type=number")] == '\0') ||
           strcmp(text, "r10.type=stack") == 0 || strcmp(text, "r10.stack_offset=512") == 0;
}

struct cts_pv_fact cts_pv_fact(const char *text)
{
    struct cts_pv_fact f = {.kind = CTS_PV_OTHER};
    const char *eq = strchr(text, '=');
    size_t len = strlen(text);
    if (says_nothing(text)) {
        f.kind = CTS_PV_TYPE;
        f.a.reg = text[1] == '1' && text[2] == '0' ? -1 : text[1] - '0';
        return f;
    }
    if (!eq || !read_side(text, (size_t)(eq - text), &f.a) || f.a.reg < 0)
        return f;
    size_t rest = len - (size_t)(eq + 1 - text);
    if (read_range(eq + 1, rest, &f)) {
        f.kind = CTS_PV_RANGE;
    } else if (read_side(eq + 1, rest, &f.b)) {
        f.kind = f.b.reg < 0 ? CTS_PV_RANGE : CTS_PV_SAME;
        f.lo = f.hi = f.b.num;
    }
    return f;
}

static struct cts_pv_num value_of(const struct cts_pv_side *s, const uint64_t *regs)
{
    uint64_t v = regs[s->reg];
    return (struct cts_pv_num){s->is_signed && v >> 63, v};
}

bool cts_pv_holds(const struct cts_pv_fact *f, const uint64_t *regs)
{
    if (f->kind == CTS_PV_SAME)
        return cts_pv_compare(value_of(&f->a, regs), value_of(&f->b, regs)) == 0;
    if (f->kind != CTS_PV_RANGE)
        return true;
    struct cts_pv_num v = value_of(&f->a, regs);
    return cts_pv_compare(f->lo, v) <= 0 && cts_pv_compare(v, f->hi) <= 0;
}
