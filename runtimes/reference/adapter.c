#include "reference.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "platform.h"
#include "wire/window.h"

enum {
    WINDOW_BYTES = 8 << 20,
    MAX_SLOTS = 1 << 20,
    MAX_SEGMENTS = 8,
    MAX_ITERATIONS = 1 << 24,
    BUDGET = 1 << 26,  /* instructions of one row or one whole program */
    STACK_FILL = 0xa5, /* stack that the row says nothing of */
    ARGS_FILL = 0xa4,  /* arguments on the stack that were not given */
};

struct traits {
    bool be;
    bool env;      /* the window is memory of the programs, which bring their own environment */
    bool argument; /* with env: they get its address in r1 */
};

struct machine {
    const cts_exec_fn *exec;
    bool be, env, argument;
    struct cts_window window;
    uint8_t stacks[CTS_MACH_STACKS_BYTES], args[CTS_MACH_ARGS_BYTES];
};

struct program {
    bool bare;       /* a body, to be run on a row; else a program that begins and ends by itself */
    bool has_window; /* it works on rows */
    bool takes_window; /* its argument is the window, not the context */
    bool uses_stack, uses_calls;
    struct cts_layout layout; /* of a body */
    struct cts_mach mach;     /* region[0] is the row's memory, or the window */
    struct ref_platform platform;
    uint8_t *memory; /* of a whole program that is given some */
    uint32_t memory_bytes;
    uint32_t slots;
    struct cts_mach_insn insn[];
};

static const struct cts_engine engines[] = {
    {"interp", "little-endian machine"},
    {"interp-be", "big-endian machine"},
    {"interp-env", "little-endian machine, through the same environment code as a real runtime"},
    {"interp-env-be", "big-endian machine, through the same environment code as a real runtime"},
    {"interp-arg", "little-endian machine, through environment code that gets the window in r1"},
    {NULL, NULL},
};

/* In the order of `engines`. */
static const struct traits engine_traits[] = {
    {.be = false},
    {.be = true},
    {.be = false, .env = true},
    {.be = true, .env = true},
    {.be = false, .env = true, .argument = true},
};

static enum cts_window_kind window_kind(const struct machine *self)
{
    if (!self->env)
        return CTS_WK_NATIVE;
    return self->argument ? CTS_WK_ARGUMENT : CTS_WK_ABSOLUTE;
}

static uint64_t get64(const uint8_t *at, bool be)
{
    return be ? cts_get64be(at) : cts_get64le(at);
}

static void put64(uint8_t *at, bool be, uint64_t value)
{
    if (be)
        cts_put64be(at, value);
    else
        cts_put64le(at, value);
}

/* Opening */

static void fill_caps(const struct machine *self, struct cts_caps *caps)
{
    *caps = (struct cts_caps){
        .be = self->be,
        .window_kind = (uint8_t)window_kind(self),
        .window_bytes = self->window.bytes,
        .window = self->window.data,
        .window_fd = self->window.fd,
        .window_addr = self->env && !self->argument ? REF_WINDOW_BASE : 0,
        .features = CTS_FEAT_LOCAL_CALL | CTS_FEAT_MAP_FD | CTS_FEAT_MAP_IDX | CTS_FEAT_VAR |
                    CTS_FEAT_CODE | CTS_FEAT_BTF_CALL | CTS_FEAT_PACKET | CTS_FEAT_HELPER_MAP |
                    CTS_FEAT_HELPER_CSUM | CTS_FEAT_HELPER_TEST | CTS_FEAT_POINTERS |
                    CTS_FEAT_STACK_UNINIT | CTS_FEAT_THREADS | CTS_FEAT_MEMORY |
                    REF_DATA_HELPERS * CTS_FEAT_DATA_HELPER | CTS_FEAT_CALLX | CTS_FEAT_STACK_ARGS |
                    CTS_FEAT_FUNCTION_DATA | CTS_FEAT_GOTOX,
        .max_slots = MAX_SLOTS,
        .max_segments = self->env ? MAX_SEGMENTS : 1,
        .max_iterations = MAX_ITERATIONS,
        .r0_bits = 64,
    };
    if (self->argument) /* then no context comes in beside it */
        caps->features &= ~(uint32_t)CTS_FEAT_PACKET;
    cts_fmt(caps->version, sizeof(caps->version), "RFC 9669");
}

