#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

/* The part of a path that names it: behind the last slash, up to the last dot. */
static const char *base_of(const char *path, size_t *len)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    *len = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    return base;
}

/* The name of the folder that it is in; nothing if the path does not say. */
static const char *folder_of(const char *path, size_t *len)
{
    const char *end = strrchr(path, '/'), *at = end;
    while (at && at > path && at[-1] != '/')
        at--;
    *len = at ? (size_t)(end - at) : 0;
    return at ? at : path;
}

static char *name_of(const char *path, bool with_folder, struct cts_arena *arena)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    size_t len, folder_len = 0;
    const char *base = base_of(path, &len), *folder = folder_of(path, &folder_len);
    folder_len = with_folder ? folder_len : 0;
    char *name = cts_arena_fmt(arena, "%.*s%s%.*s", (int)folder_len, folder, folder_len ? "-" : "",
                               (int)len, base);
    for (char *p = name; p && *p; p++)
        if (!strchr(allowed, *p))
            *p = '-';
    return name;
}

struct entry {
    const char *name;
    size_t at;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

const char *const *cts_conf_names(const char *const *paths, size_t count, struct cts_arena *arena)
{
    const char **names = cts_arena_take_array(arena, count + 1, sizeof(*names));
    struct entry *sorted = cts_arena_take_array(arena, count + 1, sizeof(*sorted));
    bool whole = names && sorted;
    for (size_t i = 0; whole && i < count; i++) {
        names[i] = name_of(paths[i], false, arena);
        sorted[i] = (struct entry){names[i], i};
        whole = names[i] != NULL;
    }
    if (!whole)
        return NULL;
    qsort(sorted, count, sizeof(*sorted), by_name);
    for (size_t i = 0; i < count; i++) {
        bool twin = (i > 0 && by_name(&sorted[i - 1], &sorted[i]) == 0) ||
                    (i + 1 < count && by_name(&sorted[i], &sorted[i + 1]) == 0);
        if (twin && !(names[sorted[i].at] = name_of(paths[sorted[i].at], true, arena)))
            return NULL;
    }
    return names;
}
