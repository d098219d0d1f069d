#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asm/object.h"
#include "cli/opt.h"
#include "cli/progress.h"
#include "cli/select.h"
#include "cli/targets.h"
#include "cli/vectors.h"
#include "core/core.h"
#include "cts_version.h"
#include "report/report.h"

enum { MOST_OUTPUTS = 16, MOST_RUNTIMES = 64, DEFAULT_TIMEOUT_MS = 5000 };

enum option {
    O_RUNTIME = 1,
    O_GROUP,
    O_FILTER,
    O_EXCLUDE,
    O_ROW,
    O_CLAUSE,
    O_JOBS,
    O_LEVEL,
    O_TIMEOUT,
    O_SHARD,
    O_KNOWN,
    O_OUTPUT,
    O_VERBOSE,
    O_QUIET,
    O_NO_CACHE,
    O_COLOR,
};

static const struct cts_opt options[] = {
    {O_RUNTIME, 'r', "runtime", "NAME[:ENGINE]",
     "run on this runtime (or worker, by its path); again for more; default: all that are there"},
    {O_GROUP, 'g', "group", "GROUP", "only vectors of this conformance group; again for more"},
    {O_FILTER, 'f', "filter", "PATTERN",
     "only vectors whose id holds or, with * and ?, matches this; id#case for one case"},
    {O_EXCLUDE, 'x', "exclude", "PATTERN", "not these"},
    {O_ROW, 0, "row", "ROW", "only vectors that test this row of the specification"},
    {O_CLAUSE, 0, "clause", "ID", "only vectors that rest on this clause"},
    {O_JOBS, 'j', "jobs", "N",
     "how many workers at a time; default: as many as there are processors"},
    {O_LEVEL, 0, "level", "LEVEL", "quick (default), full or exhaustive"},
    {O_TIMEOUT, 0, "timeout", "SECONDS", "how long a program may be silent; default 5"},
    {O_SHARD, 0, "shard", "I/N", "the I-th of N parts of the vectors"},
    {O_KNOWN, 0, "known", "FILE", "a further list of known failures"},
    {O_OUTPUT, 'o', "output", "FORMAT[=FILE]",
     "text (default), json, junit or tap; again for more"},
    {O_VERBOSE, 'v', "verbose", NULL, "every skip with its reason"},
    {O_QUIET, 'q', "quiet", NULL, "only failures and the total"},
    {O_NO_CACHE, 0, "no-cache", NULL, "assemble everything anew"},
    {O_COLOR, 0, "color", "WHEN", "auto (default), always or never"},
    {0},
};

struct output {
    const struct cts_reporter *reporter;
    const char *path; /* null: stdout */
    struct cts_report_opts opts;
    void *arg;
};

struct job {
    struct cts_selector selector;
    struct cts_vectors vectors;
    struct cts_targets targets;
    struct cts_arena arena;
    const char *runtime[MOST_RUNTIMES], *known[MOST_RUNTIMES];
    unsigned runtimes, knowns;
    struct output output[MOST_OUTPUTS];
    unsigned outputs;
    unsigned jobs, timeout_ms;
    bool verbose, quiet;
    const char *color;
    struct cts_progress progress;
    char hash[65]; /* of the vectors; "" if no report says it */
    uint8_t *cases, *selected;
    uint64_t selected_cases;
};

/* Signal handlers can reach nothing but objects of static storage. */
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* ---- the command line ---- */

static int usage(const char *fmt, const char *what)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    fprintf(stderr, fmt, what);
#pragma GCC diagnostic pop
    fprintf(stderr, "\nTry: ebpf-cts run --help\n");
    return CTS_EXIT_USAGE;
}

static int add_output(struct job *j, const char *text)
{
    char name[32];
    size_t len = strcspn(text, "=");
    if (len >= sizeof(name) || j->outputs == MOST_OUTPUTS)
        return usage("ebpf-cts run: cannot report as '%s'", text);
    memcpy(name, text, len);
    name[len] = '\0';
    struct output *o = &j->output[j->outputs];
    o->reporter = cts_reporter_find(name);
    o->path = text[len] && strcmp(text + len + 1, "-") != 0 ? text + len + 1 : NULL;
    if (!o->reporter) {
        fprintf(stderr, "ebpf-cts run: no report format '%s'; there are:", name);
        for (size_t i = 0; cts_reporters[i]; i++)
            fprintf(stderr, " %s", cts_reporters[i]->name);
        fputc('\n', stderr);
        return CTS_EXIT_USAGE;
    }
    j->outputs++;
    return 0;
}