static void release(void *self)
{
    struct machine *m = self;
    if (!m)
        return;
    cts_window_close(&m->window);
    free(m);
}

int cts_reference_open(const cts_exec_fn *exec, void **self, unsigned engine, struct cts_caps *caps,
                       struct cts_err *err)
{
    const struct traits *traits = &engine_traits[engine];
    *self = NULL;
    struct machine *m = calloc(1, sizeof(*m));
    if (!m)
        return cts_err_set(err, CTS_E_NOMEM, "no memory for a machine");
    m->exec = exec;
    m->be = traits->be;
    m->env = traits->env;
    m->argument = traits->argument;
    int rc = cts_window_open(&m->window, WINDOW_BYTES, err);
    if (rc) {
        free(m);
        return rc;
    }
    fill_caps(m, caps);
    *self = m;
    return 0;
}

static int probe(void **self, unsigned engine, struct cts_caps *caps, struct cts_err *err)
{
    return cts_reference_open(cts_exec_table, self, engine, caps, err);
}

/* Loading */

static bool is_power_of_two(uint32_t v)
{
    return v != 0 && (v & (v - 1)) == 0;
}

/* The layout comes from the harness, but a wrong one must not reach beyond the window. */
static int check_layout(const struct machine *self, const struct cts_layout *l, uint32_t slots,
                        struct cts_err *err)
{
    uint64_t row = (uint64_t)CTS_ENTRY_MEM + l->mem_bytes;
    if (l->stack_off != 0 && l->stack_off < row)
        return cts_err_set(err, CTS_E_INVAL, "layout: the stack overlaps the memory");
    if (l->stack_off != 0)
        row = (uint64_t)l->stack_off + 2 * CTS_STACK_BYTES;
    if (!is_power_of_two(l->rows) || !is_power_of_two(l->stride) || l->stride < row)
        return cts_err_set(err, CTS_E_INVAL, "layout: %u rows of %u bytes", l->rows, l->stride);
    uint64_t end = (uint64_t)l->region + CTS_WIN_HEADER + (uint64_t)l->rows * l->stride;
    if (end > self->window.bytes)
        return cts_err_set(err, CTS_E_INVAL, "layout: the region ends outside of the window");
    if (l->body_slots > slots)
        return cts_err_set(err, CTS_E_INVAL, "layout: a body of %u slots in a program of %u",
                           l->body_slots, slots);
    return 0;
}

static int check_request(const struct machine *self, const struct cts_load_req *req,
                         struct cts_err *err)
{
    if (req->slots > MAX_SLOTS)
        return cts_err_set(err, CTS_E_LIMIT, "a program of %u slots", req->slots);
    if (req->kind == CTS_PROG_WHOLE)
        return 0;
    if (req->segments == 0 || req->segments > (self->env ? MAX_SEGMENTS : 1) || !req->layout)
        return cts_err_set(err, CTS_E_INVAL, "a program of %u segments", req->segments);
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < req->segments; i++)
        rc = check_layout(self, &req->layout[i], req->slots, err);
    return rc;
}

/* What has to be prepared for each row. */
static void note_use(struct program *p, const struct cts_mach_insn *insn)
{
    unsigned flags = cts_insn_info(insn->row)->flags;
    p->uses_calls |= insn->row == CTS_INSN_CALL_LOCAL || insn->row == CTS_INSN_CALLX ||
                     insn->row == CTS_INSN_LDDW_CODE;
    p->uses_stack |= insn->in.dst == 10 || insn->in.src == 10 || (flags & CTS_RF_CALL);
}

static int check_program(struct program *p, struct cts_err *err)
{
    for (unsigned i = 0; p->bare && i < 10; i++)
        p->uses_stack |= p->layout.place[i] == CTS_PL_FP;
    for (uint32_t i = 0; i < p->slots; i += 1 + p->insn[i].wide) {
        struct cts_err why;
        cts_err_clear(&why);
        note_use(p, &p->insn[i]);
        int rc = ref_platform_check(&p->platform, &p->insn[i], &why);
        if (rc)
            return cts_err_set(err, rc, "slot %u: %s", i, why.msg);
    }
    return 0;
}

