/* uses: base isa wire reference */
/* A runtime that runs nothing: it accepts every program, leaves every register and byte as it was
 * and always answers the same in r0 (engines zero, one), or what came in as r1 (echo). An empty
 * body it leaves alone, so that the harness believes in its environment. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/window.h"
#include "wire/worker.h"

enum { WINDOW_BYTES = 8 << 20, ADDRESS = 0x10000000 };

enum { ZERO, ONE, ECHO, ENGINES };

static const struct cts_engine engines[ENGINES + 1] = {
    [ZERO] = {"zero", "r0 is always 0"},
    [ONE] = {"one", "r0 is always 1"},
    [ECHO] = {"echo", "r0 is r1"},
};

struct self {
    struct cts_window window;
    unsigned engine;
};

struct prog {
    bool whole, empty;
    struct cts_layout layout;
};

static int probe(void **out, unsigned engine, struct cts_caps *caps, struct cts_err *err)
{
    struct self *s = calloc(1, sizeof(*s));
    *out = NULL;
    if (!s || cts_window_open(&s->window, WINDOW_BYTES, err) != 0) {
        free(s);
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    }
    s->engine = engine;
    *caps = (struct cts_caps){
        .version = "1",
        .window_kind = CTS_WK_NATIVE,
        .window_bytes = s->window.bytes,
        .window = s->window.data,
        .window_fd = s->window.fd,
        .features = CTS_FEAT_STACK_UNINIT * 2 - 1, /* all there are */
        .max_slots = 1 << 20,
        .max_segments = 1,
        .max_iterations = 1 << 24,
        .r0_bits = 64,
    };
    *out = s;
    return 0;
}

static void load(void *self, const struct cts_load_req *req, void **prog, struct cts_load_res *res)
{
    struct prog *p = calloc(1, sizeof(*p));
    (void)self;
    *res = (struct cts_load_res){.verdict = p ? CTS_LOAD_ACCEPTED : CTS_LOAD_ERROR};
    *prog = p;
    if (!p)
        return;
    p->whole = req->kind == CTS_PROG_WHOLE;
    p->empty = req->slots == 0;
    if (!p->whole)
        p->layout = req->layout[0];
}

static uint64_t value_in(const struct cts_layout *l, const uint8_t *row, unsigned i)
{
    uint64_t add = (uint64_t)(int64_t)l->add[i];
    if (l->place[i] == CTS_PL_MEM)
        return ADDRESS + CTS_ENTRY_MEM + add;
    if (l->place[i] == CTS_PL_FP)
        return 2 * ADDRESS + add;
    return cts_get64le(row + CTS_ENTRY_IN + 8 * i);
}

static uint64_t answer(const struct self *s, uint64_t r1)
{
    return s->engine == ECHO ? r1 : s->engine;
}

static void run_row(const struct self *s, const struct prog *p, uint8_t *row)
{
    const struct cts_layout *l = &p->layout;
    for (unsigned i = 0; i < 10; i++) {
        uint64_t v = value_in(l, row, i);
        if (i == 0 && !p->empty)
            v = answer(s, value_in(l, row, 1));
        if (l->out_mask >> i & 1)
            cts_put64le(row + CTS_ENTRY_OUT + 8 * i, v);
    }
    if (l->record) {
        cts_put64le(row + CTS_ENTRY_SELF, ADDRESS);
        cts_put64le(row + CTS_ENTRY_FP, 2 * ADDRESS);
    }
    if (l->stack_off)
        memcpy(row + l->stack_off + CTS_STACK_BYTES, row + l->stack_off, CTS_STACK_BYTES);
    cts_put64le(row + CTS_ENTRY_END, CTS_ENDED_FELL_THROUGH);
}

static void run(void *self, void *prog, const struct cts_run_req *req, struct cts_run_res *res)
{
    struct self *s = self;
    const struct prog *p = prog;
    const struct cts_layout *l = &p->layout;
    *res = (struct cts_run_res){.status = CTS_RUN_COMPLETED, .done = req->iterations};
    res->r0 = answer(s, ADDRESS);
    for (uint32_t i = 0; !p->whole && i < req->iterations; i++) {
        uint32_t at = (req->first_row + i) & (l->rows - 1);
        run_row(s, p, s->window.data + l->region + CTS_WIN_HEADER + (size_t)at * l->stride);
    }
}

static void unload(void *self, void *prog)
{
    (void)self;
    free(prog);
}

static void release(void *self)
{
    struct self *s = self;
    if (s)
        cts_window_close(&s->window);
    free(s);
}

int main(int argc, char **argv)
{
    static const struct cts_adapter adapter = {.name = "constant",
                                               .engines = engines,
                                               .probe = probe,
                                               .load = load,
                                               .run = run,
                                               .unload = unload,
                                               .release = release};
    return cts_worker_main(argc, argv, &adapter);
}
