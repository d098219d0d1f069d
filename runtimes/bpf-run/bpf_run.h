/* bpf-run, the GNU simulator of BPF: a command that runs the program in an ELF file to its end and
 * prints r0. */
#ifndef CTS_RT_BPF_RUN_BPF_RUN_H
#define CTS_RT_BPF_RUN_BPF_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "isa/isa.h"
#include "wire/child.h"
#include "wire/worker.h"

extern const struct cts_adapter cts_bpf_run_adapter;

/* said.c: what a run of it tells. */

enum bpf_run_kind {
    BPF_RUN_EXITED,         /* the program came to its end */
    BPF_RUN_STOPPED,        /* by a signal of the simulated machine */
    BPF_RUN_NO_INSTRUCTION, /* there is no such instruction, or the simulator cannot execute it */
    BPF_RUN_CRASHED,        /* the simulator died */
    BPF_RUN_ENDLESS,        /* it did not end, and was ended */
    BPF_RUN_BROKE,          /* whatever it said, it told nothing of the program */
};

struct bpf_run_said {
    enum bpf_run_kind kind;
    uint64_t r0;     /* of a program that exited */
    char words[256]; /* of the others */
};

void bpf_run_listen(const struct cts_child *run, struct bpf_run_said *said);

/* machine.c: the simulated machine and its memory. */

enum {
    BPF_RUN_MOST_SLOTS = 1 << 20,
    BPF_RUN_WINDOW_BYTES = 4 << 20,
    BPF_RUN_WINDOW_AT = 0x10000000,
    BPF_RUN_CODE_AT = 0x08000000,
    BPF_RUN_OUT_BYTES = 4096,
};

/* The simulator is a bare machine: all registers are 0 when it starts. What a loader does is done
 * by a few instructions in front of the program: r10 points behind 512 bytes of stack, r1 to a
 * context of 64 zero bytes. Nothing else is mapped but the window and the code.
 *
 * Code lies in memory that the simulator maps from a file of ours; the ELF object that it insists
 * on is a formality. Behind the code, at the next page, is the worker's own page: a counter, and
 * room to write to. */
struct bpf_run_machine {
    char path[4096];
    char code_path[64], window_path[64];
    uint8_t *code, *window;
    int code_fd, window_fd;
    uint32_t lead; /* bytes of code in front of the program */
    uint8_t elf[512];
    uint32_t elf_bytes;
};

int bpf_run_machine_open(struct bpf_run_machine *m, struct cts_err *err);
void bpf_run_machine_close(struct bpf_run_machine *m);
/* The place of a program of so many slots; what was there is gone. */
uint8_t *bpf_run_machine_clear(struct bpf_run_machine *m, uint32_t slots);
/* The worker's page for such a program, and its address in the machine. */
uint8_t *bpf_run_machine_page(struct bpf_run_machine *m, uint32_t slots, uint32_t *address);
/* Runs it; timeout_ms 0: without end. The words of a simulator that broke are in `said`; *run tells
 * how. */
void bpf_run_machine_run(struct bpf_run_machine *m, uint32_t slots, unsigned timeout_ms,
                         struct bpf_run_said *said, struct cts_child *run);

/* Writes one instruction of this row; the place behind it. */
uint8_t *bpf_run_put(uint8_t *at, enum cts_insn_id row, unsigned dst, unsigned src, int off,
                     int32_t imm);

#endif
