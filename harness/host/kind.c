#include "host/kind.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"

static const struct {
    const char *magic;
    size_t len;
    const char *what, *hint;
} kinds[] = {
    /* OBJECTS of them: */
    {"\177ELF", 4, "an ELF object",
     "llvm-objdump -d shows its code, and ebpf-cts disasm --raw that of a section which "
     "llvm-objcopy -O binary took out"},
    {"CTSPACK", 8, "a pack of the cache", "name the vector files it was made of"},
    {"!<arch>\n", 8, "an archive of objects", "llvm-objdump -d shows their code"},
    {"BC\xc0\xde", 4, "LLVM bitcode", "llc -march=bpf makes an object of it"},
    /* Of these, bytes may look like one by chance: */
    {"MZ", 2, "a program for Windows", "ebpf-cts run -r takes a worker for it"},
    {"\x1f\x8b", 2, "a file compressed by gzip", "unpack it first"},
    {"\x28\xb5\x2f\xfd", 4, "a file compressed by zstd", "unpack it first"},
    {"\3757zXZ", 5, "a file compressed by xz", "unpack it first"},
    {"BZh", 3, "a file compressed by bzip2", "unpack it first"},
    {"PK\x03\x04", 4, "a zip file", "unpack it first"},
    {"\xff\xfe", 2, "text in UTF-16", "save it as UTF-8"},
    {"\xfe\xff", 2, "text in UTF-16", "save it as UTF-8"},
};

enum { OBJECTS = 4 };

static int refuse_kinds(size_t n, const char *path, const void *data, size_t len,
                        const char *wanted, struct cts_err *err)
{
    for (size_t i = 0; i < n; i++)
        if (len >= kinds[i].len && memcmp(data, kinds[i].magic, kinds[i].len) == 0)
            return cts_err_at(err, CTS_E_SYNTAX, path, 0, 0, "this is %s, not %s; %s",
                              kinds[i].what, wanted, kinds[i].hint);
    return 0;
}

int cts_kind_want_bytes(const char *path, const void *data, size_t len, const char *wanted,
                        struct cts_err *err)
{
    return refuse_kinds(OBJECTS, path, data, len, wanted, err);
}

int cts_kind_want_text(const char *path, const void *data, size_t len, const char *wanted,
                       struct cts_err *err)
{
    enum { LOOKED_AT = 4096 };
    int rc = refuse_kinds(CTS_ARRAY_LEN(kinds), path, data, len, wanted, err);
    const char *zero = rc == 0 && len ? memchr(data, 0, len < LOOKED_AT ? len : LOOKED_AT) : NULL;
    if (zero)
        rc = cts_err_at(err, CTS_E_SYNTAX, path, 0, 0,
                        "byte %zu is zero: this is no text, and so not %s",
                        (size_t)(zero - (const char *)data), wanted);
    return rc;
}
