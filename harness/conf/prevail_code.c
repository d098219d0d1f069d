#include <string.h>

#include "base/fmt.h"
#include "conf/prevail_int.h"
#include "isa/text.h"

enum { LINE = 160 };

struct reader {
    struct cts_pv_code *c;
    const struct cts_yaml *blocks;
    const char *end;
    struct cts_arena *arena;
    size_t block; /* being read */
    unsigned assumed;
};

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Every name is a place, for now. */
static bool find_any(void *arg, const char *name, size_t len, int64_t *distance)
{
    (void)arg, (void)name, (void)len;
    *distance = 0;
    return true;
}

static void replace(char line[LINE], const char *what, const char *with)
{
    char *at = strstr(line, what), rest[LINE];
    if (!at)
        return;
    cts_fmt(rest, sizeof(rest), "%s", at + strlen(what));
    cts_fmt(at, (size_t)(line + LINE - at), "%s%s", with, rest);
}

/* <name>, wherever a place may be named: L_name */
static void rename_labels(char line[LINE])
{
    for (char *open = strchr(line, '<'); open; open = strchr(open + 1, '<')) {
        char *close = strchr(open, '>');
        if (!close || close == open + 1 || !is_word(open[1]) || (open > line && open[-1] != ' '))
            continue;
        char rest[LINE], name[LINE];
        cts_fmt(rest, sizeof(rest), "%s", close + 1);
        cts_fmt(name, sizeof(name), "%.*s", (int)(close - open - 1), open + 1);
        for (char *p = name; *p; p++)
            *p = is_word(*p) ? *p : '_';
        cts_fmt(open, (size_t)(line + LINE - open), "L_%s%s", name, rest);
    }
}

/* r1 s8= r2, as LLVM says it: r1 = (s8)r2 */
static void rename_moves(char line[LINE])
{
    static const char *const forms[][2] = {
        {" s8= ", " = (s8)"}, {" s16= ", " = (s16)"}, {" s32= ", " = (s32)"}};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        replace(line, forms[i][0], forms[i][1]);
}

static bool is_register(const char *p, const char *line)
{
    return (*p == 'r' || *p == 'w') && (p == line || !is_word(p[-1])) && p[1] >= '0' && p[1] <= '9';
}

/* w1 += r2 is of 32 bits in both: w1 += w2 */
static void narrow_all(char line[LINE])
{
    char *first = line;
    while (*first && !is_register(first, line))
        first++;
    for (char *p = first; *first == 'w' && *p; p++)
        if (is_register(p, line))
            *p = 'w';
}

static void rename_all(char line[LINE])
{
    size_t len = strlen(line);
    rename_labels(line);
    rename_moves(line);
    if (!strstr(line, "*("))
        narrow_all(line);
    replace(line, "= swap", "= bswap");
    replace(line, "= - ", "= -");
    if (len > 3 && strcmp(line + len - 2, "ll") == 0 && line[len - 3] != ' ')
        replace(line, "ll", " ll");
}

/* r3 and w3 are one register. */
static unsigned registers_in(const char *line)
{
    unsigned bits = 0;
    for (const char *p = line; *p; p++)
        if ((*p == 'r' || *p == 'w') && (p == line || !is_word(p[-1])) && p[1] >= '0' &&
            p[1] <= '9' && !is_word(p[2]))
            bits |= 1u << (p[1] - '0');
    return bits;
}

static size_t block_of(const struct reader *r, const char *label)
{
    size_t i = 0;
    for (; i < r->blocks->count; i++) {
        char name[LINE];
        cts_fmt(name, sizeof(name), " %s", r->blocks->keys[i]->text);
        rename_labels(name);
        if (strcmp(name + 1, label) == 0)
            break;
    }
    return i;
}