/* Bytes of the window that a program can reach: those of map 0. */
static uint32_t window_bytes(const struct machine *self, const struct cts_load_req *req)
{
    if (req->kind == CTS_PROG_WHOLE)
        return 0;
    return self->env ? self->window.bytes : req->layout[0].mem_bytes;
}

static int prepare_machine(struct machine *self, const struct cts_load_req *req, struct program *p,
                           struct cts_err *err)
{
    struct cts_mach *m = &p->mach;
    cts_mach_init(m);
    m->exec = self->exec;
    m->be = self->be;
    m->prog = p->insn;
    m->prog_slots = p->slots;
    m->body_slots = p->layout.body_slots;
    cts_mach_map(m, REF_WINDOW_BASE, self->window.data, window_bytes(self, req), true);
    cts_mach_map_stack(m, REF_STACK_BASE, self->stacks);
    m->args = self->args;
    return ref_platform_map(&p->platform, m, err);
}

/* CTS_E_INVAL here is a verdict on the program; anything else is trouble of ours. */
static int load_program(struct machine *self, const struct cts_load_req *req, struct program *p,
                        struct cts_err *err)
{
    bool allow_end = p->bare && p->layout.body_slots == req->slots;
    int rc = cts_mach_decode(req->code, req->slots, self->be, allow_end, p->insn, err);
    if (rc == 0)
        rc = check_program(p, err);
    if (rc == 0)
        ref_platform_name_functions(&p->platform, req, self->be);
    return rc ? rc : prepare_machine(self, req, p, err);
}

static void unload(void *self, void *prog)
{
    (void)self;
    struct program *p = prog;
    ref_platform_release(&p->platform);
    free(p->memory);
    free(p);
}

static struct program *new_program(struct machine *self, const struct cts_load_req *req,
                                   struct cts_err *err)
{
    if (check_request(self, req, err))
        return NULL;
    struct program *p = calloc(1, sizeof(*p) + (size_t)req->slots * sizeof(p->insn[0]));
    if (!p) {
        cts_err_set(err, CTS_E_NOMEM, "no memory for a program of %u slots", req->slots);
        return NULL;
    }
    p->bare = req->kind == CTS_PROG_WINDOW && !self->env;
    p->has_window = req->kind == CTS_PROG_WINDOW;
    p->takes_window = req->kind == CTS_PROG_WINDOW && self->argument;
    p->slots = req->slots;
    if (p->bare)
        p->layout = req->layout[0];
    if (ref_platform_init(&p->platform, req, window_bytes(self, req), self->be, err)) {
        unload(self, p);
        return NULL;
    }
    return p;
}

static void load(void *self, const struct cts_load_req *req, void **prog, struct cts_load_res *res)
{
    struct cts_err err;
    cts_err_clear(&err);
    *prog = NULL;
    *res = (struct cts_load_res){.verdict = CTS_LOAD_ERROR};
    struct program *p = new_program(self, req, &err);
    int rc = p ? load_program(self, req, p, &err) : err.code;
    if (rc == 0) {
        res->verdict = CTS_LOAD_ACCEPTED;
        *prog = p;
        return;
    }
    if (p) {
        res->verdict = rc == CTS_E_INVAL ? CTS_LOAD_REJECTED : CTS_LOAD_ERROR;
        unload(self, p);
    }
    cts_fmt(res->text, sizeof(res->text), "%s", err.msg);
}

/* Running */

static uint64_t register_in(const struct program *p, const struct cts_mach *m, unsigned i,
                            const uint8_t *row, bool be)
{
    uint64_t add = (uint64_t)(int64_t)p->layout.add[i];
    switch ((enum cts_place)p->layout.place[i]) {
    case CTS_PL_VALUE:
        return get64(row + CTS_ENTRY_IN + 8 * i, be);
    case CTS_PL_MEM:
        return m->region[0].base + add;
    case CTS_PL_FP:
        return REF_FP + add;
    case CTS_PL_CTX:
        return REF_CTX_BASE + add;
    case CTS_PL_NONE:
        break;
    }
    return cts_mach_unspecified(i);
}

static void start_machine(struct cts_mach *m)
{
    m->r[10] = REF_FP;
    m->pc = m->at = 0;
    m->depth = 0;
    m->stop = CTS_MACH_RUNNING;
    m->budget = BUDGET;
    memset(m->args, ARGS_FILL, CTS_MACH_ARGS_BYTES);
}

