#include "btf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/bytes.h"

enum {
    BTF_MAGIC = 0xeb9f,
    BTF_HEADER = 24,
    BTF_TYPE = 12,
    BTF_KINDS = 20,
    VMLINUX_MAX = 256 << 20,
};

static const char vmlinux_path[] = "/sys/kernel/btf/vmlinux";

/* What follows the 12 bytes that all types share: `fixed` bytes and `each` per member. */
static const struct {
    uint8_t fixed, each;
} kind_size[BTF_KINDS] = {
    [1] = {4, 0},   /* INT */
    [3] = {12, 0},  /* ARRAY */
    [4] = {0, 12},  /* STRUCT */
    [5] = {0, 12},  /* UNION */
    [6] = {0, 8},   /* ENUM */
    [13] = {0, 8},  /* FUNC_PROTO */
    [14] = {4, 0},  /* VAR */
    [15] = {0, 12}, /* DATASEC */
    [17] = {4, 0},  /* DECL_TAG */
    [19] = {0, 12}, /* ENUM64 */
};

static bool inside(uint32_t off, uint32_t len, size_t all)
{
    return off <= all && len <= all - off;
}

int cts_lx_btf_open(struct cts_lx_btf *b, const void *data, size_t bytes, struct cts_err *err)
{
    const uint8_t *p = data;
    uint32_t header, type_off, str_off;

    *b = (struct cts_lx_btf){0};
    if (bytes < BTF_HEADER || cts_get16_host(p) != BTF_MAGIC)
        return cts_err_set(err, CTS_E_SYNTAX, "no BTF: the magic number is missing");
    header = cts_get32_host(p + 4);
    type_off = cts_get32_host(p + 8);
    b->types_len = cts_get32_host(p + 12);
    str_off = cts_get32_host(p + 16);
    b->strings_len = cts_get32_host(p + 20);
    if (header < BTF_HEADER || header > bytes || !inside(type_off, b->types_len, bytes - header) ||
        !inside(str_off, b->strings_len, bytes - header) || b->strings_len == 0 ||
        p[header + str_off + b->strings_len - 1] != 0)
        return cts_err_set(err, CTS_E_SYNTAX, "malformed BTF: a section lies outside");
    b->types = p + header + type_off;
    b->strings = p + header + str_off;
    b->data = p;
    b->bytes = bytes;
    return 0;
}

uint32_t cts_lx_btf_find(const struct cts_lx_btf *b, enum cts_lx_btf_kind kind, const char *name)
{
    uint32_t at = 0;

    for (uint32_t id = 1; b->types_len - at >= BTF_TYPE; id++) {
        uint32_t name_off = cts_get32_host(b->types + at);
        uint32_t info = cts_get32_host(b->types + at + 4);
        uint32_t is = info >> 24 & 0x1f, members = info & 0xffff, size;

        if (is == (uint32_t)kind && name_off < b->strings_len &&
            strcmp((const char *)b->strings + name_off, name) == 0)
            return id;
        if (is >= BTF_KINDS)
            return 0;
        size = BTF_TYPE + kind_size[is].fixed + kind_size[is].each * members;
        if (size > b->types_len - at)
            return 0;
        at += size;
    }
    return 0;
}

static int read_all(int fd, uint8_t *data, size_t bytes)
{
    size_t at = 0;

    while (at < bytes) {
        ssize_t n = read(fd, data + at, bytes - at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return CTS_E_IO;
        at += (size_t)n;
    }
    return 0;
}

static int get_file(struct cts_lx_vmlinux *v, int fd, size_t bytes)
{
    void *map = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);

    /* Only newer kernels let it be mapped. */
    if (map != MAP_FAILED) {
        v->data = map;
        v->mapped = true;
        return 0;
    }
    v->data = malloc(bytes);
    if (!v->data)
        return CTS_E_NOMEM;
    return read_all(fd, v->data, bytes);
}

