#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/looks.h"
#include "cli/command.h"
#include "cli/paths.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/stop.h"
#include "cli/vectors.h"
#include "host/cache.h"
#include "host/clock.h"
#include "host/fs.h"
#include "host/solver.h"
#include "mutate/mutate.h"
#include "mutate/proofs.h"
#include "reference.h"
#include "report/text.h"

enum { PROOF_STEPS = 10000000 };

enum format { TEXT, TSV, JSON };

struct mutants {
    struct cts_vectors vectors;
    struct cts_spec spec;
    struct cts_arena arena;
    struct cts_mut_list list;
    struct cts_mut_opts opts;
    struct cts_looks looks;
    uint8_t rows[CTS_INSN_COUNT];
    unsigned row_count;
    const char *op, *prove;
    enum format format;
    bool only_list;
    struct cts_progress progress;
    const volatile int *stop;
    uint64_t ns;
    char z3[CTS_PATH_BYTES];
    int proofs; /* descriptor of their folder, negative: none */
};

/* ---- the command line ---- */

static int add_insn(void *arg, const struct cts_opts *o)
{
    struct mutants *m = arg;
    enum cts_insn_id row = cts_insn_find(o->value);
    if (row == CTS_INSN_COUNT)
        return cts_opts_bad(o, "unknown instruction '%s'", o->value);
    m->rows[row] = 1;
    m->row_count++;
    return 0;
}

static const char *format_word(unsigned i, const char **what)
{
    static const char *const words[][2] = {[TEXT] = {"text", "scores, and what survived (default)"},
                                           [TSV] = {"tsv", "one line per mutant"},
                                           [JSON] = {"json", "one object per mutant"}};
    bool known = i < sizeof(words) / sizeof(words[0]);
    *what = known ? words[i][1] : NULL;
    return known ? words[i][0] : NULL;
}

static const struct cts_opt options[] = {
    {0, "level", "LEVEL", "how much is run",
     CTS_OPT_CHOICE(struct mutants, vectors.level, cts_level_word)},
    {0, "insn", "INSN",
     "only mutants of this instruction, which may be newer than the RFC; may be repeated",
     CTS_OPT_IS_OTHER, .take = add_insn},
    {0, "operator", "NAME", "list and print only mutants made by this operator",
     CTS_OPT_TEXT(struct mutants, op)},
    {'j', "jobs", "N", "threads; default: as many as processors",
     CTS_OPT_NUMBER(struct mutants, opts.jobs, 1, 256)},
    {0, "as", "SIGHT",
     "test those that die again as a kind of runtime shows them: a sight (\"ebpf-cts sight "
     "--help\"), RUNTIME:ENGINE, or all; may be repeated",
     CTS_OPT_LIST(struct mutants, looks.as, looks.count)},
    {0, "hand", NULL, "use only hand-written test cases, no sweeps",
     CTS_OPT_FLAG(struct mutants, opts.hand)},
    {0, "list", NULL, "list the mutants and run nothing", CTS_OPT_FLAG(struct mutants, only_list)},
    {'o', "output", "FORMAT", "the format of the report",
     CTS_OPT_CHOICE(struct mutants, format, format_word)},
    {0, "prove", "FILE",
     "ask z3 about every mutant that no vector notices, and write what it proves to FILE; the "
     "list of ebpf-cts is spec/proofs.tsv",
     CTS_OPT_TEXT(struct mutants, prove)},
    {0, "no-cache", NULL, "ignore the cache and repeat proofs",
     CTS_OPT_FLAG(struct mutants, vectors.no_cache)},
    {0},
};

/* ---- printing ---- */

static const char *const status_names[] = {[CTS_MUT_KILLED] = "killed",
                                           [CTS_MUT_SURVIVED] = "survived",
                                           [CTS_MUT_PROVEN] = "equivalent",
                                           [CTS_MUT_LISTED] = "equivalent",
                                           [CTS_MUT_UNDECIDED] = "undecided"};

static const char *level_or_null(unsigned level)
{
    return level == CTS_MUT_NEVER ? NULL : cts_level_names[level];
}

