#include "conf/impl.h"

#include <string.h>

#include "base/digit.h"
#include "host/kind.h"

enum section {
    S_NONE,
    S_ASM,
    S_RAW,
    S_MEM,
    S_RESULT,
    S_ERROR,
    S_NO_JIT,
    S_PYELF,
    S_RELOAD,
    S_UNLOAD,
    S_IGNORED,
    S_COUNT
};

static const struct {
    const char *name;
    uint8_t section;
} sections[] = {
    {"asm", S_ASM},
    {"raw", S_RAW},
    {"mem", S_MEM},
    {"result", S_RESULT},
    {"error", S_ERROR},
    {"error pattern", S_ERROR},
    {"no jit", S_NO_JIT},
    {"pyelf", S_PYELF},
    {"reload", S_RELOAD},
    {"unload", S_UNLOAD}, /* every program is unloaded after its runs */
    {"c", S_IGNORED},
    {"description", S_IGNORED},
    {"no register offset", S_IGNORED},
};

struct reader {
    const char *file;
    struct cts_arena *arena;
    struct cts_err *err;
    struct cts_conf_test *t;
    const struct cts_conf_link *links;
    size_t link_count;
    const char *at; /* the file that is being read: `file`, or one that it names */
    unsigned line;
    enum section now;
    unsigned seen_line[S_COUNT]; /* where each section began; 0: it did not */
    const char *asm_file;
    const char *asm_text; /* the whole lines of the asm section */
    size_t asm_len;
    unsigned asm_line;
    uint8_t *mem, *raw;
    uint32_t raw_slots, raw_cap;
};

/* A line, or a word in it. */
struct span {
    const char *at, *end;
};