static void note(struct reader *r, const char *line, const struct cts_insn *in,
                 enum cts_insn_id row)
{
    struct cts_pv_code *c = r->c;
    unsigned class = in->opcode & 7;
    const char *label = strstr(line, "goto L_");
    c->rows[row] = true;
    c->memory |= (class <= 3 && in->opcode != CTS_OPCODE_LDDW);
    c->calls |= row == CTS_INSN_CALL_HELPER || row == CTS_INSN_CALL_LOCAL ||
                in->opcode == CTS_OPCODE_CALLX || in->opcode == CTS_OPCODE_CALL_HELPER;
    c->writes |= class == 4 || class == 7 || class <= 1 ? 1u << in->dst : 0;
    c->loops |= label && block_of(r, label + 5) <= r->block;
    c->ends = row == CTS_INSN_EXIT;
    c->exits |= c->ends;
}

static int strange(struct reader *r, const char *line)
{
    if (!r->c->strange)
        r->c->strange = cts_arena_strdup(r->arena, line);
    return r->c->strange ? 0 : CTS_E_NOMEM;
}

static int read_line(struct reader *r, const char *from, size_t len)
{
    char line[LINE], tried[LINE + 16];
    struct cts_insn in;
    enum cts_insn_id row;
    const struct cts_text_names names = {.find = find_any};
    const char *semicolon = memchr(from, ';', len);
    len = semicolon ? (size_t)(semicolon - from) : len;
    while (len && (from[len - 1] == ' ' || from[len - 1] == '\r'))
        len--;
    for (; len && *from == ' '; len--)
        from++;
    if (len == 0)
        return 0;
    cts_fmt(line, sizeof(line), "%.*s", (int)len, from);
    r->c->memory |= strstr(line, "*(") != NULL;
    rename_all(line);
    bool assume = strncmp(line, "assume ", 7) == 0;
    if (assume)
        cts_fmt(tried, sizeof(tried), "if %s goto +1", line + 7);
    else
        cts_fmt(tried, sizeof(tried), "%s", line);
    if (len >= LINE - 16 || cts_text_parse(tried, CTS_SYNTAX_LLVM, &names, &in, &row, NULL))
        return strange(r, line);
    r->c->reads_or_writes |= registers_in(line);
    note(r, line, &in, row);
    if (assume)
        cts_buf_addf(&r->c->text, "if %s goto A_%u\ngoto L__vacuous\nA_%u:\n", line + 7, r->assumed,
                     r->assumed);
    else
        cts_buf_addf(&r->c->text, "%s\n", row == CTS_INSN_EXIT ? r->end : line);
    r->assumed += assume;
    r->c->assumes |= assume;
    return 0;
}

static int read_block(struct reader *r, const char *label, const char *text)
{
    char name[LINE];
    int rc = 0;
    cts_fmt(name, sizeof(name), " %s", label);
    rename_labels(name);
    cts_buf_addf(&r->c->text, "%s:\n", name + 1);
    for (const char *p = text; rc == 0 && *p;) {
        size_t len = strcspn(p, "\n");
        rc = read_line(r, p, len);
        p += len + (p[len] == '\n');
    }
    return rc;
}

int cts_pv_code(const struct cts_yaml *blocks, const char *end, struct cts_arena *arena,
                struct cts_pv_code *out)
{
    struct reader r = {.c = out, .blocks = blocks, .end = end, .arena = arena};
    int rc = 0;
    *out = (struct cts_pv_code){0};
    cts_buf_init(&out->text, 0);
    for (; rc == 0 && r.block < blocks->count; r.block++)
        rc = blocks->items[r.block]->kind == CTS_YAML_SCALAR
                 ? read_block(&r, blocks->keys[r.block]->text, blocks->items[r.block]->text)
                 : strange(&r, blocks->keys[r.block]->text);
    return rc ? rc : out->text.failed ? CTS_E_NOMEM : 0;
}

void cts_pv_code_release(struct cts_pv_code *c)
{
    cts_buf_release(&c->text);
}
