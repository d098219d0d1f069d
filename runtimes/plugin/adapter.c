#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/fmt.h"
#include "adapter.h"
#include "plugin.h"

/* Opening. */

static void release(void *self)
{
    struct plg *g = self;
    if (!g)
        return;
    if (g->window.data)
        cts_window_close(&g->window);
    free(g->argument);
    free(g->image);
    free(g->want);
    free(g);
}

int plg_open(const struct plg_command *command, void **self, struct cts_caps *caps,
             struct cts_err *err)
{
    const struct rlimit no_core = {0};
    struct plg *g = calloc(1, sizeof(*g));
    *self = NULL;
    if (!g)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    g->command = *command;
    for (unsigned i = 0; command->options[i]; i++)
        g->traits.elf = g->traits.elf || strcmp(command->options[i], "--elf") == 0;
    g->argument = malloc(PLG_ARGUMENT_MOST + 1);
    g->image = malloc(PLG_HALF);
    g->want = malloc(PLG_HALF);
    int rc = cts_window_open(&g->window, PLG_WINDOW, err);
    if (!g->argument || !g->image || !g->want)
        rc = cts_err_set(err, CTS_E_NOMEM, "out of memory");
    setrlimit(RLIMIT_CORE, &no_core);
    if (rc == 0)
        rc = plg_probe(g, caps, err);
    if (rc) {
        release(g);
        return rc;
    }
    *self = g;
    return 0;
}

/* Programs. Whether one is accepted shows only when it is run. */

static void load(void *self, const struct cts_load_req *req, void **prog, struct cts_load_res *res)
{
    struct cts_err err = {0};
    struct plg_prog *p = malloc(sizeof(*p));
    (void)self;
    res->verdict = CTS_LOAD_ERROR;
    if (!p || plg_prog_init(p, req, &err)) {
        cts_fmt(res->text, sizeof(res->text), "%s", p ? err.msg : "out of memory");
        free(p);
        return;
    }
    res->verdict = CTS_LOAD_ACCEPTED;
    *prog = p;
}

static void run_whole(struct plg *g, const struct plg_prog *p, const struct cts_run_req *req,
                      struct cts_run_res *res)
{
    struct plg_out out;
    size_t len = 0;
    uint32_t bytes = req->packet ? req->packet_bytes : 0;
    char *text = plg_prog_whole_text(p, &g->traits, bytes, &len);
    do {
        plg_ask(g, text, len, req->packet, bytes, &out);
        res->status = plg_status(&out);
        res->r0 = out.r0;
        res->done += out.end == PLG_ANSWERED;
    } while (res->status == CTS_RUN_COMPLETED && res->done < req->iterations);
    free(text);
    cts_fmt(res->text, sizeof(res->text), "%s", out.text);
}

static void run(void *self, void *prog, const struct cts_run_req *req, struct cts_run_res *res)
{
    struct plg_prog *p = prog;
    if (p->whole)
        run_whole(self, p, req, res);
    else
        plg_run_rows(self, p, req, res);
}

static void unload(void *self, void *prog)
{
    (void)self;
    plg_prog_release(prog);
    free(prog);
}

const struct cts_adapter plg_adapter = {
    .name = "plugin",
    .load = load,
    .run = run,
    .unload = unload,
    .release = release,
};
