/* uses: base host */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sum.h"
#include "host/cache.h"
#include "host/fs.h"

struct place {
    char dir[256], name[512];
    struct cts_err err;
    struct cts_buf text;
};

static const char *const variables[] = {"EBPF_CTS_CACHE", "XDG_CACHE_HOME", "HOME"};

static int start(void **state)
{
    struct place *p = calloc(1, sizeof(*p));
    if (!p)
        return -1;
    for (unsigned i = 0; i < 3; i++)
        unsetenv(variables[i]);
    cts_buf_init(&p->text, 0);
    *state = p;
    return cts_fs_temp_dir(p->dir, sizeof(p->dir), NULL);
}

static int end(void **state)
{
    struct place *p = *state;
    cts_buf_release(&p->text);
    cts_fs_remove_tree(p->dir);
    free(p);
    return 0;
}

static const char *in(struct place *p, const char *name)
{
    snprintf(p->name, sizeof(p->name), "%s/%s", p->dir, name);
    return p->name;
}

static int open_cache(struct place *p, const char *inner)
{
    cts_err_clear(&p->err);
    return cts_cache_open(inner, &p->err);
}

/* The folder was opened, and is this one. */
static void opens(struct place *p, const char *inner, const char *name)
{
    struct stat got, want;
    int fd = open_cache(p, inner);
    if (fd < 0)
        fail_msg("%s", p->err.msg);
    assert_int_equal(fstat(fd, &got), 0);
    assert_int_equal(stat(in(p, name), &want), 0);
    assert_int_equal(got.st_ino, want.st_ino);
    close(fd);
}

