/* A program as an ELF object, for tools that read programs from files. */
#ifndef CTS_ASM_OBJECT_H
#define CTS_ASM_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "host/buf.h"

/* Appends an object (isa/object.h) that holds `code`, `bytes` long and in the byte order told by
 * `be`, in the section `section`, with a global function `main` that spans it. CTS_E_NOMEM. */
int cts_object_write(const uint8_t *code, size_t bytes, bool be, const char *section,
                     struct cts_buf *out, struct cts_err *err);

#endif
