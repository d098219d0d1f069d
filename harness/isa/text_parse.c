/* Text to instruction: the line is held against the template of every row. */
#include "base/digit.h"
#include "base/fmt.h"
#include "isa/text_int.h"

/* Why a line does not fit a template. */
enum misfit {
    MISFIT_TEXT,     /* something else stands there */
    MISFIT_NUMBER,   /* a number that its field cannot hold */
    MISFIT_NAME,     /* a name of no place */
    MISFIT_REGISTER, /* the same register is wanted twice, and there are two */
};

struct match {
    const char *line;
    const char *end; /* of what is looked at: a comment begins here, or the line is over */
    const struct cts_text_names *names;
    enum cts_syntax syntax;
    bool off_targets, imm_targets; /* a name may stand for the distance */
    bool either;                   /* the register that goes to or from memory is r1 or w1 */
    bool full_word;                /* {src.w} may be called r1, too */
    bool wide_word;                /* the mnemonic may have 64 behind it */
    /* The attempt. */
    const char *at;
    struct cts_insn in;
    unsigned seen; /* bit for each hole that has been filled */
    bool named;    /* a name was found and stands for a distance */
    enum misfit misfit;
};

/* --- characters ---------------------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
}

static bool is_operator(char c)
{
    return c == '+' || c == '-' || c == '*' || c == '/' || c == '%' || c == '&' || c == '|' ||
           c == '^' || c == '<' || c == '>' || c == '=' || c == '!';
}

static void skip_space(struct match *m)
{
    while (m->at < m->end && is_space(*m->at))
        m->at++;
}

static char peek(const struct match *m)
{
    return m->at < m->end ? *m->at : '\0';
}

/* --- what fills a hole --------------------------------------------------------------------- */

/* Digits without a sign. *hex: they began with 0x. */
static bool read_digits(struct match *m, uint64_t *value, bool *hex)
{
    const char *at = m->at;
    bool fits = true;
    bool octal = m->end - at > 1 && at[0] == '0' && is_digit(at[1]);

    if (octal && m->syntax != CTS_SYNTAX_UBPF) /* other assemblers would take it for octal */
        return false;
    *hex = m->end - at > 2 && at[0] == '0' && at[1] == 'x';
    at += *hex ? 2 : 0;
    const char *first = at;
    *value = 0;
    for (unsigned base = *hex ? 16 : 10; at < m->end && cts_digit(*at) < base; at++) {
        fits &= !__builtin_mul_overflow(*value, (uint64_t)base, value);
        fits &= !__builtin_add_overflow(*value, (uint64_t)cts_digit(*at), value);
    }
    if (at == first || (at < m->end && is_word(*at)))
        return false;
    if (fits)
        m->at = at;
    else
        m->misfit = MISFIT_NUMBER;
    return fits;
}

/* -5, 0x10; with `plus` also +5. Hexadecimal numbers may be the bits of a negative one, up to
 * 2^bits - 1, and so may decimal ones that are not offsets, where the syntax' own assembler takes
 * them. The result is sign-extended. */
static bool read_number(struct match *m, unsigned bits, bool plus, uint64_t *value)
{
    const char *from = m->at;
    bool minus = peek(m) == '-', hex;
    uint64_t most = UINT64_MAX >> (64 - bits), half = most / 2;

    if (minus || (plus && peek(m) == '+'))
        m->at++;
    if (!read_digits(m, value, &hex)) {
        m->at = from;
        return false;
    }
    bool bare = bits == 64 || (bits == 32 && !plus && m->syntax != CTS_SYNTAX_UBPF);
    bool whole = !minus && (hex || bare);
    if (*value > (minus ? half + 1 : whole ? most : half)) {
        m->at = from;
        m->misfit = MISFIT_NUMBER;
        return false;
    }
    if (minus)
        *value = 0 - *value;
    else if (*value > half)
        *value |= ~most;
    return true;
}

