#include "conf/impl.h"

enum { BYTES_IN_LINE = 16 };

/* The instruction at `at`; a call of a helper with the number that it has in these files. */
static const uint8_t *numbered(const struct cts_conf_test *t, uint32_t at,
                               uint8_t slot[2 * CTS_SLOT_BYTES])
{
    const uint8_t *p = t->code + (size_t)at * CTS_SLOT_BYTES;
    struct cts_insn in;
    cts_slot_get(p, false, &in);
    if (!cts_conf_is_helper_call(&in))
        return p;
    in.imm = cts_conf_helper_to(in.imm);
    cts_slot_put(slot, false, &in);
    return slot;
}

static void add_program(struct cts_buf *out, const struct cts_conf_test *t)
{
    uint32_t described = 0;
    cts_buf_adds(out, "-- raw\n");
    for (uint32_t i = 0; i < t->slots; i++) {
        uint8_t slot[2 * CTS_SLOT_BYTES] = {0};
        const uint8_t *p = numbered(t, i, slot);
        char text[256] = "";
        uint64_t v = 0;
        for (unsigned b = 8; b-- > 0;)
            v = v << 8 | p[b];
        if (i == described) {
            int n = cts_disasm(p, p == slot ? 1 : t->slots - i, false, text, sizeof(text));
            described += n > 0 ? (uint32_t)n : 1;
        }
        cts_buf_addf(out, "0x%016llx%s%s\n", (unsigned long long)v, text[0] ? " # " : "", text);
    }
}

static void add_memory(struct cts_buf *out, const struct cts_conf_test *t)
{
    cts_buf_adds(out, "-- mem\n");
    for (uint32_t i = 0; i < t->mem_bytes; i++) {
        bool last = i + 1 == t->mem_bytes || (i + 1) % BYTES_IN_LINE == 0;
        cts_buf_addf(out, "%02x%c", (unsigned)t->mem[i], last ? '\n' : ' ');
    }
}

void cts_conf_write(struct cts_buf *out, const char *about, const struct cts_conf_test *t)
{
    cts_buf_addf(out, "# %s\n", about);
    add_program(out, t);
    if (t->mem_bytes)
        add_memory(out, t);
    if (t->is_error)
        cts_buf_addf(out, "-- error\n%s\n", t->error);
    else
        cts_buf_addf(out, "-- result\n0x%llx\n", (unsigned long long)t->result);
}
