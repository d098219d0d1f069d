/* uses: base host */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/arena.h"
#include "host/buf.h"
#include "host/clock.h"
#include "host/fs.h"

/* Arenas. */

static bool is_zero(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

static void test_arena_memory(void **state)
{
    static const size_t sizes[] = {1, 7, 16, 100, 65535, 65536, 65537, 1 << 20, 3};
    struct cts_arena a;
    unsigned char *got[9];
    (void)state;
    cts_arena_init(&a, 0);
    for (unsigned i = 0; i < 9; i++) {
        got[i] = cts_arena_take(&a, sizes[i]);
        assert_non_null(got[i]);
        assert_int_equal((uintptr_t)got[i] % 16, 0);
        assert_true(is_zero(got[i], sizes[i]));
        memset(got[i], (int)i + 1, sizes[i]);
    }
    for (unsigned i = 0; i < 9; i++) {
        assert_int_equal(got[i][0], i + 1);
        assert_int_equal(got[i][sizes[i] - 1], i + 1);
    }
    cts_arena_release(&a);
    assert_int_equal(a.used, 0);
    cts_arena_release(&a);
}

static void test_arena_limit(void **state)
{
    struct cts_arena a;
    (void)state;
    cts_arena_init(&a, 1000);
    assert_non_null(cts_arena_take(&a, 500));
    assert_null(cts_arena_take(&a, 501));
    assert_non_null(cts_arena_take(&a, 400));
    assert_null(cts_arena_take(&a, SIZE_MAX));
    assert_null(cts_arena_take(&a, SIZE_MAX - 7));
    assert_true(a.used <= 1000);
    cts_arena_release(&a);
}

static void test_arena_array_overflow(void **state)
{
    struct cts_arena a;
    (void)state;
    cts_arena_init(&a, 0);
    assert_null(cts_arena_take_array(&a, SIZE_MAX / 4, 8));
    assert_null(cts_arena_take_array(&a, SIZE_MAX, SIZE_MAX));
    assert_non_null(cts_arena_take_array(&a, 10, 8));
    assert_non_null(cts_arena_take_array(&a, 0, 8));
    cts_arena_release(&a);
}

static void test_arena_text(void **state)
{
    struct cts_arena a;
    (void)state;
    cts_arena_init(&a, 0);
    assert_string_equal(cts_arena_strdup(&a, "one"), "one");
    assert_string_equal(cts_arena_strndup(&a, "two and more", 3), "two");
    assert_string_equal(cts_arena_strdup(&a, ""), "");
    assert_string_equal(cts_arena_fmt(&a, "%s-%d-%04x", "three", -4, 5u), "three--4-0005");
    cts_arena_release(&a);
    cts_arena_init(&a, 16);
    assert_null(cts_arena_fmt(&a, "%s", "longer than the arena may be"));
    cts_arena_release(&a);
}

/* Buffers. */

static void test_buf_grows(void **state)
{
    struct cts_buf b;
    (void)state;
    cts_buf_init(&b, 0);
    assert_string_equal(cts_buf_text(&b), "");
    for (unsigned i = 0; i < 10000; i++)
        cts_buf_addf(&b, "%u,", i % 10);
    assert_false(b.failed);
    assert_int_equal(b.len, 20000);
    assert_int_equal(strlen(b.data), 20000);
    assert_int_equal(strncmp(b.data, "0,1,2,", 6), 0);
    cts_buf_clear(&b);
    assert_string_equal(cts_buf_text(&b), "");
    cts_buf_adds(&b, "a");
    cts_buf_addc(&b, 'b');
    cts_buf_add(&b, "\0c", 2);
    assert_int_equal(b.len, 4);
    assert_memory_equal(b.data, "ab\0c", 5);
    cts_buf_release(&b);
    assert_null(b.data);
}

static void test_buf_limit(void **state)
{
    struct cts_buf b;
    (void)state;
    cts_buf_init(&b, 10);
    cts_buf_adds(&b, "0123456789");
    assert_false(b.failed);
    cts_buf_addc(&b, 'x');
    assert_true(b.failed);
    assert_string_equal(cts_buf_text(&b), "0123456789");
    cts_buf_clear(&b);
    assert_false(b.failed);
    cts_buf_adds(&b, "01234567890");
    assert_true(b.failed);
    cts_buf_adds(&b, "0"); /* what was lost is lost */
    assert_string_equal(cts_buf_text(&b), "");
    cts_buf_clear(&b);
    cts_buf_addf(&b, "%d", 1234567890);
    assert_false(b.failed);
    cts_buf_addf(&b, "%d", 1);
    assert_true(b.failed);
    assert_string_equal(cts_buf_text(&b), "1234567890");
    cts_buf_release(&b);
}

static void test_buf_reserve(void **state)
{
    struct cts_buf b;
    (void)state;
    cts_buf_init(&b, 1 << 20);
    char *at = cts_buf_reserve(&b, 5);
    assert_non_null(at);
    assert_int_equal(b.len, 0);
    memcpy(at, "hello", 5);
    b.len += 5;
    assert_non_null(cts_buf_reserve(&b, (1 << 20) - 5));
    assert_memory_equal(b.data, "hello", 5);
    assert_null(cts_buf_reserve(&b, SIZE_MAX));
    assert_true(b.failed);
    cts_buf_release(&b);
}

static void test_clock_goes_on(void **state)
{
    (void)state;
    uint64_t a = cts_clock_ns();
    usleep(2000);
    uint64_t b = cts_clock_ns();
    assert_true(b - a >= 2000000);
}

/* Files. */

struct dir {
    char path[256], name[400];
};

static int make_dir(void **state)
{
    static struct dir d;
    *state = &d;
    return cts_fs_temp_dir(d.path, sizeof(d.path), NULL);
}

static int remove_dir(void **state)
{
    struct dir *d = *state;
    cts_fs_remove_tree(d->path);
    return cts_fs_exists(d->path) ? -1 : 0;
}

static const char *in(struct dir *d, const char *name)
{
    snprintf(d->name, sizeof(d->name), "%s/%s", d->path, name);
    return d->name;
}

static void put(struct dir *d, const char *name, const char *text)
{
    assert_int_equal(cts_fs_write_atomic(in(d, name), text, strlen(text), NULL), 0);
}

static void test_write_and_read(void **state)
{
    struct dir *d = *state;
    struct cts_buf b;
    char big[200000];
    cts_buf_init(&b, 0);
    memset(big, 'b', sizeof(big));
    put(d, "f", "old");
    assert_int_equal(cts_fs_write_atomic(in(d, "f"), big, sizeof(big), NULL), 0);
    assert_int_equal(cts_fs_read(in(d, "f"), 0, &b, NULL), 0);
    assert_int_equal(b.len, sizeof(big));
    assert_memory_equal(b.data, big, sizeof(big));
    assert_int_equal(cts_fs_read(in(d, "f"), 0, &b, NULL), 0); /* appends */
    assert_int_equal(b.len, 2 * sizeof(big));
    cts_buf_clear(&b);
    struct cts_err err = {0};
    assert_int_equal(cts_fs_read(in(d, "f"), 1000, &b, &err), CTS_E_LIMIT);
    assert_string_equal(err.file, d->name);
    cts_buf_release(&b);
}

static void test_errors_name_the_path(void **state)
{
    struct dir *d = *state;
    struct cts_buf b;
    struct cts_err err = {0};
    cts_buf_init(&b, 0);
    assert_int_equal(cts_fs_read(in(d, "none"), 0, &b, &err), CTS_E_NOTFOUND);
    assert_string_equal(err.file, d->name);
    err = (struct cts_err){0};
    assert_true(cts_fs_read(d->path, 0, &b, &err) < 0); /* a folder */
    assert_string_equal(err.file, d->path);
    err = (struct cts_err){0};
    assert_true(cts_fs_write_atomic(in(d, "no/such/folder"), "x", 1, &err) < 0);
    assert_string_equal(err.file, d->name);
    cts_buf_release(&b);
}

static void test_folders(void **state)
{
    struct dir *d = *state;
    struct stat st;
    assert_int_equal(cts_fs_mkdirs(in(d, "a/b/c"), NULL), 0);
    assert_true(cts_fs_is_dir(d->name));
    assert_int_equal(cts_fs_mkdirs(in(d, "a/b/c"), NULL), 0);
    put(d, "file", "x");
    assert_false(cts_fs_is_dir(in(d, "file")));
    assert_true(cts_fs_exists(d->name));
    assert_false(cts_fs_is_executable(d->name));
    assert_true(cts_fs_mkdirs(in(d, "file/sub"), NULL) < 0);
    assert_true(cts_fs_mkdirs(in(d, "file"), NULL) < 0);
    assert_false(cts_fs_exists(in(d, "nothing")));
    assert_int_equal(stat(d->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void test_walk(void **state)
{
    static const char *const want[] = {"a.yaml", "b/c.yaml", "b/d/e.yaml", "z.yaml"};
    struct dir *d = *state;
    struct cts_arena a;
    struct cts_fs_list list;
    cts_arena_init(&a, 0);
    assert_int_equal(cts_fs_mkdirs(in(d, "b/d"), NULL), 0);
    assert_int_equal(cts_fs_mkdirs(in(d, ".git"), NULL), 0);
    put(d, "z.yaml", "");
    put(d, "b/d/e.yaml", "");
    put(d, "b/c.yaml", "");
    put(d, "a.yaml", "");
    put(d, "a.txt", "");
    put(d, ".hidden.yaml", "");
    put(d, ".git/x.yaml", "");
    assert_int_equal(cts_fs_walk(d->path, ".yaml", &a, &list, NULL), 0);
    assert_int_equal(list.count, 4);
    for (unsigned i = 0; i < 4; i++)
        assert_string_equal(list.paths[i], in(d, want[i]));
    assert_int_equal(cts_fs_walk(in(d, "a.yaml"), ".yaml", &a, &list, NULL), 0);
    assert_int_equal(list.count, 1);
    assert_true(cts_fs_walk(in(d, "none"), ".yaml", &a, &list, NULL) < 0);
    cts_arena_release(&a);
}

/* A tree that bites its own tail must neither be walked for ever nor removed beyond its end. */
static void test_links(void **state)
{
    struct dir *d = *state;
    struct cts_arena a;
    struct cts_fs_list list;
    char outside[256], kept[300], loop[300];
    cts_arena_init(&a, 0);
    assert_int_equal(cts_fs_temp_dir(outside, sizeof(outside), NULL), 0);
    snprintf(kept, sizeof(kept), "%s/kept", outside);
    assert_int_equal(cts_fs_write_atomic(kept, "x", 1, NULL), 0);
    snprintf(loop, sizeof(loop), "%s/t/loop", d->path);
    assert_int_equal(cts_fs_mkdirs(in(d, "t"), NULL), 0);
    assert_int_equal(symlink("..", loop), 0);
    assert_int_equal(symlink(outside, in(d, "t/out")), 0);
    put(d, "t/x.yaml", "");
    cts_fs_walk(d->path, ".yaml", &a, &list, NULL);
    assert_true(list.count < 100);
    cts_fs_remove_tree(in(d, "t"));
    assert_false(cts_fs_exists(in(d, "t")));
    assert_true(cts_fs_exists(kept));
    cts_fs_remove_tree(outside);
    cts_arena_release(&a);
}

static void test_find_program(void **state)
{
    struct dir *d = *state;
    char path[512], tiny[4];
    assert_int_equal(cts_fs_find_program("sh", path, sizeof(path)), 0);
    assert_true(cts_fs_is_executable(path));
    assert_int_equal(cts_fs_find_program("no-such-program-anywhere", path, sizeof(path)),
                     CTS_E_NOTFOUND);
    assert_int_equal(cts_fs_find_program("sh", tiny, sizeof(tiny)), CTS_E_NOTFOUND);
    put(d, "plain", "x");
    assert_int_equal(cts_fs_find_program(in(d, "plain"), path, sizeof(path)), CTS_E_NOTFOUND);
    assert_int_equal(chmod(d->name, 0755), 0);
    assert_int_equal(cts_fs_find_program(in(d, "plain"), path, sizeof(path)), 0);
    assert_string_equal(path, d->name);
}

static void test_places(void **state)
{
    char self[512], tiny[4];
    (void)state;
    assert_int_equal(cts_fs_self_dir(self, sizeof(self), NULL), 0);
    assert_true(cts_fs_is_dir(self));
    assert_int_equal(self[0], '/');
    assert_int_not_equal(self[strlen(self) - 1], '/');
    assert_true(cts_fs_self_dir(tiny, sizeof(tiny), NULL) < 0);
}

#define IN_A_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena_memory),
        cmocka_unit_test(test_arena_limit),
        cmocka_unit_test(test_arena_array_overflow),
        cmocka_unit_test(test_arena_text),
        cmocka_unit_test(test_buf_grows),
        cmocka_unit_test(test_buf_limit),
        cmocka_unit_test(test_buf_reserve),
        cmocka_unit_test(test_clock_goes_on),
        IN_A_DIR(test_write_and_read),
        IN_A_DIR(test_errors_name_the_path),
        IN_A_DIR(test_folders),
        IN_A_DIR(test_walk),
        IN_A_DIR(test_links),
        IN_A_DIR(test_find_program),
        IN_A_DIR(test_places),
    };
    return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
