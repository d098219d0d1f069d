#include "spec_check/check.h"

#include <string.h>

#include "base/fmt.h"
#include "host/fs.h"
#include "load/vec_known.h"

const struct cts_check *cts_check_find(const char *name)
{
    for (size_t i = 0; cts_checks[i]; i++) {
        if (!strcmp(cts_checks[i]->name, name))
            return cts_checks[i];
    }
    return NULL;
}

/* --- faults -------------------------------------------------------------------------------- */

static void fault_v(struct cts_check_run *run, const char *file, unsigned line, const char *fmt,
                    va_list ap)
{
    if (run->faults++ == CTS_CHECK_NAMED_MAX)
        cts_buf_adds(&run->text, "# ... and more\n");
    if (run->faults > CTS_CHECK_NAMED_MAX)
        return;
    cts_buf_addf(&run->text, "# %s:", file);
    if (line)
        cts_buf_addf(&run->text, "%u:", line);
    cts_buf_addc(&run->text, ' ');
    cts_buf_addvf(&run->text, fmt, ap);
    cts_buf_addc(&run->text, '\n');
}

void cts_check_fault(struct cts_check_run *run, const char *file, unsigned line, const char *fmt,
                     ...)
{
    va_list ap;
    va_start(ap, fmt);
    fault_v(run, file, line, fmt, ap);
    va_end(ap);
}

void cts_check_fault_at(struct cts_check_run *run, const struct cts_yaml *node, const char *fmt,
                        ...)
{
    va_list ap;
    va_start(ap, fmt);
    fault_v(run, node->file, node->line, fmt, ap);
    va_end(ap);
}

void cts_check_fault_err(struct cts_check_run *run, const struct cts_err *err)
{
    cts_check_fault(run, err->file[0] ? err->file : run->spec_dir, err->line, "%s", err->msg);
}

void cts_check_note(struct cts_check_run *run, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cts_buf_adds(&run->text, "# ");
    cts_buf_addvf(&run->text, fmt, ap);
    cts_buf_addc(&run->text, '\n');
    va_end(ap);
}

void *cts_check_take(struct cts_check_run *run, size_t n, size_t size)
{
    void *memory = cts_arena_take_array(run->arena, n ? n : 1, size);
    if (!memory)
        cts_check_fault(run, run->spec_dir, 0, "out of memory");
    return memory;
}

/* --- vectors ------------------------------------------------------------------------------- */

struct collector {
    struct cts_arena *arena;
    struct cts_check_vecs *vecs;
};

static void collect(void *arg, const struct cts_err *err)
{
    struct collector *c = arg;
    struct cts_check_vecs *v = c->vecs;

    if (v->fault_count == v->fault_cap) {
        size_t cap = v->fault_cap ? v->fault_cap * 2 : 16;
        struct cts_err *more = cts_arena_take_array(c->arena, cap, sizeof(*more));
        if (!more)
            return;
        if (v->fault_count)
            memcpy(more, v->faults, v->fault_count * sizeof(*more));
        v->faults = more;
        v->fault_cap = cap;
    }
    v->faults[v->fault_count++] = *err;
}

static void load_files(struct cts_check_run *run, const struct cts_fs_list *list,
                       const struct cts_vec_known *known, struct cts_check_vecs *vecs)
{
    struct collector c = {run->arena, vecs};
    struct cts_vec_report report = {collect, &c};
    struct cts_vec_file *files = cts_check_take(run, list->count, sizeof(*files));

    vecs->files = files;
    for (size_t i = 0; files && i < list->count; i++) {
        struct cts_err err = {0};
        if (cts_vec_load(list->paths[i], known, &report, run->arena, &files[vecs->file_count],
                         &err)) {
            collect(&c, &err);
            continue;
        }
        vecs->vec_count += files[vecs->file_count++].count;
    }
}

const struct cts_check_vecs *cts_check_load_vectors(struct cts_check_run *run)
{
    struct cts_vec_known known;
    struct cts_fs_list list;
    struct cts_err err = {0};

    if (*run->vecs)
        return *run->vecs;
    if (!run->vectors_dir) {
        run->skip = "no vectors are given";
        return NULL;
    }
    if (cts_fs_walk(run->vectors_dir, ".yaml", run->arena, &list, &err) ||
        cts_vec_known_of(run->spec, run->arena, &known, &err)) {
        cts_check_fault_err(run, &err);
        return NULL;
    }
    struct cts_check_vecs *vecs = cts_check_take(run, 1, sizeof(*vecs));
    if (!vecs)
        return NULL;
    load_files(run, &list, &known, vecs);
    *run->vecs = vecs;
    return vecs;
}

/* --- running them -------------------------------------------------------------------------- */

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
        if (!cts_check_find(opts->rules[i]))
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