/* A machine at work on a program; without threads it is the program's own. */
struct runner {
    struct cts_mach *mach;
    uint8_t *stacks;
    uint8_t *row; /* of a body */
};

static void fill_stacks(uint8_t *stacks, const struct program *p, const uint8_t *stack_in)
{
    uint8_t *mine = stacks + CTS_MACH_STACKS_BYTES - CTS_STACK_BYTES;
    if (p->uses_calls)
        memset(stacks, STACK_FILL, CTS_MACH_STACKS_BYTES - CTS_STACK_BYTES);
    if (stack_in)
        memcpy(mine, stack_in, CTS_STACK_BYTES);
    else if (p->uses_stack)
        memset(mine, STACK_FILL, CTS_STACK_BYTES);
}

static void store_row(const struct machine *self, const struct program *p, const struct runner *r)
{
    const struct cts_mach *m = r->mach;
    const struct cts_layout *l = &p->layout;
    uint8_t *row = r->row;
    bool exited = m->stop == CTS_MACH_EXITED;
    unsigned mask = l->out_mask | (exited ? 1u : 0u);
    for (unsigned i = 0; i < 10; i++)
        if (mask >> i & 1)
            put64(row + CTS_ENTRY_OUT + 8 * i, self->be, m->r[i]);
    if (l->record) {
        put64(row + CTS_ENTRY_SELF, self->be, m->region[0].base - CTS_ENTRY_MEM);
        put64(row + CTS_ENTRY_FP, self->be, REF_FP);
    }
    if (l->stack_off)
        memcpy(row + l->stack_off + CTS_STACK_BYTES,
               r->stacks + CTS_MACH_STACKS_BYTES - CTS_STACK_BYTES, CTS_STACK_BYTES);
    put64(row + CTS_ENTRY_END, self->be, exited ? CTS_ENDED_EXITED : CTS_ENDED_FELL_THROUGH);
}

static bool has_faulted(const struct cts_mach *m)
{
    return m->stop != CTS_MACH_ENDED && m->stop != CTS_MACH_EXITED;
}

static void begin_row(struct machine *self, const struct program *p, struct runner *r,
                      uint32_t index)
{
    const struct cts_layout *l = &p->layout;
    struct cts_mach *m = r->mach;
    uint64_t at =
        (uint64_t)l->region + CTS_WIN_HEADER + (uint64_t)(index & (l->rows - 1)) * l->stride;
    r->row = self->window.data + at;
    m->region[0].base = REF_WINDOW_BASE + at + CTS_ENTRY_MEM;
    m->region[0].host = r->row + CTS_ENTRY_MEM;
    start_machine(m);
    for (unsigned i = 0; i < 10; i++)
        m->r[i] = register_in(p, m, i, r->row, self->be);
    fill_stacks(r->stacks, p, l->stack_off ? r->row + l->stack_off : NULL);
    if (l->body_slots == 0)
        m->stop = CTS_MACH_ENDED;
}

/* A whole program without a packet may be given memory. It ends where the host's does, so that what
 * reaches beyond it is seen. */
static int give_memory(struct program *p, const struct cts_run_req *req, struct cts_err *err)
{
    struct cts_mach_region *region = &p->mach.region[0];
    free(p->memory);
    p->memory = NULL;
    p->memory_bytes = req->packet_bytes;
    p->memory = malloc(req->packet_bytes);
    if (!p->memory)
        return cts_err_set(err, CTS_E_NOMEM, "no memory for %u bytes", req->packet_bytes);
    memcpy(p->memory, req->packet, req->packet_bytes);
    region->host = p->memory;
    region->size = req->packet_bytes;
    return 0;
}

static void begin_program(const struct program *p, struct runner *r)
{
    struct cts_mach *m = r->mach;
    start_machine(m);
    for (unsigned i = 0; i < 10; i++)
        m->r[i] = cts_mach_unspecified(i);
    m->r[1] = p->takes_window || p->memory ? REF_WINDOW_BASE : REF_CTX_BASE;
    if (p->memory)
        m->r[2] = p->memory_bytes;
    fill_stacks(r->stacks, p, NULL);
}

static void begin(struct machine *self, const struct program *p, struct runner *r, uint32_t index)
{
    if (p->bare)
        begin_row(self, p, r, index);
    else
        begin_program(p, r);
}

