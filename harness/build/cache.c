#include "build/impl.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/sha256.h"
#include "pack/file.h"

/* A pack in the cache is two files: KEY.pack, and KEY.tool, which names the assembler it was made
 * with by path, size and time. The key cannot hold the assembler, because finding it costs more
 * than the whole rest of a hit; so a pack counts until the assembler that made it changes where it
 * is. (If it is gone the pack still counts: what it assembled was right.) */

enum { PATH_CAP = 4096, STAMP_CAP = PATH_CAP + 128, PACKS_KEPT = 12 };

static void add_u64(struct cts_sha256 *s, uint64_t v)
{
    cts_sha256_add(s, &v, sizeof(v));
}

static void add_text(struct cts_sha256 *s, const char *text)
{
    size_t len = text ? strlen(text) : 0;
    add_u64(s, text ? len : UINT64_MAX);
    if (len)
        cts_sha256_add(s, text, len);
}

static void add_list(struct cts_sha256 *s, const char *const *list)
{
    for (; list && *list; list++)
        add_text(s, *list);
    add_u64(s, UINT64_MAX);
}

static void add_rows(struct cts_sha256 *s)
{
    for (unsigned i = 0; i < CTS_ROW_COUNT; i++) {
        const struct cts_row_info *r = cts_row_info((enum cts_row_id)i);
        add_text(s, r->id);
        add_u64(s, (uint64_t)r->group << 16 | r->opcode);
        add_u64(s, r->flags);
        for (unsigned f = 0; f < CTS_F_COUNT; f++)
            add_u64(s, (uint64_t)r->field[f].kind << 32 | (uint32_t)r->field[f].value);
    }
}

/* The program itself: another build of it may make other packs of the same files. */
static void add_program(struct cts_sha256 *s)
{
    struct stat st;
    memset(&st, 0, sizeof(st));
    if (stat("/proc/self/exe", &st) != 0)
        return;
    add_u64(s, (uint64_t)st.st_size);
    add_u64(s, (uint64_t)st.st_mtim.tv_sec);
    add_u64(s, (uint64_t)st.st_mtim.tv_nsec);
}

static uint64_t mix(uint64_t h, uint64_t v, uint64_t factor)
{
    h = (h ^ v) * factor;
    return h ^ h >> 29;
}

/* 128 bits of a file's bytes. SHA-256 itself over all of them would take most of the time of a hit,
 * and nobody gains by a collision in a private cache. */
static void add_bytes(struct cts_sha256 *s, const char *data, size_t len)
{
    uint64_t a = 0x243f6a8885a308d3, b = 0x13198a2e03707344, word;
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        memcpy(&word, data + i, 8);
        a = mix(a, word, 0x9e3779b97f4a7c15);
        b = mix(b, word, 0xd6e8feb86659fd93);
    }
    word = 0;
    memcpy(&word, data + i, len - i);
    add_u64(s, len);
    add_u64(s, mix(a, word, 0x9e3779b97f4a7c15));
    add_u64(s, mix(b, word, 0xd6e8feb86659fd93));
}

void cts_bld_key(const struct cts_build_opts *opts, const struct cts_source *files, size_t n,
                 char key[65])
{
    struct cts_sha256 s;
    uint8_t digest[32];
    cts_sha256_init(&s);
    add_u64(&s, (uint64_t)CTS_PACK_VERSION << 32 | CTS_BLD_VERSION);
    add_u64(&s, (uint64_t)opts->level);
    add_text(&s, getenv("EBPF_CTS_LLVM_MC"));
    add_list(&s, opts->runtimes);
    add_rows(&s);
    add_program(&s);
    for (size_t i = 0; i < n; i++) {
        add_text(&s, files[i].path);
        add_bytes(&s, files[i].text, files[i].len);
    }
    cts_sha256_end(&s, digest);
    cts_sha256_hex(digest, key);
}

static int packs_dir(char *path, size_t cap)
{
    char dir[PATH_CAP];
    int rc = cts_fs_cache_dir(dir, sizeof(dir), NULL);
    if (rc == 0 && cts_fmt(path, cap, "%s/packs", dir) >= cap)
        rc = CTS_E_LIMIT;
    return rc ? rc : cts_fs_mkdirs(path, NULL);
}

