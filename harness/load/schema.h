/* What a mapping may hold, as a table: unknown keys, wrong types and missing fields are found in
 * one place, with file, line and column. */
#ifndef CTS_LOAD_SCHEMA_H
#define CTS_LOAD_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "load/yaml.h"

enum cts_schema_type {
    CTS_SCHEMA_ANY,         /* looked at by the caller */
    CTS_SCHEMA_STR,         /* any scalar but null */
    CTS_SCHEMA_NUM,         /* a plain number, -2^63 .. 2^64-1 */
    CTS_SCHEMA_BOOL,        /* true or false */
    CTS_SCHEMA_MAP,         /* a mapping; checked against `sub` if that is given */
    CTS_SCHEMA_SEQ,         /* a sequence of anything */
    CTS_SCHEMA_STRS,        /* a sequence of strings */
    CTS_SCHEMA_STR_OR_STRS, /* one string or a sequence of them */
    CTS_SCHEMA_MAPS, /* a sequence of mappings, each checked against `sub` if that is given */
    CTS_SCHEMA_WORD, /* one of the words of `words` */
    CTS_SCHEMA_ID,   /* letters, digits, _ - . and nothing else, not empty */
};

struct cts_schema_field {
    const char *key; /* null ends a table */
    enum cts_schema_type type;
    bool required;
    const char *doc;                    /* one sentence: what the field says */
    const struct cts_schema_field *sub; /* CTS_SCHEMA_MAP, CTS_SCHEMA_MAPS; may be null */
    const char *const *words;           /* CTS_SCHEMA_WORD: ended by a null pointer */
};

/* `what` names the mapping in messages ("instruction", "vector"). CTS_E_SCHEMA at the first fault:
 * the place of the key, of the value, or of the mapping that lacks a key. */
int cts_schema_check(const struct cts_yaml *map, const struct cts_schema_field *fields,
                     const char *what, struct cts_err *err);
/* Which of the words is it? They are ended by a null pointer; `what` is for messages. */
int cts_schema_word(const struct cts_yaml *node, const char *what, const char *const *words,
                    size_t *index, struct cts_err *err);

#endif
