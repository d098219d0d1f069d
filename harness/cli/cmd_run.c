#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include "asm/object.h"
#include "base/fmt.h"
#include "cli/files.h"
#include "cli/keeper.h"
#include "cli/command.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/select.h"
#include "cli/stop.h"
#include "cli/targets.h"
#include "cli/vectors.h"
#include "cli/words.h"
#include "core/core.h"
#include "wire/wire.h"
#include "generated/spec_text.h"

enum { ALL_OF_IT = 0xffffffff /* personality: tells, changes nothing */ };

struct job {
    struct cts_selector selector;
    struct cts_vectors vectors;
    struct cts_targets targets;
    struct cts_arena arena;
    const char *runtime[CTS_RUNTIMES_MAX], *known[CTS_RUNTIMES_MAX];
    unsigned runtimes, knowns;
    bool update;
    struct cts_outputs outputs;
    struct cts_keeper keeper;
    unsigned jobs, timeout_ms, max_fails;
    struct cts_progress progress;
    uint8_t *cases, *selected;
    uint64_t selected_cases;
    struct {
        struct cts_vectors vectors;
        uint8_t *cases, *selected;
    } wide; /* with what environments are made of, where they turn out broken */
};

/* ---- the command line ---- */

static int set_timeout(void *at, const struct cts_opts *o)
{
    unsigned *timeout_ms = at;
    char *end;
    double v = strtod(o->value, &end);
    if (end == o->value || *end || !(v >= 0.01 && v <= 86400))
        return cts_opts_bad(o, "--timeout: expected seconds from 0.01 to 86400, found '%s'",
                            o->value);
    *timeout_ms = (unsigned)(v * 1000);
    return 0;
}

static int set_shard(void *at, const struct cts_opts *o)
{
    if (cts_select_shard(at, o->value))
        return 0;
    return cts_opts_bad(o, "--shard: expected I/N with 1 <= I <= N, found '%s'", o->value);
}

#define SELECT(list, count) CTS_OPT_LIST(struct job, selector.list, selector.count)

static const struct cts_opt options[] = {
    {'r', "runtime", "NAME[:ENGINE]",
     "run on this runtime, or on a worker, by its path, or on 'plugin:PATH [OPTION...] [FILE]', "
     "any plugin of bpf_conformance, with a YAML file that describes it; may be repeated; default: "
     "all that are available",
     CTS_OPT_LIST(struct job, runtime, runtimes)},
    {'g', "group", "GROUP", "only vectors of this conformance group; may be repeated",
     SELECT(group, groups)},
    {'f', "filter", "PATTERN",
     "only vectors whose id contains PATTERN or, if it has * or ?, matches it; ID#CASE for one "
     "test case; may be repeated",
     SELECT(filter, filters)},
    {'x', "exclude", "PATTERN", "not these; may be repeated", SELECT(exclude, excludes)},
    {0, "insn", "INSN", "only vectors that test this instruction; may be repeated",
     SELECT(row, rows)},
    {0, "clause", "CLAUSE", "only vectors that cite this clause; may be repeated",
     SELECT(clause, clauses)},
    {'j', "jobs", "N", "workers that run at a time; default: as many as processors",
     CTS_OPT_NUMBER(struct job, jobs, 1, 256)},
    {0, "level", "LEVEL", "how much is run",
     CTS_OPT_CHOICE(struct job, vectors.level, cts_level_word)},
    {0, "timeout", "SECONDS",
     "timeout per program; time that other processes take does not count; default 5",
     CTS_OPT_OTHER(struct job, timeout_ms, set_timeout)},
    {0, "max-fails", "N", "stop after N failed test cases and report the rest as not run",
     CTS_OPT_NUMBER(struct job, max_fails, 1, UINT_MAX)},
    {0, "shard", "I/N", "the I-th of N parts of the vectors",
     CTS_OPT_OTHER(struct job, selector, set_shard)},
    {0, "known", "FILE", "a further list of expected failures; may be repeated",
     CTS_OPT_LIST(struct job, known, knowns)},
    {0, "no-known", NULL, "ignore the runtimes' lists of expected failures",
     CTS_OPT_FLAG(struct job, targets.no_known)},
    {0, "update-known", NULL,
     "update the runtimes' lists of expected failures (or FILE of --known) from this run",
     CTS_OPT_FLAG(struct job, update)},
    {'o', "output", "FORMAT[=FILE]", "write this report; default: text; may be repeated",
     CTS_OPT_OTHER(struct job, outputs, cts_outputs_add), .words = cts_outputs_format},
    {'v', "verbose", NULL, "every skip with its reason, and every failure in full",
     CTS_OPT_FLAG(struct job, outputs.opts.verbose)},
    {'q', "quiet", NULL, "only failures and the total",
     CTS_OPT_FLAG(struct job, outputs.opts.quiet)},
    {0, "no-cache", NULL, "ignore the cache", CTS_OPT_FLAG(struct job, vectors.no_cache)},
    {0, "color", "WHEN", "when the report has colours",
     CTS_OPT_CHOICE(struct job, outputs.color, cts_color_word)},
    {0, "reproducible", NULL,
     "no times in the reports: two runs give the same bytes. With SOURCE_DATE_EPOCH in the "
     "environment, that is the only time in them",
     CTS_OPT_FLAG(struct job, outputs.opts.reproducible)},
    {0},
};

