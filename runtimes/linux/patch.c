#include "patch.h"

#include <stdlib.h>

#include <linux/bpf.h>

#include "base/bytes.h"
#include "isa/isa.h"

enum { LDDW = BPF_LD | BPF_IMM | BPF_DW, CALL = BPF_JMP | BPF_CALL };

static bool next_insn(const uint8_t *code, uint32_t slots, uint32_t *at, struct cts_insn *in)
{
    while (*at < slots) {
        uint8_t opcode = code[8 * (size_t)*at];

        if (opcode == LDDW || opcode == CALL) {
            cts_slot_get(code + 8 * (size_t)*at, CTS_HOST_IS_BE, in);
            return true;
        }
        (*at)++;
    }
    return false;
}

static uint32_t length(const struct cts_insn *in)
{
    return in->opcode == LDDW ? 2 : 1;
}

static int type_number(struct cts_lx_patch *p, struct cts_insn *in, bool call, struct cts_err *err)
{
    const char *name;
    uint32_t id;
    int rc;

    if ((uint32_t)in->imm >= p->name_count || (call && in->off != 0))
        return 0;
    name = p->names[in->imm];
    rc = cts_lx_vmlinux_need(p->vmlinux, err);
    if (rc < 0)
        return rc;
    id = call ? 0 : cts_lx_btf_find(&p->vmlinux->btf, CTS_LX_BTF_VAR, name);
    if (id == 0)
        id = cts_lx_btf_find(&p->vmlinux->btf, CTS_LX_BTF_FUNC, name);
    if (id == 0)
        return cts_err_set(err, CTS_E_NOTFOUND, "this kernel has no %s %s",
                           call ? "function" : "variable", name);
    in->imm = (int32_t)id;
    return 0;
}

static void map_number(struct cts_lx_patch *p, struct cts_insn *in)
{
    if ((uint32_t)in->imm < p->map_count)
        in->imm = p->map_fds[in->imm];
}

static int patch_lddw(struct cts_lx_patch *p, struct cts_insn *in, bool *wild, struct cts_err *err)
{
    switch (in->src) {
    case BPF_PSEUDO_MAP_FD:
    case BPF_PSEUDO_MAP_VALUE:
        map_number(p, in);
        return 0;
    case BPF_PSEUDO_MAP_IDX:
    case BPF_PSEUDO_MAP_IDX_VALUE:
        p->uses.fd_array = true;
        *wild = *wild || (uint32_t)in->imm >= CTS_LX_FD_ARRAY;
        return 0;
    case BPF_PSEUDO_BTF_ID:
        return type_number(p, in, false, err);
    case BPF_PSEUDO_FUNC:
        p->uses.types = true;
        return 0;
    }
    return 0;
}

static int patch_call(struct cts_lx_patch *p, struct cts_insn *in, struct cts_err *err)
{
    if (in->src == 0 && in->imm == CTS_LX_CSUM_DIFF)
        p->uses.helper_csum = true;
    if (in->src == 0 && in->imm == CTS_LX_TAIL_CALL)
        p->uses.types = true;
    return in->src == BPF_PSEUDO_KFUNC_CALL ? type_number(p, in, true, err) : 0;
}

int cts_lx_patch(struct cts_lx_patch *p, struct cts_err *err)
{
    struct cts_insn in;
    bool wild = false;
    int rc = 0;

    p->uses = (struct cts_lx_uses){0};
    for (uint32_t at = 0; rc == 0 && next_insn(p->code, p->slots, &at, &in); at += length(&in)) {
        int32_t before = in.imm;

        rc = in.opcode == CALL ? patch_call(p, &in, err) : patch_lddw(p, &in, &wild, err);
        if (in.imm != before)
            cts_slot_put(p->code + 8 * (size_t)at, CTS_HOST_IS_BE, &in);
    }
    /* Past the array's end the kernel would read whatever lies there. */
    if (wild)
        p->uses.fd_array = false;
    return rc;
}

bool cts_lx_blinding_wraps(const uint8_t *code, uint32_t slots)
{
    /* What lies between a branch and its target may grow before it is the branch's turn: by
     * blinding to three slots for one, and by what the verifier puts in for divisions and the like;
     * eight for one over the whole distance is more than either does. */
    enum { NEAR = INT16_MIN / 8 };

    for (uint32_t at = 0; at < slots; at++) {
        struct cts_insn in;
        uint8_t opcode = code[8 * (size_t)at], class = BPF_CLASS(opcode), op = BPF_OP(opcode);

        if ((class != BPF_JMP && class != BPF_JMP32) || BPF_SRC(opcode) != BPF_K || op == BPF_JA ||
            op == BPF_CALL || op == BPF_EXIT)
            continue;
        cts_slot_get(code + 8 * (size_t)at, CTS_HOST_IS_BE, &in);
        if (in.off < NEAR)
            return true;
    }
    return false;
}

static int ascending(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

uint32_t cts_lx_stack_args(const uint8_t *code, uint32_t from, uint32_t to)
{
    uint32_t most = 0;
    struct cts_insn in;

    for (uint32_t at = from; at < to; at += length(&in)) {
        cts_slot_get(code + 8 * (size_t)at, CTS_HOST_IS_BE, &in);
        bool load = in.opcode == (BPF_LDX | BPF_MEM | BPF_DW) && in.src == CTS_REG_STACK_ARGS;

        if (load && in.off > 0 && (uint32_t)in.off / 8 > most)
            most = (uint32_t)in.off / 8;
    }
    return most;
}

bool cts_lx_names_functions(const struct cts_map_def *map)
{
    return map->entries == 1 && map->value_bytes >= 8 && map->data;
}

/* Adds the functions that are named in the data. */
static uint32_t named_functions(const uint8_t *code, uint32_t slots, const struct cts_map_def *map,
                                uint32_t *first, uint32_t n, uint32_t cap)
{
    for (uint32_t at = 0; cts_lx_names_functions(map) && at + 8 <= map->value_bytes; at += 8) {
        uint64_t bytes = cts_get64_host(map->data + at);

        if (n < cap && cts_function_begins(code, slots, bytes))
            first[n++] = (uint32_t)(bytes / 8);
    }
    return n;
}

uint32_t cts_lx_subprograms(const uint8_t *code, uint32_t slots, const struct cts_map_def *maps,
                            uint32_t map_count, uint32_t *first, uint32_t cap)
{
    struct cts_insn in;
    uint32_t n = 0, unique = 1;

    if (cap == 0)
        return 0;
    first[n++] = 0;
    for (uint32_t at = 0; next_insn(code, slots, &at, &in) && n < cap; at += length(&in)) {
        uint8_t pseudo = in.opcode == CALL ? BPF_PSEUDO_CALL : BPF_PSEUDO_FUNC;
        int64_t target = (int64_t)at + in.imm + 1;

        if (in.src == pseudo && target >= 0 && target < slots)
            first[n++] = (uint32_t)target;
    }
    for (uint32_t i = 0; i < map_count; i++)
        n = named_functions(code, slots, &maps[i], first, n, cap);
    qsort(first, n, sizeof(*first), ascending);
    for (uint32_t i = 1; i < n; i++) {
        if (first[i] != first[unique - 1])
            first[unique++] = first[i];
    }
    return unique;
}