static const char *level_or_dash(unsigned level)
{
    const char *name = level_or_null(level);
    return name ? name : "-";
}

static const char *row_text(const struct cts_mutant *m)
{
    return m->row == CTS_INSN_COUNT ? "-" : cts_insn_info(m->row)->id;
}

static bool is_shown(const struct mutants *m, const struct cts_mutant *x)
{
    return !x->control && (!m->op || strcmp(m->op, x->op) == 0);
}

static const char *or_dash(const char *text)
{
    return text && text[0] ? text : "-";
}

static void print_tsv(const struct mutants *m)
{
    puts("insn\toperator\tmutant\tdemanded\tstatus\tkilled\tkilled by hand\tkiller\tinput or "
         "reason");
    for (size_t i = 0; i < m->list.count; i++) {
        const struct cts_mutant *x = &m->list.all[i];
        if (is_shown(m, x))
            cts_out("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row_text(x), x->op, x->text,
                    level_or_dash(x->level), status_names[x->status], level_or_dash(x->killed),
                    level_or_dash(x->killed_hand), or_dash(x->killer),
                    or_dash(x->reason ? x->reason : x->input));
    }
}

static void json_text(struct cts_buf *b, const char *name, const char *text)
{
    cts_buf_addf(b, "%c\"%s\":", b->len ? ',' : '{', name);
    if (text)
        cts_text_json(b, text);
    else
        cts_buf_adds(b, "null");
}

static void print_json(const struct mutants *m)
{
    struct cts_buf b;
    cts_buf_init(&b, 0);
    for (size_t i = 0; i < m->list.count; i++) {
        const struct cts_mutant *x = &m->list.all[i];
        if (!is_shown(m, x))
            continue;
        json_text(&b, "insn", x->row == CTS_INSN_COUNT ? NULL : row_text(x));
        json_text(&b, "operator", x->op);
        json_text(&b, "mutant", x->text);
        json_text(&b, "demanded", level_or_dash(x->level));
        json_text(&b, "status", status_names[x->status]);
        json_text(&b, "killed", level_or_null(x->killed));
        json_text(&b, "killed_by_hand", level_or_null(x->killed_hand));
        json_text(&b, "killer", x->killer);
        json_text(&b, "reason", x->reason);
        json_text(&b, "input", x->input);
        cts_buf_adds(&b, "}\n");
        cts_text_flush(&b, stdout);
    }
    cts_buf_release(&b);
}

static void print_list(const struct mutants *m)
{
    for (size_t i = 0; i < m->list.count; i++) {
        const struct cts_mutant *x = &m->list.all[i];
        if (is_shown(m, x))
            cts_out("%s\t%s\t%s\t%s\n", row_text(x), x->op, x->text, level_or_dash(x->level));
    }
}

static void print_table_line(const struct mutants *m, const char *name, enum cts_insn_id row,
                             const char *op)
{
    struct cts_mut_score s[CTS_MUT_LEVELS];
    for (unsigned l = 0; l < CTS_MUT_LEVELS; l++)
        s[l] = cts_mutants_score(&m->list, row, op, (enum cts_level)l);
    const struct cts_mut_score *top = &s[m->opts.level];
    if (top->generated == 0)
        return;
    cts_out("%-20s %9u %10u %7u", name, top->generated, top->equivalent, s[0].dead);
    for (unsigned l = 1; l <= m->opts.level; l++)
        cts_out(" %10u", s[l].dead - s[l - 1].dead);
    cts_out(" %9u\n", top->all - top->dead);
}

static void print_head(const struct mutants *m, const char *what)
{
    cts_out("%-20s %9s %10s %7s", what, "generated", "equivalent", "quick");
    for (unsigned l = 1; l <= m->opts.level; l++)
        cts_out(" %10s", level_or_dash(l));
    cts_out(" %9s\n", "surviving");
}

/* Operators in the order of their first mutants. */
static void print_operators(const struct mutants *m)
{
    print_head(m, "operator");
    for (size_t i = 0; i < m->list.count; i++) {
        const char *op = m->list.all[i].op;
        size_t first = 0;
        while (strcmp(m->list.all[first].op, op) != 0)
            first++;
        if (first == i)
            print_table_line(m, op, CTS_INSN_COUNT, op);
    }
}

