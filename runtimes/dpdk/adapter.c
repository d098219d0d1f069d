#include "dpdk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "dp.h"
#include "isa/isa.h"
#include "wire/window.h"

enum {
    WINDOW_BYTES = 8 << 20,
    MAX_SLOTS = 1 << 20,
    MAX_SEGMENTS = 1, /* several cost more than they save: the ways through them multiply */
    MAX_ITERATIONS = 1 << 20,
    CTX_BYTES = 64,
    /* What the validator may cost where it follows every way through a program: some 30 ns an
     * instruction. */
    MAX_COST = 1 << 20,
    /* From 24.07 on it knows states that it has seen, which helps with most such programs, and they
     * take it some milliseconds; others, hours. */
    FIRST_WITH_PRUNING = 25,
    MAX_TRIAL_MS = 200,
};

enum engine { INTERP, JIT, VALIDATE, ENGINES };

static const struct cts_engine engines[ENGINES + 1] = {
    [INTERP] = {"interp", "interpreter"},
    [JIT] = {"jit", "compiler"},
    [VALIDATE] = {"validate", "validator alone: programs are loaded and not run"},
};

struct machine {
    enum engine engine;
    struct dp_library lib;
    struct cts_window window;
    uint8_t ctx[CTX_BYTES];
};

struct program {
    struct dp_program *loaded;
    struct dp_native native;
    void *argument;
};

/* ---- functions that programs may call ---- */

/* Before 26.03 compiled code calls them with a stack that is aligned to 8 bytes only. */
#if defined(__x86_64__)
#define CALLED __attribute__((force_align_arg_pointer))
#else
#define CALLED
#endif

static CALLED uint64_t help_sum(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    return a + 2 * b + 4 * c + 8 * d + 16 * e;
}

static CALLED uint64_t help_hash(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    const uint64_t r[] = {a, b, c, d, e};
    uint64_t h = 0;
    for (size_t i = 0; i < CTS_ARRAY_LEN(r); i++) {
        h ^= r[i];
        h = (h << 13 | h >> 51) * UINT64_C(0x9e3779b97f4a7c15);
    }
    return h;
}

static CALLED uint64_t help_constant(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    (void)a, (void)b, (void)c, (void)d, (void)e;
    return UINT64_C(0xc0ffee00c0ffee);
}

#define ANY {.type = DP_ARG_RAW, .size = 8}
#define FIVE {ANY, ANY, ANY, ANY, ANY}

/* The test helpers, from CTS_TEST_HELPERS on; DPDK numbers its functions from 0. */
static const struct dp_symbol helpers[] = {
    {"sum", DP_FUNCTION, {help_sum, 5, FIVE, ANY}},
    {"hash", DP_FUNCTION, {help_hash, 5, FIVE, ANY}},
    {"constant", DP_FUNCTION, {.call = help_constant, .result = ANY}},
};

static bool is_helper_call(const struct cts_insn *in)
{
    return in->opcode == cts_insn_info(CTS_INSN_CALL_HELPER)->opcode && in->src == 0;
}

/* Helpers by the numbers that the library has for them; what is unknown to us is so to it. */
static void number_helpers(uint8_t *code, uint32_t slots)
{
    for (uint32_t at = 0; at < slots; at++) {
        uint8_t *slot = code + (size_t)at * CTS_SLOT_BYTES;
        struct cts_insn in;
        cts_slot_get(slot, CTS_HOST_IS_BE, &in);
        if (is_helper_call(&in)) {
            int64_t index = (int64_t)in.imm - CTS_TEST_HELPERS;
            bool known = index >= 0 && index < (int64_t)CTS_ARRAY_LEN(helpers);
            in.imm = known ? (int32_t)index : INT32_MAX;
            cts_slot_put(slot, CTS_HOST_IS_BE, &in);
        }
        at += in.opcode == cts_insn_info(CTS_INSN_LDDW)->opcode;
    }
}

/* ---- opening ---- */

static void release(void *self)
{
    struct machine *m = self;
    if (!m)
        return;
    if (m->window.data)
        cts_window_close(&m->window);
    dp_library_close(&m->lib);
    free(m);
}

static void fill_caps(const struct machine *m, struct cts_caps *caps)
{
    *caps = (struct cts_caps){
        .be = CTS_HOST_IS_BE,
        .window_kind = CTS_WK_ARGUMENT,
        .window_bytes = m->window.bytes,
        .window = m->window.data,
        .window_fd = m->window.fd,
        .features = CTS_FEAT_HELPER_TEST | CTS_FEAT_POINTERS,
        .max_slots = MAX_SLOTS,
        .max_segments = MAX_SEGMENTS,
        .max_iterations = MAX_ITERATIONS,
        .r0_bits = 64,
    };
    if (m->engine == VALIDATE)
        caps->features |= CTS_FEAT_VERDICT_ONLY;
    cts_fmt(caps->version, sizeof(caps->version), "%s", m->lib.version);
}

static int open_machine(struct machine *m, unsigned engine, struct cts_err *err)
{
    m->engine = (enum engine)engine;
    int rc = dp_library_open(&m->lib, err);
    if (rc == 0)
        rc = cts_window_open(&m->window, WINDOW_BYTES, err);
    return rc;
}

static int probe(void **self, unsigned engine, struct cts_caps *caps, struct cts_err *err)
{
    *self = NULL;
    struct machine *m = calloc(1, sizeof(*m));
    if (!m)
        return cts_err_set(err, CTS_E_NOMEM, "no memory for a machine");
    int rc = open_machine(m, engine, err);
    if (rc != 0) {
        release(m);
        return rc;
    }
    fill_caps(m, caps);
    *self = m;
    return 0;
}

/* ---- loading ---- */

