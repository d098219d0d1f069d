/* uses: base host load isa conf */
/* A .data file, however broken, gives a test or an error with its place. */
#include <stdlib.h>

#include "conf/conf.h"

/* What is accepted can be made a vector, and the vector be written and read. */
static void follow(const struct cts_conf_test *t, struct cts_arena *arena)
{
    static const struct cts_vec_known any;
    struct cts_vec v;
    struct cts_vec_file file;
    struct cts_buf text;
    struct cts_err err = {0};
    if ((t->slots == 0 && !t->skip[0]) || t->slots > CTS_CONF_SLOTS_MAX ||
        t->mem_bytes > CTS_CONF_MEM_MAX)
        abort();
    if (cts_conf_vector(t, "t", "f", arena, &v, &err) != 0)
        return;     /* out of memory */
    if (t->skip[0]) /* it has no vector in a file */
        return;
    cts_buf_init(&text, 0);
    cts_conf_yaml_begin(&text, "t");
    cts_conf_yaml_add(&text, &v);
    if (cts_vec_parse("f", cts_buf_text(&text), text.len, &any, NULL, arena, &file, &err) == 0 &&
        file.count != 1)
        abort();
    cts_buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cts_arena arena;
    struct cts_conf_test test;
    struct cts_err err = {0};
    cts_arena_init(&arena, (size_t)256 << 20);
    if (cts_conf_parse("f", (const char *)data, size, NULL, 0, &arena, &test, &err) == 0)
        follow(&test, &arena);
    else if (!err.msg[0])
        abort();
    cts_arena_release(&arena);
    return 0;
}
