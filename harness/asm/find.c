#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asm/unit.h"
#include "base/fmt.h"
#include "base/sha256.h"
#include "host/cache.h"
#include "host/fs.h"
#include "host/proc.h"

enum { VERSION_MIN = 19, VERSION_MAX = 40 };

static const char install_hint[] = "install LLVM 19 or newer (Debian, Ubuntu: apt-get install "
                                   "llvm-19), or name llvm-mc in EBPF_CTS_LLVM_MC; or bring the "
                                   "cache (EBPF_CTS_CACHE) of a machine that has it: the vectors "
                                   "in it are assembled, for the same program in the same place";

/* Asking a tool costs two process starts, so the answer is kept, under its path, size and time. */
struct memo {
    char name[32]; /* in the cache; "": not kept */
    char key[4352];
};

static void memo_name(struct memo *m, const char *tool)
{
    struct stat st;
    struct cts_sha256 sum;
    uint8_t digest[32];
    char hex[65];
    m->name[0] = '\0';
    if (stat(tool, &st) != 0)
        return;
    cts_fmt(m->key, sizeof(m->key), "%s %llu %lld.%09ld %llu\n", tool,
            (unsigned long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
            (unsigned long long)st.st_ino);
    cts_sha256_init(&sum);
    cts_sha256_add(&sum, tool, strlen(tool));
    cts_sha256_end(&sum, digest);
    cts_sha256_hex(digest, hex);
    cts_fmt(m->name, sizeof(m->name), "llvm-mc-%.16s", hex);
}

/* The version on record, 0 if there is none. */
static unsigned memo_get(const struct memo *m)
{
    struct cts_buf text;
    unsigned version = 0;
    size_t n = strlen(m->key);
    int cache = m->name[0] ? cts_cache_open("", NULL) : -1;
    if (cache < 0)
        return 0;
    cts_buf_init(&text, 0);
    if (cts_cache_get(cache, m->name, 8192, &text, NULL) == 0 && text.len > n &&
        memcmp(text.data, m->key, n) == 0)
        version = (unsigned)strtoul(text.data + n, NULL, 10);
    cts_buf_release(&text);
    close(cache);
    return version >= VERSION_MIN && version < 1000 ? version : 0;
}

static void memo_put(const struct memo *m, unsigned version)
{
    char text[4400];
    size_t n = cts_fmt(text, sizeof(text), "%s%u\n", m->key, version);
    int cache = m->name[0] && n < sizeof(text) ? cts_cache_open("", NULL) : -1;
    if (cache < 0)
        return;
    cts_cache_put(cache, m->name, text, n, NULL);
    close(cache);
}

static unsigned ask_version(const char *path)
{
    const char *const argv[] = {path, "--version", NULL};
    struct cts_buf out, messages;
    unsigned version = 0;
    int status = 0;
    cts_buf_init(&out, 65536);
    cts_buf_init(&messages, 65536);
    if (cts_proc_run(argv, NULL, 0, &out, &messages, 10000, &status, NULL) == 0) {
        const char *at = strstr(cts_buf_text(&out), "version ");
        version = at ? (unsigned)strtoul(at + 8, NULL, 10) : 0;
    }
    cts_buf_release(&out);
    cts_buf_release(&messages);
    return version;
}

/* Does it assemble an instruction of ISA version 4 for both byte orders? */
static bool assembles(const char *path)
{
    static const char text[] = "r1 = (s8)r2\ngotol +0\nexit\n";
    struct cts_buf object, messages;
    bool good = true;
    cts_buf_init(&object, 1 << 20);
    cts_buf_init(&messages, 1 << 20);
    for (int be = 0; good && be < 2; be++) {
        int status = -1;
        cts_buf_clear(&object);
        good = cts_asm_tool_run(path, be, text, sizeof(text) - 1, &object, &messages, &status,
                                NULL) == 0 &&
               WIFEXITED(status) && WEXITSTATUS(status) == 0 && object.len > 64;
    }
    cts_buf_release(&object);
    cts_buf_release(&messages);
    return good;
}

static bool try_tool(const char *path, struct cts_asm_tool *tool)
{
    struct memo memo;
    if (!cts_fs_is_executable(path))
        return false;
    memo_name(&memo, path);
    unsigned version = memo_get(&memo);
    if (version == 0) {
        version = ask_version(path);
        if (version < VERSION_MIN || !assembles(path))
            return false;
        memo_put(&memo, version);
    }
    tool->version = version;
    return cts_fmt(tool->path, sizeof(tool->path), "%s", path) < sizeof(tool->path);
}

static bool try_name(const char *name, struct cts_asm_tool *tool)
{
    char path[4096];
    return cts_fs_find_program(name, path, sizeof(path)) == 0 && try_tool(path, tool);
}

static bool try_version(unsigned version, struct cts_asm_tool *tool)
{
    char name[64];
    cts_fmt(name, sizeof(name), "llvm-mc-%u", version);
    if (try_name(name, tool))
        return true;
    cts_fmt(name, sizeof(name), "/usr/lib/llvm-%u/bin/llvm-mc", version);
    return try_tool(name, tool);
}

int cts_asm_find(struct cts_asm_tool *tool, struct cts_err *err)
{
    const char *own = getenv("EBPF_CTS_LLVM_MC");
    *tool = (struct cts_asm_tool){.version = 0};
    if (own && own[0]) {
        if (try_name(own, tool))
            return 0;
        return cts_err_set(err, CTS_E_UNSUPPORTED,
                           "EBPF_CTS_LLVM_MC: '%s' is no llvm-mc for BPF of version %d or newer",
                           own, VERSION_MIN);
    }
    for (unsigned v = VERSION_MAX; v >= VERSION_MIN; v--)
        if (try_version(v, tool))
            return 0;
    if (try_name("llvm-mc", tool))
        return 0;
    return cts_err_set(err, CTS_E_UNSUPPORTED, "no usable llvm-mc: %s", install_hint);
}
