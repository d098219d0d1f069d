/* Making a pack: growing tables, with strings, code, data and states kept once. The same calls give
 * the same bytes. */
#ifndef CTS_PACK_WRITER_H
#define CTS_PACK_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "host/buf.h"
#include "pack/pack.h"

/* In the order of the file. The record of each is that of struct cts_pack. */
enum cts_pk_table {
    CTS_PT_VECTORS,
    CTS_PT_CASES,
    CTS_PT_UNITS,
    CTS_PT_TUPLES,
    CTS_PT_OUTCOMES,
    CTS_PT_STATES,
    CTS_PT_SWEEPS,
    CTS_PT_OPERANDS,
    CTS_PT_MAPS,
    CTS_PT_INSN_IDS,
    CTS_PT_STRING_REFS,
    CTS_PT_CODE,
    CTS_PT_DATA,
    CTS_PT_STRINGS,
    CTS_PT_COUNT
};

/* Which bytes are in a table already. */
struct cts_pk_intern {
    struct cts_pk_slot {
        uint32_t at, len; /* len 0: free */
        uint64_t hash;
    } *slots;
    size_t cap, used;
};

struct cts_pk_writer {
    struct cts_buf table[CTS_PT_COUNT];
    struct cts_pk_intern strings, code, data, states;
    uint32_t left_out; /* ids of vectors left out, which are the first string references */
    bool failed;       /* memory or a limit ran out: sticky, told by cts_pkw_end */
};

void cts_pkw_init(struct cts_pk_writer *w);
void cts_pkw_release(struct cts_pk_writer *w);

/* Appends a record; returns its index. Clear records with memset first: padding goes into the file.
 */
uint32_t cts_pkw_add(struct cts_pk_writer *w, enum cts_pk_table table, const void *record);
/* Records so far: where the next range begins. Bytes for code, data and strings. */
uint32_t cts_pkw_count(const struct cts_pk_writer *w, enum cts_pk_table table);
/* Interned; "" is 0. */
cts_pk_str cts_pkw_str(struct cts_pk_writer *w, const char *text);
/* Appends the string's offset to the string references. */
void cts_pkw_ref(struct cts_pk_writer *w, const char *text);
/* The id of a vector that is left out. All of them come before any other reference. */
void cts_pkw_leave_out(struct cts_pk_writer *w, const char *id);
/* Offset of these bytes; equal ones are kept once. No bytes: 0. */
uint32_t cts_pkw_code(struct cts_pk_writer *w, const uint8_t *bytes, uint32_t slots);
uint32_t cts_pkw_data(struct cts_pk_writer *w, const void *bytes, uint32_t len);
/* Index of an equal state, or of the one appended. */
uint32_t cts_pkw_state(struct cts_pk_writer *w, const struct cts_pk_state *s);

/* Appends the file to `out`. The result is not checked here: cts_pack_from_memory does that. */
int cts_pkw_end(struct cts_pk_writer *w, enum cts_level level, struct cts_buf *out,
                struct cts_err *err);

#endif
