#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "bpfsys.h"
#include "isa/isa.h"
#include "lx.h"

struct own_map {
    int fd;
    uint32_t value_bytes, entries; /* value_bytes 0: of programs */
    uint8_t *data;                 /* null: nothing to write */
};

struct prog {
    int fd;
    uint32_t type; /* enum bpf_prog_type */
    bool packet;
    uint32_t map_count;
    struct own_map maps[CTS_LX_MAPS];
};

/* One load as the switches see it: it may have to be done twice. */
struct attempt {
    const struct cts_lx_prog_spec *spec;
    bool made;
};

static void load_error(struct cts_load_res *res, int err_no, const char *what)
{
    res->verdict = CTS_LOAD_ERROR;
    res->err_no = err_no;
    if (err_no)
        cts_fmt(res->text, sizeof(res->text), "%s: %s (%d)", what, cts_lx_errno_name(err_no),
                err_no);
    else
        cts_fmt(res->text, sizeof(res->text), "%s", what);
}

static void free_prog(struct prog *p)
{
    if (p->fd >= 0)
        close(p->fd);
    for (uint32_t i = 0; i < p->map_count; i++) {
        if (p->maps[i].fd >= 0)
            close(p->maps[i].fd);
        free(p->maps[i].data);
    }
    free(p);
}

/* Read-only for programs and for us: only then the kernel takes data for what they name. */
static int freeze(struct own_map *m, const struct cts_map_def *def)
{
    int rc = cts_lx_map_set(m->fd, 0, def->data);

    return rc < 0 ? rc : cts_lx_map_freeze(m->fd);
}

/* One whose data name instructions to jump to. */
static int make_insn_map(struct own_map *m, const struct cts_map_def *def)
{
    uint32_t count = def->value_bytes / 8;
    int rc = 0;

    *m = (struct own_map){.fd = -1, .value_bytes = def->value_bytes, .entries = def->entries};
    m->fd = cts_lx_fd_up(cts_lx_map_of_insns(count), CTS_LX_MAP_FDS);
    if (m->fd < 0)
        return m->fd;
    for (uint32_t i = 0; rc == 0 && i < count; i++)
        rc = cts_lx_insn_set(m->fd, i, (uint32_t)(cts_get64_host(def->data + 8 * i) / 8));
    if (rc == 0)
        rc = cts_lx_map_freeze(m->fd);
    if (rc < 0)
        close(m->fd);
    return rc;
}

static int make_map(struct own_map *m, const struct cts_map_def *def, bool frozen)
{
    uint64_t bytes = (uint64_t)def->value_bytes * def->entries;

    *m = (struct own_map){.fd = -1, .value_bytes = def->value_bytes, .entries = def->entries};
    if (bytes > CTS_LX_MAP_BYTES)
        return -E2BIG;
    m->fd = def->value_bytes
                ? cts_lx_map_new(def->value_bytes, def->entries, frozen ? BPF_F_RDONLY_PROG : 0)
                : cts_lx_map_of_programs(def->entries);
    m->fd = cts_lx_fd_up(m->fd, CTS_LX_MAP_FDS);
    if (m->fd < 0 || bytes == 0 || !def->data)
        return m->fd < 0 ? m->fd : 0;
    if (frozen)
        return freeze(m, def);
    m->data = malloc((size_t)bytes);
    if (!m->data)
        return -ENOMEM;
    memcpy(m->data, def->data, (size_t)bytes);
    return 0;
}

