/* uses: base host load isa asm pack wire build */
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

#include "host/cache.h"
#include "vectors.h"

static void packs_are_cached_by_content(void **state)
{
    struct fixture f;
    (void)state;
    start(&f);
    put(&f, "a.yaml", SMALL);
    assert_int_equal(build(&f, CTS_LEVEL_QUICK, true), 0);
    assert_false(f.stats.from_cache);
    uint32_t units = f.pack.unit_count;
    assert_int_equal(build(&f, CTS_LEVEL_QUICK, true), 0);
    assert_true(f.stats.from_cache);
    assert_int_equal(f.stats.files, 1);
    assert_int_equal(f.pack.unit_count, units);
    assert_int_equal(build(&f, CTS_LEVEL_FULL, true), 0);
    assert_false(f.stats.from_cache);
    put(&f, "a.yaml", HEAD VECTOR "    asm: 'r1 = 1'\n    cases: [{out: {r1: 1}}]\n");
    assert_int_equal(build(&f, CTS_LEVEL_QUICK, true), 0);
    assert_false(f.stats.from_cache);
    assert_int_equal(f.pack.case_count, 1);
    put(&f, "a.yaml", SMALL);
    assert_int_equal(build(&f, CTS_LEVEL_QUICK, true), 0);
    assert_true(f.stats.from_cache);
    done(&f);
}

/* The one file of the cache with this ending. */
static const char *cached_file(struct cts_arena *arena, const char *suffix)
{
    struct cts_fs_list list;
    assert_int_equal(cts_fs_walk(getenv("EBPF_CTS_CACHE"), suffix, arena, &list, NULL), 0);
    assert_int_equal(list.count, 1);
    return list.paths[0];
}

/* What is in the cache is made anew, with this in the note (null: no note), and then believed. */
static void is_made_anew(struct fixture *f, const char *note)
{
    assert_int_equal(build(f, CTS_LEVEL_QUICK, true), 0);
    assert_false(f->stats.from_cache);
    if (note)
        assert_non_null(strstr(cts_buf_text(&f->notes), note));
    else
        assert_string_equal(cts_buf_text(&f->notes), "");
    assert_int_equal(build(f, CTS_LEVEL_QUICK, true), 0);
    assert_true(f->stats.from_cache);
    assert_string_equal(cts_buf_text(&f->notes), "");
}