static int cache_path(const char *key, const char *suffix, char *path, size_t cap)
{
    char dir[PATH_CAP];
    int rc = packs_dir(dir, sizeof(dir));
    if (rc == 0 && cts_fmt(path, cap, "%s/%s.%s", dir, key, suffix) >= cap)
        rc = CTS_E_LIMIT;
    return rc;
}

/* "size time path", or "gone path". */
static void make_stamp(const char *tool, char *stamp, size_t cap)
{
    struct stat st;
    if (stat(tool, &st) != 0)
        cts_fmt(stamp, cap, "gone %s", tool);
    else
        cts_fmt(stamp, cap, "%llu %llu.%09lu %s", (unsigned long long)st.st_size,
                (unsigned long long)st.st_mtim.tv_sec, (unsigned long)st.st_mtim.tv_nsec, tool);
}

static bool stamp_holds(const char *key)
{
    char path[PATH_CAP], now[STAMP_CAP];
    struct cts_buf then;
    cts_buf_init(&then, 0);
    bool ok = cache_path(key, "tool", path, sizeof(path)) == 0 &&
              cts_fs_read(path, STAMP_CAP, &then, NULL) == 0;
    const char *tool = ok ? strchr(cts_buf_text(&then), '/') : NULL;
    if (tool) {
        make_stamp(tool, now, sizeof(now));
        ok = strcmp(now, cts_buf_text(&then)) == 0 || strncmp(now, "gone ", 5) == 0;
    }
    cts_buf_release(&then);
    return ok;
}

bool cts_bld_cached(const char *key, struct cts_pack *pack)
{
    char path[PATH_CAP];
    if (cache_path(key, "pack", path, sizeof(path)) != 0 || !cts_fs_exists(path))
        return false;
    if (!stamp_holds(key) || cts_pack_open(pack, path, NULL) != 0)
        return false;
    utimensat(AT_FDCWD, path, NULL, 0); /* in use: the last to be thrown away */
    return true;
}

struct kept {
    const char *path;
    struct timespec when;
};

static int newest_first(const void *a, const void *b)
{
    const struct timespec *x = &((const struct kept *)a)->when;
    const struct timespec *y = &((const struct kept *)b)->when;
    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? 1 : -1;
    return (x->tv_nsec < y->tv_nsec) - (x->tv_nsec > y->tv_nsec);
}

static void throw_away(const char *pack)
{
    char tool[PATH_CAP];
    size_t stem = strlen(pack) - strlen("pack");
    if (cts_fmt(tool, sizeof(tool), "%.*stool", (int)stem, pack) < sizeof(tool))
        unlink(tool);
    unlink(pack);
}

/* Keeps the packs used last. */
static void prune(void)
{
    char dir[PATH_CAP];
    struct cts_arena arena;
    struct cts_fs_list list = {0};
    cts_arena_init(&arena, 0);
    if (packs_dir(dir, sizeof(dir)) == 0)
        cts_fs_walk(dir, ".pack", &arena, &list, NULL);
    struct kept *kept = cts_arena_take_array(&arena, list.count + 1, sizeof(*kept));
    for (size_t i = 0; kept && i < list.count; i++) {
        struct stat st;
        kept[i].path = list.paths[i];
        if (stat(list.paths[i], &st) == 0)
            kept[i].when = st.st_mtim;
    }
    if (kept)
        qsort(kept, list.count, sizeof(*kept), newest_first);
    for (size_t i = PACKS_KEPT; kept && i < list.count; i++)
        throw_away(kept[i].path);
    cts_arena_release(&arena);
}

void cts_bld_keep(const char *key, const char *assembler, const void *data, size_t len)
{
    char path[PATH_CAP], stamp[STAMP_CAP] = "";
    if (assembler[0])
        make_stamp(assembler, stamp, sizeof(stamp));
    /* The stamp first: a pack without one is not taken. */
    if (cache_path(key, "tool", path, sizeof(path)) == 0 &&
        cts_fs_write_atomic(path, stamp, strlen(stamp), NULL) == 0 &&
        cache_path(key, "pack", path, sizeof(path)) == 0 &&
        cts_fs_write_atomic(path, data, len, NULL) == 0)
        prune();
}
