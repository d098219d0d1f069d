#include "load/known_edit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "load/yaml.h"

/* The list's text as lines: line i is [at[i], at[i + 1]), its newline included. */
struct lines {
    const char *text;
    size_t *at, count;
};

/* Lines [first, end) of one entry. */
struct extent {
    size_t first, end;
};

static int split(const struct cts_known_list *list, struct cts_arena *arena, struct lines *out,
                 struct cts_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < list->len; i++)
        n += list->text[i] == '\n';
    *out = (struct lines){.text = list->text};
    out->at = cts_arena_take_array(arena, n + 2, sizeof(*out->at));
    if (!out->at)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (size_t i = 0; i < list->len; i++)
        if (i == 0 || list->text[i - 1] == '\n')
            out->at[out->count++] = i;
    out->at[out->count] = list->len;
    return 0;
}

static size_t indent_of(const struct lines *l, size_t line)
{
    return strspn(l->text + l->at[line], " ");
}

static char first_char(const struct lines *l, size_t line)
{
    return l->text[l->at[line] + indent_of(l, line)];
}

/* Does an entry of a list whose dashes stand behind `indent` blanks start here? */
static bool is_dash(const struct lines *l, size_t line, size_t indent)
{
    return indent_of(l, line) == indent && first_char(l, line) == '-';
}

static bool is_outside(const struct lines *l, size_t line, size_t indent)
{
    char c = first_char(l, line);
    return c == '\0' || c == '\n' || c == '\r' || (c == '#' && indent_of(l, line) <= indent);
}

static int cannot(const struct cts_known_list *list, unsigned line, struct cts_err *err)
{
    return cts_err_at(err, CTS_E_INVAL, list->path, line, 0,
                      "this list can only be changed by hand: its entries are not lines that begin "
                      "with '- ' and nothing behind them");
}

/* Where each entry of the list stands. */
static int find_extents(const struct cts_known_list *list, const struct lines *l,
                        const struct cts_yaml *root, struct extent *out, struct cts_err *err)
{
    size_t indent = root->col - 1;
    for (size_t i = 0; i < root->count; i++) {
        size_t line = root->items[i]->line - 1, least = i ? out[i - 1].first + 1 : 0;
        while (line > least && !is_dash(l, line, indent))
            line--;
        if (line < least || !is_dash(l, line, indent))
            return cannot(list, root->items[i]->line, err);
        out[i] = (struct extent){line, l->count};
        if (i)
            out[i - 1].end = line;
    }
    for (size_t i = 0; i < root->count; i++)
        while (is_outside(l, out[i].end - 1, indent))
            out[i].end--;
    return 0;
}

/* ---- the new text ---- */

static void add_kept(const struct lines *l, const struct extent *at, size_t n, const bool *remove,
                     struct cts_buf *out)
{
    size_t line = 0;
    for (size_t i = 0; i < n; i++) {
        if (!remove || !remove[i])
            continue;
        cts_buf_add(out, l->text + l->at[line], l->at[at[i].first] - l->at[line]);
        line = at[i].end;
    }
    cts_buf_add(out, l->text + l->at[line], l->at[l->count] - l->at[line]);
}

static bool is_plain(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char others[] = "0123456789_-./#";
    size_t n = strspn(text, letters);
    if (n == 0 || strcasecmp(text, "null") == 0)
        return false;
    while (text[n] && (strchr(letters, text[n]) || strchr(others, text[n])))
        n++;
    return text[n] == '\0';
}

static void add_quoted(struct cts_buf *b, const char *text)
{
    cts_buf_addc(b, '"');
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            cts_buf_addf(b, "\\%c", *p);
        else if ((unsigned char)*p < 0x20 || *p == 0x7f)
            cts_buf_addf(b, "\\x%02x", (unsigned)(unsigned char)*p);
        else
            cts_buf_addc(b, *p);
    }
    cts_buf_addc(b, '"');
}

static void add_scalar(struct cts_buf *b, const char *text)
{
    if (is_plain(text))
        cts_buf_adds(b, text);
    else
        add_quoted(b, text);
}

/* How a new entry is written: its place and the file's way to end a line. */
struct style {
    int indent;
    const char *newline;
};

static void add_field(struct cts_buf *b, const struct style *s, const char *key, const char *text)
{
    if (!text)
        return;
    cts_buf_addf(b, "%*s  %s: ", s->indent, "", key);
    add_scalar(b, text);
    cts_buf_adds(b, s->newline);
}

