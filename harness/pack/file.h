/* The form of a pack file, for its reader and its writer: a header, then the tables, each at a
 * multiple of 8. All of it is covered: by the magic, the sum, or what the sum is over. */
#ifndef CTS_PACK_FILE_H
#define CTS_PACK_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/sum.h"
#include "pack/writer.h"

#define CTS_PACK_MAGIC "CTSPACK"

enum {
    CTS_PACK_VERSION = 9,       /* raise it with every change of a record's meaning */
    CTS_PACK_MARK = 0x01020304, /* byte-order mark */
};

struct cts_pack_header {
    char magic[8];
    uint8_t sum[CTS_SUM_BYTES]; /* of everything behind it */
    uint8_t digest[32];         /* SHA-256 of everything behind it */
    uint32_t mark, version, level, tables;
    uint32_t left_out, zero; /* the first string references */
    uint64_t bytes;          /* of the file */
    uint8_t isa[32];         /* which rows the row ids count: see cts_pack_isa_sum */
    struct {
        uint64_t offset;
        uint32_t count, record_bytes;
    } table[CTS_PT_COUNT];
};

/* Bytes of one record of each table. */
extern const uint32_t cts_pack_record_bytes[CTS_PT_COUNT];

/* Where what the sum covers begins. */
enum { CTS_PACK_SUMMED = offsetof(struct cts_pack_header, digest) };
/* Fills in the digest and the sum of a whole pack in memory. */
void cts_pack_seal(void *pack, size_t len);

/* A sum over the ids of the rows in their order, so that a pack made with other tables is refused.
 */
void cts_pack_isa_sum(uint8_t sum[32]);

#endif
