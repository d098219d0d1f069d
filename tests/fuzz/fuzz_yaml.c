/* uses: base host sema load */
/* YAML text, and the text of a `does`: whatever is read must print and read again as the same. */
#include <stdlib.h>
#include <string.h>

#include "sema/sema.h"
#include "load/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(const struct cts_yaml *node)
{
    uint64_t value;
    bool truth;
    if (node->kind == CTS_YAML_SCALAR) {
        (void)cts_yaml_u64_bits(node, "value", &value, NULL);
        (void)cts_yaml_bool(node, "value", &truth, NULL);
        return;
    }
    for (size_t i = 0; i < node->count; i++)
        visit(node->items[i]);
}

static void sema(const char *text, struct cts_arena *arena)
{
    struct cts_sema_place place = {.file = "f", .line = 1, .col = 1, .next_col = 1};
    struct cts_sema *first, *second;
    struct cts_buf a, b;
    if (cts_sema_read(text, &place, 0, arena, &first, NULL) != 0)
        return;
    cts_buf_init(&a, 0);
    cts_buf_init(&b, 0);
    cts_sema_print(first, &a);
    if (a.len <= CTS_SEMA_TEXT_MAX) {
        if (cts_sema_read(cts_buf_text(&a), &place, 0, arena, &second, NULL) != 0)
            abort();
        cts_sema_print(second, &b);
        if (strcmp(cts_buf_text(&a), cts_buf_text(&b)) != 0)
            abort();
    }
    cts_buf_release(&a);
    cts_buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cts_arena arena;
    struct cts_yaml *root;
    cts_arena_init(&arena, (size_t)64 << 20);
    char *text = cts_arena_strndup(&arena, (const char *)data, size);
    if (text && cts_yaml_parse("f", text, size, &arena, &root, NULL) == 0)
        visit(root);
    if (text)
        sema(text, &arena);
    cts_arena_release(&arena);
    return 0;
}