/* `moved`: the register goes to or from memory, and may be called by its 32-bit name. */
static bool read_register(struct match *m, char kind, bool moved, unsigned hole, unsigned twin,
                          uint8_t *reg)
{
    const char *at = m->at;
    unsigned value = 0, digits = 0;

    if (peek(m) != kind && !(moved && peek(m) == 'w'))
        return false;
    for (at++; at < m->end && is_digit(*at) && digits < 3; at++, digits++)
        value = value * 10 + cts_digit(*at);
    bool padded = digits > 1 && m->at[1] == '0';
    if (digits == 0 || padded || value > 15 || (at < m->end && is_word(*at)))
        return false;
    if ((m->seen & (1u << hole | 1u << twin)) && *reg != value) {
        m->misfit = MISFIT_REGISTER;
        return false;
    }
    *reg = (uint8_t)value;
    m->at = at;
    return true;
}

static bool read_imm(struct match *m, bool plus, int32_t *imm)
{
    uint64_t value;

    if (!read_number(m, 32, plus, &value))
        return false;
    *imm = (int32_t)(int64_t)value;
    return true;
}

static bool read_imm64(struct match *m)
{
    uint64_t value;

    if (!read_number(m, 64, false, &value))
        return false;
    m->in.imm = (int32_t)(uint32_t)value;
    m->in.next_imm = (int32_t)(uint32_t)(value >> 32);
    return true;
}

/* uBPF's assembler takes a distance for one by its sign only. */
static bool has_sign(const struct match *m)
{
    return m->syntax != CTS_SYNTAX_UBPF || peek(m) == '+' || peek(m) == '-';
}

/* "+4"; nothing where a displacement can be left out; "4" elsewhere. */
static bool read_off(struct match *m, bool may_miss)
{
    uint64_t value = 0;
    char c = peek(m);

    if (may_miss && c != '+' && c != '-') {
        m->in.off = 0;
        return true;
    }
    if (!may_miss && !has_sign(m))
        return false;
    if (m->syntax == CTS_SYNTAX_GAS && c == '+' && m->end - m->at > 1 && m->at[1] == '-')
        m->at++; /* bpf-objdump prints [%r1+-2] */
    if (!read_number(m, 16, true, &value))
        return false;
    m->in.off = (int16_t)(int64_t)value;
    return true;
}

/* "+ 4", "- 4", or nothing. */
static bool read_disp(struct match *m)
{
    const char *from = m->at;
    char sign = peek(m);
    uint64_t value;
    bool hex;

    m->in.off = 0;
    if (sign != '+' && sign != '-')
        return true;
    m->at++;
    skip_space(m);
    if (!read_digits(m, &value, &hex))
        return false;
    if (value > (sign == '-' ? (uint64_t)INT16_MAX + 1 : INT16_MAX)) {
        m->at = from;
        m->misfit = MISFIT_NUMBER;
        return false;
    }
    m->in.off = (int16_t)(sign == '-' ? -(int64_t)value : (int64_t)value);
    return true;
}

static bool is_name_start(char c)
{
    return is_word(c) && !is_digit(c);
}

/* The distance of a named place, if one is named here. */
static bool read_name(struct match *m, int64_t lo, int64_t hi, int64_t *distance)
{
    const char *at = m->at;

    if (!m->names || !is_name_start(peek(m)))
        return false;
    while (at < m->end && is_word(*at))
        at++;
    if (!m->names->find(m->names->arg, m->at, (size_t)(at - m->at), distance)) {
        m->misfit = MISFIT_NAME;
        return false;
    }
    if (*distance < lo || *distance > hi) {
        m->misfit = MISFIT_NUMBER;
        return false;
    }
    m->at = at;
    m->named = true;
    return true;
}

static bool read_target_off(struct match *m)
{
    int64_t distance;

    if (!m->off_targets || !read_name(m, INT16_MIN, INT16_MAX, &distance))
        return false;
    m->in.off = (int16_t)distance;
    return true;
}

static bool read_target_imm(struct match *m)
{
    int64_t distance;

    if (!m->imm_targets || !read_name(m, INT32_MIN, INT32_MAX, &distance))
        return false;
    m->in.imm = (int32_t)distance;
    return true;
}