static void add_list(struct cts_buf *b, const struct style *s, const char *key,
                     const char *const *list)
{
    if (!list)
        return;
    cts_buf_addf(b, "%*s  %s: [", s->indent, "", key);
    for (size_t i = 0; list[i]; i++) {
        cts_buf_adds(b, i ? ", " : "");
        add_scalar(b, list[i]);
    }
    cts_buf_addf(b, "]%s", s->newline);
}

static void add_entry(struct cts_buf *b, const struct style *s, const struct cts_known_entry *k)
{
    cts_buf_addf(b, "%*s- vectors: ", s->indent, "");
    add_scalar(b, k->vectors);
    cts_buf_adds(b, s->newline);
    add_list(b, s, "engines", (const char *const *)k->engines);
    add_list(b, s, "variants", (const char *const *)k->variants);
    add_field(b, s, "status", k->failure);
    if (k->sometimes)
        cts_buf_addf(b, "%*s  sometimes: true%s", s->indent, "", s->newline);
    add_field(b, s, "reason", k->reason);
    add_field(b, s, "link", k->link);
    add_field(b, s, "clause", k->clause);
    add_field(b, s, "policy", k->policy);
    add_field(b, s, "review-by", k->review_by);
}

static void add_entries(const struct cts_known_list *list, int indent,
                        const struct cts_known_entry *add, size_t n, struct cts_buf *out)
{
    const char *newline = strchr(list->text, '\n');
    struct style s = {indent,
                      newline && newline > list->text && newline[-1] == '\r' ? "\r\n" : "\n"};
    if (n && out->len && out->data[out->len - 1] != '\n')
        cts_buf_adds(out, s.newline);
    for (size_t i = 0; i < n; i++)
        add_entry(out, &s, &add[i]);
}

/* ---- does it say what it is to say? ---- */

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_versions(const struct cts_version_range *a, const struct cts_version_range *b)
{
    /* Both were zeroed before they were filled. */
    return a && b ? memcmp(a, b, sizeof(*a)) == 0 : a == b;
}

static bool same_entry(const struct cts_known_entry *a, const struct cts_known_entry *b)
{
    return same_text(a->vectors, b->vectors) && cts_known_same_list(a->engines, b->engines) &&
           cts_known_same_list(a->variants, b->variants) &&
           same_versions(a->versions, b->versions) && same_text(a->failure, b->failure) &&
           same_text(a->reason, b->reason) && same_text(a->link, b->link) &&
           same_text(a->clause, b->clause) && same_text(a->policy, b->policy) &&
           same_text(a->review_by, b->review_by) && a->sometimes == b->sometimes;
}

static int check(const struct cts_known_list *list, const bool *remove,
                 const struct cts_known_entry *add, size_t n, const char *text, size_t len,
                 struct cts_arena *arena, struct cts_err *err)
{
    struct cts_known_list now;
    struct cts_err own = {0};
    size_t at = 0;
    bool same = cts_known_parse(list->path, text, len, arena, &now, &own) == 0;
    if (own.code == CTS_E_NOMEM)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (size_t i = 0; same && i < list->count; i++)
        if (!remove || !remove[list->entries[i].item])
            same = at < now.count && same_entry(&list->entries[i], &now.entries[at++]);
    for (size_t i = 0; same && i < n; i++)
        same = at < now.count && same_entry(&add[i], &now.entries[at++]);
    return same && at == now.count ? 0 : cannot(list, list->count ? list->entries[0].line : 1, err);
}

static int edit(const struct cts_known_list *list, const bool *remove,
                const struct cts_known_entry *add, size_t n, struct cts_arena *arena,
                struct cts_buf *out, struct cts_err *err)
{
    struct cts_yaml *root = NULL;
    struct lines l;
    int rc = split(list, arena, &l, err);
    struct extent *at = cts_arena_take_array(arena, list->items + 1, sizeof(*at));
    if (rc == 0 && !at)
        rc = cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (rc == 0 && list->items)
        rc = cts_yaml_parse(list->path, list->text, list->len, arena, &root, err);
    if (rc == 0 && root)
        rc = find_extents(list, &l, root, at, err);
    if (rc != 0)
        return rc;
    size_t before = out->len;
    add_kept(&l, at, list->items, remove, out);
    add_entries(list, root ? (int)root->col - 1 : 0, add, n, out);
    if (out->failed)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    return check(list, remove, add, n, cts_buf_text(out) + before, out->len - before, arena, err);
}

int cts_known_edit(const struct cts_known_list *list, const bool *remove,
                   const struct cts_known_entry *add, size_t n, struct cts_buf *out,
                   struct cts_err *err)
{
    struct cts_arena arena;
    cts_arena_init(&arena, 0);
    int rc = edit(list, remove, add, n, &arena, out, err);
    cts_arena_release(&arena);
    return rc;
}
