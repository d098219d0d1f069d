#include "core/retry.h"

#include <stdlib.h>

void cts_retry_release(struct cts_retry *r)
{
    free(r->entry);
    free(r->suspect);
    *r = (struct cts_retry){0};
}

void cts_retry_clear(struct cts_retry *r)
{
    r->entries = r->suspects = 0;
    r->failed = false;
}

/* Room for one more of `size` bytes; the array, which may have moved, or null. */
static void *grow(struct cts_retry *r, void *list, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return list;
    size_t more = *cap ? *cap * 2 : 64;
    void *bigger = realloc(list, more * size);
    if (bigger)
        *cap = more;
    else
        r->failed = true;
    return bigger;
}

void cts_retry_add(struct cts_retry *r, const struct cts_seg *seg, const struct cts_wrong *wrong)
{
    for (size_t i = 0; i < r->entries; i++) {
        if (r->entry[i].variant != seg->unit_index)
            continue;
        if (!cts_is_wrong(&r->entry[i].wrong) && wrong)
            r->entry[i].wrong = *wrong;
        return;
    }
    void *list = grow(r, r->entry, r->entries, &r->entry_cap, sizeof(*r->entry));
    if (!list)
        return;
    r->entry = list;
    r->entry[r->entries++] =
        (struct cts_retry_entry){seg->unit_index, wrong ? *wrong : cts_not_wrong(), 0};
}

void cts_retry_add_program(struct cts_retry *r, const struct cts_program *p)
{
    for (uint32_t s = 0; s < p->bodies; s++)
        cts_retry_add(r, p->body[s], NULL);
}

size_t cts_retry_begin_suspect(struct cts_retry *r, const struct cts_program *p,
                               struct cts_among among, const struct cts_err *err)
{
    void *list = grow(r, r->suspect, r->suspects, &r->suspect_cap, sizeof(*r->suspect));
    if (list) {
        r->suspect = list;
        r->suspect[r->suspects++] =
            (struct cts_suspect){.variant = p->body[0]->unit_index, .among = among, .err = *err};
    }
    return r->entries;
}

void cts_retry_end_suspect(struct cts_retry *r, size_t mark)
{
    for (; mark < r->entries; mark++)
        r->entry[mark].suspect = r->suspects;
}

void cts_retry_confirm(struct cts_retry *r, uint32_t variant)
{
    for (size_t i = 0; i < r->entries; i++)
        if (r->entry[i].variant == variant && r->entry[i].suspect)
            r->suspect[r->entry[i].suspect - 1].confirmed = true;
}

bool cts_retry_is_awaited(const struct cts_retry *r, const struct cts_retry_entry *e)
{
    return e->suspect && !r->suspect[e->suspect - 1].confirmed;
}
