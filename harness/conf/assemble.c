#include "conf/impl.h"

#include <string.h>

/* One line is at most a label and an instruction. Labels are resolved when all lines are read. */

struct label {
    const char *name;
    size_t len;
    uint32_t slot;
    unsigned line;
};

/* A jump to a label: which of its fields is to hold the distance. */
struct jump {
    uint32_t slot;
    bool in_imm;
    const char *name;
    size_t len;
    unsigned line, col;
};

struct assembler {
    const char *file;
    const char *start, *at, *end; /* of the line being read; `at` moves */
    unsigned line;
    struct cts_arena *arena;
    struct cts_err *err;
    uint8_t *code;
    uint32_t slots, slot_cap;
    struct label *labels;
    struct jump *jumps;
    size_t label_count, jump_count, label_cap, jump_cap;
    bool has_exit;
    uint32_t first_exit;
};

#define FAIL_AT(a, place, code, ...)                                                               \
    cts_err_at((a)->err, (code), (a)->file, (a)->line, (unsigned)((place) - (a)->start) + 1,       \
               __VA_ARGS__)
#define FAIL(a, code, ...) FAIL_AT((a), (a)->at, (code), __VA_ARGS__)

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

static void skip_blanks(struct assembler *a)
{
    while (a->at < a->end && is_blank(*a->at))
        a->at++;
}

static bool take_char(struct assembler *a, char c)
{
    skip_blanks(a);
    if (a->at == a->end || *a->at != c)
        return false;
    a->at++;
    return true;
}

/* The word at the current place; empty if there is none. */
static size_t peek_word(struct assembler *a, const char **word)
{
    skip_blanks(a);
    *word = a->at;
    const char *p = a->at;
    while (p < a->end && is_word(*p))
        p++;
    return (size_t)(p - a->at);
}

static bool take_word(struct assembler *a, const char *want)
{
    const char *word;
    size_t len = peek_word(a, &word);
    if (len != strlen(want) || memcmp(word, want, len) != 0)
        return false;
    a->at += len;
    return true;
}

int cts_conf_number(const char *text, size_t len, bool *negative, uint64_t *v)
{
    size_t i = 0;
    *negative = len && text[0] == '-';
    if (len && (text[0] == '-' || text[0] == '+'))
        i++;
    unsigned base =
        len - i > 2 && text[i] == '0' && (text[i + 1] == 'x' || text[i + 1] == 'X') ? 16 : 10;
    i += base == 16 ? 2 : 0;
    *v = 0;
    if (i == len)
        return CTS_E_SYNTAX;
    for (; i < len; i++) {
        char c = text[i];
        unsigned d = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                            : 16;
        if (d >= base)
            return CTS_E_SYNTAX;
        if (*v > (UINT64_MAX - d) / base)
            return CTS_E_RANGE;
        *v = *v * base + d;
    }
    return 0;
}

/* A number of `bits` bits: signed, or as its bits where it is written in hexadecimal. */
static int take_number(struct assembler *a, unsigned bits, const char *what, int64_t *out)
{
    skip_blanks(a);
    const char *p = a->at;
    bool negative;
    uint64_t v;
    if (p < a->end && (*p == '-' || *p == '+'))
        p++;
    while (p < a->end && is_word(*p))
        p++;
    size_t len = (size_t)(p - a->at);
    int rc = cts_conf_number(a->at, len, &negative, &v);
    if (rc == CTS_E_SYNTAX)
        return FAIL(a, CTS_E_SYNTAX, "%s: a number, not '%.*s'", what, (int)(len < 40 ? len : 40),
                    a->at);
    bool hex = memchr(a->at, 'x', len) || memchr(a->at, 'X', len);
    uint64_t most = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1, half = most / 2;
    if (rc || (negative ? v > half + 1 : v > (hex || bits == 64 ? most : half)))
        return FAIL(a, CTS_E_RANGE, "%s: %.*s does not fit into %u bits", what, (int)len, a->at,
                    bits);
    a->at = p;
    *out = (int64_t)(negative ? 0 - v : v);
    return 0;
}

