#include "pack/writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "pack/file.h"

static uint64_t hash_bytes(const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t h = 0xcbf29ce484222325;
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3;
    return h ^ h >> 32;
}

static struct cts_pk_slot *find_slot(const struct cts_pk_intern *in, const struct cts_buf *table,
                                     const void *data, uint32_t len, uint64_t hash)
{
    for (size_t i = hash & (in->cap - 1);; i = (i + 1) & (in->cap - 1)) {
        struct cts_pk_slot *s = &in->slots[i];
        if (s->len == 0)
            return s;
        if (s->hash == hash && s->len == len && memcmp(table->data + s->at, data, len) == 0)
            return s;
    }
}

static bool grow_slots(struct cts_pk_intern *in)
{
    size_t cap = in->cap ? in->cap * 2 : 1024;
    struct cts_pk_slot *slots = calloc(cap, sizeof(*slots));
    if (!slots)
        return false;
    for (size_t i = 0; i < in->cap; i++) {
        if (in->slots[i].len == 0)
            continue;
        size_t at = in->slots[i].hash & (cap - 1);
        while (slots[at].len)
            at = (at + 1) & (cap - 1);
        slots[at] = in->slots[i];
    }
    free(in->slots);
    in->slots = slots;
    in->cap = cap;
    return true;
}

static uint32_t intern(struct cts_pk_writer *w, struct cts_pk_intern *in, enum cts_pk_table table,
                       const void *data, uint32_t len)
{
    struct cts_buf *buf = &w->table[table];
    if (in->used * 2 >= in->cap && !grow_slots(in)) {
        w->failed = true;
        return 0;
    }
    uint64_t hash = hash_bytes(data, len);
    struct cts_pk_slot *s = find_slot(in, buf, data, len, hash);
    if (s->len)
        return s->at;
    uint32_t at = (uint32_t)buf->len;
    cts_buf_add(buf, data, len);
    if (buf->failed) {
        w->failed = true;
        return 0;
    }
    *s = (struct cts_pk_slot){.at = at, .len = len, .hash = hash};
    in->used++;
    return at;
}

void cts_pkw_init(struct cts_pk_writer *w)
{
    memset(w, 0, sizeof(*w));
    for (unsigned t = 0; t < CTS_PT_COUNT; t++)
        cts_buf_init(&w->table[t], 0);
    cts_buf_add(&w->table[CTS_PT_STRINGS], "", 1);
}

void cts_pkw_release(struct cts_pk_writer *w)
{
    for (unsigned t = 0; t < CTS_PT_COUNT; t++)
        cts_buf_release(&w->table[t]);
    free(w->strings.slots);
    free(w->code.slots);
    free(w->data.slots);
    free(w->states.slots);
    memset(w, 0, sizeof(*w));
}

uint32_t cts_pkw_add(struct cts_pk_writer *w, enum cts_pk_table table, const void *record)
{
    uint32_t index = cts_pkw_count(w, table);
    cts_buf_add(&w->table[table], record, cts_pack_record_bytes[table]);
    w->failed |= w->table[table].failed;
    return index;
}

uint32_t cts_pkw_count(const struct cts_pk_writer *w, enum cts_pk_table table)
{
    return (uint32_t)(w->table[table].len / cts_pack_record_bytes[table]);
}

cts_pk_str cts_pkw_str(struct cts_pk_writer *w, const char *text)
{
    if (!text || !text[0])
        return 0;
    size_t len = strlen(text) + 1;
    if (len > UINT32_MAX) {
        w->failed = true;
        return 0;
    }
    return intern(w, &w->strings, CTS_PT_STRINGS, text, (uint32_t)len);
}

void cts_pkw_ref(struct cts_pk_writer *w, const char *text)
{
    cts_pk_str s = cts_pkw_str(w, text);
    cts_pkw_add(w, CTS_PT_STRING_REFS, &s);
}

uint32_t cts_pkw_code(struct cts_pk_writer *w, const uint8_t *bytes, uint32_t slots)
{
    if (slots > UINT32_MAX / 8) {
        w->failed = true;
        return 0;
    }
    return slots ? intern(w, &w->code, CTS_PT_CODE, bytes, slots * 8) : 0;
}

uint32_t cts_pkw_data(struct cts_pk_writer *w, const void *bytes, uint32_t len)
{
    return len ? intern(w, &w->data, CTS_PT_DATA, bytes, len) : 0;
}

uint32_t cts_pkw_state(struct cts_pk_writer *w, const struct cts_pk_state *s)
{
    return intern(w, &w->states, CTS_PT_STATES, s, sizeof(*s)) / (uint32_t)sizeof(*s);
}

void cts_pkw_leave_out(struct cts_pk_writer *w, const char *id)
{
    w->failed |= cts_pkw_count(w, CTS_PT_STRING_REFS) != w->left_out++;
    cts_pkw_ref(w, id);
}

void cts_pack_seal(void *pack, size_t len)
{
    enum { HASHED = offsetof(struct cts_pack_header, mark) };
    struct cts_pack_header *h = pack;
    const uint8_t *bytes = pack;
    struct cts_sha256 hash;
    cts_sha256_init(&hash);
    cts_sha256_add(&hash, bytes + HASHED, len - HASHED);
    cts_sha256_end(&hash, h->digest);
    cts_sum(bytes + CTS_PACK_SUMMED, len - CTS_PACK_SUMMED, h->sum);
}

int cts_pkw_end(struct cts_pk_writer *w, enum cts_level level, struct cts_buf *out,
                struct cts_err *err)
{
    static const uint8_t zeros[8];
    struct cts_pack_header h;
    size_t before = out->len;
    memset(&h, 0, sizeof(h));
    memcpy(h.magic, CTS_PACK_MAGIC, sizeof(h.magic));
    h.mark = CTS_PACK_MARK;
    h.version = CTS_PACK_VERSION;
    h.level = (uint32_t)level;
    h.tables = CTS_PT_COUNT;
    h.left_out = w->left_out;
    cts_pack_isa_sum(h.isa);
    uint64_t at = sizeof(h);
    for (unsigned t = 0; t < CTS_PT_COUNT; t++) {
        h.table[t].offset = at;
        h.table[t].count = cts_pkw_count(w, (enum cts_pk_table)t);
        h.table[t].record_bytes = cts_pack_record_bytes[t];
        at += (w->table[t].len + 7) & ~(size_t)7;
    }
    h.bytes = at;
    cts_buf_add(out, &h, sizeof(h));
    for (unsigned t = 0; t < CTS_PT_COUNT; t++) {
        const struct cts_buf *b = &w->table[t];
        cts_buf_add(out, cts_buf_text(b), b->len);
        cts_buf_add(out, zeros, (8 - b->len % 8) % 8);
    }
    if (w->failed || out->failed)
        return cts_err_set(err, CTS_E_LIMIT, "the pack is too large for memory");
    cts_pack_seal(out->data + before, out->len - before);
    return 0;
}
