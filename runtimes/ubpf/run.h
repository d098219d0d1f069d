/* Runs loaded programs: their memory, one thread or several. */
#ifndef CTS_RT_UBPF_RUN_H
#define CTS_RT_UBPF_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "wire/worker.h"

struct ubpf_vm;

/* Compiled code: context, its size, stack, its size. */
typedef uint64_t (*cts_ub_native)(void *ctx, size_t ctx_bytes, uint8_t *stack, size_t stack_bytes);

struct cts_ub_prog {
    struct ubpf_vm *vm;
    cts_ub_native native; /* null: interpreted */
    uint32_t stack_bytes; /* see cts_ub_stack_bytes */
};

/* As much as a program's frames can take, so that what is beyond is outside. */
uint32_t cts_ub_stack_bytes(bool calls_functions);

/* What uBPF said last in this thread, one line. Its printing function gets no context, so there is
 * one place for it. */
extern _Thread_local char cts_ub_said[CTS_TEXT_MAX];
/* For ubpf_set_error_print. */
int cts_ub_hear(FILE *stream, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A room is context and stack, with memory around them that compiled code cannot reach unnoticed.
 * Null if there is no memory. */
uint8_t *cts_ub_open_room(void);
void cts_ub_close_room(uint8_t *room);

/* `res` holds a run that has not begun. */
void cts_ub_run(const struct cts_ub_prog *p, uint8_t *room, uint32_t iterations,
                struct cts_run_res *res);
/* req->threads at the same time, each in a room of its own. */
void cts_ub_run_threads(const struct cts_ub_prog *p, const struct cts_run_req *req,
                        struct cts_run_res *res);

#endif
