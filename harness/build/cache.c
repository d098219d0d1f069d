#include "build/impl.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/sha256.h"
#include "base/sum.h"
#include "host/cache.h"
#include "pack/file.h"

/* A pack in the cache is two files: KEY.pack, and KEY.tool, which names the assembler it was made
 * with by path, size and time. The key cannot hold the assembler, because finding it costs more
 * than the whole rest of a hit; so a pack counts until the assembler that made it changes where it
 * is. (If it is gone the pack still counts: what it assembled was right.) */

enum { STAMP_CAP = 4096 + 128, NAME_CAP = 80, PACKS_KEPT = 12 };

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
    for (unsigned i = 0; i < CTS_INSN_COUNT; i++) {
        const struct cts_insn_info *r = cts_insn_info((enum cts_insn_id)i);
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

/* SHA-256 itself over all the files would take most of the time of a hit, and nobody gains by a
 * collision in a private cache. */
static void add_bytes(struct cts_sha256 *s, const char *data, size_t len)
{
    uint8_t sum[CTS_SUM_BYTES];
    cts_sum(data, len, sum);
    cts_sha256_add(s, sum, sizeof(sum));
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
        for (size_t k = 0; k < files[i].link_count; k++) {
            add_text(&s, files[i].links[k].path);
            add_bytes(&s, files[i].links[k].text, files[i].links[k].len);
        }
    }
    cts_sha256_end(&s, digest);
    cts_sha256_hex(digest, key);
}

void cts_bld_cache_open(struct cts_builder *b)
{
    struct cts_err err = {0};
    char text[CTS_ERR_FILE_MAX + CTS_ERR_MSG_MAX];
    b->cache = cts_cache_open("packs", &err);
    if (b->cache < 0)
        cts_bld_note(b, "no cache, everything is assembled anew: %s",
                     cts_err_text(&err, text, sizeof(text)));
}

static const char *file_name(const char *key, const char *suffix, char name[NAME_CAP])
{
    cts_fmt(name, NAME_CAP, "%s.%s", key, suffix);
    return name;
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

static bool stamp_holds(struct cts_builder *b, const char *key, struct cts_err *err)
{
    char name[NAME_CAP], now[STAMP_CAP];
    struct cts_buf then;
    cts_buf_init(&then, 0);
    bool ok = cts_cache_get(b->cache, file_name(key, "tool", name), STAMP_CAP, &then, err) == 0;
    const char *tool = ok ? strchr(cts_buf_text(&then), '/') : NULL;
    if (tool) {
        make_stamp(tool, now, sizeof(now));
        ok = strcmp(now, cts_buf_text(&then)) == 0 || strncmp(now, "gone ", 5) == 0;
    }
    cts_buf_release(&then);
    return ok;
}

static int read_pack(struct cts_builder *b, const char *key, struct cts_pack *pack,
                     struct cts_err *err)
{
    char name[NAME_CAP];
    struct cts_buf file;
    struct cts_err why = {0};
    cts_buf_init(&file, 0);
    file_name(key, "pack", name);
    int rc = cts_cache_read(b->cache, name, CTS_PACK_BYTES_MAX, &file, err);
    if (rc == 0) {
        rc = cts_pack_from_memory(pack, (const uint8_t *)file.data, file.len, true, &why);
        if (rc)
            cts_err_at(err, rc, name, 0, 0, "%s", why.msg);
    }
    if (rc)
        cts_buf_release(&file);
    else
        utimensat(b->cache, name, NULL, AT_SYMLINK_NOFOLLOW); /* in use: the last to be pruned */
    return rc;
}

bool cts_bld_cached(struct cts_builder *b, const char *key, struct cts_pack *pack)
{
    struct cts_err err = {0};
    char text[CTS_ERR_FILE_MAX + CTS_ERR_MSG_MAX];
    if (b->cache < 0)
        return false;
    if (stamp_holds(b, key, &err) && read_pack(b, key, pack, &err) == 0)
        return true;
    if (err.code && err.code != CTS_E_NOTFOUND)
        cts_bld_note(b, "a file of the cache is not taken, and made anew: %s",
                     cts_err_text(&err, text, sizeof(text)));
    return false;
}

/* ---- pruning ---- */

struct kept {
    char key[65];
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

/* A file of ours by its name and its kind; anything else in the folder is left alone. */
static bool is_pack(int dir, const char *name, struct kept *out)
{
    struct stat st;
    if (strspn(name, "0123456789abcdef") != 64 || strcmp(name + 64, ".pack") != 0 ||
        fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
        return false;
    memcpy(out->key, name, 64);
    out->key[64] = '\0';
    out->when = st.st_mtim;
    return true;
}

static struct kept *list_packs(int cache, size_t *count)
{
    struct kept *list = NULL;
    size_t cap = 0;
    int fd = openat(cache, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    *count = 0;
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
        if (*count == cap) {
            cap = cap ? 2 * cap : 64;
            struct kept *bigger = realloc(list, cap * sizeof(*list));
            if (!bigger)
                break;
            list = bigger;
        }
        *count += is_pack(cache, e->d_name, &list[*count]);
    }
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    return list;
}

/* Keeps the packs used last. */
static void prune(int cache)
{
    char name[NAME_CAP];
    size_t n;
    struct kept *kept = list_packs(cache, &n);
    if (n)
        qsort(kept, n, sizeof(*kept), newest_first);
    for (size_t i = PACKS_KEPT; i < n; i++) {
        unlinkat(cache, file_name(kept[i].key, "tool", name), 0);
        unlinkat(cache, file_name(kept[i].key, "pack", name), 0);
    }
    free(kept);
}

void cts_bld_keep(struct cts_builder *b, const char *key, const char *assembler, const void *data,
                  size_t len)
{
    char name[NAME_CAP], stamp[STAMP_CAP] = "", text[CTS_ERR_FILE_MAX + CTS_ERR_MSG_MAX];
    struct cts_err err = {0};
    if (b->cache < 0)
        return;
    if (assembler[0])
        make_stamp(assembler, stamp, sizeof(stamp));
    /* The stamp first: a pack without one is not taken. */
    int rc = cts_cache_put(b->cache, file_name(key, "tool", name), stamp, strlen(stamp), &err);
    if (rc == 0)
        rc = cts_cache_write(b->cache, file_name(key, "pack", name), data, len, &err);
    if (rc == 0)
        prune(b->cache);
    else
        cts_bld_note(b, "the cache cannot be written, the next run assembles anew, too: %s",
                     cts_err_text(&err, text, sizeof(text)));
}
