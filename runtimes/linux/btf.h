/* Type information (BTF): numbers of the kernel's functions and variables, and the little that a
 * program with callbacks needs. Source: the kernel's Documentation/bpf/btf.rst. */
#ifndef CTS_RT_LINUX_BTF_H
#define CTS_RT_LINUX_BTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum cts_lx_btf_kind { CTS_LX_BTF_FUNC = 12, CTS_LX_BTF_VAR = 14 };

/* A view of BTF bytes, in the host's byte order. */
struct cts_lx_btf {
    const uint8_t *data;
    size_t bytes;
    const uint8_t *types, *strings;
    uint32_t types_len, strings_len;
};

/* Checks the header; keeps pointers into `data`. */
int cts_lx_btf_open(struct cts_lx_btf *b, const void *data, size_t bytes, struct cts_err *err);
/* The number of the first type of that kind and name; 0 if there is none. */
uint32_t cts_lx_btf_find(const struct cts_lx_btf *b, enum cts_lx_btf_kind kind, const char *name);

/* The running kernel's, read once, at the first need. Zero-initialise. */
struct cts_lx_vmlinux {
    bool tried;
    bool mapped;
    void *data;
    size_t data_bytes;
    struct cts_lx_btf btf; /* data null: there is none */
    struct cts_err err;
};
/* 0; CTS_E_UNSUPPORTED or CTS_E_IO as often as asked. */
int cts_lx_vmlinux_need(struct cts_lx_vmlinux *v, struct cts_err *err);
void cts_lx_vmlinux_release(struct cts_lx_vmlinux *v);

/* BTF of a program: a global function and static ones, for func_info records. */
enum {
    CTS_LX_OWN_MAIN = 3,
    CTS_LX_OWN_STATIC = 4,
    CTS_LX_OWN_ARGS = 7, /* arguments on the stack, beside the five in registers */
    CTS_LX_OWN_MAX = 1024
};
/* The static function that takes so many arguments on the stack; of 0, it says nothing of
 * arguments. */
uint32_t cts_lx_btf_static(uint32_t stack_args);
/* Fills blob, returns its bytes. */
uint32_t cts_lx_btf_own(uint8_t blob[CTS_LX_OWN_MAX]);

#endif
