#include "conf/impl.h"

#include <string.h>

#include "host/kind.h"

enum { RAW_SLOTS_MAX = 4096 };

enum section { S_NONE, S_ASM, S_RAW, S_MEM, S_RESULT, S_ERROR, S_IGNORED, S_COUNT };

static const struct {
    const char *name;
    uint8_t section;
} sections[] = {
    {"asm", S_ASM},
    {"raw", S_RAW},
    {"mem", S_MEM},
    {"result", S_RESULT},
    {"error", S_ERROR},
    {"c", S_IGNORED},
    {"no register offset", S_IGNORED},
};

struct reader {
    const char *file;
    struct cts_arena *arena;
    struct cts_err *err;
    struct cts_conf_test *t;
    unsigned line;
    enum section now;
    unsigned seen_line[S_COUNT]; /* where each section began; 0: it did not */
    const char *asm_text;        /* the whole lines of the asm section */
    size_t asm_len;
    unsigned asm_line;
    bool has_result;
    uint8_t *mem, *raw;
    uint32_t raw_slots;
};

/* A line, or a word in it. */
struct span {
    const char *at, *end;
};

static int fail(struct reader *r, int code, const char *msg, struct span what, const char *start)
{
    size_t len = (size_t)(what.end - what.at);
    return cts_err_at(r->err, code, r->file, r->line, (unsigned)(what.at - start) + 1, "%s: '%.*s'",
                      msg, (int)(len < 60 ? len : 60), what.at);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static struct span trim(struct span s)
{
    while (s.at < s.end && is_blank(*s.at))
        s.at++;
    while (s.end > s.at && is_blank(s.end[-1]))
        s.end--;
    return s;
}

static struct span without_comment(struct span s)
{
    const char *hash = memchr(s.at, '#', (size_t)(s.end - s.at));
    return (struct span){s.at, hash ? hash : s.end};
}

/* The section that a line begins; S_NONE if it is no such line, S_COUNT if there is no such
 * section. */
static enum section header(struct span line)
{
    struct span s = trim(line);
    if (s.end - s.at < 2 || s.at[0] != '-' || s.at[1] != '-')
        return S_NONE;
    s.at += 2;
    s = trim(s);
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
        if ((size_t)(s.end - s.at) == strlen(sections[i].name) &&
            memcmp(s.at, sections[i].name, (size_t)(s.end - s.at)) == 0)
            return (enum section)sections[i].section;
    return S_COUNT;
}

static int enter(struct reader *r, enum section s, struct span line, const char *start)
{
    if (s != S_IGNORED && r->seen_line[s])
        return fail(r, CTS_E_SYNTAX, "this section is there twice", line, start);
    r->seen_line[s] = r->line;
    r->now = s;
    return 0;
}

static struct span next_word(struct span *rest)
{
    struct span s = trim(*rest);
    const char *p = s.at;
    while (p < s.end && !is_blank(*p))
        p++;
    rest->at = p;
    return (struct span){s.at, p};
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = c >= 'A' && c <= 'F' ? (char)(c + 32) : c;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_mem(struct reader *r, struct span line, const char *start)
{
    for (struct span w = next_word(&line); w.at < w.end; w = next_word(&line)) {
        int v = 0;
        bool good = w.end - w.at <= 2;
        for (const char *p = w.at; good && p < w.end; p++) {
            good = digit(*p) >= 0;
            v = good ? v << 4 | digit(*p) : 0;
        }
        if (!good)
            return fail(r, CTS_E_SYNTAX, "a byte is two hexadecimal digits", w, start);
        if (r->t->mem_bytes == CTS_CONF_MEM_MAX)
            return fail(r, CTS_E_LIMIT, "too much memory", w, start);
        r->mem[r->t->mem_bytes++] = (uint8_t)v;
    }
    return 0;
}

static int word_number(struct reader *r, struct span w, const char *start, uint64_t *v)
{
    bool negative;
    int rc = cts_conf_number(w.at, (size_t)(w.end - w.at), &negative, v);
    if (rc || (negative && *v > UINT64_C(1) << 63))
        return fail(r, rc ? rc : CTS_E_RANGE, "not a number of 64 bits", w, start);
    if (negative)
        *v = 0 - *v;
    return 0;
}

static int add_slot(struct reader *r, struct span where, const char *start, uint64_t v)
{
    if (r->raw_slots == RAW_SLOTS_MAX)
        return fail(r, CTS_E_LIMIT, "too many instructions", where, start);
    for (unsigned i = 0; i < 8; i++)
        r->raw[(size_t)r->raw_slots * 8 + i] = (uint8_t)(v >> 8 * i);
    r->raw_slots++;
    return 0;
}

/* "95 00 00 00 00 00 00 00": eight pairs of hexadecimal digits on a line are the bytes of one slot
 * in the little-endian encoding. */
static bool is_byte_line(struct span line, uint64_t *v)
{
    unsigned n = 0;
    *v = 0;
    for (struct span w = next_word(&line); w.at < w.end; w = next_word(&line), n++) {
        int hi = w.end - w.at == 2 ? digit(w.at[0]) : -1, lo = hi < 0 ? -1 : digit(w.at[1]);
        if (n == 8 || lo < 0)
            return false;
        *v |= (uint64_t)(hi << 4 | lo) << 8 * n;
    }
    return n == 8;
}

static int read_raw(struct reader *r, struct span line, const char *start)
{
    uint64_t bytes;
    if (is_byte_line(line, &bytes))
        return add_slot(r, trim(line), start, bytes);
    for (struct span w = next_word(&line); w.at < w.end; w = next_word(&line)) {
        uint64_t v;
        int rc = word_number(r, w, start, &v);
        if (rc == 0)
            rc = add_slot(r, w, start, v);
        if (rc)
            return rc;
    }
    return 0;
}

static int read_result(struct reader *r, struct span line, const char *start)
{
    struct span w = trim(line);
    if (w.at == w.end)
        return 0;
    if (r->has_result)
        return fail(r, CTS_E_SYNTAX, "a second result", w, start);
    r->has_result = true;
    return word_number(r, w, start, &r->t->result);
}

static int read_error(struct reader *r, struct span line, const char *start)
{
    struct span w = trim(line);
    if (w.at == w.end)
        return 0;
    if (r->t->error[0])
        return fail(r, CTS_E_SYNTAX, "a second line of the error", w, start);
    r->t->error = cts_arena_strndup(r->arena, w.at, (size_t)(w.end - w.at));
    return r->t->error ? 0 : cts_err_set(r->err, CTS_E_NOMEM, "out of memory");
}

static int read_body(struct reader *r, struct span line, const char *start)
{
    switch (r->now) {
    case S_NONE:
        return trim(line).at == trim(line).end
                   ? 0
                   : fail(r, CTS_E_SYNTAX, "text before the first section", trim(line), start);
    case S_ASM:
    case S_IGNORED:
    case S_COUNT:
        return 0;
    case S_RAW:
        return read_raw(r, line, start);
    case S_MEM:
        return read_mem(r, line, start);
    case S_RESULT:
        return read_result(r, line, start);
    case S_ERROR:
        return read_error(r, line, start);
    }
    return 0;
}

/* The lines of the asm section are handed to the assembler as they are. */
static void extend_asm(struct reader *r, const char *start, const char *next)
{
    if (!r->asm_text) {
        r->asm_text = start;
        r->asm_line = r->line;
    }
    r->asm_len = (size_t)(next - r->asm_text);
}

static int read_line(struct reader *r, const char *start, const char *end, const char *next)
{
    struct span whole = {start, end};
    struct span line = r->now == S_IGNORED ? whole : without_comment(whole);
    enum section s = header(line);
    if (s == S_COUNT && r->now == S_IGNORED) /* C has such lines, too */
        return 0;
    if (s == S_COUNT)
        return fail(r, CTS_E_SYNTAX, "no such section", trim(line), start);
    if (s != S_NONE)
        return enter(r, s, trim(line), start);
    if (r->now == S_ASM)
        extend_asm(r, start, next);
    return read_body(r, line, start);
}

static int read_lines(struct reader *r, const char *text, size_t len)
{
    const char *end = text + len;
    int rc = 0;
    for (const char *p = text; rc == 0 && p < end;) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        const char *next = eol ? eol + 1 : end;
        r->line++;
        rc = read_line(r, p, eol ? eol : end, next);
        p = next;
    }
    return rc;
}

static int at_file(struct reader *r, const char *msg)
{
    return cts_err_at(r->err, CTS_E_SYNTAX, r->file, 0, 0, "%s", msg);
}

static int finish(struct reader *r)
{
    struct cts_conf_test *t = r->t;
    if (r->raw_slots) {
        t->code = r->raw;
        t->slots = r->raw_slots;
    } else if (r->asm_text) {
        int rc = cts_conf_assemble(r->file, r->asm_line, r->asm_text, r->asm_len, r->arena,
                                   &t->code, &t->slots, r->err);
        if (rc)
            return rc;
    }
    unsigned line = r->raw_slots ? r->seen_line[S_RAW] : r->seen_line[S_ASM];
    t->pos = (struct cts_vec_pos){.file = r->file, .line = line ? line : 1, .col = 1};
    t->is_error = r->seen_line[S_ERROR] != 0;
    t->mem = r->mem;
    if (t->slots == 0)
        return at_file(r, "no instruction, neither in asm nor in raw");
    if (t->is_error && r->has_result)
        return at_file(r, "both a result and an error");
    if (!t->is_error && !r->has_result)
        return at_file(r, "neither a result nor an error");
    return 0;
}

/* A slot takes two characters at least. */
static size_t raw_room(size_t len)
{
    return len / 2 + 1 < RAW_SLOTS_MAX ? len / 2 + 1 : RAW_SLOTS_MAX;
}

int cts_conf_parse(const char *name, const char *text, size_t len, struct cts_arena *arena,
                   struct cts_conf_test *out, struct cts_err *err)
{
    *out = (struct cts_conf_test){.error = ""};
    struct reader r = {.file = cts_arena_strdup(arena, name), .arena = arena, .err = err, .t = out};
    r.mem = cts_arena_take(arena, CTS_CONF_MEM_MAX);
    r.raw = cts_arena_take_array(arena, raw_room(len), CTS_SLOT_BYTES);
    if (!r.file || !r.mem || !r.raw)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    int rc = cts_kind_want_text(name, text, len, ".data files of bpf_conformance", err);
    if (rc == 0)
        rc = read_lines(&r, text, len);
    return rc ? rc : finish(&r);
}