static int take_register(struct assembler *a, uint8_t *reg)
{
    const char *word, *place;
    skip_blanks(a);
    place = a->at;
    if (!take_char(a, '%'))
        return FAIL(a, CTS_E_SYNTAX, "a register is wanted: %%r0 to %%r10");
    size_t len = peek_word(a, &word);
    unsigned n = 16;
    if (len == 2 && word[0] == 'r' && word[1] >= '0' && word[1] <= '9')
        n = (unsigned)(word[1] - '0');
    else if (len == 3 && word[0] == 'r' && word[1] == '1' && word[2] >= '0' && word[2] <= '5')
        n = 10u + (unsigned)(word[2] - '0');
    if (n == 16 || word != place + 1)
        return FAIL_AT(a, place, CTS_E_SYNTAX, "not a register: '%%%.*s'",
                       (int)(len < 40 ? len : 40), word);
    a->at += len;
    *reg = (uint8_t)n;
    return 0;
}

static bool at_register(struct assembler *a)
{
    skip_blanks(a);
    return a->at < a->end && *a->at == '%';
}

static int take_comma(struct assembler *a)
{
    return take_char(a, ',') ? 0 : FAIL(a, CTS_E_SYNTAX, "a comma is wanted");
}

/* [%r1+8], [%r1-8], [%r1] */
static int take_memory(struct assembler *a, uint8_t *reg, int16_t *off)
{
    int64_t n = 0;
    if (!take_char(a, '['))
        return FAIL(a, CTS_E_SYNTAX, "an address is wanted: [%%r1+8]");
    int rc = take_register(a, reg);
    skip_blanks(a);
    if (rc == 0 && a->at < a->end && *a->at != ']') {
        if (*a->at != '+' && *a->at != '-')
            return FAIL(a, CTS_E_SYNTAX, "+, - or ] is wanted");
        rc = take_number(a, 16, "offset", &n);
    }
    if (rc == 0 && !take_char(a, ']'))
        rc = FAIL(a, CTS_E_SYNTAX, "] is wanted");
    *off = (int16_t)(uint16_t)n;
    return rc;
}

static void *grow(struct assembler *a, void *old, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return old;
    size_t more = *cap ? *cap * 2 : 64;
    void *bigger = cts_arena_take_array(a->arena, more, size);
    if (bigger && count)
        memcpy(bigger, old, count * size);
    *cap = bigger ? more : *cap;
    return bigger;
}

static int no_memory(struct assembler *a)
{
    return cts_err_set(a->err, CTS_E_NOMEM, "out of memory");
}

/* +3, -1, or a label that is looked up later. */
static int take_target(struct assembler *a, bool in_imm, struct cts_insn *in)
{
    const char *word;
    int64_t n;
    skip_blanks(a);
    if (a->at < a->end && (*a->at == '+' || *a->at == '-')) {
        int rc = take_number(a, in_imm ? 32 : 16, "target", &n);
        if (rc == 0 && in_imm)
            in->imm = (int32_t)(uint32_t)n;
        else if (rc == 0)
            in->off = (int16_t)(uint16_t)n;
        return rc;
    }
    size_t len = peek_word(a, &word);
    if (len == 0 || (word[0] >= '0' && word[0] <= '9'))
        return FAIL(a, CTS_E_SYNTAX, "a label, +N or -N is wanted");
    if (a->jump_count == CTS_CONF_SLOTS_MAX)
        return FAIL(a, CTS_E_LIMIT, "too many jumps");
    struct jump *list = grow(a, a->jumps, a->jump_count, &a->jump_cap, sizeof(*list));
    if (!list)
        return no_memory(a);
    a->jumps = list;
    list[a->jump_count++] = (struct jump){.slot = a->slots,
                                          .in_imm = in_imm,
                                          .name = word,
                                          .len = len,
                                          .line = a->line,
                                          .col = (unsigned)(word - a->start) + 1};
    a->at += len;
    return 0;
}

