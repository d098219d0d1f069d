/* uses: base host isa wire pack */
/* A hostile pack is refused, or everything in it can be followed. The input is the counts of the
 * tables and then their bytes, put behind a right header: an input that is a file as a whole would
 * hardly ever get past it. */
#include <stdlib.h>
#include <string.h>

#include "isa/isa.h"
#include "pack/file.h"
#include "pack/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t sum_bytes(const uint8_t *at, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += at[i];
    return sum;
}

static size_t visit_vectors(const struct cts_pack *p)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < p->vector_count; i++) {
        const struct cts_pk_vector *v = &p->vectors[i];
        sum += strlen(cts_pack_text(p, v->id)) + strlen(cts_pack_text(p, v->file));
        for (uint32_t k = 0; k < v->rows.count; k++)
            sum += strlen(cts_insn_info((enum cts_insn_id)p->insn_ids[v->rows.first + k])->id);
        for (uint32_t k = 0; k < v->clauses.count; k++)
            sum += strlen(cts_pack_text(p, p->string_refs[v->clauses.first + k]));
        for (uint32_t k = 0; k < v->cases.count; k++)
            sum += strlen(cts_pack_text(p, p->cases[v->cases.first + k].name));
        for (uint32_t k = 0; k < v->units.count; k++)
            sum += p->units[v->units.first + k].slots;
    }
    return sum;
}

static size_t visit_units(const struct cts_pack *p)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < p->unit_count; i++) {
        const struct cts_pk_unit *u = &p->units[i];
        sum += sum_bytes(p->code + u->code, (size_t)u->slots * 8);
        sum += sum_bytes(p->data + u->packet.first, u->packet.count);
        for (uint32_t k = 0; k < u->rows.count; k++)
            sum += p->cases[p->rows[u->rows.first + k].kase].line;
        for (uint32_t k = 0; k < u->maps.count; k++)
            sum += p->maps[u->maps.first + k].entries;
        if (u->sweep != UINT32_MAX)
            sum += p->states[p->sweeps[u->sweep].base].any;
    }
    return sum;
}

static size_t visit_rows(const struct cts_pack *p)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < p->row_count; i++) {
        const struct cts_pk_tuple *row = &p->rows[i];
        for (uint32_t k = 0; k < row->out.count; k++) {
            const struct cts_pk_outcome *o = &p->outcomes[row->out.first + k];
            sum += o->has_r0 ? o->kind : 0u;
            sum += o->state != UINT32_MAX ? p->states[o->state].any : 0u;
        }
    }
    return sum;
}

/* A block of its own: a pack is aligned, and reading past its end is found. */
static uint8_t *build(const uint8_t *data, size_t size, size_t *len)
{
    struct cts_pack_header h = {.mark = CTS_PACK_MARK, .version = CTS_PACK_VERSION};
    uint64_t at = sizeof(h);
    memcpy(h.magic, CTS_PACK_MAGIC, sizeof(h.magic));
    h.tables = CTS_PT_COUNT;
    cts_pack_isa_sum(h.isa);
    for (unsigned i = 0; i < CTS_PT_COUNT; i++) {
        uint32_t record = cts_pack_record_bytes[i];
        uint32_t count = i < size ? data[i] & 15u : 0;
        h.table[i].count = record == 1 ? count * 8 + 8 : count;
        h.table[i].record_bytes = record;
        h.table[i].offset = at;
        at += ((uint64_t)h.table[i].count * record + 7) / 8 * 8;
    }
    h.bytes = at;
    uint8_t *pack = calloc(1, (size_t)at);
    if (!pack)
        return NULL;
    memcpy(pack, &h, sizeof(h));
    if (size > CTS_PT_COUNT) {
        size_t room = (size_t)at - sizeof(h) - 1; /* the strings end with a zero */
        size_t n = size - CTS_PT_COUNT < room ? size - CTS_PT_COUNT : room;
        memcpy(pack + sizeof(h), data + CTS_PT_COUNT, n);
    }
    cts_pack_seal(pack, (size_t)at);
    *len = (size_t)at;
    return pack;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cts_pack pack;
    size_t len = 0;
    uint8_t *bytes = build(data, size, &len);
    if (!bytes)
        return 0;
    if (cts_pack_from_memory(&pack, bytes, len, false, NULL) == 0) {
        volatile size_t sum = visit_vectors(&pack) + visit_units(&pack) + visit_rows(&pack);
        (void)sum;
        cts_pack_release(&pack);
    }
    free(bytes);
    return 0;
}
