#include "asm/asm.h"

#include <string.h>

#include "asm/unit.h"

/* One call of llvm-mc takes at most so many programs, and text. */
enum { CHUNK_PROGRAMS = 4000, CHUNK_TEXT = 16 << 20 };

static void batch_init(struct cts_asm_batch *b, const struct cts_asm_src *src,
                       struct cts_asm_out *out)
{
    *b = (struct cts_asm_batch){.src = src, .out = out};
    cts_buf_init(&b->text, 0);
    cts_buf_init(&b->insns, 0);
    cts_buf_init(&b->nums, 0);
    cts_buf_init(&b->units, 0);
}

static void batch_release(struct cts_asm_batch *b)
{
    cts_buf_release(&b->text);
    cts_buf_release(&b->insns);
    cts_buf_release(&b->nums);
    cts_buf_release(&b->units);
}

/* Filters programs from `first` on until the chunk is full; returns how many. */
static size_t fill(struct cts_asm_batch *b, size_t n)
{
    size_t i = 0;
    while (i < n && i < CHUNK_PROGRAMS && b->text.len < CHUNK_TEXT) {
        struct cts_asm_out *out = &b->out[i];
        cts_err_clear(&out->err);
        out->bytes = NULL;
        out->slots = 0;
        out->rc = cts_asm_check(b, (uint32_t)i, &out->err);
        i++;
    }
    return i;
}

int cts_asm_many(const struct cts_asm_tool *tool, bool be, const struct cts_asm_src *src, size_t n,
                 struct cts_arena *arena, struct cts_asm_out *out, struct cts_err *err)
{
    int rc = 0;
    for (size_t at = 0; rc == 0 && at < n;) {
        struct cts_asm_batch b;
        batch_init(&b, src + at, out + at);
        at += fill(&b, n - at);
        if (b.text.failed || b.insns.failed || b.nums.failed || b.units.failed)
            rc = cts_err_set(err, CTS_E_NOMEM, "out of memory");
        else
            rc = cts_asm_llvm(tool, be, &b, arena, err);
        batch_release(&b);
    }
    return rc;
}
