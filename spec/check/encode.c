#include "spec_check/encode.h"

#include <inttypes.h>
#include <string.h>

/* --- bytes --------------------------------------------------------------------------------- */

static void put(uint8_t *to, uint32_t value, size_t bytes, bool be)
{
    for (size_t i = 0; i < bytes; i++)
        to[be ? bytes - 1 - i : i] = (uint8_t)(value >> 8 * i);
}

size_t cts_sample_encode(const struct cts_sample *s, bool be, uint8_t out[CTS_SAMPLE_BYTES])
{
    const int32_t *v = s->value;
    unsigned high = (unsigned)(be ? v[CTS_SF_DST] : v[CTS_SF_SRC]) & 15;
    unsigned low = (unsigned)(be ? v[CTS_SF_SRC] : v[CTS_SF_DST]) & 15;

    memset(out, 0, CTS_SAMPLE_BYTES);
    out[0] = (uint8_t)v[CTS_SF_OPCODE];
    out[1] = (uint8_t)(high << 4 | low);
    put(out + 2, (uint32_t)v[CTS_SF_OFF], 2, be);
    put(out + 4, (uint32_t)v[CTS_SF_IMM], 4, be);
    put(out + 12, (uint32_t)v[CTS_SF_NEXT_IMM], 4, be);
    return s->row->wide ? 16 : 8;
}

/* --- text ---------------------------------------------------------------------------------- */

enum shape { AS_REG, AS_WORD, AS_NUMBER, AS_SIGNED, AS_SPACED, AS_WIDE };

static const struct {
    const char *text;
    enum cts_spec_field field;
    enum shape shape;
} PLACES[] = {
    {"{dst}", CTS_SF_DST, AS_REG},    {"{dst.w}", CTS_SF_DST, AS_WORD},
    {"{src}", CTS_SF_SRC, AS_REG},    {"{src.w}", CTS_SF_SRC, AS_WORD},
    {"{off}", CTS_SF_OFF, AS_SIGNED}, {"{disp}", CTS_SF_OFF, AS_SPACED},
    {"{rel}", CTS_SF_IMM, AS_SIGNED}, {"{imm}", CTS_SF_IMM, AS_NUMBER},
    {"{imm64}", CTS_SF_IMM, AS_WIDE},
};

static void put_place(const struct cts_sample *s, size_t place, bool signed_off,
                      struct cts_buf *out)
{
    int32_t v = s->value[PLACES[place].field];

    switch (PLACES[place].shape) {
    case AS_REG:
        cts_buf_addf(out, "r%" PRId32, v);
        break;
    case AS_WORD:
        cts_buf_addf(out, "w%" PRId32, v);
        break;
    case AS_NUMBER:
        cts_buf_addf(out, "%" PRId32, v);
        break;
    case AS_SIGNED:
        cts_buf_addf(out, signed_off && v >= 0 ? "+%" PRId32 : "%" PRId32, v);
        break;
    case AS_SPACED:
        cts_buf_addf(out, "%c %" PRId32, v < 0 ? '-' : '+', v < 0 ? -v : v);
        break;
    case AS_WIDE:
        cts_buf_addf(out, "0x%" PRIx64,
                     (uint64_t)(uint32_t)s->value[CTS_SF_NEXT_IMM] << 32 | (uint32_t)v);
        break;
    }
}

void cts_sample_text(const struct cts_sample *s, const char *syntax, bool signed_off,
                     struct cts_buf *out)
{
    const size_t n = sizeof(PLACES) / sizeof(PLACES[0]);

    while (*syntax) {
        size_t i = 0;
        while (i < n && strncmp(syntax, PLACES[i].text, strlen(PLACES[i].text)) != 0)
            i++;
        if (i == n) {
            cts_buf_addc(out, *syntax++);
            continue;
        }
        put_place(s, i, signed_off, out);
        syntax += strlen(PLACES[i].text);
    }
    cts_buf_addc(out, '\n');
}

/* --- samples ------------------------------------------------------------------------------- */

enum { VALUES_MAX = 8 };

struct values {
    int32_t list[VALUES_MAX];
    size_t count;
};

static const struct values EXTREMES[CTS_SF_COUNT] = {
    [CTS_SF_DST] = {{0, 1, 9, 10}, 4},
    [CTS_SF_SRC] = {{0, 1, 9, 10}, 4},
    [CTS_SF_OFF] = {{INT16_MIN, -1, 0, 1, 0x1234, INT16_MAX}, 6},
    [CTS_SF_IMM] = {{INT32_MIN, -1, 0, 1, 0x11223344, INT32_MAX}, 6},
    [CTS_SF_NEXT_IMM] = {{INT32_MIN, -1, 0, 1, 0x55667788, INT32_MAX}, 6},
};

static struct values values_of(const struct cts_spec_enc *e, enum cts_spec_field f)
{
    struct values v = {{0}, 0};

    if (e->rule == CTS_SR_FIXED)
        return (struct values){{e->value}, 1};
    if (e->rule == CTS_SR_SPAN)
        return (struct values){{e->value, e->last}, 2};
    for (size_t i = 0; i < EXTREMES[f].count; i++) {
        if (cts_spec_enc_allows(e, EXTREMES[f].list[i]))
            v.list[v.count++] = EXTREMES[f].list[i];
    }
    return v;
}

void cts_sample_each(const struct cts_spec_insn *row, cts_sample_fn fn, void *arg)
{
    struct values v[CTS_SF_COUNT];
    size_t total = 1;

    for (int f = 0; f < CTS_SF_COUNT; f++) {
        v[f] = values_of(&row->enc[f], (enum cts_spec_field)f);
        total *= v[f].count;
    }
    for (size_t n = 0; n < total; n++) {
        struct cts_sample s = {.row = row};
        size_t rest = n;
        for (int f = 0; f < CTS_SF_COUNT; f++) {
            s.value[f] = v[f].list[rest % v[f].count];
            rest /= v[f].count;
        }
        fn(arg, &s);
    }
}
