/* uses: base host load */
/* The register of open questions: complete, and what it points to exists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/fs.h"
#include "load/spec.h"

enum { IDS_MAX = 16384 };

/* The ids of all vectors, read from the files as they are. */
struct ids {
    struct cts_arena arena;
    const char **at;
    size_t count;
};

static void add_file(struct ids *ids, const char *path)
{
    struct cts_yaml *root;
    struct cts_err err;
    cts_err_clear(&err);
    if (cts_yaml_load(path, &ids->arena, &root, &err))
        fail_msg("%s: %s", path, err.msg);
    const struct cts_yaml *suite = cts_yaml_get(root, "suite");
    const struct cts_yaml *list = cts_yaml_get(root, "vectors");
    assert_non_null(suite);
    assert_non_null(list);
    for (size_t i = 0; i < list->count; i++) {
        assert_true(ids->count < IDS_MAX);
        ids->at[ids->count++] = cts_arena_fmt(&ids->arena, "%s/%s", suite->text,
                                              cts_yaml_get(list->items[i], "name")->text);
    }
}

static void load_ids(struct ids *ids)
{
    struct cts_fs_list files;

    cts_arena_init(&ids->arena, 0);
    ids->count = 0;
    ids->at = cts_arena_take_array(&ids->arena, IDS_MAX, sizeof(*ids->at));
    assert_non_null(ids->at);
    assert_int_equal(cts_fs_walk(CTS_SOURCE_DIR "/vectors", ".yaml", &ids->arena, &files, NULL), 0);
    for (size_t i = 0; i < files.count; i++)
        add_file(ids, files.paths[i]);
}

/* '*' stands for any text. */
static bool matches(const char *pattern, const char *text)
{
    if (*pattern == '*') {
        do {
            if (matches(pattern + 1, text))
                return true;
        } while (*text++);
        return false;
    }
    return *pattern == *text && (!*pattern || matches(pattern + 1, text + 1));
}

static size_t count_matches(const struct ids *ids, const char *pattern)
{
    size_t count = 0;

    for (size_t i = 0; i < ids->count; i++)
        count += matches(pattern, ids->at[i]);
    return count;
}

static void load_whole(struct cts_spec *spec)
{
    struct cts_err err;

    cts_err_clear(&err);
    cts_spec_init(spec);
    if (cts_spec_load(spec, CTS_SOURCE_DIR "/spec", &err))
        fail_msg("%s:%u: %s", err.file, err.line, err.msg);
}

static void every_id_is_there_once(void **state)
{
    struct cts_spec spec;
    (void)state;

    load_whole(&spec);
    assert_true(spec.ambiguity_count >= 54); /* none goes */
    for (size_t i = 0; i < spec.ambiguity_count; i++) {
        char id[32];
        snprintf(id, sizeof(id), "A%02zu", i + 1);
        assert_string_equal(spec.ambiguities[i].id, id);
        assert_true(spec.ambiguities[i].question[0]);
    }
    cts_spec_release(&spec);
}

static void vectors_that_show_them_exist(void **state)
{
    struct cts_spec spec;
    struct ids ids;
    size_t patterns = 0, found = 0, wrong = 0;
    (void)state;

    load_whole(&spec);
    load_ids(&ids);
    for (size_t i = 0; i < spec.ambiguity_count; i++) {
        const struct cts_spec_ambiguity *a = &spec.ambiguities[i];
        for (size_t v = 0; v < a->vectors.count; v++) {
            size_t n = count_matches(&ids, a->vectors.list[v]);
            patterns++;
            found += n;
            wrong += n == 0;
            if (n == 0)
                print_error("%s: no vector '%s'\n", a->id, a->vectors.list[v]);
        }
    }
    print_message("# %zu patterns, %zu vectors of %zu\n", patterns, found, ids.count);
    assert_int_equal(wrong, 0);
    assert_true(patterns > 54 && ids.count > 1000);
    cts_arena_release(&ids.arena);
    cts_spec_release(&spec);
}

static void assert_refused(const char *tail, const char *msg)
{
    struct cts_spec spec;
    struct cts_err err;
    char dir[512], path[600], text[512];

    assert_int_equal(cts_fs_temp_dir(dir, sizeof(dir), NULL), 0);
    snprintf(path, sizeof(path), "%s/a.yaml", dir);
    int len = snprintf(text, sizeof(text),
                       "- id: A01\n  section: \"1\"\n  question: q\n  here: h\n%s", tail);
    assert_int_equal(cts_fs_write_atomic(path, text, (size_t)len, NULL), 0);
    cts_err_clear(&err);
    cts_spec_init(&spec);
    int rc = cts_ambiguities_load(&spec, path, &err);
    assert_string_equal(err.msg, msg);
    assert_int_equal(rc < 0, msg[0] != 0);
    cts_spec_release(&spec);
    cts_fs_remove_tree(dir);
}

static void bad_entries_are_refused(void **state)
{
    (void)state;
    assert_refused("  kind: silent\n  policy: p\n  vectors: [a/b]\n", "");
    assert_refused("  kind: silent\n  policy: p\n", "A01: neither 'vectors' nor 'untested'");
    assert_refused("  kind: silent\n  policy: p\n  vectors: [a]\n  untested: u\n",
                   "A01: 'untested', but there are vectors");
    assert_refused("  kind: silent\n  policy: p\n  vectors: [a]\n  runtimes: {linux: [x]}\n",
                   "linux: expected a scalar, found a sequence");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_id_is_there_once),
        cmocka_unit_test(vectors_that_show_them_exist),
        cmocka_unit_test(bad_entries_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
