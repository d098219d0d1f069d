/* uses: base host isa wire rt_linux rt_dpdk */
/* Programs per second without a harness: `ENGINE PROGRAMS SLOTS` loads, runs once and unloads so
 * many different programs of so many slots with nothing but the calls of the runtime. The best of
 * three rounds. What overhead.sh measures through ebpf-cts is held against this. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef CTS_BENCH_UBPF
#include <ubpf.h>
#endif

#include "base/bytes.h"
#include "host/clock.h"
#include "isa/isa.h"
#include "rt_dpdk/dp.h"
#include "rt_linux/bpfsys.h"

enum { ROUNDS = 3, MOST_SLOTS = 4096, FRAME_BYTES = 64 };

struct target {
    const char *name;
    int (*open)(void);
    /* 0: r0 is what the program returned. */
    int (*once)(const uint8_t *code, uint32_t slots, uint64_t *r0);
};

static int nothing_to_open(void)
{
    return 0;
}

static int once_linux(const uint8_t *code, uint32_t slots, uint64_t *r0)
{
    static const uint8_t frame[FRAME_BYTES];
    struct cts_lx_prog_spec load = {
        .type = BPF_PROG_TYPE_SOCKET_FILTER, .code = code, .slots = slots};
    struct cts_lx_run_spec run = {.repeat = 1, .data = frame, .data_bytes = sizeof(frame)};
    uint32_t retval;

    run.prog_fd = cts_lx_prog_load(&load);
    if (run.prog_fd < 0)
        return -1;
    int rc = cts_lx_prog_run(&run, &retval);
    close(run.prog_fd);
    *r0 = retval;
    return rc;
}

static struct dp_library dpdk;

static int open_dpdk(void)
{
    struct cts_err err = {0};
    int rc = dp_library_open(&dpdk, &err);

    if (rc != 0)
        fprintf(stderr, "%s\n", err.msg);
    return rc;
}

static struct dp_program *load_dpdk(const uint8_t *code, uint32_t slots)
{
    const struct dp_params params = {
        .code = code, .slots = slots, .argument = {.type = DP_ARG_PTR, .size = 64}};

    return dpdk.load(&params);
}

static int once_dpdk_interp(const uint8_t *code, uint32_t slots, uint64_t *r0)
{
    uint64_t ctx[8] = {0};
    struct dp_program *prog = load_dpdk(code, slots);

    if (!prog)
        return -1;
    *r0 = dpdk.exec(prog, ctx);
    dpdk.destroy(prog);
    return 0;
}

static int once_dpdk_jit(const uint8_t *code, uint32_t slots, uint64_t *r0)
{
    uint64_t ctx[8] = {0};
    struct dp_native native = {0};
    struct dp_program *prog = load_dpdk(code, slots);

    if (!prog)
        return -1;
    dpdk.get_native(prog, &native);
    if (native.run)
        *r0 = native.run(ctx);
    dpdk.destroy(prog);
    return native.run ? 0 : -1;
}

#ifdef CTS_BENCH_UBPF
static struct ubpf_vm *vm;

static int open_ubpf(void)
{
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    vm = ubpf_create();
    return vm ? 0 : -1;
}

static int once_ubpf_interp(const uint8_t *code, uint32_t slots, uint64_t *r0)
{
    uint64_t ctx[8] = {0};
    char *why = NULL;
    int rc = ubpf_load(vm, code, slots * CTS_SLOT_BYTES, &why);

    if (rc == 0)
        rc = ubpf_exec(vm, ctx, sizeof(ctx), r0);
    ubpf_unload_code(vm);
    free(why);
    return rc;
}

static int once_ubpf_jit(const uint8_t *code, uint32_t slots, uint64_t *r0)
{
    uint64_t ctx[8] = {0};
    char *why = NULL;
    int rc = ubpf_load(vm, code, slots * CTS_SLOT_BYTES, &why);
    ubpf_jit_fn native = rc == 0 ? ubpf_compile(vm, &why) : NULL;

    if (native)
        *r0 = native(ctx, sizeof(ctx));
    ubpf_unload_code(vm);
    free(why);
    return native ? 0 : -1;
}
#endif

static const struct target targets[] = {
    {"linux:jit", nothing_to_open, once_linux},   {"dpdk:interp", open_dpdk, once_dpdk_interp},
    {"dpdk:jit", open_dpdk, once_dpdk_jit},
#ifdef CTS_BENCH_UBPF
    {"ubpf:interp", open_ubpf, once_ubpf_interp}, {"ubpf:jit", open_ubpf, once_ubpf_jit},
#endif
};

/* r0 = n; r0 += 1, as often as fits; exit */
static void put_program(uint8_t *code, uint32_t slots, int32_t n)
{
    struct cts_insn insn = {.opcode = 0xb7, .imm = n};

    cts_slot_put(code, CTS_HOST_IS_BE, &insn);
    insn = (struct cts_insn){.opcode = 0x07, .imm = 1};
    for (uint32_t i = 1; i + 1 < slots; i++)
        cts_slot_put(code + (size_t)i * CTS_SLOT_BYTES, CTS_HOST_IS_BE, &insn);
    insn = (struct cts_insn){.opcode = 0x95};
    cts_slot_put(code + (size_t)(slots - 1) * CTS_SLOT_BYTES, CTS_HOST_IS_BE, &insn);
}

/* Nanoseconds, 0 if a program does not return what it should. */
static uint64_t round_of(const struct target *t, uint8_t *code, uint32_t programs, uint32_t slots)
{
    uint64_t start = cts_clock_ns();

    for (uint32_t i = 0; i < programs; i++) {
        uint64_t r0 = 0;

        put_program(code, slots, (int32_t)i);
        if (t->once(code, slots, &r0) != 0 || r0 != (uint64_t)i + slots - 2)
            return 0;
    }
    return cts_clock_ns() - start;
}

static int bench(const struct target *t, uint32_t programs, uint32_t slots)
{
    static uint8_t code[MOST_SLOTS * CTS_SLOT_BYTES];
    uint64_t best = 0;

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t ns = round_of(t, code, programs, slots);

        if (ns == 0) {
            fprintf(stderr, "%s: a program was refused, or returned something else\n", t->name);
            return 1;
        }
        best = best == 0 || ns < best ? ns : best;
    }
    printf("%.0f\n", (double)programs * 1e9 / (double)best);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned long programs = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
    unsigned long slots = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;

    if (programs < 1 || programs > 1000000 || slots < 2 || slots > MOST_SLOTS) {
        fprintf(stderr, "usage: bench-overhead RUNTIME:ENGINE PROGRAMS SLOTS\n");
        return 2;
    }
    for (size_t i = 0; i < CTS_ARRAY_LEN(targets); i++) {
        if (strcmp(targets[i].name, argv[1]) == 0)
            return targets[i].open() == 0 ? bench(&targets[i], (uint32_t)programs, (uint32_t)slots)
                                          : 1;
    }
    fprintf(stderr, "no such engine in this build\n");
    return 1;
}
