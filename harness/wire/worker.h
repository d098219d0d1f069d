/* What an adapter implements to put a runtime under test.
 *
 * An adapter is a table of functions, struct cts_adapter; cts_worker_main gives it a process that
 * speaks the frame protocol (wire.h) on stdin and stdout, and calls them in this order:
 *
 * 1. probe, once: opens one of the engines, makes its window, and says what it can do.
 * 2. attach, once, if there is one.
 * 3. For each request: ahead, if there is one, with all programs that it loads; then for each of
 *    its items in turn
 *    a. load, if it has a program; before that, unload, if another one has its number.
 *    b. run, if it is to run and a program was accepted. What it works on lies in the window before
 *       the call and is read from there after it.
 *    c. unload, if the program is not to stay.
 * 4. At the end of stdin: unload for each program that is still there, then release.
 *
 * All calls come from one thread, none while another is under way. The process may be killed at any
 * time, and it may crash: the harness names the program that did it and starts another. An adapter
 * needs C11 and this box only. */
#ifndef CTS_WIRE_WORKER_H
#define CTS_WIRE_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "wire/layout.h"

/* How a program reaches its window. */
enum cts_window_kind {
    CTS_WK_NONE,     /* no window: whole programs and verdicts only */
    CTS_WK_NATIVE,   /* the adapter itself loads registers from the row and stores them back; it is
                        given bare bodies */
    CTS_WK_MAP,      /* lddw src=2 imm=0 (the window's ordinal) next_imm=offset */
    CTS_WK_ABSOLUTE, /* plain lddw of window_addr + offset */
    CTS_WK_ARGUMENT, /* r1 at the program's entry; kept in a slot of the stack while a body runs */
};

/* What vectors may need beyond plain instructions. Names (for YAML): see cts_feature_names in
 * wire.h, same order. */
enum cts_feature {
    CTS_FEAT_LOCAL_CALL = 1 << 0,
    CTS_FEAT_MAP_FD = 1 << 1,     /* lddw src 1 and 2 */
    CTS_FEAT_MAP_IDX = 1 << 2,    /* lddw src 5 and 6 */
    CTS_FEAT_VAR = 1 << 3,        /* lddw src 3 */
    CTS_FEAT_CODE = 1 << 4,       /* lddw src 4 and a helper that calls back (bpf_loop, id 181) */
    CTS_FEAT_BTF_CALL = 1 << 5,   /* call src 2 */
    CTS_FEAT_PACKET = 1 << 6,     /* ldabs, ldind: a packet context */
    CTS_FEAT_HELPER_MAP = 1 << 7, /* helper 1, bpf_map_lookup_elem(map, key) */
    CTS_FEAT_HELPER_CSUM =
        1
        << 8, /* helper 28, bpf_csum_diff(from, from_size, to, to_size, seed); Linux's semantics */
    CTS_FEAT_HELPER_TEST = 1 << 9, /* the test helpers of the reference, ids 0x7000 and up: see docs
                                      of the reference runtime */
    CTS_FEAT_POINTERS = 1 << 10,   /* programs may store and compare pointers (Linux: root) */
    CTS_FEAT_STACK_UNINIT = 1 << 11, /* reading stack never written is allowed */

    /* From here on it is not what programs may use, but how the worker wants to be asked. */
    CTS_FEAT_VERDICT_ONLY = 1 << 12, /* programs are loaded and never run: the verdict counts */
    CTS_FEAT_ELF = 1 << 13,          /* load requests carry the program as an ELF object, too */
    CTS_FEAT_THREADS = 1 << 15,      /* runs may be of several threads at a time */
    CTS_FEAT_MEMORY = 1 << 16,       /* whole programs may be given memory: r1 is its address, r2
                                        its length */
    /* Nothing but r0 comes out of a program, and it is refused only when it is run: every program
     * is run, and runs carry a guess. */
    CTS_FEAT_GUESS = 1 << 14,

    /* Programs again. */
    CTS_FEAT_TAIL_CALL = 1 << 17,   /* helper 12, bpf_tail_call(context, map, index), and maps of
                                       programs */
    CTS_FEAT_DATA_HELPER = 1 << 18, /* helper CTS_DATA_HELPERS: number 0 of .data files; bit 19 is
                                       that of number 1, and so on */
    CTS_FEAT_CALLX = 1 << 24,       /* calls of a function whose address is in a register */
    CTS_FEAT_STACK_ARGS = 1 << 25,  /* arguments of calls on the stack, through r11 */
    CTS_FEAT_UNCHECKED = 1 << 26,   /* no loader's checks: no program is refused before it runs */
    CTS_FEAT_CUT = 1 << 27,         /* r0_bits is 32, and nothing says that results have no more:
                                       vectors of EXIT are compared in 64 bits, the others as ever */

