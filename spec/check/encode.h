/* Instructions out of the rows as loaded, and their texts. */
#ifndef CTS_SPEC_CHECK_ENCODE_H
#define CTS_SPEC_CHECK_ENCODE_H

#include <stdint.h>

#include "host/buf.h"
#include "load/spec.h"

enum { CTS_SAMPLE_BYTES = 16 };

struct cts_sample {
    const struct cts_spec_insn *row;
    int32_t value[CTS_SF_COUNT];
};

/* The bytes of the instruction; returns how many, 8 or 16. */
size_t cts_sample_encode(const struct cts_sample *s, bool be, uint8_t out[CTS_SAMPLE_BYTES]);

/* Appends `syntax` with its placeholders replaced, and a newline. {off} has a sign in front if
 * `signed_off`, {disp} is "+ 4" or "- 4". */
void cts_sample_text(const struct cts_sample *s, const char *syntax, bool signed_off,
                     struct cts_buf *out);

/* Calls fn for every combination of the extremes of the open fields of the row. */
typedef void (*cts_sample_fn)(void *arg, const struct cts_sample *s);
void cts_sample_each(const struct cts_spec_insn *row, cts_sample_fn fn, void *arg);

#endif
