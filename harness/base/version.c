#include "base/version.h"

#include <stddef.h>

enum { DIGITS_MAX = 9 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* ---- ranges ---- */

static const struct {
    char text[3];
    enum cts_version_op op;
} ops[] = {{"<=", CTS_VO_LE}, {">=", CTS_VO_GE}, {"<", CTS_VO_LT},
           {">", CTS_VO_GT},  {"=", CTS_VO_EQ},  {"", CTS_VO_EQ}};

static const char *skip_blanks(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

/* Behind the operator, of which there may be none. */
static const char *read_op(const char *p, enum cts_version_op *out)
{
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        size_t n = 0;
        while (ops[i].text[n] && p[n] == ops[i].text[n])
            n++;
        if (ops[i].text[n] == '\0') {
            *out = ops[i].op;
            return p + n;
        }
    }
    return p;
}

static const char *read_number(const char **p, uint32_t *out)
{
    unsigned digits = 0;
    for (*out = 0; is_digit(**p); (*p)++, digits++) {
        if (digits == DIGITS_MAX)
            return "a number of more than 9 digits";
        *out = *out * 10 + (uint32_t)(**p - '0');
    }
    return digits ? NULL : "a version is numbers with points between them, such as 6.12";
}

static const char *read_term(const char **p, struct cts_version_term *t)
{
    *p = skip_blanks(read_op(*p, &t->op));
    for (;;) {
        if (t->count == CTS_VERSION_NUMBERS)
            return "a version of more than 6 numbers";
        const char *wrong = read_number(p, &t->number[t->count]);
        if (wrong)
            return wrong;
        t->count++;
        if (**p != '.')
            break;
        (*p)++;
    }
    /* ">=6.6<6.12" is as clear as with a blank, and "6.12rc1" is not. */
    return **p == '\0' || **p == ' ' || **p == '\t' || **p == '<' || **p == '>' || **p == '='
               ? NULL
               : "only numbers, points, blanks and < <= > >= = make a range";
}

const char *cts_version_parse(const char *text, struct cts_version_range *out)
{
    const char *p = skip_blanks(text);
    *out = (struct cts_version_range){0};
    if (*p == '\0')
        return "no version";
    while (*p) {
        if (out->count == CTS_VERSION_TERMS)
            return "more than 4 comparisons";
        const char *wrong = read_term(&p, &out->term[out->count]);
        if (wrong)
            return wrong;
        out->count++;
        p = skip_blanks(p);
    }
    return NULL;
}

/* ---- versions ---- */

/* The first number that does not belong to a word; the v of "v1.2" is none. */
static const char *find_number(const char *text)
{
    for (const char *p = text; *p; p++) {
        if (!is_digit(*p))
            continue;
        bool v = p > text && (p[-1] == 'v' || p[-1] == 'V');
        const char *before = v ? p - 1 : p;
        if (before == text || (!is_word(before[-1]) && before[-1] != '.'))
            return p;
    }
    return NULL;
}

/* Numbers too large to hold are the largest there is. */
static void read_version(const char *p, uint32_t number[CTS_VERSION_NUMBERS])
{
    for (unsigned i = 0; i < CTS_VERSION_NUMBERS; i++) {
        uint64_t v = 0;
        for (; is_digit(*p); p++)
            v = v > UINT32_MAX ? v : v * 10 + (uint64_t)(*p - '0');
        number[i] = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
        p += *p == '.' && is_digit(p[1]);
    }
}

static int compare(const struct cts_version_term *t, const uint32_t number[CTS_VERSION_NUMBERS])
{
    for (unsigned i = 0; i < t->count; i++)
        if (number[i] != t->number[i])
            return number[i] < t->number[i] ? -1 : 1;
    return 0;
}

static bool holds(enum cts_version_op op, int order)
{
    switch (op) {
    case CTS_VO_EQ:
        return order == 0;
    case CTS_VO_LT:
        return order < 0;
    case CTS_VO_LE:
        return order <= 0;
    case CTS_VO_GT:
        return order > 0;
    case CTS_VO_GE:
        return order >= 0;
    }
    return false;
}

bool cts_version_in(const struct cts_version_range *range, const char *version)
{
    uint32_t number[CTS_VERSION_NUMBERS];
    const char *p = version ? find_number(version) : NULL;
    if (!p)
        return false;
    read_version(p, number);
    for (unsigned i = 0; i < range->count; i++)
        if (!holds(range->term[i].op, compare(&range->term[i], number)))
            return false;
    return true;
}