static void print_insns(const struct mutants *m)
{
    print_head(m, "instruction");
    for (size_t i = 0; i < m->list.count; i++)
        if (m->list.all[i].control)
            print_table_line(m, row_text(&m->list.all[i]), m->list.all[i].row, NULL);
}

static void print_survivors(const struct mutants *m)
{
    unsigned n = 0;
    for (size_t i = 0; i < m->list.count; i++) {
        const struct cts_mutant *x = &m->list.all[i];
        if (!is_shown(m, x) || x->status != CTS_MUT_SURVIVED)
            continue;
        if (n++ == 0)
            cts_out("survivors:\n");
        cts_out("%s  %s  [must die at %s]\n    %s\n", row_text(x), x->op, level_or_dash(x->level),
                x->text);
        if (x->input)
            cts_out("    input that shows it: %s\n", x->input);
    }
    if (n)
        putchar('\n');
}

static double percent(unsigned part, unsigned all)
{
    return all ? 100.0 * part / all : 100.0;
}

static struct cts_mut_score total(const struct mutants *m, enum cts_level level)
{
    return cts_mutants_score(&m->list, CTS_INSN_COUNT, NULL, level);
}

static void print_scores(const struct mutants *m)
{
    for (unsigned l = 0; l <= m->opts.level; l++) {
        struct cts_mut_score s = total(m, (enum cts_level)l);
        cts_out("score: %s ", level_or_dash(l));
        printf("%.1f %% (%u of %u), hand-written only %.1f %%; of all mutants %.1f %%\n",
               percent(s.killed, s.due), s.killed, s.due, percent(s.hand, s.due),
               percent(s.dead, s.all));
    }
    struct cts_mut_score s = total(m, m->opts.level);
    printf("%u mutants, %u of them equivalent, in %.1f s\n", s.generated, s.equivalent,
           (double)m->ns / 1e9);
    if (s.undecided)
        printf("%u undecided: nothing notices them, and there is no z3 to ask whether anything "
               "could (apt-get install z3)\n",
               s.undecided);
    cts_out("total: %u passed, %u failed, %u skipped\n", s.killed, s.due - s.killed,
            s.generated - s.due);
}

static void print_text(const struct mutants *m)
{
    print_survivors(m);
    print_operators(m);
    putchar('\n');
    print_insns(m);
    putchar('\n');
    print_scores(m);
}

/* ---- the run ---- */

static void on_progress(void *arg, size_t done, size_t all)
{
    struct mutants *m = arg;
    cts_progress_show(&m->progress, done, all);
}

static int make(struct mutants *m, struct cts_err *err)
{
    const char *dir = cts_data_path(&m->arena, "spec");
    int rc =
        dir ? cts_spec_load(&m->spec, dir, err) : cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (rc == 0)
        rc = cts_mutants_make(&m->list, &m->spec, m->row_count ? m->rows : NULL, &m->arena, err);
    return rc;
}

/* That there is no cache has been said where the vectors were read. */
static void find_proofs(struct mutants *m)
{
    if (!m->vectors.no_cache)
        m->proofs = cts_cache_open("proofs", NULL);
    if (m->proofs >= 0)
        m->opts.proofs = &m->proofs;
}

static int run(struct mutants *m, struct cts_err *err)
{
    m->opts.pack = &m->vectors.pack;
    m->opts.machine = (struct cts_mut_machine){.open = cts_reference_open,
                                               .adapter = &cts_reference_adapter,
                                               .runtime = "reference",
                                               .engine = {CTS_REFERENCE_LE, CTS_REFERENCE_BE}};
    m->opts.equivalents = cts_data_path(&m->arena, "spec/equivalents.yaml");
    if (m->opts.equivalents && !cts_fs_exists(m->opts.equivalents))
        m->opts.equivalents = NULL;
    const char *on_record = cts_data_path(&m->arena, "spec/proofs.tsv");
    if (!m->prove && on_record && cts_fs_exists(on_record))
        m->opts.on_record = on_record;
    if (cts_fs_find_program("z3", m->z3, sizeof(m->z3)) == 0)
        m->opts.z3 = m->z3;
    find_proofs(m);
    m->opts.z3_steps = PROOF_STEPS;
    m->opts.progress = on_progress;
    m->opts.arg = m;
    m->opts.stop = m->stop;
    uint64_t start = cts_clock_ns();
    int rc = cts_mutants_run(&m->list, &m->opts, err);
    m->ns = cts_clock_ns() - start;
    cts_progress_end(&m->progress);
    if (m->list.damaged)
        cts_say("note: %zu results of z3 in the cache are damaged: z3 was asked again\n",
                m->list.damaged);
    return rc;
}

