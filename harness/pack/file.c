#include "pack/file.h"

#include <string.h>

#include "base/sha256.h"
#include "isa/isa.h"

const uint32_t cts_pack_record_bytes[CTS_PT_COUNT] = {
    [CTS_PT_VECTORS] = sizeof(struct cts_pk_vector),
    [CTS_PT_CASES] = sizeof(struct cts_pk_case),
    [CTS_PT_UNITS] = sizeof(struct cts_pk_unit),
    [CTS_PT_TUPLES] = sizeof(struct cts_pk_tuple),
    [CTS_PT_OUTCOMES] = sizeof(struct cts_pk_outcome),
    [CTS_PT_STATES] = sizeof(struct cts_pk_state),
    [CTS_PT_SWEEPS] = sizeof(struct cts_pk_sweep),
    [CTS_PT_OPERANDS] = sizeof(struct cts_pk_operand),
    [CTS_PT_MAPS] = sizeof(struct cts_pk_map),
    [CTS_PT_INSN_IDS] = sizeof(uint16_t),
    [CTS_PT_STRING_REFS] = sizeof(cts_pk_str),
    [CTS_PT_CODE] = 1,
    [CTS_PT_DATA] = 1,
    [CTS_PT_STRINGS] = 1,
};

void cts_pack_isa_sum(uint8_t sum[32])
{
    struct cts_sha256 s;
    cts_sha256_init(&s);
    for (unsigned i = 0; i < CTS_INSN_COUNT; i++) {
        const char *id = cts_insn_info((enum cts_insn_id)i)->id;
        cts_sha256_add(&s, id, strlen(id) + 1);
    }
    cts_sha256_end(&s, sum);
}