/* `after`: the character of the template before the hole. */
static bool read_hole(struct match *m, enum cts_hole hole, char after)
{
    switch (hole) {
    case CTS_HOLE_DST:
        return read_register(m, 'r', m->either && after == '\0', hole, CTS_HOLE_DST_W, &m->in.dst);
    case CTS_HOLE_DST_W:
        return read_register(m, 'w', false, hole, CTS_HOLE_DST, &m->in.dst);
    case CTS_HOLE_SRC:
        return read_register(m, 'r', m->either && after == ' ', hole, CTS_HOLE_SRC_W, &m->in.src);
    case CTS_HOLE_SRC_W:
        return read_register(m, 'w', false, hole, CTS_HOLE_SRC, &m->in.src) ||
               (m->full_word && read_register(m, 'r', false, hole, CTS_HOLE_SRC, &m->in.src));
    case CTS_HOLE_IMM:
        return read_target_imm(m) || read_imm(m, false, &m->in.imm);
    case CTS_HOLE_IMM64:
        return read_imm64(m);
    case CTS_HOLE_NEXT_IMM:
        return read_imm(m, false, &m->in.next_imm);
    case CTS_HOLE_OFF:
        return read_target_off(m) || read_off(m, after != ' ');
    case CTS_HOLE_DISP:
        return read_disp(m);
    case CTS_HOLE_REL:
        return read_target_imm(m) || (has_sign(m) && read_imm(m, true, &m->in.imm));
    case CTS_HOLE_COUNT:
        break;
    }
    return false;
}

/* --- the template -------------------------------------------------------------------------- */

/* Space may stand between two characters of a template unless they make one word or operator. */
static bool may_part(char a, char b)
{
    if (a == '\0' || a == '%')
        return false;
    return !(is_word(a) && is_word(b)) && !(is_operator(a) && is_operator(b));
}

/* The beginning of the word that m->at stands in or behind. */
static const char *word_start(const struct match *m)
{
    const char *at = m->at;

    while (at > m->line && is_word(at[-1]))
        at--;
    return at;
}

/* "add64" is "add" where only the other width has a number. */
static void skip_width(struct match *m)
{
    if (m->wide_word && m->end - m->at > 2 && m->at[0] == '6' && m->at[1] == '4' &&
        is_space(m->at[2]))
        m->at += 2;
}

/* One character that is no hole. A word of the template is a word of the line, not a part of one.
 */
static bool read_char(struct match *m, const char *t, char before)
{
    if (may_part(before, *t))
        skip_space(m);
    if (peek(m) != *t)
        return false;
    m->at++;
    if (!is_word(*t) || is_word(t[1]) || t[1] == '{')
        return true;
    if (t[1] == ' ' && (t[2] == '%' || t[2] == '[')) /* the mnemonic itself, not "lock" */
        skip_width(m);
    if (is_word(peek(m))) {
        m->at = word_start(m);
        return false;
    }
    return true;
}

/* Holds the line against the template; m->at is where they part, or the end. */
static bool fits(struct match *m, const char *t)
{
    char before = '\0';

    m->at = m->line;
    m->seen = 0;
    m->named = false;
    m->misfit = MISFIT_TEXT;
    skip_space(m);
    while (*t) {
        size_t len = 1;
        enum cts_hole hole = *t == '{' ? cts_hole_at(t, &len) : CTS_HOLE_COUNT;
        if (*t == ' ') {
            bool word = is_word(before) && m->at < m->end && is_word(*m->at);
            if (word)
                return false;
            skip_space(m);
        } else if (hole != CTS_HOLE_COUNT) {
            if (before != '%')
                skip_space(m);
            if (!read_hole(m, hole, before))
                return false;
            m->seen |= 1u << hole;
        } else if (!read_char(m, t, before)) {
            return false;
        }
        before = hole != CTS_HOLE_COUNT ? '}' : *t;
        t += len;
    }
    skip_space(m);
    return m->at == m->end;
}

/* --- comments that say what the syntax cannot ---------------------------------------------- */

