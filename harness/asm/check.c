/* The filter in front of llvm-mc. It passes labels and instructions only, makes labels private to
 * their program, and notes every number of the text with the field it belongs to, because llvm-mc
 * cuts numbers that do not fit without a word. */
#include <string.h>

#include "asm/unit.h"
#include "base/bytes.h"
#include "base/digit.h"
#include "base/fmt.h"

enum { TOKENS_MAX = 48, NAME_MAX_LEN = 128 };

enum token_kind { TK_WORD, TK_NUMBER, TK_MARK };

struct token {
    enum token_kind kind;
    uint32_t at, len; /* in the program's text */
};

/* One statement: at most one instruction, after any number of labels. */
struct statement {
    uint32_t line, line_at; /* number from 1, and where that line begins in the text */
    struct token token[TOKENS_MAX];
    uint32_t count;
};

/* The state of one program's way through the filter. */
struct filter {
    struct cts_asm_batch *b;
    const struct cts_asm_src *src;
    uint32_t prog;
    struct cts_err *err;
    struct cts_buf labels; /* struct cts_asm_label */
    uint32_t label_count, insn_first, slot;
};

static bool is_word_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_word_start(c) || is_digit(c);
}

static uint32_t column(const struct statement *s, uint32_t at)
{
    return at - s->line_at + 1;
}

static bool token_is(const struct filter *f, const struct token *t, const char *text)
{
    return strlen(text) == t->len && memcmp(f->src->text + t->at, text, t->len) == 0;
}

static char token_char(const struct filter *f, const struct token *t)
{
    return f->src->text[t->at];
}

static bool is_mark(const struct filter *f, const struct token *t, char c)
{
    return t->kind == TK_MARK && token_char(f, t) == c;
}

/* r0 .. r10, w0 .. w10 */
static bool is_register(const struct filter *f, const struct token *t)
{
    const char *p = f->src->text + t->at;
    if (t->kind != TK_WORD || (p[0] != 'r' && p[0] != 'w'))
        return false;
    return (t->len == 2 && is_digit(p[1])) || (t->len == 3 && p[1] == '1' && p[2] == '0');
}

static int refuse(const struct filter *f, const struct statement *s, const struct token *t,
                  int code, const char *why)
{
    return cts_asm_err(f->src, f->err, code, s->line, column(s, t->at), "%s: '%.*s'", why,
                       (int)(t->len < NAME_MAX_LEN ? t->len : NAME_MAX_LEN), f->src->text + t->at);
}

/* Splits text[at, end) into tokens. */
static int scan(const struct filter *f, struct statement *s, uint32_t at, uint32_t end)
{
    static const char marks[] = "+-*/%&|^<>=!()[],:";
    const char *text = f->src->text;
    s->count = 0;
    while (at < end) {
        struct token t = {.kind = TK_MARK, .at = at, .len = 1};
        char c = text[at];
        if (c == ' ' || c == '\t' || c == '\r') {
            at++;
            continue;
        }
        if (is_word(c)) {
            t.kind = is_digit(c) ? TK_NUMBER : TK_WORD;
            while (at + t.len < end && is_word(text[at + t.len]))
                t.len++;
            if (memchr(text + at, '.', t.len))
                return refuse(f, s, &t, CTS_E_SYNTAX,
                              c == '.' ? "directives are not allowed" : "no name and no number");
        } else if (c == '\0' || !strchr(marks, c)) {
            return cts_asm_err(f->src, f->err, CTS_E_SYNTAX, s->line, column(s, at),
                               "unexpected character 0x%02x", (unsigned)(unsigned char)c);
        } else if (c == '/' && at + 1 < end && text[at + 1] == '*') {
            return cts_asm_err(f->src, f->err, CTS_E_SYNTAX, s->line, column(s, at),
                               "comments begin with # or //");
        }
        if (s->count == TOKENS_MAX)
            return refuse(f, s, &t, CTS_E_LIMIT, "the statement is too long");
        s->token[s->count++] = t;
        at += t.len;
    }
    return 0;
}