/* True to go on; else *code is the exit code. */
static bool parse(struct job *j, int argc, char **argv, int *code)
{
    if (!cts_command_parse(&cts_cmd_run, argc, argv, j, code))
        return false;
    if (j->update && j->knowns > 1)
        *code = cts_command_bad(&cts_cmd_run,
                                "--update-known writes one list: expected at most one --known");
    else if (j->update && j->targets.no_known)
        *code = cts_command_bad(&cts_cmd_run, "--update-known cannot be combined with --no-known");
    else if (j->update && j->max_fails)
        *code = cts_command_bad(&cts_cmd_run, "--update-known cannot be combined with --max-fails");
    j->vectors.quiet = j->outputs.opts.quiet;
    return *code == 0;
}

/* ---- sinks ---- */

static void on_engine(void *arg, const struct cts_engine_info *info)
{
    struct job *j = arg;
    cts_keeper_engine(&j->keeper, info);
    cts_outputs_engine(&j->outputs, info);
}

static void on_result(void *arg, const struct cts_result *r)
{
    struct job *j = arg;
    struct cts_result timeless = *r;
    if (cts_outputs_are_reproducible(&j->outputs)) {
        timeless.ns = 0;
        r = &timeless;
    }
    if (r->status == CTS_ST_FAIL || r->status == CTS_ST_ERROR || r->status == CTS_ST_XPASS)
        cts_progress_end(&j->progress); /* it is about to be printed */
    cts_keeper_result(&j->keeper, r);
    cts_outputs_result(&j->outputs, r);
}

static void on_progress(void *arg, uint64_t done, uint64_t all)
{
    struct job *j = arg;
    cts_progress_show(&j->progress, done, all);
}

/* ---- the run ---- */

static int find_targets(struct job *j, struct cts_err *err)
{
    int rc = cts_targets_find(&j->targets, &j->arena, err);
    for (unsigned i = 0; rc == 0 && i < j->runtimes; i++)
        rc = cts_targets_add(&j->targets, j->runtime[i], &j->arena, err);
    if (rc == 0 && j->runtimes == 0)
        rc = cts_targets_add_default(&j->targets, &j->arena, err);
    for (unsigned i = 0; rc == 0 && i < j->knowns; i++)
        rc = cts_targets_known(&j->targets, j->known[i], j->update, &j->arena, err);
    return rc == 0 && j->update ? cts_keeper_check(&j->targets, err) : rc;
}

static void tell_idle(const char *option, const char *value)
{
    cts_say("ebpf-cts: no vector matches %s '%s'\n", option, value);
}

/* A word of its own behind those that are there. */
static const char *add_word(struct job *j, const char *words, const char *word)
{
    const char *quoted = cts_quoted(word, &j->arena);
    return words && quoted ? cts_arena_fmt(&j->arena, "%s %s", words, quoted) : NULL;
}

