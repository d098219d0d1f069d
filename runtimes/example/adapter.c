/* A whole adapter, to be copied: it puts the machine of toy.h under test. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "toy.h"
#include "wire/worker.h"

struct loaded {
    struct toy_program *program;
    struct cts_layout layout; /* rows 0: a whole program */
};

static int probe(void **self, unsigned engine, struct cts_caps *caps, struct cts_err *err)
{
    (void)engine; /* there is but one */
    cts_fmt(caps->version, sizeof(caps->version), "1.0");
    caps->window_kind = CTS_WK_NATIVE; /* rows are ours to read and write; they come in frames */
    caps->window_bytes = 1 << 20;
    caps->window = *self = calloc(1, caps->window_bytes);
    caps->max_slots = TOY_SLOTS;
    caps->max_segments = 1;
    caps->max_iterations = 1 << 20;
    caps->r0_bits = 64;
    return *self ? 0 : cts_err_set(err, CTS_E_NOMEM, "no memory for the window");
}

static void load(void *self, const struct cts_load_req *q, void **prog, struct cts_load_res *res)
{
    struct loaded *l = calloc(1, sizeof(*l));
    const char *why = "no memory";
    (void)self;
    if (l && q->kind == CTS_PROG_WINDOW)
        l->layout = q->layout[0];
    if (l && (l->program = toy_load(q->code, q->slots, &why)) != NULL)
        *prog = l;
    else
        free(l);
    res->verdict = *prog ? CTS_LOAD_ACCEPTED : l ? CTS_LOAD_REJECTED : CTS_LOAD_ERROR;
    cts_fmt(res->text, sizeof(res->text), "%s", *prog ? "" : why);
}

/* One operand tuple: its state goes in, and what comes out is written into it. */
static void run_row(const struct loaded *l, uint8_t *row)
{
    uint8_t stack[CTS_STACK_BYTES];
    uint64_t fp = (uintptr_t)(stack + CTS_STACK_BYTES), r[11] = {[10] = fp};
    if (l->layout.stack_off)
        memcpy(stack, row + l->layout.stack_off, CTS_STACK_BYTES);
    for (unsigned i = 0; i < 10; i++) {
        const uint64_t of_place[] = {[CTS_PL_VALUE] = cts_get64le(row + CTS_ENTRY_IN + 8 * i),
                                     [CTS_PL_MEM] = (uintptr_t)(row + CTS_ENTRY_MEM),
                                     [CTS_PL_FP] = fp,
                                     [CTS_PL_NONE] = 0};
        r[i] = of_place[l->layout.place[i]] + (uint64_t)(int64_t)l->layout.add[i];
    }
    bool exited = toy_run(l->program, l->layout.body_slots, r);
    for (unsigned i = 0; i < 10; i++)
        if (l->layout.out_mask >> i & 1 || (exited && i == 0))
            cts_put64le(row + CTS_ENTRY_OUT + 8 * i, r[i]);
    if (l->layout.record) {
        cts_put64le(row + CTS_ENTRY_SELF, (uintptr_t)row);
        cts_put64le(row + CTS_ENTRY_FP, fp);
    }
    if (l->layout.stack_off)
        memcpy(row + l->layout.stack_off + CTS_STACK_BYTES, stack, CTS_STACK_BYTES);
    cts_put64le(row + CTS_ENTRY_END, exited ? CTS_ENDED_EXITED : CTS_ENDED_FELL_THROUGH);
}

static void run(void *self, void *prog, const struct cts_run_req *q, struct cts_run_res *res)
{
    const struct loaded *l = prog;
    uint8_t *rows = (uint8_t *)self + l->layout.region + CTS_WIN_HEADER;
    for (bool exits = true; exits && res->done < q->iterations; res->done += exits) {
        uint32_t i = q->first_row + res->done;
        uint64_t r[11] = {0};
        if (l->layout.rows)
            run_row(l, rows + (size_t)(i & (l->layout.rows - 1)) * l->layout.stride);
        else
            exits = toy_run(l->program, TOY_SLOTS, r);
        res->r0 = r[0];
        res->status = exits ? CTS_RUN_COMPLETED : CTS_RUN_FAULTED;
    }
}

static void unload(void *self, void *prog)
{
    (void)self;
    toy_free(((struct loaded *)prog)->program);
    free(prog);
}

int main(int argc, char **argv)
{
    static const struct cts_engine engines[] = {{"interp", "interpreter"}, {NULL, NULL}};
    const struct cts_adapter me = {"example", engines, probe, NULL, load, run, unload, free, NULL};
    return cts_worker_main(argc, argv, &me);
}