/* Does every instruction pass that has no mistake in it? */
static bool controls_pass(const struct mutants *m)
{
    bool good = true;
    for (size_t i = 0; i < m->list.count; i++) {
        const struct cts_mutant *x = &m->list.all[i];
        if (!x->control || x->status != CTS_MUT_KILLED)
            continue;
        cts_say("ebpf-cts: %s fails %s even without a mutation: the vector is left out\n",
                row_text(x), x->killer);
        good = false;
    }
    return good;
}

/* The list of proofs of this run; 0 or the exit code after a message. */
static int write_proofs(const struct mutants *m)
{
    struct cts_err err = {0};
    struct cts_buf list;
    char version[64];
    if (!m->prove)
        return 0;
    cts_solver_version(NULL, version, sizeof(version));
    cts_buf_init(&list, 0);
    cts_proofs_write(&m->list, version, &list);
    int rc = list.failed ? cts_err_set(&err, CTS_E_NOMEM, "out of memory")
                         : cts_fs_write_atomic(m->prove, cts_buf_text(&list), list.len, &err);
    cts_buf_release(&list);
    return rc ? cts_complain(&err) : 0;
}

/* A list of proofs is of everything, or it would say of the rest that nothing is proven. */
static int check_prove(const struct mutants *m)
{
    if (!m->prove)
        return 0;
    if (m->row_count || m->opts.hand || m->opts.level || m->vectors.paths) {
        cts_say("ebpf-cts mutants: --prove needs all instructions and vectors, at level quick\n");
        return CTS_EXIT_USAGE;
    }
    if (!cts_solver_is_here(NULL)) {
        cts_say("ebpf-cts mutants: --prove: %s\n", cts_solver_hint);
        return CTS_EXIT_NOTHING;
    }
    return 0;
}

/* The same in sights. */
static int report_looks(struct mutants *m)
{
    struct cts_err err = {0};
    bool sane = controls_pass(m), tsv = m->format == TSV;
    struct cts_mut_score s = total(m, m->opts.level);
    int rc = cts_looks_print(&m->looks, &m->list, &m->opts, tsv, &err);
    cts_progress_end(&m->progress);
    if (rc != 0)
        return cts_complain(&err);
    if (!tsv)
        cts_out("total: %u passed, %u failed, %u skipped\n", m->looks.passed, m->looks.failed,
                m->looks.skipped);
    if (fflush(stdout) != 0 || ferror(stdout) || !sane)
        return CTS_EXIT_BROKEN;
    if (m->vectors.stats.errors)
        return CTS_EXIT_USAGE;
    return m->looks.failed || s.killed < s.due ? CTS_EXIT_FAILED : CTS_EXIT_OK;
}

static int report(struct mutants *m)
{
    if (m->looks.count)
        return report_looks(m);
    bool sane = controls_pass(m);
    if (m->format == TSV)
        print_tsv(m);
    else if (m->format == JSON)
        print_json(m);
    else
        print_text(m);
    struct cts_mut_score s = total(m, m->opts.level);
    int written = write_proofs(m);
    if (written != 0)
        return written;
    if (fflush(stdout) != 0 || ferror(stdout) || !sane)
        return CTS_EXIT_BROKEN;
    if (m->vectors.stats.errors)
        return CTS_EXIT_USAGE;
    return s.killed < s.due ? CTS_EXIT_FAILED : CTS_EXIT_OK;
}

