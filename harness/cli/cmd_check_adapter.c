#include <stdio.h>
#include <string.h>

#include "asm/object.h"
#include "cli/opt.h"
#include "cli/say.h"
#include "cli/stop.h"
#include "kit/kit.h"
#include "report/text.h"

enum { O_ENGINE = 1, O_CHECK, O_TIMEOUT, O_LIST, MOST_CHECKS = 64, MOST_SECONDS = 3600 };

static const struct cts_opt options[] = {
    {O_ENGINE, 'e', "engine", "ENGINE", "the engine to open (default: the worker's own choice)"},
    {O_CHECK, 'c', "check", "NAME", "this check only; may be given again"},
    {O_TIMEOUT, 't', "timeout", "SECONDS",
     "the time of its own that an answer may take (default 10)"},
    {O_LIST, 'l', "list", NULL, "what is checked, without checking anything"},
    {0},
};

struct job {
    struct cts_kit_opts opts;
    const char *only[MOST_CHECKS + 1];
    unsigned checks;
    struct cts_buf line;
    unsigned told, failed;
};

/* ---- TAP ---- */

static void add_hex(struct cts_buf *b, const char *key, const struct cts_kit_bytes *bytes)
{
    if (!bytes->len)
        return;
    cts_buf_addf(b, "  %s: |\n", key);
    for (size_t i = 0; i < bytes->len; i++)
        cts_buf_addf(b, "%s%02x%s", i % 16 ? " " : "    ", bytes->data[i],
                     i % 16 == 15 || i + 1 == bytes->len ? "\n" : "");
    if (bytes->total > bytes->len)
        cts_buf_addf(b, "    ... (%zu bytes)\n", bytes->total);
}

static void add_key(struct cts_buf *b, const char *key, const char *text)
{
    if (!text[0])
        return;
    cts_buf_addf(b, "  %s: ", key);
    cts_text_json(b, text);
    cts_buf_addc(b, '\n');
}

/* A '#' in a reason would begin something else. */
static void add_reason(struct cts_buf *b, const char *text)
{
    struct cts_buf line;
    cts_buf_init(&line, 0);
    cts_text_line(&line, text);
    for (const char *p = cts_buf_text(&line); *p; p++) {
        if (*p == '#' || *p == '\\')
            cts_buf_addc(b, '\\');
        cts_buf_addc(b, *p);
    }
    cts_buf_release(&line);
}

static void tell(void *arg, const struct cts_kit_result *r)
{
    struct job *j = arg;
    bool bad = r->status == CTS_KIT_FAIL;
    j->told++;
    j->failed += bad;
    cts_buf_addf(&j->line, "%s %u - %s: %s", bad ? "not ok" : "ok", j->told, r->name, r->rule);
    if (r->status == CTS_KIT_SKIP) {
        cts_buf_adds(&j->line, " # SKIP ");
        add_reason(&j->line, r->why);
    }
    cts_buf_addc(&j->line, '\n');
    if (bad) {
        cts_buf_adds(&j->line, "  ---\n");
        add_key(&j->line, "message", r->why);
        add_key(&j->line, "stderr", r->last_line);
        add_hex(&j->line, "request", &r->request);
        add_hex(&j->line, "seen", &r->seen);
        cts_buf_adds(&j->line, "  ...\n");
    }
    cts_text_flush(&j->line, stdout);
    fflush(stdout);
}

static void tell_worker(struct job *j, const struct cts_caps *c)
{
    if (!c->runtime[0])
        return;
    cts_buf_adds(&j->line, "# ");
    cts_text_line(&j->line, c->runtime);
    cts_buf_addc(&j->line, ':');
    cts_text_line(&j->line, c->engine);
    cts_buf_addc(&j->line, ' ');
    cts_text_line(&j->line, c->version);
    cts_buf_addc(&j->line, '\n');
    cts_text_flush(&j->line, stdout);
}

/* ---- the command ---- */

static int list(void)
{
    const char *name, *rule;
    for (unsigned i = 0; cts_kit_check_at(i, &name, &rule); i++)
        cts_out("%-16s  %s\n", name, rule);
    return CTS_EXIT_OK;
}