    /* Programs again: maps of one entry are read-only where the program calls addresses in
     * registers, and data name functions there: cts_function_begins in isa.h. */
    CTS_FEAT_FUNCTION_DATA = 1 << 28,
    /* Likewise jumps to instructions that data name, each u64 one by its offset in bytes. */
    CTS_FEAT_GOTOX = 1 << 29,
};
/* The bit of helper N of .data files. */
#define CTS_FEAT_DATA_HELPER_N(n) ((uint32_t)CTS_FEAT_DATA_HELPER << (n))
/* Features that vectors may name. */
enum {
    CTS_FEAT_OF_PROGRAMS = ((1 << 12) - 1) | CTS_FEAT_TAIL_CALL |
                           ((1 << CTS_DATA_HELPERS_COUNT) - 1) * CTS_FEAT_DATA_HELPER |
                           CTS_FEAT_CALLX | CTS_FEAT_STACK_ARGS | CTS_FEAT_FUNCTION_DATA |
                           CTS_FEAT_GOTOX
};

struct cts_caps {
    char runtime[32], engine[32], version[64]; /* "linux" "jit" "6.18.44 x86_64" */
    bool be;                                   /* byte order of its programs and memory */
    uint8_t window_kind;                       /* enum cts_window_kind */
    uint32_t window_bytes;
    void *window;  /* this process's view of it */
    int window_fd; /* a descriptor that mmap()s to the same memory at offset 0: a memory file that
                      allows sealing (MFD_ALLOW_SEALING), or a BPF array with BPF_F_MMAPABLE. -1,
                      and whatever else it is: nothing is shared, rows are sent */
    uint64_t window_addr;    /* CTS_WK_ABSOLUTE: its address inside programs */
    uint32_t features;       /* enum cts_feature */
    uint32_t max_slots;      /* the longest program */
    uint32_t max_segments;   /* bodies that may share a program; 1: none */
    uint32_t max_iterations; /* of one run */
    uint8_t r0_bits;         /* of a whole program's result: 32 or 64 */
};

struct cts_map_def {
    uint32_t value_bytes, entries; /* an array map, key u32; value_bytes 0 (CTS_FEAT_TAIL_CALL): a
                                      map of programs, each entry is the program itself */
    const uint8_t *data; /* entries * value_bytes, its contents at every run's start; null: zeros */
};

enum cts_prog_kind {
    CTS_PROG_WINDOW, /* works on rows; falls through to its end (the environment's exit is part of
                      it unless the window is native) */
    CTS_PROG_WHOLE,  /* a whole program: r1 = context; its r0 is the result */
};

struct cts_load_req {
    uint8_t kind; /* enum cts_prog_kind */
    bool packet;  /* it needs a packet context */
    bool log;     /* a rejection's text is wanted */
    const uint8_t
        *code; /* 8-byte aligned; slots * 8 bytes in the runtime's byte order; lddw src 1, 2, 5, 6:
                  imm is an ordinal, 0 the window, n maps[n - 1]; lddw src 3 and call src 2: imm is
                  an index into names. An index that is out of range is left as it is. */
    uint32_t slots;
    const struct cts_layout *layout; /* one per segment; null for whole programs */
    uint32_t segments;
    const struct cts_map_def *maps;
    uint32_t map_count;
    const char *const *names; /* platform variables and functions */
    uint32_t name_count;
    const uint8_t *elf; /* CTS_FEAT_ELF: `code` as a relocatable object: section "xdp" ("socket" if
                           it needs a packet context), function "main"; else null */
    uint32_t elf_bytes;
};

enum cts_load_status {
    CTS_LOAD_ACCEPTED,
    CTS_LOAD_REJECTED,
    CTS_LOAD_ERROR,     /* neither: the adapter's own trouble */
    CTS_LOAD_CRASHED,   /* the runtime died of it, and not the worker: it is a process of its own */
    CTS_LOAD_TIMED_OUT, /* likewise; it was ended */
    CTS_LOAD_UNSETTLED, /* a setting of the machine that the engine rests on was another one, or did
                           not stay as it was: nothing can be said of the program */
};