static int put_bytes(struct assembler *a, const uint8_t *bytes, uint32_t n)
{
    if (a->slots + n > CTS_CONF_SLOTS_MAX)
        return FAIL(a, CTS_E_LIMIT, "more than %d instructions", CTS_CONF_SLOTS_MAX);
    if (a->slots + n > a->slot_cap) {
        uint32_t cap = a->slot_cap ? a->slot_cap * 2 : 64;
        uint8_t *bigger = cts_arena_take_array(a->arena, cap, CTS_SLOT_BYTES);
        if (!bigger)
            return no_memory(a);
        if (a->slots)
            memcpy(bigger, a->code, (size_t)a->slots * CTS_SLOT_BYTES);
        a->code = bigger;
        a->slot_cap = cap;
    }
    memcpy(a->code + (size_t)a->slots * CTS_SLOT_BYTES, bytes, (size_t)n * CTS_SLOT_BYTES);
    a->slots += n;
    return 0;
}

/* Registers 11 to 15 are there to be refused by runtimes: the strict encoder would do it first. */
static int put_insn(struct assembler *a, enum cts_row_id row, struct cts_insn *in,
                    const char *place)
{
    uint8_t bytes[16], dst = in->dst, src = in->src;
    struct cts_err why = {0};
    in->dst = dst > 10 ? 0 : dst;
    in->src = src > 10 ? 0 : src;
    int n = cts_encode(row, in, false, bytes, &why);
    if (n < 0)
        return FAIL_AT(a, place, n, "%s", why.msg);
    if (dst > 10)
        bytes[1] = (uint8_t)((bytes[1] & 0xf0) | dst);
    if (src > 10)
        bytes[1] = (uint8_t)((bytes[1] & 0x0f) | src << 4);
    return put_bytes(a, bytes, (uint32_t)n);
}

static int take_imm(struct assembler *a, struct cts_insn *in)
{
    int64_t n = 0;
    int rc = take_number(a, 32, "immediate", &n);
    in->imm = (int32_t)(uint32_t)n;
    return rc;
}

/* A register or an immediate, and the row that goes with it. */
static int take_operand(struct assembler *a, const struct cts_conf_mnemonic *m, struct cts_insn *in,
                        enum cts_row_id *row)
{
    bool reg = at_register(a);
    *row = reg ? m->x : m->k;
    return reg ? take_register(a, &in->src) : take_imm(a, in);
}

static int take_wide(struct assembler *a, struct cts_insn *in)
{
    int64_t n = 0;
    int rc = take_number(a, 64, "immediate", &n);
    in->imm = (int32_t)(uint32_t)(uint64_t)n;
    in->next_imm = (int32_t)(uint32_t)((uint64_t)n >> 32);
    return rc;
}

/* call 5, call helper 5, call local f, call runtime 7, call %r1 */
static int take_call(struct assembler *a, const char *place)
{
    struct cts_insn in = {.opcode = 0x8d};
    uint8_t bytes[8];
    if (take_word(a, "local")) {
        int rc = take_target(a, true, &in);
        return rc ? rc : put_insn(a, CTS_ROW_CALL_LOCAL, &in, place);
    }
    bool runtime = take_word(a, "runtime");
    if (!runtime && !take_word(a, "helper") && at_register(a)) {
        int rc = take_register(a, &in.dst);
        cts_slot_put(bytes, false, &in); /* a call through a register: no row has it */
        return rc ? rc : put_bytes(a, bytes, 1);
    }
    int rc = take_imm(a, &in);
    return rc ? rc : put_insn(a, runtime ? CTS_ROW_CALL_BTF : CTS_ROW_CALL_HELPER, &in, place);
}

