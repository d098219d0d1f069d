/* uses: base host isa wire pack rt_linux reference */
/* Operand tuples per second without a harness: `ENGINE [SEGMENTS [SECONDS]]` runs r3 += r4 in the
 * usual environment over a ring of rows, in this process, and neither fills nor compares. What
 * rows.sh measures through ebpf-cts is held against this. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "host/clock.h"
#include "isa/isa.h"
#include "pack/env.h"
#include "reference.h"
#include "rt_linux/lx.h"

enum { RING_ROWS = 4096, STRIDE = 256, MOST_SEGMENTS = 8 };

static const struct {
    const char *name, *engine;
    const struct cts_adapter *adapter;
} targets[] = {
    {"linux:jit", "jit", &cts_lx_adapter},
    {"linux:interp", "interp", &cts_lx_adapter},
    {"reference:interp", "interp", &cts_reference_adapter},
};

static int fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    return 1;
}

static struct cts_layout ring_layout(void)
{
    struct cts_layout l = {.rows = RING_ROWS,
                           .stride = STRIDE,
                           .spill = -CTS_STACK_BYTES,
                           .out_mask = 0x3ff,
                           .body_slots = 1};
    return l;
}

/* n segments of r3 += r4 on one ring. */
static int build_program(const struct cts_caps *caps, uint32_t n, struct cts_layout *layout,
                         struct cts_buf *code, struct cts_err *err)
{
    struct cts_env_segment seg[MOST_SEGMENTS];
    const struct cts_insn add = {.opcode = 0x0f, .dst = 3, .src = 4};
    uint8_t body[CTS_SLOT_BYTES];
    cts_slot_put(body, false, &add);
    for (uint32_t i = 0; i < n; i++) {
        layout[i] = ring_layout();
        seg[i] = (struct cts_env_segment){
            .code = body, .slots = 1, .body_slots = 1, .layout = layout[i]};
    }
    return cts_env_build(caps, seg, n, code, err);
}

static uint64_t measure(const struct cts_adapter *a, void *self, void *prog, uint32_t n,
                        double seconds, double *took)
{
    struct cts_run_req q = {.iterations = RING_ROWS / n};
    struct cts_run_res res;
    uint64_t rows = 0, start = cts_clock_ns(), now = start;
    while ((double)(now - start) < seconds * 1e9) {
        a->run(self, prog, &q, &res);
        if (res.status != CTS_RUN_COMPLETED || res.done != q.iterations)
            return 0;
        rows += (uint64_t)q.iterations * n;
        now = cts_clock_ns();
    }
    *took = (double)(now - start) / 1e9;
    return rows;
}

/* Do all rows hold the sum, or was nothing run? */
static bool is_right(const struct cts_caps *caps)
{
    const uint8_t *first = (const uint8_t *)caps->window + CTS_WIN_HEADER;
    for (uint32_t i = 0; i < RING_ROWS; i++) {
        const uint8_t *out = first + (size_t)i * STRIDE + CTS_ENTRY_OUT;
        if (cts_get64_host(out + 24) != (uint64_t)i + 7)
            return false;
    }
    return true;
}

static void fill(const struct cts_caps *caps)
{
    uint8_t *first = (uint8_t *)caps->window + CTS_WIN_HEADER;
    memset(caps->window, 0, CTS_WIN_HEADER + (size_t)RING_ROWS * STRIDE);
    for (uint32_t i = 0; i < RING_ROWS; i++) {
        cts_put64_host(first + (size_t)i * STRIDE + 24, i);
        cts_put64_host(first + (size_t)i * STRIDE + 32, 7);
    }
}

static int bench(const struct cts_adapter *a, const char *engine, uint32_t n, double seconds)
{
    struct cts_layout layout[MOST_SEGMENTS];
    struct cts_caps caps = {.window_fd = -1};
    struct cts_err err = {0};
    struct cts_load_res loaded;
    struct cts_buf code;
    void *self, *prog = NULL;
    double took = 0;
    int number = cts_worker_engine(a, engine, &err);
    if (number < 0 || a->probe(&self, (unsigned)number, &caps, &err) != 0)
        return fail(err.msg);
    cts_buf_init(&code, 0);
    if (n > caps.max_segments || build_program(&caps, n, layout, &code, &err) != 0)
        return fail(err.code ? err.msg : "the engine takes fewer segments");
    struct cts_load_req load = {.kind = CTS_PROG_WINDOW,
                                .log = true,
                                .code = (const uint8_t *)code.data,
                                .slots = (uint32_t)(code.len / CTS_SLOT_BYTES),
                                .layout = layout,
                                .segments = n};
    a->load(self, &load, &prog, &loaded);
    if (loaded.verdict != CTS_LOAD_ACCEPTED)
        return fail(loaded.text);
    fill(&caps);
    uint64_t rows = measure(a, self, prog, n, seconds, &took);
    bool right = rows && is_right(&caps);
    a->unload(self, prog);
    if (a->release)
        a->release(self);
    cts_buf_release(&code);
    if (!right)
        return fail("the rows do not hold what they should");
    printf("%.0f\n", (double)rows / took);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned long n = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    double seconds = argc > 3 ? strtod(argv[3], NULL) : 1;
    if (argc < 2 || n < 1 || n > MOST_SEGMENTS || !(seconds > 0 && seconds < 60)) {
        fprintf(stderr, "usage: bench-rows RUNTIME:ENGINE [SEGMENTS [SECONDS]]\n");
        return 2;
    }
    for (size_t i = 0; i < CTS_ARRAY_LEN(targets); i++)
        if (strcmp(targets[i].name, argv[1]) == 0)
            return bench(targets[i].adapter, targets[i].engine, (uint32_t)n, seconds);
    return fail("no such engine");
}
