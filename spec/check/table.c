#include "spec_check/table.h"

#include <string.h>

#include "host/buf.h"
#include "host/fs.h"

static int no_memory(struct cts_err *err)
{
    return cts_err_set(err, CTS_E_NOMEM, "out of memory");
}

static size_t count_lines(const char *text)
{
    size_t n = 1;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* Cuts a line at its tabs; 0 if there are too many. */
static size_t cut(char *line, const char **field)
{
    size_t n = 0;

    while (line) {
        if (n == CTS_TABLE_COLUMNS_MAX)
            return 0;
        char *tab = strchr(line, '\t');
        if (tab)
            *tab++ = 0;
        field[n++] = line;
        line = tab;
    }
    return n;
}

static int check_names(const struct cts_table *t, unsigned line, const char *const *columns,
                       struct cts_err *err)
{
    for (size_t i = 0; columns[i]; i++) {
        if (i >= t->columns || strcmp(t->name[i], columns[i]) != 0)
            return cts_err_at(err, CTS_E_SCHEMA, t->path, line, 0, "column %zu must be '%s'", i + 1,
                              columns[i]);
    }
    return 0;
}

static int add_line(struct cts_table *t, unsigned number, char *line, const char *const *columns,
                    struct cts_err *err)
{
    struct cts_table_line *l = &t->lines[t->count];

    if (!t->columns) {
        t->columns = cut(line, t->name);
        return check_names(t, number, columns, err);
    }
    l->line = number;
    size_t n = cut(line, l->field);
    if (n != t->columns)
        return cts_err_at(err, CTS_E_SCHEMA, t->path, number, 0, "expected %zu fields", t->columns);
    t->count++;
    return 0;
}

static int read_lines(struct cts_table *t, char *text, const char *const *columns,
                      struct cts_err *err)
{
    unsigned number = 0;
    int rc = 0;

    while (!rc && text) {
        char *end = strchr(text, '\n');
        if (end)
            *end++ = 0;
        number++;
        if (*text && *text != '#')
            rc = add_line(t, number, text, columns, err);
        text = end;
    }
    if (!rc && !t->columns)
        rc = cts_err_at(err, CTS_E_SCHEMA, t->path, 0, 0, "the file is empty");
    return rc;
}

int cts_table_load(const char *dir, const char *name, const char *const *columns,
                   struct cts_arena *arena, struct cts_table *out, struct cts_err *err)
{
    struct cts_buf file;
    char *text = NULL;

    memset(out, 0, sizeof(*out));
    out->path = cts_arena_fmt(arena, "%s/anchors/%s", dir, name);
    if (!out->path)
        return no_memory(err);
    cts_buf_init(&file, (size_t)4 << 20);
    int rc = cts_fs_read(out->path, (size_t)4 << 20, &file, err);
    if (!rc && strlen(cts_buf_text(&file)) != file.len)
        rc = cts_err_at(err, CTS_E_SYNTAX, out->path, 0, 0, "there is a zero byte in it");
    if (!rc) {
        text = cts_arena_strdup(arena, cts_buf_text(&file));
        out->lines =
            cts_arena_take_array(arena, count_lines(cts_buf_text(&file)), sizeof(*out->lines));
        if (!text || !out->lines)
            rc = no_memory(err);
    }
    cts_buf_release(&file);
    return rc ? rc : read_lines(out, text, columns, err);
}
