#include "report/reasons.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_REASONS = 200 };

static void release(struct cts_reason *r)
{
    free(r->engine);
    free(r->text);
    free(r->sample);
}

void cts_reasons_release(struct cts_reasons *t)
{
    for (size_t i = 0; i < t->count; i++)
        release(&t->list[i]);
    free(t->list);
    *t = (struct cts_reasons){0};
}

static bool is_same(const struct cts_reason *r, const char *engine, const char *text)
{
    return strcmp(r->engine, engine) == 0 && strcmp(r->text, text) == 0;
}

static struct cts_reason *find(struct cts_reasons *t, const char *engine, const char *text)
{
    /* One case is mostly like the one before. */
    if (t->last < t->count && is_same(&t->list[t->last], engine, text))
        return &t->list[t->last];
    for (size_t i = 0; i < t->count; i++)
        if (is_same(&t->list[i], engine, text))
            return &t->list[t->last = i];
    return NULL;
}

static bool grow(struct cts_reasons *t)
{
    size_t cap = t->cap ? t->cap * 2 : 16;
    struct cts_reason *bigger;
    if (t->count < t->cap)
        return true;
    bigger = t->count < MOST_REASONS ? realloc(t->list, cap * sizeof(*bigger)) : NULL;
    if (!bigger)
        return false;
    t->list = bigger;
    t->cap = cap;
    return true;
}

static struct cts_reason *add(struct cts_reasons *t, const char *engine, const char *text,
                              const char *sample)
{
    if (t->count == MOST_REASONS || !grow(t))
        return NULL;
    struct cts_reason r = {
        .engine = strdup(engine), .text = strdup(text), .sample = strdup(sample)};
    if (!r.engine || !r.text || !r.sample) {
        release(&r);
        return NULL;
    }
    t->list[t->count] = r;
    return &t->list[t->count++];
}

struct cts_reason *cts_reasons_add(struct cts_reasons *t, const char *engine, const char *text,
                                   const char *sample)
{
    struct cts_reason *r = find(t, engine, text);
    if (!r)
        r = add(t, engine, text, sample);
    if (r)
        r->count++;
    else
        t->forgotten++;
    return r;
}