enum { CTS_TEXT_MAX = 2048 };

struct cts_load_res {
    uint8_t verdict;         /* enum cts_load_status */
    int32_t err_no;          /* the runtime's error number, 0 if it has none */
    uint32_t native_bytes;   /* size of the compiled code, 0: interpreted or unknown */
    char text[CTS_TEXT_MAX]; /* a rejection's reason; for logs: their last lines */
};

struct cts_run_req {
    uint32_t
        first_row; /* index of the first row, for native windows (others count in the header) */
    uint32_t iterations;   /* >= 1; each runs every segment once */
    const uint8_t *packet; /* or a whole program's memory; may be null */
    uint32_t packet_bytes;
    /* CTS_FEAT_THREADS: that many threads run `iterations` each, all at the same time and on the
     * same window; 0 and 1: one. They begin together, as well as that can be had, and each has a
     * stack of its own. */
    uint32_t threads;
    const uint8_t *guess; /* CTS_FEAT_GUESS: the program's region as it is after the run if the
                             first outcome that conforms came out; null: none */
    uint32_t guess_bytes;
};

enum { CTS_RUN_THREADS = CTS_MOST_THREADS }; /* the most that is asked for */

enum cts_run_status {
    CTS_RUN_COMPLETED,
    CTS_RUN_FAULTED,
    CTS_RUN_ERROR,     /* the adapter's own trouble */
    CTS_RUN_CRASHED,   /* the runtime, which is a process of its own, and not the worker */
    CTS_RUN_TIMED_OUT, /* likewise */
    CTS_RUN_REFUSED,   /* CTS_FEAT_GUESS: not accepted, or stopped: it cannot be told which */
    CTS_RUN_UNSTEADY,  /* CTS_FEAT_GUESS: what it does changes from one time to the next */
};

struct cts_run_res {
    uint8_t status;          /* enum cts_run_status */
    uint32_t done;           /* iterations completed (of each thread); a fault happened in iteration
                                `done` */
    uint64_t r0;             /* result of the last iteration of a whole program */
    char text[CTS_TEXT_MAX]; /* why it did not run to its end */
};

struct cts_engine {
    const char *name, *what; /* "jit"; one line about it */
};

/* What an adapter may tell the harness while it is at work. */
struct cts_worker_say {
    void *arg;
    /* true: it waits for something that it shares with others of the machine (a lock), and goes on
     * with the program when it has it; false: it has. The time between is not the program's. For
     * waits that have become long: each call is a frame. */
    void (*waiting)(void *arg, bool on);
};

enum { CTS_WORKER_AHEAD = 256 }; /* programs, at most, that are told of ahead */

struct cts_adapter {
    const char *name;
    const struct cts_engine *engines; /* at least one, ended by a null name */
    /* Opens engines[engine] and fills caps (all of it but runtime and engine). 0;
     * CTS_E_UNSUPPORTED: the engine is unavailable here, err says why and what would help; else a
     * failure. */
    int (*probe)(void **self, unsigned engine, struct cts_caps *caps, struct cts_err *err);
    /* May be null. Told, before the first item of a request, what will be loaded: for adapters
     * that work on several programs side by side. Of the requests kind, packet, code (which need
     * not be aligned), slots and elf are given; bytes stay where they are until the request is
     * answered, so that load() knows a request by the address of its bytes. */
    void (*ahead)(void *self, const struct cts_load_req *reqs, uint32_t n);
    /* *prog is the adapter's own; set only when accepted. */
    void (*load)(void *self, const struct cts_load_req *req, void **prog, struct cts_load_res *res);
    /* May be null with CTS_FEAT_VERDICT_ONLY. */
    void (*run)(void *self, void *prog, const struct cts_run_req *req, struct cts_run_res *res);
    void (*unload)(void *self, void *prog);
    void (*release)(void *self); /* may be null */
    /* May be null. Called once, after a probe that went well; `say` is valid until release. */
    void (*attach)(void *self, const struct cts_worker_say *say);
};

/* The index of the engine of that name; "": the first. CTS_E_UNSUPPORTED, and the names that there
 * are: none. */
int cts_worker_engine(const struct cts_adapter *adapter, const char *name, struct cts_err *err);

/* The main function of a worker: `ENGINE` is argv[1] (the adapter's first engine if absent).
 * Returns the exit code. Whatever the adapter's libraries print on stdout goes to stderr. */
int cts_worker_main(int argc, char **argv, const struct cts_adapter *adapter);

#endif