/* Decimal, 0x hexadecimal, 0b binary. */
static int parse_number(const struct filter *f, const struct statement *s, const struct token *t,
                        uint64_t *value)
{
    const char *p = f->src->text + t->at;
    uint32_t i = 0;
    unsigned base = 10;
    *value = 0;
    if (t->len > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X' || p[1] == 'b')) {
        base = p[1] == 'b' ? 2 : 16;
        i = 2;
    } else if (t->len > 1 && p[0] == '0') {
        return refuse(f, s, t, CTS_E_SYNTAX,
                      "a number with a leading zero (octal to the assembler)");
    }
    for (; i < t->len; i++) {
        unsigned digit = cts_digit(p[i]);
        if (digit >= base)
            return refuse(f, s, t, CTS_E_SYNTAX, "not a number");
        if (__builtin_mul_overflow(*value, base, value) ||
            __builtin_add_overflow(*value, digit, value))
            return refuse(f, s, t, CTS_E_RANGE, "the number needs more than 64 bits");
    }
    return 0;
}

static const struct {
    uint64_t low, high; /* the largest magnitude of a negative and of a positive number */
    const char *what;
} field_limits[] = {
    [CTS_AF_OFF] = {0x8000, 0x7fff, "outside the 16-bit field (-32768 .. 32767)"},
    [CTS_AF_IMM] = {0x80000000, 0xffffffff, "outside the 32-bit field (-2^31 .. 2^32-1)"},
    [CTS_AF_JUMP] = {0x80000000, 0x7fffffff, "outside the 32-bit field (-2^31 .. 2^31-1)"},
    [CTS_AF_WIDE] = {(uint64_t)1 << 63, UINT64_MAX, "outside the 64-bit field (-2^63 .. 2^64-1)"},
    [CTS_AF_SRC] = {0, 15, "outside the 4-bit field (0 .. 15)"},
    [CTS_AF_CAST] = {0, 0xffff, "outside the 16-bit field (0 .. 65535)"},
};

static bool fits(const struct cts_asm_num *num)
{
    return num->magnitude <=
           (num->negative ? field_limits[num->field].low : field_limits[num->field].high);
}

static const struct jump_word {
    const char *word;
    enum cts_asm_field number, label; /* the field that a number, and a label's distance, goes to */
} jump_words[] = {
    {"goto", CTS_AF_OFF, CTS_AF_OFF},
    {"gotol", CTS_AF_JUMP, CTS_AF_JUMP},
    {"may_goto", CTS_AF_OFF, CTS_AF_OFF},
    {"call", CTS_AF_IMM, CTS_AF_JUMP},
};

static const struct jump_word *jump_word(const struct filter *f, const struct token *t)
{
    for (size_t i = 0; t->kind == TK_WORD && i < CTS_ARRAY_LEN(jump_words); i++)
        if (token_is(f, t, jump_words[i].word))
            return &jump_words[i];
    return NULL;
}

static bool has_word(const struct filter *f, const struct statement *s, const char *word)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (s->token[i].kind == TK_WORD && token_is(f, &s->token[i], word))
            return true;
    return false;
}

static uint32_t commas_before(const struct filter *f, const struct statement *s, uint32_t i)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < i; k++)
        n += is_mark(f, &s->token[k], ',');
    return n;
}

/* The field that number token `i` goes to; `before` is the token in front of its signs, if it has
 * one. */
static enum cts_asm_field field_of(const struct filter *f, const struct statement *s, uint32_t i,
                                   const struct token *before, bool is_signed)
{
    const struct jump_word *jump = before ? jump_word(f, before) : NULL;
    if (jump)
        return jump->number;
    if (before && is_signed && is_register(f, before))
        return CTS_AF_OFF;
    if (i + 1 < s->count && s->token[i + 1].kind == TK_WORD && token_is(f, &s->token[i + 1], "ll"))
        return CTS_AF_WIDE;
    if (has_word(f, s, "ld_pseudo"))
        return commas_before(f, s, i) == 1 ? CTS_AF_SRC : CTS_AF_IMM;
    return has_word(f, s, "addr_space_cast") ? CTS_AF_CAST : CTS_AF_IMM;
}

