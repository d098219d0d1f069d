#include "conf/impl.h"

#include <string.h>

#include "base/digit.h"
#include "isa/text.h"

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
    /* The instruction at hand, and the place it names. */
    char text[CTS_INSN_TEXT_MAX];
    struct jump target;
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
        unsigned d = cts_digit(text[i]);
        if (d >= base)
            return CTS_E_SYNTAX;
        if (*v > (UINT64_MAX - d) / base)
            return CTS_E_RANGE;
        *v = *v * base + d;
    }
    return 0;
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

/* A jump's label is looked up when all are known: until then its distance is 0. */
static bool note_jump(void *arg, const char *name, size_t len, int64_t *distance)
{
    struct assembler *a = arg;

    a->target = (struct jump){.slot = a->slots, .name = a->at + (name - a->text), .len = len};
    *distance = 0;
    return true;
}

static int add_jump(struct assembler *a, enum cts_insn_id row)
{
    struct jump *list = grow(a, a->jumps, a->jump_count, &a->jump_cap, sizeof(*list));
    if (!list)
        return no_memory(a);
    a->jumps = list;
    a->target.in_imm = row == CTS_INSN_JA32 || row == CTS_INSN_CALL_LOCAL;
    a->target.line = a->line;
    a->target.col = (unsigned)(a->target.name - a->start) + 1;
    list[a->jump_count++] = a->target;
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
static int encode(const struct cts_insn *in, bool strict, uint8_t bytes[16], enum cts_insn_id *row,
                  struct cts_err *why)
{
    struct cts_insn plain = *in;
    plain.dst = strict || in->dst < CTS_REG_COUNT ? in->dst : 0;
    plain.src = strict || in->src < CTS_REG_COUNT ? in->src : 0;
    *row = cts_insn_of(&plain);
    int n = cts_encode(*row, &plain, false, bytes, why);
    if (n > 0)
        bytes[1] = (uint8_t)(in->src << 4 | in->dst);
    return n;
}

static int take_insn(struct assembler *a)
{
    const struct cts_text_names names = {note_jump, a};
    struct cts_err why = {0};
    struct cts_insn in;
    enum cts_insn_id row;
    uint8_t bytes[16];
    size_t len = (size_t)(a->end - a->at);
    if (len >= sizeof(a->text))
        return FAIL(a, CTS_E_LIMIT, "the instruction is too long");
    memcpy(a->text, a->at, len);
    a->text[len] = '\0';
    a->target = (struct jump){0};
    int rc = cts_text_parse(a->text, CTS_SYNTAX_UBPF, &names, &in, &row, &why);
    if (rc == 0 || rc == CTS_E_INVAL)
        rc = encode(&in, rc == 0, bytes, &row, rc == 0 ? &why : &(struct cts_err){0});
    if (rc < 0)
        return FAIL_AT(a, a->at + (why.col ? why.col - 1 : 0), why.code, "%s", why.msg);
    if (row == CTS_INSN_EXIT && !a->has_exit) {
        a->has_exit = true;
        a->first_exit = a->slots;
    }
    int slots = rc;
    rc = a->target.name ? add_jump(a, row) : 0;
    return rc ? rc : put_bytes(a, bytes, (uint32_t)slots);
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
        return FAIL(a, CTS_E_SYNTAX, "duplicate label '%.*s' (first defined at line %u)",
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
    return take_insn(a);
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
        return cts_err_at(a->err, CTS_E_NOTFOUND, a->file, j->line, j->col, "unknown label '%.*s'",
                          (int)(j->len < 40 ? j->len : 40), j->name);
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