static int take_atomic(struct assembler *a, const struct cts_conf_mnemonic *m, bool fetch,
                       const char *place)
{
    struct cts_insn in = {0};
    enum cts_row_id row = fetch ? m->x : m->k;
    if (row == CTS_ROW_COUNT)
        return FAIL_AT(a, place, CTS_E_SYNTAX, "this operation has no form with fetch");
    int rc = take_memory(a, &in.dst, &in.off);
    if (rc == 0)
        rc = take_comma(a);
    if (rc == 0)
        rc = take_register(a, &in.src);
    return rc ? rc : put_insn(a, row, &in, place);
}

/* Operands of everything else, in their order. */
static int take_operands(struct assembler *a, const struct cts_conf_mnemonic *m,
                         struct cts_insn *in, enum cts_row_id *row)
{
    int rc = 0;
    switch ((enum cts_conf_form)m->form) {
    case CTS_CF_ALU:
    case CTS_CF_JUMP:
        rc = take_register(a, &in->dst);
        if (rc == 0)
            rc = take_comma(a);
        if (rc == 0)
            rc = take_operand(a, m, in, row);
        if (rc == 0 && m->form == CTS_CF_JUMP)
            rc = take_comma(a);
        if (rc == 0 && m->form == CTS_CF_JUMP)
            rc = take_target(a, false, in);
        return rc;
    case CTS_CF_UNARY:
        return take_register(a, &in->dst);
    case CTS_CF_MOVSX:
        rc = take_register(a, &in->dst);
        if (rc == 0)
            rc = take_comma(a);
        return rc ? rc : take_register(a, &in->src);
    case CTS_CF_LDDW:
        rc = take_register(a, &in->dst);
        if (rc == 0)
            rc = take_comma(a);
        return rc ? rc : take_wide(a, in);
    case CTS_CF_LDX:
        rc = take_register(a, &in->dst);
        if (rc == 0)
            rc = take_comma(a);
        return rc ? rc : take_memory(a, &in->src, &in->off);
    case CTS_CF_ST:
    case CTS_CF_STX:
        rc = take_memory(a, &in->dst, &in->off);
        if (rc == 0)
            rc = take_comma(a);
        if (rc)
            return rc;
        return m->form == CTS_CF_ST ? take_imm(a, in) : take_register(a, &in->src);
    case CTS_CF_JA:
    case CTS_CF_JA32:
        return take_target(a, m->form == CTS_CF_JA32, in);
    case CTS_CF_EXIT:
    case CTS_CF_CALL:
    case CTS_CF_ATOMIC:
        break;
    }
    return rc;
}

static int take_insn(struct assembler *a)
{
    struct cts_conf_mnemonic m;
    const char *word;
    const char *place = (skip_blanks(a), a->at);
    bool lock = take_word(a, "lock"), fetch = lock && take_word(a, "fetch");
    size_t len = peek_word(a, &word);
    if (!cts_conf_mnemonic(word, len, lock, &m))
        return FAIL(a, CTS_E_SYNTAX, "there is no instruction '%s%.*s'", lock ? "lock " : "",
                    (int)(len < 40 ? len : 40), word);
    a->at += len;
    if (m.form == CTS_CF_EXIT && !a->has_exit) {
        a->has_exit = true;
        a->first_exit = a->slots;
    }
    if (m.form == CTS_CF_CALL)
        return take_call(a, place);
    if (m.form == CTS_CF_ATOMIC)
        return take_atomic(a, &m, fetch, place);
    struct cts_insn in = {0};
    enum cts_row_id row = m.k;
    int rc = take_operands(a, &m, &in, &row);
    return rc ? rc : put_insn(a, row, &in, place);
}

static const struct label *find_label(const struct assembler *a, const char *name, size_t len)
{
    for (size_t i = 0; i < a->label_count; i++)
        if (a->labels[i].len == len && memcmp(a->labels[i].name, name, len) == 0)
            return &a->labels[i];
    return NULL;
}