static void the_folder_is_found(void **state)
{
    struct place *p = *state;
    struct stat st;
    assert_int_equal(open_cache(p, ""), CTS_E_NOTFOUND);
    assert_non_null(strstr(p->err.msg, "HOME"));
    setenv("HOME", in(p, "home"), 1);
    umask(0);
    opens(p, "packs", "home/.cache/ebpf-cts/packs");
    umask(022);
    assert_int_equal(stat(in(p, "home/.cache/ebpf-cts"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    setenv("XDG_CACHE_HOME", "not/absolute", 1); /* to be ignored, says its specification */
    opens(p, "", "home/.cache/ebpf-cts");
    setenv("XDG_CACHE_HOME", in(p, "xdg"), 1);
    opens(p, "", "xdg/ebpf-cts");
    setenv("EBPF_CTS_CACHE", in(p, "own/at/last///"), 1);
    opens(p, "", "own/at/last");
    setenv("EBPF_CTS_CACHE", "", 1);
    setenv("XDG_CACHE_HOME", "", 1);
    setenv("HOME", "home", 1);
    assert_int_equal(open_cache(p, ""), CTS_E_NOTFOUND);
    assert_false(cts_fs_exists("home"));
}

static void refused(struct place *p, const char *inner, const char *why)
{
    assert_int_equal(open_cache(p, inner), CTS_E_INVAL);
    if (!strstr(p->err.msg, why))
        fail_msg("'%s' does not say '%s'", p->err.msg, why);
    assert_true(p->err.file[0] != '\0');
}

static void folders_of_others_are_refused(void **state)
{
    static const char *const inner[] = {"", "packs"};
    static const char *const parts[] = {"c", "c/packs"};
    struct place *p = *state;
    setenv("EBPF_CTS_CACHE", in(p, "c"), 1);
    opens(p, "packs", "c/packs");
    for (int i = 0; i < 2; i++) {
        for (mode_t bit = S_IWGRP; bit; bit = bit == S_IWGRP ? S_IWOTH : 0) {
            assert_int_equal(chmod(in(p, parts[i]), 0755 | bit), 0);
            refused(p, inner[i], "written by others");
        }
        assert_int_equal(chmod(in(p, parts[i]), 0755), 0);
        opens(p, inner[i], parts[i]);
        if (geteuid() == 0) {
            assert_int_equal(chown(in(p, parts[i]), 12345, 0), 0);
            refused(p, inner[i], "another user");
            assert_int_equal(chown(in(p, parts[i]), 0, 0), 0);
        }
        opens(p, inner[i], parts[i]);
    }
}

static void links_are_refused(void **state)
{
    struct place *p = *state;
    char target[512];
    setenv("EBPF_CTS_CACHE", in(p, "real"), 1);
    opens(p, "packs", "real/packs");
    snprintf(target, sizeof(target), "%s", in(p, "real"));
    assert_int_equal(symlink(target, in(p, "link")), 0);
    setenv("EBPF_CTS_CACHE", in(p, "link"), 1);
    refused(p, "packs", "link");
    setenv("EBPF_CTS_CACHE", in(p, "link/"), 1);
    refused(p, "packs", "link");
    /* Nothing is made behind one, either. */
    snprintf(target, sizeof(target), "%s", in(p, "nowhere"));
    assert_int_equal(symlink(target, in(p, "dangling")), 0);
    setenv("EBPF_CTS_CACHE", in(p, "dangling"), 1);
    refused(p, "packs", "link");
    assert_false(cts_fs_exists(target));
    setenv("EBPF_CTS_CACHE", in(p, "real"), 1);
    assert_int_equal(symlink(target, in(p, "real/proofs")), 0);
    refused(p, "proofs", "link");
    assert_int_equal(cts_fs_write_atomic(in(p, "file"), "x", 1, NULL), 0);
    setenv("EBPF_CTS_CACHE", in(p, "file"), 1);
    refused(p, "packs", "no folder");
}

static int get(struct place *p, int dir, const char *name)
{
    cts_buf_clear(&p->text);
    cts_err_clear(&p->err);
    return cts_cache_get(dir, name, 100, &p->text, &p->err);
}

static void what_is_kept_is_found(void **state)
{
    struct place *p = *state;
    char longest[100], longer[101] = {0};
    setenv("EBPF_CTS_CACHE", in(p, "c"), 1);
    int dir = open_cache(p, "");
    assert_int_equal(get(p, dir, "a"), CTS_E_NOTFOUND);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cts_cache_put(dir, "a", i ? "new" : "old one", i ? 3 : 7, NULL), 0);
        assert_int_equal(get(p, dir, "a"), 0);
        assert_string_equal(cts_buf_text(&p->text), i ? "new" : "old one");
    }
    assert_int_equal(cts_cache_put(dir, "empty", "", 0, NULL), 0);
    assert_int_equal(get(p, dir, "empty"), 0);
    assert_int_equal(p->text.len, 0);
    memset(longest, 'x', sizeof(longest));
    assert_int_equal(cts_cache_put(dir, "b", longest, sizeof(longest), NULL), 0);
    assert_int_equal(get(p, dir, "b"), 0);
    assert_int_equal(p->text.len, sizeof(longest));
    assert_int_equal(cts_cache_put(dir, "b", longer, sizeof(longer), NULL), 0);
    assert_int_equal(get(p, dir, "b"), CTS_E_LIMIT);
    /* Behind what is there already. */
    assert_int_equal(cts_cache_get(dir, "a", 100, &p->text, NULL), 0);
    assert_string_equal(cts_buf_text(&p->text), "new");
    assert_int_equal(cts_cache_get(dir, "a", 100, &p->text, NULL), 0);
    assert_string_equal(cts_buf_text(&p->text), "newnew");
    /* And nothing else is left lying about. */
    struct cts_arena arena;
    struct cts_fs_list list;
    cts_arena_init(&arena, 0);
    assert_int_equal(cts_fs_walk(in(p, "c"), "", &arena, &list, NULL), 0);
    assert_int_equal(list.count, 3);
    cts_arena_release(&arena);
    close(dir);
}

static void every_bit_of_it_counts(void **state)
{
    struct place *p = *state;
    struct cts_buf good;
    setenv("EBPF_CTS_CACHE", in(p, "c"), 1);
    int dir = open_cache(p, "");
    cts_buf_init(&good, 0);
    assert_int_equal(cts_cache_put(dir, "a", "same", 4, NULL), 0);
    assert_int_equal(cts_cache_read(dir, "a", 1000, &good, NULL), 0);
    for (size_t bit = 0; bit < good.len * 8; bit++) {
        good.data[bit / 8] = (char)(good.data[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(cts_cache_write(dir, "a", good.data, good.len, NULL), 0);
        assert_int_equal(get(p, dir, "a"), CTS_E_SYNTAX);
        assert_int_equal(p->text.len, 0);
        good.data[bit / 8] = (char)(good.data[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t n = 0; n < good.len; n++) {
        assert_int_equal(cts_cache_write(dir, "a", good.data, n, NULL), 0);
        assert_int_equal(get(p, dir, "a"), CTS_E_SYNTAX);
    }
    cts_buf_release(&good);
    close(dir);
}

static void files_of_others_are_refused(void **state)
{
    struct place *p = *state;
    setenv("EBPF_CTS_CACHE", in(p, "c"), 1);
    int dir = open_cache(p, "");
    assert_int_equal(cts_cache_put(dir, "a", "same", 4, NULL), 0);
    assert_int_equal(chmod(in(p, "c/a"), 0622), 0);
    assert_int_equal(get(p, dir, "a"), CTS_E_INVAL);
    assert_int_equal(chmod(in(p, "c/a"), 0644), 0);
    assert_int_equal(get(p, dir, "a"), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(in(p, "c/a"), 12345, 0), 0);
        assert_int_equal(get(p, dir, "a"), CTS_E_INVAL);
    }
    assert_int_equal(symlink("a", in(p, "c/link")), 0);
    assert_int_equal(get(p, dir, "link"), CTS_E_INVAL);
    assert_int_equal(mkfifo(in(p, "c/pipe"), 0600), 0);
    assert_int_equal(get(p, dir, "pipe"), CTS_E_INVAL);
    assert_int_equal(mkdir(in(p, "c/folder"), 0700), 0);
    assert_int_equal(get(p, dir, "folder"), CTS_E_INVAL);
    /* They are replaced, not written into. */
    assert_int_equal(cts_cache_put(dir, "link", "own", 3, NULL), 0);
    assert_int_equal(get(p, dir, "link"), 0);
    assert_string_equal(cts_buf_text(&p->text), "own");
    assert_int_equal(cts_cache_put(dir, "pipe", "own", 3, NULL), 0);
    assert_int_equal(get(p, dir, "pipe"), 0);
    assert_int_equal(cts_cache_put(dir, "folder", "own", 3, &p->err), CTS_E_IO);
    assert_non_null(strstr(p->err.msg, "cannot write"));
    close(dir);
}

/* The sum itself. */
static void sums_differ(void **state)
{
    static const uint8_t zeros[CTS_SUM_BYTES];
    uint8_t data[200] = {0}, all[200][CTS_SUM_BYTES], sum[CTS_SUM_BYTES];
    (void)state;
    for (size_t n = 0; n < 200; n++) { /* as many zeros */
        cts_sum(data, n, all[n]);
        assert_memory_not_equal(all[n], zeros, CTS_SUM_BYTES);
        for (size_t k = 0; k < n; k++)
            assert_memory_not_equal(all[k], all[n], CTS_SUM_BYTES);
    }
    for (size_t bit = 0; bit < sizeof(data) * 8; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cts_sum(data, sizeof(data) - 1, sum);
        assert_int_equal(memcmp(sum, all[199], CTS_SUM_BYTES) == 0, bit / 8 == 199);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_folder_is_found, start, end),
        cmocka_unit_test_setup_teardown(folders_of_others_are_refused, start, end),
        cmocka_unit_test_setup_teardown(links_are_refused, start, end),
        cmocka_unit_test_setup_teardown(what_is_kept_is_found, start, end),
        cmocka_unit_test_setup_teardown(every_bit_of_it_counts, start, end),
        cmocka_unit_test_setup_teardown(files_of_others_are_refused, start, end),
        cmocka_unit_test(sums_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
