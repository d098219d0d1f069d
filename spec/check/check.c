/* Runs rules, one after the other. */
#include <string.h>

#include "spec_check/check.h"

static void say(const struct cts_check *check, const struct cts_check_run *run, size_t number,
                bool good, struct cts_buf *out)
{
    cts_buf_addf(out, "%s %zu - %s # ", good ? "ok" : "not ok", number, check->name);
    if (run->skip && good)
        cts_buf_addf(out, "SKIP %s\n", run->skip);
    else
        cts_buf_addf(out, "looked at %zu %s%s%s\n", run->looked, check->unit,
                     run->more[0] ? "; " : "", run->more);
    if (!good && !run->faults)
        cts_buf_addf(out, "# %s: there was nothing to look at\n", run->spec_dir);
    cts_buf_add(out, cts_buf_text(&run->text), run->text.len);
}

static void run_one(const struct cts_check *check, struct cts_check_run *run,
                    struct cts_spec_check_counts *counts, struct cts_buf *out)
{
    run->looked = run->faults = 0;
    run->skip = NULL;
    run->more[0] = 0;
    cts_buf_init(&run->text, (size_t)1 << 20);
    check->run(run);

    bool good = !run->faults && (run->skip || run->looked);
    say(check, run, ++counts->rules, good, out);
    counts->looked += run->looked;
    counts->faults += run->faults;
    if (!good)
        counts->failed++;
    else if (run->skip)
        counts->skipped++;
    else
        counts->passed++;
    cts_buf_release(&run->text);
}

static bool is_chosen(const struct cts_spec_check_opts *opts, const char *name)
{
    for (size_t i = 0; opts->rules && i < opts->rule_count; i++) {
        if (!strcmp(opts->rules[i], name))
            return true;
    }
    return !opts->rules || !opts->rule_count;
}

static int check_rules(const struct cts_spec_check_opts *opts, struct cts_err *err)
{
    for (size_t i = 0; opts->rules && i < opts->rule_count; i++) {
        if (!cts_check_find(cts_checks, opts->rules[i]))
            return cts_err_set(err, CTS_E_NOTFOUND, "no rule '%s'", opts->rules[i]);
    }
    return 0;
}

int cts_spec_check(const struct cts_spec_check_opts *opts, struct cts_buf *out,
                   struct cts_spec_check_counts *counts, struct cts_err *err)
{
    struct cts_spec spec;
    struct cts_check_vecs *vecs = NULL;

    memset(counts, 0, sizeof(*counts));
    int rc = check_rules(opts, err);
    if (rc)
        return rc;
    cts_spec_init(&spec);
    rc = cts_spec_load(&spec, opts->spec_dir, err);
    if (!rc) {
        struct cts_check_run run = {
            .spec = &spec,
            .rules = cts_checks,
            .spec_dir = opts->spec_dir,
            .vectors_dir = opts->vectors_dir,
            .arena = &spec.arena,
            .vecs = &vecs,
        };
        for (size_t i = 0; cts_checks[i]; i++) {
            if (is_chosen(opts, cts_checks[i]->name))
                run_one(cts_checks[i], &run, counts, out);
        }
        cts_buf_addf(out, "1..%zu\n", counts->rules);
    }
    cts_spec_release(&spec);
    return rc;
}
