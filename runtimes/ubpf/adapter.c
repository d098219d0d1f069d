#include "ub.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <ubpf.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "helpers.h"

enum {
    WINDOW_BYTES = 8 << 20,
    MAX_SEGMENTS = 8,
    MAX_ITERATIONS = 1 << 20,
    BUDGET = 1 << 26, /* instructions of one row or one whole program, interpreted */
    CTX_BYTES = 64,
    PAGE_BYTES = 4096,
    FRAMES = UBPF_MAX_CALL_DEPTH + 1,
    STACK_BYTES = (FRAMES * CTS_STACK_BYTES + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES,
    GUARD_BYTES = 64 << 10, /* more than any displacement reaches */
    CTX_OFF = GUARD_BYTES,
    STACK_OFF = CTX_OFF + PAGE_BYTES + GUARD_BYTES,
    ROOM_BYTES = STACK_OFF + STACK_BYTES + GUARD_BYTES,
    STACK_FILL = 0xa5,
    CODE_BYTES = 64 << 10,   /* compiled code around a program, */
    CODE_BYTES_A_SLOT = 256, /* and at most for each of its slots */
};

/* Where the window is asked for, so that a program has the same bytes in every run. */
#define WINDOW_HINT ((void *)(uintptr_t)UINT64_C(0x100000000000))

struct program {
    struct ubpf_vm *vm;
    ubpf_jit_ex_fn native; /* null: interpreted */
    uint32_t stack_bytes;  /* as much as its frames can take, so that what is beyond is outside */
};

struct machine {
    bool jit;
    uint8_t *window;
    int window_fd;
    /* A virtual machine costs more than a program: they are used again. */
    struct ubpf_vm *idle[64];
    unsigned idles;
    /* Context and stack, with memory around them that compiled code cannot reach unnoticed. */
    uint8_t *room;
};

enum { ENGINES = 2 };

static const struct cts_engine engines[ENGINES + 1] = {
    {"interp", "interpreter"},
    {"jit", "compiler"},
};

/* What uBPF said last. Its printing function gets no context, so there is one place for it. */
static char said[CTS_TEXT_MAX];

static int __attribute__((format(printf, 2, 3))) hear(FILE *stream, const char *format, ...)
{
    va_list args;
    int n;

    (void)stream;
    va_start(args, format);
    n = vsnprintf(said, sizeof(said), format, args);
    va_end(args);
    said[strcspn(said, "\n")] = '\0';
    return n;
}

/* Opening */

static int open_window(struct machine *m, struct cts_err *err)
{
    void *data = MAP_FAILED;

    m->window_fd = memfd_create("cts-window", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (m->window_fd >= 0 && ftruncate(m->window_fd, WINDOW_BYTES) == 0)
        data = mmap(WINDOW_HINT, WINDOW_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, m->window_fd, 0);
    if (data == MAP_FAILED)
        return cts_err_set(err, CTS_E_NOMEM, "no memory for a window of %d bytes", WINDOW_BYTES);
    m->window = data;
    return 0;
}

static int open_room(struct machine *m, struct cts_err *err)
{
    void *room = mmap(NULL, ROOM_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (room == MAP_FAILED)
        return cts_err_set(err, CTS_E_NOMEM, "no memory for a stack");
    m->room = room;
    if (mprotect(m->room + CTX_OFF, PAGE_BYTES, PROT_READ | PROT_WRITE) ||
        mprotect(m->room + STACK_OFF, STACK_BYTES, PROT_READ | PROT_WRITE))
        return cts_err_set(err, CTS_E_NOMEM, "no memory for a stack");
    memset(m->room + STACK_OFF, STACK_FILL, STACK_BYTES);
    return 0;
}

static void fill_caps(const struct machine *m, struct cts_caps *caps)
{
    struct utsname name;

    *caps = (struct cts_caps){
        .be = CTS_HOST_IS_BE,
        .window_kind = CTS_WK_ABSOLUTE,
        .window_bytes = WINDOW_BYTES,
        .window = m->window,
        .window_fd = m->window_fd,
        .window_addr = (uint64_t)(uintptr_t)m->window,
        .features = CTS_FEAT_LOCAL_CALL | CTS_FEAT_HELPER_CSUM | CTS_FEAT_HELPER_TEST |
                    CTS_FEAT_POINTERS | CTS_FEAT_STACK_UNINIT,
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
    if (m->window)
        munmap(m->window, WINDOW_BYTES);
    if (m->window_fd >= 0)
        close(m->window_fd);
    if (m->room)
        munmap(m->room, ROOM_BYTES);
    free(m);
}

/* uBPF asks for tables of some megabytes with every program, and touches little of them: fresh
 * pages are cheaper than pages cleared. Set once, the limit no longer moves. */
static void tune_malloc(void)
{
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
}

static int probe(void **self, const char *engine, struct cts_caps *caps, struct cts_err *err)
{
    bool jit = strcmp(engine, engines[1].name) == 0;
    struct machine *m;
    int rc;

    *self = NULL;
    if (!jit && strcmp(engine, engines[0].name) != 0)
        return cts_err_set(err, CTS_E_NOTFOUND, "ubpf has no engine %s", engine);
    tune_malloc();
    m = calloc(1, sizeof(*m));
    if (!m)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    m->jit = jit;
    m->window_fd = -1;
    rc = open_window(m, err);
    if (rc == 0)
        rc = open_room(m, err);
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
    uint64_t off = at - (uint64_t)(uintptr_t)m->window;

    return off <= WINDOW_BYTES && bytes <= WINDOW_BYTES - off;
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
    ubpf_set_error_print(vm, hear);
    ubpf_set_instruction_limit(vm, BUDGET, NULL);
    ubpf_register_stack_usage_calculator(vm, frame_bytes, NULL);
    if (ubpf_register_data_bounds_check(vm, m, is_ours) == 0 &&
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
    struct program *p = prog;

    give_back(self, p->vm);
    free(p);
}

static void reject(struct cts_load_res *res, char *why)
{
    res->verdict = CTS_REJECTED;
    cts_fmt(res->text, sizeof(res->text), "%s", why ? why : said);
    free(why);
}

/* False: the program is refused, and `res` says why. */
static bool load_code(const struct machine *m, struct program *p, const struct cts_load_req *req,
                      struct cts_load_res *res)
{
    char *why = NULL;

    said[0] = '\0';
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
    res->verdict = CTS_ACCEPTED;
    return true;
}

static void load(void *self, const struct cts_load_req *req, void **prog, struct cts_load_res *res)
{
    struct machine *m = self;
    struct program *p = calloc(1, sizeof(*p));

    *prog = NULL;
    *res = (struct cts_load_res){.verdict = CTS_LOAD_ERROR};
    if (p)
        p->vm = take_vm(m);
    if (!p || !p->vm) {
        free(p);
        cts_fmt(res->text, sizeof(res->text), "no virtual machine: out of memory");
        return;
    }
    p->stack_bytes = (has_local_call(req) ? FRAMES : 1) * CTS_STACK_BYTES;
    if (load_code(m, p, req, res))
        *prog = p;
    else
        unload(m, p);
}

/* Running */

/* clang's check of a call's type reads in front of the function, where compiled code has nothing.
 */
#ifdef __clang__
#define CALLS_COMPILED_CODE __attribute__((no_sanitize("function")))
#else
#define CALLS_COMPILED_CODE
#endif

CALLS_COMPILED_CODE
static int run_once(struct machine *m, const struct program *p, uint64_t *r0)
{
    uint8_t *ctx = m->room + CTX_OFF;
    uint8_t *stack = m->room + STACK_OFF + STACK_BYTES - p->stack_bytes;

    if (!p->native)
        return ubpf_exec_ex(p->vm, ctx, CTX_BYTES, r0, stack, p->stack_bytes);
    *r0 = p->native(ctx, CTX_BYTES, stack, p->stack_bytes);
    return 0;
}

static void run(void *self, void *prog, const struct cts_run_req *req, struct cts_run_res *res)
{
    struct machine *m = self;

    res->status = CTS_RAN;
    res->done = 0;
    res->r0 = 0;
    res->text[0] = '\0';
    memset(m->room + CTX_OFF, 0, CTX_BYTES);
    said[0] = '\0';
    for (; res->done < req->iterations; res->done++) {
        if (run_once(m, prog, &res->r0) != 0) {
            res->status = CTS_FAULTED;
            cts_fmt(res->text, sizeof(res->text), "%s", said);
            return;
        }
    }
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