struct unsaid {
    enum cts_insn_id row; /* CTS_INSN_COUNT: none is named */
    bool has_off, has_imm;
    int16_t off;
    int32_t imm;
};

static bool is_row_id(const char *text, size_t len, enum cts_insn_id row)
{
    const char *id = cts_insn_info(row)->id;
    size_t i = 0;

    while (i < len && id[i] == text[i])
        i++;
    return i == len && id[i] == '\0';
}

static void read_named_row(const char *text, size_t len, struct unsaid *u)
{
    for (unsigned r = 0; r < CTS_INSN_COUNT; r++)
        if (is_row_id(text, len, (enum cts_insn_id)r))
            u->row = (enum cts_insn_id)r;
}

static bool read_after(struct match *m, const char *word, unsigned bits, uint64_t *value)
{
    const char *from = m->at;

    while (*word && peek(m) == *word) {
        word++;
        m->at++;
    }
    bool found = !*word && peek(m) == ' ';
    skip_space(m);
    found = found && read_number(m, bits, false, value);
    skip_space(m);
    found = found && m->at == m->end;
    if (!found)
        m->at = from;
    return found;
}

/* One comment, from behind its '#' to the next one or the end. */
static void read_comment(const char *from, const char *end, struct unsaid *u)
{
    struct match m = {.line = from, .at = from, .end = end};
    uint64_t value;

    skip_space(&m);
    while (m.end > m.at && is_space(m.end[-1]))
        m.end--;
    if (read_after(&m, "off", 16, &value)) {
        u->has_off = true;
        u->off = (int16_t)(int64_t)value;
    } else if (read_after(&m, "imm", 32, &value)) {
        u->has_imm = true;
        u->imm = (int32_t)(int64_t)value;
    } else {
        read_named_row(m.at, (size_t)(m.end - m.at), u);
    }
}

/* Returns where the first comment begins. */
static const char *read_comments(const char *line, struct unsaid *u)
{
    const char *body = line;

    while (*body && *body != '#')
        body++;
    for (const char *at = body; *at == '#';) {
        const char *from = ++at;
        while (*at && *at != '#')
            at++;
        read_comment(from, at, u);
    }
    return body;
}

/* --- all rows ------------------------------------------------------------------------------ */

/* How well a row that has the text suits the fields, from the worst. */
enum fit {
    FIT_TEXT, /* not at all */
    FIT_ROW,  /* they belong to the row, but it does not allow them */
    FIT_ALL,  /* it allows them */
    FIT_NAMED /* a comment names the row */
};

struct search {
    struct match m;
    struct unsaid unsaid;
    enum cts_syntax syntax;
    enum cts_insn_id found;
    struct cts_insn in;
    enum fit fit;
    /* The longest way that any template went. */
    const char *far;
    enum misfit misfit;
    enum cts_insn_id nearest;
};

static int16_t fixed(const struct cts_insn_info *info, unsigned field)
{
    const struct cts_field_rule *rule = &info->field[field];
    return (int16_t)(rule->kind == CTS_FK_FIXED ? rule->value : 0);
}

/* Only the opcodes of 64-bit arithmetic, jumps and atomic operations. */
static bool has_narrow_twin(const struct cts_insn_info *info)
{
    unsigned class = info->opcode & 7;

    return info->field[CTS_F_DST].kind == CTS_FK_REG &&
           (class == 5 || class == 7 || (info->flags & CTS_RF_ATOMIC && info->opcode == 0xdb));
}

