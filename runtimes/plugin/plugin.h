/* Between the files of the plugin worker. */
#ifndef CTS_PLUGIN_PLUGIN_H
#define CTS_PLUGIN_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc.h"
#include "prog.h"
#include "wire/window.h"
#include "wire/worker.h"

enum {
    PLG_ROW = CTS_ENTRY_MEM + 64, /* a row without memory and stack, as most are */
    PLG_BODIES = 8,               /* in one program */
    PLG_LOOP_ROWS = 128,          /* of them in one argument */
    PLG_ARGUMENT_MOST = 131071,   /* characters of one argument: Linux's MAX_ARG_STRLEN */
    PLG_HALF = 64 + CTS_WIN_RESERVED + PLG_LOOP_ROWS * PLG_ROW,
    PLG_WINDOW = 2 * PLG_HALF, /* what the harness fills, and what is being run */
    PLG_TEXT_SLOTS = 65535,    /* the longest program: what the smallest of the known VMs take */
};

struct plg {
    struct plg_command command;
    struct plg_traits traits;
    struct cts_window window;
    char *argument; /* PLG_ARGUMENT_MOST + 1 */
    uint8_t *image; /* a region being run, and what is expected of it */
    uint8_t *want;
};

/* One run of a program with memory (null: none) (ask.c). */
void plg_ask(struct plg *g, const char *text, size_t len, const uint8_t *memory, size_t bytes,
             struct plg_out *out);

/* enum cts_run_status of a run that ended so. */
uint8_t plg_status(const struct plg_out *out);

/* What the plugin can do (probe.c). */
int plg_probe(struct plg *g, struct cts_caps *caps, struct cts_err *err);

/* A program on rows of the window (rows.c). */
void plg_run_rows(struct plg *g, const struct plg_prog *p, const struct cts_run_req *req,
                  struct cts_run_res *res);

#endif