static bool has_shown(const struct mutants *m, const struct cts_mut_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (is_shown(m, &list->all[i]))
            return true;
    return false;
}

/* Is there something to show? 0, or the exit code after a message. */
static int check_operator(struct mutants *m)
{
    struct cts_mut_list all = {0};
    struct cts_err err = {0};
    if (has_shown(m, &m->list))
        return 0;
    if (cts_mutants_make(&all, &m->spec, NULL, &m->arena, &err) != 0)
        return cts_complain(&err);
    if (m->op && !has_shown(m, &all)) {
        cts_say("ebpf-cts mutants: unknown operator '%s'; \"ebpf-cts mutants --list\" lists them\n",
                m->op);
        return CTS_EXIT_USAGE;
    }
    cts_say("ebpf-cts mutants: no mutant is selected\n");
    return CTS_EXIT_NOTHING;
}

static int execute(struct mutants *m)
{
    struct cts_err err = {0};
    int code = check_prove(m);
    if (code != 0)
        return code;
    if (make(m, &err) != 0)
        return cts_complain(&err);
    code = check_operator(m);
    if (code != 0)
        return code;
    if (m->only_list) {
        print_list(m);
        return CTS_EXIT_OK;
    }
    m->stop = cts_stop_on_signals();
    if (cts_vectors_open(&m->vectors, &err) != 0)
        return cts_complain(&err);
    if (m->vectors.pack.vector_count == 0) {
        cts_say("ebpf-cts mutants: no vector is selected\n");
        return m->vectors.stats.errors ? CTS_EXIT_USAGE : CTS_EXIT_NOTHING;
    }
    if (run(m, &err) != 0)
        return cts_complain(&err);
    return *m->stop ? CTS_EXIT_SIGNAL + *m->stop : report(m);
}

static int mutants_main(int argc, char **argv)
{
    struct mutants *m = calloc(1, sizeof(*m));
    if (!m) {
        cts_say("out of memory\n");
        return CTS_EXIT_BROKEN;
    }
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    m->proofs = -1;
    cts_arena_init(&m->arena, 0);
    cts_spec_init(&m->spec);
    m->opts.jobs = processors > 0 ? (unsigned)processors : 1;
    int code;
    if (cts_command_parse(&cts_cmd_mutants, argc, argv, m, &code)) {
        m->opts.level = m->vectors.level;
        cts_progress_init(&m->progress, true);
        code = execute(m);
    }
    if (m->proofs >= 0)
        close(m->proofs);
    cts_vectors_release(&m->vectors);
    cts_spec_release(&m->spec);
    cts_arena_release(&m->arena);
    free(m);
    return code;
}

const struct cts_command cts_cmd_mutants = {
    .name = "mutants",
    .args = "[OPTIONS] [PATH...]",
    .what = "measure how many wrong semantics the vectors notice",
    .about =
        "Makes mutants of the specification (the semantics of each instruction with one mistake in "
        "it, and faults of the machine around it) and runs the vectors of the suite, or those "
        "given, on each. A mutant that no test case notices is a hole in the vectors; it is "
        "printed with an input that shows the difference. Mutants that are proven equivalent "
        "(spec/proofs.tsv, or z3 for an instruction that has changed since), and those that "
        "spec/equivalents.yaml gives a reason for, are not counted; nor are those of new "
        "instructions where z3 is not installed: they are undecided. A mutant counts as passed if "
        "it dies at the level demanded of it, or below.\n\n"
        "With --as, those that die are tested again as a kind of runtime shows them. A mutant is "
        "due there unless nothing can show it: all vectors that notice it need what the runtime "
        "lacks, it shows only in addresses, or it goes wrong only over distances that no program "
        "has there. That a program is too long is no excuse where a shorter one would do.",
    .options = options,
    .examples = {{"ebpf-cts mutants --insn add64_x", "the mutants of one instruction"},
                 {"ebpf-cts mutants --insn add64_x --as r0", "as seen where only r0 shows"}},
    .main = mutants_main,
    .argument = cts_vectors_path,
    .argument_at = offsetof(struct mutants, vectors),
};