static int add_number(struct filter *f, const struct statement *s, uint32_t i,
                      struct cts_asm_insn *in)
{
    const struct token *t = &s->token[i], *before = NULL;
    struct cts_asm_num num = {.col = column(s, t->at)};
    uint32_t k = i;
    for (; k > 0 && (is_mark(f, &s->token[k - 1], '-') || is_mark(f, &s->token[k - 1], '+')); k--)
        num.negative ^= is_mark(f, &s->token[k - 1], '-');
    if (k > 0)
        before = &s->token[k - 1];
    enum cts_asm_field field = field_of(f, s, i, before, k != i);
    num.field = (uint8_t)field;
    int rc = parse_number(f, s, t, &num.magnitude);
    if (rc != 0)
        return rc;
    if (!fits(&num))
        return refuse(f, s, t, CTS_E_RANGE, field_limits[field].what);
    in->num_count++;
    cts_buf_add(&f->b->nums, &num, sizeof(num));
    return 0;
}

/* "1f" and "1b" */
static bool is_number_ref(const struct filter *f, const struct token *t)
{
    const char *p = f->src->text + t->at;
    if (t->kind != TK_NUMBER || t->len < 2 || (p[t->len - 1] != 'f' && p[t->len - 1] != 'b'))
        return false;
    for (uint32_t i = 0; i + 1 < t->len; i++)
        if (!is_digit(p[i]))
            return false;
    return true;
}

/* Is token `i` a label's name? */
static bool is_ref(const struct filter *f, const struct statement *s, uint32_t i)
{
    const struct token *t = &s->token[i];
    if (i == 0 || !jump_word(f, &s->token[i - 1]))
        return false;
    return is_number_ref(f, t) || (t->kind == TK_WORD && !is_register(f, t));
}

/* Its number, the distance, is filled in when all labels are known. */
static void add_ref(struct filter *f, const struct statement *s, uint32_t i,
                    struct cts_asm_insn *in)
{
    const struct token *t = &s->token[i];
    struct cts_asm_num num = {
        .field = (uint8_t)jump_word(f, &s->token[i - 1])->label,
        .col = column(s, t->at),
    };
    in->ref_at = t->at - in->at;
    in->ref_old = t->len;
    in->ref_num = in->num_first + in->num_count++;
    cts_buf_add(&f->b->nums, &num, sizeof(num));
}

/* All words of LLVM's syntax but registers. An unknown one would be taken for a symbol, and llvm-mc
 * 19 crashes on most of these. */
static const char known_words[] =
    " if goto gotol gotox may_goto call callx exit lock ld_pseudo ll skb s u8 u16 u32 "
    "u64 s8 s16 s32 be16 be32 be64 le16 le32 le64 bswap16 bswap32 bswap64 "
    "atomic_fetch_add atomic_fetch_and atomic_fetch_or atomic_fetch_xor xchg_64 "
    "xchg32_32 cmpxchg_64 cmpxchg32_32 addr_space_cast load_acquire store_release ";

static bool is_known(const struct filter *f, const struct token *t)
{
    char word[32];
    if (is_register(f, t))
        return true;
    size_t len = cts_fmt(word, sizeof(word), " %.*s ", (int)t->len, f->src->text + t->at);
    return len < sizeof(word) && strstr(known_words, word) != NULL;
}

static int check_words(const struct filter *f, const struct statement *s)
{
    const struct token *t = s->token;
    if (t[0].kind == TK_NUMBER || (t[0].kind == TK_MARK && !is_mark(f, &t[0], '*')))
        return refuse(f, s, &t[0], CTS_E_SYNTAX, "not an instruction");
    if (s->count > 1 && !is_register(f, &t[0]) && is_mark(f, &t[1], '='))
        return refuse(f, s, &t[0], CTS_E_SYNTAX, "not a register (symbols cannot be assigned)");
    for (uint32_t i = 1; i < s->count; i++)
        if (t[i].kind == TK_WORD && token_is(f, &t[i], "ll") && t[i - 1].kind == TK_WORD)
            return refuse(f, s, &t[i - 1], CTS_E_SYNTAX, "the address of a label is not a number");
    for (uint32_t i = 0; i < s->count; i++)
        if (is_mark(f, &t[i], ':'))
            return refuse(f, s, &t[i], CTS_E_SYNTAX, "labels stand before the instruction");
    for (uint32_t i = 0; i < s->count; i++)
        if (t[i].kind == TK_WORD && !is_ref(f, s, i) && !is_known(f, &t[i]))
            return refuse(f, s, &t[i], CTS_E_SYNTAX, "unknown name");
    return 0;
}