static int fail(struct reader *r, int code, const char *msg, struct span what, const char *start)
{
    size_t len = (size_t)(what.end - what.at);
    return cts_err_at(r->err, code, r->at, r->line, (unsigned)(what.at - start) + 1, "%s: '%.*s'",
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
 * section. *link: what is behind an @, empty if there is none. */
static enum section header(struct span line, struct span *link)
{
    struct span s = trim(line);
    *link = (struct span){s.end, s.end};
    if (s.end - s.at < 2 || s.at[0] != '-' || s.at[1] != '-')
        return S_NONE;
    s.at += 2;
    const char *at = memchr(s.at, '@', (size_t)(s.end - s.at));
    if (at) {
        *link = trim((struct span){at + 1, s.end});
        s.end = at;
    }
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

/* Negative if it is none. */
static int digit(char c)
{
    unsigned value = cts_digit(c);
    return value < 16 ? (int)value : -1;
}

static int add_byte(struct reader *r, struct span w, const char *start, int hi, int lo)
{
    if (hi < 0 || lo < 0)
        return fail(r, CTS_E_SYNTAX, "a byte is two hexadecimal digits", w, start);
    if (r->t->mem_bytes == CTS_CONF_MEM_MAX)
        return fail(r, CTS_E_LIMIT, "too much memory", w, start);
    r->mem[r->t->mem_bytes++] = (uint8_t)(hi << 4 | lo);
    return 0;
}

/* Bytes, several of them with or without blanks in between; what is in front of a colon is an
 * offset, as hexdump and tcpdump print it. */
static int read_mem(struct reader *r, struct span line, const char *start)
{
    for (const char *p = line.at; p < line.end; p++)
        line.at = *p == ':' ? p + 1 : line.at;
    for (struct span w = next_word(&line); w.at < w.end; w = next_word(&line)) {
        size_t digits = (size_t)(w.end - w.at);
        int rc = 0;
        if (digits % 2 && digits > 1)
            return fail(r, CTS_E_SYNTAX, "a byte is two hexadecimal digits", w, start);
        if (digits == 1)
            rc = add_byte(r, w, start, 0, digit(w.at[0]));
        for (size_t i = 0; rc == 0 && i + 1 < digits; i += 2)
            rc = add_byte(r, w, start, digit(w.at[i]), digit(w.at[i + 1]));
        if (rc)
            return rc;
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
    if (r->raw_slots == r->raw_cap)
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
    if (r->t->has_result)
        return fail(r, CTS_E_SYNTAX, "a second result", w, start);
    r->t->has_result = true;
    return word_number(r, w, start, &r->t->result);
}

static int read_text(struct reader *r, struct span line, const char *start, const char **text)
{
    struct span w = trim(line);
    if (w.at == w.end)
        return 0;
    if (**text)
        return fail(r, CTS_E_SYNTAX, "a second line of the text", w, start);
    *text = cts_arena_strndup(r->arena, w.at, (size_t)(w.end - w.at));
    return *text ? 0 : cts_err_set(r->err, CTS_E_NOMEM, "out of memory");
}

static int read_nothing(struct reader *r, struct span line, const char *start, const char *why)
{
    struct span w = trim(line);
    return w.at == w.end ? 0 : fail(r, CTS_E_SYNTAX, why, w, start);
}

static int read_body(struct reader *r, struct span line, const char *start)
{
    switch (r->now) {
    case S_NONE:
        return read_nothing(r, line, start, "text before the first section");
    case S_RELOAD:
    case S_UNLOAD:
        return read_nothing(r, line, start, "this section is empty");
    case S_ASM:
    case S_PYELF:
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
        return read_text(r, line, start, &r->t->error);
    case S_NO_JIT:
        return read_text(r, line, start, &r->t->no_jit);
    }
    return 0;
}

/* The lines of the asm section are handed to the assembler as they are. */
static void extend_asm(struct reader *r, const char *start, const char *next)
{
    if (!r->asm_text) {
        r->asm_file = r->file;
        r->asm_text = start;
        r->asm_line = r->line;
    }
    r->asm_len = (size_t)(next - r->asm_text);
}

static bool is_passed_over(enum section s)
{
    return s == S_IGNORED || s == S_PYELF; /* C and Python have lines of two dashes, too */
}

static int read_lines(struct reader *r, const char *text, size_t len,
                      int (*line)(struct reader *r, const char *start, const char *end,
                                  const char *next))
{
    const char *end = text + len;
    int rc = 0;
    for (const char *p = text; rc == 0 && p < end;) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        const char *next = eol ? eol + 1 : end;
        r->line++;
        rc = line(r, p, eol ? eol : end, next);
        p = next;
    }
    return rc;
}

/* A line of a file that a section is read from: it belongs to that section, whatever it looks like.
 */
static int read_linked_line(struct reader *r, const char *start, const char *end, const char *next)
{
    (void)next;
    return read_body(r, without_comment((struct span){start, end}), start);
}

static int read_link(struct reader *r, struct span name, const char *start)
{
    const struct cts_conf_link *l = NULL;
    size_t len = (size_t)(name.end - name.at);
    for (size_t i = 0; i < r->link_count && !l; i++)
        if (strlen(r->links[i].name) == len && memcmp(r->links[i].name, name.at, len) == 0)
            l = &r->links[i];
    if (!l)
        return fail(r, CTS_E_NOTFOUND, "this file is not at hand", name, start);
    unsigned line = r->line;
    r->at = l->path;
    r->line = 0;
    int rc = 0;
    if (r->now == S_ASM) {
        r->asm_file = l->path;
        r->asm_text = l->text;
        r->asm_len = l->len;
        r->asm_line = 1;
    } else {
        rc = read_lines(r, l->text, l->len, read_linked_line);
    }
    r->at = r->file;
    r->line = line;
    return rc;
}

static int begin(struct reader *r, enum section s, struct span link, struct span line,
                 const char *start)
{
    int rc = enter(r, s, line, start);
    if (rc || (link.at == link.end && !memchr(line.at, '@', (size_t)(line.end - line.at))))
        return rc;
    if (s != S_ASM && s != S_MEM && s != S_RAW)
        return fail(r, CTS_E_SYNTAX, "this section is not read from a file", line, start);
    rc = read_link(r, link, start);
    r->now = S_NONE; /* nothing is added to it */
    return rc;
}

static int read_line(struct reader *r, const char *start, const char *end, const char *next)
{
    struct span whole = {start, end}, link;
    struct span line = is_passed_over(r->now) ? whole : without_comment(whole);
    enum section s = header(line, &link);
    if (s == S_COUNT && is_passed_over(r->now))
        return 0;
    if (s == S_COUNT)
        return fail(r, CTS_E_SYNTAX, "no such section", trim(line), start);
    if (s != S_NONE)
        return begin(r, s, link, trim(line), start);
    if (r->now == S_ASM)
        extend_asm(r, start, next);
    return read_body(r, line, start);
}

static int at_file(struct reader *r, const char *msg)
{
    return cts_err_at(r->err, CTS_E_SYNTAX, r->file, 0, 0, "%s", msg);
}

/* The program's instruction of this opcode, if it is a legal one; CTS_INSN_COUNT: there is none. */
static enum cts_insn_id find_opcode(const struct cts_conf_test *t, int opcode)
{
    for (uint32_t at = 0; at < t->slots;) {
        struct cts_insn in;
        enum cts_insn_id row;
        int n = cts_decode(t->code + (size_t)at * CTS_SLOT_BYTES, t->slots - at, false, &in, &row,
                           NULL);
        if (n > 0 && in.opcode == opcode && cts_insn_info(row)->section[0])
            return row;
        at += n > 0 ? (uint32_t)n : 1;
    }
    return CTS_INSN_COUNT;
}

/* The row of the RFC whose opcode the error calls unknown. */
static enum cts_insn_id denied_row(const struct cts_conf_test *t)
{
    static const char before[] = "unknown opcode 0x";
    const char *at = strstr(t->error, before);
    if (!at)
        return CTS_INSN_COUNT;
    at += sizeof(before) - 1;
    if (digit(at[0]) < 0 || digit(at[1]) < 0)
        return CTS_INSN_COUNT;
    return find_opcode(t, digit(at[0]) << 4 | digit(at[1]));
}

/* Is a helper called whose number is in a register? The opcode is that of a call of a function
 * whose address is in a register; a program without such an address means the other. */
static bool calls_by_number(const struct cts_conf_test *t)
{
    enum { CODE_ADDRESS = 4 };
    bool called = false;
    for (uint32_t i = 0; i < t->slots; i++) {
        struct cts_insn in;
        cts_slot_get(t->code + (size_t)i * CTS_SLOT_BYTES, false, &in);
        if (in.opcode == CTS_OPCODE_LDDW && in.src == CODE_ADDRESS)
            return false;
        called = called || in.opcode == CTS_OPCODE_CALLX;
        i += in.opcode == CTS_OPCODE_LDDW;
    }
    return called;
}

/* What is no test of instructions, or of those that there are no longer. */
static int find_skip(struct reader *r)
{
    struct cts_conf_test *t = r->t;
    enum cts_insn_id denied = denied_row(t);
    t->skip = "";
    if (r->seen_line[S_PYELF])
        t->skip = "a test of a reader of ELF files, whose file a Python program makes";
    else if (r->seen_line[S_RELOAD])
        t->skip = "a test of a library's interface: a second program is loaded over the first";
    else if (denied != CTS_INSN_COUNT)
        t->skip = cts_arena_fmt(r->arena, "it wants %s to be unknown, which RFC 9669 has",
                                cts_insn_info(denied)->id);
    else if (!t->is_error && calls_by_number(t))
        t->skip = "it calls the helper whose number is in a register, as no instruction here does";
    else if (strstr(t->error, "too many instructions"))
        t->skip = "a test of how long a program one runtime takes";
    else if (r->raw_slots && r->asm_text && !t->is_error && !t->has_result)
        t->skip = "a test of an assembler: its text and its bytes agree, and there is no result";
    return t->skip ? 0 : cts_err_set(r->err, CTS_E_NOMEM, "out of memory");
}

/* The program in both forms is one program. */
static int compare_forms(struct reader *r, const uint8_t *code, uint32_t slots)
{
    uint32_t i = 0;
    while (i < slots && i < r->raw_slots &&
           memcmp(code + (size_t)i * CTS_SLOT_BYTES, r->raw + (size_t)i * CTS_SLOT_BYTES,
                  CTS_SLOT_BYTES) == 0)
        i++;
    if (i == slots && i == r->raw_slots)
        return 0;
    return cts_err_at(r->err, CTS_E_SYNTAX, r->file, r->seen_line[S_RAW], 1,
                      "the program in asm is not the one in raw: slot %u differs", (unsigned)i);
}

static int take_program(struct reader *r)
{
    struct cts_conf_test *t = r->t;
    int rc = 0;
    if (r->asm_text)
        rc = cts_conf_assemble(r->asm_file, r->asm_line, r->asm_text, r->asm_len, r->arena,
                               &t->code, &t->slots, r->err);
    if (rc == 0 && t->slots && r->raw_slots)
        rc = compare_forms(r, t->code, t->slots);
    if (r->raw_slots) {
        t->code = r->raw;
        t->slots = r->raw_slots;
    }
    return rc;
}

/* Helpers get the numbers that workers know them by. */
static int number_helpers(struct reader *r)
{
    struct cts_conf_test *t = r->t;
    uint8_t *copy = cts_arena_take_array(r->arena, t->slots + 1, CTS_SLOT_BYTES);
    if (!copy)
        return cts_err_set(r->err, CTS_E_NOMEM, "out of memory");
    for (uint32_t i = 0; i < t->slots; i++) {
        struct cts_insn in;
        cts_slot_get(t->code + (size_t)i * CTS_SLOT_BYTES, false, &in);
        if (cts_conf_is_helper_call(&in))
            in.imm = cts_conf_helper_from(in.imm);
        cts_slot_put(copy + (size_t)i * CTS_SLOT_BYTES, false, &in);
    }
    t->code = copy;
    return 0;
}

static int finish(struct reader *r)
{
    struct cts_conf_test *t = r->t;
    unsigned line = r->seen_line[r->raw_slots ? S_RAW : r->asm_text ? S_ASM : S_PYELF];
    int rc = take_program(r);
    t->pos = (struct cts_vec_pos){.file = r->file, .line = line ? line : 1, .col = 1};
    t->is_error = r->seen_line[S_ERROR] != 0;
    t->mem = r->mem;
    if (rc == 0)
        rc = number_helpers(r);
    if (rc == 0)
        rc = find_skip(r);
    if (rc || t->skip[0])
        return rc;
    if (t->slots == 0)
        return at_file(r, "no instruction, neither in asm nor in raw");
    return t->is_error || t->has_result ? 0 : at_file(r, "neither a result nor an error");
}

/* A slot takes two characters at least. */
static uint32_t raw_room(const struct reader *r, size_t len)
{
    size_t slots = len / 2 + 1;
    for (size_t i = 0; i < r->link_count; i++)
        slots += r->links[i].len / 2 + 1;
    return slots < CTS_CONF_SLOTS_MAX ? (uint32_t)slots : CTS_CONF_SLOTS_MAX;
}

int cts_conf_parse(const char *name, const char *text, size_t len,
                   const struct cts_conf_link *links, size_t link_count, struct cts_arena *arena,
                   struct cts_conf_test *out, struct cts_err *err)
{
    *out = (struct cts_conf_test){.error = "", .skip = "", .no_jit = ""};
    struct reader r = {.file = cts_arena_strdup(arena, name),
                       .links = links,
                       .link_count = link_count,
                       .arena = arena,
                       .err = err,
                       .t = out};
    r.at = r.file;
    r.raw_cap = raw_room(&r, len);
    r.mem = cts_arena_take(arena, CTS_CONF_MEM_MAX);
    r.raw = cts_arena_take_array(arena, r.raw_cap, CTS_SLOT_BYTES);
    if (!r.file || !r.mem || !r.raw)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    int rc = cts_kind_want_text(name, text, len, ".data files of bpf_conformance", err);
    if (rc == 0)
        rc = read_lines(&r, text, len, read_line);
    return rc ? rc : finish(&r);
}
