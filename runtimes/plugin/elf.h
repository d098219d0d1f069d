/* The smallest relocatable object with a program in it: one section of code, one function. */
#ifndef CTS_PLUGIN_ELF_H
#define CTS_PLUGIN_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An upper bound for what plg_elf_put() writes. */
size_t plg_elf_bytes(size_t code_bytes);
/* ELF64 for EM_BPF in the host's byte order; section ".text" (or "xdp"), function "main". Returns
 * its size. */
size_t plg_elf_put(uint8_t *out, const uint8_t *code, size_t code_bytes, bool xdp);

#endif