static int make_maps(struct prog *p, const struct cts_load_req *req)
{
    bool calls = cts_calls_addresses(req->code, req->slots);
    bool jumps = cts_jumps_to_addresses(req->code, req->slots);

    if (req->map_count > CTS_LX_MAPS)
        return -E2BIG;
    for (uint32_t i = 0; i < req->map_count; i++) {
        const struct cts_map_def *def = &req->maps[i];
        bool data = cts_lx_names_functions(def);
        int rc = -1;

        p->map_count++;
        /* A kernel without such maps refuses the program for its jump. */
        if (data && jumps)
            rc = make_insn_map(&p->maps[i], def);
        if (rc < 0)
            rc = make_map(&p->maps[i], def, data && calls);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Programs for the window have small frames if vectors do not make them larger. A store in front
 * brings main's where the engine wants it. It would be in the way of data that name places, and of
 * whole programs, which are judged as they are. */
static bool wants_larger_frame(const struct cts_lx *lx, const struct cts_load_req *req)
{
    bool wants = lx->private_stack && req->kind == CTS_PROG_WINDOW;

    for (uint32_t i = 0; i < req->map_count; i++)
        wants &= !cts_lx_names_functions(&req->maps[i]);
    return wants;
}

static int copy_code(struct cts_lx *lx, const struct cts_load_req *req)
{
    static const struct cts_insn store = {.opcode = 0x72, .dst = 10, .off = -CTS_LX_PRIVATE_BYTES};
    uint32_t front = wants_larger_frame(lx, req);
    size_t bytes = ((size_t)front + req->slots) * CTS_SLOT_BYTES;

    if (bytes > lx->code_cap || !lx->code) {
        uint8_t *more = realloc(lx->code, bytes + 4096);

        if (!more)
            return -ENOMEM;
        lx->code = more;
        lx->code_cap = bytes + 4096;
    }
    if (front)
        cts_slot_put(lx->code, CTS_HOST_IS_BE, &store);
    if (req->slots)
        memcpy(lx->code + (size_t)front * CTS_SLOT_BYTES, req->code,
               (size_t)req->slots * CTS_SLOT_BYTES);
    lx->slots = front + req->slots;
    return 0;
}

static int patch(struct cts_lx *lx, const struct cts_load_req *req, const struct prog *p,
                 struct cts_lx_uses *uses, struct cts_err *err)
{
    int fds[1 + CTS_LX_MAPS];
    struct cts_lx_patch job = {.code = lx->code,
                               .slots = lx->slots,
                               .map_fds = fds,
                               .map_count = 1 + p->map_count,
                               .names = req->names,
                               .name_count = req->name_count,
                               .vmlinux = &lx->vmlinux};
    int rc;

    fds[0] = lx->window_fd;
    for (uint32_t i = 0; i < p->map_count; i++)
        fds[1 + i] = p->maps[i].fd;
    rc = cts_lx_patch(&job, err);
    *uses = job.uses;
    if (uses->fd_array) {
        for (uint32_t i = 0; i < CTS_LX_FD_ARRAY; i++)
            lx->fd_array[i] = i < job.map_count ? fds[i] : -1;
    }
    return rc;
}

static int attempt_load(void *arg)
{
    struct attempt *a = arg;

    a->made = true;
    return cts_lx_prog_load(a->spec);
}

static void undo_load(void *arg, int rc)
{
    struct attempt *a = arg;

    a->made = false;
    if (rc >= 0)
        close(rc);
}

/* Whether the kernel judged the program, or had troubles of its own. */
static bool is_judgement(int err_no)
{
    static const int troubles[] = {ENOMEM, ENFILE, EMFILE, ENOSPC, EINTR, EAGAIN, ENOSYS};

    for (size_t i = 0; i < CTS_ARRAY_LEN(troubles); i++) {
        if (err_no == troubles[i])
            return false;
    }
    return true;
}

static bool open_log(struct cts_lx *lx)
{
    if (!lx->log)
        lx->log = malloc(CTS_LX_LOG_BYTES);
    return lx->log;
}

static void ask_reason(struct cts_lx *lx, const struct cts_lx_prog_spec *spec,
                       struct cts_load_res *res)
{
    struct cts_lx_prog_spec again = *spec;
    int fd;

    if (!open_log(lx))
        return;
    again.log = lx->log;
    again.log_bytes = CTS_LX_LOG_BYTES;
    /* Where the buffer is too small for every step, the last message alone (BPF_LOG_STATS) may fit.
     * E2BIG is for a million steps and more, or thousands of jumps: they take long to write. */
    for (again.log_level = res->err_no == E2BIG ? 4 : 1; again.log_level <= 4;
         again.log_level += 3) {
        struct attempt a = {.spec = &again};

        lx->log[0] = 0;
        fd = cts_lx_knobs_around(&lx->knobs, attempt_load, undo_load, &a);
        if (fd >= 0)
            close(fd);
        if (fd != -ENOSPC)
            break;
    }
    cts_lx_log_text(lx->log, CTS_LX_LOG_BYTES, res->text);
}

/* Its owner has hardened the machine: known restrictions, see runtime.yaml. */
static const char *hardened(const struct cts_lx *lx)
{
    return lx->knobs.want[CTS_LX_JIT_HARDEN] == CTS_LX_KNOB_AS_IS && cts_lx_knobs_blind(&lx->knobs)
               ? "this machine has bpf_jit_harden = 2: "
               : "";
}

/* Did it take the verifier long to refuse a program that was loaded with a log? */
static bool took_long(const struct cts_lx *lx, const struct cts_lx_prog_spec *spec, int err_no)
{
    enum { MANY = 4096 };

    return spec->log && (err_no == E2BIG || cts_lx_log_walked(lx->log, CTS_LX_LOG_BYTES) > MANY);
}

/* `spec` is what was loaded. If it had a log, that has the last message at least: enough where it
 * took the verifier long to get there. */
static void refused(struct cts_lx *lx, const struct cts_lx_prog_spec *spec, bool log, int err_no,
                    struct cts_load_res *res)
{
    if (!is_judgement(err_no)) {
        load_error(res, err_no, "BPF_PROG_LOAD");
        return;
    }
    res->verdict = CTS_LOAD_REJECTED;
    res->err_no = err_no;
    if (log && took_long(lx, spec, err_no))
        cts_lx_log_text(lx->log, CTS_LX_LOG_BYTES, res->text);
    else if (log)
        ask_reason(lx, spec, res);
    if (res->text[0])
        return;
    cts_fmt(res->text, sizeof(res->text), "%s%s%s", err_no == CTS_LX_ENOTSUPP ? hardened(lx) : "",
            cts_lx_errno_name(err_no),
            err_no == CTS_LX_ENOTSUPP ? ": not supported by this kernel, or by its JIT" : "");
}

enum { UNBLINDED_TRIES = 20 };

/* Descriptor of the program, or negative and `res` says why. */
static int load_spec(struct cts_lx *lx, const struct cts_lx_prog_spec *spec, bool log,
                     struct cts_load_res *res)
{
    struct cts_lx_prog_spec full = *spec;
    struct attempt a = {.spec = &full};
    int fd;

    /* Where loops have no end for the verifier, many programs take it a million steps. */
    if (log && lx->socket_only && open_log(lx)) {
        lx->log[0] = 0;
        full.log = lx->log;
        full.log_bytes = CTS_LX_LOG_BYTES;
        full.log_level = 4;
    }
    /* What was set and set back during the load is seen by nobody, and shows in one thing: the JIT
     * cannot do what it can without blinding. */
    for (unsigned tries = 1;; tries++) {
        fd = cts_lx_knobs_around(&lx->knobs, attempt_load, undo_load, &a);
        if (fd != -CTS_LX_ENOTSUPP || tries == UNBLINDED_TRIES || cts_lx_knobs_blind(&lx->knobs))
            break;
    }
    if (fd >= 0)
        return fd;
    if (!a.made && fd == -EBUSY) {
        res->verdict = CTS_LOAD_UNSETTLED;
        cts_fmt(res->text, sizeof(res->text), "%s", lx->knobs.why);
    } else if (!a.made) {
        load_error(res, 0, lx->knobs.why);
    } else
        refused(lx, &full, log, -fd, res);
    return -1;
}

/* The slots that the kernel has of a program when it has blinded nothing: behind each 32-bit
 * compare-and-exchange it puts a move that clears the upper half of r0. */
static uint32_t unblinded_slots(const uint8_t *code, uint32_t slots)
{
    uint32_t all = slots;

    for (uint32_t i = 0; i < slots; i++) {
        struct cts_insn in;
        cts_slot_get(code + (size_t)i * CTS_SLOT_BYTES, CTS_HOST_IS_BE, &in);
        all += cts_insn_of(&in) == CTS_INSN_ATOMIC32_CMPXCHG;
    }
    return all;
}

/* most_slots: more of them, and its constants have been blinded where they must not be. */
static bool check_code_kind(const struct cts_lx *lx, int fd, uint32_t most_slots,
                            struct cts_load_res *res)
{
    uint32_t slots;
    int rc = cts_lx_prog_sizes(fd, &res->native_bytes, &slots);

    if (rc < 0) {
        load_error(res, -rc, "BPF_OBJ_GET_INFO_BY_FD");
        return false;
    }
    if (lx->code_kind == CTS_LX_CODE_NATIVE && res->native_bytes == 0) {
        load_error(res, 0, "not compiled: the kernel fell back to its interpreter");
        return false;
    }
    if (lx->code_kind == CTS_LX_CODE_INTERPRETED && res->native_bytes != 0) {
        load_error(res, 0, "compiled, although the interpreter was asked for");
        return false;
    }
    if (slots > most_slots) {
        res->verdict = CTS_LOAD_UNSETTLED;
        cts_fmt(
            res->text, sizeof(res->text),
            "another process has set bpf_jit_harden to 2 for a moment: the program was blinded");
        return false;
    }
    return true;
}

/* Only with type information does the kernel know that a callback is a static function and how many
 * arguments on the stack a function takes, and let functions make tail calls; other subprograms it
 * takes for static anyway. */
static int describe(struct cts_lx *lx, const struct cts_load_req *req,
                    struct cts_lx_prog_spec *spec, struct bpf_func_info **funcs)
{
    uint8_t blob[CTS_LX_OWN_MAX];
    uint32_t *first = malloc(((size_t)spec->slots + 1) * sizeof(*first));
    uint32_t maps = cts_calls_addresses(spec->code, spec->slots) ? req->map_count : 0;
    struct bpf_func_info *info = NULL;

    if (lx->own_btf_fd < 0)
        lx->own_btf_fd = cts_lx_btf_load(blob, cts_lx_btf_own(blob));
    if (first) {
        spec->func_count =
            cts_lx_subprograms(spec->code, spec->slots, req->maps, maps, first, spec->slots + 1);
        info = calloc(spec->func_count, sizeof(*info));
    }
    if (info) {
        for (uint32_t i = 0; i < spec->func_count; i++) {
            info[i].insn_off = first[i];
            uint32_t end = i + 1 < spec->func_count ? first[i + 1] : spec->slots;
            uint32_t args = cts_lx_stack_args(spec->code, first[i], end);

            info[i].type_id = i == 0 ? (uint32_t)CTS_LX_OWN_MAIN : cts_lx_btf_static(args);
        }
    }
    free(first);
    *funcs = info;
    spec->funcs = info;
    spec->btf_fd = lx->own_btf_fd;
    if (!info)
        return -ENOMEM;
    return lx->own_btf_fd < 0 ? lx->own_btf_fd : 0;
}

static int load_described(struct cts_lx *lx, const struct cts_load_req *req,
                          const struct cts_lx_uses *uses, uint32_t type, struct cts_load_res *res)
{
    struct cts_lx_prog_spec spec = {.type = type, .code = lx->code, .slots = lx->slots};
    struct bpf_func_info *funcs = NULL;
    int rc = 0, fd = -1;

    if (uses->fd_array)
        spec.fd_array = lx->fd_array;
    if (uses->types || cts_calls_addresses(lx->code, lx->slots) ||
        cts_lx_stack_args(lx->code, 0, lx->slots))
        rc = describe(lx, req, &spec, &funcs);
    if (rc < 0)
        load_error(res, -rc, "type information for functions");
    else
        fd = load_spec(lx, &spec, req->log, res);
    free(funcs);
    return fd;
}

/* Each entry of a map of programs is the program itself. */
static bool fill_tables(const struct prog *p, struct cts_load_res *res)
{
    for (uint32_t i = 0; i < p->map_count; i++) {
        const struct own_map *m = &p->maps[i];

        for (uint32_t key = 0; m->value_bytes == 0 && key < m->entries; key++) {
            uint32_t fd = (uint32_t)p->fd;
            int rc = cts_lx_map_set(m->fd, key, &fd);

            if (rc < 0) {
                load_error(res, -rc, "a map of programs");
                return false;
            }
        }
    }
    return true;
}

static uint32_t type_of(const struct cts_lx *lx, const struct cts_load_req *req,
                        const struct cts_lx_uses *uses)
{
    if (lx->private_stack)
        return BPF_PROG_TYPE_RAW_TRACEPOINT;
    return (req->packet || uses->helper_csum) && !lx->socket_only ? BPF_PROG_TYPE_SCHED_CLS
                                                                  : BPF_PROG_TYPE_SOCKET_FILTER;
}

static void fill_prog(struct cts_lx *lx, const struct cts_load_req *req, struct prog *p,
                      struct cts_load_res *res)
{
    struct cts_lx_uses uses;
    struct cts_err err = {0};
    bool wraps;
    int rc = make_maps(p, req);

    if (rc == 0)
        rc = copy_code(lx, req);
    if (rc < 0) {
        load_error(res, -rc, "maps of the program");
        return;
    }
    if (patch(lx, req, p, &uses, &err) < 0) {
        res->verdict = CTS_LOAD_REJECTED;
        res->err_no = ENOENT;
        cts_fmt(res->text, sizeof(res->text), "%s", err.msg);
        return;
    }
    wraps = cts_lx_blinding_wraps(lx->code, lx->slots);
    if (wraps && cts_lx_knobs_blind(&lx->knobs)) {
        res->verdict = CTS_LOAD_REJECTED;
        cts_fmt(res->text, sizeof(res->text),
                "%skept from the kernel: blinding may turn a branch so far back around, and it "
                "would run wild",
                hardened(lx));
        return;
    }
    p->packet = req->packet;
    p->type = type_of(lx, req, &uses);
    p->fd = load_described(lx, req, &uses, p->type, res);
    /* Whether a program was blinded that must not be shows in its length: it is never run then. */
    if (p->fd >= 0 &&
        check_code_kind(lx, p->fd, wraps ? unblinded_slots(lx->code, lx->slots) : UINT32_MAX,
                        res) &&
        fill_tables(p, res))
        res->verdict = CTS_LOAD_ACCEPTED;
}

void cts_lx_load(void *self, const struct cts_load_req *req, void **prog, struct cts_load_res *res)
{
    struct prog *p = calloc(1, sizeof(*p));

    *prog = NULL;
    res->verdict = CTS_LOAD_ERROR;
    res->err_no = 0;
    res->native_bytes = 0;
    res->text[0] = 0;
    if (!p) {
        load_error(res, ENOMEM, "a program");
        return;
    }
    p->fd = -1;
    fill_prog(self, req, p, res);
    if (res->verdict == CTS_LOAD_ACCEPTED)
        *prog = p;
    else
        free_prog(p);
}

void cts_lx_unload(void *self, void *prog)
{
    (void)self;
    free_prog(prog);
}

static void run_error(struct cts_run_res *res, int err_no, const char *what)
{
    res->status = CTS_RUN_ERROR;
    cts_fmt(res->text, sizeof(res->text), "%s: %s (%d)", what, cts_lx_errno_name(err_no), err_no);
}

static int write_maps(const struct prog *p)
{
    for (uint32_t i = 0; i < p->map_count; i++) {
        const struct own_map *m = &p->maps[i];

        for (uint32_t key = 0; m->data && key < m->entries; key++) {
            int rc = cts_lx_map_set(m->fd, key, m->data + (size_t)key * m->value_bytes);

            if (rc < 0)
                return rc;
        }
    }
    return 0;
}

/* The test run wants an Ethernet frame. SCHED_CLS sees all of it; a socket filter sees what follows
 * the MAC header, so a packet gets one in front. Without a packet: zeros. */
static uint32_t frame(struct cts_lx *lx, const struct prog *p, const struct cts_run_req *req)
{
    uint32_t head = p->type == BPF_PROG_TYPE_SCHED_CLS ? 0 : CTS_LX_MAC_BYTES;

    if (!p->packet || !req->packet) {
        memset(lx->packet, 0, 64);
        return 64;
    }
    memset(lx->packet, 0, head);
    memcpy(lx->packet + head, req->packet, req->packet_bytes);
    return head + req->packet_bytes;
}

enum { SPINS = 1 << 20, TRACEPOINT_ARGS = 12 /* the most there may be */ };

/* Where threads wait for one another, so that all of them are under way when the first begins. */
struct start {
    atomic_uint here;
    atomic_int go; /* 0: wait; below 0: there will be no run */
};

struct thread {
    pthread_t id;
    struct start *start;
    const struct cts_lx_run_spec *spec;
    uint32_t retval;
    int rc;
};

static void *run_thread(void *arg)
{
    struct thread *t = arg;
    int go;

    atomic_fetch_add(&t->start->here, 1);
    /* Who gives its processor away may be far from it when the others begin. */
    for (uint32_t spins = 0; (go = atomic_load(&t->start->go)) == 0; spins++) {
        if (spins > SPINS)
            sched_yield();
    }
    if (go > 0)
        t->rc = cts_lx_prog_run(t->spec, &t->retval);
    return NULL;
}

/* Runs the program in n threads at the same time; the first failure of any. */
static int run_threads(const struct cts_lx_run_spec *spec, uint32_t n, uint32_t *retval)
{
    struct thread t[CTS_RUN_THREADS];
    struct start start = {0};
    uint32_t made = 0;
    int rc = n > CTS_RUN_THREADS ? -E2BIG : 0;

    while (rc == 0 && made < n) {
        t[made] = (struct thread){.start = &start, .spec = spec};
        rc = -pthread_create(&t[made].id, NULL, run_thread, &t[made]);
        made += rc == 0;
    }
    while (rc == 0 && atomic_load(&start.here) < n)
        sched_yield();
    atomic_store(&start.go, rc == 0 ? 1 : -1);
    for (uint32_t i = 0; i < made; i++) {
        pthread_join(t[i].id, NULL);
        rc = rc ? rc : t[i].rc;
    }
    *retval = made ? t[0].retval : 0;
    return rc;
}

void cts_lx_run(void *self, void *prog, const struct cts_run_req *req, struct cts_run_res *res)
{
    struct cts_lx *lx = self;
    const struct prog *p = prog;
    static const uint64_t tracepoint[TRACEPOINT_ARGS];
    struct cts_lx_run_spec spec = {.prog_fd = p->fd, .repeat = req->iterations};
    uint32_t retval;
    int rc;

    res->status = CTS_RUN_COMPLETED;
    res->done = 0;
    res->r0 = 0;
    res->text[0] = 0;
    if (req->iterations > CTS_LX_ITERATIONS || req->packet_bytes > CTS_LX_PACKET_MAX) {
        run_error(res, E2BIG, "too many iterations, or too long a packet");
        return;
    }
    rc = write_maps(p);
    if (rc < 0) {
        run_error(res, -rc, "writing the program's maps");
        return;
    }
    if (p->type == BPF_PROG_TYPE_RAW_TRACEPOINT) {
        spec.ctx = tracepoint;
        spec.ctx_bytes = sizeof(tracepoint);
    } else {
        spec.data = lx->packet;
        spec.data_bytes = frame(lx, p, req);
    }
    rc = req->threads > 1 ? run_threads(&spec, req->threads, &retval)
                          : cts_lx_prog_run(&spec, &retval);
    if (rc == -EINTR) {
        run_error(res, EINTR, "a signal ended the test run between two iterations");
        return;
    }
    if (rc < 0) {
        run_error(res, -rc, "BPF_PROG_TEST_RUN");
        return;
    }
    res->done = req->iterations;
    res->r0 = retval;
}
