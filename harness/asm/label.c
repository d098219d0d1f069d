#include <stdlib.h>
#include <string.h>

#include "asm/unit.h"

static int name_order(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t n = a_len < b_len ? a_len : b_len;
    int rc = memcmp(a, b, n);
    if (rc != 0)
        return rc;
    return a_len < b_len ? -1 : a_len > b_len;
}

static int label_order(const void *pa, const void *pb)
{
    const struct cts_asm_label *a = pa, *b = pb;
    int rc = name_order(a->name, a->len, b->name, b->len);
    if (rc != 0)
        return rc;
    return a->order < b->order ? -1 : a->order > b->order;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int cts_asm_labels_sort(struct cts_asm_label *labels, size_t n, const struct cts_asm_src *src,
                        struct cts_err *err)
{
    if (n)
        qsort(labels, n, sizeof(*labels), label_order);
    for (size_t i = 1; i < n; i++) {
        const struct cts_asm_label *a = &labels[i - 1], *b = &labels[i];
        if (!is_digit(b->name[0]) && name_order(a->name, a->len, b->name, b->len) == 0)
            return cts_asm_err(src, err, CTS_E_SYNTAX, b->line, b->col, "duplicate label '%.*s'",
                               (int)b->len, b->name);
    }
    return 0;
}

/* How many labels sort before (name, order). */
static size_t lower_bound(const struct cts_asm_label *labels, size_t n, const char *name,
                          size_t len, uint32_t order)
{
    struct cts_asm_label key = {.name = name, .len = (uint32_t)len, .order = order};
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (label_order(&labels[mid], &key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static const struct cts_asm_label *if_named(const struct cts_asm_label *labels, size_t n, size_t at,
                                            const char *name, size_t len)
{
    if (at >= n || name_order(labels[at].name, labels[at].len, name, len) != 0)
        return NULL;
    return &labels[at];
}

const struct cts_asm_label *cts_asm_label_find(const struct cts_asm_label *labels, size_t n,
                                               const char *name, size_t len, uint32_t before)
{
    if (!is_digit(name[0]))
        return if_named(labels, n, lower_bound(labels, n, name, len, 0), name, len);
    size_t at = lower_bound(labels, n, name, len - 1, before);
    if (name[len - 1] == 'f')
        return if_named(labels, n, at, name, len - 1);
    return at ? if_named(labels, n, at - 1, name, len - 1) : NULL;
}