static int add_insn(struct filter *f, const struct statement *s)
{
    const struct token *last = &s->token[s->count - 1];
    struct cts_asm_insn in = {
        .line = s->line,
        .col = column(s, s->token[0].at),
        .at = s->token[0].at,
        .len = last->at + last->len - s->token[0].at,
        .slot = f->slot,
        .num_first = (uint32_t)(f->b->nums.len / sizeof(struct cts_asm_num)),
        .before = f->label_count,
        .wide = has_word(f, s, "ll") || has_word(f, s, "ld_pseudo"),
    };
    int rc = check_words(f, s);
    for (uint32_t i = 0; rc == 0 && i < s->count; i++) {
        const struct token *t = &s->token[i];
        if (is_ref(f, s, i)) {
            add_ref(f, s, i, &in);
        } else if (t->kind == TK_NUMBER) {
            rc = add_number(f, s, i, &in);
        }
    }
    f->slot += in.wide ? 2 : 1;
    cts_buf_add(&f->b->insns, &in, sizeof(in));
    return rc;
}

static bool is_label_number(const struct filter *f, const struct token *t)
{
    for (uint32_t i = 0; i < t->len; i++)
        if (!is_digit(f->src->text[t->at + i]))
            return false;
    return true;
}

static int add_label(struct filter *f, const struct statement *s, const struct token *t)
{
    if (t->kind == TK_MARK || is_register(f, t) || jump_word(f, t) || t->len > NAME_MAX_LEN ||
        (t->kind == TK_NUMBER && !is_label_number(f, t)))
        return refuse(f, s, t, CTS_E_SYNTAX, "cannot be a label");
    struct cts_asm_label label = {
        .name = f->src->text + t->at,
        .len = t->len,
        .line = s->line,
        .col = column(s, t->at),
        .slot = f->slot,
        .order = f->label_count++,
    };
    cts_buf_add(&f->labels, &label, sizeof(label));
    return 0;
}

static int add_statement(struct filter *f, struct statement *s, uint32_t at, uint32_t end)
{
    int rc = scan(f, s, at, end);
    uint32_t skip = 0;
    while (rc == 0 && skip + 1 < s->count && is_mark(f, &s->token[skip + 1], ':')) {
        rc = add_label(f, s, &s->token[skip]);
        skip += 2;
    }
    if (rc != 0 || skip == s->count)
        return rc;
    s->count -= skip;
    memmove(s->token, s->token + skip, s->count * sizeof(s->token[0]));
    return add_insn(f, s);
}

/* Where a line's code ends: its comment, or its end. */
static uint32_t code_end(const char *text, uint32_t at, uint32_t end)
{
    for (; at < end; at++)
        if (text[at] == '#' || (text[at] == '/' && at + 1 < end && text[at + 1] == '/'))
            return at;
    return end;
}

static int add_line(struct filter *f, struct statement *s, uint32_t end)
{
    const char *text = f->src->text;
    uint32_t at = s->line_at, code = code_end(text, at, end);
    int rc = 0;
    while (rc == 0 && at < code) {
        const char *cut = memchr(text + at, ';', code - at);
        uint32_t stop = cut ? (uint32_t)(cut - text) : code;
        rc = add_statement(f, s, at, stop);
        at = stop + 1;
    }
    return rc;
}

static int add_lines(struct filter *f, uint32_t len)
{
    struct statement s = {.line = 0};
    int rc = 0;
    for (uint32_t at = 0; rc == 0 && at < len;) {
        const char *cut = memchr(f->src->text + at, '\n', len - at);
        uint32_t end = cut ? (uint32_t)(cut - f->src->text) : len;
        s.line++;
        s.line_at = at;
        rc = add_line(f, &s, end);
        at = end + 1;
    }
    return rc;
}

/* The distance to a label is a number, too: it must be found in the instruction. */
static int resolve(struct filter *f, const struct cts_asm_insn *in,
                   const struct cts_asm_label *label)
{
    struct cts_asm_num *num = cts_asm_num_at(f->b, in->ref_num);
    int64_t distance = (int64_t)label->slot - ((int64_t)in->slot + 1);
    num->negative = distance < 0;
    num->magnitude = (uint64_t)(distance < 0 ? -distance : distance);
    if (fits(num))
        return 0;
    return cts_asm_err(f->src, f->err, CTS_E_RANGE, in->line, num->col,
                       "the label is %lld slots away, %s", (long long)distance,
                       field_limits[num->field].what);
}

