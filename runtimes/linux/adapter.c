#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "bpfsys.h"
#include "isa/isa.h"
#include "lx.h"

enum { MAX_SLOTS = 1000000, MAX_SEGMENTS = 8, OPEN_FILES = 4096 };

static const __typeof__(((struct cts_adapter *)0)->engines[0]) engines[] = {
    {"jit", "compiled, the machine's own settings"},
    {"jit-hardened", "compiled with blinded constants (bpf_jit_harden = 2)"},
    {"interp", "interpreted (bpf_jit_enable = 0)"},
    {"cap-bpf", "compiled, verified for a loader with CAP_BPF only"},
    {"private-stack",
     "compiled for tracing: frames in memory of their own, not on the kernel's stack"},
    {NULL, NULL},
};

struct engine {
    uint8_t code_kind; /* enum cts_lx_code */
    bool harden, cap_bpf, private_stack;
};

/* In the order of `engines`. */
static const struct engine engine_traits[] = {
    {.code_kind = CTS_LX_CODE_NATIVE},
    {.code_kind = CTS_LX_CODE_NATIVE, .harden = true},
    {.code_kind = CTS_LX_CODE_INTERPRETED},
    {.code_kind = CTS_LX_CODE_NATIVE, .cap_bpf = true},
    {.code_kind = CTS_LX_CODE_NATIVE, .private_stack = true},
};

static int no_bpf(int err_no, struct cts_err *err)
{
    if (err_no == ENOSYS)
        return cts_err_set(err, CTS_E_UNSUPPORTED,
                           "no bpf(2): the kernel is built without CONFIG_BPF_SYSCALL");
    if (err_no == EPERM || err_no == EACCES)
        return cts_err_set(err, CTS_E_UNSUPPORTED,
                           "bpf(2) is not permitted: needs root, or CAP_BPF (and CAP_NET_ADMIN for "
                           "packets, CAP_PERFMON for pointers): run with sudo");
    return cts_err_set(err, CTS_E_IO, "bpf(2) fails with %s (%d)", cts_lx_errno_name(err_no),
                       err_no);
}

/* Kernels before 5.11 count maps and programs as locked memory. A refusal shows when the window is
 * made. */
