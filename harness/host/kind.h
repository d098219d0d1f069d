/* What a file is that is not the text it was taken for. */
#ifndef CTS_HOST_KIND_H
#define CTS_HOST_KIND_H

#include <stddef.h>

#include "base/err.h"

/* 0 if the content of `path` may be text, or is empty; CTS_E_SYNTAX if it is plainly something else
 * (an ELF object, a compressed file, ...): err says what it is, that it is not `wanted`
 * ("vectors"), and what takes it. */
int cts_kind_want_text(const char *path, const void *data, size_t len, const char *wanted,
                       struct cts_err *err);
/* The same where any bytes may be right: only objects and the like are refused. */
int cts_kind_want_bytes(const char *path, const void *data, size_t len, const char *wanted,
                        struct cts_err *err);

#endif
