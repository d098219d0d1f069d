#include <stdio.h>
#include <string.h>

#include "cli/files.h"
#include "cli/opt.h"
#include "cli/paths.h"
#include "cli/say.h"
#include "base/fmt.h"
#include "host/outfile.h"
#include "report/text.h"
#include "load/spec.h"
#include "spec_gen/generator.h"
#ifdef CTS_WITH_SPEC_CHECK
#include "spec_check/check.h"
#endif
#ifdef CTS_WITH_SPEC_SMT
#include "spec_smt/smt.h"
#endif

enum { O_FORMAT = 1, O_OUTPUT, O_FULL, O_SPEC, O_VECTORS, O_TIMEOUT, O_COUNT };
enum { ARGS_MAX = 256, LAWS_SECONDS_MAX = 86400 };

static const struct cts_opt options[] = {
    {O_FORMAT, 0, "format", "FORMAT",
     "text, markdown, html, tsv, csv, json: what the subcommand has"},
    {O_OUTPUT, 'o', "output", "FILE", "write there instead of to standard output"},
    {O_FULL, 0, "full", NULL, "table: all fields, and rows that are not in the RFC"},
    {O_SPEC, 0, "spec", "DIR",
     "the specification to read instead of the one that belongs to ebpf-cts"},
    {O_VECTORS, 0, "vectors", "DIR",
     "the vectors to read instead of those that belong to ebpf-cts"},
    {O_TIMEOUT, 0, "timeout", "SECONDS",
     "laws: leave a law undecided after so much CPU time of the solver; default: after 200 million "
     "of its steps, which are the same on every machine"},
    {0},
};

/* A call as it was written, and what it works with. */
struct call {
    const struct subcommand *sub;
    const char *format, *output, *spec_dir, *vectors_dir;
    bool full;
    unsigned timeout;
    const char *args[ARGS_MAX + 1];
    size_t arg_count;
    unsigned given; /* bit for each option id */
    struct cts_arena arena;
    struct cts_buf out;
};

struct subcommand {
    const char *name, *args, *what;
    unsigned options;           /* bit for each option id */
    size_t least, most;         /* arguments */
    int (*run)(struct call *c); /* the exit code */
};

#define O(id) (1u << (id))
enum { COMMON = O(O_OUTPUT) | O(O_SPEC) };

static int complain(const struct cts_err *err)
{
    char text[CTS_ERR_MSG_MAX + CTS_ERR_FILE_MAX + 32];

    cts_say("ebpf-cts spec: %s\n", cts_err_text(err, text, sizeof(text)));
    return err->code == CTS_E_NOMEM ? CTS_EXIT_BROKEN : CTS_EXIT_USAGE;
}

/* To the file or to standard output; `code` if that goes well. */
static int deliver(struct call *c, int code)
{
    struct cts_err err = {0};
    struct cts_buf out;
    int rc = 0;

    cts_buf_init(&out, 0);
    cts_text_document(&out, cts_buf_text(&c->out));
    if (c->out.failed || out.failed)
        rc = cts_err_set(&err, CTS_E_NOMEM, "out of memory");
    else if (c->output)
        rc = cts_outfile_write(c->output, cts_buf_text(&out), out.len, &err);
    else
        fwrite(cts_buf_text(&out), 1, out.len, stdout); /* main looks whether it was written */
    cts_buf_release(&out);
    if (rc)
        code = complain(&err);
    return rc == CTS_E_IO ? (int)CTS_EXIT_BROKEN : code;
}

/* --- generators ----------------------------------------------------------------------------- */

static int load_vectors(struct call *c, const struct cts_generator *g, const struct cts_spec *spec,
                        struct cts_tested *tested, struct cts_err *err)
{
    char text[CTS_ERR_MSG_MAX + CTS_ERR_FILE_MAX + 32];

    if (!(g->wants & CTS_GEN_VECTORS))
        return 0;
    int rc = cts_tested_load(tested, c->vectors_dir, spec, err);
    if (!rc && tested->faults)
        cts_say("ebpf-cts spec: %zu vectors left out; the first: %s\n", tested->faults,
                cts_err_text(&tested->first, text, sizeof(text)));
    return rc;
}