static void begin(struct match *m, enum cts_insn_id row)
{
    enum { PLAIN = 0x60, DOUBLE_WORD = 0x18 };
    const struct cts_insn_info *info = cts_insn_info(row);
    const struct cts_field_rule *imm = &info->field[CTS_F_IMM];

    m->in = (struct cts_insn){.opcode = info->opcode,
                              .dst = (uint8_t)fixed(info, CTS_F_DST),
                              .src = (uint8_t)fixed(info, CTS_F_SRC),
                              .off = fixed(info, CTS_F_OFF),
                              .imm = imm->kind == CTS_FK_FIXED ? imm->value : 0};
    m->off_targets = (info->flags & CTS_RF_JUMP) && !(info->flags & CTS_RF_CALL);
    m->imm_targets = row == CTS_INSN_JA32 || row == CTS_INSN_CALL_LOCAL;
    m->wide_word = m->syntax == CTS_SYNTAX_UBPF && has_narrow_twin(info);
    m->full_word = m->syntax == CTS_SYNTAX_LLVM && row == CTS_INSN_ATOMIC32_ADD;
    m->either = m->syntax == CTS_SYNTAX_LLVM && info->flags & (CTS_RF_LOAD | CTS_RF_STORE) &&
                (info->opcode & CTS_PART_MODE) == PLAIN &&
                (info->opcode & CTS_PART_SIZE) != DOUBLE_WORD;
}

static void add_unsaid(const struct unsaid *u, enum cts_insn_id row, const char *t,
                       struct cts_insn *in)
{
    const struct cts_insn_info *info = cts_insn_info(row);

    if (u->has_off && info->field[CTS_F_OFF].kind != CTS_FK_FIXED && !cts_template_shows_off(t))
        in->off = u->off;
    if (u->has_imm && info->field[CTS_F_IMM].kind != CTS_FK_FIXED && !cts_template_shows_imm(t))
        in->imm = u->imm;
}

/* Of rows that the line fits, the one named in the comment counts, or the one that needs no name;
 * then the one that the fields belong to. */
static void take(struct search *s, enum cts_insn_id row, const char *t)
{
    bool named = cts_text_needs_id(row, s->syntax);

    add_unsaid(&s->unsaid, row, t, &s->m.in);
    if (named && s->unsaid.row != row && !s->m.named)
        return;
    enum fit fit = FIT_TEXT;
    if (s->unsaid.row == row)
        fit = FIT_NAMED;
    else if (cts_insn_of(&s->m.in) == row)
        fit = cts_insn_check(row, &s->m.in, NULL) == 0 ? FIT_ALL : FIT_ROW;
    if (s->found != CTS_INSN_COUNT && s->fit >= fit)
        return;
    s->found = row;
    s->in = s->m.in;
    s->fit = fit;
}

static void try_template(struct search *s, enum cts_insn_id row, const char *t)
{
    if (!*t)
        return;
    begin(&s->m, row);
    if (fits(&s->m, t)) {
        take(s, row, t);
        return;
    }
    bool worse = s->m.misfit == MISFIT_TEXT && s->misfit != MISFIT_TEXT;
    if (s->nearest != CTS_INSN_COUNT && (s->m.at < s->far || (s->m.at == s->far && worse)))
        return;
    if (s->nearest != CTS_INSN_COUNT && s->m.at == s->far && s->m.misfit == s->misfit)
        return;
    s->far = s->m.at;
    s->misfit = s->m.misfit;
    s->nearest = row;
}

/* Other spellings that the syntax' own assembler knows. */
static const struct {
    enum cts_syntax syntax;
    enum cts_insn_id row;
    const char *text;
} SPELLINGS[] = {
    {CTS_SYNTAX_UBPF, CTS_INSN_CALL_HELPER, "call {imm}"},
    {CTS_SYNTAX_UBPF, CTS_INSN_CALLX, "call %{dst}"},
    {CTS_SYNTAX_UBPF, CTS_INSN_BSWAP16, "bswap16 %{dst}"},
    {CTS_SYNTAX_UBPF, CTS_INSN_BSWAP32, "bswap32 %{dst}"},
    {CTS_SYNTAX_UBPF, CTS_INSN_BSWAP64, "bswap64 %{dst}"},
    {CTS_SYNTAX_GAS, CTS_INSN_ATOMIC32_ADD, "xaddw [%{dst}{off}], %{src}"},
    {CTS_SYNTAX_GAS, CTS_INSN_ATOMIC64_ADD, "xadddw [%{dst}{off}], %{src}"},
};