static void raise_limits(void)
{
    struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY}, files;

    setrlimit(RLIMIT_MEMLOCK, &all);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < OPEN_FILES) {
        files.rlim_cur = files.rlim_max < OPEN_FILES ? files.rlim_max : OPEN_FILES;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static int open_window(struct cts_lx *lx, struct cts_err *err)
{
    int fd = cts_lx_map_new(CTS_LX_WINDOW_BYTES, 1, BPF_F_MMAPABLE);

    if (fd == -EINVAL)
        return cts_err_set(err, CTS_E_UNSUPPORTED,
                           "maps cannot be mapped into memory (needs Linux 5.5)");
    if (fd < 0)
        return no_bpf(-fd, err);
    lx->window_fd = cts_lx_fd_up(fd, CTS_LX_MAP_FDS);
    lx->window =
        mmap(NULL, CTS_LX_WINDOW_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, lx->window_fd, 0);
    if (lx->window == MAP_FAILED) {
        lx->window = NULL;
        return cts_err_set(err, CTS_E_IO, "the window map cannot be mapped into memory");
    }
    return 0;
}

static int want_switches(struct cts_lx *lx, const struct engine *e, struct cts_err *err)
{
    bool has_enable = cts_lx_knobs_has(&lx->knobs, CTS_LX_JIT_ENABLE);
    int rc = 0;

    /* A kernel without a JIT has no switch, and interprets everything. */
    if (e->code_kind == CTS_LX_CODE_INTERPRETED && has_enable)
        rc = cts_lx_knobs_want(&lx->knobs, CTS_LX_JIT_ENABLE, 0, err);
    else if (e->code_kind == CTS_LX_CODE_NATIVE && has_enable &&
             lx->knobs.own[CTS_LX_JIT_ENABLE] == 0)
        rc = cts_lx_knobs_want(&lx->knobs, CTS_LX_JIT_ENABLE, 1, err);
    if (rc == 0 && e->harden)
        rc = cts_lx_knobs_want(&lx->knobs, CTS_LX_JIT_HARDEN, 2, err);
    return rc;
}

enum { TRIED_SLOTS = 16 };

/* Loads `insn`, runs it, and says what it returns and how large its code is. */
static int try_insns(struct cts_lx *lx, const struct cts_insn *insn, uint32_t n,
                     struct cts_load_res *loaded, struct cts_run_res *ran, struct cts_err *err)
{
    const struct cts_run_req run_req = {.iterations = 2};
    uint8_t code[TRIED_SLOTS * CTS_SLOT_BYTES];
    struct cts_load_req req = {.kind = CTS_PROG_WHOLE, .log = true, .code = code, .slots = n};
    void *prog;

    for (size_t i = 0; i < n; i++)
        cts_slot_put(code + CTS_SLOT_BYTES * i, CTS_HOST_IS_BE, &insn[i]);
    cts_lx_load(lx, &req, &prog, loaded);
    if (!prog && (loaded->err_no == EPERM || loaded->err_no == EACCES))
        return no_bpf(loaded->err_no, err);
    if (!prog)
        return cts_err_set(err, CTS_E_UNSUPPORTED, "the simplest program cannot be loaded: %.500s",
                           loaded->text);
    cts_lx_run(lx, prog, &run_req, ran);
    cts_lx_unload(lx, prog);
    if (ran->status != CTS_RUN_COMPLETED)
        return cts_err_set(err, CTS_E_UNSUPPORTED, "the simplest program cannot be run: %.500s",
                           ran->text);
    return 0;
}

/* `r0 = 0x12345678; exit`. */
static int try_program(struct cts_lx *lx, uint32_t *native_bytes, struct cts_err *err)
{
    static const struct cts_insn insn[] = {{.opcode = 0xb7, .imm = 0x12345678}, {.opcode = 0x95}};
    struct cts_load_res loaded = {0};
    struct cts_run_res ran;
    int rc = try_insns(lx, insn, CTS_ARRAY_LEN(insn), &loaded, &ran, err);

    *native_bytes = loaded.native_bytes;
    if (rc < 0)
        return rc;
    if (ran.r0 != 0x12345678)
        return cts_err_set(err, CTS_E_UNSUPPORTED,
                           "the simplest program returns 0x%llx, not 0x12345678",
                           (unsigned long long)ran.r0);
    return 0;
}

/* Blinding must show: code that holds a constant grows. Otherwise this engine would only be `jit`
 * under another name. */
static int check_blinding(struct cts_lx *lx, uint32_t blinded, struct cts_err *err)
{
    uint32_t plain;
    int rc;

    /* Where the machine is hardened itself, it must not be for a moment. */
    lx->knobs.want[CTS_LX_JIT_HARDEN] =
        lx->knobs.own[CTS_LX_JIT_HARDEN] == 2 ? 0 : CTS_LX_KNOB_AS_IS;
    rc = try_program(lx, &plain, err);
    lx->knobs.want[CTS_LX_JIT_HARDEN] = 2;
    if (rc == 0 && blinded <= plain)
        return cts_err_set(err, CTS_E_UNSUPPORTED,
                           "bpf_jit_harden has no effect: %u bytes of code with it, %u without",
                           blinded, plain);
    return rc;
}

/* A frame of 8 bytes is on the kernel's stack, one of CTS_LX_PRIVATE_BYTES should not be. If both
 * are, less than a page lies between a caller's and its callee's. No other memory is that near to a
 * stack: there is a guard page at its end. */
static int check_private_stack(struct cts_lx *lx, struct cts_err *err)
{
    enum { PAGE = 4096 };
    static const struct cts_insn insn[] = {
        {.opcode = 0x7a, .dst = 10, .off = -8},
        {.opcode = 0xbf, .dst = 1, .src = 10},
        {.opcode = 0x85, .src = 1, .imm = 1},
        {.opcode = 0x95},
        {.opcode = 0x7a, .dst = 10, .off = -CTS_LX_PRIVATE_BYTES},
        {.opcode = 0x1f, .dst = 1, .src = 10},
        {.opcode = 0x07, .dst = 1, .imm = PAGE},
        {.opcode = 0xb7, .dst = 0, .imm = 1},
        {.opcode = 0x25, .dst = 1, .off = 1, .imm = 2 * PAGE},
        {.opcode = 0xb7, .dst = 0, .imm = 0},
        {.opcode = 0x95},
    };
    struct cts_load_res loaded;
    struct cts_run_res ran;
    int rc = try_insns(lx, insn, CTS_ARRAY_LEN(insn), &loaded, &ran, err);

    if (rc == 0 && ran.r0 != 1)
        return cts_err_set(
            err, CTS_E_UNSUPPORTED,
            "frames are on the kernel's stack: this kernel's compiler has no private "
            "stacks (needs Linux 6.13 on x86-64, 6.17 on arm64)");
    return rc;
}

static int open_engine(struct cts_lx *lx, const struct engine *e, struct cts_err *err)
{
    uint32_t native_bytes = 0;
    int rc;

    raise_limits();
    cts_lx_knobs_open(&lx->knobs);
    rc = e->cap_bpf ? cts_lx_keep_cap_bpf(err) : 0;
    if (rc == 0)
        rc = open_window(lx, err);
    if (rc == 0)
        rc = want_switches(lx, e, err);
    if (rc == 0)
        rc = try_program(lx, &native_bytes, err);
    if (rc == 0 && e->harden)
        rc = check_blinding(lx, native_bytes, err);
    if (rc == 0 && e->private_stack)
        rc = check_private_stack(lx, err);
    return rc;
}

static void fill_caps(struct cts_lx *lx, struct cts_caps *caps)
{
    struct utsname name;

    if (uname(&name) == 0)
        cts_fmt(caps->version, sizeof(caps->version), "%.40s %.20s", name.release, name.machine);
    caps->be = CTS_HOST_IS_BE;
    caps->window_kind = CTS_WK_MAP;
    caps->window_bytes = CTS_LX_WINDOW_BYTES;
    caps->window = lx->window;
    caps->window_fd = lx->window_fd;
    caps->features = cts_lx_features(lx);
    caps->max_slots = MAX_SLOTS;
    caps->max_segments = MAX_SEGMENTS;
    caps->max_iterations = CTS_LX_ITERATIONS;
    caps->r0_bits = 32;
}

static void release(void *self)
{
    struct cts_lx *lx = self;

    lx->knobs.say = NULL;
    cts_lx_knobs_close(&lx->knobs);
    if (lx->window)
        munmap(lx->window, CTS_LX_WINDOW_BYTES);
    if (lx->window_fd >= 0)
        close(lx->window_fd);
    if (lx->own_btf_fd >= 0)
        close(lx->own_btf_fd);
    cts_lx_vmlinux_release(&lx->vmlinux);
    free(lx->code);
    free(lx->log);
    free(lx);
}

static void attach(void *self, const struct cts_worker_say *say)
{
    struct cts_lx *lx = self;

    lx->knobs.say = say;
}

static int probe(void **self, unsigned engine, struct cts_caps *caps, struct cts_err *err)
{
    const struct engine *e = &engine_traits[engine];
    struct cts_lx *lx;
    int rc;

    *self = NULL;
    lx = calloc(1, sizeof(*lx));
    if (!lx)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    lx->window_fd = -1;
    lx->own_btf_fd = -1;
    lx->code_kind = e->code_kind;
    lx->socket_only = e->cap_bpf;
    lx->private_stack = e->private_stack;
    rc = open_engine(lx, e, err);
    if (rc < 0) {
        release(lx);
        return rc;
    }
    fill_caps(lx, caps);
    *self = lx;
    return 0;
}

const struct cts_adapter cts_lx_adapter = {
    .name = "linux",
    .engines = engines,
    .probe = probe,
    .load = cts_lx_load,
    .run = cts_lx_run,
    .unload = cts_lx_unload,
    .release = release,
    .attach = attach,
};