static int generate(struct call *c, const struct cts_generator *g, const char *a, const char *b)
{
    struct cts_spec spec, other;
    struct cts_tested tested = {0};
    struct cts_err err = {0};
    struct cts_gen_request rq = {.spec = &spec, .spec_name = a, .other_name = b, .full = c->full};
    int code = CTS_EXIT_OK;

    cts_spec_init(&spec);
    cts_spec_init(&other);
    int rc = cts_spec_load(&spec, a, &err);
    if (!rc && b)
        rc = cts_spec_load(&other, b, &err);
    if (!rc)
        rc = load_vectors(c, g, &spec, &tested, &err);
    if (!rc) {
        rq.other = b ? &other : NULL;
        rq.tested = g->wants & CTS_GEN_VECTORS ? &tested : NULL;
        rq.format = c->format;
        rc = g->run(&rq, &c->out, &err);
    }
    if (rc < 0)
        code = complain(&err);
    else
        code = deliver(c, rc ? CTS_EXIT_FAILED : tested.faults ? CTS_EXIT_USAGE : CTS_EXIT_OK);
    cts_tested_release(&tested);
    cts_spec_release(&other);
    cts_spec_release(&spec);
    return code;
}

static int unknown_format(const struct call *c, const struct cts_generator *g)
{
    cts_say("ebpf-cts spec %s: no format '%s'; there is", g->name, c->format);
    for (size_t i = 0; g->formats[i]; i++)
        cts_say(" %s", g->formats[i]);
    cts_say("\n");
    return CTS_EXIT_USAGE;
}

static int run_generator(struct call *c)
{
    const struct cts_generator *g = cts_generator_find(c->sub->name);
    const char *format = cts_generator_format(g, c->format);

    if (!format)
        return unknown_format(c, g);
    c->format = format;
    if (g->wants & CTS_GEN_TWO)
        return generate(c, g, c->args[0], c->args[1]);
    return generate(c, g, c->spec_dir, NULL);
}

/* --- checks --------------------------------------------------------------------------------- */

#ifdef CTS_WITH_SPEC_CHECK
static int run_check(struct call *c)
{
    struct cts_spec_check_opts opts = {.spec_dir = c->spec_dir,
                                       .vectors_dir = c->vectors_dir,
                                       .rules = c->arg_count ? c->args : NULL,
                                       .rule_count = c->arg_count};
    struct cts_spec_check_counts counts = {0};
    struct cts_err err = {0};

    if (cts_spec_check(&opts, &c->out, &counts, &err) != 0)
        return complain(&err);
    int code = counts.failed                    ? CTS_EXIT_FAILED
               : counts.passed + counts.skipped ? CTS_EXIT_OK
                                                : CTS_EXIT_NOTHING;
    return deliver(c, code);
}
#endif

#ifdef CTS_WITH_SPEC_SMT
static int run_smt(struct call *c)
{
    struct cts_spec spec;
    struct cts_err err = {0};

    cts_spec_init(&spec);
    int rc = cts_spec_load(&spec, c->spec_dir, &err);
    if (!rc)
        rc = cts_smt_script(&spec, c->args, c->arg_count, &c->out, &err);
    int code = rc ? complain(&err) : deliver(c, CTS_EXIT_OK);
    cts_spec_release(&spec);
    return code;
}

static int run_laws(struct call *c)
{
    struct cts_laws_options opts = {.filter = c->args[0], .cpu_ms = c->timeout * 1000};
    struct cts_laws_result result = {0};
    struct cts_spec spec;
    struct cts_err err = {0};

    cts_spec_init(&spec);
    int rc = cts_spec_load(&spec, c->spec_dir, &err);
    if (!rc)
        rc = cts_laws_run(&spec, c->spec_dir, &opts, &result, &c->out, &err);
    int code = result.failed                       ? CTS_EXIT_FAILED
               : result.open                       ? CTS_EXIT_BROKEN
               : result.skipped || !result.checked ? CTS_EXIT_NOTHING
                                                   : CTS_EXIT_OK;
    code = rc ? complain(&err) : deliver(c, code);
    if (!rc && !result.checked && !result.skipped)
        cts_say("ebpf-cts spec laws: no law's id holds '%s'\n", c->arg_count ? c->args[0] : "");
    cts_spec_release(&spec);
    return code;
}
#endif

