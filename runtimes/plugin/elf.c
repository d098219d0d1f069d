#include "elf.h"

#include <string.h>

#include "base/bytes.h"

/* Sizes and places are those of the System V ABI's 64-bit format. */
enum {
    HEADER = 64,
    SECTION = 64,
    SYMBOL = 24,
    SECTIONS = 4,

    ET_REL = 1,
    EM_BPF = 247,
    SHT_PROGBITS = 1,
    SHT_SYMTAB = 2,
    SHT_STRTAB = 3,
    SHF_ALLOC_EXECINSTR = 6,
    GLOBAL_FUNCTION = 0x12,

    IS_TEXT = 1,
    IS_SYMTAB = 2,
    IS_STRTAB = 3,
    N_TEXT = 1, /* offsets of the names below */
    N_SYMTAB = 7,
    N_STRTAB = 15,
    N_MAIN = 23,
    N_XDP = 28,
};

static const char names[] = "\0.text\0.symtab\0.strtab\0main\0xdp";

struct section {
    uint32_t name, type, link, info;
    uint64_t flags, offset, size, align, entry;
};

static void put_section(uint8_t *at, const struct section *s)
{
    cts_put32_host(at, s->name);
    cts_put32_host(at + 4, s->type);
    cts_put64_host(at + 8, s->flags);
    cts_put64_host(at + 24, s->offset);
    cts_put64_host(at + 32, s->size);
    cts_put32_host(at + 40, s->link);
    cts_put32_host(at + 44, s->info);
    cts_put64_host(at + 48, s->align);
    cts_put64_host(at + 56, s->entry);
}

static void put_header(uint8_t *at, uint64_t sections_at)
{
    static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2, CTS_HOST_IS_BE ? 2 : 1, 1};
    memcpy(at, ident, sizeof(ident));
    cts_put16_host(at + 16, ET_REL);
    cts_put16_host(at + 18, EM_BPF);
    cts_put32_host(at + 20, 1);
    cts_put64_host(at + 40, sections_at);
    cts_put16_host(at + 52, HEADER);
    cts_put16_host(at + 58, SECTION);
    cts_put16_host(at + 60, SECTIONS);
    cts_put16_host(at + 62, IS_STRTAB);
}

size_t plg_elf_bytes(size_t code_bytes)
{
    return HEADER + code_bytes + 2 * SYMBOL + (sizeof(names) + 7) / 8 * 8 + SECTIONS * SECTION;
}

size_t plg_elf_put(uint8_t *out, const uint8_t *code, size_t code_bytes, bool xdp)
{
    size_t symbols = HEADER + code_bytes, strings = symbols + 2 * SYMBOL;
    size_t sections = strings + (sizeof(names) + 7) / 8 * 8;
    const struct section text = {.name = xdp ? N_XDP : N_TEXT,
                                 .type = SHT_PROGBITS,
                                 .flags = SHF_ALLOC_EXECINSTR,
                                 .offset = HEADER,
                                 .size = code_bytes,
                                 .align = 8};
    const struct section symtab = {.name = N_SYMTAB,
                                   .type = SHT_SYMTAB,
                                   .link = IS_STRTAB,
                                   .info = 1,
                                   .offset = symbols,
                                   .size = 2 * SYMBOL,
                                   .align = 8,
                                   .entry = SYMBOL};
    const struct section strtab = {
        .name = N_STRTAB, .type = SHT_STRTAB, .offset = strings, .size = sizeof(names), .align = 1};
    memset(out, 0, plg_elf_bytes(code_bytes));
    put_header(out, sections);
    if (code_bytes)
        memcpy(out + HEADER, code, code_bytes);
    uint8_t *function = out + symbols + SYMBOL;
    cts_put32_host(function, N_MAIN);
    function[4] = GLOBAL_FUNCTION;
    cts_put16_host(function + 6, IS_TEXT);
    cts_put64_host(function + 16, code_bytes);
    memcpy(out + strings, names, sizeof(names));
    put_section(out + sections + IS_TEXT * SECTION, &text);
    put_section(out + sections + IS_SYMTAB * SECTION, &symtab);
    put_section(out + sections + IS_STRTAB * SECTION, &strtab);
    return sections + SECTIONS * SECTION;
}