static int broken(struct job *j, const struct cts_err *err)
{
    cts_buf_adds(&j->line, "Bail out! ");
    cts_text_line(&j->line, err->msg);
    cts_buf_addc(&j->line, '\n');
    cts_text_flush(&j->line, stdout);
    return CTS_EXIT_BROKEN;
}

static int run(struct job *j)
{
    struct cts_err err = {0};
    struct cts_caps caps;
    j->opts.stop = cts_stop_on_signals();
    int rc = cts_kit_run(&j->opts, tell, j, &caps, &err);
    if (rc == CTS_E_NOTFOUND) {
        cts_say("ebpf-cts check-adapter: %s\n", err.msg);
        return CTS_EXIT_USAGE;
    }
    tell_worker(j, &caps);
    if (rc == CTS_E_UNSUPPORTED) {
        cts_buf_adds(&j->line, "1..0 # SKIP ");
        add_reason(&j->line, err.msg);
        cts_buf_addc(&j->line, '\n');
        cts_text_flush(&j->line, stdout);
        return CTS_EXIT_NOTHING;
    }
    if (rc)
        return broken(j, &err);
    if (*j->opts.stop)
        return CTS_EXIT_SIGNAL + *j->opts.stop;
    cts_out("1..%u\n", j->told);
    return fflush(stdout) ? CTS_EXIT_BROKEN : j->failed ? CTS_EXIT_FAILED : CTS_EXIT_OK;
}

/* The first argument that is no option is the worker's command; what follows is the worker's. */
static int parse(struct job *j, int argc, char **argv, int *code)
{
    struct cts_opts o;
    unsigned seconds;
    *code = CTS_EXIT_USAGE;
    cts_opts_init(&o, "check-adapter", options, argc, argv);
    for (;;) {
        switch (cts_opts_next(&o)) {
        case CTS_OPT_HELP:
            cts_help_command(stdout, &cts_cmd_check_adapter);
            *code = CTS_EXIT_OK;
            return -1;
        case O_LIST:
            *code = list();
            return -1;
        case O_ENGINE:
            j->opts.engine = o.value;
            break;
        case O_CHECK:
            if (j->checks == MOST_CHECKS) {
                cts_say("ebpf-cts check-adapter: too many checks are named\n");
                return -1;
            }
            j->only[j->checks++] = o.value;
            break;
        case O_TIMEOUT:
            if (!cts_opt_number(&o, "--timeout", 1, MOST_SECONDS, &seconds))
                return -1;
            j->opts.timeout_ms = 1000 * seconds;
            break;
        case CTS_OPT_ARG:
            j->opts.argv = (const char *const *)argv + o.at - 1;
            return 0;
        case CTS_OPT_END:
            cts_say("ebpf-cts check-adapter: which worker?\n"
                    "Try: ebpf-cts check-adapter --help\n");
            return -1;
        default:
            return -1;
        }
    }
}

static int check_adapter_main(int argc, char **argv)
{
    struct job j = {.opts = {.engine = "", .timeout_ms = 10000, .object = cts_object_write}};
    int code;
    j.opts.only = j.only;
    cts_buf_init(&j.line, 0);
    if (parse(&j, argc, argv, &code) == 0) {
        cts_out("TAP version 13\n");
        code = run(&j);
    }
    cts_buf_release(&j.line);
    return code;
}

const struct cts_command cts_cmd_check_adapter = {
    .name = "check-adapter",
    .args = "[OPTIONS] WORKER [ARGUMENT...]",
    .what = "check that a worker keeps to the frame protocol",
    .about =
        "Starts the worker again and again and checks that it keeps to the frame protocol: that\n"
        "it says what it is, loads, runs and unloads programs as it is told, answers in order, "
        "and\n"
        "survives what it cannot understand. It does not check whether the runtime's results\n"
        "conform: that is what `run` is for. Each check is a line of TAP; a failure says what is\n"
        "wrong and shows the bytes of the question and of what came.",
    .options = options,
    .main = check_adapter_main,
};
