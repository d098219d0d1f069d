/* The only file that knows libelf. */
#include "asm/object.h"

#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "asm/unit.h"
#include "base/fmt.h"
#include "isa/object.h"

enum { MACHINE_BPF = 247 };

/* Reading what llvm-mc has made. The object is not trusted. */

struct object {
    Elf *elf;
    size_t names; /* section of the section names */
    struct cts_arena *arena;
    struct cts_asm_section *sections;
    size_t n;
    struct cts_err *err;
};

static int bad(const struct object *o, const char *what)
{
    return cts_err_set(o->err, CTS_E_TOOL, "llvm-mc's object is malformed: %s", what);
}

/* "p17" is 17; SIZE_MAX for any other name. */
static size_t number_of(const struct object *o, const GElf_Shdr *sh)
{
    const char *name = elf_strptr(o->elf, o->names, sh->sh_name);
    size_t value = 0;
    if (!name || name[0] != 'p' || name[1] == '\0' || strlen(name) > 10)
        return SIZE_MAX;
    for (name++; *name; name++) {
        if (*name < '0' || *name > '9')
            return SIZE_MAX;
        value = value * 10 + (size_t)(*name - '0');
    }
    return value < o->n ? value : SIZE_MAX;
}

static int take_code(const struct object *o, Elf_Scn *scn, const GElf_Shdr *sh)
{
    size_t i = number_of(o, sh);
    if (i == SIZE_MAX)
        return 0;
    struct cts_asm_section *out = &o->sections[i];
    if (out->found)
        return bad(o, "two sections of one name");
    Elf_Data *data = elf_rawdata(scn, NULL);
    if (!data || (data->d_size && !data->d_buf))
        return bad(o, "a section without data");
    uint8_t *copy = cts_arena_take(o->arena, data->d_size ? data->d_size : 1);
    if (!copy)
        return cts_err_set(o->err, CTS_E_NOMEM, "out of memory");
    if (data->d_size)
        memcpy(copy, data->d_buf, data->d_size);
    out->bytes = copy;
    out->len = data->d_size;
    out->found = true;
    return 0;
}

static void name_symbol(const struct object *o, size_t symtab, size_t index, char *name, size_t cap)
{
    Elf_Scn *scn = elf_getscn(o->elf, symtab);
    GElf_Shdr sh;
    GElf_Sym sym;
    Elf_Data *data = scn ? elf_getdata(scn, NULL) : NULL;
    const char *text = NULL;
    if (data && index <= INT32_MAX && gelf_getshdr(scn, &sh) && gelf_getsym(data, (int)index, &sym))
        text = elf_strptr(o->elf, sh.sh_link, sym.st_name);
    cts_fmt(name, cap, "%s", text ? text : "?");
}

/* Programs stand alone, so a relocation means a name that is not the program's own; the first one
 * is noted. */
static int take_relocations(const struct object *o, Elf_Scn *scn, const GElf_Shdr *sh)
{
    GElf_Shdr target_sh;
    GElf_Rel rel;
    GElf_Rela rela;
    Elf_Scn *target = elf_getscn(o->elf, sh->sh_info);
    if (!target || !gelf_getshdr(target, &target_sh))
        return bad(o, "relocations of no section");
    size_t i = number_of(o, &target_sh);
    if (i == SIZE_MAX || o->sections[i].moved)
        return 0;
    Elf_Data *data = elf_getdata(scn, NULL);
    if (!data)
        return bad(o, "relocations without data");
    if (sh->sh_type == SHT_RELA) {
        if (!gelf_getrela(data, 0, &rela))
            return data->d_size ? bad(o, "relocations cannot be read") : 0;
        rel = (GElf_Rel){.r_offset = rela.r_offset, .r_info = rela.r_info};
    } else if (!gelf_getrel(data, 0, &rel)) {
        return data->d_size ? bad(o, "relocations cannot be read") : 0;
    }
    struct cts_asm_section *out = &o->sections[i];
    out->moved = true;
    out->moved_at = rel.r_offset;
    name_symbol(o, sh->sh_link, GELF_R_SYM(rel.r_info), out->symbol, sizeof(out->symbol));
    return 0;
}

static int take_sections(const struct object *o)
{
    int rc = 0;
    for (Elf_Scn *scn = NULL; rc == 0 && (scn = elf_nextscn(o->elf, scn)) != NULL;) {
        GElf_Shdr sh;
        if (!gelf_getshdr(scn, &sh))
            rc = bad(o, "a section without a header");
        else if (sh.sh_type == SHT_PROGBITS)
            rc = take_code(o, scn, &sh);
        else if (sh.sh_type == SHT_REL || sh.sh_type == SHT_RELA)
            rc = take_relocations(o, scn, &sh);
    }
    return rc;
}

static int take_object(struct object *o)
{
    GElf_Ehdr eh;
    if (elf_kind(o->elf) != ELF_K_ELF || !gelf_getehdr(o->elf, &eh))
        return bad(o, "no ELF file");
    if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_machine != MACHINE_BPF)
        return bad(o, "not for BPF");
    if (elf_getshdrstrndx(o->elf, &o->names) != 0)
        return bad(o, "no section names");
    return take_sections(o);
}

int cts_asm_object(char *data, size_t len, struct cts_arena *arena,
                   struct cts_asm_section *sections, size_t n, struct cts_err *err)
{
    struct object o = {.arena = arena, .sections = sections, .n = n, .err = err};
    memset(sections, 0, n * sizeof(*sections));
    if (elf_version(EV_CURRENT) == EV_NONE)
        return cts_err_set(err, CTS_E_TOOL, "libelf is too old");
    o.elf = elf_memory(data, len);
    if (!o.elf)
        return bad(&o, "no ELF file");
    int rc = take_object(&o);
    elf_end(o.elf);
    return rc;
}

/* Writing. */

int cts_object_write(const uint8_t *code, size_t bytes, bool be, const char *section,
                     struct cts_buf *out, struct cts_err *err)
{
    const struct cts_object o = {
        .code = code, .code_bytes = bytes, .be = be, .section = section, .function = "main"};
    char *room = cts_buf_reserve(out, cts_object_bytes(&o));
    if (!room)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    out->len += cts_object_put((uint8_t *)room, &o);
    return 0;
}
