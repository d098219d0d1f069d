#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/limits.h"
#include "rt_prevail/prevail.h"

enum {
    OUT_BYTES = 8192,
    VERSION_MS = 4000,
    TIME_PERCENT = 80, /* of one program, of what the harness gives it */
    MOST_SLOTS = 512,  /* 0.2 s; 1000 take 1.1 s, 2000 take 5 s */
};

static const struct cts_engine engines[] = {
    {"verify", "the verifier"},
    {NULL, NULL},
};

/* One program that it is asked about. */
struct ask {
    const uint8_t *elf; /* by which load() knows it */
    const char *argv[8];
    char out[OUT_BYTES], err[OUT_BYTES];
};

struct prevail {
    char path[CTS_PATH_BYTES];
    unsigned at_once, time_ms;
    struct ask *ask; /* of the request under way */
    struct cts_child *run;
    uint32_t asked;
};

static void prepare(struct prevail *p, uint32_t i, const struct cts_load_req *q)
{
    struct ask *a = &p->ask[i];
    /* The packet group is left out unless asked for. */
    const char *const argv[] = {p->path, "/dev/stdin",       q->packet ? "socket" : "xdp",
                                "main",  "--include_groups", "packet",
                                NULL};
    a->elf = q->elf;
    memcpy(a->argv, argv, sizeof(argv));
    p->run[i] = (struct cts_child){.argv = a->argv,
                                   .in = q->elf,
                                   .in_bytes = q->elf_bytes,
                                   .timeout_ms = p->time_ms,
                                   .out = {.text = a->out, .cap = OUT_BYTES},
                                   .err = {.text = a->err, .cap = OUT_BYTES}};
}

static bool is_asked(const struct cts_load_req *q)
{
    return q->elf && q->slots <= MOST_SLOTS;
}

static void prevail_ahead(void *self, const struct cts_load_req *reqs, uint32_t n)
{
    struct prevail *p = self;
    p->asked = 0;
    for (uint32_t i = 0; i < n && p->asked < CTS_WORKER_AHEAD; i++)
        if (is_asked(&reqs[i]))
            prepare(p, p->asked++, &reqs[i]);
    cts_child_run(p->run, p->asked, p->at_once);
}

static const struct cts_child *run_of(struct prevail *p, const struct cts_load_req *q)
{
    for (uint32_t i = 0; i < p->asked; i++)
        if (p->ask[i].elf == q->elf)
            return &p->run[i];
    prevail_ahead(p, q, 1);
    return &p->run[0];
}

static void prevail_load(void *self, const struct cts_load_req *q, void **prog,
                         struct cts_load_res *res)
{
    struct prevail *p = self;
    *prog = p;
    if (is_asked(q)) {
        cts_prevail_verdict(run_of(p, q), q->slots, res);
    } else if (q->elf) {
        res->verdict = CTS_LOAD_REJECTED;
        cts_fmt(res->text, sizeof(res->text),
                "not asked: its time grows with the square of a program's length, which is %u",
                q->slots);
    } else {
        cts_fmt(res->text, sizeof(res->text), "the request holds no object");
    }
}

static void prevail_unload(void *self, void *prog)
{
    (void)self, (void)prog;
}

static void prevail_release(void *self)
{
    struct prevail *p = self;
    free(p->ask);
    free(p->run);
    free(p);
}

/* "v0.2.6", the first line of what it says of itself. */
static int ask_version(struct prevail *p, char *version, size_t cap, struct cts_err *err)
{
    const char *const argv[] = {p->path, "--version", NULL};
    char out[256] = "", end[128];
    struct cts_child run = {
        .argv = argv, .timeout_ms = VERSION_MS, .out = {.text = out, .cap = sizeof(out)}};
    cts_child_run(&run, 1, 1);
    if (run.end != CTS_CHILD_EXITED || run.number != 0)
        return cts_err_set(err, CTS_E_WORKER, "%s --version: %s", p->path,
                           cts_child_end_text(&run, end, sizeof(end)));
    cts_fmt(version, cap, "%.*s", (int)strcspn(out, "\n"), out);
    for (char *c = version; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
    return 0;
}

static int prevail_probe(void **self, unsigned engine, struct cts_caps *caps, struct cts_err *err)
{
    static const char hint[] = "build PREVAIL, and set PREVAIL to the path of its command";
    struct prevail *p = calloc(1, sizeof(*p));
    (void)engine;
    int rc = p ? 0 : cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (rc == 0 && !(p->ask = calloc(CTS_WORKER_AHEAD, sizeof(*p->ask))))
        rc = cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (rc == 0 && !(p->run = calloc(CTS_WORKER_AHEAD, sizeof(*p->run))))
        rc = cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (rc == 0)
        rc = cts_child_command("PREVAIL", "prevail", hint, p->path, sizeof(p->path), err);
    if (rc == 0)
        rc = ask_version(p, caps->version, sizeof(caps->version), err);
    if (rc) {
        if (p)
            prevail_release(p);
        return rc;
    }
    p->at_once = cts_child_processors();
    p->time_ms = cts_child_time_ms(TIME_PERCENT);
    caps->window_kind = CTS_WK_NONE;
    caps->window_fd = -1;
    caps->features = CTS_FEAT_VERDICT_ONLY | CTS_FEAT_ELF | CTS_FEAT_LOCAL_CALL | CTS_FEAT_PACKET;
    caps->max_slots = MOST_SLOTS;
    caps->max_segments = 1;
    caps->max_iterations = 1;
    caps->r0_bits = 64;
    *self = p;
    return 0;
}

const struct cts_adapter cts_prevail_adapter = {
    .name = "prevail",
    .engines = engines,
    .probe = prevail_probe,
    .ahead = prevail_ahead,
    .load = prevail_load,
    .unload = prevail_unload,
    .release = prevail_release,
};
