#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "fake.h"
#include "reference.h"

/* The adapters: each passes everything on to the reference, but for what its fault replaces. */

struct fault;

struct fake {
    const struct fault *fault;
    void *right; /* the reference's own */
    struct cts_caps caps;
    const struct cts_worker_say *say;
    uint32_t first_row, rows_run; /* of the run under way */
    bool unwell;                  /* for faults that are so only sometimes */
};

struct program {
    void *right; /* null: the reference refused it */
    bool marked;
    const struct cts_load_req *req; /* while it is being loaded */
    uint32_t segments;
    struct cts_layout layout[CTS_ITEM_LAYOUTS];
};

struct fault {
    /* Null members: as the reference does. They return true when the reference is still to be
     * asked. */
    bool (*probe)(struct fake *f, struct cts_caps *caps, struct cts_err *err);
    bool (*load)(struct fake *f, struct program *p, struct cts_load_res *res);
    bool (*run)(struct fake *f, struct program *p, const struct cts_run_req *q,
                struct cts_run_res *res);
    void (*loaded)(struct fake *f, struct program *p, struct cts_load_res *res);
    void (*ran)(struct fake *f, struct program *p, struct cts_run_res *res);
};

/* What faults do. */

static void die_of_signal(void)
{
    /* A sanitizer's handler would make an ordinary exit of it. */
    signal(SIGSEGV, SIG_DFL);
    fprintf(stderr, "about to crash\n");
    fflush(stderr);
    raise(SIGSEGV);
}

static void sleep_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&t, &t) && errno == EINTR)
        ;
}

static bool crash_in_load(struct fake *f, struct program *p, struct cts_load_res *res)
{
    (void)f, (void)res;
    if (p->marked)
        die_of_signal();
    return true;
}

static bool crash_in_second_load(struct fake *f, struct program *p, struct cts_load_res *res)
{
    (void)res;
    if (p->marked && f->unwell)
        die_of_signal();
    f->unwell |= p->marked;
    return true;
}

static bool crash_in_run(struct fake *f, struct program *p, const struct cts_run_req *q,
                         struct cts_run_res *res)
{
    (void)f, (void)q, (void)res;
    if (p->marked)
        die_of_signal();
    return true;
}

static bool exit_in_run(struct fake *f, struct program *p, const struct cts_run_req *q,
                        struct cts_run_res *res)
{
    (void)f, (void)q, (void)res;
    if (p->marked)
        exit(7);
    return true;
}

/* For ever; that it does, a file says whose path is in the environment. */
static void hang(void)
{
    const char *path = getenv("CTS_FAKE_HANGS");
    if (path)
        close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    for (;;)
        pause();
}

static bool hang_in_load(struct fake *f, struct program *p, struct cts_load_res *res)
{
    (void)f, (void)res;
    if (p->marked)
        hang();
    return true;
}

static bool hang_in_run(struct fake *f, struct program *p, const struct cts_run_req *q,
                        struct cts_run_res *res)
{
    (void)f, (void)q, (void)res;
    if (p->marked)
        hang();
    return true;
}

static bool late(struct fake *f, struct program *p, const struct cts_run_req *q,
                 struct cts_run_res *res)
{
    (void)f, (void)q, (void)res;
    if (p->marked)
        sleep_ms(1500);
    return true;
}

/* The time of its own that a marked program takes. */
static bool toil(struct fake *f, struct program *p, const struct cts_run_req *q,
                 struct cts_run_res *res)
{
    enum { TOIL_NS = 300000000 };
    struct timespec from, now;
    (void)f, (void)q, (void)res;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    do
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    while (p->marked &&
           (now.tv_sec - from.tv_sec) * 1000000000L + now.tv_nsec - from.tv_nsec < TOIL_NS);
    return true;
}

static bool wait_long(struct fake *f, struct program *p, const struct cts_run_req *q,
                      struct cts_run_res *res)
{
    (void)q, (void)res;
    if (p->marked) {
        f->say->waiting(f->say->arg, true);
        sleep_ms(1500);
        f->say->waiting(f->say->arg, false);
    }
    return true;
}

static bool wait_for_ever(struct fake *f, struct program *p, const struct cts_run_req *q,
                          struct cts_run_res *res)
{
    (void)q, (void)res;
    if (p->marked)
        f->say->waiting(f->say->arg, true);
    while (p->marked)
        pause();
    return true;
}

