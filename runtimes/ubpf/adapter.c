#include "ub.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <ubpf.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "helpers.h"
#include "run.h"
#include "wire/window.h"

enum {
    WINDOW_BYTES = 8 << 20,
    MAX_SEGMENTS = 8,
    MAX_ITERATIONS = 1 << 20,
    BUDGET = 1 << 26,        /* instructions of one row or one whole program, interpreted */
    CODE_BYTES = 64 << 10,   /* compiled code around a program, */
    CODE_BYTES_A_SLOT = 256, /* and at most for each of its slots */
};

struct machine {
    bool jit, blind;
    struct cts_window window;
    /* A virtual machine costs more than a program: they are used again. */
    struct ubpf_vm *idle[64];
    unsigned idles;
    uint8_t *room; /* of programs that run alone */
};

enum { INTERP, JIT, JIT_BLIND };

static const struct cts_engine engines[] = {
    [INTERP] = {"interp", "interpreter"},
    [JIT] = {"jit", "compiler"},
    [JIT_BLIND] = {"jit-blinded", "compiler, constants blinded"},
    {NULL, NULL},
};

/* Opening */

static void fill_caps(const struct machine *m, struct cts_caps *caps)
{
    struct utsname name;

    *caps = (struct cts_caps){
        .be = CTS_HOST_IS_BE,
        .window_kind = CTS_WK_ABSOLUTE,
        .window_bytes = m->window.bytes,
        .window = m->window.data,
        .window_fd = m->window.fd,
        .window_addr = (uint64_t)(uintptr_t)m->window.data,
        .features = CTS_FEAT_LOCAL_CALL | CTS_FEAT_HELPER_CSUM | CTS_FEAT_HELPER_TEST |
                    CTS_FEAT_POINTERS | CTS_FEAT_STACK_UNINIT | CTS_FEAT_THREADS |
                    ((1 << CTS_DATA_HELPERS_COUNT) - 1) * CTS_FEAT_DATA_HELPER,
        .max_slots = UBPF_MAX_INSTS - 1,
        .max_segments = MAX_SEGMENTS,
        .max_iterations = MAX_ITERATIONS,
        .r0_bits = 64,
    };
    uname(&name);
    cts_fmt(caps->version, sizeof(caps->version), "%.40s %.20s", CTS_UBPF_VERSION, name.machine);
}

static void release(void *self)
{
    struct machine *m = self;

    while (m->idles)
        ubpf_destroy(m->idle[--m->idles]);
    if (m->window.data)
        cts_window_close(&m->window);
    cts_ub_close_room(m->room);
    free(m);
}

/* uBPF asks for tables of some megabytes with every program, and touches little of them: fresh
 * pages are cheaper than pages cleared. Set once, the limit no longer moves. */
static void tune_malloc(void)
{
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
}

/* Bytes of `r0 = 0x12345678; exit`, compiled; 0 if that fails. */
static size_t compiled_bytes(bool blind)
{
    static const uint8_t code[] = {0xb7, 0, 0, 0, 0x78, 0x56, 0x34, 0x12,
                                   0x95, 0, 0, 0, 0,    0,    0,    0};
    struct ubpf_vm *vm = ubpf_create();
    uint8_t *room = malloc(CODE_BYTES);
    size_t bytes = CODE_BYTES;
    char *why = NULL;

    if (vm)
        ubpf_toggle_constant_blinding(vm, blind);
    if (!vm || !room || ubpf_load(vm, code, sizeof(code), &why) != 0 ||
        ubpf_translate(vm, room, &bytes, &why) != 0)
        bytes = 0;
    if (vm)
        ubpf_destroy(vm);
    free(room);
    free(why);
    return bytes;
}

/* Blinding must show: code that holds a constant grows. Otherwise this engine would only be `jit`
 * under another name. */
static int check_blinding(struct cts_err *err)
{
    size_t plain = compiled_bytes(false), blinded = compiled_bytes(true);

    if (plain > 0 && blinded > plain)
        return 0;
    return cts_err_set(err, CTS_E_UNSUPPORTED,
                       "constants are not blinded on this machine: %zu bytes of code with it, %zu "
                       "without",
                       blinded, plain);
}

static int probe(void **self, unsigned engine, struct cts_caps *caps, struct cts_err *err)
{
    struct machine *m;
    int rc;

    *self = NULL;
    rc = engine == JIT_BLIND ? check_blinding(err) : 0;
    if (rc)
        return rc;
    tune_malloc();
    m = calloc(1, sizeof(*m));
    if (!m)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    m->jit = engine != INTERP;
    m->blind = engine == JIT_BLIND;
    rc = cts_window_open(&m->window, WINDOW_BYTES, err);
    m->room = cts_ub_open_room();
    if (rc == 0 && !m->room)
        rc = cts_err_set(err, CTS_E_NOMEM, "no memory for a stack");
    if (rc) {
        release(m);
        return rc;
    }
    fill_caps(m, caps);
    *self = m;
    return 0;
}