static int open_vmlinux(struct cts_lx_vmlinux *v, struct cts_err *err)
{
    int fd = open(vmlinux_path, O_RDONLY | O_CLOEXEC), rc;
    struct stat st;

    if (fd < 0)
        return cts_err_set(err, CTS_E_UNSUPPORTED,
                           "no %s: the kernel is built without CONFIG_DEBUG_INFO_BTF",
                           vmlinux_path);
    if (fstat(fd, &st) < 0 || st.st_size < BTF_HEADER || st.st_size > VMLINUX_MAX) {
        close(fd);
        return cts_err_set(err, CTS_E_IO, "%s has no usable size", vmlinux_path);
    }
    v->data_bytes = (size_t)st.st_size;
    rc = get_file(v, fd, v->data_bytes);
    close(fd);
    if (rc < 0)
        return cts_err_set(err, rc, "cannot read %s", vmlinux_path);
    return cts_lx_btf_open(&v->btf, v->data, v->data_bytes, err);
}

int cts_lx_vmlinux_need(struct cts_lx_vmlinux *v, struct cts_err *err)
{
    if (!v->tried) {
        v->tried = true;
        open_vmlinux(v, &v->err);
    }
    if (v->err.code)
        return cts_err_set(err, v->err.code, "%s", v->err.msg);
    return 0;
}

void cts_lx_vmlinux_release(struct cts_lx_vmlinux *v)
{
    if (v->mapped)
        munmap(v->data, v->data_bytes);
    else
        free(v->data);
    *v = (struct cts_lx_vmlinux){0};
}

enum {
    OWN_LONG = CTS_LX_OWN_STATIC + 1, /* 64 bits */
    OWN_WORDS = 256,
    REGISTER_ARGS = 5
};

uint32_t cts_lx_btf_static(uint32_t stack_args)
{
    if (stack_args > CTS_LX_OWN_ARGS)
        stack_args = CTS_LX_OWN_ARGS;
    /* For each number of arguments a prototype, and behind it a function. */
    return stack_args ? OWN_LONG + 2 * stack_args : CTS_LX_OWN_STATIC;
}

uint32_t cts_lx_btf_own(uint8_t blob[CTS_LX_OWN_MAX])
{
    enum { INT = 1u << 24, FUNC = 12u << 24, PROTO = 13u << 24, STATIC = 0, GLOBAL = 1 };
    enum { INT_SIGNED_32 = 1u << 24 | 32, INT_64 = 64 };
    static const char strings[] = "\0int\0main\0sub\0long\0a";
    enum { S_INT = 1, S_MAIN = 5, S_SUB = 10, S_LONG = 14, S_A = 19 };
    static const uint32_t first[] = {
        S_INT,  INT,           4, INT_SIGNED_32, /* 1 */
        0,      PROTO,         1,                /* 2: int (void) */
        S_MAIN, FUNC | GLOBAL, 2,                /* 3 */
        S_SUB,  FUNC | STATIC, 2,                /* 4 */
        S_LONG, INT,           8, INT_64,        /* 5 */
    };
    uint32_t types[OWN_WORDS], n = sizeof(first) / sizeof(first[0]);

    memcpy(types, first, sizeof(first));
    for (uint32_t args = 1; args <= CTS_LX_OWN_ARGS; args++) {
        const uint32_t all = REGISTER_ARGS + args;
        const uint32_t proto[] = {0, PROTO | all, OWN_LONG};
        const uint32_t func[] = {S_SUB, FUNC | STATIC, cts_lx_btf_static(args) - 1};

        memcpy(types + n, proto, sizeof(proto));
        n += 3;
        for (uint32_t i = 0; i < all; i++) {
            types[n++] = S_A;
            types[n++] = OWN_LONG;
        }
        memcpy(types + n, func, sizeof(func));
        n += 3;
    }
    const uint32_t bytes = n * (uint32_t)sizeof(types[0]);
    const uint32_t header[] = {BTF_HEADER, 0, bytes, bytes, sizeof(strings)};

    cts_put16_host(blob, BTF_MAGIC);
    blob[2] = 1; /* version */
    blob[3] = 0;
    memcpy(blob + 4, header, sizeof(header));
    memcpy(blob + BTF_HEADER, types, bytes);
    memcpy(blob + BTF_HEADER + bytes, strings, sizeof(strings));
    return (uint32_t)(BTF_HEADER + bytes + sizeof(strings));
}