/* --- the table ------------------------------------------------------------------------------ */

static const struct subcommand subcommands[] = {
#ifdef CTS_WITH_SPEC_CHECK
    {"check", "[RULE]...", "check the specification; the result is TAP", COMMON | O(O_VECTORS), 0,
     ARGS_MAX, run_check},
#endif
    {"table", "", "the rows as the table of RFC 9669, appendix A", COMMON | O(O_FORMAT) | O(O_FULL),
     0, 0, run_generator},
    {"header", "", "a C header: constants, what is legal, decoder", COMMON | O(O_FORMAT), 0, 0,
     run_generator},
    {"json", "", "everything as JSON", COMMON | O(O_FORMAT), 0, 0, run_generator},
    {"doc", "", "a page for people, that needs no other file", COMMON | O(O_FORMAT) | O(O_VECTORS),
     0, 0, run_generator},
#ifdef CTS_WITH_SPEC_SMT
    {"smt", "[ROW]...", "the meaning of rows as SMT-LIB functions", COMMON, 0, ARGS_MAX, run_smt},
    {"laws", "[TEXT]",
     "prove laws of the instructions with z3; those whose id holds TEXT. Exit 3 if none fails but "
     "some that should be decided is not",
     COMMON | O(O_TIMEOUT), 0, 1, run_laws},
#endif
    {"coverage", "", "which vectors test which row and clause, and what none tests",
     COMMON | O(O_FORMAT) | O(O_VECTORS), 0, 0, run_generator},
    {"diff", "DIR DIR", "what differs between two specifications; exit 1 if anything does",
     O(O_OUTPUT) | O(O_FORMAT), 2, 2, run_generator},
};

enum { SUBCOMMAND_COUNT = sizeof(subcommands) / sizeof(subcommands[0]) };

static const struct subcommand *find(const char *name)
{
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        if (strcmp(subcommands[i].name, name) == 0)
            return &subcommands[i];
    return NULL;
}

/* A command's help, with the options of this subcommand only. */
static int help(const struct subcommand *sub)
{
    const struct cts_generator *g = sub ? cts_generator_find(sub->name) : NULL;
    struct cts_opt own[O_COUNT];
    char name[32], about[512];
    size_t count = 0, len;

    if (!sub) {
        cts_help_command(stdout, &cts_cmd_spec);
        return CTS_EXIT_OK;
    }
    for (const struct cts_opt *o = options; o->id; o++)
        if (sub->options >> o->id & 1)
            own[count++] = *o;
    own[count] = (struct cts_opt){0};
    len = cts_fmt(about, sizeof(about), "%s.", g ? g->what : sub->what);
    for (size_t i = 0; g && g->formats[i] && len < sizeof(about); i++)
        len += cts_fmt(about + len, sizeof(about) - len, "%s%s",
                       i ? ", " : "\nFormats: ", g->formats[i]);
    cts_fmt(name, sizeof(name), "spec %s", sub->name);
    cts_help_command(stdout, &(struct cts_command){.name = name,
                                                   .args = sub->args[0] ? sub->args : "[OPTIONS]",
                                                   .about = about,
                                                   .options = own});
    return CTS_EXIT_OK;
}

/* --- reading the call ----------------------------------------------------------------------- */

static bool take_option(struct call *c, const struct cts_opts *o, int id)
{
    if (id > 0) /* not an argument, nor a mistake */
        c->given |= O(id);
    switch (id) {
    case O_FORMAT:
        c->format = o->value;
        return true;
    case O_OUTPUT:
        c->output = o->value;
        return true;
    case O_FULL:
        c->full = true;
        return true;
    case O_SPEC:
        c->spec_dir = o->value;
        return true;
    case O_VECTORS:
        c->vectors_dir = o->value;
        return true;
    case O_TIMEOUT:
        return cts_opt_number(o, "--timeout", 1, LAWS_SECONDS_MAX, &c->timeout);
    default:
        return false;
    }
}