/* Virtual machines */

static bool is_ours(void *context, uint64_t at, uint64_t bytes)
{
    const struct machine *m = context;
    uint64_t off = at - (uint64_t)(uintptr_t)m->window.data;

    return off <= m->window.bytes && bytes <= m->window.bytes - off;
}

/* uBPF knows no stack frames of its own accord: a frame is as large as its owner says. */
static int frame_bytes(const struct ubpf_vm *vm, uint16_t pc, void *cookie)
{
    (void)vm, (void)pc, (void)cookie;
    return CTS_STACK_BYTES;
}

static struct ubpf_vm *new_vm(struct machine *m)
{
    struct ubpf_vm *vm = ubpf_create();

    if (!vm)
        return NULL;
    ubpf_set_error_print(vm, cts_ub_hear);
    ubpf_set_instruction_limit(vm, BUDGET, NULL);
    ubpf_toggle_constant_blinding(vm, m->blind);
    ubpf_register_stack_usage_calculator(vm, frame_bytes, NULL);
    if (ubpf_set_unwind_function_index(vm, CTS_UB_UNWIND) == 0 &&
        ubpf_register_data_bounds_check(vm, m, is_ours) == 0 &&
        ubpf_register_external_dispatcher(vm, cts_ub_help, cts_ub_has_helper) == 0)
        return vm;
    ubpf_destroy(vm);
    return NULL;
}

static struct ubpf_vm *take_vm(struct machine *m)
{
    return m->idles ? m->idle[--m->idles] : new_vm(m);
}

static void give_back(struct machine *m, struct ubpf_vm *vm)
{
    if (m->idles == CTS_ARRAY_LEN(m->idle)) {
        ubpf_destroy(vm);
        return;
    }
    ubpf_unload_code(vm);
    m->idle[m->idles++] = vm;
}

/* Loading */

static bool has_local_call(const struct cts_load_req *req)
{
    enum { CALL = 0x85, LOCAL = 1 };

    for (uint32_t i = 0; i < req->slots; i++) {
        const uint8_t *slot = req->code + (size_t)8 * i;

        if (slot[0] == CALL && (CTS_HOST_IS_BE ? slot[1] & 0xf : slot[1] >> 4) == LOCAL)
            return true;
    }
    return false;
}

static void unload(void *self, void *prog)
{
    struct cts_ub_prog *p = prog;

    give_back(self, p->vm);
    free(p);
}

static void reject(struct cts_load_res *res, char *why)
{
    res->verdict = CTS_LOAD_REJECTED;
    cts_fmt(res->text, sizeof(res->text), "%s", why ? why : cts_ub_said);
    free(why);
}

/* False: the program is refused, and `res` says why. */
static bool load_code(const struct machine *m, struct cts_ub_prog *p,
                      const struct cts_load_req *req, struct cts_load_res *res)
{
    char *why = NULL;

    cts_ub_said[0] = '\0';
    if (ubpf_load(p->vm, req->code, req->slots * 8, &why) != 0) {
        reject(res, why);
        return false;
    }
    if (m->jit) {
        ubpf_set_jit_code_size(p->vm, CODE_BYTES + (size_t)CODE_BYTES_A_SLOT * req->slots);
        p->native = ubpf_compile_ex(p->vm, &why, ExtendedJitMode);
        if (!p->native) {
            reject(res, why);
            return false;
        }
    }
    free(why);
    res->verdict = CTS_LOAD_ACCEPTED;
    return true;
}

static void load(void *self, const struct cts_load_req *req, void **prog, struct cts_load_res *res)
{
    struct machine *m = self;
    struct cts_ub_prog *p = calloc(1, sizeof(*p));

    *prog = NULL;
    *res = (struct cts_load_res){.verdict = CTS_LOAD_ERROR};
    if (p)
        p->vm = take_vm(m);
    if (!p || !p->vm) {
        free(p);
        cts_fmt(res->text, sizeof(res->text), "no virtual machine: out of memory");
        return;
    }
    p->stack_bytes = cts_ub_stack_bytes(has_local_call(req));
    if (load_code(m, p, req, res))
        *prog = p;
    else
        unload(m, p);
}

/* Running */

static void run(void *self, void *prog, const struct cts_run_req *req, struct cts_run_res *res)
{
    struct machine *m = self;

    res->status = CTS_RUN_COMPLETED;
    res->done = 0;
    res->r0 = 0;
    res->text[0] = '\0';
    if (req->threads > 1)
        cts_ub_run_threads(prog, req, res);
    else
        cts_ub_run(prog, m->room, req->iterations, res);
}

const struct cts_adapter cts_ub_adapter = {
    .name = "ubpf",
    .engines = engines,
    .probe = probe,
    .load = load,
    .run = run,
    .unload = unload,
    .release = release,
};
