/* A program as an ELF object, for tools that read programs from files. Freestanding. */
#ifndef CTS_ISA_OBJECT_H
#define CTS_ISA_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A relocatable object (ET_REL, EM_BPF, 64 bits) with one section of code, and .strtab. */
struct cts_object {
    const uint8_t *code;
    size_t code_bytes;
    bool be;              /* byte order of the code, and of the object */
    const char *section;  /* "xdp" */
    const char *function; /* of a global function that spans the code, in .symtab; null: none */
    uint64_t entry;       /* e_entry */
    uint64_t address;     /* of the section */
};

/* The size of the object. */
size_t cts_object_bytes(const struct cts_object *o);
/* Writes it to `out`, of that size; returns it. */
size_t cts_object_put(uint8_t *out, const struct cts_object *o);

#endif
