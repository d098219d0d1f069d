#include "isa/object.h"

#include <string.h>

#include "base/bytes.h"

/* Sizes, places and numbers are those of the System V ABI's 64-bit format. The header is followed
 * by the contents of the sections, in the order of this list, and then by their headers. */
enum {
    HEADER = 64,
    SECTION = 64,
    SYMBOL = 24,
    IS_TEXT = 1,
    IS_NAMES,
    IS_SYMBOLS,

    ET_REL = 1,
    EM_BPF = 247,
    SHT_PROGBITS = 1,
    SHT_SYMTAB = 2,
    SHT_STRTAB = 3,
    SHF_ALLOC_EXECINSTR = 6,
    GLOBAL_FUNCTION = 0x12,
};

static const char names_name[] = ".strtab", symbols_name[] = ".symtab";

struct section {
    uint32_t name, type, link, info;
    uint64_t flags, address, offset, size, align, entry;
};

/* Where things are: offsets in the object, and in the names. */
struct places {
    size_t names, symbols, sections, end;
    uint32_t name_of_names, name_of_symbols, name_of_function, names_bytes;
    uint16_t count; /* of sections, the null section included */
};

static size_t aligned(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static struct places places_of(const struct cts_object *o)
{
    struct places p = {.count = o->function ? IS_SYMBOLS + 1 : IS_NAMES + 1};
    p.name_of_names = 1 + (uint32_t)strlen(o->section) + 1;
    p.names_bytes = p.name_of_symbols = p.name_of_names + sizeof(names_name);
    if (o->function) {
        p.name_of_function = p.name_of_symbols + sizeof(symbols_name);
        p.names_bytes = p.name_of_function + (uint32_t)strlen(o->function) + 1;
    }
    p.names = HEADER + aligned(o->code_bytes);
    p.symbols = p.names + aligned(p.names_bytes);
    p.sections = p.symbols + (o->function ? 2 * SYMBOL : 0);
    p.end = p.sections + (size_t)p.count * SECTION;
    return p;
}

size_t cts_object_bytes(const struct cts_object *o)
{
    return places_of(o).end;
}

/* In the object's byte order. */
static void put(uint8_t *at, bool be, unsigned bytes, uint64_t v)
{
    for (unsigned i = 0; i < bytes; i++)
        at[be ? bytes - 1 - i : i] = (uint8_t)(v >> (8 * i));
}

static void put_header(uint8_t *at, const struct cts_object *o, const struct places *p)
{
    const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2, o->be ? 2 : 1, 1};
    memcpy(at, ident, sizeof(ident));
    put(at + 16, o->be, 2, ET_REL);
    put(at + 18, o->be, 2, EM_BPF);
    put(at + 20, o->be, 4, 1);
    put(at + 24, o->be, 8, o->entry);
    put(at + 40, o->be, 8, p->sections);
    put(at + 52, o->be, 2, HEADER);
    put(at + 58, o->be, 2, SECTION);
    put(at + 60, o->be, 2, p->count);
    put(at + 62, o->be, 2, IS_NAMES);
}

static void put_section(uint8_t *at, bool be, const struct section *s)
{
    put(at, be, 4, s->name);
    put(at + 4, be, 4, s->type);
    put(at + 8, be, 8, s->flags);
    put(at + 16, be, 8, s->address);
    put(at + 24, be, 8, s->offset);
    put(at + 32, be, 8, s->size);
    put(at + 40, be, 4, s->link);
    put(at + 44, be, 4, s->info);
    put(at + 48, be, 8, s->align);
    put(at + 56, be, 8, s->entry);
}

static void put_names(char *at, const struct cts_object *o, const struct places *p)
{
    memcpy(at + 1, o->section, strlen(o->section));
    memcpy(at + p->name_of_names, names_name, sizeof(names_name));
    if (!o->function)
        return;
    memcpy(at + p->name_of_symbols, symbols_name, sizeof(symbols_name));
    memcpy(at + p->name_of_function, o->function, strlen(o->function));
}

static void put_function(uint8_t *at, const struct cts_object *o, const struct places *p)
{
    put(at, o->be, 4, p->name_of_function);
    at[4] = GLOBAL_FUNCTION;
    put(at + 6, o->be, 2, IS_TEXT);
    put(at + 16, o->be, 8, o->code_bytes);
}

size_t cts_object_put(uint8_t *out, const struct cts_object *o)
{
    const struct places p = places_of(o);
    const struct section sections[] = {
        [IS_TEXT] = {.name = 1,
                     .type = SHT_PROGBITS,
                     .flags = SHF_ALLOC_EXECINSTR,
                     .address = o->address,
                     .offset = HEADER,
                     .size = o->code_bytes,
                     .align = 8},
        [IS_NAMES] = {.name = p.name_of_names,
                      .type = SHT_STRTAB,
                      .offset = p.names,
                      .size = p.names_bytes,
                      .align = 1},
        [IS_SYMBOLS] = {.name = p.name_of_symbols,
                        .type = SHT_SYMTAB,
                        .link = IS_NAMES,
                        .info = 1, /* the first that is not local */
                        .offset = p.symbols,
                        .size = 2 * SYMBOL,
                        .align = 8,
                        .entry = SYMBOL},
    };
    memset(out, 0, p.end);
    put_header(out, o, &p);
    if (o->code_bytes)
        memcpy(out + HEADER, o->code, o->code_bytes);
    put_names((char *)out + p.names, o, &p);
    if (o->function)
        put_function(out + p.symbols + SYMBOL, o, &p);
    for (unsigned i = IS_TEXT; i < p.count; i++)
        put_section(out + p.sections + i * SECTION, o->be, &sections[i]);
    return p.end;
}
