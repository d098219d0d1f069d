/* uses: base host load */
/* A vector file, however broken, gives vectors, faults with places, or an error. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "load/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_fault(void *arg, const struct cts_err *err)
{
    (void)arg;
    if (err->code >= 0 || !err->msg[0])
        abort();
}

/* Everything in a vector can be followed. */
static size_t visit(const struct cts_vec *v, struct cts_arena *arena)
{
    static const uint8_t regs[CTS_VEC_ROLES_MAX] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    size_t sum = strlen(v->id) + v->code.count;
    for (size_t i = 0; i < v->code.count; i++)
        if (v->code.pieces[i].kind == CTS_VP_TEXT &&
            cts_vec_expand(v, v->code.pieces[i].text, regs, "1", arena))
            sum++;
    for (size_t i = 0; i < v->case_count; i++) {
        const struct cts_vec_state *in = &v->cases[i].in;
        for (size_t k = 0; k < in->mem_count; k++)
            sum += (size_t)in->mem[k].values[in->mem[k].bytes / in->mem[k].width - 1];
        for (size_t k = 0; k < in->reg_count; k++)
            if (in->regs[k].reg.role >= (int)v->role_count)
                abort();
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct cts_vec_known any;
    const struct cts_vec_report report = {on_fault, NULL};
    struct cts_arena arena;
    struct cts_vec_file file;
    struct cts_err err = {0};
    volatile size_t sum = 0;
    cts_arena_init(&arena, (size_t)64 << 20);
    if (cts_vec_parse("f", (const char *)data, size, &any, &report, &arena, &file, &err) == 0)
        for (size_t i = 0; i < file.count; i++)
            sum += visit(&file.vectors[i], &arena);
    else if (!err.msg[0])
        abort();
    cts_arena_release(&arena);
    return 0;
}
