#include <stdio.h>
#include <string.h>

#include "asm/object.h"
#include "cli/command.h"
#include "cli/say.h"
#include "cli/stop.h"
#include "adapter_check/adapter_check.h"
#include "report/text.h"

enum { MOST_CHECKS = 64, MOST_SECONDS = 3600 };

struct job {
    struct cts_adapter_check_opts opts;
    const char *only[MOST_CHECKS + 1];
    unsigned checks, seconds;
    bool list;
    char **argv; /* of ebpf-cts */
    struct cts_buf line;
    unsigned told, failed;
};

static const struct cts_opt options[] = {
    {'e', "engine", "ENGINE", "the engine to open; default: the worker's own choice",
     CTS_OPT_TEXT(struct job, opts.engine)},
    {'c', "check", "NAME", "run only this check; may be repeated", CTS_OPT_IS_LIST,
     .at = offsetof(struct job, only), .count_at = offsetof(struct job, checks), .hi = MOST_CHECKS},
    {'t', "timeout", "SECONDS", "timeout per response; default 10",
     CTS_OPT_NUMBER(struct job, seconds, 1, MOST_SECONDS)},
    {'l', "list", NULL, "list the checks and run none", CTS_OPT_FLAG(struct job, list)},
    {0},
};

/* ---- TAP ---- */

static void add_hex(struct cts_buf *b, const char *key, const struct cts_adapter_check_bytes *bytes)
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

static void tell(void *arg, const struct cts_adapter_check_result *r)
{
    struct job *j = arg;
    bool bad = r->status == CTS_ADAPTER_CHECK_FAIL;
    j->told++;
    j->failed += bad;
    cts_buf_addf(&j->line, "%s %u - %s: %s", bad ? "not ok" : "ok", j->told, r->name, r->rule);
    if (r->status == CTS_ADAPTER_CHECK_SKIP) {
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
    for (unsigned i = 0; cts_adapter_check_at(i, &name, &rule); i++)
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
    int rc = cts_adapter_check_run(&j->opts, tell, j, &caps, &err);
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

/* The first argument is the worker's command; what follows it is the worker's. */
static int take_worker(void *arg, const struct cts_opts *o)
{
    struct job *j = arg;
    j->opts.argv = (const char *const *)j->argv + o->at - 1;
    return CTS_ARGUMENTS_END;
}

static int check(struct job *j)
{
    if (j->list)
        return list();
    if (!j->opts.argv)
        return cts_command_bad(&cts_cmd_check_adapter, "expected a WORKER");
    j->opts.timeout_ms = 1000 * j->seconds;
    cts_out("TAP version 13\n");
    return run(j);
}

static int check_adapter_main(int argc, char **argv)
{
    struct job j = {.opts = {.engine = "", .object = cts_object_write}, .seconds = 10};
    int code;
    j.opts.only = j.only;
    j.argv = argv;
    cts_buf_init(&j.line, 0);
    if (cts_command_parse(&cts_cmd_check_adapter, argc, argv, &j, &code))
        code = check(&j);
    cts_buf_release(&j.line);
    return code;
}

const struct cts_command cts_cmd_check_adapter = {
    .name = "check-adapter",
    .args = "[OPTIONS] WORKER [ARGUMENT...]",
    .what = "check that a worker keeps to the frame protocol",
    .about = "Starts the worker again and again and checks that it keeps to the frame protocol: "
             "that it reports what it is, loads, runs and unloads programs on request, responds in "
             "order, and survives what it cannot understand. It does not check whether the "
             "runtime's results conform: \"ebpf-cts run\" does. Each check is a line of TAP; a "
             "failure says what is wrong and shows the bytes of the request and of the response.",
    .options = options,
    .examples = {{"ebpf-cts check-adapter --list", "what is checked"},
                 {"ebpf-cts check-adapter ./my-worker", "all checks of a worker"}},
    .main = check_adapter_main,
    .argument = take_worker,
};