static int set_timeout(struct job *j, const char *text)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !(v >= 0.01 && v <= 86400))
        return usage(
            "ebpf-cts run: the timeout is '%s', not a number of seconds from 0.01 to 86400", text);
    j->timeout_ms = (unsigned)(v * 1000);
    return 0;
}

static int set_level(struct job *j, const char *text)
{
    int level = cts_level_find(text);
    if (level < 0)
        return usage("ebpf-cts run: no level '%s'; there are quick, full and exhaustive", text);
    j->vectors.level = (enum cts_level)level;
    return 0;
}

static int set_color(struct job *j, const char *text)
{
    if (strcmp(text, "auto") != 0 && strcmp(text, "always") != 0 && strcmp(text, "never") != 0)
        return usage("ebpf-cts run: --color is auto, always or never, not '%s'", text);
    j->color = text;
    return 0;
}

static int add_to(const char **list, unsigned *count, const char *value)
{
    return cts_select_add(list, count, value)
               ? 0
               : usage("ebpf-cts run: too many options like '%s'", value);
}

static int take_option(struct job *j, struct cts_opts *o, enum option id)
{
    struct cts_selector *s = &j->selector;
    switch (id) {
    case O_RUNTIME:
        return add_to(j->runtime, &j->runtimes, o->value);
    case O_GROUP:
        return add_to(s->group, &s->groups, o->value);
    case O_FILTER:
        return add_to(s->filter, &s->filters, o->value);
    case O_EXCLUDE:
        return add_to(s->exclude, &s->excludes, o->value);
    case O_ROW:
        return add_to(s->row, &s->rows, o->value);
    case O_CLAUSE:
        return add_to(s->clause, &s->clauses, o->value);
    case O_KNOWN:
        return add_to(j->known, &j->knowns, o->value);
    case O_JOBS:
        return cts_opt_number(o, "the number of jobs", 1, 256, &j->jobs) ? 0 : CTS_EXIT_USAGE;
    case O_LEVEL:
        return set_level(j, o->value);
    case O_TIMEOUT:
        return set_timeout(j, o->value);
    case O_SHARD:
        return cts_select_shard(s, o->value)
                   ? 0
                   : usage("ebpf-cts run: --shard is I/N with 1 <= I <= N, not '%s'", o->value);
    case O_OUTPUT:
        return add_output(j, o->value);
    case O_COLOR:
        return set_color(j, o->value);
    case O_VERBOSE:
        j->verbose = true;
        return 0;
    case O_QUIET:
        j->quiet = true;
        return 0;
    case O_NO_CACHE:
        j->vectors.no_cache = true;
        return 0;
    }
    return CTS_EXIT_USAGE;
}

/* 0 to go on, -1 after --help, else the exit code. */
static int parse(struct job *j, int argc, char **argv)
{
    struct cts_opts o;
    cts_opts_init(&o, "run", options, argc, argv);
    for (;;) {
        int id = cts_opts_next(&o), rc = 0;
        if (id == CTS_OPT_END)
            return 0;
        if (id == CTS_OPT_HELP)
            return -1;
        if (id == CTS_OPT_BAD)
            return CTS_EXIT_USAGE;
        if (id != CTS_OPT_ARG)
            rc = take_option(j, &o, (enum option)id);
        else if (j->vectors.paths < CTS_PATHS_MAX)
            j->vectors.path[j->vectors.paths++] = o.value;
        else
            rc = usage("ebpf-cts run: too many paths, from '%s' on", o.value);
        if (rc != 0)
            return rc;
    }
}

/* ---- sinks ---- */

static void on_engine(void *arg, const struct cts_engine_info *info)
{
    struct job *j = arg;
    for (unsigned i = 0; i < j->outputs; i++)
        j->output[i].reporter->engine(j->output[i].arg, info);
}

