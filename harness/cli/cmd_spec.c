#include <stdio.h>
#include <string.h>

#include "cli/files.h"
#include "cli/command.h"
#include "cli/help.h"
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

enum { ARGS_MAX = 256, LAWS_SECONDS_MAX = 86400 };

enum sub { CHECK, TABLE, HEADER, JSON, DOC, SMT, LAWS, COVERAGE, DIFF, SUBS };

/* A call as it was written, and what it works with. */
struct call {
    const struct subcommand *sub;
    const char *format, *output, *spec_dir, *vectors_dir;
    bool full;
    unsigned timeout;
    const char *args[ARGS_MAX + 1];
    unsigned arg_count;
    struct cts_arena arena;
    struct cts_buf out;
};

struct subcommand {
    const char *name, *args, *what;
    size_t least, most;         /* arguments */
    int (*run)(struct call *c); /* the exit code */
};

#define IN(sub) (1u << (sub))

static const struct cts_opt options[] = {
    {0, "format", "FORMAT", "the format: text, markdown, html, tsv, csv or json",
     CTS_OPT_TEXT(struct call, format),
     .only = IN(TABLE) | IN(HEADER) | IN(JSON) | IN(DOC) | IN(COVERAGE) | IN(DIFF)},
    {'o', "output", "FILE", "write FILE instead of standard output",
     CTS_OPT_TEXT(struct call, output)},
    {0, "full", NULL, "all fields, and instructions that are not in the RFC",
     CTS_OPT_FLAG(struct call, full), .only = IN(TABLE)},
    {0, "spec", "DIR", "the specification; default: the one that comes with ebpf-cts",
     CTS_OPT_TEXT(struct call, spec_dir), .only = ~IN(DIFF)},
    {0, "vectors", "DIR", "the vectors; default: those that come with ebpf-cts",
     CTS_OPT_TEXT(struct call, vectors_dir), .only = IN(CHECK) | IN(DOC) | IN(COVERAGE)},
    {0, "timeout", "SECONDS",
     "CPU time of the solver per law, after which it is undecided; default: 200 million of its "
     "steps, which are the same on every machine",
     CTS_OPT_NUMBER(struct call, timeout, 1, LAWS_SECONDS_MAX), .only = IN(LAWS)},
    {0},
};

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
    cts_say("ebpf-cts spec %s: unknown format '%s'; expected", g->name, c->format);
    for (size_t i = 0; g->formats[i]; i++)
        cts_say("%s %s", i ? "," : "", g->formats[i]);
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
        cts_say("ebpf-cts spec laws: found no law whose id contains '%s'\n",
                c->arg_count ? c->args[0] : "");
    cts_spec_release(&spec);
    return code;
}
#endif

/* --- the table ------------------------------------------------------------------------------ */

static const struct subcommand subcommands[SUBS] = {
#ifdef CTS_WITH_SPEC_CHECK
    [CHECK] = {"check", "[RULE]...", "check encodings, groups, clauses, outside tables; prints TAP",
               0, ARGS_MAX, run_check},
#endif
    [TABLE] = {"table", "", "print the instructions as the table of RFC 9669, appendix A", 0, 0,
               run_generator},
    [HEADER] = {"header", "", "print a C header: constants, legal fields, a decoder", 0, 0,
                run_generator},
    [JSON] = {"json", "", "print everything as JSON (spec/schema/isa.schema.json)", 0, 0,
              run_generator},
    [DOC] = {"doc", "", "print a page for people, with a search; HTML or Markdown", 0, 0,
             run_generator},
#ifdef CTS_WITH_SPEC_SMT
    [SMT] = {"smt", "[INSN]...", "print the semantics of instructions as SMT-LIB functions", 0,
             ARGS_MAX, run_smt},
    [LAWS] =
        {"laws", "[TEXT]",
         "prove laws of the instructions with z3, those whose id contains TEXT; exit code 3 if "
         "none fails but some that should be decided is not",
         0, 1, run_laws},
#endif
    [COVERAGE] = {"coverage", "", "print which vectors test which instruction and clause", 0, 0,
                  run_generator},
    [DIFF] = {"diff", "DIR DIR", "compare two specifications; exit code 1 if they differ", 2, 2,
              run_generator},
};

static const struct subcommand *find(const char *name)
{
    for (size_t i = 0; i < SUBS; i++)
        if (subcommands[i].name && strcmp(subcommands[i].name, name) == 0)
            return &subcommands[i];
    return NULL;
}