static void reject(struct cts_load_res *res, const char *why)
{
    res->verdict = CTS_LOAD_REJECTED;
    res->err_no = EINVAL;
    cts_fmt(res->text, sizeof(res->text), "%s", why);
}

/* The library's log is its reason. */
static void reject_as_told(struct machine *m, struct cts_load_res *res)
{
    int error = *m->lib.error;
    if (error == ENOMEM) {
        cts_fmt(res->text, sizeof(res->text), "rte_bpf_load: out of memory");
        return;
    }
    res->verdict = CTS_LOAD_REJECTED;
    res->err_no = error;
    dp_clean_words(&m->lib.words, res->text, sizeof(res->text));
}

static void forget_words(struct machine *m)
{
    m->lib.words.len = 0;
    m->lib.words.text[0] = '\0';
}

static struct dp_params params_of(const struct machine *m, const struct cts_load_req *req,
                                  const uint8_t *code)
{
    return (struct dp_params){
        .code = code,
        .slots = req->slots,
        .symbols = helpers,
        .symbol_count = CTS_ARRAY_LEN(helpers),
        .argument = {.type = DP_ARG_PTR,
                     .size = req->kind == CTS_PROG_WHOLE ? CTX_BYTES : m->window.bytes},
    };
}

static struct dp_program *load_code(struct machine *m, const struct cts_load_req *req,
                                    const uint8_t *code)
{
    const struct dp_params params = params_of(m, req, code);
    forget_words(m);
    /* Before 26.03 the validator writes behind its array for a program that has no end: then rather
     * a crash here than one in some later program. */
    bool fenced = dp_runs_off(code, req->slots);
    dp_fence(fenced);
    struct dp_program *loaded = m->lib.load(&params);
    dp_fence(false);
    return loaded;
}

/* Why a program is kept from the library; null: it is not. */
static const char *is_too_costly(const struct machine *m, const struct cts_load_req *req,
                                 const uint8_t *code)
{
    if (dp_cost(code, req->slots) <= MAX_COST)
        return NULL;
    if (m->lib.abi < FIRST_WITH_PRUNING)
        return "not tried: this validator follows every way through a program, and here are too "
               "many";
    const struct dp_params params = params_of(m, req, code);
    return dp_ends_within(&m->lib, &params, MAX_TRIAL_MS)
               ? NULL
               : "not tried: this validator does not come to an end with it in 200 ms";
}

static void unload(void *self, void *prog)
{
    struct machine *m = self;
    struct program *p = prog;
    m->lib.destroy(p->loaded);
    free(p);
}

static void accept(struct machine *m, const struct cts_load_req *req, struct program *p,
                   struct cts_load_res *res)
{
    p->argument = req->kind == CTS_PROG_WHOLE ? m->ctx : m->window.data;
    m->lib.get_native(p->loaded, &p->native);
    if (m->engine == JIT && !p->native.run) {
        reject_as_told(m, res);
        res->verdict = CTS_LOAD_REJECTED;
        return;
    }
    res->verdict = CTS_LOAD_ACCEPTED;
    if (m->engine == JIT)
        res->native_bytes = (uint32_t)p->native.bytes;
}

static void load(void *self, const struct cts_load_req *req, void **prog, struct cts_load_res *res)
{
    struct machine *m = self;
    *prog = NULL;
    *res = (struct cts_load_res){.verdict = CTS_LOAD_ERROR};
    if (req->slots > MAX_SLOTS) { /* so is a library's that has no limit of its own */
        reject(res, "too many instructions");
        return;
    }
    struct program *p = calloc(1, sizeof(*p));
    size_t bytes = (size_t)req->slots * CTS_SLOT_BYTES;
    uint8_t *code = malloc(bytes + 1);
    if (p && code) {
        memcpy(code, req->code, bytes);
        number_helpers(code, req->slots);
        const char *kept_from_it = is_too_costly(m, req, code);
        p->loaded = kept_from_it ? NULL : load_code(m, req, code);
        if (kept_from_it)
            reject(res, kept_from_it);
        else if (p->loaded)
            accept(m, req, p, res);
        else
            reject_as_told(m, res);
    } else {
        cts_fmt(res->text, sizeof(res->text), "no memory for a program of %u slots", req->slots);
    }
    free(code);
    if (res->verdict == CTS_LOAD_ACCEPTED)
        *prog = p;
    else if (p && p->loaded)
        unload(m, p);
    else
        free(p);
}

/* ---- running ---- */

/* A sanitizer that asks for a function's type reads what stands before it: not there in code that
 * the library made. */
#if defined(__clang__)
#define CALLS_COMPILED_CODE __attribute__((no_sanitize("function")))
#else
#define CALLS_COMPILED_CODE
#endif

static CALLS_COMPILED_CODE uint64_t run_once(const struct machine *m, const struct program *p)
{
    return m->engine == JIT ? p->native.run(p->argument) : m->lib.exec(p->loaded, p->argument);
}

/* The interpreter that stops a program says so in the log, and nowhere else. */
static void run(void *self, void *prog, const struct cts_run_req *req, struct cts_run_res *res)
{
    struct machine *m = self;
    const struct program *p = prog;
    *res = (struct cts_run_res){.status = CTS_RUN_COMPLETED};
    forget_words(m);
    memset(m->ctx, 0, sizeof(m->ctx));
    for (; res->done < req->iterations; res->done++) {
        res->r0 = run_once(m, p);
        if (m->lib.words.len == 0)
            continue;
        res->status = CTS_RUN_FAULTED;
        dp_clean_words(&m->lib.words, res->text, sizeof(res->text));
        return;
    }
}

const struct cts_adapter cts_dpdk_adapter = {
    .name = "dpdk",
    .engines = engines,
    .probe = probe,
    .load = load,
    .run = run,
    .unload = unload,
    .release = release,
};
