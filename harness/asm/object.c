/* The only file that knows libelf. */
#include "asm/object.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "asm/unit.h"
#include "base/fmt.h"

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

/* Writing. libelf writes to descriptors only: the object goes through a memory file. */

enum { MOST_NAME = 32 };

struct making {
    Elf *elf;
    char names[MOST_NAME + 32]; /* the string table, of sections and symbols */
    size_t names_len;
    Elf64_Sym symbols[2];
    struct cts_err *err;
};

static int cannot(const struct making *m)
{
    return cts_err_set(m->err, CTS_E_TOOL, "cannot write an ELF object: %s", elf_errmsg(-1));
}

static unsigned add_name(struct making *m, const char *name)
{
    size_t at = m->names_len, len = strlen(name) + 1;
    memcpy(m->names + at, name, len);
    m->names_len += len;
    return (unsigned)at;
}

static int add_header(const struct making *m, bool be)
{
    GElf_Ehdr eh;
    if (!gelf_newehdr(m->elf, ELFCLASS64) || !gelf_getehdr(m->elf, &eh))
        return cannot(m);
    eh.e_ident[EI_DATA] = be ? ELFDATA2MSB : ELFDATA2LSB;
    eh.e_type = ET_REL;
    eh.e_machine = MACHINE_BPF;
    eh.e_version = EV_CURRENT;
    eh.e_shstrndx = 1;
    return gelf_update_ehdr(m->elf, &eh) ? 0 : cannot(m);
}

static int add_section(const struct making *m, const GElf_Shdr *like, Elf_Type type, void *bytes,
                       size_t len)
{
    Elf_Scn *scn = elf_newscn(m->elf);
    Elf_Data *data = scn ? elf_newdata(scn) : NULL;
    GElf_Shdr sh;
    if (!data || !gelf_getshdr(scn, &sh))
        return cannot(m);
    data->d_buf = bytes;
    data->d_size = len;
    data->d_type = type;
    data->d_align = like->sh_addralign;
    data->d_version = EV_CURRENT;
    sh.sh_name = like->sh_name;
    sh.sh_type = like->sh_type;
    sh.sh_flags = like->sh_flags;
    sh.sh_link = like->sh_link;
    sh.sh_info = like->sh_info;
    sh.sh_addralign = like->sh_addralign;
    sh.sh_entsize = like->sh_entsize;
    return gelf_update_shdr(scn, &sh) ? 0 : cannot(m);
}

/* Sections: 1 the names, 2 the program, 3 the symbols. */
static int make_object(struct making *m, void *code, size_t bytes, bool be, const char *section)
{
    m->names_len = 1;
    GElf_Shdr names = {.sh_type = SHT_STRTAB, .sh_addralign = 1},
              program = {.sh_type = SHT_PROGBITS,
                         .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
                         .sh_addralign = 8},
              symbols = {.sh_type = SHT_SYMTAB,
                         .sh_link = 1,
                         .sh_info = 1, /* the first that is not local */
                         .sh_addralign = 8,
                         .sh_entsize = sizeof(Elf64_Sym)};
    names.sh_name = add_name(m, ".strtab");
    program.sh_name = add_name(m, section);
    symbols.sh_name = add_name(m, ".symtab");
    m->symbols[1] = (Elf64_Sym){.st_name = add_name(m, "main"),
                                .st_info = GELF_ST_INFO(STB_GLOBAL, STT_FUNC),
                                .st_shndx = 2,
                                .st_size = bytes};
    int rc = add_header(m, be);
    if (rc == 0)
        rc = add_section(m, &names, ELF_T_BYTE, m->names, m->names_len);
    if (rc == 0)
        rc = add_section(m, &program, ELF_T_BYTE, code, bytes);
    if (rc == 0)
        rc = add_section(m, &symbols, ELF_T_SYM, m->symbols, sizeof(m->symbols));
    if (rc == 0 && elf_update(m->elf, ELF_C_WRITE) < 0)
        rc = cannot(m);
    return rc;
}

static int take_file(int fd, struct cts_buf *out, struct cts_err *err)
{
    struct stat st;
    size_t at = 0;
    if (fstat(fd, &st) != 0 || st.st_size <= 0)
        return cts_err_set(err, CTS_E_IO, "cannot read an ELF object back");
    char *room = cts_buf_reserve(out, (size_t)st.st_size);
    while (room && at < (size_t)st.st_size) {
        ssize_t n = pread(fd, room + at, (size_t)st.st_size - at, (off_t)at);
        if (n <= 0)
            return cts_err_set(err, CTS_E_IO, "cannot read an ELF object back");
        at += (size_t)n;
    }
    if (!room)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    out->len += at;
    return 0;
}

int cts_object_write(const uint8_t *code, size_t bytes, bool be, const char *section,
                     struct cts_buf *out, struct cts_err *err)
{
    struct making m = {.err = err};
    /* libelf promises not to write into what it is given, but its types are older than const. */
    union {
        const uint8_t *in;
        void *out;
    } u = {.in = code};
    if (strlen(section) > MOST_NAME)
        return cts_err_set(err, CTS_E_INVAL, "the section's name is too long: %s", section);
    if (elf_version(EV_CURRENT) == EV_NONE)
        return cts_err_set(err, CTS_E_TOOL, "libelf is too old");
    int fd = memfd_create("object", MFD_CLOEXEC);
    if (fd < 0)
        return cts_err_set(err, CTS_E_IO, "no memory file: %s", strerror(errno));
    m.elf = elf_begin(fd, ELF_C_WRITE, NULL);
    int rc = m.elf ? make_object(&m, u.out, bytes, be, section) : cannot(&m);
    elf_end(m.elf);
    if (rc == 0)
        rc = take_file(fd, out, err);
    close(fd);
    return rc;
}