/* How to run one case again: as this was called, with what a case and its status need. */
static int set_repeats(struct job *j, const struct cts_vectors *vectors, struct cts_err *err)
{
    const char *call = cts_quoted(program_invocation_name, &j->arena);
    call = add_word(j, call, "run");
    if (j->vectors.level != CTS_LEVEL_QUICK)
        call = add_word(j, add_word(j, call, "--level"), cts_level_names[j->vectors.level]);
    if (j->timeout_ms != CTS_USUAL_TIMEOUT_MS)
        call = add_word(
            j, add_word(j, call, "--timeout"),
            cts_arena_fmt(&j->arena, "%u.%03u", j->timeout_ms / 1000, j->timeout_ms % 1000));
    if (j->targets.no_known)
        call = add_word(j, call, "--no-known");
    for (size_t i = 0; i < vectors->paths; i++)
        call = add_word(j, call, vectors->path[i]);
    for (size_t i = 0; i < j->targets.count; i++) {
        struct cts_target *t = &j->targets.list[i];
        const char *colon = t->engine[0] ? ":" : "";
        const char *spec = cts_arena_fmt(&j->arena, "%s%s%s", t->runtime, colon, t->engine);
        spec = t->spec ? t->spec : spec ? cts_quoted(spec, &j->arena) : NULL;
        if (call && spec)
            t->repeat = cts_arena_fmt(&j->arena, "%s -r %s", call, spec);
        if (!t->repeat)
            return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    }
    return 0;
}

static int select_cases(struct job *j, struct cts_err *err)
{
    const struct cts_pack *p = &j->vectors.pack;
    j->cases = calloc(p->case_count + 1u, 1);
    j->selected = calloc(p->vector_count + 1u, 1);
    if (!j->cases || !j->selected)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    j->selected_cases = cts_select(&j->selector, p, j->cases, j->selected);
    cts_select_idle(&j->selector, p, tell_idle);
    return 0;
}

static int make_keeper(struct job *j, struct cts_err *err)
{
    bool suite = j->vectors.paths == 0 && j->vectors.stats.errors == 0;
    struct cts_keeper_opts opts = {.suite = suite,
                                   .whole =
                                       suite && j->selected_cases == j->vectors.pack.case_count,
                                   .update = j->update};
    return cts_keeper_init(&j->keeper, &opts, &j->targets, &j->vectors.pack, &j->arena, err);
}

/* The worker, and files among its arguments. */
static void note_worker(struct cts_files *f, const struct cts_target *t)
{
    for (size_t i = 0; t->argv && t->argv[i]; i++)
        cts_files_read(f, t->argv[i]);
}

/* Nothing that is read is written over, and no two reports are written into one file. */
static int check_files(struct job *j, struct cts_err *err)
{
    struct cts_files f = {0};
    int rc = 0;
    cts_vectors_files(&j->vectors, &f);
    cts_targets_files(&j->targets, &f);
    for (size_t i = 0; i < j->targets.count; i++)
        note_worker(&f, &j->targets.list[i]);
    cts_files_read(&f, "/proc/self/exe");
    for (size_t i = 0; rc == 0 && j->update && i < j->targets.set_count; i++)
        rc = cts_outfile_check(j->targets.sets[i].list->path, err);
    if (rc == 0)
        rc = cts_outputs_check(&j->outputs, &f, err);
    cts_files_release(&f);
    return rc;
}

static int prepare(struct job *j, struct cts_err *err)
{
    int rc = cts_select_check(&j->selector, err);
    if (rc == 0)
        rc = find_targets(j, err);
    if (rc == 0)
        rc = check_files(j, err);
    if (rc == 0)
        rc = set_repeats(j, &j->vectors, err);
    if (rc == 0)
        rc = cts_vectors_open(&j->vectors, err);
    if (rc == 0)
        rc = select_cases(j, err);
    if (rc == 0)
        rc = make_keeper(j, err);
    return rc;
}

/* The same cases as before, wherever they are now. False: some are not there. */
static bool select_the_same(struct job *j)
{
    const struct cts_pack *was = &j->vectors.pack, *is = &j->wide.vectors.pack;
    uint32_t found = 0;
    for (uint32_t v = 0; v < is->vector_count && found < was->vector_count; v++) {
        const struct cts_pk_vector *old = &was->vectors[found], *new = &is->vectors[v];
        if (strcmp(cts_pack_text(was, old->id), cts_pack_text(is, new->id)) != 0 ||
            old->cases.count != new->cases.count)
            continue;
        j->wide.selected[v] = j->selected[found++];
        memcpy(j->wide.cases + new->cases.first, j->cases + old->cases.first, new->cases.count);
    }
    return found == was->vector_count;
}

