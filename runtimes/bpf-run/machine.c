#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "isa/isa.h"
#include "isa/object.h"
#include "rt_bpf_run/bpf_run.h"

enum {
    PAGE = 4096,
    CODE_BYTES = BPF_RUN_MOST_SLOTS * CTS_SLOT_BYTES + 3 * PAGE,
    FORMALITY_AT = 0x20000000,
    STACK_AT = 0x30000000,
    CONTEXT_AT = 0x38000000,
    CONTEXT_BYTES = 64,
};

/* An ELF object without a program: one section of eight bytes, where nobody looks. */
static bool make_elf(struct bpf_run_machine *m)
{
    static const uint8_t nothing[CTS_SLOT_BYTES];
    const struct cts_object o = {.code = nothing,
                                 .code_bytes = sizeof(nothing),
                                 .section = ".text",
                                 .entry = BPF_RUN_CODE_AT,
                                 .address = FORMALITY_AT};
    m->elf_bytes = (uint32_t)cts_object_bytes(&o);
    return m->elf_bytes <= sizeof(m->elf) && cts_object_put(m->elf, &o);
}

/* Memory of ours that a child of this process can open by name. */
static uint8_t *share(size_t bytes, int *fd, char *path, size_t cap)
{
    void *p = MAP_FAILED;
    *fd = memfd_create("bpf-run", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd >= 0 && ftruncate(*fd, (off_t)bytes) == 0)
        p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    cts_fmt(path, cap, "/proc/%d/fd/%d", (int)getpid(), *fd);
    return p == MAP_FAILED ? NULL : p;
}

int bpf_run_machine_open(struct bpf_run_machine *m, struct cts_err *err)
{
    m->window_fd = m->code_fd = -1;
    if (make_elf(m))
        m->code = share(CODE_BYTES, &m->code_fd, m->code_path, sizeof(m->code_path));
    if (m->code)
        m->window =
            share(BPF_RUN_WINDOW_BYTES, &m->window_fd, m->window_path, sizeof(m->window_path));
    if (!m->window)
        return cts_err_set(err, CTS_E_IO, "no shared memory: %s", strerror(errno));
    uint8_t *at = bpf_run_put(m->code, CTS_INSN_LDDW, 1, 0, 0, CONTEXT_AT);
    at = bpf_run_put(at, CTS_INSN_LDDW, 10, 0, 0, STACK_AT + CTS_STACK_BYTES);
    m->lead = (uint32_t)(at - m->code);
    return 0;
}

void bpf_run_machine_close(struct bpf_run_machine *m)
{
    if (m->code)
        munmap(m->code, CODE_BYTES);
    if (m->window)
        munmap(m->window, BPF_RUN_WINDOW_BYTES);
    if (m->code_fd >= 0)
        close(m->code_fd);
    if (m->window_fd >= 0)
        close(m->window_fd);
}

uint8_t *bpf_run_put(uint8_t *at, enum cts_insn_id row, unsigned dst, unsigned src, int off,
                     int32_t imm)
{
    const struct cts_insn in = {
        .dst = (uint8_t)dst, .src = (uint8_t)src, .off = (int16_t)off, .imm = imm};
    int slots = cts_encode(row, &in, false, at, NULL);
    return at + (slots > 0 ? slots : 0) * CTS_SLOT_BYTES;
}

static uint32_t page_of(const struct bpf_run_machine *m, uint32_t slots)
{
    return (m->lead + (slots + 1) * CTS_SLOT_BYTES + PAGE - 1) & ~(uint32_t)(PAGE - 1);
}

uint8_t *bpf_run_machine_clear(struct bpf_run_machine *m, uint32_t slots)
{
    memset(m->code + m->lead, 0, page_of(m, slots) + PAGE - m->lead);
    return m->code + m->lead;
}

uint8_t *bpf_run_machine_page(struct bpf_run_machine *m, uint32_t slots, uint32_t *address)
{
    *address = BPF_RUN_CODE_AT + page_of(m, slots);
    return m->code + page_of(m, slots);
}

void bpf_run_machine_run(struct bpf_run_machine *m, uint32_t slots, unsigned timeout_ms,
                         struct bpf_run_said *said, struct cts_child *run)
{
    enum { PLAIN = 3 };
    static const uint32_t plain[PLAIN][2] = {
        {FORMALITY_AT, 8}, {STACK_AT, CTS_STACK_BYTES}, {CONTEXT_AT, CONTEXT_BYTES}};
    static const char region[] = "--memory-region", file[] = "--memory-mapfile";
    char at[2 + PLAIN][32], out[BPF_RUN_OUT_BYTES], err[BPF_RUN_OUT_BYTES];
    const char *const argv[] = {m->path,        file,   m->code_path, region,       at[0], file,
                                m->window_path, region, at[1],        region,       at[2], region,
                                at[3],          region, at[4],        "/dev/stdin", NULL};
    cts_fmt(at[0], sizeof(at[0]), "0x%x,0x%x", BPF_RUN_CODE_AT, page_of(m, slots) + PAGE);
    cts_fmt(at[1], sizeof(at[1]), "0x%x,0x%x", BPF_RUN_WINDOW_AT, BPF_RUN_WINDOW_BYTES);
    for (unsigned i = 0; i < PLAIN; i++)
        cts_fmt(at[2 + i], sizeof(at[0]), "0x%x,0x%x", plain[i][0], plain[i][1]);
    *run = (struct cts_child){.argv = argv,
                              .in = m->elf,
                              .in_bytes = m->elf_bytes,
                              .timeout_ms = timeout_ms,
                              .out = {.text = out, .cap = sizeof(out)},
                              .err = {.text = err, .cap = sizeof(err)}};
    cts_child_run(run, 1, 1);
    bpf_run_listen(run, said);
    run->argv = NULL;
    run->out.text = run->err.text = NULL;
}
