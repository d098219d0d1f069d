/* Tables of text: filled cell by cell, printed in several layouts. */
#ifndef CTS_SPEC_GEN_GRID_H
#define CTS_SPEC_GEN_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "host/arena.h"
#include "host/buf.h"

enum { CTS_GRID_COLUMNS_MAX = 16 };

struct cts_grid {
    struct cts_arena arena;
    size_t columns;
    unsigned right; /* bit c: column c is aligned to the right (layout text) */
    const char **cells;
    size_t count, cap;
    bool failed;
};

void cts_grid_init(struct cts_grid *g, size_t columns, unsigned right);
void cts_grid_release(struct cts_grid *g);
/* The next cell; the first `columns` are the heads. The text is copied. */
void cts_grid_add(struct cts_grid *g, const char *text);
void cts_grid_addf(struct cts_grid *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "text", "markdown", "csv" (RFC 4180, but lines end as everywhere here) or "tsv". */
void cts_grid_print(const struct cts_grid *g, const char *layout, struct cts_buf *out);

#endif