/* Vectors of one's own that meet a broken environment: the suite's cases say what is wrong. */
static bool widen(void *arg, struct cts_wider *out)
{
    struct job *j = arg;
    struct cts_vectors *w = &j->wide.vectors;
    const struct cts_pack *p = &w->pack;
    struct cts_err err = {0};
    *w = j->vectors;
    w->pack = (struct cts_pack){0};
    w->quiet = w->again = true;
    if (j->vectors.paths == 0 || !cts_vectors_add_basis(w, &j->arena) ||
        cts_vectors_open(w, &err) != 0 || w->stats.errors != j->vectors.stats.errors)
        return false;
    j->wide.cases = calloc(p->case_count + 1u, 1);
    j->wide.selected = calloc(p->vector_count + 1u, 1);
    if (!j->wide.cases || !j->wide.selected || !select_the_same(j) || set_repeats(j, w, &err) != 0)
        return false;
    j->keeper.pack = p;
    *out = (struct cts_wider){p, j->wide.selected, j->wide.cases};
    return true;
}

/* Says what is to be looked at, also in the reports' summaries. */
static void warn(struct job *j, struct cts_summary *s)
{
    s->warnings = cts_keeper_warnings(&j->keeper);
    if (!s->warnings)
        cts_say("ebpf-cts: out of memory: the expected failures were not checked\n");
    for (size_t i = 0; s->warnings && s->warnings[i]; i++)
        cts_say("%s\n", s->warnings[i]);
}

static int exit_code(const struct job *j, const struct cts_summary *s, uint64_t failed)
{
    if (s->count[CTS_ST_ERROR])
        return CTS_EXIT_BROKEN;
    if (j->vectors.stats.errors)
        return CTS_EXIT_USAGE;
    if (failed)
        return CTS_EXIT_FAILED;
    return s->count[CTS_ST_PASS] + s->count[CTS_ST_FAIL] + s->count[CTS_ST_XFAIL] +
                   s->count[CTS_ST_XPASS]
               ? CTS_EXIT_OK
               : CTS_EXIT_NOTHING;
}

/* After it what is on record is as expected: what counts is what is left. */
static int update_lists(struct job *j, const struct cts_summary *s)
{
    struct cts_err err = {0};
    uint64_t left = 0;
    if (j->vectors.stats.errors) {
        cts_say("ebpf-cts: some vectors were not read: no list of expected failures is written\n");
        return CTS_EXIT_USAGE;
    }
    if (cts_keeper_update(&j->keeper, stderr, &left, &err) != 0)
        return cts_complain(&err);
    return exit_code(j, s, left);
}

/* Workers inherit it. */
static void tell_timeout(unsigned timeout_ms)
{
    char text[16];
    cts_fmt(text, sizeof(text), "%u", timeout_ms);
    setenv(CTS_WIRE_TIMEOUT_VARIABLE, text, 1);
}

static int execute(struct job *j, const volatile int *stop)
{
    struct cts_err err = {0};
    char text[CTS_ERR_MSG_MAX + CTS_ERR_FILE_MAX];
    struct cts_summary summary = {.input_errors = j->vectors.stats.errors};
    struct cts_core_opts opts = {.jobs = j->jobs,
                                 .every_variant = j->update,
                                 .timeout_ms = j->timeout_ms,
                                 .max_fails = j->max_fails,
                                 .level = j->vectors.level,
                                 .select = j->selected,
                                 .select_case = j->cases,
                                 .stop = stop,
                                 .object = cts_object_write,
                                 .widen = widen,
                                 .widen_arg = j};
    struct cts_sink sink = {
        .arg = j, .engine = on_engine, .result = on_result, .progress = on_progress};
    int code = cts_outputs_open(&j->outputs, &j->vectors);
    if (code != 0)
        return code;
    tell_timeout(j->timeout_ms);
    int rc = cts_core_run(&j->vectors.pack, j->targets.list, j->targets.count, &opts, &sink,
                          &summary, &err);
    cts_progress_end(&j->progress);
    if (cts_outputs_are_reproducible(&j->outputs))
        summary.ns = 0;
    if (summary.end == CTS_END_WHOLE)
        warn(j, &summary);
    bool written = cts_outputs_close(&j->outputs, &summary);
    if (rc != 0)
        cts_say("ebpf-cts: %s\n", cts_err_text(&err, text, sizeof(text)));
    if (j->update && (summary.end != CTS_END_WHOLE || rc != 0))
        cts_say("ebpf-cts: the run was not completed: no list of expected failures is written\n");
    if (summary.end == CTS_END_INTERRUPTED)
        return CTS_EXIT_SIGNAL + *stop;
    if (rc != 0 || !written)
        return CTS_EXIT_BROKEN;
    return j->update ? update_lists(j, &summary)
                     : exit_code(j, &summary, cts_summary_failed(&summary));
}