static void try_row(struct search *s, enum cts_insn_id row)
{
    try_template(s, row, cts_syntax_template(s->syntax, row));
    for (unsigned i = 0; i < sizeof(SPELLINGS) / sizeof(SPELLINGS[0]); i++)
        if (SPELLINGS[i].syntax == s->syntax && SPELLINGS[i].row == row)
            try_template(s, row, SPELLINGS[i].text);
}

/* How much of the text to show. */
static int shown(const struct search *s, const char *from)
{
    const char *at = from;

    while (at < s->m.end && at - from < 24 && !is_space(*at))
        at++;
    return (int)(at - from);
}

static int refuse(const struct search *s, struct cts_err *err)
{
    const char *at = s->far, *t = cts_syntax_template(s->syntax, s->nearest);

    if (at < s->m.end && is_word(*at))
        at = word_start(&(struct match){.line = s->m.line, .at = at});
    unsigned col = (unsigned)(at - s->m.line) + 1;
    int len = shown(s, at);

    switch (s->misfit) {
    case MISFIT_TEXT:
        break;
    case MISFIT_NUMBER:
        return cts_err_at(err, CTS_E_RANGE, "", 0, col, "'%.*s' does not fit its field, in '%s'",
                          len, at, t);
    case MISFIT_NAME:
        return cts_err_at(err, CTS_E_NOTFOUND, "", 0, col, "no place is called '%.*s'", len, at);
    case MISFIT_REGISTER:
        return cts_err_at(err, CTS_E_SYNTAX, "", 0, col,
                          "'%.*s' is not the register that stands before, as '%s' has it", len, at,
                          t);
    }
    if (at == s->m.end)
        return cts_err_at(err, CTS_E_SYNTAX, "", 0, col, "the line ends too early for '%s'", t);
    return cts_err_at(err, CTS_E_SYNTAX, "", 0, col,
                      "'%.*s' is not understood here; the nearest instruction is '%s'", len, at, t);
}

int cts_text_parse(const char *line, enum cts_syntax syntax, const struct cts_text_names *names,
                   struct cts_insn *in, enum cts_insn_id *row, struct cts_err *err)
{
    struct search s = {.m = {.line = line, .names = names, .syntax = syntax},
                       .unsaid = {.row = CTS_INSN_COUNT},
                       .syntax = syntax,
                       .found = CTS_INSN_COUNT,
                       .far = line,
                       .nearest = CTS_INSN_COUNT};

    *row = CTS_INSN_COUNT;
    *in = (struct cts_insn){0};
    if ((unsigned)syntax >= CTS_SYNTAX_COUNT)
        return cts_err_set(err, CTS_E_INVAL, "no such syntax");
    if (cts_text_is_blank(line))
        return cts_err_at(err, CTS_E_SYNTAX, "", 0, 1, "no instruction here");
    s.m.end = read_comments(line, &s.unsaid);
    /* Rows have nothing in common: the first that allows the fields is the only one. */
    enum fit enough = s.unsaid.row == CTS_INSN_COUNT ? FIT_ALL : FIT_NAMED;
    for (unsigned r = 0; r < CTS_INSN_COUNT && s.fit < enough; r++)
        try_row(&s, (enum cts_insn_id)r);
    if (s.found == CTS_INSN_COUNT)
        return refuse(&s, err);
    *in = s.in;
    int rc = cts_insn_check(s.found, in, err);
    if (!rc)
        *row = s.found;
    return rc;
}

/* --- lines --------------------------------------------------------------------------------- */

bool cts_text_is_blank(const char *line)
{
    while (is_space(*line))
        line++;
    return *line == '\0' || *line == '#';
}

size_t cts_text_label(const char *line, const char **name, const char **rest)
{
    while (is_space(*line))
        line++;
    const char *end = line;
    while (is_word(*end) && (end > line || is_name_start(*end)))
        end++;
    const char *colon = end;
    while (*colon == ' ' || *colon == '\t')
        colon++;
    size_t len = *colon == ':' ? (size_t)(end - line) : 0;
    if (len) {
        *name = line;
        *rest = colon + 1;
    }
    return len;
}
