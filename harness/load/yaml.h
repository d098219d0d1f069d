/* YAML files as a tree of nodes that know their place.
 *
 * A strict subset: one document; no anchors, aliases or tags; scalar keys; a key twice in a mapping
 * is an error; nesting and size are bounded. The tree belongs to the arena; texts are valid as long
 * as it is. Numbers and truth values are not decided while reading: the typed getters do that, so
 * that `0x10`, `yes` and `08` mean only what the reader of a field says. */
#ifndef CTS_LOAD_YAML_H
#define CTS_LOAD_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "host/arena.h"

enum {
    CTS_YAML_DEPTH_MAX = 64,          /* nested sequences and mappings */
    CTS_YAML_BYTES_MAX = 64 << 20,    /* of one file */
    CTS_YAML_NODES_MAX = 4 * 1000000, /* of one file */
};

enum cts_yaml_kind { CTS_YAML_SCALAR, CTS_YAML_SEQ, CTS_YAML_MAP };

struct cts_yaml {
    enum cts_yaml_kind kind;
    unsigned line, col; /* from 1: where the node starts */
    const char *file;   /* as given to the loader */

    /* Scalar: terminated; may hold zero bytes, hence the length. quoted: in '...' or "...", or a
     * block (| or >). The text itself starts at text_line:text_col; of a literal block (|) every
     * line of it starts in that column. */
    const char *text;
    size_t len;
    bool quoted, block;
    unsigned text_line, text_col;

    /* Sequence: items[0..count). Mapping: keys[i] (a scalar node) and items[i], in the order of the
     * file. */
    struct cts_yaml **items;
    struct cts_yaml **keys;
    size_t count;
};

/* Reads the whole file. An empty file or one of comments only gives an error. *out is null on
 * failure. CTS_E_IO, CTS_E_SYNTAX, CTS_E_LIMIT, CTS_E_NOMEM. */
int cts_yaml_load(const char *path, struct cts_arena *arena, struct cts_yaml **out,
                  struct cts_err *err);
/* The same from memory; `name` stands for the file in messages and is copied. */
int cts_yaml_parse(const char *name, const char *text, size_t len, struct cts_arena *arena,
                   struct cts_yaml **out, struct cts_err *err);

/* "a scalar", "a sequence", "a mapping". */
const char *cts_yaml_kind_name(enum cts_yaml_kind kind);

/* The value of a key; null if `map` is null, no mapping, or has no such key. */
struct cts_yaml *cts_yaml_get(const struct cts_yaml *map, const char *key);
/* The node of the key itself (its place); null as above. */
struct cts_yaml *cts_yaml_get_key(const struct cts_yaml *map, const char *key);
/* Is it a scalar with exactly this text, quoted or not? */
bool cts_yaml_is(const struct cts_yaml *node, const char *text);
/* Is it a plain scalar `null`, `~` or nothing at all? */
bool cts_yaml_is_null(const struct cts_yaml *node);

/* Fills err with the node's place; returns code. */
int cts_yaml_error(const struct cts_yaml *node, int code, struct cts_err *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Typed getters. `what` names the thing in messages ("imm"). CTS_E_SCHEMA for another kind or text,
 * CTS_E_RANGE for a number that does not fit; *out is then 0, false or null. */
int cts_yaml_want(const struct cts_yaml *node, enum cts_yaml_kind kind, const char *what,
                  struct cts_err *err);
/* Any scalar without zero bytes; plain null is refused. */
int cts_yaml_str(const struct cts_yaml *node, const char *what, const char **out,
                 struct cts_err *err);
/* Plain scalars: decimal, 0x hexadecimal, 0b binary, all with _ between digits; an optional leading
 * sign. u64 takes negative numbers down to -2^63 as their two's complement only through
 * cts_yaml_u64_bits. */
int cts_yaml_u64(const struct cts_yaml *node, const char *what, uint64_t *out, struct cts_err *err);
int cts_yaml_s64(const struct cts_yaml *node, const char *what, int64_t *out, struct cts_err *err);
/* -2^63 .. 2^64-1, as 64 bits: what a register value is written as. */
int cts_yaml_u64_bits(const struct cts_yaml *node, const char *what, uint64_t *out,
                      struct cts_err *err);
/* A number in lo..hi. */
int cts_yaml_range(const struct cts_yaml *node, const char *what, int64_t lo, int64_t hi,
                   int64_t *out, struct cts_err *err);
/* Would cts_yaml_u64_bits take it? */
bool cts_yaml_is_number(const struct cts_yaml *node);
/* Plain `true` or `false`. */
int cts_yaml_bool(const struct cts_yaml *node, const char *what, bool *out, struct cts_err *err);

/* A list of strings in the arena; list[count] is null. A missing node (null) gives an empty list.
 */
struct cts_yaml_strs {
    const char **list;
    size_t count;
};
int cts_yaml_strs(const struct cts_yaml *node, const char *what, struct cts_arena *arena,
                  struct cts_yaml_strs *out, struct cts_err *err);
/* One string, or a list of them. */
int cts_yaml_str_or_strs(const struct cts_yaml *node, const char *what, struct cts_arena *arena,
                         struct cts_yaml_strs *out, struct cts_err *err);

#endif