static void on_result(void *arg, const struct cts_result *r)
{
    struct job *j = arg;
    if (r->status == CTS_ST_FAIL || r->status == CTS_ST_ERROR || r->status == CTS_ST_XPASS)
        cts_progress_end(&j->progress); /* it is about to be printed */
    for (unsigned i = 0; i < j->outputs; i++)
        j->output[i].reporter->result(j->output[i].arg, r);
}

static void on_progress(void *arg, uint64_t done, uint64_t all)
{
    struct job *j = arg;
    cts_progress_show(&j->progress, done, all);
}

static bool wants_color(const struct job *j, const struct output *o)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    if (strcmp(j->color, "auto") != 0)
        return strcmp(j->color, "always") == 0;
    return !o->path && !(no && no[0]) && !(term && strcmp(term, "dumb") == 0) &&
           isatty(STDOUT_FILENO);
}

static int open_outputs(struct job *j)
{
    if (j->outputs == 0)
        j->output[j->outputs++] = (struct output){.reporter = cts_reporter_find("text")};
    for (unsigned i = 0; i < j->outputs; i++) {
        struct output *o = &j->output[i];
        if (strcmp(o->reporter->name, "text") != 0 && !j->hash[0])
            cts_vectors_hash(&j->vectors, j->hash);
        o->opts = (struct cts_report_opts){.out = stdout,
                                           .color = wants_color(j, o),
                                           .verbose = j->verbose,
                                           .quiet = j->quiet,
                                           .suite_version = CTS_VERSION,
                                           .vectors_hash = j->hash};
        if (o->path && !(o->opts.out = fopen(o->path, "w"))) {
            fprintf(stderr, "%s: cannot write: %s\n", o->path, strerror(errno));
            return CTS_EXIT_USAGE;
        }
        o->arg = o->reporter->start(&o->opts);
        if (!o->arg) {
            fprintf(stderr, "out of memory\n");
            return CTS_EXIT_BROKEN;
        }
    }
    return 0;
}

/* False if something could not be written. */
static bool close_outputs(struct job *j, const struct cts_summary *s)
{
    bool good = true;
    for (unsigned i = 0; i < j->outputs; i++) {
        struct output *o = &j->output[i];
        if (o->arg)
            o->reporter->end(o->arg, s);
        bool bad = !o->opts.out || fflush(o->opts.out) != 0 || ferror(o->opts.out);
        if (o->path && o->opts.out)
            bad = fclose(o->opts.out) != 0 || bad;
        if (bad) {
            fprintf(stderr, "%s: cannot write the report\n", o->path ? o->path : "standard output");
            good = false;
        }
    }
    return good;
}

/* ---- the run ---- */

static int complain(const struct cts_err *err)
{
    char text[CTS_ERR_MSG_MAX + CTS_ERR_FILE_MAX];
    fprintf(stderr, "ebpf-cts: %s\n", cts_err_text(err, text, sizeof(text)));
    bool broken = err->code == CTS_E_NOMEM || err->code == CTS_E_WORKER ||
                  err->code == CTS_E_PROTOCOL || err->code == CTS_E_TIMEOUT ||
                  err->code == CTS_E_TOOL || err->code == CTS_E_UNSUPPORTED;
    return broken ? CTS_EXIT_BROKEN : CTS_EXIT_USAGE;
}

static int find_targets(struct job *j, struct cts_err *err)
{
    int rc = cts_targets_find(&j->targets, &j->arena, err);
    for (unsigned i = 0; rc == 0 && i < j->runtimes; i++)
        rc = cts_targets_add(&j->targets, j->runtime[i], &j->arena, err);
    if (rc == 0 && j->runtimes == 0)
        rc = cts_targets_add_default(&j->targets, &j->arena, err);
    for (unsigned i = 0; rc == 0 && i < j->knowns; i++)
        rc = cts_targets_known(&j->targets, j->known[i], &j->arena, err);
    return rc;
}