static bool has_option(const struct subcommand *sub, const struct cts_opt *o)
{
    return !o->only || (o->only & IN(sub - subcommands));
}

/* The i-th subcommand that was built. */
static const char *subject(unsigned i, const char **what)
{
    for (size_t k = 0; k < SUBS; k++) {
        if (!subcommands[k].name || i--)
            continue;
        *what = subcommands[k].what;
        return subcommands[k].name;
    }
    *what = NULL;
    return NULL;
}

/* A command's help, with the options of this subcommand only. */
static int help(const struct subcommand *sub)
{
    const struct cts_generator *g = cts_generator_find(sub->name);
    struct cts_opt own[sizeof(options) / sizeof(options[0])];
    char name[32], about[512];
    size_t count = 0, len;

    for (const struct cts_opt *o = options; o->name; o++)
        if (has_option(sub, o))
            own[count++] = *o;
    own[count] = (struct cts_opt){0};
    len = cts_fmt(about, sizeof(about), "Subcommand of spec: %s.", sub->what);
    for (size_t i = 0; g && g->formats[i] && len < sizeof(about); i++)
        len += cts_fmt(about + len, sizeof(about) - len, "%s%s",
                       i ? ", " : "\n\nFormats: ", g->formats[i]);
    cts_fmt(name, sizeof(name), "spec %s", sub->name);
    cts_help_command(stdout, &(struct cts_command){.name = name,
                                                   .args = sub->args[0] ? sub->args : "[OPTIONS]",
                                                   .about = about,
                                                   .options = own});
    return CTS_EXIT_OK;
}

/* --- reading the call ----------------------------------------------------------------------- */

/* A subcommand, then its arguments. 0 or, after a message, CTS_EXIT_USAGE. */
static int take_argument(void *arg, const struct cts_opts *o)
{
    struct call *c = arg;
    unsigned which;
    if (c->sub)
        return cts_opts_collect(o, c->args, &c->arg_count, ARGS_MAX);
    c->sub = find(o->value);
    return c->sub ? 0 : cts_opts_choose(o, "subcommand", o->value, subject, &which);
}

static int take(struct call *c, struct cts_opts *o, enum cts_opts_next next)
{
    return next == CTS_NEXT_OPTION     ? cts_opts_take(o, c)
           : next == CTS_NEXT_ARGUMENT ? take_argument(c, o)
                                       : (int)CTS_EXIT_USAGE;
}

/* 0 or, after a message, CTS_EXIT_USAGE. */
static int check_call(const struct call *c, const struct cts_opts *o)
{
    if (!c->sub)
        return cts_opts_bad(o, "expected a subcommand");
    if (c->arg_count < c->sub->least || c->arg_count > c->sub->most) {
        cts_say("Usage: ebpf-cts spec %s %s\n", c->sub->name, c->sub->args);
        return CTS_EXIT_USAGE;
    }
    for (const struct cts_opt *p = options; p->name; p++)
        if ((o->given >> (p - options) & 1) && !has_option(c->sub, p))
            return cts_opts_bad(o, "--%s cannot be combined with the subcommand %s", p->name,
                                c->sub->name);
    return 0;
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
    enum cts_opts_next next;
    int code = 0;

    cts_opts_init(&o, "spec", options, argc, argv);
    while (code == 0 && (next = cts_opts_next(&o)) != CTS_NEXT_END) {
        if (next == CTS_NEXT_HELP && c.sub)
            return help(c.sub);
        if (next == CTS_NEXT_HELP) {
            cts_help_command(stdout, &cts_cmd_spec);
            return CTS_EXIT_OK;
        }
        code = take(&c, &o, next);
    }
    if (code == 0)
        code = check_call(&c, &o);
    if (code)
        return code;
    cts_arena_init(&c.arena, 0);
    cts_buf_init(&c.out, 0);
    code = run(&c);
    cts_buf_release(&c.out);
    cts_arena_release(&c.arena);
    return code;
}

const struct cts_command cts_cmd_spec = {
    .name = "spec",
    .args = "SUBCOMMAND [OPTIONS] [ARGUMENT...]",
    .what = "check, print or compare the specification",
    .about = "Works on the machine-readable specification. \"ebpf-cts spec SUBCOMMAND --help\" "
             "lists the formats and options of a subcommand.",
    .subjects = subject,
    .options = options,
    .examples = {{"ebpf-cts spec table", "the opcode table"},
                 {"ebpf-cts spec doc --format html -o isa.html", "the reference, to read"}},
    .main = spec_main,
};
