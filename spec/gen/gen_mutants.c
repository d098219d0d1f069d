/* Rows with wrong semantics, for measuring what vectors catch. */
#include "gen.h"

#include <string.h>

#include "sema/sema.h"

void cts_gen_mutant_h(const struct cts_spec *spec, struct cts_buf *out)
{
    (void)spec;
    cts_gen_banner(out);
    cts_buf_adds(out, "/* The shape of what `cts-specgen mutants` writes. */\n"
                      "#ifndef CTS_GENERATED_MUTANT_H\n"
                      "#define CTS_GENERATED_MUTANT_H\n\n"
                      "#include \"isa/mach.h\"\n\n"
                      "struct cts_mutant {\n"
                      "    enum cts_insn_id row;\n"
                      "    const char *does; /* the wrong semantics */\n"
                      "    cts_exec_fn fn;\n"
                      "};\n\n"
                      "extern const struct cts_mutant cts_mutants[];\n"
                      "extern const size_t cts_mutant_count;\n\n"
                      "#endif\n");
}

struct job {
    const struct cts_spec *spec;
    const char *file;
    struct cts_arena arena;
    struct cts_buf *out;  /* functions */
    struct cts_buf table; /* entries */
    unsigned count;
    struct cts_err *err;
};

static bool same_text(const struct cts_sema *a, const struct cts_sema *b)
{
    struct cts_buf x, y;

    cts_buf_init(&x, 0);
    cts_buf_init(&y, 0);
    cts_sema_print(a, &x);
    cts_sema_print(b, &y);
    bool same = !strcmp(cts_buf_text(&x), cts_buf_text(&y));
    cts_buf_release(&x);
    cts_buf_release(&y);
    return same;
}

static int add_mutant(struct job *j, unsigned line, const char *id, const char *does)
{
    const struct cts_spec_insn *row = cts_spec_insn_find(j->spec, id);
    unsigned col = (unsigned)strlen(id) + 2;
    struct cts_sema_place place = {j->file, line, col, 1};
    struct cts_sema *sema;

    if (!row || row->slot || row->platform)
        return cts_err_at(j->err, CTS_E_NOTFOUND, j->file, line, 1, "no row '%.80s'", id);
    int rc = cts_sema_read(does, &place, CTS_SEMA_RELAXED, &j->arena, &sema, j->err);
    if (rc)
        return rc;
    if (same_text(sema, row->sema))
        return cts_err_at(j->err, CTS_E_INVAL, j->file, line, col,
                          "this is what the row does: no mutant");
    const char *made = cts_arena_fmt(&j->arena, "mutant_%u_%s", j->count, row->id);
    if (!made)
        return cts_err_set(j->err, CTS_E_NOMEM, "out of memory");
    cts_gen_function(made, sema, j->out);
    cts_buf_adds(&j->table, "    {CTS_INSN_");
    cts_gen_upper(row->id, &j->table);
    cts_buf_adds(&j->table, ", ");
    cts_gen_string(does, &j->table);
    cts_buf_addf(&j->table, ", %s},\n", made);
    j->count++;
    return 0;
}

static int add_line(struct job *j, unsigned line, char *text)
{
    if (!*text || *text == '#')
        return 0;
    char *tab = strchr(text, '\t');
    if (!tab)
        return cts_err_at(j->err, CTS_E_SYNTAX, j->file, line, 1,
                          "expected an instruction, a tab and its semantics");
    *tab = 0;
    return add_mutant(j, line, text, tab + 1);
}

static int add_lines(struct job *j, const char *tsv)
{
    unsigned line = 1;
    int rc = 0;

    while (!rc && *tsv) {
        size_t len = strcspn(tsv, "\n");
        char *text = cts_arena_strndup(&j->arena, tsv, len);
        rc = text ? add_line(j, line++, text) : cts_err_set(j->err, CTS_E_NOMEM, "out of memory");
        tsv += len + (tsv[len] == '\n');
    }
    if (!rc && !j->count)
        rc = cts_err_at(j->err, CTS_E_NOTFOUND, j->file, 0, 0, "no mutants in it");
    return rc;
}

int cts_gen_mutants_c(const struct cts_spec *spec, const char *file, const char *tsv,
                      struct cts_buf *out, struct cts_err *err)
{
    struct job j = {.spec = spec, .file = file, .out = out, .err = err};

    cts_arena_init(&j.arena, (size_t)64 << 20);
    cts_buf_init(&j.table, 0);
    cts_gen_banner(out);
    cts_buf_adds(out, "#include \"generated/isa_sem.h\"\n#include \"generated/mutant.h\"\n\n");
    int rc = add_lines(&j, tsv);
    cts_buf_addf(
        out,
        "const struct cts_mutant cts_mutants[] = {\n%s};\n\nconst size_t cts_mutant_count = %u;\n",
        cts_buf_text(&j.table), j.count);
    out->failed |= j.table.failed;
    cts_buf_release(&j.table);
    cts_arena_release(&j.arena);
    return rc;
}