/* "name:" at the current place; false if there is none. */
static int take_label(struct assembler *a, bool *found)
{
    const char *word;
    size_t len = peek_word(a, &word);
    *found = len && word + len < a->end && word[len] == ':';
    if (!*found)
        return 0;
    const struct label *twin = find_label(a, word, len);
    if (twin)
        return FAIL(a, CTS_E_SYNTAX, "the label '%.*s' is there already, in line %u",
                    (int)(len < 40 ? len : 40), word, twin->line);
    if (word[0] >= '0' && word[0] <= '9')
        return FAIL(a, CTS_E_SYNTAX, "a label does not begin with a digit");
    if (a->label_count == CTS_CONF_LABELS_MAX)
        return FAIL(a, CTS_E_LIMIT, "more than %d labels", CTS_CONF_LABELS_MAX);
    struct label *list = grow(a, a->labels, a->label_count, &a->label_cap, sizeof(*list));
    if (!list)
        return no_memory(a);
    a->labels = list;
    list[a->label_count++] =
        (struct label){.name = word, .len = len, .slot = a->slots, .line = a->line};
    a->at += len + 1;
    return 0;
}

static int take_line(struct assembler *a)
{
    bool found = true;
    int rc = 0;
    while (rc == 0 && found)
        rc = take_label(a, &found);
    skip_blanks(a);
    if (rc || a->at == a->end)
        return rc;
    rc = take_insn(a);
    skip_blanks(a);
    if (rc == 0 && a->at != a->end)
        rc = FAIL(a, CTS_E_SYNTAX, "text behind the instruction");
    return rc;
}

/* The first exit is a label of its own, unless there is one of that name. */
static bool label_slot(const struct assembler *a, const struct jump *j, uint32_t *slot)
{
    const struct label *l = find_label(a, j->name, j->len);
    if (l) {
        *slot = l->slot;
        return true;
    }
    *slot = a->first_exit;
    return a->has_exit && j->len == 4 && memcmp(j->name, "exit", 4) == 0;
}

static int resolve(struct assembler *a, const struct jump *j)
{
    uint8_t *bytes = a->code + (size_t)j->slot * CTS_SLOT_BYTES;
    struct cts_insn in;
    uint32_t slot;
    if (!label_slot(a, j, &slot))
        return cts_err_at(a->err, CTS_E_NOTFOUND, a->file, j->line, j->col,
                          "there is no label '%.*s'", (int)(j->len < 40 ? j->len : 40), j->name);
    int64_t rel = (int64_t)slot - j->slot - 1;
    if (!j->in_imm && (rel < INT16_MIN || rel > INT16_MAX))
        return cts_err_at(a->err, CTS_E_RANGE, a->file, j->line, j->col, "the label is too far");
    cts_slot_get(bytes, false, &in);
    if (j->in_imm)
        in.imm = (int32_t)rel;
    else
        in.off = (int16_t)rel;
    cts_slot_put(bytes, false, &in);
    return 0;
}

int cts_conf_assemble(const char *name, unsigned line, const char *text, size_t len,
                      struct cts_arena *arena, const uint8_t **code, uint32_t *slots,
                      struct cts_err *err)
{
    struct assembler a = {.file = name, .line = line, .arena = arena, .err = err};
    const char *end = text + len;
    int rc = 0;
    *code = NULL;
    *slots = 0;
    for (const char *p = text; rc == 0 && p < end; a.line++) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        const char *next = eol ? eol + 1 : end;
        const char *stop = eol ? eol : end;
        const char *comment = memchr(p, '#', (size_t)(stop - p));
        a.start = a.at = p;
        a.end = comment ? comment : stop;
        rc = take_line(&a);
        p = next;
    }
    for (size_t i = 0; rc == 0 && i < a.jump_count; i++)
        rc = resolve(&a, &a.jumps[i]);
    if (rc)
        return rc;
    *code = a.code;
    *slots = a.slots;
    return 0;
}
