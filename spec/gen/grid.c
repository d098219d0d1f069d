#include "grid.h"

#include <stdarg.h>
#include <string.h>

void cts_grid_init(struct cts_grid *g, size_t columns, unsigned right)
{
    *g = (struct cts_grid){.columns = columns, .right = right};
    cts_arena_init(&g->arena, 0);
}

void cts_grid_release(struct cts_grid *g)
{
    cts_arena_release(&g->arena);
}

static bool grow(struct cts_grid *g)
{
    size_t cap = g->cap ? g->cap * 2 : 256;
    const char **cells = cts_arena_take_array(&g->arena, cap, sizeof(*cells));

    if (!cells)
        return false;
    if (g->count)
        memcpy(cells, g->cells, g->count * sizeof(*cells));
    g->cells = cells;
    g->cap = cap;
    return true;
}

void cts_grid_add(struct cts_grid *g, const char *text)
{
    const char *copy = cts_arena_strdup(&g->arena, text);

    if (!copy || (g->count == g->cap && !grow(g)))
        g->failed = true;
    else
        g->cells[g->count++] = copy;
}

void cts_grid_addf(struct cts_grid *g, const char *fmt, ...)
{
    struct cts_buf text;
    va_list ap;

    cts_buf_init(&text, 0);
    va_start(ap, fmt);
    cts_buf_addvf(&text, fmt, ap);
    va_end(ap);
    cts_grid_add(g, cts_buf_text(&text));
    g->failed |= text.failed;
    cts_buf_release(&text);
}

/* Characters, not bytes. */
static size_t width_of(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

struct printer {
    const struct cts_grid *g;
    size_t width[CTS_GRID_COLUMNS_MAX];
    struct cts_buf *out;
};

static void repeat(struct cts_buf *out, size_t n, char c)
{
    while (n--)
        cts_buf_addc(out, c);
}

static void text_line(struct printer *p, const char *const *cells)
{
    size_t owed = 0; /* blanks, none at the end of a line */

    for (size_t c = 0; c < p->g->columns; c++) {
        size_t rest = p->width[c] - width_of(cells[c]);
        bool right = p->g->right >> c & 1;
        if (right)
            owed += rest;
        if (*cells[c]) {
            repeat(p->out, owed, ' ');
            cts_buf_adds(p->out, cells[c]);
            owed = 0;
        }
        owed += (right ? 0 : rest) + 2;
    }
    cts_buf_addc(p->out, '\n');
}

static void text_rule(struct printer *p)
{
    for (size_t c = 0; c < p->g->columns; c++) {
        cts_buf_adds(p->out, c ? "  " : "");
        repeat(p->out, p->width[c], '-');
    }
    cts_buf_addc(p->out, '\n');
}

static void markdown_line(struct printer *p, const char *const *cells)
{
    for (size_t c = 0; c < p->g->columns; c++) {
        cts_buf_adds(p->out, "| ");
        for (const char *t = cells[c]; *t; t++) {
            if (strchr("|*_\\<>`", *t))
                cts_buf_addc(p->out, '\\');
            cts_buf_addc(p->out, *t);
        }
        cts_buf_addc(p->out, ' ');
    }
    cts_buf_adds(p->out, "|\n");
}

static void markdown_rule(struct printer *p)
{
    for (size_t c = 0; c < p->g->columns; c++)
        cts_buf_adds(p->out, p->g->right >> c & 1 ? "|---:" : "|---");
    cts_buf_adds(p->out, "|\n");
}

static void csv_cell(const char *text, struct cts_buf *out)
{
    if (!strpbrk(text, ",\"\n")) {
        cts_buf_adds(out, text);
        return;
    }
    cts_buf_addc(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            cts_buf_addc(out, '"');
        cts_buf_addc(out, *text);
    }
    cts_buf_addc(out, '"');
}

static void csv_line(struct printer *p, const char *const *cells)
{
    for (size_t c = 0; c < p->g->columns; c++) {
        cts_buf_adds(p->out, c ? "," : "");
        csv_cell(cells[c], p->out);
    }
    cts_buf_addc(p->out, '\n');
}

static void tsv_line(struct printer *p, const char *const *cells)
{
    for (size_t c = 0; c < p->g->columns; c++) {
        cts_buf_adds(p->out, c ? "\t" : "");
        for (const char *t = cells[c]; *t; t++)
            cts_buf_addc(p->out, *t == '\t' || *t == '\n' ? ' ' : *t);
    }
    cts_buf_addc(p->out, '\n');
}

static const struct layout {
    const char *name;
    void (*line)(struct printer *p, const char *const *cells);
    void (*rule)(struct printer *p); /* below the heads; or null */
} LAYOUTS[] = {
    {"text", text_line, text_rule},
    {"markdown", markdown_line, markdown_rule},
    {"csv", csv_line, NULL},
    {"tsv", tsv_line, NULL},
};

static const struct layout *layout_of(const char *name)
{
    for (size_t i = 0; i < sizeof(LAYOUTS) / sizeof(LAYOUTS[0]); i++)
        if (!strcmp(LAYOUTS[i].name, name))
            return &LAYOUTS[i];
    return &LAYOUTS[0];
}

void cts_grid_print(const struct cts_grid *g, const char *layout, struct cts_buf *out)
{
    const struct layout *l = layout_of(layout);
    struct printer p = {.g = g, .out = out};

    out->failed |= g->failed;
    if (out->failed)
        return;
    for (size_t i = 0; i < g->count; i++) {
        size_t width = width_of(g->cells[i]);
        if (width > p.width[i % g->columns])
            p.width[i % g->columns] = width;
    }
    for (size_t i = 0; i + g->columns <= g->count; i += g->columns) {
        l->line(&p, &g->cells[i]);
        if (!i && l->rule)
            l->rule(&p);
    }
}
