/* Tables of spec/anchors: lines of fields between tabs, the first line their names. Empty lines
 * and those that start with # are passed over. */
#ifndef CTS_SPEC_CHECK_TABLE_H
#define CTS_SPEC_CHECK_TABLE_H

#include <stddef.h>

#include "base/err.h"
#include "host/arena.h"

enum { CTS_TABLE_COLUMNS_MAX = 16 };

struct cts_table_line {
    unsigned line;
    const char *field[CTS_TABLE_COLUMNS_MAX];
};

struct cts_table {
    const char *path;
    size_t columns;
    const char *name[CTS_TABLE_COLUMNS_MAX];
    struct cts_table_line *lines;
    size_t count;
};

/* Reads DIR/anchors/NAME. `columns` (ended by null) are the names that must come first, in that
 * order. Every line has as many fields as the first. Everything is the arena's. */
int cts_table_load(const char *dir, const char *name, const char *const *columns,
                   struct cts_arena *arena, struct cts_table *out, struct cts_err *err);

#endif