static int select_cases(struct job *j, struct cts_err *err)
{
    const struct cts_pack *p = &j->vectors.pack;
    j->cases = calloc(p->case_count + 1u, 1);
    j->selected = calloc(p->vector_count + 1u, 1);
    if (!j->cases || !j->selected)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    j->selected_cases = cts_select(&j->selector, p, j->cases, j->selected);
    return 0;
}

static int prepare(struct job *j, struct cts_err *err)
{
    int rc = cts_select_check(&j->selector, err);
    if (rc == 0)
        rc = find_targets(j, err);
    if (rc == 0)
        rc = cts_vectors_open(&j->vectors, err);
    if (rc == 0)
        rc = select_cases(j, err);
    return rc;
}

static int exit_code(const struct job *j, const struct cts_summary *s, int rc, bool written)
{
    if (interrupted)
        return CTS_EXIT_INTERRUPTED;
    if (rc != 0 || !written)
        return CTS_EXIT_BROKEN;
    if (j->vectors.stats.errors)
        return CTS_EXIT_USAGE;
    if (cts_summary_failed(s))
        return CTS_EXIT_FAILED;
    return cts_summary_passed(s) + s->count[CTS_ST_XFAIL] ? CTS_EXIT_OK : CTS_EXIT_NOTHING;
}

static int execute(struct job *j)
{
    struct cts_err err = {0};
    char text[CTS_ERR_MSG_MAX + CTS_ERR_FILE_MAX];
    struct cts_summary summary = {.input_errors = j->vectors.stats.errors};
    /* volatile sig_atomic_t is int on every platform that has bpf(2). */
    struct cts_core_opts opts = {.jobs = j->jobs,
                                 .timeout_ms = j->timeout_ms,
                                 .level = j->vectors.level,
                                 .select = j->selected,
                                 .select_case = j->cases,
                                 .stop = &interrupted,
                                 .object = cts_object_write};
    struct cts_sink sink = {
        .arg = j, .engine = on_engine, .result = on_result, .progress = on_progress};
    int code = open_outputs(j);
    if (code != 0)
        return code;
    int rc = cts_core_run(&j->vectors.pack, j->targets.list, j->targets.count, &opts, &sink,
                          &summary, &err);
    cts_progress_end(&j->progress);
    bool written = close_outputs(j, &summary);
    if (rc != 0)
        fprintf(stderr, "ebpf-cts: %s\n", cts_err_text(&err, text, sizeof(text)));
    return exit_code(j, &summary, rc, written);
}

static int run_job(struct job *j)
{
    struct cts_err err = {0};
    if (prepare(j, &err) != 0)
        return complain(&err);
    if (j->selected_cases == 0) {
        fprintf(stderr, "ebpf-cts: no vector is selected\n");
        return j->vectors.stats.errors ? CTS_EXIT_USAGE : CTS_EXIT_NOTHING;
    }
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
    return execute(j);
}

static int run_main(int argc, char **argv)
{
    struct job *j = calloc(1, sizeof(*j));
    if (!j) {
        fprintf(stderr, "out of memory\n");
        return CTS_EXIT_BROKEN;
    }
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    cts_arena_init(&j->arena, 0);
    j->jobs = processors > 0 ? (unsigned)processors : 1;
    j->timeout_ms = DEFAULT_TIMEOUT_MS;
    j->color = "auto";
    int code = parse(j, argc, argv);
    if (code == 0) {
        cts_progress_init(&j->progress, !j->quiet);
        code = run_job(j);
    } else if (code < 0) {
        cts_help_command(stdout, &cts_cmd_run);
        code = CTS_EXIT_OK;
    }
    cts_vectors_release(&j->vectors);
    cts_arena_release(&j->arena);
    free(j->cases);
    free(j->selected);
    free(j);
    return code;
}

const struct cts_command cts_cmd_run = {
    .name = "run",
    .args = "[OPTIONS] [PATH...]",
    .what = "run vectors on runtimes and judge them",
    .about =
        "Runs the suite's vectors, or those in the files and folders named, on runtimes. Each "
        "case\n"
        "is judged by the clauses it names: registers, memory, stack and verdicts are compared\n"
        "with what RFC 9669 says. Results go to standard output, everything else to standard\n"
        "error; the last line is the total.",
    .options = options,
    .main = run_main,
};