/* What runtimes say of themselves may hold addresses. Those of processes are then the same every
 * time, where the machine lets them be. */
static void fix_addresses(void)
{
    int now = personality(ALL_OF_IT);
    if (now >= 0)
        personality((unsigned long)now | ADDR_NO_RANDOMIZE);
}

static int run_job(struct job *j)
{
    struct cts_err err = {0};
    if (cts_outputs_are_reproducible(&j->outputs))
        fix_addresses();
    cts_stop_at_once("ebpf-cts: interrupted before anything was run: no report is written\n");
    if (prepare(j, &err) != 0)
        return cts_complain(&err);
    if (j->selected_cases == 0) {
        cts_say("ebpf-cts: no vector is selected%s\n",
                j->vectors.stats.files || j->vectors.stats.errors
                    ? ""
                    : ": found no .yaml or .data file");
        return j->vectors.stats.errors ? CTS_EXIT_USAGE : CTS_EXIT_NOTHING;
    }
    return execute(j, cts_stop_on_signals());
}

static const char *section_of(const char *clause)
{
    const struct cts_clause_text *c = cts_clause_text_find(clause);
    return c ? c->section : NULL;
}

static int run_main(int argc, char **argv)
{
    struct job *j = calloc(1, sizeof(*j));
    if (!j) {
        cts_say("out of memory\n");
        return CTS_EXIT_BROKEN;
    }
    j->outputs.opts.section = section_of;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    cts_arena_init(&j->arena, 0);
    j->jobs = processors > 0 ? (unsigned)processors : 1;
    j->timeout_ms = CTS_USUAL_TIMEOUT_MS;
    int code;
    if (parse(j, argc, argv, &code)) {
        cts_progress_init(&j->progress, !j->outputs.opts.quiet);
        code = run_job(j);
    }
    cts_vectors_release(&j->vectors);
    cts_vectors_release(&j->wide.vectors);
    free(j->wide.cases);
    free(j->wide.selected);
    cts_arena_release(&j->arena);
    free(j->cases);
    free(j->selected);
    free(j);
    return code;
}

const struct cts_command cts_cmd_run = {
    .name = "run",
    .args = "[OPTIONS] [PATH...]",
    .what = "run test vectors on runtimes and judge the results",
    .about =
        "Runs the vectors of the suite, or of the files and folders given, on runtimes. Each test "
        "case is judged by the clauses that it cites: registers, memory, stack and verdicts are "
        "compared with what RFC 9669 says. Results go to standard output, everything else to "
        "standard error; the last line is the total.\n\n"
        "A failure that is listed as expected (in runtimes/NAME/known.yaml or with --known) is an "
        "xfail; a test case that passes although it is listed is an xpass, which is a failure. "
        "--update-known adds new failures under their exact ids, removes entries whose test cases "
        "were all run and passed, and leaves the others as they are; the exit code is 0 if every "
        "failure is listed then.\n\n"
        "After 20 timeouts in a row an engine is given up: the rest of its test cases are errors. "
        "A run that is interrupted, or stopped by --max-fails, reports what it has; the rest is "
        "not run, and every report says so. A second signal ends it at once.",
    .options = options,
    .examples = {{"ebpf-cts run -r reference -r linux:jit", "two runtimes, quick level"},
                 {"ebpf-cts run -g divmul64 -o junit=divmul.xml",
                  "one conformance group, with a report for CI"},
                 {"ebpf-cts run -r ./my-worker my-vectors.yaml", "your own worker and vectors"}},
    .main = run_main,
    .argument = cts_vectors_path,
    .argument_at = offsetof(struct job, vectors),
};
