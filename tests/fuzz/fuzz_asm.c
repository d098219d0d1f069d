/* uses: base host isa asm */
/* The filter in front of the assembler, and its object. What passes the filter holds no directive
 * and one line an instruction. */
#include <stdlib.h>
#include <string.h>

#include "asm/unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *line, size_t len)
{
    while (len && line[0] == '.') {
        const char *end = memchr(line, ' ', len);
        if (len < 4 || strncmp(line, ".L0_", 4) != 0 || !end || end[-1] != ':')
            abort();
        len -= (size_t)(end + 1 - line);
        line = end + 1;
    }
    if (memchr(line, ';', len) || memchr(line, '#', len) || memchr(line, '"', len) ||
        memchr(line, ':', len))
        abort();
}

static void filter(const char *text)
{
    struct cts_asm_src src = {.text = text, .file = "f", .line = 1};
    struct cts_asm_out out = {.rc = 0};
    struct cts_asm_batch b = {.src = &src, .out = &out};
    cts_buf_init(&b.text, 0);
    cts_buf_init(&b.insns, 0);
    cts_buf_init(&b.nums, 0);
    cts_buf_init(&b.units, 0);
    if (cts_asm_check(&b, 0, &out.err) == 0) {
        uint32_t lines = 0;
        for (const char *p = cts_buf_text(&b.text); *p; p += strcspn(p, "\n") + 1, lines++)
            check_line(p, strcspn(p, "\n"));
        if (lines != cts_asm_unit_at(&b, 0)->lines)
            abort();
    } else if (b.text.len || b.insns.len || b.nums.len || b.units.len) {
        abort();
    }
    cts_buf_release(&b.text);
    cts_buf_release(&b.insns);
    cts_buf_release(&b.nums);
    cts_buf_release(&b.units);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cts_asm_section sections[4];
    struct cts_arena arena;
    cts_arena_init(&arena, (size_t)64 << 20);
    char *copy = cts_arena_strndup(&arena, (const char *)data, size);
    if (copy) {
        filter(copy);
        (void)cts_asm_object(copy, size, &arena, sections, 4, NULL);
    }
    cts_arena_release(&arena);
    return 0;
}
