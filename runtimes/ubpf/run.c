#include "run.h"

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ubpf.h>

#include "base/fmt.h"

enum {
    CTX_BYTES = 64,
    PAGE_BYTES = 4096,
    FRAMES = UBPF_MAX_CALL_DEPTH + 1,
    STACK_BYTES = (FRAMES * CTS_STACK_BYTES + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES,
    STACK_FILL = 0xa5,
    GUARD_BYTES = 64 << 10, /* more than any displacement reaches */
    CTX_OFF = GUARD_BYTES,
    STACK_OFF = CTX_OFF + PAGE_BYTES + GUARD_BYTES,
    STACK_END = STACK_OFF + STACK_BYTES,
    ROOM_BYTES = STACK_END + PAGE_BYTES + GUARD_BYTES,
};

_Thread_local char cts_ub_said[CTS_TEXT_MAX];

int cts_ub_hear(FILE *stream, const char *format, ...)
{
    va_list args;
    int n;

    (void)stream;
    va_start(args, format);
    n = vsnprintf(cts_ub_said, sizeof(cts_ub_said), format, args);
    va_end(args);
    cts_ub_said[strcspn(cts_ub_said, "\n")] = '\0';
    return n;
}

uint32_t cts_ub_stack_bytes(bool calls_functions)
{
    return (calls_functions ? FRAMES : 1) * CTS_STACK_BYTES;
}

/* There is a page behind the stack, as there is elsewhere: the caller's stack. */
uint8_t *cts_ub_open_room(void)
{
    uint8_t *room = mmap(NULL, ROOM_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (room == MAP_FAILED)
        return NULL;
    if (mprotect(room + CTX_OFF, PAGE_BYTES, PROT_READ | PROT_WRITE) == 0 &&
        mprotect(room + STACK_OFF, STACK_BYTES + PAGE_BYTES, PROT_READ | PROT_WRITE) == 0) {
        memset(room + STACK_OFF, STACK_FILL, STACK_BYTES);
        return room;
    }
    munmap(room, ROOM_BYTES);
    return NULL;
}

void cts_ub_close_room(uint8_t *room)
{
    if (room)
        munmap(room, ROOM_BYTES);
}

/* clang's check of a call's type reads in front of the function, where compiled code has nothing.
 */
#ifdef __clang__
#define CALLS_COMPILED_CODE __attribute__((no_sanitize("function")))
#else
#define CALLS_COMPILED_CODE
#endif

CALLS_COMPILED_CODE
static int run_once(const struct cts_ub_prog *p, uint8_t *room, uint64_t *r0)
{
    uint8_t *ctx = room + CTX_OFF;
    uint8_t *stack = room + STACK_END - p->stack_bytes;

    if (!p->native)
        return ubpf_exec_ex(p->vm, ctx, CTX_BYTES, r0, stack, p->stack_bytes);
    *r0 = p->native(ctx, CTX_BYTES, stack, p->stack_bytes);
    return 0;
}

void cts_ub_run(const struct cts_ub_prog *p, uint8_t *room, uint32_t iterations,
                struct cts_run_res *res)
{
    memset(room + CTX_OFF, 0, CTX_BYTES);
    cts_ub_said[0] = '\0';
    for (; res->done < iterations; res->done++) {
        if (run_once(p, room, &res->r0) != 0) {
            res->status = CTS_RUN_FAULTED;
            cts_fmt(res->text, sizeof(res->text), "%s", cts_ub_said);
            return;
        }
    }
}

/* Where threads wait for one another, so that all of them are under way when the first begins. */
struct start {
    atomic_uint here;
    atomic_int go; /* 0: wait; below 0: there will be no run */
};

/* One of several that run the same program at the same time, each in a room of its own. */
struct thread {
    pthread_t id;
    struct start *start;
    const struct cts_ub_prog *prog;
    uint8_t *room;
    uint32_t iterations;
    struct cts_run_res res;
};

static void *run_thread(void *arg)
{
    struct thread *t = arg;
    int go;

    atomic_fetch_add(&t->start->here, 1);
    while ((go = atomic_load(&t->start->go)) == 0)
        sched_yield();
    if (go > 0)
        cts_ub_run(t->prog, t->room, t->iterations, &t->res);
    return NULL;
}

static void run_error(struct cts_run_res *res, const char *what)
{
    res->status = CTS_RUN_ERROR;
    cts_fmt(res->text, sizeof(res->text), "%s", what);
}

/* The result is that of the first, or of the first that stopped. */
static void start_threads(struct thread *t, uint32_t n, struct cts_run_res *res)
{
    struct start *start = t[0].start;
    uint32_t made = 0;

    while (made < n && pthread_create(&t[made].id, NULL, run_thread, &t[made]) == 0)
        made++;
    while (made == n && atomic_load(&start->here) < n)
        sched_yield();
    atomic_store(&start->go, made == n ? 1 : -1);
    for (uint32_t i = 0; i < made; i++) {
        pthread_join(t[i].id, NULL);
        if (i == 0 || res->status == CTS_RUN_COMPLETED)
            *res = t[i].res;
    }
    if (made < n)
        run_error(res, "threads cannot be started");
}

void cts_ub_run_threads(const struct cts_ub_prog *p, const struct cts_run_req *req,
                        struct cts_run_res *res)
{
    uint32_t n = req->threads;
    struct thread *t = n <= CTS_RUN_THREADS ? calloc(n, sizeof(*t)) : NULL;
    struct start start = {0};
    bool has_rooms = t != NULL;

    for (uint32_t i = 0; has_rooms && i < n; i++) {
        t[i] = (struct thread){
            .start = &start, .prog = p, .room = cts_ub_open_room(), .iterations = req->iterations};
        has_rooms = t[i].room != NULL;
    }
    if (has_rooms)
        start_threads(t, n, res);
    else
        run_error(res, "no memory for the threads, or too many of them");
    for (uint32_t i = 0; t && i < n; i++)
        cts_ub_close_room(t[i].room);
    free(t);
}
