/* Programs by the templates of spec/isa. Two passes: the first learns where the labels are. */
#include <stdlib.h>
#include <string.h>

#include "asm/asm.h"
#include "asm/unit.h"
#include "base/fmt.h"
#include "host/buf.h"

enum { LABELS_MAX = 1 << 20 };

struct label {
    const char *name;
    size_t len;
    uint32_t slot;
    unsigned line;
};

struct program {
    const struct cts_asm_src *src;
    enum cts_syntax syntax;
    bool be, measuring;
    struct cts_arena *arena;
    struct cts_buf code, labels; /* struct label, by name once all are known */
    unsigned line;
    uint32_t next; /* the slot behind the instruction being read */
    struct cts_err *err;
};

static struct label *labels_of(const struct program *p)
{
    return (struct label *)(void *)p->labels.data;
}

static size_t label_count(const struct program *p)
{
    return p->labels.len / sizeof(struct label);
}

static int order(const void *x, const void *y)
{
    const struct label *a = x, *b = y;
    size_t len = a->len < b->len ? a->len : b->len;
    int c = memcmp(a->name, b->name, len);

    return c ? c : (a->len > b->len) - (a->len < b->len);
}

static bool find_label(void *arg, const char *name, size_t len, int64_t *distance)
{
    const struct program *p = arg;
    const struct label key = {.name = name, .len = len};

    *distance = 0;
    if (p->measuring)
        return true;
    const struct label *l =
        label_count(p) ? bsearch(&key, p->labels.data, label_count(p), sizeof(key), order) : NULL;
    if (l)
        *distance = (int64_t)l->slot - p->next;
    return l != NULL;
}

static uint32_t slot_of(const struct program *p)
{
    return (uint32_t)(p->code.len / CTS_SLOT_BYTES);
}

/* An error in the text of a line, `from` characters into the source's line. */
static int at_line(const struct program *p, int rc, size_t from)
{
    cts_fmt(p->err->file, sizeof(p->err->file), "%s", p->src->file);
    p->err->line = p->src->line + p->line - 1;
    p->err->col += p->err->col ? (unsigned)from : 0;
    return rc;
}

static int take_insn(struct program *p, const char *text)
{
    const struct cts_text_names names = {find_label, p};
    uint8_t bytes[2 * CTS_SLOT_BYTES];
    struct cts_insn in;
    enum cts_insn_id row;
    int slots = cts_text_raw(text, bytes, p->err);

    /* What a name is away depends on how long the instruction is. */
    for (uint32_t len = 1; slots == 0 && len <= 2; len++) {
        p->next = slot_of(p) + len;
        int rc = cts_text_parse(text, p->syntax, &names, &in, &row, p->err);
        if (rc)
            return rc;
        bool wide = cts_insn_info(row)->flags & CTS_RF_WIDE;
        if (wide && len == 1)
            continue;
        slots = cts_encode(row, &in, p->be, bytes, p->err);
    }
    if (slots > 0)
        cts_buf_add(&p->code, bytes, (size_t)slots * CTS_SLOT_BYTES);
    return slots < 0 ? slots : 0;
}

/* Labels and one instruction, or less. */
static int take_statement(struct program *p, const char *text, size_t from)
{
    const char *name, *rest = text;
    size_t len;

    while ((len = cts_text_label(text, &name, &rest)) != 0) {
        const struct label l = {name, len, slot_of(p), p->line};
        if (p->measuring)
            cts_buf_add(&p->labels, &l, sizeof(l));
        from += (size_t)(rest - text);
        text = rest;
    }
    if (cts_text_is_blank(text))
        return 0;
    int rc = take_insn(p, text);
    return rc ? at_line(p, rc, from) : 0;
}

/* One line, terminated; in LLVM's syntax it may hold several statements. */
static int take_line(struct program *p, char *line)
{
    char *at = line;
    int rc = 0;

    if (p->syntax != CTS_SYNTAX_LLVM)
        return take_statement(p, line, 0);
    char *slashes = strstr(line, "//"), *hash = strchr(line, '#');
    if (slashes && (!hash || slashes < hash))
        *slashes = '\0';
    while (rc == 0 && at) {
        char *end = at + strcspn(at, ";#");
        char *next = *end == ';' ? end + 1 : NULL;
        if (next)
            *end = '\0';
        rc = take_statement(p, at, (size_t)(at - line));
        at = next;
    }
    return rc;
}

static int pass(struct program *p, bool measuring)
{
    const char *text = p->src->text;

    p->measuring = measuring;
    cts_buf_clear(&p->code);
    for (p->line = 1; *text; p->line++) {
        size_t len = strcspn(text, "\n");
        char *copy = cts_arena_strndup(p->arena, text, len);
        int rc = copy ? take_line(p, copy) : cts_err_set(p->err, CTS_E_NOMEM, "out of memory");
        if (rc)
            return rc;
        text += len + (text[len] == '\n');
    }
    if (p->code.failed || p->labels.failed)
        return cts_err_set(p->err, CTS_E_LIMIT, "the program is too long");
    return 0;
}

static int sort_labels(struct program *p)
{
    struct label *l = labels_of(p);

    if (label_count(p))
        qsort(l, label_count(p), sizeof(*l), order);
    for (size_t i = 1; i < label_count(p); i++) {
        if (order(&l[i - 1], &l[i]) != 0)
            continue;
        unsigned first = l[i].line < l[i - 1].line ? l[i].line : l[i - 1].line;
        p->line = l[i].line < l[i - 1].line ? l[i - 1].line : l[i].line;
        return at_line(
            p,
            cts_err_set(p->err, CTS_E_SYNTAX, "duplicate label '%.*s' (first defined at line %u)",
                        (int)(l[i].len < 40 ? l[i].len : 40), l[i].name, p->src->line + first - 1),
            0);
    }
    return 0;
}

static int copy_out(const struct program *p, struct cts_asm_out *out)
{
    uint8_t *bytes = cts_arena_take_array(p->arena, p->code.len ? p->code.len : 1, 1);

    if (!bytes)
        return cts_err_set(p->err, CTS_E_NOMEM, "out of memory");
    if (p->code.len)
        memcpy(bytes, p->code.data, p->code.len);
    out->bytes = bytes;
    out->slots = slot_of(p);
    return 0;
}

void cts_asm_own(const struct cts_asm_src *src, enum cts_syntax syntax, bool be,
                 struct cts_arena *arena, struct cts_asm_out *out)
{
    struct program p = {.src = src, .syntax = syntax, .be = be, .arena = arena, .err = &out->err};

    *out = (struct cts_asm_out){.rc = 0};
    cts_buf_init(&p.code, CTS_ASM_TEXT_MAX);
    cts_buf_init(&p.labels, LABELS_MAX * sizeof(struct label));
    out->rc = pass(&p, true);
    if (out->rc == 0)
        out->rc = sort_labels(&p);
    if (out->rc == 0)
        out->rc = pass(&p, false);
    if (out->rc == 0)
        out->rc = copy_out(&p, out);
    cts_buf_release(&p.code);
    cts_buf_release(&p.labels);
}