static bool flood_stderr(struct fake *f, struct program *p, const struct cts_run_req *q,
                         struct cts_run_res *res)
{
    char line[4096];
    (void)f, (void)q, (void)res;
    memset(line, 'e', sizeof(line));
    while (p->marked)
        fake_write(2, line, sizeof(line));
    return true;
}

/* Much on both streams of its own, but an answer all the same. */
static bool chatter(struct fake *f, struct program *p, const struct cts_run_req *q,
                    struct cts_run_res *res)
{
    char line[1024];
    (void)f, (void)p, (void)q, (void)res;
    memset(line, 'c', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\n';
    for (unsigned i = 0; i < 512; i++)
        fake_write(i % 2 ? 1 : 2, line, sizeof(line));
    return true;
}

static bool lie(struct fake *f, struct program *p, const struct cts_run_req *q,
                struct cts_run_res *res)
{
    (void)f, (void)p;
    *res = (struct cts_run_res){.status = CTS_RUN_COMPLETED, .done = q->iterations};
    return false;
}

static void echo_row(const struct fake *f, const struct cts_layout *l, uint32_t index)
{
    uint8_t *row = (uint8_t *)f->caps.window + l->region + CTS_WIN_HEADER +
                   (size_t)(index & (l->rows - 1)) * l->stride;
    for (unsigned i = 0; i < 10; i++)
        if (l->out_mask >> i & 1)
            memcpy(row + CTS_ENTRY_OUT + 8 * i, row + CTS_ENTRY_IN + 8 * i, 8);
    if (l->out_mask & 1)
        memset(row + CTS_ENTRY_OUT, 0, 8);
    memset(row + CTS_ENTRY_END, 0, 8);
    row[CTS_ENTRY_END + (f->caps.be ? 7 : 0)] = CTS_ENDED_FELL_THROUGH;
    if (l->stack_off)
        memcpy(row + l->stack_off + CTS_STACK_BYTES, row + l->stack_off, CTS_STACK_BYTES);
}

static bool lie_r0(struct fake *f, struct program *p, const struct cts_run_req *q,
                   struct cts_run_res *res)
{
    *res = (struct cts_run_res){.status = CTS_RUN_COMPLETED, .done = q->iterations};
    if (!p->segments)
        return false;
    for (uint64_t i = 0; i < (uint64_t)q->iterations * p->segments; i++)
        echo_row(f, &p->layout[i % p->segments], q->first_row + (uint32_t)i);
    return false;
}

static bool reject_all(struct fake *f, struct program *p, struct cts_load_res *res)
{
    (void)f, (void)p;
    res->verdict = CTS_LOAD_REJECTED;
    res->err_no = 22;
    snprintf(res->text, sizeof(res->text), "no program is good enough");
    return false;
}

static void accept_all(struct fake *f, struct program *p, struct cts_load_res *res)
{
    (void)f, (void)p;
    *res = (struct cts_load_res){.verdict = CTS_LOAD_ACCEPTED};
}

/* Wrong in one register of one row, or in the result. */
static void wrong(struct fake *f, struct program *p, struct cts_run_res *res)
{
    if (!p->marked)
        return;
    res->r0 ^= 1;
    if (p->segments) {
        const struct cts_layout *l = &p->layout[0];
        uint8_t *out = (uint8_t *)f->caps.window + l->region + CTS_WIN_HEADER + CTS_ENTRY_OUT;
        for (unsigned i = 0; i < 10; i++)
            if (l->out_mask >> i & 1)
                out[8 * i] ^= 1;
    }
}

/* True the first time: the file FAKE_STATE remembers. */
static bool is_first_time(void)
{
    const char *path = getenv("FAKE_STATE");
    if (!path)
        return true;
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

static bool crash_once(struct fake *f, struct program *p, const struct cts_run_req *q,
                       struct cts_run_res *res)
{
    (void)f, (void)q, (void)res;
    if (p->marked && is_first_time())
        die_of_signal();
    return true;
}

static void wrong_once(struct fake *f, struct program *p, struct cts_run_res *res)
{
    if (p->marked && is_first_time())
        wrong(f, p, res);
}

static void escape_in_text(struct fake *f, struct program *p, struct cts_run_res *res)
{
    (void)f, (void)p;
    snprintf(res->text, sizeof(res->text), "red \x1b[31m \xff\xc3\xa4 end");
}

static bool unsupported(struct fake *f, struct cts_caps *caps, struct cts_err *err)
{
    (void)f, (void)caps;
    cts_err_set(err, CTS_E_UNSUPPORTED, "the moon is not full; wait for it");
    return false;
}

static bool broken(struct fake *f, struct cts_caps *caps, struct cts_err *err)
{
    (void)f, (void)caps;
    cts_err_set(err, CTS_E_IO, "the library cannot be loaded");
    return false;
}

static bool no_descriptor(struct fake *f, struct cts_caps *caps, struct cts_err *err)
{
    (void)f, (void)err;
    caps->window_fd = -1;
    return true;
}

static bool no_threads(struct fake *f, struct cts_caps *caps, struct cts_err *err)
{
    (void)f, (void)err;
    caps->features &= ~(uint32_t)CTS_FEAT_THREADS;
    return true;
}

/* A descriptor that maps to less than it says, and not to the window either. */
static bool small_file(struct fake *f, struct cts_caps *caps, struct cts_err *err)
{
    (void)f, (void)err;
    caps->window_fd = memfd_create("small", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return caps->window_fd >= 0 && ftruncate(caps->window_fd, 4096) == 0;
}

/* Others of the window's size: memory of nobody's, a file that can be cut off at any time, and a
 * BPF arena, whose pages come and go (and end whoever looks at one that is not there). */
static bool other_memory(struct fake *f, struct cts_caps *caps, struct cts_err *err)
{
    (void)f, (void)err;
    caps->window_fd = memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return caps->window_fd >= 0 && ftruncate(caps->window_fd, caps->window_bytes) == 0;
}

static bool open_file(struct fake *f, struct cts_caps *caps, struct cts_err *err)
{
    char path[] = "/tmp/cts-fake-window-XXXXXX";
    (void)f, (void)err;
    caps->window_fd = mkstemp(path);
    unlink(path);
    return caps->window_fd >= 0 && ftruncate(caps->window_fd, caps->window_bytes) == 0;
}

static bool arena(struct fake *f, struct cts_caps *caps, struct cts_err *err)
{
    enum { MAP_CREATE = 0, TYPE = 33, FLAGS = 1 << 10 | 1 << 17, PAGE = 4096, WORDS = 32 };
    uint32_t attr[WORDS] = {TYPE, 0, 0, caps->window_bytes / PAGE, FLAGS};
    (void)f;
    caps->window_fd = (int)syscall(SYS_bpf, MAP_CREATE, attr, sizeof(attr));
    if (caps->window_fd < 0)
        cts_err_set(err, CTS_E_UNSUPPORTED, "no arenas here: %s", strerror(errno));
    return caps->window_fd >= 0;
}

/* What others do to their window while it is shared. */
static bool cut_window(struct fake *f, struct program *p, const struct cts_run_req *q,
                       struct cts_run_res *res)
{
    (void)q, (void)res;
    if (p->marked && ftruncate(f->caps.window_fd, 0) == 0)
        exit(9);
    return true;
}

static void punch_window(struct fake *f, struct program *p, struct cts_run_res *res)
{
    (void)res;
    if (p->marked && p->segments)
        fallocate(f->caps.window_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                  f->caps.window_bytes);
}

static bool swap_window(struct fake *f, struct program *p, const struct cts_run_req *q,
                        struct cts_run_res *res)
{
    (void)q, (void)res;
    int fd = p->marked ? memfd_create("swapped", MFD_CLOEXEC) : -1;
    if (fd >= 0)
        dup2(fd, f->caps.window_fd);
    return true;
}

static bool huge_window(struct fake *f, struct cts_caps *caps, struct cts_err *err)
{
    (void)f, (void)err;
    caps->window_bytes = UINT32_MAX;
    return true;
}

/* The window's size on the first start, and twice as much on the next. */
static bool grow(struct fake *f, struct cts_caps *caps, struct cts_err *err)
{
    (void)f, (void)err;
    if (!is_first_time())
        caps->window_bytes *= 2;
    caps->window_fd = -1;
    return true;
}

static bool no_slots(struct fake *f, struct cts_caps *caps, struct cts_err *err)
{
    (void)f, (void)err;
    caps->max_slots = 0;
    return true;
}

static bool odd_version(struct fake *f, struct cts_caps *caps, struct cts_err *err)
{
    (void)f, (void)err;
    memcpy(caps->version, "1\x1b[2J", 6);
    return true;
}

/* A child that outlives its parent and holds all descriptors, the frames' too. */
static bool leave_child(struct fake *f, struct cts_caps *caps, struct cts_err *err)
{
    (void)f, (void)caps;
    pid_t pid = fork();
    if (pid < 0)
        cts_err_set(err, CTS_E_IO, "fork failed");
    while (pid == 0)
        pause();
    return pid > 0;
}

/* One that left the process group and its parent and does not mind SIGTERM, with our environment or
 * without any. FAKE_PIDS: the file where it leaves its number. */
static void leave_orphan(bool bare)
{
    const char *path = getenv("FAKE_PIDS");
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    pid_t between = fork();
    if (between > 0) {
        waitpid(between, NULL, 0);
        close(fd);
        return;
    }
    setsid();
    signal(SIGTERM, SIG_IGN);
    if (fork() != 0)
        _exit(0);
    dprintf(fd, "%d %s\n", (int)getpid(), bare ? "bare" : "marked");
    for (int i = 0; i < 64; i++) /* the pipe of frames is one of them */
        close(i);
    if (bare)
        execle("/bin/sleep", "sleep", "600", (char *)NULL, (char *[]){NULL});
    for (;;)
        pause();
}

static bool leave_orphans(struct fake *f, struct cts_caps *caps, struct cts_err *err)
{
    (void)f, (void)caps, (void)err;
    leave_orphan(false);
    leave_orphan(true);
    return true;
}

static bool loads_only(struct fake *f, struct cts_caps *caps, struct cts_err *err)
{
    (void)f, (void)err;
    caps->features |= CTS_FEAT_VERDICT_ONLY;
    return true;
}

static bool judges_whole(struct fake *f, struct cts_caps *caps, struct cts_err *err)
{
    caps->window_kind = CTS_WK_NONE;
    caps->window_bytes = 0;
    caps->window_fd = -1;
    caps->window_fd = -1;
    return loads_only(f, caps, err);
}

static bool runs_whole(struct fake *f, struct cts_caps *caps, struct cts_err *err)
{
    (void)f, (void)err;
    caps->window_kind = CTS_WK_NONE;
    caps->window_bytes = 0;
    caps->window_fd = -1;
    caps->window_fd = -1;
    return true;
}

static bool never_run(struct fake *f, struct program *p, const struct cts_run_req *q,
                      struct cts_run_res *res)
{
    (void)f, (void)p, (void)q, (void)res;
    die_of_signal();
    return false;
}

static bool reject_marked(struct fake *f, struct program *p, struct cts_load_res *res)
{
    return p->marked ? reject_all(f, p, res) : true;
}

static bool wants_objects(struct fake *f, struct cts_caps *caps, struct cts_err *err)
{
    (void)f, (void)err;
    caps->features |= CTS_FEAT_ELF;
    return true;
}

static bool holds(const struct cts_load_req *q, const void *what, size_t bytes)
{
    return q->elf && (bytes == 0 || memmem(q->elf, q->elf_bytes, what, bytes));
}

static bool look_at_object(struct fake *f, struct program *p, struct cts_load_res *res)
{
    const struct cts_load_req *q = p->req;
    const uint8_t order = f->caps.be ? 2 : 1, wide = 2;
    if (holds(q, "\177ELF", 4) && q->elf_bytes > 64 && q->elf[4] == wide && q->elf[5] == order &&
        q->elf[f->caps.be ? 19 : 18] == 247 && holds(q, q->code, (size_t)q->slots * 8) &&
        holds(q, "main", 5) && holds(q, q->packet ? "socket" : "xdp", q->packet ? 7 : 4))
        return true;
    snprintf(res->text, sizeof(res->text), "that is no object");
    return false;
}

/* What the environment says of the window, whatever the fault. FAKE_WINDOW=map: programs reach it
 * as map 0 (of an engine where they have its address). FAKE_UNSHARED: rows travel in frames.
 * FAKE_ITERATIONS: the most of one run. FAKE_WINDOW_BYTES: what it says of its size. */
static void change_window(struct cts_caps *caps)
{
    const char *kind = getenv("FAKE_WINDOW"), *most = getenv("FAKE_ITERATIONS");
    const char *bytes = getenv("FAKE_WINDOW_BYTES");
    if (kind && strcmp(kind, "map") == 0 && caps->window_kind == CTS_WK_ABSOLUTE) {
        caps->window_kind = CTS_WK_MAP;
        caps->window_addr = 0;
    }
    if (getenv("FAKE_UNSHARED"))
        caps->window_fd = -1;
    if (bytes)
        caps->window_bytes = (uint32_t)strtoul(bytes, NULL, 0);
    if (most)
        caps->max_iterations = (uint32_t)strtoul(most, NULL, 0);
}

static uint64_t number_at(const struct fake *f, const uint8_t *at)
{
    return f->caps.be ? cts_get64be(at) : cts_get64le(at);
}

/* The last bit of r3 is wrong in the rows of this run whose input in r4 is FAKE_ODD; with
 * FAKE_STATE once. */
static void odd_row(struct fake *f, struct program *p, struct cts_run_res *res)
{
    const char *text = getenv("FAKE_ODD");
    if (!text || !p->segments || f->rows_run > p->layout[0].rows)
        return;
    const struct cts_layout *l = &p->layout[0];
    uint8_t *region = (uint8_t *)f->caps.window + l->region;
    uint64_t value = strtoull(text, NULL, 0), from = f->first_row;
    (void)res;
    if (f->caps.window_kind != CTS_WK_NATIVE)
        from = number_at(f, region + CTS_WIN_INDEX) - f->rows_run;
    for (uint32_t i = 0; i < f->rows_run; i++) {
        uint8_t *row = region + CTS_WIN_HEADER + (size_t)((from + i) & (l->rows - 1)) * l->stride;
        if (number_at(f, row + CTS_ENTRY_IN + 32) == value &&
            (!getenv("FAKE_STATE") || is_first_time()))
            row[CTS_ENTRY_OUT + 24 + (f->caps.be ? 7 : 0)] ^= 1;
    }
}

/* What comes of it if a marked body is in the same program, and only then. */
static void odd_beside(struct fake *f, struct program *p, struct cts_run_res *res)
{
    if (p->marked && p->segments > 1)
        odd_row(f, p, res);
}

static bool crash_beside(struct fake *f, struct program *p, const struct cts_run_req *q,
                         struct cts_run_res *res)
{
    return p->segments > 1 ? crash_in_run(f, p, q, res) : true;
}

/* Passing on. */

static bool is_marked(const struct fake *f, const struct cts_load_req *q)
{
    for (uint32_t i = 0; i < q->slots; i++) {
        const uint8_t *at = q->code + (size_t)i * 8;
        uint32_t imm = f->caps.be ? cts_get32be(at + 4) : cts_get32le(at + 4);
        if (at[0] == 0xb7 && imm == FAKE_MARK)
            return true;
    }
    return false;
}

static int fake_probe(const struct fault *fault, void **self, unsigned engine,
                      struct cts_caps *caps, struct cts_err *err)
{
    struct fake *f = calloc(1, sizeof(*f));
    if (!f)
        return cts_err_set(err, CTS_E_NOMEM, "no memory");
    f->fault = fault;
    int rc = cts_reference_adapter.probe(&f->right, engine, caps, err);
    if (rc) {
        free(f);
        return rc;
    }
    change_window(caps);
    f->caps = *caps;
    *self = f;
    if (!fault->probe || fault->probe(f, caps, err))
        return 0;
    cts_reference_adapter.release(f->right);
    free(f);
    *self = NULL;
    return err->code ? err->code : cts_err_set(err, CTS_E_IO, "the fault does not work");
}

/* FAKE_LOGS: a file, where a line says of each marked program whether a reason is wanted. */
static void note_log(const struct cts_load_req *q)
{
    const char *path = getenv("FAKE_LOGS");
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd >= 0) {
        dprintf(fd, "%s\n", q->log ? "wanted" : "moot");
        close(fd);
    }
}

static void fake_load(void *self, const struct cts_load_req *q, void **prog,
                      struct cts_load_res *res)
{
    struct fake *f = self;
    struct program *p = calloc(1, sizeof(*p));
    if (!p)
        return;
    p->marked = is_marked(f, q);
    if (p->marked)
        note_log(q);
    p->req = q;
    p->segments = q->segments;
    for (uint32_t i = 0; i < q->segments; i++)
        p->layout[i] = q->layout[i];
    if (!f->fault->load || f->fault->load(f, p, res))
        cts_reference_adapter.load(f->right, q, &p->right, res);
    if (f->fault->loaded)
        f->fault->loaded(f, p, res);
    if (p->marked)
        res->native_bytes = FAKE_MARK_BYTES;
    if (res->verdict == CTS_LOAD_ACCEPTED)
        *prog = p;
    else
        free(p);
}

static void fake_run(void *self, void *prog, const struct cts_run_req *q, struct cts_run_res *res)
{
    struct fake *f = self;
    struct program *p = prog;
    f->first_row = q->first_row;
    f->rows_run = q->iterations * p->segments;
    if (!f->fault->run || f->fault->run(f, p, q, res)) {
        if (p->right)
            cts_reference_adapter.run(f->right, p->right, q, res);
        else
            lie(f, p, q, res);
    }
    if (f->fault->ran)
        f->fault->ran(f, p, res);
}

static void fake_unload(void *self, void *prog)
{
    struct fake *f = self;
    struct program *p = prog;
    if (p->right)
        cts_reference_adapter.unload(f->right, p->right);
    free(p);
}

static void fake_attach(void *self, const struct cts_worker_say *say)
{
    struct fake *f = self;
    f->say = say;
}

static void fake_release(void *self)
{
    struct fake *f = self;
    cts_reference_adapter.release(f->right);
    free(f);
}

/* The table. An adapter's probe is not told which adapter it is, so each fault has one of its own.
 */

#define FAULTS(X)                                                                                  \
    X(right, "right", "as the reference, but marked programs are told", .run = NULL)               \
    X(crash, "crash", "dies of SIGSEGV when a marked program runs", .run = crash_in_run)           \
    X(crash_load, "crash-load", "the same when it is loaded", .load = crash_in_load)               \
    X(load_once, "load-once", "dies when a marked program is loaded a second time",                \
      .load = crash_in_second_load)                                                                \
    X(exits, "exit", "exits with status 7 when a marked program runs", .run = exit_in_run)         \
    X(hang, "hang", "hangs when a marked program runs", .run = hang_in_run)                        \
    X(hang_load, "hang-load", "the same when it is loaded", .load = hang_in_load)                  \
    X(late, "late", "takes 1.5 s over a marked program", .run = late)                              \
    X(late_unshared, "late-unshared", "the same, and shares no window", .probe = no_descriptor,    \
      .run = late)                                                                                 \
    X(toil, "toil", "needs 0.3 s of a processor for a marked program", .run = toil)                \
    X(waits, "waits", "waits for 1.5 s before a marked program, and says so", .run = wait_long)    \
    X(waits_on, "waits-for-ever", "the same, for ever", .run = wait_for_ever)                      \
    X(flood_stderr, "flood-stderr", "writes to stderr for ever", .run = flood_stderr)              \
    X(chatter, "chatter", "writes half a megabyte per run on stdout and stderr", .run = chatter)   \
    X(lie, "lie", "says that it ran, and touches nothing", .run = lie)                             \
    X(lie_r0, "lie-r0", "always r0 = 0, all else as it came in", .run = lie_r0)                    \
    X(reject_all, "reject-all", "rejects every program", .load = reject_all)                       \
    X(accept_all, "accept-all", "accepts every program; runs what it can", .loaded = accept_all)   \
    X(wrong, "wrong", "one bit of a marked program's result is wrong", .ran = wrong)               \
    X(wrong_once, "flaky-wrong", "the same, the first time (FAKE_STATE)", .ran = wrong_once)       \
    X(odd_row, "odd-row", "one bit of r3 is wrong where r4 is FAKE_ODD (with FAKE_STATE: once)",   \
      .ran = odd_row)                                                                              \
    X(odd_beside, "odd-beside", "the same, in programs with a marked body among others",           \
      .ran = odd_beside)                                                                           \
    X(crash_beside, "crash-beside", "dies of a marked program of several bodies",                  \
      .run = crash_beside)                                                                         \
    X(crash_once, "flaky", "crash, the first time (FAKE_STATE: a file)", .run = crash_once)        \
    X(grow, "grow", "crash, and a larger window at the next start (FAKE_STATE)", .probe = grow,    \
      .run = crash_in_run)                                                                         \
    X(escape, "escape", "control characters in its texts", .ran = escape_in_text)                  \
    X(verify, "verify", "loads programs and is never to run one; rejects marked ones",             \
      .probe = loads_only, .load = reject_marked, .run = never_run)                                \
    X(verify_whole, "verify-whole", "the same, without a window", .probe = judges_whole,           \
      .load = reject_marked, .run = never_run)                                                     \
    X(verify_crash, "verify-crash", "loads programs, and dies of marked ones",                     \
      .probe = loads_only, .load = crash_in_load, .run = never_run)                                \
    X(verify_all, "verify-all", "loads programs and finds nothing wrong", .probe = loads_only,     \
      .loaded = accept_all, .run = never_run)                                                      \
    X(whole, "whole", "runs whole programs only", .probe = runs_whole)                             \
    X(object, "object", "wants programs as ELF objects, too", .probe = wants_objects,              \
      .load = look_at_object)                                                                      \
    X(unsupported, "unsupported", "the engine is unavailable", .probe = unsupported)               \
    X(broken, "broken", "the engine cannot be opened", .probe = broken)                            \
    X(child, "child", "leaves a child behind that holds its stdout; crashes as above",             \
      .probe = leave_child, .run = crash_in_run)                                                   \
    X(orphans, "orphans", "leaves children that left its group (FAKE_PIDS); crashes as above",     \
      .probe = leave_orphans, .run = crash_in_run)                                                 \
    X(unshared, "unshared", "shares no window", .probe = no_descriptor)                            \
    X(no_threads, "no-threads", "has no threads", .probe = no_threads)                             \
    X(small, "small-window", "its window's descriptor is a smaller file", .probe = small_file)     \
    X(other_memory, "other-memory", "its window's descriptor is other memory",                     \
      .probe = other_memory)                                                                       \
    X(file, "file-window", "its window's descriptor is a file", .probe = open_file)                \
    X(arena, "arena-window", "its window's descriptor is a BPF arena", .probe = arena)             \
    X(cut, "cut-window", "cuts its window off when a marked program runs", .run = cut_window)      \
    X(punch, "punched-window", "takes its window's pages away after a marked program",             \
      .ran = punch_window)                                                                         \
    X(swap, "swapped-window", "puts another file in the place of its window's descriptor",         \
      .run = swap_window)                                                                          \
    X(huge, "huge-window", "a window of 4 GiB", .probe = huge_window)                              \
    X(no_slots, "no-slots", "programs of at most 0 slots", .probe = no_slots)                      \
    X(odd, "odd-version", "a version that clears the screen", .probe = odd_version)

static const struct cts_engine engines[] = {
    {"interp", "the reference's"},     {"interp-be", "the reference's"},
    {"interp-env", "the reference's"}, {"interp-env-be", "the reference's"},
    {"interp-arg", "the reference's"}, {NULL, NULL}};

#define FAULT_ADAPTER(id, name_, what_, ...)                                                       \
    static const struct fault fault_##id = {__VA_ARGS__};                                          \
    static int probe_##id(void **self, unsigned engine, struct cts_caps *caps,                     \
                          struct cts_err *err)                                                     \
    {                                                                                              \
        return fake_probe(&fault_##id, self, engine, caps, err);                                   \
    }                                                                                              \
    static const struct cts_adapter adapter_##id = {.name = "fake",                                \
                                                    .engines = engines,                            \
                                                    .probe = probe_##id,                           \
                                                    .load = fake_load,                             \
                                                    .run = fake_run,                               \
                                                    .unload = fake_unload,                         \
                                                    .release = fake_release,                       \
                                                    .attach = fake_attach};
FAULTS(FAULT_ADAPTER)

#define FAULT_ENTRY(id, name_, what_, ...) {name_, what_, &adapter_##id},
const struct fake_adapter fake_adapters[] = {FAULTS(FAULT_ENTRY){NULL, NULL, NULL}};