/* False: it did not end well. */
static bool end(const struct machine *self, const struct program *p, const struct runner *r)
{
    if (has_faulted(r->mach))
        return false;
    if (p->bare)
        store_row(self, p, r);
    return true;
}

static void report_fault(const struct cts_mach *m, struct cts_run_res *res)
{
    res->status = CTS_RUN_FAULTED;
    cts_fmt(res->text, sizeof(res->text), "%s: %s", cts_mach_stop_name(m->stop), m->why);
}

static void run_alone(struct machine *self, struct program *p, const struct cts_run_req *req,
                      struct cts_run_res *res)
{
    struct runner r = {.mach = &p->mach, .stacks = self->stacks};
    for (; res->done < req->iterations; res->done++) {
        begin(self, p, &r, req->first_row + res->done);
        cts_mach_run(r.mach);
        if (!end(self, p, &r)) {
            report_fault(r.mach, res);
            return;
        }
    }
    res->r0 = p->mach.r[0];
}

/* Several machines take turns, an instruction each: what one instruction does is never seen in
 * parts, and everything else is. Whose turn it is looks like chance, and is the same each time. */
struct thread {
    struct cts_mach mach;
    uint8_t stacks[CTS_MACH_STACKS_BYTES], args[CTS_MACH_ARGS_BYTES];
    struct runner runner;
    uint32_t done;
};

static void give_stacks(struct thread *t)
{
    for (unsigned i = 0; i < t->mach.regions; i++)
        if (t->mach.region[i].base == REF_STACK_BASE)
            t->mach.region[i].host = t->stacks;
    t->mach.args = t->args;
    t->runner = (struct runner){.mach = &t->mach, .stacks = t->stacks};
}

/* True: that was the last of its iterations. */
static bool take_turn(struct machine *self, const struct program *p, const struct cts_run_req *req,
                      struct thread *t, struct cts_run_res *res)
{
    if (t->done == req->iterations || cts_mach_step(&t->mach) == CTS_MACH_RUNNING)
        return false;
    if (!end(self, p, &t->runner)) {
        report_fault(&t->mach, res);
        return false;
    }
    if (++t->done < req->iterations)
        begin(self, p, &t->runner, req->first_row + t->done);
    return t->done == req->iterations;
}

static void run_together(struct machine *self, const struct program *p,
                         const struct cts_run_req *req, struct cts_run_res *res)
{
    struct thread *t = calloc(req->threads, sizeof(*t));
    uint32_t over = 0;
    uint64_t chance = 1;
    if (!t) {
        res->status = CTS_RUN_ERROR;
        cts_fmt(res->text, sizeof(res->text), "no memory for %u machines", req->threads);
        return;
    }
    for (uint32_t i = 0; i < req->threads; i++) {
        t[i].mach = p->mach;
        give_stacks(&t[i]);
        begin(self, p, &t[i].runner, req->first_row);
    }
    while (over < req->threads && res->status == CTS_RUN_COMPLETED) {
        chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        over += take_turn(self, p, req, &t[(chance >> 33) % req->threads], res);
    }
    res->done = t[0].done;
    for (uint32_t i = 0; i < req->threads; i++)
        res->done = t[i].done < res->done ? t[i].done : res->done;
    res->r0 = t[0].mach.r[0];
    free(t);
}

static void run(void *self, void *prog, const struct cts_run_req *req, struct cts_run_res *res)
{
    struct program *p = prog;
    struct cts_err err;
    cts_err_clear(&err);
    *res = (struct cts_run_res){.status = CTS_RUN_COMPLETED};
    bool gets_memory = !p->bare && !p->has_window && !p->platform.has_packet && req->packet;
    if (ref_platform_start(&p->platform, &p->mach, req->packet, req->packet_bytes, &err) ||
        (gets_memory && give_memory(p, req, &err))) {
        res->status = CTS_RUN_ERROR;
        cts_fmt(res->text, sizeof(res->text), "%s", err.msg);
        return;
    }
    if (req->threads > 1)
        run_together(self, p, req, res);
    else
        run_alone(self, p, req, res);
}

const struct cts_adapter cts_reference_adapter = {
    .name = "reference",
    .engines = engines,
    .probe = probe,
    .load = load,
    .run = run,
    .unload = unload,
    .release = release,
};