static bool take_argument(struct call *c, const char *text)
{
    if (!c->sub) {
        c->sub = find(text);
        if (!c->sub)
            cts_say("ebpf-cts spec: no subcommand '%s'\nTry: ebpf-cts spec --help\n", text);
        return c->sub;
    }
    if (c->arg_count == ARGS_MAX) {
        cts_say("ebpf-cts spec: more than %d arguments\n", ARGS_MAX);
        return false;
    }
    c->args[c->arg_count++] = text;
    return true;
}

static bool is_call_right(const struct call *c)
{
    if (!c->sub) {
        cts_say("Usage: ebpf-cts spec %s\n", cts_cmd_spec.args);
        return false;
    }
    if (c->arg_count < c->sub->least || c->arg_count > c->sub->most) {
        cts_say("Usage: ebpf-cts spec %s %s\n", c->sub->name, c->sub->args);
        return false;
    }
    for (const struct cts_opt *o = options; o->id; o++) {
        if (!(c->given & ~c->sub->options & O(o->id)))
            continue;
        cts_say("ebpf-cts spec %s: --%s is not for this subcommand\n", c->sub->name, o->name);
        return false;
    }
    return true;
}

/* Nothing that it may read is written over. */
static int check_files(const struct call *c, struct cts_err *err)
{
    struct cts_files f = {0};

    cts_files_read_all(&f, c->spec_dir, ".yaml");
    cts_files_read_all(&f, c->vectors_dir, ".yaml");
    cts_files_read_all(&f, c->vectors_dir, ".data");
    for (size_t i = 0; c->sub->least == 2 && i < c->arg_count; i++)
        cts_files_read_all(&f, c->args[i], ".yaml");
    int rc = cts_files_write(&f, c->output, err);
    cts_files_release(&f);
    return rc;
}

static int run(struct call *c)
{
    struct cts_err err = {0};

    if (!c->spec_dir)
        c->spec_dir = cts_data_path(&c->arena, "spec");
    if (!c->vectors_dir)
        c->vectors_dir = cts_data_path(&c->arena, "vectors");
    if (!c->spec_dir || !c->vectors_dir) {
        cts_say("ebpf-cts spec: out of memory\n");
        return CTS_EXIT_BROKEN;
    }
    return check_files(c, &err) ? complain(&err) : c->sub->run(c);
}

static int spec_main(int argc, char **argv)
{
    struct call c = {0};
    struct cts_opts o;

    cts_opts_init(&o, "spec", options, argc, argv);
    for (int id; (id = cts_opts_next(&o)) != CTS_OPT_END;) {
        if (id == CTS_OPT_HELP)
            return help(c.sub);
        if (id == CTS_OPT_ARG ? !take_argument(&c, o.value) : !take_option(&c, &o, id))
            return CTS_EXIT_USAGE;
    }
    if (!is_call_right(&c))
        return CTS_EXIT_USAGE;
    cts_arena_init(&c.arena, 0);
    cts_buf_init(&c.out, 0);
    int code = run(&c);
    cts_buf_release(&c.out);
    cts_arena_release(&c.arena);
    return code;
}

const struct cts_command cts_cmd_spec = {
    .name = "spec",
    .args = "check|table|header|json|doc|smt|laws|coverage|diff [ARGUMENTS]",
    .what = "the specification: check it, print it, compare it",
    .about = "Works on the machine-readable specification.\n"
             "\n"
             "  check [RULE]...  check it: encodings, groups, clauses, outside tables; prints TAP\n"
             "  table            the rows as the table of RFC 9669, appendix A\n"
             "  header           a C header: constants, what is legal in every field, a decoder\n"
             "  json             everything as JSON, as spec/schema/isa.schema.json describes it\n"
             "  doc              a page for people, with a search; HTML or Markdown\n"
             "  smt [ROW]...     the meaning of rows as SMT-LIB functions\n"
             "  laws [TEXT]      prove laws of the instructions with z3\n"
             "  coverage         which vectors test which row and clause, and what none tests\n"
             "  diff DIR DIR     what differs between two specifications; exit 1 if anything does\n"
             "\n"
             "ebpf-cts spec SUBCOMMAND --help tells which formats and options it has.",
    .options = options,
    .main = spec_main,
};
