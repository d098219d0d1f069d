/* cts-specgen: writes spec/generated from the specification, or says whether it is up to date. */
#include <stdio.h>
#include <string.h>

#include "gen.h"
#include "host/fs.h"

static const struct output {
    const char *name;
    void (*make)(const struct cts_spec *, struct cts_buf *);
} OUTPUTS[] = {
    {"isa_insns.h", cts_gen_insns_h}, {"isa_tables.h", cts_gen_tables_h},
    {"isa_insns.c", cts_gen_insns_c}, {"isa_sem.h", cts_gen_sem_h},
    {"isa_exec.c", cts_gen_exec_c},   {"mutant.h", cts_gen_mutant_h},
    {"spec_text.h", cts_gen_text_h},  {"spec_text.c", cts_gen_text_c},
};

enum { OUTPUT_COUNT = sizeof(OUTPUTS) / sizeof(OUTPUTS[0]), PATH_BYTES = 4096 };

static const char USAGE[] =
    "cts-specgen generate SPEC OUT        write the files generated from folder SPEC into OUT\n"
    "cts-specgen check SPEC OUT           fail if a file in OUT is not what SPEC gives\n"
    "cts-specgen mutants SPEC TSV OUT.c   write rows with the wrong semantics listed in TSV\n";

static int out_path(char *path, const char *dir, const char *name, struct cts_err *err)
{
    int len = snprintf(path, PATH_BYTES, "%s/%s", dir, name);

    if (len < 0 || len >= PATH_BYTES)
        return cts_err_set(err, CTS_E_LIMIT, "the path %.200s is too long", dir);
    return 0;
}

static int make(const struct output *o, const struct cts_spec *spec, struct cts_buf *text,
                struct cts_err *err)
{
    cts_buf_clear(text);
    o->make(spec, text);
    return text->failed ? cts_err_set(err, CTS_E_NOMEM, "%s: out of memory", o->name) : 0;
}

/* Files that have not changed keep their time, so that nothing is built again for them. */
static int write_changed(const char *path, const struct cts_buf *text, struct cts_err *err)
{
    struct cts_buf old;

    cts_buf_init(&old, 0);
    bool same = cts_fs_exists(path) && !cts_fs_read(path, 0, &old, NULL) && old.len == text->len &&
                !memcmp(cts_buf_text(&old), cts_buf_text(text), old.len);
    cts_buf_release(&old);
    return same ? 0 : cts_fs_write_atomic(path, cts_buf_text(text), text->len, err);
}

static int generate(const struct cts_spec *spec, const char *dir, struct cts_err *err)
{
    struct cts_buf text;
    int rc = cts_fs_mkdirs(dir, err);

    cts_buf_init(&text, 0);
    for (size_t i = 0; !rc && i < OUTPUT_COUNT; i++) {
        char path[PATH_BYTES];
        rc = out_path(path, dir, OUTPUTS[i].name, err);
        if (!rc)
            rc = make(&OUTPUTS[i], spec, &text, err);
        if (!rc)
            rc = write_changed(path, &text, err);
    }
    cts_buf_release(&text);
    return rc;
}

/* Where two texts part, as a line number. */
static unsigned parting_line(const char *a, const char *b)
{
    unsigned line = 1;

    for (; *a && *a == *b; a++, b++)
        line += *a == '\n';
    return line;
}

static int compare(const char *path, const struct cts_buf *text, struct cts_err *err)
{
    struct cts_buf old;

    cts_buf_init(&old, 0);
    int rc = cts_fs_read(path, 0, &old, err);
    bool same = old.len == text->len && !memcmp(cts_buf_text(&old), cts_buf_text(text), old.len);
    if (!rc && !same)
        rc =
            cts_err_at(err, CTS_E_INVAL, path, parting_line(cts_buf_text(&old), cts_buf_text(text)),
                       1, "not what the specification gives; build the target spec-generate");
    cts_buf_release(&old);
    return rc;
}

static int check(const struct cts_spec *spec, const char *dir, struct cts_err *err)
{
    struct cts_buf text;
    size_t differ = 0;

    cts_buf_init(&text, 0);
    for (size_t i = 0; i < OUTPUT_COUNT; i++) {
        char path[PATH_BYTES], line[CTS_ERR_FILE_MAX + CTS_ERR_MSG_MAX + 32];
        struct cts_err one;
        cts_err_clear(&one);
        int rc = out_path(path, dir, OUTPUTS[i].name, &one);
        if (!rc)
            rc = make(&OUTPUTS[i], spec, &text, &one);
        if (!rc)
            rc = compare(path, &text, &one);
        if (rc)
            fprintf(stderr, "%s\n", cts_err_text(&one, line, sizeof(line)));
        differ += rc != 0;
    }
    cts_buf_release(&text);
    printf("%d files compared, %zu differ\n", OUTPUT_COUNT, differ);
    return differ ? cts_err_set(err, CTS_E_INVAL, "%zu generated files are out of date", differ)
                  : 0;
}

static int mutants(const struct cts_spec *spec, const char *tsv_path, const char *out_file,
                   struct cts_err *err)
{
    struct cts_buf tsv, text;

    cts_buf_init(&tsv, 0);
    cts_buf_init(&text, 0);
    int rc = cts_fs_read(tsv_path, 1 << 20, &tsv, err);
    if (!rc)
        rc = cts_gen_mutants_c(spec, tsv_path, cts_buf_text(&tsv), &text, err);
    if (!rc && text.failed)
        rc = cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (!rc)
        rc = write_changed(out_file, &text, err);
    cts_buf_release(&text);
    cts_buf_release(&tsv);
    return rc;
}

static int run(int argc, char **argv, const struct cts_spec *spec, struct cts_err *err)
{
    if (!strcmp(argv[1], "mutants"))
        return mutants(spec, argv[3], argv[4], err);
    (void)argc;
    return !strcmp(argv[1], "check") ? check(spec, argv[3], err) : generate(spec, argv[3], err);
}

static bool is_usage_right(int argc, char **argv)
{
    if (argc == 5)
        return !strcmp(argv[1], "mutants");
    return argc == 4 && (!strcmp(argv[1], "generate") || !strcmp(argv[1], "check"));
}

int main(int argc, char **argv)
{
    if (!is_usage_right(argc, argv)) {
        fputs(USAGE, stderr);
        return 2;
    }
    struct cts_spec spec;
    struct cts_err err;

    cts_err_clear(&err);
    cts_spec_init(&spec);
    int rc = cts_spec_load(&spec, argv[2], &err);
    if (!rc)
        rc = run(argc, argv, &spec, &err);
    cts_spec_release(&spec);
    if (!rc)
        return 0;
    char line[CTS_ERR_FILE_MAX + CTS_ERR_MSG_MAX + 32];
    fprintf(stderr, "%s\n", cts_err_text(&err, line, sizeof(line)));
    return 1;
}