static void replace(const char *path, const void *data, size_t len)
{
    FILE *file;
    assert_int_equal(unlink(path), 0);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void damaged_or_unstamped_packs_are_made_anew(void **state)
{
    struct fixture f;
    struct cts_arena arena;
    struct cts_buf good;
    char *text;
    (void)state;
    start(&f);
    put(&f, "a.yaml", SMALL);
    assert_int_equal(build(&f, CTS_LEVEL_QUICK, true), 0);
    cts_arena_init(&arena, 0);
    cts_buf_init(&good, 0);
    const char *pack = cached_file(&arena, ".pack"), *stamp = cached_file(&arena, ".tool");
    replace(pack, "CTSPACK", 8);
    is_made_anew(&f, "cut short");
    replace(pack, "", 0);
    is_made_anew(&f, "not a pack");
    assert_int_equal(cts_fs_read(pack, 0, &good, NULL), 0);
    good.data[good.len - 1] ^= 4;
    replace(pack, good.data, good.len);
    is_made_anew(&f, "damaged");

    /* The stamp: gone, of another form, with one bit wrong. */
    assert_int_equal(unlink(stamp), 0);
    is_made_anew(&f, NULL);
    replace(stamp, "1 1.000000000 /bin/sh", 21);
    is_made_anew(&f, "damaged");
    cts_buf_clear(&good);
    assert_int_equal(cts_fs_read(stamp, 0, &good, NULL), 0);
    text = strchr(good.data, '/');
    assert_non_null(text);
    text[1] ^= 1; /* no such tool: the pack would count as made by one that is gone */
    replace(stamp, good.data, good.len);
    is_made_anew(&f, "damaged");
    cts_buf_release(&good);
    cts_arena_release(&arena);
    done(&f);
}

static void another_assembler_makes_it_anew(void **state)
{
    static const char other[] = "1 1.000000000 /bin/sh";
    struct fixture f;
    struct cts_arena arena;
    (void)state;
    start(&f);
    put(&f, "a.yaml", SMALL);
    assert_int_equal(build(&f, CTS_LEVEL_QUICK, true), 0);
    cts_arena_init(&arena, 0);
    const char *stamp = strrchr(cached_file(&arena, ".tool"), '/') + 1;
    int dir = cts_cache_open("packs", NULL);
    assert_true(dir >= 0);
    assert_int_equal(cts_cache_put(dir, stamp, other, strlen(other), NULL), 0);
    is_made_anew(&f, NULL);
    close(dir);
    cts_arena_release(&arena);
    done(&f);
}

/* Only packs go, the ones used longest ago, and nothing behind a link. */
static void pruning_takes_packs_alone(void **state)
{
    static const char *const others[] = {
        "notes.pack", "0123.pack", "../kept",
        "zz23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.pack"};
    char path[900], outside[600];
    struct fixture f;
    struct cts_arena arena;
    struct cts_fs_list packs;
    (void)state;
    start(&f);
    put(&f, "a.yaml", SMALL);
    assert_int_equal(build(&f, CTS_LEVEL_QUICK, true), 0);
    const char *cache = getenv("EBPF_CTS_CACHE");
    cts_fmt(outside, sizeof(outside), "%s/outside", f.dir);
    assert_int_equal(mkdir(outside, 0700), 0);
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        cts_fmt(path, sizeof(path), "%s/packs/%s", cache, others[i]);
        fclose(fopen(path, "w"));
    }
    for (unsigned i = 0; i < 20; i++) {
        cts_fmt(path, sizeof(path), "%s/packs/%064x.pack", cache, i);
        fclose(fopen(path, "w"));
        cts_fmt(path, sizeof(path), "%s/%064x.pack", outside, i);
        fclose(fopen(path, "w"));
    }
    cts_fmt(path, sizeof(path), "%s/packs/more", cache);
    assert_int_equal(symlink(outside, path), 0);
    cts_fmt(path, sizeof(path), "%s/packs/%064x.pack", cache, 99);
    assert_int_equal(symlink(outside, path), 0);

    put(&f, "a.yaml", HEAD VECTOR "    asm: 'r1 = 1'\n    cases: [{out: {r1: 1}}]\n");
    assert_int_equal(build(&f, CTS_LEVEL_QUICK, true), 0);
    cts_arena_init(&arena, 0);
    assert_int_equal(cts_fs_walk(outside, ".pack", &arena, &packs, NULL), 0);
    assert_int_equal(packs.count, 20);
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        cts_fmt(path, sizeof(path), "%s/packs/%s", cache, others[i]);
        if (!cts_fs_exists(path))
            fail_msg("%s is gone", others[i]);
    }
    cts_fmt(path, sizeof(path), "%s/packs/%064x.pack", cache, 99);
    assert_true(cts_fs_exists(path));
    unlink(path);
    cts_fmt(path, sizeof(path), "%s/packs/more", cache);
    assert_int_equal(unlink(path), 0);
    cts_fmt(path, sizeof(path), "%s/packs", cache);
    assert_int_equal(cts_fs_walk(path, ".pack", &arena, &packs, NULL), 0);
    assert_int_equal(packs.count, 12 + 3);
    cts_arena_release(&arena);
    done(&f);
}

static void without_a_folder_there_is_no_cache(void **state)
{
    struct fixture f;
    char link[600];
    (void)state;
    start(&f);
    put(&f, "a.yaml", SMALL);
    const char *home = getenv("HOME"), *xdg = getenv("XDG_CACHE_HOME");
    unsetenv("EBPF_CTS_CACHE");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(build(&f, CTS_LEVEL_QUICK, true), 0);
        assert_false(f.stats.from_cache);
        assert_non_null(strstr(cts_buf_text(&f.notes), "no cache"));
    }
    if (home)
        setenv("HOME", home, 1);
    if (xdg)
        setenv("XDG_CACHE_HOME", xdg, 1);
    cts_fmt(link, sizeof(link), "%s/.link", f.dir);
    assert_int_equal(symlink("/tmp", link), 0);
    setenv("EBPF_CTS_CACHE", link, 1);
    assert_int_equal(build(&f, CTS_LEVEL_QUICK, true), 0);
    assert_non_null(strstr(cts_buf_text(&f.notes), "a link"));
    unlink(link);
    done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packs_are_cached_by_content),
        cmocka_unit_test(damaged_or_unstamped_packs_are_made_anew),
        cmocka_unit_test(another_assembler_makes_it_anew),
        cmocka_unit_test(pruning_takes_packs_alone),
        cmocka_unit_test(without_a_folder_there_is_no_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
