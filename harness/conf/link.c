#include <string.h>

#include "conf/conf.h"
#include "host/fs.h"

enum { LINKED_MAX = 1 << 20 };

struct span {
    const char *at, *end;
};

static struct span trim(struct span s)
{
    while (s.at < s.end && (*s.at == ' ' || *s.at == '\t'))
        s.at++;
    while (s.end > s.at && memchr(" \t\r", s.end[-1], 3))
        s.end--;
    return s;
}

/* The name behind the @ of a section's line; empty if it is none. */
static struct span named_in(struct span line)
{
    const char *hash = memchr(line.at, '#', (size_t)(line.end - line.at));
    struct span s = trim((struct span){line.at, hash ? hash : line.end});
    const char *at = memchr(s.at, '@', (size_t)(s.end - s.at));
    bool header = s.end - s.at > 2 && s.at[0] == '-' && s.at[1] == '-';
    return header && at ? trim((struct span){at + 1, s.end}) : (struct span){s.end, s.end};
}

/* Does it lead out of the folder? */
static bool leads_away(const char *name)
{
    if (name[0] == '/')
        return true;
    for (const char *p = name; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
        if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || p[2] == '\0'))
            return true;
    return false;
}

static int read_one(const char *path, unsigned line, struct span name, struct cts_arena *arena,
                    struct cts_conf_link *out, struct cts_err *err)
{
    const char *slash = strrchr(path, '/');
    struct cts_buf text;
    out->name = cts_arena_strndup(arena, name.at, (size_t)(name.end - name.at));
    if (!out->name)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (leads_away(out->name))
        return cts_err_at(err, CTS_E_SYNTAX, path, line, 1,
                          "a file is looked for in the folder of the one that names it: '%s'",
                          out->name);
    out->path =
        cts_arena_fmt(arena, "%.*s%s", slash ? (int)(slash + 1 - path) : 0, path, out->name);
    if (!out->path)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    cts_buf_init(&text, 0);
    int rc = cts_fs_read(out->path, LINKED_MAX, &text, err);
    out->len = text.len;
    out->text = rc == 0 ? cts_arena_strndup(arena, cts_buf_text(&text), text.len) : NULL;
    cts_buf_release(&text);
    if (rc == 0 && !out->text)
        rc = cts_err_set(err, CTS_E_NOMEM, "out of memory");
    return rc;
}

int cts_conf_read_links(const char *path, const char *text, size_t len, struct cts_arena *arena,
                        struct cts_conf_link *links, size_t *count, struct cts_err *err)
{
    const char *end = text + len;
    unsigned line = 0;
    *count = 0;
    for (const char *p = text; p < end;) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        struct span name = named_in((struct span){p, eol ? eol : end});
        p = eol ? eol + 1 : end;
        line++;
        if (name.at == name.end)
            continue;
        if (*count == CTS_CONF_LINKS_MAX)
            return cts_err_at(err, CTS_E_LIMIT, path, line, 1, "more than %d files are named",
                              CTS_CONF_LINKS_MAX);
        int rc = read_one(path, line, name, arena, &links[*count], err);
        if (rc)
            return rc;
        ++*count;
    }
    return 0;
}