/* Writes one instruction with the labels that stand before it; `*written` counts the labels written
 * so far. */
static int write_insn(struct filter *f, struct cts_asm_insn *in, const struct cts_asm_label *labels,
                      uint32_t *written)
{
    struct cts_buf *out = &f->b->text;
    const char *text = f->src->text + in->at;
    size_t start = out->len;
    for (; *written < in->before; (*written)++)
        cts_buf_addf(out, ".L%u_%u: ", f->prog, *written);
    in->prefix = (uint32_t)(out->len - start);
    if (in->ref_old) {
        const struct cts_asm_label *label =
            cts_asm_label_find(labels, f->label_count, text + in->ref_at, in->ref_old, in->before);
        if (!label)
            return cts_asm_err(f->src, f->err, CTS_E_SYNTAX, in->line, in->col + in->ref_at,
                               "no label '%.*s' in this program",
                               (int)(in->ref_old < NAME_MAX_LEN ? in->ref_old : NAME_MAX_LEN),
                               text + in->ref_at);
        int rc = resolve(f, in, label);
        if (rc != 0)
            return rc;
        cts_buf_add(out, text, in->ref_at);
        size_t at = out->len;
        cts_buf_addf(out, ".L%u_%u", f->prog, label->order);
        in->ref_new = (uint32_t)(out->len - at);
    }
    cts_buf_add(out, text + in->ref_at + in->ref_old, in->len - in->ref_at - in->ref_old);
    cts_buf_addc(out, '\n');
    return 0;
}

static int write_program(struct filter *f)
{
    struct cts_asm_label *labels = (struct cts_asm_label *)(void *)f->labels.data;
    uint32_t end = (uint32_t)(f->b->insns.len / sizeof(struct cts_asm_insn)), written = 0;
    int rc = cts_asm_labels_sort(labels, f->label_count, f->src, f->err);
    struct cts_asm_unit u = {
        .prog = f->prog,
        .text_at = f->b->text.len,
        .insn_first = f->insn_first,
        .insn_count = end - f->insn_first,
        .slots = f->slot,
    };
    for (uint32_t i = f->insn_first; rc == 0 && i < end; i++)
        rc = write_insn(f, cts_asm_insn_at(f->b, i), labels, &written);
    bool tail = written < f->label_count;
    for (; rc == 0 && written < f->label_count; written++)
        cts_buf_addf(&f->b->text, ".L%u_%u: ", f->prog, written);
    if (tail)
        cts_buf_addc(&f->b->text, '\n');
    u.lines = u.insn_count + (tail ? 1 : 0);
    u.text_len = f->b->text.len - u.text_at;
    if (rc == 0)
        cts_buf_add(&f->b->units, &u, sizeof(u));
    return rc;
}

int cts_asm_check(struct cts_asm_batch *b, uint32_t prog, struct cts_err *err)
{
    struct filter f = {.b = b, .src = &b->src[prog], .prog = prog, .err = err};
    size_t text = b->text.len, insns = b->insns.len, nums = b->nums.len;
    size_t len = strlen(f.src->text);
    int rc = 0;
    cts_buf_init(&f.labels, 0);
    f.insn_first = (uint32_t)(insns / sizeof(struct cts_asm_insn));
    if (len > CTS_ASM_TEXT_MAX)
        rc = cts_asm_err(f.src, err, CTS_E_LIMIT, 1, 0, "the program's text is too long");
    if (rc == 0)
        rc = add_lines(&f, (uint32_t)len);
    if (rc == 0 && !f.labels.failed)
        rc = write_program(&f);
    if (rc == 0 &&
        (f.labels.failed || b->text.failed || b->insns.failed || b->nums.failed || b->units.failed))
        rc = cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (rc != 0 && !b->text.failed && !b->insns.failed && !b->nums.failed) {
        b->text.len = text;
        b->insns.len = insns;
        b->nums.len = nums;
    }
    cts_buf_release(&f.labels);
    return rc;
}
